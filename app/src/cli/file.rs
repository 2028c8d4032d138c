//! Files: fetching, saving, and waiting for a transfer.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use kith_core::wire::control::{Event, Message, Reply, Request, Transfer};
use tokio::time::{Instant, timeout_at};

use super::arguments::{Fetch, Save};
use super::backend::{Backend, Context, Events, Use};
use super::error::{Error, Success};
use super::print::Screen;
use super::{send, text};

/// How far back the newest file is looked for.
const LOOKED_AT: u32 = 1000;

/// How long a transfer may stand still before a command no longer waits for it: devices that are there have 20 s to come for a file before
/// it goes to the relay.
pub(super) const PATIENCE: Duration = Duration::from_secs(45);

pub(crate) async fn fetch(context: &Context, arguments: Fetch) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let message = match arguments.message {
        Some(message) => message,
        None => newest(&mut backend, &arguments.name).await?,
    };
    let transfer = fetched(context, &mut backend, arguments.name, message.clone()).await?;
    let done = transfer.here;
    let object = serde_json::json!({"message": message, "transfer": transfer});
    context.screen.show(&object, || text::transfer(&transfer))?;
    backend.close().await;
    Ok(if done { Success::Done } else { Success::Queued })
}

pub(crate) async fn save(context: &Context, arguments: Save) -> Result<Success, Error> {
    let path = send::absolute(arguments.to.unwrap_or_else(|| PathBuf::from(".")))?;
    let mut backend = context.reach(Use::Once).await?;
    let transfer = fetched(context, &mut backend, arguments.name.clone(), arguments.message.clone()).await?;
    if !transfer.here {
        backend.close().await;
        return Err(Error::new("not_here", text::transfer(&transfer)));
    }
    let request = Request::SaveFile { with: arguments.name, message: arguments.message, path };
    let saved = backend.call(request).await;
    backend.close().await;
    let Reply::Saved { path, bytes } = saved? else { return Err(Error::nonsense()) };
    context.screen.show(&serde_json::json!({"path": path, "bytes": bytes}), || text::saved(&path, bytes))?;
    Ok(Success::Done)
}

/// The newest message with a file of others.
async fn newest(backend: &mut Backend, with: &str) -> Result<String, Error> {
    let request = Request::History { with: with.to_owned(), before: None, limit: LOOKED_AT };
    let Reply::Messages(messages) = backend.call(request).await? else { return Err(Error::nonsense()) };
    let newest = messages.into_iter().rev().find(|message| message.file.is_some() && !message.mine);
    newest.map(|message| message.id).ok_or_else(|| Error::new("no_file", text::NO_FILE))
}

/// Fetches a file, if it is not here, and waits for it.
async fn fetched(context: &Context, backend: &mut Backend, with: String, message: String) -> Result<Transfer, Error> {
    let mut events = backend.events().await?;
    let Reply::Transfer(transfer) = backend.call(Request::Fetch { with, message: message.clone() }).await? else {
        return Err(Error::nonsense());
    };
    if transfer.here {
        return Ok(transfer);
    }
    let over = |transfer: &Transfer| transfer.here || matches!(transfer.state.as_str(), "failed" | "cancelled");
    until(&mut events, context.screen, &message, transfer, over).await
}

/// The transfer of what was sent, once all have it or the relay keeps it for them; or when it stands still.
pub(super) async fn until_gone(
    events: &mut Events,
    screen: Screen,
    message: &Message,
) -> Result<Option<Transfer>, Error> {
    let Some(file) = &message.file else { return Ok(None) };
    let over = |transfer: &Transfer| matches!(transfer.state.as_str(), "uploaded" | "done" | "failed" | "cancelled");
    until(events, screen, &message.id, file.transfer.clone(), over).await.map(Some)
}

async fn until(
    events: &mut Events,
    screen: Screen,
    message: &str,
    mut transfer: Transfer,
    over: impl Fn(&Transfer) -> bool,
) -> Result<Transfer, Error> {
    let bar = Bar { shown: !screen.is_json() && std::io::stderr().is_terminal() };
    let mut end = Instant::now() + PATIENCE;
    while !over(&transfer) {
        let event = match timeout_at(end, events.next()).await {
            Ok(event) => event?.ok_or_else(|| Error::new("closed", text::ENDED))?,
            Err(_) => break,
        };
        if let Event::Transfer { message: of, transfer: now, .. } = event
            && of == message
        {
            if now.done != transfer.done || now.state != transfer.state {
                end = Instant::now() + PATIENCE;
            }
            bar.show(&now);
            transfer = now;
        }
    }
    bar.end();
    Ok(transfer)
}

/// A line on the terminal that shows how far a transfer has come.
struct Bar {
    shown: bool,
}

impl Bar {
    fn show(&self, transfer: &Transfer) {
        if self.shown {
            // A terminal that is gone does not have to be told.
            let _ = write!(std::io::stderr(), "\r\u{1b}[K{}", text::progress(transfer));
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
