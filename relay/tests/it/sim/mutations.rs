//! The engine and its driver broken on purpose, one rule at a time: each has to be caught by what stands here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kith_core::chat::mutation::{self, Mutation};

use super::faults::{Fault, Plan};
use super::{hostile, run, scenarios};

/// Of these networks half have to notice at least: in some nobody comes to write much.
const SEEDS: std::ops::Range<u64> = 0..6;

/// What the driver does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// One batch in six never reaches the disk.
    DropsBatches,
    /// What follows a batch is let go before the batch is durable.
    LetsGoEarly,
}

thread_local! {
    static BROKEN: Cell<Option<Broken>> = const { Cell::new(None) };
}

/// Whether the driver is broken in this way.
pub(crate) fn is(broken: Broken) -> bool {
    BROKEN.get() == Some(broken)
}

/// Whether a scenario fails; what it says when it does is no news.
fn fails(scenario: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(scenario)).is_err()
}

/// Whether the broken driver is noticed in half of the networks; no more are run than that takes.
fn is_noticed(broken: Broken) -> bool {
    BROKEN.set(Some(broken));
    let half = SEEDS.count().div_ceil(2);
    let noticed = SEEDS.filter(|seed| run(&crashing(*seed), false).is_err()).take(half).count();
    BROKEN.set(None);
    noticed == half
}

/// A network in which processes end and disks fail, and nothing else goes wrong. Much is written: of the batches only those with an
/// acknowledgement betray themselves at once, and what others lack is made good.
fn crashing(seed: u64) -> Plan {
    let mut plan = Plan::calm(seed);
    plan.faults = vec![Fault::Crash, Fault::Disk];
    plan.steps = 40;
    (plan.crash_permille, plan.disk_permille) = (40, 40);
    plan
}

#[test]
fn a_batch_that_is_dropped_is_noticed() {
    assert!(is_noticed(Broken::DropsBatches));
}

#[test]
fn what_is_let_go_before_it_is_durable_is_noticed() {
    assert!(is_noticed(Broken::LetsGoEarly));
}

#[test]
fn the_same_networks_hold_when_nothing_is_broken() {
    for seed in SEEDS {
        assert_eq!(run(&crashing(seed), false).err().map(|(problem, _)| problem), None, "seed {seed}");
    }
}

#[test]
fn a_repair_that_sends_nothing_is_noticed() {
    mutation::during(Mutation::NoRepair, || {
        assert!(fails(scenarios::a_device_from_an_old_copy_shows_everything_again));
    });
}

#[test]
fn cuts_that_are_ignored_are_noticed() {
    mutation::during(Mutation::NoCuts, || {
        assert!(fails(scenarios::what_a_thief_writes_on_a_removed_device_shows_nowhere_whoever_passes_it_on));
    });
    mutation::during(Mutation::NoCuts, || {
        assert!(fails(hostile::a_thief_with_an_accomplice_is_heard_by_nobody_who_knows));
    });
}

#[test]
fn commits_that_anybody_may_make_are_noticed() {
    mutation::during(Mutation::NoEntitlement, || {
        assert!(fails(hostile::commits_that_nobody_may_make_are_skipped_by_all))
    });
    mutation::during(Mutation::NoEntitlement, || {
        assert!(fails(hostile::commits_that_nobody_may_make_are_skipped_between_two_as_well));
    });
}
