//! The profile cannot be opened: says why, and what can be done.

use iced::widget::{column, row, text};
use iced::{Alignment, Task};
use zeroize::Zeroizing;

use crate::app::Context;
use crate::backend::{self, Backend, Setup};
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};

/// What was typed to open the profile.
struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Passphrase(…)")
    }
}

/// Why the profile is not open.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Problem,
    passphrase: Option<Passphrase>,
    is_busy: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Once more.
    Retry,
    /// The newest good copy into the place of a damaged store.
    Restore,
    /// It was tried.
    Restored(Result<Backend, Problem>),
    /// The end.
    Quit,
}

/// What the window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Looks for the profile once more.
    Retry,
    /// Shows the chats.
    SignedIn(Backend),
    /// Ends.
    Quit,
}

impl Failure {
    /// This is in the way.
    pub(crate) fn new(problem: Problem) -> Self {
        Self { problem, passphrase: None, is_busy: false }
    }

    /// With the passphrase that opens a copy, if one was typed.
    pub(crate) fn with_passphrase(self, passphrase: Zeroizing<String>) -> Self {
        Self { passphrase: Some(Passphrase(passphrase)), ..self }
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message, setup: &Setup) -> Action {
        match message {
            Message::Retry => Action::Retry,
            Message::Restore => {
                self.is_busy = true;
                let passphrase = self.passphrase.as_ref().map(|passphrase| passphrase.0.clone());
                Action::Run(Task::perform(backend::restore(setup.clone(), passphrase), Message::Restored))
            }
            Message::Restored(Ok(backend)) => Action::SignedIn(backend),
            Message::Restored(Err(problem)) => {
                self.is_busy = false;
                self.problem = problem;
                Action::None
            }
            Message::Quit => Action::Quit,
        }
    }

    /// What is drawn.
    pub(crate) fn view(&self, context: Context<'_>) -> Element<'_, Message> {
        let i18n = context.i18n;
        let may = |message| (!self.is_busy).then_some(message);
        let restore = (self.problem.code == "store").then(|| {
            form::button(i18n.tr("failure-restore"))
                .on_press_maybe(may(Message::Restore))
                .style(theme::button::secondary)
        });
        let buttons = row![
            form::button(i18n.tr("failure-retry")).on_press_maybe(may(Message::Retry)).style(theme::button::primary)
        ]
        .push(restore)
        .push(form::button(i18n.tr("quit")).on_press_maybe(may(Message::Quit)).style(theme::button::secondary))
        .spacing(metric::SMALL)
        .wrap()
        .align_x(Alignment::Center);
        let column = column![
            ui::sized_icon(Icon::TriangleAlert, metric::ICON_LARGE),
            text(i18n.tr("failure-title")).size(metric::TITLE).font(font::SEMIBOLD).center(),
            text(self.problem.sentence(i18n)).center(),
            text(context.setup.profile.display().to_string()).font(font::MONO).size(metric::CAPTION).center(),
            buttons,
        ]
        .spacing(metric::PAD)
        .max_width(metric::DIALOGUE)
        .align_x(Alignment::Center);
        ui::page(column)
    }
}
