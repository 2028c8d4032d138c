//! What goes wrong: drawn from the seed, or asked for by a scenario.

use kith_core::chat::Engine;
use kith_core::chat::account::SupplyLimits;
use kith_core::mls::Suite;
use kith_core::types::Rng;
use kith_core::wire::log;
use kith_core::wire::relay::{Request, Response};
use kith_relay::domain::Caller;
use rand_core::{RngCore, SeedableRng};

use super::relay::Disk;
use super::world::World;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Requests, answers and envelopes are lost, up to 30 %, or come twice, or late.
    Loss,
    /// Devices and relays cannot reach each other for a while.
    Partition,
    /// A process ends at any write.
    Crash,
    /// A flush fails.
    Disk,
    /// Wall clocks are off by up to a day.
    Skew,
    /// A relay is taken back from an old copy: mail, tokens and the ends of logs are lost.
    RelayCopy,
    /// A device is taken back from an old copy.
    DeviceCopy,
    /// Devices are added, on several sides at once.
    AddDevices,
    /// Devices are removed; whoever has them goes on with them.
    RemoveDevices,
    /// Members are blocked.
    Block,
    /// Conversations of more than two.
    Groups,
    /// Homes are moved and keys renewed.
    Homes,
    /// A relay appends garbage to the logs that it keeps.
    Garbage,
    /// A relay shows a device another version of a log.
    Fork,
    /// A relay shows older account records.
    OldRecords,
    /// One of the people follows no rule.
    Hostile,
}

impl Fault {
    pub(crate) const ALL: [Self; 16] = [
        Self::Loss,
        Self::Partition,
        Self::Crash,
        Self::Disk,
        Self::Skew,
        Self::RelayCopy,
        Self::DeviceCopy,
        Self::AddDevices,
        Self::RemoveDevices,
        Self::Block,
        Self::Groups,
        Self::Homes,
        Self::Garbage,
        Self::Fork,
        Self::OldRecords,
        Self::Hostile,
    ];

    /// Whether the default runs leave it out.
    pub(crate) fn is_excluded(self) -> bool {
        EXCLUDED.iter().any(|(excluded, _)| *excluded == self)
    }

    /// Whether a run may have it: all but those that are left out, or those that `KITH_SIM_FAULTS` names, by commas, be they left out
    /// or not; "all" names all.
    fn is_wanted(self) -> bool {
        match std::env::var("KITH_SIM_FAULTS") {
            Ok(only) => only == "all" || only.split(',').any(|name| name == format!("{self:?}")),
            Err(_) => !self.is_excluded(),
        }
    }
}

/// Faults that the default runs leave out, each with the defect that it finds and that is still open.
///
/// Each seed fails again when the entry's fault is taken out of here. Scenarios show each of these faults where nothing else goes
/// wrong.
pub(crate) const EXCLUDED: &[(Fault, &str)] = &[];

/// What a run is made of.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) suite: Suite,
    pub(crate) accounts: usize,
    pub(crate) relays: usize,
    /// One account in so many has no relay at all; 0: none.
    pub(crate) without_relay: u64,
    pub(crate) steps: u32,
    /// The longest pause between two commands.
    pub(crate) pause_ms: u64,
    pub(crate) latency_ms: (u64, u64),
    pub(crate) loss_permille: u64,
    pub(crate) duplicate_permille: u64,
    pub(crate) crash_permille: u64,
    pub(crate) disk_permille: u64,
    pub(crate) skewed: bool,
    pub(crate) faults: Vec<Fault>,
}

impl Plan {
    /// Two accounts at one relay, and nothing goes wrong.
    pub(crate) fn calm(seed: u64) -> Self {
        Self {
            seed,
            suite: Suite::X25519,
            accounts: 2,
            relays: 1,
            without_relay: 0,
            steps: 20,
            pause_ms: 2_000,
            latency_ms: (5, 60),
            loss_permille: 0,
            duplicate_permille: 0,
            crash_permille: 0,
            disk_permille: 0,
            skewed: false,
            faults: Vec::new(),
        }
    }

    /// As drawn from a seed.
    pub(crate) fn drawn(seed: u64) -> Self {
        // Another stream than the world's own.
        let mut rng = Rng::seed_from_u64(seed ^ 0x006b_6974_6800);
        let mut draw = |most: u64| rng.next_u64() % most;
        let mut plan = Self::calm(seed);
        if seed % 20 == 19 {
            plan.suite = Suite::XWing;
        }
        plan.accounts = match draw(10) {
            0..=4 => 2,
            5..=7 => 3,
            8 => 4,
            _ => 5 + usize::try_from(draw(4)).unwrap_or(0),
        };
        plan.relays = 1 + usize::try_from(draw(2)).unwrap_or(0);
        plan.without_relay = if draw(4) == 0 { 3 } else { 0 };
        plan.steps = 15 + u32::try_from(draw(26)).unwrap_or(0);
        plan.pause_ms = [300, 3_000, 20_000][usize::try_from(draw(3)).unwrap_or(0)];
        for fault in Fault::ALL {
            // What came to be known later has a stream of its own, so that a seed goes on meaning what it meant.
            let drawn = if fault == Fault::Hostile {
                Rng::seed_from_u64(seed ^ 0x0068_6f73_7400).next_u64() % 4 == 0
            } else {
                draw(3) == 0
            };
            if drawn && fault.is_wanted() {
                plan.faults.push(fault);
            }
        }
        let has = |fault| plan.faults.contains(&fault);
        plan.loss_permille = if has(Fault::Loss) { draw(300) } else { 0 };
        plan.duplicate_permille = if has(Fault::Loss) { draw(300) } else { 0 };
        plan.latency_ms = if has(Fault::Loss) { (5, 800) } else { (5, 60) };
        plan.crash_permille = if has(Fault::Crash) { 1 + draw(30) } else { 0 };
        plan.disk_permille = if has(Fault::Disk) { 1 + draw(20) } else { 0 };
        plan.skewed = has(Fault::Skew);
        plan
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// Where a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Before its batch is durable.
    Before,
    /// After it, while what follows is let go.
    After,
}

/// How a relay lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Garbage before what members append.
    Garbage,
    /// Another version of its logs for one device.
    Fork {
        /// Its transport key.
        victim: [u8; 32],
        /// What it is shown, from when the lie began.
        rows: Disk,
    },
    /// The first record that it had of everybody, to all who ask.
    OldRecords,
}

/// Small stocks: a run makes hundreds of devices.
pub(crate) fn set_habits(engine: &mut Engine) {
    engine.set_supply(SupplyLimits { full: 3, low: 2 });
}

impl World {
    pub(crate) fn crash_point(&mut self, device: usize) -> Option<Crash> {
        let _ = device;
        if !self.mischance(self.plan.crash_permille) {
            return None;
        }
        self.happened.insert(Fault::Crash);
        Some(if self.draw(2) == 0 { Crash::Before } else { Crash::After })
    }

    /// One more misfortune of those that the plan has.
    pub(crate) fn misfortune(&mut self) {
        if self.healed {
            return;
        }
        let faults = self.plan.faults.clone();
        let Some(fault) = self.pick(&faults) else { return };
        let devices = self.devices.len() as u64;
        let device = usize::try_from(self.draw(devices)).unwrap_or(0);
        let relays = self.relays.len() as u64;
        let relay = usize::try_from(self.draw(relays)).unwrap_or(0);
        match fault {
            Fault::Partition => self.part(device, relay),
            Fault::RelayCopy if !self.relays.is_empty() => {
                if self.relays[relay].copy.is_some() && self.chance(600) {
                    self.restore_relay(relay);
                } else if self.relays[relay].copy.is_none() {
                    self.keep_relay_copy(relay);
                }
            }
            Fault::DeviceCopy => self.copy_device(device),
            Fault::Crash => {
                let away = 1_000 + self.draw(120_000);
                self.happened.insert(Fault::Crash);
                self.crash(device, away);
            }
            Fault::Garbage if !self.relays.is_empty() => self.relays[relay].lie = Some(Lie::Garbage),
            Fault::OldRecords if !self.relays.is_empty() => self.relays[relay].lie = Some(Lie::OldRecords),
            Fault::Fork if !self.relays.is_empty() && self.relays[relay].lie.is_none() => {
                let victim = self.devices[device].transport;
                let rows = self.relays[relay].disk.snapshot();
                self.relays[relay].lie = Some(Lie::Fork { victim, rows });
            }
            Fault::RemoveDevices => self.thieve(),
            Fault::Hostile => self.be_hostile(),
            _ => {}
        }
    }

    fn part(&mut self, device: usize, relay: usize) {
        let minutes = 60_000;
        let length = 2_000 + self.draw(10 * minutes);
        self.happened.insert(Fault::Partition);
        match self.draw(4) {
            0 if !self.relays.is_empty() => {
                self.relays[relay].up = false;
                self.drop_connections(relay);
                self.after(length, move |world| world.relays[relay].up = true);
            }
            1 if !self.relays.is_empty() => {
                self.links.relay_cut.insert((device, relay));
                let connection = self.devices[device].connection;
                if self.devices[device].relay_up == Some(relay) {
                    self.disconnect_relay(device, connection);
                }
                self.after(length, move |world| {
                    world.links.relay_cut.remove(&(device, relay));
                });
            }
            2 => {
                self.links.no_direct = true;
                self.after(length, |world| world.links.no_direct = false);
            }
            _ => {
                let others: Vec<usize> = (0..self.devices.len()).filter(|other| *other != device).collect();
                for other in others {
                    self.links.cut.insert((device.min(other), device.max(other)));
                }
                self.after(length, move |world| {
                    world.links.cut.retain(|(one, other)| *one != device && *other != device);
                });
            }
        }
        self.note("part", device, &[], || format!("around {device} or relay {relay} for {length} ms"));
    }

    /// Takes a copy of a device's store, or goes back to one.
    fn copy_device(&mut self, device: usize) {
        match self.devices[device].copy.clone() {
            None => self.keep_copy(device),
            Some(_) if self.devices[device].restored.is_empty() => self.restore_device(device),
            Some(_) => {}
        }
    }

    pub(crate) fn keep_copy(&mut self, device: usize) {
        self.devices[device].copy = Some((self.now_ms(), self.devices[device].store.snapshot()));
    }

    pub(crate) fn restore_device(&mut self, device: usize) {
        let Some((at, copy)) = self.devices[device].copy.clone() else { return };
        self.happened.insert(Fault::DeviceCopy);
        self.stop(device);
        self.note("restore", device, &[], || format!("{device} as of {at}"));
        self.devices[device].store.restore(&copy);
        let now = self.now_ms();
        self.devices[device].restored.push((now, at));
        self.boot(device, true);
        // Secrets of prekeys that came after the copy are gone with it: they come from the root key, when its person logs in again.
        self.tell_record(self.devices[device].person, device);
    }

    /// What a lying relay does with a request before it carries it out.
    pub(crate) fn lie_in(&mut self, relay: usize, request: Request) -> Request {
        if self.healed || self.relays[relay].lie != Some(Lie::Garbage) || !self.chance(500) {
            return request;
        }
        if let Request::Home(log::Request::Append { group, head, write_key, .. }) = &request {
            let garbage = log::Request::Append {
                group: *group,
                head: *head,
                write_key: *write_key,
                next_write_key_hash: log::write_key_hash(write_key),
                blob: vec![0x5a; 77],
            };
            let now = self.true_wall();
            let node = &mut self.relays[relay];
            let mut rng = Rng::seed_from_u64(1);
            let caller = Caller { peer: [9; 32], address: None };
            let outcome = node.domain.handle(now, &mut rng, caller, &node.disk, Request::Home(garbage));
            node.disk.submit(outcome.batch);
            self.flush_soon(relay);
            self.happened.insert(Fault::Garbage);
            self.note("garbage", relay, &[], || format!("{:?}", outcome.response));
        }
        request
    }

    /// What a lying relay answers in place of the truth; none when it does not lie.
    pub(crate) fn lie_in_place(&mut self, relay: usize, peer: [u8; 32], request: &Request) -> Option<Response> {
        let now = self.true_wall();
        match (&mut self.relays[relay].lie, request) {
            (Some(Lie::OldRecords), Request::GetRecord { account }) if !self.healed => {
                let first = self.people.iter().find(|person| person.account == *account)?.first_record.clone();
                self.happened.insert(Fault::OldRecords);
                Some(Response::Record { record: first })
            }
            (Some(Lie::Fork { victim, rows }), Request::Home(_)) if *victim == peer => {
                let caller = Caller { peer, address: None };
                let mut rng = Rng::seed_from_u64(2);
                let mut shown = std::mem::take(rows);
                self.happened.insert(Fault::Fork);
                let outcome = self.relays[relay].domain.handle(now, &mut rng, caller, &shown, request.clone());
                shown.submit(outcome.batch);
                shown.flush();
                if let Some(Lie::Fork { rows, .. }) = &mut self.relays[relay].lie {
                    *rows = shown;
                }
                Some(outcome.response)
            }
            _ => None,
        }
    }

    /// Nothing goes wrong any more: all links are there, and all processes run. A liar stays one about what it forked.
    pub(crate) fn heal(&mut self) {
        self.healed = true;
        self.note("heal", 0, &[], String::new);
        self.links.no_direct = false;
        self.links.cut.clear();
        self.links.relay_cut.clear();
        for relay in &mut self.relays {
            relay.up = true;
        }
        for device in 0..self.devices.len() {
            self.boot(device, false);
        }
    }
}
