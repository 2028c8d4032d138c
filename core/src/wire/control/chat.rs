//! Chats and their messages, as they are shown.

use serde::{Deserialize, Serialize};

use super::{Said, Spoken, base64};

/// A contact or a group in the list of chats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// The conversation's id: that of a contact is known before there is a conversation.
    pub id: String,
    /// `direct` or `group`.
    pub kind: String,
    /// The contact's account id; of a group none.
    pub account: Option<String>,
    /// How it is called here.
    pub name: String,
    /// `name@relay` as it was looked up: a hint.
    pub handle: Option<String>,
    /// `asked`, `accepted`, `blocked` or `group`.
    pub state: String,
    /// Safety number compared.
    pub verified: bool,
    /// The safety number, 12 groups of 5 digits. It takes milliseconds, and is there once a [`Request::Page`](super::Request::Page) or
    /// [`Request::Members`](super::Request::Members) of this chat was asked for: an [`Event::Chat`](super::Event::Chat) tells it.
    pub safety_number: Option<String>,
    /// Messages that were not read.
    pub unread: u64,
    /// It stands above all others.
    pub pinned: bool,
    /// It makes no sound.
    pub muted: bool,
    /// What was typed and not sent.
    pub draft: Option<String>,
    /// The last message, its text cut to 200 characters and without a preview of what it answers.
    pub last: Option<Message>,
    /// When something last happened in it, in milliseconds since 1970; 0 when nothing ever did.
    pub active_ms: u64,
    /// How a contact is reached, by the best of its devices' ways: `lan`, `direct`, `circuit` or `mailbox`. None for a group, and
    /// while no device of theirs is known.
    pub path: Option<String>,
    /// Names the contact's picture; another picture has another name.
    pub picture: Option<String>,
    /// What the contact says about themselves.
    pub about: Option<String>,
    /// Accounts in it, the own included.
    pub members: u32,
}

/// What was shared in a chat beside words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// Messages with a file or a voice note, the newest first.
    pub messages: Vec<Message>,
    /// Where to go on, if the chat was not looked through to its beginning.
    pub before: Option<String>,
}

/// A part of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// There are older ones.
    pub more_before: bool,
    /// There are newer ones.
    pub more_after: bool,
    /// The first message of the whole history that was not read.
    pub first_unread: Option<String>,
}

/// An account in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The account's id.
    pub account: String,
    /// How it is called here; `me` for oneself.
    pub name: String,
    /// `name@relay` as it was looked up: a hint.
    pub handle: Option<String>,
    /// Safety number compared.
    pub verified: bool,
    /// Oneself.
    pub me: bool,
    /// Its devices in the conversation.
    pub devices: u32,
    /// Names its picture; another picture has another name. Whoever shares a conversation has one, contact or not.
    #[serde(default)]
    pub picture: Option<String>,
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Names it.
    pub id: String,
    /// The conversation's id.
    pub conversation: String,
    /// The author's account id.
    pub author: String,
    /// How the author is called here; `me` for oneself.
    pub author_name: String,
    /// Written by this account.
    pub mine: bool,
    /// When, in milliseconds since 1970: by the author's clock, or when it arrived if that clock is far off.
    pub sent_ms: u64,
    /// `text`, `voice`, `file`, `deleted`, or `unknown` for what a newer Kith wrote.
    pub kind: String,
    /// The text; of a file the words to it.
    pub text: Option<String>,
    /// It was edited.
    pub edited: bool,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// What that message says: its author's name, `: `, and its first 120 characters; of a voice note its length. None if it is not
    /// here.
    pub reply_preview: Option<String>,
    /// Reactions: emoji and how many.
    pub reactions: Vec<(String, u32)>,
    /// A voice note's length.
    pub duration_ms: Option<u32>,
    /// A voice note's waveform: peaks of 0 to 255, evenly spaced.
    pub peaks: Option<Vec<u8>>,
    /// How far this reader has listened to a voice note of another, in milliseconds; 0 from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_ms: Option<u32>,
    /// Whether this reader has heard all of it once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<bool>,
    /// Of one's own voice note: how many of the others have said that they heard it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_by: Option<u32>,
    /// What travels as an attachment: a file, or the sound of a voice note that does not fit in a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// What is said in a voice note: this reader's own transcript, or else the sender's; of a long one its beginning.
    pub transcript: Option<String>,
    /// The same with its times, to be shown under the waveform; in the list of chats never, and in a long page without its segments.
    pub spoken: Option<Spoken>,
    /// Of one's own message: `queued`, `sent`, `delivered` or `read`.
    pub state: Option<String>,
    /// Which way it went or came: `direct` or `mailbox`.
    pub route: Option<String>,
    /// Why one's own message cannot go on at present, where that is known.
    pub problem: Option<Said>,
}

/// An attachment of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it is called: cleaned, so that it can be shown, and be the name of a file on any system. Nothing is known of what is in it.
    pub name: String,
    /// Its media type as its sender says: lower-case letters, digits and signs of one, or empty.
    pub media_type: String,
    /// Its bytes.
    pub size: u64,
    /// Of a picture: its width and height in pixels, as its sender says.
    pub dimensions: Option<(u32, u32)>,
    /// Of a picture: a small one as it was sent: whoever shows it looks whether it is one. In JSON as base64.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64")]
    pub preview: Option<Vec<u8>>,
    /// How it stands with the transfer.
    pub transfer: Transfer,
}

/// How it stands with an attachment on this device. Whether the message itself was delivered is [`Message::state`]'s to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Of what others sent: `none` (not asked for), `waiting` (for a source, or for its turn), `active`, `done`, `failed` (until it
    /// is asked for again), `cancelled`. Of what one sent: `waiting` (until a device comes for it, or the relay can take it),
    /// `active` (on its way to the relay or to a device), `uploaded` (the relay keeps it for those who do not have it yet), `done`
    /// (every device has it), `failed`, `cancelled`.
    pub state: String,
    /// The whole file is on this device: it can be opened and saved.
    pub here: bool,
    /// Bytes that have come, or gone, so far; with padding, so that they may be a little more than the file has.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// Why it failed or waits, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Said>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The newest first.
    pub hits: Vec<Hit>,
    /// Where to go on, as `before`: there may be more.
    pub before: Option<String>,
}

/// A message in which words were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Which.
    pub message: String,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: u64,
    /// How its author is called here; `me` for oneself.
    pub author_name: String,
    /// Of a voice note: where in the sound the first of the words is said, in milliseconds.
    pub at_ms: Option<u64>,
    /// What stands around it, at most 160 characters.
    pub excerpt: String,
}
