//! The system's keychain: there lies the key of a profile whose owner wants no passphrase for it.
//!
//! The file `keychain` of such a profile holds the name of its key there, so that the profile can be moved.
//! What is in the keychain is only the key: the profile's store stays where it is.
//!
//! While it is changed what opens a profile, the file names the former and the new, with a zero between them and nothing for a
//! passphrase. If that is cut off, whatever opens the profile next is named alone from then on, and the other goes.
//!
//! Invariants: a key that is there is never replaced, since a profile that was moved away may need it. At each instant the file names
//! what opens the profile.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kith_core::client::{ClientError, ErrorCode, Profile, Unlock};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::error::Error;
use super::text;

/// What all of Kith's keys are filed under.
const SERVICE: &str = "kith";

/// The code of an error: the keychain is locked or away.
const SILENT: &str = "keychain";

/// It is there and holds no such key.
const NO_KEY: &str = "keychain_key";

/// The file of a profile that names its key.
const FILE: &str = "keychain";

/// Between two names in it; in no path.
const BETWEEN: &str = "\0";

/// What was and what is to be.
const MAX_WAYS: usize = 2;

/// The longest names worth reading: each twice the longest path.
const MAX_NAMES: u64 = 2 * 8192;

/// How many profiles may have been at one path before a name is not searched for any further.
const NAMES: u32 = 1000;

/// How long a person may take to unlock the keychain.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Something that may open a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// The key of this name in the keychain.
    Key(String),
    /// What a person types.
    Passphrase,
}

/// What may open a profile: one, or two if it was cut off while that was changed.
pub(crate) fn ways(profile: &Path) -> Result<Vec<Way>, Error> {
    let path = file(profile);
    let failed = |error: std::io::Error| Error::new(SILENT, text::keychain_file(&path, &error));
    let mut names = String::new();
    match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![Way::Passphrase]),
        opened => opened.and_then(|file| file.take(MAX_NAMES).read_to_string(&mut names)).map_err(failed)?,
    };
    let way = |name: &str| if name.is_empty() { Way::Passphrase } else { Way::Key(name.to_owned()) };
    Ok(names.split(BETWEEN).take(MAX_WAYS).map(way).collect())
}

/// Tries in turn what may open a profile; a passphrase only if it was typed. What did is from then on alone.
pub(crate) async fn open_by<T, E: From<Error> + From<ClientError>, O: Future<Output = Result<T, ClientError>>>(
    profile: &Path,
    passphrase: Option<&Zeroizing<String>>,
    open: impl Fn(Unlock) -> O,
) -> Result<T, E> {
    let mut failed = E::from(Error::new(ErrorCode::WrongPassphrase.word(), text::NOTHING_OPENS));
    for way in ways(profile)? {
        let unlock = match (&way, passphrase) {
            (Way::Passphrase, None) => continue,
            (Way::Passphrase, Some(passphrase)) => Unlock::Passphrase(passphrase.clone()),
            (Way::Key(name), _) => match key(name.clone()).await {
                Ok(key) => Unlock::Key(key),
                Err(error) => {
                    failed = error.into();
                    continue;
                }
            },
        };
        match open(unlock).await {
            Err(error) if error.kind() == ErrorCode::WrongPassphrase => failed = error.into(),
            Err(error) => return Err(error.into()),
            Ok(opened) => {
                // What cannot be done now is done at the next opening.
                let _ = settle(profile, &way).await;
                return Ok(opened);
            }
        }
    }
    Err(failed)
}

/// Whether an opening that failed without a passphrase may succeed with one.
pub(crate) fn wants_passphrase(profile: &Path, code: &str) -> bool {
    [ErrorCode::WrongPassphrase.word(), SILENT, NO_KEY].contains(&code)
        && ways(profile).is_ok_and(|ways| ways.contains(&Way::Passphrase))
}

/// From now on either of two may open a profile: what did, and what is about to.
pub(crate) fn announce(profile: &Path, from: &Way, to: &Way) -> Result<(), Error> {
    if from == to { Ok(()) } else { write(profile, &[from, to]) }
}

/// Nothing but this opens a profile any more: nothing else is named, and then the keychain forgets the other key.
pub(crate) async fn settle(profile: &Path, way: &Way) -> Result<(), Error> {
    let before = ways(profile)?;
    if before == [way.clone()] {
        return Ok(());
    }
    write(profile, &[way])?;
    for other in before {
        if let Way::Key(name) = other
            && *way != Way::Key(name.clone())
        {
            remove(name).await;
        }
    }
    Ok(())
}

/// Draws a key and keeps it in the keychain for a profile that something else opens so far.
pub(crate) async fn draw(profile: &Path) -> Result<(Way, Key), Error> {
    let path = profile.display().to_string();
    let (name, key) = at_work(text::keychain_unfit, move || keep(&path)).await?;
    Ok((Way::Key(name), key))
}

/// A key that was drawn opens nothing.
pub(crate) async fn discard(way: Way) {
    if let Way::Key(name) = way {
        remove(name).await;
    }
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
            Err(_) => Err(Error::new(NO_KEY, text::keychain_other(&sought))),
        },
        Err(Problem::Nothing) => Err(Error::new(NO_KEY, text::keychain_empty(&sought))),
        Err(Problem::Refused(reason)) => Err(Error::new(SILENT, text::keychain_away(&reason))),
    }
}

/// A new key, kept in the keychain for a profile that is about to be made.
pub(crate) async fn create(profile: &Path) -> Result<Key, Error> {
    let (way, key) = draw(profile).await?;
    // The profile must never be without the name of its key, so it comes first.
    if let Err(error) = write(profile, &[&way]) {
        discard(way).await;
        return Err(error);
    }
    Ok(key)
}

/// The profile that a key was created for was not made, or is gone.
pub(crate) async fn forget(profile: &Path) {
    for way in ways(profile).unwrap_or_default() {
        discard(way).await;
    }
    // What cannot be removed does no harm: only a profile that is there is asked for its key.
    let _ = std::fs::remove_file(file(profile));
    let _ = std::fs::remove_dir(profile);
}

/// A new profile of this directory has a passphrase, whatever one that was never finished had.
pub(crate) fn disown(profile: &Path) -> Result<(), Error> {
    write(profile, &[&Way::Passphrase])
}

fn file(profile: &Path) -> PathBuf {
    profile.join(FILE)
}

/// A profile that only a passphrase opens has no such file.
fn write(profile: &Path, ways: &[&Way]) -> Result<(), Error> {
    let written = if ways == [&Way::Passphrase] {
        Profile::remove_beside(profile, FILE)
    } else {
        let name = |way: &&Way| match way {
            Way::Key(name) => name.clone(),
            Way::Passphrase => String::new(),
        };
        let names: Vec<String> = ways.iter().map(name).collect();
        Profile::write_beside(profile, FILE, names.join(BETWEEN).as_bytes())
    };
    written.map_err(|error| Error::new(SILENT, text::keychain_file(&file(profile), &error)))
}

async fn remove(name: String) {
    let removed = at_work(text::keychain_unfit, move || {
        let removed = entry(&name).and_then(|entry| entry.delete_credential().map_err(Problem::from));
        removed.map_err(|problem| Error::new(SILENT, text::keychain_unfit(&problem.reason())))
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
    let unfit = |problem: Problem| Error::new(SILENT, text::keychain_unfit(&problem.reason()));
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
    Err(Error::new(SILENT, text::keychain_crowded(path)))
}

/// The keychain may ask its owner something meanwhile: not on the runtime's threads, and not for ever.
async fn at_work<T: Send + 'static>(
    silent: fn(&dyn std::fmt::Display) -> String,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Err(Error::new(SILENT, silent(&text::KEYCHAIN_SILENT))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_names_what_opens_it() {
        let room = tempfile::tempdir().unwrap();
        let profile = room.path().join("profile");
        let key = |name: &str| Way::Key(name.to_owned());
        assert_eq!(ways(&profile).unwrap(), [Way::Passphrase]);
        disown(&profile).unwrap();
        assert!(!profile.exists(), "nothing is made for what is not there");
        write(&profile, &[&key("/a path")]).unwrap();
        // As earlier releases wrote it.
        assert_eq!(std::fs::read_to_string(profile.join(FILE)).unwrap(), "/a path");
        for (from, to) in [(key("old"), key("new")), (key("old"), Way::Passphrase), (Way::Passphrase, key("new"))] {
            announce(&profile, &from, &to).unwrap();
            assert_eq!(ways(&profile).unwrap(), [from, to]);
        }
        let mode = |path: &Path| {
            use std::os::unix::fs::PermissionsExt as _;
            path.metadata().unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode(&profile), mode(&profile.join(FILE))), (0o700, 0o600));
        disown(&profile).unwrap();
        assert_eq!(ways(&profile).unwrap(), [Way::Passphrase]);
        assert_eq!(std::fs::read_dir(&profile).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn of_two_that_may_open_a_profile_the_one_that_does_stays() {
        let room = tempfile::tempdir().unwrap();
        let typed = Zeroizing::new("typed".to_owned());
        // A key that the keychain does not give, and a passphrase.
        write(room.path(), &[&Way::Key("nowhere, of a test".into()), &Way::Passphrase]).unwrap();
        let wrong = async |_: Unlock| Err::<(), _>(ClientError::Store(kith_core::store::StoreError::WrongKey));
        let refused = open_by::<_, Error, _>(room.path(), Some(&typed), wrong).await.unwrap_err();
        assert_eq!(refused.code, "wrong_passphrase");
        assert_eq!(ways(room.path()).unwrap().len(), 2, "nothing opened it");
        for (code, wants) in
            [("wrong_passphrase", true), ("keychain", true), ("keychain_key", true), ("disk_full", false)]
        {
            assert_eq!(wants_passphrase(room.path(), code), wants, "{code}");
        }
        let right = async |unlock: Unlock| {
            assert!(matches!(unlock, Unlock::Passphrase(_)));
            Ok(7)
        };
        assert_eq!(open_by::<_, Error, _>(room.path(), Some(&typed), right).await.unwrap(), 7);
        assert_eq!(ways(room.path()).unwrap(), [Way::Passphrase]);
        let nothing = async |_: Unlock| Ok(());
        assert_eq!(open_by::<_, Error, _>(room.path(), None, nothing).await.unwrap_err().code, "wrong_passphrase");
        write(room.path(), &[&Way::Key("nowhere, of a test".into())]).unwrap();
        assert!(!wants_passphrase(room.path(), "keychain_key"), "no passphrase opens it");
    }
}
