//! The simulator: whole networks of pure engines and pure relays in one thread, on a virtual clock.
//!
//! Every run is a function of its seed. `KITH_SIM_SEED=n` runs that seed alone, with `KITH_SIM_TRACE=1` its trace is printed;
//! `KITH_SOAK=1` runs a hundred times as many, `KITH_SIM_SEEDS=n` n of them; `KITH_SIM_FIRST=n` begins with the seed n, and so goes on
//! with a run that was cut off. `KITH_SIM_FAULTS=Loss,Fork` leaves only those faults of the ones that a seed draws, and takes them in even
//! where the default run leaves them out; `all` takes in all.

mod admins;
mod blocked;
mod commands;
mod driver;
mod faults;
mod homes;
mod hostile;
mod listening;
mod mutations;
mod network;
mod oracle;
mod people;
mod relay;
mod remembered;
mod removed;
mod rogue;
mod scenarios;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use faults::{Fault, Plan};
use world::World;

/// Seeds of a default run.
const SEEDS: u64 = 200;

/// In so many seeds of a default run each kind of fault comes about at least.
const OCCURRENCES: usize = 5;

/// Seeds of a long run.
const SOAK: u64 = 20_000;

/// A run says how far it is after so many: from there one that is cut off is resumed.
const PROGRESS: u64 = 500;

/// What came of a run: the hash of its trace, or what is wrong, with the trace.
fn run(plan: &Plan, shown: bool) -> Result<u64, (String, String)> {
    run_world(&mut World::new(plan.clone(), shown))
}

fn run_world(world: &mut World) -> Result<u64, (String, String)> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        world.play();
        world.settle()
    }));
    let outcome = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(format!(
            "panic: {}",
            text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        ))
    });
    match outcome {
        Ok(()) => Ok(world.trace.hash()),
        Err(problem) => Err((problem, world.trace.text())),
    }
}

/// Runs seeds, split over the cores, and says of each that fails how to see it again. Returns in how many each fault came about.
fn run_seeds(seeds: impl Iterator<Item = u64> + Send) -> BTreeMap<Fault, usize> {
    let seeds = std::sync::Mutex::new(seeds);
    let happened = std::sync::Mutex::new(BTreeMap::new());
    let failures = std::sync::Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().expect("no thread panics").next() else { return };
                    if seed % PROGRESS == 0 {
                        eprintln!("at seed {seed}");
                    }
                    let plan = Plan::drawn(seed);
                    let mut world = World::new(plan.clone(), false);
                    let outcome = run_world(&mut world);
                    for fault in &world.happened {
                        *happened.lock().expect("no thread panics").entry(*fault).or_default() += 1;
                    }
                    if let Err((problem, _)) = outcome {
                        let line = format!("seed {seed} {:?}: {problem}", plan.faults);
                        eprintln!("{line}");
                        failures.lock().expect("no thread panics").push(line);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no thread panics");
    assert!(
        failures.is_empty(),
        "{} seeds failed; KITH_SIM_SEED=<seed> KITH_SIM_TRACE=1 runs one alone:\n{}",
        failures.len(),
        failures.join("\n")
    );
    happened.into_inner().expect("no thread panics")
}

#[test]
fn networks_drawn_from_seeds_agree_after_all_that_went_wrong() {
    if let Some(seed) = std::env::var("KITH_SIM_SEED").ok().and_then(|seed| seed.parse().ok()) {
        let plan = Plan::drawn(seed);
        let shown = std::env::var_os("KITH_SIM_TRACE").is_some();
        if let Err((problem, trace)) = run(&plan, shown) {
            panic!("{plan:?}\n{trace}\nseed {seed}: {problem}");
        }
        return;
    }
    let long = std::env::var_os("KITH_SOAK").is_some();
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let (first, asked) = (number("KITH_SIM_FIRST"), number("KITH_SIM_SEEDS"));
    let begin = first.unwrap_or(0);
    let end = asked.map_or(if long { SOAK } else { SEEDS }, |seeds| begin + seeds);
    let happened = run_seeds(begin..end);
    if first.is_some() || asked.is_some() || std::env::var_os("KITH_SIM_FAULTS").is_some() {
        return;
    }
    let came_about = |fault: &Fault| happened.get(fault).copied().unwrap_or(0);
    let seldom: BTreeSet<Fault> =
        Fault::ALL.into_iter().filter(|fault| !fault.is_excluded() && came_about(fault) < OCCURRENCES).collect();
    assert!(seldom.is_empty(), "too seldom to show anything: {seldom:?} of {happened:?}");
}

#[test]
fn every_fault_is_drawn_by_many_of_the_default_seeds_unless_it_is_left_out() {
    if std::env::var_os("KITH_SIM_FAULTS").is_some() {
        return;
    }
    let plans: Vec<Plan> = (0..SEEDS).map(Plan::drawn).collect();
    for fault in Fault::ALL {
        let drawn = plans.iter().filter(|plan| plan.has(fault)).count();
        match fault.is_excluded() {
            true => assert_eq!(drawn, 0, "{fault:?}"),
            false => assert!(drawn >= OCCURRENCES, "{fault:?}: {drawn}"),
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 8, 19] {
        let plan = Plan::drawn(seed);
        assert_eq!(run(&plan, false), run(&plan, true), "seed {seed}");
    }
}
