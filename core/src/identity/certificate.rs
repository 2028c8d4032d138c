//! Device certificates: the root key says which three keys are a device of its account, and the device agrees.
//!
//! Names are not in it: they travel end-to-end encrypted. A certificate does not expire and is not revoked by itself:
//! a device belongs to an account while the newest account record lists it.
//!
//! Invariant: a [`DeviceCertificate`] carries two valid signatures over the same bytes, the root key's and the events
//! key's. The second keeps an account from claiming somebody else's device as its own.

use serde::{Deserialize, Serialize};

use super::error::FormatError;
use super::keys::{Context, DeviceKeys, PublicKey, RootKey, Signature};
use super::signed::{Envelope, decode};
use crate::types::{AccountId, DeviceId, Timestamp};
use crate::wire::codec::Body;

const WHAT: &str = "a device certificate";
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Keys {
    #[serde(rename = "a")]
    account_root: PublicKey,
    #[serde(rename = "e")]
    events: PublicKey,
    #[serde(rename = "t")]
    transport: PublicKey,
    #[serde(rename = "m")]
    mls: PublicKey,
    #[serde(rename = "c")]
    created: Timestamp,
}

impl Body for Keys {
    const MAX_BYTES: usize = DeviceCertificate::MAX_BYTES;
}

/// What a new device asks the root key to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    body: Vec<u8>,
    proof: Signature,
}

#[derive(Serialize, Deserialize)]
struct RequestBytes {
    #[serde(rename = "b", with = "serde_bytes")]
    body: Vec<u8>,
    #[serde(rename = "p")]
    proof: Signature,
}

impl Body for RequestBytes {
    const MAX_BYTES: usize = DeviceCertificate::MAX_BYTES;
}

impl CertificateRequest {
    /// A device asks to belong to an account.
    pub fn new(account_root: PublicKey, device: &DeviceKeys, created: Timestamp) -> Self {
        let body = Keys {
            account_root,
            events: device.events.public(),
            transport: device.transport.public(),
            mls: device.mls.public(),
            created,
        }
        .encode();
        let proof = device.events.sign(Context::CertificateRequest, &body);
        Self { body, proof }
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        RequestBytes { body: self.body.clone(), proof: self.proof }.encode()
    }

    /// Reads one; whether its proof holds is checked when it is signed.
    ///
    /// # Errors
    /// [`FormatError`] when it is too large or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "a certificate request";
        let RequestBytes { body, proof } = decode(bytes, DeviceCertificate::MAX_BYTES, WHAT)?;
        Ok(Self { body, proof })
    }

    /// The root key signs it.
    ///
    /// # Errors
    /// [`FormatError`] when it is for another account, malformed, or not signed by the device.
    pub fn certify(self, root: &RootKey) -> Result<DeviceCertificate, FormatError> {
        let signature = root.sign(Context::Certificate, &self.body);
        let certificate =
            UnverifiedCertificate::new(Envelope { body: self.body, signature, proof: Some(self.proof) })?.verify()?;
        if certificate.account_root() != root.public() {
            return Err(FormatError::Invalid { what: WHAT, why: "it is for another account" });
        }
        Ok(certificate)
    }
}

/// A certificate as it was received: its form is right, its signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedCertificate {
    envelope: Envelope,
    body: Keys,
}

impl UnverifiedCertificate {
    fn new(envelope: Envelope) -> Result<Self, FormatError> {
        let body: Keys = decode(&envelope.body, DeviceCertificate::MAX_BYTES, WHAT)?;
        let keys = [body.account_root, body.events, body.transport, body.mls];
        let repeated =
            keys.iter().enumerate().any(|(place, key)| keys.iter().skip(place + 1).any(|other| other == key));
        if repeated {
            return Err(FormatError::Invalid { what: WHAT, why: "one key has two purposes" });
        }
        Ok(Self { envelope, body })
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`FormatError`] when it is too large, malformed, of another format, or uses one key for two purposes.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::new(decode(bytes, DeviceCertificate::MAX_BYTES, WHAT)?)
    }

    /// Checks both signatures.
    ///
    /// # Errors
    /// [`FormatError::BadSignature`] when one of them is missing or not valid.
    pub fn verify(self) -> Result<DeviceCertificate, FormatError> {
        let proof = self.envelope.proof.ok_or(FormatError::BadSignature { what: WHAT })?;
        self.body.account_root.verify(Context::Certificate, &self.envelope.body, &self.envelope.signature)?;
        self.body.events.verify(Context::CertificateRequest, &self.envelope.body, &proof)?;
        Ok(self.trust())
    }

    /// Takes its signatures for checked: of one that stands in a record that is, or was when it was stored.
    pub(super) fn trust(self) -> DeviceCertificate {
        DeviceCertificate { envelope: self.envelope, body: self.body }
    }
}

/// A verified certificate: these three keys are a device of this account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    envelope: Envelope,
    body: Keys,
}

impl DeviceCertificate {
    /// The most bytes one may have; today's have about 330, the rest is for fields of later versions.
    pub const MAX_BYTES: usize = 1024;

    /// The root key certifies a device that is at hand.
    ///
    /// # Errors
    /// [`FormatError::Invalid`] when one key has two purposes.
    pub fn issue(root: &RootKey, device: &DeviceKeys, created: Timestamp) -> Result<Self, FormatError> {
        CertificateRequest::new(root.public(), device, created).certify(root)
    }

    /// Its bytes, as they were received.
    pub fn encode(&self) -> Vec<u8> {
        self.envelope.encode()
    }

    /// Reads and verifies one.
    ///
    /// # Errors
    /// As [`UnverifiedCertificate::decode`] and [`UnverifiedCertificate::verify`].
    pub fn decode_verified(bytes: &[u8]) -> Result<Self, FormatError> {
        UnverifiedCertificate::decode(bytes)?.verify()
    }

    /// Reads one that this device verified before it stored it: stored values are sealed, so that nobody else can have put it there.
    ///
    /// # Errors
    /// As [`UnverifiedCertificate::decode`].
    pub fn decode_stored(bytes: &[u8]) -> Result<Self, FormatError> {
        Ok(UnverifiedCertificate::decode(bytes)?.trust())
    }

    /// The account.
    pub fn account_id(&self) -> AccountId {
        self.body.account_root.account_id()
    }

    /// The account's root key.
    pub fn account_root(&self) -> PublicKey {
        self.body.account_root
    }

    /// The device.
    pub fn device_id(&self) -> DeviceId {
        self.body.events.device_id()
    }

    /// The key that signs its events.
    pub fn events_key(&self) -> PublicKey {
        self.body.events
    }

    /// The key of its libp2p identity.
    pub fn transport_key(&self) -> PublicKey {
        self.body.transport
    }

    /// The key that signs in MLS groups.
    pub fn mls_key(&self) -> PublicKey {
        self.body.mls
    }

    /// When it was made, as the device's clock said.
    pub fn created(&self) -> Timestamp {
        self.body.created
    }
}

/// What an MLS leaf's credential carries (RFC 9420 §5.3): the certificate of the leaf's device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafIdentity {
    /// The device of this leaf.
    pub certificate: DeviceCertificate,
}

#[derive(Serialize, Deserialize)]
struct LeafBody {
    #[serde(rename = "d", with = "serde_bytes")]
    certificate: Vec<u8>,
}

impl Body for LeafBody {
    const MAX_BYTES: usize = LeafIdentity::MAX_BYTES;
}

impl LeafIdentity {
    /// The most bytes one may have.
    pub const MAX_BYTES: usize = DeviceCertificate::MAX_BYTES + 64;

    /// The identity of a device.
    pub fn new(certificate: DeviceCertificate) -> Self {
        Self { certificate }
    }

    /// The content of a basic credential.
    pub fn encode(&self) -> Vec<u8> {
        LeafBody { certificate: self.certificate.encode() }.encode()
    }

    /// Reads and verifies one. That the leaf's signature key is [`DeviceCertificate::mls_key`] is for the caller to check.
    ///
    /// # Errors
    /// [`FormatError`] when it or its certificate is malformed or not validly signed.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let body: LeafBody = decode(bytes, Self::MAX_BYTES, "a leaf's identity")?;
        Ok(Self { certificate: DeviceCertificate::decode_verified(&body.certificate)? })
    }
}

#[cfg(test)]
mod tests;
