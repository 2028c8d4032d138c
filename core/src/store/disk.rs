//! The client's store: typed rows, sealed, on a disk.
//!
//! Chooses the data keys: one for the account, one a week for each conversation, one a day for each group's MLS state, whose
//! remaining rows are then sealed again so that the old key can be destroyed.
//!
//! # Invariants
//!
//! - New data keys are durable in the ring before a batch that uses them is given to the writer.
//! - Keys are destroyed after the batch that drops them is durable; if the process ends between, at the next opening.
//! - After a failed write nothing is read either until the store was opened anew: what was read would be what nobody has.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::guarded::{self, Db, Done, Opened, RawBatch};
use super::keyring::{Keyring, Opener, RingKey};
use super::{Batch, Op, Range, Read, ReadError, Row, Scope, StoreError, Table, file, sealed, snapshot};
use crate::types::{GroupId, Timestamp};

/// The format of this store: raised when a layout changes, read by the release after it too.
pub(super) const FORMAT: u8 = 2;
/// Name, in no table, of the row that lists the keys about to be destroyed.
const DOOMED: &[u8] = b"\0doomed";
/// Room that has to be there before a store is opened anew: sled begins a segment or two and writes its page table.
const ROOM_BYTES: usize = 4 << 20;
/// Measured with 20,000 messages: 75 MB of pages at 1536, 29 MB at 256, 28 MB at 128; see `docs/adr/0003-sled-guards.md`.
const BYTES_A_MOVE: usize = 256;
/// How many rows a scan opens at a time.
const PAGE_ROWS: usize = 512;

/// How a client's store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes that sled's page cache may take, as they lie on the disk; kept within 256 KiB and 64 MiB.
    pub cache_bytes: u64,
    /// How many batches may wait for the writer before `submit` blocks.
    pub queue_batches: usize,
    /// How many snapshots are kept, while they are small; the oldest goes first. Of a large store it is the newest alone.
    pub snapshots_kept: usize,
}

impl Default for Options {
    /// 256 KiB of cache, which sled makes a page for each of its 256 shards: what each new message changes, since the system keeps the
    /// file's pages too; 256 waiting batches; three snapshots: one may be bad and another of a bad day.
    fn default() -> Self {
        Self { cache_bytes: 256 << 10, queue_batches: 256, snapshots_kept: 3 }
    }
}

impl Options {
    const fn guarded(&self) -> guarded::Options {
        let Self { cache_bytes, queue_batches, .. } = *self;
        guarded::Options { format: FORMAT, cache_bytes, queue_batches, bytes_a_move: BYTES_A_MOVE }
    }
}

/// An open store. Cheap to clone; it is closed when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    state: Arc<RwLock<State>>,
    /// Held while it is opened anew.
    reopening: Arc<Mutex<()>>,
    dir: PathBuf,
    options: Options,
}

enum State {
    Open(Open),
    /// After a failed write or for good, and why; what opens the ring stays, so that nobody has to type a passphrase again.
    Closed(StoreError, Opener),
}

/// What an open store consists of.
struct Open {
    db: Db,
    ring: Arc<RwLock<Keyring>>,
    /// Held from sealing to queueing: batches are queued in the order in which their keys were chosen.
    order: Mutex<()>,
}

impl Store {
    /// Opens the store of a directory, or creates it where none ever was.
    ///
    /// After [`Opened::Restored`] the caller must not send under the MLS state found; see [`Store::acknowledge_restored`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] and [`StoreError::Damaged`] call for [`Store::restore`]. Also if another process has it open,
    /// the key is wrong, the ring is missing or damaged, the format is unknown, or the disk refuses.
    pub fn open(dir: &Path, key: &RingKey, options: &Options) -> Result<(Self, Opened), StoreError> {
        let (open, opened) = Open::new(dir, options, |opened| match opened {
            Opened::First if snapshot::any(dir)? => Err(StoreError::Missing),
            Opened::First => Keyring::create(dir, key),
            Opened::Existing | Opened::Restored => Keyring::open(dir, key),
        })?;
        let state = Arc::new(RwLock::new(State::Open(open)));
        let store = Self { state, reopening: Arc::default(), dir: dir.to_owned(), options: options.clone() };
        Ok((store, opened))
    }

    /// Puts the newest snapshot that can be verified in the place of a missing or damaged store, which is kept aside, and
    /// opens it. It says [`Opened::Restored`] at each opening until that is acknowledged.
    ///
    /// # Errors
    /// [`StoreError::NoSnapshot`], or as [`Store::open`].
    pub fn restore(dir: &Path, key: &RingKey, options: &Options) -> Result<(Self, Opened), StoreError> {
        let ring = Keyring::open(dir, key)?;
        snapshot::restore(dir, &ring, &options.guarded())?;
        Self::open(dir, key, options)
    }

    /// After a failed write: closes it, which drops all that did not become durable, and opens it anew with all guards. All clones
    /// are this store then. Until this has succeeded every one of them refuses to read and to write, with the first failure's error.
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::Full`] before anything is touched, while there is no room to open it in.
    pub fn reopen(&self) -> Result<Opened, StoreError> {
        let _one_at_a_time = self.reopening.lock().unwrap_or_else(PoisonError::into_inner);
        let opener = self.shut();
        file::probe(&self.dir, ROOM_BYTES)?;
        let (open, opened) = Open::new(&self.dir, &self.options, |opened| match opened {
            Opened::First => Err(StoreError::Missing),
            Opened::Existing | Opened::Restored => Keyring::open_again(&self.dir, &opener),
        })?;
        *self.state_mut() = State::Open(open);
        Ok(opened)
    }

    /// Closes it, if it is open, and gives what opens its ring.
    fn shut(&self) -> Opener {
        let mut state = self.state_mut();
        let (why, opener) = match &*state {
            State::Closed(_, opener) => return opener.clone(),
            State::Open(open) => {
                let why = open.db.failure().unwrap_or_else(|| StoreError::Stopped("it is being opened again".into()));
                (why, open.ring().opener())
            }
        };
        let closed = std::mem::replace(&mut *state, State::Closed(why, opener.clone()));
        // Closing waits for the writer; whoever reads meanwhile is refused, not kept waiting.
        drop(state);
        drop(closed);
        opener
    }

    /// Closes it for all handles, and waits for what was submitted: another process can open it when this has returned.
    pub fn end(&self) {
        let _one_at_a_time = self.reopening.lock().unwrap_or_else(PoisonError::into_inner);
        let opener = self.shut();
        *self.state_mut() = State::Closed(StoreError::Closed, opener);
    }

    /// Why nothing is read or written any more until [`Store::reopen`]; none while all is well.
    pub fn failure(&self) -> Option<StoreError> {
        match &*self.state() {
            State::Open(open) => open.db.failure(),
            State::Closed(why, _) => Some(why.clone()),
        }
    }

    /// Queues a batch: it can be read at once, and `done` is called, on the writer's thread, when it is durable; `done` must
    /// neither block nor submit. Blocks while the queue is full, and while a new data key is made durable.
    ///
    /// # Errors
    /// If a row is too large or misplaced, the ring cannot be written, or an earlier write failed; `done` is then not called.
    pub fn submit(&self, batch: &Batch, now: Timestamp, done: Done) -> Result<(), StoreError> {
        self.with(|open| open.submit(batch, now, done))
    }

    /// Submits a batch and waits until it is durable.
    ///
    /// # Errors
    /// As [`Store::submit`], or if the write failed.
    pub fn commit(&self, batch: &Batch, now: Timestamp) -> Result<(), StoreError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit(batch, now, Box::new(move |result| drop(sender.send(result))))?;
        receiver.recv().unwrap_or_else(|_| Err(StoreError::Stopped("the writer ended".into())))
    }

    /// Says that the caller has dealt with the store's being an old copy: new incarnations are durable in it, and no MLS
    /// state of it will be sent under.
    ///
    /// # Errors
    /// If a write fails.
    pub fn acknowledge_restored(&self) -> Result<(), StoreError> {
        self.with(|open| open.db.acknowledge_restored())
    }

    /// What opens the ring, if this key does. It takes the time of the stretching.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] if it does not.
    pub fn opened_by(&self, key: &RingKey) -> Result<Opener, StoreError> {
        let opener = self.with(|open| Ok::<_, StoreError>(open.ring().opener()))?;
        if opener.is_of(key)? { Ok(opener) } else { Err(StoreError::WrongKey) }
    }

    /// Seals the ring under another key, so that destroyed keys cannot be found with the old one either. Where a keychain
    /// holds the key: store the new one there first, rotate, then forget the old one. It takes the time of the stretching.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] if something else opens it by now, and nothing is changed. If the ring cannot be written, either key may
    /// open it from now on.
    pub fn rotate(&self, from: &Opener, to: &RingKey) -> Result<(), StoreError> {
        // Stretched before the ring is held, so that nobody waits for that.
        let to = Opener::new(to)?;
        self.with(|open| open.ring_mut().rotate(from, to))
    }

    /// The number of the account's key, durable in the ring.
    pub(super) fn account_key(&self) -> Result<u32, StoreError> {
        self.with(Open::account_key)
    }

    /// Seals what is no row by a key of the ring.
    pub(super) fn seal_with(&self, key: u32, bound: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.with(|open| sealed::seal(key, open.ring().get(key)?.ok_or(StoreError::RingDamaged)?, bound, value))
    }

    /// Opens what is no row; nothing if its key was destroyed.
    pub(super) fn open_with(&self, bound: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with(|open| sealed::open(&open.ring(), Table::Meta, bound, sealed))
    }

    /// Writes a snapshot while the store stays in use, verifies it by reading it again, and removes the oldest beyond the
    /// number kept. What was erased before stays erased in it: the keys are not in it.
    ///
    /// # Errors
    /// If the disk refuses or the copy does not verify.
    pub fn snapshot(&self) -> Result<(), StoreError> {
        self.with(|open| open.snapshot(self.options.snapshots_kept))
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Deletes the store of a directory that nobody has open: its ring first, without which nothing of the rest can be read, not
    /// even from what a disk keeps of files that are gone. Cut off, it can be done again.
    ///
    /// # Errors
    /// [`StoreError::AlreadyOpen`], or if the disk refuses.
    pub fn erase(dir: &Path) -> Result<(), StoreError> {
        let held = guarded::hold(dir)?;
        Keyring::erase(dir)?;
        std::fs::remove_dir_all(dir)?;
        drop(held);
        Ok(())
    }

    /// Closes it, when this is the last handle: waits for what was submitted.
    pub fn close(self) {}

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the open store, which is not closed meanwhile. Not to be called within itself: a closing between would wait for ever.
    fn with<T, E: From<StoreError>>(&self, work: impl FnOnce(&Open) -> Result<T, E>) -> Result<T, E> {
        match &*self.state() {
            State::Open(open) => work(open),
            State::Closed(why, _) => Err(why.clone().into()),
        }
    }
}

impl Open {
    fn new(
        dir: &Path,
        options: &Options,
        ring_of: impl FnOnce(Opened) -> Result<Keyring, StoreError>,
    ) -> Result<(Self, Opened), StoreError> {
        let mut ring = None;
        let (db, opened) = Db::open_with(dir, &options.guarded(), |opened| {
            ring = Some(ring_of(opened)?);
            Ok(())
        })?;
        let mut ring = ring.ok_or(StoreError::RingMissing)?;
        if let Some(doomed) = db.get(DOOMED)? {
            ring.destroy(&decode_numbers(&doomed))?;
        }
        Ok((Self { db, ring: Arc::new(RwLock::new(ring)), order: Mutex::default() }, opened))
    }

    fn submit(&self, batch: &Batch, now: Timestamp, done: Done) -> Result<(), StoreError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let (raw, doomed) = self.seal(batch, now)?;
        if doomed.is_empty() {
            return self.db.submit(raw, done);
        }
        let ring = Arc::clone(&self.ring);
        let destroy = doomed.clone();
        let done = move |result: Result<(), StoreError>| {
            let mut ring = ring.write().unwrap_or_else(PoisonError::into_inner);
            let result = result.and_then(|()| ring.destroy(&destroy));
            drop(ring);
            done(result);
        };
        // In this order: a reader that finds a key destroyed reads the row again, and then what the batch made of it is there.
        self.db.submit(raw, Box::new(done))?;
        let mut ring = self.ring_mut();
        doomed.iter().for_each(|number| ring.doom(*number));
        Ok(())
    }

    fn snapshot(&self, kept: usize) -> Result<(), StoreError> {
        let number = self.account_key()?;
        snapshot::write(&self.db, &|| self.ring(), number, kept)
    }

    /// The number of the account's key, which is in the ring's file when this returns.
    fn account_key(&self) -> Result<u32, StoreError> {
        let mut ring = self.ring_mut();
        let number = match ring.latest(Scope::Account) {
            Some((number, _)) => number,
            None => ring.add(Scope::Account, 0)?,
        };
        ring.write_new()?;
        Ok(number)
    }

    fn ring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring_mut(&self) -> RwLockWriteGuard<'_, Keyring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The batch as it goes to the disk, and the keys that it destroys.
    fn seal(&self, batch: &Batch, now: Timestamp) -> Result<(RawBatch, Vec<u32>), StoreError> {
        let mut ring = self.ring_mut();
        let mut sealing = Sealing { db: &self.db, ring: &mut ring, batch, now, doomed: Vec::new() };
        let mut raw = RawBatch::new();
        let mut chosen = std::collections::BTreeMap::new();
        for op in batch.iter() {
            match op {
                Op::DropScope(scope) => {
                    let numbers = sealing.ring.numbers(scope);
                    sealing.doomed.extend(numbers);
                }
                Op::DeletePrefix { table, prefix } => raw.delete_prefix(table.key(prefix)),
                Op::Delete { table, key } => raw.delete(table.key(key)),
                Op::Put { table, scope, key, value } => {
                    if !scope.admits(key) {
                        return Err(StoreError::Misplaced { table });
                    }
                    let number = match chosen.get(&scope) {
                        Some(number) => *number,
                        None => sealing.choose(scope, &mut raw)?,
                    };
                    chosen.insert(scope, number);
                    let stored_key = table.key(key);
                    let sealed = sealed::seal(number, sealing.key(number)?, &stored_key, value)?;
                    raw.put(stored_key, sealed);
                }
            }
        }
        let Sealing { doomed, .. } = sealing;
        ring.write_new()?;
        if !doomed.is_empty() {
            let all = [ring.doomed(), doomed.clone()].concat();
            raw.put(DOOMED, all.into_iter().flat_map(u32::to_be_bytes).collect::<Vec<u8>>());
        }
        Ok((raw, doomed))
    }

    /// Opens a row; nothing if its key was destroyed. A row that was sealed again since it was read is read again.
    fn open_row(&self, table: Table, stored_key: &[u8], mut value: Vec<u8>) -> Result<Option<Vec<u8>>, ReadError> {
        loop {
            if let Some(opened) = sealed::open(&self.ring(), table, stored_key, &value)? {
                return Ok(Some(opened));
            }
            match self.db.get(stored_key)? {
                Some(now) if now != value => value = now,
                _ => return Ok(None),
            }
        }
    }
}

/// The choice of data keys for one batch.
struct Sealing<'a> {
    db: &'a Db,
    ring: &'a mut Keyring,
    batch: &'a Batch,
    now: Timestamp,
    doomed: Vec<u32>,
}

impl Sealing<'_> {
    fn key(&self, number: u32) -> Result<&super::keyring::DataKey, StoreError> {
        self.ring.get(number)?.ok_or(StoreError::RingDamaged)
    }

    /// The number of the key for new values of a scope. A group's new day seals its remaining rows again.
    fn choose(&mut self, scope: Scope, raw: &mut RawBatch) -> Result<u32, StoreError> {
        let period = period(scope, self.now);
        let latest = self.ring.latest(scope).map(|(number, key)| (number, key.period));
        match latest.filter(|(number, _)| !self.doomed.contains(number)) {
            Some((number, made)) if made == period => Ok(number),
            before => {
                let old = self.ring.numbers(scope);
                let number = self.ring.add(scope, period)?;
                if let (Scope::Group(group), Some(_)) = (scope, before) {
                    self.renew(group, &old, number, raw)?;
                    self.doomed.extend(old);
                }
                Ok(number)
            }
        }
    }

    /// Seals the rows of a group again that the batch leaves alone.
    fn renew(&self, group: GroupId, old: &[u32], number: u32, raw: &mut RawBatch) -> Result<(), StoreError> {
        for table in Table::ALL {
            let mut range = Range::first(PAGE_ROWS);
            loop {
                let page = self.db.scan(&table.key(group.as_bytes()), range)?;
                let Some(last) = page.last() else { break };
                range = Range::first(PAGE_ROWS).beyond(last.key.clone());
                for Row { key, value } in page {
                    let plain_key = key.get(1..).unwrap_or_default();
                    let changed = self.batch.rows.contains_key(&(table, plain_key.to_vec()));
                    if changed
                        || self.batch.clears(table, plain_key)
                        || !old.contains(&sealed::key_number(table, &value)?)
                    {
                        continue;
                    }
                    if let Some(value) = sealed::open(self.ring, table, &key, &value)?.map(zeroize::Zeroizing::new) {
                        let sealed = sealed::seal(number, self.key(number)?, &key, &value)?;
                        raw.put(key, sealed);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The week of a conversation's key, the day of a group's.
fn period(scope: Scope, now: Timestamp) -> u32 {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let days = now.0 / DAY_MS;
    let period = match scope {
        Scope::Account => 0,
        // ISO 8601 weeks begin on Monday; the epoch was a Thursday.
        Scope::Conversation(_) => days.saturating_add(3) / 7,
        Scope::Group(_) => days,
    };
    u32::try_from(period).unwrap_or(u32::MAX)
}

fn decode_numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|number| u32::from_be_bytes(*number)).collect()
}

impl Read for Store {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.with(|open| open.get(table, key))
    }

    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError> {
        self.with(|open| open.scan(table, prefix, range))
    }

    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError> {
        self.with(|open| open.scope(table, key))
    }
}

impl Read for Open {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let stored_key = table.key(key);
        match self.db.get(&stored_key)? {
            Some(value) => self.open_row(table, &stored_key, value),
            None => Ok(None),
        }
    }

    fn scan(&self, table: Table, prefix: &[u8], range: Range) -> Result<Vec<Row>, ReadError> {
        let stored_prefix = table.key(prefix);
        let Range { mut after, backwards, limit } = range.within(table);
        let mut found = Vec::new();
        loop {
            let wanted = limit.saturating_sub(found.len()).min(PAGE_ROWS);
            if wanted == 0 {
                return Ok(found);
            }
            let page = self.db.scan(&stored_prefix, Range { after, backwards, limit: wanted })?;
            let ended = page.len() < wanted;
            after = page.last().map(|row| row.key.clone());
            for Row { key, value } in page {
                if let Some(value) = self.open_row(table, &key, value)? {
                    found.push(Row { key: key.get(1..).unwrap_or_default().to_vec(), value });
                }
            }
            if ended {
                return Ok(found);
            }
        }
    }

    fn scope(&self, table: Table, key: &[u8]) -> Result<Option<Scope>, ReadError> {
        let Some(value) = self.db.get(&table.key(key))? else { return Ok(None) };
        let number = sealed::key_number(table, &value)?;
        Ok(self.ring().get(number)?.map(|key| key.scope))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").field("dir", &self.dir()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ConversationId;

    #[test]
    fn a_conversations_week_begins_on_monday() {
        let week = |day: u64| {
            let now = Timestamp(day * 24 * 60 * 60 * 1000);
            period(Scope::Conversation(ConversationId::new([0; 32])), now)
        };
        // 1970-01-04 was a Sunday, 1970-01-05 a Monday.
        assert_eq!(week(3), week(0));
        assert_eq!(week(4), week(3) + 1);
        assert_eq!(week(10), week(4));
    }
}
