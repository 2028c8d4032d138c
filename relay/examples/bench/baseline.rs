//! What is measured against: an `fsync`, and an echo on a stream of libp2p without anything of ours.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use kith_core::net::transport::{self, Role};
use kith_core::net::{PeerId, TransportKey};
use libp2p::swarm::{Stream, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol};
use tokio::task::JoinSet;

use crate::Failure;

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

/// Half of the time, appending so many bytes to a file and making them durable takes less.
pub(crate) fn fsync(dir: &Path, bytes: usize) -> Result<Duration, Failure> {
    let mut file = std::fs::File::create(dir.join("fsync"))?;
    let mut times = Vec::new();
    for _ in 0..FSYNCS {
        let begun = Instant::now();
        file.write_all(&vec![7; bytes])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(p50_p99(times).0)
}

/// Half of the time, so many bytes go there and back on one stream in less: two swarms over QUIC.
pub(crate) async fn echo(bytes: usize) -> Result<Duration, Failure> {
    let (mut stream, _tasks) = served(async move |mut stream| {
        let mut body = vec![0; bytes];
        while stream.read_exact(&mut body).await.is_ok() {
            if stream.write_all(&body).await.is_err() || stream.flush().await.is_err() {
                break;
            }
        }
    })
    .await?;
    let (body, mut back) = (vec![7; bytes], vec![0; bytes]);
    let mut times = Vec::new();
    for _ in 0..ECHOES {
        let begun = Instant::now();
        stream.write_all(&body).await?;
        stream.flush().await?;
        stream.read_exact(&mut back).await?;
        times.push(begun.elapsed());
    }
    Ok(p50_p99(times).0)
}

/// Half of the time, so many bytes go one way in less, and a byte comes back: a stream between two swarms over QUIC.
pub(crate) async fn flow(bytes: usize) -> Result<Duration, Failure> {
    let (mut stream, _tasks) = served(async move |mut stream| {
        let mut body = vec![0; bytes];
        while stream.read_exact(&mut body).await.is_ok() {
            if stream.write_all(&[1]).await.is_err() || stream.flush().await.is_err() {
                break;
            }
        }
    })
    .await?;
    let body = vec![7; bytes];
    let mut times = Vec::new();
    for _ in 0..FLOWS {
        let begun = Instant::now();
        stream.write_all(&body).await?;
        stream.flush().await?;
        stream.read_exact(&mut [0]).await?;
        times.push(begun.elapsed());
    }
    Ok(p50_p99(times).0)
}

/// A stream from one swarm to another, which serves it for as long as the tasks live.
async fn served<S, F>(serve: S) -> Result<(Stream, JoinSet<()>), Failure>
where
    S: FnOnce(Stream) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let ((server, mut listening, mut accepting), (_, mut dialling, mut opening)) =
        (swarm(Role::Device)?, swarm(Role::Device)?);
    let address = listen(&mut listening).await?;
    let mut incoming = accepting.accept(ECHO)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { while listening.next().await.is_some() {} });
    dialling.dial(address.with_p2p(server).map_err(|_| "an address with another peer")?)?;
    tasks.spawn(async move { while dialling.next().await.is_some() {} });
    tasks.spawn(async move {
        if let Some((_, stream)) = incoming.next().await {
            serve(stream).await;
        }
    });
    let stream = opening.open_stream(server, ECHO).await.map_err(|error| error.to_string())?;
    Ok((stream, tasks))
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
