//! Letters: envelopes that carry no events and must arrive all the same (a Welcome, a plea), kept until their recipients have them.
//!
//! A row of the outbox for each, beside the rows of delivery: the key is `letter/` ‖ envelope id. When to try again is kept in
//! memory, by the engine.
//!
//! Invariant: neither a mailbox nor having been taken frees a Welcome, since what a relay holds can be lost, and its recipient may not
//! be able to open it: only what that one seals in the group does. Until then it is sent again, under the same envelope id, or its
//! recipient is added anew.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::turn::{EngineError, Turn};
use crate::mls::OwnKeyPackage;
use crate::store::{Range, Read, Scope, Table};
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, GroupId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::envelope::{Envelope, MAX_PACKET};

/// The beginning of the keys.
const PREFIX: &[u8] = b"letter/";

/// A letter that was not taken is given up after so long, as mailboxes do.
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// What a letter is about, and so when it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Matter {
    /// It leads its recipients into a group.
    #[serde(rename = "w")]
    Welcome {
        /// Which.
        #[serde(rename = "g")]
        group: GroupId,
        /// What a recipient seals in this epoch or a later one shows that it has entered; what it sealed before, as a device that
        /// was in the group once, does not.
        #[serde(rename = "e")]
        epoch: u64,
    },
    /// It asks an account's devices to add this one again. There is one an account; the next one replaces it.
    #[serde(rename = "p")]
    Plea {
        /// Whose devices.
        #[serde(rename = "a")]
        account: AccountId,
        /// Hash reference of the key package in it.
        #[serde(rename = "k")]
        package: ByteBuf,
        /// That of the plea before: a Welcome to it may still be on its way.
        #[serde(rename = "b")]
        before: Option<ByteBuf>,
    },
}

/// A letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Letter {
    #[serde(rename = "c")]
    pub(crate) conversation: ConversationId,
    #[serde(rename = "i")]
    pub(crate) id: EnvelopeId,
    #[serde(rename = "e")]
    pub(crate) envelope: ByteBuf,
    #[serde(rename = "m")]
    pub(crate) matter: Matter,
    /// Who is not known to have it.
    #[serde(rename = "t")]
    pub(crate) to: Vec<(AccountId, DeviceId)>,
    /// In whose mailbox it lies: those of them are sent it again seldom.
    #[serde(rename = "l")]
    pub(crate) mailed: BTreeSet<DeviceId>,
    #[serde(rename = "w")]
    written: Timestamp,
}

impl Body for Letter {
    const MAX_BYTES: usize = MAX_PACKET + 128 * 1024;
}

impl Letter {
    pub(crate) fn new(
        conversation: ConversationId,
        envelope: Envelope,
        matter: Matter,
        to: Vec<(AccountId, DeviceId)>,
    ) -> Self {
        let (id, envelope) = (envelope.id, envelope.encode().into());
        Self { conversation, id, envelope, matter, to, mailed: BTreeSet::new(), written: Timestamp::default() }
    }

    /// Keeps it; the engine sends it.
    pub(crate) fn keep(mut self, turn: &mut Turn<'_>) {
        self.written = turn.now.wall;
        self.save(turn);
    }

    fn save(&self, turn: &mut Turn<'_>) {
        turn.put(Table::Outbox, Scope::Conversation(self.conversation), &key(self.id), self);
    }

    /// Whether it is too old to be sent again.
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        now.0 > self.written.0.saturating_add(KEPT_MS)
    }

    /// Whether it was written then.
    pub(crate) fn is_of(&self, wall: Timestamp) -> bool {
        self.written == wall
    }

    /// One that is kept.
    pub(crate) fn find(turn: &Turn<'_>, id: EnvelopeId) -> Result<Option<Self>, EngineError> {
        turn.get(Table::Outbox, &key(id))
    }

    /// Which letter a row of the outbox is.
    pub(crate) fn of_key(key: &[u8]) -> Option<EnvelopeId> {
        EnvelopeId::try_from(key.strip_prefix(PREFIX)?).ok()
    }

    /// A device's mailbox has it. It is a Welcome's recipient all the same; a plea is repeated by a newer one.
    pub(crate) fn mailed(&mut self, turn: &mut Turn<'_>, device: DeviceId) {
        if matches!(self.matter, Matter::Plea { .. }) {
            return self.reached(turn, device);
        }
        if self.mailed.insert(device) {
            self.save(turn);
        }
    }

    /// A device has it. Without recipients a Welcome is done; a plea's row says which keys it made.
    pub(crate) fn reached(&mut self, turn: &mut Turn<'_>, device: DeviceId) {
        self.to.retain(|(_, other)| *other != device);
        self.mailed.remove(&device);
        if self.to.is_empty() && matches!(self.matter, Matter::Welcome { .. }) {
            turn.effects.batch.delete(Table::Outbox, key(self.id));
        } else {
            self.save(turn);
        }
    }

    /// Drops it, and the keys that only an answer to it would use.
    pub(crate) fn forget(&self, turn: &mut Turn<'_>) {
        turn.effects.batch.delete(Table::Outbox, key(self.id));
        if let Matter::Plea { package, before, .. } = &self.matter {
            for reference in before.iter().chain([package]) {
                OwnKeyPackage::delete(&mut turn.effects.batch, reference);
            }
        }
    }

    /// A plea is answered, or not to be made any more. What it offered is kept for a while: another member may answer it too, and
    /// this device must be able to come in by that.
    pub(crate) fn answered(mut self, turn: &mut Turn<'_>) {
        self.to.clear();
        self.save(turn);
    }

    /// Drops a plea for another one to take its place, and the keys of the one before it. Returns what that one has to name as
    /// [`Matter::Plea::before`].
    pub(crate) fn replaced(self, turn: &mut Turn<'_>) -> Option<ByteBuf> {
        turn.effects.batch.delete(Table::Outbox, key(self.id));
        let Matter::Plea { package, before, .. } = self.matter else { return None };
        if let Some(reference) = before {
            OwnKeyPackage::delete(&mut turn.effects.batch, &reference);
        }
        Some(package)
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
