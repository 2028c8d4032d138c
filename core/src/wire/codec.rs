//! A format number and deterministic DAG-CBOR.

use ring::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::types::Hash;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than its kind may be.
    #[error("too long: {actual} bytes where at most {limit} are allowed")]
    TooLong {
        /// Bytes that came.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Nothing there.
    #[error("empty")]
    Empty,
    /// Written by a newer Kith.
    #[error("format {found} is newer than this Kith reads ({newest}): update Kith")]
    FromTheFuture {
        /// The format number that came.
        found: u8,
        /// The newest that is read here.
        newest: u8,
    },
    /// A format number that is no longer, or never was, in use.
    #[error("format {found} is not read any more")]
    UnknownFormat {
        /// The format number that came.
        found: u8,
    },
    /// Not CBOR, not deterministic, or not of this shape.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A field has a value outside its bounds.
    #[error("out of bounds: {0}")]
    OutOfBounds(&'static str),
}

/// A body that crosses a process boundary or is stored.
pub trait Body: Serialize + DeserializeOwned {
    /// The format that is written; it and the one before are read.
    const FORMAT: u8 = 1;
    /// The most bytes an encoded body may have.
    const MAX_BYTES: usize;

    /// Its bytes.
    fn encode(&self) -> Vec<u8> {
        plain(self)
    }

    /// Its bytes, made of what it holds where that is long.
    fn into_bytes(self) -> Vec<u8> {
        self.encode()
    }

    /// Reads and checks a body, which keeps the bytes where it is long.
    ///
    /// # Errors
    /// As [`Body::decode`].
    fn from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        Self::decode(&bytes)
    }

    /// Reads and checks a body.
    ///
    /// # Errors
    /// When it is too long, of another format, malformed, or fails [`Body::check`].
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(DecodeError::TooLong { actual: bytes.len(), limit: Self::MAX_BYTES });
        }
        let (format, body) = bytes.split_first().ok_or(DecodeError::Empty)?;
        match *format {
            found if found > Self::FORMAT => return Err(DecodeError::FromTheFuture { found, newest: Self::FORMAT }),
            found if found == 0 || found.saturating_add(1) < Self::FORMAT => {
                return Err(DecodeError::UnknownFormat { found });
            }
            _ => {}
        }
        let value: Self =
            serde_ipld_dagcbor::from_slice(body).map_err(|error| DecodeError::Malformed(error.to_string()))?;
        value.check()?;
        Ok(value)
    }

    /// What the shape alone cannot say: lengths of lists, ranges of numbers.
    ///
    /// # Errors
    /// [`DecodeError::OutOfBounds`], naming the field.
    fn check(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// Its bytes, as serde writes it.
pub(super) fn plain<B: Body>(body: &B) -> Vec<u8> {
    let mut bytes = vec![B::FORMAT];
    // Writing plain data to a vector has no way to fail.
    if serde_ipld_dagcbor::to_writer(&mut bytes, body).is_err() {
        bytes.clear();
    }
    bytes
}

/// The most bytes that stand before and behind what is long in the bytes of [`around`].
pub(super) const AROUND: usize = 128;

/// The bytes of a body that carries something long: `body` is the same with nothing in its place, which is byte `at`. Keys of a map are
/// put in order when they have been written, for which all of it would be copied twice. What is long becomes these
/// bytes, and is not moved to another place if it has room for [`AROUND`] more.
pub(super) fn around<B: Body>(body: &B, at: usize, mut long: Vec<u8>) -> Vec<u8> {
    let mut before = plain(body);
    let behind = before.split_off(at.min(before.len()));
    before.extend(length_of(long.len()));
    long.splice(0..0, before);
    // Behind the nothing in its place, which is one byte.
    long.extend_from_slice(behind.get(1..).unwrap_or_default());
    long
}

/// What is long in bytes that [`around`] made of a `body` at whose end it stands; the bytes again if it did not.
pub(super) fn within<B: Body>(body: &B, at: usize, mut bytes: Vec<u8>) -> Result<Vec<u8>, Vec<u8>> {
    let mut before = plain(body);
    before.truncate(at);
    let length = bytes.len().saturating_sub(at.saturating_add(LONG_LENGTH));
    before.extend(length_of(length));
    if before.len() != at.saturating_add(LONG_LENGTH) || !bytes.starts_with(&before) {
        return Err(bytes);
    }
    bytes.drain(..before.len());
    Ok(bytes)
}

/// Bytes of the length of more than 65,535 bytes.
const LONG_LENGTH: usize = 5;

/// The length of a string of bytes, which is major type 2 (RFC 8949 §3).
fn length_of(bytes: usize) -> impl Iterator<Item = u8> {
    let length = u32::try_from(bytes).unwrap_or(u32::MAX);
    let [a, b, c, d] = length.to_be_bytes();
    let (bytes, count) = match length {
        0..=23 => ([0x40 | d, 0, 0, 0, 0], 1),
        24..=0xff => ([0x58, d, 0, 0, 0], 2),
        0x100..=0xffff => ([0x59, c, d, 0, 0], 3),
        _ => ([0x5a, a, b, c, d], LONG_LENGTH),
    };
    bytes.into_iter().take(count)
}

/// `SHA-256(label ‖ 0 ‖ parts…)`; a part's length is hashed before it, so that no two lists of parts collide.
pub fn hash(label: &str, parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(label.as_bytes());
    context.update(&[0]);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut bytes = [0; Hash::LEN];
    bytes.copy_from_slice(context.finish().as_ref());
    Hash::new(bytes)
}

/// Errs when a list is longer than `limit`.
///
/// # Errors
/// [`DecodeError::OutOfBounds`], naming the field.
pub fn at_most<T>(list: &[T], limit: usize, field: &'static str) -> Result<(), DecodeError> {
    if list.len() > limit { Err(DecodeError::OutOfBounds(field)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        a: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        a: u8,
        b: u8,
    }
    impl Body for Old {
        const MAX_BYTES: usize = 64;
    }
    impl Body for New {
        const MAX_BYTES: usize = 64;
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert_eq!(Old::decode(&New { a: 1, b: 2 }.encode()), Ok(Old { a: 1 }));
    }

    #[test]
    fn other_formats_are_named() {
        let mut bytes = Old { a: 1 }.encode();
        bytes[0] = 2;
        assert_eq!(Old::decode(&bytes), Err(DecodeError::FromTheFuture { found: 2, newest: 1 }));
        bytes[0] = 0;
        assert_eq!(Old::decode(&bytes), Err(DecodeError::UnknownFormat { found: 0 }));
        assert_eq!(Old::decode(&[]), Err(DecodeError::Empty));
        assert_eq!(Old::decode(&[1; 65]), Err(DecodeError::TooLong { actual: 65, limit: 64 }));
    }

    #[test]
    fn deep_nesting_in_an_unknown_field_is_an_error_and_no_overflow() {
        let mut bytes = vec![1, 0xa2, 0x61, b'a', 1, 0x61, b'b'];
        bytes.extend(std::iter::repeat_n(0x81, 60_000));
        #[derive(Debug, Serialize, Deserialize)]
        struct Big {
            a: u8,
        }
        impl Body for Big {
            const MAX_BYTES: usize = 1 << 20;
        }
        assert!(Big::decode(&bytes).is_err());
    }

    #[test]
    fn parts_are_kept_apart_in_a_hash() {
        assert_ne!(hash("x", &[b"ab", b"c"]), hash("x", &[b"a", b"bc"]));
    }
}
