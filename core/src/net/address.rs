//! Address records: where a device is, signed by it, sealed for its contacts, under a name that only they can work out.
//!
//! The relay that keeps one learns neither whose it is nor what is in it, and cannot tell two days' names to be the same device's.
//! It does not fetch or put them: the session does. Body: [`crate::wire::address::Addresses`].

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use libp2p::{Multiaddr, PeerId};
use rand_core::RngCore;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::types::{Hash, Rng, Timestamp};
use crate::wire::address::{Addresses, MAX_ADDRESSES, SEALED_BYTES, SIGNATURE_LABEL, SignedAddresses};
use crate::wire::codec::{Body, DecodeError, hash};

/// A day, for which a blinded name holds.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// Bytes of a sealed record before sealing: all have this length, so that it tells nothing.
const PADDED: usize = SEALED_BYTES - NONCE_LEN - 16;

/// Where a device says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressBook {
    /// Its transport key's peer id.
    pub peer: PeerId,
    /// Where it may be dialled, the best first, at most eight.
    pub addresses: Vec<Multiaddr>,
    /// Its relays, as [`super::RelayAddress`] text, through whose circuits it may be reached.
    pub relays: Vec<String>,
    /// When it was written, by the device's clock: the newest counts.
    pub written: Timestamp,
    /// Until when it counts.
    pub expires: Timestamp,
}

/// Why a sealed record does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not sealed with this key, or changed since.
    #[error("the address record was not sealed for us, or was changed")]
    Sealed,
    /// The seal is right, what is in it is not.
    #[error("the address record cannot be read: {0}")]
    Malformed(#[from] DecodeError),
    /// Signed by somebody else.
    #[error("the address record is not signed by that device")]
    Signature,
    /// Too old.
    #[error("the address record has expired")]
    Expired,
    /// More addresses than fit.
    #[error("the addresses do not fit into a record")]
    TooLarge,
}

/// The name under which a device's record is kept on the day of `now`: `hash("kith/address-name/1", [secret, day])`.
pub fn blinded_name(secret: &[u8; 32], now: Timestamp) -> Hash {
    let day = now.0 / DAY_MS;
    hash("kith/address-name/1", &[secret, &day.to_be_bytes()])
}

/// Signs with the device's events key and seals with a key that its contacts have (ChaCha20-Poly1305, RFC 8439).
///
/// # Errors
/// [`AddressError::TooLarge`].
pub fn seal_addresses(
    book: &AddressBook,
    signer: &SigningKey,
    key: &[u8; 32],
    rng: &mut Rng,
) -> Result<Vec<u8>, AddressError> {
    if book.addresses.len() > MAX_ADDRESSES || book.relays.len() > MAX_ADDRESSES {
        return Err(AddressError::TooLarge);
    }
    let body = Addresses {
        peer: book.peer.to_bytes(),
        addresses: book.addresses.iter().map(|address| address.to_vec().into()).collect(),
        relays: book.relays.clone(),
        written: book.written,
        expires: book.expires,
    };
    let body = body.encode();
    let signature = signer.sign(&signed_bytes(&body)).to_bytes().to_vec();
    let mut bytes = SignedAddresses { body, signature }.encode();
    let length = u16::try_from(bytes.len()).map_err(|_| AddressError::TooLarge)?;
    let mut plain = length.to_be_bytes().to_vec();
    plain.append(&mut bytes);
    if plain.len() > PADDED {
        return Err(AddressError::TooLarge);
    }
    plain.resize(PADDED, 0);
    let mut nonce = [0; NONCE_LEN];
    rng.fill_bytes(&mut nonce);
    let sealing = Nonce::assume_unique_for_key(nonce);
    cipher(key)?
        .seal_in_place_append_tag(sealing, Aad::from(SIGNATURE_LABEL), &mut plain)
        .map_err(|_| AddressError::Sealed)?;
    let mut sealed = nonce.to_vec();
    sealed.append(&mut plain);
    Ok(sealed)
}

/// Opens a record, which counts if the device's events key signed it and it has not expired.
///
/// # Errors
/// [`AddressError`].
pub fn open_addresses(
    sealed: &[u8],
    signer: &VerifyingKey,
    key: &[u8; 32],
    now: Timestamp,
) -> Result<AddressBook, AddressError> {
    if sealed.len() != SEALED_BYTES {
        return Err(AddressError::Sealed);
    }
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(AddressError::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| AddressError::Sealed)?;
    let mut sealed = sealed.to_vec();
    let plain =
        cipher(key)?.open_in_place(nonce, Aad::from(SIGNATURE_LABEL), &mut sealed).map_err(|_| AddressError::Sealed)?;
    let (length, rest) = plain.split_first_chunk::<2>().ok_or(AddressError::Sealed)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let bytes = rest.get(..length).ok_or(AddressError::Malformed(DecodeError::OutOfBounds("length")))?;
    let signed = SignedAddresses::decode(bytes)?;
    let signature = Signature::from_slice(&signed.signature).map_err(|_| AddressError::Signature)?;
    signer.verify(&signed_bytes(&signed.body), &signature).map_err(|_| AddressError::Signature)?;
    let body = Addresses::decode(&signed.body)?;
    if body.expires < now {
        return Err(AddressError::Expired);
    }
    let peer = PeerId::from_bytes(&body.peer).map_err(|_| DecodeError::OutOfBounds("peer"))?;
    let addresses = body.addresses.into_iter().map(|bytes| Multiaddr::try_from(bytes.into_vec()));
    let addresses = addresses.collect::<Result<_, _>>().map_err(|_| DecodeError::OutOfBounds("address"))?;
    Ok(AddressBook { peer, addresses, relays: body.relays, written: body.written, expires: body.expires })
}

fn signed_bytes(body: &[u8]) -> Vec<u8> {
    [SIGNATURE_LABEL.as_bytes(), &[0], body].concat()
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, AddressError> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map_err(|_| AddressError::Sealed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_core::SeedableRng;

    use super::*;
    use crate::net::TransportKey;
    use crate::types::Rng;

    const KEY: [u8; 32] = [7; 32];

    fn signer() -> SigningKey {
        SigningKey::from_bytes(&[3; 32])
    }

    fn book(addresses: usize) -> AddressBook {
        AddressBook {
            peer: TransportKey::from_seed([1; 32].into()).unwrap().peer(),
            addresses: (0..addresses).map(|n| format!("/ip4/203.0.113.{n}/udp/1/quic-v1").parse().unwrap()).collect(),
            relays: vec!["/ip4/203.0.113.9/tcp/4001/p2p/12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X".into()],
            written: Timestamp(1_000),
            expires: Timestamp(2_000),
        }
    }

    fn sealed(addresses: usize) -> Vec<u8> {
        seal_addresses(&book(addresses), &signer(), &KEY, &mut Rng::seed_from_u64(1)).unwrap()
    }

    #[test]
    fn a_record_is_opened_by_its_key_and_shows_nothing_by_its_length() {
        for addresses in [0, 1, 8] {
            let sealed = sealed(addresses);
            assert_eq!(sealed.len(), SEALED_BYTES);
            let opened = open_addresses(&sealed, &signer().verifying_key(), &KEY, Timestamp(1_500));
            assert_eq!(opened, Ok(book(addresses)));
        }
    }

    #[test]
    fn a_record_of_another_key_signer_or_time_does_not_count() {
        let sealed = sealed(2);
        let (ours, now) = (signer().verifying_key(), Timestamp(1_500));
        assert_eq!(open_addresses(&sealed, &ours, &[8; 32], now), Err(AddressError::Sealed));
        let other = SigningKey::from_bytes(&[4; 32]).verifying_key();
        assert_eq!(open_addresses(&sealed, &other, &KEY, now), Err(AddressError::Signature));
        assert_eq!(open_addresses(&sealed, &ours, &KEY, Timestamp(2_001)), Err(AddressError::Expired));
    }

    #[test]
    fn more_than_eight_addresses_are_refused() {
        let refused = seal_addresses(&book(9), &signer(), &KEY, &mut Rng::seed_from_u64(1));
        assert_eq!(refused, Err(AddressError::TooLarge));
    }

    #[test]
    fn a_blinded_name_holds_for_a_day_and_one_secret() {
        let noon = Timestamp(DAY_MS * 100 + DAY_MS / 2);
        assert_eq!(blinded_name(&KEY, noon), blinded_name(&KEY, noon.plus_ms(1)));
        assert_ne!(blinded_name(&KEY, noon), blinded_name(&KEY, noon.plus_ms(DAY_MS)));
        assert_ne!(blinded_name(&KEY, noon), blinded_name(&[8; 32], noon));
    }

    proptest! {
        #[test]
        fn a_changed_record_is_refused(place in 0..SEALED_BYTES, bit in 0..8_u8) {
            let mut sealed = sealed(2);
            sealed[place] ^= 1 << bit;
            let opened = open_addresses(&sealed, &signer().verifying_key(), &KEY, Timestamp(1_500));
            prop_assert_eq!(opened, Err(AddressError::Sealed));
        }
    }
}
