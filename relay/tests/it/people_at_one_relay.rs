//! Whole clients at a relay, over real sockets: who may reach whom directly, what a changed handle looks like, and what is left
//! when a disk fills up or a sign-up is cut off.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kith_core::client::{
    Client, ClientError, Event, EventStream, Options, Profile, Registration, Reply, Request, Unlock,
};
use kith_core::wire::control::{At, Chat, Contact, Me, Message, Page};
use kith_relay::attach::attach_node;
use kith_relay::config::Config;
use kith_relay::control::{Answer, Control};
use kith_relay::server::Server;

/// How long anything here may take before the test fails.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) async fn relay(dir: &Path) -> (Server, String) {
    relay_with(dir, |_| ()).await
}

pub(crate) async fn relay_with(dir: &Path, change: impl FnOnce(&mut Config)) -> (Server, String) {
    let mut config: Config = crate::servers_answer_when_it_is_durable::config(dir);
    change(&mut config);
    config.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into(), "/ip4/127.0.0.1/tcp/0".into()];
    config.settings.name = "one".into();
    let mut server = Server::bind(config).await.unwrap();
    let node = attach_node(&mut server).await.unwrap();
    let address = node.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    (server, address)
}

pub(crate) fn unlock() -> Unlock {
    Unlock::Key([7; 32].into())
}

pub(crate) fn options() -> Options {
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into(), "/ip4/127.0.0.1/tcp/0".into()];
    Options { listen, mdns: false, ..Options::default() }
}

pub(crate) fn registration(name: &str, relay: &str) -> Registration {
    let password = PASSWORD.to_owned().into();
    Registration { relay: relay.to_owned(), handle: name.to_owned(), password, invitation: None }
}

pub(crate) struct Person {
    pub(crate) client: Client,
    events: EventStream,
    pub(crate) seen: Vec<Event>,
}

impl Person {
    pub(crate) async fn register(dir: &Path, name: &str, relay: &str) -> Self {
        Self::register_with(dir, name, relay, options()).await
    }

    pub(crate) async fn register_with(dir: &Path, name: &str, relay: &str, options: Options) -> Self {
        let registered = Client::register(dir, unlock(), registration(name, relay), options).await.unwrap();
        assert!(!registered.recovery_code.is_empty());
        let client = registered.client.unwrap();
        let events = client.subscribe();
        Self { client, events, seen: Vec::new() }
    }

    /// Opens the profile of somebody who was here before.
    pub(crate) async fn back(dir: &Path) -> Self {
        let client = Client::open(dir, unlock(), options()).await.unwrap();
        let events = client.subscribe();
        Self { client, events, seen: Vec::new() }
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, ClientError> {
        self.client.execute(request).await
    }

    /// Looks now, and again after every event, until something is there.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut look: impl AsyncFnMut(&Client, &[Event]) -> Option<T>,
    ) -> T {
        let looking = async {
            loop {
                if let Some(found) = look(&self.client, &self.seen).await {
                    return found;
                }
                self.seen.push(self.events.next().await.expect("the session goes on"));
            }
        };
        let found = tokio::time::timeout(LIMIT, looking).await;
        found.unwrap_or_else(|_| panic!("{what} did not happen; what did: {:?}", self.seen))
    }

    pub(crate) async fn me(&self) -> Me {
        let Ok(Reply::Me(me)) = self.ask(Request::Whoami).await else { panic!("nobody") };
        me
    }

    async fn add(&self, who: &str) -> Result<Reply, ClientError> {
        self.ask(Request::Add { who: who.into(), text: "hello".into() }).await
    }

    async fn accept(&mut self) {
        let account = self
            .until("a request", async |client, _| {
                let Ok(Reply::Requests(requests)) = client.execute(Request::Requests).await else { return None };
                Some(requests.first()?.account.clone())
            })
            .await;
        self.ask(Request::Accept { who: account }).await.unwrap();
    }

    async fn is_contact_of(&mut self, name: &str) {
        self.until("a conversation", async |client, _| {
            contacts(client).await.into_iter().find(|contact| contact.name == name)?.conversation
        })
        .await;
    }

    pub(crate) async fn send(&self, to: &str, text: &str) -> Result<Message, ClientError> {
        match self.ask(Request::Send { to: to.into(), text: text.into(), reply_to: None }).await? {
            Reply::Message(message) => Ok(message),
            other => panic!("{other:?}"),
        }
    }

    async fn receives(&mut self, with: &str, text: &str) -> Message {
        self.until(text, async |client, _| {
            history(client, with).await.ok()?.into_iter().find(|message| message.text.as_deref() == Some(text))
        })
        .await
    }

    async fn is_in_state(&mut self, with: &str, text: &str, states: &[&str]) {
        self.until(text, async |client, _| {
            let all = history(client, with).await.ok()?;
            let message = all.into_iter().find(|message| message.text.as_deref() == Some(text))?;
            message.state.filter(|state| states.contains(&state.as_str())).map(drop)
        })
        .await;
    }

    /// Is connected to some contact's device, not through a circuit.
    pub(crate) async fn is_near(&mut self, account: &str) {
        self.until("a direct path", async |client, _| {
            let Ok(Reply::Status(status)) = client.execute(Request::Status).await else { return None };
            let reach = status.contacts.into_iter().find(|reach| reach.account == account)?;
            ["lan", "direct"].contains(&reach.path.as_str()).then_some(())
        })
        .await;
    }

    async fn chats(&self) -> Vec<Chat> {
        let Ok(Reply::Chats(chats)) = self.ask(Request::Chats).await else { panic!("no chats") };
        chats
    }

    async fn chat(&self, name: &str) -> Option<Chat> {
        self.chats().await.into_iter().find(|chat| chat.name == name)
    }

    async fn hears(&mut self, with: &str) -> Message {
        let note = async |client: &Client, _: &[Event]| {
            let all = history(client, with).await.ok()?;
            all.into_iter()
                .rev()
                .find(|message| message.kind == "voice" && !message.mine && message.heard == Some(false))
        };
        let note = self.until("a voice note", note).await;
        self.client.keep_heard(with, &note.id, Duration::ZERO, true).await.unwrap();
        note
    }

    async fn chooses_to_tell_what_was_read(&self, told: bool) {
        let choice = Request::SetOptions {
            read_receipts: Some(told),
            mdns: None,
            always_relay: None,
            typing: None,
            played_receipts: None,
            auto_fetch_bytes: None,
        };
        let Ok(Reply::Options(chosen)) = self.ask(choice).await else { panic!("no choice") };
        assert_eq!((chosen.read_receipts, chosen.restart), (told, true));
    }

    async fn warnings(&self) -> Vec<String> {
        let Ok(Reply::Status(status)) = self.ask(Request::Status).await else { panic!("no status") };
        status.warnings.into_iter().map(|said| said.message).collect()
    }

    /// The accounts that were connected at any time, relays not counted.
    fn met(&self) -> Vec<String> {
        let connected = self.seen.iter().filter_map(|event| match event {
            Event::Connection { who, path, .. } if who != "relay" && path != "none" && path != "mailbox" => Some(who),
            _ => None,
        });
        connected.cloned().collect()
    }
}

async fn contacts(client: &Client) -> Vec<Contact> {
    let Ok(Reply::Contacts(contacts)) = client.execute(Request::Contacts).await else { return Vec::new() };
    contacts
}

pub(crate) async fn history(client: &Client, with: &str) -> Result<Vec<Message>, ClientError> {
    match client.execute(Request::History { with: with.into(), before: None, limit: 100 }).await? {
        Reply::Messages(messages) => Ok(messages),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn become_contacts(one: &mut Person, other: &mut Person, names: [&str; 2]) {
    one.add(names[1]).await.unwrap();
    other.accept().await;
    one.is_contact_of(names[1]).await;
    other.is_contact_of(names[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_who_are_no_contacts_write_through_mailboxes_and_never_meet() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    let mut carol = Person::register(&room.path().join("carol"), "carol", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    become_contacts(&mut alice, &mut carol, ["alice", "carol"]).await;
    alice.is_near(&bob.me().await.account).await;
    let members = vec!["bob".into(), "carol".into()];
    alice.ask(Request::CreateGroup { name: "reading".into(), members }).await.unwrap();
    alice.send("reading", "welcome").await.unwrap();
    bob.receives("reading", "welcome").await;
    carol.receives("reading", "welcome").await;
    for number in 0..5 {
        bob.send("reading", &format!("from bob {number}")).await.unwrap();
        carol.receives("reading", &format!("from bob {number}")).await;
        carol.send("reading", &format!("from carol {number}")).await.unwrap();
        bob.receives("reading", &format!("from carol {number}")).await;
    }
    let (of_bob, of_carol) = (bob.me().await.account, carol.me().await.account);
    assert!(bob.met().contains(&alice.me().await.account));
    assert!(!bob.met().contains(&of_carol) && !carol.met().contains(&of_bob), "{:?} {:?}", bob.met(), carol.met());
    for person in [alice, bob, carol] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_blocked_is_not_connected_any_more() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    alice.is_near(&bob.me().await.account).await;
    alice.ask(Request::CreateGroup { name: "both".into(), members: vec!["bob".into()] }).await.unwrap();
    alice.send("both", "still here").await.unwrap();
    bob.receives("both", "still here").await;
    let account = bob.me().await.account;
    alice.seen.clear();
    alice.ask(Request::Block { who: "bob".into() }).await.unwrap();
    alice
        .until("the end of the connection", async |_, seen| {
            let gone = |event: &Event| {
                matches!(event, Event::Connection { who, path, .. } if *who == account && ["none", "mailbox"].contains(&path.as_str()))
            };
            seen.iter().any(gone).then_some(())
        })
        .await;
    for person in [alice, bob] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_handle_that_leads_to_another_account_is_named_and_not_added_by_itself() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    // The same account again is nothing to speak of.
    let again = alice.add("bob").await;
    assert!(!matches!(again, Err(ClientError::OtherAccount { .. })), "{again:?}");
    assert_eq!(alice.warnings().await, Vec::<String>::new());

    let old = bob.me().await.account;
    bob.client.shutdown().await;
    let removed = server.handle().control(Control::UserRemove { handle: "bob".into() }).await;
    assert_eq!(removed, Answer::Removed);
    let mallory = Person::register(&room.path().join("mallory"), "bob", &address).await;
    for who in ["bob", "bob@one", &format!("bob@{}", address.split(',').next().unwrap())] {
        let error = alice.add(who).await.unwrap_err();
        assert_eq!(error.code(), "other_account", "{who}: {error}");
        assert!(error.to_string().contains("compare safety numbers"), "{error}");
    }
    assert_eq!(contacts(&alice.client).await.len(), 1, "there is no second contact");
    alice
        .until("a warning", async |_, seen| {
            let warned =
                |event: &Event| matches!(event, Event::Warning { said } if said.message.contains("another account"));
            seen.iter().any(warned).then_some(())
        })
        .await;
    assert!(alice.warnings().await.iter().any(|warning| warning.contains("another account")));

    // Whoever blocks the old one means the new one.
    alice.ask(Request::Block { who: old }).await.unwrap();
    alice.add("bob").await.unwrap();
    let new = mallory.me().await.account;
    assert!(contacts(&alice.client).await.iter().any(|contact| contact.account.as_ref() == Some(&new)));
    for person in [alice, mallory] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_contact_under_a_known_name_is_warned_of() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    become_contacts(&mut bob, &mut alice, ["bob", "alice"]).await;
    bob.client.shutdown().await;
    server.handle().control(Control::UserRemove { handle: "bob".into() }).await;
    let mallory = Person::register(&room.path().join("mallory"), "bob", &address).await;
    alice.seen.clear();
    mallory.add("alice").await.unwrap();
    alice
        .until("a warning and the request", async |_, seen| {
            let warned =
                |event: &Event| matches!(event, Event::Warning { said } if said.message.contains("another contact"));
            let asked = |event: &Event| matches!(event, Event::Request { .. });
            (seen.iter().any(warned) && seen.iter().any(asked)).then_some(())
        })
        .await;
    for person in [alice, mallory] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tells_nobody_what_was_read_is_not_seen_reading() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    let mut carol = Person::register(&room.path().join("carol"), "carol", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    become_contacts(&mut alice, &mut carol, ["alice", "carol"]).await;
    bob.chooses_to_tell_what_was_read(false).await;
    for (person, name) in [(&mut bob, "bob"), (&mut carol, "carol")] {
        alice.send(name, "have you read this").await.unwrap();
        let got = person.receives("alice", "have you read this").await;
        person.ask(Request::MarkRead { with: "alice".into(), upto: got.id }).await.unwrap();
        // What comes after has brought the mark with it, if there is one.
        person.send("alice", &format!("{name} answers")).await.unwrap();
        alice.receives(name, &format!("{name} answers")).await;
    }
    alice.is_in_state("carol", "have you read this", &["read"]).await;
    let to_bob = history(&alice.client, "bob").await.unwrap();
    let sent = to_bob.iter().find(|message| message.text.as_deref() == Some("have you read this")).unwrap();
    assert_eq!(sent.state.as_deref(), Some("delivered"));
    bob.chooses_to_tell_what_was_read(true).await;
    alice.send("bob", "and this").await.unwrap();
    let got = bob.receives("alice", "and this").await;
    bob.ask(Request::MarkRead { with: "alice".into(), upto: got.id }).await.unwrap();
    alice.is_in_state("bob", "and this", &["read"]).await;
    for person in [alice, bob, carol] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_voice_note_was_heard_is_told_once_or_not_at_all() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/clips/ok_01.wav");
    let send = || Request::SendVoice { to: "bob".into(), file: clip.clone() };
    let heard_by = async |client: &Client, id: &str| {
        let all = history(client, "bob").await.ok()?;
        all.into_iter().find(|message| message.id == id)?.heard_by
    };
    for told in [true, false, true] {
        let choice = Request::SetOptions {
            read_receipts: None,
            mdns: None,
            always_relay: None,
            typing: None,
            played_receipts: Some(told),
            auto_fetch_bytes: None,
        };
        bob.ask(choice).await.unwrap();
        let Reply::Message(sent) = alice.ask(send()).await.unwrap() else { panic!("a note was sent") };
        assert_eq!(sent.heard_by, Some(0));
        let note = bob.hears("alice").await;
        assert_eq!(note.heard_by, None, "only of one's own notes");
        // Again: nothing more is said.
        bob.client.keep_heard("alice", &note.id, Duration::from_secs(1), true).await.unwrap();
        bob.send("alice", &format!("heard: {told}")).await.unwrap();
        alice.receives("bob", &format!("heard: {told}")).await;
        let known = heard_by(&alice.client, &sent.id).await;
        assert_eq!(known, Some(u32::from(told)), "what bob wrote after it has brought it along");
        let own = history(&bob.client, "alice").await.unwrap();
        assert_eq!(own.iter().find(|message| message.id == note.id).unwrap().heard, Some(true));
    }
    for person in [alice, bob] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_a_chat_from_the_first_request_on_and_calls_itself_as_it_likes() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    alice.add("bob").await.unwrap();
    let asked = alice.chat("bob").await.unwrap();
    assert_eq!((asked.state.as_str(), asked.path.as_deref(), asked.last), ("asked", None, None));
    assert!(asked.active_ms > 0);
    let with = asked.id.clone();
    let page = alice.ask(Request::Page { with: with.clone(), at: At::Unread, limit: 60 }).await.unwrap();
    let empty = Page { messages: Vec::new(), more_before: false, more_after: false, first_unread: None };
    assert_eq!(page, Reply::Page(empty));
    let Ok(Reply::Members(members)) = alice.ask(Request::Members { with: with.clone() }).await else { panic!("none") };
    assert_eq!(members.len(), 2);
    for request in [
        Request::SaveDraft { with: with.clone(), text: "as soon as you".into() },
        Request::Arrange { with: with.clone(), pinned: Some(true), muted: None },
        Request::Typing { with: with.clone(), on: true },
    ] {
        assert_eq!(alice.ask(request).await.unwrap(), Reply::Done);
    }
    let kept = alice.chat("bob").await.unwrap();
    assert_eq!((kept.draft.as_deref(), kept.pinned), (Some("as soon as you"), true));
    assert!(bob.chats().await.is_empty());
    bob.accept().await;
    let name = Some("Bob\u{202e}by".to_owned());
    let profile = Request::SetProfile { name, about: Some("I read".into()), picture: None, remove_picture: false };
    bob.ask(profile).await.unwrap();
    let account = bob.me().await.account;
    let accepted = alice
        .until("the chat", async |_, seen| {
            let chats = seen.iter().rev().filter_map(|event| match event {
                Event::Chat { chat } => Some(chat),
                _ => None,
            });
            let near = |chat: &&Chat| matches!(chat.path.as_deref(), Some("lan" | "direct"));
            let mut named = chats.filter(|chat| chat.id == with && chat.name == "Bobby").filter(near);
            named.next().cloned()
        })
        .await;
    assert_eq!((accepted.state.as_str(), accepted.about.as_deref()), ("accepted", Some("I read")));
    assert_eq!(accepted.handle.as_deref(), Some("bob@one"));
    assert!(alice.met().contains(&account), "{:?}", alice.seen);
    alice.send("Bobby", "is it you?").await.unwrap();
    bob.receives("alice", "is it you?").await;
    bob.send("alice", "it is").await.unwrap();
    assert_eq!(alice.receives(&with, "it is").await.author_name, "Bobby");
    for person in [alice, bob] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_full_mailbox_keeps_back_says_so_until_there_is_room() {
    let room = tempfile::tempdir().unwrap();
    let small = |config: &mut Config| config.settings.limits.mailbox_envelopes = 12;
    let (server, address) = relay_with(&room.path().join("relay"), small).await;
    let mut alice = Person::register(&room.path().join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    bob.send("alice", "I am off").await.unwrap();
    alice.receives("bob", "I am off").await;
    bob.client.shutdown().await;
    for number in 0..20 {
        alice.send("bob", &format!("{number}")).await.unwrap();
    }
    let problem = alice
        .until("a full mailbox", async |_, seen| {
            seen.iter().rev().find_map(|event| match event {
                Event::Chat { chat } => chat.last.as_ref()?.problem.clone(),
                _ => None,
            })
        })
        .await;
    assert_eq!(problem.code, "mailbox_full");
    assert_eq!(problem.message, "their mailbox is full; the message is kept and sent again until there is room");
    let last = history(&alice.client, "bob").await.unwrap().pop().unwrap();
    assert_eq!((last.state.as_deref(), last.problem), (Some("queued"), Some(problem)));
    let client = Client::open(&room.path().join("bob"), unlock(), options()).await.unwrap();
    let events = client.subscribe();
    let mut bob = Person { client, events, seen: Vec::new() };
    bob.receives("alice", "19").await;
    alice.is_in_state("bob", "19", &["delivered", "read"]).await;
    let last = history(&alice.client, "bob").await.unwrap().pop().unwrap();
    assert_eq!(last.problem, None);
    for person in [alice, bob] {
        person.client.shutdown().await;
    }
    server.shutdown().await;
}

/// Where the small disk is mounted, set in the process that runs inside the namespace.
const SMALL_DISK: &str = "KITH_TEST_SMALL_DISK";

/// Runs a test again with a small disk of its own, if the system allows it.
fn run_on_small_disk(test: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=48m tmpfs \"$2\"";
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script]).arg(std::env::current_exe().unwrap()).arg(test).arg(dir.path());
        command
    };
    if !unshare(mount).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let again = format!("{mount} && exec \"$0\" --exact \"$1\" --nocapture");
    assert!(unshare(&again).env(SMALL_DISK, dir.path()).status().unwrap().success());
}

fn fill(disk: &Path) -> PathBuf {
    use std::io::Write as _;
    let path = disk.join("filler");
    let mut file = std::fs::File::create(&path).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
    path
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_makes_room_on_a_full_disk_gets_what_waited_and_goes_on() {
    let Some(disk) = std::env::var_os(SMALL_DISK).map(PathBuf::from) else {
        run_on_small_disk("people_at_one_relay::whoever_makes_room_on_a_full_disk_gets_what_waited_and_goes_on");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let room = tempfile::tempdir().unwrap();
        let (server, address) = relay(&room.path().join("relay")).await;
        let mut alice = Person::register(&disk.join("alice"), "alice", &address).await;
        let mut bob = Person::register(&room.path().join("bob"), "bob", &address).await;
        become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
        let (of_alice, of_bob) = (alice.me().await.account, bob.me().await.account);
        alice.is_near(&of_bob).await;
        bob.is_near(&of_alice).await;
        for round in 0..2 {
            let filler = fill(&disk);
            let mut kept = Vec::new();
            let refused = loop {
                let text = format!("round {round}, number {}", kept.len());
                match alice.send("bob", &text).await {
                    Ok(_) => kept.push(text),
                    Err(error) => break error,
                }
            };
            assert_eq!(refused.code(), "disk_full", "{refused}");
            bob.send("alice", &format!("waits {round}")).await.unwrap();
            // Nothing is shown that may be gone, and everything says why.
            assert_eq!(history(&alice.client, "bob").await.unwrap_err().code(), "disk_full");
            let later = alice.send("bob", "never stored").await.unwrap_err();
            assert_eq!(later.code(), "disk_full", "{later}");
            alice
                .until("a sentence", async |_, seen| {
                    let said = |event: &Event| matches!(event, Event::Warning { said } if said.message.starts_with("The disk is full"));
                    (seen.iter().filter(|event| said(event)).count() > round).then_some(())
                })
                .await;
            std::fs::remove_file(filler).unwrap();
            alice.receives("bob", &format!("waits {round}")).await;
            bob.is_in_state("alice", &format!("waits {round}"), &["delivered", "read"]).await;
            alice.send("bob", &format!("goes on {round}")).await.unwrap();
            bob.receives("alice", &format!("goes on {round}")).await;
            // What was acknowledged is there and has arrived, and nothing else.
            let mine: Vec<String> = history(&alice.client, "bob").await.unwrap().into_iter().filter_map(|it| it.text).collect();
            for text in &kept {
                assert!(mine.contains(text), "{text}");
                bob.receives("alice", text).await;
            }
            assert!(!mine.contains(&"never stored".to_owned()));
            alice.is_near(&of_bob).await;
        }
        alice.client.shutdown().await;
        bob.client.shutdown().await;
        server.shutdown().await;
    });
}

/// The relay of a child that signs up and is killed, and where.
const CUT_OFF: &str = "KITH_TEST_CUT_OFF";

#[test]
fn child_signs_up_and_is_cut_off() {
    let Ok(told) = std::env::var(CUT_OFF) else { return };
    let (relay, dir) = told.split_once('\n').unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registered =
        runtime.block_on(Client::register(Path::new(dir), unlock(), registration("newcomer", relay), options()));
    panic!("it went on: {registered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_that_was_cut_off_can_be_made_again_and_an_account_that_was_made_is_named() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let dir = room.path().join("newcomer");
    for step in ["begun", "store", "account", "enrolled"] {
        let (told, name) =
            (format!("{address}\n{}", dir.display()), "people_at_one_relay::child_signs_up_and_is_cut_off");
        let child = tokio::task::spawn_blocking(move || {
            let own = std::env::current_exe().unwrap();
            Command::new(own).args(["--exact", name]).env(CUT_OFF, told).env("KITH_TEST_CRASH_AT", step).output()
        });
        let output = child.await.unwrap().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!said.contains("it went on"), "{step}: {said}");
        assert!(!Profile::exists(&dir), "{step}");
        let opened = Client::open(&dir, unlock(), options()).await.unwrap_err();
        assert!(matches!(opened, ClientError::Unfinished(_)), "{step}: {opened}");
    }
    // The relay had taken the last one.
    let error = Client::register(&dir, unlock(), registration("newcomer", &address), options()).await.unwrap_err();
    assert!(matches!(error, ClientError::CutOff(_)), "{error}");
    let client = Client::log_in(&dir, unlock(), registration("newcomer", &address), options()).await.unwrap();
    let left: Vec<String> =
        std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.starts_with("store.creating")), "{left:?}");
    client.shutdown().await;
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_code_is_given_although_the_port_is_taken_and_the_profile_can_be_opened_later() {
    let room = tempfile::tempdir().unwrap();
    let (server, address) = relay(&room.path().join("relay")).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = vec![format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port())];
    let dir = room.path().join("alice");
    let options_taken = Options { listen, ..options() };
    let registered = Client::register(&dir, unlock(), registration("alice", &address), options_taken).await.unwrap();
    assert!(matches!(registered.client, Err(ClientError::Start(_))), "{registered:?}");
    assert!(registered.recovery_code.len() > 20);
    let client = Client::open(&dir, unlock(), options()).await.unwrap();
    client.shutdown().await;
    server.shutdown().await;
}
