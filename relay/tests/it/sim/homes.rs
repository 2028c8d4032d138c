//! Homes that lie, hide what they have, or take nothing, and moves away from them.

use kith_core::chat::Command;
use kith_core::chat::policy::Kind;

use super::faults::{Lie, Plan};
use super::scenarios::{
    another_device, calm, contacts_of, contacts_without_a_relay, group_of, one_of, people_in, settled,
};
use super::world::World;

/// The first relay shows a device no more of its logs than there is now.
pub(super) fn hide_from(world: &mut World, device: usize) {
    hide_at(world, 0, device);
}

fn hide_at(world: &mut World, relay: usize, device: usize) {
    let victim = world.devices[device].transport;
    let rows = world.relays[relay].disk.snapshot();
    world.relays[relay].lie = Some(Lie::Fork { victim, rows });
}

#[test]
fn garbage_in_the_log_stops_nobody() {
    let (mut world, conversation) = contacts_of(calm());
    world.relays[0].lie = Some(Lie::Garbage);
    for _ in 0..4 {
        world.command(0, Command::UpdateKeys { conversation }, |_, _| {});
        world.command(1, Command::UpdateKeys { conversation }, |_, _| {});
        world.run_for(30_000);
    }
    world.add_device(1);
    let text = world.say(0, conversation);
    let world = settled(world);
    assert!(world.shows(2, &text));
}

#[test]
fn what_a_removed_device_wrote_counts_although_garbage_came_before_the_commit_that_removes_it() {
    let mut plan = calm();
    // An answer takes longer than a commit that met a conflict waits to be made anew.
    plan.latency_ms = (1_500, 2_000);
    let (mut world, conversation) = contacts_of(plan);
    let mut texts = Vec::new();
    for _ in 0..3 {
        world.relays[0].lie = None;
        let other = another_device(&mut world, 0);
        texts.push(world.say(other, conversation));
        world.run_for(60_000);
        world.relays[0].lie = Some(Lie::Garbage);
        world.remove_device(other);
        world.run_for(10 * 60_000);
    }
    let world = settled(world);
    for device in [0, 1] {
        assert!(texts.iter().all(|text| world.shows(device, text)), "device {device}\n{}", world.trace.text());
    }
}

#[test]
fn a_home_that_shows_two_versions_of_its_log_is_noticed_and_left() {
    let (mut world, conversation) = contacts_of(calm());
    hide_from(&mut world, 1);
    for device in [0, 1] {
        world.command(device, Command::UpdateKeys { conversation }, |_, _| {});
    }
    world.run_for(60_000);
    world.say(0, conversation);
    world.say(1, conversation);
    world.run_for(30 * 60_000);
    let told = world.devices.iter().any(|device| device.told.contains_key("home lied"));
    assert!(told, "{}", world.trace.text());
    settled(world);
}

#[test]
fn a_home_that_shows_two_versions_of_its_log_is_noticed_after_it_was_moved_away_from_in_one_of_them_or_both() {
    for both in [false, true] {
        let (mut world, conversation) = contacts_of(calm());
        hide_from(&mut world, 1);
        let elsewhere = || Command::MoveHome { conversation, relay: None };
        let first = if both { elsewhere() } else { Command::UpdateKeys { conversation } };
        for (device, command) in [(0, first), (1, elsewhere())] {
            world.command(device, command, |_, outcome| assert!(outcome.is_ok()));
        }
        world.run_for(60_000);
        let texts = [world.say(0, conversation), world.say(1, conversation)];
        world.run_for(30 * 60_000);
        let told = world.devices.iter().any(|device| device.told.contains_key("home lied"));
        assert!(told, "both: {both}\n{}", world.trace.text());
        let world = settled(world);
        assert!([0, 1].iter().all(|device| texts.iter().all(|text| world.shows(*device, text))), "both: {both}");
    }
}

#[test]
fn a_home_that_hides_from_a_device_the_commit_that_brought_it_back_is_noticed_and_left() {
    let (mut world, conversation) = contacts_of(calm());
    for device in [0, 1] {
        world.keep_copy(device);
    }
    hide_from(&mut world, 0);
    world.restore_device(0);
    world.run_for(10 * 60_000);
    let text = world.say(0, conversation);
    world.run_for(60_000);
    assert!(world.shows(1, &text), "{}", world.trace.text());
    // Now only that device can bring the other back.
    world.restore_device(1);
    let world = settled(world);
    assert!(world.shows(1, &text));
}

#[test]
fn an_only_admin_that_lost_its_keys_is_brought_back_although_the_home_hides_from_the_member_that_it_came() {
    let (mut world, _) = contacts_of(calm());
    let group = group_of(&mut world, 0, &[]);
    hide_from(&mut world, 1);
    let command = Command::AddMembers { conversation: group, members: vec![world.devices[1].account] };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    world.keep_copy(0);
    let text = world.say(1, group);
    world.run_for(60_000);
    assert!(world.shows(0, &text), "{}", world.trace.text());
    world.restore_device(0);
    let world = settled(world);
    assert!(world.shows(0, &text));
}

#[test]
fn an_only_admin_whose_home_has_lost_what_it_showed_to_a_member_moves_the_group() {
    let (mut world, _) = contacts_of(calm());
    let group = group_of(&mut world, 0, &[1]);
    hide_from(&mut world, 1);
    world.command(1, Command::UpdateKeys { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    // From now on nobody is shown the log that the member has walked.
    world.relays[0].lie = None;
    let texts = [world.say(0, group), world.say(1, group)];
    let world = settled(world);
    for device in [0, 1] {
        assert!(texts.iter().all(|text| world.shows(device, text)), "at device {device}\n{}", world.trace.text());
    }
}

#[test]
fn two_relays_that_each_hide_their_logs_from_the_others_people_are_both_left() {
    let mut plan = calm();
    plan.relays = 2;
    let (mut world, conversation) = contacts_of(plan);
    for device in [0, 1] {
        hide_at(&mut world, 1 - device, device);
    }
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    let mut generations = Vec::new();
    for _ in 0..8 {
        for device in [0, 1] {
            world.command(device, Command::UpdateKeys { conversation }, |_, _| {});
        }
        world.run_for(3_600_000);
        generations.push([0, 1].map(|device| world.ground(device, conversation).expect("a member").policy.generation));
    }
    assert!(generations[4..].iter().all(|now| *now == generations[4]), "{generations:?}");
    let world = settled(world);
    assert!((0..2).all(|device| texts.iter().all(|text| world.shows(device, text))));
}

#[test]
fn a_home_that_hides_the_end_of_its_log_from_a_device_is_noticed_and_left() {
    let (mut world, conversation) = contacts_of(calm());
    hide_from(&mut world, 1);
    world.command(0, Command::UpdateKeys { conversation }, |_, _| {});
    world.run_for(60_000);
    let text = world.say(0, conversation);
    world.run_for(30 * 60_000);
    assert!(world.shows(1, &text), "{}", world.trace.text());
    settled(world);
}

#[test]
fn whoever_a_forced_move_left_behind_is_told_and_comes_after() {
    let mut world = World::new(calm(), std::env::var_os("KITH_SIM_TRACE").is_some());
    world.add_relay();
    world.add_person(Some(0));
    // Without a relay nobody keeps key packages for it.
    world.add_person(None);
    world.watch_links();
    world.run_for(5_000);
    world.request(1, 0);
    world.run_for(10_000);
    world.accept_all(0);
    world.run_for(60_000);
    let conversation = one_of(&world, 0, Kind::Direct);
    hide_from(&mut world, 0);
    for device in [0, 1] {
        world.command(device, Command::UpdateKeys { conversation }, |_, _| {});
    }
    world.run_for(60_000);
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    let world = settled(world);
    for device in [0, 1] {
        assert!(texts.iter().all(|text| world.shows(device, text)), "at device {device}");
    }
}

#[test]
fn a_member_that_may_not_move_a_group_follows_it_although_the_home_hides_every_commit_from_it() {
    let (mut world, _) = contacts_of(calm());
    let group = group_of(&mut world, 0, &[1]);
    hide_from(&mut world, 1);
    for _ in 0..3 {
        world.command(0, Command::UpdateKeys { conversation: group }, |_, _| {});
        world.run_for(60_000);
        let text = world.say(0, group);
        world.run_for(30 * 60_000);
        assert!(world.shows(1, &text), "{text}\n{}", world.trace.text());
    }
}

#[test]
fn what_a_removed_device_wrote_in_a_rival_only_shows_to_all_or_to_nobody() {
    // Which of the rivals holds is drawn.
    for seed in 1..5 {
        let mut world = people_in(Plan::calm(seed), &[Some(0), Some(0)]);
        let second = world.add_device(1);
        world.run_for(10 * 60_000);
        // One device's request founds a group, and the other's answer founds another.
        world.request(0, 1);
        world.run_for(5_000);
        world.links.cut.insert((1, second));
        world.links.relay_cut.insert((second, 0));
        let connection = world.devices[second].connection;
        world.disconnect_relay(second, connection);
        world.request(1, 0);
        world.run_for(2_000);
        world.accept_all(0);
        world.run_for(5_000);
        world.stop(1);
        world.accept_all(second);
        world.remove_device(1);
        world.links.relay_cut.clear();
        world.run_for(60_000);
        world.boot(1, false);
        settled(world);
    }
}

#[test]
fn a_conversation_whose_home_lets_no_member_begin_its_log_is_moved() {
    let mut plan = calm();
    plan.relays = 2;
    let mut world = World::new(plan, std::env::var_os("KITH_SIM_TRACE").is_some());
    world.add_relay();
    world.add_relay();
    world.add_person(Some(0));
    world.add_person(Some(0));
    world.watch_links();
    world.run_for(5_000);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let conversation = one_of(&world, 0, Kind::Direct);
    let relay = Some(world.relays[1].address.clone());
    world.command(0, Command::MoveHome { conversation, relay }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    let second = world.add_device(1);
    let text = world.say(0, conversation);
    let world = settled(world);
    assert!(world.shows(second, &text));
}

#[test]
fn a_conversation_whose_home_is_a_device_that_was_removed_is_moved() {
    let (mut world, conversation) = contacts_without_a_relay();
    let second = [0, 1].map(|person| world.add_device(person));
    world.run_for(10 * 60_000);
    // Each is the home of its account's conversation with itself, and one of them that of the other.
    let text = world.say(0, conversation);
    world.run_for(60_000);
    for device in [0, 1] {
        world.stop(device);
        world.remove_device(device);
    }
    let world = settled(world);
    assert!(second.iter().all(|device| world.shows(*device, &text)));
}

#[test]
fn who_was_shown_a_log_without_the_newest_member_follows_the_admin_who_took_it_in() {
    let mut plan = calm();
    plan.accounts = 3;
    let (mut world, _) = contacts_of(plan);
    world.request(0, 2);
    world.run_for(10_000);
    world.accept_all(2);
    world.run_for(60_000);
    let group = group_of(&mut world, 0, &[1]);
    hide_from(&mut world, 1);
    let command = Command::AddMembers { conversation: group, members: vec![world.devices[2].account] };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    // Another commit of the same place, so that the two logs contradict each other.
    world.command(1, Command::UpdateKeys { conversation: group }, |_, _| {});
    world.run_for(60_000);
    let text = world.say(2, group);
    let world = settled(world);
    assert!(world.shows(1, &text));
}

#[test]
fn whom_another_device_of_the_admin_never_saw_is_added_again_to_the_group_that_it_founds() {
    let (mut world, _) = contacts_of(calm());
    let second = another_device(&mut world, 0);
    let group = group_of(&mut world, 0, &[]);
    assert_eq!(one_of(&world, second, Kind::Group), group);
    hide_from(&mut world, second);
    let command = Command::AddMembers { conversation: group, members: vec![world.devices[1].account] };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    // Another commit of the same place, so that the two logs contradict each other.
    world.command(second, Command::UpdateKeys { conversation: group }, |_, _| {});
    world.run_for(3_000);
    world.stop(0);
    world.run_for(10 * 60_000);
    world.boot(0, false);
    let text = world.say(second, group);
    let world = settled(world);
    assert!(world.shows(1, &text), "{}", world.trace.text());
}

#[test]
fn who_was_invited_in_a_log_that_only_a_removed_device_was_shown_is_brought_into_that_of_the_others() {
    let (mut world, _) = contacts_of(calm());
    hide_from(&mut world, 0);
    let group = group_of(&mut world, 0, &[1]);
    // The other goes on in the log that everybody else is shown, and the device that made the group hears nothing of it.
    world.stop(0);
    for _ in 0..3 {
        world.command(1, Command::UpdateKeys { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(60_000);
    }
    world.stop(1);
    world.lose_mail(0, 0);
    world.boot(0, false);
    let second = another_device(&mut world, 0);
    assert_eq!(one_of(&world, second, Kind::Group), group, "{}", world.trace.text());
    // Nobody is left who walked its log, and could show that the home keeps another.
    world.stop(0);
    world.remove_device(0);
    world.boot(1, false);
    world.run_for(10 * 60_000);
    let texts = [world.say(1, group), world.say(second, group)];
    let world = settled(world);
    for device in [1, second] {
        assert!(texts.iter().all(|text| world.shows(device, text)), "at device {device}\n{}", world.trace.text());
    }
}

#[test]
fn who_was_told_that_a_log_is_not_begun_and_then_that_it_is_reads_it() {
    let (mut world, _) = contacts_of(calm());
    hide_from(&mut world, 1);
    let members = vec![world.devices[1].account];
    let command = Command::CreateGroup { name: "a group".to_owned(), members };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    let invited = |world: &World| world.conversations(1).iter().any(|view| view.kind == Kind::Group);
    for _ in 0..600 {
        if !invited(&world) {
            world.run_for(100);
        }
    }
    let group = one_of(&world, 1, Kind::Group);
    // It has asked, and not yet tried to begin the log itself.
    world.run_for(1_000);
    world.relays[0].lie = None;
    world.command(0, Command::UpdateKeys { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    let text = world.say(0, group);
    let world = settled(world);
    assert!(world.shows(1, &text));
}

#[test]
fn who_was_taken_out_of_a_group_by_a_commit_that_the_home_hides_learns_of_it() {
    let (mut world, _) = contacts_of(calm());
    let member = world.devices[1].account;
    let group = group_of(&mut world, 0, &[1]);
    hide_from(&mut world, 1);
    world.ledger.unseated.insert((group, member));
    let command = Command::RemoveMember { conversation: group, member };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    let world = settled(world);
    let views = world.conversations(1);
    let here = views.iter().find(|view| view.id == group).expect("it is still shown");
    assert!(!world.present(here).contains(&world.devices[1].id));
}

#[test]
fn devices_of_an_account_that_left_learn_that_it_is_out_although_the_home_hides_it_from_both() {
    for late in [false, true] {
        let (mut world, _) = contacts_of(calm());
        if !late {
            another_device(&mut world, 0);
        }
        let group = group_of(&mut world, 0, &[1]);
        // What the other member appends is in its own version of the log alone.
        hide_from(&mut world, 1);
        world.ledger.unseated.insert((group, world.devices[0].account));
        world.command(0, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(10_000);
        if late {
            // It comes in the version that the other member is not shown.
            let second = another_device(&mut world, 0);
            assert_eq!(one_of(&world, second, Kind::Group), group, "{}", world.trace.text());
        }
        let world = settled(world);
        for device in [0, 2] {
            let views = world.conversations(device);
            let here = views.iter().find(|view| view.id == group).expect("it is still shown");
            assert!(!world.present(here).contains(&world.devices[device].id), "late: {late}\n{}", world.trace.text());
        }
    }
}

#[test]
fn who_came_in_a_log_that_the_only_admin_is_not_shown_comes_into_the_successor_that_it_founds() {
    let (mut world, _) = contacts_of(calm());
    let second = another_device(&mut world, 0);
    let group = group_of(&mut world, 0, &[]);
    hide_from(&mut world, second);
    let members = vec![world.devices[1].account];
    world.command(0, Command::AddMembers { conversation: group, members }, |_, outcome| assert!(outcome.is_ok()));
    // Before the one that is shown less has asked to be added anew.
    world.run_for(500);
    assert_eq!(one_of(&world, 1, Kind::Group), group);
    // The device that was shown the log is gone, and the other moves the group, in which it has seen nobody else.
    world.stop(0);
    world.remove_device(0);
    let mut world = settled(world);
    let texts = [1, second].map(|device| world.say(device, group));
    world.run_for(60_000);
    assert!(world.shows(second, &texts[0]) && world.shows(1, &texts[1]), "{}", world.trace.text());
}

#[test]
fn an_admin_who_left_and_was_shown_a_lying_log_founds_nothing_and_learns_that_it_is_out() {
    let (mut world, _) = contacts_of(calm());
    let group = group_of(&mut world, 0, &[1]);
    hide_from(&mut world, 0);
    world.ledger.unseated.insert((group, world.devices[0].account));
    // Another commit of the place where its removal is.
    world.command(0, Command::UpdateKeys { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    world.command(0, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    let world = settled(world);
    let views = world.conversations(0);
    let here = views.iter().find(|view| view.id == group).expect("it is still shown");
    assert!(!world.present(here).contains(&world.devices[0].id));
}
