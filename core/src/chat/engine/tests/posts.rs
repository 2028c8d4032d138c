//! What is sent again until it is there, what is asked again until it is done, and what leaves to nobody.

use super::*;
use crate::chat::account::{contact, waiting_request};
use crate::chat::feed::Me;
use crate::store::{Range, Table};
use crate::types::EnvelopeId;
use crate::wire::codec::Body;
use crate::wire::envelope::{Class, Envelope, Packet, Urgency};

fn letters(world: &World, id: DeviceId) -> usize {
    world.devices[&id].store.scan(Table::Outbox, b"letter/", Range::all()).unwrap().len()
}

fn asked(world: &World, id: DeviceId, name: &str) -> usize {
    world.asked.iter().filter(|(of, call)| *of == id && call.request.name() == name).count()
}

fn is_plea(outgoing: &Outgoing) -> bool {
    let envelope = Envelope::decode(&outgoing.envelope).unwrap();
    matches!(Packet::decode(&envelope.packet), Ok(Packet::Sealed { .. }))
}

fn ask(of: &Person, text: &str) -> Command {
    Command::RequestContact { record: of.record.encode(), handle: None, text: text.into() }
}

#[test]
fn a_welcome_that_a_relay_lost_is_sent_again_until_its_device_is_heard() {
    let mut world = World::new(41);
    let (alice, bob) = (world.person(), world.person());
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, ask(&bob, "hello")).unwrap();
    world.run();
    world.set_online(a, false);
    world.command(b, Command::Accept { account: alice.id() }).unwrap();
    world.run();
    assert_eq!(letters(&world, b), 1, "a mailbox is no recipient");
    // A restart forgets nothing of it, and does not send at once what lies in a mailbox.
    world.sent.clear();
    world.restart(b, false);
    world.run();
    assert!(!world.sent.iter().any(|(_, outgoing)| is_welcome(&outgoing.envelope)));
    world.lose_mail();
    world.mailboxes.clear();
    world.set_online(a, true);
    let id = direct_conversation(alice.id(), bob.id());
    world.pass(30 * MINUTE_MS);
    world.say(a, id, "there you are");
    world.pass(2 * HOUR_MS);
    assert_eq!(world.texts(a, id), ["hello", "there you are"]);
    assert_eq!(world.texts(b, id), world.texts(a, id));
    assert_eq!(letters(&world, b), 0, "what Alice sealed says that she is in");
    let ids: BTreeSet<EnvelopeId> = world
        .sent
        .iter()
        .filter(|(_, outgoing)| is_welcome(&outgoing.envelope))
        .map(|(_, outgoing)| outgoing.id)
        .collect();
    assert_eq!(ids.len(), 1, "under one envelope id");
}

#[test]
fn a_welcome_whose_device_never_comes_is_sent_seldom_and_goes_after_thirty_days() {
    let mut world = World::new(42);
    let (alice, bob) = (world.person(), world.person());
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, ask(&bob, "hello")).unwrap();
    world.run();
    world.set_online(a, false);
    world.command(b, Command::Accept { account: alice.id() }).unwrap();
    world.run();
    world.sent.clear();
    for _ in 0..31 * 6 {
        world.pass(4 * HOUR_MS);
    }
    let times = world.sent.iter().filter(|(of, outgoing)| *of == b && is_welcome(&outgoing.envelope)).count();
    assert!((20..60).contains(&times), "{times}");
    assert_eq!(letters(&world, b), 0);
}

#[test]
fn a_welcome_that_went_straight_is_done() {
    let mut world = World::new(43);
    let (alice, bob) = (world.person(), world.person());
    let (a, b) = (alice.device(0), bob.device(0));
    world.meet(a, b);
    world.command(a, ask(&bob, "hello")).unwrap();
    world.run();
    let effects = world.handle(
        b,
        Input::Command { id: RequestId::new([1; RequestId::LEN]), command: Command::Accept { account: alice.id() } },
    );
    world.release(b, effects.unwrap());
    assert_eq!(letters(&world, b), 1);
    world.run();
    assert_eq!(letters(&world, b), 0);
}

#[test]
fn a_request_that_was_lost_with_the_mail_is_made_again() {
    let mut world = World::new(44);
    let (alice, bob) = (world.person(), world.person());
    let (a, b) = (alice.device(0), bob.device(0));
    world.set_online(b, false);
    world.command(a, ask(&bob, "hello")).unwrap();
    world.run();
    world.pass(HOUR_MS);
    assert_eq!(asked(&world, a, "deposit_request"), 1, "the relay has it");
    world.lose_mail();
    world.set_online(b, true);
    world.command(b, Command::Accept { account: alice.id() }).unwrap();
    world.pass(5_000);
    assert_eq!(world.texts(b, direct_conversation(alice.id(), bob.id())), ["hello"]);
    world.lose_mail();
    assert_eq!(asked(&world, a, "deposit_request"), 2, "it was answered");
}

#[test]
fn a_request_that_another_relay_did_not_take_is_made_again_without_a_reconnection() {
    let mut world = World::new(45);
    let (alice, bob) = (world.person(), world.person());
    let a = alice.device(0);
    world.refused.insert("deposit_request");
    world.command(a, ask(&bob, "hello")).unwrap();
    world.pass(10 * MINUTE_MS);
    let tries = asked(&world, a, "deposit_request");
    assert!((4..12).contains(&tries), "with pauses that grow: {tries}");
    world.refused.clear();
    world.pass(2 * HOUR_MS);
    let done = asked(&world, a, "deposit_request");
    world.pass(10 * HOUR_MS);
    assert_eq!(asked(&world, a, "deposit_request"), done);
    assert!(waiting_request(&world.devices[&bob.device(0)].store, &alice.id()).unwrap().is_some());
}

#[test]
fn a_request_to_an_account_without_a_relay_is_made_again_when_its_device_is_met() {
    let mut world = World::new(46);
    let (alice, bob) = (world.person_at(Vec::new()), world.person_at(Vec::new()));
    let (a, b) = (alice.device(0), bob.device(0));
    world.command(a, ask(&bob, "hello")).unwrap();
    world.pass(HOUR_MS);
    assert!(waiting_request(&world.devices[&b].store, &alice.id()).unwrap().is_none());
    world.meet(a, b);
    assert!(waiting_request(&world.devices[&b].store, &alice.id()).unwrap().is_some());
    world.sent.clear();
    world.pass(10 * HOUR_MS);
    assert!(world.sent.is_empty(), "it was taken");
    // Also by a process that began after it was written.
    let carol = world.person_at(Vec::new());
    world.command(a, ask(&carol, "hello")).unwrap();
    world.run();
    world.restart(a, false);
    world.run();
    world.meet(a, carol.device(0));
    assert!(waiting_request(&world.devices[&carol.device(0)].store, &alice.id()).unwrap().is_some());
}

#[test]
fn a_block_is_carried_out_at_the_relay_although_it_said_try_later() {
    let mut world = World::new(47);
    let (alice, bob, _) = world.friends();
    let b = bob.device(0);
    world.pass(5_000);
    world.refused.insert("revoke_tokens");
    world.command(b, Command::Block { account: alice.id() }).unwrap();
    world.pass(MINUTE_MS);
    let tries = asked(&world, b, "revoke_tokens");
    assert!(tries >= 2, "{tries}");
    world.refused.clear();
    world.pass(11 * MINUTE_MS);
    let done = asked(&world, b, "revoke_tokens");
    assert!(done > tries);
    world.pass(HOUR_MS);
    assert_eq!(asked(&world, b, "revoke_tokens"), done);
}

#[test]
fn a_token_that_is_another_accounts_keeps_none_of_the_others_from_the_relay() {
    let mut world = World::new(52);
    let (alice, bob, carol) = (world.person(), world.person(), world.person());
    let a = alice.device(0);
    world.pass(5_000);
    world.refused.insert("issue_tokens");
    for other in [&bob, &carol] {
        world.command(a, ask(other, "hello")).unwrap();
    }
    world.pass(MINUTE_MS);
    let lists = |world: &World| -> Vec<Vec<crate::types::Hash>> {
        let calls = world.asked.iter().filter(|(of, _)| *of == a).map(|(_, call)| &call.request);
        let lists = calls.filter_map(|request| match request {
            Request::IssueTokens { tokens } => Some(tokens.iter().map(|(_, token)| *token).collect()),
            _ => None,
        });
        lists.collect()
    };
    let all = lists(&world).pop().unwrap();
    assert_eq!(all.len(), 4);
    world.refused.clear();
    world.foreign.insert(all[1]);
    world.asked.clear();
    world.pass(2 * HOUR_MS);
    let asked = lists(&world);
    for token in &all {
        assert!(asked.contains(&vec![*token]), "one by one");
    }
    assert!(asked.len() <= 6, "{}", asked.len());
}

#[test]
fn key_packages_that_the_relay_did_not_take_are_made_again_and_leave_no_keys() {
    let mut world = World::new(48);
    let keys = |world: &World, id| world.devices[&id].store.scan(Table::KeyPackage, &[], Range::all()).unwrap().len();
    world.refused.insert("put_key_packages");
    let alice = world.person();
    let a = alice.device(0);
    world.pass(HOUR_MS);
    assert!(asked(&world, a, "put_key_packages") > 3);
    assert_eq!(keys(&world, a), 0);
    world.refused.clear();
    world.pass(11 * MINUTE_MS);
    assert_eq!(world.packages[&a].len(), keys(&world, a) - 1, "and the last resort");
}

#[test]
fn a_relay_from_a_copy_is_given_the_newest_record_by_a_device_that_it_knows() {
    let mut world = World::new(49);
    let mut alice = world.person();
    let old = world.records[&alice.id()].clone();
    world.add_device(&mut alice);
    world.pass(5_000);
    world.records.insert(alice.id(), old);
    world.input(alice.device(0), Input::RelayUp { queue: Incarnation::new([9; 8]) });
    world.run();
    assert_eq!(world.records[&alice.id()], alice.record.encode());
}

#[test]
fn a_device_that_its_relay_lets_in_no_more_gives_it_the_newest_record() {
    let mut world = World::new(50);
    let mut alice = world.person();
    let old = world.records[&alice.id()].clone();
    world.add_device(&mut alice);
    world.pass(5_000);
    for begun in [false, true] {
        world.records.insert(alice.id(), old.clone());
        world.set_online(alice.device(0), false);
        if begun {
            // It has started, and was never let in.
            let device = world.devices.get_mut(&alice.device(1)).unwrap();
            device.engine = Engine::open(&device.store).unwrap().unwrap();
            world.input(alice.device(1), Input::Start { restored: false });
        } else {
            world.input(alice.device(1), Input::RelayDown);
        }
        world.refused.insert("put_record");
        world.pass(2 * MINUTE_MS);
        assert_eq!(world.records[&alice.id()], old);
        world.refused.clear();
        world.pass(HOUR_MS);
        assert_eq!(world.records[&alice.id()], alice.record.encode(), "begun: {begun}");
    }
}

#[test]
fn there_is_one_plea_an_account_and_the_pauses_between_them_grow() {
    let mut world = World::new(51);
    let (alice, bob, _) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    let keys = |world: &World| world.devices[&b].store.scan(Table::KeyPackage, &[], Range::all()).unwrap().len();
    let before = keys(&world);
    world.set_online(a, false);
    world.sent.clear();
    world.restart(b, true);
    world.run();
    world.pass(24 * HOUR_MS);
    let pleas: BTreeSet<EnvelopeId> = world.sent.iter().filter(|(of, _)| *of == b).map(|(_, sent)| sent.id).collect();
    assert!((20..40).contains(&pleas.len()), "{}", pleas.len());
    // One to Alice; Bob's account has no other device.
    assert_eq!(letters(&world, b), 1);
    assert!(keys(&world) <= before + 2, "the last and the one before: {} of {before}", keys(&world));
    world.set_online(a, true);
    world.pass(HOUR_MS);
    let id = direct_conversation(alice.id(), bob.id());
    world.say(b, id, "back");
    world.pass(MINUTE_MS);
    assert_eq!(world.texts(a, id).last().unwrap(), "back");
    assert!(keys(&world) <= before + 2, "another member may answer them too");
    world.sent.clear();
    world.pass(10 * HOUR_MS);
    assert!(!world.sent.iter().any(|(of, sent)| *of == b && is_plea(sent)));
}

/// An envelope for a group that nobody knows.
fn stray(group: u8, number: u16, bytes: usize) -> Input {
    let mut id = [group; EnvelopeId::LEN];
    id[..2].copy_from_slice(&number.to_be_bytes());
    let packet = Packet::Mls { group: GroupId::new([group; GroupId::LEN]), message: vec![7; bytes] };
    let envelope =
        Envelope { id: EnvelopeId::new(id), class: Class::Durable, urgency: Urgency::Normal, packet: packet.encode() };
    Input::Envelope { from: None, bytes: envelope.encode() }
}

fn parked(world: &World, id: DeviceId, group: u8) -> usize {
    world.devices[&id].store.scan(Table::Parked, &[group; GroupId::LEN], Range::all()).unwrap().len()
}

#[test]
fn who_fills_the_place_for_what_cannot_be_read_yet_shuts_nobody_out() {
    let mut world = World::new(52);
    let alice = world.person();
    let a = alice.device(0);
    // Sixteen groups with all that a group may have.
    for group in 1..=40 {
        for number in 0..5 {
            world.input(a, stray(group, number, 1 << 20));
        }
        world.run();
    }
    let held: usize =
        world.devices[&a].store.scan(Table::Parked, &[], Range::all()).unwrap().iter().map(|row| row.value.len()).sum();
    assert!(held <= 33 << 20, "{held}");
    world.input(a, stray(99, 1, 1000));
    world.run();
    assert_eq!(parked(&world, a, 99), 1);
    let dropped = world.devices[&a].notices.iter().filter(|it| **it == Notice::Dropped { reason: "parked" }).count();
    assert!(dropped > 100, "each that went is counted: {dropped}");
    // The same after a start, which counts the rows.
    world.restart(a, false);
    world.input(a, stray(98, 1, 1000));
    world.run();
    assert_eq!((parked(&world, a, 98), parked(&world, a, 99)), (1, 1));
    // Of those that hold as much the oldest makes room, and nothing that holds less.
    world.mono_ms += 1000;
    world.input(a, stray(97, 1, 1 << 20));
    world.run();
    assert_eq!([97, 98, 99].map(|group| parked(&world, a, group)), [1, 1, 1]);
}

#[test]
fn what_was_parked_goes_after_seven_days_and_makes_room() {
    let mut world = World::new(53);
    let alice = world.person();
    let a = alice.device(0);
    for number in 0..300 {
        world.input(a, stray(1, number, 100));
    }
    world.run();
    assert_eq!(parked(&world, a, 1), 256);
    world.pass(6 * 24 * HOUR_MS);
    assert_eq!(parked(&world, a, 1), 256);
    for _ in 0..4 {
        world.pass(10 * HOUR_MS);
    }
    assert_eq!(parked(&world, a, 1), 0);
    world.input(a, stray(1, 1000, 100));
    world.run();
    assert_eq!(parked(&world, a, 1), 1);
}

#[test]
fn nothing_leaves_to_who_is_blocked_in_the_conversation_of_two() {
    let mut world = World::new(54);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    world.set_online(a, false);
    world.say(b, id, "one that waits");
    world.relay_up = false;
    world.say(b, id, "and one that has not left");
    world.run();
    world.relay_up = true;
    world.command(b, Command::Block { account: alice.id() }).unwrap();
    world.run();
    world.sent.clear();
    world.asked.clear();
    world.set_online(a, true);
    world.meet(a, b);
    world.say(a, id, "are you there?");
    world.command(a, Command::UpdateKeys { conversation: id }).unwrap();
    world.command(b, Command::Typing { conversation: id, on: true }).unwrap();
    world.command(b, Command::UpdateKeys { conversation: id }).unwrap();
    for _ in 0..30 {
        world.pass(10 * MINUTE_MS);
    }
    world.restart(b, false);
    world.meet(a, b);
    world.lose_mail();
    world.restart(b, true);
    world.pass(10 * HOUR_MS);
    let to_alice = |world: &World| {
        let sent = world.sent.iter().filter(|(of, sent)| *of == b && sent.to.iter().any(|to| to.device == a)).count();
        let asked = world.asked.iter().filter(|(of, call)| *of == b && matches!(call.to, CallTarget::Device(..)));
        (sent, asked.count())
    };
    assert_eq!(to_alice(&world), (0, 0));
    assert!(!world.texts(b, id).contains(&"are you there?".into()));
    // What is taken back is taken back.
    world.command(b, Command::Unblock { account: alice.id() }).unwrap();
    world.meet(a, b);
    world.pass(4 * HOUR_MS);
    assert_ne!(to_alice(&world).0, 0);
    assert!(world.texts(a, id).contains(&"and one that has not left".into()));
}

#[test]
fn a_home_that_is_a_device_of_who_is_blocked_is_not_asked() {
    let mut world = World::new(55);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    world.command(a, Command::MoveHome { conversation: id, relay: None }).unwrap();
    world.pass(HOUR_MS);
    assert!(world.membership(b, id).policy().unwrap().home.is_device(a));
    world.command(b, Command::Block { account: alice.id() }).unwrap();
    world.run();
    world.asked.clear();
    world.pass(3 * HOUR_MS);
    let asked = world.asked.iter().filter(|(of, call)| *of == b && matches!(call.to, CallTarget::Device(..))).count();
    assert_eq!(asked, 0);
}

#[test]
fn what_waits_in_an_earlier_feed_is_queued_and_leaves_after_a_restore() {
    let mut world = World::new(56);
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    world.relay_up = false;
    world.say(b, id, "not sent yet");
    world.run();
    let place = {
        let view = view::conversation(&world.devices[&b].store, id).unwrap().unwrap();
        let me: Me = world.devices[&b].engine.me();
        let items = view::page(&world.devices[&b].store, &view, me, Anchor::Newest, 10).unwrap();
        items.last().unwrap().id
    };
    assert_eq!(world.state(b, id, &place), MessageState::Queued);
    world.restart(b, true);
    world.run();
    world.say(b, id, "in a new life");
    world.pass(HOUR_MS);
    assert_eq!(world.state(b, id, &place), MessageState::Queued);
    world.relay_up = true;
    world.input(b, Input::RelayUp { queue: Incarnation::new([1; 8]) });
    world.pass(HOUR_MS);
    assert_eq!(world.state(b, id, &place), MessageState::Delivered);
    assert_eq!(world.texts(a, id), ["hello", "not sent yet", "in a new life"]);
    assert!(contact(&world.devices[&b].store, &alice.id()).unwrap().unwrap().accepted);
}

#[test]
fn whoever_deletes_anothers_message_is_told_that_it_is_not_theirs() {
    let mut world = World::new(60);
    let (mut alice, bob, id) = world.friends();
    world.add_device(&mut alice);
    world.pass(400_000);
    let (one, two) = (alice.device(0), alice.device(1));
    let text = Command::SendText { conversation: id, text: "mine".into(), reply_to: None };
    let Ok(Reply::Written { id: of, .. }) = world.command(one, text) else { panic!("not written") };
    world.pass(5_000);
    let refused = world.command(bob.device(0), Command::Delete { conversation: id, of });
    assert_eq!(refused, Err(CommandError::NoMessage));
    world.command(two, Command::Delete { conversation: id, of }).expect("one's other device may");
    world.pass(5_000);
    assert!(!world.texts(bob.device(0), id).contains(&"mine".to_owned()));
}

/// Ten texts of Alice's in Bob's mailbox.
fn ten_texts(world: &mut World) -> (DeviceId, DeviceId, ConversationId, Vec<String>) {
    let (alice, bob, id) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.set_online(b, false);
    let texts: Vec<String> = (0..10).map(|number| format!("text {number}")).collect();
    for text in &texts {
        world.say(a, id, text);
        world.run();
    }
    world.sent.clear();
    (a, b, id, texts)
}

fn ends_with(world: &World, device: DeviceId, id: ConversationId, texts: &[String]) -> bool {
    world.texts(device, id).ends_with(texts)
}

#[test]
fn messages_that_overtake_each_other_are_not_sent_twice() {
    let mut world = World::new(61);
    let (a, b, id, texts) = ten_texts(&mut world);
    world.mailboxes.get_mut(&b).unwrap().make_contiguous().reverse();
    world.set_online(b, true);
    world.pass(MINUTE_MS);
    assert!(ends_with(&world, b, id, &texts));
    let repeated = world.sent.iter().filter(|(of, outgoing)| *of == a && outgoing.envelope.len() > 400).count();
    assert_eq!(repeated, 0, "what was under way came by itself");
}

#[test]
fn a_message_that_is_lost_is_asked_for_when_nothing_more_comes() {
    let mut world = World::new(62);
    let (_, b, id, texts) = ten_texts(&mut world);
    world.mailboxes.get_mut(&b).unwrap().pop_front();
    world.set_online(b, true);
    world.pass(1_900);
    assert!(!ends_with(&world, b, id, &texts));
    world.pass(200);
    assert!(ends_with(&world, b, id, &texts));
}

#[test]
fn a_message_that_is_lost_is_asked_for_in_time_though_more_comes() {
    let mut world = World::new(63);
    let (a, b, id, texts) = ten_texts(&mut world);
    world.mailboxes.get_mut(&b).unwrap().pop_front();
    world.set_online(b, true);
    for _ in 0..19 {
        world.pass(1_000);
        world.say(a, id, "and more");
        world.run();
        assert!(!world.texts(b, id).contains(&texts[0]));
    }
    world.pass(1_500);
    assert!(world.texts(b, id).contains(&texts[0]));
}
