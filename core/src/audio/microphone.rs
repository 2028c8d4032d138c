//! A thread that listens to a microphone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::stand_in::{Choice, Running};
use super::{AudioError, Backend, Direction, Input, LOOK, RETRY, SEARCH};
use crate::voice::OPUS_RATE;
use crate::voice::clean::{CleanUp, Cleaner};
use crate::voice::resample::Stream;

/// What the thread tells.
#[derive(Debug, PartialEq)]
pub enum Sound<'a> {
    /// A microphone runs.
    Opened {
        /// What its maker calls it.
        name: &'a str,
        /// It stands in for the one that was chosen, until that one is there.
        stands_in: bool,
    },
    /// Mono samples at 48 kHz, cleaned.
    Samples(&'a [f32]),
    /// It stands still, and the microphone was let go of.
    Paused,
    /// The microphone is gone; it, or another, is looked for.
    Lost(AudioError),
    /// Nothing more comes: it was stopped, or there is no microphone.
    Ended(Option<AudioError>),
}

const RUN: u8 = 0;
const PAUSE: u8 = 1;
const STOP: u8 = 2;

/// A microphone that is listened to. Dropping it stops it.
#[derive(Debug)]
pub struct Microphone {
    wish: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

impl Microphone {
    /// Starts a thread that opens a microphone, the one with this id, or the default one where there is none or it does not run, and tells
    /// `listener` what it hears, on that thread. [`Sound::Ended`] comes last and once.
    ///
    /// # Errors
    /// [`AudioError::Failed`] if the system gives no thread.
    pub fn start(
        backend: Arc<dyn Backend>,
        device: Option<String>,
        clean: CleanUp,
        mut listener: impl FnMut(Sound<'_>) + Send + 'static,
    ) -> Result<Self, AudioError> {
        let wish = Arc::new(AtomicU8::new(RUN));
        let wanted = Arc::clone(&wish);
        let listen = move || {
            let choice = Choice::new(backend, Direction::Input, device, |backend, id| backend.open_input(id));
            let mut listening = Listening { choice, wish: wanted, cleaner: Cleaner::new(clean) };
            let outcome = listening.run(&mut listener);
            listener(Sound::Ended(outcome.err()));
        };
        let thread = thread::Builder::new().name("kith-microphone".to_owned()).spawn(listen);
        let thread = thread.map_err(|error| AudioError::Failed { reason: error.to_string() })?;
        Ok(Self { wish, thread: Some(thread) })
    }

    /// Hears nothing for a while; the device is let go.
    pub fn pause(&self) {
        self.wish.store(PAUSE, Ordering::Relaxed);
        self.wake();
    }

    /// Hears again.
    pub fn resume(&self) {
        self.wish.store(RUN, Ordering::Relaxed);
        self.wake();
    }

    /// Stops after what was heard until now; [`Sound::Ended`] follows. Does not wait for it.
    pub fn stop(&self) {
        self.wish.store(STOP, Ordering::Relaxed);
        self.wake();
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        // The thread ends by itself; a sound system that hangs must not hang whoever lets go of it.
        self.stop();
    }
}

struct Listening {
    choice: Choice<Box<dyn Input>>,
    wish: Arc<AtomicU8>,
    cleaner: Cleaner,
}

type RunningInput = Running<Box<dyn Input>>;

impl Listening {
    fn wish(&self) -> u8 {
        self.wish.load(Ordering::Relaxed)
    }

    fn run(&mut self, listener: &mut dyn FnMut(Sound<'_>)) -> Result<(), AudioError> {
        let mut input = Some(self.choice.open()?);
        let mut paused = false;
        loop {
            let Some(running) = input.as_mut() else {
                match self.wish() {
                    STOP => return Ok(()),
                    PAUSE if paused => thread::park_timeout(RETRY),
                    PAUSE => {
                        paused = true;
                        listener(Sound::Paused);
                    }
                    _ => input = self.open_again()?,
                }
                continue;
            };
            paused = false;
            listener(Sound::Opened { name: running.device.name(), stands_in: running.stands_in() });
            input = self.listen(running, listener).unwrap_or_else(|error| {
                tracing::warn!(%error, "a microphone was lost while it was listened to");
                listener(Sound::Lost(error));
                None
            });
        }
    }

    /// Until it is told otherwise, the device is lost, or the one that it stands in for is there: then with that one.
    fn listen(
        &mut self,
        running: &mut RunningInput,
        listener: &mut dyn FnMut(Sound<'_>),
    ) -> Result<Option<RunningInput>, AudioError> {
        let refused = |error: crate::voice::resample::ResampleError| AudioError::Failed { reason: error.to_string() };
        let mut converter = Stream::new(running.device.rate(), OPUS_RATE).map_err(refused)?;
        let (mut raw, mut ours, mut clean) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            // Looked at before the device is read: what came until then is still heard.
            let (returned, wish) = (self.choice.returned(running), self.wish());
            raw.clear();
            ours.clear();
            clean.clear();
            let alive = running.device.read(&mut raw);
            converter.push(&raw, &mut ours).map_err(refused)?;
            if wish != RUN || returned.is_some() || alive.is_err() {
                // What waits for more of it was said, too.
                converter.finish(&mut ours).map_err(refused)?;
                self.cleaner.push(&ours, &mut clean);
                self.cleaner.finish(&mut clean);
                tell(&clean, listener);
                return alive.map(|()| returned.filter(|_| wish == RUN));
            }
            self.cleaner.push(&ours, &mut clean);
            tell(&clean, listener);
            if raw.is_empty() {
                thread::park_timeout(LOOK);
            }
        }
    }

    /// The device that was chosen, or the default one in its place; nothing if the wish changed meanwhile.
    fn open_again(&self) -> Result<Option<RunningInput>, AudioError> {
        let begun = Instant::now();
        loop {
            match self.choice.open() {
                Ok(input) => return Ok(Some(input)),
                Err(error) if begun.elapsed() > SEARCH => return Err(error),
                Err(_) => thread::park_timeout(RETRY),
            }
            if self.wish() != RUN {
                return Ok(None);
            }
        }
    }
}

fn tell(samples: &[f32], listener: &mut dyn FnMut(Sound<'_>)) {
    if !samples.is_empty() {
        listener(Sound::Samples(samples));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::super::Buffers;
    use super::*;
    use crate::voice::Pcm;

    #[derive(Debug, PartialEq)]
    enum Told {
        Opened,
        StandsIn,
        Samples(Vec<f32>),
        Paused,
        Lost(AudioError),
        Ended(Option<AudioError>),
    }

    fn listen(devices: &Buffers) -> (Microphone, Receiver<Told>) {
        listen_to(devices, None)
    }

    fn listen_to(devices: &Buffers, chosen: Option<&str>) -> (Microphone, Receiver<Told>) {
        let (told, events) = channel();
        let (backend, chosen) = (Arc::new(devices.clone()), chosen.map(str::to_owned));
        let microphone = Microphone::start(backend, chosen, CleanUp::NONE, move |sound| {
            let _ = told.send(match sound {
                Sound::Opened { name, stands_in: true } => {
                    assert_eq!(name, "Memory");
                    Told::StandsIn
                }
                Sound::Opened { .. } => Told::Opened,
                Sound::Samples(samples) => Told::Samples(samples.to_vec()),
                Sound::Paused => Told::Paused,
                Sound::Lost(error) => Told::Lost(error),
                Sound::Ended(error) => Told::Ended(error),
            });
        });
        (microphone.unwrap(), events)
    }

    fn next(events: &Receiver<Told>) -> Told {
        events.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    fn ramp(samples: usize) -> Pcm {
        Pcm { rate: OPUS_RATE, samples: (0..samples).map(|n| n as f32 / samples as f32).collect() }
    }

    #[test]
    fn everything_said_before_the_stop_is_heard() {
        let devices = Buffers::new(ramp(10_000), 480);
        let (microphone, events) = listen(&devices);
        assert_eq!(next(&events), Told::Opened);
        let mut heard = Vec::new();
        while heard.len() < 10_000 {
            let Told::Samples(samples) = next(&events) else { panic!("sound was expected") };
            heard.extend(samples);
        }
        assert_eq!(heard, ramp(10_000).samples);
        microphone.stop();
        assert_eq!(next(&events), Told::Ended(None));
        assert!(events.recv().is_err(), "the end comes last");
    }

    #[test]
    fn what_was_said_last_is_heard_at_any_rate() {
        for rate in [16_000, 44_100, 48_000] {
            let devices = Buffers::new(Pcm { rate, samples: vec![0.5; rate as usize] }, rate as usize / 100);
            let (microphone, events) = listen(&devices);
            while !devices.all_heard() {
                thread::sleep(Duration::from_millis(1));
            }
            microphone.stop();
            assert_eq!(next(&events), Told::Opened);
            let parts = std::iter::from_fn(|| match next(&events) {
                Told::Samples(samples) => Some(samples.len()),
                _ => None,
            });
            let heard: usize = parts.sum();
            assert!(heard.abs_diff(48_000) <= 1, "{heard} samples of a second at {rate} Hz");
        }
    }

    #[test]
    fn a_lost_microphone_is_told_and_opened_again() {
        let devices = Buffers::new(ramp(48_000_000), 4_800);
        let (microphone, events) = listen(&devices);
        assert_eq!(next(&events), Told::Opened);
        devices.break_with(Some(AudioError::Gone));
        let lost = std::iter::repeat_with(|| next(&events)).find(|told| !matches!(told, Told::Samples(_)));
        assert_eq!(lost, Some(Told::Lost(AudioError::Gone)));
        devices.break_with(None);
        assert_eq!(next(&events), Told::Opened);
        assert!(matches!(next(&events), Told::Samples(_)));
        microphone.stop();
    }

    #[test]
    fn another_microphone_stands_in_until_the_chosen_one_is_there() {
        // So little at a time that it lasts until it is looked whether the other one is there.
        let value = |n: usize| (n % 997) as f32 / 997.0;
        let sound = Pcm { rate: OPUS_RATE, samples: (0..20_000_000).map(value).collect() };
        let devices = Buffers::new(sound, 1);
        let (microphone, events) = listen_to(&devices, Some(Buffers::HEADSET));
        assert_eq!(next(&events), Told::StandsIn);
        devices.plug(true);
        let mut heard = 0;
        let other = loop {
            match next(&events) {
                Told::Samples(samples) => heard += samples.len(),
                other => break other,
            }
        };
        assert_eq!(other, Told::Opened, "it goes on with the chosen one, and nothing is said to be lost");
        // Nothing between the two is left out: the next sample is the one after the last.
        let Told::Samples(samples) = next(&events) else { panic!("sound was expected") };
        assert!((samples[0] - value(heard)).abs() < 1e-5, "{} {}", samples[0], value(heard));
        // Pulled out, the other one stands in again.
        devices.plug(false);
        let lost = std::iter::repeat_with(|| next(&events)).find(|told| !matches!(told, Told::Samples(_)));
        assert_eq!(lost, Some(Told::Lost(AudioError::Gone)));
        assert_eq!(next(&events), Told::StandsIn);
        microphone.stop();
    }

    #[test]
    fn without_any_microphone_it_is_told_why_the_chosen_one_does_not_run() {
        let devices = Buffers::new(ramp(1), 0);
        devices.break_with(Some(AudioError::Busy));
        let (_microphone, events) = listen_to(&devices, Some(Buffers::HEADSET));
        assert_eq!(next(&events), Told::Ended(Some(AudioError::Busy)));
    }

    #[test]
    fn a_microphone_that_comes_back_at_another_rate_is_heard_at_the_right_pitch() {
        let tone = |rate: u32| Pcm {
            rate,
            samples: (0..rate).map(|n| (n as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin()).collect(),
        };
        let devices = Buffers::new(tone(48_000), 480);
        let (microphone, events) = listen(&devices);
        for rate in [48_000, 16_000, 44_100] {
            assert_eq!(next(&events), Told::Opened);
            let mut heard = Vec::new();
            // Not all of it: what is said last may wait in the converter for more.
            while heard.len() < 40_000 {
                let Told::Samples(samples) = next(&events) else { panic!("sound was expected") };
                heard.extend(samples);
            }
            // A second of 440 Hz rises through zero 440 times, whatever the microphone's rate.
            let rises = heard.windows(2).filter(|pair| pair[0] <= 0.0 && pair[1] > 0.0).count();
            assert!(rises.abs_diff(heard.len() * 440 / 48_000) <= 4, "{rate}: {rises} in {}", heard.len());
            let next_rate = if rate == 48_000 { 16_000 } else { 44_100 };
            devices.break_with(Some(AudioError::Gone));
            let lost = std::iter::repeat_with(|| next(&events)).find(|told| !matches!(told, Told::Samples(_)));
            assert_eq!(lost, Some(Told::Lost(AudioError::Gone)));
            devices.say(tone(next_rate));
            devices.break_with(None);
        }
        microphone.stop();
    }

    #[test]
    fn a_pause_hears_nothing_and_lets_the_device_go() {
        let devices = Buffers::new(ramp(48_000_000), 4_800);
        let (microphone, events) = listen(&devices);
        microphone.pause();
        // Whatever was under way comes first; then nothing, until it goes on with a device that is opened anew.
        let before = |told: &Told| matches!(told, Told::Opened | Told::Samples(_));
        let paused = std::iter::repeat_with(|| next(&events)).find(|told| !before(told));
        assert_eq!(paused, Some(Told::Paused));
        assert!(events.recv_timeout(Duration::from_millis(500)).is_err());
        microphone.resume();
        assert_eq!(next(&events), Told::Opened);
        assert!(matches!(next(&events), Told::Samples(_)));
        microphone.stop();
    }

    #[test]
    fn without_a_microphone_the_reason_is_told_at_once() {
        let devices = Buffers::new(ramp(1), 0);
        devices.break_with(Some(AudioError::NoDevice(super::super::Direction::Input)));
        let (_microphone, events) = listen(&devices);
        assert_eq!(next(&events), Told::Ended(Some(AudioError::NoDevice(super::super::Direction::Input))));
    }
}
