//! Voice notes as text, on this device.
//!
//! The model is loaded at the first note and kept: loading takes longer than a short note.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::view::{format_id, parse_id};
use super::{Client, ClientError};
use crate::chat::view::{self, ConversationView};
use crate::chat::{Anchor, Command, ItemBody};
use crate::speech::{Model, Options, SpeechError, Transcriber, Transcript, Update};
use crate::types::ContentId;
use crate::voice;
use crate::wire::control;

/// The model that comes with the program.
const BUILT_IN: &str = "ggml-kith-test.en.bin";

/// The folder of models, beside the program or in the profile's data.
const MODELS: &str = "assets/models";

/// How far back the newest voice note is looked for.
const LOOKED_AT: usize = 1000;

#[derive(Default)]
pub(super) struct Lazy(Mutex<Option<Arc<Transcriber>>>);

impl Lazy {
    fn get(&self, folder: Option<&Path>) -> Result<Arc<Transcriber>, ClientError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(transcriber) = held.as_ref() {
            return Ok(Arc::clone(transcriber));
        }
        let transcriber = Arc::new(start(folder)?);
        *held = Some(Arc::clone(&transcriber));
        Ok(transcriber)
    }
}

fn start(folder: Option<&Path>) -> Result<Transcriber, ClientError> {
    let model = Model::load(&model_path(folder))?;
    Ok(Transcriber::start(model, Options::default())?)
}

/// Where the model is: in the folder named, beside the program, or, of a program that was built here, in its sources.
fn model_path(folder: Option<&Path>) -> PathBuf {
    if let Some(folder) = folder {
        return folder.join(BUILT_IN);
    }
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).map(|bin| bin.join(MODELS).join(BUILT_IN));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(MODELS).join(BUILT_IN);
    beside.filter(|path| path.exists()).unwrap_or(sources)
}

/// Turns a sound file into text: WAV, or Opus in Ogg.
///
/// # Errors
/// A sentence that says why not.
pub async fn transcribe_file(file: &Path, models: Option<&Path>) -> Result<control::Transcript, ClientError> {
    /// Larger ones cannot be shorter than what is transcribed at once.
    const MAX_FILE: u64 = 256 << 20;
    let (file, models) = (file.to_owned(), models.map(Path::to_owned));
    let work = tokio::task::spawn_blocking(move || -> Result<_, ClientError> {
        let bytes = super::carry::read_bounded(&file, MAX_FILE)?;
        let sound = if bytes.starts_with(b"OggS") {
            voice::decode_note(&bytes)?
        } else {
            voice::wav::decode(&bytes).map_err(voice::note::NoteError::from)?
        };
        Ok(start(models.as_deref())?.transcribe(sound)?)
    });
    let transcript = work.await.map_err(|_| ClientError::Ending)??;
    Ok(transcript_view(None, &transcript))
}

impl Client {
    pub(super) async fn transcribe(
        &self,
        with: &str,
        message: Option<&str>,
    ) -> Result<control::Transcript, ClientError> {
        let conversation = self.conversation_named(with)?;
        let id = match message {
            Some(text) => parse_id(text)?,
            None => self.newest_note(&conversation)?,
        };
        if let Some(kept) = self.kept_transcript(&conversation, &id)? {
            return Ok(kept);
        }
        let (client, place) = (self.clone(), conversation.id);
        let reading = tokio::task::spawn_blocking(move || client.sound_of(&place, &id));
        let ogg = reading.await.map_err(|_| ClientError::Ending)??;
        let transcript = transcript_view(Some(format_id(&id)), &self.listen_to(ogg).await?);
        let encoded = serde_json::to_vec(&transcript).map_err(|error| ClientError::Write(error.to_string()))?;
        let command = Command::KeepTranscript { conversation: conversation.id, of: id, transcript: encoded };
        self.inner.session.command(command).await?;
        Ok(transcript)
    }

    fn newest_note(&self, conversation: &ConversationView) -> Result<ContentId, ClientError> {
        let page = view::page(self.store(), conversation, self.me(), Anchor::Newest, LOOKED_AT)?;
        let notes = page.iter().rev().filter(|item| matches!(item.body, ItemBody::VoiceNote { .. }));
        notes.map(|item| item.id).next().ok_or(ClientError::NoVoiceNote)
    }

    async fn listen_to(&self, ogg: Vec<u8>) -> Result<Transcript, ClientError> {
        let client = self.clone();
        let ready = tokio::task::spawn_blocking(move || -> Result<_, ClientError> {
            let sound = voice::decode_note(&ogg)?;
            Ok((client.inner.transcriber.get(client.inner.models.as_deref())?, sound))
        });
        let (transcriber, sound) = ready.await.map_err(|_| ClientError::Ending)??;
        let (done, result) = oneshot::channel();
        let mut done = Some(done);
        transcriber.submit(sound, move |update| {
            if let Update::Done(outcome) = update
                && let Some(done) = done.take()
            {
                // Whoever waited may have gone.
                let _ = done.send(outcome);
            }
        })?;
        Ok(result.await.unwrap_or(Err(SpeechError::Stopped))?)
    }
}

fn transcript_view(message: Option<String>, transcript: &Transcript) -> control::Transcript {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let segments = transcript.segments.iter().map(|segment| control::Segment {
        start_ms: milliseconds(segment.start),
        end_ms: milliseconds(segment.end),
        text: segment.text.clone(),
        confidence: segment.confidence,
    });
    control::Transcript {
        message,
        text: transcript.text(),
        segments: segments.collect(),
        model: transcript.model.clone(),
        language: transcript.language.clone(),
    }
}
