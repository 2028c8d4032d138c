//! The protocols of the relay's node and their settings.

use std::time::Duration;

use kith_core::net::exchange::{self, Incoming, Lanes};
use kith_core::net::transport::{self, Role, SetupError};
use kith_core::wire::protocol;
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{autonat, connection_limits, identify, ping, relay};
use tokio::sync::mpsc;

use super::NodeConfig;
use super::circuit::{self, SignedIn};

/// A connection of a device that is not signed in is closed after this long without a request: time to choose a password.
const IDLE: Duration = Duration::from_secs(600);

/// Handshakes under way at the same time: a whole relay's devices come back within seconds of a restart.
const MAX_PENDING_INCOMING: u32 = 1024;

/// Connections of one device: over QUIC and TCP, an old one that is not yet found dead, and a dial back.
const MAX_PER_PEER: u32 = 6;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    /// First, so that a refused connection is never registered below.
    limits: connection_limits::Behaviour,
    pub(super) exchange: exchange::Behaviour,
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    pub(super) circuit: relay::Behaviour,
    autonat: autonat::v2::server::Behaviour,
}

type Built = (Swarm<Behaviour>, Lanes, mpsc::Receiver<Incoming>);

pub(super) fn build(config: &NodeConfig, signed_in: SignedIn) -> Result<Built, SetupError> {
    let (exchange, lanes, accepted) = exchange::Behaviour::new(&[protocol::RELAY, protocol::BLOB], true);
    let mut circuit = relay::Behaviour::new(config.key.peer(), circuit::config(signed_in, config.max_circuits));
    // Offered whether or not we know an address of ours to be reachable: on a LAN nobody confirms one.
    circuit.set_status(Some(relay::Status::Enable));
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_established(Some(config.max_connections))
        .with_max_established_per_peer(Some(MAX_PER_PEER))
        .with_max_pending_incoming(Some(MAX_PENDING_INCOMING));
    let identify = identify::Config::new(protocol::IDENTIFY.to_owned(), config.key.public())
        .with_agent_version(concat!("kith-relay/", env!("CARGO_PKG_VERSION")).to_owned())
        .with_interval(transport::IDENTIFY_INTERVAL)
        .with_cache_size(0);
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        exchange,
        ping: ping::Behaviour::new(transport::ping(Role::Relay)),
        identify: identify::Behaviour::new(identify),
        circuit,
        autonat: autonat::v2::server::Behaviour::default(),
    };
    let swarm = transport::swarm(&config.key, transport::base(&config.key, Role::Relay)?, behaviour, IDLE);
    Ok((swarm, lanes, accepted))
}
