//! Accounts, devices, their keys and certificates, the vault and the log-in.
//!
//! Pure: bytes and randomness come in as arguments; it opens no socket, reads no clock and keeps no store.
//! It does not decide whom to trust: it says what a signature proves, and what a newer record changes.
//!
//! Invariants: what came from outside is an `Unverified…` until its signature was checked; bytes are kept as received;
//! no signature is valid in two places ([`Context`]); every format starts with a number; secrets are wiped when dropped
//! and print as `…`. Source: `docs/protocol-identity.md`, ADR 0005.

mod certificate;
mod error;
mod handle;
mod invite;
mod keys;
pub mod opaque;
pub mod password;
mod record;
mod recovery;
mod relay_key;
mod safety;
mod signed;
mod stretch;
mod tracker;
pub mod vault;

pub use certificate::{CertificateRequest, DeviceCertificate, LeafIdentity, UnverifiedCertificate};
pub use error::FormatError;
pub use handle::{FullHandle, Handle, HandleError, RelayPart};
pub use invite::Invite;
pub use keys::{Context, DeviceKeys, PublicKey, RootKey, Seed, Signature, SigningKey};
pub use record::{AccountRecord, MAX_PREKEYS, Prekey, RecordBody, RecordHead, RelayAddress, UnverifiedRecord};
pub use recovery::{RecoveryCode, RecoveryCodeError, verify_recovery};
pub use relay_key::{RelayId, RelayKey};
pub use safety::{Comparison, SafetyCode, SafetyNumber};
pub use stretch::Stretching;
pub use tracker::{Observation, Tracker};
