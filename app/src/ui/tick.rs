//! How far one's own message has come, as a small sign with words to it.

use iced::widget::text;
use kith_core::wire::control::Message as Shown;

use crate::i18n::I18n;
use crate::said;
use crate::theme::{self, Element, Icon, Theme, font, metric};

/// The sign of a state; none for others' messages.
pub(crate) fn icon_of(message: &Shown) -> Option<Icon> {
    if message.problem.is_some() {
        return Some(Icon::CircleAlert);
    }
    match message.state.as_deref()? {
        "queued" => Some(Icon::Clock),
        "sent" => Some(Icon::Check),
        "delivered" | "read" => Some(Icon::CheckCheck),
        _ => None,
    }
}

/// The sign, as it is drawn.
pub(crate) fn tick<'a, Message: 'a>(message: &Shown) -> Option<Element<'a, Message>> {
    let style: fn(&Theme) -> text::Style = match (message.problem.is_some(), message.state.as_deref()) {
        (true, _) => theme::text::danger,
        (false, Some("read")) => theme::text::accent,
        _ => theme::text::mine_muted,
    };
    let icon = icon_of(message)?;
    Some(text(icon.glyph()).font(font::ICONS).size(metric::CAPTION).line_height(1.0).style(style).into())
}

/// What the sign means.
pub(crate) fn words(message: &Shown, i18n: &I18n) -> String {
    if let Some(problem) = &message.problem {
        return said::alone(problem, i18n);
    }
    if message.heard_by.is_some_and(|heard_by| heard_by > 0) {
        return i18n.tr("state-played");
    }
    match (message.state.as_deref(), message.route.as_deref()) {
        (Some("queued"), _) => i18n.tr("state-queued"),
        (Some("sent"), Some("mailbox")) => i18n.tr("state-sent-mailbox"),
        (Some("sent"), _) => i18n.tr("state-sent"),
        (Some("delivered"), _) => i18n.tr("state-delivered"),
        (Some("read"), _) => i18n.tr("state-read"),
        _ => String::new(),
    }
}
