//! What is said into a microphone at one end is read at the other: cleaned up, encoded, sealed, sent over real sockets, taken apart and
//! turned into text, by two whole clients.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kith_core::client::sound::Buffers;
use kith_core::client::{Options, Reply, Request};
use kith_core::voice::{Pcm, wav};
use kith_core::wire::control::Urgency;

use crate::clips::{LISTS, Score, clip, clips};
use crate::people_at_one_relay::{Person, become_contacts, history, options, relay_with};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Clips of each list in the short form.
const CLIPS: usize = 3;

/// What a microphone gives at a time, in samples: 10 ms of a clip.
const BLOCK: usize = 160;

/// Says this into somebody's microphone, in a note to somebody else.
async fn say(person: &mut Person, devices: &Buffers, to: &str, said: Pcm) -> String {
    let length = said.duration();
    devices.say(said);
    let recording = person.client.record(to).await.unwrap();
    let all = async {
        while !devices.all_heard() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("a microphone that hears");
    let draft = recording.finish().await.unwrap();
    assert_eq!(draft.duration, length, "all of it was recorded");
    person.client.send_recording(&draft).await.unwrap().id
}

/// What this note of somebody's becomes at the other end.
async fn read(person: &mut Person, with: &str, note: &str) -> String {
    let arrived = async |client: &kith_core::client::Client, _: &[_]| {
        history(client, with).await.ok()?.iter().any(|message| message.id == note).then_some(())
    };
    person.until("the note", arrived).await;
    let listen = Request::Transcribe {
        with: with.into(),
        message: Some(note.into()),
        priority: Urgency::Asked,
        language: None,
        translate: None,
        again: false,
    };
    let Reply::Transcript(transcript) = person.ask(listen).await.unwrap() else { panic!("no transcript") };
    transcript.text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_at_one_end_is_understood_at_the_other() {
    let all = std::env::var_os("KITH_SOAK").is_some();
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay_with(&room.path().join("relay"), |_| ()).await;
    let devices = Buffers::new(Pcm { rate: 16_000, samples: Vec::new() }, BLOCK);
    let speaks = Options { sound: Arc::new(devices.clone()), ..options() };
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models");
    let reads = Options { models: Some(models), ..options() };
    let mut alice = Person::register_with(&room.path().join("alice"), "alice", &address, speaks).await;
    let mut bob = Person::register_with(&room.path().join("bob"), "bob", &address, reads).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    alice.is_near(&bob.me().await.account).await;
    for (list, card) in LISTS {
        let mut score = Score::default();
        for (name, said) in clips(list).into_iter().take(if all { usize::MAX } else { CLIPS }) {
            let sound = wav::decode(&std::fs::read(clip(&name)).unwrap()).unwrap();
            let note = say(&mut alice, &devices, "bob", sound).await;
            let heard = read(&mut bob, "alice", &note).await;
            println!("{name}: {said:?} was heard as {heard:?}");
            score.count(&heard, &said);
        }
        score.check(list, card);
    }
    for person in [alice, bob] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}
