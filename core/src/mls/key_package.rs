//! Key packages: what one gives out to be added, and what one takes of others.
//!
//! When a key package expires is not known here: its MLS lifetime is unlimited, since OpenMLS checks lifetimes with the system
//! clock of every receiver, and the signed wrapper that carries it says until when it may be used.
//!
//! Source: RFC 9420 §10; DESIGN §4.

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    BasicCredential, Ciphersuite, CredentialWithKey, KeyPackageIn, Lifetime, OpenMlsProvider as _, ProtocolVersion,
};
use serde::Serialize;

use super::overlay::{Rows, unwrap_format};
use super::provider::{Crypto, Provider};
use super::value::to_value;
use super::{Context, IDENTITY_MAX_BYTES, LeafSigner, MlsError, Suite, kem, policy};
use crate::store::{Batch, Read, Table};

/// The largest key package in bytes: X-Wing's takes 2.7 kB, the rest is identity.
const KEY_PACKAGE_MAX_BYTES: usize = 16 * 1024;

/// Always valid; see the module's documentation.
pub(super) fn unlimited() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

pub(super) fn credential(signer: &LeafSigner, identity: &[u8]) -> Result<CredentialWithKey, MlsError> {
    MlsError::check_size("identity", identity.len(), IDENTITY_MAX_BYTES)?;
    Ok(CredentialWithKey {
        credential: BasicCredential::new(identity.to_vec()).into(),
        signature_key: signer.public().to_vec().into(),
    })
}

/// A key package of this device, ready to be given out. Its private part is in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKeyPackage {
    /// What is given out.
    pub bytes: Vec<u8>,
    /// Its hash reference: names it here and in the Welcome that uses it.
    pub reference: Vec<u8>,
}

impl OwnKeyPackage {
    /// Makes one for this identity. `last_resort`: it may be used more than once and is kept until it is deleted.
    ///
    /// # Errors
    /// If the identity is too large or the store does not answer.
    pub fn generate(
        context: &mut Context<'_>,
        suite: Suite,
        signer: &LeafSigner,
        identity: &[u8],
        last_resort: bool,
    ) -> Result<Self, MlsError> {
        let provider = Provider { crypto: Crypto::seeded(context.rng), rows: Rows::new(context.store, context.batch) };
        let mut builder = openmls::prelude::KeyPackage::builder()
            .key_package_lifetime(unlimited())
            .leaf_node_capabilities(policy::capabilities(provider.crypto()));
        if last_resort {
            builder = builder.mark_as_last_resort();
        }
        let bundle = builder
            .build(suite.ciphersuite(), &provider, signer, credential(signer, identity)?)
            .map_err(MlsError::internal)?;
        let reference = bundle.key_package().hash_ref(provider.crypto()).map_err(MlsError::internal)?;
        let bytes = bundle.key_package().tls_serialize_detached().map_err(MlsError::internal)?;
        let changes = provider.rows.finish(&Default::default())?;
        changes.apply(context.batch);
        Ok(Self { bytes, reference: reference.as_slice().to_vec() })
    }

    /// Deletes the private part of one, the last resort's too.
    pub fn delete(batch: &mut Batch, reference: &[u8]) {
        batch.delete(Table::KeyPackage, reference);
    }

    /// Whether the private part of one is here.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn is_stored(store: &dyn Read, reference: &[u8]) -> Result<bool, MlsError> {
        let Some(row) = store.get(Table::KeyPackage, reference)? else { return Ok(false) };
        unwrap_format(Table::KeyPackage, &row)?;
        Ok(true)
    }
}

/// Bytes that are said to be another device's key package.
#[derive(Debug, Clone)]
pub struct UnverifiedKeyPackage(KeyPackageIn);

impl UnverifiedKeyPackage {
    /// Parses one.
    ///
    /// # Errors
    /// [`MlsError::TooLarge`] or [`MlsError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MlsError> {
        MlsError::check_size("key package", bytes.len(), KEY_PACKAGE_MAX_BYTES)?;
        // Through a reader: the decoder of slices panics in debug builds when bytes are missing (`tls_codec` 0.5).
        let mut rest = bytes;
        let package = KeyPackageIn::tls_deserialize(&mut rest).map_err(|_| MlsError::Malformed("key package"))?;
        if rest.is_empty() { Ok(Self(package)) } else { Err(MlsError::Malformed("key package")) }
    }

    /// Checks its signatures, suite and capabilities. Whose it is, its identity says; what that is worth, the caller knows.
    ///
    /// # Errors
    /// [`MlsError::Forged`] or [`MlsError::Unsupported`].
    pub fn verify(self, suite: Suite) -> Result<KeyPackage, MlsError> {
        let crypto = Crypto::without_randomness();
        let package = self.0.validate(&crypto, ProtocolVersion::Mls10).map_err(|_| MlsError::Forged)?;
        if package.ciphersuite() != suite.ciphersuite() {
            return Err(MlsError::Unsupported("key package of another suite"));
        }
        if !policy::suffices(package.leaf_node().capabilities()) {
            return Err(MlsError::Unsupported("key package without Kith's capabilities"));
        }
        if !has_usable_keys(&package) {
            return Err(MlsError::Malformed("key package"));
        }
        let reference = package.hash_ref(&crypto).map_err(MlsError::internal)?.as_slice().to_vec();
        let identity = identity(package.leaf_node().credential())?;
        let signature_key = package.leaf_node().signature_key().as_slice().to_vec();
        Ok(KeyPackage { package, reference, identity, signature_key })
    }
}

/// Whether a Welcome and the commits to come can be sealed to it. One that cannot would keep everybody from committing.
pub(super) fn has_usable_keys(package: &openmls::prelude::KeyPackage) -> bool {
    let config = package.ciphersuite().hpke_config();
    kem::is_usable(&config, package.hpke_init_key().as_slice())
        && is_usable(package.ciphersuite(), package.leaf_node().encryption_key())
}

/// Whether one can seal to an encryption key of the tree.
pub(super) fn is_usable(suite: Ciphersuite, key: &impl Serialize) -> bool {
    let Ok(key) = to_value(key) else { return false };
    key.first_bytes().is_some_and(|key| kem::is_usable(&suite.hpke_config(), key))
}

/// The identity in a credential.
pub(super) fn identity(credential: &openmls::prelude::Credential) -> Result<Vec<u8>, MlsError> {
    let basic = BasicCredential::try_from(credential.clone())
        .map_err(|_| MlsError::Unsupported("credential of another kind than basic"))?;
    MlsError::check_size("identity", basic.identity().len(), IDENTITY_MAX_BYTES)?;
    Ok(basic.identity().to_vec())
}

/// Another device's key package, its signatures checked.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPackage {
    pub(super) package: openmls::prelude::KeyPackage,
    reference: Vec<u8>,
    identity: Vec<u8>,
    signature_key: Vec<u8>,
}

impl KeyPackage {
    /// The identity of the leaf that it makes.
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// The MLS signature key of the leaf that it makes.
    pub fn signature_key(&self) -> &[u8] {
        &self.signature_key
    }

    /// Its hash reference.
    pub fn reference(&self) -> &[u8] {
        &self.reference
    }

    /// Whether it is a last resort, which its owner replaces after use.
    pub fn is_last_resort(&self) -> bool {
        self.package.last_resort()
    }
}
