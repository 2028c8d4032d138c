//! Two times: what a wall clock said, and the hybrid logical clock that orders a conversation.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, as the wall clock of some device said. Never decides whether something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time this many milliseconds later, at most the greatest there is.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// A hybrid logical clock (Kulkarni et al., 2014): 48 bits of milliseconds above 16 bits of counter.
///
/// It is always merged, never judged: a device whose clock runs ahead pulls a conversation along, and order follows cause
/// even then. At its greatest value it stays there; events then tie and their feeds decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Clock(pub u64);

impl Clock {
    /// Bits of the counter below the milliseconds.
    const COUNTER_BITS: u32 = 16;

    /// The clock of a new event, after everything that was seen.
    pub fn tick(self, now: Timestamp) -> Self {
        let wall = now.0.min(u64::MAX >> Self::COUNTER_BITS) << Self::COUNTER_BITS;
        Self(wall.max(self.0.saturating_add(1)))
    }

    /// Its milliseconds: about when, by the wall clock that was furthest ahead.
    pub const fn wall(self) -> Timestamp {
        Timestamp(self.0 >> Self::COUNTER_BITS)
    }

    /// The clock after a foreign event was seen.
    pub fn merge(self, seen: Self) -> Self {
        self.max(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_after_all_that_was_seen_whatever_the_wall_says() {
        let ahead = Clock::default().tick(Timestamp(5_000));
        let behind = Clock::default().merge(ahead).tick(Timestamp(10));
        assert!(behind > ahead);
    }

    #[test]
    fn the_greatest_clock_stays() {
        assert_eq!(Clock(u64::MAX).tick(Timestamp(1)), Clock(u64::MAX));
    }
}
