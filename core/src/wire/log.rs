//! The home's log: its entries, and what a member and a home say to each other.
//!
//! The same requests go to a relay (inside [`super::relay::Request`]) and to a device that is a home.

use serde::{Deserialize, Serialize};

use super::codec::{Body, DecodeError, at_most, hash};
use super::event::LogHead;
use crate::types::{GroupId, Hash, Timestamp};

/// Label under which a home signs an entry.
pub const SIGNATURE_LABEL: &str = "kith/log/1";

/// The most bytes of one blob: a commit that adds 500 devices with hybrid keys is 1.35 MB.
pub const MAX_BLOB: usize = 4 * 1024 * 1024;

/// The most entries in one answer.
pub const MAX_ENTRIES: usize = 64;

/// What a home signs of an entry. Its hash is that of its encoded bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The group whose log it is.
    #[serde(rename = "g")]
    pub group: GroupId,
    /// Raised when a home took up a log that it may have lost the end of.
    #[serde(rename = "t")]
    pub term: u32,
    /// Its number, from 0.
    #[serde(rename = "n")]
    pub index: u64,
    /// Hash of the entry before it; all zero at 0.
    #[serde(rename = "p")]
    pub previous: Hash,
    /// Hash of the blob: [`blob_hash`].
    #[serde(rename = "b")]
    pub blob: Hash,
    /// When the home took it, by its clock: for the eye only.
    #[serde(rename = "w")]
    pub wall: Timestamp,
}

impl Body for Entry {
    const MAX_BYTES: usize = 512;
}

/// An entry as it travels: its bytes, the home's signature over label, zero byte and bytes, and the blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedEntry {
    /// The encoded [`Entry`].
    #[serde(rename = "e", with = "serde_bytes")]
    pub entry: Vec<u8>,
    /// Ed25519 signature by the home's key, 64 bytes.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
    /// What was appended: an MLS commit. Absent in a proof.
    #[serde(rename = "b", with = "serde_bytes")]
    pub blob: Vec<u8>,
}

/// Two signed entries of one log for one index: proof that the home lies (or lost its memory).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equivocation {
    /// One entry, without its blob.
    #[serde(rename = "a")]
    pub one: UnverifiedEntry,
    /// The other, without its blob.
    #[serde(rename = "b")]
    pub other: UnverifiedEntry,
}

/// What a member asks of a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Begin a log.
    #[serde(rename = "c")]
    Create {
        /// The new group.
        #[serde(rename = "g")]
        group: GroupId,
        /// Hash of the key that the first append must show.
        #[serde(rename = "k")]
        write_key_hash: Hash,
    },
    /// Append, if the log's head is still the one named.
    #[serde(rename = "a")]
    Append {
        /// Whose log.
        #[serde(rename = "g")]
        group: GroupId,
        /// The head that the appender walked to.
        #[serde(rename = "h")]
        head: LogHead,
        /// An exporter value of a recent epoch, whose hash the home knows.
        #[serde(rename = "k")]
        write_key: Hash,
        /// Hash of the write key of the epoch that this commit begins.
        #[serde(rename = "n")]
        next_write_key_hash: Hash,
        /// The commit.
        #[serde(rename = "b", with = "serde_bytes")]
        blob: Vec<u8>,
    },
    /// Entries from an index on.
    #[serde(rename = "r")]
    Read {
        /// Whose log.
        #[serde(rename = "g")]
        group: GroupId,
        /// The first index wanted.
        #[serde(rename = "f")]
        from: u64,
        /// At most so many, and never over [`MAX_ENTRIES`].
        #[serde(rename = "l")]
        limit: u16,
    },
}

/// What a home answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// The log was begun, or had been begun with the same key.
    #[serde(rename = "c")]
    Created,
    /// Appended: durable, and this is the entry (without the blob).
    #[serde(rename = "a")]
    Appended(UnverifiedEntry),
    /// Entries, oldest first, and the head of the log.
    #[serde(rename = "e")]
    Entries {
        /// The entries asked for, as far as they fit.
        #[serde(rename = "e")]
        entries: Vec<UnverifiedEntry>,
        /// The log's head now.
        #[serde(rename = "h")]
        head: LogHead,
    },
    /// Refused, and why.
    #[serde(rename = "x")]
    Refused(Refusal),
}

/// Why a home refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The log's head is another one: fetch, rebase, try again.
    #[error("the log has grown")]
    Conflict,
    /// No log of that group is kept here.
    #[error("this home does not know the group")]
    UnknownGroup,
    /// A log of that group exists, with another key.
    #[error("the group exists already")]
    Exists,
    /// The write key is of no recent epoch.
    #[error("the write key is not of a recent epoch")]
    WrongKey,
    /// Too many appends, too large, or the log is full.
    #[error("the home's limit is reached")]
    Limit,
    /// The disk is full or the home is shutting down.
    #[error("the home cannot take it now")]
    TryLater,
}

impl Body for Request {
    const MAX_BYTES: usize = MAX_BLOB + 1024;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Append { blob, .. } if blob.is_empty() || blob.len() > MAX_BLOB => {
                Err(DecodeError::OutOfBounds("blob"))
            }
            Self::Create { .. } | Self::Append { .. } | Self::Read { .. } => Ok(()),
        }
    }
}

impl Body for Response {
    const MAX_BYTES: usize = 2 * MAX_BLOB;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Entries { entries, .. } => at_most(entries, MAX_ENTRIES, "entries"),
            Self::Created | Self::Appended(_) | Self::Refused(_) => Ok(()),
        }
    }
}

/// The hash of a blob that an entry names.
pub fn blob_hash(blob: &[u8]) -> Hash {
    hash("kith/log-blob/1", &[blob])
}

/// The hash of an entry that its successor and every [`LogHead`] name.
pub fn entry_hash(entry: &[u8]) -> Hash {
    hash("kith/log-entry/1", &[entry])
}

/// The hash of a write key that a home keeps.
pub fn write_key_hash(key: &Hash) -> Hash {
    hash("kith/log-write/1", &[key.as_ref()])
}
