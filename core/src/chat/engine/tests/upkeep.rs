//! What goes by itself, what is put down, and whom a home serves.

use super::scenes::{devices_on_both_sides, restored, takes_in_and_removes};
use super::*;
use crate::chat::account::contact;
use crate::mls::{Group, PAST_EPOCH_MS};
use crate::store::{Range, Scope, Table};
use crate::types::{GroupId, Hash};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Everything that is due, until a sweep that began has ended.
fn sweep(world: &mut World, id: DeviceId) {
    for _ in 0..8 {
        world.mono_ms += 61_000;
        world.input(id, Input::Timer);
        world.run();
    }
}

fn seen(world: &World, id: DeviceId) -> usize {
    world.devices[&id].store.scan(Table::Seen, &[], Range::all()).unwrap().len()
}

#[test]
fn ids_of_envelopes_are_forgotten_after_thirty_days_and_not_before() {
    let mut world = World::new(31);
    let (alice, bob, id) = world.friends();
    let b = bob.device(0);
    world.pass(5_000);
    let first = seen(&world, b);
    assert!(first > 0);
    // More than one step looks at.
    for number in 0..2_000_u64 {
        let mut batch = Batch::new();
        let wall = world.now().wall.0.to_be_bytes();
        batch.put(Table::Seen, Scope::Account, [&number.to_be_bytes()[..], &[7; 8]].concat(), wall);
        world.devices.get_mut(&b).unwrap().store.apply(&batch);
    }
    world.mono_ms += 29 * DAY_MS;
    sweep(&mut world, b);
    assert!(seen(&world, b) >= first + 2_000);
    world.say(alice.device(0), id, "later");
    world.run();
    let younger = {
        let wall = world.now().wall.0;
        let rows = world.devices[&b].store.scan(Table::Seen, &[], Range::all()).unwrap();
        let young = |value: &[u8]| wall - u64::from_be_bytes(value.try_into().unwrap()) < 20 * DAY_MS;
        rows.iter().filter(|row| young(&row.value)).count()
    };
    assert!(younger > 0);
    world.mono_ms += 2 * DAY_MS;
    sweep(&mut world, b);
    let left = seen(&world, b);
    assert!(left >= younger, "what is young stays");
    assert!(left < 100, "what is old goes: {left}");
}

#[test]
fn past_epochs_go_seven_days_after_they_ended() {
    let mut world = World::new(32);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(1_000);
    for _ in 0..3 {
        world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
        world.pass(5_000);
    }
    let group = world.present(b, id).0;
    let past = |world: &World| Group::load(&world.devices[&b].store, &group).unwrap().unwrap().past_epochs().count();
    let held = past(&world);
    assert!(held > 0);
    world.mono_ms += PAST_EPOCH_MS - DAY_MS;
    sweep(&mut world, b);
    assert_eq!(past(&world), held);
    world.mono_ms += DAY_MS;
    sweep(&mut world, b);
    assert_eq!(past(&world), 0);
    world.say(a, id, "and on");
    world.pass(5_000);
    assert_eq!(world.texts(b, id).last().unwrap(), "and on");
}

#[test]
fn the_stories_end_the_same_with_one_conversation_in_memory() {
    for (seed, story) in [(11, takes_in_and_removes as fn(&mut World)), (5, devices_on_both_sides), (8, restored)] {
        let mut world = World::new(seed);
        world.loaded = 1;
        story(&mut world);
    }
}

#[test]
fn memory_holds_no_more_conversations_than_it_may_and_none_is_lost() {
    let mut world = World::new(33);
    world.loaded = 2;
    let alice = world.person();
    let friends: Vec<Person> = (0..6).map(|_| world.person()).collect();
    let ids: Vec<ConversationId> = friends.iter().map(|friend| world.befriend(&alice, friend)).collect();
    let a = alice.device(0);
    world.pass(5_000);
    for round in 0..3 {
        for (friend, id) in friends.iter().zip(&ids) {
            world.say(a, *id, &format!("to you {round}"));
            world.run();
            world.say(friend.device(0), *id, &format!("to me {round}"));
            world.run();
        }
        world.pass(20_000);
    }
    let engine = &world.devices[&a].engine;
    assert!(engine.conversations.len() <= 2, "{}", engine.conversations.len());
    assert_eq!(engine.conversations.len() + engine.dozing.len(), 7);
    for (friend, id) in friends.iter().zip(&ids) {
        assert_eq!(world.texts(a, *id).len(), 7);
        assert_eq!(world.texts(friend.device(0), *id), world.texts(a, *id));
    }
    // What happens to one that dozes wakes it, and its timers go on.
    assert!(world.devices[&a].wake_at.is_some_and(|at| at <= world.mono_ms + 10 * 60 * 1000));
    world.command(friends[0].device(0), Command::UpdateKeys { conversation: ids[0] }).unwrap();
    world.pass(700_000);
    assert_eq!(world.present(a, ids[0]), world.present(friends[0].device(0), ids[0]));
}

#[test]
fn a_device_that_is_a_home_begins_logs_for_those_it_knows_only() {
    let mut world = World::new(34);
    let (alice, bob, _) = world.friends();
    let stranger = world.person();
    let create = Request::Home(crate::wire::log::Request::Create {
        group: GroupId::new([9; GroupId::LEN]),
        write_key_hash: Hash::new([1; Hash::LEN]),
    });
    let refused = Response::Home(crate::wire::log::Response::Refused(crate::wire::log::Refusal::TryLater));
    let a = alice.device(0);
    assert_eq!(world.call_device(stranger.device(0), a, &create).unwrap(), refused);
    assert!(world.devices[&a].store.scan(Table::HomeLog, &[], Range::all()).unwrap().is_empty());
    let created = Response::Home(crate::wire::log::Response::Created);
    assert_eq!(world.call_device(bob.device(0), a, &create).unwrap(), created);
}

#[test]
fn a_message_is_new_once_and_changes_after_that() {
    let mut world = World::new(35);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    let said = world.command(a, Command::SendText { conversation: id, text: "on".into(), reply_to: None });
    let Ok(Reply::Written { id: of, .. }) = said else { panic!("{said:?}") };
    world.pass(5_000);
    let told = |world: &World, device: DeviceId| -> Vec<bool> {
        let notices = world.devices[&device].notices.iter();
        notices
            .filter_map(|notice| match notice {
                Notice::Timeline { id, new, .. } if *id == of => Some(*new),
                _ => None,
            })
            .collect()
    };
    assert_eq!(told(&world, b), [true]);
    // A listener that begins now is told of a change, not of a message.
    world.restart(b, false);
    world.run();
    world.command(a, Command::Edit { conversation: id, of, text: "one".into() }).unwrap();
    world.pass(5_000);
    assert_eq!(told(&world, b), [true, false]);
    assert_eq!(told(&world, a).first(), Some(&true));
    assert!(told(&world, a).iter().skip(1).all(|new| !new));
}

#[test]
fn a_device_that_cannot_follow_the_others_commits_is_taken_in_again() {
    let mut world = World::new(36);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    // Bob's group goes its own way: a commit that is in no log.
    let (group, _) = world.present(b, id);
    let account = &world.devices[&b].engine.account;
    let mut batch = Batch::new();
    let mut astray = Group::load(&world.devices[&b].store, &group).unwrap().unwrap();
    let mut context = crate::mls::Context {
        store: &world.devices[&b].store,
        batch: &mut batch,
        rng: &mut world.rng,
        now: Timestamp(1),
    };
    astray.commit(&mut context, &account.signer(), crate::mls::Change::default()).unwrap();
    astray.own_commit_accepted(&mut context).unwrap();
    world.devices.get_mut(&b).unwrap().store.apply(&batch);
    world.restart(b, false);
    world.run();

    let rejoins = |world: &World| {
        let notices = world.devices[&b].notices.iter();
        notices.filter(|notice| matches!(notice, Notice::Rejoining { .. })).count()
    };
    // The first ends an epoch that Bob has left, the second he cannot open, the third is beyond him.
    for expected in [0, 0, 1] {
        world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
        world.pass(700_000);
        assert_eq!(rejoins(&world), expected);
    }
    world.pass(700_000);
    assert_eq!(world.present(a, id), world.present(b, id));
    world.say(a, id, "back again");
    world.pass(5_000);
    world.say(b, id, "so it is");
    world.pass(5_000);
    assert_eq!(world.texts(b, id), ["hello", "back again", "so it is"]);
    assert_eq!(world.texts(a, id), world.texts(b, id));
}

#[test]
fn whoever_may_be_talked_to_is_looked_at_again_when_a_contact_has_another_device() {
    let mut world = World::new(42);
    let (alice, mut bob, _) = world.friends();
    let device = alice.device(0);
    world.pass(400_000);
    world.devices.get_mut(&device).unwrap().notices.clear();
    world.add_device(&mut bob);
    world.pass(400_000);
    let told = |notice: &Notice| *notice == Notice::Contact { account: bob.id() };
    assert!(world.devices[&device].notices.iter().any(told));
}

#[test]
fn what_a_device_does_not_know_to_reach_a_contact_with_it_learns_from_a_recall() {
    let mut world = World::new(43);
    let (alice, bob, _) = world.friends();
    let device = alice.device(0);
    world.pass(400_000);
    let known = |world: &World| contact(&world.devices[&device].store, &bob.id()).unwrap().unwrap();
    let taken = known(&world).taken;
    assert!(taken.is_some());
    let mut batch = Batch::new();
    let forgotten = crate::chat::account::Contact { taken: None, ..known(&world) };
    batch.put(Table::Contact, Scope::Account, bob.id().as_ref(), forgotten.encode());
    world.devices.get_mut(&device).unwrap().store.apply(&batch);
    // Nothing is heard of it for long.
    world.set_online(device, false);
    world.pass(2 * HOUR_MS);
    world.set_online(device, true);
    world.pass(400_000);
    assert_eq!(known(&world).taken, taken);
}

#[test]
fn of_two_changes_of_a_contact_the_later_counts_on_every_device() {
    let mut world = World::new(39);
    let (mut alice, bob, _) = world.friends();
    world.add_device(&mut alice);
    world.pass(400_000);
    let (one, two) = (alice.device(0), alice.device(1));
    world.set_online(two, false);
    world.command(one, Command::Block { account: bob.id() }).unwrap();
    world.pass(5_000);
    // It does not know of the block.
    world.command(two, Command::Verify { account: bob.id() }).unwrap();
    world.pass(5_000);
    world.set_online(two, true);
    world.pass(400_000);
    let state = |device: DeviceId| {
        let contact = contact(&world.devices[&device].store, &bob.id()).unwrap().unwrap();
        (contact.accepted, contact.blocked, contact.verified)
    };
    assert_eq!(state(one), (true, true, true), "who does not know of a block does not undo it");
    assert_eq!(state(two), state(one));
}

#[test]
fn a_block_is_undone_by_an_unblock_and_by_nothing_else() {
    let mut world = World::new(40);
    let (mut alice, bob, _) = world.friends();
    world.add_device(&mut alice);
    world.pass(400_000);
    let (one, two) = (alice.device(0), alice.device(1));
    let state = |world: &World, device: DeviceId| {
        let contact = contact(&world.devices[&device].store, &bob.id()).unwrap().unwrap();
        (contact.blocked, contact.given.is_some())
    };
    world.set_online(two, false);
    world.command(one, Command::Block { account: bob.id() }).unwrap();
    world.pass(5_000);
    // The other device does not know of it, and asks that person for contact once more.
    let ask = Command::RequestContact { record: bob.record.encode(), handle: None, text: "again".into() };
    world.command(two, ask).unwrap();
    world.pass(5_000);
    world.set_online(two, true);
    world.pass(400_000);
    assert_eq!((state(&world, one), state(&world, two)), ((true, false), (true, false)));
    world.command(two, Command::Unblock { account: bob.id() }).unwrap();
    world.pass(5_000);
    assert_eq!((state(&world, one), state(&world, two)), ((false, true), (false, true)));
}

#[test]
fn a_device_that_was_taken_back_learns_again_whom_it_had_blocked() {
    let mut world = World::new(41);
    let (mut alice, bob, _) = world.friends();
    world.add_device(&mut alice);
    world.pass(400_000);
    let (one, two) = (alice.device(0), alice.device(1));
    let copy = world.devices[&one].store.clone();
    world.command(one, Command::Block { account: bob.id() }).unwrap();
    world.pass(5_000);
    world.devices.get_mut(&one).unwrap().store = copy;
    world.restart(one, true);
    world.pass(400_000);
    let blocked = |device: DeviceId| contact(&world.devices[&device].store, &bob.id()).unwrap().unwrap().blocked;
    assert!(blocked(one) && blocked(two));
}

#[test]
fn what_a_new_device_does_before_it_has_a_group_counts_on_it_as_on_the_others() {
    let mut world = World::new(40);
    let (mut alice, bob, _) = world.friends();
    let one = alice.device(0);
    world.command(one, Command::Block { account: bob.id() }).unwrap();
    world.pass(5_000);
    world.set_online(one, false);
    world.add_device(&mut alice);
    let two = alice.device(1);
    let record = bob.record.encode();
    // It knows of no block.
    world.command(two, Command::RequestContact { record, handle: None, text: "again".into() }).unwrap();
    world.pass(5_000);
    world.set_online(one, true);
    world.pass(400_000);
    let state = |device: DeviceId| {
        let contact = contact(&world.devices[&device].store, &bob.id()).unwrap().unwrap();
        (contact.accepted, contact.blocked)
    };
    assert_eq!(state(two), state(one));
}
