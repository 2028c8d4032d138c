//! From one sample rate to another.
//!
//! A whole clip at once, by FFT with an anti-aliasing filter (rubato's `Fft`): the ratio is fixed, so quality is the best
//! that the library has, and the filter's delay is cut off. Live streams, whose clocks drift, need its other resamplers.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

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
    for rate in [pcm.rate, rate] {
        if !(MIN_RATE..=MAX_RATE).contains(&rate) {
            return Err(ResampleError::Rate { rate });
        }
    }
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

/// Changes the rate of mono sound as it comes.
pub struct Converter {
    /// None where the rates are the same.
    inner: Option<Fft<f32>>,
    waiting: Vec<f32>,
    converted: Vec<f32>,
}

impl std::fmt::Debug for Converter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Converter").field("active", &self.inner.is_some()).finish_non_exhaustive()
    }
}

impl Converter {
    /// Frames that go through the filter at a time, at least: 10 ms at 48 kHz, which is as late as it makes sound.
    const CHUNK: u32 = 480;

    /// From one rate to another, both in Hz.
    ///
    /// # Errors
    /// [`ResampleError::Rate`] if a rate is outside of [`MIN_RATE`] to [`MAX_RATE`].
    pub fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        for rate in [from, to] {
            if !(MIN_RATE..=MAX_RATE).contains(&rate) {
                return Err(ResampleError::Rate { rate });
            }
        }
        let step = from / greatest_common_divisor(from, to);
        let chunk = Self::CHUNK.next_multiple_of(step) as usize;
        let inner = (from != to)
            .then(|| Fft::<f32>::new(from as usize, to as usize, chunk, 1, FixedSync::Both).map_err(refused))
            .transpose()?;
        let room = inner.as_ref().map_or(0, Resampler::output_frames_max);
        Ok(Self { inner, waiting: Vec::new(), converted: vec![0.0; room] })
    }

    /// Takes samples and adds what they become to `output`, up to a chunk later.
    ///
    /// # Errors
    /// [`ResampleError::Resampler`] if the library refuses.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) -> Result<(), ResampleError> {
        let Some(inner) = &mut self.inner else {
            output.extend_from_slice(samples);
            return Ok(());
        };
        self.waiting.extend_from_slice(samples);
        let mut used = 0;
        loop {
            let needed = inner.input_frames_next();
            let Some(chunk) = self.waiting.get(used..used + needed) else { break };
            let input = InterleavedSlice::new(chunk, 1, needed).map_err(refused)?;
            let frames = self.converted.len();
            let mut room = InterleavedSlice::new_mut(&mut self.converted, 1, frames).map_err(refused)?;
            let (_, made) = inner.process_into_buffer(&input, &mut room, None).map_err(refused)?;
            output.extend(self.converted.iter().take(made).copied().map(tame));
            used += needed;
        }
        self.waiting.drain(..used);
        Ok(())
    }
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
    fn sound_that_comes_in_pieces_keeps_its_pitch_and_loudness() {
        for rate in [8_000, 16_000, 44_100, 48_000, 96_000] {
            let mut converter = Converter::new(rate, 48_000).unwrap();
            let mut output = Vec::new();
            for piece in tone(rate, 440.0, rate as usize).samples.chunks(137) {
                converter.push(piece, &mut output).unwrap();
            }
            assert!(output.len().abs_diff(48_000) < 2_000, "{rate}: {}", output.len());
            let middle = &output[12_000..36_000];
            let crossings = middle.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
            assert!(crossings.abs_diff(220) <= 1, "{rate}: {crossings}");
            let loudest = middle.iter().fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()));
            assert!((0.48..0.52).contains(&loudest), "{rate}: {loudest}");
        }
        assert!(matches!(Converter::new(0, 48_000), Err(ResampleError::Rate { rate: 0 })));
    }

    #[test]
    fn very_short_clips_are_served() {
        for length in 1..20 {
            let output = resample(&tone(16_000, 440.0, length), 48_000).unwrap();
            assert_eq!(output.samples.len(), length * 3);
        }
    }

    #[test]
    fn absurd_rates_are_refused() {
        for rate in [0, 1, 7_999, 192_001, u32::MAX] {
            let clip = Pcm { rate, samples: vec![0.0; 10] };
            assert_eq!(resample(&clip, 48_000), Err(ResampleError::Rate { rate }));
        }
    }
}
