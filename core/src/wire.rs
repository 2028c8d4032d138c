//! Every message that crosses a process boundary, versioned.
//!
//! A body is a format number (one byte) and then deterministic DAG-CBOR (RFC 8949 §4.2; maps with short keys, ids as byte
//! strings). Readers take the present format and the one before; unknown fields are ignored; every size is bounded before
//! anything is allocated. What is signed is kept as the bytes that came, and is an `Unverified…` until its signature is checked.
//!
//! It judges shape and signatures, never whether something is allowed. Formats: `docs/protocol.md`.

pub mod address;
pub mod blob;
pub mod codec;
pub mod control;
pub mod envelope;
pub mod event;
pub mod log;
pub mod message;
pub mod relay;

/// libp2p protocol names: `/kith/<name>/<major>`.
pub mod protocol {
    /// Requests of a device to a relay: [`super::relay::Request`].
    pub const RELAY: &str = "/kith/relay/1";
    /// A relay's pushes to a device that is connected: [`super::relay::Push`].
    pub const PUSH: &str = "/kith/push/1";
    /// Envelopes from device to device: [`super::envelope::Envelope`].
    pub const DIRECT: &str = "/kith/direct/1";
    /// Requests to a home that is a device: [`super::log::Request`].
    pub const HOME: &str = "/kith/home/1";
    /// Requests for attachments to whoever holds them, device or relay: [`super::blob::Request`].
    pub const BLOB: &str = "/kith/blob/1";
    /// What identify says we are.
    pub const IDENTIFY: &str = "/kith/id/1";
}
