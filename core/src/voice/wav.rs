//! WAV files: 8, 16, 24 and 32-bit integers and 32 and 64-bit floats, 1 to 8 channels, 8 to 192 kHz.
//!
//! Several channels become one by their mean. Compressed WAV (A-law, ADPCM, …) and RF64 are refused with their names.
//! This is our own reader on purpose: see `docs/adr/0006-voice-notes-and-speech.md`.
//!
//! Invariant: sizes in headers only ever shorten what is read; nothing is allocated on their word.
//!
//! Source: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF WAVE), `mmreg.h` (`WAVEFORMATEXTENSIBLE`).

use std::io::{ErrorKind, Read};
use std::time::Duration;

use super::resample::{MAX_RATE, MIN_RATE};
use super::{MAX_DURATION, Pcm, max_samples, tame};

/// The most channels that are mixed down: 7.1.
pub const MAX_CHANNELS: u16 = 8;

/// Programs that write to a pipe cannot know the size: they state 2^32 - 1 (ffmpeg) or about 2^31 (sox, arecord).
/// No sound within [`MAX_DURATION`] is as large, so from here on the size means "until the end".
const UNKNOWN_SIZE: u32 = 0x7fff_0000;

/// Sizes of the chunk header, and of the format chunk without and with its extension.
const CHUNK_HEADER: usize = 8;
const FORMAT_SIZE: usize = 16;

const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;
const FORMAT_EXTENSIBLE: u16 = 0xfffe;

/// The last 14 bytes of the sub-format GUIDs whose first two are a format code.
const SUBFORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// Why a WAV file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// It does not start like a WAV file.
    #[error("this is not a WAV file")]
    NotWav,
    /// It ends before what it announces.
    #[error("the WAV file is cut short: {missing} bytes are missing")]
    Truncated {
        /// Bytes that were announced and are not there.
        missing: u64,
    },
    /// The chunk that says how samples are stored is missing, too small, or after the samples.
    #[error("the WAV file does not say how its sound is stored")]
    NoFormat,
    /// There is no sound in it.
    #[error("the WAV file has no sound in it")]
    Empty,
    /// A way of storing samples that is not read here.
    #[error(
        "the WAV file stores its sound in a way that is not supported (format {format:#06x}, {bits} bits): \
         save it as uncompressed PCM"
    )]
    Encoding {
        /// The format code of `mmreg.h`.
        format: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// No channel, or more than [`MAX_CHANNELS`].
    #[error("the WAV file has {channels} channels: 1 to 8 are supported")]
    Channels {
        /// The number of channels.
        channels: u16,
    },
    /// A rate outside of 8 to 192 kHz.
    #[error("the WAV file has a sample rate of {rate} Hz: it has to be between 8000 and 192000 Hz")]
    Rate {
        /// The rate, in Hz.
        rate: u32,
    },
    /// Its header contradicts itself.
    #[error("the WAV file's header contradicts itself: {found} bytes a frame where {expected} are needed")]
    BlockAlign {
        /// Bytes a frame by the header.
        found: u16,
        /// Bytes a frame by channels and bits.
        expected: u16,
    },
    /// It lasts longer than [`MAX_DURATION`].
    #[error("the WAV file lasts {} seconds: at most {} are read", duration.as_secs(), MAX_DURATION.as_secs())]
    TooLong {
        /// How long it lasts.
        duration: Duration,
    },
}

/// Reads a WAV file into mono samples at the file's own rate.
///
/// # Errors
/// [`WavError`], for every way in which the bytes are not such a file.
pub fn decode(bytes: &[u8]) -> Result<Pcm, WavError> {
    let (riff, rest) = bytes.split_at_checked(12).ok_or(WavError::NotWav)?;
    if riff.get(..4) != Some(b"RIFF") || riff.get(8..) != Some(b"WAVE") {
        return Err(WavError::NotWav);
    }
    let (format, data) = find_chunks(rest)?;
    format.check()?;
    let frames = data.chunks_exact(usize::from(format.block_align));
    if frames.len() == 0 {
        return Err(WavError::Empty);
    }
    if frames.len() as u64 > max_samples(format.rate) {
        return Err(WavError::TooLong { duration: super::duration_of(frames.len(), format.rate) });
    }
    let width = usize::from(format.bits / 8);
    let weight = 1.0 / f32::from(format.channels);
    let samples = frames.map(|frame| frame.chunks_exact(width).map(|s| format.sample(s)).sum::<f32>() * weight);
    Ok(Pcm { rate: format.rate, samples: samples.collect() })
}

/// Reads a WAV file of any length block by block: mono samples at the file's own rate.
pub struct Stream<R> {
    source: R,
    format: Format,
    /// Bytes of sound that the header promises and that were not read; none for "until the end".
    left: Option<u64>,
    read: u64,
}

/// Frames of a block.
const BLOCK_FRAMES: usize = 16 * 1024;

/// The largest chunk that is passed over before the sound, in bytes: cover pictures are smaller.
const MAX_SKIPPED: u64 = 64 << 20;

impl<R: Read> Stream<R> {
    /// Reads up to the first sample.
    ///
    /// # Errors
    /// [`WavError`].
    pub fn open(mut source: R) -> Result<Self, WavError> {
        let mut riff = [0; 12];
        source.read_exact(&mut riff).map_err(|_| WavError::NotWav)?;
        if riff.get(..4) != Some(b"RIFF") || riff.get(8..) != Some(b"WAVE") {
            return Err(WavError::NotWav);
        }
        let mut format: Option<Format> = None;
        loop {
            let mut header = [0; CHUNK_HEADER];
            if let Err(error) = source.read_exact(&mut header) {
                return Err(match (error.kind(), format) {
                    (ErrorKind::UnexpectedEof, Some(_)) => WavError::Empty,
                    _ => WavError::NoFormat,
                });
            }
            let size = u32_at(&header, 4).unwrap_or(0);
            if header.get(..4) == Some(b"data") {
                let format = format.ok_or(WavError::NoFormat)?;
                format.check()?;
                let left = (size < UNKNOWN_SIZE).then_some(u64::from(size));
                if left == Some(0) {
                    return Err(WavError::Empty);
                }
                return Ok(Self { source, format, left, read: 0 });
            }
            // Chunks of odd size are followed by a byte of padding.
            let mut rest = u64::from(size).saturating_add(u64::from(size % 2));
            if header.get(..4) == Some(b"fmt ") {
                let mut body = [0; 40];
                let taken = usize::try_from(size).unwrap_or(usize::MAX).min(body.len());
                let body = body.get_mut(..taken).unwrap_or_default();
                source.read_exact(body).map_err(|_| WavError::NoFormat)?;
                rest = rest.saturating_sub(taken as u64);
                format = Some(body.get(..FORMAT_SIZE).and_then(|_| Format::read(body)).ok_or(WavError::NoFormat)?);
            }
            let skipped = std::io::copy(&mut source.by_ref().take(rest.min(MAX_SKIPPED)), &mut std::io::sink());
            let skipped = skipped.unwrap_or_default();
            if skipped < u64::from(size).min(rest) {
                return Err(WavError::Truncated { missing: rest.saturating_sub(skipped) });
            }
        }
    }

    /// Samples a second, in Hz.
    pub fn rate(&self) -> u32 {
        self.format.rate
    }

    /// Frames that the header promises; none where whoever wrote it did not know.
    pub fn frames(&self) -> Option<u64> {
        self.left.map(|bytes| bytes.saturating_add(self.read) / u64::from(self.format.block_align.max(1)))
    }

    /// The next block; none at the end.
    ///
    /// # Errors
    /// [`WavError::Truncated`] when the file ends before what its header promises.
    pub fn block(&mut self) -> Result<Option<Vec<f32>>, WavError> {
        let align = usize::from(self.format.block_align);
        let most = (align.saturating_mul(BLOCK_FRAMES) as u64).min(self.left.unwrap_or(u64::MAX));
        let mut bytes = Vec::new();
        // What cannot be read any more is missing.
        let _ = self.source.by_ref().take(most).read_to_end(&mut bytes);
        let got = bytes.len() as u64;
        self.read = self.read.saturating_add(got);
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(got);
            if got < most {
                return Err(WavError::Truncated { missing: *left });
            }
        }
        let format = &self.format;
        let (width, weight) = (usize::from(format.bits / 8), 1.0 / f32::from(format.channels));
        let frames = bytes.chunks_exact(align.max(1));
        let samples = frames.map(|frame| frame.chunks_exact(width).map(|s| format.sample(s)).sum::<f32>() * weight);
        let samples: Vec<f32> = samples.collect();
        Ok((!samples.is_empty()).then_some(samples))
    }
}

/// How samples are stored. Until [`Format::check`] this is what a stranger wrote.
struct Format {
    code: u16,
    channels: u16,
    rate: u32,
    block_align: u16,
    bits: u16,
}

impl Format {
    /// Reads the body of a format chunk. The extension only matters for the code that it hides.
    fn read(body: &[u8]) -> Option<Self> {
        let mut format = Self {
            code: u16_at(body, 0)?,
            channels: u16_at(body, 2)?,
            rate: u32_at(body, 4)?,
            block_align: u16_at(body, 12)?,
            bits: u16_at(body, 14)?,
        };
        if format.code == FORMAT_EXTENSIBLE && body.get(26..40) == Some(&SUBFORMAT_TAIL) {
            format.code = u16_at(body, 24)?;
        }
        Some(format)
    }

    fn check(&self) -> Result<(), WavError> {
        match (self.code, self.bits) {
            (FORMAT_PCM, 8 | 16 | 24 | 32) | (FORMAT_FLOAT, 32 | 64) => {}
            (format, bits) => return Err(WavError::Encoding { format, bits }),
        }
        if !(1..=MAX_CHANNELS).contains(&self.channels) {
            return Err(WavError::Channels { channels: self.channels });
        }
        if !(MIN_RATE..=MAX_RATE).contains(&self.rate) {
            return Err(WavError::Rate { rate: self.rate });
        }
        // At most 8 channels of 8 bytes.
        let expected = self.channels * (self.bits / 8);
        if self.block_align != expected {
            return Err(WavError::BlockAlign { found: self.block_align, expected });
        }
        Ok(())
    }

    /// One sample, from -1 to 1; 8-bit WAV is unsigned, all else is signed.
    fn sample(&self, bytes: &[u8]) -> f32 {
        match (self.code, bytes) {
            (FORMAT_PCM, &[a]) => (f32::from(a) - 128.0) / 128.0,
            (FORMAT_PCM, &[a, b]) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            // Three bytes become the upper three of four.
            (FORMAT_PCM, &[a, b, c]) => i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0,
            (FORMAT_PCM, &[a, b, c, d]) => i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0,
            (_, &[a, b, c, d]) => tame(f32::from_le_bytes([a, b, c, d])),
            (_, &[a, b, c, d, e, f, g, h]) => tame(f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32),
            _ => 0.0,
        }
    }
}

/// Walks the chunks to the format and the samples; others are passed over.
fn find_chunks(mut rest: &[u8]) -> Result<(Format, &[u8]), WavError> {
    let mut format = None;
    loop {
        let Some((header, body)) = rest.split_at_checked(CHUNK_HEADER) else {
            return Err(if format.is_some() { WavError::Empty } else { WavError::NoFormat });
        };
        let size = u32_at(header, 4).unwrap_or(0);
        let is_data = header.get(..4) == Some(b"data");
        if is_data && size >= UNKNOWN_SIZE {
            return Ok((format.ok_or(WavError::NoFormat)?, body));
        }
        let size = size as usize;
        let Some((chunk, after)) = body.split_at_checked(size) else {
            return Err(WavError::Truncated { missing: size.saturating_sub(body.len()) as u64 });
        };
        if is_data {
            return Ok((format.ok_or(WavError::NoFormat)?, chunk));
        }
        if header.get(..4) == Some(b"fmt ") {
            format = Some(chunk.get(..FORMAT_SIZE).and_then(|_| Format::read(chunk)).ok_or(WavError::NoFormat)?);
        }
        // Chunks of odd size are followed by a byte of padding.
        rest = after.get(size % 2..).unwrap_or_default();
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests;
