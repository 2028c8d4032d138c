//! The relay as its operator runs it: a process that is told to stop, whose disk is full, whose environment is odd.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kith_core::client::{Client, Options, Registration, Unlock};
use kith_core::net::{Handle, Multiaddr, Node, NodeConfig, RelayAddress, TransportKey};
use kith_core::types::{EnvelopeId, Rng};
use kith_core::wire::control;
use kith_core::wire::envelope::Class;
use kith_core::wire::relay::{Deposited, Destination, Purpose, Refusal, Request, Response, token_hash};
use kith_relay::control::{Control, ask};
use kith_relay::server::Server;
use rand_core::SeedableRng;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::{JoinHandle, JoinSet};

use crate::servers_answer_when_it_is_durable::{config, get};
use crate::world::{Person, envelope_of};

/// How long anything here may take before the test fails.
const LIMIT: Duration = Duration::from_secs(90);

/// Between looks at what tells nobody.
const LOOK: Duration = Duration::from_millis(50);

/// SIGTERM has to be obeyed within this.
const OBEDIENCE: Duration = Duration::from_secs(5);

/// Limits that a load does not reach.
pub(crate) const UNLIMITED: [(&str, &str); 3] = [
    ("KITH_RELAY_LIMITS_REQUESTS_RATE", "1000000+60000000/min"),
    ("KITH_RELAY_LIMITS_ADDRESS_RATE", "1000000+60000000/min"),
    ("KITH_RELAY_LIMITS_DEPOSITS_RATE", "1000000+60000000/min"),
];

/// A relay's process.
pub(crate) struct Process {
    child: Child,
    /// The address to hand out, as it was said.
    said: String,
    http: SocketAddr,
    log: JoinHandle<String>,
}

impl Process {
    pub(crate) async fn start(dir: &Path, settings: &[(&str, &str)]) -> Self {
        // A write beyond the limit of files is an error for it, as on a full disk, and not a signal.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\""])
            .arg(env!("CARGO_BIN_EXE_kith-relay"))
            .env("KITH_RELAY_DATA_DIR", dir)
            .env("KITH_RELAY_LISTEN", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0")
            .env("KITH_RELAY_HTTP_LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = tokio::spawn(async move {
            let mut text = String::new();
            errors.read_to_string(&mut text).await.unwrap();
            text
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut said, mut http) = (None, None);
        while said.is_none() || http.is_none() {
            let line = lines.next_line().await.unwrap().expect("it says where it is");
            for word in line.split_whitespace() {
                if word.contains("/p2p/") {
                    said = Some(word.to_owned());
                }
                http = word.strip_prefix("http://").map(|address| address.parse().unwrap()).or(http);
            }
        }
        Self { child, said: said.unwrap(), http: http.unwrap(), log }
    }

    /// The address to hand out.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    pub(crate) fn address(&self) -> RelayAddress {
        let address: Multiaddr = self.said.parse().unwrap();
        let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() else { panic!("{address}") };
        RelayAddress::new(peer, &[address]).unwrap()
    }

    fn id(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    /// SIGKILL: its log.
    pub(crate) async fn kill(mut self) -> String {
        self.child.kill().await.unwrap();
        self.log.await.unwrap()
    }

    /// SIGTERM: its log. It has to end in time, and well.
    pub(crate) async fn terminate(mut self) -> String {
        let told = Instant::now();
        run("kill", &["-TERM", &self.id()]).await;
        let status = tokio::time::timeout(LIMIT, self.child.wait()).await.expect("it ends").unwrap();
        assert!(told.elapsed() < OBEDIENCE, "it took {:?}", told.elapsed());
        let log = self.log.await.unwrap();
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// From now on none of its files can grow beyond this, and nothing be written beyond it.
    async fn limits_files(&self, bytes: &str) {
        run("prlimit", &["--pid", &self.id(), &format!("--fsize={bytes}:")]).await;
    }

    pub(crate) async fn page(&self, page: &str) -> (u16, String) {
        get(self.http, page).await
    }

    /// How many requests of this name were answered with *try later*.
    pub(crate) async fn put_off(&self, name: &str) -> u64 {
        let line = format!("kith_relay_requests_total{{name=\"{name}\",outcome=\"try_later\"}} ");
        let (_, text) = self.page("/metrics").await;
        text.lines().find_map(|counted| counted.strip_prefix(&line)?.parse().ok()).unwrap_or(0)
    }
}

async fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Looks until it is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(LIMIT, looking).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

pub(crate) async fn net(key: TransportKey) -> Handle {
    let config = NodeConfig { listen: Vec::new(), mdns: false, ..NodeConfig::new(key) };
    let (net, mut events) = Node::start(config).await.unwrap();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    net
}

/// A person who has signed up, and the node of the device.
pub(crate) async fn sign_up(relay: &RelayAddress, name: &str) -> (Person, Handle) {
    let seed = name.bytes().fold(5, |seed: u64, letter| seed.wrapping_mul(31) + u64::from(letter));
    let person = Person::new(&mut Rng::seed_from_u64(seed), 1);
    let net = net(TransportKey::from_seed((*person.devices[0].transport.seed().expose()).into()).unwrap()).await;
    net.set_relays(vec![relay.clone()]).await.unwrap();
    let tokens = vec![(Purpose::Delivery, token_hash(&person.token))];
    for request in [person.sign_up(name), Request::IssueTokens { tokens }] {
        assert_eq!(net.relay_request(relay, &request).await, Ok(Response::Done));
    }
    (person, net)
}

pub(crate) fn deposit(to: &Person, envelope: Vec<u8>) -> Request {
    Request::Deposit { to: Destination::Mailboxes(vec![to.mailbox(0)]), envelope }
}

pub(crate) fn taken() -> Response {
    Response::Deposited { results: vec![Deposited::Taken] }
}

/// What waits for somebody in a directory whose relay does not run.
async fn waiting(dir: &Path, person: &Person) -> Vec<Vec<u8>> {
    let server = Server::bind(config(dir)).await.unwrap();
    let handle = server.handle();
    let found = fetched(async |request| handle.request(person.caller(0), request).await).await;
    server.shutdown().await;
    found
}

/// All that waits for whoever asks.
pub(crate) async fn fetched(ask: impl AsyncFn(Request) -> Response) -> Vec<Vec<u8>> {
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let Response::Waiting { cursor, envelopes, more } = ask(Request::Fetch { from }).await else {
            panic!("nothing fetched")
        };
        found.extend(envelopes.into_iter().map(|stored| stored.envelope));
        from = Some(cursor);
        if !more {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_told_to_stop_under_load_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Process::start(dir.path(), &UNLIMITED).await;
    let address = relay.address();
    let (carol, _net) = sign_up(&address, "carol").await;
    let carol = Arc::new(carol);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut senders = JoinSet::new();
    for seed in 0..8 {
        let (carol, acknowledged, address) = (Arc::clone(&carol), Arc::clone(&acknowledged), address.clone());
        senders.spawn(async move {
            let net = net(TransportKey::throwaway()).await;
            let mut rng = Rng::seed_from_u64(100 + seed);
            loop {
                let envelope = envelope_of(EnvelopeId::random(&mut rng), Class::Durable, 2000);
                if net.relay_request(&address, &deposit(&carol, envelope.clone())).await != Ok(taken()) {
                    return;
                }
                acknowledged.lock().unwrap().push(envelope);
            }
        });
    }
    until("a load", async || acknowledged.lock().unwrap().len() > 200).await;
    relay.terminate().await;
    senders.join_all().await;
    let found = waiting(dir.path(), &carol).await;
    let acknowledged = acknowledged.lock().unwrap();
    let lost = acknowledged.iter().filter(|envelope| !found.contains(envelope)).count();
    assert_eq!(lost, 0, "of {} acknowledged", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_whose_backup_hangs_stops_when_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Process::start(dir.path(), &[]).await;
    let address = relay.address();
    let (carol, net) = sign_up(&address, "carol").await;
    let mut rng = Rng::seed_from_u64(1);
    let sent: Vec<_> = (0..5).map(|_| envelope_of(EnvelopeId::random(&mut rng), Class::Durable, 60_000)).collect();
    for envelope in &sent[..4] {
        assert_eq!(net.relay_request(&address, &deposit(&carol, envelope.clone())).await, Ok(taken()));
    }
    // The file that the copy is written to is a pipe that is read for a moment: a disk that hangs.
    let pipe = dir.path().join("copy.part");
    run("mkfifo", &[pipe.to_str().unwrap()]).await;
    let (socket, to) = (dir.path().join("control.sock"), dir.path().join("copy.kith"));
    let asking = tokio::spawn(async move { ask(&socket, &Control::Backup { to }).await });
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(pipe).unwrap();
        std::io::Read::read_exact(&mut file, &mut [0; 16]).unwrap();
        file
    });
    let _hanging = reading.await.unwrap();
    assert_eq!(net.relay_request(&address, &deposit(&carol, sent[4].clone())).await, Ok(taken()));
    relay.terminate().await;
    assert!(!matches!(asking.await.unwrap(), Ok(kith_relay::control::Answer::Copied { .. })));
    assert_eq!(waiting(dir.path(), &carol).await, sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_names_no_person_device_or_address_in_its_log_at_the_default_level() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Process::start(dir.path(), &[]).await;
    let address = relay.address();
    let (person, net) = sign_up(&address, "wilhelmina").await;
    let mut rng = Rng::seed_from_u64(1);
    let envelope = envelope_of(EnvelopeId::random(&mut rng), Class::Durable, 200);
    assert_eq!(net.relay_request(&address, &deposit(&person, envelope)).await, Ok(taken()));
    let lookup = Request::Lookup { handle: "wilhelmina".into() };
    assert!(
        matches!(net.relay_request(&address, &lookup).await, Ok(answer) if !matches!(answer, Response::Refused(_)))
    );
    net.shutdown().await;
    let log = relay.terminate().await;
    assert!(log.contains("Told to stop."), "there is no log: {log}");
    let device = net.local_peer().to_string();
    for named in ["wilhelmina", "127.0.0.1", "/ip4/", "/p2p/", &device, &person.account().to_string()] {
        assert!(!log.contains(named), "{named} is named: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_minds_only_its_own_part_of_the_environment() {
    let settings = async |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith-relay"));
        command.arg("settings").env(name, OsStr::from_bytes(b"\xff\xfe")).output().await.unwrap()
    };
    let other = settings("SOMEBODY_ELSES").await;
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stderr));
    let own = settings("KITH_RELAY_NAME").await;
    let said = String::from_utf8_lossy(&own.stderr);
    assert!(!own.status.success() && said.contains("KITH_RELAY_NAME is not valid UTF-8"), "{said}");
}

mod full_disks {
    use super::*;

    async fn register(dir: &Path, relay: &Process, name: &str) -> Client {
        let password = "correct horse battery staple".to_owned().into();
        let registration =
            Registration { relay: relay.said.clone(), handle: name.to_owned(), password, invitation: None };
        Client::register(&dir.join(name), unlock(), registration, options()).await.unwrap().client.unwrap()
    }

    fn unlock() -> Unlock {
        Unlock::Key([7; 32].into())
    }

    fn options() -> Options {
        let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
        Options { listen, mdns: false, ..Options::default() }
    }

    async fn become_contacts(alice: &Client, bob: &Client) {
        alice.execute(control::Request::Add { who: "bob".into(), text: "hello".into() }).await.unwrap();
        until("the contact request", async || {
            let asked = bob.execute(control::Request::Requests).await.unwrap();
            let control::Reply::Requests(requests) = asked else { return false };
            let Some(request) = requests.into_iter().next() else { return false };
            bob.execute(control::Request::Accept { who: request.account }).await.is_ok()
        })
        .await;
        until("the conversation", async || alice.execute(text("are you there?")).await.is_ok()).await;
        until("a message", async || texts(bob, "alice").await.contains(&"are you there?".to_owned())).await;
    }

    fn text(text: &str) -> control::Request {
        control::Request::Send { to: "bob".into(), text: text.into(), reply_to: None }
    }

    async fn history(client: &Client, with: &str) -> Vec<control::Message> {
        let request = control::Request::History { with: with.into(), before: None, limit: 100 };
        match client.execute(request).await {
            Ok(control::Reply::Messages(messages)) => messages,
            _ => Vec::new(),
        }
    }

    async fn texts(client: &Client, with: &str) -> Vec<String> {
        history(client, with).await.into_iter().filter_map(|message| message.text).collect()
    }

    /// The state of the last message.
    async fn state(client: &Client) -> String {
        history(client, "bob").await.pop().and_then(|message| message.state).unwrap_or_default()
    }

    /// Deposits until the relay takes no more; what it took.
    async fn fill(relay: &RelayAddress, net: &Handle, to: &Person) -> Vec<Vec<u8>> {
        let mut rng = Rng::seed_from_u64(1);
        let mut filled = Vec::new();
        loop {
            let envelope = envelope_of(EnvelopeId::random(&mut rng), Class::Durable, 50_000);
            match net.relay_request(relay, &deposit(to, envelope.clone())).await {
                Ok(answer) if answer == taken() => filled.push(envelope),
                Ok(Response::Refused(Refusal::TryLater)) => return filled,
                other => panic!("{other:?} after {}", filled.len()),
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_process_whose_disk_is_full_says_try_later_and_goes_on_when_there_is_room_again() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("relay");
        let relay = Process::start(&data, &UNLIMITED).await;
        let (carol, net) = sign_up(&relay.address(), "carol").await;
        let (alice, bob) = (register(dir.path(), &relay, "alice").await, register(dir.path(), &relay, "bob").await);
        become_contacts(&alice, &bob).await;
        bob.shutdown().await;
        drop(bob);

        let used = std::fs::metadata(data.join("store/data/db")).unwrap().len();
        relay.limits_files(&used.to_string()).await;
        let filled = fill(&relay.address(), &net, &carol).await;
        // Not even what fits into the last corner.
        relay.limits_files("0").await;
        assert_eq!(fill(&relay.address(), &net, &carol).await, Vec::<Vec<u8>>::new());
        assert_eq!((relay.page("/ready").await.0, relay.page("/health").await.0), (503, 200));
        let before = relay.put_off("deposit").await;
        alice.execute(text("can you read this?")).await.unwrap();
        until("an attempt of Alice's", async || relay.put_off("deposit").await > before).await;
        assert_eq!(state(&alice).await, "queued");

        relay.limits_files("unlimited").await;
        until("the relay's recovery", async || relay.page("/ready").await.0 == 200).await;
        until("the end of the outbox", async || state(&alice).await == "sent").await;
        let bob = Client::open(&dir.path().join("bob"), unlock(), options()).await.unwrap();
        until("the message", async || texts(&bob, "alice").await.ends_with(&["can you read this?".to_owned()])).await;
        bob.shutdown().await;
        alice.shutdown().await;
        net.shutdown().await;
        relay.terminate().await;
        let found = waiting(&data, &carol).await;
        assert!(filled.iter().all(|envelope| found.contains(envelope)), "what was acknowledged was lost");
    }
}
