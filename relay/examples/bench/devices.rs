//! A relay with many devices connected, and what a device costs that does nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kith_core::identity::DeviceKeys;
use kith_core::net::exchange::{self, Lanes};
use kith_core::net::{Event, Node, NodeConfig, RelayAddress, TransportKey, transport};
use kith_core::types::Rng;
use kith_core::wire::codec::Body;
use kith_core::wire::protocol;
use kith_core::wire::relay::{Request, Response};
use kith_relay::attach::attach_node;
use kith_relay::server::Server;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::baseline::kept_alive;
use crate::figure::Figure;
use crate::process::{Actor, answer, told};
use crate::relay::{Relay, config};
use crate::stranger::{Stranger, upload};
use crate::{Failure, Scale, process};

const DEVICES: usize = 2_000;

/// The most devices of an account.
const OF_AN_ACCOUNT: usize = 64;

/// How many connect at once.
const AT_ONCE: usize = 16;

/// Devices whose idle traffic is counted together.
const IDLE: usize = 5;

/// What follows a connection's beginning (identify, probes of MTU and addresses) is not idle.
const SETTLE: Duration = Duration::from_secs(30);

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let relay = Relay::start(dir.path())?;
    let empty = relay.actor.resident_mib();
    let count = scale.of(DEVICES);
    let runtime = process::runtime()?;
    let connected = runtime.block_on(connect(&relay.address, count))?;
    let full = relay.actor.resident_mib();
    let still = connected.iter().filter(|(lanes, peer)| lanes.connected(peer).is_some()).count();
    if still != count {
        return Err(format!("{still} of {count} devices are connected").into());
    }
    drop((connected, runtime));
    let seconds = if scale.quick { 60 } else { 240 };
    // Side by side, each in a network of its own.
    let (mut ours, mut bare) = (Actor::start_alone("idle")?, Actor::start_alone("idle")?);
    ours.tell(&Idle { dir: Some(dir.path().join("idle")), seconds })?;
    bare.tell(&Idle { dir: None, seconds })?;
    let (ours, bare): (f64, f64) = (ours.hear()?, bare.hear()?);
    Ok(vec![
        Figure::new(format!("relay with {count} devices"), full, "MiB").at_most(256.0).against(empty, "with none"),
        Figure::new("an idle device", ours, "bytes/min").at_most(1_000.0).against(bare, "QUIC's keep-alives alone"),
    ])
}

type Connected = Vec<(Lanes, kith_core::net::PeerId)>;

/// Signs accounts up and connects all their devices.
async fn connect(relay: &str, count: usize) -> Result<Connected, Failure> {
    let address: RelayAddress = relay.parse()?;
    let address = Arc::new(address);
    let mut rng = Rng::seed_from_u64(1);
    let upload = upload(&mut rng)?;
    let mut connected = Vec::new();
    while connected.len() < count {
        let stranger = Stranger::new(&mut rng, OF_AN_ACCOUNT.min(count - connected.len()))?;
        let [register, issue] = stranger.sign_up(&format!("person{}", connected.len()), &upload);
        let mut begin = vec![register, issue];
        for some in stranger.devices.chunks(AT_ONCE) {
            let devices = some.iter().map(|keys| quiet_device(&address, keys, std::mem::take(&mut begin)));
            // The account's first device has to be there first: it signs up.
            let devices: Vec<_> = devices.collect();
            for device in sequence(devices).await? {
                connected.push((device, address.peer()));
            }
        }
    }
    Ok(connected)
}

/// The first, and then the others at once.
async fn sequence<F: Future<Output = Result<Lanes, Failure>>>(devices: Vec<F>) -> Result<Vec<Lanes>, Failure> {
    let mut devices = devices.into_iter();
    let mut done = Vec::new();
    if let Some(first) = devices.next() {
        done.push(first.await?);
    }
    for lanes in futures::future::join_all(devices).await {
        done.push(lanes?);
    }
    Ok(done)
}

/// A device as the relay sees it, with as little as possible on this side: it asks what it is told to and fetches its mailbox.
async fn quiet_device(relay: &RelayAddress, keys: &DeviceKeys, begin: Vec<Request>) -> Result<Lanes, Failure> {
    let (behaviour, lanes, _) = exchange::Behaviour::new(&[protocol::PUSH], true);
    let key = TransportKey::from_seed(Zeroizing::new(*keys.transport.seed().expose()))?;
    let base = transport::base(&key, transport::Role::Device)?;
    let mut swarm = transport::swarm(&key, base, behaviour, Duration::from_secs(3600));
    swarm.dial(relay.addresses().first().ok_or("a relay without an address")?.clone())?;
    tokio::spawn(async move { while swarm.next().await.is_some() {} });
    let connecting = async {
        while lanes.connected(&relay.peer()).is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, connecting).await?;
    for request in begin.into_iter().chain([Request::Fetch { from: None }]) {
        let body = request.encode();
        let bytes = lanes.request(&relay.peer(), protocol::RELAY, &body, Response::MAX_BYTES, PATIENCE).await?;
        if let Response::Refused(refusal) = Response::decode(&bytes)? {
            return Err(refusal.into());
        }
    }
    Ok(lanes)
}

#[derive(Debug, Serialize, Deserialize)]
struct Idle {
    /// For the relay's files; without it connections are counted that carry nothing.
    dir: Option<std::path::PathBuf>,
    seconds: u64,
}

/// Plays a relay and some whole nodes of devices in a network of their own, and answers how many bytes a device costs a minute.
pub(crate) async fn play() -> Result<(), Failure> {
    let Some(Idle { dir, seconds }) = told().await? else { return Ok(()) };
    answer(match dir {
        Some(dir) => idle(&dir, seconds).await,
        None => bare(seconds).await,
    })
}

async fn bare(seconds: u64) -> Result<f64, Failure> {
    let connections = kept_alive(IDLE).await?;
    let bytes = count(seconds).await?;
    drop(connections);
    Ok(bytes)
}

/// Bytes a minute of one of the devices.
async fn count(seconds: u64) -> Result<f64, Failure> {
    tokio::time::sleep(SETTLE).await;
    let before = loopback_bytes()?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let bytes = loopback_bytes()?.saturating_sub(before);
    Ok(bytes as f64 * 60.0 / seconds as f64 / IDLE as f64)
}

async fn idle(dir: &std::path::Path, seconds: u64) -> Result<f64, Failure> {
    std::fs::create_dir_all(dir)?;
    let mut server = Server::bind(config(dir)).await?;
    let node = attach_node(&mut server).await?;
    let relay = RelayAddress::new(node.peer(), &node.addresses())?;
    let mut rng = Rng::seed_from_u64(1);
    let stranger = Stranger::new(&mut rng, IDLE)?;
    let mut begin = stranger.sign_up("somebody", &upload(&mut rng)?).to_vec();
    let mut nodes = Vec::new();
    for keys in &stranger.devices {
        nodes.push(whole_device(&relay, keys, std::mem::take(&mut begin)).await?);
    }
    let bytes = count(seconds).await?;
    server.shutdown().await;
    Ok(bytes)
}

async fn whole_device(
    relay: &RelayAddress,
    keys: &DeviceKeys,
    begin: Vec<Request>,
) -> Result<kith_core::net::Handle, Failure> {
    let key = TransportKey::from_seed(Zeroizing::new(*keys.transport.seed().expose()))?;
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse()?, "/ip4/127.0.0.1/tcp/0".parse()?];
    let (node, mut events) = Node::start(NodeConfig { listen, mdns: false, ..NodeConfig::new(key) }).await?;
    node.set_relays(vec![relay.clone()]).await?;
    for request in begin.into_iter().chain([Request::Fetch { from: None }]) {
        if let Response::Refused(refusal) = node.relay_request(relay, &request).await? {
            return Err(refusal.into());
        }
    }
    let reserved = async {
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Reserved { reserved: true, .. }) {
                break;
            }
        }
        events
    };
    let mut events = tokio::time::timeout(PATIENCE, reserved).await?;
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    Ok(node)
}

/// Bytes that have gone over the loopback interface of this process's network, IP headers included: each counts once.
fn loopback_bytes() -> Result<u64, Failure> {
    let interfaces = std::fs::read_to_string("/proc/net/dev")?;
    let line = interfaces.lines().find_map(|line| line.trim().strip_prefix("lo:")).ok_or("no loopback interface")?;
    Ok(line.split_whitespace().next().ok_or("no count of bytes")?.parse()?)
}
