//! Taking everything along, and leaving nothing behind.

use std::path::PathBuf;

use iced::Task;
use iced::widget::{column, operation, row, text};
use jiff::Timestamp;
use kith_core::wire::control::Me;

use super::parts;
use crate::app::Context;
use crate::backend::Backend;
use crate::i18n::I18n;
use crate::platform::dialogue::Dialogue;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::form;
use crate::widget::reveal::reveal;

const CONFIRM: &str = "settings-erase-confirm";

/// Letters of an account's id that have to be typed when it has no handle.
const LETTERS: usize = 8;

/// More is not taken from the keyboard or the clipboard.
const MAX_TYPED: usize = 256;

/// Export and erasure.
#[derive(Debug)]
pub(super) struct DataSection {
    backend: Backend,
    is_exporting: bool,
    exported: Option<Result<(u64, PathBuf), Problem>>,
    /// What has to be typed, and what was.
    erasing: Option<Erasing>,
    wrong: Option<Problem>,
}

#[derive(Debug)]
struct Erasing {
    word: String,
    typed: String,
    is_under_way: bool,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Into a folder.
    Export,
    /// It is there, or not; none if nobody named a folder.
    Exported(Option<Result<(u64, PathBuf), Problem>>),
    /// Everything is to go.
    Erase,
    /// Whose it is.
    MeCame(Result<Me, Problem>),
    /// Something was typed.
    ConfirmChanged(String),
    /// It may stay.
    Cancel,
    /// Now.
    EraseNow,
    /// It is gone, or not.
    Erased(Result<(), Problem>),
}

/// What comes of it.
pub(super) enum Outcome {
    /// Carries this out.
    Run(Task<Message>),
    /// The profile is gone.
    Erased,
}

impl DataSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, is_exporting: false, exported: None, erasing: None, wrong: None }
    }

    pub(super) fn update(&mut self, message: Message, context: Context<'_>) -> Outcome {
        let task = match message {
            Message::Export if self.is_exporting => Task::none(),
            Message::Export => {
                (self.is_exporting, self.exported) = (true, None);
                let title = context.i18n.tr("settings-export");
                Task::perform(export(self.backend.clone(), title, context.now_ms), Message::Exported)
            }
            Message::Exported(exported) => {
                (self.is_exporting, self.exported) = (false, exported);
                Task::none()
            }
            Message::Erase => {
                self.wrong = None;
                Task::perform(self.backend.clone().me(), Message::MeCame)
            }
            Message::MeCame(Ok(me)) => {
                self.erasing = Some(Erasing { word: word(&me), typed: String::new(), is_under_way: false });
                operation::focus(CONFIRM).chain(reveal())
            }
            Message::MeCame(Err(problem)) => {
                self.wrong = Some(problem);
                Task::none()
            }
            Message::ConfirmChanged(typed) => {
                if let Some(erasing) = self.erasing.as_mut().filter(|_| typed.len() <= MAX_TYPED) {
                    erasing.typed = typed;
                }
                Task::none()
            }
            Message::Cancel => {
                self.erasing = None;
                Task::none()
            }
            Message::EraseNow => self.erase_now(),
            Message::Erased(Ok(())) => return Outcome::Erased,
            Message::Erased(Err(problem)) => {
                self.wrong = Some(problem);
                if let Some(erasing) = &mut self.erasing {
                    erasing.is_under_way = false;
                }
                Task::none()
            }
        };
        Outcome::Run(task)
    }

    fn erase_now(&mut self) -> Task<Message> {
        let Some(erasing) = self.erasing.as_mut().filter(|erasing| erasing.is_confirmed()) else {
            return Task::none();
        };
        erasing.is_under_way = true;
        self.wrong = None;
        Task::perform(self.backend.clone().erase(), Message::Erased)
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        parts::groups([
            parts::group(Some(i18n.tr("settings-export")), [self.export(i18n)]),
            parts::group(Some(i18n.tr("settings-erase")), [self.erase(i18n)]),
        ])
    }

    fn export<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let words = if self.is_exporting { i18n.tr("settings-exporting") } else { i18n.tr("settings-export-start") };
        let button = parts::with_icon(Icon::Download, words, (!self.is_exporting).then_some(Message::Export));
        let exported = self.exported.as_ref().map(|exported| match exported {
            Ok((messages, path)) => {
                let values = [("messages", (*messages).into()), ("path", path.display().to_string().into())];
                parts::plain(i18n.tr_with("settings-exported", values))
            }
            Err(problem) => form::error(problem.sentence(i18n)),
        });
        column![text(i18n.tr("settings-export-words")).size(metric::BODY), button]
            .push(exported)
            .spacing(metric::GAP)
            .padding(metric::GAP)
            .into()
    }

    fn erase<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let words = text(i18n.tr("settings-erase-words")).size(metric::BODY);
        let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
        let rest: Element<'a, Message> = match &self.erasing {
            None => row![parts::with_icon(Icon::Trash2, i18n.tr("settings-erase-start"), Some(Message::Erase))].into(),
            Some(erasing) => erasing.view(i18n),
        };
        column![words].push(rest).push(wrong).spacing(metric::GAP).padding(metric::GAP).into()
    }
}

impl Erasing {
    fn is_confirmed(&self) -> bool {
        !self.is_under_way && self.typed.trim() == self.word
    }

    fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let name = i18n.tr_with("settings-erase-confirm", [("word", self.word.clone().into())]);
        let may = |message| (!self.is_under_way).then_some(message);
        let input = (!self.is_under_way).then_some(Message::ConfirmChanged);
        let field = form::field(CONFIRM, name, &self.typed).view(input, may(Message::EraseNow));
        let words = if self.is_under_way { i18n.tr("settings-erasing") } else { i18n.tr("settings-erase-now") };
        let now = form::button(words)
            .style(theme::button::danger)
            .on_press_maybe(self.is_confirmed().then_some(Message::EraseNow));
        let cancel =
            form::button(i18n.tr("cancel")).style(theme::button::secondary).on_press_maybe(may(Message::Cancel));
        column![field, row![now, cancel].spacing(metric::SMALL)].spacing(metric::GAP).into()
    }
}

/// The name of the account, which nobody types by mistake.
fn word(me: &Me) -> String {
    match &me.handle {
        Some(handle) => handle.split('@').next().unwrap_or(handle).to_owned(),
        None => me.account.chars().take(LETTERS).collect(),
    }
}

/// Asks which folder, and writes into a new one in it.
async fn export(backend: Backend, title: String, now_ms: u64) -> Option<Result<(u64, PathBuf), Problem>> {
    let to = match Dialogue::new().titled(title).folder().await? {
        Ok(folder) => folder.join(folder_name(now_ms)),
        Err(problem) => return Some(Err(problem)),
    };
    Some(backend.export(to.clone()).await.map(|messages| (messages, to)))
}

/// A name that no earlier export has.
fn folder_name(now_ms: u64) -> String {
    let now = i64::try_from(now_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or_default();
    format!("kith-{}", now.strftime("%Y-%m-%d-%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_export_has_a_folder_of_its_own() {
        assert_eq!(folder_name(1_764_072_000_000), "kith-2025-11-25-120000");
        assert_eq!(folder_name(u64::MAX), folder_name(0));
    }
}
