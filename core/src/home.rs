//! The home's log: an append-only, signed log per group that orders commits and does not judge them.
//!
//! Two sides. [`State`] is the home's: create, compare-and-append, read; explicit state in and out, so that a relay and a device
//! keep it in their own stores. [`verify_entry`] and [`equivocation`] are the reader's: what an entry proves, and when two of
//! them prove that the home lies or lost its memory.
//!
//! It does not know MLS: whether a blob is a commit, and whether its sender was entitled to make it, is the readers' to say.
//!
//! Invariants: an entry names the hash of the one before it; a log's head moves only with an entry; an append shows a key that
//! one of the last [`MAX_WRITE_KEYS`] appends brought. Source: DESIGN §4, `docs/protocol.md`.

mod machine;
mod reader;

pub use machine::{AppendRequest, Appended, Limits, MAX_WRITE_KEYS, State, read_response};
pub use reader::{EntryError, Equivocated, Verified, equivocation, verify_entry, verify_signed};
