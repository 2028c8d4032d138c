//! A WAV file read as it comes, in constant memory.

use std::io::{self, Read};

use super::{CHUNK_HEADER, FORMAT_SIZE, Format, UNKNOWN_SIZE, WavError, u32_at};

/// The most bytes of a format chunk that are looked at: with its extension.
const MAX_FORMAT: u64 = 64;

/// Frames that are read at once.
const STEP: usize = 4096;

/// The samples of a WAV file, mixed down to mono, at the file's own rate.
pub struct Stream<R> {
    source: R,
    format: Format,
    /// Bytes of samples that were announced and not read yet; none where the header could not know.
    left: Option<u64>,
    bytes: Vec<u8>,
}

impl<R: Read> Stream<R> {
    /// Reads up to the samples.
    ///
    /// # Errors
    /// [`WavError`], for every way in which this is no such file.
    pub fn open(mut source: R) -> Result<Self, WavError> {
        let mut riff = [0; 12];
        if fill(&mut source, &mut riff)? < riff.len() || !riff.starts_with(b"RIFF") || !riff.ends_with(b"WAVE") {
            return Err(WavError::NotWav);
        }
        let mut format = None;
        loop {
            let mut header = [0; CHUNK_HEADER];
            if fill(&mut source, &mut header)? < header.len() {
                return Err(if format.is_some() { WavError::Empty } else { WavError::NoFormat });
            }
            let size = u32_at(&header, 4).unwrap_or(0);
            if header.starts_with(b"data") {
                let format: Format = format.ok_or(WavError::NoFormat)?;
                format.check()?;
                let left = (size < UNKNOWN_SIZE).then_some(u64::from(size));
                return Ok(Self { source, format, left, bytes: Vec::new() });
            }
            // Chunks of odd size are followed by a byte of padding.
            let size = u64::from(size) + u64::from(size % 2);
            if header.starts_with(b"fmt ") {
                let mut body = Vec::new();
                (&mut source).take(size.min(MAX_FORMAT)).read_to_end(&mut body).map_err(|error| failed(&error))?;
                format = Some(body.get(..FORMAT_SIZE).and_then(|_| Format::read(&body)).ok_or(WavError::NoFormat)?);
                skip(&mut source, size.saturating_sub(MAX_FORMAT))?;
            } else {
                skip(&mut source, size)?;
            }
        }
    }

    /// Samples a second, in Hz.
    #[must_use]
    pub fn rate(&self) -> u32 {
        self.format.rate
    }

    /// Frames that the header promises and that were not read; none where whoever wrote it did not know.
    #[must_use]
    pub fn frames(&self) -> Option<u64> {
        self.left.map(|bytes| bytes / u64::from(self.format.block_align.max(1)))
    }

    /// Adds the next samples; says whether there were any.
    ///
    /// # Errors
    /// [`WavError::Truncated`] if the file ends before what it announces, or it cannot be read.
    pub fn read(&mut self, samples: &mut Vec<f32>) -> Result<bool, WavError> {
        let align = usize::from(self.format.block_align);
        let room = (STEP * align) as u64;
        let wanted = self.left.map_or(room, |left| left.min(room));
        self.bytes.clear();
        let got = (&mut self.source).take(wanted).read_to_end(&mut self.bytes).map_err(|error| failed(&error))? as u64;
        if let Some(left) = &mut self.left {
            if got < wanted {
                return Err(WavError::Truncated { missing: left.saturating_sub(got) });
            }
            *left -= got;
        }
        let (width, weight) = (usize::from(self.format.bits / 8), 1.0 / f32::from(self.format.channels));
        let frames = self.bytes.chunks_exact(align);
        let any = frames.len() > 0;
        let mix =
            |frame: &[u8]| frame.chunks_exact(width).map(|sample| self.format.sample(sample)).sum::<f32>() * weight;
        samples.extend(frames.map(mix));
        Ok(any)
    }
}

/// Reads as much as there is, at most all of it.
fn fill(source: &mut impl Read, into: &mut [u8]) -> Result<usize, WavError> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(filled)
}

fn skip(source: &mut impl Read, bytes: u64) -> Result<(), WavError> {
    let skipped = io::copy(&mut source.take(bytes), &mut io::sink()).map_err(|error| failed(&error))?;
    if skipped < bytes { Err(WavError::Truncated { missing: bytes - skipped }) } else { Ok(()) }
}

fn failed(error: &io::Error) -> WavError {
    WavError::Read { reason: error.to_string() }
}
