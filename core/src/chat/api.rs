//! What goes into the engine and what comes out.

use super::Heard;
use super::account::OwnPrekey;
use crate::identity::RelayAddress;
use crate::store::Batch;
use crate::types::{
    AccountId, ContentId, ConversationId, DeviceId, EnvelopeId, Incarnation, RequestId, Timestamp, Token,
};
use crate::wire::envelope::Class;
use crate::wire::message::{File, LongVoiceNote, Transcript};
use crate::wire::relay::{Deposited, Refusal, Request, Response};

/// The two times of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock: shown, and merged into the conversation's clock; never trusted.
    pub wall: Timestamp,
    /// Milliseconds of a clock that never goes back: for timers.
    pub mono_ms: u64,
}

/// What happens to the engine.
#[derive(Debug, Clone)]
pub enum Input {
    /// The driver is ready: resume what was under way.
    Start {
        /// The store came from a copy: nothing may be sent under its MLS state.
        restored: bool,
    },
    /// A person's command; answered in [`Effects::replies`] under the same id.
    Command {
        /// Names it.
        id: RequestId,
        /// What is wanted.
        command: Command,
    },
    /// An encoded envelope; [`Effects::verdict`] says what to answer.
    Envelope {
        /// The device at the other end of the connection, when it came straight from one.
        from: Option<DeviceId>,
        /// As it came.
        bytes: Vec<u8>,
    },
    /// The answer to a [`Call`].
    Answer {
        /// Which call.
        id: RequestId,
        /// What came of it.
        outcome: Result<Answer, CallFailure>,
    },
    /// What came of an [`Outgoing`] for one recipient.
    Sent {
        /// Which envelope.
        envelope: EnvelopeId,
        /// Which of its recipients.
        device: DeviceId,
        /// What came of it.
        outcome: SendOutcome,
    },
    /// A device can be reached straight from now on: a meeting, so both repair.
    PeerUp {
        /// Which.
        device: DeviceId,
    },
    /// It cannot any more.
    PeerDown {
        /// Which.
        device: DeviceId,
    },
    /// The own relay can be reached, and this is the life of this device's queue there.
    RelayUp {
        /// The queue's incarnation: another one than before means that mail was lost.
        queue: Incarnation,
    },
    /// The own relay cannot be reached.
    RelayDown,
    /// A newer record of some account was fetched by the driver, encoded.
    Record {
        /// The encoded record.
        record: Vec<u8>,
    },
    /// [`Effects::wake_at`] has come.
    Timer,
}

/// A successful answer to a call.
pub type Answer = Response;

/// Why a call has no answer. The engine decides whether and when to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// Nobody could be reached.
    Unreachable,
    /// It was cut off: it may or may not have been carried out.
    Interrupted,
    /// The other speaks nonsense, or is not who it should be.
    Broken,
}

/// What came of sending an envelope to one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOutcome {
    /// The device has it durably.
    Direct,
    /// The device will not take it.
    Refused,
    /// Its relay said so of its mailbox.
    Mailbox(Deposited),
    /// Neither the device nor its relay could be reached.
    Unreachable,
}

/// What a person wants done.
#[derive(Debug, Clone)]
pub enum Command {
    /// Ask a stranger for contact; the text becomes the first message when they accept.
    RequestContact {
        /// Their encoded record, looked up by the driver.
        record: Vec<u8>,
        /// The handle it was looked up by, if any.
        handle: Option<String>,
        /// At most [`crate::wire::message::MAX_REQUEST_TEXT`] bytes.
        text: String,
    },
    /// Accept a waiting contact request: creates the conversation.
    Accept {
        /// Whose.
        account: AccountId,
    },
    /// Drop a waiting contact request without a word.
    Decline {
        /// Whose.
        account: AccountId,
    },
    /// Block: tokens revoked at the relay, refused at the device, no receipt leaves.
    Block {
        /// Whom.
        account: AccountId,
    },
    /// Take a block back.
    Unblock {
        /// Whom.
        account: AccountId,
    },
    /// Mark a contact's safety number as compared.
    Verify {
        /// Whom.
        account: AccountId,
    },
    /// Create a group with contacts.
    CreateGroup {
        /// Its name.
        name: String,
        /// Contacts to add.
        members: Vec<AccountId>,
    },
    /// Add contacts to a group.
    AddMembers {
        /// Which group.
        conversation: ConversationId,
        /// Whom.
        members: Vec<AccountId>,
    },
    /// Remove somebody from a group.
    RemoveMember {
        /// Which group.
        conversation: ConversationId,
        /// Whom.
        member: AccountId,
    },
    /// Leave a group.
    Leave {
        /// Which group.
        conversation: ConversationId,
    },
    /// Write.
    SendText {
        /// Where.
        conversation: ConversationId,
        /// At most [`crate::wire::message::MAX_TEXT`] bytes.
        text: String,
        /// What it answers.
        reply_to: Option<ContentId>,
    },
    /// Send a voice note, already encoded.
    SendVoiceNote {
        /// Where.
        conversation: ConversationId,
        /// Opus in Ogg, 64 KiB at most.
        ogg: Vec<u8>,
        /// Its length.
        duration_ms: u32,
        /// Waveform peaks.
        peaks: Vec<u8>,
    },
    /// Send a file, whose sealed chunks are durable.
    SendFile {
        /// Where.
        conversation: ConversationId,
        /// What.
        file: Box<File>,
    },
    /// Send a voice note whose sound is an attachment, with its sealed chunks durable.
    SendLongVoiceNote {
        /// Where.
        conversation: ConversationId,
        /// What.
        note: Box<LongVoiceNote>,
    },
    /// Replace the text of one's own message.
    Edit {
        /// Where.
        conversation: ConversationId,
        /// Which.
        of: ContentId,
        /// The new text.
        text: String,
    },
    /// Erase one's own message, everywhere.
    Delete {
        /// Where.
        conversation: ConversationId,
        /// Which.
        of: ContentId,
    },
    /// React, or with an empty text take it back.
    React {
        /// Where.
        conversation: ConversationId,
        /// To what.
        of: ContentId,
        /// An emoji.
        emoji: String,
    },
    /// Everything up to here, in order of display, was read.
    MarkRead {
        /// Where.
        conversation: ConversationId,
        /// The last one read.
        upto: ContentId,
    },
    /// Keep this reader's own transcript of a voice note: a local note.
    KeepTranscript {
        /// Where.
        conversation: ConversationId,
        /// Of which note.
        of: ContentId,
        /// The encoded transcript, as the caller wants it back.
        transcript: Vec<u8>,
    },
    /// Keep how far this reader has listened to a voice note: a local note.
    KeepHeard {
        /// Where.
        conversation: ConversationId,
        /// To which note.
        of: ContentId,
        /// How far.
        heard: Heard,
    },
    /// Tell the others that all of a voice note of theirs was heard.
    SayPlayed {
        /// Where.
        conversation: ConversationId,
        /// Which note.
        of: ContentId,
    },
    /// Tell the others what is said in one's own voice note; a transcript without segments takes it back.
    AttachTranscript {
        /// Where.
        conversation: ConversationId,
        /// What is said, and in which note.
        transcript: Transcript,
    },
    /// Keep how voice notes of a conversation are listened to here: a local note.
    KeepListening {
        /// Where.
        conversation: ConversationId,
        /// The encoded choice, as the caller wants it back.
        choice: Vec<u8>,
    },
    /// Keep what was typed and not sent.
    SaveDraft {
        /// Where.
        conversation: ConversationId,
        /// The text; empty discards it.
        text: String,
    },
    /// Change how a conversation stands in the list on the account's devices; what is not named stays.
    Arrange {
        /// Which.
        conversation: ConversationId,
        /// Above the others.
        pinned: Option<bool>,
        /// Without a sound.
        muted: Option<bool>,
    },
    /// Say to the account's other devices what this one is called; what is not named stays, and empty words take back what was said.
    LabelDevice {
        /// What its owner calls it.
        name: Option<String>,
        /// What the machine is called by its system.
        machine: Option<String>,
        /// The system that it runs.
        system: Option<String>,
    },
    /// Say something about oneself to everybody one writes with; what is not named stays.
    SetProfile {
        /// What one calls oneself; an empty name takes it back.
        name: Option<String>,
        /// Words about oneself; empty ones take them back.
        about: Option<String>,
        /// One's picture.
        picture: PictureChange,
    },
    /// Tell the others that one types, or stopped.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Began or ended.
        on: bool,
    },
    /// A newer record of the own account, signed by the root key: devices were added or removed, relays changed.
    OwnRecord {
        /// The encoded record.
        record: Vec<u8>,
        /// The secrets of those of its prekeys that are new: this device tells the account's others.
        prekeys: Vec<OwnPrekey>,
    },
    /// Renew this device's keys in a conversation: an empty commit.
    UpdateKeys {
        /// Where.
        conversation: ConversationId,
    },
    /// Let another home order the conversation's commits.
    MoveHome {
        /// Which conversation.
        conversation: ConversationId,
        /// The new home: a relay, or this device.
        relay: Option<RelayAddress>,
    },
}

/// What becomes of one's picture.
#[derive(Clone, PartialEq, Eq)]
pub enum PictureChange {
    /// It stays.
    Keep,
    /// It goes.
    Remove,
    /// Another one: PNG or JPEG, at most [`crate::wire::message::MAX_PICTURE`] bytes.
    Set(Vec<u8>),
}

impl std::fmt::Debug for PictureChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Keep => "Keep",
            Self::Remove => "Remove",
            Self::Set(_) => "Set(…)",
        })
    }
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done, durably, here.
    Done,
    /// The event that was written: queued, durable here.
    Written {
        /// Where.
        conversation: ConversationId,
        /// Its place.
        id: ContentId,
    },
    /// The conversation that was created.
    Created {
        /// Which.
        conversation: ConversationId,
    },
}

/// Why a command was not carried out. Each is a sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such conversation here.
    #[error("there is no such conversation")]
    NoConversation,
    /// No such contact or request.
    #[error("there is no such contact or contact request")]
    NoContact,
    /// The account is blocked.
    #[error("you have blocked this person; unblock them first")]
    Blocked,
    /// No such message, or not one's own.
    #[error("there is no such message of yours")]
    NoMessage,
    /// Too long.
    #[error("too long: at most {limit} bytes fit")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// What the policy does not allow.
    #[error("you are not allowed to do that in this conversation")]
    NotAllowed,
    /// This device left the conversation or was removed.
    #[error("this device is not a member of the conversation any more")]
    NotMember,
    /// This device lost its keys and waits to be added again.
    #[error("this device waits to be added again; the message is kept and will be sent then")]
    Rejoining,
    /// The record, key or text given is malformed.
    #[error("{0}")]
    Malformed(String),
    /// The engine found its own state broken; nothing was done.
    #[error("internal: {0}")]
    Internal(String),
}

/// What an input comes to. The driver makes `batch` durable, and only then releases the rest, in order.
#[derive(Debug, Default)]
pub struct Effects {
    /// All or nothing.
    pub batch: Batch,
    /// What to answer for an [`Input::Envelope`].
    pub verdict: Option<Verdict>,
    /// Envelopes to deliver.
    pub sends: Vec<Outgoing>,
    /// Questions to a relay or a home.
    pub calls: Vec<Call>,
    /// Answers to commands.
    pub replies: Vec<(RequestId, Result<Reply, CommandError>)>,
    /// What to tell the person.
    pub notices: Vec<Notice>,
    /// When to come back with [`Input::Timer`], by [`Now::mono_ms`]; replaces the earlier time.
    pub wake_at: Option<u64>,
}

/// What to answer to whom an envelope came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Durable here with the batch: read, parked, or seen before. A garbage envelope is this too: it must block nothing.
    Durable,
    /// Not taken: its sender is blocked. No receipt leaves.
    Refused,
    /// Cannot be kept now.
    TryLater,
}

/// An envelope to deliver: straight to those who are connected, to the mailboxes of the rest.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Names it in [`Input::Sent`].
    pub id: EnvelopeId,
    /// How it may be kept.
    pub class: Class,
    /// The encoded envelope.
    pub envelope: Vec<u8>,
    /// To whom.
    pub to: Vec<Recipient>,
}

/// A device to deliver to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Whose device.
    pub account: AccountId,
    /// Which.
    pub device: DeviceId,
    /// Its transport key (Ed25519, 32 bytes): its libp2p peer id.
    pub transport: [u8; 32],
    /// Its account's relays, with the token for its mailboxes there.
    pub mailboxes: Vec<(RelayAddress, Token)>,
}

/// A question to a relay or to a home on a device.
#[derive(Debug, Clone)]
pub struct Call {
    /// Names it in [`Input::Answer`].
    pub id: RequestId,
    /// Whom to ask.
    pub to: CallTarget,
    /// What; [`Request::Home`] when a device is asked. For [`Request::DepositRequest`] the driver does the work: it asks for
    /// the challenge and fills in `challenge` and `work`.
    pub request: Request,
}

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTarget {
    /// The own account's relay.
    OwnRelay,
    /// Another relay.
    Relay(RelayAddress),
    /// A device that is a home, by id and transport key.
    Device(DeviceId, [u8; 32]),
}

/// What the person is told, or what a view has to be drawn again for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// An event appeared, changed or went away in a conversation's timeline.
    Timeline {
        /// Where.
        conversation: ConversationId,
        /// Which.
        id: ContentId,
        /// It was not there before.
        new: bool,
    },
    /// A conversation appeared, or its name, members, home or state changed.
    Conversation {
        /// Which.
        conversation: ConversationId,
    },
    /// A conversation stands otherwise in the list: a draft, what was read, pinned, muted.
    Listed {
        /// Which; there may be only a contact yet.
        conversation: ConversationId,
    },
    /// A message came to another state for its recipients.
    Delivery {
        /// Where.
        conversation: ConversationId,
        /// Which.
        id: ContentId,
    },
    /// A contact request waits.
    Request {
        /// Whose.
        account: AccountId,
    },
    /// A relay did not take one's contact request; it is sent again later unless the refusal is final.
    RequestRefused {
        /// To whom.
        account: AccountId,
        /// What the relay said.
        refusal: Refusal,
    },
    /// A contact was added or changed.
    Contact {
        /// Whose.
        account: AccountId,
    },
    /// An account says something else about itself; the own one too.
    Profile {
        /// Whose.
        account: AccountId,
    },
    /// Somebody types, or stopped.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who.
        account: AccountId,
        /// Began or ended.
        on: bool,
    },
    /// An account's relay showed an older record, or another one of the same version.
    RecordFork {
        /// Whose record.
        account: AccountId,
        /// The version known.
        known: u64,
        /// The version shown.
        shown: u64,
    },
    /// This device is none of the account's any more.
    DeviceRemoved,
    /// A home showed two versions of its log, and the proof is kept.
    HomeLied {
        /// Of which conversation.
        conversation: ConversationId,
    },
    /// A home lost its log or cannot be reached; text flows, membership waits.
    HomeLost {
        /// Of which conversation.
        conversation: ConversationId,
    },
    /// An account was not added to a group: no key package of its devices could be had, or the group does not let it in. The wish is
    /// dropped; it may be asked for again.
    NotSeated {
        /// To which group.
        conversation: ConversationId,
        /// Who.
        account: AccountId,
    },
    /// Somebody says to be in a group of which this device, an admin's, went back to an older state, in which they have no seat.
    Claimed {
        /// Which group.
        conversation: ConversationId,
        /// Who.
        account: AccountId,
    },
    /// Two signed events of one device for one place: the proof is kept and spread.
    FeedFork {
        /// Where.
        conversation: ConversationId,
        /// Whose device.
        device: DeviceId,
    },
    /// This device lost its place in a conversation and asked to be added again.
    Rejoining {
        /// Where.
        conversation: ConversationId,
    },
    /// Bytes that are no good came in; counted, nothing else changed.
    Dropped {
        /// Which kind of fault: a metric's label.
        reason: &'static str,
    },
}

/// Over which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// Straight to the device.
    Direct,
    /// Into its mailbox.
    Mailbox,
}

/// How a device is connected now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// On the same network.
    Lan,
    /// Over the internet, straight.
    Direct,
    /// Through a relay's circuit.
    Circuit,
    /// Not connected: through its mailbox.
    Mailbox,
}
