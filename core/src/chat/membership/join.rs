//! How a conversation comes to a group: founding one, and entering one by a Welcome.

use std::collections::BTreeMap;

use serde_bytes::ByteBuf;

use super::commit::usable;
use super::group::{certified, devices};
use super::state::{MAX_OLDER, Present, index_key};
use super::{Fact, Membership, Wish};
use crate::chat::account::Account;
use crate::chat::policy::{NoSuccessor, Policy, succeeds};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::mls::{Change, Group, Invitation};
use crate::store::{Scope, Table};
use crate::types::{AccountId, DeviceId, GroupId};
use crate::wire::codec::Body;
use crate::wire::message::CommitInfo;

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

impl Membership {
    /// Founds a group under a policy, with the devices whose key packages are given, and makes it the present one. Its first commit is
    /// in no log: nobody else is there to make another.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn found(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        policy: Policy,
        invitees: &[Invitee],
    ) -> Result<Vec<Fact>, EngineError> {
        let suite = crate::mls::Suite::from_number(policy.suite)?;
        let (conversation, encoded) = (self.conversation, policy.encode());
        let identity = me.leaf_identity();
        let mut group = Group::create(&mut turn.mls(), conversation, &encoded, suite, &me.signer(), &identity)?;
        let id = group.id();
        let mut adds = BTreeMap::new();
        let mut info = CommitInfo::default();
        for invitee in invitees {
            adds.extend(usable(&invitee.packages, &invitee.record, suite));
            info.records.push(invitee.record.encode().into());
        }
        adds.remove(&me.device());
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
        self.take_up(turn, group, present, &mut facts)?;
        Ok(facts)
    }

    /// Enters the group of a Welcome that was opened, if it may be the conversation's.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn enter(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        invitation: Invitation,
        facts: &mut Vec<Fact>,
    ) -> Result<Entered, EngineError> {
        let Ok(policy) = Policy::decode(invitation.policy()) else { return Ok(Entered::Refused("policy")) };
        let Some(leaves) = devices(invitation.roster()) else { return Ok(Entered::Refused("leaf")) };
        let inviter = invitation.inviter();
        let Some(inviter) = certified(&inviter.identity, &inviter.signature_key) else {
            return Ok(Entered::Refused("leaf"));
        };
        if policy.conversation != self.conversation || policy.suite != invitation.suite().number() {
            return Ok(Entered::Refused("policy"));
        }
        let seated = leaves.values().all(|leaf| policy.seat(leaf.account_id()).is_some());
        if !seated || policy.seat(me.id()).is_none() {
            return Ok(Entered::Refused("seat"));
        }
        let id = invitation.group();
        match self.welcome_counts(&policy, id, inviter.account_id(), &leaves) {
            Ok(()) => {}
            Err(NoSuccessor::Rival) => {
                let group = invitation.accept(&mut turn.mls())?;
                self.keep_older(turn, group.id());
                self.groups.insert(group.id(), group);
                self.admit_all(&leaves);
                self.save(turn);
                return Ok(Entered::Rival);
            }
            Err(_) => return Ok(Entered::Refused("successor")),
        }
        let group = invitation.accept(&mut turn.mls())?;
        let present = Present { group: id, generation: policy.generation, log: policy.log, kept: true };
        self.take_up(turn, group, present, facts)?;
        self.home.read_log_now();
        Ok(Entered::Present)
    }

    fn welcome_counts(
        &self,
        policy: &Policy,
        group: GroupId,
        inviter: AccountId,
        leaves: &BTreeMap<DeviceId, DeviceCertificate>,
    ) -> Result<(), NoSuccessor> {
        match (&self.policy, &self.row.present) {
            (Some(agreed), Some(present)) => succeeds(agreed, present.group, policy, group, inviter, leaves),
            (Some(agreed), None) if policy.generation < agreed.generation || policy.kind != agreed.kind => {
                Err(NoSuccessor::Earlier)
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Those who are in a rival group were members too: what they wrote counts.
    fn admit_all(&mut self, leaves: &BTreeMap<DeviceId, DeviceCertificate>) {
        for (device, certificate) in leaves {
            if self.roster.member(device).is_none()
                && let Some(member) = super::group::member(certificate, false)
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
        self.row.rejoining = false;
        self.row.lied = None;
        self.row.succession = None;
        self.row.wishes.retain(|wish| !matches!(wish, Wish::Update | Wish::Return { .. }));
        self.home = super::home::Asking::default();
        self.refresh(turn, id, &[], facts)?;
        self.save(turn);
        facts.push(Fact::Succeeded);
        Ok(())
    }
}
