//! The cipher suites that Kith speaks.

use openmls::prelude::Ciphersuite;
use openmls_traits::types::HpkeConfig;

use super::MlsError;

/// A cipher suite. Its number is stored with each group, since the draft may renumber it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// ML-KEM-768 + X25519 (X-Wing), AES-128-GCM, SHA-256, Ed25519: `0x004F` of draft-ietf-mls-pq-ciphersuites.
    XWing,
    /// X25519, AES-128-GCM, SHA-256, Ed25519: `0x0001` of RFC 9420. Cheap, for the simulator; the product never creates with it.
    X25519,
}

impl Suite {
    /// The suite of new groups.
    pub const DEFAULT: Self = Self::XWing;

    /// All, preferred first.
    pub const ALL: [Self; 2] = [Self::XWing, Self::X25519];

    /// Its number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::XWing => 0x004F,
            Self::X25519 => 0x0001,
        }
    }

    /// The suite with this number.
    ///
    /// # Errors
    /// If Kith does not speak it.
    pub fn from_number(number: u16) -> Result<Self, MlsError> {
        Self::ALL.into_iter().find(|suite| suite.number() == number).ok_or(MlsError::Unsupported("cipher suite"))
    }

    /// Bytes of a public key of its KEM.
    pub const fn public_key_bytes(self) -> usize {
        match self {
            Self::XWing => 1216,
            Self::X25519 => 32,
        }
    }

    /// Bytes of an encapsulated secret of its KEM.
    pub const fn encapsulated_bytes(self) -> usize {
        match self {
            Self::XWing => 1120,
            Self::X25519 => 32,
        }
    }

    pub(super) const fn ciphersuite(self) -> Ciphersuite {
        match self {
            Self::XWing => Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519,
            Self::X25519 => Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
        }
    }

    pub(super) fn from_ciphersuite(suite: Ciphersuite) -> Result<Self, MlsError> {
        Self::from_number(suite.into())
    }

    pub(super) fn hpke(self) -> HpkeConfig {
        self.ciphersuite().hpke_config()
    }
}
