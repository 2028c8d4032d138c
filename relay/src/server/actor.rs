//! The one owner of the domain: a thread that takes requests in order, submits their batches and lets the answers out when they are
//! durable.
//!
//! Requests whose batches wait for one flush are handled meanwhile, so that many share it. An answer never leaves before what it was
//! made from is durable, an answer to a mere read included: a log's entry that was shown must not be lost.
//!
//! After a failed write everything is answered with [`Refusal::TryLater`] until the store can be opened again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kith_core::types::{Rng, Timestamp};
use kith_core::wire::blob;
use kith_core::wire::relay::{Refusal, Request, Response};
use tokio::sync::{mpsc, oneshot};

use crate::control::{self, Answer, Control};
use crate::data_dir::open_store;
use crate::domain::{Batch, BlobAsk, BlobFacts, Caller, Delivered, Delivery, Relay};
use crate::metrics::Metrics;
use crate::store::Store;

use super::pushes::{PushSender, Room, Share};

/// Things that one step of expiry deletes; a batch of some hundred rows keeps others waiting for a millisecond.
const EXPIRY_STEPS: usize = 256;

/// Steps in one tick: 2,000 things a second, twice what the fastest senders bring.
const EXPIRY_ROUNDS: usize = 8;

/// How long after a failure the store is opened again at the earliest: a full disk is not emptied in less.
const REOPEN: Duration = Duration::from_secs(2);

/// What the actor is told.
pub(super) enum Command {
    /// With `pushes` it is a fetch after which its device is pushed what comes.
    Request {
        caller: Caller,
        request: Box<Request>,
        pushes: Option<PushSender>,
        reply: oneshot::Sender<Response>,
    },
    Blob {
        caller: Caller,
        ask: Box<BlobAsk>,
        reply: oneshot::Sender<Result<BlobFacts, blob::Refusal>>,
    },
    Disconnected {
        peer: [u8; 32],
    },
    Control {
        control: Control,
        reply: oneshot::Sender<Answer>,
    },
    Store {
        reply: oneshot::Sender<Option<Store>>,
    },
    Tick,
    /// Nothing but a knock at the door: that it has to stop is in [`Shared`].
    Stop,
}

/// What the writer's thread and the actor share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Batches that are not durable yet.
    outstanding: AtomicUsize,
    /// A write has failed.
    failed: AtomicBool,
    /// What waits is not done any more.
    stopping: AtomicBool,
    /// What may wait to be pushed.
    room: Room,
    /// Connections whose device did not take its pushes fast enough.
    lagging: Mutex<BTreeSet<[u8; 32]>>,
}

impl Shared {
    pub(super) fn is_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    fn fail(&self) -> bool {
        !self.failed.swap(true, Ordering::AcqRel)
    }

    fn lagging(&self) -> BTreeSet<[u8; 32]> {
        std::mem::take(&mut *self.lagging.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) struct Actor {
    pub(super) relay: Relay,
    pub(super) store: Option<Store>,
    pub(super) dir: PathBuf,
    pub(super) rng: Rng,
    pub(super) metrics: Metrics,
    pub(super) shared: Arc<Shared>,
    pub(super) connections: BTreeMap<[u8; 32], PushSender>,
    pub(super) reopen_at: Instant,
}

impl Actor {
    /// Runs until it is told to stop or nobody can tell it anything any more.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(command) = inbox.blocking_recv() {
            if self.shared.stopping.load(Ordering::Acquire) {
                break;
            }
            self.drop_lagging();
            self.notice();
            self.reopen();
            match command {
                Command::Request { caller, request, pushes, reply } => self.request(caller, *request, pushes, reply),
                Command::Blob { caller, ask, reply } => self.blob(caller, *ask, reply),
                Command::Disconnected { peer } if self.is_open(&peer) => {}
                Command::Disconnected { peer } => self.let_go(peer),
                Command::Control { control, reply } => self.control(control, reply),
                Command::Store { reply } => drop(reply.send(self.usable_store())),
                Command::Tick => {
                    self.drop_closed();
                    self.expire();
                }
                Command::Stop => {}
            }
        }
        // Dropping the store closes it after all that was submitted is durable, and lets the last answers out.
    }

    fn request(
        &mut self,
        caller: Caller,
        request: Request,
        pushes: Option<PushSender>,
        reply: oneshot::Sender<Response>,
    ) {
        let name = request.name();
        let Some(store) = self.usable_store() else {
            let response = Response::Refused(Refusal::TryLater);
            self.metrics.answered(name, &response);
            let _ = reply.send(response);
            return;
        };
        self.metrics.envelope(&request);
        let outcome = self.relay.handle(wall_clock(), &mut self.rng, caller, &store, request);
        self.notice();
        if let (Some(pushes), Response::Waiting { .. }) = (pushes, &outcome.response)
            && !self.is_open(&caller.peer)
        {
            self.connections.insert(caller.peer, pushes);
            self.count_connections();
        }
        let answer = Release {
            what: Leaving::Response(name, outcome.response, reply),
            share: self.share(&outcome.pushes),
            pushes: outcome.pushes.into_iter().filter_map(|delivery| self.address(delivery)).collect(),
        };
        // The order matters: what has failed was outstanding until it was known to have failed.
        let settled = self.shared.outstanding.load(Ordering::Acquire) == 0 && !self.shared.is_failed();
        if outcome.batch.is_empty() && settled {
            answer.release(&self.metrics, &self.shared);
            return;
        }
        self.submit(&store, outcome.batch, answer);
    }

    /// What was decided about an attachment leaves as any other answer does: when it is durable, and all before it.
    fn blob(&mut self, caller: Caller, ask: BlobAsk, reply: oneshot::Sender<Result<BlobFacts, blob::Refusal>>) {
        let Some(store) = self.usable_store() else {
            let _ = reply.send(Err(blob::Refusal::TryLater));
            return;
        };
        let outcome = self.relay.handle_blob(wall_clock(), caller, &store, ask);
        self.notice();
        let settled = self.shared.outstanding.load(Ordering::Acquire) == 0 && !self.shared.is_failed();
        if outcome.batch.is_empty() && settled {
            let _ = reply.send(outcome.answer);
            return;
        }
        self.submit(
            &store,
            outcome.batch,
            Release { what: Leaving::Blob(outcome.answer, reply), share: None, pushes: Vec::new() },
        );
    }

    /// Submits a batch; when it is durable, and all before it, the answer is let out.
    fn submit(&self, store: &Store, batch: Batch, answer: Release) {
        let (metrics, shared) = (self.metrics.clone(), Arc::clone(&self.shared));
        let began = Instant::now();
        // The answer is given back if the store refuses the batch at once.
        let slot = Arc::new(Mutex::new(Some(answer)));
        let taken = Arc::clone(&slot);
        shared.outstanding.fetch_add(1, Ordering::AcqRel);
        let done = Box::new(move |result: Result<(), kith_core::store::StoreError>| {
            if let Err(error) = &result
                && shared.fail()
            {
                tracing::error!(%error, "A write failed: nothing is taken until the store can be opened again.");
            }
            shared.outstanding.fetch_sub(1, Ordering::AcqRel);
            let Some(answer) = taken.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
            if result.is_ok() {
                metrics.flushed(began.elapsed().as_secs_f64());
                answer.release(&metrics, &shared);
            } else {
                answer.refuse(&metrics);
            }
        });
        if let Err(error) = store.submit(batch, done) {
            if self.shared.fail() {
                tracing::error!(%error, "The store takes nothing until it can be opened again.");
            }
            self.shared.outstanding.fetch_sub(1, Ordering::AcqRel);
            if let Some(answer) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                answer.refuse(&self.metrics);
            }
        }
    }

    fn control(&mut self, control: Control, reply: oneshot::Sender<Answer>) {
        let answer = match self.usable_store() {
            Some(store) => control::run(&store, wall_clock(), &mut self.rng, control),
            None => Answer::Failed { error: "the relay's store cannot be written now".into() },
        };
        let _ = reply.send(answer);
    }

    fn expire(&mut self) {
        for _ in 0..EXPIRY_ROUNDS {
            let Some(store) = self.usable_store() else { return };
            let (batch, more) = self.relay.expire(wall_clock(), &store, EXPIRY_STEPS);
            if !batch.is_empty() {
                let (reply, _) = oneshot::channel();
                let answer = Release {
                    what: Leaving::Response("expire", Response::Done, reply),
                    share: None,
                    pushes: Vec::new(),
                };
                self.submit(&store, batch, answer);
            }
            if !more {
                return;
            }
        }
    }

    fn address(&self, delivery: Delivery) -> Option<Addressed> {
        let to = self.connections.get(&delivery.peer)?.clone();
        Some(Addressed { peer: delivery.peer, to, what: delivery.what })
    }

    /// Room for what is pushed: one envelope, whoever is given it.
    fn share(&self, deliveries: &[Delivery]) -> Option<Share> {
        deliveries.first().and_then(|delivery| self.shared.room.take(delivery.what.envelope().len()))
    }

    /// A device that does not take its pushes is not pushed any more; that its channel ends tells its connection to close, and the
    /// device fetches when it comes back.
    fn drop_lagging(&mut self) {
        for peer in self.shared.lagging() {
            self.let_go(peer);
        }
    }

    /// A channel that nobody reads any more is one of a connection that has ended while its fetch was under way.
    fn drop_closed(&mut self) {
        let closed = self.connections.iter().filter(|(_, pushes)| pushes.is_closed());
        for peer in closed.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.let_go(peer);
        }
    }

    fn let_go(&mut self, peer: [u8; 32]) {
        self.relay.disconnected(peer);
        self.connections.remove(&peer);
        self.count_connections();
    }

    /// Whether what is pushed to the device of this key is read.
    fn is_open(&self, peer: &[u8; 32]) -> bool {
        self.connections.get(peer).is_some_and(|pushes| !pushes.is_closed())
    }

    fn count_connections(&self) {
        self.metrics.connected.set(i64::try_from(self.connections.len()).unwrap_or(i64::MAX));
    }

    fn usable_store(&self) -> Option<Store> {
        if self.shared.is_failed() { None } else { self.store.clone() }
    }

    /// A store may fail after it acknowledged a write and before the next: reads are refused from then on, and nobody waits to be told.
    fn notice(&self) {
        if let Some(error) = self.store.as_ref().and_then(|store| store.db().failure())
            && self.shared.fail()
        {
            tracing::error!(%error, "The store failed: nothing is taken until it can be opened again.");
        }
    }

    fn reopen(&mut self) {
        if !self.shared.is_failed() || Instant::now() < self.reopen_at {
            return;
        }
        // The old one first: it holds the lock, and closing it answers what still waits.
        self.store = None;
        match open_store(&self.dir, &mut self.rng) {
            Ok(store) => {
                tracing::info!("The store is open again.");
                self.store = Some(store);
                // A write that failed may be there all the same: what a device was not pushed of it, it has to fetch.
                for peer in std::mem::take(&mut self.connections).into_keys() {
                    self.relay.disconnected(peer);
                }
                self.count_connections();
                self.shared.failed.store(false, Ordering::Release);
            }
            Err(error) => tracing::warn!(%error, "The store cannot be opened again yet."),
        }
        self.reopen_at = Instant::now() + REOPEN;
    }
}

struct Addressed {
    peer: [u8; 32],
    to: PushSender,
    what: Delivered,
}

/// What leaves when a batch is durable.
struct Release {
    what: Leaving,
    /// None if nothing is pushed, or there is no room for it.
    share: Option<Share>,
    pushes: Vec<Addressed>,
}

/// An answer, and who waits for it.
enum Leaving {
    Response(&'static str, Response, oneshot::Sender<Response>),
    Blob(Result<BlobFacts, blob::Refusal>, oneshot::Sender<Result<BlobFacts, blob::Refusal>>),
}

impl Release {
    fn release(self, metrics: &Metrics, shared: &Shared) {
        for Addressed { peer, to, what } in self.pushes {
            let handed = self.share.as_ref().is_some_and(|share| to.hand_over(what, Arc::clone(share)));
            metrics.push(handed);
            if !handed {
                shared.lagging.lock().unwrap_or_else(PoisonError::into_inner).insert(peer);
            }
        }
        // Who asked may be gone: what was stored stays stored.
        match self.what {
            Leaving::Response(name, response, reply) => {
                metrics.answered(name, &response);
                let _ = reply.send(response);
            }
            Leaving::Blob(answer, reply) => drop(reply.send(answer)),
        }
    }

    fn refuse(self, metrics: &Metrics) {
        match self.what {
            Leaving::Response(name, _, reply) => {
                let response = Response::Refused(Refusal::TryLater);
                metrics.answered(name, &response);
                let _ = reply.send(response);
            }
            Leaving::Blob(_, reply) => drop(reply.send(Err(blob::Refusal::TryLater))),
        }
    }
}

/// The relay's wall clock; before 1970 it is 1970.
pub(crate) fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::super::pushes::pushes;
    use super::*;
    use crate::domain::RelayRead;
    use crate::domain::Settings;
    use crate::keys::Secrets;

    fn actor(dir: PathBuf, store: Option<Store>) -> Actor {
        let mut rng = Rng::seed_from_u64(1);
        Actor {
            relay: Relay::new(Settings::default(), Secrets::generate(&mut rng).domain),
            store,
            dir,
            rng,
            metrics: Metrics::new(),
            shared: Arc::default(),
            connections: BTreeMap::new(),
            reopen_at: Instant::now(),
        }
    }

    fn rows(store: &Store) -> Vec<crate::domain::Row> {
        store.scan(&[], None, 1000).unwrap()
    }

    #[test]
    fn a_store_that_is_an_old_copy_when_it_is_opened_again_begins_a_new_life() {
        let dir = tempfile::tempdir().unwrap();
        let (at, data, copy) = (dir.path().join("store"), dir.path().join("store/data"), dir.path().join("copy"));
        drop(Store::open(&at).unwrap());
        std::fs::create_dir(&copy).unwrap();
        for file in ["db", "conf"] {
            std::fs::copy(data.join(file), copy.join(file)).unwrap();
        }
        let (store, _) = Store::open(&at).unwrap();
        let before = rows(&store);
        let mut actor = actor(at, Some(store));
        // The disk failed, and its operator put yesterday's copy of the data in its place.
        actor.shared.fail();
        actor.store = None;
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::rename(&copy, &data).unwrap();
        actor.reopen();
        let store = actor.usable_store().expect("it is open again");
        assert_ne!(rows(&store), before, "queues and logs go on as if nothing had happened");
    }

    #[test]
    fn devices_fetch_again_after_the_store_was_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut actor = actor(dir.path().join("store"), None);
        let (sender, pushes) = pushes();
        actor.connections.insert([1; 32], sender);
        actor.shared.fail();
        actor.reopen();
        assert!(actor.usable_store().is_some());
        assert!(pushes.is_closed(), "a write that failed and is there all the same would never be pushed");
    }
}
