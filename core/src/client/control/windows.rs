//! On Windows: a named pipe.
//!
//! Names of pipes are everybody's. So each has one that nobody can guess, which the file `control.path` of the profile says, and its server
//! holds the file `control.lock` as long as it serves: a name that a dead process left, and that somebody else may have taken since, is not
//! believed. Both files lie in the profile's directory, which is the user's own. Windows lets the user and administrators write to the
//! pipe, and others read the greeting; from other machines nobody comes.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions};

use super::{ControlError, MAX_CALLERS, failed, remove};
use crate::store::{create_private_dir, write_private};

/// Says what the pipe is called.
const POINTER: &str = "control.path";

/// Held by whoever serves.
const LOCK: &str = "control.lock";

/// What the names of all pipes begin with.
const PIPES: &str = r"\\.\pipe\kith-";

/// Bytes of a name that are random.
const RANDOM: usize = 16;

/// The longest pointer worth reading.
const MAX_POINTER: u64 = 100;

/// Ends of the pipe at once: those of all callers, one that waits for the next, and some that are being turned away.
const MAX_ENDS: usize = MAX_CALLERS + 8;

/// What is taken for a moment is tried so often, and so long after each other.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// `ERROR_PIPE_BUSY`.
const BUSY: i32 = 231;

/// A pipe that others can connect to.
pub(super) struct Listener {
    name: String,
    pointer: PathBuf,
    /// The end for the next who connects.
    waiting: Option<NamedPipeServer>,
    _lock: File,
}

impl Listener {
    /// Takes the profile's place; what a dead process left is replaced.
    pub(super) async fn bind(profile: &Path) -> Result<Self, ControlError> {
        create_private_dir(profile).map_err(|error| refused(profile, &error))?;
        let (pointer, lock) = (profile.join(POINTER), profile.join(LOCK));
        let lock = hold(&lock).await?;
        remove(&pointer)?;
        let name = fresh_name().ok_or_else(|| refused(&pointer, &"the system has no randomness"))?;
        let waiting = options().first_pipe_instance(true).create(&name).map_err(|error| failed(&pointer, &error))?;
        write_private(&pointer, name.as_bytes()).map_err(|error| refused(&pointer, &error))?;
        Ok(Self { name, pointer, waiting: Some(waiting), _lock: lock })
    }

    /// The file by which others find it.
    pub(super) fn trace(&self) -> &Path {
        &self.pointer
    }

    /// The next who connects. May be cancelled.
    pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        let end = match self.waiting.take() {
            Some(end) => self.waiting.insert(end),
            None => self.waiting.insert(options().create(&self.name)?),
        };
        if let Err(error) = end.connect().await {
            // Whoever came has gone.
            self.waiting = None;
            return Err(error);
        }
        // There is an end for the next before this one is handed out, so that the name stays taken.
        let next = options().create(&self.name)?;
        self.waiting.replace(next).ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

/// Takes the lock, which others hold for a moment only while they look whether somebody serves.
async fn hold(path: &Path) -> Result<File, ControlError> {
    let lock = File::options().create(true).truncate(false).write(true).open(path);
    let lock = lock.map_err(|error| failed(path, &error))?;
    for _ in 0..TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(failed(path, &error)),
        }
    }
    Err(ControlError::AlreadyOpen)
}

fn options() -> ServerOptions {
    let mut options = ServerOptions::new();
    options.reject_remote_clients(true).max_instances(MAX_ENDS);
    options
}

/// Connects to whoever serves the profile; none if nobody does.
pub(super) async fn connect(profile: &Path) -> Result<Option<NamedPipeClient>, ControlError> {
    let Some(name) = find(profile)? else { return Ok(None) };
    for _ in 0..TRIES {
        match ClientOptions::new().open(&name) {
            Ok(pipe) => return Ok(Some(pipe)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.raw_os_error() == Some(BUSY) => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(failed(&profile.join(POINTER), &error)),
        }
    }
    Err(refused(&profile.join(POINTER), &"it has too many callers"))
}

/// The name of the pipe of whoever serves the profile now.
fn find(profile: &Path) -> Result<Option<String>, ControlError> {
    let (pointer, lock) = (profile.join(POINTER), profile.join(LOCK));
    let is_nowhere = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
    match File::open(&lock) {
        Ok(lock_file) => match lock_file.try_lock_shared() {
            // Nobody holds it.
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(&lock, &error)),
        },
        Err(error) if is_nowhere(error.kind()) => return Ok(None),
        Err(error) => return Err(failed(&lock, &error)),
    }
    let mut name = String::new();
    let read = File::open(&pointer).and_then(|file| file.take(MAX_POINTER).read_to_string(&mut name));
    match read {
        Ok(_) if is_own(&name) => Ok(Some(name)),
        Ok(_) => Err(ControlError::NotOurs { path: pointer }),
        // It is being begun, or ended.
        Err(error) if is_nowhere(error.kind()) => Ok(None),
        Err(error) => Err(failed(&pointer, &error)),
    }
}

fn fresh_name() -> Option<String> {
    let mut random = [0; RANDOM];
    SystemRandom::new().fill(&mut random).ok()?;
    Some(format!("{PIPES}{}", data_encoding::HEXLOWER.encode(&random)))
}

fn is_own(name: &str) -> bool {
    let random = name.strip_prefix(PIPES).and_then(|random| data_encoding::HEXLOWER.decode(random.as_bytes()).ok());
    random.is_some_and(|random| random.len() == RANDOM)
}

fn refused(path: &Path, why: &dyn std::fmt::Display) -> ControlError {
    ControlError::Path { path: path.to_owned(), reason: why.to_string() }
}
