//! What the network costs: bytes of an idle device, time of an exchange, memory of many connections.
//!
//! Ignored by default, since they take minutes or a quiet machine: `cargo nextest run --workspace --features kith-core/test-utils
//! --run-ignored only -E 'test(/network_costs/)' --no-capture`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use kith_core::net::exchange::{self, Lanes};
use kith_core::net::{Event, Multiaddr, Node, NodeConfig, PeerId, RelayAddress, TransportKey, transport};
use kith_core::types::{DeviceId, EnvelopeId, GroupId, Incarnation};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::{Class, Envelope, Packet, Urgency};
use kith_core::wire::protocol;
use kith_core::wire::relay::{Cursor, PushAnswer, Request, Response};
use kith_relay::metrics::Metrics;
use kith_relay::node::{self, NodeHandle};
use libp2p::StreamProtocol;

/// Set in a process that a test runs.
const INSIDE: &str = "KITH_TEST_INSIDE";

const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
const TCP: &str = "/ip4/127.0.0.1/tcp/0";

async fn relay(listen: &str) -> NodeHandle {
    let key = TransportKey::from_seed([200; 32].into()).unwrap();
    let listen = vec![listen.parse().unwrap()];
    let config = node::NodeConfig {
        key,
        listen,
        external: Vec::new(),
        max_connections: 4096,
        max_circuits: 64,
        metrics: Metrics::new(),
    };
    let answer = |_, request| async move {
        match request {
            Request::Fetch { .. } => {
                let cursor = Cursor { queue: Incarnation::new([1; 8]), next: 0 };
                Response::Waiting { cursor, envelopes: Vec::new(), more: false }
            }
            _ => Response::Done,
        }
    };
    node::Node::start(config, answer, None, |_| async {}).await.unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Bytes that have gone over the loopback interface of this namespace, IP headers included.
fn loopback_bytes() -> u64 {
    std::fs::read_to_string("/sys/class/net/lo/statistics/tx_bytes").unwrap().trim().parse().unwrap()
}

fn idle(listen: &str, name: &str) {
    if std::env::var_os(INSIDE).is_none() {
        let script = "mount -t sysfs none /sys; ip link set lo up && exec \"$0\" --exact \"$1\" --ignored --nocapture";
        let own = std::env::current_exe().unwrap();
        let name = format!("network_costs::{name}");
        let run =
            Command::new("unshare").args(["-rnm", "sh", "-c", script]).arg(own).arg(name).env(INSIDE, "1").status();
        assert!(run.unwrap().success());
        return;
    }
    runtime().block_on(async {
        let relay = relay(listen).await;
        let key = TransportKey::from_seed([1; 32].into()).unwrap();
        let own = vec![QUIC.parse().unwrap(), TCP.parse().unwrap()];
        let config = NodeConfig { listen: own, mdns: false, ..NodeConfig::new(key) };
        let (device, mut events) = Node::start(config).await.unwrap();
        let address = RelayAddress::new(relay.peer(), &relay.addresses()).unwrap();
        device.set_relays(vec![address.clone()]).await.unwrap();
        device.relay_request(&address, &Request::Fetch { from: None }).await.unwrap();
        while !matches!(events.recv().await.unwrap(), Event::Reserved { reserved: true, .. }) {}
        // What follows a connection's beginning (identify, probes of MTU and addresses) is not idle.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let before = loopback_bytes();
        tokio::time::sleep(Duration::from_secs(240)).await;
        let per_minute = (loopback_bytes() - before) / 4;
        println!("idle device, {listen}: {per_minute} bytes a minute, both ways, with IP headers");
        assert!((1..=1000).contains(&per_minute));
        assert_eq!(relay.connected(), 1);
    });
}

#[test]
#[ignore = "four minutes"]
fn an_idle_device_costs_less_than_a_kilobyte_a_minute_over_quic() {
    idle(QUIC, "an_idle_device_costs_less_than_a_kilobyte_a_minute_over_quic");
}

#[test]
#[ignore = "four minutes"]
fn an_idle_device_costs_less_than_a_kilobyte_a_minute_over_tcp() {
    idle(TCP, "an_idle_device_costs_less_than_a_kilobyte_a_minute_over_tcp");
}

fn p50_p99(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

const ROUNDS: usize = 2000;

/// An echo of an envelope's size on one raw stream between two swarms; kept, or opened anew for each.
async fn raw_echo(body: &[u8], kept: bool) -> (Duration, Duration) {
    let echo = StreamProtocol::new("/echo");
    let make = || {
        let key = TransportKey::throwaway();
        let behaviour = libp2p_stream::Behaviour::new();
        let control = behaviour.new_control();
        let swarm = transport::swarm(
            &key,
            transport::base(&key, transport::Role::Device).unwrap(),
            behaviour,
            Duration::from_secs(60),
        );
        (key.peer(), swarm, control)
    };
    let ((server, mut listening, mut accepting), (_, mut dialling, mut opening)) = (make(), make());
    listening.listen_on(QUIC.parse().unwrap()).unwrap();
    let address = loop {
        if let libp2p::swarm::SwarmEvent::NewListenAddr { address, .. } = listening.select_next_some().await {
            break address;
        }
    };
    let mut incoming = accepting.accept(echo.clone()).unwrap();
    tokio::spawn(async move { while listening.next().await.is_some() {} });
    dialling.dial(address.with_p2p(server).unwrap()).unwrap();
    tokio::spawn(async move { while dialling.next().await.is_some() {} });
    let length = body.len();
    tokio::spawn(async move {
        while let Some((_, mut stream)) = incoming.next().await {
            tokio::spawn(async move {
                let mut body = vec![0; length];
                while stream.read_exact(&mut body).await.is_ok() {
                    stream.write_all(&body).await.unwrap();
                    stream.flush().await.unwrap();
                }
            });
        }
    });
    let mut stream = opening.open_stream(server, echo.clone()).await.unwrap();
    let mut back = vec![0; length];
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        if !kept {
            stream = opening.open_stream(server, echo.clone()).await.unwrap();
        }
        stream.write_all(body).await.unwrap();
        stream.flush().await.unwrap();
        stream.read_exact(&mut back).await.unwrap();
        times.push(begun.elapsed());
    }
    p50_p99(times)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a quiet machine"]
async fn an_exchange_costs_little_more_than_a_raw_echo() {
    let packet = Packet::Mls { group: GroupId::new([1; 32]), message: vec![1; 400] }.encode();
    let envelope =
        Envelope { id: EnvelopeId::new([1; 16]), class: Class::Durable, urgency: Urgency::Normal, packet }.encode();
    let device = |seed: u8| {
        let key = TransportKey::from_seed([seed; 32].into()).unwrap();
        Node::start(NodeConfig { listen: vec![QUIC.parse().unwrap()], mdns: false, ..NodeConfig::new(key) })
    };
    let ((alice, _events), (bob, mut at_bob)) = (device(1).await.unwrap(), device(2).await.unwrap());
    let contact = |peer: PeerId| [(peer, DeviceId::new([1; 32]))].into();
    alice.set_contacts(contact(bob.local_peer())).await.unwrap();
    bob.set_contacts(contact(alice.local_peer())).await.unwrap();
    alice.add_addresses(bob.local_peer(), bob.addresses().await.unwrap()).await.unwrap();
    tokio::spawn(async move {
        while let Some(event) = at_bob.recv().await {
            if let Event::Envelope { reply, .. } = event {
                reply.send(PushAnswer::Durable);
            }
        }
    });
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        assert_eq!(alice.deliver(bob.local_peer(), &envelope).await, Ok(PushAnswer::Durable));
        times.push(begun.elapsed());
    }
    let ours = p50_p99(times);
    let kept = raw_echo(&envelope, true).await;
    let anew = raw_echo(&envelope, false).await;
    println!("p50 and p99: delivery {ours:?}, raw echo {kept:?}, raw echo on a new stream each {anew:?}");
    assert!(ours.0 <= kept.0 * 3, "more than three times a raw echo");
}

/// A device as the relay sees it, with as little as possible on this side.
async fn quiet_device(relay: &RelayAddress) -> Lanes {
    let (behaviour, lanes, _) = exchange::Behaviour::new(&[protocol::PUSH], true);
    let key = TransportKey::throwaway();
    let base = transport::base(&key, transport::Role::Device).unwrap();
    let mut swarm = transport::swarm(&key, base, behaviour, Duration::from_secs(3600));
    swarm.dial(relay.addresses()[0].clone()).unwrap();
    tokio::spawn(async move { while swarm.next().await.is_some() {} });
    while lanes.connected(&relay.peer()).is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let fetch = Request::Fetch { from: None }.encode();
    let limit = Response::MAX_BYTES;
    lanes.request(&relay.peer(), protocol::RELAY, &fetch, limit, Duration::from_secs(60)).await.unwrap();
    lanes
}

#[test]
#[ignore = "two thousand handshakes"]
fn two_thousand_connected_devices_take_less_than_a_quarter_gibibyte() {
    if std::env::var_os(INSIDE).is_some() {
        runtime().block_on(async {
            let relay = relay(QUIC).await;
            println!("\n{}", relay.addresses()[0]);
            std::future::pending::<()>().await;
        });
    }
    let name = "network_costs::two_thousand_connected_devices_take_less_than_a_quarter_gibibyte";
    let own = std::env::current_exe().unwrap();
    let arguments = ["--exact", name, "--ignored", "--nocapture"];
    let mut child = Command::new(own).args(arguments).env(INSIDE, "1").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address: Multiaddr = lines.filter(|line| line.starts_with('/')).find_map(|line| line.parse().ok()).unwrap();
    let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() else { unreachable!() };
    let relay = RelayAddress::new(peer, &[address]).unwrap();
    let resident = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    let empty = resident(child.id());
    let full = runtime().block_on(async {
        let mut devices = Vec::new();
        for _ in 0..100 {
            let some = (0..20).map(|_| quiet_device(&relay));
            devices.extend(futures::future::join_all(some).await);
        }
        assert_eq!(devices.iter().filter(|lanes| lanes.connected(&relay.peer()).is_some()).count(), 2000);
        resident(child.id())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    println!("relay's node, resident: {empty} MiB empty, {full} MiB with 2,000 devices");
    assert!(full < 256);
}
