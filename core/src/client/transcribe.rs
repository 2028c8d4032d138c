//! Voice notes as text, on this device.
//!
//! A note is listened to once, however many ask for it; whoever asks again makes it more urgent. What was heard is kept as a local
//! note, and goes to the others only when its author chose so.
//!
//! Nothing here blocks a runtime: the transcriber has a thread of its own, and its results come back as tasks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::oneshot;

use super::catch_up::may_listen;
use super::models::Downloads;
use super::speech_options::{Listening, Models, SpeechChoices};
use super::spoken::Kept;
use super::view::{format_id, parse_id};
use super::{Client, ClientError, Inner};
use crate::chat::view::{self, ConversationView};
use crate::chat::{Anchor, Command, ItemBody, timeline};
use crate::session::Event as Told;
use crate::speech::{Options, Priority, Sound, SpeechError, Task, Ticket, Transcriber, Transcript, Update};
use crate::types::{ContentId, ConversationId};
use crate::wire::control::{self, Event, Progress, Urgency};

/// How far back the newest voice note is looked for.
const LOOKED_AT: usize = 1000;

/// What the language is called that nobody named.
pub(super) const AUTO: &str = "auto";

/// A voice note, wherever it is.
type Place = (ConversationId, ContentId);

/// Whoever waits for a transcript.
type Waiting = oneshot::Sender<Result<Kept, SpeechError>>;

/// What speech needs of a client.
pub(super) struct Speech {
    transcriber: Mutex<Option<Arc<Transcriber>>>,
    running: Mutex<BTreeMap<Place, Running>>,
    pub(super) choices: SpeechChoices,
    pub(super) models: Models,
    pub(super) downloads: Downloads,
}

struct Running {
    ticket: Ticket,
    /// How urgent it is while nobody looks at it.
    asked: Priority,
    waiting: Vec<Waiting>,
}

/// What somebody wants of a note.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) urgency: Urgency,
    pub(super) language: Option<String>,
    pub(super) translate: Option<bool>,
    pub(super) again: bool,
}

impl Speech {
    pub(super) fn new(directory: &Path, models: Option<&Path>) -> (Self, Option<control::Said>) {
        let (choices, wrong) = SpeechChoices::load(directory);
        let speech = Self {
            transcriber: Mutex::default(),
            running: Mutex::default(),
            choices,
            models: Models::new(models),
            downloads: Downloads::default(),
        };
        (speech, wrong)
    }

    fn transcriber(&self) -> Result<Arc<Transcriber>, ClientError> {
        let model = self.models.to_listen_with(&self.choices.now().model)?;
        let detector = self.models.detector();
        let mut held = lock(&self.transcriber);
        if let Some(transcriber) = held.as_ref() {
            transcriber.set_model(model, detector);
            return Ok(Arc::clone(transcriber));
        }
        let transcriber = Arc::new(Transcriber::start(model, Options { detector, ..Options::default() })?);
        *held = Some(Arc::clone(&transcriber));
        Ok(transcriber)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Place, Running>> {
        lock(&self.running)
    }
}

/// What these locks guard is changed in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns sound files into text, without a profile: WAV, Ogg Opus, MP3, M4A, AAC, FLAC.
#[derive(Debug)]
pub struct FileTranscriber(Arc<Transcriber>);

/// How a sound file is listened to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileTask {
    /// The language that is spoken, as in ISO 639-1; none for the model to find out.
    pub language: Option<String>,
    /// In English, whatever is spoken.
    pub translate: bool,
}

impl FileTranscriber {
    /// With the model of this name, or in this file; the best that is there if none is named.
    ///
    /// # Errors
    /// When there is no such model.
    pub fn new(models: Option<&Path>, model: Option<&str>) -> Result<Self, ClientError> {
        let models = Models::new(models);
        let model = models.named_or_file(model.unwrap_or_default())?;
        let options = Options { detector: models.detector(), ..Options::default() };
        Ok(Self(Arc::new(Transcriber::start(model, options)?)))
    }

    /// Listens to a file of any length, and tells how many per cent are done.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub async fn transcribe(
        &self,
        file: &Path,
        task: FileTask,
        progress: impl FnMut(u8) + Send + 'static,
    ) -> Result<control::Transcript, ClientError> {
        let (file, transcriber) = (file.to_owned(), Arc::clone(&self.0));
        let work = tokio::task::spawn_blocking(move || -> Result<_, ClientError> {
            let sound = Sound::open(&file)
                .map_err(|error| ClientError::SoundFile { path: file.display().to_string(), error })?;
            let task = Task { language: task.language, translate: task.translate, ..Task::default() };
            transcriber.transcribe_as(sound, task, progress).map_err(|error| match error {
                SpeechError::Sound(error) => ClientError::SoundFile { path: file.display().to_string(), error },
                error => error.into(),
            })
        });
        let transcript = work.await.map_err(|_| ClientError::Ending)??;
        Ok(Kept::of(&transcript).transcript(None, MINE))
    }
}

/// Whose a transcript is.
pub(super) const MINE: &str = "mine";
pub(super) const SENDERS: &str = "sender";

impl Client {
    pub(super) async fn transcribe(
        &self,
        with: &str,
        message: Option<&str>,
        wanted: Wanted,
    ) -> Result<control::Transcript, ClientError> {
        let conversation = self.conversation_named(with)?;
        let id = match message {
            Some(text) => parse_id(text)?,
            None => self.newest_note(&conversation)?,
        };
        if !wanted.again
            && let Some((kept, source)) = self.known_transcript(&conversation, &id)?
        {
            return Ok(kept.transcript(Some(format_id(&id)), source));
        }
        let result = self.listen_to(&conversation, id, wanted).await?;
        let kept = result.await.unwrap_or(Err(SpeechError::Stopped))?;
        Ok(kept.transcript(Some(format_id(&id)), MINE))
    }

    /// The transcript of a note and whose it is: the reader's own before the sender's.
    pub(super) fn known_transcript(
        &self,
        conversation: &ConversationView,
        id: &ContentId,
    ) -> Result<Option<(Kept, &'static str)>, ClientError> {
        let item = timeline::item_at(self.store(), &conversation.id, &conversation.roster, &self.me(), id)?;
        item.map_or(Ok(None), |item| self.transcript_of(conversation, &item))
    }

    pub(super) fn whole_transcript(&self, with: &str, message: &str) -> Result<control::Transcript, ClientError> {
        let (conversation, id) = (self.conversation_named(with)?, parse_id(message)?);
        let (kept, source) = self.known_transcript(&conversation, &id)?.ok_or(ClientError::NoTranscript)?;
        Ok(kept.transcript(Some(format_id(&id)), source))
    }

    fn newest_note(&self, conversation: &ConversationView) -> Result<ContentId, ClientError> {
        let page = view::page(self.store(), conversation, self.me(), Anchor::Newest, LOOKED_AT)?;
        let notes = page.iter().rev().filter(|item| matches!(item.body, ItemBody::VoiceNote { .. }));
        notes.map(|item| item.id).next().ok_or(ClientError::NoVoiceNote)
    }

    /// The sound of a note, read where reading may take its time.
    async fn read_sound(&self, (conversation, id): Place) -> Result<Sound, ClientError> {
        let client = self.clone();
        let read = tokio::task::spawn_blocking(move || -> Result<_, ClientError> {
            Ok(Sound::of_bytes(client.sound_of(&conversation, &id)?).map_err(SpeechError::from)?)
        });
        read.await.map_err(|_| ClientError::Ending)?
    }

    /// Puts a note in the queue, or hurries it if it is there.
    pub(super) async fn listen_to(
        &self,
        conversation: &ConversationView,
        id: ContentId,
        wanted: Wanted,
    ) -> Result<oneshot::Receiver<Result<Kept, SpeechError>>, ClientError> {
        let place = (conversation.id, id);
        let (tell, result) = oneshot::channel();
        let priority = match wanted.urgency {
            Urgency::Background => Priority::Background,
            Urgency::Asked => Priority::Asked,
            Urgency::OnScreen => Priority::OnScreen,
        };
        let speech = &self.inner.speech;
        let sound = match speech.running().contains_key(&place) {
            true => None,
            false => Some(self.read_sound(place)),
        };
        let sound = match sound {
            Some(reading) => Some(reading.await?),
            None => None,
        };
        let chosen = self.listening_to(&conversation.id)?;
        let language = wanted.language.unwrap_or(chosen.language);
        let task = Task {
            language: (language != AUTO && !language.is_empty()).then_some(language),
            translate: wanted.translate.unwrap_or(chosen.translate),
            priority,
            everything: false,
        };
        let transcriber = speech.transcriber()?;
        let (inner, runtime) = (Arc::downgrade(&self.inner), tokio::runtime::Handle::current());
        // The note is in the list before its first update can be.
        let mut running = speech.running();
        // Somebody may have asked for it while its sound was read.
        if let Some(running) = running.get_mut(&place) {
            running.ticket.set_priority(priority);
            running.asked = priority;
            running.waiting.push(tell);
            return Ok(result);
        }
        let sound = sound.ok_or(ClientError::Speech(SpeechError::Cancelled))?;
        let ticket = transcriber.submit(sound, task, move |update| match update {
            Update::Progress(percent) => tell_progress(&inner, place, Progress::Running { percent }),
            Update::Done(outcome) => {
                let inner = Weak::clone(&inner);
                drop(runtime.spawn(async move {
                    if let Some(inner) = inner.upgrade() {
                        Client { inner }.listened(place, outcome).await;
                    }
                }));
            }
        })?;
        running.insert(place, Running { ticket, asked: priority, waiting: vec![tell] });
        drop(running);
        tell_progress(&Arc::downgrade(&self.inner), place, Progress::Waiting);
        Ok(result)
    }

    /// A note was listened to, or not.
    async fn listened(&self, place: Place, outcome: Result<Transcript, SpeechError>) {
        let outcome = outcome.map(|transcript| Kept::of(&transcript));
        let stored = match &outcome {
            Ok(kept) => self.keep(place, kept).await,
            Err(error) => Err(error.clone().into()),
        };
        let waiting = self.inner.speech.running().remove(&place).map(|running| running.waiting).unwrap_or_default();
        let progress = match stored {
            Ok(()) => Progress::Done,
            Err(ClientError::Speech(SpeechError::Cancelled)) => Progress::Cancelled,
            Err(error) => Progress::Failed { code: error.code().to_owned(), message: error.to_string() },
        };
        tell_progress(&Arc::downgrade(&self.inner), place, progress);
        for waiting in waiting {
            // Whoever waited may have gone.
            let _ = waiting.send(outcome.clone());
        }
    }

    async fn keep(&self, (conversation, id): Place, kept: &Kept) -> Result<(), ClientError> {
        let command = Command::KeepTranscript { conversation, of: id, transcript: kept.encode() };
        self.inner.session.command(command).await?;
        if self.inner.speech.choices.now().attach && self.is_own(&conversation, &id)? {
            self.attach(conversation, id, kept).await?;
        }
        Ok(())
    }

    async fn attach(&self, conversation: ConversationId, id: ContentId, kept: &Kept) -> Result<(), ClientError> {
        let transcript = kept.to_attach(id);
        self.inner.session.command(Command::AttachTranscript { conversation, transcript }).await?;
        Ok(())
    }

    fn is_own(&self, conversation: &ConversationId, id: &ContentId) -> Result<bool, ClientError> {
        let Some(view) = self.conversation(*conversation)? else { return Ok(false) };
        let item = timeline::item_at(self.store(), conversation, &view.roster, &self.me(), id)?;
        Ok(item.is_some_and(|item| item.author == self.me().account))
    }

    /// These notes of a conversation are on the screen, and no others of it; says which of its notes become text or wait for that.
    pub(super) fn look_at(&self, with: &str, messages: &[String]) -> Result<Vec<String>, ClientError> {
        let conversation = self.conversation_named(with)?.id;
        let seen = messages.iter().map(|message| parse_id(message)).collect::<Result<Vec<_>, _>>()?;
        let running = self.inner.speech.running();
        let here = running.iter().filter(|((of, _), _)| *of == conversation);
        Ok(here
            .map(|((_, id), running)| {
                running.ticket.set_priority(if seen.contains(id) { Priority::OnScreen } else { running.asked });
                format_id(id)
            })
            .collect())
    }

    pub(super) fn cancel_transcription(&self, with: &str, message: &str) -> Result<(), ClientError> {
        let place = (self.conversation_named(with)?.id, parse_id(message)?);
        if let Some(running) = self.inner.speech.running().get(&place) {
            running.ticket.cancel();
        }
        Ok(())
    }

    pub(super) async fn edit_transcript(
        &self,
        with: &str,
        message: &str,
        text: &str,
    ) -> Result<control::Transcript, ClientError> {
        let (conversation, id) = (self.conversation_named(with)?, parse_id(message)?);
        let (known, _) = self.known_transcript(&conversation, &id)?.ok_or(ClientError::NoTranscript)?;
        let mended = if text.trim().is_empty() { Kept::default() } else { known.mended(text) };
        let command = Command::KeepTranscript { conversation: conversation.id, of: id, transcript: mended.encode() };
        self.inner.session.command(command).await?;
        let item = timeline::item_at(self.store(), &conversation.id, &conversation.roster, &self.me(), &id)?;
        if item.is_some_and(|item| item.author == self.me().account && item.transcript.is_some()) {
            self.attach(conversation.id, id, &mended).await?;
        }
        Ok(mended.transcript(Some(format_id(&id)), MINE))
    }

    pub(super) async fn attach_transcript(&self, with: &str, message: &str, on: bool) -> Result<(), ClientError> {
        let (conversation, id) = (self.conversation_named(with)?, parse_id(message)?);
        let kept = match on {
            true => self.known_transcript(&conversation, &id)?.ok_or(ClientError::NoTranscript)?.0,
            false => Kept::default(),
        };
        self.attach(conversation.id, id, &kept).await
    }

    /// A voice note came, or one's own was sent: it becomes text if that was chosen.
    pub(super) async fn note_appeared(&self, conversation: ConversationId, id: ContentId) -> Result<(), ClientError> {
        let choice = self.inner.speech.choices.now();
        if !may_listen(&choice) {
            return Ok(());
        }
        let Some(view) = self.conversation(conversation)? else { return Ok(()) };
        let item = timeline::item_at(self.store(), &conversation, &view.roster, &self.me(), &id)?;
        let Some(item) = item else { return Ok(()) };
        if self.becomes_text(&choice, &item) && self.known_transcript(&view, &id)?.is_none() {
            let wanted = Wanted { urgency: Urgency::Background, ..Wanted::default() };
            // Who looks at the note sees what comes of it; nobody waits here.
            drop(self.listen_to(&view, id, wanted).await?);
        }
        Ok(())
    }

    fn own_listening(&self, conversation: &ConversationId) -> Result<Listening, ClientError> {
        let kept = crate::store::Read::get(self.store(), crate::store::Table::Transcript, conversation.as_bytes())?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// How voice notes of a conversation are listened to.
    pub(super) fn listening_to(&self, conversation: &ConversationId) -> Result<control::Listening, ClientError> {
        Ok(self.own_listening(conversation)?.view(&self.inner.speech.choices.now()))
    }

    pub(super) async fn set_listening(
        &self,
        with: &str,
        language: Option<String>,
        translate: Option<bool>,
    ) -> Result<control::Listening, ClientError> {
        let conversation = self.conversation_named(with)?.id;
        let mut chosen = self.own_listening(&conversation)?;
        chosen.change(language, translate)?;
        let choice = serde_json::to_vec(&chosen).map_err(|error| ClientError::Write(error.to_string()))?;
        self.inner.session.command(Command::KeepListening { conversation, choice }).await?;
        self.listening_to(&conversation)
    }
}

fn tell_progress(inner: &Weak<Inner>, (conversation, id): Place, progress: Progress) {
    let Some(inner) = inner.upgrade() else { return };
    let event = Event::Transcription { conversation: conversation.to_string(), message: format_id(&id), progress };
    inner.session.tell(Told::Client(Box::new(event)));
}
