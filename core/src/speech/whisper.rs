//! One sound through Whisper: parameters, the size of its window, and what comes out.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use whisper_rs::{FullParams, SamplingStrategy, WhisperSegment, WhisperState};

use super::model::Model;
use super::transcriber::{Options, Window};
use super::{Segment, Transcript, Word, repeats};
use crate::voice::SPEECH_RATE;
use crate::wire::message::WITHOUT_BLANKS;

/// Whisper's steps in a second of sound; its whole window of 30 s has 1,500.
const STEPS_PER_SECOND: usize = 50;

/// The smallest window that is used. Below about 500 steps models start to repeat themselves.
const SMALLEST_WINDOW: usize = 512;

/// The largest fitted one, about 22 s of sound: beyond it the whole window costs hardly more, and is not doubtful for its size.
const LARGEST_FITTED: usize = 1_152;

/// Windows grow by this: ggml's kernels work on blocks of it.
const WINDOW_STEP: usize = 64;

/// Half a second of room after the sound: speech that ends with the window loses its last word.
const ROOM: usize = STEPS_PER_SECOND / 2;

/// Below this confidence a fitted window is not believed and the whole one is tried.
pub(super) const DOUBTFUL: f32 = 0.6;

/// Below this nothing is believed at all. Right words of the test clips are above 0.8, and what models make of noise is mostly
/// below 0.5; a wrong word is worse than none.
const INAUDIBLE: f32 = 0.4;

/// What was taken for speech and has no words is worth saying if it lasts so long: a cough is not.
const WORTH_SAYING: Duration = Duration::from_millis(1500);

/// The most likely word each time: several guesses cost time and seldom help.
const STRATEGY: SamplingStrategy = SamplingStrategy::Greedy { best_of: 1 };

/// One inference at a time in the process: ggml's threads spin while they wait for each other, and two inferences on
/// few cores have been measured at ten times the time of one.
static INFERENCE: Mutex<()> = Mutex::new(());

/// What a run may report and must obey; changed from job to job.
#[derive(Default)]
pub(super) struct Current {
    pub(super) cancel: Option<Arc<AtomicBool>>,
    pub(super) progress: Option<Box<dyn FnMut(u8) + Send>>,
}

/// Why a run ended without a transcript.
#[derive(Debug)]
pub(super) enum Stop {
    Cancelled,
    Failed(String),
}

/// How to listen to one window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listening {
    pub(super) language: Option<&'static str>,
    pub(super) translate: bool,
}

/// Whisper, with all that can be made once and used for every sound.
pub(super) struct Engine {
    model: Model,
    state: WhisperState,
    /// By language. whisper-rs never frees a language's name, so each is set once.
    params: BTreeMap<Option<&'static str>, FullParams<'static, 'static>>,
    current: Arc<Mutex<Current>>,
    window: Window,
}

impl Engine {
    pub(super) fn new(model: Model, options: &Options, stop: &Arc<AtomicBool>) -> Result<Self, String> {
        let state = model.context.create_state().map_err(|error| error.to_string())?;
        let current = Arc::new(Mutex::new(Current::default()));
        let params = params(options.threads, &current, Arc::clone(stop));
        Ok(Self { model, state, params: BTreeMap::from([(None, params)]), current, window: options.window })
    }

    pub(super) fn name(&self) -> &str {
        self.model.name()
    }

    /// Whether the model can turn other languages into English. A model that a person named may: nobody knows.
    pub(super) fn translates(&self) -> bool {
        self.model.translates().unwrap_or(self.model.context.is_multilingual())
    }

    /// Writes down what is said in a sound at [`SPEECH_RATE`].
    pub(super) fn transcribe(
        &mut self,
        samples: &[f32],
        listening: Listening,
        current: Current,
    ) -> Result<Transcript, Stop> {
        let cancel = current.cancel.clone().unwrap_or_default();
        *lock(&self.current) = current;
        let outcome = self.passes(samples, listening, &cancel);
        *lock(&self.current) = Current::default();
        if outcome.is_err() {
            // An aborted run leaves its state half-way.
            self.state = self.model.context.create_state().map_err(|error| Stop::Failed(error.to_string()))?;
        }
        outcome.map(|mut transcript| {
            transcript.segments = repeats::leave_out(transcript.segments);
            sure(transcript, time_of(samples))
        })
    }

    /// The fitted window, and the whole one if that is doubtful. No words at all are not doubtful: what is taken for speech and is
    /// none would otherwise always cost two runs.
    fn passes(&mut self, samples: &[f32], listening: Listening, cancel: &AtomicBool) -> Result<Transcript, Stop> {
        let _alone = lock(&INFERENCE);
        let Some(steps) = fitted(samples.len()).filter(|_| self.window == Window::Fitted) else {
            return self.pass(samples, listening, 0, cancel);
        };
        let first = self.pass(samples, listening, steps, cancel)?;
        // A model that goes in circles is sure of what it writes.
        let circles = repeats::are_doubtful(&first.segments);
        if first.confidence() >= DOUBTFUL && !circles {
            return Ok(first);
        }
        tracing::debug!(confidence = first.confidence(), "speech in a small window is doubtful, using the whole one");
        let second = self.pass(samples, listening, 0, cancel)?;
        let better = second.confidence() > first.confidence();
        Ok(if better || (circles && second.confidence() >= DOUBTFUL) { second } else { first })
    }

    /// One run of the model; `steps` is the size of its window, 0 for the whole one.
    fn pass(
        &mut self,
        samples: &[f32],
        listening: Listening,
        steps: i32,
        cancel: &AtomicBool,
    ) -> Result<Transcript, Stop> {
        let stopped = || cancel.load(Ordering::Relaxed);
        if stopped() {
            return Err(Stop::Cancelled);
        }
        let mut params = self.params_for(listening);
        params.set_audio_ctx(steps);
        if steps > 0 {
            // No second guesses at a higher temperature: the whole window is the second guess.
            params.set_temperature_inc(0.0);
        }
        match self.state.full(params, samples) {
            Ok(()) => Ok(self.result(time_of(samples), listening)),
            Err(_) if stopped() => Err(Stop::Cancelled),
            Err(error) => Err(Stop::Failed(error.to_string())),
        }
    }

    fn params_for(&mut self, listening: Listening) -> FullParams<'static, 'static> {
        let language = if self.model.context.is_multilingual() { listening.language } else { Some("en") };
        let params = match self.params.get(&language) {
            Some(params) => params,
            None => {
                let mut params = self.params.get(&None).cloned().unwrap_or_else(|| FullParams::new(STRATEGY));
                params.set_language(language);
                self.params.entry(language).or_insert(params)
            }
        };
        let mut params = params.clone();
        params.set_translate(listening.translate);
        params
    }

    fn result(&self, duration: Duration, listening: Listening) -> Transcript {
        let end_of_text = self.model.context.token_eot();
        let segments = self.state.as_iter().filter_map(|segment| {
            let words = !listening.translate;
            read(&segment, duration, end_of_text, words)
        });
        let segments = segments.collect();
        let language = whisper_rs::get_lang_str(self.state.full_lang_id_from_state()).unwrap_or_default();
        Transcript {
            segments,
            language: language.to_owned(),
            model: self.model.name().to_owned(),
            translated: listening.translate,
        }
    }
}

/// What a model is not sure of enough is said to be inaudible; so is speech in which it found no words at all.
fn sure(mut transcript: Transcript, duration: Duration) -> Transcript {
    for segment in &mut transcript.segments {
        if segment.confidence < INAUDIBLE {
            segment.text.clear();
            segment.words.clear();
        }
    }
    if transcript.segments.is_empty() && duration >= WORTH_SAYING {
        let unheard =
            Segment { start: Duration::ZERO, end: duration, text: String::new(), words: Vec::new(), confidence: 0.0 };
        transcript.segments.push(unheard);
    }
    transcript
}

fn time_of(samples: &[f32]) -> Duration {
    Duration::from_secs(samples.len() as u64) / SPEECH_RATE
}

/// The parameters that every run shares. whisper-rs never frees the callbacks it is given, so they are made once and
/// look up what concerns the job at hand.
fn params(threads: usize, current: &Arc<Mutex<Current>>, stop: Arc<AtomicBool>) -> FullParams<'static, 'static> {
    let mut params = FullParams::new(STRATEGY);
    params.set_n_threads(i32::try_from(threads).unwrap_or(1).max(1));
    params.set_token_timestamps(true);
    // Finding out is the default of a model that knows several languages.
    params.set_language(None);
    // What was said before makes long texts repeat themselves more often than it helps them.
    params.set_no_context(true);
    params.set_suppress_blank(true);
    params.set_suppress_nst(true);
    params.set_print_special(false);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_timestamps(false);

    let job = Arc::clone(current);
    params.set_progress_callback_safe(move |percent: i32| report(&job, percent));

    // Boxed twice on purpose: whisper-rs 0.16 hands this closure to C as a pointer to a `Box<dyn FnMut>` and reads it back as
    // a pointer to the closure's own type, so the closure's own type has to be that box.
    let job = Arc::clone(current);
    let abort: Box<dyn FnMut() -> bool> = Box::new(move || {
        let cancelled = lock(&job).cancel.as_ref().is_some_and(|cancel| cancel.load(Ordering::Relaxed));
        cancelled || stop.load(Ordering::Relaxed)
    });
    params.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(abort);
    params
}

/// Tells the caller how far the job is. A panic must not unwind through whisper.cpp; it silences the reports.
fn report(job: &Mutex<Current>, percent: i32) {
    let Some(mut progress) = lock(job).progress.take() else { return };
    let percent = u8::try_from(percent.clamp(0, 100)).unwrap_or(100);
    if catch_unwind(AssertUnwindSafe(|| progress(percent))).is_ok() {
        lock(job).progress = Some(progress);
    }
}

/// The window that covers so many samples; none if only the whole one does.
fn fitted(samples: usize) -> Option<i32> {
    let steps = samples.div_ceil(SPEECH_RATE as usize / STEPS_PER_SECOND).checked_add(ROOM)?;
    let steps = steps.max(SMALLEST_WINDOW).checked_next_multiple_of(WINDOW_STEP)?;
    i32::try_from(steps).ok().filter(|_| steps <= LARGEST_FITTED)
}

/// A segment with words in it.
fn read(segment: &WhisperSegment<'_>, duration: Duration, end_of_text: i32, words: bool) -> Option<Segment> {
    let text = segment.to_str_lossy().ok()?.trim().to_owned();
    if !has_words(&text) {
        return None;
    }
    let time = |centiseconds: i64| Duration::from_millis(u64::try_from(centiseconds).unwrap_or(0) * 10).min(duration);
    let (mut logarithms, mut writer) = (Vec::new(), WordWriter::default());
    for token in (0..segment.n_tokens()).filter_map(|index| segment.get_token(index)) {
        if token.token_id() >= end_of_text {
            continue;
        }
        logarithms.push(token.token_probability().max(f32::MIN_POSITIVE).ln());
        let data = token.token_data();
        writer.add(token.to_bytes().unwrap_or_default(), time(data.t0), time(data.t1));
    }
    let mean = logarithms.iter().sum::<f32>() / logarithms.len().max(1) as f32;
    let start = time(segment.start_timestamp());
    let end = time(segment.end_timestamp()).max(start);
    let words = if words { writer.finish() } else { Vec::new() };
    Some(Segment { start, end, text, words, confidence: mean.exp().clamp(0.0, 1.0) })
}

/// Puts tokens, which are parts of words and of letters, together to words, as [`crate::wire::message::words`] parts a text.
#[derive(Default)]
struct WordWriter {
    words: Vec<Word>,
    bytes: Vec<u8>,
    start: Duration,
    end: Duration,
}

impl WordWriter {
    fn add(&mut self, token: &[u8], start: Duration, end: Duration) {
        let whole = std::str::from_utf8(&self.bytes).is_ok();
        let first = std::str::from_utf8(token).ok().and_then(|token| token.chars().next());
        let begins =
            token.first() == Some(&b' ') || first.is_some_and(|first| first >= WITHOUT_BLANKS && first.is_alphabetic());
        if whole && begins {
            self.word();
        }
        if self.bytes.is_empty() {
            self.start = start;
        }
        self.bytes.extend_from_slice(token);
        self.end = end;
    }

    fn word(&mut self) {
        let text = String::from_utf8_lossy(&std::mem::take(&mut self.bytes)).trim().to_owned();
        // Whisper's times are estimates, and may go back a little.
        let start = self.words.last().map_or(self.start, |before| self.start.max(before.end));
        if !text.is_empty() {
            self.words.push(Word { start, end: self.end.max(start), text });
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.word();
        self.words
    }
}

/// Whether a text says something: models write "[BLANK_AUDIO]" or "(music)" where nobody speaks.
fn has_words(text: &str) -> bool {
    let bracketed = |open, close| text.starts_with(open) && text.ends_with(close);
    text.chars().any(char::is_alphanumeric) && !bracketed('[', ']') && !bracketed('(', ')')
}

/// What the locks guard is replaced as a whole, so a panic elsewhere leaves nothing half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_sound_and_a_little_more() {
        assert_eq!(fitted(16_000), Some(512));
        assert_eq!(fitted(16_000 * 9), Some(512));
        assert_eq!(fitted(16_000 * 10), Some(576));
        assert_eq!(fitted(16_000 * 20), Some(1_088));
        assert_eq!(fitted(16_000 * 22), Some(1_152));
        assert_eq!(fitted(16_000 * 23), None);
        assert_eq!(fitted(16_000 * 30), None);
        assert_eq!(fitted(usize::MAX), None);
    }

    #[test]
    fn tokens_become_words_with_their_times() {
        let time = Duration::from_millis;
        let mut writer = WordWriter::default();
        for (token, start, end) in
            [(" Me", 0, 100), ("et", 100, 200), (" Bob", 150, 300), (".", 300, 310), (" ", 310, 320)]
        {
            writer.add(token.as_bytes(), time(start), time(end));
        }
        let words = writer.finish();
        let words: Vec<_> = words.iter().map(|word| (word.text.as_str(), word.start, word.end)).collect();
        assert_eq!(words, [("Meet", time(0), time(200)), ("Bob.", time(200), time(310))]);

        let mut writer = WordWriter::default();
        // A letter in two tokens, and a script without blanks.
        for token in [&[0xe4][..], &[0xbd, 0xa0], "好".as_bytes(), "。".as_bytes()] {
            writer.add(token, time(0), time(10));
        }
        let words: Vec<_> = writer.finish().into_iter().map(|word| word.text).collect();
        assert_eq!(words, ["你", "好。"]);
    }

    #[test]
    fn what_is_not_sure_is_inaudible_and_no_words() {
        let said = |confidence| Segment {
            start: Duration::ZERO,
            end: Duration::from_secs(1),
            text: "Thank you.".into(),
            words: Vec::new(),
            confidence,
        };
        let transcript = Transcript { segments: vec![said(0.2), said(0.9)], ..Transcript::default() };
        let transcript = sure(transcript, Duration::from_secs(2));
        assert_eq!(transcript.segments.iter().map(Segment::is_inaudible).collect::<Vec<_>>(), [true, false]);
        assert_eq!(transcript.text(), "Thank you.");
        assert_eq!(sure(Transcript::default(), Duration::from_secs(2)).segments.len(), 1);
        assert_eq!(sure(Transcript::default(), Duration::from_secs(1)).segments.len(), 0);
    }

    #[test]
    fn remarks_in_brackets_are_not_words() {
        for remark in ["", "...", "[BLANK_AUDIO]", "(music)", "♪"] {
            assert!(!has_words(remark), "{remark}");
        }
        assert!(has_words("Meet me (and Bob) at eight."));
        assert!(has_words("42"));
    }
}
