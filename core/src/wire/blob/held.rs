//! Which chunks are there.

/// A set of chunk numbers below a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    words: Vec<u64>,
    total: u32,
    count: u32,
}

impl Held {
    /// None of so many.
    pub fn none(total: u32) -> Self {
        Self { words: vec![0; (total as usize).div_ceil(64)], total, count: 0 }
    }

    /// All of so many.
    pub fn all(total: u32) -> Self {
        let mut held = Self::none(total);
        (0..total).for_each(|index| held.insert(index));
        held
    }

    /// Those of the half-open runs; what lies beyond the bound is left out.
    pub fn from_runs(total: u32, runs: &[(u32, u32)]) -> Self {
        let mut held = Self::none(total);
        for (from, to) in runs {
            (*from..(*to).min(total)).for_each(|index| held.insert(index));
        }
        held
    }

    /// As half-open runs, ascending.
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for index in (0..self.total).filter(|index| self.contains(*index)) {
            match runs.last_mut() {
                Some((_, to)) if *to == index => *to = index.saturating_add(1),
                _ => runs.push((index, index.saturating_add(1))),
            }
        }
        runs
    }

    /// Whether it is there.
    pub fn contains(&self, index: u32) -> bool {
        index < self.total && self.words.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// It is there from now on; beyond the bound nothing happens.
    pub fn insert(&mut self, index: u32) {
        if index < self.total
            && !self.contains(index)
            && let Some(word) = self.words.get_mut(index as usize / 64)
        {
            *word |= 1 << (index % 64);
            self.count = self.count.saturating_add(1);
        }
    }

    /// How many are there.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many there can be.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Whether all are there.
    pub fn is_full(&self) -> bool {
        self.count == self.total
    }

    /// The first that is not there, of those that `wanted` says yes to.
    pub fn first_missing(&self, mut wanted: impl FnMut(u32) -> bool) -> Option<u32> {
        (0..self.total).find(|index| !self.contains(*index) && wanted(*index))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_survives_its_runs(total in 0_u32..300, picks in prop::collection::vec(0_u32..400, 0..200)) {
            let mut held = Held::none(total);
            picks.iter().for_each(|index| held.insert(*index));
            prop_assert_eq!(&Held::from_runs(total, &held.runs()), &held);
            prop_assert_eq!(held.count() as usize, (0..total).filter(|index| held.contains(*index)).count());
            prop_assert_eq!(held.first_missing(|_| true).is_none(), held.is_full());
        }
    }

    #[test]
    fn runs_beyond_the_bound_are_left_out() {
        let held = Held::from_runs(3, &[(1, u32::MAX), (7, 9), (5, 2)]);
        assert_eq!((held.runs(), held.count()), (vec![(1, 3)], 2));
        assert!(Held::all(65).is_full());
    }
}
