//! A device in the place of the one that was chosen, until that one is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::{AudioError, Backend, Direction};

/// How long it takes until it is first looked whether the chosen device has come.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// The longest time between two looks; it doubles after each time when the device was there and did not run.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// How a device is opened: one with an id, or the default one.
type Open<D> = fn(&dyn Backend, Option<&str>) -> Result<D, AudioError>;

/// What was chosen.
pub(super) struct Choice<D> {
    backend: Arc<dyn Backend>,
    direction: Direction,
    /// None for the default device.
    id: Option<String>,
    open: Open<D>,
}

/// A device that runs.
pub(super) struct Running<D> {
    pub(super) device: D,
    /// It stands in for another, which is waited for.
    watch: Option<Watch>,
}

impl<D> Running<D> {
    /// Whether it stands in for the one that was chosen.
    pub(super) fn stands_in(&self) -> bool {
        self.watch.is_some()
    }
}

impl<D> Choice<D> {
    pub(super) fn new(backend: Arc<dyn Backend>, direction: Direction, id: Option<String>, open: Open<D>) -> Self {
        Self { backend, direction, id, open }
    }

    /// From now on it is another one.
    pub(super) fn set(&mut self, id: Option<String>) {
        self.id = id;
    }

    /// Opens the device that was chosen; where that does not run, the default one in its place.
    ///
    /// # Errors
    /// Why the chosen one does not run, if the default one does not run either.
    pub(super) fn open(&self) -> Result<Running<D>, AudioError> {
        let chosen = (self.open)(&*self.backend, self.id.as_deref());
        match (chosen, &self.id) {
            (Ok(device), _) => Ok(Running { device, watch: None }),
            (Err(error), None) => Err(error),
            (Err(error), Some(id)) => {
                let device = (self.open)(&*self.backend, None).map_err(|_| error.clone())?;
                tracing::info!(%error, "a sound device that was chosen does not run: the default one stands in");
                Ok(Running { device, watch: Some(self.watch(id, FIRST_LOOK)) })
            }
        }
    }

    /// The chosen device, if it is there again and runs, to go on with instead.
    pub(super) fn returned(&self, running: &mut Running<D>) -> Option<Running<D>> {
        let (watch, id) = (running.watch.as_mut().filter(|watch| watch.is_there())?, self.id.as_deref()?);
        match (self.open)(&*self.backend, Some(id)) {
            Ok(device) => Some(Running { device, watch: None }),
            Err(error) => {
                tracing::debug!(%error, "the sound device that was chosen is there and does not run");
                *watch = self.watch(id, watch.rest.saturating_mul(2).min(LONGEST_LOOK));
                None
            }
        }
    }

    fn watch(&self, id: &str, rest: Duration) -> Watch {
        Watch::start(Arc::clone(&self.backend), self.direction, id.to_owned(), rest)
    }
}

/// A look from time to time whether a device is there, on a thread of its own: a system may take long to tell.
struct Watch {
    is_there: Arc<AtomicBool>,
    rest: Duration,
    /// The thread ends with it.
    _alive: Sender<()>,
}

impl Watch {
    fn start(backend: Arc<dyn Backend>, direction: Direction, id: String, rest: Duration) -> Self {
        let (alive, ended) = channel();
        let found = Arc::new(AtomicBool::new(false));
        let is_there = Arc::clone(&found);
        let look = move || {
            while ended.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
                if backend.devices(direction).is_ok_and(|devices| devices.iter().any(|device| device.id == id)) {
                    found.store(true, Ordering::Relaxed);
                    return;
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("kith-sound-look".to_owned()).spawn(look) {
            tracing::warn!(%error, "nobody looks whether the chosen sound device comes back");
        }
        Self { is_there, rest, _alive: alive }
    }

    fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Relaxed)
    }
}
