//! A thread that plays a voice note.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::stand_in::{Choice, Running};
use super::{AudioError, Backend, Direction, LOOK, Output, RETRY, SEARCH};
use crate::voice::resample::Stream;
use crate::voice::{NoteError, OPUS_RATE, Player};

/// How often a listener hears where it is.
const TELL: Duration = Duration::from_millis(50);

/// How long a pause keeps the device.
const KEEP: Duration = Duration::from_secs(3);

/// What the thread tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A speaker runs.
    Opened {
        /// What its maker calls it.
        name: String,
        /// It stands in for the one that was chosen, until that one is there.
        stands_in: bool,
    },
    /// What is heard now is this far into the note.
    Playing(Duration),
    /// It stands here.
    Paused(Duration),
    /// The speaker is gone; it, or another, is looked for.
    Lost(AudioError),
    /// All of it was heard.
    Finished,
    /// It cannot go on.
    Failed(AudioError),
    /// A part of the note is damaged; it goes on behind it.
    Damaged(NoteError),
}

enum Wish {
    Pause(bool),
    Seek(Duration),
    Speed(u16),
    Device(Option<String>),
}

/// A note that is played. Dropping it stops it.
#[derive(Debug)]
pub struct Speaker {
    wishes: Sender<Wish>,
}

impl Speaker {
    /// Starts a thread that plays from where `player` stands, on the device with this id, or the default one where there is none or it
    /// does not run, and tells `listener` how it goes, on that thread. [`Progress::Finished`] and [`Progress::Failed`] end it; a note
    /// that is dropped says nothing.
    ///
    /// # Errors
    /// [`AudioError::Failed`] if the system gives no thread.
    pub fn start(
        backend: Arc<dyn Backend>,
        device: Option<String>,
        player: Player,
        mut listener: impl FnMut(Progress) + Send + 'static,
    ) -> Result<Self, AudioError> {
        let (wishes, waiting) = channel();
        let play = move || {
            let choice = Choice::new(backend, Direction::Output, device, |backend, id| backend.open_output(id));
            let mut playing = Playing { choice, player, paused: false, told: None };
            match playing.run(&waiting, &mut listener) {
                Ok(End::Played) => listener(Progress::Finished),
                Ok(End::Dropped) => {}
                Err(error) => listener(Progress::Failed(error)),
            }
        };
        let thread = thread::Builder::new().name("kith-speaker".to_owned()).spawn(play);
        thread.map_err(|error| AudioError::Failed { reason: error.to_string() })?;
        Ok(Self { wishes })
    }

    /// Stands still, or goes on.
    pub fn pause(&self, paused: bool) {
        self.wish(Wish::Pause(paused));
    }

    /// Goes on at another moment.
    pub fn seek(&self, to: Duration) {
        self.wish(Wish::Seek(to));
    }

    /// Goes on at another speed, in per cent.
    pub fn set_speed(&self, percent: u16) {
        self.wish(Wish::Speed(percent));
    }

    /// Goes on at another device, or the default one.
    pub fn set_device(&self, device: Option<String>) {
        self.wish(Wish::Device(device));
    }

    fn wish(&self, wish: Wish) {
        // A note that has ended has nobody to wish for anything.
        let _ = self.wishes.send(wish);
    }
}

enum End {
    Played,
    Dropped,
}

struct Playing {
    choice: Choice<Box<dyn Output>>,
    player: Player,
    paused: bool,
    told: Option<Instant>,
}

/// An open device and what is on the way to it.
struct Line {
    running: Running<Box<dyn Output>>,
    /// None once the last sample went through.
    converter: Option<Stream>,
    ready: Vec<f32>,
    taken: usize,
}

impl Line {
    /// Which device runs is told.
    fn new(running: Running<Box<dyn Output>>, listener: &mut dyn FnMut(Progress)) -> Result<Self, AudioError> {
        let refused = |error: crate::voice::resample::ResampleError| AudioError::Failed { reason: error.to_string() };
        let converter = Stream::new(OPUS_RATE, running.device.rate()).map_err(refused)?;
        listener(Progress::Opened { name: running.device.name().to_owned(), stands_in: running.stands_in() });
        Ok(Self { running, converter: Some(converter), ready: Vec::new(), taken: 0 })
    }

    /// How much of what the player gave is not heard yet.
    fn ahead(&self) -> Duration {
        let samples = self.ready.len().saturating_sub(self.taken) + self.running.device.waiting();
        Duration::from_secs(samples as u64) / self.running.device.rate().max(1)
    }
}

impl Playing {
    fn run(&mut self, wishes: &Receiver<Wish>, listener: &mut dyn FnMut(Progress)) -> Result<End, AudioError> {
        let mut line = Some(Line::new(self.choice.open()?, listener)?);
        let mut idle = Instant::now();
        loop {
            let wish = match wishes.recv_timeout(if self.paused { RETRY } else { LOOK }) {
                Ok(wish) => Some(wish),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(End::Dropped),
            };
            if let Some(wish) = wish {
                self.obey(wish, &mut line, listener);
            }
            if self.paused {
                if idle.elapsed() > KEEP {
                    line = None;
                }
                continue;
            }
            idle = Instant::now();
            let Some(open) = line.as_mut() else {
                line = self.open_again(wishes, listener)?;
                continue;
            };
            if let Some(returned) = self.choice.returned(&mut open.running) {
                let here = self.here(open.ahead());
                self.seek(here, listener);
                line = Some(Line::new(returned, listener)?);
                continue;
            }
            match self.feed(open, listener) {
                Ok(true) => return Ok(End::Played),
                Ok(false) => self.tell(open.ahead(), listener),
                Err(error) => {
                    tracing::warn!(%error, "a speaker was lost while it played");
                    // What it was given and did not play is played by the next one.
                    let here = self.here(open.ahead());
                    self.seek(here, listener);
                    line = None;
                    listener(Progress::Lost(error));
                }
            }
        }
    }

    fn obey(&mut self, wish: Wish, line: &mut Option<Line>, listener: &mut dyn FnMut(Progress)) {
        let mut ahead = line.as_ref().map_or(Duration::ZERO, Line::ahead);
        self.told = None;
        match wish {
            Wish::Pause(paused) => self.paused = paused,
            Wish::Seek(to) => {
                self.seek(to, listener);
                // What the device still plays is from elsewhere.
                ahead = Duration::ZERO;
                if let Some(open) = line {
                    open.ready.clear();
                    open.taken = 0;
                    open.converter = Stream::new(OPUS_RATE, open.running.device.rate()).ok();
                }
            }
            Wish::Speed(percent) => {
                if let Err(error) = self.player.set_speed(percent) {
                    listener(Progress::Damaged(error));
                }
            }
            Wish::Device(device) => {
                let here = self.here(ahead);
                self.seek(here, listener);
                self.choice.set(device);
                *line = None;
            }
        }
        if self.paused {
            listener(Progress::Paused(self.here(ahead)));
        }
    }

    /// The moment of the note that is heard, where so much of what the player gave is not heard yet.
    fn here(&self, ahead: Duration) -> Duration {
        let ahead = ahead.saturating_mul(u32::from(self.player.speed_percent())) / 100;
        self.player.position().saturating_sub(ahead)
    }

    fn seek(&mut self, to: Duration, listener: &mut dyn FnMut(Progress)) {
        if let Err(error) = self.player.seek(to) {
            listener(Progress::Damaged(error));
        }
    }

    /// Gives the device what it takes; whether all was heard.
    fn feed(&mut self, line: &mut Line, listener: &mut dyn FnMut(Progress)) -> Result<bool, AudioError> {
        let mut part = [0.0; 480];
        while line.ready.len().saturating_sub(line.taken) < line.running.device.room() && !self.player.is_finished() {
            let count = self.player.read(&mut part).unwrap_or_else(|error| {
                listener(Progress::Damaged(error));
                0
            });
            if line.taken > 0 {
                line.ready.drain(..line.taken);
                line.taken = 0;
            }
            let refused =
                |error: crate::voice::resample::ResampleError| AudioError::Failed { reason: error.to_string() };
            if let Some(converter) = line.converter.as_mut() {
                converter.push(part.get(..count).unwrap_or_default(), &mut line.ready).map_err(refused)?;
            }
            if self.player.is_finished()
                && let Some(converter) = line.converter.take()
            {
                converter.finish(&mut line.ready).map_err(refused)?;
            }
        }
        let ready = line.ready.get(line.taken..).unwrap_or_default();
        let now = ready.get(..line.running.device.room().min(ready.len())).unwrap_or_default();
        line.running.device.write(now)?;
        line.taken += now.len();
        Ok(self.player.is_finished() && line.taken == line.ready.len() && line.running.device.waiting() == 0)
    }

    fn tell(&mut self, ahead: Duration, listener: &mut dyn FnMut(Progress)) {
        if self.told.is_none_or(|told| told.elapsed() >= TELL) {
            self.told = Some(Instant::now());
            listener(Progress::Playing(self.here(ahead)));
        }
    }

    /// The device that was chosen, or the default one in its place; nothing if there is another wish first.
    fn open_again(
        &mut self,
        wishes: &Receiver<Wish>,
        listener: &mut dyn FnMut(Progress),
    ) -> Result<Option<Line>, AudioError> {
        let begun = Instant::now();
        loop {
            match self.choice.open() {
                Ok(output) => return Line::new(output, listener).map(Some),
                Err(error) if begun.elapsed() > SEARCH => return Err(error),
                Err(_) => thread::sleep(RETRY),
            }
            match wishes.try_recv() {
                Ok(wish) => {
                    self.obey(wish, &mut None, &mut |_| ());
                    return Ok(None);
                }
                Err(std::sync::mpsc::TryRecvError::Disconnected) => return Ok(None),
                Err(std::sync::mpsc::TryRecvError::Empty) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::Buffers;
    use super::*;
    use crate::voice::{Packets, Pcm};

    fn note(seconds: usize) -> Packets {
        let sound: Vec<f32> = (0..48_000 * seconds).map(|n| (n as f32 / 40.0).sin() * 0.4).collect();
        Packets::of(&sound, 24_000).unwrap()
    }

    fn devices() -> Buffers {
        Buffers::new(Pcm { rate: OPUS_RATE, samples: Vec::new() }, 0)
    }

    fn play(devices: &Buffers, packets: Packets) -> (Speaker, Receiver<Progress>) {
        play_at(devices, None, packets)
    }

    fn play_at(devices: &Buffers, chosen: Option<&str>, packets: Packets) -> (Speaker, Receiver<Progress>) {
        let (told, events) = mpsc::channel();
        let player = Player::new(packets).unwrap();
        let (backend, chosen) = (Arc::new(devices.clone()), chosen.map(str::to_owned));
        let speaker = Speaker::start(backend, chosen, player, move |progress| {
            let _ = told.send(progress);
        });
        (speaker.unwrap(), events)
    }

    fn until(events: &Receiver<Progress>, wanted: impl Fn(&Progress) -> bool) -> Progress {
        std::iter::repeat_with(|| events.recv_timeout(Duration::from_secs(30)).unwrap()).find(wanted).unwrap()
    }

    #[test]
    fn a_note_is_played_to_its_last_sample() {
        let (devices, packets) = (devices(), note(2));
        let mut expected = vec![0.0; 96_000];
        Player::new(packets.clone()).unwrap().read(&mut expected).unwrap();
        let (_speaker, events) = play(&devices, packets);
        until(&events, |progress| *progress == Progress::Finished);
        assert_eq!(devices.played().get(..96_000), Some(expected.as_slice()));
    }

    #[test]
    fn a_pause_stands_where_it_was_heard_and_goes_on_there() {
        let devices = devices();
        let (speaker, events) = play(&devices, note(30));
        until(&events, |progress| matches!(progress, Progress::Playing(_)));
        speaker.pause(true);
        let Progress::Paused(here) = until(&events, |progress| matches!(progress, Progress::Paused(_))) else { return };
        let played = devices.played().len() as u64;
        assert!(
            here.abs_diff(Duration::from_secs(played) / OPUS_RATE) < Duration::from_millis(30),
            "{here:?} {played}"
        );
        speaker.seek(Duration::from_secs(29));
        assert_eq!(until(&events, |p| matches!(p, Progress::Paused(_))), Progress::Paused(Duration::from_secs(29)));
        speaker.set_speed(200);
        speaker.pause(false);
        until(&events, |progress| *progress == Progress::Finished);
        let rest = devices.played().len() as u64 - played;
        assert!(rest.abs_diff(24_000) < 4_800, "{rest}");
    }

    /// A speaker that keeps to itself what it is given.
    #[derive(Debug, Default)]
    struct Slow(usize);

    impl Backend for Slow {
        fn devices(&self, _: Direction) -> Result<Vec<super::super::Device>, AudioError> {
            Ok(Vec::new())
        }

        fn open_input(&self, _: Option<&str>) -> Result<Box<dyn super::super::Input>, AudioError> {
            Err(AudioError::Gone)
        }

        fn open_output(&self, _: Option<&str>) -> Result<Box<dyn Output>, AudioError> {
            Ok(Box::new(Self::default()))
        }
    }

    impl Output for Slow {
        fn name(&self) -> &str {
            "Slow"
        }

        fn rate(&self) -> u32 {
            OPUS_RATE
        }

        fn room(&self) -> usize {
            4_800_usize.saturating_sub(self.0)
        }

        fn waiting(&self) -> usize {
            self.0
        }

        fn write(&mut self, samples: &[f32]) -> Result<(), AudioError> {
            self.0 += samples.len();
            Ok(())
        }
    }

    #[test]
    fn what_waits_in_a_speaker_was_not_heard_at_any_speed_and_is_not_of_where_it_was_sent_to() {
        let (told, events) = mpsc::channel();
        let mut player = Player::new(note(30)).unwrap();
        player.set_speed(200).unwrap();
        player.seek(Duration::from_secs(10)).unwrap();
        let speaker = Speaker::start(Arc::new(Slow::default()), None, player, move |progress| {
            let _ = told.send(progress);
        });
        let speaker = speaker.unwrap();
        // All that was given waits: what is heard is still the beginning.
        let nearly = |place: &Duration, at: u64| place.abs_diff(Duration::from_secs(at)) < Duration::from_millis(70);
        for _ in 0..5 {
            let now = until(&events, |progress| matches!(progress, Progress::Playing(_)));
            assert!(matches!(&now, Progress::Playing(place) if nearly(place, 10)), "{now:?}");
        }
        speaker.pause(true);
        until(&events, |progress| matches!(progress, Progress::Paused(_)));
        speaker.seek(Duration::from_secs(29));
        assert_eq!(until(&events, |p| matches!(p, Progress::Paused(_))), Progress::Paused(Duration::from_secs(29)));
    }

    #[test]
    fn a_lost_speaker_goes_on_where_it_stopped() {
        let (devices, packets) = (devices(), note(20));
        let mut expected = vec![0.0; 960_000];
        Player::new(packets.clone()).unwrap().read(&mut expected).unwrap();
        let (_speaker, events) = play(&devices, packets);
        until(&events, |progress| matches!(progress, Progress::Playing(_)));
        devices.break_with(Some(AudioError::Gone));
        assert_eq!(until(&events, |p| matches!(p, Progress::Lost(_))), Progress::Lost(AudioError::Gone));
        devices.break_with(None);
        until(&events, |progress| *progress == Progress::Finished);
        assert!(devices.played().len().abs_diff(960_000) < 1_000);
    }

    #[test]
    fn another_speaker_stands_in_until_the_chosen_one_is_there() {
        let (devices, packets) = (devices(), note(300));
        let (speaker, events) = play_at(&devices, Some(Buffers::HEADSET), packets);
        let opened = |name: &str, stands_in| Progress::Opened { name: name.into(), stands_in };
        assert_eq!(until(&events, |_| true), opened("Memory", true));
        until(&events, |progress| matches!(progress, Progress::Playing(_)));
        // It plays as fast as it takes, and has to last until it is looked whether the other one is there.
        speaker.pause(true);
        until(&events, |progress| matches!(progress, Progress::Paused(_)));
        devices.plug(true);
        std::thread::sleep(Duration::from_millis(1_200));
        let before = devices.played().len();
        speaker.pause(false);
        assert_eq!(until(&events, |p| matches!(p, Progress::Opened { .. })), opened("Headset", false));
        let Progress::Playing(here) = until(&events, |p| matches!(p, Progress::Playing(_))) else { return };
        assert!(here >= Duration::from_secs(before as u64) / OPUS_RATE, "it goes on where it was: {here:?}");
        // A speaker that is chosen meanwhile and is not there has one in its place, too.
        devices.plug(false);
        assert_eq!(until(&events, |p| matches!(p, Progress::Lost(_))), Progress::Lost(AudioError::Gone));
        assert_eq!(until(&events, |p| matches!(p, Progress::Opened { .. })), opened("Memory", true));
    }

    #[test]
    fn without_a_speaker_the_reason_is_told() {
        let devices = devices();
        devices.break_with(Some(AudioError::Busy));
        let (_speaker, events) = play(&devices, note(1));
        assert_eq!(until(&events, |_| true), Progress::Failed(AudioError::Busy));
    }
}
