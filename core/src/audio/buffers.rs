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
    /// A second device is there.
    plugged: bool,
    /// What a device that is opened or used says instead of working.
    broken: Option<AudioError>,
}

impl std::fmt::Debug for Buffers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffers").field("said", &self.state().said).finish_non_exhaustive()
    }
}

impl Buffers {
    /// The id of the device that is always there, in both directions.
    pub const ID: &str = "memory";

    /// The id of a second one, in both directions, which has to be plugged in.
    pub const HEADSET: &str = "headset";

    /// A microphone that hears `said`, `block` samples at a time and then silence, and a speaker that keeps what it plays.
    #[must_use]
    pub fn new(said: Pcm, block: usize) -> Self {
        Self(Arc::new(Mutex::new(State { said, at: 0, block, played: Vec::new(), plugged: false, broken: None })))
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

    /// A second device is there, which hears and plays the same, or no longer.
    pub fn plug(&self, plugged: bool) {
        self.state().plugged = plugged;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, device: Option<&str>) -> Result<Box<Line>, AudioError> {
        let line = Line { devices: self.clone(), headset: device == Some(Self::HEADSET) };
        line.check()?;
        let known = device.is_none_or(|device| [Self::ID, Self::HEADSET].contains(&device));
        if known { Ok(Box::new(line)) } else { Err(AudioError::Gone) }
    }
}

/// One of the devices, opened.
struct Line {
    devices: Buffers,
    headset: bool,
}

impl Line {
    fn check(&self) -> Result<(), AudioError> {
        let state = self.devices.state();
        let unplugged = (self.headset && !state.plugged).then_some(AudioError::Gone);
        state.broken.clone().or(unplugged).map_or(Ok(()), Err)
    }

    fn name(&self) -> &'static str {
        if self.headset { "Headset" } else { "Memory" }
    }
}

impl Backend for Buffers {
    fn devices(&self, _direction: Direction) -> Result<Vec<Device>, AudioError> {
        let device = |id: &str, name: &str, is_default| Device { id: id.to_owned(), name: name.to_owned(), is_default };
        let headset = device(Self::HEADSET, "Headset", false);
        let state = self.state();
        let there = [Some(device(Self::ID, "Memory", true)), state.plugged.then_some(headset)];
        Ok(if state.broken.is_some() { Vec::new() } else { there.into_iter().flatten().collect() })
    }

    fn open_input(&self, device: Option<&str>) -> Result<Box<dyn Input>, AudioError> {
        Ok(self.open(device)?)
    }

    fn open_output(&self, device: Option<&str>) -> Result<Box<dyn Output>, AudioError> {
        Ok(self.open(device)?)
    }
}

impl Input for Line {
    fn name(&self) -> &str {
        Line::name(self)
    }

    fn rate(&self) -> u32 {
        self.devices.state().said.rate
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<(), AudioError> {
        self.check()?;
        let mut state = self.devices.state();
        let left = state.said.samples.get(state.at..).unwrap_or_default();
        let count = if state.block == 0 { left.len() } else { left.len().min(state.block) };
        samples.extend(left.iter().take(count));
        state.at += count;
        Ok(())
    }
}

impl Output for Line {
    fn name(&self) -> &str {
        Line::name(self)
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
        self.devices.state().played.extend_from_slice(samples);
        Ok(())
    }
}
