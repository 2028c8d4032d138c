//! Requests and answers over libp2p streams that are kept.
//!
//! A *lane* is a stream of one protocol on which one request at a time is asked and answered; it is kept for the next one, so
//! that a request costs one round trip and no negotiation. A frame is a length (four bytes, big endian) and a body. The first
//! byte of an answer's body is a format number from 1 on; an answer that begins with 0 is a [`Refusal`], its code in the
//! second byte.
//!
//! It does not read bodies. Invariants: a length is judged before anything is allocated, and a body's memory grows with what
//! has come, never with what was announced; all bodies under way at one server together stay below its budget; a peer has so
//! many lanes and no more, and what one lane has not answered it does not read on.
//! Source: `docs/protocol-network.md`.

mod frame;
mod lane;
mod probe;
mod serve;
mod streams;

pub use frame::{FrameError, read_frame, write_frame};
pub use lane::{ExchangeError, Lanes};
pub use libp2p::swarm::ConnectionId;
pub use serve::{Answer, Call, Counters, Counts, Limits, serve};
pub use streams::{Admission, Behaviour, Incoming, Returned};
#[cfg(feature = "client")]
pub(crate) use streams::{host, is_circuit};

/// Why a request was not even looked at, whatever its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is not a request of this protocol, or one that the other side does not know.
    #[error("the request is not understood there")]
    Unreadable,
    /// The body is longer than its protocol allows.
    #[error("the request is longer than its kind may be")]
    TooLarge,
    /// Too much is under way there.
    #[error("too much is under way there: try later")]
    Busy,
    /// The asking peer is nobody that the other side talks to.
    #[error("this device is not known there")]
    Stranger,
    /// It is shutting down, or its owner did not answer in time.
    #[error("it cannot answer now: try later")]
    TryLater,
    /// A code that this version does not know.
    #[error("refused, with the unknown code {0}")]
    Other(u8),
}

impl Refusal {
    /// The first byte of an answer that is a refusal; no body has this format number.
    pub const MARK: u8 = 0;

    /// Its code on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Unreadable => 1,
            Self::TooLarge => 2,
            Self::Busy => 3,
            Self::Stranger => 4,
            Self::TryLater => 5,
            Self::Other(code) => code,
        }
    }

    /// The refusal with this code.
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Unreadable,
            2 => Self::TooLarge,
            3 => Self::Busy,
            4 => Self::Stranger,
            5 => Self::TryLater,
            other => Self::Other(other),
        }
    }
}
