//! The caller's side.

use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite};

use super::lines::{Lines, write};
use super::{ControlError, Failure, transport};
use crate::wire::control::{Call, Event, Greeting, Line, Reply, Request, VERSION};

type Reader = Lines<Box<dyn AsyncRead + Send + Unpin>>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection to the process that runs a profile.
pub struct Connection {
    lines: Reader,
    writer: Writer,
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
        let Some(stream) = transport::connect(profile).await? else { return Ok(None) };
        let (reader, writer) = tokio::io::split(stream);
        let (mut lines, writer): (Reader, Writer) = (Lines::new(Box::new(reader)), Box::new(writer));
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
    lines: Reader,
    // Closing it would tell the server that the caller is gone.
    _writer: Writer,
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

/// What stands in the place of a greeting.
fn refusal(line: &[u8], error: &serde_json::Error) -> ControlError {
    match serde_json::from_slice(line) {
        Ok(Line::Failed { code, message, .. }) => ControlError::Failed(Failure { code, message }),
        _ => ControlError::Malformed { reason: error.to_string() },
    }
}
