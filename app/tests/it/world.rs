//! Small words for stories: relays, people and their devices, all of them real processes on loopback.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::sync::OnceLock;

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

/// A relay that can be ended and started again where it was.
pub(crate) struct Relay<'a> {
    room: &'a Path,
    name: &'static str,
    pub(crate) address: String,
    pub(crate) http: String,
    running: Option<Running>,
}

impl<'a> Relay<'a> {
    pub(crate) async fn start(room: &'a Path, name: &'static str) -> Outcome<Self> {
        let http = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let settings = [("KITH_RELAY_HTTP_LISTEN", http.as_str())];
        let (running, address) = crate::process::relay(programs()?, room, name, &settings).await?;
        Ok(Self { room, name, address, http, running: Some(running) })
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
        let listen = self.address.split("/p2p/").next().unwrap_or_default().to_owned();
        let settings = [("KITH_RELAY_HTTP_LISTEN", self.http.as_str()), ("KITH_RELAY_LISTEN", listen.as_str())];
        let (running, address) = crate::process::relay(programs()?, self.room, self.name, &settings).await?;
        check(address == self.address, "the relay has another address after its restart")?;
        self.running = Some(running);
        Ok(())
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
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
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

    /// Every text of the history with somebody, oldest first.
    pub(crate) async fn whole_history(&self, with: &str) -> Outcome<Vec<String>> {
        let mut texts = Vec::new();
        let mut page = self.ask(&["history", with, "--limit", "1000"]).await?;
        while let Some(first) = page.first() {
            let before = text(first, "id").to_owned();
            texts.splice(0..0, page.iter().map(|message| text(message, "text").to_owned()));
            page = self.ask(&["history", with, "--limit", "1000", "--before", &before]).await?;
        }
        Ok(texts)
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

pub(crate) fn check(holds: bool, otherwise: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}

pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
