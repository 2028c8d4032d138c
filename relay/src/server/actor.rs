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
use kith_core::wire::relay::{Push, Refusal, Request, Response};
use tokio::sync::{mpsc, oneshot};

use crate::control::{self, Answer, Control};
use crate::domain::{Batch, Caller, Delivery, Relay};
use crate::metrics::Metrics;
use crate::store::Store;

/// Things that one step of expiry deletes; a batch of some hundred rows keeps others waiting for a millisecond.
const EXPIRY_STEPS: usize = 256;

/// Steps in one tick: 2,000 things a second, twice what the fastest senders bring.
const EXPIRY_ROUNDS: usize = 8;

/// How long after a failure the store is opened again at the earliest: a full disk is not emptied in less.
const REOPEN: Duration = Duration::from_secs(2);

/// What the actor is told.
pub(super) enum Command {
    Request { caller: Caller, request: Box<Request>, reply: oneshot::Sender<Response> },
    Connected { peer: [u8; 32], pushes: mpsc::Sender<Push> },
    Disconnected { peer: [u8; 32] },
    Control { control: Control, reply: oneshot::Sender<Answer> },
    Store { reply: oneshot::Sender<Option<Store>> },
    Tick,
    Stop,
}

/// What the writer's thread and the actor share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Batches that are not durable yet.
    outstanding: AtomicUsize,
    /// A write has failed.
    failed: AtomicBool,
    /// Connections whose device did not take its pushes fast enough.
    lagging: Mutex<BTreeSet<[u8; 32]>>,
}

impl Shared {
    pub(super) fn is_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
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
    pub(super) connections: BTreeMap<[u8; 32], mpsc::Sender<Push>>,
    pub(super) reopen_at: Instant,
}

impl Actor {
    /// Runs until it is told to stop or nobody can tell it anything any more.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(command) = inbox.blocking_recv() {
            self.drop_lagging();
            self.reopen();
            match command {
                Command::Request { caller, request, reply } => self.request(caller, *request, reply),
                Command::Connected { peer, pushes } => {
                    self.relay.disconnected(peer);
                    self.connections.insert(peer, pushes);
                    self.count_connections();
                }
                Command::Disconnected { peer } => {
                    self.relay.disconnected(peer);
                    self.connections.remove(&peer);
                    self.count_connections();
                }
                Command::Control { control, reply } => self.control(control, reply),
                Command::Store { reply } => drop(reply.send(self.usable_store())),
                Command::Tick => self.expire(),
                Command::Stop => break,
            }
        }
        // Dropping the store closes it after all that was submitted is durable, and lets the last answers out.
    }

    fn request(&mut self, caller: Caller, request: Request, reply: oneshot::Sender<Response>) {
        let name = request.name();
        let Some(store) = self.usable_store() else {
            let response = Response::Refused(Refusal::TryLater);
            self.metrics.answered(name, &response);
            let _ = reply.send(response);
            return;
        };
        self.metrics.envelope(&request);
        let outcome = self.relay.handle(wall_clock(), &mut self.rng, caller, &store, request);
        let pushes = outcome.pushes.into_iter().filter_map(|delivery| self.address(delivery)).collect();
        let answer = Release { name, response: outcome.response, reply, pushes };
        if outcome.batch.is_empty() && self.shared.outstanding.load(Ordering::Acquire) == 0 {
            answer.release(&self.metrics, &self.shared);
            return;
        }
        self.submit(&store, outcome.batch, answer);
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
            shared.outstanding.fetch_sub(1, Ordering::AcqRel);
            let Some(answer) = taken.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
            match result {
                Ok(()) => {
                    metrics.flushed(began.elapsed().as_secs_f64());
                    answer.release(&metrics, &shared);
                }
                Err(error) => {
                    if !shared.failed.swap(true, Ordering::AcqRel) {
                        tracing::error!(%error, "A write failed: nothing is taken until the store can be opened again.");
                    }
                    answer.refuse(&metrics);
                }
            }
        });
        if let Err(error) = store.submit(batch, done) {
            self.shared.outstanding.fetch_sub(1, Ordering::AcqRel);
            self.shared.failed.store(true, Ordering::Release);
            tracing::error!(%error, "The store takes nothing.");
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
                let answer = Release { name: "expire", response: Response::Done, reply, pushes: Vec::new() };
                self.submit(&store, batch, answer);
            }
            if !more {
                return;
            }
        }
    }

    fn address(&self, delivery: Delivery) -> Option<Addressed> {
        let to = self.connections.get(&delivery.peer)?.clone();
        Some(Addressed { peer: delivery.peer, to, push: delivery.push })
    }

    /// A device that does not take its pushes is not pushed any more; that its channel ends tells its connection to close, and the
    /// device fetches when it comes back.
    fn drop_lagging(&mut self) {
        for peer in self.shared.lagging() {
            self.relay.disconnected(peer);
            self.connections.remove(&peer);
        }
        self.count_connections();
    }

    fn count_connections(&self) {
        self.metrics.connected.set(i64::try_from(self.connections.len()).unwrap_or(i64::MAX));
    }

    fn usable_store(&self) -> Option<Store> {
        if self.shared.is_failed() { None } else { self.store.clone() }
    }

    fn reopen(&mut self) {
        if !self.shared.is_failed() || Instant::now() < self.reopen_at {
            return;
        }
        // The old one first: it holds the lock, and closing it answers what still waits.
        self.store = None;
        match Store::open(&self.dir) {
            Ok((store, _)) => {
                tracing::info!("The store is open again.");
                self.store = Some(store);
                self.shared.failed.store(false, Ordering::Release);
            }
            Err(error) => tracing::warn!(%error, "The store cannot be opened again yet."),
        }
        self.reopen_at = Instant::now() + REOPEN;
    }
}

struct Addressed {
    peer: [u8; 32],
    to: mpsc::Sender<Push>,
    push: Push,
}

/// What leaves when a batch is durable.
struct Release {
    name: &'static str,
    response: Response,
    reply: oneshot::Sender<Response>,
    pushes: Vec<Addressed>,
}

impl Release {
    fn release(self, metrics: &Metrics, shared: &Shared) {
        metrics.answered(self.name, &self.response);
        for Addressed { peer, to, push } in self.pushes {
            let handed = to.try_send(push).is_ok();
            metrics.push(handed);
            if !handed {
                shared.lagging.lock().unwrap_or_else(PoisonError::into_inner).insert(peer);
            }
        }
        // Who asked may be gone: what was stored stays stored.
        let _ = self.reply.send(self.response);
    }

    fn refuse(self, metrics: &Metrics) {
        let response = Response::Refused(Refusal::TryLater);
        metrics.answered(self.name, &response);
        let _ = self.reply.send(response);
    }
}

/// The relay's wall clock; before 1970 it is 1970.
pub(crate) fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
