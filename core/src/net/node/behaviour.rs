//! The protocols of a device's node and their settings.

use std::time::Duration;

use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, Swarm};
use libp2p::{autonat, connection_limits, dcutr, identify, mdns, ping, relay};
use tokio::sync::mpsc;

use crate::net::config::NodeConfig;
use crate::net::error::NetError;
use crate::net::exchange::{self, Incoming, Lanes};
use crate::net::transport;
use crate::wire::protocol;

/// A connection on which nothing was asked for so long is closed, but for those to own relays. Short enough that a dozen idle
/// contacts cost nothing, long enough that a conversation's pauses do not break it.
const IDLE: Duration = Duration::from_secs(300);

/// Connections in all: a few relays and the contacts' devices that are online.
const MAX_CONNECTIONS: u32 = 512;

/// Connections to one peer: each side dials once, over QUIC or TCP, and a circuit beside.
const MAX_CONNECTIONS_PER_PEER: u32 = 4;

/// Handshakes that strangers may have under way with us.
const MAX_PENDING_INCOMING: u32 = 64;

/// What inbound lanes are accepted for.
pub(super) const INBOUND: [&str; 4] = [protocol::PUSH, protocol::DIRECT, protocol::HOME, protocol::BLOB];

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    /// First, so that a refused connection is never registered below.
    limits: connection_limits::Behaviour,
    pub(super) exchange: exchange::Behaviour,
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    relay_client: relay::client::Behaviour,
    autonat: Toggle<autonat::v2::client::Behaviour>,
    dcutr: Toggle<dcutr::Behaviour>,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

type Built = (Swarm<Behaviour>, Lanes, mpsc::Receiver<Incoming>);

pub(super) fn build(config: &NodeConfig) -> Result<Built, NetError> {
    let (exchange, lanes, accepted) = exchange::Behaviour::new(&INBOUND, false);
    let (transport, relay_client) = transport::with_circuits(&config.key)?;
    let direct = !config.always_relay;
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits()),
        exchange,
        ping: ping::Behaviour::new(transport::ping(transport::Role::Device)),
        identify: identify::Behaviour::new(identify_config(config.key.public(), config.always_relay)),
        relay_client,
        autonat: direct.then(autonat::v2::client::Behaviour::default).into(),
        dcutr: direct.then(|| dcutr::Behaviour::new(config.key.peer())).into(),
        mdns: (config.mdns && direct).then(|| multicast(config)).flatten().into(),
    };
    Ok((transport::swarm(&config.key, transport, behaviour, IDLE), lanes, accepted))
}

fn limits() -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_established(Some(MAX_CONNECTIONS))
        .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER))
        .with_max_pending_incoming(Some(MAX_PENDING_INCOMING))
}

/// Whoever wants no direct paths does not tell where it is; and a cache of others' addresses would dial them behind our back.
fn identify_config(key: libp2p::identity::PublicKey, hide: bool) -> identify::Config {
    identify::Config::new(protocol::IDENTIFY.to_owned(), key)
        .with_agent_version(concat!("kith/", env!("CARGO_PKG_VERSION")).to_owned())
        .with_interval(transport::IDENTIFY_INTERVAL)
        .with_push_listen_addr_updates(true)
        .with_cache_size(0)
        .with_hide_listen_addrs(hide)
}

/// A host without multicast does without mDNS.
fn multicast(config: &NodeConfig) -> Option<mdns::tokio::Behaviour> {
    mdns::tokio::Behaviour::new(mdns::Config::default(), config.key.peer())
        .inspect_err(
            |error| tracing::warn!(%error, "There is no multicast here: contacts on the LAN are not found by it."),
        )
        .ok()
}
