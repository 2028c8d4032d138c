//! Time, randomness and what happens next.
//!
//! Everything that happens is an act at a time of a virtual clock; acts of one time come in an order drawn from the seed. So a run
//! is a function of its plan, and two runs leave the same trace.

use std::collections::{BTreeMap, BTreeSet};

use kith_core::types::{AccountId, ConversationId, DeviceId, Rng, Timestamp};
use rand_core::{RngCore, SeedableRng};

use super::driver::Device;
use super::faults::{Fault, Plan};
use super::network::Links;
use super::oracle::Ledger;
use super::people::Person;
use super::relay::RelayNode;

/// When every simulation begins: a date, so that clocks may be off in both directions.
const EPOCH_MS: u64 = 1_790_000_000_000;

/// How many lines of the trace a report shows at most.
const SHOWN: usize = 200_000;

type Act = Box<dyn FnOnce(&mut World)>;

/// A whole network.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) rng: Rng,
    now_ms: u64,
    serial: u64,
    acts: BTreeMap<(u64, u64, u64), Act>,
    pub(crate) people: Vec<Person>,
    pub(crate) devices: Vec<Device>,
    pub(crate) by_id: BTreeMap<DeviceId, usize>,
    pub(crate) relays: Vec<RelayNode>,
    pub(crate) links: Links,
    pub(crate) ledger: Ledger,
    pub(crate) trace: Trace,
    /// What must not happen and did, whoever is honest: the run fails.
    pub(crate) defects: Vec<String>,
    /// No fault happens any more.
    pub(crate) healed: bool,
    /// Devices that play a hostile part.
    pub(crate) hostile: BTreeSet<usize>,
    /// The person whose devices all do.
    pub(crate) villain: Option<usize>,
    /// Who said to which device to be in a group, and has no seat there by what it knows.
    pub(crate) claims: Vec<(usize, ConversationId, AccountId)>,
    /// What of the plan's faults has come about.
    pub(crate) happened: BTreeSet<Fault>,
}

/// What happened, as a hash and, when asked for, as lines.
pub(crate) struct Trace {
    hash: u64,
    shown: bool,
    lines: std::collections::VecDeque<String>,
}

impl Trace {
    fn add(&mut self, bytes: &[u8]) {
        // FNV-1a: any change of any byte changes it, and it costs nothing.
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl World {
    pub(crate) fn new(plan: Plan, shown: bool) -> Self {
        let rng = Rng::seed_from_u64(plan.seed);
        Self {
            plan,
            rng,
            now_ms: 0,
            serial: 0,
            acts: BTreeMap::new(),
            people: Vec::new(),
            devices: Vec::new(),
            by_id: BTreeMap::new(),
            relays: Vec::new(),
            links: Links::default(),
            ledger: Ledger::default(),
            trace: Trace { hash: 0xcbf2_9ce4_8422_2325, shown, lines: std::collections::VecDeque::new() },
            defects: Vec::new(),
            healed: false,
            hostile: BTreeSet::new(),
            villain: None,
            claims: Vec::new(),
            happened: BTreeSet::new(),
        }
    }

    /// Milliseconds since the simulation began.
    pub(crate) const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The true time of day.
    pub(crate) const fn true_wall(&self) -> Timestamp {
        Timestamp(EPOCH_MS + self.now_ms)
    }

    /// Something happens in so many milliseconds.
    pub(crate) fn after(&mut self, ms: u64, act: impl FnOnce(&mut Self) + 'static) {
        let tie = self.rng.next_u64();
        self.serial += 1;
        self.acts.insert((self.now_ms + ms, tie, self.serial), Box::new(act));
    }

    /// Lets time pass up to a moment.
    pub(crate) fn run_until(&mut self, end_ms: u64) {
        while let Some(entry) = self.acts.first_entry() {
            if entry.key().0 > end_ms {
                break;
            }
            let ((at, ..), act) = entry.remove_entry();
            self.now_ms = at;
            act(self);
        }
        self.now_ms = end_ms;
    }

    /// Lets so much time pass.
    pub(crate) fn run_for(&mut self, ms: u64) {
        self.run_until(self.now_ms + ms);
    }

    /// A number below `most`; 0 when there is none.
    pub(crate) fn draw(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.rng.next_u64() % most }
    }

    /// Whether something happens that happens so often in a thousand times.
    pub(crate) fn chance(&mut self, permille: u64) -> bool {
        permille > 0 && self.draw(1000) < permille
    }

    /// As [`World::chance`], of a fault: never once the network has healed.
    pub(crate) fn mischance(&mut self, permille: u64) -> bool {
        !self.healed && self.chance(permille)
    }

    /// One of several.
    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let at = usize::try_from(self.draw(of.len() as u64)).ok()?;
        of.get(at).cloned()
    }

    /// Takes down what happens.
    pub(crate) fn note(&mut self, what: &str, who: usize, bytes: &[u8], line: impl FnOnce() -> String) {
        let (now, who) = (self.now_ms.to_be_bytes(), who.to_be_bytes());
        for part in [&now[..], what.as_bytes(), &who, bytes] {
            self.trace.add(part);
        }
        if self.trace.shown {
            if self.trace.lines.len() >= SHOWN {
                self.trace.lines.pop_front();
            }
            self.trace.lines.push_back(format!("{:>9} {what} {}", self.now_ms, line()));
        }
    }

    /// Something happened that must not.
    pub(crate) fn defect(&mut self, what: String) {
        self.note("DEFECT", 0, &[], || what.clone());
        if self.defects.len() < 20 {
            self.defects.push(what);
        }
    }
}
