//! What the window's bench and its end-to-end tests measure by: when frames were drawn and what they cost.
//!
//! Written only when `KITH_MARKS` names a file; a line each, as JSON. Nothing of what is shown is in it, unless `KITH_MARKS_WATCH`
//! is set too, which only a build for tests knows: then it also says what words stand where, and whether the window answers.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::widget::seen::Seen;

/// The variable that names the file.
const VARIABLE: &str = "KITH_MARKS";

/// The variable by which what is shown is written, too.
const WATCH: &str = "KITH_MARKS_WATCH";

/// A thread that was busy for longer between two beats was frozen for whoever used the window; shorter ones are not written.
const LATE: Duration = Duration::from_millis(50);

/// The marks of one window.
#[derive(Debug)]
pub(crate) struct Marks {
    file: RefCell<BufWriter<File>>,
    /// What the next frame shows for the first time.
    awaited: RefCell<Vec<String>>,
    /// The processor time of the window's thread when the last frame began.
    began: Cell<Option<Duration>>,
    /// What is on the screen is written whenever it changes.
    watches: bool,
    seen: RefCell<Seen>,
}

impl Marks {
    /// The marks, if somebody wants them.
    pub(crate) fn wanted() -> Option<Self> {
        let path = std::env::var_os(VARIABLE)?;
        match File::create(path) {
            Ok(file) => Some(Self {
                file: RefCell::new(BufWriter::new(file)),
                awaited: RefCell::default(),
                began: Cell::default(),
                watches: cfg!(debug_assertions) && std::env::var_os(WATCH).is_some(),
                seen: RefCell::default(),
            }),
            Err(error) => {
                tracing::warn!(%error, "Marks cannot be written.");
                None
            }
        }
    }

    /// The next frame shows this for the first time.
    pub(crate) fn await_frame(&self, name: &str) {
        self.awaited.borrow_mut().push(name.to_owned());
    }

    /// A frame begins: the one before is over, and cost all that the thread has done since it began.
    pub(crate) fn frame_begins(&self) {
        let now = processor_time();
        if let Some((began, now)) = self.began.replace(now).zip(now) {
            self.write("frame", "cpu_us", now.saturating_sub(began));
        }
    }

    /// It was drawn.
    pub(crate) fn frame_drawn(&self) {
        for name in self.awaited.borrow_mut().drain(..) {
            self.write(&name, "at_us", SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        }
    }

    /// A key was pressed that means something wherever the focus is.
    pub(crate) fn key_pressed(&self) {
        self.write("key", "at_us", SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    }

    /// Whether somebody wants to know what is on the screen, and that the window answers.
    pub(crate) const fn watches(&self) -> bool {
        self.watches
    }

    /// This is on the screen.
    pub(crate) fn see(&self, seen: Seen) {
        if *self.seen.borrow() != seen
            && let Ok(line) = serde_json::to_string(&seen)
        {
            self.seen.replace(seen);
            self.line(&line);
        }
    }

    /// The window's thread answered so much later than it was asked to.
    pub(crate) fn late_by(&self, late: Duration) {
        if late > LATE {
            self.write("late", "us", late);
        }
    }

    fn write(&self, name: &str, unit: &str, time: Duration) {
        self.line(&format!("{{\"mark\":\"{name}\",\"{unit}\":{}}}", time.as_micros()));
    }

    fn line(&self, line: &str) {
        let mut file = self.file.borrow_mut();
        let _ = writeln!(file, "{line}");
        let _ = file.flush();
    }
}

#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}
