//! A few valid inputs for each target, from which its corpus was begun.

use kith_core::identity::{PublicKey, Signature, Stretching};
use kith_core::types::{EnvelopeId, GroupId, Hash, Rng, Token};
use kith_core::wire::codec::Body as _;
use kith_core::wire::envelope::{Class, Envelope, Urgency};
use kith_core::wire::event::LogHead;
use kith_core::wire::log;
use kith_core::wire::relay::{Cursor, Destination, Mailbox, Purpose, Request};
use kith_relay::backup;
use kith_relay::control::{Answer, Control};
use kith_relay::keys::Secrets;
use kith_relay::store::Store;
use rand_core::SeedableRng as _;
use tokio_util::sync::CancellationToken;

use super::targets::{sign_up, step, world};

/// All of them, with their target's name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let file = "name = \"relay\"\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\n[limits]\nmailbox_bytes = \"2 MiB\"\n";
    let list =
        "[federation]\nmode = \"list\"\nnetworks = [\"10.0.0.0/8\"]\n\0registration=invite\nlimits.work_bits=9\n";
    let line = |question: &Control| serde_json::to_vec(question).expect("plain data is written");
    let copied = serde_json::to_vec(&Answer::Copied { rows: 1, bytes: 2 }).expect("plain data is written");
    vec![
        ("backup", copy()),
        ("config", file.into()),
        ("config", list.into()),
        ("control", line(&Control::UserRemove { handle: "alice".into() })),
        ("control", line(&Control::Backup { to: "copy".into() })),
        ("control", copied),
        ("domain", mailboxes()),
        ("domain", accounts()),
        ("domain", homes()),
        ("keys", Secrets::generate(&mut Rng::seed_from_u64(1)).encode().to_vec()),
    ]
}

/// A relay without accounts, copied: the sum, which is made by whoever reads it, is left out.
fn copy() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a directory");
    let (store, _) = Store::open(&dir.path().join("store")).expect("a store");
    let keys = Secrets::generate(&mut Rng::seed_from_u64(1)).encode();
    let file = dir.path().join("copy");
    backup::write(&store, &keys, &file, &CancellationToken::new()).expect("it is copied");
    let mut bytes = std::fs::read(file).expect("it is there");
    bytes.truncate(bytes.len() - 32);
    bytes
}

fn story(steps: &[(u8, Request)]) -> Vec<u8> {
    steps.iter().flat_map(|(caller, request)| step(*caller, &request.encode())).collect()
}

fn mailboxes() -> Vec<u8> {
    let mailboxes: Vec<Mailbox> =
        world().people.iter().map(|person| Mailbox { device: person.device, token: person.token }).collect();
    let envelope = |class, number| {
        Envelope { id: EnvelopeId::new([number; 16]), class, urgency: Urgency::Normal, packet: vec![7; 40] }.encode()
    };
    let to = Destination::Mailboxes(mailboxes.clone());
    let list = Destination::List(kith_core::wire::relay::list_hash(&mailboxes));
    let story = story(&[
        (1, Request::Fetch { from: None }),
        (2, Request::Deposit { to: to.clone(), envelope: envelope(Class::Durable, 1) }),
        (2, Request::Deposit { to: to.clone(), envelope: envelope(Class::Durable, 1) }),
        (3, Request::Deposit { to, envelope: envelope(Class::LiveOnly, 2) }),
        (2, Request::DefineList { mailboxes }),
        (2, Request::Deposit { to: list, envelope: envelope(Class::Ephemeral { ttl_s: 60 }, 3) }),
        (0, Request::Fetch { from: Some(Cursor { queue: kith_core::types::Incarnation::new([1; 8]), next: 0 }) }),
        (0, Request::Fetch { from: None }),
    ]);
    [story, step(255, &[])].concat()
}

fn accounts() -> Vec<u8> {
    let [alice, bob] = &world().people;
    let (packages, name) = (vec![vec![1; 9].into()], Hash::new([3; 32]));
    story(&[
        (9, Request::Hello),
        (0, sign_up(alice)),
        (9, Request::Lookup { handle: bob.handle.into() }),
        (9, Request::GetRecord { account: bob.record.account_id() }),
        (9, Request::PutRecord { record: bob.record.encode() }),
        (0, Request::PutKeyPackages { packages, last_resort: Some(vec![2; 9].into()) }),
        (0, Request::CountKeyPackages),
        (9, Request::TakeKeyPackages { account: alice.record.account_id(), token: alice.token }),
        (0, Request::IssueTokens { tokens: vec![(Purpose::KeyPackages, name)] }),
        (0, Request::RevokeTokens { tokens: vec![name] }),
        (0, Request::PutAddress { name, sealed: vec![1; 1024], ttl_s: 60 }),
        (1, Request::GetAddress { name }),
        (9, Request::RequestChallenge { account: bob.record.account_id() }),
        (9, Request::LoginStart { handle: "nobody".into(), message: vec![1; 9] }),
        (9, Request::LoginFinish { login: Token::new([1; 32]), message: vec![1; 9] }),
        (9, Request::RecoverStart { handle: bob.handle.into() }),
        (9, Request::RecoverFinish { challenge: Token::new([1; 32]), proof: Signature::new([1; 64]) }),
        (
            9,
            Request::ChangePassword {
                expected: 1,
                message: vec![1; 9],
                stretching: Stretching::RECOMMENDED,
                vault: vec![1; 9],
                recovery: Some(PublicKey::new([1; 32])),
                record: Some(alice.record.encode().into()),
            },
        ),
    ])
}

fn homes() -> Vec<u8> {
    let (group, key) = (GroupId::new([9; 32]), Hash::new([1; 32]));
    let write_key_hash = log::write_key_hash(&key);
    let head = LogHead { next: 0, hash: Hash::new([0; 32]) };
    let append = log::Request::Append {
        group,
        head,
        write_key: key,
        next_write_key_hash: write_key_hash,
        blob: b"commit".to_vec(),
    };
    story(&[
        (0, Request::Home(log::Request::Create { group, write_key_hash })),
        (0, Request::Home(append.clone())),
        (1, Request::Home(append)),
        (1, Request::Home(log::Request::Read { group, from: 0, limit: 9 })),
    ])
}
