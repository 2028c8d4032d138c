//! A profile: a directory with one account's store, in which are its key ring and, without a relay, its vault.
//!
//! Invariant: there is a whole profile or none, whenever the program or the machine stops.

pub(super) mod building;
mod erasing;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(super) use self::building::step;

use self::building::Building;
use super::choices::Choice;
use super::{Client, ClientError, Options, session_options};
use crate::identity::{Handle, RecoveryCode};
use crate::mls::Suite;
use crate::session::{self, Credentials, Enrolment, Joined, OnboardingError};
use crate::store::{self, Opened, RingKey, Store, StoreError};
use crate::types::Token;
use crate::wire::relay::Refusal;

/// The store's directory in a profile.
const STORE: &str = "store";
/// The vault of an account without a relay, beside the store, with which it comes into its place.
pub(super) const VAULT: &str = "vault.kith";
/// Held in a store's directory while it is built.
const LOCK: &str = "building";

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

    /// Deletes a profile that nobody has open, without its passphrase: as [`Client::erase`].
    ///
    /// # Errors
    /// A sentence that says why not: there is none, it is open, or what could not be deleted.
    pub async fn erase(directory: &Path) -> Result<(), ClientError> {
        let directory = directory.to_owned();
        let erased = tokio::task::spawn_blocking(move || erasing::erase(&directory)).await;
        erased.map_err(|_| ClientError::Ending)?
    }

    /// Writes a small file of the program's own beside the store, which only its owner may read: after a crash the old one or the new
    /// one is there, whole, and after this returned the new one. The directory is made if it is not there.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn write_beside(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), ClientError> {
        store::create_private_dir(directory)?;
        Ok(store::write_private(&directory.join(name), bytes)?)
    }

    /// Takes such a file away, durably.
    ///
    /// # Errors
    /// If the disk refuses; not if it is not there.
    pub fn remove_beside(directory: &Path, name: &str) -> Result<(), ClientError> {
        Ok(store::remove_private(&directory.join(name))?)
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

/// By what somebody shows that an account is theirs.
#[derive(Clone)]
pub enum Proof {
    /// The password.
    Password(Zeroizing<String>),
    /// The recovery code, as it was typed.
    RecoveryCode(Zeroizing<String>),
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Proof(…)")
    }
}

impl Proof {
    fn parsed(self) -> Result<session::Proof, ClientError> {
        Ok(match self {
            Self::Password(password) => session::Proof::Password(password),
            Self::RecoveryCode(text) => session::Proof::Recovery(RecoveryCode::parse(&text)?),
        })
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

/// An account that was made or recovered, and its profile.
pub struct Registered {
    /// To be shown once, whatever became of the client: it is nowhere else.
    pub recovery_code: Zeroizing<String>,
    /// The profile at work; or why it could not be put to work. It is there then and can be opened: another port may be free.
    pub client: Result<Client, ClientError>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registered").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Client {
    /// Signs up at a relay and creates the profile.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind then, and no account unless the relay's answer was lost.
    pub async fn register(
        directory: &Path,
        unlock: Unlock,
        registration: Registration,
        options: Options,
    ) -> Result<Registered, ClientError> {
        refuse_existing(directory)?;
        // What can be wrong here is found before there is an account.
        session_options(&options, Choice::default(), false)?;
        let handle = registration.handle.clone();
        let (joined, enrolment) = session::register(registration.credentials()?, Suite::DEFAULT)
            .await
            .map_err(|error| taken_before(directory, handle, error))?;
        let recovery_code = recovery_text(&joined);
        let building = enrol(directory, &unlock, joined, enrolment).await?;
        let client = Self::begin(directory, unlock, building, options).await;
        Ok(Registered { recovery_code, client })
    }

    /// Recovers an account whose password is forgotten, and creates its profile on this device: `registration` has the new password.
    /// The code is spent, and another one in its place.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind then, and the account is as it was unless the relay's answer was lost:
    /// the new password logs in then, or still the code does.
    pub async fn recover(
        directory: &Path,
        unlock: Unlock,
        registration: Registration,
        code: Zeroizing<String>,
        options: Options,
    ) -> Result<Registered, ClientError> {
        refuse_existing(directory)?;
        session_options(&options, Choice::default(), false)?;
        let code = RecoveryCode::parse(&code)?;
        let (joined, enrolment) = session::recover(registration.credentials()?, code, Suite::DEFAULT).await?;
        let recovery_code = recovery_text(&joined);
        let building = enrol(directory, &unlock, joined, enrolment).await?;
        let client = Self::begin(directory, unlock, building, options).await;
        Ok(Registered { recovery_code, client })
    }

    /// Gives an account another password, that in `registration`; it needs no profile, and a profile's passphrase stays what it is.
    /// What it returns is a new recovery code, to be shown once: for who asks for one by `new_code`, and for who has spent the old one.
    ///
    /// # Errors
    /// A sentence that says why not; the password is the old one then, unless it is [`OnboardingError::Uncertain`].
    pub async fn change_password(
        registration: Registration,
        proof: Proof,
        new_code: bool,
    ) -> Result<Option<Zeroizing<String>>, ClientError> {
        let code = session::change_password(registration.credentials()?, proof.parsed()?, new_code).await?;
        Ok(code.as_ref().map(RecoveryCode::to_text))
    }

    /// Takes a device out of an account at its relay, by the password in `registration`; it needs no profile. What it returns is for
    /// [`Request::TakeRecord`](crate::wire::control::Request::TakeRecord), which brings the account's conversations in step.
    ///
    /// # Errors
    /// A sentence that says why not; it is asked again in vain, and without harm, if the answer was lost.
    pub async fn remove_device(registration: Registration, device: &str) -> Result<Vec<u8>, ClientError> {
        let device = device.parse().map_err(|_| OnboardingError::NoDevice)?;
        Ok(session::remove_device(registration.credentials()?, device).await?)
    }

    /// Creates a profile without a relay, for the local network.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind then.
    pub async fn register_local(
        directory: &Path,
        unlock: Unlock,
        passphrase: Zeroizing<String>,
        options: Options,
    ) -> Result<Registered, ClientError> {
        refuse_existing(directory)?;
        session_options(&options, Choice::default(), false)?;
        let made = tokio::task::spawn_blocking(move || session::create_local(&passphrase, Suite::DEFAULT));
        let joined = made.await.map_err(|_| ClientError::Ending)??;
        let recovery_code = recovery_text(&joined);
        let building = build(directory, &unlock, joined).await?;
        let client = Self::begin(directory, unlock, building, options).await;
        Ok(Registered { recovery_code, client })
    }

    /// Logs in on a further device and creates its profile.
    ///
    /// # Errors
    /// A sentence that says why not; no profile is left behind then, unless it is [`ClientError::Start`]: the profile is there
    /// and can be opened.
    pub async fn log_in(
        directory: &Path,
        unlock: Unlock,
        registration: Registration,
        options: Options,
    ) -> Result<Self, ClientError> {
        refuse_existing(directory)?;
        session_options(&options, Choice::default(), false)?;
        let (joined, enrolment) = session::log_in(registration.credentials()?, Suite::DEFAULT).await?;
        let building = enrol(directory, &unlock, joined, enrolment).await?;
        Self::begin(directory, unlock, building, options).await
    }

    async fn begin(
        directory: &Path,
        unlock: Unlock,
        building: Building,
        options: Options,
    ) -> Result<Self, ClientError> {
        let finished = tokio::task::spawn_blocking(move || building.finish()).await;
        finished.map_err(|_| ClientError::Ending)??;
        let (store, opened) = open_or_create(directory, unlock).await?;
        Self::start(directory, store, opened, options).await
    }
}

/// Makes all durable here, and then tells the relay.
async fn enrol(
    directory: &Path,
    unlock: &Unlock,
    joined: Joined,
    enrolment: Enrolment,
) -> Result<Building, ClientError> {
    let building = match build(directory, unlock, joined).await {
        Ok(building) => building,
        Err(error) => {
            enrolment.abandon().await;
            return Err(error);
        }
    };
    enrolment.finish().await?;
    Ok(building)
}

/// Stretches the passphrase and writes the disk: not on the runtime's threads.
async fn build(directory: &Path, unlock: &Unlock, joined: Joined) -> Result<Building, ClientError> {
    let (directory, key) = (directory.to_owned(), RingKey::from(unlock.clone()));
    let built = tokio::task::spawn_blocking(move || {
        let building = Building::begin(&directory)?;
        building.fill(&key, joined)?;
        Ok(building)
    });
    built.await.map_err(|_| ClientError::Ending)?
}

/// A handle that is taken may be one's own: of a sign-up that the relay had taken when it was cut off here.
fn taken_before(directory: &Path, handle: String, error: OnboardingError) -> ClientError {
    match error {
        OnboardingError::Refused(Refusal::HandleTaken) if building::was_cut_off(directory) => {
            ClientError::CutOff(handle)
        }
        error => error.into(),
    }
}

fn recovery_text(joined: &Joined) -> Zeroizing<String> {
    joined.recovery.as_ref().map(RecoveryCode::to_text).unwrap_or_default()
}

pub(super) fn refuse_existing(directory: &Path) -> Result<(), ClientError> {
    if Profile::exists(directory) {
        return Err(ClientError::ProfileExists(directory.display().to_string()));
    }
    Ok(())
}

pub(super) async fn open_store(directory: &Path, unlock: Unlock) -> Result<(Store, Opened), ClientError> {
    if !Profile::exists(directory) {
        let place = directory.display().to_string();
        let cut_off = building::was_cut_off(directory);
        return Err(if cut_off { ClientError::Unfinished(place) } else { ClientError::NoProfile(place) });
    }
    // Left by a creation that was cut off when all but this was done.
    let _ = std::fs::remove_file(directory.join(STORE).join(LOCK));
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
