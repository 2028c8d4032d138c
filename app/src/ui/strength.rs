//! How hard a password is to guess, as four bars: what the core refuses, then an estimate by length and kinds of characters.
//!
//! The estimate flatters nobody: characters that repeat, or go on from the one before, count half.

use iced::widget::{Row, column, container, space};
use iced::{Alignment, Length};
use kith_core::client::entry::Handle;
use kith_core::client::entry::password::{self, MIN_CHARACTERS, WeakPassword};

use crate::i18n::I18n;
use crate::theme::{self, Element, metric};
use crate::ui;

/// All bars.
const BARS: u8 = 4;

/// Guessed by who has the relay's data and patience, in spite of the stretching.
const FAIR_BITS: f32 = 60.0;

/// Out of reach for long.
const GOOD_BITS: f32 = 80.0;

/// What is to be said of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strength {
    /// Bars, of [`BARS`].
    pub(crate) score: u8,
    /// Why it is not taken.
    pub(crate) weak: Option<WeakPassword>,
}

/// Of this password, for an account of this name.
pub(crate) fn of(password: &str, handle: Option<&Handle>) -> Strength {
    match password::check(password, handle) {
        Err(weak) => Strength { score: u8::from(!password.is_empty()), weak: Some(weak) },
        Ok(()) => {
            let bits = bits(password);
            let score = if bits >= GOOD_BITS {
                BARS
            } else if bits >= FAIR_BITS {
                3
            } else {
                2
            };
            Strength { score, weak: None }
        }
    }
}

fn bits(password: &str) -> f32 {
    let mut kinds = 0_u8;
    let mut weight = 0.0_f32;
    let mut before = None;
    for character in password.chars() {
        kinds |= 1 << kind(character);
        let number = u32::from(character);
        let follows = before.is_some_and(|before: u32| number.abs_diff(before) <= 1);
        weight += if follows { 0.5 } else { 1.0 };
        before = Some(number);
    }
    let alphabet: u16 =
        SIZES.iter().enumerate().filter(|(kind, _)| kinds & (1 << kind) != 0).map(|(_, size)| size).sum();
    weight * f32::from(alphabet.max(1)).log2()
}

/// How many characters of each kind somebody who guesses would try.
const SIZES: [u16; 5] = [26, 26, 10, 33, 64];

fn kind(character: char) -> usize {
    match character {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        other if other.is_ascii() => 3,
        _ => 4,
    }
}

impl Strength {
    /// What is missing, or how good it is.
    pub(crate) fn sentence(self, i18n: &I18n) -> String {
        match self.weak {
            Some(weak) => missing(weak, i18n),
            None if self.score >= BARS => i18n.tr("password-strong"),
            None if self.score == 3 => i18n.tr("password-good"),
            None => i18n.tr("password-fair"),
        }
    }
}

/// The bars, and below them the sentence, unless the field says it already.
pub(crate) fn meter<'a, Message: 'a>(strength: Strength, is_said: bool, i18n: &I18n) -> Element<'a, Message> {
    let bar = |place: u8| {
        container(space().height(theme::choice::BAR))
            .width(Length::Fill)
            .style(theme::container::strength(strength.score, place < strength.score))
            .into()
    };
    let bars = Row::with_children((0..BARS).map(bar)).spacing(metric::TIGHT);
    let sentence = (!is_said).then(|| ui::caption(strength.sentence(i18n)));
    column![bars].push(sentence).spacing(metric::TIGHT).align_x(Alignment::Start).into()
}

/// Why a password is not taken.
pub(crate) fn missing(weak: WeakPassword, i18n: &I18n) -> String {
    match weak {
        WeakPassword::TooShort { found: 0 } => {
            i18n.count("password-rule", u64::try_from(MIN_CHARACTERS).unwrap_or_default())
        }
        WeakPassword::TooShort { found } => {
            let missing = MIN_CHARACTERS.saturating_sub(found);
            i18n.count("password-short", u64::try_from(missing).unwrap_or_default())
        }
        WeakPassword::TooLong => i18n.tr("password-long"),
        WeakPassword::Common => i18n.tr("password-common"),
        WeakPassword::Pattern => i18n.tr("password-pattern"),
        WeakPassword::Handle => i18n.tr("password-handle"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Language;

    #[test]
    fn what_the_core_refuses_is_never_more_than_one_bar() {
        assert_eq!(of("", None).score, 0);
        for weak in ["a", "aaaaaaaaaaaaaaaaaaaaaaaa", "Password123!", "qwertyuiop", "1234567890"] {
            let strength = of(weak, None);
            assert_eq!(strength.score, 1, "{weak}");
            assert!(strength.weak.is_some(), "{weak}");
        }
        let alice = Handle::parse("alice.wonder").unwrap();
        assert_eq!(of("alice.wonder1", Some(&alice)).score, 1);
    }

    #[test]
    fn length_and_kinds_of_characters_make_more_bars() {
        for (password, score) in [
            ("lorenzpark", 2),
            ("garden lamp", 3),
            ("vK9#mq2!xR", 3),
            ("correct horse battery", 4),
            ("пароль от замка сада", 4),
            ("Tr0ub4dor&3-Zebra", 4),
        ] {
            assert_eq!(of(password, None), Strength { score, weak: None }, "{password} {}", bits(password));
        }
        assert!(bits("abcdefghijkz") < bits("qmzkfuaelxob"));
    }

    #[test]
    fn what_is_missing_is_counted_in_the_persons_language() {
        let said = |language, password| of(password, None).sentence(&I18n::new(language));
        assert_eq!(said(Language::En, "ninechars"), "1 character to go.");
        assert_eq!(said(Language::En, "three"), "5 characters to go.");
        assert_eq!(said(Language::Ru, "ninechars"), "Нужен ещё 1 символ.");
        assert_eq!(said(Language::Ru, "sevench"), "Нужно ещё 3 символа.");
        assert_eq!(said(Language::Uk, "three"), "Потрібно ще 5 символів.");
    }
}
