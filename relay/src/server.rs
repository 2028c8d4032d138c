//! Drives the domain: a store, one thread that owns the domain, the HTTP pages, a timer and the operator's socket.
//!
//! The network node is attached from outside ([`Server::attach`]); it talks to the domain through a [`Handle`]. Every task belongs to
//! the [`Server`]: dropping it stops them all.

mod actor;
mod pushes;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kith_core::identity::{RelayId, Seed};
use kith_core::types::Rng;
use kith_core::wire::blob;
use kith_core::wire::relay::{Cursor, Refusal, Request, Response};
use rand_core::SeedableRng;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::blobs::{self, Blobs};
use crate::config::Config;
use crate::control::{self, Answer, Control};
use crate::data_dir::{self, DataError};
use crate::domain::{BlobAsk, BlobFacts, Caller, Relay};
use crate::http;
use crate::metrics::Metrics;
use crate::store::Store;

pub(crate) use actor::wall_clock;
use actor::{Actor, Command, Shared};
pub use pushes::{PUSHES, PushReceiver, PushSender, pushes};

/// Requests that may wait for the domain; whoever comes then waits at the door.
const INBOX: usize = 1024;

/// How long the end may take: SIGTERM has to be obeyed within five seconds, and after this threads and the system have their turn.
/// What is not durable by then was never acknowledged.
const END: Duration = Duration::from_millis(4300);

/// How long tasks may drain of that; the rest is for the store.
const DRAIN: Duration = Duration::from_millis(2500);

/// Between looks at what is out of date.
const TICK: Duration = Duration::from_secs(1);

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Keys or store cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The operating system refused.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        error: std::io::Error,
    },
    /// The network node does not start.
    #[error("{0}")]
    Node(String),
    /// The store of attachments does not open.
    #[error("the store of attachments: {0}")]
    Blobs(String),
    /// There is no randomness.
    #[error("the operating system gives no randomness: {0}")]
    Random(String),
}

/// Talks to the domain. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle {
    inbox: mpsc::Sender<Command>,
    metrics: Metrics,
    shared: Arc<Shared>,
}

impl Handle {
    /// Asks the domain; the answer comes when it is durable. A relay that is shutting down answers [`Refusal::TryLater`].
    pub async fn request(&self, caller: Caller, request: Request) -> Response {
        self.ask(caller, request, None).await
    }

    /// The same for a device's fetch: when it is answered with what waits, what comes later goes into `pushes`, unless such a
    /// channel of this device is open. When the relay drops the channel, because the device lags or the store was opened again, the
    /// device has to fetch what comes.
    pub async fn fetch(&self, caller: Caller, from: Option<Cursor>, pushes: PushSender) -> Response {
        self.ask(caller, Request::Fetch { from }, Some(pushes)).await
    }

    async fn ask(&self, caller: Caller, request: Request, pushes: Option<PushSender>) -> Response {
        let (reply, answer) = oneshot::channel();
        let command = Command::Request { caller, request: Box::new(request), pushes, reply };
        if self.inbox.send(command).await.is_err() {
            return Response::Refused(Refusal::TryLater);
        }
        answer.await.unwrap_or(Response::Refused(Refusal::TryLater))
    }

    /// Asks the domain about an attachment; the answer comes when what it changed is durable.
    ///
    /// # Errors
    /// The domain's refusal; [`blob::Refusal::TryLater`] from a relay that is shutting down.
    pub async fn blob(&self, caller: Caller, ask: BlobAsk) -> Result<BlobFacts, blob::Refusal> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Blob { caller, ask: Box::new(ask), reply };
        self.inbox.send(command).await.map_err(|_| blob::Refusal::TryLater)?;
        answer.await.unwrap_or(Err(blob::Refusal::TryLater))
    }

    /// The last connection of a key has ended. Nothing happens to one that has come since: its channel is open.
    pub async fn disconnected(&self, peer: [u8; 32]) {
        let _ = self.inbox.send(Command::Disconnected { peer }).await;
    }

    /// Does what an operator asks.
    pub async fn control(&self, control: Control) -> Answer {
        let (reply, answer) = oneshot::channel();
        let stopping = || Answer::Failed { error: "the relay is shutting down".into() };
        if self.inbox.send(Command::Control { control, reply }).await.is_err() {
            return stopping();
        }
        answer.await.unwrap_or_else(|_| stopping())
    }

    /// The store, for a long look beside the domain; none while it cannot be used.
    pub(crate) async fn store(&self) -> Option<Store> {
        let (reply, store) = oneshot::channel();
        self.inbox.send(Command::Store { reply }).await.ok()?;
        store.await.ok().flatten()
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether it can store anything now.
    pub fn is_ready(&self) -> bool {
        !self.shared.is_failed() && !self.inbox.is_closed()
    }
}

/// A running relay, without its network node.
#[derive(Debug)]
pub struct Server {
    config: Config,
    handle: Handle,
    blobs: Option<Blobs>,
    relay_id: RelayId,
    node_seed: Seed,
    http: SocketAddr,
    tasks: JoinSet<()>,
    stopping: CancellationToken,
    /// Says so when the domain's thread has closed the store.
    closed: oneshot::Receiver<()>,
}

impl Server {
    /// Opens keys and store and starts everything but the node.
    ///
    /// # Errors
    /// [`ServerError`], with a sentence for the operator.
    pub async fn bind(config: Config) -> Result<Self, ServerError> {
        let dir = config.data_dir.clone();
        std::fs::create_dir_all(&dir).map_err(|error| io(format!("creating {}", dir.display()), error))?;
        let mut rng = Rng::from_rng(rand_core::OsRng).map_err(|error| ServerError::Random(error.to_string()))?;
        let (store, secrets) = data_dir::open(&config, &mut rng)?;
        let relay_id = secrets.domain.identity.relay_id();
        let metrics = Metrics::new();
        let shared = Arc::new(Shared::default());
        let (inbox, commands) = mpsc::channel(INBOX);
        let handle = Handle { inbox, metrics: metrics.clone(), shared: Arc::clone(&shared) };
        let blobs = if config.settings.limits.blobs.most() == 0 {
            None
        } else {
            let keep = blobs::open(&config, relay_id).await.map_err(ServerError::Blobs)?;
            Some(Blobs::new(keep, handle.clone()))
        };
        let keys = secrets.encode();
        let actor = Actor {
            relay: Relay::new(config.settings.clone(), secrets.domain),
            store: Some(store),
            dir: config.store_dir(),
            rng,
            metrics: metrics.clone(),
            shared,
            connections: BTreeMap::new(),
            reopen_at: Instant::now(),
        };
        let (closing, closed) = oneshot::channel();
        std::thread::Builder::new()
            .name("relay-domain".into())
            .spawn(move || {
                actor.run(commands);
                let _ = closing.send(());
            })
            .map_err(|error| io("starting a thread".into(), error))?;
        let listener = TcpListener::bind(config.http_listen)
            .await
            .map_err(|error| io(format!("listening on {}", config.http_listen), error))?;
        let http = listener.local_addr().map_err(|error| io("the HTTP address".into(), error))?;
        let mut server = Self {
            handle,
            blobs,
            relay_id,
            node_seed: secrets.node,
            http,
            tasks: JoinSet::new(),
            stopping: CancellationToken::new(),
            closed,
            config,
        };
        server.start(listener, keys);
        Ok(server)
    }

    fn start(&mut self, listener: TcpListener, keys: Zeroizing<Vec<u8>>) {
        let (handle, stopping) = (self.handle.clone(), self.stopping.clone());
        self.tasks.spawn(http::serve(listener, handle.clone(), self.config.models_dir.clone(), stopping.clone()));
        match control::listen(&self.config.control_socket()) {
            Ok(socket) => drop(self.tasks.spawn(control::serve(socket, handle.clone(), keys, stopping.clone()))),
            // The relay does its work without; its operator has to stop it for the commands.
            Err(error) => tracing::warn!(%error, "The operator's socket cannot be opened."),
        }
        self.tasks.spawn(tick(handle.clone(), stopping.clone()));
        if let Some(blobs) = self.blobs.clone() {
            self.tasks.spawn(blobs.sweep(stopping.clone()));
        }
        self.tasks.spawn(control::count_now_and_then(handle, stopping));
    }

    /// What the node, the tests and the simulator talk to.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Who answers requests for attachments; none where none are kept.
    pub fn blobs(&self) -> Option<Blobs> {
        self.blobs.clone()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The relay's identity: what accounts name.
    pub fn relay_id(&self) -> RelayId {
        self.relay_id
    }

    /// The seed of the node's libp2p key.
    pub fn node_seed(&self) -> &Seed {
        &self.node_seed
    }

    /// Where the HTTP pages are.
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Cancelled when the relay shuts down: tasks that were attached finish what they do and end.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Runs a task as long as the server, such as the network node.
    pub fn attach(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Waits until a task ends that should not: the relay is broken then.
    pub async fn join(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(()) if self.stopping.is_cancelled() => {}
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(%error, "A task of the relay has failed.");
                    return;
                }
            }
        }
    }

    /// Stops taking requests, finishes what has begun, makes it durable and closes the store, all within 4.3 seconds.
    pub async fn shutdown(mut self) {
        let end = tokio::time::Instant::now() + END;
        self.stopping.cancel();
        let drained = timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("Some tasks did not end in time.");
        }
        self.tasks.abort_all();
        self.handle.shared.stop();
        // It wakes the domain's thread; if there is no room for it, something else does.
        let _ = self.handle.inbox.try_send(Command::Stop);
        if timeout_at(end, &mut self.closed).await.is_err() {
            tracing::warn!("The store could not be closed in time. What was acknowledged is durable.");
        }
        let _ = std::fs::remove_file(self.config.control_socket());
    }
}

async fn tick(handle: Handle, stopping: CancellationToken) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        // A domain that is busy expires later.
        let _ = handle.inbox.try_send(Command::Tick);
    }
}

fn io(what: String, error: std::io::Error) -> ServerError {
    ServerError::Io { what, error }
}
