//! What can go wrong, in terms that the engine can act on.

use crate::store::ReadError;

/// An operation on a group, a key package or a sealed box failed; nothing went into the batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlsError {
    /// The bytes are not what they should be.
    #[error("not a well-formed MLS {0}")]
    Malformed(&'static str),
    /// There are too many bytes.
    #[error("{what} of {bytes} bytes; at most {limit} are allowed")]
    TooLarge {
        /// What they are.
        what: &'static str,
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// It is a message of another group.
    #[error("a message of another group")]
    WrongGroup,
    /// The message belongs to an epoch that this device has not reached: keep it until the log was fetched.
    #[error("a message of epoch {epoch}; this device is at {current}")]
    FutureEpoch {
        /// The message's epoch.
        epoch: u64,
        /// The group's.
        current: u64,
    },
    /// The message belongs to an epoch whose secrets are gone, or never were here: repair brings its events.
    #[error("a message of epoch {epoch}, whose secrets are gone")]
    PastEpochGone {
        /// The message's epoch.
        epoch: u64,
    },
    /// A commit for an epoch that another commit has already ended.
    #[error("a commit for epoch {epoch}, which has ended")]
    StaleCommit {
        /// The epoch it was made in.
        epoch: u64,
    },
    /// The message was read before, or is older than the ratchet remembers.
    #[error("a message that was already read")]
    Replayed,
    /// The message's generation is further ahead than the ratchet may be wound.
    #[error("a message too far ahead of those seen")]
    TooFarAhead,
    /// Decryption or a signature failed.
    #[error("a message that its sender did not write")]
    Forged,
    /// It is genuine, and it does what nobody may do here.
    #[error("not allowed: {0}")]
    NotAllowed(&'static str),
    /// A message of this device's own, back again.
    #[error("a message of this device itself")]
    OwnMessage,
    /// Another suite, version or set of capabilities than Kith's.
    #[error("not supported: {0}")]
    Unsupported(&'static str),
    /// There is a commit that was neither accepted nor discarded.
    #[error("an earlier commit waits for the home's log")]
    CommitPending,
    /// There is no commit to accept or discard.
    #[error("no commit is waiting")]
    NoCommitPending,
    /// A staged commit was made for an epoch that the group has left.
    #[error("the commit was staged in another epoch")]
    NotStagedHere,
    /// This device was removed from the group.
    #[error("this device is no longer in the group")]
    Removed,
    /// A member to remove is not in the group.
    #[error("no leaf {0} in the group")]
    NoSuchLeaf(u32),
    /// No key package of this device opens the Welcome.
    #[error("the invitation is for a key package that is not here")]
    UnknownKeyPackage,
    /// The group is already here.
    #[error("the group is already here")]
    GroupExists,
    /// Rows of the group are missing in the store.
    #[error("the group's state in the store is incomplete")]
    Incomplete,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// A fault within the library or of this module.
    #[error("MLS failed unexpectedly: {0}")]
    Internal(String),
}

impl MlsError {
    /// Whether the store is at fault and not the message: then nothing may be concluded about the message, and the group has
    /// to be loaded again.
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Incomplete)
    }

    /// A fault that should not happen.
    pub(super) fn internal(error: impl std::fmt::Debug) -> Self {
        Self::Internal(format!("{error:?}"))
    }

    /// Refuses bytes beyond a limit.
    pub(super) fn check_size(what: &'static str, bytes: usize, limit: usize) -> Result<(), Self> {
        if bytes > limit { Err(Self::TooLarge { what, bytes, limit }) } else { Ok(()) }
    }
}
