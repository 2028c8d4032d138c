//! A relay inside this program, for people for whom nobody else runs one: its data lies in their profile.
//!
//! It listens on this computer's IPv4 addresses, so that the local network reaches it; nothing opens a router for it.
//! Invariant: once it ran, its name and its port stay what they are, since accounts name its address: a port that another program
//! has taken is an error, not a reason for another one.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kith_relay::attach::attach_node;
use kith_relay::config::Config;
use kith_relay::server::{Server, ServerError};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// The folder in a profile.
const FOLDER: &str = "relay";

/// What is remembered of it, in its folder.
const RECORD: &str = "embedded.toml";

/// The longest record that is read.
const MAX_RECORD: u64 = 4096;

/// Where it listens the first time: the first of these ports that is free over TCP and UDP. The system gives none of them away by
/// itself, so it is likely to be free the next time.
const PORTS: RangeInclusive<u16> = 4001..=4064;

/// Connections of a household and its friends; each costs about 60 kB.
const MAX_CONNECTIONS: u32 = 256;

/// Circuits at the same time, each two streams with 16 KiB of buffer.
const MAX_CIRCUITS: usize = 64;

/// As many addresses are told (`kith_core::client::entry::RelayAddress` takes eight): of three interfaces and of this computer itself, by two
/// transports each.
const MAX_INTERFACES: usize = 3;

/// What it does at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It is not wanted, or not yet.
    Off,
    /// It opens its store and begins to listen.
    Starting,
    /// It can be reached.
    Running {
        /// By these addresses, separated by commas: what a registration takes, and what friends are given.
        address: String,
    },
    /// It does not run, because.
    Failed(Problem),
}

/// The relay of a profile, whether it runs or not. Cheap to clone; it stops when it is told to, and when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct EmbeddedRelay {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    ports: RangeInclusive<u16>,
    task: Mutex<Option<Running>>,
    state: watch::Sender<State>,
}

/// Dropping it ends the task.
#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// How often it is looked whether the node listens on all its ways, and how long between.
const LOOKS: u32 = 40;
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(50);

impl EmbeddedRelay {
    /// That of this profile; it does not run yet.
    pub(crate) fn of(profile: &Path) -> Self {
        Self::with_ports(profile, PORTS)
    }

    fn with_ports(profile: &Path, ports: RangeInclusive<u16>) -> Self {
        let (state, _) = watch::channel(State::Off);
        Self { inner: Arc::new(Inner { directory: profile.join(FOLDER), ports, task: Mutex::default(), state }) }
    }

    /// Whether it ever ran.
    pub(crate) fn exists(&self) -> bool {
        self.inner.directory.join(RECORD).exists()
    }

    /// What it does.
    pub(crate) fn state(&self) -> State {
        self.inner.state.borrow().clone()
    }

    /// Starts it, if it does not run, and gives its address.
    ///
    /// # Errors
    /// If it cannot be started, with a sentence.
    pub(crate) async fn start(&self) -> Result<String, Problem> {
        let mut task = self.inner.task.lock().await;
        if let (State::Running { address }, Some(_)) = (self.state(), &*task) {
            return Ok(address);
        }
        self.inner.state.send_replace(State::Starting);
        match begin(&self.inner.directory, self.inner.ports.clone()).await {
            Ok((server, address)) => {
                self.inner.state.send_replace(State::Running { address: address.clone() });
                let (stop, stopped) = oneshot::channel();
                *task = Some(Running { stop, task: tokio::spawn(run(server, stopped, self.inner.state.clone())) });
                Ok(address)
            }
            Err(problem) => {
                self.inner.state.send_replace(State::Failed(problem.clone()));
                Err(problem)
            }
        }
    }

    /// Stops it; what it has taken is durable.
    pub(crate) async fn stop(&self) {
        if let Some(Running { stop, task }) = self.inner.task.lock().await.take() {
            let _ = stop.send(());
            let _ = task.await;
        }
        self.inner.state.send_replace(State::Off);
    }
}

/// Runs until it is told to stop, until nobody can tell it any more, or until a part of it breaks.
async fn run(mut server: Server, stopped: oneshot::Receiver<()>, state: watch::Sender<State>) {
    let is_broken = tokio::select! {
        _ = stopped => false,
        () = server.join() => true,
    };
    server.shutdown().await;
    state.send_replace(if is_broken {
        tracing::error!("A part of the relay in this program has ended.");
        State::Failed(Problem::new("own_relay", "a part of the relay in this program has ended"))
    } else {
        State::Off
    });
}

/// What stays the same from one start to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    port: u16,
    /// What handles end in.
    name: String,
}

async fn begin(directory: &Path, ports: RangeInclusive<u16>) -> Result<(Server, String), Problem> {
    if let Some(record) = Record::load(directory) {
        return serve(directory, &record).await.map_err(|error| problem(&error, true));
    }
    let name = new_name()?;
    let mut last = None;
    for port in ports.filter(|port| is_free(*port)) {
        let record = Record { port, name: name.clone() };
        match serve(directory, &record).await {
            Ok(started) => {
                record.save(directory)?;
                return Ok(started);
            }
            // Another program was quicker.
            Err(error @ ServerError::Node(_)) => last = Some(error),
            Err(error) => return Err(problem(&error, false)),
        }
    }
    Err(last
        .map_or_else(|| Problem::new("own_relay_port", "no port is free for the relay"), |error| problem(&error, true)))
}

async fn serve(directory: &Path, record: &Record) -> Result<(Server, String), ServerError> {
    let mut config = Config::embedded(directory.to_owned());
    let port = record.port;
    config.listen = vec![format!("/ip4/0.0.0.0/udp/{port}/quic-v1"), format!("/ip4/0.0.0.0/tcp/{port}")];
    config.http_listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    config.max_connections = MAX_CONNECTIONS;
    config.max_circuits = MAX_CIRCUITS;
    config.settings.name.clone_from(&record.name);
    let mut server = Server::bind(config).await?;
    match attach_node(&mut server).await {
        Ok(node) => {
            let addresses = || node.addresses().iter().map(ToString::to_string).collect::<BTreeSet<_>>();
            // The ways come one after the other when the node listens; each time all of them are to be told: both on every network, and
            // none that was not there a moment ago.
            let mut before = BTreeSet::new();
            for _ in 0..LOOKS {
                let now = addresses();
                let of = |way| now.iter().filter(|address| address.contains(way)).count();
                if now == before && of("/udp/") == of("/tcp/") && !now.is_empty() {
                    break;
                }
                before = now;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok((server, told(addresses()).join(",")))
        }
        Err(error) => {
            server.shutdown().await;
            Err(error)
        }
    }
}

/// The addresses that are told: those of the network first, QUIC before TCP, and this computer's own last.
fn told(addresses: impl IntoIterator<Item = String>) -> Vec<String> {
    let ip = |address: &str| address.split('/').nth(2).and_then(|ip| ip.parse::<Ipv4Addr>().ok());
    let mut known: Vec<(bool, Ipv4Addr, bool, String)> = addresses
        .into_iter()
        .filter_map(|address| Some((ip(&address)?, address)))
        .filter(|(ip, _)| !ip.is_link_local())
        .map(|(ip, address)| (ip.is_loopback(), ip, address.contains("/tcp/"), address))
        .collect();
    known.sort();
    let mut interfaces: Vec<Ipv4Addr> = known.iter().filter(|(own, ..)| !own).map(|(_, ip, ..)| *ip).collect();
    interfaces.dedup();
    interfaces.truncate(MAX_INTERFACES);
    let is_told = |own: bool, ip: Ipv4Addr| if own { ip == Ipv4Addr::LOCALHOST } else { interfaces.contains(&ip) };
    known.into_iter().filter(|(own, ip, ..)| is_told(*own, *ip)).map(|(.., address)| address).collect()
}

fn is_free(port: u16) -> bool {
    let all = (Ipv4Addr::UNSPECIFIED, port);
    TcpListener::bind(all).is_ok() && UdpSocket::bind(all).is_ok()
}

/// A name that no friend's relay has: handles of both would be the same.
fn new_name() -> Result<String, Problem> {
    let mut bytes = [0_u8; 4];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Problem::new("own_relay", "the system gives no randomness"))?;
    Ok(format!("home-{}", data_encoding::HEXLOWER.encode(&bytes)))
}

fn problem(error: &ServerError, is_port: bool) -> Problem {
    tracing::warn!(%error, "The relay in this program does not start.");
    match error {
        ServerError::Node(_) if is_port => Problem::new("own_relay_port", error.to_string()),
        _ => Problem::new("own_relay", error.to_string()),
    }
}

impl Record {
    fn load(directory: &Path) -> Option<Self> {
        let mut text = String::new();
        let file = std::fs::File::open(directory.join(RECORD)).ok()?;
        file.take(MAX_RECORD).read_to_string(&mut text).ok()?;
        match toml::from_str(&text) {
            Ok(record) => Some(record),
            Err(error) => {
                tracing::warn!(%error, "What was remembered of the relay in this program cannot be read.");
                None
            }
        }
    }

    fn save(&self, directory: &Path) -> std::io::Result<()> {
        let text = toml::to_string(self).map_err(std::io::Error::other)?;
        let (path, new) = (directory.join(RECORD), directory.join(RECORD).with_extension("new"));
        let mut file = std::fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(new, path)
    }
}

#[cfg(test)]
mod tests {
    use kith_core::client::{Client, Options, Registration, Unlock};
    use zeroize::Zeroizing;

    use super::*;

    /// That of a profile, on ports that no other test uses while its process lives.
    fn relay_of(profile: &Path, test: u16) -> EmbeddedRelay {
        let process = u16::try_from(std::process::id() % 600).unwrap();
        let first = 20_000 + process * 20 + test * 5;
        EmbeddedRelay::with_ports(profile, first..=first + 4)
    }

    async fn sign_up(profile: &Path, relay: String) -> Client {
        let registration = Registration {
            relay,
            handle: "alice".into(),
            password: Zeroizing::new("correct horse battery".into()),
            invitation: None,
        };
        let options =
            Options { listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()], mdns: false, ..Options::default() };
        let unlock = Unlock::Key(Zeroizing::new([7; 32]));
        Client::register(profile, unlock, registration, options).await.unwrap().client.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn somebody_signs_up_at_the_relay_of_their_own_computer_and_it_stays_where_it_is() {
        let profile = tempfile::tempdir().unwrap();
        let relay = relay_of(profile.path(), 0);
        assert!(!relay.exists());
        let address = relay.start().await.unwrap();
        assert!(relay.exists());
        assert_eq!(relay.state(), State::Running { address: address.clone() });
        assert!(address.parse::<kith_core::client::entry::RelayAddress>().is_ok(), "{address}");
        assert_eq!(relay.start().await.unwrap(), address, "it runs already");
        let client = sign_up(profile.path(), address.clone()).await;
        client.shutdown().await;
        relay.stop().await;
        assert_eq!(relay.state(), State::Off);

        let again = relay_of(profile.path(), 0);
        // Which of the ways comes first may differ.
        let ways = |address: &str| address.split(',').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(ways(&again.start().await.unwrap()), ways(&address));
        again.stop().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_port_that_somebody_has_taken_is_said_and_not_replaced() {
        let profile = tempfile::tempdir().unwrap();
        let relay = relay_of(profile.path(), 1);
        let _ = relay.start().await.unwrap();
        relay.stop().await;
        let record = Record::load(&profile.path().join(FOLDER)).unwrap();
        let taken = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, record.port)).unwrap();
        let problem = relay.start().await.unwrap_err();
        assert_eq!(problem.code, "own_relay_port");
        assert_eq!(relay.state(), State::Failed(problem));
        assert_eq!(Record::load(&profile.path().join(FOLDER)).unwrap(), record);
        drop(taken);
        assert!(relay.start().await.is_ok());
        relay.stop().await;
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_a_sentence() {
        let profile = tempfile::tempdir().unwrap();
        std::fs::write(profile.path().join(FOLDER), "a file").unwrap();
        let problem = EmbeddedRelay::of(profile.path()).start().await.unwrap_err();
        assert_eq!(problem.code, "own_relay");
    }

    #[test]
    fn the_network_is_told_first_and_this_computer_last() {
        let of = |ip: &str| [format!("/ip4/{ip}/tcp/4001/p2p/x"), format!("/ip4/{ip}/udp/4001/quic-v1/p2p/x")];
        let ips = ["127.0.0.1", "10.0.0.9", "169.254.0.1", "192.168.1.2", "172.17.0.1", "203.0.113.5"];
        let addresses = told(ips.iter().flat_map(|ip| of(ip)).chain(["/ip6/::1/tcp/4001/p2p/x".into()]));
        assert_eq!(addresses.len(), 8);
        assert_eq!(addresses[0], "/ip4/10.0.0.9/udp/4001/quic-v1/p2p/x");
        assert_eq!(addresses[7], "/ip4/127.0.0.1/tcp/4001/p2p/x");
    }

    #[test]
    fn a_damaged_record_is_as_if_it_never_ran() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Record::load(folder.path()), None);
        std::fs::write(folder.path().join(RECORD), "port = \"many\"").unwrap();
        assert_eq!(Record::load(folder.path()), None);
        let record = Record { port: 4001, name: "home-0011aabb".into() };
        record.save(folder.path()).unwrap();
        assert_eq!(Record::load(folder.path()), Some(record));
    }
}
