//! What the settings ask of a profile's sound, which is no request: it stays in this process.

use std::time::Duration;

use kith_core::client::Client;
use kith_core::client::sound::{CleanUp, Device, Direction, Playback, SoundOptions, Trial, TrialSound};

use super::Backend;
use super::live::Once;
use crate::problem::Problem;

impl Backend {
    fn sounding(&self) -> Result<Client, Problem> {
        self.client().ok_or_else(|| Problem::new("ending", "this program is ending"))
    }

    /// What was chosen of sound.
    pub(crate) async fn sound_options(self) -> Result<SoundOptions, Problem> {
        Ok(self.sounding()?.sound_options())
    }

    /// Chooses anew.
    pub(crate) async fn change_sound(
        self,
        change: impl FnOnce(&mut SoundOptions) + Send + 'static,
    ) -> Result<SoundOptions, Problem> {
        Ok(self.sounding()?.change_sound_options(change).await?)
    }

    /// The microphones or speakers that are there now.
    pub(crate) async fn sound_devices(self, direction: Direction) -> Result<Vec<Device>, Problem> {
        Ok(self.sounding()?.sound_devices(direction).await?)
    }

    /// Tries the microphone out: for its level, or to play back what was said.
    pub(crate) async fn try_microphone(self, keeps: bool) -> Result<Once<Trial>, Problem> {
        let client = self.sounding()?;
        let trial = if keeps { client.try_microphone() } else { client.hear_microphone() };
        Ok(Once::new(trial?))
    }

    /// Plays what was said.
    pub(crate) async fn play_trial(
        self,
        sound: TrialSound,
        clean: CleanUp,
        from: Duration,
    ) -> Result<Once<Playback>, Problem> {
        Ok(Once::new(self.sounding()?.play_trial(&sound, clean, from).await?))
    }
}
