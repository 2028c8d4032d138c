use iced_test::Simulator;
use iced_test::core::Settings as Look;

use zeroize::Zeroizing;

use super::*;
use crate::backend::Setup;
use crate::format::Clock;
use crate::settings::Settings;
use crate::theme::{Palette, Theme, Variant};

const ADDRESS: &str = "/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooWGxbMYcWDZfqMzxgVBpDcyjnRjNEVhWG9mLuTuAAbW2UF";
const SOMEBODY_ELSES_CODE: &str = include_str!("../../../../core/src/identity/fixtures/vault-1.code.txt");
const GOOD: &str = "correct horse battery";

/// What screens are shown with.
struct World {
    _folder: tempfile::TempDir,
    setup: Setup,
    settings: Settings,
    i18n: I18n,
    clock: Clock,
}

impl World {
    fn new(language: Language) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("profile");
        let setup = Setup { profile, options: Default::default(), passphrase_file: None, relay: None };
        let (settings, clock) = (Settings::default(), Clock::utc());
        Self { _folder: folder, setup, settings, i18n: I18n::new(language), clock }
    }

    fn context(&self) -> Context<'_> {
        Context {
            i18n: &self.i18n,
            settings: &self.settings,
            palette: self.palette(),
            clock: &self.clock,
            now_ms: 0,
            size: iced::Size::new(900.0, 1000.0),
            setup: &self.setup,
        }
    }

    fn palette(&self) -> &'static Palette {
        Variant::Light.palette()
    }
}

/// A first start that is looked at and typed into.
struct Person {
    world: World,
    welcome: Welcome,
    last: Action,
    /// The recovery code that was told last.
    code: Zeroizing<String>,
}

impl Person {
    fn new() -> Self {
        Self::with(None, Language::En)
    }

    fn with(link: Option<&str>, language: Language) -> Self {
        let world = World::new(language);
        let (welcome, _) = Welcome::new(world.context(), link);
        Self { world, welcome, last: Action::None, code: Zeroizing::default() }
    }

    fn simulator(&self) -> Simulator<'_, Message, Theme> {
        let look = look();
        Simulator::with_size(look, self.world.context().size, self.welcome.view(self.world.context()))
    }

    fn hears(&mut self, message: Message) {
        if let Message::Created(Ok(created)) = &message {
            self.code = created.recovery_code.clone();
        }
        self.last = self.welcome.update(message, self.world.context());
    }

    fn hear(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.hears(message);
        }
    }

    /// Carries out what is to be run, and what comes of that, as the runtime does.
    async fn waits(&mut self) {
        use futures::StreamExt as _;
        let mut actions = vec![std::mem::replace(&mut self.last, Action::None)];
        while let Some(action) = actions.pop() {
            let Action::Run(task) = action else {
                self.last = action;
                continue;
            };
            let Some(mut stream) = iced_test::runtime::task::into_stream(task) else { continue };
            while let Some(done) = stream.next().await {
                if let iced_test::runtime::Action::Output(message) = done {
                    self.hears(message);
                    actions.push(std::mem::replace(&mut self.last, Action::None));
                }
            }
        }
    }

    fn clicks(&mut self, words: &str) {
        self.last = Action::None;
        let mut screen = self.simulator();
        screen.click(words).unwrap_or_else(|error| panic!("{words}: {error}"));
        let messages = screen.into_messages().collect();
        self.hear(messages);
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

    fn presses_enter_in(&mut self, field: &'static str) {
        let mut screen = self.simulator();
        screen.click(iced::widget::Id::new(field)).unwrap();
        screen.tap_key(iced::keyboard::key::Named::Enter);
        let messages = screen.into_messages().collect();
        self.hear(messages);
    }

    fn sees(&self, words: &str) -> bool {
        self.simulator().find(words).is_ok()
    }

    /// Up to name and password of a new account.
    fn at_account() -> Self {
        let mut person = Self::new();
        person.clicks("Create an account");
        person.hears(Message::Place(place::Message::AddressChanged(ADDRESS.into())));
        person.clicks("Continue");
        person
    }

    fn fills_in(&mut self) {
        self.types(account::HANDLE, "alice");
        self.types(account::PASSWORD, GOOD);
        self.types(account::AGAIN, GOOD);
    }
}

/// With the window's fonts, which a process loads once.
fn look() -> Look {
    static FONTS: std::sync::Once = std::sync::Once::new();
    let mut fonts = Vec::new();
    FONTS.call_once(|| fonts = font::files().into());
    Look { fonts, default_font: font::TEXT, ..Look::default() }
}

fn link(handle: Option<&str>, relays: Vec<kith_core::identity::RelayAddress>) -> String {
    let handle = handle.map(|handle| kith_core::identity::Handle::parse(handle).unwrap());
    let account = kith_core::types::AccountId::new([7; 32]);
    kith_core::identity::Invite { account, handle, relays }.to_link().unwrap()
}

fn relays() -> Vec<kith_core::identity::RelayAddress> {
    use kith_core::identity::{PublicKey, RelayAddress, RelayId};
    vec![RelayAddress { relay: RelayId::new(PublicKey::new([3; 32])), addresses: vec![ADDRESS.to_owned()] }]
}

#[test]
fn the_first_page_says_what_this_is_and_offers_three_ways() {
    let mut person = Person::new();
    for words in ["Welcome to Kith", "Create an account", "I have an account", "Use without a relay"] {
        assert!(person.sees(words), "{words}");
    }
    person.clicks("Українська");
    assert!(matches!(person.last, Action::Set(Change::Language(Some(Language::Uk)))));
}

#[test]
fn an_address_is_checked_while_it_is_typed() {
    let mut person = Person::new();
    person.clicks("Create an account");
    assert!(matches!(person.last, Action::Run(_)), "the focus is in the field");
    person.clicks("Continue");
    assert!(person.sees("Put in the address of a relay."));
    person.types(place::ADDRESS, "relay");
    assert!(person.sees("This is not an address of a relay. Copy it whole, from the first slash on."));
    let bare = ADDRESS.split("/p2p").next().unwrap().to_owned();
    person.hears(Message::Place(place::Message::AddressChanged(bare)));
    assert!(person.sees("The end is missing: /p2p/ and the relay’s key."));
    person.hears(Message::Place(place::Message::AddressChanged(format!(" {ADDRESS}\n"))));
    assert!(person.sees("Relay at 127.0.0.1."));
    person.presses_enter_in(place::ADDRESS);
    assert!(person.sees("Friends find you by your name.") && person.sees("Relay: 127.0.0.1"));
    person.clicks("Back");
    assert!(person.sees("Choose a relay"));
    person.clicks("Back");
    assert!(person.sees("Welcome to Kith"));
}

#[test]
fn a_link_names_the_relay_wherever_it_is_pasted_and_its_sender_is_added_afterwards() {
    let bob = link(Some("bob"), relays());
    let mut person = Person::new();
    person.clicks("Create an account");
    person.hears(Message::Place(place::Message::AddressChanged(bob.clone())));
    assert!(person.sees("From bob. You can add them as soon as you are signed in."));
    person.clicks("Continue");
    assert!(person.sees("Relay: 127.0.0.1"));
    assert_eq!(person.welcome.link(), Some(bob.as_str()));

    let mut broken = Person::new();
    broken.clicks("Create an account");
    broken.clicks("By an invite link");
    broken.clicks("Continue");
    assert!(broken.sees("Paste the link that you were sent."));
    broken.hears(Message::Place(place::Message::LinkChanged(bob[..40].to_owned())));
    assert!(broken.sees("This link is damaged. Copy it whole, or ask for it again."));
    broken.hears(Message::Place(place::Message::LinkChanged(link(None, Vec::new()))));
    assert!(broken.sees("This link names no relay: its sender uses none."));
}

#[test]
fn who_was_invited_begins_with_the_link() {
    let bob = link(Some("bob"), relays());
    let mut person = Person::with(Some(&bob), Language::En);
    assert!(person.sees("bob has invited you. Create an account, then you can add each other."));
    person.clicks("Create an account");
    person.clicks("Continue");
    assert!(person.sees("Relay: 127.0.0.1"));
    let mut other = Person::with(Some(&bob), Language::En);
    other.clicks("I have an account");
    assert!(other.sees("Address of the relay"), "another's link does not say where one's own account is");
    assert_eq!(other.welcome.link(), Some(bob.as_str()));
}

#[test]
fn who_logs_in_by_their_own_link_has_their_name_there() {
    let mut person = Person::new();
    person.clicks("I have an account");
    person.hears(Message::Place(place::Message::AddressChanged(link(Some("alice"), relays()))));
    person.clicks("Continue");
    assert!(person.sees("alice") && !person.sees("Password once more"));
    assert_eq!(person.welcome.link(), None, "nobody adds themselves");
}

#[test]
fn what_is_missing_stands_beside_its_field() {
    let mut person = Person::at_account();
    person.clicks("Create account");
    assert!(person.sees("Fill this in."));
    person.types(account::HANDLE, "al");
    assert!(person.sees("A name has 3 to 32 characters."));
    person.types(account::HANDLE, " ex");
    assert!(person.sees("A name has only a–z, 0–9 and . _ -, not “ ”."));
    person.types(account::PASSWORD, "three");
    assert!(person.sees("5 characters to go."));
    person.types(account::AGAIN, "x");
    assert!(person.sees("This differs from the first one."));
}

#[test]
fn enter_sends_what_is_filled_in_and_an_answer_leads_to_the_recovery_code() {
    let mut person = Person::at_account();
    person.fills_in();
    assert!(person.sees("Strong."));
    person.presses_enter_in(account::AGAIN);
    assert!(matches!(person.last, Action::Run(_)));
    assert!(person.sees("Creating your account"));
    let problem = Problem::new("start", "the port is taken");
    let code = Zeroizing::new("AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG".to_owned());
    person.hears(Message::Created(Ok(Created { recovery_code: code, backend: Err(problem.clone()) })));
    assert!(person.sees("Your recovery code") && person.sees("BBBB"));
    person.clicks("Continue");
    assert!(person.sees("Your recovery code"), "it is not written down");
    person.clicks("Copy");
    assert!(matches!(person.last, Action::Run(_)) && person.sees("Copied"));
    let there = Message::Recovery(recovery::Message::Saved(Some(Err(Problem::new("file_exists", "")))));
    person.hears(there);
    assert!(person.sees("There is a file of this name already. Choose another name."));
    person.clicks("I have written it down");
    person.clicks("Continue");
    assert!(matches!(&person.last, Action::Failed(failed) if *failed == problem));
}

#[test]
fn every_refusal_stands_beside_the_field_that_caused_it() {
    for (code, words, field) in [
        ("handle_taken", "This name is taken, or too much like one that is.", Some(account::HANDLE)),
        ("handle", "The relay does not take this name.", Some(account::HANDLE)),
        ("weak_password", "This password is too easy to guess.", Some(account::PASSWORD)),
        ("wrong_password", "Name or password is wrong.", Some(account::PASSWORD)),
        ("registration_closed", "This relay takes new accounts by invitation only.", Some(account::INVITATION)),
        ("invitation", "This is not an invitation code.", Some(account::INVITATION)),
        ("too_many", "The relay asks you to wait a while before you try again.", None),
        ("try_later", "The relay is busy. Try again in a moment.", None),
        ("profile_exists", "There is a profile on this device already. Close Kith and open it again.", None),
        ("keychain", "The system’s keychain does not answer.", None),
        ("odd", "Something odd happened", None),
    ] {
        let mut person = Person::at_account();
        person.fills_in();
        person.presses_enter_in(account::AGAIN);
        person.hears(Message::Created(Err(Problem::new(code, "something odd happened"))));
        assert!(person.sees("Friends find you by your name.") && person.sees(words), "{code}");
        assert_eq!(matches!(person.last, Action::Run(_)), field.is_some(), "{code}: the focus");
        let Some(field) = field else { continue };
        person.types(field, "1");
        assert!(!person.sees(words), "{code}: it was changed");
    }
    for code in ["relay_unreachable", "wrong_relay_key"] {
        let mut person = Person::at_account();
        person.fills_in();
        person.presses_enter_in(account::AGAIN);
        person.hears(Message::Created(Err(Problem::new(code, ""))));
        assert!(person.sees("Choose a relay"), "{code}");
        person.clicks("Continue");
        assert!(person.sees("alice"), "{code}: what was filled in is still there");
    }
}

#[test]
fn who_cancels_goes_back_and_never_loses_a_recovery_code() {
    let mut person = Person::at_account();
    person.fills_in();
    person.presses_enter_in(account::AGAIN);
    person.clicks("Cancel");
    assert!(person.sees("alice"));
    person.presses_enter_in(account::AGAIN);
    assert!(person.sees("One moment"), "one thing is asked after the other");
    person.hears(Message::Created(Err(Problem::new("relay_unreachable", ""))));
    assert!(matches!(person.last, Action::Run(_)), "it is asked now");
    assert!(person.sees("Creating your account"));
    person.clicks("Cancel");
    person.hears(Message::Created(Err(Problem::new("relay_unreachable", ""))));
    assert!(person.sees("Friends find you by your name."), "nobody waits for it any more");

    person.presses_enter_in(account::AGAIN);
    person.clicks("Cancel");
    let code = Zeroizing::new("AAAA-BBBB".to_owned());
    let backend = Err(Problem::new("start", ""));
    person.hears(Message::Created(Ok(Created { recovery_code: code, backend })));
    assert!(person.sees("Your recovery code"), "it was too late");
}

#[test]
fn a_keychain_is_offered_where_it_works() {
    let mut person = Person::at_account();
    assert!(!person.sees("The system’s keychain") && person.sees("The same as the password"));
    person.hears(Message::KeychainProbed(true));
    assert!(person.sees("The system’s keychain") && !person.sees("The same as the password"));
    person.clicks("A passphrase");
    person.clicks("The same as the password");
    person.types(account::PASSPHRASE, "garden lamp");
    person.types(account::PASSPHRASE_AGAIN, "garden lap");
    assert!(person.sees("This differs from the first one."));
}

#[test]
fn an_account_without_a_relay_has_a_passphrase_alone() {
    let mut person = Person::new();
    person.clicks("Use without a relay");
    assert!(person.sees("Passphrase") && !person.sees("Name") && !person.sees("The same as the password"));
    person.types(account::PASSWORD, GOOD);
    person.types(account::AGAIN, GOOD);
    person.clicks("Create account");
    assert!(matches!(person.last, Action::Run(_)) && person.sees("Creating your account"));
    person.clicks("Cancel");
    person.clicks("Back");
    assert!(person.sees("Welcome to Kith"));
}

#[test]
fn a_relay_on_this_computer_is_started_before_the_name_is_asked_for() {
    let mut person = Person::new();
    person.clicks("Create an account");
    person.clicks("Start one on this computer");
    person.clicks("Continue");
    assert!(matches!(person.last, Action::Run(_)) && person.sees("Starting the relay…"));
    person.hears(Message::RelayStarted(Err(Problem::new("own_relay_port", ""))));
    let words = "Another program uses the port of the relay on this computer. Close that one, then try again.";
    assert!(person.sees(words));
    person.clicks("Continue");
    person.hears(Message::RelayStarted(Ok(ADDRESS.into())));
    assert!(person.sees("Relay: this computer"));
    person.fills_in();
    person.clicks("Create account");
    let code = Zeroizing::new("AAAA-BBBB".to_owned());
    person.hears(Message::Created(Ok(Created { recovery_code: code, backend: Err(Problem::new("start", "")) })));
    assert!(matches!(person.last, Action::Set(Change::OwnRelay(true))));

    let mut other = Person::new();
    other.clicks("I have an account");
    assert!(!other.sees("Start one on this computer"), "nobody has an account there");
}

#[test]
fn a_relay_that_starts_when_somebody_has_gone_back_leads_nowhere() {
    let mut person = Person::new();
    person.clicks("Create an account");
    person.clicks("Start one on this computer");
    person.clicks("Continue");
    person.clicks("Back");
    person.hears(Message::RelayStarted(Ok(ADDRESS.into())));
    assert!(person.sees("Welcome to Kith"));
}

#[test]
fn what_is_secret_can_be_looked_at_and_is_in_no_log() {
    let mut person = Person::at_account();
    person.types(account::PASSWORD, "hunter2 hunter3");
    let _ = person.simulator().find(iced::widget::Id::new(account::PASSWORD)).unwrap();
    assert!(!format!("{:?}", person.welcome).contains("hunter"));
    let typed = Message::Account(account::Message::PasswordChanged(Zeroizing::new("hunter2".into())));
    assert!(!format!("{typed:?}").contains("hunter"));
    person.hears(Message::Account(account::Message::Look));
    assert!(matches!(person.last, Action::None));
}

#[test]
fn long_and_odd_text_breaks_nothing() {
    let mut person = Person::new();
    person.clicks("Create an account");
    let huge = "a".repeat(1_000_000);
    person.hears(Message::Place(place::Message::AddressChanged(huge.clone())));
    person.hears(Message::Place(place::Message::LinkChanged(format!("kith://add/{huge}"))));
    assert!(person.sees("Choose a relay"));
    let mut account = Person::at_account();
    account.hears(Message::Account(account::Message::HandleChanged(huge)));
    account.hears(Message::Account(account::Message::HandleChanged("\u{202e}a\u{7}".into())));
    account.clicks("Create account");
    assert!(account.sees("Friends find you by your name."));
}

/// On loopback, and unseen by others.
fn quiet() -> kith_core::client::Options {
    let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".to_owned()];
    kith_core::client::Options { listen, mdns: false, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_up_at_the_relay_of_this_computer_and_others_join_there() {
    let mut alice = Person::new();
    alice.world.setup.options = quiet();
    alice.clicks("Create an account");
    alice.clicks("Start one on this computer");
    alice.clicks("Continue");
    alice.waits().await;
    assert!(alice.sees("Relay: this computer"));
    alice.fills_in();
    alice.clicks("Create account");
    alice.waits().await;
    assert!(matches!(alice.last, Action::Set(Change::OwnRelay(true))) && alice.sees("Your recovery code"));
    alice.clicks("I have written it down");
    alice.clicks("Continue");
    let Action::SignedIn(backend) = std::mem::replace(&mut alice.last, Action::None) else { panic!("not signed in") };
    let handle = backend.clone().me().await.unwrap().handle.unwrap();
    assert!(handle.starts_with("alice@home-"), "{handle}");
    let Some(crate::relay::State::Running { address }) = backend.relay().map(EmbeddedRelay::state) else {
        panic!("the relay does not run")
    };

    let at = |kind: Kind| {
        let mut person = Person::new();
        person.world.setup.options = quiet();
        person.hears(Message::Chose(kind));
        person.hears(Message::Place(place::Message::AddressChanged(address.clone())));
        person.clicks("Continue");
        person
    };
    let mut other = at(Kind::Create);
    other.fills_in();
    other.clicks("Create account");
    other.waits().await;
    assert!(other.sees("This name is taken, or too much like one that is."));
    let mut forgetful = at(Kind::LogIn);
    forgetful.types(account::HANDLE, "alice");
    forgetful.types(account::PASSWORD, "something else entirely");
    forgetful.clicks("Log in");
    forgetful.waits().await;
    assert!(forgetful.sees("Name or password is wrong."));
    let typed = Message::Account(account::Message::PasswordChanged(Zeroizing::new(GOOD.into())));
    forgetful.hears(typed);
    forgetful.clicks("Log in");
    forgetful.waits().await;
    let Action::SignedIn(second) = std::mem::replace(&mut forgetful.last, Action::None) else {
        panic!("not signed in")
    };
    assert_eq!(second.clone().me().await.unwrap().handle.as_deref(), Some(handle.as_str()));
    second.close().await;

    // On a third device the password is forgotten altogether.
    let code = alice.code.clone();
    let mut third = at(Kind::LogIn);
    third.types(account::HANDLE, "alice");
    third.clicks("Forgot the password?");
    assert!(third.sees("Forgotten password"));
    third.clicks("Back");
    assert!(third.sees("Name and password of your account."));
    third.clicks("Forgot the password?");
    third.clicks("Set the new password");
    assert!(third.sees("Fill this in."), "there is no code yet");
    third.types(account::CODE, "K7QX-ABCD");
    third.types(account::PASSWORD, "another horse and battery");
    third.types(account::AGAIN, "another horse and battery");
    third.clicks("Set the new password");
    assert!(third.sees("This is not a recovery code, or there is a typing mistake in it."));
    let typed = |code: &str| Message::Account(account::Message::CodeChanged(Zeroizing::new(code.to_owned())));
    third.hears(typed(SOMEBODY_ELSES_CODE));
    third.clicks("Set the new password");
    third.waits().await;
    assert!(third.sees("Name or recovery code is wrong. A code that was used is worth nothing any more."));
    third.hears(typed(&code));
    third.clicks("Set the new password");
    assert!(third.sees("Getting your account back"));
    third.waits().await;
    assert!(third.sees("Your new recovery code"));
    assert!(!third.code.is_empty() && third.code != code);
    third.clicks("I have written it down");
    third.clicks("Continue");
    let Action::SignedIn(recovered) = std::mem::replace(&mut third.last, Action::None) else { panic!("not signed in") };
    let me = recovered.clone().me().await.unwrap();
    assert_eq!((me.handle.as_deref(), me.devices), (Some(handle.as_str()), 3));
    recovered.close().await;
    let mut late = at(Kind::LogIn);
    late.types(account::HANDLE, "alice");
    late.types(account::PASSWORD, GOOD);
    late.clicks("Log in");
    late.waits().await;
    assert!(late.sees("Name or password is wrong."), "the old one");
    backend.close().await;
}
