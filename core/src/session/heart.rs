//! The thread that owns the engine.
//!
//! It takes inputs, hands them to the engine one after the other, commits what they change in one batch with one flush, and only
//! then releases what follows. Inputs that come while the disk is busy are taken together in the next round: group commit.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_core::SeedableRng;
use ring::rand::SecureRandom;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::chat::{Call, Command, CommandError, Effects, Engine, EngineError, Input, Now, Outgoing, Reply, Verdict};
use crate::store::{Batch, Overlay, Store};
use crate::types::{DeviceId, RequestId, Rng, Timestamp};
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

/// Something to be handled, and where its answer goes.
enum Job {
    Input(Box<Input>, Option<oneshot::Sender<Verdict>>),
    Command(Box<Command>, oneshot::Sender<Result<Reply, CommandError>>),
    Home(DeviceId, Box<log::Request>, oneshot::Sender<log::Response>),
    Snapshot(oneshot::Sender<Result<(), String>>),
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
    ended: watch::Receiver<bool>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Job(…)")
    }
}

impl HeartHandle {
    /// Carries out a command; the answer comes when it is durable.
    pub(super) async fn command(&self, command: Command) -> Result<Reply, CommandError> {
        let (reply, answer) = oneshot::channel();
        let ended = || CommandError::Store(Failure.to_string());
        self.jobs.send(Job::Command(Box::new(command), reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
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

/// Starts the thread.
pub(super) fn start(
    store: Store,
    engine: Engine,
    restored: bool,
    events: broadcast::Sender<Event>,
    stop: CancellationToken,
) -> (HeartHandle, Work) {
    let (jobs, inputs) = mpsc::channel(INPUTS);
    let (outcomes, outcomes_in) = mpsc::unbounded_channel();
    let (work, work_in) = mpsc::unbounded_channel();
    let (ended_in, ended) = watch::channel(false);
    let heart = Heart {
        store,
        engine,
        events,
        work,
        rng: seeded(),
        started: Instant::now(),
        wake_at: None,
        under_way: 0,
        commits: 0,
        snapshot_at: Instant::now(),
    };
    std::thread::spawn(move || {
        // A timer of its own: the program's runtime may end while this thread still waits.
        match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(heart.run(inputs, outcomes_in, restored, stop)),
            Err(error) => tracing::error!(%error, "The engine's thread cannot keep time."),
        }
        let _ = ended_in.send(true);
    });
    (HeartHandle { jobs, outcomes, ended }, work_in)
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
}

/// What is released after the flush.
#[derive(Default)]
struct Round {
    batch: Batch,
    released: Vec<(Effects, Option<oneshot::Sender<Verdict>>)>,
    homes: Vec<(log::Response, oneshot::Sender<log::Response>)>,
    commands: Vec<(RequestId, oneshot::Sender<Result<Reply, CommandError>>)>,
}

impl Heart {
    async fn run(
        mut self,
        mut jobs: mpsc::Receiver<Job>,
        mut outcomes: mpsc::UnboundedReceiver<Input>,
        restored: bool,
        stop: CancellationToken,
    ) {
        self.handle(vec![Job::Input(Box::new(Input::Start { restored }), None)]);
        if restored && let Err(error) = self.store.acknowledge_restored() {
            // It is said again at the next opening, and dealt with again.
            tracing::warn!(%error, "The store could not be told that its age was dealt with.");
        }
        loop {
            let mut round = Vec::new();
            self.snapshot_if_due();
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
                () = self.until_wake() => {
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
            self.handle(round);
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
            let _ =
                self.events.send(Event::Trouble(format!("a snapshot of the profile could not be written: {error}")));
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

    fn handle(&mut self, jobs: Vec<Job>) {
        let mut round = Round::default();
        for job in jobs {
            if let Err(error) = self.take(job, &mut round) {
                // The engine may be ahead of the store: what came before it is committed, and it is opened anew.
                self.commit(std::mem::take(&mut round));
                self.reopen(&error.to_string());
            }
        }
        self.commit(round);
    }

    fn take(&mut self, job: Job, round: &mut Round) -> Result<(), EngineError> {
        let now = self.now();
        match job {
            Job::Input(input, verdict) => {
                if matches!(*input, Input::Sent { .. } | Input::Answer { .. }) {
                    self.under_way = self.under_way.saturating_sub(1);
                }
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
                        let _ = reply.send(Err(CommandError::Internal(error.to_string())));
                        return Err(error);
                    }
                }
            }
            Job::Home(from, request, reply) => {
                let read = Overlay::new(&self.store, &round.batch);
                let (batch, response) = self.engine.handle_home_request(now, &read, from, &request)?;
                round.batch.append(batch);
                round.homes.push((response, reply));
            }
            Job::Snapshot(reply) => {
                self.commit(std::mem::take(round));
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

    fn commit(&mut self, round: Round) {
        let now = self.now();
        self.commits = self.commits.saturating_add(u64::from(!round.batch.is_empty()));
        if !round.batch.is_empty()
            && let Err(error) = self.store.commit(&round.batch, now.wall)
        {
            let message = error.to_string();
            for (_, reply) in round.commands {
                let _ = reply.send(Err(CommandError::Store(message.clone())));
            }
            for (_, reply) in round.homes {
                let _ = reply.send(log::Response::Refused(log::Refusal::TryLater));
            }
            for (_, verdict) in round.released {
                if let Some(verdict) = verdict {
                    let _ = verdict.send(Verdict::TryLater);
                }
            }
            self.reopen(&message);
            return;
        }
        let mut commands = round.commands;
        for (effects, verdict) in round.released {
            self.release(effects, verdict, &mut commands);
        }
        for (response, reply) in round.homes {
            let _ = reply.send(response);
        }
    }

    fn release(
        &mut self,
        effects: Effects,
        verdict: Option<oneshot::Sender<Verdict>>,
        commands: &mut Vec<(RequestId, oneshot::Sender<Result<Reply, CommandError>>)>,
    ) {
        if let Some(verdict) = verdict {
            let _ = verdict.send(effects.verdict.unwrap_or(Verdict::Durable));
        }
        for (id, outcome) in effects.replies {
            if let Some(at) = commands.iter().position(|(asked, _)| *asked == id) {
                let (_, reply) = commands.swap_remove(at);
                let _ = reply.send(outcome);
            }
        }
        for outgoing in effects.sends {
            self.under_way = self.under_way.saturating_add(outgoing.to.len());
            let _ = self.work.send(Task::Send(outgoing));
        }
        for call in effects.calls {
            self.under_way = self.under_way.saturating_add(1);
            let _ = self.work.send(Task::Call(call));
        }
        for notice in effects.notices {
            let _ = self.events.send(Event::Notice(notice));
        }
        if effects.wake_at.is_some() {
            self.wake_at = effects.wake_at;
        }
    }

    fn reopen(&mut self, why: &str) {
        tracing::warn!(why, "The engine is opened anew from the store.");
        let _ = self.events.send(Event::Trouble(why.to_owned()));
        match Engine::open(&self.store) {
            Ok(Some(engine)) => self.engine = engine,
            Ok(None) => tracing::error!("The store holds no account any more."),
            Err(error) => tracing::error!(%error, "The engine cannot be opened anew."),
        }
        // What was under way answers to an engine that does not know it; it starts over.
        self.wake_at = Some(self.now().mono_ms.saturating_add(1000));
    }
}
