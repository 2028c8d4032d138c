//! What is done with bytes from outside, one function a decoder: the fuzzer's targets call them, and the test that replays the
//! corpora calls the same ones.
//!
//! A target says whether the bytes were taken. It fails by a panic: the decoder's own, or because a rule was broken.

use std::fs;
use std::sync::OnceLock;

use kith_core::identity::opaque::{Binding, ClientRegistration, ServerSetup};
use kith_core::identity::{
    AccountRecord, DeviceCertificate, DeviceKeys, Handle, PublicKey, RecordBody, RelayKey, RootKey, Seed, Stretching,
};
use kith_core::types::{DeviceId, Rng, Timestamp, Token};
use kith_core::wire::codec::Body as _;
use kith_core::wire::relay::{Purpose, Push, Request, Response, token_hash};
use kith_relay::backup;
use kith_relay::config::{Config, SETTINGS};
use kith_relay::control::{Answer, Control};
use kith_relay::domain::{Caller, Keys, MemoryRows, Relay, Settings};
use kith_relay::keys::Secrets;
use rand_core::SeedableRng as _;
use ring::digest::{SHA256, digest};

/// A decoder under test.
pub struct Target {
    /// Its name: that of its program and of its corpus.
    pub name: &'static str,
    /// Feeds it; whether the bytes were taken.
    pub run: fn(&[u8]) -> bool,
}

/// All decoders.
pub const TARGETS: &[Target] = &[
    Target { name: "backup", run: restore },
    Target { name: "config", run: config },
    Target { name: "control", run: control },
    Target { name: "domain", run: domain },
    Target { name: "keys", run: keys },
];

/// Feeds one decoder, by its name.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    let target = TARGETS.iter().find(|target| target.name == name).expect("there is no such target");
    (target.run)(bytes)
}

/// A backup without its sum, which is made right: a relay is restored from it, or none.
fn restore(bytes: &[u8]) -> bool {
    let dir = tempfile::tempdir().expect("a directory");
    let (file, data) = (dir.path().join("copy"), dir.path().join("data"));
    fs::write(&file, [bytes, digest(&SHA256, bytes).as_ref()].concat()).expect("a file");
    let config = Config::embedded(data.clone());
    let restored = backup::restore(&config, &file, false, &mut Rng::seed_from_u64(11)).is_ok();
    assert_eq!(data.join(kith_relay::keys::FILE).exists(), restored, "there is half a relay");
    restored
}

/// A configuration file; after a zero byte, lines that stand for the environment: a setting's dotted name, `=`, its value.
fn config(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (file, environment) = text.split_once('\0').unwrap_or((text, ""));
    let variables = environment.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let name = setting.map_or_else(|| format!("KITH_RELAY_{name}"), |setting| setting.variable());
        (name, value.to_owned())
    });
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("relay.toml");
    fs::write(&path, file).expect("a file");
    let Ok(config) = Config::load(Some(&path), variables) else { return false };
    for setting in SETTINGS {
        let shown = (setting.show)(&config);
        let mut again = config.clone();
        let set = (setting.set)(&mut again, &shown);
        // An empty list of networks under `list` and an empty directory are shown as nothing, which cannot be set.
        assert!(set.is_err() || (setting.show)(&again) == shown, "{} does not show what it was set to", setting.name);
    }
    true
}

/// A line of the operator's socket.
fn control(bytes: &[u8]) -> bool {
    let (question, answer) = (serde_json::from_slice::<Control>(bytes), serde_json::from_slice::<Answer>(bytes));
    if let Ok(question) = &question {
        let line = serde_json::to_string(question).expect("what was read is written");
        assert_eq!(serde_json::from_str(&line).ok().as_ref(), Some(question), "another question came back");
    }
    question.is_ok() || answer.is_ok()
}

fn keys(bytes: &[u8]) -> bool {
    let Some(secrets) = Secrets::decode(bytes) else { return false };
    let again = Secrets::decode(&secrets.encode()).expect("keys that were read are read again");
    assert_eq!(again.encode(), secrets.encode(), "other keys came back");
    true
}

/// The keys of the relay here.
pub fn relay_keys() -> Keys {
    let mut rng = Rng::seed_from_u64(7);
    let identity = RelayKey::generate(&mut rng);
    let opaque = ServerSetup::generate(&mut rng, identity.relay_id());
    Keys { identity, opaque, challenge: Seed::random(&mut rng) }
}

/// A person with one device.
pub struct Person {
    /// Whose handle it is.
    pub handle: &'static str,
    /// The account's record.
    pub record: AccountRecord,
    /// The device.
    pub device: DeviceId,
    /// What others may deposit by.
    pub token: Token,
    peer: [u8; 32],
}

/// What time it is.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A relay at which two people have signed up.
pub struct World {
    rows: MemoryRows,
    /// Alice and Bob.
    pub people: [Person; 2],
}

/// The same at every start.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(build)
}

fn build() -> World {
    let mut rng = Rng::seed_from_u64(8);
    let people = [person("alice", &mut rng), person("bobby", &mut rng)];
    let mut relay = Relay::new(Settings::default(), relay_keys());
    let mut rows = MemoryRows::default();
    for person in &people {
        let tokens = vec![(Purpose::Delivery, token_hash(&person.token))];
        for request in [sign_up(person), Request::IssueTokens { tokens }] {
            let caller = Caller { peer: person.peer, address: None };
            let outcome = relay.handle(NOW, &mut rng, caller, &rows, request);
            assert_eq!(outcome.response, Response::Done);
            rows.apply(outcome.batch);
        }
    }
    World { rows, people }
}

fn person(handle: &'static str, rng: &mut Rng) -> Person {
    let (root, keys) = (RootKey::generate(rng), DeviceKeys::generate(rng));
    let content = RecordBody {
        version: 1,
        predecessor: None,
        devices: vec![DeviceCertificate::issue(&root, &keys, Timestamp(1)).expect("a certificate")],
        relays: Vec::new(),
        prekeys: Vec::new(),
        features: Vec::new(),
        created: Timestamp(1),
    };
    let record = AccountRecord::sign(&root, content).expect("a record");
    let (device, peer) = (keys.device_id(), *keys.transport.public().as_bytes());
    Person { handle, record, device, token: Token::random(rng), peer }
}

/// How a person signs up.
pub fn sign_up(person: &Person) -> Request {
    Request::RegisterFinish {
        handle: person.handle.into(),
        message: upload(),
        stretching: Stretching::RECOMMENDED,
        vault: b"vault".to_vec(),
        recovery: PublicKey::new([1; 32]),
        record: person.record.encode(),
        invitation: None,
    }
}

/// What a registration uploads; stretching takes its time, so that one stands for all.
fn upload() -> Vec<u8> {
    static UPLOAD: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let mut rng = Rng::seed_from_u64(9);
        let binding =
            Binding { relay: relay_keys().identity.relay_id(), handle: Handle::parse("alice").expect("a handle") };
        let (client, request) = ClientRegistration::start(&mut rng, "secret").expect("a sign-up begins");
        let answer = relay_keys().opaque.registration(&binding.handle, &request).expect("it is answered");
        client.finish(&mut rng, &binding, &answer).expect("it ends").upload
    };
    UPLOAD.get_or_init(make).clone()
}

/// One step of [`domain`]'s input.
pub fn step(caller: u8, request: &[u8]) -> Vec<u8> {
    let length = u16::try_from(request.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[caller], length.as_slice(), request].concat()
}

/// Requests one after the other: who asks (0 and 1 are signed in, 255 lets an hour pass), length (u16), request.
fn domain(mut bytes: &[u8]) -> bool {
    let world = world();
    let mut relay = Relay::new(Settings::default(), relay_keys());
    let (mut rows, mut rng, mut now) = (world.rows.clone(), Rng::seed_from_u64(10), NOW);
    let mut taken = false;
    while let Some((&[who, high, low], rest)) = bytes.split_first_chunk::<3>() {
        let (request, rest) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
        bytes = rest;
        if who == 255 {
            now = now.plus_ms(3_600_000);
            rows.apply(relay.expire(now, &rows, 64).0);
            continue;
        }
        let Ok(request) = Request::decode(request) else { continue };
        let peer = world.people.get(usize::from(who)).map_or([who; 32], |person| person.peer);
        let address = (who > 1).then(|| [10, 0, 0, who].into());
        let outcome = relay.handle(now, &mut rng, Caller { peer, address }, &rows, request);
        let refused = matches!(outcome.response, Response::Refused(_));
        assert!(!refused || (outcome.batch.is_empty() && outcome.pushes.is_empty()), "a refused request changes rows");
        assert_eq!(Response::decode(&outcome.response.encode()).as_ref(), Ok(&outcome.response), "no device reads it");
        for delivery in outcome.pushes {
            assert!(Push::decode(&Push::from(delivery.what).encode()).is_ok(), "no device reads the push");
        }
        rows.apply(outcome.batch);
        taken |= !refused;
    }
    taken
}
