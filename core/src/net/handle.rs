//! Requests down to the network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::RelayAddress;
use super::courier::Courier;
use super::error::NetError;
use super::exchange::{Counters, Counts, Lanes};
use super::path::{Path, Reachability};
use crate::types::DeviceId;
use crate::wire::codec::Body;
use crate::wire::envelope::Envelope;
use crate::wire::relay::{PushAnswer, Request, Response};
use crate::wire::{blob, log, protocol};

/// How long an answer may take: a request of 4 MiB over 2 Mbit/s, and the other side's disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one waits for a connection: a direct try and then one by circuit.
const CONNECT_PATIENCE: Duration = Duration::from_secs(20);

/// Who is known: what inbound requests are judged by.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    pub(super) contacts: Arc<BTreeMap<PeerId, DeviceId>>,
    pub(super) relays: Arc<BTreeSet<PeerId>>,
}

/// What the node is told.
#[derive(Debug)]
pub(super) enum Command {
    SetContacts(BTreeMap<PeerId, DeviceId>, oneshot::Sender<()>),
    SetRelays(Vec<RelayAddress>, oneshot::Sender<()>),
    AddAddresses(PeerId, Vec<Multiaddr>),
    AddCircuit(PeerId, RelayAddress),
    Connect(PeerId, oneshot::Sender<Result<Path, NetError>>),
    Reachability(PeerId, oneshot::Sender<Reachability>),
    Addresses(oneshot::Sender<Vec<Multiaddr>>),
    SignedIn(PeerId),
}

/// The network, for whoever asks something of it. Cheap to clone; when the last clone is dropped, the node ends.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) local: PeerId,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) lanes: Lanes,
    pub(super) roster: watch::Receiver<Roster>,
    pub(super) courier: Courier,
    pub(super) counters: Counters,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Handle {
    /// Our own peer id.
    pub fn local_peer(&self) -> PeerId {
        self.local
    }

    /// Replaces the devices that may connect and be connected: the contacts' and the own account's others. Connections to
    /// those left out are closed. In force when this returns.
    ///
    /// # Errors
    /// [`NetError::ShutDown`].
    pub async fn set_contacts(&self, contacts: BTreeMap<PeerId, DeviceId>) -> Result<(), NetError> {
        let (done, answer) = oneshot::channel();
        self.tell(Command::SetContacts(contacts, done)).await?;
        answer.await.map_err(|_| NetError::ShutDown)
    }

    /// Replaces the own relays, to each of which a connection is kept and made again when it ends. A relay where one wants to
    /// sign up or log in is set first. In force when this returns: what is asked of these relays later is asked as who we are.
    ///
    /// # Errors
    /// [`NetError::ShutDown`].
    pub async fn set_relays(&self, relays: Vec<RelayAddress>) -> Result<(), NetError> {
        let (done, answer) = oneshot::channel();
        self.tell(Command::SetRelays(relays, done)).await?;
        answer.await.map_err(|_| NetError::ShutDown)
    }

    /// Adds addresses at which a contact's device may be; the newest sixteen are kept.
    ///
    /// # Errors
    /// [`NetError::ShutDown`].
    pub async fn add_addresses(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), NetError> {
        self.tell(Command::AddAddresses(peer, addresses)).await
    }

    /// Adds a relay through whose circuit a contact's device may be reached when it cannot be dialled. That relay then sees
    /// our peer id and address.
    ///
    /// # Errors
    /// [`NetError::ShutDown`].
    pub async fn add_circuit(&self, peer: PeerId, relay: RelayAddress) -> Result<(), NetError> {
        self.tell(Command::AddCircuit(peer, relay)).await
    }

    /// Whether a peer is connected now. Does not wait.
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.lanes.connected(peer).is_some()
    }

    /// Connects a contact's device or an own relay: straight, else by circuit.
    ///
    /// # Errors
    /// Why it cannot be reached; [`NetError::BackingOff`] without trying when it failed a moment ago.
    pub async fn connect(&self, peer: PeerId) -> Result<Path, NetError> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Connect(peer, reply)).await?;
        match tokio::time::timeout(CONNECT_PATIENCE, answer).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(_)) => Err(NetError::ShutDown),
            Err(_) => Err(NetError::TimedOut),
        }
    }

    /// Hands an encoded envelope to a contact's device, connecting it first if need be.
    ///
    /// # Errors
    /// Why it has no answer; [`NetError::Refused`] with `Stranger` when we are not among its contacts.
    pub async fn deliver(&self, peer: PeerId, envelope: &[u8]) -> Result<PushAnswer, NetError> {
        self.known(&peer, false)?;
        self.ask(peer, protocol::DIRECT, envelope, Envelope::MAX_BYTES).await
    }

    /// Asks a contact's device that is a home.
    ///
    /// # Errors
    /// Why it has no answer.
    pub async fn home_request(&self, peer: PeerId, request: &log::Request) -> Result<log::Response, NetError> {
        self.known(&peer, false)?;
        self.ask(peer, protocol::HOME, &request.encode(), log::Request::MAX_BYTES).await
    }

    /// Asks a relay: an own one as who we are, over the connection that is kept; any other under a throwaway key, over a
    /// connection that ends after a minute without requests.
    ///
    /// # Errors
    /// Why it has no answer. A relay's refusal is an answer.
    pub async fn relay_request(&self, relay: &RelayAddress, request: &Request) -> Result<Response, NetError> {
        let body = request.encode();
        too_large(&body, Request::MAX_BYTES)?;
        if self.known(&relay.peer(), true).is_err() {
            return self.judged(self.courier.ask(relay.clone(), protocol::RELAY, body).await);
        }
        let response = self.ask(relay.peer(), protocol::RELAY, &body, Request::MAX_BYTES).await?;
        // Granted only to a device that is signed in, which may have a circuit there.
        if matches!(request, Request::RegisterFinish { .. } | Request::Fetch { .. })
            && !matches!(response, Response::Refused(_))
        {
            self.tell(Command::SignedIn(relay.peer())).await?;
        }
        Ok(response)
    }

    /// Asks a contact's device for an attachment, connecting it first if need be.
    ///
    /// # Errors
    /// Why it has no answer. A refusal is an answer.
    pub async fn ask_holder(&self, peer: PeerId, request: &blob::Request) -> Result<blob::Response, NetError> {
        self.known(&peer, false)?;
        self.ask(peer, protocol::BLOB, &request.encode(), blob::Request::MAX_BYTES).await
    }

    /// Asks a relay about an attachment: an own one as who we are, any other under a throwaway key.
    ///
    /// # Errors
    /// Why it has no answer. A refusal is an answer.
    pub async fn ask_keeper(&self, relay: &RelayAddress, request: &blob::Request) -> Result<blob::Response, NetError> {
        let body = request.encode();
        too_large(&body, blob::Request::MAX_BYTES)?;
        if self.known(&relay.peer(), true).is_err() {
            return self.judged(self.courier.ask(relay.clone(), protocol::BLOB, body).await);
        }
        self.ask(relay.peer(), protocol::BLOB, &body, blob::Request::MAX_BYTES).await
    }

    /// How a peer is reached, and why not better.
    ///
    /// # Errors
    /// [`NetError::ShutDown`].
    pub async fn reachability(&self, peer: PeerId) -> Result<Reachability, NetError> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Reachability(peer, reply)).await?;
        answer.await.map_err(|_| NetError::ShutDown)
    }

    /// Where contacts may find this device: where it listens, and where others see it.
    ///
    /// # Errors
    /// [`NetError::ShutDown`].
    pub async fn addresses(&self) -> Result<Vec<Multiaddr>, NetError> {
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Addresses(reply)).await?;
        answer.await.map_err(|_| NetError::ShutDown)
    }

    /// What came in, and what was wrong with it.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// Closes all connections and ends the node's tasks.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn known(&self, peer: &PeerId, relay: bool) -> Result<(), NetError> {
        let roster = self.roster.borrow();
        let known = if relay { roster.relays.contains(peer) } else { roster.contacts.contains_key(peer) };
        if known { Ok(()) } else { Err(NetError::NotAContact) }
    }

    async fn ask<A: Body>(
        &self,
        peer: PeerId,
        protocol: &'static str,
        body: &[u8],
        limit: usize,
    ) -> Result<A, NetError> {
        too_large(body, limit)?;
        if !self.is_connected(&peer) {
            self.connect(peer).await?;
        }
        match self.lanes.request(&peer, protocol, body, A::MAX_BYTES, PATIENCE).await {
            Ok(answer) => self.judged(A::from_bytes(answer).map_err(NetError::from)),
            Err(_) if self.stop.is_cancelled() => Err(NetError::ShutDown),
            Err(error) => self.judged(Err(NetError::of_exchange(error, protocol, A::MAX_BYTES))),
        }
    }

    /// Counts an answer that makes no sense.
    fn judged<A>(&self, answer: Result<A, NetError>) -> Result<A, NetError> {
        if matches!(answer, Err(NetError::Malformed(_))) {
            self.counters.nonsense();
        }
        answer
    }

    async fn tell(&self, command: Command) -> Result<(), NetError> {
        self.commands.send(command).await.map_err(|_| NetError::ShutDown)
    }
}

fn too_large(body: &[u8], limit: usize) -> Result<(), NetError> {
    if body.len() > limit { Err(NetError::TooLarge { actual: body.len(), limit }) } else { Ok(()) }
}
