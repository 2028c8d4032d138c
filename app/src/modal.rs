//! What lies above everything for a moment, and how such a thing is framed.

pub(crate) mod add;
pub(crate) mod group;
pub(crate) mod help;
pub(crate) mod question;
pub(crate) mod review;
pub(crate) mod switcher;

use iced::widget::{column, container, row, text};
use iced::{Alignment, Length};

use crate::i18n::I18n;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::form;

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
    container(column![head, content.into()].spacing(metric::PAD))
        .padding(metric::PAD + metric::TIGHT)
        .width(metric::DIALOGUE)
        .style(theme::container::raised)
        .into()
}
