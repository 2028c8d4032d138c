//! Making durable what sled was given.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::store::StoreError;

/// How often a flush in flight is looked after. Nothing waits for it when all is well.
const WATCH_EVERY: Duration = Duration::from_millis(250);

#[derive(Default)]
struct State {
    in_flight: bool,
    /// The watching thread sleeps until a flush begins; else it looks again by itself, and need not be woken for each.
    asleep: bool,
    /// Flushes begun since it last looked.
    begun: bool,
    ended: bool,
}

#[derive(Default)]
struct Watched {
    state: Mutex<State>,
    changed: Condvar,
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        let mut state = self.state();
        (state.in_flight, state.begun) = (true, true);
        if state.asleep {
            self.changed.notify_all();
        }
    }
}

/// Flushes sled and then its file, one flush at a time.
pub(super) struct Flusher {
    db: sled::Db,
    file: File,
    watched: Arc<Watched>,
    watch: Option<JoinHandle<()>>,
}

impl Flusher {
    /// `file` is sled's own, opened a second time.
    pub(super) fn new(db: sled::Db, file: File) -> io::Result<Self> {
        let watched = Arc::new(Watched::default());
        let watch = std::thread::Builder::new().name("kith-store-watch".into()).spawn({
            let (watched, db) = (Arc::clone(&watched), db.clone());
            move || watch(&watched, &db)
        })?;
        Ok(Self { db, file, watched, watch: Some(watch) })
    }

    /// Makes all that sled was given durable.
    ///
    /// Sled's own flush ends with `sync_file_range`, which promises neither the file's new size nor the place of new blocks.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.watched.begin();
        let flushed = self.db.flush();
        self.watched.state().in_flight = false;
        flushed?;
        Ok(self.file.sync_data()?)
    }

    pub(super) const fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.watched.state().ended = true;
        self.watched.changed.notify_all();
        if let Some(watch) = self.watch.take() {
            drop(watch.join());
        }
    }
}

/// When one of sled's own threads fails to write, it may leave a flush waiting for ever: a second one wakes the first.
fn watch(watched: &Watched, db: &sled::Db) {
    let mut state = watched.state();
    while !state.ended {
        if !std::mem::take(&mut state.begun) && !state.in_flight {
            state.asleep = true;
            state = watched.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.asleep = false;
            continue;
        }
        state = watched.changed.wait_timeout(state, WATCH_EVERY).unwrap_or_else(PoisonError::into_inner).0;
        if state.in_flight && db.context.global_error().is_err() {
            drop(state);
            // Its error is the first one's too.
            drop(db.flush());
            state = watched.state();
        }
    }
}
