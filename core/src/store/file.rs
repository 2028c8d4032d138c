//! Files that are whole or not there, and only their owner's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Creates a directory that only its owner may enter, and those above it.
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// What is created by these options only its owner may read, where files say whose they are.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Opens an empty file, to write and to read, that only its owner may read.
///
/// # Errors
/// If the disk refuses.
pub fn create_private(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().read(true).write(true).create(true).truncate(true)).open(path)
}

/// Replaces a file so that after a crash the old or the new one is there, whole, and after this returned the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = create_private(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    // A half-written file takes room on a disk that has none.
    write().inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

/// Writes over the beginning of a file in its place: of a disk that writes in place nothing of it is left.
pub(super) fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes a small file that only its owner may read, durably; after a crash the old or the new one is there, whole.
///
/// # Errors
/// If the disk refuses.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), super::StoreError> {
    Ok(replace(path, bytes)?)
}

/// Takes a file away, durably. That there is none is no error.
///
/// # Errors
/// If the disk refuses.
pub fn remove_private(path: &Path) -> Result<(), super::StoreError> {
    match fs::remove_file(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(sync_parent(path)?),
    }
}

/// Creates a directory that only its owner may enter, and those above it, durably.
///
/// # Errors
/// If the disk refuses.
pub fn create_private_dir(path: &Path) -> Result<(), super::StoreError> {
    let made: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
    create_dir(path)?;
    for new in made {
        sync_parent(new)?;
    }
    Ok(())
}

/// Moves a directory to another name in the same directory, where nothing is; after a crash it has one of the two names, and after
/// this returned the new one.
///
/// # Errors
/// If something is there, or the disk refuses.
pub fn rename_durably(from: &Path, to: &Path) -> Result<(), super::StoreError> {
    fs::rename(from, to)?;
    Ok(sync_parent(to)?)
}

/// Whether so many bytes can be written in a directory: writes them and takes them away.
pub(super) fn probe(dir: &Path, bytes: usize) -> io::Result<()> {
    let block = vec![0xa5; bytes.min(64 * 1024)];
    let path = dir.join("room.new");
    let write = || {
        let mut file = create_private(&path)?;
        for _ in 0..bytes.div_ceil(block.len().max(1)) {
            file.write_all(&block)?;
        }
        file.sync_all()
    };
    let written = write();
    // It may not have come to be at all.
    let _ = fs::remove_file(&path);
    written
}

/// Makes the names in the directory of `path` durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_dir(Path::new(".")),
        Some(parent) => sync_dir(parent),
        None => Ok(()),
    }
}

/// Makes the names in a directory durable.
///
/// # Errors
/// If the disk refuses.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    // A directory cannot be opened as a file on Windows, where names are durable with the file's own flush.
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Reads a file of at most `limit` bytes, if it is there.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(facts) if facts.len() > limit => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} bytes are too many", facts.len())))
        }
        Ok(_) => fs::read(path).map(Some),
    }
}
