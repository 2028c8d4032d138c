//! Stories of several devices, drawn at random, heard in any order.

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use rand_core::RngCore;

use super::*;
use crate::chat::Roster;
use crate::wire::message::Vector;

fn shuffle<T>(list: &mut [T], rng: &mut Rng) {
    for at in (1..list.len()).rev() {
        list.swap(at, rng.next_u32() as usize % (at + 1));
    }
}

/// Something that happened in a conversation: all events that were ever signed, and the roster at its end.
struct Story {
    before: Roster,
    after: Roster,
    events: Vec<UnverifiedEvent>,
}

/// Four honest devices of three accounts, a forger that signs two feeds at once, and a thief's device that writes on after
/// its removal.
fn story(rng: &mut Rng) -> Story {
    let members = [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 1)];
    let before = roster(&members);
    let mut devices: Vec<Device> =
        members.iter().map(|(number, owner)| Device::new(*number, *owner, &before)).collect();
    let mut twin = devices[4].clone();
    let mut events: Vec<UnverifiedEvent> = Vec::new();
    for step in 0..40u64 {
        let who = rng.next_u32() as usize % devices.len();
        let heard = events.len().saturating_sub(rng.next_u32() as usize % 6);
        for event in &events[..heard] {
            devices[who].ingest(event);
        }
        devices[who].wall += rng.next_u64() % 3_000;
        let event = act(&mut devices[who], &events, step, rng);
        events.push(event);
        if rng.next_u32().is_multiple_of(8) {
            twin.wall += rng.next_u64() % 3_000;
            twin.rng = Rng::seed_from_u64(rng.next_u64());
            let event = act(&mut twin, &events, step + 1000, rng);
            events.push(event);
        }
    }
    let mut after = before.clone();
    after.dismiss(&device(6));
    if !rng.next_u32().is_multiple_of(3) {
        let judge = rng.next_u32() as usize % 4;
        let (cuts, _) = devices[judge].work(|feeds| feeds.cuts_of(&device(6)).unwrap());
        cuts.into_iter().for_each(|cut| after.close(cut));
    }
    if rng.next_u32().is_multiple_of(3) {
        let judge = rng.next_u32() as usize % 4;
        let (cuts, _) = devices[judge].work(|feeds| feeds.cuts_of(&device(5)).unwrap());
        after.dismiss(&device(5));
        cuts.into_iter().for_each(|cut| after.close(cut));
    }
    Story { before, after, events }
}

fn act(device: &mut Device, events: &[UnverifiedEvent], step: u64, rng: &mut Rng) -> UnverifiedEvent {
    let target = (!events.is_empty()).then(|| id(&events[rng.next_u32() as usize % events.len()]));
    match (rng.next_u32() % 8, target) {
        (4, Some(of)) => device.edit(of, &format!("edit {step}")),
        (5, Some(of)) => device.delete(of),
        (6, Some(of)) => device.react(of, if step.is_multiple_of(3) { "" } else { "+" }),
        (7, _) => {
            device.epoch += 1;
            device.text(&format!("text {step} in epoch {}", device.epoch))
        }
        _ => device.text(&format!("text {step}")),
    }
}

/// An observer of account 3 hears all of it in some order, learning of the roster's end somewhere between.
fn hear(story: &Story, rng: &mut Rng) -> Device {
    let mut observer = Device::new(7, 3, &story.before);
    let mut events = story.events.clone();
    let turn = rng.next_u32() as usize % (2 * events.len());
    let (mut heard, mut faults) = (0, Vec::new());
    for pass in 0..60 {
        shuffle(&mut events, rng);
        let before = observer.store.clone();
        for event in &events {
            if heard == turn {
                observer.walk_to(&story.after);
            }
            heard += 1;
            let bare = UnverifiedEvent { content: None, ..event.clone() };
            let event = if pass == 0 && rng.next_u32().is_multiple_of(10) { &bare } else { event };
            faults.extend(observer.take(event).1.faults);
        }
        if heard > turn && observer.store == before {
            return observer;
        }
    }
    panic!("it never comes to rest");
}

/// Four devices of account 3 that each lost some of a story, after they have repaired with each other.
fn repaired(seed: u64) -> Vec<Device> {
    let mut rng = Rng::seed_from_u64(seed);
    let story = story(&mut rng);
    let mut devices: Vec<Device> = (0..4).map(|n| Device::new(10 + n, 3, &story.before)).collect();
    for (n, event) in story.events.iter().enumerate() {
        // Each is heard by one at least.
        let sure = n % devices.len();
        for (at, device) in devices.iter_mut().enumerate() {
            if at == sure || rng.next_u32() % 100 < 40 {
                device.ingest(event);
            }
        }
    }
    devices.iter_mut().for_each(|device| drop(device.walk_to(&story.after)));
    heal(&mut devices, Weather { loss: 30, doubles: 20 }, &mut rng);
    devices
}

#[test]
fn repair_ends_where_what_a_cut_names_was_refused_by_all_as_beyond_a_fault() {
    let devices = repaired(3_578_149_731_401_717_218);
    for device in &devices[1..] {
        assert_eq!(devices[0].view(), device.view());
        assert_eq!(devices[0].unread(), device.unread());
    }
}

/// Few by default, for a story takes a second without optimisation; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if asked { ProptestConfig::default().cases } else { 6 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_timeline_is_the_same_whatever_the_order_of_arrival(seed in any::<u64>()) {
        let mut rng = Rng::seed_from_u64(seed);
        let story = story(&mut rng);
        let first = hear(&story, &mut rng);
        for _ in 0..3 {
            let other = hear(&story, &mut rng);
            prop_assert_eq!(first.vector(), other.vector());
            prop_assert_eq!(first.view(), other.view());
            prop_assert_eq!(first.last(), other.last());
            prop_assert_eq!(first.unread(), other.unread());
        }
        let messages = first.items().into_iter().filter(|item| {
            item.author != account(3) && !matches!(item.body, ItemBody::Deleted)
        });
        prop_assert_eq!(first.unread() as usize, messages.count());
    }

    #[test]
    fn repair_brings_all_to_the_same_whatever_was_lost(seed in any::<u64>()) {
        let devices = repaired(seed);
        for device in &devices[1..] {
            prop_assert_eq!(devices[0].view(), device.view());
            prop_assert_eq!(devices[0].unread(), device.unread());
        }
    }

    #[test]
    fn any_vector_is_answered_within_bounds(feeds in proptest::collection::vec(
        (any::<u8>(), any::<u64>(), any::<u64>(), proptest::collection::vec((any::<u64>(), any::<u64>()), 0..40),
            proptest::collection::vec(any::<u64>(), 0..40)), 0..8))
    {
        let (mut alice, _) = pair();
        let own = id(&alice.text("x")).feed;
        let state = |(kind, next, from, beyond, lacking): (u8, u64, u64, Vec<(u64, u64)>, Vec<u64>)| {
            let feed = if kind % 2 == 0 { own } else { FeedId { device: device(kind), ..own } };
            crate::wire::message::FeedState { feed, next, hash: Hash::new([kind; 32]), from, beyond, lacking }
        };
        let vector = Vector { feeds: feeds.into_iter().map(state).collect(), ask: true };
        let plan = crate::chat::repair::diff(&alice.store, &CONVERSATION, &alice.me, &vector).unwrap();
        let round = crate::chat::repair::round(&alice.store, &CONVERSATION, &plan).unwrap();
        prop_assert!(round.bundles.iter().map(Vec::len).sum::<usize>() <= 32);
    }

    #[test]
    fn a_kept_header_is_rebuilt_byte_for_byte(wall in any::<u64>(), clock in any::<u64>(), kind in any::<u16>(), epoch in any::<u64>()) {
        let (mut alice, mut bob) = pair();
        let text = alice.text("x");
        let event = forge(1, &text, |header| {
            (header.wall_ms, header.clock, header.kind, header.epoch) = (wall, Clock(clock), kind, epoch);
        });
        prop_assert_eq!(bob.ingest(&event), Outcome::New);
        let held = row::load_event(&bob.store, &CONVERSATION, &id(&event)).unwrap().unwrap();
        prop_assert_eq!(held.as_raw(), &event);
    }
}
