//! Files that grow by sealed blocks, and of which every whole block can be read after a crash.
//!
//! For what is too large for a row and must not wait until it is complete: a recording while it is made. The key is one of the store's
//! ring, so that such a file is erased with the profile.
//!
//! # Layout
//!
//! `kith-file` ‖ format (u8) ‖ id (16 random bytes), then blocks: length (u32, big endian) ‖ sealed value as in `sealed`, bound to
//! `file/` ‖ id ‖ number of the block (u64, big endian). A block cannot be moved, left out or taken from another file.
//!
//! # Invariants
//!
//! - What [`SealedFile::append`] has returned for is on the disk.
//! - Reading stops before the first block that is not whole or not the one that was written; what comes before it counts.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::keyring::random;
use super::{ReadError, Store, StoreError, Table, file};

const MAGIC: &[u8] = b"kith-file";
const FORMAT: u8 = 1;
const ID_BYTES: usize = 16;

/// The largest block, before it is sealed.
pub const MAX_BLOCK: usize = 1 << 20;

/// A file that is being written.
#[derive(Debug)]
pub struct SealedFile {
    store: Store,
    file: File,
    id: [u8; ID_BYTES],
    key: u32,
    blocks: u64,
}

impl SealedFile {
    /// Adds a block; it is durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] beyond [`MAX_BLOCK`]; if the disk refuses, then the file ends before this block.
    pub fn append(&mut self, block: &[u8]) -> Result<(), StoreError> {
        if block.len() > MAX_BLOCK {
            return Err(StoreError::TooLarge { bytes: block.len() });
        }
        let sealed = self.store.seal_with(self.key, &bound(&self.id, self.blocks), block)?;
        let mut whole = u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        whole.extend(sealed);
        let end = self.file.metadata()?.len();
        if let Err(error) = self.file.write_all(&whole).and_then(|()| self.file.sync_data()) {
            // Half a block would end the file for whatever is added when there is room again.
            let _ = self.file.set_len(end);
            return Err(error.into());
        }
        self.blocks += 1;
        Ok(())
    }
}

impl Store {
    /// Begins a file; its name is durable when this returns.
    ///
    /// # Errors
    /// If the disk refuses, or the store is closed.
    pub fn create_sealed_file(&self, path: &Path) -> Result<SealedFile, StoreError> {
        let mut id = [0; ID_BYTES];
        random(&mut id)?;
        let key = self.account_key()?;
        let mut file = file::create_private(path)?;
        let mut header = MAGIC.to_vec();
        header.push(FORMAT);
        header.extend(id);
        file.write_all(&header)?;
        file.sync_all()?;
        file::sync_parent(path)?;
        // It is only added to: where the end was cut off after a failure, the next block has to come there.
        let file = std::fs::OpenOptions::new().append(true).open(path)?;
        Ok(SealedFile { store: self.clone(), file, id, key, blocks: 0 })
    }

    /// The blocks of a file that can be read, in order, of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::FromTheFuture`]; [`ReadError::Damaged`] if it is no such file; if the disk refuses.
    pub fn read_sealed_file(&self, path: &Path, limit: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let damaged = || StoreError::from(ReadError::Damaged { table: Table::Meta });
        let bytes = file::read(path, limit)?.ok_or_else(damaged)?;
        let (format, rest) = bytes.strip_prefix(MAGIC).and_then(<[u8]>::split_first).ok_or_else(damaged)?;
        if *format != FORMAT {
            return Err(ReadError::FromTheFuture { format: *format }.into());
        }
        let (id, mut rest) = rest.split_first_chunk::<ID_BYTES>().ok_or_else(damaged)?;
        let mut blocks = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            let Some((block, after)) = after.split_at_checked(length) else { break };
            match self.open_with(&bound(id, blocks.len() as u64), block) {
                Ok(Some(block)) => blocks.push(block),
                Ok(None) | Err(StoreError::Read(ReadError::Damaged { .. })) => break,
                Err(error) => return Err(error),
            }
            rest = after;
        }
        Ok(blocks)
    }
}

/// What a block is bound to.
fn bound(id: &[u8; ID_BYTES], number: u64) -> Vec<u8> {
    [b"file/".as_slice(), id, &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::{Options, RingKey};
    use super::*;

    fn store(dir: &Path) -> Store {
        Store::open(dir, &RingKey::Raw(Zeroizing::new([7; 32])), &Options::default()).unwrap().0
    }

    #[test]
    fn every_whole_block_is_read_of_a_file_that_was_cut_anywhere() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir.path().join("store"));
        let path = dir.path().join("file.kith");
        let mut file = store.create_sealed_file(&path).unwrap();
        let mut ends = vec![std::fs::metadata(&path).unwrap().len()];
        for block in [b"one".as_slice(), b"", &[3; 5_000]] {
            file.append(block).unwrap();
            ends.push(std::fs::metadata(&path).unwrap().len());
        }
        let whole = std::fs::read(&path).unwrap();
        assert!(!whole.windows(3).any(|part| part == b"one"));
        assert_eq!(store.read_sealed_file(&path, 1 << 20).unwrap(), [b"one".to_vec(), vec![], vec![3; 5_000]]);
        for length in (26..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let expected = ends.iter().filter(|end| **end <= length as u64).count() - 1;
            assert_eq!(store.read_sealed_file(&path, 1 << 20).unwrap().len(), expected, "cut at {length}");
        }
        for at in (26..whole.len()).step_by(101) {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            std::fs::write(&path, &altered).unwrap();
            assert!(store.read_sealed_file(&path, 1 << 20).unwrap().len() < 3, "altered at {at}");
        }
    }

    #[test]
    fn blocks_of_another_file_do_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir.path().join("store"));
        let [one, other] = ["one", "other"].map(|name| dir.path().join(name));
        for path in [&one, &other] {
            store.create_sealed_file(path).unwrap().append(b"words").unwrap();
        }
        let (head, tail) = (std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
        std::fs::write(&one, [&head[..26], &tail[26..]].concat()).unwrap();
        assert!(store.read_sealed_file(&one, 1 << 20).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_such_file_or_of_a_newer_kith_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir.path().join("store"));
        let path = dir.path().join("file");
        assert!(store.read_sealed_file(&path, 100).is_err());
        for bytes in [b"".as_slice(), b"kith-fil", b"kith-file", b"kith-file\x01short"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(store.read_sealed_file(&path, 100).is_err());
        }
        std::fs::write(&path, b"kith-file\x020123456789abcdef").unwrap();
        let refused = Err(StoreError::Read(ReadError::FromTheFuture { format: 2 }));
        assert_eq!(store.read_sealed_file(&path, 100), refused);
    }
}
