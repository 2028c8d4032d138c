//! Logs kept by the relay, read as members read them.

use kith_core::home::{equivocation, verify_entry};
use kith_core::types::{GroupId, Hash};
use kith_core::wire::event::LogHead;
use kith_core::wire::log::{self, Equivocation, UnverifiedEntry, write_key_hash};
use kith_core::wire::relay::{Refusal, Request, Response};
use kith_relay::domain::Settings;
use kith_relay::domain::operator::new_life;

use crate::world::{World, keys, stranger};

const GROUP: GroupId = GroupId::new([4; 32]);

fn key(number: u8) -> Hash {
    Hash::new([number; 32])
}

fn home(world: &mut World, request: log::Request) -> log::Response {
    match world.ask(stranger(1), Request::Home(request)) {
        Response::Home(response) => response,
        other => panic!("no answer of a home: {other:?}"),
    }
}

fn append(world: &mut World, head: LogHead, write: u8, blob: &[u8]) -> log::Response {
    let next_write_key_hash = write_key_hash(&key(write + 1));
    home(
        world,
        log::Request::Append { group: GROUP, head, write_key: key(write), next_write_key_hash, blob: blob.to_vec() },
    )
}

fn read(world: &mut World) -> (Vec<UnverifiedEntry>, LogHead) {
    match home(world, log::Request::Read { group: GROUP, from: 0, limit: 64 }) {
        log::Response::Entries { entries, head } => (entries, head),
        other => panic!("no entries: {other:?}"),
    }
}

const START: LogHead = LogHead { next: 0, hash: Hash::new([0; 32]) };

fn begun() -> World {
    let mut world = World::new(Settings::default());
    let alice = world.person("alice", 1);
    let create = log::Request::Create { group: GROUP, write_key_hash: write_key_hash(&key(0)) };
    assert_eq!(world.refusal(stranger(1), Request::Home(create.clone())), Refusal::NotSignedIn);
    for _ in 0..2 {
        assert_eq!(world.ask(alice.caller(0), Request::Home(create.clone())), Response::Home(log::Response::Created));
    }
    world
}

#[test]
fn members_walk_the_log_and_verify_each_entry() {
    let mut world = begun();
    assert!(matches!(append(&mut world, START, 0, b"one"), log::Response::Appended(_)));
    let (_, head) = read(&mut world);
    assert!(matches!(append(&mut world, head, 1, b"two"), log::Response::Appended(_)));
    let (entries, head) = read(&mut world);
    let home = keys().identity.relay_id().key();
    let mut walked = START;
    for (entry, blob) in entries.iter().zip([b"one", b"two"]) {
        assert_eq!(entry.blob, blob);
        walked = verify_entry(entry, &home, GROUP, &walked).unwrap().head();
    }
    assert_eq!(walked, head);
}

#[test]
fn of_two_appends_at_one_head_one_is_a_conflict() {
    let mut world = begun();
    assert!(matches!(append(&mut world, START, 0, b"one"), log::Response::Appended(_)));
    let again = append(&mut world, START, 0, b"other");
    assert_eq!(again, log::Response::Refused(log::Refusal::Conflict));
    assert_eq!(read(&mut world).0.len(), 1);
}

#[test]
fn a_wrong_write_key_and_an_unknown_group_are_refused() {
    let mut world = begun();
    assert_eq!(append(&mut world, START, 9, b"one"), log::Response::Refused(log::Refusal::WrongKey));
    let other = log::Request::Read { group: GroupId::new([5; 32]), from: 0, limit: 1 };
    assert_eq!(home(&mut world, other), log::Response::Refused(log::Refusal::UnknownGroup));
}

#[test]
fn a_restored_home_that_forgot_an_entry_raises_its_term_and_the_loss_is_provable() {
    let mut world = begun();
    let before = world.rows.clone();
    let log::Response::Appended(lost) = append(&mut world, START, 0, b"lost") else { panic!("not appended") };
    world.rows = before;
    let batch = new_life(&world.rows, &mut world.rng).unwrap();
    world.rows.apply(batch);
    let log::Response::Appended(found) = append(&mut world, START, 0, b"found") else { panic!("not appended") };
    let home = keys().identity.relay_id().key();
    let proven = equivocation(&Equivocation { one: lost, other: found }, &home).unwrap();
    assert_eq!((proven.index, proven.terms), (0, (0, 1)));
}
