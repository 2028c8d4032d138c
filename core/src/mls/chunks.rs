//! The secrets of messages in parts.
//!
//! OpenMLS keeps all ratchets of the current epoch and of the past ones, with the leaves of each, in one value and writes it
//! with every message. Here its large parts are rows of their own, named by their content, so that a message rewrites its
//! sender's ratchet and the few parts above it. An operation that touches the current epoch only does not even look at the past
//! ones, which in a large group are half a megabyte: their part is taken over from the last time.
//!
//! A part's name is a hash of secrets of full entropy: it tells nothing of them. OpenMLS's time stamps, taken from the system's
//! clock, are left out; the end of epochs is dated by the caller's time (see [`super::group`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::overlay::{RowError, wrap_format};
use super::value::{ChunkId, Value, ValueError, encode, encode_chunked, encode_part, to_value, to_value_without};
use crate::types::GroupId;

/// OpenMLS's field that holds the past epochs.
const PAST: &str = "past_epoch_trees";

/// OpenMLS's field that holds a time of the system's clock.
const TIME: &str = "added_at";

/// What the store has of a group's message secrets once the last batch is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stored {
    parts: BTreeSet<ChunkId>,
    past: Option<Past>,
}

/// The past epochs as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Past {
    encoded: Vec<u8>,
    parts: BTreeSet<ChunkId>,
}

/// New secrets of messages, not stored yet.
pub(super) struct Secrets {
    value: Value,
    past_is_stored: bool,
}

/// What to write so that they are stored.
pub(super) struct Written {
    pub(super) root: Vec<u8>,
    pub(super) new: BTreeMap<ChunkId, Vec<u8>>,
    pub(super) gone: Vec<ChunkId>,
    pub(super) stored: Stored,
}

impl Stored {
    /// Whether an operation that leaves the past epochs alone may take them over.
    pub(super) const fn has_past(&self) -> bool {
        self.past.is_some()
    }
}

impl Secrets {
    /// Takes OpenMLS's value; without its past epochs if they are stored as they are.
    pub(super) fn new<T: Serialize>(value: &T, past_is_stored: bool) -> Result<Self, ValueError> {
        let mut value = if past_is_stored { to_value_without(value, PAST)? } else { to_value(value)? };
        value.clear_field(TIME);
        Ok(Self { value, past_is_stored })
    }

    /// What to write, given what is there.
    pub(super) fn write(self, group: &GroupId, stored: &Stored) -> Written {
        let Self { mut value, past_is_stored } = self;
        let mut parts = BTreeMap::new();
        let mut past = None;
        if let Some(field) = value.field_mut(PAST) {
            let now = match &stored.past {
                Some(past) if past_is_stored => past.clone(),
                _ => {
                    let (encoded, of_past) = encode_part(field, group.as_ref());
                    let past = Past { encoded, parts: of_past.keys().copied().collect() };
                    parts.extend(of_past);
                    past
                }
            };
            *field = Value::Encoded(now.encoded.clone());
            past = Some(now);
        }
        let (root, of_present) = encode_chunked(&value, group.as_ref());
        parts.extend(of_present);

        let mut all: BTreeSet<ChunkId> = parts.keys().copied().collect();
        all.extend(past.iter().flat_map(|past| &past.parts));
        let gone = stored.parts.difference(&all).copied().collect();
        parts.retain(|id, _| !stored.parts.contains(id));
        let new = parts.into_iter().map(|(id, part)| (id, wrap_format(&part))).collect();
        Written { root: wrap_format(&root), new, gone, stored: Stored { parts: all, past } }
    }
}

/// Reads a part.
type ReadPart<'a> = &'a mut dyn FnMut(ChunkId) -> Result<Option<Value>, RowError>;

/// Puts a stored value together again, and takes account of what is stored.
pub(super) fn read(root: Value, read: ReadPart<'_>) -> Result<(Value, Stored), RowError> {
    let mut parts = BTreeSet::new();
    let mut root = open(root, read, &mut parts)?;
    let mut past = None;
    if let Some(field) = root.field_mut(PAST) {
        let encoded = encode(field);
        let mut of_past = BTreeSet::new();
        *field = join(std::mem::replace(field, Value::Null), read, &mut of_past)?;
        parts.extend(&of_past);
        past = Some(Past { encoded, parts: of_past });
    }
    let value = join(root, read, &mut parts)?;
    Ok((value, Stored { parts, past }))
}

/// The part a link stands for.
fn open(value: Value, read: ReadPart<'_>, parts: &mut BTreeSet<ChunkId>) -> Result<Value, RowError> {
    let Value::Link(id) = value else { return Ok(value) };
    parts.insert(id);
    Ok(read(id)?.ok_or_else(|| ValueError("a part is missing".into()))?)
}

fn join(value: Value, read: ReadPart<'_>, parts: &mut BTreeSet<ChunkId>) -> Result<Value, RowError> {
    match open(value, read, parts)? {
        Value::List(values) => {
            values.into_iter().map(|value| join(value, read, parts)).collect::<Result<_, _>>().map(Value::List)
        }
        Value::Map(pairs) => {
            let pairs = pairs.into_iter().map(|(key, value)| Ok((key, join(value, read, parts)?)));
            pairs.collect::<Result<_, RowError>>().map(Value::Map)
        }
        // A link is named by a hash of what it stands for, so it never leads to itself; a part is never a link.
        Value::Link(_) => Err(ValueError("a link to a link".into()).into()),
        other => Ok(other),
    }
}
