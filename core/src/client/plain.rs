//! Names and words from others as they may be shown: nothing in them moves, hides or turns round what stands beside them.

use crate::wire::message::{MAX_ABOUT, MAX_DEVICE_NAME, MAX_PROFILE_NAME};

/// The most characters of a name that are shown.
const MAX_NAME: usize = MAX_PROFILE_NAME;
const _: () = assert!(MAX_NAME >= MAX_DEVICE_NAME);

/// Marks above and below a letter that are left of many: no language writes more.
const MAX_MARKS: usize = 3;

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
    let (mut shown, mut marks) = (String::new(), 0_usize);
    for sign in text.chars() {
        if sign.is_whitespace() && !(lines && sign == '\n') {
            if !shown.ends_with(' ') {
                shown.push(' ');
            }
            continue;
        }
        marks = if is_mark(sign) { marks.saturating_add(1) } else { 0 };
        if is_unseen(sign) && sign != '\n' || marks > MAX_MARKS {
            continue;
        }
        shown.push(sign);
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

fn is_mark(sign: char) -> bool {
    matches!(
        sign,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
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
            ("z\u{300}\u{301}\u{302}\u{303}\u{304}o", "z\u{300}\u{301}\u{302}o"),
        ] {
            assert_eq!(name(said).as_deref(), Some(shown), "{said:?}");
        }
        for nothing in ["", " \n", "\u{202e}\u{200b}", "Me", "me "] {
            assert_eq!(name(nothing), None, "{nothing:?}");
        }
        assert_eq!(name(&"ж".repeat(100)), Some("ж".repeat(64)));
    }

    #[test]
    fn words_keep_their_lines() {
        assert_eq!(about(" one\n two \u{1b}[2J").as_deref(), Some("one\n two [2J"));
        assert_eq!(about(&"x".repeat(500)), Some("x".repeat(280)));
        assert_eq!(about(" \n "), None);
    }
}
