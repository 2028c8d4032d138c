//! Ids and plain values.
//!
//! Knows nothing of formats, clocks or keys. The only serde here is that of the ids: each is a CBOR byte string.

mod clock;
mod id;

pub use clock::{Clock, Timestamp};
pub use id::{
    AccountId, ContentId, ConversationId, DeviceId, EnvelopeId, FeedId, GroupId, Hash, Incarnation, InvalidId,
    RequestId, Token,
};

/// The pure machines' source of randomness: a seeded stream, so that a simulation is a function of its seed.
/// A driver seeds it from the operating system.
pub type Rng = rand_chacha::ChaCha20Rng;
