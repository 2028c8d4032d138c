//! A conversation that nobody has used for a while: all that can be read back from the store is put down, and its timers are kept.
//!
//! Invariants: whatever it was waiting for happens at the same time as if it had stayed. Source: DESIGN §2.

use std::collections::BTreeMap;

use super::Conversation;
use super::marks::Untold;
use super::meet::Gap;
use super::recall::Silence;
use crate::chat::feed::Me;
use crate::chat::membership::Unstored;
use crate::chat::turn::{EngineError, Turn};
use crate::types::{AccountId, ConversationId, DeviceId};

/// What is left of it in memory: some hundred bytes, and an id for each device.
#[derive(Debug)]
pub(crate) struct Dozing {
    wake_at: Option<u64>,
    devices: Vec<DeviceId>,
    unstored: Unstored,
    marks_at: Option<u64>,
    untold: Untold,
    digest_at: u64,
    sure_at: Option<u64>,
    move_at: Option<u64>,
    renew_at: Option<u64>,
    plead_at: Option<u64>,
    plead_wait_ms: u64,
    packages_at: BTreeMap<AccountId, u64>,
    sync_at: Option<u64>,
    sync_wait_ms: u64,
    anew: BTreeMap<DeviceId, AccountId>,
    rounds: BTreeMap<DeviceId, (u64, u32)>,
    gaps: BTreeMap<DeviceId, Gap>,
    suspect_at: u64,
    over_at: u64,
    silences: BTreeMap<DeviceId, Silence>,
    silent_at: u64,
}

impl Dozing {
    /// When [`Conversation::advance`] has something to do next.
    pub(crate) const fn wake_at(&self) -> Option<u64> {
        self.wake_at
    }

    /// Whether a device is in its group.
    pub(crate) fn has_device(&self, device: &DeviceId) -> bool {
        self.devices.contains(device)
    }
}

impl Conversation {
    /// Whether it may doze: nothing is under way.
    pub(crate) fn may_doze(&self) -> bool {
        self.delivery.is_idle() && !self.membership.is_asking()
    }

    /// Puts down what the store holds.
    pub(crate) fn doze(self, turn: &mut Turn<'_>) -> Result<Dozing, EngineError> {
        let wake_at = self.wake_at();
        let devices = self.membership.present_devices().collect();
        let now = turn.now.mono_ms;
        let Self {
            id: _,
            membership,
            delivery: _,
            marks_at,
            untold,
            digest_at,
            sure_at,
            move_at,
            renew_at,
            plead_at,
            plead_wait_ms,
            packages_at,
            sync_at,
            sync_wait_ms,
            anew,
            mut rounds,
            gaps,
            suspect_at,
            over_at,
            silences,
            silent_at,
        } = self;
        rounds.retain(|_, (since, _)| now.saturating_sub(*since) <= super::meet::ROUNDS_MS);
        Ok(Dozing {
            wake_at,
            devices,
            unstored: membership.put_down(turn)?,
            marks_at,
            untold,
            digest_at,
            sure_at,
            move_at,
            renew_at,
            plead_at,
            plead_wait_ms,
            packages_at,
            sync_at,
            sync_wait_ms,
            anew,
            rounds,
            gaps,
            suspect_at,
            over_at,
            silences,
            silent_at,
        })
    }

    /// Takes it up again where it was.
    pub(crate) fn rouse(
        turn: &Turn<'_>,
        id: ConversationId,
        me: Me,
        dozing: Dozing,
    ) -> Result<Option<Self>, EngineError> {
        let Some(mut conversation) = Self::load(turn, id, me)? else { return Ok(None) };
        conversation.membership.resume(dozing.unstored);
        Ok(Some(Self {
            id,
            membership: conversation.membership,
            delivery: conversation.delivery,
            marks_at: dozing.marks_at,
            untold: dozing.untold,
            digest_at: dozing.digest_at,
            sure_at: dozing.sure_at,
            move_at: dozing.move_at,
            renew_at: dozing.renew_at,
            plead_at: dozing.plead_at,
            plead_wait_ms: dozing.plead_wait_ms,
            packages_at: dozing.packages_at,
            sync_at: dozing.sync_at,
            sync_wait_ms: dozing.sync_wait_ms,
            anew: dozing.anew,
            rounds: dozing.rounds,
            gaps: dozing.gaps,
            suspect_at: dozing.suspect_at,
            over_at: dozing.over_at,
            silences: dozing.silences,
            silent_at: dozing.silent_at,
        }))
    }
}
