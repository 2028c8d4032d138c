//! Marks, which say what a device holds and what its person has read: told to everybody as they move, to a device that is met all at
//! once, and again to a device that did not take them.
//!
//! Which marks a device did not take is kept in memory only: after a start, a meeting or an equal digest says the same.

use std::collections::{BTreeMap, VecDeque};

use super::say::QUIET;
use super::{Conversation, MARKS_MS, Shared};
use crate::chat::api::SendOutcome;
use crate::chat::pause::retry_ms;
use crate::chat::turn::{EngineError, Turn};
use crate::types::{DeviceId, EnvelopeId, Rng};
use crate::wire::message::{Mark, Marks, Message, Vector};
use crate::wire::relay::Deposited;

/// The most envelopes with marks whose outcome is awaited.
const MAX_FLIGHTS: usize = 64;

/// A device that did not take marks so often in a row is told when it is met.
const MOST_FAILURES: u32 = 8;

#[derive(Debug, Clone, Copy)]
struct Flight {
    envelope: EnvelopeId,
    /// It says everything, so that whoever takes it lacks nothing of what was told before.
    all: bool,
}

#[derive(Debug, Clone, Copy)]
struct Again {
    at: u64,
    failures: u32,
}

/// Marks on their way, and devices that did not take some.
#[derive(Debug, Default)]
pub(super) struct Untold {
    flights: VecDeque<Flight>,
    again: BTreeMap<DeviceId, Again>,
}

impl Untold {
    fn left(&mut self, envelope: EnvelopeId, all: bool, to: &[DeviceId]) {
        self.flights.push_back(Flight { envelope, all });
        if all {
            self.under_way(to);
        }
        if self.flights.len() > MAX_FLIGHTS {
            self.flights.pop_front();
        }
    }

    /// What came of an envelope for a device; one without marks changes nothing.
    fn outcome(&mut self, now: u64, rng: &mut Rng, envelope: &EnvelopeId, device: DeviceId, outcome: SendOutcome) {
        let Some(flight) = self.flights.iter().find(|flight| flight.envelope == *envelope) else { return };
        match outcome {
            SendOutcome::Direct | SendOutcome::Mailbox(Deposited::Taken) => {
                if flight.all {
                    self.again.remove(&device);
                }
            }
            SendOutcome::Refused | SendOutcome::Unreachable | SendOutcome::Mailbox(_) => {
                let failures = self.again.get(&device).map_or(0, |again| again.failures);
                if failures >= MOST_FAILURES {
                    self.again.remove(&device);
                    return;
                }
                let at = now.saturating_add(retry_ms(rng, failures));
                self.again.insert(device, Again { at, failures: failures.saturating_add(1) });
            }
        }
    }

    pub(super) fn hurry(&mut self, device: Option<&DeviceId>) {
        for (of, again) in &mut self.again {
            if device.is_none_or(|device| device == of) {
                *again = Again { at: 0, failures: 0 };
            }
        }
    }

    /// Whom to tell everything now; with whoever would be next in a moment.
    fn take(&mut self, now: u64) -> Vec<DeviceId> {
        if self.wake_at().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let soon = now.saturating_add(MARKS_MS);
        let due: Vec<DeviceId> =
            self.again.iter().filter(|(_, again)| again.at <= soon).map(|(device, _)| *device).collect();
        self.under_way(&due);
        due
    }

    /// What comes of it says when next.
    fn under_way(&mut self, devices: &[DeviceId]) {
        for device in devices {
            if let Some(again) = self.again.get_mut(device) {
                again.at = u64::MAX;
            }
        }
    }

    pub(super) fn wake_at(&self) -> Option<u64> {
        self.again.values().map(|again| again.at).filter(|at| *at < u64::MAX).min()
    }
}

impl Conversation {
    /// Tells what is due: what moved to everybody, and everything to those who did not take something.
    pub(super) fn tell_due_marks(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        if self.marks_at.is_some_and(|at| at <= now) {
            self.marks_at = None;
            let others = self.others(shared);
            self.tell_marks(turn, shared, &others, false)?;
        }
        let again = self.untold.take(now);
        if again.is_empty() { Ok(()) } else { self.tell_marks(turn, shared, &again, true) }
    }

    /// Tells what is held and read: all of it, or what moved.
    pub(super) fn tell_marks(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        devices: &[DeviceId],
        all: bool,
    ) -> Result<(), EngineError> {
        if self.membership.present().is_none() {
            return Ok(());
        }
        if all && self.marks_at.take().is_some() {
            // Whoever is told everything lacks nothing then; the others lack what moved, and it counts as told from here on.
            let mut others = self.others(shared);
            others.retain(|device| !devices.contains(device));
            if !others.is_empty() {
                self.tell_marks(turn, shared, &others, false)?;
            }
        }
        let receipts = shared.habits.read_receipts;
        let marks = self.work(turn, shared, |feeds, _| Ok(feeds.take_marks(receipts, all)?))?;
        let Some(marks) = marks else { return Ok(()) };
        let mut to = Vec::with_capacity(devices.len());
        for device in devices.iter().copied() {
            let account = self.membership.roster().member(&device).map(|member| member.account);
            let Some(account) = account else { continue };
            if !shared.account.is_blocked(turn, &account)? {
                to.push(device);
            }
        }
        if let Some(envelope) = self.tell(turn, shared, &to, &Message::Marks(marks), QUIET)? {
            self.untold.left(envelope, all, &to);
        }
        Ok(())
    }

    /// Another device holds what this one holds: all of its own account's feeds that are here are delivered to it, whether or not its
    /// marks have come.
    pub(super) fn holds_the_same(
        &mut self,
        turn: &mut Turn<'_>,
        from: DeviceId,
        vector: &Vector,
    ) -> Result<(), EngineError> {
        let delivered = vector.feeds.iter().map(|state| Mark { feed: state.feed, next: state.next }).collect();
        self.take_marks(turn, from, &Marks { delivered, read: Vec::new() })
    }

    /// What a device says to hold and to have read.
    pub(super) fn take_marks(&mut self, turn: &mut Turn<'_>, from: DeviceId, marks: &Marks) -> Result<(), EngineError> {
        let mut tx = crate::chat::transaction::Transaction::new(&turn.base, &mut turn.effects.batch);
        let moved = self.delivery.take_marks(&mut tx, self.membership.roster(), &from, marks)?;
        self.told_delivery(turn, &moved);
        Ok(())
    }

    /// What came of an envelope of this conversation.
    pub(crate) fn sent(&mut self, turn: &mut Turn<'_>, envelope: &EnvelopeId, device: &DeviceId, outcome: SendOutcome) {
        self.untold.outcome(turn.now.mono_ms, turn.rng, envelope, *device, outcome);
        let mut tx = crate::chat::transaction::Transaction::new(&turn.base, &mut turn.effects.batch);
        let moved = self.delivery.outcome(&mut tx, turn.now, turn.rng, envelope, device, outcome);
        self.told_delivery(turn, &moved);
    }
}
