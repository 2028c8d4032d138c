//! A profile: a directory with one account's store, its key ring and, without a relay, its vault.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Client, ClientError, Options};
use crate::chat::{Engine, Now};
use crate::identity::Handle;
use crate::mls::Suite;
use crate::session::{self, Credentials, Joined};
use crate::store::{self, Opened, RingKey, Store, StoreError};
use crate::types::Token;

/// The store's directory in a profile.
const STORE: &str = "store";
/// The vault of an account without a relay.
const VAULT: &str = "vault.kith";

/// Names a profile's directory.
#[derive(Debug)]
pub struct Profile;

impl Profile {
    /// The directory of the profile: the one chosen, or the platform's.
    ///
    /// # Errors
    /// When none is chosen and the platform has none.
    pub fn directory(chosen: Option<&Path>) -> Result<PathBuf, ClientError> {
        match chosen {
            Some(chosen) => Ok(std::path::absolute(chosen).unwrap_or_else(|_| chosen.to_owned())),
            None => directories::ProjectDirs::from("chat", "Kith", "kith")
                .map(|dirs| dirs.data_dir().to_owned())
                .ok_or(ClientError::NoDirectory),
        }
    }

    /// Whether a profile is there. A directory from which the store is missing still is one.
    pub fn exists(directory: &Path) -> bool {
        directory.join(STORE).exists()
    }
}

/// What opens a profile's key ring.
#[derive(Clone)]
pub enum Unlock {
    /// A key that the system's keychain holds.
    Key(Zeroizing<[u8; 32]>),
    /// A passphrase.
    Passphrase(Zeroizing<String>),
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Unlock(…)")
    }
}

impl From<Unlock> for RingKey {
    fn from(unlock: Unlock) -> Self {
        match unlock {
            Unlock::Key(key) => Self::Raw(key),
            Unlock::Passphrase(passphrase) => Self::Passphrase(passphrase),
        }
    }
}

/// Who signs up or logs in, and where.
#[derive(Clone)]
pub struct Registration {
    /// The relay: one multiaddr, or several separated by commas.
    pub relay: String,
    /// The name there.
    pub handle: String,
    /// The password; it never leaves this device.
    pub password: Zeroizing<String>,
    /// Where the relay takes new accounts by invitation only: the code that its operator gave out.
    pub invitation: Option<String>,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Registration(…)")
    }
}

impl Registration {
    fn credentials(self) -> Result<Credentials, ClientError> {
        let handle = Handle::parse(&self.handle)?;
        let invalid = |_| ClientError::Invitation;
        let invitation = self.invitation.map(|code| code.trim().parse::<Token>().map_err(invalid)).transpose()?;
        Ok(Credentials { relay: self.relay.parse()?, handle, password: self.password, invitation })
    }
}

impl Client {
    /// Signs up at a relay and creates the profile. Returns the recovery code too, to be shown once.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind.
    pub async fn register(
        directory: &Path,
        unlock: Unlock,
        registration: Registration,
        options: Options,
    ) -> Result<(Self, Zeroizing<String>), ClientError> {
        refuse_existing(directory)?;
        let joined = session::register(registration.credentials()?, Suite::DEFAULT).await?;
        let recovery = recovery_text(&joined);
        Ok((Self::begin(directory, unlock, joined, options).await?, recovery))
    }

    /// Creates a profile without a relay, for the local network. Returns the recovery code too, to be shown once.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind.
    pub async fn register_local(
        directory: &Path,
        unlock: Unlock,
        passphrase: Zeroizing<String>,
        options: Options,
    ) -> Result<(Self, Zeroizing<String>), ClientError> {
        refuse_existing(directory)?;
        let made = tokio::task::spawn_blocking(move || session::create_local(&passphrase, Suite::DEFAULT));
        let joined = made.await.map_err(|_| ClientError::Ending)??;
        let recovery = recovery_text(&joined);
        let vault = joined.vault.clone();
        let client = Self::begin(directory, unlock, joined, options).await?;
        store::write_private(&directory.join(VAULT), &vault)?;
        Ok((client, recovery))
    }

    /// Logs in on a further device and creates its profile.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind.
    pub async fn log_in(
        directory: &Path,
        unlock: Unlock,
        registration: Registration,
        options: Options,
    ) -> Result<Self, ClientError> {
        refuse_existing(directory)?;
        let joined = session::log_in(registration.credentials()?, Suite::DEFAULT).await?;
        Self::begin(directory, unlock, joined, options).await
    }

    async fn begin(directory: &Path, unlock: Unlock, joined: Joined, options: Options) -> Result<Self, ClientError> {
        let (store, _) = open_or_create(directory, unlock).await?;
        let now = Now { wall: session::wall(), mono_ms: 0 };
        let (_, effects) = Engine::create(now, &mut session::seeded(), &store, joined.setup)?;
        store.commit(&effects.batch, now.wall)?;
        Self::start(directory, store, Opened::Existing, options).await
    }
}

fn recovery_text(joined: &Joined) -> Zeroizing<String> {
    joined.recovery.as_ref().map(crate::identity::RecoveryCode::to_text).unwrap_or_default()
}

fn refuse_existing(directory: &Path) -> Result<(), ClientError> {
    if Profile::exists(directory) {
        return Err(ClientError::ProfileExists(directory.display().to_string()));
    }
    Ok(())
}

pub(super) async fn open_store(directory: &Path, unlock: Unlock) -> Result<(Store, Opened), ClientError> {
    if !Profile::exists(directory) {
        return Err(ClientError::NoProfile(directory.display().to_string()));
    }
    open_or_create(directory, unlock).await
}

async fn open_or_create(directory: &Path, unlock: Unlock) -> Result<(Store, Opened), ClientError> {
    with_store(directory, unlock, |path, key| Store::open(path, key, &store::Options::default())).await
}

pub(super) async fn restore_store(directory: &Path, unlock: Unlock) -> Result<(Store, Opened), ClientError> {
    with_store(directory, unlock, |path, key| Store::restore(path, key, &store::Options::default())).await
}

/// Opening stretches the passphrase and reads the disk: not on the runtime's threads.
async fn with_store(
    directory: &Path,
    unlock: Unlock,
    open: impl FnOnce(&Path, &RingKey) -> Result<(Store, Opened), StoreError> + Send + 'static,
) -> Result<(Store, Opened), ClientError> {
    let path = directory.join(STORE);
    let key = RingKey::from(unlock);
    let opened = tokio::task::spawn_blocking(move || open(&path, &key)).await;
    Ok(opened.map_err(|_| ClientError::Ending)??)
}
