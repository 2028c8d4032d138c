//! The thread that owns the engine.
//!
//! It takes inputs, hands them to the engine one after the other, commits what they change in one batch with one flush, and only
//! then releases what follows. Inputs that come while the disk is busy are taken together in the next round: group commit.
//!
//! When a write fails, all that did not become durable is dropped: the store is closed and opened again, and with it the engine,
//! which is told anew who is connected. Until that succeeds everything is refused, so that nobody is shown what may be lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_core::SeedableRng;
use ring::rand::SecureRandom;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::outlook::Outlook;
use super::tally::Tally;
use super::{CommandFailure, Event, remembered};
use crate::chat::{
    Call, Command, CommandError, Effects, Engine, EngineError, Habits, Input, Notice, Now, Outgoing, Reply, Verdict,
};
use crate::net::Multiaddr;
use crate::store::{Batch, Opened, Overlay, ReadError, Store, StoreError};
use crate::types::{DeviceId, Incarnation, RequestId, Rng, Timestamp};
use crate::wire::control::{Code, Said};
use crate::wire::log;

/// How many inputs wait; whoever brings more waits with them.
const INPUTS: usize = 256;

/// How many inputs share a flush at most.
const ROUND: usize = 64;

/// How long after the last snapshot the next one is written, if anything has changed.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(24 * 3600);

/// From so many commits on a snapshot is written at the end of a session too: a single command is not worth one.
const SNAPSHOT_FROM: u64 = 64;

/// How many sends and calls may be under way before new inputs wait.
const UNDER_WAY: usize = 8192;

/// The first pause before a store or an engine that could not be opened anew is tried again; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest of these: who makes room on a full disk looks whether it helped.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a command came to.
type Outcome = Result<Reply, CommandFailure>;

/// Something to be handled, and where its answer goes.
enum Job {
    Input(Box<Input>, Option<oneshot::Sender<Verdict>>),
    Command(Box<Command>, oneshot::Sender<Outcome>),
    Home(DeviceId, Box<log::Request>, oneshot::Sender<log::Response>),
    Found(DeviceId, Vec<Multiaddr>),
    Keep(Box<Batch>, oneshot::Sender<Result<(), StoreError>>),
    ReadReceipts(bool),
    Snapshot(oneshot::Sender<Result<(), String>>),
}

/// Why the engine cannot go on.
#[derive(Debug, Clone, thiserror::Error)]
enum Broken {
    /// What it put out did not become durable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It found its own state broken, or could not read it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store holds no account any more.
    #[error("the store holds no account any more")]
    NoAccount,
}

impl Broken {
    /// What the person is told.
    fn said(&self) -> Said {
        match self {
            Self::Store(StoreError::Full) => Said::new(
                Code::DiskFull,
                "The disk is full: nothing can be stored, so no message can be sent or received. Make room on it, and \
                 Kith goes on by itself.",
            ),
            Self::Store(error) => Said::new(
                Code::ProfileUnwritable,
                format_args!(
                    "The profile cannot be written, so no message can be sent or received: {error}. Nothing that was \
                     acknowledged is lost, and Kith tries again by itself."
                ),
            )
            .because(error),
            Self::Engine(_) | Self::NoAccount => Said::new(
                Code::BegunAnew,
                format_args!("What is under way had to be begun anew: {self}. Nothing that was acknowledged is lost."),
            )
            .because(self),
        }
    }

    fn as_store(&self) -> StoreError {
        match self {
            Self::Store(error) => error.clone(),
            Self::Engine(_) | Self::NoAccount => StoreError::Stopped(self.to_string()),
        }
    }
}

/// What an engine that was opened anew has to be told again.
#[derive(Debug, Default)]
struct Surroundings {
    habits: Habits,
    peers: BTreeSet<DeviceId>,
    queue: Option<Incarnation>,
}

impl Surroundings {
    fn note(&mut self, input: &Input) {
        match input {
            Input::PeerUp { device } => drop(self.peers.insert(*device)),
            Input::PeerDown { device } => drop(self.peers.remove(device)),
            Input::RelayUp { queue } => self.queue = Some(*queue),
            Input::RelayDown => self.queue = None,
            _ => {}
        }
    }

    fn inputs(&self) -> Vec<Input> {
        let peers = self.peers.iter().map(|device| Input::PeerUp { device: *device });
        peers.chain(self.queue.map(|queue| Input::RelayUp { queue })).collect()
    }
}

/// What the engine wants done. Every send answers once for each recipient, every call once.
#[derive(Debug)]
pub(super) enum Task {
    Send(Outgoing),
    Call(Call),
}

/// The dispatcher's end: what is to be done.
pub(super) type Work = mpsc::UnboundedReceiver<Task>;

/// The engine's thread has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct Failure;

/// Brings inputs to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HeartHandle {
    jobs: mpsc::Sender<Job>,
    outcomes: mpsc::UnboundedSender<Input>,
    recovered: Arc<Notify>,
    ended: watch::Receiver<bool>,
    /// What came and was no good.
    pub(super) refused: Tally,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Job(…)")
    }
}

impl HeartHandle {
    /// Carries out a command; the answer comes when it is durable.
    pub(super) async fn command(&self, command: Command) -> Outcome {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Command(Box::new(command), reply)).await.map_err(|_| CommandFailure::Ended)?;
        answer.await.map_err(|_| CommandFailure::Ended)?
    }

    /// Handles an envelope; the verdict comes when it is durable.
    pub(super) async fn envelope(&self, input: Input) -> Result<Verdict, Failure> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Input(Box::new(input), Some(reply))).await.map_err(|_| Failure)?;
        answer.await.map_err(|_| Failure)
    }

    /// Hands in an input that nobody waits for.
    pub(super) async fn input(&self, input: Input) -> Result<(), Failure> {
        self.jobs.send(Job::Input(Box::new(input), None)).await.map_err(|_| Failure)
    }

    /// Hands in what became of a send or a call. Never waits: their number is bounded by what the engine put out.
    pub(super) fn outcome(&self, input: Input) {
        let _ = self.outcomes.send(input);
    }

    /// Asks this device as a home; the answer comes when it is durable.
    pub(super) async fn home(&self, from: DeviceId, request: log::Request) -> Result<log::Response, Failure> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Home(from, Box::new(request), reply)).await.map_err(|_| Failure)?;
        answer.await.map_err(|_| Failure)
    }

    /// Keeps where a device was found.
    pub(super) async fn found(&self, device: DeviceId, addresses: Vec<Multiaddr>) -> Result<(), Failure> {
        self.jobs.send(Job::Found(device, addresses)).await.map_err(|_| Failure)
    }

    /// Keeps rows that no engine knows of; they are durable when this returns.
    pub(super) async fn keep(&self, batch: Batch) -> Result<(), StoreError> {
        let ended = || StoreError::Stopped(Failure.to_string());
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Keep(Box::new(batch), reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Whether others are told from now on what was read.
    pub(super) async fn read_receipts(&self, told: bool) -> Result<(), CommandFailure> {
        self.jobs.send(Job::ReadReceipts(told)).await.map_err(|_| CommandFailure::Ended)
    }

    /// Returns when the engine was opened anew: what was refused meanwhile can be brought again. One waits for it.
    pub(super) async fn recovered(&self) {
        self.recovered.notified().await;
    }

    /// Writes a verified snapshot of the store, between two rounds.
    ///
    /// # Errors
    /// A sentence that says what went wrong.
    pub async fn snapshot(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job::Snapshot(reply)).await.map_err(|_| Failure.to_string())?;
        answer.await.map_err(|_| Failure.to_string())?
    }

    pub(super) async fn join(&self) {
        let mut ended = self.ended.clone();
        // An error means that the thread is gone already.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

/// How the thread is started.
pub(super) struct Settings {
    pub(super) restored: bool,
    pub(super) habits: Habits,
    pub(super) outlook: Outlook,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) stop: CancellationToken,
}

/// Starts the thread.
///
/// # Errors
/// If the system gives no thread.
pub(super) fn start(store: Store, engine: Engine, settings: Settings) -> std::io::Result<(HeartHandle, Work)> {
    let Settings { restored, habits, outlook, events, stop } = settings;
    let (jobs, inputs) = mpsc::channel(INPUTS);
    let (outcomes, outcomes_in) = mpsc::unbounded_channel();
    let (work, work_in) = mpsc::unbounded_channel();
    let (ended_in, ended) = watch::channel(false);
    let recovered = Arc::new(Notify::new());
    let refused = Tally::default();
    let heart = Heart {
        store,
        engine,
        outlook,
        events,
        work,
        rng: seeded(),
        started: Instant::now(),
        wake_at: None,
        under_way: 0,
        commits: 0,
        snapshot_at: Instant::now(),
        restored,
        surroundings: Surroundings { habits, ..Surroundings::default() },
        failures: 0,
        recovered: Arc::clone(&recovered),
        refused: refused.clone(),
    };
    // A timer of its own: the program's runtime may end while this thread still waits.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("kith-heart".into()).spawn(move || {
        runtime.block_on(heart.run(inputs, outcomes_in, stop));
        let _ = ended_in.send(true);
    })?;
    Ok((HeartHandle { jobs, outcomes, recovered, ended, refused }, work_in))
}

/// The engine's randomness, seeded by the system.
pub(crate) fn seeded() -> Rng {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    // Without randomness of the system no key may be made; there is nothing to go on with.
    while ring::rand::SystemRandom::new().fill(seed.as_mut()).is_err() {
        std::thread::sleep(Duration::from_millis(100));
    }
    Rng::from_seed(*seed)
}

/// The wall clock.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

struct Heart {
    store: Store,
    engine: Engine,
    outlook: Outlook,
    events: broadcast::Sender<Event>,
    work: mpsc::UnboundedSender<Task>,
    rng: Rng,
    started: Instant,
    wake_at: Option<u64>,
    under_way: usize,
    /// Since the last snapshot.
    commits: u64,
    /// When the last snapshot was written, or the session began.
    snapshot_at: Instant,
    /// The store is an old copy, and that was not dealt with yet.
    restored: bool,
    surroundings: Surroundings,
    /// Since something was last made durable.
    failures: u32,
    recovered: Arc<Notify>,
    refused: Tally,
}

/// What is released after the flush.
#[derive(Default)]
struct Round {
    batch: Batch,
    released: Vec<(Effects, Option<oneshot::Sender<Verdict>>)>,
    homes: Vec<(log::Response, oneshot::Sender<log::Response>)>,
    commands: Vec<(RequestId, oneshot::Sender<Outcome>)>,
    kept: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Heart {
    async fn run(
        mut self,
        mut jobs: mpsc::Receiver<Job>,
        mut outcomes: mpsc::UnboundedReceiver<Input>,
        stop: CancellationToken,
    ) {
        let mut went = self.begin();
        loop {
            if let Err(broken) = went
                && !self.recover(broken, &mut jobs, &mut outcomes, &stop).await
            {
                return;
            }
            self.snapshot_if_due();
            let mut round = Vec::new();
            let room = self.under_way < UNDER_WAY;
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    if self.commits >= SNAPSHOT_FROM {
                        self.snapshot();
                    }
                    return;
                }
                Some(input) = outcomes.recv() => round.push(Job::Input(Box::new(input), None)),
                job = jobs.recv(), if room => match job {
                    Some(job) => round.push(job),
                    None => return,
                },
                () = self.until_wake(), if room => {
                    self.wake_at = None;
                    round.push(Job::Input(Box::new(Input::Timer), None));
                }
            }
            while round.len() < ROUND {
                if let Ok(input) = outcomes.try_recv() {
                    round.push(Job::Input(Box::new(input), None));
                } else if let Some(job) = (self.under_way < UNDER_WAY).then(|| jobs.try_recv().ok()).flatten() {
                    round.push(job);
                } else {
                    break;
                }
            }
            went = self.handle(round);
        }
    }

    /// Begins with an engine that was just opened, and tells it what it cannot know.
    fn begin(&mut self) -> Result<(), Broken> {
        self.engine.set_habits(self.surroundings.habits);
        let start = std::iter::once(Input::Start { restored: self.restored });
        let inputs = start.chain(self.surroundings.inputs());
        self.handle(inputs.map(|input| Job::Input(Box::new(input), None)).collect())?;
        if std::mem::take(&mut self.restored)
            && let Err(error) = self.store.acknowledge_restored()
        {
            // It is said again at the next opening, and dealt with again.
            tracing::warn!(%error, "The store could not be told that its age was dealt with.");
        }
        Ok(())
    }

    /// Opens anew what cannot go on, as often as it takes; whoever wants something meanwhile is refused at once. False when the
    /// session ends.
    async fn recover(
        &mut self,
        mut broken: Broken,
        jobs: &mut mpsc::Receiver<Job>,
        outcomes: &mut mpsc::UnboundedReceiver<Input>,
        stop: &CancellationToken,
    ) -> bool {
        // Whoever read first of a store that had stopped by itself says only that it is stopped.
        broken = match (broken, self.store.failure()) {
            (Broken::Engine(_), Some(why)) => Broken::Store(why),
            (Broken::Engine(EngineError::Store(ReadError::Full)), None) => Broken::Store(StoreError::Full),
            (broken, _) => broken,
        };
        tracing::warn!(why = %broken, "The engine is opened anew from the store.");
        let _ = self.events.send(Event::Trouble(broken.said()));
        loop {
            let pause = match self.failures {
                0 => Duration::ZERO,
                failures => FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE),
            };
            self.failures = self.failures.saturating_add(1);
            if !self.refuse_for(pause, &broken, jobs, outcomes, stop).await {
                return false;
            }
            match self.open_anew(&broken) {
                Ok(()) => break,
                Err(still) => {
                    tracing::debug!(why = %still, "The engine cannot be opened anew yet.");
                    broken = still;
                }
            }
        }
        tracing::info!("The engine goes on.");
        let _ = self.events.send(Event::Recovered);
        self.recovered.notify_one();
        true
    }

    fn open_anew(&mut self, broken: &Broken) -> Result<(), Broken> {
        if matches!(broken, Broken::Store(_)) || self.store.failure().is_some() {
            self.restored |= self.store.reopen()? == Opened::Restored;
        }
        self.engine = Engine::open(&self.store)?.ok_or(Broken::NoAccount)?;
        self.wake_at = None;
        self.begin()
    }

    async fn refuse_for(
        &mut self,
        pause: Duration,
        broken: &Broken,
        jobs: &mut mpsc::Receiver<Job>,
        outcomes: &mut mpsc::UnboundedReceiver<Input>,
        stop: &CancellationToken,
    ) -> bool {
        let end = tokio::time::sleep(pause);
        tokio::pin!(end);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = &mut end => return true,
                Some(input) = outcomes.recv() => self.refuse(Job::Input(Box::new(input), None), broken),
                job = jobs.recv() => match job {
                    Some(job) => self.refuse(job, broken),
                    None => return false,
                },
            }
        }
    }

    fn refuse(&mut self, job: Job, broken: &Broken) {
        match job {
            Job::Input(input, verdict) => {
                self.note(&input);
                if let Some(verdict) = verdict {
                    let _ = verdict.send(Verdict::TryLater);
                }
            }
            Job::Command(_, reply) => {
                let _ = reply.send(Err(CommandFailure::Store(broken.as_store())));
            }
            Job::Home(_, _, reply) => {
                let _ = reply.send(log::Response::Refused(log::Refusal::TryLater));
            }
            Job::Keep(_, reply) => drop(reply.send(Err(broken.as_store()))),
            // It is found again.
            Job::Found(..) => {}
            Job::ReadReceipts(told) => self.surroundings.habits.read_receipts = told,
            Job::Snapshot(reply) => {
                let _ = reply.send(Err(broken.to_string()));
            }
        }
    }

    /// What an input says of the world, whether or not the engine takes it.
    fn note(&mut self, input: &Input) {
        self.surroundings.note(input);
        if let Input::Sent { device, outcome, .. } = input
            && self.outlook.note(*device, *outcome)
        {
            let _ = self.events.send(Event::Obstacle { device: *device });
        }
        if matches!(input, Input::Sent { .. } | Input::Answer { .. }) {
            self.under_way = self.under_way.saturating_sub(1);
        }
    }

    fn snapshot_if_due(&mut self) {
        if self.commits > 0 && self.snapshot_at.elapsed() >= SNAPSHOT_EVERY {
            self.snapshot();
        }
    }

    fn snapshot(&mut self) {
        (self.commits, self.snapshot_at) = (0, Instant::now());
        if let Err(error) = self.store.snapshot() {
            tracing::warn!(%error, "A snapshot could not be written.");
            let words = format_args!("a snapshot of the profile could not be written: {error}").to_string();
            let _ = self.events.send(Event::Trouble(Said::new(Code::SnapshotFailed, words).because(&error)));
        }
    }

    async fn until_wake(&self) {
        match self.wake_at {
            Some(at) => tokio::time::sleep(Duration::from_millis(at.saturating_sub(self.now().mono_ms))).await,
            None => std::future::pending().await,
        }
    }

    fn now(&self) -> Now {
        let mono = self.started.elapsed().as_millis();
        Now { wall: wall(), mono_ms: u64::try_from(mono).unwrap_or(u64::MAX) }
    }

    fn handle(&mut self, jobs: Vec<Job>) -> Result<(), Broken> {
        let mut round = Round::default();
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            if let Err(broken) = self.take(job, &mut round) {
                // The engine may be ahead of the store: what came before it is committed, and it is opened anew.
                let broken = self.commit(round).err().unwrap_or(broken);
                jobs.for_each(|job| self.refuse(job, &broken));
                return Err(broken);
            }
        }
        self.commit(round)
    }

    fn take(&mut self, job: Job, round: &mut Round) -> Result<(), Broken> {
        let now = self.now();
        match job {
            Job::Input(input, verdict) => {
                self.note(&input);
                let effects = self.step(now, *input, round)?;
                round.released.push((effects, verdict));
            }
            Job::Command(command, reply) => {
                let id = RequestId::random(&mut self.rng);
                match self.step(now, Input::Command { id, command: *command }, round) {
                    Ok(effects) => {
                        round.commands.push((id, reply));
                        round.released.push((effects, None));
                    }
                    Err(error) => {
                        // A store that stopped by itself is noticed by whoever reads next, who may be first to: then nothing of
                        // this was begun.
                        let full = matches!(error, EngineError::Store(ReadError::Full));
                        let stopped = self.store.failure().or_else(|| full.then_some(StoreError::Full));
                        let internal = || CommandError::Internal(error.to_string()).into();
                        let _ = reply.send(Err(stopped.map_or_else(internal, CommandFailure::Store)));
                        return Err(error.into());
                    }
                }
            }
            Job::Home(from, request, reply) => {
                let read = Overlay::new(&self.store, &round.batch);
                let (batch, response) = self.engine.handle_home_request(now, &read, from, &request)?;
                round.batch.append(batch);
                round.homes.push((response, reply));
            }
            Job::Found(device, addresses) => {
                let read = Overlay::new(&self.store, &round.batch);
                let batch = remembered::remember(&read, device, &addresses);
                round.batch.append(batch);
            }
            Job::Keep(batch, reply) => {
                round.batch.append(*batch);
                round.kept.push(reply);
            }
            Job::ReadReceipts(told) => {
                self.surroundings.habits.read_receipts = told;
                self.engine.set_habits(self.surroundings.habits);
            }
            Job::Snapshot(reply) => {
                if let Err(broken) = self.commit(std::mem::take(round)) {
                    let _ = reply.send(Err(broken.to_string()));
                    return Err(broken);
                }
                let _ = reply.send(self.store.snapshot().map_err(|error| error.to_string()));
            }
        }
        Ok(())
    }

    fn step(&mut self, now: Now, input: Input, round: &mut Round) -> Result<Effects, EngineError> {
        let read = Overlay::new(&self.store, &round.batch);
        let mut effects = self.engine.handle(now, &mut self.rng, &read, input)?;
        round.batch.append(std::mem::take(&mut effects.batch));
        Ok(effects)
    }

    fn commit(&mut self, round: Round) -> Result<(), Broken> {
        if !round.batch.is_empty() {
            if let Err(error) = self.store.commit(&round.batch, self.now().wall) {
                // What stopped the store, not that it is stopped.
                let broken = Broken::Store(self.store.failure().unwrap_or(error));
                self.take_back(round, &broken);
                return Err(broken);
            }
            self.commits = self.commits.saturating_add(1);
            self.failures = 0;
        }
        let mut commands = round.commands;
        for (effects, verdict) in round.released {
            self.release(effects, verdict, &mut commands);
        }
        for (response, reply) in round.homes {
            let _ = reply.send(response);
        }
        for reply in round.kept {
            let _ = reply.send(Ok(()));
        }
        Ok(())
    }

    /// Tells whoever waits that it did not become durable, as far as can be known: all of it may be on the disk, only not surely.
    fn take_back(&mut self, round: Round, broken: &Broken) {
        for (_, reply) in round.commands {
            let _ = reply.send(Err(CommandFailure::Uncertain(broken.as_store())));
        }
        for (_, reply) in round.homes {
            let _ = reply.send(log::Response::Refused(log::Refusal::TryLater));
        }
        for reply in round.kept {
            let _ = reply.send(Err(broken.as_store()));
        }
        for (_, verdict) in round.released {
            if let Some(verdict) = verdict {
                let _ = verdict.send(Verdict::TryLater);
            }
        }
    }

    fn release(
        &mut self,
        effects: Effects,
        verdict: Option<oneshot::Sender<Verdict>>,
        commands: &mut Vec<(RequestId, oneshot::Sender<Outcome>)>,
    ) {
        // On their way while this device's own are told.
        for outgoing in effects.sends {
            self.under_way = self.under_way.saturating_add(outgoing.to.len());
            let _ = self.work.send(Task::Send(outgoing));
        }
        for call in effects.calls {
            self.under_way = self.under_way.saturating_add(1);
            let _ = self.work.send(Task::Call(call));
        }
        // Before the answers: whoever has one reads views that know of the change.
        for notice in effects.notices {
            if let Notice::Dropped { reason } = notice {
                self.refused.count(reason);
            }
            let _ = self.events.send(Event::Notice(notice));
        }
        if let Some(verdict) = verdict {
            let _ = verdict.send(effects.verdict.unwrap_or(Verdict::Durable));
        }
        for (id, outcome) in effects.replies {
            if let Some(at) = commands.iter().position(|(asked, _)| *asked == id) {
                let (_, reply) = commands.swap_remove(at);
                let _ = reply.send(outcome.map_err(CommandFailure::from));
            }
        }
        if effects.wake_at.is_some() {
            self.wake_at = effects.wake_at;
        }
    }
}
