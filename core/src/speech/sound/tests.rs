use std::path::PathBuf;

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sound").join(name)
}

fn clip() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clips/ok_01.wav")).unwrap()
}

/// All samples, or why not.
fn all(sound: Result<Sound, SoundError>) -> Result<(u32, Vec<f32>), SoundError> {
    let sound = sound?;
    let rate = sound.rate();
    let samples = sound.collect::<Result<Vec<_>, _>>()?.concat();
    Ok((rate, samples))
}

fn of(bytes: Vec<u8>) -> Result<(u32, Vec<f32>), SoundError> {
    all(Sound::of_bytes(bytes))
}

#[test]
fn every_kind_of_file_gives_the_same_sound() {
    let (rate, said) = of(clip()).unwrap();
    let loudness = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
    let length = said.len() as f32 / rate as f32;
    for name in ["said.mp3", "said.m4a", "said.aac", "said.flac", "said.opus"] {
        let sound = Sound::open(&fixture(name)).unwrap();
        let told = sound.length().map(|length| length.as_secs_f32());
        let (rate, samples) = all(Ok(sound)).unwrap();
        let lasts = samples.len() as f32 / rate as f32;
        println!("{name}: {rate} Hz, {lasts:.3} s, told {told:?}");
        assert!((lasts - length).abs() < 0.15, "{name}: {lasts} s of {length}");
        assert!(told.is_none_or(|told| (told - lasts).abs() < 0.2), "{name}: {told:?}");
        assert!((loudness(&samples) / loudness(&said) - 1.0).abs() < 0.3, "{name}");
        assert!(samples.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
    }
    assert_eq!(all(Sound::open(&fixture("said.flac"))).unwrap().1.len(), said.len());
}

#[test]
fn eight_channels_become_one() {
    let (rate, samples) = all(Sound::open(&fixture("eight.flac"))).unwrap();
    assert_eq!((rate, samples.len()), (16_000, 8_000));
    assert!(samples.iter().any(|sample| sample.abs() > 0.01));
}

#[test]
fn what_is_no_sound_is_told_in_a_sentence() {
    assert_eq!(of(Vec::new()).unwrap_err(), SoundError::Empty);
    for nonsense in
        [b"<!DOCTYPE html><title>Not found</title>".to_vec(), vec![0; 5000], b"ID3\x03\0\0\0\0\0\x0a".to_vec()]
    {
        let error = of(nonsense).unwrap_err();
        assert!(matches!(error, SoundError::Unknown | SoundError::Damaged { .. } | SoundError::Empty), "{error:?}");
    }
    let nowhere = Sound::open(Path::new("/nowhere/at/all.wav")).unwrap_err();
    assert_eq!(nowhere, SoundError::Unreadable(ErrorKind::NotFound));
    assert!(matches!(Sound::open(Path::new("/")), Err(SoundError::Unreadable(_))));
    for sentence in [SoundError::Empty, SoundError::Unknown, SoundError::TooLong, SoundError::Channels(9)] {
        assert!(sentence.to_string().len() > 15);
    }
}

#[test]
fn files_that_are_cut_short_are_told_apart_from_whole_ones() {
    let wav = clip();
    let error = of(wav[..wav.len() / 2].to_vec()).unwrap_err();
    assert!(matches!(error, SoundError::Wav(WavError::Truncated { .. })), "{error:?}");
    for name in ["said.flac", "said.m4a", "said.opus"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        for part in [3, 4, 12, 40, bytes.len() / 3] {
            let error = of(bytes[..part].to_vec()).unwrap_err();
            assert!(!error.to_string().is_empty(), "{name} of {part} bytes");
        }
    }
}

/// A WAV header of one's own, and as many zeros as it says, on a disk that does not write them down.
fn sparse(folder: &Path, rate: u32, channels: u16, seconds: u64) -> PathBuf {
    let bytes = seconds * u64::from(rate) * u64::from(channels) * 2;
    let mut head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    head.extend(channels.to_le_bytes());
    head.extend(rate.to_le_bytes());
    head.extend((rate * u32::from(channels) * 2).to_le_bytes());
    head.extend((channels * 2).to_le_bytes());
    head.extend([16, 0]);
    head.extend(b"data");
    head.extend(u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes());
    let path = folder.join("sparse.wav");
    std::fs::write(&path, &head).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(head.len() as u64 + bytes).unwrap();
    path
}

#[test]
fn odd_rates_and_channels_are_refused_and_ten_hours_are_read_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    for (rate, channels) in [(4_000, 1), (384_000, 1), (16_000, 9), (16_000, 0)] {
        let error = Sound::open(&sparse(folder.path(), rate, channels, 1)).unwrap_err();
        assert!(matches!(error, SoundError::Wav(WavError::Rate { .. } | WavError::Channels { .. })), "{error:?}");
    }
    let mut long = Sound::open(&sparse(folder.path(), 8_000, 1, 36_000)).unwrap();
    assert_eq!(long.length(), Some(Duration::from_secs(36_000)));
    let largest = long.by_ref().take(400).map(|block| block.unwrap().len()).max();
    assert!(largest <= Some(16 * 1024), "{largest:?}");
    assert!(matches!(Sound::open(&sparse(folder.path(), 8_000, 1, 50_000)), Err(SoundError::TooLong)));
}

#[test]
fn damage_anywhere_is_an_error_or_sound_and_never_a_panic() {
    for name in ["said.mp3", "said.m4a", "said.aac", "said.flac", "said.opus"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for at in (0..whole.len()).step_by(97) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            if let Ok((_, samples)) = of(bytes) {
                assert!(samples.iter().all(|sample| sample.is_finite()), "{name} at {at}");
                assert!(samples.len() < 2_000_000, "{name} at {at}: {} samples", samples.len());
            }
        }
    }
}
