//! Pictures of the settings, section by section.

use kith_core::wire::control::{Code, LiveOptions, Me, Profile, Reach, Said, Status};

use super::*;
use crate::i18n::Language;
use crate::problem::Problem;
use crate::snapshots::{World, operations};
use crate::theme::Variant;
use crate::widget::focus_scope;

fn page(section: Section) -> SettingsPage {
    SettingsPage::new(section, Backend::detached().0).0
}

fn world() -> World {
    World::new(800.0, 600.0)
}

fn shoot(page: &SettingsPage, world: &World, name: &str) {
    world.shoot(name, || page.view(world.context()));
}

/// In English and light, and in the language with the longest words and dark.
fn everywhere(page: &SettingsPage, name: &str) {
    shoot(page, &world(), name);
    let russian = world().speaking(Language::Ru).colored(Variant::Dark);
    shoot(page, &russian, &format!("{name}-ru-dark"));
}

fn hears(page: &mut SettingsPage, message: Message) {
    let world = world();
    let _ = page.update(message, world.context());
}

pub(super) fn me() -> Me {
    Me {
        account: "5fd9ad6b7a0c6d6e5a1b7a0c6d6e5a1b5fd9ad6b7a0c6d6e5a1b7a0c6d6e5a1b".into(),
        device: "d1".into(),
        handle: Some("alice@home-0011aabb".into()),
        relays: vec!["/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooWGxbMYcWDZfqMzxgVBpDcyjnRjNEVhWG9mLuTuAAbW2UF".into()],
        devices: 2,
    }
}

#[test]
fn the_profile() {
    let mut page = page(Section::Profile);
    shoot(&page, &world(), "settings-loading");
    hears(&mut page, Message::Profile(profile::Message::Came(Err(Problem::new("ending", "")))));
    shoot(&page, &world(), "settings-failed");
    let name = Some("Alice Liddell".to_owned());
    let about = Some("Down the rabbit hole".to_owned());
    let own = Profile { account: "0123".into(), name, about, picture: None };
    hears(&mut page, Message::Profile(profile::Message::Came(Ok((own, None)))));
    everywhere(&page, "settings-profile");
    hears(&mut page, Message::Profile(profile::Message::NameChanged("я".repeat(70))));
    shoot(&page, &world(), "settings-profile-too-long");
    shoot(&page, &World::new(360.0, 500.0).scaled(2.0).speaking(Language::Ru), "settings-profile-ru-200");
}

#[test]
fn relay_account_and_devices() {
    let mut page = page(Section::Account);
    hears(&mut page, Message::Account(account::Message::MeCame(Ok(me()))));
    let link = "kith://mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpiydcmrtgq2tmnzy?relay=relay.example".to_owned();
    hears(&mut page, Message::Account(account::Message::LinkCame(Ok(link))));
    everywhere(&page, "settings-account");
    hears(&mut page, Message::Show(Section::Devices));
    everywhere(lists(&mut page, devices::Message::Came(Ok(devices::tests::known()))), "settings-devices");
}

/// The list of devices hears something.
fn lists(page: &mut SettingsPage, message: devices::Message) -> &SettingsPage {
    hears(page, Message::Devices(message));
    page
}

#[tokio::test]
async fn a_device_gets_another_name() {
    use devices::naming::Message as Name;
    let mut page = page(Section::Devices);
    fn names(page: &mut SettingsPage, message: Name) -> &SettingsPage {
        lists(page, devices::Message::Naming(message))
    }
    lists(&mut page, devices::Message::Came(Ok(devices::tests::known())));
    names(&mut page, Name::Open("Anna’s laptop".into()));
    everywhere(names(&mut page, Name::Changed("Anna’s desk".into())), "settings-device-name");
    let narrow = World::new(360.0, 640.0).scaled(2.0).speaking(Language::Uk);
    shoot(names(&mut page, Name::Changed(String::new())), &narrow, "settings-device-name-empty-uk-200");
    shoot(names(&mut page, Name::Changed("я".repeat(70))), &world(), "settings-device-name-too-long");
    names(&mut page, Name::Changed("Anna’s desk".into()));
    names(&mut page, Name::Save);
    let contrast = world().speaking(Language::Uk).colored(Variant::HighContrast);
    let failed = Name::Saved(Err(Problem::new("disk_full", "")));
    shoot(names(&mut page, failed), &contrast, "settings-device-name-failed-uk-contrast");
}

#[tokio::test]
async fn a_device_is_removed() {
    let mut page = page(Section::Devices);
    lists(&mut page, devices::Message::Came(Ok(devices::tests::known())));
    everywhere(lists(&mut page, devices::Message::Remove(devices::tests::LOST.into())), "settings-device-remove");
    // The keyboard stands on the button that cannot be undone.
    let keys = (0..3).flat_map(|_| operations::<()>(focus_scope::focus_previous())).collect();
    let dark = world().colored(Variant::Dark);
    dark.shoot_after("settings-device-remove-focus-dark", || page.view(dark.context()), keys);
    let narrow = || World::new(360.0, 640.0).scaled(2.0);
    shoot(
        lists(&mut page, devices::Message::Submit),
        &narrow().speaking(Language::Uk),
        "settings-device-remove-empty-uk-200",
    );
    lists(&mut page, devices::Message::PasswordChanged(zeroize::Zeroizing::new("an old password".to_owned())));
    everywhere(lists(&mut page, devices::Message::Submit), "settings-device-removing");
    let refused = |code| devices::Message::Removed(devices::tests::LOST.into(), Err(Problem::new(code, "")));
    everywhere(lists(&mut page, refused("wrong_password")), "settings-device-refused");
    let contrast = world().speaking(Language::Uk).colored(Variant::HighContrast);
    shoot(lists(&mut page, refused("relay_unreachable")), &contrast, "settings-device-unreachable-uk-contrast");
    everywhere(
        lists(&mut page, devices::Message::Removed(devices::tests::LOST.into(), Ok(()))),
        "settings-device-removed",
    );
}

fn says(page: &mut SettingsPage, message: password::Message) {
    hears(page, Message::Account(account::Message::Password(message)));
}

#[tokio::test]
async fn another_password() {
    let mut page = page(Section::Account);
    let secret = |words: &str| zeroize::Zeroizing::new(words.to_owned());
    says(&mut page, password::Message::Open);
    hears(&mut page, Message::Account(account::Message::MeCame(Ok(me()))));
    says(&mut page, password::Message::PresentChanged(secret("an old password")));
    says(&mut page, password::Message::NewChanged(secret("garden lamp")));
    let tall = || World::new(800.0, 900.0);
    shoot(&page, &tall(), "settings-password");
    shoot(&page, &tall().speaking(Language::Ru).colored(Variant::Dark), "settings-password-ru-dark");
    says(&mut page, password::Message::Forgotten(true));
    says(&mut page, password::Message::PresentChanged(secret("K7QX-ABCD")));
    says(&mut page, password::Message::NewChanged(secret("password")));
    says(&mut page, password::Message::AgainChanged(secret("passwort")));
    says(&mut page, password::Message::Submit);
    shoot(&page, &tall().speaking(Language::Uk).colored(Variant::HighContrast), "settings-password-wrong-uk-contrast");
    shoot(&page, &World::new(360.0, 800.0).scaled(2.0).speaking(Language::Ru), "settings-password-wrong-ru-200");
    says(&mut page, password::Message::Forgotten(false));
    says(&mut page, password::Message::PresentChanged(secret("an old password")));
    says(&mut page, password::Message::NewChanged(secret("correct horse battery")));
    says(&mut page, password::Message::AgainChanged(secret("correct horse battery")));
    says(&mut page, password::Message::Submit);
    shoot(&page, &tall(), "settings-password-working");
    says(&mut page, password::Message::Changed(Err(Problem::new("wrong_password", ""))));
    shoot(&page, &tall(), "settings-password-refused");
    says(&mut page, password::Message::Changed(Ok(None)));
    shoot(&page, &tall(), "settings-password-changed");
    says(&mut page, password::Message::Changed(Ok(Some(secret("K7QX-ABCD-EFGH-JKMN-PQRS-TVWX-YZ01")))));
    shoot(&page, &tall(), "settings-password-code");
}

#[test]
fn what_others_are_told() {
    let mut page = page(Section::Privacy);
    let options = LiveOptions {
        read_receipts: true,
        mdns: true,
        always_relay: false,
        typing: true,
        played_receipts: true,
        auto_fetch_bytes: 0,
        restart: true,
    };
    hears(&mut page, Message::Privacy(privacy::Message::Came(Ok(options))));
    everywhere(&page, "settings-privacy");
    shoot(&page, &world().speaking(Language::Uk).colored(Variant::HighContrast), "settings-privacy-uk-contrast");
}

#[test]
fn what_belongs_to_the_window() {
    let mut page = page(Section::Notifications);
    everywhere(&page, "settings-notifications");
    hears(&mut page, Message::Show(Section::Appearance));
    everywhere(&page, "settings-appearance");
    shoot(&page, &World::new(420.0, 400.0).scaled(2.0).speaking(Language::Uk), "settings-appearance-uk-200");
    hears(&mut page, Message::Show(Section::Language));
    shoot(&page, &world(), "settings-language");
    hears(&mut page, Message::Show(Section::About));
    everywhere(&page, "settings-about");
    hears(&mut page, Message::ShowList);
    shoot(&page, &World::new(400.0, 640.0).speaking(Language::Ru), "settings-list-ru-narrow");
}

#[test]
fn taking_everything_along_and_leaving_nothing() {
    let mut page = page(Section::Data);
    everywhere(&page, "settings-data");
    hears(&mut page, Message::Data(data::Message::Erase));
    hears(&mut page, Message::Data(data::Message::MeCame(Ok(me()))));
    everywhere(&page, "settings-erase");
}

#[test]
fn how_everything_is_reached() {
    let reach = |name: &str, path: &str, why, round_trip_ms| Reach {
        account: "b1".into(),
        name: name.into(),
        path: path.into(),
        why: Said::new(why, ""),
        round_trip_ms,
    };
    let status = Status {
        relay_connected: Some(false),
        relay_problem: Some(Box::new(Said::new(Code::TimedOut, ""))),
        addresses: vec!["/ip4/192.0.2.20/udp/41001/quic-v1".into(), "/ip4/127.0.0.1/udp/41001/quic-v1".into()],
        undelivered: 3,
        contacts: vec![
            reach("bob", "lan", Code::Best, Some(2.4)),
            reach("Константин Константинопольский", "mailbox", Code::NotTried, None),
            reach("dave", "circuit", Code::Connecting, Some(41.0)),
        ],
        refused: [].into(),
        warnings: Vec::new(),
    };
    let mut page = page(Section::Diagnostics);
    hears(&mut page, Message::Diagnostics(diagnostics::Message::Came(Ok(status))));
    everywhere(&page, "settings-diagnostics");
}

mod hearing;
