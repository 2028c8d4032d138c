//! What lies above everything for a moment, and how such a thing is framed.

pub(crate) mod add;
pub(crate) mod group;
pub(crate) mod help;
pub(crate) mod question;
pub(crate) mod review;
pub(crate) mod switcher;

use iced::widget::{Row, column, container, row, text};
use iced::{Alignment, Length, padding};

use crate::i18n::I18n;
use crate::theme::{self, Element, Icon, Theme, font, metric};
use crate::ui::{self, form};

/// A dialogue: its name, a way out, and what is in it.
pub(crate) fn dialogue<'a, Message: Clone + 'a>(
    title: String,
    close: Message,
    content: impl Into<Element<'a, Message>>,
    i18n: &I18n,
) -> Element<'a, Message> {
    let head = row![
        text(title).size(metric::HEADING).font(font::SEMIBOLD).width(Length::Fill),
        form::icon_button(Icon::X, i18n.tr("close"), Some(close)),
    ]
    .align_y(Alignment::Center);
    // What is taller than the window can be scrolled; the bar stands in the margin, so that it covers nothing.
    let margin = padding::right(metric::PAD);
    let content = ui::scroll(container(content).width(Length::Fill).padding(margin)).width(Length::Fill);
    container(column![container(head).padding(margin), content].spacing(metric::PAD))
        .padding(padding::all(metric::PAD + metric::TIGHT).right(metric::TIGHT))
        .width(metric::DIALOGUE)
        .style(theme::container::raised)
        .into()
}

/// What can be done in a dialogue, at its right end; where they have no room beside each other, one stands above the other.
pub(crate) fn deeds<'a, Message: 'a>(buttons: Row<'a, Message, Theme>) -> Element<'a, Message> {
    container(buttons.spacing(metric::SMALL).wrap().align_x(Alignment::End)).align_right(Length::Fill).into()
}
