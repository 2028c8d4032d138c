//! What a device remembers of its questions to the home: when it asks again, and what it makes of silence.

use rand_core::RngCore;

use crate::types::{GroupId, Rng};

/// The first pause after a home did not answer; doubled each time, up to [`RETRY_MAX_MS`].
pub(super) const RETRY_MS: u64 = 2_000;

/// The longest pause between attempts at a home: its return is noticed within so long.
const RETRY_MAX_MS: u64 = 5 * 60 * 1000;

/// So many failed attempts in a row, some ten minutes, and the person is told that the home is lost.
pub(super) const LOST_AFTER: u32 = 8;

/// So many answers in a row that the log is gone, and it is believed.
pub(super) const GONE_AFTER: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Create,
    Append,
    Read {
        from: u64,
    },
    /// Whether it still has so many entries of the log of a group that this device has lost its keys of.
    Probe {
        next: u64,
    },
}

/// What is known of the home while the engine runs.
#[derive(Debug, Default)]
pub(super) struct Asking {
    pub(super) asked: Option<(GroupId, Asked)>,
    pub(super) read: bool,
    /// The signed entry before the walk's place is wanted again: the home showed another history.
    pub(super) doubt: bool,
    /// The log could not be begun: perhaps another member may, and has.
    pub(super) peek: bool,
    pub(super) needs_packages: bool,
    pub(super) commit_at: u64,
    /// This device has come in, and what the others hold is on its way until then: it removes nobody, whose feeds it would close early.
    pub(super) catches_up_until: u64,
    pub(super) retry_at: u64,
    pub(super) read_at: u64,
    pub(super) failures: u32,
    /// The home answers that the log is not begun, and does not let this device begin it.
    pub(super) denied: bool,
    pub(super) gone: u32,
    /// How far the home has signed the log, as a member showed, if that is beyond what was walked.
    pub(super) signed: u64,
    /// So many times in a row the home did not know the key of the present epoch, although the log was walked to its end.
    pub(super) rejected: u32,
    pub(super) told: bool,
    /// That the log is not begun, and that no member may begin it, was said.
    pub(super) unbegun: bool,
    /// This device has lost its keys, and the home the log that it signed.
    pub(super) orphaned: bool,
    /// This device has lost its keys, and a member shows what it says that the home has lost.
    pub(super) suspected: bool,
    /// The generation in which this device wrote last, as a member showed by its signature.
    pub(super) written_in: u32,
    /// This device has lost its keys, and another member as well, which pleads with it.
    pub(super) others_lost: bool,
    /// The newest epoch that a message or an entry was of, beyond the present.
    ahead: Option<u64>,
    /// So many times in a row the log ended before that epoch.
    behind: u32,
    /// So many times in a row the home showed another history than the one that this device stands behind.
    pub(super) elsewhere: u32,
}

impl Asking {
    pub(super) fn commit_after(&mut self, at: u64, first: bool) {
        self.commit_at = if first { at } else { self.commit_at.min(at) };
    }

    /// Nothing that others hold is missing any more.
    pub(super) fn caught_up(&mut self, now: u64) {
        if self.catches_up_until > now {
            self.catches_up_until = 0;
            self.commit_at = self.commit_at.min(now);
        }
    }

    pub(super) fn read_log_now(&mut self) {
        self.read = true;
    }

    pub(super) fn ahead(&mut self, epoch: u64) {
        self.ahead = self.ahead.max(Some(epoch));
    }

    pub(super) const fn is_ahead(&self) -> bool {
        self.ahead.is_some()
    }

    pub(super) const fn take_ahead(&mut self) -> Option<u64> {
        self.ahead.take()
    }

    /// The log ends before an epoch that somebody is in. Whether it did so often enough to be believed; else it is read again soon.
    pub(super) fn is_kept_behind(&mut self, now: u64, epoch: u64) -> bool {
        self.behind = self.behind.saturating_add(1);
        if self.behind >= GONE_AFTER {
            self.behind = 0;
            return true;
        }
        self.ahead = Some(epoch);
        self.read = true;
        self.retry_at = self.retry_at.max(now.saturating_add(RETRY_MS));
        false
    }

    pub(super) const fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn packages_came(&mut self) {
        self.needs_packages = false;
    }

    pub(super) fn wake_at(&self, wishes: bool) -> Option<u64> {
        if self.asked.is_some() {
            return None;
        }
        if self.read {
            return Some(self.retry_at);
        }
        let next = if wishes && !self.needs_packages { self.commit_at } else { self.read_at };
        Some(next.min(self.read_at).max(self.retry_at))
    }

    pub(super) fn failed(&mut self, now: u64, rng: &mut Rng) -> bool {
        self.failures = self.failures.saturating_add(1);
        let pause = RETRY_MS.saturating_mul(1 << self.failures.min(8)).min(RETRY_MAX_MS);
        self.retry_at = now.saturating_add(pause / 2).saturating_add(draw(rng, pause / 2));
        let lost = self.failures >= LOST_AFTER && !self.told;
        self.told |= lost;
        lost
    }

    pub(super) fn answered(&mut self) {
        self.denied = false;
        self.failures = 0;
        self.retry_at = 0;
        (self.told, self.unbegun) = (false, false);
    }
}

/// A number below `most`, or 0.
pub(super) fn draw(rng: &mut Rng, most: u64) -> u64 {
    rng.next_u64().checked_rem(most.max(1)).unwrap_or(0)
}
