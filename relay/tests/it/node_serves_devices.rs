//! The relay's node and devices' nodes on real sockets of this machine. What the relay answers is made up here: the domain has
//! its own tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kith_core::net::exchange::{ExchangeError, Refusal as Unseen};
use kith_core::net::{
    Down, Event, Handle, Multiaddr, NetError, Node, NodeConfig, Path, RelayAddress, TransportKey, Why, key_of_peer,
};
use kith_core::types::{DeviceId, EnvelopeId, GroupId, Incarnation};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::{Class, Envelope, Packet, Urgency};
use kith_core::wire::relay::{Cursor, Push, PushAnswer, Refusal, Request, Response};
use kith_relay::domain::Caller;
use kith_relay::metrics::Metrics;
use kith_relay::node::{self, NodeError, NodeHandle};
use tokio::sync::{Semaphore, mpsc};

/// How long anything here may take before the test fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Between looks at a port that another process has.
const LOOK: Duration = Duration::from_millis(20);

const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";

struct Relay {
    node: NodeHandle,
    metrics: Metrics,
    /// What `Lookup` waits for.
    gate: Arc<Semaphore>,
    lookups: Arc<AtomicUsize>,
    callers: mpsc::Receiver<Caller>,
    gone: mpsc::Receiver<[u8; 32]>,
}

fn configured(seed: u8, listen: Vec<Multiaddr>) -> node::NodeConfig {
    node::NodeConfig {
        key: TransportKey::from_seed([seed; 32].into()).unwrap(),
        listen,
        external: Vec::new(),
        max_connections: 4096,
        max_circuits: 64,
        metrics: Metrics::new(),
    }
}

async fn relay(seed: u8, listen: Vec<Multiaddr>) -> Relay {
    let config = configured(seed, listen);
    // A port that a relay had before may have been drawn by another process's test in the meantime.
    let begun = tokio::time::Instant::now();
    loop {
        match start(config.clone()).await {
            Err(NodeError::Listen { .. }) if begun.elapsed() < LIMIT => tokio::time::sleep(LOOK).await,
            started => return started.unwrap(),
        }
    }
}

async fn start(config: node::NodeConfig) -> Result<Relay, NodeError> {
    let (called, callers) = mpsc::channel(1024);
    let (went, gone) = mpsc::channel(1024);
    let gate = Arc::new(Semaphore::new(0));
    let lookups = Arc::new(AtomicUsize::new(0));
    let metrics = config.metrics.clone();
    let (held, begun) = (Arc::clone(&gate), Arc::clone(&lookups));
    let answer = move |caller: Caller, request: Request| {
        let (called, gate, lookups) = (called.clone(), Arc::clone(&held), Arc::clone(&begun));
        async move {
            let _ = called.try_send(caller);
            match request {
                Request::Hello => Response::Done,
                Request::Fetch { .. } => {
                    let cursor = Cursor { queue: Incarnation::new([1; 8]), next: 0 };
                    Response::Waiting { cursor, envelopes: Vec::new(), more: false }
                }
                Request::Lookup { .. } => {
                    lookups.fetch_add(1, Ordering::SeqCst);
                    let _permit = gate.acquire().await;
                    Response::Refused(Refusal::NotFound)
                }
                _ => Response::Refused(Refusal::Unknown),
            }
        }
    };
    let node = node::Node::start(config, answer, None, move |key| {
        let went = went.clone();
        async move { went.send(key).await.unwrap_or_default() }
    });
    Ok(Relay { node: node.await?, metrics, gate, lookups, callers, gone })
}

fn any(listen: &[&str]) -> Vec<Multiaddr> {
    listen.iter().map(|address| address.parse().unwrap()).collect()
}

impl Relay {
    fn address(&self) -> RelayAddress {
        RelayAddress::new(self.node.peer(), &self.node.addresses()).unwrap()
    }

    /// Whether what it counts has this line.
    fn counts(&self, line: &str) -> bool {
        self.metrics.text().lines().any(|counted| counted == format!("kith_relay_{line}"))
    }
}

struct Device {
    net: Handle,
    events: mpsc::Receiver<Event>,
}

async fn device(seed: u8, always_relay: bool) -> Device {
    let key = TransportKey::from_seed([seed; 32].into()).unwrap();
    let config = NodeConfig { listen: any(&[QUIC, TCP]), mdns: false, always_relay, ..NodeConfig::new(key) };
    let (net, events) = Node::start(config).await.unwrap();
    Device { net, events }
}

impl Device {
    async fn event<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> T {
        let next = async {
            loop {
                if let Some(found) = wanted(self.events.recv().await.unwrap()) {
                    return found;
                }
            }
        };
        tokio::time::timeout(LIMIT, next).await.unwrap()
    }

    async fn signs_in(&mut self, relay: &RelayAddress) {
        self.net.set_relays(vec![relay.clone()]).await.unwrap();
        let fetched = self.net.relay_request(relay, &Request::Fetch { from: None }).await;
        assert!(matches!(fetched, Ok(Response::Waiting { .. })), "{fetched:?}");
    }

    async fn knows(&self, other: &Device) {
        let device = DeviceId::new(key_of_peer(&other.net.local_peer()).unwrap());
        self.net.set_contacts(BTreeMap::from([(other.net.local_peer(), device)])).await.unwrap();
    }

    /// Answers every envelope and push with *durable* until the test ends.
    fn accepts_all(self) -> Handle {
        let Self { net, mut events } = self;
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::Envelope { reply, .. } | Event::Push { reply, .. } = event {
                    reply.send(PushAnswer::Durable);
                }
            }
        });
        net
    }
}

fn envelope(number: u8) -> Vec<u8> {
    let packet = Packet::Mls { group: GroupId::new([1; 32]), message: vec![number; 200] }.encode();
    Envelope { id: EnvelopeId::new([number; 16]), class: Class::Durable, urgency: Urgency::Normal, packet }.encode()
}

pub(crate) async fn until(what: impl Fn() -> bool) {
    let met = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, met).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_answered_and_says_who_asks_over_quic_and_tcp() {
    for listen in [QUIC, TCP] {
        let mut relay = relay(100, any(&[listen])).await;
        let mut device = device(1, false).await;
        device.signs_in(&relay.address()).await;
        let caller = relay.callers.recv().await.unwrap();
        assert_eq!(caller.peer, key_of_peer(&device.net.local_peer()).unwrap());
        assert_eq!(caller.address, Some([127, 0, 0, 1].into()));
        device.event(|event| matches!(event, Event::RelayUp { .. }).then_some(())).await;
        device.net.shutdown().await;
        assert_eq!(relay.gone.recv().await.unwrap(), caller.peer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_reaches_a_connected_device_and_its_answer_comes_back() {
    let relay = relay(101, any(&[QUIC])).await;
    let mut device = device(1, false).await;
    device.signs_in(&relay.address()).await;
    let key = key_of_peer(&device.net.local_peer()).unwrap();
    let push = Push::Live { envelope: envelope(1) };
    let (node, sent) = (relay.node.clone(), push.clone());
    let pushing = tokio::spawn(async move { node.push(&key, &sent).await });
    let (from, came, reply) = device
        .event(|event| match event {
            Event::Push { relay, push, reply } => Some((relay, push, reply)),
            _ => None,
        })
        .await;
    assert_eq!((from, came), (relay.node.peer(), push.clone()));
    reply.send(PushAnswer::Durable);
    assert_eq!(pushing.await.unwrap(), Ok(PushAnswer::Durable));
    let away = relay.node.push(&[1; 32], &push).await;
    assert!(matches!(away, Err(NodeError::Exchange(ExchangeError::NotConnected) | NodeError::InvalidKey)), "{away:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_gives_no_connection_to_who_takes_it_for_a_relay() {
    let (asking, asked) = (device(1, false).await, device(2, false).await);
    let address = RelayAddress::new(asked.net.local_peer(), &asked.net.addresses().await.unwrap()).unwrap();
    let answer = asking.net.relay_request(&address, &Request::Hello).await;
    let ended = matches!(answer, Err(NetError::Interrupted | NetError::Unsupported(_) | NetError::Unreachable { .. }));
    assert!(ended, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_comes_back_is_connected_again() {
    let first = relay(103, any(&[QUIC, TCP])).await;
    let address = first.address();
    let listen = bare(&first.node);
    let mut device = device(1, false).await;
    device.signs_in(&address).await;
    device.event(|event| matches!(event, Event::RelayUp { .. }).then_some(())).await;

    // A request is under way when the relay goes.
    let (net, to) = (device.net.clone(), address.clone());
    let asking = tokio::spawn(async move { net.relay_request(&to, &Request::Lookup { handle: "bob".into() }).await });
    until(|| first.lookups.load(Ordering::SeqCst) == 1).await;
    first.node.shutdown().await;
    assert_eq!(asking.await.unwrap(), Err(NetError::Interrupted));
    let down = device
        .event(|event| match event {
            Event::RelayDown { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!(down, Down::Lost);
    drop(first);

    let away = device.net.relay_request(&address, &Request::Hello).await;
    assert!(
        matches!(away, Err(NetError::Unreachable { .. } | NetError::BackingOff { .. } | NetError::TimedOut)),
        "{away:?}"
    );

    let second = relay(103, listen).await;
    device.event(|event| matches!(event, Event::RelayUp { .. }).then_some(())).await;
    assert_eq!(device.net.relay_request(&address, &Request::Hello).await, Ok(Response::Done));
    assert_eq!(second.node.connected(), 1);
}

/// The addresses of a node as it is told to listen there: without its name.
fn bare(node: &NodeHandle) -> Vec<Multiaddr> {
    let bare = |address: Multiaddr| {
        let parts = address.iter().filter(|part| !matches!(part, libp2p::multiaddr::Protocol::P2p(_)));
        parts.collect()
    };
    node.addresses().into_iter().map(bare).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ports_of_a_node_are_free_when_it_was_shut_down() {
    // With both, a device gives up one dial when the other was faster: what is left of it must not keep the port.
    let both: &[&str] = &[QUIC, TCP];
    for listen in [&[QUIC], &[TCP], both, both, both, both, both, both] {
        let first = relay(113, any(listen)).await;
        let mut device = device(1, false).await;
        device.signs_in(&first.address()).await;
        let listen = bare(&first.node);
        first.node.shutdown().await;
        let second = start(configured(113, listen.clone())).await;
        assert!(second.is_ok(), "{listen:?}: {:?}", second.err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_with_another_key_is_named() {
    let other = relay(104, any(&[QUIC])).await;
    let expected = TransportKey::from_seed([105; 32].into()).unwrap().peer();
    let wrong = RelayAddress::new(expected, &bare(&other.node)).unwrap();
    let error = NetError::WrongKey { expected: expected.into(), found: other.node.peer().into() };
    let mut device = device(1, false).await;
    // A foreign relay, and an own one.
    assert_eq!(device.net.relay_request(&wrong, &Request::Hello).await, Err(error.clone()));
    device.net.set_relays(vec![wrong.clone()]).await.unwrap();
    assert_eq!(device.net.relay_request(&wrong, &Request::Hello).await, Err(error.clone()));
    let down = device
        .event(|event| match event {
            Event::RelayDown { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!(down, Down::Failed(error));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_relay_sees_a_key_that_is_not_ours_and_two_see_two() {
    let (mut one, mut two) = (relay(106, any(&[QUIC])).await, relay(107, any(&[TCP])).await);
    let device = device(1, false).await;
    for relay in [&one, &two] {
        assert_eq!(device.net.relay_request(&relay.address(), &Request::Hello).await, Ok(Response::Done));
    }
    let (at_one, at_two) = (one.callers.recv().await.unwrap(), two.callers.recv().await.unwrap());
    let ours = key_of_peer(&device.net.local_peer()).unwrap();
    assert!(at_one.peer != ours && at_two.peer != ours && at_one.peer != at_two.peer);
    device.net.shutdown().await;
    assert_eq!(one.gone.recv().await.unwrap(), at_one.peer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_without_a_direct_path_meet_through_the_circuit() {
    let relay = relay(108, any(&[QUIC, TCP])).await;
    // Bob listens on nothing but the circuit.
    let (mut alice, mut bob) = (device(1, false).await, device(2, true).await);
    bob.signs_in(&relay.address()).await;
    let reserved = |event| matches!(event, Event::Reserved { reserved: true, .. }).then_some(());
    bob.event(reserved).await;
    alice.signs_in(&relay.address()).await;
    alice.knows(&bob).await;
    bob.knows(&alice).await;
    let bob_peer = bob.net.local_peer();
    let bob_net = bob.accepts_all();
    assert_eq!(alice.net.deliver(bob_peer, &envelope(1)).await, Err(NetError::NoAddress));
    alice.net.add_circuit(bob_peer, relay.address()).await.unwrap();
    for number in 0..10 {
        assert_eq!(alice.net.deliver(bob_peer, &envelope(number)).await, Ok(PushAnswer::Durable));
    }
    let reached = alice.net.reachability(bob_peer).await.unwrap();
    assert_eq!((reached.path, reached.why), (Path::Circuit, Why::NoAddress));
    let back = bob_net.reachability(alice.net.local_peer()).await.unwrap();
    assert_eq!((back.path, back.why), (Path::Circuit, Why::AlwaysRelay));
    let circuits = relay.node.circuits().await.unwrap();
    assert_eq!((circuits.reserved, circuits.open), (2, 1));
    assert!(relay.counts("circuits_reserved 2") && relay.counts("circuits_open 1"), "{}", relay.metrics.text());
    // It sees no address of Bob's: none was told.
    let path = alice.event(|event| match event {
        Event::PeerUp { path, .. } => Some(path),
        _ => None,
    });
    assert_eq!(path.await, Path::Circuit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_not_signed_in_gets_no_circuit() {
    let relay = relay(109, any(&[QUIC])).await;
    let device = device(1, true).await;
    device.net.set_relays(vec![relay.address()]).await.unwrap();
    assert_eq!(device.net.relay_request(&relay.address(), &Request::Hello).await, Ok(Response::Done));
    assert_eq!(relay.node.circuits().await.unwrap().reserved, 0);
    // The same device after it has signed in: the refusal was for that and nothing else.
    let mut device = device;
    device.signs_in(&relay.address()).await;
    device.event(|event| matches!(event, Event::Reserved { reserved: true, .. }).then_some(())).await;
    // The device may hear of it before the relay's node has counted it.
    let counted = async {
        while relay.node.circuits().await.unwrap().reserved != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), counted).await.expect("the relay counts the reservation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_peers_flood_waits_and_another_is_served() {
    let relay = relay(110, any(&[QUIC])).await;
    let address = relay.address();
    let (mut flooding, mut other) = (device(1, false).await, device(2, false).await);
    flooding.signs_in(&address).await;
    other.signs_in(&address).await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (net, to) = (flooding.net.clone(), address.clone());
        asking.spawn(async move { net.relay_request(&to, &Request::Lookup { handle: "bob".into() }).await });
    }
    until(|| relay.lookups.load(Ordering::SeqCst) >= 15).await;
    assert_eq!(other.net.relay_request(&address, &Request::Hello).await, Ok(Response::Done));
    let under_way = relay.lookups.load(Ordering::SeqCst);
    assert!(under_way <= 32, "{under_way} requests of one peer at once");
    relay.gate.close();
    let answers = tokio::time::timeout(LIMIT, asking.join_all()).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Ok(Response::Refused(Refusal::NotFound))));
}

pub(crate) mod hostile {
    //! A peer that keeps to no protocol of ours: raw streams.
    use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
    use kith_core::net::transport;
    use kith_core::wire::protocol;
    use libp2p::StreamProtocol;

    use super::*;

    pub(crate) struct Raw {
        control: libp2p_stream::Control,
        relay: RelayAddress,
    }

    pub(crate) async fn raw(node: &NodeHandle) -> Raw {
        let behaviour = libp2p_stream::Behaviour::new();
        let control = behaviour.new_control();
        let key = TransportKey::throwaway();
        let mut swarm =
            transport::swarm(&key, transport::base(&key, transport::Role::Device).unwrap(), behaviour, LIMIT);
        swarm.dial(node.addresses()[0].clone()).unwrap();
        tokio::spawn(async move { while swarm.next().await.is_some() {} });
        until(|| node.connected() == 1).await;
        Raw { control, relay: RelayAddress::new(node.peer(), &node.addresses()).unwrap() }
    }

    impl Raw {
        pub(crate) async fn says(&mut self, bytes: &[u8]) -> Vec<u8> {
            let protocol = StreamProtocol::new(protocol::RELAY);
            let mut stream = self.control.open_stream(self.relay.peer(), protocol).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.flush().await.unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).await.unwrap();
            let mut body = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut body).await.unwrap();
            body
        }
    }

    pub(crate) fn frame(body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32).to_be_bytes(), body].concat()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_cannot_be_read_is_answered_and_counted_and_the_connection_stays() {
        let relay = relay(111, any(&[TCP])).await;
        let mut raw = raw(&relay.node).await;
        // Longer than any request: refused by its length alone.
        assert_eq!(raw.says(&u32::MAX.to_be_bytes()).await, [Unseen::MARK, Unseen::TooLarge.code()]);
        // A request that this relay does not know: a newer one's.
        let unknown = [&[1_u8, 0x64][..], b"news"].concat();
        assert_eq!(Response::decode(&raw.says(&frame(&unknown)).await), Ok(Response::Refused(Refusal::Unknown)));
        assert_eq!(Response::decode(&raw.says(&frame(&[9, 1, 2])).await), Ok(Response::Refused(Refusal::Unknown)));
        let malformed = Response::decode(&raw.says(&frame(&[1, 0xff, 0xff])).await);
        assert!(matches!(malformed, Ok(Response::Refused(Refusal::Malformed(_)))), "{malformed:?}");
        assert_eq!(Response::decode(&raw.says(&frame(&[])).await), Ok(Response::Refused(Refusal::Unknown)));
        assert_eq!(Response::decode(&raw.says(&frame(&Request::Hello.encode())).await), Ok(Response::Done));
        let counts = relay.node.counts();
        assert_eq!((counts.too_large, counts.unreadable, relay.node.connected()), (1, 4, 1));
        for line in [
            "unserved_total{why=\"too_large\"} 1",
            "decode_errors_total{kind=\"malformed\"} 2",
            "decode_errors_total{kind=\"from_the_future\"} 1",
            "decode_errors_total{kind=\"empty\"} 1",
        ] {
            assert!(relay.counts(line), "{line} is missing in {}", relay.metrics.text());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn lanes_beyond_a_peers_share_are_refused() {
        let relay = relay(112, any(&[QUIC])).await;
        let mut raw = raw(&relay.node).await;
        let mut held = Vec::new();
        for _ in 0..32 {
            let protocol = StreamProtocol::new(protocol::RELAY);
            let mut stream = raw.control.open_stream(raw.relay.peer(), protocol).await.unwrap();
            stream.write_all(&frame(&Request::Lookup { handle: "bob".into() }.encode())).await.unwrap();
            stream.flush().await.unwrap();
            held.push(stream);
        }
        until(|| relay.lookups.load(Ordering::SeqCst) == 32).await;
        assert_eq!(raw.says(&frame(&Request::Hello.encode())).await, [Unseen::MARK, Unseen::Busy.code()]);
        assert_eq!(relay.node.counts().busy, 1);
        assert!(relay.counts("unserved_total{why=\"busy\"} 1"), "{}", relay.metrics.text());
        relay.gate.close();
    }
}
