//! Bundled fonts: Latin, Cyrillic, Greek, Hebrew, Arabic and emoji look the same everywhere. What they lack comes from the system.

use std::borrow::Cow;

use iced::Font;
use iced::advanced::graphics::text::cosmic_text::{Fallback, FontSystem, PlatformFallback};
use iced::advanced::graphics::text::font_system;
use iced::font::{Family, Style, Weight};
use unicode_script::Script;

/// Running text.
pub(crate) const TEXT: Font = Font { family: Family::Name("Inter"), ..Font::DEFAULT };
/// Names and buttons.
pub(crate) const MEDIUM: Font = Font { weight: Weight::Medium, ..TEXT };
/// Headings.
pub(crate) const SEMIBOLD: Font = Font { weight: Weight::Semibold, ..TEXT };
/// Text that is set apart.
pub(crate) const ITALIC: Font = Font { style: Style::Italic, ..TEXT };
/// Code, addresses and numbers to compare.
pub(crate) const MONO: Font = Font { family: Family::Name("JetBrains Mono"), ..Font::DEFAULT };
/// Emoji alone: text fonts have some of them, too, without colour.
pub(crate) const EMOJI: Font = Font::with_name("Noto Color Emoji");
/// Icons.
pub(crate) const ICONS: Font = Font::with_name("Kith Icons");

/// The files.
pub(crate) fn files() -> [Cow<'static, [u8]>; 10] {
    [
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Regular.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Medium.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Bold.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Italic.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/NotoColorEmoji.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/NotoSansHebrew-Regular.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/NotoSansArabic-Regular.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/icons/kith-icons.ttf")),
    ]
}

/// What lacks in a font is looked for in these, in this order: emoji are in colour even where an older font has them in outline.
struct Colored;

impl Fallback for Colored {
    fn common_fallback(&self) -> &[&'static str] {
        &[
            "Noto Color Emoji",
            "Noto Sans",
            "Noto Sans Hebrew",
            "Noto Sans Arabic",
            "Segoe UI",
            "Segoe UI Symbol",
            ".SF NS",
            "Apple Symbols",
            "DejaVu Sans",
            "FreeSans",
            "Noto Sans Symbols",
            "Noto Sans Symbols2",
            "Arial Unicode MS",
        ]
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        PlatformFallback.forbidden_fallback()
    }

    fn script_fallback(&self, script: Script, locale: &str) -> &[&'static str] {
        PlatformFallback.script_fallback(script, locale)
    }
}

/// Makes that order the window's. Before the first text is laid out.
pub(crate) fn prefer_colored_emoji() {
    let Ok(mut system) = font_system().write() else { return };
    let raw = system.raw();
    let (locale, fonts) = (raw.locale().to_owned(), raw.db().clone());
    *raw = FontSystem::new_with_locale_and_db_and_fallback(locale, fonts, Colored);
}

/// The same with nothing of the system's fonts: what tests draw is the same on every machine.
#[cfg(test)]
pub(crate) fn only_bundled() {
    use iced::advanced::graphics::text::cosmic_text::fontdb::{ID, Source};
    let mut system = font_system().write().unwrap();
    files().into_iter().for_each(|file| system.load_font(file));
    let raw = system.raw();
    let mut fonts = raw.db().clone();
    let foreign = |source: &Source| !matches!(source, Source::Binary(_));
    let foreign: Vec<ID> = fonts.faces().filter(|face| foreign(&face.source)).map(|face| face.id).collect();
    foreign.into_iter().for_each(|id| fonts.remove_face(id));
    *raw = FontSystem::new_with_locale_and_db_and_fallback("en-US".to_owned(), fonts, Colored);
}
