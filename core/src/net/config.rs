//! What a device's node is started with, and how a relay is named.

use std::str::FromStr;

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

use super::transport::TransportKey;

/// The most addresses of one relay.
const MAX_ADDRESSES: usize = 8;

/// What a device's node is started with.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Who we are.
    pub key: TransportKey,
    /// Where to listen; port 0 lets the system choose. Not used with `always_relay`.
    pub listen: Vec<Multiaddr>,
    /// Find contacts on the local network, which shows our peer id there.
    pub mdns: bool,
    /// No direct paths: nothing listens, contacts are reached through circuits only, so that they do not see our address.
    pub always_relay: bool,
}

impl NodeConfig {
    /// Any port on all interfaces, QUIC and TCP, mDNS on.
    pub fn new(key: TransportKey) -> Self {
        let any = |host: Protocol<'static>| {
            let host = Multiaddr::from(host);
            [host.clone().with(Protocol::Udp(0)).with(Protocol::QuicV1), host.with(Protocol::Tcp(0))]
        };
        let listen = [any(Protocol::Ip4([0, 0, 0, 0].into())), any(Protocol::Ip6([0; 16].into()))].concat();
        Self { key, listen, mdns: true, always_relay: false }
    }
}

/// A relay: the peer that it must prove to be, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayAddress {
    peer: PeerId,
    addresses: Vec<Multiaddr>,
}

/// The text is not the address of a relay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRelayAddress {
    /// Not a multiaddr.
    #[error("not an address such as /ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3Koo…: {0}")]
    Malformed(String),
    /// It does not say whom to expect there.
    #[error("the address does not end in /p2p/ and the relay's key")]
    NoPeer,
    /// Several addresses name several relays.
    #[error("the addresses are of different relays")]
    SeveralPeers,
    /// None, or more than eight.
    #[error("a relay has one to eight addresses")]
    Count,
}

impl RelayAddress {
    /// A relay at these addresses.
    ///
    /// # Errors
    /// When there is no address or more than eight, or one names another peer.
    pub fn new(peer: PeerId, addresses: &[Multiaddr]) -> Result<Self, InvalidRelayAddress> {
        if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
            return Err(InvalidRelayAddress::Count);
        }
        let addresses = addresses
            .iter()
            .cloned()
            .map(|address| address.with_p2p(peer).map_err(|_| InvalidRelayAddress::SeveralPeers))
            .collect::<Result<_, _>>()?;
        Ok(Self { peer, addresses })
    }

    /// Whom to expect.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// Where, each ending in `/p2p/…`.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// The addresses of a device that has a reservation at this relay.
    pub fn circuits_to(&self, device: PeerId) -> Vec<Multiaddr> {
        let circuit = |address: &Multiaddr| address.clone().with(Protocol::P2pCircuit).with(Protocol::P2p(device));
        self.addresses.iter().map(circuit).collect()
    }
}

impl FromStr for RelayAddress {
    type Err = InvalidRelayAddress;

    /// One multiaddr, or several separated by commas.
    fn from_str(text: &str) -> Result<Self, InvalidRelayAddress> {
        let mut found = None;
        let mut addresses = Vec::new();
        for part in text.split(',').take(MAX_ADDRESSES.saturating_add(1)) {
            let address: Multiaddr =
                part.trim().parse().map_err(|error| InvalidRelayAddress::Malformed(format!("{error}")))?;
            let Some(Protocol::P2p(peer)) = address.iter().last() else { return Err(InvalidRelayAddress::NoPeer) };
            if found.is_some_and(|found| found != peer) {
                return Err(InvalidRelayAddress::SeveralPeers);
            }
            found = Some(peer);
            addresses.push(address);
        }
        Self::new(found.ok_or(InvalidRelayAddress::NoPeer)?, &addresses)
    }
}

impl std::fmt::Display for RelayAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, address) in self.addresses.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(formatter, "{comma}{address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";

    #[test]
    fn a_relay_address_survives_its_text() {
        let relay: RelayAddress = ONE.parse().unwrap();
        assert_eq!(relay.to_string(), ONE);
        let two = format!("{ONE},{}", ONE.replace("tcp/4001", "udp/4001/quic-v1"));
        assert_eq!(two.parse::<RelayAddress>().unwrap().to_string(), two);
    }

    #[test]
    fn an_address_without_a_key_is_refused() {
        assert_eq!("/ip4/127.0.0.1/tcp/4001".parse::<RelayAddress>(), Err(InvalidRelayAddress::NoPeer));
        assert!(matches!("relay.example".parse::<RelayAddress>(), Err(InvalidRelayAddress::Malformed(_))));
        assert!(matches!(
            "".parse::<RelayAddress>(),
            Err(InvalidRelayAddress::NoPeer | InvalidRelayAddress::Malformed(_))
        ));
    }

    #[test]
    fn addresses_of_different_relays_are_refused() {
        let other = PeerId::random();
        let text = format!("{ONE},/ip4/127.0.0.1/tcp/4001/p2p/{other}");
        assert_eq!(text.parse::<RelayAddress>(), Err(InvalidRelayAddress::SeveralPeers));
        let many = [ONE; 9].join(",");
        assert_eq!(many.parse::<RelayAddress>(), Err(InvalidRelayAddress::Count));
    }
}
