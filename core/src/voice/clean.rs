//! Makes a voice clear before it is encoded: no rumble, less noise, an even loudness.
//!
//! Does not cancel echo: that needs what the speaker plays, and comes with calls.

use sonora::config::MaxProcessingRate;
use sonora::config::{
    AdaptiveDigital, Config, GainController2, HighPassFilter, NoiseSuppression, NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, StreamConfig};

use super::{OPUS_RATE, tame};

/// Samples that are processed together: 10 ms.
const BLOCK: usize = OPUS_RATE as usize / 100;

/// What is done to the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanUp {
    /// Takes out what lies below the voice: rumble, wind, hum of the mains.
    pub high_pass: bool,
    /// Takes out steady noise.
    pub noise: bool,
    /// Makes quiet voices louder and loud ones quieter.
    pub gain: bool,
}

impl CleanUp {
    /// Everything.
    pub const FULL: Self = Self { high_pass: true, noise: true, gain: true };
    /// Nothing: the sound as the microphone gives it.
    pub const NONE: Self = Self { high_pass: false, noise: false, gain: false };
}

impl Default for CleanUp {
    fn default() -> Self {
        Self::FULL
    }
}

/// Cleans mono sound at 48 kHz as it comes.
pub struct Cleaner {
    /// None where nothing is done.
    processing: Option<Box<AudioProcessing>>,
    waiting: Vec<f32>,
    cleaned: Vec<f32>,
}

impl std::fmt::Debug for Cleaner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cleaner").field("active", &self.processing.is_some()).finish_non_exhaustive()
    }
}

impl Cleaner {
    /// A cleaner that does what is wanted.
    #[must_use]
    pub fn new(wanted: CleanUp) -> Self {
        let config = Config {
            pipeline: Pipeline {
                maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                ..Pipeline::default()
            },
            high_pass_filter: wanted.high_pass.then(HighPassFilter::default),
            noise_suppression: wanted
                .noise
                .then(|| NoiseSuppression { level: NoiseSuppressionLevel::Moderate, ..NoiseSuppression::default() }),
            gain_controller2: wanted.gain.then(|| GainController2 {
                adaptive_digital: Some(AdaptiveDigital::default()),
                ..GainController2::default()
            }),
            ..Config::default()
        };
        let stream = StreamConfig::new(OPUS_RATE, 1);
        let processing = (wanted != CleanUp::NONE).then(|| {
            Box::new(AudioProcessing::builder().config(config).capture_config(stream).render_config(stream).build())
        });
        Self { processing, waiting: Vec::with_capacity(BLOCK), cleaned: vec![0.0; BLOCK] }
    }

    /// Takes samples and adds cleaned ones to `output`, up to 10 ms later.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) {
        let Some(processing) = &mut self.processing else {
            output.extend(samples.iter().copied().map(tame));
            return;
        };
        for &sample in samples {
            self.waiting.push(tame(sample));
            if self.waiting.len() < BLOCK {
                continue;
            }
            // A block that cannot be cleaned is kept as it is: what was said counts more than how it sounds.
            let done = processing.process_capture_f32(&[&self.waiting], &mut [&mut self.cleaned]);
            let block = if done.is_ok() { &self.cleaned } else { &self.waiting };
            output.extend(block.iter().copied().map(tame));
            self.waiting.clear();
        }
    }

    /// The end: what waits for a whole block comes out as it is.
    pub fn finish(&mut self, output: &mut Vec<f32>) {
        output.append(&mut self.waiting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power(sound: &[f32]) -> f32 {
        sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32
    }

    fn cleaned(wanted: CleanUp, sound: &[f32]) -> Vec<f32> {
        let mut cleaner = Cleaner::new(wanted);
        let mut output = Vec::new();
        sound.chunks(333).for_each(|part| cleaner.push(part, &mut output));
        cleaner.finish(&mut output);
        assert_eq!(output.len(), sound.len());
        output
    }

    fn tone(hz: f32, loudness: f32) -> Vec<f32> {
        (0..96_000).map(|n| loudness * (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin()).collect()
    }

    #[test]
    fn rumble_is_taken_out_and_a_voice_stays() {
        let wanted = CleanUp { high_pass: true, ..CleanUp::NONE };
        let (rumble, voice) = (tone(20.0, 0.5), tone(300.0, 0.5));
        assert!(power(&cleaned(wanted, &rumble)[24_000..]) < power(&rumble) * 0.1);
        assert!(power(&cleaned(wanted, &voice)[24_000..]) > power(&voice) * 0.7);
    }

    #[test]
    fn steady_noise_is_turned_down() {
        let mut state = 1_u32;
        let noise: Vec<f32> = (0..192_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 * 0.1 - 0.05
            })
            .collect();
        let output = cleaned(CleanUp { noise: true, ..CleanUp::NONE }, &noise);
        assert!(power(&output[144_000..]) < power(&noise) * 0.35, "{} of {}", power(&output[144_000..]), power(&noise));
    }

    #[test]
    fn without_clean_up_no_sample_changes() {
        let sound = tone(440.0, 0.3);
        assert_eq!(cleaned(CleanUp::NONE, &sound), sound);
    }

    #[test]
    fn what_is_no_number_does_not_come_out() {
        let output = cleaned(CleanUp::FULL, &[f32::NAN; 2_000]);
        assert!(output.iter().all(|sample| sample.is_finite()));
    }
}
