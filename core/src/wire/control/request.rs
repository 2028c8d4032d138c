//! What a profile is asked.

use serde::{Deserialize, Serialize};

use super::{Lock, base64};

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
    /// Sends a file as an attachment. It is copied first: the answer, [`Reply::Message`](super::Reply::Message), comes when the copy and the message are
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
    /// [`Reply::Transfer`](super::Reply::Transfer), does not wait for it: [`Event::Transfer`](super::Event::Transfer) tells how it goes on.
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
        /// a number if there is one of that name. The answer is [`Reply::Saved`](super::Reply::Saved).
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
    /// Says to the account's other devices what this one is called.
    NameDevice {
        /// The name, at most 64 characters; an empty one takes it back, and the machine's own counts again.
        name: String,
    },
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
    /// [`Event::Transcription`](super::Event::Transcription) tells how it goes meanwhile. What was kept before is the answer at once.
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
    /// what was on the screen before waits its usual turn. It puts nothing in the queue. The answer is [`Reply::Waiting`](super::Reply::Waiting).
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
    /// Fetches a model, or goes on with it; [`Event::Model`](super::Event::Model) tells how it goes.
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
