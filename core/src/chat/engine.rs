//! The engine of a device: routes inputs to the account and to the conversations, and collects what comes of them.
//!
//! Invariants: it holds nothing that the store does not hold as well, but for timers and what is under way, which a start begins
//! anew; after an error nothing it holds is to be relied on, and its driver opens it again.
//! Source: DESIGN §2; `docs/adr/0009-engine.md`.

mod command;
mod envelope;
mod errand;
mod herald;
mod parking;
mod post;
mod sweep;
#[cfg(test)]
mod tests;
mod unknown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::account::{Account, Contact, Handled, Setup, SupplyLimits, contacts, known_record};
use super::api::{CallFailure, Effects, Input, Now};
use super::conversation::{Conversation, Dozing, Errand, Habits, Shared, ids};
use super::feed::Me;
use super::home_log;
use super::membership::Membership;
use super::policy::{direct_conversation, own_conversation};
use super::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, Observation};
use crate::store::{Batch, Read};
use crate::types::{AccountId, ConversationId, DeviceId, EnvelopeId, GroupId, RequestId, Rng};
use crate::wire::log;
use crate::wire::relay::{Refusal, Response};

/// Envelopes whose outcome is awaited; of older ones nothing is learnt.
const MAX_FLIGHTS: usize = 8192;

/// Conversations that are kept in memory although nothing is under way in them: more than a person uses in an hour.
const MAX_LOADED: usize = 64;

/// How long another's newer record waits at most before a member commits it, so that not all do at once.
const SYNC_DELAY_MS: u64 = 60_000;

/// A contact's conversation that has not come so long after the contact has is asked for.
const SEEK_MS: u64 = 90_000;

/// Rounds of errands that one input may lead to: each answers at once only where a home is this device. A bound for a fault.
const MAX_ERRANDS: usize = 10_000;

/// A call of a conversation's that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Home(ConversationId),
    Packages(ConversationId, AccountId),
}

/// All that a device does with messages, without I/O.
#[derive(Debug)]
pub struct Engine {
    account: Account,
    habits: Habits,
    started: bool,
    conversations: BTreeMap<ConversationId, Conversation>,
    /// Those that were used longest ago.
    dozing: BTreeMap<ConversationId, Dozing>,
    /// When each of those in memory was used last, counted in uses.
    used: BTreeMap<ConversationId, u64>,
    uses: u64,
    most_loaded: usize,
    calls: BTreeMap<RequestId, Asked>,
    flights: BTreeMap<EnvelopeId, ConversationId>,
    flown: VecDeque<EnvelopeId>,
    letters: post::Post,
    parking: parking::Parking,
    unknown: unknown::Unknown,
    /// When to look for contacts' conversations that this device has not come into.
    seek_at: Option<u64>,
    sweep: sweep::Sweep,
    herald: herald::Herald,
    peers: BTreeSet<DeviceId>,
    errands: Vec<(ConversationId, Errand)>,
    advanced: Vec<ConversationId>,
    /// Who has sealed something, in which group and epoch, in this turn.
    heard: Vec<(GroupId, DeviceId, u64)>,
}

impl Engine {
    /// Writes the first rows of a new account or device, and opens its engine once they are durable: the batch is in the effects.
    ///
    /// # Errors
    /// If the store does not answer, or the record does not certify the device.
    pub fn create(now: Now, rng: &mut Rng, read: &impl Read, setup: Setup) -> Result<(Self, Effects), EngineError> {
        let mut effects = Effects::default();
        let mut turn = Turn { now, rng, base: read, effects: &mut effects };
        let account = Account::create(&mut turn, setup)?;
        let mut engine = Self::around(account);
        engine.begin_own(&mut turn)?;
        engine.settle(&mut turn)?;
        engine.finish(&mut turn);
        Ok((engine, effects))
    }

    /// Opens the engine of a store; none if the store holds no account.
    ///
    /// # Errors
    /// If the store does not answer or its rows cannot be read.
    pub fn open(read: &impl Read) -> Result<Option<Self>, EngineError> {
        Ok(Account::open(read)?.map(Self::around))
    }

    fn around(account: Account) -> Self {
        Self {
            account,
            habits: Habits::default(),
            started: false,
            conversations: BTreeMap::new(),
            dozing: BTreeMap::new(),
            used: BTreeMap::new(),
            uses: 0,
            most_loaded: MAX_LOADED,
            calls: BTreeMap::new(),
            flights: BTreeMap::new(),
            flown: VecDeque::new(),
            letters: post::Post::default(),
            parking: parking::Parking::default(),
            unknown: unknown::Unknown::default(),
            seek_at: None,
            sweep: sweep::Sweep::default(),
            herald: herald::Herald::default(),
            peers: BTreeSet::new(),
            errands: Vec::new(),
            advanced: Vec::new(),
            heard: Vec::new(),
        }
    }

    /// Changes how this device behaves where the protocol leaves it a choice.
    pub fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
    }

    /// Bounds of the stock of key packages; a simulation makes them small.
    pub fn set_supply(&mut self, limits: SupplyLimits) {
        self.account.set_limits(limits);
    }

    /// How many conversations stay in memory although nothing is under way in them; a simulation makes them few.
    pub fn set_most_loaded(&mut self, most: usize) {
        self.most_loaded = most;
    }

    /// The account on this device.
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Who acts here.
    pub fn me(&self) -> Me {
        Me { account: self.account.id(), device: self.account.device() }
    }

    /// Handles one input. After an error there is no batch, and the engine is to be opened anew.
    ///
    /// # Errors
    /// If the store does not answer, or what it holds is broken. Nothing that comes from others is an error here.
    pub fn handle(&mut self, now: Now, rng: &mut Rng, read: &impl Read, input: Input) -> Result<Effects, EngineError> {
        let mut effects = Effects::default();
        let mut turn = Turn { now, rng, base: read, effects: &mut effects };
        if !self.started && !matches!(input, Input::Start { .. }) {
            self.start(&mut turn, false)?;
        }
        self.dispatch(&mut turn, input)?;
        self.settle(&mut turn)?;
        self.finish(&mut turn);
        Ok(effects)
    }

    /// Answers a device as the home of a log that this device keeps. What it answers holds once the batch is durable. Whoever knows
    /// the group reads it, and whoever knows a write key appends; to begin a log takes somebody known, so that strangers fill no disk.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn handle_home_request(
        &mut self,
        now: Now,
        read: &impl Read,
        caller: DeviceId,
        request: &log::Request,
    ) -> Result<(Batch, log::Response), EngineError> {
        let mut batch = Batch::new();
        if let log::Request::Create { group, .. } = request
            && !self.may_create(read, caller, *group)?
        {
            return Ok((batch, log::Response::Refused(log::Refusal::TryLater)));
        }
        let key = &self.account.keys().events;
        let response = home_log::answer(now.wall, read, &mut batch, key, request)?;
        Ok((batch, response))
    }

    /// A device of this account's, of a contact's, or of a member of the conversation that the group is of.
    fn may_create(&self, read: &impl Read, caller: DeviceId, group: GroupId) -> Result<bool, EngineError> {
        if let Some(id) = Membership::conversation_of(read, group)?
            && let Some(membership) = Membership::load(read, id)?
            && membership.roster().is_present(&caller)
        {
            return Ok(true);
        }
        let has = |record: &AccountRecord| record.devices().iter().any(|device| device.device_id() == caller);
        if has(self.account.record()) {
            return Ok(true);
        }
        for contact in contacts(read, self.account.id())? {
            if contact.accepted && !contact.blocked && known_record(read, &contact.account)?.is_some_and(|it| has(&it))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn dispatch(&mut self, turn: &mut Turn<'_>, input: Input) -> Result<(), EngineError> {
        match input {
            Input::Start { restored } => self.start(turn, restored),
            Input::Command { id, command } => {
                let reply = self.command(turn, command)?;
                turn.effects.replies.push((id, reply));
                Ok(())
            }
            Input::Envelope { from, bytes } => self.envelope(turn, from, &bytes),
            Input::Answer { id, outcome } => self.answer(turn, id, outcome),
            Input::Sent { envelope, device, outcome } => self.sent(turn, envelope, device, outcome),
            Input::PeerUp { device } => self.peer_up(turn, device),
            Input::PeerDown { device } => {
                self.peers.remove(&device);
                Ok(())
            }
            Input::RelayUp { queue } => self.relay_up(turn, queue),
            Input::RelayDown => {
                self.account.relay_down(turn);
                Ok(())
            }
            Input::Record { record } => {
                let fresh = self.account.observe_record(turn, &record)?;
                if let Some((record, Observation::Fresh)) = fresh {
                    self.record_changed(turn, record.account_id())?;
                }
                Ok(())
            }
            Input::Timer => self.timer(turn),
        }
    }

    fn start(&mut self, turn: &mut Turn<'_>, restored: bool) -> Result<(), EngineError> {
        self.started = true;
        self.account.start(turn)?;
        self.sweep.begin(turn.now.mono_ms);
        self.seek_soon(turn);
        self.letters.load(turn)?;
        if restored {
            self.account.doubt_requests(turn)?;
        }
        for id in ids(&turn.read())? {
            self.with(turn, id, |conversation, turn, shared| {
                if restored {
                    conversation.lose(turn, shared)?;
                }
                conversation.start(turn, shared)
            })?;
        }
        if self.with(turn, own_conversation(self.account.id()), |_, _, _| Ok(()))?.is_none() {
            self.begin_own(turn)?;
        }
        self.herald_all(turn)
    }

    fn timer(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        let loaded = self.conversations.iter().map(|(id, conversation)| (id, conversation.wake_at()));
        let all = loaded.chain(self.dozing.iter().map(|(id, dozing)| (id, dozing.wake_at())));
        let due: Vec<ConversationId> =
            all.filter(|(_, at)| at.is_some_and(|at| at <= now)).map(|(id, _)| *id).collect();
        for id in due {
            self.with(turn, id, Conversation::advance)?;
        }
        self.account.run_due(turn)?;
        self.seek(turn)?;
        self.tell_profiles(turn)?;
        self.say_unknown(turn)?;
        self.sweep(turn)
    }

    /// Contacts are others now: their conversations are looked for, once a Welcome has had time to come.
    pub(super) fn seek_soon(&mut self, turn: &Turn<'_>) {
        self.seek_at = Some(turn.now.mono_ms.saturating_add(SEEK_MS));
    }

    /// A device learns of a contact from its account's other devices. Where nobody added it to the conversation, since no relay keeps
    /// its key packages, or whoever did has been removed, it asks to be added.
    fn seek(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        if self.seek_at.is_none_or(|at| at > turn.now.mono_ms) {
            return Ok(());
        }
        self.seek_at = None;
        for contact in contacts(&turn.read(), self.account.id())? {
            let id = direct_conversation(self.account.id(), contact.account);
            let known = self.with(turn, id, |conversation, _, _| Ok(!conversation.membership().is_blank()))?;
            if contact.accepted && !contact.blocked && known != Some(true) {
                self.seek_in(turn, id)?;
            }
        }
        Ok(())
    }

    /// Comes into a conversation that somebody has with this account already: by their Welcome if it waits here, or by asking them.
    fn follow(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<(), EngineError> {
        self.unpark_uninvited(turn)?;
        let known = self.with(turn, id, |conversation, _, _| Ok(!conversation.membership().is_blank()))?;
        if known != Some(true) { self.seek_in(turn, id) } else { Ok(()) }
    }

    /// Asks to be added to a conversation that this device knows nothing of.
    pub(super) fn seek_in(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<(), EngineError> {
        let conversation = Conversation::new(turn, id, self.me())?;
        self.conversations.insert(id, conversation);
        self.with(turn, id, Conversation::seek)?;
        Ok(())
    }

    /// The contact that a conversation would be with, whether there is one or not.
    fn partner_in(&self, turn: &Turn<'_>, id: ConversationId) -> Result<Option<AccountId>, EngineError> {
        let own = self.account.id();
        let is_it = |contact: &Contact| contact.accepted && !contact.blocked;
        let contacts = contacts(&turn.read(), own)?;
        let mut accounts = contacts.iter().filter(|contact| is_it(contact)).map(|contact| contact.account);
        Ok(accounts.find(|account| direct_conversation(own, *account) == id))
    }

    fn peer_up(&mut self, turn: &mut Turn<'_>, device: DeviceId) -> Result<(), EngineError> {
        self.peers.insert(device);
        self.account.peer_up(turn, device)?;
        self.letters.hurry(Some(device), false);
        for id in self.all() {
            if self.dozing.get(&id).is_some_and(|dozing| !dozing.has_device(&device)) {
                continue;
            }
            self.with(turn, id, |conversation, turn, shared| conversation.met(turn, shared, device))?;
        }
        Ok(())
    }

    fn relay_up(&mut self, turn: &mut Turn<'_>, queue: crate::types::Incarnation) -> Result<(), EngineError> {
        let lost = self.account.relay_up(turn, queue)?;
        self.letters.hurry(None, lost);
        for id in self.all() {
            self.with(turn, id, |conversation, turn, shared| {
                conversation.hurry(None);
                if lost {
                    conversation.mailbox_lost(turn, shared)?;
                }
                conversation.advance(turn, shared)
            })?;
        }
        Ok(())
    }

    fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        id: RequestId,
        outcome: Result<Response, CallFailure>,
    ) -> Result<(), EngineError> {
        match self.account.answered(turn, id, &outcome)? {
            Handled::Done => return Ok(()),
            Handled::NewRecord(account) => return self.record_changed(turn, account),
            Handled::NotMine => {}
        }
        match self.calls.remove(&id) {
            Some(Asked::Home(conversation)) => {
                let outcome = match outcome {
                    Ok(Response::Home(response)) => Ok(response),
                    Ok(_) => Err(CallFailure::Broken),
                    Err(failure) => Err(failure),
                };
                self.with(turn, conversation, |conversation, turn, shared| {
                    conversation.home_answered(turn, shared, outcome)
                })?;
            }
            Some(Asked::Packages(conversation, account)) => {
                if matches!(outcome, Ok(Response::Refused(Refusal::Forbidden))) {
                    self.with(turn, conversation, |conversation, turn, shared| {
                        conversation.packages_refused(turn, shared, account)
                    })?;
                    return Ok(());
                }
                let found = match outcome {
                    Ok(Response::KeyPackages { packages }) => {
                        Some(packages.into_iter().map(|(_, package)| package).collect())
                    }
                    Ok(_) | Err(_) => None,
                };
                self.with(turn, conversation, |conversation, turn, shared| {
                    conversation.packages_came(turn, shared, account, found)
                })?;
            }
            None => {}
        }
        Ok(())
    }

    /// A newer record of an account: its devices are brought in step with it wherever it is a member.
    fn record_changed(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<(), EngineError> {
        self.account.is_heeded(&account);
        for id in self.all() {
            let seated = self.with(turn, id, |conversation, turn, shared| {
                if conversation.membership().policy().is_none_or(|policy| policy.seat(account).is_none()) {
                    return Ok(false);
                }
                conversation.record_changed(turn, shared, SYNC_DELAY_MS)?;
                Ok(true)
            })?;
            if seated == Some(true) {
                self.herald(turn, id)?;
            }
        }
        Ok(())
    }

    fn all(&self) -> Vec<ConversationId> {
        self.conversations.keys().chain(self.dozing.keys()).copied().collect()
    }

    /// Works on a conversation; none if there is none here.
    fn with<T>(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        work: impl FnOnce(&mut Conversation, &mut Turn<'_>, &mut Shared<'_>) -> Result<T, EngineError>,
    ) -> Result<Option<T>, EngineError> {
        let mut conversation = match self.conversations.remove(&id) {
            Some(conversation) => conversation,
            None => match self.take_up(turn, id)? {
                Some(conversation) => conversation,
                None => return Ok(None),
            },
        };
        let sends = turn.effects.sends.len();
        let mut shared = Shared {
            account: &mut self.account,
            peers: &self.peers,
            habits: self.habits,
            errands: &mut self.errands,
            advanced: &mut self.advanced,
            heard: &mut self.heard,
        };
        let done = work(&mut conversation, turn, &mut shared)?;
        self.conversations.insert(id, conversation);
        self.uses = self.uses.saturating_add(1);
        self.used.insert(id, self.uses);
        self.put_down(turn, id)?;
        for outgoing in turn.effects.sends.iter().skip(sends) {
            self.flights.insert(outgoing.id, id);
            self.flown.push_back(outgoing.id);
        }
        while self.flown.len() > MAX_FLIGHTS {
            if let Some(oldest) = self.flown.pop_front() {
                self.flights.remove(&oldest);
            }
        }
        Ok(Some(done))
    }

    fn take_up(&mut self, turn: &Turn<'_>, id: ConversationId) -> Result<Option<Conversation>, EngineError> {
        match self.dozing.remove(&id) {
            Some(dozing) => Conversation::rouse(turn, id, self.me(), dozing),
            None => Conversation::load(turn, id, self.me()),
        }
    }

    /// Puts down those that were used longest ago, but for the one in use, until no more are in memory than may be.
    fn put_down(&mut self, turn: &mut Turn<'_>, in_use: ConversationId) -> Result<(), EngineError> {
        while self.conversations.len() > self.most_loaded {
            let idle = self.conversations.iter().filter(|(id, it)| **id != in_use && it.may_doze());
            let oldest = idle.map(|(id, _)| *id).min_by_key(|id| self.used.get(id).copied());
            let Some(id) = oldest else { break };
            self.used.remove(&id);
            if let Some(conversation) = self.conversations.remove(&id).filter(|it| !it.membership().is_blank()) {
                self.dozing.insert(id, conversation.doze(turn)?);
            }
        }
        Ok(())
    }

    /// Says when to come back.
    fn finish(&self, turn: &mut Turn<'_>) {
        let loaded = self.conversations.values().filter_map(Conversation::wake_at);
        let conversations = loaded.chain(self.dozing.values().filter_map(Dozing::wake_at));
        let conversations =
            conversations.chain(self.seek_at).chain(self.herald.wake_at()).chain(self.unknown.wake_at());
        turn.effects.wake_at =
            conversations.chain(self.letters.wake_at()).chain(self.account.wake_at()).chain(self.sweep.wake_at()).min();
    }
}
