//! What belongs to the window: notifications, appearance, language; and what this program is.

use iced::Alignment;
use iced::widget::{column, container, row, slider, text};

use super::{Message, parts};
use crate::app::Context;
use crate::i18n::{I18n, Language};
use crate::settings::{Change, Drawing, TEXT_PERCENT};
use crate::theme::{Element, Icon, Variant, font, metric};
use crate::ui::{choice, form};

/// What a step of the size of text is, in percent.
const STEP: u16 = 10;

/// What is told by the system.
pub(super) fn notifications<'a>(context: Context<'_>) -> Element<'a, Message> {
    let (i18n, settings) = (context.i18n, context.settings);
    let is_told = settings.notifications;
    let told = [
        choice::switch(
            i18n.tr("settings-notify"),
            Some(i18n.tr("settings-notify-words")),
            is_told,
            Some(Message::Set(Change::Notifications(!is_told))),
        ),
        choice::switch(
            i18n.tr("settings-notify-text"),
            Some(i18n.tr("settings-notify-text-words")),
            is_told && settings.notification_text,
            is_told.then_some(Message::Set(Change::NotificationText(!settings.notification_text))),
        ),
        choice::switch(
            i18n.tr("settings-sounds"),
            Some(i18n.tr("settings-sounds-words")),
            settings.sounds,
            Some(Message::Set(Change::Sounds(!settings.sounds))),
        ),
    ];
    let stays = choice::switch(
        i18n.tr("settings-tray"),
        Some(i18n.tr("settings-tray-words")),
        settings.close_to_tray,
        Some(Message::Set(Change::CloseToTray(!settings.close_to_tray))),
    );
    parts::groups([parts::group(None, told), parts::group(None, [stays])])
}

/// Colours and sizes; `percent` while it is being dragged.
pub(super) fn appearance<'a>(context: Context<'_>, percent: Option<u16>) -> Element<'a, Message> {
    let (i18n, settings) = (context.i18n, context.settings);
    let theme = |name: String, variant: Option<Variant>| {
        let message = Message::Set(Change::Appearance(variant));
        choice::radio(name, None, settings.appearance == variant, Some(message))
    };
    let colours = column![
        theme(i18n.tr("settings-theme-system"), None),
        theme(i18n.tr("settings-theme-light"), Some(Variant::Light)),
        theme(i18n.tr("settings-theme-dark"), Some(Variant::Dark)),
        theme(i18n.tr("settings-theme-contrast"), Some(Variant::HighContrast)),
    ];
    let renderer = |name: String, words: String, drawing: Drawing| {
        let message = Message::Set(Change::Renderer(drawing));
        choice::radio(name, Some(words), settings.renderer == drawing, Some(message))
    };
    let drawn = column![
        renderer(i18n.tr("settings-processor"), i18n.tr("settings-processor-words"), Drawing::Processor),
        renderer(i18n.tr("settings-graphics"), i18n.tr("settings-graphics-words"), Drawing::Graphics),
    ];
    let send = choice::switch(
        i18n.tr("settings-enter"),
        Some(i18n.tr("settings-enter-words")),
        settings.enter_sends,
        Some(Message::Set(Change::EnterSends(!settings.enter_sends))),
    );
    parts::groups([
        parts::named(i18n.tr("settings-theme"), colours.spacing(metric::SMALL)),
        parts::group(Some(i18n.tr("settings-text-size")), [size(i18n, percent.unwrap_or(settings.text_percent))]),
        parts::group(Some(i18n.tr("settings-writing")), [send]),
        parts::named(i18n.tr("settings-renderer"), drawn.spacing(metric::SMALL)),
    ])
}

/// A slider for the pointer, and two buttons that the keyboard reaches, too.
fn size<'a>(i18n: &I18n, percent: u16) -> Element<'a, Message> {
    let step = |icon, words: String, to: u16| {
        let message = (to != percent && TEXT_PERCENT.contains(&to)).then_some(Message::Set(Change::TextPercent(to)));
        form::icon_button(icon, words, message)
    };
    let shown = text(i18n.tr_with("settings-percent", [("percent", u64::from(percent).into())]));
    let line = row![
        step(Icon::Minus, i18n.tr("settings-smaller"), percent.saturating_sub(STEP)),
        slider(TEXT_PERCENT, percent, Message::PercentDragged).step(STEP).on_release(Message::PercentReleased),
        step(Icon::Plus, i18n.tr("settings-larger"), percent.saturating_add(STEP)),
        shown.size(metric::BODY).font(font::MEDIUM).width(metric::BAR).align_x(Alignment::End),
    ];
    line.spacing(metric::SMALL).padding([metric::SMALL, metric::GAP]).align_y(Alignment::Center).into()
}

/// The words.
pub(super) fn language<'a>(context: Context<'_>) -> Element<'a, Message> {
    let (i18n, settings) = (context.i18n, context.settings);
    let one = |name: String, language: Option<Language>| {
        let message = Message::Set(Change::Language(language));
        choice::radio(name, None, settings.language == language, Some(message))
    };
    let mut languages = column![one(i18n.tr("settings-language-system"), None)];
    for language in Language::ALL {
        languages = languages.push(one(language.own_name().to_owned(), Some(language)));
    }
    languages.spacing(metric::SMALL).into()
}

/// What this is.
pub(super) fn about<'a>(i18n: &I18n) -> Element<'a, Message> {
    let part = |name: &str, licence: &str| parts::fact(name.to_owned(), parts::plain(licence.to_owned()), None);
    let words = text(i18n.tr("settings-about-words")).size(metric::BODY);
    let this = parts::group(
        None,
        [
            parts::fact(i18n.tr("settings-version"), parts::plain(env!("CARGO_PKG_VERSION").to_owned()), None),
            parts::fact(i18n.tr("settings-licence"), parts::plain(env!("CARGO_PKG_LICENSE").to_owned()), None),
        ],
    );
    let others = parts::group(
        Some(i18n.tr("settings-made-with")),
        [
            part("Inter, JetBrains Mono, Noto Sans, Noto Color Emoji", "SIL Open Font License 1.1"),
            part("Lucide", "ISC"),
            part("iced", "MIT"),
            part("OpenMLS, libp2p", "MIT"),
            part("whisper.cpp", "MIT"),
        ],
    );
    parts::groups([container(words).padding([0.0, metric::GAP]).into(), this, others])
}
