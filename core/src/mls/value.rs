//! The stored form of OpenMLS's values: a tree, encoded compactly.
//!
//! OpenMLS hands over whatever implements `serde`, and most of its byte strings as lists of numbers. A value is first turned
//! into a tree, in which a list of bytes is recognised as a byte string, and the tree is then encoded; on the way back either
//! form is offered, whichever is asked for. Structs keep the names of their fields, since OpenMLS adds fields between releases
//! and relies on a self-describing format.
//!
//! Invariant: nothing panics on damaged bytes, and no length is trusted before as many bytes are there.

mod de;
mod decode;
mod encode;
mod ser;

use std::borrow::Cow;

pub(super) use de::from_value;
pub(super) use decode::decode;
pub(super) use encode::{ChunkId, encode, encode_chunked, encode_part};
pub(super) use ser::{to_value, to_value_without};
use zeroize::Zeroizing;

/// A tree of values.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// One byte; a list of these becomes [`Value::Bytes`]. Alone it is encoded as a number.
    Byte(u8),
    Unsigned(u64),
    Negative(i64),
    Bytes(Zeroizing<Vec<u8>>),
    Text(Cow<'static, str>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// Stands for a part that is stored in a row of its own.
    Link(ChunkId),
    /// A part that is encoded already.
    Encoded(Vec<u8>),
}

/// The bytes are not an encoded value, or not one of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stored MLS value: {0}")]
pub(super) struct ValueError(pub(super) String);

impl serde::ser::Error for ValueError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Value {
    /// The first byte string within it, depth first: the bytes of an id, whatever newtypes wrap them.
    pub(super) fn first_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::List(values) => values.iter().find_map(Self::first_bytes),
            Self::Map(pairs) => pairs.iter().find_map(|(_, value)| value.first_bytes()),
            _ => None,
        }
    }

    /// The value of a field, if this is a struct that has it.
    pub(super) fn field_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter_mut().find(|(key, _)| matches!(key, Self::Text(text) if text == name)).map(|(_, value)| value)
    }

    /// Sets every field of this name to nothing.
    pub(super) fn clear_field(&mut self, name: &str) {
        match self {
            Self::List(values) => values.iter_mut().for_each(|value| value.clear_field(name)),
            Self::Map(pairs) => {
                for (key, value) in pairs {
                    if matches!(key, Self::Text(text) if text == name) {
                        *value = Self::Null;
                    } else {
                        value.clear_field(name);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Nothing,
        One(u64),
        Two(u8, Option<i64>),
        Named { bytes: Vec<u8>, list: Vec<Option<u16>>, array: [u8; 4] },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        shapes: Vec<Shape>,
        map: BTreeMap<u32, String>,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        flag: bool,
        unit: (),
    }

    fn sample() -> All {
        let named = Shape::Named { bytes: vec![255; 70], list: vec![None, None, None, Some(300)], array: [1, 2, 3, 4] };
        All {
            shapes: vec![Shape::Nothing, Shape::One(u64::MAX), Shape::Two(7, Some(i64::MIN)), named],
            map: BTreeMap::from([(1, "one".into()), (70_000, String::new())]),
            bytes: vec![1, 2, 3],
            flag: true,
            unit: (),
        }
    }

    #[test]
    fn every_shape_survives() {
        let bytes = encode(&to_value(&sample()).unwrap());
        assert_eq!(from_value::<All>(decode(&bytes).unwrap()), Ok(sample()));
    }

    #[test]
    fn bytes_are_stored_as_bytes() {
        let bytes = encode(&to_value(&vec![200_u8; 1000]).unwrap());
        assert!(bytes.len() < 1010, "{}", bytes.len());
    }

    #[test]
    fn empty_places_take_no_room() {
        let bytes = encode(&to_value(&vec![None::<u64>; 1000]).unwrap());
        assert!(bytes.len() < 16, "{}", bytes.len());
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_an_error_or_another_value(mut at in 0_usize..100, flip in 1_u8.., cut in 0_usize..100) {
            let mut bytes = encode(&to_value(&sample()).unwrap());
            at %= bytes.len();
            bytes[at] ^= flip;
            bytes.truncate(bytes.len().saturating_sub(cut));
            if let Ok(value) = decode(&bytes) {
                let _ = from_value::<All>(value);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
