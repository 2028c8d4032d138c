//! The window's words: English, Russian and Ukrainian, by Fluent with each language's plural rules.
//!
//! A key that a language lacks is shown in English, so a translation may be behind and nobody sees a key.
//! Invariant: every key that is used exists in every language, and every key that exists is used (`tests`).

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// A language of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Language {
    /// English.
    En,
    /// Russian.
    Ru,
    /// Ukrainian.
    Uk,
}

impl Language {
    /// All of them, as they are offered.
    pub(crate) const ALL: [Self; 3] = [Self::En, Self::Uk, Self::Ru];

    /// What it calls itself.
    pub(crate) const fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ru => "Русский",
            Self::Uk => "Українська",
        }
    }

    /// The language of a locale, such as `uk_UA.UTF-8`; English for those that are not translated.
    pub(crate) fn of_locale(locale: &str) -> Self {
        match locale.split(['-', '_', '.']).next().unwrap_or_default() {
            "ru" => Self::Ru,
            "uk" => Self::Uk,
            _ => Self::En,
        }
    }

    const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
            Self::Uk => "uk",
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../../assets/i18n/en.ftl"),
            Self::Ru => include_str!("../../assets/i18n/ru.ftl"),
            Self::Uk => include_str!("../../assets/i18n/uk.ftl"),
        }
    }
}

/// The words of one language.
pub(crate) struct I18n {
    language: Language,
    bundle: FluentBundle<FluentResource>,
    /// What is shown for a key that the language lacks.
    english: Option<FluentBundle<FluentResource>>,
}

impl std::fmt::Debug for I18n {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("I18n").field(&self.language).finish()
    }
}

impl I18n {
    /// The words of `language`.
    pub(crate) fn new(language: Language) -> Self {
        let english = (language != Language::En).then(|| bundle(Language::En));
        Self { language, bundle: bundle(language), english }
    }

    /// Which language.
    pub(crate) const fn language(&self) -> Language {
        self.language
    }

    /// The words for a key.
    pub(crate) fn tr(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The words for a key with something in them.
    pub(crate) fn tr_with<'a>(
        &self,
        key: &str,
        values: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
    ) -> String {
        self.format(key, Some(&values.into_iter().collect::<FluentArgs<'_>>()))
    }

    /// The words for a key with a number in them, as `$count`.
    pub(crate) fn count(&self, key: &str, count: u64) -> String {
        self.tr_with(key, [("count", FluentValue::from(count))])
    }

    /// The words for a key that may not exist, such as one made from an error's code.
    pub(crate) fn try_tr(&self, key: &str) -> Option<String> {
        self.bundles().find_map(|bundle| lookup(bundle, key, None))
    }

    /// The same with something in it.
    pub(crate) fn try_tr_with<'a>(
        &self,
        key: &str,
        values: impl IntoIterator<Item = (&'a str, FluentValue<'a>)>,
    ) -> Option<String> {
        let args = values.into_iter().collect();
        self.bundles().find_map(|bundle| lookup(bundle, key, Some(&args)))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let found = self.bundles().find_map(|bundle| lookup(bundle, key, args));
        found.unwrap_or_else(|| {
            tracing::error!(key, "A text is missing in all languages.");
            key.to_owned()
        })
    }

    fn bundles(&self) -> impl Iterator<Item = &FluentBundle<FluentResource>> {
        std::iter::once(&self.bundle).chain(&self.english)
    }
}

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Marks around what is filled in are drawn as boxes by some fonts.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(language.source().to_owned()).unwrap_or_else(|(resource, errors)| {
        tracing::error!(?errors, language = language.tag(), "A translation cannot be read in full.");
        resource
    });
    if let Err(errors) = bundle.add_resource(resource) {
        tracing::error!(?errors, language = language.tag(), "A translation says something twice.");
    }
    bundle
}

fn lookup(bundle: &FluentBundle<FluentResource>, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
    let pattern = bundle.get_message(key)?.value()?;
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, args, &mut errors);
    if !errors.is_empty() {
        tracing::error!(key, ?errors, "A text cannot be filled in.");
    }
    Some(text.into_owned())
}

#[cfg(test)]
pub(crate) mod tests;
