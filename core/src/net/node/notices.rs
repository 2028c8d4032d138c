//! Notices that the session has not taken yet.

use std::collections::VecDeque;

use super::Event;

/// Notices that are kept; with more, the oldest goes, and the session is told to read the state anew.
const MAX_NOTICES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: VecDeque<Event>,
    missed: u64,
}

impl Notices {
    pub(super) fn push(&mut self, event: Event) {
        if self.waiting.len() >= MAX_NOTICES {
            self.waiting.pop_front();
            self.missed = self.missed.saturating_add(1);
        }
        self.waiting.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        match std::mem::take(&mut self.missed) {
            0 => self.waiting.pop_front(),
            missed => Some(Event::Lagged { missed }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.missed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overflows_is_told_before_what_is_left() {
        let mut notices = Notices::default();
        for _ in 0..MAX_NOTICES + 3 {
            notices.push(Event::Listening(vec![]));
        }
        assert!(matches!(notices.pop(), Some(Event::Lagged { missed: 3 })));
        assert_eq!(std::iter::from_fn(|| notices.pop()).count(), MAX_NOTICES);
        assert!(notices.is_empty());
    }
}
