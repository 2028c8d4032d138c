//! Speech to text, of files or of a voice note.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use kith_core::client::{FileTask, FileTranscriber};
use kith_core::wire::control::{Reply, Request, Transcript, Urgency};

use super::arguments::Transcribe;
use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::text;

pub(crate) async fn transcribe(context: &Context, arguments: Transcribe) -> Result<Success, Error> {
    let form = Form { srt: arguments.srt, vtt: arguments.vtt };
    let Some(with) = arguments.with else {
        // Not a profile's affair: anybody may turn a file into text.
        let task = FileTask { language: arguments.language, translate: arguments.translate };
        return files(context, &arguments.what, arguments.model.as_deref(), &task, form).await;
    };
    let mut what = arguments.what.into_iter();
    let message = what.next().map(|id| id.into_os_string().into_string());
    let message = message.transpose().map_err(|_| Error::usage(text::MESSAGE_NOT_UTF8))?;
    if what.next().is_some() {
        return Err(Error::usage(text::ONE_NOTE));
    }
    let request = Request::Transcribe {
        with,
        message,
        priority: Urgency::Asked,
        language: arguments.language,
        translate: arguments.translate.then_some(true),
        again: arguments.again,
    };
    let mut backend = context.reach(Use::Once).await?;
    let reply = backend.call(request).await?;
    let Reply::Transcript(transcript) = reply else { return Err(Error::nonsense()) };
    form.show(context, &transcript, || text::transcript(&transcript))?;
    backend.close().await;
    Ok(Success::Done)
}

/// A wish for a voice note's text as the chat is listened to.
pub(crate) fn note(with: String, message: Option<String>) -> Request {
    Request::Transcribe { with, message, priority: Urgency::Asked, language: None, translate: None, again: false }
}

async fn files(
    context: &Context,
    files: &[PathBuf],
    model: Option<&str>,
    task: &FileTask,
    form: Form,
) -> Result<Success, Error> {
    let transcriber = FileTranscriber::new(context.options.models.as_deref(), model)?;
    let bar = std::io::stderr().is_terminal();
    let mut failed = None;
    for file in files {
        let name = file.clone();
        let progress = move |percent| {
            if bar {
                show_progress(&name, percent);
            }
        };
        let outcome = transcriber.transcribe(file, task.clone(), progress).await;
        if bar {
            clear_progress();
        }
        match outcome {
            Ok(transcript) => {
                let one = files.len() == 1;
                let words = || {
                    if one { text::transcript(&transcript) } else { text::transcript_of(file, &transcript) }
                };
                form.show(context, &transcript, words)?;
            }
            // The others are not to blame.
            Err(error) if files.len() > 1 => {
                let error = Error::from(error);
                eprintln!("kith: {}", text::plain(&error.message));
                failed = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    failed.map_or(Ok(Success::Done), Err)
}

/// In which form a transcript is printed.
#[derive(Debug, Clone, Copy)]
struct Form {
    srt: bool,
    vtt: bool,
}

impl Form {
    fn show(self, context: &Context, transcript: &Transcript, words: impl FnOnce() -> String) -> Result<(), Error> {
        let subtitles = match (self.srt, self.vtt) {
            (true, _) => Some(text::srt(transcript)),
            (_, true) => Some(text::vtt(transcript)),
            _ => None,
        };
        match subtitles {
            Some(subtitles) => context.screen.say(subtitles.trim_end()),
            None => context.screen.show(transcript, words),
        }
    }
}

/// A bar that is written over; nobody needs it, so nothing comes of a terminal that does not take it.
fn show_progress(file: &Path, percent: u8) {
    let mut terminal = std::io::stderr().lock();
    let _ = write!(terminal, "\r{}\x1b[K", text::listening(file, percent)).and_then(|()| terminal.flush());
}

fn clear_progress() {
    let mut terminal = std::io::stderr().lock();
    let _ = write!(terminal, "\r\x1b[K").and_then(|()| terminal.flush());
}
