//! Keeping an account online, watching it, and ending that.

use std::pin::pin;

use kith_core::client::control::Connection;
use kith_core::wire::control::Request;
use tokio::time::{Duration, Instant, sleep};

use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::text;

/// How long the other process may take to end: it writes out what is under way.
const STOPPING: Duration = Duration::from_secs(20);

pub(crate) async fn run(context: &Context) -> Result<Success, Error> {
    if let Some(mut other) = context.attach().await? {
        return Err(Error::new("profile_open", text::already_running(&other.whoami().await?)));
    }
    let mut backend = context.reach(Use::Long).await?;
    let me = backend.whoami().await?;
    context.screen.show(&serde_json::json!({"running": me}), || text::running(&me, &context.profile))?;
    tokio::select! {
        () = interrupted() => {}
        () = backend.stopped() => {}
    }
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn listen(context: &Context) -> Result<Success, Error> {
    let backend = context.reach(Use::Long).await?;
    let mut events = backend.events().await?;
    // One for all turns: a signal that comes while an event is printed would be lost with a new one each time.
    let mut interrupted = pin!(interrupted());
    let outcome = loop {
        let event = tokio::select! {
            () = &mut interrupted => break Ok(Success::Done),
            () = backend.stopped() => break Ok(Success::Done),
            event = events.next() => event?,
        };
        match event {
            Some(event) => match text::event(&event) {
                None if !context.screen.is_json() => {}
                words => context.screen.show(&event, || words.unwrap_or_default())?,
            },
            None => break Err(Error::new("closed", text::ENDED)),
        }
    };
    drop(events);
    backend.close().await;
    outcome
}

pub(crate) async fn stop(context: &Context) -> Result<Success, Error> {
    let Some(mut other) = context.attach().await? else {
        return Err(Error::new("not_running", text::NOT_RUNNING));
    };
    other.command(Request::Shutdown).await?;
    drop(other);
    let end = Instant::now() + STOPPING;
    while Connection::connect(&context.profile).await?.is_some() && Instant::now() < end {
        sleep(Duration::from_millis(50)).await;
    }
    context.screen.done(|| text::STOPPED.to_owned())?;
    Ok(Success::Done)
}

/// Waits for Ctrl-C, or for the system to ask this process to end.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
