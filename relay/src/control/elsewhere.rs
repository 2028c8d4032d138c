//! Systems without unix sockets: no relay is ever found running, and the commands are done to the store of a stopped one.

use std::convert::Infallible;
use std::io;
use std::path::Path;

use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{Answer, Control};
use crate::server::Handle;

/// Refuses.
pub(crate) fn listen(_path: &Path) -> io::Result<Infallible> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Never.
pub(crate) async fn serve(
    listener: Infallible,
    _handle: Handle,
    _keys: Zeroizing<Vec<u8>>,
    _stopping: CancellationToken,
) {
    match listener {}
}

/// Nobody.
///
/// # Errors
/// [`io::ErrorKind::NotFound`], always.
pub async fn ask(_socket: &Path, _control: &Control) -> io::Result<Answer> {
    Err(io::ErrorKind::NotFound.into())
}
