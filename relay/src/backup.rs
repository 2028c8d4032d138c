//! One file with all that makes a relay: its keys and every row. Written from a running store as well.
//!
//! Layout: a line that says what it is; frames of `u32` length and CBOR body (`Frame`); the SHA-256 of all before it. The file holds
//! the relay's secrets: only its owner may read it.
//!
//! Invariant: nothing of a file is used before its sum was checked; a restored store begins a new life
//! ([`crate::domain::operator::new_life`]).

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use kith_core::store::StoreError;
use kith_core::store::guarded::RawBatch;
use kith_core::types::Rng;
use kith_core::wire::codec::Body;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::config::Config;
use crate::domain::operator::new_life;
use crate::keys::{self, KeyError, Secrets};
use crate::store::Store;

/// The first line; its number is the format's.
const MAGIC: &[u8] = b"kith-relay-backup 1\n";

/// The largest frame: a row of the largest size and its key.
const MAX_FRAME: usize = 20 << 20;

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

/// Copies a store and keys into a new file, while the store is in use.
///
/// # Errors
/// [`BackupError`]; there is no file then.
pub fn write(store: &Store, keys: &[u8], to: &Path) -> Result<Copied, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.into()));
    }
    let temporary = to.with_extension("part");
    let written = write_file(store, keys, &temporary).and_then(|copied| {
        std::fs::rename(&temporary, to).map_err(|error| io_error(to, error))?;
        Ok(copied)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn write_file(store: &Store, keys: &[u8], path: &Path) -> Result<Copied, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| io_error(path, error))?;
    let writer =
        std::cell::RefCell::new(Writer { file: BufWriter::new(file), sum: Context::new(&SHA256), bytes: 0, rows: 0 });
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

struct Writer {
    file: BufWriter<File>,
    sum: Context,
    bytes: u64,
    rows: u64,
}

impl Writer {
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        self.file.write_all(bytes)
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let body = frame.encode();
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        self.raw(&length.to_be_bytes())?;
        self.raw(&body)
    }

    fn row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> io::Result<()> {
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
/// [`BackupError`]; a relay that was there is there still.
pub fn restore(config: &Config, from: &Path, force: bool, rng: &mut Rng) -> Result<Copied, BackupError> {
    let bytes = check_sum(from)?;
    let (store_dir, keys_file) = (config.store_dir(), config.data_dir.join(keys::FILE));
    if (store_dir.exists() || keys_file.exists()) && !force {
        return Err(BackupError::Occupied(config.data_dir.clone()));
    }
    if store_dir.exists() {
        refuse_open(&store_dir)?;
    }
    let restoring = config.data_dir.join("restoring");
    remove_dir(&restoring)?;
    let (rows, secrets) = fill(&restoring, from, rng)?;
    set_aside(&store_dir)?;
    set_aside(&keys_file)?;
    keys::write(&keys_file, &secrets.encode())?;
    std::fs::rename(&restoring, &store_dir).map_err(|error| io_error(&store_dir, error))?;
    Ok(Copied { rows, bytes })
}

/// A store that a running relay has open stays where it is.
fn refuse_open(dir: &Path) -> Result<(), BackupError> {
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

/// Renames what is there, so that an operator can go back.
fn set_aside(path: &Path) -> Result<(), BackupError> {
    if !path.exists() {
        return Ok(());
    }
    let mut number = 1_u32;
    loop {
        let aside = path.with_extension(format!("before-restore-{number}"));
        if !aside.exists() {
            return std::fs::rename(path, &aside).map_err(|error| io_error(path, error));
        }
        number = number.saturating_add(1);
    }
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
