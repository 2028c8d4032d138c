//! Typed rows over an embedded store: one writer, every change one atomic batch.
//!
//! Always built, and free of sled, is the seam that the pure machines see: [`Table`], [`Scope`], [`Batch`], [`Read`], the
//! [`Overlay`] through which an engine reads its own uncommitted writes, and [`MemoryStore`]. Feature `store` adds what keeps
//! rows on a disk: `guarded` (sled with its known faults handled; raw bytes, also the relay's), `keyring` and `sealed` (values
//! encrypted by keys that can be destroyed), `snapshot` (copies to restore from) and `Store`, which ties them.
//!
//! It does not know what a value means, does not migrate values (their owners read formats N and N−1) and has no clock: `now`
//! comes with each batch.
//!
//! # Key layouts
//!
//! A key carries nothing a person wrote: ids, numbers, hashes. Integers in keys are big endian, so that order is numeric.
//! Numbers of tables are never reused.
//!
//! | number | table | key | value |
//! |---|---|---|---|
//! | 1 | `Meta` | name of the entry | format number, schema facts |
//! | 2 | `Account` | field, or account id ‖ field | own account, records of accounts seen |
//! | 3 | `Contact` | account id | contact, verification, block |
//! | 4 | `Request` | account id | contact request, waiting or answered |
//! | 5 | `Conversation` | conversation id | state of a conversation's engine |
//! | 6 | `Event` | conversation id ‖ device id ‖ incarnation ‖ sequence (u64) | signed header, and its content if that is short; written anew without it when it is erased |
//! | 7 | `Content` | as `Event` | content of the event that is long; erased on its own |
//! | 8 | `Feed` | conversation id [‖ device id ‖ incarnation [‖ 1]] | own incarnation and clock; head and gaps of a feed; its fault |
//! | 9 | `Group` | group id ‖ field | cursor of the home's log, roster |
//! | 10 | `Mls` | group id (or 32 zero bytes) ‖ label ‖ key | OpenMLS's own rows |
//! | 11 | `Outbox` | conversation id ‖ device id ‖ incarnation [‖ 1], or `letter/` ‖ envelope id | what a device was given of an own feed; how far a feed's messages have come; letter not yet delivered |
//! | 12 | `Mark` | conversation id ‖ device id | delivered and read marks |
//! | 13 | `Token` | token, or account id | tokens given and received |
//! | 14 | `KeyPackage` | hash reference | own key packages and their private parts |
//! | 15 | `Parked` | group id ‖ envelope id, or as `Event` | envelope that cannot be read yet, and since when; event of an unknown device |
//! | 16 | `Transcript` | as `Event`, or conversation id | this reader's own transcript of a voice note; how its voice notes are listened to |
//! | 17 | `HomeLog` | group id ‖ index (u64) | entries of a log for which this device is the home |
//! | 18 | `Timeline` | conversation id ‖ clock (u64) ‖ device id ‖ incarnation ‖ sequence (u64) | index: order of display |
//! | 19 | `Seen` | envelope id | envelope already handled |
//! | 20 | `Change` | conversation id ‖ place of its target (as `Event`) ‖ kind (u8) ‖ account id ‖ clock (u64) ‖ own place (as `Event`) | an edit, a delete or a reaction |
//! | 21 | `Summary` | conversation id | last message and unread count |
//! | 22 | `Address` | device id | where the device was last found |
//! | 23 | `Attachment` | as `Event` | which attachment the event names |
//! | 24 | `Transfer` | as `Event` | how far the transfer of its attachment has come |
//! | 25 | `Heard` | as `Event` | how far this reader has listened to a voice note |
//! | 26 | `Context` | conversation id ‖ 8 bytes of a hash | group, epoch and head of the log that many events name |
//!
//! # Invariants
//!
//! - A key is at most [`MAX_KEY_BYTES`] long.
//! - A batch is applied wholly or not at all, and batches in the order of their submission.
//! - A row of [`Scope::Group`] has a key that begins with the group's id: its keys are renewed daily, and that is how the
//!   rows to seal again are found.
//! - What a dropped scope sealed reads as absent.
//!
//! Source: DESIGN §2 and §7; `docs/adr/0003-sled-guards.md`.

mod batch;
#[cfg(all(feature = "store", feature = "test-utils"))]
pub mod decoders;
#[cfg(feature = "store")]
mod disk;
#[cfg(feature = "store")]
mod error;
#[cfg(feature = "store")]
mod file;
#[cfg(feature = "store")]
#[expect(clippy::disallowed_methods, reason = "it owns the threads that write, and names stores at random")]
pub mod guarded;
#[cfg(feature = "store")]
#[expect(
    clippy::disallowed_methods,
    reason = "keys and nonces are random and never repeated, whatever the caller does"
)]
mod keyring;
mod memory;
mod overlay;
mod read;
#[cfg(feature = "store")]
mod records;
#[cfg(feature = "store")]
mod sealed;
#[cfg(feature = "store")]
mod sealed_file;
#[cfg(feature = "store")]
mod snapshot;
mod table;

pub use batch::{Batch, Op, Scope};
#[cfg(feature = "store")]
pub use disk::{Options, Store};
#[cfg(feature = "store")]
pub use error::StoreError;
#[cfg(feature = "store")]
pub use file::{create_private, create_private_dir, private, remove_private, rename_durably, sync_dir, write_private};
#[cfg(feature = "store")]
pub use guarded::{Done, Opened};
#[cfg(feature = "store")]
pub use keyring::{Opener, RingKey};
pub use memory::MemoryStore;
pub use overlay::Overlay;
pub use read::{Range, Read, ReadError, Row};
#[cfg(feature = "store")]
pub use sealed_file::{MAX_BLOCK, SealedFile};
pub use table::{MAX_KEY_BYTES, Table};
