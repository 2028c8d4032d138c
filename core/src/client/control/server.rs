//! The running profile's side: a task that accepts, and one for every caller.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::lines::{Lines, write};
use super::transport::Listener;
use super::{ControlError, MAX_CALLERS, MAX_CALLS, Service, remove};
use crate::wire::control::{Call, Event, Greeting, Line, MAX_LINE, Reply, Request, VERSION};

/// How long to wait after the system refused to accept: it lacks file descriptors, and trying at once would only spin.
const PAUSE: Duration = Duration::from_millis(100);

/// How long answers that are under way may take to be written when the server goes down: local, so almost at once.
const FAREWELL: Duration = Duration::from_secs(1);

/// A socket being served. Dropping it ends that.
#[derive(Debug)]
pub struct Server {
    /// The file by which others find it.
    trace: PathBuf,
    ending: CancellationToken,
    asked: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Waits until a caller asks to end the profile, by [`Request::Shutdown`].
    pub async fn stopped(&self) {
        self.asked.cancelled().await;
    }

    /// Takes the socket away, ends every connection, and waits for them.
    pub async fn shutdown(mut self) {
        let _ = remove(&self.trace);
        self.ending.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.cancel();
        if self.task.is_some() {
            let _ = remove(&self.trace);
        }
    }
}

/// Serves the profile in `profile`, whose store the caller must hold open: that, not the socket, is what keeps two processes
/// from one profile.
///
/// # Errors
/// [`ControlError::AlreadyOpen`] if a living process answers at the socket; [`ControlError::NotOurs`] and
/// [`ControlError::Path`] if there is no safe place for it.
pub async fn serve(service: Service, profile: &Path) -> Result<Server, ControlError> {
    let listener = Listener::bind(profile).await?;
    let trace = listener.trace().to_owned();
    let (ending, asked) = (CancellationToken::new(), CancellationToken::new());
    let desk = Desk { service, ending: ending.clone(), asked: asked.clone() };
    let task = tokio::spawn(accept(listener, desk));
    Ok(Server { trace, ending, asked, task: Some(task) })
}

/// What every caller's task needs.
#[derive(Clone)]
struct Desk {
    service: Service,
    ending: CancellationToken,
    asked: CancellationToken,
}

async fn accept(mut listener: Listener, desk: Desk) {
    let mut callers = JoinSet::new();
    loop {
        tokio::select! {
            () = desk.ending.cancelled() => break,
            Some(_) = callers.join_next(), if !callers.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok(stream) if callers.len() < MAX_CALLERS => {
                    callers.spawn(attend(stream, desk.clone()));
                }
                Ok(stream) => turn_away(stream).await,
                Err(error) => {
                    tracing::warn!(%error, "the control socket accepts nobody for now");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, async { while callers.join_next().await.is_some() {} }).await;
}

async fn turn_away(mut stream: impl AsyncWrite + Unpin) {
    let message = format!("{MAX_CALLERS} programs use this profile already: end one, then try again");
    // Its buffer is empty: this cannot wait.
    let _ = write(&mut stream, &Line::Failed { id: 0, code: "busy".to_owned(), message }).await;
}

/// One caller, until it goes or the server does.
async fn attend(stream: impl AsyncRead + AsyncWrite, desk: Desk) {
    let (reader, writer) = tokio::io::split(stream);
    let mut caller = Caller { writer, calls: JoinSet::new(), events: None, desk };
    if let Err(error) = caller.attend(Lines::new(reader)).await {
        tracing::debug!(%error, "a caller of the control socket is gone");
    }
}

struct Caller<W> {
    writer: W,
    calls: JoinSet<Line>,
    events: Option<BoxStream<'static, Event>>,
    desk: Desk,
}

impl<W: AsyncWrite + Unpin> Caller<W> {
    async fn attend(&mut self, mut lines: Lines<impl AsyncRead + Unpin>) -> Result<(), ControlError> {
        write(&mut self.writer, &Greeting { server: "kith".to_owned(), version: VERSION }).await?;
        let ending = self.desk.ending.clone();
        loop {
            let line = tokio::select! {
                () = ending.cancelled() => return Ok(()),
                Some(done) = self.calls.join_next(), if !self.calls.is_empty() => match done {
                    Ok(line) => line,
                    // It panicked: its number is lost, and a caller must not wait for ever.
                    Err(error) => return Err(ControlError::Broken { reason: error.to_string() }),
                },
                Some(event) = next_event(&mut self.events) => Line::Event(event),
                line = lines.next(), if self.calls.len() < MAX_CALLS => match line {
                    Ok(Some(line)) => match self.begin(&line) {
                        Some(answer) => answer,
                        None => continue,
                    },
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        let failed = Line::Failed { id: 0, code: error.code().to_owned(), message: error.to_string() };
                        write(&mut self.writer, &failed).await?;
                        return Err(error);
                    }
                },
            };
            self.answer(line).await?;
        }
    }

    /// Begins a call; what can be answered at once is.
    fn begin(&mut self, line: &[u8]) -> Option<Line> {
        let Call { id, request } = match serde_json::from_slice(line) {
            Ok(call) => call,
            Err(error) => {
                let message = format!("the request is not understood: {error}");
                return Some(Line::Failed { id: number(line), code: "malformed".to_owned(), message });
            }
        };
        match request {
            Request::Listen => {
                self.events = Some((self.desk.service.subscribe)());
                Some(Line::Answer { id, reply: Reply::Done })
            }
            Request::Shutdown => {
                self.desk.asked.cancel();
                Some(Line::Answer { id, reply: Reply::Done })
            }
            request => {
                let work = (self.desk.service.execute)(request);
                self.calls.spawn(async move {
                    match work.await {
                        Ok(reply) => Line::Answer { id, reply },
                        Err(failure) => Line::Failed { id, code: failure.code, message: failure.message },
                    }
                });
                None
            }
        }
    }

    async fn answer(&mut self, line: Line) -> Result<(), ControlError> {
        match write(&mut self.writer, &line).await {
            Err(ControlError::TooLong) => {
                let Line::Answer { id, .. } = line else { return Ok(()) };
                let message = format!("the answer has over {MAX_LINE} bytes: ask for less at once");
                write(&mut self.writer, &Line::Failed { id, code: "answer_too_long".to_owned(), message }).await
            }
            other => other,
        }
    }
}

/// The next event of a caller that listens; never of one that does not.
async fn next_event(events: &mut Option<BoxStream<'static, Event>>) -> Option<Event> {
    match events {
        Some(stream) => {
            let event = stream.next().await;
            if event.is_none() {
                *events = None;
            }
            event
        }
        None => std::future::pending().await,
    }
}

/// The number of a call that is not understood otherwise; 0 if it has none.
fn number(line: &[u8]) -> u64 {
    serde_json::from_slice::<Value>(line).ok().and_then(|value| value.get("id").and_then(Value::as_u64)).unwrap_or(0)
}
