//! What an operator does to a relay, running or not: the same commands over the running relay's socket or on its store.
//!
//! The socket lies in the data directory and only its owner may use it. One JSON object in a line asks, one answers. Where a system
//! has no such sockets, a relay has to be stopped for its operator's commands.

use std::path::PathBuf;

use kith_core::types::{Rng, Timestamp};
use kith_core::wire::codec::Body;
use kith_core::wire::relay::Refusal;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::domain::operator::{self, UserSummary};
use crate::domain::rows::{MailboxRow, Table};
use crate::domain::{Batch, RelayRead};
use crate::metrics::Metrics;
use crate::server::Handle;
use crate::store::Store;

#[cfg_attr(not(unix), path = "control/elsewhere.rs")]
mod socket;

pub use socket::ask;
pub(crate) use socket::{listen, serve};

/// Mailboxes read at a time when they are counted.
const COUNT_ROWS: usize = 1024;

/// What an operator asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Control {
    /// All accounts.
    UserList,
    /// Remove an account.
    UserRemove {
        /// Whose.
        handle: String,
    },
    /// A code for one sign-up.
    Invite,
    /// Copy store and keys into a file.
    Backup {
        /// Which must not exist.
        to: PathBuf,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// The accounts.
    Users {
        /// In no particular order.
        users: Vec<UserSummary>,
    },
    /// Removed.
    Removed,
    /// Invited.
    Invited {
        /// The code.
        code: String,
        /// Good until then, in milliseconds since 1970.
        until_ms: u64,
    },
    /// Copied.
    Copied {
        /// How many rows.
        rows: u64,
        /// How many bytes the file has.
        bytes: u64,
    },
    /// Not done.
    Failed {
        /// Why.
        error: String,
    },
}

/// Does it. The caller owns the store; [`Control::Backup`] is done beside it by [`crate::backup::write`].
pub(crate) fn run(store: &Store, now: Timestamp, rng: &mut Rng, control: Control) -> Answer {
    let done = match control {
        Control::UserList => operator::users(store).map(|users| (Batch::default(), Answer::Users { users })),
        Control::UserRemove { handle } => operator::remove_user(store, &handle).map(|batch| (batch, Answer::Removed)),
        Control::Invite => {
            let (batch, invited) = operator::invite(store, now, rng);
            Ok((batch, Answer::Invited { code: invited.code.to_string(), until_ms: invited.until.0 }))
        }
        Control::Backup { .. } => Err(Refusal::Unknown),
    };
    match done {
        Ok((batch, answer)) if batch.is_empty() => answer,
        Ok((batch, answer)) => match store.commit(batch) {
            Ok(()) => answer,
            Err(error) => Answer::Failed { error: error.to_string() },
        },
        Err(Refusal::NotFound) => Answer::Failed { error: "there is no account of that name".into() },
        Err(refusal) => Answer::Failed { error: refusal.to_string() },
    }
}

/// Counts for the metrics at the start and every ten minutes: a hundred thousand mailboxes take a tenth of a second.
pub(crate) async fn count_now_and_then(handle: Handle, stopping: CancellationToken) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(600));
    while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
        let Some(store) = handle.store().await else { continue };
        let metrics = handle.metrics().clone();
        let stop = stopping.clone();
        // Waited for also at the end, where it stops by itself: what has the store open keeps it from being closed.
        let _ = tokio::task::spawn_blocking(move || count(&store, &metrics, &stop)).await;
    }
}

/// Counts mailboxes and what waits in them, in pages, for the metrics.
fn count(store: &Store, metrics: &Metrics, stopping: &CancellationToken) {
    let prefix = Table::Mailbox.key(&[]);
    let (mut mailboxes, mut waiting, mut bytes) = (0_u64, 0_u64, 0_u64);
    let mut after: Option<Vec<u8>> = None;
    while let Ok(page) = store.scan(&prefix, after.as_deref(), COUNT_ROWS) {
        if stopping.is_cancelled() {
            return;
        }
        for row in page.iter().filter_map(|(_, value)| MailboxRow::decode(value).ok()) {
            mailboxes = mailboxes.saturating_add(1);
            waiting = waiting.saturating_add(row.count).saturating_add(row.requests);
            bytes = bytes.saturating_add(row.bytes);
        }
        match page.into_iter().next_back() {
            Some((key, _)) => after = Some(key),
            None => break,
        }
    }
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    metrics.mailboxes.set(gauge(mailboxes));
    metrics.waiting.set(gauge(waiting));
    metrics.waiting_bytes.set(gauge(bytes));
}
