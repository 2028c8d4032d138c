//! The models that Kith knows, from `assets/models/manifest.toml`.

use data_encoding::HEXLOWER;
use serde::Deserialize;

/// The manifest as it was when this was built.
const BUILT_IN: &str = include_str!("../../../assets/models/manifest.toml");

/// The only format of the manifest so far.
const FORMAT: u32 = 1;

/// The list of known models.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// The models, in the order in which a person should see them.
    #[serde(rename = "model")]
    pub models: Vec<ModelFacts>,
}

/// What is known of a model before its file is opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// A short name, shown and stored with transcripts.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub kind: Kind,
    /// The name of its file, without a folder.
    pub file: String,
    /// The size of its file, in bytes.
    pub size_bytes: u64,
    /// The SHA-256 of its file.
    #[serde(deserialize_with = "hex")]
    pub sha256: [u8; 32],
    /// About how much memory it takes while it is loaded, in bytes.
    pub memory_bytes: u64,
    /// The languages it knows, as in ISO 639-1; empty for all that Whisper knows, about a hundred.
    pub languages: Vec<String>,
    /// It can turn what is said in another language into English text.
    #[serde(default)]
    pub translates: bool,
    /// Where the official host has it; none for what comes with the program.
    #[serde(default)]
    pub url: Option<String>,
    /// A sentence for the person who chooses.
    pub about: String,
}

/// What a model does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It writes down what is said.
    #[default]
    Speech,
    /// It says where somebody speaks.
    Detector,
}

/// Why a manifest was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, or a field is missing, unknown or malformed.
    #[error("the manifest of speech models is malformed: {reason}")]
    Malformed {
        /// What the parser said.
        reason: String,
    },
    /// A format that this version does not know.
    #[error("the manifest of speech models has format {format}; this version knows format 1")]
    Format {
        /// The stated format.
        format: u32,
    },
}

impl Manifest {
    /// The manifest that was built in.
    ///
    /// # Errors
    /// [`ManifestError`] if the committed file is malformed, which a test rules out.
    pub fn built_in() -> Result<Self, ManifestError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| ManifestError::Malformed { reason: error.to_string() })?;
        match manifest.format {
            FORMAT => Ok(manifest),
            format => Err(ManifestError::Format { format }),
        }
    }

    /// The model that is stored under this file name.
    #[must_use]
    pub fn by_file(&self, file: &str) -> Option<&ModelFacts> {
        self.models.iter().find(|model| model.file == file)
    }

    /// The model of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&ModelFacts> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The model whose file has this SHA-256.
    #[must_use]
    pub fn by_sha256(&self, sha256: &[u8; 32]) -> Option<&ModelFacts> {
        self.models.iter().find(|model| &model.sha256 == sha256)
    }
}

fn hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = HEXLOWER.decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
    bytes.try_into().map_err(|_| serde::de::Error::custom("a SHA-256 has 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_manifest_names_the_test_model() {
        let manifest = Manifest::built_in().unwrap();
        let model = manifest.by_file("ggml-kith-test.en.bin").unwrap();
        assert_eq!((model.name.as_str(), model.size_bytes), ("kith-test.en", 7_143_590));
        assert_eq!(manifest.by_sha256(&model.sha256), Some(model));
        assert_eq!(manifest.by_file("ggml-large.bin"), None);
        assert_eq!(manifest.by_name("kith-test.en"), Some(model));
    }

    #[test]
    fn entries_are_told_apart_and_are_fetched_from_a_place_that_does_not_change() {
        let manifest = Manifest::built_in().unwrap();
        assert!(manifest.models.len() > 10);
        for model in &manifest.models {
            let same = |other: &&ModelFacts| {
                other.name == model.name || other.file == model.file || other.sha256 == model.sha256
            };
            assert_eq!(manifest.models.iter().filter(same).count(), 1, "{}", model.name);
            assert!(!model.file.contains(['/', '\\']) && model.file.ends_with(".bin"), "{}", model.file);
            assert!(model.memory_bytes >= model.size_bytes / 2, "{}", model.name);
            let Some(url) = &model.url else {
                assert_eq!(model.name, "kith-test.en");
                continue;
            };
            // A revision of 40 hexadecimal digits, and the file.
            let parts: Vec<&str> = url.split('/').collect();
            let [.., revision, file] = parts.as_slice() else { panic!("{url}") };
            assert!(url.starts_with("https://") && *file == model.file, "{url}");
            assert!(revision.len() == 40 && revision.chars().all(|digit| digit.is_ascii_hexdigit()), "{url}");
        }
        assert_eq!(manifest.models.iter().filter(|model| model.kind == Kind::Detector).count(), 1);
    }

    #[test]
    fn other_formats_unknown_fields_and_short_hashes_are_refused() {
        assert_eq!(Manifest::parse("format = 2\nmodel = []"), Err(ManifestError::Format { format: 2 }));
        let malformed = |text: &str| matches!(Manifest::parse(text), Err(ManifestError::Malformed { .. }));
        assert!(malformed("format = 1"));
        assert!(malformed("format = 1\nmodel = []\nnews = 1"));
        assert!(malformed(&BUILT_IN.replacen("4b8c\"", "\"", 1)));
        assert!(malformed(&BUILT_IN.replacen("8c\"", "8C\"", 1)));
    }
}
