//! Speech to text on the device, with Whisper.
//!
//! A sound is read block by block ([`sound`]), cut to where somebody speaks, and listened to window by window by one thread, which
//! loads its model when there is something to hear and lets go of it when there was nothing for a while.
//!
//! Does not keep transcripts, and does not decide which sounds are worth one.
//!
//! Invariants: one inference at a time in the process, on a thread of its own, never on an async runtime's; a model
//! file is checked from end to end before whisper.cpp sees it; what was said never shows in a log; where the model is not sure
//! enough it says so, and no words.
//!
//! Source: `docs/adr/0006-voice-notes-and-speech.md`, `docs/adr/0013-transcription-and-models.md`; whisper.cpp 1.8.3 through
//! whisper-rs 0.16.

use std::fmt;
use std::time::Duration;

pub mod fetch;
mod ggml;
pub mod manifest;
pub mod model;
mod repeats;
pub mod sound;
pub mod transcriber;
mod vad;
mod whisper;

#[cfg(feature = "test-utils")]
pub use ggml::inspect_model;
pub use manifest::{Kind as ModelKind, Manifest, ModelFacts};
pub use model::{Model, ModelError, ModelFile};
pub use sound::{Sound, SoundError};
pub use transcriber::{Options, Priority, SpeechError, Task, Ticket, Transcriber, Update, Window, is_language};
pub use vad::MAX_WINDOW;

/// Some words in a row, and when they were said.
#[derive(Clone, PartialEq)]
pub struct Segment {
    /// From the start of the sound.
    pub start: Duration,
    /// From the start of the sound; never after its end.
    pub end: Duration,
    /// The words, without blanks around them; none where somebody seems to speak and the model is not sure what.
    pub text: String,
    /// The same words one by one, with their times, in order; none where the model does not tell.
    pub words: Vec<Word>,
    /// The geometric mean of the probabilities of the segment's tokens, from 0 to 1.
    pub confidence: f32,
}

/// A word, with the signs that stand on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// From the start of the sound.
    pub start: Duration,
    /// From the start of the sound.
    pub end: Duration,
    /// Without blanks.
    pub text: String,
}

/// What was said.
#[derive(Clone, Default, PartialEq)]
pub struct Transcript {
    /// In order; none if nothing was said.
    pub segments: Vec<Segment>,
    /// The language that was spoken, as in ISO 639-1: "en"; empty if there was nothing to hear.
    pub language: String,
    /// The name of the model that wrote it; empty if there was nothing to hear.
    pub model: String,
    /// The words are English, whatever was spoken.
    pub translated: bool,
}

impl Segment {
    /// Somebody seems to speak, and the model is not sure what.
    #[must_use]
    pub fn is_inaudible(&self) -> bool {
        self.text.is_empty()
    }
}

impl Transcript {
    /// All words in one line.
    #[must_use]
    pub fn text(&self) -> String {
        let heard = self.segments.iter().filter(|segment| !segment.is_inaudible());
        heard.map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The confidence of the least certain segment; 1 if nothing was said.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        self.segments.iter().map(|segment| segment.confidence).fold(1.0, f32::min)
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("start", &self.start)
            .field("end", &self.end)
            .field("text", &format_args!("…"))
            .field("words", &self.words)
            .field("confidence", &self.confidence)
            .finish()
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word").field("start", &self.start).field("end", &self.end).finish_non_exhaustive()
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript")
            .field("segments", &self.segments)
            .field("language", &self.language)
            .field("model", &self.model)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_never_show_in_debug_output() {
        let word = Word { start: Duration::ZERO, end: Duration::from_secs(1), text: "meet".to_owned() };
        let segment = Segment {
            start: Duration::ZERO,
            end: Duration::from_secs(1),
            text: "meet me".to_owned(),
            words: vec![word],
            confidence: 0.5,
        };
        let unheard = Segment { text: String::new(), words: Vec::new(), ..segment.clone() };
        let transcript = Transcript {
            segments: vec![segment.clone(), unheard, segment],
            model: "m".into(),
            ..Transcript::default()
        };
        assert_eq!(transcript.text(), "meet me meet me");
        assert!(!format!("{transcript:?}").contains("meet"));
    }
}
