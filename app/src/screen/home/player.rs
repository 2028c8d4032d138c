//! The voice note that is listened to. It goes on while another chat is opened.

use std::time::Duration;

use iced::widget::{column, container, row, space, text, tooltip};
use iced::{Alignment, Length, Task};
use kith_core::client::ClientError;
use kith_core::client::sound::{Playback, PlaybackPhase, PlaybackState, SPEEDS_PERCENT};
use kith_core::wire::control::{At, Message as Shown, Page, Said};

use crate::app::Context;
use crate::backend::Backend;
use crate::backend::live::{Once, states};
use crate::format::{self, one_line};
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::{self, form};
use crate::widget::line::line;
use crate::widget::press::press;

use super::timeline::PAGE;

/// Listens to one note at a time.
#[derive(Debug)]
pub(crate) struct Player {
    backend: Backend,
    playing: Option<Playing>,
    /// That another speaker plays than the one that was chosen, as it was told last.
    stand_in: Option<Box<Said>>,
    speed_percent: u16,
    /// Which of the notes that were asked for is meant: an earlier one may still answer.
    serial: u64,
}

/// While a note plays, where it stands is kept after so much of it: a crash costs no more.
const KEPT_EVERY: Duration = Duration::from_secs(5);

/// After a jump in a note that stands still, when no other follows, where it stands is kept.
const JUMP_REST: Duration = Duration::from_millis(500);

/// A note that is listened to.
#[derive(Debug)]
struct Playing {
    note: Shown,
    state: PlaybackState,
    /// Where it stood when that was kept last.
    kept: Duration,
    /// Jumps while it stood still.
    jumps: u64,
    playback: Playback,
}

/// What somebody wants of it.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    /// Play this note from where it was left, or stand still, or go on.
    Toggle(Box<Shown>),
    /// Go on in this note at this moment.
    Seek(Box<Shown>, Duration),
    /// The next speed.
    Speed,
    /// Nothing any more.
    Stop,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A note plays, or not.
    Started(u64, Box<Shown>, Result<Once<Playback>, Problem>),
    /// Where the note stands that was asked for as this.
    Moved(u64, PlaybackState),
    /// It stands still since so many jumps in it.
    Rested(u64, u64),
    /// What comes after a note that was heard to its end.
    Followed(u64, Result<Page, Problem>),
    /// Somebody wants something of it.
    Wish(Wish),
    /// To the note that plays.
    Show,
    /// A command was carried out, or not.
    Done(Result<(), Problem>),
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Carries this out.
    Run(Task<Message>),
    /// Shows this message of this chat.
    Show(String, String),
    /// Says why not.
    Failed(Problem),
    /// Says what should be known of it.
    Told(Box<Said>),
}

/// Where a note stands, for those who draw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// How far into the note.
    pub(crate) position: Duration,
    /// It is heard, or about to be.
    pub(crate) runs: bool,
    /// How fast, in per cent.
    pub(crate) speed_percent: u16,
}

impl Player {
    /// One that plays nothing.
    pub(crate) fn new(backend: Backend) -> Self {
        Self { backend, playing: None, stand_in: None, speed_percent: 100, serial: 0 }
    }

    /// Where a message's note stands, if it is the one.
    pub(crate) fn place(&self, message: &str) -> Option<Place> {
        self.playing.as_ref().filter(|playing| playing.note.id == message).map(|playing| self.place_of(playing))
    }

    /// What plays goes on at this speaker, or the default one.
    pub(crate) fn use_speaker(&self, speaker: Option<String>) {
        if let Some(playing) = &self.playing {
            playing.playback.set_device(speaker);
        }
    }

    fn place_of(&self, playing: &Playing) -> Place {
        let stands = matches!(playing.state.phase, PlaybackPhase::Paused | PlaybackPhase::Finished);
        Place { position: playing.state.position, runs: !stands, speed_percent: self.speed_percent }
    }

    /// The end of the window: where it stopped, to be kept.
    pub(crate) fn end(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let kept = self.let_go();
        async move {
            if let Some(keep) = kept {
                let _ = keep.await;
            }
        }
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Started(serial, note, started) if serial == self.serial => match started {
                Ok(playback) => Action::Run(self.started(*note, &playback)),
                Err(problem) => Action::Failed(problem),
            },
            Message::Moved(serial, state) if serial == self.serial => self.moved(state),
            Message::Followed(serial, page) if serial == self.serial => match page {
                Ok(page) => Action::Run(next_unheard(page).map_or_else(Task::none, |next| self.play(next, None))),
                Err(problem) => Action::Failed(problem),
            },
            Message::Rested(serial, jumps) if serial == self.serial => self.rested(jumps),
            Message::Started(..) | Message::Moved(..) | Message::Rested(..) | Message::Followed(..) => {
                Action::Run(Task::none())
            }
            Message::Wish(wish) => Action::Run(self.wish(wish)),
            Message::Show => match &self.playing {
                Some(playing) => Action::Show(playing.note.conversation.clone(), playing.note.id.clone()),
                None => Action::Run(Task::none()),
            },
            Message::Done(Ok(())) => Action::Run(Task::none()),
            Message::Done(Err(problem)) => Action::Failed(problem),
        }
    }

    fn wish(&mut self, wish: Wish) -> Task<Message> {
        match wish {
            Wish::Toggle(note) => match self.playing.as_ref().filter(|playing| playing.note.id == note.id) {
                Some(playing) => {
                    playing.playback.pause(playing.state.phase != PlaybackPhase::Paused);
                    Task::none()
                }
                None => self.play(*note, None),
            },
            Wish::Seek(note, to) => match self.playing.as_ref().filter(|playing| playing.note.id == note.id) {
                Some(playing) => {
                    playing.playback.seek(to);
                    Task::none()
                }
                None => self.play(*note, Some(to)),
            },
            Wish::Speed => self.next_speed(),
            Wish::Stop => self.stop(),
        }
    }

    fn play(&mut self, note: Shown, from: Option<Duration>) -> Task<Message> {
        let left = self.stop();
        let Some(client) = self.backend.client() else { return left };
        let serial = self.serial;
        self.speed_percent = client.sound_options().speed_percent;
        let from = from.unwrap_or(Duration::from_millis(note.heard_ms.unwrap_or_default().into()));
        let play = async move {
            let started = client.play(&note.conversation, &note.id, from).await;
            Message::Started(serial, Box::new(note), started.map(Once::new).map_err(Problem::from))
        };
        Task::batch([left, Task::future(play)])
    }

    fn started(&mut self, note: Shown, playback: &Once<Playback>) -> Task<Message> {
        let Some(playback) = playback.take() else { return Task::none() };
        let serial = self.serial;
        let follow = Task::run(states(playback.state()), move |state| Message::Moved(serial, state));
        let state = playback.state().borrow().clone();
        self.playing = Some(Playing { note, kept: state.position, jumps: 0, state, playback });
        follow
    }

    fn moved(&mut self, state: PlaybackState) -> Action {
        let Some(playing) = self.playing.as_mut() else { return Action::Run(Task::none()) };
        let before = std::mem::replace(&mut playing.state, state);
        match playing.state.phase.clone() {
            PlaybackPhase::Finished => Action::Run(self.finished()),
            PlaybackPhase::Failed(error) => {
                self.playing = None;
                Action::Failed(ClientError::from(error).into())
            }
            // Whoever stands still may go away for good.
            PlaybackPhase::Paused if before.phase != PlaybackPhase::Paused => self.keep_place(),
            PlaybackPhase::Paused if before.position != playing.state.position => {
                playing.jumps = playing.jumps.wrapping_add(1);
                let (serial, jumps) = (self.serial, playing.jumps);
                Action::Run(Task::perform(tokio::time::sleep(JUMP_REST), move |()| Message::Rested(serial, jumps)))
            }
            PlaybackPhase::Playing if playing.state.position.abs_diff(playing.kept) >= KEPT_EVERY => self.keep_place(),
            PlaybackPhase::Playing => self.speaker_runs(),
            _ => Action::Run(Task::none()),
        }
    }

    /// Whoever jumped in a note that stands still and goes away finds it there.
    fn rested(&mut self, jumps: u64) -> Action {
        match &self.playing {
            Some(playing) if playing.jumps == jumps && playing.kept != playing.state.position => self.keep_place(),
            _ => Action::Run(Task::none()),
        }
    }

    /// Which speaker runs is told when it is another than before.
    fn speaker_runs(&mut self) -> Action {
        let now = self.playing.as_ref().and_then(|playing| playing.state.stand_in.clone());
        if self.stand_in == now {
            return Action::Run(Task::none());
        }
        self.stand_in.clone_from(&now);
        now.map_or_else(|| Action::Run(Task::none()), Action::Told)
    }

    fn keep_place(&mut self) -> Action {
        let Some(playing) = self.playing.as_mut() else { return Action::Run(Task::none()) };
        playing.kept = playing.state.position;
        let (note, position) = (playing.note.clone(), playing.kept);
        Action::Run(self.keep(note, position, false))
    }

    fn finished(&mut self) -> Task<Message> {
        let Some(playing) = self.playing.take() else { return Task::none() };
        let note = playing.note;
        let follows = self.backend.client().is_some_and(|client| client.sound_options().play_next);
        let (serial, with, message) = (self.serial, note.conversation.clone(), note.id.clone());
        let heard = self.keep(note, Duration::ZERO, true);
        if !follows {
            return heard;
        }
        let after = self.backend.clone().page(with, At::After { message }, PAGE);
        Task::batch([heard, Task::perform(after, move |page| Message::Followed(serial, page))])
    }

    /// What plays stops, and where it stopped is kept.
    fn stop(&mut self) -> Task<Message> {
        match self.let_go() {
            Some(keep) => Task::perform(keep, Message::Done),
            None => Task::none(),
        }
    }

    fn let_go(&mut self) -> Option<impl Future<Output = Result<(), Problem>> + Send + 'static> {
        self.serial = self.serial.wrapping_add(1);
        let playing = self.playing.take()?;
        Some(keep(self.backend.clone(), playing.note, playing.state.position, false))
    }

    fn keep(&self, note: Shown, position: Duration, whole: bool) -> Task<Message> {
        Task::perform(keep(self.backend.clone(), note, position, whole), Message::Done)
    }

    fn next_speed(&mut self) -> Task<Message> {
        let Some(client) = self.backend.client() else { return Task::none() };
        let mut options = client.sound_options();
        let at = SPEEDS_PERCENT.iter().position(|speed| *speed == options.speed_percent).unwrap_or_default();
        options.speed_percent = SPEEDS_PERCENT.get((at + 1) % SPEEDS_PERCENT.len()).copied().unwrap_or(100);
        self.speed_percent = options.speed_percent;
        if let Some(playing) = &self.playing {
            playing.playback.set_speed(options.speed_percent);
        }
        let set = tokio::task::spawn_blocking(move || client.set_sound_options(options));
        let set = async move { set.await.map_or(Ok(()), |set| set.map_err(Problem::from)) };
        Task::perform(set, Message::Done)
    }

    /// A strip that says what plays, for where its message is not in sight: `chat` is the one that is open.
    pub(crate) fn strip<'a>(&'a self, chat: Option<&str>, context: Context<'a>) -> Option<Element<'a, Message>> {
        let playing = self.playing.as_ref().filter(|playing| Some(playing.note.conversation.as_str()) != chat)?;
        let (i18n, note, place) = (context.i18n, &playing.note, self.place_of(playing));
        let (icon, words) = match place.runs {
            true => (Icon::Pause, i18n.tr("voice-pause")),
            false => (Icon::Play, i18n.tr("voice-play")),
        };
        let toggle = form::icon_button(icon, words, Some(Message::Wish(Wish::Toggle(Box::new(note.clone())))));
        let who = if note.mine { i18n.tr("you") } else { one_line(&note.author_name, 60) };
        let words = i18n.tr_with("player-plays", [("name", who.into())]);
        let words = press(line(words).size(metric::CAPTION).width(Length::Fill))
            .padding([metric::TIGHT, metric::SMALL])
            .width(Length::Fill)
            .style(theme::button::quiet)
            .on_press(Message::Show);
        let words = ui::with_tooltip(words, i18n.tr("player-show"), tooltip::Position::Bottom);
        let length_ms = note.duration_ms.unwrap_or_default();
        let at_ms = u32::try_from(place.position.as_millis()).unwrap_or(length_ms).min(length_ms);
        let time = format!("{} / {}", format::duration(at_ms), format::duration(length_ms));
        let time = text(time).size(metric::CAPTION).style(theme::text::muted).wrapping(text::Wrapping::None);
        let close = form::icon_button(Icon::X, i18n.tr("player-stop"), Some(Message::Wish(Wish::Stop)));
        let strip = row![toggle, words, time, speed_button(place.speed_percent, i18n).map(Message::Wish), close]
            .spacing(metric::SMALL)
            .align_y(Alignment::Center);
        let strip = container(strip).padding([0.0, metric::SMALL]).style(theme::container::surface);
        let under = container(space().height(1.0).width(Length::Fill)).style(theme::container::line);
        Some(column![strip, under].into())
    }
}

/// The speed, and a press for the next one.
pub(crate) fn speed_button<'a>(percent: u16, i18n: &I18n) -> Element<'a, Wish> {
    press(text(format::speed(i18n, percent)).size(metric::CAPTION).wrapping(text::Wrapping::None))
        .padding([0.0, metric::TIGHT])
        .style(theme::button::quiet)
        .on_press(Wish::Speed)
        .into()
}

async fn keep(backend: Backend, note: Shown, position: Duration, whole: bool) -> Result<(), Problem> {
    let Some(client) = backend.client() else { return Ok(()) };
    client.keep_heard(&note.conversation, &note.id, position, whole).await.map_err(Problem::from)
}

/// The first note of another that was not heard.
fn next_unheard(page: Page) -> Option<Shown> {
    page.messages.into_iter().find(|note| note.kind == "voice" && !note.mine && note.heard == Some(false))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use kith_core::client::sound::{Buffers, play_file};
    use kith_core::voice::{OPUS_RATE, Packets, Pcm};
    use kith_core::wire::control::Code;

    use super::*;
    use crate::samples::message;

    fn playback() -> Playback {
        let packets = Packets::of(&[0.0; 48_000], 24_000).unwrap();
        let devices = Buffers::new(Pcm { rate: OPUS_RATE, samples: Vec::new() }, 0);
        play_file(Arc::new(devices), None, &packets.to_ogg().unwrap(), Duration::ZERO, 100).unwrap()
    }

    fn plays_from(player: &mut Player, note: Shown) {
        let serial = player.serial;
        let _ = player.update(Message::Started(serial, Box::new(note), Ok(Once::new(playback()))));
    }

    /// The note is listened to, so far into it.
    pub(crate) fn plays(player: &mut Player, note: Shown, position: Duration) {
        plays_from(player, note);
        let serial = player.serial;
        let _ = player.update(Message::Moved(serial, playing_at(position)));
    }

    fn playing_at(position: Duration) -> PlaybackState {
        PlaybackState { phase: PlaybackPhase::Playing, position, damaged: false, stand_in: None }
    }

    #[tokio::test]
    async fn a_speaker_that_stands_in_is_told_once_until_the_chosen_one_was_there() {
        let (backend, _) = Backend::detached();
        let mut player = Player::new(backend);
        let away = Box::new(Said::new(Code::SpeakerAway, "").of("Headphones"));
        let stands_in = |at| PlaybackState { stand_in: Some(away.clone()), ..playing_at(Duration::from_secs(at)) };
        let told = |action| matches!(action, Action::Told(said) if said == away);
        for (note, expected) in [(1, true), (2, false)] {
            plays_from(&mut player, message(note, ""));
            let serial = player.serial;
            assert_eq!(told(player.update(Message::Moved(serial, stands_in(1)))), expected);
            assert!(!told(player.update(Message::Moved(serial, stands_in(2)))), "it was told");
        }
        let serial = player.serial;
        let _ = player.update(Message::Moved(serial, playing_at(Duration::from_secs(3))));
        assert!(told(player.update(Message::Moved(serial, stands_in(4)))), "it went again");
    }

    #[tokio::test]
    async fn what_comes_of_a_note_that_was_asked_for_before_changes_nothing() {
        let (backend, _) = Backend::detached();
        let mut player = Player::new(backend);
        plays(&mut player, message(1, ""), Duration::from_secs(3));
        assert_eq!(player.place(&message(1, "").id).map(|place| place.position), Some(Duration::from_secs(3)));
        assert!(player.place(&message(2, "").id).is_none());
        let _ = player.update(Message::Wish(Wish::Stop));
        assert!(player.place(&message(1, "").id).is_none());
        let late = Message::Started(0, Box::new(message(1, "")), Ok(Once::new(playback())));
        let _ = player.update(late);
        assert!(player.place(&message(1, "").id).is_none(), "it was stopped before it began");
    }

    #[tokio::test]
    async fn where_a_note_stands_is_kept_now_and_then_while_it_plays() {
        use crate::snapshots::outputs;
        let (backend, _) = Backend::detached();
        let mut player = Player::new(backend);
        plays(&mut player, message(1, ""), Duration::ZERO);
        let mut kept = |phase: PlaybackPhase, seconds: u64| {
            let position = Duration::from_secs(seconds);
            let state = PlaybackState { phase, position, damaged: false, stand_in: None };
            match player.update(Message::Moved(0, state)) {
                Action::Run(task) => outputs(task).len(),
                other => panic!("{other:?}"),
            }
        };
        let playing = || PlaybackPhase::Playing;
        assert_eq!([1, 4, 5, 6, 9, 10].map(|at| kept(playing(), at)), [0, 0, 1, 0, 0, 1]);
        assert_eq!(kept(playing(), 2), 1, "somebody went back");
        assert_eq!([kept(PlaybackPhase::Paused, 3), kept(PlaybackPhase::Paused, 3)], [1, 0]);
    }

    #[tokio::test]
    async fn a_jump_in_a_note_that_stands_still_is_kept_once_no_other_follows() {
        use crate::snapshots::{Errands, outputs};
        let (backend, _) = Backend::detached();
        let mut player = Player::new(backend);
        plays(&mut player, message(1, ""), Duration::ZERO);
        let mut errands = Errands::new();
        let kept = |player: &Player| player.playing.as_ref().unwrap().kept.as_secs();
        for seconds in [3, 8, 6] {
            let state = PlaybackState { phase: PlaybackPhase::Paused, ..playing_at(Duration::from_secs(seconds)) };
            let Action::Run(task) = player.update(Message::Moved(0, state)) else { panic!("it failed") };
            errands.run(task);
            assert_eq!(kept(&player), 3, "where it came to stand");
        }
        let mut keeps = 0;
        while kept(&player) != 6 {
            let message = errands.next().await.unwrap();
            let rested = matches!(message, Message::Rested(..));
            let Action::Run(task) = player.update(message) else { panic!("it failed") };
            keeps += usize::from(rested && !outputs(task).is_empty());
        }
        assert_eq!(keeps, 1);
        let Action::Run(task) = player.update(Message::Rested(0, 2)) else { panic!("it failed") };
        assert!(outputs(task).is_empty(), "it is kept already");
    }

    #[tokio::test]
    async fn a_note_that_cannot_be_played_says_why() {
        use kith_core::client::sound::AudioError;
        let (backend, _) = Backend::detached();
        let mut player = Player::new(backend);
        plays(&mut player, message(1, ""), Duration::ZERO);
        let state = PlaybackState { phase: PlaybackPhase::Failed(AudioError::Gone), ..playing_at(Duration::ZERO) };
        assert!(matches!(player.update(Message::Moved(0, state)), Action::Failed(_)));
        assert!(player.place(&message(1, "").id).is_none());
    }

    #[test]
    fn what_follows_is_the_next_note_of_another_that_was_not_heard() {
        let note = |number, mine, heard| Shown {
            kind: "voice".into(),
            text: None,
            mine,
            heard: Some(heard),
            ..message(number, "")
        };
        let messages = vec![message(1, "hello"), note(2, true, false), note(3, false, true), note(4, false, false)];
        let page = Page { messages, more_before: false, more_after: false, first_unread: None };
        assert_eq!(next_unheard(page).map(|note| note.id), Some(message(4, "").id));
    }
}
