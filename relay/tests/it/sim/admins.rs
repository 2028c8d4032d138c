//! Groups whose only admin goes back to an old copy of its store, also where the home loses the log.

use kith_core::chat::policy::Kind;
use kith_core::chat::{Command, Reply};
use kith_core::types::ConversationId;

use super::homes::hide_from;
use super::rogue::Successor;
use super::scenarios::{another_device, calm, contacts_of, group_of, one_of, people_at, settled};
use super::world::World;

/// Three people at a relay; the first knows both others.
fn three_people() -> World {
    three_people_at(1)
}

/// The same, at so many relays in turn.
fn three_people_at(relays: usize) -> World {
    let mut plan = calm();
    (plan.accounts, plan.relays) = (3, relays);
    let (mut world, _) = contacts_of(plan);
    world.request(0, 2);
    world.run_for(10_000);
    world.accept_all(2);
    world.run_for(60_000);
    world
}

/// A group that the first of them made, of which it takes a copy before the others are in it.
fn group_with_a_copy_from_before_the_others(world: &mut World) -> ConversationId {
    let group = group_of(world, 0, &[]);
    world.keep_copy(0);
    let members = [1, 2].map(|device: usize| world.devices[device].account).to_vec();
    let command = Command::AddMembers { conversation: group, members };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(2 * 60_000);
    for device in [1, 2] {
        assert_eq!(one_of(world, device, Kind::Group), group);
    }
    group
}

fn all_show(world: &World, texts: &[String]) {
    for device in 0..world.devices.len() {
        for text in texts {
            assert!(world.shows(device, text), "{text} at device {device}");
        }
    }
}

/// Two say something in the group, then something happens to it, and all of it shows in the end.
fn comes_together(mut world: World, group: ConversationId, after: impl FnOnce(&mut World)) -> World {
    let texts = [world.say(0, group), world.say(1, group)];
    world.run_for(60_000);
    after(&mut world);
    let world = settled(world);
    all_show(&world, &texts);
    world
}

#[test]
fn an_admin_from_before_the_others_were_in_its_group_is_brought_back_by_them() {
    let mut world = three_people();
    let group = group_with_a_copy_from_before_the_others(&mut world);
    comes_together(world, group, |world| world.restore_device(0));
}

#[test]
fn an_admin_that_went_back_while_nobody_was_there_is_brought_back() {
    let mut world = three_people();
    let group = group_with_a_copy_from_before_the_others(&mut world);
    comes_together(world, group, |world| {
        for device in [1, 2] {
            world.stop(device);
        }
        world.restore_device(0);
        world.run_for(60 * 60_000);
    });
}

/// The admin of a group goes back, and so does the relay that is its home.
fn admin_and_home_go_back(world: &mut World) {
    world.restore_device(0);
    world.restore_relay(0);
}

#[test]
fn an_admin_from_before_the_others_and_a_home_that_lost_the_log() {
    let mut world = three_people();
    world.keep_relay_copy(0);
    let group = group_with_a_copy_from_before_the_others(&mut world);
    comes_together(world, group, admin_and_home_go_back);
}

#[test]
fn an_admin_that_lost_its_keys_and_a_home_that_lost_the_log() {
    let mut world = three_people();
    world.keep_relay_copy(0);
    let group = group_of(&mut world, 0, &[1, 2]);
    world.keep_copy(0);
    let world = comes_together(world, group, admin_and_home_go_back);
    assert!(world.devices[0].told.contains_key("home lost"), "it was shown that nobody could bring it back");
}

#[test]
fn an_admin_that_is_the_home_and_goes_back() {
    let mut world = people_at(&[None, Some(0)]);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let group = group_of(&mut world, 0, &[1]);
    world.keep_copy(0);
    let world = comes_together(world, group, |world| {
        world.command(1, Command::UpdateKeys { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(60_000);
        world.restore_device(0);
    });
    assert!(world.devices[0].told.contains_key("home lost"), "it was shown that nobody could bring it back");
}

#[test]
fn an_admin_that_became_the_home_after_the_copy_and_goes_back() {
    let (mut world, _) = contacts_of(calm());
    let group = group_of(&mut world, 0, &[1]);
    world.keep_copy(0);
    world.command(0, Command::MoveHome { conversation: group, relay: None }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    comes_together(world, group, |world| {
        world.command(1, Command::UpdateKeys { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(60_000);
        world.restore_device(0);
    });
}

#[test]
fn an_admin_with_nothing_left_of_its_group_and_a_home_that_lost_the_log_leave_a_group_that_all_know_to_be_lost() {
    let mut world = three_people();
    world.keep_relay_copy(0);
    world.keep_copy(0);
    let group = group_of(&mut world, 0, &[1, 2]);
    admin_and_home_go_back(&mut world);
    let text = world.say(1, group);
    let world = settled(world);
    assert!(world.shows(2, &text), "messages flow");
    assert!([1, 2].iter().all(|device| world.devices[*device].told.get("home lost") == Some(&1)));
    assert!(world.devices[0].told.contains_key("rejoining"));
}

#[test]
fn an_only_admin_that_left_while_its_home_lost_the_log_leaves_a_group_that_all_know_to_be_lost() {
    let (mut world, _) = contacts_of(calm());
    world.keep_relay_copy(0);
    let group = group_of(&mut world, 0, &[1]);
    world.restore_relay(0);
    world.ledger.unseated.insert((group, world.devices[0].account));
    world.command(0, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    // It waits to be taken out, and may write as long as it does.
    let texts = [world.say(0, group), world.say(1, group)];
    let world = settled(world);
    assert!(world.shows(0, &texts[1]) && !world.shows(1, &texts[0]), "{}", world.trace.text());
    assert!([0, 1].iter().all(|device| world.devices[*device].told.contains_key("home lost")));
}

#[test]
fn who_was_taken_out_of_a_group_that_its_only_admin_has_forgotten_waits_for_nothing() {
    let (mut world, _) = contacts_of(calm());
    world.keep_copy(0);
    let group = group_of(&mut world, 0, &[1]);
    let member = world.devices[1].account;
    world.ledger.unseated.insert((group, member));
    let remove = Command::RemoveMember { conversation: group, member };
    world.command(0, remove, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10_000);
    world.restore_device(0);
    let world = settled(world);
    assert!(!world.devices[1].told.contains_key("rejoining"));
}

#[test]
fn an_only_admin_that_left_and_goes_back_to_before_the_others_came_is_alone_in_a_group_of_its_own() {
    let (mut world, _) = contacts_of(calm());
    let group = group_of(&mut world, 0, &[]);
    world.keep_copy(0);
    let members = vec![world.devices[1].account];
    world.command(0, Command::AddMembers { conversation: group, members }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    world.ledger.unseated.insert((group, world.devices[0].account));
    world.command(0, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10 * 60_000);
    world.restore_device(0);
    let mut world = settled(world);
    let texts = [0, 1].map(|device| world.say(device, group));
    world.run_for(60_000);
    assert!(!world.shows(1, &texts[0]) && !world.shows(0, &texts[1]), "{}", world.trace.text());
}

#[test]
fn who_leaves_a_group_is_taken_out_although_it_deletes_what_says_so() {
    let (mut world, _) = contacts_of(calm());
    let members = vec![world.devices[1].account];
    let command = Command::CreateGroup { name: "a group".to_owned(), members };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10);
    let group = one_of(&world, 0, Kind::Group);
    // Before anybody else is there, who will be given what is left of it.
    world.ledger.unseated.insert((group, world.devices[0].account));
    world.command(0, Command::Leave { conversation: group }, move |world, outcome| {
        let Ok(Reply::Written { id, .. }) = outcome else { panic!("{outcome:?}") };
        world.command(0, Command::Delete { conversation: group, of: id }, |_, outcome| assert!(outcome.is_ok()));
    });
    let world = settled(world);
    let view = world.conversations(1).into_iter().find(|view| view.id == group).expect("a group");
    assert!(!world.present(&view).contains(&world.devices[0].id), "{}", world.trace.text());
}

#[test]
fn an_only_admin_that_left_in_a_log_that_is_shown_to_it_alone_leaves_a_group_that_the_others_know_to_be_lost() {
    // The second person may begin no log at the home of the first.
    let mut plan = calm();
    plan.relays = 2;
    let (mut world, _) = contacts_of(plan);
    hide_from(&mut world, 0);
    let group = group_of(&mut world, 0, &[1]);
    world.ledger.unseated.insert((group, world.devices[0].account));
    world.command(0, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    let world = settled(world);
    let told = [0, 1].map(|device: usize| world.devices[device].told.contains_key("home lost"));
    assert_eq!(told, [false, true], "{}", world.trace.text());
}

#[test]
fn an_only_admin_that_left_and_goes_back_to_before_that_is_shown_its_leave() {
    for at_relay in [true, false] {
        let mut world = people_at(&[at_relay.then_some(0), Some(0)]);
        world.request(0, 1);
        world.run_for(10_000);
        world.accept_all(1);
        world.run_for(60_000);
        let group = group_of(&mut world, 0, &[1]);
        let before = world.say(0, group);
        world.run_for(60_000);
        world.keep_copy(0);
        world.ledger.unseated.insert((group, world.devices[0].account));
        world.command(0, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(10 * 60_000);
        world.restore_device(0);
        let after = world.say(1, group);
        let world = settled(world);
        let view = world.conversations(0).into_iter().find(|view| view.id == group).expect("a group");
        assert!(!world.present(&view).contains(&world.devices[0].id), "{}", world.trace.text());
        assert!(world.shows(0, &before) && !world.shows(0, &after), "at a relay: {at_relay}");
    }
}

#[test]
fn members_that_lost_their_keys_in_a_group_that_its_only_admin_knows_nothing_of_know_that_they_wait() {
    let mut world = three_people();
    world.keep_copy(0);
    let group = group_of(&mut world, 0, &[1, 2]);
    let text = world.say(1, group);
    world.run_for(60_000);
    for device in [1, 2] {
        world.keep_copy(device);
    }
    for device in 0..3 {
        world.restore_device(device);
    }
    let world = settled(world);
    for device in [1, 2] {
        assert!(world.shows(device, &text) && world.devices[device].told.contains_key("rejoining"));
    }
    assert!(world.conversations(0).iter().all(|view| view.id != group), "nobody could tell the admin");
}

#[test]
fn an_only_admin_that_leads_somebody_into_a_group_without_a_home_leaves_them_knowing_it() {
    // The second person may begin no log at the home of the first.
    let mut world = three_people_at(2);
    let group = group_of(&mut world, 0, &[1, 2]);
    world.hostile.insert(0);
    world.succeed(0, group, &[1], Successor::Plain).expect("it can be tried");
    let world = settled(world);
    assert!(world.devices[1].told.contains_key("home lost"), "{}", world.trace.text());
}

#[test]
fn an_only_admin_that_leads_somebody_out_of_a_group_leaves_the_others_knowing_it() {
    let mut world = three_people();
    let group = group_of(&mut world, 0, &[1, 2]);
    let before = world.say(1, group);
    world.run_for(60_000);
    world.hostile.insert(0);
    world.succeed(0, group, &[1], Successor::Plain).expect("it can be tried");
    world.run_for(60_000);
    let [led, left] = [1, 2].map(|device: usize| world.say(device, group));
    let world = settled(world);
    let has_moved = |device: usize| world.ground(device, group).expect("a member").policy.generation > 0;
    assert_eq!([1, 2].map(has_moved), [true, false], "{}", world.trace.text());
    assert!(world.devices[2].told.contains_key("rejoining"));
    assert!(world.shows(2, &before) && world.shows(1, &led) && world.shows(2, &left));
}

#[test]
fn siblings_whom_an_admin_led_apart_in_a_group_where_somebody_is_blocked_know_it_each() {
    // Nobody of the second person's may begin a log at the home of the first.
    let mut world = three_people_at(2);
    let second = another_device(&mut world, 1);
    let group = group_of(&mut world, 0, &[1, 2]);
    let before = world.say(1, group);
    world.run_for(10 * 60_000);
    assert!(world.shows(second, &before), "{}", world.trace.text());
    world.hostile.insert(0);
    let blocked = world.devices[0].account;
    world.ledger.blocked.insert((world.devices[2].account, blocked));
    world.command(2, Command::Block { account: blocked }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    world.succeed(0, group, &[1], Successor::Plain).expect("it can be tried");
    world.run_for(60_000);
    let said = world.say(1, group);
    let world = settled(world);
    assert!(world.shows(1, &said) && !world.shows(second, &said), "they are together");
    assert!(world.devices[1].told.contains_key("home lost") && world.devices[second].told.contains_key("rejoining"));
}

/// All go back to what they are now, and what they write then shows everywhere.
fn all_go_back(mut world: World, conversation: ConversationId) {
    for device in 0..world.devices.len() {
        world.keep_copy(device);
    }
    for device in 0..world.devices.len() {
        world.restore_device(device);
    }
    let texts: Vec<String> = (0..world.devices.len()).map(|device| world.say(device, conversation)).collect();
    all_show(&settled(world), &texts);
}

#[test]
fn two_who_both_went_back_to_old_copies_come_together() {
    let (mut world, conversation) = contacts_of(calm());
    world.say(0, conversation);
    world.run_for(10_000);
    all_go_back(world, conversation);
}

#[test]
fn a_group_of_whom_all_went_back_to_old_copies_comes_together() {
    let mut world = three_people();
    let group = group_of(&mut world, 0, &[1, 2]);
    all_go_back(world, group);
}
