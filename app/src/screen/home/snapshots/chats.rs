//! The list of chats.

use kith_core::wire::control::{Code, Said};

use super::*;

/// A list with one of every sort.
fn every_sort() -> (Vec<Chat>, Vec<ContactRequest>) {
    let minute = 60_000;
    let last = |message: Shown, chat: Chat| Chat { active_ms: message.sent_ms, last: Some(message), ..chat };
    let chats = vec![
        last(
            mine(350, "See you at the station", "read"),
            Chat { pinned: true, path: Some("direct".into()), verified: true, ..chat("Bob") },
        ),
        last(by("Zoë", 340, "I have the keys 🔑"), Chat { unread: 3, pinned: true, ..group("Climbing on Thursdays") }),
        last(theirs(300, "All of it"), Chat { unread: 10_000, ..chat("Newsletter of the society") }),
        last(theirs(290, "Quiet"), Chat { unread: 12, muted: true, ..chat("Noisy neighbour") }),
        last(mine(280, "On my way", "queued"), Chat { path: Some("mailbox".into()), ..chat("Carol") }),
        last(mine(270, "It is done", "sent"), chat("Dan Brown")),
        last(mine(260, "Here it is", "delivered"), Chat { path: Some("lan".into()), ..chat("Erin") }),
        last(theirs(250, "?"), Chat { draft: Some("What I wanted to say is that".into()), ..chat("Frank") }),
        last(
            theirs(240, "A message that is much longer than the list is wide, and so is cut where the list ends"),
            Chat {
                unread: 1,
                verified: true,
                muted: true,
                ..chat("Wolfeschlegelsteinhausenbergerdorff the Third, Esquire")
            },
        ),
        last(theirs(230, "Завтра в семь у фонтана, не опаздывай, пожалуйста"), chat("Константин Константинопольский")),
        last(theirs(220, "👩‍👩‍👧‍👦 🇺🇦 🎉"), Chat { unread: 2, ..chat("🦊 Fox") }),
        last(theirs(210, "שלום, מה שלומך?"), chat("דוד כהן")),
        last(
            theirs(200, "Z\u{336}\u{360}\u{489}\u{321}alg\u{336}\u{360}\u{489}o".repeat(9).as_str()),
            chat(&format!("Z{}algo", "\u{336}\u{360}\u{321}".repeat(20))),
        ),
        last(theirs(190, "file\u{202e}gpj.exe\nsecond line"), chat("Eve\u{202e}nimda")),
        Chat { state: "asked".into(), active_ms: NOON + 100 * minute, ..chat("Grace") },
        Chat { state: "blocked".into(), active_ms: NOON + 90 * minute, ..chat("Mallory") },
        Chat { active_ms: NOON + 80 * minute, ..chat("Heidi") },
        last(yesterday(mine(70, "Not yet", "delivered")), chat("Ivan")),
        last(
            Shown { kind: "deleted".into(), text: None, sent_ms: NOON - 40 * 86_400_000, ..theirs(60, "") },
            chat("Judy"),
        ),
    ];
    (chats, vec![request("trent@example", "Hello!"), request("пётр@дом", "")])
}

#[test]
fn a_list_before_and_without_chats() {
    Scene::new(single(520.0)).shoot("list-loading");
    Scene::with(single(520.0), Vec::new(), Vec::new()).shoot("list-empty");
    let mut wide = Scene::with(World::new(760.0, 520.0), Vec::new(), Vec::new());
    wide.shoot("home-empty");
    for (tag, world) in languages(|| World::new(760.0, 520.0)) {
        wide.shoot_in(world, &format!("home-empty-{tag}"));
    }
    wide.hears(Message::Loaded(Err(Problem::new("store", "it is damaged"))));
    wide.shoot("list-failed");
    wide.shoot_in(single(520.0).speaking(Language::Uk), "list-failed-uk-narrow");
}

#[test]
fn a_list_with_every_sort_of_chat() {
    let (chats, requests) = every_sort();
    let world = || World::new(400.0, 1480.0);
    let mut scene = Scene::with(world(), chats, requests);
    scene.shoot("list");
    for (tag, world) in languages(world) {
        scene.shoot_in(world, &format!("list-{tag}"));
    }
    scene.shoot_in(World::new(360.0, 420.0).scaled(2.0), "list-200");
    scene.hears(Message::List(list::Message::QueryChanged("кон".into())));
    scene.shoot_in(single(360.0), "list-found");
    scene.hears(Message::List(list::Message::QueryChanged("nobody of this name".into())));
    scene.shoot_in(single(360.0), "list-nothing-found");
}

#[test]
fn a_window_without_its_relay_and_with_a_warning() {
    let (chats, requests) = every_sort();
    let mut scene = Scene::with(World::new(760.0, 520.0), chats, requests);
    scene.hears(Message::StatusKnown(Ok(Box::new(not_reached(None)))));
    scene.shoot("home-connecting");
    for (tag, world) in languages(|| World::new(760.0, 520.0)) {
        scene.shoot_in(world, &format!("home-connecting-{tag}"));
    }
    let why = Some(Said::new(Code::Unreachable, ""));
    scene.tells(Event::Connection { who: "relay".into(), path: "none".into(), why });
    scene.tells(Event::Warning { said: Said::new(Code::ClockBehind, "").lasting(7200) });
    scene.shoot("home-offline");
    for (tag, world) in languages(|| World::new(760.0, 520.0)) {
        scene.shoot_in(world, &format!("home-offline-{tag}"));
    }
}
