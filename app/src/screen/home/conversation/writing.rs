//! Messages that are written, answered and changed: the composer, its draft, and what could not even be queued.

use iced::Task;
use iced::widget::operation;
use kith_core::wire::control::{Message as Shown, Request};

use super::{Action, COMPOSER, Conversation, DRAFT_AGAIN, DRAFT_REST, Failed, Message, Mode, TYPING_AGAIN_MS};
use crate::app::Context;
use crate::platform::sign::Sign;
use crate::problem::Problem;
use crate::widget::composer::{self, Changed};
use crate::widget::history;

impl Conversation {
    /// The end of the window: the same as a future.
    pub(crate) fn last_draft(&self) -> Option<Request> {
        let text = self.written();
        (!self.knows_draft(&text)).then(|| Request::SaveDraft { with: self.chat.id.clone(), text })
    }

    /// The message that is written, also while something else is changed in its place.
    pub(super) fn written(&self) -> String {
        match &self.mode {
            Mode::Edit { before, .. } | Mode::Mend { before, .. } => before.clone(),
            Mode::Write | Mode::Reply(_) => self.composer.text().to_owned(),
        }
    }

    pub(super) fn composed(&mut self, action: composer::Action, context: Context<'_>) -> Action {
        match self.pasted(&action) {
            Some(pasted) => pasted,
            None => {
                let changed = self.composer.perform(action);
                self.typed(changed, context)
            }
        }
    }

    /// What is written is another text now, or not.
    pub(super) fn typed(&mut self, changed: Changed, context: Context<'_>) -> Action {
        match changed {
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

    pub(super) fn mode_writes(&self) -> bool {
        !self.changes() && self.chat.state != "asked"
    }

    /// The composer is there for something that was said before.
    fn changes(&self) -> bool {
        matches!(self.mode, Mode::Edit { .. } | Mode::Mend { .. })
    }

    pub(super) fn draft_due(&mut self, serial: u64) -> Action {
        if serial != self.draft_serial || self.changes() {
            return Action::None;
        }
        let text = self.composer.text().to_owned();
        Action::Run(self.keep_draft(text))
    }

    pub(super) fn keep_draft(&mut self, text: String) -> Task<Message> {
        if self.knows_draft(&text) {
            return Task::none();
        }
        self.chat.draft = Some(text.clone()).filter(|text| !text.is_empty());
        let save = self.backend.clone().command(Request::SaveDraft { with: self.chat.id.clone(), text });
        Task::perform(save, Message::DraftKept)
    }

    fn knows_draft(&self, text: &str) -> bool {
        !self.draft_failed && self.chat.draft.as_deref().unwrap_or_default() == text
    }

    /// The draft is on the disk; or it is said once that it is not, and tried again.
    pub(super) fn draft_kept(&mut self, kept: Result<(), Problem>, context: Context<'_>) -> Action {
        let had_failed = std::mem::replace(&mut self.draft_failed, kept.is_err());
        let Err(problem) = kept else { return Action::None };
        if !had_failed {
            self.notice = Some(problem.sentence(context.i18n));
        }
        let serial = self.draft_serial;
        let rest = tokio::time::sleep(DRAFT_AGAIN);
        Action::Run(Task::perform(rest, move |()| Message::DraftDue(serial)))
    }

    pub(super) fn say_typing(&mut self, on: bool) -> Task<Message> {
        if !on && self.said_typing_ms == 0 {
            return Task::none();
        }
        self.said_typing_ms = 0;
        self.command(Request::Typing { with: self.chat.id.clone(), on })
    }

    pub(super) fn submit(&mut self) -> Action {
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
            Mode::Mend { message, before } => {
                self.composer.set(&before);
                Action::Run(Task::batch([typing, self.mended(message, text)]))
            }
            Mode::Reply(answered) => self.send(text, Some(answered.id), typing),
            Mode::Write => self.send(text, None, typing),
        }
    }

    pub(super) fn send(&mut self, text: String, reply_to: Option<String>, before: Task<Message>) -> Action {
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

    pub(super) fn try_send(&self, key: u64, text: String, reply_to: Option<String>) -> Task<Message> {
        let send = self.backend.clone().send(self.chat.id.clone(), text, reply_to);
        Task::perform(send, move |sent| Message::Sent(key, sent.map(Box::new)))
    }

    pub(super) fn sent(&mut self, key: u64, sent: Result<Box<Shown>, Problem>, context: Context<'_>) -> Action {
        match sent {
            Ok(message) => {
                self.failed.retain(|failed| failed.key != key);
                Action::Run(Task::batch([self.came(&message), self.sounds_sent(context)]))
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

    /// A sound says that one's own message goes.
    pub(super) fn sounds_sent(&self, context: Context<'_>) -> Task<Message> {
        match context.settings.sounds {
            true => Task::future(Sign::Sent.give(self.backend.clone())).discard(),
            false => Task::none(),
        }
    }

    pub(super) fn retry(&mut self, key: u64) -> Action {
        let Some(failed) = self.failed.iter_mut().find(|failed| failed.key == key && !failed.is_trying) else {
            return Action::None;
        };
        failed.is_trying = true;
        let (text, reply_to) = (failed.text.clone(), failed.reply_to.clone());
        Action::Run(self.try_send(key, text, reply_to))
    }

    pub(super) fn reply(&mut self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        self.mode = Mode::Reply(Box::new(entry.message.clone()));
        self.chosen = None;
        Action::Run(operation::focus(COMPOSER))
    }

    pub(super) fn edit(&mut self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let (true, Some(text)) = (entry.message.mine, entry.message.text.clone()) else { return Action::None };
        let mode = Mode::Edit { message: entry.message.id.clone(), before: self.written() };
        self.begin_change(mode, &text)
    }

    pub(super) fn begin_change(&mut self, mode: Mode, text: &str) -> Action {
        self.mode = mode;
        self.composer.set(text);
        self.chosen = None;
        Action::Run(operation::focus(COMPOSER))
    }

    pub(super) fn edit_last(&mut self) -> Action {
        let last = self.timeline.entries().rev().find(|entry| entry.message.mine && entry.message.kind == "text");
        match last.map(|entry| entry.key) {
            Some(key) => self.edit(key),
            None => Action::None,
        }
    }

    pub(super) fn cancel(&mut self) -> Action {
        match std::mem::replace(&mut self.mode, Mode::Write) {
            Mode::Edit { before, .. } | Mode::Mend { before, .. } => self.composer.set(&before),
            Mode::Write | Mode::Reply(_) => {}
        }
        Action::Run(operation::focus(COMPOSER))
    }
}
