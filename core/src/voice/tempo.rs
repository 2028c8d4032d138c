//! Faster speech at the same pitch.
//!
//! The sound is cut into overlapping windows that are laid closer together than they were (overlap-add), each moved a little to
//! where its wave fits the one before (waveform similarity), so that no cycle of the voice is torn.
//!
//! Source: W. Verhelst, M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for high quality time-scale
//! modification of speech", ICASSP 1993.

use super::OPUS_RATE;

/// Half a window, in samples at 48 kHz: 15 ms, about one and a half cycles of a deep voice.
const HOP: usize = OPUS_RATE as usize * 15 / 1_000;

/// How far a window may move, in samples: 8 ms either way, a cycle of a deep voice in all.
const SEARCH: usize = OPUS_RATE as usize * 8 / 1_000;

/// Every which sample is compared in the search: speech has little above 6 kHz that decides where waves meet.
const SPARSE: usize = 4;

/// The speeds that are offered, in per cent.
pub const SPEEDS_PERCENT: [u16; 4] = [100, 125, 150, 200];

/// Changes the speed of mono sound at 48 kHz.
#[derive(Debug, Clone)]
pub struct Tempo {
    percent: u16,
    input: Vec<f32>,
    /// Where the next window is looked for in `input`.
    next: usize,
    /// The fading half of the window before; none at the start.
    tail: Option<Vec<f32>>,
}

impl Tempo {
    /// At `percent` of the speed, held within 50 and 300.
    #[must_use]
    pub fn new(percent: u16) -> Self {
        Self { percent: percent.clamp(50, 300), input: Vec::new(), next: 0, tail: None }
    }

    /// The speed, in per cent.
    #[must_use]
    pub fn percent(&self) -> u16 {
        self.percent
    }

    /// Samples of the sound that were put in and are not yet in what came out, nearly.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.input.len().saturating_sub(self.next)
    }

    /// Takes samples and adds what they become to `output`.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) {
        if self.percent == 100 {
            output.extend_from_slice(samples);
            return;
        }
        self.input.extend_from_slice(samples);
        while self.step(output) {}
        // What lies before the reach of the next window is not needed again.
        let done = self.next.saturating_sub(SEARCH);
        self.input.drain(..done.min(self.input.len()));
        self.next -= done;
    }

    /// The end of the sound: what is left comes out as it is.
    pub fn finish(&mut self, output: &mut Vec<f32>) {
        let rest = self.input.get(self.next..).unwrap_or_default();
        let faded = self.tail.take().unwrap_or_default();
        output.extend(rest.iter().enumerate().map(|(at, sample)| match faded.get(at) {
            Some(before) => blend(*before, *sample, at),
            None => *sample,
        }));
        self.input.clear();
        self.next = 0;
    }

    /// Lays down one window, if all of its reach is there.
    fn step(&mut self, output: &mut Vec<f32>) -> bool {
        let Some(reach) = self.input.get(..self.next + SEARCH + 2 * HOP) else { return false };
        let at = match &self.tail {
            None => self.next,
            Some(tail) => best_fit(tail, reach, self.next.saturating_sub(SEARCH), self.next + SEARCH),
        };
        let window = reach.get(at..at + 2 * HOP).unwrap_or_default();
        let (head, tail) = window.split_at(HOP.min(window.len()));
        match self.tail.take() {
            None => output.extend_from_slice(head),
            Some(faded) => {
                output.extend(faded.iter().zip(head).enumerate().map(|(n, (before, new))| blend(*before, *new, n)));
            }
        }
        // The tail is also what would come next: the window after it is chosen to resemble it.
        self.tail = Some(tail.to_vec());
        self.next += HOP * usize::from(self.percent) / 100;
        true
    }
}

/// One sample of a crossfade over [`HOP`] samples, by a raised cosine: the two weights always add up to one.
fn blend(before: f32, new: f32, n: usize) -> f32 {
    let rise = 0.5 - 0.5 * (std::f32::consts::PI * (n as f32 + 0.5) / HOP as f32).cos();
    before * (1.0 - rise) + new * rise
}

/// Where between `from` and `to` the sound is most like `wanted`, by normalised cross-correlation: first in steps, then around the best.
fn best_fit(wanted: &[f32], sound: &[f32], from: usize, to: usize) -> usize {
    let likeness = |at: usize| {
        let Some(candidate) = sound.get(at..at + HOP) else { return f32::MIN };
        let (mut product, mut power) = (0.0_f32, 1e-6_f32);
        for (a, b) in wanted.iter().step_by(SPARSE).zip(candidate.iter().step_by(SPARSE)) {
            product += a * b;
            power += b * b;
        }
        product / power.sqrt()
    };
    let best = |range: &mut dyn Iterator<Item = usize>| {
        range.map(|at| (at, likeness(at))).fold((from, f32::MIN), |best, new| if new.1 > best.1 { new } else { best }).0
    };
    let coarse = best(&mut (from..=to).step_by(SPARSE));
    best(&mut (coarse.saturating_sub(SPARSE).max(from)..=(coarse + SPARSE).min(to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.5 * (std::f32::consts::TAU * hz * n as f32 / OPUS_RATE as f32).sin()).collect()
    }

    fn played(percent: u16, sound: &[f32], piece: usize) -> Vec<f32> {
        let mut tempo = Tempo::new(percent);
        let mut output = Vec::new();
        sound.chunks(piece).for_each(|piece| tempo.push(piece, &mut output));
        tempo.finish(&mut output);
        output
    }

    /// Cycles a second, by counting where it crosses zero upwards.
    fn pitch(sound: &[f32]) -> f32 {
        let crossings = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        crossings as f32 * OPUS_RATE as f32 / sound.len() as f32
    }

    #[test]
    fn it_lasts_as_much_shorter_and_sounds_as_high() {
        for percent in SPEEDS_PERCENT {
            for hz in [110.0, 220.0, 447.0] {
                let output = played(percent, &tone(hz, 96_000), 960);
                let expected = 96_000.0 * 100.0 / f32::from(percent);
                assert!((output.len() as f32 - expected).abs() < 4_000.0, "{percent} %: {}", output.len());
                assert!((pitch(&output) - hz).abs() < hz * 0.03, "{percent} %, {hz} Hz: {}", pitch(&output));
                let loudest = output[4_800..output.len() - 4_800]
                    .chunks(960)
                    .map(|part| part.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs())));
                assert!(
                    loudest.clone().all(|l| (0.4..0.55).contains(&l)),
                    "{percent} %, {hz} Hz: {:?}",
                    loudest.min_by(f32::total_cmp)
                );
            }
        }
    }

    #[test]
    fn normal_speed_changes_no_sample() {
        let sound = tone(300.0, 5_000);
        assert_eq!(played(100, &sound, 77), sound);
    }

    #[test]
    fn how_the_samples_were_cut_does_not_matter() {
        let sound = tone(180.0, 30_000);
        assert_eq!(played(150, &sound, 1), played(150, &sound, 30_000));
    }

    #[test]
    fn very_short_sounds_are_served() {
        for length in [0, 1, HOP, 2 * HOP + SEARCH] {
            assert!(played(200, &tone(200.0, length), 100).len() <= length);
        }
    }
}
