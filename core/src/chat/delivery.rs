//! Who has what of this device's own feed: what is still to be sent to whom, when to try again, and what each message's state is.
//!
//! There are no outbox entries a message: the own feed is the outbox, and a row for each recipient device says which part of it
//! was taken. A feed that another one of this device's took over from is sent on like that until it is taken. It neither seals nor sends: the engine asks [`Delivery::due`], seals the events, and tells
//! [`Delivery::started`] and [`Delivery::outcome`]. When to try again is kept in memory: after a start everything that was not
//! taken is due at once.
//!
//! Invariants: *sent* frees nothing, only a delivered mark or the removal of the device does; marks only grow; what a device
//! says of itself changes the state of nothing but messages to it; the state of a message never falls, and who came after it was
//! written has no part in it.
//!
//! Source: DESIGN §5.

mod row;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::row::{Link, MAX_MARKS, Place, Reach, Told};
use super::api::{Now, Route, SendOutcome};
use super::feed::Me;
use super::feed::row::{Heads, damaged, gaps, joined, load, load_feed};
use super::pause::retry_ms;
use super::roster::Roster;
use super::transaction::Transaction;
use crate::store::{Range, Read, ReadError, Table};
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, FeedId, Incarnation, Rng};
use crate::wire::codec::Body;
use crate::wire::message::{Mark, Marks};
use crate::wire::relay::Deposited;

/// How long an attempt may be without an outcome before it is repeated, in milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// The most envelopes whose outcome is awaited; of older ones nothing is learnt, and they are sent again.
const MAX_FLIGHTS: usize = 4096;

/// The most own feeds that are sent on at once: each restored store begins one. Of more, those that everybody has go first.
const MAX_LIVES: usize = 16;

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

/// A device, and the own feed that it is given.
type To = (DeviceId, Incarnation);

/// Half-open, ascending.
type Ranges = Vec<(u64, u64)>;

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
    incarnation: Incarnation,
    ranges: Vec<(u64, u64)>,
    waiting: BTreeSet<DeviceId>,
}

/// A part of an own feed that these devices lack now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The devices.
    pub devices: Vec<DeviceId>,
    /// The own feed: the present one, or an earlier one.
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

/// The delivery of one conversation's own feeds.
#[derive(Debug, Clone)]
pub struct Delivery {
    conversation: ConversationId,
    me: Me,
    own: Option<Incarnation>,
    /// How many events the own feeds hold that somebody is given.
    nexts: BTreeMap<Incarnation, u64>,
    links: BTreeMap<To, Link>,
    told: BTreeMap<DeviceId, Told>,
    reached: BTreeMap<FeedId, Reach>,
    attempts: BTreeMap<To, Attempt>,
    flights: BTreeMap<EnvelopeId, Flight>,
    order: VecDeque<EnvelopeId>,
}

impl Delivery {
    /// Reads the rows of a conversation: at its creation and after every start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(read: &(impl Read + ?Sized), conversation: ConversationId, me: Me) -> Result<Self, ReadError> {
        let (mut links, mut reached, mut told) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let outbox = |error| damaged(row::TABLE, &error);
        for kept in read.scan(row::TABLE, conversation.as_bytes(), Range::all())? {
            match row::place(&kept.key) {
                Some(Place::Link(device, incarnation)) => {
                    links.insert((device, incarnation), Link::decode(&kept.value).map_err(outbox)?);
                }
                Some(Place::Reach(feed)) => {
                    reached.insert(feed, Reach::decode(&kept.value).map_err(outbox)?);
                }
                None => {}
            }
        }
        for kept in read.scan(Table::Mark, conversation.as_bytes(), Range::all())? {
            let Some(device) = row::told_place(&kept.key) else { continue };
            told.insert(device, Told::decode(&kept.value).map_err(|error| damaged(Table::Mark, &error))?);
        }
        let mut delivery = Self {
            conversation,
            me,
            own: None,
            nexts: BTreeMap::new(),
            links,
            told,
            reached,
            attempts: BTreeMap::new(),
            flights: BTreeMap::new(),
            order: VecDeque::new(),
        };
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
        let heads: Heads = load(read, Table::Feed, self.conversation.as_bytes())?.unwrap_or_default();
        self.own = heads.own;
        let lives: BTreeSet<Incarnation> = self.links.keys().map(|(_, life)| *life).chain(self.own).collect();
        self.nexts.clear();
        for incarnation in lives {
            let next = load_feed(read, &self.conversation, &self.feed(incarnation))?.map_or(0, |row| row.next);
            self.nexts.insert(incarnation, next);
        }
        for (to, link) in &self.links {
            if !link.untaken(self.next(&to.1)).is_empty() {
                self.attempts.entry(*to).or_default();
            }
        }
        Ok(())
    }

    /// The members are others: devices that are gone are forgotten, new ones are sent what is written from now on; with
    /// `from_start`, also what was written before: when a conversation begins with texts that wait for it. To be called after
    /// [`Self::refresh`] of each append.
    pub fn sync<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, roster: &Roster, from_start: bool) {
        for feed in self.reached.keys().copied().collect::<Vec<_>>() {
            self.raise(tx, roster, &feed);
        }
        let gone = |device: &DeviceId| !roster.is_present(device);
        for to in self.links.keys().copied().filter(|(device, _)| gone(device)).collect::<Vec<_>>() {
            self.unlink(tx, &to);
        }
        let Some(incarnation) = self.own else { return };
        let feed = self.feed(incarnation);
        // Whoever is a member when a feed is written in first is given all of it.
        let begins = !self.reached.contains_key(&feed);
        if begins {
            self.keep_reach(tx, &feed, Reach::default());
            self.forget_lives(tx, roster, incarnation);
        }
        let next = self.next(&incarnation);
        let untouched = self.reached.get(&feed).is_none_or(|reach| *reach == Reach::default());
        for (device, member) in roster.members() {
            if !member.is_present() || *device == self.me.device || self.links.contains_key(&(*device, incarnation)) {
                continue;
            }
            let since = if begins || from_start { 0 } else { next };
            let known = self.counts_from(roster, member.account, &incarnation);
            let counts = known.unwrap_or(if untouched { since } else { next });
            self.links.insert((*device, incarnation), Link { since, counts, ..Link::default() });
            self.save(tx, &(*device, incarnation));
            if since < next {
                self.attempts.entry((*device, incarnation)).or_default();
            }
        }
    }

    /// From where on the messages of a feed are for an account, if one of its devices is given it.
    fn counts_from(&self, roster: &Roster, account: AccountId, incarnation: &Incarnation) -> Option<u64> {
        let of = |device: &DeviceId| self.account_of(roster, device) == Some(account);
        let links = self.links.iter().filter(|((device, life), _)| life == incarnation && of(device));
        links.map(|(_, link)| link.counts).min()
    }

    /// Bounds how many earlier feeds are sent on.
    fn forget_lives<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, roster: &Roster, own: Incarnation) {
        let mut lives: BTreeSet<Incarnation> = self.links.keys().map(|(_, life)| *life).collect();
        lives.remove(&own);
        while lives.len() >= MAX_LIVES {
            let open = |life: &Incarnation| self.links.keys().any(|to| to.1 == *life && !self.is_given(to));
            let Some(life) = lives.iter().copied().min_by_key(|life| (open(life), *life)) else { return };
            lives.remove(&life);
            self.raise(tx, roster, &self.feed(life));
            for to in self.links.keys().copied().filter(|to| to.1 == life).collect::<Vec<_>>() {
                self.unlink(tx, &to);
            }
        }
    }

    fn unlink<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, to: &To) {
        self.links.remove(to);
        self.attempts.remove(to);
        tx.delete(row::TABLE, row::link_key(&self.conversation, &to.0, &to.1));
    }

    /// What has to be sent now, devices that lack the same together.
    pub fn due(&mut self, now: Now) -> Vec<Due> {
        let mut groups: BTreeMap<(Incarnation, Ranges), Vec<DeviceId>> = BTreeMap::new();
        for ((device, incarnation), attempt) in &mut self.attempts {
            let Some(link) = self.links.get(&(*device, *incarnation)) else { continue };
            if now.mono_ms >= attempt.retry_at {
                attempt.held.clear();
            }
            let next = self.nexts.get(incarnation).copied().unwrap_or(0);
            let ranges: Vec<(u64, u64)> =
                link.untaken(next).into_iter().flat_map(|(from, to)| gaps(&attempt.held, from, to)).collect();
            if !ranges.is_empty() {
                groups.entry((*incarnation, ranges)).or_default().push(*device);
            }
        }
        let due = |((incarnation, ranges), devices)| Due { devices, feed: self.feed(incarnation), ranges };
        groups.into_iter().map(due).collect()
    }

    /// An envelope with events of an own feed is on its way to these devices: nothing of it is due before it came to
    /// something or time is up.
    pub fn started(
        &mut self,
        now: Now,
        envelope: EnvelopeId,
        feed: &FeedId,
        devices: &[DeviceId],
        ranges: &[(u64, u64)],
    ) {
        let incarnation = feed.incarnation;
        for device in devices {
            let attempt = self.hold((*device, incarnation), ranges);
            attempt.retry_at = attempt.retry_at.max(now.mono_ms.saturating_add(PATIENCE_MS));
        }
        let waiting = devices.iter().copied().collect();
        self.flights.insert(envelope, Flight { incarnation, ranges: ranges.to_vec(), waiting });
        self.order.push_back(envelope);
        while self.order.len() > MAX_FLIGHTS {
            if let Some(oldest) = self.order.pop_front() {
                self.flights.remove(&oldest);
            }
        }
    }

    /// Nothing can be sent to these devices now: as if it had failed.
    pub fn postpone(&mut self, now: Now, rng: &mut Rng, feed: &FeedId, devices: &[DeviceId], ranges: &[(u64, u64)]) {
        for device in devices {
            self.hold((*device, feed.incarnation), ranges);
            self.fail(now, rng, &(*device, feed.incarnation));
        }
    }

    fn hold(&mut self, to: To, ranges: &[(u64, u64)]) -> &mut Attempt {
        let attempt = self.attempts.entry(to).or_default();
        attempt.held = joined(attempt.held.iter().chain(ranges).copied().collect());
        attempt
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
        let (to, ranges) = ((*device, flight.incarnation), flight.ranges.clone());
        if flight.waiting.is_empty() {
            self.flights.remove(envelope);
            self.order.retain(|known| known != envelope);
        }
        match outcome {
            SendOutcome::Direct => self.take(tx, &to, &ranges, true),
            SendOutcome::Mailbox(Deposited::Taken) => self.take(tx, &to, &ranges, false),
            SendOutcome::Refused | SendOutcome::Unreachable | SendOutcome::Mailbox(_) => {
                self.fail(now, rng, &to);
                Vec::new()
            }
        }
    }

    fn take<R: Read + ?Sized>(
        &mut self,
        tx: &mut Transaction<'_, R>,
        to: &To,
        ranges: &[(u64, u64)],
        direct: bool,
    ) -> Vec<Moved> {
        let feed = self.feed(to.1);
        let next = self.next(&to.1);
        let Some(link) = self.links.get_mut(to) else { return Vec::new() };
        link.take(ranges);
        link.direct = Some(direct);
        let left = link.untaken(next);
        self.save(tx, to);
        self.raise_sent(tx, &feed, ranges);
        if left.is_empty() {
            self.attempts.remove(to);
        } else if let Some(attempt) = self.attempts.get_mut(to) {
            attempt.held = attempt.held.iter().flat_map(|(from, to)| gaps(ranges, *from, *to)).collect();
            attempt.failures = 0;
            if attempt.held.is_empty() {
                attempt.retry_at = 0;
            }
        }
        ranges.iter().map(|(from, to)| Moved { feed, from: *from, to: *to }).collect()
    }

    fn fail(&mut self, now: Now, rng: &mut Rng, to: &To) {
        let Some(attempt) = self.attempts.get_mut(to) else { return };
        let wait = retry_ms(rng, attempt.failures);
        attempt.failures = attempt.failures.saturating_add(1);
        attempt.retry_at = now.mono_ms.saturating_add(wait);
    }

    /// Devices that have not said to hold all that was written for them.
    pub(crate) fn owing(&self) -> BTreeSet<DeviceId> {
        let owes = |to: &&To| self.held_by(to) < self.next(&to.1);
        self.links.keys().filter(owes).map(|(device, _)| *device).collect()
    }

    /// A device can be reached, or with `None` the relays can: waits end.
    pub fn hurry(&mut self, device: Option<&DeviceId>) {
        for ((of, _), attempt) in &mut self.attempts {
            if device.is_none_or(|device| device == of) {
                (attempt.retry_at, attempt.failures) = (0, 0);
            }
        }
    }

    /// A device's mailbox may have been lost: what it does not say to hold, or so many of the first of it, counts as not taken, and
    /// is due.
    pub fn reopen<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, device: &DeviceId, most: Option<u64>) {
        for to in self.links.keys().copied().filter(|(of, _)| of == device).collect::<Vec<_>>() {
            let (held, next) = (self.held_by(&to), self.next(&to.1));
            let Some(link) = self.links.get_mut(&to) else { continue };
            let from = held.max(link.since);
            let upto = from.saturating_add(most.unwrap_or(u64::MAX)).min(next);
            let taken: Vec<(u64, u64)> =
                link.taken.iter().flat_map(|(low, high)| gaps(&[(from, upto)], *low, *high)).collect();
            if from >= upto || taken == link.taken {
                continue;
            }
            link.taken = taken;
            self.save(tx, &to);
            self.attempts.insert(to, Attempt::default());
        }
    }

    /// When [`Self::due`] should be asked again; nothing when nothing is to be sent. 0 is now.
    pub fn wake_at(&self) -> Option<u64> {
        self.attempts
            .iter()
            .filter_map(|(to, attempt)| {
                let untaken = self.links.get(to)?.untaken(self.next(&to.1));
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
        let mut told = self.told.get(from).cloned().unwrap_or_default();
        let mut moved = Vec::new();
        for (list, new) in [(&mut told.delivered, &marks.delivered), (&mut told.read, &marks.read)] {
            for mark in new {
                if mark.feed.device == *from || self.account_of(roster, &mark.feed.device) != Some(self.me.account) {
                    continue;
                }
                let Some(known) = load_feed(tx, &self.conversation, &mark.feed)? else { continue };
                moved.extend(merge(list, mark.feed, mark.next.min(known.next)));
            }
        }
        if moved.is_empty() {
            return Ok(moved);
        }
        let key = row::told_key(&self.conversation, from);
        tx.put(Table::Mark, row::scope(self.conversation), key, told.encode());
        self.told.insert(*from, told);
        self.note_delivered(tx, from);
        for feed in moved.iter().map(|part| part.feed).collect::<BTreeSet<_>>() {
            self.raise(tx, roster, &feed);
        }
        Ok(moved)
    }

    /// What a device holds needs no sending, whichever way it got there.
    fn note_delivered<R: Read + ?Sized>(&mut self, tx: &mut Transaction<'_, R>, from: &DeviceId) {
        for to in self.links.keys().copied().filter(|(device, _)| device == from).collect::<Vec<_>>() {
            let (held, next) = (self.held_by(&to), self.next(&to.1));
            let Some(link) = self.links.get_mut(&to) else { continue };
            let since = link.since;
            if !link.take(&[(since, held)]) {
                continue;
            }
            if link.untaken(next).is_empty() {
                self.attempts.remove(&to);
            }
            self.save(tx, &to);
        }
    }

    /// How many events of an own feed a device has said to hold.
    fn held_by(&self, to: &To) -> u64 {
        let told = self.told.get(&to.0);
        told.map_or(0, |told| next_of(&told.delivered, &self.feed(to.1))).min(self.next(&to.1))
    }

    /// Whether a device has said to hold everything that was written for it: its outbox is empty.
    pub fn is_freed(&self, device: &DeviceId) -> bool {
        self.links.keys().filter(|(of, _)| of == device).all(|to| self.is_given(to))
    }

    fn is_given(&self, to: &To) -> bool {
        let next = self.next(&to.1);
        self.links.get(to).is_none_or(|link| link.since >= next) || self.held_by(to) >= next
    }

    fn feed(&self, incarnation: Incarnation) -> FeedId {
        FeedId { device: self.me.device, incarnation }
    }

    fn next(&self, incarnation: &Incarnation) -> u64 {
        self.nexts.get(incarnation).copied().unwrap_or(0)
    }

    fn account_of(&self, roster: &Roster, device: &DeviceId) -> Option<AccountId> {
        if *device == self.me.device {
            return Some(self.me.account);
        }
        roster.member(device).map(|member| member.account)
    }

    fn save<R: Read + ?Sized>(&self, tx: &mut Transaction<'_, R>, to: &To) {
        if let Some(link) = self.links.get(to) {
            let key = row::link_key(&self.conversation, &to.0, &to.1);
            tx.put(row::TABLE, row::scope(self.conversation), key, link.encode());
        }
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
