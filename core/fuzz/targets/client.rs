//! What only a whole client decodes: a group's policy, an address record, frames of a stream, sealed files, models and the list of them,
//! sound files of others, a relay's address as people type it.

use std::io::{Cursor, Read as _};

use kith_core::blob::Reader;
use kith_core::chat::policy::Policy;
use kith_core::net::exchange::read_frame;
use kith_core::net::{RelayAddress, open_addresses};
use kith_core::speech::{Manifest, Sound, inspect_model};
use kith_core::types::{Hash, Timestamp, Token};
use kith_core::wire::address::{SEALED_BYTES, SIGNATURE_LABEL, SignedAddresses};
use kith_core::wire::blob::{Attachment, MAX_FILE, is_listed};
use kith_core::wire::codec::Body as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{Target, fast, slow, wire};

pub const TARGETS: &[Target] = &[
    fast("address_record", address_record),
    fast("attachment", attachment),
    fast("frame", frame),
    fast("model", model),
    fast("models", |bytes| std::str::from_utf8(bytes).is_ok_and(|text| Manifest::parse(text).is_ok())),
    fast("policy", wire::body::<Policy>),
    fast("relay_address", relay_address),
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

/// What seals the files here.
pub const FILE_KEY: Token = Token::new([5; Token::LEN]);

/// Which size the event names, as eight bytes; then what a source gives for the file.
fn attachment(bytes: &[u8]) -> bool {
    let Some((size, sealed)) = bytes.split_first_chunk::<8>() else { return false };
    let size = u64::from_be_bytes(*size);
    let attachment = Attachment { id: Hash::new([0; Hash::LEN]), key: FILE_KEY, size };
    let layout = attachment.layout();
    assert!(layout.sealed_bytes() > layout.padded && layout.padded >= size.min(MAX_FILE), "a layout has no room");
    for index in [0, layout.chunks() / 2, layout.chunks(), u32::MAX] {
        let _ = is_listed(sealed, index, sealed);
    }
    let mut plain = Vec::new();
    let mut reader = Reader::new(&attachment, Cursor::new(sealed)).expect("a reader");
    let read = reader.read_to_end(&mut plain).is_ok();
    assert!(!read || plain.len() as u64 == size.min(MAX_FILE), "a file of another size was read");
    read
}

const MAX_FRAME: usize = 4096;

/// What a stream brings: frames, until one is cut short or too long.
fn frame(bytes: &[u8]) -> bool {
    let mut stream = futures::io::Cursor::new(bytes);
    let mut frames = 0;
    while let Ok(Some(body)) = futures::executor::block_on(read_frame(&mut stream, MAX_FRAME)) {
        assert!(body.len() <= MAX_FRAME, "a frame is longer than frames may be");
        frames += 1;
    }
    frames > 0
}

/// Magic, dimensions and the shape of the filters of a model's file; the filters follow, which are left out here.
pub const MODEL_HEAD: usize = 14 * 4;

/// The bytes of the filters of all but the largest models.
static FILTERS: [u8; 80 * 201 * 4] = [0; 80 * 201 * 4];

fn model(bytes: &[u8]) -> bool {
    let (head, rest) = bytes.split_at(MODEL_HEAD.min(bytes.len()));
    inspect_model(&[head, &FILTERS, rest].concat())
}

fn relay_address(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(address) = text.parse::<RelayAddress>() else { return false };
    assert_eq!(address.to_string().parse().as_ref(), Ok(&address), "another address came back");
    true
}
