//! Sound and speech.

use std::time::Duration;

use kith_core::client::sound::{Device, Direction, RecordingPhase, RecordingState, SoundOptions};
use kith_core::wire::control::{Code, Said, SpeechModel, SpeechOptions};

use super::*;
use crate::screen::settings::{sound, speech};

fn device(id: &str, name: &str, is_default: bool) -> Device {
    Device { id: id.into(), name: name.into(), is_default }
}

fn tall() -> World {
    World::new(800.0, 1240.0)
}

fn shoot_tall(page: &SettingsPage, name: &str) {
    shoot(page, &tall(), name);
    shoot(page, &tall().speaking(Language::Ru).colored(Variant::Dark), &format!("{name}-ru-dark"));
}

fn large() -> World {
    World::new(400.0, 900.0).scaled(2.0).speaking(Language::Uk).colored(Variant::HighContrast)
}

fn sounds(page: &mut SettingsPage, message: sound::Message) {
    hears(page, Message::Sound(message));
}

fn level(phase: RecordingPhase, seconds: u64) -> RecordingState {
    RecordingState {
        phase,
        duration: Duration::from_secs(seconds),
        level: 0.25,
        microphone: Some("Built-in Audio Analog Stereo".into()),
        stand_in: None,
        problem: None,
        unsaved: None,
    }
}

#[test]
fn sound_before_and_without_devices() {
    let mut page = page(Section::Sound);
    sounds(&mut page, sound::Message::Came(Ok(SoundOptions::default())));
    shoot(&page, &tall(), "settings-sound-loading");
    let none = || Problem::new("no_sound_system", "");
    for direction in [Direction::Input, Direction::Output] {
        sounds(&mut page, sound::Message::Found(direction, Err(none())));
    }
    shoot_tall(&page, "settings-sound-failed");
    for direction in [Direction::Input, Direction::Output] {
        sounds(&mut page, sound::Message::Found(direction, Ok(Vec::new())));
    }
    shoot(&page, &tall(), "settings-sound-empty");
}

#[test]
fn sound_with_devices() {
    let mut page = page(Section::Sound);
    let options =
        SoundOptions { microphone: Some("pulseaudio:usb-headset-of-yesterday".into()), ..SoundOptions::default() };
    sounds(&mut page, sound::Message::Came(Ok(options)));
    let long = "Plantronics Blackwire 3220 Series with a Name That Goes On and On, Analog Mono, Left Ear\u{202e}";
    let microphones = vec![device("a", "Built-in Audio Analog Stereo", true), device("b", long, false)];
    sounds(&mut page, sound::Message::Found(Direction::Input, Ok(microphones)));
    sounds(&mut page, sound::Message::Found(Direction::Output, Ok(vec![device("c", "Headphones", true)])));
    shoot_tall(&page, "settings-sound");
    shoot(&page, &large(), "settings-sound-uk-contrast-200");
    page.sound.trial_mut().hears(sound::TrialFor::Level, level(RecordingPhase::Recording, 0));
    shoot(&page, &tall(), "settings-sound-level");
    page.sound.trial_mut().hears(sound::TrialFor::Sound, level(RecordingPhase::Recording, 4));
    shoot(&page, &tall().speaking(Language::Ru), "settings-sound-recording-ru");
    let denied = Problem::new("microphone_denied", "");
    sounds(&mut page, sound::Message::Trial(sound::TrialMessage::Said(Err(denied))));
    shoot(&page, &tall(), "settings-sound-denied");
}

fn model(name: &str, state: &str, size_bytes: u64) -> SpeechModel {
    SpeechModel {
        name: name.into(),
        kind: "speech".into(),
        about: String::new(),
        languages: Vec::new(),
        translates: true,
        size_bytes,
        memory_bytes: size_bytes * 2,
        state: state.into(),
        have_bytes: 0,
        speed_percent: None,
        problem: None,
    }
}

fn models() -> Vec<SpeechModel> {
    vec![
        SpeechModel {
            languages: vec!["en".into()],
            translates: false,
            speed_percent: Some(3_270),
            ..model("kith-test.en", "built_in", 7_143_590)
        },
        SpeechModel { speed_percent: Some(1_250), ..model("tiny", "here", 77_691_713) },
        SpeechModel { have_bytes: 41_000_000, ..model("base", "downloading", 147_951_465) },
        SpeechModel {
            have_bytes: 210_000_000,
            problem: Some(Box::new(Said::new(Code::ModelUnavailable, "").of("small"))),
            ..model("small", "paused", 487_601_967)
        },
        SpeechModel { languages: vec!["en".into()], translates: false, ..model("small.en", "missing", 487_614_201) },
        model("large-v3", "missing", 3_095_033_483),
        SpeechModel { kind: "detector".into(), translates: false, ..model("silero-v6.2.0", "missing", 885_098) },
    ]
}

fn options(listens: &str) -> SpeechOptions {
    SpeechOptions {
        automatic: false,
        mains_only: true,
        up_to_s: 120,
        attach: false,
        language: "auto".into(),
        translate: false,
        model: String::new(),
        listens: listens.into(),
        mirrors: Vec::new(),
        on_mains: Some(true),
    }
}

fn speaks(page: &mut SettingsPage, message: speech::Message) {
    hears(page, Message::Speech(message));
}

fn knows(page: &mut SettingsPage, models: Vec<SpeechModel>) {
    speaks(page, speech::Message::Models(speech::ModelMessage::Came(Ok(models))));
}

fn very_tall() -> World {
    World::new(800.0, 2300.0)
}

#[test]
fn speech_with_the_built_in_model_alone() {
    let mut page = page(Section::Speech);
    speaks(&mut page, speech::Message::Came(Ok(options("kith-test.en"))));
    shoot(&page, &World::new(800.0, 900.0), "settings-speech-loading");
    let failed = Problem::new("ending", "");
    speaks(&mut page, speech::Message::Models(speech::ModelMessage::Came(Err(failed))));
    shoot(&page, &World::new(800.0, 900.0), "settings-speech-failed");
    let missing = models().into_iter().map(|model| match model.name.as_str() {
        "kith-test.en" => model,
        _ => SpeechModel { state: "missing".into(), have_bytes: 0, problem: None, speed_percent: None, ..model },
    });
    knows(&mut page, missing.collect());
    shoot(&page, &World::new(800.0, 900.0), "settings-speech-first");
    shoot(
        &page,
        &World::new(800.0, 900.0).speaking(Language::Ru).colored(Variant::Dark),
        "settings-speech-first-ru-dark",
    );
    shoot(&page, &large(), "settings-speech-first-uk-contrast-200");
}

#[tokio::test]
async fn speech_with_models_on_their_way() {
    let mut page = page(Section::Speech);
    let mirrors = vec!["https://relay.example.org/models".to_owned()];
    let on_battery =
        SpeechOptions { automatic: true, on_mains: Some(false), mirrors, language: "uk".into(), ..options("tiny") };
    speaks(&mut page, speech::Message::Came(Ok(on_battery)));
    knows(&mut page, models());
    speaks(&mut page, speech::Message::Models(speech::ModelMessage::Ask("small".into())));
    speaks(&mut page, speech::Message::Models(speech::ModelMessage::Measure("tiny".into())));
    speaks(&mut page, speech::Message::MirrorChanged("ftp://nowhere".into()));
    let wrong =
        Problem::new("mirror", "\"ftp://nowhere\" is not an address of a mirror, such as https://example.org/models");
    speaks(&mut page, speech::Message::MirrorAdded(Err(wrong)));
    shoot(&page, &very_tall(), "settings-speech");
    shoot(&page, &very_tall().speaking(Language::Ru).colored(Variant::Dark), "settings-speech-ru-dark");
    shoot(&page, &very_tall().speaking(Language::Uk), "settings-speech-uk");
    speaks(&mut page, speech::Message::ToggleLanguages);
    shoot(&page, &World::new(800.0, 900.0), "settings-speech-languages");
    speaks(&mut page, speech::Message::QueryChanged("ger".into()));
    shoot(&page, &World::new(800.0, 900.0), "settings-speech-languages-found");
}
