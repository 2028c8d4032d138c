//! Why a relay refuses, and what a person reads of it.

use serde::{Deserialize, Serialize};

use crate::wire::control::{Code, Said};

/// Why a relay refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The request is not understood here.
    #[error("the relay does not understand the request")]
    Unknown,
    /// The request is malformed.
    #[error("the relay found the request malformed: {0}")]
    Malformed(String),
    /// The device is not signed in here.
    #[error("this device is not signed in at the relay")]
    NotSignedIn,
    /// The handle is taken, or looks too much like one that is.
    #[error("that name is taken, or looks too much like one that is")]
    HandleTaken,
    /// The handle breaks the rules.
    #[error("that name cannot be used: 3 to 32 of a-z, 0-9, dot, dash and underscore")]
    HandleMalformed,
    /// Registration is closed, or needs an invitation.
    #[error("this relay does not take new accounts")]
    RegistrationClosed,
    /// Password or name are wrong; which of them is not said.
    #[error("wrong name or password")]
    WrongPassword,
    /// The recovery code or the name are wrong; which of them is not said.
    #[error("wrong name or recovery code")]
    WrongRecoveryCode,
    /// No such account, record, address or challenge.
    #[error("not found at this relay")]
    NotFound,
    /// The token is not good for it.
    #[error("not allowed")]
    Forbidden,
    /// Another version is stored than the one expected.
    #[error("it was changed meanwhile")]
    Conflict,
    /// A limit is reached; try again after so many seconds.
    #[error("too many requests: try again in {retry_s} s")]
    TooMany {
        /// Seconds to wait.
        #[serde(rename = "r")]
        retry_s: u32,
    },
    /// Larger than the relay takes.
    #[error("larger than this relay takes")]
    TooLarge,
    /// The slot for contact requests is full.
    #[error("too many contact requests wait there already")]
    Full,
    /// The disk is full, or the relay is shutting down: nothing was stored.
    #[error("the relay cannot take it now: try later")]
    TryLater,
    /// This relay does not take deposits from that part of the world.
    #[error("this relay does not federate with you")]
    NotFederated,
}

impl From<&Refusal> for Said {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotSignedIn => Self::new(Code::NotSignedIn, refusal),
            Refusal::TooMany { retry_s } => Self::new(Code::TooMany, refusal).lasting(u64::from(*retry_s)),
            Refusal::TryLater => Self::new(Code::TryLater, refusal),
            _ => Self::new(Code::RelayRefused, refusal).because(refusal),
        }
    }
}
