//! The caller's side.

use std::io::ErrorKind;
use std::path::Path;

use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::lines::{Lines, write};
use super::{ControlError, Failure, place};
use crate::wire::control::{Call, Event, Greeting, Line, Reply, Request, VERSION};

/// A connection to the process that runs a profile.
pub struct Connection {
    lines: Lines<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    last: u64,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    /// Connects to whoever runs the profile in `profile`; none if nobody does.
    ///
    /// # Errors
    /// [`ControlError::Version`] if that Kith is of another time, [`ControlError::NotOurs`] and [`ControlError::Path`] if the
    /// socket cannot be trusted or used, [`ControlError::Failed`] if it has too many callers.
    pub async fn connect(profile: &Path) -> Result<Option<Self>, ControlError> {
        let Some(socket) = place::find(profile)? else { return Ok(None) };
        let stream = match UnixStream::connect(&socket).await {
            Ok(stream) => stream,
            // Whoever goes down resets what waits to be let in.
            Err(error) if is_nobody(error.kind()) || error.kind() == ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(place::failed(&socket, &error)),
        };
        let (reader, writer) = stream.into_split();
        let mut lines = Lines::new(reader);
        // A server that goes down accepts nobody any more, and what waited is closed without a word.
        let Ok(Some(first)) = lines.next().await else { return Ok(None) };
        let greeting: Greeting = match serde_json::from_slice(&first) {
            Ok(greeting) => greeting,
            Err(error) => return Err(refusal(&first, &error)),
        };
        if greeting.version != VERSION {
            return Err(ControlError::Version { theirs: greeting.version });
        }
        Ok(Some(Self { lines, writer, last: 0 }))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`ControlError::Failed`] with what the running Kith says; [`ControlError::Closed`] if it ended.
    pub async fn call(&mut self, request: Request) -> Result<Reply, ControlError> {
        self.last = self.last.saturating_add(1);
        write(&mut self.writer, &Call { id: self.last, request }).await?;
        loop {
            match self.lines.next_value::<Line>().await?.ok_or(ControlError::Closed)? {
                Line::Answer { id, reply } if id == self.last => return Ok(reply),
                // Number 0 is for what the server could not read a number from: nothing else is under way here.
                Line::Failed { id, code, message } if id == self.last || id == 0 => {
                    return Err(ControlError::Failed(Failure { code, message }));
                }
                // Of a call that was given up.
                Line::Answer { .. } | Line::Failed { .. } | Line::Event(_) => {}
            }
        }
    }

    /// From now on this connection brings events.
    ///
    /// # Errors
    /// Those of [`Connection::call`].
    pub async fn events(mut self) -> Result<Events, ControlError> {
        self.call(Request::Listen).await?;
        Ok(Events { lines: self.lines, _writer: self.writer })
    }
}

/// The events of a running profile.
pub struct Events {
    lines: Lines<OwnedReadHalf>,
    // Closing it would tell the server that the caller is gone.
    _writer: OwnedWriteHalf,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// The next event; none when the running Kith has ended. May be cancelled.
    ///
    /// # Errors
    /// [`ControlError::Broken`], [`ControlError::TooLong`] and [`ControlError::Malformed`].
    pub async fn next(&mut self) -> Result<Option<Event>, ControlError> {
        loop {
            match self.lines.next_value::<Line>().await? {
                Some(Line::Event(event)) => return Ok(Some(event)),
                Some(Line::Answer { .. } | Line::Failed { .. }) => {}
                None => return Ok(None),
            }
        }
    }
}

/// Nobody listens there: no file, or one that a dead process left.
pub(super) fn is_nobody(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory)
}

/// What stands in the place of a greeting.
fn refusal(line: &[u8], error: &serde_json::Error) -> ControlError {
    match serde_json::from_slice(line) {
        Ok(Line::Failed { code, message, .. }) => ControlError::Failed(Failure { code, message }),
        _ => ControlError::Malformed { reason: error.to_string() },
    }
}
