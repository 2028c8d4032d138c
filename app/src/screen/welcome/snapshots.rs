//! Pictures of the first start, step by step.

use kith_core::identity::{Handle, Invite, PublicKey, RelayAddress, RelayId};
use kith_core::types::AccountId;
use zeroize::Zeroizing;

use super::*;
use crate::snapshots::World;
use crate::theme::Variant;

const ADDRESS: &str = "/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3KooWGxbMYcWDZfqMzxgVBpDcyjnRjNEVhWG9mLuTuAAbW2UF";

/// A code without a typing mistake.
const CODE: &str = include_str!("../../../../core/src/identity/fixtures/vault-1.code.txt");

/// A first start that is looked at.
struct Scene {
    world: World,
    welcome: Welcome,
}

impl Scene {
    fn new(link: Option<&str>) -> Self {
        let world = usual();
        let (welcome, _) = Welcome::new(world.context(), link);
        Self { world, welcome }
    }

    fn hears(&mut self, message: Message) {
        let _ = self.welcome.update(message, self.world.context());
    }

    fn account(&mut self, message: account::Message) {
        self.hears(Message::Account(message));
    }

    fn place(&mut self, message: place::Message) {
        self.hears(Message::Place(message));
    }

    fn shoot(&self, name: &str) {
        self.shoot_in(usual(), name);
    }

    fn shoot_in(&self, world: World, name: &str) {
        world.shoot(name, || self.welcome.view(world.context()));
    }

    /// In all languages, and all colours.
    fn everywhere(&self, name: &str) {
        self.shoot(name);
        self.shoot_in(usual().speaking(Language::Ru).colored(Variant::Dark), &format!("{name}-ru-dark"));
        self.shoot_in(usual().speaking(Language::Uk).colored(Variant::HighContrast), &format!("{name}-uk-contrast"));
    }
}

fn usual() -> World {
    World::new(680.0, 760.0)
}

fn secret(words: &str) -> Zeroizing<String> {
    Zeroizing::new(words.to_owned())
}

fn link() -> String {
    let relay = RelayId::new(PublicKey::new([3; 32]));
    let relays = vec![RelayAddress { relay, addresses: vec![ADDRESS.to_owned()] }];
    let handle = Some(Handle::parse("bob").unwrap());
    Invite { account: AccountId::new([7; 32]), handle, relays }.to_link().unwrap()
}

/// Up to name and password of a new account.
fn at_account() -> Scene {
    let mut scene = Scene::new(None);
    scene.hears(Message::Chose(Kind::Create));
    scene.place(place::Message::AddressChanged(ADDRESS.into()));
    scene.place(place::Message::Submit);
    scene
}

#[test]
fn the_first_page() {
    let scene = Scene::new(None);
    scene.everywhere("welcome");
    scene.shoot_in(World::new(360.0, 400.0).scaled(2.0).speaking(Language::Uk), "welcome-uk-200");
    Scene::new(Some(&link())).shoot("welcome-invited");
}

#[test]
fn which_relay() {
    let mut scene = Scene::new(None);
    scene.hears(Message::Chose(Kind::Create));
    scene.everywhere("welcome-relay");
    scene.place(place::Message::AddressChanged("/ip4/1.2.3.4/tcp/1".into()));
    scene.place(place::Message::Submit);
    scene.everywhere("welcome-relay-wrong");
    scene.place(place::Message::LinkChanged(link()));
    scene.shoot("welcome-relay-link");
    scene.place(place::Message::WayChosen(place::Way::Own));
    scene.shoot("welcome-relay-own");
    scene.shoot_in(World::new(360.0, 400.0).scaled(2.0).speaking(Language::Ru), "welcome-relay-own-ru-200");
}

#[tokio::test]
async fn name_and_password() {
    let mut scene = at_account();
    scene.shoot("welcome-account");
    scene.hears(Message::KeychainProbed(true));
    scene.account(account::Message::HandleChanged("alice b".into()));
    scene.account(account::Message::PasswordChanged(secret("garden lamp")));
    scene.account(account::Message::AgainChanged(secret("other")));
    scene.account(account::Message::Submit);
    scene.everywhere("welcome-account-weak");
    scene.account(account::Message::HandleChanged("alice".into()));
    scene.account(account::Message::PasswordChanged(secret("correct horse battery")));
    scene.account(account::Message::AgainChanged(secret("correct horse battery")));
    scene.shoot("welcome-account-good");
    scene.shoot_in(World::new(360.0, 400.0).scaled(2.0).speaking(Language::Uk), "welcome-account-good-uk-200");
    scene.account(account::Message::Submit);
    scene.everywhere("welcome-working");
    scene.hears(Message::Created(Err(Problem::new("registration_closed", ""))));
    scene.shoot("welcome-account-invitation");
}

#[test]
fn a_login_and_an_account_without_a_relay() {
    let mut scene = Scene::new(None);
    scene.hears(Message::Chose(Kind::LogIn));
    scene.shoot("welcome-login-relay");
    scene.place(place::Message::AddressChanged(ADDRESS.into()));
    scene.place(place::Message::Submit);
    scene.shoot("welcome-login");
    let mut scene = Scene::new(None);
    scene.hears(Message::Chose(Kind::Local));
    scene.everywhere("welcome-local");
}

#[tokio::test]
async fn a_forgotten_password() {
    let mut scene = Scene::new(None);
    scene.hears(Message::Chose(Kind::LogIn));
    scene.place(place::Message::AddressChanged(ADDRESS.into()));
    scene.place(place::Message::Submit);
    scene.account(account::Message::HandleChanged("alice".into()));
    scene.account(account::Message::Forgotten);
    scene.everywhere("welcome-recover");
    scene.account(account::Message::CodeChanged(secret("K7QX-ABCD-EFGH")));
    scene.account(account::Message::PasswordChanged(secret("password")));
    scene.account(account::Message::Submit);
    scene.shoot("welcome-recover-wrong");
    scene.account(account::Message::CodeChanged(secret(CODE.trim())));
    scene.account(account::Message::PasswordChanged(secret("correct horse battery")));
    scene.account(account::Message::AgainChanged(secret("correct horse battery")));
    scene.account(account::Message::Submit);
    scene.shoot("welcome-recovering");
    scene.shoot_in(usual().speaking(Language::Ru).colored(Variant::Dark), "welcome-recovering-ru-dark");
    scene.hears(Message::Created(Err(Problem::new("wrong_recovery_code", ""))));
    scene.shoot("welcome-recover-refused");
    scene.shoot_in(World::new(360.0, 400.0).scaled(2.0).speaking(Language::Uk), "welcome-recover-uk-200");
    scene.account(account::Message::Submit);
    let backend = Ok(Backend::detached().0);
    let recovery_code = secret("K7QX-ABCD-EFGH-JKMN-PQRS-TVWX-YZ01");
    scene.hears(Message::Created(Ok(Created { recovery_code, backend })));
    scene.everywhere("welcome-recovered");
}

#[test]
fn the_recovery_code() {
    let mut scene = at_account();
    let recovery_code = secret("K7QX-ABCD-EFGH-JKMN-PQRS-TVWX-YZ01");
    let backend = Ok(Backend::detached().0);
    scene.hears(Message::Created(Ok(Created { recovery_code, backend })));
    scene.everywhere("welcome-recovery");
    scene.hears(Message::Recovery(recovery::Message::Written(true)));
    scene.hears(Message::Recovery(recovery::Message::Copy));
    let path = "/home/alice/Documents/kith-recovery-code.txt".into();
    scene.hears(Message::Recovery(recovery::Message::Saved(Some(Ok(path)))));
    scene.shoot("welcome-recovery-done");
}
