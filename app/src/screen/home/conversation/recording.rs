//! A voice note while it is recorded, and until it is sent: held by the pointer, hands-free, listened to, thrown away and taken back.
//!
//! The microphone's button can be held: then letting go sends, pulling to the left throws away, and pulling up leaves the hands free.
//! A short press, and a press by the keyboard, leave the hands free at once. What was thrown away can be taken back for a while;
//! until then it lies on the disk as every recording does.

mod view;

use std::time::Duration;

use iced::widget::operation;
use iced::{Task, Vector};
use kith_core::client::sound::{
    Draft, Playback, PlaybackPhase, PlaybackState, Recording, RecordingPhase, RecordingState,
};

use super::{Action, COMPOSER, Conversation};
use crate::app::Context;
use crate::backend::live::{Once, states};
use crate::problem::Problem;
use crate::screen::home::player;

/// Sends what is recorded: where the focus goes when the keyboard began it.
pub(super) const SEND: &str = "recording-send";

/// A press that is let go of earlier was no holding.
const PRESS_MS: u64 = 350;

/// Pulled so far to the left, it is thrown away.
const AWAY: f32 = 120.0;

/// Pulled up so far, the hands are free.
const UP: f32 = 64.0;

/// What is shorter was a slip of the hand: nobody wants it back.
const SLIP: Duration = Duration::from_millis(700);

/// How long what was thrown away can be taken back.
const REGRET: Duration = Duration::from_secs(8);

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Record, with free hands; or stop, to listen to it.
    Toggle,
    /// The pointer holds the microphone's button.
    Grip,
    /// It is pulled this far from where it took hold.
    Pull(Vector),
    /// It let go.
    LetGo,
    /// The hands are free: by choice, or because the pointer has gone.
    Free,
    /// The microphone is asked for, or not.
    Begun(Result<Once<Recording>, Problem>),
    /// Where the recording stands.
    Went(u64, RecordingState),
    /// Stand still, or go on.
    Pause,
    /// End it, to listen to it before it is sent.
    Stop,
    /// End it and send it.
    Send,
    /// Throw it away.
    Discard,
    /// It ended, and this was wanted of it; or it came to nothing.
    Made(Wish, Result<Box<Draft>, Problem>),
    /// What was thrown away is wanted after all.
    TakeBack,
    /// What was thrown away so many times ago is gone.
    Forget(u64),
    /// It was sent, or not.
    Sent(Result<(), Problem>),
    /// Recordings of this chat that were not sent.
    Found(Vec<Draft>),
    /// Listen to it, or stand still, or go on.
    Listen,
    /// Listen from this moment of it on.
    ListenFrom(Duration),
    /// It is heard, or not.
    Heard(Result<Once<Playback>, Problem>),
    /// Where it stands that was begun so many times ago.
    Moved(u64, PlaybackState),
}

/// What becomes of a recording when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It is listened to.
    Listen,
    /// It goes.
    Send,
    /// It is thrown away.
    Discard,
}

/// How the pointer holds the button.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hold {
    since_ms: u64,
    pull: Vector,
}

/// What a pull means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    Nothing,
    Away,
    Free,
}

impl Hold {
    const fn new(since_ms: u64) -> Self {
        Self { since_ms, pull: Vector::new(0.0, 0.0) }
    }

    fn meant(self) -> Meant {
        if self.pull.x <= -AWAY {
            Meant::Away
        } else if self.pull.y <= -UP {
            Meant::Free
        } else {
            Meant::Nothing
        }
    }
}

/// What stands in the place of the composer while something is recorded.
#[derive(Debug, Default)]
pub(super) enum Tape {
    /// Nothing is recorded.
    #[default]
    Empty,
    /// The microphone is being asked for; none: then it is recorded.
    Opening(Option<Wish>),
    /// It is recorded.
    Running(Box<Recording>, RecordingState),
    /// It is ending, or being sent.
    Ending,
    /// It waits to be sent; found: it was left from before.
    Made { draft: Box<Draft>, found: bool },
    /// It was thrown away, and can be taken back.
    Dropped(Box<Draft>),
}

/// A recording that is listened to before it is sent.
#[derive(Debug)]
struct Preview {
    playback: Playback,
    state: PlaybackState,
}

/// The recording of a conversation.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    tape: Tape,
    hold: Option<Hold>,
    preview: Option<Preview>,
    /// The focus goes to what sends it: the keyboard began it.
    by_keyboard: bool,
    serial: u64,
}

impl Recorder {
    /// Something stands in the place of the composer.
    pub(super) fn is_in_use(&self) -> bool {
        !matches!(self.tape, Tape::Empty)
    }

    /// The pointer holds the button.
    pub(super) fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    /// What is listened to stops.
    pub(super) fn silence(&mut self) {
        self.preview = None;
    }

    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

fn told(deed: Deed) -> super::Message {
    super::Message::Recording(deed)
}

/// What was done is said to nobody.
fn silent(work: impl Future<Output = ()> + Send + 'static) -> Task<super::Message> {
    Task::future(work).discard()
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
        Task::perform(found, |found| told(Deed::Found(found)))
    }

    /// A microphone listens, or is about to.
    pub(crate) fn is_recording(&self) -> bool {
        matches!(self.recorder.tape, Tape::Opening(_) | Tape::Running(..))
    }

    /// Away with what is recorded; none if nothing is.
    pub(crate) fn cancel_recording(&mut self) -> Option<Task<super::Message>> {
        self.is_recording().then(|| self.discard())
    }

    /// What was thrown away is gone when its chat is left; what runs is kept by the core.
    pub(super) fn leave_recording(&mut self) -> Task<super::Message> {
        match std::mem::take(&mut self.recorder.tape) {
            Tape::Dropped(draft) => self.forget(draft),
            _ => Task::none(),
        }
    }

    /// Something happens to the recording.
    pub(super) fn record(&mut self, deed: Deed, context: Context<'_>) -> Action {
        // What plays would be recorded, or heard beside what was.
        let silences = matches!(deed, Deed::Toggle | Deed::Grip | Deed::Listen | Deed::ListenFrom(_));
        let task = match deed {
            Deed::Toggle => match self.recorder.tape {
                Tape::Running(..) => self.end(Wish::Listen),
                _ => {
                    self.recorder.by_keyboard = true;
                    self.begin()
                }
            },
            Deed::Grip => {
                self.recorder.by_keyboard = false;
                let begun = self.begin();
                self.recorder.hold = matches!(self.recorder.tape, Tape::Opening(_)).then(|| Hold::new(context.now_ms));
                begun
            }
            Deed::Pull(pull) => self.pulled(pull),
            Deed::LetGo => self.let_go(context.now_ms),
            Deed::Free => {
                self.recorder.hold = None;
                Task::none()
            }
            Deed::Begun(Ok(recording)) => self.begun(&recording),
            Deed::Went(serial, state) => self.went(serial, state),
            Deed::Pause => {
                if let Tape::Running(recording, state) = &self.recorder.tape {
                    if state.phase == RecordingPhase::Paused { recording.resume() } else { recording.pause() }
                }
                Task::none()
            }
            Deed::Stop => self.end(Wish::Listen),
            Deed::Send => self.end(Wish::Send),
            Deed::Discard => self.discard(),
            Deed::Made(Wish::Send, Ok(draft)) => self.send_draft(draft),
            Deed::Made(Wish::Discard, Ok(draft)) => self.drop_draft(draft),
            Deed::Made(Wish::Listen, Ok(draft)) => {
                self.recorder.tape = Tape::Made { draft, found: false };
                operation::focus(SEND)
            }
            Deed::TakeBack => match std::mem::take(&mut self.recorder.tape) {
                Tape::Dropped(draft) => {
                    self.recorder.tape = Tape::Made { draft, found: false };
                    operation::focus(SEND)
                }
                tape => {
                    self.recorder.tape = tape;
                    Task::none()
                }
            },
            Deed::Forget(serial) => match std::mem::take(&mut self.recorder.tape) {
                Tape::Dropped(draft) if serial == self.recorder.serial => self.forget(draft),
                tape => {
                    self.recorder.tape = tape;
                    Task::none()
                }
            },
            Deed::Sent(Ok(())) => {
                self.recorder.tape = Tape::Empty;
                let more = [self.show_newest(), self.find_recordings(), self.sounds_sent(context)];
                Task::batch(more.into_iter().chain([operation::focus(COMPOSER)]))
            }
            Deed::Sent(Err(problem)) => {
                self.recorder.tape = Tape::Empty;
                self.notice = Some(problem.sentence(context.i18n));
                // It is still on the disk.
                self.find_recordings()
            }
            Deed::Made(Wish::Discard, Err(_)) => {
                self.recorder.tape = Tape::Empty;
                operation::focus(COMPOSER)
            }
            Deed::Begun(Err(problem)) | Deed::Made(_, Err(problem)) => {
                (self.recorder.tape, self.recorder.hold) = (Tape::Empty, None);
                self.notice = Some(problem.sentence(context.i18n));
                operation::focus(COMPOSER)
            }
            Deed::Heard(Err(problem)) => {
                self.notice = Some(problem.sentence(context.i18n));
                Task::none()
            }
            Deed::Found(mut found) => {
                if let (Tape::Empty, Some(draft)) = (&self.recorder.tape, found.pop()) {
                    self.recorder.tape = Tape::Made { draft: Box::new(draft), found: true };
                }
                Task::none()
            }
            Deed::Listen => self.listen(),
            Deed::ListenFrom(at) => self.listen_from(at),
            Deed::Heard(Ok(playback)) => self.heard(&playback),
            Deed::Moved(serial, state) => self.preview_moved(serial, state),
        };
        if silences { Action::Player(player::Wish::Stop, task) } else { Action::Run(task) }
    }

    fn begin(&mut self) -> Task<super::Message> {
        // What was thrown away before is not waited for any longer.
        let forget = match std::mem::take(&mut self.recorder.tape) {
            Tape::Dropped(draft) => self.forget(draft),
            tape => {
                self.recorder.tape = tape;
                Task::none()
            }
        };
        let (Tape::Empty, Some(client)) = (&self.recorder.tape, self.backend.client()) else { return forget };
        self.recorder.tape = Tape::Opening(None);
        let with = self.chat.id.clone();
        let record = async move { client.record(&with).await.map(Once::new).map_err(Problem::from) };
        Task::batch([forget, Task::perform(record, |begun| told(Deed::Begun(begun)))])
    }

    fn pulled(&mut self, pull: Vector) -> Task<super::Message> {
        let Some(hold) = &mut self.recorder.hold else { return Task::none() };
        hold.pull = pull;
        match hold.meant() {
            Meant::Nothing => Task::none(),
            Meant::Away => self.discard(),
            Meant::Free => {
                self.recorder.hold = None;
                Task::none()
            }
        }
    }

    fn let_go(&mut self, now_ms: u64) -> Task<super::Message> {
        match self.recorder.hold.take() {
            Some(hold) if now_ms.saturating_sub(hold.since_ms) >= PRESS_MS => self.end(Wish::Send),
            _ => Task::none(),
        }
    }

    fn begun(&mut self, recording: &Once<Recording>) -> Task<super::Message> {
        let Some(recording) = recording.take() else { return Task::none() };
        let Tape::Opening(wish) = self.recorder.tape else { return silent(recording.cancel()) };
        let serial = self.recorder.next();
        let follow = Task::run(states(recording.state()), move |state| told(Deed::Went(serial, state)));
        let state = recording.state().borrow().clone();
        self.recorder.tape = Tape::Running(Box::new(recording), state);
        // What was wanted while the microphone was not there yet.
        let wished = match wish {
            Some(Wish::Discard) => self.discard(),
            Some(wish) => self.end(wish),
            None if self.recorder.by_keyboard => operation::focus(SEND),
            None => Task::none(),
        };
        Task::batch([follow, wished])
    }

    fn went(&mut self, serial: u64, state: RecordingState) -> Task<super::Message> {
        if serial != self.recorder.serial {
            return Task::none();
        }
        let Tape::Running(_, shown) = &mut self.recorder.tape else { return Task::none() };
        let ended = matches!(state.phase, RecordingPhase::Ended | RecordingPhase::Full);
        *shown = state;
        // Without a microphone, or after an hour: what there is waits to be sent.
        if ended { self.end(Wish::Listen) } else { Task::none() }
    }

    /// Ends what is recorded, and does this with it.
    fn end(&mut self, wish: Wish) -> Task<super::Message> {
        self.recorder.hold = None;
        match std::mem::replace(&mut self.recorder.tape, Tape::Ending) {
            Tape::Running(recording, _) => {
                let finish = async move { recording.finish().await.map(Box::new).map_err(Problem::from) };
                Task::perform(finish, move |made| told(Deed::Made(wish, made)))
            }
            Tape::Made { draft, .. } if wish == Wish::Send => self.send_draft(draft),
            Tape::Opening(_) => {
                self.recorder.tape = Tape::Opening(Some(wish));
                Task::none()
            }
            tape => {
                self.recorder.tape = tape;
                Task::none()
            }
        }
    }

    fn send_draft(&mut self, draft: Box<Draft>) -> Task<super::Message> {
        self.recorder.preview = None;
        let Some(client) = self.backend.client() else {
            self.recorder.tape = Tape::Made { draft, found: false };
            return Task::none();
        };
        self.recorder.tape = Tape::Ending;
        let send = async move { client.send_recording(&draft).await.map(drop).map_err(Problem::from) };
        Task::perform(send, |sent| told(Deed::Sent(sent)))
    }

    fn discard(&mut self) -> Task<super::Message> {
        self.recorder.hold = None;
        match std::mem::take(&mut self.recorder.tape) {
            Tape::Running(recording, state) if state.duration < SLIP => {
                Task::batch([silent(recording.cancel()), operation::focus(COMPOSER)])
            }
            Tape::Made { draft, .. } => self.drop_draft(draft),
            tape => {
                self.recorder.tape = tape;
                self.end(Wish::Discard)
            }
        }
    }

    /// It can be taken back for a while.
    fn drop_draft(&mut self, draft: Box<Draft>) -> Task<super::Message> {
        self.recorder.preview = None;
        self.recorder.tape = Tape::Dropped(draft);
        let serial = self.recorder.next();
        Task::perform(tokio::time::sleep(REGRET), move |()| told(Deed::Forget(serial)))
    }

    /// Removes its file, where that may take its time; others that were left are offered then.
    fn forget(&self, draft: Box<Draft>) -> Task<super::Message> {
        let Some(client) = self.backend.client() else { return Task::none() };
        let removed = async move {
            let removing = tokio::task::spawn_blocking(move || client.discard_recording(&draft));
            // Nothing but the end of the program keeps it from being done.
            let _ = removing.await;
        };
        silent(removed).chain(self.find_recordings())
    }

    fn listen(&mut self) -> Task<super::Message> {
        match &self.recorder.preview {
            Some(preview) => {
                preview.playback.pause(preview.state.phase != PlaybackPhase::Paused);
                Task::none()
            }
            None => self.listen_at(Duration::ZERO),
        }
    }

    fn listen_from(&mut self, at: Duration) -> Task<super::Message> {
        match &self.recorder.preview {
            Some(preview) => {
                preview.playback.seek(at);
                Task::none()
            }
            None => self.listen_at(at),
        }
    }

    fn listen_at(&mut self, at: Duration) -> Task<super::Message> {
        let (Tape::Made { draft, .. }, Some(client)) = (&self.recorder.tape, self.backend.client()) else {
            return Task::none();
        };
        let draft = draft.clone();
        let play = async move {
            let started = tokio::task::spawn_blocking(move || client.play_recording(&draft, at)).await;
            started.map_err(|error| Problem::new("ending", error.to_string()))?.map(Once::new).map_err(Problem::from)
        };
        Task::perform(play, |heard| told(Deed::Heard(heard)))
    }

    fn heard(&mut self, playback: &Once<Playback>) -> Task<super::Message> {
        let (Some(playback), Tape::Made { .. }) = (playback.take(), &self.recorder.tape) else { return Task::none() };
        let serial = self.recorder.next();
        let follow = Task::run(states(playback.state()), move |state| told(Deed::Moved(serial, state)));
        let state = playback.state().borrow().clone();
        self.recorder.preview = Some(Preview { playback, state });
        follow
    }

    fn preview_moved(&mut self, serial: u64, state: PlaybackState) -> Task<super::Message> {
        if serial == self.recorder.serial
            && let Some(preview) = &mut self.recorder.preview
        {
            preview.state = state;
            match &preview.state.phase {
                PlaybackPhase::Finished => self.recorder.preview = None,
                PlaybackPhase::Failed(error) => {
                    let problem = Problem::from(kith_core::client::ClientError::from(error.clone()));
                    self.recorder.preview = None;
                    return Task::done(told(Deed::Heard(Err(problem))));
                }
                _ => {}
            }
        }
        Task::none()
    }
}

#[cfg(test)]
mod tests;
