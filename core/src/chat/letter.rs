//! Letters: envelopes that carry no events and must arrive all the same (a Welcome, a plea), kept until their recipients have them.
//!
//! A row of the outbox for each, beside the rows of delivery: the key is `letter/` ‖ envelope id. When to try again is kept in
//! memory, by the engine.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::turn::{EngineError, Turn};
use crate::store::{Range, Read, Scope, Table};
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::envelope::{Envelope, MAX_PACKET};

/// The beginning of the keys.
const PREFIX: &[u8] = b"letter/";

/// A letter that was not taken is given up after so long, as mailboxes do.
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    #[serde(rename = "c")]
    pub(crate) conversation: ConversationId,
    #[serde(rename = "i")]
    pub(crate) id: EnvelopeId,
    #[serde(rename = "e")]
    pub(crate) envelope: ByteBuf,
    /// Who does not have it yet.
    #[serde(rename = "t")]
    pub(crate) to: Vec<(AccountId, DeviceId)>,
    #[serde(rename = "w")]
    written: Timestamp,
}

impl Body for Letter {
    const MAX_BYTES: usize = MAX_PACKET + 128 * 1024;
}

impl Letter {
    pub(crate) fn new(conversation: ConversationId, envelope: Envelope, to: Vec<(AccountId, DeviceId)>) -> Self {
        let (id, envelope) = (envelope.id, envelope.encode().into());
        Self { conversation, id, envelope, to, written: Timestamp::default() }
    }

    /// Keeps it; the engine sends it.
    pub(crate) fn keep(mut self, turn: &mut Turn<'_>) {
        self.written = turn.now.wall;
        turn.put(Table::Outbox, Scope::Conversation(self.conversation), &key(self.id), &self);
    }

    /// Whether it is too old to be sent again.
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        now.0 > self.written.0.saturating_add(KEPT_MS)
    }

    /// One that is kept.
    pub(crate) fn find(turn: &Turn<'_>, id: EnvelopeId) -> Result<Option<Self>, EngineError> {
        turn.get(Table::Outbox, &key(id))
    }

    /// A device has it, or it is gone.
    pub(crate) fn taken(mut self, turn: &mut Turn<'_>, device: DeviceId) {
        self.to.retain(|(_, other)| *other != device);
        if self.to.is_empty() {
            turn.effects.batch.delete(Table::Outbox, key(self.id));
        } else {
            turn.put(Table::Outbox, Scope::Conversation(self.conversation), &key(self.id), &self);
        }
    }

    /// Drops it.
    pub(crate) fn forget(turn: &mut Turn<'_>, id: EnvelopeId) {
        turn.effects.batch.delete(Table::Outbox, key(id));
    }

    /// All that are kept.
    pub(crate) fn all(read: &(impl Read + ?Sized)) -> Result<Vec<Self>, EngineError> {
        let rows = read.scan(Table::Outbox, PREFIX, Range::all())?;
        let decode =
            |bytes: &[u8]| Self::decode(bytes).map_err(|cause| EngineError::Stored { table: Table::Outbox, cause });
        rows.iter().map(|row| decode(&row.value)).collect()
    }
}

fn key(id: EnvelopeId) -> Vec<u8> {
    [PREFIX, id.as_ref()].concat()
}
