//! The second half of the main job: a voice note is sent, arrives, and becomes text on the receiver's device.

use std::path::Path;

use serde_json::Value;

use crate::world::{Outcome, Pair, check, play, text};

/// Words without case and punctuation: how they are written down is the model's taste.
fn words(text: &str) -> Vec<String> {
    let letters =
        |word: &str| word.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
    text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect()
}

#[tokio::test]
async fn a_voice_note_arrives_and_is_transcribed_by_its_receiver_alone() {
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs: _alice_runs, bob, bob_runs: _bob_runs } = Pair::meet(room).await?;
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
        let notes = std::fs::read_to_string(demo.join("notes.tsv"))?;
        for (file, spoken) in notes.lines().filter_map(|line| line.split_once('\t')) {
            let file = demo.join(file).to_string_lossy().into_owned();
            let sent = alice.ask_one(&["send", "bob", "--voice", &file, "--wait", "45"]).await?;
            let arrived = |answer: &[Value]| answer.iter().find(|message| message["id"] == sent["id"]).cloned();
            let note = bob.until("the voice note", &["history", "alice"], arrived).await?;
            check(text(&note, "kind") == "voice" && note["duration_ms"].is_u64(), &format!("it is {note}"))?;
            check(note["transcript"].is_null(), &format!("it came with a text: {note}"))?;

            let transcript = bob.ask_one(&["transcribe", "--with", "alice"]).await?;
            let heard = text(&transcript, "text");
            check(transcript["message"] == sent["id"], &format!("another note became text: {transcript}"))?;
            check(words(heard) == words(spoken), &format!("{heard:?} was heard, and {spoken:?} said"))?;
            let kept = bob.ask(&["history", "alice"]).await?;
            let kept = kept.iter().find(|message| message["id"] == sent["id"]);
            check(kept.is_some_and(|note| note["transcript"] == heard), &format!("the text was not kept: {kept:?}"))?;
            // It is the reader's own, made on the reader's device.
            let own = alice.ask(&["history", "bob"]).await?;
            let own = own.iter().find(|message| message["id"] == sent["id"]);
            check(own.is_some_and(|note| note["transcript"].is_null()), &format!("the sender has it too: {own:?}"))?;
        }
        let nobody = alice.refused(&["transcribe", "--with", "bob", "nothing"]).await?;
        check(nobody.code == "no_message", &format!("it was {nobody:?}"))
    })
    .await;
}

#[tokio::test]
async fn notes_that_come_together_become_text_by_themselves_although_their_reader_is_killed() {
    /// More than may wait in the queue of what nobody asked for.
    const NOTES: usize = 12;
    play(async |room| {
        let Pair { relay: _relay, alice, alice_runs: _alice_runs, bob, bob_runs } = Pair::meet(room).await?;
        bob_runs.kill().await?;
        std::fs::write(room.join("bob").join("speech.json"), r#"{"automatic": true, "mains_only": false}"#)?;
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/demo");
        let notes = std::fs::read_to_string(demo.join("notes.tsv"))?;
        let (file, spoken) = notes.lines().find_map(|line| line.split_once('\t')).unwrap_or_default();
        let file = demo.join(file).to_string_lossy().into_owned();
        for _ in 0..NOTES {
            alice.ask_one(&["send", "bob", "--voice", &file]).await?;
        }
        let is_note = |message: &&Value| text(message, "kind") == "voice";
        let written =
            |answer: &[Value]| answer.iter().filter(is_note).filter(|note| note["transcript"].is_string()).count();
        let bob_runs = bob.run().await?;
        let some = |answer: &[Value]| (written(answer) > 0).then(|| written(answer));
        let before = bob.until("the first transcript", &["history", "alice"], some).await?;
        bob_runs.kill().await?;
        check(before < NOTES, &format!("all {before} were written down before the kill: it proves nothing"))?;
        let _bob_runs = bob.run().await?;
        let all = |answer: &[Value]| (written(answer) == NOTES).then(|| answer.to_vec());
        let history = bob.until("all transcripts", &["history", "alice"], all).await?;
        history.iter().filter(is_note).try_for_each(|note| -> Outcome {
            let heard = text(note, "transcript");
            check(words(heard) == words(spoken), &format!("{heard:?} was heard, and {spoken:?} said"))
        })
    })
    .await;
}
