//! Kith among the programs of this user's desktop.

use super::backend::Context;
use super::error::{Error, Success};
use super::text;
use crate::platform::desktop::Desktop;

/// Puts it there, or takes it away.
pub(crate) async fn desktop(context: &Context, remove: bool) -> Result<Success, Error> {
    let done = tokio::task::spawn_blocking(move || {
        let desktop = Desktop::of_user()?;
        if remove { desktop.remove() } else { desktop.install(&std::env::current_exe()?) }
    });
    let done = done.await.map_err(|error| Error::system(error.to_string()))?;
    done.map_err(|error| Error::system(text::no_desktop(&error)))?;
    context.screen.done(|| if remove { text::DESKTOP_LEFT } else { text::DESKTOP_JOINED }.to_owned())?;
    Ok(Success::Done)
}
