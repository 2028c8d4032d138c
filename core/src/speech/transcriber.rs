//! The worker: a bounded queue in front of one thread that listens.
//!
//! Does not keep transcripts. Callbacks run on the worker's thread and should only pass on what they get: to a channel, or a
//! `oneshot` of an async runtime. Dropping the [`Transcriber`] cancels what runs and what waits, and joins the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Transcript;
use super::gate::audible;
use super::model::Model;
use super::whisper::{Current, Engine, Stop};
use crate::voice::resample::ResampleError;
use crate::voice::{MAX_DURATION, Pcm, SPEECH_RATE};

/// Sounds that may wait. A person who taps more notes than this has to tap again; nothing is dropped silently.
pub const QUEUE: usize = 16;

/// The most threads one inference uses by default: more bring little, and take the machine from everything else.
const MAX_THREADS: usize = 4;

/// How to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Threads for one inference; not more than the machine has cores.
    pub threads: usize,
    /// The language, as in ISO 639-1; none for the model to find out. English-only models ignore it.
    pub language: Option<String>,
    /// How much of Whisper's window of 30 s to fill.
    pub window: Window,
}

impl Default for Options {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { threads: cores.min(MAX_THREADS), language: None, window: Window::Fitted }
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

/// Why there is no transcript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// [`QUEUE`] sounds are waiting already.
    #[error("too many voice notes are waiting to be transcribed: try again when some are done")]
    Busy,
    /// Somebody called it off.
    #[error("the transcription was cancelled")]
    Cancelled,
    /// The sound is longer than [`MAX_DURATION`].
    #[error("the sound lasts {} s: at most {} s are transcribed", duration.as_secs(), MAX_DURATION.as_secs())]
    TooLong {
        /// How long it is.
        duration: Duration,
    },
    /// Whisper knows no such language.
    #[error("Whisper knows no language {language:?}")]
    Language {
        /// The language that was asked for.
        language: String,
    },
    /// The sound's rate is not one that is served.
    #[error(transparent)]
    Sound(#[from] ResampleError),
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

/// What a caller hears of its sound: progress any number of times, then the end once.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// So many per cent are done; may start again when a doubtful result is tried again.
    Progress(u8),
    /// The end.
    Done(Result<Transcript, SpeechError>),
}

/// The means to call off a transcription. Dropping it changes nothing.
#[derive(Debug, Clone)]
pub struct Ticket {
    cancel: Arc<AtomicBool>,
}

impl Ticket {
    /// Calls it off, whether it waits or runs; its end comes as [`SpeechError::Cancelled`], unless it was done already.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

/// A thread with a model, and the queue to it.
#[derive(Debug)]
pub struct Transcriber {
    queue: Option<SyncSender<Job>>,
    worker: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Transcriber {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`SpeechError::Language`], and [`SpeechError::Whisper`] if memory or threads are lacking.
    pub fn start(model: Model, options: Options) -> Result<Self, SpeechError> {
        let language = options.language.as_deref().map(known_language).transpose()?;
        let (queue, jobs) = sync_channel(QUEUE);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let worker = thread::Builder::new()
            .name("kith-speech".to_owned())
            .spawn(move || work(Engine::new(model, &options, language, &stopping), &jobs, &stopping))
            .map_err(|error| SpeechError::Whisper { reason: error.to_string() })?;
        Ok(Self { queue: Some(queue), worker: Some(worker), stop })
    }

    /// Puts a sound in the queue and returns at once; `updates` is called on the worker's thread.
    ///
    /// # Errors
    /// [`SpeechError::Busy`] if the queue is full, [`SpeechError::TooLong`], and [`SpeechError::Stopped`]; then `updates` is
    /// never called.
    pub fn submit(&self, sound: Pcm, updates: impl FnMut(Update) + Send + 'static) -> Result<Ticket, SpeechError> {
        if sound.duration() > MAX_DURATION {
            return Err(SpeechError::TooLong { duration: sound.duration() });
        }
        let cancel = Arc::new(AtomicBool::new(false));
        let updates = Arc::new(Mutex::new(updates));
        let job = Job { sound, updates, cancel: Arc::clone(&cancel) };
        match self.queue.as_ref().ok_or(SpeechError::Stopped)?.try_send(job) {
            Ok(()) => Ok(Ticket { cancel }),
            Err(TrySendError::Full(_)) => Err(SpeechError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(SpeechError::Stopped),
        }
    }

    /// Transcribes a sound and waits for it: for scripts and tests, never on an async runtime's thread.
    ///
    /// # Errors
    /// [`SpeechError`].
    pub fn transcribe(&self, sound: Pcm) -> Result<Transcript, SpeechError> {
        let (done, result) = sync_channel(1);
        self.submit(sound, move |update| {
            if let Update::Done(outcome) = update {
                // The receiver below waits for exactly this.
                let _ = done.send(outcome);
            }
        })?;
        result.recv().unwrap_or(Err(SpeechError::Stopped))
    }
}

impl Drop for Transcriber {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.queue.take());
        // A callback may own the last handle; the thread cannot wait for itself.
        if let Some(worker) = self.worker.take().filter(|worker| worker.thread().id() != thread::current().id()) {
            // A panic of the worker has been reported as `Stopped` to whoever waited.
            let _ = worker.join();
        }
    }
}

struct Job {
    sound: Pcm,
    updates: Arc<Mutex<dyn FnMut(Update) + Send>>,
    cancel: Arc<AtomicBool>,
}

impl Job {
    /// A caller's panic is the caller's: the worker goes on.
    fn tell(updates: &Mutex<dyn FnMut(Update) + Send>, update: Update) {
        let mut updates = updates.lock().unwrap_or_else(PoisonError::into_inner);
        if catch_unwind(AssertUnwindSafe(|| updates(update))).is_err() {
            tracing::error!("a callback of a transcription panicked");
        }
    }
}

/// The language, if Whisper knows it.
fn known_language(language: &str) -> Result<&'static str, SpeechError> {
    // whisper-rs panics on zeros in names.
    let id = if language.contains('\0') { None } else { whisper_rs::get_lang_id(language) };
    id.and_then(whisper_rs::get_lang_str).ok_or_else(|| SpeechError::Language { language: language.to_owned() })
}

fn work(mut engine: Result<Engine, String>, jobs: &Receiver<Job>, stop: &AtomicBool) {
    for job in jobs {
        let updates = Arc::clone(&job.updates);
        let outcome = if stop.load(Ordering::Relaxed) || job.cancel.load(Ordering::Relaxed) {
            Err(SpeechError::Cancelled)
        } else {
            match &mut engine {
                Ok(engine) => listen(engine, job, stop),
                Err(reason) => Err(SpeechError::Whisper { reason: reason.clone() }),
            }
        };
        Job::tell(&updates, Update::Done(outcome));
    }
}

fn listen(engine: &mut Engine, job: Job, stop: &AtomicBool) -> Result<Transcript, SpeechError> {
    let mut sound = job.sound.at_rate(SPEECH_RATE)?;
    let Some(part) = audible(&sound.samples) else {
        return Ok(engine.nothing_said());
    };
    sound.samples.truncate(part.end);
    sound.samples.drain(..part.start);
    let skipped = Duration::from_secs(part.start as u64) / SPEECH_RATE;
    let updates = Arc::clone(&job.updates);
    let progress = move |percent| Job::tell(&updates, Update::Progress(percent));
    let current = Current { cancel: Some(job.cancel), progress: Some(Box::new(progress)) };
    let mut transcript = engine.transcribe(&sound, current).map_err(|outcome| match outcome {
        Stop::Cancelled => SpeechError::Cancelled,
        Stop::Failed(_) if stop.load(Ordering::Relaxed) => SpeechError::Cancelled,
        Stop::Failed(reason) => SpeechError::Whisper { reason },
    })?;
    for segment in &mut transcript.segments {
        segment.start += skipped;
        segment.end += skipped;
    }
    Ok(transcript)
}
