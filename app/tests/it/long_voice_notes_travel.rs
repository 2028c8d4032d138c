//! A voice note that is too long for a message: recorded by a microphone, left with the relay for somebody who is away, fetched by
//! them when they are back, understood and played.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::sound_server::{Server, clip, samples_of, until, wav};
use crate::world::{Failure, Outcome, Pair, check, play, text};

/// Seconds between sentences: longer than a breath, so that the small model hears one at a time, which is what it can.
const PAUSE: usize = 3;

/// The longest that fits into a message, in bytes.
const MESSAGE: u64 = 64 * 1024;

/// As many sentences may be misheard: some were said into a bad microphone in the first place, and all of it went through another.
const MISHEARD: usize = 2;

/// Sentences one after the other, with silence behind each: what is said last is on its way for a while, too. The file, how long it
/// lasts, and what is said.
fn said(server: &Server) -> Outcome<(PathBuf, Duration, Vec<String>)> {
    let list = std::fs::read_to_string(clip().with_file_name("clips.tsv"))?;
    let (mut samples, mut sentences) = (Vec::new(), Vec::new());
    for (name, rest) in list.lines().filter_map(|line| line.split_once('\t')) {
        samples.extend(samples_of(name));
        samples.resize(samples.len() + 16_000 * 2 * PAUSE, 0);
        sentences.push(rest.split('\t').next().unwrap_or_default().to_owned());
    }
    let file = server.path("said.wav");
    std::fs::write(&file, wav(16_000, &samples))?;
    Ok((file, Duration::from_secs_f64(samples.len() as f64 / 32_000.0), sentences))
}

#[tokio::test]
async fn a_note_of_more_than_a_minute_goes_through_the_relay_to_somebody_who_is_away() {
    play(async |room| {
        let server = Server::start();
        let (file, long, sentences) = said(&server)?;
        check(long > Duration::from_secs(60), &format!("it lasts {long:?} only"))?;
        let Pair { relay: _relay, mut alice, alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        bob_runs.terminate().await?;
        alice.environment.push(("PULSE_SERVER".into(), server.address()));
        let mut recorder = alice.kith();
        recorder.args(["record", "--to", "bob", "--bitrate", "64"]);
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
        let heard = text(&transcript, "text");
        let missed: Vec<&String> = sentences.iter().filter(|sentence| !heard.contains(sentence.as_str())).collect();
        check(missed.len() <= MISHEARD, &format!("{missed:?} were not understood: {heard:?}"))?;

        let saved = server.path("saved.ogg");
        let (id, path) = (text(&note, "id").to_owned(), saved.display().to_string());
        bob.ask_one(&["save", "alice", &id, &path]).await?;
        let ear = server.ear();
        // Its last seconds; the speaker hears the rest in other tests.
        let from = got.as_secs().saturating_sub(8).to_string();
        let played = server.kith(&["play", &path, "--from", &from]);
        check(played.status.success(), &String::from_utf8_lossy(&played.stderr))?;
        let heard = ear.words_after(0);
        let last = sentences.last().ok_or_else(|| Failure::new("nothing was said"))?;
        check(heard.contains(last), &format!("{heard:?} was heard from the speaker"))
    })
    .await;
}
