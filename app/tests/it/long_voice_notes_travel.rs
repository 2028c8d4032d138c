//! A voice note that is too long for a message: recorded by a microphone, left with the relay for somebody who is away, fetched by
//! them when they are back, understood and played.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::sound_server::{Server, clip, until, wav};
use crate::world::{Failure, Outcome, Pair, check, play, text};

/// How often the clip is said: more than a minute of it, and more than a message takes.
const TIMES: usize = 20;

/// The longest that fits into a message, in bytes.
const MESSAGE: u64 = 64 * 1024;

const SPOKEN: &str = "Meet me at the station at eleven.";

/// The clip again and again, with a second of silence behind each, and more at the end: what is said last is on its way for a while.
fn said(server: &Server) -> Outcome<(PathBuf, Duration)> {
    let clip = std::fs::read(clip())?;
    let speech = clip.get(44..).ok_or_else(|| Failure::new("the clip is empty"))?;
    let mut samples = Vec::new();
    for _ in 0..TIMES {
        samples.extend_from_slice(speech);
        samples.resize(samples.len() + 16_000 * 2, 0);
    }
    samples.resize(samples.len() + 16_000 * 2, 0);
    let file = server.path("said.wav");
    std::fs::write(&file, wav(16_000, &samples))?;
    Ok((file, Duration::from_secs_f64(samples.len() as f64 / 32_000.0)))
}

#[tokio::test]
async fn a_note_of_more_than_a_minute_goes_through_the_relay_to_somebody_who_is_away() {
    play(async |room| {
        let server = Server::start();
        let (file, long) = said(&server)?;
        check(long > Duration::from_secs(60), &format!("it lasts {long:?} only"))?;
        let Pair { relay: _relay, mut alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        bob_runs.terminate().await?;
        alice.environment.push(("PULSE_SERVER".into(), server.address()));
        let mut recorder = alice.kith();
        recorder.args(["record", "--to", "bob", "--bitrate", "24"]);
        recorder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut recorder = recorder.spawn()?;
        until("a listener at the microphone", || server.listeners() > 0);
        let mut speaker = tokio::process::Command::from(server.command("paplay"));
        let spoken = speaker.arg("--device=wire").arg(file).status().await?;
        check(spoken.success(), "nothing could be said")?;
        // Enter ends it.
        drop(recorder.stdin.take());
        let output = recorder.wait_with_output().await?;
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        check(output.status.success(), &format!("it was not sent: {why}"))?;
        let sent: Value = serde_json::from_slice(&output.stdout)?;
        let size = sent["file"]["size"].as_u64().unwrap_or_default();
        check(size > MESSAGE, &format!("it travels inside a message: {sent}"))?;
        let this = |message: &&Value| message["id"] == sent["id"];
        let kept = |answer: &[Value]| {
            answer.iter().find(this).filter(|note| note["file"]["transfer"]["state"] == "uploaded").map(|_| ())
        };
        alice.until("the note at the relay", &["history", "bob"], kept).await?;
        // Who recorded it is away when it is fetched.
        alice_runs.terminate().await?;

        let _bob_runs = bob.run().await?;
        let here = |answer: &[Value]| {
            answer.iter().find(this).filter(|note| note["file"]["transfer"]["here"] == true).cloned()
        };
        let note = bob.until("the note at Bob's", &["history", "alice"], here).await?;
        let got = Duration::from_millis(note["duration_ms"].as_u64().unwrap_or_default());
        check(got > Duration::from_secs(60) && note["peaks"].is_array(), &format!("another note came: {note}"))?;
        let transcript = bob.ask_one(&["transcribe", "--with", "alice"]).await?;
        let heard = text(&transcript, "text").matches(SPOKEN).count();
        check(heard == TIMES, &format!("{heard} of {TIMES} sentences were understood: {transcript}"))?;

        let saved = server.path("saved.ogg");
        let (id, path) = (text(&note, "id").to_owned(), saved.display().to_string());
        bob.ask_one(&["save", "alice", &id, &path]).await?;
        let mut ear = server.command("parec");
        ear.args(["--device=speaker.monitor", "--format=s16le", "--rate=48000", "--channels=1"]);
        let heard = std::fs::File::create(server.path("heard.raw"))?;
        let mut ear = ear.stdout(heard).spawn()?;
        until("an ear at the speaker", || server.listeners() > 0);
        // Its last seconds; the speaker hears the rest in other tests.
        let from = got.as_secs().saturating_sub(8).to_string();
        let played = server.kith(&["play", &path, "--from", &from]);
        check(played.status.success(), &String::from_utf8_lossy(&played.stderr))?;
        ear.kill()?;
        ear.wait()?;
        let samples = std::fs::read(server.path("heard.raw"))?;
        std::fs::File::create(server.path("heard.wav"))?.write_all(&wav(48_000, &samples))?;
        let heard = server.words(&server.path("heard.wav"));
        check(heard.contains(SPOKEN), &format!("{heard:?} was heard from the speaker"))
    })
    .await;
}
