//! What is known of somebody's account: the newest record, and whether another one may replace it.
//!
//! It does not decide what to do about a refused record: that is shown to a person.
//!
//! Invariant: the version never falls, and no version that was taken is replaced by another of the same number.

use super::record::{AccountRecord, RecordHead};
use crate::types::AccountId;

/// What a record, or the head of one, means beside what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// It is newer than what was known, or the first.
    Fresh,
    /// It is what is known.
    Same,
    /// It is older than what is known: refused. A relay that answers a look-up so hides a change.
    Older {
        /// The version that is known.
        known: u64,
    },
    /// Another record with the same version, or one whose predecessor is not what is known: refused.
    /// Two records signed by one root key for one version are a proof against whoever holds that key.
    Fork {
        /// What is known.
        known: RecordHead,
    },
    /// It is another account's: refused.
    OtherAccount,
}

impl Observation {
    /// Whether the record was not taken, since it contradicts what is known.
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::Older { .. } | Self::Fork { .. } | Self::OtherAccount)
    }
}

/// The newest record of one account that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracker {
    account: AccountId,
    newest: Option<AccountRecord>,
}

impl Tracker {
    /// Nothing is known yet of an account but its id (from an invite, a QR code, a look-up).
    pub const fn new(account: AccountId) -> Self {
        Self { account, newest: None }
    }

    /// What was kept of an account.
    pub fn restore(newest: AccountRecord) -> Self {
        Self { account: newest.account_id(), newest: Some(newest) }
    }

    /// Which account.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The newest record that was taken.
    pub const fn newest(&self) -> Option<&AccountRecord> {
        self.newest.as_ref()
    }

    /// A record was received; it is kept if, and only if, the answer is [`Observation::Fresh`].
    pub fn observe(&mut self, record: AccountRecord) -> Observation {
        let observation = self.judge(&record);
        if observation == Observation::Fresh {
            self.newest = Some(record);
        }
        observation
    }

    /// What a record means, without taking it.
    pub fn judge(&self, record: &AccountRecord) -> Observation {
        if record.account_id() != self.account {
            return Observation::OtherAccount;
        }
        let observation = self.judge_head(record.head());
        let Some(known) = self.newest.as_ref().map(AccountRecord::head) else { return observation };
        let follows = known.version.checked_add(1) == Some(record.version());
        if follows && record.content().predecessor != Some(known.hash) {
            return Observation::Fork { known };
        }
        observation
    }

    /// What a head that a contact saw means: [`Observation::Fresh`] says to fetch the record.
    pub fn judge_head(&self, head: RecordHead) -> Observation {
        let Some(known) = self.newest.as_ref().map(AccountRecord::head) else { return Observation::Fresh };
        match head.version.cmp(&known.version) {
            std::cmp::Ordering::Greater => Observation::Fresh,
            std::cmp::Ordering::Less => Observation::Older { known: known.version },
            std::cmp::Ordering::Equal if head.hash == known.hash => Observation::Same,
            std::cmp::Ordering::Equal => Observation::Fork { known },
        }
    }
}

#[cfg(test)]
mod tests;
