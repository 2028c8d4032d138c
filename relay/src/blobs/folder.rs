//! Parts of attachments as files: `<two letters>/<name>/<number>` and `<name>/list`.
//!
//! A file is written beside its place, made durable, and then renamed, so that it is whole or not there.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use kith_core::store::{create_private, sync_dir};
use kith_core::types::Hash;

use super::{Keep, KeepError, Part};

/// The file with the hashes.
const LIST: &str = "list";

/// A folder with attachments.
#[derive(Debug, Clone)]
pub struct Folder(Arc<Place>);

#[derive(Debug)]
struct Place {
    dir: PathBuf,
    /// Names files that are being written.
    next: AtomicU64,
}

impl Folder {
    /// Opens or makes it.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self(Arc::new(Place { dir: dir.to_owned(), next: AtomicU64::new(0) })))
    }

    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Place) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, KeepError>> {
        let place = Arc::clone(&self.0);
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&place)).await;
            done.map_err(|error| KeepError::Io(error.to_string()))?.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => KeepError::NotFound,
                _ => KeepError::Io(error.to_string()),
            })
        })
    }
}

impl Keep for Folder {
    fn put(&self, name: Hash, part: Part, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), KeepError>> {
        self.work(move |place| place.put(name, part, &bytes))
    }

    fn get(&self, name: Hash, part: Part) -> BoxFuture<'_, Result<Vec<u8>, KeepError>> {
        self.work(move |place| fs::read(place.path(name, part)))
    }

    fn chunks(&self, name: Hash) -> BoxFuture<'_, Result<Vec<u32>, KeepError>> {
        self.work(move |place| {
            let names = entries(&place.of(name))?;
            Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
        })
    }

    fn remove(&self, name: Hash) -> BoxFuture<'_, Result<(), KeepError>> {
        self.work(move |place| match fs::remove_dir_all(place.of(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    fn names(&self) -> BoxFuture<'_, Result<Vec<Hash>, KeepError>> {
        self.work(|place| {
            let mut names = Vec::new();
            for shelf in entries(&place.dir)? {
                names.extend(entries(&place.dir.join(shelf))?.iter().filter_map(|name| name.parse::<Hash>().ok()));
            }
            Ok(names)
        })
    }
}

impl Place {
    /// Where an attachment lies: no directory has a million entries.
    fn of(&self, name: Hash) -> PathBuf {
        let name = name.to_string();
        let shelf: String = name.chars().take(2).collect();
        self.dir.join(shelf).join(name)
    }

    fn path(&self, name: Hash, part: Part) -> PathBuf {
        self.of(name).join(match part {
            Part::List => LIST.to_owned(),
            Part::Chunk(index) => index.to_string(),
        })
    }

    fn put(&self, name: Hash, part: Part, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name, part);
        if fs::metadata(&path).is_ok_and(|facts| facts.len() == bytes.len() as u64) {
            return Ok(());
        }
        let dir = self.of(name);
        if !dir.is_dir() {
            fs::create_dir_all(&dir)?;
            dir.ancestors().skip(1).take(2).try_for_each(sync_dir)?;
        }
        let temporary = dir.join(format!("{}.new", self.next.fetch_add(1, Ordering::Relaxed)));
        let written = write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            // A half-written file takes room on a disk that has none.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        sync_dir(&dir)
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The names in a directory; none if it is not there.
fn entries(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_that_was_cut_off_is_no_part_and_what_was_written_outlives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let name = Hash::new([1; 32]);
        folder.put(name, Part::Chunk(7), vec![9; 5]).await.unwrap();
        fs::write(folder.0.of(name).join("99.new"), b"half").unwrap();
        let again = Folder::open(dir.path()).unwrap();
        assert_eq!(again.chunks(name).await.unwrap(), vec![7]);
        assert_eq!(again.get(name, Part::Chunk(7)).await.unwrap(), vec![9; 5]);
        again.remove(name).await.unwrap();
        assert_eq!(again.names().await.unwrap(), Vec::<Hash>::new());
    }
}
