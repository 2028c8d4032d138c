//! What can be wrong with bytes that claim to be one of this module's formats.

use crate::wire::codec::DecodeError;

/// The bytes are not what they claim to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Too long, of another format number, or without the form.
    #[error("{what}: {why}")]
    Form {
        /// Which format.
        what: &'static str,
        /// What is wrong with its form.
        why: DecodeError,
    },
    /// A signature is not valid.
    #[error("the signature of {what} is not valid")]
    BadSignature {
        /// Which format, or the label of the context.
        what: &'static str,
    },
    /// The form is right, what it says is not.
    #[error("{what} is not valid: {why}")]
    Invalid {
        /// Which format.
        what: &'static str,
        /// What is wrong.
        why: &'static str,
    },
}

impl FormatError {
    /// A length that a fixed-size value does not have.
    pub(crate) const fn length(what: &'static str) -> Self {
        Self::Invalid { what, why: "it has another length" }
    }
}
