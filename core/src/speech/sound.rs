//! Sound that is read as it is listened to: files of any length in bounded memory.
//!
//! WAV and Ogg Opus by our own readers; MP3, FLAC, AAC and what is in M4A by symphonia, whose panics, should hostile bytes find
//! one, are answered as damage. What a header states is believed only where it makes less to do.
//!
//! Invariant: at most one packet or block of samples is in memory, and no more than [`MAX_LENGTH`] comes out of any file.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

mod coded;
mod opus;

use crate::voice::ogg::OggError;
use crate::voice::opus::OpusError;
use crate::voice::resample::{MAX_RATE, MIN_RATE, ResampleError};
use crate::voice::wav::{self, WavError};
use crate::voice::{OPUS_RATE, Pcm, duration_of};

/// The longest sound that is listened to: a recorder that was forgotten over night, and no bomb.
pub const MAX_LENGTH: Duration = Duration::from_secs(12 * 3600);

/// The most channels that are mixed down: 7.1.
const MAX_CHANNELS: usize = 8;

/// Why a sound cannot be listened to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// The system cannot read it.
    #[error("the sound file cannot be read: {0}")]
    Unreadable(ErrorKind),
    /// There is nothing in it.
    #[error("the sound file is empty")]
    Empty,
    /// It is of no kind that is read here.
    #[error("this is not a sound file of a kind that Kith reads: WAV, Ogg Opus, MP3, M4A, AAC or FLAC")]
    Unknown,
    /// It is a WAV file, and a bad one.
    #[error(transparent)]
    Wav(#[from] WavError),
    /// It is an Ogg file, and a bad one.
    #[error(transparent)]
    Ogg(#[from] OggError),
    /// A packet of Opus is damaged.
    #[error(transparent)]
    Opus(#[from] OpusError),
    /// It ends before what it announces.
    #[error("the sound file is cut short: {} s of {} s are there", found.as_secs(), announced.as_secs())]
    CutShort {
        /// How long it is.
        found: Duration,
        /// How long it says to be.
        announced: Duration,
    },
    /// It is damaged.
    #[error("the sound file is damaged after {} s", at.as_secs())]
    Damaged {
        /// How much of it could be read.
        at: Duration,
    },
    /// A sort of sound that is not read here.
    #[error("the sound file holds a sort of sound that is not supported: {0}")]
    Unsupported(&'static str),
    /// A rate that is not served.
    #[error(transparent)]
    Rate(#[from] ResampleError),
    /// No channel, or more than eight.
    #[error("the sound file has {0} channels: 1 to 8 are supported")]
    Channels(usize),
    /// It is longer than [`MAX_LENGTH`].
    #[error("the sound is longer than {} hours", MAX_LENGTH.as_secs() / 3600)]
    TooLong,
}

type Blocks = Box<dyn Iterator<Item = Result<Vec<f32>, SoundError>> + Send>;

/// Mono sound, block by block.
pub struct Sound {
    rate: u32,
    /// As a header says; none where none does.
    length: Option<Duration>,
    blocks: Blocks,
    frames: u64,
    ended: bool,
}

impl Sound {
    /// Opens a sound file. What it is shows in its first bytes, not in its name.
    ///
    /// # Errors
    /// [`SoundError`] for everything that shows in its head.
    pub fn open(path: &Path) -> Result<Self, SoundError> {
        let unreadable = |error: std::io::Error| SoundError::Unreadable(error.kind());
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(SoundError::Unreadable(ErrorKind::InvalidInput));
        }
        Self::read(BufReader::new(file))
    }

    /// Reads a sound file that is in memory, such as a voice note.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_bytes(bytes: Vec<u8>) -> Result<Self, SoundError> {
        Self::read(Cursor::new(bytes))
    }

    fn read(mut source: impl Read + Seek + Send + Sync + 'static) -> Result<Self, SoundError> {
        let mut head = Vec::new();
        let unreadable = |error: std::io::Error| SoundError::Unreadable(error.kind());
        source.by_ref().take(12).read_to_end(&mut head).map_err(unreadable)?;
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        match head.get(..4) {
            _ if head.is_empty() => Err(SoundError::Empty),
            Some(b"OggS") => {
                let length = opus::length(&mut source);
                source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
                Self::new(OPUS_RATE, length, Box::new(opus::Blocks::open(source)?))
            }
            Some(b"RIFF") => {
                let mut stream = wav::Stream::open(source)?;
                let (rate, frames) = (stream.rate(), stream.frames());
                let length = frames.map(|frames| time(frames, rate));
                let blocks = std::iter::from_fn(move || {
                    let mut block = Vec::new();
                    stream.read(&mut block).map_err(SoundError::from).map(|any| any.then_some(block)).transpose()
                });
                Self::new(rate, length, Box::new(blocks))
            }
            _ => {
                let coded = coded::Blocks::open(source)?;
                Self::new(coded.rate(), coded.length(), Box::new(coded))
            }
        }
    }

    fn new(rate: u32, length: Option<Duration>, blocks: Blocks) -> Result<Self, SoundError> {
        if !(MIN_RATE..=MAX_RATE).contains(&rate) {
            return Err(ResampleError::Rate { rate }.into());
        }
        if length.is_some_and(|length| length > MAX_LENGTH) {
            return Err(SoundError::TooLong);
        }
        Ok(Self { rate, length, blocks, frames: 0, ended: false })
    }

    /// Samples a second, in Hz.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// How long it lasts, as far as its head says: for showing progress, and not to be relied on.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        self.length
    }

    /// How much was read so far.
    #[must_use]
    pub fn read_so_far(&self) -> Duration {
        time(self.frames, self.rate)
    }
}

impl From<Pcm> for Sound {
    fn from(pcm: Pcm) -> Self {
        let (rate, length) = (pcm.rate, pcm.duration());
        let mut samples = Some(pcm.samples).filter(|samples| !samples.is_empty());
        let blocks = std::iter::from_fn(move || samples.take().map(Ok));
        Self { rate, length: Some(length), blocks: Box::new(blocks), frames: 0, ended: false }
    }
}

impl Iterator for Sound {
    type Item = Result<Vec<f32>, SoundError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let block = self.blocks.next();
        if let Some(Ok(samples)) = &block {
            self.frames = self.frames.saturating_add(samples.len() as u64);
        }
        self.ended = !matches!(block, Some(Ok(_)));
        if self.read_so_far() > MAX_LENGTH {
            self.ended = true;
            return Some(Err(SoundError::TooLong));
        }
        block
    }
}

/// A voice is content: it never shows in a log.
impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sound").field("rate", &self.rate).field("length", &self.length).finish_non_exhaustive()
    }
}

/// How long so many samples last.
fn time(frames: u64, rate: u32) -> Duration {
    duration_of(usize::try_from(frames).unwrap_or(usize::MAX), rate)
}

#[cfg(test)]
mod tests;
