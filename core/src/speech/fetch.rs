//! Models from elsewhere: over HTTP, from several places, with pauses; or from a file.
//!
//! What a place gives is nothing until its SHA-256 is the manifest's: so a mirror need not be trusted, and need not be encrypted.
//! Bytes are kept in `NAME.part` beside the place of the model, and go on where they were, from whichever place; only what was
//! verified gets the model's name, by a rename.
//!
//! Does not choose models, and knows no profile. Everything here blocks, and belongs on a thread of its own.
//!
//! Invariants: one process fetches a model at a time (a locked file); no more than the manifest's size is written; a place that is
//! silent for [`Patience::silence`], lies or ends early costs that much time and no more, and the next one is asked.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::ModelFacts;
use super::model::{self, ModelError};
use crate::store::rename_durably;

/// Bytes that are read and written at a time.
const PIECE: usize = 64 * 1024;

/// A place that gives less than this for one request gives nothing worth asking again for.
const LEAST: u64 = 4 * 1024;

/// The longest address of a mirror, in bytes.
const MAX_ADDRESS: usize = 1024;

/// The most mirrors.
pub const MAX_MIRRORS: usize = 16;

/// How long a place may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until it answers.
    pub answer: Duration,
    /// Between two pieces.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(30), silence: Duration::from_secs(20) }
    }
}

/// What to do after a piece came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop here, and keep what came.
    Pause,
}

/// Why a model was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Somebody said so.
    #[error("the download of {name} was paused: {have} of {size} bytes are here, and the next one goes on from there")]
    Paused {
        /// The model's name.
        name: String,
        /// Bytes that are here.
        have: u64,
        /// Bytes in all.
        size: u64,
    },
    /// Another process, or another download of this one, is at it.
    #[error("{name} is being downloaded already")]
    Busy {
        /// The model's name.
        name: String,
    },
    /// No place gave it.
    #[error("{name} could not be downloaded: {}", reasons.join("; "))]
    NoPlace {
        /// The model's name.
        name: String,
        /// What each place did, the last ones.
        reasons: Vec<String>,
    },
    /// The model comes with Kith, and from nowhere else.
    #[error("{name} comes with Kith and is not downloaded")]
    ComesWithKith {
        /// The model's name.
        name: String,
    },
    /// There is no room left.
    #[error(
        "the disk is full: {have} of {size} bytes of {name} are here; make room for the rest, then go on with the download"
    )]
    DiskFull {
        /// The model's name.
        name: String,
        /// Bytes that are here.
        have: u64,
        /// Bytes in all.
        size: u64,
    },
    /// The folder of models cannot be written.
    #[error("{path} cannot be written: {kind}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        kind: ErrorKind,
    },
    /// Not the address of a mirror.
    #[error("{0:?} is not an address of a mirror, such as https://example.org/models")]
    Mirror(String),
    /// A file is not a model that Kith knows.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Checks the address of a mirror: a folder of files, by HTTP.
///
/// # Errors
/// [`FetchError::Mirror`].
pub fn check_mirror(address: &str) -> Result<(), FetchError> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let plain = |sign: char| sign.is_ascii_graphic() && !matches!(sign, '"' | '<' | '>' | '\\' | '#' | '?' | '@');
    let good = address.len() <= MAX_ADDRESS
        && rest.is_some_and(|rest| !rest.starts_with('/') && rest.len() > 1)
        && address.chars().all(plain);
    if good { Ok(()) } else { Err(FetchError::Mirror(address.to_owned())) }
}

/// Fetches a model into a folder: from the mirrors, in their order, and then from the official host. `look` is told how many bytes
/// are here.
///
/// # Errors
/// [`FetchError`].
pub fn fetch(
    facts: &ModelFacts,
    folder: &Path,
    mirrors: &[String],
    patience: Patience,
    mut look: impl FnMut(u64) -> Flow,
) -> Result<PathBuf, FetchError> {
    let mut places = Vec::new();
    for mirror in mirrors.iter().take(MAX_MIRRORS) {
        check_mirror(mirror)?;
        places.push(format!("{}/{}", mirror.trim_end_matches('/'), facts.file));
    }
    places.extend(facts.url.clone());
    if places.is_empty() {
        return Err(FetchError::ComesWithKith { name: facts.name.clone() });
    }
    let target = folder.join(&facts.file);
    let _alone = alone(facts, folder)?;
    if model::verify(&target, facts).is_ok() {
        return Ok(target);
    }
    let part = Part::open(facts, folder)?;
    let mut fetching = Fetching { facts, part, agent: agent(patience), reasons: Vec::new(), look: &mut look };
    fetching.gather(&places)?;
    finish(facts, folder, &target)?;
    Ok(target)
}

/// Takes a file that is one of the models into a folder, as a copy.
///
/// # Errors
/// [`FetchError`]; the file has to be one that the manifest names.
pub fn import<'a>(
    file: &Path,
    known: impl IntoIterator<Item = &'a ModelFacts>,
    folder: &Path,
) -> Result<&'a ModelFacts, FetchError> {
    let found = model::sha256_of(file)?;
    let facts = known.into_iter().find(|facts| facts.sha256 == found);
    let facts = facts
        .ok_or_else(|| ModelError::Unknown { path: file.to_owned(), found: data_encoding::HEXLOWER.encode(&found) })?;
    let _alone = alone(facts, folder)?;
    let mut part = Part::open(facts, folder)?;
    part.restart()?;
    let unreadable = |error: std::io::Error| ModelError::Unreadable { path: file.to_owned(), kind: error.kind() };
    let mut source = File::open(file).map_err(unreadable)?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = source.read(&mut piece).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        part.add(piece.get(..count).unwrap_or_default())?;
    }
    part.sync()?;
    finish(facts, folder, &folder.join(&facts.file))?;
    Ok(facts)
}

/// Bytes of a model that came and were not the whole yet.
#[must_use]
pub fn begun(facts: &ModelFacts, folder: &Path) -> u64 {
    part_path(facts, folder).metadata().map_or(0, |found| found.len().min(facts.size_bytes))
}

/// Whether somebody is at it.
#[must_use]
pub fn is_busy(facts: &ModelFacts, folder: &Path) -> bool {
    lock_path(facts, folder).exists() && matches!(alone(facts, folder), Err(FetchError::Busy { .. }))
}

/// Removes what is there of a model, whole or not.
///
/// # Errors
/// [`FetchError::Busy`] while it is being fetched, and [`FetchError::Folder`].
pub fn delete(facts: &ModelFacts, folder: &Path) -> Result<(), FetchError> {
    let alone = alone(facts, folder)?;
    for path in [folder.join(&facts.file), part_path(facts, folder)] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(FetchError::Folder { path, kind: error.kind() });
            }
            _ => {}
        }
    }
    drop(alone);
    // Whoever comes next makes it again.
    let _ = fs::remove_file(lock_path(facts, folder));
    Ok(())
}

fn part_path(facts: &ModelFacts, folder: &Path) -> PathBuf {
    folder.join(format!("{}.part", facts.file))
}

fn lock_path(facts: &ModelFacts, folder: &Path) -> PathBuf {
    folder.join(format!("{}.lock", facts.file))
}

/// Keeps others from the same model, until it is dropped.
fn alone(facts: &ModelFacts, folder: &Path) -> Result<File, FetchError> {
    let failed = |path: PathBuf, kind| FetchError::Folder { path, kind };
    if !folder.is_dir() {
        fs::create_dir_all(folder).map_err(|error| failed(folder.to_owned(), error.kind()))?;
    }
    let path = lock_path(facts, folder);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| failed(path.clone(), error.kind()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy { name: facts.name.clone() }),
        Err(TryLockError::Error(error)) => Err(failed(path, error.kind())),
    }
}

/// What came is whole: it becomes the model if it is the right one.
fn finish(facts: &ModelFacts, folder: &Path, target: &Path) -> Result<(), FetchError> {
    let part = part_path(facts, folder);
    model::verify(&part, facts)?;
    rename_durably(&part, target).map_err(|_| FetchError::Folder { path: target.to_owned(), kind: ErrorKind::Other })
}

fn agent(patience: Patience) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .user_agent("kith")
        .timeout_connect(Some(patience.answer))
        .timeout_recv_response(Some(patience.answer))
        .timeout_per_read(Some(patience.silence))
        .http_status_as_error(false);
    config.build().into()
}

/// The file that a model comes into.
struct Part<'a> {
    facts: &'a ModelFacts,
    path: PathBuf,
    file: File,
    have: u64,
}

impl<'a> Part<'a> {
    fn open(facts: &'a ModelFacts, folder: &Path) -> Result<Self, FetchError> {
        let path = part_path(facts, folder);
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = file.map_err(|error| FetchError::Folder { path: path.clone(), kind: error.kind() })?;
        let have = file.seek(SeekFrom::End(0)).unwrap_or_default();
        let mut part = Self { facts, path, file, have };
        if have > facts.size_bytes {
            part.restart()?;
        }
        Ok(part)
    }

    fn restart(&mut self) -> Result<(), FetchError> {
        self.have = 0;
        let emptied = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        emptied.map(drop).map_err(|error| self.failed(&error))
    }

    fn add(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        let room = self.facts.size_bytes.saturating_sub(self.have);
        let piece = piece.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(piece);
        if let Err(error) = self.file.write_all(piece) {
            // A part of the piece may be written: what is known to be there is what the file says.
            self.have = self.file.seek(SeekFrom::End(0)).unwrap_or(self.have);
            return Err(self.failed(&error));
        }
        self.have = self.have.saturating_add(piece.len() as u64);
        Ok(())
    }

    fn sync(&self) -> Result<(), FetchError> {
        self.file.sync_all().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> FetchError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                FetchError::DiskFull { name: self.facts.name.clone(), have: self.have, size: self.facts.size_bytes }
            }
            kind => FetchError::Folder { path: self.path.clone(), kind },
        }
    }

    fn is_whole(&self) -> bool {
        self.have >= self.facts.size_bytes
    }
}

/// What a place did wrong.
struct Fault {
    reason: String,
    /// It said nothing for too long.
    silent: bool,
}

impl Fault {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), silent: false }
    }

    fn of(error: &ureq::Error) -> Self {
        Self { reason: error.to_string(), silent: matches!(error, ureq::Error::Timeout(_)) }
    }
}

struct Fetching<'a, L> {
    facts: &'a ModelFacts,
    part: Part<'a>,
    agent: ureq::Agent,
    /// What went wrong at each place.
    reasons: Vec<String>,
    look: &'a mut L,
}

impl<L: FnMut(u64) -> Flow> Fetching<'_, L> {
    /// First from wherever it comes, each place going on where the last one ended. If that was wrong, nobody knows who lied: then
    /// all of it from one place, for each of them.
    fn gather(&mut self, places: &[String]) -> Result<(), FetchError> {
        // Who gave all of it, if one did.
        let mut alone = (self.part.have == 0).then_some(None);
        for place in places {
            if self.part.is_whole() {
                break;
            }
            let before = self.part.have;
            self.exhaust(place)?;
            if self.part.have > before {
                alone = match alone {
                    Some(None) => Some(Some(place)),
                    _ => None,
                };
            }
        }
        if self.is_right()? {
            return Ok(());
        }
        let liar = alone.flatten();
        let whole = self.part.is_whole();
        if !whole && liar.is_none() && places.len() < 2 {
            return Err(self.no_place());
        }
        if whole {
            self.reasons.push(match liar {
                Some(place) => format!("{place} gave something else"),
                None => "what came from several places does not fit together".to_owned(),
            });
        } else {
            // No place gave the rest; what came stays for another time.
            return Err(self.no_place());
        }
        for place in places.iter().filter(|place| Some(*place) != liar) {
            self.part.restart()?;
            self.exhaust(place)?;
            if self.is_right()? {
                return Ok(());
            }
            if self.part.is_whole() {
                self.reasons.push(format!("{place} gave something else"));
            }
        }
        if self.part.is_whole() {
            // Nothing of it is worth keeping.
            self.part.restart()?;
        }
        Err(self.no_place())
    }

    fn is_right(&self) -> Result<bool, FetchError> {
        if !self.part.is_whole() {
            return Ok(false);
        }
        self.part.sync()?;
        Ok(model::verify(&self.part.path, self.facts).is_ok())
    }

    fn no_place(&mut self) -> FetchError {
        FetchError::NoPlace { name: self.facts.name.clone(), reasons: std::mem::take(&mut self.reasons) }
    }

    /// Asks one place until it has given all, or gives no more.
    fn exhaust(&mut self, place: &str) -> Result<(), FetchError> {
        let mut best = self.part.have;
        loop {
            let outcome = self.ask(place)?;
            let gained = self.part.have.saturating_sub(best);
            best = best.max(self.part.have);
            match outcome {
                _ if self.part.is_whole() => return Ok(()),
                Ok(()) if gained >= LEAST => {}
                Ok(()) => {
                    self.reasons.push(format!("{place} ended early"));
                    return Ok(());
                }
                // A place that cuts long answers off may be asked for the rest; one that falls silent has had its time.
                Err(fault) if gained >= LEAST && !fault.silent => {}
                Err(fault) => {
                    self.reasons.push(format!("{place}: {}", fault.reason));
                    return Ok(());
                }
            }
        }
    }

    /// One request. The inner error is the place's fault.
    fn ask(&mut self, place: &str) -> Result<Result<(), Fault>, FetchError> {
        if (self.look)(self.part.have) == Flow::Pause {
            return Err(self.paused());
        }
        let range = format!("bytes={}-", self.part.have);
        let mut response = match self.agent.get(place).header("Range", range).call() {
            Ok(response) => response,
            Err(error) => return Ok(Err(Fault::of(&error))),
        };
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        match response.status().as_u16() {
            206 => {
                let begins = header("content-range").and_then(|text| {
                    let (first, _) = text.strip_prefix("bytes ")?.split_once('-')?;
                    first.trim().parse::<u64>().ok()
                });
                if begins != Some(self.part.have) {
                    return Ok(Err(Fault::new("it answers with another part than was asked for")));
                }
            }
            200 => {
                let length = header("content-length").and_then(|text| text.parse::<u64>().ok());
                if length.is_some_and(|length| length != self.facts.size_bytes) {
                    return Ok(Err(Fault::new("what it has is of another size")));
                }
                self.part.restart()?;
            }
            status => return Ok(Err(Fault::new(format!("it answers with status {status}")))),
        }
        let left = self.facts.size_bytes.saturating_sub(self.part.have);
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader().take(left);
        let mut piece = vec![0; PIECE];
        loop {
            let count = match body.read(&mut piece) {
                Ok(0) => return Ok(Ok(())),
                Ok(count) => count,
                Err(error) => {
                    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
                    let silent = error.kind() == ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_)));
                    return Ok(Err(Fault { reason: error.to_string(), silent }));
                }
            };
            self.part.add(piece.get(..count).unwrap_or_default())?;
            if (self.look)(self.part.have) == Flow::Pause {
                return Err(self.paused());
            }
        }
    }

    fn paused(&self) -> FetchError {
        let (name, size) = (self.facts.name.clone(), self.facts.size_bytes);
        FetchError::Paused { name, have: self.part.have, size }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "places to fetch from, as they behave and misbehave")]
mod tests;
