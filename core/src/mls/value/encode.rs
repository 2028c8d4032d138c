//! Trees to bytes, whole or in chunks.

use std::collections::BTreeMap;

use ring::digest;

use super::Value;

/// Bytes of a chunk's id: enough that two different chunks of one group never share one.
pub(in crate::mls) const CHUNK_ID_BYTES: usize = 16;

/// Names a chunk by its content.
pub(in crate::mls) type ChunkId = [u8; CHUNK_ID_BYTES];

/// A part larger than this becomes a chunk of its own: a ratchet that has just been used stays below it, one with a window of
/// kept keys lies above.
const CHUNK_BYTES: usize = 384;

/// Kinds of a node; the head is the kind in the upper four bits and a number, or its length in bytes, in the lower four.
pub(super) mod kind {
    pub(in crate::mls::value) const SIMPLE: u8 = 0;
    pub(in crate::mls::value) const UNSIGNED: u8 = 1;
    pub(in crate::mls::value) const NEGATIVE: u8 = 2;
    pub(in crate::mls::value) const BYTES: u8 = 3;
    pub(in crate::mls::value) const TEXT: u8 = 4;
    pub(in crate::mls::value) const LIST: u8 = 5;
    pub(in crate::mls::value) const MAP: u8 = 6;
    pub(in crate::mls::value) const LINK: u8 = 7;
    /// A run of empty places in a list.
    pub(in crate::mls::value) const NULLS: u8 = 8;
}

/// Numbers up to this stand in the head itself; above come 1, 2, 4 or 8 bytes, big endian.
pub(super) const INLINE_MAX: u8 = 11;

/// The bytes of a tree.
pub(in crate::mls) fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder { out: Vec::new(), chunks: None };
    encoder.value(value);
    encoder.out
}

/// The bytes of a tree whose large parts are replaced by links, and those parts by their ids.
///
/// `domain` is hashed into each id, so that equal parts of two groups have different ids.
pub(in crate::mls) fn encode_chunked(value: &Value, domain: &[u8]) -> (Vec<u8>, Parts) {
    chunked(domain, |encoder| encoder.value(value))
}

/// The same of a tree that is a part itself: if it is large, its bytes are a link.
pub(in crate::mls) fn encode_part(value: &Value, domain: &[u8]) -> (Vec<u8>, Parts) {
    chunked(domain, |encoder| encoder.part(value))
}

fn chunked(domain: &[u8], encode: impl FnOnce(&mut Encoder<'_>)) -> (Vec<u8>, Parts) {
    let mut encoder = Encoder { out: Vec::new(), chunks: Some((domain, BTreeMap::new())) };
    encode(&mut encoder);
    let chunks = encoder.chunks.map(|(_, chunks)| chunks).unwrap_or_default();
    (encoder.out, chunks)
}

/// Parts by their ids.
pub(in crate::mls) type Parts = BTreeMap<ChunkId, Vec<u8>>;

struct Encoder<'a> {
    out: Vec<u8>,
    /// What is hashed into ids, and the parts so far; nothing if the tree is to stay whole.
    chunks: Option<(&'a [u8], Parts)>,
}

impl Encoder<'_> {
    fn head(&mut self, kind: u8, number: u64) {
        let kind = kind << 4;
        if number <= u64::from(INLINE_MAX) {
            self.out.push(kind | number.to_be_bytes()[7]);
        } else if let Ok(number) = u8::try_from(number) {
            self.out.extend([kind | 12, number]);
        } else if let Ok(number) = u16::try_from(number) {
            self.out.push(kind | 13);
            self.out.extend(number.to_be_bytes());
        } else if let Ok(number) = u32::try_from(number) {
            self.out.push(kind | 14);
            self.out.extend(number.to_be_bytes());
        } else {
            self.out.push(kind | 15);
            self.out.extend(number.to_be_bytes());
        }
    }

    fn sized(&mut self, kind: u8, bytes: &[u8]) {
        self.head(kind, bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.head(kind::SIMPLE, 0),
            Value::Bool(flag) => self.head(kind::SIMPLE, 1 + u64::from(*flag)),
            Value::Byte(byte) => self.head(kind::UNSIGNED, u64::from(*byte)),
            Value::Unsigned(number) => self.head(kind::UNSIGNED, *number),
            Value::Negative(number) => self.head(kind::NEGATIVE, number.unsigned_abs()),
            Value::Bytes(bytes) => self.sized(kind::BYTES, bytes),
            Value::Text(text) => self.sized(kind::TEXT, text.as_bytes()),
            Value::List(values) => self.list(values),
            Value::Map(pairs) => {
                self.head(kind::MAP, pairs.len() as u64);
                for (key, value) in pairs {
                    self.value(key);
                    self.part(value);
                }
            }
            Value::Link(id) => self.sized(kind::LINK, id),
            Value::Encoded(bytes) => self.out.extend_from_slice(bytes),
        }
    }

    fn list(&mut self, values: &[Value]) {
        self.head(kind::LIST, values.len() as u64);
        let mut nulls = 0;
        for value in values {
            if *value == Value::Null {
                nulls += 1;
                continue;
            }
            self.nulls(&mut nulls);
            self.part(value);
        }
        self.nulls(&mut nulls);
    }

    fn nulls(&mut self, count: &mut u64) {
        match std::mem::take(count) {
            0 => {}
            1 => self.head(kind::SIMPLE, 0),
            count => self.head(kind::NULLS, count),
        }
    }

    /// A part of a list or map; moved out into a chunk if it is large.
    fn part(&mut self, value: &Value) {
        let start = self.out.len();
        self.value(value);
        let Some((domain, chunks)) = &mut self.chunks else { return };
        if self.out.len().saturating_sub(start) <= CHUNK_BYTES {
            return;
        }
        let part = self.out.split_off(start);
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(domain);
        hash.update(&part);
        let mut id = [0; CHUNK_ID_BYTES];
        for (to, from) in id.iter_mut().zip(hash.finish().as_ref()) {
            *to = *from;
        }
        chunks.insert(id, part);
        self.sized(kind::LINK, &id);
    }
}
