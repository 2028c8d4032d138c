//! Two devices' nodes on real sockets of this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kith_core::net::exchange::{self, Answer, Counters, Limits, Refusal};
use kith_core::net::{
    Event, Handle, Multiaddr, NetError, Node, NodeConfig, Path, PeerId, RelayAddress, TransportKey, Why, transport,
};
use kith_core::types::{DeviceId, EnvelopeId, GroupId, Hash};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::{Class, Envelope, Packet, Urgency};
use kith_core::wire::relay::{PushAnswer, Request};
use kith_core::wire::{log, protocol};
use libp2p::swarm::SwarmEvent;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long anything here may take before the test fails.
const LIMIT: Duration = Duration::from_secs(30);

const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";

struct Device {
    net: Handle,
    events: mpsc::Receiver<Event>,
}

async fn device(seed: u8, listen: &str) -> Device {
    let key = TransportKey::from_seed([seed; 32].into()).unwrap();
    let config = NodeConfig { listen: vec![listen.parse().unwrap()], mdns: false, ..NodeConfig::new(key) };
    let (net, events) = Node::start(config).await.unwrap();
    Device { net, events }
}

impl Device {
    fn peer(&self) -> PeerId {
        self.net.local_peer()
    }

    async fn knows(&self, others: &[&Device]) {
        let contacts = others.iter().map(|other| (other.peer(), id_of(other))).collect();
        self.net.set_contacts(contacts).await.unwrap();
        for other in others {
            let addresses = other.net.addresses().await.unwrap();
            assert!(!addresses.is_empty());
            self.net.add_addresses(other.peer(), addresses).await.unwrap();
        }
    }

    async fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        let next = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(LIMIT, next).await.unwrap()
    }

    /// Answers every envelope with *durable*, and says what came.
    fn accepts_all(self) -> mpsc::Receiver<Vec<u8>> {
        let Self { net, mut events } = self;
        let (came, receiver) = mpsc::channel(64);
        tokio::spawn(async move {
            // Held here: a node ends with its last handle.
            let _net = net;
            while let Some(event) = events.recv().await {
                if let Event::Envelope { bytes, reply, .. } = event {
                    reply.send(PushAnswer::Durable);
                    let _ = came.send(bytes).await;
                }
            }
        });
        receiver
    }
}

fn id_of(device: &Device) -> DeviceId {
    DeviceId::try_from(&device.peer().to_bytes()[6..38]).unwrap()
}

fn envelope(number: u8, bytes: usize) -> Vec<u8> {
    let packet = Packet::Mls { group: GroupId::new([1; 32]), message: vec![number; bytes] }.encode();
    Envelope { id: EnvelopeId::new([number; 16]), class: Class::Durable, urgency: Urgency::Normal, packet }.encode()
}

async fn exchange_both_ways(listen: &str) {
    let alice = device(1, listen).await;
    let bob = device(2, listen).await;
    alice.knows(&[&bob]).await;
    bob.knows(&[&alice]).await;
    let (to_alice, to_bob) = (alice.net.clone(), bob.net.clone());
    let (alice_peer, bob_peer) = (alice.peer(), bob.peer());
    let (mut at_alice, mut at_bob) = (alice.accepts_all(), bob.accepts_all());
    for number in 0..20 {
        let sent = envelope(number, 200);
        assert_eq!(to_alice.deliver(bob_peer, &sent).await, Ok(PushAnswer::Durable));
        assert_eq!(at_bob.recv().await.unwrap(), sent);
    }
    let large = envelope(99, 1_400_000);
    assert_eq!(to_bob.deliver(alice_peer, &large).await, Ok(PushAnswer::Durable));
    assert_eq!(at_alice.recv().await.unwrap(), large);
    let reached = to_alice.reachability(bob_peer).await.unwrap();
    assert_eq!((reached.path, reached.why), (Path::Lan, Why::Best));
    to_alice.shutdown().await;
    to_bob.shutdown().await;
    assert_eq!(to_alice.deliver(bob_peer, &envelope(0, 10)).await, Err(NetError::ShutDown));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelopes_go_both_ways_over_quic() {
    exchange_both_ways(QUIC).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envelopes_go_both_ways_over_tcp() {
    exchange_both_ways(TCP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coming_and_going_of_a_contact_is_told() {
    let mut alice = device(1, QUIC).await;
    let bob = device(2, QUIC).await;
    alice.knows(&[&bob]).await;
    bob.knows(&[&alice]).await;
    assert_eq!(bob.net.connect(alice.peer()).await, Ok(Path::Lan));
    let up = alice.event(|event| matches!(event, Event::PeerUp { .. })).await;
    assert!(
        matches!(up, Event::PeerUp { peer, device, path: Path::Lan } if peer == bob.peer() && device == id_of(&bob))
    );
    // No longer a contact: the connection is ended from this side.
    bob.net.set_contacts(BTreeMap::new()).await.unwrap();
    let down = alice.event(|event| matches!(event, Event::PeerDown { .. })).await;
    assert!(matches!(down, Event::PeerDown { peer, .. } if peer == bob.peer()));
    assert_eq!(alice.net.reachability(bob.peer()).await.unwrap().why, Why::Ended);
}

/// Passes datagrams between whoever speaks first and a node that listens by QUIC, until it is told that the cable is cut.
async fn cable(to: &Multiaddr) -> (Multiaddr, Arc<AtomicBool>) {
    let port = to.to_string().split('/').nth(4).unwrap().parse().unwrap();
    let node = SocketAddr::from(([127, 0, 0, 1], port));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let here = format!("/ip4/127.0.0.1/udp/{}/quic-v1", socket.local_addr().unwrap().port());
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = Arc::clone(&cut);
    tokio::spawn(async move {
        let (mut datagram, mut caller) = ([0; 2048], None);
        while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            let to = if from == node { caller } else { Some(node) };
            caller = if from == node { caller } else { Some(from) };
            if let Some(to) = to.filter(|_| !is_cut.load(Ordering::Relaxed)) {
                let _ = socket.send_to(&datagram[..length], to).await;
            }
        }
    });
    (here.parse().unwrap(), cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_of_who_was_killed_and_is_back_ends_soon() {
    let alice = device(1, QUIC).await;
    let mut bob = device(2, QUIC).await;
    alice.knows(&[&bob]).await;
    bob.net.set_contacts([(alice.peer(), id_of(&alice))].into()).await.unwrap();
    let (way, cut) = cable(&alice.net.addresses().await.unwrap()[0]).await;
    bob.net.add_addresses(alice.peer(), vec![way]).await.unwrap();
    assert_eq!(bob.net.connect(alice.peer()).await, Ok(Path::Lan));
    bob.event(|event| matches!(event, Event::PeerUp { .. })).await;
    // Nobody takes Alice's events: what is asked of her has no answer.
    let (net, peer) = (bob.net.clone(), alice.peer());
    let asked = tokio::spawn(async move { net.deliver(peer, &envelope(1, 200)).await });
    cut.store(true, Ordering::Relaxed);

    let back = device(1, QUIC).await;
    back.knows(&[&bob]).await;
    let begun = Instant::now();
    assert_eq!(back.net.connect(bob.peer()).await, Ok(Path::Lan));
    assert_eq!(asked.await.unwrap(), Err(NetError::Interrupted));
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    // Who was not known to be away is told to be there again.
    bob.event(|event| matches!(event, Event::PeerUp { .. })).await;
    let mut at_alice = back.accepts_all();
    assert_eq!(bob.net.deliver(peer, &envelope(2, 200)).await, Ok(PushAnswer::Durable));
    assert_eq!(at_alice.recv().await.unwrap(), envelope(2, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_connections_that_both_work_stay() {
    let alice = device(1, QUIC).await;
    let mut bob = device(2, QUIC).await;
    alice.knows(&[&bob]).await;
    bob.knows(&[&alice]).await;
    let (peer, asking) = (alice.peer(), bob.net.clone());
    assert_eq!(bob.net.connect(peer).await, Ok(Path::Lan));
    bob.event(|event| matches!(event, Event::PeerUp { .. })).await;
    let asked = tokio::spawn(async move { asking.deliver(peer, &envelope(1, 200)).await });
    // A second one, which is made although there is one: as when both dial at once.
    let second = device(1, QUIC).await;
    second.knows(&[&bob]).await;
    assert_eq!(second.net.connect(bob.peer()).await, Ok(Path::Lan));
    // Longer than it is waited for a sign of life.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!asked.is_finished(), "a connection that works was ended");
    let _at_alice = alice.accepts_all();
    assert_eq!(asked.await.unwrap(), Ok(PushAnswer::Durable));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_gets_no_connection() {
    let alice = device(1, QUIC).await;
    let mallory = device(3, QUIC).await;
    mallory.knows(&[&alice]).await;
    let alice_net = alice.net.clone();
    let alice_peer = alice.peer();
    let mut at_alice = alice.accepts_all();
    let refused = mallory.net.deliver(alice_peer, &envelope(1, 10)).await;
    // On her side the connection is made and ends at once, or is not made, whichever she notices first.
    assert!(matches!(refused, Err(NetError::Interrupted | NetError::Unreachable { .. })), "{refused:?}");
    assert!(at_alice.try_recv().is_err());
    assert_eq!(alice_net.counts().answered, 0);
    // And one is not connected to who is no contact of ours.
    assert_eq!(mallory.net.deliver(PeerId::random(), &envelope(1, 10)).await, Err(NetError::NotAContact));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_envelope_is_refused_and_counted_and_the_connection_stays() {
    let alice = device(1, QUIC).await;
    let bob = device(2, QUIC).await;
    alice.knows(&[&bob]).await;
    bob.knows(&[&alice]).await;
    let bob_net = bob.net.clone();
    let _at_bob = bob.accepts_all();
    let bob_peer = bob_net.local_peer();
    let refused = alice.net.deliver(bob_peer, b"no envelope").await;
    assert_eq!(refused, Err(NetError::Refused(Refusal::Unreadable)));
    let limit = Envelope::MAX_BYTES;
    let large = vec![1; limit + 1];
    assert_eq!(alice.net.deliver(bob_peer, &large).await, Err(NetError::TooLarge { actual: limit + 1, limit }));
    assert_eq!(alice.net.deliver(bob_peer, &envelope(1, 10)).await, Ok(PushAnswer::Durable));
    let counts = bob_net.counts();
    assert_eq!((counts.unreadable, counts.answered), (1, 1));
}

/// What answers every request with the same bytes, as long as the test goes on.
async fn relay_that_says(answer: Vec<u8>) -> RelayAddress {
    let key = TransportKey::throwaway();
    let (behaviour, _, accepted) = exchange::Behaviour::new(&[protocol::RELAY], true);
    let base = transport::base(&key, transport::Role::Relay).unwrap();
    let mut swarm = transport::swarm(&key, base, behaviour, LIMIT);
    swarm.listen_on(TCP.parse().unwrap()).unwrap();
    let limits = Limits {
        protocols: vec![(protocol::RELAY, Request::MAX_BYTES)],
        lanes_per_peer: 4,
        lanes: 4,
        body_bytes: 1 << 20,
        transfer: LIMIT,
        patience: LIMIT,
    };
    let handler = move |_| std::future::ready(Answer::Body(answer.clone()));
    tokio::spawn(exchange::serve(accepted, limits, Counters::default(), CancellationToken::new(), handler));
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break address;
        }
    };
    tokio::spawn(async move { while swarm.next().await.is_some() {} });
    RelayAddress::new(key.peer(), &[address]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_makes_no_sense_is_an_error_and_counted() {
    let alice = device(1, TCP).await;
    let relay = relay_that_says(b"no answer".to_vec()).await;
    // A stranger's relay first, and then one's own.
    for counted in 1..=2 {
        let answer = alice.net.relay_request(&relay, &Request::Hello).await;
        assert!(matches!(answer, Err(NetError::Malformed(_))), "{answer:?}");
        assert_eq!(alice.net.counts().nonsense, counted);
        alice.net.set_relays(vec![relay.clone()]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_at_a_known_address_is_named() {
    let alice = device(1, QUIC).await;
    let bob = device(2, QUIC).await;
    let expected = PeerId::random();
    alice.net.set_contacts([(expected, DeviceId::new([9; 32]))].into()).await.unwrap();
    let addresses = bob.net.addresses().await.unwrap();
    alice.net.add_addresses(expected, addresses).await.unwrap();
    let wrong = NetError::WrongKey { expected: expected.into(), found: bob.peer().into() };
    assert_eq!(alice.net.connect(expected).await, Err(wrong.clone()));
    assert_eq!(alice.net.reachability(expected).await.unwrap().why, Why::Failed(wrong));
    assert!(matches!(alice.net.connect(expected).await, Err(NetError::BackingOff { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_away_is_unreachable_and_one_without_address_is_told_apart() {
    let alice = device(1, QUIC).await;
    let gone = device(2, TCP).await;
    alice.knows(&[&gone]).await;
    gone.net.shutdown().await;
    assert!(matches!(alice.net.connect(gone.peer()).await, Err(NetError::Unreachable { .. })));
    let unknown = PeerId::random();
    alice.net.set_contacts([(unknown, DeviceId::new([9; 32]))].into()).await.unwrap();
    assert_eq!(alice.net.connect(unknown).await, Err(NetError::NoAddress));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_a_home_for_its_contacts() {
    let alice = device(1, TCP).await;
    let mut bob = device(2, TCP).await;
    alice.knows(&[&bob]).await;
    bob.knows(&[&alice]).await;
    let (alice_net, bob_peer) = (alice.net.clone(), bob.peer());
    let request = log::Request::Create { group: GroupId::new([3; 32]), write_key_hash: Hash::new([4; 32]) };
    let asked = request.clone();
    let asking = tokio::spawn(async move { alice_net.home_request(bob_peer, &asked).await });
    let event = bob.event(|event| matches!(event, Event::HomeRequest { .. })).await;
    let Event::HomeRequest { peer, request: came, reply, .. } = event else { unreachable!() };
    assert_eq!((peer, came), (alice.peer(), request));
    reply.send(log::Response::Created);
    assert_eq!(asking.await.unwrap(), Ok(log::Response::Created));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_takes_no_events_holds_back_those_who_send_and_nobody_else() {
    let alice = device(1, QUIC).await;
    let bob = device(2, QUIC).await;
    let carol = device(3, QUIC).await;
    bob.knows(&[&alice, &carol]).await;
    alice.knows(&[&bob]).await;
    carol.knows(&[&bob]).await;
    // Bob's events are not taken, and so nothing is answered. Alice sends more than may be under way at once.
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..64 {
        let (net, peer) = (alice.net.clone(), bob.peer());
        sending.spawn(async move { net.deliver(peer, &envelope(number, 1000)).await });
    }
    // The swarm goes on: another contact connects, and state is told.
    assert_eq!(carol.net.connect(bob.peer()).await, Ok(Path::Lan));
    assert_eq!(bob.net.connect(carol.peer()).await, Ok(Path::Lan));
    let _at_bob = bob.accepts_all();
    let delivered = tokio::time::timeout(LIMIT, sending.join_all()).await.unwrap();
    assert!(delivered.iter().all(|answer| *answer == Ok(PushAnswer::Durable)), "{delivered:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_contact_with_large_envelopes_under_way_holds_back_nobody_else() {
    let alice = device(1, QUIC).await;
    let mut bob = device(2, QUIC).await;
    let carol = device(3, QUIC).await;
    bob.knows(&[&alice, &carol]).await;
    alice.knows(&[&bob]).await;
    carol.knows(&[&bob]).await;
    // As much as a connection may have under way: together they would take the whole room for bodies.
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (net, peer) = (alice.net.clone(), bob.peer());
        sending.spawn(async move { net.deliver(peer, &envelope(number, 2_096_900)).await });
    }
    let mut held = Vec::new();
    while held.len() < 4 {
        let Event::Envelope { reply, .. } = bob.event(|event| matches!(event, Event::Envelope { .. })).await else {
            unreachable!()
        };
        held.push(reply);
    }
    let (net, peer) = (carol.net.clone(), bob.peer());
    let of_carol = tokio::spawn(async move { net.deliver(peer, &envelope(99, 20_000)).await });
    let from_carol = |event: &Event| matches!(event, Event::Envelope { peer, .. } if *peer == carol.peer());
    let Event::Envelope { reply, .. } = bob.event(from_carol).await else { unreachable!() };
    reply.send(PushAnswer::Durable);
    assert_eq!(of_carol.await.unwrap(), Ok(PushAnswer::Durable));
    held.into_iter().for_each(|reply| reply.send(PushAnswer::Durable));
    let _at_bob = bob.accepts_all();
    let delivered = tokio::time::timeout(LIMIT, sending.join_all()).await.unwrap();
    // What was too much at once was refused, to be sent again or left in the mailbox.
    let refused = Err(NetError::Refused(Refusal::Busy));
    assert!(delivered.iter().all(|answer| *answer == Ok(PushAnswer::Durable) || *answer == refused), "{delivered:?}");
    assert!(delivered.contains(&Ok(PushAnswer::Durable)) && delivered.contains(&refused), "{delivered:?}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", held.local_addr().unwrap().port()).parse().unwrap();
    let key = TransportKey::from_seed([1; 32].into()).unwrap();
    let config = NodeConfig { listen: vec![address], mdns: false, ..NodeConfig::new(key) };
    assert!(matches!(Node::start(config).await, Err(NetError::Listen { .. })));
}
