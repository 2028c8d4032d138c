//! The pure counterpart of a session: a device's store, its engine, and what carries out what the engine wants.
//!
//! It does what `kith_core::session` does, in the same order: inputs that come while the disk is busy share a batch; the batch is
//! durable first; then verdicts, replies, sends, calls and notices are let go, in order. After a failed flush, and after a crash,
//! the engine is opened anew from what is durable.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use kith_core::chat::account::{contacts, known_record};
use kith_core::chat::{
    Call, CallFailure, CallTarget, Command, CommandError, Effects, Engine, EngineError, Input, Notice, Now, Outgoing,
    Recipient, Reply, SendOutcome, Verdict,
};
use kith_core::identity::{AccountRecord, DeviceKeys, RelayAddress};
use kith_core::store::{Batch, MemoryStore, Overlay, Read as _, Table};
use kith_core::types::{AccountId, DeviceId, EnvelopeId, Incarnation, RequestId, Rng, Timestamp};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::{Class, Envelope};
use kith_core::wire::log;
use kith_core::wire::relay::{
    Cursor, Destination, Mailbox, Push, Request, Response, Stored, leading_zero_bits, list_hash, work_hash,
};
use rand_core::{RngCore, SeedableRng};

use super::faults::{Crash, Fault};
use super::mutations::{self, Broken};
use super::network::Once;
use super::world::World;

/// How many inputs share a flush at most, as in the session.
const ROUND: usize = 64;

/// From so many mailboxes on, a list is named by its hash, as in the session; fewer here, so that it happens.
const LIST_FROM: usize = 3;

/// How long a device waits for another's answer.
const PATIENCE_MS: u64 = 10_000;

pub(crate) enum Job {
    Input(Box<Input>, Option<Once<Verdict>>),
    Command(Box<Command>, Once<Result<Reply, CommandError>>),
    Home(DeviceId, Box<log::Request>, Once<log::Response>),
}

/// A device.
pub(crate) struct Device {
    pub(crate) person: usize,
    pub(crate) id: DeviceId,
    pub(crate) account: AccountId,
    pub(crate) transport: [u8; 32],
    pub(crate) store: MemoryStore,
    pub(crate) engine: Option<Engine>,
    pub(crate) rng: Rng,
    booted_ms: u64,
    /// How far its wall clock is off.
    pub(crate) skew_ms: i64,
    wake: Option<(u64, u64)>,
    jobs: Vec<Job>,
    busy: bool,
    /// Which run of its process this is: what was for an earlier one is lost.
    pub(crate) life: u32,
    /// The relay that it has a connection to.
    pub(crate) relay_up: Option<usize>,
    pub(crate) connection: u64,
    /// The queue at it, once it is known.
    queue: Option<Incarnation>,
    pub(crate) last_push: u64,
    pub(crate) peers: BTreeSet<usize>,
    pub(crate) knows: BTreeSet<DeviceId>,
    /// It is not of its account any more.
    pub(crate) removed: bool,
    /// An old copy of its store.
    pub(crate) copy: Option<(u64, MemoryStore)>,
    /// When a copy was taken back, and of when it was.
    pub(crate) restored: Vec<(u64, u64)>,
    /// What it told its person, of the kinds that matter.
    pub(crate) told: BTreeMap<&'static str, u32>,
    /// Records that this life of its engine has asked for.
    asked: BTreeSet<RequestId>,
}

impl Device {
    pub(crate) const fn is_up(&self) -> bool {
        self.engine.is_some()
    }
}

impl World {
    pub(crate) fn wall_of(&self, device: usize) -> Timestamp {
        Timestamp(self.true_wall().0.saturating_add_signed(self.devices[device].skew_ms))
    }

    pub(crate) fn now_of(&self, device: usize) -> Now {
        let mono_ms = self.now_ms() - self.devices[device].booted_ms;
        Now { wall: self.wall_of(device), mono_ms }
    }

    /// A device of a person, with a store of its own.
    pub(crate) fn add_engine(&mut self, person: usize, keys: DeviceKeys) -> usize {
        let index = self.devices.len();
        let (id, transport) = (keys.device_id(), *keys.transport.public().as_bytes());
        let setup = self.setup(person, keys);
        let mut rng = Rng::seed_from_u64(self.draw(u64::MAX));
        let day = 24 * 3600 * 1000;
        let skew_ms = match self.plan.skewed {
            true => i64::try_from(self.draw(2 * day)).unwrap_or(0) - i64::try_from(day).unwrap_or(0),
            false => 0,
        };
        let wall = Timestamp(self.true_wall().0.saturating_add_signed(skew_ms));
        let mut store = MemoryStore::new();
        let now = Now { wall, mono_ms: 0 };
        let (_, effects) = Engine::create(now, &mut rng, &store, setup).expect("a new device");
        store.apply(&effects.batch);
        self.devices.push(Device {
            person,
            id,
            account: self.people[person].account,
            transport,
            store,
            engine: None,
            rng,
            booted_ms: self.now_ms(),
            skew_ms,
            wake: None,
            jobs: Vec::new(),
            busy: false,
            life: 0,
            relay_up: None,
            connection: 0,
            queue: None,
            last_push: 0,
            peers: BTreeSet::new(),
            knows: BTreeSet::new(),
            removed: false,
            copy: None,
            restored: Vec::new(),
            told: BTreeMap::new(),
            asked: BTreeSet::new(),
        });
        if self.villain == Some(person) {
            self.hostile.insert(index);
        }
        self.by_id.insert(id, index);
        self.people[person].devices.push(index);
        self.boot(index, false);
        index
    }

    /// The process starts.
    pub(crate) fn boot(&mut self, device: usize, restored: bool) {
        if self.devices[device].is_up() {
            return;
        }
        let now = self.now_ms();
        let opened = Engine::open(&self.devices[device].store);
        match opened {
            Ok(Some(mut engine)) => {
                super::faults::set_habits(&mut engine);
                let it = &mut self.devices[device];
                it.engine = Some(engine);
                it.booted_ms = now;
                it.wake = None;
                // A process's randomness is its own, and never what an earlier run has used.
                let seed = it.rng.next_u64();
                it.rng = Rng::seed_from_u64(seed ^ u64::from(it.life) << 32);
            }
            Ok(None) => return self.defect(format!("the store of device {device} holds no account")),
            Err(error) => return self.defect(format!("device {device} cannot be opened: {error}")),
        }
        let id = self.devices[device].id.short();
        self.note("boot", device, &[], || format!("{device} ({id}) restored {restored}"));
        self.has_kept_its_words(device);
        self.gather(device);
        self.job(device, Job::Input(Box::new(Input::Start { restored }), None));
        let wait = self.draw(300);
        self.connect_relay_in(device, wait);
    }

    /// The process is gone, with all that was not durable.
    pub(crate) fn crash(&mut self, device: usize, away_ms: u64) {
        self.stop(device);
        self.after(away_ms, move |world| world.boot(device, false));
    }

    /// The process is gone until somebody starts it.
    pub(crate) fn stop(&mut self, device: usize) {
        if !self.devices[device].is_up() {
            return;
        }
        self.note("stop", device, &[], || format!("{device}"));
        let relay = self.devices[device].relay_up;
        let it = &mut self.devices[device];
        it.engine = None;
        it.asked.clear();
        it.life += 1;
        it.jobs.clear();
        it.busy = false;
        it.wake = None;
        it.relay_up = None;
        it.queue = None;
        it.connection += 1;
        it.store.crash();
        let (transport, id) = (it.transport, it.id);
        if let Some(relay) = relay {
            self.relays[relay].domain.disconnected(transport);
        }
        for other in std::mem::take(&mut self.devices[device].peers) {
            self.devices[other].peers.remove(&device);
            self.input(other, Input::PeerDown { device: id });
        }
    }

    pub(crate) fn input(&mut self, device: usize, input: Input) {
        self.job(device, Job::Input(Box::new(input), None));
    }

    pub(crate) fn command(
        &mut self,
        device: usize,
        command: Command,
        then: impl FnOnce(&mut Self, Result<Reply, CommandError>) + 'static,
    ) {
        self.job(device, Job::Command(Box::new(command), Once::new(then)));
    }

    fn job(&mut self, device: usize, job: Job) {
        if !self.devices[device].is_up() {
            if let Job::Command(_, then) = job {
                then.call(self, Err(CommandError::Store("the device is off".to_owned())));
            }
            return;
        }
        self.devices[device].jobs.push(job);
        if !self.devices[device].busy {
            self.devices[device].busy = true;
            let life = self.devices[device].life;
            let disk = 1 + self.draw(8);
            self.after(disk, move |world| {
                if world.devices[device].life == life {
                    world.devices[device].busy = false;
                    world.round(device);
                }
            });
        }
    }

    /// What has come is handled and committed together.
    fn round(&mut self, device: usize) {
        let mut jobs = std::mem::take(&mut self.devices[device].jobs);
        let rest = jobs.split_off(jobs.len().min(ROUND));
        let mut round = Round::default();
        for job in jobs {
            if let Err(error) = self.take(device, job, &mut round) {
                // Of a device whose state its owner meddles with, nothing is promised.
                if !self.hostile.contains(&device) {
                    self.defect(format!("the engine of device {device} failed: {error}"));
                }
                self.commit(device, std::mem::take(&mut round));
                self.reopen(device);
            }
        }
        if self.devices[device].is_up() {
            self.commit(device, round);
        }
        if self.devices[device].is_up() {
            for job in rest {
                self.job(device, job);
            }
        }
    }

    fn take(&mut self, device: usize, job: Job, round: &mut Round) -> Result<(), EngineError> {
        match job {
            Job::Input(input, verdict) => {
                self.note("input", device, &[], || format!("{device} {}", name(&input)));
                let older = self.is_older_record(device, &input, round);
                let kept = kept_envelope(&input);
                let effects = self.step(device, *input, round)?;
                if older && !effects.notices.iter().any(|notice| matches!(notice, Notice::RecordFork { .. })) {
                    self.defect(format!("device {device} was shown an older record and told nobody"));
                }
                round.released.push(Released { effects, verdict, kept });
            }
            Job::Command(command, then) => {
                let id = RequestId::random(&mut self.devices[device].rng);
                self.note("command", device, &[], || format!("{device} {command:?}").chars().take(160).collect());
                match self.step(device, Input::Command { id, command: *command }, round) {
                    Ok(effects) => {
                        round.commands.push((id, then));
                        round.released.push(Released { effects, verdict: None, kept: None });
                    }
                    Err(error) => {
                        then.call(self, Err(CommandError::Internal(error.to_string())));
                        return Err(error);
                    }
                }
            }
            Job::Home(from, request, then) => {
                let now = self.now_of(device);
                let it = &mut self.devices[device];
                let Some(engine) = it.engine.as_mut() else { return Ok(()) };
                let read = Overlay::new(&it.store, &round.batch);
                let (batch, response) = engine.handle_home_request(now, &read, from, &request)?;
                round.batch.append(batch);
                round.homes.push((response, then));
            }
        }
        Ok(())
    }

    fn step(&mut self, device: usize, input: Input, round: &mut Round) -> Result<Effects, EngineError> {
        let now = self.now_of(device);
        let it = &mut self.devices[device];
        let Some(engine) = it.engine.as_mut() else { return Ok(Effects::default()) };
        let read = Overlay::new(&it.store, &round.batch);
        let mut effects = engine.handle(now, &mut it.rng, &read, input)?;
        round.batch.append(std::mem::take(&mut effects.batch));
        Ok(effects)
    }

    /// Whether an answer shows an older record than the device knows: it has to say so.
    fn is_older_record(&mut self, device: usize, input: &Input, round: &Round) -> bool {
        let Input::Answer { id, outcome: Ok(Response::Record { record }) } = input else { return false };
        let it = &mut self.devices[device];
        if !it.asked.remove(id) {
            return false;
        }
        let Ok(shown) = AccountRecord::decode_verified(record) else { return false };
        let known = known_record(&Overlay::new(&it.store, &round.batch), &shown.account_id());
        known.ok().flatten().is_some_and(|known| known.version() > shown.version())
    }

    fn commit(&mut self, device: usize, mut round: Round) {
        let crash = self.crash_point(device);
        if mutations::is(Broken::LetsGoEarly) {
            let batch = std::mem::take(&mut round.batch);
            self.let_go(device, round, usize::MAX);
            round = Round { batch, ..Round::default() };
        }
        if !round.batch.is_empty() {
            if crash == Some(Crash::Before) {
                self.devices[device].store.submit(&round.batch);
                let away = 500 + self.draw(30_000);
                return self.crash(device, away);
            }
            if self.mischance(self.plan.disk_permille) {
                self.happened.insert(Fault::Disk);
                self.note("disk", device, &[], || format!("the disk of {device} fails"));
                for (_, then) in round.commands {
                    then.call(self, Err(CommandError::Store("disk full".to_owned())));
                }
                for (_, then) in round.homes {
                    then.call(self, log::Response::Refused(log::Refusal::TryLater));
                }
                for Released { verdict, .. } in round.released {
                    if let Some(verdict) = verdict {
                        verdict.call(self, Verdict::TryLater);
                    }
                }
                return self.reopen(device);
            }
            if !(mutations::is(Broken::DropsBatches) && self.draw(6) == 0) {
                self.devices[device].store.submit(&round.batch);
            }
            self.devices[device].store.flush();
        }
        let left = match crash {
            // The process ends while it lets go what is durable.
            Some(Crash::After) => usize::try_from(self.draw(round.released.len() as u64 + 1)).unwrap_or(0),
            _ => usize::MAX,
        };
        self.let_go(device, round, left);
        if crash == Some(Crash::After) {
            let away = 500 + self.draw(30_000);
            self.crash(device, away);
        }
    }

    /// Lets go what a round came to, or only so much of it.
    fn let_go(&mut self, device: usize, round: Round, mut left: usize) {
        let mut commands = round.commands;
        for released in round.released {
            if left == 0 || !self.devices[device].is_up() {
                break;
            }
            left -= 1;
            self.release(device, released, &mut commands);
        }
        if left > 0 {
            for (response, then) in round.homes {
                then.call(self, response);
            }
        }
    }

    fn release(
        &mut self,
        device: usize,
        released: Released,
        commands: &mut Vec<(RequestId, Once<Result<Reply, CommandError>>)>,
    ) {
        let Released { effects, verdict, kept } = released;
        self.is_promise_kept(device, &effects, kept);
        if let Some(verdict) = verdict {
            verdict.call(self, effects.verdict.unwrap_or(Verdict::Durable));
        }
        for (id, outcome) in effects.replies {
            if let Some(at) = commands.iter().position(|(asked, _)| *asked == id) {
                let (_, then) = commands.swap_remove(at);
                self.note("reply", device, &[], || format!("{device} {outcome:?}"));
                then.call(self, outcome);
            }
        }
        for outgoing in effects.sends {
            self.note("send", device, &outgoing.envelope, || {
                let to: Vec<String> = outgoing.to.iter().map(|to| self_index(&to.device)).collect();
                format!("{device} {:?} {} B to {to:?}", outgoing.class, outgoing.envelope.len())
            });
            self.send(device, outgoing);
        }
        for call in effects.calls {
            self.call(device, call);
        }
        for notice in effects.notices {
            self.told(device, &notice);
        }
        if let Some(at) = effects.wake_at {
            self.wake(device, at);
        }
    }

    /// What is acknowledged now is on the disk now.
    fn is_promise_kept(&mut self, device: usize, effects: &Effects, envelope: Option<EnvelopeId>) {
        if self.hostile.contains(&device) {
            return;
        }
        let store = &self.devices[device].store;
        let durable = store.unflushed() == 0;
        if let (Some(id), Some(Verdict::Durable)) = (envelope, effects.verdict)
            && !(durable && store.get(Table::Seen, id.as_ref()).is_ok_and(|row| row.is_some()))
        {
            return self.defect(format!("device {device} called {id:?} durable, and it is not"));
        }
        for (_, outcome) in &effects.replies {
            if let Ok(Reply::Written { conversation, id }) = outcome
                && !(durable && self.holds(device, *conversation, id))
            {
                return self.defect(format!("device {device} acknowledged {id:?}, and it is not durable"));
            }
        }
    }

    fn wake(&mut self, device: usize, at: u64) {
        let life = self.devices[device].life;
        let serial = self.devices[device].wake.map_or(0, |(_, serial)| serial) + 1;
        self.devices[device].wake = Some((at, serial));
        let wait = (self.devices[device].booted_ms + at).saturating_sub(self.now_ms());
        self.after(wait, move |world| {
            let it = &world.devices[device];
            if it.life == life && it.wake == Some((at, serial)) {
                world.input(device, Input::Timer);
            }
        });
    }

    pub(crate) fn reopen(&mut self, device: usize) {
        self.devices[device].asked.clear();
        match Engine::open(&self.devices[device].store) {
            Ok(Some(mut engine)) => {
                super::faults::set_habits(&mut engine);
                self.devices[device].engine = Some(engine);
            }
            other => {
                let problem = other.err().map(|error| error.to_string());
                self.devices[device].engine = None;
                if !self.hostile.contains(&device) {
                    self.defect(format!("device {device} cannot be opened anew: {problem:?}"));
                }
                return;
            }
        }
        // It is told whom it can reach: those connections are still there.
        let it = &self.devices[device];
        let peers: Vec<DeviceId> = it.peers.iter().map(|peer| self.devices[*peer].id).collect();
        let queue = it.queue;
        for peer in peers {
            self.input(device, Input::PeerUp { device: peer });
        }
        if let Some(queue) = queue {
            self.input(device, Input::RelayUp { queue });
        }
        let at = self.now_of(device).mono_ms + 1000;
        self.wake(device, at);
    }

    fn told(&mut self, device: usize, notice: &Notice) {
        let kind = match notice {
            Notice::Contact { .. } | Notice::Conversation { .. } => {
                self.gather(device);
                return;
            }
            Notice::RecordFork { .. } => "record fork",
            Notice::HomeLied { .. } => "home lied",
            Notice::HomeLost { .. } => "home lost",
            Notice::FeedFork { .. } => "feed fork",
            Notice::Rejoining { .. } => "rejoining",
            Notice::Dropped { .. } => "dropped",
            Notice::Request { .. } => "request",
            _ => return,
        };
        self.note("told", device, &[], || format!("{device} {notice:?}"));
        *self.devices[device].told.entry(kind).or_default() += 1;
    }

    /// Whom the network may talk to: as the session gathers it.
    fn gather(&mut self, device: usize) {
        let it = &mut self.devices[device];
        let mut accounts = BTreeSet::from([it.account]);
        for contact in contacts(&it.store, it.account).unwrap_or_default() {
            if !contact.blocked && (contact.accepted || contact.asked.is_some()) {
                accounts.insert(contact.account);
            }
        }
        accounts.extend(kith_core::chat::member_accounts(&it.store).unwrap_or_default());
        it.knows.clear();
        for account in accounts {
            let Ok(Some(record)) = known_record(&it.store, &account) else { continue };
            it.knows.extend(record.devices().iter().map(|certificate| certificate.device_id()));
        }
        it.knows.remove(&it.id);
    }
}

fn self_index(device: &DeviceId) -> String {
    device.short()
}

fn name(input: &Input) -> String {
    match input {
        Input::Start { restored } => format!("start, restored {restored}"),
        Input::Command { .. } => "command".to_owned(),
        Input::Envelope { from, bytes } => {
            let packet = Envelope::decode(bytes).ok().map(|envelope| {
                let packet = kith_core::wire::envelope::Packet::decode(&envelope.packet);
                (envelope.id, packet)
            });
            format!("envelope from {:?}: {packet:?}", from.map(|from| from.short()))
        }
        Input::Answer { outcome, .. } => format!("answer {outcome:?}"),
        Input::Sent { envelope, device, outcome } => format!("sent {envelope:?} to {} {outcome:?}", device.short()),
        Input::PeerUp { device } => format!("peer up {}", device.short()),
        Input::PeerDown { device } => format!("peer down {}", device.short()),
        Input::RelayUp { .. } => "relay up".to_owned(),
        Input::RelayDown => "relay down".to_owned(),
        Input::Record { .. } => "record".to_owned(),
        Input::Timer => "timer".to_owned(),
    }
}

/// What one input came to.
struct Released {
    effects: Effects,
    verdict: Option<Once<Verdict>>,
    /// The envelope that it was, if it is one that is kept.
    kept: Option<EnvelopeId>,
}

/// The envelope of an input, if whoever sent it may forget it once it is called durable.
fn kept_envelope(input: &Input) -> Option<EnvelopeId> {
    let Input::Envelope { bytes, .. } = input else { return None };
    Envelope::decode(bytes).ok().filter(|envelope| envelope.class == Class::Durable).map(|envelope| envelope.id)
}

/// What is released after the flush.
#[derive(Default)]
struct Round {
    batch: Batch,
    released: Vec<Released>,
    homes: Vec<(log::Response, Once<log::Response>)>,
    commands: Vec<(RequestId, Once<Result<Reply, CommandError>>)>,
}

/// Sending and asking: what the session's dispatcher does.
impl World {
    fn send(&mut self, device: usize, outgoing: Outgoing) {
        let Outgoing { id, class, envelope, to } = outgoing;
        let mut mailboxes = Vec::new();
        for recipient in to {
            let target = self.by_id.get(&recipient.device).copied();
            let connected = target.is_some_and(|target| self.devices[device].peers.contains(&target));
            if connected || recipient.mailboxes.is_empty() {
                self.send_straight(device, id, class, envelope.clone(), recipient, target);
            } else {
                mailboxes.push(recipient);
            }
        }
        self.deposit_all(device, id, class, envelope, mailboxes);
    }

    fn send_straight(
        &mut self,
        device: usize,
        id: EnvelopeId,
        class: Class,
        bytes: Vec<u8>,
        recipient: Recipient,
        target: Option<usize>,
    ) {
        let life = self.devices[device].life;
        let envelope = bytes.clone();
        let to = recipient.device;
        let done = Once::new(move |world: &mut World, verdict: Option<Verdict>| {
            if world.devices[device].life != life {
                return;
            }
            let outcome = match verdict {
                Some(Verdict::Durable) => SendOutcome::Direct,
                Some(Verdict::Refused) => SendOutcome::Refused,
                _ if !recipient.mailboxes.is_empty() => {
                    return world.deposit_all(device, id, class, bytes, vec![recipient]);
                }
                _ => SendOutcome::Unreachable,
            };
            world.input(device, Input::Sent { envelope: id, device: to, outcome });
        });
        let Some(target) = target.filter(|target| self.devices[device].peers.contains(target)) else {
            let wait = 10 + self.draw(500);
            self.after(wait, move |world| done.call(world, None));
            return;
        };
        let from = self.devices[device].id;
        let late = done.clone();
        self.after(PATIENCE_MS, move |world| late.call(world, None));
        self.carry(true, move |world| {
            if !world.reaches_device(device, target) {
                return;
            }
            let done = done.clone();
            let answered = Once::new(move |world: &mut World, verdict: Verdict| {
                let done = done.clone();
                world.carry(false, move |world| done.call(world, Some(verdict)));
            });
            let input = Input::Envelope { from: Some(from), bytes: envelope.clone() };
            world.job(target, Job::Input(Box::new(input), Some(answered)));
        });
    }

    pub(crate) fn relay_of(&self, address: &RelayAddress) -> Option<usize> {
        self.relays.iter().position(|relay| relay.address.relay == address.relay)
    }

    fn deposit_all(&mut self, device: usize, id: EnvelopeId, class: Class, envelope: Vec<u8>, to: Vec<Recipient>) {
        let mut by_relay: BTreeMap<usize, Vec<Recipient>> = BTreeMap::new();
        for recipient in to {
            match recipient.mailboxes.first().and_then(|(relay, _)| self.relay_of(relay)) {
                Some(relay) => by_relay.entry(relay).or_default().push(recipient),
                None => {
                    let to = recipient.device;
                    let outcome = SendOutcome::Unreachable;
                    self.input(device, Input::Sent { envelope: id, device: to, outcome });
                }
            }
        }
        for (relay, mut recipients) in by_relay {
            recipients.sort_by_key(|recipient| (recipient.device, recipient.mailboxes[0].1));
            let mailboxes: Vec<Mailbox> = recipients
                .iter()
                .map(|recipient| Mailbox { device: recipient.device, token: recipient.mailboxes[0].1 })
                .collect();
            self.deposit(device, relay, id, class, envelope.clone(), recipients, mailboxes);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one upload, as the session makes it")]
    fn deposit(
        &mut self,
        device: usize,
        relay: usize,
        id: EnvelopeId,
        class: Class,
        envelope: Vec<u8>,
        recipients: Vec<Recipient>,
        mailboxes: Vec<Mailbox>,
    ) {
        let listed = mailboxes.len() >= LIST_FROM;
        let to = match listed {
            true => Destination::List(list_hash(&mailboxes)),
            false => Destination::Mailboxes(mailboxes.clone()),
        };
        let request = Request::Deposit { to: to.clone(), envelope: envelope.clone() };
        self.ask(device, relay, request, move |world, outcome| match outcome {
            Ok(Response::UnknownList) if listed => {
                world.ask(device, relay, Request::DefineList { mailboxes }, move |world, outcome| {
                    if matches!(outcome, Ok(Response::Done)) {
                        let request = Request::Deposit { to, envelope: envelope.clone() };
                        world.ask(device, relay, request, move |world, outcome| {
                            world.deposited(device, id, class, envelope, recipients, outcome);
                        });
                    } else {
                        world.deposited(device, id, class, envelope, recipients, outcome);
                    }
                });
            }
            outcome => world.deposited(device, id, class, envelope, recipients, outcome),
        });
    }

    fn deposited(
        &mut self,
        device: usize,
        id: EnvelopeId,
        class: Class,
        envelope: Vec<u8>,
        recipients: Vec<Recipient>,
        outcome: Result<Response, CallFailure>,
    ) {
        match outcome {
            Ok(Response::Deposited { results }) if results.len() == recipients.len() => {
                for (recipient, result) in recipients.iter().zip(results) {
                    let outcome = SendOutcome::Mailbox(result);
                    self.input(device, Input::Sent { envelope: id, device: recipient.device, outcome });
                }
            }
            _ => {
                for mut recipient in recipients {
                    recipient.mailboxes.remove(0);
                    if recipient.mailboxes.is_empty() || class == Class::LiveOnly {
                        let to = recipient.device;
                        let outcome = SendOutcome::Unreachable;
                        self.input(device, Input::Sent { envelope: id, device: to, outcome });
                    } else {
                        self.deposit_all(device, id, class, envelope.clone(), vec![recipient]);
                    }
                }
            }
        }
    }

    fn call(&mut self, device: usize, call: Call) {
        let Call { id, to, request } = call;
        if matches!(request, Request::GetRecord { .. }) {
            self.devices[device].asked.insert(id);
        }
        let answered = move |world: &mut World, outcome| world.input(device, Input::Answer { id, outcome });
        let relay = match to {
            CallTarget::Device(target, _) => return self.call_device(device, target, request, answered),
            CallTarget::OwnRelay => self.people[self.devices[device].person].relay,
            CallTarget::Relay(address) => self.relay_of(&address),
        };
        let Some(relay) = relay else {
            let life = self.devices[device].life;
            self.after(10, move |world| {
                if world.devices[device].life == life {
                    answered(world, Err(CallFailure::Unreachable));
                }
            });
            return;
        };
        match request {
            Request::DepositRequest { account, envelope, .. } => {
                self.ask_for_contact(device, relay, account, envelope, answered);
            }
            request => self.ask(device, relay, request, answered),
        }
    }

    pub(crate) fn call_device(
        &mut self,
        device: usize,
        target: DeviceId,
        request: Request,
        then: impl FnOnce(&mut Self, Result<Response, CallFailure>) + 'static,
    ) {
        let life = self.devices[device].life;
        let then = Once::new(move |world: &mut World, outcome: Result<Response, CallFailure>| {
            if world.devices[device].life == life {
                then(world, outcome);
            }
        });
        let Request::Home(request) = request else { return then.call(self, Err(CallFailure::Broken)) };
        let from = self.devices[device].id;
        let target = self.by_id.get(&target).copied();
        let Some(target) = target.filter(|target| self.devices[device].peers.contains(target)) else {
            let wait = 10 + self.draw(3000);
            self.after(wait, move |world| then.call(world, Err(CallFailure::Unreachable)));
            return;
        };
        let late = then.clone();
        self.after(PATIENCE_MS, move |world| late.call(world, Err(CallFailure::Interrupted)));
        self.carry(false, move |world| {
            let then = then.clone();
            let answered = Once::new(move |world: &mut World, response: log::Response| {
                let then = then.clone();
                world.carry(false, move |world| then.call(world, Ok(Response::Home(response.clone()))));
            });
            world.job(target, Job::Home(from, Box::new(request.clone()), answered));
        });
    }

    /// Gets the challenge, does the work, deposits the request.
    fn ask_for_contact(
        &mut self,
        device: usize,
        relay: usize,
        account: AccountId,
        envelope: Vec<u8>,
        then: impl FnOnce(&mut Self, Result<Response, CallFailure>) + 'static,
    ) {
        self.ask(device, relay, Request::RequestChallenge { account }, move |world, outcome| {
            let (challenge, bits) = match outcome {
                Ok(Response::Challenge { challenge, bits }) => (challenge, bits),
                other => return then(world, other),
            };
            let Ok(id) = Envelope::decode(&envelope).map(|envelope| envelope.id) else {
                return then(world, Err(CallFailure::Broken));
            };
            let solves = |work: &u64| leading_zero_bits(&work_hash(&challenge, &id, *work)) >= u32::from(bits);
            let work = (0..u64::MAX).find(solves).unwrap_or(0);
            let request = Request::DepositRequest { account, challenge, work, envelope };
            world.ask(device, relay, request, then);
        });
    }
}

/// The mailbox: what the session's listener does.
impl World {
    pub(crate) fn connect_relay_in(&mut self, device: usize, wait_ms: u64) {
        let life = self.devices[device].life;
        self.after(wait_ms, move |world| {
            if world.devices[device].life == life {
                world.connect_relay(device);
            }
        });
    }

    fn connect_relay(&mut self, device: usize) {
        let Some(relay) = self.people[self.devices[device].person].relay else { return };
        if self.devices[device].relay_up.is_some() || !self.devices[device].is_up() {
            return;
        }
        let lost = self.mischance(self.plan.loss_permille);
        if lost || !self.reaches_relay(device, relay) {
            let wait = 2_000 + self.draw(8_000);
            return self.connect_relay_in(device, wait);
        }
        self.devices[device].connection += 1;
        self.devices[device].relay_up = Some(relay);
        self.fetch(device, relay, None);
    }

    pub(crate) fn disconnect_relay(&mut self, device: usize, connection: u64) {
        let Some(relay) = self.devices[device].relay_up else { return };
        if self.devices[device].connection != connection {
            return;
        }
        self.devices[device].relay_up = None;
        self.devices[device].queue = None;
        self.devices[device].connection += 1;
        self.relays[relay].domain.disconnected(self.devices[device].transport);
        self.input(device, Input::RelayDown);
        let wait = 500 + self.draw(5_000);
        self.connect_relay_in(device, wait);
    }

    fn fetch(&mut self, device: usize, relay: usize, from: Option<Cursor>) {
        let connection = self.devices[device].connection;
        self.ask(device, relay, Request::Fetch { from }, move |world, outcome| {
            if world.devices[device].connection != connection {
                return;
            }
            let Ok(Response::Waiting { cursor, envelopes, more }) = outcome else {
                // A device that was removed is turned away.
                return world.disconnect_relay(device, connection);
            };
            if from.is_none() {
                world.devices[device].queue = Some(cursor.queue);
                world.input(device, Input::RelayUp { queue: cursor.queue });
            }
            let next = move |world: &mut World| {
                if more {
                    world.fetch(device, relay, Some(cursor));
                }
            };
            if envelopes.is_empty() {
                return next(world);
            }
            let first = envelopes[0].number;
            world.take_all(device, envelopes, move |world, taken| {
                if world.devices[device].connection != connection {
                    return;
                }
                if !taken {
                    return world.disconnect_relay(device, connection);
                }
                world.ask(device, relay, Request::Acknowledge { from: first, upto: cursor }, move |world, outcome| {
                    if outcome.is_err() {
                        return world.disconnect_relay(device, connection);
                    }
                    next(world);
                });
            });
        });
    }

    /// What a relay pushed has come.
    pub(crate) fn pushed(&mut self, device: usize, relay: usize, push: Push) {
        let connection = self.devices[device].connection;
        match push {
            Push::Envelopes { envelopes, .. } if envelopes.is_empty() => {}
            Push::Envelopes { cursor, envelopes } => {
                let first = envelopes[0].number;
                self.take_all(device, envelopes, move |world, taken| {
                    if world.devices[device].connection != connection {
                        return;
                    }
                    if !taken {
                        return world.disconnect_relay(device, connection);
                    }
                    // The relay takes the answer for an acknowledgement.
                    let peer = world.devices[device].transport;
                    world.carry(false, move |world| {
                        let request = Request::Acknowledge { from: first, upto: cursor };
                        world.at_relay(relay, peer, request, |_, _| {});
                    });
                })
            }
            Push::Live { envelope } => self.input(device, Input::Envelope { from: None, bytes: envelope }),
        }
    }

    fn take_all(&mut self, device: usize, envelopes: Vec<Stored>, then: impl FnOnce(&mut Self, bool) + 'static) {
        let left = Rc::new(RefCell::new((envelopes.len(), true)));
        let then = Once::new(then);
        for stored in envelopes {
            let (left, then) = (Rc::clone(&left), then.clone());
            let verdict = Once::new(move |world: &mut World, verdict: Verdict| {
                let (count, all) = {
                    let mut left = left.borrow_mut();
                    left.0 -= 1;
                    left.1 &= verdict != Verdict::TryLater;
                    *left
                };
                if count == 0 {
                    then.call(world, all);
                }
            });
            let input = Input::Envelope { from: None, bytes: stored.envelope };
            self.job(device, Job::Input(Box::new(input), Some(verdict)));
        }
    }
}
