//! Bytes of format 1 as they were first written: what another release has to read.

use ed25519_dalek::{Signer, SigningKey};

use crate::types::{Clock, ConversationId, DeviceId, FeedId, GroupId, Hash, Incarnation};
use crate::wire::codec::Body;
use crate::wire::event::{Content, Event, Header, LogHead, UnverifiedEvent, header_hash};
use crate::wire::message::{FeedState, Mark, Marks, Message, Text, Vector};

fn feed() -> FeedId {
    FeedId { device: DeviceId::new([2; 32]), incarnation: Incarnation::new([3; 8]) }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn event() -> Event {
    let body = Text { text: "hello".into(), reply_to: None }.encode();
    let content = Content { salt: vec![6; Content::SALT_BYTES], body };
    let header = Header {
        conversation: ConversationId::new([1; 32]),
        feed: feed(),
        sequence: 0,
        previous: Hash::new([0; 32]),
        clock: Clock(1_700_000_000_000 << 16),
        wall_ms: 1_700_000_000_000,
        generation: 0,
        group: GroupId::new([4; 32]),
        epoch: 1,
        log: LogHead { next: 1, hash: Hash::new([5; 32]) },
        kind: 1,
        content: content.hash(),
    };
    Event::sign(header, content, |bytes| key().sign(bytes))
}

fn vector() -> Vector {
    let hash = header_hash(&event().as_raw().header);
    let whole = FeedState { feed: feed(), next: 1, hash, from: 0, beyond: vec![(3, 5)], lacking: vec![0] };
    let other = FeedId { device: DeviceId::new([8; 32]), incarnation: Incarnation::new([9; 8]) };
    let newcomer = FeedState {
        feed: other,
        next: 40,
        hash: Hash::new([5; 32]),
        from: 30,
        beyond: Vec::new(),
        lacking: Vec::new(),
    };
    Vector { feeds: vec![whole, newcomer], ask: true }
}

fn marks() -> Marks {
    Marks { delivered: vec![Mark { feed: feed(), next: 1 }], read: vec![Mark { feed: feed(), next: 1 }] }
}

/// The committed bytes; with `KITH_WRITE_FIXTURES` set they are written anew, which a change of format number has to justify.
fn check(name: &str, bytes: &[u8]) {
    let path = format!("{}/tests/fixtures/feeds/{name}.hex", env!("CARGO_MANIFEST_DIR"));
    let hex = data_encoding::HEXLOWER.encode(bytes);
    if std::env::var_os("KITH_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, format!("{hex}\n")).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), hex, "{name}");
}

#[test]
fn bytes_are_those_of_format_1() {
    let event = event();
    check("header-1", &event.as_raw().header);
    check("event-1", &event.as_raw().encode());
    check("vector-1", &Message::Vector(vector()).encode());
    check("marks-1", &Message::Marks(marks()).encode());
}

#[test]
fn bytes_of_format_1_are_read() {
    let event = event();
    assert_eq!(Header::decode(&event.as_raw().header).as_ref(), Ok(event.header()));
    let raw = UnverifiedEvent::decode(&event.as_raw().encode()).unwrap();
    assert_eq!(raw.verify(&key().verifying_key()).as_ref(), Ok(&event));
    assert_eq!(Message::decode(&Message::Vector(vector()).encode()), Ok(Message::Vector(vector())));
    assert_eq!(Message::decode(&Message::Marks(marks()).encode()), Ok(Message::Marks(marks())));
}
