//! The picture of a sound: how loud it is, slice by slice.

/// Slices in a waveform: as many bars as a message bubble has room for on a phone.
pub const PEAK_COUNT: usize = 64;

/// Slices that are kept while the length is not known: halved in number whenever they are all full.
const FINE: usize = 64 * PEAK_COUNT;

/// Gathers the waveform of a sound whose length is not known yet, in memory that does not grow with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Peaks {
    /// The loudest sample of each full slice.
    slices: Vec<f32>,
    /// Samples in a slice, as a power of two.
    doublings: u32,
    loudest: f32,
    gathered: usize,
}

impl Peaks {
    pub(super) fn push(&mut self, sample: f32) {
        self.loudest = self.loudest.max(sample.abs());
        self.gathered += 1;
        if self.gathered < 1 << self.doublings {
            return;
        }
        self.slices.push(std::mem::take(&mut self.loudest));
        self.gathered = 0;
        if self.slices.len() == FINE {
            self.slices = self.slices.as_chunks::<2>().0.iter().map(|[a, b]| a.max(*b)).collect();
            self.doublings += 1;
        }
    }

    /// The loudest sample of each of [`PEAK_COUNT`] equal slices, 0 for silence to 255 for full scale, linear.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.gathered > 0 {
            self.slices.push(self.loudest);
        }
        (0..PEAK_COUNT)
            .map(|slice| {
                let count = self.slices.len();
                let start = count * slice / PEAK_COUNT;
                let end = (count * (slice + 1) / PEAK_COUNT).max(start + 1).min(count);
                let loudest = self.slices.get(start..end).unwrap_or_default().iter().fold(0.0, |l: f32, s| l.max(*s));
                (loudest.min(1.0) * 255.0).round() as u8
            })
            .collect()
    }
}

/// The waveform of a sound that is there as a whole.
pub(super) fn peaks(samples: &[f32]) -> Vec<u8> {
    let mut peaks = Peaks::default();
    samples.iter().for_each(|sample| peaks.push(*sample));
    peaks.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rising_sound_has_rising_peaks() {
        for length in [6_400, 64_000, 1_000_000] {
            let top = (length - 1) as f32;
            let samples: Vec<f32> = (0..length).map(|n| n as f32 / top * if n % 2 == 0 { 1.0 } else { -1.0 }).collect();
            let peaks = peaks(&samples);
            assert_eq!(peaks.len(), PEAK_COUNT);
            assert!(peaks.is_sorted());
            assert_eq!((peaks[0], peaks[63]), (4, 255), "{length}");
        }
    }

    #[test]
    fn fewer_samples_than_slices_still_give_every_slice() {
        assert_eq!(peaks(&[1.0]), vec![255; PEAK_COUNT]);
        assert_eq!(peaks(&[]), vec![0; PEAK_COUNT]);
    }

    #[test]
    fn an_hour_takes_no_more_room_than_a_second() {
        let mut peaks = Peaks::default();
        (0..48_000 * 60).for_each(|n| peaks.push((n % 2) as f32));
        assert!(peaks.slices.len() <= FINE && peaks.slices.capacity() <= 2 * FINE);
        assert_eq!(peaks.finish(), vec![255; PEAK_COUNT]);
    }
}
