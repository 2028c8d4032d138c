//! The relay's secrets, in one file beside its store: made at the first run, never again.
//!
//! The identity key, which accounts name; the node's libp2p key; OPAQUE's server secrets, without which nobody can log in any more;
//! the key of contact challenges. All of them belong to a backup.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kith_core::identity::opaque::ServerSetup;
use kith_core::identity::{RelayKey, Seed};
use kith_core::store::write_private;
use kith_core::types::Rng;
use kith_core::wire::codec::Body;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::domain;

/// The file's name in the data directory.
pub const FILE: &str = "relay.keys";

/// The relay's keys could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a store and no key file: a new identity would lock out everybody.
    #[error("{0} is missing beside an existing store: put it back or restore a backup")]
    Missing(PathBuf),
    /// The file is not a key file.
    #[error("{0} is not a key file of a relay: put the right one back or restore a backup")]
    Damaged(PathBuf),
    /// The operating system refused.
    #[error("{path} could not be used: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    #[serde(rename = "i", with = "serde_bytes")]
    identity: Vec<u8>,
    #[serde(rename = "n", with = "serde_bytes")]
    node: Vec<u8>,
    #[serde(rename = "o", with = "serde_bytes")]
    opaque: Vec<u8>,
    #[serde(rename = "c", with = "serde_bytes")]
    challenge: Vec<u8>,
}

impl Body for KeyFile {
    const MAX_BYTES: usize = 4096;
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        for secret in [&mut self.identity, &mut self.node, &mut self.opaque, &mut self.challenge] {
            secret.zeroize();
        }
    }
}

/// The relay's secrets.
#[derive(Debug)]
pub struct Secrets {
    /// What the domain needs.
    pub domain: domain::Keys,
    /// The seed of the node's libp2p key (Ed25519).
    pub node: Seed,
}

impl Secrets {
    /// Draws the secrets of a new relay.
    pub fn generate(rng: &mut Rng) -> Self {
        let identity = RelayKey::generate(rng);
        let opaque = ServerSetup::generate(rng, identity.relay_id());
        Self { domain: domain::Keys { identity, opaque, challenge: Seed::random(rng) }, node: Seed::random(rng) }
    }

    /// Reads the secrets of a data directory, or makes them at a first run.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(dir: &Path, first_run: bool, rng: &mut Rng) -> Result<Self, KeyError> {
        let path = dir.join(FILE);
        match File::open(&path) {
            Ok(file) => {
                let mut bytes = Zeroizing::new(Vec::new());
                file.take(KeyFile::MAX_BYTES as u64 + 1)
                    .read_to_end(&mut bytes)
                    .map_err(|error| io_error(&path, error))?;
                Self::decode(&bytes).ok_or(KeyError::Damaged(path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && first_run => {
                let secrets = Self::generate(rng);
                write(&path, &secrets.encode())?;
                Ok(secrets)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyError::Missing(path)),
            Err(error) => Err(io_error(&path, error)),
        }
    }

    /// Their bytes, for the key file and a backup.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let file = KeyFile {
            identity: self.domain.identity.seed().expose().to_vec(),
            node: self.node.expose().to_vec(),
            opaque: self.domain.opaque.to_secret_bytes().to_vec(),
            challenge: self.domain.challenge.expose().to_vec(),
        };
        Zeroizing::new(file.encode())
    }

    /// Reads such bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let file = KeyFile::decode(bytes).ok()?;
        let seed = |bytes: &[u8]| bytes.try_into().ok().map(Seed::new);
        let identity = RelayKey::from_seed(&seed(&file.identity)?);
        let opaque = ServerSetup::from_secret_bytes(&file.opaque, identity.relay_id()).ok()?;
        let challenge = seed(&file.challenge)?;
        Some(Self { domain: domain::Keys { identity, opaque, challenge }, node: seed(&file.node)? })
    }
}

/// Writes a file that only its owner may read, durable before it has its name.
///
/// # Errors
/// [`KeyError::Io`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    write_private(path, bytes).map_err(|error| io_error(path, io::Error::other(error)))
}

fn io_error(path: &Path, error: io::Error) -> KeyError {
    KeyError::Io { path: path.into(), error }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_only_their_owner_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = Rng::seed_from_u64(1);
        let made = Secrets::open(dir.path(), true, &mut rng).unwrap();
        let again = Secrets::open(dir.path(), false, &mut rng).unwrap();
        assert_eq!(made.encode(), again.encode());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_missing_key_file_is_never_replaced_beside_a_store() {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = Rng::seed_from_u64(1);
        assert!(matches!(Secrets::open(dir.path(), false, &mut rng), Err(KeyError::Missing(_))));
        std::fs::write(dir.path().join(FILE), b"\x01nonsense").unwrap();
        assert!(matches!(Secrets::open(dir.path(), true, &mut rng), Err(KeyError::Damaged(_))));
    }
}
