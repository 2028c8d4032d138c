//! The relay's libp2p node: devices' requests in, pushes out, circuits beside.
//!
//! It decodes requests and hands them, with who asks, to the function it was started with; it knows no account, mailbox or log.
//! Invariants: a request is answered or refused, whatever it holds, and its connection stays; bodies, lanes, connections and
//! circuits have bounds; a circuit is reserved only for a device that is signed in on its connection.
//! Source: `docs/adr/0008-network.md`, `docs/protocol-network.md`.

mod behaviour;
mod circuit;
mod swarm;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use kith_core::net::exchange::{self, Answer, Call, Counters, Counts, ExchangeError, Lanes, Refusal as Unseen};
use kith_core::net::transport::SetupError;
use kith_core::net::{Multiaddr, PeerId, TransportKey, key_of_peer, peer_of_key};
use kith_core::wire::codec::{Body, DecodeError};
use kith_core::wire::relay::{Push, PushAnswer, Refusal, Request, Response};
use kith_core::wire::{blob, protocol};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::circuit::SignedIn;
use self::swarm::{Actor, Command};
use self::threads::Threads;
use crate::blobs::Blobs;
use crate::domain::Caller;
use crate::metrics::Metrics;

/// How long a device may take to make a push durable.
const PUSH_PATIENCE: Duration = Duration::from_secs(30);

/// How long a body may take to come or to be taken: the largest over 2 Mbit/s.
const TRANSFER: Duration = Duration::from_secs(40);

/// How long a request may wait for its turn at the disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lanes of one peer: two connections' worth.
const LANES_PER_PEER: usize = 32;

/// Bodies that are being read or answered at once, in bytes; the next wait unread.
const BODY_BYTES: u32 = 64 * 1024 * 1024;

/// Commands to the swarm that wait.
const MAX_COMMANDS: usize = 1024;

/// What the node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Who it is; devices name it by the peer id that this key makes.
    pub key: TransportKey,
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Where it is reached from outside, when that differs; without any, where it listens.
    pub external: Vec<Multiaddr>,
    /// Connections at the same time.
    pub max_connections: u32,
    /// Circuits at the same time; with none, devices that cannot reach each other use their mailboxes.
    pub max_circuits: usize,
    /// Where it counts.
    pub metrics: Metrics,
}

/// Why the node does not run or a push has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Which.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// The system gives the node no threads.
    #[error("starting the node's threads: {0}")]
    Threads(String),
    /// The node could not be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The bytes are no key of a device.
    #[error("not a device's transport key")]
    InvalidKey,
    /// The push is larger than a device takes.
    #[error("the push is too large")]
    TooLarge,
    /// The device has no connection, or lost it; the push may or may not have come.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The device's answer cannot be read.
    #[error("the device's answer cannot be read: {0}")]
    BadAnswer(#[from] DecodeError),
    /// The node is stopped.
    #[error("the node is shut down")]
    ShutDown,
}

/// A relay's node.
#[derive(Debug)]
pub struct Node;

impl Node {
    /// Listens on every address, and starts the node's tasks on threads of their own.
    ///
    /// `request` answers a request; dropping its future must be harmless; `blobs` answers those for attachments, where they are kept. `gone` is called when the last connection of a
    /// transport key has ended, before a later connection of the same key asks anything.
    ///
    /// # Errors
    /// [`NodeError::Listen`] when any address cannot be listened on, [`NodeError::Setup`], [`NodeError::Threads`].
    pub async fn start<R, A, G, E>(
        config: NodeConfig,
        request: R,
        blobs: Option<Blobs>,
        gone: G,
    ) -> Result<NodeHandle, NodeError>
    where
        R: Fn(Caller, Request) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
        G: Fn([u8; 32]) -> E + Send + Sync + 'static,
        E: Future<Output = ()> + Send + 'static,
    {
        let peer = config.key.peer();
        let signed_in = SignedIn::default();
        let threads = Threads::start().map_err(|error| NodeError::Threads(error.to_string()))?;
        let (begun, by) = (config.clone(), signed_in.clone());
        let beginning = threads.handle().spawn(async move {
            let (mut swarm, lanes, accepted) = behaviour::build(&begun, by)?;
            let listening = swarm::listen(&mut swarm, &begun.listen).await?;
            Ok::<_, NodeError>((swarm, lanes, accepted, listening))
        });
        let (swarm, lanes, accepted, listening) = beginning.await.map_err(|_| NodeError::ShutDown)??;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (metrics, counters) = (config.metrics.clone(), config.metrics.exchanges());
        let (commands, receiver) = mpsc::channel(MAX_COMMANDS);
        let (addresses, known) = watch::channel(Vec::new());
        let asking = Asking { commands: commands.clone(), counters: counters.clone(), metrics: metrics.clone(), blobs };
        let handler = move |call: Call| {
            let (asking, request) = (asking.clone(), request.clone());
            async move { asking.answer(call, request).await }
        };
        let serving = exchange::serve(accepted, limits(&config), counters.clone(), stop.clone(), handler);
        tasks.spawn_on(serving, threads.handle());
        let actor = Actor::new(swarm, (config.external, listening), signed_in, addresses, metrics);
        let (ended, listened) = watch::channel(Vec::new());
        let running = actor.run(receiver, stop.clone(), gone);
        tasks.spawn_on(async move { drop(ended.send(running.await)) }, threads.handle());
        let threads = Arc::new(threads);
        Ok(NodeHandle { peer, commands, lanes, addresses: known, counters, stop, tasks, threads, listened })
    }
}

fn limits(config: &NodeConfig) -> exchange::Limits {
    exchange::Limits {
        protocols: vec![(protocol::RELAY, Request::MAX_BYTES), (protocol::BLOB, blob::Request::MAX_BYTES)],
        lanes_per_peer: LANES_PER_PEER,
        // Twice the connections: most devices use one lane or two.
        lanes: usize::try_from(config.max_connections).unwrap_or(usize::MAX).saturating_mul(2),
        body_bytes: BODY_BYTES,
        transfer: TRANSFER,
        patience: PATIENCE,
    }
}

#[derive(Clone)]
struct Asking {
    commands: mpsc::Sender<Command>,
    counters: Counters,
    metrics: Metrics,
    blobs: Option<Blobs>,
}

impl Asking {
    async fn answer<A: Future<Output = Response>>(&self, call: Call, request: impl Fn(Caller, Request) -> A) -> Answer {
        let Ok(key) = key_of_peer(&call.peer) else { return Answer::Refused(Unseen::Stranger) };
        if call.protocol == protocol::BLOB {
            return Answer::Body(self.blob(Caller { peer: key, address: call.remote }, &call.body).await.into_bytes());
        }
        let decoded = match Request::decode(&call.body) {
            Ok(decoded) => decoded,
            Err(error) => {
                self.counters.unreadable();
                self.metrics.decode_error(&error);
                return Answer::Body(Response::Refused(refusal(error)).encode());
            }
        };
        drop(call.body);
        let own = is_own(&decoded);
        let response = request(Caller { peer: key, address: call.remote }, decoded).await;
        match &response {
            Response::Refused(Refusal::TooMany { .. }) => self.counters.busy(),
            Response::Refused(_) => {}
            // What only a signed-in device is granted was granted: it may keep its connection and reserve a circuit. Said
            // again with its next request, should the queue be full.
            _ if own => drop(self.commands.try_send(Command::SignedIn(call.peer))),
            _ => {}
        }
        Answer::Body(response.encode())
    }
}

impl Asking {
    async fn blob(&self, caller: Caller, body: &[u8]) -> blob::Response {
        let request = match blob::Request::decode(body) {
            Ok(request) => request,
            Err(error) => {
                self.counters.unreadable();
                self.metrics.decode_error(&error);
                return blob::Response::Refused(blob::Refusal::Malformed);
            }
        };
        match &self.blobs {
            Some(blobs) => blobs.answer(caller, request).await,
            None => blob::Response::Refused(blob::Refusal::NotKept),
        }
    }
}

/// What the relay says to a body that it cannot read.
fn refusal(error: DecodeError) -> Refusal {
    match error {
        DecodeError::Empty | DecodeError::FromTheFuture { .. } | DecodeError::UnknownFormat { .. } => Refusal::Unknown,
        DecodeError::TooLong { .. } => Refusal::TooLarge,
        // An unknown request is an enum variant that serde has no name for.
        DecodeError::Malformed(text) if text.contains("unknown variant") => Refusal::Unknown,
        DecodeError::Malformed(_) => Refusal::Malformed("the body is not readable".into()),
        DecodeError::OutOfBounds(field) => Refusal::Malformed(field.into()),
    }
}

/// Requests that are granted only to a signed-in device.
fn is_own(request: &Request) -> bool {
    matches!(
        request,
        Request::RegisterFinish { .. }
            | Request::PutKeyPackages { .. }
            | Request::CountKeyPackages
            | Request::IssueTokens { .. }
            | Request::RevokeTokens { .. }
            | Request::Fetch { .. }
            | Request::Acknowledge { .. }
            | Request::PutAddress { .. }
    )
}

/// The node, for whoever pushes. Cheap to clone; when the last clone is dropped, the node ends.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    peer: PeerId,
    commands: mpsc::Sender<Command>,
    lanes: Lanes,
    addresses: watch::Receiver<Vec<Multiaddr>>,
    counters: Counters,
    stop: CancellationToken,
    tasks: TaskTracker,
    threads: Arc<Threads>,
    /// Where it listened, once it has ended.
    listened: watch::Receiver<Vec<Multiaddr>>,
}

impl NodeHandle {
    /// The peer id that devices name it by.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// Where it is reached, as it is handed to friends: each address ends in `/p2p/` and its peer id.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        let addresses = self.addresses.borrow();
        addresses.iter().filter_map(|address| address.clone().with_p2p(self.peer).ok()).collect()
    }

    /// How many peers are connected.
    pub fn connected(&self) -> usize {
        self.lanes.peers()
    }

    /// Whether the device of this transport key is connected.
    pub fn is_connected(&self, key: &[u8; 32]) -> bool {
        peer_of_key(key).is_ok_and(|peer| self.lanes.connected(&peer).is_some())
    }

    /// What came in, and what was wrong with it.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// How many circuits are reserved and in use.
    ///
    /// # Errors
    /// [`NodeError::ShutDown`].
    pub async fn circuits(&self) -> Result<Circuits, NodeError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Circuits(reply)).await.map_err(|_| NodeError::ShutDown)?;
        answer.await.map_err(|_| NodeError::ShutDown)
    }

    /// Sends a push to the device that is connected under this transport key, and waits for its answer.
    ///
    /// # Errors
    /// [`NodeError::Exchange`]: it is not connected, does not listen, or did not answer within 30 s.
    pub async fn push(&self, key: &[u8; 32], push: &Push) -> Result<PushAnswer, NodeError> {
        let peer = peer_of_key(key).map_err(|_| NodeError::InvalidKey)?;
        let body = push.encode();
        if body.len() > Push::MAX_BYTES {
            return Err(NodeError::TooLarge);
        }
        let answer = self.lanes.request(&peer, protocol::PUSH, &body, PushAnswer::MAX_BYTES, PUSH_PATIENCE).await?;
        Ok(PushAnswer::decode(&answer)?)
    }

    /// Closes all connections and ends the node's tasks and threads. The ports that it listened on are free then.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let listened = self.listened.borrow().clone();
        self.threads.end(&listened).await;
    }
}

/// Circuits at a relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circuits {
    /// Devices that can be reached through one.
    pub reserved: usize,
    /// In use now.
    pub open: usize,
}
