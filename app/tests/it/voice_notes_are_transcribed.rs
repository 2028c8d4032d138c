//! The second half of the main job: a voice note is sent, arrives, and becomes text on the receiver's device.

use std::path::Path;

use serde_json::Value;

use crate::world::{Pair, check, play, text};

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
