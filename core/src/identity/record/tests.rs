use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use rand_core::SeedableRng;

use super::*;
use crate::identity::DeviceKeys;
use crate::types::Rng;

fn relay() -> RelayAddress {
    RelayAddress {
        relay: RelayId::new(PublicKey::new([9; 32])),
        addresses: vec!["/ip4/127.0.0.1/udp/4001/quic-v1".to_owned()],
    }
}

fn content(seed: u64, devices: usize) -> (RootKey, RecordBody) {
    let mut rng = Rng::seed_from_u64(seed);
    let root = RootKey::generate(&mut rng);
    let devices = (0..devices)
        .map(|_| DeviceCertificate::issue(&root, &DeviceKeys::generate(&mut rng), Timestamp(7)).unwrap())
        .collect();
    let body = RecordBody {
        version: 1,
        predecessor: None,
        devices,
        relays: vec![relay()],
        prekeys: vec![Prekey { suite: 0x0003, id: 1, key: vec![5; 32] }],
        features: vec!["text".to_owned()],
        created: Timestamp(1_700_000_000_000),
    };
    (root, body)
}

fn record(seed: u64) -> AccountRecord {
    let (root, body) = content(seed, 2);
    AccountRecord::sign(&root, body).unwrap()
}

fn refused(change: impl FnOnce(&mut RecordBody)) -> bool {
    let (root, mut body) = content(1, 2);
    change(&mut body);
    AccountRecord::sign(&root, body).is_err()
}

#[test]
fn a_record_survives_its_bytes() {
    let record = record(1);
    let read = AccountRecord::decode_verified(&record.encode()).unwrap();
    assert_eq!(read, record);
    assert_eq!(read.head(), RecordHead { version: 1, hash: record.hash() });
    let device = &read.devices()[1];
    assert_eq!(read.device(device.device_id()), Some(device));
    assert_eq!(read.account_id(), device.account_id());
}

#[test]
fn the_first_format_is_still_read_and_written() {
    let bytes = include_bytes!("../fixtures/record-1.bin");
    assert_eq!(AccountRecord::decode_verified(bytes), Ok(record(1)));
    assert_eq!(record(1).encode(), bytes);
}

#[test]
fn a_successor_names_its_predecessor() {
    let first = record(1);
    let (root, _) = content(1, 0);
    let second = AccountRecord::sign(&root, first.successor(Timestamp(8))).unwrap();
    assert_eq!((second.version(), second.content().predecessor), (2, Some(first.hash())));
}

#[test]
fn the_largest_record_fits_and_one_more_of_anything_does_not() {
    let (root, mut body) = content(1, MAX_DEVICES);
    body.relays = vec![relay(); MAX_RELAYS];
    body.prekeys = vec![Prekey { suite: 0x004d, id: 1, key: vec![5; 1216] }; MAX_PREKEYS];
    let largest = AccountRecord::sign(&root, body.clone()).unwrap();
    assert!(largest.encode().len() <= AccountRecord::MAX_BYTES);
    let (_, one_more) = content(1, MAX_DEVICES + 1);
    assert!(AccountRecord::sign(&root, one_more).is_err());
    assert!(refused(|body| body.devices.clear()));
    assert!(refused(|body| body.relays = vec![relay(); MAX_RELAYS + 1]));
    assert!(refused(|body| body.relays[0].addresses = vec!["/a".to_owned(); MAX_ADDRESSES + 1]));
    assert!(refused(|body| body.relays[0].addresses = vec!["a".repeat(MAX_ADDRESS_BYTES + 1)]));
    assert!(refused(|body| body.prekeys = vec![body.prekeys[0].clone(); MAX_PREKEYS + 1]));
    assert!(refused(|body| body.prekeys[0].key = vec![0; MAX_PREKEY_BYTES + 1]));
    assert!(refused(|body| body.features = vec!["x".to_owned(); MAX_FEATURES + 1]));
    assert!(refused(|body| body.features = vec!["x".repeat(MAX_FEATURE_BYTES + 1)]));
}

#[test]
fn versions_begin_with_one_and_name_their_predecessor() {
    assert!(refused(|body| body.version = 0));
    assert!(refused(|body| body.version = 2));
    assert!(refused(|body| body.predecessor = Some(Hash::new([1; 32]))));
}

#[test]
fn a_device_of_another_account_or_twice_the_same_is_refused() {
    assert!(refused(|body| body.devices = content(2, 1).1.devices));
    assert!(refused(|body| body.devices[1] = body.devices[0].clone()));
}

#[test]
fn another_accounts_signature_is_refused() {
    let (one, other) = (record(1), record(2));
    let envelope = Envelope { signature: other.envelope.signature, ..one.envelope };
    let refused = AccountRecord::decode_verified(&envelope.encode());
    assert_eq!(refused, Err(FormatError::BadSignature { what: Context::Record.label() }));
}

#[test]
fn a_record_with_unknown_fields_is_read_and_passed_on_as_it_came() {
    #[derive(Serialize)]
    struct Newer {
        a: PublicKey,
        v: u64,
        d: Vec<serde_bytes::ByteBuf>,
        r: Vec<RelayAddress>,
        k: Vec<Prekey>,
        x: Vec<String>,
        c: Timestamp,
        zz: &'static str,
    }
    let (root, body) = content(1, 1);
    let newer = Newer {
        a: root.public(),
        v: 1,
        d: body.devices.iter().map(|device| device.encode().into()).collect(),
        r: Vec::new(),
        k: Vec::new(),
        x: Vec::new(),
        c: body.created,
        zz: "from a later version",
    };
    let mut bytes = vec![1];
    serde_ipld_dagcbor::to_writer(&mut bytes, &newer).unwrap();
    let signature = root.sign(Context::Record, &bytes);
    let sent = Envelope { body: bytes, signature, proof: None }.encode();
    let read = AccountRecord::decode_verified(&sent).unwrap();
    assert_eq!(read.encode(), sent);
}

#[test]
fn another_format_too_many_bytes_and_every_cut_are_refused() {
    let bytes = record(1).encode();
    assert!((0..bytes.len()).all(|length| UnverifiedRecord::decode(&bytes[..length]).is_err()));
    assert!(UnverifiedRecord::decode(&[&bytes[..], &[0]].concat()).is_err());
    assert!(UnverifiedRecord::decode(&[&[2], &bytes[1..]].concat()).is_err());
    assert!(UnverifiedRecord::decode(&vec![1; AccountRecord::MAX_BYTES + 1]).is_err());
}

proptest! {
    #[test]
    fn any_flipped_bit_is_noticed(place in 0_usize..8 * 900) {
        let mut bytes = record(1).encode();
        let place = place % (8 * bytes.len());
        bytes[place / 8] ^= 1 << (place % 8);
        prop_assert!(AccountRecord::decode_verified(&bytes).is_err());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(UnverifiedRecord::decode(&[&[1], &bytes[..]].concat()).is_err());
    }
}
