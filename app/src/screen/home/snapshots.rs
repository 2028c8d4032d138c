//! Pictures of the main window in every state.

mod above;
mod beside;
mod chats;
mod listen;
mod talk;

use kith_core::wire::control::{Chat, ContactRequest, Event, Me, Message as Shown, Page};

use super::tests::not_reached;
use super::timeline::key_of;
use super::*;
use crate::i18n::Language;
use crate::keys::Press;
use crate::samples::message;
use crate::snapshots::{NOON, World, operations};
use crate::theme::Variant;

/// The main window without a profile behind it.
struct Scene {
    world: World,
    home: Home,
}

impl Scene {
    /// Before anything came.
    fn new(world: World) -> Self {
        let (backend, _) = Backend::detached();
        let (home, _) = Home::new(backend, None, world.context());
        Self { world, home }
    }

    /// With these chats.
    fn with(world: World, chats: Vec<Chat>, requests: Vec<ContactRequest>) -> Self {
        let mut scene = Self::new(world);
        let me = Me {
            account: "me".into(),
            device: "this".into(),
            handle: Some("alice@home".into()),
            relays: Vec::new(),
            devices: 1,
        };
        scene.hears(Message::Loaded(Ok(Overview { me, chats, requests })));
        scene
    }

    /// With this chat open, its history loaded.
    fn talking(world: World, chat: Chat, messages: Vec<Shown>) -> Self {
        let id = chat.id.clone();
        let mut scene = Self::with(world, vec![chat], Vec::new());
        scene.hears(Message::List(list::Message::Open(id)));
        scene.talks(conversation::Message::Opened(Ok(page(messages))));
        scene
    }

    fn hears(&mut self, message: Message) {
        let _ = self.home.update(message, self.world.context());
    }

    /// Something happens to the open conversation.
    fn talks(&mut self, message: conversation::Message) {
        let id = self.home.open.as_ref().unwrap().chat().id.clone();
        self.hears(Message::Conversation(id, message));
    }

    fn tells(&mut self, event: Event) {
        let _ = self.home.told(event, true, self.world.context());
    }

    fn presses(&mut self, key: &Press) {
        let _ = self.home.key_pressed(key, self.world.context());
    }

    fn shoot(&self, name: &str) {
        self.world.shoot(name, || self.home.view(self.world.context()));
    }

    /// The same in another world.
    fn shoot_in(&mut self, world: World, name: &str) {
        let before = std::mem::replace(&mut self.world, world);
        self.shoot(name);
        self.world = before;
    }

    /// The same after what a message asks of the widgets.
    fn shoot_after(&mut self, message: conversation::Message, name: &str) {
        let id = self.home.open.as_ref().unwrap().chat().id.clone();
        let action = self.home.update(Message::Conversation(id, message), self.world.context());
        let Action::Run(task) = action else { panic!("{action:?}") };
        self.world.shoot_after(name, || self.home.view(self.world.context()), operations(task));
    }
}

fn page(messages: Vec<Shown>) -> Page {
    Page { messages, more_before: false, more_after: false, first_unread: None }
}

fn wide() -> World {
    World::new(980.0, 700.0)
}

/// A window that shows the list or the conversation.
fn single(height: f32) -> World {
    World::new(460.0, height)
}

fn theirs(minute: u64, text: &str) -> Shown {
    message(minute, text)
}

fn mine(minute: u64, text: &str, state: &str) -> Shown {
    Shown {
        author: "me".into(),
        author_name: "me".into(),
        mine: true,
        state: Some(state.into()),
        ..message(minute, text)
    }
}

fn by(name: &str, minute: u64, text: &str) -> Shown {
    Shown { author: name.into(), author_name: name.into(), ..message(minute, text) }
}

fn yesterday(message: Shown) -> Shown {
    Shown { sent_ms: message.sent_ms - 86_400_000, ..message }
}

fn chat(name: &str) -> Chat {
    list::tests::chat(name)
}

fn request(handle: &str, text: &str) -> ContactRequest {
    ContactRequest {
        account: format!("account-{handle}"),
        handle: Some(handle.into()),
        text: text.into(),
        sent_ms: NOON,
        remembered: false,
    }
}

fn group(name: &str) -> Chat {
    Chat { kind: "group".into(), account: None, state: "group".into(), members: 3, ..chat(name) }
}

/// The row of the message of this minute.
fn row(minute: u64) -> u64 {
    key_of(&message(minute, "").id)
}

/// The languages with long words, each in colours of its own.
fn languages(world: impl Fn() -> World) -> [(&'static str, World); 2] {
    [
        ("ru-dark", world().speaking(Language::Ru).colored(Variant::Dark)),
        ("uk-contrast", world().speaking(Language::Uk).colored(Variant::HighContrast)),
    ]
}
