//! What sections are made of.

use std::time::Duration;

use iced::widget::{Column, column, container, row, space, text};
use iced::{Alignment, Length, Subscription};

use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, choice, form};
use crate::widget::press::{Press, press};

/// Between two dots of what shows that something goes on.
const TURN: Duration = Duration::from_millis(400);

/// A group of rows on a card, with a name above it.
pub(super) fn group<'a, Message: 'a>(
    name: Option<String>,
    rows: impl IntoIterator<Item = Element<'a, Message>>,
) -> Element<'a, Message> {
    let mut card = Column::new();
    for (place, row) in rows.into_iter().enumerate() {
        let line =
            (place > 0).then(|| container(space().height(1.0)).width(Length::Fill).style(theme::container::line));
        card = card.push(line.map(|line| container(line).padding([0.0, metric::GAP]))).push(row);
    }
    let name = name.map(|name| {
        let name = text(name).size(metric::CAPTION).font(font::SEMIBOLD).style(theme::text::muted);
        container(name).padding([0.0, metric::GAP])
    });
    let card = container(card.spacing(metric::TIGHT)).padding(metric::TIGHT).width(Length::Fill);
    column![].push(name).push(card.style(theme::container::card)).spacing(metric::SMALL).into()
}

/// Cards of which one is chosen, with a name above them.
pub(super) fn named<'a, Message: 'a>(name: String, content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    let name = text(name).size(metric::CAPTION).font(font::SEMIBOLD).style(theme::text::muted);
    column![container(name).padding([0.0, metric::GAP]), content.into()].spacing(metric::SMALL).into()
}

/// A word to be noticed beside a name.
pub(super) fn tag<'a, Message: 'a>(words: String) -> Element<'a, Message> {
    let words = text(words).size(metric::TINY).font(font::MEDIUM).wrapping(text::Wrapping::None);
    container(words).padding([metric::TIGHT / 2.0, metric::SMALL]).style(theme::choice::tag).into()
}

/// Groups below each other.
pub(super) fn groups<'a, Message: 'a>(groups: impl IntoIterator<Item = Element<'a, Message>>) -> Element<'a, Message> {
    Column::with_children(groups).spacing(metric::WIDE).width(Length::Fill).into()
}

/// Something that is known, with what it is called above it, and what can be done with it beside it.
pub(super) fn fact<'a, Message: 'a>(
    name: String,
    value: Element<'a, Message>,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let words = column![ui::caption(name), value].spacing(metric::TIGHT / 2.0).width(Length::Fill);
    row![words]
        .push(action)
        .spacing(metric::GAP)
        .padding([metric::SMALL, metric::GAP])
        .align_y(Alignment::Center)
        .into()
}

/// Words as they are said.
pub(super) fn plain<'a, Message: 'a>(words: String) -> Element<'a, Message> {
    text(words).size(metric::BODY).into()
}

/// Words to be read letter by letter.
pub(super) fn letters<'a, Message: 'a>(words: String) -> Element<'a, Message> {
    text(words).size(metric::CAPTION).font(font::MONO).wrapping(text::Wrapping::WordOrGlyph).into()
}

/// Words inside a card.
pub(super) fn note<'a, Message: 'a>(words: String) -> Element<'a, Message> {
    container(ui::caption(words)).padding([metric::SMALL, metric::GAP]).into()
}

/// Whether what was typed has at most so many characters.
pub(super) fn fits(text: &str, most: usize) -> bool {
    text.trim().chars().count() <= most
}

/// How many characters are too many, if any are.
pub(super) fn too_long(text: &str, most: usize, i18n: &I18n) -> Option<String> {
    let over = text.trim().chars().count().saturating_sub(most);
    (over > 0).then(|| i18n.count("settings-too-long", u64::try_from(over).unwrap_or(u64::MAX)))
}

/// Copies; says so once it was done.
pub(super) fn copy<'a, Message: Clone + 'a>(i18n: &I18n, is_copied: bool, message: Message) -> Element<'a, Message> {
    let words = if is_copied { i18n.tr("copied") } else { i18n.tr("copy") };
    with_icon(if is_copied { Icon::Check } else { Icon::Copy }, words, Some(message))
}

/// A button with an icon before its words.
pub(super) fn with_icon<'a, Message: Clone + 'a>(
    icon: Icon,
    words: String,
    message: Option<Message>,
) -> Element<'a, Message> {
    icon_and_words(icon, words, message).into()
}

/// The same, before it is one of many elements.
pub(super) fn icon_and_words<'a, Message: Clone + 'a>(
    icon: Icon,
    words: String,
    message: Option<Message>,
) -> Press<'a, Message> {
    let words = text(words).size(metric::CAPTION).font(font::MEDIUM).wrapping(text::Wrapping::None);
    press(row![ui::sized_icon(icon, metric::BODY), words].spacing(metric::SMALL).align_y(Alignment::Center))
        .padding([metric::TIGHT + 2.0, metric::GAP])
        .style(theme::button::secondary)
        .on_press_maybe(message)
}

/// Something goes on, and these words say what.
pub(super) fn working<'a, Message: 'a>(turn: usize, words: String) -> Element<'a, Message> {
    let words = text(words).size(metric::BODY).width(Length::Fill);
    row![choice::going_on(turn), words].spacing(metric::GAP).align_y(Alignment::Center).into()
}

/// Whenever the next dot has its turn.
pub(super) fn turns() -> Subscription<()> {
    iced::time::every(TURN).map(|_| ())
}

/// What was asked for: it is on its way, it is there, or it did not come.
#[derive(Debug)]
pub(super) enum Wanted<T> {
    Coming,
    Here(T),
    Failed(Problem),
}

impl<T> Wanted<T> {
    /// It came, or not. What is shown stays when it cannot be had anew.
    pub(super) fn take(&mut self, result: Result<T, Problem>) {
        match (result, &*self) {
            (Ok(value), _) => *self = Self::Here(value),
            (Err(_), Self::Here(_)) => {}
            (Err(problem), _) => *self = Self::Failed(problem),
        }
    }

    /// What is drawn.
    pub(super) fn view<'a, Message: Clone + 'a>(
        &'a self,
        i18n: &I18n,
        again: Message,
        view: impl FnOnce(&'a T) -> Element<'a, Message>,
    ) -> Element<'a, Message> {
        match self {
            Self::Coming => container(ui::caption(i18n.tr("settings-coming"))).padding(metric::GAP).into(),
            Self::Here(value) => view(value),
            Self::Failed(problem) => column![
                form::error(problem.sentence(i18n)),
                with_icon(Icon::RefreshCw, i18n.tr("settings-again"), Some(again)),
            ]
            .spacing(metric::GAP)
            .padding(metric::GAP)
            .into(),
        }
    }
}
