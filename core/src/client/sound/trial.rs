//! A microphone that is tried out: how loud it is, and a few seconds that are played back, with the clean-up and without.
//!
//! Nothing of it is written to a disk, and nothing leaves this process.
//!
//! Invariant: what is kept is the sound as the microphone gave it, at most [`LONGEST_TRIAL`] of it. What is played went through the
//! same clean-up and the same codec as a voice note does, so that it is what others would hear.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::super::{Client, ClientError};
use super::play::Playback;
use super::record::{RecordingPhase, RecordingState, level_after};
use crate::audio::{Backend, Microphone, Sound};
use crate::voice::clean::Cleaner;
use crate::voice::note::NoteError;
use crate::voice::{CleanUp, OPUS_RATE, Packets};

/// How much of a trial is kept: long enough for a sentence.
pub const LONGEST_TRIAL: Duration = Duration::from_secs(10);

/// The same in samples.
const MOST: usize = LONGEST_TRIAL.as_secs() as usize * OPUS_RATE as usize;

/// A microphone that is tried out. Dropping it lets the microphone go.
#[derive(Debug)]
pub struct Trial {
    microphone: Microphone,
    state: watch::Receiver<RecordingState>,
    done: oneshot::Receiver<Vec<f32>>,
}

/// What was said into it.
#[derive(Clone)]
pub struct TrialSound(Arc<[f32]>);

impl std::fmt::Debug for TrialSound {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("TrialSound").field(&self.duration()).finish()
    }
}

impl TrialSound {
    /// How long it is.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.0.len() as f64 / f64::from(OPUS_RATE))
    }

    /// As a voice note of it would be.
    fn packets(&self, clean: CleanUp, bitrate_bps: i32) -> Result<Packets, NoteError> {
        let mut cleaner = Cleaner::new(clean);
        let mut cleaned = Vec::with_capacity(self.0.len());
        cleaner.push(&self.0, &mut cleaned);
        cleaner.finish(&mut cleaned);
        Packets::of(&cleaned, bitrate_bps)
    }
}

/// What happens on the microphone's thread.
struct Ear {
    /// How many samples are kept.
    most: usize,
    kept: Vec<f32>,
    state: watch::Sender<RecordingState>,
    done: Option<oneshot::Sender<Vec<f32>>>,
}

impl Ear {
    fn hear(&mut self, sound: Sound<'_>) {
        match sound {
            Sound::Opened { name, stands_in } => self.state.send_modify(|state| state.opened(name, stands_in)),
            Sound::Samples(samples) => {
                let room = self.most.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(samples.get(..samples.len().min(room)).unwrap_or_default());
                let duration = Duration::from_secs_f64(self.kept.len() as f64 / f64::from(OPUS_RATE));
                let is_full = self.most > 0 && self.kept.len() >= self.most;
                self.state.send_modify(|state| {
                    state.level = level_after(state.level, samples);
                    state.duration = duration;
                    if is_full {
                        state.phase = RecordingPhase::Full;
                    }
                });
            }
            Sound::Paused => self.state.send_modify(|state| state.stopped(RecordingPhase::Paused, None)),
            Sound::Lost(error) => self.state.send_modify(|state| state.stopped(RecordingPhase::Searching, Some(error))),
            Sound::Ended(error) => {
                // Before what was said is handed over: whoever gets nothing looks here why.
                self.state.send_modify(|state| state.stopped(RecordingPhase::Ended, error));
                if let Some(done) = self.done.take() {
                    // Who wanted it may have gone.
                    let _ = done.send(std::mem::take(&mut self.kept));
                }
            }
        }
    }
}

impl Trial {
    fn start(backend: Arc<dyn Backend>, device: Option<String>, most: usize) -> Result<Self, ClientError> {
        let (done, kept) = oneshot::channel();
        let (state, states) = watch::channel(RecordingState::new());
        let mut ear = Ear { most, kept: Vec::new(), state, done: Some(done) };
        let microphone = Microphone::start(backend, device, CleanUp::NONE, move |sound| ear.hear(sound))?;
        Ok(Self { microphone, state: states, done: kept })
    }

    /// How loud it is and how much was said, and each change. [`RecordingPhase::Full`]: no more is kept.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<RecordingState> {
        self.state.clone()
    }

    /// Ends it, with what was heard until now.
    ///
    /// # Errors
    /// Why there was no microphone; [`NoteError::Empty`] if nothing was heard, or kept.
    pub async fn finish(self) -> Result<TrialSound, ClientError> {
        self.microphone.stop();
        let kept = self.done.await.map_err(|_| ClientError::Ending)?;
        if kept.is_empty() {
            let problem = self.state.borrow().problem.clone();
            return Err(problem.map_or(NoteError::Empty.into(), ClientError::Audio));
        }
        Ok(TrialSound(kept.into()))
    }
}

impl Client {
    /// Listens to the microphone that was chosen, for nothing but its level.
    ///
    /// # Errors
    /// If the system gives no thread; whether there is a microphone is told by [`Trial::state`].
    pub fn hear_microphone(&self) -> Result<Trial, ClientError> {
        Trial::start(Arc::clone(&self.inner.sound), self.sound_options().microphone, 0)
    }

    /// Records from the microphone that was chosen, to listen to it and for nothing else.
    ///
    /// # Errors
    /// As [`Client::hear_microphone`].
    pub fn try_microphone(&self) -> Result<Trial, ClientError> {
        Trial::start(Arc::clone(&self.inner.sound), self.sound_options().microphone, MOST)
    }

    /// Plays what was tried out as others would hear it with this clean-up, from a moment on.
    ///
    /// # Errors
    /// A sentence that says why it cannot be played.
    pub async fn play_trial(
        &self,
        sound: &TrialSound,
        clean: CleanUp,
        from: Duration,
    ) -> Result<Playback, ClientError> {
        let (options, sound, backend) = (self.sound_options(), sound.clone(), Arc::clone(&self.inner.sound));
        let started = tokio::task::spawn_blocking(move || {
            let packets = sound.packets(clean, options.bitrate_bps)?;
            Playback::start(backend, options.speaker, packets, from, 100)
        });
        started.await.map_err(|_| ClientError::Ending)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{AudioError, Buffers};
    use crate::voice::{Pcm, Player};

    /// A hum that lies below every voice.
    fn hum(seconds: usize) -> Pcm {
        let sound = |at: usize| (at as f32 * 30.0 * std::f32::consts::TAU / OPUS_RATE as f32).sin() * 0.5;
        Pcm { rate: OPUS_RATE, samples: (0..OPUS_RATE as usize * seconds).map(sound).collect() }
    }

    async fn until(trial: &Trial, holds: impl Fn(&RecordingState) -> bool) -> RecordingState {
        let mut states = trial.state();
        let found = tokio::time::timeout(Duration::from_secs(30), states.wait_for(|state| holds(state))).await;
        found.unwrap().unwrap().clone()
    }

    fn power(packets: Packets) -> f32 {
        let mut player = Player::new(packets).unwrap();
        let mut sound = vec![0.0; OPUS_RATE as usize];
        player.seek(Duration::from_secs(1)).unwrap();
        let count = player.read(&mut sound).unwrap();
        sound.iter().take(count).map(|sample| sample * sample).sum::<f32>() / count as f32
    }

    #[tokio::test]
    async fn what_is_tried_out_is_kept_raw_and_cleaned_for_the_ear() {
        let devices = Buffers::new(hum(30), 4_800);
        let trial = Trial::start(Arc::new(devices.clone()), None, MOST).unwrap();
        let full = until(&trial, |state| state.phase == RecordingPhase::Full).await;
        assert_eq!((full.duration, full.microphone.as_deref()), (LONGEST_TRIAL, Some("Memory")));
        assert!((0.45..0.55).contains(&full.level), "{}", full.level);
        let sound = trial.finish().await.unwrap();
        assert_eq!(sound.duration(), LONGEST_TRIAL);
        let raw = power(sound.packets(CleanUp::NONE, 24_000).unwrap());
        let clean = power(sound.packets(CleanUp { high_pass: true, ..CleanUp::NONE }, 24_000).unwrap());
        assert!(raw > 0.001 && clean < raw * 0.1, "{raw} {clean}");
    }

    #[tokio::test]
    async fn a_level_is_all_that_is_kept_of_what_is_only_listened_to() {
        let devices = Buffers::new(hum(2), 4_800);
        let trial = Trial::start(Arc::new(devices.clone()), None, 0).unwrap();
        let heard = until(&trial, |state| state.level > 0.4).await;
        assert_eq!((heard.phase, heard.duration), (RecordingPhase::Recording, Duration::ZERO));
        assert_eq!(trial.finish().await.unwrap_err(), NoteError::Empty.into());
    }

    #[tokio::test]
    async fn without_a_microphone_the_reason_is_told() {
        let devices = Buffers::new(hum(1), 0);
        devices.break_with(Some(AudioError::Busy));
        let trial = Trial::start(Arc::new(devices), None, MOST).unwrap();
        let ended = until(&trial, |state| state.phase == RecordingPhase::Ended).await;
        assert_eq!(ended.problem, Some(AudioError::Busy));
        assert_eq!(trial.finish().await.unwrap_err(), ClientError::Audio(AudioError::Busy));
    }
}
