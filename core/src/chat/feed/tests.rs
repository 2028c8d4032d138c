mod stories;

use rand_core::{RngCore, SeedableRng};

use super::*;
use crate::chat::ItemBody;
use crate::chat::laboratory::*;
use crate::chat::timeline::Anchor;
use crate::types::{Hash, Rng};
use crate::wire::event::UnverifiedEvent;
use crate::wire::message::{Kind, Mark};

const CALM: Weather = Weather { loss: 0, doubles: 0 };

fn pair() -> (Device, Device) {
    let roster = roster(&[(1, 1), (2, 2)]);
    (Device::new(1, 1, &roster), Device::new(2, 2, &roster))
}

#[test]
fn a_text_counts_once_and_is_unread_until_it_is_marked() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("hello");
    assert_eq!(bob.ingest(&text), Outcome::New);
    assert_eq!(bob.ingest(&text), Outcome::Duplicate);
    assert_eq!((bob.texts(), bob.unread()), (vec!["hello".to_owned()], 1));
    assert_eq!(alice.unread(), 0, "one's own is read");
    let (moved, _) = bob.work(|feeds| feeds.mark_read(&id(&text)).unwrap());
    assert_eq!(moved, [Mark { feed: id(&text).feed, next: 1 }]);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn events_beyond_a_gap_count_when_it_is_filled() {
    let (mut alice, mut bob) = pair();
    let events: Vec<_> = (0..5).map(|n| alice.text(&n.to_string())).collect();
    assert_eq!(bob.ingest(&events[4]), Outcome::Kept);
    assert_eq!(bob.ingest(&events[2]), Outcome::Kept);
    assert_eq!(bob.ingest(&events[1]), Outcome::Kept);
    assert!(bob.texts().is_empty());
    let (outcome, changes) = bob.take(&events[0]);
    assert_eq!((outcome, changes.counted.len()), (Outcome::New, 3));
    assert_eq!(bob.ingest(&events[3]), Outcome::New);
    assert_eq!(bob.texts(), ["0", "1", "2", "3", "4"]);
}

#[test]
fn what_arrives_late_is_unread_even_when_it_sorts_before_what_was_read() {
    let members = roster(&[(1, 1), (2, 2), (3, 3)]);
    let (mut alice, mut bob, mut carol) =
        (Device::new(1, 1, &members), Device::new(2, 2, &members), Device::new(3, 3, &members));
    let early = alice.text("early");
    carol.wall += 5_000;
    let late = carol.text("late");
    bob.ingest(&late);
    bob.work(|feeds| feeds.mark_read(&id(&late)).unwrap());
    assert_eq!(bob.unread(), 0);
    bob.ingest(&early);
    assert_eq!((bob.texts(), bob.unread()), (vec!["early".to_owned(), "late".to_owned()], 1));
    bob.work(|feeds| feeds.mark_read(&id(&late)).unwrap());
    assert_eq!(bob.unread(), 0);
}

#[test]
fn marking_in_the_middle_leaves_the_rest_unread() {
    let (mut alice, mut bob) = pair();
    let events: Vec<_> = (0..9).map(|n| alice.text(&n.to_string())).collect();
    events.iter().for_each(|event| drop(bob.ingest(event)));
    for (at, left) in [(1, 7), (6, 2), (3, 2)] {
        bob.work(|feeds| feeds.mark_read(&id(&events[at])).unwrap());
        assert_eq!(bob.unread(), left);
    }
    let delete = alice.delete(id(&events[8]));
    bob.ingest(&delete);
    assert_eq!(bob.unread(), 1);
    bob.work(|feeds| feeds.merge_read(&[Mark { feed: id(&delete).feed, next: 100 }]).unwrap());
    assert_eq!(bob.unread(), 0);
    let next = alice.text("read elsewhere");
    bob.ingest(&next);
    assert_eq!(bob.unread(), 0);
}

#[test]
fn an_edit_by_another_account_changes_nothing() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("mine");
    bob.ingest(&text);
    let edit = bob.edit(id(&text), "yours");
    let delete = bob.delete(id(&text));
    for event in [&edit, &delete] {
        assert_eq!(alice.ingest(event), Outcome::New);
    }
    assert_eq!((alice.texts(), bob.texts()), (vec!["mine".to_owned()], vec!["mine".to_owned()]));
}

#[test]
fn the_latest_edit_shows_and_reactions_are_one_an_account() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("first");
    let edits = [alice.edit(id(&text), "second"), alice.edit(id(&text), "third")];
    bob.ingest(&text);
    let reactions = [bob.react(id(&text), "+"), bob.react(id(&text), "-")];
    bob.ingest(&edits[1]);
    assert_eq!(bob.texts(), ["first"]);
    bob.ingest(&edits[0]);
    alice.ingest(&reactions[0]);
    alice.ingest(&reactions[1]);
    assert_eq!(bob.texts(), ["third"]);
    assert_eq!(alice.view(), bob.view());
    let item = &alice.items()[0];
    assert!(item.edited);
    assert_eq!(item.reactions.get(&account(2)).map(String::as_str), Some("-"));
    let none = bob.react(id(&text), "");
    alice.ingest(&none);
    assert!(alice.items()[0].reactions.is_empty());
}

#[test]
fn who_heard_a_voice_note_is_known_whenever_that_is_said_and_never_by_its_author() {
    let (mut alice, mut bob) = pair();
    let note = alice.voice_note();
    let own = alice.say_played(id(&note));
    let text = alice.text("no note");
    [&note, &own, &text].into_iter().for_each(|event| assert_eq!(bob.ingest(event), Outcome::New));
    assert!(alice.items()[0].played.is_empty() && bob.items()[0].played.is_empty());
    let said = [bob.say_played(id(&note)), bob.say_played(id(&note)), bob.say_played(id(&text))];
    for event in said.iter().rev() {
        alice.ingest(event);
    }
    assert_eq!(alice.view(), bob.view());
    let items = alice.items();
    assert_eq!(items.len(), 2, "that it was heard is no message");
    assert_eq!(items[0].played.iter().collect::<Vec<_>>(), [&account(2)]);
    assert!(items[1].played.is_empty(), "a text is not heard");
}

#[test]
fn a_deleted_text_and_its_edits_leave_no_byte() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("a secret of some length");
    let edit = alice.edit(id(&text), "a secret of another length");
    let (all, _) = alice.work(|feeds| feeds.deletable(&id(&text)).unwrap());
    assert_eq!(all, [id(&text), id(&edit)]);
    let deletes: Vec<_> = all.into_iter().map(|of| alice.delete(of)).collect();
    for event in [&deletes[0], &text, &deletes[1], &edit] {
        bob.ingest(event);
    }
    for device in [&alice, &bob] {
        assert!(matches!(device.items()[0].body, ItemBody::Deleted));
        for of in [&text, &edit] {
            assert_eq!(row::load_content(&device.store, &CONVERSATION, &id(of)).unwrap(), None);
            assert_eq!(device.store.get(Table::Content, &key::event(&CONVERSATION, &id(of))).unwrap(), None);
            let kept = device.store.get(Table::Event, &key::event(&CONVERSATION, &id(of))).unwrap().unwrap();
            assert!(!kept.windows(6).any(|part| part == b"secret"));
        }
    }
    assert_eq!(bob.unread(), 0);
    assert_eq!(alice.vector(), bob.vector());
    // Who comes later is told of it by the header alone.
    let mut carol = Device::new(2, 2, &alice.roster);
    let mut rng = Rng::seed_from_u64(1);
    repair_one_way(&bob, &mut carol, CALM, &mut rng);
    assert_eq!(carol.view(), bob.view());
    assert_eq!(carol.vector(), bob.vector());
}

#[test]
fn content_that_is_absent_without_a_delete_is_missing_until_it_comes() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("whole");
    let bare = UnverifiedEvent { content: None, ..text.clone() };
    assert_eq!(bob.ingest(&bare), Outcome::New);
    assert!(matches!(bob.items()[0].body, ItemBody::Missing));
    assert_eq!(bob.vector().feeds[0].lacking, [0]);
    assert_ne!(bob.vector(), alice.vector());
    let mut rng = Rng::seed_from_u64(1);
    repair_one_way(&alice, &mut bob, CALM, &mut rng);
    assert_eq!(bob.texts(), ["whole"]);
    assert_eq!(bob.vector(), alice.vector());
}

#[test]
fn unknown_kinds_are_kept_and_shown_as_newer() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("x");
    let newer = forge(1, &text, |header| {
        (header.sequence, header.previous, header.kind) = (1, hash_of(&text), 999);
    });
    bob.ingest(&text);
    assert_eq!(bob.ingest(&newer), Outcome::New);
    assert_eq!(bob.items()[1].body, ItemBody::Newer { kind: 999 });
    assert_eq!(bob.unread(), 2);
}

#[test]
fn hostile_events_are_refused_and_change_nothing() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("x");
    bob.ingest(&text);
    let before = bob.store.clone();
    let next = |header: &mut Header| (header.sequence, header.previous) = (1, hash_of(&text));
    let mut wrong_content = forge(1, &text, next);
    wrong_content.content = text.content.clone();
    let mut flipped = forge(1, &text, next);
    flipped.signature[5] ^= 1;
    let mut short = forge(1, &text, next);
    short.signature.truncate(10);
    let mut salt = forge(1, &text, next);
    salt.content.as_mut().unwrap().salt.clear();
    let refused = [
        forge(2, &text, next),
        flipped,
        short,
        salt,
        wrong_content,
        forge(1, &text, |header| {
            next(header);
            header.conversation = ConversationId::new([1; 32]);
        }),
        forge(1, &text, |header| header.sequence = u64::MAX),
        UnverifiedEvent { header: vec![0; 2000], ..text.clone() },
        UnverifiedEvent { header: Vec::new(), ..text.clone() },
        UnverifiedEvent { header: vec![1, 0xff], ..text.clone() },
    ];
    for event in refused {
        let outcome = bob.ingest(&event);
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    assert!(bob.store == before);
}

#[test]
fn oversized_content_is_refused() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("x");
    let content = Content { salt: vec![0; 16], body: vec![0; MAX_CONTENT + 1] };
    let mut event = forge(1, &text, |header| header.content = content.hash());
    event.content = Some(content);
    assert!(matches!(bob.ingest(&event), Outcome::Refused(Refusal::Invalid(_))));
    let body = vec![0; MAX_CONTENT + 1];
    let mut rng = Rng::seed_from_u64(1);
    let (result, _) =
        alice.work(|feeds| feeds.append(&mut rng, writing(1), Kind::Text, body, |_| Signature::from_bytes(&[0; 64])));
    assert_eq!(result.unwrap_err(), AppendError::TooLong { limit: MAX_CONTENT });
}

#[test]
fn a_gap_of_half_the_numbers_is_one_range() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("x");
    let far = forge(1, &text, |header| (header.sequence, header.previous) = (1 << 63, Hash::new([1; 32])));
    assert_eq!(bob.ingest(&far), Outcome::Kept);
    assert_eq!(bob.vector().feeds[0].beyond, [(1 << 63, (1 << 63) + 1)]);
    assert_eq!(bob.ingest(&text), Outcome::New);
    let mut rng = Rng::seed_from_u64(1);
    repair_one_way(&bob, &mut alice, CALM, &mut rng);
    repair_one_way(&alice, &mut bob, CALM, &mut rng);
    assert_eq!((bob.texts(), bob.items().len()), (alice.texts(), 1));
}

#[test]
fn what_is_kept_beyond_gaps_and_parked_is_bounded() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("x");
    let outcomes: Vec<Outcome> =
        (1..100u64).map(|n| bob.ingest(&forge(1, &text, |header| header.sequence = n * 10))).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Kept).count(), row::MAX_BEYOND_RANGES);
    assert!(outcomes.ends_with(&[Outcome::Refused(Refusal::TooFar)]));
    let unknown = |n: u64| {
        forge(7, &text, |header| {
            (header.feed.device, header.sequence) = (device(7), n);
        })
    };
    let outcomes: Vec<Outcome> = (0..400).map(|n| bob.ingest(&unknown(n))).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Parked).count(), 256);
    assert!(outcomes.ends_with(&[Outcome::Refused(Refusal::ParkedFull)]));
    let lives: Vec<Outcome> = (0..100u8).map(|n| bob.ingest(&life(&text, n))).collect();
    assert!(lives.ends_with(&[Outcome::Refused(Refusal::TooManyFeeds)]));
}

/// The first event of another feed of device 1.
fn life(like: &UnverifiedEvent, number: u8) -> UnverifiedEvent {
    forge(1, like, |header| header.feed.incarnation = Incarnation::new([number; 8]))
}

#[test]
fn of_too_many_feeds_the_same_count_whichever_came_first() {
    let (mut alice, bob) = pair();
    let text = alice.text("x");
    let mut numbers: Vec<u8> = (0..100).collect();
    let mut views = Vec::new();
    let mut rng = Rng::seed_from_u64(5);
    for _ in 0..4 {
        let mut bob = bob.clone();
        for number in &numbers {
            bob.ingest(&life(&text, *number));
        }
        // What came between: one of a feed that is given up again, and one beyond a gap.
        bob.ingest(&forge(1, &text, |header| {
            (header.feed.incarnation, header.sequence) = (Incarnation::new([99; 8]), 7)
        }));
        let feeds: Vec<FeedId> = bob.vector().feeds.iter().map(|state| state.feed).collect();
        assert_eq!(feeds.len(), MAX_INCARNATIONS);
        assert_eq!(feeds.last().unwrap().incarnation, Incarnation::new([63; 8]));
        assert_eq!((bob.items().len(), bob.unread()), (MAX_INCARNATIONS, 64));
        views.push(bob.view());
        for at in (1..numbers.len()).rev() {
            numbers.swap(at, rng.next_u32() as usize % (at + 1));
        }
    }
    assert!(views.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn feeds_that_a_commit_closed_leave_room_for_others() {
    let (mut alice, mut bob) = pair();
    let text = alice.text("x");
    for number in 0..64 {
        assert_eq!(bob.ingest(&life(&text, number)), Outcome::New);
    }
    assert_eq!(bob.ingest(&life(&text, 200)), Outcome::Refused(Refusal::TooManyFeeds));
    let closed = life(&text, 3);
    let mut roster = bob.roster.clone();
    roster.close(Cut { feed: id(&closed).feed, next: 1, hash: hash_of(&closed) });
    bob.walk_to(&roster);
    assert_eq!(bob.ingest(&life(&text, 200)), Outcome::New);
    assert_eq!(bob.ingest(&life(&text, 201)), Outcome::Refused(Refusal::TooManyFeeds));
    assert_eq!(bob.items().len(), 65);
}

#[test]
fn nobody_buries_an_authors_delete_edit_or_anothers_reaction() {
    let members = roster(&[(1, 1), (2, 2), (3, 3)]);
    let (mut alice, mut mallory, mut bob) =
        (Device::new(1, 1, &members), Device::new(2, 2, &members), Device::new(3, 3, &members));
    let (kept, gone) = (alice.text("frist"), alice.text("gone"));
    let (kept, gone) = ([kept.clone(), alice.edit(id(&kept), "first")], [gone.clone(), alice.delete(id(&gone))]);
    let mut events: Vec<UnverifiedEvent> = kept.iter().chain(&gone).cloned().collect();
    events.push(bob.react(id(&kept[0]), "!"));
    mallory.wall += 1_000_000;
    for number in 0..4200 {
        let of = id(if number % 2 == 0 { &kept[0] } else { &gone[0] });
        events.push(match number % 6 {
            0 | 1 => mallory.react(of, "?"),
            2 | 3 => mallory.edit(of, "buried"),
            _ => mallory.delete(of),
        });
    }
    events.sort_by_key(|event| std::cmp::Reverse(event.peek().unwrap().feed.device == device(2)));
    let mut carol = Device::new(4, 4, &roster(&[(1, 1), (2, 2), (3, 3), (4, 4)]));
    carol.work(|feeds| events.iter().for_each(|event| drop(feeds.ingest(event.clone(), false).unwrap())));
    let items = carol.items();
    assert_eq!(carol.texts(), ["first", "Deleted"]);
    let reactions: Vec<&str> = items[0].reactions.values().map(String::as_str).collect();
    assert_eq!(reactions, ["?", "!"]);
}

#[test]
fn parked_events_count_when_their_device_is_known() {
    let (mut alice, mut bob) = pair();
    bob.roster = roster(&[(2, 2)]);
    let events = [alice.text("one"), alice.text("two")];
    assert_eq!(bob.ingest(&events[1]), Outcome::Parked);
    assert_eq!(bob.ingest(&events[0]), Outcome::Parked);
    assert_eq!(bob.ingest(&events[0]), Outcome::Duplicate);
    let changes = bob.walk_to(&alice.roster);
    assert_eq!(changes.counted.len(), 2);
    assert_eq!(bob.texts(), ["one", "two"]);
    assert!(bob.store.scan(Table::Parked, &[], Range::all()).unwrap().is_empty());
}

#[test]
fn falling_clock_or_epoch_ends_the_feed_there() {
    for fall in
        [(|header: &mut Header| header.clock = Clock(header.clock.0 - 1)) as fn(&mut Header), |header: &mut Header| {
            header.epoch = 0
        }]
    {
        let (mut alice, mut bob) = pair();
        let text = alice.text("x");
        bob.ingest(&text);
        let bad = forge(1, &text, |header| {
            (header.sequence, header.previous) = (1, hash_of(&text));
            fall(header);
        });
        let (outcome, changes) = bob.take(&bad);
        assert_eq!((outcome, changes.faults.len()), (Outcome::Fork, 1));
        // Its honest twin would still join at the place at fault, and nothing beyond.
        let good = alice.text("y");
        assert_eq!(bob.ingest(&good), Outcome::New);
        let beyond = alice.text("z");
        let (outcome, changes) = bob.take(&beyond);
        assert_eq!((outcome, changes.faults.len()), (Outcome::Refused(Refusal::Ended), 1));
        // The proof convinces others, and the author, who then begins a new feed.
        let mut carol = Device::new(2, 2, &bob.roster);
        assert_eq!(carol.take_fault(&changes.faults[0].1), Outcome::Fork);
        for event in [&beyond, &good, &text] {
            carol.ingest(event);
        }
        assert_eq!(carol.view(), bob.view());
    }
}

#[test]
fn what_proves_nothing_is_refused() {
    let (mut alice, mut bob) = pair();
    let (one, two) = (alice.text("x"), alice.text("y"));
    let bare = |event: &UnverifiedEvent| UnverifiedEvent { content: None, ..event.clone() };
    let mut foreign = forge(2, &one, |_| {});
    foreign.content = None;
    for (fault, refusal) in [
        (Fault { one: bare(&one), other: bare(&two) }, Refusal::NoProof),
        (Fault { one: bare(&one), other: bare(&one) }, Refusal::NoProof),
        (Fault { one: bare(&one), other: foreign }, Refusal::Invalid(EventError::WrongSignature)),
    ] {
        assert_eq!(bob.take_fault(&fault), Outcome::Refused(refusal));
    }
    assert_eq!(bob.ingest(&one), Outcome::New);
    assert_eq!(bob.ingest(&two), Outcome::New);
}

#[test]
fn own_events_that_are_not_held_prove_an_old_copy() {
    let (mut alice, mut bob) = pair();
    let first = alice.text("before the copy");
    let mut restored = alice.clone();
    let second = alice.text("after the copy");
    bob.ingest(&first);
    bob.ingest(&second);
    let plan = crate::chat::repair::diff(&restored.store, &CONVERSATION, &restored.me, &bob.vector()).unwrap();
    assert_eq!(plan.own, Some(crate::chat::OwnFeed::Longer));
    assert_eq!(restored.ingest(&second), Outcome::OwnAhead);
    // It goes on in a new feed, and its old one is repaired like anybody's.
    let mut rng = Rng::seed_from_u64(77);
    restored.work(|feeds| feeds.begin(&mut rng));
    assert_eq!(restored.ingest(&second), Outcome::New);
    let third = restored.text("in a new life");
    assert_eq!(bob.ingest(&third), Outcome::New);
    assert_eq!(bob.view(), restored.view());
    // Had it written under its old life, that would be a fork, and would show as one.
    let forked = forge(1, &second, |_| {});
    assert_eq!(bob.ingest(&forked), Outcome::Fork);
}

#[test]
fn a_removed_device_cannot_write_beyond_its_cut_nor_rewrite_what_lies_before() {
    let members = roster(&[(1, 1), (2, 2), (3, 3)]);
    let (mut thief, mut bob, mut carol) =
        (Device::new(1, 1, &members), Device::new(2, 2, &members), Device::new(3, 3, &members));
    let honest = [thief.text("honest 0"), thief.text("honest 1")];
    honest.iter().for_each(|event| drop(bob.ingest(event)));
    let (cuts, _) = bob.work(|feeds| feeds.cuts_of(&device(1)).unwrap());
    let mut after = members.clone();
    after.dismiss(&device(1));
    cuts.into_iter().for_each(|cut| after.close(cut));
    let beyond = thief.text("beyond");
    let rewrite = [forge(1, &honest[0], |_| {}), forge(1, &honest[1], |_| {})];
    // Carol hears the thief before she learns of the cut.
    for event in [&rewrite[0], &rewrite[1], &honest[0], &honest[1], &beyond] {
        carol.ingest(event);
    }
    bob.walk_to(&after);
    carol.walk_to(&after);
    assert_eq!(bob.ingest(&beyond), Outcome::Refused(Refusal::Cut));
    assert_eq!(bob.ingest(&rewrite[0]), Outcome::Refused(Refusal::Cut));
    let mut devices = [bob, carol];
    heal(&mut devices, CALM, &mut Rng::seed_from_u64(5));
    for device in &devices {
        assert_eq!(device.texts(), ["honest 0", "honest 1"]);
    }
}

#[test]
fn a_delete_beyond_a_cut_gives_back_what_it_erased() {
    let members = roster(&[(1, 1), (2, 2), (3, 3), (4, 1)]);
    let (mut thief, mut bob, mut carol, mut alice) = (
        Device::new(1, 1, &members),
        Device::new(2, 2, &members),
        Device::new(3, 3, &members),
        Device::new(4, 1, &members),
    );
    let text = alice.text("keep me");
    for device in [&mut thief, &mut bob, &mut carol] {
        device.ingest(&text);
    }
    let mut after = members.clone();
    after.dismiss(&device(1));
    let delete = thief.delete(id(&text));
    carol.ingest(&delete);
    assert!(matches!(carol.items()[0].body, ItemBody::Deleted));
    let changes = carol.walk_to(&after);
    assert_eq!(changes.uncounted, [id(&delete)]);
    assert!(matches!(carol.items()[0].body, ItemBody::Missing));
    assert_eq!(carol.unread(), 1);
    bob.walk_to(&after);
    let mut devices = [bob, carol];
    heal(&mut devices, CALM, &mut Rng::seed_from_u64(5));
    assert_eq!(devices[1].texts(), ["keep me"]);
}

#[test]
fn a_newcomer_starts_at_its_anchor_and_history_comes_from_its_end() {
    for history in [false, true] {
        let (mut alice, bob) = pair();
        for n in 0..600 {
            alice.text(&n.to_string());
        }
        let (anchors, _) = alice.work(|feeds| feeds.anchors().unwrap());
        let mut newcomer = Device::new(2, 2, &bob.roster);
        newcomer.work(|feeds| anchors.iter().for_each(|anchor| feeds.anchor(anchor, history).unwrap()));
        let live = alice.text("live");
        assert_eq!(newcomer.ingest(&live), Outcome::New);
        assert_eq!((newcomer.texts(), newcomer.unread()), (vec!["live".to_owned()], 1));
        if !history {
            assert_eq!(newcomer.vector(), alice.vector());
            let old = alice.page(Anchor::Newest, 2).remove(0);
            let old = row::load_event(&alice.store, &CONVERSATION, &old.id).unwrap().unwrap();
            assert_eq!(newcomer.ingest(old.as_raw()), Outcome::Refused(Refusal::OffAnchor));
            continue;
        }
        let mut rng = Rng::seed_from_u64(1);
        repair_one_way(&alice, &mut newcomer, CALM, &mut rng);
        let texts = newcomer.texts();
        assert!(texts.len() > 50 && texts.len() < 601, "{}", texts.len());
        assert_eq!(&texts[texts.len() - 3..], ["598", "599", "live"]);
        let mut devices = [alice, newcomer];
        heal(&mut devices, Weather { loss: 30, doubles: 30 }, &mut rng);
        assert_eq!(devices[1].items().len(), 601);
        assert_eq!(devices[1].unread(), 1, "history is no news");
    }
}

#[test]
fn a_false_anchor_is_given_up() {
    let (mut alice, mut bob) = pair();
    let events = [alice.text("0"), alice.text("1"), alice.text("2")];
    let anchor = Cut { feed: id(&events[0]).feed, next: 2, hash: Hash::new([7; 32]) };
    bob.work(|feeds| feeds.anchor(&anchor, false).unwrap());
    bob.ingest(&events[2]);
    bob.ingest(&events[0]);
    bob.ingest(&events[1]);
    assert_eq!(bob.texts(), ["0", "1", "2"]);
}

#[test]
fn pages_read_both_ways_and_around() {
    let (mut alice, _) = pair();
    let events: Vec<_> = (0..20).map(|n| alice.text(&n.to_string())).collect();
    let at = |n: usize| id(&events[n]);
    let page = |anchor, limit| -> Vec<String> { alice.page(anchor, limit).iter().map(text_of).collect() };
    assert_eq!(page(Anchor::Newest, 3), ["17", "18", "19"]);
    assert_eq!(page(Anchor::Before(at(17)), 2), ["15", "16"]);
    assert_eq!(page(Anchor::After(at(17)), 5), ["18", "19"]);
    assert_eq!(page(Anchor::Around(at(10)), 5), ["8", "9", "10", "11", "12"]);
    assert_eq!(page(Anchor::Around(at(0)), 3), ["0", "1", "2"]);
    assert!(page(Anchor::Before(ContentId { sequence: 99, ..at(0) }), 5).is_empty());
    assert!(page(Anchor::Newest, 0).is_empty());
}

#[test]
fn a_live_message_with_a_wild_clock_is_shown_at_its_arrival() {
    let (mut alice, mut bob) = pair();
    alice.wall += 24 * 3_600_000;
    let text = alice.text("tomorrow");
    bob.ingest(&text);
    let answer = bob.text("today");
    alice.ingest(&answer);
    assert_eq!(bob.items()[0].shown, Timestamp(bob.wall));
    assert_eq!(bob.texts(), ["tomorrow", "today"], "order follows cause");
    assert_eq!(alice.texts(), bob.texts());
}

#[test]
fn an_own_feed_that_is_closed_takes_nothing() {
    let (mut alice, _) = pair();
    alice.text("x");
    let mut after = alice.roster.clone();
    after.dismiss(&device(1));
    alice.walk_to(&after);
    let mut rng = Rng::seed_from_u64(1);
    let (result, _) = alice
        .work(|feeds| feeds.append(&mut rng, writing(1), Kind::Text, vec![1], |_| Signature::from_bytes(&[0; 64])));
    assert_eq!(result.unwrap_err(), AppendError::Closed);
    let (mut bob, _) = pair();
    bob.epoch = 5;
    bob.text("x");
    let (result, _) =
        bob.work(|feeds| feeds.append(&mut rng, writing(4), Kind::Text, vec![1], |_| Signature::from_bytes(&[0; 64])));
    assert_eq!(result.unwrap_err(), AppendError::EpochFell);
}

#[test]
fn a_message_of_200_bytes_takes_less_than_900() {
    let (mut alice, mut bob) = pair();
    let text = "x".repeat(200);
    let events: Vec<_> = (0..300).map(|_| alice.text(&text)).collect();
    events.iter().for_each(|event| drop(bob.ingest(event)));
    for device in [&alice, &bob] {
        let (rows, bytes) = (device.store.len(), device.store.size_bytes());
        // Header, content and place in the timeline; what is kept once a feed or conversation is no more than ten rows.
        assert!(rows <= 300 * 3 + 10, "{rows} rows");
        assert!(bytes / 300 < 900, "{} bytes a message", bytes / 300);
        println!("{} bytes a message", bytes / 300);
    }
}
