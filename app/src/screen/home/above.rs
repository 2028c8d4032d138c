//! What lies above the main window for a moment, and what comes of it.

use std::path::PathBuf;

use iced::Task;
use iced::widget::operation;
use kith_core::wire::control::Request;

use super::conversation::Conversation;
use super::{Action, Home, Message, conversation};
use crate::app::Context;
use crate::format::one_line;
use crate::modal::add::{self, Add};
use crate::modal::group::{self, Group};
use crate::modal::question::Question;
use crate::modal::review;
use crate::modal::switcher::{self, Switcher};
use crate::problem::Problem;

/// What lies above everything.
#[derive(Debug)]
pub(super) enum Modal {
    Add(Box<Add>),
    Group(Group),
    Switcher(Switcher),
    Help,
    Review { account: String, is_busy: bool },
    Question(Question<Deed>),
}

/// What is done only after a question.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// Erase this message everywhere.
    DeleteMessage(String),
    /// Block this account.
    Block(String),
    /// Send these files in this chat.
    SendFiles(String, Vec<PathBuf>),
}

impl Home {
    pub(super) fn add(&mut self, link: Option<String>) -> Task<Message> {
        let (add, task) = Add::new(self.backend.clone(), link);
        self.modal = Some(Modal::Add(Box::new(add)));
        task.map(Message::Add)
    }

    pub(super) fn new_group(&mut self) -> Task<Message> {
        let (group, task) = Group::new(self.backend.clone());
        self.modal = Some(Modal::Group(group));
        task.map(Message::Group)
    }

    pub(super) fn switch(&mut self) -> Task<Message> {
        let (switcher, task) = Switcher::new();
        self.modal = Some(Modal::Switcher(switcher));
        task.map(Message::Switcher)
    }

    pub(super) fn review(&mut self, account: String) -> Task<Message> {
        self.modal = Some(Modal::Review { account, is_busy: false });
        Task::none()
    }

    pub(super) fn ask(&mut self, question: Question<Deed>) -> Task<Message> {
        let first = question.first();
        self.modal = Some(Modal::Question(question));
        operation::focus(first)
    }

    /// Asks whether files are to be sent in the open chat. Those that are dropped together come one by one.
    pub(super) fn offer(&mut self, files: Vec<PathBuf>, context: Context<'_>) -> Task<Message> {
        /// Names that are listed.
        const NAMED: usize = 5;
        let Some(chat) = self.open.as_ref().map(Conversation::chat) else { return Task::none() };
        let mut all = match self.modal.take() {
            Some(Modal::Question(question)) => match question.into_deed() {
                Deed::SendFiles(to, asked) if to == chat.id => asked,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        all.extend(files.into_iter().filter(|file| !all.contains(file)).collect::<Vec<_>>());
        let name = |file: &PathBuf| one_line(&file.file_name().unwrap_or_default().to_string_lossy(), 60);
        let mut names: Vec<String> = all.iter().take(NAMED).map(name).collect();
        if all.len() > NAMED {
            names.push("…".to_owned());
        }
        let (i18n, count) = (context.i18n, u64::try_from(all.len()).unwrap_or(u64::MAX));
        let title = i18n.tr_with("offer-title", [("count", count.into()), ("name", one_line(&chat.name, 40).into())]);
        let deed = Deed::SendFiles(chat.id.clone(), all);
        self.ask(Question::new(title, names.join("\n"), i18n.tr("offer-send"), deed).harmless())
    }

    pub(super) fn close_modal(&mut self) -> Task<Message> {
        self.modal = None;
        if self.open.is_some() { operation::focus(conversation::COMPOSER) } else { Task::none() }
    }

    pub(super) fn adding(&mut self, message: add::Message) -> Action {
        let Some(Modal::Add(add)) = &mut self.modal else { return Action::None };
        match add.update(message) {
            add::Action::None => Action::None,
            add::Action::Run(task) => Action::Run(task.map(Message::Add)),
            add::Action::Close => Action::Run(self.close_modal()),
        }
    }

    pub(super) fn grouping(&mut self, message: group::Message, context: Context<'_>) -> Action {
        let Some(Modal::Group(group)) = &mut self.modal else { return Action::None };
        match group.update(message) {
            group::Action::None => Action::None,
            group::Action::Run(task) => Action::Run(task.map(Message::Group)),
            group::Action::Open(id) => {
                self.modal = None;
                // Word of it may come a moment after the answer.
                let load = self.load();
                Action::Run(Task::batch([self.open(&id, context), load]))
            }
            group::Action::Close => Action::Run(self.close_modal()),
        }
    }

    pub(super) fn switching(&mut self, message: switcher::Message, context: Context<'_>) -> Action {
        let Some(Modal::Switcher(switcher)) = &mut self.modal else { return Action::None };
        match switcher.update(message, self.list.chats()) {
            Some(id) => {
                self.modal = None;
                Action::Run(self.open(&id, context))
            }
            None => Action::None,
        }
    }

    pub(super) fn reviewing(&mut self, message: review::Message, _context: Context<'_>) -> Action {
        let Some(Modal::Review { account, is_busy }) = &mut self.modal else { return Action::None };
        let who = account.clone();
        let request = match message {
            review::Message::Close => return Action::Run(self.close_modal()),
            review::Message::Accept => Request::Accept { who: who.clone() },
            review::Message::Decline => Request::Decline { who: who.clone() },
            review::Message::Block => Request::Block { who: who.clone() },
        };
        *is_busy = true;
        let answered = self.backend.clone().command(request);
        Action::Run(Task::perform(answered, move |answer| Message::Reviewed(who.clone(), answer)))
    }

    pub(super) fn reviewed(&mut self, account: &str, answered: Result<(), Problem>, context: Context<'_>) -> Action {
        self.modal = None;
        match answered {
            Ok(()) => {
                self.list.answered(account);
                let id = self.list.chat_with(account).map(|chat| chat.id.clone());
                let open = id.map_or_else(Task::none, |id| self.open(&id, context));
                Action::Run(Task::batch([open, self.show_count(context)]))
            }
            Err(problem) => Action::Run(self.warn(problem)),
        }
    }

    pub(super) fn answered_yes(&mut self) -> Action {
        let Some(Modal::Question(question)) = self.modal.take() else { return Action::None };
        match question.into_deed() {
            Deed::DeleteMessage(message) => Action::Run(self.in_open(|open| open.delete(message))),
            Deed::Block(who) => {
                let block = self.backend.clone().command(Request::Block { who });
                Action::Run(Task::perform(block, Message::Done))
            }
            Deed::SendFiles(chat, files) => {
                let sends = self.in_open(|open| match open.chat().id == chat {
                    true => open.send_files(files),
                    false => Task::none(),
                });
                let focus = self.close_modal();
                Action::Run(Task::batch([sends, focus]))
            }
        }
    }
}
