//! The contacts' devices: where they may be, how they are connected, and what was tried.
//!
//! A table without sockets: it says what to dial and is told what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::Event;
use crate::net::config::RelayAddress;
use crate::net::error::NetError;
use crate::net::path::{Path, Reachability, Why, bare};
use crate::types::DeviceId;

/// Addresses kept of a device, the newest and the last good one first.
const MAX_ADDRESSES: usize = 16;

/// Relays kept through which a device may be reached.
const MAX_CIRCUITS: usize = 4;

/// Requests that wait for one connection.
const MAX_WAITING: usize = 64;

/// The first pause after a failure; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What to do next about a peer.
#[derive(Debug)]
pub(super) enum Next {
    /// Dial it so.
    Dial(DialOpts),
    /// Nothing.
    Rest,
}

type Waiting = oneshot::Sender<Result<Path, NetError>>;

#[derive(Debug, Default, PartialEq, Eq)]
enum Dial {
    #[default]
    Rest,
    Direct(ConnectionId),
    Circuit(ConnectionId),
}

#[derive(Debug)]
struct Peer {
    device: DeviceId,
    addresses: Vec<Multiaddr>,
    /// Where it was last reached by a dial of ours: what others say of it does not push this one out.
    proven: Option<Multiaddr>,
    circuits: Vec<RelayAddress>,
    connections: BTreeMap<ConnectionId, Path>,
    /// Those of them that were dialled and whose other end has said nothing yet: whoever lets nobody in ends them only after they
    /// were made.
    unheard: BTreeSet<ConnectionId>,
    dial: Dial,
    waiting: Vec<Waiting>,
    failures: u32,
    retry_at: Option<Instant>,
    /// What the last try by a direct path said.
    direct: Option<NetError>,
    /// What the last try by any path said, while it is not connected.
    last: Option<NetError>,
    ended: bool,
    round_trip: Option<Duration>,
}

impl Peer {
    fn new(device: DeviceId) -> Self {
        Self {
            device,
            addresses: Vec::new(),
            proven: None,
            circuits: Vec::new(),
            connections: BTreeMap::new(),
            unheard: BTreeSet::new(),
            dial: Dial::Rest,
            waiting: Vec::new(),
            failures: 0,
            retry_at: None,
            direct: None,
            last: None,
            ended: false,
            round_trip: None,
        }
    }

    fn path(&self) -> Path {
        self.connections.values().copied().min().unwrap_or(Path::None)
    }

    /// Puts an address first; whether it is new.
    fn learn(&mut self, address: Multiaddr) -> bool {
        let known = self.addresses.iter().position(|known| *known == address);
        if let Some(place) = known {
            self.addresses.remove(place);
        }
        self.addresses.insert(0, address);
        self.addresses.truncate(MAX_ADDRESSES);
        if let Some(proven) = &self.proven
            && !self.addresses.contains(proven)
        {
            self.addresses.pop();
            self.addresses.push(proven.clone());
        }
        known.is_none()
    }

    fn forget_pause(&mut self) {
        self.failures = 0;
        self.retry_at = None;
    }

    fn dial_direct(&mut self, peer: PeerId) -> Option<DialOpts> {
        if self.addresses.is_empty() {
            return None;
        }
        let options = dial(peer, self.addresses.clone());
        self.dial = Dial::Direct(options.connection_id());
        Some(options)
    }

    fn dial_circuit(&mut self, peer: PeerId) -> Option<DialOpts> {
        if self.circuits.is_empty() {
            return None;
        }
        let options = dial(peer, self.circuits.iter().flat_map(|relay| relay.circuits_to(peer)).collect());
        self.dial = Dial::Circuit(options.connection_id());
        Some(options)
    }

    fn answer(&mut self, answer: &Result<Path, NetError>) {
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(answer.clone());
        }
    }

    fn give_up(&mut self, error: NetError, now: Instant) {
        self.dial = Dial::Rest;
        self.pause(error.clone(), now);
        self.answer(&Err(error));
    }

    fn pause(&mut self, error: NetError, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.checked_add(pause);
        self.last = Some(error);
    }

    fn why(&self, always_relay: bool) -> Why {
        let direct_failed = || self.direct.clone().map_or(Why::NotTried, Why::Failed);
        match self.path() {
            Path::Lan | Path::Direct => Why::Best,
            Path::Circuit if always_relay => Why::AlwaysRelay,
            Path::Circuit if self.addresses.is_empty() => Why::NoAddress,
            Path::Circuit => direct_failed(),
            Path::None if self.dial != Dial::Rest => Why::Connecting,
            Path::None => match &self.last {
                Some(error) => Why::Failed(error.clone()),
                None if self.ended => Why::Ended,
                None if always_relay && self.circuits.is_empty() => Why::AlwaysRelay,
                None if self.addresses.is_empty() && self.circuits.is_empty() => Why::NoAddress,
                None => Why::NotTried,
            },
        }
    }
}

fn dial(peer: PeerId, addresses: Vec<Multiaddr>) -> DialOpts {
    // Whether it makes sense to dial is decided here, not by the swarm.
    DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(addresses).build()
}

/// The contacts' devices.
#[derive(Debug)]
pub(super) struct Peers {
    always_relay: bool,
    peers: BTreeMap<PeerId, Peer>,
}

impl Peers {
    pub(super) fn new(always_relay: bool) -> Self {
        Self { always_relay, peers: BTreeMap::new() }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PeerId> {
        self.peers.keys().copied()
    }

    pub(super) fn devices(&self) -> BTreeMap<PeerId, DeviceId> {
        self.peers.iter().map(|(id, peer)| (*id, peer.device)).collect()
    }

    pub(super) fn circuit_relays(&self) -> impl Iterator<Item = PeerId> {
        self.peers.values().flat_map(|peer| peer.circuits.iter().map(RelayAddress::peer))
    }

    pub(super) fn contains(&self, id: &PeerId) -> bool {
        self.peers.contains_key(id)
    }

    /// Replaces the list, keeping what is known of those who stay. Those who go and are connected, which is told here and not when
    /// their connections end, or are being dialled.
    pub(super) fn set(&mut self, contacts: BTreeMap<PeerId, DeviceId>) -> Vec<(PeerId, Option<Event>)> {
        let mut gone = Vec::new();
        self.peers.retain(|id, peer| {
            let stays = contacts.contains_key(id);
            if !stays {
                peer.answer(&Err(NetError::NotAContact));
                if !peer.connections.is_empty() || peer.dial != Dial::Rest {
                    gone.push((*id, changed(*id, peer.device, peer.path(), Path::None)));
                }
            }
            stays
        });
        for (id, device) in contacts {
            self.peers.entry(id).or_insert_with(|| Peer::new(device)).device = device;
        }
        gone
    }

    pub(super) fn add_addresses(&mut self, id: &PeerId, addresses: &[Multiaddr]) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        for address in addresses.iter().take(MAX_ADDRESSES).rev().filter_map(|address| bare(address, id)) {
            if peer.learn(address) {
                peer.forget_pause();
            }
        }
    }

    pub(super) fn add_circuit(&mut self, id: &PeerId, relay: RelayAddress) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        if !peer.circuits.contains(&relay) {
            peer.circuits.retain(|known| known.peer() != relay.peer());
            peer.circuits.insert(0, relay);
            peer.circuits.truncate(MAX_CIRCUITS);
            peer.forget_pause();
        }
    }

    /// Connects a peer for someone who waits.
    pub(super) fn connect(&mut self, id: &PeerId, reply: Waiting, now: Instant) -> Next {
        let always_relay = self.always_relay;
        let Some(peer) = self.peers.get_mut(id) else {
            let _ = reply.send(Err(NetError::NotAContact));
            return Next::Rest;
        };
        if peer.path() != Path::None {
            let _ = reply.send(Ok(peer.path()));
            // A circuit serves at once; a straight way is tried beside it.
            let rested = peer.dial == Dial::Rest && peer.retry_at.is_none_or(|at| at <= now);
            let try_straight = peer.path() == Path::Circuit && !always_relay && rested;
            return if try_straight { peer.dial_direct(*id).map_or(Next::Rest, Next::Dial) } else { Next::Rest };
        }
        if let (Some(retry_at), Dial::Rest) = (peer.retry_at.filter(|at| *at > now), &peer.dial) {
            let reason = peer.last.as_ref().map_or_else(String::new, NetError::to_string);
            let retry_s = retry_at.saturating_duration_since(now).as_secs().saturating_add(1);
            let _ = reply.send(Err(NetError::BackingOff { retry_s, reason }));
            return Next::Rest;
        }
        if peer.waiting.len() >= MAX_WAITING {
            let _ = reply.send(Err(NetError::Busy));
            return Next::Rest;
        }
        peer.waiting.push(reply);
        if peer.dial != Dial::Rest {
            return Next::Rest;
        }
        let direct = if always_relay { None } else { peer.dial_direct(*id) };
        match direct.or_else(|| peer.dial_circuit(*id)) {
            Some(options) => Next::Dial(options),
            None => {
                let error = if always_relay { NetError::AlwaysRelay } else { NetError::NoAddress };
                peer.answer(&Err(error));
                Next::Rest
            }
        }
    }

    /// mDNS has found a contact: it is dialled unless the path is as good already.
    pub(super) fn discovered(&mut self, id: &PeerId, addresses: &BTreeSet<Multiaddr>) -> Next {
        let Some(peer) = self.peers.get_mut(id) else { return Next::Rest };
        let mut news = false;
        for address in addresses.iter().filter_map(|address| bare(address, id)) {
            if !peer.addresses.contains(&address) {
                peer.learn(address);
                news = true;
            }
        }
        if !news || peer.path() == Path::Lan || peer.dial != Dial::Rest {
            return Next::Rest;
        }
        peer.forget_pause();
        peer.dial_direct(*id).map_or(Next::Rest, Next::Dial)
    }

    /// A dial failed; `None` for one that the swarm refused to begin.
    pub(super) fn failed(
        &mut self,
        id: &PeerId,
        connection: Option<ConnectionId>,
        error: &DialError,
        now: Instant,
    ) -> Next {
        let Some(peer) = self.peers.get_mut(id) else { return Next::Rest };
        let (direct, ours) = match &peer.dial {
            Dial::Rest => return Next::Rest,
            Dial::Direct(ours) => (true, *ours),
            Dial::Circuit(ours) => (false, *ours),
        };
        if connection.is_some_and(|connection| connection != ours) {
            return Next::Rest;
        }
        let error = NetError::of_dial(*id, error);
        peer.dial = Dial::Rest;
        if direct {
            peer.direct = Some(error.clone());
        }
        if peer.path() != Path::None {
            return Next::Rest;
        }
        if direct && let Some(options) = peer.dial_circuit(*id) {
            return Next::Dial(options);
        }
        peer.give_up(error, now);
        Next::Rest
    }

    pub(super) fn established(
        &mut self,
        id: &PeerId,
        connection: ConnectionId,
        path: Path,
        dialled: Option<&Multiaddr>,
    ) -> Option<Event> {
        let peer = self.peers.get_mut(id)?;
        let before = peer.path();
        peer.connections.insert(connection, path);
        if matches!(&peer.dial, Dial::Direct(ours) | Dial::Circuit(ours) if *ours == connection) {
            peer.dial = Dial::Rest;
        }
        if let Some(address) = dialled.and_then(|address| bare(address, id)) {
            peer.proven = Some(address.clone());
            peer.learn(address);
        }
        match dialled {
            Some(_) => drop(peer.unheard.insert(connection)),
            None => peer.forget_pause(),
        }
        peer.last = None;
        peer.ended = false;
        let after = peer.path();
        peer.answer(&Ok(after));
        changed(*id, peer.device, before, after)
    }

    pub(super) fn closed(&mut self, id: &PeerId, connection: ConnectionId, now: Instant) -> Option<Event> {
        let peer = self.peers.get_mut(id)?;
        let before = peer.path();
        peer.connections.remove(&connection);
        if peer.unheard.remove(&connection) {
            peer.pause(NetError::Interrupted, now);
        }
        let after = peer.path();
        if after == Path::None {
            peer.ended = true;
            peer.round_trip = None;
        }
        changed(*id, peer.device, before, after)
    }

    /// A peer whose connection was left dead has come back by another one. Nobody was told that it was gone, but what was asked of it
    /// meanwhile is lost.
    pub(super) fn returned(&self, id: &PeerId) -> Option<Event> {
        let peer = self.peers.get(id)?;
        changed(*id, peer.device, Path::None, peer.path())
    }

    /// A connected peer says where it listens. What it says of private networks counts only on one: elsewhere those addresses
    /// are somebody else's.
    pub(super) fn identified(
        &mut self,
        id: &PeerId,
        connection: ConnectionId,
        addresses: &[Multiaddr],
    ) -> Option<Event> {
        let peer = self.peers.get_mut(id)?;
        let mut news = peer.unheard.remove(&connection);
        if news {
            peer.forget_pause();
        }
        let path = peer.path();
        for address in addresses.iter().take(MAX_ADDRESSES).filter_map(|address| bare(address, id)) {
            let near = crate::net::path::path_of(&address) == Path::Lan;
            let known = peer.addresses.contains(&address);
            if !known && (!near || path == Path::Lan) && peer.addresses.len() < MAX_ADDRESSES {
                peer.addresses.push(address);
                news = true;
            }
        }
        let found = || Event::Found { device: peer.device, addresses: peer.addresses.clone() };
        (news && !peer.addresses.is_empty()).then(found)
    }

    pub(super) fn measured(&mut self, id: &PeerId, round_trip: Duration) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.round_trip = Some(round_trip);
        }
    }

    pub(super) fn punch_failed(&mut self, id: &PeerId, reason: &str) {
        if let Some(peer) = self.peers.get_mut(id) {
            peer.direct = Some(NetError::Unreachable { reason: reason.to_owned() });
        }
    }

    pub(super) fn reachability(&self, id: &PeerId) -> Reachability {
        match self.peers.get(id) {
            Some(peer) => {
                let why = peer.why(self.always_relay);
                Reachability { path: peer.path(), why, round_trip: peer.round_trip }
            }
            None => Reachability { path: Path::None, why: Why::NotAContact, round_trip: None },
        }
    }

    /// Tells everyone who waits that it is over.
    pub(super) fn end(&mut self) {
        self.peers.values_mut().for_each(|peer| peer.answer(&Err(NetError::ShutDown)));
    }
}

fn changed(peer: PeerId, device: DeviceId, before: Path, after: Path) -> Option<Event> {
    match (before, after) {
        (before, after) if before == after => None,
        (Path::None, path) => Some(Event::PeerUp { peer, device, path }),
        (_, Path::None) => Some(Event::PeerDown { peer, device }),
        (_, path) => Some(Event::PathChanged { peer, device, path }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::TransportKey;

    fn peer(seed: u8) -> PeerId {
        TransportKey::from_seed([seed; 32].into()).unwrap().peer()
    }

    fn with(peers: &[PeerId]) -> Peers {
        let mut table = Peers::new(false);
        table.set(peers.iter().map(|peer| (*peer, DeviceId::new([1; 32]))).collect());
        table
    }

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn refused() -> DialError {
        DialError::Aborted
    }

    #[test]
    fn a_failed_direct_dial_goes_on_by_circuit_and_then_waits_longer_each_time() {
        let (id, relay) = (peer(1), peer(2));
        let mut table = with(&[id]);
        table.add_addresses(&id, &[address("/ip4/203.0.113.1/tcp/1")]);
        table.add_circuit(&id, RelayAddress::new(relay, &[address("/ip4/203.0.113.2/tcp/1")]).unwrap());
        let mut now = Instant::now();
        for pause in [1, 2, 4, 8] {
            let (reply, mut answer) = oneshot::channel();
            assert!(matches!(table.connect(&id, reply, now), Next::Dial(_)));
            assert!(matches!(table.failed(&id, None, &refused(), now), Next::Dial(_)), "then by circuit");
            assert!(matches!(table.failed(&id, None, &refused(), now), Next::Rest));
            assert!(matches!(answer.try_recv(), Ok(Err(NetError::Unreachable { .. }))));
            let (reply, mut answer) = oneshot::channel();
            assert!(matches!(table.connect(&id, reply, now), Next::Rest));
            assert!(matches!(answer.try_recv(), Ok(Err(NetError::BackingOff { .. }))));
            now += Duration::from_secs(pause);
        }
        // A new address ends the pause.
        table.add_addresses(&id, &[address("/ip4/203.0.113.3/tcp/1")]);
        assert!(matches!(table.connect(&id, oneshot::channel().0, now - Duration::from_secs(7)), Next::Dial(_)));
    }

    #[test]
    fn addresses_are_bounded_and_the_newest_stay() {
        let id = peer(1);
        let mut table = with(&[id]);
        for port in 1..100 {
            table.add_addresses(&id, &[address(&format!("/ip4/203.0.113.1/tcp/{port}"))]);
        }
        let known = &table.peers[&id].addresses;
        assert_eq!(known.len(), MAX_ADDRESSES);
        assert_eq!(known[0], address("/ip4/203.0.113.1/tcp/99"));
    }

    #[test]
    fn where_a_contact_was_reached_is_not_pushed_out_by_what_others_say() {
        let id = peer(1);
        let mut table = with(&[id]);
        let good = address("/ip4/203.0.113.1/tcp/1");
        table.established(&id, ConnectionId::new_unchecked(1), Path::Direct, Some(&good));
        for port in 1..100 {
            table.discovered(&id, &BTreeSet::from([address(&format!("/ip4/192.168.1.1/tcp/{port}"))]));
        }
        let known = &table.peers[&id].addresses;
        assert_eq!(known.len(), MAX_ADDRESSES);
        assert!(known.contains(&good), "{known:?}");
    }

    #[test]
    fn a_connected_contact_who_is_left_out_is_told_to_be_gone() {
        let (stays, goes) = (peer(1), peer(2));
        let mut table = with(&[stays, goes]);
        table.established(&stays, ConnectionId::new_unchecked(1), Path::Direct, None);
        table.established(&goes, ConnectionId::new_unchecked(2), Path::Direct, None);
        let gone = table.set(BTreeMap::from([(stays, DeviceId::new([1; 32]))]));
        assert!(matches!(&gone[..], [(id, Some(Event::PeerDown { .. }))] if *id == goes), "{gone:?}");
        assert!(table.closed(&goes, ConnectionId::new_unchecked(2), Instant::now()).is_none(), "it is not told twice");
    }

    #[test]
    fn a_distant_peer_cannot_point_us_at_our_own_network() {
        let id = peer(1);
        let mut table = with(&[id]);
        table.established(&id, ConnectionId::new_unchecked(1), Path::Direct, None);
        let connection = ConnectionId::new_unchecked(1);
        let said = [address("/ip4/192.168.1.1/tcp/80"), address("/ip4/203.0.113.1/tcp/1")];
        let found = table.identified(&id, connection, &said);
        assert!(matches!(found, Some(Event::Found { addresses, .. }) if addresses == said[1..]));
        assert!(table.identified(&id, connection, &said).is_none(), "it is known");
    }

    #[test]
    fn whoever_lets_nobody_in_is_dialled_less_often_each_time() {
        let id = peer(1);
        let mut table = with(&[id]);
        let there = address("/ip4/203.0.113.1/tcp/1");
        table.add_addresses(&id, std::slice::from_ref(&there));
        let (mut now, mut number) = (Instant::now(), 0);
        // A dial that is let in as far as the encryption goes.
        let mut dial = |table: &mut Peers, now| {
            let Next::Dial(options) = table.connect(&id, oneshot::channel().0, now) else { return None };
            number += 1;
            assert!(table.established(&id, options.connection_id(), Path::Direct, Some(&there)).is_some(), "{number}");
            Some(options.connection_id())
        };
        for pause in [1, 2, 4, 8] {
            let connection = dial(&mut table, now).expect("the pause is over");
            assert!(table.closed(&id, connection, now).is_some());
            assert!(dial(&mut table, now).is_none(), "at once");
            now += Duration::from_secs(pause);
        }
        // One that says who it is has let us in, and is dialled at once when it was lost.
        let connection = dial(&mut table, now).expect("the pause is over");
        table.identified(&id, connection, &[]);
        table.closed(&id, connection, now);
        assert!(dial(&mut table, now).is_some());
    }

    #[test]
    fn whoever_comes_by_themselves_lets_us_in() {
        let (id, now) = (peer(1), Instant::now());
        let mut table = with(&[id]);
        let there = address("/ip4/203.0.113.1/tcp/1");
        table.established(&id, ConnectionId::new_unchecked(1), Path::Direct, Some(&there));
        table.closed(&id, ConnectionId::new_unchecked(1), now);
        table.established(&id, ConnectionId::new_unchecked(2), Path::Direct, None);
        table.closed(&id, ConnectionId::new_unchecked(2), now);
        assert!(matches!(table.connect(&id, oneshot::channel().0, now), Next::Dial(_)));
    }

    #[test]
    fn a_better_path_is_told_and_the_worse_one_remains() {
        let id = peer(1);
        let mut table = with(&[id]);
        let (circuit, lan) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
        let up = table.established(&id, circuit, Path::Circuit, None);
        assert!(matches!(up, Some(Event::PeerUp { path: Path::Circuit, .. })));
        assert!(matches!(
            table.established(&id, lan, Path::Lan, None),
            Some(Event::PathChanged { path: Path::Lan, .. })
        ));
        assert!(matches!(table.closed(&id, lan, Instant::now()), Some(Event::PathChanged { path: Path::Circuit, .. })));
        assert!(matches!(table.closed(&id, circuit, Instant::now()), Some(Event::PeerDown { .. })));
        assert_eq!(table.reachability(&id).why, Why::Ended);
    }
}
