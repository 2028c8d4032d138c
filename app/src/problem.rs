//! What went wrong, for the person and for the log.

use kith_core::client::ClientError;
use kith_core::client::control::ControlError;

use crate::cli;
use crate::i18n::I18n;

/// Why something was not done: a stable word, and a sentence in English for when there is none in the person's language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Problem {
    /// The word.
    pub(crate) code: String,
    /// The sentence.
    message: String,
}

impl Problem {
    /// Something that is told by its word alone.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// The answer was to another question.
    pub(crate) fn nonsense() -> Self {
        Self::new("nonsense", "the profile answered something else than was asked")
    }

    /// The sentence for the person.
    pub(crate) fn sentence(&self, i18n: &I18n) -> String {
        i18n.try_tr(&format!("error-{}", self.code.replace('_', "-"))).unwrap_or_else(|| {
            let mut letters = self.message.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        })
    }
}

/// The chain of causes goes to the log, where the error is made into a problem; what is shown is one sentence.
fn log(error: &dyn std::error::Error) {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    tracing::warn!(chain, "Something was not done.");
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        log(&error);
        Self { code: error.code().to_owned(), message: error.to_string() }
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        log(&error);
        Self { code: error.code().to_owned(), message: error.to_string() }
    }
}

impl From<cli::Error> for Problem {
    fn from(error: cli::Error) -> Self {
        log(&error);
        Self { code: error.code, message: error.message }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        log(&error);
        Self { code: "disk".to_owned(), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Language;

    #[test]
    fn a_problem_is_a_sentence_in_the_persons_language_where_there_is_one() {
        let known = Problem::new("wrong_passphrase", "the passphrase is wrong");
        assert_eq!(known.sentence(&I18n::new(Language::En)), "This passphrase is wrong.");
        assert!(known.sentence(&I18n::new(Language::Uk)).contains("фраза"));
        let unknown = Problem::new("never_heard_of", "something odd happened");
        assert_eq!(unknown.sentence(&I18n::new(Language::Ru)), "Something odd happened");
    }
}
