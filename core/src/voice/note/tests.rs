//! Notes there and back, the limit, and damage of every kind.

use proptest::prelude::*;

use super::*;

/// A WAV file with a sound that changes like speech does: tones under a moving envelope.
fn wav(rate: u32, channels: u16, millis: u32) -> Vec<u8> {
    let frames = u64::from(rate) * u64::from(millis) / 1000;
    let data: Vec<u8> = (0..frames)
        .flat_map(|n| {
            let t = n as f32 / rate as f32;
            let envelope = 0.5 + 0.5 * (t * 25.0).sin();
            let tone = (t * 2_000.0).sin() + 0.5 * (t * 5_300.0).sin() + 0.25 * (t * t * 9_000.0).sin();
            let sample = ((envelope * tone * 9_000.0) as i16).to_le_bytes();
            std::iter::repeat_n(sample, usize::from(channels)).flatten()
        })
        .collect();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(channels) * 2).to_le_bytes());
    file.extend((channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// How alike two sounds are: 1 for the same shape, 0 for nothing in common.
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let product: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let power = |s: &[f32]| s.iter().map(|s| s * s).sum::<f32>();
    product / (power(a) * power(b)).sqrt()
}

/// The same file with one field of its `OpusHead` changed, checksums right again.
fn with_head(ogg: &[u8], at: usize, value: &[u8]) -> Vec<u8> {
    repacked(ogg, |index, packet| {
        if index == 0 {
            packet[at..at + value.len()].copy_from_slice(value);
        }
    })
}

/// The same packets on the same pages, each changed by `change`.
fn repacked(ogg: &[u8], change: impl Fn(usize, &mut Vec<u8>)) -> Vec<u8> {
    use ::ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};
    let mut reader = PacketReader::new(std::io::Cursor::new(ogg));
    let mut writer = PacketWriter::new(Vec::new());
    let mut index = 0;
    while let Some(packet) = reader.read_packet().unwrap() {
        let end = match (packet.last_in_stream(), packet.last_in_page()) {
            (true, _) => PacketWriteEndInfo::EndStream,
            (_, true) => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        let (serial, position) = (packet.stream_serial(), packet.absgp_page());
        let mut data = packet.data;
        change(index, &mut data);
        writer.write_packet(data, serial, end, position).unwrap();
        index += 1;
    }
    writer.into_inner()
}

#[test]
fn a_note_comes_back_with_its_length_and_its_sound() {
    for (rate, channels, millis) in
        [(8_000, 1, 1_500), (16_000, 1, 997), (44_100, 2, 2_000), (48_000, 1, 40), (192_000, 1, 700)]
    {
        let file = wav(rate, channels, millis);
        let note = encode_note(&file).unwrap();
        let sound = decode_note(&note.ogg).unwrap();
        let source = wav::decode(&file).unwrap().at_rate(OPUS_RATE).unwrap();
        assert_eq!(sound.rate, OPUS_RATE);
        assert_eq!(sound.samples.len(), source.samples.len(), "{rate} Hz");
        assert_eq!(note.duration, sound.duration());
        assert_eq!(note.peaks.len(), super::super::PEAK_COUNT);
        let likeness = likeness(&sound.samples, &source.samples);
        assert!(likeness > 0.9, "{rate} Hz, {channels} channels: {likeness}");
    }
}

#[test]
fn the_same_sound_gives_the_same_bytes() {
    let file = wav(16_000, 1, 800);
    assert_eq!(encode_note(&file), encode_note(&file));
}

#[test]
fn one_sample_is_a_note() {
    let mut file = wav(48_000, 1, 1);
    file.truncate(44 + 2);
    file[40..44].copy_from_slice(&2_u32.to_le_bytes());
    let note = encode_note(&file).unwrap();
    assert_eq!(decode_note(&note.ogg).unwrap().samples.len(), 1);
}

#[test]
fn the_bit_rate_falls_before_a_note_is_refused() {
    let note = |seconds| encode_note(&wav(16_000, 1, seconds * 1_000));
    // At 24 kbit/s this would be 78 kB.
    assert!(note(26).unwrap().ogg.len() <= MAX_NOTE_BYTES);
    let error = note(60).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("lasts 60 s") && said.contains("send it as a file"), "{said}");
    let NoteError::TooLong { duration, fits, limit_bytes } = error else { panic!("{error:?}") };
    assert_eq!((duration, limit_bytes), (Duration::from_secs(60), MAX_NOTE_BYTES));
    assert!((25..40).contains(&fits.as_secs()), "{fits:?}");
    assert!(note(u32::try_from(fits.as_secs()).unwrap()).is_ok());
}

#[test]
fn a_limit_that_fits_nothing_is_an_error() {
    assert!(matches!(encode_note_within(&wav(16_000, 1, 500), 100), Err(NoteError::TooLong { .. })));
}

#[test]
fn the_gain_in_the_header_is_applied() {
    let ogg = encode_note(&wav(48_000, 1, 500)).unwrap().ogg;
    let plain = decode_note(&ogg).unwrap();
    // Half as loud: -6.02 dB in steps of 1/256 dB.
    let quiet = decode_note(&with_head(&ogg, 16, &(-1541_i16).to_le_bytes())).unwrap();
    let worst = plain.samples.iter().zip(&quiet.samples).map(|(a, b)| (a / 2.0 - b).abs()).fold(0.0, f32::max);
    assert!(worst < 0.001, "{worst}");
}

#[test]
fn the_pre_skip_is_thrown_away() {
    let ogg = encode_note(&wav(48_000, 1, 500)).unwrap().ogg;
    let plain = decode_note(&ogg).unwrap();
    let less = decode_note(&with_head(&ogg, 10, &1_312_u16.to_le_bytes())).unwrap();
    assert_eq!(less.samples, plain.samples[1_000..]);
    let all = with_head(&encode_note(&wav(48_000, 1, 40)).unwrap().ogg, 10, &u16::MAX.to_le_bytes());
    assert_eq!(decode_note(&all), Err(NoteError::Empty));
}

#[test]
fn other_kinds_of_streams_are_named() {
    let ogg = encode_note(&wav(48_000, 1, 100)).unwrap().ogg;
    let unsupported = |ogg: &[u8]| matches!(decode_note(ogg), Err(NoteError::Ogg(OggError::Unsupported { .. })));
    assert!(unsupported(&with_head(&ogg, 8, &[0x10])));
    assert!(unsupported(&with_head(&ogg, 18, &[1])));
    assert!(unsupported(&with_head(&ogg, 9, &[3])));
    assert_eq!(decode_note(&with_head(&ogg, 9, &[0])), Err(OggError::Damaged.into()));
    assert_eq!(decode_note(&with_head(&ogg, 0, b"OpusHeap")), Err(OggError::NotOpus.into()));
    assert_eq!(
        decode_note(&repacked(&ogg, |i, p| if i == 1 {
            p[0] = b'o'
        })),
        Err(OggError::Damaged.into())
    );
    // A second file after the first is not played, two at once are refused.
    assert_eq!(decode_note(&[ogg.clone(), ogg.clone()].concat()), decode_note(&ogg));
    assert_eq!(decode_note(b""), Err(OggError::NotOgg.into()));
    assert_eq!(decode_note(b"RIFF"), Err(OggError::NotOgg.into()));
}

#[test]
fn empty_packets_are_not_silence_for_nothing() {
    let ogg = encode_note(&wav(48_000, 1, 100)).unwrap().ogg;
    assert_eq!(
        decode_note(&repacked(&ogg, |i, p| if i == 3 {
            p.clear()
        })),
        Err(OpusError::Packet.into())
    );
}

#[test]
fn a_small_file_of_endless_silence_is_refused() {
    // 120 ms in two bytes: frames of 60 ms, two of them, both empty.
    let packet = vec![0b0001_1011, 2];
    assert_eq!(packet_samples(&packet), Ok(5_760));
    let mut writer = Writer::new(Head { channels: 1, pre_skip: 0, gain: 0 }).unwrap();
    for index in 1..=3_000_u64 {
        writer.write(packet.clone(), index * 5_760, index == 3_000).unwrap();
    }
    let bomb = writer.into_bytes();
    assert!(bomb.len() < 16_000);
    assert_eq!(decode_note(&bomb), Err(NoteError::Endless));
}

#[test]
fn positions_that_lie_are_damage() {
    let packet = encode_note(&wav(48_000, 1, 20)).unwrap();
    let mut reader = Reader::open(std::io::Cursor::new(&packet.ogg)).unwrap();
    let packet = reader.read().unwrap().unwrap().data;
    let file = |positions: &[u64]| {
        let mut writer = Writer::new(Head { channels: 1, pre_skip: 0, gain: 0 }).unwrap();
        for (index, position) in positions.iter().enumerate() {
            writer.write(packet.clone(), *position, index + 1 == positions.len()).unwrap();
        }
        decode_note(&writer.into_bytes())
    };
    let page: Vec<u64> = (1..=50).map(|n| n * 960).collect();
    let with = |last: &[u64]| file(&[page.as_slice(), last].concat());
    assert_eq!(with(&[48_960]).unwrap().samples.len(), 48_960);
    assert_eq!(with(&[48_500]).unwrap().samples.len(), 48_500, "the end is trimmed");
    assert_eq!(with(&[48_961]), Err(OggError::Damaged.into()), "a hole");
    assert_eq!(with(&[u64::MAX - 1]), Err(OggError::Damaged.into()));
    assert_eq!(file(&[500]).unwrap().samples.len(), 500, "a single page is trimmed as well");
    let cut: Vec<u64> = page.iter().map(|position| position + 96_000).chain([144_960]).collect();
    assert_eq!(file(&cut).unwrap().samples.len(), 48_960, "a stream that was cut out of a longer one");
    let early: Vec<u64> = page.iter().map(|_| 5).chain([48_960]).collect();
    assert_eq!(file(&early), Err(OggError::Damaged.into()));
}

#[test]
fn every_prefix_is_an_error() {
    let ogg = encode_note(&wav(16_000, 1, 2_500)).unwrap().ogg;
    for end in (0..ogg.len()).step_by(61).chain([ogg.len() - 1]) {
        assert!(decode_note(&ogg[..end]).is_err(), "{end} of {}", ogg.len());
    }
}

fn sample_note() -> &'static [u8] {
    static NOTE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    NOTE.get_or_init(|| encode_note(&wav(16_000, 1, 1_200)).unwrap().ogg)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_bit_never_passes_for_the_same_sound_with_more_in_it(at in any::<usize>(), bit in 0_u8..8) {
        let mut ogg = sample_note().to_vec();
        let at = at % ogg.len();
        ogg[at] ^= 1 << bit;
        if let Ok(sound) = decode_note(&ogg) {
            prop_assert!(sound.samples.len() <= decode_note(sample_note()).unwrap().samples.len());
        }
    }

    #[test]
    fn damaged_packets_with_right_checksums_never_panic(
        packet in 0_usize..60, at in any::<usize>(), bits in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let ogg = repacked(sample_note(), |index, data| {
            if index == packet {
                data.truncate(cut.index(data.len() + 1));
                let length = data.len().max(1);
                if let Some(byte) = data.get_mut(at % length) {
                    *byte ^= bits;
                }
            }
        });
        if let Ok(sound) = decode_note(&ogg) {
            prop_assert!(sound.samples.iter().all(|sample| sample.abs() <= 1.0));
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode_note(&bytes).is_err());
        prop_assert!(decode_note(&[&sample_note()[..47], &bytes].concat()).is_err());
    }
}
