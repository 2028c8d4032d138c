//! Is there anything to hear? Silence, hum and steady noise cost no inference, and give Whisper nothing to imagine.
//!
//! This is not a voice detector: music and slammed doors pass. A real one comes with the issue on recording. It also says
//! where the sound is, so that seconds of silence around a sentence are not listened to.
//!
//! Speech, cut into pieces of 20 ms, changes its loudness by far more than 6 dB within a word; hum, hiss and fans do not.

use std::ops::Range;

use crate::voice::SPEECH_RATE;

/// Samples of a piece: 20 ms.
const PIECE: usize = SPEECH_RATE as usize / 50;

/// The shortest word takes about 100 ms: so many pieces have to be loud.
const LOUD_PIECES: usize = 5;

/// Below this nobody speaks, whatever the microphone: -55 dB of full scale, without the bass.
const SILENCE: f32 = 0.0018;

/// The loud pieces have to be this much louder than the quiet ones: 6 dB. Steady noise stays below 2 dB.
const LIVELINESS: f32 = 2.0;

/// Where voices begin, in Hz. What lies below is taken out first, so that a loud hum does not pass for a loud voice.
const BASS: f32 = 200.0;

/// What is kept before and after the loud part: 300 ms, since words begin and end softly.
const MARGIN: usize = 15 * PIECE;

/// The part of a sound at [`SPEECH_RATE`] that is worth listening to, if any is.
pub(super) fn audible(samples: &[f32]) -> Option<Range<usize>> {
    let mut filters = [HighPass::default(), HighPass::default()];
    let voice: Vec<f32> = samples.iter().map(|s| filters.iter_mut().fold(*s, |s, filter| filter.next(s))).collect();
    let loudness: Vec<f32> = voice.chunks_exact(PIECE).map(root_mean_square).collect();
    let mut sorted = loudness.clone();
    sorted.sort_by(f32::total_cmp);
    let loud = *sorted.get(sorted.len().checked_sub(LOUD_PIECES)?)?;
    let quiet = sorted.get(sorted.len() / 10).copied().unwrap_or_default();
    let threshold = SILENCE.max(quiet * LIVELINESS);
    if loud <= threshold {
        return None;
    }
    let first = loudness.iter().position(|piece| *piece > threshold)?;
    let last = loudness.iter().rposition(|piece| *piece > threshold)?;
    let end = (last + 1).saturating_mul(PIECE).saturating_add(MARGIN).min(samples.len());
    Some(first.saturating_mul(PIECE).saturating_sub(MARGIN)..end)
}

fn root_mean_square(piece: &[f32]) -> f32 {
    (piece.iter().map(|s| s * s).sum::<f32>() / piece.len() as f32).sqrt()
}

/// A second-order Butterworth high-pass at [`BASS`] (the bilinear transform of the analogue one). Two in a row take
/// 48 dB out of a hum of 50 Hz.
struct HighPass {
    b: f32,
    a: [f32; 2],
    input: [f32; 2],
    output: [f32; 2],
}

impl Default for HighPass {
    fn default() -> Self {
        let k = (std::f32::consts::PI * BASS / SPEECH_RATE as f32).tan();
        let norm = 1.0 / (1.0 + std::f32::consts::SQRT_2 * k + k * k);
        let a = [2.0 * (k * k - 1.0) * norm, (1.0 - std::f32::consts::SQRT_2 * k + k * k) * norm];
        Self { b: norm, a, input: [0.0; 2], output: [0.0; 2] }
    }
}

impl HighPass {
    fn next(&mut self, sample: f32) -> f32 {
        let ([x1, x2], [y1, y2], [a1, a2]) = (self.input, self.output, self.a);
        let y = self.b * (sample - 2.0 * x1 + x2) - a1 * y1 - a2 * y2;
        self.input = [sample, x1];
        self.output = [y, y1];
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(seconds: f32, at: impl Fn(f32) -> f32) -> Vec<f32> {
        (0..(seconds * 16_000.0) as usize).map(|n| at(n as f32 / 16_000.0)).collect()
    }

    fn silent(samples: &[f32]) -> bool {
        audible(samples).is_none()
    }

    fn hum(t: f32) -> f32 {
        [50.0, 100.0, 150.0, 250.0].iter().map(|hz| 0.2 * (std::f32::consts::TAU * hz * t).sin()).sum()
    }

    /// A word: three syllables of a voiced sound within half a second.
    fn word(t: f32) -> f32 {
        if t < 0.5 { 0.1 * (t * 19.0).sin().abs() * (std::f32::consts::TAU * 700.0 * t).sin() } else { 0.0 }
    }

    #[test]
    fn silence_and_hum_and_clicks_are_nothing() {
        assert!(silent(&[]));
        assert!(silent(&[0.9; 100]));
        assert!(silent(&sound(3.0, |_| 0.0)));
        assert!(silent(&sound(3.0, |_| 0.7)), "a constant offset");
        assert!(silent(&sound(3.0, |t| 0.8 * (std::f32::consts::TAU * 50.0 * t).sin())));
        assert!(silent(&sound(3.0, hum)));
        assert!(silent(&sound(3.0, |t| if t == 1.0 { 1.0 } else { 0.0 })), "a click");
    }

    #[test]
    fn one_word_in_a_minute_is_something_even_over_a_hum() {
        assert!(!silent(&sound(60.0, word)));
        assert!(!silent(&sound(60.0, |t| word(t) + 0.3 * hum(t))));
        assert!(silent(&sound(60.0, |t| word(t) / 100.0)), "a word too quiet for anyone");
    }

    #[test]
    fn the_part_with_the_word_is_found() {
        let late = sound(10.0, |t| if t < 4.0 { 0.0 } else { word(t - 4.0) });
        let part = audible(&late).unwrap();
        assert!((58_000..=60_500).contains(&part.start), "{part:?}");
        assert!((75_000..=77_500).contains(&part.end), "{part:?}");
        assert_eq!(audible(&sound(0.5, word)), Some(0..8_000));
    }
}
