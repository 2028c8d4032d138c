//! Ed25519 keys (RFC 8032), each with one purpose.
//!
//! What is signed is always `label ‖ 0 ‖ bytes`: the label of a [`Context`] has no zero byte, so a signature made in one
//! context is never valid in another. Verification is strict: small-order keys and non-canonical signatures are refused.
//! It does not store keys: a [`Seed`] goes into a sealed value of somebody else's.

use std::fmt;

use ed25519_dalek::Signer;
use rand_core::RngCore;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::error::FormatError;
use crate::types::{AccountId, DeviceId, Rng};
use crate::wire::codec::DecodeError;

/// Length of an Ed25519 public key and of its seed (RFC 8032 §5.1.5).
pub(crate) const KEY_LEN: usize = 32;
/// Length of an Ed25519 signature (RFC 8032 §5.1.6).
pub(crate) const SIGNATURE_LEN: usize = 64;

/// Where a signature counts. A signature is valid in one context only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The header of an event, by a device's events key.
    Event,
    /// An account record, by the root key.
    Record,
    /// A device certificate, by the root key.
    Certificate,
    /// A device certificate, by the events key it certifies: the device agrees to belong to this account.
    CertificateRequest,
    /// An entry of a home's log, by the relay's identity key or a device's events key.
    Log,
    /// What a relay says of itself: its nodes and their addresses.
    Relay,
    /// A key package's wrapper with its real expiry, by a device's events key.
    KeyPackage,
    /// A contact card, by a device's events key.
    Card,
    /// An address record, by a device's events key.
    Address,
    /// The challenge of a relay to a device that signs in.
    SignIn,
    /// A policy of a conversation or what belongs to it, by a device's events key.
    Policy,
    /// A device of the account asks its relay to change the account (record, vault), by the root key.
    Account,
    /// Somebody who has forgotten the password asks a relay for the vault, by the recovery code's key.
    Recovery,
}

impl Context {
    /// The label in front of what is signed.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Event => "kith/event/1",
            Self::Record => "kith/record/1",
            Self::Certificate => "kith/certificate/1",
            Self::CertificateRequest => "kith/certificate-request/1",
            Self::Log => "kith/log/1",
            Self::Relay => "kith/relay/1",
            Self::KeyPackage => "kith/key-package/1",
            Self::Card => "kith/card/1",
            Self::Address => "kith/address/1",
            Self::SignIn => "kith/sign-in/1",
            Self::Policy => "kith/policy/1",
            Self::Account => "kith/account-change/1",
            Self::Recovery => "kith/recover/1",
        }
    }

    fn message(self, bytes: &[u8]) -> Vec<u8> {
        [self.label().as_bytes(), &[0], bytes].concat()
    }
}

/// An Ed25519 public key as its 32 bytes; whether they are a point shows when a signature is checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; KEY_LEN]);

impl PublicKey {
    /// Wraps the bytes of a key.
    pub const fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// The account whose root key this is.
    pub fn account_id(&self) -> AccountId {
        AccountId::new(labelled_hash("kith/account/1", &self.0))
    }

    /// The device whose events key this is.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::new(labelled_hash("kith/device/1", &self.0))
    }

    /// Checks a signature strictly.
    ///
    /// # Errors
    /// [`FormatError::BadSignature`] when it is not this key's over these bytes in this context.
    pub fn verify(&self, context: Context, bytes: &[u8], signature: &Signature) -> Result<(), FormatError> {
        let bad = FormatError::BadSignature { what: context.label() };
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| bad.clone())?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&context.message(bytes), &signature).map_err(|_| bad)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = data_encoding::HEXLOWER.encode(&self.0).chars().take(8).collect();
        write!(formatter, "PublicKey({start})")
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = FormatError;

    fn try_from(bytes: &[u8]) -> Result<Self, FormatError> {
        bytes.try_into().map(Self).map_err(|_| FormatError::length("a public key"))
    }
}

/// An Ed25519 signature as its 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; SIGNATURE_LEN]);

impl Signature {
    /// Wraps the bytes of a signature.
    pub const fn new(bytes: [u8; SIGNATURE_LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_LEN] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signature(…)")
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = FormatError;

    fn try_from(bytes: &[u8]) -> Result<Self, FormatError> {
        bytes.try_into().map(Self).map_err(|_| FormatError::length("a signature"))
    }
}

macro_rules! serde_as_bytes {
    ($name:ident, $len:expr) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde_bytes::ByteArray::<{ $len }>::deserialize(deserializer).map(|bytes| Self(bytes.into_array()))
            }
        }
    };
}

serde_as_bytes!(PublicKey, KEY_LEN);
serde_as_bytes!(Signature, SIGNATURE_LEN);

/// 32 secret bytes from which a signing key is made. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; KEY_LEN]);

impl Seed {
    /// Wraps secret bytes.
    pub const fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Draws one.
    pub fn random(rng: &mut Rng) -> Self {
        let mut seed = Self([0; KEY_LEN]);
        rng.fill_bytes(&mut seed.0);
        seed
    }

    /// The secret bytes, for sealing or for a library that signs by itself (OpenMLS, libp2p).
    pub const fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(…)")
    }
}

/// A private signing key. Wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Draws a new one.
    pub fn generate(rng: &mut Rng) -> Self {
        Self::from_seed(&Seed::random(rng))
    }

    /// The key of a seed.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed.0))
    }

    /// Its seed.
    pub fn seed(&self) -> Seed {
        Seed(self.0.to_bytes())
    }

    /// Its public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes for one context.
    pub fn sign(&self, context: Context, bytes: &[u8]) -> Signature {
        Signature(self.0.sign(&context.message(bytes)).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

/// The root key of an account. It exists unwrapped only while it signs; at rest it is in the vault.
#[derive(Clone)]
pub struct RootKey(SigningKey);

impl RootKey {
    /// Draws the root key of a new account.
    pub fn generate(rng: &mut Rng) -> Self {
        Self(SigningKey::generate(rng))
    }

    /// The root key of a seed that came out of a vault.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(SigningKey::from_seed(seed))
    }

    /// Its seed, for the vault.
    pub fn seed(&self) -> Seed {
        self.0.seed()
    }

    /// Its public key.
    pub fn public(&self) -> PublicKey {
        self.0.public()
    }

    /// The account it is the root of.
    pub fn account_id(&self) -> AccountId {
        self.public().account_id()
    }

    /// Signs bytes for one context.
    pub fn sign(&self, context: Context, bytes: &[u8]) -> Signature {
        self.0.sign(context, bytes)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RootKey(…)")
    }
}

/// The three keys of a device.
#[derive(Debug, Clone)]
pub struct DeviceKeys {
    /// Signs its events; names the device.
    pub events: SigningKey,
    /// Its libp2p identity; may rotate.
    pub transport: SigningKey,
    /// Signs in MLS groups.
    pub mls: SigningKey,
}

impl DeviceKeys {
    /// The format number of their sealed bytes.
    const FORMAT: u8 = 1;
    /// Length of their bytes: the format number and three seeds.
    pub const LEN: usize = 1 + 3 * KEY_LEN;

    /// Draws the keys of a new device.
    pub fn generate(rng: &mut Rng) -> Self {
        Self { events: SigningKey::generate(rng), transport: SigningKey::generate(rng), mls: SigningKey::generate(rng) }
    }

    /// The id of the device.
    pub fn device_id(&self) -> DeviceId {
        self.events.public().device_id()
    }

    /// The secret bytes of the keys, to be sealed by the store.
    pub fn to_secret_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let (events, transport, mls) = (self.events.seed(), self.transport.seed(), self.mls.seed());
        let mut bytes = Vec::with_capacity(Self::LEN);
        bytes.push(Self::FORMAT);
        bytes.extend_from_slice(&events.0);
        bytes.extend_from_slice(&transport.0);
        bytes.extend_from_slice(&mls.0);
        zeroize::Zeroizing::new(bytes)
    }

    /// The keys of such bytes.
    ///
    /// # Errors
    /// [`FormatError`] for another format number or another length.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "the device's keys";
        let malformed = FormatError::length(WHAT);
        let (format, seeds) = bytes.split_first().ok_or_else(|| malformed.clone())?;
        if *format != Self::FORMAT {
            return Err(FormatError::Form { what: WHAT, why: DecodeError::UnknownFormat { found: *format } });
        }
        let (seeds, rest) = seeds.as_chunks::<KEY_LEN>();
        let [events, transport, mls] = seeds else { return Err(malformed) };
        if !rest.is_empty() {
            return Err(malformed);
        }
        let key = |seed: &[u8; KEY_LEN]| SigningKey::from_seed(&Seed::new(*seed));
        Ok(Self { events: key(events), transport: key(transport), mls: key(mls) })
    }
}

fn labelled_hash(label: &str, bytes: &[u8]) -> [u8; 32] {
    sha256(&[label.as_bytes(), bytes])
}

/// SHA-256 of the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &parts.concat()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;

    fn rng() -> Rng {
        Rng::seed_from_u64(1)
    }

    const ALL: [Context; 12] = [
        Context::Event,
        Context::Record,
        Context::Certificate,
        Context::CertificateRequest,
        Context::Log,
        Context::Relay,
        Context::KeyPackage,
        Context::Card,
        Context::Address,
        Context::SignIn,
        Context::Policy,
        Context::Account,
    ];

    #[test]
    fn a_signature_is_valid_in_its_own_context_only() {
        let key = SigningKey::generate(&mut rng());
        for made in ALL {
            let signature = key.sign(made, b"bytes");
            for checked in ALL {
                assert_eq!(key.public().verify(checked, b"bytes", &signature).is_ok(), made == checked);
            }
        }
    }

    #[test]
    fn a_signature_over_other_bytes_or_by_another_key_is_refused() {
        let mut rng = rng();
        let (key, other) = (SigningKey::generate(&mut rng), SigningKey::generate(&mut rng));
        let signature = key.sign(Context::Event, b"bytes");
        assert!(key.public().verify(Context::Event, b"byte5", &signature).is_err());
        assert!(other.public().verify(Context::Event, b"bytes", &signature).is_err());
    }

    #[test]
    fn a_small_order_key_verifies_nothing() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(PublicKey::new(identity).verify(Context::Event, b"any", &Signature::new(signature)).is_err());
    }

    #[test]
    fn device_keys_survive_their_bytes_and_nothing_shorter_or_longer_is_taken() {
        let keys = DeviceKeys::generate(&mut rng());
        let bytes = keys.to_secret_bytes();
        let again = DeviceKeys::from_secret_bytes(&bytes).unwrap();
        assert_eq!(again.device_id(), keys.device_id());
        assert_eq!(again.transport.public(), keys.transport.public());
        assert_eq!(again.mls.public(), keys.mls.public());
        for length in 0..bytes.len() {
            assert!(DeviceKeys::from_secret_bytes(&bytes[..length]).is_err());
        }
        assert!(DeviceKeys::from_secret_bytes(&[&bytes[..], &[0]].concat()).is_err());
        assert!(DeviceKeys::from_secret_bytes(&[&[2], &bytes[1..]].concat()).is_err());
    }

    #[test]
    fn secrets_do_not_print() {
        let keys = DeviceKeys::generate(&mut rng());
        let printed = format!("{keys:?} {:?} {:?}", keys.events.seed(), RootKey::generate(&mut rng()));
        assert_eq!(
            printed,
            "DeviceKeys { events: SigningKey(…), transport: SigningKey(…), mls: SigningKey(…) } Seed(…) RootKey(…)"
        );
    }
}
