//! Bytes as they were first written: what another release has to read.

use ed25519_dalek::{Signer, SigningKey};

use super::{key as row_key, row};
use crate::chat::transaction::Transaction;
use crate::store::{Batch, MemoryStore, Range, Read, Scope, Table};
use crate::types::{Clock, ContentId, ConversationId, DeviceId, FeedId, GroupId, Hash, Incarnation};
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

fn place() -> ContentId {
    ContentId { feed: feed(), sequence: 0 }
}

/// An event's row and its context, kept with this content.
fn kept(event: &Event, content: Option<&Content>) -> (MemoryStore, Vec<u8>, Vec<u8>) {
    let (mut store, mut batch) = (MemoryStore::new(), Batch::new());
    row::put(&mut Transaction::new(&store, &mut batch), &CONVERSATION, event, content).unwrap();
    store.apply(&batch);
    let row = store.get(Table::Event, &row_key::event(&CONVERSATION, &place())).unwrap().unwrap();
    let context = store.scan(Table::Context, CONVERSATION.as_bytes(), Range::all()).unwrap();
    (store, row, context.into_iter().next().map(|row| row.value).unwrap_or_default())
}

const CONVERSATION: ConversationId = ConversationId::new([1; 32]);

#[test]
fn rows_are_those_that_another_release_reads() {
    let event = event();
    let (store, whole, context) = kept(&event, event.content());
    check("row-whole-3", &whole);
    check("row-context-1", &context);
    assert_eq!(row::load_event(&store, &CONVERSATION, &place()).unwrap().unwrap(), event);
    assert_eq!(row::load_header(&store, &CONVERSATION, &place()).unwrap().unwrap(), event.clone().erased());
    let (store, short, _) = kept(&event, None);
    check("row-short-4", &short);
    assert_eq!(row::load_event(&store, &CONVERSATION, &place()).unwrap().unwrap(), event.clone().erased());
}

/// As every event was kept at first: header and content apart, everything in the header.
#[test]
fn rows_as_they_were_first_kept_are_read_and_replaced() {
    let event = event();
    let (mut store, mut batch) = (MemoryStore::new(), Batch::new());
    let scope = Scope::Conversation(CONVERSATION);
    let key = row_key::event(&CONVERSATION, &place());
    let [header, content] = ["row-compact-1", "row-content-1"].map(|name| {
        let path = format!("{}/tests/fixtures/feeds/{name}.hex", env!("CARGO_MANIFEST_DIR"));
        data_encoding::HEXLOWER.decode(std::fs::read_to_string(path).unwrap().trim().as_bytes()).unwrap()
    });
    batch.put(Table::Event, scope, key.clone(), header);
    batch.put(Table::Content, scope, key.clone(), content);
    store.apply(&batch);
    assert_eq!(row::load_event(&store, &CONVERSATION, &place()).unwrap().unwrap(), event);
    assert_eq!(row::load_content(&store, &CONVERSATION, &place()).unwrap().as_ref(), event.content());
    let mut batch = Batch::new();
    row::put(&mut Transaction::new(&store, &mut batch), &CONVERSATION, &event, None).unwrap();
    store.apply(&batch);
    assert_eq!(store.get(Table::Content, &key).unwrap(), None, "what is erased is erased where it was kept");
    assert_eq!(row::load_event(&store, &CONVERSATION, &place()).unwrap().unwrap(), event.erased());
}

#[test]
fn a_context_whose_name_is_taken_is_kept_with_its_event() {
    let event = event();
    let (store, _, context) = kept(&event, None);
    let name = store.scan(Table::Context, &[], Range::all()).unwrap().remove(0).key;
    let (mut store, mut batch) = (MemoryStore::new(), Batch::new());
    let other = [&context[..1], &[0xaa; 80]].concat();
    batch.put(Table::Context, Scope::Conversation(CONVERSATION), name.clone(), other.clone());
    store.apply(&batch);
    let mut batch = Batch::new();
    row::put(&mut Transaction::new(&store, &mut batch), &CONVERSATION, &event, event.content()).unwrap();
    store.apply(&batch);
    assert_eq!(store.get(Table::Context, &name).unwrap(), Some(other));
    assert_eq!(row::load_event(&store, &CONVERSATION, &place()).unwrap().unwrap(), event);
    check("row-compact-1", &store.get(Table::Event, &row_key::event(&CONVERSATION, &place())).unwrap().unwrap());
    check("row-content-1", &store.get(Table::Content, &row_key::event(&CONVERSATION, &place())).unwrap().unwrap());
}

#[test]
fn a_long_content_is_kept_apart() {
    let body = Text { text: "word ".repeat(400), reply_to: None }.encode();
    let content = Content { salt: vec![6; Content::SALT_BYTES], body };
    let header = Header { content: content.hash(), ..event().header().clone() };
    let long = Event::sign(header, content, |bytes| key().sign(bytes));
    let (store, ..) = kept(&long, long.content());
    assert!(store.get(Table::Content, &row_key::event(&CONVERSATION, &place())).unwrap().is_some());
    assert_eq!(row::load_event(&store, &CONVERSATION, &place()).unwrap().unwrap(), long);
}
