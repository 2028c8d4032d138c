//! Speech to text on the device, with Whisper.
//!
//! Does not download models, and does not decide what is worth transcribing beyond "is there anything to hear at all": a
//! real voice detector comes with the issue on recording.
//!
//! Invariants: one inference at a time in the process, on a thread of its own, never on an async runtime's; a model
//! file is checked from end to end before whisper.cpp sees it; what was said never shows in a log.
//!
//! Source: `docs/adr/0006-voice-notes-and-speech.md`; whisper.cpp 1.8.3 through whisper-rs 0.16.

use std::fmt;
use std::time::Duration;

mod gate;
mod ggml;
pub mod manifest;
pub mod model;
pub mod transcriber;
mod whisper;

pub use manifest::{Manifest, ModelFacts};
pub use model::{Model, ModelError};
pub use transcriber::{Options, SpeechError, Ticket, Transcriber, Update, Window};

/// Some words in a row, and when they were said.
#[derive(Clone, PartialEq)]
pub struct Segment {
    /// From the start of the sound.
    pub start: Duration,
    /// From the start of the sound; never after its end.
    pub end: Duration,
    /// The words, without blanks around them.
    pub text: String,
    /// The geometric mean of the probabilities of the segment's tokens, from 0 to 1.
    pub confidence: f32,
}

/// What was said.
#[derive(Clone, PartialEq)]
pub struct Transcript {
    /// In order; none if nothing was said.
    pub segments: Vec<Segment>,
    /// The language, as in ISO 639-1: "en"; empty if there was nothing to hear.
    pub language: String,
    /// The name of the model that wrote it.
    pub model: String,
}

impl Transcript {
    /// All words in one line.
    #[must_use]
    pub fn text(&self) -> String {
        self.segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ")
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
            .field("confidence", &self.confidence)
            .finish()
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
        let segment =
            Segment { start: Duration::ZERO, end: Duration::from_secs(1), text: "meet me".to_owned(), confidence: 0.5 };
        let transcript =
            Transcript { segments: vec![segment.clone(), segment], language: "en".into(), model: "m".into() };
        assert_eq!(transcript.text(), "meet me meet me");
        assert!(!format!("{transcript:?}").contains("meet"));
    }
}
