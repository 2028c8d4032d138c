//! Envelopes: what is delivered to a device, and the packets in them.

use serde::{Deserialize, Serialize};

use super::codec::{Body, DecodeError};
use crate::types::{AccountId, ConversationId, EnvelopeId, GroupId};

/// The most bytes of a packet: a repair bundle of 64 KiB or a note of 72 KiB in an MLS message with its padding, or a Welcome
/// for a group of 500 devices (1.32 MB).
pub const MAX_PACKET: usize = 2 * 1024 * 1024;

/// How an envelope is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// Kept until its device has it, 30 days at most.
    #[serde(rename = "d")]
    Durable,
    /// Kept so many seconds at most.
    #[serde(rename = "e")]
    Ephemeral {
        /// Seconds; at most an hour.
        #[serde(rename = "t")]
        ttl_s: u32,
    },
    /// Given to a device that is connected now, else dropped.
    #[serde(rename = "l")]
    LiveOnly,
}

/// Whether a sleeping device is to be woken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Urgency {
    /// Can wait until the device is there by itself.
    #[serde(rename = "q")]
    Quiet,
    /// As a message.
    #[serde(rename = "n")]
    Normal,
    /// As a call.
    #[serde(rename = "w")]
    Wake,
}

/// What is delivered to a device, once, whatever ways it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Names it: a deposit is idempotent by it, a receiver drops what it has seen.
    #[serde(rename = "i")]
    pub id: EnvelopeId,
    /// How it is kept.
    #[serde(rename = "c")]
    pub class: Class,
    /// Whether it wakes.
    #[serde(rename = "u")]
    pub urgency: Urgency,
    /// An encoded [`Packet`].
    #[serde(rename = "p", with = "serde_bytes")]
    pub packet: Vec<u8>,
}

impl Body for Envelope {
    const MAX_BYTES: usize = MAX_PACKET + 256;

    fn check(&self) -> Result<(), DecodeError> {
        if self.packet.len() > MAX_PACKET {
            return Err(DecodeError::OutOfBounds("packet"));
        }
        match self.class {
            Class::Ephemeral { ttl_s } if ttl_s > 3600 => Err(DecodeError::OutOfBounds("ttl")),
            Class::Ephemeral { .. } | Class::Durable | Class::LiveOnly => Ok(()),
        }
    }
}

/// What an envelope carries. All but the outermost routing is ciphertext.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Packet {
    /// An MLS PrivateMessage (RFC 9420 §6.3) with an encoded [`super::message::Message`].
    #[serde(rename = "m")]
    Mls {
        /// Its group.
        #[serde(rename = "g")]
        group: GroupId,
        /// The MLSMessage.
        #[serde(rename = "b", with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// An MLS Welcome (RFC 9420 §12.4.3.1) with the ratchet tree in its extension.
    #[serde(rename = "w")]
    Welcome {
        /// The group that it leads into.
        #[serde(rename = "g")]
        group: GroupId,
        /// The MLSMessage.
        #[serde(rename = "b", with = "serde_bytes")]
        message: Vec<u8>,
        /// An MLS PrivateMessage of the epoch that it leads into, with [`super::message::Anchors`].
        #[serde(rename = "a", with = "serde_bytes")]
        anchors: Vec<u8>,
    },
    /// "The log of this group has grown."
    #[serde(rename = "h")]
    Hint {
        /// The group.
        #[serde(rename = "g")]
        group: GroupId,
        /// Entries there are now, as the sender knows.
        #[serde(rename = "n")]
        next: u64,
    },
    /// A card or a plea sealed by HPKE (RFC 9180) to a prekey of the receiver's account record: an encoded
    /// [`super::message::Sealed`] under the context of its purpose.
    #[serde(rename = "s")]
    Sealed {
        /// The account it is for.
        #[serde(rename = "a")]
        to: AccountId,
        /// Which prekey of its record.
        #[serde(rename = "k")]
        prekey: u32,
        /// HPKE `enc` and ciphertext.
        #[serde(rename = "b", with = "serde_bytes")]
        sealed: Vec<u8>,
    },
    /// Signed entries of the group's log: proof that the home lies, or with the same entry twice what the sender walked. Not under
    /// MLS, since those who were shown different logs have no epoch in common; each entry speaks for itself.
    #[serde(rename = "q")]
    Shown {
        /// The group.
        #[serde(rename = "g")]
        group: GroupId,
        /// The entries.
        #[serde(rename = "e")]
        shown: super::log::Equivocation,
    },
    /// "Another group took over from this one, and whoever gets this is not in it." It proves nothing: its receiver asks to be added
    /// and keeps its place meanwhile.
    #[serde(rename = "o")]
    Over {
        /// The group that is over.
        #[serde(rename = "g")]
        group: GroupId,
    },
    /// "You have a place in this group, and no key package of yours can be had: ask to be added." Its receiver believes it of its own
    /// account's devices, and of a contact in the conversation with that contact.
    #[serde(rename = "n")]
    Wanted {
        /// The conversation that the group is of.
        #[serde(rename = "c")]
        conversation: ConversationId,
        /// The group.
        #[serde(rename = "g")]
        group: GroupId,
    },
}

impl Body for Packet {
    const MAX_BYTES: usize = MAX_PACKET;
}

impl std::fmt::Debug for Packet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, bytes) = match self {
            Self::Mls { message, .. } => ("Mls", message.len()),
            Self::Welcome { message, anchors, .. } => ("Welcome", message.len().saturating_add(anchors.len())),
            Self::Hint { .. } => ("Hint", 0),
            Self::Shown { .. } => ("Shown", 0),
            Self::Over { .. } => ("Over", 0),
            Self::Wanted { .. } => ("Wanted", 0),
            Self::Sealed { sealed, .. } => ("Sealed", sealed.len()),
        };
        write!(formatter, "Packet::{name}({bytes} bytes …)")
    }
}
