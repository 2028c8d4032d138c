//! What is heard in a conversation, and its files.

use std::collections::BTreeMap;
use std::time::Duration;

use iced::Task;
use kith_core::wire::control::{Message as Shown, Progress, Request, Transfer, Urgency};

use super::{Action, Conversation};
use crate::app::Context;
use crate::platform::dialogue::Dialogue;
use crate::problem::Problem;
use crate::screen::home::player::Wish;

/// What happens to sound and files.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Play the note of this row, or stand still, or go on.
    Play(u64),
    /// Go on in the note of this row at this moment, in milliseconds.
    Seek(u64, u64),
    /// What plays is to be otherwise.
    Player(Wish),
    /// Choose files to send.
    Attach,
    /// They were chosen.
    Chosen(Vec<std::path::PathBuf>),
    /// Fetch the file of this row, or try again.
    Fetch(u64),
    /// Fetch it no more.
    CancelFetch(u64),
    /// Save the file of this row.
    Save(u64),
    /// Write down what is said in the note of this row, or call that off.
    Transcribe(u64),
    /// Other rows are seen, or other notes wait, since a while; nothing of it since the look of this number was begun.
    LookDue(u64),
    /// These notes of the chat become text, or wait for that.
    Waiting(Result<Vec<String>, Problem>),
}

/// What is heard.
#[derive(Debug, Default)]
pub(super) struct Sound {
    /// Notes that are being turned into text: their ids, and how much is done.
    pub(super) transcribing: BTreeMap<String, u8>,
    /// Which of the looks that were begun is meant.
    look_serial: u64,
    /// Of those, the ones on the screen, as the core was told.
    looked_at: Vec<String>,
}

/// So long the same rows are seen before it is said: whoever scrolls by looks at nothing.
const LOOK: Duration = Duration::from_millis(300);

#[cfg(test)]
impl Sound {
    pub(super) const fn look_serial(&self) -> u64 {
        self.look_serial
    }
}

impl Conversation {
    pub(super) fn sound(&mut self, deed: Deed, context: Context<'_>) -> Action {
        match deed {
            Deed::Play(key) => self.with_note(key, Wish::Toggle),
            Deed::Seek(key, ms) => self.with_note(key, |note| Wish::Seek(note, Duration::from_millis(ms))),
            Deed::Player(wish) => Action::Player(wish, Task::none()),
            Deed::Attach => {
                let choose = Dialogue::new().titled(context.i18n.tr("attach")).files();
                Action::Run(Task::perform(choose, |chosen| match chosen {
                    Ok(paths) => super::Message::Sound(Deed::Chosen(paths)),
                    Err(problem) => super::Message::Done(Err(problem)),
                }))
            }
            Deed::Chosen(paths) => Action::Run(self.send_files(paths)),
            Deed::Fetch(key) => self.with_file(key, |with, message| Request::Fetch { with, message }),
            Deed::CancelFetch(key) => self.with_file(key, |with, message| Request::CancelTransfer { with, message }),
            Deed::Save(key) => self.save(key, context),
            Deed::Transcribe(key) => self.transcribe(key),
            Deed::LookDue(serial) if serial == self.sound.look_serial => Action::Run(self.look_at_notes()),
            Deed::Waiting(Ok(messages)) => {
                self.sound.transcribing.extend(messages.into_iter().map(|message| (message, 0)));
                Action::Run(self.look_soon())
            }
            Deed::LookDue(_) | Deed::Waiting(Err(_)) => Action::None,
        }
    }

    /// How the transfer of a message's file stands now.
    pub(crate) fn transferred(&mut self, message: &str, transfer: Transfer) {
        let found = self.timeline.entries().find(|entry| entry.message.id == message);
        let Some(mut changed) = found.map(|entry| entry.message.clone()) else { return };
        if let Some(file) = &mut changed.file {
            file.transfer = transfer;
            let _ = self.timeline.change(changed);
        }
    }

    /// How the turning of a note into text goes; its end is told as a change of the message, or by whoever asked.
    pub(crate) fn transcribed(&mut self, message: String, progress: Progress) -> Task<super::Message> {
        match progress {
            Progress::Waiting => {
                self.sound.transcribing.insert(message, 0);
                return self.look_soon();
            }
            Progress::Running { percent } => drop(self.sound.transcribing.insert(message, percent)),
            Progress::Done | Progress::Cancelled | Progress::Failed { .. } => {
                self.sound.transcribing.remove(&message);
                self.sound.looked_at.retain(|looked_at| *looked_at != message);
            }
        }
        Task::none()
    }

    /// Asks which notes of the chat are turned into text already.
    pub(super) fn ask_waiting(&self) -> Task<super::Message> {
        let waiting = self.backend.clone().look_at(self.chat.id.clone(), Vec::new());
        Task::perform(waiting, |waiting| super::Message::Sound(Deed::Waiting(waiting)))
    }

    /// What is on the screen is said once it has been there for a while.
    pub(super) fn look_soon(&mut self) -> Task<super::Message> {
        if self.sound.transcribing.is_empty() {
            return Task::none();
        }
        self.sound.look_serial = self.sound.look_serial.wrapping_add(1);
        let serial = self.sound.look_serial;
        Task::perform(tokio::time::sleep(LOOK), move |()| super::Message::Sound(Deed::LookDue(serial)))
    }

    fn look_at_notes(&mut self) -> Task<super::Message> {
        let seen = self.seen_rows().map(|entry| &entry.message.id);
        let waiting = seen.filter(|id| self.sound.transcribing.contains_key(*id));
        let looked_at: Vec<String> = waiting.cloned().collect();
        if looked_at == self.sound.looked_at {
            return Task::none();
        }
        self.sound.looked_at.clone_from(&looked_at);
        self.say_looked_at(looked_at)
    }

    /// Nobody looks at the chat any more.
    pub(super) fn look_away(&mut self) -> Task<super::Message> {
        match std::mem::take(&mut self.sound.looked_at).is_empty() {
            true => Task::none(),
            false => self.say_looked_at(Vec::new()),
        }
    }

    fn say_looked_at(&self, messages: Vec<String>) -> Task<super::Message> {
        let looked = self.backend.clone().look_at(self.chat.id.clone(), messages);
        // What comes first is no reason to disturb anybody.
        Task::future(looked).discard()
    }

    fn transcribe(&self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let (with, message) = (self.chat.id.clone(), entry.message.id.clone());
        if self.sound.transcribing.contains_key(&message) {
            return Action::Run(self.command(Request::CancelTranscription { with, message }));
        }
        let listen = self.command(Request::Transcribe {
            with,
            message: Some(message),
            priority: Urgency::OnScreen,
            language: None,
            translate: None,
            again: false,
        });
        // The model that is built in knows a few words of one synthetic voice: who has no other is told so.
        let model = self.backend.clone().speech_options(Request::SpeechOptions);
        let model = Task::perform(model, |options| super::Message::ModelKnown(options.map(Box::new)));
        Action::Run(Task::batch([listen, model]))
    }

    /// Files are sent one by one, in their order.
    pub(crate) fn send_files(&self, paths: Vec<std::path::PathBuf>) -> Task<super::Message> {
        let sends = paths.into_iter().map(|path| {
            let request = Request::SendFile {
                to: self.chat.id.clone(),
                path,
                name: None,
                media_type: None,
                caption: None,
                dimensions: None,
                preview: None,
                reply_to: None,
            };
            self.command(request)
        });
        sends.fold(Task::none(), Task::chain)
    }

    fn with_file(&self, key: u64, request: impl FnOnce(String, String) -> Request) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        Action::Run(self.command(request(self.chat.id.clone(), entry.message.id.clone())))
    }

    fn save(&self, key: u64, context: Context<'_>) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let name = entry.message.file.as_ref().map(|file| file.name.clone()).unwrap_or_default();
        let (title, backend) = (context.i18n.tr("file-save"), self.backend.clone());
        let (with, message) = (self.chat.id.clone(), entry.message.id.clone());
        let save = async move {
            let Some(chosen) = Dialogue::new().titled(title).named(&name).place().await else { return Ok(()) };
            backend.command(Request::SaveFile { with, message, path: chosen? }).await
        };
        Action::Run(Task::perform(save, super::Message::Done))
    }

    fn with_note(&self, key: u64, wish: impl FnOnce(Box<Shown>) -> Wish) -> Action {
        match self.timeline.by_key(key) {
            Some(entry) => Action::Player(wish(Box::new(entry.message.clone())), Task::none()),
            None => Action::None,
        }
    }
}
