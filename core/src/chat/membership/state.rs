//! What membership keeps.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::chat::policy::{Home, Policy};
use crate::chat::roster::{Place, Roster};
use crate::chat::turn::EngineError;
use crate::identity::{DeviceCertificate, PublicKey};
use crate::store::Table;
use crate::types::{AccountId, ConversationId, DeviceId, GroupId, Hash, Timestamp};
use crate::wire::codec::Body;
use crate::wire::event::{LogHead, UnverifiedEvent};
use crate::wire::message::Cut;

/// The most changes that wait at once: more than a person asks for while a home is away.
pub(super) const MAX_WISHES: usize = 64;

/// Groups whose messages are still read after another took over: what was under way when it did.
pub(super) const MAX_OLDER: usize = 4;

/// Where the row of a conversation's membership is.
pub(super) fn key(conversation: ConversationId) -> Vec<u8> {
    [conversation.as_ref(), b"/membership"].concat()
}

/// Where the conversation of a group is named.
pub(super) fn index_key(group: GroupId) -> Vec<u8> {
    [group.as_ref(), b"/conversation"].concat()
}

/// Where the own commit is that waits for the log.
pub(super) fn pending_key(group: GroupId) -> Vec<u8> {
    [group.as_ref(), b"/pending"].concat()
}

/// Where the walked entries are of a group's first log here, or of a later one: each home keeps one of its own.
pub(super) fn entry_prefix(group: GroupId, log: u32) -> Vec<u8> {
    match log {
        0 => [group.as_ref(), b"/entry"].concat(),
        later => [group.as_ref(), b"/walked", &later.to_be_bytes()].concat(),
    }
}

/// Where a walked entry of a log is, without its blob.
pub(super) fn entry_key(group: GroupId, log: u32, index: u64) -> Vec<u8> {
    [entry_prefix(group, log).as_slice(), &index.to_be_bytes()].concat()
}

/// A home that kept the present group's log before a commit moved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Former {
    /// Its key, which signed the entries.
    #[serde(rename = "k")]
    pub(super) key: PublicKey,
    /// Which of the group's logs here it kept.
    #[serde(rename = "l")]
    pub(super) log: u32,
    /// How far that was walked.
    #[serde(rename = "n")]
    pub(super) next: u64,
}

/// The present group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Present {
    /// Its id.
    #[serde(rename = "g")]
    pub(crate) group: GroupId,
    /// Which of the conversation's groups it is.
    #[serde(rename = "n")]
    pub(crate) generation: u32,
    /// How far its log was walked.
    #[serde(rename = "l")]
    pub(crate) log: LogHead,
    /// Whether the home is known to keep its log.
    #[serde(rename = "k")]
    pub(crate) kept: bool,
}

/// A change that this device wants, until the log fulfils it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wish {
    /// An account's devices follow this record.
    #[serde(rename = "s")]
    Sync {
        /// The encoded record.
        #[serde(rename = "r")]
        record: ByteBuf,
        /// Key packages of its devices, once they were fetched.
        #[serde(rename = "p")]
        packages: Option<Vec<ByteBuf>>,
    },
    /// An account is seated.
    #[serde(rename = "a")]
    Seat {
        /// Its encoded record.
        #[serde(rename = "r")]
        record: ByteBuf,
        /// Key packages of its devices, once they were fetched.
        #[serde(rename = "p")]
        packages: Option<Vec<ByteBuf>>,
    },
    /// An account loses its seat.
    #[serde(rename = "u")]
    Unseat {
        /// Which.
        #[serde(rename = "a")]
        account: AccountId,
        /// Its own wish, if it is.
        #[serde(rename = "l")]
        leave: Option<Box<UnverifiedEvent>>,
    },
    /// This device renews its keys.
    #[serde(rename = "k")]
    Update,
    /// Another home.
    #[serde(rename = "h")]
    Move(Home),
    /// A device that lost its keys comes back.
    #[serde(rename = "r")]
    Return {
        /// Which.
        #[serde(rename = "d")]
        device: DeviceId,
        /// Its fresh key package.
        #[serde(rename = "p")]
        package: ByteBuf,
        /// Its account's encoded record.
        #[serde(rename = "r")]
        record: ByteBuf,
    },
}

/// An own commit that waits for the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The commit.
    #[serde(rename = "b")]
    pub(super) blob: ByteBuf,
    /// The head that it was made on.
    #[serde(rename = "h")]
    pub(super) head: LogHead,
    /// The key to append with.
    #[serde(rename = "k")]
    pub(super) write_key: Hash,
    /// Hash of the key of the epoch that it begins.
    #[serde(rename = "n")]
    pub(super) next_write_key_hash: Hash,
    /// The Welcome for whom it adds.
    #[serde(rename = "w")]
    pub(super) welcome: Option<ByteBuf>,
    /// Certificates of whom it adds.
    #[serde(rename = "d")]
    pub(super) added: Vec<ByteBuf>,
    /// The encoded commit info.
    #[serde(rename = "i")]
    pub(super) info: ByteBuf,
    /// The wish that it fulfils.
    #[serde(rename = "f")]
    pub(super) wish: Wish,
}

impl Body for Pending {
    const MAX_BYTES: usize = 16 << 20;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct MemberRow {
    #[serde(rename = "c")]
    certificate: ByteBuf,
    #[serde(rename = "p")]
    place: PlaceRow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum PlaceRow {
    #[serde(rename = "p")]
    Present,
    #[serde(rename = "a")]
    Away,
    #[serde(rename = "g")]
    Gone,
    #[serde(rename = "f")]
    Foreign,
    #[serde(rename = "o")]
    Outside,
}

impl From<Place> for PlaceRow {
    fn from(place: Place) -> Self {
        match place {
            Place::Present => Self::Present,
            Place::Away => Self::Away,
            Place::Gone => Self::Gone,
            Place::Foreign => Self::Foreign,
            Place::Outside => Self::Outside,
        }
    }
}

impl From<PlaceRow> for Place {
    fn from(place: PlaceRow) -> Self {
        match place {
            PlaceRow::Present => Self::Present,
            PlaceRow::Away => Self::Away,
            PlaceRow::Gone => Self::Gone,
            PlaceRow::Foreign => Self::Foreign,
            PlaceRow::Outside => Self::Outside,
        }
    }
}

/// A forced move: the successor's home, and the key packages found so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Succession {
    #[serde(rename = "h")]
    pub(super) home: Home,
    /// By account: its encoded record, and what was found; nothing while the question is open.
    #[serde(rename = "a")]
    pub(super) accounts: Vec<(AccountId, ByteBuf, Option<Vec<ByteBuf>>)>,
}

/// A plea that was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    #[serde(rename = "d")]
    pub(super) device: DeviceId,
    #[serde(rename = "w")]
    pub(super) wall: Timestamp,
}

/// The row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "g")]
    pub(super) present: Option<Present>,
    /// Groups that another took over from, the newest last.
    #[serde(rename = "o")]
    pub(super) older: Vec<GroupId>,
    #[serde(rename = "p")]
    policy: Option<ByteBuf>,
    #[serde(rename = "m")]
    members: Vec<MemberRow>,
    #[serde(rename = "c")]
    cuts: Vec<Cut>,
    #[serde(rename = "w")]
    pub(super) wishes: Vec<Wish>,
    /// Whether an own commit waits for the log.
    #[serde(rename = "q")]
    pub(super) pending: bool,
    #[serde(rename = "r")]
    pub(super) rejoining: bool,
    #[serde(rename = "e")]
    pub(super) heard: Vec<Heard>,
    /// A forced move that is being prepared.
    #[serde(rename = "s")]
    pub(super) succession: Option<Succession>,
    /// The proof that the present group's home lies.
    #[serde(rename = "x")]
    pub(super) lied: Option<crate::wire::log::Equivocation>,
    /// The epoch of the present group in which MLS refused a commit of the log: others may have been able to take it.
    #[serde(rename = "u", default)]
    pub(super) refused: Option<u64>,
    /// The group that this device was in last, when it is in none.
    #[serde(rename = "l", default)]
    pub(super) last: Option<GroupId>,
    /// Others are in an epoch that this device cannot reach.
    #[serde(rename = "z", default)]
    pub(super) stranded: bool,
    /// This account has left the present group, and waits for somebody to take it out.
    #[serde(rename = "y", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) left: bool,
    /// The group that this account left last, and in which epoch of it.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) parted: Option<(GroupId, u64)>,
    /// The homes that the present group had before, the latest last: what they signed still shows whether they lied.
    #[serde(rename = "f", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former: Vec<Former>,
}

impl Body for Row {
    const MAX_BYTES: usize = 64 << 20;
}

impl Row {
    /// The present group and those before it whose messages may still come.
    pub(super) fn groups(&self) -> Vec<GroupId> {
        let present = self.present.as_ref().map(|present| present.group);
        present.into_iter().chain(self.older.iter().copied()).collect()
    }

    pub(super) fn keep(&mut self, roster: &Roster, policy: Option<&Policy>) {
        let members = roster.members().map(|(_, member)| MemberRow {
            certificate: ByteBuf::from(member.certificate.clone()),
            place: member.place.into(),
        });
        self.members = members.collect();
        self.cuts = roster.cuts().copied().collect();
        self.policy = policy.map(|policy| policy.encode().into());
    }

    pub(super) fn roster(&self) -> Result<Roster, EngineError> {
        let mut roster = Roster::default();
        for row in &self.members {
            let damaged = EngineError::Broken("a stored certificate is not valid");
            let certificate = DeviceCertificate::decode_stored(&row.certificate).map_err(|_| damaged.clone())?;
            let member = super::group::member(&certificate, row.place.into()).ok_or(damaged)?;
            roster.admit(certificate.device_id(), member);
        }
        self.cuts.iter().for_each(|cut| roster.close(*cut));
        Ok(roster)
    }

    pub(super) fn policy(&self) -> Result<Option<Policy>, EngineError> {
        let decoded = self.policy.as_ref().map(|bytes| Policy::decode(bytes)).transpose();
        decoded.map_err(|cause| EngineError::Stored { table: Table::Conversation, cause })
    }
}
