//! Whom only one device of an account knew, and that device is removed.

use kith_core::chat::account::contacts;
use kith_core::chat::policy::Kind;
use kith_core::types::ConversationId;

use super::scenarios::{another_device, calm, contacts_of, group_of, one_of, people_at, settled};
use super::world::World;

#[test]
fn a_device_that_only_a_removed_one_invited_asks_the_contact_to_be_added() {
    let mut world = people_at(&[Some(0), Some(0)]);
    let second = another_device(&mut world, 1);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    // Word of the contact comes, and the Welcome does not.
    let (account, contact) = (world.devices[second].account, world.devices[0].account);
    let knows = |world: &World| {
        let contacts = contacts(&world.devices[second].store, account).expect("a readable store");
        contacts.iter().any(|known| known.account == contact && known.accepted)
    };
    for _ in 0..500 {
        if knows(&world) {
            break;
        }
        world.run_for(2);
    }
    assert!(knows(&world));
    world.stop(second);
    world.run_for(5 * 60_000);
    // It hears of the removal before the Welcome.
    world.links.relay_cut.insert((second, 0));
    world.links.cut.insert((1, second));
    world.remove_device(1);
    world.boot(second, false);
    world.run_for(20_000);
    world.links.relay_cut.clear();
    world.run_for(10 * 60_000);
    assert!(world.shows(second, "text 1"), "{}", world.trace.text());
    settled(world);
}

/// A person of two devices, of which one alone knows somebody; what they say to it, and their conversation.
fn known_to_one_device(world: &mut World, second: usize) -> (ConversationId, String) {
    world.links.cut.insert((0, second));
    world.request(0, 1);
    world.run_for(5_000);
    world.request(1, 0);
    world.accept_all(1);
    world.run_for(60_000);
    let conversation = with(world, 0, 1);
    let Some(conversation) = conversation else { panic!("no conversation came about\n{}", world.trace.text()) };
    world.say(0, conversation);
    let text = world.say(1, conversation);
    world.run_for(10_000);
    assert_eq!(with(world, second, 1), None, "nobody told it");
    (conversation, text)
}

fn with(world: &World, device: usize, other: usize) -> Option<ConversationId> {
    let account = world.devices[other].account;
    let mut views = world.conversations(device).into_iter();
    views.find(|view| view.kind == Kind::Direct && view.accounts.contains(&account)).map(|view| view.id)
}

#[test]
fn whom_a_removed_device_alone_knew_it_tells_of_its_removal() {
    let mut world = people_at(&[None, None, Some(0)]);
    let second = another_device(&mut world, 0);
    // From somebody whom both know it hears of its removal.
    world.request(0, 2);
    world.run_for(10_000);
    world.accept_all(2);
    world.run_for(10 * 60_000);
    assert!(with(&world, second, 2).is_some(), "{}", world.trace.text());
    let (conversation, _) = known_to_one_device(&mut world, second);
    world.remove_device(0);
    world.run_for(30 * 60_000);
    let view = world.conversations(1).into_iter().find(|view| view.id == conversation).expect("a conversation");
    assert!(!world.present(&view).contains(&world.devices[0].id), "{}", world.trace.text());
    settled(world);
}

#[test]
fn whom_a_removed_device_alone_knew_hears_of_it_at_the_relay_and_the_person_is_asked() {
    let mut world = people_at(&[Some(0), Some(0)]);
    let second = another_device(&mut world, 0);
    world.stop(second);
    let (conversation, before) = known_to_one_device(&mut world, second);
    // What was in the mailbox of the other is lost, and the device that could say it again says nothing any more.
    world.links.cut.insert((0, 1));
    world.stop(0);
    world.lose_mail(0, second);
    world.remove_device(0);
    world.boot(second, false);
    the_person_is_asked(world, second, conversation, &before);
}

#[test]
fn whom_a_removed_device_alone_knew_is_heard_by_a_relay_that_forgot_what_it_gave_them() {
    let mut world = people_at(&[Some(0), Some(1)]);
    let second = another_device(&mut world, 0);
    world.stop(second);
    // The relay of the first is taken back to before its person met anybody.
    world.keep_relay_copy(0);
    let (conversation, before) = known_to_one_device(&mut world, second);
    world.links.cut.insert((0, 1));
    world.stop(0);
    world.restore_relay(0);
    world.remove_device(0);
    world.boot(second, false);
    the_person_is_asked(world, second, conversation, &before);
}

#[test]
fn whom_a_device_and_its_relay_both_forgot_are_heard_all_the_same() {
    let mut world = people_at(&[Some(0), Some(1)]);
    world.keep_relay_copy(1);
    world.keep_copy(1);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let conversation = one_of(&world, 0, Kind::Direct);
    let texts = [world.say(0, conversation), world.say(1, conversation)];
    world.run_for(10_000);
    // What the second gave the first is good at no relay any more, and they do not meet straight.
    world.restore_relay(1);
    world.restore_device(1);
    let world = settled(world);
    assert!(texts.iter().all(|text| world.shows(1, text)), "{}", world.trace.text());
}

#[test]
fn who_accepts_a_request_after_the_device_that_made_it_was_removed_is_brought_before_the_person() {
    let mut world = people_at(&[Some(0), Some(0)]);
    let second = another_device(&mut world, 0);
    world.stop(second);
    world.request(0, 1);
    world.run_for(5_000);
    world.stop(0);
    world.lose_mail(0, second);
    world.remove_device(0);
    world.boot(second, false);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let Some(conversation) = with(&world, 1, 0) else { panic!("no conversation came about\n{}", world.trace.text()) };
    let before = world.say(1, conversation);
    the_person_is_asked(world, second, conversation, &before);
}

/// Before long somebody whom a device that is gone alone knew is brought before the person, who accepts.
fn the_person_is_asked(mut world: World, second: usize, conversation: ConversationId, before: &str) {
    world.run_for(13 * 3_600_000);
    let account = world.devices[1].account;
    assert_eq!(world.remembered(), [(second, account)], "{}", world.trace.text());
    assert!(!world.shows(second, before), "nobody was asked yet");
    let after = world.say(1, conversation);
    let world = settled(world);
    assert!([before, &after].iter().all(|text| world.shows(second, text)), "{}", world.trace.text());
}

#[test]
fn a_removal_that_comes_with_a_request_of_somebody_who_is_a_contact_is_acted_on() {
    let mut world = people_at(&[Some(0), Some(0)]);
    world.request(0, 1);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    // The other device knows of nobody, and asks anew.
    let second = world.add_device(1);
    world.stop(1);
    world.remove_device(1);
    world.request(second, 0);
    world.run_for(3 * 60_000);
    let view = world.conversations(0).into_iter().find(|view| view.kind == Kind::Direct).expect("a conversation");
    assert!(!world.present(&view).contains(&world.devices[1].id), "{}", world.trace.text());
    settled(world);
}

#[test]
fn a_member_of_the_same_group_who_was_accepted_since_the_copy_is_no_contact_of_the_device() {
    let mut world = people_at(&[Some(0), Some(0), Some(0)]);
    for other in [0, 2] {
        world.request(1, other);
        world.run_for(10_000);
        world.accept_all(other);
        world.run_for(60_000);
    }
    group_of(&mut world, 1, &[0, 2]);
    world.request(2, 0);
    world.run_for(10_000);
    world.keep_copy(0);
    world.accept_all(0);
    world.run_for(10_000);
    let Some(conversation) = with(&world, 2, 0) else { panic!("no conversation came about") };
    world.keep_copy(2);
    world.restore_device(0);
    world.restore_device(2);
    let text = world.say(2, conversation);
    let world = settled(world);
    assert!(world.shows(0, &text), "{}", world.trace.text());
}

#[test]
fn whom_nobody_can_tell_of_a_contact_made_since_the_copy_asks_or_accepts_again() {
    for accepted in [false, true] {
        let mut world = people_at(&[Some(0), Some(0)]);
        // The one asks after its copy was made, and writes nothing else; or the other accepts after that, and both go back.
        let (asks, goes_back) = if accepted { (1, 0) } else { (0, 0) };
        if !accepted {
            world.keep_copy(goes_back);
        }
        world.request(asks, 1 - asks);
        world.run_for(5_000);
        if accepted {
            world.keep_copy(goes_back);
        } else {
            world.restore_device(goes_back);
        }
        world.accept_all(1 - asks);
        world.run_for(60_000);
        if accepted {
            world.keep_copy(asks);
            world.restore_device(goes_back);
            world.restore_device(asks);
        }
        let conversation = one_of(&world, 1, Kind::Direct);
        let text = world.say(1, conversation);
        let world = settled(world);
        assert!(world.shows(0, &text), "accepted: {accepted}\n{}", world.trace.text());
    }
}

#[test]
fn what_a_removed_device_gave_and_its_relay_never_heard_of_is_given_by_another() {
    let mut world = people_at(&[Some(0), Some(1)]);
    let second = another_device(&mut world, 0);
    // The other device hears of the request, and the relay does not.
    world.links.relay_cut.insert((0, 0));
    world.request(0, 1);
    world.run_for(5_000);
    world.stop(0);
    world.remove_device(0);
    world.run_for(10_000);
    world.accept_all(1);
    world.run_for(60_000);
    let Some(conversation) = with(&world, 1, 0) else { panic!("no conversation came about\n{}", world.trace.text()) };
    let before = world.say(1, conversation);
    the_person_is_asked(world, second, conversation, &before);
}

#[test]
fn who_has_no_relay_and_forgot_whom_they_asked_asks_again() {
    let mut world = people_at(&[None, None]);
    world.keep_copy(0);
    world.request(0, 1);
    world.request(1, 0);
    world.run_for(60_000);
    let conversation = one_of(&world, 1, Kind::Direct);
    let before = world.say(0, conversation);
    world.run_for(10_000);
    world.restore_device(0);
    let after = world.say(1, conversation);
    let world = settled(world);
    assert!([before, after].iter().all(|text| world.shows(0, text)), "{}", world.trace.text());
}

#[test]
fn a_block_that_only_a_removed_device_knew_of_is_gone_with_it_and_no_other() {
    for told in [false, true] {
        let mut world = people_at(&[Some(0), Some(0)]);
        world.request(0, 1);
        world.run_for(5_000);
        world.accept_all(1);
        world.run_for(60_000);
        let second = another_device(&mut world, 0);
        if !told {
            world.stop(second);
            world.links.relay_cut.insert((0, 0));
        }
        let (own, account) = (world.devices[0].account, world.devices[1].account);
        world.block_account(0, account);
        world.run_for(10_000);
        assert!(world.ledger.shut.contains(&(own, account)), "{}", world.trace.text());
        world.stop(0);
        world.remove_device(0);
        world.boot(second, false);
        // It knows of the removal before the device that is gone can say anything.
        world.run_for(5 * 60_000);
        let world = settled(world);
        let contact = contacts(&world.devices[second].store, own).expect("a readable store").remove(0);
        assert_eq!((contact.account, contact.blocked), (account, told), "{}", world.trace.text());
    }
}

#[test]
fn a_group_that_one_has_forgotten_and_the_other_has_lost_the_keys_of_begins_anew() {
    let (mut world, _) = contacts_of(calm());
    world.keep_copy(1);
    let group = group_of(&mut world, 0, &[1]);
    let text = world.say(0, group);
    world.run_for(60_000);
    world.keep_copy(0);
    world.restore_device(1);
    world.restore_device(0);
    let world = settled(world);
    assert!([0, 1].iter().all(|device| world.shows(*device, &text)), "{}", world.trace.text());
}
