//! Bundled fonts: Latin, Cyrillic, Greek, Hebrew, Arabic and emoji look the same everywhere. What they lack comes from the system.
//!
//! A letter and its marks are drawn from one font: Inter, or else Noto Sans, which has nearly all marks.

use std::borrow::Cow;

use iced::Font;
use iced::advanced::graphics::text::cosmic_text::{Fallback, FontSystem, PlatformFallback};
use iced::advanced::graphics::text::font_system;
use iced::font::{Family, Style, Weight};
use unicode_script::{Script, UnicodeScript as _};

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
pub(crate) fn files() -> [Cow<'static, [u8]>; 11] {
    [
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Regular.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Medium.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Bold.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/Inter-Italic.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/NotoColorEmoji.ttf")),
        Cow::Borrowed(include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf")),
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

/// Whether a mark that any letter can have is drawn where it stands on this one: with most signs that have no font in common with it
/// both would be empty boxes.
pub(crate) fn draws_mark(letter: Option<char>, mark: char) -> bool {
    let letter = letter.unwrap_or(' ');
    match mark {
        // What makes a key of a digit.
        '\u{20e3}' => matches!(letter, '0'..='9' | '#' | '*'),
        '\u{1ac1}'..='\u{1aff}' | '\u{1dfa}' | '\u{20d0}'..='\u{20ef}' | '\u{20f1}'..='\u{20ff}' => false,
        _ => match letter.script() {
            Script::Latin | Script::Greek | Script::Cyrillic => letter < '\u{fb00}',
            // A stroke makes the opposite of a mathematical sign.
            Script::Common if mark == '\u{338}' => letter < '\u{2300}',
            Script::Common => letter < '\u{2070}' || letter == '\u{25cc}',
            Script::Han | Script::Hangul | Script::Hiragana | Script::Katakana => false,
            Script::Hebrew | Script::Arabic => false,
            // The system has a font for it, or not.
            _ => true,
        },
    }
}

/// Whether a text can be set in italics: nothing is taken from an upright font then, and what lacks in italics would be empty boxes.
pub(crate) fn has_italics(text: &str) -> bool {
    text.chars().all(|sign| match sign.script() {
        Script::Latin => {
            matches!(sign, '\0'..='\u{148}' | '\u{14a}'..='\u{1c3}' | '\u{1c5}'..='\u{24f}' | '\u{1e00}'..='\u{1e9b}' | '\u{1e9e}'..='\u{1eff}')
        }
        Script::Greek => matches!(sign, '\u{386}'..='\u{3d7}'),
        Script::Cyrillic => matches!(sign, '\u{400}'..='\u{479}' | '\u{48a}'..='\u{49d}' | '\u{4a0}'..='\u{4ff}'),
        Script::Common => matches!(sign, '\0'..='\u{24f}' | '\u{2010}'..='\u{2027}' | '₴' | '€' | '₽' | '\u{1f000}'..),
        _ => false,
    })
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

#[cfg(test)]
mod tests {
    use iced::advanced::Text;
    use iced::advanced::graphics::text::Paragraph;
    use iced::advanced::text::{Alignment, LineHeight, Paragraph as _, Shaping, Wrapping};
    use iced::alignment::Vertical;
    use iced::{Pixels, Size};
    use kith_core::client::plain::is_mark;

    use super::*;

    /// Signs of a text for which no bundled font has anything.
    fn boxes(content: &str, font: Font) -> usize {
        let paragraph = Paragraph::with_text(Text {
            content,
            bounds: Size::INFINITE,
            size: Pixels(15.0),
            line_height: LineHeight::default(),
            font,
            align_x: Alignment::Default,
            align_y: Vertical::Top,
            shaping: Shaping::Advanced,
            wrapping: Wrapping::None,
        });
        let lines = paragraph.buffer().layout_runs();
        lines.flat_map(|line| line.glyphs.iter().filter(|glyph| glyph.glyph_id == 0).collect::<Vec<_>>()).count()
    }

    #[test]
    fn no_mark_that_is_drawn_is_an_empty_box() {
        only_bundled();
        assert_eq!(boxes("\u{13000}", TEXT), 1, "it finds boxes");
        let marks: Vec<char> = ('\u{300}'..='\u{fe2f}').filter(|sign| is_mark(*sign)).collect();
        for letter in ['e', 'Ж', 'ω', 'ə', 'ꞵ', '7', '«', ' ', '∃'] {
            let drawn: Vec<char> = marks.iter().copied().filter(|mark| draws_mark(Some(letter), *mark)).collect();
            assert!(!drawn.is_empty());
            for mark in &drawn {
                let text = format!("{letter}{mark}");
                assert_eq!(boxes(&text, TEXT), 0, "{letter:?} with {mark:?}");
            }
            // Whatever stands with them, and however it is set; a key is an emoji, and has no marks.
            let heaped: Vec<char> = drawn.into_iter().filter(|mark| *mark != '\u{20e3}').collect();
            for heap in heaped.chunks(4) {
                let text = format!("a{letter}{}b", heap.iter().collect::<String>());
                for font in [TEXT, SEMIBOLD, MONO] {
                    assert_eq!(boxes(&text, font), 0, "{text:?} in {font:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_that_is_set_in_italics_is_an_empty_box() {
        only_bundled();
        assert!(boxes("*שלום*", ITALIC) > 0 && !has_italics("שלום") && !has_italics("漢字") && !has_italics("ɛ̃"));
        let signs: Vec<char> = ('!'..='\u{2fff}')
            .filter(|sign| !sign.is_control() && has_italics(sign.encode_utf8(&mut [0; 4])))
            .collect();
        assert!(signs.len() > 1000, "{}", signs.len());
        let lacking: Vec<char> =
            signs.into_iter().filter(|sign| boxes(sign.encode_utf8(&mut [0; 4]), ITALIC) > 0).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }
}
