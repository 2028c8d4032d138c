//! Sealed attachments on a disk, and their transfers as machines.
//!
//! [`seal`] makes chunks of a file and a file of chunks; [`Shelf`] keeps sealed chunks in files beside the store; [`transfer`] decides
//! what is asked of whom, without asking anybody. It does not know what a message is, who may have what, or how sources are reached.
//!
//! Invariants: whatever a file's size, a few chunks are in memory; a file on the shelf under its id is whole, verified and durable;
//! what was fetched so far is found again by its hashes alone, so that nothing has to be written down while it comes.
//! Source: `docs/adr/0012-attachments.md`.

pub mod seal;
#[expect(clippy::disallowed_methods, reason = "a driver: files, and a thread that writes them")]
mod shelf;
pub mod transfer;

pub use crate::wire::blob::Held;
pub use seal::{Reader, SealError, Sealing};
pub use shelf::{Judge, Part, Shelf, ShelfError};
