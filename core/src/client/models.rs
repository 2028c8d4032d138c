//! The models of speech: which there are, fetching and deleting them, and how fast each is here.
//!
//! [`ModelShelf`] needs no profile; a client adds that downloads run beside it and are told as events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::speech_options::{BUILT_IN, Models};
use super::{Client, ClientError};
use crate::session::Event as Told;
use crate::speech::fetch::{self, FetchError, Flow, Patience};
use crate::speech::{Manifest, ModelError, ModelFacts, ModelFile, ModelKind, Options, Task, Transcriber};
use crate::store;
use crate::voice::{self, Pcm, SPEECH_RATE};
use crate::wire::control::{Code, Event, Said, SpeechModel};

/// How fast models were here, beside those that were fetched.
const SPEEDS: &str = "speeds.json";

/// The longest such file that is read.
const MAX_SPEEDS: u64 = 64 * 1024;

/// What is listened to for measuring: ten seconds of our demo's notes.
const SPOKEN: [&[u8]; 2] =
    [include_bytes!("../../../assets/demo/meet-me.wav"), include_bytes!("../../../assets/demo/the-code.wav")];
const MEASURED: Duration = Duration::from_secs(10);

/// A download is told as an event whenever so many per mille came.
const STEPS: u64 = 200;

/// Downloads at the same time: more only share the line.
const MAX_DOWNLOADS: usize = 2;

/// The models of this user.
#[derive(Debug, Clone)]
pub struct ModelShelf {
    models: Models,
    mirrors: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Speeds(BTreeMap<String, f32>);

impl ModelShelf {
    /// Those in the folder named; or those beside the program, and those among the user's data. Mirrors are asked before the
    /// official host.
    ///
    /// # Errors
    /// When a mirror's address is none.
    pub fn new(folder: Option<&Path>, mirrors: Vec<String>) -> Result<Self, ClientError> {
        mirrors.iter().try_for_each(|mirror| fetch::check_mirror(mirror))?;
        Ok(Self { models: Models::new(folder), mirrors })
    }

    fn facts(name: &str) -> Result<ModelFacts, ClientError> {
        let manifest = Manifest::built_in().map_err(ModelError::from)?;
        manifest.by_name(name).cloned().ok_or_else(|| ClientError::UnknownModel(name.to_owned()))
    }

    fn folder(&self) -> Result<&Path, ClientError> {
        self.models.fetched().ok_or(ClientError::NoDirectory)
    }

    /// All models that Kith knows, from the least to the best, and how each stands.
    ///
    /// # Errors
    /// When the manifest is broken, which a test rules out.
    pub fn list(&self) -> Result<Vec<SpeechModel>, ClientError> {
        let manifest = Manifest::built_in().map_err(ModelError::from)?;
        let speeds = self.speeds();
        Ok(manifest.models.iter().map(|facts| self.view(facts, &speeds)).collect())
    }

    /// How one stands.
    ///
    /// # Errors
    /// When Kith knows none of this name.
    pub fn model(&self, name: &str) -> Result<SpeechModel, ClientError> {
        Ok(self.view(&Self::facts(name)?, &self.speeds()))
    }

    fn view(&self, facts: &ModelFacts, speeds: &Speeds) -> SpeechModel {
        let here = self.models.file(facts).is_some();
        let begun = self.models.fetched().map_or(0, |folder| fetch::begun(facts, folder));
        let (state, have_bytes) = match (here, begun) {
            (true, _) if facts.url.is_none() => ("built_in", facts.size_bytes),
            (true, _) => ("here", facts.size_bytes),
            (false, 0) => ("missing", 0),
            (false, begun) => ("paused", begun),
        };
        SpeechModel {
            name: facts.name.clone(),
            kind: if facts.kind == ModelKind::Detector { "detector" } else { "speech" }.to_owned(),
            about: facts.about.clone(),
            languages: facts.languages.clone(),
            translates: facts.translates,
            size_bytes: facts.size_bytes,
            memory_bytes: facts.memory_bytes,
            state: state.to_owned(),
            have_bytes,
            speed_percent: speeds.0.get(&facts.name).map(|speed| (speed * 100.0) as u32),
            problem: None,
        }
    }

    /// Fetches a model, and tells how many bytes are here. Blocks until that is done or somebody pauses it: here, or in another
    /// process by [`Self::pause`].
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn download(&self, name: &str, mut look: impl FnMut(u64) -> bool) -> Result<(), ClientError> {
        let facts = Self::facts(name)?;
        let folder = self.folder()?;
        let mark = pause_mark(&facts, folder);
        // Who asks for it wants it to go on.
        let _ = std::fs::remove_file(&mark);
        let look = |have| if look(have) && !mark.exists() { Flow::Continue } else { Flow::Pause };
        let outcome = fetch::fetch(&facts, folder, &self.mirrors, Patience::default(), look);
        let _ = std::fs::remove_file(&mark);
        outcome?;
        Ok(())
    }

    /// Asks whoever is fetching a model to stop; what came is kept.
    ///
    /// # Errors
    /// When there is none of this name, or the folder cannot be written.
    pub fn pause(&self, name: &str) -> Result<(), ClientError> {
        let facts = Self::facts(name)?;
        if !self.is_running(&facts)? {
            return Ok(());
        }
        let mark = pause_mark(&facts, self.folder()?);
        std::fs::write(&mark, []).map_err(|error| FetchError::Folder { path: mark.clone(), kind: error.kind() })?;
        Ok(())
    }

    fn is_running(&self, facts: &ModelFacts) -> Result<bool, ClientError> {
        Ok(fetch::is_busy(facts, self.folder()?))
    }

    /// Removes a model, whole or not.
    ///
    /// # Errors
    /// When there is none of this name, it is being fetched, or it comes with Kith.
    pub fn delete(&self, name: &str) -> Result<(), ClientError> {
        let facts = Self::facts(name)?;
        if facts.url.is_none() {
            return Err(FetchError::ComesWithKith { name: name.to_owned() }.into());
        }
        Ok(fetch::delete(&facts, self.folder()?)?)
    }

    /// Takes a model from a file, as a copy. Blocks.
    ///
    /// # Errors
    /// When it is none that Kith knows.
    pub fn import(&self, file: &Path) -> Result<SpeechModel, ClientError> {
        let manifest = Manifest::built_in().map_err(ModelError::from)?;
        let facts = fetch::import(file, &manifest.models, self.folder()?)?;
        Ok(self.view(facts, &self.speeds()))
    }

    /// Measures how fast a model is on this machine, and keeps that: how many seconds of speech in a second. Blocks.
    ///
    /// # Errors
    /// When the model is not here, or cannot listen.
    pub fn bench(&self, name: &str) -> Result<SpeechModel, ClientError> {
        let facts = Self::facts(name)?;
        if facts.kind == ModelKind::Detector {
            return Err(ClientError::NoModel(name.to_owned()));
        }
        let path = self.models.file(&facts).ok_or_else(|| ClientError::NoModel(name.to_owned()))?;
        let transcriber = Transcriber::start(ModelFile::listed(path), Options::default())?;
        let task = || Task { everything: true, ..Task::default() };
        let sound = measured_sound()?;
        // Loading is not measured: it happens once.
        let second =
            Pcm { rate: SPEECH_RATE, samples: sound.samples.iter().copied().take(SPEECH_RATE as usize).collect() };
        transcriber.transcribe_as(second, task(), |_| {})?;
        let begin = Instant::now();
        transcriber.transcribe_as(sound, task(), |_| {})?;
        let speed = MEASURED.as_secs_f32() / begin.elapsed().as_secs_f32().max(0.001);
        let mut speeds = self.speeds();
        speeds.0.insert(facts.name.clone(), speed);
        self.keep_speeds(&speeds)?;
        Ok(self.view(&facts, &speeds))
    }

    fn speeds_path(&self) -> Option<PathBuf> {
        Some(self.models.fetched()?.join(SPEEDS))
    }

    /// What cannot be read is measured again.
    fn speeds(&self) -> Speeds {
        let path = self.speeds_path().filter(|path| path.metadata().is_ok_and(|found| found.len() <= MAX_SPEEDS));
        let text = path.and_then(|path| std::fs::read(path).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn keep_speeds(&self, speeds: &Speeds) -> Result<(), ClientError> {
        let folder = self.folder()?;
        if !folder.is_dir() {
            std::fs::create_dir_all(folder)
                .map_err(|error| FetchError::Folder { path: folder.to_owned(), kind: error.kind() })?;
        }
        let json = serde_json::to_vec(speeds).map_err(|error| ClientError::Write(error.to_string()))?;
        store::write_private(&folder.join(SPEEDS), &json)?;
        Ok(())
    }
}

/// Ten seconds of speech.
fn measured_sound() -> Result<Pcm, ClientError> {
    let mut samples = Vec::new();
    for wav in SPOKEN.iter().cycle().take(16) {
        let sound = voice::wav::decode(wav).map_err(voice::note::NoteError::from)?;
        samples.extend(sound.at_rate(SPEECH_RATE).map_err(voice::note::NoteError::from)?.samples);
    }
    samples.truncate(MEASURED.as_secs() as usize * SPEECH_RATE as usize);
    Ok(Pcm { rate: SPEECH_RATE, samples })
}

fn pause_mark(facts: &ModelFacts, folder: &Path) -> PathBuf {
    folder.join(format!("{}.pause", facts.file))
}

/// The downloads of a client.
#[derive(Default)]
pub(super) struct Downloads {
    running: Mutex<BTreeMap<String, Arc<AtomicBool>>>,
    /// Why the last one of each came to nothing.
    problems: Mutex<BTreeMap<String, Said>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    fn shelf(&self) -> ModelShelf {
        let speech = &self.inner.speech;
        ModelShelf { models: speech.models.clone(), mirrors: speech.choices.now().mirrors }
    }

    pub(super) fn model_list(&self) -> Result<Vec<SpeechModel>, ClientError> {
        let list = self.shelf().list()?;
        Ok(list.into_iter().map(|model| self.with_download(model)).collect())
    }

    /// What is known of a download beside what is on the disk.
    fn with_download(&self, mut model: SpeechModel) -> SpeechModel {
        let downloads = &self.inner.speech.downloads;
        if lock(&downloads.running).contains_key(&model.name) {
            model.state = "downloading".to_owned();
        }
        model.problem = lock(&downloads.problems).get(&model.name).cloned().map(Box::new);
        model
    }

    fn tell_model(&self, model: SpeechModel) {
        self.inner.session.tell(Told::Client(Box::new(Event::Model { model: self.with_download(model) })));
    }

    /// Begins a download, or goes on with one; how it goes is told as events.
    pub(super) fn download_model(&self, name: String) -> Result<(), ClientError> {
        let shelf = self.shelf();
        let facts = ModelShelf::facts(&name)?;
        let downloads = &self.inner.speech.downloads;
        let stop = Arc::new(AtomicBool::new(false));
        {
            let mut running = lock(&downloads.running);
            if running.contains_key(&name) {
                return Ok(());
            }
            if running.len() >= MAX_DOWNLOADS {
                return Err(ClientError::ManyDownloads);
            }
            running.insert(name.clone(), Arc::clone(&stop));
        }
        lock(&downloads.problems).remove(&name);
        let weak = Arc::downgrade(&self.inner);
        let work = move || {
            let client = || weak.upgrade().map(|inner| Client { inner });
            let mut told = 0;
            let outcome = shelf.download(&name, |have| {
                let Some(client) = client() else { return false };
                let step = have.saturating_mul(STEPS) / facts.size_bytes.max(1);
                if step > told || have == 0 {
                    told = step;
                    if let Ok(model) = shelf.model(&name) {
                        client.tell_model(SpeechModel { have_bytes: have, ..model });
                    }
                }
                !stop.load(Ordering::Relaxed)
            });
            let Some(client) = client() else { return };
            let downloads = &client.inner.speech.downloads;
            lock(&downloads.running).remove(&name);
            match outcome {
                Ok(()) | Err(ClientError::Fetch(FetchError::Paused { .. })) => {}
                Err(error) => {
                    lock(&downloads.problems).insert(name.clone(), failed(&name, &error));
                }
            }
            if let Ok(model) = shelf.model(&name) {
                client.tell_model(model);
            }
        };
        // It ends with the process, or when the client has gone.
        drop(tokio::task::spawn_blocking(work));
        Ok(())
    }

    pub(super) fn pause_model(&self, name: &str) -> Result<(), ClientError> {
        if let Some(stop) = lock(&self.inner.speech.downloads.running).get(name) {
            stop.store(true, Ordering::Relaxed);
            return Ok(());
        }
        self.shelf().pause(name)
    }

    pub(super) async fn delete_model(&self, name: String) -> Result<(), ClientError> {
        let shelf = self.shelf();
        let model = blocking(move || {
            shelf.delete(&name)?;
            shelf.model(&name)
        });
        self.tell_model(model.await?);
        Ok(())
    }

    pub(super) async fn import_model(&self, file: PathBuf) -> Result<SpeechModel, ClientError> {
        let shelf = self.shelf();
        let model = blocking(move || shelf.import(&file)).await?;
        self.tell_model(model.clone());
        Ok(model)
    }

    pub(super) async fn bench_model(&self, name: String) -> Result<SpeechModel, ClientError> {
        let shelf = self.shelf();
        let name = if name.is_empty() { BUILT_IN.to_owned() } else { name };
        let model = blocking(move || shelf.bench(&name)).await?;
        self.tell_model(model.clone());
        Ok(model)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ClientError::Ending)?
}

/// Why a download came to nothing.
fn failed(name: &str, error: &ClientError) -> Said {
    let code = match error {
        ClientError::Fetch(FetchError::NoPlace { .. }) => Code::ModelUnavailable,
        ClientError::Fetch(FetchError::DiskFull { .. }) => Code::ModelDiskFull,
        _ => Code::ModelFailed,
    };
    Said::new(code, error).of(name).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(folder: &Path) -> ModelShelf {
        ModelShelf::new(Some(folder), Vec::new()).unwrap()
    }

    #[test]
    fn the_list_says_how_each_model_stands() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path());
        let model = |name: &str| shelf.model(name).unwrap();
        assert_eq!((model("tiny").state.as_str(), model(BUILT_IN).state.as_str()), ("missing", "missing"));
        std::fs::write(folder.path().join("ggml-tiny.bin.part"), [0; 999]).unwrap();
        assert_eq!((model("tiny").state.as_str(), model("tiny").have_bytes), ("paused", 999));
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/ggml-kith-test.en.bin");
        assert_eq!(shelf.import(&built_in).unwrap().state, "built_in");
        assert!(shelf.list().unwrap().len() > 10);
        assert_eq!(shelf.model("none"), Err(ClientError::UnknownModel("none".into())));
        assert!(matches!(shelf.delete(BUILT_IN), Err(ClientError::Fetch(FetchError::ComesWithKith { .. }))));
        shelf.delete("tiny").unwrap();
        assert_eq!(model("tiny").state, "missing");
        assert!(ModelShelf::new(None, vec!["nonsense".into()]).is_err());
        // Nobody is fetching it: there is nothing to stop.
        shelf.pause("tiny").unwrap();
        assert!(!folder.path().join("ggml-tiny.bin.pause").exists());
    }

    #[test]
    fn the_clip_for_measuring_lasts_ten_seconds() {
        assert_eq!(measured_sound().unwrap().duration(), MEASURED);
    }
}
