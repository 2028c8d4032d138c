//! What is asked of a running profile, by a command line or a bot, over its local control socket.
//!
//! One JSON object a line each way. The same requests are carried out in process by a command line that opened the profile
//! itself, and its `--json` prints the same objects: the names here are stable.
//! A line is at most [`MAX_LINE`] bytes. The first line a server sends is a [`Greeting`].

use serde::{Deserialize, Serialize};

mod account;
mod base64;
mod chat;
mod event;
mod lock;
mod request;
mod said;
mod speech;

pub use account::{Contact, ContactRequest, DeviceInfo, LiveOptions, Me, Profile, Reach, Status};
pub use chat::{Chat, File, Found, Hit, Member, Message, Page, Shared, Transfer};
pub use event::Event;
pub use lock::Lock;
pub use request::{At, Request, Urgency};
#[cfg(feature = "client")]
pub(crate) use said::words;
pub use said::{Code, Said};
pub use speech::{
    Listening, Progress, Segment, SpeechModel, SpeechOptions, Spoken, SpokenSegment, SpokenWord, Transcript,
};

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
