//! A relay's identity key: accounts name it, nodes come and go. It signs the relay's nodes and its log entries.
//!
//! It is not a libp2p key: each node of a relay has its own of those.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::FormatError;
use super::keys::{Context, PublicKey, Seed, Signature, SigningKey};
use crate::types::Rng;
use crate::wire::codec::DecodeError;

/// A relay: its identity public key. Its text is base32, so that it can stand in a configuration file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RelayId(PublicKey);

impl RelayId {
    /// The relay of this identity key.
    pub const fn new(key: PublicKey) -> Self {
        Self(key)
    }

    /// The key that its signatures are checked with.
    pub const fn key(&self) -> PublicKey {
        self.0
    }

    /// The bytes of its key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Checks a signature of this relay.
    ///
    /// # Errors
    /// [`FormatError::BadSignature`] when it is not this relay's.
    pub fn verify(&self, context: Context, bytes: &[u8], signature: &Signature) -> Result<(), FormatError> {
        self.0.verify(context, bytes, signature)
    }
}

impl fmt::Display for RelayId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&BASE32_NOPAD.encode(self.as_bytes()).to_ascii_lowercase())
    }
}

impl fmt::Debug for RelayId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RelayId({})", self.to_string().chars().take(8).collect::<String>())
    }
}

impl std::str::FromStr for RelayId {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let error = FormatError::length("a relay's id");
        if text.len() > 64 {
            return Err(error);
        }
        let bytes = BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).map_err(|_| error)?;
        PublicKey::try_from(bytes.as_slice()).map(Self)
    }
}

/// The private identity key of a relay.
#[derive(Debug, Clone)]
pub struct RelayKey(SigningKey);

impl RelayKey {
    /// The format number of its secret bytes.
    const FORMAT: u8 = 1;

    /// Draws the key of a new relay.
    pub fn generate(rng: &mut Rng) -> Self {
        Self(SigningKey::generate(rng))
    }

    /// The key of a seed.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(SigningKey::from_seed(seed))
    }

    /// Its seed.
    pub fn seed(&self) -> Seed {
        self.0.seed()
    }

    /// The secret bytes for the relay's key file: a format number and the seed.
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&[Self::FORMAT], self.seed().expose().as_slice()].concat())
    }

    /// Reads what [`RelayKey::to_secret_bytes`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] for another format number or another length.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "a relay's key";
        let (format, seed) = bytes.split_first().ok_or(FormatError::length(WHAT))?;
        if *format != Self::FORMAT {
            return Err(FormatError::Form { what: WHAT, why: DecodeError::UnknownFormat { found: *format } });
        }
        let seed = seed.try_into().map_err(|_| FormatError::length(WHAT))?;
        Ok(Self::from_seed(&Seed::new(seed)))
    }

    /// The relay it is the key of.
    pub fn relay_id(&self) -> RelayId {
        RelayId(self.0.public())
    }

    /// Signs bytes for one context.
    pub fn sign(&self, context: Context, bytes: &[u8]) -> Signature {
        self.0.sign(context, bytes)
    }
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_relay_id_survives_its_text() {
        let key = RelayKey::generate(&mut Rng::seed_from_u64(1));
        assert_eq!(key.relay_id().to_string().parse(), Ok(key.relay_id()));
        assert!("short".parse::<RelayId>().is_err());
        assert!("a".repeat(100_000).parse::<RelayId>().is_err());
    }

    #[test]
    fn a_relay_key_survives_its_bytes_and_signs_as_its_id() {
        let key = RelayKey::generate(&mut Rng::seed_from_u64(2));
        let bytes = key.to_secret_bytes();
        let again = RelayKey::from_secret_bytes(&bytes).unwrap();
        let signature = again.sign(Context::Log, b"entry");
        assert_eq!(key.relay_id().verify(Context::Log, b"entry", &signature), Ok(()));
        assert!(key.relay_id().verify(Context::Relay, b"entry", &signature).is_err());
        assert!((0..bytes.len()).all(|length| RelayKey::from_secret_bytes(&bytes[..length]).is_err()));
        assert!(RelayKey::from_secret_bytes(&[&[2], &bytes[1..]].concat()).is_err());
    }
}
