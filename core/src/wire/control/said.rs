//! What a profile says to a person of itself: a stable word with what it is about, and a sentence in English.
//!
//! A command line shows the sentence. A window has the word's own text in the person's language, and shows the sentence for a
//! word that it does not know yet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An enum of stable words, which knows all of them.
macro_rules! words {
    ($(#[$about:meta])* pub enum $name:ident { $($(#[$doc:meta])* $code:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $code,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)+
                }
            }
        }
    };
}
#[cfg(feature = "client")]
pub(crate) use words;

words! {
    /// What can be said.
    pub enum Code {
        // How somebody is reached, and why not better.
        /// As well as can be.
        Best = "best",
        /// Nobody that this device connects to.
        NotAContact = "not_a_contact",
        /// Direct paths are switched off here.
        DirectOff = "direct_off",
        /// No address is known.
        NoAddress = "no_address",
        /// There was no reason to connect yet.
        NotTried = "not_tried",
        /// It is being tried.
        Connecting = "connecting",
        /// The connection was ended.
        Ended = "ended",
        /// No device of theirs is known.
        NoDevice = "no_device",

        // What the network did not do.
        /// Nobody answers. `detail`: the transports' words.
        Unreachable = "unreachable",
        /// Somebody else answers there.
        WrongKey = "wrong_key",
        /// It is tried again in `seconds`. `detail`: what the last try said.
        BackingOff = "backing_off",
        /// The connection broke.
        Lost = "lost",
        /// No answer in time.
        TimedOut = "timed_out",
        /// The other side speaks another version.
        Unsupported = "unsupported",
        /// The other side refused. `detail`: its reason.
        PeerRefused = "peer_refused",
        /// It answered what makes no sense.
        Nonsense = "nonsense",
        /// Too much is under way.
        Busy = "busy",
        /// The network does not work on this device. `detail`: the system's words.
        NetworkBroken = "network_broken",
        /// Kith is closing.
        ShutDown = "shut_down",

        // The own relay.
        /// The account has none.
        NoRelay = "no_relay",
        /// It cannot be reached.
        RelayAway = "relay_away",
        /// It refused. `detail`: its reason.
        RelayRefused = "relay_refused",
        /// It knows no such account or device.
        NotSignedIn = "not_signed_in",
        /// A limit is reached; again in `seconds`.
        TooMany = "too_many",
        /// It cannot do it now.
        TryLater = "try_later",
        /// What waits there cannot be stored here.
        NotStored = "not_stored",

        // Messages that do not go on.
        /// This device waits to be added again.
        WaitsForKeys = "waits_for_keys",
        /// This device is no member any more.
        NotMember = "not_member",
        /// The other is blocked.
        Blocked = "blocked",
        /// Their mailbox is full.
        MailboxFull = "mailbox_full",
        /// Their relay takes nothing from this account.
        MailboxClosed = "mailbox_closed",
        /// Their device takes nothing from this account.
        DeviceRefuses = "device_refuses",

        // Attachments.
        /// No relay keeps it: it waits for a device of theirs.
        NoKeeper = "no_keeper",
        /// The file is not here any more.
        FileGone = "file_gone",
        /// Larger than the relay takes.
        TooLargeForRelay = "too_large_for_relay",
        /// The room at the relay is used up.
        Quota = "quota",
        /// Nobody who has it is there.
        NobodyHasIt = "nobody_has_it",
        /// What came is something else.
        LiedTo = "lied_to",
        /// The transfer waits for room on the disk.
        TransferDiskFull = "transfer_disk_full",
        /// The disk does not take or give it. `detail`: the system's words.
        TransferFailed = "transfer_failed",

        // Speech models.
        /// The model `name` came from nowhere. `detail`: what each place did.
        ModelUnavailable = "model_unavailable",
        /// The disk has no room for the model `name`.
        ModelDiskFull = "model_disk_full",
        /// The model was not fetched. `detail`: why.
        ModelFailed = "model_failed",

        // Sound.
        /// The microphone that was chosen is not there: `name` stands in for it.
        MicrophoneAway = "microphone_away",
        /// The speaker that was chosen is not there: `name` stands in for it.
        SpeakerAway = "speaker_away",

        // What should be looked at.
        /// The disk is full, so nothing is sent or received.
        DiskFull = "disk_full",
        /// The profile cannot be written. `detail`: why.
        ProfileUnwritable = "profile_unwritable",
        /// What was under way was begun anew. `detail`: why.
        BegunAnew = "begun_anew",
        /// The profile can be written again.
        Recovered = "recovered",
        /// The safety copy was not written. `detail`: why.
        SnapshotFailed = "snapshot_failed",
        /// The choices cannot be read, and everything is hidden. `detail`: why.
        ChoicesUnreadable = "choices_unreadable",
        /// The choices for speech cannot be read. `detail`: why.
        SpeechChoicesUnreadable = "speech_choices_unreadable",
        /// The clock is ahead of the relay's by `seconds`.
        ClockAhead = "clock_ahead",
        /// The clock is behind the relay's by `seconds`.
        ClockBehind = "clock_behind",
        /// An old record of `name` is shown.
        RecordOld = "record_old",
        /// There are two records of `name`.
        RecordForked = "record_forked",
        /// This device was removed from the account.
        DeviceRemoved = "device_removed",
        /// The home of the conversation with `name` showed two logs.
        HomeLied = "home_lied",
        /// The home of the conversation with `name` is away.
        HomeLost = "home_lost",
        /// `other` was not added to the group `name`.
        NotAdded = "not_added",
        /// `other` says to be in the group `name`, of which this device has an older state.
        SaysMember = "says_member",
        /// Device `other` signed two messages for one place in the conversation with `name`.
        FeedForked = "feed_forked",
        /// This device lost the keys of the conversation with `name`.
        KeysLost = "keys_lost",
        /// Somebody (`name`: the beginning of the id) asks for contact under `handle`, which is another contact's (`other`).
        NameOfAnother = "name_of_another",
        /// `handle` is another account now than the contact `other`.
        OtherAccount = "other_account",
        /// The contact request to `name` was not taken. `detail`: the relay's reason.
        RequestRefused = "request_refused",
    }
}

/// Something said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// A [`Code`]'s word, or that of a newer Kith.
    pub code: String,
    /// Whom, or which conversation, it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Somebody, or a device, besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// `name@relay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// How long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// What the system, or another program, said: in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// A sentence in English.
    pub message: String,
}

impl Said {
    /// With these words.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self { code: code.word().to_owned(), message: message.to_string(), ..Self::default() }
    }

    /// It is about somebody, or a conversation.
    #[must_use]
    pub fn of(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// And about somebody else.
    #[must_use]
    pub fn besides(mut self, other: impl Into<String>) -> Self {
        self.other = Some(other.into());
        self
    }

    /// Under this handle.
    #[must_use]
    pub fn under(mut self, handle: impl Into<String>) -> Self {
        self.handle = Some(handle.into());
        self
    }

    /// For so long.
    #[must_use]
    pub const fn lasting(mut self, seconds: u64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    /// Somebody's own words for it.
    #[must_use]
    pub fn because(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// The same code within another sentence.
    #[must_use]
    pub fn as_part_of(mut self, message: impl fmt::Display) -> Self {
        self.message = message.to_string();
        self
    }
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::control::Event;

    #[test]
    fn every_word_is_one_of_its_own() {
        let words: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        let plain = |word: &&str| word.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_');
        assert!(words.iter().all(plain), "{words:?}");
    }

    #[test]
    fn the_documents_name_every_word() {
        let text = include_str!("../../../../docs/cli.md");
        for code in Code::ALL {
            assert!(text.contains(&format!("\n| `{}` | ", code.word())), "docs/cli.md lacks {}", code.word());
        }
    }

    #[test]
    fn what_is_said_travels_with_what_it_is_about_and_nothing_else() {
        let said = Said::new(Code::ClockAhead, "the clock is wrong").lasting(7200);
        let event = Event::Warning { said };
        let json = serde_json::to_string(&event).unwrap();
        let wanted = r#"{"event":"warning","code":"clock_ahead","seconds":7200,"message":"the clock is wrong"}"#;
        assert_eq!(json, wanted);
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        let newer = r#"{"event":"warning","code":"of a newer Kith","depth":3,"message":"look"}"#;
        let Event::Warning { said } = serde_json::from_str(newer).unwrap() else { panic!("another event") };
        assert_eq!((said.code.as_str(), said.to_string().as_str()), ("of a newer Kith", "look"));
    }
}
