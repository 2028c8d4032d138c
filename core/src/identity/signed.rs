//! The envelope of what a root key signs: `{b: body, s: signature, p: the device's signature or nothing}`.
//!
//! The body is kept as it was received; what is signed, hashed and passed on are those bytes, never a new encoding.

use serde::{Deserialize, Serialize};

use super::error::FormatError;
use super::keys::Signature;
use crate::wire::codec::{Body, DecodeError};

/// The envelope. The body is a byte string with its own format number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// The bytes that are signed.
    #[serde(rename = "b", with = "serde_bytes")]
    pub(crate) body: Vec<u8>,
    /// The root key's signature.
    #[serde(rename = "s")]
    pub(crate) signature: Signature,
    /// The certified events key's signature, in certificates only.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) proof: Option<Signature>,
}

impl Body for Envelope {
    /// The largest that is signed is an account record.
    const MAX_BYTES: usize = 64 * 1024;
}

/// Decodes at most `max` bytes; the error says what they were to be.
pub(crate) fn decode<T: Body>(bytes: &[u8], max: usize, what: &'static str) -> Result<T, FormatError> {
    let bounded =
        if bytes.len() > max { Err(DecodeError::TooLong { actual: bytes.len(), limit: max }) } else { Ok(bytes) };
    bounded.and_then(T::decode).map_err(|why| FormatError::Form { what, why })
}
