//! Every format that is read, and every way to lie in a header.

use proptest::prelude::*;

use super::*;

/// A WAV file as a program would write it.
fn wav(format: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let block_align = channels.wrapping_mul(bits / 8);
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    file.extend(format.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend(rate.wrapping_mul(u32::from(block_align)).to_le_bytes());
    file.extend(block_align.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    file.extend(data);
    let size = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file
}

/// The same sound as an extensible WAV file.
fn extensible(code: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let plain = wav(FORMAT_EXTENSIBLE, channels, rate, bits, data);
    let mut file = plain[..16].to_vec();
    file.extend(40_u32.to_le_bytes());
    file.extend(&plain[20..36]);
    file.extend(22_u16.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(0_u32.to_le_bytes());
    file.extend(code.to_le_bytes());
    file.extend(SUBFORMAT_TAIL);
    file.extend(&plain[36..]);
    file
}

fn good() -> Vec<u8> {
    wav(FORMAT_PCM, 1, 16_000, 16, &[0, 0, 0, 0x40, 0, 0xc0])
}

#[test]
fn every_width_gives_the_same_sound() {
    let expected = [0.0, 0.5, -0.5, -1.0];
    let files = [
        (FORMAT_PCM, 8, vec![128, 192, 64, 0]),
        (FORMAT_PCM, 16, [0_i16, 0x4000, -0x4000, i16::MIN].iter().flat_map(|s| s.to_le_bytes()).collect()),
        (FORMAT_PCM, 24, vec![0, 0, 0, 0, 0, 0x40, 0, 0, 0xc0, 0, 0, 0x80]),
        (FORMAT_PCM, 32, [0, 0x4000_0000, -0x4000_0000, i32::MIN].iter().flat_map(|s: &i32| s.to_le_bytes()).collect()),
        (FORMAT_FLOAT, 32, expected.iter().flat_map(|s: &f32| s.to_le_bytes()).collect()),
        (FORMAT_FLOAT, 64, expected.iter().flat_map(|s: &f32| f64::from(*s).to_le_bytes()).collect()),
    ];
    for (format, bits, data) in files {
        for file in [wav(format, 1, 44_100, bits, &data), extensible(format, 1, 44_100, bits, &data)] {
            let pcm = decode(&file).unwrap();
            assert_eq!((pcm.rate, pcm.samples.as_slice()), (44_100, expected.as_slice()), "{format} {bits}");
        }
    }
}

#[test]
fn channels_are_mixed_by_their_mean() {
    let data: Vec<u8> = [0x4000_i16, 0, -0x4000, -0x2000].iter().flat_map(|s| s.to_le_bytes()).collect();
    assert_eq!(decode(&wav(FORMAT_PCM, 2, 48_000, 16, &data)).unwrap().samples, [0.25, -0.375]);
    assert_eq!(decode(&wav(FORMAT_PCM, 4, 48_000, 16, &data)).unwrap().samples, [-0.0625]);
}

#[test]
fn floats_that_are_no_numbers_or_too_loud_are_tamed() {
    let data: Vec<u8> =
        [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 7.0].iter().flat_map(|s| s.to_le_bytes()).collect();
    assert_eq!(decode(&wav(FORMAT_FLOAT, 1, 48_000, 32, &data)).unwrap().samples, [0.0, 1.0, -1.0, 1.0]);
}

#[test]
fn unknown_chunks_of_odd_size_are_passed_over() {
    let good = good();
    let mut file = good[..12].to_vec();
    file.extend(b"LIST\x03\0\0\0abc\0");
    file.extend(&good[12..]);
    file.extend(b"junk");
    assert_eq!(decode(&file), decode(&good));
}

#[test]
fn a_size_that_the_writer_could_not_know_means_until_the_end() {
    for size in [u32::MAX, 0x8000_0000, 0x7fff_f000] {
        let mut file = good();
        file[40..44].copy_from_slice(&size.to_le_bytes());
        assert_eq!(decode(&file), decode(&good()));
    }
}

#[test]
fn half_a_frame_at_the_end_is_dropped() {
    assert_eq!(decode(&wav(FORMAT_PCM, 2, 16_000, 16, &[0; 7])).unwrap().samples, [0.0]);
}

#[test]
fn impossible_headers_are_named() {
    let sound = [0; 16];
    assert_eq!(decode(b""), Err(WavError::NotWav));
    assert_eq!(decode(b"RIFF\0\0\0\0AVI "), Err(WavError::NotWav));
    assert_eq!(decode(&wav(FORMAT_PCM, 0, 16_000, 16, &sound)), Err(WavError::Channels { channels: 0 }));
    assert_eq!(decode(&wav(FORMAT_PCM, 9, 16_000, 16, &sound)), Err(WavError::Channels { channels: 9 }));
    assert_eq!(decode(&wav(FORMAT_PCM, 65_535, 16_000, 32, &sound)), Err(WavError::Channels { channels: 65_535 }));
    assert_eq!(decode(&wav(FORMAT_PCM, 1, 0, 16, &sound)), Err(WavError::Rate { rate: 0 }));
    assert_eq!(decode(&wav(FORMAT_PCM, 1, u32::MAX, 16, &sound)), Err(WavError::Rate { rate: u32::MAX }));
    assert_eq!(decode(&wav(FORMAT_PCM, 1, 16_000, 12, &sound)), Err(WavError::Encoding { format: 1, bits: 12 }));
    assert_eq!(decode(&wav(6, 1, 8_000, 8, &sound)), Err(WavError::Encoding { format: 6, bits: 8 }));
    assert_eq!(decode(&wav(FORMAT_PCM, 1, 16_000, 16, &[])), Err(WavError::Empty));
    assert_eq!(decode(&wav(FORMAT_PCM, 1, 16_000, 16, &[1])), Err(WavError::Empty));
    assert_eq!(decode(&good()[..36]), Err(WavError::Empty));
    assert_eq!(decode(&good()[..12]), Err(WavError::NoFormat));
    let mut lying = good();
    lying[32] = 1;
    assert_eq!(decode(&lying), Err(WavError::BlockAlign { found: 1, expected: 2 }));
}

#[test]
fn lying_sizes_are_named_and_cost_no_memory() {
    let mut file = good();
    file[40..44].copy_from_slice(&0x7ffe_ffff_u32.to_le_bytes());
    assert_eq!(decode(&file), Err(WavError::Truncated { missing: 0x7ffe_ffff - 6 }));
    let mut file = good();
    file[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(decode(&file), Err(WavError::Truncated { .. })));
    let mut file = good();
    file[16..20].copy_from_slice(&4_u32.to_le_bytes());
    assert_eq!(decode(&file), Err(WavError::NoFormat));
}

#[test]
fn hours_of_sound_are_refused() {
    let file = wav(FORMAT_PCM, 1, 8_000, 8, &vec![128; 8_000 * 301]);
    assert_eq!(decode(&file), Err(WavError::TooLong { duration: Duration::from_secs(301) }));
}

proptest! {
    #[test]
    fn any_prefix_is_an_error_or_no_longer_than_the_whole(cut in 0_usize..52) {
        let whole = wav(FORMAT_PCM, 1, 16_000, 16, &[7; 8]);
        prop_assert!(decode(&whole[..cut.min(whole.len() - 1)]).is_err());
    }

    #[test]
    fn flipped_bits_never_panic_or_grow(
        channels in 1_u16..=8,
        flips in proptest::collection::vec((0_usize..60, 0_u8..8), 1..6),
        tail in any::<bool>(),
    ) {
        let data = vec![9; 16 * usize::from(channels)];
        let mut file = if tail { extensible(1, channels, 44_100, 16, &data) } else { wav(1, channels, 44_100, 16, &data) };
        for (at, bit) in flips {
            let at = at % file.len();
            file[at] ^= 1 << bit;
        }
        if let Ok(pcm) = decode(&file) {
            prop_assert!(pcm.samples.len() <= file.len());
            prop_assert!(pcm.samples.iter().all(|sample| sample.abs() <= 1.0));
        }
    }

    #[test]
    fn any_bytes_after_a_riff_header_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
        file.extend(bytes);
        let _ = decode(&file);
    }
}
