//! Microphones and speakers.
//!
//! Devices stand behind [`Backend`], with two implementations: [`System`] (cpal: PulseAudio and PipeWire, ALSA, Core Audio, WASAPI)
//! and [`Buffers`] (sounds in memory: bots, tests). A [`Microphone`] and a [`Speaker`] are threads of their own that move sound
//! between a device and the pure machines of [`crate::voice`].
//!
//! Does not know notes, files or messages.
//!
//! Invariants: a device's callback allocates, locks and logs nothing: it moves samples to or from a lock-free ring and sets flags.
//! A device that goes away or is not there is opened again, or the default one in its place until it is back, and whoever listens is
//! told. Sound is mono at [`OPUS_RATE`](crate::voice::OPUS_RATE) for everybody but the device.
//!
//! Source: DESIGN §8, `docs/adr/0014-sound-devices.md`.

mod buffers;
mod microphone;
mod speaker;
mod stand_in;
mod system;

pub use buffers::Buffers;
pub use microphone::{Microphone, Sound};
pub use speaker::{Progress, Speaker};
pub use system::System;

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Microphones.
    Input,
    /// Speakers and headphones.
    Output,
}

/// A device that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What names it here, also after a restart.
    pub id: String,
    /// What its maker calls it.
    pub name: String,
    /// Whether it is the one that the system would choose.
    pub is_default: bool,
}

/// Why there is no sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// No sound system runs.
    #[error("the sound system of this computer does not answer: start PulseAudio or PipeWire, or log in again")]
    NoSystem,
    /// There is no device for this direction.
    #[error("{}", match .0 {
        Direction::Input => "no microphone was found: connect one and try again",
        Direction::Output => "no speaker or headphone was found: connect one and try again",
    })]
    NoDevice(Direction),
    /// The system does not let this program at the device.
    #[error("{}", match .0 {
        Direction::Input => "Kith may not use the microphone: allow it in the system's privacy settings",
        Direction::Output => "Kith may not play sound: allow it in the system's settings",
    })]
    Denied(Direction),
    /// Another program has it to itself.
    #[error("another program is using the sound device: close it, or choose another device in the settings")]
    Busy,
    /// It was unplugged, or the system turned it off.
    #[error("the sound device was disconnected")]
    Gone,
    /// It serves no form of sound that is served here.
    #[error("the sound device offers no format that Kith can use: choose another one in the settings")]
    Unsupported,
    /// Anything else.
    #[error("the sound device failed: {reason}")]
    Failed {
        /// What the system said.
        reason: String,
    },
}

/// Where devices come from.
pub trait Backend: std::fmt::Debug + Send + Sync + 'static {
    /// The devices that are there now; the default one first.
    ///
    /// # Errors
    /// [`AudioError::NoSystem`], and [`AudioError::Failed`] if the system does not tell.
    fn devices(&self, direction: Direction) -> Result<Vec<Device>, AudioError>;

    /// Opens a microphone and lets it run: the one with this id, or the default one.
    ///
    /// # Errors
    /// [`AudioError`], for each reason why it does not run.
    fn open_input(&self, device: Option<&str>) -> Result<Box<dyn Input>, AudioError>;

    /// Opens a speaker and lets it run: the one with this id, or the default one.
    ///
    /// # Errors
    /// [`AudioError`], for each reason why it does not run.
    fn open_output(&self, device: Option<&str>) -> Result<Box<dyn Output>, AudioError>;
}

/// A microphone that runs.
pub trait Input: Send {
    /// What its maker calls it.
    fn name(&self) -> &str;

    /// Samples a second, in Hz.
    fn rate(&self) -> u32;

    /// Adds the mono samples that have come since; does not wait for any.
    ///
    /// # Errors
    /// [`AudioError`] once it does not run any more.
    fn read(&mut self, samples: &mut Vec<f32>) -> Result<(), AudioError>;
}

/// A speaker that runs. Where it is given nothing it is silent.
pub trait Output: Send {
    /// What its maker calls it.
    fn name(&self) -> &str;

    /// Samples a second, in Hz.
    fn rate(&self) -> u32;

    /// How many samples it takes now.
    fn room(&self) -> usize;

    /// How many samples it was given and has not played yet.
    fn waiting(&self) -> usize;

    /// Gives it mono samples, at most [`Output::room`]; more are dropped.
    ///
    /// # Errors
    /// [`AudioError`] once it does not run any more.
    fn write(&mut self, samples: &[f32]) -> Result<(), AudioError>;
}

/// How often a thread looks whether a device has something for it. A device's own blocks last about as long.
const LOOK: std::time::Duration = std::time::Duration::from_millis(5);

/// How long a lost device is looked for before its thread gives up.
const SEARCH: std::time::Duration = std::time::Duration::from_secs(15);

/// How long to wait between two tries to open a device again.
const RETRY: std::time::Duration = std::time::Duration::from_millis(300);

/// A device that says nothing for so long has gone without a word.
const SILENT: std::time::Duration = std::time::Duration::from_secs(3);
