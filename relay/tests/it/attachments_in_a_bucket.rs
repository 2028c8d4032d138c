//! Attachments that lie in a bucket: what a folder promises a bucket keeps, through a client of S3 as well; what its service does
//! wrong costs attachments and nothing else; and an operator reads what is wrong.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kith_core::client::Request;
use kith_core::identity::RelayKey;
use kith_core::types::{Hash, Rng, Token};
use kith_core::wire::blob::{CHUNK, Claim, Open, Refusal, Request as Ask, Response, SEAL, capability_hash, chunk_hash};
use kith_relay::blobs::bucket::{Bucket, Patience};
use kith_relay::blobs::folder::Folder;
use kith_relay::blobs::{Blobs, Keep, KeepError, Part};
use kith_relay::config::BlobStore;
use kith_relay::domain::{BlobLimits, Caller};
use kith_relay::server::{Server, ServerError};
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use rand_core::SeedableRng;
use tokio::process::Command;

use crate::attachments_travel::write;
use crate::people_at_one_relay::{Person, become_contacts, history};
use crate::relay_processes_obey_and_recover::Process;
use crate::s3::{Fault, S3, impatient, place, write_wrong_secret};
use crate::servers_answer_when_it_is_durable::{config, person};

fn hash(number: u8) -> Hash {
    Hash::new([number; 32])
}

fn relay(seed: u64) -> kith_core::identity::RelayId {
    RelayKey::generate(&mut Rng::seed_from_u64(seed)).relay_id()
}

async fn bucket_of(service: &S3, patience: Patience) -> Bucket {
    let (config, place) = service.config();
    Bucket::open(&config, &place, relay(1), patience).await.unwrap()
}

fn in_memory() -> Bucket {
    Bucket::new(Arc::new(InMemory::new()), "kith/relay", Patience::default()).unwrap()
}

/// What is asked of everything that keeps attachments.
async fn keeps_its_promises(keep: &dyn Keep) {
    let (one, other) = (hash(1), hash(2));
    for part in [Part::List, Part::Chunk(0)] {
        assert!(matches!(keep.get(one, part).await, Err(KeepError::NotFound)));
    }
    assert_eq!((keep.chunks(one).await.unwrap(), keep.names().await.unwrap()), (vec![], vec![]));
    keep.remove(one).await.unwrap();

    let large: Vec<u8> = (0..CHUNK + SEAL).map(|at| (at % 251) as u8).collect();
    keep.put(one, Part::List, vec![1; 32]).await.unwrap();
    for index in [7, 0, 11, 2, 0] {
        keep.put(one, Part::Chunk(index), large.clone()).await.unwrap();
    }
    keep.put(other, Part::List, vec![2; 64]).await.unwrap();
    // Whoever asks twice at the same time gets what was put once.
    let twice = futures::future::join_all((0..8).map(|_| keep.put(other, Part::Chunk(5), vec![3; 999]))).await;
    assert!(twice.iter().all(Result::is_ok));
    assert!(keep.get(one, Part::Chunk(11)).await.unwrap() == large, "other bytes");
    assert_eq!(keep.get(one, Part::List).await.unwrap(), vec![1; 32]);
    assert_eq!(keep.get(other, Part::Chunk(5)).await.unwrap(), vec![3; 999]);
    assert!(matches!(keep.get(one, Part::Chunk(1)).await, Err(KeepError::NotFound)));
    let mut chunks = keep.chunks(one).await.unwrap();
    chunks.sort_unstable();
    assert_eq!((chunks, keep.chunks(other).await.unwrap()), (vec![0, 2, 7, 11], vec![5]));

    for number in 3..10 {
        keep.put(hash(number), Part::Chunk(0), vec![number]).await.unwrap();
    }
    let mut names = keep.names().await.unwrap();
    names.sort();
    assert_eq!(names, (1..10).map(hash).collect::<Vec<_>>());
    for _ in 0..2 {
        keep.remove(one).await.unwrap();
    }
    assert!(matches!(keep.get(one, Part::List).await, Err(KeepError::NotFound)));
    assert_eq!((keep.chunks(one).await.unwrap(), keep.names().await.unwrap().len()), (vec![], 8));
    assert_eq!(keep.get(other, Part::List).await.unwrap(), vec![2; 64]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_a_bucket_keep_the_same_promises() {
    let dir = tempfile::tempdir().unwrap();
    keeps_its_promises(&Folder::open(dir.path()).unwrap()).await;
    keeps_its_promises(&in_memory()).await;
    keeps_its_promises(&Bucket::new(Arc::new(InMemory::new()), "", Patience::default()).unwrap()).await;
    let service = S3::start().await;
    keeps_its_promises(&bucket_of(&service, Patience::default()).await).await;
    assert!(service.keys().iter().all(|key| key.starts_with("kith/relay/")), "{:?}", service.keys());
    assert!(service.asked().iter().any(|asked| asked.contains("continuation-token")), "no list had a second page");
    let service = S3::start().await;
    let (config, place) = service.config_of_google();
    keeps_its_promises(&Bucket::open(&config, &place, relay(1), Patience::default()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_reached_over_tls_if_somebody_trusted_vouches_for_it() {
    let service = S3::start_with_tls().await;
    let (config, place) = service.config();
    let open = async |config: &BlobStore| Bucket::open(config, &place, relay(1), Patience::default()).await;
    let error = open(&config).await.map(drop).unwrap_err();
    assert!(error.contains("certificate"), "{error}");
    assert!(service.asked().is_empty(), "it was spoken to all the same");
    let trusting = BlobStore { certificates: Some(service.certificates()), ..config };
    keeps_its_promises(&open(&trusting).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_once_is_tried_again_and_what_goes_on_is_said_in_time() {
    let service = S3::start().await;
    let keep = bucket_of(&service, impatient()).await;
    let (name, part) = (hash(7), Part::Chunk(3));
    service.fail([Fault::Busy, Fault::Busy]);
    keep.put(name, part, vec![1; 500]).await.unwrap();
    service.fail([Fault::Silent]);
    keep.put(name, Part::Chunk(4), vec![2; 500]).await.unwrap();
    service.fail([Fault::Silent, Fault::Busy]);
    assert_eq!(keep.get(name, part).await.unwrap(), vec![1; 500]);
    service.fail([Fault::Busy]);
    assert_eq!(keep.chunks(name).await.unwrap(), vec![3, 4]);

    let patience = impatient();
    for fault in [Fault::Busy, Fault::Silent, Fault::Endless] {
        service.fail([fault; 20]);
        let begun = Instant::now();
        let failed = keep.get(name, part).await;
        assert!(begun.elapsed() < patience.part + Duration::from_secs(1), "{fault:?} took {:?}", begun.elapsed());
        let Err(KeepError::Io(said)) = failed else { panic!("{fault:?}: {failed:?}") };
        assert!(!said.contains(&name.to_string()), "the name of an attachment is in {said}");
        service.recover();
    }
    assert_eq!(keep.get(name, part).await.unwrap(), vec![1; 500]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_lies_in_a_bucket_is_neither_read_nor_taken_away() {
    let store = Arc::new(InMemory::new());
    let keep = Bucket::new(Arc::clone(&store) as _, "kith/relay", Patience::default()).unwrap();
    let name = hash(1);
    keep.put(name, Part::Chunk(0), vec![1]).await.unwrap();
    let strange = [
        "kith/relay/readme.txt".to_owned(),
        "kith/relay/other/0".to_owned(),
        "kith/relay-2/file".to_owned(),
        format!("kith/{name}/0"),
        format!("kith/relay/{name}x/0"),
    ];
    for key in &strange {
        store.put(&Key::from(key.as_str()), vec![0].into()).await.unwrap();
    }
    store.put(&Key::from(format!("kith/relay/{name}/no number")), vec![0].into()).await.unwrap();
    store.put(&Key::from(format!("kith/relay/{name}/9")), vec![0; CHUNK + SEAL + 1].into()).await.unwrap();
    assert_eq!((keep.chunks(name).await.unwrap(), keep.names().await.unwrap()), (vec![0, 9], vec![name]));
    assert!(matches!(keep.get(name, Part::Chunk(9)).await, Err(KeepError::Io(_))), "more than a chunk was read");
    keep.remove(name).await.unwrap();
    for key in &strange {
        assert!(store.get(&Key::from(key.as_str())).await.is_ok(), "{key}");
    }
}

fn opening(number: u8, chunk: &[u8]) -> Open {
    Open {
        name: hash(number),
        capability: capability_hash(&Token::new([5; 32])),
        sealed_bytes: chunk.len() as u64,
        list: chunk_hash(chunk).as_bytes().to_vec(),
        readers: vec![hash(1)],
    }
}

fn count(store: &InMemory) -> impl Future<Output = usize> {
    use futures::StreamExt;
    store.list(None).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn room_time_and_sweeping_are_the_same_in_a_bucket() {
    let room = tempfile::tempdir().unwrap();
    let mut config = config(room.path());
    config.settings.limits.blobs = BlobLimits { bytes: 10_000, account_bytes: 5_000, all_bytes: 50_000, keep_s: 3 };
    let server = Server::bind(config).await.unwrap();
    let store = Arc::new(InMemory::new());
    let keep = Bucket::new(Arc::clone(&store) as _, "kith/relay", Patience::default()).unwrap();
    let blobs = Blobs::new(Arc::new(keep.clone()), server.handle());
    let owner = person(&server.handle(), &mut Rng::seed_from_u64(3), "alice", 1).await.caller(0);
    let ask = async |request| blobs.answer(owner, request).await;
    let chunk = vec![7; 4096 + 16];
    let put = |number| Ask::Put { name: hash(number), index: 0, chunk: chunk.clone() };

    // Room is the account's.
    assert!(ask(Ask::Open(opening(6, &chunk))).await == Response::Opened { held: vec![] });
    assert!(ask(put(6)).await == Response::Done);
    assert!(ask(Ask::Open(opening(7, &chunk))).await == Response::Refused(Refusal::Quota { limit: 5_000 }));
    assert!(ask(put(7)).await == Response::Refused(Refusal::NotFound));
    assert_eq!(count(&store).await, 2);

    // What no row names is swept away, and nothing else.
    keep.put(hash(9), Part::Chunk(0), vec![1]).await.unwrap();
    blobs.sweep_once().await.unwrap();
    assert_eq!((keep.names().await.unwrap(), count(&store).await), (vec![hash(6)], 2));

    // It goes when its reader has it, and its room comes back.
    let claim = Claim { name: hash(6), capability: Token::new([5; 32]) };
    assert!(ask(Ask::Get { claim, index: 0 }).await == Response::Chunk { chunk: chunk.clone() });
    assert!(ask(Ask::Got { claim, reader: hash(1) }).await == Response::Done);
    assert_eq!(count(&store).await, 0);
    assert!(ask(Ask::Open(opening(7, &chunk))).await == Response::Opened { held: vec![] });
    assert!(ask(put(7)).await == Response::Done);

    // Or when its time is up.
    let swept = async {
        while count(&store).await > 0 {
            blobs.sweep_once().await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), swept).await.expect("its time is up");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_brought_anew_while_the_old_goes_is_kept() {
    let room = tempfile::tempdir().unwrap();
    let server = Server::bind(config(room.path())).await.unwrap();
    let wait_list_per_call = Duration::from_millis(400);
    let slow = ThrottledStore::new(InMemory::new(), ThrottleConfig { wait_list_per_call, ..ThrottleConfig::default() });
    let keep = Bucket::new(Arc::new(slow), "kith/relay", Patience::default()).unwrap();
    let blobs = Blobs::new(Arc::new(keep.clone()), server.handle());
    let owner: Caller = person(&server.handle(), &mut Rng::seed_from_u64(3), "alice", 1).await.caller(0);
    let (chunk, name) = (vec![7; 4096 + 16], hash(6));
    let bring = async || {
        let opened = blobs.answer(owner, Ask::Open(opening(6, &chunk))).await;
        assert!(matches!(opened, Response::Opened { .. }));
        let put = Ask::Put { name, index: 0, chunk: chunk.clone() };
        assert!(blobs.answer(owner, put).await == Response::Done);
    };
    bring().await;
    let going = blobs.answer(owner, Ask::Drop { name });
    let coming = async {
        tokio::time::sleep(wait_list_per_call / 4).await;
        bring().await;
    };
    let (gone, ()) = futures::future::join(going, coming).await;
    assert!(gone == Response::Done);
    assert_eq!(keep.get(name, Part::Chunk(0)).await.unwrap(), chunk, "acknowledged, and taken away");
    assert_eq!(keep.get(name, Part::List).await.unwrap().len(), 32);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_belongs_to_one_relay() {
    let service = S3::start().await;
    let (config, place) = service.config();
    let open = async |relay| Bucket::open(&config, &place, relay, Patience::default()).await.map(drop);
    open(relay(1)).await.unwrap();
    open(relay(1)).await.expect("it comes back");
    let error = open(relay(2)).await.unwrap_err();
    assert!(error.contains("another relay") && error.contains("kith/relay/kith-relay"), "{error}");
    assert_eq!(service.keys(), ["kith/relay/kith-relay"]);
}

/// What a relay's process says when it does not start.
async fn refused(dir: &std::path::Path, variables: &[(String, String)]) -> String {
    let running = Command::new(env!("CARGO_BIN_EXE_kith-relay"))
        .env("KITH_RELAY_DATA_DIR", dir)
        .env("KITH_RELAY_HTTP_LISTEN", "127.0.0.1:0")
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), running).await.expect("it ends").unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said.lines().filter(|line| line.starts_with("kith-relay: ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_bucket_cannot_be_used_does_not_start_and_says_why() {
    let service = S3::start().await;
    let room = tempfile::tempdir().unwrap();
    let secret = room.path().join("secret");
    write_wrong_secret(&secret);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let secret = secret.display().to_string();
    let cases: [(&str, &str, &[&str]); 6] = [
        ("PLACE", "s3://key:secret@attachments/x", &["blobs.place", "settings of their own"]),
        ("PLACE", "s3://elsewhere/x", &["s3://elsewhere/x", "NoSuchBucket"]),
        ("SECRET_FILE", &secret, &[&place(), "SignatureDoesNotMatch"]),
        ("SECRET_FILE", "/nowhere/secret", &["/nowhere/secret", "No such file"]),
        ("ALLOW_HTTP", "false", &["blobs.endpoint", "blobs.allow_http"]),
        ("ENDPOINT", &format!("http://{nobody}"), &["refused"]),
    ];
    for (name, value, words) in cases {
        let mut variables = service.variables();
        variables.push((format!("KITH_RELAY_BLOBS_{name}"), value.into()));
        let said = refused(room.path(), &variables).await;
        assert!(words.iter().all(|word| said.contains(word)), "{name} = {value}: {said}");
    }
    // The same in one sentence of the library, and no row was lost by it.
    let mut config = config(room.path());
    (config.blobs, _) = service.config();
    config.blobs.account = "somebody".into();
    let error = Server::bind(config).await.map(drop).unwrap_err();
    assert!(matches!(&error, ServerError::Blobs(said) if said.contains("InvalidAccessKeyId")), "{error}");
}

fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_waits_for_its_bucket_stops_in_time() {
    let service = S3::start().await;
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let variables = service.variables();
    let relay = Process::start(&room.join("relay"), &borrowed(&variables)).await;
    let mut alice = Person::register(&room.join("alice"), "alice", relay.said()).await;
    let mut bob = Person::register(&room.join("bob"), "bob", relay.said()).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    bob.client.shutdown().await;
    service.set_down(Some(Fault::Silent));
    let before = service.asked().len();
    let (path, _) = write(room, "report.pdf", CHUNK);
    alice.send_file("bob", &path).await;
    while service.asked().len() == before {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    relay.terminate().await;
    alice.client.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_away_fetches_a_file_from_the_bucket_of_a_relay() {
    let service = S3::start().await;
    let room = tempfile::tempdir().unwrap();
    let room = room.path();
    let variables = service.variables();
    let variables = borrowed(&variables);
    let relay = Process::start(&room.join("relay"), &variables).await;
    let mut alice = Person::register(&room.join("alice"), "alice", relay.said()).await;
    let mut bob = Person::register(&room.join("bob"), "bob", relay.said()).await;
    become_contacts(&mut alice, &mut bob, ["alice", "bob"]).await;
    bob.client.shutdown().await;

    // While the service is busy messages go on and the relay is ready; the file waits.
    service.set_down(Some(Fault::Busy));
    let (path, content) = write(room, "report.pdf", 2 * CHUNK + 1);
    alice.send_file("bob", &path).await;
    alice.ask(Request::Send { to: "bob".into(), text: "see the report".into(), reply_to: None }).await.unwrap();
    while relay.put_off("blob_open").await == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((relay.page("/ready").await.0, service.chunks()), (200, 0));
    service.set_down(None);
    alice.transfer("bob", "the upload", |transfer| transfer.state == "uploaded").await;
    assert_eq!(service.chunks(), 3);
    let keys = service.keys();
    alice.client.shutdown().await;

    // The relay comes back from a kill, and everything is where it was.
    let listen = relay.said().split("/p2p/").next().unwrap().to_owned();
    let mut log = relay.kill().await;
    assert!(log.contains("SlowDown"), "{log}");
    let there = [variables.as_slice(), &[("KITH_RELAY_LISTEN", &listen)]].concat();
    let relay = Process::start(&room.join("relay"), &there).await;
    let mut bob = Person::back(&room.join("bob")).await;
    bob.has("alice", &content, &room.join("report")).await;
    let texts = history(&bob.client, "alice").await.unwrap();
    assert!(texts.iter().any(|message| message.text.as_deref() == Some("see the report")));
    while service.chunks() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bob.client.shutdown().await;
    assert!(!room.join("relay/blobs").exists(), "a folder was made in vain");
    log.push_str(&relay.terminate().await);
    let names = keys.iter().filter_map(|key| key.split('/').nth(2)).filter(|name| name.parse::<Hash>().is_ok());
    for secret in names.chain(["a/secret+of"]) {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
    assert_eq!(service.keys(), ["kith/relay/kith-relay"]);
}
