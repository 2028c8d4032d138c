//! Sending, and waiting until what was sent has left.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use kith_core::wire::control::{Event, Message, Reply, Request};
use tokio::time::{Instant, timeout_at};

use super::arguments::Send;
use super::backend::{Backend, Context, Events, Use};
use super::error::{Error, Success};
use super::{file, text};

/// The longest text that is read from standard input; what one message holds is smaller, and core's to say.
const MAX_TEXT: usize = 1 << 20;

/// The least time that a command which opened the profile itself gives what it sends: a contact request's work takes a second.
const LEAVE_LEAST: Duration = Duration::from_secs(2);

/// The most.
const LEAVE_MOST: Duration = Duration::from_secs(10);

/// When nothing happened for so long, nothing is under way.
const SILENCE: Duration = Duration::from_secs(1);

pub(crate) async fn send(context: &Context, send: Send) -> Result<Success, Error> {
    let patience = Duration::from_secs(send.wait);
    let request = request(&send)?;
    let mut backend = context.reach(Use::OnceAsItIs).await?;
    let mut events = backend.events().await?;
    let Reply::Message(message) = backend.call(request).await? else { return Err(Error::nonsense()) };
    let mut message = until_sent(&mut events, message, patience).await?;
    if send.wait > 0
        && let Some(gone) = file::until_gone(&mut events, context.screen, &message).await?
        && let Some(file) = &mut message.file
    {
        file.transfer = gone;
    }
    context.screen.show(&message, || delivery(&message))?;
    let queued = message.state.as_deref() == Some("queued");
    if queued && send.wait > 0 && !context.screen.is_json() {
        context.screen.say(&text::not_sent_yet(send.wait))?;
    }
    let stays = message.file.as_ref().filter(|file| !matches!(file.transfer.state.as_str(), "uploaded" | "done"));
    if let Some(file) = stays.filter(|_| send.wait > 0 && !context.screen.is_json()) {
        context.screen.say(&text::not_gone_yet(&file.transfer))?;
    }
    let kept = (queued || stays.is_some()) && send.wait > 0;
    backend.close().await;
    Ok(if kept { Success::Queued } else { Success::Done })
}

pub(crate) async fn edit(context: &Context, with: String, message: String, text: String) -> Result<Success, Error> {
    command(context, Request::Edit { with, message, text }).await
}

pub(crate) async fn delete(context: &Context, with: String, message: String) -> Result<Success, Error> {
    command(context, Request::Delete { with, message }).await
}

pub(crate) async fn react(context: &Context, with: String, message: String, emoji: String) -> Result<Success, Error> {
    command(context, Request::React { with, message, emoji }).await
}

async fn command(context: &Context, request: Request) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    backend.command(request).await?;
    context.screen.done(|| text::DONE.to_owned())?;
    backend.leave().await
}

fn request(send: &Send) -> Result<Request, Error> {
    let (to, reply_to) = (send.name.clone(), send.reply_to.clone());
    if let Some(file) = &send.voice {
        return Ok(Request::SendVoice { to, file: absolute(file.clone())? });
    }
    if let Some(path) = &send.file {
        let (path, caption) = (absolute(path.clone())?, send.caption.clone());
        return Ok(Request::SendFile {
            to,
            path,
            name: None,
            media_type: None,
            caption,
            dimensions: None,
            preview: None,
            reply_to,
        });
    }
    let text = match send.text.clone() {
        Some(dash) if dash == "-" => from_stdin()?,
        Some(text) => text,
        None => String::new(),
    };
    if text.is_empty() {
        return Err(Error::new("empty_text", text::NOTHING_TO_SEND));
    }
    Ok(Request::Send { to, text, reply_to })
}

/// The process that reads the file may have another working directory.
pub(crate) fn absolute(file: PathBuf) -> Result<PathBuf, Error> {
    std::path::absolute(&file).map_err(|error| Error::new("file", text::file_unreadable(&file, &error)))
}

/// All of standard input, without the end of its last line.
fn from_stdin() -> Result<String, Error> {
    let mut bytes = Vec::new();
    let limit = MAX_TEXT as u64 + 1;
    let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(|error| Error::system(error.to_string()))?;
    if bytes.len() > MAX_TEXT {
        return Err(Error::new("text_too_long", text::text_too_long(MAX_TEXT)));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| Error::new("text_not_utf8", text::TEXT_NOT_UTF8))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// The message as it is once it left, or when time is up.
pub(crate) async fn until_sent(events: &mut Events, message: Message, patience: Duration) -> Result<Message, Error> {
    let end = Instant::now() + patience;
    let mut message = message;
    while message.state.as_deref() == Some("queued") {
        match timeout_at(end, events.next()).await {
            Ok(Ok(Some(Event::Message { message: seen } | Event::Changed { message: seen }))) => {
                if seen.id == message.id {
                    message = seen;
                }
            }
            Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) => return Err(Error::new("closed", text::ENDED)),
            Ok(Err(error)) => return Err(error),
            Err(_) => break,
        }
    }
    Ok(message)
}

fn delivery(message: &Message) -> String {
    text::delivery(message.state.as_deref().unwrap_or_default(), message.route.as_deref())
}

impl Backend {
    /// Ends, once what a command of this process sent had time to leave: until nothing happens any more, or time is up.
    /// What did not leave is kept and goes out later; another process that runs the profile sends on by itself.
    pub(crate) async fn leave(self) -> Result<Success, Error> {
        if let Self::Own { .. } = self {
            let (least, most) = (Instant::now() + LEAVE_LEAST, Instant::now() + LEAVE_MOST);
            let mut events = self.events().await?;
            let mut silence = Instant::now() + SILENCE;
            loop {
                match timeout_at(silence.max(least).min(most), events.next()).await {
                    Ok(Ok(Some(_))) if Instant::now() < most => silence = Instant::now() + SILENCE,
                    _ => break,
                }
            }
        }
        self.close().await;
        Ok(Success::Done)
    }
}
