//! The window's last will: what is typed and the profile that is open, for when the window ends without having been asked to.
//!
//! A lost X display ends the program from within Xlib, which calls `exit`; a lost Wayland display ends the window's loop; a fault
//! unwinds out of it. The window is asked nothing any more then, but the profile's own tasks still run: what was typed is kept by them, and
//! the profile closes as it should.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use kith_core::wire::control::Request;
use tokio::runtime::Handle;

use crate::backend::Backend;

/// Who restarts a lost display waits no longer for its programs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The will. All copies are the same.
#[derive(Debug, Clone)]
pub(crate) struct Will {
    runtime: Handle,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// The window is shown, with a profile or without.
    Shown(Option<Box<Last>>),
    /// It has ended, and all was done before.
    Done,
}

#[derive(Debug)]
struct Last {
    backend: Backend,
    draft: Option<Request>,
}

/// The will of this program's window, for whoever ends the program without returning to it.
static OF_THIS_PROGRAM: OnceLock<Will> = OnceLock::new();

impl Will {
    /// Of a window whose profile works in this runtime.
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, state: Arc::new(Mutex::new(State::Shown(None))) }
    }

    /// It is also carried out when the program ends by `exit`.
    pub(crate) fn register(&self) {
        if OF_THIS_PROGRAM.set(self.clone()).is_ok() {
            shutdown_hooks::add_shutdown_hook(at_exit);
        }
    }

    /// This is open now, and this is typed.
    pub(crate) fn keep(&self, open: Option<(&Backend, Option<Request>)>) {
        let mut state = self.state();
        if let State::Shown(last) = &mut *state {
            *last = open.map(|(backend, draft)| Box::new(Last { backend: backend.clone(), draft }));
        }
    }

    /// The window has ended as it should: nothing is left to do.
    pub(crate) fn tear(&self) {
        *self.state() = State::Done;
    }

    /// Carries it out; false if the window had ended as it should.
    pub(crate) fn carry_out(&self) -> bool {
        let State::Shown(last) = std::mem::replace(&mut *self.state(), State::Done) else { return false };
        let Some(last) = last else {
            tracing::error!("The window was lost, with nothing open in it.");
            return true;
        };
        let Last { backend, draft } = *last;
        let (sender, done) = mpsc::channel();
        self.runtime.spawn(async move {
            let kept = match draft {
                Some(draft) => backend.clone().command(draft).await,
                None => Ok(()),
            };
            backend.close().await;
            let _ = sender.send(kept);
        });
        match done.recv_timeout(PATIENCE) {
            Ok(Ok(())) => tracing::error!("The window was lost. What was typed is kept, and the profile is closed."),
            Ok(Err(problem)) => tracing::error!(%problem, "The window was lost, and what was typed last with it."),
            Err(_) => tracing::error!("The window was lost, and the profile does not close."),
        }
        true
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

extern "C" fn at_exit() {
    if let Some(will) = OF_THIS_PROGRAM.get() {
        will.carry_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Request {
        Request::SaveDraft { with: "bob".into(), text: text.into() }
    }

    #[test]
    fn what_was_typed_last_is_kept_once() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let will = Will::new(runtime.handle().clone());
        let (backend, record) = Backend::detached();
        will.keep(Some((&backend, Some(draft("What I wan")))));
        will.keep(Some((&backend, Some(draft("What I want")))));
        assert!(will.carry_out());
        assert_eq!(record.asked(), [draft("What I want")]);
        assert!(!will.carry_out());
        assert!(record.asked().is_empty());
    }

    #[test]
    fn a_window_that_has_ended_as_it_should_leaves_nothing_to_do() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let will = Will::new(runtime.handle().clone());
        let (backend, record) = Backend::detached();
        will.keep(Some((&backend, Some(draft("Sent by now")))));
        will.tear();
        // A message that was still on its way.
        will.keep(Some((&backend, Some(draft("Sent by now")))));
        assert!(!will.carry_out());
        assert!(record.asked().is_empty());
    }

    #[test]
    fn a_window_with_nothing_open_ends_as_well() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let will = Will::new(runtime.handle().clone());
        let (backend, record) = Backend::detached();
        will.keep(Some((&backend, Some(draft("Erased")))));
        will.keep(None);
        assert!(will.carry_out());
        assert!(record.asked().is_empty());
    }
}
