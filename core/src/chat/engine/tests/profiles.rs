//! What accounts say about themselves reaches those whom they write with, and nobody else.

use super::*;
use crate::chat::api::PictureChange;
use crate::chat::profile::{self, FEATURE};
use crate::chat::shelf;
use crate::store::{Range, Table};
use crate::wire::message::{Kind, MAX_PICTURE};

fn picture(of: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(20_000, of);
    bytes
}

fn set(name: Option<&str>, about: Option<&str>, picture: PictureChange) -> Command {
    Command::SetProfile { name: name.map(str::to_owned), about: about.map(str::to_owned), picture }
}

/// What a device knows of an account: its name, and its picture's last byte.
fn known(world: &World, device: DeviceId, account: AccountId) -> (Option<String>, Option<u8>) {
    let store = &world.devices[&device].store;
    let name = profile::profile(store, &account).unwrap().and_then(|profile| profile.name);
    (name, profile::picture(store, &account).unwrap().and_then(|bytes| bytes.last().copied()))
}

/// Events of this kind that a device holds of a conversation.
fn count(world: &World, device: DeviceId, of: ConversationId, kind: Kind) -> usize {
    let rows = world.devices[&device].store.scan(Table::Event, of.as_bytes(), Range::all()).unwrap();
    let places = rows.iter().filter_map(|row| crate::chat::feed::key::read_place(&row.key));
    let read = &world.devices[&device].store;
    places
        .filter(|id| {
            let event = crate::chat::feed::row::load_header(read, &of, id).unwrap().unwrap();
            event.header().kind == kind as u16
        })
        .count()
}

fn holds(world: &World, device: DeviceId, part: &[u8]) -> bool {
    let rows = |table| world.devices[&device].store.scan(table, &[], Range::all()).unwrap();
    let all = [rows(Table::Event), rows(Table::Content)].concat();
    all.iter().any(|row| row.value.windows(part.len()).any(|window| window == part))
}

#[test]
fn a_profile_reaches_those_one_writes_with_and_is_no_message() {
    let mut world = World::new(31);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, set(Some("Alice"), Some("hello there"), PictureChange::Set(picture(1)))).unwrap();
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()), (Some("Alice".into()), Some(1)));
    assert!(world.devices[&b].notices.contains(&Notice::Profile { account: alice.id() }));
    assert_eq!(world.texts(b, id), ["hello"]);
    let unread = timeline::unread(&world.devices[&b].store, &id).unwrap();
    assert_eq!(unread, 1);
    // Another name does not bring the picture again.
    world.sent.clear();
    world.command(a, set(Some("Alice B."), None, PictureChange::Keep)).unwrap();
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()), (Some("Alice B.".into()), Some(1)));
    assert!(world.sent.iter().all(|(_, sent)| sent.envelope.len() < 8_192));
    // Another picture takes the one before away, there too.
    assert!(holds(&world, b, &picture(1)));
    world.command(a, set(None, None, PictureChange::Set(picture(2)))).unwrap();
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()), (Some("Alice B.".into()), Some(2)));
    assert!(!holds(&world, b, &picture(1)));
    world.command(a, set(Some(""), None, PictureChange::Remove)).unwrap();
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()), (None, None));
    assert!(!holds(&world, b, &picture(2)));
    // Setting what is set already says nothing.
    world.sent.clear();
    world.command(a, set(Some(""), None, PictureChange::Remove)).unwrap();
    world.pass(5_000);
    assert!(world.sent.is_empty());
}

#[test]
fn a_profile_reaches_whoever_shares_a_group_and_is_no_contact() {
    let mut world = World::new(37);
    let (alice, bob, carol) = (world.person(), world.person(), world.person());
    world.befriend(&alice, &bob);
    world.befriend(&alice, &carol);
    world.command(bob.device(0), set(Some("Bob"), None, PictureChange::Set(picture(3)))).unwrap();
    world.pass(5_000);
    assert_eq!(known(&world, carol.device(0), bob.id()), (None, None));
    let members = vec![bob.id(), carol.id()];
    world.command(alice.device(0), Command::CreateGroup { name: "trip".into(), members }).unwrap();
    world.pass(60_000);
    assert_eq!(known(&world, carol.device(0), bob.id()), (Some("Bob".into()), Some(3)));
    assert!(world.devices[&carol.device(0)].notices.contains(&Notice::Profile { account: bob.id() }));
}

#[test]
fn what_is_out_of_bounds_is_refused_with_a_sentence() {
    let mut world = World::new(32);
    let alice = world.person();
    let mut large = picture(1);
    large.resize(MAX_PICTURE + 1, 0);
    for command in [
        set(Some(&"x".repeat(65)), None, PictureChange::Keep),
        set(None, Some(&"x".repeat(281)), PictureChange::Keep),
        set(None, None, PictureChange::Set(large)),
        set(None, None, PictureChange::Set(b"GIF89a".to_vec())),
    ] {
        let refused = world.command(alice.device(0), command);
        assert!(matches!(refused, Err(CommandError::Malformed(_))), "{refused:?}");
    }
    assert_eq!(known(&world, alice.device(0), alice.id()), (None, None));
}

#[test]
fn whoever_comes_later_learns_of_a_profile_that_was_set_before() {
    let mut world = World::new(33);
    let (alice, bob) = (world.person(), world.person());
    world.command(alice.device(0), set(Some("Alice"), None, PictureChange::Set(picture(1)))).unwrap();
    world.pass(5_000);
    world.restart(alice.device(0), false);
    world.befriend(&alice, &bob);
    world.pass(5_000);
    assert_eq!(known(&world, bob.device(0), alice.id()), (Some("Alice".into()), Some(1)));
    assert_eq!(known(&world, alice.device(0), bob.id()), (None, None));
}

#[test]
fn devices_of_one_account_agree_and_one_of_them_tells_the_others() {
    let mut world = World::new(34);
    let (mut alice, bob, id) = world.friends();
    world.add_device(&mut alice);
    world.pass(400_000);
    let (one, other, b) = (alice.device(0), alice.device(1), bob.device(0));
    world.command(one, set(Some("Alice"), None, PictureChange::Set(picture(1)))).unwrap();
    world.pass(60_000);
    assert_eq!(known(&world, other, alice.id()), (Some("Alice".into()), Some(1)));
    assert_eq!(count(&world, b, id, Kind::Profile), 1);
    // The picture was brought by the first device; the second one does not bring it again.
    world.sent.clear();
    world.command(other, set(Some("A."), None, PictureChange::Keep)).unwrap();
    world.pass(60_000);
    for device in [one, other, b] {
        assert_eq!(known(&world, device, alice.id()), (Some("A.".into()), Some(1)), "{device:?}");
    }
    assert!(world.sent.iter().all(|(_, sent)| sent.envelope.len() < 8_192));
    // A device that sets it and then is away for long is helped out.
    world.set_online(b, false);
    world.command(one, set(Some("From the first"), None, PictureChange::Keep)).unwrap();
    world.run();
    world.herald_is_lost(one);
    world.pass(60_000);
    world.set_online(b, true);
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()).0.as_deref(), Some("From the first"));
    assert_eq!(shelf::shelf(&world.devices[&b].store, &id).unwrap(), shelf::Shelf::default());
}

#[test]
fn whoever_does_not_understand_profiles_is_told_nothing_until_they_do() {
    let mut world = World::new(35);
    world.features.clear();
    let bob = world.person();
    world.features.push(FEATURE.to_owned());
    let alice = world.person();
    let id = world.befriend(&alice, &bob);
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, set(Some("Alice"), None, PictureChange::Keep)).unwrap();
    world.pass(60_000);
    assert_eq!((known(&world, b, alice.id()).0, count(&world, a, id, Kind::Profile)), (None, 0));
    let mut body = bob.record.successor(Timestamp(2));
    body.features.push(FEATURE.to_owned());
    let record = AccountRecord::sign(&bob.root, body).unwrap().encode();
    world.input(a, Input::Record { record });
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()).0.as_deref(), Some("Alice"));
}

#[test]
fn a_blocked_account_is_told_when_it_is_not_blocked_any_more() {
    let mut world = World::new(36);
    let (alice, bob, _) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, Command::Block { account: bob.id() }).unwrap();
    world.command(a, set(Some("Alice"), None, PictureChange::Keep)).unwrap();
    world.pass(60_000);
    assert_eq!(known(&world, b, alice.id()).0, None);
    world.command(a, Command::Unblock { account: bob.id() }).unwrap();
    world.pass(5_000);
    assert_eq!(known(&world, b, alice.id()).0.as_deref(), Some("Alice"));
}
