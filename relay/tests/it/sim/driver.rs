//! The pure counterpart of a session: a device's store, its engine, and what carries out what the engine wants.
//!
//! It does what `kith_core::session` does, in the same order: inputs that come while the disk is busy share a batch; the batch is
//! durable first; then verdicts, replies, sends, calls and notices are let go, in order. After a failed flush, and after a crash,
//! the engine is opened anew from what is durable.

mod dispatch;
mod mailbox;
mod round;

use std::collections::{BTreeMap, BTreeSet};

use kith_core::chat::account::{contacts, known_record};
use kith_core::chat::{Command, CommandError, Engine, Input, Notice, Now, Reply, Verdict};
use kith_core::identity::DeviceKeys;
use kith_core::store::MemoryStore;
use kith_core::types::{AccountId, DeviceId, Incarnation, RequestId, Rng, Timestamp};
use kith_core::wire::log;
use rand_core::{RngCore, SeedableRng};

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
    /// Its store is from a copy, and what follows of that is not durable yet: until it is, the store says so at each opening.
    pub(crate) from_copy: bool,
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
            from_copy: false,
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
        let it = &mut self.devices[device];
        it.from_copy |= restored;
        let (id, restored) = (it.id.short(), it.from_copy);
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
        let jobs = std::mem::take(&mut it.jobs);
        it.busy = false;
        it.wake = None;
        it.relay_up = None;
        it.queue = None;
        it.connection += 1;
        it.store.crash();
        let (transport, id) = (it.transport, it.id);
        for job in jobs {
            if let Job::Command(_, then) = job {
                then.call(self, Err(gone()));
            }
        }
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
                then.call(self, Err(CommandError::Internal("the device is off".to_owned())));
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
        if self.devices[device].from_copy {
            self.input(device, Input::Start { restored: true });
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
            Notice::Claimed { conversation, account } => {
                self.claims.push((device, *conversation, *account));
                "claimed"
            }
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

/// What becomes of a command whose process ends before it is carried out: whoever gave it sees that.
fn gone() -> CommandError {
    CommandError::Internal("the process is gone".to_owned())
}

fn self_index(device: &DeviceId) -> String {
    device.short()
}
