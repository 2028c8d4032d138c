//! Sound that is encoded, or looked through, as it comes: up to an hour in constant memory.
//!
//! What a note shows, its length and its picture, is gathered on the way.

use std::io::{Read, Seek, Write};
use std::time::Duration;

use super::framer::Framer;
use super::note::{NoteError, Timeline};
use super::ogg::{Head, Reader, Writer};
use super::opus::{Decoder, FRAME, packet_samples};
use super::peaks::Peaks;
use super::resample;
use super::wav;
use super::{OPUS_RATE, duration_of};

/// The longest note that is recorded or sent.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// The bit rate of a long note, in bit/s: wideband speech without audible loss; an hour is 11 MB.
pub const LONG_BITRATE_BPS: i32 = 24_000;

/// What is shown of a sound.
#[derive(Clone, PartialEq, Eq)]
pub struct Shape {
    /// How long it plays.
    pub duration: Duration,
    /// Its picture: [`super::PEAK_COUNT`] slices, 0 for silence to 255 for full scale.
    pub peaks: Vec<u8>,
}

/// A voice is content: it never shows in a log.
impl std::fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shape").field("duration", &self.duration).finish_non_exhaustive()
    }
}

/// Gathers the shape of a sound as it passes.
#[derive(Debug, Default)]
pub struct Meter {
    peaks: Peaks,
    samples: u64,
}

impl Meter {
    /// More of the sound, at 48 kHz.
    pub fn hear(&mut self, samples: &[f32]) {
        samples.iter().for_each(|sample| self.peaks.push(*sample));
        self.samples += samples.len() as u64;
    }

    /// Its shape so far.
    #[must_use]
    pub fn shape(&self) -> Shape {
        let samples = usize::try_from(self.samples).unwrap_or(usize::MAX);
        Shape { duration: duration_of(samples, OPUS_RATE), peaks: self.peaks.clone().finish() }
    }
}

/// Writes a note while its sound comes.
pub struct NoteWriter<W: Write> {
    framer: Framer,
    pages: Writer<W>,
    meter: Meter,
    /// Samples that were encoded.
    written: u64,
}

impl<W: Write> NoteWriter<W> {
    /// Begins a note at a bit rate, in bit/s.
    ///
    /// # Errors
    /// [`NoteError`] if libopus refuses, or what is written to fails.
    pub fn new(out: W, bitrate_bps: i32) -> Result<Self, NoteError> {
        let framer = Framer::new(bitrate_bps)?;
        let pages = Writer::over(out, Head { channels: 1, pre_skip: framer.pre_skip(), gain: 0 })?;
        Ok(Self { framer, pages, meter: Meter::default(), written: 0 })
    }

    /// More sound: mono at 48 kHz.
    ///
    /// # Errors
    /// [`NoteError::OverAnHour`], or as [`NoteWriter::new`].
    pub fn push(&mut self, samples: &[f32]) -> Result<(), NoteError> {
        self.meter.hear(samples);
        if self.meter.samples > LONGEST.as_secs() * u64::from(OPUS_RATE) {
            return Err(NoteError::OverAnHour);
        }
        let (pages, written) = (&mut self.pages, &mut self.written);
        self.framer.push(samples.iter().copied(), |packet| {
            *written += FRAME as u64;
            Ok(pages.write(packet, *written, false)?)
        })
    }

    /// What was heard so far.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.meter.shape()
    }

    /// The end: gives what was written to, and what is to be shown.
    ///
    /// # Errors
    /// [`NoteError::Empty`] if nothing came, or as [`NoteWriter::new`].
    pub fn finish(mut self) -> Result<(W, Shape), NoteError> {
        if self.meter.samples == 0 {
            return Err(NoteError::Empty);
        }
        let total = self.framer.total();
        let packets = self.framer.finish()?;
        let last = packets.len().saturating_sub(1);
        for (index, packet) in packets.into_iter().enumerate() {
            self.written = total.min(self.written + FRAME as u64);
            self.pages.write(packet, self.written, index == last)?;
        }
        Ok((self.pages.into_bytes(), self.meter.shape()))
    }
}

/// Makes a note of a WAV file as it is read.
///
/// # Errors
/// [`NoteError`], for every way in which the file is none, or it lasts longer than an hour, or what is written to fails.
pub fn encode_wav<W: Write>(source: impl Read, out: W, bitrate_bps: i32) -> Result<(W, Shape), NoteError> {
    let mut wav = wav::Stream::open(source)?;
    let mut resampler = resample::Stream::new(wav.rate(), OPUS_RATE)?;
    let mut note = NoteWriter::new(out, bitrate_bps)?;
    let (mut samples, mut sound) = (Vec::new(), Vec::new());
    while wav.read(&mut samples)? {
        resampler.push(&samples, &mut sound)?;
        note.push(&sound)?;
        samples.clear();
        sound.clear();
    }
    resampler.finish(&mut sound)?;
    note.push(&sound)?;
    note.finish()
}

/// Looks through a note, ours or another program's, from its beginning to its end: whether it can be played, and what is to be shown.
///
/// # Errors
/// [`NoteError`], for every way in which the file is none, or it lasts longer than an hour.
pub fn look_through(source: impl Read + Seek) -> Result<Shape, NoteError> {
    let mut reader = Reader::over(source)?;
    let head = reader.head();
    let mut decoder = Decoder::new(head.gain)?;
    let mut meter = Meter::default();
    // The end may be trimmed: a packet is heard when it is known that it is not the last.
    let (mut skip, mut sound) = (usize::from(head.pre_skip), Vec::new());
    let mut timeline = Timeline::within(LONGEST);
    while let Some(packet) = reader.read()? {
        timeline.advance(packet_samples(&packet.data)?)?;
        meter.hear(&sound);
        sound.clear();
        decoder.decode(&packet.data, &mut sound)?;
        let late = skip.min(sound.len());
        skip -= late;
        sound.drain(..late);
        if let Some(position) = packet.position {
            timeline.page_ends(position, packet.last)?;
        }
    }
    let left = timeline.end().saturating_sub(u64::from(head.pre_skip)).saturating_sub(meter.samples);
    sound.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    meter.hear(&sound);
    if meter.samples == 0 { Err(NoteError::Empty) } else { Ok(meter.shape()) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::note::{decode_note, encode_note};
    use super::*;

    /// A WAV file of a tone that grows louder.
    fn wav(rate: u32, seconds: u32) -> Vec<u8> {
        let samples = rate * seconds;
        let mut bytes = b"RIFF____WAVEfmt ".to_vec();
        bytes.extend(16_u32.to_le_bytes());
        bytes.extend([1, 0, 1, 0]);
        bytes.extend(rate.to_le_bytes());
        bytes.extend((rate * 2).to_le_bytes());
        bytes.extend([2, 0, 16, 0]);
        bytes.extend(b"data");
        bytes.extend((samples * 2).to_le_bytes());
        for n in 0..samples {
            let loud = n as f32 / samples as f32;
            let sample = (n as f32 * 0.05).sin() * loud * 30_000.0;
            bytes.extend((sample as i16).to_le_bytes());
        }
        bytes
    }

    #[test]
    fn a_note_made_as_it_comes_is_the_note_made_at_once() {
        for rate in [16_000, 48_000] {
            let wav = wav(rate, 3);
            let (ogg, shape) = encode_wav(Cursor::new(&wav), Vec::new(), 24_000).unwrap();
            let note = encode_note(&wav).unwrap();
            assert_eq!((shape.duration, ogg.len()), (note.duration, note.ogg.len()));
            assert!(shape.peaks.iter().zip(&note.peaks).all(|(one, other)| one.abs_diff(*other) < 16));
            assert_eq!(decode_note(&ogg).unwrap().samples.len(), 3 * 48_000);
            let seen = look_through(Cursor::new(&ogg)).unwrap();
            assert_eq!(seen.duration, shape.duration);
            assert!(seen.peaks.iter().zip(&shape.peaks).all(|(one, other)| one.abs_diff(*other) < 24), "{seen:?}");
        }
    }

    #[test]
    fn what_is_no_sound_or_cut_short_is_said() {
        let whole = wav(16_000, 1);
        let encode = |bytes: &[u8]| encode_wav(Cursor::new(bytes.to_vec()), Vec::new(), 24_000).map(|_| ());
        assert!(matches!(encode(&whole[..whole.len() - 100]), Err(NoteError::Wav(wav::WavError::Truncated { .. }))));
        assert!(matches!(encode(b"RIFF"), Err(NoteError::Wav(wav::WavError::NotWav))));
        assert_eq!(encode(&wav(16_000, 0)), Err(NoteError::Empty));
        let (ogg, _) = encode_wav(Cursor::new(&whole), Vec::new(), 24_000).unwrap();
        assert!(look_through(Cursor::new(&ogg[..ogg.len() - 40])).is_err());
        assert!(look_through(Cursor::new(b"not a note".to_vec())).is_err());
    }

    #[test]
    fn an_hour_is_the_most() {
        let mut note = NoteWriter::new(std::io::sink(), 16_000).unwrap();
        note.meter.samples = 3600 * 48_000 - 10;
        assert_eq!(note.push(&[0.0; 10]), Ok(()));
        assert_eq!(note.push(&[0.0; 1]), Err(NoteError::OverAnHour));
    }
}
