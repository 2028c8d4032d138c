//! The policy of a conversation: what its members have agreed on, in each MLS group's context, and who may change what.
//!
//! A policy is a plain value; [`entitled`] says whether a commit may lead from one to the next, [`succeeds`] whether a new group
//! may take a conversation over. It keeps nothing, walks no log and knows no clock.
//!
//! Invariants: both functions are pure and total: a function of their arguments alone, so that all who have walked as far as each
//! other agree (the law of determinism, DESIGN §2). They are consensus code: a change of theirs is a change of [`RULES`].
//! Source: DESIGN §4; `docs/protocol-conversation.md`.

mod entitlement;
mod succession;

pub use entitlement::{Commit, Entrant, NotEntitled, entitled};
pub use succession::{Claim, NoSuccessor, readmits, succeeds};

use serde::{Deserialize, Serialize};

use crate::identity::{DeviceCertificate, PublicKey, RecordHead, RelayAddress};
use crate::types::{AccountId, ConversationId, DeviceId, Hash};
use crate::wire::codec::{Body, DecodeError, hash};
use crate::wire::event::LogHead;

/// The version of the fold and of the rules of entitlement that this release speaks.
pub const RULES: u16 = 1;

/// The most accounts of one conversation: their seats take two thirds of a policy's 16 KiB.
pub const MAX_ACCOUNTS: usize = 100;

/// The longest name of a conversation, in bytes.
pub const MAX_NAME: usize = 256;

/// What sort of conversation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// An account's devices among themselves.
    #[serde(rename = "o")]
    Own,
    /// Two accounts.
    #[serde(rename = "d")]
    Direct,
    /// Accounts with roles.
    #[serde(rename = "g")]
    Group,
}

/// Who orders the conversation's commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Home {
    /// A relay; its identity key signs the entries.
    #[serde(rename = "r")]
    Relay(RelayAddress),
    /// A device; its events key signs the entries.
    #[serde(rename = "d")]
    Device {
        /// Whose.
        #[serde(rename = "a")]
        account: AccountId,
        /// Its events key, and so which device.
        #[serde(rename = "e")]
        events: PublicKey,
        /// Its transport key: where it is asked.
        #[serde(rename = "t")]
        transport: PublicKey,
    },
}

impl Home {
    /// A device as a home.
    pub fn device(certificate: &DeviceCertificate) -> Self {
        Self::Device {
            account: certificate.account_id(),
            events: certificate.events_key(),
            transport: certificate.transport_key(),
        }
    }

    /// The key that its entries are signed with.
    pub fn key(&self) -> PublicKey {
        match self {
            Self::Relay(address) => address.relay.key(),
            Self::Device { events, .. } => *events,
        }
    }

    /// Whether it is this device.
    pub fn is_device(&self, device: DeviceId) -> bool {
        matches!(self, Self::Device { events, .. } if events.device_id() == device)
    }
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Writes, and keeps devices in step with their records.
    #[serde(rename = "m")]
    Member,
    /// Also decides who belongs to the group, on its name and its home.
    #[serde(rename = "a")]
    Admin,
}

/// An account's place in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Whose.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// The version of the account's record that its devices here follow.
    #[serde(rename = "v")]
    pub version: u64,
    /// The hash of that record.
    #[serde(rename = "h")]
    pub hash: Hash,
    /// What it may do.
    #[serde(rename = "r")]
    pub role: Role,
    /// The epoch of this group that it was seated in: a [`crate::wire::message::Leave`] from before is used up.
    #[serde(rename = "e")]
    pub since: u64,
}

impl Seat {
    /// The head of the record it follows.
    pub const fn head(&self) -> RecordHead {
        RecordHead { version: self.version, hash: self.hash }
    }
}

/// What a newcomer may be given of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum History {
    /// All that its adder holds.
    #[serde(rename = "a")]
    All,
    /// Nothing from before it came.
    #[serde(rename = "n")]
    FromJoining,
}

/// What the members have agreed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Of which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// Its sort; never changes.
    #[serde(rename = "k")]
    pub kind: Kind,
    /// Counts the conversation's MLS groups, from 0.
    #[serde(rename = "g")]
    pub generation: u32,
    /// [`Policy::hash`] of the one before; none for a conversation's first.
    #[serde(rename = "p")]
    pub predecessor: Option<Hash>,
    /// The head of the home's log that this policy's commit was made on: a newcomer walks from there.
    #[serde(rename = "l")]
    pub log: LogHead,
    /// Who orders commits.
    #[serde(rename = "h")]
    pub home: Home,
    /// The version of the rules.
    #[serde(rename = "x")]
    pub rules: u16,
    /// The name of a group; empty for others.
    #[serde(rename = "n")]
    pub name: String,
    /// The seats, ascending by account.
    #[serde(rename = "a")]
    pub seats: Vec<Seat>,
    /// Events are erased after so many seconds; never, when there is none.
    #[serde(rename = "t")]
    pub retention_s: Option<u64>,
    /// [`crate::wire::message::Past::hash`] of those who were members and of the cuts in force.
    #[serde(rename = "f")]
    pub past: Hash,
    /// What newcomers may be given.
    #[serde(rename = "y")]
    pub history: History,
    /// The hash of the sealed document of what grows with members, once there is one.
    #[serde(rename = "d")]
    pub document: Option<Hash>,
    /// The number of the group's MLS cipher suite.
    #[serde(rename = "s")]
    pub suite: u16,
}

impl Body for Policy {
    const MAX_BYTES: usize = 16 * 1024;

    fn check(&self) -> Result<(), DecodeError> {
        let ascending = self.seats.iter().zip(self.seats.iter().skip(1)).all(|(one, next)| one.account < next.account);
        if !ascending || self.seats.is_empty() || self.seats.len() > MAX_ACCOUNTS {
            return Err(DecodeError::OutOfBounds("seats"));
        }
        if self.name.len() > MAX_NAME || (self.kind != Kind::Group && !self.name.is_empty()) {
            return Err(DecodeError::OutOfBounds("name"));
        }
        if let Home::Relay(address) = &self.home {
            address.check()?;
        }
        match (self.kind, self.seats.as_slice()) {
            (Kind::Own, [seat]) if self.conversation == own_conversation(seat.account) => Ok(()),
            (Kind::Direct, [one, other]) if self.conversation == direct_conversation(one.account, other.account) => {
                Ok(())
            }
            (Kind::Group, _) => Ok(()),
            (Kind::Own | Kind::Direct, _) => Err(DecodeError::OutOfBounds("conversation")),
        }
    }
}

impl Policy {
    /// Its name in the chain of policies.
    pub fn hash(&self) -> Hash {
        hash("kith/policy/1", &[&self.encode()])
    }

    /// The seat of an account.
    pub fn seat(&self, account: AccountId) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.account == account)
    }

    /// Whether an account may change who belongs here, the name and the home. Where the last admin has left, all may.
    pub fn is_admin(&self, account: AccountId) -> bool {
        let orphaned = !self.seats.iter().any(|seat| seat.role == Role::Admin);
        self.seat(account).is_some_and(|seat| orphaned || seat.role == Role::Admin)
    }

    /// Seats an account, or replaces its seat.
    pub fn seat_account(&mut self, seat: Seat) {
        self.unseat(seat.account);
        let place = self.seats.partition_point(|other| other.account < seat.account);
        self.seats.insert(place, seat);
    }

    /// Takes an account's seat away.
    pub fn unseat(&mut self, account: AccountId) {
        self.seats.retain(|seat| seat.account != account);
    }

    /// The policy that follows within the same group, until something in it is changed: it names this one.
    pub fn next(&self, log: LogHead) -> Self {
        Self { predecessor: Some(self.hash()), log, ..self.clone() }
    }
}

/// The id of an account's conversation with itself.
pub fn own_conversation(account: AccountId) -> ConversationId {
    ConversationId::new(*hash("kith/self/1", &[account.as_ref()]).as_bytes())
}

/// The id of the conversation of two accounts, whoever writes first.
pub fn direct_conversation(one: AccountId, other: AccountId) -> ConversationId {
    let (lower, higher) = (one.min(other), one.max(other));
    ConversationId::new(*hash("kith/dm/1", &[lower.as_ref(), higher.as_ref()]).as_bytes())
}
