//! Speech to text beside whisper.cpp called directly, what finding speech saves, and memory around it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kith_core::speech::{ModelFile, Options, Task, Transcriber, Transcript};
use kith_core::voice::{Pcm, SPEECH_RATE, wav};
use serde::{Deserialize, Serialize};
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

use crate::figure::Figure;
use crate::process::{Actor, answer, told};
use crate::{Failure, Scale};

/// Each is measured so often, and the middle one counts.
const RUNS: usize = 5;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn model() -> PathBuf {
    file("assets/models/ggml-kith-test.en.bin")
}

fn clip(number: usize) -> Result<Vec<f32>, Failure> {
    let wav = std::fs::read(file(&format!("core/tests/clips/ok_{number:02}.wav")))?;
    Ok(wav::decode(&wav)?.at_rate(SPEECH_RATE)?.samples)
}

/// The samples of a clip, 16 bits each, as they lie in its file.
pub(crate) fn pcm_of_clip(number: usize) -> Result<Vec<u8>, Failure> {
    let samples = clip(number)?.into_iter().map(|sample| (sample * 32_767.0) as i16);
    Ok(samples.flat_map(i16::to_le_bytes).collect())
}

fn samples(seconds: f32) -> usize {
    (seconds * SPEECH_RATE as f32) as usize
}

/// Clips one after the other, as long as one more fits in so many seconds.
fn talk(seconds: f32) -> Result<Vec<f32>, Failure> {
    let mut talk = Vec::new();
    for number in (1..=12).cycle().take(120) {
        let next = clip(number)?;
        if talk.len() + next.len() > samples(seconds) {
            break;
        }
        talk.extend(next);
    }
    Ok(talk)
}

/// The longest clip that fits, and silence up to so many seconds.
fn one(seconds: f32) -> Result<Vec<f32>, Failure> {
    let clips = (1..=12).map(clip).collect::<Result<Vec<_>, _>>()?;
    let fits = clips.into_iter().filter(|clip| clip.len() <= samples(seconds));
    let mut longest = fits.max_by_key(Vec::len).ok_or("there are no clips")?;
    longest.resize(samples(seconds), 0.0);
    Ok(longest)
}

/// As much speech as fits in so many seconds, in as few breaths as it can be, evenly apart in a longer silence: the longest clips. What is
/// said in a breath is what the test model knows.
fn breaths(speech: f32, seconds: f32) -> Result<Vec<f32>, Failure> {
    let mut clips = (1..=12).map(clip).collect::<Result<Vec<_>, _>>()?;
    clips.sort_by_key(|clip| std::cmp::Reverse(clip.len()));
    let mut room = samples(speech);
    clips.retain(|clip| match room.checked_sub(clip.len()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    });
    let apart = samples(seconds) / clips.len().max(1);
    let mut sound = vec![0.0; samples(seconds)];
    for (breath, clip) in sound.chunks_exact_mut(apart).zip(&clips) {
        let silence = breath.len().saturating_sub(clip.len());
        breath.iter_mut().skip(silence / 2).zip(clip).for_each(|(sample, said)| *sample = *said);
    }
    Ok(sound)
}

fn pcm(samples: &[f32]) -> Pcm {
    Pcm { rate: SPEECH_RATE, samples: samples.to_vec() }
}

fn words(text: &str) -> Vec<String> {
    text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The middle time of several, in milliseconds, and what the last one gave.
fn middle<T>(runs: usize, mut run: impl FnMut() -> Result<T, Failure>) -> Result<(f64, T), Failure> {
    let mut last = run()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let begin = Instant::now();
        last = run()?;
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times.get(runs / 2).copied().unwrap_or(f64::NAN), last))
}

/// whisper.cpp as its own examples call it.
struct Direct {
    context: WhisperContext,
    threads: usize,
}

impl Direct {
    fn load(threads: usize) -> Result<Self, Failure> {
        whisper_rs::install_logging_hooks();
        let context = WhisperContext::new_with_params(model(), WhisperContextParameters::default())?;
        Ok(Self { context, threads })
    }

    fn listen(&self, samples: &[f32]) -> Result<String, Failure> {
        let mut state = self.context.create_state()?;
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        params.set_n_threads(i32::try_from(self.threads)?);
        params.set_language(Some("en"));
        params.set_print_progress(false);
        params.set_print_realtime(false);
        state.full(params, samples)?;
        let texts = state.as_iter().map(|segment| segment.to_str_lossy().map(|text| text.into_owned()));
        Ok(texts.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

pub(crate) fn transcription(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let options = Options::default();
    let direct = Direct::load(options.threads)?;
    let transcriber = Transcriber::start(ModelFile::listed(model()), options)?;
    let mut figures = Vec::new();
    let runs = if scale.quick { 1 } else { RUNS };
    for (seconds, most, sound) in [(30, 1.05, talk(29.5)?), (5, 0.5, one(5.0)?)] {
        let mut sound = sound;
        sound.resize(samples(seconds as f32), 0.0);
        let (theirs, their_text) = middle(runs, || direct.listen(&sound))?;
        let (ours, transcript) = middle(runs, || Ok::<Transcript, Failure>(transcriber.transcribe(pcm(&sound))?))?;
        // The test model knows no talk of half a minute: only the time of that is compared.
        if seconds == 5 && words(&transcript.text()) != words(&their_text) {
            return Err("the texts of the clip of 5 s are not the same".into());
        }
        figures.push(
            Figure::new(format!("transcription: {seconds} s"), ours, "ms")
                .at_most(most * theirs)
                .against(theirs, "whisper.cpp"),
        );
    }
    let (before, with, after) = memory()?;
    figures.push(Figure::new("transcription: own memory with the model", with, "MiB").against(before, "before"));
    figures.push(
        Figure::new("transcription: own memory after it was let go of", after, "MiB")
            .at_most(before + 2.0)
            .against(before, "before"),
    );
    Ok(figures)
}

pub(crate) fn detection(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let transcriber = Transcriber::start(ModelFile::listed(model()), Options::default())?;
    let sound = breaths(10.0, 60.0)?;
    let runs = if scale.quick { 1 } else { RUNS };
    let listen = |everything| {
        let task = Task { everything, ..Task::default() };
        Ok::<Transcript, Failure>(transcriber.transcribe_as(pcm(&sound), task, |_| {})?)
    };
    let (without, _) = middle(runs, || listen(true))?;
    let (with, _) = middle(runs, || listen(false))?;
    Ok(vec![
        Figure::new("vad: 60 s with 10 s of speech", with, "ms")
            .at_most(0.3 * without)
            .against(without, "all of it heard"),
    ])
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Tell {
    Listen,
    LetGo,
}

/// A process's own memory before it heard anything, with the model, and after it was let go of: without pages of the program's file,
/// of which those that were once run stay until others need the room.
fn memory() -> Result<(f64, f64, f64), Failure> {
    let mut listener = Actor::start("listener")?;
    listener.hear::<()>()?;
    let before = listener.own_mib();
    listener.ask::<()>(&Tell::Listen)?;
    let with = listener.own_mib();
    listener.ask::<()>(&Tell::LetGo)?;
    Ok((before, with, listener.own_mib()))
}

/// A process that listens, and lets go of the model a second later.
pub(crate) async fn play() -> Result<(), Failure> {
    let options = Options { kept: Duration::from_secs(1), ..Options::default() };
    let transcriber = Transcriber::start(ModelFile::listed(model()), options)?;
    answer(Ok(()))?;
    while let Some(tell) = told::<Tell>().await? {
        match tell {
            Tell::Listen => {
                let clip = pcm(&clip(1)?);
                tokio::task::block_in_place(|| transcriber.transcribe(clip))?;
            }
            Tell::LetGo => {
                let begin = Instant::now();
                while transcriber.is_loaded() && begin.elapsed() < Duration::from_secs(60) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                // What the worker drops after it has said so.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        answer(Ok(()))?;
    }
    Ok(())
}
