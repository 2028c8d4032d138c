//! Sound.

use std::io::Cursor;

use kith_core::voice::stream::look_through;
use kith_core::voice::{MAX_DURATION, Packets, decode_note, encode_note, wav};

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

/// As it is decoded at once, played packet by packet, and looked through before it is sent.
fn voice_note(bytes: &[u8]) -> bool {
    if let Ok(packets) = Packets::from_ogg(bytes) {
        let again = packets.to_ogg().expect("packets that were read are written");
        assert!(Packets::from_ogg(&again).is_ok_and(|again| again.len() == packets.len()), "other packets came back");
    }
    let _ = look_through(Cursor::new(bytes));
    let Ok(sound) = decode_note(bytes) else { return false };
    assert!(sound.duration() <= MAX_DURATION, "a note is longer than notes are");
    true
}
