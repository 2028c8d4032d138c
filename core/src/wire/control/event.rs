//! What happens at a profile.

use serde::{Deserialize, Serialize};

use super::{Chat, ContactRequest, Message, Progress, Said, SpeechModel, Transfer};

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
