//! The own relays: each is kept connected, and a circuit reserved there.
//!
//! A table without sockets, as that of the peers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use crate::net::config::RelayAddress;
use crate::net::error::NetError;
use crate::net::path::{Path, Reachability, Why};

/// The first pause after a failure, or before a lost connection is made again; it doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause: a relay that comes back is found within a minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The first pause before a circuit is asked for again; a relay refuses those who are not signed in.
const FIRST_RESERVE_PAUSE: Duration = Duration::from_secs(15);

/// The longest of these.
const LONGEST_RESERVE_PAUSE: Duration = Duration::from_secs(900);

/// Requests that wait for one connection.
const MAX_WAITING: usize = 64;

/// What is to be done now.
#[derive(Debug)]
pub(super) enum Due {
    Dial(PeerId, DialOpts),
    Reserve(PeerId, Multiaddr),
    Unreserve(ListenerId),
}

type Waiting = oneshot::Sender<Result<Path, NetError>>;

#[derive(Debug)]
enum Link {
    Down { retry_at: Instant },
    Dialling(ConnectionId),
    Up,
}

#[derive(Debug)]
enum Circuit {
    /// Not possible, or not known to be.
    None,
    /// Possible, and to be asked for.
    Wanted { at: Instant },
    /// Asked for, or had.
    Listening { listener: ListenerId, reserved: bool },
}

#[derive(Debug)]
struct Relay {
    address: RelayAddress,
    link: Link,
    failures: u32,
    last: Option<NetError>,
    waiting: Vec<Waiting>,
    circuit: Circuit,
    reserve_failures: u32,
    /// The device has signed in since the circuit was asked for.
    hurry: bool,
}

impl Relay {
    fn answer(&mut self, answer: &Result<Path, NetError>) {
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(answer.clone());
        }
    }
}

fn doubled(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << failures.min(16)).min(longest)
}

/// The own relays.
#[derive(Debug, Default)]
pub(super) struct Relays {
    relays: BTreeMap<PeerId, Relay>,
    dropped: Vec<ListenerId>,
}

impl Relays {
    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.relays.keys().copied()
    }

    pub(super) fn contains(&self, relay: &PeerId) -> bool {
        self.relays.contains_key(relay)
    }

    /// Replaces the list; those who are no longer on it.
    pub(super) fn set(&mut self, relays: Vec<RelayAddress>, now: Instant) -> Vec<PeerId> {
        let mut gone = Vec::new();
        let dropped = &mut self.dropped;
        self.relays.retain(|id, relay| {
            let stays = relays.iter().any(|address| address.peer() == *id);
            if !stays {
                relay.answer(&Err(NetError::NotAContact));
                if let Circuit::Listening { listener, .. } = relay.circuit {
                    dropped.push(listener);
                }
                gone.push(*id);
            }
            stays
        });
        for address in relays {
            match self.relays.get_mut(&address.peer()) {
                Some(relay) if relay.address == address => {}
                Some(relay) => {
                    relay.address = address;
                    if let Link::Down { retry_at } = &mut relay.link {
                        *retry_at = now;
                    }
                }
                None => {
                    let relay = Relay {
                        link: Link::Down { retry_at: now },
                        failures: 0,
                        last: None,
                        waiting: Vec::new(),
                        circuit: Circuit::None,
                        reserve_failures: 0,
                        hurry: false,
                        address,
                    };
                    self.relays.insert(relay.address.peer(), relay);
                }
            }
        }
        gone
    }

    /// When something is to be done next.
    pub(super) fn due(&self) -> Option<Instant> {
        let links = self.relays.values().filter_map(|relay| match (&relay.link, &relay.circuit) {
            (Link::Down { retry_at }, _) => Some(*retry_at),
            (Link::Up, Circuit::Wanted { at }) => Some(*at),
            _ => None,
        });
        links.min()
    }

    /// What is to be done now, one thing at a time.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Due> {
        if let Some(listener) = self.dropped.pop() {
            return Some(Due::Unreserve(listener));
        }
        for (id, relay) in &mut self.relays {
            match (&relay.link, &relay.circuit) {
                (Link::Down { retry_at }, _) if *retry_at <= now => {
                    let options = DialOpts::peer_id(*id)
                        .condition(PeerCondition::Always)
                        .addresses(relay.address.addresses().to_vec())
                        .build();
                    relay.link = Link::Dialling(options.connection_id());
                    return Some(Due::Dial(*id, options));
                }
                (Link::Up, Circuit::Wanted { at }) if *at <= now => {
                    let address = relay.address.addresses().first()?.clone().with(Protocol::P2pCircuit);
                    return Some(Due::Reserve(*id, address));
                }
                _ => {}
            }
        }
        None
    }

    /// Someone waits for this relay: it is dialled now, unless that failed in this very moment.
    pub(super) fn connect(&mut self, id: &PeerId, reply: Waiting, now: Instant) {
        let Some(relay) = self.relays.get_mut(id) else { return };
        match &mut relay.link {
            Link::Up => {
                let _ = reply.send(Ok(Path::Direct));
                return;
            }
            Link::Down { retry_at } => {
                let pause = retry_at.saturating_duration_since(now);
                if let (Some(error), true) = (&relay.last, pause > FIRST_PAUSE && relay.failures > 1) {
                    let retry_s = pause.as_secs().saturating_add(1);
                    let _ = reply.send(Err(match error {
                        // What a person can do something about is said as it is.
                        NetError::WrongKey { .. } => error.clone(),
                        other => NetError::BackingOff { retry_s, reason: other.to_string() },
                    }));
                    return;
                }
                *retry_at = now;
            }
            Link::Dialling(_) => {}
        }
        if relay.waiting.len() >= MAX_WAITING {
            let _ = reply.send(Err(NetError::Busy));
        } else {
            relay.waiting.push(reply);
        }
    }

    pub(super) fn dialling(&self, id: &PeerId, connection: ConnectionId) -> bool {
        self.relays.get(id).is_some_and(|relay| matches!(relay.link, Link::Dialling(ours) if ours == connection))
    }

    /// A dial failed; whether that is news.
    pub(super) fn failed(&mut self, id: &PeerId, error: NetError, now: Instant) -> bool {
        let Some(relay) = self.relays.get_mut(id) else { return false };
        let retry_at = now + doubled(FIRST_PAUSE, relay.failures, LONGEST_PAUSE);
        relay.link = Link::Down { retry_at };
        relay.failures = relay.failures.saturating_add(1);
        relay.answer(&Err(error.clone()));
        let news = relay.last.as_ref() != Some(&error);
        relay.last = Some(error);
        news
    }

    /// A connection was made; whether it is the first.
    pub(super) fn up(&mut self, id: &PeerId) -> bool {
        let Some(relay) = self.relays.get_mut(id) else { return false };
        let news = !matches!(relay.link, Link::Up);
        relay.link = Link::Up;
        relay.failures = 0;
        relay.last = None;
        relay.answer(&Ok(Path::Direct));
        news
    }

    /// The last connection ended; whether it was an own relay's.
    pub(super) fn lost(&mut self, id: &PeerId, now: Instant) -> bool {
        let Some(relay) = self.relays.get_mut(id) else { return false };
        if matches!(relay.link, Link::Up) {
            relay.link = Link::Down { retry_at: now + FIRST_PAUSE };
            if matches!(relay.circuit, Circuit::Wanted { .. }) {
                relay.circuit = Circuit::None;
            }
            return true;
        }
        false
    }

    /// The relay says that it serves circuits.
    pub(super) fn can_reserve(&mut self, id: &PeerId, now: Instant) {
        if let Some(relay) = self.relays.get_mut(id)
            && matches!(relay.circuit, Circuit::None)
        {
            relay.circuit = Circuit::Wanted { at: now };
        }
    }

    /// The device has signed in there: a circuit may be had now.
    pub(super) fn reserve_soon(&mut self, id: &PeerId, now: Instant) {
        if let Some(relay) = self.relays.get_mut(id) {
            relay.reserve_failures = 0;
            match &mut relay.circuit {
                Circuit::Wanted { at } => *at = now,
                Circuit::Listening { reserved: false, .. } => relay.hurry = true,
                Circuit::Listening { .. } | Circuit::None => {}
            }
        }
    }

    /// A circuit was asked for, or could not be.
    pub(super) fn reserving(&mut self, id: &PeerId, listener: Option<ListenerId>, now: Instant) {
        if let Some(relay) = self.relays.get_mut(id) {
            relay.circuit = match listener {
                Some(listener) => Circuit::Listening { listener, reserved: false },
                None => Circuit::Wanted { at: now + LONGEST_RESERVE_PAUSE },
            };
        }
    }

    /// A circuit was given; whether that is news.
    pub(super) fn reserved(&mut self, id: &PeerId) -> bool {
        let Some(relay) = self.relays.get_mut(id) else { return false };
        relay.reserve_failures = 0;
        relay.hurry = false;
        match &mut relay.circuit {
            Circuit::Listening { reserved, .. } => !std::mem::replace(reserved, true),
            Circuit::None | Circuit::Wanted { .. } => false,
        }
    }

    /// A circuit ended or was refused: of which relay, and whether it had been given.
    pub(super) fn unreserved(&mut self, ended: ListenerId, now: Instant) -> Option<(PeerId, bool)> {
        for (id, relay) in &mut self.relays {
            let Circuit::Listening { listener, reserved } = relay.circuit else { continue };
            if listener != ended {
                continue;
            }
            relay.circuit = if matches!(relay.link, Link::Up) {
                let again = std::mem::take(&mut relay.hurry);
                let pause = if again {
                    Duration::ZERO
                } else {
                    doubled(FIRST_RESERVE_PAUSE, relay.reserve_failures, LONGEST_RESERVE_PAUSE)
                };
                relay.reserve_failures = relay.reserve_failures.saturating_add(1);
                Circuit::Wanted { at: now + pause }
            } else {
                Circuit::None
            };
            return Some((*id, reserved));
        }
        None
    }

    pub(super) fn reachability(&self, id: &PeerId) -> Option<Reachability> {
        let relay = self.relays.get(id)?;
        let (path, why) = match (&relay.link, &relay.last) {
            (Link::Up, _) => (Path::Direct, Why::Best),
            (Link::Dialling(_), None) => (Path::None, Why::Connecting),
            (_, Some(error)) => (Path::None, Why::Failed(error.clone())),
            (Link::Down { .. }, None) => (Path::None, Why::Ended),
        };
        Some(Reachability { path, why, round_trip: None })
    }
}
