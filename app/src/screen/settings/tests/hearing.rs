//! Sound and speech with a profile behind them: a microphone and a speaker in memory, and models in a folder.

use std::sync::Arc;

use kith_core::client::sound::{AudioError, Buffers, Direction};
use kith_core::wire::control::SpeechModel;

use super::*;
use crate::snapshots::Errands;

/// A person, and all that is under way for them.
struct Listener {
    person: Person,
    devices: Buffers,
    errands: Errands<Message>,
}

/// Rumble below every voice, and a voice.
fn said(seconds: usize) -> kith_core::voice::Pcm {
    let wave = |at: usize, hz: f32| (at as f32 * hz * std::f32::consts::TAU / 48_000.0).sin() * 0.3;
    let samples = (0..seconds * 48_000).map(|at| wave(at, 30.0) + wave(at, 300.0)).collect();
    kith_core::voice::Pcm { rate: 48_000, samples }
}

impl Listener {
    async fn at(section: Section, seconds: usize, options: Options) -> Self {
        let devices = Buffers::new(said(seconds), 4_800);
        let options = Options { sound: Arc::new(devices.clone()), ..options };
        let mut person = Person::with(section, options).await;
        let (page, load) = SettingsPage::new(section, person.backend.clone());
        person.page = page;
        person.size = iced::Size::new(1000.0, 5000.0);
        let listener = Self { person, devices, errands: Errands::new() };
        listener.errands.run(load);
        listener
    }

    fn carry_out(&mut self) {
        if let Action::Run(task) | Action::Speaker(_, task) = std::mem::replace(&mut self.person.last, Action::None) {
            self.errands.run(task);
        }
    }

    fn hears(&mut self, message: Message) {
        self.person.hears(message);
        self.carry_out();
    }

    fn clicks(&mut self, words: &str) {
        self.person.clicks(words);
        self.carry_out();
    }

    fn sees(&self, words: &str) -> bool {
        self.person.sees(words)
    }

    /// What comes is taken in until this holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let Some(message) = self.errands.next().await else { panic!("{what} did not come") };
            self.hears(message);
        }
    }

    /// Until these words are there. Looking costs more than taking in, so that nothing is looked at twice.
    async fn until_seen(&mut self, words: &str) {
        self.until(words, |listener| listener.sees(words)).await;
    }

    fn kept(&self) -> kith_core::client::sound::SoundOptions {
        self.person.backend.client().unwrap().sound_options()
    }

    /// What the speaker played since the last time, without what is soft at the ends.
    fn power_played(&self, from: usize) -> f32 {
        let played = self.devices.played();
        let middle = played.get(from + 24_000..played.len() - 4_800).unwrap_or_default();
        middle.iter().map(|sample| sample * sample).sum::<f32>() / middle.len() as f32
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_of_sound_is_kept() {
    let mut listener = Listener::at(Section::Sound, 0, Options::default()).await;
    listener.until_seen("Memory").await;
    for (words, holds) in [
        ("Suppress noise", (|options| !options.noise) as fn(&kith_core::client::sound::SoundOptions) -> bool),
        ("Take out rumble", |options| !options.high_pass),
        ("Even out the loudness", |options| !options.gain),
        ("Go on with the next note", |options| !options.play_next),
        ("48", |options| options.bitrate_bps == 48_000),
    ] {
        listener.clicks(words);
        listener.until(words, |listener| holds(&listener.kept())).await;
    }
    let choose = |direction| {
        let device = sound::Choice::Device(direction, Some(Buffers::ID.into()));
        Message::Sound(sound::Message::Set(device))
    };
    listener.hears(choose(Direction::Input));
    listener.hears(choose(Direction::Output));
    let both = |listener: &Listener| listener.kept().microphone.is_some() && listener.kept().speaker.is_some();
    listener.until("both devices", both).await;
    // They go away while they are chosen, and come back.
    listener.until("all answers", |listener| listener.person.page.sound.is_settled()).await;
    listener.devices.break_with(Some(AudioError::Gone));
    listener.hears(Message::Sound(sound::Message::Look));
    listener.until_seen("It is not there now. Connect it, or choose another one.").await;
    listener.devices.break_with(None);
    listener.until("all answers", |listener| listener.person.page.sound.is_settled()).await;
    listener.hears(Message::Sound(sound::Message::Look));
    let back = |listener: &Listener| {
        listener.person.page.sound.is_settled()
            && !listener.sees("It is not there now. Connect it, or choose another one.")
    };
    listener.until("the device again", back).await;
    listener.person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hears_oneself_with_the_clean_up_and_without() {
    let mut listener = Listener::at(Section::Sound, 4, Options::default()).await;
    listener.until_seen("Record").await;
    listener.clicks("Record");
    listener.until("all that is said", |listener| listener.devices.all_heard()).await;
    listener.clicks("Stop");
    listener.until_seen("With clean-up").await;
    assert!(listener.devices.played().is_empty(), "nothing is played unasked");
    listener.clicks("As it was");
    listener.clicks("Play");
    let plays = |listener: &Listener| listener.devices.played().len() > 180_000 && listener.sees("Play");
    listener.until("all of it", plays).await;
    let (raw, before) = (listener.power_played(0), listener.devices.played().len());
    listener.clicks("With clean-up");
    listener.clicks("Play");
    let plays = |listener: &Listener| listener.devices.played().len() > before + 180_000 && listener.sees("Play");
    listener.until("all of it once more", plays).await;
    let clean = listener.power_played(before);
    assert!(raw > 0.01 && (clean - raw).abs() > raw * 0.1, "{raw} {clean}");
    // Away from here nothing of it is kept.
    listener.clicks("Privacy");
    listener.clicks("Sound");
    assert!(!listener.sees("With clean-up"));
    listener.person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_microphone_is_open_only_while_its_level_is_wanted() {
    let mut listener = Listener::at(Section::Sound, 3_600, Options::default()).await;
    listener.until_seen("Show how loud it is").await;
    assert!(!listener.person.page.sound.is_heard());
    listener.clicks("Show how loud it is");
    listener.until("the level", |listener| listener.person.page.sound.is_heard()).await;
    listener.clicks("Show how loud it is");
    assert!(!listener.person.page.sound.is_heard());
    listener.clicks("Show how loud it is");
    listener.until("the level", |listener| listener.person.page.sound.is_heard()).await;
    // It breaks: that is told here, and the switch is off.
    listener.clicks("Appearance");
    assert!(!listener.person.page.sound.is_heard(), "who leaves closes it");
    listener.devices.break_with(Some(AudioError::Denied(Direction::Input)));
    listener.clicks("Sound");
    listener.until_seen("Show how loud it is").await;
    listener.clicks("Show how loud it is");
    listener
        .until("why not", |listener| {
            listener
                .person
                .page
                .sound
                .wrong_words()
                .is_some_and(|words| words.contains("Kith may not use the microphone"))
        })
        .await;
    listener.person.ends().await;
}

/// Beside a profile: the model that comes with Kith, in a folder that can be written.
fn shelf() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let built_in = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/ggml-kith-test.en.bin");
    std::fs::copy(built_in, folder.path().join("ggml-kith-test.en.bin")).unwrap();
    folder
}

async fn options(listener: &Listener) -> kith_core::wire::control::SpeechOptions {
    let request = kith_core::wire::control::Request::SpeechOptions;
    listener.person.backend.clone().speech_options(request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_for_speech_is_kept_and_what_is_wrong_stands_beside_it() {
    let folder = shelf();
    let models = Some(folder.path().to_owned());
    let mut listener = Listener::at(Section::Speech, 0, Options { models, ..Options::default() }).await;
    listener.until_seen("kith-test.en").await;
    assert!(listener.sees("recommended") && listener.sees("Fetch small (487.6 MB)"));
    listener.clicks("Automatically");
    listener.until_seen("Only notes that are not longer than").await;
    listener.clicks("5 min");
    listener.clicks("Write English");
    listener.clicks("Change");
    listener.clicks("Українська");
    listener.until_seen("Українська").await;
    let set = options(&listener).await;
    assert_eq!((set.automatic, set.up_to_s, set.translate, set.language.as_str()), (true, 300, true, "uk"));
    for (address, refused) in [("nonsense", true), ("http://127.0.0.1:9/models/", false)] {
        listener.hears(Message::Speech(speech::Message::MirrorChanged(address.into())));
        listener.clicks("Add");
        if refused {
            listener.until_seen("This is not the address of a folder, such as https://example.org/models.").await;
        } else {
            listener.until_seen("http://127.0.0.1:9/models").await;
        }
    }
    assert_eq!(options(&listener).await.mirrors, ["http://127.0.0.1:9/models"]);
    listener.person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_measured_and_one_that_is_none_is_refused() {
    let folder = shelf();
    let models = Some(folder.path().to_owned());
    let mut listener = Listener::at(Section::Speech, 0, Options { models, ..Options::default() }).await;
    listener.until_seen("kith-test.en").await;
    listener.clicks("Measure");
    assert!(listener.sees("Measuring…"));
    let measured = |listener: &Listener| !listener.sees("Measuring…");
    listener.until("how fast it is", measured).await;
    assert!(folder.path().join("speeds.json").exists());
    let wrong = folder.path().join("none.bin");
    std::fs::write(&wrong, "no model").unwrap();
    let request = kith_core::wire::control::Request::ImportModel { file: wrong };
    let refused = listener.person.backend.clone().model(request).await;
    assert!(refused.is_err());
    listener.hears(Message::Speech(speech::Message::Models(speech::ModelMessage::Imported(Some(refused)))));
    assert!(listener.sees("Take one from a file…"));
    listener.person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_told_and_a_model_goes_only_when_it_is_said_twice() {
    let folder = shelf();
    let begun = folder.path().join("ggml-tiny.bin.part");
    std::fs::write(&begun, [0; 1_000_000]).unwrap();
    let models = Some(folder.path().to_owned());
    let mut listener = Listener::at(Section::Speech, 0, Options { models, ..Options::default() }).await;
    listener.until_seen("1.0 MB / 77.7 MB").await;
    let told = |state: &str, have_bytes| SpeechModel {
        name: "tiny".into(),
        kind: "speech".into(),
        about: String::new(),
        languages: Vec::new(),
        translates: true,
        size_bytes: 77_691_713,
        memory_bytes: 273_000_000,
        state: state.into(),
        have_bytes,
        speed_percent: None,
        problem: None,
    };
    let task = listener.person.page.model_changed(told("downloading", 40_000_000));
    listener.errands.run(task);
    assert!(listener.sees("40.0 MB / 77.7 MB") && listener.sees("Pause"));
    let task = listener.person.page.model_changed(told("paused", 40_000_000));
    listener.errands.run(task);
    assert!(listener.sees("Go on"));
    listener.clicks("Delete");
    assert!(listener.sees("It would have to be fetched again.") && begun.exists());
    listener.clicks("Cancel");
    assert!(!listener.sees("It would have to be fetched again."));
    listener.clicks("Delete");
    listener.clicks("Delete it");
    listener.until("it away", |_| !begun.exists()).await;
    let gone = |listener: &Listener| !listener.sees("40.0 MB / 77.7 MB");
    listener.until("the list without it", gone).await;
    assert_eq!(options(&listener).await.listens, "kith-test.en");
    listener.person.ends().await;
}
