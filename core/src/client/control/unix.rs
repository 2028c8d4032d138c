//! Where there are unix sockets: a file in the profile's directory, or in the user's runtime directory.

mod place;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::{ControlError, failed};

/// A socket that others can connect to.
pub(super) struct Listener {
    socket: PathBuf,
    listener: UnixListener,
}

impl Listener {
    /// Takes the profile's place; one that a dead process left is replaced.
    pub(super) async fn bind(profile: &Path) -> Result<Self, ControlError> {
        let socket = place::prepare(profile)?;
        match UnixStream::connect(&socket).await {
            Ok(_) => return Err(ControlError::AlreadyOpen),
            Err(error) if is_nobody(error.kind()) => place::clear(&socket)?,
            // Something else than a socket says so in its own way, and `clear` in ours.
            Err(error) => return Err(place::clear(&socket).err().unwrap_or_else(|| failed(&socket, &error))),
        }
        let listener = UnixListener::bind(&socket).map_err(|error| failed(&socket, &error))?;
        place::make_private(&socket)?;
        Ok(Self { socket, listener })
    }

    /// The file by which others find it.
    pub(super) fn trace(&self) -> &Path {
        &self.socket
    }

    /// The next who connects. May be cancelled.
    pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Connects to whoever serves the profile; none if nobody does.
pub(super) async fn connect(profile: &Path) -> Result<Option<UnixStream>, ControlError> {
    let Some(socket) = place::find(profile)? else { return Ok(None) };
    match UnixStream::connect(&socket).await {
        Ok(stream) => Ok(Some(stream)),
        // Whoever goes down resets what waits to be let in.
        Err(error) if is_nobody(error.kind()) || error.kind() == ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(failed(&socket, &error)),
    }
}

/// Nobody listens there: no file, or one that a dead process left.
fn is_nobody(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory)
}
