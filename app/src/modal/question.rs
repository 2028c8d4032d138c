//! Asks before something is lost.

use iced::widget::{column, row, text};

use super::{deeds, dialogue};
use crate::i18n::I18n;
use crate::theme::{self, Element, metric};
use crate::ui::form;

/// What is asked, and what is done if the answer is yes.
#[derive(Debug, Clone)]
pub(crate) struct Question<Deed> {
    title: String,
    words: String,
    yes: String,
    deed: Deed,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// Do it.
    Yes,
    /// Do not.
    No,
}

/// Where the focus begins: at the answer that loses nothing.
pub(crate) const NO: &str = "question-no";

impl<Deed> Question<Deed> {
    /// Asks whether `deed` is to be done.
    pub(crate) fn new(title: String, words: String, yes: String, deed: Deed) -> Self {
        Self { title, words, yes, deed }
    }

    /// What is to be done.
    pub(crate) fn into_deed(self) -> Deed {
        self.deed
    }

    /// What is drawn.
    pub(crate) fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let buttons = deeds(row![
            form::button(i18n.tr("cancel")).id(NO).on_press(Message::No),
            form::button(self.yes.clone()).style(theme::button::danger).on_press(Message::Yes),
        ]);
        let content = column![text(&self.words), buttons].spacing(metric::PAD);
        dialogue(self.title.clone(), Message::No, content, i18n)
    }
}
