use kith_core::client::Options;
use kith_core::client::sound::{AudioError, Buffers, Direction};
use kith_core::wire::control::{At, Code, Message as Shown, Said};
use zeroize::Zeroizing;

use super::super::Message;
use super::*;
use crate::backend::{self, Backend, Keeping, Setup};
use crate::i18n::Language;
use crate::snapshots::{Errands, World};
use crate::theme::Variant;
use crate::ui::avatar::Pictures;

const LIMIT: Duration = Duration::from_secs(60);

/// Somebody who records in a chat, with a microphone and a speaker in memory and a profile of their own.
struct Booth {
    _folder: tempfile::TempDir,
    world: World,
    backend: Backend,
    devices: Buffers,
    talk: Conversation,
    later_ms: u64,
    errands: Errands<Message>,
}

impl Booth {
    /// The microphone hears so many seconds, and then nothing.
    async fn with(seconds: usize) -> Self {
        let sound = |at: usize| (at as f32 / 30.0).sin() * (0.2 + 0.6 * (at as f32 / 9_000.0).sin().abs());
        let said = kith_core::voice::Pcm { rate: 48_000, samples: (0..seconds * 48_000).map(sound).collect() };
        let devices = Buffers::new(said, 4_800);
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()],
            mdns: false,
            sound: std::sync::Arc::new(devices.clone()),
            ..Options::default()
        };
        let setup = Setup { profile: folder.path().join("profile"), options, passphrase_file: None, relay: None };
        let secret = Zeroizing::new("correct horse battery".to_owned());
        let made = backend::register_local(setup, Keeping::Passphrase(secret.clone()), secret).await.unwrap();
        let backend = made.backend.unwrap();
        backend.clone().create_group("Notes".into(), Vec::new()).await.unwrap();
        let chat = backend.clone().overview().await.unwrap().chats.remove(0);
        let (talk, opens) = Conversation::new(chat, backend.clone());
        let world = World::new(560.0, 300.0);
        let booth = Self { _folder: folder, world, backend, devices, talk, later_ms: 0, errands: Errands::new() };
        booth.errands.run(opens);
        booth
    }

    fn hears(&mut self, message: Message) {
        let mut context = self.world.context();
        context.now_ms += self.later_ms;
        if let Action::Run(task) | Action::Set(_, task) | Action::Player(_, task) =
            self.talk.update(message, true, context)
        {
            self.errands.run(task);
        }
    }

    fn does(&mut self, deed: Deed) {
        self.hears(Message::Recording(deed));
    }

    fn tape(&self) -> &Tape {
        &self.talk.recorder.tape
    }

    /// What comes is taken in until this holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let Some(message) = self.errands.next().await else { panic!("{what}; there is {:?}", self.tape()) };
            self.hears(message);
        }
    }

    /// Until all that is said was recorded.
    async fn records(&mut self, seconds: u64) {
        let long = Duration::from_secs(seconds);
        let all = |booth: &Self| matches!(booth.tape(), Tape::Running(_, state) if state.duration == long);
        self.until("the end of what is said", all).await;
    }

    async fn sent(&self) -> Vec<Shown> {
        self.backend.clone().page(self.talk.chat.id.clone(), At::Newest, 10).await.unwrap().messages
    }

    /// How many recordings are on the disk.
    async fn kept(&self) -> usize {
        self.backend.client().unwrap().recordings().await.unwrap().len()
    }

    fn shoot(&mut self, world: &World, name: &str) {
        // Its real name is drawn by chance, and colours follow from it.
        let id = std::mem::replace(&mut self.talk.chat.id, "id-Notes".into());
        let pictures = Pictures::default();
        let player = player::Player::new(self.backend.clone());
        world.shoot(name, || self.talk.view(&player, &pictures, false, world.context()));
        self.talk.chat.id = id;
    }

    /// In each language, and where letters are twice as large.
    fn shoot_all(&mut self, name: &str) {
        let world = || World::new(560.0, 260.0);
        self.shoot(&world(), name);
        self.shoot(&world().speaking(Language::Ru).colored(Variant::Dark), &format!("{name}-ru-dark"));
        let large = World::new(360.0, 260.0).scaled(2.0).speaking(Language::Uk);
        self.shoot(&large.colored(Variant::HighContrast), &format!("{name}-uk-contrast-200"));
    }

    /// As if it stood there: levels and names do not hang on this machine.
    fn stands(&mut self, state: RecordingState) {
        let serial = self.talk.recorder.serial;
        self.does(Deed::Went(serial, state));
    }
}

fn state(phase: RecordingPhase, seconds: u64) -> RecordingState {
    RecordingState {
        phase,
        duration: Duration::from_secs(seconds),
        level: 0.2,
        microphone: Some("Built-in Audio Analog Stereo".into()),
        stand_in: None,
        problem: None,
        unsaved: None,
    }
}

/// That another microphone listens than the one that was chosen.
fn stand_in() -> Box<Said> {
    Said::new(Code::MicrophoneAway, "").of("Built-in Audio Analog Stereo").into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_while_one_speaks_is_sent_when_it_is_let_go() {
    let mut booth = Booth::with(3).await;
    booth.does(Deed::Grip);
    booth.records(3).await;
    assert!(booth.talk.recorder.is_held());
    booth.does(Deed::Pull(Vector::new(-30.0, -10.0)));
    booth.stands(state(RecordingPhase::Recording, 3));
    booth.shoot_all("recording-held");
    booth.does(Deed::Pull(Vector::new(-90.0, 0.0)));
    booth.shoot(&World::new(560.0, 260.0), "recording-held-nearly-away");
    booth.stands(RecordingState { stand_in: Some(stand_in()), ..state(RecordingPhase::Recording, 3) });
    booth.shoot_all("recording-held-stand-in");
    booth.later_ms = 3_000;
    booth.does(Deed::LetGo);
    booth.until("the note", |booth| matches!(booth.tape(), Tape::Empty)).await;
    let sent = booth.sent().await;
    assert_eq!(
        sent.iter().map(|note| (note.kind.as_str(), note.duration_ms)).collect::<Vec<_>>(),
        [("voice", Some(3_000))]
    );
    assert_eq!(booth.kept().await, 0);
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_press_frees_the_hands_and_what_was_said_is_heard_before_it_is_sent() {
    let mut booth = Booth::with(2).await;
    booth.does(Deed::Grip);
    booth.later_ms = PRESS_MS - 1;
    booth.does(Deed::LetGo);
    booth.records(2).await;
    booth.stands(state(RecordingPhase::Recording, 75));
    booth.shoot_all("recording");
    booth.stands(state(RecordingPhase::Paused, 75));
    booth.shoot(&World::new(560.0, 260.0), "recording-paused");
    let lost = RecordingState { problem: Some(AudioError::Gone), ..state(RecordingPhase::Searching, 75) };
    booth.stands(lost);
    booth.shoot(&World::new(560.0, 260.0).speaking(Language::Ru), "recording-lost-ru");
    booth.stands(RecordingState { unsaved: Some("full".into()), ..state(RecordingPhase::Recording, 75) });
    booth.shoot(&World::new(560.0, 260.0), "recording-unsaved");
    booth.stands(RecordingState { stand_in: Some(stand_in()), ..state(RecordingPhase::Recording, 75) });
    booth.shoot_all("recording-stand-in");
    booth.does(Deed::Stop);
    booth.until("the draft", |booth| matches!(booth.tape(), Tape::Made { .. })).await;
    booth.shoot_all("recording-made");
    assert!(booth.devices.played().is_empty());
    booth.does(Deed::Listen);
    booth.until("the sound", |booth| booth.talk.recorder.preview.is_some()).await;
    booth.until("the end of the sound", |booth| booth.talk.recorder.preview.is_none()).await;
    assert!(booth.devices.played().len() > 90_000, "{}", booth.devices.played().len());
    // From the middle of it.
    booth.does(Deed::ListenFrom(Duration::from_secs(1)));
    booth.until("the sound again", |booth| booth.talk.recorder.preview.is_some()).await;
    booth.does(Deed::Send);
    assert!(booth.talk.recorder.preview.is_none(), "what is sent falls silent");
    booth.until("the note", |booth| matches!(booth.tape(), Tape::Empty)).await;
    assert_eq!(booth.sent().await.len(), 1);
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_still_goes_on_and_becomes_one_note() {
    let mut booth = Booth::with(2).await;
    booth.does(Deed::Toggle);
    booth.records(2).await;
    booth.does(Deed::Pause);
    let paused =
        |booth: &Booth| matches!(booth.tape(), Tape::Running(_, state) if state.phase == RecordingPhase::Paused);
    booth.until("the pause", paused).await;
    booth.devices.say(kith_core::voice::Pcm { rate: 48_000, samples: vec![0.2; 48_000] });
    booth.does(Deed::Pause);
    booth.records(3).await;
    booth.does(Deed::Send);
    booth.until("the note", |booth| matches!(booth.tape(), Tape::Empty)).await;
    assert_eq!(booth.sent().await.first().and_then(|note| note.duration_ms), Some(3_000));
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_away_can_be_taken_back_for_a_while() {
    let mut booth = Booth::with(2).await;
    booth.does(Deed::Grip);
    booth.records(2).await;
    booth.does(Deed::Pull(Vector::new(-AWAY, 0.0)));
    assert!(!booth.talk.recorder.is_held());
    booth.until("it away", |booth| matches!(booth.tape(), Tape::Dropped(_))).await;
    booth.shoot_all("recording-dropped");
    assert_eq!(booth.kept().await, 1, "until then it is as safe as any");
    booth.does(Deed::TakeBack);
    assert!(matches!(booth.tape(), Tape::Made { found: false, .. }));
    let before = booth.talk.recorder.serial;
    booth.does(Deed::Forget(before));
    assert!(matches!(booth.tape(), Tape::Made { .. }), "what was taken back stays");
    booth.does(Deed::Discard);
    let serial = booth.talk.recorder.serial;
    booth.does(Deed::Forget(before));
    assert!(matches!(booth.tape(), Tape::Dropped(_)), "that was the time before");
    booth.does(Deed::Forget(serial));
    assert!(matches!(booth.tape(), Tape::Empty));
    // It looks for others when it is gone.
    booth.until("the look for others", |_| true).await;
    let gone = async {
        while booth.kept().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    assert!(booth.sent().await.is_empty());
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pulled_up_it_goes_on_without_the_hand_and_escape_throws_it_away() {
    let mut booth = Booth::with(2).await;
    booth.does(Deed::Grip);
    booth.records(2).await;
    booth.does(Deed::Pull(Vector::new(-20.0, -UP)));
    booth.later_ms = 5_000;
    booth.does(Deed::LetGo);
    assert!(matches!(booth.tape(), Tape::Running(..)), "the hand has nothing to say any more");
    let away = booth.talk.cancel_recording().expect("something is recorded");
    booth.errands.run(away);
    booth.until("it away", |booth| matches!(booth.tape(), Tape::Dropped(_))).await;
    assert!(booth.talk.cancel_recording().is_none());
    let left = booth.talk.leave();
    booth.errands.run(left);
    let gone = async {
        while booth.kept().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wanted_before_the_microphone_is_there_counts_when_it_is() {
    let mut booth = Booth::with(1).await;
    booth.does(Deed::Grip);
    booth.does(Deed::Pull(Vector::new(-AWAY, 0.0)));
    assert!(matches!(booth.tape(), Tape::Opening(Some(Wish::Discard))));
    booth.until("it away", |booth| matches!(booth.tape(), Tape::Empty | Tape::Dropped(_))).await;
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_microphone_a_sentence_says_so_and_a_slip_leaves_nothing() {
    let mut booth = Booth::with(0).await;
    booth.devices.break_with(Some(AudioError::NoDevice(Direction::Input)));
    booth.does(Deed::Toggle);
    booth.until("the sentence", |booth| booth.talk.notice.is_some()).await;
    assert!(matches!(booth.tape(), Tape::Empty));
    booth.shoot(&World::new(560.0, 260.0), "recording-no-microphone");
    booth.devices.break_with(None);
    booth.does(Deed::Toggle);
    booth.until("the microphone", |booth| matches!(booth.tape(), Tape::Running(..))).await;
    booth.does(Deed::Discard);
    assert!(matches!(booth.tape(), Tape::Empty), "nothing was said");
    let gone = async {
        while booth.kept().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, gone).await.unwrap();
    booth.backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_is_offered_when_its_chat_is_opened_again() {
    let mut booth = Booth::with(2).await;
    booth.does(Deed::Toggle);
    booth.records(2).await;
    // The chat is left while it is recorded.
    let chat = booth.talk.chat.clone();
    let left = booth.talk.leave();
    booth.errands.run(left);
    let (talk, opens) = Conversation::new(chat, booth.backend.clone());
    booth.talk = talk;
    let client = booth.backend.client().unwrap();
    // To the sample: with its end, which is written last.
    let kept = async {
        while client.recordings().await.unwrap().first().is_none_or(|draft| draft.duration != Duration::from_secs(2)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, kept).await.unwrap();
    booth.errands.run(opens);
    booth.until("the offer", |booth| matches!(booth.tape(), Tape::Made { found: true, .. })).await;
    booth.shoot_all("recording-found");
    booth.backend.close().await;
}
