//! Where a profile's socket lies, and whether that place is safe.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::client::control::{ControlError, failed, remove};

/// The socket in the profile's directory.
const SOCKET: &str = "control.sock";

/// Says where the socket is, if it is elsewhere.
const POINTER: &str = "control.path";

/// The longest path that every system here takes: `sun_path` has 104 bytes on macOS and 108 on Linux, one for the end.
const MAX_PATH: usize = 103;

/// The longest pointer worth reading: no path of a socket is longer.
const MAX_POINTER: u64 = MAX_PATH as u64;

/// The place to serve at: its directory exists and is this user's alone.
pub(super) fn prepare(profile: &Path) -> Result<PathBuf, ControlError> {
    own_directory(profile)?;
    let pointer = profile.join(POINTER);
    let near = profile.join(SOCKET);
    if fits(&near) {
        remove(&pointer)?;
        return Ok(near);
    }
    let far = elsewhere(profile)?;
    fs::write(&pointer, far.as_os_str().as_bytes()).map_err(|error| failed(&pointer, &error))?;
    Ok(far)
}

/// The place where a running profile would serve, if the profile's directory is there at all.
pub(super) fn find(profile: &Path) -> Result<Option<PathBuf>, ControlError> {
    let pointer = profile.join(POINTER);
    let mut told = Vec::new();
    match fs::File::open(&pointer) {
        Ok(file) => {
            let read = file.take(MAX_POINTER.saturating_add(1)).read_to_end(&mut told);
            read.map_err(|error| failed(&pointer, &error))?;
        }
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            let near = profile.join(SOCKET);
            return Ok(fits(&near).then_some(near));
        }
        Err(error) => return Err(failed(&pointer, &error)),
    }
    let far = PathBuf::from(std::ffi::OsStr::from_bytes(&told));
    if !far.is_absolute() || !fits(&far) {
        return Err(ControlError::NotOurs { path: pointer });
    }
    // The socket's directory must be as private as the profile's: else anybody could stand in for the running Kith.
    match (far.parent().map(fs::symlink_metadata), fs::metadata(profile)) {
        (Some(Ok(directory)), Ok(profile)) if is_private(&directory, profile.uid()) => Ok(Some(far)),
        (Some(Err(error)), Ok(_)) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => Err(ControlError::NotOurs { path: far }),
    }
}

/// Takes away a socket that nobody answers at. What is not a socket stays, and is an error.
pub(super) fn clear(socket: &Path) -> Result<(), ControlError> {
    match fs::symlink_metadata(socket) {
        Ok(found) if found.file_type().is_socket() => remove(socket),
        Ok(_) => Err(ControlError::NotOurs { path: socket.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(socket, &error)),
    }
}

/// Only this user may connect.
pub(super) fn make_private(socket: &Path) -> Result<(), ControlError> {
    fs::set_permissions(socket, Permissions::from_mode(0o600)).map_err(|error| failed(socket, &error))
}

fn fits(path: &Path) -> bool {
    path.as_os_str().len() <= MAX_PATH
}

/// The profile's directory, made if it is missing and closed to others if it is open to them.
fn own_directory(directory: &Path) -> Result<(), ControlError> {
    let error = |error| failed(directory, &error);
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(error)?;
    let found = fs::metadata(directory).map_err(error)?;
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(error)?;
    }
    Ok(())
}

/// A short path in a directory of this user's alone: the runtime directory, or one below the temporary directory.
fn elsewhere(profile: &Path) -> Result<PathBuf, ControlError> {
    let full = fs::canonicalize(profile).map_err(|error| failed(profile, &error))?;
    let owner = fs::metadata(&full).map_err(|error| failed(profile, &error))?.uid();
    let digest = ring::digest::digest(&ring::digest::SHA256, full.as_os_str().as_bytes());
    let name: String = digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|directory| directory.is_absolute());
    let directory = match runtime {
        Some(runtime) => runtime.join("kith"),
        None => std::env::temp_dir().join(format!("kith-{owner}")),
    };
    let socket = directory.join(format!("{name}.sock"));
    if !fits(&socket) {
        let reason =
            format!("its path has over {MAX_PATH} bytes: set XDG_RUNTIME_DIR to a directory with a short path");
        return Err(ControlError::Path { path: socket, reason });
    }
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(&directory, &error)),
        _ => {}
    }
    let found = fs::symlink_metadata(&directory).map_err(|error| failed(&directory, &error))?;
    if !is_private(&found, owner) {
        return Err(ControlError::NotOurs { path: directory });
    }
    Ok(socket)
}

fn is_private(directory: &Metadata, owner: u32) -> bool {
    directory.is_dir() && directory.uid() == owner && directory.mode() & 0o077 == 0
}
