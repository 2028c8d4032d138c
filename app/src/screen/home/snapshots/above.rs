//! What lies above the main window.

use super::*;

fn world() -> World {
    World::new(660.0, 580.0)
}

fn scene() -> Scene {
    let accepted = ["Bob", "Carol Константинопольская", "Zoë", "🦊 Fox"].map(chat).to_vec();
    Scene::with(world(), accepted, vec![request("trent@example", "Hello! We met on the train to Vienna.")])
}

fn everywhere(scene: &mut Scene, name: &str) {
    scene.shoot(name);
    scene.shoot_in(world().speaking(Language::Ru).colored(Variant::Dark), &format!("{name}-ru-dark"));
}

#[test]
fn somebody_is_added() {
    let mut scene = scene();
    scene.hears(Message::ShowAdd);
    scene.shoot("add");
    let link = "kith://mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpiydcmrtgq2tmnzy?relay=relay.example".to_owned();
    scene.hears(Message::Add(add::Message::Invited(Ok(link))));
    everywhere(&mut scene, "add-own-link");
    scene.hears(Message::Add(add::Message::WhoChanged("nobody@nowhere".into())));
    scene.hears(Message::Add(add::Message::CopyLink));
    scene.hears(Message::Add(add::Message::Submit));
    scene.shoot("add-asking");
    scene.hears(Message::Add(add::Message::Asked(Err(Problem::new("not_found", "")))));
    everywhere(&mut scene, "add-wrong");
    scene.shoot_in(World::new(360.0, 400.0).scaled(2.0), "add-wrong-200");
}

#[test]
fn a_group_is_made() {
    let mut scene = scene();
    scene.hears(Message::ShowGroup);
    scene.hears(Message::Group(group::Message::Toggle("account-Bob".into())));
    scene.hears(Message::Group(group::Message::Toggle("account-Zoë".into())));
    everywhere(&mut scene, "group");
    scene.hears(Message::Group(group::Message::NameChanged("Climbing".into())));
    scene.hears(Message::Group(group::Message::Submit));
    scene.hears(Message::Group(group::Message::Created(Err(Problem::new("store", "the disk is full")))));
    scene.shoot("group-wrong");
    let mut alone = Scene::with(world(), Vec::new(), Vec::new());
    alone.hears(Message::ShowGroup);
    alone.shoot("group-nobody");
}

#[test]
fn one_jumps_to_a_chat() {
    let mut scene = scene();
    scene.presses(&Press::Switcher);
    scene.presses(&Press::NextChat);
    everywhere(&mut scene, "switcher");
    scene.hears(Message::Switcher(switcher::Message::QueryChanged("nobody".into())));
    scene.shoot("switcher-nothing");
}

#[test]
fn the_keys_are_shown() {
    let mut scene = scene();
    scene.presses(&Press::Help);
    everywhere(&mut scene, "help");
}

#[test]
fn a_contact_request_is_looked_at() {
    let mut scene = scene();
    scene.hears(Message::List(list::Message::Review("account-trent@example".into())));
    everywhere(&mut scene, "review");
    scene.shoot_in(World::new(360.0, 440.0).scaled(2.0).speaking(Language::Ru), "review-ru-200");
    scene.hears(Message::Review(review::Message::Accept));
    scene.shoot_in(world().speaking(Language::Uk).colored(Variant::HighContrast), "review-answered-uk-contrast");
    let mut scene = Scene::with(world(), Vec::new(), vec![request(&"пётр".repeat(20), "")]);
    scene.hears(Message::List(list::Message::Review(format!("account-{}", "пётр".repeat(20)))));
    scene.shoot("review-silent");
}

#[test]
fn it_is_asked_before_something_is_lost() {
    let russian = world().speaking(Language::Ru).colored(Variant::Dark);
    for (tag, world) in [("", world()), ("-ru-dark", russian)] {
        let mut scene = Scene::talking(world, chat("Bob"), vec![mine(0, "Oops", "read")]);
        scene.talks(conversation::Message::Delete(row(0)));
        scene.shoot(&format!("question-delete{tag}"));
        scene.presses(&Press::Escape);
        scene.presses(&Press::Details);
        scene.hears(Message::Details(details::Message::Block));
        scene.shoot(&format!("question-block{tag}"));
    }
}

#[test]
fn files_that_are_dropped_or_pasted_are_offered() {
    let talking = |world| Scene::talking(world, chat("Bob"), vec![mine(0, "Here it comes", "read")]);
    let drop = |scene: &mut Scene, file: &str| {
        let _ = scene.home.file_dropped(file.into(), scene.world.context());
    };
    let mut scene = talking(world());
    drop(&mut scene, "/home/alice/train plan.pdf");
    scene.shoot("question-files");
    for (tag, world) in languages(world) {
        let mut scene = talking(world);
        // What is dropped together comes one by one, and what is dropped twice is there once.
        for number in 1..=6 {
            drop(&mut scene, &format!("/home/alice/гори-{number}.jpg"));
            drop(&mut scene, "/home/alice/train plan.pdf");
        }
        scene.shoot(&format!("question-files-{tag}"));
    }
}
