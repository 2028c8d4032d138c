//! A relay as its server runs it: what it writes is durable after a flush, and no answer leaves before.
//!
//! The counterpart of `kith_relay::server`'s actor. A process that ends loses the rows that were not flushed, the answers that waited for
//! them, its connections, and all that the domain holds in memory.

use std::collections::BTreeMap;

use kith_core::identity::opaque::ServerSetup;
use kith_core::identity::{RelayAddress, RelayKey, Seed};
use kith_core::types::{GroupId, Rng};
use kith_core::wire::log;
use kith_core::wire::relay::{Refusal, Request, Response};
use kith_relay::domain::{
    Batch, Caller, Delivery, Keys, Limits, Rate, ReadError, Relay, RelayRead, Row, Settings, operator,
};
use rand_core::SeedableRng;

use super::faults::{Fault, Lie};
use super::world::World;

/// How long a relay answers "try later" after a failed write, as its server does.
const REOPEN_MS: u64 = 2_000;

/// A relay writes for everybody and so this many times as often as a device: it is hit so much more seldom each time.
const WRITES: u64 = 8;

/// Rows in a map that plays a disk: what is submitted can be read, and is lost by a crash until it is flushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What each row was before the batches that are not durable, the newest last.
    pending: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Disk {
    pub(crate) fn submit(&mut self, batch: Batch) {
        for (key, value) in batch.into_rows() {
            let before = match value {
                Some(value) => self.rows.insert(key.clone(), value),
                None => self.rows.remove(&key),
            };
            self.pending.push((key, before));
        }
    }

    pub(crate) fn flush(&mut self) {
        self.pending.clear();
    }

    pub(crate) fn crash(&mut self) {
        while let Some((key, before)) = self.pending.pop() {
            match before {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }

    fn is_durable(&self) -> bool {
        self.pending.is_empty()
    }

    /// What is durable.
    pub(crate) fn snapshot(&self) -> Self {
        let mut copy = self.clone();
        copy.crash();
        copy
    }
}

impl RelayRead for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.rows.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, ReadError> {
        let from = after.filter(|after| *after > prefix).unwrap_or(prefix).to_vec();
        let rows = self.rows.range(from..).take_while(|(key, _)| key.starts_with(prefix));
        let rows = rows.filter(|(key, _)| after.is_none_or(|after| key.as_slice() > after));
        Ok(rows.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

/// An answer that waits for the flush.
struct Release {
    response: Response,
    pushes: Vec<Delivery>,
    then: Answered,
}

type Answered = Box<dyn FnOnce(&mut World, Response)>;

/// A relay.
pub(crate) struct RelayNode {
    pub(crate) domain: Relay,
    pub(crate) disk: Disk,
    pub(crate) address: RelayAddress,
    pub(crate) up: bool,
    pub(crate) copy: Option<Disk>,
    pub(crate) lie: Option<Lie>,
    pub(crate) rng: Rng,
    /// Where its keys come from, in each of its lives.
    seed: u64,
    waiting: Vec<Release>,
    flushing: bool,
    life: u32,
    failed_until: u64,
}

fn settings() -> Settings {
    let defaults = Limits::default();
    let limits = Limits {
        // Work and quotas are the relay's own tests' business.
        work_bits: 2,
        work_bits_full: 1,
        requests_per_origin: 1000,
        contact_rate: Rate { burst: 10_000, per_minute: 10_000 },
        create_log_rate: Rate { burst: 10_000, per_minute: 10_000 },
        ..defaults
    };
    Settings { name: "relay.test".to_owned(), limits, ..Settings::default() }
}

fn domain(seed: u64) -> (Relay, RelayKey) {
    let mut rng = Rng::seed_from_u64(seed);
    let identity = RelayKey::generate(&mut rng);
    let opaque = ServerSetup::generate(&mut rng, identity.relay_id());
    let challenge = Seed::random(&mut rng);
    (Relay::new(settings(), Keys { identity: identity.clone(), opaque, challenge }), identity)
}

impl World {
    pub(crate) fn add_relay(&mut self) -> usize {
        let seed = self.draw(u64::MAX);
        let (domain, identity) = domain(seed);
        let index = self.relays.len();
        let addresses = vec![format!("/dns4/relay-{index}.test/tcp/4001")];
        self.relays.push(RelayNode {
            domain,
            disk: Disk::default(),
            address: RelayAddress { relay: identity.relay_id(), addresses },
            up: true,
            copy: None,
            lie: None,
            rng: Rng::seed_from_u64(seed ^ 1),
            seed,
            waiting: Vec::new(),
            flushing: false,
            life: 0,
            failed_until: 0,
        });
        index
    }

    /// A relay takes a request: durable first, then the answer and the pushes.
    pub(crate) fn at_relay(
        &mut self,
        relay: usize,
        peer: [u8; 32],
        request: Request,
        then: impl FnOnce(&mut Self, Response) + 'static,
    ) {
        if self.relays[relay].failed_until > self.now_ms() {
            return then(self, Response::Refused(Refusal::TryLater));
        }
        let now = self.true_wall();
        let request = self.lie_in(relay, request);
        if let Some(lie) = self.lie_in_place(relay, peer, &request) {
            return then(self, lie);
        }
        let node = &mut self.relays[relay];
        let caller = Caller { peer, address: None };
        let outcome = node.domain.handle(now, &mut node.rng, caller, &node.disk, request);
        node.disk.submit(outcome.batch);
        let release = Release { response: outcome.response, pushes: outcome.pushes, then: Box::new(then) };
        if node.disk.is_durable() && node.waiting.is_empty() {
            return self.let_out(relay, release);
        }
        node.waiting.push(release);
        self.flush_soon(relay);
    }

    /// As [`World::at_relay`], with nothing that goes wrong: what somebody's own hand repeats until it is done.
    pub(crate) fn at_relay_now(&mut self, relay: usize, peer: [u8; 32], request: Request) -> Response {
        let now = self.true_wall();
        let node = &mut self.relays[relay];
        let outcome = node.domain.handle(now, &mut node.rng, Caller { peer, address: None }, &node.disk, request);
        node.disk.submit(outcome.batch);
        node.disk.flush();
        outcome.response
    }

    /// Whether a relay has so many entries of a group's log.
    pub(crate) fn keeps_log(&self, relay: usize, group: GroupId, next: u64) -> bool {
        self.has_log(relay, &self.relays[relay].disk, group, next)
    }

    /// Whether a relay shows a device so many entries of a group's log that it keeps from all others.
    pub(crate) fn shows_alone(&self, relay: usize, device: usize, group: GroupId, next: u64) -> bool {
        let Some(Lie::Fork { victim, rows }) = &self.relays[relay].lie else { return false };
        let shown = *victim == self.devices[device].transport && self.has_log(relay, rows, group, next);
        shown && !self.keeps_log(relay, group, next)
    }

    /// Whether a relay hides from a device that it has so many entries of a group's log.
    pub(crate) fn is_hidden_at(&self, relay: usize, device: usize, group: GroupId, next: u64) -> bool {
        let Some(Lie::Fork { victim, rows }) = &self.relays[relay].lie else { return false };
        *victim == self.devices[device].transport && !self.has_log(relay, rows, group, next)
    }

    fn has_log(&self, relay: usize, disk: &Disk, group: GroupId, next: u64) -> bool {
        let request = Request::Home(log::Request::Read { group, from: 0, limit: 1 });
        let (caller, mut rng) = (Caller { peer: [9; 32], address: None }, Rng::seed_from_u64(3));
        let mut relay = domain(self.relays[relay].seed).0;
        let outcome = relay.handle(self.true_wall(), &mut rng, caller, disk, request);
        matches!(outcome.response, Response::Home(log::Response::Entries { head, .. }) if head.next >= next)
    }

    /// What waits for a device is lost; it is not told so.
    pub(crate) fn lose_mail(&mut self, relay: usize, device: usize) {
        let peer = self.devices[device].transport;
        loop {
            let waiting = self.at_relay_now(relay, peer, Request::Fetch { from: None });
            let Response::Waiting { cursor, more, .. } = waiting else { panic!("no mailbox: {waiting:?}") };
            self.at_relay_now(relay, peer, Request::Acknowledge { from: 0, upto: cursor });
            if !more {
                return;
            }
        }
    }

    pub(crate) fn flush_soon(&mut self, relay: usize) {
        if self.relays[relay].flushing {
            return;
        }
        self.relays[relay].flushing = true;
        let life = self.relays[relay].life;
        let disk = 1 + self.draw(8);
        self.after(disk, move |world| {
            if world.relays[relay].life == life {
                world.relays[relay].flushing = false;
                world.flush_relay(relay);
            }
        });
    }

    fn flush_relay(&mut self, relay: usize) {
        let mut waiting = std::mem::take(&mut self.relays[relay].waiting);
        let crashes = self.mischance(self.plan.crash_permille.div_ceil(WRITES));
        if crashes && self.draw(2) == 0 {
            return self.crash_relay(relay);
        }
        if self.mischance(self.plan.disk_permille.div_ceil(WRITES)) {
            self.happened.insert(Fault::Disk);
            self.note("relay-disk", relay, &[], || format!("the disk of relay {relay} fails"));
            self.relays[relay].disk.crash();
            self.relays[relay].failed_until = self.now_ms() + REOPEN_MS;
            for release in waiting {
                (release.then)(self, Response::Refused(Refusal::TryLater));
            }
            return;
        }
        self.relays[relay].disk.flush();
        if crashes {
            // Its process ends while it lets go what is durable.
            let some = usize::try_from(self.draw(waiting.len() as u64 + 1)).unwrap_or(0);
            waiting.truncate(some);
        }
        for release in waiting {
            self.let_out(relay, release);
        }
        if crashes {
            self.crash_relay(relay);
        }
    }

    fn let_out(&mut self, relay: usize, release: Release) {
        for delivery in release.pushes {
            if let Some(device) = self.by_id.get(&delivery.device).copied() {
                self.push(relay, device, delivery.what.into());
            }
        }
        (release.then)(self, release.response);
    }

    /// Its process is gone, and comes back after a while.
    pub(crate) fn crash_relay(&mut self, relay: usize) {
        self.happened.insert(Fault::Crash);
        self.note("relay-crash", relay, &[], || format!("relay {relay}"));
        self.relays[relay].disk.crash();
        self.begin_relay_anew(relay);
        self.relays[relay].up = false;
        self.drop_connections(relay);
        let (away, life) = (500 + self.draw(30_000), self.relays[relay].life);
        self.after(away, move |world| {
            if world.relays[relay].life == life {
                world.relays[relay].up = true;
            }
        });
    }

    fn begin_relay_anew(&mut self, relay: usize) {
        let node = &mut self.relays[relay];
        node.domain = domain(node.seed).0;
        node.waiting.clear();
        node.flushing = false;
        node.life += 1;
    }

    pub(crate) fn keep_relay_copy(&mut self, relay: usize) {
        self.relays[relay].copy = Some(self.relays[relay].disk.snapshot());
    }

    /// The relay is taken back from an old copy by its operator.
    pub(crate) fn restore_relay(&mut self, relay: usize) {
        let Some(copy) = self.relays[relay].copy.clone() else { return };
        self.happened.insert(Fault::RelayCopy);
        self.begin_relay_anew(relay);
        let node = &mut self.relays[relay];
        node.disk = copy;
        let batch = operator::new_life(&node.disk, &mut node.rng).expect("a new life");
        node.disk.submit(batch);
        node.disk.flush();
        self.note("restore-relay", relay, &[], || format!("relay {relay} from a copy"));
        self.drop_connections(relay);
    }
}
