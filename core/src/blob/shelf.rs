//! Sealed chunks in files beside the store.
//!
//! `<id>` holds all chunks of an attachment, `<id>.list` their hashes; `<id>.part` what has come of one so far, each chunk at its
//! place; `<number>.new` one that is being made here. Ids are random for whoever lacks the keys, which are in the store.
//!
//! Invariants: `<id>` is there only when its list is and all of both is durable; whatever is cut short leaves a `.part`, whose chunks
//! are looked at again by their hashes, or a `.new`, which is thrown away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::seal::{Listing, Reader, Sealing, chunk_buffer};
use crate::store;
use crate::types::{Hash, Token};
use crate::wire::blob::{Attachment, CHUNK, CHUNK_ROOM, Held, Layout, MAX_CHUNKS, SEAL, is_listed, list_hash};

/// Why the shelf does not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    /// There is no room.
    #[error("the disk is full")]
    Full,
    /// It is too large to be sent.
    #[error(transparent)]
    Seal(#[from] super::seal::SealError),
    /// What is to be sent could not be read to its end.
    #[error("it could not be read: {0}")]
    Source(String),
    /// The list of chunks is not the attachment's, or a chunk not the list's.
    #[error("what came is not what was announced")]
    Mismatch,
    /// The disk does not do it.
    #[error("the disk does not take or give it: {0}")]
    Io(String),
}

impl From<io::Error> for ShelfError {
    fn from(error: io::Error) -> Self {
        let sealed = error.get_ref().and_then(|inner| inner.downcast_ref::<super::seal::SealError>());
        match sealed {
            Some(sealed) => Self::Seal(sealed.clone()),
            None if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Self::Full,
            None => Self::Io(error.to_string()),
        }
    }
}

impl From<store::StoreError> for ShelfError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Full => Self::Full,
            error => Self::Io(error.to_string()),
        }
    }
}

/// Sealed chunks that wait to be written.
const AHEAD: usize = 2;

/// The folder with them. What it does takes the time that the disk takes: it is not for a runtime's threads.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    next: AtomicU64,
}

impl Shelf {
    /// Opens the folder or makes it, and throws away what was being made when the last process ended.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn open(dir: &Path) -> Result<Self, ShelfError> {
        store::create_private_dir(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self { dir: dir.to_owned(), next: AtomicU64::new(0) })
    }

    /// Takes in what `write` writes, sealed under a fresh random key. It is durable when this returns; if it is cut short nothing is
    /// left of it.
    ///
    /// # Errors
    /// What `write` says, and if it is too large or the disk refuses.
    pub fn take_in(
        &self,
        key: Token,
        write: impl FnOnce(&mut dyn Write) -> Result<(), ShelfError>,
    ) -> Result<Attachment, ShelfError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = self.dir.join(format!("{number}.new"));
        let made = self.make(key, &temporary, write);
        if made.is_err() {
            // A half-written file takes room on a disk that has none.
            let _ = fs::remove_file(&temporary);
        }
        made
    }

    fn make(
        &self,
        key: Token,
        temporary: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<(), ShelfError>,
    ) -> Result<Attachment, ShelfError> {
        let (size, list) = seal_into(&key, store::create_private(temporary)?, write)?;
        let attachment = Attachment { id: list_hash(&list), key, size };
        store::write_private(&self.list_path(&attachment.id), &list)?;
        store::rename_durably(temporary, &self.path(&attachment.id))?;
        Ok(attachment)
    }

    /// Whether all of it is here.
    pub fn has(&self, id: &Hash) -> bool {
        self.path(id).is_file()
    }

    /// Reads it out of its chunks.
    ///
    /// # Errors
    /// If it is not here, or the disk refuses.
    pub fn reader(&self, attachment: &Attachment) -> Result<Reader<File>, ShelfError> {
        Ok(Reader::new(attachment, File::open(self.path(&attachment.id))?)?)
    }

    /// The hashes of its chunks, if they are here and those that its id names.
    pub fn list(&self, id: &Hash) -> Option<Vec<u8>> {
        let mut list = Vec::new();
        let limit = (MAX_CHUNKS * Hash::LEN) as u64;
        File::open(self.list_path(id)).ok()?.take(limit).read_to_end(&mut list).ok()?;
        (list_hash(&list) == *id).then_some(list)
    }

    /// A sealed chunk of one that is here, whole.
    ///
    /// # Errors
    /// If it is not here, or the disk refuses.
    pub fn chunk(&self, id: &Hash, layout: &Layout, index: u32) -> Result<Vec<u8>, ShelfError> {
        read_chunk(&mut File::open(self.path(id))?, layout, index)
    }

    /// What has come so far of one that is being fetched, and the place for the rest. With a list, which is kept, it begins; without
    /// one it goes on, if it was begun.
    ///
    /// # Errors
    /// If the list is another one's, or the disk refuses.
    pub fn part(&self, attachment: &Attachment, list: Option<&[u8]>) -> Result<Option<Part>, ShelfError> {
        let layout = attachment.layout();
        let list = match list {
            Some(list) => {
                let length = (layout.chunks() as usize).saturating_mul(Hash::LEN);
                if list_hash(list) != attachment.id || list.len() != length {
                    return Err(ShelfError::Mismatch);
                }
                store::write_private(&self.list_path(&attachment.id), list)?;
                list.to_vec()
            }
            None => match self.list(&attachment.id) {
                Some(list) => list,
                None => return Ok(None),
            },
        };
        let place = self.part_path(&attachment.id);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = store::private(&mut options).open(&place)?;
        let held = look(&mut file, &layout, &list)?;
        let judge = Judge { layout, list: list.into() };
        Ok(Some(Part { file, judge, held, place, whole: self.path(&attachment.id) }))
    }

    /// How many bytes have come of one that is being fetched, at most: without looking at them.
    pub fn part_bytes(&self, id: &Hash) -> u64 {
        fs::metadata(self.part_path(id)).map_or(0, |facts| facts.len())
    }

    /// Nothing of it is here any more.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn remove(&self, id: &Hash) -> Result<(), ShelfError> {
        for path in [self.path(id), self.part_path(id), self.list_path(id)] {
            remove(&path)?;
        }
        Ok(())
    }

    /// What has come so far of one that is being fetched goes.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn remove_part(&self, id: &Hash) -> Result<(), ShelfError> {
        if self.has(id) {
            return Ok(());
        }
        remove(&self.part_path(id))?;
        remove(&self.list_path(id))
    }

    /// The ids of all of which something is here.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn ids(&self) -> Result<Vec<Hash>, ShelfError> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let stem = Path::new(&name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            ids.extend(stem.parse::<Hash>());
        }
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    fn path(&self, id: &Hash) -> PathBuf {
        self.dir.join(id.to_string())
    }

    fn list_path(&self, id: &Hash) -> PathBuf {
        self.dir.join(format!("{id}.list"))
    }

    fn part_path(&self, id: &Hash) -> PathBuf {
        self.dir.join(format!("{id}.part"))
    }
}

/// An attachment that is being fetched.
#[derive(Debug)]
pub struct Part {
    file: File,
    judge: Judge,
    held: Held,
    place: PathBuf,
    whole: PathBuf,
}

/// Says which bytes are the chunk of a place. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Judge {
    layout: Layout,
    list: Arc<[u8]>,
}

impl Judge {
    /// Whether these bytes are the chunk of this place.
    pub fn is_right(&self, index: u32, sealed: &[u8]) -> bool {
        sealed.len() == self.layout.sealed(index) && is_listed(&self.list, index, sealed)
    }
}

impl Part {
    /// Which chunks are here.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// Says which bytes are the chunk of a place.
    pub fn judge(&self) -> Judge {
        self.judge.clone()
    }

    /// Puts what should be a chunk in its place, before it is known to be the right one; whoever begins anew finds by its hash whether it
    /// is. When it is known, [`Part::hold`] says so.
    ///
    /// # Errors
    /// [`ShelfError::Mismatch`] if it is not as long as that chunk, and if the disk refuses.
    pub fn place(&mut self, index: u32, sealed: &[u8]) -> Result<(), ShelfError> {
        let layout = &self.judge.layout;
        if sealed.is_empty() || sealed.len() != layout.sealed(index) {
            return Err(ShelfError::Mismatch);
        }
        // What is here is not written over by what somebody else takes for it.
        if self.held.contains(index) {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(layout.offset(index)))?;
        Ok(self.file.write_all(sealed)?)
    }

    /// What was put in this place is its chunk: the [`Judge`] said so.
    pub fn hold(&mut self, index: u32) {
        self.held.insert(index);
    }

    /// Reads a chunk that is here.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn chunk(&mut self, index: u32) -> Result<Vec<u8>, ShelfError> {
        read_chunk(&mut self.file, &self.judge.layout, index)
    }

    /// All of it is here: it is durable when this returns.
    ///
    /// # Errors
    /// [`ShelfError::Mismatch`] if it is not all here, and if the disk refuses.
    pub fn finish(self) -> Result<(), ShelfError> {
        if !self.held.is_full() {
            return Err(ShelfError::Mismatch);
        }
        self.file.sync_all()?;
        drop(self.file);
        Ok(store::rename_durably(&self.place, &self.whole)?)
    }
}

/// Seals what `write` writes into a file, durably: its bytes and the list of its chunks' hashes. A thread hashes and writes chunks while
/// the next are read and sealed.
fn seal_into(
    key: &Token,
    file: File,
    write: impl FnOnce(&mut dyn Write) -> Result<(), ShelfError>,
) -> Result<(u64, Vec<u8>), ShelfError> {
    thread::scope(|scope| {
        let (full, chunks) = mpsc::sync_channel::<Vec<u8>>(AHEAD);
        let (empty, spare) = mpsc::sync_channel(AHEAD.saturating_add(2));
        let keep = move || {
            let mut listing = Listing::new(file);
            for chunk in chunks {
                listing.add(&chunk)?;
                // Nobody may need one any more.
                let _ = empty.try_send(chunk);
            }
            listing.out.sync_all()?;
            Ok(listing.list)
        };
        let keeping = thread::Builder::new().name("kith-seal".into()).spawn_scoped(scope, keep)?;
        let emit = move |chunk| {
            full.send(chunk).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            Ok(spare.try_recv().unwrap_or_else(|_| chunk_buffer()))
        };
        let sealed = Sealing::new(key, emit).map_err(ShelfError::from).and_then(|mut sealing| {
            write(&mut sealing)?;
            Ok(sealing.finish()?)
        });
        let kept: io::Result<Vec<u8>> =
            keeping.join().unwrap_or_else(|_| Err(io::Error::other("the thread that writes ended")));
        // What the disk says is why the other end broke.
        let list = kept?;
        Ok((sealed?, list))
    })
}

/// Which chunks of a file are those of a list. A hole reads as zeros, which are no chunk.
fn look(file: &mut File, layout: &Layout, list: &[u8]) -> Result<Held, ShelfError> {
    let mut held = Held::none(layout.chunks());
    let length = file.metadata()?.len();
    let mut chunk = Vec::with_capacity(CHUNK.saturating_add(SEAL));
    for index in 0..layout.chunks() {
        let sealed = layout.sealed(index);
        if layout.offset(index).saturating_add(sealed as u64) > length {
            break;
        }
        file.seek(SeekFrom::Start(layout.offset(index)))?;
        chunk.resize(sealed, 0);
        file.read_exact(&mut chunk)?;
        if is_listed(list, index, &chunk) {
            held.insert(index);
        }
    }
    Ok(held)
}

fn read_chunk(file: &mut File, layout: &Layout, index: u32) -> Result<Vec<u8>, ShelfError> {
    let sealed = layout.sealed(index);
    if sealed == 0 {
        return Err(ShelfError::Mismatch);
    }
    file.seek(SeekFrom::Start(layout.offset(index)))?;
    let mut chunk = Vec::with_capacity(CHUNK_ROOM);
    if file.take(sealed as u64).read_to_end(&mut chunk)? < sealed {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(chunk)
}

fn remove(path: &Path) -> Result<(), ShelfError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 249) as u8).collect()
    }

    fn take_in(shelf: &Shelf, bytes: &[u8]) -> Attachment {
        shelf.take_in(Token::new([7; 32]), |out| Ok(out.write_all(bytes)?)).unwrap()
    }

    #[test]
    fn what_is_taken_in_is_whole_or_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let bytes = pattern(2 * CHUNK + 5);
        let attachment = take_in(&shelf, &bytes);
        assert!(shelf.has(&attachment.id));
        let mut read = Vec::new();
        shelf.reader(&attachment).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
        let failed = shelf.take_in(Token::new([8; 32]), |out| {
            out.write_all(&bytes)?;
            Err(ShelfError::Source("it is gone".into()))
        });
        assert_eq!(failed, Err(ShelfError::Source("it is gone".into())));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "the file and its list");
        // A process that was killed in the middle leaves a file behind.
        fs::write(dir.path().join("0.new"), b"half").unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        assert_eq!(shelf.ids().unwrap(), vec![attachment.id]);
        shelf.remove(&attachment.id).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    fn put(part: &mut Part, index: u32, sealed: &[u8]) -> bool {
        let right = part.place(index, sealed).is_ok() && part.judge().is_right(index, sealed);
        if right {
            part.hold(index);
        }
        right
    }

    #[test]
    fn what_has_come_is_found_again_by_its_hashes() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (source, shelf) = (Shelf::open(from.path()).unwrap(), Shelf::open(to.path()).unwrap());
        let attachment = take_in(&source, &pattern(3 * CHUNK + 99));
        let (layout, list) = (attachment.layout(), source.list(&attachment.id).unwrap());
        assert!(shelf.part(&attachment, None).unwrap().is_none(), "its list has not come");
        let mut part = shelf.part(&attachment, Some(&list)).unwrap().unwrap();
        for index in [2, 0] {
            assert!(put(&mut part, index, &source.chunk(&attachment.id, &layout, index).unwrap()));
        }
        // Another one's chunk, and one that was altered.
        let mut altered = source.chunk(&attachment.id, &layout, 1).unwrap();
        assert_eq!(part.place(3, &altered), Err(ShelfError::Mismatch), "it is longer than that place");
        assert_eq!(part.place(9, &altered), Err(ShelfError::Mismatch), "there is no such place");
        altered[7] ^= 1;
        assert!(!put(&mut part, 1, &altered));
        // One that is here stays, whatever is taken for it.
        assert!(!put(&mut part, 0, &altered));
        drop(part);
        let mut part = shelf.part(&attachment, None).unwrap().unwrap();
        assert_eq!(part.held().runs(), vec![(0, 1), (2, 3)]);
        for index in [1, 3] {
            assert!(put(&mut part, index, &source.chunk(&attachment.id, &layout, index).unwrap()));
        }
        part.finish().unwrap();
        assert!(shelf.has(&attachment.id));
        let mut read = Vec::new();
        shelf.reader(&attachment).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, pattern(3 * CHUNK + 99));
    }

    #[test]
    fn a_list_of_another_attachment_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let attachment = take_in(&shelf, &pattern(10));
        let other = Attachment { id: Hash::new([1; 32]), ..attachment.clone() };
        let list = shelf.list(&attachment.id).unwrap();
        assert_eq!(shelf.part(&other, Some(&list)).err(), Some(ShelfError::Mismatch));
        let larger = Attachment { size: 5 * CHUNK as u64, ..attachment };
        assert_eq!(shelf.part(&larger, Some(&list)).err(), Some(ShelfError::Mismatch));
    }
}
