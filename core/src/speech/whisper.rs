//! One sound through Whisper: parameters, the size of its window, and what comes out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use whisper_rs::{FullParams, SamplingStrategy, WhisperSegment, WhisperState};

use super::model::Model;
use super::transcriber::{Options, Window};
use super::{Segment, Transcript};
use crate::voice::{Pcm, SPEECH_RATE};

/// Whisper's steps in a second of sound, and in its whole window of 30 s.
const STEPS_PER_SECOND: usize = 50;
const WHOLE_WINDOW: usize = 1_500;

/// The smallest window that is used. Below about 500 steps models start to repeat themselves.
const SMALLEST_WINDOW: usize = 512;

/// Windows grow by this: ggml's kernels work on blocks of it.
const WINDOW_STEP: usize = 64;

/// Half a second of room after the sound: speech that ends with the window loses its last word.
const ROOM: usize = STEPS_PER_SECOND / 2;

/// Below this confidence a fitted window is not believed and the whole one is tried.
const DOUBTFUL: f32 = 0.6;

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

/// Whisper, with all that can be made once and used for every sound.
pub(super) struct Engine {
    model: Model,
    state: WhisperState,
    params: FullParams<'static, 'static>,
    current: Arc<Mutex<Current>>,
    window: Window,
}

impl Engine {
    pub(super) fn new(
        model: Model,
        options: &Options,
        language: Option<&'static str>,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let state = model.context.create_state().map_err(|error| error.to_string())?;
        let current = Arc::new(Mutex::new(Current::default()));
        let language = if model.context.is_multilingual() { language } else { Some("en") };
        let params = params(options.threads, language, &current, Arc::clone(stop));
        Ok(Self { model, state, params, current, window: options.window })
    }

    /// Writes down what is said in a sound at [`SPEECH_RATE`].
    pub(super) fn transcribe(&mut self, sound: &Pcm, current: Current) -> Result<Transcript, Stop> {
        let cancel = current.cancel.clone().unwrap_or_default();
        *lock(&self.current) = current;
        let outcome = self.passes(sound, &cancel);
        *lock(&self.current) = Current::default();
        if outcome.is_err() {
            // An aborted run leaves its state half-way.
            self.state = self.model.context.create_state().map_err(|error| Stop::Failed(error.to_string()))?;
        }
        outcome
    }

    /// The transcript of a sound with nothing in it.
    pub(super) fn nothing_said(&self) -> Transcript {
        Transcript { segments: Vec::new(), language: String::new(), model: self.model.name().to_owned() }
    }

    /// The fitted window, and the whole one if that is doubtful. No words at all are not doubtful: noise that passes the
    /// gate would otherwise always cost two runs.
    fn passes(&mut self, sound: &Pcm, cancel: &AtomicBool) -> Result<Transcript, Stop> {
        let _alone = lock(&INFERENCE);
        let Some(steps) = fitted(sound.samples.len()).filter(|_| self.window == Window::Fitted) else {
            return self.pass(sound, 0, cancel);
        };
        let first = self.pass(sound, steps, cancel)?;
        if first.confidence() >= DOUBTFUL {
            return Ok(first);
        }
        tracing::debug!(confidence = first.confidence(), "speech in a small window is doubtful, using the whole one");
        let second = self.pass(sound, 0, cancel)?;
        Ok(if second.confidence() > first.confidence() { second } else { first })
    }

    /// One run of the model; `steps` is the size of its window, 0 for the whole one.
    fn pass(&mut self, sound: &Pcm, steps: i32, cancel: &AtomicBool) -> Result<Transcript, Stop> {
        let stopped = || cancel.load(Ordering::Relaxed);
        if stopped() {
            return Err(Stop::Cancelled);
        }
        let mut params = self.params.clone();
        params.set_audio_ctx(steps);
        if steps > 0 {
            // No second guesses at a higher temperature: the whole window is the second guess.
            params.set_temperature_inc(0.0);
        }
        match self.state.full(params, &sound.samples) {
            Ok(()) => Ok(self.result(sound.duration())),
            Err(_) if stopped() => Err(Stop::Cancelled),
            Err(error) => Err(Stop::Failed(error.to_string())),
        }
    }

    fn result(&self, duration: Duration) -> Transcript {
        let end_of_text = self.model.context.token_eot();
        let segments = self.state.as_iter().filter_map(|segment| read(&segment, duration, end_of_text)).collect();
        let language = whisper_rs::get_lang_str(self.state.full_lang_id_from_state()).unwrap_or_default();
        Transcript { segments, language: language.to_owned(), model: self.model.name().to_owned() }
    }
}

/// The parameters that every run shares. whisper-rs never frees the callbacks it is given, so they are made once and
/// look up what concerns the job at hand.
fn params(
    threads: usize,
    language: Option<&'static str>,
    current: &Arc<Mutex<Current>>,
    stop: Arc<AtomicBool>,
) -> FullParams<'static, 'static> {
    let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    params.set_n_threads(i32::try_from(threads).unwrap_or(1).max(1));
    params.set_language(language);
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
    i32::try_from(steps).ok().filter(|_| steps < WHOLE_WINDOW)
}

/// A segment with words in it.
fn read(segment: &WhisperSegment<'_>, duration: Duration, end_of_text: i32) -> Option<Segment> {
    let text = segment.to_str_lossy().ok()?.trim().to_owned();
    if !has_words(&text) {
        return None;
    }
    let time = |centiseconds: i64| Duration::from_millis(u64::try_from(centiseconds).unwrap_or(0) * 10).min(duration);
    let logarithms: Vec<f32> = (0..segment.n_tokens())
        .filter_map(|index| segment.get_token(index))
        .filter(|token| token.token_id() < end_of_text)
        .map(|token| token.token_probability().max(f32::MIN_POSITIVE).ln())
        .collect();
    let mean = logarithms.iter().sum::<f32>() / logarithms.len().max(1) as f32;
    let start = time(segment.start_timestamp());
    let end = time(segment.end_timestamp()).max(start);
    Some(Segment { start, end, text, confidence: mean.exp().clamp(0.0, 1.0) })
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
        assert_eq!(fitted(16_000 * 28), Some(1_472));
        assert_eq!(fitted(16_000 * 30), None);
        assert_eq!(fitted(usize::MAX), None);
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
