//! Stories of a few devices.

use super::*;

#[test]
fn two_people_write_both_ways_after_a_request_was_accepted() {
    let mut world = World::new(1);
    let (alice, bob, id) = world.friends();
    world.pass(2_000);
    assert_eq!(world.texts(bob.device(0), id), ["hello"]);
    world.say(bob.device(0), id, "hi Alice");
    world.run();
    world.say(alice.device(0), id, "hi Bob");
    world.pass(2_000);
    let story = ["hello", "hi Alice", "hi Bob"];
    assert_eq!(world.texts(alice.device(0), id), story);
    assert_eq!(world.texts(bob.device(0), id), story);
}

#[test]
fn who_was_offline_gets_everything_in_order() {
    let mut world = World::new(2);
    let (alice, bob, id) = world.friends();
    world.set_online(bob.device(0), false);
    for text in ["one", "two", "three"] {
        world.say(alice.device(0), id, text);
        world.run();
    }
    world.pass(5_000);
    world.set_online(bob.device(0), true);
    assert_eq!(world.texts(bob.device(0), id), ["hello", "one", "two", "three"]);
}

#[test]
fn two_who_accept_each_other_at_once_end_in_one_conversation() {
    let mut world = World::new(3);
    let (alice, bob) = (world.person(), world.person());
    let (a, b) = (alice.device(0), bob.device(0));
    let ask = |of: &Person, text: &str| Command::RequestContact {
        record: of.record.encode(),
        handle: None,
        text: text.into(),
    };
    world.set_online(a, false);
    world.set_online(b, false);
    world.command(a, ask(&bob, "from Alice")).unwrap();
    world.command(b, ask(&alice, "from Bob")).unwrap();
    world.run();
    // Each gets the other's request, and accepts it, before the other's Welcome.
    for (device, other) in [(a, &bob), (b, &alice)] {
        let mail: Vec<Vec<u8>> = world.mailboxes.remove(&device).unwrap_or_default().into();
        for bytes in mail {
            world.input(device, Input::Envelope { from: None, bytes });
        }
        world.run();
        let _ = world.command(device, Command::Accept { account: other.id() });
        world.run();
    }
    world.set_online(a, true);
    world.set_online(b, true);
    world.pass(120_000);
    let id = direct_conversation(alice.id(), bob.id());
    assert_eq!(world.present(a, id).0, world.present(b, id).0);
    assert_eq!(world.texts(a, id), world.texts(b, id));
    world.say(a, id, "so");
    world.pass(5_000);
    assert_eq!(world.texts(b, id).last().unwrap(), "so");
}

#[test]
fn commits_made_at_once_come_into_one_order() {
    let mut world = World::new(4);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(1_000);
    for _ in 0..3 {
        world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
        world.command(b, Command::UpdateKeys { conversation: id }).unwrap();
        world.pass(10_000);
    }
    world.pass(700_000);
    let (here, there) = (world.present(a, id), world.present(b, id));
    assert_eq!(here, there);
    assert!(here.1.next >= 6, "all six are in the log: {here:?}");
    world.say(b, id, "still here");
    world.pass(2_000);
    assert_eq!(world.texts(a, id), ["hello", "still here"]);
}

#[test]
fn devices_added_on_both_sides_are_members_and_get_the_history() {
    devices_on_both_sides(&mut World::new(5));
}

pub(super) fn devices_on_both_sides(world: &mut World) {
    let (mut alice, mut bob, id) = world.friends();
    world.say(bob.device(0), id, "before");
    world.pass(2_000);
    world.add_device(&mut alice);
    world.add_device(&mut bob);
    world.pass(400_000);
    world.say(alice.device(1), id, "from the new one");
    world.pass(400_000);
    for device in [alice.device(0), alice.device(1), bob.device(0), bob.device(1)] {
        assert_eq!(world.texts(device, id), ["hello", "before", "from the new one"], "{device:?}");
    }
}

#[test]
fn how_a_conversation_stands_is_the_same_on_all_devices_of_an_account() {
    let mut world = World::new(26);
    let (mut alice, bob, id) = world.friends();
    let first = alice.device(0);
    world.command(first, Command::Arrange { conversation: id, pinned: Some(true), muted: None }).unwrap();
    world.command(first, Command::SaveDraft { conversation: id, text: "told nobody".into() }).unwrap();
    world.add_device(&mut alice);
    world.pass(400_000);
    let second = alice.device(1);
    let stands = |world: &World, device| {
        let shelf = crate::chat::shelf::shelf(&world.devices[&device].store, &id).unwrap();
        (shelf.is_pinned(), shelf.is_muted(), shelf.draft().map(str::to_owned))
    };
    assert_eq!(stands(&world, first), (true, false, Some("told nobody".into())));
    assert_eq!(stands(&world, second), (true, false, None));
    // Neither hears of the other's change before it makes its own: the later one counts on both.
    world.set_online(first, false);
    world.command(first, Command::Arrange { conversation: id, pinned: Some(false), muted: Some(true) }).unwrap();
    world.command(first, Command::SaveDraft { conversation: id, text: "early".into() }).unwrap();
    world.mono_ms += 1_000;
    world.command(second, Command::Arrange { conversation: id, pinned: Some(true), muted: None }).unwrap();
    world.command(second, Command::SaveDraft { conversation: id, text: "late".into() }).unwrap();
    world.set_online(first, true);
    world.pass(400_000);
    for device in [first, second] {
        assert_eq!(stands(&world, device), (true, true, Some("late".into())), "{device:?}");
        let listed = |notice: &Notice| *notice == Notice::Listed { conversation: id };
        assert!(world.devices[&device].notices.iter().any(listed));
    }
    world.command(first, Command::SaveDraft { conversation: id, text: String::new() }).unwrap();
    world.pass(5_000);
    assert_eq!(stands(&world, second).2, None);
    assert_eq!(world.texts(bob.device(0), id), ["hello"]);
}

#[test]
fn a_home_that_lost_its_log_is_left() {
    let mut world = World::new(6);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(5_000);
    world.relay = MemoryStore::new();
    world.command(b, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(2_000_000);
    let (here, there) = (world.membership(a, id), world.membership(b, id));
    assert_eq!(here.present().unwrap().group, there.present().unwrap().group);
    assert_eq!(here.present().unwrap().generation, 1);
    world.say(a, id, "we moved");
    world.pass(5_000);
    assert_eq!(world.texts(b, id).last().unwrap(), "we moved");
}

#[test]
fn a_home_that_shows_two_logs_is_found_out_and_left() {
    let mut world = World::new(7);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    let before = world.relay.clone();
    world.set_online(b, false);
    world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(1_000);
    world.relay = before;
    // Bob's hint is not delivered yet; his own update goes into the other history.
    world.command(b, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(1_000);
    world.set_online(b, true);
    world.say(a, id, "what do you see?");
    world.say(b, id, "something else");
    world.pass(2_000_000);
    let told = |world: &World, device: DeviceId| {
        world.devices[&device].notices.contains(&Notice::HomeLied { conversation: id })
    };
    assert!(told(&world, a) && told(&world, b));
    let (here, there) = (world.membership(a, id), world.membership(b, id));
    assert_eq!(here.present().unwrap().group, there.present().unwrap().group);
    assert!(here.present().unwrap().generation >= 1);
    assert_eq!(world.texts(a, id), world.texts(b, id));
    assert_eq!(world.texts(a, id).len(), 3);
}

#[test]
fn a_restored_store_writes_as_a_new_incarnation_and_nothing_is_lost() {
    restored(&mut World::new(8));
}

pub(super) fn restored(world: &mut World) {
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.say(b, id, "one");
    world.pass(5_000);
    let copy = world.devices[&b].store.clone();
    world.say(b, id, "two");
    world.run();
    world.say(a, id, "three");
    world.pass(5_000);
    world.devices.get_mut(&b).unwrap().store = copy;
    world.restart(b, true);
    world.run();
    world.say(b, id, "four");
    world.pass(4_000_000);
    let all = ["hello", "one", "two", "three", "four"];
    assert_eq!(world.texts(a, id), all);
    assert_eq!(world.texts(b, id), all);
}

#[test]
fn an_old_copy_that_nobody_announced_is_noticed() {
    let mut world = World::new(9);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    let copy = world.devices[&b].store.clone();
    world.say(b, id, "one");
    world.pass(5_000);
    world.devices.get_mut(&b).unwrap().store = copy;
    world.restart(b, false);
    world.run();
    world.pass(8_000_000);
    world.say(b, id, "two");
    world.pass(8_000_000);
    assert_eq!(world.texts(a, id), ["hello", "one", "two"]);
    assert_eq!(world.texts(b, id), ["hello", "one", "two"]);
}

#[test]
fn a_crash_at_any_input_leaves_a_state_that_completes() {
    for at in 0..24 {
        for crashing in 0..2 {
            let mut world = World::new(10);
            let (alice, bob) = (world.person(), world.person());
            let devices = [alice.device(0), bob.device(0)];
            world.crash_in = Some((devices[crashing], at));
            let id = world.befriend(&alice, &bob);
            world.pass(20_000);
            let joined = world.devices[&devices[1]].engine.conversations.contains_key(&id);
            if !joined {
                let _ = world.command(devices[1], Command::Accept { account: alice.id() });
                world.run();
            }
            world.pass(200_000);
            world.say(devices[1], id, "hi");
            world.pass(10_000);
            world.say(devices[0], id, "hi too");
            world.pass(8_000_000);
            let story = world.texts(devices[0], id);
            assert_eq!(story, world.texts(devices[1], id), "crash of {crashing} at {at}");
            assert!(story.contains(&"hi".into()) && story.contains(&"hi too".into()), "{story:?}: {crashing} at {at}");
        }
    }
}

#[test]
fn a_group_takes_members_in_and_removes_them() {
    takes_in_and_removes(&mut World::new(11));
}

pub(super) fn takes_in_and_removes(world: &mut World) {
    let (alice, bob, carol, id) = world.trio();
    let (a, b, c) = (alice.device(0), bob.device(0), carol.device(0));
    world.say(b, id, "hi all");
    world.pass(20_000);
    assert_eq!(world.texts(a, id), ["hi all"]);
    assert_eq!(world.texts(c, id), ["hi all"]);

    assert_eq!(
        world.command(b, Command::RemoveMember { conversation: id, member: carol.id() }),
        Err(CommandError::NotAllowed)
    );
    // Carol writes while she is being removed; what the remover does not hold lies beyond the cut.
    world.set_online(a, false);
    world.set_online(b, false);
    world.say(c, id, "too late");
    world.run();
    world.command(a, Command::RemoveMember { conversation: id, member: carol.id() }).unwrap();
    world.pass(20_000);
    world.set_online(a, true);
    world.set_online(b, true);
    world.pass(20_000);
    world.say(a, id, "among us");
    world.pass(20_000);
    assert_eq!(world.texts(a, id), ["hi all", "among us"]);
    assert_eq!(world.texts(b, id), ["hi all", "among us"]);
    assert!(!world.texts(c, id).contains(&"among us".into()));
    let refused = world.command(c, Command::SendText { conversation: id, text: "?".into(), reply_to: None });
    assert_eq!(refused, Err(CommandError::NotMember));
}

#[test]
fn who_has_just_come_in_removes_nobody_before_it_holds_what_they_wrote() {
    let mut world = World::new(13);
    let (mut alice, bob, carol, id) = world.trio();
    world.say(carol.device(0), id, "hi all");
    world.pass(20_000);
    world.add_device(&mut alice);
    let (old, new) = (alice.device(0), alice.device(1));
    world.set_online(new, false);
    world.pass(20_000);
    let others = [old, bob.device(0)];
    others.iter().for_each(|device| world.set_online(*device, false));
    world.set_online(carol.device(0), false);
    // The relay is slow, and what the others sent beside the Welcomes comes late.
    let (welcomes, late): (VecDeque<_>, VecDeque<_>) =
        world.mailboxes.remove(&new).unwrap().into_iter().partition(|bytes| is_welcome(bytes));
    world.mailboxes.insert(new, welcomes);
    world.set_online(new, true);
    assert_eq!(world.texts(new, id), Vec::<String>::new());
    world.command(new, Command::RemoveMember { conversation: id, member: carol.id() }).unwrap();
    world.pass(10_000);
    assert_eq!(world.membership(new, id).policy().unwrap().seats.len(), 3, "it waits for what they hold");
    world.mailboxes.insert(new, late);
    [new, others[0], others[1]].iter().for_each(|device| world.set_online(*device, true));
    world.pass(10_000);
    for device in [old, new, bob.device(0)] {
        assert_eq!(world.texts(device, id), ["hi all"]);
        assert_eq!(world.membership(device, id).policy().unwrap().seats.len(), 2, "it waits no longer");
    }
}

#[test]
fn who_has_just_come_in_removes_somebody_in_time_though_nobody_is_there() {
    let mut world = World::new(14);
    let (mut alice, bob, carol, id) = world.trio();
    world.add_device(&mut alice);
    let new = alice.device(1);
    world.set_online(new, false);
    world.pass(20_000);
    [alice.device(0), bob.device(0), carol.device(0)].iter().for_each(|device| world.set_online(*device, false));
    world.set_online(new, true);
    world.command(new, Command::RemoveMember { conversation: id, member: carol.id() }).unwrap();
    world.pass(40_000);
    assert_eq!(world.membership(new, id).policy().unwrap().seats.len(), 2);
}

#[test]
fn who_cannot_be_added_to_a_group_is_named_and_may_be_added_again() {
    let mut world = World::new(32);
    let (alice, bob, _) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(2_000);
    let packages = world.packages.remove(&b).unwrap();
    let group = Command::CreateGroup { name: "some".into(), members: vec![bob.id()] };
    let Ok(Reply::Created { conversation: id }) = world.command(a, group) else { panic!("no group") };
    world.pass(100_000);
    let wanted = Notice::NotSeated { conversation: id, account: bob.id() };
    let told = |world: &World| world.devices[&a].notices.iter().filter(|notice| **notice == wanted).count();
    assert_eq!(told(&world), 1);
    assert!(world.membership(a, id).policy().unwrap().seat(bob.id()).is_none());
    world.packages.insert(b, packages);
    world.command(a, Command::AddMembers { conversation: id, members: vec![bob.id()] }).unwrap();
    world.pass(100_000);
    assert_eq!(world.present(a, id), world.present(b, id));
    assert_eq!(told(&world), 1, "he was added");
}

#[test]
fn who_leaves_a_group_is_removed_by_another() {
    let mut world = World::new(12);
    let (alice, bob, _, id) = world.trio();
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, Command::Leave { conversation: id }).unwrap();
    world.pass(60_000);
    let policy = world.membership(b, id).policy().unwrap().clone();
    assert_eq!(policy.seats.len(), 2);
    assert!(policy.is_admin(bob.id()), "where the last admin left, all are");
}

#[test]
fn a_blocked_person_reaches_nobody() {
    let mut world = World::new(13);
    let (alice, bob, id) = world.friends();
    world.pass(2_000);
    world.command(bob.device(0), Command::Block { account: alice.id() }).unwrap();
    world.say(alice.device(0), id, "are you there?");
    world.pass(20_000);
    assert_eq!(world.texts(bob.device(0), id), ["hello"]);
    let refused =
        world.command(bob.device(0), Command::SendText { conversation: id, text: "no".into(), reply_to: None });
    assert_eq!(refused, Err(CommandError::Blocked));
}

#[test]
fn a_home_moves_by_a_commit() {
    let mut world = World::new(14);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(2_000);
    world.command(a, Command::MoveHome { conversation: id, relay: None }).unwrap();
    world.pass(5_000);
    world.command(b, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(700_000);
    assert_eq!(world.present(a, id), world.present(b, id));
    assert!(world.membership(b, id).policy().unwrap().home.is_device(a));
    assert_eq!(world.present(a, id).1.next, 1, "the new log holds Bob's update");
}

#[test]
fn who_knew_another_home_goes_on_where_the_welcome_says() {
    let mut world = World::new(31);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(2_000);
    let before = world.devices[&b].store.clone();
    world.command(a, Command::MoveHome { conversation: id, relay: None }).unwrap();
    world.pass(5_000);
    world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(700_000);
    // Bob's store is taken back to when the relay was the home: he is let in again, at an entry of the new home's log.
    world.devices.get_mut(&b).unwrap().store = before;
    world.restart(b, true);
    world.pass(700_000);
    let generation = |device| world.membership(device, id).present().unwrap().generation;
    assert_eq!((generation(a), generation(b)), (0, 0), "nobody took the home for lost");
    assert_eq!(world.present(a, id), world.present(b, id));
    assert!(world.present(b, id).1.next > 1);
}

#[test]
fn garbage_is_counted_and_changes_nothing() {
    let mut world = World::new(15);
    let (alice, bob, id) = world.friends();
    world.pass(2_000);
    let before = world.devices[&bob.device(0)].store.clone();
    for bytes in [vec![], vec![1, 2, 3], vec![0xff; 4096]] {
        let effects = world.handle(bob.device(0), Input::Envelope { from: None, bytes }).unwrap();
        assert!(effects.notices.iter().any(|notice| matches!(notice, Notice::Dropped { .. })));
        assert_eq!(effects.verdict, Some(crate::chat::Verdict::Durable));
    }
    assert_eq!(world.devices[&bob.device(0)].store, before);
    world.say(alice.device(0), id, "fine");
    world.pass(2_000);
    assert_eq!(world.texts(bob.device(0), id), ["hello", "fine"]);
}

#[test]
fn a_commit_that_nobody_was_entitled_to_is_skipped_by_all() {
    let mut world = World::new(16);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    let eve = world.person();
    world.pass(5_000);
    // Bob's device, bypassing its engine, adds Eve to the conversation of two.
    let (group, log) = world.present(b, id);
    let package = world.packages.get_mut(&eve.device(0)).unwrap().pop().unwrap();
    let package = crate::mls::UnverifiedKeyPackage::parse(&package).unwrap().verify(SUITE).unwrap();
    let account = &world.devices[&b].engine.account;
    let mut batch = Batch::new();
    let mut hostile = crate::mls::Group::load(&world.devices[&b].store, &group).unwrap().unwrap();
    let write_key = hostile.export("kith/log-write", &[], 32).unwrap();
    let mut context = crate::mls::Context {
        store: &world.devices[&b].store,
        batch: &mut batch,
        rng: &mut world.rng,
        now: Timestamp(1),
    };
    let change = crate::mls::Change { adds: vec![package], ..crate::mls::Change::default() };
    let commit = hostile.commit(&mut context, &account.signer(), change).unwrap();
    let append = log::Request::Append {
        group,
        head: log,
        write_key: crate::types::Hash::try_from(write_key.as_slice()).unwrap(),
        next_write_key_hash: crate::types::Hash::new([0; 32]),
        blob: commit.blob,
    };
    let answer = world.call_relay(b, &Request::Home(append)).unwrap();
    assert!(matches!(answer, Response::Home(log::Response::Appended(_))));

    world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
    world.pass(700_000);
    let (here, there) = (world.membership(a, id), world.membership(b, id));
    assert_eq!(here.present(), there.present());
    assert_eq!(here.present().unwrap().log.next, 2, "the hostile entry, and Alice's");
    assert!(here.roster().member(&eve.device(0)).is_none());
    assert_eq!(here.policy().unwrap().seats.len(), 2);
    world.say(b, id, "nothing happened");
    world.pass(2_000);
    assert_eq!(world.texts(a, id).last().unwrap(), "nothing happened");
}
