//! People who have blocked others, and whose devices have to agree all the same.

use kith_core::chat::policy::Kind;
use kith_core::chat::{Command, MessageState};

use super::faults::Plan;
use super::homes::hide_from;
use super::scenarios::{another_device, calm, contacts_of, one_of, people_at, people_in, settled};

#[test]
fn who_is_blocked_reaches_nobody_and_gets_no_receipt() {
    let (mut world, conversation) = contacts_of(calm());
    let account = world.devices[0].account;
    world.ledger.blocked.insert((world.devices[1].account, account));
    world.command(1, Command::Block { account }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10_000);
    let text = world.say(0, conversation);
    world.run_for(2 * 3_600_000);
    world.look_at_states();
    assert!(!world.shows(1, &text));
    assert!(world.ledger.written[0].state < Some(MessageState::Delivered));
}

#[test]
fn somebody_who_gives_no_key_packages_keeps_nobody_else_out_of_a_group() {
    let (mut world, _) = contacts_of(calm());
    let [maker, member] = [0, 1].map(|device: usize| world.devices[device].account);
    world.command(1, Command::Block { account: maker }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10_000);
    let command = Command::CreateGroup { name: "a group".to_owned(), members: vec![member] };
    world.command(0, command, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(10_000);
    let second = another_device(&mut world, 0);
    assert_eq!(one_of(&world, second, Kind::Group), one_of(&world, 0, Kind::Group));
}

#[test]
fn devices_of_somebody_who_is_blocked_agree_on_what_each_of_them_heard_alone() {
    let mut world = people_at(&[Some(0), Some(0)]);
    let [second, third] = [0, 1].map(|person| another_device(&mut world, person));
    // Each device meets one of the other person, in a group of their own, and nobody else.
    world.relays[0].up = false;
    world.drop_connections(0);
    world.links.cut.extend([(0, 1), (0, second), (1, third), (second, third)]);
    world.run_for(5_000);
    for (one, other) in [(0, third), (second, 1)] {
        world.request(one, 1);
        world.request(other, 0);
    }
    world.run_for(60_000);
    let conversation = one_of(&world, 0, Kind::Direct);
    let texts = [world.say(third, conversation), world.say(1, conversation)];
    world.run_for(10_000);
    assert!(world.shows(0, &texts[0]) && world.shows(second, &texts[1]), "{}", world.trace.text());
    let [account, other] = [0, 1].map(|device: usize| world.devices[device].account);
    world.ledger.blocked.insert((other, account));
    for device in [1, third] {
        world.command(device, Command::Block { account }, |_, outcome| assert!(outcome.is_ok()));
    }
    // The relay gives nobody their key packages any more.
    world.links.relay_cut.extend([(0, 0), (second, 0)]);
    world.relays[0].up = true;
    world.run_for(5 * 60_000);
    world.links.relay_cut.clear();
    world.links.cut.clear();
    let world = settled(world);
    for device in [0, second] {
        assert!(texts.iter().all(|text| world.shows(device, text)), "at device {device}\n{}", world.trace.text());
    }
}

#[test]
fn a_device_whose_last_group_somebody_blocked_brings_it_back_into_comes_to_its_siblings_in_a_rival_that_it_holds() {
    // Which of the rivals holds is drawn.
    for seed in 1..9 {
        let mut world = people_in(Plan::calm(seed), &[Some(0), None]);
        let second = another_device(&mut world, 1);
        // All ask, and each of the two devices comes into a group of its own with the other person.
        world.links.cut.extend([(0, 1), (0, second), (1, second)]);
        world.links.relay_cut.insert((1, 0));
        world.request(1, 0);
        world.request(second, 0);
        world.run_for(10_000);
        world.links.cut.remove(&(0, second));
        world.accept_all(0);
        world.run_for(5_000);
        let conversation = one_of(&world, second, Kind::Direct);
        world.links.cut.insert((0, second));
        world.links.cut.remove(&(0, 1));
        world.run_for(2_000);
        world.request(0, 1);
        world.run_for(300);
        world.relays[0].up = false;
        world.drop_connections(0);
        world.accept_all(1);
        world.run_for(300);
        // The second is called into the other group, and pleads with both. Before it is brought back into its own it writes there.
        let text = world.say(second, conversation);
        world.links.cut.insert((0, 1));
        world.links.cut.remove(&(1, second));
        world.run_for(10_000);
        world.links.cut.remove(&(0, second));
        world.run_for(5_000);
        world.links.cut.extend([(0, 1), (0, second)]);
        let [account, own] = [0, 1].map(|device: usize| world.devices[device].account);
        world.ledger.blocked.insert((own, account));
        world.command(second, Command::Block { account }, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(30_000);
        world.relays[0].up = true;
        world.links.cut.clear();
        let world = settled(world);
        assert!(world.shows(1, &text), "seed {seed}\n{}", world.trace.text());
    }
}

#[test]
fn devices_of_somebody_who_blocked_the_home_of_a_conversation_come_together_elsewhere() {
    let (mut world, conversation) = contacts_of(calm());
    let [own, other] = [0, 1].map(|device: usize| world.devices[device].account);
    let text = world.say(1, conversation);
    let home = Command::MoveHome { conversation, relay: None };
    world.command(1, home, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    world.ledger.blocked.insert((own, other));
    world.command(0, Command::Block { account: other }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    let second = another_device(&mut world, 0);
    let mut world = settled(world);
    assert!(world.shows(second, &text), "{}", world.trace.text());
    world.command(0, Command::Unblock { account: other }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(2 * 3_600_000);
    let after = world.say(second, conversation);
    world.run_for(60_000);
    assert!(world.shows(1, &after), "{}", world.trace.text());
}

#[test]
fn devices_of_somebody_who_is_blocked_come_together_where_the_home_lied_although_the_other_gives_them_no_key_packages()
{
    let (mut world, conversation) = contacts_of(calm());
    let second = another_device(&mut world, 0);
    let [own, other] = [0, 1].map(|device: usize| world.devices[device].account);
    world.ledger.blocked.insert((other, own));
    world.command(1, Command::Block { account: own }, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(60_000);
    hide_from(&mut world, second);
    for device in [0, second] {
        world.command(device, Command::UpdateKeys { conversation }, |_, outcome| assert!(outcome.is_ok()));
    }
    world.run_for(60_000);
    let texts = [0, second].map(|device| world.say(device, conversation));
    let world = settled(world);
    for device in [0, second] {
        assert!(texts.iter().all(|text| world.shows(device, text)), "at device {device}\n{}", world.trace.text());
    }
}
