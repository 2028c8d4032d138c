//! What is measured against: an `fsync`, and a stream of libp2p between two processes without anything of ours.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use kith_core::net::transport::{self, Role};
use kith_core::net::{PeerId, TransportKey};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, StreamProtocol};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::Failure;
use crate::process::{self, Actor};

const FSYNCS: usize = 200;
const ECHOES: usize = 500;
const FLOWS: usize = 7;
const ECHO: StreamProtocol = StreamProtocol::new("/echo");

/// The middle and the 99th of a hundred.
pub(crate) fn p50_p99(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Half of the time, appending so many bytes to a file and making them durable takes less, with a pause before each.
pub(crate) fn fsync(dir: &Path, bytes: usize, pause: Duration) -> Result<Duration, Failure> {
    let mut file = std::fs::File::create(dir.join("fsync"))?;
    let mut times = Vec::new();
    for _ in 0..FSYNCS {
        std::thread::sleep(pause);
        let begun = Instant::now();
        file.write_all(&vec![7; bytes])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(p50_p99(times).0)
}

/// Half of the time, so many bytes go there and back on one stream in less, with a pause before each.
pub(crate) fn echo(bytes: usize, pause: Duration) -> Result<Duration, Failure> {
    rounds(Mirror { bytes, back: bytes }, ECHOES, pause)
}

/// Half of the time, so many bytes go one way in less, and a byte comes back.
pub(crate) fn flow(bytes: usize) -> Result<Duration, Failure> {
    rounds(Mirror { bytes, back: 1 }, FLOWS, Duration::ZERO)
}

/// A process that reads so many bytes of a stream, writes so many, and again.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Mirror {
    bytes: usize,
    back: usize,
}

/// Half of the rounds take less: a stream over QUIC between two processes, with nothing of ours.
fn rounds(mirror: Mirror, count: usize, pause: Duration) -> Result<Duration, Failure> {
    let mut other = Actor::start("mirror")?;
    let address: Multiaddr = other.ask::<String>(&mirror)?.parse()?;
    process::runtime()?.block_on(async {
        let (_, mut dialling, mut opening) = swarm(Role::Device)?;
        let Some(Protocol::P2p(server)) = address.iter().last() else { return Err("an address without a peer".into()) };
        dialling.dial(address)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { while dialling.next().await.is_some() {} });
        let mut stream = opening.open_stream(server, ECHO).await.map_err(|error| error.to_string())?;
        let (body, mut back) = (vec![7; mirror.bytes], vec![0; mirror.back]);
        let mut times = Vec::new();
        for _ in 0..count {
            tokio::time::sleep(pause).await;
            let begun = Instant::now();
            stream.write_all(&body).await?;
            stream.flush().await?;
            stream.read_exact(&mut back).await?;
            times.push(begun.elapsed());
        }
        Ok(p50_p99(times).0)
    })
}

/// The role of the other process.
pub(crate) async fn play() -> Result<(), Failure> {
    let Some(Mirror { bytes, back }) = process::told().await? else { return Ok(()) };
    let (server, mut listening, mut accepting) = swarm(Role::Device)?;
    let mut incoming = accepting.accept(ECHO)?;
    let address = listen(&mut listening).await?.with_p2p(server).map_err(|_| "an address with another peer")?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { while listening.next().await.is_some() {} });
    tasks.spawn(async move {
        let Some((_, mut stream)) = incoming.next().await else { return };
        let (mut body, back) = (vec![0; bytes], vec![7; back]);
        while stream.read_exact(&mut body).await.is_ok() {
            if stream.write_all(&back).await.is_err() || stream.flush().await.is_err() {
                break;
            }
        }
    });
    process::answer(Ok(address.to_string()))?;
    while process::told::<Mirror>().await?.is_some() {}
    Ok(())
}

type Bare = libp2p::Swarm<libp2p_stream::Behaviour>;

type Made = (PeerId, Bare, libp2p_stream::Control);

fn swarm(role: Role) -> Result<Made, Failure> {
    let key = TransportKey::throwaway();
    let behaviour = libp2p_stream::Behaviour::new();
    let control = behaviour.new_control();
    let base = transport::base(&key, role)?;
    Ok((key.peer(), transport::swarm(&key, base, behaviour, Duration::from_secs(3600)), control))
}

async fn listen(swarm: &mut Bare) -> Result<Multiaddr, Failure> {
    swarm.listen_on("/ip4/127.0.0.1/udp/0/quic-v1".parse()?)?;
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            return Ok(address);
        }
    }
}

/// So many connections over QUIC to one swarm, which nothing but the transport keeps, for as long as the tasks live.
pub(crate) async fn kept_alive(count: usize) -> Result<JoinSet<()>, Failure> {
    let mut tasks = JoinSet::new();
    let (server, mut listening, _) = swarm(Role::Relay)?;
    let address = listen(&mut listening).await?;
    tasks.spawn(async move { while listening.next().await.is_some() {} });
    for _ in 0..count {
        let (_, mut dialling, _) = swarm(Role::Device)?;
        dialling.dial(address.clone().with_p2p(server).map_err(|_| "an address with another peer")?)?;
        while !matches!(dialling.select_next_some().await, SwarmEvent::ConnectionEstablished { .. }) {}
        tasks.spawn(async move { while dialling.next().await.is_some() {} });
    }
    Ok(tasks)
}
