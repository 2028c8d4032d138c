//! Those of the targets that need a whole client.

use std::io::Write as _;

use kith_core::blob::Sealing;
use kith_core::chat::policy::{History, Home, Kind, Policy, Role, Seat};
use kith_core::types::ConversationId;
use kith_core::wire::codec::Body as _;
use kith_core::wire::message::Past;

use super::super::targets::client as targets;
use super::{account, addresses, bytes, hash, head, relay_address};

/// All of them, with their target's name.
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let seat = Seat { account: account(1), version: 1, hash: hash(1), role: Role::Admin, since: 0 };
    let policy = Policy {
        conversation: ConversationId::new([1; 32]),
        kind: Kind::Group,
        generation: 1,
        predecessor: Some(hash(2)),
        log: head(),
        home: Home::Relay(relay_address()),
        rules: 1,
        name: "Friends".into(),
        seats: vec![seat, Seat { account: account(2), role: Role::Member, ..seat }],
        past: Past::default().hash(),
        retention_s: Some(60),
        history: History::All,
        document: None,
        suite: 1,
    };
    let models = include_bytes!("../../../assets/models/manifest.toml").to_vec();
    let relay = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    let relays = format!("{relay},{}", relay.replace("tcp/4001", "udp/4001/quic-v1"));
    vec![
        ("address_record", addresses().encode()),
        ("attachment", sealed_file(b"")),
        ("attachment", sealed_file(&[7; 300])),
        ("frame", [[0, 0, 0, 3].as_slice(), b"one", &[0, 0, 0, 0], &[0, 0, 0, 3], b"two"].concat()),
        ("frame", [255; 9].to_vec()),
        ("model", model()),
        ("models", models),
        ("policy", policy.encode()),
        ("relay_address", bytes(relay)),
        ("relay_address", bytes(&relays)),
    ]
}

/// The size of a file, and the file sealed.
fn sealed_file(file: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let mut sealing = Sealing::new(&targets::FILE_KEY, |chunk: Vec<u8>| {
        sealed.extend_from_slice(&chunk);
        Ok(chunk)
    })
    .expect("it begins");
    sealing.write_all(file).expect("it is sealed");
    let size = sealing.finish().expect("it is whole");
    [size.to_be_bytes().as_slice(), &sealed].concat()
}

/// The least model: one layer to hear and one to write, tensors of one number, no filters.
fn model() -> Vec<u8> {
    let numbers = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let head = numbers(&[0x6767_6d6c, 51_864, 1_500, 1, 1, 1, 448, 1, 1, 1, 80, 0, 80, 201]);
    assert_eq!(head.len(), targets::MODEL_HEAD);
    let tensor = [numbers(&[1, 1, 0, 1]).as_slice(), b"t", &[0; 4]].concat();
    [head, numbers(&[1, 1]), b"w".to_vec(), tensor.repeat(11 + 15 + 24)].concat()
}
