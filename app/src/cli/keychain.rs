//! The system's keychain: there lies the key of a profile whose owner wants no passphrase for it.
//!
//! The file `keychain` of such a profile holds the name of its key there, so that the profile can be moved.
//! What is in the keychain is only the key: the profile's store stays where it is.
//!
//! Invariant: a key that is there is never replaced, since a profile that was moved away may need it.

use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::error::Error;
use super::text;

/// What all of Kith's keys are filed under.
const SERVICE: &str = "kith";

/// The file of a profile that names its key.
const FILE: &str = "keychain";

/// The longest name worth reading: twice the longest path.
const MAX_NAME: u64 = 8192;

/// How many profiles may have been at one path before a name is not searched for any further.
const NAMES: u32 = 1000;

/// How long a person may take to unlock the keychain.
const PATIENCE: Duration = Duration::from_secs(120);

type Key = Zeroizing<[u8; 32]>;

/// The name of the profile's key, if it lies in the keychain.
pub(crate) fn name(profile: &Path) -> Result<Option<String>, Error> {
    let path = file(profile);
    let failed = |error: std::io::Error| Error::new("keychain", text::keychain_file(&path, &error));
    let mut name = String::new();
    match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.and_then(|file| file.take(MAX_NAME).read_to_string(&mut name)).map_err(failed)?,
    };
    Ok(Some(name))
}

/// The key of this name.
pub(crate) async fn key(name: String) -> Result<Key, Error> {
    let (sought, secret) = at_work(text::keychain_away, move || {
        let secret = entry(&name).and_then(|entry| entry.get_secret().map_err(Problem::from));
        Ok((name, secret.map(Zeroizing::new)))
    })
    .await?;
    match secret {
        Ok(secret) => match <[u8; 32]>::try_from(secret.as_slice()) {
            Ok(key) => Ok(Zeroizing::new(key)),
            Err(_) => Err(Error::new("keychain_key", text::keychain_other(&sought))),
        },
        Err(Problem::Nothing) => Err(Error::new("keychain_key", text::keychain_empty(&sought))),
        Err(Problem::Refused(reason)) => Err(Error::new("keychain", text::keychain_away(&reason))),
    }
}

/// A new key, kept in the keychain for a profile that is about to be made.
pub(crate) async fn create(profile: &Path) -> Result<Key, Error> {
    let path = profile.display().to_string();
    let (name, key) = at_work(text::keychain_unfit, move || keep(&path)).await?;
    // The profile must never be without the name of its key, so it comes first.
    if let Err(error) = write(profile, &name) {
        remove(name).await;
        return Err(error);
    }
    Ok(key)
}

/// The profile that a key was created for was not made.
pub(crate) async fn forget(profile: &Path) {
    if let Ok(Some(name)) = name(profile) {
        remove(name).await;
    }
    // What cannot be removed does no harm: only a profile that is there is asked for its key.
    let _ = std::fs::remove_file(file(profile));
    let _ = std::fs::remove_dir(profile);
}

/// A new profile of this directory has a passphrase, whatever one that was never finished had.
pub(crate) fn disown(profile: &Path) -> Result<(), Error> {
    let path = file(profile);
    match std::fs::remove_file(&path) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(Error::new("keychain", text::keychain_file(&path, &error)))
        }
        _ => Ok(()),
    }
}

fn file(profile: &Path) -> PathBuf {
    profile.join(FILE)
}

/// Both the directory and the file are only their owner's. Creating the store makes their names durable.
fn write(profile: &Path, name: &str) -> Result<(), Error> {
    let path = file(profile);
    let (mut directory, mut options) = (DirBuilder::new(), File::options());
    directory.recursive(true);
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        directory.mode(0o700);
        options.mode(0o600);
    }
    let written = directory.create(profile).and_then(|()| {
        let mut file = options.open(&path)?;
        file.write_all(name.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| Error::new("keychain", text::keychain_file(&path, &error)))
}

async fn remove(name: String) {
    let removed = at_work(text::keychain_unfit, move || {
        let removed = entry(&name).and_then(|entry| entry.delete_credential().map_err(Problem::from));
        removed.map_err(|problem| Error::new("keychain", text::keychain_unfit(&problem.reason())))
    });
    // A key that opens nothing may stay.
    let _ = removed.await;
}

/// Why the keychain gave no key.
enum Problem {
    Nothing,
    Refused(String),
}

impl Problem {
    fn refused(error: &keyring::Error) -> Self {
        // The library quotes the system, at times in several lines; a secret is in none of the errors that it gives here.
        Self::Refused(error.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn reason(self) -> String {
        match self {
            Self::Nothing => text::KEYCHAIN_NOTHING.to_owned(),
            Self::Refused(reason) => reason,
        }
    }
}

impl From<keyring::Error> for Problem {
    fn from(error: keyring::Error) -> Self {
        match error {
            keyring::Error::NoEntry => Self::Nothing,
            error => Self::refused(&error),
        }
    }
}

fn entry(name: &str) -> Result<keyring::Entry, Problem> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(Problem::refused(error));
    }
    Ok(keyring::Entry::new(SERVICE, name)?)
}

/// Draws a key and keeps it under the first name that is free.
fn keep(path: &str) -> Result<(String, Key), Error> {
    let unfit = |problem: Problem| Error::new("keychain", text::keychain_unfit(&problem.reason()));
    for number in 1..=NAMES {
        let name = if number == 1 { path.to_owned() } else { format!("{path} {number}") };
        let entry = entry(&name).map_err(unfit)?;
        match entry.get_secret().map(Zeroizing::new).map_err(Problem::from) {
            Ok(_) => continue,
            Err(Problem::Nothing) => {}
            Err(problem) => return Err(unfit(problem)),
        }
        let mut key = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(key.as_mut()).map_err(|_| Error::system(text::NO_RANDOMNESS))?;
        entry.set_secret(key.as_slice()).map_err(|error| unfit(error.into()))?;
        return Ok((name, key));
    }
    Err(Error::new("keychain", text::keychain_crowded(path)))
}

/// The keychain may ask its owner something meanwhile: not on the runtime's threads, and not for ever.
async fn at_work<T: Send + 'static>(
    silent: fn(&dyn std::fmt::Display) -> String,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Err(Error::new("keychain", silent(&text::KEYCHAIN_SILENT))),
    }
}
