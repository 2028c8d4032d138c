//! A recording while it is made.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::super::{Client, ClientError};
use super::draft::{Draft, Writing, put_packet};
use super::stand_in;
use crate::audio::{AudioError, Backend, Direction, Microphone, Sound};
use crate::store::StoreError;
use crate::voice::note::NoteError;
use crate::voice::stream::LONGEST;
use crate::voice::{CleanUp, OPUS_RATE, Packets, Recorder};
use crate::wire::control::Said;

/// How much of a recording may be lost with the process: what is gathered before it is written to the disk.
pub(super) const SAVED_EVERY: Duration = Duration::from_millis(500);

/// How the level falls when it grows quiet, a twentieth of a second: slow enough for the eye.
const FALL: f32 = 0.75;

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingPhase {
    /// The microphone is being opened.
    Opening,
    /// It is recorded.
    Recording,
    /// It stands still.
    Paused,
    /// The microphone is gone; it or another is looked for.
    Searching,
    /// It is as long as it may be: nothing more is recorded.
    Full,
    /// The microphone has ended.
    Ended,
}

/// Where a recording stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingState {
    /// How it goes.
    pub phase: RecordingPhase,
    /// How long it is.
    pub duration: Duration,
    /// How loud it is now: 0 for silence to 1 for full scale.
    pub level: f32,
    /// The microphone's name.
    pub microphone: Option<String>,
    /// The microphone stands in for the one that was chosen, which is not there.
    pub stand_in: Option<Box<Said>>,
    /// What is wrong with the microphone.
    pub problem: Option<AudioError>,
    /// Why it is not kept on the disk while it is made, as a sentence: then it lives in memory alone until it is sent.
    pub unsaved: Option<String>,
}

impl RecordingState {
    pub(super) fn new() -> Self {
        Self {
            phase: RecordingPhase::Opening,
            duration: Duration::ZERO,
            level: 0.0,
            microphone: None,
            stand_in: None,
            problem: None,
            unsaved: None,
        }
    }

    /// A microphone of this name runs, in the place of another or not.
    pub(super) fn opened(&mut self, name: &str, stands_in: bool) {
        self.phase = RecordingPhase::Recording;
        self.microphone = Some(name.to_owned());
        self.stand_in = stands_in.then(|| stand_in(Direction::Input, name));
        self.problem = None;
    }

    /// No microphone runs, for now or any more.
    pub(super) fn stopped(&mut self, phase: RecordingPhase, problem: Option<AudioError>) {
        self.phase = phase;
        self.problem = problem;
        self.level = 0.0;
    }
}

/// How loud it is after these samples, which it was before at that level.
pub(super) fn level_after(before: f32, samples: &[f32]) -> f32 {
    let loudest = samples.iter().fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()));
    loudest.max(before * FALL.powf(samples.len() as f32 / (OPUS_RATE as f32 / 20.0)))
}

/// What a microphone gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Its packets.
    pub packets: Packets,
    /// Its waveform.
    pub peaks: Vec<u8>,
}

impl Take {
    /// Writes it as an Ogg Opus file that only its owner may read, durably; says how many bytes it has.
    ///
    /// # Errors
    /// [`NoteError::Empty`] without any sound; if the disk refuses.
    pub fn save(&self, path: &std::path::Path) -> Result<usize, ClientError> {
        let ogg = self.packets.to_ogg()?;
        crate::store::write_private(path, &ogg)?;
        Ok(ogg.len())
    }
}

type Begin = Box<dyn FnMut() -> Result<Writing, StoreError> + Send>;

/// What happens on the microphone's thread.
struct Tape {
    recorder: Option<Recorder>,
    packets: Packets,
    /// Packets that are not on the disk yet.
    waiting: Vec<u8>,
    waiting_since: Duration,
    /// Begins its file, until it is there: with the first sound, so that the microphone does not wait for the disk.
    begin: Option<Begin>,
    /// Until nothing is written any more, also when nobody holds the recording.
    active: Option<Active>,
    file: Option<Writing>,
    state: watch::Sender<RecordingState>,
    done: Option<oneshot::Sender<Outcome>>,
    failed: Option<NoteError>,
}

impl Tape {
    fn hear(&mut self, sound: Sound<'_>) {
        match sound {
            Sound::Opened { name, stands_in } => self.state.send_modify(|state| state.opened(name, stands_in)),
            Sound::Samples(samples) => self.record(samples),
            Sound::Paused => self.state.send_modify(|state| state.stopped(RecordingPhase::Paused, None)),
            Sound::Lost(error) => self.state.send_modify(|state| state.stopped(RecordingPhase::Searching, Some(error))),
            Sound::Ended(error) => {
                // Before what was recorded is handed over: whoever gets nothing looks here why.
                self.state.send_modify(|state| {
                    state.problem = error;
                    state.level = 0.0;
                });
                self.end();
                self.state.send_modify(|state| state.phase = RecordingPhase::Ended);
            }
        }
    }

    fn record(&mut self, samples: &[f32]) {
        let Some(recorder) = self.recorder.as_mut() else { return };
        let left = LONGEST.saturating_sub(recorder.duration());
        let left = usize::try_from(left.as_millis()).unwrap_or(usize::MAX).saturating_mul(OPUS_RATE as usize / 1_000);
        let (packets, waiting) = (&mut self.packets, &mut self.waiting);
        let mut refused = None;
        let recorded = recorder.push(samples.get(..samples.len().min(left)).unwrap_or_default(), |packet| {
            put_packet(waiting, &packet);
            if let Err(error) = packets.push(&packet) {
                refused = Some(error);
            }
        });
        if let Some(error) = recorded.err().or(refused) {
            self.failed = Some(error);
            self.recorder = None;
            return;
        }
        let duration = recorder.duration();
        let full = samples.len() >= left;
        if duration.saturating_sub(self.waiting_since) >= SAVED_EVERY {
            self.waiting_since = duration;
            self.save();
        }
        self.state.send_modify(|state| {
            state.duration = duration;
            state.level = level_after(state.level, samples);
            if full {
                state.phase = RecordingPhase::Full;
            }
        });
    }

    fn save(&mut self) {
        if self.file.is_none() && self.waiting.is_empty() {
            return;
        }
        if self.begin.is_none() && self.file.is_none() {
            // It lives in memory alone.
            self.waiting.clear();
            return;
        }
        match self.write() {
            Ok(()) => {
                self.waiting.clear();
                self.state.send_if_modified(|state| state.unsaved.take().is_some());
            }
            // It is tried again with what comes next: the disk may have room then.
            Err(error) => {
                tracing::warn!(%error, "a recording could not be kept on the disk for now");
                let unsaved = Some(error.to_string());
                self.state.send_if_modified(|state| {
                    let news = state.unsaved != unsaved;
                    state.unsaved.clone_from(&unsaved);
                    news
                });
                // A block has a largest size; what lies in memory is sent from there in any case.
                if self.waiting.len() > crate::store::MAX_BLOCK / 2 {
                    (self.begin, self.file) = (None, None);
                    self.waiting.clear();
                }
            }
        }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        if let Some(begin) = self.begin.as_mut() {
            self.file = Some(begin()?);
            self.begin = None;
        }
        self.file.as_mut().map_or(Ok(()), |file| file.packets(&self.waiting))
    }

    fn end(&mut self) {
        let Some(done) = self.done.take() else { return };
        let outcome = match (self.recorder.take(), self.failed.take()) {
            (Some(recorder), _) => self.finish(recorder),
            (None, failed) => Err(failed.unwrap_or(NoteError::Empty)),
        };
        self.active = None;
        // Whoever wanted it may have gone; then the file stays and is found.
        let _ = done.send(outcome.map(|take| (take, self.file.take())));
    }

    fn finish(&mut self, recorder: Recorder) -> Result<Take, NoteError> {
        let ending = recorder.finish()?;
        for packet in &ending.packets {
            self.packets.push(packet)?;
            put_packet(&mut self.waiting, packet);
        }
        self.packets.trim(ending.total);
        self.save();
        if let Some(file) = self.file.as_mut()
            && let Err(error) = file.end(ending.total, &ending.peaks)
        {
            // Without it the last frame's filling is heard too, and the waveform is made anew.
            tracing::warn!(%error, "the end of a recording could not be kept");
        }
        Ok(Take { packets: std::mem::replace(&mut self.packets, Packets::new(0)), peaks: ending.peaks })
    }
}

/// A recording that is being made. Dropping it stops the microphone and keeps what was recorded as a draft.
#[derive(Debug)]
pub struct Recording {
    id: String,
    conversation: String,
    microphone: Microphone,
    state: watch::Receiver<RecordingState>,
    done: Option<Done>,
}

impl std::fmt::Debug for Writing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writing(…)")
    }
}

/// A recording whose file is still written. What is found under its name is no draft yet.
struct Active {
    client: Client,
    id: String,
}

impl Active {
    fn new(client: &Client, id: &str) -> Self {
        client.inner.recording.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        Self { client: client.clone(), id: id.to_owned() }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.client.inner.recording.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Client {
    /// Begins a recording for a conversation, named as in [`crate::wire::control::Request::Send`]. The microphone is opened on a thread
    /// of its own: whether there is one is told by [`Recording::state`].
    ///
    /// # Errors
    /// If there is no such conversation, or no sound can be encoded.
    pub async fn record(&self, with: &str) -> Result<Recording, ClientError> {
        let conversation = self.conversation_named(with)?.id;
        let options = self.sound_options();
        let mut random = [0; 16];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random)
            .map_err(|_| ClientError::Ending)?;
        let id = data_encoding::HEXLOWER.encode(&random);
        let recorder = Recorder::new(options.bitrate_bps)?;
        let pre_skip = recorder.pre_skip();
        let active = Active::new(self, &id);
        let (client, name) = (self.clone(), id.clone());
        let begin = move || Writing::begin(&client, &name, conversation, pre_skip);
        let (state, states) = watch::channel(RecordingState::new());
        let (microphone, done) = start(
            Arc::clone(&self.inner.sound),
            options.microphone.clone(),
            options.clean_up(),
            recorder,
            Some((Box::new(begin), active)),
            state,
        )?;
        Ok(Recording { id, conversation: conversation.to_string(), microphone, state: states, done: Some(done) })
    }
}

/// What was recorded, and the file in which it lies.
type Outcome = Result<(Take, Option<Writing>), NoteError>;

type Done = oneshot::Receiver<Outcome>;

fn start(
    backend: Arc<dyn Backend>,
    device: Option<String>,
    clean: CleanUp,
    recorder: Recorder,
    kept: Option<(Begin, Active)>,
    state: watch::Sender<RecordingState>,
) -> Result<(Microphone, Done), AudioError> {
    let (done, outcome) = oneshot::channel();
    let (begin, active) = kept.unzip();
    let mut tape = Tape {
        packets: Packets::new(recorder.pre_skip()),
        recorder: Some(recorder),
        waiting: Vec::new(),
        waiting_since: Duration::ZERO,
        begin,
        active,
        file: None,
        state,
        done: Some(done),
        failed: None,
    };
    let microphone = Microphone::start(backend, device, clean, move |sound| tape.hear(sound))?;
    Ok((microphone, outcome))
}

impl Recording {
    /// Where it stands, and each change.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<RecordingState> {
        self.state.clone()
    }

    /// The conversation's id.
    #[must_use]
    pub fn conversation(&self) -> &str {
        &self.conversation
    }

    /// Stands still; the microphone is let go.
    pub fn pause(&self) {
        self.microphone.pause();
    }

    /// Goes on.
    pub fn resume(&self) {
        self.microphone.resume();
    }

    /// Ends it, with all that was heard until now.
    ///
    /// # Errors
    /// [`NoteError::Empty`] if nothing was recorded; why there was no microphone, if there was none.
    pub async fn finish(mut self) -> Result<Draft, ClientError> {
        let (take, file) = self.stop().await?;
        let duration = take.packets.duration();
        if duration.is_zero() {
            if let Some(file) = file {
                file.discard();
            }
            return Err(self.why_empty());
        }
        let (id, conversation) = (self.id.clone(), self.conversation.clone());
        Ok(Draft { id, conversation, duration, peaks: take.peaks, packets: take.packets })
    }

    /// Ends it and throws away what was recorded.
    pub async fn cancel(mut self) {
        if let Ok((_, Some(file))) = self.stop().await {
            file.discard();
        }
    }

    async fn stop(&mut self) -> Result<(Take, Option<Writing>), ClientError> {
        self.microphone.stop();
        let done = self.done.take().ok_or(ClientError::Ending)?;
        done.await.map_err(|_| ClientError::Ending)?.map_err(|error| match error {
            NoteError::Empty => self.why_empty(),
            error => error.into(),
        })
    }

    fn why_empty(&self) -> ClientError {
        let state = self.state.borrow();
        state.problem.clone().map_or(NoteError::Empty.into(), ClientError::Audio)
    }
}

/// Records without a profile, until `stop` is done or an hour is over, and shows each change to `show`.
///
/// # Errors
/// A sentence that says why nothing was recorded.
pub async fn record_file(
    backend: Arc<dyn Backend>,
    device: Option<String>,
    clean: CleanUp,
    bitrate_bps: i32,
    stop: impl Future<Output = ()>,
    mut show: impl FnMut(&RecordingState),
) -> Result<Take, ClientError> {
    let (state, mut states) = watch::channel(RecordingState::new());
    let (microphone, done) = start(backend, device, clean, Recorder::new(bitrate_bps)?, None, state)?;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            changed = states.changed() => {
                let state = states.borrow_and_update().clone();
                show(&state);
                if changed.is_err() || matches!(state.phase, RecordingPhase::Ended | RecordingPhase::Full) {
                    break;
                }
            }
        }
    }
    microphone.stop();
    let outcome = done.await.map_err(|_| ClientError::Ending)?;
    let problem = states.borrow().problem.clone();
    match (outcome, problem) {
        (Ok((take, _)), problem) if take.packets.duration().is_zero() => {
            Err(problem.map_or(NoteError::Empty.into(), ClientError::Audio))
        }
        (Ok((take, _)), _) => Ok(take),
        (Err(NoteError::Empty), Some(problem)) => Err(ClientError::Audio(problem)),
        (Err(error), _) => Err(error.into()),
    }
}
