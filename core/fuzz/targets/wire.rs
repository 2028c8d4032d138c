//! Bodies of the wire, and the lines of the control socket.

use kith_core::home::{equivocation, verify_entry};
use kith_core::identity::{Context, Seed, SigningKey};
use kith_core::types::GroupId;
use kith_core::wire::address::{Addresses, SignedAddresses};
use kith_core::wire::codec::Body;
use kith_core::wire::event::{Event, Header, LogHead, SIGNATURE_LABEL, UnverifiedEvent};
use kith_core::wire::log::{self, Entry, Equivocation, UnverifiedEntry};
use kith_core::wire::{blob, control, envelope, message, relay};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Target, fast};

pub const TARGETS: &[Target] = &[
    fast("address", address),
    fast("blob_request", body::<blob::Request>),
    fast("blob_response", body::<blob::Response>),
    fast("commit_info", body::<message::CommitInfo>),
    fast("content", content),
    fast("control_line", control_line),
    fast("envelope", envelope),
    fast("event", event),
    fast("header", header),
    fast("log_entry", log_entry),
    fast("log_request", body::<log::Request>),
    fast("log_response", log_response),
    fast("message", message),
    fast("packet", body::<envelope::Packet>),
    fast("relay_push", relay_push),
    fast("relay_request", body::<relay::Request>),
    fast("relay_response", body::<relay::Response>),
    fast("sealed_card", body::<message::Sealed>),
];

/// What is taken is taken again after it was encoded, and is the same.
pub fn body<T: Body + PartialEq>(bytes: &[u8]) -> bool {
    let Ok(value) = T::decode(bytes) else { return false };
    survives(&value);
    true
}

fn survives<T: Body + PartialEq>(value: &T) {
    let again = value.encode();
    assert!(!again.is_empty(), "what was decoded is not encoded");
    if again.len() <= T::MAX_BYTES {
        assert!(T::decode(&again).is_ok_and(|decoded| decoded == *value), "another value came back");
    }
}

fn address(bytes: &[u8]) -> bool {
    let (signed, plain) = (body::<SignedAddresses>(bytes), body::<Addresses>(bytes));
    signed || plain
}

/// The first byte says which kind the rest is a content of.
fn content(bytes: &[u8]) -> bool {
    const KINDS: &[fn(&[u8]) -> bool] = &[
        body::<message::Text>,
        body::<message::Edit>,
        body::<message::Delete>,
        body::<message::Reaction>,
        body::<message::VoiceNote>,
        body::<message::Grant>,
        body::<message::Leave>,
        body::<message::ContactChange>,
        body::<message::ReadUpTo>,
        body::<message::Setting>,
        body::<message::Draft>,
        body::<message::Vector>,
        body::<message::Profile>,
        body::<message::File>,
        body::<message::LongVoiceNote>,
        body::<message::Prekeys>,
        body::<message::Transcript>,
        body::<message::Played>,
    ];
    let Some((kind, rest)) = bytes.split_first() else { return false };
    KINDS.get(usize::from(*kind)).is_some_and(|kind| kind(rest))
}

fn line<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return false };
    let text = serde_json::to_string(&value).expect("what was read is written");
    assert!(!text.contains('\n'), "a line has a line break");
    assert!(serde_json::from_str::<T>(&text).is_ok(), "what was written is not read");
    true
}

fn control_line(bytes: &[u8]) -> bool {
    let taken = [line::<control::Call>, line::<control::Line>, line::<control::Greeting>].map(|line| line(bytes));
    taken.contains(&true)
}

fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = envelope::Envelope::decode(bytes) else { return false };
    survives(&envelope);
    body::<envelope::Packet>(&envelope.packet);
    true
}

/// The author and the home of all that is signed here.
fn signer() -> SigningKey {
    SigningKey::from_seed(&Seed::new([7; 32]))
}

fn verify(event: UnverifiedEvent) -> bool {
    let author = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    let Ok(event) = event.verify(&author) else { return false };
    assert_eq!(Event::from_store(event.as_raw().clone()).as_ref(), Ok(&event), "a checked event changes in the store");
    assert!(event.clone().erased().as_raw().clone().verify(&author).is_ok(), "an erased event does not verify");
    true
}

/// As it came; and, so that the fuzzer gets past the signature, the header it has with a right one.
fn event(bytes: &[u8]) -> bool {
    let Ok(event) = UnverifiedEvent::decode(bytes) else { return false };
    survives(&event);
    let _ = event.peek();
    let signature = sign_header(&event.header);
    let _ = verify(UnverifiedEvent { signature, ..event.clone() });
    verify(event);
    true
}

/// The label, a zero byte and the header's bytes.
pub fn sign_header(header: &[u8]) -> Vec<u8> {
    use ed25519_dalek::Signer as _;
    let signed = [SIGNATURE_LABEL.as_bytes(), &[0], header].concat();
    ed25519_dalek::SigningKey::from_bytes(&[7; 32]).sign(&signed).to_bytes().to_vec()
}

fn header(bytes: &[u8]) -> bool {
    let read = body::<Header>(bytes);
    let event = UnverifiedEvent { header: bytes.to_vec(), signature: sign_header(bytes), content: None };
    assert_eq!(verify(event), read, "a signed header verifies if, and only if, it can be read");
    read
}

/// The entry's bytes, rightly signed by the home and then not.
fn log_entry(bytes: &[u8]) -> bool {
    let home = signer().public();
    let signature = signer().sign(Context::Log, bytes).as_bytes().to_vec();
    let entry = UnverifiedEntry { entry: bytes.to_vec(), signature, blob: b"blob".to_vec() };
    let read = Entry::decode(bytes);
    let group = read.as_ref().map_or(GroupId::new([0; 32]), |entry| entry.group);
    let head = read.as_ref().map_or(LogHead { next: 0, hash: log::blob_hash(b"") }, |entry| LogHead {
        next: entry.index,
        hash: entry.previous,
    });
    let verified = verify_entry(&entry, &home, group, &head);
    assert!(verified.is_err() || read.is_ok());
    let proof = Equivocation { one: entry.clone(), other: UnverifiedEntry { signature: vec![0; 64], ..entry } };
    assert!(equivocation(&proof, &home).is_err(), "a forged proof was believed");
    body::<Entry>(bytes)
}

fn log_response(bytes: &[u8]) -> bool {
    let Ok(response) = log::Response::decode(bytes) else { return false };
    survives(&response);
    if let log::Response::Entries { entries, .. } = response {
        let start = LogHead { next: 0, hash: log::blob_hash(b"") };
        for entry in entries {
            let _ = verify_entry(&entry, &signer().public(), GroupId::new([9; 32]), &start);
        }
    }
    true
}

fn message(bytes: &[u8]) -> bool {
    let Ok(message) = message::Message::decode(bytes) else { return false };
    survives(&message);
    match message {
        message::Message::Events(events) => events.into_iter().for_each(|event| {
            verify(event);
        }),
        message::Message::Equivocation(proof) => drop(equivocation(&proof, &signer().public())),
        _ => {}
    }
    true
}

fn relay_push(bytes: &[u8]) -> bool {
    let (push, answer) = (body::<relay::Push>(bytes), body::<relay::PushAnswer>(bytes));
    push || answer
}
