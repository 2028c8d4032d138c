//! Drives the domain: a store, one thread that owns the domain, the HTTP pages, a timer and the operator's socket.
//!
//! The network node is attached from outside ([`Server::attach`]); it talks to the domain through a [`Handle`]. Every task belongs to
//! the [`Server`]: dropping it stops them all.

mod actor;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kith_core::identity::{RelayId, Seed};
use kith_core::store::StoreError;
use kith_core::store::guarded::Opened;
use kith_core::types::Rng;
use kith_core::wire::codec::{Body, DecodeError};
use kith_core::wire::relay::{Push, Refusal, Request, Response};
use rand_core::SeedableRng;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::control::{self, Answer, Control};
use crate::domain::operator::new_life;
use crate::domain::{Caller, Relay};
use crate::http;
use crate::keys::{KeyError, Secrets};
use crate::metrics::Metrics;
use crate::store::Store;

pub(crate) use actor::wall_clock;
use actor::{Actor, Command, Shared};

/// Requests that may wait for the domain; whoever comes then waits at the door.
const INBOX: usize = 1024;

/// Pushes that may wait for one device before its connection is closed.
pub const PUSHES: usize = 256;

/// How long tasks may drain at the end; SIGTERM has to be obeyed within five seconds, and closing the store takes some of them.
const DRAIN: Duration = Duration::from_secs(3);

/// Between looks at what is out of date.
const TICK: Duration = Duration::from_secs(1);

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The store does not open.
    #[error("the relay's store: {0}")]
    Store(#[from] StoreError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
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
        let (reply, answer) = oneshot::channel();
        let command = Command::Request { caller, request: Box::new(request), reply };
        if self.inbox.send(command).await.is_err() {
            return Response::Refused(Refusal::TryLater);
        }
        answer.await.unwrap_or(Response::Refused(Refusal::TryLater))
    }

    /// The same over bytes from the network: what is no request is counted and answered, not dropped.
    pub async fn answer(&self, caller: Caller, bytes: &[u8]) -> Vec<u8> {
        let response = match Request::decode(bytes) {
            Ok(request) => self.request(caller, request).await,
            Err(error) => {
                self.metrics.decode_error(&error);
                Response::Refused(match error {
                    DecodeError::FromTheFuture { .. } | DecodeError::UnknownFormat { .. } => Refusal::Unknown,
                    DecodeError::TooLong { .. } => Refusal::TooLarge,
                    // A request that this release does not know is, to CBOR, an unknown variant.
                    DecodeError::Malformed(why) if why.contains("unknown variant") => Refusal::Unknown,
                    DecodeError::Malformed(why) => Refusal::Malformed(why),
                    DecodeError::Empty | DecodeError::OutOfBounds(_) => Refusal::Malformed(error.to_string()),
                })
            }
        };
        response.encode()
    }

    /// A device's connection is there; pushes for it go into `pushes` once it has fetched all that waits. When the channel is
    /// dropped by the relay, because the device lags, the connection is to be closed: the device fetches when it returns. A later
    /// connection of the same key takes the place of the earlier.
    pub async fn connected(&self, peer: [u8; 32], pushes: mpsc::Sender<Push>) {
        let _ = self.inbox.send(Command::Connected { peer, pushes }).await;
    }

    /// The last connection of a key has ended.
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
    relay_id: RelayId,
    node_seed: Seed,
    http: SocketAddr,
    tasks: JoinSet<()>,
    stopping: CancellationToken,
    actor: Option<std::thread::JoinHandle<()>>,
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
        let (store, secrets) = open(&config, &mut rng)?;
        let relay_id = secrets.domain.identity.relay_id();
        let metrics = Metrics::new();
        let shared = Arc::new(Shared::default());
        let (inbox, commands) = mpsc::channel(INBOX);
        let handle = Handle { inbox, metrics: metrics.clone(), shared: Arc::clone(&shared) };
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
        let actor = std::thread::Builder::new()
            .name("relay-domain".into())
            .spawn(move || actor.run(commands))
            .map_err(|error| io("starting a thread".into(), error))?;
        let listener = TcpListener::bind(config.http_listen)
            .await
            .map_err(|error| io(format!("listening on {}", config.http_listen), error))?;
        let http = listener.local_addr().map_err(|error| io("the HTTP address".into(), error))?;
        let mut server = Self {
            handle,
            relay_id,
            node_seed: secrets.node,
            http,
            tasks: JoinSet::new(),
            stopping: CancellationToken::new(),
            actor: Some(actor),
            config,
        };
        server.start(listener, keys);
        Ok(server)
    }

    fn start(&mut self, listener: TcpListener, keys: Zeroizing<Vec<u8>>) {
        let (handle, stopping) = (self.handle.clone(), self.stopping.clone());
        self.tasks.spawn(http::serve(listener, handle.clone(), stopping.clone()));
        match control::listen(&self.config.control_socket()) {
            Ok(socket) => drop(self.tasks.spawn(control::serve(socket, handle.clone(), keys, stopping.clone()))),
            // The relay does its work without; its operator has to stop it for the commands.
            Err(error) => tracing::warn!(%error, "The operator's socket cannot be opened."),
        }
        self.tasks.spawn(tick(handle.clone(), stopping.clone()));
        self.tasks.spawn(control::count_now_and_then(handle, stopping));
    }

    /// What the node, the tests and the simulator talk to.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
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

    /// Stops taking requests, finishes what has begun, makes it durable and closes the store.
    pub async fn shutdown(mut self) {
        self.stopping.cancel();
        let drained = timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!("Some tasks did not end in time.");
        }
        self.tasks.abort_all();
        let _ = timeout(DRAIN, self.handle.inbox.send(Command::Stop)).await;
        if let Some(actor) = self.actor.take() {
            let _ = tokio::task::spawn_blocking(move || actor.join()).await;
        }
        let _ = std::fs::remove_file(self.config.control_socket());
    }
}

/// Opens keys and store; after a restore from a copy a new life begins.
fn open(config: &Config, rng: &mut Rng) -> Result<(Store, Secrets), ServerError> {
    let secrets = Secrets::open(&config.data_dir, !config.store_dir().exists(), rng)?;
    let (store, opened) = Store::open(&config.store_dir())?;
    if opened == Opened::Restored {
        tracing::warn!("The store is an older copy: queues begin anew and logs have a new term.");
        let batch = new_life(&store, rng).map_err(|error| StoreError::Io(error.to_string()))?;
        store.commit(batch)?;
        store.db().acknowledge_restored()?;
    }
    Ok((store, secrets))
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
