//! The data directory: keys, store, the record that there is a store, and what a restore has prepared.
//!
//! `relay.keys` · `store/` · `store.made`, which is there once a store was made · `restored/`, a whole relay that takes the place of
//! the one that is there · `control.sock` while the relay runs.
//!
//! Invariants: a relay whose store has gone does not begin anew by itself, since all its accounts would be lost without a word;
//! once `restored/` is there the new relay counts, and every step that moves it in can be done again after a crash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kith_core::store::StoreError;
use kith_core::store::guarded::Opened;
use kith_core::types::Rng;

use crate::config::Config;
use crate::domain::operator::new_life;
use crate::keys::{self, KeyError, Secrets};
use crate::store::Store;

/// The file that says that a store was made.
const RECORD: &str = "store.made";

/// What it says to who looks at it.
const RECORD_TEXT: &[u8] =
    b"This relay has a store. Without this file it would begin anew, with no accounts, when the store is gone.\n";

/// The name of the store's directory.
const STORE: &str = "store";

/// How files and directories are moved; a test lets it fail.
pub(crate) type Rename<'a> = &'a mut dyn FnMut(&Path, &Path) -> io::Result<()>;

/// Why there is no relay to open in a data directory.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The store that was there is not there any more.
    #[error(
        "the relay's store is gone from {store}, and all its accounts with it: put it back (is its file system mounted?) or \
         restore a backup with `kith-relay restore --force FILE`; only to begin anew without any account, delete {record}"
    )]
    Gone {
        /// Where it was.
        store: PathBuf,
        /// What says that it was.
        record: PathBuf,
    },
    /// The store does not open.
    #[error("the relay's store: {0}")]
    Store(#[from] StoreError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The operating system refused.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Where a relay's store is.
pub(crate) fn store_in(dir: &Path) -> PathBuf {
    dir.join(STORE)
}

/// Where a restored relay is until it was moved in.
pub(crate) fn restored(config: &Config) -> PathBuf {
    config.data_dir.join("restored")
}

/// Opens keys and store, or makes them at a first run.
pub(crate) fn open(config: &Config, rng: &mut Rng) -> Result<(Store, Secrets), DataError> {
    let there = existing(config)?;
    let secrets = Secrets::open(&config.data_dir, there.is_none(), rng)?;
    let store = open_store(&config.store_dir(), rng)?;
    keep_record(config)?;
    Ok((store, secrets))
}

/// The store's directory if there is a relay, after a restore was finished that was cut short.
pub(crate) fn existing(config: &Config) -> Result<Option<PathBuf>, DataError> {
    finish_restore_by(config, &mut |from, to| fs::rename(from, to))?;
    let (store, record) = (config.store_dir(), config.data_dir.join(RECORD));
    if Store::exists(&store) {
        return Ok(Some(store));
    }
    if is_there(&record)? { Err(DataError::Gone { store, record }) } else { Ok(None) }
}

/// Opens the store; when it is an older copy a new life begins.
pub(crate) fn open_store(dir: &Path, rng: &mut Rng) -> Result<Store, StoreError> {
    let (store, opened) = Store::open(dir)?;
    if opened == Opened::Restored {
        tracing::warn!("The store is an older copy: queues begin anew and logs have a new term.");
        let batch = new_life(&store, rng).map_err(|error| StoreError::Io(error.to_string()))?;
        store.commit(batch)?;
        store.db().acknowledge_restored()?;
    }
    Ok(store)
}

/// Moves a restored relay in, if there is one that was not, and sets aside what was there.
pub(crate) fn finish_restore_by(config: &Config, rename: Rename<'_>) -> Result<(), DataError> {
    let restored = restored(config);
    if !is_there(&restored)? {
        return Ok(());
    }
    sync_dir(&config.data_dir)?;
    for name in [STORE, keys::FILE] {
        let (new, place) = (restored.join(name), config.data_dir.join(name));
        // What is not there any more was moved in before a crash.
        if is_there(&new)? {
            set_aside(&place, rename)?;
            rename(&new, &place).map_err(|error| io_error(&place, error))?;
        }
    }
    sync_dir(&config.data_dir)?;
    keep_record(config)?;
    fs::remove_dir_all(&restored).map_err(|error| io_error(&restored, error))
}

/// Renames what is there, so that an operator can go back.
fn set_aside(path: &Path, rename: Rename<'_>) -> Result<(), DataError> {
    if !is_there(path)? {
        return Ok(());
    }
    let mut number = 1_u32;
    loop {
        let aside = path.with_extension(format!("before-restore-{number}"));
        if !is_there(&aside)? {
            return rename(path, &aside).map_err(|error| io_error(path, error));
        }
        number = number.saturating_add(1);
    }
}

fn keep_record(config: &Config) -> Result<(), DataError> {
    let record = config.data_dir.join(RECORD);
    if is_there(&record)? { Ok(()) } else { Ok(keys::write(&record, RECORD_TEXT)?) }
}

fn is_there(path: &Path) -> Result<bool, DataError> {
    path.try_exists().map_err(|error| io_error(path, error))
}

fn sync_dir(path: &Path) -> Result<(), DataError> {
    kith_core::store::sync_dir(path).map_err(|error| io_error(path, error))
}

fn io_error(path: &Path, error: io::Error) -> DataError {
    DataError::Io { path: path.into(), error }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    fn open_in(dir: &Path) -> Result<(Store, Secrets), DataError> {
        open(&Config::embedded(dir.to_path_buf()), &mut Rng::seed_from_u64(1))
    }

    #[test]
    fn a_relay_whose_store_has_gone_does_not_begin_anew() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join(STORE);
        drop(open_in(dir.path()).unwrap());
        fs::remove_dir_all(&store).unwrap();
        let error = open_in(dir.path()).unwrap_err();
        assert!(matches!(error, DataError::Gone { .. }), "{error}");
        assert!(!store.exists(), "nothing was made in its place");
        // What is left where a file system is not mounted.
        fs::create_dir(&store).unwrap();
        let error = open_in(dir.path()).unwrap_err().to_string();
        assert!(error.contains("restore --force") && error.contains(&store.display().to_string()), "{error}");
        assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
        fs::remove_file(dir.path().join(RECORD)).unwrap();
        open_in(dir.path()).expect("its operator has decided to begin anew");
    }

    #[test]
    fn a_first_run_that_was_cut_short_is_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        // The keys were written, and the store's directory was made.
        let (_, secrets) = open_in(dir.path()).unwrap();
        let again = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join(keys::FILE), again.path().join(keys::FILE)).unwrap();
        fs::create_dir(again.path().join(STORE)).unwrap();
        let (_, same) = open_in(again.path()).unwrap();
        assert_eq!(same.encode(), secrets.encode());
    }
}
