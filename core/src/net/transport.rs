//! What every Kith node's transports have in common: QUIC and TCP under an Ed25519 key, and times that keep a connection
//! alive cheaply.
//!
//! Invariant: no dial allocates a port of its own; all leave from the ports that are listened on.

use std::time::Duration;

use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::swarm::{self, NetworkBehaviour, Swarm};
use libp2p::{PeerId, Transport, dns, identity, noise, ping, quic, relay, tcp, yamux};
use zeroize::{Zeroize, Zeroizing};

/// After this much silence a QUIC connection says something. Mappings of UDP in home routers are known to end after 30 s.
pub const QUIC_KEEP_ALIVE: Duration = Duration::from_secs(25);

/// Which side of a connection we are, as far as keeping it alive goes: a relay leaves that to its devices, whose routers forget
/// it, and so half of an idle connection's bytes are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Keeps connections alive.
    Device,
    /// Answers those who do.
    Relay,
}

/// Between a relay's pings: longer than any idle connection's life that matters, since its devices ping.
const RELAY_PING_INTERVAL: Duration = Duration::from_secs(3600);

/// After this much silence a QUIC connection is dead: two keep-alives and their repetitions were lost.
pub const QUIC_IDLE: Duration = Duration::from_secs(60);

/// Between pings. QUIC needs none; for TCP they find a dead connection, whose mappings live for minutes at least.
pub const PING_INTERVAL: Duration = Duration::from_secs(120);

/// How long a ping may take: more than a bad mobile link's round trip, with one repetition.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Between repetitions of identify. A change of addresses is pushed, so that this only mends what was lost.
pub const IDENTIFY_INTERVAL: Duration = Duration::from_secs(4 * 3600);

/// How long making a connection may take, name look-up and handshake included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// Bytes of one stream that may be unread: 10 MB/s at 50 ms, and a bound on what a hostile peer can make us hold.
const QUIC_STREAM_WINDOW: u32 = 512 * 1024;

/// Bytes of one connection that may be unread.
const QUIC_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Streams that a peer may have open on one QUIC connection: lanes, ping, identify, circuits.
const QUIC_STREAMS: u32 = 128;

/// Streams on one TCP connection, for the same.
const YAMUX_STREAMS: usize = 128;

/// The 32 bytes are not an Ed25519 public key (RFC 8032 §5.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 public key")]
pub struct InvalidKey;

/// The key that a node's connections are authenticated by.
#[derive(Clone)]
pub struct TransportKey(identity::Keypair);

impl TransportKey {
    /// The key of this Ed25519 seed (RFC 8032 §5.1.5), which is wiped.
    ///
    /// # Errors
    /// [`InvalidKey`], which no 32 bytes are known to give.
    pub fn from_seed(seed: Zeroizing<[u8; 32]>) -> Result<Self, InvalidKey> {
        let mut bytes = *seed;
        let key = identity::Keypair::ed25519_from_bytes(&mut bytes).map_err(|_| InvalidKey);
        bytes.zeroize();
        key.map(Self)
    }

    /// A key that nobody knows, for one use.
    pub fn throwaway() -> Self {
        Self(identity::Keypair::generate_ed25519())
    }

    /// The peer that it makes us.
    pub fn peer(&self) -> PeerId {
        self.0.public().to_peer_id()
    }

    /// Its public half.
    pub fn public(&self) -> identity::PublicKey {
        self.0.public()
    }
}

impl std::fmt::Debug for TransportKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TransportKey(…)")
    }
}

/// The peer that an Ed25519 public key makes.
///
/// # Errors
/// [`InvalidKey`].
pub fn peer_of_key(key: &[u8; 32]) -> Result<PeerId, InvalidKey> {
    let key = identity::ed25519::PublicKey::try_from_bytes(key).map_err(|_| InvalidKey)?;
    Ok(identity::PublicKey::from(key).to_peer_id())
}

/// The Ed25519 public key that a peer id holds (libp2p's peer ids of such keys hold them whole).
///
/// # Errors
/// [`InvalidKey`] when it is a peer of another kind of key.
pub fn key_of_peer(peer: &PeerId) -> Result<[u8; 32], InvalidKey> {
    let bytes = peer.as_ref().digest();
    let key = identity::PublicKey::try_decode_protobuf(bytes).map_err(|_| InvalidKey)?;
    key.try_into_ed25519().map(|key| key.to_bytes()).map_err(|_| InvalidKey)
}

/// A transport whose connections are authenticated and carry streams.
pub type Connecting = Boxed<(PeerId, StreamMuxerBox)>;

/// The transport cannot be set up on this system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the transport cannot be set up: {0}")]
pub struct SetupError(String);

/// QUIC and TCP with names resolved as the system does, or not at all where it says nothing of resolvers.
///
/// # Errors
/// [`SetupError`].
pub fn base(key: &TransportKey, role: Role) -> Result<Connecting, SetupError> {
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise(key)?)
        .multiplex(yamux_config())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let quic =
        quic::tokio::Transport::new(quic_config(key, role)).map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let either = OrTransport::new(quic, tcp).map(|either, _| either.into_inner());
    Ok(if dns::tokio::Transport::system(()).is_ok() {
        dns::tokio::Transport::system(either).map_err(|error| SetupError(error.to_string()))?.boxed()
    } else {
        either.boxed()
    })
}

/// The same and circuits (libp2p's circuit relay v2), with the behaviour that manages them.
///
/// # Errors
/// [`SetupError`].
pub fn with_circuits(key: &TransportKey) -> Result<(Connecting, relay::client::Behaviour), SetupError> {
    let (circuits, behaviour) = relay::client::new(key.peer());
    let circuits = circuits
        .upgrade(Version::V1Lazy)
        .authenticate(noise(key)?)
        .multiplex(yamux_config())
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
    let either = OrTransport::new(circuits, base(key, Role::Device)?).map(|either, _| either.into_inner());
    Ok((either.boxed(), behaviour))
}

/// A swarm on tokio; a connection that nothing keeps is closed after `idle`.
pub fn swarm<B: NetworkBehaviour>(key: &TransportKey, transport: Connecting, behaviour: B, idle: Duration) -> Swarm<B> {
    let transport = libp2p::core::transport::timeout::TransportTimeout::new(transport, CONNECT_TIMEOUT).boxed();
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(idle);
    Swarm::new(transport, behaviour, key.peer(), config)
}

fn noise(key: &TransportKey) -> Result<noise::Config, SetupError> {
    noise::Config::new(&key.0).map_err(|error| SetupError(error.to_string()))
}

fn quic_config(key: &TransportKey, role: Role) -> quic::Config {
    let mut config = quic::Config::new(&key.0);
    config.keep_alive_interval = match role {
        Role::Device => QUIC_KEEP_ALIVE,
        // Never: the connection would be dead before.
        Role::Relay => QUIC_IDLE.saturating_mul(2),
    };
    config.max_idle_timeout = u32::try_from(QUIC_IDLE.as_millis()).unwrap_or(u32::MAX);
    config.handshake_timeout = CONNECT_TIMEOUT;
    config.max_stream_data = QUIC_STREAM_WINDOW;
    config.max_connection_data = QUIC_CONNECTION_WINDOW;
    config.max_concurrent_stream_limit = QUIC_STREAMS;
    config
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(YAMUX_STREAMS);
    config
}

/// Ping with our times.
pub fn ping(role: Role) -> ping::Config {
    let interval = match role {
        Role::Device => PING_INTERVAL,
        Role::Relay => RELAY_PING_INTERVAL,
    };
    ping::Config::new().with_interval(interval).with_timeout(PING_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_holds_its_key() {
        let key = TransportKey::from_seed(Zeroizing::new([7; 32])).unwrap();
        let public = key_of_peer(&key.peer()).unwrap();
        assert_eq!(peer_of_key(&public), Ok(key.peer()));
        assert_eq!(key_of_peer(&PeerId::random()), Err(InvalidKey));
    }
}
