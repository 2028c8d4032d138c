//! Names and words from others as they may be shown: nothing in them moves, hides or turns round what stands beside them.

use crate::wire::message::{MAX_ABOUT, MAX_DEVICE_NAME, MAX_PROFILE_NAME};

/// The most characters of a name that are shown.
const MAX_NAME: usize = MAX_PROFILE_NAME;
const _: () = assert!(MAX_NAME >= MAX_DEVICE_NAME);

/// Marks that any letter can have, and that are left of many: no language writes more.
const MAX_MARKS: usize = 4;

/// The same of all that stands with a letter: a syllable of Tibetan and the flag of a region have most.
const MAX_JOINED: usize = 8;

/// Somebody's name on one line; none if nothing is left of it.
pub(super) fn name(text: &str) -> Option<String> {
    // Oneself is called so, and nobody else.
    line(text).filter(|name| !name.eq_ignore_ascii_case("me"))
}

/// What something is called, on one line; none if nothing is left of it.
pub(super) fn line(text: &str) -> Option<String> {
    Some(cleaned(text, MAX_NAME, false)).filter(|name| !name.is_empty())
}

/// Words on some lines; none if nothing is left of them.
pub(super) fn about(text: &str) -> Option<String> {
    Some(cleaned(text, MAX_ABOUT, true)).filter(|text| !text.is_empty())
}

fn cleaned(text: &str, characters: usize, lines: bool) -> String {
    let (mut shown, mut marks) = (String::new(), Marks::default());
    for sign in text.chars() {
        if sign.is_whitespace() && !(lines && sign == '\n') {
            if !shown.ends_with(' ') {
                shown.push(' ');
            }
            continue;
        }
        if sign == '\n' || !is_unseen(sign) && marks.have_room(sign) {
            shown.push(sign);
        }
    }
    let cut: String = shown.trim().chars().take(characters).collect();
    cut.trim_end().to_owned()
}

/// Controls, and what turns text round or cannot be seen. Joiners stay: emoji and some scripts need them.
pub(super) fn is_unseen(sign: char) -> bool {
    sign.is_control()
        || matches!(
            sign,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e001f}'
        )
}

/// Counts what is heaped on a letter, sign by sign.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marks {
    letter: Option<char>,
    marks: usize,
    joined: usize,
}

impl Marks {
    /// Whether this sign, the next one, is to be shown: not if it is a mark of too many.
    pub fn have_room(&mut self, sign: char) -> bool {
        // Joiners are no marks, and begin no letter.
        if matches!(sign, '\u{200b}'..='\u{200d}' | '\u{2060}') {
            return true;
        }
        if !is_joined(sign) {
            *self = Self { letter: Some(sign), ..Self::default() };
            return true;
        }
        self.joined = self.joined.saturating_add(1);
        self.marks = self.marks.saturating_add(usize::from(is_mark(sign)));
        self.joined <= MAX_JOINED && (self.marks <= MAX_MARKS || !is_mark(sign))
    }

    /// The letter that marks stand on now.
    pub const fn letter(&self) -> Option<char> {
        self.letter
    }
}

/// A sign that stands with the letter before it, in whatever script.
fn is_joined(sign: char) -> bool {
    use unicode_segmentation::UnicodeSegmentation as _;
    let mut bytes = [b'a'; 5];
    let length = sign.encode_utf8(bytes.split_at_mut(1).1).len().saturating_add(1);
    let pair = bytes.get(..length).and_then(|pair| std::str::from_utf8(pair).ok()).unwrap_or_default();
    sign >= '\u{300}' && pair.graphemes(true).nth(1).is_none()
}

/// A mark that any letter can have.
pub fn is_mark(sign: char) -> bool {
    matches!(
        sign,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{2de0}'..='\u{2dff}' | '\u{fe20}'..='\u{fe2f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_that_changes_nothing_around_it() {
        for (said, shown) in [
            ("  Bob\r\n\tSmith ", "Bob Smith"),
            ("a\u{202e}b\u{2066}c\u{200b}d\u{7}e\u{feff}", "abcde"),
            ("Олена 👩‍👩‍👧", "Олена 👩‍👩‍👧"),
            ("z\u{300}\u{301}\u{302}\u{303}\u{304}o", "z\u{300}\u{301}\u{302}\u{303}o"),
        ] {
            assert_eq!(name(said).as_deref(), Some(shown), "{said:?}");
        }
        for nothing in ["", " \n", "\u{202e}\u{200b}", "Me", "me "] {
            assert_eq!(name(nothing), None, "{nothing:?}");
        }
        assert_eq!(name(&"ж".repeat(100)), Some("ж".repeat(64)));
    }

    #[test]
    fn signs_are_not_heaped_on_a_letter_in_any_script_and_by_nothing_between_them() {
        let left = |text: &str| {
            let mut marks = Marks::default();
            text.chars().filter(|sign| marks.have_room(*sign)).collect::<String>()
        };
        for (heaped, of, most) in [
            ("z", "\u{310}", MAX_MARKS),
            ("z", "\u{310}\u{fe0f}", MAX_JOINED),
            ("ก", "\u{e47}", MAX_JOINED),
            ("か", "\u{3099}", MAX_JOINED),
            ("", "\u{301}", MAX_MARKS),
        ] {
            let shown = left(&format!("{heaped}{}", of.repeat(5000)));
            assert_eq!(shown.chars().count(), heaped.chars().count() + most, "{heaped}{of}");
        }
        for whole in [
            "Việt",
            "ᾳ\u{304}\u{301}",
            "שׁ\u{5bc}\u{5b8}\u{5bd}",
            "བསྒྲུབས",
            "क्षि",
            "1\u{fe0f}\u{20e3}",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "👩🏽‍🚀",
        ] {
            assert_eq!(left(whole), whole);
        }
    }

    #[test]
    fn words_keep_their_lines() {
        assert_eq!(about(" one\n two \u{1b}[2J").as_deref(), Some("one\n two [2J"));
        assert_eq!(about(&"x".repeat(500)), Some("x".repeat(280)));
        assert_eq!(about(" \n "), None);
    }
}
