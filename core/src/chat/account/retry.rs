//! When the account's calls that came to nothing are made again.
//!
//! Only times, in memory: what is to be done stands in rows, and a start or a relay that comes back finds it there.

use std::collections::BTreeMap;

use crate::chat::pause::doubled_ms;
use crate::types::{AccountId, Rng};

/// The first pause, in milliseconds; doubled after each failure.
const FIRST_MS: u64 = 5_000;

/// The longest pause for what the own relay is asked: a block is not to stay without effect there for longer.
const LAST_OWN_MS: u64 = 10 * 60 * 1000;

/// The longest pause for what others' relays and devices are asked, and for a relay that lets nobody in.
const LAST_MS: u64 = 60 * 60 * 1000;

/// What is under way is not begun again for so long: longer than a driver waits for an answer.
pub(super) const PATIENCE_MS: u64 = 2 * 60 * 1000;

/// A record that could not be had so often is not asked for any more until somebody names it again.
const MOST_RECORD_FAILURES: u32 = 8;

/// Something that has to be done with a relay, or with the devices of an account that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// The relay's tokens in step with the rows.
    Tokens,
    /// The stock of key packages.
    KeyPackages,
    /// The relay's copy of the own record.
    OwnRecord,
    /// A contact request.
    Request(AccountId),
    /// The record of somebody.
    Record(AccountId),
    /// The records of contacts, one after the other.
    Contacts,
}

impl Task {
    const fn longest_ms(self) -> u64 {
        match self {
            Self::Tokens | Self::KeyPackages => LAST_OWN_MS,
            Self::OwnRecord | Self::Request(_) | Self::Record(_) | Self::Contacts => LAST_MS,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Again {
    at: u64,
    failures: u32,
}

/// The tasks that wait for another attempt.
#[derive(Debug, Default)]
pub(super) struct Retries {
    waiting: BTreeMap<Task, Again>,
}

impl Retries {
    /// It came to nothing: again after a pause.
    pub(super) fn failed(&mut self, now_ms: u64, rng: &mut Rng, task: Task) {
        let failures = self.waiting.get(&task).map_or(0, |again| again.failures);
        if matches!(task, Task::Record(_)) && failures >= MOST_RECORD_FAILURES {
            self.waiting.remove(&task);
            return;
        }
        let pause = doubled_ms(rng, FIRST_MS, task.longest_ms(), failures);
        let failures = failures.saturating_add(1);
        self.waiting.insert(task, Again { at: now_ms.saturating_add(pause), failures });
    }

    /// It is done, or there is nothing to do.
    pub(super) fn done(&mut self, task: Task) {
        self.waiting.remove(&task);
    }

    /// It is to be tried at a time, unless another time is set already.
    pub(super) fn plan(&mut self, task: Task, at: u64) {
        self.waiting.entry(task).or_insert(Again { at, failures: 0 });
    }

    /// It is to be done at a time, whatever time was set.
    pub(super) fn put(&mut self, task: Task, at: u64) {
        self.waiting.insert(task, Again { at, failures: 0 });
    }

    /// The tasks that are due; each is given time for its answer.
    pub(super) fn take_due(&mut self, now_ms: u64) -> Vec<Task> {
        let due: Vec<Task> =
            self.waiting.iter().filter(|(_, again)| again.at <= now_ms).map(|(task, _)| *task).collect();
        for task in &due {
            if let Some(again) = self.waiting.get_mut(task) {
                again.at = now_ms.saturating_add(PATIENCE_MS);
            }
        }
        due
    }

    /// The accounts to which a contact request is under way.
    pub(super) fn requests(&self) -> Vec<AccountId> {
        let requests = self.waiting.keys().filter_map(|task| match task {
            Task::Request(account) => Some(*account),
            Task::Tokens | Task::KeyPackages | Task::OwnRecord | Task::Record(_) | Task::Contacts => None,
        });
        requests.collect()
    }

    /// When the next is due.
    pub(super) fn wake_at(&self) -> Option<u64> {
        self.waiting.values().map(|again| again.at).min()
    }
}
