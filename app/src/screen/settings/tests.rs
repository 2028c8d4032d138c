mod hearing;
mod removal;

use futures::StreamExt as _;
use iced_test::Simulator;
use iced_test::core::Settings as Look;
use kith_core::client::Options;
use kith_core::wire::control::{Code, LiveOptions, Me, Profile, Reach, Said, Status};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::backend::{self, Keeping, Setup};
use crate::format::Clock;
use crate::i18n::Language;
use crate::problem::Problem;
use crate::settings::{Drawing, Settings};
use crate::theme::{Theme, Variant};

/// Somebody without a relay who looks at their settings.
struct Person {
    _folder: TempDir,
    setup: Setup,
    settings: Settings,
    i18n: I18n,
    clock: Clock,
    size: iced::Size,
    backend: Backend,
    page: SettingsPage,
    last: Action,
}

impl Person {
    async fn at(section: Section) -> Self {
        Self::with(section, Options::default()).await
    }

    async fn with(section: Section, options: Options) -> Self {
        let (folder, setup) = home(options);
        let secret = Zeroizing::new("correct horse battery".to_owned());
        let keeping = Keeping::Passphrase(secret.clone());
        let backend = backend::register_local(setup.clone(), keeping, secret).await.unwrap().backend.unwrap();
        Self::of(folder, setup, backend, section)
    }

    fn of(folder: TempDir, setup: Setup, backend: Backend, section: Section) -> Self {
        let (page, _) = SettingsPage::new(section, backend.clone());
        Self {
            _folder: folder,
            setup,
            settings: Settings::default(),
            i18n: I18n::new(Language::En),
            clock: Clock::utc(),
            size: iced::Size::new(1000.0, 2400.0),
            backend,
            page,
            last: Action::None,
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            i18n: &self.i18n,
            settings: &self.settings,
            palette: Variant::Light.palette(),
            clock: &self.clock,
            now_ms: 1_764_072_000_000,
            size: self.size,
            setup: &self.setup,
        }
    }

    fn simulator(&self) -> Simulator<'_, Message, Theme> {
        let look = look();
        Simulator::with_size(look, self.size, self.page.view(self.context()))
    }

    fn hears(&mut self, message: Message) {
        let context = Context {
            i18n: &self.i18n,
            settings: &self.settings,
            palette: Variant::Light.palette(),
            clock: &self.clock,
            now_ms: 1_764_072_000_000,
            size: self.size,
            setup: &self.setup,
        };
        self.last = self.page.update(message, context);
        if let Action::Set(change) = &self.last {
            self.settings.apply(change.clone());
        }
    }

    fn clicks(&mut self, words: &str) {
        self.last = Action::None;
        let mut screen = self.simulator();
        screen.click(words).unwrap_or_else(|error| panic!("{words}: {error}"));
        let messages: Vec<_> = screen.into_messages().collect();
        for message in messages {
            self.hears(message);
        }
    }

    fn types(&mut self, field: &'static str, text: &str) {
        let mut screen = self.simulator();
        screen.click(iced::widget::Id::new(field)).unwrap_or_else(|error| panic!("{field}: {error}"));
        screen.tap_key(iced::keyboard::key::Named::End);
        screen.typewrite(text);
        let messages: Vec<_> = screen.into_messages().collect();
        for message in messages {
            self.hears(message);
        }
    }

    /// Carries out what is to be run, and what comes of that.
    async fn waits(&mut self) {
        let Action::Run(task) = std::mem::replace(&mut self.last, Action::None) else { return };
        let mut tasks = vec![task];
        while let Some(task) = tasks.pop() {
            let Some(mut actions) = iced_test::runtime::task::into_stream(task) else { continue };
            while let Some(done) = actions.next().await {
                let iced_test::runtime::Action::Output(message) = done else { continue };
                self.hears(message);
                match std::mem::replace(&mut self.last, Action::None) {
                    Action::Run(task) => tasks.push(task),
                    other => self.last = other,
                }
            }
        }
    }

    fn sees(&self, words: &str) -> bool {
        self.simulator().find(words).is_ok()
    }

    async fn ends(self) {
        self.backend.close().await;
    }
}

/// A place for a profile, on loopback and unseen by others.
fn home(options: Options) -> (TempDir, Setup) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { listen: vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()], mdns: false, ..options };
    let setup = Setup { profile: folder.path().join("profile"), options, passphrase_file: None, relay: None };
    (folder, setup)
}

/// With the window's fonts, which a process loads once.
fn look() -> Look {
    static FONTS: std::sync::Once = std::sync::Once::new();
    let mut fonts = Vec::new();
    FONTS.call_once(|| fonts = font::files().into());
    Look { fonts, default_font: font::TEXT, ..Look::default() }
}

fn me(handle: Option<&str>) -> Me {
    Me {
        account: "0123456789abcdef".into(),
        device: "d1".into(),
        handle: handle.map(str::to_owned),
        relays: handle.map(|_| "/ip4/192.0.2.1/udp/4001/quic-v1".to_owned()).into_iter().collect(),
        devices: 1,
    }
}

fn away() -> Problem {
    Problem::new("ending", "this program is ending")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_section_says_that_it_waits_and_what_went_wrong() {
    let mut person = Person::at(Section::Profile).await;
    for (section, name) in [
        (Section::Profile, "Profile"),
        (Section::Account, "Relay and account"),
        (Section::Devices, "Devices"),
        (Section::Privacy, "Privacy"),
        (Section::Sound, "Sound"),
        (Section::Speech, "Speech to text"),
        (Section::Diagnostics, "Diagnostics"),
    ] {
        person.clicks(name);
        assert!(matches!(person.last, Action::Run(_)), "{name}");
        assert!(person.sees("One moment…"), "{name}");
        let failed = match section {
            Section::Profile => Message::Profile(profile::Message::Came(Err(away()))),
            Section::Account => Message::Account(account::Message::MeCame(Err(away()))),
            Section::Devices => Message::Devices(devices::Message::Came(Err(away()))),
            Section::Privacy => Message::Privacy(privacy::Message::Came(Err(away()))),
            Section::Sound => Message::Sound(sound::Message::Came(Err(away()))),
            Section::Speech => Message::Speech(speech::Message::Came(Err(away()))),
            _ => Message::Diagnostics(diagnostics::Message::Came(Err(away()))),
        };
        person.hears(failed);
        assert!(person.sees("Try again") && person.sees("Kith is closing."), "{name}");
        person.clicks("Try again");
        assert!(matches!(person.last, Action::Run(_)), "{name}");
    }
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_core_answers_fills_the_sections() {
    let mut person = Person::at(Section::Account).await;
    let backend = person.backend.clone();
    let me = backend.clone().me().await;
    person.hears(Message::Account(account::Message::MeCame(me)));
    person.hears(Message::Account(account::Message::LinkCame(backend.clone().invite().await)));
    assert!(person.sees("None: you use no relay") && person.sees("Invite link"));
    person.clicks("Copy");
    assert!(person.sees("Copied"));
    person.clicks("Devices");
    person.last = Action::Run(person.page.load());
    person.waits().await;
    assert!(person.sees("this one") && !person.sees("Remove…"));
    person.clicks("Diagnostics");
    person.hears(Message::Diagnostics(diagnostics::Message::Came(backend.clone().status().await)));
    assert!(person.sees("Where it can be reached") && person.sees("Nobody yet."));
    person.clicks("Profile");
    let own = backend.clone().own_profile().await.map(|profile| (profile, None));
    person.hears(Message::Profile(profile::Message::Came(own)));
    assert!(person.sees("Choose a picture…") && !person.sees("Remove the picture"));
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_is_kept_by_the_core() {
    let mut person = Person::at(Section::Privacy).await;
    let backend = person.backend.clone();
    use kith_core::wire::control::Request;
    let options = backend.clone().options(Request::Options).await;
    person.hears(Message::Privacy(privacy::Message::Came(options)));
    person.clicks("Read receipts");
    assert!(matches!(person.last, Action::Run(_)));
    let off = Request::SetOptions {
        read_receipts: Some(false),
        mdns: None,
        always_relay: None,
        typing: None,
        played_receipts: None,
        auto_fetch_bytes: None,
    };
    let changed = backend.clone().options(off).await.unwrap();
    assert!(!changed.read_receipts);
    person.hears(Message::Privacy(privacy::Message::Changed(Ok(LiveOptions { restart: true, ..changed }))));
    assert!(person.sees("This takes effect when Kith starts the next time."));
    person.hears(Message::Privacy(privacy::Message::Changed(Err(away()))));
    assert!(person.sees("Kith is closing.") && person.sees("Typing notices"));
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_said_when_it_fits() {
    let mut person = Person::at(Section::Profile).await;
    let said = |name: Option<&str>| {
        let name = name.map(str::to_owned);
        let profile = Profile { account: "0123".into(), name, about: None, picture: None };
        Message::Profile(profile::Message::Came(Ok((profile, None))))
    };
    person.hears(said(None));
    person.clicks("Save");
    assert!(!matches!(person.last, Action::Run(_)), "nothing has changed");
    person.types("settings-profile-name", "Alice");
    person.hears(said(Some("Al")));
    assert!(person.sees("Alice"), "what is being typed is not overwritten");
    person.clicks("Save");
    assert!(matches!(person.last, Action::Run(_)));
    person.hears(Message::Profile(profile::Message::Saved(Ok(()))));
    person.hears(said(Some("Alice")));
    assert!(person.sees("Saved"));
    person.hears(Message::Profile(profile::Message::NameChanged("я".repeat(70))));
    assert!(person.sees("6 characters too many."));
    let wrong = Some(Err(Problem::new("picture", "")));
    person.hears(Message::Profile(profile::Message::PictureRead(wrong)));
    assert!(person.sees("This is not a picture that can be read. PNG and JPEG can."));
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_windows_own_settings_are_set_by_a_press() {
    let mut person = Person::at(Section::Notifications).await;
    person.clicks("System notifications");
    assert!(!person.settings.notifications);
    person.clicks("Show what was written");
    assert!(person.settings.notification_text, "without notifications there is nothing to choose");
    person.clicks("Appearance");
    person.clicks("High contrast");
    assert_eq!(person.settings.appearance, Some(Variant::HighContrast));
    person.clicks("The graphics card");
    assert_eq!(person.settings.renderer, Drawing::Graphics);
    person.hears(Message::PercentDragged(150));
    assert!(person.sees("150 %"));
    assert_eq!(person.settings.text_percent, 100, "the window does not grow under the pointer");
    person.hears(Message::PercentReleased);
    assert_eq!(person.settings.text_percent, 150);
    person.clicks("Language");
    person.clicks("Українська");
    assert_eq!(person.settings.language, Some(Language::Uk));
    person.clicks("About Kith");
    assert!(person.sees(env!("CARGO_PKG_VERSION")));
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_window_shows_the_list_or_the_section() {
    let mut person = Person::at(Section::About).await;
    person.size = iced::Size::new(400.0, 700.0);
    assert!(person.sees("Version") && !person.sees("Appearance"));
    person.hears(Message::ShowList);
    assert!(person.sees("Appearance") && !person.sees("Version"));
    person.clicks("Appearance");
    assert!(person.sees("Size of everything"));
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_contacts_are_reached_is_said_in_words() {
    let mut person = Person::at(Section::Diagnostics).await;
    let reach = Reach {
        account: "b1".into(),
        name: "bob\u{202e}".into(),
        path: "lan".into(),
        why: Said::new(Code::Best, "connected directly"),
        round_trip_ms: Some(2.4),
    };
    let status = Status {
        relay_connected: Some(false),
        relay_problem: Some(Box::new(Said::new(Code::TimedOut, "it is away"))),
        addresses: Vec::new(),
        undelivered: 1,
        contacts: vec![reach; 300],
        refused: [].into(),
        warnings: vec![Said::new(Code::RecordForked, "look").of("Carol")],
    };
    person.hears(Message::Diagnostics(diagnostics::Message::Came(Ok(status))));
    for words in [
        "bob",
        "On the same network, 2 ms",
        "No answer in time",
        "There are two different records of Carol. Compare safety numbers before you write.",
        "1 message is not delivered yet",
    ] {
        assert!(person.sees(words), "{words}");
    }
    assert!(!person.sees("connected directly"), "there is nothing better");
    person.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_erased_only_by_the_name_of_its_account() {
    let mut person = Person::at(Section::Data).await;
    let directory = person.setup.profile.clone();
    std::fs::write(directory.join("window.toml"), "").unwrap();
    person.clicks("Erase this profile…");
    person.hears(Message::Data(data::Message::MeCame(Ok(me(Some("alice@relay"))))));
    assert!(person.sees("Type alice to erase everything here"));
    person.types("settings-erase-confirm", "alic");
    person.clicks("Erase everything");
    assert!(!person.sees("Erasing…"));
    person.types("settings-erase-confirm", "e");
    person.clicks("Erase everything");
    assert!(person.sees("Erasing…"));
    person.hears(Message::Data(data::Message::Erased(Err(away()))));
    assert!(person.sees("Kith is closing."));
    person.backend.clone().erase().await.unwrap();
    assert!(!directory.exists(), "nothing is left");
    person.hears(Message::Data(data::Message::Erased(Ok(()))));
    assert!(matches!(person.last, Action::Erased));
}
