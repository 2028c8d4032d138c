//! Single things that have to hold, each in a network of its own.

use kith_core::chat::account::waiting_requests;
use kith_core::chat::policy::Kind;
use kith_core::chat::{Command, MessageState};
use kith_core::types::ConversationId;

use super::faults::{Lie, Plan};
use super::world::World;

/// A person for each of these relays, or without one, of one device each; none knows another.
pub(super) fn people_at(relays: &[Option<usize>]) -> World {
    people_in(calm(), relays)
}

/// The same in a network of a plan.
pub(super) fn people_in(plan: Plan, relays: &[Option<usize>]) -> World {
    let mut world = World::new(plan, std::env::var_os("KITH_SIM_TRACE").is_some());
    for _ in 0..relays.iter().flatten().max().map_or(0, |last| last + 1) {
        world.add_relay();
    }
    for relay in relays {
        world.add_person(*relay);
    }
    world.watch_links();
    world.run_for(5_000);
    world
}

/// Another device of somebody, which has had the time to hear of everything.
pub(super) fn another_device(world: &mut World, of: usize) -> usize {
    let device = world.add_device(of);
    world.run_for(10 * 60_000);
    device
}

/// Two people of one device each, or more, at one relay each of as many as there are; the first two are contacts.
pub(super) fn contacts_of(plan: Plan) -> (World, ConversationId) {
    let mut world = World::new(plan, std::env::var_os("KITH_SIM_TRACE").is_some());
    for _ in 0..world.plan.relays {
        world.add_relay();
    }
    for person in 0..world.plan.accounts {
        let relay = (world.plan.relays > 0).then(|| person % world.plan.relays);
        world.add_person(relay);
    }
    world.watch_links();
    world.run_for(5_000);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let conversation = one_of(&world, 0, Kind::Direct);
    (world, conversation)
}

/// Two who have no relay, and who have asked each other.
pub(super) fn contacts_without_a_relay() -> (World, ConversationId) {
    let mut world = people_at(&[None, None]);
    // They are reached straight only, by those whom they would write to themselves.
    world.request(0, 1);
    world.request(1, 0);
    world.run_for(60_000);
    let conversation = one_of(&world, 0, Kind::Direct);
    (world, conversation)
}

/// Somebody's conversation of a kind of which they have one.
pub(super) fn one_of(world: &World, device: usize, kind: Kind) -> ConversationId {
    let view = world.conversations(device).into_iter().find(|view| view.kind == kind);
    let Some(view) = view else { panic!("no conversation came about\n{}", world.trace.text()) };
    view.id
}

/// The group that a device makes with others, who have had the time to come into it.
pub(super) fn group_of(world: &mut World, maker: usize, others: &[usize]) -> ConversationId {
    let members = others.iter().map(|device| world.devices[*device].account).collect();
    let command = Command::CreateGroup { name: "a group".to_owned(), members };
    world.command(maker, command, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(2 * 60_000);
    for device in others {
        one_of(world, *device, Kind::Group);
    }
    one_of(world, maker, Kind::Group)
}

pub(super) fn settled(mut world: World) -> World {
    if let Err(problem) = world.settle() {
        panic!("{}\n{problem}", world.trace.text());
    }
    world
}

pub(super) fn calm() -> Plan {
    Plan::calm(1)
}

#[test]
pub(super) fn two_people_write_to_each_other_and_both_see_the_same() {
    let (mut world, conversation) = contacts_of(calm());
    for _ in 0..5 {
        world.say(0, conversation);
        world.say(1, conversation);
        world.run_for(700);
    }
    let world = settled(world);
    assert_eq!(world.ledger.written.len(), 10);
    assert!(world.ledger.written.iter().all(|written| written.state >= Some(MessageState::Delivered)));
}

#[test]
pub(super) fn a_message_is_queued_then_sent_then_delivered_and_each_only_when_it_is_true() {
    let (mut world, conversation) = contacts_of(calm());
    world.stop(1);
    world.relays[0].up = false;
    world.drop_connections(0);
    let text = world.say(0, conversation);
    world.run_for(60_000);
    world.look_at_states();
    assert_eq!(world.ledger.written[0].state, Some(MessageState::Queued));
    world.relays[0].up = true;
    world.run_for(15 * 60_000);
    world.look_at_states();
    assert_eq!(world.ledger.written[0].state, Some(MessageState::Sent));
    assert!(!world.shows(1, &text));
    world.boot(1, false);
    world.run_for(5 * 60_000);
    world.look_at_states();
    assert_eq!(world.ledger.written[0].state, Some(MessageState::Delivered));
    assert!(world.shows(1, &text));
    settled(world);
}

#[test]
pub(super) fn with_the_relay_down_two_devices_that_know_each_other_write_straight() {
    let (mut world, conversation) = contacts_of(calm());
    world.relays[0].up = false;
    world.drop_connections(0);
    let text = world.say(0, conversation);
    world.run_for(60_000);
    assert!(world.shows(1, &text));
}

#[test]
pub(super) fn people_at_two_relays_write_to_each_other_without_meeting() {
    let mut plan = calm();
    plan.relays = 2;
    let (mut world, conversation) = contacts_of(plan);
    world.links.no_direct = true;
    world.run_for(5_000);
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    world.run_for(10 * 60_000);
    assert!(world.shows(1, &texts[0]) && world.shows(0, &texts[1]));
}

#[test]
pub(super) fn a_stranger_shows_nowhere_until_accepted() {
    let mut world = World::new(calm(), false);
    world.add_relay();
    world.add_person(Some(0));
    world.add_person(Some(0));
    world.watch_links();
    world.run_for(5_000);
    world.request(0, 1);
    world.run_for(60_000);
    assert_eq!(world.devices[1].told.get("request"), Some(&1));
    assert!(!world.shows(1, "text 1"));
    world.accept_all(1);
    world.run_for(60_000);
    assert!(world.shows(1, "text 1"));
}

#[test]
pub(super) fn two_people_who_ask_each_other_at_once_have_one_conversation() {
    let mut world = World::new(calm(), false);
    world.add_relay();
    world.add_person(Some(0));
    world.add_person(Some(0));
    world.watch_links();
    world.run_for(5_000);
    world.request(0, 1);
    world.request(1, 0);
    world.run_for(500);
    world.accept_all(0);
    world.accept_all(1);
    let world = settled(world);
    for device in [0, 1] {
        let direct = world.conversations(device).into_iter().filter(|view| view.kind == Kind::Direct).count();
        assert_eq!(direct, 1, "at device {device}");
    }
}

#[test]
pub(super) fn devices_added_on_both_sides_at_once_end_up_in_one_group() {
    let (mut world, conversation) = contacts_of(calm());
    world.add_device(0);
    world.add_device(1);
    let text = world.say(0, conversation);
    let world = settled(world);
    assert!((0..4).all(|device| world.shows(device, &text)));
}

#[test]
pub(super) fn a_welcome_that_comes_before_word_of_the_contact_is_not_lost() {
    let mut world = people_at(&[Some(0), Some(0)]);
    let second = another_device(&mut world, 0);
    // The second device asks, and cannot tell the first one.
    world.links.cut.insert((0, second));
    world.request(second, 1);
    let asked = |world: &World| !waiting_requests(&world.devices[1].store).expect("a readable store").is_empty();
    for _ in 0..250 {
        if asked(&world) {
            break;
        }
        world.run_for(20);
    }
    assert!(asked(&world), "{}", world.trace.text());
    world.links.relay_cut.insert((second, 0));
    let connection = world.devices[second].connection;
    world.disconnect_relay(second, connection);
    world.accept_all(1);
    world.run_for(10 * 60_000);
    let world = settled(world);
    assert!((0..3).all(|device| world.shows(device, "text 1")), "{}", world.trace.text());
}

#[test]
pub(super) fn keys_renewed_on_both_sides_at_once_leave_one_group() {
    let (mut world, conversation) = contacts_of(calm());
    for device in [0, 1] {
        world.command(device, Command::UpdateKeys { conversation }, |_, outcome| assert!(outcome.is_ok()));
    }
    let text = world.say(1, conversation);
    let world = settled(world);
    assert!(world.shows(0, &text));
}

#[test]
pub(super) fn an_older_record_is_noticed_and_named() {
    let (mut world, _) = contacts_of(calm());
    world.add_device(1);
    world.run_for(10 * 60_000);
    world.relays[0].lie = Some(Lie::OldRecords);
    // Whoever signs in asks for the record of its own account.
    world.drop_connections(0);
    world.run_for(60_000);
    assert!(world.devices[1].told.contains_key("record fork"));
}

#[test]
pub(super) fn a_device_from_an_old_copy_shows_everything_again() {
    let (mut world, conversation) = contacts_of(calm());
    world.say(1, conversation);
    world.run_for(10_000);
    world.keep_copy(1);
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    world.run_for(10_000);
    world.restore_device(1);
    let after = world.say(1, conversation);
    let world = settled(world);
    for device in [0, 1] {
        assert!(texts.iter().chain([&after]).all(|text| world.shows(device, text)), "at device {device}");
    }
}

fn direct(world: &World, device: usize) -> Option<ConversationId> {
    world.conversations(device).into_iter().find(|view| view.kind == Kind::Direct).map(|view| view.id)
}

#[test]
pub(super) fn a_device_from_before_its_person_knew_somebody_is_told_of_them_and_comes_back() {
    let mut world = people_at(&[Some(0), Some(0)]);
    world.keep_copy(1);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let conversation = direct(&world, 0).expect("a conversation");
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    world.run_for(10_000);
    world.restore_device(1);
    assert_eq!(direct(&world, 1), None, "it knows nothing of it");
    let after = world.say(0, conversation);
    let world = settled(world);
    for device in [0, 1] {
        assert!(texts.iter().chain([&after]).all(|text| world.shows(device, text)), "at device {device}");
    }
}

#[test]
pub(super) fn a_request_that_was_answered_after_the_copy_shows_its_text_once() {
    answered_after_the_copy(false);
}

#[test]
fn a_device_that_ends_before_it_has_dealt_with_its_copy_deals_with_it_at_its_next_start() {
    answered_after_the_copy(true);
}

fn answered_after_the_copy(ends_at_once: bool) {
    let mut world = people_at(&[Some(0), Some(0)]);
    world.request(0, 1);
    world.run_for(1_000);
    world.keep_copy(0);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let conversation = direct(&world, 1).expect("a conversation");
    let text = world.say(0, conversation);
    world.run_for(10_000);
    world.restore_device(0);
    if ends_at_once {
        world.stop(0);
        world.boot(0, false);
    }
    let world = settled(world);
    for device in [0, 1] {
        assert!(world.shows(device, "text 1") && world.shows(device, &text), "at device {device}");
    }
}

#[test]
fn a_request_whose_text_was_under_way_when_its_device_went_back_shows_it_once() {
    // Without a relay the Welcome comes straight.
    let mut world = people_at(&[None, Some(0)]);
    world.request(0, 1);
    world.run_for(5_000);
    world.keep_copy(0);
    // What is sent together comes together, later than devices meet again.
    world.plan.latency_ms = (3_000, 3_000);
    world.accept_all(1);
    for _ in 0..5_000 {
        if direct(&world, 0).is_some() {
            break;
        }
        world.run_for(2);
    }
    assert!(direct(&world, 0).is_some(), "{}", world.trace.text());
    world.restore_device(0);
    let world = settled(world);
    assert!((0..2).all(|device| world.shows(device, "text 1")), "{}", world.trace.text());
}

#[test]
pub(super) fn a_request_that_is_answered_after_its_device_went_back_has_its_text_all_the_same() {
    let mut world = people_at(&[Some(0), Some(0)]);
    world.request(0, 1);
    world.run_for(10_000);
    world.keep_copy(0);
    world.restore_device(0);
    world.accept_all(1);
    let world = settled(world);
    assert!((0..2).all(|device| world.shows(device, "text 1")));
}

#[test]
fn a_device_from_before_a_conversation_believes_whom_it_had_asked_and_who_lost_its_keys_as_well() {
    let mut world = people_at(&[Some(0), Some(0)]);
    world.request(1, 0);
    world.run_for(10_000);
    world.keep_copy(1);
    world.accept_all(0);
    world.run_for(60_000);
    let conversation = direct(&world, 0).expect("a conversation");
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    world.run_for(10_000);
    world.keep_copy(0);
    for device in [1, 0] {
        world.restore_device(device);
    }
    let after = world.say(0, conversation);
    let world = settled(world);
    for device in [0, 1] {
        assert!(texts.iter().chain([&after]).all(|text| world.shows(device, text)), "at device {device}");
    }
}

#[test]
pub(super) fn a_device_from_before_a_group_is_added_to_it_again_although_nobody_writes() {
    let (mut world, _) = contacts_of(calm());
    world.keep_copy(1);
    let group = group_of(&mut world, 0, &[1]);
    let text = world.say(0, group);
    world.run_for(60_000);
    world.restore_device(1);
    world.run_for(4 * 60_000);
    assert!(world.shows(1, &text), "it was connected, and said that it does not know the group");
    settled(world);
}

#[test]
fn a_request_that_is_made_anew_after_its_device_went_back_is_answered_although_the_first_one_was_accepted() {
    // Without a relay nobody keeps key packages for it.
    let mut world = people_at(&[None, Some(0)]);
    world.keep_copy(0);
    world.request(0, 1);
    world.run_for(5_000);
    world.restore_device(0);
    world.accept_all(1);
    world.run_for(1_000);
    world.request(0, 1);
    let world = settled(world);
    assert!((0..2).all(|device| world.shows(device, "text 2")), "{}", world.trace.text());
}

#[test]
fn a_device_from_before_its_account_left_a_group_learns_that_it_is_out() {
    let (mut world, _) = contacts_of(calm());
    let second = another_device(&mut world, 1);
    let group = group_of(&mut world, 0, &[1, second]);
    world.keep_copy(1);
    world.ledger.unseated.insert((group, world.devices[1].account));
    world.command(second, Command::Leave { conversation: group }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    world.restore_device(1);
    let world = settled(world);
    let views = world.conversations(1);
    let here = views.iter().find(|view| view.id == group).expect("it is still shown");
    assert!(!world.present(here).contains(&world.devices[1].id));
}

#[test]
pub(super) fn a_removed_device_from_before_a_group_is_told_nothing_of_it() {
    let (mut world, _) = contacts_of(calm());
    let thief = world.add_device(1);
    world.run_for(10 * 60_000);
    world.keep_copy(thief);
    let group = group_of(&mut world, 0, &[1]);
    world.run_for(10 * 60_000);
    assert!(world.conversations(thief).iter().any(|view| view.id == group));
    world.remove_device(thief);
    world.run_for(10 * 60_000);
    world.restore_device(thief);
    let text = world.say(0, group);
    let world = settled(world);
    assert!(!world.conversations(thief).iter().any(|view| view.id == group) && !world.shows(thief, &text));
}

#[test]
pub(super) fn mail_that_a_relay_lost_comes_all_the_same() {
    let (mut world, conversation) = contacts_of(calm());
    world.links.no_direct = true;
    world.run_for(10_000);
    world.stop(1);
    world.keep_relay_copy(0);
    let text = world.say(0, conversation);
    world.run_for(60_000);
    world.look_at_states();
    assert_eq!(world.ledger.written[0].state, Some(MessageState::Sent));
    world.restore_relay(0);
    world.boot(1, false);
    world.run_for(3 * 3_600_000);
    assert!(world.shows(1, &text));
}

#[test]
pub(super) fn what_a_thief_writes_on_a_removed_device_shows_nowhere_whoever_passes_it_on() {
    let (mut world, conversation) = contacts_of(calm());
    let thief = world.add_device(0);
    world.run_for(10 * 60_000);
    // The accomplice and the thief hear of nothing but each other.
    for (device, other) in [(0, 1), (0, thief)] {
        world.links.cut.insert((device, other));
    }
    for device in [1, thief] {
        world.links.relay_cut.insert((device, 0));
        let connection = world.devices[device].connection;
        world.disconnect_relay(device, connection);
    }
    world.remove_device(thief);
    world.run_for(10 * 60_000);
    let text = world.say(thief, conversation);
    world.run_for(60_000);
    assert!(world.shows(1, &text), "the accomplice cannot know yet\n{}", world.trace.text());
    world.links.relay_cut.clear();
    world.links.cut.remove(&(0, 1));
    let world = settled(world);
    assert!(!world.shows(0, &text) && !world.shows(1, &text));
}

#[test]
fn what_a_removed_device_deletes_while_its_removal_is_under_way_is_there_all_the_same() {
    let (mut world, conversation) = contacts_of(calm());
    let second = another_device(&mut world, 0);
    let text = world.say(second, conversation);
    world.run_for(60_000);
    let of = world.ledger.written.last().expect("it was acknowledged").id;
    // The other device makes the commit, and cannot append it.
    world.links.relay_cut.insert((second, 0));
    let connection = world.devices[second].connection;
    world.disconnect_relay(second, connection);
    world.remove_device(0);
    world.run_for(3_000);
    world.command(0, Command::Delete { conversation, of }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10_000);
    assert!(!world.shows(1, &text), "{}", world.trace.text());
    world.links.relay_cut.clear();
    let world = settled(world);
    assert!([1, second].iter().all(|device| world.shows(*device, &text)));
}

#[test]
pub(super) fn nothing_acknowledged_is_lost_when_processes_end_at_any_write() {
    let mut plan = calm();
    plan.seed = 11;
    let (mut world, conversation) = contacts_of(plan);
    world.plan.crash_permille = 120;
    for _ in 0..25 {
        world.say(0, conversation);
        world.say(1, conversation);
        world.run_for(8_000);
    }
    let world = settled(world);
    assert!(world.ledger.written.len() > 10, "too few were acknowledged to show anything");
}

#[test]
pub(super) fn clocks_a_day_off_change_no_order() {
    let mut plan = calm();
    plan.skewed = true;
    let (mut world, conversation) = contacts_of(plan);
    let mut texts = Vec::new();
    for turn in 0..6 {
        texts.push(world.say(turn % 2, conversation));
        world.run_for(10_000);
    }
    let world = settled(world);
    let view = world.conversations(0).into_iter().find(|view| view.id == conversation).expect("the conversation");
    let shown: Vec<String> = world.timeline(0, &view).into_iter().map(|line| line.body).collect();
    assert!(shown.ends_with(&texts), "{shown:?}");
}

#[test]
fn a_device_that_a_relay_from_a_copy_does_not_know_is_let_in_again() {
    for alone in [false, true] {
        let (mut world, conversation) = contacts_of(calm());
        world.keep_relay_copy(0);
        let added = world.add_device(0);
        world.run_for(10 * 60_000);
        world.links.no_direct = true;
        if alone {
            // No device that the relay knows is there to tell it.
            world.stop(0);
        }
        world.restore_relay(0);
        world.run_for(30 * 60_000);
        assert!(world.devices[added].relay_up.is_some(), "alone: {alone}\n{}", world.trace.text());
        let text = world.say(added, conversation);
        world.run_for(30 * 60_000);
        assert!(world.shows(1, &text), "alone: {alone}");
    }
}

#[test]
fn an_invitation_that_a_relay_lost_comes_all_the_same() {
    let mut world = World::new(calm(), std::env::var_os("KITH_SIM_TRACE").is_some());
    world.add_relay();
    world.add_person(Some(0));
    world.add_person(Some(0));
    world.links.no_direct = true;
    world.watch_links();
    world.run_for(5_000);
    world.request(0, 1);
    world.run_for(10_000);
    world.keep_relay_copy(0);
    world.stop(0);
    world.accept_all(1);
    world.run_for(60_000);
    world.restore_relay(0);
    world.run_for(60_000);
    world.boot(0, false);
    world.run_for(3 * 3_600_000);
    let view = world.conversations(0).into_iter().find(|view| view.kind == Kind::Direct);
    let Some(view) = view else { panic!("the invitation is lost\n{}", world.trace.text()) };
    let text = world.say(0, view.id);
    world.run_for(10 * 60_000);
    assert!(world.shows(1, &text));
}

#[test]
pub(super) fn all_devices_of_an_account_without_a_relay_come_into_a_group_that_one_of_them_makes() {
    let mut world = people_at(&[None]);
    let second = another_device(&mut world, 0);
    let command = Command::CreateGroup { name: "alone".to_owned(), members: Vec::new() };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10 * 60_000);
    let group = world.conversations(second).into_iter().find(|view| view.kind == Kind::Group);
    let Some(group) = group else { panic!("the other device is not in it\n{}", world.trace.text()) };
    let text = world.say(0, group.id);
    let world = settled(world);
    assert!(world.shows(second, &text));
}

#[test]
pub(super) fn after_a_removal_all_devices_that_stay_read_what_is_sealed_to_their_account() {
    let mut plan = calm();
    plan.accounts = 3;
    let (mut world, _) = contacts_of(plan);
    let (second, thief) = (world.add_device(1), world.add_device(1));
    world.run_for(10 * 60_000);
    world.remove_device(thief);
    world.run_for(10 * 60_000);
    world.request(2, 1);
    world.run_for(60_000);
    let asked = |device: usize| {
        let waiting = waiting_requests(&world.devices[device].store).expect("a readable store");
        waiting.iter().any(|request| request.account == world.devices[2].account)
    };
    assert_eq!([1, second, thief].map(asked), [true, true, false], "{}", world.trace.text());
    settled(world);
}
