//! A profile that wants a passphrase, and one that cannot be opened.

use zeroize::Zeroizing;

use super::World;
use crate::i18n::Language;
use crate::problem::Problem;
use crate::screen::failure::Failure;
use crate::screen::unlock::{Message, Unlock};
use crate::theme::Variant;
use crate::ui;

fn small() -> World {
    World::new(620.0, 480.0)
}

#[test]
fn a_profile_that_wants_a_passphrase() {
    let world = small();
    let (mut unlock, _) = Unlock::new();
    let shoot = |unlock: &Unlock, world: &World, name: &str| world.shoot(name, || unlock.view(world.context()));
    shoot(&unlock, &world, "unlock");
    let setup = world.context().setup;
    let _ = unlock.update(Message::PassphraseChanged(Zeroizing::new("hunter2".into())), setup);
    shoot(&unlock, &small().colored(Variant::Dark), "unlock-typed-dark");
    let _ = unlock.update(Message::Submit, setup);
    shoot(&unlock, &world, "unlock-opening");
    let _ = unlock.update(Message::Opened(Err(Problem::new("wrong_passphrase", ""))), setup);
    shoot(&unlock, &world, "unlock-wrong");
    shoot(&unlock, &small().speaking(Language::Uk).colored(Variant::HighContrast), "unlock-wrong-uk-contrast");
    shoot(&unlock, &World::new(360.0, 400.0).speaking(Language::Ru).scaled(2.0), "unlock-wrong-ru-200");
}

#[test]
fn a_profile_that_cannot_be_opened() {
    let world = small();
    let shoot = |world: &World, code: &str, name: &str| {
        let failure = Failure::new(Problem::new(code, "the disk is full"));
        world.shoot(name, || failure.view(world.context()));
    };
    shoot(&world, "store", "failure-store");
    shoot(&world, "other", "failure-other");
    shoot(&small().speaking(Language::Ru).colored(Variant::Dark), "store", "failure-store-ru-dark");
    shoot(&World::new(360.0, 400.0).speaking(Language::Uk).scaled(2.0), "store", "failure-store-uk-200");
}

#[test]
fn a_window_before_anything_is_known() {
    let world = small();
    world.shoot("starting", || ui::starting::<()>(world.context().i18n));
}
