//! What state a message is in: with each device, and with everybody together.

use std::collections::BTreeMap;

use super::row::{self, Reach, covers};
use super::{Delivery, DeviceState, MessageState, next_of};
use crate::chat::api::Route;
use crate::chat::roster::Roster;
use crate::chat::transaction::Transaction;
use crate::store::Read;
use crate::types::{AccountId, ContentId, DeviceId, FeedId};
use crate::wire::codec::Body;

/// How far an account holds and has read a feed, by the best of its devices.
#[derive(Debug, Clone, Copy)]
struct Standing {
    /// What was written before was not for it.
    counts: u64,
    delivered: u64,
    read: u64,
}

impl Delivery {
    /// How far a message of this account has come with each device that it is for.
    pub fn devices(&self, roster: &Roster, id: &ContentId) -> Vec<DeviceState> {
        let recipients = self.recipients(roster, &id.feed).into_iter().filter(|(_, _, counts)| *counts <= id.sequence);
        recipients
            .map(|(device, account, _)| {
                let link = self.links.get(&(device, id.feed.incarnation)).filter(|_| self.is_mine(&id.feed));
                let told = self.told.get(&device);
                let holds = |marks: Option<u64>| marks.is_some_and(|next| next > id.sequence);
                let state = if holds(told.map(|told| next_of(&told.read, &id.feed))) {
                    MessageState::Read
                } else if holds(told.map(|told| next_of(&told.delivered, &id.feed))) {
                    MessageState::Delivered
                } else if link.is_some_and(|link| covers(&link.taken, id.sequence)) {
                    MessageState::Sent
                } else {
                    MessageState::Queued
                };
                let route = link.and_then(|link| link.direct);
                let route = route.map(|direct| if direct { Route::Direct } else { Route::Mailbox });
                DeviceState { account, device, state, route }
            })
            .collect()
    }

    /// How far a message of this account has come: delivered or read when it is so with a device of every other account that it was
    /// written for; sent when any device or mailbox has it. It never falls.
    pub fn state(&self, roster: &Roster, id: &ContentId) -> MessageState {
        let devices = self.devices(roster, id);
        let others = devices.iter().any(|device| device.account != self.me.account);
        let mut accounts: BTreeMap<AccountId, MessageState> = BTreeMap::new();
        for device in devices.iter().filter(|device| !others || device.account != self.me.account) {
            let state = accounts.entry(device.account).or_insert(device.state);
            *state = device.state.max(*state);
        }
        let worst = accounts.values().min().copied().unwrap_or(MessageState::Queued);
        let best = devices.iter().map(|device| device.state).max().unwrap_or(MessageState::Queued);
        let now = if worst >= MessageState::Delivered { worst } else { best.min(MessageState::Sent) };
        now.max(self.reached_before(id))
    }

    fn reached_before(&self, id: &ContentId) -> MessageState {
        // What another device of this account wrote is here: a device that it was for has it.
        let least = if self.is_mine(&id.feed) { MessageState::Queued } else { MessageState::Sent };
        let Some(reach) = self.reached.get(&id.feed) else { return least };
        let reached = if covers(&reach.read, id.sequence) {
            MessageState::Read
        } else if covers(&reach.delivered, id.sequence) {
            MessageState::Delivered
        } else if covers(&reach.sent, id.sequence) {
            MessageState::Sent
        } else {
            MessageState::Queued
        };
        reached.max(least)
    }

    /// The devices that a feed's messages are for, whose they are, and from which message on.
    fn recipients(&self, roster: &Roster, feed: &FeedId) -> Vec<(DeviceId, AccountId, u64)> {
        if !self.is_mine(feed) {
            let there = roster.members().filter(|(device, member)| {
                member.is_present() && **device != feed.device && **device != self.me.device
            });
            return there.map(|(device, member)| (*device, member.account, 0)).collect();
        }
        let links = self.links.iter().filter(|((_, of), _)| *of == feed.incarnation);
        links.filter_map(|((device, _), link)| Some((*device, self.account_of(roster, device)?, link.counts))).collect()
    }

    fn standings(&self, roster: &Roster, feed: &FeedId) -> BTreeMap<AccountId, Standing> {
        let mut standings: BTreeMap<AccountId, Standing> = BTreeMap::new();
        for (device, account, counts) in self.recipients(roster, feed) {
            let told = self.told.get(&device);
            let delivered = told.map_or(0, |told| next_of(&told.delivered, feed));
            let read = told.map_or(0, |told| next_of(&told.read, feed));
            let standing = standings.entry(account).or_insert(Standing { counts, delivered, read });
            standing.counts = standing.counts.min(counts);
            standing.delivered = standing.delivered.max(delivered);
            standing.read = standing.read.max(read);
        }
        standings
    }

    /// Keeps how far a feed's messages have come by now, so that it stays so whoever comes and goes.
    pub(super) fn raise<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, roster: &Roster, feed: &FeedId) {
        let mut standings = self.standings(roster, feed);
        // Who says to hold it has it, though word may be lost that an envelope was taken.
        let held: Vec<_> = standings.values().map(|it| (it.counts, it.delivered.max(it.read))).collect();
        if standings.keys().any(|account| *account != self.me.account) {
            standings.remove(&self.me.account);
        }
        let Some(from) = standings.values().map(|standing| standing.counts).min() else { return };
        // Accounts that it counts for are the more the later a message was written, and marks are prefixes: so this is one range.
        let upto = |of: fn(&Standing) -> u64| standings.values().map(|it| of(it).max(it.counts)).min().unwrap_or(0);
        let (delivered, read) = (upto(|it| it.delivered.max(it.read)), upto(|it| it.read));
        let before = self.reached.get(feed).cloned().unwrap_or_default();
        let mut reach = before.clone();
        row::add(&mut reach.sent, &held);
        row::add(&mut reach.delivered, &[(from, delivered)]);
        row::add(&mut reach.read, &[(from, read)]);
        if reach != before {
            self.keep_reach(tx, feed, reach);
        }
    }

    /// Some device, or its mailbox, has this.
    pub(super) fn raise_sent<R: Read + ?Sized>(
        &mut self,
        tx: &mut Transaction<'_, R>,
        feed: &FeedId,
        ranges: &[(u64, u64)],
    ) {
        let mut reach = self.reached.get(feed).cloned().unwrap_or_default();
        if row::add(&mut reach.sent, ranges) {
            self.keep_reach(tx, feed, reach);
        }
    }

    pub(super) fn keep_reach<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, feed: &FeedId, reach: Reach) {
        tx.put(row::TABLE, row::scope(self.conversation), row::reach_key(&self.conversation, feed), reach.encode());
        self.reached.insert(*feed, reach);
    }

    fn is_mine(&self, feed: &FeedId) -> bool {
        feed.device == self.me.device
    }
}
