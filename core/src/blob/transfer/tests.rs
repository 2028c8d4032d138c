use proptest::prelude::*;
use rand_core::{RngCore, SeedableRng};

use super::*;
use crate::types::Rng;

/// How a source of the test behaves.
#[derive(Debug, Clone)]
struct Behaviour {
    has: Held,
    /// One in so many answers fails; 0 for none.
    fails: u32,
    lies: bool,
    /// It gets one more chunk with each question: somebody uploads to it.
    grows: bool,
}

fn pick(rng: &mut Rng, below: usize) -> usize {
    rng.next_u32() as usize % below.max(1)
}

/// Answers in any order; counts what was asked of each source after its first lie.
fn run(seed: u64, chunks: u32, mut sources: Vec<Behaviour>, window: u32) -> (Download<usize>, Vec<u32>, u64) {
    let mut rng = Rng::seed_from_u64(seed);
    let mut machine = Download::new(chunks, None);
    (0..sources.len()).for_each(|source| machine.add(source));
    machine.set_window(window);
    let mut under_way: Vec<Ask<usize>> = Vec::new();
    // Chunks that are in their place and are being hashed: of which source, and whether they are right.
    let mut looked_at: Vec<(usize, u32, bool)> = Vec::new();
    let mut got = Held::none(chunks);
    let mut after_lie = vec![0; sources.len()];
    let mut lied = vec![false; sources.len()];
    let mut now = 0;
    for _ in 0..200_000 {
        while let Some(ask) = machine.next(now) {
            if let Ask::Get(source, index) = ask {
                assert!(!got.contains(index), "chunk {index} is held");
                assert!(!under_way.iter().any(|other| matches!(other, Ask::Get(_, other) if *other == index)));
                assert!(!looked_at.iter().any(|(_, other, _)| *other == index));
                after_lie[source] += u32::from(lied[source]);
            }
            under_way.push(ask);
            assert!(under_way.len() <= window as usize);
            assert!(looked_at.len() < LOOKED_AT, "hashing keeps up with what comes");
        }
        if machine.is_done() {
            break;
        }
        if !looked_at.is_empty() && (under_way.is_empty() || rng.next_u32().is_multiple_of(2)) {
            let (name, index, right) = looked_at.swap_remove(pick(&mut rng, looked_at.len()));
            if right {
                got.insert(index);
                machine.got(name, index);
            } else {
                lied[name] = true;
                machine.not_got(name, index, Failure::Lied, now);
            }
            continue;
        }
        if under_way.is_empty() {
            machine.look_again(now);
            match machine.wakes_at() {
                Some(at) => now = now.max(at),
                None => break,
            }
            continue;
        }
        now += u64::from(rng.next_u32() % 50);
        let ask = under_way.swap_remove(pick(&mut rng, under_way.len()));
        let (Ask::List(name) | Ask::Get(name, _)) = ask;
        let source = &mut sources[name];
        if source.grows
            && let Some(next) = source.has.first_missing(|_| true)
        {
            source.has.insert(next);
        }
        let fails = source.fails > 0 && rng.next_u32().is_multiple_of(source.fails);
        match ask {
            Ask::List(name) if fails => machine.not_listed(name, Failure::Gone, now),
            Ask::List(name) => machine.listed(name, &source.has.runs(), Held::none(chunks)),
            Ask::Get(name, index) if fails => machine.not_got(name, index, Failure::Gone, now),
            Ask::Get(name, index) if !source.has.contains(index) => {
                machine.not_got(name, index, Failure::NotYet, now);
            }
            Ask::Get(name, index) => {
                machine.came(index);
                assert!(window > 1 || machine.next(now).is_none(), "what came is in no place yet");
                machine.placed(index);
                looked_at.push((name, index, !source.lies));
            }
        }
    }
    (machine, after_lie, now)
}

fn behaviour(chunks: u32) -> impl Strategy<Value = Behaviour> {
    (
        prop::collection::vec((0..=chunks, 0..=chunks), 0..4),
        prop_oneof![Just(0), 2_u32..6],
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(move |(runs, fails, lies, grows)| Behaviour {
            has: Held::from_runs(chunks, &runs),
            fails,
            lies,
            grows,
        })
}

proptest! {
    #[test]
    fn one_source_that_tells_the_truth_is_enough(
        seed in any::<u64>(),
        chunks in 1_u32..80,
        others in prop::collection::vec(behaviour(80), 0..4),
        fails in prop_oneof![Just(0), 2_u32..5],
        window in 1_u32..=MAX_WINDOW,
        place in 0_usize..4,
    ) {
        let mut sources: Vec<Behaviour> = others
            .into_iter()
            .map(|other| Behaviour { has: Held::from_runs(chunks, &other.has.runs()), ..other })
            .collect();
        let good = Behaviour { has: Held::all(chunks), fails, lies: false, grows: false };
        sources.insert(place.min(sources.len()), good);
        let (machine, after_lie, _) = run(seed, chunks, sources, window);
        prop_assert!(machine.is_done());
        prop_assert_eq!(after_lie.iter().sum::<u32>(), 0, "a liar was asked again");
    }

    #[test]
    fn an_upload_ends_whatever_is_cut_off(
        seed in any::<u64>(),
        chunks in 1_u32..80,
        fails in prop_oneof![Just(0), 2_u32..5],
        window in 1_u32..=MAX_WINDOW,
    ) {
        let mut rng = Rng::seed_from_u64(seed);
        let mut machine = Upload::new(chunks);
        machine.set_window(window);
        let mut there = Held::none(chunks);
        let (mut under_way, mut now) = (Vec::new(), 0_u64);
        for _ in 0..200_000 {
            while let Some(give) = machine.next(now) {
                under_way.push(give);
            }
            prop_assert!(under_way.len() <= window as usize);
            if machine.is_done() {
                break;
            }
            if under_way.is_empty() {
                now = now.max(machine.wakes_at());
                continue;
            }
            let give = under_way.swap_remove(pick(&mut rng, under_way.len()));
            // What was cut off may have been done.
            let done = rng.next_u32().is_multiple_of(2);
            if fails > 0 && rng.next_u32().is_multiple_of(fails) {
                if let (Give::Put(index), true) = (give, done) {
                    there.insert(index);
                }
                machine.failed(give, Failure::Gone, now);
                continue;
            }
            match give {
                Give::Open => machine.opened(&there.runs()),
                Give::Put(index) => {
                    there.insert(index);
                    machine.stored(index);
                }
            }
        }
        prop_assert!(machine.is_done() && there.is_full());
    }
}

#[test]
fn a_liar_is_known_at_its_first_chunk() {
    let liar = Behaviour { has: Held::all(40), fails: 0, lies: true, grows: false };
    let (machine, after_lie, _) = run(1, 40, vec![liar], 1);
    assert!(!machine.is_done());
    assert_eq!((machine.liars().collect::<Vec<_>>(), after_lie), (vec![0], vec![0]));
}

#[test]
fn what_is_still_being_uploaded_is_fetched_as_it_comes() {
    let growing = Behaviour { has: Held::none(20), fails: 0, lies: false, grows: true };
    assert!(run(2, 20, vec![growing], 4).0.is_done());
}

#[test]
fn what_is_held_is_not_fetched_again() {
    let mut machine = Download::new(3, Some(Held::from_runs(3, &[(0, 2)])));
    machine.add(1);
    assert_eq!(machine.next(0), Some(Ask::List(1)));
    machine.listed(1, &[(0, 3)], Held::none(3));
    assert_eq!(machine.next(0), Some(Ask::Get(1, 2)));
    machine.got(1, 2);
    assert!(machine.is_done());
}

#[test]
fn the_next_is_asked_for_when_one_has_its_place_and_not_before() {
    let mut machine = Download::new(9, Some(Held::none(9)));
    machine.add(1);
    assert_eq!(machine.next(0), Some(Ask::List(1)));
    machine.listed(1, &[(0, 9)], Held::none(9));
    assert_eq!((machine.next(0), machine.next(0)), (Some(Ask::Get(1, 0)), None));
    machine.came(0);
    assert_eq!(machine.next(0), None, "a kill would take two chunks");
    machine.placed(0);
    assert_eq!((machine.next(0), machine.next(0)), (Some(Ask::Get(1, 1)), None));
    machine.came(1);
    machine.placed(1);
    assert_eq!(machine.next(0), None, "two are being hashed");
    machine.got(1, 0);
    assert_eq!(machine.next(0), Some(Ask::Get(1, 2)));
    // Only now it is known that it was the wrong one.
    machine.not_got(1, 1, Failure::Lied, 0);
    machine.not_got(1, 2, Failure::Gone, 0);
    assert_eq!((machine.next(u64::MAX), machine.count()), (None, 1));
}

#[test]
fn the_window_grows_with_the_way() {
    assert_eq!((window(0), window(49), window(160), window(10_000)), (1, 1, 4, MAX_WINDOW));
}
