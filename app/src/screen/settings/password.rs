//! Another password for the account at its relay, and another recovery code.
//!
//! What opens Kith on this device is left alone. A new recovery code stays shown until it is written down, or the settings are left.

use iced::widget::{column, container, operation, row};
use iced::{Subscription, Task};
use kith_core::client::entry::{Handle, RecoveryCode};
use kith_core::client::{Proof, Registration};
use kith_core::wire::control::Me;
use zeroize::Zeroizing;

use super::parts;
use crate::backend;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::recovery::{self, Occasion, Recovery};
use crate::ui::secret::Secret;
use crate::ui::strength::{self, Strength};
use crate::ui::{choice, form};
use crate::widget::reveal::reveal;

pub(super) const PRESENT: &str = "settings-password-present";
pub(super) const NEW: &str = "settings-password-new";
pub(super) const AGAIN: &str = "settings-password-again";

/// More is no password that a person types.
pub(super) const MAX_TEXT: usize = 2048;

/// Where an account is: its relay's addresses and its name there.
#[derive(Debug, Clone)]
pub(crate) struct At {
    /// The addresses, with commas between.
    relay: String,
    /// The name.
    handle: String,
}

impl At {
    /// None for an account without a relay, which has no password.
    pub(super) fn of(me: &Me) -> Option<Self> {
        me.place().map(|(relay, handle)| Self { relay, handle })
    }

    /// What the relay wants to know.
    pub(super) fn with_password(self, password: Zeroizing<String>) -> Registration {
        Registration { relay: self.relay, handle: self.handle, password, invitation: None }
    }
}

/// The part of the settings.
#[derive(Debug, Default)]
pub(super) enum PasswordPart {
    /// Nothing is to change.
    #[default]
    Closed,
    /// It is being filled in.
    Open(Form),
    /// The relay is asked; what was filled in is kept for when it refuses.
    Working(Form, usize),
    /// It has changed, and this is the new code.
    Code(Recovery),
    /// It has changed.
    Changed,
}

/// What is filled in.
#[derive(Default)]
pub(super) struct Form {
    /// The old password, or the recovery code.
    present: Zeroizing<String>,
    is_forgotten: bool,
    new: Zeroizing<String>,
    again: Zeroizing<String>,
    wants_code: bool,
    is_shown: bool,
    was_tried: bool,
    refused: Option<(Place, Problem)>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Form(…)")
    }
}

/// Where something can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Present,
    New,
    Again,
    Form,
}

/// What happens to it.
#[derive(Clone)]
pub(crate) enum Message {
    /// The password is to change.
    Open,
    /// It may stay.
    Cancel,
    /// Something was typed.
    PresentChanged(Zeroizing<String>),
    /// Something was typed.
    NewChanged(Zeroizing<String>),
    /// Something was typed.
    AgainChanged(Zeroizing<String>),
    /// Shows or hides what is secret.
    Look,
    /// The old password is forgotten, or not.
    Forgotten(bool),
    /// A new recovery code is wanted, or not.
    WantsCode(bool),
    /// Now.
    Submit,
    /// It has changed, with a new code if there is one; or not.
    Changed(Result<Option<Zeroizing<String>>, Problem>),
    /// Time has passed.
    Turned,
    /// Of the new code.
    Recovery(recovery::Message),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("password::Message(…)")
    }
}

impl Message {
    /// It holds a code that is shown once and is nowhere else.
    pub(super) fn holds_code(&self) -> bool {
        matches!(self, Self::Changed(Ok(Some(_))))
    }
}

impl PasswordPart {
    pub(super) fn update(&mut self, message: Message, at: Option<At>, i18n: &I18n) -> Task<Message> {
        match (message, &mut *self) {
            (Message::Open, Self::Closed | Self::Changed) => {
                *self = Self::Open(Form::default());
                return focus(PRESENT);
            }
            (Message::Cancel, Self::Open(_)) => *self = Self::Closed,
            (Message::PresentChanged(text), Self::Open(form)) => form.typed(Place::Present, text),
            (Message::NewChanged(text), Self::Open(form)) => form.typed(Place::New, text),
            (Message::AgainChanged(text), Self::Open(form)) => form.typed(Place::Again, text),
            (Message::Look, Self::Open(form)) => form.is_shown = !form.is_shown,
            (Message::Forgotten(is_forgotten), Self::Open(form)) => {
                (form.is_forgotten, form.present, form.refused) = (is_forgotten, Zeroizing::default(), None);
                form.was_tried = false;
                return focus(PRESENT);
            }
            (Message::WantsCode(wants_code), Self::Open(form)) => form.wants_code = wants_code,
            (Message::Submit, Self::Open(form)) => match submit(form, at) {
                Ok(task) => {
                    *self = Self::Working(std::mem::take(form), 0);
                    return task;
                }
                Err(field) => return focus(field),
            },
            (Message::Turned, Self::Working(_, turn)) => *turn = turn.wrapping_add(1),
            (Message::Changed(Ok(Some(code))), _) => *self = Self::Code(Recovery::new(Occasion::Replaced, code)),
            (Message::Changed(Ok(None)), _) => *self = Self::Changed,
            (Message::Changed(Err(problem)), Self::Working(form, _)) => {
                let mut form = std::mem::take(form);
                let field = form.refuse(problem);
                *self = Self::Open(form);
                return field.map_or_else(Task::none, focus);
            }
            (Message::Recovery(message), Self::Code(recovery)) => match recovery.update(message) {
                recovery::Outcome::None => {}
                recovery::Outcome::Copy(code) => return iced::clipboard::write(code.to_string()),
                recovery::Outcome::Save(code) => return recovery::saving(code, i18n).map(Message::Recovery),
                recovery::Outcome::Continue => *self = Self::Changed,
            },
            // Too late, or too early.
            _ => {}
        }
        Task::none()
    }

    /// What is listened to: time, while something goes on.
    pub(super) fn subscription(&self) -> Subscription<Message> {
        match self {
            Self::Working(..) => parts::turns().map(|()| Message::Turned),
            _ => Subscription::none(),
        }
    }

    pub(super) fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let content = match self {
            Self::Closed => closed(i18n.tr("settings-password-words"), i18n),
            Self::Changed => closed(i18n.tr("settings-password-changed"), i18n),
            Self::Open(form) => padded(form.view(i18n)),
            Self::Working(_, turn) => padded(parts::working(*turn, i18n.tr("settings-password-changing"))),
            Self::Code(recovery) => padded(recovery.view(i18n).map(Message::Recovery)),
        };
        parts::group(Some(i18n.tr("welcome-password")), [content])
    }
}

fn closed<'a>(words: String, i18n: &I18n) -> Element<'a, Message> {
    let change = parts::with_icon(Icon::Pencil, i18n.tr("settings-password-change"), Some(Message::Open));
    parts::fact(i18n.tr("settings-password-of"), parts::plain(words), Some(change))
}

fn padded<'a>(content: Element<'a, Message>) -> Element<'a, Message> {
    container(content).padding(metric::GAP).into()
}

fn focus(field: &'static str) -> Task<Message> {
    operation::focus(field).chain(reveal())
}

/// Asks the relay; or names the field that is to be filled in first.
fn submit(form: &mut Form, at: Option<At>) -> Result<Task<Message>, &'static str> {
    (form.was_tried, form.refused) = (true, None);
    if let Some(place) = [Place::Present, Place::New, Place::Again].into_iter().find(|place| form.is_wrong(*place)) {
        return Err(place.field().unwrap_or(PRESENT));
    }
    let registration = at.ok_or(PRESENT)?.with_password(form.new.clone());
    let proof = match form.is_forgotten {
        true => Proof::RecoveryCode(form.present.clone()),
        false => Proof::Password(form.present.clone()),
    };
    let changing = backend::change_password(registration, proof, form.wants_code);
    Ok(Task::perform(changing, Message::Changed))
}

impl Place {
    const fn field(self) -> Option<&'static str> {
        match self {
            Self::Present => Some(PRESENT),
            Self::New => Some(NEW),
            Self::Again => Some(AGAIN),
            Self::Form => None,
        }
    }
}

impl Form {
    fn typed(&mut self, place: Place, text: Zeroizing<String>) {
        if text.len() > MAX_TEXT {
            return;
        }
        if self.refused.as_ref().is_some_and(|(refused, _)| *refused == place || *refused == Place::Form) {
            self.refused = None;
        }
        match place {
            Place::Present => self.present = text,
            Place::New => self.new = text,
            Place::Again => self.again = text,
            Place::Form => {}
        }
    }

    /// The problem stands beside the field that caused it, which gets the focus.
    fn refuse(&mut self, problem: Problem) -> Option<&'static str> {
        let place = match problem.code.as_str() {
            "wrong_password" | "wrong_recovery_code" | "recovery_code" => Place::Present,
            "weak_password" => Place::New,
            _ => Place::Form,
        };
        self.refused = Some((place, problem));
        place.field()
    }

    fn strength(&self) -> Strength {
        strength::of(&self.new, None::<&Handle>)
    }

    fn is_wrong(&self, place: Place) -> bool {
        match place {
            Place::Present if self.is_forgotten => RecoveryCode::parse(&self.present).is_err(),
            Place::Present => self.present.is_empty(),
            Place::New => self.strength().weak.is_some(),
            Place::Again => *self.again != *self.new,
            Place::Form => false,
        }
    }

    /// What is told of it: not while somebody has only begun to type.
    fn told_at(&self, place: Place, i18n: &I18n) -> Option<String> {
        if let Some((_, problem)) = self.refused.as_ref().filter(|(refused, _)| *refused == place) {
            return Some(problem.sentence(i18n));
        }
        if !self.was_tried || !self.is_wrong(place) {
            return None;
        }
        Some(match place {
            Place::Present if self.present.trim().is_empty() => i18n.tr("secret-empty"),
            Place::Present => i18n.tr("error-recovery-code"),
            Place::New => self.strength().sentence(i18n),
            Place::Again | Place::Form => i18n.tr("secret-differs"),
        })
    }

    fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let secret = |id, name, value: &'a Zeroizing<String>, place, eye| Secret {
            id,
            name,
            value: value.as_str(),
            wrong: self.told_at(place, i18n),
            is_shown: self.is_shown,
            eye,
        };
        let name = if self.is_forgotten { i18n.tr("recovery-code") } else { i18n.tr("password-present") };
        let present = secret(PRESENT, name, &self.present, Place::Present, Some(Message::Look));
        let forgotten = Some(Message::Forgotten(!self.is_forgotten));
        let present = column![
            present.view(i18n, Message::PresentChanged, Message::Submit),
            choice::check(i18n.tr("settings-password-forgotten"), self.is_forgotten, forgotten),
        ];
        let new = secret(NEW, i18n.tr("password-new"), &self.new, Place::New, None);
        let meter = strength::meter(self.strength(), new.wrong.is_some(), i18n);
        let new = column![new.view(i18n, Message::NewChanged, Message::Submit), meter];
        let again = secret(AGAIN, i18n.tr("password-again"), &self.again, Place::Again, None);
        // Whoever uses the old code gets a new one in any case.
        let wants = Some(Message::WantsCode(!self.wants_code)).filter(|_| !self.is_forgotten);
        let wants = choice::check(i18n.tr("settings-password-code"), self.wants_code || self.is_forgotten, wants);
        let buttons = row![
            form::button(i18n.tr("settings-password-change")).style(theme::button::primary).on_press(Message::Submit),
            form::button(i18n.tr("cancel")).style(theme::button::quiet).on_press(Message::Cancel),
        ];
        column![
            present.spacing(metric::SMALL),
            new.spacing(metric::SMALL),
            again.view(i18n, Message::AgainChanged, Message::Submit),
            wants,
        ]
        .push(self.told_at(Place::Form, i18n).map(form::error))
        .push(buttons.spacing(metric::SMALL).wrap())
        .spacing(metric::PAD)
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Language;

    fn says(part: &mut PasswordPart, message: Message) {
        let at = At { relay: "/ip4/192.0.2.1/tcp/1".into(), handle: "alice".into() };
        drop(part.update(message, Some(at), &I18n::new(Language::En)));
    }

    fn secret(words: &str) -> Zeroizing<String> {
        Zeroizing::new(words.to_owned())
    }

    fn filled() -> PasswordPart {
        let mut part = PasswordPart::default();
        for message in [
            Message::Open,
            Message::PresentChanged(secret("an old password")),
            Message::NewChanged(secret("correct horse battery")),
            Message::AgainChanged(secret("correct horse battery")),
        ] {
            says(&mut part, message);
        }
        part
    }

    #[test]
    fn the_relay_is_asked_only_when_all_is_filled_in_and_once() {
        for message in [
            Message::PresentChanged(secret("")),
            Message::Forgotten(true),
            Message::NewChanged(secret("short")),
            Message::AgainChanged(secret("correct horse batteries")),
        ] {
            let mut part = filled();
            says(&mut part, message);
            says(&mut part, Message::Submit);
            assert!(matches!(part, PasswordPart::Open(_)));
        }
        let mut part = filled();
        says(&mut part, Message::Submit);
        for message in [Message::Submit, Message::Cancel, Message::Open, Message::NewChanged(secret("x"))] {
            says(&mut part, message);
            assert!(matches!(part, PasswordPart::Working(..)), "it cannot be called off any more");
        }
    }

    #[test]
    fn what_was_typed_is_kept_when_the_relay_refuses_and_is_in_no_log() {
        let mut part = filled();
        assert!(!format!("{part:?}").contains("horse"));
        says(&mut part, Message::Submit);
        says(&mut part, Message::Changed(Err(Problem::new("wrong_password", ""))));
        let PasswordPart::Open(form) = &part else { panic!("{part:?}") };
        assert_eq!((form.new.as_str(), form.refused.as_ref().unwrap().0), ("correct horse battery", Place::Present));
        assert!(!format!("{:?}", Message::PresentChanged(secret("an old password"))).contains("old"));
        says(&mut part, Message::PresentChanged(secret("an older password")));
        let PasswordPart::Open(form) = &part else { panic!("{part:?}") };
        assert!(form.refused.is_none());
    }

    #[test]
    fn a_new_code_is_shown_whatever_was_done_meanwhile() {
        let changed = || Message::Changed(Ok(Some(secret("K7QX-ABCD"))));
        assert!(changed().holds_code() && !Message::Changed(Ok(None)).holds_code());
        let mut part = PasswordPart::default();
        says(&mut part, changed());
        says(&mut part, Message::Recovery(recovery::Message::Continue));
        assert!(matches!(part, PasswordPart::Code(_)), "it is not written down yet");
        says(&mut part, Message::Recovery(recovery::Message::Written(true)));
        says(&mut part, Message::Recovery(recovery::Message::Continue));
        assert!(matches!(part, PasswordPart::Changed));
    }
}
