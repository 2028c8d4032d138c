//! Small words for stories: relays, people and their devices, all of them real processes on loopback.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

pub(crate) use crate::failure::Failure;
pub(crate) use crate::process::{Person, Programs, Running};

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Plays a story in a directory of its own; if it fails, with the ends of all logs.
pub(crate) async fn play(story: impl AsyncFnOnce(&Path) -> Outcome) {
    let room = tempfile::Builder::new().prefix("kith-test-").tempdir().unwrap();
    if let Err(failure) = story(room.path()).await {
        let failure = failure.with_logs(room.path());
        for (name, lines) in failure.logs() {
            eprintln!("--- the end of {name}'s log\n{}", lines.join("\n"));
        }
        panic!("{failure}");
    }
}

/// The programs that this build made.
pub(crate) fn programs() -> Outcome<&'static Programs> {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    if let Some(programs) = PROGRAMS.get() {
        return Ok(programs);
    }
    let found = Programs::find(Some(env!("CARGO_BIN_EXE_kith").into()), None)?;
    Ok(PROGRAMS.get_or_init(|| found))
}

/// A port of loopback that nobody has. It is none of those that the system gives away by itself (Linux: from 32768 on), so it
/// stays free until it is used, and while its process is started again.
fn free_port() -> Outcome<u16> {
    const FIRST: u32 = 20_000;
    const MANY: u32 = 12_000;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    // Tests that run at the same time are processes of their own: each begins elsewhere.
    let begin = std::process::id().wrapping_mul(401);
    for _ in 0..MANY {
        let place = begin.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % MANY;
        let Ok(port) = u16::try_from(FIRST + place) else { continue };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::new("no port is free"))
}

/// A relay that can be ended and started again where it was.
pub(crate) struct Relay<'a> {
    room: &'a Path,
    name: &'static str,
    pub(crate) address: String,
    listen: String,
    http: String,
    /// The folder of models that it serves.
    models: Option<PathBuf>,
    running: Option<Running>,
}

impl<'a> Relay<'a> {
    pub(crate) async fn start(room: &'a Path, name: &'static str) -> Outcome<Self> {
        Self::start_serving(room, name, None).await
    }

    /// One that serves a folder of models.
    pub(crate) async fn start_with_models(room: &'a Path, name: &'static str, models: &Path) -> Outcome<Self> {
        Self::start_serving(room, name, Some(models.to_owned())).await
    }

    async fn start_serving(room: &'a Path, name: &'static str, models: Option<PathBuf>) -> Outcome<Self> {
        let (port, http) = (free_port()?, free_port()?);
        let listen = format!("/ip4/127.0.0.1/udp/{port}/quic-v1,/ip4/127.0.0.1/tcp/{port}");
        let http = format!("127.0.0.1:{http}");
        let mut relay = Self { room, name, address: String::new(), listen, http, models, running: None };
        relay.address = relay.begin().await?;
        Ok(relay)
    }

    async fn begin(&mut self) -> Outcome<String> {
        let mut settings =
            vec![("KITH_RELAY_HTTP_LISTEN", self.http.as_str()), ("KITH_RELAY_LISTEN", self.listen.as_str())];
        let models = self.models.as_ref().map(|models| models.display().to_string());
        settings.extend(models.as_deref().map(|models| ("KITH_RELAY_HTTP_MODELS_DIR", models)));
        let running = crate::process::relay(programs()?, self.room, self.name, &settings)?;
        // Kept before it is ready: who gives up waiting has a process to kill.
        self.running.insert(running).address().await
    }

    /// Where all that it knows is.
    pub(crate) fn data(&self) -> PathBuf {
        self.room.join(self.name)
    }

    /// The address of the models that it serves.
    pub(crate) fn models(&self) -> String {
        format!("http://{}/models", self.http)
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) -> Outcome {
        match self.running.take() {
            Some(running) => running.kill().await,
            None => Ok(()),
        }
    }

    /// Starts it again at the same address.
    pub(crate) async fn restart(&mut self) -> Outcome {
        let address = self.begin().await?;
        check(address == self.address, "the relay has another address after its restart")
    }

    /// One of its pages for machines: the status line, and all that follows.
    pub(crate) fn page(&self, path: &str) -> Outcome<(String, String)> {
        let mut stream = TcpStream::connect(&self.http)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (status, rest) = answer.split_once("\r\n").unwrap_or_default();
        Ok((status.to_owned(), rest.to_owned()))
    }

    /// What it has counted under a name with its labels; what it does not name yet is zero.
    pub(crate) fn counted(&self, what: &str) -> Outcome<u64> {
        let (_, page) = self.page("/metrics")?;
        let count = page.lines().find_map(|line| line.strip_prefix(what)?.trim().parse().ok());
        Ok(count.unwrap_or(0))
    }

    /// SIGTERM; it has to end, and well.
    pub(crate) async fn terminate(&mut self) -> Outcome {
        match self.running.take() {
            Some(running) => running.terminate().await,
            None => Err(Failure::new("the relay does not run")),
        }
    }
}

impl Running {
    /// SIGKILL, and until it is gone.
    pub(crate) async fn kill(mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }
}

/// How a command failed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) exit: Option<i32>,
    pub(crate) code: String,
    pub(crate) sentence: String,
}

impl Person<'_> {
    /// A command that has to fail: how.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> Outcome<Refused> {
        let output = self.kith().args(arguments).output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        check(!output.status.success(), &format!("{arguments:?} should have failed"))?;
        check(output.stdout.is_empty(), &format!("{arguments:?} failed, and printed a result"))?;
        let error = serde_json::from_str::<Value>(said.trim()).map_err(|_| Failure::new(format!("no JSON: {said}")))?;
        let part = |name: &str| error["error"][name].as_str().unwrap_or_default().to_owned();
        Ok(Refused { exit: output.status.code(), code: part("code"), sentence: part("message") })
    }

    /// From now on every process of this person listens here, so that it is found again.
    pub(crate) fn at_one_address(&mut self) -> Outcome {
        let port = free_port()?;
        self.network = vec!["--no-mdns".into(), "--listen".into(), format!("/ip4/127.0.0.1/udp/{port}/quic-v1")];
        Ok(())
    }

    /// Sends a text and waits at most so long until it has left: the message.
    pub(crate) async fn send(&self, to: &str, words: &str) -> Outcome<Value> {
        let sent = self.ask_one(&["send", to, words, "--wait", "45"]).await?;
        check(text(&sent, "state") != "queued", &format!("{words:?} did not leave: {sent}"))?;
        Ok(sent)
    }

    /// Until the history with somebody ends with these texts.
    pub(crate) async fn reads(&self, with: &str, words: &[&str]) -> Outcome {
        let ends = |answer: &[Value]| {
            let texts: Vec<&str> = answer.iter().map(|message| text(message, "text")).collect();
            texts.ends_with(words).then_some(())
        };
        self.until(&format!("{words:?}"), &["history", with], ends).await
    }

    /// Until a message of one's own is at the recipient: its route.
    pub(crate) async fn learns_of_delivery(&self, to: &str, sent: &Value) -> Outcome<String> {
        let delivered = |answer: &[Value]| {
            let message = answer.iter().find(|message| message["id"] == sent["id"])?;
            matches!(text(message, "state"), "delivered" | "read").then(|| text(message, "route").to_owned())
        };
        self.until("the receipt", &["history", to], delivered).await
    }

    /// Until a contact is reached directly.
    pub(crate) async fn is_connected_to(&self, other: &str) -> Outcome {
        let direct = |answer: &[Value]| {
            let contacts = answer.first()?["contacts"].as_array()?;
            let reach = contacts.iter().find(|reach| text(reach, "name") == other)?;
            matches!(text(reach, "path"), "direct" | "lan").then_some(())
        };
        self.until(&format!("the direct connection to {other}"), &["status"], direct).await
    }

    /// Until somebody is a contact on both sides.
    pub(crate) async fn has_contact(&self, other: &str) -> Outcome {
        let accepted = |answer: &[Value]| {
            let contact = answer.iter().find(|contact| text(contact, "name") == other)?;
            (text(contact, "state") == "accepted" && contact["conversation"].is_string()).then_some(())
        };
        self.until(&format!("the contact {other}"), &["contacts"], accepted).await
    }

    /// Until the request of somebody is shown: its object.
    pub(crate) async fn is_asked_by(&self, other: &str) -> Outcome<Value> {
        let begins = format!("{other}@");
        let shown =
            |answer: &[Value]| answer.iter().find(|request| text(request, "handle").starts_with(&begins)).cloned();
        self.until(&format!("the request of {other}"), &["requests"], shown).await
    }

    /// Until something is said in the status' warnings: the sentence.
    pub(crate) async fn is_warned(&self, of: &str) -> Outcome<String> {
        let warned = |answer: &[Value]| {
            let warnings = answer.first()?["warnings"].as_array()?.iter().filter_map(|said| said["message"].as_str());
            warnings.filter(|warning| warning.contains(of)).map(str::to_owned).next()
        };
        self.until(&format!("the warning of {of:?}"), &["status"], warned).await
    }

    /// Every message with somebody, oldest first, as it is on this device's disk.
    pub(crate) async fn all_messages(&self, with: &str) -> Outcome<Vec<Value>> {
        let mut messages = Vec::new();
        let mut page = self.ask(&["--no-sync", "history", with, "--limit", "1000"]).await?;
        while let Some(first) = page.first() {
            let before = text(first, "id").to_owned();
            messages.splice(0..0, page);
            page = self.ask(&["--no-sync", "history", with, "--limit", "1000", "--before", &before]).await?;
        }
        Ok(messages)
    }

    /// Their texts.
    pub(crate) async fn whole_history(&self, with: &str) -> Outcome<Vec<String>> {
        let messages = self.all_messages(with).await?;
        Ok(messages.iter().map(|message| text(message, "text").to_owned()).collect())
    }
}

/// A person of this name.
pub(crate) fn person(room: &Path, name: &'static str) -> Outcome<Person<'static>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models");
    Person::new(programs()?, models, room, name)
}

/// Signs a new person up.
pub(crate) async fn sign_up(room: &Path, name: &'static str, relay: &Relay<'_>) -> Outcome<Person<'static>> {
    let mut person = person(room, name)?;
    person.at_one_address()?;
    person.ask_one(&["register", name, "--relay", &relay.address]).await?;
    Ok(person)
}

/// Logs somebody in on a further device, whose profile has this name, and starts it: until its key packages are at the relay,
/// without which no other device can add it to a conversation.
pub(crate) async fn new_device(
    room: &Path,
    name: &'static str,
    account: &Person<'_>,
    relay: &Relay<'_>,
) -> Outcome<(Person<'static>, Running)> {
    let published = "kith_relay_requests_total{name=\"put_key_packages\",outcome=\"ok\"}";
    let before = relay.counted(published)?;
    let mut device = person(room, name)?;
    device.at_one_address()?;
    std::fs::copy(account.password_file(), device.password_file())?;
    device.ask_one(&["login", account.name, "--relay", &relay.address]).await?;
    let running = device.run().await?;
    let connected = |_: &[Value]| relay.counted(published).is_ok_and(|count| count > before).then_some(());
    device.until("the new device's key packages", &["whoami"], connected).await?;
    Ok((device, running))
}

/// Makes two people who run contacts of each other; `who` is how the first calls the second.
pub(crate) async fn befriend(one: &Person<'_>, other: &Person<'_>, who: &str) -> Outcome {
    one.ask(&["add", who, "hello"]).await?;
    other.is_asked_by(one.name).await?;
    other.ask(&["accept", one.name]).await?;
    other.has_contact(one.name).await?;
    one.has_contact(other.name).await
}

/// Alice and Bob at one relay, contacts of each other and online.
pub(crate) struct Pair<'a> {
    pub(crate) relay: Relay<'a>,
    pub(crate) alice: Person<'static>,
    pub(crate) alice_runs: Running,
    pub(crate) bob: Person<'static>,
    pub(crate) bob_runs: Running,
}

impl<'a> Pair<'a> {
    pub(crate) async fn meet(room: &'a Path) -> Outcome<Self> {
        let relay = Relay::start(room, "relay").await?;
        let (alice, bob) = tokio::try_join!(sign_up(room, "alice", &relay), sign_up(room, "bob", &relay))?;
        let (alice_runs, bob_runs) = tokio::try_join!(alice.run(), bob.run())?;
        befriend(&alice, &bob, "bob").await?;
        Ok(Self { relay, alice, alice_runs, bob, bob_runs })
    }
}

/// Copies a directory with all that is in it.
pub(crate) fn copy_directory(from: &Path, to: &Path) -> Outcome {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_directory(&path, &copy)?;
        } else if path.is_file() {
            // A socket is nothing to copy.
            std::fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}

pub(crate) fn check(holds: bool, otherwise: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}

pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
