//! Files between whole clients, over real sockets: straight, through a relay while the other is away, between two relays; and what a
//! person reads when it cannot be.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kith_core::client::{ClientError, Reply, Request};
use kith_core::types::Hash;
use kith_core::wire::blob::CHUNK;
use kith_core::wire::control::{File, Message, Transfer};
use kith_relay::server::Server;

use crate::people_at_one_relay::{Person, become_contacts, history, relay_with};

/// Bytes that no cipher and no disk makes by itself.
fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8 ^ (at / 65_537) as u8).collect()
}

pub(crate) fn write(dir: &Path, name: &str, bytes: usize) -> (PathBuf, Vec<u8>) {
    let (path, content) = (dir.join(name), pattern(bytes));
    fs::write(&path, &content).unwrap();
    (path, content)
}

fn sending(to: &str, path: &Path, caption: &str) -> Request {
    Request::SendFile {
        to: to.into(),
        path: path.into(),
        name: None,
        media_type: None,
        caption: Some(caption.into()),
        dimensions: None,
        preview: None,
        reply_to: None,
    }
}

impl Person {
    pub(crate) async fn send_file(&self, to: &str, path: &Path) -> Message {
        let Reply::Message(message) = self.ask(sending(to, path, "look")).await.unwrap() else { panic!("no message") };
        message
    }

    /// Until the newest file with somebody stands so.
    pub(crate) async fn transfer(&mut self, with: &str, what: &str, is: impl Fn(&Transfer) -> bool) -> (String, File) {
        self.until(what, async |client, _| {
            let newest = history(client, with).await.ok()?.into_iter().rev().find(|message| message.file.is_some())?;
            let file = newest.file.filter(|file| is(&file.transfer))?;
            Some((newest.id, file))
        })
        .await
    }

    pub(crate) async fn has(&mut self, with: &str, content: &[u8], to: &Path) {
        let (message, file) = self.transfer(with, "the file", |transfer| transfer.here).await;
        assert_eq!((file.size, file.transfer.state.as_str()), (content.len() as u64, "done"));
        let save = Request::SaveFile { with: with.into(), message, path: to.into() };
        let Reply::Saved { path, bytes } = self.ask(save).await.unwrap() else { panic!("not saved") };
        assert_eq!(bytes, content.len() as u64);
        assert!(fs::read(&path).unwrap() == content, "other bytes came");
    }
}

/// The sealed files of a profile.
fn sealed(profile: &Path) -> Vec<String> {
    let names = fs::read_dir(profile.join("store/blobs")).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The chunks that a relay keeps.
fn chunks(relay: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![relay.join("blobs")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => dirs.push(path),
                false => found.push(path),
            }
        }
    }
    found.retain(|path| path.file_name().unwrap().to_str().unwrap().parse::<u32>().is_ok());
    found
}

async fn end(people: impl IntoIterator<Item = Person>, servers: impl IntoIterator<Item = Server>) {
    for person in people {
        person.client.shutdown().await;
    }
    for server in servers {
        server.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_straight_from_its_sender_and_goes_with_its_message() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let (server, address) = relay_with(&room.join("relay"), |_| ()).await;
    let mut alice = Person::register(&room.join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    alice.is_near(&bob.me().await.account).await;
    bob.is_near(&alice.me().await.account).await;
    let (path, content) = write(room, "a picture.png", 3 * CHUNK + 77);
    let sent = alice.send_file("bob", &path).await;
    // What was copied no longer needs its original.
    fs::remove_file(&path).unwrap();
    let file = sent.file.unwrap();
    assert_eq!((file.name.as_str(), file.media_type.as_str()), ("a picture.png", "image/png"));
    assert_eq!((sent.kind.as_str(), sent.text.as_deref(), file.transfer.here), ("file", Some("look"), true));
    let saved = room.join("saved");
    fs::create_dir(&saved).unwrap();
    bob.has("alice", &content, &saved).await;
    bob.has("alice", &content, &saved).await;
    assert!(saved.join("a picture.png").exists() && saved.join("a picture (2).png").exists());
    alice.transfer("bob", "that all have it", |transfer| transfer.state == "done").await;
    assert_eq!(chunks(&room.join("relay")), Vec::<PathBuf>::new(), "the relay had nothing to do with it");
    assert_eq!((sealed(&room.join("alice")).len(), sealed(&room.join("bob")).len()), (2, 2));

    let message = sent.id.clone();
    alice.ask(Request::Delete { with: "bob".into(), message }).await.unwrap();
    for person in [&mut alice, &mut bob] {
        person
            .until("the end of the message", async |client, _| {
                let with = if client.directory().ends_with("alice") { "bob" } else { "alice" };
                let gone = history(client, with).await.ok()?.iter().any(|message| message.kind == "deleted");
                (gone && sealed(client.directory()).is_empty()).then_some(())
            })
            .await;
    }
    end([alice, bob], [server]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_away_fetches_from_the_relay_which_then_lets_go() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let (server, address) = relay_with(&room.join("relay"), |_| ()).await;
    let mut alice = Person::register(&room.join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    bob.client.shutdown().await;
    let (path, content) = write(room, "report.pdf", 2 * CHUNK + 1);
    alice.send_file("bob", &path).await;
    alice.transfer("bob", "the upload", |transfer| transfer.state == "uploaded").await;
    assert_eq!(chunks(&room.join("relay")).len(), 3);
    alice.client.shutdown().await;
    let mut bob = Person::back(&room.join("bob")).await;
    bob.has("alice", &content, &room.join("report")).await;
    let letting_go = async {
        // It has no event at Bob's.
        while !chunks(&room.join("relay")).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), letting_go).await.expect("the relay lets go of what all have");
    end([bob], [server]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_crosses_from_one_relay_to_an_account_of_another() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let (one, first) = relay_with(&room.join("one"), |_| ()).await;
    let (two, second) = relay_with(&room.join("two"), |_| ()).await;
    let mut alice = Person::register(&room.join("alice"), "alice", &first).await;
    let mut bob = Person::register(&room.join("bob"), "bob", &second).await;
    let Reply::Link { link } = bob.ask(Request::Invite).await.unwrap() else { panic!("no link") };
    alice.ask(Request::Add { who: link, text: "hello".into() }).await.unwrap();
    let account = bob
        .until("a request", async |client, _| {
            let Ok(Reply::Requests(requests)) = client.execute(Request::Requests).await else { return None };
            Some(requests.first()?.account.clone())
        })
        .await;
    bob.ask(Request::Accept { who: account.clone() }).await.unwrap();
    let of_bob = bob.me().await.account;
    alice
        .until("a conversation", async |client, _| {
            let Ok(Reply::Contacts(contacts)) = client.execute(Request::Contacts).await else { return None };
            contacts.into_iter().find(|contact| contact.account.as_ref() == Some(&of_bob))?.conversation
        })
        .await;
    bob.client.shutdown().await;
    let (path, content) = write(room, "film.mp4", CHUNK + 9);
    alice.send_file(&of_bob, &path).await;
    alice.transfer(&of_bob, "the upload", |transfer| transfer.state == "uploaded").await;
    assert_eq!((chunks(&room.join("one")).len(), chunks(&room.join("two")).len()), (2, 0));
    alice.client.shutdown().await;
    let mut bob = Person::back(&room.join("bob")).await;
    bob.has(&account, &content, &room.join("film")).await;
    end([bob], [one, two]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_gives_another_chunk_is_found_out_and_the_sender_gives_the_right_one() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let (server, address) = relay_with(&room.join("relay"), |_| ()).await;
    let mut alice = Person::register(&room.join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    bob.client.shutdown().await;
    let (path, content) = write(room, "contract.txt", 4 * CHUNK);
    alice.send_file("bob", &path).await;
    alice.transfer("bob", "the upload", |transfer| transfer.state == "uploaded").await;
    alice.client.shutdown().await;
    for chunk in chunks(&room.join("relay")) {
        let mut bytes = fs::read(&chunk).unwrap();
        bytes[100] ^= 1;
        fs::write(&chunk, bytes).unwrap();
    }
    let mut bob = Person::back(&room.join("bob")).await;
    let lied = |transfer: &Transfer| {
        transfer.problem.as_ref().is_some_and(|problem| problem.message.contains("not what the sender announced"))
    };
    let (_, file) = bob.transfer("alice", "a sentence about the lie", lied).await;
    assert!(!file.transfer.here);
    let mut alice = Person::back(&room.join("alice")).await;
    bob.has("alice", &content, &room.join("contract")).await;
    alice.transfer("bob", "that all have it", |transfer| transfer.state == "done").await;
    end([alice, bob], [server]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_does_not_take_is_said_and_goes_straight_later() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    type Change = fn(&mut kith_relay::config::Config);
    let relays: [(&str, Change, &str); 3] = [
        ("quota", |config| config.settings.limits.blobs.account_bytes = 300_000, "is used up"),
        ("large", |config| config.settings.limits.blobs.bytes = 300_000, "larger than the 300000 bytes"),
        ("none", |config| config.settings.limits.blobs.account_bytes = 0, "keeps no attachments"),
    ];
    for (name, change, says) in relays {
        let room = room.join(name);
        fs::create_dir(&room).unwrap();
        let (server, address) = relay_with(&room.join("relay"), change).await;
        let mut alice = Person::register(&room.join("alice"), "alice", &address).await;
        let mut bob = Person::register(&room.join("bob"), "bob", &address).await;
        become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
        bob.client.shutdown().await;
        let (path, content) = write(&room, "photo.jpg", 2 * CHUNK);
        alice.send_file("bob", &path).await;
        let said =
            |transfer: &Transfer| transfer.problem.as_ref().is_some_and(|problem| problem.message.contains(says));
        let (_, file) = alice.transfer("bob", says, said).await;
        assert_eq!(file.transfer.state, "waiting", "{name}");
        let mut bob = Person::back(&room.join("bob")).await;
        bob.has("alice", &content, &room.join("photo")).await;
        alice.transfer("bob", "that all have it", |transfer| transfer.state == "done").await;
        end([alice, bob], [server]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_fetches_is_let_go_when_its_time_is_up() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let (server, address) = relay_with(&room.join("relay"), |config| config.settings.limits.blobs.keep_s = 2).await;
    let mut alice = Person::register(&room.join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    bob.client.shutdown().await;
    let (path, _) = write(room, "old.txt", CHUNK);
    alice.send_file("bob", &path).await;
    alice.transfer("bob", "the upload", |transfer| transfer.state == "uploaded").await;
    alice.client.shutdown().await;
    let blobs = server.blobs().unwrap();
    while !chunks(&room.join("relay")).is_empty() {
        blobs.sweep_once().await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut bob = Person::back(&room.join("bob")).await;
    let nobody = |transfer: &Transfer| {
        transfer.problem.as_ref().is_some_and(|problem| problem.message.contains("can give it at present"))
    };
    let (_, file) = bob.transfer("alice", "a sentence", nobody).await;
    assert_eq!((file.transfer.here, file.transfer.state.as_str()), (false, "waiting"));
    end([bob], [server]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_waits_to_be_asked_for_and_can_be_given_up() {
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let (server, address) = relay_with(&room.join("relay"), |_| ()).await;
    let mut alice = Person::register(&room.join("alice"), "alice", &address).await;
    let mut bob = Person::register(&room.join("bob"), "bob", &address).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    alice.is_near(&bob.me().await.account).await;
    let choice = Request::SetOptions {
        read_receipts: None,
        mdns: None,
        always_relay: None,
        typing: None,
        played_receipts: None,
        auto_fetch_bytes: Some(1000),
    };
    let Ok(Reply::Options(chosen)) = bob.ask(choice).await else { panic!("no choice") };
    assert_eq!(chosen.auto_fetch_bytes, 1000);
    let (path, content) = write(room, "big.bin", CHUNK);
    let sent = alice.send_file("bob", &path).await;
    let (message, file) = bob.transfer("alice", "the message", |_| true).await;
    assert_eq!((file.transfer.state.as_str(), file.transfer.here), ("none", false));
    let save = Request::SaveFile { with: "alice".into(), message: message.clone(), path: room.join("none") };
    assert_eq!(bob.ask(save).await.map_err(|error| error.code()), Err("not_here"));

    // Given up by its sender it is not to be had; offered again, it is.
    let cancel = Request::CancelTransfer { with: "bob".into(), message: sent.id.clone() };
    let Reply::Transfer(cancelled) = alice.ask(cancel).await.unwrap() else { panic!("not cancelled") };
    assert_eq!(cancelled.state, "cancelled");
    let fetch = Request::Fetch { with: "alice".into(), message: message.clone() };
    bob.ask(fetch.clone()).await.unwrap();
    bob.transfer("alice", "a sentence", |transfer| transfer.problem.is_some()).await;
    alice.ask(Request::Fetch { with: "bob".into(), message: sent.id }).await.unwrap();
    bob.ask(fetch).await.unwrap();
    bob.has("alice", &content, &room.join("big")).await;

    let text = alice.send("bob", "no file").await.unwrap();
    let none = alice.ask(Request::Fetch { with: "bob".into(), message: text.id }).await;
    assert!(matches!(none, Err(ClientError::NoAttachment)), "{none:?}");
    let missing = alice.ask(sending("bob", &room.join("nothing"), "")).await;
    assert_eq!(missing.map_err(|error| error.code()), Err("file"));
    end([alice, bob], [server]).await;
}

/// What a relay keeps under a name, given to who has no right to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_nothing_of_a_relay() {
    use kith_core::types::Token;
    use kith_core::wire::blob::{Claim, Open, Refusal, Request as Ask, Response, capability_hash};
    use kith_relay::domain::Caller;
    let room = tempfile::tempdir().unwrap();
    let config = crate::servers_answer_when_it_is_durable::config(room.path());
    let server = Server::bind(config).await.unwrap();
    let mut rng = rand_core::SeedableRng::seed_from_u64(3);
    let alice = crate::servers_answer_when_it_is_durable::person(&server.handle(), &mut rng, "alice", 1).await;
    let bob = crate::servers_answer_when_it_is_durable::person(&server.handle(), &mut rng, "bob", 1).await;
    let blobs = server.blobs().unwrap();
    let (owner, other) = (alice.caller(0), bob.caller(0));
    let stranger = Caller { peer: [9; 32], address: None };
    let (chunk, capability, name) = (vec![7; 4096 + 16], Token::new([5; 32]), Hash::new([6; 32]));
    let open = Open {
        name,
        capability: capability_hash(&capability),
        sealed_bytes: chunk.len() as u64,
        list: kith_core::wire::blob::chunk_hash(&chunk).as_bytes().to_vec(),
        readers: vec![Hash::new([1; 32]), Hash::new([2; 32])],
    };
    let refused = |refusal| Response::Refused(refusal);
    let ask = async |caller, request| blobs.answer(caller, request).await;
    assert!(ask(stranger, Ask::Open(open.clone())).await == refused(Refusal::NotSignedIn));
    assert!(ask(owner, Ask::Open(open.clone())).await == Response::Opened { held: vec![] });
    assert!(ask(other, Ask::Open(open.clone())).await == refused(Refusal::Mismatch), "another's name");
    let put = |chunk: &Vec<u8>| Ask::Put { name, index: 0, chunk: chunk.clone() };
    assert!(ask(other, put(&chunk)).await == refused(Refusal::NotFound));
    assert!(ask(owner, put(&vec![8; 4112])).await == refused(Refusal::Mismatch), "not the chunk that was listed");
    let (right, wrong) = (Claim { name, capability }, Claim { name, capability: Token::new([4; 32]) });
    assert!(ask(stranger, Ask::Get { claim: right, index: 0 }).await == refused(Refusal::NotYet));
    for _ in 0..2 {
        assert!(ask(owner, put(&chunk)).await == Response::Done);
    }
    assert!(ask(owner, Ask::Open(open)).await == Response::Opened { held: vec![(0, 1)] });
    assert!(ask(stranger, Ask::Get { claim: wrong, index: 0 }).await == refused(Refusal::NotFound));
    assert!(ask(stranger, Ask::List(wrong)).await == refused(Refusal::NotFound));
    assert!(ask(stranger, Ask::Get { claim: right, index: 0 }).await == Response::Chunk { chunk });
    assert!(ask(stranger, Ask::Drop { name }).await == refused(Refusal::NotSignedIn));
    // It goes when the last of its readers has it, and not by somebody's saying so twice.
    let got = |reader| Ask::Got { claim: right, reader: Hash::new([reader; 32]) };
    for reader in [1, 1, 3] {
        assert!(ask(stranger, got(reader)).await == Response::Done);
        assert!(matches!(ask(stranger, Ask::List(right)).await, Response::Listed { .. }));
    }
    assert!(ask(stranger, got(2)).await == Response::Done);
    assert!(ask(stranger, Ask::List(right)).await == refused(Refusal::NotFound));
    assert_eq!(chunks(room.path()), Vec::<PathBuf>::new());
    server.shutdown().await;
}

#[test]
fn an_account_has_so_much_room_until_its_attachments_go() {
    use kith_core::types::Token;
    use kith_core::wire::blob::{Open, Refusal, capability_hash};
    use kith_relay::domain::{BlobAsk, BlobFacts, BlobLimits, Caller, RelayRead, Settings};

    use crate::world::World;
    let mut settings = Settings::default();
    settings.limits.blobs = BlobLimits { bytes: 10_000, account_bytes: 10_000, all_bytes: 12_000, keep_s: 60 };
    let mut world = World::new(settings);
    let (alice, bob) = (world.person("alice", 1), world.person("bob", 1));
    let ask = |world: &mut World, caller: Caller, ask: BlobAsk| -> Result<BlobFacts, Refusal> {
        let outcome = world.relay.handle_blob(world.now, caller, &world.rows, ask);
        world.rows.apply(outcome.batch);
        outcome.answer
    };
    let open = |number: u8, sealed_bytes: u64| {
        let capability = capability_hash(&Token::new([number; 32]));
        let (name, list, readers) = (Hash::new([number; 32]), vec![number; 32], vec![Hash::new([1; 32])]);
        BlobAsk::Open(Open { name, capability, sealed_bytes, list, readers })
    };
    let (a, b) = (alice.caller(0), bob.caller(0));
    assert_eq!(ask(&mut world, a, open(1, 20_000)), Err(Refusal::TooLarge { limit: 10_000 }));
    for number in [1, 2, 2, 1] {
        let facts = ask(&mut world, a, open(number, 4112)).unwrap();
        assert_eq!((facts.chunks, facts.sealed_bytes, facts.gone), (1, 4112, false));
    }
    assert_eq!(ask(&mut world, a, open(3, 4112)), Err(Refusal::Quota { limit: 10_000 }));
    assert_eq!(ask(&mut world, b, open(4, 4112)), Err(Refusal::TryLater), "the disk is shared");
    assert!(ask(&mut world, a, BlobAsk::Drop(Hash::new([1; 32]))).unwrap().gone);
    ask(&mut world, b, open(4, 4112)).unwrap();
    world.pass(61_000);
    for table in [kith_relay::domain::rows::Table::Blob, kith_relay::domain::rows::Table::BlobUse] {
        assert_eq!(world.rows.scan(&table.key(&[]), None, 10).unwrap(), Vec::new(), "{table:?}");
    }
    ask(&mut world, a, open(3, 4112)).unwrap();
}
