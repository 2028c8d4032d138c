//! What is kept of a transfer.

use serde::{Deserialize, Serialize};

use super::Place;
use crate::chat::feed::event_key;
use crate::store::{Batch, Read, Scope, Store, Table};
use crate::types::DeviceId;
use crate::wire::codec::{Body, DecodeError, at_most};

/// As many devices as a conversation may have.
const MAX_DEVICES: usize = 4096;

/// What is kept of a transfer; none while nothing was decided about it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Somebody asked for it.
    #[serde(rename = "w")]
    pub(super) wanted: bool,
    /// It was given up.
    #[serde(rename = "c")]
    pub(super) cancelled: bool,
    /// Of what was sent: it was decided who it is for.
    #[serde(rename = "s")]
    pub(super) sent: bool,
    /// Of what was sent: the devices that do not have it yet, as far as is known.
    #[serde(rename = "d")]
    pub(super) waiting: Vec<DeviceId>,
    /// Of what was sent: the relay has it for them.
    #[serde(rename = "u")]
    pub(super) uploaded: bool,
}

impl Body for Kept {
    const MAX_BYTES: usize = MAX_DEVICES * 40 + 256;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.waiting, MAX_DEVICES, "waiting")
    }
}

pub(super) fn load(store: &Store, place: &Place) -> Kept {
    let kept = store.get(Table::Transfer, &event_key(&place.0, &place.1));
    kept.ok().flatten().and_then(|bytes| Kept::decode(&bytes).ok()).unwrap_or_default()
}

pub(super) fn batch(place: &Place, kept: Option<Kept>) -> Batch {
    let mut batch = Batch::new();
    let key = event_key(&place.0, &place.1);
    match kept {
        Some(kept) => batch.put(Table::Transfer, Scope::Conversation(place.0), key, kept.encode()),
        None => batch.delete(Table::Transfer, key),
    }
    batch
}
