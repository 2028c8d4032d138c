//! Sound.

use kith_core::voice::{MAX_DURATION, decode_note, encode_note, wav};

use super::{Target, fast, slow};

pub const TARGETS: &[Target] = &[fast("wav", read_wav), slow("voice_note", voice_note)];

fn read_wav(bytes: &[u8]) -> bool {
    let Ok(sound) = wav::decode(bytes) else { return false };
    assert!(sound.samples.iter().all(|sample| sample.is_finite()), "a sample is no number");
    if sound.samples.len() < 5_000 {
        let _ = encode_note(bytes);
    }
    true
}

fn voice_note(bytes: &[u8]) -> bool {
    let Ok(sound) = decode_note(bytes) else { return false };
    assert!(sound.duration() <= MAX_DURATION, "a note is longer than notes are");
    true
}
