//! All keys.

use iced::widget::{Column, container, row, text};
use iced::{Alignment, Length};

use super::dialogue;
use crate::i18n::I18n;
use crate::keys::SHORTCUTS;
use crate::theme::{self, Element, font, metric};

/// The list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Close;

/// What is drawn.
pub(crate) fn view<'a>(i18n: &I18n) -> Element<'a, Close> {
    let rows = SHORTCUTS.iter().map(|(keys, does)| {
        let keys = container(text(*keys).size(metric::CAPTION).font(font::MONO))
            .padding([metric::TIGHT / 2.0, metric::SMALL])
            .style(theme::container::card);
        row![text(i18n.tr(does)).width(Length::Fill), keys].spacing(metric::GAP).align_y(Alignment::Center).into()
    });
    dialogue(i18n.tr("help-title"), Close, Column::with_children(rows).spacing(metric::SMALL), i18n)
}
