//! Two real windows, worked by keys and a mouse; what they achieved is looked up in the receiver's own store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::window::{Display, Window, slowest, until};
use crate::world::{Outcome, Person, Relay, check, person, play, text};

/// No window may work for longer from one frame to the next, in a build without optimisation. It is a time of the processor: what the
/// machine does besides does not count.
const PATIENCE: Duration = Duration::from_millis(100);

const OFFLINE: &str = "Your relay is not reached. Messages wait here and go out by themselves.";
const GREETING: &str = "Bob here, from a window.";
const HELLO: &str = "Hello Alice, do you see this?";
const ANSWER: &str = "I do, and I answer by keys.";
const DRAFT: &str = "A draft that outlives its window";
const WHILE_AWAY: &str = "You are away now.";
const WHILE_OFFLINE: &str = "And the relay is away, too.";

/// Somebody with a display.
struct Seat<'a> {
    person: Person<'static>,
    display: Display,
    password: String,
    relay: &'a str,
    marks: PathBuf,
}

impl<'a> Seat<'a> {
    async fn take(room: &Path, name: &'static str, relay: &'a str, pictures: &Path) -> Outcome<Self> {
        let person = person(room, name)?;
        let password = format!("{name} rows across 4 lakes");
        std::fs::write(person.password_file(), &password)?;
        let marks = room.join("marks");
        std::fs::create_dir_all(&marks)?;
        Ok(Self { display: Display::start(room, name, pictures).await?, person, password, relay, marks })
    }

    async fn window(&self, number: u32) -> Outcome<Window<'_>> {
        let name = self.person.name;
        let command = Window::command(&self.display, &self.person.room.join(name), self.relay);
        Window::open(&self.display, command, self.marks.join(format!("{name}-{number}.jsonl"))).await
    }

    async fn picture(&self, step: &str) -> Outcome {
        self.display.picture(&format!("{step}-{}", self.person.name)).await
    }

    /// From the first page to an empty list of chats.
    async fn sign_up(&self) -> Outcome<Window<'_>> {
        let window = self.window(1).await?;
        window.shows("Welcome to Kith").await?;
        self.picture("01-welcome").await?;
        window.press("Create an account").await?;
        // The address was given with the program.
        window.is_in_field("Address of the relay").await?;
        self.picture("02-relay").await?;
        window.key("Return").await?;
        window.is_in_field("Name").await?;
        window.write(self.person.name).await?;
        window.press_field("Password").await?;
        window.write(&self.password).await?;
        window.press_field("Password once more").await?;
        window.write(&self.password).await?;
        window.shows("The same as the password").await?;
        self.picture("03-account").await?;
        window.key("Return").await?;
        window.shows("Your recovery code").await?;
        self.picture("04-recovery").await?;
        window.press("I have written it down").await?;
        window.press("Continue").await?;
        window.shows("Nobody is here yet").await?;
        self.picture("05-empty").await?;
        Ok(window)
    }
}

#[tokio::test]
async fn two_people_talk_in_two_windows() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("windows");
    let _ = std::fs::remove_dir_all(&pictures);
    std::fs::create_dir_all(&pictures).unwrap();
    println!("pictures: {}", pictures.display());
    play(async |room| {
        let mut relay = Relay::start(room, "relay").await?;
        let address = relay.address.clone();
        let alice = Seat::take(room, "alice", &address, &pictures).await?;
        let bob = Seat::take(room, "bob", &address, &pictures).await?;
        talk(&alice, &bob, &mut relay).await?;
        alice.display.end().await?;
        bob.display.end().await?;
        let (frame, answer) = slowest(&room.join("marks"))?;
        println!("from frame to frame {frame:?} of the processor at most; the latest answer after {answer:?}");
        check(frame < PATIENCE, &format!("a window was frozen for {frame:?} by its own work"))
    })
    .await;
}

async fn talk(alice: &Seat<'_>, bob: &Seat<'_>, relay: &mut Relay<'_>) -> Outcome {
    let (at_alice, at_bob) = tokio::try_join!(alice.sign_up(), bob.sign_up())?;
    meet(alice, bob, &at_alice, &at_bob).await?;

    write(&at_bob, HELLO).await?;
    alice.person.reads("bob", &[HELLO]).await?;
    at_alice.shows(HELLO).await?;
    write(&at_alice, ANSWER).await?;
    bob.person.reads("alice", &[HELLO, ANSWER]).await?;
    at_bob.shows(ANSWER).await?;
    alice.picture("08-talk").await?;
    bob.picture("08-talk").await?;

    // Alice goes in the middle of a sentence.
    at_alice.resize(1000, 660).await?;
    at_alice.write(DRAFT).await?;
    alice.picture("09-draft").await?;
    at_alice.close().await?;
    write(&at_bob, WHILE_AWAY).await?;
    has_left(&bob.person, "alice", WHILE_AWAY).await?;

    // By its own end and not by a kill, after which QUIC takes a minute to be sure.
    relay.terminate().await?;
    at_bob.shows(OFFLINE).await?;
    write(&at_bob, WHILE_OFFLINE).await?;
    at_bob.shows(WHILE_OFFLINE).await?;
    bob.picture("10-offline").await?;
    relay.restart().await?;
    at_bob.hides(OFFLINE).await?;

    let at_alice = return_of(alice).await?;
    alice.person.reads("bob", &[HELLO, ANSWER, WHILE_AWAY, WHILE_OFFLINE]).await?;
    at_alice.shows(WHILE_OFFLINE).await?;
    alice.picture("12-caught-up").await?;
    // The draft stands where it was left: it only has to be sent.
    at_alice.key("Return").await?;
    bob.person.reads("alice", &[WHILE_AWAY, WHILE_OFFLINE, DRAFT]).await?;
    at_bob.shows(DRAFT).await?;
    bob.picture("13-draft-sent").await?;

    start_twice(alice, &at_alice).await?;
    at_alice.close().await?;
    at_bob.close().await
}

/// Bob asks by Alice's name, and Alice accepts.
async fn meet(alice: &Seat<'_>, bob: &Seat<'_>, at_alice: &Window<'_>, at_bob: &Window<'_>) -> Outcome {
    at_bob.key("ctrl+n").await?;
    at_bob.is_in_field("Name or link").await?;
    at_bob.write("alice").await?;
    at_bob.key("Tab").await?;
    at_bob.is_in_field("What to say").await?;
    at_bob.write(GREETING).await?;
    bob.picture("06-add").await?;
    at_bob.key("Return").await?;
    let asked = alice.person.is_asked_by("bob").await?;
    check(asked["text"] == GREETING, "another greeting came")?;
    at_alice.press("wants to write to you").await?;
    at_alice.shows(GREETING).await?;
    alice.picture("07-request").await?;
    at_alice.press("Accept").await?;
    alice.person.has_contact("bob").await?;
    bob.person.has_contact("alice").await?;
    at_bob.shows("alice").await?;
    at_bob.hides("waiting for an answer").await?;
    at_bob.key("ctrl+1").await?;
    at_bob.is_in_composer().await?;
    at_alice.shows("bob").await?;
    at_alice.key("ctrl+1").await?;
    at_alice.is_in_composer().await
}

/// Until a message has left this device.
async fn has_left(person: &Person<'_>, to: &str, words: &str) -> Outcome {
    let left = |answer: &[Value]| {
        let message = answer.iter().find(|message| text(message, "text") == words)?;
        (text(message, "state") != "queued").then_some(())
    };
    person.until("the message on its way", &["history", to], left).await
}

async fn write(window: &Window<'_>, words: &str) -> Outcome {
    window.is_in_composer().await?;
    window.write(words).await?;
    window.key("Return").await
}

/// Alice opens the window again, as large as it was, with her passphrase, and goes to her only chat.
async fn return_of<'a>(alice: &'a Seat<'_>) -> Outcome<Window<'a>> {
    let window = alice.window(2).await?;
    window.is_in_field("Passphrase").await?;
    window.has_size(1000, 660).await?;
    window.write("not this one").await?;
    window.key("Return").await?;
    window.shows("This passphrase is wrong.").await?;
    alice.picture("11-unlock").await?;
    window.is_in_field("Passphrase").await?;
    window.write(&alice.password).await?;
    window.key("Return").await?;
    window.shows("bob").await?;
    window.key("ctrl+1").await?;
    window.is_in_composer().await?;
    Ok(window)
}

/// A second start ends by itself, and brings the first window to the front.
async fn start_twice(alice: &Seat<'_>, window: &Window<'_>) -> Outcome {
    window.minimize().await?;
    let mut second = Window::command(&alice.display, &alice.person.room.join("alice"), alice.relay).spawn()?;
    let ended = until("the end of the second start", async || Ok(second.try_wait()?)).await?;
    check(ended.success(), "the second start did not end well")?;
    window.is_in_front().await?;
    alice.picture("14-raised").await
}
