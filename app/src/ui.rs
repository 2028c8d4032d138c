//! Components that know Kith's words.

pub(crate) mod avatar;
pub(crate) mod choice;
pub(crate) mod emoji;
pub(crate) mod form;
pub(crate) mod language;
pub(crate) mod picture;
pub(crate) mod recovery;
pub(crate) mod rich;
pub(crate) mod secret;
pub(crate) mod strength;
pub(crate) mod tick;

use std::time::Duration;

use iced::widget::scrollable::{Direction, Scrollable, Scrollbar};
use iced::widget::{column, container, progress_bar, row, text, tooltip};
use iced::{Alignment, Length};

use crate::i18n::I18n;
use crate::theme::{self, Element, Icon, Theme, font, metric};

/// An icon in running text.
pub(crate) fn icon<'a, Message: 'a>(icon: Icon) -> Element<'a, Message> {
    sized_icon(icon, metric::ICON)
}

/// An icon of any size.
pub(crate) fn sized_icon<'a, Message: 'a>(icon: Icon, size: f32) -> Element<'a, Message> {
    text(icon.glyph()).font(font::ICONS).size(size).line_height(1.0).into()
}

/// What stands where nothing is yet: an icon, what this is, and what can be done.
pub(crate) fn empty<'a, Message: 'a>(
    symbol: Icon,
    title: String,
    words: String,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let symbol = text(symbol.glyph()).font(font::ICONS).size(metric::ICON_LARGE).style(theme::text::muted);
    let lines = column![
        symbol,
        text(title).size(metric::HEADING).font(font::SEMIBOLD).center(),
        text(words).size(metric::BODY).style(theme::text::muted).center(),
    ]
    .push(action)
    .spacing(metric::GAP)
    .max_width(metric::FORM)
    .align_x(Alignment::Center);
    container(lines).center(Length::Fill).padding(metric::WIDE).into()
}

/// What is seen before anything is known.
pub(crate) fn starting<'a, Message: 'a>(i18n: &I18n) -> Element<'a, Message> {
    let words = text(i18n.tr("starting")).style(theme::text::muted);
    container(words).center(Length::Fill).style(theme::container::background).into()
}

/// A few things in the middle of the window, which are scrolled where it is too small for them.
pub(crate) fn page<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    let content = container(content).center_x(Length::Fill).padding(metric::WIDE);
    container(scroll(content)).center(Length::Fill).style(theme::container::background).into()
}

/// What is longer than its room, with a thin bar.
pub(crate) fn scroll<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Scrollable<'a, Message, Theme> {
    let bar = Scrollbar::new().width(metric::BAR_WIDTH).scroller_width(metric::BAR_WIDTH);
    Scrollable::with_direction(content, Direction::Vertical(bar))
}

/// A line of words of less weight.
pub(crate) fn caption<'a, Message: 'a>(words: impl Into<String>) -> Element<'a, Message> {
    text(words.into()).size(metric::CAPTION).style(theme::text::muted).into()
}

/// A place that is empty for now.
pub(crate) fn nothing<'a, Message: 'a>() -> Element<'a, Message> {
    row![].into()
}

/// How loud it is, 0 to 1: a bar that covers 60 dB, since loudness is heard by ratios.
pub(crate) fn level<'a, Message: 'a>(level: f32, width: impl Into<Length>) -> Element<'a, Message> {
    let loud = ((level.max(1e-6).log10() * 20.0 + 60.0) / 60.0).clamp(0.0, 1.0);
    progress(loud, width)
}

/// How long something lasts, or where in it one is.
pub(crate) fn clock<'a, Message: 'a>(time: Duration) -> Element<'a, Message> {
    let words = crate::format::duration(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
    text(words).font(font::MEDIUM).wrapping(text::Wrapping::None).into()
}

/// How much of something is done, 0 to 1.
pub(crate) fn progress<'a, Message: 'a>(done: f32, width: impl Into<Length>) -> Element<'a, Message> {
    progress_bar(0.0..=1.0, done).length(width).girth(metric::TIGHT).into()
}

/// A heading of a panel.
pub(crate) fn heading<'a, Message: 'a>(words: impl Into<String>) -> Element<'a, Message> {
    text(words.into()).size(metric::HEADING).font(font::SEMIBOLD).into()
}

/// Something with words to it for whoever points at it.
pub(crate) fn with_tooltip<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    words: String,
    position: tooltip::Position,
) -> Element<'a, Message> {
    let words =
        container(text(words).size(metric::CAPTION)).padding([metric::TIGHT, metric::SMALL]).max_width(metric::TIP);
    tooltip(content, words.style(theme::container::tooltip), position)
        .gap(metric::TIGHT)
        .delay(Duration::from_millis(400))
        .into()
}
