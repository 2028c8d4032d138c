//! The libp2p node and the relay client.
//!
//! [`exchange`] is what a device and a relay share (feature `net`): requests and answers over kept streams. The rest is the
//! device's node (feature `client`): [`Node::start`] gives a [`Handle`], cheap to clone, for requests down, and a receiver of
//! [`Event`]s for what comes up.
//!
//! It does not know what an envelope says, whether a push is welcome, or when something is to be sent again: that is the
//! session's. It stores nothing.
//!
//! Invariants: every queue, body, table and wait has a bound; a slow consumer of events holds back the peers that send, never
//! the swarm; nobody but contacts and own relays gets a connection; a foreign relay is asked under a throwaway key.
//! Source: `docs/adr/0008-network.md`, `docs/protocol-network.md`.

pub mod exchange;

#[cfg(feature = "client")]
mod address;
#[cfg(feature = "client")]
mod config;
#[cfg(feature = "client")]
mod courier;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "client")]
mod event;
#[cfg(feature = "client")]
mod handle;
#[cfg(feature = "client")]
mod node;
#[cfg(feature = "client")]
mod path;
pub mod transport;

#[cfg(feature = "client")]
pub use address::{AddressBook, AddressError, blinded_name, open_addresses, seal_addresses};
#[cfg(feature = "client")]
pub use config::{InvalidRelayAddress, NodeConfig, RelayAddress};
#[cfg(feature = "client")]
pub use error::NetError;
#[cfg(feature = "client")]
pub use event::{Down, Event, Reply};
#[cfg(feature = "client")]
pub use handle::Handle;
pub use libp2p::{Multiaddr, PeerId};
#[cfg(feature = "client")]
pub use node::Node;
#[cfg(feature = "client")]
pub use path::{Path, Reachability, Why};
pub use transport::{InvalidKey, TransportKey, key_of_peer, peer_of_key};
