//! Loading a model: found, whole, the right one, and only then given to whisper.cpp.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Once;

use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use whisper_rs::{WhisperContext, WhisperContextParameters};

use super::ggml::{self, Flaw};
use super::manifest::{Kind, Manifest, ManifestError, ModelFacts};

/// Bytes read from the file at a time: large enough that hashing and not calls is what takes time.
const READ_BUFFER: usize = 1 << 16;

/// Why a model was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// There is no such file.
    #[error("there is no speech model at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the speech model at {} cannot be read: {kind}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        kind: ErrorKind,
    },
    /// The file is something else.
    #[error("{} is not a speech model for Whisper: {reason}", path.display())]
    NotAModel {
        /// Where it is.
        path: PathBuf,
        /// What gave it away.
        reason: &'static str,
    },
    /// The file ends before the model does: a download that broke off.
    #[error("the speech model at {} is cut short: download it again", path.display())]
    CutShort {
        /// Where it is.
        path: PathBuf,
    },
    /// The file has the name of a known model and another content.
    #[error("the speech model {name} is not the one it claims to be: its SHA-256 is {found}, not {expected}")]
    WrongHash {
        /// The name of the known model.
        name: String,
        /// Its SHA-256, in hexadecimal.
        expected: String,
        /// That of the file.
        found: String,
    },
    /// No known model has this name or content.
    #[error("{} is not one of the known speech models (SHA-256 {found})", path.display())]
    Unknown {
        /// Where it is.
        path: PathBuf,
        /// The SHA-256 of the file, in hexadecimal.
        found: String,
    },
    /// whisper.cpp refused a file that looks right.
    #[error("Whisper refuses the speech model at {}: {reason}", path.display())]
    Refused {
        /// Where it is.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// The manifest itself is broken.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Whether a file is the one that the manifest names as a detector of speech; its name.
pub(super) fn verify_detector(path: &Path) -> Result<String, ModelError> {
    let manifest = Manifest::built_in()?;
    let found = sha256_of(path)?;
    match manifest.by_sha256(&found) {
        Some(facts) if facts.kind == Kind::Detector => Ok(facts.name.clone()),
        _ => Err(ModelError::Unknown { path: path.to_owned(), found: HEXLOWER.encode(&found) }),
    }
}

/// The SHA-256 of a file. Blocks: reads all of it.
///
/// # Errors
/// [`ModelError::Missing`] and [`ModelError::Unreadable`].
pub(super) fn sha256_of(path: &Path) -> Result<[u8; 32], ModelError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => ModelError::Missing { path: path.to_owned() },
        kind => ModelError::Unreadable { path: path.to_owned(), kind },
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut file = Hashing { inner: file, hash: Context::new(&SHA256) };
    std::io::copy(&mut BufReader::with_capacity(READ_BUFFER, &mut file), &mut std::io::sink()).map_err(unreadable)?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(file.hash.finish().as_ref());
    Ok(sha256)
}

/// Whether a file is what a model's entry in the manifest says: of a model for Whisper its form too.
pub(super) fn verify(path: &Path, facts: &ModelFacts) -> Result<(), ModelError> {
    let found = match facts.kind {
        Kind::Speech => inspect(path)?,
        Kind::Detector => sha256_of(path)?,
    };
    if found == facts.sha256 {
        return Ok(());
    }
    let expected = HEXLOWER.encode(&facts.sha256);
    Err(ModelError::WrongHash { name: facts.name.clone(), expected, found: HEXLOWER.encode(&found) })
}

/// A model's file, to be loaded when there is something to listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Where it is.
    pub path: PathBuf,
    /// A person named the file, and takes the risk that the manifest does not know it ([`Model::load_unlisted`]).
    pub unlisted: bool,
}

impl ModelFile {
    /// One of the models that the manifest names.
    #[must_use]
    pub fn listed(path: PathBuf) -> Self {
        Self { path, unlisted: false }
    }

    pub(super) fn load(&self) -> Result<Model, ModelError> {
        if self.unlisted { Model::load_unlisted(&self.path) } else { Model::load(&self.path) }
    }
}

/// A model in memory, ready to listen.
pub struct Model {
    pub(super) context: WhisperContext,
    name: String,
    translates: Option<bool>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Model {
    /// Loads one of the models that the manifest names. Blocks: reads the whole file twice.
    ///
    /// # Errors
    /// [`ModelError`]: missing, unreadable, not a model, cut short, not the one it claims to be, or not known.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        Self::load_from(path, &Manifest::built_in()?)
    }

    /// Loads one of the models that `manifest` names.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_from(path: &Path, manifest: &Manifest) -> Result<Self, ModelError> {
        let sha256 = inspect(path)?;
        let found = HEXLOWER.encode(&sha256);
        if let Some(facts) = manifest.by_sha256(&sha256) {
            return Self::open(path, facts.name.clone(), Some(facts.translates));
        }
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Err(match manifest.by_file(file) {
            Some(facts) => {
                ModelError::WrongHash { name: facts.name.clone(), expected: HEXLOWER.encode(&facts.sha256), found }
            }
            None => ModelError::Unknown { path: path.to_owned(), found },
        })
    }

    /// Loads any file that has the form of a model, because a person said so: whisper.cpp is not made for hostile files,
    /// and form is all that can be checked. It is called by the name of its file.
    ///
    /// # Errors
    /// As [`Self::load`], but for what the manifest would say.
    pub fn load_unlisted(path: &Path) -> Result<Self, ModelError> {
        inspect(path)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self::open(path, name, None)
    }

    /// The short name that transcripts carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it turns other languages into English; none if nobody knows.
    pub(super) fn translates(&self) -> Option<bool> {
        self.translates
    }

    fn open(path: &Path, name: String, translates: Option<bool>) -> Result<Self, ModelError> {
        log_through_tracing();
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())
            .map_err(|error| ModelError::Refused { path: path.to_owned(), reason: error.to_string() })?;
        Ok(Self { context, name, translates })
    }
}

/// whisper.cpp and ggml write to standard error unless told otherwise; from here on they are `tracing` events with
/// the targets `whisper_rs::whisper_logging_hook` and `whisper_rs::ggml_logging_hook`.
pub(super) fn log_through_tracing() {
    static ONCE: Once = Once::new();
    ONCE.call_once(whisper_rs::install_logging_hooks);
}

/// Reads the whole file: its form, and its SHA-256.
fn inspect(path: &Path) -> Result<[u8; 32], ModelError> {
    let unreadable = |kind| match kind {
        ErrorKind::NotFound => ModelError::Missing { path: path.to_owned() },
        kind => ModelError::Unreadable { path: path.to_owned(), kind },
    };
    let file = File::open(path).map_err(|error| unreadable(error.kind()))?;
    let mut file = BufReader::with_capacity(READ_BUFFER, Hashing { inner: file, hash: Context::new(&SHA256) });
    ggml::inspect(&mut file).map_err(|flaw| match flaw {
        Flaw::CutShort => ModelError::CutShort { path: path.to_owned() },
        Flaw::NotAModel(reason) => ModelError::NotAModel { path: path.to_owned(), reason },
        Flaw::Io(kind) => unreadable(kind),
    })?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(file.into_inner().hash.finish().as_ref());
    Ok(sha256)
}

/// Hashes all that is read through it.
struct Hashing {
    inner: File,
    hash: Context,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/ggml-kith-test.en.bin")
    }

    #[test]
    fn a_known_model_loads_whatever_its_file_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("renamed.bin");
        std::fs::copy(path(), &copy).unwrap();
        assert_eq!(Model::load(&copy).unwrap().name(), "kith-test.en");
    }

    #[test]
    fn missing_foreign_and_broken_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let model = std::fs::read(path()).unwrap();
        let error = |path: &Path| Model::load(path).unwrap_err();

        let nowhere = folder.path().join("nowhere.bin");
        assert_eq!(error(&nowhere), ModelError::Missing { path: nowhere });
        assert!(matches!(error(folder.path()), ModelError::Unreadable { .. }));
        let page = file("page.bin", b"<!DOCTYPE html><title>Not found</title>");
        assert!(matches!(error(&page), ModelError::NotAModel { .. }));
        let empty = file("empty.bin", b"");
        assert_eq!(error(&empty), ModelError::CutShort { path: empty });
        let cut = file("cut.bin", &model[..model.len() - 1]);
        assert_eq!(error(&cut), ModelError::CutShort { path: cut });

        let mut other = model;
        *other.last_mut().unwrap() ^= 1;
        let unknown = file("other.bin", &other);
        assert!(matches!(error(&unknown), ModelError::Unknown { .. }));
        assert_eq!(Model::load_unlisted(&unknown).unwrap().name(), "other");
        let impostor = file("ggml-kith-test.en.bin", &other);
        let ModelError::WrongHash { name, expected, found } = error(&impostor) else { panic!("it was accepted") };
        assert_eq!(name, "kith-test.en");
        assert!(expected.starts_with("2235e2c8") && expected != found);
    }
}
