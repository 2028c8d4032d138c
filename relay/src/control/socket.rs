//! The socket of a running relay, in its data directory.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Answer, Control};
use crate::backup;
use crate::server::Handle;

/// The longest question: a path and a handle.
const MAX_QUESTION: u64 = 16 * 1024;

/// Opens the socket; one that a dead process left is replaced.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// Answers operators, one after the other, until the relay stops.
pub(crate) async fn serve(
    listener: UnixListener,
    handle: Handle,
    keys: Zeroizing<Vec<u8>>,
    stopping: CancellationToken,
) {
    while let Some(Ok((stream, _))) = stopping.run_until_cancelled(listener.accept()).await {
        if let Err(error) = converse(stream, &handle, &keys, &stopping).await {
            tracing::debug!(%error, "An operator's connection has failed.");
        }
    }
}

/// Once asked, it is answered also while the relay stops: whoever waits learns why a backup was not made.
async fn converse(
    stream: UnixStream,
    handle: &Handle,
    keys: &Zeroizing<Vec<u8>>,
    stopping: &CancellationToken,
) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    let mut read = BufReader::new(read.take(MAX_QUESTION));
    match stopping.run_until_cancelled(read.read_line(&mut line)).await {
        Some(read) => read?,
        None => return Ok(()),
    };
    let answer = match serde_json::from_str(&line) {
        Ok(Control::Backup { to }) => backup_running(handle, keys.clone(), to, stopping.clone()).await,
        Ok(control) => handle.control(control).await,
        Err(error) => Answer::Failed { error: error.to_string() },
    };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

async fn backup_running(handle: &Handle, keys: Zeroizing<Vec<u8>>, to: PathBuf, stopping: CancellationToken) -> Answer {
    let Some(store) = handle.store().await else {
        return Answer::Failed { error: "the relay's store cannot be read now".into() };
    };
    let written = tokio::task::spawn_blocking(move || backup::write(&store, &keys, &to, &stopping)).await;
    match written {
        Ok(Ok(copied)) => Answer::Copied { rows: copied.rows, bytes: copied.bytes },
        Ok(Err(error)) => Answer::Failed { error: error.to_string() },
        Err(error) => Answer::Failed { error: error.to_string() },
    }
}

/// Asks a running relay.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] or [`io::ErrorKind::ConnectionRefused`] when none runs.
pub async fn ask(socket: &Path, control: &Control) -> io::Result<Answer> {
    let stream = UnixStream::connect(socket).await?;
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(control)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(read).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}
