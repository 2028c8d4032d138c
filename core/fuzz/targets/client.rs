//! What only a whole client decodes: a group's policy, an address record, the list of models, sound files of others.

use kith_core::chat::policy::Policy;
use kith_core::net::open_addresses;
use kith_core::speech::{Manifest, Sound};
use kith_core::types::Timestamp;
use kith_core::wire::address::{SEALED_BYTES, SIGNATURE_LABEL, SignedAddresses};
use kith_core::wire::codec::Body as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{Target, fast, slow, wire};

pub const TARGETS: &[Target] = &[
    fast("address_record", address_record),
    fast("models", |bytes| std::str::from_utf8(bytes).is_ok_and(|text| Manifest::parse(text).is_ok())),
    fast("policy", wire::body::<Policy>),
    slow("sound_file", sound_file),
];

/// A few bytes may be an hour of silence: so much of it is enough.
const ENOUGH_SAMPLES: usize = 20_000_000;

fn sound_file(bytes: &[u8]) -> bool {
    let Ok(sound) = Sound::of_bytes(bytes.to_vec()) else { return false };
    let mut heard = 0;
    for block in sound {
        let Ok(samples) = block else { return false };
        assert!(samples.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0), "a sample is out of range");
        heard += samples.len();
        if heard > ENOUGH_SAMPLES {
            break;
        }
    }
    heard > 0
}

/// The bytes are what a contact signed and sealed.
fn address_record(body: &[u8]) -> bool {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let signature = key.sign(&[SIGNATURE_LABEL.as_bytes(), &[0], body].concat()).to_bytes().to_vec();
    let signed = SignedAddresses { body: body.to_vec(), signature }.encode();
    let Ok(length) = u16::try_from(signed.len()) else { return false };
    let mut plain = [length.to_be_bytes().as_slice(), &signed].concat();
    plain.resize(SEALED_BYTES - NONCE_LEN - CHACHA20_POLY1305.tag_len(), 0);
    let cipher = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[1; 32]).expect("a key"));
    let (nonce, bound) = (Nonce::assume_unique_for_key([0; NONCE_LEN]), Aad::from(SIGNATURE_LABEL));
    cipher.seal_in_place_append_tag(nonce, bound, &mut plain).expect("it is sealed");
    let sealed = [[0; NONCE_LEN].as_slice(), &plain].concat();
    open_addresses(&sealed, &key.verifying_key(), &[1; 32], Timestamp(0)).is_ok()
}
