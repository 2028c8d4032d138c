//! A profile in the making: built beside its place and moved there when it is whole, so that there is one or none.
//!
//! A creation that was cut off leaves a directory that nobody holds; the next one takes it away.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{LOCK, STORE, VAULT};
use crate::chat::{Engine, Now};
use crate::client::ClientError;
use crate::session::{self, Joined};
use crate::store::{self, RingKey, Store, StoreError};

/// How the names begin of directories in which a store is built.
const PREFIX: &str = "store.creating-";

/// A profile in the making. Dropping it before it is finished leaves nothing behind.
#[derive(Debug)]
pub(in crate::client) struct Building {
    directory: PathBuf,
    /// The directory was not there before.
    made: bool,
    path: PathBuf,
    /// Held for as long as this process works on it.
    _lock: File,
    finished: bool,
}

impl Building {
    /// Makes a place to build in, and takes away what creations that were cut off have left.
    pub(in crate::client) fn begin(directory: &Path) -> Result<Self, ClientError> {
        for left in left_behind(directory) {
            if !is_held(&left) {
                tracing::info!("What the creation of a profile left that was cut off is removed.");
                remove(&left)?;
            }
        }
        let made = !directory.exists();
        store::create_private_dir(directory)?;
        let path = directory.join(format!("{PREFIX}{}", std::process::id()));
        // Not even the number of a process is its own where directories are shared between machines.
        fs::create_dir(&path).map_err(StoreError::from)?;
        let lock = Self::hold(&path).inspect_err(|_| tidy(directory, made, &path))?;
        step("begun");
        Ok(Self { directory: directory.to_owned(), made, path, _lock: lock, finished: false })
    }

    fn hold(path: &Path) -> Result<File, ClientError> {
        store::create_private_dir(path)?;
        let lock = File::create(path.join(LOCK)).map_err(StoreError::from)?;
        lock.try_lock().map_err(|error| ClientError::Write(error.to_string()))?;
        Ok(lock)
    }

    /// Writes all that the profile consists of, durably: the vault first, without which an account without a relay is nobody's.
    pub(in crate::client) fn fill(&self, key: &RingKey, joined: Joined) -> Result<(), ClientError> {
        if joined.setup.record.relays().is_empty() {
            store::write_private(&self.path.join(VAULT), &joined.vault)?;
            step("vault");
        }
        let (store, _) = Store::open(&self.path, key, &store::Options::default())?;
        step("store");
        let now = Now { wall: session::wall(), mono_ms: 0 };
        let (_, effects) = Engine::create(now, &mut session::seeded(), &store, joined.setup)?;
        store.commit(&effects.batch, now.wall)?;
        step("account");
        store.close();
        Ok(())
    }

    /// Where it is meanwhile.
    pub(in crate::client) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to its place: from now on there is a profile.
    pub(in crate::client) fn finish(mut self) -> Result<(), ClientError> {
        step("enrolled");
        store::rename_durably(&self.path, &self.directory.join(STORE))?;
        self.finished = true;
        step("moved");
        // Opening the profile takes it away too.
        let _ = fs::remove_file(self.directory.join(STORE).join(LOCK));
        Ok(())
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        if !self.finished {
            tidy(&self.directory, self.made, &self.path);
        }
    }
}

/// Takes away what was built, and the directory if it was made for it and holds nothing else. What stays is taken away next time.
fn tidy(directory: &Path, made: bool, path: &Path) {
    if let Err(error) = remove(path) {
        tracing::warn!(%error, "What was built of a profile could not be removed.");
    }
    if made {
        let _ = fs::remove_dir(directory);
    }
}

/// Whether the creation of a profile here was cut off.
pub(super) fn was_cut_off(directory: &Path) -> bool {
    left_behind(directory).iter().any(|left| !is_held(left))
}

pub(super) fn left_behind(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)).map(|entry| entry.path()).collect()
}

/// Whether a process is at work on it.
fn is_held(path: &Path) -> bool {
    let lock = File::open(path.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)))
}

fn remove(path: &Path) -> Result<(), ClientError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::from(error).into()),
        _ => Ok(()),
    }
}

/// Ends the process here, if a test wants to see what is then left.
pub(in crate::client) fn step(name: &str) {
    #[cfg(feature = "test-utils")]
    if std::env::var_os("KITH_TEST_CRASH_AT").is_some_and(|at| at == name) {
        std::process::abort();
    }
    #[cfg(not(feature = "test-utils"))]
    let _ = name;
}
