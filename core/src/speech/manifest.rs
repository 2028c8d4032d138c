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
    /// The name of its file, without a folder.
    pub file: String,
    /// The size of its file, in bytes.
    pub size_bytes: u64,
    /// The SHA-256 of its file.
    #[serde(deserialize_with = "hex")]
    pub sha256: [u8; 32],
    /// The languages it knows, as in ISO 639-1.
    pub languages: Vec<String>,
    /// A sentence for the person who chooses.
    pub about: String,
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
    }

    #[test]
    fn other_formats_unknown_fields_and_short_hashes_are_refused() {
        assert_eq!(Manifest::parse("format = 2\nmodel = []"), Err(ManifestError::Format { format: 2 }));
        let malformed = |text: &str| matches!(Manifest::parse(text), Err(ManifestError::Malformed { .. }));
        assert!(malformed("format = 1"));
        assert!(malformed("format = 1\nmodel = []\nnews = 1"));
        assert!(malformed(&BUILT_IN.replace("8c\"", "\"")));
        assert!(malformed(&BUILT_IN.replace("8c\"", "8C\"")));
    }
}
