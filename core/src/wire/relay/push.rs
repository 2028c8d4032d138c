//! What a relay sends by itself, and what is answered.

use serde::{Deserialize, Serialize};

use super::{Cursor, MAX_RESPONSE, Stored};
use crate::wire::codec::{Body, DecodeError, at_most};

/// What a relay sends by itself to a device that has fetched on this connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Push {
    /// New in the mailbox. The answer, [`PushAnswer::Durable`], acknowledges it.
    #[serde(rename = "e")]
    Envelopes {
        /// The queue, and the number after the last of these.
        #[serde(rename = "c")]
        cursor: Cursor,
        /// Oldest first.
        #[serde(rename = "e")]
        envelopes: Vec<Stored>,
    },
    /// An envelope that is not kept.
    #[serde(rename = "l")]
    Live {
        /// The encoded envelope.
        #[serde(rename = "e", with = "serde_bytes")]
        envelope: Vec<u8>,
    },
}

/// A device's answer to a push, or another device's answer to an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PushAnswer {
    /// Durable here, read or parked.
    #[serde(rename = "d")]
    Durable,
    /// Not taken: blocked, or not for this device. It need not be tried again this way.
    #[serde(rename = "n")]
    Refused,
    /// Cannot be stored now.
    #[serde(rename = "t")]
    TryLater,
}

impl Body for Push {
    const MAX_BYTES: usize = MAX_RESPONSE;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Envelopes { envelopes, .. } => at_most(envelopes, 1024, "envelopes"),
            Self::Live { .. } => Ok(()),
        }
    }
}

impl Body for PushAnswer {
    const MAX_BYTES: usize = 64;
}
