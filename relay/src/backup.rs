//! One file with all that makes a relay: its keys and every row. Written from a running store as well.
//!
//! Layout: a line that says what it is; frames of `u32` length and CBOR body (`Frame`); the SHA-256 of all before it. The file holds
//! the relay's secrets: only its owner may read it.
//!
//! Invariants: nothing of a file is used before its sum was checked; a restored store begins a new life
//! ([`crate::domain::operator::new_life`]); wherever a restore is cut short, there is the old relay or the new one, whole.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use kith_core::store::guarded::RawBatch;
use kith_core::store::{StoreError, create_private};
use kith_core::types::Rng;
use kith_core::wire::codec::Body;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::data_dir::{self, DataError, Rename};
use crate::domain::operator::new_life;
use crate::keys::{self, KeyError, Secrets};
use crate::store::Store;

/// The first line; its number is the format's.
const MAGIC: &[u8] = b"kith-relay-backup 1\n";

/// The largest frame: a row of the largest size and its key.
const MAX_FRAME: usize = 20 << 20;

/// Bytes of a copy that may be on their way to the disk: at the end of the relay nobody may have to wait for more of them.
const SYNC_BYTES: u64 = 16 << 20;

/// Bytes of rows that are restored in one batch.
const BATCH_BYTES: usize = 128 << 10;

/// A part of a backup.
#[derive(Serialize, Deserialize)]
enum Frame {
    /// The key file.
    #[serde(rename = "k")]
    Keys(ByteBuf),
    /// A row, or that there is none any more.
    #[serde(rename = "r")]
    Row(ByteBuf, Option<ByteBuf>),
    /// The end, and how many rows came before.
    #[serde(rename = "e")]
    End(u64),
}

impl Body for Frame {
    const MAX_BYTES: usize = MAX_FRAME;
}

/// Why a copy cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file exists.
    #[error("{0} exists: name another file")]
    Exists(PathBuf),
    /// It is no backup, or not whole.
    #[error("{0} is not a whole backup of a relay")]
    Damaged(PathBuf),
    /// There is a relay already.
    #[error("{0} holds a relay already: use --force to set it aside and restore over it")]
    Occupied(PathBuf),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The relay ends before the copy is whole.
    #[error("the relay is shutting down")]
    Stopping,
    /// The operating system refused.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// So many rows.
    pub rows: u64,
    /// In a file of so many bytes.
    pub bytes: u64,
}

/// Copies a store and keys into a new file, while the store is in use, until it is done or told to stop.
///
/// # Errors
/// [`BackupError`]; there is no file then.
pub fn write(store: &Store, keys: &[u8], to: &Path, stopping: &CancellationToken) -> Result<Copied, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.into()));
    }
    let temporary = to.with_extension("part");
    let written = write_file(store, keys, &temporary, stopping).and_then(|copied| {
        std::fs::rename(&temporary, to).map_err(|error| io_error(to, error))?;
        Ok(copied)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    if stopping.is_cancelled() { written.map_err(|_| BackupError::Stopping) } else { written }
}

fn write_file(store: &Store, keys: &[u8], path: &Path, stopping: &CancellationToken) -> Result<Copied, BackupError> {
    let file = create_private(path).map_err(|error| io_error(path, error))?;
    let writer = std::cell::RefCell::new(Writer {
        file: BufWriter::new(file),
        sum: Context::new(&SHA256),
        bytes: 0,
        synced: 0,
        rows: 0,
        stopping,
    });
    let failed = |error: io::Error| StoreError::from(error);
    writer.borrow_mut().raw(MAGIC).map_err(|error| io_error(path, error))?;
    writer.borrow_mut().frame(&Frame::Keys(keys.to_vec().into())).map_err(|error| io_error(path, error))?;
    store.db().copy(
        |page| {
            let mut writer = writer.borrow_mut();
            page.into_iter().try_for_each(|row| writer.row(row.key, Some(row.value))).map_err(failed)
        },
        |changes| {
            let mut writer = writer.borrow_mut();
            let mut rows = changes.rows();
            rows.try_for_each(|(key, value)| writer.row(key.to_vec(), value.map(<[u8]>::to_vec))).map_err(failed)
        },
    )?;
    writer.into_inner().finish().map_err(|error| io_error(path, error))
}

struct Writer<'a> {
    file: BufWriter<File>,
    sum: Context,
    bytes: u64,
    /// Of them so many were made durable.
    synced: u64,
    rows: u64,
    stopping: &'a CancellationToken,
}

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        self.file.write_all(bytes)?;
        if self.bytes.saturating_sub(self.synced) >= SYNC_BYTES {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.synced = self.bytes;
        }
        Ok(())
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let body = frame.encode();
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        self.raw(&length.to_be_bytes())?;
        self.raw(&body)
    }

    fn row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> io::Result<()> {
        if self.stopping.is_cancelled() {
            return Err(io::Error::other("stopping"));
        }
        self.rows = self.rows.saturating_add(1);
        self.frame(&Frame::Row(key.into(), value.map(ByteBuf::from)))
    }

    fn finish(mut self) -> io::Result<Copied> {
        self.frame(&Frame::End(self.rows))?;
        let sum = self.sum.clone().finish();
        self.file.write_all(sum.as_ref())?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Copied { rows: self.rows, bytes: self.bytes.saturating_add(SHA256_OUTPUT_LEN as u64) })
    }
}

/// Makes a relay of a backup. With `force` one that is there is set aside, not deleted.
///
/// # Errors
/// [`BackupError`]; a relay that was there is there still, unless it is [`BackupError::Data`]: the next command or start then
/// finishes the restore.
pub fn restore(config: &Config, from: &Path, force: bool, rng: &mut Rng) -> Result<Copied, BackupError> {
    restore_by(config, from, force, rng, &mut |from, to| std::fs::rename(from, to))
}

/// Everything is prepared beside the old relay; one renaming then decides, and [`data_dir`] does the rest, if need be at the
/// next start.
fn restore_by(
    config: &Config,
    from: &Path,
    force: bool,
    rng: &mut Rng,
    rename: Rename<'_>,
) -> Result<Copied, BackupError> {
    let bytes = check_sum(from)?;
    data_dir::finish_restore_by(config, rename)?;
    let store_dir = config.store_dir();
    if (store_dir.exists() || config.data_dir.join(keys::FILE).exists()) && !force {
        return Err(BackupError::Occupied(config.data_dir.clone()));
    }
    refuse_open(&store_dir)?;
    let preparing = config.data_dir.join("restoring");
    remove_dir(&preparing)?;
    let (rows, secrets) = fill(&data_dir::store_in(&preparing), from, rng)?;
    keys::write(&preparing.join(keys::FILE), &secrets.encode())?;
    // Filling takes its time, in which a relay may have been started.
    refuse_open(&store_dir)?;
    let prepared = data_dir::restored(config);
    rename(&preparing, &prepared).map_err(|error| io_error(&prepared, error))?;
    data_dir::finish_restore_by(config, rename)?;
    Ok(Copied { rows, bytes })
}

/// A store that a running relay has open stays where it is.
fn refuse_open(dir: &Path) -> Result<(), BackupError> {
    if !Store::exists(dir) {
        return Ok(());
    }
    match Store::open(dir) {
        Err(error @ StoreError::AlreadyOpen { .. }) => Err(error.into()),
        // A damaged one may be what the restore is for.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn fill(dir: &Path, from: &Path, rng: &mut Rng) -> Result<(u64, Secrets), BackupError> {
    let damaged = || BackupError::Damaged(from.into());
    std::fs::create_dir_all(dir).map_err(|error| io_error(dir, error))?;
    let (store, _) = Store::open(dir)?;
    let mut reader = open(from)?;
    let mut secrets = None;
    let mut batch = RawBatch::new();
    let mut rows = 0_u64;
    loop {
        match read_frame(&mut reader).ok_or_else(damaged)? {
            Frame::Keys(bytes) => secrets = Secrets::decode(&bytes),
            Frame::Row(key, value) => {
                rows = rows.saturating_add(1);
                match value {
                    Some(value) => batch.put(key.into_vec(), value.into_vec()),
                    None => batch.delete(key.into_vec()),
                }
            }
            Frame::End(count) if count == rows => break,
            Frame::End(_) => return Err(damaged()),
        }
        if batch.size_bytes() > BATCH_BYTES {
            store.db().commit(std::mem::take(&mut batch))?;
        }
    }
    store.db().commit(batch)?;
    let life = new_life(&store, rng).map_err(|error| StoreError::Io(error.to_string()))?;
    store.commit(life)?;
    Ok((rows, secrets.ok_or_else(damaged)?))
}

fn open(path: &Path) -> Result<BufReader<File>, BackupError> {
    let mut reader = BufReader::new(File::open(path).map_err(|error| io_error(path, error))?);
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic).map_err(|_| BackupError::Damaged(path.into()))?;
    if magic == MAGIC { Ok(reader) } else { Err(BackupError::Damaged(path.into())) }
}

fn read_frame(reader: &mut impl Read) -> Option<Frame> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok().filter(|length| *length <= MAX_FRAME)?;
    let mut body = Vec::new();
    reader.take(length as u64).read_to_end(&mut body).ok()?;
    Frame::decode(&body).ok()
}

/// The bytes of a file whose sum is right.
fn check_sum(path: &Path) -> Result<u64, BackupError> {
    let damaged = || BackupError::Damaged(path.into());
    let file = File::open(path).map_err(|error| io_error(path, error))?;
    let bytes = file.metadata().map_err(|error| io_error(path, error))?.len();
    let content = bytes.checked_sub(SHA256_OUTPUT_LEN as u64).ok_or_else(damaged)?;
    let mut reader = BufReader::new(file);
    let mut sum = Context::new(&SHA256);
    let mut left = content;
    let mut page = vec![0; 64 << 10];
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(page.len());
        let part = page.get_mut(..wanted).ok_or_else(damaged)?;
        reader.read_exact(part).map_err(|error| io_error(path, error))?;
        sum.update(part);
        left = left.saturating_sub(wanted as u64);
    }
    let mut expected = Vec::new();
    reader.read_to_end(&mut expected).map_err(|error| io_error(path, error))?;
    if sum.finish().as_ref() == expected.as_slice() { Ok(bytes) } else { Err(damaged()) }
}

fn remove_dir(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn io_error(path: &Path, error: io::Error) -> BackupError {
    BackupError::Io { path: path.into(), error }
}

#[cfg(test)]
mod tests {
    use kith_core::types::Timestamp;
    use rand_core::SeedableRng;

    use super::*;
    use crate::domain::RelayRead;
    use crate::domain::operator::invite;

    fn config(dir: &Path) -> Config {
        Config::embedded(dir.to_path_buf())
    }

    /// What a relay consists of: its keys, and the keys of its rows.
    type Relay = (Vec<u8>, Vec<Vec<u8>>);

    /// The relay of a directory, made if there is none, with an invitation by which it is known.
    fn made(dir: &Path, rng: &mut Rng) -> Relay {
        let (store, _) = data_dir::open(&config(dir), rng).unwrap();
        store.commit(invite(&store, Timestamp(1), rng).0).unwrap();
        drop(store);
        found(dir, rng)
    }

    fn found(dir: &Path, rng: &mut Rng) -> Relay {
        let (store, secrets) = data_dir::open(&config(dir), rng).unwrap();
        let life = crate::domain::rows::Table::Life.key(&[]);
        let rows = store.scan(&[], None, 1000).unwrap().into_iter().map(|(key, _)| key);
        (secrets.encode().to_vec(), rows.filter(|key| *key != life).collect())
    }

    fn backup_of(dir: &Path, rng: &mut Rng) -> PathBuf {
        let (store, secrets) = data_dir::open(&config(dir), rng).unwrap();
        let file = dir.join("copy.kith");
        write(&store, &secrets.encode(), &file, &CancellationToken::new()).unwrap();
        file
    }

    #[test]
    fn a_restore_cut_short_anywhere_leaves_the_old_relay_or_the_new_one() {
        let mut rng = Rng::seed_from_u64(1);
        let source = tempfile::tempdir().unwrap();
        let new = made(source.path(), &mut rng);
        let file = backup_of(source.path(), &mut rng);
        let mut news = 0;
        for whole in 0_u32.. {
            let dir = tempfile::tempdir().unwrap();
            let old = made(dir.path(), &mut rng);
            let mut left = whole;
            let mut crash = |from: &Path, to: &Path| match left.checked_sub(1) {
                Some(rest) => {
                    left = rest;
                    std::fs::rename(from, to)
                }
                None => Err(io::Error::other("the power went out")),
            };
            let restored = restore_by(&config(dir.path()), &file, true, &mut rng, &mut crash);
            let there = found(dir.path(), &mut rng);
            assert!(there == old || there == new, "after {whole} renamings: neither the old nor the new relay");
            assert_eq!(there == new, whole > 0, "the first renaming decides");
            assert!(!data_dir::restored(&config(dir.path())).exists());
            news += u32::from(there == new);
            if restored.is_ok() {
                break;
            }
        }
        assert_eq!(news, 5, "to decide, to set two aside, to move two in");
    }

    #[test]
    fn a_restore_where_the_store_had_gone_is_no_first_run_later() {
        let mut rng = Rng::seed_from_u64(1);
        let (source, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let new = made(source.path(), &mut rng);
        let file = backup_of(source.path(), &mut rng);
        restore(&config(dir.path()), &file, false, &mut rng).unwrap();
        std::fs::remove_dir_all(dir.path().join("store")).unwrap();
        assert!(matches!(data_dir::open(&config(dir.path()), &mut rng), Err(DataError::Gone { .. })));
        restore(&config(dir.path()), &file, true, &mut rng).unwrap();
        assert_eq!(found(dir.path(), &mut rng), new);
    }

    #[test]
    fn a_copy_is_given_up_when_the_relay_stops() {
        let mut rng = Rng::seed_from_u64(1);
        let dir = tempfile::tempdir().unwrap();
        let (store, secrets) = data_dir::open(&config(dir.path()), &mut rng).unwrap();
        store.commit(invite(&store, Timestamp(1), &mut rng).0).unwrap();
        let stopping = CancellationToken::new();
        stopping.cancel();
        let to = dir.path().join("copy.kith");
        let written = write(&store, &secrets.encode(), &to, &stopping);
        assert!(matches!(written, Err(BackupError::Stopping)), "{written:?}");
        assert!(!to.exists() && !to.with_extension("part").exists());
    }
}
