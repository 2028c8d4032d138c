//! Who has what of this device's own feed: what is still to be sent to whom, when to try again, and what each message's state is.
//!
//! There are no outbox entries a message: the own feed is the outbox, and a row for each recipient device says which part of it
//! was taken. It neither seals nor sends: the engine asks [`Delivery::due`], seals the events, and tells
//! [`Delivery::started`] and [`Delivery::outcome`]. When to try again is kept in memory: after a start everything that was not
//! taken is due at once.
//!
//! Invariants: *sent* frees nothing, only a delivered mark or the removal of the device does; marks only grow; what a device
//! says of itself changes the state of nothing but messages to it.
//!
//! Source: DESIGN §5.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::api::{Now, Route, SendOutcome};
use super::feed::Me;
use super::feed::row::{self, gaps, joined};
use super::roster::{Member, Roster};
use super::transaction::Transaction;
use crate::store::{Range, Read, ReadError, Scope, Table};
use crate::types::{AccountId, ContentId, ConversationId, DeviceId, EnvelopeId, FeedId, Incarnation, Rng};
use crate::wire::codec::{Body, DecodeError, at_most};
use crate::wire::message::{Mark, Marks};
use crate::wire::relay::Deposited;

/// The first wait before an attempt is repeated, in milliseconds: a reconnect takes about as long.
const FIRST_RETRY_MS: u64 = 2_000;

/// The longest wait, in milliseconds: ten minutes; news of a peer or a relay ends a wait at once.
const LAST_RETRY_MS: u64 = 600_000;

/// How long an attempt may be without an outcome before it is repeated, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// The most envelopes whose outcome is awaited; of older ones nothing is learnt, and they are sent again.
const MAX_FLIGHTS: usize = 4096;

/// The most taken ranges of one device; of a gap too many the part beyond is sent again.
const MAX_TAKEN: usize = 32;

/// The most feeds of this account of which a device's marks are kept: each restored store begins one.
const MAX_MARKS: usize = 256;

/// How far a message has come. The greater is the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageState {
    /// Durable here.
    Queued,
    /// Durable at a device it is for, or in its mailbox.
    Sent,
    /// Durable at a device it is for.
    Delivered,
    /// Read by its person.
    Read,
}

/// How far a message has come on its way to one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceState {
    /// Whose device.
    pub account: AccountId,
    /// Which.
    pub device: DeviceId,
    /// How far.
    pub state: MessageState,
    /// The way that the last envelope to it took.
    pub route: Option<Route>,
}

/// A recipient device: which part of the own feed it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    /// Of which own feed.
    #[serde(rename = "i")]
    incarnation: Incarnation,
    /// What was written before is not for it; its history comes by repair.
    #[serde(rename = "s")]
    since: u64,
    /// Taken by it or its mailbox: half-open, ascending.
    #[serde(rename = "t")]
    taken: Vec<(u64, u64)>,
    /// The last envelope went straight.
    #[serde(rename = "d")]
    direct: Option<bool>,
}

impl Body for Link {
    const MAX_BYTES: usize = 4096;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.taken, MAX_TAKEN, "taken")
    }
}

impl Link {
    /// What it was not given yet.
    fn untaken(&self, next: u64) -> Vec<(u64, u64)> {
        gaps(&self.taken, self.since, next)
    }
}

/// What a device said of this account's feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    #[serde(rename = "d")]
    delivered: Vec<Mark>,
    #[serde(rename = "r")]
    read: Vec<Mark>,
}

impl Body for Told {
    const MAX_BYTES: usize = 64 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.delivered, MAX_MARKS, "delivered")?;
        at_most(&self.read, MAX_MARKS, "read")
    }
}

/// When to send to a device that lacks something.
#[derive(Debug, Clone, Default)]
struct Attempt {
    failures: u32,
    /// Not to be tried before `retry_at`: under way, or failed.
    held: Vec<(u64, u64)>,
    retry_at: u64,
}

#[derive(Debug, Clone)]
struct Flight {
    ranges: Vec<(u64, u64)>,
    waiting: BTreeSet<DeviceId>,
}

/// A part of the own feed that these devices lack now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The devices.
    pub devices: Vec<DeviceId>,
    /// The own present feed.
    pub feed: FeedId,
    /// Which of its events: half-open, ascending.
    pub ranges: Vec<(u64, u64)>,
}

/// A part of a feed whose state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Which feed.
    pub feed: FeedId,
    /// From this event on.
    pub from: u64,
    /// Up to before this one.
    pub to: u64,
}

/// The delivery of one conversation's own feed.
#[derive(Debug, Clone)]
pub struct Delivery {
    conversation: ConversationId,
    me: Me,
    own: Option<Incarnation>,
    next: u64,
    links: BTreeMap<DeviceId, Link>,
    attempts: BTreeMap<DeviceId, Attempt>,
    flights: BTreeMap<EnvelopeId, Flight>,
    order: VecDeque<EnvelopeId>,
}

impl Delivery {
    /// Reads the rows of a conversation: at its creation and after every start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(read: &(impl Read + ?Sized), conversation: ConversationId, me: Me) -> Result<Self, ReadError> {
        let mut links = BTreeMap::new();
        for kept in read.scan(Table::Outbox, conversation.as_bytes(), Range::all())? {
            let device = kept.key.get(ConversationId::LEN..).and_then(|key| DeviceId::try_from(key).ok());
            let link = Link::decode(&kept.value).map_err(|error| row::damaged(Table::Outbox, &error))?;
            links.extend(device.map(|device| (device, link)));
        }
        let (attempts, flights, order) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        let mut delivery = Self { conversation, me, own: None, next: 0, links, attempts, flights, order };
        delivery.refresh(read)?;
        Ok(delivery)
    }

    /// Whether there is nothing to send, nor to wait for: then all that it knows is in its rows.
    pub fn is_idle(&self) -> bool {
        self.attempts.is_empty()
    }

    /// The own feed grew, or another incarnation began: to be called after [`super::Feeds::finish`] of an append.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn refresh(&mut self, read: &(impl Read + ?Sized)) -> Result<(), ReadError> {
        let heads: row::Heads = row::load(read, Table::Feed, self.conversation.as_bytes())?.unwrap_or_default();
        self.next = 0;
        if let Some(incarnation) = heads.own {
            let feed = FeedId { device: self.me.device, incarnation };
            self.next = row::load_feed(read, &self.conversation, &feed)?.map_or(0, |row| row.next);
        }
        if self.own != heads.own {
            self.own = heads.own;
            self.attempts.clear();
            self.flights.clear();
            self.order.clear();
        }
        if let Some(own) = self.own {
            for link in self.links.values_mut().filter(|link| link.incarnation != own) {
                *link = Link { incarnation: own, since: 0, taken: Vec::new(), direct: None };
            }
        }
        for (device, link) in &self.links {
            if !link.untaken(self.next).is_empty() {
                self.attempts.entry(*device).or_default();
            }
        }
        Ok(())
    }

    /// The members are others: devices that are gone are forgotten, new ones are sent what is written from now on; with
    /// `from_start`, also what was written before: when a conversation begins with texts that wait for it.
    pub fn sync<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, roster: &Roster, from_start: bool) {
        let gone = |device: &DeviceId| !roster.member(device).is_some_and(Member::is_present);
        for device in self.links.keys().copied().filter(gone).collect::<Vec<_>>() {
            self.links.remove(&device);
            self.attempts.remove(&device);
            tx.delete(Table::Outbox, self.link_key(&device));
        }
        let Some(incarnation) = self.own else { return };
        for (device, member) in roster.members() {
            if !member.is_present() || *device == self.me.device || self.links.contains_key(device) {
                continue;
            }
            let since = if from_start { 0 } else { self.next };
            self.links.insert(*device, Link { incarnation, since, taken: Vec::new(), direct: None });
            self.save(tx, device);
            if since < self.next {
                self.attempts.entry(*device).or_default();
            }
        }
    }

    /// What has to be sent now, devices that lack the same together.
    pub fn due(&mut self, now: Now) -> Vec<Due> {
        let Some(feed) = self.own_feed() else { return Vec::new() };
        let mut groups: BTreeMap<Vec<(u64, u64)>, Vec<DeviceId>> = BTreeMap::new();
        for (device, attempt) in &mut self.attempts {
            let Some(link) = self.links.get(device) else { continue };
            if now.mono_ms >= attempt.retry_at {
                attempt.held.clear();
            }
            let ranges: Vec<(u64, u64)> =
                link.untaken(self.next).into_iter().flat_map(|(from, to)| gaps(&attempt.held, from, to)).collect();
            if !ranges.is_empty() {
                groups.entry(ranges).or_default().push(*device);
            }
        }
        groups.into_iter().map(|(ranges, devices)| Due { devices, feed, ranges }).collect()
    }

    /// An envelope with events of the own feed is on its way to these devices: nothing of it is due before it came to
    /// something or time is up.
    pub fn started(&mut self, now: Now, envelope: EnvelopeId, devices: &[DeviceId], ranges: &[(u64, u64)]) {
        for device in devices {
            let attempt = self.attempts.entry(*device).or_default();
            let held = attempt.held.iter().chain(ranges).copied().collect();
            attempt.held = joined(held);
            attempt.retry_at = attempt.retry_at.max(now.mono_ms.saturating_add(PATIENCE_MS));
        }
        self.flights.insert(envelope, Flight { ranges: ranges.to_vec(), waiting: devices.iter().copied().collect() });
        self.order.push_back(envelope);
        while self.order.len() > MAX_FLIGHTS {
            if let Some(oldest) = self.order.pop_front() {
                self.flights.remove(&oldest);
            }
        }
    }

    /// What came of an envelope for one of its devices. Returns the messages whose state may have changed; an envelope that is
    /// not known any more changes nothing.
    pub fn outcome<R: Read + ?Sized>(
        &mut self,
        tx: &mut Transaction<'_, R>,
        now: Now,
        rng: &mut Rng,
        envelope: &EnvelopeId,
        device: &DeviceId,
        outcome: SendOutcome,
    ) -> Vec<Moved> {
        let Some(flight) = self.flights.get_mut(envelope) else { return Vec::new() };
        if !flight.waiting.remove(device) {
            return Vec::new();
        }
        let ranges = flight.ranges.clone();
        if flight.waiting.is_empty() {
            self.flights.remove(envelope);
            self.order.retain(|known| known != envelope);
        }
        match outcome {
            SendOutcome::Direct => self.take(tx, device, &ranges, true),
            SendOutcome::Mailbox(Deposited::Taken) => self.take(tx, device, &ranges, false),
            SendOutcome::Refused | SendOutcome::Unreachable | SendOutcome::Mailbox(_) => {
                self.fail(now, rng, device);
                Vec::new()
            }
        }
    }

    fn take<R: Read + ?Sized>(
        &mut self,
        tx: &mut Transaction<'_, R>,
        device: &DeviceId,
        ranges: &[(u64, u64)],
        direct: bool,
    ) -> Vec<Moved> {
        let (Some(feed), Some(link)) = (self.own_feed(), self.links.get_mut(device)) else { return Vec::new() };
        link.taken = joined(link.taken.iter().chain(ranges).copied().collect());
        // What lies before the device's first event is nobody's; it joins the first range, so that it takes no place.
        link.taken.truncate(MAX_TAKEN);
        link.direct = Some(direct);
        let left = link.untaken(self.next);
        self.save(tx, device);
        if left.is_empty() {
            self.attempts.remove(device);
        } else if let Some(attempt) = self.attempts.get_mut(device) {
            attempt.held = attempt.held.iter().flat_map(|(from, to)| gaps(ranges, *from, *to)).collect();
            attempt.failures = 0;
            if attempt.held.is_empty() {
                attempt.retry_at = 0;
            }
        }
        ranges.iter().map(|(from, to)| Moved { feed, from: *from, to: *to }).collect()
    }

    fn fail(&mut self, now: Now, rng: &mut Rng, device: &DeviceId) {
        let Some(attempt) = self.attempts.get_mut(device) else { return };
        let wait = FIRST_RETRY_MS.saturating_mul(1 << attempt.failures.min(16)).min(LAST_RETRY_MS);
        // Up to a quarter more, so that those who lost the same relay do not come back together.
        let wait = wait.saturating_add(u64::from(rng.next_u32()) % (wait / 4).max(1));
        attempt.failures = attempt.failures.saturating_add(1);
        attempt.retry_at = now.mono_ms.saturating_add(wait);
    }

    /// A device can be reached, or with `None` the relays can: waits end.
    pub fn hurry(&mut self, device: Option<&DeviceId>) {
        for (of, attempt) in &mut self.attempts {
            if device.is_none_or(|device| device == of) {
                (attempt.retry_at, attempt.failures) = (0, 0);
            }
        }
    }

    /// A device's mailbox was lost: what it does not say to hold is not taken, and due.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reopen<R: Read + ?Sized>(
        &mut self,
        tx: &mut Transaction<'_, R>,
        device: &DeviceId,
    ) -> Result<(), ReadError> {
        let Some(feed) = self.own_feed() else { return Ok(()) };
        let told = self.told(tx, device)?;
        let Some(link) = self.links.get_mut(device) else { return Ok(()) };
        let delivered = next_of(&told.delivered, &feed).min(self.next);
        link.taken = joined(vec![(link.since, delivered)]);
        let left = link.untaken(self.next);
        self.save(tx, device);
        if !left.is_empty() {
            self.attempts.insert(*device, Attempt::default());
        }
        Ok(())
    }

    /// When [`Self::due`] should be asked again; nothing when nothing is to be sent. 0 is now.
    pub fn wake_at(&self) -> Option<u64> {
        self.attempts
            .iter()
            .filter_map(|(device, attempt)| {
                let link = self.links.get(device)?;
                let untaken = link.untaken(self.next);
                let free = untaken.iter().any(|(from, to)| !gaps(&attempt.held, *from, *to).is_empty());
                match (untaken.is_empty(), free) {
                    (true, _) => None,
                    (false, true) => Some(0),
                    (false, false) => Some(attempt.retry_at),
                }
            })
            .min()
    }

    /// Takes in the marks of a device. Marks of feeds that are not this account's, or are not known, are passed over. Returns
    /// the messages whose state may have changed.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn take_marks<R: Read + ?Sized>(
        &mut self,
        tx: &mut Transaction<'_, R>,
        roster: &Roster,
        from: &DeviceId,
        marks: &Marks,
    ) -> Result<Vec<Moved>, ReadError> {
        let before = self.told(tx, from)?;
        let mut after = before.clone();
        let mut moved = Vec::new();
        for (list, new) in [(&mut after.delivered, &marks.delivered), (&mut after.read, &marks.read)] {
            for mark in new {
                if mark.feed.device == *from || self.account_of(roster, &mark.feed.device) != Some(self.me.account) {
                    continue;
                }
                let Some(known) = row::load_feed(tx, &self.conversation, &mark.feed)? else { continue };
                moved.extend(merge(list, mark.feed, mark.next.min(known.next)));
            }
        }
        if after != before {
            let scope = Scope::Conversation(self.conversation);
            tx.put(Table::Mark, scope, self.link_key(from), after.encode());
        }
        self.note_delivered(tx, from, &after);
        Ok(moved)
    }

    /// What a device holds needs no sending, whichever way it got there.
    fn note_delivered<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, from: &DeviceId, told: &Told) {
        let (Some(feed), Some(link)) = (self.own_feed(), self.links.get_mut(from)) else { return };
        let delivered = next_of(&told.delivered, &feed).min(self.next);
        let taken = joined(link.taken.iter().copied().chain([(link.since, delivered)]).collect());
        if taken == link.taken {
            return;
        }
        link.taken = taken;
        link.taken.truncate(MAX_TAKEN);
        if link.untaken(self.next).is_empty() {
            self.attempts.remove(from);
        }
        self.save(tx, from);
    }

    /// How far a message of this account has come with each device that it is for.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn devices(
        &self,
        read: &(impl Read + ?Sized),
        roster: &Roster,
        id: &ContentId,
    ) -> Result<Vec<DeviceState>, ReadError> {
        let mine = self.own_feed() == Some(id.feed);
        let mut states = Vec::new();
        for (device, link) in &self.links {
            let Some(account) = self.account_of(roster, device) else { continue };
            if (mine && id.sequence < link.since) || *device == id.feed.device {
                continue;
            }
            let told = self.told(read, device)?;
            let taken = !mine || link.taken.iter().any(|(from, to)| *from <= id.sequence && id.sequence < *to);
            let state = if next_of(&told.read, &id.feed) > id.sequence {
                MessageState::Read
            } else if next_of(&told.delivered, &id.feed) > id.sequence {
                MessageState::Delivered
            } else if taken {
                MessageState::Sent
            } else {
                MessageState::Queued
            };
            let route = link.direct.map(|direct| if direct { Route::Direct } else { Route::Mailbox });
            states.push(DeviceState { account, device: *device, state, route });
        }
        Ok(states)
    }

    /// How far a message of this account has come: delivered or read when it is so with a device of every other account; sent
    /// when any device or mailbox has it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn state(
        &self,
        read: &(impl Read + ?Sized),
        roster: &Roster,
        id: &ContentId,
    ) -> Result<MessageState, ReadError> {
        let devices = self.devices(read, roster, id)?;
        let others = devices.iter().any(|device| device.account != self.me.account);
        let mut accounts: BTreeMap<AccountId, MessageState> = BTreeMap::new();
        for device in devices.iter().filter(|device| !others || device.account != self.me.account) {
            let state = accounts.entry(device.account).or_insert(device.state);
            *state = device.state.max(*state);
        }
        let worst = accounts.values().min().copied().unwrap_or(MessageState::Queued);
        let best = accounts.values().max().copied().unwrap_or(MessageState::Queued);
        Ok(if worst >= MessageState::Delivered { worst } else { best.min(MessageState::Sent) })
    }

    /// Whether a device has said to hold everything that was written for it: its outbox is empty.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_freed(&self, read: &(impl Read + ?Sized), device: &DeviceId) -> Result<bool, ReadError> {
        let (Some(feed), Some(link)) = (self.own_feed(), self.links.get(device)) else { return Ok(true) };
        Ok(link.since >= self.next || next_of(&self.told(read, device)?.delivered, &feed) >= self.next)
    }

    fn own_feed(&self) -> Option<FeedId> {
        Some(FeedId { device: self.me.device, incarnation: self.own? })
    }

    fn account_of(&self, roster: &Roster, device: &DeviceId) -> Option<AccountId> {
        if *device == self.me.device {
            return Some(self.me.account);
        }
        roster.member(device).map(|member| member.account)
    }

    fn told(&self, read: &(impl Read + ?Sized), device: &DeviceId) -> Result<Told, ReadError> {
        Ok(row::load(read, Table::Mark, &self.link_key(device))?.unwrap_or_default())
    }

    fn save<R: Read + ?Sized>(&self, tx: &mut Transaction<'_, R>, device: &DeviceId) {
        if let Some(link) = self.links.get(device) {
            let scope = Scope::Conversation(self.conversation);
            tx.put(Table::Outbox, scope, self.link_key(device), link.encode());
        }
    }

    fn link_key(&self, device: &DeviceId) -> Vec<u8> {
        [self.conversation.as_bytes().as_slice(), device.as_bytes()].concat()
    }
}

/// The greater mark of a feed is kept; says which part is new.
fn merge(list: &mut Vec<Mark>, feed: FeedId, next: u64) -> Option<Moved> {
    let room = list.len() < MAX_MARKS;
    match list.iter_mut().find(|mark| mark.feed == feed) {
        Some(mark) if mark.next < next => {
            let from = std::mem::replace(&mut mark.next, next);
            Some(Moved { feed, from, to: next })
        }
        None if room && next > 0 => {
            list.push(Mark { feed, next });
            list.sort_unstable();
            Some(Moved { feed, from: 0, to: next })
        }
        Some(_) | None => None,
    }
}

fn next_of(marks: &[Mark], feed: &FeedId) -> u64 {
    marks.iter().find(|mark| mark.feed == *feed).map_or(0, |mark| mark.next)
}
