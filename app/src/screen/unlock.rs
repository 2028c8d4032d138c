//! The profile wants its passphrase.

use iced::widget::{column, operation, text};
use iced::{Alignment, Task};
use zeroize::Zeroizing;

use crate::app::Context;
use crate::backend::{self, Backend, Setup};
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};

const PASSPHRASE: &str = "unlock-passphrase";

/// A profile that is locked.
#[derive(Default)]
pub(crate) struct Unlock {
    passphrase: Zeroizing<String>,
    is_opening: bool,
    wrong: Option<Problem>,
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Unlock").field("is_opening", &self.is_opening).finish_non_exhaustive()
    }
}

/// What happens to it.
#[derive(Clone)]
pub(crate) enum Message {
    /// Something was typed.
    PassphraseChanged(Zeroizing<String>),
    /// Try it.
    Submit,
    /// It was tried.
    Opened(Result<Backend, Problem>),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::PassphraseChanged(_) => "PassphraseChanged(…)",
            Self::Submit => "Submit",
            Self::Opened(_) => "Opened(…)",
        })
    }
}

/// What the window does then.
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Shows the chats.
    SignedIn(Backend),
    /// The profile cannot be opened, although the passphrase may be right: a copy may open by it.
    Failed(Problem, Zeroizing<String>),
}

impl Unlock {
    /// Waits for a passphrase.
    pub(crate) fn new() -> (Self, Task<Message>) {
        (Self::default(), operation::focus(PASSPHRASE))
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message, setup: &Setup) -> Action {
        match message {
            Message::PassphraseChanged(passphrase) => {
                self.passphrase = passphrase;
                self.wrong = None;
                Action::None
            }
            Message::Submit if self.is_opening || self.passphrase.is_empty() => Action::None,
            Message::Submit => {
                self.is_opening = true;
                let opening = backend::unlock(setup.clone(), self.passphrase.clone());
                Action::Run(Task::perform(opening, Message::Opened))
            }
            Message::Opened(Ok(backend)) => Action::SignedIn(backend),
            Message::Opened(Err(problem)) if problem.code == "wrong_passphrase" => {
                self.is_opening = false;
                self.passphrase = Zeroizing::default();
                self.wrong = Some(problem);
                Action::Run(operation::focus(PASSPHRASE))
            }
            Message::Opened(Err(problem)) => Action::Failed(problem, std::mem::take(&mut self.passphrase)),
        }
    }

    /// What is drawn.
    pub(crate) fn view(&self, context: Context<'_>) -> Element<'_, Message> {
        let i18n = context.i18n;
        let field = form::field(PASSPHRASE, i18n.tr("unlock-passphrase"), &self.passphrase)
            .secret(true)
            .wrong(self.wrong.as_ref().map(|problem| problem.sentence(i18n)))
            .view(
                (!self.is_opening).then_some(|text| Message::PassphraseChanged(Zeroizing::new(text))),
                Some(Message::Submit),
            );
        let words = i18n.tr(if self.is_opening { "unlock-opening" } else { "unlock-open" });
        let may = !self.is_opening && !self.passphrase.is_empty();
        let column = column![
            ui::sized_icon(Icon::Lock, metric::ICON_LARGE),
            text(i18n.tr("unlock-title")).size(metric::TITLE).font(font::SEMIBOLD),
            text(i18n.tr("unlock-words")).style(theme::text::muted).center(),
            field,
            form::main_button(words).on_press_maybe(may.then_some(Message::Submit)),
        ]
        .spacing(metric::PAD)
        .max_width(metric::FORM)
        .align_x(Alignment::Center);
        ui::page(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup() -> Setup {
        Setup { profile: "nowhere".into(), options: Default::default(), passphrase_file: None, relay: None }
    }

    #[test]
    fn a_wrong_passphrase_can_be_tried_again_and_a_broken_store_cannot() {
        let (mut unlock, _) = Unlock::new();
        assert!(matches!(unlock.update(Message::Submit, &setup()), Action::None), "nothing was typed");
        let typed = Message::PassphraseChanged(Zeroizing::new("guess".into()));
        let _ = unlock.update(typed, &setup());
        assert!(matches!(unlock.update(Message::Submit, &setup()), Action::Run(_)));
        assert!(matches!(unlock.update(Message::Submit, &setup()), Action::None), "it is being tried");
        let wrong = Problem::new("wrong_passphrase", "wrong");
        assert!(matches!(unlock.update(Message::Opened(Err(wrong)), &setup()), Action::Run(_)));
        assert!(unlock.passphrase.is_empty() && unlock.wrong.is_some());
        let broken = Problem::new("store", "damaged");
        assert!(matches!(unlock.update(Message::Opened(Err(broken)), &setup()), Action::Failed(..)));
    }

    #[test]
    fn a_passphrase_is_never_in_the_log() {
        let typed = Message::PassphraseChanged(Zeroizing::new("hunter2".into()));
        assert!(!format!("{typed:?}").contains("hunter2"));
    }
}
