//! What a person chose of sound.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::super::ClientError;
use crate::store;
use crate::voice::CleanUp;
use crate::voice::recorder::{BITRATES_BPS, DEFAULT_BITRATE_BPS};

pub use crate::voice::tempo::SPEEDS_PERCENT;

/// The file in a profile's directory, beside the store.
const FILE: &str = "sound.json";

/// The longest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// What was chosen of sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoundOptions {
    /// The microphone's id; none for the default one.
    pub microphone: Option<String>,
    /// The speaker's id; none for the default one.
    pub speaker: Option<String>,
    /// Take out what lies below the voice.
    pub high_pass: bool,
    /// Take out steady noise.
    pub noise: bool,
    /// Even out the loudness.
    pub gain: bool,
    /// Bits a second of recordings.
    pub bitrate_bps: i32,
    /// The speed at which notes play, in per cent.
    pub speed_percent: u16,
    /// When a note ends, the next one that was not heard begins.
    pub play_next: bool,
}

impl Default for SoundOptions {
    fn default() -> Self {
        Self {
            microphone: None,
            speaker: None,
            high_pass: true,
            noise: true,
            gain: true,
            bitrate_bps: DEFAULT_BITRATE_BPS,
            speed_percent: 100,
            play_next: true,
        }
    }
}

impl SoundOptions {
    /// How recordings are cleaned.
    #[must_use]
    pub fn clean_up(&self) -> CleanUp {
        CleanUp { high_pass: self.high_pass, noise: self.noise, gain: self.gain }
    }

    /// The same with numbers that are offered.
    fn sane(mut self) -> Self {
        self.bitrate_bps = self.bitrate_bps.clamp(*BITRATES_BPS.start(), *BITRATES_BPS.end());
        if !SPEEDS_PERCENT.contains(&self.speed_percent) {
            self.speed_percent = 100;
        }
        self
    }
}

/// The choice of a profile.
///
/// Invariant: `now` is held for a moment only, never while the disk is written: a window reads it between two frames.
#[derive(Debug)]
pub(in crate::client) struct Kept {
    path: PathBuf,
    now: Mutex<SoundOptions>,
    /// Held by whoever changes: one change after the other, so that none undoes another.
    changing: Mutex<()>,
}

impl Kept {
    /// What was chosen; the usual where nothing was, or where it cannot be read.
    pub(in crate::client) fn load(directory: &Path) -> Self {
        let path = directory.join(FILE);
        let small = std::fs::metadata(&path).is_ok_and(|found| found.len() <= MAX_BYTES);
        let read = || serde_json::from_slice::<SoundOptions>(&std::fs::read(&path).ok()?).ok();
        let now = if small { read() } else { None };
        Self { now: Mutex::new(now.unwrap_or_default().sane()), changing: Mutex::default(), path }
    }

    pub(super) fn get(&self) -> SoundOptions {
        self.now().clone()
    }

    pub(super) fn set(&self, options: SoundOptions) -> Result<(), ClientError> {
        self.change(|now| *now = options).map(drop)
    }

    fn now(&self) -> MutexGuard<'_, SoundOptions> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts once it is on the disk.
    pub(super) fn change(&self, change: impl FnOnce(&mut SoundOptions)) -> Result<SoundOptions, ClientError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = self.get();
        change(&mut new);
        let new = new.sane();
        let json = serde_json::to_vec_pretty(&new).map_err(|error| ClientError::Write(error.to_string()))?;
        store::write_private(&self.path, &json)?;
        self.now().clone_from(&new);
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_does_not_wait_for_who_changes() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::load(directory.path());
        let (begun, begins) = std::sync::mpsc::channel();
        let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|threads| {
            let all = &kept;
            let changed = threads.spawn(move || {
                all.change(|now| {
                    begun.send(()).unwrap();
                    // The disk takes its time.
                    goes_on.recv().unwrap();
                    now.noise = false;
                })
            });
            begins.recv().unwrap();
            assert_eq!(kept.get(), SoundOptions::default());
            let other = threads.spawn(|| kept.change(|now| now.gain = false));
            go_on.send(()).unwrap();
            changed.join().unwrap().unwrap();
            other.join().unwrap().unwrap();
        });
        assert_eq!(kept.get(), SoundOptions { noise: false, gain: false, ..SoundOptions::default() }, "none is undone");
    }

    #[test]
    fn a_choice_lasts_and_nonsense_is_the_usual() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::load(directory.path());
        assert_eq!(kept.get(), SoundOptions::default());
        let chosen = SoundOptions { noise: false, microphone: Some("mic".into()), speed_percent: 150, ..kept.get() };
        kept.set(chosen.clone()).unwrap();
        assert_eq!(Kept::load(directory.path()).get(), chosen);
        kept.set(SoundOptions { bitrate_bps: 1, speed_percent: 7, ..chosen }).unwrap();
        let sane = Kept::load(directory.path()).get();
        assert_eq!((sane.bitrate_bps, sane.speed_percent), (12_000, 100));
        std::fs::write(directory.path().join(FILE), "{").unwrap();
        assert_eq!(Kept::load(directory.path()).get(), SoundOptions::default());
    }
}
