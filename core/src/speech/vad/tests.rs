use super::*;
use crate::voice::wav;

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

#[test]
fn music_is_no_speech() {
    let tau = std::f32::consts::TAU;
    let notes = [262.0, 294.0, 330.0, 349.0, 392.0, 440.0, 494.0, 523.0];
    let note = |t: f32| notes[(t * 4.0) as usize % notes.len()];
    let plucked = |t: f32| (-6.0 * (t * 4.0).fract()).exp();
    let melody = |t: f32| 0.3 * plucked(t) * ((tau * note(t) * t).sin() + 0.5 * (tau * 2.0 * note(t) * t).sin());
    let chord = |t: f32| 0.1 * [220.0, 277.2, 329.6].iter().map(|hz| (tau * hz * t).sin()).sum::<f32>();
    assert!(windows(&sound(6.0, melody)).is_empty(), "a melody");
    assert!(windows(&sound(6.0, chord)).is_empty(), "a chord");
    assert!(windows(&sound(6.0, |t| melody(t) + chord(t))).is_empty(), "both");
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

/// Silero's model is not part of the project: it is compared with where somebody has put it.
#[test]
fn sileros_detector_finds_the_same_speech_where_its_model_is() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/silero-v6.2.0.bin");
    if !model.exists() {
        return;
    }
    let silero = || Detector::silero(&model, 1).unwrap();
    assert!(windows_by(silero(), &sound(3.0, hum)).is_empty());
    let mut noise = white(0.1);
    assert!(windows_by(silero(), &(0..48_000).map(|_| noise()).collect::<Vec<_>>()).is_empty());
    let (mut ours, mut theirs, mut both) = (0, 0, 0);
    let mut took = [Duration::ZERO; 2];
    for number in 1..=12 {
        let mut samples = vec![0.0; 32_000];
        samples.extend(clip(&format!("ok_{number:02}.wav")));
        samples.extend(vec![0.0; 32_000]);
        let mut spoken = Vec::new();
        for (index, detector) in [Detector::built_in(), silero()].into_iter().enumerate() {
            let begin = std::time::Instant::now();
            let windows = windows_by(detector, &samples);
            took[index] += begin.elapsed();
            let mut marks = vec![false; samples.len()];
            for piece in windows.iter().flat_map(|window| &window.pieces) {
                marks[piece.at as usize..piece.at as usize + piece.length].fill(true);
            }
            spoken.push(marks);
        }
        ours += spoken[0].iter().filter(|mark| **mark).count();
        theirs += spoken[1].iter().filter(|mark| **mark).count();
        both += spoken[0].iter().zip(&spoken[1]).filter(|(a, b)| **a && **b).count();
    }
    println!("built in: {ours} samples of speech in {:?}; Silero: {theirs} in {:?}; both: {both}", took[0], took[1]);
    assert!(both as f32 > 0.85 * ours.max(theirs) as f32, "{ours} and {theirs}, {both} in both");
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
