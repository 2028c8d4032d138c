//! How a peer is reached, and why not better.

use std::net::IpAddr;
use std::time::Duration;

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::error::NetError;
use super::exchange::Admission;
use crate::wire::control::{Code, Said};

/// How a peer is reached, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// On the same network or machine.
    Lan,
    /// Straight over the internet.
    Direct,
    /// Through a relay that passes ciphertext on.
    Circuit,
    /// Not connected: what is sent goes to the mailbox.
    None,
}

/// How a peer is reached, and why not better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachability {
    /// The best path that is open.
    pub path: Path,
    /// Why there is no better one.
    pub why: Why,
    /// The peer's last measured round trip, if it was measured.
    pub round_trip: Option<Duration>,
}

/// Why a path is not better.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is as good as can be.
    #[error("connected directly")]
    Best,
    /// Not a contact's device, so that it is never connected.
    #[error("not among the contacts")]
    NotAContact,
    /// Direct paths are switched off here.
    #[error("direct paths are switched off on this device")]
    AlwaysRelay,
    /// Neither an address nor a circuit is known.
    #[error("no address of it is known")]
    NoAddress,
    /// There was no reason to connect yet.
    #[error("not tried yet")]
    NotTried,
    /// It is being tried now.
    #[error("connecting")]
    Connecting,
    /// The connection was ended, and nothing has been sent since.
    #[error("it was connected, and the connection has ended")]
    Ended,
    /// The last try failed.
    #[error("the last try failed: {0}")]
    Failed(NetError),
}

impl From<&Why> for Said {
    fn from(why: &Why) -> Self {
        match why {
            Why::Best => Self::new(Code::Best, why),
            Why::NotAContact => Self::new(Code::NotAContact, why),
            Why::AlwaysRelay => Self::new(Code::DirectOff, why),
            Why::NoAddress => Self::new(Code::NoAddress, why),
            Why::NotTried => Self::new(Code::NotTried, why),
            Why::Connecting => Self::new(Code::Connecting, why),
            Why::Ended => Self::new(Code::Ended, why),
            Why::Failed(error) => Self::from(error).as_part_of(why),
        }
    }
}

/// The path that a remote address is of.
pub(super) fn path_of(address: &Multiaddr) -> Path {
    if super::exchange::is_circuit(address) {
        return Path::Circuit;
    }
    match super::exchange::host(address) {
        Some(IpAddr::V4(host)) if host.is_private() || host.is_loopback() || host.is_link_local() => Path::Lan,
        Some(IpAddr::V6(host)) if host.is_loopback() || host.is_unique_local() || host.is_unicast_link_local() => {
            Path::Lan
        }
        _ => Path::Direct,
    }
}

/// An address as it is kept for a peer: without the peer's own id at the end. `None` when it names another peer, is no
/// address that can be dialled, or is a circuit (those are made from the relay's address).
pub(super) fn bare(address: &Multiaddr, peer: &PeerId) -> Option<Multiaddr> {
    if super::exchange::is_circuit(address) {
        return None;
    }
    let mut parts: Vec<Protocol<'_>> = address.iter().collect();
    if let Some(Protocol::P2p(named)) = parts.last() {
        if named != peer {
            return None;
        }
        parts.pop();
    }
    let dialable = match parts.first()? {
        Protocol::Ip4(host) => !host.is_unspecified() && !host.is_multicast(),
        Protocol::Ip6(host) => !host.is_unspecified() && !host.is_multicast(),
        Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => true,
        _ => false,
    };
    dialable.then(|| parts.into_iter().collect())
}

/// How contacts and relays may connect.
pub(super) const fn admission(always_relay: bool, relay: bool) -> Admission {
    Admission { direct: relay || !always_relay, keep: relay }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn paths_are_told_by_the_address() {
        let peer = PeerId::random();
        assert_eq!(path_of(&address("/ip4/192.168.1.7/udp/1/quic-v1")), Path::Lan);
        assert_eq!(path_of(&address("/ip6/fe80::1/tcp/1")), Path::Lan);
        assert_eq!(path_of(&address("/ip4/203.0.113.9/tcp/1")), Path::Direct);
        assert_eq!(path_of(&address(&format!("/ip4/203.0.113.9/tcp/1/p2p/{peer}/p2p-circuit"))), Path::Circuit);
    }

    #[test]
    fn only_addresses_that_can_be_dialled_are_kept() {
        let peer = PeerId::random();
        let other = PeerId::random();
        let plain = address("/ip4/203.0.113.9/tcp/1");
        assert_eq!(bare(&plain.clone().with(Protocol::P2p(peer)), &peer), Some(plain.clone()));
        assert_eq!(bare(&plain.with(Protocol::P2p(other)), &peer), None);
        assert_eq!(bare(&address("/ip4/0.0.0.0/tcp/1"), &peer), None);
        assert_eq!(bare(&address(&format!("/ip4/203.0.113.9/tcp/1/p2p/{other}/p2p-circuit")), &peer), None);
    }
}
