//! The main job, step by step.

use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::process::{Person, Programs, Running, relay};
use crate::stage::Stage;

const GREETING: &str = "It is Alice, from the station.";
const QUESTION: &str = "Are we still meeting on Thursday?";
const ANSWER: &str = "We are. I bring the map.";
const WHILE_AWAY: [&str; 3] =
    ["The train leaves at seven now.", "From platform four, not two.", "I keep a seat for you."];

/// The voice note, by its name in `assets/demo/notes.tsv`.
const NOTE: &str = "meet-me.wav";

/// How the relay calls itself, and where its data are in the room.
const RELAY: &str = "demo";

/// Two people at one relay who have each other as contacts, both online.
pub(crate) struct Met<'a> {
    pub(crate) relay: Running,
    pub(crate) alice: Person<'a>,
    pub(crate) bob: Person<'a>,
    pub(crate) alice_runs: Running,
    pub(crate) bob_runs: Running,
}

pub(crate) async fn play(stage: &mut Stage, programs: &Programs, assets: &Path, room: &Path) -> Result<(), Failure> {
    let Met { relay, alice, bob, alice_runs, bob_runs } = meet(stage, programs, assets, room).await?;
    talk(stage, &alice, &bob).await?;
    let bob_runs = away_and_back(stage, &alice, &bob, bob_runs, room).await?;
    voice(stage, &alice, &bob, assets).await?;

    stage.chapter("Everybody leaves");
    stage.step("All processes end by themselves");
    alice.ask(&["stop"]).await?;
    bob.ask(&["stop"]).await?;
    alice_runs.ended().await?;
    bob_runs.ended().await?;
    relay.terminate().await?;
    stage.verified("");
    Ok(())
}

/// A relay starts, both sign up, and become contacts.
pub(crate) async fn meet<'a>(
    stage: &mut Stage,
    programs: &'a Programs,
    assets: &Path,
    room: &Path,
) -> Result<Met<'a>, Failure> {
    let models = assets.join("models");
    let alice = Person::new(programs, models.clone(), room, "alice")?;
    let bob = Person::new(programs, models, room, "bob")?;

    stage.chapter("A relay and two people");
    stage.step("The relay starts");
    let mut relay = relay(programs, room, RELAY, &[])?;
    let address = relay.address().await?;
    stage.verified(&address);
    sign_up(stage, &alice, "alice", &address).await?;
    sign_up(stage, &bob, "bob", &address).await?;
    stage.step("Both go online");
    let alice_runs = alice.run().await?;
    let bob_runs = bob.run().await?;
    for person in [&alice, &bob] {
        let connected = |answer: &[Value]| (answer.first()?["relay_connected"] == true).then_some(());
        person.until("the connection to the relay", &["status"], connected).await?;
    }
    stage.verified("each keeps a connection to the relay");

    contact(stage, &alice, &bob).await?;
    Ok(Met { relay, alice, bob, alice_runs, bob_runs })
}

async fn sign_up(stage: &mut Stage, person: &Person<'_>, name: &str, relay: &str) -> Result<(), Failure> {
    stage.step(&format!("{name} signs up by OPAQUE"));
    let me = person.ask_one(&["register", name, "--relay", relay]).await?;
    let handle = text(&me, "handle");
    check(handle.starts_with(&format!("{name}@")), "the handle is another one")?;
    check(!text(&me, "recovery_code").is_empty(), "there is no recovery code")?;
    stage.verified(&format!("{handle}: the relay never saw the password"));
    Ok(())
}

async fn contact(stage: &mut Stage, alice: &Person<'_>, bob: &Person<'_>) -> Result<(), Failure> {
    stage.chapter("Alice asks Bob for contact");
    stage.step("Bob's device shows the request");
    alice.ask(&["add", "bob", GREETING]).await?;
    let shown = |answer: &[Value]| answer.iter().find(|request| text(request, "text") == GREETING).cloned();
    let request = bob.until("the contact request", &["requests"], shown).await?;
    check(text(&request, "handle").starts_with("alice@"), "the request is not Alice's")?;
    stage.verified("in his own store");
    stage.speech("alice", GREETING);
    stage.step("Bob accepts, and both have each other");
    bob.ask(&["accept", "alice"]).await?;
    for (person, other) in [(bob, "alice"), (alice, "bob")] {
        let accepted = |answer: &[Value]| {
            let contact = answer.iter().find(|contact| text(contact, "name") == other)?;
            (text(contact, "state") == "accepted" && contact["conversation"].is_string()).then_some(())
        };
        person.until("the contact", &["contacts"], accepted).await?;
    }
    stage.verified("one conversation, end-to-end encrypted");
    stage.step("Their devices connect");
    for (person, other) in [(alice, "bob"), (bob, "alice")] {
        let direct = |answer: &[Value]| {
            let contacts = answer.first()?["contacts"].as_array()?;
            let reach = contacts.iter().find(|reach| text(reach, "name") == other)?;
            matches!(text(reach, "path"), "direct" | "lan").then_some(())
        };
        person.until("the direct connection", &["status"], direct).await?;
    }
    stage.verified("without the relay in between");
    Ok(())
}

/// A question and its answer, each delivered directly.
pub(crate) async fn talk(stage: &mut Stage, alice: &Person<'_>, bob: &Person<'_>) -> Result<(), Failure> {
    stage.chapter("They write to each other");
    for (from, from_name, to, to_name, words) in
        [(alice, "alice", bob, "bob", QUESTION), (bob, "bob", alice, "alice", ANSWER)]
    {
        stage.step(&format!("{from_name} writes to {to_name}"));
        let sent = from.ask_one(&["send", to_name, words]).await?;
        to.until("the message", &["history", from_name], |answer| found(answer, words)).await?;
        let delivered = |answer: &[Value]| {
            let message = answer.iter().find(|message| message["id"] == sent["id"])?;
            matches!(text(message, "state"), "delivered" | "read").then(|| text(message, "route").to_owned())
        };
        let route = from.until("the receipt", &["history", to_name], delivered).await?;
        check(route == "direct", &format!("it went by {route}, not directly"))?;
        stage.verified("delivered, directly");
        stage.speech(from_name, words);
    }
    Ok(())
}

async fn away_and_back(
    stage: &mut Stage,
    alice: &Person<'_>,
    bob: &Person<'_>,
    bob_runs: Running,
    room: &Path,
) -> Result<Running, Failure> {
    stage.chapter("Bob is away");
    stage.step("Bob's process ends");
    bob.ask(&["stop"]).await?;
    bob_runs.ended().await?;
    stage.verified("");
    for words in WHILE_AWAY {
        stage.step("Alice's message waits in his mailbox");
        let sent = alice.ask_one(&["send", "bob", words, "--wait", "45"]).await?;
        let (state, route) = (text(&sent, "state"), text(&sent, "route"));
        check(state == "sent" && route == "mailbox", &format!("it is {state}, by {route}"))?;
        stage.verified("sent, by mailbox");
        stage.speech("alice", words);
    }
    stage.step("The relay's disk holds none of these words");
    let relay = room.join(RELAY);
    for words in WHILE_AWAY.iter().chain([&GREETING, &QUESTION, &ANSWER]) {
        check(!holds(&relay, words.as_bytes())?, &format!("the relay's disk holds {words:?}"))?;
    }
    stage.verified("all its files were searched");

    stage.chapter("Bob returns");
    stage.step("His messages are there, in order");
    let bob_runs = bob.run().await?;
    let in_order = |answer: &[Value]| {
        let texts: Vec<&str> = answer.iter().map(|message| text(message, "text")).collect();
        texts.ends_with(&WHILE_AWAY).then_some(texts.len())
    };
    let count = bob.until("the waiting messages", &["history", "alice"], in_order).await?;
    // Before them the greeting of the request, a question and an answer.
    check(count == WHILE_AWAY.len() + 3, &format!("{count} messages are shown: one is missing or doubled"))?;
    stage.verified("each of them once");
    stage.step("Alice learns that they arrived");
    let delivered = |answer: &[Value]| {
        let own = answer.iter().filter(|message| message["mine"] == true);
        own.map(|message| text(message, "state")).all(|state| matches!(state, "delivered" | "read")).then_some(())
    };
    alice.until("the receipts", &["history", "bob"], delivered).await?;
    stage.verified("delivered");
    Ok(bob_runs)
}

async fn voice(stage: &mut Stage, alice: &Person<'_>, bob: &Person<'_>, assets: &Path) -> Result<(), Failure> {
    stage.chapter("Alice says something");
    let notes = std::fs::read_to_string(assets.join("demo/notes.tsv"))?;
    let spoken = notes.lines().filter_map(|line| line.split_once('\t')).find(|(file, _)| *file == NOTE);
    let (_, spoken) = spoken.ok_or_else(|| Failure::new(format!("{NOTE} is not in assets/demo/notes.tsv")))?;
    let file = assets.join("demo").join(NOTE);
    stage.step("Her voice note arrives");
    let sent = alice.ask_one(&["send", "bob", "--voice", &file.to_string_lossy()]).await?;
    let arrived = |answer: &[Value]| answer.iter().find(|message| message["id"] == sent["id"]).cloned();
    let note = bob.until("the voice note", &["history", "alice"], arrived).await?;
    check(text(&note, "kind") == "voice", "it is not a voice note")?;
    let length = note["duration_ms"].as_u64().unwrap_or_default();
    stage.verified(&format!("{length} ms of sound"));
    stage.step("Bob's device turns it into text");
    let transcript = bob.ask_one(&["transcribe", "--with", "alice"]).await?;
    let heard = text(&transcript, "text");
    check(words(heard) == words(spoken), &format!("{heard:?} was heard, and {spoken:?} said"))?;
    let kept = |answer: &[Value]| {
        let note = answer.iter().find(|message| message["id"] == sent["id"])?;
        (text(note, "transcript") == heard).then_some(())
    };
    bob.until("the transcript in his store", &["history", "alice"], kept).await?;
    stage.verified(&format!("model {}, on his own device", text(&transcript, "model")));
    stage.speech("alice", heard);
    Ok(())
}

fn found(answer: &[Value], words: &str) -> Option<()> {
    answer.iter().any(|message| text(message, "text") == words && message["mine"] == false).then_some(())
}

fn check(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(otherwise)) }
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

/// Words without case and punctuation: how they are written down is the model's taste.
fn words(text: &str) -> Vec<String> {
    let letters =
        |word: &str| word.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase();
    text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect()
}

/// Whether any file below a directory holds these bytes.
fn holds(directory: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            holds(&path, bytes)?
        } else if path.is_file() {
            std::fs::read(&path)?.windows(bytes.len()).any(|window| window == bytes)
        } else {
            false
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}
