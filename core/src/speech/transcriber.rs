//! The worker: a bounded queue in front of one thread that listens.
//!
//! Does not keep transcripts. Callbacks run on the worker's thread and should only pass on what they get: to a channel, or a
//! `oneshot` of an async runtime. Dropping the [`Transcriber`] cancels what runs and what waits, and joins the thread.
//!
//! A sound is listened to window by window. Between two windows whatever is more urgent goes first, and what was begun goes on
//! where it was. The model is loaded for the first window, and let go of when there was nothing to hear for a while.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::model::{ModelError, ModelFile};
use super::sound::{Sound, SoundError};
use super::vad::{Cutter, Detector};
use super::whisper::{Current, DOUBTFUL, Engine, Listening, Stop};
use super::{Segment, Transcript};
use crate::voice::SPEECH_RATE;
use crate::voice::resample::{ResampleError, Stream};

/// Sounds that may wait. A person who taps more notes than this has to tap again; nothing is dropped silently.
pub const QUEUE: usize = 16;

/// Of these, what nobody asked for and nobody looks at may take so many.
const BACKGROUND: usize = QUEUE / 2;

/// The most threads one inference uses by default: more bring little, and take the machine from everything else.
const MAX_THREADS: usize = 4;

/// How long a model stays in memory after its last use: longer than a person takes from one note to the next.
pub const KEPT: Duration = Duration::from_secs(60);

/// How to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Threads for one inference; not more than the machine has cores.
    pub threads: usize,
    /// How much of Whisper's window of 30 s to fill.
    pub window: Window,
    /// Silero's model, to find speech with; what is built in does without.
    pub detector: Option<PathBuf>,
    /// How long the model stays in memory after its last use.
    pub kept: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { threads: cores.min(MAX_THREADS), window: Window::Fitted, detector: None, kept: KEPT }
    }
}

/// How much of Whisper's window of 30 s is filled: its cost hardly depends on what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// As much as the sound needs; all of it if the result is doubtful.
    Fitted,
    /// All of it, at once.
    Whole,
}

/// What is more urgent goes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Nobody asked for it.
    Background,
    /// Somebody asked for it.
    #[default]
    Asked,
    /// Somebody looks at it.
    OnScreen,
}

impl Priority {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Background,
            1 => Self::Asked,
            _ => Self::OnScreen,
        }
    }
}

/// How to listen to one sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// The language, as in ISO 639-1; none for the model to find out. English-only models ignore it.
    pub language: Option<String>,
    /// Write down in English what is said in another language.
    pub translate: bool,
    /// Before what else.
    pub priority: Priority,
    /// Listen to silence, too: only for measuring what finding speech saves.
    pub everything: bool,
}

/// Why there is no transcript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// [`QUEUE`] sounds are waiting already.
    #[error("too many voice notes are waiting to be transcribed: try again when some are done")]
    Busy,
    /// Somebody called it off.
    #[error("the transcription was cancelled")]
    Cancelled,
    /// Whisper knows no such language.
    #[error("Whisper knows no language {language:?}")]
    Language {
        /// The language that was asked for.
        language: String,
    },
    /// There is no model, or it is not one.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model writes down what it hears, and no more.
    #[error("the speech model {model} cannot translate: choose another one, or do without the translation")]
    CannotTranslate {
        /// Its name.
        model: String,
    },
    /// The sound cannot be read.
    #[error(transparent)]
    Sound(#[from] SoundError),
    /// Whisper failed.
    #[error("Whisper failed: {reason}")]
    Whisper {
        /// What it said.
        reason: String,
    },
    /// The worker is gone.
    #[error("the transcription has stopped working: restart Kith")]
    Stopped,
}

impl From<ResampleError> for SpeechError {
    fn from(error: ResampleError) -> Self {
        Self::Sound(error.into())
    }
}

/// What a caller hears of its sound: progress any number of times, then the end once.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// So many per cent are done; goes back a window when a doubtful result is tried again.
    Progress(u8),
    /// The end.
    Done(Result<Transcript, SpeechError>),
}

/// The means to call off or hurry a transcription. Dropping it changes nothing.
#[derive(Debug, Clone)]
pub struct Ticket {
    wish: Arc<Wish>,
    shared: Arc<Shared>,
}

impl Ticket {
    /// Calls it off, whether it waits or runs; its end comes as [`SpeechError::Cancelled`], unless it was done already.
    pub fn cancel(&self) {
        self.wish.cancel.store(true, Ordering::Relaxed);
        let _queue = self.shared.queue();
        self.shared.news.notify_all();
    }

    /// From now on it is so urgent.
    pub fn set_priority(&self, priority: Priority) {
        self.wish.priority.store(priority as u8, Ordering::Relaxed);
    }
}

/// What may change while a job waits or runs.
#[derive(Debug)]
struct Wish {
    cancel: Arc<AtomicBool>,
    priority: AtomicU8,
}

impl Wish {
    fn priority(&self) -> Priority {
        Priority::from_number(self.priority.load(Ordering::Relaxed))
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}

/// What callers and the worker share.
#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    news: Condvar,
    /// Whisper looks at it while it works.
    stop: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Queue {
    jobs: Vec<Job>,
    next: u64,
    model: ModelFile,
    detector: Option<PathBuf>,
    /// The model is in memory.
    loaded: bool,
}

impl Shared {
    /// What the lock guards is changed in single steps, so a panic elsewhere leaves nothing half-done.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Queue {
    /// Takes out the job that is next: what was called off, then the most urgent, then the oldest.
    fn take(&mut self) -> Option<Job> {
        let rank = |job: &Job| (job.wish.is_cancelled(), job.wish.priority(), std::cmp::Reverse(job.number));
        let (index, _) = self.jobs.iter().enumerate().max_by_key(|(_, job)| rank(job))?;
        Some(self.jobs.swap_remove(index))
    }
}

/// A thread with a model, and the queue to it.
#[derive(Debug)]
pub struct Transcriber {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

impl Transcriber {
    /// Starts the thread. The model is loaded when there is something to hear.
    ///
    /// # Errors
    /// [`SpeechError::Whisper`] if threads are lacking.
    pub fn start(model: ModelFile, options: Options) -> Result<Self, SpeechError> {
        kith_heap::keep_large_apart();
        let queue = Queue { jobs: Vec::new(), next: 0, model, detector: options.detector.clone(), loaded: false };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), news: Condvar::new(), stop: Arc::default() });
        let worker = Worker { shared: Arc::clone(&shared), options, engine: None };
        let worker = thread::Builder::new()
            .name("kith-speech".to_owned())
            .spawn(move || worker.work())
            .map_err(|error| SpeechError::Whisper { reason: error.to_string() })?;
        Ok(Self { shared, worker: Some(worker) })
    }

    /// From the next sound on this model listens, and this file of Silero's finds speech.
    pub fn set_model(&self, model: ModelFile, detector: Option<PathBuf>) {
        let mut queue = self.shared.queue();
        (queue.model, queue.detector) = (model, detector);
    }

    /// Whether a model is in memory.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.shared.queue().loaded
    }

    /// Puts a sound in the queue and returns at once; `updates` is called on the worker's thread.
    ///
    /// # Errors
    /// [`SpeechError::Busy`] if the queue is full, [`SpeechError::Language`], and [`SpeechError::Stopped`]; then `updates` is
    /// never called.
    pub fn submit(
        &self,
        sound: impl Into<Sound>,
        task: Task,
        updates: impl FnMut(Update) + Send + 'static,
    ) -> Result<Ticket, SpeechError> {
        let language = task.language.as_deref().map(known_language).transpose()?;
        let wish = Wish { cancel: Arc::default(), priority: AtomicU8::new(task.priority as u8) };
        let wish = Arc::new(wish);
        let sound = sound.into();
        let resampler = Stream::new(sound.rate(), SPEECH_RATE)?;
        if self.worker.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(SpeechError::Stopped);
        }
        let mut queue = self.shared.queue();
        let bound = if task.priority == Priority::Background { BACKGROUND } else { QUEUE };
        if queue.jobs.len() >= bound {
            return Err(SpeechError::Busy);
        }
        let number = queue.next;
        queue.next = queue.next.wrapping_add(1);
        queue.jobs.push(Job {
            number,
            wish: Arc::clone(&wish),
            updates: Arc::new(Mutex::new(updates)),
            sound,
            resampler: Some(resampler),
            cutter: None,
            language,
            translate: task.translate,
            everything: task.everything,
            transcript: Transcript::default(),
        });
        self.shared.news.notify_all();
        Ok(Ticket { wish, shared: Arc::clone(&self.shared) })
    }

    /// Transcribes a sound and waits for it: for scripts and tests, never on an async runtime's thread.
    ///
    /// # Errors
    /// [`SpeechError`].
    pub fn transcribe(&self, sound: impl Into<Sound>) -> Result<Transcript, SpeechError> {
        self.transcribe_as(sound, Task::default(), |_| {})
    }

    /// The same, as the task says, with a look at the progress.
    ///
    /// # Errors
    /// [`SpeechError`].
    pub fn transcribe_as(
        &self,
        sound: impl Into<Sound>,
        task: Task,
        mut progress: impl FnMut(u8) + Send + 'static,
    ) -> Result<Transcript, SpeechError> {
        let (done, result) = sync_channel(1);
        self.submit(sound, task, move |update| match update {
            Update::Progress(percent) => progress(percent),
            Update::Done(outcome) => {
                // The receiver below waits for exactly this.
                let _ = done.send(outcome);
            }
        })?;
        result.recv().unwrap_or(Err(SpeechError::Stopped))
    }
}

impl Drop for Transcriber {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        {
            let _queue = self.shared.queue();
            self.shared.news.notify_all();
        }
        // A callback may own the last handle; the thread cannot wait for itself.
        if let Some(worker) = self.worker.take().filter(|worker| worker.thread().id() != thread::current().id()) {
            // A panic of the worker has been reported as `Stopped` to whoever waited.
            let _ = worker.join();
        }
    }
}

type Updates = Arc<Mutex<dyn FnMut(Update) + Send>>;

/// A sound, and how far it was listened to.
struct Job {
    number: u64,
    wish: Arc<Wish>,
    updates: Updates,
    sound: Sound,
    /// None when the sound has ended.
    resampler: Option<Stream>,
    /// None before the first block.
    cutter: Option<Cutter>,
    language: Option<&'static str>,
    translate: bool,
    everything: bool,
    transcript: Transcript,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("number", &self.number).field("sound", &self.sound).finish_non_exhaustive()
    }
}

/// A caller's panic is the caller's: the worker goes on.
fn tell(updates: &Updates, update: Update) {
    let mut updates = updates.lock().unwrap_or_else(PoisonError::into_inner);
    if catch_unwind(AssertUnwindSafe(|| updates(update))).is_err() {
        tracing::error!("a callback of a transcription panicked");
    }
}

/// The language, if Whisper knows it.
fn known_language(language: &str) -> Result<&'static str, SpeechError> {
    // whisper-rs panics on zeros in names.
    let id = if language.contains('\0') { None } else { whisper_rs::get_lang_id(language) };
    id.and_then(whisper_rs::get_lang_str).ok_or_else(|| SpeechError::Language { language: language.to_owned() })
}

/// Whether Whisper knows a language of this name, as in ISO 639-1.
#[must_use]
pub fn is_language(language: &str) -> bool {
    known_language(language).is_ok()
}

struct Worker {
    shared: Arc<Shared>,
    options: Options,
    engine: Option<(ModelFile, Engine)>,
}

impl Worker {
    fn work(mut self) {
        while let Some(mut job) = self.next() {
            match self.go_on(&mut job) {
                // Between two windows somebody else may be more urgent: the order is looked at again.
                Ok(false) => self.shared.queue().jobs.push(job),
                Ok(true) => tell(&job.updates, Update::Done(Ok(std::mem::take(&mut job.transcript)))),
                Err(error) => tell(&job.updates, Update::Done(Err(error))),
            }
        }
    }

    /// The next job; none when it is time to stop. While there is none the model's time runs.
    fn next(&mut self) -> Option<Job> {
        let mut queue = self.shared.queue();
        loop {
            if let Some(job) = queue.take() {
                return Some(job);
            }
            if self.shared.stops() {
                return None;
            }
            if self.engine.is_none() {
                queue = self.shared.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.shared.news.wait_timeout(queue, self.options.kept);
            let (after, time) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = after;
            if time.timed_out() && queue.jobs.is_empty() {
                queue.loaded = false;
                drop(queue);
                self.engine = None;
                kith_heap::give_back();
                tracing::debug!("the speech model was let go of");
                queue = self.shared.queue();
            }
        }
    }

    /// Listens to the next window of a sound. Whether that was the last.
    fn go_on(&mut self, job: &mut Job) -> Result<bool, SpeechError> {
        loop {
            if self.shared.stops() || job.wish.is_cancelled() {
                return Err(SpeechError::Cancelled);
            }
            let cutter = match &mut job.cutter {
                Some(cutter) => cutter,
                None => job.cutter.insert(Cutter::new(self.detector(job.everything)?)),
            };
            if let Some(window) = cutter.pop() {
                self.listen(job, &window)?;
                return Ok(false);
            }
            let Some(resampler) = &mut job.resampler else { return Ok(true) };
            let mut samples = Vec::new();
            match job.sound.next().transpose()? {
                Some(block) => {
                    resampler.push(&block, &mut samples)?;
                    cutter.push(&samples);
                }
                None => {
                    if let Some(resampler) = job.resampler.take() {
                        resampler.finish(&mut samples)?;
                    }
                    cutter.push(&samples);
                    cutter.finish();
                }
            }
        }
    }

    fn detector(&self, everything: bool) -> Result<Detector, SpeechError> {
        let silero = self.shared.queue().detector.clone();
        match silero {
            _ if everything => Ok(Detector::Everything),
            Some(path) => Ok(Detector::silero(&path, self.options.threads)?),
            None => Ok(Detector::built_in()),
        }
    }

    fn engine(&mut self) -> Result<&mut Engine, SpeechError> {
        let file = self.shared.queue().model.clone();
        let loaded = self.engine.take().filter(|(loaded, _)| *loaded == file);
        let engine = match loaded {
            Some((_, engine)) => engine,
            None => {
                self.shared.queue().loaded = false;
                let model = file.load()?;
                let failed = |reason| SpeechError::Whisper { reason };
                Engine::new(model, &self.options, &self.shared.stop).map_err(failed)?
            }
        };
        self.shared.queue().loaded = true;
        let (_, engine) = self.engine.insert((file, engine));
        Ok(engine)
    }

    fn listen(&mut self, job: &mut Job, window: &super::vad::Window) -> Result<(), SpeechError> {
        let (start, end) = window.span();
        let updates = Arc::clone(&job.updates);
        let whole = job.sound.length().unwrap_or_default().max(end).as_secs_f32().max(f32::MIN_POSITIVE);
        // Of the first window the silence before it is part.
        let from = if job.transcript.model.is_empty() { 0.0 } else { start.as_secs_f32() / whole };
        let share = (end.as_secs_f32() / whole - from).max(0.0);
        let progress = move |percent: u8| {
            let percent = 100.0 * from + share * f32::from(percent);
            tell(&updates, Update::Progress(percent.clamp(0.0, 100.0) as u8));
        };
        let (cancel, stop) = (Arc::clone(&job.wish.cancel), Arc::clone(&self.shared.stop));
        let engine = self.engine()?;
        if job.translate && !engine.translates() {
            return Err(SpeechError::CannotTranslate { model: engine.name().to_owned() });
        }
        let current = Current { cancel: Some(cancel), progress: Some(Box::new(progress)) };
        let listening = Listening { language: job.language, translate: job.translate };
        let heard = engine.transcribe(&window.samples, listening, current).map_err(|outcome| match outcome {
            Stop::Cancelled => SpeechError::Cancelled,
            Stop::Failed(_) if stop.load(Ordering::Relaxed) => SpeechError::Cancelled,
            Stop::Failed(reason) => SpeechError::Whisper { reason },
        })?;
        job.transcript.model = heard.model;
        job.transcript.translated = job.translate;
        let mut words = false;
        for mut segment in heard.segments {
            (segment.start, segment.end) = (window.in_sound(segment.start), window.in_sound(segment.end));
            for word in &mut segment.words {
                (word.start, word.end) = (window.in_sound(word.start), window.in_sound(word.end));
            }
            words |= !segment.is_inaudible();
            keep(&mut job.transcript.segments, segment);
        }
        if words && job.transcript.language.is_empty() {
            job.transcript.language = heard.language;
            // A sound has one language: finding it out costs half a run of the model for every window.
            job.language = job.language.or_else(|| known_language(&job.transcript.language).ok());
        }
        Ok(())
    }
}

/// Keeps what was heard, but for what a model says over and over and is not sure of: of noise, window for window.
fn keep(segments: &mut Vec<Segment>, segment: Segment) {
    let mut before = segments.iter().rev().take(2);
    let again = segments.len() >= 2 && before.all(|before| before.text == segment.text);
    if again && segment.confidence < DOUBTFUL {
        if let Some(last) = segments.last_mut() {
            last.end = segment.end;
        }
        return;
    }
    segments.push(segment);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, confidence: f32, end: u64) -> Segment {
        Segment {
            start: Duration::ZERO,
            end: Duration::from_secs(end),
            text: text.to_owned(),
            words: Vec::new(),
            confidence,
        }
    }

    fn kept(confidence: f32) -> Vec<(String, u64)> {
        let mut segments = Vec::new();
        for end in 1..=9 {
            keep(&mut segments, said("Thank you.", confidence, end));
        }
        keep(&mut segments, said("Bye.", confidence, 10));
        keep(&mut segments, said("Thank you.", confidence, 11));
        segments.into_iter().map(|segment| (segment.text, segment.end.as_secs())).collect()
    }

    #[test]
    fn what_is_repeated_over_and_over_is_kept_twice_unless_it_is_sure() {
        let expected = [("Thank you.", 1), ("Thank you.", 9), ("Bye.", 10), ("Thank you.", 11)];
        assert_eq!(kept(0.5), expected.map(|(text, end)| (text.to_owned(), end)));
        assert_eq!(kept(0.9).len(), 11);
    }
}
