//! What is heard in a conversation, and its files.

use std::collections::BTreeMap;
use std::time::Duration;

use iced::Task;
use kith_core::client::sound::{Playback, PlaybackPhase, PlaybackState, SPEEDS_PERCENT};
use kith_core::wire::control::{Message as Shown, Progress, Request, Transfer, Urgency};

use super::{Action, Conversation};
use crate::app::Context;
use crate::backend::live::{Once, states};
use crate::problem::Problem;

/// What happens to sound and files.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Play the note of this row, or stand still, or go on.
    Play(u64),
    /// Go on in the note of this row this far along, 0 to 1.
    Seek(u64, f32),
    /// The next speed.
    Speed,
    /// A note plays, or not.
    Started(String, Result<Once<Playback>, Problem>),
    /// Where the note stands that was started so many times ago.
    Moved(u64, PlaybackState),
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

/// A note that is listened to.
#[derive(Debug)]
pub(super) struct Playing {
    pub(super) id: String,
    pub(super) state: PlaybackState,
    playback: Playback,
}

/// What is heard.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) playing: Option<Playing>,
    pub(super) speed_percent: u16,
    /// Notes that are being turned into text: their ids, and how much is done.
    pub(super) transcribing: BTreeMap<String, u8>,
    serial: u64,
}

impl Default for Sound {
    fn default() -> Self {
        Self { playing: None, speed_percent: 100, transcribing: BTreeMap::new(), serial: 0 }
    }
}

impl Conversation {
    pub(super) fn sound(&mut self, deed: Deed, context: Context<'_>) -> Action {
        match deed {
            Deed::Play(key) => self.play(key),
            Deed::Seek(key, part) => self.seek(key, part),
            Deed::Speed => self.next_speed(),
            Deed::Started(id, Ok(playback)) => self.started(id, &playback),
            Deed::Moved(serial, state) => self.moved(serial, state),
            Deed::Started(_, Err(problem)) => {
                self.notice = Some(problem.sentence(context.i18n));
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

    fn play(&mut self, key: u64) -> Action {
        let Some(message) = self.timeline.by_key(key).map(|entry| entry.message.clone()) else { return Action::None };
        if let Some(playing) = self.sound.playing.as_ref().filter(|playing| playing.id == message.id) {
            playing.playback.pause(playing.state.phase != PlaybackPhase::Paused);
            return Action::None;
        }
        let from = message.heard_ms.map_or(Duration::ZERO, |ms| Duration::from_millis(ms.into()));
        self.play_from(&message, from)
    }

    fn play_from(&mut self, message: &Shown, from: Duration) -> Action {
        let leave = self.stop_playing();
        let Some(client) = self.backend.client() else { return Action::Run(leave) };
        self.sound.speed_percent = client.sound_options().speed_percent;
        let (with, id) = (self.chat.id.clone(), message.id.clone());
        let play = async move {
            let started = client.play(&with, &id, from).await;
            (id, started.map(Once::new).map_err(Problem::from))
        };
        let start = Task::perform(play, |(id, started)| super::Message::Sound(Deed::Started(id, started)));
        Action::Run(Task::batch([leave, start]))
    }

    /// What plays stops, and where it stopped is kept.
    pub(super) fn stop_playing(&mut self) -> Task<super::Message> {
        let Some(playing) = self.sound.playing.take() else { return Task::none() };
        self.keep_heard(playing.id, playing.state.position, false)
    }

    fn keep_heard(&self, id: String, position: Duration, whole: bool) -> Task<super::Message> {
        let Some(client) = self.backend.client() else { return Task::none() };
        let with = self.chat.id.clone();
        let keep = async move { client.keep_heard(&with, &id, position, whole).await.map_err(Problem::from) };
        Task::perform(keep, super::Message::Done)
    }

    fn started(&mut self, id: String, playback: &Once<Playback>) -> Action {
        let Some(playback) = playback.take() else { return Action::None };
        self.sound.serial += 1;
        let serial = self.sound.serial;
        let follow =
            Task::run(states(playback.state()), move |state| super::Message::Sound(Deed::Moved(serial, state)));
        let state = playback.state().borrow().clone();
        self.sound.playing = Some(Playing { id, state, playback });
        Action::Run(follow)
    }

    fn moved(&mut self, serial: u64, state: PlaybackState) -> Action {
        let Some(playing) = self.sound.playing.as_mut().filter(|_| serial == self.sound.serial) else {
            return Action::None;
        };
        playing.state = state;
        match playing.state.phase.clone() {
            PlaybackPhase::Finished => {
                let id = playing.id.clone();
                self.sound.playing = None;
                let heard = self.keep_heard(id.clone(), Duration::ZERO, true);
                let next = self
                    .next_unheard(&id)
                    .filter(|_| self.backend.client().is_some_and(|client| client.sound_options().play_next));
                match next.map(|next| self.play_from(&next, Duration::ZERO)) {
                    Some(Action::Run(task)) => Action::Run(Task::batch([heard, task])),
                    _ => Action::Run(heard),
                }
            }
            PlaybackPhase::Failed(error) => {
                self.sound.playing = None;
                self.notice = Some(error.to_string());
                Action::None
            }
            _ => Action::None,
        }
    }

    fn next_unheard(&self, id: &str) -> Option<Shown> {
        let after = self.timeline.entries().skip_while(|entry| entry.message.id != id).skip(1);
        let mut unheard = after.filter(|entry| {
            let message = &entry.message;
            message.kind == "voice" && !message.mine && message.heard == Some(false)
        });
        unheard.next().map(|entry| entry.message.clone())
    }

    fn seek(&mut self, key: u64, part: f32) -> Action {
        let Some(message) = self.timeline.by_key(key).map(|entry| entry.message.clone()) else { return Action::None };
        let length = Duration::from_millis(message.duration_ms.unwrap_or_default().into());
        let to = length.mul_f32(part.clamp(0.0, 1.0));
        match self.sound.playing.as_ref().filter(|playing| playing.id == message.id) {
            Some(playing) => {
                playing.playback.seek(to);
                Action::None
            }
            None => self.play_from(&message, to),
        }
    }

    fn next_speed(&mut self) -> Action {
        let Some(client) = self.backend.client() else { return Action::None };
        let mut options = client.sound_options();
        let at = SPEEDS_PERCENT.iter().position(|speed| *speed == options.speed_percent).unwrap_or_default();
        options.speed_percent = SPEEDS_PERCENT.get((at + 1) % SPEEDS_PERCENT.len()).copied().unwrap_or(100);
        self.sound.speed_percent = options.speed_percent;
        if let Some(playing) = &self.sound.playing {
            playing.playback.set_speed(options.speed_percent);
        }
        let set = tokio::task::spawn_blocking(move || client.set_sound_options(options));
        let set = async move { set.await.map_or(Ok(()), |set| set.map_err(Problem::from)) };
        Action::Run(Task::perform(set, super::Message::Done))
    }
}
