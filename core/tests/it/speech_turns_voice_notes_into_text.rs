//! The main job of a voice note: a WAV file is packed, unpacked at the other end, and turned into text there.
//!
//! Whisper runs one inference at a time in a process, and several processes at once are ten times slower on few cores: all that
//! runs the model is therefore in few tests, which the test runner takes one after another.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use kith_core::speech::{
    ModelFile, Options, Priority, SoundError, SpeechError, Task, Transcriber, Transcript, Update, Window,
};
use kith_core::voice::clean::{CleanUp, Cleaner};
use kith_core::voice::recorder::DEFAULT_BITRATE_BPS;
use kith_core::voice::{OPUS_RATE, Packets, Pcm, decode_note, encode_note, wav};

use crate::clips::{LISTS, Score, clip, clips, word_errors, words};
use crate::silero::silero;

/// Longer than any run of these tests may take, even where the machine is busy.
const LIMIT: Duration = Duration::from_secs(300);

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn transcriber(window: Window) -> Transcriber {
    Transcriber::start(model(), Options { window, ..Options::default() }).expect("a transcriber")
}

fn model() -> ModelFile {
    ModelFile::listed(file("../assets/models/ggml-kith-test.en.bin"))
}

/// What arrives of a clip.
fn sent(name: &str) -> Pcm {
    let wav = std::fs::read(clip(name)).expect("a clip");
    decode_note(&encode_note(&wav).expect("a note").ogg).expect("our own note")
}

/// All clips of a list.
fn score(transcriber: &Transcriber, list: &str) -> Score {
    let mut score = Score::default();
    for (name, said) in clips(list) {
        let sound = sent(&name);
        let length = sound.duration();
        let start = Instant::now();
        let transcript = transcriber.transcribe(sound).expect("a transcript");
        let took = start.elapsed();
        check_form(&transcript, length);
        println!(
            "{name} {:.2} s of sound in {:.2} s, confidence {:.2}: {}",
            length.as_secs_f32(),
            took.as_secs_f32(),
            transcript.confidence(),
            transcript.text()
        );
        score.count(&transcript.text(), &said);
    }
    score
}

fn check_form(transcript: &Transcript, length: Duration) {
    assert_eq!((transcript.language.as_str(), transcript.model.as_str()), ("en", "kith-test.en"));
    for segment in &transcript.segments {
        assert!(
            segment.start <= segment.end && segment.end <= length,
            "{:?} of {length:?}",
            (segment.start, segment.end)
        );
        assert!((0.0..=1.0).contains(&segment.confidence));
        assert_eq!(segment.text.trim(), segment.text);
    }
}

fn check_notes(options: Options) {
    let transcriber = Transcriber::start(model(), options).expect("a transcriber");
    for (list, card) in LISTS {
        score(&transcriber, list).check(list, card);
    }
}

#[test]
fn notes_are_understood_with_a_fitted_window() {
    check_notes(Options::default());
}

#[test]
fn notes_are_understood_with_the_whole_window() {
    check_notes(Options { window: Window::Whole, ..Options::default() });
}

#[test]
fn notes_are_understood_with_sileros_detector() {
    let Some(detector) = silero() else { return };
    check_notes(Options { detector: Some(detector), ..Options::default() });
}

#[test]
fn what_is_said_three_times_is_written_three_times() {
    let transcriber = transcriber(Window::Fitted);
    let list = clips("clips.tsv");
    // In one window, as far as the test model knows what is longer than a sentence; and in windows of their own.
    for (name, pause_ms) in [("ok_03.wav", 900), ("ok_01.wav", 3_000), ("ok_05.wav", 3_000)] {
        let (_, said) = list.iter().find(|(clip, _)| clip == name).expect("a clip");
        let once = sent(name);
        let pause = vec![0.0; (once.rate * pause_ms / 1000) as usize];
        let samples = [once.samples.as_slice(), &pause].concat().repeat(3);
        let transcript = transcriber.transcribe(Pcm { rate: once.rate, samples }).expect("a transcript");
        let thrice = vec![words(said); 3].concat();
        assert_eq!(words(&transcript.text()), thrice, "{name}");
    }
}

#[test]
fn silence_noise_and_hum_give_no_words() {
    let transcriber = transcriber(Window::Fitted);
    let sound = |at: &mut dyn FnMut(f32) -> f32| Pcm {
        rate: 16_000,
        samples: (0..48_000).map(|n| at(n as f32 / 16_000.0)).collect(),
    };
    let mut state = 1_u32;
    let mut white = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let hum = |t: f32| (std::f32::consts::TAU * 50.0 * t).sin();
    has_no_words(&transcriber, "silence", &sound(&mut |_| 0.0));
    has_no_words(&transcriber, "hum", &sound(&mut |t| 0.5 * hum(t)));
    for level in [0.001, 0.01, 0.1, 0.5] {
        has_no_words(&transcriber, "white noise", &sound(&mut |_| level * white()));
        let in_steps = |t: f32| if t % 1.0 < 0.5 { 1.0 } else { 0.2 };
        has_no_words(&transcriber, "noise in steps", &sound(&mut |t| level * white() * in_steps(t)));
        has_no_words(&transcriber, "hum with noise", &sound(&mut |t| level * (hum(t) + 0.1 * white())));
    }
}

/// Neither as it is, nor as a file that was sent, nor as a recording: its loudness was evened out and its noise turned down.
fn has_no_words(transcriber: &Transcriber, name: &str, sound: &Pcm) {
    for (way, sound) in [("itself", sound.clone()), ("a file", through_opus(sound)), ("a recording", recorded(sound))] {
        let transcript = transcriber.transcribe(sound).expect("a transcript");
        assert_eq!(transcript.text(), "", "{name} as {way}");
    }
}

/// The sound as it arrives after it was recorded.
fn recorded(pcm: &Pcm) -> Pcm {
    let heard = pcm.at_rate(OPUS_RATE).expect("a rate that is served");
    let (mut cleaner, mut samples) = (Cleaner::new(CleanUp::FULL), Vec::new());
    cleaner.push(&heard.samples, &mut samples);
    cleaner.finish(&mut samples);
    let packets = Packets::of(&samples, DEFAULT_BITRATE_BPS).expect("packets");
    decode_note(&packets.to_ogg().expect("a note")).expect("our own note")
}

/// The sound as it arrives in a note.
fn through_opus(pcm: &Pcm) -> Pcm {
    let data: Vec<u8> = pcm.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x03\0\x01\0".to_vec();
    file.extend(pcm.rate.to_le_bytes());
    file.extend((pcm.rate * 4).to_le_bytes());
    file.extend([4, 0, 32, 0]);
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    assert_eq!(wav::decode(&file).as_ref(), Ok(pcm));
    decode_note(&encode_note(&file).expect("a note").ogg).expect("our own note")
}

#[test]
fn a_queue_reports_progress_obeys_and_says_when_it_is_full() {
    let transcriber = transcriber(Window::Whole);
    let (tell, told) = channel();
    let clip = sent("ok_01.wav");

    // The first runs and is called off from its own first report; the rest waits.
    let (start, started) = channel();
    let first = tell.clone();
    let ticket = transcriber
        .submit(clip.clone(), Task::default(), move |update| match update {
            Update::Progress(_) => start.send(()).expect("a listener"),
            Update::Done(outcome) => first.send(("first", outcome)).expect("a listener"),
        })
        .expect("room in the queue");
    started.recv_timeout(LIMIT).expect("progress");
    let submit = |name: &'static str| {
        let tell = tell.clone();
        transcriber.submit(clip.clone(), Task::default(), move |update| {
            if let Update::Done(outcome) = update {
                tell.send((name, outcome)).expect("a listener");
            }
        })
    };
    let second = submit("second").expect("room in the queue");
    submit("third").expect("room in the queue");
    second.cancel();
    ticket.cancel();
    let end = || told.recv_timeout(LIMIT).expect("an end");
    assert_eq!(end(), ("first", Err(SpeechError::Cancelled)));
    assert_eq!(end(), ("second", Err(SpeechError::Cancelled)));
    let (name, outcome) = end();
    assert_eq!((name, outcome.expect("a transcript").text().as_str()), ("third", "Meet me at the station at eleven."));

    // A queue that is not served fills up; what waits is called off when the transcriber goes.
    let waiting: Vec<_> = (0..40).map(|_| submit("waiting")).collect();
    let (taken, refused): (Vec<_>, Vec<_>) = waiting.into_iter().partition(Result::is_ok);
    assert!(taken.len() >= 16 && !refused.is_empty(), "{} taken", taken.len());
    assert!(refused.into_iter().all(|outcome| outcome.err() == Some(SpeechError::Busy)));
    drop(transcriber);
    drop(tell);
    let ends: Vec<_> = told.iter().collect();
    assert_eq!(ends.len(), taken.len());
    assert!(ends.iter().filter(|(_, end)| end == &Err(SpeechError::Cancelled)).count() >= 15);
}

#[test]
fn a_callback_that_panics_does_not_stop_the_worker() {
    let transcriber = transcriber(Window::Fitted);
    let clip = sent("ok_03.wav");
    transcriber.submit(clip.clone(), Task::default(), |_| panic!("a caller's fault")).expect("room in the queue");
    assert_eq!(transcriber.transcribe(clip).expect("a transcript").text(), "The relay is offline.");
}

#[test]
fn sounds_that_cannot_be_served_are_refused_with_a_sentence() {
    let transcriber = transcriber(Window::Fitted);
    let odd = Pcm { rate: 1, samples: vec![0.0; 16] };
    assert!(matches!(transcriber.transcribe(odd), Err(SpeechError::Sound(SoundError::Rate(_)))));
    assert_eq!(transcriber.transcribe(Pcm { rate: 16_000, samples: vec![] }).expect("nothing").text(), "");

    let task = Task { language: Some("klingon".to_owned()), ..Task::default() };
    let clip = sent("ok_03.wav");
    let refused = transcriber.transcribe_as(clip.clone(), task, |_| {});
    assert_eq!(refused, Err(SpeechError::Language { language: "klingon".into() }));
    let task = Task { translate: true, ..Task::default() };
    let refused = transcriber.transcribe_as(clip.clone(), task, |_| {});
    assert_eq!(refused, Err(SpeechError::CannotTranslate { model: "kith-test.en".into() }));
    // A model that is not there is told to whoever wants something heard, and nobody else.
    transcriber.set_model(ModelFile::listed("/nowhere.bin".into()), None);
    assert!(transcriber.transcribe(Pcm { rate: 16_000, samples: vec![0.0; 99] }).is_ok());
    assert!(matches!(transcriber.transcribe(clip.clone()), Err(SpeechError::Model(_))));
    assert!(!transcriber.is_loaded(), "the one before was let go of");
    transcriber.set_model(model(), None);
    assert_eq!(transcriber.transcribe(clip).expect("a transcript").text(), "The relay is offline.");
}

#[test]
fn a_doubtful_result_is_tried_again_with_the_whole_window() {
    let transcriber = transcriber(Window::Fitted);
    let runs = |sound: Pcm| {
        let (tell, told) = channel();
        let told_all = move |update| tell.send(update).expect("a listener");
        transcriber.submit(sound, Task::default(), told_all).expect("room in the queue");
        let mut starts = 0;
        loop {
            match told.recv_timeout(LIMIT).expect("an end") {
                Update::Progress(0) => starts += 1,
                Update::Progress(_) => {}
                Update::Done(outcome) => break (starts, outcome.expect("a transcript").confidence()),
            }
        }
    };
    let clear = sent("ok_01.wav").at_rate(16_000).expect("a rate that is served");
    let (starts, confidence) = runs(clear.clone());
    assert_eq!(starts, 1);
    assert!(confidence > 0.8, "{confidence}");
    // Nearly twice as fast: nobody speaks like that, and the model knows it.
    let (starts, confidence) = runs(Pcm { rate: 28_000, ..clear });
    assert_eq!(starts, 2);
    assert!(confidence < 0.8, "{confidence}");
}

#[test]
fn words_after_a_long_silence_are_found_with_their_time() {
    let transcriber = transcriber(Window::Fitted);
    let mut sound = sent("ok_05.wav").at_rate(16_000).expect("a rate that is served");
    let length = sound.duration();
    sound.samples.splice(0..0, vec![0.0; 16_000 * 12]);
    let transcript = transcriber.transcribe(sound).expect("a transcript");
    assert_eq!(transcript.text(), "Hello Henry this is Erin.");
    let (first, last) = (transcript.segments.first().expect("words"), transcript.segments.last().expect("words"));
    assert!(first.start >= Duration::from_millis(11_500) && first.start < Duration::from_secs(13), "{:?}", first.start);
    assert!(last.end > Duration::from_secs(13) && last.end <= Duration::from_secs(12) + length, "{:?}", last.end);
}

/// Clips one after the other, with silence between them, and what is said.
fn talk(names: &[&str], silence: f32) -> (Pcm, String) {
    let (mut samples, mut said) = (Vec::new(), Vec::new());
    for (name, text) in clips("clips.tsv") {
        if names.contains(&name.as_str()) {
            samples.extend(sent(&name).at_rate(16_000).expect("a rate that is served").samples);
            samples.extend(vec![0.0; (silence * 16_000.0) as usize]);
            said.push(text);
        }
    }
    (Pcm { rate: 16_000, samples }, said.join(" "))
}

#[test]
fn a_sound_of_minutes_is_heard_window_by_window_with_the_time_of_each_word() {
    let transcriber = transcriber(Window::Fitted);
    // Silences so long that each clip is heard by itself: the test model knows nothing longer than nine seconds.
    let names: Vec<String> = (1..=6).map(|number| format!("ok_{number:02}.wav")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (tell, told) = channel();
    let mut heard = Vec::new();
    let mut samples = Vec::new();
    let mut said = String::new();
    for name in &names {
        let (clip, text) = talk(&[name], 30.0);
        samples.extend(clip.samples);
        said = format!("{said} {text}");
    }
    let length = samples.len() as f32 / 16_000.0;
    let progress = move |percent| tell.send(percent).expect("a listener");
    let transcript =
        transcriber.transcribe_as(Pcm { rate: 16_000, samples }, Task::default(), progress).expect("a transcript");
    for segment in &transcript.segments {
        heard.push(segment.text.clone());
        assert_eq!(segment.words.len(), segment.text.split_whitespace().count(), "{}", segment.text);
        for (word, text) in segment.words.iter().zip(segment.text.split_whitespace()) {
            assert_eq!(word.text, text);
            assert!(
                segment.start <= word.start
                    && word.start <= word.end
                    && word.end <= segment.end + Duration::from_millis(20)
            );
        }
        assert!(segment.words.is_sorted_by(|a, b| a.end <= b.start));
    }
    println!("{length:.0} s: {heard:?}");
    let errors = word_errors(&words(&transcript.text()), &words(&said));
    assert!(errors * 10 <= words(&said).len(), "{errors} wrong in {:?}", transcript.text());
    let percents: Vec<u8> = told.iter().collect();
    assert!(percents.iter().max() >= Some(&60), "{percents:?}");
    let last = transcript.segments.last().expect("words");
    assert!(
        last.start.as_secs_f32() > length - 34.0 && last.end.as_secs_f32() < length - 28.0,
        "{:?} of {length}",
        last.start
    );
}

#[test]
fn what_is_on_screen_goes_before_what_nobody_asked_for() {
    let transcriber = transcriber(Window::Whole);
    let (tell, told) = channel();
    let (start, started) = channel();
    let mut start = Some(start);
    let submit = |name: &'static str, priority| {
        let tell = tell.clone();
        let task = Task { priority, ..Task::default() };
        let done = move |update| {
            if let Update::Done(outcome) = update {
                tell.send((name, outcome.is_ok())).expect("a listener");
            }
        };
        transcriber.submit(sent("ok_03.wav"), task, done).expect("room in the queue")
    };
    let first = transcriber.submit(sent("ok_01.wav"), Task::default(), move |update| {
        if let (Update::Progress(_), Some(start)) = (&update, start.take()) {
            start.send(()).expect("a listener");
        }
    });
    drop(first.expect("room in the queue"));
    started.recv_timeout(LIMIT).expect("progress");
    submit("background", Priority::Background);
    submit("asked", Priority::Asked);
    let raised = submit("raised", Priority::Background);
    submit("on screen", Priority::OnScreen);
    raised.set_priority(Priority::OnScreen);
    let order: Vec<&str> = (0..4).map(|_| told.recv_timeout(LIMIT).expect("an end").0).collect();
    assert_eq!(order, ["raised", "on screen", "asked", "background"]);
}

#[test]
fn the_model_is_let_go_of_when_there_was_nothing_to_hear_for_a_while() {
    let options = Options { kept: Duration::from_millis(50), ..Options::default() };
    let transcriber = Transcriber::start(model(), options).expect("a transcriber");
    assert!(!transcriber.is_loaded(), "there was nothing to hear yet");
    assert_eq!(transcriber.transcribe(Pcm { rate: 16_000, samples: vec![0.0; 32_000] }).expect("nothing").text(), "");
    assert!(!transcriber.is_loaded(), "silence needs no model");
    for _ in 0..2 {
        assert_eq!(transcriber.transcribe(sent("ok_03.wav")).expect("a transcript").text(), "The relay is offline.");
        let begin = Instant::now();
        while transcriber.is_loaded() {
            assert!(begin.elapsed() < LIMIT, "it is kept for ever");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn music_and_clipping_give_no_words() {
    let transcriber = transcriber(Window::Fitted);
    let tau = std::f32::consts::TAU;
    let sound = |at: &dyn Fn(f32) -> f32| Pcm {
        rate: 16_000,
        samples: (0..96_000).map(|n| at(n as f32 / 16_000.0).clamp(-1.0, 1.0)).collect(),
    };
    let notes = [262.0, 294.0, 330.0, 349.0, 392.0, 440.0, 494.0, 523.0];
    let note = |t: f32| notes[(t * 4.0) as usize % notes.len()];
    let plucked = |t: f32| (-6.0 * (t * 4.0).fract()).exp();
    let melody = |t: f32| 0.3 * plucked(t) * ((tau * note(t) * t).sin() + 0.5 * (tau * 2.0 * note(t) * t).sin());
    let chord = |t: f32| 0.1 * [220.0, 277.2, 329.6].iter().map(|hz| (tau * hz * t).sin()).sum::<f32>();
    let drum = |t: f32| 0.8 * (-20.0 * (t * 2.0).fract()).exp() * (tau * 80.0 * t).sin();
    let cases: [(&str, &dyn Fn(f32) -> f32); 5] = [
        ("a melody", &melody),
        ("a chord", &chord),
        ("a drum", &drum),
        ("a band", &|t| melody(t) + chord(t) + drum(t)),
        ("a clipped hum", &|t| 40.0 * (tau * 50.0 * t).sin()),
    ];
    for (name, at) in cases {
        has_no_words(&transcriber, name, &sound(at));
    }
}
