//! Address records: where a device is.

use serde::{Deserialize, Serialize};

use super::codec::{Body, DecodeError, at_most};
use crate::types::Timestamp;

/// Label under which a device's events key signs one; also what the seal is bound to.
pub const SIGNATURE_LABEL: &str = "kith/address/1";

/// The most addresses in a record, and the most relays.
pub const MAX_ADDRESSES: usize = 8;

/// Bytes of every sealed record, which is what a relay takes at most.
pub const SEALED_BYTES: usize = 1024;

/// Where a device is. It is sealed for contacts: see `net::seal_addresses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The peer id of its transport key.
    #[serde(rename = "p", with = "serde_bytes")]
    pub peer: Vec<u8>,
    /// Multiaddrs in their binary form, the best first.
    #[serde(rename = "a")]
    pub addresses: Vec<serde_bytes::ByteBuf>,
    /// Its relays, in text.
    #[serde(rename = "r")]
    pub relays: Vec<String>,
    /// When it was written, by the device's clock: of two, the newer counts.
    #[serde(rename = "w")]
    pub written: Timestamp,
    /// Until when it counts.
    #[serde(rename = "e")]
    pub expires: Timestamp,
}

/// A record and its signature over label, zero byte and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAddresses {
    /// The encoded [`Addresses`].
    #[serde(rename = "b", with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Ed25519 signature by the device's events key, 64 bytes.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

impl Body for Addresses {
    const MAX_BYTES: usize = SEALED_BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.addresses, MAX_ADDRESSES, "addresses")?;
        at_most(&self.relays, MAX_ADDRESSES, "relays")
    }
}

impl Body for SignedAddresses {
    const MAX_BYTES: usize = SEALED_BYTES;
}
