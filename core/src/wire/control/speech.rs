//! What was said, and what writes it down.

use serde::{Deserialize, Serialize};

use super::Said;

/// What is said in a voice note, as it is shown with the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// `mine`: this account's own; `sender`: its sender's, who may have mended it.
    pub source: String,
    /// In order.
    pub segments: Vec<SpokenSegment>,
    /// The language that was spoken, as in ISO 639-1; empty if nobody knows.
    pub language: String,
    /// The words are English, whatever was spoken.
    pub translated: bool,
    /// The model that wrote it.
    pub model: String,
    /// It was mended by hand.
    pub edited: bool,
    /// This is its beginning only, since it is long: [`Request::Transcript`](super::Request::Transcript) has all of it.
    pub cut: bool,
}

/// Some words in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenSegment {
    /// Where it begins, in milliseconds from the start of the sound.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The words; none where somebody speaks and nobody knows what.
    pub text: String,
    /// Somebody speaks, and nobody knows what: to be said, in the reader's language.
    pub inaudible: bool,
    /// The words one by one; none where their times are not known.
    pub words: Vec<SpokenWord>,
}

/// A word, with the signs that stand on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenWord {
    /// Where it begins, in milliseconds from the start of the sound.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The word.
    pub text: String,
}

/// A voice note, or a sound file, as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The note.
    pub message: Option<String>,
    /// The whole text; empty when no speech was found.
    pub text: String,
    /// Its parts.
    pub segments: Vec<Segment>,
    /// The model's name.
    pub model: String,
    /// The language.
    pub language: String,
    /// The words are English, whatever was spoken.
    #[serde(default)]
    pub translated: bool,
    /// `mine` or `sender`, as of [`Spoken::source`].
    #[serde(default = "mine")]
    pub source: String,
    /// It was mended by hand.
    #[serde(default)]
    pub edited: bool,
}

/// Whose transcripts were before there were others'.
fn mine() -> String {
    "mine".to_owned()
}

/// A part of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Where it begins.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// What is said; nothing where somebody speaks and the model is not sure what.
    pub text: String,
    /// 0 to 1: how sure the model is.
    pub confidence: f32,
    /// Somebody speaks, and nobody knows what.
    #[serde(default)]
    pub inaudible: bool,
    /// The words one by one; none where their times are not known.
    #[serde(default)]
    pub words: Vec<SpokenWord>,
}

/// How voice notes of a chat are listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The language that is spoken, as in ISO 639-1, or `auto`.
    pub language: String,
    /// In English, whatever is spoken.
    pub translate: bool,
    /// Something of it was chosen for this chat; the rest is as for all chats.
    #[serde(default)]
    pub own: bool,
}

/// What was chosen for speech on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechOptions {
    /// Turn voice notes into text when they come.
    pub automatic: bool,
    /// But only while there is power from the mains; where nobody knows that, at any time.
    pub mains_only: bool,
    /// And only those that last at most so many seconds.
    pub up_to_s: u32,
    /// Give others the transcripts of one's own voice notes.
    pub attach: bool,
    /// The language that is spoken in chats for which none was chosen: as in ISO 639-1, or `auto`.
    pub language: String,
    /// In English, whatever is spoken, in those chats.
    pub translate: bool,
    /// The model that was chosen; empty: the best that is there.
    pub model: String,
    /// The model that counts at present.
    pub listens: String,
    /// Addresses of folders that are asked for models before the official host.
    pub mirrors: Vec<String>,
    /// There is power from the mains, or no battery; none where the system does not say.
    pub on_mains: Option<bool>,
}

/// A speech model that Kith knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechModel {
    /// Its name.
    pub name: String,
    /// `speech`: it writes down what is said; `detector`: it finds where somebody speaks.
    pub kind: String,
    /// A sentence, in English, for the person who chooses.
    pub about: String,
    /// The languages it knows, as in ISO 639-1; empty for all that Whisper knows, about a hundred.
    pub languages: Vec<String>,
    /// It can write English for what is said in another language.
    pub translates: bool,
    /// The size of its file.
    pub size_bytes: u64,
    /// About how much memory it takes while it listens.
    pub memory_bytes: u64,
    /// `built_in`, `here`, `missing`, `paused` (a part of it is here) or `downloading`.
    pub state: String,
    /// Bytes of it that are here.
    pub have_bytes: u64,
    /// How fast it listens on this machine, if that was measured: 100 is as fast as somebody speaks.
    pub speed_percent: Option<u32>,
    /// Why the last download came to nothing.
    pub problem: Option<Box<Said>>,
}

/// How a transcription goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Progress {
    /// It waits for its turn.
    Waiting,
    /// It runs.
    Running {
        /// How much is done.
        percent: u8,
    },
    /// It is done; the message was told as changed.
    Done,
    /// It was called off.
    Cancelled,
    /// It came to nothing.
    Failed {
        /// A stable word for programs.
        code: String,
        /// A sentence for the person.
        message: String,
    },
}
