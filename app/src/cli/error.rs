//! How a command ends: exit codes and the error that is printed.

use std::process::ExitCode;

use kith_core::client::ClientError;
use kith_core::client::control::ControlError;

use super::text;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    /// Done: exit code 0.
    Done,
    /// The message is written and durable here, but did not leave in the time it was given: exit code 3.
    Queued,
}

impl From<Success> for ExitCode {
    fn from(success: Success) -> Self {
        match success {
            Success::Done => Self::SUCCESS,
            Success::Queued => Self::from(3),
        }
    }
}

/// Why a command failed: a stable word for programs, a sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    pub(crate) code: String,
    pub(crate) message: String,
    /// The arguments were wrong (exit code 2), not what they asked for (1).
    usage: bool,
}

impl Error {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), usage: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { usage: true, ..Self::new("usage", message) }
    }

    /// Whoever read the results reads no more: nothing to complain about.
    pub(crate) fn output_closed() -> Self {
        Self::new("output_closed", text::OUTPUT_CLOSED)
    }

    /// The operating system refused.
    pub(crate) fn system(message: impl Into<String>) -> Self {
        Self::new("system", message)
    }

    /// The running profile answered something else than was asked.
    pub(crate) fn nonsense() -> Self {
        Self::new("nonsense", text::NONSENSE)
    }

    /// The error for programs.
    pub(crate) fn object(&self) -> serde_json::Value {
        serde_json::json!({"error": {"code": self.code, "message": self.message}})
    }

    /// Prints the error to standard error.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        if self.code == "output_closed" {
            return ExitCode::FAILURE;
        }
        if json {
            eprintln!("{}", self.object());
        } else {
            eprintln!("kith: {}", self.message);
        }
        ExitCode::from(if self.usage { 2 } else { 1 })
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<ControlError> for Error {
    fn from(error: ControlError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
