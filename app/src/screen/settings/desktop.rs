//! Whether Kith is among the programs of the desktop, and opens its links.

use iced::Task;

use super::parts;
use crate::app::Context;
use crate::platform::desktop::Desktop;
use crate::problem::Problem;
use crate::theme::Element;
use crate::ui::{choice, form};

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct DesktopSection {
    is_there: Option<bool>,
    problem: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// It is known.
    Known(Result<bool, Problem>),
    /// It shall be among them, or not.
    Want(bool),
}

impl DesktopSection {
    pub(super) fn load() -> Task<Message> {
        Task::perform(on(|desktop| Ok(desktop.has_kith())), Message::Known)
    }

    pub(super) fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Known(Ok(is_there)) => {
                (self.is_there, self.problem) = (Some(is_there), None);
                Task::none()
            }
            Message::Known(Err(problem)) => {
                self.problem = Some(problem);
                Task::none()
            }
            Message::Want(true) => {
                let install = |desktop: Desktop| {
                    desktop.install(&std::env::current_exe()?)?;
                    Ok(true)
                };
                Task::perform(on(install), Message::Known)
            }
            Message::Want(false) => {
                let remove = |desktop: Desktop| {
                    desktop.remove()?;
                    Ok(false)
                };
                Task::perform(on(remove), Message::Known)
            }
        }
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let is_there = self.is_there.unwrap_or_default();
        let switch = choice::switch(
            i18n.tr("settings-desktop"),
            Some(i18n.tr("settings-desktop-words")),
            is_there,
            self.is_there.map(|is_there| Message::Want(!is_there)),
        );
        let problem = self.problem.as_ref().map(|problem| form::error(problem.sentence(i18n)));
        parts::group(None, [switch].into_iter().chain(problem))
    }
}

/// Files are not touched where the window is drawn.
async fn on(act: impl FnOnce(Desktop) -> std::io::Result<bool> + Send + 'static) -> Result<bool, Problem> {
    let acted = tokio::task::spawn_blocking(move || act(Desktop::of_user()?)).await;
    Ok(acted.map_err(|error| Problem::new("disk", error.to_string()))??)
}
