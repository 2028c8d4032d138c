//! What a profile's store is made of.

use std::collections::BTreeMap;
use std::path::Path;

use kith_core::store::Table;
use kith_core::store::guarded::{Db, Options};

use crate::Failure;

/// The format of a client's store: reading the one before is all that another number would allow.
const FORMAT: u8 = 2;

/// Rows of one table.
#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    rows: usize,
    keys: usize,
    values: usize,
}

/// Bytes of all keys and sealed values of a store that nobody has open. What each table has goes to standard error.
pub(crate) fn live(store: &Path) -> Result<u64, Failure> {
    let (db, _) = Db::open(store, &Options::new(FORMAT))?;
    let mut tables: BTreeMap<u8, Sum> = BTreeMap::new();
    db.copy(
        |rows| {
            for row in rows {
                let sum = tables.entry(row.key.first().copied().unwrap_or_default()).or_default();
                sum.rows += 1;
                sum.keys += row.key.len();
                sum.values += row.value.len();
            }
            Ok(())
        },
        |_| Ok(()),
    )?;
    for (number, sum) in &tables {
        let table = Table::from_number(*number).map_or_else(|| "none".to_owned(), |table| format!("{table:?}"));
        eprintln!("bench: table {table:12} {:8} rows, {:9} B keys, {:9} B values", sum.rows, sum.keys, sum.values);
    }
    Ok(tables.values().map(|sum| (sum.keys + sum.values) as u64).sum())
}
