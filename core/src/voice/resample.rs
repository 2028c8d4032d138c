//! From one sample rate to another.
//!
//! By FFT with an anti-aliasing filter (rubato's `Fft`): the ratio is fixed, so quality is the best that the library has, and the
//! filter's delay is cut off. A whole clip at once, or piece by piece with the same result. Live streams, whose clocks drift, need
//! the library's other resamplers.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use super::{Pcm, tame};

/// The lowest rate served, in Hz: telephone sound.
pub const MIN_RATE: u32 = 8_000;
/// The highest rate served, in Hz: the highest that sound cards offer.
pub const MAX_RATE: u32 = 192_000;

/// Frames that go through the filter at a time, at least: rubato's advice for clips in memory.
const CHUNK: u32 = 1024;

/// Why a sound was not resampled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResampleError {
    /// A rate outside of [`MIN_RATE`] to [`MAX_RATE`].
    #[error("a sample rate of {rate} Hz is not supported: it has to be between 8000 and 192000 Hz")]
    Rate {
        /// The rate, in Hz.
        rate: u32,
    },
    /// The resampler refused; with rates and lengths checked this is a fault of ours.
    #[error("the sound could not be resampled: {reason}")]
    Resampler {
        /// What the library said.
        reason: String,
    },
}

/// The sound at another rate; its length is the input's times the ratio, rounded up.
///
/// # Errors
/// [`ResampleError::Rate`] if a rate is outside of [`MIN_RATE`] to [`MAX_RATE`].
pub fn resample(pcm: &Pcm, rate: u32) -> Result<Pcm, ResampleError> {
    check(pcm.rate)?;
    check(rate)?;
    if pcm.rate == rate || pcm.samples.is_empty() {
        return Ok(Pcm { rate, samples: pcm.samples.clone() });
    }
    let frames = pcm.samples.len();
    let mut resampler = Fft::<f32>::new(pcm.rate as usize, rate as usize, chunk(pcm.rate, rate), 1, FixedSync::Both)
        .map_err(refused)?;
    let input = InterleavedSlice::new(&pcm.samples, 1, frames).map_err(refused)?;
    let mut samples = resampler.process_all(&input, frames, None).map_err(refused)?.take_data();
    for sample in &mut samples {
        *sample = tame(*sample);
    }
    Ok(Pcm { rate, samples })
}

/// A sound that comes in pieces, at another rate. It holds one piece of some milliseconds, however long the sound is.
pub struct Stream {
    from: u32,
    to: u32,
    /// None where both rates are the same.
    filter: Option<Fft<f32>>,
    /// What waits for a whole piece.
    held: Vec<f32>,
    /// What is left of the filter's delay, in samples that come out.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Stream {
    /// From one rate to another.
    ///
    /// # Errors
    /// [`ResampleError::Rate`] if a rate is outside of [`MIN_RATE`] to [`MAX_RATE`].
    pub fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        check(from)?;
        check(to)?;
        let filter = match from == to {
            true => None,
            false => Some(
                Fft::<f32>::new(from as usize, to as usize, chunk(from, to), 1, FixedSync::Both).map_err(refused)?,
            ),
        };
        let delay = filter.as_ref().map_or(0, Resampler::output_delay);
        Ok(Self { from, to, filter, held: Vec::new(), delay, taken: 0, given: 0 })
    }

    /// Takes a piece of any length, and adds what comes out to `output`.
    ///
    /// # Errors
    /// [`ResampleError::Resampler`], a fault of ours.
    pub fn push(&mut self, piece: &[f32], output: &mut Vec<f32>) -> Result<(), ResampleError> {
        self.taken = self.taken.saturating_add(piece.len() as u64);
        let Some(filter) = &mut self.filter else {
            output.extend_from_slice(piece);
            return Ok(());
        };
        self.held.extend_from_slice(piece);
        let mut done = 0_usize;
        while let Some(frames) = self.held.get(done..done.saturating_add(filter.input_frames_next())) {
            done = done.saturating_add(frames.len());
            let made = run(filter, frames, None)?;
            self.given = self.given.saturating_add(give(made, &mut self.delay, output));
        }
        self.held.drain(..done);
        Ok(())
    }

    /// The sound has ended: adds the rest to `output`.
    ///
    /// # Errors
    /// [`ResampleError::Resampler`], a fault of ours.
    pub fn finish(mut self, output: &mut Vec<f32>) -> Result<(), ResampleError> {
        let Some(filter) = &mut self.filter else { return Ok(()) };
        let whole = self.taken.saturating_mul(u64::from(self.to)).div_ceil(u64::from(self.from));
        let mut left = std::mem::take(&mut self.held);
        while self.given < whole {
            let frames = left.len();
            // The filter wants whole pieces to read, and is told how much of one counts.
            left.resize(filter.input_frames_next(), 0.0);
            let mut made = run(filter, &left, Some(frames))?;
            left.clear();
            let delayed = self.delay.min(made.len());
            self.delay -= delayed;
            made.drain(..delayed);
            let wanted = usize::try_from(whole.saturating_sub(self.given)).unwrap_or(usize::MAX);
            made.truncate(wanted);
            self.given = self.given.saturating_add(give(made, &mut self.delay, output));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

fn run(filter: &mut Fft<f32>, frames: &[f32], partial: Option<usize>) -> Result<Vec<f32>, ResampleError> {
    let input = InterleavedSlice::new(frames, 1, frames.len()).map_err(refused)?;
    let indexing = partial.map(|frames| Indexing::new().partial_len(frames));
    Ok(filter.process(&input, indexing.as_ref()).map_err(refused)?.take_data())
}

/// Adds what was made, less the delay, to what comes out; says how much that was.
fn give(made: Vec<f32>, delay: &mut usize, output: &mut Vec<f32>) -> u64 {
    let delayed = (*delay).min(made.len());
    *delay -= delayed;
    let before = output.len();
    output.extend(made.into_iter().skip(delayed).map(tame));
    output.len().saturating_sub(before) as u64
}

fn check(rate: u32) -> Result<(), ResampleError> {
    if (MIN_RATE..=MAX_RATE).contains(&rate) { Ok(()) } else { Err(ResampleError::Rate { rate }) }
}

/// Frames that go through the filter at a time: a whole number of steps after which both rates meet, and an even one,
/// because the filter's delay is half of it and a half frame cannot be cut off.
fn chunk(from: u32, to: u32) -> usize {
    let step = 2 * (from / greatest_common_divisor(from, to));
    CHUNK.next_multiple_of(step) as usize
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn refused(error: impl std::fmt::Display) -> ResampleError {
    ResampleError::Resampler { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f32, samples: usize) -> Pcm {
        let step = 2.0 * std::f32::consts::PI * hz / rate as f32;
        Pcm { rate, samples: (0..samples).map(|n| 0.5 * (step * n as f32).sin()).collect() }
    }

    #[test]
    fn a_tone_keeps_its_pitch_loudness_and_place_at_any_rate() {
        for rate in [8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000] {
            let input = tone(rate, 440.0, rate as usize / 2);
            let output = resample(&input, 48_000).unwrap();
            let expected = tone(48_000, 440.0, output.samples.len());
            assert!(output.samples.len().abs_diff(24_000) <= 6, "{rate}: {}", output.samples.len());
            // The ends ring: the tone starts and stops at once.
            let worst = (4_800..output.samples.len() - 4_800)
                .map(|n| (output.samples[n] - expected.samples[n]).abs())
                .fold(0.0, f32::max);
            assert!(worst < 0.01, "{rate} Hz: {worst}");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_removed_not_folded() {
        let output = resample(&tone(48_000, 12_000.0, 24_000), 16_000).unwrap();
        let loudest = output.samples[500..7_000].iter().fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()));
        assert!(loudest < 0.001, "{loudest}");
    }

    #[test]
    fn very_short_clips_are_served() {
        for length in 1..20 {
            let output = resample(&tone(16_000, 440.0, length), 48_000).unwrap();
            assert_eq!(output.samples.len(), length * 3);
        }
    }

    #[test]
    fn a_sound_in_pieces_becomes_what_the_whole_becomes() {
        for (from, to, length) in
            [(44_100, 16_000, 50_000), (48_000, 16_000, 30_001), (8_000, 16_000, 777), (16_000, 16_000, 99)]
        {
            let whole = tone(from, 440.0, length);
            let mut stream = Stream::new(from, to).unwrap();
            let mut output = Vec::new();
            for piece in whole.samples.chunks(333) {
                stream.push(piece, &mut output).unwrap();
            }
            stream.finish(&mut output).unwrap();
            let expected = resample(&whole, to).unwrap().samples;
            assert_eq!(output.len(), expected.len(), "{from} to {to}");
            let worst = output.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 0.001, "{from} to {to}: {worst}");
        }
        assert!(matches!(Stream::new(1, 16_000), Err(ResampleError::Rate { rate: 1 })));
    }

    #[test]
    fn absurd_rates_are_refused() {
        for rate in [0, 1, 7_999, 192_001, u32::MAX] {
            let clip = Pcm { rate, samples: vec![0.0; 10] };
            assert_eq!(resample(&clip, 48_000), Err(ResampleError::Rate { rate }));
        }
    }
}
