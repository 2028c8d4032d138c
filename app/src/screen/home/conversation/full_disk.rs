//! A disk that is full while somebody types: a sentence says so, the window goes on, and what was typed is kept once there is room.

#[path = "../../../../../core/tests/it/small_disk.rs"]
mod small_disk;

use iced::widget::text_editor::{self, Edit};
use kith_core::client::Options;
use zeroize::Zeroizing;

use self::small_disk::{Filler, or_run_again};
use super::*;
use crate::backend::{self, Keeping, Setup};
use crate::screen::home::player::Player;
use crate::snapshots::{Errands, World};
use crate::ui::avatar::Pictures;
use crate::widget::stage::Stage;

/// Somebody who types, with a profile on the disk.
struct Desk {
    world: World,
    backend: Backend,
    talk: Conversation,
    errands: Errands<Message>,
}

impl Desk {
    async fn on(disk: &std::path::Path) -> Self {
        let listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".into()];
        let options = Options { listen, mdns: false, ..Options::default() };
        let setup = Setup { profile: disk.join("profile"), options, passphrase_file: None, relay: None };
        let secret = Zeroizing::new("correct horse battery".to_owned());
        let made = backend::register_local(setup, Keeping::Passphrase(secret.clone()), secret).await.unwrap();
        let backend = made.backend.unwrap();
        backend.clone().create_group("Notes".into(), Vec::new()).await.unwrap();
        let chat = backend.clone().overview().await.unwrap().chats.remove(0);
        let (talk, opens) = Conversation::new(chat, backend.clone());
        let errands = Errands::new();
        errands.run(opens);
        Self { world: World::new(560.0, 300.0), backend, talk, errands }
    }

    fn hears(&mut self, message: Message) {
        if let Action::Run(task) = self.talk.update(message, true, self.world.context()) {
            self.errands.run(task);
        }
    }

    fn types(&mut self, text: &str) {
        let paste = Edit::Paste(std::sync::Arc::new(text.to_owned()));
        self.hears(Message::Compose(composer::Action::Editor(text_editor::Action::Edit(paste))));
    }

    /// What comes is taken in up to the word of a draft.
    async fn until_draft(&mut self) {
        loop {
            let message = self.errands.next().await.expect("word of the draft");
            let is_it = matches!(message, Message::DraftKept(_));
            self.hears(message);
            if is_it {
                return;
            }
        }
    }

    async fn draft(&self) -> Option<String> {
        self.backend.clone().overview().await.unwrap().chats.remove(0).draft
    }
}

#[test]
fn what_is_typed_while_the_disk_is_full_is_kept_once_there_is_room() {
    let name = "screen::home::conversation::full_disk::what_is_typed_while_the_disk_is_full_is_kept_once_there_is_room";
    let Some(disk) = or_run_again(name, 48) else { return };
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        let mut desk = Desk::on(&disk).await;
        let filler = Filler::fill(&disk);
        // Some room may be left within the files that are there.
        let mut words = 0;
        while !desk.talk.draft_failed {
            assert!(words < 2_000, "the disk is never full");
            desk.types(&format!("{words} "));
            words += 1;
            desk.hears(Message::DraftDue(desk.talk.draft_serial));
            desk.until_draft().await;
        }
        let said = desk.talk.notice.clone().expect("a sentence");
        assert!(said.contains("disk is full"), "{said}");
        // The window goes on.
        desk.types("and more");
        assert!(desk.talk.composer.text().ends_with("and more"));
        let (player, pictures) = (Player::new(desk.backend.clone()), Pictures::default());
        let mut stage = Stage::new(560.0, 300.0);
        let _ = stage.draw(desk.talk.view(&player, &pictures, false, desk.world.context()));
        drop(filler);
        while desk.talk.draft_failed {
            desk.until_draft().await;
        }
        let typed = desk.talk.composer.text().to_owned();
        while desk.draft().await.as_deref() != Some(&typed) {
            desk.until_draft().await;
        }
        desk.backend.close().await;
    });
}
