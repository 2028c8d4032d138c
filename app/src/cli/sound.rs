//! Speech to text, of a file or of a voice note.

use kith_core::client::transcribe_file;
use kith_core::wire::control::{Reply, Request};

use super::arguments::Transcribe;
use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::text;

pub(crate) async fn transcribe(context: &Context, arguments: Transcribe) -> Result<Success, Error> {
    let Some(with) = arguments.with else {
        // Not a profile's affair: anybody may turn a file into text.
        let file = arguments.what.unwrap_or_default();
        let transcript = transcribe_file(&file, context.options.models.as_deref()).await?;
        context.screen.show(&transcript, || text::transcript(&transcript))?;
        return Ok(Success::Done);
    };
    let message = arguments.what.map(|id| id.into_os_string().into_string());
    let message = message.transpose().map_err(|_| Error::usage(text::MESSAGE_NOT_UTF8))?;
    let mut backend = context.reach(Use::Once).await?;
    let reply = backend.call(Request::Transcribe { with, message }).await?;
    let Reply::Transcript(transcript) = reply else { return Err(Error::nonsense()) };
    context.screen.show(&transcript, || text::transcript(&transcript))?;
    backend.close().await;
    Ok(Success::Done)
}
