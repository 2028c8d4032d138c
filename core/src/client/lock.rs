//! Changing what opens a profile.
//!
//! The key ring is rewritten, whole or not at all, so that at each instant one of the two opens it. An account without a relay has its root
//! key in a vault beside the store: where the passphrase of the profile opens that too, it changes with it, and first, because the ring
//! says what opens the profile.

use std::path::Path;

use super::profile::{VAULT, step};
use super::{Client, ClientError};
use crate::chat::CommandError;
use crate::identity::password;
use crate::identity::vault::{Passphrase, Unlock, Vault, VaultError};
use crate::session::{self, OnboardingError};
use crate::store::{self, RingKey, StoreError};
use crate::wire::control::Lock;

impl From<Lock> for RingKey {
    fn from(lock: Lock) -> Self {
        match lock {
            Lock::Key(key) => Self::Raw(key),
            Lock::Passphrase(passphrase) => Self::Passphrase(passphrase),
        }
    }
}

impl Client {
    /// Carries out [`crate::wire::control::Request::ChangeLock`].
    pub(super) async fn change_lock(&self, from: Lock, to: Lock) -> Result<(), ClientError> {
        if matches!(&to, Lock::Passphrase(passphrase) if passphrase.is_empty()) {
            return Err(CommandError::Malformed("a passphrase is never empty".to_owned()).into());
        }
        let store = self.store().clone();
        // Stretching takes a while: not on the runtime's threads.
        let changed = tokio::task::spawn_blocking(move || {
            let opener = store.opened_by(&from.clone().into())?;
            if let (Lock::Passphrase(from), Lock::Passphrase(to)) = (&from, &to) {
                change_vault(&store.dir().join(VAULT), from, to)?;
            }
            step("vault changed");
            store.rotate(&opener, &to.into())?;
            step("ring changed");
            Ok(())
        });
        changed.await.map_err(|_| ClientError::Ending)?
    }
}

/// A vault that another passphrase opens, or none, is not this profile's passphrase's to change.
fn change_vault(path: &Path, from: &str, to: &str) -> Result<(), ClientError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(StoreError::from)?,
    };
    let vault = Vault::decode(&bytes)?;
    let opened = match vault.open(Unlock::Passphrase(Passphrase(from))) {
        Ok(opened) => opened,
        Err(VaultError::WrongSecret | VaultError::NoSuchWrap(_)) => return Ok(()),
        Err(error) => return Err(damaged(error)),
    };
    // It guards the account here, not only this device.
    password::check(to, None).map_err(OnboardingError::from)?;
    let next = vault.rewrap(&mut session::seeded(), &opened, vault.version(), Unlock::Passphrase(Passphrase(to)));
    Ok(store::write_private(path, &next.map_err(damaged)?.encode())?)
}

fn damaged(error: VaultError) -> ClientError {
    ClientError::Write(error.to_string())
}
