//! The walk over the home's log: which entries count.

use std::collections::BTreeMap;

use super::commit::{changed, entrant, welcome};
use super::group::{certified, devices};
use super::state::{Pending, pending_key};
use super::{Fact, Membership, Wish};
use crate::chat::policy::{Commit, Kind, Policy, entitled};
use crate::chat::roster::{Member, Place};
use crate::chat::turn::{EngineError, Turn};
use crate::home::{EntryError, verify_entry};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::mls::{MlsError, Processed, Summary};
use crate::store::Table;
use crate::types::{AccountId, DeviceId, GroupId};
use crate::wire::codec::Body;
use crate::wire::event::{LogHead, UnverifiedEvent};
use crate::wire::log::UnverifiedEntry;
use crate::wire::message::{CommitInfo, Cut, Kind as MessageKind};

/// What an entry came to.
enum Judged {
    /// It counts: what it carries, whom it adds and whom it removes.
    Merged(CommitInfo, Vec<DeviceCertificate>, Vec<DeviceId>),
    /// Ours, and it counts.
    Own(Box<Pending>),
    /// It does not.
    Skipped,
}

impl Membership {
    /// Walks entries that a home gave, from where the walk stands. An entry that is not the next is an error, and ends the walk.
    pub(super) fn walk(
        &mut self,
        turn: &mut Turn<'_>,
        entries: &[UnverifiedEntry],
        facts: &mut Vec<Fact>,
    ) -> Result<Result<(), EntryError>, EngineError> {
        for unverified in entries {
            let Some(present) = self.row.present.clone() else { return Ok(Ok(())) };
            let policy = self.policy.as_ref().ok_or(EngineError::Broken("a group without a policy"))?;
            let verified = match verify_entry(unverified, &policy.home.key(), present.group, &present.log) {
                Ok(verified) => verified,
                Err(EntryError::Gap { expected, found }) if found < expected => continue,
                Err(error) => return Ok(Err(error)),
            };
            let judged = self.judge(turn, present.group, present.log, &unverified.blob)?;
            self.keep_entry(turn, present.group, verified.entry.index, unverified);
            if let Some(present) = &mut self.row.present {
                present.log = verified.head();
                present.kept = true;
            }
            let own = matches!(judged, Judged::Own(_));
            self.apply(turn, present.group, judged, facts)?;
            self.save(turn);
            if own {
                // What goes with a Welcome is sealed in the epoch that it leads into.
                self.home.read_log_now();
                break;
            }
        }
        Ok(Ok(()))
    }

    fn judge(&mut self, turn: &mut Turn<'_>, id: GroupId, place: LogHead, blob: &[u8]) -> Result<Judged, EngineError> {
        let before = self.policy.clone().ok_or(EngineError::Broken("a group without a policy"))?;
        let pending = self.pending(turn, id)?;
        let group = self.group(turn, id)?;
        let staged = match group.process(&mut turn.mls(), blob) {
            Ok(Processed::Commit(staged)) => staged,
            Ok(Processed::OwnCommit) => {
                return Ok(pending.map_or(Judged::Skipped, |pending| Judged::Own(Box::new(pending))));
            }
            Err(error @ (MlsError::Store(_) | MlsError::Incomplete)) => return Err(error.into()),
            Err(MlsError::Internal(_)) => {
                self.row.refused = Some(group.epoch());
                self.groups.remove(&id);
                return Ok(Judged::Skipped);
            }
            Err(MlsError::FutureEpoch { epoch, .. }) => {
                self.home.ahead(epoch);
                return Ok(Judged::Skipped);
            }
            Err(MlsError::Forged | MlsError::NotAllowed(_)) => {
                self.row.refused = Some(group.epoch());
                return Ok(Judged::Skipped);
            }
            Ok(Processed::Application(_)) | Err(_) => return Ok(Judged::Skipped),
        };
        let leaves = devices(&group.roster()?).ok_or(EngineError::Broken("a leaf without a certificate"))?;
        let Some(facts) = Judgement::of(staged.summary()) else { return Ok(Judged::Skipped) };
        let commit = Commit {
            group: id,
            epoch: staged.summary().epoch.saturating_add(1),
            place,
            sender: facts.sender,
            leaves: &leaves,
            added: &facts.added.iter().map(entrant).collect::<Vec<_>>(),
            removed: &facts.removed,
            info: &facts.info,
            past: self.past_after(&facts.added, &facts.removed, &facts.info.cuts),
        };
        if entitled(&before, &facts.after, &commit).is_err() {
            return Ok(Judged::Skipped);
        }
        let group = self.group(turn, id)?;
        group.merge(&mut turn.mls(), staged)?;
        Ok(Judged::Merged(facts.info, facts.added, facts.removed))
    }

    fn apply(
        &mut self,
        turn: &mut Turn<'_>,
        id: GroupId,
        judged: Judged,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        let (info, added, removed) = match judged {
            Judged::Merged(info, added, removed) => {
                self.forget_pending(turn, id);
                facts.push(Fact::Records(info.records.clone()));
                (info, added, removed)
            }
            Judged::Own(pending) => {
                self.group(turn, id)?.own_commit_accepted(&mut turn.mls())?;
                self.forget_pending(turn, id);
                self.row.wishes.retain(|wish| *wish != pending.wish);
                facts.extend(welcome(&pending, id));
                let next = self.row.present.as_ref().map_or(0, |present| present.log.next);
                let leaves = devices(&self.group(turn, id)?.roster()?).unwrap_or_default();
                let gone = |device: &DeviceId| !leaves.contains_key(device);
                let removed: Vec<DeviceId> = self.present_devices().filter(gone).collect();
                facts.push(Fact::Hint { group: id, next, removed: removed.clone() });
                let info = CommitInfo::decode(&pending.info).unwrap_or_default();
                let added =
                    pending.added.iter().filter_map(|bytes| DeviceCertificate::decode_stored(bytes).ok()).collect();
                (info, added, removed)
            }
            Judged::Skipped => return self.rebase(turn, id),
        };
        let entered = |device: &DeviceId| added.iter().any(|leaf| leaf.device_id() == *device);
        self.row.wishes.retain(|wish| !matches!(wish, Wish::Return { device, .. } if entered(device)));
        self.roster = changed(&self.roster, &added, &removed, &info.cuts);
        let home = self.policy.as_ref().map(|policy| policy.home.clone());
        self.refresh(turn, id, facts)?;
        // Only a commit moves a log: of a group that took over its Welcome says how far it was walked.
        if let Some(home) = home.filter(|home| self.policy.as_ref().is_some_and(|policy| policy.home != *home)) {
            self.moved(turn, id, &home);
        }
        let records = info.records.iter().filter_map(|bytes| AccountRecord::decode_stored(bytes).ok());
        self.shut_out(&records.map(|record| (record.account_id(), record)).collect());
        Ok(())
    }

    /// Devices of no agreement are outside when the records that seats follow do not list them, or nobody of theirs has a seat.
    pub(super) fn shut_out(&mut self, records: &BTreeMap<AccountId, AccountRecord>) {
        let Some(policy) = &self.policy else { return };
        self.roster.shut_out(|device, member| {
            let Some(seat) = policy.seat(member.account) else { return true };
            let record = records.get(&member.account).filter(|record| record.head() == seat.head());
            record.is_some_and(|record| record.device(*device).is_none())
        });
    }

    /// In a conversation of accounts that never change, what those devices wrote counts that the records list which seats follow, also
    /// of one that nobody could add: it may have been in a rival that this device never saw. Says whether one is new here.
    pub(crate) fn let_in(&mut self, turn: &mut Turn<'_>, record: &AccountRecord) -> bool {
        let Some(policy) = self.policy.as_ref().filter(|policy| policy.kind != Kind::Group) else { return false };
        if policy.seat(record.account_id()).is_none_or(|seat| seat.head() != record.head()) {
            return false;
        }
        let mut new = false;
        for certificate in record.devices() {
            let device = certificate.device_id();
            if self.roster.member(&device).is_none()
                && let Some(member) = super::group::member(certificate, Place::Foreign)
            {
                self.roster.admit(device, member);
                new = true;
            }
        }
        if new {
            self.save(turn);
        }
        new
    }

    /// An entry that does not count has moved the log: a commit that was made on its old head is made anew.
    pub(super) fn rebase(&mut self, turn: &mut Turn<'_>, id: GroupId) -> Result<(), EngineError> {
        if self.row.pending {
            self.forget_pending(turn, id);
            let group = self.group(turn, id)?;
            if group.pending().is_some() {
                group.discard_pending(&mut turn.mls())?;
            }
        }
        Ok(())
    }

    pub(super) fn pending(&self, turn: &Turn<'_>, id: GroupId) -> Result<Option<Pending>, EngineError> {
        if self.row.pending { turn.get(Table::Group, &pending_key(id)) } else { Ok(None) }
    }

    /// Where an own commit that waits for the log ends the feeds of those whom it removes.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn closing(&self, turn: &Turn<'_>) -> Result<Vec<Cut>, EngineError> {
        let Some(group) = self.row.present.as_ref().map(|present| present.group) else { return Ok(Vec::new()) };
        let info = self.pending(turn, group)?.and_then(|pending| CommitInfo::decode(&pending.info).ok());
        Ok(info.map(|info| info.cuts).unwrap_or_default())
    }

    pub(super) fn forget_pending(&mut self, turn: &mut Turn<'_>, id: GroupId) {
        if self.row.pending {
            self.row.pending = false;
            turn.effects.batch.delete(Table::Group, pending_key(id));
        }
    }

    /// Brings roster and policy in step with the group.
    pub(super) fn refresh(
        &mut self,
        turn: &mut Turn<'_>,
        id: GroupId,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        (self.row.refused, self.row.stranded) = (None, false);
        let group = self.group(turn, id)?;
        let here = group.is_member();
        let leaves = if here { devices(&group.roster()?) } else { None };
        let policy = Policy::decode(group.policy()?).map_err(|_| EngineError::Broken("a policy that was judged"))?;
        if let Some(leaves) = leaves {
            self.seat_leaves(&leaves);
            let known = |account: AccountId| self.policy.as_ref().is_some_and(|before| before.seat(account).is_some());
            let seated = policy.seats.iter().map(|seat| seat.account).filter(|account| !known(*account));
            facts.push(Fact::Seated(seated.collect()));
            self.policy = Some(policy);
            facts.push(Fact::Advanced);
            return Ok(());
        }
        self.leave(turn, id);
        facts.push(Fact::Gone { seated: policy.seats.iter().map(|seat| seat.account).collect() });
        Ok(())
    }

    /// This device was removed and belongs here all the same: it waits for a Welcome, or asks for one.
    pub(crate) fn await_return(&mut self, turn: &mut Turn<'_>) {
        self.row.rejoining = true;
        self.save(turn);
    }

    /// This account left a group in an epoch: the present one, if it was in this one and since its seat was taken.
    pub(crate) fn leaves(&mut self, turn: &mut Turn<'_>, own: AccountId, group: GroupId, epoch: u64) {
        if self.row.parted.is_none_or(|(of, at)| of != group || at < epoch) {
            self.row.parted = Some((group, epoch));
            let here = self.row.present.as_ref().is_some_and(|present| present.group == group);
            self.row.left |= here && self.policy.as_ref().is_some_and(|policy| self.is_left(policy, group, own));
            self.save(turn);
        }
    }

    /// Whether a member shows how this account left the seat that it has by what is known here, or a later group; it is remembered.
    pub(crate) fn shown_leave(&mut self, turn: &mut Turn<'_>, own: AccountId, leave: &UnverifiedEvent) -> bool {
        let (Ok(header), Some(policy)) = (leave.peek(), self.policy.clone()) else { return false };
        let author = self.roster.member(&header.feed.device).filter(|member| member.account == own);
        let signed = author.is_some_and(|member| leave.clone().verify(&member.events).is_ok());
        let leaves = header.kind == MessageKind::Leave as u16 && header.conversation == self.conversation;
        if !signed || !leaves {
            return false;
        }
        self.leaves(turn, own, header.group, header.epoch);
        let here = self.row.present.as_ref().map(|present| present.group).or(self.row.last);
        (here == Some(header.group) && self.is_left(&policy, header.group, own))
            || header.generation > policy.generation
    }

    /// Whether the seat that an account has in a group is one that it left: nobody has given it another since.
    pub(super) fn is_left(&self, policy: &Policy, group: GroupId, own: AccountId) -> bool {
        let since = policy.seat(own).map(|seat| seat.since);
        self.row.parted.is_some_and(|(of, at)| of == group && since.is_some_and(|since| since <= at))
    }

    /// Whether this account has left the present group.
    pub(crate) const fn has_left(&self) -> bool {
        self.row.left
    }

    /// This device's account was taken out by a commit that it was not shown.
    pub(crate) fn taken_out(&mut self, turn: &mut Turn<'_>) -> Vec<Fact> {
        match self.row.present.as_ref().map(|present| present.group) {
            Some(group) => self.leave(turn, group),
            // It has lost its keys: what it knows of the members is from before that.
            None => self.set_present_aside(|_| true),
        }
        (self.row.rejoining, self.row.left) = (false, false);
        self.save(turn);
        vec![Fact::Gone { seated: Vec::new() }]
    }

    /// This device is in the group no more.
    fn leave(&mut self, turn: &mut Turn<'_>, id: GroupId) {
        self.row.present = None;
        self.row.wishes.clear();
        self.row.pending = false;
        (self.row.refused, self.row.stranded) = (None, false);
        // If this device is added again, its Welcome leads into the same group.
        self.forget_group(turn, id);
        self.gone = Some(id);
        self.row.last = Some(id);
        self.set_present_aside(|_| true);
    }

    fn set_present_aside(&mut self, whom: impl Fn(&DeviceId) -> bool) {
        let aside: Vec<DeviceId> = self.present_devices().filter(whom).collect();
        aside.iter().for_each(|device| self.roster.set_aside(device));
    }

    /// The log has no more to show, and still others are ahead: if a commit was refused where this device stands, the others took
    /// it; if none was, the home keeps from this device what it showed them. It goes on reading what it can, and asks to be added anew.
    pub(super) fn look_ahead(&mut self, turn: &mut Turn<'_>, facts: &mut Vec<Fact>) -> Result<(), EngineError> {
        let Some(ahead) = self.home.take_ahead() else { return Ok(()) };
        let Some(epoch) = self.epoch(turn)? else { return Ok(()) };
        if ahead <= epoch || self.row.stranded {
            return Ok(());
        }
        // The answer may be older than the message that came from ahead; a refused commit is certain.
        if self.row.refused == Some(epoch) || self.home.is_kept_behind(turn.now.mono_ms, ahead) {
            self.strand(turn, facts);
        }
        Ok(())
    }

    pub(super) fn strand(&mut self, turn: &mut Turn<'_>, facts: &mut Vec<Fact>) {
        self.row.stranded = true;
        self.save(turn);
        facts.push(Fact::Stranded);
    }

    /// Somebody says that another group took over from this one.
    pub(crate) fn left_out(&mut self, turn: &mut Turn<'_>, group: GroupId) -> Vec<Fact> {
        let mut facts = Vec::new();
        if !self.row.stranded && self.row.present.as_ref().is_some_and(|present| present.group == group) {
            self.strand(turn, &mut facts);
        }
        facts
    }

    /// Devices that have no place in the present group, and are not known to be gone for good.
    pub(crate) fn away_devices(&self) -> Vec<DeviceId> {
        let away = |member: &Member| member.place == Place::Away;
        self.roster.members().filter(|(_, member)| away(member)).map(|(device, _)| *device).collect()
    }

    /// The devices that are leaves of a group that another took over from, as far as it was followed here.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn leaves_of(&mut self, turn: &Turn<'_>, group: GroupId) -> Result<Vec<DeviceId>, EngineError> {
        if !self.row.older.contains(&group) {
            return Ok(Vec::new());
        }
        let leaves = devices(&self.group(turn, group)?.roster()?).unwrap_or_default();
        Ok(leaves.into_keys().collect())
    }

    /// A Welcome has come into a group that is held here, to a device that asked to be added anew: it gives up what it holds, to take
    /// the new place. Says whether it did. It does so of the present group, and, if it is in none any more, of a rival of its last.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn makes_room(&mut self, turn: &mut Turn<'_>, group: GroupId) -> Result<bool, EngineError> {
        match self.row.present.as_ref().map(|present| present.group) {
            Some(present) if present == group && self.row.stranded => {
                self.leave(turn, group);
                self.row.rejoining = true;
            }
            None if self.row.rejoining && self.row.older.contains(&group) => {
                let held = Policy::decode(self.group(turn, group)?.policy()?);
                let held = held.map_err(|_| EngineError::Broken("a policy that was judged"))?;
                if self.policy.as_ref().is_some_and(|agreed| held.generation < agreed.generation) {
                    return Ok(false);
                }
                self.row.older.retain(|older| *older != group);
                self.forget_group(turn, group);
            }
            Some(_) | None => return Ok(false),
        }
        self.save(turn);
        Ok(true)
    }

    /// Those who are leaves are present, and nobody else: whom a commit removed was dismissed by it.
    fn seat_leaves(&mut self, leaves: &BTreeMap<DeviceId, DeviceCertificate>) {
        self.set_present_aside(|device| !leaves.contains_key(device));
        let seated: Vec<(DeviceId, Member)> = leaves
            .iter()
            .filter_map(|(device, certificate)| Some((*device, super::group::member(certificate, Place::Present)?)))
            .collect();
        for (device, member) in seated {
            self.roster.admit(device, member);
        }
    }
}

/// A commit in the terms of the policy.
struct Judgement {
    sender: DeviceId,
    added: Vec<DeviceCertificate>,
    removed: Vec<DeviceId>,
    after: Policy,
    info: CommitInfo,
}

impl Judgement {
    /// None if a leaf or a body in it is not what it should be.
    fn of(summary: &Summary) -> Option<Self> {
        let sender = certified(&summary.committer.identity, &summary.committer.signature_key)?;
        if let Some(renewed) = &summary.renewed {
            // A leaf stays the same device with the same keys; a renewed certificate comes with a newer record, by being added.
            if certified(&renewed.identity, &renewed.signature_key)? != sender {
                return None;
            }
        }
        let added = summary.adds.iter().map(|leaf| certified(&leaf.identity, &leaf.signature_key));
        let removed = summary.removes.iter().map(|leaf| certified(&leaf.identity, &leaf.signature_key));
        let info =
            if summary.info.is_empty() { CommitInfo::default() } else { CommitInfo::decode(&summary.info).ok()? };
        Some(Self {
            sender: sender.device_id(),
            added: added.collect::<Option<_>>()?,
            removed: removed.map(|leaf| leaf.map(|leaf| leaf.device_id())).collect::<Option<_>>()?,
            after: Policy::decode(&summary.policy_after).ok()?,
            info,
        })
    }
}
