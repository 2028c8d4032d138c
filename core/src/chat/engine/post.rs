//! Sending letters, and what came of what was sent.

use std::collections::BTreeMap;

use super::Engine;
use crate::chat::api::{Outgoing, Recipient, SendOutcome};
use crate::chat::letter::{Letter, Matter};
use crate::chat::pause::retry_ms;
use crate::chat::policy::direct_conversation;
use crate::chat::turn::{EngineError, Turn};
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, GroupId, Timestamp};
use crate::wire::envelope::Class;
use crate::wire::relay::Deposited;

/// An attempt without an outcome is repeated after so long.
const PATIENCE_MS: u64 = 60_000;

/// What lies in a mailbox is sent again after so long, doubled each time: a device that is there has answered by then.
const FIRST_REPEAT_MS: u64 = 10 * 60 * 1000;

/// The longest pause between repetitions: a lost Welcome is made good within a day, and some thirty are sent in vain at most.
const LAST_REPEAT_MS: u64 = 24 * 60 * 60 * 1000;

/// What has been sent to a mailbox so often, over an hour, was fetched there by who is on.
const FETCHED_BY_REPEAT: u32 = 3;

/// A device that took a Welcome straight and has sealed nothing after so long cannot open it: its key is used up, or lost with an old
/// copy of a store or of a relay. It is added anew, and again after twice as long each time.
const ANSWERED_WITHIN_MS: u64 = 2 * 60 * 1000;

/// So many of the first events that a device has not said to hold go with a Welcome that is sent again: a grant is among them.
const MOST_REOPENED: u64 = 64;

/// When a letter is sent next, and to whom.
#[derive(Debug, Default)]
struct Due {
    to: BTreeMap<DeviceId, Way>,
    /// To those in whose mailbox it does not lie.
    at: u64,
    failures: u32,
    /// To those in whose mailbox it lies.
    again_at: u64,
    repeats: u32,
    /// When those that have it and did not answer are added anew.
    anew_at: u64,
    renewals: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    Mailed,
    /// It has taken it straight.
    Handed,
}

impl Due {
    fn of(letter: &Letter, now: u64) -> Self {
        let way = |device| if letter.mailed.contains(device) { Way::Mailed } else { Way::Open };
        let to = letter.to.iter().map(|(_, device)| (*device, way(device))).collect();
        Self {
            to,
            at: 0,
            failures: 0,
            again_at: now.saturating_add(FIRST_REPEAT_MS),
            repeats: 0,
            anew_at: 0,
            renewals: 0,
        }
    }

    fn has(&self, way: Way) -> bool {
        self.to.values().any(|other| *other == way)
    }

    fn wake_at(&self) -> Option<u64> {
        let open = self.has(Way::Open).then_some(self.at);
        let mailed = self.has(Way::Mailed).then_some(self.again_at);
        let handed = self.has(Way::Handed).then_some(self.anew_at);
        open.into_iter().chain(mailed).chain(handed).min()
    }

    fn is_under_way(&self, device: &DeviceId) -> bool {
        match self.to.get(device) {
            Some(Way::Open) => true,
            Some(Way::Mailed) => self.repeats < FETCHED_BY_REPEAT,
            Some(Way::Handed) | None => false,
        }
    }

    /// A device has it: it has so long to answer.
    fn hand(&mut self, device: DeviceId, now: u64) {
        if !self.has(Way::Handed) {
            self.anew_at = now.saturating_add(ANSWERED_WITHIN_MS << self.renewals.min(8));
        }
        self.to.insert(device, Way::Handed);
    }

    /// Those that had time to answer and did not; they have twice as long from now on.
    fn silent(&mut self, now: u64) -> Vec<DeviceId> {
        if self.anew_at > now {
            return Vec::new();
        }
        let handed = self.to.iter().filter(|(_, way)| **way == Way::Handed).map(|(device, _)| *device).collect();
        self.renewals = self.renewals.saturating_add(1);
        self.anew_at = now.saturating_add(ANSWERED_WITHIN_MS << self.renewals.min(8));
        handed
    }

    /// Whom to send it to now; the next time is set.
    fn take(&mut self, now: u64) -> Vec<DeviceId> {
        let (open, mailed) = (self.at <= now, self.again_at <= now);
        let due = |way: Way| match way {
            Way::Open => open,
            Way::Mailed => mailed,
            Way::Handed => false,
        };
        let to: Vec<DeviceId> = self.to.iter().filter(|(_, way)| due(**way)).map(|(device, _)| *device).collect();
        if open {
            self.at = now.saturating_add(PATIENCE_MS);
        }
        if mailed {
            self.repeats = self.repeats.saturating_add(1);
            let pause = FIRST_REPEAT_MS.saturating_mul(1 << self.repeats.min(16)).min(LAST_REPEAT_MS);
            self.again_at = now.saturating_add(pause);
        }
        to
    }
}

/// The letters that are kept, and when each is sent next.
#[derive(Debug, Default)]
pub(super) struct Post {
    due: BTreeMap<EnvelopeId, Due>,
    /// Which Welcome leads whom where, and from which epoch on it is answered.
    welcomes: BTreeMap<(GroupId, DeviceId), (EnvelopeId, u64)>,
    pleas: BTreeMap<(ConversationId, AccountId), EnvelopeId>,
}

impl Post {
    /// After a start all are due but what lies in mailboxes; what is too old goes.
    pub(super) fn load(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        *self = Self::default();
        for letter in Letter::all(&turn.read())? {
            if letter.is_stale(turn.now.wall) {
                letter.forget(turn);
            } else {
                self.add(&letter, turn.now.mono_ms);
            }
        }
        Ok(())
    }

    fn add(&mut self, letter: &Letter, now: u64) {
        match &letter.matter {
            Matter::Welcome { group, epoch } => {
                let places = letter.to.iter().map(|(_, device)| (*group, *device));
                self.welcomes.extend(places.map(|place| (place, (letter.id, *epoch))));
            }
            Matter::Plea { account, .. } => {
                self.pleas.insert((letter.conversation, *account), letter.id);
            }
        }
        self.due.insert(letter.id, Due::of(letter, now));
    }

    /// Letters that were written by now are due; with a device, those to it; what lies in a mailbox only for a device that can be
    /// reached straight, or when mail was lost.
    pub(super) fn hurry(&mut self, device: Option<DeviceId>, lost: bool) {
        for due in self.due.values_mut() {
            if device.is_some_and(|device| !due.to.contains_key(&device)) {
                continue;
            }
            (due.at, due.failures) = (0, 0);
            if device.is_some() || lost {
                due.again_at = 0;
            }
        }
    }

    pub(super) fn wake_at(&self) -> Option<u64> {
        self.due.values().filter_map(Due::wake_at).min()
    }

    fn knows(&self, id: &EnvelopeId) -> bool {
        self.due.contains_key(id) || self.pleas.values().any(|plea| plea == id)
    }

    /// Whether it is the Welcome that leads a device somewhere.
    fn is_welcome(&self, id: &EnvelopeId, device: DeviceId) -> bool {
        self.welcomes.iter().any(|((_, to), (of, _))| of == id && *to == device)
    }

    /// Whether a Welcome that leads a device into a group is on its way: not one that the device has taken and does not answer, nor one
    /// that lay in its mailbox so long that it was fetched there. It cannot open those.
    pub(super) fn leads(&self, group: GroupId, device: DeviceId) -> bool {
        let welcome = self.welcomes.get(&(group, device));
        welcome.and_then(|(id, _)| self.due.get(id)).is_some_and(|due| due.is_under_way(&device))
    }

    /// The plea to an account.
    fn plea(&self, conversation: ConversationId, account: AccountId) -> Option<EnvelopeId> {
        self.pleas.get(&(conversation, account)).copied()
    }

    fn forget(&mut self, id: EnvelopeId) {
        self.due.remove(&id);
        self.welcomes.retain(|_, (of, _)| *of != id);
        self.pleas.retain(|_, of| *of != id);
    }
}

impl Engine {
    /// Takes letters of this turn up, and sends what is due.
    pub(super) fn send_letters(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        self.take_letters(turn)?;
        let now = turn.now.mono_ms;
        let due: Vec<EnvelopeId> = self
            .letters
            .due
            .iter()
            .filter(|(_, due)| due.wake_at().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.send_letter(turn, id)?;
        }
        Ok(())
    }

    /// New letters. A Welcome takes the place of an earlier one of the same group to the same device.
    fn take_letters(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let written = turn.effects.batch.iter().filter_map(|op| match op {
            crate::store::Op::Put { table: crate::store::Table::Outbox, key, .. } => Letter::of_key(key),
            _ => None,
        });
        let new: Vec<EnvelopeId> = written.filter(|id| !self.letters.knows(id)).collect();
        for id in new {
            let Some(letter) = Letter::find(turn, id)? else { continue };
            if let Matter::Welcome { group, .. } = &letter.matter {
                for (_, device) in &letter.to {
                    if let Some((earlier, _)) = self.letters.welcomes.remove(&(*group, *device)) {
                        self.letter_reached(turn, earlier, *device)?;
                    }
                }
            }
            self.letters.add(&letter, turn.now.mono_ms);
        }
        Ok(())
    }

    fn send_letter(&mut self, turn: &mut Turn<'_>, id: EnvelopeId) -> Result<(), EngineError> {
        let Some(letter) = Letter::find(turn, id)? else {
            self.letters.forget(id);
            return Ok(());
        };
        if letter.is_stale(turn.now.wall) {
            letter.forget(turn);
            self.letters.forget(id);
            return Ok(());
        }
        let now = turn.now.mono_ms;
        let silent = self.letters.due.get_mut(&id).map(|due| due.silent(now)).unwrap_or_default();
        if let Matter::Welcome { group, .. } = letter.matter
            && !silent.is_empty()
        {
            self.with(turn, letter.conversation, |conversation, _, shared| {
                conversation.add_anew(shared, group, &silent);
                Ok(())
            })?;
        }
        let devices = self.letters.due.get_mut(&id).map(|due| due.take(now)).unwrap_or_default();
        let again: Vec<DeviceId> = devices.iter().copied().filter(|device| letter.mailed.contains(device)).collect();
        if !again.is_empty() {
            // What was written for them first may be lost with it: without the grant in it they cannot even answer.
            self.with(turn, letter.conversation, |conversation, turn, shared| {
                conversation.reopen(turn, shared, &again, Some(MOST_REOPENED))
            })?;
        }
        let mut to: Vec<Recipient> = Vec::new();
        for (account, device) in letter.to.iter().filter(|(_, device)| devices.contains(device)) {
            if !self.is_shut_out(turn, letter.conversation, account)? {
                to.extend(self.account.recipient(turn, account, *device)?);
            }
        }
        if !to.is_empty() {
            let envelope = letter.envelope.into_vec();
            turn.effects.sends.push(Outgoing { id, class: Class::Durable, envelope, to });
        }
        Ok(())
    }

    /// Whether an account is blocked and the conversation is the one with it: then nothing leaves to it.
    pub(super) fn is_shut_out(
        &self,
        turn: &Turn<'_>,
        conversation: ConversationId,
        account: &AccountId,
    ) -> Result<bool, EngineError> {
        let own = self.account.id();
        Ok(direct_conversation(own, *account) == conversation && self.account.is_blocked(turn, account)?)
    }

    /// What came of an envelope for one of its recipients.
    pub(super) fn sent(
        &mut self,
        turn: &mut Turn<'_>,
        envelope: EnvelopeId,
        device: DeviceId,
        outcome: SendOutcome,
    ) -> Result<(), EngineError> {
        if let Some(id) = self.flights.get(&envelope).copied() {
            self.with(turn, id, |conversation, turn, _| {
                conversation.sent(turn, &envelope, &device, outcome);
                Ok(())
            })?;
            return Ok(());
        }
        if let Some((id, account)) = self.unknown.take_told(&envelope) {
            return match outcome {
                SendOutcome::Mailbox(Deposited::Forbidden) => self.recall_as_stranger(turn, id, account),
                _ => Ok(()),
            };
        }
        let welcome = self.letters.is_welcome(&envelope, device);
        let Some(due) = self.letters.due.get_mut(&envelope) else {
            return self.account.sent(turn, envelope, outcome);
        };
        match outcome {
            SendOutcome::Direct if welcome => {
                due.hand(device, turn.now.mono_ms);
                Ok(())
            }
            SendOutcome::Direct => self.letter_reached(turn, envelope, device),
            SendOutcome::Mailbox(Deposited::Taken) => {
                let Some(mut letter) = Letter::find(turn, envelope)? else { return Ok(()) };
                letter.mailed(turn, device);
                let mailed = letter.mailed.contains(&device);
                if mailed && let Some(way) = due.to.get_mut(&device) {
                    *way = Way::Mailed;
                } else {
                    due.to.remove(&device);
                }
                Ok(())
            }
            SendOutcome::Refused | SendOutcome::Unreachable | SendOutcome::Mailbox(_) => {
                if due.to.get(&device) == Some(&Way::Open) {
                    let pause = retry_ms(turn.rng, due.failures);
                    due.failures = due.failures.saturating_add(1);
                    due.at = turn.now.mono_ms.saturating_add(pause);
                }
                Ok(())
            }
        }
    }

    /// A device has a letter.
    fn letter_reached(&mut self, turn: &mut Turn<'_>, id: EnvelopeId, device: DeviceId) -> Result<(), EngineError> {
        if let Some(mut letter) = Letter::find(turn, id)? {
            letter.reached(turn, device);
        }
        let Some(due) = self.letters.due.get_mut(&id) else { return Ok(()) };
        due.to.remove(&device);
        let done = due.to.is_empty();
        self.letters.welcomes.retain(|(_, to), (of, _)| *of != id || *to != device);
        if done && !self.letters.pleas.values().any(|plea| *plea == id) {
            self.letters.due.remove(&id);
        }
        Ok(())
    }

    /// A device has sealed something in a group: the Welcome that led it there has come.
    pub(super) fn heard(
        &mut self,
        turn: &mut Turn<'_>,
        group: GroupId,
        device: DeviceId,
        epoch: u64,
    ) -> Result<(), EngineError> {
        match self.letters.welcomes.get(&(group, device)).copied() {
            Some((id, from)) if epoch >= from => self.letter_reached(turn, id, device),
            Some(_) | None => Ok(()),
        }
    }

    /// This device is in the conversation again, or does not ask for it any more: its pleas are done.
    pub(super) fn drop_pleas(&mut self, turn: &mut Turn<'_>, conversation: ConversationId) -> Result<(), EngineError> {
        let pleas = self.letters.pleas.iter().filter(|((of, _), _)| *of == conversation);
        for id in pleas.map(|(_, id)| *id).collect::<Vec<_>>() {
            if let Some(letter) = Letter::find(turn, id)? {
                letter.answered(turn);
            }
            self.letters.due.remove(&id);
        }
        Ok(())
    }

    /// Whether this device's last plea to an account is of this time, by its own clock.
    pub(super) fn pleaded(
        &mut self,
        turn: &mut Turn<'_>,
        conversation: ConversationId,
        account: AccountId,
        wall: Timestamp,
    ) -> Result<bool, EngineError> {
        self.take_letters(turn)?;
        let Some(id) = self.letters.plea(conversation, account) else { return Ok(false) };
        Ok(Letter::find(turn, id)?.is_some_and(|letter| letter.is_of(wall)))
    }

    /// Clears the place of the plea to an account for the next one. Returns the key that the last one offered.
    pub(super) fn replace_plea(
        &mut self,
        turn: &mut Turn<'_>,
        conversation: ConversationId,
        account: AccountId,
    ) -> Result<Option<serde_bytes::ByteBuf>, EngineError> {
        // One of this turn is no different.
        self.take_letters(turn)?;
        let Some(id) = self.letters.plea(conversation, account) else { return Ok(None) };
        self.letters.forget(id);
        Ok(Letter::find(turn, id)?.and_then(|letter| letter.replaced(turn)))
    }
}
