//! Devices, a relay and homes in memory: envelopes and calls are carried in order, and nothing waits on a clock but the one here.

use std::collections::{BTreeMap, VecDeque};

use rand_core::SeedableRng;

use super::*;
use crate::chat::account::OwnPrekey;
use crate::chat::api::{Answer, Call, CallTarget, Command, CommandError, Notice, Outgoing, Reply, SendOutcome};
use crate::chat::home_log;
use crate::chat::membership::Membership;
use crate::chat::policy::direct_conversation;
use crate::chat::{Anchor, ItemBody, MessageState, timeline, view};
use crate::identity::{
    AccountRecord, DeviceCertificate, DeviceKeys, Prekey, RecordBody, RelayAddress, RelayId, RootKey, SigningKey,
};
use crate::mls::{Suite, generate_prekey};
use crate::store::MemoryStore;
use crate::types::{ContentId, Incarnation, Timestamp};
use crate::wire::codec::Body as _;
use crate::wire::envelope::{Envelope, Packet};
use crate::wire::relay::{Deposited, Request};

mod files;
mod labels;
mod marks;
mod posts;
mod profiles;
mod scenes;
mod upkeep;

/// The cheap suite: agreement does not depend on it.
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

const SUITE: Suite = Suite::X25519;

struct Device {
    engine: Engine,
    store: MemoryStore,
    setup: Setup,
    online: bool,
    wake_at: Option<u64>,
    notices: Vec<Notice>,
}

/// What happens next: to which device.
enum Step {
    Input(DeviceId, Input),
    Call(DeviceId, Call),
    Send(DeviceId, Outgoing),
}

struct World {
    rng: Rng,
    mono_ms: u64,
    relay_key: SigningKey,
    relay_up: bool,
    relay: MemoryStore,
    packages: BTreeMap<DeviceId, Vec<serde_bytes::ByteBuf>>,
    mailboxes: BTreeMap<DeviceId, VecDeque<Vec<u8>>>,
    devices: BTreeMap<DeviceId, Device>,
    steps: VecDeque<Step>,
    /// A batch that is lost on the way to the disk: after so many inputs, the engine of that device is opened anew.
    crash_in: Option<(DeviceId, usize)>,
    crashed: bool,
    /// Conversations that an engine keeps in memory.
    loaded: usize,
    /// The relay's copies of records.
    records: BTreeMap<AccountId, Vec<u8>>,
    /// Requests of these names are answered with "try later".
    refused: BTreeSet<&'static str>,
    /// Tokens that the relay has of another account.
    foreign: BTreeSet<crate::types::Hash>,
    /// Which life the relay's mailboxes are in.
    queue: u8,
    /// Who left what to whom, and what was asked.
    sent: Vec<(DeviceId, Outgoing)>,
    asked: Vec<(DeviceId, Call)>,
    /// What new accounts understand.
    features: Vec<String>,
    /// Pairs that reach each other straight.
    straight: BTreeSet<(DeviceId, DeviceId)>,
}

struct Person {
    root: RootKey,
    record: AccountRecord,
    prekey: OwnPrekey,
    devices: Vec<DeviceKeys>,
}

/// Whether an envelope brings somebody in.
fn is_welcome(envelope: &[u8]) -> bool {
    let envelope = Envelope::decode(envelope).unwrap();
    matches!(Packet::decode(&envelope.packet), Ok(Packet::Welcome { .. }))
}

impl Person {
    fn id(&self) -> AccountId {
        self.record.account_id()
    }

    fn device(&self, place: usize) -> DeviceId {
        self.devices[place].device_id()
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let relay_key = SigningKey::generate(&mut rng);
        Self {
            rng,
            mono_ms: 1_000,
            relay_key,
            relay_up: true,
            relay: MemoryStore::new(),
            packages: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            devices: BTreeMap::new(),
            steps: VecDeque::new(),
            crash_in: None,
            crashed: false,
            loaded: MAX_LOADED,
            records: BTreeMap::new(),
            refused: BTreeSet::new(),
            foreign: BTreeSet::new(),
            queue: 1,
            sent: Vec::new(),
            asked: Vec::new(),
            features: vec![crate::chat::profile::FEATURE.to_owned()],
            straight: BTreeSet::new(),
        }
    }

    /// A device does not get round to telling others of the own profile.
    fn herald_is_lost(&mut self, id: DeviceId) {
        self.devices.get_mut(&id).unwrap().engine.herald = herald::Herald::default();
    }

    fn now(&self) -> Now {
        Now { wall: Timestamp(1_700_000_000_000 + self.mono_ms), mono_ms: self.mono_ms }
    }

    fn relay_address(&self) -> RelayAddress {
        RelayAddress { relay: RelayId::new(self.relay_key.public()), addresses: vec!["/memory/1".into()] }
    }

    /// A new account with one device.
    fn person(&mut self) -> Person {
        self.person_at(vec![self.relay_address()])
    }

    fn person_at(&mut self, relays: Vec<RelayAddress>) -> Person {
        let root = RootKey::generate(&mut self.rng);
        let keys = DeviceKeys::generate(&mut self.rng);
        let (public, secret) = generate_prekey(SUITE, &mut self.rng).unwrap();
        let record = AccountRecord::sign(
            &root,
            RecordBody {
                version: 1,
                predecessor: None,
                devices: vec![DeviceCertificate::issue(&root, &keys, Timestamp(1)).unwrap()],
                relays,
                prekeys: vec![Prekey { suite: SUITE.number(), id: 1, key: public }],
                features: self.features.clone(),
                created: Timestamp(1),
            },
        )
        .unwrap();
        let prekey = OwnPrekey { id: 1, suite: SUITE, secret };
        let mut person = Person { root, record, prekey, devices: Vec::new() };
        self.install(&mut person, keys);
        person
    }

    /// Another device of an account, and the newer record at the first one.
    fn add_device(&mut self, person: &mut Person) {
        let keys = DeviceKeys::generate(&mut self.rng);
        let mut body = person.record.successor(Timestamp(2));
        body.devices.push(DeviceCertificate::issue(&person.root, &keys, Timestamp(2)).unwrap());
        person.record = AccountRecord::sign(&person.root, body).unwrap();
        self.install(person, keys);
        let record = person.record.encode();
        self.command(person.device(0), Command::OwnRecord { record, prekeys: Vec::new() }).unwrap();
    }

    fn install(&mut self, person: &mut Person, keys: DeviceKeys) {
        let id = keys.device_id();
        let setup = Setup {
            keys: keys.clone(),
            record: person.record.clone(),
            prekeys: vec![person.prekey.clone()],
            handle: None,
            suite: SUITE,
        };
        let mut store = MemoryStore::new();
        let now = self.now();
        let (mut engine, effects) = Engine::create(now, &mut self.rng, &store, setup.clone()).unwrap();
        engine.set_habits(Habits { renews_keys: false, read_receipts: true });
        engine.set_most_loaded(self.loaded);
        store.apply(&effects.batch);
        person.devices.push(keys);
        let device = Device { engine, store, setup, online: true, wake_at: None, notices: Vec::new() };
        self.devices.insert(id, device);
        self.release(id, effects);
        self.input(id, Input::Start { restored: false });
        if !person.record.relays().is_empty() {
            self.records.insert(person.id(), person.record.encode());
            self.input(id, Input::RelayUp { queue: Incarnation::new([self.queue; 8]) });
        }
        self.run();
    }

    fn input(&mut self, device: DeviceId, input: Input) {
        self.steps.push_back(Step::Input(device, input));
    }

    fn handle(&mut self, id: DeviceId, input: Input) -> Option<Effects> {
        let now = self.now();
        let device = self.devices.get_mut(&id).unwrap();
        let effects = device.engine.handle(now, &mut self.rng, &device.store, input.clone()).unwrap();
        if let Some((crashing, left)) = &mut self.crash_in
            && *crashing == id
        {
            if *left == 0 {
                self.crash_in = None;
                self.crashed = true;
                if matches!(input, Input::Envelope { .. }) {
                    // Nobody was told that it is durable, so it comes again.
                    self.steps.push_front(Step::Input(id, input));
                }
                self.restart(id, false);
                return None;
            }
            *left -= 1;
        }
        let device = self.devices.get_mut(&id).unwrap();
        device.store.apply(&effects.batch);
        Some(effects)
    }

    fn restart(&mut self, id: DeviceId, restored: bool) {
        let device = self.devices.get_mut(&id).unwrap();
        device.engine = Engine::open(&device.store).unwrap().unwrap();
        device.engine.set_habits(Habits { renews_keys: false, read_receipts: true });
        device.engine.set_most_loaded(self.loaded);
        if !device.setup.record.relays().is_empty() {
            self.steps.push_front(Step::Input(id, Input::RelayUp { queue: Incarnation::new([self.queue; 8]) }));
        }
        self.steps.push_front(Step::Input(id, Input::Start { restored }));
    }

    fn release(&mut self, id: DeviceId, effects: Effects) {
        let device = self.devices.get_mut(&id).unwrap();
        device.notices.extend(effects.notices);
        device.wake_at = effects.wake_at;
        self.steps.extend(effects.calls.into_iter().map(|call| Step::Call(id, call)));
        self.steps.extend(effects.sends.into_iter().map(|send| Step::Send(id, send)));
    }

    fn command(&mut self, id: DeviceId, command: Command) -> Result<Reply, CommandError> {
        let request = RequestId::random(&mut self.rng);
        for _ in 0..2 {
            let Some(effects) = self.handle(id, Input::Command { id: request, command: command.clone() }) else {
                continue;
            };
            let reply = effects.replies.iter().find(|(of, _)| *of == request).unwrap().1.clone();
            self.release(id, effects);
            return reply;
        }
        panic!("two crashes in a row");
    }

    /// Carries everything until nothing is left to carry.
    fn run(&mut self) {
        for _ in 0..20_000 {
            let Some(step) = self.steps.pop_front() else { return };
            match step {
                Step::Input(id, input) => {
                    if let Some(effects) = self.handle(id, input) {
                        self.release(id, effects);
                    }
                }
                Step::Call(id, call) => self.call(id, call),
                Step::Send(id, outgoing) => self.send(id, outgoing),
            }
        }
        panic!("it does not come to rest");
    }

    /// Lets time pass, and what it brings.
    fn pass(&mut self, ms: u64) {
        let until = self.mono_ms + ms;
        self.run();
        for _ in 0..2_000 {
            let next = self.devices.iter().filter_map(|(id, device)| Some((device.wake_at?, *id))).min();
            let Some((at, id)) = next.filter(|(at, _)| *at <= until) else { break };
            self.mono_ms = self.mono_ms.max(at);
            self.devices.get_mut(&id).unwrap().wake_at = None;
            self.input(id, Input::Timer);
            self.run();
        }
        self.mono_ms = until;
    }

    fn call(&mut self, id: DeviceId, call: Call) {
        self.asked.push((id, call.clone()));
        let outcome = match &call.to {
            CallTarget::Device(home, _) => self.call_device(id, *home, &call.request),
            CallTarget::OwnRelay | CallTarget::Relay(_) if !self.relay_up => Err(CallFailure::Unreachable),
            CallTarget::OwnRelay | CallTarget::Relay(_) => self.call_relay(id, &call.request),
        };
        self.input(id, Input::Answer { id: call.id, outcome });
    }

    fn call_device(&mut self, from: DeviceId, home: DeviceId, request: &Request) -> Result<Answer, CallFailure> {
        let now = self.now();
        let Request::Home(request) = request else { return Err(CallFailure::Broken) };
        let device = self.devices.get_mut(&home).filter(|device| device.online).ok_or(CallFailure::Unreachable)?;
        let (batch, response) = device.engine.handle_home_request(now, &device.store, from, request).unwrap();
        device.store.apply(&batch);
        Ok(Response::Home(response))
    }

    fn call_relay(&mut self, id: DeviceId, request: &Request) -> Result<Answer, CallFailure> {
        if self.refused.contains(request.name()) {
            return Ok(Response::Refused(crate::wire::relay::Refusal::TryLater));
        }
        Ok(match request {
            Request::GetRecord { account } => match self.records.get(account) {
                Some(record) => Response::Record { record: record.clone() },
                None => Response::Refused(crate::wire::relay::Refusal::NotFound),
            },
            Request::PutRecord { record } => {
                let account = AccountRecord::decode_verified(record).unwrap().account_id();
                self.records.insert(account, record.clone());
                Response::Done
            }
            Request::Home(request) => {
                let mut batch = Batch::new();
                let now = self.now().wall;
                let response = home_log::answer(now, &self.relay, &mut batch, &self.relay_key, request).unwrap();
                self.relay.apply(&batch);
                Response::Home(response)
            }
            Request::IssueTokens { tokens } if tokens.iter().any(|(_, token)| self.foreign.contains(token)) => {
                Response::Refused(crate::wire::relay::Refusal::Conflict)
            }
            Request::PutKeyPackages { packages, .. } => {
                self.packages.entry(id).or_default().extend(packages.iter().cloned());
                Response::Done
            }
            Request::CountKeyPackages => Response::KeyPackagesLeft {
                count: self.packages.get(&id).map_or(0, |packages| packages.len() as u32),
                last_resort_used: false,
            },
            Request::TakeKeyPackages { account, .. } => {
                let owned: Vec<DeviceId> = self
                    .devices
                    .iter()
                    .filter(|(_, device)| device.setup.record.account_id() == *account)
                    .map(|(device, _)| *device)
                    .collect();
                let mut packages = Vec::new();
                for device in owned {
                    packages.extend(self.packages.get_mut(&device).and_then(Vec::pop).map(|package| (device, package)));
                }
                Response::KeyPackages { packages }
            }
            Request::DepositRequest { account, envelope, .. } => {
                let owned: Vec<DeviceId> = self
                    .devices
                    .iter()
                    .filter(|(_, device)| device.setup.record.account_id() == *account)
                    .map(|(device, _)| *device)
                    .collect();
                for device in owned {
                    self.deposit(device, envelope.clone());
                }
                Response::Done
            }
            _ => Response::Done,
        })
    }

    fn deposit(&mut self, device: DeviceId, envelope: Vec<u8>) {
        if self.devices[&device].online {
            self.input(device, Input::Envelope { from: None, bytes: envelope });
        } else {
            self.mailboxes.entry(device).or_default().push_back(envelope);
        }
    }

    /// Straight where that goes, else through the mailboxes.
    fn send(&mut self, id: DeviceId, outgoing: Outgoing) {
        self.sent.push((id, outgoing.clone()));
        for to in &outgoing.to {
            let straight = self.straight.contains(&(id.min(to.device), id.max(to.device)));
            let outcome = if straight && self.devices[&to.device].online {
                let input = Input::Envelope { from: Some(id), bytes: outgoing.envelope.clone() };
                match self.handle(to.device, input) {
                    Some(effects) => {
                        let refused = effects.verdict == Some(crate::chat::Verdict::Refused);
                        self.release(to.device, effects);
                        if refused { SendOutcome::Refused } else { SendOutcome::Direct }
                    }
                    None => SendOutcome::Unreachable,
                }
            } else if !self.relay_up || to.mailboxes.is_empty() || !self.devices.contains_key(&to.device) {
                SendOutcome::Unreachable
            } else {
                self.deposit(to.device, outgoing.envelope.clone());
                SendOutcome::Mailbox(Deposited::Taken)
            };
            self.input(id, Input::Sent { envelope: outgoing.id, device: to.device, outcome });
        }
    }

    /// The relay is taken back from a copy that knows no mail: all mailboxes begin a new life.
    fn lose_mail(&mut self) {
        self.mailboxes.clear();
        self.queue += 1;
        let ids: Vec<DeviceId> = self.devices.keys().copied().collect();
        for id in ids {
            self.input(id, Input::RelayUp { queue: Incarnation::new([self.queue; 8]) });
        }
        self.run();
    }

    /// Two devices reach each other straight from now on.
    fn meet(&mut self, one: DeviceId, other: DeviceId) {
        self.straight.insert((one.min(other), one.max(other)));
        self.input(one, Input::PeerUp { device: other });
        self.input(other, Input::PeerUp { device: one });
        self.run();
    }

    fn set_online(&mut self, id: DeviceId, online: bool) {
        self.devices.get_mut(&id).unwrap().online = online;
        if online {
            for bytes in self.mailboxes.remove(&id).unwrap_or_default() {
                self.input(id, Input::Envelope { from: None, bytes });
            }
            self.run();
        }
    }

    /// The texts of a conversation on a device, in order of display.
    fn texts(&self, id: DeviceId, of: ConversationId) -> Vec<String> {
        let device = &self.devices[&id];
        let view = self.membership(id, of).roster().clone();
        let me = device.engine.me();
        let items = timeline::page(&device.store, &of, &view, &me, Anchor::Newest, 1_000).unwrap();
        items
            .iter()
            .filter_map(|item| match &item.body {
                ItemBody::Text { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    fn say(&mut self, id: DeviceId, conversation: ConversationId, text: &str) {
        let command = Command::SendText { conversation, text: text.into(), reply_to: None };
        let reply = self.command(id, command);
        assert!(matches!(reply, Ok(Reply::Written { .. })), "{reply:?}");
    }

    /// How far a message of a device's own has come.
    fn state(&self, id: DeviceId, conversation: ConversationId, of: &ContentId) -> MessageState {
        let Device { store, engine, .. } = &self.devices[&id];
        let view = view::conversation(store, conversation).unwrap().unwrap();
        view::message_state(store, &view, engine.me(), of).unwrap().0
    }

    /// Two who have accepted each other.
    fn friends(&mut self) -> (Person, Person, ConversationId) {
        let (alice, bob) = (self.person(), self.person());
        let id = self.befriend(&alice, &bob);
        (alice, bob, id)
    }

    /// A group of three, of whom the first has created it and knows the others.
    fn trio(&mut self) -> (Person, Person, Person, ConversationId) {
        let (alice, bob, carol) = (self.person(), self.person(), self.person());
        self.befriend(&alice, &bob);
        self.befriend(&alice, &carol);
        let members = vec![bob.id(), carol.id()];
        let created = self.command(alice.device(0), Command::CreateGroup { name: "trip".into(), members });
        let Ok(Reply::Created { conversation: id }) = created else { panic!("{created:?}") };
        self.pass(20_000);
        (alice, bob, carol, id)
    }

    fn befriend(&mut self, alice: &Person, bob: &Person) -> ConversationId {
        let request = Command::RequestContact { record: bob.record.encode(), handle: None, text: "hello".into() };
        self.command(alice.device(0), request).unwrap();
        self.run();
        self.command(bob.device(0), Command::Accept { account: alice.id() }).unwrap();
        self.run();
        direct_conversation(alice.id(), bob.id())
    }

    /// The present group, and how far its log was walked.
    fn present(&self, id: DeviceId, of: ConversationId) -> (crate::types::GroupId, crate::wire::event::LogHead) {
        let present = self.membership(id, of).present().cloned().unwrap();
        (present.group, present.log)
    }

    fn membership(&self, id: DeviceId, of: ConversationId) -> Membership {
        Membership::load(&self.devices[&id].store, of).unwrap().unwrap()
    }
}
