//! The pure engine: conversations as signed feeds.
//!
//! One [`Engine`] is all that a device does with messages, as a state machine without I/O: an [`Input`] goes in, [`Effects`] come
//! out: one store batch, then what to send and to ask, then what to tell. The driver makes the batch durable first and
//! only then releases the rest; if the flush fails it drops the engine and opens it anew from the store.
//!
//! It has no socket, clock, thread or randomness of its own: the same inputs give the same effects.
//!
//! Invariants: whether something counts is a function of the conversation's log and its signed events alone (the law of
//! determinism, DESIGN §2); nothing is acknowledged before the batch that holds it is durable; sending never waits for the home.

pub mod account;
mod api;
pub mod attachment;
mod conversation;
pub mod delivery;
mod engine;
pub mod feed;
pub mod fold;
mod heard;
mod home_log;
pub mod label;
#[cfg(test)]
mod laboratory;
mod letter;
mod membership;
#[cfg(feature = "test-utils")]
pub mod mutation;
mod pause;
pub mod policy;
pub mod profile;
pub mod repair;
#[cfg(feature = "test-utils")]
pub mod rogue;
mod roster;
pub mod shelf;
pub mod timeline;
mod transaction;
mod turn;
pub mod view;

pub use api::{
    Answer, Call, CallFailure, CallTarget, Command, CommandError, Effects, Input, Notice, Now, Outgoing, Path,
    PictureChange, Recipient, Reply, Route, SendOutcome, Verdict,
};
pub use conversation::Habits;
pub use delivery::{Delivery, DeviceState, Due, MessageState, Moved};
pub use engine::Engine;
pub use feed::{AppendError, Changes, Counted, Fault, Feeds, Me, Outcome, Refusal, Writing};
pub use fold::{Item, ItemBody};
pub use heard::Heard;
pub use repair::{OwnFeed, Plan, Round};
pub use roster::{Member, Roster, Standing};
pub use timeline::{Anchor, Summary};
pub use transaction::Transaction;
pub use turn::{EngineError, Turn, get};
pub use view::member_accounts;
