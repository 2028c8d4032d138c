//! What devices that listen are given of what came for them.

use std::sync::Arc;

use kith_core::types::DeviceId;
use kith_core::wire::relay::{Cursor, Push, Stored};

/// A push for a device that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub device: DeviceId,
    /// The transport key of the connection on which it listens.
    pub peer: [u8; 32],
    /// What.
    pub what: Delivered,
}

/// What one of many devices is given: the same bytes for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// An envelope that its mailbox keeps.
    Kept {
        /// The queue, and the number after this one.
        cursor: Cursor,
        /// Its number.
        number: u64,
        /// The encoded envelope.
        envelope: Arc<[u8]>,
    },
    /// An envelope that is not kept.
    Live(Arc<[u8]>),
}

impl Delivered {
    /// The encoded envelope.
    pub const fn envelope(&self) -> &Arc<[u8]> {
        match self {
            Self::Kept { envelope, .. } | Self::Live(envelope) => envelope,
        }
    }
}

impl From<Delivered> for Push {
    fn from(delivered: Delivered) -> Self {
        match delivered {
            Delivered::Kept { cursor, number, envelope } => {
                Self::Envelopes { cursor, envelopes: vec![Stored { number, envelope: envelope.to_vec() }] }
            }
            Delivered::Live(envelope) => Self::Live { envelope: envelope.to_vec() },
        }
    }
}
