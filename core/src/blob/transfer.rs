//! What is asked of whom until an attachment is here, or at a relay: two machines without a clock or a socket.
//!
//! The driver asks [`Download::next`] or [`Upload::next`] until there is nothing to ask, carries it out, and says what came of it. Both
//! can be begun anew at any time from what is held: they remember nothing that is worth keeping, but who lied.
//!
//! Invariants: never more than the window is under way, or came and is nowhere yet; nothing that is held is asked for again, and nothing twice at the same time; a
//! source that gave a wrong chunk is never asked again.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::blob::Held;

/// How long a source rests at first after it could not be reached or did not have it, in milliseconds; it doubles each time.
const FIRST_REST_MS: u64 = 500;

/// The longest of these: half a minute, within which one looks whether it has come to be there.
const LONGEST_REST_MS: u64 = 30_000;

/// The most that is under way at once: what fills 50 Mbit/s at 300 ms.
pub const MAX_WINDOW: u32 = 8;

/// Chunks that have their place and are still being hashed, at most, while others come.
const LOOKED_AT: usize = 2;

/// How many chunks may be under way when the quickest answer so far took so long, in milliseconds: one on a near path, where nothing is
/// lost by waiting for it, so that a transfer that is cut off has next to nothing to do again; more where the path is long.
pub fn window(quickest_ms: u64) -> u32 {
    u32::try_from(quickest_ms / 50).unwrap_or(u32::MAX).saturating_add(1).min(MAX_WINDOW)
}

/// What came of a question that was not answered with what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody could be reached, or it was cut off.
    Gone,
    /// It is not there, or not for us.
    NotThere,
    /// That part of it is not there yet.
    NotYet,
    /// The source is busy for so many milliseconds.
    Busy(u64),
    /// What came is not what was announced.
    Lied,
}

/// What to ask of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<S> {
    /// The list of chunks, and which of them it has.
    List(S),
    /// A chunk.
    Get(S, u32),
}

#[derive(Debug, Clone, Default)]
struct Source {
    /// Which chunks it has; none while it was not asked, or what it said is out of date.
    has: Option<Held>,
    listing: bool,
    rests_until: u64,
    failures: u32,
    lied: bool,
}

impl Source {
    fn rest(&mut self, failure: Failure, now: u64) {
        // What was under way together fails together.
        if self.rests_until <= now {
            let rest = FIRST_REST_MS.saturating_mul(1 << self.failures.min(10)).min(LONGEST_REST_MS);
            self.failures = self.failures.saturating_add(1);
            self.rests_until = now.saturating_add(match failure {
                Failure::Busy(ms) => ms.max(FIRST_REST_MS),
                _ => rest,
            });
        }
        self.lied |= failure == Failure::Lied;
        self.has = None;
    }

    fn is_awake(&self, now: u64) -> bool {
        !self.lied && self.rests_until <= now
    }
}

/// Fetches an attachment from sources, which are preferred in their order.
#[derive(Debug, Clone)]
pub struct Download<S> {
    chunks: u32,
    window: u32,
    /// None while the list of chunks is not known.
    held: Option<Held>,
    sources: BTreeMap<S, Source>,
    asked: BTreeMap<u32, S>,
    /// Chunks that came and are being put in their place.
    landing: BTreeSet<u32>,
    /// Chunks that have their place and are being hashed: a kill takes them no more, so that others may come meanwhile.
    looked_at: BTreeSet<u32>,
}

impl<S: Copy + Ord> Download<S> {
    /// Begins, or goes on with what is held; without that the list has to come first.
    pub fn new(chunks: u32, held: Option<Held>) -> Self {
        let (landing, looked_at) = (BTreeSet::new(), BTreeSet::new());
        Self { chunks, window: 1, held, sources: BTreeMap::new(), asked: BTreeMap::new(), landing, looked_at }
    }

    /// Somebody who may have it.
    pub fn add(&mut self, source: S) {
        self.sources.entry(source).or_default();
    }

    /// How much may be under way: [`window`].
    pub fn set_window(&mut self, window: u32) {
        self.window = window.clamp(1, MAX_WINDOW);
    }

    /// The next question, if there is one now; it counts as asked.
    pub fn next(&mut self, now: u64) -> Option<Ask<S>> {
        // What is landing counts too: of what a kill takes, no more than the window has to come again.
        let lost = self.under_way().saturating_add(self.landing.len());
        if self.is_done() || lost >= self.window as usize || self.looked_at.len() >= LOOKED_AT {
            return None;
        }
        let listing = self.sources.values().any(|source| source.listing);
        let order: Vec<S> = self.sources.keys().copied().collect();
        for name in order {
            let Some(source) = self.sources.get_mut(&name).filter(|source| source.is_awake(now)) else { continue };
            match (&source.has, &self.held) {
                (Some(has), Some(held)) => {
                    let (asked, landing, looked_at) = (&self.asked, &self.landing, &self.looked_at);
                    let came = |index: u32| landing.contains(&index) || looked_at.contains(&index);
                    let wanted = |index: u32| has.contains(index) && !asked.contains_key(&index) && !came(index);
                    if let Some(index) = held.first_missing(wanted) {
                        self.asked.insert(index, name);
                        return Some(Ask::Get(name, index));
                    }
                }
                // One list at a time: the next source is asked when this one has nothing to give.
                _ if listing || source.listing => {}
                _ => {
                    source.listing = true;
                    return Some(Ask::List(name));
                }
            }
        }
        None
    }

    /// A source said which chunks it has, and the list of chunks is kept, with what is held already.
    pub fn listed(&mut self, source: S, has: &[(u32, u32)], held: Held) {
        self.held.get_or_insert(held);
        let has = Held::from_runs(self.chunks, has);
        if let Some(source) = self.sources.get_mut(&source) {
            source.listing = false;
            source.has = Some(has);
        }
    }

    /// A source did not say which chunks it has.
    pub fn not_listed(&mut self, source: S, failure: Failure, now: u64) {
        if let Some(source) = self.sources.get_mut(&source) {
            source.listing = false;
            source.rest(failure, now);
        }
    }

    /// A chunk came: it is under way no more, and [`Download::got`] or [`Download::not_got`] says what it was.
    pub fn came(&mut self, index: u32) {
        if self.asked.remove(&index).is_some() {
            self.landing.insert(index);
        }
    }

    /// A chunk that came is in its place, where it is found by its hash whatever happens now; whether it is the right one is not yet
    /// known.
    pub fn placed(&mut self, index: u32) {
        if self.landing.remove(&index) {
            self.looked_at.insert(index);
        }
    }

    /// A chunk came, was the right one, and is kept.
    pub fn got(&mut self, source: S, index: u32) {
        self.forget(index);
        if let Some(held) = &mut self.held {
            held.insert(index);
        }
        if let Some(source) = self.sources.get_mut(&source) {
            source.failures = 0;
        }
    }

    /// A chunk did not come, or not the right one.
    pub fn not_got(&mut self, source: S, index: u32, failure: Failure, now: u64) {
        self.forget(index);
        if let Some(source) = self.sources.get_mut(&source) {
            source.rest(failure, now);
        }
    }

    fn forget(&mut self, index: u32) {
        self.asked.remove(&index);
        self.landing.remove(&index);
        self.looked_at.remove(&index);
    }

    /// A source that has nothing more to give, although something is missing, is asked again what it has: after a rest.
    pub fn look_again(&mut self, now: u64) {
        let Some(held) = &self.held else { return };
        for source in self.sources.values_mut() {
            if source.has.as_ref().is_some_and(|has| held.first_missing(|index| has.contains(index)).is_none()) {
                source.rest(Failure::NotYet, now);
            }
        }
    }

    /// Everything is held.
    pub fn is_done(&self) -> bool {
        self.held.as_ref().is_some_and(Held::is_full)
    }

    /// How many chunks are held.
    pub fn count(&self) -> u32 {
        self.held.as_ref().map_or(0, Held::count)
    }

    /// So many questions have no answer yet.
    pub fn under_way(&self) -> usize {
        self.asked.len().saturating_add(self.sources.values().filter(|source| source.listing).count())
    }

    /// When a source has rested; none if there is no source that may be asked again.
    pub fn wakes_at(&self) -> Option<u64> {
        self.sources.values().filter(|source| !source.lied).map(|source| source.rests_until).min()
    }

    /// Who gave a wrong list or chunk.
    pub fn liars(&self) -> impl Iterator<Item = S> {
        self.sources.iter().filter(|(_, source)| source.lied).map(|(name, _)| *name)
    }
}

/// What to ask of a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Give {
    /// To keep the attachment.
    Open,
    /// To take a chunk.
    Put(u32),
}

/// Brings an attachment to a relay.
#[derive(Debug, Clone)]
pub struct Upload {
    chunks: u32,
    window: u32,
    /// None while it is not known what is there.
    there: Option<Held>,
    opening: bool,
    asked: BTreeMap<u32, ()>,
    rests_until: u64,
    failures: u32,
}

impl Upload {
    /// Begins; what is there the relay says.
    pub fn new(chunks: u32) -> Self {
        Self { chunks, window: 1, there: None, opening: false, asked: BTreeMap::new(), rests_until: 0, failures: 0 }
    }

    /// How much may be under way: [`window`].
    pub fn set_window(&mut self, window: u32) {
        self.window = window.clamp(1, MAX_WINDOW);
    }

    /// The next thing to ask, if there is one now; it counts as asked.
    pub fn next(&mut self, now: u64) -> Option<Give> {
        if self.is_done() || self.opening || self.rests_until > now {
            return None;
        }
        let Some(there) = &self.there else {
            // What is under way ends first: the answer then says what became of it.
            self.opening = self.asked.is_empty();
            return self.opening.then_some(Give::Open);
        };
        if self.asked.len() >= self.window as usize {
            return None;
        }
        let index = there.first_missing(|index| !self.asked.contains_key(&index))?;
        self.asked.insert(index, ());
        Some(Give::Put(index))
    }

    /// The relay keeps it, and says what is there.
    pub fn opened(&mut self, there: &[(u32, u32)]) {
        self.opening = false;
        self.failures = 0;
        self.there = Some(Held::from_runs(self.chunks, there));
    }

    /// A chunk is durable there.
    pub fn stored(&mut self, index: u32) {
        self.asked.remove(&index);
        self.failures = 0;
        if let Some(there) = &mut self.there {
            there.insert(index);
        }
    }

    /// Something was not done: after a rest it is asked what is there.
    pub fn failed(&mut self, what: Give, failure: Failure, now: u64) {
        match what {
            Give::Open => self.opening = false,
            Give::Put(index) => drop(self.asked.remove(&index)),
        }
        self.there = None;
        if self.rests_until <= now {
            let rest = FIRST_REST_MS.saturating_mul(1 << self.failures.min(10)).min(LONGEST_REST_MS);
            self.failures = self.failures.saturating_add(1);
            self.rests_until = now.saturating_add(match failure {
                Failure::Busy(ms) => ms.max(FIRST_REST_MS),
                _ => rest,
            });
        }
    }

    /// All of it is there.
    pub fn is_done(&self) -> bool {
        self.there.as_ref().is_some_and(Held::is_full)
    }

    /// So many questions have no answer yet.
    pub fn under_way(&self) -> usize {
        self.asked.len().saturating_add(usize::from(self.opening))
    }

    /// How many chunks are there, as far as is known.
    pub fn count(&self) -> u32 {
        self.there.as_ref().map_or(0, Held::count)
    }

    /// When it may go on.
    pub fn wakes_at(&self) -> u64 {
        self.rests_until
    }
}

#[cfg(test)]
mod tests;
