//! A conversation: the stretch of its history that is in the window, and where messages are written.
//!
//! It asks the core and shows what it answers; what a message looks like is in [`view`].

#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use iced::Task;
use iced::widget::{Id, operation};
use kith_core::wire::control::{At, Chat, Message as Shown, Page, Request};

use super::timeline::{PAGE, Side, Timeline, key_of};
use crate::app::Context;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::settings::Change;
use crate::widget::composer::{self, Changed, Composer};
use crate::widget::history;

/// Where messages are written.
pub(crate) const COMPOSER: &str = "composer";

/// The longest message, in bytes: what the core takes.
pub(crate) const MAX_TEXT: usize = 16 * 1024;

/// How long after the last key a draft is kept.
const DRAFT_REST: Duration = Duration::from_millis(800);

/// While somebody types, this is said again as often.
const TYPING_AGAIN_MS: u64 = 4000;

/// Who has not said for so long that they type has stopped.
const TYPING_LASTS: Duration = Duration::from_secs(7);

/// The most messages that are fetched anew when something came.
const RELOAD: u32 = 180;

/// An open conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    chat: Chat,
    backend: Backend,
    timeline: Timeline,
    loading: Loading,
    composer: Composer,
    mode: Mode,
    failed: Vec<Failed>,
    next_failed: u64,
    typing: BTreeMap<String, u64>,
    is_at_end: bool,
    last_visible: Option<u64>,
    new_below: u64,
    chosen: Option<u64>,
    emoji: Option<Target>,
    emoji_query: String,
    draft_serial: u64,
    said_typing_ms: u64,
    read_upto: Option<String>,
    reload: Reload,
    notice: Option<String>,
}

#[derive(Debug)]
enum Loading {
    Waiting,
    Ready,
    Failed(Problem),
}

/// Whether the newest messages are fetched anew, and whether once more after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reload {
    Idle,
    Running,
    Again,
}

/// What the composer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A new message.
    Write,
    /// An answer.
    Reply(Box<Shown>),
    /// Another text for a message of one's own; with what had been typed before.
    Edit {
        /// The message.
        message: String,
        /// What had been typed.
        before: String,
    },
}

/// What an emoji is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The message that is written.
    Composer,
    /// A reaction to the message of this row.
    Reaction(u64),
}

/// A message that could not even be queued.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    key: u64,
    text: String,
    reply_to: Option<String>,
    problem: Problem,
    is_trying: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// The first page is here.
    Opened(Result<Page, Problem>),
    /// Once more.
    Reopen,
    /// More of the history is here.
    Paged(Side, Result<Page, Problem>),
    /// The newest messages are here anew.
    Reloaded(Result<Page, Problem>),
    /// The first or last row that is here is near.
    Near(Side),
    /// Other rows are seen.
    Scrolled(history::Position),
    /// A page up or down.
    Page(f32),
    /// To the newest message.
    ToNewest,
    /// To a message.
    Jump(String),
    /// What is around it is here.
    Jumped(String, Result<Page, Problem>),
    /// Something was typed.
    Compose(composer::Action),
    /// Send what is typed.
    Submit,
    /// It is queued, or not.
    Sent(u64, Result<Box<Shown>, Problem>),
    /// Send what could not be queued once more.
    Retry(u64),
    /// Let go of it.
    Discard(u64),
    /// Show or hide what can be done with a message.
    Choose(u64),
    /// Answer it.
    Reply(u64),
    /// Change one's own.
    Edit(u64),
    /// Change the last of one's own.
    EditLast,
    /// Erase one's own; asks first.
    Delete(u64),
    /// Copy its text.
    Copy(u64),
    /// React, or take the same reaction back.
    React(u64, String),
    /// All of a long text.
    ShowWhole(u64),
    /// A link was pressed.
    OpenLink(String),
    /// Emoji are wanted, or not.
    ToggleEmoji(Target),
    /// Other emoji are looked for.
    EmojiQueryChanged(String),
    /// An emoji was chosen.
    PickEmoji(String),
    /// What was said at the foot has been read.
    CloseNotice,
    /// The message above the chosen one, or the newest, is chosen.
    ChooseOlder,
    /// The message below the chosen one is chosen.
    ChooseNewer,
    /// Neither answer nor change.
    Cancel,
    /// Nothing was typed for a while.
    DraftDue(u64),
    /// Somebody may have stopped typing.
    TypingDue,
    /// A command was carried out, or not.
    Done(Result<(), Problem>),
    /// Files cannot be sent yet.
    Attach,
    /// The panel beside it.
    ToggleDetails,
    /// Back to the list, where both do not fit.
    Back,
    /// Take a block back.
    Unblock,
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Keeps this setting.
    Set(Change, Task<Message>),
    /// Asks whether this message is to be erased.
    ConfirmDelete(String),
    /// Opens a link.
    OpenLink(String),
    /// The panel beside it.
    ToggleDetails,
    /// Back to the list.
    Back,
}

impl Conversation {
    /// Opens a chat where it was left: at the first message that was not read.
    pub(crate) fn new(chat: Chat, backend: Backend) -> (Self, Task<Message>) {
        let draft = chat.draft.clone().unwrap_or_default();
        let conversation = Self {
            composer: Composer::new(&draft, MAX_TEXT),
            timeline: Timeline::default(),
            loading: Loading::Waiting,
            mode: Mode::Write,
            failed: Vec::new(),
            next_failed: 0,
            typing: BTreeMap::new(),
            is_at_end: true,
            last_visible: None,
            new_below: 0,
            chosen: None,
            emoji: None,
            emoji_query: String::new(),
            draft_serial: 0,
            said_typing_ms: 0,
            read_upto: None,
            reload: Reload::Idle,
            notice: None,
            chat,
            backend,
        };
        let open = conversation.page(At::Unread, PAGE, Message::Opened);
        (conversation, Task::batch([open, operation::focus(COMPOSER)]))
    }

    /// The list of messages: another chat is another list.
    fn history(&self) -> Id {
        Id::from(format!("history-{}", self.chat.id))
    }

    /// Its chat.
    pub(crate) fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The chat is another now.
    pub(crate) fn chat_changed(&mut self, chat: Chat) {
        // A draft that another device of the account wrote, where nothing is being typed here.
        let is_idle = self.composer.is_empty() && self.mode == Mode::Write && chat.draft != self.chat.draft;
        if let Some(draft) = chat.draft.as_ref().filter(|_| is_idle) {
            self.composer.set(draft);
        }
        self.chat = chat;
    }

    /// What was typed is kept, and others are told that one types no more: on leaving.
    pub(crate) fn leave(&mut self) -> Task<Message> {
        let text = match &self.mode {
            Mode::Edit { before, .. } => before.clone(),
            Mode::Write | Mode::Reply(_) => self.composer.text().to_owned(),
        };
        Task::batch([self.keep_draft(text), self.say_typing(false)])
    }

    /// The end of the window: the same as a future.
    pub(crate) fn last_draft(&self) -> Option<Request> {
        let text = match &self.mode {
            Mode::Edit { before, .. } => before.clone(),
            Mode::Write | Mode::Reply(_) => self.composer.text().to_owned(),
        };
        let is_known = self.chat.draft.as_deref().unwrap_or_default() == text;
        (!is_known).then(|| Request::SaveDraft { with: self.chat.id.clone(), text })
    }

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

    /// Somebody types, or stopped.
    pub(crate) fn typing(&mut self, account: String, on: bool, now_ms: u64) -> Task<Message> {
        if !on {
            self.typing.remove(&account);
            return Task::none();
        }
        let until = now_ms.saturating_add(u64::try_from(TYPING_LASTS.as_millis()).unwrap_or(u64::MAX));
        self.typing.insert(account, until);
        Task::perform(tokio::time::sleep(TYPING_LASTS), |()| Message::TypingDue)
    }

    /// What is seen is read, if somebody is looking.
    pub(crate) fn seen(&mut self, is_looked_at: bool) -> Task<Message> {
        if !is_looked_at || self.chat.unread == 0 {
            return Task::none();
        }
        let shown = self.last_visible.and_then(|key| self.timeline.by_key(key)).map(|entry| entry.message.id.clone());
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

    /// Something happened. `is_looked_at`: somebody sees it.
    pub(crate) fn update(&mut self, message: Message, is_looked_at: bool, context: Context<'_>) -> Action {
        match message {
            Message::Opened(page) => self.opened(page, is_looked_at),
            Message::Reopen => {
                self.loading = Loading::Waiting;
                Action::Run(self.page(At::Unread, PAGE, Message::Opened))
            }
            Message::Paged(side, page) => self.paged(side, page, context),
            Message::Reloaded(page) => self.reloaded(page, is_looked_at, context),
            Message::Near(side) => Action::Run(self.near(side)),
            Message::Scrolled(position) => self.scrolled(position, is_looked_at),
            Message::Page(pages) => Action::Run(history::scroll_pages(self.history(), pages)),
            Message::ToNewest => Action::Run(self.show_newest()),
            Message::Jump(id) => self.jump(id),
            Message::Jumped(id, page) => self.jumped(&id, page, context),
            Message::Compose(action) => self.composed(action, context),
            Message::Submit => self.submit(),
            Message::Sent(key, sent) => self.sent(key, sent),
            Message::Retry(key) => self.retry(key),
            Message::Discard(key) => {
                self.failed.retain(|failed| failed.key != key);
                Action::None
            }
            Message::Choose(key) => {
                self.chosen = if self.chosen == Some(key) { None } else { Some(key) };
                self.emoji = None;
                Action::None
            }
            Message::Reply(key) => self.reply(key),
            Message::Edit(key) => self.edit(key),
            Message::EditLast => self.edit_last(),
            Message::Delete(key) => match self.timeline.by_key(key) {
                Some(entry) => Action::ConfirmDelete(entry.message.id.clone()),
                None => Action::None,
            },
            Message::Copy(key) => self.copy(key),
            Message::React(key, emoji) => self.react(key, emoji),
            Message::ShowWhole(key) => {
                self.timeline.show_whole(key);
                Action::None
            }
            Message::OpenLink(link) => Action::OpenLink(link),
            Message::ToggleEmoji(target) => {
                self.emoji = if self.emoji == Some(target) { None } else { Some(target) };
                self.emoji_query.clear();
                Action::None
            }
            Message::EmojiQueryChanged(query) => {
                self.emoji_query = query;
                Action::None
            }
            Message::CloseNotice => {
                self.notice = None;
                Action::None
            }
            Message::ChooseOlder => self.choose_beside(true),
            Message::ChooseNewer => self.choose_beside(false),
            Message::PickEmoji(emoji) => self.pick_emoji(emoji),
            Message::Cancel => self.cancel(),
            Message::DraftDue(serial) => self.draft_due(serial),
            Message::TypingDue => {
                self.typing.retain(|_, until| *until > context.now_ms);
                Action::None
            }
            Message::Done(Ok(())) => Action::None,
            Message::Done(Err(problem)) => {
                self.notice = Some(problem.sentence(context.i18n));
                Action::None
            }
            Message::Attach => {
                self.notice = Some(context.i18n.tr("files-not-yet"));
                Action::None
            }
            Message::ToggleDetails => Action::ToggleDetails,
            Message::Back => Action::Back,
            Message::Unblock => {
                let who = self.chat.account.clone().unwrap_or_default();
                Action::Run(self.command(Request::Unblock { who }))
            }
        }
    }

    /// Away with what is on top; whether there was anything.
    pub(crate) fn escape(&mut self) -> bool {
        if self.emoji.take().is_some() || self.chosen.take().is_some() || self.notice.take().is_some() {
            return true;
        }
        if self.mode == Mode::Write {
            return false;
        }
        let _ = self.cancel();
        true
    }

    /// The text of a message is erased everywhere.
    pub(crate) fn delete(&mut self, message: String) -> Task<Message> {
        self.chosen = None;
        self.command(Request::Delete { with: self.chat.id.clone(), message })
    }

    fn opened(&mut self, page: Result<Page, Problem>, is_looked_at: bool) -> Action {
        let page = match page {
            Ok(page) => page,
            Err(problem) => {
                self.loading = Loading::Failed(problem);
                return Action::None;
            }
        };
        self.loading = Loading::Ready;
        self.timeline.replace(page, false);
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

    fn paged(&mut self, side: Side, page: Result<Page, Problem>, context: Context<'_>) -> Action {
        match page {
            Ok(page) => self.timeline.extend(side, page),
            Err(problem) => {
                self.timeline.give_up();
                self.notice = Some(problem.sentence(context.i18n));
            }
        }
        Action::None
    }

    fn reloaded(&mut self, page: Result<Page, Problem>, is_looked_at: bool, context: Context<'_>) -> Action {
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

    fn near(&mut self, side: Side) -> Task<Message> {
        match self.timeline.ask(side) {
            Some(at) => self.page(at, PAGE, move |page| Message::Paged(side, page)),
            None => Task::none(),
        }
    }

    fn scrolled(&mut self, position: history::Position, is_looked_at: bool) -> Action {
        self.is_at_end = position.at_end && self.timeline.reaches_end();
        self.last_visible = Some(position.last_visible);
        if self.is_at_end {
            self.new_below = 0;
        }
        Action::Run(self.seen(is_looked_at))
    }

    fn show_newest(&mut self) -> Task<Message> {
        self.new_below = 0;
        self.timeline.forget_unread();
        if self.timeline.reaches_end() {
            return history::scroll_to_end(self.history());
        }
        self.page(At::Newest, PAGE, Message::Opened)
    }

    fn jump(&mut self, id: String) -> Action {
        if self.timeline.by_id(&id).is_some() {
            self.chosen = None;
            return Action::Run(history::scroll_to(self.history(), key_of(&id), history::Align::Center));
        }
        let target = id.clone();
        let jumped = move |page| Message::Jumped(target.clone(), page);
        Action::Run(self.page(At::Around { message: id }, PAGE, jumped))
    }

    fn jumped(&mut self, id: &str, page: Result<Page, Problem>, context: Context<'_>) -> Action {
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

    fn composed(&mut self, action: composer::Action, context: Context<'_>) -> Action {
        match self.composer.perform(action) {
            Changed::Nothing => return Action::None,
            Changed::Text => {}
            Changed::TooLong => self.notice = Some(context.i18n.tr("message-too-long")),
        }
        self.draft_serial = self.draft_serial.wrapping_add(1);
        let serial = self.draft_serial;
        let rest = Task::perform(tokio::time::sleep(DRAFT_REST), move |()| Message::DraftDue(serial));
        let is_due = context.now_ms.saturating_sub(self.said_typing_ms) > TYPING_AGAIN_MS;
        let say = if self.composer.is_empty() {
            self.say_typing(false)
        } else if is_due && self.mode_writes() {
            self.said_typing_ms = context.now_ms;
            self.command(Request::Typing { with: self.chat.id.clone(), on: true })
        } else {
            Task::none()
        };
        Action::Run(Task::batch([rest, say]))
    }

    fn mode_writes(&self) -> bool {
        !matches!(self.mode, Mode::Edit { .. }) && self.chat.state != "asked"
    }

    fn draft_due(&mut self, serial: u64) -> Action {
        if serial != self.draft_serial || matches!(self.mode, Mode::Edit { .. }) {
            return Action::None;
        }
        let text = self.composer.text().to_owned();
        Action::Run(self.keep_draft(text))
    }

    fn keep_draft(&mut self, text: String) -> Task<Message> {
        if self.chat.draft.as_deref().unwrap_or_default() == text {
            return Task::none();
        }
        self.chat.draft = Some(text.clone()).filter(|text| !text.is_empty());
        self.command(Request::SaveDraft { with: self.chat.id.clone(), text })
    }

    fn say_typing(&mut self, on: bool) -> Task<Message> {
        if !on && self.said_typing_ms == 0 {
            return Task::none();
        }
        self.said_typing_ms = 0;
        self.command(Request::Typing { with: self.chat.id.clone(), on })
    }

    fn submit(&mut self) -> Action {
        let text = self.composer.text().trim().to_owned();
        if text.is_empty() {
            return Action::None;
        }
        let typing = self.say_typing(false);
        self.emoji = None;
        self.notice = None;
        match std::mem::replace(&mut self.mode, Mode::Write) {
            Mode::Edit { message, before } => {
                self.composer.set(&before);
                let edit = Request::Edit { with: self.chat.id.clone(), message, text };
                Action::Run(Task::batch([typing, self.command(edit)]))
            }
            Mode::Reply(answered) => self.send(text, Some(answered.id), typing),
            Mode::Write => self.send(text, None, typing),
        }
    }

    fn send(&mut self, text: String, reply_to: Option<String>, before: Task<Message>) -> Action {
        self.composer.set("");
        self.timeline.forget_unread();
        let key = self.next_failed;
        self.next_failed = key.wrapping_add(1);
        // Until it is queued it is here, and nowhere else.
        let problem = Problem::new("sending", String::new());
        let failed = Failed { key, text: text.clone(), reply_to: reply_to.clone(), problem, is_trying: true };
        self.failed.push(failed);
        let draft = self.keep_draft(String::new());
        let newest = if self.is_at_end { history::scroll_to_end(self.history()) } else { self.show_newest() };
        Action::Run(Task::batch([before, self.try_send(key, text, reply_to), draft, newest]))
    }

    fn try_send(&self, key: u64, text: String, reply_to: Option<String>) -> Task<Message> {
        let send = self.backend.clone().send(self.chat.id.clone(), text, reply_to);
        Task::perform(send, move |sent| Message::Sent(key, sent.map(Box::new)))
    }

    fn sent(&mut self, key: u64, sent: Result<Box<Shown>, Problem>) -> Action {
        match sent {
            Ok(message) => {
                self.failed.retain(|failed| failed.key != key);
                Action::Run(self.came(&message))
            }
            Err(problem) => {
                for failed in self.failed.iter_mut().filter(|failed| failed.key == key) {
                    failed.is_trying = false;
                    failed.problem = problem.clone();
                }
                Action::None
            }
        }
    }

    fn retry(&mut self, key: u64) -> Action {
        let Some(failed) = self.failed.iter_mut().find(|failed| failed.key == key && !failed.is_trying) else {
            return Action::None;
        };
        failed.is_trying = true;
        let (text, reply_to) = (failed.text.clone(), failed.reply_to.clone());
        Action::Run(self.try_send(key, text, reply_to))
    }

    fn reply(&mut self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        self.mode = Mode::Reply(Box::new(entry.message.clone()));
        self.chosen = None;
        Action::Run(operation::focus(COMPOSER))
    }

    fn edit(&mut self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let (true, Some(text)) = (entry.message.mine, entry.message.text.clone()) else { return Action::None };
        let before = match &self.mode {
            Mode::Edit { before, .. } => before.clone(),
            Mode::Write | Mode::Reply(_) => self.composer.text().to_owned(),
        };
        self.mode = Mode::Edit { message: entry.message.id.clone(), before };
        self.composer.set(&text);
        self.chosen = None;
        Action::Run(operation::focus(COMPOSER))
    }

    fn edit_last(&mut self) -> Action {
        let last = self.timeline.entries().rev().find(|entry| entry.message.mine && entry.message.kind == "text");
        match last.map(|entry| entry.key) {
            Some(key) => self.edit(key),
            None => Action::None,
        }
    }

    fn choose_beside(&mut self, older: bool) -> Action {
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

    fn cancel(&mut self) -> Action {
        match std::mem::replace(&mut self.mode, Mode::Write) {
            Mode::Edit { before, .. } => self.composer.set(&before),
            Mode::Write | Mode::Reply(_) => {}
        }
        Action::Run(operation::focus(COMPOSER))
    }

    fn copy(&mut self, key: u64) -> Action {
        self.chosen = None;
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let text = entry.message.text.clone().or_else(|| entry.message.transcript.clone());
        Action::Run(text.map_or_else(Task::none, iced::clipboard::write))
    }

    fn react(&mut self, key: u64, emoji: String) -> Action {
        self.emoji = None;
        self.chosen = None;
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let react =
            Request::React { with: self.chat.id.clone(), message: entry.message.id.clone(), emoji: emoji.clone() };
        let command = self.command(react);
        if emoji.is_empty() { Action::Run(command) } else { Action::Set(Change::UsedEmoji(emoji), command) }
    }

    fn pick_emoji(&mut self, emoji: String) -> Action {
        match self.emoji {
            Some(Target::Reaction(key)) => self.react(key, emoji),
            Some(Target::Composer) | None => {
                let _ = self.composer.insert(&emoji);
                Action::Set(Change::UsedEmoji(emoji), operation::focus(COMPOSER))
            }
        }
    }

    fn page(
        &self,
        at: At,
        limit: u32,
        answer: impl Fn(Result<Page, Problem>) -> Message + Send + 'static,
    ) -> Task<Message> {
        Task::perform(self.backend.clone().page(self.chat.id.clone(), at, limit), answer)
    }

    fn command(&self, request: Request) -> Task<Message> {
        Task::perform(self.backend.clone().command(request), Message::Done)
    }
}
