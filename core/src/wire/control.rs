//! What is asked of a running profile, by a command line or a bot, over its local control socket.
//!
//! One JSON object a line each way. The same requests are carried out in process by a command line that opened the profile
//! itself, and its `--json` prints the same objects: the names here are stable.
//! A line is at most [`MAX_LINE`] bytes. The first line a server sends is a [`Greeting`].

use serde::{Deserialize, Serialize};

/// The longest line in either direction: a voice note of 64 KiB never travels here, a page of long messages does.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// The version of this protocol; another major number is refused with a sentence.
pub const VERSION: u32 = 1;

/// What a server says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// Always `kith`.
    pub server: String,
    /// [`VERSION`].
    pub version: u32,
}

/// A request with a number of the caller's, which every answer to it carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The caller's number.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
}

/// A line from the server after its greeting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The answer to a call; exactly one each.
    Answer {
        /// The caller's number.
        id: u64,
        /// What came of it.
        reply: Reply,
    },
    /// The call failed, with a sentence.
    Failed {
        /// The caller's number.
        id: u64,
        /// A stable word for programs.
        code: String,
        /// A sentence for the person.
        message: String,
    },
    /// Something happened; only after [`Request::Listen`].
    Event(Event),
}

/// What is asked. `with` and `to` name a contact or a group: a handle, its local part if only one contact has it, a name given to
/// a group, or an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Who is signed in.
    Whoami,
    /// How this device and every contact is reached, and why not better.
    Status,
    /// Contacts, and groups.
    Contacts,
    /// Contact requests that wait.
    Requests,
    /// Asks somebody for contact.
    Add {
        /// `name@relay`, `name` at one's own relay, or a `kith://` link.
        who: String,
        /// What to say; at most 1 kB.
        text: String,
    },
    /// Accepts a waiting request.
    Accept {
        /// Whose.
        who: String,
    },
    /// Drops a waiting request.
    Decline {
        /// Whose.
        who: String,
    },
    /// Blocks.
    Block {
        /// Whom.
        who: String,
    },
    /// Takes a block back.
    Unblock {
        /// Whom.
        who: String,
    },
    /// Marks the safety number as compared.
    Verify {
        /// Whose.
        who: String,
    },
    /// Creates a group.
    CreateGroup {
        /// Its name.
        name: String,
        /// Contacts to add.
        members: Vec<String>,
    },
    /// Sends a text.
    Send {
        /// To whom.
        to: String,
        /// The text.
        text: String,
        /// The message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
    /// Sends a sound file as a voice note.
    SendVoice {
        /// To whom.
        to: String,
        /// An absolute path that the running profile can read.
        file: std::path::PathBuf,
    },
    /// Replaces the text of one's own message.
    Edit {
        /// Where.
        with: String,
        /// Which.
        message: String,
        /// The new text.
        text: String,
    },
    /// Erases one's own message everywhere.
    Delete {
        /// Where.
        with: String,
        /// Which.
        message: String,
    },
    /// Sets a reaction; an empty one takes it back.
    React {
        /// Where.
        with: String,
        /// To which message.
        message: String,
        /// An emoji.
        emoji: String,
    },
    /// Messages, oldest first.
    History {
        /// With whom.
        with: String,
        /// Only those before this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// At most so many, and never over 1000.
        limit: u32,
    },
    /// Everything up to this message was read.
    MarkRead {
        /// Where.
        with: String,
        /// The last one read.
        upto: String,
    },
    /// Turns a voice note into text on this device, and keeps the text.
    Transcribe {
        /// With whom.
        with: String,
        /// Which note; the newest if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// From now on events come as lines of their own.
    Listen,
    /// The link that others add this account by.
    Invite,
    /// Ends the running profile.
    Shutdown,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done.
    Done,
    /// To [`Request::Whoami`].
    Me(Me),
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::Contacts`].
    Contacts(Vec<Contact>),
    /// To [`Request::Requests`].
    Requests(Vec<ContactRequest>),
    /// A message was written: queued, durable here.
    Message(Message),
    /// To [`Request::History`].
    Messages(Vec<Message>),
    /// A group was created.
    Conversation {
        /// Its id.
        conversation: String,
    },
    /// To [`Request::Transcribe`].
    Transcript(Transcript),
    /// To [`Request::Invite`].
    Link {
        /// The link.
        link: String,
    },
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The account's id.
    pub account: String,
    /// This device's id.
    pub device: String,
    /// `name@relay`.
    pub handle: Option<String>,
    /// The relay's addresses.
    pub relays: Vec<String>,
    /// Devices of the account.
    pub devices: u32,
}

/// How things are reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the own relay is connected; none if the account has none.
    pub relay_connected: Option<bool>,
    /// Why not.
    pub relay_problem: Option<String>,
    /// Where this device can be found.
    pub addresses: Vec<String>,
    /// Messages not yet delivered to somebody.
    pub undelivered: u64,
    /// The contacts.
    pub contacts: Vec<Reach>,
    /// What was noticed and should be looked at: a lying home, an older record, a forked feed.
    pub warnings: Vec<String>,
}

/// How a contact is reached: by the best of its devices' ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reach {
    /// The account's id.
    pub account: String,
    /// Its name here.
    pub name: String,
    /// `lan`, `direct`, `circuit` or `mailbox`.
    pub path: String,
    /// Why not better.
    pub why: String,
    /// Round trip in milliseconds, if it was measured.
    pub round_trip_ms: Option<f64>,
}

/// A contact or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The account's id; of a group none.
    pub account: Option<String>,
    /// The conversation's id, once there is one.
    pub conversation: Option<String>,
    /// How it is called here: a handle, a group's name, or the beginning of the id.
    pub name: String,
    /// `name@relay` as it was looked up: a hint.
    pub handle: Option<String>,
    /// `asked`, `accepted`, `blocked` or `group`.
    pub state: String,
    /// Safety number compared.
    pub verified: bool,
    /// The safety number, 12 groups of 5 digits.
    pub safety_number: Option<String>,
    /// Messages that were not read.
    pub unread: u64,
}

/// A contact request that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRequest {
    /// The account's id.
    pub account: String,
    /// The handle they say they have: a hint, *unverified*.
    pub handle: Option<String>,
    /// What they write.
    pub text: String,
    /// When, in milliseconds since 1970, by their clock.
    pub sent_ms: u64,
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
    /// `text`, `voice`, `deleted`, or `unknown` for what a newer Kith wrote.
    pub kind: String,
    /// The text.
    pub text: Option<String>,
    /// It was edited.
    pub edited: bool,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// Reactions: emoji and how many.
    pub reactions: Vec<(String, u32)>,
    /// A voice note's length.
    pub duration_ms: Option<u32>,
    /// This reader's own transcript of a voice note.
    pub transcript: Option<String>,
    /// Of one's own message: `queued`, `sent`, `delivered` or `read`.
    pub state: Option<String>,
    /// Which way it went or came: `direct` or `mailbox`.
    pub route: Option<String>,
}

/// A voice note as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The note.
    pub message: Option<String>,
    /// The whole text; empty when no speech was found.
    pub text: String,
    /// Its parts.
    pub segments: Vec<Segment>,
    /// The model's name.
    pub model: String,
    /// The language.
    pub language: String,
}

/// A part of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Where it begins.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// What is said.
    pub text: String,
    /// 0 to 1: how sure the model is.
    pub confidence: f32,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A message came, or one's own was written on another device.
    Message {
        /// As it is shown.
        message: Message,
    },
    /// A message changed: edited, deleted, reacted to, or at another state of delivery.
    Changed {
        /// As it is shown now.
        message: Message,
    },
    /// Somebody asks for contact.
    Request {
        /// Who and what.
        contact_request: ContactRequest,
    },
    /// A contact was added or changed.
    Contact {
        /// The account's id.
        account: String,
    },
    /// Somebody types, or stopped.
    Typing {
        /// The conversation's id.
        conversation: String,
        /// The account's id.
        account: String,
        /// Began or ended.
        on: bool,
    },
    /// The relay or a contact's device came or went.
    Connection {
        /// `relay`, or the account's id.
        who: String,
        /// `lan`, `direct`, `circuit`, or `none`.
        path: String,
        /// Why.
        why: Option<String>,
    },
    /// Something to be looked at: a lying home, an older record, a forked feed.
    Warning {
        /// A sentence.
        message: String,
    },
    /// So many events were lost by this listener: look at the history.
    Lagged {
        /// How many.
        missed: u64,
    },
}
