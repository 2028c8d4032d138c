//! Asks before something is done that cannot be undone.

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
    /// Nothing is lost by a yes.
    is_harmless: bool,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// Do it.
    Yes,
    /// Do not.
    No,
}

const YES: &str = "question-yes";
const NO: &str = "question-no";

impl<Deed> Question<Deed> {
    /// Asks whether `deed` is to be done.
    pub(crate) fn new(title: String, words: String, yes: String, deed: Deed) -> Self {
        Self { title, words, yes, deed, is_harmless: false }
    }

    /// Nothing is lost by a yes.
    pub(crate) fn harmless(self) -> Self {
        Self { is_harmless: true, ..self }
    }

    /// Where the focus begins: at an answer that loses nothing.
    pub(crate) const fn first(&self) -> &'static str {
        if self.is_harmless { YES } else { NO }
    }

    /// What is to be done.
    pub(crate) fn into_deed(self) -> Deed {
        self.deed
    }

    /// What is drawn.
    pub(crate) fn view<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let buttons = deeds(row![
            form::button(i18n.tr("cancel")).id(NO).on_press(Message::No),
            form::button(self.yes.clone())
                .id(YES)
                .style(if self.is_harmless { theme::button::primary } else { theme::button::danger })
                .on_press(Message::Yes),
        ]);
        let content = column![text(&self.words), buttons].spacing(metric::PAD);
        dialogue(self.title.clone(), Message::No, content, i18n)
    }
}
