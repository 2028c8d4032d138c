//! Encapsulation from given randomness, the sender's half of HPKE.
//!
//! `hpke-rs` seeds itself from the operating system at each encapsulation. A simulation has to be a function of its seed, so
//! the one step that needs randomness is done here, from the caller's; the key schedule and the AEAD stay `hpke-rs`'s. Opening
//! needs no randomness and is the crypto provider's own.
//!
//! Source: RFC 9180 §4.1 (DHKEM), §5.1 (key schedule); draft-connolly-cfrg-xwing-kem-06 §5.4 (X-Wing, by the crate `x-wing`).

use hpke_rs::{Context, Hpke, Mode};
use hpke_rs_crypto::HpkeCrypto;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use openmls_traits::types::{CryptoError, HpkeAeadType, HpkeConfig, HpkeKdfType, HpkeKemType};
use x_wing::kem::TryKeyInit;
use zeroize::Zeroizing;

/// Bytes of randomness that an encapsulation takes: X-Wing's 64, of which DHKEM uses the first 32.
pub(super) const SEED_BYTES: usize = 64;

/// The secret that both sides get, and what carries it.
type Encapsulated = (Zeroizing<Vec<u8>>, Vec<u8>);

/// Sets up a sender in base mode: the encapsulated secret and the context that seals and exports.
pub(super) fn setup_sender(
    config: &HpkeConfig,
    public: &[u8],
    info: &[u8],
    seed: &[u8; SEED_BYTES],
) -> Result<(Vec<u8>, Context<HpkeRustCrypto>), CryptoError> {
    let kem = kem(config.0)?;
    let hpke = Hpke::<HpkeRustCrypto>::new(Mode::Base, kem, kdf(config.1), aead(config.2));
    let (shared, encapsulated) = match kem {
        KemAlgorithm::DhKem25519 => dh_encapsulate(&hpke, public, seed)?,
        _ => x_wing_encapsulate(public, seed)?,
    };
    let context = hpke.key_schedule(&shared, info, &[], &[]).map_err(|_| CryptoError::SenderSetupError)?;
    Ok((encapsulated, context))
}

/// Whether something can be sealed to a public key: its length is right and it stands for a point and a matrix.
pub(super) fn is_usable(config: &HpkeConfig, public: &[u8]) -> bool {
    setup_sender(config, public, &[], &[1; SEED_BYTES]).is_ok()
}

fn x_wing_encapsulate(public: &[u8], seed: &[u8; SEED_BYTES]) -> Result<Encapsulated, CryptoError> {
    let key = x_wing::EncapsulationKey::new_from_slice(public).map_err(|_| CryptoError::InvalidPublicKey)?;
    let (ciphertext, shared) = key.encapsulate_deterministic(&(*seed).into());
    Ok((Zeroizing::new(shared.as_slice().to_vec()), ciphertext.as_slice().to_vec()))
}

/// `Encap` of DHKEM(X25519, HKDF-SHA256).
fn dh_encapsulate(
    hpke: &Hpke<HpkeRustCrypto>,
    public: &[u8],
    seed: &[u8; SEED_BYTES],
) -> Result<Encapsulated, CryptoError> {
    const ALGORITHM: KemAlgorithm = KemAlgorithm::DhKem25519;
    const SHARED_BYTES: u16 = 32;
    let (material, _) = seed.split_at(32);
    let pair = hpke.derive_key_pair(material).map_err(|_| CryptoError::SenderSetupError)?;
    let (secret, ephemeral) = pair.into_keys();
    let ephemeral = ephemeral.as_slice().to_vec();
    let dh = HpkeRustCrypto::dh(ALGORITHM, public, secret.as_slice()).map_err(|_| CryptoError::InvalidPublicKey)?;
    let dh = Zeroizing::new(dh);

    let suite = [b"KEM".as_slice(), &(ALGORITHM as u16).to_be_bytes()].concat();
    let material = Zeroizing::new([b"HPKE-v1".as_slice(), &suite, b"eae_prk", &dh].concat());
    let failed = |_| CryptoError::SenderSetupError;
    let prk = HpkeRustCrypto::kdf_extract(KdfAlgorithm::HkdfSha256, &[], &material).map_err(failed)?;
    let prk = Zeroizing::new(prk);
    let info =
        [&SHARED_BYTES.to_be_bytes(), b"HPKE-v1".as_slice(), &suite, b"shared_secret", &ephemeral, public].concat();
    let shared = HpkeRustCrypto::kdf_expand(KdfAlgorithm::HkdfSha256, &prk, &info, usize::from(SHARED_BYTES));
    Ok((Zeroizing::new(shared.map_err(failed)?), ephemeral))
}

fn kem(kem: HpkeKemType) -> Result<KemAlgorithm, CryptoError> {
    match kem {
        HpkeKemType::DhKem25519 => Ok(KemAlgorithm::DhKem25519),
        HpkeKemType::XWingKemDraft6 => Ok(KemAlgorithm::XWingDraft06),
        _ => Err(CryptoError::UnsupportedCiphersuite),
    }
}

const fn kdf(kdf: HpkeKdfType) -> KdfAlgorithm {
    match kdf {
        HpkeKdfType::HkdfSha256 => KdfAlgorithm::HkdfSha256,
        HpkeKdfType::HkdfSha384 => KdfAlgorithm::HkdfSha384,
        HpkeKdfType::HkdfSha512 => KdfAlgorithm::HkdfSha512,
    }
}

const fn aead(aead: HpkeAeadType) -> AeadAlgorithm {
    match aead {
        HpkeAeadType::AesGcm128 => AeadAlgorithm::Aes128Gcm,
        HpkeAeadType::AesGcm256 => AeadAlgorithm::Aes256Gcm,
        HpkeAeadType::ChaCha20Poly1305 => AeadAlgorithm::ChaCha20Poly1305,
        HpkeAeadType::Export => AeadAlgorithm::HpkeExport,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mls::Suite;

    #[test]
    fn broken_keys_are_not_usable() {
        let x_wing = Suite::XWing.hpke();
        assert!(!is_usable(&x_wing, &[]));
        assert!(!is_usable(&x_wing, &[0; 32]));
        // A coefficient of the matrix beyond the field's prime (FIPS 203 §7.2).
        assert!(!is_usable(&x_wing, &[0xFF; 1216]));
        let x25519 = Suite::X25519.hpke();
        assert!(!is_usable(&x25519, &[9; 31]));
        // The point of order one gives the same secret to everybody (RFC 7748 §6.1).
        assert!(!is_usable(&x25519, &[0; 32]));
        assert!(is_usable(&x25519, &[9; 32]));
    }
}
