//! Deleting a profile: first what opens it, then the rest.
//!
//! What lies in the directory and is not core's stays, and the directory with it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::STORE;
use super::building::left_behind;
use crate::client::{ClientError, choices, relays};
use crate::store::{Store, StoreError};

/// What lies beside a store: of the client, and of its socket.
const FILES: [&str; 5] = [relays::FILE, choices::FILE, "control.lock", "control.path", "control.sock"];

/// Deletes what is core's of a directory. Its store must be closed.
pub(super) fn erase(directory: &Path) -> Result<(), ClientError> {
    let store = directory.join(STORE);
    let place = || directory.display().to_string();
    let failed = |reason: String| ClientError::Erase { path: place(), reason };
    if !store.exists() {
        return Err(ClientError::NoProfile(place()));
    }
    Store::erase(&store).map_err(|error| match error {
        StoreError::AlreadyOpen { .. } => ClientError::Store(error),
        error => failed(error.to_string()),
    })?;
    for left in left_behind(directory) {
        gone(fs::remove_dir_all(left)).map_err(|error| failed(error.to_string()))?;
    }
    for file in FILES {
        gone(fs::remove_file(directory.join(file))).map_err(|error| failed(error.to_string()))?;
    }
    match fs::remove_dir(directory) {
        Err(error) if !matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound) => {
            Err(failed(error.to_string()))
        }
        _ => Ok(()),
    }
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
