//! How a conversation comes to a group: founding one, and entering one by a Welcome.

use std::collections::{BTreeMap, BTreeSet};

use serde_bytes::ByteBuf;

use super::commit::usable;
use super::group::{certified, devices};
use super::state::{MAX_OLDER, Present, index_key};
use super::{Fact, Held, Membership, Wish};
use crate::chat::account::Account;
use crate::chat::policy::{Claim, NoSuccessor, Policy, readmits, succeeds};
use crate::chat::roster::{Member, Place};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::mls::{Change, Group, Invitation, MlsError, Processed};
use crate::store::{Scope, Table};
use crate::types::{AccountId, DeviceId, GroupId};
use crate::wire::codec::Body;
use crate::wire::message::{Anchors, CommitInfo, Message, Past};

/// What a Welcome came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    /// Its group is the present one now.
    Present,
    /// A rival holds; the group is read, and not written in.
    Rival,
    /// It is not taken.
    Refused(&'static str),
}

/// Somebody to found a group with: an account's record, and key packages of its devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invitee {
    /// The record.
    pub(crate) record: AccountRecord,
    /// The packages; one that is no good is passed over.
    pub(crate) packages: Vec<ByteBuf>,
}

/// A group that was looked at: it, its policy, what its newcomers have to know, those who were members, the records that its seats
/// name, and whether a rival holds.
struct Considered {
    group: Group,
    policy: Policy,
    anchors: Anchors,
    past: Vec<(DeviceId, Member)>,
    records: BTreeMap<AccountId, AccountRecord>,
    rival: bool,
}

impl Membership {
    /// Founds a group under a policy, with the devices whose key packages are given, and makes it the present one. Its first commit is
    /// in no log: nobody else is there to make another. Of a successor, devices that no record lists any more are gone, and those whose
    /// key packages could not be had are away.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn found(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        held: Held<'_>,
        mut policy: Policy,
        invitees: &[Invitee],
    ) -> Result<Vec<Fact>, EngineError> {
        let suite = crate::mls::Suite::from_number(policy.suite)?;
        let mut adds = BTreeMap::new();
        let mut info = CommitInfo::default();
        for invitee in invitees {
            adds.extend(usable(&invitee.packages, &invitee.record, suite));
            info.records.push(invitee.record.encode().into());
        }
        adds.remove(&me.device());
        let left_out: Vec<DeviceId> =
            self.present_devices().filter(|device| *device != me.device() && !adds.contains_key(device)).collect();
        for device in left_out {
            if invitees.iter().any(|invitee| invitee.record.device(device).is_some()) {
                self.roster.set_aside(&device);
            } else {
                held(&device).into_iter().for_each(|cut| self.roster.close(cut));
                self.roster.dismiss(&device);
            }
        }
        let leaves = adds.values().map(|(_, certificate)| certificate).chain([me.certificate()]);
        let added: Vec<DeviceCertificate> = leaves.cloned().collect();
        policy.past = self.past_after(&added, &[], &[]);
        let (conversation, encoded) = (self.conversation, policy.encode());
        let identity = me.leaf_identity();
        let mut group = Group::create(&mut turn.mls(), conversation, &encoded, suite, &me.signer(), &identity)?;
        let id = group.id();
        let mut facts = Vec::new();
        if !adds.is_empty() {
            let (packages, to): (Vec<_>, Vec<_>) = adds.into_values().unzip();
            let change = Change { adds: packages, info: info.encode(), ..Change::default() };
            let made = group.commit(&mut turn.mls(), &me.signer(), change)?;
            group.own_commit_accepted(&mut turn.mls())?;
            if let Some(message) = made.welcome {
                facts.push(Fact::Welcome { to, group: id, message });
            }
        }
        let present = Present { group: id, generation: policy.generation, log: policy.log, kept: false };
        let mut all = Vec::new();
        self.take_up(turn, group, present, &mut all)?;
        // As all do who enter it: what a device of a rival wrote counts to all or to nobody.
        let records = invitees.iter().map(|invitee| (invitee.record.account_id(), invitee.record.clone()));
        self.shut_out(&records.collect());
        self.save(turn);
        all.extend(facts);
        Ok(all)
    }

    /// Enters the group of a Welcome that was opened, if it may be the conversation's. With it comes what a newcomer has to know.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn enter(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        invitation: Invitation,
        anchors: &[u8],
        facts: &mut Vec<Fact>,
    ) -> Result<(Entered, Anchors), EngineError> {
        let before = turn.effects.batch.clone();
        let outcome = self.consider(turn, me, invitation, anchors)?;
        let Considered { group, policy, anchors, past, records, rival } = match outcome {
            Ok(considered) => considered,
            Err(reason) => {
                turn.effects.batch = before;
                return Ok((Entered::Refused(reason), Anchors::default()));
            }
        };
        if rival {
            let leaves = devices(&group.roster()?).unwrap_or_default();
            self.keep_older(turn, group.id());
            self.groups.insert(group.id(), group);
            // Whoever said that another group took over is in one that gives way.
            self.row.stranded = false;
            self.admit_all(&leaves);
            let agreed = self.policy.clone();
            let known = agreed.iter().map(|agreed| known_records(turn, me, agreed)).collect::<Result<Vec<_>, _>>()?;
            self.shut_out(&known.into_iter().flatten().collect());
            self.save(turn);
            return Ok((Entered::Rival, anchors));
        }
        let left = self.is_left(&policy, group.id(), me.id());
        let present = Present { group: group.id(), generation: policy.generation, log: policy.log, kept: true };
        self.take_up(turn, group, present, facts)?;
        self.row.left = left;
        self.roster.adopt(past, &anchors.past.cuts);
        self.shut_out(&records);
        self.save(turn);
        self.home.read_log_now();
        Ok((Entered::Present, anchors))
    }

    /// Looks at what a Welcome leads into; the inner error says what is wrong with it.
    fn consider(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        invitation: Invitation,
        anchors: &[u8],
    ) -> Result<Result<Considered, &'static str>, EngineError> {
        let Ok(policy) = Policy::decode(invitation.policy()) else { return Ok(Err("policy")) };
        let Some(leaves) = devices(invitation.roster()) else { return Ok(Err("leaf")) };
        let inviter = invitation.inviter();
        let Some(inviter) = certified(&inviter.identity, &inviter.signature_key) else { return Ok(Err("leaf")) };
        if policy.conversation != self.conversation || policy.suite != invitation.suite().number() {
            return Ok(Err("policy"));
        }
        if policy.seat(me.id()).is_none() {
            return Ok(Err("seat"));
        }
        let id = invitation.group();
        if self.row.present.is_none() && !self.row.rejoining && self.is_left(&policy, id, me.id()) {
            // It was taken out of this seat, and whoever invites was not shown that.
            return Ok(Err("left"));
        }
        let mut group = invitation.accept(&mut turn.mls())?;
        let opened = match group.process(&mut turn.mls(), anchors) {
            Ok(Processed::Application(application)) => Message::decode(&application.bytes).ok(),
            Err(error @ (MlsError::Store(_) | MlsError::Incomplete)) => return Err(error.into()),
            Ok(_) | Err(_) => None,
        };
        let Some(Message::Anchors(anchors)) = opened else { return Ok(Err("anchors")) };
        let Some(past) = former(&anchors.past).filter(|_| anchors.past.hash() == policy.past) else {
            return Ok(Err("past"));
        };
        let records = records(turn, me, &policy, &anchors)?;
        // Whether or not the members have agreed on it yet: whom a record that is known here does not list any more is nobody.
        let newest = me.record_of(turn, &inviter.account_id())?;
        if newest.is_some_and(|record| {
            record.version() > policy.seat(inviter.account_id()).map_or(0, |seat| seat.version)
                && record.device(inviter.device_id()).is_none()
        }) {
            return Ok(Err("inviter"));
        }
        let trusted: BTreeSet<DeviceId> = match &self.row.present {
            Some(_) => self.present_devices().collect(),
            None => {
                let open = |member: &Member| matches!(member.place, Place::Present | Place::Away);
                self.roster.members().filter(|(_, member)| open(member)).map(|(device, _)| *device).collect()
            }
        };
        let claim = Claim {
            policy: &policy,
            group: id,
            maker: inviter.account_id(),
            inviter: inviter.device_id(),
            leaves: &leaves,
            records: &records,
            present: &trusted,
        };
        let counts = match (&self.policy, &self.row.present) {
            (Some(agreed), Some(present)) => succeeds(&self.without_leavers(agreed, me.id()), present.group, &claim),
            (agreed, _) => readmits(agreed.as_ref(), self.row.last, me.id(), &claim),
        };
        match counts {
            Ok(()) if self.row.present.is_some() && self.contradicts(&anchors.past, &leaves) => Ok(Err("past")),
            Ok(()) => Ok(Ok(Considered { group, policy, anchors, past, records, rival: false })),
            Err(NoSuccessor::Rival) => Ok(Ok(Considered { group, policy, anchors, past, records, rival: true })),
            Err(_) => Ok(Err("successor")),
        }
    }

    /// What a successor is judged by: of a group whose home lied, others may have been shown how those were taken out who have left.
    fn without_leavers(&self, agreed: &Policy, own: AccountId) -> Policy {
        let mut agreed = agreed.clone();
        let Some(present) = self.row.present.as_ref().filter(|_| self.row.lied.is_some()) else { return agreed };
        for wish in &self.row.wishes {
            let Wish::Unseat { account, leave: Some(leave) } = wish else { continue };
            let left = |since: u64| leave.peek().is_ok_and(|it| it.group == present.group && since <= it.epoch);
            if *account != own && agreed.seat(*account).is_some_and(|seat| left(seat.since)) {
                agreed.unseat(*account);
            }
        }
        agreed
    }

    /// Whether a successor's past closes feeds of devices that nobody has removed, as this device knows.
    fn contradicts(&self, past: &Past, leaves: &BTreeMap<DeviceId, DeviceCertificate>) -> bool {
        past.cuts.iter().any(|cut| {
            let device = cut.feed.device;
            let open = self.roster.member(&device).is_some_and(|member| member.place != Place::Gone);
            open && self.roster.cut(&cut.feed).is_none() && leaves.contains_key(&device)
        })
    }

    /// Those who are in a rival group were members too: what they wrote counts.
    fn admit_all(&mut self, leaves: &BTreeMap<DeviceId, DeviceCertificate>) {
        for (device, certificate) in leaves {
            if self.roster.member(device).is_none()
                && let Some(member) = super::group::member(certificate, Place::Foreign)
            {
                self.roster.admit(*device, member);
            }
        }
    }

    pub(super) fn keep_older(&mut self, turn: &mut Turn<'_>, group: GroupId) {
        let scope = Scope::Conversation(self.conversation);
        turn.effects.batch.put(Table::Group, scope, index_key(group), self.conversation.as_ref());
        self.row.older.retain(|older| *older != group);
        self.row.older.push(group);
        while self.row.older.len() > MAX_OLDER {
            let oldest = self.row.older.remove(0);
            self.forget_group(turn, oldest);
        }
    }

    /// Destroys what is kept of a group's secrets.
    pub(super) fn forget_group(&mut self, turn: &mut Turn<'_>, id: GroupId) {
        self.groups.remove(&id);
        turn.effects.batch.delete_prefix(Table::Mls, id.as_ref());
        turn.effects.batch.drop_scope(Scope::Group(id));
        turn.effects.batch.delete_prefix(Table::Group, id.as_ref());
    }

    fn take_up(
        &mut self,
        turn: &mut Turn<'_>,
        group: Group,
        present: Present,
        facts: &mut Vec<Fact>,
    ) -> Result<(), EngineError> {
        let id = present.group;
        if let Some(old) = self.row.present.take() {
            self.rebase(turn, old.group)?;
            if old.group != id {
                self.keep_older(turn, old.group);
            }
        }
        let scope = Scope::Conversation(self.conversation);
        turn.effects.batch.put(Table::Group, scope, index_key(id), self.conversation.as_ref());
        self.row.older.retain(|older| *older != id);
        self.groups.insert(id, group);
        self.row.present = Some(present);
        (self.row.rejoining, self.row.left) = (false, false);
        self.row.lied = None;
        self.row.former.clear();
        self.row.succession = None;
        self.row.wishes.retain(|wish| !matches!(wish, Wish::Update | Wish::Return { .. }));
        self.home = super::asking::Asking::default();
        self.refresh(turn, id, facts)?;
        self.save(turn);
        facts.push(Fact::Succeeded);
        Ok(())
    }
}

/// Those who were members; none if one is not what its certificate says, or is there twice.
fn former(past: &Past) -> Option<Vec<(DeviceId, Member)>> {
    let mut members = BTreeMap::new();
    for former in &past.former {
        let certificate = DeviceCertificate::decode_verified(&former.certificate).ok()?;
        let place = if former.gone { Place::Gone } else { Place::Away };
        let member = super::group::member(&certificate, place)?;
        if members.insert(certificate.device_id(), member).is_some() {
            return None;
        }
    }
    Some(members.into_iter().collect())
}

/// The records that the seats of a policy name, of those that were shown and those that are known.
fn records(
    turn: &Turn<'_>,
    me: &Account,
    policy: &Policy,
    anchors: &Anchors,
) -> Result<BTreeMap<AccountId, AccountRecord>, EngineError> {
    let shown = anchors.records.iter().filter_map(|bytes| AccountRecord::decode_verified(bytes).ok());
    let named =
        |record: &AccountRecord| policy.seat(record.account_id()).is_some_and(|seat| seat.head() == record.head());
    let mut records: BTreeMap<_, _> = shown.filter(named).map(|record| (record.account_id(), record)).collect();
    records.extend(known_records(turn, me, policy)?);
    Ok(records)
}

/// The records that the seats of a policy name, of those that are known.
fn known_records(
    turn: &Turn<'_>,
    me: &Account,
    policy: &Policy,
) -> Result<BTreeMap<AccountId, AccountRecord>, EngineError> {
    let mut records = BTreeMap::new();
    for seat in &policy.seats {
        let known = me.record_of(turn, &seat.account)?.filter(|record| record.head() == seat.head());
        records.extend(known.map(|record| (seat.account, record)));
    }
    Ok(records)
}
