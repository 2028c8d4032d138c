//! What the core says to a person, in the person's language.

use fluent_bundle::FluentValue;
use kith_core::wire::control::{Code, Reach, Said};

use crate::format;
use crate::i18n::I18n;

/// A longer name is cut.
const MAX_NAME: usize = 60;

/// The words for it; the core's English ones for what this window does not know yet.
pub(crate) fn words(said: &Said, i18n: &I18n) -> String {
    let name = |name: &Option<String>| {
        FluentValue::from(name.as_deref().map(|name| format::one_line(name, MAX_NAME)).unwrap_or_default())
    };
    let values = [
        ("name", name(&said.name)),
        ("other", name(&said.other)),
        ("handle", name(&said.handle)),
        ("length", format::length(i18n, said.seconds.unwrap_or_default()).into()),
    ];
    i18n.try_tr_with(&key(&said.code), values).unwrap_or_else(|| sentence(&said.message))
}

/// Why somebody is not reached better. Of what is as good as can be there is nothing to say.
pub(crate) fn why_not_better(reach: &Reach, i18n: &I18n) -> Option<String> {
    (reach.why.code != Code::Best.word()).then(|| words(&reach.why, i18n))
}

/// The same as a sentence of its own.
pub(crate) fn alone(said: &Said, i18n: &I18n) -> String {
    sentence(&words(said, i18n))
}

/// The words for it, and what a program said of the cause: for whoever helps.
pub(crate) fn words_and_cause(said: &Said, i18n: &I18n) -> String {
    let words = words(said, i18n);
    match &said.detail {
        Some(detail) => format!("{words} ({}: {detail})", said.code),
        None => words,
    }
}

/// With the first letter large.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn key(code: &str) -> String {
    format!("told-{}", code.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kith_core::wire::control::Code;

    use super::*;
    use crate::i18n::Language;
    use crate::i18n::tests::keys;

    #[test]
    fn everything_that_the_core_says_has_words_in_every_language_and_nothing_else_has() {
        let wanted: BTreeSet<String> = Code::ALL.iter().map(|code| key(code.word())).collect();
        for language in Language::ALL {
            let there: BTreeSet<String> = keys(language).into_iter().filter(|key| key.starts_with("told-")).collect();
            assert_eq!(there, wanted, "{language:?}");
        }
    }

    #[test]
    fn what_is_said_names_what_it_is_about() {
        let clock = Said::new(Code::ClockBehind, "english").lasting(2 * 86_400);
        let words_in = |language| words(&clock, &I18n::new(language));
        assert!(words_in(Language::En).contains("is 48 hours behind"));
        assert!(words_in(Language::Ru).contains("отстают на 48 часов"));
        assert!(words_in(Language::Uk).contains("відстає на 48 годин"));
        let taken = Said::new(Code::NameOfAnother, "english").of("ab12").under("eve\u{202e}@relay").besides("cd34");
        for language in Language::ALL {
            let said = words(&taken, &I18n::new(language));
            assert!(["ab12", "eve@relay", "cd34"].iter().all(|name| said.contains(name)), "{said}");
        }
    }

    #[test]
    fn what_a_newer_kith_says_is_shown_as_it_says_it() {
        let newer = Said { code: "of_another_time".into(), message: "look at this".into(), ..Said::default() };
        assert_eq!(words(&newer, &I18n::new(Language::Uk)), "Look at this");
    }

    #[test]
    fn whoever_helps_reads_the_cause_too() {
        let away = Said::new(Code::Unreachable, "it cannot be reached: refused").because("refused");
        let said = words_and_cause(&away, &I18n::new(Language::En));
        assert_eq!(said, "nobody answers at the known addresses (unreachable: refused)");
    }
}
