use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use rand_core::SeedableRng;

use super::*;
use crate::types::Rng;

fn account(seed: u64) -> (RootKey, DeviceKeys) {
    let mut rng = Rng::seed_from_u64(seed);
    (RootKey::generate(&mut rng), DeviceKeys::generate(&mut rng))
}

fn certificate(seed: u64) -> DeviceCertificate {
    let (root, device) = account(seed);
    DeviceCertificate::issue(&root, &device, Timestamp(1_700_000_000_000)).unwrap()
}

#[test]
fn a_certificate_survives_its_bytes_and_names_account_and_keys() {
    let (root, device) = account(1);
    let read = DeviceCertificate::decode_verified(&certificate(1).encode()).unwrap();
    assert_eq!(read.account_id(), root.account_id());
    assert_eq!(read.device_id(), device.device_id());
    assert_eq!(read.events_key(), device.events.public());
    assert_eq!(read.transport_key(), device.transport.public());
    assert_eq!(read.mls_key(), device.mls.public());
    assert_eq!(read.created(), Timestamp(1_700_000_000_000));
    assert_eq!(read, certificate(1));
}

#[test]
fn the_first_format_is_still_read_and_written() {
    let bytes = include_bytes!("../fixtures/certificate-1.bin");
    assert_eq!(DeviceCertificate::decode_verified(bytes), Ok(certificate(1)));
    assert_eq!(certificate(1).encode(), bytes);
    let leaf = include_bytes!("../fixtures/leaf-identity-1.bin");
    assert_eq!(LeafIdentity::new(certificate(1)).encode(), leaf);
}

#[test]
fn a_leaf_identity_survives_its_bytes() {
    let leaf = LeafIdentity::new(certificate(1));
    assert_eq!(LeafIdentity::decode(&leaf.encode()), Ok(leaf));
}

#[test]
fn another_root_key_cannot_sign_for_the_account() {
    let (_, device) = account(1);
    let (other, _) = account(2);
    let request = CertificateRequest::new(account(1).0.public(), &device, Timestamp(1));
    assert!(request.certify(&other).is_err());
}

#[test]
fn an_account_cannot_claim_a_device_that_did_not_ask() {
    let (mallory, own) = account(2);
    let asked = CertificateRequest::new(mallory.public(), &own, Timestamp(1));
    let alices = CertificateRequest::new(mallory.public(), &account(1).1, Timestamp(1));
    let forged = CertificateRequest { body: alices.body, proof: asked.proof };
    assert!(matches!(forged.certify(&mallory), Err(FormatError::BadSignature { .. })));
}

#[test]
fn a_request_travels_to_the_device_that_has_the_root_key() {
    let (root, device) = account(1);
    let request = CertificateRequest::new(root.public(), &device, Timestamp(1_700_000_000_000));
    let received = CertificateRequest::decode(&request.encode()).unwrap();
    assert_eq!(received.certify(&root), Ok(certificate(1)));
}

#[test]
fn one_key_for_two_purposes_is_refused() {
    let (root, mut device) = account(1);
    device.mls = device.events.clone();
    let refused = DeviceCertificate::issue(&root, &device, Timestamp(1));
    assert!(matches!(refused, Err(FormatError::Invalid { .. })));
}

#[test]
fn a_certificate_without_the_devices_signature_is_refused() {
    let certificate = certificate(1);
    let envelope = Envelope { proof: None, ..certificate.envelope };
    assert!(DeviceCertificate::decode_verified(&envelope.encode()).is_err());
}

#[test]
fn another_format_too_many_bytes_and_every_cut_are_refused() {
    let bytes = certificate(1).encode();
    assert!((0..bytes.len()).all(|length| UnverifiedCertificate::decode(&bytes[..length]).is_err()));
    assert!(UnverifiedCertificate::decode(&[&bytes[..], &[0]].concat()).is_err());
    assert!(UnverifiedCertificate::decode(&[&[2], &bytes[1..]].concat()).is_err());
    assert!(UnverifiedCertificate::decode(&vec![1; DeviceCertificate::MAX_BYTES + 1]).is_err());
}

#[test]
fn every_single_flipped_bit_is_noticed() {
    let bytes = certificate(1).encode();
    for place in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        assert!(DeviceCertificate::decode_verified(&flipped).is_err(), "bit {place}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes in vec(any::<u8>(), 0..300)) {
        let bytes = [&[1], &bytes[..]].concat();
        prop_assert!(DeviceCertificate::decode_verified(&bytes).is_err());
        prop_assert!(LeafIdentity::decode(&bytes).is_err());
        let _ = CertificateRequest::decode(&bytes);
    }
}
