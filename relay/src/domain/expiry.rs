//! What ends by itself: an index by time, walked in bounded steps from a timer, so that nothing is scanned at the start.

use kith_core::types::{DeviceId, Incarnation, Timestamp};
use kith_core::wire::codec::Body;
use kith_core::wire::relay::Refusal;

use super::rows::{self, Address, List, Origin, Table, Until, Used};
use super::tx::Tx;
use super::{blob, mailbox};

/// Notes that the row of this key ends then. A row that was renewed has a later end of its own and survives the earlier note.
pub(super) fn at(tx: &mut Tx<'_>, until: Timestamp, row: &[u8]) {
    tx.mark(rows::due_key(until, row));
}

/// Deletes at most `steps` things that are out of date; whether more is due.
pub(super) fn run(tx: &mut Tx<'_>, steps: usize) -> bool {
    match due(tx, steps) {
        Ok(0) => sweep(tx, steps).unwrap_or(false),
        Ok(done) => done >= steps,
        Err(_) => false,
    }
}

fn due(tx: &mut Tx<'_>, steps: usize) -> Result<usize, Refusal> {
    let mut done = 0;
    for (key, _) in tx.stored(&Table::Due.key(&[]), None, steps)? {
        let at = key.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        if at.is_none_or(|at| at > tx.now.0) {
            break;
        }
        let row = key.get(9..).unwrap_or_default().to_vec();
        tx.delete(key);
        end(tx, row)?;
        done += 1;
    }
    Ok(done)
}

fn end(tx: &mut Tx<'_>, row: Vec<u8>) -> Result<(), Refusal> {
    let until = match Table::of(&row) {
        Some(Table::Queue) => return mailbox::expire(tx, &row),
        Some(Table::Blob) => return blob::expire(tx, &row),
        Some(Table::Origin) => until(tx, &row, |row: Origin| row.until)?,
        Some(Table::UsedChallenge) => until(tx, &row, |row: Used| row.until)?,
        Some(Table::List) => until(tx, &row, |row: List| row.until)?,
        Some(Table::Address) => until(tx, &row, |row: Address| row.until)?,
        Some(Table::Invitation) => until(tx, &row, |row: Until| row.until)?,
        _ => None,
    };
    if until.is_some_and(|until| until <= tx.now) {
        tx.delete(row);
    }
    Ok(())
}

fn until<T: Body>(tx: &Tx<'_>, row: &[u8], of: impl FnOnce(T) -> Timestamp) -> Result<Option<Timestamp>, Refusal> {
    Ok(tx.get::<T>(row)?.map(of))
}

/// Goes on with the first queue whose device is gone; whether there is more to do.
fn sweep(tx: &mut Tx<'_>, steps: usize) -> Result<bool, Refusal> {
    let Some((key, _)) = tx.stored(&Table::Garbage.key(&[]), None, 1)?.pop() else { return Ok(false) };
    let device = key.get(1..33).and_then(|id| DeviceId::try_from(id).ok());
    let queue = key.get(33..41).and_then(|id| Incarnation::try_from(id).ok());
    let all = match device.zip(queue) {
        Some((device, queue)) => mailbox::sweep(tx, device, queue, steps)?,
        None => true,
    };
    if all {
        tx.delete(key);
    }
    Ok(true)
}
