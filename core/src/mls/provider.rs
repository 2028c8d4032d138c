//! The provider that OpenMLS is given: RustCrypto with the caller's randomness, and rows of one operation.
//!
//! There is one provider, in the product as in the simulator, so what is simulated is what runs. Where randomness comes from is
//! up to whoever makes the [`Rng`]: a driver seeds it from the operating system, the simulator from its seed.

use std::sync::{Mutex, PoisonError};

use openmls::prelude::tls_codec::SecretVLBytes;
use openmls::prelude::{Ciphersuite, HpkeCiphertext, OpenMlsCrypto, OpenMlsProvider, OpenMlsRand};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::types::{
    AeadType, CryptoError, ExporterSecret, HashType, HpkeConfig, HpkeKeyPair, KemOutput, SignatureScheme,
};
use rand_core::{RngCore, SeedableRng};
use zeroize::Zeroizing;

use super::chunks::Stored;
use super::kem::{self, SEED_BYTES};
use super::overlay::Rows;
use super::suite::Suite;
use crate::types::Rng;

/// Crypto, randomness and rows for one operation.
pub(super) struct Provider<'a> {
    pub(super) crypto: Crypto,
    pub(super) rows: Rows<'a>,
}

impl Provider<'_> {
    /// For an operation that touches the current epoch only.
    pub(super) fn leaving_the_past(self, stored: &Stored) -> Self {
        Self { rows: self.rows.leaving_the_past(stored), ..self }
    }
}

impl<'a> OpenMlsProvider for Provider<'a> {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Rows<'a>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.rows
    }

    fn crypto(&self) -> &Self::CryptoProvider {
        &self.crypto
    }

    fn rand(&self) -> &Self::RandProvider {
        &self.crypto
    }
}

/// RustCrypto's algorithms; every random byte comes from a stream that the caller's generator seeded.
pub(super) struct Crypto {
    /// Its own generator, seeded from the operating system when it is made, is never drawn from.
    algorithms: RustCrypto,
    /// OpenMLS wants a shared reference that threads may share; there is one thread and never a wait.
    rng: Option<Mutex<Rng>>,
}

impl Crypto {
    /// Draws a seed for one operation.
    pub(super) fn seeded(rng: &mut Rng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self { algorithms: RustCrypto::default(), rng: Some(Mutex::new(Rng::from_seed(*seed))) }
    }

    /// For what takes no randomness: verifying, opening, exporting. Whatever wants some fails.
    pub(super) fn without_randomness() -> Self {
        Self { algorithms: RustCrypto::default(), rng: None }
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        let rng = self.rng.as_ref().ok_or(CryptoError::InsufficientRandomness)?;
        rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
        Ok(())
    }

    fn encapsulation_seed(&self) -> Result<Zeroizing<[u8; SEED_BYTES]>, CryptoError> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        self.fill(seed.as_mut())?;
        Ok(seed)
    }
}

impl OpenMlsRand for Crypto {
    type Error = CryptoError;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        Suite::from_ciphersuite(suite).map(|_| ()).map_err(|_| CryptoError::UnsupportedCiphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        Suite::ALL.map(Suite::ciphersuite).to_vec()
    }

    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.algorithms.hkdf_extract(hash, salt, ikm)
    }

    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.algorithms.hmac(hash, key, message)
    }

    fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
        self.algorithms.hkdf_expand(hash, prk, info, len)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.algorithms.hash(hash, data)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.algorithms.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        sealed: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.algorithms.aead_decrypt(alg, key, sealed, nonce, aad)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        if alg != SignatureScheme::ED25519 {
            return Err(CryptoError::UnsupportedSignatureScheme);
        }
        let mut seed = Zeroizing::new([0; 32]);
        self.fill(seed.as_mut())?;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        Ok((seed.to_vec(), key.verifying_key().to_bytes().to_vec()))
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        public: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.algorithms.verify_signature(alg, data, public, signature)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.algorithms.sign(alg, data, key)
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let seed = self.encapsulation_seed()?;
        let (encapsulated, mut context) = kem::setup_sender(&config, public, info, &seed)?;
        let ciphertext = context.seal(aad, plaintext).map_err(|_| CryptoError::HpkeEncryptionError)?;
        Ok(HpkeCiphertext { kem_output: encapsulated.into(), ciphertext: ciphertext.into() })
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        secret: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.algorithms.hpke_open(config, input, secret, info, aad)
    }

    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        public: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        let seed = self.encapsulation_seed()?;
        let (encapsulated, context) = kem::setup_sender(&config, public, info, &seed)?;
        let exported = context.export(exporter_context, exporter_length).map_err(|_| CryptoError::ExporterError)?;
        Ok((encapsulated, exported.into()))
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        encapsulated: &[u8],
        secret: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.algorithms.hpke_setup_receiver_and_export(
            config,
            encapsulated,
            secret,
            info,
            exporter_context,
            exporter_length,
        )
    }

    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        self.algorithms.derive_hpke_keypair(config, ikm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_randomness_nothing_random_is_made() {
        let crypto = Crypto::without_randomness();
        assert_eq!(crypto.random_vec(4), Err(CryptoError::InsufficientRandomness));
        assert_eq!(crypto.random_array::<4>(), Err(CryptoError::InsufficientRandomness));
        assert!(crypto.signature_key_gen(SignatureScheme::ED25519).is_err());
        assert!(crypto.hpke_seal(Suite::X25519.hpke(), &[9; 32], b"", b"", b"").is_err());
    }

    #[test]
    fn both_suites_are_offered_and_supported() {
        let crypto = Crypto::without_randomness();
        assert_eq!(crypto.supported_ciphersuites().len(), 2);
        for suite in crypto.supported_ciphersuites() {
            assert_eq!(crypto.supports(suite), Ok(()));
            assert_eq!(RustCrypto::default().supports(suite), Ok(()));
        }
        assert!(crypto.supports(Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256).is_err());
    }
}
