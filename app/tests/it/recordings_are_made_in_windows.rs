//! Recordings in a window: one that is killed is offered at the next start; one that is held by the mouse goes when it is let go.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::sound_server::{Server, clip, until};
use crate::window::{Display, Screen, Window};
use crate::world::{Outcome, Pair, Person, Relay, check, play, text};

/// The button that sends, as the icons' font has it (`send-horizontal`).
const SEND: &str = "\u{e4f2}";

/// The button that records (`mic`).
const RECORD: &str = "\u{e118}";

/// How much may be lost.
const LOST: Duration = Duration::from_secs(1);

/// The time of the recording that is on the window, in seconds: `0:05` says that it lasts for more than four.
fn recorded(screen: &Screen) -> Option<u64> {
    let seconds = |words: &str| {
        let (minutes, seconds) = words.split_once(':')?;
        Some(minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok().filter(|_| seconds.len() == 2)?)
    };
    // Messages have times, too; nothing was said in this chat.
    screen.words().find_map(seconds)
}

/// Alice's window, which opens her profile by itself and has this sound server's devices.
async fn window<'a>(
    display: &'a Display,
    alice: &Person<'_>,
    relay: &Relay<'_>,
    server: &Server,
    number: u32,
) -> Outcome<Window<'a>> {
    let mut command = Window::command(display, &alice.room.join("alice"), &relay.address);
    command.arg("--password-file").arg(alice.password_file()).env("PULSE_SERVER", server.address());
    let marks = alice.room.join("marks");
    std::fs::create_dir_all(&marks)?;
    let window = Window::open(display, command, marks.join(format!("alice-{number}.jsonl"))).await?;
    window.shows("bob").await?;
    window.key("ctrl+1").await?;
    Ok(window)
}

#[tokio::test]
async fn a_recording_that_is_killed_now_and_then_is_offered_with_all_but_its_last_second() {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recordings");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let server = Server::start();
        let Pair { relay, alice, alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        alice_runs.terminate().await?;
        let display = Display::start(room, "alice", &pictures).await?;
        let at_alice = window(&display, &alice, &relay, &server, 1).await?;
        at_alice.is_in_composer().await?;
        at_alice.key("ctrl+r").await?;
        at_alice.shows("0:01").await?;
        check(server.listeners() > 0, "nobody listens to the microphone")?;
        let said = server.command("paplay").arg("--device=wire").arg(clip()).status()?;
        check(said.success(), "nothing could be said")?;
        at_alice.until("nine seconds", |screen| recorded(screen).filter(|seconds| *seconds >= 9)).await?;
        display.picture("recording").await?;
        let seconds = recorded(&at_alice.kill().await?).unwrap_or_default();
        until("the end of the listening", || server.listeners() == 0);

        let at_alice = window(&display, &alice, &relay, &server, 2).await?;
        at_alice.shows("A recording that was not sent").await?;
        display.picture("offered").await?;
        at_alice.press(SEND).await?;
        let note = |answer: &[Value]| answer.iter().find(|message| text(message, "kind") == "voice").cloned();
        let sent = alice.until("the note", &["history", "bob"], note).await?;
        let long = Duration::from_millis(sent["duration_ms"].as_u64().unwrap_or_default());
        let least = Duration::from_secs(seconds.saturating_sub(1)).saturating_sub(LOST);
        check(
            seconds >= 9 && long >= least,
            &format!("{long:?} are left of more than {} s", seconds.saturating_sub(1)),
        )?;
        let got = bob.until("the note at Bob's", &["history", "alice"], note).await?;
        check(got["duration_ms"] == sent["duration_ms"], &format!("another note came: {got}"))?;
        let heard = bob.ask_one(&["transcribe", "--with", "alice"]).await?;
        let heard = text(&heard, "text");
        check(heard == "Meet me at the station at eleven.", &format!("it was understood as {heard:?}"))?;
        hold(&at_alice, &alice, &server).await?;
        at_alice.close().await?;
        display.end().await
    })
    .await;
}

/// While the mouse holds the button it is recorded; pulled to the left it is thrown away, and let go it is sent.
async fn hold(at_alice: &Window<'_>, alice: &Person<'_>, server: &Server) -> Outcome {
    let notes = async || {
        let history = alice.ask(&["history", "bob"]).await?;
        Outcome::Ok(history.iter().filter(|message| text(message, "kind") == "voice").count())
    };
    let before = notes().await?;
    let button = at_alice.hold(RECORD).await?;
    at_alice.shows("Pull left to throw away, up to free your hands").await?;
    at_alice.shows("0:02").await?;
    at_alice.point_at(button, [-160.0, 0.0]).await?;
    at_alice.shows("The recording was thrown away").await?;
    at_alice.let_go().await?;
    until("the end of the listening", || server.listeners() == 0);
    check(notes().await? == before, "what was thrown away was sent")?;

    at_alice.hold(RECORD).await?;
    at_alice.shows("0:01").await?;
    let said = server.command("paplay").arg("--device=wire").arg(clip()).status()?;
    check(said.success(), "nothing could be said")?;
    at_alice.shows("0:04").await?;
    at_alice.let_go().await?;
    let sent = |answer: &[Value]| {
        (answer.iter().filter(|message| text(message, "kind") == "voice").count() > before).then_some(())
    };
    alice.until("the note that was held", &["history", "bob"], sent).await?;
    let heard = alice.ask_one(&["transcribe", "--with", "bob"]).await?;
    check(text(&heard, "text") == "Meet me at the station at eleven.", &format!("it was understood as {heard}"))
}
