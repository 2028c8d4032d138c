//! The list of chats and pages of a history, over a made-up profile with real stores.

use std::path::Path;
use std::time::Duration;

use kith_core::client::sample::{Sample, make};
use kith_core::client::{
    Client, ClientError, Event, EventStream, Options, Profile as Profiles, Reply, Request, Unlock,
};
use kith_core::wire::control::{At, Chat, Contact, DeviceInfo, Member, Message, Page, Profile};

/// How long anything here may take before the test fails.
const LIMIT: Duration = Duration::from_secs(60);

const SAMPLE: Sample = Sample { chats: 5, messages: 40 };

fn unlock() -> Unlock {
    Unlock::Key([7; 32].into())
}

async fn open(profile: &Path) -> Client {
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
    Client::open(profile, unlock(), Options { listen, mdns: false, ..Options::default() }).await.unwrap()
}

async fn made() -> (tempfile::TempDir, Client) {
    let room = tempfile::tempdir().unwrap();
    make(room.path(), unlock(), SAMPLE).unwrap();
    let client = open(room.path()).await;
    (room, client)
}

async fn chats(client: &Client) -> Vec<Chat> {
    match client.execute(Request::Chats).await.unwrap() {
        Reply::Chats(chats) => chats,
        other => panic!("{other:?}"),
    }
}

async fn chat(client: &Client, id: &str) -> Chat {
    chats(client).await.into_iter().find(|chat| chat.id == id).unwrap()
}

async fn page(client: &Client, with: &str, at: At, limit: u32) -> Page {
    match client.execute(Request::Page { with: with.into(), at, limit }).await.unwrap() {
        Reply::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

async fn send(client: &Client, to: &str, text: &str, reply_to: Option<String>) -> Message {
    match client.execute(Request::Send { to: to.into(), text: text.into(), reply_to }).await.unwrap() {
        Reply::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn done(client: &Client, request: Request) {
    assert_eq!(client.execute(request).await.unwrap(), Reply::Done);
}

async fn told<T>(events: &mut EventStream, what: &str, mut look: impl FnMut(Event) -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look(events.next().await.expect("the session goes on")) {
                return found;
            }
        }
    };
    tokio::time::timeout(LIMIT, looking).await.unwrap_or_else(|_| panic!("{what} was not told"))
}

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

async fn profile(client: &Client, who: Option<&str>) -> Profile {
    match client.execute(Request::Profile { who: who.map(str::to_owned) }).await.unwrap() {
        Reply::Profile(profile) => profile,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_something_about_themselves_and_what_cannot_be_shown_is_left_out() {
    let (room, client) = made().await;
    let own = profile(&client, None).await;
    assert_eq!((own.name, own.about, own.picture), (None, None, None));
    let mut events = client.subscribe();
    let set = Request::SetProfile {
        name: Some("  Al\u{202e}ice\u{7}  ".into()),
        about: Some("one\ntwo".into()),
        picture: Some(PICTURE.to_vec()),
        remove_picture: false,
    };
    // As a bot says it.
    let line = serde_json::to_string(&set).unwrap();
    assert!(line.contains("\"picture\":\"iVBORw0KGgog"), "{line}");
    done(&client, serde_json::from_str(&line).unwrap()).await;
    let own = profile(&client, None).await;
    assert_eq!((own.name.as_deref(), own.about.as_deref()), (Some("Alice"), Some("one\ntwo")));
    assert_eq!(own.picture.as_deref(), Some(PICTURE));
    told(&mut events, "the change", |event| match event {
        Event::Contact { account } => (account == own.account).then_some(()),
        _ => None,
    })
    .await;
    client.shutdown().await;
    let client = open(room.path()).await;
    let remove = Request::SetProfile { name: None, about: None, picture: None, remove_picture: true };
    done(&client, remove).await;
    let own = profile(&client, None).await;
    assert_eq!((own.name.as_deref(), own.picture), (Some("Alice"), None));
    let friend = chats(&client).await.remove(0);
    assert_eq!(profile(&client, friend.account.as_deref()).await.name, None);
    client.shutdown().await;
}

fn ids(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_chats_has_the_pinned_ones_first_and_then_what_was_active_last() {
    let (room, client) = made().await;
    let list = chats(&client).await;
    assert_eq!(list.len(), SAMPLE.chats);
    assert!(list.is_sorted_by(|one, next| one.active_ms >= next.active_ms));
    for chat in &list {
        assert_eq!((chat.kind.as_str(), chat.state.as_str(), chat.members), ("direct", "accepted", 2));
        assert_eq!(chat.last.as_ref().map(|last| last.sent_ms), Some(chat.active_ms));
        assert_eq!(chat.path.as_deref(), Some("mailbox"));
        assert!(chat.handle.as_ref().is_some_and(|handle| handle.starts_with(&chat.name)));
    }
    assert_eq!(list.iter().map(|chat| chat.unread).sum::<u64>(), 2);
    let last = list.last().unwrap().id.clone();
    let mut events = client.subscribe();
    done(&client, Request::Arrange { with: last.clone(), pinned: Some(true), muted: None }).await;
    done(&client, Request::Arrange { with: last.clone(), pinned: None, muted: Some(true) }).await;
    let first = chats(&client).await.remove(0);
    assert_eq!((first.id.as_str(), first.pinned, first.muted), (last.as_str(), true, true));
    told(&mut events, "the chat", |event| match event {
        Event::Chat { chat } => (chat.id == last && chat.pinned && chat.muted).then_some(()),
        _ => None,
    })
    .await;
    client.shutdown().await;
    let client = open(room.path()).await;
    let first = chats(&client).await.remove(0);
    assert_eq!((first.id.as_str(), first.pinned, first.muted), (last.as_str(), true, true));
    done(&client, Request::Arrange { with: last.clone(), pinned: Some(false), muted: None }).await;
    let now = chat(&client, &last).await;
    assert_eq!((now.pinned, now.muted), (false, true));
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_both_ways_meet_without_a_gap_or_a_double() {
    let (_room, client) = made().await;
    let with = chats(&client).await.remove(2).id;
    let all = page(&client, &with, At::Newest, 1000).await;
    assert_eq!((all.messages.len(), all.more_before, all.more_after), (SAMPLE.messages, false, false));
    let mut up = page(&client, &with, At::Newest, 7).await;
    let mut read = up.messages.clone();
    while up.more_before {
        assert_eq!(up.messages.len(), 7);
        up = page(&client, &with, At::Before { message: read[0].id.clone() }, 7).await;
        assert!(up.more_after);
        read.splice(0..0, up.messages.clone());
    }
    assert_eq!(ids(&read), ids(&all.messages));
    let mut down = page(&client, &with, At::Around { message: read[20].id.clone() }, 7).await;
    assert_eq!(ids(&down.messages), ids(&read[17..24]));
    let mut rest = down.messages.clone();
    while down.more_after {
        down = page(&client, &with, At::After { message: rest.last().unwrap().id.clone() }, 7).await;
        assert!(down.more_before);
        rest.extend(down.messages.clone());
    }
    assert_eq!(ids(&rest), ids(&read[17..]));
    let over = page(&client, &with, At::Before { message: read[0].id.clone() }, 7).await;
    assert_eq!((over.messages.len(), over.more_before, over.more_after), (0, false, true));
    let unknown = "d".repeat(64) + "." + &"1".repeat(16) + ".9";
    let request = Request::Page { with, at: At::Around { message: unknown.clone() }, limit: 7 };
    assert_eq!(client.execute(request).await, Err(ClientError::NoMessage(unknown)));
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_page_begins_where_reading_ended() {
    let (_room, client) = made().await;
    let list = chats(&client).await;
    let unread = list.iter().find(|chat| chat.unread > 0).unwrap();
    let shown = page(&client, &unread.id, At::Unread, 8).await;
    let first = shown.first_unread.unwrap();
    let place = shown.messages.iter().position(|message| message.id == first).unwrap();
    assert!(!shown.messages[place].mine);
    assert!(place > 0);
    let foreign = shown.messages[place..].iter().filter(|message| !message.mine).count();
    assert_eq!(foreign, usize::try_from(unread.unread).unwrap());
    let read = list.iter().find(|chat| chat.unread == 0).unwrap();
    let shown = page(&client, &read.id, At::Unread, 8).await;
    assert_eq!((shown.first_unread, shown.more_after), (None, false));
    let last = page(&client, &unread.id, At::Newest, 1).await.messages.remove(0);
    let mut events = client.subscribe();
    done(&client, Request::MarkRead { with: unread.id.clone(), upto: last.id }).await;
    assert_eq!(chat(&client, &unread.id).await.unread, 0);
    assert_eq!(page(&client, &unread.id, At::Unread, 8).await.first_unread, None);
    told(&mut events, "that it was read", |event| match event {
        Event::Chat { chat } => (chat.id == unread.id && chat.unread == 0).then_some(()),
        _ => None,
    })
    .await;
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_something_sees_it_at_once() {
    let (_room, client) = made().await;
    let with = chats(&client).await.pop().unwrap().id;
    let mut newest = page(&client, &with, At::Newest, 1).await.messages.remove(0);
    for round in 0..20 {
        let text = format!("{round} {}", "x".repeat(300));
        let sent = send(&client, &with, &text, Some(newest.id.clone())).await;
        let shown = page(&client, &with, At::Newest, 1).await.messages.remove(0);
        assert_eq!((shown.id.as_str(), shown.text.as_deref()), (sent.id.as_str(), Some(text.as_str())));
        let preview = shown.reply_preview.clone().unwrap();
        assert!(preview.chars().count() <= 120 + 2 + newest.author_name.chars().count(), "{preview}");
        assert!(preview.starts_with(&format!("{}: ", newest.author_name)), "{preview}");
        let listed = chats(&client).await.remove(0);
        assert_eq!((listed.id.as_str(), listed.active_ms), (with.as_str(), sent.sent_ms));
        assert_eq!(listed.last.unwrap().text.unwrap().chars().count(), 200);
        done(&client, Request::SaveDraft { with: with.clone(), text: format!("half {round}") }).await;
        assert_eq!(chat(&client, &with).await.draft, Some(format!("half {round}")));
        done(&client, Request::SaveDraft { with: with.clone(), text: String::new() }).await;
        assert_eq!(chat(&client, &with).await.draft, None);
        newest = shown;
    }
    client.shutdown().await;
}

fn lines(file: &Path) -> Vec<Message> {
    std::fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_every_message_as_it_is_shown_and_takes_no_folder_that_is_in_use() {
    let (room, client) = made().await;
    let list = chats(&client).await;
    let notes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clips/ok_01.wav");
    let voice = Request::SendVoice { to: list[0].id.clone(), file: notes };
    let Reply::Message(note) = client.execute(voice).await.unwrap() else { panic!("no message") };
    let (to, inside) = (room.path().join("copy"), |to: &Path| std::fs::read_dir(to).unwrap().count());
    std::fs::create_dir(&to).unwrap();
    let export = |to: &Path| Request::Export { to: to.to_owned() };
    let exported = client.execute(export(&to)).await.unwrap();
    let messages = SAMPLE.chats * SAMPLE.messages + 1;
    let files = u32::try_from(SAMPLE.chats).unwrap() + 4;
    assert_eq!(exported, Reply::Exported { files, messages: u64::try_from(messages).unwrap() });
    assert_eq!(inside(&to), 5);
    for chat in &list {
        let id: String = chat.id.chars().take(12).collect();
        let written = lines(&to.join(format!("chats/{}-{id}.jsonl", chat.name)));
        assert_eq!(written, page(&client, &chat.id, At::Newest, 1000).await.messages);
    }
    let sound = std::fs::read(to.join(format!("voice/{}.ogg", note.id))).unwrap();
    assert!(sound.starts_with(b"OggS"));
    let contacts: Vec<Contact> = serde_json::from_slice(&std::fs::read(to.join("contacts.json")).unwrap()).unwrap();
    assert_eq!(contacts.len(), SAMPLE.chats);
    assert!(std::fs::read_to_string(to.join("README.txt")).unwrap().contains("Nothing here is encrypted"));
    // It takes nobody's files, and leaves nothing behind where it fails.
    let full = client.execute(export(&to)).await.unwrap_err();
    assert_eq!(full.code(), "export");
    assert_eq!(client.execute(export(&to.join("README.txt"))).await.unwrap_err().code(), "export");
    assert_eq!(client.execute(export(&to.join("no/such/place"))).await.unwrap_err().code(), "export");
    assert_eq!(inside(&to), 5);
    assert!(
        std::fs::read_dir(room.path()).unwrap().all(|entry| !entry
            .unwrap()
            .path()
            .display()
            .to_string()
            .contains("part"))
    );
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_profile_is_gone_and_what_is_not_ours_stays() {
    let (room, client) = made().await;
    let (profile, other) = (room.path().to_owned(), room.path().join("letter.txt"));
    done(&client, Request::SaveDraft { with: chats(&client).await[0].id.clone(), text: "secret".into() }).await;
    assert_eq!(Profiles::erase(&profile).await.unwrap_err().code(), "profile_open");
    assert_eq!(chats(&client).await.len(), SAMPLE.chats);
    std::fs::write(&other, "a person's").unwrap();
    client.erase().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(&profile).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [other]);
    assert!(!Profiles::exists(&profile));
    assert_eq!(Profiles::erase(&profile).await.unwrap_err().code(), "no_profile");

    let (room, client) = made().await;
    client.shutdown().await;
    Profiles::erase(room.path()).await.unwrap();
    assert!(!room.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_cut_off_leaves_nothing_to_read_and_is_finished_later() {
    let (room, client) = made().await;
    client.shutdown().await;
    // Cut off as soon as the ring is gone.
    std::fs::remove_file(room.path().join("store/ring.kith")).unwrap();
    let options = Options { mdns: false, ..Options::default() };
    assert!(Client::open(room.path(), unlock(), options.clone()).await.is_err());
    assert!(Client::restore(room.path(), unlock(), options).await.is_err());
    Profiles::erase(room.path()).await.unwrap();
    assert!(!room.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_come_together_are_told_as_one_chat() {
    let (_room, client) = made().await;
    let with = chats(&client).await.remove(0).id;
    let mut events = client.subscribe();
    for number in 0..10 {
        send(&client, &with, &format!("{number}"), None).await;
    }
    let (mut messages, mut listed) = (0, 0);
    told(&mut events, "the last message", |event| match event {
        Event::Message { .. } => {
            messages += 1;
            None
        }
        Event::Chat { chat } => {
            listed += 1;
            (chat.last?.text.as_deref() == Some("9")).then_some(())
        }
        _ => None,
    })
    .await;
    assert_eq!((messages, listed), (10, 1));
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_message_that_cannot_go_on_says_why() {
    let (_room, client) = made().await;
    let with = chats(&client).await.remove(0);
    let sent = send(&client, &with.id, "are you there?", None).await;
    assert_eq!((sent.state.as_deref(), sent.problem), (Some("queued"), None));
    done(&client, Request::Block { who: with.account.unwrap() }).await;
    let blocked = chat(&client, &with.id).await;
    assert_eq!((blocked.state.as_str(), blocked.path), ("blocked", None));
    let shown = page(&client, &with.id, At::Newest, 1).await.messages.remove(0);
    let said = shown.problem.unwrap();
    let wanted = ("blocked", "you have blocked this person; unblock them first");
    assert_eq!((said.code.as_str(), said.message.as_str()), wanted);
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safety_number_comes_with_the_chat_that_is_looked_at() {
    let (_room, client) = made().await;
    let with = chats(&client).await.remove(0);
    assert_eq!(with.safety_number, None);
    let mut events = client.subscribe();
    page(&client, &with.id, At::Newest, 1).await;
    let number = told(&mut events, "the number", |event| match event {
        Event::Chat { chat } if chat.id == with.id => chat.safety_number,
        _ => None,
    })
    .await;
    assert_eq!(number.split(' ').count(), 12);
    let Reply::Contacts(contacts) = client.execute(Request::Contacts).await.unwrap() else { panic!("no contacts") };
    assert!(contacts.iter().any(|contact| contact.safety_number.as_deref() == Some(&number)));
    client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_devices_are_listed_and_a_second_start_reaches_every_listener() {
    let (_room, client) = made().await;
    let picture = Some(PICTURE.to_vec());
    done(&client, Request::SetProfile { name: None, about: None, picture, remove_picture: false }).await;
    let with = chats(&client).await.remove(0);
    let Reply::Members(members) = client.execute(Request::Members { with: with.id.clone() }).await.unwrap() else {
        panic!("no members");
    };
    let who = |member: &Member| (member.name.clone(), member.me, member.devices);
    let mut seen: Vec<_> = members.iter().map(who).collect();
    seen.sort();
    assert_eq!(seen, [(with.name.clone(), false, 1), ("me".to_owned(), true, 1)]);
    let has_picture = |member: &Member| (member.me, member.picture.is_some());
    let mut pictures: Vec<_> = members.iter().map(has_picture).collect();
    pictures.sort();
    assert_eq!(pictures, [(false, false), (true, true)]);
    let devices = devices(&client).await;
    assert_eq!(devices.len(), 1);
    assert!(devices[0].this && !devices[0].connected && devices[0].created_ms > 0);
    done(&client, Request::Typing { with: with.id.clone(), on: true }).await;
    let (mut one, mut other) = (client.subscribe(), client.subscribe());
    let link = Some("kith://somebody".to_owned());
    done(&client, Request::Raise { link: link.clone() }).await;
    for events in [&mut one, &mut other] {
        let raised = told(events, "the second start", |event| match event {
            Event::Raise { link } => Some(link),
            _ => None,
        });
        assert_eq!(raised.await, link);
    }
    assert!(client.execute(Request::Raise { link: Some("x".repeat(5000)) }).await.is_err());
    client.shutdown().await;
}

async fn devices(client: &Client) -> Vec<DeviceInfo> {
    let Reply::Devices(devices) = client.execute(Request::Devices).await.unwrap() else { panic!("no devices") };
    devices
}

#[tokio::test]
async fn a_device_is_called_as_its_owner_says_or_as_its_system_does_and_nothing_in_it_disturbs() {
    let (_room, client) = made().await;
    let machine = async {
        loop {
            if let [DeviceInfo { name: None, machine, system: Some(_), .. }] = &devices(&client).await[..] {
                return machine.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let machine = tokio::time::timeout(LIMIT, machine).await.expect("it never says what it is");
    for (said, shown) in [
        (" Anna's laptop ", Some("Anna's laptop")),
        ("a\u{202e}b\u{7}c\nd\u{301}\u{301}\u{301}\u{301}\u{301}", Some("abc d\u{301}\u{301}\u{301}\u{301}")),
        ("\u{200b}\u{2066}", None),
        ("Me", Some("Me")),
        ("", None),
    ] {
        done(&client, Request::NameDevice { name: said.to_owned() }).await;
        let devices = devices(&client).await;
        assert_eq!(devices[0].name.as_deref(), shown, "{said:?}");
        assert_eq!(devices[0].called(), shown.or(machine.as_deref()), "{said:?}");
        assert_eq!(devices[0].machine, machine);
    }
    let long = client.execute(Request::NameDevice { name: "x".repeat(65) }).await.unwrap_err();
    assert!(long.to_string().contains("64"), "{long}");
    client.shutdown().await;
}

#[tokio::test]
async fn what_was_shared_is_listed_newest_first_and_page_by_page() {
    let (room, client) = made().await;
    let to = chats(&client).await[0].id.clone();
    let shared = async |before: Option<String>, limit| {
        let request = Request::Shared { with: to.clone(), before, limit };
        match client.execute(request).await.unwrap() {
            Reply::Shared(shared) => shared,
            other => panic!("{other:?}"),
        }
    };
    let before = shared(None, 200).await;
    assert!(before.messages.iter().all(|message| message.kind == "voice" || message.kind == "file"));
    let mut sent = Vec::new();
    for name in ["one.txt", "two.txt", "three.txt"] {
        let path = room.path().join(name);
        std::fs::write(&path, name).unwrap();
        let request = Request::SendFile {
            to: to.clone(),
            path,
            name: None,
            media_type: None,
            caption: None,
            dimensions: None,
            preview: None,
            reply_to: None,
        };
        let Reply::Message(message) = client.execute(request).await.unwrap() else { panic!("no message") };
        sent.insert(0, message.id);
        send(&client, &to, "and words", None).await;
    }
    let first = shared(None, 2).await;
    let ids = |messages: &[Message]| messages.iter().map(|message| message.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first.messages), sent[..2]);
    let file = first.messages[0].file.as_ref().unwrap();
    assert_eq!((file.name.as_str(), file.size), ("three.txt", 9));
    assert_eq!(first.before.as_ref(), Some(&sent[1]));
    let rest = shared(first.before, 200).await;
    assert_eq!(ids(&rest.messages)[0], sent[2]);
    assert_eq!(ids(&rest.messages)[1..], ids(&before.messages));
    assert_eq!(rest.before, None, "the chat was looked through");
    let deleted = Request::Delete { with: to.clone(), message: sent[0].clone() };
    done(&client, deleted).await;
    assert_eq!(ids(&shared(None, 1).await.messages), sent[1..2], "what is erased is not there");
    client.shutdown().await;
}
