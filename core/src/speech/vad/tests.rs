use super::*;
use crate::voice::clean::{CleanUp, Cleaner};
use crate::voice::recorder::DEFAULT_BITRATE_BPS;
use crate::voice::{OPUS_RATE, Packets, Pcm, decode_note, wav};

#[path = "../../../tests/it/silero.rs"]
mod silero;

const RATE: f32 = 16_000.0;

fn sound(seconds: f32, at: impl Fn(f32) -> f32) -> Vec<f32> {
    (0..(seconds * RATE) as usize).map(|n| at(n as f32 / RATE)).collect()
}

fn clip(name: &str) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clips").join(name);
    wav::decode(&std::fs::read(path).unwrap()).unwrap().at_rate(SPEECH_RATE).unwrap().samples
}

fn windows_by(detector: Detector, samples: &[f32]) -> Vec<Window> {
    let mut cutter = Cutter::new(detector);
    let mut windows = Vec::new();
    // As it comes from files: in odd pieces.
    for piece in samples.chunks(5_003) {
        cutter.push(piece);
        windows.extend(std::iter::from_fn(|| cutter.pop()));
    }
    cutter.finish();
    windows.extend(std::iter::from_fn(|| cutter.pop()));
    windows
}

fn windows(samples: &[f32]) -> Vec<Window> {
    windows_by(Detector::built_in(), samples)
}

/// Where the pieces of all windows stand, in seconds.
fn pieces(windows: &[Window]) -> Vec<(f32, f32)> {
    let piece = |piece: &Piece| (piece.at as f32 / RATE, (piece.at as usize + piece.length) as f32 / RATE);
    windows.iter().flat_map(|window| window.pieces.iter().map(piece)).collect()
}

fn white(level: f32) -> impl FnMut() -> f32 {
    let mut state = 1_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / 8_388_608.0 - 1.0) * level
    }
}

fn hum(t: f32) -> f32 {
    [50.0, 100.0, 150.0, 250.0].iter().map(|hz| 0.2 * (std::f32::consts::TAU * hz * t).sin()).sum()
}

#[test]
fn silence_hum_noise_and_clicks_are_no_speech() {
    assert!(windows(&[]).is_empty());
    assert!(windows(&[0.9; 100]).is_empty());
    assert!(windows(&sound(3.0, |_| 0.0)).is_empty());
    assert!(windows(&sound(3.0, |_| 0.7)).is_empty(), "a constant offset");
    assert!(windows(&sound(3.0, |t| 0.8 * (std::f32::consts::TAU * 50.0 * t).sin())).is_empty());
    assert!(windows(&sound(3.0, hum)).is_empty());
    assert!(windows(&sound(3.0, |t| if t == 1.0 { 1.0 } else { 0.0 })).is_empty(), "a click");
    for level in [0.001, 0.01, 0.1, 0.5] {
        let mut noise = white(level);
        let samples: Vec<f32> = (0..48_000).map(|_| noise()).collect();
        assert!(windows(&samples).is_empty(), "noise at {level}");
    }
    assert!(
        windows(&clip("ok_01.wav").iter().map(|s| s / 300.0).collect::<Vec<_>>()).is_empty(),
        "too quiet for anyone"
    );
}

#[test]
fn every_clip_is_found_whole() {
    let lists = ["ok", "fair"];
    let names =
        lists.iter().zip([12, 6]).flat_map(|(list, count)| (1..=count).map(move |n| format!("{list}_{n:02}.wav")));
    for name in names {
        let speech = clip(&name);
        let mut samples = vec![0.0; 32_000];
        samples.extend(&speech);
        samples.extend(vec![0.0; 32_000]);
        let found = pieces(&windows(&samples));
        let (first, last) = (found.first().unwrap().0, found.last().unwrap().1);
        let end = 2.0 + speech.len() as f32 / RATE;
        println!("{name}: {:.2} to {end:.2} is found from {first:.2} to {last:.2}", 2.0);
        // The clips begin and end with silence of their own, some with a second of it.
        assert!((1.5..=2.75).contains(&first), "{name} begins at {first}");
        assert!((end - 1.05..=end + 0.75).contains(&last), "{name} ends at {last}, not {end}");
    }
}

#[test]
fn times_lead_back_to_the_sound() {
    let speech = clip("ok_05.wav");
    let mut samples = vec![0.0; 64_000];
    samples.extend(&speech);
    samples.extend(vec![0.0; 16_000]);
    samples.extend(&speech);
    samples.extend(vec![0.0; 16_000]);
    let windows = windows(&samples);
    assert_eq!(windows.len(), 1, "both fit one window");
    let window = &windows[0];
    assert!(window.samples.len() < 2 * speech.len() - 16_000, "the silence between them is left out");
    let second = window.pieces.last().unwrap();
    let time = |sample: usize| Duration::from_secs_f32(sample as f32 / RATE);
    let mapped = window.in_sound(time(second.in_window + 1600)).as_secs_f32();
    assert!((mapped - (second.at as f32 / RATE + 0.1)).abs() < 0.002, "{mapped}");
    let (start, end) = window.span();
    assert!((3.5..4.3).contains(&start.as_secs_f32()), "{start:?}");
    let length = samples.len() as f32 / RATE;
    assert!(end.as_secs_f32() > 10.0 && end.as_secs_f32() <= length, "{end:?} of {length}");
    // What a window holds is the sound itself.
    for piece in &window.pieces {
        let at = piece.at as usize;
        assert_eq!(window.samples[piece.in_window..piece.in_window + piece.length], samples[at..at + piece.length]);
    }
}

#[test]
fn what_is_far_apart_is_heard_by_itself() {
    let speech = clip("ok_05.wav");
    let mut samples = speech.clone();
    samples.extend(vec![0.0; 80_000]);
    samples.extend(&speech);
    assert_eq!(windows(&samples).len(), 2);
}

fn melody(t: f32) -> f32 {
    let notes = [262.0, 294.0, 330.0, 349.0, 392.0, 440.0, 494.0, 523.0];
    let note = std::f32::consts::TAU * notes[(t * 4.0) as usize % notes.len()] * t;
    let plucked = (-6.0 * (t * 4.0).fract()).exp();
    0.3 * plucked * (note.sin() + 0.5 * (2.0 * note).sin())
}

fn chord(t: f32) -> f32 {
    0.1 * [220.0, 277.2, 329.6].iter().map(|hz| (std::f32::consts::TAU * hz * t).sin()).sum::<f32>()
}

fn band(t: f32) -> f32 {
    let drum = 0.8 * (-20.0 * (t * 2.0).fract()).exp() * (std::f32::consts::TAU * 80.0 * t).sin();
    (melody(t) + chord(t) + drum).clamp(-1.0, 1.0)
}

fn clipped(t: f32) -> f32 {
    (40.0 * (std::f32::consts::TAU * 50.0 * t).sin()).clamp(-1.0, 1.0)
}

fn at_our_rate(samples: &[f32]) -> Vec<f32> {
    Pcm { rate: SPEECH_RATE, samples: samples.to_vec() }.at_rate(OPUS_RATE).unwrap().samples
}

/// As it arrives in a note.
fn through_opus(samples: &[f32]) -> Vec<f32> {
    let ogg = Packets::of(samples, DEFAULT_BITRATE_BPS).unwrap().to_ogg().unwrap();
    decode_note(&ogg).unwrap().at_rate(SPEECH_RATE).unwrap().samples
}

/// And after it was recorded: without noise, and of an even loudness.
fn recorded(samples: &[f32]) -> Vec<f32> {
    let (mut cleaner, mut cleaned) = (Cleaner::new(CleanUp::FULL), Vec::new());
    cleaner.push(&at_our_rate(samples), &mut cleaned);
    through_opus(&cleaned)
}

#[test]
fn music_is_no_speech() {
    for seconds in [6.0, 12.0] {
        for (name, samples) in [
            ("a melody", sound(seconds, melody)),
            ("a chord", sound(seconds, chord)),
            ("both", sound(seconds, |t| melody(t) + chord(t))),
            ("a band", sound(seconds, band)),
            ("a clipped hum", sound(seconds, clipped)),
        ] {
            assert!(windows(&samples).is_empty(), "{name} of {seconds} s");
            assert!(windows(&through_opus(&at_our_rate(&samples))).is_empty(), "{name} of {seconds} s, in a file");
            assert!(windows(&recorded(&samples)).is_empty(), "{name} of {seconds} s, recorded");
        }
    }
}

#[test]
fn whoever_never_pauses_is_cut_where_it_is_quietest() {
    // Everything is speech; every five seconds it is quieter for a moment.
    let talk = sound(100.0, |t| if t % 5.0 < 0.1 { 0.001 } else { 0.1 * (2000.0 * t).sin() });
    let windows = windows_by(Detector::Everything, &talk);
    let found = pieces(&windows);
    assert!(found.len() >= 4);
    for window in &windows {
        assert!(window.samples.len() <= MAX_WINDOW.as_secs() as usize * 16_000);
    }
    for pair in found.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "nothing is lost or heard twice");
        assert!(pair[0].1 % 5.0 < 0.15, "it is cut at {}", pair[0].1);
    }
    assert_eq!(found[0].0, 0.0);
    assert!((found.last().unwrap().1 - 100.0).abs() < 0.01);
}

#[test]
fn little_of_a_long_sound_is_held() {
    let mut cutter = Cutter::new(Detector::built_in());
    let silence = vec![0.0; 160_000];
    let mut most = 0;
    for _ in 0..60 {
        cutter.push(&silence);
        most = most.max(cutter.scored.len() + cutter.unscored.len() + cutter.filling.samples.len());
    }
    assert!(most < 3 * BLOCK, "{most} samples");
    assert!(cutter.pop().is_none());
}

/// What is taken for speech of a sound, sample by sample.
fn marks(detector: Detector, samples: &[f32]) -> Vec<bool> {
    let mut marks = vec![false; samples.len()];
    for piece in windows_by(detector, samples).iter().flat_map(|window| &window.pieces) {
        marks[piece.at as usize..piece.at as usize + piece.length].fill(true);
    }
    marks
}

fn seconds(marks: &[bool]) -> f32 {
    marks.iter().filter(|mark| **mark).count() as f32 / RATE
}

/// Prints what `docs/adr/0013-transcription-and-models.md` says of both detectors.
#[test]
fn sileros_detector_finds_the_same_speech() {
    let Some(model) = silero::silero() else { return };
    let detectors = || [Detector::built_in(), Detector::silero(&model, 1).unwrap()];
    let mut noise = white(0.1);
    let steady: Vec<f32> = (0..96_000).map(|_| noise()).collect();
    let music = |t: f32| melody(t) + chord(t);
    for (name, samples) in [("hum", sound(6.0, hum)), ("noise", steady), ("music", sound(6.0, music))] {
        let taken = detectors().map(|detector| seconds(&marks(detector, &samples)));
        println!("{name} of 6 s: built in {:.1} s, Silero {:.1} s", taken[0], taken[1]);
        assert_eq!(taken, [0.0; 2], "{name}");
    }
    for (name, level, agreed) in [("quiet room", 0.0, 0.85), ("noisy room", 0.02, 0.75)] {
        let (mut found, mut took, mut both, mut long) = ([0.0; 2], [Duration::ZERO; 2], 0.0, 0.0);
        for clip in (1..=12).map(|number| clip(&format!("ok_{number:02}.wav"))) {
            let mut samples = vec![0.0; 32_000];
            samples.extend(&clip);
            samples.extend(vec![0.0; 32_000]);
            let mut noise = white(level);
            samples.iter_mut().for_each(|sample| *sample += noise());
            let mut spoken = Vec::new();
            for (index, detector) in detectors().into_iter().enumerate() {
                let begin = std::time::Instant::now();
                spoken.push(marks(detector, &samples));
                took[index] += begin.elapsed();
                found[index] += seconds(&spoken[index]);
            }
            let same: Vec<bool> = spoken[0].iter().zip(&spoken[1]).map(|(one, other)| *one && *other).collect();
            both += seconds(&same);
            long += samples.len() as f32 / RATE;
        }
        println!(
            "{name}, {long:.1} s: built in {:.1} s in {:?}, Silero {:.1} s in {:?}, both {both:.1} s",
            found[0], took[0], found[1], took[1]
        );
        assert!(both > agreed * found[0].max(found[1]), "{name}: {found:?}, {both} in both");
    }
}

#[test]
fn what_is_listened_to_is_what_is_near_a_sound() {
    let loud = SILENCE * 2.0;
    let mut loudness = vec![0.0; 200];
    loudness[50] = loud;
    loudness[60] = loud;
    loudness[150] = loud;
    let near = near_sound(&loudness);
    let edges: Vec<usize> = (1..200).filter(|index| near[*index] != near[index - 1]).collect();
    // The end of a block is listened to: what comes after it is not known.
    assert_eq!(edges, [50 - AROUND, 60 + AROUND + 1, 150 - AROUND, 150 + AROUND + 1, 200 - AROUND]);
    assert!(near_sound(&[loud; 40]).iter().all(|near| *near));
    assert!(near_sound(&[]).is_empty());
}

#[test]
fn silence_between_words_changes_nothing_of_what_is_found() {
    let said = clip("ok_01.wav");
    for gap in [1, 7, 20] {
        let mut samples = vec![0.0; 16_000 * gap];
        samples.extend(&said);
        samples.extend(vec![0.0; 16_000 * gap]);
        samples.extend(&said);
        let mut quiet = white(SILENCE / 10.0);
        samples.iter_mut().for_each(|sample| *sample += quiet());
        let found = pieces(&windows(&samples));
        let length = said.len() as f32 / RATE;
        let begins = [gap as f32, 2.0 * gap as f32 + length];
        for begin in begins {
            let within = found.iter().filter(|(from, to)| *from >= begin - 0.5 && *to <= begin + length + 0.7);
            let heard: f32 = within.map(|(from, to)| to - from).sum();
            assert!(heard > 0.7 * length, "{gap}: {found:?}");
        }
    }
}

#[test]
fn only_the_known_detector_is_loaded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/ggml-kith-test.en.bin");
    assert!(matches!(Detector::silero(&path, 1), Err(ModelError::Unknown { .. })));
    assert!(matches!(Detector::silero(Path::new("/nowhere"), 1), Err(ModelError::Missing { .. })));
}
