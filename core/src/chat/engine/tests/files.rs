//! Files in conversations: what is known of them as long as a message names them.

use super::*;
use crate::chat::attachment::attachments;
use crate::chat::fold::file;
use crate::chat::{ItemBody, timeline, view};
use crate::types::{Hash, Token};
use crate::wire::blob::{Attachment, MAX_FILE};
use crate::wire::message::{File, LongVoiceNote, MAX_PREVIEW};

fn attachment(size: u64) -> Attachment {
    Attachment { id: Hash::new([7; 32]), key: Token::new([8; 32]), size }
}

fn file_of(size: u64) -> Box<File> {
    Box::new(File {
        name: "../report.pdf".into(),
        media_type: "application/pdf".into(),
        attachment: attachment(size),
        dimensions: None,
        preview: None,
        caption: "look".into(),
        reply_to: None,
    })
}

#[test]
fn a_file_is_known_exactly_as_long_as_its_message() {
    let mut world = World::new(71);
    let (alice, bob, conversation) = world.friends();
    let (a, b) = (alice.device(0), bob.device(0));
    let file_message = Command::SendFile { conversation, file: file_of(5) };
    let Reply::Written { id, .. } = world.command(a, file_message).unwrap() else { panic!("not written") };
    let note = LongVoiceNote { attachment: attachment(9), duration_ms: 60_000, peaks: vec![3; 64] };
    world.command(a, Command::SendLongVoiceNote { conversation, note: Box::new(note) }).unwrap();
    world.run();
    for device in [a, b] {
        let store = &world.devices[&device].store;
        let known = attachments(store).unwrap();
        let sizes: Vec<(u64, bool)> = known.iter().map(|(_, _, known)| (known.size, known.voice)).collect();
        assert_eq!(sizes, [(5, false), (9, true)]);
        assert_eq!(known[0].2.name, attachment(5).name());
        assert_eq!(file(store, &conversation, &id).unwrap().unwrap().caption, "look");
        let unread = timeline::unread(store, &conversation).unwrap();
        assert!(device == a || unread >= 2, "files are messages to be read: {unread}");
    }
    world.command(a, Command::Delete { conversation, of: id }).unwrap();
    world.run();
    for device in [a, b] {
        let store = &world.devices[&device].store;
        assert_eq!(attachments(store).unwrap().len(), 1, "the note is still there");
        let view = view::conversation(store, conversation).unwrap().unwrap();
        let me = crate::chat::Me { account: if device == a { alice.id() } else { bob.id() }, device };
        let item = timeline::item_at(store, &conversation, &view.roster, &me, &id).unwrap().unwrap();
        assert_eq!(item.body, ItemBody::Deleted);
    }
}

#[test]
fn a_file_that_breaks_a_bound_is_not_written() {
    let mut world = World::new(72);
    let (alice, _, conversation) = world.friends();
    let wrong = [
        *file_of(MAX_FILE + 1),
        File { name: "n".repeat(256), ..*file_of(1) },
        File { preview: Some(vec![0; MAX_PREVIEW + 1].into()), ..*file_of(1) },
    ];
    for file in wrong {
        let command = Command::SendFile { conversation, file: Box::new(file) };
        assert!(matches!(world.command(alice.device(0), command), Err(CommandError::Malformed(_))));
    }
}
