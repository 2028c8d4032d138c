//! Pictures of voice notes that are listened to and read, and of words that were found.

use std::time::Duration;

use kith_core::wire::control::{Code, File, Found, Hit, Said, Spoken, SpokenSegment, SpokenWord, Transfer};

use super::*;
use crate::screen::home::conversation::{Message as Deed, find};
use crate::screen::home::player;

const SAID: &str = "Wait for me at the door, I am nearly there. Bring the tickets and something to read, the train takes an hour and a half.";

fn bob() -> Chat {
    Chat { path: Some("direct".into()), ..chat("Bob") }
}

fn spoken(source: &str, edited: bool, cut: bool) -> Spoken {
    let mut start_ms = 300;
    let mut segments = Vec::new();
    for sentence in SAID.split_inclusive(". ") {
        let first = start_ms;
        let mut words = Vec::new();
        for word in sentence.split_whitespace() {
            words.push(SpokenWord { start_ms, end_ms: start_ms + 300, text: word.into() });
            start_ms += 400;
        }
        segments.push(SpokenSegment {
            start_ms: first,
            end_ms: start_ms,
            text: sentence.trim().into(),
            inaudible: false,
            words,
        });
        let unheard = SpokenSegment {
            start_ms,
            end_ms: start_ms + 2_000,
            text: String::new(),
            inaudible: true,
            words: Vec::new(),
        };
        segments.push(unheard);
        start_ms += 2_000;
    }
    Spoken {
        source: source.into(),
        segments,
        language: "en".into(),
        translated: false,
        model: "base".into(),
        edited,
        cut,
    }
}

fn note(base: Shown, spoken: Spoken) -> Shown {
    Shown {
        kind: "voice".into(),
        conversation: bob().id,
        text: None,
        duration_ms: Some(14_000),
        peaks: Some((0..64).map(|n| ((n * 37) % 200 + 20) as u8).collect()),
        heard: Some(false),
        heard_by: base.mine.then_some(0),
        transcript: Some(SAID.into()),
        spoken: Some(spoken),
        ..base
    }
}

fn notes() -> Vec<Shown> {
    vec![
        theirs(1, "I shall say it, my hands are full"),
        note(theirs(2, ""), spoken("mine", false, false)),
        note(mine(4, "", "delivered"), spoken("mine", true, false)),
        note(theirs(6, ""), spoken("sender", false, true)),
    ]
}

#[test]
fn a_voice_note_that_is_heard_and_read() {
    let mut scene = Scene::talking(wide(), bob(), notes());
    scene.shoot("listen");
    player::tests::plays(&mut scene.home.player, notes().remove(1), Duration::from_millis(2_900));
    scene.shoot("listen-playing");
    scene.shoot_in(wide().speaking(Language::Ru).colored(Variant::Dark), "listen-playing-ru-dark");
    scene.shoot_in(World::new(440.0, 520.0).scaled(2.0), "listen-playing-narrow-200");
    let other = Chat { id: "another".into(), ..chat("Zoë") };
    scene.tells(Event::Chat { chat: other });
    scene.hears(Message::List(list::Message::Open("another".into())));
    scene.talks(Deed::Opened(Ok(page(vec![by("Zoë", 1, "hello")]))));
    scene.shoot("listen-elsewhere");
    for (tag, world) in languages(|| single(300.0)) {
        scene.shoot_in(world, &format!("listen-elsewhere-{tag}"));
    }
    scene.hears(Message::ShowSettings);
    scene.shoot("listen-in-settings");
}

/// A note that is too long for a message, and how far it has come or gone.
fn long(base: Shown, state: &str, here: bool, problem: Option<Said>) -> Shown {
    let transfer = Transfer { state: state.into(), here, done: 1_300_000, total: 4_200_000, problem };
    let file = File {
        name: "voice.ogg".into(),
        media_type: "audio/ogg".into(),
        size: 4_200_000,
        dimensions: None,
        preview: None,
        transfer,
    };
    let note = note(base, spoken("mine", false, false));
    Shown { file: Some(file), duration_ms: Some(1_400_000), transcript: None, spoken: None, ..note }
}

#[test]
fn a_long_voice_note_tells_how_far_it_has_come_or_gone() {
    let wrong = Said::new(Code::NobodyHasIt, "");
    let notes = vec![
        long(theirs(1, ""), "none", false, None),
        long(theirs(7, ""), "active", false, None),
        long(theirs(13, ""), "failed", false, Some(wrong)),
        long(mine(19, "", "sent"), "active", true, None),
    ];
    let mut scene = Scene::talking(wide(), bob(), notes);
    scene.shoot("listen-transfers");
    scene.shoot_in(World::new(440.0, 620.0).speaking(Language::Uk).colored(Variant::Dark), "listen-transfers-uk-dark");
}

#[test]
fn the_words_of_a_note_are_mended() {
    let mut scene = Scene::talking(wide(), bob(), notes());
    scene.talks(Deed::MendThis(notes()[1].id.clone(), Ok("Wait for me at the door".into())));
    scene.shoot("listen-mending");
}

#[test]
fn words_are_found_in_a_chat() {
    let mut scene = Scene::talking(wide(), bob(), notes());
    scene.presses(&Press::Find);
    scene.shoot("find-empty");
    scene.talks(Deed::Find(find::Deed::Changed("tick".into())));
    scene.talks(Deed::Find(find::Deed::Due(1)));
    scene.shoot("find-looking");
    let hit = |shown: &Shown, at_ms, excerpt: &str| Hit {
        message: shown.id.clone(),
        sent_ms: shown.sent_ms,
        author_name: shown.author_name.clone(),
        at_ms,
        excerpt: excerpt.into(),
    };
    let (notes, excerpt) = (notes(), "nearly there. Bring the tickets and something to read, the train takes");
    let hits = vec![hit(&notes[3], Some(6_400), excerpt), hit(&notes[1], Some(6_400), excerpt)];
    let found = Found { hits, before: Some(notes[1].id.clone()) };
    scene.talks(Deed::Find(find::Deed::Found(1, false, Ok(found))));
    scene.shoot("find-found");
    scene.shoot_in(single(480.0).speaking(Language::Uk).colored(Variant::Dark), "find-found-uk-dark");
    scene.shoot_in(World::new(440.0, 400.0).scaled(2.0), "find-found-narrow-200");
    scene.talks(Deed::Find(find::Deed::Older));
    scene.shoot("find-older");
    scene.talks(Deed::Find(find::Deed::Changed("nowhere".into())));
    scene.talks(Deed::Find(find::Deed::Found(2, false, Ok(Found { hits: Vec::new(), before: None }))));
    scene.shoot("find-nothing");
    scene.talks(Deed::Find(find::Deed::Found(2, false, Err(Problem::new("store", "it is damaged")))));
    scene.shoot("find-failed");
}
