//! The relay, who one is there, the password, and the link by which others find one.

use iced::widget::{column, container, qr_code};
use iced::{Length, Subscription, Task};
use kith_core::wire::control::Me;

use super::parts::{self, Wanted};
use super::password::{self, At, PasswordPart};
use crate::app::Context;
use crate::backend::Backend;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::relay::State;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::{self, form};

/// A link that is drawn for cameras, too.
#[derive(Debug)]
struct Link {
    text: String,
    /// None when it is too long for a code.
    code: Option<qr_code::Data>,
}

/// What is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The link.
    Link,
    /// The account's id.
    Account,
    /// The relay's addresses.
    Relay,
    /// Those of the relay on this computer.
    OwnRelay,
}

/// Relay and account.
#[derive(Debug)]
pub(super) struct AccountSection {
    backend: Backend,
    me: Wanted<Me>,
    link: Wanted<Link>,
    password: PasswordPart,
    copied: Option<What>,
    is_starting: bool,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Who is signed in.
    MeCame(Result<Me, Problem>),
    /// The link.
    LinkCame(Result<String, Problem>),
    /// Of the password.
    Password(password::Message),
    /// Once more.
    Again,
    /// This goes into the clipboard.
    Copy(What, String),
    /// The relay on this computer is started again.
    StartRelay,
    /// It was.
    RelayStarted,
}

impl AccountSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            backend,
            me: Wanted::Coming,
            link: Wanted::Coming,
            password: PasswordPart::default(),
            copied: None,
            is_starting: false,
        }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::batch([
            Task::perform(self.backend.clone().me(), Message::MeCame),
            Task::perform(self.backend.clone().invite(), Message::LinkCame),
        ])
    }

    /// What is listened to while it is shown.
    pub(super) fn subscription(&self) -> Subscription<Message> {
        self.password.subscription().map(Message::Password)
    }

    pub(super) fn update(&mut self, message: Message, i18n: &I18n) -> Task<Message> {
        match message {
            Message::MeCame(me) => self.me.take(me),
            Message::LinkCame(link) => self.link.take(link.map(|text| {
                let code = qr_code::Data::new(text.as_bytes()).ok();
                Link { text, code }
            })),
            Message::Password(message) => {
                let at = self.at();
                return self.password.update(message, at, i18n).map(Message::Password);
            }
            Message::Again => return self.load(),
            Message::Copy(what, text) => {
                self.copied = Some(what);
                return iced::clipboard::write(text);
            }
            Message::StartRelay => {
                let Some(relay) = self.backend.relay().cloned() else { return Task::none() };
                self.is_starting = true;
                let start = async move { drop(relay.start().await) };
                return Task::perform(start, |()| Message::RelayStarted);
            }
            Message::RelayStarted => self.is_starting = false,
        }
        Task::none()
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let me = self.me.view(i18n, Message::Again, |me| self.me(me, i18n));
        let link = self.link.view(i18n, Message::Again, |link| self.link(link, i18n));
        let password = self.at().map(|_| self.password.view(i18n).map(Message::Password));
        let own = self.backend.relay().map(|relay| self.own_relay(relay.state(), i18n));
        parts::groups([me].into_iter().chain(password).chain([link]).chain(own))
    }

    /// Where there is a password.
    fn at(&self) -> Option<At> {
        let Wanted::Here(me) = &self.me else { return None };
        At::of(me)
    }

    fn me<'a>(&'a self, me: &Me, i18n: &I18n) -> Element<'a, Message> {
        let handle = me.handle.clone().unwrap_or_else(|| i18n.tr("settings-no-handle"));
        let relay = if me.relays.is_empty() {
            parts::plain(i18n.tr("settings-no-relay"))
        } else {
            parts::letters(me.relays.join("\n"))
        };
        let copy_relay = (!me.relays.is_empty()).then(|| self.copy(What::Relay, me.relays.join(","), i18n));
        parts::group(
            Some(i18n.tr("settings-account-who")),
            [
                parts::fact(i18n.tr("settings-handle"), parts::plain(handle), None),
                parts::fact(
                    i18n.tr("settings-account-id"),
                    parts::letters(me.account.clone()),
                    Some(self.copy(What::Account, me.account.clone(), i18n)),
                ),
                parts::fact(i18n.tr("settings-relay-address"), relay, copy_relay),
            ],
        )
    }

    fn link<'a>(&'a self, link: &'a Link, i18n: &I18n) -> Element<'a, Message> {
        let code = link.code.as_ref().map(|code| {
            let code = container(qr_code(code).total_size(theme::choice::QR)).padding(metric::SMALL);
            container(code.style(theme::choice::paper)).center_x(Length::Fill).padding(metric::SMALL)
        });
        let copy = Some(self.copy(What::Link, link.text.clone(), i18n));
        let words = parts::fact(i18n.tr("settings-link-words"), parts::letters(link.text.clone()), copy);
        parts::group(Some(i18n.tr("settings-link")), [words].into_iter().chain(code.map(Into::into)))
    }

    fn own_relay<'a>(&'a self, state: State, i18n: &I18n) -> Element<'a, Message> {
        let name = i18n.tr("settings-own-relay-state");
        let rows: Vec<Element<'a, Message>> = match state {
            State::Running { address } => {
                let copy = self.copy(What::OwnRelay, address.clone(), i18n);
                let shown = parts::letters(address.replace(',', "\n"));
                vec![
                    parts::fact(name, parts::plain(i18n.tr("settings-own-relay-running")), None),
                    parts::fact(i18n.tr("settings-own-relay-address"), shown, Some(copy)),
                ]
            }
            State::Starting => vec![parts::fact(name, parts::plain(i18n.tr("settings-own-relay-starting")), None)],
            State::Off => {
                vec![parts::fact(name, parts::plain(i18n.tr("settings-own-relay-off")), Some(self.start(i18n)))]
            }
            State::Failed(problem) => {
                let why = column![form::error(problem.sentence(i18n)), ui::caption(problem.to_string())];
                vec![parts::fact(name, why.spacing(metric::TIGHT).into(), Some(self.start(i18n)))]
            }
        };
        parts::group(Some(i18n.tr("settings-own-relay")), rows)
    }

    fn start<'a>(&self, i18n: &I18n) -> Element<'a, Message> {
        let words = i18n.tr("settings-own-relay-start");
        parts::with_icon(Icon::RotateCcw, words, (!self.is_starting).then_some(Message::StartRelay))
    }

    fn copy<'a>(&self, what: What, text: String, i18n: &I18n) -> Element<'a, Message> {
        parts::copy(i18n, self.copied == Some(what), Message::Copy(what, text))
    }
}
