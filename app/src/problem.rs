//! What went wrong, for the person and for the log.

use kith_core::client::ClientError;
use kith_core::client::control::ControlError;

use crate::cli;
use crate::i18n::I18n;
use crate::said::sentence;

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
        i18n.try_tr(&key(&self.code)).unwrap_or_else(|| sentence(&self.message))
    }
}

fn key(code: &str) -> String {
    format!("error-{}", code.replace('_', "-"))
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
    use kith_core::client::ErrorCode;

    use super::*;
    use crate::i18n::Language;
    use crate::i18n::tests::keys;

    #[test]
    fn a_problem_is_a_sentence_in_the_persons_language_where_there_is_one() {
        let known = Problem::new("wrong_passphrase", "the passphrase is wrong");
        assert_eq!(known.sentence(&I18n::new(Language::En)), "This passphrase is wrong.");
        assert!(known.sentence(&I18n::new(Language::Uk)).contains("фраза"));
        let unknown = Problem::new("never_heard_of", "something odd happened");
        assert_eq!(unknown.sentence(&I18n::new(Language::Ru)), "Something odd happened");
    }

    #[test]
    fn every_error_of_the_core_has_a_sentence_in_every_language() {
        for language in Language::ALL {
            let there = keys(language);
            let missing = |code: &&ErrorCode| !there.contains(&key(code.word()));
            let missing: Vec<_> = ErrorCode::ALL.iter().filter(missing).collect();
            assert!(missing.is_empty(), "{language:?} lacks {missing:?}");
        }
    }

    #[test]
    fn whatever_keeps_a_window_from_a_kith_that_runs_has_a_sentence() {
        let reason = || "it broke".to_owned();
        for error in [
            ControlError::AlreadyOpen,
            ControlError::NotOurs { path: "/home".into() },
            ControlError::Path { path: "/home".into(), reason: reason() },
            ControlError::Broken { reason: reason() },
            ControlError::Closed,
            ControlError::TooLong,
            ControlError::Malformed { reason: reason() },
            ControlError::Version { theirs: 9 },
        ] {
            for language in Language::ALL {
                assert!(keys(language).contains(&key(error.code())), "{language:?} lacks {error:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_microphone_is_said_apart() {
        use kith_core::client::sound::{AudioError, Direction};
        let says = |error: AudioError| Problem::from(ClientError::from(error)).sentence(&I18n::new(Language::Uk));
        assert!(says(AudioError::NoDevice(Direction::Input)).starts_with("Мікрофон не знайдено"));
        assert!(says(AudioError::NoDevice(Direction::Output)).starts_with("Не знайдено динаміків"));
        assert!(says(AudioError::Denied(Direction::Input)).contains("не дозволено"));
        assert!(says(AudioError::Gone).contains("від’єднано"));
    }
}
