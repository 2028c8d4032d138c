use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// Keys that are put together from a word of the program.
const COMPOSED: [&str; 10] =
    ["error-", "month-", "weekday-", "path-", "told-", "shortcut-", "emoji-", "model-", "date-", "size-"];

fn resource(language: Language) -> FluentResource {
    FluentResource::try_new(language.source().to_owned()).expect("a translation that can be read")
}

pub(crate) fn keys(language: Language) -> BTreeSet<String> {
    let text = language.source();
    text.lines()
        .filter_map(|line| line.split_once(" =").or_else(|| line.split_once('=')))
        .map(|(key, _)| key)
        .filter(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        .map(str::to_owned)
        .collect()
}

/// What the program asks for, with where.
fn used() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("i18n/tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // Chosen between two: `.tr(if … { "one" } else { "other" })`.
                for (at, _) in text.match_indices(".tr(if ") {
                    let end = text[at..].find("})").map_or(text.len(), |end| at + end);
                    let words = text[at..end].split('"').skip(1).step_by(2);
                    found.extend(words.map(|key| (key.to_owned(), path.display().to_string())));
                }
                for call in [".tr(", ".tr_with(", ".count(", "key!("] {
                    for (at, _) in text.match_indices(call) {
                        let rest = text[at + call.len()..].trim_start();
                        if let Some(key) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                            found.insert((key.to_owned(), path.display().to_string()));
                        }
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_language_can_be_read_without_an_error() {
    for language in Language::ALL {
        assert!(resource(language).entries().count() > 100, "{language:?}");
        assert!(keys(language).len() > 100, "{language:?}");
    }
}

#[test]
fn no_key_is_missing_in_any_language() {
    for language in Language::ALL {
        let known = keys(language);
        let missing: Vec<_> = used().into_iter().filter(|(key, _)| !known.contains(key)).collect();
        assert!(missing.is_empty(), "{language:?} lacks {missing:#?}");
    }
    let english = keys(Language::En);
    for language in [Language::Ru, Language::Uk] {
        let other = keys(language);
        let differing: Vec<_> = english.symmetric_difference(&other).collect();
        assert!(differing.is_empty(), "{language:?} and English differ in {differing:#?}");
    }
}

#[test]
fn no_key_is_unused() {
    let used: BTreeSet<String> = used().into_iter().map(|(key, _)| key).collect();
    let unused: Vec<_> = keys(Language::En)
        .into_iter()
        .filter(|key| !used.contains(key) && !COMPOSED.iter().any(|prefix| key.starts_with(prefix)))
        .collect();
    assert!(unused.is_empty(), "nobody asks for {unused:#?}");
}

#[test]
fn every_translation_fills_in_the_same_things() {
    let variables = |language: Language, key: &str| -> BTreeSet<String> {
        let text = language.source();
        let mut found = BTreeSet::new();
        let mut inside = false;
        for line in text.lines() {
            let begins = line.starts_with(|c: char| c.is_ascii_lowercase());
            if begins {
                inside = line.split([' ', '=']).next() == Some(key);
            }
            if inside {
                for (at, _) in line.match_indices('$') {
                    let name: String =
                        line[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                    found.insert(name);
                }
            }
        }
        found
    };
    for key in keys(Language::En) {
        let english = variables(Language::En, &key);
        for language in [Language::Ru, Language::Uk] {
            assert_eq!(variables(language, &key), english, "{language:?}: {key}");
        }
    }
}

#[test]
fn numbers_take_the_form_that_the_language_wants() {
    let said = |language, count| I18n::new(language).count("unread-count", count);
    assert_eq!(said(Language::En, 1), "1 unread message");
    assert_eq!(said(Language::En, 5), "5 unread messages");
    assert_eq!(said(Language::Ru, 1), "1 непрочитанное сообщение");
    assert_eq!(said(Language::Ru, 3), "3 непрочитанных сообщения");
    assert_eq!(said(Language::Ru, 5), "5 непрочитанных сообщений");
    assert_eq!(said(Language::Ru, 21), "21 непрочитанное сообщение");
    assert_eq!(said(Language::Uk, 1), "1 непрочитане повідомлення");
    assert_eq!(said(Language::Uk, 12), "12 непрочитаних повідомлень");
    assert_eq!(said(Language::Uk, 22), "22 непрочитані повідомлення");
}

#[test]
fn a_locale_without_translation_is_english() {
    for (locale, language) in [
        ("ru_RU.UTF-8", Language::Ru),
        ("uk-UA", Language::Uk),
        ("en-GB", Language::En),
        ("de_DE", Language::En),
        ("C", Language::En),
        ("", Language::En),
        ("ruritanian", Language::En),
    ] {
        assert_eq!(Language::of_locale(locale), language, "{locale}");
    }
}
