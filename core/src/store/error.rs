//! Why a store could not do what it was asked.

use std::io;

use super::{ReadError, Table};

/// A store could not be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("the profile is already open{}", process.map(|id| format!(" by process {id}")).unwrap_or_default())]
    AlreadyOpen {
        /// That process, if it said.
        process: Option<u32>,
    },
    /// There was a store here and it is gone or empty. It is not a first run: nothing may be created in its place.
    #[error("the store of this profile is missing; restore it from a snapshot")]
    Missing,
    /// The store cannot be opened, even from its log alone.
    #[error("the store of this profile is damaged; restore it from a snapshot")]
    Damaged,
    /// The store belongs to another profile than the marker beside it.
    #[error("the store belongs to another profile; put its own back or restore it from a snapshot")]
    Mismatched,
    /// It was written by a newer release.
    #[error("the store was written by a newer Kith (format {found}, this one knows {known}); install that one")]
    FromTheFuture {
        /// Its format number.
        found: u8,
        /// The greatest that is known here.
        known: u8,
    },
    /// It was written by a release older than the last.
    #[error("the store was written by an old Kith (format {found}); open it once with a release between")]
    TooOld {
        /// Its format number.
        found: u8,
    },
    /// The passphrase or the key from the keychain does not open the key ring.
    #[error("the passphrase or the key does not open this profile's key ring")]
    WrongKey,
    /// The key ring is missing beside a store that needs it.
    #[error("the key ring of this profile is missing; without it the store cannot be read")]
    RingMissing,
    /// The key ring is not what was written.
    #[error("the key ring of this profile is damaged; without it the store cannot be read")]
    RingDamaged,
    /// No snapshot could be verified.
    #[error("there is no snapshot that can be restored")]
    NoSnapshot,
    /// The disk is full.
    #[error("the disk is full: make room on it")]
    Full,
    /// A key or a value is larger than a store takes.
    #[error("a row of {bytes} bytes is too large to store")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A row of a group's scope has a key that does not begin with the group's id.
    #[error("a row of table {table:?} is not under its group")]
    Misplaced {
        /// The table of the row.
        table: Table,
    },
    /// A value could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An earlier write failed: nothing is written any more until the store is opened again.
    #[error("the store stopped after a failed write ({0}); open it again")]
    Stopped(String),
    /// Whoever used it has ended.
    #[error("the profile was closed")]
    Closed,
    /// The operating system refused.
    #[error("the store could not be used: {0}")]
    Io(String),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::Full,
            _ => Self::Io(error.to_string()),
        }
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => error.into(),
            sled::Error::Corruption { .. } => Self::Damaged,
            sled::Error::Unsupported(what) | sled::Error::ReportableBug(what) => Self::Io(what),
            sled::Error::CollectionNotFound(_) => Self::Missing,
        }
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Read(error) => error,
            StoreError::Full => Self::Full,
            error => Self::Io(error.to_string()),
        }
    }
}
