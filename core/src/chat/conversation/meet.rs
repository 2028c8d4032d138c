//! Meeting other devices: digests, vectors and what follows from them.

use super::say::{LETTER, PASSING, QUIET};
use super::{Conversation, Errand, Shared};
use crate::chat::feed::Fault;
use crate::chat::membership::EMPTY_LOG;
use crate::chat::repair;
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, Observation};
use crate::types::DeviceId;
use crate::wire::message::{Digest, Message, RecordHead, Vector};

/// Rounds of repair that one device is given within [`ROUNDS_MS`]: thirty megabytes.
const MAX_ROUNDS: u32 = 64;

/// Records shown in one message: more at odds at once are not honest.
const MAX_SHOWN_RECORDS: usize = 8;

/// What was under way between two devices has come after so long, as has what lay in a mailbox when they met.
pub(super) const UNDER_WAY_MS: u64 = 30_000;

/// What is missing before what came is asked for when nothing has come of its device for so long: messages that were sent together
/// overtake each other, at a relay that has much to do by seconds, and each would be asked for while it is on its way.
const GAP_MS: u64 = 2_000;

/// So long is it waited at most, whatever comes.
const LONGEST_GAP_MS: u64 = 20_000;

/// Rounds are counted anew after so long.
pub(super) const ROUNDS_MS: u64 = 60_000;

/// Something is missing before what a device has sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    since: u64,
    pub(super) ask_at: u64,
}

impl Conversation {
    /// A device of a member can be reached: what is waiting goes out, and both compare what they hold.
    pub(crate) fn met(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        device: DeviceId,
    ) -> Result<(), EngineError> {
        if !self.membership.roster().is_present(&device) {
            return Ok(());
        }
        self.hurry(Some(&device));
        self.tell_marks(turn, shared, &[device], true)?;
        self.offer_digest(turn, shared, &[device])?;
        self.drive(turn, shared)?;
        self.pump(turn, shared)
    }

    /// The mailbox of this device was lost: what was in it is asked for. Those at the same relay have lost theirs too.
    pub(crate) fn mailbox_lost(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        let devices = self.others(shared);
        let mut neighbours = Vec::new();
        for recipient in self.recipients(turn, shared, &devices)? {
            let own = shared.account.relay().map(|relay| relay.relay);
            if recipient.mailboxes.iter().any(|(relay, _)| Some(relay.relay) == own) {
                neighbours.push(recipient.device);
            }
        }
        self.reopen(turn, shared, &neighbours, None)?;
        self.offer_digest(turn, shared, &devices)
    }

    /// What these devices do not say to hold, or so many of the first of it, is sent to them again.
    pub(crate) fn reopen(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        devices: &[DeviceId],
        most: Option<u64>,
    ) -> Result<(), EngineError> {
        let mut tx = crate::chat::transaction::Transaction::new(&turn.base, &mut turn.effects.batch);
        for device in devices {
            self.delivery.reopen(&mut tx, device, most);
        }
        self.pump(turn, shared)
    }

    fn digest(&self, turn: &Turn<'_>, shared: &Shared<'_>) -> Result<Digest, EngineError> {
        let vector = repair::vector(&turn.read(), &self.id)?;
        let mut records = Vec::new();
        for seat in self.membership.policy().map(|policy| policy.seats.as_slice()).unwrap_or_default() {
            let Some(record) = shared.account.record_of(turn, &seat.account)? else { continue };
            let head = record.head();
            records.push(RecordHead { account: seat.account, version: head.version, hash: head.hash });
        }
        let log = self.membership.present().map_or(EMPTY_LOG, |present| present.log);
        Ok(Digest { vector: repair::vector_hash(&vector), log, records, ask: self.sure_at.is_some() })
    }

    pub(super) fn offer_digest(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        devices: &[DeviceId],
    ) -> Result<(), EngineError> {
        if devices.is_empty() || self.membership.present().is_none() {
            return Ok(());
        }
        let digest = self.digest(turn, shared)?;
        self.tell(turn, shared, devices, &Message::Digest(digest), PASSING)?;
        Ok(())
    }

    pub(super) fn take_digest(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: DeviceId,
        digest: &Digest,
    ) -> Result<(), EngineError> {
        self.compare_records(turn, shared, from, digest)?;
        if let Some(group) = self.membership.present().map(|present| present.group)
            && let Some(shown) = self.membership.compare(turn, group, digest.log)?
        {
            self.show(turn, shared, &[from], group, shown)?;
        }
        let vector = repair::vector(&turn.read(), &self.id)?;
        if repair::vector_hash(&vector) == digest.vector {
            self.in_step(turn, shared);
            self.holds_the_same(turn, from, &vector)?;
            if digest.ask && self.may_round(turn, from) {
                let answer = Digest { ask: false, ..self.digest(turn, shared)? };
                self.tell(turn, shared, &[from], &Message::Digest(answer), PASSING)?;
            }
            return Ok(());
        }
        let vector = Vector { ask: true, ..vector };
        self.tell(turn, shared, &[from], &Message::Vector(vector), PASSING)?;
        Ok(())
    }

    /// What another member says it knows of the members' records: a newer one is fetched. A member's word proves nothing; to whoever
    /// says to know another one of the same version, the one known here is shown.
    fn compare_records(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: DeviceId,
        digest: &Digest,
    ) -> Result<(), EngineError> {
        let mut others = Vec::new();
        for head in &digest.records {
            if self.membership.policy().is_none_or(|policy| policy.seat(head.account).is_none()) {
                continue;
            }
            let Some(known) = shared.account.record_of(turn, &head.account)? else { continue };
            if head.version > known.version() && head.account != shared.account.id() {
                shared.account.fetch_record(turn, head.account)?;
            }
            if head.version == known.version() && head.hash != known.hash() {
                others.push(known.encode().into());
            }
        }
        others.truncate(MAX_SHOWN_RECORDS);
        if !others.is_empty() && self.may_round(turn, from) {
            self.tell(turn, shared, &[from], &Message::Records(others), QUIET)?;
        }
        Ok(())
    }

    /// Records that a member shows: one that is signed and is not what is known here is told.
    pub(super) fn take_records(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        records: &[serde_bytes::ByteBuf],
    ) -> Result<(), EngineError> {
        for record in records {
            let of = AccountRecord::decode_verified(record).map(|record| record.account_id());
            if of.is_ok_and(|account| self.membership.policy().is_some_and(|policy| policy.seat(account).is_some())) {
                self.observe(turn, shared, record)?;
            }
        }
        Ok(())
    }

    /// A record that came with something else. Wherever a newer one's account is a member, its devices are brought in step.
    pub(super) fn observe(
        &self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        record: &[u8],
    ) -> Result<(), EngineError> {
        if let Some((record, Observation::Fresh)) = shared.account.observe_record(turn, record)? {
            shared.errands.push((self.id, Errand::NewRecord(record.account_id())));
        }
        Ok(())
    }

    /// This device's account has removed it. The members may hear of it from nobody else: its other devices need not know of the
    /// conversation. The record is its root key's word, so whoever has the device can hide it and not forge it.
    pub(super) fn say_removed(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        let record = shared.account.record().clone();
        let known =
            self.membership.policy().and_then(|policy| policy.seat(record.account_id())).map(|seat| seat.version);
        let removed = record.device(shared.account.device()).is_none();
        if removed && known.is_some_and(|known| known < record.version()) {
            let others = self.others(shared);
            self.tell(turn, shared, &others, &Message::Records(vec![record.encode().into()]), QUIET)?;
        }
        Ok(())
    }

    /// Events came, of which some may lie beyond a gap: its sender is told what is held if what is missing does not come by itself.
    pub(super) fn wait_for_gap(&mut self, turn: &Turn<'_>, from: DeviceId, found: bool) {
        let now = turn.now.mono_ms;
        if found {
            self.gaps.entry(from).or_insert(Gap { since: now, ask_at: now });
        }
        if let Some(gap) = self.gaps.get_mut(&from) {
            gap.ask_at = now.saturating_add(GAP_MS).min(gap.since.saturating_add(LONGEST_GAP_MS));
        }
    }

    /// Whoever has left a gap for long enough is told what is held.
    pub(super) fn ask_for_gaps(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        let due: Vec<DeviceId> =
            self.gaps.extract_if(.., |_, gap| gap.ask_at <= now).map(|(device, _)| device).collect();
        if due.is_empty() || !repair::vector(&turn.read(), &self.id)?.has_gaps() {
            return Ok(());
        }
        for device in due {
            if self.may_round(turn, device) {
                self.answer_vector(turn, shared, device)?;
            }
        }
        Ok(())
    }

    /// Tells a device what is held here, and does not ask what it holds.
    fn answer_vector(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, to: DeviceId) -> Result<(), EngineError> {
        let vector = Vector { ask: false, ..repair::vector(&turn.read(), &self.id)? };
        self.tell(turn, shared, &[to], &Message::Vector(vector), PASSING)?;
        Ok(())
    }

    pub(super) fn take_vector(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        from: DeviceId,
        theirs: &Vector,
    ) -> Result<(), EngineError> {
        if !self.may_round(turn, from) {
            return Ok(());
        }
        let plan = repair::diff(&turn.read(), &self.id, &shared.me(), theirs)?;
        for (_, fault) in &plan.faults {
            self.tell_fault(turn, shared, &[from], fault)?;
        }
        let round = repair::round(&turn.read(), &self.id, &plan)?;
        for bundle in round.bundles {
            self.tell(turn, shared, &[from], &Message::Events(bundle), LETTER)?;
        }
        if !plan.lacks {
            self.in_step(turn, shared);
        }
        if plan.lacks && theirs.ask {
            self.answer_vector(turn, shared, from)?;
        }
        if round.more {
            self.offer_digest(turn, shared, &[from])?;
        }
        Ok(())
    }

    /// Another member holds nothing that is not held here.
    fn in_step(&mut self, turn: &Turn<'_>, shared: &mut Shared<'_>) {
        self.membership.caught_up(turn);
        if let Some(partner) = self.partner(shared.account.id()) {
            shared.errands.push((self.id, Errand::SettleDoubt(partner)));
        }
    }

    /// Another member holds nothing that is not held here, and something is in doubt: whether it is sure. What was under way may be
    /// missing to both, or what that member said be from before; so it has to be said again later, and is asked for.
    pub(crate) fn is_sure(&mut self, turn: &Turn<'_>) -> bool {
        let now = turn.now.mono_ms;
        let sure_at = *self.sure_at.get_or_insert_with(|| {
            let at = now.saturating_add(UNDER_WAY_MS);
            self.digest_at = self.digest_at.min(at);
            at
        });
        if sure_at <= now {
            self.sure_at = None;
        }
        sure_at <= now
    }

    fn may_round(&mut self, turn: &Turn<'_>, device: DeviceId) -> bool {
        let now = turn.now.mono_ms;
        let (since, count) = self.rounds.entry(device).or_insert((now, 0));
        if now.saturating_sub(*since) > ROUNDS_MS {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= MAX_ROUNDS
    }

    /// Proof that a feed is at fault goes to everybody.
    pub(super) fn spread_fault(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        fault: &Fault,
    ) -> Result<(), EngineError> {
        let others = self.others(shared);
        self.tell_fault(turn, shared, &others, fault)
    }

    fn tell_fault(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        to: &[DeviceId],
        fault: &Fault,
    ) -> Result<(), EngineError> {
        let message = Message::Fork { one: fault.one.clone(), other: fault.other.clone() };
        self.tell(turn, shared, to, &message, QUIET)?;
        Ok(())
    }
}
