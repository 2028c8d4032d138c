//! The models of speech. They are the user's and no profile's, so none is opened for them.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kith_core::client::{ClientError, ModelShelf};
use kith_core::wire::control::SpeechModel;

use super::arguments::{ModelCommand, Models};
use super::backend::Context;
use super::error::{Error, Success};
use super::text;

pub(crate) async fn models(context: &Context, arguments: Models) -> Result<Success, Error> {
    let shelf = ModelShelf::new(context.options.models.as_deref(), arguments.mirror)?;
    match arguments.command {
        ModelCommand::List => {
            let models = blocking(move || shelf.list()).await?;
            context.screen.show_all(&models, || text::models(&models))?;
        }
        ModelCommand::Download { name } | ModelCommand::Resume { name } => download(context, shelf, name).await?,
        ModelCommand::Pause { name } => {
            blocking(move || shelf.pause(&name)).await?;
            context.screen.done(|| text::DONE.to_owned())?;
        }
        ModelCommand::Delete { name } => {
            blocking(move || shelf.delete(&name)).await?;
            context.screen.done(|| text::DONE.to_owned())?;
        }
        ModelCommand::Import { file } => show(context, &import(shelf, file).await?)?,
        ModelCommand::Bench { name } => {
            let model = blocking(move || shelf.bench(&name)).await?;
            show(context, &model)?;
        }
    }
    Ok(Success::Done)
}

async fn import(shelf: ModelShelf, file: PathBuf) -> Result<SpeechModel, Error> {
    Ok(blocking(move || shelf.import(&file)).await?)
}

fn show(context: &Context, model: &SpeechModel) -> Result<(), Error> {
    context.screen.show(model, || text::model(model))
}

/// Until it is here, or Ctrl+C: what came is kept either way.
async fn download(context: &Context, shelf: ModelShelf, name: String) -> Result<(), Error> {
    let size = shelf.model(&name)?.size_bytes;
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, bar) = (Arc::clone(&stop), std::io::stderr().is_terminal());
    let (fetching, wanted) = (shelf.clone(), name.clone());
    let work = blocking(move || {
        let mut shown = u64::MAX;
        fetching.download(&wanted, |have| {
            let percent = have.saturating_mul(100) / size.max(1);
            if bar && percent != shown {
                shown = percent;
                let mut terminal = std::io::stderr().lock();
                // Nobody needs it: nothing comes of a terminal that does not take it.
                let _ = write!(terminal, "\r{}\x1b[K", text::downloading(&wanted, have, size))
                    .and_then(|()| terminal.flush());
            }
            !stopped.load(Ordering::Relaxed)
        })
    });
    let mut work = std::pin::pin!(work);
    let outcome = tokio::select! {
        outcome = &mut work => outcome,
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    if bar {
        eprintln!();
    }
    outcome?;
    show(context, &shelf.model(&name)?)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ClientError::Ending)?
}
