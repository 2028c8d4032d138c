//! The devices of this computer, over cpal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{BufferSize, ErrorKind, FromSample, SampleFormat, SizedSample, StreamConfig, SupportedStreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{AudioError, Backend, Device, Direction, Input, Output, SILENT};
use crate::voice::OPUS_RATE;
use crate::voice::resample::{MAX_RATE, MIN_RATE};

/// Frames that a device is asked to work in: 10 ms at 48 kHz.
const BLOCK: u32 = 480;

/// How long the opening of a device may take.
const OPENING: Duration = Duration::from_secs(5);

/// Sound that may wait for the thread that reads it, in seconds: as long as a busy machine may keep that thread waiting.
const INPUT_SECONDS: usize = 2;

/// Sound that waits for a speaker, in milliseconds: what a pause or a jump still plays.
const OUTPUT_MS: usize = 60;

/// The devices of this computer.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Backend for System {
    fn devices(&self, direction: Direction) -> Result<Vec<Device>, AudioError> {
        let _quiet = Quiet::new();
        let host = cpal::default_host();
        let default = default_device(&host, direction).and_then(|device| device.id().ok());
        let found = match direction {
            Direction::Input => host.input_devices().map(Iterator::collect::<Vec<_>>),
            Direction::Output => host.output_devices().map(Iterator::collect::<Vec<_>>),
        };
        let found = found.map_err(|error| failed(&error, direction))?;
        let mut devices: Vec<Device> = found
            .iter()
            .filter_map(|device| {
                let id = device.id().ok()?;
                // What a speaker plays is offered as a microphone by some systems: nobody means to send that.
                if direction == Direction::Input && id.id().ends_with(".monitor") {
                    return None;
                }
                Some(Device { is_default: Some(&id) == default.as_ref(), id: id.to_string(), name: name(device) })
            })
            .collect();
        devices.sort_by(|a, b| b.is_default.cmp(&a.is_default).then_with(|| a.name.cmp(&b.name)));
        devices.dedup_by(|a, b| a.id == b.id);
        Ok(devices)
    }

    fn open_input(&self, device: Option<&str>) -> Result<Box<dyn Input>, AudioError> {
        let _quiet = Quiet::new();
        let direction = Direction::Input;
        let device = find(device, direction)?;
        let offered = device.default_input_config().map_err(|error| failed(&error, direction))?;
        let ranges = device.supported_input_configs().map_err(|error| failed(&error, direction))?;
        let offered = at_our_rate(offered, ranges);
        let rate = served(offered.sample_rate())?;
        let health = Health::default();
        let (samples, stream) = started(&offered, direction, |config| {
            let (producer, samples) = RingBuffer::new(rate as usize * INPUT_SECONDS);
            Ok((samples, input_stream(&device, config, offered.sample_format(), producer, &health)?))
        })?;
        Ok(Box::new(Microphone { name: name(&device), rate, samples, health, heard: Instant::now(), _stream: stream }))
    }

    fn open_output(&self, device: Option<&str>) -> Result<Box<dyn Output>, AudioError> {
        let _quiet = Quiet::new();
        let direction = Direction::Output;
        let device = find(device, direction)?;
        let offered = device.default_output_config().map_err(|error| failed(&error, direction))?;
        let ranges = device.supported_output_configs().map_err(|error| failed(&error, direction))?;
        let offered = at_our_rate(offered, ranges);
        let rate = served(offered.sample_rate())?;
        let capacity = rate as usize * OUTPUT_MS / 1_000;
        let health = Health::default();
        let (samples, stream) = started(&offered, direction, |config| {
            let (samples, consumer) = RingBuffer::new(capacity);
            Ok((samples, output_stream(&device, config, offered.sample_format(), consumer, &health)?))
        })?;
        let full = (0, Instant::now());
        Ok(Box::new(Speaker { name: name(&device), rate, samples, capacity, health, full, _stream: stream }))
    }
}

/// As long as it lives, and on its thread alone, what ALSA's library says of devices that are not there goes to the log: left to itself
/// it writes to the terminal.
struct Quiet {
    #[cfg(target_os = "linux")]
    said: Option<std::rc::Rc<std::cell::RefCell<alsa::Output>>>,
}

impl Quiet {
    fn new() -> Self {
        // What was said before on this thread goes with the handler that is replaced.
        #[cfg(target_os = "linux")]
        let quiet = Self { said: alsa::Output::local_error_handler().ok() };
        #[cfg(not(target_os = "linux"))]
        let quiet = Self {};
        quiet
    }
}

#[cfg(target_os = "linux")]
impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(said) = &self.said {
            said.borrow().buffer_string(|said| {
                if !said.is_empty() {
                    tracing::debug!(said = %String::from_utf8_lossy(said), "ALSA said something of devices.");
                }
            });
        }
    }
}

/// What a device's callbacks say of it, without a lock.
#[derive(Debug, Clone, Default)]
struct Health(Arc<AtomicU8>);

impl Health {
    const RUNS: u8 = 0;
    const GONE: u8 = 1;
    const DENIED: u8 = 2;
    const BROKEN: u8 = 3;

    fn tell(&self, kind: ErrorKind) {
        let state = match kind {
            // The stream goes on by itself.
            ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => return,
            ErrorKind::PermissionDenied => Self::DENIED,
            ErrorKind::BackendError | ErrorKind::Other => Self::BROKEN,
            _ => Self::GONE,
        };
        self.0.store(state, Ordering::Relaxed);
    }

    fn check(&self, direction: Direction) -> Result<(), AudioError> {
        match self.0.load(Ordering::Relaxed) {
            Self::RUNS => Ok(()),
            Self::DENIED => Err(AudioError::Denied(direction)),
            Self::BROKEN => Err(AudioError::Failed { reason: "its driver stopped".to_owned() }),
            _ => Err(AudioError::Gone),
        }
    }
}

struct Microphone {
    name: String,
    rate: u32,
    samples: Consumer<f32>,
    health: Health,
    /// When something came last.
    heard: Instant,
    _stream: cpal::Stream,
}

impl Input for Microphone {
    fn name(&self) -> &str {
        &self.name
    }

    fn rate(&self) -> u32 {
        self.rate
    }

    fn read(&mut self, samples: &mut Vec<f32>) -> Result<(), AudioError> {
        let here = self.samples.slots();
        if let Ok(chunk) = self.samples.read_chunk(here) {
            samples.extend(chunk);
        }
        if here > 0 {
            self.heard = Instant::now();
            return Ok(());
        }
        self.health.check(Direction::Input)?;
        if self.heard.elapsed() > SILENT { Err(AudioError::Gone) } else { Ok(()) }
    }
}

struct Speaker {
    name: String,
    rate: u32,
    samples: Producer<f32>,
    capacity: usize,
    health: Health,
    /// How much waited when that last changed, and when.
    full: (usize, Instant),
    _stream: cpal::Stream,
}

impl Output for Speaker {
    fn name(&self) -> &str {
        &self.name
    }

    fn rate(&self) -> u32 {
        self.rate
    }

    fn room(&self) -> usize {
        self.samples.slots()
    }

    fn waiting(&self) -> usize {
        self.capacity.saturating_sub(self.samples.slots())
    }

    fn write(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        self.health.check(Direction::Output)?;
        let count = samples.len().min(self.samples.slots());
        if let Ok(chunk) = self.samples.write_chunk_uninit(count) {
            chunk.fill_from_iter(samples.iter().copied());
        }
        let waiting = self.waiting();
        if waiting == 0 || count > 0 || waiting != self.full.0 {
            self.full = (waiting, Instant::now());
        }
        if self.full.1.elapsed() > SILENT { Err(AudioError::Gone) } else { Ok(()) }
    }
}

fn default_device(host: &cpal::Host, direction: Direction) -> Option<cpal::Device> {
    match direction {
        Direction::Input => host.default_input_device(),
        Direction::Output => host.default_output_device(),
    }
}

fn find(id: Option<&str>, direction: Direction) -> Result<cpal::Device, AudioError> {
    let host = cpal::default_host();
    let found = match id {
        None => default_device(&host, direction),
        Some(id) => id.parse().ok().and_then(|id| host.device_by_id(&id)),
    };
    found.ok_or(if id.is_some() { AudioError::Gone } else { AudioError::NoDevice(direction) })
}

fn name(device: &cpal::Device) -> String {
    device.to_string()
}

fn served(rate: u32) -> Result<u32, AudioError> {
    if (MIN_RATE..=MAX_RATE).contains(&rate) { Ok(rate) } else { Err(AudioError::Unsupported) }
}

/// What the device would choose, at 48 kHz where it can: then nothing has to be resampled here.
fn at_our_rate(
    offered: SupportedStreamConfig,
    mut ranges: impl Iterator<Item = cpal::SupportedStreamConfigRange>,
) -> SupportedStreamConfig {
    let same = |range: &cpal::SupportedStreamConfigRange| {
        range.channels() == offered.channels() && range.sample_format() == offered.sample_format()
    };
    let ours = ranges.find(|range| same(range) && range.try_with_sample_rate(OPUS_RATE).is_some());
    ours.and_then(|range| range.try_with_sample_rate(OPUS_RATE)).unwrap_or(offered)
}

/// Builds a stream with blocks of 10 ms, or, where the device refuses that, with its own, and lets it run.
fn started<T>(
    offered: &SupportedStreamConfig,
    direction: Direction,
    mut build: impl FnMut(StreamConfig) -> Result<(T, cpal::Stream), cpal::Error>,
) -> Result<(T, cpal::Stream), AudioError> {
    let mut config = offered.config();
    config.buffer_size = BufferSize::Fixed(BLOCK * config.sample_rate.div_ceil(OPUS_RATE).max(1));
    let built = build(config).or_else(|error| {
        tracing::debug!(%error, "a sound device refuses blocks of 10 ms");
        config.buffer_size = BufferSize::Default;
        build(config)
    });
    let (other, stream) = built.map_err(|error| failed(&error, direction))?;
    stream.play().map_err(|error| failed(&error, direction))?;
    Ok((other, stream))
}

fn failed(error: &cpal::Error, direction: Direction) -> AudioError {
    match error.kind() {
        ErrorKind::HostUnavailable => AudioError::NoSystem,
        ErrorKind::DeviceNotAvailable => AudioError::NoDevice(direction),
        ErrorKind::PermissionDenied => AudioError::Denied(direction),
        ErrorKind::DeviceBusy => AudioError::Busy,
        ErrorKind::StreamInvalidated => AudioError::Gone,
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => AudioError::Unsupported,
        _ => AudioError::Failed { reason: error.to_string() },
    }
}

/// Calls `$build` with the type of a format's samples; formats of audio disks and of 64 whole bits are nobody's default.
macro_rules! by_format {
    ($format:expr, $build:ident ( $($argument:expr),* )) => {
        match $format {
            SampleFormat::I8 => $build::<i8>($($argument),*),
            SampleFormat::I16 => $build::<i16>($($argument),*),
            SampleFormat::I24 => $build::<cpal::I24>($($argument),*),
            SampleFormat::I32 => $build::<i32>($($argument),*),
            SampleFormat::U8 => $build::<u8>($($argument),*),
            SampleFormat::U16 => $build::<u16>($($argument),*),
            SampleFormat::U32 => $build::<u32>($($argument),*),
            SampleFormat::F32 => $build::<f32>($($argument),*),
            SampleFormat::F64 => $build::<f64>($($argument),*),
            _ => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
        }
    };
}

fn input_stream(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    samples: Producer<f32>,
    health: &Health,
) -> Result<cpal::Stream, cpal::Error> {
    by_format!(format, input_of(device, config, samples, health))
}

fn input_of<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut samples: Producer<f32>,
    health: &Health,
) -> Result<cpal::Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels).max(1);
    let heard = move |data: &[T], _: &cpal::InputCallbackInfo| hear(data, channels, &mut samples);
    let health = health.clone();
    let failed = move |error: cpal::Error| health.tell(error.kind());
    device.build_input_stream(config, heard, failed, Some(OPENING))
}

/// What a microphone's callback does: all channels become one. A reader that is two seconds late loses what does not fit; waiting for it
/// here would lose the device.
fn hear<T: SizedSample>(data: &[T], channels: usize, samples: &mut Producer<f32>)
where
    f32: FromSample<T>,
{
    let count = (data.len() / channels).min(samples.slots());
    if let Ok(chunk) = samples.write_chunk_uninit(count) {
        let mono = data
            .chunks_exact(channels)
            .map(|frame| frame.iter().map(|sample| f32::from_sample_(*sample)).sum::<f32>() / channels as f32);
        chunk.fill_from_iter(mono);
    }
}

fn output_stream(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    samples: Consumer<f32>,
    health: &Health,
) -> Result<cpal::Stream, cpal::Error> {
    by_format!(format, output_of(device, config, samples, health))
}

fn output_of<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut samples: Consumer<f32>,
    health: &Health,
) -> Result<cpal::Stream, cpal::Error> {
    let channels = usize::from(config.channels).max(1);
    let wanted = move |data: &mut [T], _: &cpal::OutputCallbackInfo| give(data, channels, &mut samples);
    let health = health.clone();
    let failed = move |error: cpal::Error| health.tell(error.kind());
    device.build_output_stream(config, wanted, failed, Some(OPENING))
}

/// What a speaker's callback does: every channel plays the same, and silence where nothing waits.
fn give<T: SizedSample + FromSample<f32>>(data: &mut [T], channels: usize, samples: &mut Consumer<f32>) {
    for frame in data.chunks_mut(channels) {
        let sample = T::from_sample_(samples.pop().unwrap_or(0.0));
        frame.fill(sample);
    }
}

#[cfg(test)]
mod tests {
    use kith_heap::touched;

    use super::*;

    /// Frames of a block that do not fit into the rings below three times.
    const FRAMES: usize = 400;

    /// A device's callbacks run with nobody at the other end: the rings grow full and empty, and neither is waited for.
    fn runs_alone<T: SizedSample + FromSample<f32>>(channels: usize)
    where
        f32: FromSample<T>,
    {
        let (mut to_reader, mut reader) = RingBuffer::new(1_000);
        let (mut writer, mut from_writer) = RingBuffer::new(1_000);
        let said = vec![T::from_sample_(0.5); FRAMES * channels];
        let mut played = vec![T::from_sample_(0.25); FRAMES * channels];
        (0..500).for_each(|_| writer.push(0.5).unwrap());
        let health = Health::default();

        let before = touched();
        for _ in 0..3 {
            hear(&said, channels, &mut to_reader);
        }
        give(&mut played, channels, &mut from_writer);
        let heard_whole = played.iter().all(|sample| *sample == said[0]);
        for _ in 0..2 {
            give(&mut played, channels, &mut from_writer);
        }
        for kind in
            [ErrorKind::Xrun, ErrorKind::BackendError, ErrorKind::PermissionDenied, ErrorKind::StreamInvalidated]
        {
            health.tell(kind);
        }
        assert_eq!(touched(), before, "a callback with {channels} channels of {} asked the heap", T::FORMAT);

        assert!(heard_whole, "{channels} channels of {}", T::FORMAT);
        let silence = T::from_sample_(0.0);
        assert!(played.iter().all(|sample| *sample == silence), "where nothing waits it is silent");
        let heard: Vec<f32> = std::iter::from_fn(|| reader.pop().ok()).collect();
        assert_eq!(heard.len(), 1_000, "what does not fit is left out");
        assert!(heard.iter().all(|sample| (sample - 0.5).abs() < 0.01), "{heard:?}");
        assert_eq!(health.check(Direction::Input), Err(AudioError::Gone));
    }

    #[test]
    fn a_devices_callback_asks_the_heap_for_nothing_and_waits_for_nobody() {
        let before = touched();
        drop(Box::new(1));
        assert!(touched() > before, "nothing is counted");
        for channels in [1, 2, 8] {
            runs_alone::<f32>(channels);
            runs_alone::<i16>(channels);
            runs_alone::<cpal::I24>(channels);
            runs_alone::<u8>(channels);
        }
    }
}
