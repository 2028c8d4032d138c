//! Sealing to a prekey: contact requests and requests to be added again.
//!
//! HPKE in base mode with the KEM of a suite, HKDF-SHA256 and AES-128-GCM. It hides the content from all but the prekey's owner
//! and says nothing about who sealed it: whoever seals signs inside.
//!
//! Source: RFC 9180 §6.1.

use openmls::prelude::{HpkeCiphertext, OpenMlsCrypto as _};
use rand_core::RngCore as _;
use zeroize::Zeroizing;

use super::provider::Crypto;
use super::{MlsError, Suite};
use crate::types::Rng;

/// The largest sealed box in bytes: a card with the largest account record, a text of 1 kB and a key package.
pub const SEALED_MAX_BYTES: usize = 96 * 1024;

/// The secret half of a prekey; overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct PrekeySecret(Zeroizing<Vec<u8>>);

impl PrekeySecret {
    /// The secret with these bytes, as they were stored.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PrekeySecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PrekeySecret(…)")
    }
}

/// A sealed box: encapsulated secret ‖ ciphertext.
pub type Sealed = Vec<u8>;

/// Makes a prekey: the public key and its secret.
///
/// # Errors
/// If the library fails.
pub fn generate_prekey(suite: Suite, rng: &mut Rng) -> Result<(Vec<u8>, PrekeySecret), MlsError> {
    let mut material = Zeroizing::new([0; 32]);
    rng.fill_bytes(material.as_mut());
    let pair = Crypto::without_randomness()
        .derive_hpke_keypair(suite.hpke(), material.as_slice())
        .map_err(MlsError::internal)?;
    Ok((pair.public, PrekeySecret::from_bytes(pair.private.to_vec())))
}

/// Seals a plaintext to a prekey. `info` names the purpose, `aad` is authenticated beside it.
///
/// # Errors
/// [`MlsError::Malformed`] if the key is not one of the suite, [`MlsError::TooLarge`].
pub fn seal(
    suite: Suite,
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut Rng,
) -> Result<Sealed, MlsError> {
    MlsError::check_size(
        "sealed text",
        plaintext.len(),
        SEALED_MAX_BYTES.saturating_sub(suite.encapsulated_bytes() + 16),
    )?;
    if public.len() != suite.public_key_bytes() {
        return Err(MlsError::Malformed("prekey"));
    }
    let sealed = Crypto::seeded(rng)
        .hpke_seal(suite.hpke(), public, info, aad, plaintext)
        .map_err(|_| MlsError::Malformed("prekey"))?;
    Ok([sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()].concat())
}

/// Opens what was sealed to a prekey with the same `info` and `aad`.
///
/// # Errors
/// [`MlsError::Malformed`], [`MlsError::TooLarge`], or [`MlsError::Forged`] if it was sealed to another key, for another
/// purpose, or was changed.
pub fn open(
    suite: Suite,
    secret: &PrekeySecret,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, MlsError> {
    MlsError::check_size("sealed box", sealed.len(), SEALED_MAX_BYTES)?;
    let (encapsulated, ciphertext) =
        sealed.split_at_checked(suite.encapsulated_bytes()).ok_or(MlsError::Malformed("sealed box"))?;
    let input = HpkeCiphertext { kem_output: encapsulated.to_vec().into(), ciphertext: ciphertext.to_vec().into() };
    Crypto::without_randomness()
        .hpke_open(suite.hpke(), &input, secret.as_bytes(), info, aad)
        .map(Zeroizing::new)
        .map_err(|_| MlsError::Forged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_core::SeedableRng as _;

    use super::*;
    use crate::types::Rng;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_only() {
        for suite in Suite::ALL {
            let mut rng = Rng::from_seed([1; 32]);
            let (public, secret) = generate_prekey(suite, &mut rng).unwrap();
            let (_, other) = generate_prekey(suite, &mut rng).unwrap();
            let sealed = seal(suite, &public, b"request", b"to me", b"hello", &mut rng).unwrap();
            assert_eq!(open(suite, &secret, b"request", b"to me", &sealed).unwrap().as_slice(), b"hello");
            assert_eq!(open(suite, &secret, b"rejoin", b"to me", &sealed), Err(MlsError::Forged));
            assert_eq!(open(suite, &secret, b"request", b"to you", &sealed), Err(MlsError::Forged));
            assert_eq!(open(suite, &other, b"request", b"to me", &sealed), Err(MlsError::Forged));
        }
    }

    #[test]
    fn a_box_is_a_function_of_the_seed() {
        for suite in Suite::ALL {
            let [first, again, other] = [7, 7, 8].map(|seed| {
                let (public, _) = generate_prekey(suite, &mut Rng::from_seed([1; 32])).unwrap();
                seal(suite, &public, b"", b"", b"hello", &mut Rng::from_seed([seed; 32])).unwrap()
            });
            assert_eq!(first, again);
            assert_ne!(first, other);
        }
    }

    #[test]
    fn too_large_or_foreign_input_is_refused() {
        let mut rng = Rng::from_seed([1; 32]);
        let (public, secret) = generate_prekey(Suite::X25519, &mut rng).unwrap();
        let large = vec![0; SEALED_MAX_BYTES + 1];
        assert!(matches!(seal(Suite::X25519, &public, b"", b"", &large, &mut rng), Err(MlsError::TooLarge { .. })));
        assert!(matches!(open(Suite::X25519, &secret, b"", b"", &large), Err(MlsError::TooLarge { .. })));
        assert_eq!(seal(Suite::XWing, &public, b"", b"", b"", &mut rng), Err(MlsError::Malformed("prekey")));
    }

    proptest! {
        #[test]
        fn a_damaged_box_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8.., cut in 0_usize..40) {
            let mut rng = Rng::from_seed([1; 32]);
            let (public, secret) = generate_prekey(Suite::X25519, &mut rng).unwrap();
            let mut sealed = seal(Suite::X25519, &public, b"", b"", b"hello", &mut rng).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            // The top bit of an X25519 key is ignored (RFC 7748 §5), but HPKE binds the bytes of it.
            prop_assert!(open(Suite::X25519, &secret, b"", b"", &sealed).is_err());
            sealed[at] ^= flip;
            sealed.truncate(sealed.len().saturating_sub(cut + 1));
            prop_assert!(open(Suite::X25519, &secret, b"", b"", &sealed).is_err());
        }
    }
}
