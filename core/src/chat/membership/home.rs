//! Asking the home: when, what, and what its answers come to.

use super::asking::{Asked, GONE_AFTER, LOST_AFTER, RETRY_MS, draw};
use super::commit::Proposed;
use super::group::write_key;
use super::{Fact, Held, Membership, Present};
use crate::chat::account::Account;
use crate::chat::api::CallFailure;
use crate::chat::home_log;
use crate::chat::turn::{EngineError, Turn};
use crate::home::{EntryError, verify_signed};
use crate::types::{AccountId, GroupId};
use crate::wire::event::LogHead;
use crate::wire::log::{self, Equivocation, MAX_ENTRIES, Refusal, Request, Response, UnverifiedEntry};

/// How often the log is read when nothing calls for it: a hint may be lost.
const READ_EVERY_MS: u64 = 10 * 60 * 1000;

/// The longest pause before a commit that met another one is made anew: two committers soon miss each other.
const REBASE_MS: u64 = 2_000;

impl Membership {
    /// The log may have grown, or the home may be reachable again: read it now.
    pub(crate) fn read_log(&mut self) {
        self.home.read = true;
        self.home.retry_at = 0;
        self.home.needs_packages = false;
    }

    /// Somebody says that the log has so many entries.
    pub(crate) fn hint(&mut self, group: GroupId, next: u64) {
        if self.row.present.as_ref().is_some_and(|present| present.group == group && present.log.next < next) {
            self.home.read = true;
        }
    }

    /// Asks the home what there is to ask now.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn drive(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        held: Held<'_>,
    ) -> Result<Vec<Fact>, EngineError> {
        let mut facts = Vec::new();
        // A home that is this device answers at once; each answer may lead to one more question. The bound is for a fault only.
        for _ in 0..256 {
            let Some(request) = self.next_request(turn, me, held, &mut facts)? else { break };
            if !self.ask(turn, me, request, &mut facts)? {
                break;
            }
        }
        Ok(facts)
    }

    /// Asks the home; says whether that is this device, and has answered.
    fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        request: Request,
        facts: &mut Vec<Fact>,
    ) -> Result<bool, EngineError> {
        let here = self.policy.as_ref().is_some_and(|policy| policy.home.is_device(me.device()));
        if !here {
            facts.push(Fact::Ask(request));
            return Ok(false);
        }
        let batch = &mut turn.effects.batch;
        let response = home_log::answer(turn.now.wall, turn.base, batch, &me.keys().events, &request)?;
        self.take(turn, Ok(response), facts)?;
        Ok(true)
    }

    /// A member shows what the home signed last of the log of the group that this device has lost its keys of, and says that it is lost:
    /// so nobody can add this device. The home is asked whether it is so. Since then this device may have become the home itself, also
    /// of a successor `group`; `written_in` is the generation of what it wrote last.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn probe(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        group: GroupId,
        shown: &UnverifiedEntry,
        written_in: u32,
    ) -> Result<Vec<Fact>, EngineError> {
        let mut facts = Vec::new();
        if self.row.present.is_some() {
            self.saw_signed(shown);
            return Ok(facts);
        }
        let Some(policy) = self.policy.as_ref().filter(|_| self.row.rejoining) else { return Ok(facts) };
        let signed = |key| verify_signed(shown, &key).ok().map(|verified| verified.entry);
        let by_home = signed(policy.home.key()).filter(|entry| self.row.last == Some(entry.group));
        let events = &me.keys().events;
        let by_this = signed(events.public()).filter(|entry| entry.group == group);
        let here = by_home.is_none();
        let Some(entry) = by_home.or(by_this) else { return Ok(facts) };
        self.home.written_in = self.home.written_in.max(written_in);
        // Should the home have it, it hides it from that member, which cannot bring this device back either.
        self.home.suspected = true;
        if self.home.asked.is_none() && !self.home.orphaned {
            self.home.asked = Some((entry.group, Asked::Probe { next: entry.index.saturating_add(1) }));
            let request = Request::Read { group: entry.group, from: entry.index, limit: 1 };
            if here {
                let answer = home_log::answer(turn.now.wall, turn.base, &mut turn.effects.batch, events, &request)?;
                self.take(turn, Ok(answer), &mut facts)?;
            } else {
                self.ask(turn, me, request, &mut facts)?;
            }
        }
        Ok(facts)
    }

    /// A member that cannot go on shows an entry of the present group's log beyond the last one walked here. What the home signed it has
    /// to have: the log is read, and until it shows as much it has lost its end, or keeps that from this device.
    fn saw_signed(&mut self, shown: &UnverifiedEntry) {
        let (Some(present), Some(policy)) = (&self.row.present, &self.policy) else { return };
        let signed = verify_signed(shown, &policy.home.key()).ok().filter(|it| it.entry.group == present.group);
        let next = signed.map_or(0, |signed| signed.head().next);
        if next > present.log.next && next > self.home.signed {
            self.home.signed = next;
            self.home.read = true;
        }
    }

    /// Takes the home's answer, or that there is none, and goes on asking.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        held: Held<'_>,
        outcome: Result<Response, CallFailure>,
    ) -> Result<Vec<Fact>, EngineError> {
        let mut facts = Vec::new();
        self.take(turn, outcome, &mut facts)?;
        facts.extend(self.drive(turn, me, held)?);
        Ok(facts)
    }

    fn next_request(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        held: Held<'_>,
        facts: &mut Vec<Fact>,
    ) -> Result<Option<Request>, EngineError> {
        let Some(present) = self.row.present.clone() else { return Ok(None) };
        let now = turn.now.mono_ms;
        if self.home.asked.is_some() || self.home.retry_at > now || self.row.lied.is_some() {
            return Ok(None);
        }
        let group = present.group;
        if !present.kept && !self.home.peek {
            self.home.asked = Some((group, Asked::Create));
            let write_key_hash = log::write_key_hash(&write_key(self.group(turn, group)?)?);
            return Ok(Some(Request::Create { group, write_key_hash }));
        }
        if self.home.read || self.home.read_at <= now || !present.kept {
            let from = present.log.next.saturating_sub(u64::from(self.home.doubt));
            self.home.asked = Some((group, Asked::Read { from }));
            return Ok(Some(Request::Read { group, from, limit: MAX_ENTRIES as u16 }));
        }
        let ready = self.home.commit_at <= now && !self.home.needs_packages;
        if !self.row.pending
            && !self.row.wishes.is_empty()
            && ready
            && let Proposed::Need(accounts) = self.propose(turn, me, held)?
        {
            self.home.needs_packages = true;
            facts.extend(accounts.into_iter().map(Fact::Packages));
        }
        let Some(pending) = self.pending(turn, group)? else { return Ok(None) };
        self.home.asked = Some((group, Asked::Append));
        Ok(Some(Request::Append {
            group,
            head: pending.head,
            write_key: pending.write_key,
            next_write_key_hash: pending.next_write_key_hash,
            blob: pending.blob.into_vec(),
        }))
    }

    fn take(
        &mut self,
        turn: &mut Turn<'_>,
        outcome: Result<Response, CallFailure>,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        let Some((group, asked)) = self.home.asked.take() else { return Ok(()) };
        if let Asked::Probe { next } = asked {
            let has_less = match outcome {
                Ok(Response::Refused(Refusal::UnknownGroup)) => true,
                Ok(Response::Entries { head, .. }) => head.next < next,
                _ => false,
            };
            if has_less && self.row.present.is_none() && self.row.rejoining {
                self.home.orphaned = true;
                facts.push(Fact::Lost);
            }
            return Ok(());
        }
        if self.row.present.as_ref().is_none_or(|present| present.group != group) {
            return Ok(());
        }
        match outcome {
            Ok(Response::Created) => {
                self.home.answered();
                if let Some(present) = &mut self.row.present {
                    present.kept = true;
                }
                self.save(turn);
                Ok(())
            }
            Ok(Response::Appended(entry)) if asked == Asked::Append => self.appended(turn, group, entry, facts),
            Ok(Response::Entries { entries, head }) => {
                let from = if let Asked::Read { from } = asked { from } else { 0 };
                self.read(turn, from, &entries, head, facts)
            }
            Ok(Response::Refused(refusal)) => {
                self.refused(turn, refusal, facts);
                if refusal == Refusal::UnknownGroup {
                    self.look_ahead(turn, facts)?;
                }
                Ok(())
            }
            outcome @ (Ok(Response::Appended(_)) | Err(_)) => {
                // A relay begins logs for its own people only: it refuses this device, but not one of another member's.
                self.home.peek = asked == Asked::Create && outcome == Err(CallFailure::Broken);
                if self.home.failed(turn.now.mono_ms, turn.rng) {
                    facts.push(Fact::Lost);
                }
                // It may have been carried out: the log says.
                self.home.read |= asked == Asked::Append;
                if asked == Asked::Create && self.home.is_ahead() {
                    // Others have walked the log: it is there to be read, or the home denies it to this device.
                    self.home.read = true;
                    if let Some(present) = &mut self.row.present {
                        present.kept = true;
                    }
                }
                Ok(())
            }
        }
    }

    fn appended(
        &mut self,
        turn: &mut Turn<'_>,
        group: GroupId,
        entry: UnverifiedEntry,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        self.home.answered();
        self.home.rejected = 0;
        let Some(pending) = self.pending(turn, group)? else { return Ok(()) };
        let entry = UnverifiedEntry { blob: pending.blob.into_vec(), ..entry };
        if self.walk(turn, &[entry], facts)?.is_err() {
            self.home.read = true;
            self.home.failed(turn.now.mono_ms, turn.rng);
        }
        Ok(())
    }

    fn read(
        &mut self,
        turn: &mut Turn<'_>,
        from: u64,
        entries: &[UnverifiedEntry],
        head: LogHead,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        self.home.answered();
        self.home.peek = false;
        if let Some(present) = &mut self.row.present {
            present.kept = true;
        }
        if let Some(proof) = self.contradiction(turn, from, entries)? {
            return self.home_lied(turn, proof, facts);
        }
        let before = self.row.present.as_ref().map_or(0, |present| present.log.next);
        let outcome = self.walk(turn, entries, facts)?;
        let Some(present) = self.row.present.clone() else { return Ok(()) };
        let doubted = std::mem::take(&mut self.home.doubt);
        match outcome {
            Err(EntryError::OtherHistory { .. }) => {
                if doubted {
                    self.shown_elsewhere(turn, facts);
                } else {
                    self.doubt();
                }
                return Ok(());
            }
            Err(_) => {
                self.home.doubt = doubted;
                self.home.failed(turn.now.mono_ms, turn.rng);
                return Ok(());
            }
            Ok(()) if head.next == present.log.next && head.hash != present.log.hash => {
                // Nothing follows yet that would tell: the entry itself does.
                if !doubted {
                    self.doubt();
                    return Ok(());
                }
                if self.is_elsewhere(&present, entries) {
                    self.shown_elsewhere(turn, facts);
                    return Ok(());
                }
            }
            Ok(()) => {}
        }
        self.home.elsewhere = 0;
        if head.next < present.log.next.max(self.home.signed) {
            // It signed more than it shows: it has lost the end of the log, or keeps it from this device alone.
            self.gone(turn, facts);
            return self.look_ahead(turn, facts);
        }
        self.home.gone = 0;
        if present.log.next > before {
            self.home.rejected = 0;
        }
        let more = head.next > present.log.next && present.log.next > before;
        self.home.read = more;
        self.home.read_at = turn.now.mono_ms.saturating_add(READ_EVERY_MS);
        if !more {
            self.look_ahead(turn, facts)?;
            facts.push(Fact::Walked);
        }
        Ok(())
    }

    /// Whether among these is an entry that the home signed for the place of the one that this device stands behind, and is another.
    fn is_elsewhere(&self, present: &Present, entries: &[UnverifiedEntry]) -> bool {
        let Some(key) = self.policy.as_ref().map(|policy| policy.home.key()) else { return false };
        let signed = entries.iter().filter_map(|entry| verify_signed(entry, &key).ok());
        let mut here = signed.filter(|it| it.entry.group == present.group && it.head().next == present.log.next);
        here.any(|it| it.hash != present.log.hash)
    }

    /// The home keeps another log than the one in which this device was brought in. Whoever walked that one has the proof; whoever came by
    /// a Welcome has no entry to show, and may be the last who is in it. The others walk the one that is shown here, and can add it anew.
    fn shown_elsewhere(&mut self, turn: &mut Turn<'_>, facts: &mut Vec<Fact>) {
        self.home.elsewhere = self.home.elsewhere.saturating_add(1);
        self.doubt();
        // It does answer, and is asked more and more seldom all the same.
        self.home.failures = self.home.elsewhere.saturating_sub(1);
        self.home.failed(turn.now.mono_ms, turn.rng);
        // An account that has left waits to be taken out, wherever that is.
        if self.home.elsewhere >= GONE_AFTER && !self.row.stranded && !self.row.left {
            self.strand(turn, facts);
        }
    }

    fn refused(&mut self, turn: &mut Turn<'_>, refusal: Refusal, facts: &mut Vec<Fact>) {
        let now = turn.now.mono_ms;
        match refusal {
            Refusal::Conflict => {
                self.home.answered();
                self.home.read = true;
                self.home.commit_at = now.saturating_add(draw(turn.rng, REBASE_MS));
            }
            Refusal::UnknownGroup if self.is_at_start() => {
                if let Some(present) = &mut self.row.present {
                    present.kept = false;
                }
                self.home.denied = std::mem::take(&mut self.home.peek);
                self.home.failed(now, turn.rng);
                if self.is_unbegun() && !std::mem::replace(&mut self.home.unbegun, true) {
                    facts.push(Fact::Lost);
                }
            }
            Refusal::Exists => {
                // Others began it, and have walked it since: it is there to be read.
                if let Some(present) = self.row.present.as_mut().filter(|present| present.log.next == 0) {
                    present.kept = true;
                }
                self.gone(turn, facts);
            }
            Refusal::UnknownGroup => self.gone(turn, facts),
            Refusal::WrongKey => self.rejected(turn, facts),
            Refusal::Limit | Refusal::TryLater => {
                if self.home.failed(now, turn.rng) {
                    facts.push(Fact::Lost);
                }
            }
        }
    }

    /// Whether nothing is known here that the home has signed of the log.
    fn is_at_start(&self) -> bool {
        self.home.signed == 0 && self.row.present.as_ref().is_some_and(|present| present.log.next == 0)
    }

    /// The home says that it has less of the log than it signed.
    fn gone(&mut self, turn: &mut Turn<'_>, facts: &mut Vec<Fact>) {
        self.home.gone = self.home.gone.saturating_add(1);
        self.home.read = true;
        self.home.retry_at = turn.now.mono_ms.saturating_add(RETRY_MS);
        if self.home.gone > GONE_AFTER {
            self.home.told = true;
            // It does answer, and is asked more and more seldom all the same.
            self.home.failures = self.home.gone.saturating_sub(GONE_AFTER);
            self.home.failed(turn.now.mono_ms, turn.rng);
        }
        if self.home.gone == GONE_AFTER {
            facts.push(Fact::Lost);
        }
    }

    /// The home does not know the key of the present epoch, which the commit that began it brought: it lacks that commit, or others have
    /// crowded the key out. Whoever came by that commit has walked nothing that would tell.
    fn rejected(&mut self, turn: &mut Turn<'_>, facts: &mut Vec<Fact>) {
        self.home.rejected = self.home.rejected.saturating_add(1);
        self.home.read = true;
        // Each time the log was read meanwhile, which counts as an answer.
        self.home.failures = self.home.rejected.saturating_sub(GONE_AFTER);
        self.home.failed(turn.now.mono_ms, turn.rng);
        if self.home.rejected == GONE_AFTER {
            self.home.told = true;
            facts.push(Fact::Lost);
        }
    }

    /// Whether nobody has begun the log for long, although something waits for it: whoever the home would let begin it was removed, or
    /// it lets no member.
    fn is_unbegun(&self) -> bool {
        self.home.denied && self.home.failures >= LOST_AFTER && !self.row.wishes.is_empty()
    }

    /// Whether the home is known to have lost the log, or to lie, or keeps none for the members: the conversation has to move.
    pub(crate) fn must_move(&self) -> bool {
        let lost = self.row.lied.is_some() || self.has_lost_home() || self.is_unbegun();
        let orphaned = self.home.orphaned && self.row.rejoining;
        if self.row.present.is_some() { lost } else { orphaned }
    }

    /// Somebody pleads with this device. If it is another member, and this device has lost its keys itself, neither brings back the other.
    pub(crate) fn hear_loss(&mut self, account: AccountId) {
        self.home.others_lost |=
            self.row.rejoining && self.policy.as_ref().is_some_and(|policy| policy.seat(account).is_some());
    }

    /// Whether members seem not to be able to bring this device back: they plead themselves, or the home shows them no log.
    pub(crate) const fn cannot_be_brought_back(&self) -> bool {
        self.row.rejoining && (self.home.others_lost || self.home.suspected)
    }

    /// Whether it is the home that failed, where the conversation has to move.
    pub(crate) const fn has_home_failed(&self) -> bool {
        self.row.present.is_some() || self.home.orphaned || self.home.suspected
    }

    /// Whether the home has lost the present group's log.
    pub(crate) const fn has_lost_home(&self) -> bool {
        self.home.gone >= GONE_AFTER || self.home.rejected >= GONE_AFTER
    }

    /// Whether this device can bring nobody back, nor move the group, nor show what its home has lost: another member has to be asked.
    pub(crate) fn is_helpless(&self, me: &Account) -> bool {
        let shut_out = self.has_lost_home() || self.home.denied;
        self.row.present.is_some() && shut_out && self.mover_rank(me).is_none()
    }

    /// What the home signed last of the present group's log, if it has lost that.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn lost_entry(&self, turn: &Turn<'_>) -> Result<Option<UnverifiedEntry>, EngineError> {
        let present = self.row.present.as_ref().filter(|_| self.has_lost_home());
        let Some(index) = present.and_then(|present| present.log.next.checked_sub(1)) else { return Ok(None) };
        self.kept_entry(turn, index)
    }

    /// An entry in an answer that contradicts one that was walked.
    fn contradiction(
        &self,
        turn: &Turn<'_>,
        from: u64,
        entries: &[UnverifiedEntry],
    ) -> Result<Option<Equivocation>, EngineError> {
        let Some(present) = &self.row.present else { return Ok(None) };
        for (index, entry) in (from..present.log.next).zip(entries) {
            let Some(kept) = self.kept_entry(turn, index)? else { continue };
            if let Some(proof) = self.proof(kept, entry) {
                return Ok(Some(proof));
            }
        }
        Ok(None)
    }

    /// Entries that a member shows: with those walked here they may prove that the home lies.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn shown(&mut self, turn: &mut Turn<'_>, shown: &Equivocation) -> Result<Vec<Fact>, EngineError> {
        let mut facts = Vec::new();
        if self.row.lied.is_some() || self.row.present.is_none() {
            return Ok(facts);
        }
        if let Some(proof) = self.proof(shown.one.clone(), &shown.other) {
            self.home_lied(turn, proof, &mut facts)?;
            return Ok(facts);
        }
        let Ok(entry) = <log::Entry as crate::wire::codec::Body>::decode(&shown.one.entry) else { return Ok(facts) };
        if self.row.present.as_ref().is_none_or(|present| present.group != entry.group) {
            return Ok(facts);
        }
        let kept = self.kept_at(turn, entry.index)?;
        if let Some(proof) = kept.into_iter().find_map(|kept| self.proof(kept, &shown.one)) {
            self.home_lied(turn, proof, &mut facts)?;
        }
        Ok(facts)
    }

    /// Asks the home for the last entry walked as well when the log is read next, which is now.
    pub(crate) fn doubt(&mut self) {
        self.home.doubt = true;
        self.home.read = true;
    }

    /// What another member saw as the head of the log: the entry walked here for the same place, if it is another one, or that the
    /// log has grown.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn compare(
        &mut self,
        turn: &Turn<'_>,
        group: GroupId,
        seen: LogHead,
    ) -> Result<Option<Equivocation>, EngineError> {
        let Some(present) = self.row.present.clone().filter(|present| present.group == group) else {
            return Ok(None);
        };
        if seen.next > present.log.next {
            self.home.read = true;
            return Ok(None);
        }
        let Some(index) = seen.next.checked_sub(1) else { return Ok(None) };
        let Some(kept) = self.kept_entry(turn, index)? else { return Ok(None) };
        let differs = log::entry_hash(&kept.entry) != seen.hash;
        Ok(differs.then(|| Equivocation { one: kept.clone(), other: kept }))
    }

    fn home_lied(
        &mut self,
        turn: &mut Turn<'_>,
        proof: Equivocation,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        self.row.lied = Some(proof.clone());
        if let Some(group) = self.row.present.as_ref().map(|present| present.group) {
            self.rebase(turn, group)?;
        }
        self.save(turn);
        facts.push(Fact::Lied(proof));
        Ok(())
    }
}
