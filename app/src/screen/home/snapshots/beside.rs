//! The panel beside a conversation.

use kith_core::types::AccountId;
use kith_core::wire::control::{Code, File, Listening, Member, Reach, Said, Shared, Status, Transfer};

use super::*;
use crate::ui::picture;

const NUMBER: &str = "12345 67890 13579 24680 11223 34455 66778 89900 98765 43210 10101 20202";

pub(super) fn account(number: u8) -> String {
    AccountId::new([number; 32]).to_string()
}

fn world() -> World {
    World::new(800.0, 980.0)
}

fn bob() -> Chat {
    Chat {
        path: Some("direct".into()),
        account: Some(account(2)),
        safety_number: Some(NUMBER.into()),
        handle: Some("bob@relay.example".into()),
        about: Some("Climbs, bakes, and answers late".into()),
        ..chat("Bob")
    }
}

fn beside(chat: Chat) -> Scene {
    let mut scene = Scene::talking(world(), chat, vec![theirs(0, "Hello")]);
    scene.presses(&Press::Details);
    listens(&mut scene, "auto", false);
    scene
}

/// Who is in a conversation with the account of number 2.
pub(super) fn two() -> Message {
    let member = |number, me| Member {
        account: account(number),
        name: if me { "me" } else { "Bob" }.into(),
        handle: None,
        picture: None,
        verified: false,
        me,
        devices: 1,
    };
    Message::Details(details::Message::MembersKnown(Ok(vec![member(1, true), member(2, false)])))
}

/// With Bob, whose safety number can be scanned since it is known who is here.
fn beside_bob(chat: Chat) -> Scene {
    let mut scene = beside(chat);
    scene.hears(two());
    scene
}

/// How voice notes are listened to: in this language, chosen for this chat or for all.
fn listens(scene: &mut Scene, language: &str, own: bool) {
    let listening = Listening { language: language.into(), translate: false, own };
    scene.hears(Message::Details(details::Message::Listening(details::ListeningMessage::Known(Ok(listening)))));
}

fn reached(path: &str, why: Code, round_trip_ms: Option<f64>) -> Message {
    let reach =
        Reach { account: account(2), name: "Bob".into(), path: path.into(), why: Said::new(why, ""), round_trip_ms };
    let status = Status { relay_connected: Some(true), contacts: vec![reach], ..not_reached(None) };
    Message::Details(details::Message::StatusKnown(Ok(Box::new(status))))
}

#[test]
fn a_contact_who_is_not_verified() {
    let mut scene = beside_bob(bob());
    scene.hears(reached("direct", Code::Best, Some(12.34)));
    scene.shoot("details");
    for (tag, world) in languages(world) {
        scene.shoot_in(world, &format!("details-{tag}"));
    }
    scene.shoot_in(World::new(360.0, 420.0).scaled(2.0), "details-200");
    scene.hears(Message::Details(details::Message::Done(Err(Problem::new("store", "the disk is full")))));
    scene.shoot_in(World::new(800.0, 480.0), "details-problem");
    scene.shoot_in(World::new(660.0, 480.0), "details-narrow");
}

#[test]
fn a_contact_who_is_verified_muted_and_pinned_or_blocked() {
    beside_bob(Chat { verified: true, muted: true, pinned: true, ..bob() }).shoot("details-verified");
    let blocked = Chat { state: "blocked".into(), safety_number: None, path: None, ..chat(&"Long name ".repeat(12)) };
    beside(blocked).shoot_in(World::new(800.0, 700.0), "details-blocked");
}

#[test]
fn a_group_and_its_members() {
    let mut scene = beside(Chat { members: 4, ..group("Climbing on Thursdays") });
    scene.shoot_in(World::new(800.0, 560.0), "details-group-loading");
    let member = |name: &str, verified, me| Member {
        account: format!("account-{name}"),
        name: name.into(),
        handle: None,
        verified,
        me,
        devices: 1,
        picture: None,
    };
    let members = vec![
        member("me", false, true),
        Member { picture: Some("a picture".into()), ..member("Zoë", true, false) },
        member("Константин Константинопольский-Достопримечательный", false, false),
        member("Eve\u{202e}nimda", false, false),
    ];
    scene.hears(Message::Details(details::Message::MembersKnown(Ok(members))));
    let picture = picture::round(include_bytes!("../../../../../assets/icons/kith-64.png")).unwrap();
    scene.hears(Message::PictureRead("a picture".into(), Some(picture)));
    scene.shoot_in(World::new(800.0, 700.0), "details-group");
    scene.shoot_in(World::new(800.0, 700.0).speaking(Language::Ru).colored(Variant::Dark), "details-group-ru-dark");
}

#[test]
fn what_was_shared() {
    let chat = group("Climbing on Thursdays");
    let came = |shared| details::MediaMessage::Came(chat.id.clone(), shared);
    let media = |message| Message::Details(details::Message::Media(message));
    let file = |name: &str, size| File {
        name: name.into(),
        media_type: String::new(),
        size,
        dimensions: None,
        preview: None,
        transfer: Transfer { state: "done".into(), here: true, done: size, total: size, problem: None },
    };
    let shared = |kind: &str, shown: Shown| Shown { kind: kind.into(), text: None, ..shown };
    let note = Shown { duration_ms: Some(42_000), ..shared("voice", theirs(7, "")) };
    let long = "Fahrplan der Sommerbergbahn und aller Anschlüsse am Wochenende.pdf";
    let messages = vec![
        note.clone(),
        Shown { file: Some(file(long, 4_200_000)), ..shared("file", mine(5, "", "read")) },
        Shown {
            file: Some(file("гори.jpg", 812)), ..shared("file", by("Константин Константинопольский", 3, ""))
        },
    ];
    let tall = || World::new(660.0, 960.0);
    let mut scene = beside(chat.clone());
    scene.shoot_in(tall(), "details-shared-loading");
    scene.hears(media(came(Ok(Shared { messages: Vec::new(), before: None }))));
    scene.shoot_in(tall(), "details-shared-empty");
    scene.hears(media(came(Ok(Shared { messages, before: Some(note.id.clone()) }))));
    player::tests::plays(&mut scene.home.player, note, std::time::Duration::from_secs(3));
    scene.shoot_in(tall(), "details-shared");
    scene.shoot_in(tall().speaking(Language::Uk).colored(Variant::Dark), "details-shared-uk-dark");
    scene.hears(media(came(Err(Problem::new("store", "the disk is full")))));
    scene.shoot_in(tall().speaking(Language::Ru), "details-shared-failed-ru");
}

#[test]
fn how_voice_notes_are_listened_to() {
    let tall = || World::new(800.0, 1180.0);
    let mut scene = beside(group("Climbing on Thursdays"));
    let listening = |message| Message::Details(details::Message::Listening(message));
    scene.hears(listening(details::ListeningMessage::ToggleLanguages));
    scene.shoot_in(tall(), "details-languages");
    scene.shoot_in(tall().speaking(Language::Uk).colored(Variant::Dark), "details-languages-uk-dark");
    scene.hears(listening(details::ListeningMessage::QueryChanged("klingon".into())));
    scene.shoot_in(World::new(800.0, 700.0), "details-languages-none");
    scene.hears(listening(details::ListeningMessage::ToggleLanguages));
    listens(&mut scene, "uk", true);
    let refused = Problem::new("speech", "the model that listens cannot translate: choose another one in the settings");
    scene.hears(listening(details::ListeningMessage::Known(Err(refused))));
    scene.shoot_in(World::new(800.0, 700.0).speaking(Language::Ru), "details-listening-own-ru");
}
