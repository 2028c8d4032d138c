//! The local control socket: one running profile, several command lines and bots that use it.
//!
//! [`serve`] answers on a socket of the profile's directory, [`Connection`] is the caller's side. What is said is
//! [`crate::wire::control`]: JSON lines. It does not judge requests: a [`Service`] does, so that nothing here knows a client.
//!
//! Invariants: only this user reaches the socket (a directory of mode 0700, a socket of mode 0600); callers, their calls at
//! work and every line are bounded; nothing that a caller sends ends the server but [`Request::Shutdown`]; a socket that a
//! dead process left is replaced, that of a living one never.
//!
//! A socket's path has a small limit, some 100 bytes. Where the profile's directory is longer, the socket lies in the user's
//! runtime directory, and the file `control.path` of the profile says where. On Windows the socket is a named pipe.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};

use super::{Client, ClientError};
use crate::wire::control::{Event, Reply, Request};

mod connection;
mod lines;
mod server;
#[cfg(all(test, unix))]
mod tests;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use connection::{Connection, Events};
pub use server::{Server, serve};
#[cfg(unix)]
use unix as transport;
#[cfg(windows)]
use windows as transport;

/// The most callers at once: a person has a few windows and bots, a runaway script is told to come back.
pub const MAX_CALLERS: usize = 32;

/// The most calls of one caller that are worked on at once; more wait in the socket.
pub const MAX_CALLS: usize = 16;

/// Why a call came to nothing: what a caller gets to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for programs.
    pub code: String,
    /// A sentence for the person.
    pub message: String,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self { code: error.code().to_owned(), message: error.to_string() }
    }
}

/// Carries out one request.
pub type Execute = Arc<dyn Fn(Request) -> BoxFuture<'static, Result<Reply, Failure>> + Send + Sync>;

/// Begins a stream of events, from now on.
pub type Subscribe = Arc<dyn Fn() -> BoxStream<'static, Event> + Send + Sync>;

/// What a socket serves.
#[derive(Clone)]
pub struct Service {
    /// Carries out every request but [`Request::Listen`] and [`Request::Shutdown`], which are the socket's own.
    pub execute: Execute,
    /// For [`Request::Listen`].
    pub subscribe: Subscribe,
}

impl Service {
    /// A client's.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let (executor, teller) = (client.clone(), client.clone());
        Self {
            execute: Arc::new(move |request| {
                let client = executor.clone();
                Box::pin(async move { client.execute(request).await.map_err(Failure::from) })
            }),
            subscribe: Arc::new(move || {
                let events = teller.subscribe();
                futures::stream::unfold(events, |mut events| async move { Some((events.next().await?, events)) })
                    .boxed()
            }),
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Service")
    }
}

/// What went wrong at the socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// Another process serves this profile.
    #[error("this profile is open in another Kith already: use that one, or end it with `kith stop`")]
    AlreadyOpen,
    /// Something that is not ours lies where the socket or its directory should be.
    #[error("{} is not Kith's own: move it away, then try again", path.display())]
    NotOurs {
        /// Where.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{} cannot be used for the control socket: {reason}", path.display())]
    Path {
        /// Where.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection to the running Kith broke: {reason}")]
    Broken {
        /// What the system said.
        reason: String,
    },
    /// The running Kith ended.
    #[error("the running Kith has ended")]
    Closed,
    /// A line over [`crate::wire::control::MAX_LINE`].
    #[error("a line of over 64 MiB came over the control socket")]
    TooLong,
    /// A line that is not of this protocol.
    #[error("what came over the control socket is not understood: {reason}")]
    Malformed {
        /// What the parser said.
        reason: String,
    },
    /// Another major version.
    #[error("the running Kith speaks version {theirs} of the control protocol: update both to the same release")]
    Version {
        /// Theirs.
        theirs: u32,
    },
    /// The call came to nothing.
    #[error("{}", .0.message)]
    Failed(Failure),
}

impl ControlError {
    /// A stable word for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::AlreadyOpen => "profile_open",
            Self::NotOurs { .. } => "socket_not_ours",
            Self::Path { .. } => "socket_path",
            Self::Broken { .. } => "connection_broken",
            Self::Closed => "closed",
            Self::TooLong => "line_too_long",
            Self::Malformed { .. } => "malformed",
            Self::Version { .. } => "control_version",
            Self::Failed(failure) => &failure.code,
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> ControlError {
    ControlError::Path { path: path.to_owned(), reason: error.to_string() }
}

/// Takes a file away; that there is none is no error.
fn remove(path: &Path) -> Result<(), ControlError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}
