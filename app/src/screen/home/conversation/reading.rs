//! The stretch of the history that is in the window: what it is asked for, and what comes of it.

use iced::Task;
use kith_core::wire::control::{At, Message as Shown, Page, Request};

use super::{Action, Conversation, Loading, Message, RELOAD, Reload, view};
use crate::app::Context;
use crate::problem::Problem;
use crate::screen::home::timeline::{Entry, PAGE, Side, key_of};
use crate::widget::history;

impl Conversation {
    /// A message came, or one's own was written.
    pub(crate) fn came(&mut self, message: &Shown) -> Task<Message> {
        self.typing.remove(&message.author);
        if !self.timeline.reaches_end() {
            self.new_below = self.new_below.saturating_add(u64::from(!message.mine));
            return Task::none();
        }
        if !self.is_at_end && !message.mine {
            self.new_below = self.new_below.saturating_add(1);
        }
        self.reload()
    }

    /// A message is another now.
    pub(crate) fn changed(&mut self, message: Shown) -> Task<Message> {
        // What is erased may stand elsewhere in the order than what is known of it.
        if self.timeline.change(message) { Task::none() } else { self.reload() }
    }

    /// Events were lost: all anew.
    pub(crate) fn reload(&mut self) -> Task<Message> {
        if !self.timeline.reaches_end() {
            return Task::none();
        }
        if self.reload != Reload::Idle {
            self.reload = Reload::Again;
            return Task::none();
        }
        self.reload = Reload::Running;
        let known = u32::try_from(self.timeline.entries().len()).unwrap_or(RELOAD);
        self.page(At::Newest, known.saturating_add(8).clamp(PAGE, RELOAD), Message::Reloaded)
    }

    /// Somebody is called otherwise now: what they said in a group is shown with their name.
    pub(crate) fn person_changed(&mut self, account: &str) -> Task<Message> {
        let has_said = |entry: &Entry| entry.message.author == account;
        if self.chat.kind == "group" && self.timeline.entries().any(has_said) { self.reload() } else { Task::none() }
    }

    /// What is seen is read, if somebody is looking.
    pub(crate) fn seen(&mut self, is_looked_at: bool) -> Task<Message> {
        if !is_looked_at || self.chat.unread == 0 {
            return Task::none();
        }
        let last = self.visible.and_then(|(_, last)| self.timeline.by_key(last));
        let shown = last.map(|entry| entry.message.id.clone());
        let newest = || self.timeline.entries().next_back().map(|entry| entry.message.id.clone());
        let upto = if self.is_at_end && self.timeline.reaches_end() { newest() } else { shown };
        match upto {
            Some(upto) if self.read_upto.as_ref() != Some(&upto) => {
                self.read_upto = Some(upto.clone());
                self.command(Request::MarkRead { with: self.chat.id.clone(), upto })
            }
            _ => Task::none(),
        }
    }

    pub(super) fn opened(&mut self, page: Result<Page, Problem>, is_looked_at: bool) -> Action {
        let page = match page {
            Ok(page) => page,
            Err(problem) => {
                self.loading = Loading::Failed(problem);
                return Action::None;
            }
        };
        self.loading = Loading::Ready;
        self.timeline.replace(page, false);
        if let Some(wanted) = self.wanted.take() {
            return self.jump(wanted);
        }
        let scroll = match self.timeline.first_unread() {
            Some(first) if self.timeline.by_id(first).is_some() => {
                self.is_at_end = false;
                history::scroll_to(self.history(), view::UNREAD, history::Align::Start)
            }
            _ => {
                self.is_at_end = true;
                history::scroll_to_end(self.history())
            }
        };
        Action::Run(Task::batch([scroll, self.seen(is_looked_at)]))
    }

    pub(super) fn paged(&mut self, side: Side, page: Result<Page, Problem>, context: Context<'_>) -> Action {
        match page {
            Ok(page) => self.timeline.extend(side, page),
            Err(problem) => {
                self.timeline.give_up();
                self.notice = Some(problem.sentence(context.i18n));
            }
        }
        Action::None
    }

    pub(super) fn reloaded(&mut self, page: Result<Page, Problem>, is_looked_at: bool, context: Context<'_>) -> Action {
        let again = self.reload == Reload::Again;
        self.reload = Reload::Idle;
        match page {
            // Meanwhile one may have gone far back: then it is for another stretch.
            Ok(page) if self.timeline.reaches_end() => self.timeline.replace(page, true),
            Ok(_) => {}
            Err(problem) => self.notice = Some(problem.sentence(context.i18n)),
        }
        let more = if again { self.reload() } else { Task::none() };
        Action::Run(Task::batch([more, self.seen(is_looked_at)]))
    }

    pub(super) fn near(&mut self, side: Side) -> Task<Message> {
        match self.timeline.ask(side) {
            Some(at) => self.page(at, PAGE, move |page| Message::Paged(side, page)),
            None => Task::none(),
        }
    }

    pub(super) fn scrolled(&mut self, position: history::Position, is_looked_at: bool) -> Action {
        self.is_at_end = position.at_end && self.timeline.reaches_end();
        self.visible = Some((position.first_visible, position.last_visible));
        if self.is_at_end {
            self.new_below = 0;
        }
        Action::Run(Task::batch([self.seen(is_looked_at), self.look_soon()]))
    }

    /// The messages that are on the screen.
    pub(super) fn seen_rows(&self) -> impl Iterator<Item = &Entry> {
        let at = self.visible.and_then(|(first, last)| Some((self.place_of_row(first)?, self.place_of_row(last)?)));
        let seen = at.map_or(0..0, |(first, last)| first..last.saturating_add(1));
        self.timeline.entries().skip(seen.start).take(seen.len())
    }

    /// Which message a row is, or stands above.
    fn place_of_row(&self, row: u64) -> Option<usize> {
        let is_it = |entry: &Entry| match row {
            view::START => true,
            view::UNREAD => self.timeline.first_unread() == Some(entry.message.id.as_str()),
            _ => entry.key == row || view::day_row(entry) == row,
        };
        let last = self.timeline.entries().len().checked_sub(1);
        // What could not be queued stands below all.
        self.timeline.entries().position(is_it).or(last)
    }

    pub(super) fn show_newest(&mut self) -> Task<Message> {
        self.new_below = 0;
        self.timeline.forget_unread();
        if self.timeline.reaches_end() {
            return history::scroll_to_end(self.history());
        }
        self.page(At::Newest, PAGE, Message::Opened)
    }

    /// Shows a message, as soon as there is anything to be shown.
    pub(crate) fn show(&mut self, id: String) -> Task<Message> {
        if !matches!(self.loading, Loading::Ready) {
            self.wanted = Some(id);
            return Task::none();
        }
        match self.jump(id) {
            Action::Run(task) => task,
            _ => Task::none(),
        }
    }

    pub(super) fn jump(&mut self, id: String) -> Action {
        if self.timeline.by_id(&id).is_some() {
            self.chosen = None;
            return Action::Run(history::scroll_to(self.history(), key_of(&id), history::Align::Center));
        }
        let target = id.clone();
        let jumped = move |page| Message::Jumped(target.clone(), page);
        Action::Run(self.page(At::Around { message: id }, PAGE, jumped))
    }

    pub(super) fn jumped(&mut self, id: &str, page: Result<Page, Problem>, context: Context<'_>) -> Action {
        match page {
            Ok(page) => {
                self.timeline.replace(page, true);
                self.is_at_end = false;
                Action::Run(history::scroll_to(self.history(), key_of(id), history::Align::Center))
            }
            Err(problem) => {
                self.notice = Some(problem.sentence(context.i18n));
                Action::None
            }
        }
    }

    pub(super) fn choose_beside(&mut self, older: bool) -> Action {
        let keys: Vec<u64> = self.timeline.entries().map(|entry| entry.key).collect();
        let at = self.chosen.and_then(|chosen| keys.iter().position(|key| *key == chosen));
        let to = match (at, older) {
            (Some(at), true) => at.checked_sub(1),
            (Some(at), false) => at.checked_add(1),
            (None, true) => keys.len().checked_sub(1),
            (None, false) => None,
        };
        let Some(key) = to.and_then(|to| keys.get(to)).copied() else { return Action::None };
        self.chosen = Some(key);
        self.emoji = None;
        Action::Run(history::scroll_to(self.history(), key, history::Align::Center))
    }
}
