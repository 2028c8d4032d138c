//! Opening with all guards: lock, marker, stale files, sentinel, format, boot number.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};

use super::flush::Flusher;
use super::journal::{Entry, Journal};
use super::raw::RawBatch;
use super::tree::Tree;
use super::{Opened, Options};
use crate::store::{StoreError, file};

/// Sled's directory within a store's.
const DATA: &str = "data";
/// Where a snapshot is restored to before it takes the place of `DATA`.
const RESTORING: &str = "data.restoring";
/// Where what cannot be used any more is kept, the latest only.
const ASIDE: &str = "data.aside";
const LOCK: &str = "lock";
const MARKER: &str = "marker";
/// Name of the guard's row that an empty database does not have.
const SENTINEL: &[u8] = b"sentinel";
/// Name of the guard's row with the number of the journal's last entry that sled has. It is there once there is a journal.
const APPLIED: &[u8] = b"applied";
/// Sled's default. A quarter of it bounds a page, see `tree`;
const SEGMENT_BYTES: usize = 512 * 1024;
/// So many bytes sled is given between two flushes at most, unless one batch is larger. With the pages moved before the second they
/// stay within a segment: sled then cannot both move a page and reuse the segment it left before the next flush. A power cut
/// between could take both from us.
pub(super) const FLUSH_BYTES: usize = SEGMENT_BYTES / 4;

/// Which store belongs to a directory, and how often it was opened or closed: the marker's and the sentinel's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// Format number of the rows.
    pub(super) format: u8,
    /// Drawn when the store was created.
    pub(super) id: [u8; 16],
    /// Rises at every opening and every clean closing, in the store first: a store behind its marker is an old copy.
    pub(super) boot: u64,
    /// An old copy that nobody has dealt with yet. Always false in the marker.
    pub(super) restored: bool,
}

impl Facts {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.format];
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.boot.to_be_bytes());
        bytes.push(u8::from(self.restored));
        bytes
    }

    /// Bytes of a later format may be longer; its number is all that is then needed.
    fn decode(bytes: &[u8], known: u8) -> Result<Self, StoreError> {
        let (&format, rest) = bytes.split_first().ok_or(StoreError::Damaged)?;
        if format > known {
            return Err(StoreError::FromTheFuture { found: format, known });
        }
        if format.saturating_add(1) < known {
            return Err(StoreError::TooOld { found: format });
        }
        let (id, rest) = rest.split_first_chunk().ok_or(StoreError::Damaged)?;
        let (boot, rest) = rest.split_first_chunk().ok_or(StoreError::Damaged)?;
        let &[restored] = rest else { return Err(StoreError::Damaged) };
        Ok(Self { format, id: *id, boot: u64::from_be_bytes(*boot), restored: restored != 0 })
    }

    /// Those of the next opening or closing.
    pub(super) fn next(self) -> Self {
        Self { boot: self.boot.saturating_add(1), ..self }
    }
}

/// A store that has been opened, before its writer runs.
pub(super) struct Found {
    pub(super) dir: PathBuf,
    pub(super) tree: Tree,
    pub(super) facts: Facts,
    flusher: Flusher,
    journal: Journal,
    /// The last of the journal's entries that sled was given, and that it has written in [`APPLIED`].
    applied: (u64, Option<u64>),
    /// Held for as long as the store is open.
    lock: File,
}

impl Found {
    fn new(
        dir: PathBuf,
        tree: Tree,
        data: &Path,
        lock: File,
        facts: Facts,
    ) -> Result<(Self, Option<Vec<Entry>>), StoreError> {
        let flusher = Flusher::new(tree.db().clone(), File::open(data.join("db"))?)?;
        let (journal, entries) = Journal::open(data, facts.id)?;
        Ok((Self { dir, tree, facts, flusher, journal, applied: (0, None), lock }, entries))
    }

    /// Gives sled what it had not flushed. Whether the journal is there and belongs to what sled has; one that does not is left.
    fn replay(&mut self, entries: Option<Vec<Entry>>) -> Result<bool, StoreError> {
        let applied = match self.tree.own(APPLIED)? {
            Some(bytes) => Some(u64::from_be_bytes(bytes.try_into().map_err(|_| StoreError::Damaged)?)),
            None => None,
        };
        let whole = entries.is_some() || applied.is_none();
        let mut next = applied.unwrap_or(0);
        let newest = entries.iter().flatten().map(|(number, _)| *number).max();
        let follows = entries.iter().flatten().next().is_none_or(|(number, _)| *number <= next.saturating_add(1));
        for (number, batch) in entries.into_iter().flatten().filter(|_| follows) {
            if number > next {
                self.tree.apply(&batch)?;
                next = number;
            }
        }
        // No number is used twice.
        let last = newest.unwrap_or(0).max(next);
        self.applied = (last, applied);
        self.flush()?;
        Ok(whole && follows)
    }

    /// Makes a batch durable, if the journal has room for it, before sled is given it.
    pub(super) fn note(&mut self, batch: &RawBatch) -> Result<bool, StoreError> {
        Ok(self.journal.write(batch)?)
    }

    /// Says that sled was given all that the journal holds.
    pub(super) const fn gave(&mut self) {
        self.applied.0 = self.journal.written();
    }

    /// Whether the journal is so full that sled should be given what it holds.
    pub(super) const fn is_half_full(&self) -> bool {
        self.journal.is_half_full()
    }

    /// Makes all that sled was given durable.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let (given, told) = self.applied;
        if told != Some(given) {
            self.tree.put_own(APPLIED, &given.to_be_bytes())?;
        }
        self.flusher.flush()?;
        self.applied.1 = Some(given);
        if given >= self.journal.written() {
            self.journal.begin_after(given);
        }
        Ok(())
    }

    /// Writes other facts: to the store first, durable, then to the marker.
    pub(super) fn write_facts(&mut self, facts: Facts) -> Result<(), StoreError> {
        self.write_sentinel(facts)?;
        write_marker(&self.dir, facts)
    }

    fn write_sentinel(&mut self, facts: Facts) -> Result<(), StoreError> {
        self.tree.put_own(SENTINEL, &facts.encode())?;
        self.facts = facts;
        self.flush()
    }
}

fn write_marker(dir: &Path, facts: Facts) -> Result<(), StoreError> {
    Ok(file::replace(&dir.join(MARKER), &Facts { restored: false, ..facts }.encode())?)
}

/// `prepare` is called before anything is written that a later opening would take for a finished first one.
pub(super) fn open(
    dir: &Path,
    options: &Options,
    prepare: impl FnOnce(Opened) -> Result<(), StoreError>,
) -> Result<(Found, Opened), StoreError> {
    kith_heap::keep_large_apart();
    file::create_dir(dir)?;
    let lock = lock(dir)?;
    let marker = match file::read(&dir.join(MARKER), 4096)? {
        Some(bytes) => Some(Facts::decode(&bytes, options.format)?),
        None => None,
    };
    remove_dir(&dir.join(RESTORING))?;
    let data = dir.join(DATA);
    let has_data = fs::metadata(data.join("db")).is_ok_and(|facts| facts.len() > 0);
    if marker.is_some() && !has_data {
        return Err(StoreError::Missing);
    }
    let tree = Tree::new(open_sled(&data, options, marker.is_some())?)?;
    let sentinel = match tree.own(SENTINEL)? {
        Some(bytes) => Some(Facts::decode(&bytes, options.format)?),
        None => None,
    };
    let has_rows = tree.has_rows()? || sentinel.map_or(Ok(false), |facts| Journal::is_begun(&data, facts.id))?;
    let (mut facts, mut opened) = judge(marker, sentinel, has_rows)?;
    let (mut found, entries) = Found::new(dir.to_path_buf(), tree, &data, lock, facts)?;
    if !found.replay(entries)? {
        facts.restored = true;
        opened = Opened::Restored;
    }
    prepare(opened)?;
    sync_names(&mut found, &data)?;
    found.write_facts(Facts { format: options.format, ..facts.next() })?;
    Ok((found, opened))
}

/// What a marker and a sentinel say together. A row without either, or a sentinel without its marker, is no first run.
fn judge(marker: Option<Facts>, sentinel: Option<Facts>, has_rows: bool) -> Result<(Facts, Opened), StoreError> {
    match (marker, sentinel) {
        (None, None) if has_rows => Err(StoreError::Damaged),
        (None, None) => Ok((Facts { format: 0, id: random_id()?, boot: 0, restored: false }, Opened::First)),
        // A first opening that ended before its marker was written.
        (None, Some(facts)) if !has_rows => Ok((facts, Opened::First)),
        (None, Some(facts)) => Ok((Facts { restored: true, ..facts }, Opened::Restored)),
        (Some(_), None) => Err(StoreError::Missing),
        (Some(marker), Some(facts)) if marker.id != facts.id => Err(StoreError::Mismatched),
        (Some(marker), Some(facts)) if facts.restored || facts.boot < marker.boot => {
            Ok((Facts { boot: facts.boot.max(marker.boot), restored: true, ..facts }, Opened::Restored))
        }
        (Some(_), Some(facts)) => Ok((facts, Opened::Existing)),
    }
}

/// A store that takes the place of a damaged one: calls `fill` with an empty one, makes it durable, and moves it in.
///
/// It has the id of the marker, and will say that it is restored until that is acknowledged.
pub(in crate::store) fn prepare_restored(
    dir: &Path,
    options: &Options,
    id: [u8; 16],
    fill: impl FnOnce(&mut dyn FnMut(&super::RawBatch) -> Result<(), StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    file::create_dir(dir)?;
    let lock = lock(dir)?;
    let marker = file::read(&dir.join(MARKER), 4096)?.and_then(|bytes| Facts::decode(&bytes, options.format).ok());
    let boot = marker.map_or(0, |marker| marker.boot);
    let restoring = dir.join(RESTORING);
    remove_dir(&restoring)?;
    let tree = Tree::new(open_sled(&restoring, options, false)?)?;
    let facts = Facts { format: options.format, id, boot, restored: true };
    let (mut found, _) = Found::new(dir.to_path_buf(), tree, &restoring, lock, facts)?;
    fill(&mut |batch| {
        found.tree.apply(batch)?;
        found.flush()
    })?;
    found.write_sentinel(facts)?;
    sync_names(&mut found, &restoring)?;
    let Found { lock, .. } = found;
    let data = dir.join(DATA);
    let aside = dir.join(ASIDE);
    if data.exists() {
        remove_dir(&aside)?;
        fs::rename(&data, &aside)?;
    }
    fs::rename(&restoring, &data)?;
    file::sync_dir(dir)?;
    write_marker(dir, facts)?;
    drop(lock);
    Ok(())
}

/// Sled creates files and renames them without making their names durable, and never syncs its configuration.
fn sync_names(found: &mut Found, data: &Path) -> Result<(), StoreError> {
    found.flush()?;
    found.flusher.file().sync_all()?;
    File::open(data.join("conf"))?.sync_all()?;
    file::sync_dir(&data.join("blobs"))?;
    file::sync_dir(data)?;
    file::sync_parent(data)?;
    Ok(file::sync_parent(&found.dir)?)
}

/// Holds a directory that nobody has open, so that nobody opens it.
pub(in crate::store) fn hold(dir: &Path) -> Result<File, StoreError> {
    lock(dir)
}

/// Takes the directory for this process.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let mut file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // Who has it is a courtesy of the message; that it is taken is certain without.
            let _ = (&mut file).take(32).read_to_string(&mut owner);
            return Err(StoreError::AlreadyOpen { process: owner.trim().parse().ok() });
        }
        Err(fs::TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// Opens sled; a snapshot of its page table that it cannot read is moved aside and the whole log replayed.
fn open_sled(data: &Path, options: &Options, acknowledged: bool) -> Result<sled::Db, StoreError> {
    /// Least and greatest page cache.
    const CACHE_BYTES: (u64, u64) = (256 << 10, 64 << 20);
    let config = sled::Config::new()
        .path(data)
        .cache_capacity(options.cache_bytes.clamp(CACHE_BYTES.0, CACHE_BYTES.1))
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    remove_stale(data)?;
    file::create_dir(data)?;
    let mut moved = false;
    loop {
        match catch_unwind(AssertUnwindSafe(|| open_unlocked(&config))) {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error)) if StoreError::from(error.clone()) != StoreError::Damaged => return Err(error.into()),
            // Sled does not always say that it was the disk: nothing is moved aside for want of room.
            _ if !moved && file::probe(data, SEGMENT_BYTES).is_err_and(is_full) => return Err(StoreError::Full),
            _ if !moved && acknowledged => move_snapshots_aside(data)?,
            // Nothing in it was ever acknowledged: its first opening never ended.
            _ if !moved => {
                let aside = data.with_file_name(ASIDE);
                remove_dir(&aside)?;
                fs::rename(data, aside)?;
            }
            _ => return Err(StoreError::Damaged),
        }
        moved = true;
    }
}

fn is_full(error: io::Error) -> bool {
    StoreError::from(error) == StoreError::Full
}

/// Sled lets go of its file a moment after it was dropped, on a thread of its own.
fn open_unlocked(config: &sled::Config) -> sled::Result<sled::Db> {
    /// In all two seconds.
    const ATTEMPTS: u32 = 100;
    for _ in 1..ATTEMPTS {
        match config.open() {
            Err(sled::Error::Io(error)) if error.to_string().contains("could not acquire lock") => {
                std::thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
    config.open()
}

/// Half-written snapshots of sled's page table: it would take one for the newest, and then for corruption.
fn remove_stale(data: &Path) -> Result<(), StoreError> {
    for path in snapshots(data)? {
        let name = path.to_string_lossy();
        if name.ends_with(".generating") || name.ends_with(".in___motion") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn move_snapshots_aside(data: &Path) -> Result<(), StoreError> {
    let aside = data.with_file_name(ASIDE);
    remove_dir(&aside)?;
    file::create_dir(&aside)?;
    for path in snapshots(data)? {
        if let Some(name) = path.file_name() {
            fs::rename(&path, aside.join(name))?;
        }
    }
    Ok(file::sync_dir(data)?)
}

/// Sled's snapshots of its page table; the log holds all that they do.
fn snapshots(data: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn remove_dir(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn random_id() -> Result<[u8; 16], StoreError> {
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).map_err(|_| StoreError::Io("no randomness".into()))?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts { format: 1, id: [7; 16], boot: 5, restored: false };

    #[test]
    fn an_empty_database_beside_a_marker_is_no_first_run() {
        assert_eq!(judge(Some(FACTS), None, false), Err(StoreError::Missing));
        assert_eq!(judge(None, None, true), Err(StoreError::Damaged));
        assert!(matches!(judge(None, None, false), Ok((_, Opened::First))));
    }

    #[test]
    fn a_store_behind_its_marker_is_an_old_copy() {
        let behind = Facts { boot: 4, ..FACTS };
        let (facts, opened) = judge(Some(FACTS), Some(behind), true).unwrap();
        assert_eq!((facts.boot, facts.restored, opened), (5, true, Opened::Restored));
        let ahead = Facts { boot: 6, ..FACTS };
        assert_eq!(judge(Some(FACTS), Some(ahead), true), Ok((ahead, Opened::Existing)));
        assert_eq!(judge(Some(FACTS), Some(Facts { id: [8; 16], ..FACTS }), true), Err(StoreError::Mismatched));
    }

    #[test]
    fn facts_of_another_format_are_refused() {
        assert_eq!(Facts::decode(&FACTS.encode(), 1), Ok(FACTS));
        assert_eq!(Facts::decode(&FACTS.encode(), 2), Ok(FACTS));
        assert_eq!(Facts::decode(&FACTS.encode(), 3), Err(StoreError::TooOld { found: 1 }));
        assert_eq!(Facts::decode(&[9, 1, 2], 1), Err(StoreError::FromTheFuture { found: 9, known: 1 }));
        assert_eq!(Facts::decode(&FACTS.encode()[..9], 1), Err(StoreError::Damaged));
    }
}
