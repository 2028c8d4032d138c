//! What was chosen for speech, and where the models are.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::transcribe::AUTO;
use super::{ClientError, power};
use crate::speech::{Manifest, ModelError, ModelFacts, ModelFile, ModelKind, SpeechError};
use crate::store;
use crate::wire::control::{self, Code, Said, SpeechOptions};

/// The file in a profile's directory, beside the store.
const FILE: &str = "speech.json";

/// The longest file that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// The model that comes with the program.
pub const BUILT_IN: &str = "kith-test.en";

/// The folder of models, beside the program or among the user's data.
const MODELS: &str = "assets/models";

/// What is kept of the choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SpeechChoice {
    pub(super) automatic: bool,
    pub(super) mains_only: bool,
    pub(super) up_to_s: u32,
    pub(super) attach: bool,
    /// For chats that have no choice of their own: as in ISO 639-1, or [`AUTO`].
    pub(super) language: String,
    pub(super) translate: bool,
    pub(super) model: String,
    pub(super) mirrors: Vec<String>,
}

impl Default for SpeechChoice {
    /// Nothing happens that nobody asked for: a model that is not good for the language writes nonsense.
    fn default() -> Self {
        Self {
            automatic: false,
            mains_only: true,
            up_to_s: 120,
            attach: false,
            language: AUTO.to_owned(),
            translate: false,
            model: String::new(),
            mirrors: Vec::new(),
        }
    }
}

/// What was chosen.
pub(super) struct SpeechChoices {
    path: PathBuf,
    chosen: Mutex<SpeechChoice>,
}

impl SpeechChoices {
    /// Reads what was chosen, and says what is wrong with it.
    pub(super) fn load(directory: &Path) -> (Self, Option<Said>) {
        let path = directory.join(FILE);
        let (chosen, wrong) = match read(&path) {
            Ok(chosen) => (chosen.unwrap_or_default(), None),
            Err(why) => {
                let words = format!("The choices for speech cannot be read ({why}): make them again.");
                let wrong = Said::new(Code::SpeechChoicesUnreadable, words).because(why);
                (SpeechChoice::default(), Some(wrong))
            }
        };
        (Self { path, chosen: Mutex::new(chosen) }, wrong)
    }

    pub(super) fn now(&self) -> SpeechChoice {
        self.chosen().clone()
    }

    /// Keeps another choice, durably.
    pub(super) fn choose(&self, change: impl FnOnce(&mut SpeechChoice)) -> Result<(), ClientError> {
        let mut chosen = self.chosen();
        let mut new = chosen.clone();
        change(&mut new);
        let json = serde_json::to_vec_pretty(&new).map_err(|error| ClientError::Write(error.to_string()))?;
        store::write_private(&self.path, &json)?;
        *chosen = new;
        Ok(())
    }

    pub(super) fn view(&self, models: &Models) -> SpeechOptions {
        let SpeechChoice { automatic, mains_only, up_to_s, attach, language, translate, model, mirrors } = self.now();
        let (listens, on_mains) = (models.name_that_counts(&model), power::on_mains());
        SpeechOptions { automatic, mains_only, up_to_s, attach, language, translate, model, listens, mirrors, on_mains }
    }

    fn chosen(&self) -> MutexGuard<'_, SpeechChoice> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<Option<SpeechChoice>, String> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if found.len() > MAX_BYTES {
        return Err(format!("{FILE} is too large"));
    }
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map(Some).map_err(|error| error.to_string())
}

/// A language that can be listened to, or the wish that it is found out.
///
/// # Errors
/// [`SpeechError::Language`] for any other.
pub(super) fn check_language(language: &str) -> Result<(), ClientError> {
    if language == AUTO || crate::speech::is_language(language) {
        return Ok(());
    }
    Err(SpeechError::Language { language: language.to_owned() }.into())
}

/// What a conversation has of its own in how its voice notes are listened to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Listening {
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    translate: Option<bool>,
}

impl Listening {
    /// Chooses anew; what is not named stays. An empty language forgets what was chosen.
    pub(super) fn change(&mut self, language: Option<String>, translate: Option<bool>) -> Result<(), ClientError> {
        match language {
            Some(language) if language.is_empty() => *self = Self::default(),
            Some(language) => {
                check_language(&language)?;
                self.language = Some(language);
            }
            None => {}
        }
        self.translate = translate.or(self.translate);
        Ok(())
    }

    /// What counts: what the conversation lacks is as it is for all.
    pub(super) fn view(self, all: &SpeechChoice) -> control::Listening {
        control::Listening {
            own: self != Self::default(),
            language: self.language.unwrap_or_else(|| all.language.clone()),
            translate: self.translate.unwrap_or(all.translate),
        }
    }
}

/// Where the models are.
#[derive(Debug, Clone)]
pub(super) struct Models {
    /// What came with the program.
    bundled: PathBuf,
    /// What was fetched; none where the system does not say where that goes.
    fetched: Option<PathBuf>,
}

impl Models {
    /// In the folder named; or beside the program, and among the user's data.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        if let Some(folder) = folder {
            return Self { bundled: folder.to_owned(), fetched: Some(folder.to_owned()) };
        }
        let program = std::env::current_exe().ok();
        let beside = program.as_deref().and_then(Path::parent).map(|bin| bin.join(MODELS));
        // A program that was built here finds them in its sources.
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(MODELS);
        let data = directories::ProjectDirs::from("chat", "Kith", "kith").map(|dirs| dirs.data_dir().join("models"));
        Self { bundled: beside.filter(|path| path.exists()).unwrap_or(sources), fetched: data }
    }

    /// Where models that are fetched go.
    pub(super) fn fetched(&self) -> Option<&Path> {
        self.fetched.as_deref()
    }

    /// Where a model's file is, if it is there.
    pub(super) fn file(&self, facts: &ModelFacts) -> Option<PathBuf> {
        let folders = [self.fetched.as_ref(), Some(&self.bundled)].into_iter().flatten();
        let mut paths = folders.map(|folder| folder.join(&facts.file));
        paths.find(|path| path.metadata().is_ok_and(|found| found.len() == facts.size_bytes))
    }

    /// Silero's model, if it is there.
    pub(super) fn detector(&self) -> Option<PathBuf> {
        let manifest = Manifest::built_in().ok()?;
        manifest.models.iter().filter(|facts| facts.kind == ModelKind::Detector).find_map(|facts| self.file(facts))
    }

    /// The model of this name, or the best that is there.
    pub(super) fn to_listen_with(&self, name: &str) -> Result<ModelFile, ClientError> {
        let manifest = Manifest::built_in().map_err(ModelError::from)?;
        let chosen = manifest.by_name(name).filter(|facts| facts.kind == ModelKind::Speech);
        if let Some(path) = chosen.and_then(|facts| self.file(facts)) {
            return Ok(ModelFile::listed(path));
        }
        if !name.is_empty() {
            return Err(ClientError::NoModel(name.to_owned()));
        }
        // The manifest goes from the least to the best.
        let speech = manifest.models.iter().rev().filter(|facts| facts.kind == ModelKind::Speech);
        let best = speech.clone().find_map(|facts| self.file(facts));
        let built_in = manifest.by_name(BUILT_IN).map(|facts| self.bundled.join(&facts.file));
        best.or(built_in).map(ModelFile::listed).ok_or_else(|| ClientError::NoModel(BUILT_IN.to_owned()))
    }

    /// The same, or a file that a person named: of that the manifest need know nothing.
    pub(super) fn named_or_file(&self, name: &str) -> Result<ModelFile, ClientError> {
        match self.to_listen_with(name) {
            Err(ClientError::NoModel(_)) if Path::new(name).is_file() => {
                Ok(ModelFile { path: PathBuf::from(name), unlisted: true })
            }
            found => found,
        }
    }

    /// The name of the model that listens when this one was chosen.
    pub(super) fn name_that_counts(&self, name: &str) -> String {
        let Ok(file) = self.to_listen_with(name) else { return String::new() };
        let manifest = Manifest::built_in().ok();
        let file = file.path.file_name().and_then(|file| file.to_str()).map(str::to_owned).unwrap_or_default();
        manifest.and_then(|manifest| manifest.by_file(&file).map(|facts| facts.name.clone())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_last_and_garbage_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let (choices, wrong) = SpeechChoices::load(directory.path());
        assert_eq!((choices.now(), wrong), (SpeechChoice::default(), None));
        choices.choose(|choice| (choice.automatic, choice.model) = (true, "tiny".into())).unwrap();
        let (choices, _) = SpeechChoices::load(directory.path());
        assert_eq!((choices.now().automatic, choices.now().model.as_str()), (true, "tiny"));
        std::fs::write(directory.path().join(FILE), "nonsense").unwrap();
        let (choices, wrong) = SpeechChoices::load(directory.path());
        assert!(wrong.is_some() && !choices.now().automatic);
    }

    #[test]
    fn a_conversation_listens_as_all_do_unless_it_chose_otherwise() {
        let all = SpeechChoice { language: "uk".into(), translate: true, ..SpeechChoice::default() };
        let view = |listening: &Listening| {
            let control::Listening { language, translate, own } = listening.clone().view(&all);
            (language, translate, own)
        };
        let mut listening = Listening::default();
        assert_eq!(view(&listening), ("uk".into(), true, false));
        listening.change(Some("de".into()), None).unwrap();
        assert_eq!(view(&listening), ("de".into(), true, true));
        listening.change(None, Some(false)).unwrap();
        assert_eq!(view(&listening), ("de".into(), false, true));
        assert!(listening.change(Some("klingon".into()), None).is_err());
        listening.change(Some(AUTO.into()), None).unwrap();
        assert_eq!(view(&listening), (AUTO.into(), false, true));
        listening.change(Some(String::new()), None).unwrap();
        assert_eq!(view(&listening), ("uk".into(), true, false));
        // What was kept before a conversation could follow the others.
        let kept: Listening = serde_json::from_str("{\"language\":\"fr\",\"translate\":true}").unwrap();
        assert_eq!(view(&kept), ("fr".into(), true, true));
    }

    #[test]
    fn the_best_model_that_is_whole_listens_unless_another_was_chosen() {
        let directory = tempfile::tempdir().unwrap();
        let models = Models::new(Some(directory.path()));
        let manifest = Manifest::built_in().unwrap();
        let listens = |name: &str| models.name_that_counts(name);
        assert_eq!(listens(""), BUILT_IN);
        let put = |name: &str, whole: bool| {
            let facts = manifest.by_name(name).unwrap();
            let file = std::fs::File::create(directory.path().join(&facts.file)).unwrap();
            file.set_len(facts.size_bytes - u64::from(!whole)).unwrap();
        };
        put(BUILT_IN, true);
        put("tiny", true);
        put("large-v3", false);
        assert_eq!(
            (listens("").as_str(), listens(BUILT_IN).as_str(), listens("large-v3").as_str()),
            ("tiny", BUILT_IN, "")
        );
        assert_eq!(models.to_listen_with("large-v3"), Err(ClientError::NoModel("large-v3".into())));
        assert_eq!(models.detector(), None);
        put("silero-v6.2.0", true);
        assert!(models.detector().is_some());
        // A detector writes nothing down.
        assert_eq!(listens("silero-v6.2.0"), "");
    }
}
