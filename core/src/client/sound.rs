//! Sound for whoever shows a profile: devices, what was chosen of them, recordings under way, notes that play.
//!
//! Only in process: the control socket carries no sound. A command line that is attached to a running app records and plays by
//! itself and hands over a file.

mod draft;
mod options;
mod play;
mod record;

pub use draft::Draft;
pub(super) use options::Kept;
pub use options::{SPEEDS_PERCENT, SoundOptions};
pub use play::{Playback, PlaybackPhase, PlaybackState, play_file};
pub use record::{Recording, RecordingPhase, RecordingState, Take, record_file};

pub use crate::audio::{AudioError, Backend, Buffers, Device, Direction, System};
pub use crate::voice::CleanUp;

use super::{Client, ClientError};

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
}
