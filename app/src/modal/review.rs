//! Looks at a contact request: who asks, what they say, and what can be answered.

use iced::widget::{column, container, row, text};
use iced::{Alignment, Length};
use kith_core::wire::control::ContactRequest;

use super::{deeds, dialogue};
use crate::app::Context;
use crate::format::one_line;
use crate::theme::{self, Element, font, metric};
use crate::ui::{self, avatar, form};
use crate::widget::line::line;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    /// Yes: they become a contact.
    Accept,
    /// No, without a word.
    Decline,
    /// No, and never again.
    Block,
    /// Later.
    Close,
}

/// What is drawn.
pub(crate) fn view<'a>(request: &'a ContactRequest, is_busy: bool, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let name = request.handle.as_deref().unwrap_or(&request.account);
    let round = avatar::avatar(name, &request.account, None, metric::AVATAR);
    let who = column![
        line(one_line(name, 80)).size(metric::HEADING).font(font::SEMIBOLD),
        ui::caption(i18n.tr("request-unverified")),
    ];
    let head = row![round, who.width(Length::Fill)].spacing(metric::GAP).align_y(Alignment::Center);
    let said: Element<'a, Message> = if request.remembered {
        ui::caption(i18n.tr("request-remembered"))
    } else if request.text.trim().is_empty() {
        ui::caption(i18n.tr("request-silent"))
    } else {
        let words = text(one_line(&request.text, 1200));
        container(words).padding(metric::GAP).width(Length::Fill).style(theme::container::card).into()
    };
    // One word without an end, which is longer than the dialogue is wide.
    let number = text(&request.account).size(metric::TINY).font(font::MONO).wrapping(text::Wrapping::WordOrGlyph);
    let id = column![ui::caption(i18n.tr("account-id")), number];
    let may = |message| (!is_busy).then_some(message);
    let buttons = row![
        form::button(i18n.tr("block")).style(theme::button::against).on_press_maybe(may(Message::Block)),
        deeds(row![
            form::button(i18n.tr("decline")).on_press_maybe(may(Message::Decline)),
            form::button(i18n.tr("accept")).style(theme::button::primary).on_press_maybe(may(Message::Accept)),
        ]),
    ]
    .spacing(metric::SMALL);
    let content = column![head, said, ui::caption(i18n.tr("request-words")), id, buttons].spacing(metric::PAD);
    dialogue(i18n.tr("request-title"), Message::Close, content, i18n)
}
