//! A microphone that is tried out: its level, and a few seconds that are played back with the clean-up and without.

use std::time::Duration;

use iced::widget::{column, container, row};
use iced::{Alignment, Length, Task};
use kith_core::client::ClientError;
use kith_core::client::sound::{
    CleanUp, LONGEST_TRIAL, Playback, PlaybackPhase, PlaybackState, RecordingPhase, RecordingState, Trial, TrialSound,
};

use super::super::parts;
use crate::backend::Backend;
use crate::backend::live::{Once, states};
use crate::format;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::{self, choice, form};
use crate::widget::line::line;

/// What the microphone is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// To see how loud it is.
    Level,
    /// To hear oneself.
    Sound,
}

/// The microphone.
#[derive(Debug, Default)]
enum Ear {
    /// Nobody listens.
    #[default]
    Off,
    /// It is asked for.
    Opening(For),
    /// It is listened to.
    On(For, Option<Trial>, RecordingState),
    /// What was said is gathered.
    Ending,
}

/// What plays of what was said.
#[derive(Debug)]
struct Playing {
    playback: Option<Playback>,
    state: PlaybackState,
}

/// The trial.
#[derive(Debug)]
pub(in super::super) struct TrialPart {
    backend: Backend,
    ear: Ear,
    said: Option<TrialSound>,
    /// It is played as others would hear it; else as the microphone gave it.
    is_clean: bool,
    playing: Option<Playing>,
    wrong: Option<Problem>,
    serial: u64,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Listen, or stop.
    Listen(For, bool),
    /// The microphone is asked for, or not.
    Begun(For, Result<Once<Trial>, Problem>),
    /// Where it stands that was begun so many times ago.
    Went(u64, RecordingState),
    /// What was said.
    Said(Result<TrialSound, Problem>),
    /// Hear it cleaned, or as it was.
    Clean(bool),
    /// Play it, or stop.
    Play,
    /// It plays, or not.
    Started(Result<Once<Playback>, Problem>),
    /// Where it stands that was begun so many times ago.
    Moved(u64, PlaybackState),
}

impl TrialPart {
    pub(super) fn new(backend: Backend) -> Self {
        Self { backend, ear: Ear::Off, said: None, is_clean: true, playing: None, wrong: None, serial: 0 }
    }

    pub(super) fn leave(&mut self) {
        (self.ear, self.playing, self.said, self.wrong) = (Ear::Off, None, None, None);
        self.serial += 1;
    }

    /// Whoever looks at the level sees that of the microphone that was chosen now.
    pub(super) fn another_microphone(&mut self) -> Task<Message> {
        match std::mem::take(&mut self.ear) {
            Ear::Opening(For::Level) | Ear::On(For::Level, ..) => self.listen(For::Level),
            Ear::On(For::Sound, trial, _) => self.end(trial),
            ear => {
                self.ear = ear;
                Task::none()
            }
        }
    }

    /// Something happened; `clean` is what was chosen.
    pub(super) fn update(&mut self, message: Message, clean: CleanUp) -> Task<Message> {
        match message {
            Message::Listen(what, true) => return self.listen(what),
            Message::Listen(_, false) => {
                return match std::mem::take(&mut self.ear) {
                    Ear::On(For::Sound, trial, _) => self.end(trial),
                    _ => Task::none(),
                };
            }
            Message::Begun(what, Ok(trial)) => return self.begun(what, &trial),
            Message::Begun(_, Err(problem)) | Message::Said(Err(problem)) => {
                (self.ear, self.wrong) = (Ear::Off, Some(problem));
            }
            Message::Went(serial, state) => return self.went(serial, state),
            Message::Said(Ok(said)) => (self.ear, self.said) = (Ear::Off, Some(said)),
            Message::Clean(is_clean) => {
                self.is_clean = is_clean;
                // What is heard goes on where it is, and is the other one: so they can be compared.
                if let Some(playing) = self.playing.take() {
                    return self.play(clean, playing.state.position);
                }
            }
            Message::Play if self.playing.is_some() => self.stop(),
            Message::Play => return self.play(clean, Duration::ZERO),
            Message::Started(Ok(playback)) => return self.started(&playback),
            Message::Started(Err(problem)) => (self.playing, self.wrong) = (None, Some(problem)),
            Message::Moved(serial, state) => self.moved(serial, state),
        }
        Task::none()
    }

    fn listen(&mut self, what: For) -> Task<Message> {
        self.stop();
        (self.ear, self.wrong) = (Ear::Opening(what), None);
        let begin = self.backend.clone().try_microphone(what == For::Sound);
        Task::perform(begin, move |begun| Message::Begun(what, begun))
    }

    fn begun(&mut self, what: For, trial: &Once<Trial>) -> Task<Message> {
        // Who has gone meanwhile lets the microphone go.
        let (Ear::Opening(wanted), Some(trial)) = (&self.ear, trial.take()) else { return Task::none() };
        if *wanted != what {
            return Task::none();
        }
        self.serial += 1;
        let serial = self.serial;
        let state = trial.state().borrow().clone();
        let follow = Task::run(states(trial.state()), move |state| Message::Went(serial, state));
        self.ear = Ear::On(what, Some(trial), state);
        follow
    }

    fn went(&mut self, serial: u64, state: RecordingState) -> Task<Message> {
        if serial != self.serial {
            return Task::none();
        }
        let Ear::On(what, trial, shown) = &mut self.ear else { return Task::none() };
        *shown = state;
        match shown.phase {
            RecordingPhase::Ended if *what == For::Level => {
                let problem = shown.problem.clone();
                self.wrong = problem.map(|error| Problem::from(ClientError::from(error)));
                self.ear = Ear::Off;
                Task::none()
            }
            RecordingPhase::Ended | RecordingPhase::Full => {
                let trial = trial.take();
                self.end(trial)
            }
            _ => Task::none(),
        }
    }

    fn end(&mut self, trial: Option<Trial>) -> Task<Message> {
        self.ear = Ear::Ending;
        let Some(trial) = trial else { return Task::none() };
        let finish = async move { trial.finish().await.map_err(Problem::from) };
        Task::perform(finish, Message::Said)
    }

    fn play(&mut self, chosen: CleanUp, from: Duration) -> Task<Message> {
        let Some(said) = self.said.clone() else { return Task::none() };
        self.wrong = None;
        let state = PlaybackState { phase: PlaybackPhase::Opening, position: from, damaged: false, stand_in: None };
        self.playing = Some(Playing { playback: None, state });
        // Where all of the clean-up is switched off, all of it is what can be compared.
        let clean = match (self.is_clean, chosen) {
            (false, _) => CleanUp::NONE,
            (true, CleanUp::NONE) => CleanUp::FULL,
            (true, chosen) => chosen,
        };
        Task::perform(self.backend.clone().play_trial(said, clean, from), Message::Started)
    }

    fn started(&mut self, playback: &Once<Playback>) -> Task<Message> {
        let (Some(playing), Some(playback)) = (&mut self.playing, playback.take()) else { return Task::none() };
        self.serial += 1;
        let serial = self.serial;
        let follow = Task::run(states(playback.state()), move |state| Message::Moved(serial, state));
        playing.playback = Some(playback);
        follow
    }

    fn moved(&mut self, serial: u64, state: PlaybackState) {
        let Some(playing) = self.playing.as_mut().filter(|_| serial == self.serial) else { return };
        match &state.phase {
            PlaybackPhase::Finished => self.stop(),
            PlaybackPhase::Failed(error) => {
                self.wrong = Some(Problem::from(ClientError::from(error.clone())));
                self.stop();
            }
            _ => playing.state = state,
        }
    }

    fn stop(&mut self) {
        self.playing = None;
        self.serial += 1;
    }

    pub(super) fn view<'a>(&'a self, clean: CleanUp, i18n: &I18n) -> Element<'a, Message> {
        let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
        let wrong = wrong.map(|wrong| container(wrong).padding([metric::SMALL, metric::GAP]).into());
        let said = self.said.as_ref().map(|said| self.said(said, clean, i18n));
        let rows = [self.level(i18n), self.recording(i18n)];
        parts::group(Some(i18n.tr("sound-trial")), rows.into_iter().chain(said).chain(wrong))
    }

    fn level<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let (is_on, state) = match &self.ear {
            Ear::Opening(For::Level) => (true, None),
            Ear::On(For::Level, _, state) => (true, Some(state)),
            _ => (false, None),
        };
        let switch = choice::switch(
            i18n.tr("sound-level"),
            Some(i18n.tr("sound-level-words")),
            is_on,
            Some(Message::Listen(For::Level, !is_on)),
        );
        let meter = is_on.then(|| {
            let words = state.map_or_else(|| i18n.tr("recording-opens"), |state| microphone(state, i18n));
            let words = line(words).size(metric::CAPTION).style(theme::text::muted).width(Length::Fill);
            let bar = ui::level(state.map_or(0.0, |state| state.level), Length::Fill);
            column![bar, words].spacing(metric::TIGHT).padding([metric::SMALL, metric::GAP])
        });
        column![switch].push(meter).into()
    }

    fn recording<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let most = LONGEST_TRIAL.as_secs();
        let words = i18n.tr_with("sound-record-words", [("seconds", most.into())]);
        let (shown, button): (Element<'a, Message>, _) = match &self.ear {
            Ear::On(For::Sound, _, state) => {
                let bar = ui::level(state.level, Length::Fill);
                let stop = Message::Listen(For::Sound, false);
                let words = line(microphone(state, i18n)).size(metric::CAPTION).style(theme::text::muted);
                let time = row![ui::clock(state.duration), words.width(Length::Fill)].spacing(metric::SMALL);
                let shown = column![time.align_y(Alignment::Center), bar].spacing(metric::TIGHT);
                (shown.into(), parts::with_icon(Icon::Check, i18n.tr("sound-stop"), Some(stop)))
            }
            Ear::Opening(For::Sound) => {
                (ui::caption(i18n.tr("recording-opens")), parts::with_icon(Icon::Mic, i18n.tr("sound-record"), None))
            }
            Ear::Ending => {
                (ui::caption(i18n.tr("settings-coming")), parts::with_icon(Icon::Mic, i18n.tr("sound-record"), None))
            }
            _ => {
                let begin = Message::Listen(For::Sound, true);
                (ui::caption(words), parts::with_icon(Icon::Mic, i18n.tr("sound-record"), Some(begin)))
            }
        };
        row![container(shown).width(Length::Fill), button]
            .spacing(metric::GAP)
            .padding([metric::SMALL, metric::GAP])
            .align_y(Alignment::Center)
            .into()
    }

    fn said<'a>(&'a self, said: &TrialSound, clean: CleanUp, i18n: &I18n) -> Element<'a, Message> {
        let (icon, words) = match self.playing {
            Some(_) => (Icon::X, i18n.tr("sound-stop")),
            None => (Icon::Play, i18n.tr("voice-play")),
        };
        let play = parts::with_icon(icon, words, Some(Message::Play));
        let at = self.playing.as_ref().map_or(Duration::ZERO, |playing| playing.state.position);
        let part = at.as_secs_f32() / said.duration().as_secs_f32().max(f32::EPSILON);
        let time = row![ui::clock(at), ui::caption("/"), ui::clock(said.duration())].spacing(metric::TIGHT);
        let ways = choice::segments([
            (i18n.tr("sound-cleaned"), self.is_clean, Message::Clean(true)),
            (i18n.tr("sound-raw"), !self.is_clean, Message::Clean(false)),
        ]);
        let all = (self.is_clean && clean == CleanUp::NONE).then(|| ui::caption(i18n.tr("sound-cleaned-all")));
        let head = row![play, time].spacing(metric::GAP).align_y(Alignment::Center);
        let lines = column![head, ui::progress(part, Length::Fill), ways].push(all).spacing(metric::SMALL);
        container(lines).padding([metric::SMALL, metric::GAP]).into()
    }
}

/// Which microphone is heard, or what is wrong with it.
fn microphone(state: &RecordingState, i18n: &I18n) -> String {
    match state.phase {
        RecordingPhase::Opening => i18n.tr("recording-opens"),
        RecordingPhase::Searching => i18n.tr("recording-lost"),
        _ => format::one_line(state.microphone.as_deref().unwrap_or_default(), super::MAX_NAME),
    }
}

#[cfg(test)]
impl TrialPart {
    /// As if a microphone was listened to, for pictures.
    pub(in super::super) fn hears(&mut self, what: For, state: RecordingState) {
        self.ear = Ear::On(what, None, state);
    }

    pub(super) fn is_on(&self) -> bool {
        matches!(self.ear, Ear::On(..))
    }

    pub(super) fn wrong_words(&self) -> Option<String> {
        self.wrong.as_ref().map(ToString::to_string)
    }
}
