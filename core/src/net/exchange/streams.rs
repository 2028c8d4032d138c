//! The behaviour that opens and accepts lanes, and decides who may connect.
//!
//! Unlike the `stream` crate of libp2p it knows connections apart: a request takes a direct one before a circuit, and what
//! comes in is queued to a bound instead of being dropped when two arrive at once.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::{Endpoint, InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::handler::{
    ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent, DialUpgradeError, FullyNegotiatedInbound,
    FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, Stream, StreamProtocol,
    StreamUpgradeError, SubstreamProtocol, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, multiaddr};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::lane::{ExchangeError, Lanes};
use super::probe::Probes;

/// Lanes that are accepted and wait for the server to take them; more are dropped, which their peer sees as an interruption.
/// Taking one is a hash-map entry and a spawn, so that this is reached only by a flood.
const MAX_INCOMING: usize = 1024;

/// Requests that one side has under way on one connection; more wait their turn. Half of what a server admits of one peer, so
/// that a second connection, made before the first is found dead, has its share.
pub(super) const MAX_LANES: usize = 16;

/// How a peer may be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Straight, not only through a circuit.
    pub direct: bool,
    /// Kept although nothing is under way.
    pub keep: bool,
}

/// A lane that a peer opened.
#[derive(Debug)]
pub struct Incoming {
    pub(super) protocol: StreamProtocol,
    pub(super) stream: Stream,
    pub(super) connection: Arc<Connection>,
}

/// A request to open a lane, on its way to the connection's handler.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) protocol: StreamProtocol,
    pub(super) reply: oneshot::Sender<Result<Stream, ExchangeError>>,
}

/// What is known of an established connection. Its idle lanes die with it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) peer: PeerId,
    pub(super) circuit: bool,
    pub(super) remote: Option<IpAddr>,
    pub(super) opens: mpsc::Sender<Open>,
    pub(super) turns: Semaphore,
    pub(super) idle: Mutex<BTreeMap<&'static str, Vec<Stream>>>,
    busy: AtomicUsize,
    keep: AtomicBool,
}

impl Connection {
    /// Counts a request as under way for as long as the guard lives, so that the connection is not idle.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The established connections by peer, in order of their making.
pub(super) type Connections = Arc<Mutex<BTreeMap<PeerId, Vec<Arc<Connection>>>>>;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A behaviour for lanes of a set of protocols.
pub struct Behaviour {
    inbound: Arc<[StreamProtocol]>,
    incoming: mpsc::Sender<Incoming>,
    connections: Connections,
    /// Admitted, not yet established; another behaviour may still deny it.
    pending: Vec<Arc<Connection>>,
    admitted: Option<BTreeMap<PeerId, Admission>>,
    probes: Probes,
    /// What the swarm is told next.
    told: VecDeque<ToSwarm<Returned, Infallible>>,
}

/// A peer that was connected and gone has come back by another connection: the one that it left behind is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// Who.
    pub peer: PeerId,
}

/// A peer that is not admitted tried to connect.
#[derive(Debug, thiserror::Error)]
#[error("the peer is not admitted")]
struct NotAdmitted;

impl Behaviour {
    /// A behaviour that accepts lanes of these protocols, the side that asks, and where accepted lanes come out.
    ///
    /// With `open`, anybody may connect and no connection is kept when idle, unless [`Behaviour::keep`] says so; else only
    /// whom [`Behaviour::admit`] names.
    pub fn new(inbound: &[&'static str], open: bool) -> (Self, Lanes, mpsc::Receiver<Incoming>) {
        let (incoming, accepted) = mpsc::channel(MAX_INCOMING);
        let connections = Connections::default();
        let behaviour = Self {
            inbound: inbound.iter().copied().map(StreamProtocol::new).collect(),
            incoming,
            connections: Arc::clone(&connections),
            pending: Vec::new(),
            admitted: (!open).then(BTreeMap::new),
            probes: Probes::default(),
            told: VecDeque::new(),
        };
        (behaviour, Lanes::new(connections), accepted)
    }

    /// Replaces the list of whom may connect. The caller closes connections of those who are no longer on it.
    pub fn admit(&mut self, admitted: BTreeMap<PeerId, Admission>) {
        for (peer, connections) in lock(&self.connections).iter() {
            let keep = admitted.get(peer).is_some_and(|admission| admission.keep);
            connections.iter().for_each(|connection| connection.keep.store(keep, Ordering::Relaxed));
        }
        self.admitted = Some(admitted);
    }

    /// Keeps this peer's present connections although nothing is under way, or no longer.
    pub fn keep(&mut self, peer: &PeerId, keep: bool) {
        if let Some(connections) = lock(&self.connections).get(peer) {
            connections.iter().for_each(|connection| connection.keep.store(keep, Ordering::Relaxed));
        }
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        remote: &Multiaddr,
        circuit: bool,
    ) -> Result<Handler, ConnectionDenied> {
        let keep = match &self.admitted {
            None => false,
            Some(admitted) => match admitted.get(&peer) {
                Some(admission) if admission.direct || circuit => admission.keep,
                Some(_) | None => return Err(ConnectionDenied::new(NotAdmitted)),
            },
        };
        let (opens, receiver) = mpsc::channel(MAX_LANES);
        let connection = Arc::new(Connection {
            id,
            peer,
            circuit,
            remote: if circuit { None } else { host(remote) },
            opens,
            turns: Semaphore::new(MAX_LANES),
            idle: Mutex::default(),
            busy: AtomicUsize::new(0),
            keep: AtomicBool::new(keep),
        });
        self.pending.retain(|pending| Arc::strong_count(pending) > 1);
        self.pending.push(Arc::clone(&connection));
        Ok(Handler { inbound: Arc::clone(&self.inbound), incoming: self.incoming.clone(), opens: receiver, connection })
    }
}

impl Drop for Behaviour {
    /// With the swarm go its connections, whether or not it had the time to tell.
    fn drop(&mut self) {
        lock(&self.connections).clear();
    }
}

/// Whether an address leads through a circuit.
pub(crate) fn is_circuit(address: &Multiaddr) -> bool {
    address.iter().any(|part| matches!(part, multiaddr::Protocol::P2pCircuit))
}

/// The IP address in an address, if it says one.
pub(crate) fn host(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        multiaddr::Protocol::Ip4(host) => Some(IpAddr::V4(host)),
        multiaddr::Protocol::Ip6(host) => Some(host.to_canonical()),
        _ => None,
    })
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Returned;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.connect(id, peer, remote, is_circuit(local) || is_circuit(remote))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.connect(id, peer, address, is_circuit(address))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished { peer_id, connection_id, .. }) => {
                if let Some(place) = self.pending.iter().position(|pending| pending.id == connection_id) {
                    let connection = self.pending.swap_remove(place);
                    let mut connections = lock(&self.connections);
                    let of_peer = connections.entry(peer_id).or_default();
                    of_peer.push(connection);
                    // The new one, too: who denied it may have gone before that was said, and the newest is the one that is used.
                    if of_peer.len() > 1 {
                        of_peer.iter().for_each(|connection| self.probes.ask(Arc::clone(connection)));
                    }
                }
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                let mut connections = lock(&self.connections);
                if let Some(of_peer) = connections.get_mut(&peer_id) {
                    of_peer.retain(|connection| connection.id != connection_id);
                    if of_peer.is_empty() {
                        connections.remove(&peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Returned, THandlerInEvent<Self>>> {
        while let Poll::Ready(dead) = self.probes.poll_dead(context) {
            let (peer_id, connection) = (dead.peer, CloseConnection::One(dead.id));
            self.told.push_back(ToSwarm::CloseConnection { peer_id, connection });
            self.told.push_back(ToSwarm::GenerateEvent(Returned { peer: peer_id }));
        }
        self.told.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

/// A connection's side of it.
pub struct Handler {
    inbound: Arc<[StreamProtocol]>,
    incoming: mpsc::Sender<Incoming>,
    opens: mpsc::Receiver<Open>,
    connection: Arc<Connection>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Result<Stream, ExchangeError>>;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(Upgrade(self.inbound.to_vec()), ())
    }

    fn connection_keep_alive(&self) -> bool {
        self.connection.keep.load(Ordering::Relaxed) || self.connection.busy.load(Ordering::Relaxed) > 0
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Upgrade, Self::OutboundOpenInfo, Infallible>> {
        match self.opens.poll_recv(context) {
            Poll::Ready(Some(Open { protocol, reply })) => {
                let upgrade = Upgrade(vec![protocol]);
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                    protocol: SubstreamProtocol::new(upgrade, reply),
                })
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade, (), Self::OutboundOpenInfo>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) => {
                let (mut stream, protocol) = protocol;
                stream.ignore_for_keep_alive();
                let incoming = Incoming { protocol, stream, connection: Arc::clone(&self.connection) };
                if self.incoming.try_send(incoming).is_err() {
                    tracing::debug!("A lane was dropped: too many wait to be accepted.");
                }
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (mut stream, _), info }) => {
                stream.ignore_for_keep_alive();
                // Whoever asked may have given up meanwhile.
                let _ = info.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, info }) => {
                let _ = info.send(Err(match error {
                    StreamUpgradeError::NegotiationFailed => ExchangeError::Unsupported,
                    StreamUpgradeError::Timeout => ExchangeError::TimedOut,
                    StreamUpgradeError::Io(_) | StreamUpgradeError::Apply(_) => ExchangeError::Interrupted,
                }));
            }
            _ => {}
        }
    }
}

/// Negotiates the protocol of a lane and nothing more.
#[derive(Debug, Clone)]
pub struct Upgrade(Vec<StreamProtocol>);

impl UpgradeInfo for Upgrade {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Upgrade {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}

impl OutboundUpgrade<Stream> for Upgrade {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}
