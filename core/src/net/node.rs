//! The actor that owns the device's swarm.
//!
//! It connects and tells; what is asked and answered over connections passes it by (`super::exchange`). Invariants: its loop
//! never waits for a consumer; every dial is one of ours, with the addresses that we chose.

mod behaviour;
mod inbound;
mod notices;
mod peers;
mod relays;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionId, DialError, Swarm, SwarmEvent};
use libp2p::{Multiaddr, PeerId, dcutr, identify, mdns, ping, relay};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::behaviour::{Behaviour, BehaviourEvent};
use self::notices::Notices;
use self::peers::{Next, Peers};
use self::relays::{Due, Relays};
use super::config::NodeConfig;
use super::courier::Courier;
use super::error::NetError;
use super::event::{Down, Event};
use super::exchange::{self, Counters};
use super::handle::{Command, Handle, Roster};
use super::path::{self, Path};

/// Commands that wait; whoever tells one more waits too.
const MAX_COMMANDS: usize = 64;

/// Events that wait for the session: requests hold their peers back from there on.
const MAX_EVENTS: usize = 256;

/// Peers found by mDNS that are remembered, and addresses of each: a large office, or somebody who makes them up.
const MAX_NEARBY: usize = 256;

/// See [`MAX_NEARBY`].
const MAX_NEARBY_ADDRESSES: usize = 8;

/// Addresses at which others say that they see this device: one or two are real, and whoever says more lies.
const MAX_OBSERVED: usize = 16;

/// How long the sockets may take to say where they listen.
const LISTEN_PATIENCE: Duration = Duration::from_secs(2);

/// A device's node.
#[derive(Debug)]
pub struct Node;

impl Node {
    /// Listens, and starts the node's tasks on the present tokio runtime.
    ///
    /// # Errors
    /// [`NetError::Listen`] when no address could be listened on, [`NetError::Setup`] when the system lacks something.
    pub async fn start(config: NodeConfig) -> Result<(Handle, mpsc::Receiver<Event>), NetError> {
        let local = config.key.peer();
        let (mut swarm, lanes, accepted) = behaviour::build(&config)?;
        let mut early = Vec::new();
        if !config.always_relay {
            listen(&mut swarm, &config.listen)?;
            // Before the first dial, or dials would leave from other ports than those that are listened on.
            let _ = tokio::time::timeout(LISTEN_PATIENCE, first_addresses(&mut swarm, &mut early)).await;
        }
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (commands, receiver) = mpsc::channel(MAX_COMMANDS);
        let (events, session) = mpsc::channel(MAX_EVENTS);
        let (roster, known) = watch::channel(Roster::default());
        let (courier, travels) = Courier::new(stop.clone());
        let counters = Counters::default();
        let serving = inbound::serve(accepted, counters.clone(), stop.clone(), known.clone(), events.clone());
        let actor = Actor {
            listening: BTreeSet::new(),
            observed: BTreeSet::new(),
            nearby: BTreeMap::new(),
            swarm,
            commands: receiver,
            notices: Notices::default(),
            peers: Peers::new(config.always_relay),
            relays: Relays::default(),
            roster,
            always_relay: config.always_relay,
            stop: stop.clone(),
            _end: stop.clone().drop_guard(),
        };
        tasks.spawn(serving);
        tasks.spawn(travels);
        tasks.spawn(actor.run(events, early));
        let handle = Handle { local, commands, lanes, roster: known, courier, counters, stop, tasks };
        Ok((handle, session))
    }
}

fn listen(swarm: &mut Swarm<Behaviour>, addresses: &[Multiaddr]) -> Result<(), NetError> {
    let mut failed = None;
    let mut listening = false;
    for address in addresses {
        match swarm.listen_on(address.clone()) {
            Ok(_) => listening = true,
            Err(error) => {
                tracing::warn!(%error, "One of the addresses cannot be listened on.");
                failed = Some(NetError::Listen { address: address.to_string(), reason: error.to_string() });
            }
        }
    }
    match failed {
        Some(error) if !listening => Err(error),
        _ => Ok(()),
    }
}

/// Waits until a socket has said where it listens, and takes what comes with it.
async fn first_addresses(swarm: &mut Swarm<Behaviour>, early: &mut Vec<SwarmEvent<BehaviourEvent>>) {
    while swarm.listeners().next().is_none() {
        early.push(swarm.select_next_some().await);
    }
    while let Some(event) = swarm.select_next_some().now_or_never() {
        early.push(event);
    }
}

struct Actor {
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    notices: Notices,
    peers: Peers,
    relays: Relays,
    roster: watch::Sender<Roster>,
    listening: BTreeSet<Multiaddr>,
    observed: BTreeSet<Multiaddr>,
    /// Whom mDNS has found, contact or not: a contact may be added later.
    nearby: BTreeMap<PeerId, BTreeSet<Multiaddr>>,
    always_relay: bool,
    stop: CancellationToken,
    /// Ends the other tasks with this one.
    _end: DropGuard,
}

impl Actor {
    async fn run(mut self, events: mpsc::Sender<Event>, early: Vec<SwarmEvent<BehaviourEvent>>) {
        early.into_iter().for_each(|event| self.swarm_event(event));
        loop {
            let due = self.relays.due().map(tokio::time::Instant::from_std);
            tokio::select! {
                () = self.stop.cancelled() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                event = self.swarm.select_next_some() => self.swarm_event(event),
                permit = events.reserve(), if !self.notices.is_empty() => match permit {
                    Ok(permit) => self.notices.pop().map_or((), |notice| permit.send(notice)),
                    Err(_) => break,
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    self.retry_relays();
                }
            }
        }
        self.peers.end();
    }

    fn command(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::SetContacts(contacts, done) => {
                for (gone, told) in self.peers.set(contacts) {
                    if let Some(told) = told {
                        self.notices.push(told);
                    }
                    let _ = self.swarm.disconnect_peer_id(gone);
                }
                self.admit();
                let _ = done.send(());
                self.dial_nearby();
            }
            Command::SetRelays(relays, done) => {
                for gone in self.relays.set(relays, now) {
                    let _ = self.swarm.disconnect_peer_id(gone);
                }
                self.admit();
                let _ = done.send(());
                self.retry_relays();
            }
            Command::AddAddresses(peer, addresses) => {
                self.peers.add_addresses(&peer, &addresses);
            }
            Command::AddCircuit(peer, relay) => {
                self.peers.add_circuit(&peer, relay);
                self.admit();
            }
            Command::Connect(peer, reply) if self.relays.contains(&peer) => {
                self.relays.connect(&peer, reply, now);
                self.retry_relays();
            }
            Command::Connect(peer, reply) => {
                let next = self.peers.connect(&peer, reply, now);
                self.dial_peer(peer, next);
            }
            Command::Reachability(peer, reply) => {
                let reachability = self.relays.reachability(&peer).unwrap_or_else(|| self.peers.reachability(&peer));
                let _ = reply.send(reachability);
            }
            Command::Addresses(reply) => {
                let _ = reply.send(self.listening.union(&self.observed).cloned().collect());
            }
            Command::SignedIn(relay) => {
                self.relays.reserve_soon(&relay, now);
                self.retry_relays();
            }
        }
    }

    /// Tells the gate and the server who is known.
    fn admit(&mut self) {
        let circuits = self.peers.circuit_relays();
        let foreign = circuits.map(|relay| (relay, exchange::Admission { direct: true, keep: false }));
        let contacts = self.peers.ids().map(|peer| (peer, path::admission(self.always_relay, false)));
        let relays = self.relays.ids().map(|peer| (peer, path::admission(self.always_relay, true)));
        let admitted = foreign.chain(contacts).chain(relays).collect();
        self.swarm.behaviour_mut().exchange.admit(admitted);
        let roster = Roster { contacts: Arc::new(self.peers.devices()), relays: Arc::new(self.relays.ids().collect()) };
        self.roster.send_replace(roster);
    }

    /// Dials as far as the peer's table says, which a dial may fail at once.
    fn dial_peer(&mut self, peer: PeerId, mut next: Next) {
        while let Next::Dial(options) = next {
            match self.swarm.dial(options) {
                Ok(()) => return,
                Err(error) => next = self.peers.failed(&peer, None, &error, Instant::now()),
            }
        }
    }

    /// Connects contacts on the local network, where they are not yet.
    fn dial_nearby(&mut self) {
        let found: Vec<_> = self.nearby.iter().map(|(peer, addresses)| (*peer, addresses.clone())).collect();
        for (peer, addresses) in found {
            let next = self.peers.discovered(&peer, &addresses);
            self.dial_peer(peer, next);
        }
    }

    /// Keeps who was found by mDNS. A contact always has room, whoever else is made up.
    fn nearby(&mut self, peer: PeerId, address: Multiaddr) {
        if self.nearby.len() >= MAX_NEARBY && !self.nearby.contains_key(&peer) {
            let stranger = self.nearby.keys().find(|known| !self.peers.contains(known)).copied();
            match stranger.filter(|_| self.peers.contains(&peer)) {
                Some(stranger) => drop(self.nearby.remove(&stranger)),
                None => return,
            }
        }
        let addresses = self.nearby.entry(peer).or_default();
        if addresses.len() < MAX_NEARBY_ADDRESSES {
            addresses.insert(address);
        }
    }

    fn retry_relays(&mut self) {
        let now = Instant::now();
        while let Some(due) = self.relays.next_due(now) {
            match due {
                Due::Dial(relay, options) => {
                    if let Err(error) = self.swarm.dial(options) {
                        self.relay_failed(relay, &error);
                    }
                }
                Due::Reserve(relay, address) => {
                    let listener = self.swarm.listen_on(address).ok();
                    self.relays.reserving(&relay, listener, now);
                }
                Due::Unreserve(listener) => {
                    self.swarm.remove_listener(listener);
                }
            }
        }
    }

    fn relay_failed(&mut self, relay: PeerId, error: &DialError) {
        let error = NetError::of_dial(relay, error);
        if self.relays.failed(&relay, error.clone(), Instant::now()) {
            self.notices.push(Event::RelayDown { relay, reason: Down::Failed(error) });
        }
    }

    fn swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                self.closed(peer_id, connection_id, num_established);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), connection_id, error } => {
                if self.relays.dialling(&peer, connection_id) {
                    self.relay_failed(peer, &error);
                } else {
                    let next = self.peers.failed(&peer, Some(connection_id), &error, Instant::now());
                    self.dial_peer(peer, next);
                }
            }
            SwarmEvent::NewListenAddr { address, .. } if !exchange::is_circuit(&address) => {
                self.listening.insert(address);
                self.tell_addresses();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } if self.listening.remove(&address) => self.tell_addresses(),
            SwarmEvent::ListenerClosed { listener_id, addresses, .. } => self.listener_closed(listener_id, &addresses),
            SwarmEvent::ExternalAddrConfirmed { address } if !exchange::is_circuit(&address) => self.observed(address),
            SwarmEvent::ExternalAddrExpired { address } if self.observed.remove(&address) => self.tell_observed(),
            _ => {}
        }
    }

    fn listener_closed(&mut self, listener: libp2p::core::transport::ListenerId, addresses: &[Multiaddr]) {
        if let Some((relay, was_reserved)) = self.relays.unreserved(listener, Instant::now()) {
            if was_reserved {
                self.notices.push(Event::Reserved { relay, reserved: false });
            }
            return;
        }
        for address in addresses {
            self.listening.remove(address);
        }
        self.tell_addresses();
    }

    fn observed(&mut self, address: Multiaddr) {
        if self.observed.len() >= MAX_OBSERVED && !self.observed.contains(&address) {
            // The swarm would keep it, and tell others of it.
            self.swarm.remove_external_address(&address);
        } else if self.observed.insert(address) {
            self.tell_observed();
        }
    }

    fn tell_addresses(&mut self) {
        self.notices.push(Event::Listening(self.listening.iter().cloned().collect()));
    }

    fn tell_observed(&mut self) {
        self.notices.push(Event::ObservedAddresses(self.observed.iter().cloned().collect()));
    }

    fn established(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        if self.relays.contains(&peer) {
            if self.relays.up(&peer) {
                self.notices.push(Event::RelayUp { relay: peer });
            }
            return;
        }
        // The remote address of who came by a circuit is a bare peer id.
        let path = if endpoint.is_relayed() { Path::Circuit } else { path::path_of(endpoint.get_remote_address()) };
        let dialled = endpoint.is_dialer().then(|| endpoint.get_remote_address());
        if let Some(event) = self.peers.established(&peer, connection, path, dialled) {
            self.notices.push(event);
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId, left: u32) {
        let now = Instant::now();
        if left == 0 && self.relays.lost(&peer, now) {
            self.notices.push(Event::RelayDown { relay: peer, reason: Down::Lost });
        } else if let Some(event) = self.peers.closed(&peer, connection, now) {
            self.notices.push(event);
        }
    }

    fn behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, connection_id, info, .. }) => {
                if info.protocols.contains(&relay::HOP_PROTOCOL_NAME) {
                    self.relays.can_reserve(&peer_id, Instant::now());
                    self.retry_relays();
                }
                if let Some(event) = self.peers.identified(&peer_id, connection_id, &info.listen_addrs) {
                    self.notices.push(event);
                }
            }
            BehaviourEvent::RelayClient(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                renewal: false,
                ..
            }) if self.relays.reserved(&relay_peer_id) => {
                self.notices.push(Event::Reserved { relay: relay_peer_id, reserved: true });
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(round_trip), .. }) => {
                self.peers.measured(&peer, round_trip);
            }
            BehaviourEvent::Ping(ping::Event { connection, result: Err(error), .. })
                if !matches!(error, ping::Failure::Unsupported) =>
            {
                self.swarm.close_connection(connection);
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    self.nearby(peer, address);
                }
                self.dial_nearby();
            }
            BehaviourEvent::Mdns(mdns::Event::Expired(gone)) => {
                for (peer, address) in gone {
                    if let Some(addresses) = self.nearby.get_mut(&peer) {
                        addresses.remove(&address);
                        if addresses.is_empty() {
                            self.nearby.remove(&peer);
                        }
                    }
                }
            }
            BehaviourEvent::Exchange(exchange::Returned { peer }) => {
                if let Some(event) = self.peers.returned(&peer) {
                    self.notices.push(event);
                }
            }
            BehaviourEvent::Dcutr(dcutr::Event { remote_peer_id, result: Err(error) }) => {
                self.peers.punch_failed(&remote_peer_id, &error.to_string());
            }
            _ => {}
        }
    }
}
