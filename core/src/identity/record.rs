//! The account record: what an account says of itself, signed by its root key; relays pass it on and cannot change it.
//!
//! It holds no name and no handle. Which of two records counts is [`Tracker`](super::Tracker)'s to say.
//!
//! Invariant: an [`AccountRecord`] is signed by the root key it names, and every certificate in it is verified and of the
//! same account. Its hash is the SHA-256 of the signed body, which no re-encoding of the envelope changes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::certificate::{DeviceCertificate, UnverifiedCertificate};
use super::error::FormatError;
use super::keys::{Context, PublicKey, RootKey, sha256};
use super::relay_key::RelayId;
use super::signed::{Envelope, decode};
use crate::types::{AccountId, DeviceId, Hash, Timestamp};
use crate::wire::codec::{Body, DecodeError};

const WHAT: &str = "an account record";

/// Devices of one account: more than a person owns, few enough to check all signatures in some ten milliseconds.
const MAX_DEVICES: usize = 64;
/// Relays of one account; one serves, the others are for moving and for spare.
const MAX_RELAYS: usize = 8;
/// Addresses of one relay: a few nodes over two transports and two families of addresses.
const MAX_ADDRESSES: usize = 16;
/// A multiaddr as text, with a DNS name of 253 bytes, a path and a peer id.
const MAX_ADDRESS_BYTES: usize = 512;
/// Prekeys: the present one and the last, of two suites, with room.
pub const MAX_PREKEYS: usize = 8;
/// An HPKE public key; X-Wing's has 1216 bytes.
const MAX_PREKEY_BYTES: usize = 2048;
/// What an account's devices understand beyond the first version.
const MAX_FEATURES: usize = 64;
/// The name of a feature.
const MAX_FEATURE_BYTES: usize = 64;

/// A relay of an account and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayAddress {
    /// Its identity key.
    #[serde(rename = "k")]
    pub relay: RelayId,
    /// Multiaddrs with peer ids, as text; at most 16 of 512 bytes.
    #[serde(rename = "m")]
    pub addresses: Vec<String>,
}

impl RelayAddress {
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        if self.addresses.len() > MAX_ADDRESSES {
            return Err(DecodeError::OutOfBounds("a relay has too many addresses"));
        }
        if self.addresses.iter().any(|address| address.is_empty() || address.len() > MAX_ADDRESS_BYTES) {
            return Err(DecodeError::OutOfBounds("an address of a relay is empty or too long"));
        }
        Ok(())
    }
}

/// A public key that a stranger seals a contact request to (HPKE, RFC 9180).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prekey {
    /// The number of the MLS ciphersuite whose HPKE this key is for.
    #[serde(rename = "s")]
    pub suite: u16,
    /// Names the key, so that the account finds the private half.
    #[serde(rename = "i")]
    pub id: u32,
    /// The public key; at most 2048 bytes.
    #[serde(rename = "b", with = "serde_bytes")]
    pub key: Vec<u8>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordBody {
    /// Counts from 1, one up with every change.
    pub version: u64,
    /// The hash of the version before; none in version 1.
    pub predecessor: Option<Hash>,
    /// Its devices; at most 64.
    pub devices: Vec<DeviceCertificate>,
    /// Its relays, the preferred one first; at most 8.
    pub relays: Vec<RelayAddress>,
    /// Keys for contact requests; at most 8.
    pub prekeys: Vec<Prekey>,
    /// What its devices understand; at most 64 names.
    pub features: Vec<String>,
    /// When it was made, as the clock of the signing device said.
    pub created: Timestamp,
}

/// Names one version of an account's record; travels inside events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordHead {
    /// The version.
    #[serde(rename = "v")]
    pub version: u64,
    /// The hash of the signed body.
    #[serde(rename = "h")]
    pub hash: Hash,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fields {
    #[serde(rename = "a")]
    account_root: PublicKey,
    #[serde(rename = "v")]
    version: u64,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    predecessor: Option<Hash>,
    #[serde(rename = "d")]
    devices: Vec<serde_bytes::ByteBuf>,
    #[serde(rename = "r")]
    relays: Vec<RelayAddress>,
    #[serde(rename = "k")]
    prekeys: Vec<Prekey>,
    #[serde(rename = "x")]
    features: Vec<String>,
    #[serde(rename = "c")]
    created: Timestamp,
}

impl Body for Fields {
    const MAX_BYTES: usize = AccountRecord::MAX_BYTES;

    fn check(&self) -> Result<(), DecodeError> {
        let invalid = |why| Err(DecodeError::OutOfBounds(why));
        if self.version == 0 {
            return invalid("versions begin with 1");
        }
        if self.predecessor.is_some() != (self.version > 1) {
            return invalid("every version but the first names its predecessor");
        }
        if self.devices.is_empty() || self.devices.len() > MAX_DEVICES {
            return invalid("it has no device or too many");
        }
        if self.relays.len() > MAX_RELAYS {
            return invalid("it has too many relays");
        }
        let prekeys_fit = self.prekeys.iter().all(|prekey| prekey.key.len() <= MAX_PREKEY_BYTES);
        if self.prekeys.len() > MAX_PREKEYS || !prekeys_fit {
            return invalid("it has too many prekeys or too large ones");
        }
        let features_fit = self.features.iter().all(|feature| feature.len() <= MAX_FEATURE_BYTES);
        if self.features.len() > MAX_FEATURES || !features_fit {
            return invalid("it has too many features or too long names");
        }
        self.relays.iter().try_for_each(RelayAddress::check)
    }
}

/// A record as it was received: its form and bounds are right, its signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedRecord {
    envelope: Envelope,
    body: Fields,
}

impl UnverifiedRecord {
    /// Reads one.
    ///
    /// # Errors
    /// [`FormatError`] when it is too large, malformed, of another format or out of bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let envelope: Envelope = decode(bytes, AccountRecord::MAX_BYTES, WHAT)?;
        let body: Fields = decode(&envelope.body, AccountRecord::MAX_BYTES, WHAT)?;
        Ok(Self { envelope, body })
    }

    /// Checks the signature and every certificate.
    ///
    /// # Errors
    /// [`FormatError`] when one of them is not valid, or a device is another account's or listed twice.
    pub fn verify(self) -> Result<AccountRecord, FormatError> {
        self.body.account_root.verify(Context::Record, &self.envelope.body, &self.envelope.signature)?;
        self.assemble(UnverifiedCertificate::verify)
    }

    fn assemble(
        self,
        certificate: impl Fn(UnverifiedCertificate) -> Result<DeviceCertificate, FormatError>,
    ) -> Result<AccountRecord, FormatError> {
        let Self { envelope, body } = self;
        let mut devices = Vec::with_capacity(body.devices.len());
        let mut seen = BTreeSet::new();
        for bytes in &body.devices {
            let certificate = certificate(UnverifiedCertificate::decode(bytes)?)?;
            if certificate.account_root() != body.account_root {
                return Err(FormatError::Invalid { what: WHAT, why: "a device is another account's" });
            }
            let keys = [certificate.events_key(), certificate.transport_key(), certificate.mls_key()];
            if keys.into_iter().any(|key| !seen.insert(key)) {
                return Err(FormatError::Invalid { what: WHAT, why: "two devices share a key" });
            }
            devices.push(certificate);
        }
        let hash = Hash::new(sha256(&[&envelope.body]));
        let content = RecordBody {
            version: body.version,
            predecessor: body.predecessor,
            devices,
            relays: body.relays,
            prekeys: body.prekeys,
            features: body.features,
            created: body.created,
        };
        Ok(AccountRecord { envelope, account_root: body.account_root, hash, content })
    }
}

/// A verified record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    envelope: Envelope,
    account_root: PublicKey,
    hash: Hash,
    content: RecordBody,
}

impl AccountRecord {
    /// The most bytes one may have: 64 devices and all prekeys fit.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The root key signs what the account says of itself.
    ///
    /// # Errors
    /// [`FormatError`] when it is out of bounds or a device is not the account's.
    pub fn sign(root: &RootKey, content: RecordBody) -> Result<Self, FormatError> {
        let body = Fields {
            account_root: root.public(),
            version: content.version,
            predecessor: content.predecessor,
            devices: content.devices.iter().map(|device| device.encode().into()).collect(),
            relays: content.relays,
            prekeys: content.prekeys,
            features: content.features,
            created: content.created,
        }
        .encode();
        let signature = root.sign(Context::Record, &body);
        UnverifiedRecord::decode(&Envelope { body, signature, proof: None }.encode())?.verify()
    }

    /// What the next version says if nothing but its number changes; the caller changes it and signs it.
    pub fn successor(&self, created: Timestamp) -> RecordBody {
        RecordBody {
            version: self.content.version.saturating_add(1),
            predecessor: Some(self.hash),
            created,
            ..self.content.clone()
        }
    }

    /// Reads and verifies one.
    ///
    /// # Errors
    /// As [`UnverifiedRecord::decode`] and [`UnverifiedRecord::verify`].
    pub fn decode_verified(bytes: &[u8]) -> Result<Self, FormatError> {
        UnverifiedRecord::decode(bytes)?.verify()
    }

    /// Reads one that this device verified before it stored it: stored values are sealed, so that nobody else can have put it there.
    ///
    /// # Errors
    /// As [`AccountRecord::decode_verified`], but for signatures.
    pub fn decode_stored(bytes: &[u8]) -> Result<Self, FormatError> {
        UnverifiedRecord::decode(bytes)?.assemble(|certificate| Ok(certificate.trust()))
    }

    /// Its bytes, with the body as it was received.
    pub fn encode(&self) -> Vec<u8> {
        self.envelope.encode()
    }

    /// The account.
    pub fn account_id(&self) -> AccountId {
        self.account_root.account_id()
    }

    /// The account's root key.
    pub fn account_root(&self) -> PublicKey {
        self.account_root
    }

    /// The version.
    pub fn version(&self) -> u64 {
        self.content.version
    }

    /// The hash of the signed body.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its version and hash.
    pub fn head(&self) -> RecordHead {
        RecordHead { version: self.content.version, hash: self.hash }
    }

    /// What it says.
    pub fn content(&self) -> &RecordBody {
        &self.content
    }

    /// The account's devices.
    pub fn devices(&self) -> &[DeviceCertificate] {
        &self.content.devices
    }

    /// The certificate of one of its devices.
    pub fn device(&self, id: DeviceId) -> Option<&DeviceCertificate> {
        self.content.devices.iter().find(|certificate| certificate.device_id() == id)
    }

    /// The account's relays, the preferred one first.
    pub fn relays(&self) -> &[RelayAddress] {
        &self.content.relays
    }

    /// What its devices understand beyond what all do.
    pub fn features(&self) -> &[String] {
        &self.content.features
    }

    /// Keys for contact requests.
    pub fn prekeys(&self) -> &[Prekey] {
        &self.content.prekeys
    }
}

#[cfg(test)]
mod tests;
