//! Name and password, or recovery code and new password, and what opens Kith on this device.

use iced::widget::{column, text};
use kith_core::client::entry::password::WeakPassword;
use kith_core::client::entry::{Handle, HandleError, RecoveryCode};
use zeroize::Zeroizing;

use super::Kind;
use crate::backend::Keeping;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, font, metric};
use crate::ui::secret::Secret;
use crate::ui::strength::{self, Strength};
use crate::ui::{self, choice, form};
use crate::widget::press::press;

pub(super) const HANDLE: &str = "welcome-handle";
pub(super) const INVITATION: &str = "welcome-invitation";
pub(super) const CODE: &str = "welcome-code";
pub(super) const PASSWORD: &str = "welcome-password";
pub(super) const AGAIN: &str = "welcome-again";
pub(super) const PASSPHRASE: &str = "welcome-passphrase";
pub(super) const PASSPHRASE_AGAIN: &str = "welcome-passphrase-again";

/// More is no name, code or password that a person types.
const MAX_TEXT: usize = 2048;

/// Who signs up or logs in.
pub(super) struct Account {
    kind: Kind,
    handle: String,
    /// Asked for when the relay has said that it takes nobody without.
    invitation: Option<String>,
    /// The recovery code of an account whose password is forgotten.
    code: Zeroizing<String>,
    password: Zeroizing<String>,
    again: Zeroizing<String>,
    is_shown: bool,
    keep: Keep,
    /// Somebody has chosen that, not this program.
    was_chosen: bool,
    has_keychain: bool,
    /// The passphrase of this device is the account's password.
    is_same: bool,
    passphrase: Zeroizing<String>,
    passphrase_again: Zeroizing<String>,
    was_tried: bool,
    refused: Option<(Place, Problem)>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Account").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What opens Kith on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The system's keychain.
    Keychain,
    /// A passphrase at every start.
    Passphrase,
}

/// Where something can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Handle,
    Invitation,
    Code,
    Password,
    Again,
    Keeping,
    Passphrase,
    PassphraseAgain,
    Form,
}

impl Place {
    const ALL: [Self; 9] = [
        Self::Handle,
        Self::Invitation,
        Self::Code,
        Self::Password,
        Self::Again,
        Self::Keeping,
        Self::Passphrase,
        Self::PassphraseAgain,
        Self::Form,
    ];

    const fn field(self) -> Option<&'static str> {
        match self {
            Self::Handle => Some(HANDLE),
            Self::Invitation => Some(INVITATION),
            Self::Code => Some(CODE),
            Self::Password => Some(PASSWORD),
            Self::Again => Some(AGAIN),
            Self::Passphrase => Some(PASSPHRASE),
            Self::PassphraseAgain => Some(PASSPHRASE_AGAIN),
            Self::Keeping | Self::Form => None,
        }
    }
}

enum Wrong {
    Empty,
    Handle(HandleError),
    Code,
    Weak(WeakPassword),
    Differs,
}

/// What happens to it.
#[derive(Clone)]
pub(crate) enum Message {
    /// Something was typed.
    HandleChanged(String),
    /// Something was typed.
    InvitationChanged(String),
    /// Something was typed.
    CodeChanged(Zeroizing<String>),
    /// Something was typed.
    PasswordChanged(Zeroizing<String>),
    /// Something was typed.
    AgainChanged(Zeroizing<String>),
    /// Something was typed.
    PassphraseChanged(Zeroizing<String>),
    /// Something was typed.
    PassphraseAgainChanged(Zeroizing<String>),
    /// Shows or hides what is secret.
    Look,
    /// In the keychain.
    KeepInKeychain,
    /// Behind a passphrase.
    KeepByPassphrase,
    /// The passphrase is the password, or not.
    Same(bool),
    /// The password is forgotten.
    Forgotten,
    /// Go on.
    Submit,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("account::Message(…)")
    }
}

/// What comes of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing.
    None,
    /// The focus goes to this field.
    Focus(&'static str),
    /// The password of this name is forgotten.
    Forgotten(String),
    /// It is filled in.
    Filled(Filled),
}

/// What was filled in.
pub(super) struct Filled {
    /// The name at the relay; empty without one.
    pub(super) handle: String,
    /// The code that the relay asks for.
    pub(super) invitation: Option<String>,
    /// The recovery code; empty for who has not forgotten the password.
    pub(super) code: Zeroizing<String>,
    /// The account's password; of an account without a relay its passphrase.
    pub(super) password: Zeroizing<String>,
    /// What opens Kith on this device.
    pub(super) keeping: Keeping,
}

impl std::fmt::Debug for Filled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Filled(…)")
    }
}

impl Account {
    /// Nothing is filled in, but a name that is known.
    pub(super) fn new(kind: Kind, handle: Option<String>, has_keychain: bool) -> Self {
        Self {
            kind,
            handle: handle.unwrap_or_default(),
            invitation: None,
            code: Zeroizing::default(),
            password: Zeroizing::default(),
            again: Zeroizing::default(),
            is_shown: false,
            keep: if has_keychain { Keep::Keychain } else { Keep::Passphrase },
            was_chosen: false,
            has_keychain,
            is_same: true,
            passphrase: Zeroizing::default(),
            passphrase_again: Zeroizing::default(),
            was_tried: false,
            refused: None,
        }
    }

    /// For what it is filled in.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The name, as far as it is typed.
    pub(super) fn handle(&self) -> &str {
        &self.handle
    }

    /// Where the focus begins.
    pub(super) fn first_field(&self) -> &'static str {
        match self.kind {
            Kind::Local => PASSWORD,
            _ if self.handle.is_empty() => HANDLE,
            Kind::Recover => CODE,
            Kind::Create | Kind::LogIn => PASSWORD,
        }
    }

    /// The system's keychain works here, or not.
    pub(super) fn set_keychain(&mut self, works: bool) {
        self.has_keychain = works;
        if !works || !self.was_chosen {
            self.keep = if works { Keep::Keychain } else { Keep::Passphrase };
        }
    }

    /// It was not taken: the problem stands beside the field that caused it, which gets the focus.
    pub(super) fn refuse(&mut self, problem: Problem) -> Option<&'static str> {
        let place = match problem.code.as_str() {
            "handle_taken" | "handle" | "not_found" => Place::Handle,
            "registration_closed" | "invitation" => {
                self.invitation.get_or_insert_default();
                Place::Invitation
            }
            "wrong_recovery_code" | "recovery_code" => Place::Code,
            "weak_password" | "wrong_password" => Place::Password,
            "keychain" | "keychain_key" => Place::Keeping,
            _ => Place::Form,
        };
        self.refused = Some((place, problem));
        place.field()
    }

    /// Something happened.
    pub(super) fn update(&mut self, message: Message) -> Outcome {
        match message {
            Message::HandleChanged(text) => self.typed(Place::Handle, Zeroizing::new(text)),
            Message::InvitationChanged(text) => self.typed(Place::Invitation, Zeroizing::new(text)),
            Message::CodeChanged(text) => self.typed(Place::Code, text),
            Message::PasswordChanged(text) => self.typed(Place::Password, text),
            Message::AgainChanged(text) => self.typed(Place::Again, text),
            Message::PassphraseChanged(text) => self.typed(Place::Passphrase, text),
            Message::PassphraseAgainChanged(text) => self.typed(Place::PassphraseAgain, text),
            Message::Look => self.is_shown = !self.is_shown,
            Message::KeepInKeychain => self.keep_by(Keep::Keychain),
            Message::KeepByPassphrase => self.keep_by(Keep::Passphrase),
            Message::Same(is_same) => {
                self.is_same = is_same;
                return if is_same { Outcome::None } else { Outcome::Focus(PASSPHRASE) };
            }
            Message::Forgotten => return Outcome::Forgotten(self.handle.clone()),
            Message::Submit => return self.submit(),
        }
        Outcome::None
    }

    fn typed(&mut self, place: Place, text: Zeroizing<String>) {
        if text.len() > MAX_TEXT {
            return;
        }
        if self.refused.as_ref().is_some_and(|(refused, _)| *refused == place || *refused == Place::Form) {
            self.refused = None;
        }
        match place {
            Place::Handle => self.handle.clone_from(&text),
            Place::Invitation => self.invitation = Some(text.to_string()),
            Place::Code => self.code = text,
            Place::Password => self.password = text,
            Place::Again => self.again = text,
            Place::Passphrase => self.passphrase = text,
            Place::PassphraseAgain => self.passphrase_again = text,
            Place::Keeping | Place::Form => {}
        }
    }

    fn keep_by(&mut self, keep: Keep) {
        (self.keep, self.was_chosen) = (keep, true);
        if self.refused.as_ref().is_some_and(|(place, _)| *place == Place::Keeping) {
            self.refused = None;
        }
    }

    fn submit(&mut self) -> Outcome {
        (self.was_tried, self.refused) = (true, None);
        let first = Place::ALL.into_iter().find(|place| self.wrong_at(*place).is_some());
        if let Some(place) = first {
            return place.field().map_or(Outcome::None, Outcome::Focus);
        }
        let keeping = match self.keep {
            Keep::Keychain => Keeping::Keychain,
            Keep::Passphrase if self.asks_passphrase() => Keeping::Passphrase(self.passphrase.clone()),
            Keep::Passphrase => Keeping::Passphrase(self.password.clone()),
        };
        let invitation = self.invitation.as_ref().map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
        Outcome::Filled(Filled {
            handle: self.handle.trim().to_owned(),
            invitation,
            code: self.code.clone(),
            password: self.password.clone(),
            keeping,
        })
    }

    /// A passphrase of its own is asked for.
    fn asks_passphrase(&self) -> bool {
        self.keep == Keep::Passphrase && !self.is_same && self.kind != Kind::Local
    }

    fn strength(&self) -> Strength {
        let handle = Handle::parse(&self.handle).ok();
        strength::of(&self.password, handle.as_ref().filter(|_| self.kind != Kind::Local))
    }

    /// What is wrong there with what was typed.
    fn wrong_at(&self, place: Place) -> Option<Wrong> {
        let is_new = self.kind != Kind::LogIn;
        match place {
            Place::Handle if self.kind == Kind::Local => None,
            Place::Handle if self.handle.trim().is_empty() => Some(Wrong::Empty),
            Place::Handle => Handle::parse(&self.handle).err().map(Wrong::Handle),
            Place::Code if self.kind == Kind::Recover => {
                let is_empty = self.code.trim().is_empty();
                let wrong = if is_empty { Wrong::Empty } else { Wrong::Code };
                RecoveryCode::parse(&self.code).is_err().then_some(wrong)
            }
            Place::Password if self.password.is_empty() => Some(Wrong::Empty),
            Place::Password if is_new => self.strength().weak.map(Wrong::Weak),
            Place::Again if is_new && *self.again != *self.password => Some(Wrong::Differs),
            Place::Passphrase if self.asks_passphrase() => strength::of(&self.passphrase, None).weak.map(Wrong::Weak),
            Place::PassphraseAgain if self.asks_passphrase() && *self.passphrase_again != *self.passphrase => {
                Some(Wrong::Differs)
            }
            _ => None,
        }
    }

    /// The same as far as it is told before somebody wants to go on: not while they have only begun to type.
    fn told_at(&self, place: Place, i18n: &I18n) -> Option<String> {
        if let Some((_, problem)) = self.refused.as_ref().filter(|(refused, _)| *refused == place) {
            return Some(problem.sentence(i18n));
        }
        let wrong = self.wrong_at(place)?;
        let is_sure = match (place, &wrong) {
            (Place::Handle, Wrong::Handle(HandleError::Character(_))) => true,
            (Place::Again, _) => !self.password.starts_with(&**self.again),
            (Place::PassphraseAgain, _) => !self.passphrase.starts_with(&**self.passphrase_again),
            _ => false,
        };
        (self.was_tried || is_sure).then(|| wrong.sentence(i18n))
    }

    /// What is drawn; `relay` is how the relay is called.
    pub(super) fn view<'a>(&'a self, i18n: &I18n, relay: Option<&str>) -> Element<'a, Message> {
        let (title, words, submit) = match self.kind {
            Kind::Create => {
                (i18n.tr("welcome-create"), i18n.tr("welcome-account-words"), i18n.tr("welcome-create-submit"))
            }
            Kind::LogIn => {
                (i18n.tr("welcome-log-in"), i18n.tr("welcome-log-in-words"), i18n.tr("welcome-log-in-submit"))
            }
            Kind::Recover => {
                (i18n.tr("welcome-recover"), i18n.tr("welcome-recover-words"), i18n.tr("welcome-recover-submit"))
            }
            Kind::Local => {
                (i18n.tr("welcome-local"), i18n.tr("welcome-local-account"), i18n.tr("welcome-create-submit"))
            }
        };
        let relay =
            relay.map(|relay| ui::caption(i18n.tr_with("welcome-at-relay", [("what", relay.to_owned().into())])));
        column![
            text(title).size(metric::TITLE).font(font::SEMIBOLD),
            column![text(words).size(metric::BODY).style(theme::text::muted)].push(relay).spacing(metric::TIGHT),
        ]
        .push((self.kind != Kind::Local).then(|| self.handle_field(i18n)))
        .push(self.invitation.as_deref().map(|code| self.invitation_field(i18n, code)))
        .push((self.kind == Kind::Recover).then(|| self.code_field(i18n)))
        .push(self.password_fields(i18n))
        .push(self.keeping(i18n))
        .push(self.told_at(Place::Form, i18n).map(form::error))
        .push(form::main_button(submit).on_press(Message::Submit))
        .spacing(metric::PAD)
        .into()
    }

    fn handle_field<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let is_new = self.kind == Kind::Create;
        let hint = if is_new { i18n.tr("welcome-handle-hint") } else { i18n.tr("welcome-handle-log-in") };
        form::field(HANDLE, i18n.tr("welcome-handle"), &self.handle)
            .hint(hint)
            .wrong(self.told_at(Place::Handle, i18n))
            .view(Some(Message::HandleChanged), Some(Message::Submit))
    }

    fn invitation_field<'a>(&'a self, i18n: &I18n, code: &'a str) -> Element<'a, Message> {
        form::field(INVITATION, i18n.tr("welcome-invitation"), code)
            .hint(i18n.tr("welcome-invitation-hint"))
            .wrong(self.told_at(Place::Invitation, i18n))
            .view(Some(Message::InvitationChanged), Some(Message::Submit))
    }

    fn code_field<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        Secret {
            id: CODE,
            name: i18n.tr("recovery-code"),
            value: &self.code,
            wrong: self.told_at(Place::Code, i18n),
            is_shown: self.is_shown,
            eye: Some(Message::Look),
        }
        .view(i18n, Message::CodeChanged, Message::Submit)
    }

    fn password_fields<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let is_local = self.kind == Kind::Local;
        let name = match self.kind {
            Kind::Local => i18n.tr("welcome-passphrase"),
            Kind::Recover => i18n.tr("password-new"),
            Kind::Create | Kind::LogIn => i18n.tr("welcome-password"),
        };
        let field = Secret {
            id: PASSWORD,
            name,
            value: &self.password,
            wrong: self.told_at(Place::Password, i18n),
            is_shown: self.is_shown,
            eye: (self.kind != Kind::Recover).then_some(Message::Look),
        };
        let is_said = field.wrong.is_some();
        let field = field.view(i18n, Message::PasswordChanged, Message::Submit);
        if self.kind == Kind::LogIn {
            let forgotten = text(i18n.tr("welcome-forgotten")).size(metric::CAPTION).font(font::MEDIUM);
            let forgotten =
                press(forgotten).padding(metric::TIGHT).style(theme::button::quiet).on_press(Message::Forgotten);
            return column![field, forgotten].spacing(metric::TIGHT).into();
        }
        let again = Secret {
            id: AGAIN,
            name: if is_local { i18n.tr("welcome-passphrase-again") } else { i18n.tr("password-again") },
            value: &self.again,
            wrong: self.told_at(Place::Again, i18n),
            is_shown: self.is_shown,
            eye: None,
        };
        let meter = strength::meter(self.strength(), is_said, i18n);
        let password = column![field, meter].spacing(metric::SMALL);
        column![password, again.view(i18n, Message::AgainChanged, Message::Submit)].spacing(metric::PAD).into()
    }

    fn keeping<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let is_keychain = self.keep == Keep::Keychain;
        let title = text(i18n.tr("welcome-opens")).size(metric::CAPTION).font(font::MEDIUM);
        let keychain = self.has_keychain.then(|| {
            let words = Some(i18n.tr("welcome-keychain-words"));
            choice::radio(i18n.tr("welcome-keychain"), words, is_keychain, Some(Message::KeepInKeychain))
        });
        let (name, words) = if self.kind == Kind::Local {
            (i18n.tr("welcome-by-this-passphrase"), i18n.tr("welcome-by-this-passphrase-words"))
        } else {
            (i18n.tr("welcome-by-passphrase"), i18n.tr("welcome-by-passphrase-words"))
        };
        let passphrase = choice::radio(name, Some(words), !is_keychain, Some(Message::KeepByPassphrase));
        let offers_other = !is_keychain && self.kind != Kind::Local;
        let same = offers_other
            .then(|| choice::check(i18n.tr("welcome-same"), self.is_same, Some(Message::Same(!self.is_same))));
        column![title]
            .push(keychain)
            .push(passphrase)
            .push(same)
            .push(self.asks_passphrase().then(|| self.passphrase_fields(i18n)))
            .push(self.told_at(Place::Keeping, i18n).map(form::error))
            .spacing(metric::SMALL)
            .into()
    }

    fn passphrase_fields<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let secret = |id, name, value, place| Secret {
            id,
            name,
            value,
            wrong: self.told_at(place, i18n),
            is_shown: self.is_shown,
            eye: None,
        };
        let first = secret(PASSPHRASE, i18n.tr("welcome-passphrase"), self.passphrase.as_str(), Place::Passphrase);
        let name = i18n.tr("welcome-passphrase-again");
        let again = secret(PASSPHRASE_AGAIN, name, self.passphrase_again.as_str(), Place::PassphraseAgain);
        column![
            first.view(i18n, Message::PassphraseChanged, Message::Submit),
            again.view(i18n, Message::PassphraseAgainChanged, Message::Submit),
        ]
        .spacing(metric::GAP)
        .into()
    }
}

impl Wrong {
    fn sentence(&self, i18n: &I18n) -> String {
        match self {
            Self::Empty => i18n.tr("secret-empty"),
            Self::Handle(HandleError::Length { .. }) => i18n.tr("welcome-handle-length"),
            Self::Handle(HandleError::Character(wrong)) => {
                i18n.tr_with("welcome-handle-character", [("character", wrong.to_string().into())])
            }
            Self::Handle(HandleError::Punctuation) => i18n.tr("welcome-handle-punctuation"),
            Self::Handle(HandleError::Relay) => i18n.tr("welcome-handle-relay"),
            Self::Code => i18n.tr("error-recovery-code"),
            Self::Weak(weak) => strength::missing(*weak, i18n),
            Self::Differs => i18n.tr("secret-differs"),
        }
    }
}
