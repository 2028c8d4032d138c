//! The picture of a voice note: its loudest sample in each of a fixed number of slices.

/// Slices in a waveform: as many bars as a message bubble has room for on a phone.
pub const PEAK_COUNT: usize = 64;

/// The loudest sample of each of [`PEAK_COUNT`] equal slices, 0 for silence to 255 for full scale, linear.
pub(super) fn peaks(samples: &[f32]) -> Vec<u8> {
    (0..PEAK_COUNT)
        .map(|slice| {
            let start = samples.len() * slice / PEAK_COUNT;
            let end = (samples.len() * (slice + 1) / PEAK_COUNT).max(start + 1).min(samples.len());
            let loudest = samples.get(start..end).unwrap_or_default().iter().fold(0.0, |l: f32, s| l.max(s.abs()));
            (loudest.min(1.0) * 255.0).round() as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rising_sound_has_rising_peaks() {
        let samples: Vec<f32> = (0..6_400).map(|n| n as f32 / 6_399.0 * if n % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let peaks = peaks(&samples);
        assert_eq!(peaks.len(), PEAK_COUNT);
        assert!(peaks.is_sorted());
        assert_eq!((peaks[0], peaks[63]), (4, 255));
    }

    #[test]
    fn fewer_samples_than_slices_still_give_every_slice() {
        assert_eq!(peaks(&[1.0]), vec![255; PEAK_COUNT]);
        assert_eq!(peaks(&[]), vec![0; PEAK_COUNT]);
    }
}
