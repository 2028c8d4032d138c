//! Sound for whoever shows a profile: devices, what was chosen of them, recordings under way, notes that play.
//!
//! Only in process: the control socket carries no sound. A command line that is attached to a running app records and plays by
//! itself and hands over a file.

mod draft;
mod options;
mod play;
mod record;
mod sign;
mod trial;

pub use draft::Draft;
pub(super) use options::Kept;
pub use options::{SPEEDS_PERCENT, SoundOptions};
pub use play::{Playback, PlaybackPhase, PlaybackState, play_file};
pub use record::{Recording, RecordingPhase, RecordingState, Take, record_file};
pub use trial::{LONGEST_TRIAL, Trial, TrialSound};

pub use crate::audio::{AudioError, Backend, Buffers, Device, Direction, System};
pub use crate::voice::CleanUp;
pub use crate::voice::recorder::{BITRATES_BPS, DEFAULT_BITRATE_BPS};

use super::{Client, ClientError};
use crate::wire::control::{Code, Said};

/// What a person is told when a device stands in for the one that they chose.
fn stand_in(direction: Direction, name: &str) -> Box<Said> {
    let (code, which) = match direction {
        Direction::Input => (Code::MicrophoneAway, "microphone"),
        Direction::Output => (Code::SpeakerAway, "speaker"),
    };
    let words = format!("the {which} that you chose is not there: {name} is used until it is");
    Said::new(code, words).of(name).into()
}

impl Client {
    /// The microphones or speakers that are there now, the default one first. Asks the system, which may take a moment.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub async fn sound_devices(&self, direction: Direction) -> Result<Vec<Device>, ClientError> {
        let backend = self.inner.sound.clone();
        let found = tokio::task::spawn_blocking(move || backend.devices(direction)).await;
        Ok(found.map_err(|_| ClientError::Ending)??)
    }

    /// What was chosen of sound.
    #[must_use]
    pub fn sound_options(&self) -> SoundOptions {
        self.inner.sound_options.get()
    }

    /// Chooses, durably. It counts for what begins from then on.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn set_sound_options(&self, options: SoundOptions) -> Result<(), ClientError> {
        self.inner.sound_options.set(options)
    }

    /// Changes what was chosen, durably, and says what counts then. Writes to the disk where that may take its time.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn change_sound_options(
        &self,
        change: impl FnOnce(&mut SoundOptions) + Send + 'static,
    ) -> Result<SoundOptions, ClientError> {
        let client = self.clone();
        let changed = tokio::task::spawn_blocking(move || client.inner.sound_options.change(change));
        changed.await.map_err(|_| ClientError::Ending)?
    }
}
