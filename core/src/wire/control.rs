//! What is asked of a running profile, by a command line or a bot, over its local control socket.
//!
//! One JSON object a line each way. The same requests are carried out in process by a command line that opened the profile
//! itself, and its `--json` prints the same objects: the names here are stable.
//! A line is at most [`MAX_LINE`] bytes. The first line a server sends is a [`Greeting`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod lock;
mod said;

pub use lock::Lock;
pub(crate) use said::words;
pub use said::{Code, Said};

/// The longest line in either direction: a file or a voice note never travels here, a page of a thousand long messages with small
/// pictures does.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

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
#[expect(
    clippy::large_enum_variant,
    reason = "each lives for a moment, and a box would be in the way of whoever matches"
)]
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
/// a group, or an id: of the account, or of the conversation, that of a contact who has not accepted yet too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Who is signed in.
    Whoami,
    /// How this device and every contact is reached, and why not better.
    Status,
    /// Contacts, and groups.
    Contacts,
    /// The list of chats: contacts and groups, those that are pinned first, then whatever was active last.
    Chats,
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
    /// Sends a sound file as a voice note: WAV, or Opus in Ogg as it was recorded; at most an hour. One that does not fit in a
    /// message travels as an attachment, without a word.
    SendVoice {
        /// To whom.
        to: String,
        /// An absolute path that the running profile can read.
        file: std::path::PathBuf,
    },
    /// Sends a file as an attachment. It is copied first: the answer, [`Reply::Message`], comes when the copy and the message are
    /// durable, and the file may change or go after that.
    SendFile {
        /// To whom.
        to: String,
        /// An absolute path that the running profile can read; at most 2 GiB.
        path: std::path::PathBuf,
        /// What it is called there; none for its own name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its media type, such as `image/png`; none for what its name says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
        /// Words to it; at most 16 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// Of a picture: its width and height in pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dimensions: Option<(u32, u32)>,
        /// Of a picture: a small one, PNG or JPEG of at most 16 KiB; in JSON as base64.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "base64")]
        preview: Option<Vec<u8>>,
        /// The message that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
    /// Fetches a message's attachment; or tries at once what waits to be tried again, one's own upload too. The answer,
    /// [`Reply::Transfer`], does not wait for it: [`Event::Transfer`] tells how it goes on.
    Fetch {
        /// Where.
        with: String,
        /// Of which message.
        message: String,
    },
    /// Writes an attachment that is here, whole, to a file. Nothing is overwritten.
    SaveFile {
        /// Where.
        with: String,
        /// Of which message.
        message: String,
        /// An absolute path that the running profile can write: of a new file, or of a folder, in which it gets its own name, with
        /// a number if there is one of that name. The answer is [`Reply::Saved`].
        path: std::path::PathBuf,
    },
    /// Gives up a transfer: what was fetched so far goes, what was sent is not offered any more. [`Request::Fetch`] begins anew.
    CancelTransfer {
        /// Where.
        with: String,
        /// Of which message.
        message: String,
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
    /// A part of a history, with what a window needs to go on from it.
    Page {
        /// With whom.
        with: String,
        /// Where.
        at: At,
        /// At most so many, and never over 1000.
        limit: u32,
    },
    /// Keeps what was typed and not sent, for this device and the account's others.
    SaveDraft {
        /// Where.
        with: String,
        /// The text; an empty one discards it.
        text: String,
    },
    /// Tells those who are there that one types, or stopped.
    Typing {
        /// Where.
        with: String,
        /// Began or ended.
        on: bool,
    },
    /// How a chat stands in the list, on all of the account's devices. What is not named stays.
    Arrange {
        /// Which.
        with: String,
        /// Above all others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<bool>,
        /// Without a sound.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted: Option<bool>,
    },
    /// Who is in a conversation.
    Members {
        /// Which.
        with: String,
    },
    /// The account's devices.
    Devices,
    /// Goes on with a newer record of the account, in which a device is missing or new; the root key has signed it.
    TakeRecord {
        /// The record, encoded; in JSON as base64.
        #[serde(with = "base64::whole")]
        record: Vec<u8>,
    },
    /// What was chosen for this profile.
    Options,
    /// Chooses anew; what is not named stays. What was read and that one types counts at once, the rest from the next start.
    SetOptions {
        /// Tell others what was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read_receipts: Option<bool>,
        /// Find contacts on the local network, which shows this device's peer id there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mdns: Option<bool>,
        /// No direct paths: contacts do not see this device's address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        always_relay: Option<bool>,
        /// Tell others that one types.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typing: Option<bool>,
        /// Tell others which of their voice notes were heard; without read receipts it is not told either.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        played_receipts: Option<bool>,
        /// Files of others up to so many bytes are fetched without being asked for; 0 for none. Voice notes always are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        auto_fetch_bytes: Option<u64>,
    },
    /// Says something about oneself to everybody one writes with; what is not named stays.
    SetProfile {
        /// What one calls oneself, at most 64 characters; an empty name takes it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Words about oneself, at most 280 characters; empty ones take them back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
        /// A picture, square, PNG or JPEG of at most 48 KiB; in JSON as base64.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "base64")]
        picture: Option<Vec<u8>>,
        /// The picture goes.
        #[serde(default)]
        remove_picture: bool,
    },
    /// What an account says about itself.
    Profile {
        /// Whose; one's own if nobody is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
    },
    /// From now on something else opens the profile on this device: a new passphrase, or another key that a keychain holds already. The
    /// account's password stays. When the answer does not come, either may open it.
    ChangeLock {
        /// What opens it now.
        from: Lock,
        /// What is to open it.
        to: Lock,
    },
    /// Writes all that is here into a new folder of plain files, which anybody can read who can read the folder.
    Export {
        /// An absolute path that the running profile can write; nothing, or an empty folder, is there.
        to: std::path::PathBuf,
    },
    /// Somebody started the app again: whoever shows this profile comes to the front.
    Raise {
        /// A `kith://` link that was opened, at most 4096 bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
    },
    /// Everything up to this message was read.
    MarkRead {
        /// Where.
        with: String,
        /// The last one read.
        upto: String,
    },
    /// Turns a voice note into text on this device, and keeps the text. The answer comes when that is done;
    /// [`Event::Transcription`] tells how it goes meanwhile. What was kept before is the answer at once.
    Transcribe {
        /// With whom.
        with: String,
        /// Which note; the newest if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Before what else. Asking again for what waits makes it so urgent.
        #[serde(default)]
        priority: Urgency,
        /// The language that is spoken, as in ISO 639-1, or `auto`; what was chosen for the chat if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// In English, whatever is spoken; what was chosen for the chat if nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        translate: Option<bool>,
        /// Listen anew, whatever was kept before.
        #[serde(default)]
        again: bool,
    },
    /// Says which voice notes of a chat are on the screen now: those of them that wait to become text come before all others, and
    /// what was on the screen before waits its usual turn. It puts nothing in the queue. The answer is [`Reply::Waiting`].
    LookAt {
        /// Which chat.
        with: String,
        /// Which notes; those that do not wait may be among them.
        messages: Vec<String>,
    },
    /// Calls a transcription off, whether it waits or runs; of one that is done nothing changes.
    CancelTranscription {
        /// With whom.
        with: String,
        /// Of which note.
        message: String,
    },
    /// The whole transcript of a voice note, this reader's own or its sender's.
    Transcript {
        /// With whom.
        with: String,
        /// Of which note.
        message: String,
    },
    /// Mends the words of this reader's own transcript; where words stay, their times do. Of one's own note whose transcript was
    /// attached the others get it too.
    EditTranscript {
        /// With whom.
        with: String,
        /// Of which note.
        message: String,
        /// The new words, with a line break after each segment or in one line; empty ones discard the transcript.
        text: String,
    },
    /// Gives the others this reader's own transcript of one's own voice note, or takes it back.
    AttachTranscript {
        /// With whom.
        with: String,
        /// Of which note.
        message: String,
        /// Give it, or take it back.
        on: bool,
    },
    /// How voice notes of a chat are listened to on this device.
    Listening {
        /// Which chat.
        with: String,
    },
    /// Chooses that anew; what is not named stays.
    SetListening {
        /// Which chat.
        with: String,
        /// The language that is spoken, as in ISO 639-1, or `auto`; empty: both as for all chats.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// In English, whatever is spoken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        translate: Option<bool>,
    },
    /// What was chosen for speech on this device.
    SpeechOptions,
    /// Chooses anew; what is not named stays. It counts from the next voice note on.
    SetSpeechOptions {
        /// Turn voice notes into text when they come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        automatic: Option<bool>,
        /// But only while there is power from the mains.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mains_only: Option<bool>,
        /// And only those that last at most so many seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to_s: Option<u32>,
        /// Give others the transcripts of one's own voice notes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attach: Option<bool>,
        /// The language that is spoken in chats for which none was chosen: as in ISO 639-1, or `auto`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// In English, whatever is spoken, in those chats.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        translate: Option<bool>,
        /// The model to listen with; an empty name lets Kith choose the best that is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// Addresses of folders, by HTTP, that are asked for models before the official host; at most 16.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mirrors: Option<Vec<String>>,
    },
    /// The speech models that Kith knows, and how each stands.
    Models,
    /// Fetches a model, or goes on with it; [`Event::Model`] tells how it goes.
    DownloadModel {
        /// Its name.
        name: String,
    },
    /// Stops fetching it; what came is kept.
    PauseModel {
        /// Its name.
        name: String,
    },
    /// Removes it, whole or not.
    DeleteModel {
        /// Its name.
        name: String,
    },
    /// Takes a model from a file, as a copy.
    ImportModel {
        /// An absolute path that the running profile can read.
        file: std::path::PathBuf,
    },
    /// Measures how fast it is on this machine.
    BenchModel {
        /// Its name.
        name: String,
    },
    /// Messages with these words: texts, and voice notes with a transcript. The newest first.
    Find {
        /// Where.
        with: String,
        /// Words, all of which have to be there, at most 256 characters; the last may be a beginning.
        words: String,
        /// Only those before this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// At most so many, and never over 200.
        limit: u32,
    },
    /// The files and voice notes of a chat, the newest first.
    Shared {
        /// Where.
        with: String,
        /// Only those before this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// At most so many, and never over 200.
        limit: u32,
    },
    /// From now on events come as lines of their own.
    Listen,
    /// The link that others add this account by.
    Invite,
    /// Ends the running profile.
    Shutdown,
}

/// Before what else something is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Nobody asked for it.
    Background,
    /// Somebody asked for it.
    #[default]
    Asked,
    /// Somebody looks at it.
    OnScreen,
}

/// Where a page lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The end of the history.
    Newest,
    /// Around the first message that was not read; the end if all were.
    Unread,
    /// Right before a message.
    Before {
        /// Which.
        message: String,
    },
    /// Right after a message.
    After {
        /// Which.
        message: String,
    },
    /// A message, and about as much on either side.
    Around {
        /// Which.
        message: String,
    },
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "each lives for a moment, and a box would be in the way of whoever matches"
)]
pub enum Reply {
    /// Done.
    Done,
    /// To [`Request::Whoami`].
    Me(Me),
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::Contacts`].
    Contacts(Vec<Contact>),
    /// To [`Request::Chats`].
    Chats(Vec<Chat>),
    /// To [`Request::Page`].
    Page(Page),
    /// To [`Request::Members`].
    Members(Vec<Member>),
    /// To [`Request::Devices`].
    Devices(Vec<DeviceInfo>),
    /// To [`Request::Options`] and [`Request::SetOptions`].
    Options(LiveOptions),
    /// To [`Request::Profile`].
    Profile(Profile),
    /// To [`Request::Export`].
    Exported {
        /// Files that were written.
        files: u32,
        /// Messages in them.
        messages: u64,
    },
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
    /// To [`Request::Transcribe`], [`Request::Transcript`] and [`Request::EditTranscript`].
    Transcript(Transcript),
    /// To [`Request::LookAt`].
    Waiting {
        /// The chat's voice notes that become text, or wait for that.
        messages: Vec<String>,
    },
    /// To [`Request::Fetch`] and [`Request::CancelTransfer`]: how it stands now.
    Transfer(Transfer),
    /// To [`Request::SaveFile`].
    Saved {
        /// Where it is.
        path: std::path::PathBuf,
        /// Bytes that were written.
        bytes: u64,
    },
    /// To [`Request::Listening`] and [`Request::SetListening`].
    Listening(Listening),
    /// To [`Request::SpeechOptions`] and [`Request::SetSpeechOptions`].
    SpeechOptions(SpeechOptions),
    /// To [`Request::Models`].
    Models(Vec<SpeechModel>),
    /// To [`Request::ImportModel`] and [`Request::BenchModel`].
    Model(SpeechModel),
    /// To [`Request::Find`].
    Found(Found),
    /// To [`Request::Shared`].
    Shared(Shared),
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

impl Me {
    /// Where the account is, to log in there: the addresses of its relay with commas between, and its name there. None without a
    /// relay.
    pub fn place(&self) -> Option<(String, String)> {
        let (handle, _) = self.handle.as_deref()?.split_once('@')?;
        (!self.relays.is_empty()).then(|| (self.relays.join(","), handle.to_owned()))
    }
}

/// How things are reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the own relay is connected; none if the account has none.
    pub relay_connected: Option<bool>,
    /// Why not.
    pub relay_problem: Option<Box<Said>>,
    /// Where this device can be found.
    pub addresses: Vec<String>,
    /// Messages not yet delivered to somebody.
    pub undelivered: u64,
    /// The contacts.
    pub contacts: Vec<Reach>,
    /// What was noticed and should be looked at: a lying home, an older record, a forked feed.
    pub warnings: Vec<Said>,
    /// How often something came that was no good and was not taken, by reason, since the profile was opened.
    #[serde(default)]
    pub refused: BTreeMap<String, u64>,
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
    pub why: Said,
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
    /// The safety number, 12 groups of 5 digits. It takes milliseconds, and is there once a [`Request::Page`] or
    /// [`Request::Members`] of this chat was asked for: an [`Event::Chat`] tells it.
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

/// A device of the own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Its id.
    pub device: String,
    /// It is this one.
    pub this: bool,
    /// It is connected to this one.
    pub connected: bool,
    /// How: `lan`, `direct`, `circuit`, or `mailbox` when it is not connected; none for this one.
    pub path: Option<String>,
    /// When it was made, in milliseconds since 1970 by its clock.
    pub created_ms: u64,
}

/// What was chosen for a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOptions {
    /// Tell others what was read.
    pub read_receipts: bool,
    /// Find contacts on the local network.
    pub mdns: bool,
    /// No direct paths.
    pub always_relay: bool,
    /// Tell others that one types.
    pub typing: bool,
    /// Tell others which of their voice notes were heard.
    #[serde(default)]
    pub played_receipts: bool,
    /// Files of others up to so many bytes are fetched without being asked for; 0 for none.
    pub auto_fetch_bytes: u64,
    /// The profile runs otherwise than chosen, and will as chosen from its next start: if that is not told to be more discreet.
    pub restart: bool,
}

/// What an account says about itself, as it is shown: cut to its bounds, without characters that are not seen or turn text round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The account's id.
    pub account: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// Its words about itself.
    pub about: Option<String>,
    /// Its picture, PNG or JPEG as it was sent: whoever shows it looks whether it is one. In JSON as base64.
    #[serde(with = "base64")]
    pub picture: Option<Vec<u8>>,
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
    /// They are in a conversation with a device that was removed from this account, and that alone knew them. Accepted, the others come
    /// into it. That device may have been a thief's when they met it.
    #[serde(default)]
    pub remembered: bool,
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

/// What is said in a voice note, as it is shown with the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// `mine`: this account's own; `sender`: its sender's, who may have mended it.
    pub source: String,
    /// In order.
    pub segments: Vec<SpokenSegment>,
    /// The language that was spoken, as in ISO 639-1; empty if nobody knows.
    pub language: String,
    /// The words are English, whatever was spoken.
    pub translated: bool,
    /// The model that wrote it.
    pub model: String,
    /// It was mended by hand.
    pub edited: bool,
    /// This is its beginning only, since it is long: [`Request::Transcript`] has all of it.
    pub cut: bool,
}

/// Some words in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenSegment {
    /// Where it begins, in milliseconds from the start of the sound.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The words; none where somebody speaks and nobody knows what.
    pub text: String,
    /// Somebody speaks, and nobody knows what: to be said, in the reader's language.
    pub inaudible: bool,
    /// The words one by one; none where their times are not known.
    pub words: Vec<SpokenWord>,
}

/// A word, with the signs that stand on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpokenWord {
    /// Where it begins, in milliseconds from the start of the sound.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// The word.
    pub text: String,
}

/// A voice note, or a sound file, as text.
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
    /// The words are English, whatever was spoken.
    #[serde(default)]
    pub translated: bool,
    /// `mine` or `sender`, as of [`Spoken::source`].
    #[serde(default = "mine")]
    pub source: String,
    /// It was mended by hand.
    #[serde(default)]
    pub edited: bool,
}

/// Whose transcripts were before there were others'.
fn mine() -> String {
    "mine".to_owned()
}

/// A part of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Where it begins.
    pub start_ms: u64,
    /// Where it ends.
    pub end_ms: u64,
    /// What is said; nothing where somebody speaks and the model is not sure what.
    pub text: String,
    /// 0 to 1: how sure the model is.
    pub confidence: f32,
    /// Somebody speaks, and nobody knows what.
    #[serde(default)]
    pub inaudible: bool,
    /// The words one by one; none where their times are not known.
    #[serde(default)]
    pub words: Vec<SpokenWord>,
}

/// How voice notes of a chat are listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The language that is spoken, as in ISO 639-1, or `auto`.
    pub language: String,
    /// In English, whatever is spoken.
    pub translate: bool,
    /// Something of it was chosen for this chat; the rest is as for all chats.
    #[serde(default)]
    pub own: bool,
}

/// What was chosen for speech on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechOptions {
    /// Turn voice notes into text when they come.
    pub automatic: bool,
    /// But only while there is power from the mains; where nobody knows that, at any time.
    pub mains_only: bool,
    /// And only those that last at most so many seconds.
    pub up_to_s: u32,
    /// Give others the transcripts of one's own voice notes.
    pub attach: bool,
    /// The language that is spoken in chats for which none was chosen: as in ISO 639-1, or `auto`.
    pub language: String,
    /// In English, whatever is spoken, in those chats.
    pub translate: bool,
    /// The model that was chosen; empty: the best that is there.
    pub model: String,
    /// The model that counts at present.
    pub listens: String,
    /// Addresses of folders that are asked for models before the official host.
    pub mirrors: Vec<String>,
    /// There is power from the mains, or no battery; none where the system does not say.
    pub on_mains: Option<bool>,
}

/// A speech model that Kith knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpeechModel {
    /// Its name.
    pub name: String,
    /// `speech`: it writes down what is said; `detector`: it finds where somebody speaks.
    pub kind: String,
    /// A sentence, in English, for the person who chooses.
    pub about: String,
    /// The languages it knows, as in ISO 639-1; empty for all that Whisper knows, about a hundred.
    pub languages: Vec<String>,
    /// It can write English for what is said in another language.
    pub translates: bool,
    /// The size of its file.
    pub size_bytes: u64,
    /// About how much memory it takes while it listens.
    pub memory_bytes: u64,
    /// `built_in`, `here`, `missing`, `paused` (a part of it is here) or `downloading`.
    pub state: String,
    /// Bytes of it that are here.
    pub have_bytes: u64,
    /// How fast it listens on this machine, if that was measured: 100 is as fast as somebody speaks.
    pub speed_percent: Option<u32>,
    /// Why the last download came to nothing.
    pub problem: Option<Box<Said>>,
}

/// How a transcription goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Progress {
    /// It waits for its turn.
    Waiting,
    /// It runs.
    Running {
        /// How much is done.
        percent: u8,
    },
    /// It is done; the message was told as changed.
    Done,
    /// It was called off.
    Cancelled,
    /// It came to nothing.
    Failed {
        /// A stable word for programs.
        code: String,
        /// A sentence for the person.
        message: String,
    },
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

/// Bytes in JSON.
mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| BASE64.encode(bytes)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| BASE64.decode(text.as_bytes()).map_err(D::Error::custom)).transpose()
    }

    /// Of bytes that are never left out.
    pub(super) mod whole {
        use super::*;

        pub(in super::super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
            BASE64.encode(bytes).serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
            BASE64.decode(String::deserialize(deserializer)?.as_bytes()).map_err(D::Error::custom)
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "each lives for a moment, and a box would be in the way of whoever matches"
)]
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
    /// A transfer began, went on, or ended; at most four times a second for each.
    Transfer {
        /// The conversation's id.
        conversation: String,
        /// Of which message.
        message: String,
        /// How it stands.
        transfer: Transfer,
    },
    /// A chat appeared in the list, or is another than before: a message, what was read, a name, a draft of another device, how
    /// it is reached. Several changes that come together are told once.
    Chat {
        /// As it stands in the list now.
        chat: Chat,
    },
    /// A chat is in the list no more.
    ChatGone {
        /// Its id.
        chat: String,
    },
    /// Somebody asks for contact.
    Request {
        /// Who and what.
        contact_request: ContactRequest,
    },
    /// A contact was added or changed, or an account says something else about itself; the own one too.
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
        /// `lan`, `direct`, `circuit`, or `mailbox` when no device of the account is connected; of the relay `direct` or `none`.
        path: String,
        /// Why.
        why: Option<Said>,
    },
    /// A speech model was fetched, deleted or measured, or is being fetched.
    Model {
        /// How it stands now.
        model: SpeechModel,
    },
    /// How the transcription of a voice note goes.
    Transcription {
        /// The conversation's id.
        conversation: String,
        /// Of which note.
        message: String,
        /// How it goes.
        #[serde(flatten)]
        progress: Progress,
    },
    /// The app was started again: whoever shows this profile comes to the front.
    Raise {
        /// A link to open.
        link: Option<String>,
    },
    /// Something to be looked at: a lying home, an older record, a forked feed.
    Warning {
        /// What.
        #[serde(flatten)]
        said: Said,
    },
    /// So many events were lost by this listener: look at the history.
    Lagged {
        /// How many.
        missed: u64,
    },
}
