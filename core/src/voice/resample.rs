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

/// The same as [`resample`], of a sound that comes piece by piece, in constant memory.
pub struct Stream {
    /// None where both rates are the same.
    resampler: Option<Fft<f32>>,
    ratio: f64,
    pending: Vec<f32>,
    /// Frames of the filter's delay that are still to be thrown away.
    delay: usize,
    /// Frames that came in, and that went out.
    came: u64,
    went: u64,
}

impl Stream {
    /// From one rate to the other.
    ///
    /// # Errors
    /// [`ResampleError::Rate`] if a rate is outside of [`MIN_RATE`] to [`MAX_RATE`].
    pub fn new(from: u32, to: u32) -> Result<Self, ResampleError> {
        for rate in [from, to] {
            if !(MIN_RATE..=MAX_RATE).contains(&rate) {
                return Err(ResampleError::Rate { rate });
            }
        }
        let resampler = match from == to {
            true => None,
            false => Some(
                Fft::<f32>::new(from as usize, to as usize, chunk(from, to), 1, FixedSync::Both).map_err(refused)?,
            ),
        };
        let delay = resampler.as_ref().map_or(0, Resampler::output_delay);
        Ok(Self { resampler, ratio: f64::from(to) / f64::from(from), pending: Vec::new(), delay, came: 0, went: 0 })
    }

    /// Takes more of it, and adds what has come through.
    ///
    /// # Errors
    /// [`ResampleError::Resampler`] if the library refuses.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleError> {
        self.came += samples.len() as u64;
        let Some(resampler) = &self.resampler else {
            self.went += samples.len() as u64;
            out.extend_from_slice(samples);
            return Ok(());
        };
        let step = resampler.input_frames_next();
        self.pending.extend_from_slice(samples);
        while self.pending.len() >= step {
            let made = self.step(step)?;
            self.went += made.len() as u64;
            out.extend(made);
        }
        Ok(())
    }

    /// The end: adds what is still in the filter.
    ///
    /// # Errors
    /// [`ResampleError::Resampler`] if the library refuses.
    pub fn finish(mut self, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let Some(resampler) = &self.resampler else { return Ok(()) };
        let step = resampler.input_frames_next();
        let whole = (self.came as f64 * self.ratio).ceil() as u64;
        while self.went < whole {
            self.pending.resize(step.max(self.pending.len()), 0.0);
            let mut made = self.step(step)?;
            made.truncate(usize::try_from(whole - self.went).unwrap_or(usize::MAX));
            self.went += made.len() as u64;
            out.extend(made);
        }
        Ok(())
    }

    fn step(&mut self, step: usize) -> Result<Vec<f32>, ResampleError> {
        let Some(resampler) = &mut self.resampler else { return Ok(Vec::new()) };
        let frames = resampler.output_frames_next();
        let mut made = vec![0.0; frames];
        let input = InterleavedSlice::new(&self.pending, 1, step).map_err(refused)?;
        let mut output = InterleavedSlice::new_mut(&mut made, 1, frames).map_err(refused)?;
        let (_, written) = resampler.process_into_buffer(&input, &mut output, None).map_err(refused)?;
        self.pending.drain(..step);
        made.truncate(written);
        let late = self.delay.min(made.len());
        self.delay -= late;
        made.drain(..late);
        made.iter_mut().for_each(|sample| *sample = tame(*sample));
        Ok(made)
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
    fn piece_by_piece_is_the_same_as_at_once() {
        for (rate, to) in [(16_000, 48_000), (44_100, 48_000), (48_000, 48_000), (192_000, 48_000)] {
            let input = tone(rate, 440.0, rate as usize / 3 + 7);
            let whole = resample(&input, to).unwrap();
            let (mut stream, mut out) = (Stream::new(rate, to).unwrap(), Vec::new());
            for piece in input.samples.chunks(1_001) {
                stream.push(piece, &mut out).unwrap();
            }
            stream.finish(&mut out).unwrap();
            assert_eq!(out.len(), whole.samples.len(), "{rate}");
            let worst = out.iter().zip(&whole.samples).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-6, "{rate}: {worst}");
        }
        assert_eq!(Stream::new(1, 48_000).err(), Some(ResampleError::Rate { rate: 1 }));
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
