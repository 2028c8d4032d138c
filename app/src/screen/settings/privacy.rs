//! What others are told.

use iced::Task;
use kith_core::wire::control::{LiveOptions, Request};

use super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::problem::Problem;
use crate::theme::Element;
use crate::ui::{choice, form};

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Others see what was read.
    Receipts,
    /// Others see which of their voice notes were heard.
    Played,
    /// Others see that one writes.
    Typing,
    /// Contacts are found on the local network.
    Lan,
    /// No direct connections.
    AlwaysRelay,
}

/// What others are told.
#[derive(Debug)]
pub(super) struct PrivacySection {
    backend: Backend,
    options: Wanted<LiveOptions>,
    wrong: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// What was chosen.
    Came(Result<LiveOptions, Problem>),
    /// Once more.
    Again,
    /// Something else is chosen.
    Set(Choice, bool),
    /// It was, or not.
    Changed(Result<LiveOptions, Problem>),
}

impl PrivacySection {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, options: Wanted::Coming, wrong: None }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::perform(self.backend.clone().options(Request::Options), Message::Came)
    }

    pub(super) fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Came(options) => self.options.take(options),
            Message::Again => return self.load(),
            Message::Set(choice, on) => {
                self.wrong = None;
                return Task::perform(self.backend.clone().options(request(choice, on)), Message::Changed);
            }
            Message::Changed(Ok(options)) => self.options.take(Ok(options)),
            Message::Changed(Err(problem)) => self.wrong = Some(problem),
        }
        Task::none()
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        self.options.view(i18n, Message::Again, |options| {
            let switch = |name: String, words: String, choice, on: bool| {
                choice::switch(name, Some(words), on, Some(Message::Set(choice, !on)))
            };
            let receipts = (i18n.tr("settings-receipts"), i18n.tr("settings-receipts-words"));
            let played = (i18n.tr("settings-played"), i18n.tr("settings-played-words"));
            let typing = (i18n.tr("settings-typing"), i18n.tr("settings-typing-words"));
            let lan = (i18n.tr("settings-lan"), i18n.tr("settings-lan-words"));
            let always = (i18n.tr("settings-always-relay"), i18n.tr("settings-always-relay-words"));
            let told = [
                switch(receipts.0, receipts.1, Choice::Receipts, options.read_receipts),
                switch(played.0, played.1, Choice::Played, options.played_receipts && options.read_receipts),
                switch(typing.0, typing.1, Choice::Typing, options.typing),
            ];
            let found = [
                switch(lan.0, lan.1, Choice::Lan, options.mdns),
                switch(always.0, always.1, Choice::AlwaysRelay, options.always_relay),
            ];
            let restart = options.restart.then(|| parts::note(i18n.tr("settings-restart")));
            let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
            let groups = [parts::group(None, told), parts::group(None, found)];
            parts::groups(groups.into_iter().chain(restart).chain(wrong))
        })
    }
}

fn request(choice: Choice, on: bool) -> Request {
    let chosen = |which| (choice == which).then_some(on);
    Request::SetOptions {
        read_receipts: chosen(Choice::Receipts),
        mdns: chosen(Choice::Lan),
        always_relay: chosen(Choice::AlwaysRelay),
        typing: chosen(Choice::Typing),
        played_receipts: chosen(Choice::Played),
        auto_fetch_bytes: None,
    }
}
