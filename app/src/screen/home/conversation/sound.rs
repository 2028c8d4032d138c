//! What is heard and recorded in a conversation, and its files.

use std::collections::BTreeMap;
use std::time::Duration;

use iced::Task;
use kith_core::client::sound::{Draft, Recording, RecordingPhase, RecordingState};
use kith_core::wire::control::{Message as Shown, Progress, Request, Transfer, Urgency};

use super::{Action, Conversation};
use crate::app::Context;
use crate::problem::Problem;
use crate::screen::home::player::{Once, Wish, states};

/// What happens to sound and files.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Play the note of this row, or stand still, or go on.
    Play(u64),
    /// Go on in the note of this row at this moment, in milliseconds.
    Seek(u64, u64),
    /// What plays is to be otherwise.
    Player(Wish),
    /// Record.
    Record,
    /// The microphone is asked for, or not.
    Recording(Result<Once<Recording>, Problem>),
    /// Where the recording stands.
    Recorded(u64, RecordingState),
    /// Stand still, or go on.
    Pause,
    /// End it, to listen to it before it is sent.
    Stop,
    /// End it and send it.
    Send,
    /// Throw it away.
    Discard,
    /// It ended; to be sent at once, or not.
    Made(bool, Result<Box<Draft>, Problem>),
    /// It was sent, or not.
    Sent(Result<(), Problem>),
    /// Recordings of this chat that were not sent.
    Found(Vec<Draft>),
    /// Choose files to send.
    Attach,
    /// They were chosen, or dropped here.
    Chosen(Vec<std::path::PathBuf>),
    /// Fetch the file of this row, or try again.
    Fetch(u64),
    /// Fetch it no more.
    CancelFetch(u64),
    /// Save the file of this row.
    Save(u64),
    /// Write down what is said in the note of this row, or call that off.
    Transcribe(u64),
}

/// What stands in the place of the composer while something is recorded.
#[derive(Debug, Default)]
pub(super) enum Tape {
    /// Nothing is recorded.
    #[default]
    Empty,
    /// The microphone is being asked for, or the recording is ending.
    Waiting,
    /// It is recorded.
    Running(Box<Recording>, RecordingState),
    /// It waits to be sent.
    Made(Box<Draft>),
}

/// What is heard and recorded.
#[derive(Debug, Default)]
pub(super) struct Sound {
    pub(super) tape: Tape,
    /// Notes that are being turned into text: their ids, and how much is done.
    pub(super) transcribing: BTreeMap<String, u8>,
    serial: u64,
}

impl Conversation {
    /// Looks for recordings that a crash, or leaving the chat, kept.
    pub(super) fn find_recordings(&self) -> Task<super::Message> {
        let Some(client) = self.backend.client() else { return Task::none() };
        let chat = self.chat.id.clone();
        let found = async move {
            let mut found = client.recordings().await.unwrap_or_default();
            found.retain(|draft| draft.conversation == chat);
            found
        };
        Task::perform(found, |found| super::Message::Sound(Deed::Found(found)))
    }

    pub(super) fn sound(&mut self, deed: Deed, context: Context<'_>) -> Action {
        match deed {
            Deed::Play(key) => self.with_note(key, Wish::Toggle),
            Deed::Seek(key, ms) => self.with_note(key, |note| Wish::Seek(note, Duration::from_millis(ms))),
            Deed::Player(wish) => Action::Player(wish, Task::none()),
            Deed::Record => self.record(),
            Deed::Recording(Ok(recording)) => self.recording(&recording),
            Deed::Recorded(serial, state) => self.recorded(serial, state),
            Deed::Pause => {
                if let Tape::Running(recording, state) = &self.sound.tape {
                    if state.phase == RecordingPhase::Paused { recording.resume() } else { recording.pause() }
                }
                Action::None
            }
            Deed::Stop => self.end(false),
            Deed::Send => match std::mem::take(&mut self.sound.tape) {
                Tape::Made(draft) => self.send_draft(draft),
                tape => {
                    self.sound.tape = tape;
                    self.end(true)
                }
            },
            Deed::Discard => self.discard(),
            Deed::Made(true, Ok(draft)) => self.send_draft(draft),
            Deed::Made(false, Ok(draft)) => {
                self.sound.tape = Tape::Made(draft);
                Action::None
            }
            Deed::Sent(Ok(())) => {
                self.sound.tape = Tape::Empty;
                Action::Run(Task::batch([self.show_newest(), self.find_recordings()]))
            }
            Deed::Sent(Err(problem)) => {
                self.sound.tape = Tape::Empty;
                self.notice = Some(problem.sentence(context.i18n));
                // It is still on the disk.
                Action::Run(self.find_recordings())
            }
            Deed::Recording(Err(problem)) | Deed::Made(_, Err(problem)) => {
                if !matches!(self.sound.tape, Tape::Running(..) | Tape::Made(_)) {
                    self.sound.tape = Tape::Empty;
                }
                self.notice = Some(problem.sentence(context.i18n));
                Action::None
            }
            Deed::Found(mut found) => {
                if let (Tape::Empty, Some(draft)) = (&self.sound.tape, found.pop()) {
                    self.sound.tape = Tape::Made(Box::new(draft));
                }
                Action::None
            }
            Deed::Attach => {
                let title = context.i18n.tr("attach");
                let choose = async move { rfd::AsyncFileDialog::new().set_title(title).pick_files().await };
                Action::Run(Task::perform(choose, |chosen| {
                    let paths = chosen.unwrap_or_default().iter().map(|file| file.path().to_owned()).collect();
                    super::Message::Sound(Deed::Chosen(paths))
                }))
            }
            Deed::Chosen(paths) => self.send_files(paths),
            Deed::Fetch(key) => self.with_file(key, |with, message| Request::Fetch { with, message }),
            Deed::CancelFetch(key) => self.with_file(key, |with, message| Request::CancelTransfer { with, message }),
            Deed::Save(key) => self.save(key, context),
            Deed::Transcribe(key) => self.transcribe(key),
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
    pub(crate) fn transcribed(&mut self, message: String, progress: Progress) {
        let _ = match progress {
            Progress::Waiting => self.sound.transcribing.insert(message, 0),
            Progress::Running { percent } => self.sound.transcribing.insert(message, percent),
            Progress::Done | Progress::Cancelled | Progress::Failed { .. } => self.sound.transcribing.remove(&message),
        };
    }

    fn transcribe(&self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let (with, message) = (self.chat.id.clone(), entry.message.id.clone());
        if self.sound.transcribing.contains_key(&message) {
            return Action::Run(self.command(Request::CancelTranscription { with, message }));
        }
        Action::Run(self.command(Request::Transcribe {
            with,
            message: Some(message),
            priority: Urgency::OnScreen,
            language: None,
            translate: None,
            again: false,
        }))
    }

    /// Files are sent one by one, in their order.
    pub(crate) fn send_files(&mut self, paths: Vec<std::path::PathBuf>) -> Action {
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
        Action::Run(sends.fold(Task::none(), Task::chain))
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
            let chosen = rfd::AsyncFileDialog::new().set_title(title).set_file_name(name).save_file().await;
            let Some(file) = chosen else { return Ok(()) };
            backend.command(Request::SaveFile { with, message, path: file.path().to_owned() }).await
        };
        Action::Run(Task::perform(save, super::Message::Done))
    }

    fn with_note(&self, key: u64, wish: impl FnOnce(Box<Shown>) -> Wish) -> Action {
        match self.timeline.by_key(key) {
            Some(entry) => Action::Player(wish(Box::new(entry.message.clone())), Task::none()),
            None => Action::None,
        }
    }

    fn record(&mut self) -> Action {
        let (Tape::Empty, Some(client)) = (&self.sound.tape, self.backend.client()) else { return Action::None };
        self.sound.tape = Tape::Waiting;
        let with = self.chat.id.clone();
        let record = async move { client.record(&with).await.map(Once::new).map_err(Problem::from) };
        let start = Task::perform(record, |begun| super::Message::Sound(Deed::Recording(begun)));
        // What plays would be recorded, too.
        Action::Player(Wish::Stop, start)
    }

    fn recording(&mut self, recording: &Once<Recording>) -> Action {
        let Some(recording) = recording.take() else { return Action::None };
        self.sound.serial += 1;
        let serial = self.sound.serial;
        let follow =
            Task::run(states(recording.state()), move |state| super::Message::Sound(Deed::Recorded(serial, state)));
        let state = recording.state().borrow().clone();
        self.sound.tape = Tape::Running(Box::new(recording), state);
        Action::Run(follow)
    }

    fn recorded(&mut self, now: u64, state: RecordingState) -> Action {
        let serial = self.sound.serial;
        let Tape::Running(_, shown) = &mut self.sound.tape else { return Action::None };
        if now != serial {
            return Action::None;
        }
        let ended = matches!(state.phase, RecordingPhase::Ended | RecordingPhase::Full);
        *shown = state;
        // Without a microphone, or after an hour: what there is waits to be sent.
        if ended { self.end(false) } else { Action::None }
    }

    fn end(&mut self, send: bool) -> Action {
        let tape = std::mem::replace(&mut self.sound.tape, Tape::Waiting);
        let Tape::Running(recording, _) = tape else {
            self.sound.tape = tape;
            return Action::None;
        };
        let finish = async move { recording.finish().await.map(Box::new).map_err(Problem::from) };
        Action::Run(Task::perform(finish, move |made| super::Message::Sound(Deed::Made(send, made))))
    }

    fn send_draft(&mut self, draft: Box<Draft>) -> Action {
        self.sound.tape = Tape::Waiting;
        let Some(client) = self.backend.client() else { return Action::None };
        let send = async move { client.send_recording(&draft).await.map(drop).map_err(Problem::from) };
        Action::Run(Task::perform(send, |sent| super::Message::Sound(Deed::Sent(sent))))
    }

    fn discard(&mut self) -> Action {
        match std::mem::take(&mut self.sound.tape) {
            Tape::Running(recording, _) => {
                Action::Run(Task::perform(async move { recording.cancel().await }, |()| super::Message::Done(Ok(()))))
            }
            Tape::Made(draft) => {
                if let Some(client) = self.backend.client() {
                    client.discard_recording(&draft);
                }
                Action::None
            }
            Tape::Empty | Tape::Waiting => Action::None,
        }
    }
}
