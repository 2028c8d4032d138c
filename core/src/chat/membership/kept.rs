//! What is kept of the logs that were walked: the signed bytes of entries, so that two versions of a log can be shown side by side.
//!
//! A commit may have moved the log since. What the home before signed goes on to show whether it lied: where it told two members two
//! histories, the move may be in one of them only.

use super::Membership;
use super::state::{Former, entry_key, entry_prefix};
use crate::chat::policy::Home;
use crate::chat::turn::{EngineError, Turn};
use crate::home::equivocation;
use crate::identity::PublicKey;
use crate::store::{Scope, Table};
use crate::types::GroupId;
use crate::wire::codec::Body;
use crate::wire::log::{Equivocation, UnverifiedEntry};

/// Entries of a log whose signed bytes are kept.
const KEPT_ENTRIES: u64 = 1024;

/// Homes before the present one whose entries are kept.
const MAX_FORMER: usize = 4;

impl Membership {
    /// Which of the present group's logs here the present home keeps.
    fn log(&self) -> u32 {
        self.row.former.last().map_or(0, |former| former.log.saturating_add(1))
    }

    pub(super) fn keep_entry(&self, turn: &mut Turn<'_>, group: GroupId, index: u64, entry: &UnverifiedEntry) {
        let bare = Bare(UnverifiedEntry { blob: Vec::new(), ..entry.clone() });
        let log = self.log();
        turn.put(Table::Group, Scope::Conversation(self.conversation), &entry_key(group, log, index), &bare);
        if let Some(old) = index.checked_sub(KEPT_ENTRIES) {
            turn.effects.batch.delete(Table::Group, entry_key(group, log, old));
        }
    }

    fn kept_of(&self, turn: &Turn<'_>, log: u32, index: u64) -> Result<Option<UnverifiedEntry>, EngineError> {
        let Some(present) = &self.row.present else { return Ok(None) };
        Ok(turn.get::<Bare>(Table::Group, &entry_key(present.group, log, index))?.map(|bare| bare.0))
    }

    /// The signed entry at an index of the present group's log, without its blob.
    pub(super) fn kept_entry(&self, turn: &Turn<'_>, index: u64) -> Result<Option<UnverifiedEntry>, EngineError> {
        self.kept_of(turn, self.log(), index)
    }

    /// The signed entries at an index of all logs that the present group had, the present one first.
    pub(super) fn kept_at(&self, turn: &Turn<'_>, index: u64) -> Result<Vec<UnverifiedEntry>, EngineError> {
        let logs = std::iter::once(self.log()).chain(self.row.former.iter().rev().map(|former| former.log));
        let kept: Result<Vec<_>, _> = logs.map(|log| self.kept_of(turn, log, index)).collect();
        Ok(kept?.into_iter().flatten().collect())
    }

    /// The last entry walked of the log that a group has and those of the logs that it had, to be shown, if it is the present one.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn last_entries(
        &self,
        turn: &Turn<'_>,
        group: GroupId,
    ) -> Result<(Option<Equivocation>, Vec<Equivocation>), EngineError> {
        let Some(present) = self.row.present.as_ref().filter(|present| present.group == group) else {
            return Ok((None, Vec::new()));
        };
        let former = self.row.former.iter().rev().map(|former| self.last_of(turn, former.log, former.next));
        let former: Result<Vec<_>, _> = former.collect();
        Ok((self.last_of(turn, self.log(), present.log.next)?, former?.into_iter().flatten().collect()))
    }

    fn last_of(&self, turn: &Turn<'_>, log: u32, next: u64) -> Result<Option<Equivocation>, EngineError> {
        let Some(index) = next.checked_sub(1) else { return Ok(None) };
        let kept = self.kept_of(turn, log, index)?;
        Ok(kept.map(|kept| Equivocation { one: kept.clone(), other: kept }))
    }

    /// Two entries, if they prove that a home lied which keeps the present group's log, or did.
    pub(super) fn proof(&self, one: UnverifiedEntry, other: &UnverifiedEntry) -> Option<Equivocation> {
        let group = self.row.present.as_ref()?.group;
        let other = UnverifiedEntry { blob: Vec::new(), ..other.clone() };
        let proof = Equivocation { one, other };
        let present = self.policy.as_ref()?.home.key();
        let mut keys = std::iter::once(present).chain(self.row.former.iter().map(|former| former.key));
        keys.any(|key| convicts(&proof, &key, group)).then_some(proof)
    }

    /// Whether it is proven that a home lied about the present group's log.
    pub(crate) fn has_lied(&self, home: &Home) -> bool {
        let (Some(present), Some(proof)) = (&self.row.present, &self.row.lied) else { return false };
        convicts(proof, &home.key(), present.group)
    }

    /// Another home than this one keeps the log from now on, from its beginning.
    pub(super) fn moved(&mut self, turn: &mut Turn<'_>, id: GroupId, from: &Home) {
        let log = self.log();
        let Some(present) = self.row.present.as_mut().filter(|present| present.group == id) else { return };
        let former = Former { key: from.key(), log, next: present.log.next };
        present.log = super::EMPTY_LOG;
        present.kept = false;
        self.home.signed = 0;
        self.row.former.push(former);
        if self.row.former.len() > MAX_FORMER {
            let oldest = self.row.former.remove(0);
            // A prefix of the first log's keys is one of no other's.
            turn.effects.batch.delete_prefix(Table::Group, entry_prefix(id, oldest.log));
        }
    }
}

/// Whether two entries prove that the home with this key lied about a group's log.
fn convicts(proof: &Equivocation, key: &PublicKey, group: GroupId) -> bool {
    equivocation(proof, key).is_ok_and(|found| found.group == group)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Bare(UnverifiedEntry);

impl Body for Bare {
    const MAX_BYTES: usize = 2048;
}
