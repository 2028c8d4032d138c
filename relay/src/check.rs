//! Looks at every row of a store that is not in use: whether it can be read, and whether what counts something counts right.

use std::collections::BTreeMap;
use std::path::Path;

use kith_core::store::StoreError;
use serde::Serialize;

use crate::domain::RelayRead;
use crate::domain::rows::{Checked, Table, check_row};
use crate::store::Store;

/// Rows read at a time.
const PAGE: usize = 64;

/// Findings that are kept; there may be many of a kind.
const MAX_FINDINGS: usize = 100;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows that were read.
    pub rows: u64,
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
    /// What is wrong, the first hundred; empty for a good store.
    pub findings: Vec<String>,
}

#[derive(Default)]
struct Counts {
    /// Of each mailbox: what its row says less what its queue holds, in envelopes, bytes and requests.
    mailboxes: BTreeMap<Vec<u8>, [i128; 3]>,
    /// Of each body: what its row says less the items that refer to it.
    bodies: BTreeMap<Vec<u8>, i128>,
    /// Of each account, and of all: what is counted of attachments less those that there are, in bytes.
    blobs: BTreeMap<Vec<u8>, i128>,
}

/// Reads all rows.
///
/// # Errors
/// If the store does not open or the disk does not answer.
pub fn check(dir: &Path) -> Result<Report, StoreError> {
    let (store, _) = Store::open(dir)?;
    let mut report = Report::default();
    let mut counts = Counts::default();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store.scan(&[], after.as_deref(), PAGE).map_err(|error| StoreError::Io(error.to_string()))?;
        for (key, value) in &page {
            look(&mut report, &mut counts, key, value);
        }
        match page.into_iter().next_back() {
            Some((key, _)) => after = Some(key),
            None => break,
        }
    }
    compare(&mut report, counts);
    Ok(report)
}

fn look(report: &mut Report, counts: &mut Counts, key: &[u8], value: &[u8]) {
    report.rows = report.rows.saturating_add(1);
    let Some(table) = Table::of(key) else {
        return find(report, "a row of a table that this release does not know".into());
    };
    let number = report.tables.entry(format!("{table:?}")).or_default();
    *number = number.saturating_add(1);
    match check_row(key, value) {
        Ok(Checked::Mailbox { queue, count, bytes, requests }) => {
            add(counts.mailboxes.entry(queue).or_default(), [count, bytes, requests], 1);
        }
        Ok(Checked::Item { queue, size, request, body }) => {
            let counted = if request { [0, 0, 1] } else { [1, size, 0] };
            add(counts.mailboxes.entry(queue).or_default(), counted, -1);
            if let Some(body) = body {
                *counts.bodies.entry(body).or_default() -= 1;
            }
        }
        Ok(Checked::References { body, count }) => *counts.bodies.entry(body).or_default() += i128::from(count),
        Ok(Checked::Blob { owner, bytes }) => {
            for of in [owner, Vec::new()] {
                *counts.blobs.entry(of).or_default() -= i128::from(bytes);
            }
        }
        Ok(Checked::BlobUse { owner, bytes }) => *counts.blobs.entry(owner).or_default() += i128::from(bytes),
        Ok(Checked::Other) => {}
        Err(error) => find(report, format!("a row of table {table:?} cannot be read: {error}")),
    }
}

fn add(sums: &mut [i128; 3], values: [u64; 3], sign: i128) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += sign * i128::from(value);
    }
}

fn compare(report: &mut Report, counts: Counts) {
    let wrong = counts.mailboxes.values().filter(|sums| sums.iter().any(|sum| *sum != 0)).count();
    if wrong > 0 {
        find(report, format!("{wrong} mailboxes do not count what waits in them"));
    }
    let wrong = counts.bodies.values().filter(|sum| **sum != 0).count();
    if wrong > 0 {
        find(report, format!("{wrong} bodies do not count the mailboxes that they wait in"));
    }
    let wrong = counts.blobs.values().filter(|sum| **sum != 0).count();
    if wrong > 0 {
        find(report, format!("{wrong} counts of attachments are not those of the attachments that there are"));
    }
}

fn find(report: &mut Report, finding: String) {
    if report.findings.len() < MAX_FINDINGS {
        report.findings.push(finding);
    }
}
