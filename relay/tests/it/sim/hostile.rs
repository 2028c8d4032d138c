//! What a member that follows no rule comes to, one attack a test, and what a device does that was removed and goes on.

use kith_core::chat::policy::Kind;
use kith_core::chat::{Command, Reply, repair};
use kith_core::types::{ContentId, ConversationId, GroupId};
use kith_core::wire::message::Kind as ChangeKind;

use super::faults::Plan;
use super::rogue::{Attack, Successor, Unentitled};
use super::scenarios::{calm, contacts_of, settled};
use super::world::World;

const ALICE: usize = 0;
const BOB: usize = 1;
const MALLORY: usize = 2;

const MINUTE: u64 = 60_000;

/// More changes of one message than a person makes in a life.
const FLOOD: usize = 4_200;

/// Three people who know each other, in a group of Alice's, of whom Mallory follows no rule.
struct Circle {
    world: World,
    group: ConversationId,
}

fn circle() -> Circle {
    circle_of(calm())
}

fn circle_of(mut plan: Plan) -> Circle {
    plan.accounts = 3;
    let (mut world, _) = contacts_of(plan);
    for (one, other) in [(ALICE, MALLORY), (BOB, MALLORY)] {
        world.request(one, other);
        world.run_for(10_000);
        world.accept_all(other);
        world.run_for(MINUTE);
    }
    let members = vec![world.devices[BOB].account, world.devices[MALLORY].account];
    let created = std::rc::Rc::new(std::cell::Cell::new(None));
    let group = std::rc::Rc::clone(&created);
    world.command(ALICE, Command::CreateGroup { name: "a group".to_owned(), members }, move |_, outcome| {
        if let Ok(Reply::Created { conversation }) = outcome {
            group.set(Some(conversation));
        }
    });
    world.run_for(10 * MINUTE);
    let group = created.get().expect("a group was created");
    assert!((0..3).all(|device| world.ground(device, group).is_some_and(|it| it.leaves.len() == 3)), "not all are in");
    world.hostile.insert(MALLORY);
    Circle { world, group }
}

impl Circle {
    /// All three say something, and hear it.
    fn talk(&mut self) -> [String; 3] {
        let texts = [ALICE, BOB, MALLORY].map(|device| self.world.say(device, self.group));
        self.world.run_for(MINUTE);
        texts
    }

    fn attack(&mut self, attack: Attack) {
        self.world.attack(MALLORY, self.group, attack);
        self.world.run_for(5 * MINUTE);
    }

    /// The same, in the conversation of two that Mallory has with somebody.
    fn attack_direct(&mut self, whom: usize, attack: Attack) -> ConversationId {
        let direct = direct_of(&self.world, MALLORY, whom);
        self.world.attack(MALLORY, direct, attack);
        self.world.run_for(5 * MINUTE);
        direct
    }

    fn all_show(&self, texts: &[String]) {
        for device in [ALICE, BOB] {
            for text in texts {
                assert!(
                    self.world.shows(device, text),
                    "device {device} does not show {text:?}\n{}",
                    self.world.trace.text()
                );
            }
        }
    }

    /// The group as Alice and Bob have it: they agree.
    fn group_now(&self) -> (GroupId, u64) {
        let [alice, bob] = [ALICE, BOB].map(|device| {
            let ground = self.world.ground(device, self.group).expect("a member");
            (ground.group, ground.epoch)
        });
        assert_eq!(alice, bob);
        alice
    }
}

fn direct_of(world: &World, device: usize, other: usize) -> ConversationId {
    let account = world.devices[other].account;
    let view = world
        .conversations(device)
        .into_iter()
        .find(|view| view.kind == Kind::Direct && view.accounts.contains(&account));
    view.expect("a conversation of two").id
}

#[test]
pub(super) fn a_member_closes_nobodys_feed_by_what_it_says_of_the_past() {
    let mut circle = circle();
    let before = circle.talk();
    circle.attack(Attack::CutByAnchors);
    circle.attack_direct(ALICE, Attack::CutByAnchors);
    circle.all_show(&before);
    let after = circle.talk();
    circle.all_show(&after);
    settled(circle.world);
}

#[test]
pub(super) fn nobody_becomes_a_former_member_by_a_members_word() {
    let mut circle = circle();
    circle.talk();
    circle.attack(Attack::FalseFormer);
    settled(circle.world);
}

#[test]
pub(super) fn lies_about_what_is_held_move_nothing() {
    let mut circle = circle();
    let before = circle.talk();
    for _ in 0..4 {
        circle.attack(Attack::Lie);
    }
    let after = circle.talk();
    circle.all_show(&[before, after].concat());
    settled(circle.world);
}

#[test]
pub(super) fn a_members_word_alone_accuses_no_relay() {
    let mut circle = circle();
    circle.world.accuse_relays(MALLORY, circle.group);
    circle.world.run_for(5 * MINUTE);
    for device in [ALICE, BOB] {
        assert!(!circle.world.devices[device].told.contains_key("record fork"), "device {device} believed it");
    }
    settled(circle.world);
}

#[test]
pub(super) fn a_false_proof_ends_nobodys_feed() {
    let mut circle = circle();
    let before = circle.talk();
    circle.attack(Attack::FalseFork);
    for device in [ALICE, BOB] {
        assert!(!circle.world.devices[device].told.contains_key("feed fork"), "device {device} believed it");
    }
    let after = circle.talk();
    circle.all_show(&[before, after].concat());
    settled(circle.world);
}

#[test]
pub(super) fn a_false_proof_moves_no_conversation() {
    let mut circle = circle();
    let before = circle.group_now().0;
    circle.attack(Attack::FalseEquivocation);
    for device in [ALICE, BOB] {
        assert!(!circle.world.devices[device].told.contains_key("home lied"), "device {device} believed it");
    }
    assert_eq!(circle.group_now().0, before);
    settled(circle.world);
}

#[test]
pub(super) fn what_others_wrote_shows_as_they_wrote_it_or_not_at_all() {
    let mut circle = circle();
    let texts = circle.talk();
    circle.attack(Attack::Alter);
    circle.all_show(&texts);
    settled(circle.world);
}

#[test]
pub(super) fn what_was_written_in_another_conversation_shows_only_there() {
    let mut circle = circle();
    let direct = direct_of(&circle.world, MALLORY, ALICE);
    let secret = circle.world.say(ALICE, direct);
    circle.talk();
    circle.attack(Attack::Replay);
    assert!(!circle.world.shows(BOB, &secret));
    settled(circle.world);
}

#[test]
pub(super) fn what_lets_a_clock_or_an_epoch_fall_shows_nowhere() {
    let mut circle = circle();
    circle.talk();
    circle.world.command(ALICE, Command::UpdateKeys { conversation: circle.group }, |_, _| {});
    circle.world.run_for(2 * MINUTE);
    circle.attack(Attack::Fall);
    circle.talk();
    settled(circle.world);
}

#[test]
pub(super) fn a_device_of_seventy_lives_shows_the_same_to_all() {
    let mut circle = circle();
    circle.attack(Attack::Lives(70));
    circle.talk();
    settled(circle.world);
}

#[test]
pub(super) fn a_note_goes_with_the_feed_of_a_device_of_too_many_lives_and_that_it_was_heard_with_the_note() {
    let mut circle = circle();
    let (world, conversation) = (&mut circle.world, circle.group);
    let ogg = b"a note".to_vec();
    let note = Command::SendVoiceNote { conversation, ogg, duration_ms: 1_000, peaks: vec![1, 2, 3] };
    world.command(MALLORY, note, |_, outcome| assert!(outcome.is_ok()));
    world.run_for(MINUTE);
    let view = world.conversations(ALICE).into_iter().find(|view| view.id == conversation).expect("the group");
    let shown = |world: &World| {
        let lines = world.timeline(ALICE, &view);
        lines.into_iter().find(|line| line.body == "VoiceNote(…)").map(|line| line.id)
    };
    let of = shown(world).expect("the note shows");
    world.ledger.heard.insert((of, world.devices[ALICE].account));
    world.command(ALICE, Command::SayPlayed { conversation, of }, move |world, outcome| {
        let Ok(Reply::Written { conversation, id }) = outcome else { panic!("it was not said") };
        world.wrote_heard(ALICE, conversation, id, of);
    });
    world.run_for(MINUTE);
    circle.attack(Attack::Lives(700));
    let world = settled(circle.world);
    assert_eq!(shown(&world), None, "its feed is none of those with the lowest ids");
}

/// Alice writes and changes it in some way; whom she writes to changes it in the same way, more often than anybody looks at. What shows
/// of it then.
fn flooded(kind: ChangeKind, change: impl FnOnce(ConversationId, ContentId) -> Command) -> String {
    let (mut world, conversation) = contacts_of(calm());
    let text = world.say(ALICE, conversation);
    world.run_for(MINUTE);
    let view = world.conversations(ALICE).into_iter().find(|view| view.id == conversation).expect("the conversation");
    let of = world.timeline(ALICE, &view).into_iter().find(|line| line.body == text).expect("it shows").id;
    world.command(ALICE, change(conversation, of), |_, outcome| assert!(outcome.is_ok()));
    world.run_for(MINUTE);
    world.hostile.insert(BOB);
    world.attack(BOB, conversation, Attack::Flood(of, Some(kind), FLOOD));
    world.run_for(5 * MINUTE);
    let vector = repair::vector(&world.devices[ALICE].store, &conversation).expect("a readable store");
    assert!(vector.feeds.iter().any(|state| state.next == FLOOD as u64), "not all of the flood came");
    world.timeline(ALICE, &view).into_iter().find(|line| line.id == of).expect("it shows").body
}

#[test]
pub(super) fn a_flood_of_edits_by_another_hides_no_edit_of_the_author() {
    let text = "as it was edited".to_owned();
    let shown = flooded(ChangeKind::Edit, |conversation, of| Command::Edit { conversation, of, text });
    assert_eq!(shown, "as it was edited");
}

#[test]
pub(super) fn a_flood_of_deletes_by_another_brings_no_deleted_message_back() {
    let shown = flooded(ChangeKind::Delete, |conversation, of| Command::Delete { conversation, of });
    assert_eq!(shown, "Deleted");
}

#[test]
pub(super) fn a_member_that_forks_its_own_feed_shows_the_same_to_all() {
    let mut circle = circle();
    circle.talk();
    circle.attack(Attack::ForkItself);
    let after = circle.talk();
    circle.all_show(&after[..2]);
    let world = settled(circle.world);
    assert!([ALICE, BOB].iter().any(|device| world.devices[*device].told.contains_key("feed fork")));
}

#[test]
pub(super) fn commits_that_nobody_may_make_are_skipped_by_all() {
    let mut circle = circle();
    // A record that there is something older than.
    circle.world.add_device(BOB);
    circle.world.run_for(20 * MINUTE);
    let policy = |world: &World| world.ground(ALICE, circle.group).expect("a member").policy.seats;
    let (before, leaves) = (policy(&circle.world), circle.world.ground(ALICE, circle.group).expect("a member").leaves);
    for commit in Unentitled::ALL {
        circle.world.attack(MALLORY, circle.group, Attack::Commit(commit));
        // Soon, too: a device that was removed asks to be added again.
        for wait in [MINUTE / 2, 3 * MINUTE / 2] {
            circle.world.run_for(wait);
            assert_eq!(policy(&circle.world), before, "{commit:?}\n{}", circle.world.trace.text());
            let now = circle.world.ground(ALICE, circle.group).expect("a member").leaves;
            assert_eq!(now.len(), leaves.len(), "{commit:?}");
        }
    }
    let after = circle.talk();
    circle.all_show(&after[..2]);
    settled(circle.world);
}

#[test]
pub(super) fn commits_that_nobody_may_make_are_skipped_between_two_as_well() {
    let mut circle = circle();
    let agreed = |world: &World, direct| {
        let ground = world.ground(ALICE, direct).expect("a member");
        (ground.policy.seats, ground.policy.rules, ground.policy.name, ground.policy.retention_s, ground.leaves)
    };
    let direct = direct_of(&circle.world, ALICE, MALLORY);
    let before = agreed(&circle.world, direct);
    for commit in Unentitled::ALL {
        let direct = circle.attack_direct(ALICE, Attack::Commit(commit));
        assert_eq!(agreed(&circle.world, direct), before, "{commit:?}");
    }
    let direct = direct_of(&circle.world, ALICE, MALLORY);
    let text = circle.world.say(ALICE, direct);
    circle.world.run_for(5 * MINUTE);
    assert!(circle.world.shows(MALLORY, &text));
    settled(circle.world);
}

/// Bob has a second device that was stolen and removed, and Alice and Bob know; the thief has its keys and the group's secrets.
fn robbed() -> (World, ConversationId, usize) {
    let (mut world, conversation) = contacts_of(calm());
    let thief = world.add_device(BOB);
    world.run_for(20 * MINUTE);
    // The thief sees to it that the device does not hear of its removal: it would forget its keys.
    for device in [ALICE, BOB] {
        world.links.cut.insert((device, thief));
    }
    world.links.relay_cut.insert((thief, 0));
    let connection = world.devices[thief].connection;
    world.disconnect_relay(thief, connection);
    world.remove_device(thief);
    world.run_for(20 * MINUTE);
    assert!(world.is_known_gone(thief, conversation));
    world.hostile.insert(thief);
    (world, conversation, thief)
}

#[test]
pub(super) fn a_removed_device_founds_no_successor_of_a_conversation_of_two() {
    for wrong in [Successor::Plain, Successor::OldRecords] {
        let (mut world, conversation, thief) = robbed();
        let before = world.ground(ALICE, conversation).expect("a member").group;
        let forged = world.succeed(thief, conversation, &[ALICE, BOB], wrong).expect("it can be tried");
        world.run_for(10 * MINUTE);
        let text = world.write_in(thief, conversation, forged, &[ALICE, BOB]);
        world.run_for(10 * MINUTE);
        for device in [ALICE, BOB] {
            let ground = world.ground(device, conversation).expect("a member");
            assert_eq!(ground.group, before, "device {device} follows the thief: {wrong:?}");
            assert!(!world.shows(device, &text));
        }
        settled(world);
    }
}

#[test]
pub(super) fn a_successor_that_names_another_past_takes_no_words_away() {
    let mut circle = circle();
    let direct = direct_of(&circle.world, MALLORY, ALICE);
    let text = circle.world.say(ALICE, direct);
    circle.world.run_for(MINUTE);
    // Either of two may found a successor; what it says of the past binds nobody.
    circle.attack_direct(ALICE, Attack::Succeed(Successor::OtherPast));
    assert!(circle.world.shows(ALICE, &text));
    settled(circle.world);
}

#[test]
pub(super) fn a_successor_that_follows_older_records_takes_no_device_away() {
    let mut circle = circle();
    let device = circle.world.add_device(ALICE);
    circle.world.run_for(20 * MINUTE);
    let direct = direct_of(&circle.world, MALLORY, ALICE);
    circle.attack_direct(ALICE, Attack::Succeed(Successor::OldRecords));
    let world = settled(circle.world);
    assert!(world.ground(device, direct).is_some());
}

#[test]
pub(super) fn a_successor_of_a_group_by_no_admin_is_not_taken() {
    let mut circle = circle();
    let before = circle.group_now();
    for wrong in [Successor::Plain, Successor::OtherPast, Successor::OldRecords] {
        circle.attack(Attack::Succeed(wrong));
        assert_eq!(circle.group_now().0, before.0, "{wrong:?}");
    }
    settled(circle.world);
}

#[test]
pub(super) fn a_device_that_waits_to_be_added_again_takes_no_group_of_just_anybody() {
    let mut circle = circle();
    circle.world.keep_copy(BOB);
    circle.talk();
    // It can plead with nobody, and hears what Mallory slips to it.
    circle.world.links.cut.insert((ALICE, BOB));
    circle.world.links.cut.insert((BOB, MALLORY));
    circle.world.links.relay_cut.insert((BOB, 0));
    circle.world.restore_device(BOB);
    circle.world.run_for(MINUTE);
    assert!(circle.world.ground(BOB, circle.group).is_none());
    for wrong in [Successor::Plain, Successor::OtherPast, Successor::OldRecords] {
        circle.attack(Attack::Succeed(wrong));
        let taken = circle.world.ground(BOB, circle.group).map(|ground| ground.policy.generation);
        assert!(taken.is_none_or(|generation| generation == 0), "{wrong:?}");
    }
    settled(circle.world);
}

#[test]
pub(super) fn who_was_removed_is_led_into_no_forged_group() {
    let mut circle = circle();
    circle.talk();
    let (conversation, member) = (circle.group, circle.world.devices[BOB].account);
    circle.world.ledger.unseated.insert((conversation, member));
    circle.world.command(ALICE, Command::RemoveMember { conversation, member }, |_, outcome| assert!(outcome.is_ok()));
    circle.world.run_for(10 * MINUTE);
    assert!(circle.world.ground(BOB, conversation).is_none(), "Bob was not removed");
    // As Mallory remembers it Bob has a seat: from a group of before.
    for wrong in [Successor::Plain, Successor::OtherPast] {
        circle.world.succeed_with_seat_of(MALLORY, conversation, BOB, wrong);
        circle.world.run_for(5 * MINUTE);
        assert!(circle.world.ground(BOB, conversation).is_none(), "Bob follows Mallory: {wrong:?}");
    }
    settled(circle.world);
}

#[test]
pub(super) fn nobody_is_led_into_a_conversation_that_is_not_its_makers() {
    let mut circle = circle();
    let own = |world: &World| -> Vec<GroupId> {
        let ids = world.conversations(ALICE).into_iter().map(|view| view.id);
        ids.filter_map(|id| world.ground(ALICE, id)).map(|ground| ground.group).collect()
    };
    let before = own(&circle.world);
    circle.attack(Attack::Trespass);
    assert_eq!(own(&circle.world), before);
    settled(circle.world);
}

#[test]
pub(super) fn garbage_and_vain_pleas_change_nothing() {
    let mut circle = circle();
    let before = circle.talk();
    for _ in 0..3 {
        circle.attack(Attack::Garbage);
        circle.attack(Attack::Plead);
    }
    let after = circle.talk();
    circle.all_show(&[before, after].concat());
    settled(circle.world);
}

#[test]
pub(super) fn a_thief_with_an_accomplice_is_heard_by_nobody_who_knows() {
    let mut circle = circle();
    let thief = circle.world.add_device(BOB);
    circle.world.run_for(20 * MINUTE);
    let early = circle.world.say(thief, circle.group);
    circle.world.run_for(MINUTE);
    for device in [ALICE, BOB, MALLORY] {
        circle.world.links.cut.insert((device, thief));
    }
    circle.world.links.relay_cut.insert((thief, 0));
    let connection = circle.world.devices[thief].connection;
    circle.world.disconnect_relay(thief, connection);
    circle.world.remove_device(thief);
    circle.world.run_for(20 * MINUTE);
    assert!(circle.world.is_known_gone(thief, circle.group));
    let late = circle.world.say(thief, circle.group);
    circle.world.ledger.forbidden.insert(late.clone());
    circle.world.run_for(MINUTE);
    circle.attack(Attack::PassOn(thief));
    for device in [ALICE, BOB] {
        assert!(circle.world.shows(device, &early), "what was written before is there");
        assert!(!circle.world.shows(device, &late));
    }
    // A newcomer hears of it from the accomplice first.
    let newcomer = circle.world.add_device(ALICE);
    circle.world.run_for(20 * MINUTE);
    circle.attack(Attack::PassOn(thief));
    let world = settled(circle.world);
    assert!(world.shows(newcomer, &early) && !world.shows(newcomer, &late));
}
