//! Why the network did not do what was asked.

use libp2p::PeerId;
use libp2p::swarm::DialError;

use super::exchange::{ExchangeError, Refusal};
use crate::wire::codec::DecodeError;
use crate::wire::control::{Code, Said};

/// Why the network did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The peer is neither a contact's device nor an own relay.
    #[error("this device is not among the contacts")]
    NotAContact,
    /// No address of it is known.
    #[error("no address of it is known")]
    NoAddress,
    /// Every known address was tried.
    #[error("it cannot be reached: {reason}")]
    Unreachable {
        /// The transports' words.
        reason: String,
    },
    /// Somebody else answers at its address.
    #[error("another key answers at this address: expected {expected}, found {found}")]
    WrongKey {
        /// Who was expected.
        expected: Box<PeerId>,
        /// Who answered.
        found: Box<PeerId>,
    },
    /// It was tried a moment ago and is tried again later.
    #[error("it could not be reached a moment ago ({reason}); the next try is in {retry_s} s")]
    BackingOff {
        /// Seconds until then.
        retry_s: u64,
        /// What the last try said.
        reason: String,
    },
    /// The connection ended at once or during the request.
    #[error("the connection broke during the request, which may or may not have been done")]
    Interrupted,
    /// No answer in time.
    #[error("no answer in time; the request may or may not have been done")]
    TimedOut,
    /// Larger than its kind may be: nothing was sent.
    #[error("{actual} bytes are more than the {limit} that may be sent at once")]
    TooLarge {
        /// Bytes to be sent.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The other side does not speak the protocol: it is older or newer, or something else altogether.
    #[error("the other side does not speak {0}")]
    Unsupported(&'static str),
    /// The other side did not look at it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer cannot be read.
    #[error("the answer cannot be read: {0}")]
    Malformed(#[from] DecodeError),
    /// The request does not fit this kind of path: direct paths are switched off.
    #[error("direct paths are switched off, and it has no circuit")]
    AlwaysRelay,
    /// Too many requests wait already.
    #[error("too many requests wait already")]
    Busy,
    /// It cannot listen there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The node could not be set up.
    #[error("the network could not be set up: {0}")]
    Setup(String),
    /// The node is stopped.
    #[error("the network is shut down")]
    ShutDown,
}

impl From<super::transport::SetupError> for NetError {
    fn from(error: super::transport::SetupError) -> Self {
        Self::Setup(error.to_string())
    }
}

impl From<&NetError> for Said {
    fn from(error: &NetError) -> Self {
        let said = |code| Self::new(code, error);
        match error {
            NetError::NotAContact => said(Code::NotAContact),
            NetError::NoAddress => said(Code::NoAddress),
            NetError::Unreachable { reason } => said(Code::Unreachable).because(reason),
            NetError::WrongKey { .. } => said(Code::WrongKey),
            NetError::BackingOff { retry_s, reason } => said(Code::BackingOff).lasting(*retry_s).because(reason),
            NetError::Interrupted => said(Code::Lost),
            NetError::TimedOut => said(Code::TimedOut),
            NetError::Unsupported(_) => said(Code::Unsupported),
            NetError::TooLarge { .. } => said(Code::PeerRefused).because(error),
            NetError::Refused(refusal) => said(Code::PeerRefused).because(refusal),
            NetError::Malformed(_) => said(Code::Nonsense),
            NetError::AlwaysRelay => said(Code::DirectOff),
            NetError::Busy => said(Code::Busy),
            NetError::Listen { .. } | NetError::Setup(_) => said(Code::NetworkBroken).because(error),
            NetError::ShutDown => said(Code::ShutDown),
        }
    }
}

impl NetError {
    /// The error of a request in this protocol.
    pub(super) fn of_exchange(error: ExchangeError, protocol: &'static str, limit: usize) -> Self {
        match error {
            ExchangeError::NotConnected | ExchangeError::Interrupted => Self::Interrupted,
            ExchangeError::TimedOut => Self::TimedOut,
            ExchangeError::Unsupported => Self::Unsupported(protocol),
            ExchangeError::Refused(refusal) => Self::Refused(refusal),
            ExchangeError::AnswerTooLong { announced } => {
                Self::Malformed(DecodeError::TooLong { actual: announced, limit })
            }
        }
    }

    /// The error of a failed dial of this peer.
    pub(super) fn of_dial(expected: PeerId, error: &DialError) -> Self {
        match error {
            DialError::WrongPeerId { obtained, .. } => {
                Self::WrongKey { expected: expected.into(), found: (*obtained).into() }
            }
            DialError::NoAddresses => Self::NoAddress,
            DialError::Denied { .. } => Self::NotAContact,
            DialError::Transport(errors) => Self::Unreachable {
                reason: errors
                    .iter()
                    .map(|(_, error)| innermost(error))
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect::<Vec<_>>()
                    .join("; "),
            },
            DialError::LocalPeerId { .. } => Self::Unreachable { reason: "the address is our own".into() },
            DialError::DialPeerConditionFalse(_) | DialError::Aborted => {
                Self::Unreachable { reason: "the attempt was given up".into() }
            }
        }
    }
}

/// The words of the last error in a chain, which name the fact and no address.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
