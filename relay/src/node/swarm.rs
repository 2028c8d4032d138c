//! The actor that owns the relay's swarm.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use kith_core::net::{Multiaddr, PeerId, key_of_peer};
use libp2p::swarm::{Swarm, SwarmEvent};
use libp2p::{ping, relay};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::behaviour::{Behaviour, BehaviourEvent};
use super::circuit::SignedIn;
use super::{Circuits, NodeError};
use crate::metrics::Metrics;

/// How long the sockets may take to say where they listen.
const LISTEN_PATIENCE: Duration = Duration::from_secs(2);

/// How long the end may wait for connections to close.
const PARTING: Duration = Duration::from_millis(300);

/// And for what was written last to be sent.
const LAST_PACKETS: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) enum Command {
    SignedIn(PeerId),
    Circuits(oneshot::Sender<Circuits>),
}

/// Listens on every address; where that is.
pub(super) async fn listen(swarm: &mut Swarm<Behaviour>, addresses: &[Multiaddr]) -> Result<Vec<Multiaddr>, NodeError> {
    for address in addresses {
        swarm.listen_on(address.clone()).map_err(|error| NodeError::Listen {
            address: address.to_string(),
            reason: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        })?;
    }
    // A wildcard address becomes several: whatever more comes later is told then.
    let heard = async {
        let mut told = Vec::new();
        while told.len() < addresses.len() {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                told.push(address);
            }
        }
        told
    };
    Ok(timeout(LISTEN_PATIENCE, heard).await.unwrap_or_default())
}

pub(super) struct Actor {
    swarm: Swarm<Behaviour>,
    fixed: bool,
    reached: BTreeSet<Multiaddr>,
    signed_in: SignedIn,
    addresses: watch::Sender<Vec<Multiaddr>>,
    reservations: BTreeSet<PeerId>,
    open: usize,
    metrics: Metrics,
}

impl Actor {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        (external, listening): (Vec<Multiaddr>, Vec<Multiaddr>),
        signed_in: SignedIn,
        addresses: watch::Sender<Vec<Multiaddr>>,
        metrics: Metrics,
    ) -> Self {
        let fixed = !external.is_empty();
        let mut actor = Self {
            swarm,
            fixed,
            reached: BTreeSet::new(),
            signed_in,
            addresses,
            reservations: BTreeSet::new(),
            open: 0,
            metrics,
        };
        let reached = if fixed { external } else { listening };
        reached.into_iter().for_each(|address| actor.reached_at(address));
        actor
    }

    /// Runs until it is told to stop; where it listened.
    pub(super) async fn run<G, E>(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        stop: CancellationToken,
        gone: G,
    ) -> Vec<Multiaddr>
    where
        G: Fn([u8; 32]) -> E,
        E: Future<Output = ()> + Send + 'static,
    {
        let _end = stop.clone().drop_guard();
        let mut going = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                event = self.swarm.select_next_some() => {
                    if let Some(key) = self.swarm_event(event) {
                        going.spawn(gone(key));
                    }
                }
                Some(_) = going.join_next(), if !going.is_empty() => {}
            }
        }
        let listened = self.swarm.listeners().cloned().collect();
        self.reservations.clear();
        self.open = 0;
        self.count_circuits();
        self.part().await;
        listened
    }

    /// Says to all devices that this is the end: whoever does not hear of it takes a minute to be sure.
    async fn part(&mut self) {
        for peer in self.swarm.connected_peers().copied().collect::<Vec<_>>() {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closing = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        let _ = timeout(PARTING, closing).await;
        // A connection counts as closed a moment before the packet that says so is on its way.
        sleep(LAST_PACKETS).await;
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::SignedIn(peer) if self.swarm.is_connected(&peer) => {
                self.signed_in.insert(peer);
                self.swarm.behaviour_mut().exchange.keep(&peer, true);
            }
            Command::SignedIn(_) => {}
            Command::Circuits(reply) => {
                let _ = reply.send(Circuits { reserved: self.reservations.len(), open: self.open });
            }
        }
    }

    /// Devices are told these addresses with a reservation; without one there are no circuits.
    fn reached_at(&mut self, address: Multiaddr) {
        if self.reached.insert(address.clone()) {
            self.swarm.add_external_address(address);
            self.addresses.send_replace(self.reached.iter().cloned().collect());
        }
    }

    /// Takes an event; the key of a device whose last connection has ended.
    fn swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) -> Option<[u8; 32]> {
        match event {
            SwarmEvent::NewListenAddr { address, .. } if !self.fixed => self.reached_at(address),
            SwarmEvent::ExpiredListenAddr { address, .. } if !self.fixed && self.reached.remove(&address) => {
                self.swarm.remove_external_address(&address);
                self.addresses.send_replace(self.reached.iter().cloned().collect());
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.signed_in.remove(&peer_id);
                return key_of_peer(&peer_id).ok();
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "A listener has a problem."),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { connection, result: Err(error), .. }))
                if !matches!(error, ping::Failure::Unsupported) =>
            {
                self.swarm.close_connection(connection);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Circuit(event)) => self.circuit_event(event),
            _ => {}
        }
        None
    }

    fn circuit_event(&mut self, event: relay::Event) {
        match event {
            relay::Event::ReservationReqAccepted { src_peer_id, .. } => {
                self.reservations.insert(src_peer_id);
            }
            relay::Event::ReservationClosed { src_peer_id } | relay::Event::ReservationTimedOut { src_peer_id } => {
                self.reservations.remove(&src_peer_id);
            }
            relay::Event::CircuitReqAccepted { .. } => self.open = self.open.saturating_add(1),
            relay::Event::CircuitClosed { .. } => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.count_circuits();
    }

    fn count_circuits(&self) {
        self.metrics.circuits(self.reservations.len(), self.open);
    }
}
