//! Who may reserve a circuit, and what circuits may carry.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kith_core::net::PeerId;
use libp2p::relay;

/// Devices that can be reached through us: as many as are connected.
const MAX_RESERVATIONS: usize = 8192;

/// How long a reservation lasts before it is renewed; two small messages an hour.
const RESERVATION: Duration = Duration::from_secs(3600);

/// Circuits from one device: one to each of the contacts that it cannot reach straight.
const MAX_CIRCUITS_PER_PEER: usize = 32;

/// How long one lasts before it is made anew. The default of two minutes is meant for hole punching alone.
const CIRCUIT: Duration = Duration::from_secs(4 * 3600);

/// What one carries at most, each way: text and notes for hours; calls do not go this way. The default is 128 KiB.
const CIRCUIT_BYTES: u64 = 256 * 1024 * 1024;

/// Circuits that one device may begin within [`RATE_INTERVAL`], and reservations it may ask for.
const RATE: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// See [`RATE`].
const RATE_INTERVAL: Duration = Duration::from_secs(120);

/// The peers that are signed in on a present connection: written by the node's actor, read by the circuit behaviour's gate,
/// which libp2p calls from inside the swarm.
#[derive(Debug, Clone, Default)]
pub(super) struct SignedIn(Arc<Mutex<BTreeSet<PeerId>>>);

impl SignedIn {
    pub(super) fn insert(&self, peer: PeerId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(peer)
    }

    pub(super) fn remove(&self, peer: &PeerId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(peer);
    }

    fn contains(&self, peer: &PeerId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(peer)
    }
}

pub(super) fn config(signed_in: SignedIn, max_circuits: usize) -> relay::Config {
    let config = relay::Config {
        max_reservations: if max_circuits == 0 { 0 } else { MAX_RESERVATIONS },
        max_reservations_per_peer: 4,
        reservation_duration: RESERVATION,
        reservation_rate_limiters: vec![Box::new(move |peer: PeerId, _: &_, _| signed_in.contains(&peer))],
        max_circuits,
        max_circuits_per_peer: MAX_CIRCUITS_PER_PEER,
        max_circuit_duration: CIRCUIT,
        max_circuit_bytes: CIRCUIT_BYTES,
        circuit_src_rate_limiters: Vec::new(),
    };
    config.reservation_rate_per_peer(RATE, RATE_INTERVAL).circuit_src_per_peer(RATE, RATE_INTERVAL)
}
