//! Groups, key packages, commits and the policy extension, pure, over OpenMLS.
//!
//! Messages, commits and Welcomes in and out as bytes; what they change goes into the caller's [`Batch`]. It does not know who
//! may do what (the engine judges a [`Staged`] commit by its [`Summary`]), what a policy or an identity means (both are bytes
//! here), in which order commits count (the home's log says so), nor any transport.
//!
//! Invariants:
//! - An operation that fails has put nothing into the batch. Of one that succeeded the batch is committed, or the [`Group`] is
//!   dropped and loaded again: it is ahead of the store otherwise.
//! - A commit of one's own is merged only by [`Group::own_commit_accepted`], one of another's only by [`Group::merge`].
//! - Proposals travel inside commits, by value. A stored proposal never exists.
//! - Every random byte comes from the caller's [`Rng`]; time is an argument.
//!
//! Source: RFC 9420; DESIGN §4; `docs/adr/0004-mls-suite.md`.

mod chunks;
mod error;
mod group;
mod kem;
mod key_package;
mod overlay;
mod policy;
mod provider;
mod seal;
mod signer;
mod suite;
mod value;

pub use error::MlsError;
pub use group::{
    Application, Change, Group, Invitation, Leaf, NewLeaf, PAST_EPOCH_MS, Pending, Processed, Staged, Summary,
};
pub use key_package::{KeyPackage, OwnKeyPackage, UnverifiedKeyPackage};
pub use policy::POLICY_MAX_BYTES;
pub use seal::{PrekeySecret, SEALED_MAX_BYTES, Sealed, generate_prekey, open, seal};
pub use signer::LeafSigner;
pub use suite::Suite;

use crate::store::{Batch, Read};
use crate::types::{Rng, Timestamp};

/// The largest plaintext of an application message in bytes: a repair bundle is at most 64 KiB, the rest is for growth.
pub const APPLICATION_MAX_BYTES: usize = 256 * 1024;

/// The largest message, commit or Welcome in bytes: a commit or Welcome for 500 new devices takes 1.4 MB.
pub const MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// The largest identity of a leaf in bytes: an account id and a device certificate take less than a tenth of it.
pub const IDENTITY_MAX_BYTES: usize = 4 * 1024;

/// The largest commit info in bytes: cuts of feeds and account records of all whose devices change.
pub const COMMIT_INFO_MAX_BYTES: usize = 256 * 1024;

/// What an operation works with besides its group.
pub struct Context<'a> {
    /// What is committed. It is read through the batch.
    pub store: &'a dyn Read,
    /// Takes the changes, all of them or, if the operation fails, none.
    pub batch: &'a mut Batch,
    /// Where every random byte comes from.
    pub rng: &'a mut Rng,
    /// The time at which the input is handled; it dates the end of epochs.
    pub now: Timestamp,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Context").field("now", &self.now).finish_non_exhaustive()
    }
}
