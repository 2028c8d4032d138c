//! Conversations.

use super::conversation::{Message as Deed, Target};
use super::*;
use crate::widget::composer;
use iced::widget::text_editor::{self, Edit};

fn bob() -> Chat {
    Chat { path: Some("direct".into()), verified: true, ..chat("Bob") }
}

fn typed(text: &str) -> Deed {
    let paste = Edit::Paste(std::sync::Arc::new(text.to_owned()));
    Deed::Compose(composer::Action::Editor(text_editor::Action::Edit(paste)))
}

fn id(minute: u64) -> String {
    message(minute, "").id
}

/// Two people over two days.
fn story() -> Vec<Shown> {
    let answered = Shown {
        reply_to: Some(id(1)),
        reply_preview: Some("Bob: Shall we take the early train?".into()),
        ..mine(3, "Yes, the one at seven. I have looked: it stops everywhere, and still it is the fastest.", "read")
    };
    vec![
        yesterday(theirs(0, "Hello Alice!")),
        yesterday(theirs(1, "Shall we take the early train?")),
        yesterday(theirs(2, "Or rather sleep 😴")),
        yesterday(answered),
        Shown { reactions: vec![("👍".into(), 1), ("🎉".into(), 2)], ..theirs(4, "Then at **seven**, platform 4") },
        Shown { edited: true, ..mine(5, "I bring coffee", "read") },
        mine(6, "and something to eat", "delivered"),
        mine(7, "☕", "delivered"),
        Shown {
            reactions: vec![("❤️".into(), 1)], ..mine(30, "Do not forget https://example.org/tickets", "sent")
        },
        mine(31, "Are you there?", "queued"),
    ]
}

/// A group with all that a message can be.
fn sorts() -> Vec<Shown> {
    let kind = |kind: &str, message: Shown| Shown { kind: kind.into(), text: None, ..message };
    let long = "Это довольно длинное сообщение, в котором рассказывается о том, как достопримечательности \
        переосвидетельствовали высокопревосходительства, а затем ещё раз, чтобы строка не поместилась в одну, две и даже три.";
    vec![
        by("Zoë", 0, "```\nfn main() {\n    println!(\"hello\");\n}\n```"),
        by("Zoë", 1, "Some `code` in a line, *italic*, **bold**, and ~~struck~~ words"),
        by("Константин", 2, long),
        by("Константин", 3, "👩‍👩‍👧‍👦 🎉"),
        by("דוד", 4, "שלום לכולם, ניפגש מחר בבוקר?"),
        by("دلال", 5, "مرحبا بالجميع"),
        by("Eve\u{202e}nimda", 6, "look at this: photo\u{202e}gpj.exe"),
        by("Wolfeschlegelsteinhausenbergerdorff the Third of That Name, Esquire and Baronet", 7, "A short word"),
        by("Zoë", 8, &"unbreakable".repeat(14)),
        by(
            "Zoë",
            9,
            "see https://example.org/a/very/long/path/that/goes/on/and/on?and=on&on=and&even=more#until-it-ends or kith://abc",
        ),
        by("Zoë", 10, &format!("Z{}algo", "\u{336}\u{360}\u{321}".repeat(20))),
        kind("deleted", by("Zoë", 11, "")),
        kind("unknown", by("Zoë", 12, "")),
        kind("missing", by("Zoë", 13, "")),
        kind("malformed", by("Zoë", 14, "")),
        kind("deleted", mine(15, "", "read")),
        Shown {
            duration_ms: Some(65_000),
            peaks: Some((0..64).map(|n| ((n * 37) % 200 + 20) as u8).collect()),
            heard: Some(false),
            transcript: Some("Wait for me at the door".into()),
            ..kind("voice", by("Константин", 16, ""))
        },
        Shown { duration_ms: Some(3_000), peaks: Some(vec![90; 64]), ..kind("voice", mine(17, "", "sent")) },
        Shown {
            file: Some(file("report of a very long name that goes on and on.pdf", "none")),
            ..kind("file", by("Zoë", 19, ""))
        },
        Shown { file: Some(file("photo.jpg", "active")), ..kind("file", mine(20, "", "delivered")) },
        kind("left", by("Zoë", 18, "")),
    ]
}

/// What has marks: as many as a language has, and as many as somebody can type.
fn marked() -> Vec<Shown> {
    let heap = |letters: &str| -> String {
        letters
            .chars()
            .flat_map(|letter| [letter].into_iter().chain(('\u{300}'..='\u{31f}').cycle().take(60)))
            .collect()
    };
    let answered = Shown {
        reply_to: Some(id(0)),
        reply_preview: Some(format!("{}: {}", heap("Zalgo"), heap("he comes"))),
        ..mine(1, "Who is that?", "read")
    };
    vec![
        by(&heap("Zalgo"), 0, &format!("{} **{}** *{}*", heap("he comes"), heap("soon"), heap("too"))),
        answered,
        by("Nguye\u{302}\u{303}n", 2, "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t, *in italics: Vie\u{323}\u{302}t*"),
        by("Zoë", 3, "n̩ l̥ ɛ̃ t̪ a̱ o̲n̲l̲y̲ s̶t̶r̶u̶c̶k̶ 1️⃣ a⃝b ∄"),
        by("דוד", 4, "*שלום* ש\u{301}\u{302}לום **مرحبا** *مرحبا*"),
        by("Zoë", 5, "😀\u{303}\u{310} `co\u{310}\u{311}de`"),
    ]
}

fn file(name: &str, state: &str) -> kith_core::wire::control::File {
    let here = state == "active";
    kith_core::wire::control::File {
        name: name.into(),
        media_type: String::new(),
        size: 4_200_000,
        dimensions: None,
        preview: None,
        transfer: kith_core::wire::control::Transfer {
            state: state.into(),
            here,
            done: 1_300_000,
            total: 4_200_000,
            problem: None,
        },
    }
}

#[test]
fn a_conversation_with_marks_heaped_on_letters() {
    let mut scene = Scene::talking(single(640.0), group("Climbing on Thursdays"), marked());
    scene.shoot("talk-marks");
    scene.shoot_in(single(640.0).speaking(Language::Uk).colored(Variant::Dark), "talk-marks-uk-dark");
}

#[test]
fn a_conversation_before_and_without_messages() {
    let mut scene = Scene::with(single(480.0), vec![bob()], Vec::new());
    scene.hears(Message::List(list::Message::Open("id-Bob".into())));
    scene.shoot("talk-loading");
    scene.talks(Deed::Opened(Err(Problem::new("store", "it is damaged"))));
    scene.shoot("talk-failed");
    scene.talks(Deed::Opened(Ok(page(Vec::new()))));
    scene.shoot("talk-empty");
    for (tag, world) in languages(|| single(480.0)) {
        scene.shoot_in(world, &format!("talk-empty-{tag}"));
    }
    let asked = Chat { state: "asked".into(), path: None, verified: false, ..bob() };
    let mut scene = Scene::talking(single(480.0), asked, Vec::new());
    scene.shoot("talk-asked");
    scene.shoot_in(single(480.0).speaking(Language::Ru), "talk-asked-ru");
    let blocked = Chat { state: "blocked".into(), ..bob() };
    let mut scene = Scene::talking(single(480.0), blocked, story());
    scene.shoot("talk-blocked");
    scene.shoot_in(single(480.0).speaking(Language::Ru).colored(Variant::Dark), "talk-blocked-ru-dark");
}

#[test]
fn a_conversation_over_two_days() {
    let mut scene = Scene::talking(wide(), bob(), story());
    scene.shoot("talk");
    scene.shoot_in(wide().colored(Variant::Dark), "talk-dark");
    scene.shoot_in(wide().colored(Variant::HighContrast), "talk-contrast");
    scene.shoot_in(wide().speaking(Language::Ru), "talk-ru");
    scene.shoot_in(
        World::new(680.0, 560.0).speaking(Language::Uk).scaled(2.0).colored(Variant::Dark),
        "talk-uk-dark-200",
    );
    scene.shoot_in(World::new(440.0, 400.0).scaled(2.0), "talk-narrow-200");
    scene.shoot_in(World::new(360.0, 400.0), "talk-least");
}

#[test]
fn a_group_with_every_sort_of_message() {
    let world = || World::new(760.0, 1560.0);
    let mut scene = Scene::talking(world(), group("Climbing on Thursdays"), sorts());
    scene.shoot("talk-sorts");
    scene
        .shoot_in(World::new(420.0, 1900.0).speaking(Language::Uk).colored(Variant::Dark), "talk-sorts-uk-dark-narrow");
}

#[tokio::test]
async fn the_first_message_that_was_not_read_is_on_top() {
    let chat = Chat { unread: 20, ..bob() };
    let mut scene = Scene::with(World::new(900.0, 560.0), vec![chat], Vec::new());
    scene.hears(Message::List(list::Message::Open("id-Bob".into())));
    let messages = (0..40).map(|minute| theirs(minute, &format!("Message {minute}"))).collect();
    let page = Page { first_unread: Some(id(20)), ..page(messages) };
    scene.shoot_after(Deed::Opened(Ok(page)), "talk-unread");
    for number in 40..43 {
        scene.tells(Event::Message { message: Shown { conversation: "id-Bob".into(), ..theirs(number, "More") } });
    }
    scene.shoot_in(World::new(900.0, 560.0).speaking(Language::Ru).colored(Variant::Dark), "talk-new-below-ru-dark");
}

#[tokio::test]
async fn what_could_not_be_sent_offers_to_try_again() {
    let mut scene = Scene::talking(World::new(900.0, 560.0), bob(), story());
    for text in ["This is still on its way", "This could not be written down, because the disk is full"] {
        scene.talks(typed(text));
        scene.talks(Deed::Submit);
    }
    scene.talks(Deed::Sent(1, Err(Problem::new("store", "the disk is full"))));
    scene.shoot("talk-not-sent");
    for (tag, world) in languages(|| single(560.0)) {
        scene.shoot_in(world, &format!("talk-not-sent-{tag}"));
    }
}

#[tokio::test]
async fn what_can_be_done_with_a_message() {
    let mut scene = Scene::talking(World::new(900.0, 620.0), bob(), story());
    let last = row(31);
    scene.talks(Deed::Choose(last));
    scene.shoot("talk-chosen");
    for (tag, world) in languages(|| single(620.0)) {
        scene.shoot_in(world, &format!("talk-chosen-{tag}"));
    }
    scene.talks(Deed::ToggleEmoji(Target::Reaction(last)));
    scene.shoot("talk-chosen-emoji");
}

#[tokio::test]
async fn what_stands_at_the_foot() {
    let mut scene = Scene::talking(World::new(900.0, 620.0), bob(), story());
    let first = row(0);
    scene.talks(Deed::ToggleEmoji(Target::Composer));
    scene.shoot("talk-emoji");
    scene.shoot_in(single(620.0).speaking(Language::Ru).colored(Variant::Dark), "talk-emoji-ru-dark");
    scene.talks(Deed::EmojiQueryChanged("cat".into()));
    scene.shoot("talk-emoji-found");
    scene.talks(Deed::ToggleEmoji(Target::Composer));
    scene.talks(Deed::Reply(first));
    scene.talks(typed("Hello Bob,\nhow are you?"));
    scene.talks(Deed::Done(Err(Problem::new("no_message", "it is gone"))));
    scene.shoot("talk-reply-notice");
    for (tag, world) in languages(|| single(560.0)) {
        scene.shoot_in(world, &format!("talk-reply-notice-{tag}"));
    }
    scene.talks(Deed::CloseNotice);
    scene.talks(Deed::EditLast);
    scene.tells(Event::Typing { conversation: "id-Bob".into(), account: "account-Bob".into(), on: true });
    scene.shoot("talk-edit-typing");
    scene.shoot_in(single(560.0).speaking(Language::Uk), "talk-edit-typing-uk");
    scene.talks(typed(&"\nа ещё вот что: ".repeat(30)));
    scene.shoot("talk-long-composer");
}

#[tokio::test]
async fn real_models_are_offered_to_whoever_listens_with_the_built_in_one() {
    let mut scene = Scene::talking(World::new(900.0, 420.0), bob(), Vec::new());
    let options = |listens: &str| kith_core::wire::control::SpeechOptions {
        automatic: false,
        mains_only: true,
        up_to_s: 120,
        attach: false,
        language: "auto".into(),
        translate: false,
        model: String::new(),
        listens: listens.into(),
        mirrors: Vec::new(),
        on_mains: Some(true),
    };
    let known = |listens| Deed::ModelKnown(Ok(Box::new(options(listens))));
    scene.talks(known("small"));
    assert!(!scene.home.open.as_ref().unwrap().offers_models());
    scene.talks(known("kith-test.en"));
    scene.shoot("talk-models-offered");
    for (tag, world) in languages(|| single(420.0)) {
        scene.shoot_in(world, &format!("talk-models-offered-{tag}"));
    }
    scene.talks(Deed::ShowModels);
    assert!(scene.home.page.is_some() && !scene.home.open.as_ref().unwrap().offers_models());
    // Who does not want to hear of it does not hear of it again.
    scene.talks(known("kith-test.en"));
    let id = bob().id;
    let action = scene.home.update(Message::Conversation(id, Deed::CloseModels), scene.world.context());
    assert!(matches!(action, Action::Set(Change::ModelsOffered(false), _)));
    scene.world.settings.models_offered = false;
    scene.talks(known("kith-test.en"));
    assert!(!scene.home.open.as_ref().unwrap().offers_models());
}

/// The whole window, as the README shows it.
#[test]
fn the_window_that_the_readme_shows() {
    let world = || World::new(1180.0, 740.0);
    for (name, world) in [
        ("window-light", world()),
        ("window-dark", world().colored(Variant::Dark)),
        ("window-uk", world().speaking(Language::Uk)),
    ] {
        let safety_number = Some("86113 90671 41533 51020 77627 90904 55037 33965 37420 00920 42963 57794".to_owned());
        let (account, handle) = (Some(beside::account(2)), Some("bob@home".into()));
        let bob = Chat { account, last: story().pop(), safety_number, handle, members: 2, ..bob() };
        let last = |author: &str, minute, text| Some(by(author, minute, text));
        let chats = vec![
            bob.clone(),
            Chat {
                last: last("Zoë", 20, "Thursday at seven?"),
                unread: 2,
                active_ms: 3,
                members: 9,
                ..group("Climbing club 🧗")
            },
            Chat {
                last: last("Тарас", 15, "До зустрічі в неділю!"), active_ms: 2, pinned: true, ..chat("Тарас")
            },
            Chat { draft: Some("I wanted to ask you".into()), active_ms: 1, muted: true, ..chat("Mum") },
        ];
        let mut scene = Scene::with(world, chats, vec![request("carol@elsewhere", "It is Carol")]);
        scene.hears(Message::List(list::Message::Open(bob.id.clone())));
        scene.talks(Deed::Opened(Ok(page(story()))));
        scene.talks(Deed::ToggleDetails);
        scene.hears(beside::two());
        scene.shoot(name);
    }
}
