//! Frames of sound: WAV, resampling, Opus, Ogg, voice notes, and how they are recorded and played. Pure.
//!
//! Does not touch files and devices; knows nothing of messages or events.
//!
//! Invariants: every decoder takes bytes from anywhere and answers with a typed error; what it allocates is bounded by
//! [`MAX_DURATION`] or [`packets::MAX_PLAYED`], never by a number that a header states; the same input gives the same bytes.
//!
//! Source: RFC 6716 (Opus), RFC 7845 (Opus in Ogg), RFC 3533 (Ogg), `docs/adr/0006-voice-notes-and-speech.md`.

use std::fmt;
use std::time::Duration;

pub mod clean;
mod framer;
pub mod note;
pub mod ogg;
pub mod opus;
pub mod packets;
mod peaks;
pub mod player;
pub mod recorder;
pub mod resample;
pub mod stream;
pub mod tempo;
pub mod wav;

pub use clean::CleanUp;
pub use note::{MAX_NOTE_BYTES, Note, NoteError, decode_note, encode_note, encode_note_within};
pub use packets::Packets;
pub use peaks::PEAK_COUNT;
pub use player::Player;
pub use recorder::Recorder;

/// The longest sound that any decoder here unpacks: at 48 kHz it is 58 MB of samples. A note that fits in an event
/// lasts about half a minute; five minutes leave room for silence, which Opus packs to almost nothing.
pub const MAX_DURATION: Duration = Duration::from_secs(300);

/// The rate at which Opus works here, in Hz (RFC 6716 §2.1.1: fullband), and the unit of all positions in Ogg Opus.
pub const OPUS_RATE: u32 = 48_000;

/// The rate that Whisper models listen at, in Hz.
pub const SPEECH_RATE: u32 = 16_000;

/// Mono sound: samples from -1 to 1.
#[derive(Clone, PartialEq)]
pub struct Pcm {
    /// Samples a second, in Hz.
    pub rate: u32,
    /// The samples; finite, full scale is 1.
    pub samples: Vec<f32>,
}

impl Pcm {
    /// How long the sound lasts; zero where the rate is zero.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(self.samples.len(), self.rate)
    }

    /// The same sound at another rate.
    ///
    /// # Errors
    /// [`resample::ResampleError`] if one of the rates is not one that [`resample`] serves.
    pub fn at_rate(&self, rate: u32) -> Result<Self, resample::ResampleError> {
        resample::resample(self, rate)
    }
}

/// A voice is content: it never shows in a log.
impl fmt::Debug for Pcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pcm").field("rate", &self.rate).field("duration", &self.duration()).finish_non_exhaustive()
    }
}

/// The time that `samples` take at `rate` Hz; zero where the rate is zero.
pub(crate) fn duration_of(samples: usize, rate: u32) -> Duration {
    let nanos = (samples as u128 * 1_000_000_000).checked_div(u128::from(rate)).unwrap_or(0);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How many samples [`MAX_DURATION`] takes at `rate` Hz.
fn max_samples(rate: u32) -> u64 {
    MAX_DURATION.as_secs().saturating_mul(u64::from(rate))
}

/// A sample that later steps can rely on: a number, and within full scale.
pub(crate) fn tame(sample: f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) }
}

/// A WAV file of mono samples at 48 kHz, in 32-bit floats.
#[cfg(test)]
fn wav_of(samples: &[f32]) -> Vec<u8> {
    let data = samples.len() as u32 * 4;
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x03\0\x01\0".to_vec();
    file.extend(OPUS_RATE.to_le_bytes());
    file.extend((OPUS_RATE * 4).to_le_bytes());
    file.extend(b"\x04\0\x20\0data");
    file.extend(data.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
