//! The two ends of a group: engines over stores on a disk, each input and its batch as a session would drive them. The relay and the
//! other members are played here: the relay as far as the two need it, the others by their keys alone.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use kith_core::chat::account::{OwnPrekey, Setup};
use kith_core::chat::{
    Answer, Call, CallFailure, CallTarget, Command, Effects, Engine, Habits, Input, Now, Outgoing, Reply, SendOutcome,
};
use kith_core::home::{AppendRequest, Limits, State, read_response};
use kith_core::identity::{
    AccountRecord, Context, DeviceCertificate, DeviceKeys, LeafIdentity, Prekey, RecordBody, RelayAddress, RelayId,
    RootKey, SigningKey,
};
use kith_core::mls::{self, LeafSigner, OwnKeyPackage, Suite, generate_prekey};
use kith_core::store::{Batch, MemoryStore, Op, Options, Overlay, Read, RingKey, Store};
use kith_core::types::{AccountId, ConversationId, DeviceId, GroupId, Incarnation, RequestId, Rng, Timestamp};
use kith_core::wire::log;
use kith_core::wire::relay::{Deposited, Refusal, Request, Response};
use rand_core::SeedableRng;
use serde_bytes::ByteBuf;
use zeroize::Zeroizing;

use crate::Failure;

/// Who writes.
const ALICE: usize = 0;

/// Who reads.
const BOB: usize = 1;

/// Devices of each of the others.
const DEVICES_EACH: usize = 3;

/// Members that are added at once: the engine keeps no more wishes than 64.
const AT_ONCE: usize = 50;

/// Inputs that share a flush, as in a session.
const ROUND: usize = 64;

/// What sealing adds to a value: format, number of the key, nonce, tag (`store::sealed`).
const SEALED: usize = 1 + 4 + 12 + 16;

/// How long a change of members takes at most, on the clock here.
const A_WHILE_MS: u64 = 60_000;

/// What came of some inputs that shared a flush.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// What the engine computed.
    pub(crate) time: Duration,
    /// Keys and sealed values of the batch.
    pub(crate) bytes: usize,
    /// Devices that something was sent to.
    pub(crate) recipients: usize,
    replies: Vec<Reply>,
}

struct End {
    account: AccountId,
    record: AccountRecord,
    device: DeviceId,
    engine: Engine,
    store: Store,
    wake_at: Option<u64>,
    inputs: VecDeque<Input>,
}

/// An account by its keys.
struct Person {
    record: AccountRecord,
    devices: Vec<DeviceKeys>,
    prekey: OwnPrekey,
}

impl Person {
    fn setup(&self) -> Result<Setup, Failure> {
        let keys = self.devices.first().ok_or("an account without a device")?.clone();
        let (record, prekeys) = (self.record.clone(), vec![self.prekey.clone()]);
        Ok(Setup { keys, record, prekeys, handle: None, suite: Suite::DEFAULT })
    }
}

/// Alice, Bob, and who else is in their group.
pub(crate) struct Circle {
    ends: [End; 2],
    relay: Relay,
    rng: Rng,
    mono_ms: u64,
    group: ConversationId,
}

impl Circle {
    /// A group of so many devices, in which Alice and Bob have one each; the store's files are in `dir`.
    pub(crate) fn new(dir: &Path, devices: usize) -> Result<Self, Failure> {
        let mut rng = Rng::seed_from_u64(devices as u64);
        let relay = Relay { key: SigningKey::generate(&mut rng), logs: BTreeMap::new(), packages: BTreeMap::new() };
        let [alice, bob] = [relay.person(&mut rng, 1)?, relay.person(&mut rng, 1)?];
        let (alice, its) = end(&dir.join("alice"), alice, &mut rng)?;
        let (bob, theirs) = end(&dir.join("bob"), bob, &mut rng)?;
        let group = ConversationId::new([0; ConversationId::LEN]);
        let mut circle = Self { ends: [alice, bob], relay, rng, mono_ms: 1_000, group };
        for (who, effects) in [(ALICE, its), (BOB, theirs)] {
            circle.release(who, effects)?;
            circle.end(who)?.inputs.push_back(Input::RelayUp { queue: Incarnation::new([1; Incarnation::LEN]) });
        }
        circle.settle()?;
        let members = circle.acquaint(devices.saturating_sub(2) / DEVICES_EACH)?;
        circle.gather(&members)?;
        Ok(circle)
    }

    /// Alice writes a text of this length.
    pub(crate) fn write(&mut self, bytes: usize) -> Result<Round, Failure> {
        let text = "x".repeat(bytes);
        self.command(ALICE, Command::SendText { conversation: self.group, text, reply_to: None })
    }

    /// Bob takes what has come.
    pub(crate) fn read(&mut self) -> Result<Round, Failure> {
        self.round(BOB)
    }

    /// Everything that follows, until nothing is left to carry and a moment has passed: what both do, Alice first.
    pub(crate) fn follow(&mut self) -> Result<[Round; 2], Failure> {
        self.pass(1_000)
    }

    /// Bob renews his keys, so that an epoch ends for both.
    pub(crate) fn pass_epoch(&mut self) -> Result<(), Failure> {
        let before = self.relay.entries();
        self.command(BOB, Command::UpdateKeys { conversation: self.group })?;
        self.pass(A_WHILE_MS)?;
        if self.relay.entries() == before { Err("a commit did not reach the log".into()) } else { Ok(()) }
    }

    /// Everybody asks Alice for contact and is accepted: the others, by account, and Bob as the last.
    fn acquaint(&mut self, others: usize) -> Result<Vec<AccountId>, Failure> {
        let alice = self.end(ALICE)?.record.clone();
        let mut members = Vec::new();
        for _ in 0..others {
            let person = self.relay.person(&mut self.rng, DEVICES_EACH)?;
            let card = card(&person, &alice, self.now(), &mut self.rng)?;
            // One for the conversation of the two, one for the group.
            for keys in person.devices.iter().chain(&person.devices) {
                self.relay.stock(&person.record, keys, self.now(), &mut self.rng)?;
            }
            self.end(ALICE)?.inputs.push_back(Input::Envelope { from: None, bytes: card });
            members.push(person.record.account_id());
            self.accept_last(&members)?;
        }
        let ask = Command::RequestContact { record: alice.encode(), handle: None, text: "hello".into() };
        self.command(BOB, ask)?;
        members.push(self.end(BOB)?.account);
        self.accept_last(&members)?;
        Ok(members)
    }

    fn accept_last(&mut self, members: &[AccountId]) -> Result<(), Failure> {
        self.settle()?;
        let account = *members.last().ok_or("nobody")?;
        self.command(ALICE, Command::Accept { account })?;
        self.settle()?;
        Ok(())
    }

    /// Alice makes the group and adds them, Bob as the last.
    fn gather(&mut self, members: &[AccountId]) -> Result<(), Failure> {
        let created = self.command(ALICE, Command::CreateGroup { name: "bench".into(), members: Vec::new() })?;
        self.group = created
            .replies
            .iter()
            .find_map(|reply| if let Reply::Created { conversation } = reply { Some(*conversation) } else { None })
            .ok_or("no group was created")?;
        self.pass(A_WHILE_MS)?;
        for some in members.chunks(AT_ONCE) {
            let conversation = self.group;
            self.command(ALICE, Command::AddMembers { conversation, members: some.to_vec() })?;
            self.pass(A_WHILE_MS)?;
        }
        Ok(())
    }

    fn command(&mut self, who: usize, command: Command) -> Result<Round, Failure> {
        self.settle()?;
        let id = RequestId::random(&mut self.rng);
        self.end(who)?.inputs.push_back(Input::Command { id, command });
        self.round(who)
    }

    fn end(&mut self, who: usize) -> Result<&mut End, Failure> {
        self.ends.get_mut(who).ok_or_else(|| "there are two ends".into())
    }

    fn now(&self) -> Now {
        Now { wall: Timestamp(1_700_000_000_000 + self.mono_ms), mono_ms: self.mono_ms }
    }

    /// Hands in the inputs that wait for one end, as many as share a flush.
    fn round(&mut self, who: usize) -> Result<Round, Failure> {
        let now = self.now();
        let Self { ends, rng, .. } = self;
        let end = ends.get_mut(who).ok_or("there are two ends")?;
        let (mut round, mut batch, mut all) = (Round::default(), Batch::new(), Vec::new());
        let inputs = end.inputs.len().min(ROUND);
        for input in end.inputs.drain(..inputs) {
            let begun = Instant::now();
            let mut effects = end.engine.handle(now, rng, &Overlay::new(&end.store, &batch), input)?;
            round.time += begun.elapsed();
            batch.append(std::mem::take(&mut effects.batch));
            all.push(effects);
        }
        round.bytes = stored_bytes(&batch);
        if !batch.is_empty() {
            end.store.commit(&batch, now.wall)?;
        }
        for effects in all {
            round.recipients += effects.sends.iter().map(|outgoing| outgoing.to.len()).sum::<usize>();
            for (_, reply) in &effects.replies {
                round.replies.push(reply.clone()?);
            }
            self.release(who, effects)?;
        }
        Ok(round)
    }

    /// What is let go once the batch is durable: every call is answered, everybody takes what was sent.
    fn release(&mut self, who: usize, effects: Effects) -> Result<(), Failure> {
        let now = self.now().wall;
        self.end(who)?.wake_at = effects.wake_at;
        for Call { id, to, request } in effects.calls {
            let outcome = match to {
                CallTarget::Device(..) => Err(CallFailure::Unreachable),
                CallTarget::OwnRelay | CallTarget::Relay(_) => {
                    if let Request::DepositRequest { account, envelope, .. } = &request {
                        let to = self.ends.iter_mut().filter(|end| end.account == *account);
                        let envelope = || Input::Envelope { from: None, bytes: envelope.clone() };
                        to.for_each(|end| end.inputs.push_back(envelope()));
                    }
                    let end = self.end(who)?;
                    let (account, device) = (end.account, end.device);
                    self.relay.answer(now, account, device, request)
                }
            };
            self.end(who)?.inputs.push_back(Input::Answer { id, outcome });
        }
        for Outgoing { id, envelope, to, .. } in effects.sends {
            for recipient in to {
                if let Some(end) = self.ends.iter_mut().find(|end| end.device == recipient.device) {
                    end.inputs.push_back(Input::Envelope { from: None, bytes: envelope.clone() });
                }
                let outcome = SendOutcome::Mailbox(Deposited::Taken);
                self.end(who)?.inputs.push_back(Input::Sent { envelope: id, device: recipient.device, outcome });
            }
        }
        Ok(())
    }

    /// Carries everything until nothing is left to carry.
    fn settle(&mut self) -> Result<[Round; 2], Failure> {
        let mut sums = [Round::default(), Round::default()];
        while self.ends.iter().any(|end| !end.inputs.is_empty()) {
            for (who, sum) in sums.iter_mut().enumerate() {
                let round = self.round(who)?;
                sum.time += round.time;
                sum.bytes += round.bytes;
            }
        }
        Ok(sums)
    }

    /// Lets time pass, and what it brings.
    fn pass(&mut self, ms: u64) -> Result<[Round; 2], Failure> {
        let until = self.mono_ms.saturating_add(ms);
        let mut sums = self.settle()?;
        while let Some((at, who)) = (0..2).filter_map(|who| Some((self.ends.get(who)?.wake_at?, who))).min() {
            if at > until {
                break;
            }
            self.mono_ms = self.mono_ms.max(at);
            let end = self.end(who)?;
            end.wake_at = None;
            end.inputs.push_back(Input::Timer);
            for (sum, more) in sums.iter_mut().zip(self.settle()?) {
                sum.time += more.time;
                sum.bytes += more.bytes;
            }
        }
        self.mono_ms = until;
        Ok(sums)
    }
}

/// A device with a store of its own on the disk, and what its first turn came to.
fn end(dir: &Path, person: Person, rng: &mut Rng) -> Result<(End, Effects), Failure> {
    let (store, _) = Store::open(dir, &RingKey::Raw(Zeroizing::new([7; 32])), &Options::default())?;
    let now = Now { wall: Timestamp(1_700_000_000_000), mono_ms: 0 };
    let setup = person.setup()?;
    let (account, device) = (person.record.account_id(), setup.keys.device_id());
    let (mut engine, effects) = Engine::create(now, rng, &store, setup)?;
    engine.set_habits(Habits { renews_keys: false, read_receipts: true });
    store.commit(&effects.batch, now.wall)?;
    let inputs = VecDeque::new();
    Ok((End { account, record: person.record, device, engine, store, wake_at: None, inputs }, effects))
}

/// The envelope with a contact request of somebody whose engine is not needed afterwards.
fn card(person: &Person, to: &AccountRecord, now: Now, rng: &mut Rng) -> Result<Vec<u8>, Failure> {
    let mut store = MemoryStore::new();
    let (mut engine, effects) = Engine::create(now, rng, &store, person.setup()?)?;
    store.apply(&effects.batch);
    let command = Command::RequestContact { record: to.encode(), handle: None, text: "hello".into() };
    let id = RequestId::random(rng);
    let effects = engine.handle(now, rng, &store, Input::Command { id, command })?;
    let sent = effects.calls.into_iter().find_map(|call| match call.request {
        Request::DepositRequest { envelope, .. } => Some(envelope),
        _ => None,
    });
    Ok(sent.ok_or("no contact request was sent")?)
}

/// Bytes of a batch as it is given to the disk: numbers of tables, keys, sealed values.
fn stored_bytes(batch: &Batch) -> usize {
    let size = |op: Op<'_>| match op {
        Op::Put { key, value, .. } => 1 + key.len() + value.len() + SEALED,
        Op::Delete { key, .. } => 1 + key.len(),
        Op::DeletePrefix { prefix, .. } => 1 + prefix.len(),
        Op::DropScope(_) => 0,
    };
    batch.iter().map(size).sum()
}

/// What a relay does for the two: homes, key packages, and a yes to the rest.
struct Relay {
    key: SigningKey,
    logs: BTreeMap<GroupId, (State, Vec<log::UnverifiedEntry>)>,
    packages: BTreeMap<AccountId, BTreeMap<DeviceId, Vec<ByteBuf>>>,
}

impl Relay {
    /// A new account at home here.
    fn person(&self, rng: &mut Rng, devices: usize) -> Result<Person, Failure> {
        let root = RootKey::generate(rng);
        let devices: Vec<DeviceKeys> = (0..devices).map(|_| DeviceKeys::generate(rng)).collect();
        let certificates = devices.iter().map(|keys| DeviceCertificate::issue(&root, keys, Timestamp(1)));
        let suite = Suite::DEFAULT;
        let (public, secret) = generate_prekey(suite, rng)?;
        let content = RecordBody {
            version: 1,
            predecessor: None,
            devices: certificates.collect::<Result<_, _>>()?,
            relays: vec![RelayAddress { relay: RelayId::new(self.key.public()), addresses: vec!["/memory/1".into()] }],
            prekeys: vec![Prekey { suite: suite.number(), id: 1, key: public }],
            features: Vec::new(),
            created: Timestamp(1),
        };
        Ok(Person { record: AccountRecord::sign(&root, content)?, devices, prekey: OwnPrekey { id: 1, suite, secret } })
    }

    /// Keeps a key package of a device.
    fn stock(&mut self, record: &AccountRecord, keys: &DeviceKeys, now: Now, rng: &mut Rng) -> Result<(), Failure> {
        let certificate = record.device(keys.device_id()).ok_or("a device that is not in its record")?;
        let identity = LeafIdentity::new(certificate.clone()).encode();
        let (store, mut batch) = (MemoryStore::new(), Batch::new());
        let store: &dyn Read = &store;
        let mut context = mls::Context { store, batch: &mut batch, rng, now: now.wall };
        let signer = LeafSigner::from_seed(keys.mls.seed().expose());
        let package = OwnKeyPackage::generate(&mut context, Suite::DEFAULT, &signer, &identity, false)?;
        let of_account = self.packages.entry(record.account_id()).or_default();
        of_account.entry(keys.device_id()).or_default().push(package.bytes.into());
        Ok(())
    }

    /// Entries of all logs.
    fn entries(&self) -> usize {
        self.logs.values().map(|(_, entries)| entries.len()).sum()
    }

    fn answer(
        &mut self,
        now: Timestamp,
        account: AccountId,
        device: DeviceId,
        request: Request,
    ) -> Result<Answer, CallFailure> {
        Ok(match request {
            Request::Home(request) => Response::Home(self.home(now, request)),
            Request::PutKeyPackages { packages, .. } => {
                self.packages.entry(account).or_default().entry(device).or_default().extend(packages);
                Response::Done
            }
            Request::CountKeyPackages => {
                let left = self.packages.get(&account).and_then(|devices| devices.get(&device)).map_or(0, Vec::len);
                let count = u32::try_from(left).unwrap_or(u32::MAX);
                Response::KeyPackagesLeft { count, last_resort_used: false }
            }
            Request::TakeKeyPackages { account, .. } => {
                let devices = self.packages.entry(account).or_default().iter_mut();
                let packages = devices.filter_map(|(device, packages)| Some((*device, packages.pop()?))).collect();
                Response::KeyPackages { packages }
            }
            Request::GetRecord { .. } => Response::Refused(Refusal::NotFound),
            _ => Response::Done,
        })
    }

    fn home(&mut self, now: Timestamp, request: log::Request) -> log::Response {
        let unknown = log::Response::Refused(log::Refusal::UnknownGroup);
        match request {
            log::Request::Create { group, write_key_hash } => {
                self.logs.entry(group).or_insert_with(|| (State::create(write_key_hash), Vec::new()));
                log::Response::Created
            }
            log::Request::Append { group, head, write_key, next_write_key_hash, blob } => {
                let Some((state, entries)) = self.logs.get_mut(&group) else { return unknown };
                let limits = Limits { burst: u32::MAX, refill_ms: 1, ..Limits::default() };
                let request = AppendRequest { group, head, write_key, next_write_key_hash, blob: &blob };
                let sign = |bytes: &[u8]| self.key.sign(Context::Log, bytes);
                match state.append(now, &limits, 0, &request, sign) {
                    Ok(appended) => {
                        *state = appended.state;
                        entries.push(log::UnverifiedEntry { blob, ..appended.entry.clone() });
                        log::Response::Appended(appended.entry)
                    }
                    Err(refusal) => log::Response::Refused(refusal),
                }
            }
            log::Request::Read { group, from, limit } => {
                let Some((state, entries)) = self.logs.get(&group) else { return unknown };
                let entry = |index: u64| usize::try_from(index).ok().and_then(|index| entries.get(index).cloned());
                let read = read_response(state, from, limit, |index| Ok::<_, std::convert::Infallible>(entry(index)));
                read.unwrap_or_else(|never| match never {})
            }
        }
    }
}
