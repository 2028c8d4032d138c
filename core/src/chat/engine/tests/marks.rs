//! What is held and read is told until it has arrived.

use super::*;

/// Bob reads in his mailbox what Alice has written, and cannot answer.
fn read_in_a_hole(world: &mut World) -> (DeviceId, DeviceId, ConversationId, ContentId) {
    let (alice, bob, conversation) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    world.pass(5_000);
    world.set_online(b, false);
    let text = Command::SendText { conversation, text: "are you there?".into(), reply_to: None };
    let Ok(Reply::Written { id, .. }) = world.command(a, text) else { panic!("not written") };
    world.pass(5_000);
    world.relay_up = false;
    world.set_online(b, true);
    world.pass(MINUTE_MS);
    assert!(world.texts(b, conversation).contains(&"are you there?".into()));
    assert_eq!(world.state(a, conversation, &id), MessageState::Sent);
    (a, b, conversation, id)
}

#[test]
fn marks_that_were_not_taken_are_told_again() {
    let mut world = World::new(70);
    let (a, _, conversation, id) = read_in_a_hole(&mut world);
    // Nobody says that the relay is there again.
    world.relay_up = true;
    world.pass(2 * MINUTE_MS);
    assert_eq!(world.state(a, conversation, &id), MessageState::Delivered);
}

#[test]
fn marks_that_were_not_taken_are_told_at_once_when_the_relay_is_back() {
    let mut world = World::new(71);
    let (a, b, conversation, id) = read_in_a_hole(&mut world);
    world.relay_up = true;
    world.input(b, Input::RelayUp { queue: Incarnation::new([1; 8]) });
    world.pass(1_000);
    assert_eq!(world.state(a, conversation, &id), MessageState::Delivered);
}

#[test]
fn an_equal_digest_says_what_lost_marks_would_have_said() {
    let mut world = World::new(72);
    let (a, b, conversation, id) = read_in_a_hole(&mut world);
    // What was to be told again is forgotten.
    world.restart(b, false);
    world.pass(MINUTE_MS);
    world.relay_up = true;
    world.pass(30 * MINUTE_MS);
    assert_eq!(world.state(a, conversation, &id), MessageState::Sent);
    world.pass(3 * HOUR_MS);
    assert_eq!(world.state(a, conversation, &id), MessageState::Delivered);
}

#[test]
fn nobody_is_told_for_ever() {
    let mut world = World::new(73);
    let (_, b, ..) = read_in_a_hole(&mut world);
    world.pass(HOUR_MS);
    world.sent.clear();
    world.pass(50 * MINUTE_MS);
    let told = world.sent.iter().filter(|(of, _)| *of == b).count();
    assert!(told <= 2, "{told} envelopes, where one digest was due");
}

#[test]
fn whoever_is_met_does_not_keep_the_others_from_what_moved() {
    let mut world = World::new(74);
    let (alice, bob, carol, conversation) = world.trio();
    let (a, b, c) = (alice.device(0), bob.device(0), carol.device(0));
    let text = Command::SendText { conversation, text: "who comes?".into(), reply_to: None };
    let Ok(Reply::Written { id, .. }) = world.command(a, text) else { panic!("not written") };
    world.run();
    assert!(world.texts(b, conversation).contains(&"who comes?".into()));
    assert_eq!(world.state(a, conversation, &id), MessageState::Sent);
    // Before Bob's marks are due.
    world.meet(b, c);
    world.pass(2_000);
    assert_eq!(world.state(a, conversation, &id), MessageState::Delivered);
}
