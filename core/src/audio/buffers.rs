//! Sounds in memory in the place of devices: for bots, which have neither ears nor a mouth, and for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{AudioError, Backend, Device, Direction, Input, Output};
use crate::voice::Pcm;

/// Devices that are sounds in memory. Clones are the same devices.
#[derive(Clone)]
pub struct Buffers(Arc<Mutex<State>>);

struct State {
    /// What the microphone will hear.
    said: Pcm,
    /// How much of it was heard.
    at: usize,
    /// How much is heard at a time; everything that is left where it is zero.
    block: usize,
    /// What the speaker played, at 48 kHz.
    played: Vec<f32>,
    /// What a device that is opened or used says instead of working.
    broken: Option<AudioError>,
}

impl std::fmt::Debug for Buffers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffers").field("said", &self.state().said).finish_non_exhaustive()
    }
}

impl Buffers {
    /// The one device's id, in both directions.
    pub const ID: &str = "memory";

    /// A microphone that hears `said`, `block` samples at a time and then silence, and a speaker that keeps what it plays.
    #[must_use]
    pub fn new(said: Pcm, block: usize) -> Self {
        Self(Arc::new(Mutex::new(State { said, at: 0, block, played: Vec::new(), broken: None })))
    }

    /// The microphone hears this from its next opening on, perhaps at another rate.
    pub fn say(&self, said: Pcm) {
        let mut state = self.state();
        (state.said, state.at) = (said, 0);
    }

    /// Whether the microphone has heard everything.
    #[must_use]
    pub fn all_heard(&self) -> bool {
        let state = self.state();
        state.at >= state.said.samples.len()
    }

    /// What the speaker has played, at 48 kHz.
    #[must_use]
    pub fn played(&self) -> Vec<f32> {
        self.state().played.clone()
    }

    /// Lets both devices fail like this, or work again.
    pub fn break_with(&self, error: Option<AudioError>) {
        self.state().broken = error;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), AudioError> {
        self.state().broken.clone().map_or(Ok(()), Err)
    }

    fn open(&self, device: Option<&str>) -> Result<Box<Self>, AudioError> {
        self.check()?;
        if device.is_none_or(|device| device == Self::ID) { Ok(Box::new(self.clone())) } else { Err(AudioError::Gone) }
    }
}

impl Backend for Buffers {
    fn devices(&self, _direction: Direction) -> Result<Vec<Device>, AudioError> {
        let device = Device { id: Self::ID.to_owned(), name: "Memory".to_owned(), is_default: true };
        Ok(if self.state().broken.is_some() { Vec::new() } else { vec![device] })
    }

    fn open_input(&self, device: Option<&str>) -> Result<Box<dyn Input>, AudioError> {
        Ok(self.open(device)?)
    }

    fn open_output(&self, device: Option<&str>) -> Result<Box<dyn Output>, AudioError> {
        Ok(self.open(device)?)
    }
}

impl Input for Buffers {
    fn name(&self) -> &str {
        "Memory"
    }

    fn rate(&self) -> u32 {
        self.state().said.rate
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<(), AudioError> {
        self.check()?;
        let mut state = self.state();
        let left = state.said.samples.get(state.at..).unwrap_or_default();
        let count = if state.block == 0 { left.len() } else { left.len().min(state.block) };
        samples.extend(left.iter().take(count));
        state.at += count;
        Ok(())
    }
}

impl Output for Buffers {
    fn name(&self) -> &str {
        "Memory"
    }

    fn rate(&self) -> u32 {
        crate::voice::OPUS_RATE
    }

    fn room(&self) -> usize {
        crate::voice::OPUS_RATE as usize / 50
    }

    fn waiting(&self) -> usize {
        0
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        self.check()?;
        self.state().played.extend_from_slice(samples);
        Ok(())
    }
}
