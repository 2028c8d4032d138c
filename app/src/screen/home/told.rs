//! What the core tells, and what the main window makes of it.

use iced::Task;
use kith_core::wire::control::{self, Chat, Event};

use super::conversation::Conversation;
use super::{Home, Link, Message};
use crate::app::Context;
use crate::platform::notify::Notice;
use crate::platform::sign::Sign;

impl Home {
    /// The core tells something. `is_seen`: somebody looks at the window.
    pub(crate) fn told(&mut self, event: Event, is_seen: bool, context: Context<'_>) -> Task<Message> {
        self.is_looked_at = is_seen;
        match event {
            Event::Message { message } => self.message_came(&message, context),
            Event::Changed { message } => {
                self.tell_details(&message);
                match &self.open {
                    Some(open) if open.chat().id == message.conversation => self.in_open(|open| open.changed(message)),
                    _ => Task::none(),
                }
            }
            Event::Chat { chat } => self.chat_changed(chat, context),
            Event::ChatGone { chat } => {
                self.list.remove(&chat);
                if self.open.as_ref().is_some_and(|open| open.chat().id == chat) {
                    self.open = None;
                    self.details = None;
                }
                Task::none()
            }
            Event::Request { contact_request } => {
                let notice = Notice::request(&contact_request, context);
                self.list.asked(contact_request);
                Task::batch([self.notify(notice, context), self.sounds(context), self.show_count(context)])
            }
            Event::Typing { conversation, account, on } => match &self.open {
                Some(open) if open.chat().id == conversation => {
                    self.in_open(|open| open.typing(account, on, context.now_ms))
                }
                _ => Task::none(),
            },
            Event::Connection { who, path, why } if who == "relay" => {
                self.link = if path == "none" { Link::Down(why) } else { Link::Up };
                Task::none()
            }
            Event::Warning { said } => self.warn(said),
            Event::Transcription { conversation, message, progress } => self.in_open(|open| {
                if open.chat().id == conversation { open.transcribed(message, progress) } else { Task::none() }
            }),
            Event::Transfer { conversation, message, transfer } => self.in_open(|open| {
                if open.chat().id == conversation {
                    open.transferred(&message, transfer);
                }
                Task::none()
            }),
            Event::Lagged { .. } => {
                self.link = Link::Unknown;
                Task::batch([self.load(), self.in_open(Conversation::reload)])
            }
            Event::Raise { link: Some(link) } => self.add(Some(link)),
            Event::Model { model } => match &mut self.page {
                Some(page) => page.model_changed(model).map(Message::Settings),
                None => Task::none(),
            },
            Event::Contact { account } => self.person_changed(&account),
            Event::Connection { .. } | Event::Raise { link: None } => Task::none(),
        }
    }

    fn message_came(&mut self, message: &control::Message, context: Context<'_>) -> Task<Message> {
        self.tell_details(message);
        let is_open = self.open.as_ref().is_some_and(|open| open.chat().id == message.conversation);
        let shown = if is_open { self.in_open(|open| open.came(message)) } else { Task::none() };
        let is_muted = self.list.chat(&message.conversation).is_some_and(|chat| chat.muted);
        if message.mine || is_muted || (is_open && self.is_looked_at) {
            return shown;
        }
        let chat = self.list.chat(&message.conversation);
        let notice = Notice::message(message, chat, context);
        Task::batch([shown, self.notify(notice, context), self.sounds(context)])
    }

    /// A sound says that something came; not into a microphone that listens.
    fn sounds(&self, context: Context<'_>) -> Task<Message> {
        if !context.settings.sounds || self.open.as_ref().is_some_and(Conversation::is_recording) {
            return Task::none();
        }
        Task::future(Sign::Came.give(self.backend.clone())).discard()
    }

    fn tell_details(&mut self, message: &control::Message) {
        if let Some(details) = &mut self.details {
            details.told(message);
        }
    }

    fn chat_changed(&mut self, chat: Chat, context: Context<'_>) -> Task<Message> {
        let picture = self.want_picture(&chat);
        let is_looked_at = self.is_looked_at();
        let seen = match self.open.as_mut().filter(|open| open.chat().id == chat.id) {
            Some(open) => {
                open.chat_changed(chat.clone());
                // That there is something unread is told after the message that is: it may have been seen meanwhile.
                self.in_open(|open| open.seen(is_looked_at))
            }
            None => Task::none(),
        };
        if let Some(details) = &mut self.details {
            details.chat_changed(&chat);
        }
        self.list.change(chat);
        Task::batch([picture, seen, self.show_count(context)])
    }

    /// Somebody says something else about themselves, whether they are a contact, share a group or are signed in here.
    fn person_changed(&mut self, account: &str) -> Task<Message> {
        let is_me = self.me.as_ref().is_some_and(|me| me.account == account);
        let own = if is_me { self.load_name() } else { Task::none() };
        let members = self.details.as_ref().map_or_else(Task::none, |details| details.person_changed(account));
        let names = self.in_open(|open| open.person_changed(account));
        Task::batch([own, members.map(Message::Details), names])
    }

    fn notify(&self, notice: Notice, context: Context<'_>) -> Task<Message> {
        if !context.settings.notifications {
            return Task::none();
        }
        Task::perform(notice.show(), Message::NoticeEnded)
    }
}
