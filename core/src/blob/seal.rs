//! A file as sealed chunks, and back.
//!
//! Each chunk is sealed by ChaCha20-Poly1305 (RFC 8439) under the attachment's own key, with its number as nonce and its number
//! and whether it is the last as additional data: a chunk at another place, or a file that was cut short, does not open. The key is
//! random and used for one attachment, so that no nonce is used twice.

use std::io::{self, Read, Seek, SeekFrom, Write};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::types::Token;
use crate::wire::blob::{Attachment, CHUNK, Layout, MAX_FILE, SEAL, chunk_hash};
use crate::wire::codec::hash;

/// Why something is not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is larger than an attachment may be.
    #[error("the file is larger than {} GiB, which is the most that can be sent", MAX_FILE >> 30)]
    TooLarge,
    /// A chunk does not open: another key, another place, or altered.
    #[error("the attachment is damaged")]
    Damaged,
}

impl From<SealError> for io::Error {
    fn from(error: SealError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Seals and opens chunks under one attachment's key.
struct Cipher {
    key: LessSafeKey,
}

impl Cipher {
    fn new(key: &Token) -> Result<Self, SealError> {
        // Names and capabilities are made of the same secret: what seals is made of it by another label.
        let bytes = hash("kith/blob/seal/1", &[key.as_ref()]);
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes.as_ref()).map_err(|_| SealError::Damaged)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    fn seal(&self, index: u32, last: bool, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        self.key
            .seal_in_place_append_tag(nonce(index), Aad::from(bound(index, last)), chunk)
            .map_err(|_| SealError::Damaged)
    }

    fn open(&self, index: u32, last: bool, chunk: &mut Vec<u8>) -> Result<(), SealError> {
        let opened = self.key.open_in_place(nonce(index), Aad::from(bound(index, last)), chunk);
        let length = opened.map_err(|_| SealError::Damaged)?.len();
        chunk.truncate(length);
        Ok(())
    }
}

fn nonce(index: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (to, from) in bytes.iter_mut().rev().zip(index.to_be_bytes().iter().rev()) {
        *to = *from;
    }
    Nonce::assume_unique_for_key(bytes)
}

fn bound(index: u32, last: bool) -> [u8; 5] {
    let [a, b, c, d] = index.to_be_bytes();
    [a, b, c, d, u8::from(last)]
}

/// Takes a file in as it comes, and gives its sealed chunks one after the other: a chunk is in memory. How long it is need not be known
/// before.
pub struct Sealing<E> {
    emit: E,
    cipher: Cipher,
    chunk: Vec<u8>,
    index: u32,
    size: u64,
}

impl<E: FnMut(Vec<u8>) -> io::Result<Vec<u8>>> Sealing<E> {
    /// Begins; `key` is random and was never used. `emit` takes each sealed chunk, and gives back a buffer that is no longer needed, or a
    /// new one.
    ///
    /// # Errors
    /// Never in fact: the key has the length that the cipher wants.
    pub fn new(key: &Token, emit: E) -> Result<Self, SealError> {
        Ok(Self { emit, cipher: Cipher::new(key)?, chunk: chunk_buffer(), index: 0, size: 0 })
    }

    /// Pads the rest and seals it. Gives the bytes of the file.
    ///
    /// # Errors
    /// If it is too large, or `emit` fails.
    pub fn finish(mut self) -> io::Result<u64> {
        let size = self.size;
        let mut padding = Layout::of(size).padded.saturating_sub(size);
        let zeros = [0_u8; 4096];
        while padding > 0 {
            let part = usize::try_from(padding).unwrap_or(usize::MAX).min(zeros.len());
            self.take(zeros.get(..part).unwrap_or_default())?;
            padding = padding.saturating_sub(part as u64);
        }
        self.emit(true)?;
        Ok(size)
    }

    /// A full chunk is sealed when more follows it: the last is sealed as such.
    fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.chunk.len() == CHUNK {
                self.emit(false)?;
            }
            let room = CHUNK.saturating_sub(self.chunk.len()).min(bytes.len());
            let (part, rest) = bytes.split_at(room);
            self.chunk.extend_from_slice(part);
            bytes = rest;
        }
        Ok(())
    }

    fn emit(&mut self, last: bool) -> io::Result<()> {
        self.cipher.seal(self.index, last, &mut self.chunk)?;
        self.chunk = (self.emit)(std::mem::take(&mut self.chunk))?;
        self.chunk.clear();
        self.index = self.index.saturating_add(1);
        Ok(())
    }
}

impl<E: FnMut(Vec<u8>) -> io::Result<Vec<u8>>> Write for Sealing<E> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > MAX_FILE {
            return Err(SealError::TooLarge.into());
        }
        self.take(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A buffer with room for a sealed chunk.
pub(super) fn chunk_buffer() -> Vec<u8> {
    Vec::with_capacity(CHUNK.saturating_add(SEAL))
}

/// Writes sealed chunks one after the other, and keeps their hashes.
pub(super) struct Listing<W> {
    pub(super) out: W,
    pub(super) list: Vec<u8>,
}

impl<W: Write> Listing<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, list: Vec::new() }
    }

    pub(super) fn add(&mut self, sealed: &[u8]) -> io::Result<()> {
        self.list.extend_from_slice(chunk_hash(sealed).as_ref());
        self.out.write_all(sealed)
    }
}

/// Reads a file out of its sealed chunks, from any place: a chunk is in memory.
pub struct Reader<R> {
    sealed: R,
    cipher: Cipher,
    layout: Layout,
    at: u64,
    chunk: Vec<u8>,
    /// Which chunk that is.
    opened: Option<u32>,
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reader").field("size", &self.layout.size).finish_non_exhaustive()
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the attachment out of all its sealed chunks.
    ///
    /// # Errors
    /// Never in fact: the key has the length that the cipher wants.
    pub fn new(attachment: &Attachment, sealed: R) -> Result<Self, SealError> {
        let cipher = Cipher::new(&attachment.key)?;
        Ok(Self { sealed, cipher, layout: attachment.layout(), at: 0, chunk: Vec::new(), opened: None })
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.layout.size
    }

    fn open(&mut self, index: u32) -> io::Result<()> {
        if self.opened == Some(index) {
            return Ok(());
        }
        self.opened = None;
        self.sealed.seek(SeekFrom::Start(self.layout.offset(index)))?;
        self.chunk.resize(self.layout.sealed(index), 0);
        self.sealed.read_exact(&mut self.chunk)?;
        let last = index.saturating_add(1) == self.layout.chunks();
        self.cipher.open(index, last, &mut self.chunk)?;
        self.opened = Some(index);
        Ok(())
    }
}

impl<R: Read + Seek> Read for Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.layout.size.saturating_sub(self.at);
        if left == 0 || into.is_empty() {
            return Ok(0);
        }
        let index = u32::try_from(self.at / CHUNK as u64).map_err(io::Error::other)?;
        self.open(index)?;
        let within = usize::try_from(self.at % CHUNK as u64).map_err(io::Error::other)?;
        let there = self.chunk.get(within..).unwrap_or_default();
        let count = there.len().min(into.len()).min(usize::try_from(left).unwrap_or(usize::MAX));
        for (to, from) in into.iter_mut().zip(there.iter().take(count)) {
            *to = *from;
        }
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

impl<R> Seek for Reader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.layout.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::wire::blob::{is_listed, list_hash};

    fn sealed(bytes: &[u8], key: u8) -> (Attachment, Vec<u8>, Vec<u8>) {
        sealed_as_it_comes([bytes], key)
    }

    fn sealed_as_it_comes<'a>(parts: impl IntoIterator<Item = &'a [u8]>, key: u8) -> (Attachment, Vec<u8>, Vec<u8>) {
        let (key, mut listing) = (Token::new([key; 32]), Listing::new(Vec::new()));
        let mut sealing = Sealing::new(&key, |chunk: Vec<u8>| listing.add(&chunk).map(|()| chunk)).unwrap();
        parts.into_iter().for_each(|part| sealing.write_all(part).unwrap());
        let size = sealing.finish().unwrap();
        let Listing { out, list } = listing;
        (Attachment { id: list_hash(&list), key, size }, list, out)
    }

    fn opened(attachment: &Attachment, chunks: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Reader::new(attachment, Cursor::new(chunks)).unwrap().read_to_end(&mut out)?;
        Ok(out)
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn a_file_survives_and_its_size_is_padded() {
        for length in [0, 1, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17] {
            let bytes = pattern(length);
            let (attachment, list, chunks) = sealed(&bytes, 1);
            let layout = attachment.layout();
            assert_eq!(attachment.size, length as u64);
            assert_eq!(chunks.len() as u64, layout.sealed_bytes());
            assert_eq!(list.len(), layout.chunks() as usize * 32);
            assert_eq!(attachment.id, list_hash(&list));
            for index in 0..layout.chunks() {
                let start = layout.offset(index) as usize;
                assert!(is_listed(&list, index, &chunks[start..start + layout.sealed(index)]));
            }
            assert_eq!(opened(&attachment, chunks).unwrap(), bytes);
        }
    }

    #[test]
    fn the_id_says_nothing_of_the_file() {
        let bytes = pattern(5000);
        assert_ne!(sealed(&bytes, 1).0.id, sealed(&bytes, 2).0.id);
    }

    #[test]
    fn chunks_that_were_moved_cut_or_altered_do_not_open() {
        let (attachment, _, chunks) = sealed(&pattern(3 * CHUNK), 1);
        let step = CHUNK + SEAL;
        let mut swapped = chunks.clone();
        swapped[..step].copy_from_slice(&chunks[step..2 * step]);
        swapped[step..2 * step].copy_from_slice(&chunks[..step]);
        assert!(opened(&attachment, swapped).is_err());
        // Somebody says that it is shorter: the chunk that would then be the last was not sealed as such.
        let shorter = Attachment { size: Layout::of(2 * CHUNK as u64).padded, ..attachment.clone() };
        assert!(opened(&shorter, chunks.clone()).is_err());
        let mut altered = chunks.clone();
        altered[step + 9] ^= 1;
        assert!(opened(&attachment, altered).is_err());
        assert!(opened(&Attachment { key: Token::new([9; 32]), ..attachment }, chunks).is_err());
    }

    #[test]
    fn a_place_is_read_without_what_lies_before_it() {
        let bytes = pattern(2 * CHUNK + 100);
        let (attachment, _, mut chunks) = sealed(&bytes, 3);
        chunks[..CHUNK].fill(0);
        let mut reader = Reader::new(&attachment, Cursor::new(chunks)).unwrap();
        reader.seek(SeekFrom::End(-150)).unwrap();
        let mut end = Vec::new();
        reader.read_to_end(&mut end).unwrap();
        assert_eq!(end, bytes[bytes.len() - 150..]);
        assert!(reader.seek(SeekFrom::Current(-(bytes.len() as i64) - 1)).is_err());
        reader.seek(SeekFrom::Start(0)).unwrap();
        assert!(reader.read(&mut [0; 8]).is_err(), "the first chunk was destroyed");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn however_a_file_comes_its_chunks_are_the_same(cuts in prop::collection::vec(1_usize..200_000, 1..6)) {
            let bytes = pattern(cuts.iter().sum());
            let mut rest = bytes.as_slice();
            let parts = cuts.iter().map(|cut| {
                let (part, after) = rest.split_at(*cut);
                rest = after;
                part
            });
            prop_assert_eq!(sealed_as_it_comes(parts, 5), sealed(&bytes, 5));
        }
    }
}
