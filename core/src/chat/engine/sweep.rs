//! Tidying up on the timer, a little at a time: what is kept for a while only goes when its time is over.
//!
//! It keeps no place over a restart, which begins from the front again. Source: DESIGN §4, §5.

use super::Engine;
use crate::chat::conversation::ids;
use crate::chat::membership::Membership;
use crate::chat::turn::{EngineError, Turn};
use crate::store::{Range, Read as _, Table};
use crate::types::ConversationId;

/// An envelope's id is remembered for so long: the relay keeps envelopes for thirty days, and gives none twice after that.
const SEEN_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// The first sweep comes so long after a start, when there is less to do than at the start itself.
const FIRST_MS: u64 = 60_000;

/// From one sweep to the next: often enough for secrets that go by the day.
const EVERY_MS: u64 = 6 * 60 * 60 * 1000;

/// A pause between two steps of a sweep, so that it delays nobody's message.
const STEP_MS: u64 = 1_000;

/// Rows that one step looks at: some milliseconds.
const ROWS: usize = 1024;

/// Conversations that one step looks at; each may rewrite a group's epochs.
const CONVERSATIONS: usize = 8;

/// How far the sweep has come.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    at: Option<u64>,
    stage: Stage,
}

#[derive(Debug, Default)]
enum Stage {
    /// Nothing is begun.
    #[default]
    Resting,
    /// Among the envelopes seen, beyond this key.
    Seen(Option<Vec<u8>>),
    /// These conversations are left.
    Groups(Vec<ConversationId>),
}

impl Sweep {
    pub(super) fn begin(&mut self, now_ms: u64) {
        *self = Self { at: Some(now_ms.saturating_add(FIRST_MS)), stage: Stage::Resting };
    }

    pub(super) const fn wake_at(&self) -> Option<u64> {
        self.at
    }
}

impl Engine {
    /// One step, if it is time for one.
    pub(super) fn sweep(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        if self.sweep.at.is_none_or(|at| at > now) {
            return Ok(());
        }
        let next = match std::mem::take(&mut self.sweep.stage) {
            Stage::Resting => {
                self.parking.expire(turn)?;
                forget_seen(turn, None)?
            }
            Stage::Seen(after) => forget_seen(turn, after)?,
            Stage::Groups(left) => self.expire_groups(turn, left)?,
        };
        let pause = if matches!(next, Stage::Resting) { EVERY_MS } else { STEP_MS };
        self.sweep = Sweep { at: Some(now.saturating_add(pause)), stage: next };
        Ok(())
    }

    fn expire_groups(&mut self, turn: &mut Turn<'_>, mut left: Vec<ConversationId>) -> Result<Stage, EngineError> {
        let rest = left.split_off(left.len().min(CONVERSATIONS));
        for id in left {
            // Most have nothing to drop, and to take one up costs more than all else here.
            if Membership::has_expired(&turn.read(), id, turn.now.wall)? {
                self.with(turn, id, |conversation, turn, _| conversation.membership_mut().expire(turn))?;
            }
        }
        Ok(if rest.is_empty() { Stage::Resting } else { Stage::Groups(rest) })
    }
}

fn forget_seen(turn: &mut Turn<'_>, after: Option<Vec<u8>>) -> Result<Stage, EngineError> {
    let range = Range { after, ..Range::first(ROWS) };
    let rows = turn.read().scan(Table::Seen, &[], range)?;
    let ended = rows.len() < ROWS;
    let last = rows.last().map(|row| row.key.clone());
    for row in rows {
        // A row without a time is nobody's; one from the future is old when that time has come.
        let since = <[u8; 8]>::try_from(row.value.as_slice()).map_or(0, u64::from_be_bytes);
        if turn.now.wall.0.saturating_sub(since) >= SEEN_MS {
            turn.effects.batch.delete(Table::Seen, row.key);
        }
    }
    Ok(if ended { Stage::Groups(ids(&turn.read())?) } else { Stage::Seen(last) })
}
