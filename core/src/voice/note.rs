//! Voice notes: a WAV file becomes Opus in Ogg, small enough for a message, and sound again at the other end.
//!
//! Does not know what a message is, and does not record or play.
//!
//! Invariants: a [`Note`] is never larger than the limit it was made for; decoding gives at most [`MAX_DURATION`] of
//! sound, whatever the file says; the same WAV file gives the same note.
//!
//! Source: RFC 7845 §4 (positions, pre-skip, end trimming).

use std::fmt;
use std::time::Duration;

use super::ogg::{Head, OggError, Reader, Writer};
use super::opus::{Decoder, Encoder, FRAME, OpusError, packet_samples};
use super::peaks::peaks;
use super::resample::ResampleError;
use super::wav::{self, WavError};
use super::{MAX_DURATION, OPUS_RATE, Pcm, duration_of, max_samples};

/// The largest note that travels inside an event, in bytes: 64 KiB, as much as one bundle of repair carries.
/// At 24 kbit/s that is about 20 s, at 16 kbit/s about 30 s.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;

/// Bit rates to try, best first, in bit/s. 24 kbit/s is wideband speech without audible loss for most; below 16 kbit/s
/// voices grow dull and transcripts worse, so a longer note has to go as a file instead.
const BITRATES_BPS: [i32; 3] = [24_000, 20_000, 16_000];

/// A voice note, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    /// The Ogg Opus file.
    pub ogg: Vec<u8>,
    /// How long it plays.
    pub duration: Duration,
    /// Its picture: [`super::PEAK_COUNT`] slices, 0 for silence to 255 for full scale.
    pub peaks: Vec<u8>,
}

/// A voice is content: it never shows in a log.
impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("bytes", &self.ogg.len()).field("duration", &self.duration).finish_non_exhaustive()
    }
}

/// Why a note was not made or not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The WAV file is not one that is read here.
    #[error(transparent)]
    Wav(#[from] WavError),
    /// The file of the note is not one that is read here.
    #[error(transparent)]
    Ogg(#[from] OggError),
    /// A packet of the note is damaged.
    #[error(transparent)]
    Opus(#[from] OpusError),
    /// The rate is not one that is served.
    #[error(transparent)]
    Resample(#[from] ResampleError),
    /// Even at the lowest bit rate it does not fit in a message.
    #[error(
        "this voice note lasts {} s and about {} s fit into one message: record it in shorter parts, or send it as a file",
        duration.as_secs(), fits.as_secs()
    )]
    TooLong {
        /// How long it lasts.
        duration: Duration,
        /// About how much of it fits.
        fits: Duration,
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// The note unpacks to more than [`MAX_DURATION`].
    #[error("the voice note lasts longer than {} seconds and is not played", MAX_DURATION.as_secs())]
    Endless,
    /// There is no sound in it.
    #[error("the voice note has no sound in it")]
    Empty,
}

/// Makes a note of a WAV file that travels inside an event: at most [`MAX_NOTE_BYTES`].
///
/// # Errors
/// [`NoteError`]; [`NoteError::TooLong`] says how much fits.
pub fn encode_note(wav: &[u8]) -> Result<Note, NoteError> {
    encode_note_within(wav, MAX_NOTE_BYTES)
}

/// Makes a note of a WAV file, of at most `limit_bytes`; the bit rate falls before the note is refused.
///
/// # Errors
/// [`NoteError`]; [`NoteError::TooLong`] says how much fits.
pub fn encode_note_within(wav: &[u8], limit_bytes: usize) -> Result<Note, NoteError> {
    let sound = wav::decode(wav)?.at_rate(OPUS_RATE)?;
    if sound.samples.is_empty() {
        return Err(NoteError::Empty);
    }
    let mut fitting = 0;
    for bitrate_bps in BITRATES_BPS {
        match encode_at(&sound.samples, bitrate_bps, limit_bytes)? {
            Encoded::Whole(ogg) => {
                return Ok(Note { ogg, duration: sound.duration(), peaks: peaks(&sound.samples) });
            }
            Encoded::Full { samples } => fitting = samples,
        }
    }
    let fits = duration_of(fitting, OPUS_RATE);
    Err(NoteError::TooLong { duration: sound.duration(), fits, limit_bytes })
}

/// Reads a note, ours or another program's: mono samples at 48 kHz.
///
/// # Errors
/// [`NoteError`], for every way in which the bytes are not such a file.
pub fn decode_note(ogg: &[u8]) -> Result<Pcm, NoteError> {
    let mut reader = Reader::open(std::io::Cursor::new(ogg))?;
    let head = reader.head();
    let mut decoder = Decoder::new(head.gain)?;
    let mut samples = Vec::new();
    let mut timeline = Timeline::default();
    while let Some(packet) = reader.read()? {
        timeline.advance(packet_samples(&packet.data)?)?;
        decoder.decode(&packet.data, &mut samples)?;
        if let Some(position) = packet.position {
            timeline.page_ends(position, packet.last)?;
        }
    }
    samples.truncate(usize::try_from(timeline.end()).unwrap_or(usize::MAX));
    let samples = samples.split_off(usize::from(head.pre_skip).min(samples.len()));
    if samples.is_empty() {
        return Err(NoteError::Empty);
    }
    Ok(Pcm { rate: OPUS_RATE, samples })
}

enum Encoded {
    /// The whole sound, as a file.
    Whole(Vec<u8>),
    /// The limit was reached after so many samples.
    Full { samples: usize },
}

fn encode_at(samples: &[f32], bitrate_bps: i32, limit_bytes: usize) -> Result<Encoded, NoteError> {
    let mut encoder = Encoder::new(bitrate_bps)?;
    let pre_skip = encoder.lookahead()?;
    let mut writer = Writer::new(Head { channels: 1, pre_skip, gain: 0 })?;
    // What the encoder holds back comes out with the silence that is added at the end.
    let total = samples.len() + usize::from(pre_skip);
    let frames = total.div_ceil(FRAME);
    for index in 0..frames {
        let start = index * FRAME;
        let mut frame = samples.get(start..).unwrap_or_default().iter().copied().take(FRAME).collect::<Vec<_>>();
        frame.resize(FRAME, 0.0);
        let position = total.min(start + FRAME);
        writer.write(encoder.encode(&frame)?, position as u64, index + 1 == frames)?;
        if writer.size_bytes() > limit_bytes {
            return Ok(Encoded::Full { samples: start.saturating_sub(FRAME * PAGE_MARGIN) });
        }
    }
    Ok(Encoded::Whole(writer.into_bytes()))
}

/// The limit shows when a page is finished, up to a second late: what "fits" is said with that second off.
const PAGE_MARGIN: usize = 50;

/// Where the stream is, in samples of 48 kHz, and where its pages say it is.
#[derive(Default)]
struct Timeline {
    decoded: u64,
    /// The position before the first packet: not zero where a longer stream was cut (RFC 7845 §4.5).
    start: Option<u64>,
    end: Option<u64>,
}

impl Timeline {
    fn advance(&mut self, samples: usize) -> Result<(), NoteError> {
        self.decoded = self.decoded.saturating_add(samples as u64);
        if self.decoded > max_samples(OPUS_RATE) { Err(NoteError::Endless) } else { Ok(()) }
    }

    /// A page's position has to agree with what was decoded. The last page's may be earlier: the rest is trimmed.
    fn page_ends(&mut self, position: u64, last: bool) -> Result<(), NoteError> {
        let start = match self.start {
            Some(start) => start,
            // A stream of one page trims its end by stating less than it holds.
            None if last => position.saturating_sub(self.decoded),
            None => position.checked_sub(self.decoded).ok_or(OggError::Damaged)?,
        };
        self.start = Some(start);
        let here = position.checked_sub(start).ok_or(OggError::Damaged)?;
        if here > self.decoded || (here < self.decoded && !last) {
            return Err(OggError::Damaged.into());
        }
        self.end = Some(here);
        Ok(())
    }

    fn end(&self) -> u64 {
        self.end.unwrap_or(self.decoded)
    }
}

#[cfg(test)]
mod tests;
