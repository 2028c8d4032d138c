//! Everything that a profile shows, in a folder of plain files.
//!
//! The folder is made beside its place and moved there when it is whole, so that there is all of it or nothing.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::view::parse_id;
use super::{Client, ClientError};
use crate::chat::fold;
use crate::store::{self, private};
use crate::wire::control::{At, Chat, Message};

/// Messages that are read at once: a few megabytes at most.
const PAGE: u32 = 500;

/// How much of a chat's name is in the name of its file: letters and digits of any script, which every file system takes.
const NAME_CHARACTERS: usize = 40;

/// The folder of sounds.
const VOICE: &str = "voice";

/// The folder of files.
const FILES: &str = "files";

const README: &str = "\
This folder is a copy of a Kith profile, made by its owner.

chats/         A file for each chat. Every line of it is one message, oldest first, as a JSON object.
voice/         Voice notes as Ogg Opus, which every player takes. A message of the kind \"voice\" has the file NAME.ogg
               here, where NAME is its \"id\".
files/         What came with messages of the kind \"file\", as far as it was on this device: a folder for each, named by the
               message's \"id\", with the file in it.
contacts.json  Contacts and groups, with the safety numbers.
profile.json   What you say about yourself.

The names in these objects are those of `kith --json`, and explained in docs/cli.md of Kith: \"text\" is what a message
says, \"author_name\" who wrote it, \"sent_ms\" when, in milliseconds since 1970.

Nothing here is encrypted: whoever can read this folder can read your messages. It cannot be turned into a profile again;
to use your account on another computer, log in there.
";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Exported {
    pub(super) files: u32,
    pub(super) messages: u64,
}

/// A folder in the making. Dropping it before it is moved leaves nothing behind.
struct Folder {
    place: PathBuf,
    to: PathBuf,
    moved: bool,
    written: Exported,
}

impl Client {
    /// Writes all that is here into a new folder.
    pub(super) async fn export(&self, to: PathBuf) -> Result<Exported, ClientError> {
        let client = self.clone();
        // It reads every message and writes as much.
        let work = tokio::task::spawn_blocking(move || client.write_all(&to));
        work.await.map_err(|_| ClientError::Ending)?
    }

    fn write_all(&self, to: &Path) -> Result<Exported, ClientError> {
        let mut folder = Folder::begin(to)?;
        folder.text("README.txt", README)?;
        folder.json("contacts.json", &self.contact_list()?)?;
        folder.json("profile.json", &self.profile(None)?)?;
        for chat in self.chat_list()? {
            self.write_chat(&mut folder, &chat)?;
        }
        folder.finish()
    }

    fn write_chat(&self, folder: &mut Folder, chat: &Chat) -> Result<(), ClientError> {
        let name = format!("chats/{}.jsonl", file_name(chat));
        let mut file = folder.create(&name)?;
        let mut at = self.oldest(&chat.id)?;
        while let Some(from) = at.take() {
            let page = self.page(&chat.id, &from, PAGE)?;
            for message in &page.messages {
                write_line(&mut file, message).map_err(|error| folder.failed(&name, &error))?;
                folder.written.messages = folder.written.messages.saturating_add(1);
                if message.kind == "voice" {
                    self.write_sound(folder, &chat.id, message)?;
                }
                if let Some(file) = message.file.as_ref().filter(|file| file.transfer.here) {
                    self.write_file(folder, &chat.id, message, &file.name)?;
                }
            }
            let last = page.messages.last().filter(|_| page.more_after);
            at = last.map(|message| At::After { message: message.id.clone() });
        }
        let file = file.into_inner().map_err(|error| folder.failed(&name, error.error()))?;
        file.sync_all().map_err(|error| folder.failed(&name, &error))
    }

    /// Where the history of a chat begins.
    fn oldest(&self, chat: &str) -> Result<Option<At>, ClientError> {
        let Some(conversation) = self.conversation(self.chat_named(chat)?)? else { return Ok(None) };
        let first = crate::chat::timeline::first(self.store(), &conversation.id)?;
        Ok(first.map(|id| At::Around { message: super::view::format_id(&id) }))
    }

    fn write_file(&self, folder: &mut Folder, chat: &str, message: &Message, name: &str) -> Result<(), ClientError> {
        let mut reader = self.open_sealed(self.chat_named(chat)?, parse_id(&message.id)?)?;
        let place = match message.kind.as_str() {
            "voice" => format!("{VOICE}/{}.ogg", message.id),
            _ => {
                let dir = format!("{FILES}/{}", message.id);
                store::create_private_dir(&folder.place.join(&dir))
                    .map_err(|error| folder.refused(&error.to_string()))?;
                format!("{dir}/{name}")
            }
        };
        let mut file = folder.create(&place)?;
        let copied = std::io::copy(&mut reader, &mut file).and_then(|_| file.flush());
        let written = copied.and_then(|()| file.get_ref().sync_all());
        written.map_err(|error| folder.failed(&place, &error))
    }

    fn write_sound(&self, folder: &mut Folder, chat: &str, message: &Message) -> Result<(), ClientError> {
        let (conversation, id) = (self.chat_named(chat)?, parse_id(&message.id)?);
        match fold::voice_note(self.store(), &conversation, &id)? {
            Some(note) => folder.write(&format!("{VOICE}/{}.ogg", message.id), &note.ogg),
            None => Ok(()),
        }
    }
}

impl Folder {
    fn begin(to: &Path) -> Result<Self, ClientError> {
        let refused = |reason: &str| ClientError::Export { path: to.display().to_string(), reason: reason.to_owned() };
        let to = std::path::absolute(to).map_err(|error| refused(&error.to_string()))?;
        match fs::read_dir(&to).map(|mut inside| inside.next().is_some()) {
            Ok(false) => {}
            Ok(true) => return Err(refused("it is there and not empty; name a new one")),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                return Err(refused("it is a file; name a new folder"));
            }
            Err(error) => return Err(refused(&error.to_string())),
        }
        let mut name = to.file_name().ok_or_else(|| refused("it is no name of a folder"))?.to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let place = to.with_file_name(name);
        // A place that is there is somebody's: it is not taken, and not taken away.
        fs::create_dir(&place).map_err(|error| refused(&error.to_string()))?;
        let folder = Self { place, to, moved: false, written: Exported::default() };
        for below in ["", "chats", VOICE] {
            let dir = folder.place.join(below);
            store::create_private_dir(&dir).map_err(|error| folder.refused(&error.to_string()))?;
        }
        Ok(folder)
    }

    fn refused(&self, reason: &str) -> ClientError {
        ClientError::Export { path: self.to.display().to_string(), reason: reason.to_owned() }
    }

    fn failed(&self, file: &str, error: &std::io::Error) -> ClientError {
        self.refused(&format!("{file} could not be written: {error}"))
    }

    fn create(&mut self, name: &str) -> Result<BufWriter<File>, ClientError> {
        let file = private(File::options().write(true).create_new(true))
            .open(self.place.join(name))
            .map_err(|error| self.failed(name, &error))?;
        self.written.files = self.written.files.saturating_add(1);
        Ok(BufWriter::new(file))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ClientError> {
        let mut file = self.create(name)?;
        let written = file.write_all(bytes).and_then(|()| file.flush()).and_then(|()| file.get_ref().sync_all());
        written.map_err(|error| self.failed(name, &error))
    }

    fn text(&mut self, name: &str, text: &str) -> Result<(), ClientError> {
        self.write(name, text.as_bytes())
    }

    fn json(&mut self, name: &str, value: &impl serde::Serialize) -> Result<(), ClientError> {
        let json = serde_json::to_vec_pretty(value).map_err(|error| self.refused(&error.to_string()))?;
        self.write(name, &json)
    }

    fn finish(mut self) -> Result<Exported, ClientError> {
        // An empty one that was there gives way.
        match fs::remove_dir(&self.to) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(self.refused(&error.to_string())),
            _ => {}
        }
        store::rename_durably(&self.place, &self.to).map_err(|error| self.refused(&error.to_string()))?;
        self.moved = true;
        Ok(self.written)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.moved
            && let Err(error) = fs::remove_dir_all(&self.place)
        {
            tracing::warn!(%error, "What was exported before it failed could not be removed.");
        }
    }
}

fn write_line(file: &mut BufWriter<File>, message: &Message) -> std::io::Result<()> {
    serde_json::to_writer(&mut *file, message)?;
    file.write_all(b"\n")
}

/// A chat's name as far as every file system takes it, and the beginning of its id: names may be the same.
fn file_name(chat: &Chat) -> String {
    let sign = |sign: char| if sign.is_alphanumeric() { sign } else { '-' };
    let name: String = chat.name.chars().take(NAME_CHARACTERS).map(sign).collect();
    let id: String = chat.id.chars().take(12).collect();
    format!("{}-{id}", name.trim_matches('-'))
}
