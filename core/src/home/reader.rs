//! The reader's side: what an entry proves.

use crate::identity::{Context, PublicKey, Signature};
use crate::types::{GroupId, Hash};
use crate::wire::codec::{Body, DecodeError};
use crate::wire::event::LogHead;
use crate::wire::log::{self, Entry, Equivocation, UnverifiedEntry};

/// An entry that the home signed and that follows the head it was checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub entry: Entry,
    /// Its hash, which its successor names.
    pub hash: Hash,
}

impl Verified {
    /// The log's head after it.
    pub const fn head(&self) -> LogHead {
        LogHead { next: self.entry.index.saturating_add(1), hash: self.hash }
    }
}

/// Why an entry is not the next of a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Its bytes are not an entry.
    #[error("a log entry is malformed: {0}")]
    Malformed(DecodeError),
    /// The home did not sign it.
    #[error("the home did not sign this log entry")]
    BadSignature,
    /// It is of another group's log.
    #[error("the log entry is of another group")]
    OtherGroup,
    /// It has another number than the next.
    #[error("log entry {expected} was expected, {found} came")]
    Gap {
        /// The next number.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// It has the next number and follows another entry than the one seen: the home tells two histories. Ask the others for the
    /// entry before it; with the own one it is an [`Equivocation`].
    #[error("the home shows another history of the log than before")]
    OtherHistory {
        /// The entry's number.
        index: u64,
    },
    /// The blob is not the one that was signed.
    #[error("the log entry's blob is not the one that the home signed")]
    OtherBlob,
    /// The two entries of a proof do not contradict each other.
    #[error("the two log entries do not contradict each other")]
    NoContradiction,
}

/// Checks that `home` signed an entry of `group`, that it follows `expected`, and that the blob is the one signed.
///
/// # Errors
/// [`EntryError`], which names the first thing that is wrong.
pub fn verify_entry(
    unverified: &UnverifiedEntry,
    home: &PublicKey,
    group: GroupId,
    expected: &LogHead,
) -> Result<Verified, EntryError> {
    let verified = verify_signed(unverified, home)?;
    let entry = &verified.entry;
    if entry.group != group {
        return Err(EntryError::OtherGroup);
    }
    if entry.index != expected.next {
        return Err(EntryError::Gap { expected: expected.next, found: entry.index });
    }
    if entry.previous != expected.hash {
        return Err(EntryError::OtherHistory { index: entry.index });
    }
    if log::blob_hash(&unverified.blob) != entry.blob {
        return Err(EntryError::OtherBlob);
    }
    Ok(verified)
}

/// What two contradicting entries prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equivocated {
    /// The group whose log it is.
    pub group: GroupId,
    /// The number that was given twice.
    pub index: u64,
    /// The terms of both, the lower first. Different ones say that the home took the log up again after a loss and named it.
    pub terms: (u32, u32),
}

/// Checks a proof: both entries are signed by `home`, of one group and number, and not the same.
///
/// # Errors
/// [`EntryError::NoContradiction`] if they do not contradict each other, or why one of them counts for nothing.
pub fn equivocation(proof: &Equivocation, home: &PublicKey) -> Result<Equivocated, EntryError> {
    let one = verify_signed(&proof.one, home)?;
    let other = verify_signed(&proof.other, home)?;
    let same_place = one.entry.group == other.entry.group && one.entry.index == other.entry.index;
    if !same_place || one.hash == other.hash {
        return Err(EntryError::NoContradiction);
    }
    let (one, other) = (one.entry, other.entry);
    let terms = (one.term.min(other.term), one.term.max(other.term));
    Ok(Equivocated { group: one.group, index: one.index, terms })
}

/// Checks that `home` signed an entry, be it of whichever log and place.
///
/// # Errors
/// [`EntryError`] if it did not, or what it signed is no entry.
pub fn verify_signed(unverified: &UnverifiedEntry, home: &PublicKey) -> Result<Verified, EntryError> {
    let signature = Signature::try_from(unverified.signature.as_slice()).map_err(|_| EntryError::BadSignature)?;
    home.verify(Context::Log, &unverified.entry, &signature).map_err(|_| EntryError::BadSignature)?;
    let entry = Entry::decode(&unverified.entry).map_err(EntryError::Malformed)?;
    Ok(Verified { entry, hash: log::entry_hash(&unverified.entry) })
}
