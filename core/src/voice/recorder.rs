//! From samples to packets, as they come: what stands between a microphone and a voice note.
//!
//! Does not know devices or files. Samples in, packets out, with a level for the meter and a waveform for the message.
//!
//! Invariants: memory does not grow with time but for the packets themselves, which the caller takes; what comes out is the same
//! however the samples were cut into pieces.

use std::time::Duration;

use super::framer::Framer;
use super::packets::Packets;
use super::peaks::Peaks;
use super::{NoteError, OPUS_RATE, duration_of, tame};

/// The bit rate of recordings unless another is chosen, in bit/s: wideband speech without audible loss.
pub const DEFAULT_BITRATE_BPS: i32 = super::stream::LONG_BITRATE_BPS;

/// Bit rates that may be chosen for recordings, in bit/s.
pub const BITRATES_BPS: std::ops::RangeInclusive<i32> = 12_000..=64_000;

/// Encodes a recording while it is made.
pub struct Recorder {
    framer: Framer,
    peaks: Peaks,
}

/// The end of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The last packets.
    pub packets: Vec<Vec<u8>>,
    /// Samples of 48 kHz that count, pre-skip included: what [`Packets::trim`] takes.
    pub total: u64,
    /// The waveform: [`super::PEAK_COUNT`] slices, 0 for silence to 255 for full scale.
    pub peaks: Vec<u8>,
}

impl Recorder {
    /// A recorder at `bitrate_bps` bits a second, held within [`BITRATES_BPS`].
    ///
    /// # Errors
    /// [`NoteError::Opus`] if libopus refuses.
    pub fn new(bitrate_bps: i32) -> Result<Self, NoteError> {
        let framer = Framer::new(bitrate_bps.clamp(*BITRATES_BPS.start(), *BITRATES_BPS.end()))?;
        Ok(Self { framer, peaks: Peaks::default() })
    }

    /// Samples of 48 kHz that a player throws away at the start.
    #[must_use]
    pub fn pre_skip(&self) -> u16 {
        self.framer.pre_skip()
    }

    /// Takes mono samples at 48 kHz and hands each finished packet to `packet`.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if libopus refuses.
    pub fn push(&mut self, samples: &[f32], mut packet: impl FnMut(Vec<u8>)) -> Result<(), NoteError> {
        let tamed = samples.iter().map(|&sample| {
            let sample = tame(sample);
            self.peaks.push(sample);
            sample
        });
        self.framer.push(tamed, |finished| {
            packet(finished);
            Ok(())
        })
    }

    /// How long it is by now.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(usize::try_from(self.framer.samples()).unwrap_or(usize::MAX), OPUS_RATE)
    }

    /// The end: what the encoder still holds back comes out with silence behind it.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if libopus refuses.
    pub fn finish(self) -> Result<Ending, NoteError> {
        let total = self.framer.total();
        Ok(Ending { packets: self.framer.finish()?, total, peaks: self.peaks.finish() })
    }
}

/// The waveform of packets whose recorder did not live to tell it.
///
/// # Errors
/// [`NoteError::Opus`] if a packet is damaged.
pub fn peaks_of(packets: &Packets) -> Result<Vec<u8>, NoteError> {
    let mut decoder = super::opus::Decoder::new(packets.gain())?;
    let mut peaks = Peaks::default();
    let mut samples = Vec::new();
    let (mut skip, mut left) = (usize::from(packets.pre_skip()), packets.heard());
    for index in 0..packets.len() {
        samples.clear();
        decoder.decode(packets.get(index).unwrap_or_default(), &mut samples)?;
        let heard = samples.get(skip.min(samples.len())..).unwrap_or_default();
        skip = skip.saturating_sub(samples.len());
        for &sample in heard.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            peaks.push(sample);
            left -= 1;
        }
    }
    Ok(peaks.finish())
}

#[cfg(test)]
mod tests {
    use super::super::{encode_note_within, wav_of};
    use super::*;

    fn talk(samples: usize) -> Vec<f32> {
        (0..samples).map(|n| (n as f32 / 25.0).sin() * (n as f32 / 9_000.0).sin() * 0.6).collect()
    }

    fn recorded(sound: &[f32], piece: usize) -> (Packets, Ending) {
        let mut recorder = Recorder::new(DEFAULT_BITRATE_BPS).unwrap();
        let mut packets = Packets::new(recorder.pre_skip());
        for piece in sound.chunks(piece) {
            recorder.push(piece, |packet| packets.push(&packet).unwrap()).unwrap();
        }
        let ending = recorder.finish().unwrap();
        ending.packets.iter().for_each(|packet| packets.push(packet).unwrap());
        packets.trim(ending.total);
        (packets, ending)
    }

    #[test]
    fn a_recording_is_the_note_that_its_file_would_have_become() {
        let sound = talk(100_003);
        let (packets, ending) = recorded(&sound, 333);
        let wav = wav_of(&sound);
        let note = encode_note_within(&wav, 1 << 20).unwrap();
        assert_eq!(packets.heard(), 100_003);
        let quiet = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(quiet(&ending.peaks, &note.peaks), "{:?} {:?}", ending.peaks, note.peaks);
        assert_eq!(packets.duration(), note.duration);
    }

    #[test]
    fn how_the_samples_were_cut_does_not_matter() {
        let sound = talk(30_000);
        assert_eq!(recorded(&sound, 1), recorded(&sound, 30_000));
        assert_eq!(recorded(&sound, 960), recorded(&sound, 441));
        assert_eq!(Packets::of(&sound, DEFAULT_BITRATE_BPS), Ok(recorded(&sound, 777).0));
    }

    #[test]
    fn a_waveform_can_be_had_again_from_the_packets() {
        let (packets, ending) = recorded(&talk(200_000), 480);
        let again = peaks_of(&packets).unwrap();
        let worst = again.iter().zip(&ending.peaks).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst < 40, "{worst}: {again:?} {:?}", ending.peaks);
    }

    #[test]
    fn nothing_recorded_is_no_note() {
        let (packets, ending) = recorded(&[], 1);
        assert_eq!((packets.heard(), ending.total), (0, 312));
        assert_eq!(packets.to_ogg(), Err(NoteError::Empty));
    }
}
