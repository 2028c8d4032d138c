//! The relay's rows. A key is the table's number and then ids, numbers (big endian) and hashes, never what a person wrote; a value
//! begins with its format number.
//!
//! | number | table | key | value |
//! |---|---|---|---|
//! | 1 | life | | [`Life`]: which life of the relay this is |
//! | 2 | account | account id | [`Account`] |
//! | 3 | record | account id | the newest account record, as received |
//! | 4 | credential | account id | [`Credential`]: OPAQUE registration, vault and the recovery code's public key, replaced together |
//! | 5 | handle | hash of the handle | account id |
//! | 6 | skeleton | hash of the handle's skeleton | account id |
//! | 7 | device | device id | [`Device`] |
//! | 8 | peer | transport key | device id |
//! | 9 | key package | device id ‖ number (u64) | a key package, as received |
//! | 10 | key packages | device id | [`KeyPackages`]: how many, and the last resort |
//! | 11 | token | hash of the token | [`TokenRow`] |
//! | 12 | account token | account id ‖ hash of the token | |
//! | 13 | mailbox | device id | [`MailboxRow`] |
//! | 14 | queue | device id ‖ queue ‖ number (u64) | [`Item`] |
//! | 15 | seen | device id ‖ queue ‖ envelope id | |
//! | 16 | body | hash of the envelope | an envelope that waits in several mailboxes, as received |
//! | 17 | references | hash of the envelope | [`References`]: in how many |
//! | 18 | due | time (u64) ‖ key of a row that ends then | |
//! | 19 | origin | account id ‖ hash of a peer or an address | [`Origin`]: contact requests from there |
//! | 20 | used challenge | challenge | [`Used`] |
//! | 21 | list | hash of the list | [`List`] |
//! | 22 | address | blinded name | [`Address`] |
//! | 23 | home | group id | [`kith_core::home::State`] |
//! | 24 | home entry | group id ‖ index (u64) | [`UnverifiedEntry`](kith_core::wire::log::UnverifiedEntry) without its blob |
//! | 25 | home blob | group id ‖ index (u64) | the blob |
//! | 26 | invitation | hash of the code | [`Until`] |
//! | 27 | garbage | device id ‖ queue | : a queue whose device is gone |
//! | 28 | blob | name of an attachment | [`BlobRow`] |
//! | 29 | blob use | account id, or nothing for all | [`BlobUse`]: bytes of attachments that are kept |
//!
//! Numbers are never reused.

use kith_core::identity::PublicKey;
use kith_core::types::{AccountId, DeviceId, EnvelopeId, GroupId, Hash, Incarnation, Timestamp, Token};
use kith_core::wire::blob::MAX_READERS;
use kith_core::wire::codec::{Body, DecodeError, hash};
use kith_core::wire::relay::{MAX_LIST, Mailbox, Purpose};
use serde::{Deserialize, Serialize};

/// Format number of rows that are no [`Body`].
pub(super) const FORMAT: u8 = 1;

/// A table's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "the table of the module's documentation describes each")]
pub enum Table {
    Life = 1,
    Account = 2,
    Record = 3,
    Credential = 4,
    Handle = 5,
    Skeleton = 6,
    Device = 7,
    Peer = 8,
    KeyPackage = 9,
    KeyPackages = 10,
    Token = 11,
    AccountToken = 12,
    Mailbox = 13,
    Queue = 14,
    Seen = 15,
    Body = 16,
    References = 17,
    Due = 18,
    Origin = 19,
    UsedChallenge = 20,
    List = 21,
    Address = 22,
    Home = 23,
    HomeEntry = 24,
    HomeBlob = 25,
    Invitation = 26,
    Garbage = 27,
    Blob = 28,
    BlobUse = 29,
}

impl Table {
    /// Every table, by number.
    pub const ALL: [Self; 29] = [
        Self::Life,
        Self::Account,
        Self::Record,
        Self::Credential,
        Self::Handle,
        Self::Skeleton,
        Self::Device,
        Self::Peer,
        Self::KeyPackage,
        Self::KeyPackages,
        Self::Token,
        Self::AccountToken,
        Self::Mailbox,
        Self::Queue,
        Self::Seen,
        Self::Body,
        Self::References,
        Self::Due,
        Self::Origin,
        Self::UsedChallenge,
        Self::List,
        Self::Address,
        Self::Home,
        Self::HomeEntry,
        Self::HomeBlob,
        Self::Invitation,
        Self::Garbage,
        Self::Blob,
        Self::BlobUse,
    ];

    /// The table of a stored key.
    pub fn of(key: &[u8]) -> Option<Self> {
        let number = *key.first()?;
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }

    /// A stored key of this table.
    pub fn key(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![self as u8];
        for part in parts {
            key.extend_from_slice(part);
        }
        key
    }
}

/// The key of a device's rows of a queue, up to the number or the envelope's id.
pub(super) fn queue_prefix(table: Table, device: DeviceId, queue: Incarnation) -> Vec<u8> {
    table.key(&[device.as_ref(), queue.as_ref()])
}

pub(super) fn item_key(device: DeviceId, queue: Incarnation, number: u64) -> Vec<u8> {
    Table::Queue.key(&[device.as_ref(), queue.as_ref(), &number.to_be_bytes()])
}

pub(super) fn seen_key(device: DeviceId, queue: Incarnation, envelope: EnvelopeId) -> Vec<u8> {
    Table::Seen.key(&[device.as_ref(), queue.as_ref(), envelope.as_ref()])
}

pub(super) fn due_key(at: Timestamp, row: &[u8]) -> Vec<u8> {
    Table::Due.key(&[&at.0.to_be_bytes(), row])
}

pub(super) fn entry_key(table: Table, group: GroupId, index: u64) -> Vec<u8> {
    table.key(&[group.as_ref(), &index.to_be_bytes()])
}

/// The name of a handle or its skeleton in a key.
pub(super) fn name_key(table: Table, name: &str) -> Vec<u8> {
    table.key(&[hash("kith/relay-name/1", &[name.as_bytes()]).as_ref()])
}

/// The key of an invitation.
pub(super) fn invitation_key(code: &Token) -> Vec<u8> {
    Table::Invitation.key(&[hash("kith/invitation/1", &[code.as_ref()]).as_ref()])
}

/// The last `N` bytes of a key as an array.
pub(super) fn tail<const N: usize>(key: &[u8]) -> Option<[u8; N]> {
    key.len().checked_sub(N).and_then(|at| key.get(at..)).and_then(|tail| tail.try_into().ok())
}

/// An id row's value: the format number and the id.
pub(super) fn id_value(id: &[u8]) -> Vec<u8> {
    [&[FORMAT], id].concat()
}

/// The id in such a value.
pub(super) fn id_of<'a, T: TryFrom<&'a [u8]>>(value: &'a [u8]) -> Option<T> {
    value.split_first().filter(|(format, _)| **format == FORMAT).and_then(|(_, id)| T::try_from(id).ok())
}

macro_rules! row {
    ($($(#[$doc:meta])* $name:ident($max:expr) { $($(#[$field_doc:meta])* $field:ident as $short:literal: $kind:ty,)* })*) => {
        $($(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(rename = $short)] pub $field: $kind,)*
        }

        impl Body for $name {
            const MAX_BYTES: usize = $max;
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        })*
    };
}

row! {
    /// Which life of the relay this is; raised when it was restored from a copy.
    Life(64) {
        /// Mixed into every queue's incarnation, so that cursors of an earlier life mean nothing.
        epoch as "e": Incarnation,
        /// The term of log entries.
        term as "t": u32,
    }

    /// An account.
    Account(16 * 1024) {
        /// Its handle; shown to the operator only.
        handle as "h": String,
        /// The version of its newest record.
        version as "v": u64,
        /// That record's hash.
        hash as "r": Hash,
        /// Its devices.
        devices as "d": Vec<DeviceId>,
        /// How many tokens it has issued and not revoked.
        tokens as "t": u32,
        /// When it signed up.
        created as "c": Timestamp,
    }

    /// What a log-in needs. The registration is sealed to the relay's OPAQUE secrets, the vault to password and recovery code.
    Credential(128 * 1024) {
        /// The OPAQUE password file.
        registration as "m": serde_bytes::ByteBuf,
        /// The vault blob.
        vault as "v": serde_bytes::ByteBuf,
        /// Who has the recovery code signs with the other half.
        recovery as "y": PublicKey,
        /// Its version; 1 at first.
        version as "n": u64,
    }

    /// A device.
    Device(256) {
        /// Whose.
        account as "a": AccountId,
        /// Its transport key.
        peer as "p": Hash,
    }

    /// Which key packages of a device there are.
    KeyPackages(32 * 1024) {
        /// The number of the first that is left.
        first as "f": u64,
        /// The number of the next to come.
        next as "n": u64,
        /// Given out when no other is left.
        last_resort as "l": Option<serde_bytes::ByteBuf>,
        /// Whether it was.
        last_resort_used as "u": bool,
    }

    /// A token that may be used.
    TokenRow(128) {
        /// Whose.
        account as "a": AccountId,
        /// For what.
        purpose as "p": Purpose,
    }

    /// A mailbox.
    MailboxRow(256) {
        /// This life of the queue.
        queue as "q": Incarnation,
        /// All before it are acknowledged.
        first as "f": u64,
        /// The next number.
        next as "n": u64,
        /// Envelopes that wait, contact requests not counted.
        count as "c": u64,
        /// Their bytes.
        bytes as "b": u64,
        /// Contact requests that wait.
        requests as "r": u64,
    }

    /// An envelope in a queue.
    Item(kith_core::wire::envelope::MAX_PACKET + 1024) {
        /// The envelope's id.
        id as "i": EnvelopeId,
        /// Until when it waits.
        until as "u": Timestamp,
        /// Its size in bytes.
        size as "s": u64,
        /// Whether it is a contact request.
        request as "r": bool,
        /// The envelope, or nothing when it stands in the body table.
        inline as "e": Option<serde_bytes::ByteBuf>,
        /// Its hash, when it stands there.
        body as "b": Option<Hash>,
    }

    /// In how many queues a body waits.
    References(32) {
        /// So many.
        count as "n": u64,
    }

    /// Contact requests to an account from one peer or address.
    Origin(64) {
        /// So many.
        count as "n": u32,
        /// Forgotten then.
        until as "u": Timestamp,
    }

    /// A challenge that was solved.
    Used(128) {
        /// By this envelope.
        envelope as "i": EnvelopeId,
        /// Forgotten then.
        until as "u": Timestamp,
    }

    /// A list of mailboxes.
    List(MAX_LIST * 128) {
        /// The mailboxes.
        mailboxes as "m": Vec<Mailbox>,
        /// Forgotten then.
        until as "u": Timestamp,
    }

    /// Addresses under a blinded name.
    Address(2048) {
        /// Who put them there.
        device as "d": DeviceId,
        /// The addresses.
        sealed as "s": serde_bytes::ByteBuf,
        /// Forgotten then.
        until as "u": Timestamp,
    }

    /// An attachment that waits for its readers.
    BlobRow(MAX_READERS * 40 + 512) {
        /// Whose.
        owner as "a": AccountId,
        /// The hash of what its readers show.
        capability as "c": Hash,
        /// Names the list of its chunks.
        list as "l": Hash,
        /// Bytes of its sealed chunks.
        sealed_bytes as "z": u64,
        /// How many chunks it has.
        chunks as "k": u32,
        /// Who does not have it yet, ascending.
        readers as "r": Vec<Hash>,
        /// Kept until then.
        until as "u": Timestamp,
    }

    /// What is kept of attachments.
    BlobUse(32) {
        /// So many bytes.
        bytes as "b": u64,
    }

    /// Something that ends.
    Until(32) {
        /// Then.
        until as "u": Timestamp,
    }
}

/// What a check of the whole store has to know of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// A mailbox and what it counts; `queue` names the queue as its items' keys do.
    Mailbox { queue: Vec<u8>, count: u64, bytes: u64, requests: u64 },
    /// An envelope in a queue.
    Item { queue: Vec<u8>, size: u64, request: bool, body: Option<Vec<u8>> },
    /// How many items refer to a body.
    References { body: Vec<u8>, count: u64 },
    /// An attachment, and whose it is.
    Blob { owner: Vec<u8>, bytes: u64 },
    /// What is counted of an account's attachments; of all without an account.
    BlobUse { owner: Vec<u8>, bytes: u64 },
    /// Anything else.
    Other,
}

/// Reads a row as its table wants it.
///
/// # Errors
/// [`DecodeError`] when it is not what the table holds.
pub(crate) fn check_row(key: &[u8], value: &[u8]) -> Result<Checked, DecodeError> {
    let place = key.get(1..).unwrap_or_default();
    match Table::of(key) {
        Some(Table::Life) => Life::decode(value).map(other),
        Some(Table::Account) => Account::decode(value).map(other),
        Some(Table::Credential) => Credential::decode(value).map(other),
        Some(Table::Device) => Device::decode(value).map(other),
        Some(Table::KeyPackages) => KeyPackages::decode(value).map(other),
        Some(Table::Token) => TokenRow::decode(value).map(other),
        Some(Table::Mailbox) => MailboxRow::decode(value).map(|row| Checked::Mailbox {
            queue: [place, row.queue.as_ref()].concat(),
            count: row.count,
            bytes: row.bytes,
            requests: row.requests,
        }),
        Some(Table::Queue) => Item::decode(value).map(|item| Checked::Item {
            queue: place.get(..place.len().saturating_sub(8)).unwrap_or_default().to_vec(),
            size: item.size,
            request: item.request,
            body: item.body.map(|body| body.as_bytes().to_vec()),
        }),
        Some(Table::References) => {
            References::decode(value).map(|row| Checked::References { body: place.to_vec(), count: row.count })
        }
        Some(Table::Origin) => Origin::decode(value).map(other),
        Some(Table::UsedChallenge) => Used::decode(value).map(other),
        Some(Table::List) => List::decode(value).map(other),
        Some(Table::Address) => Address::decode(value).map(other),
        Some(Table::Home) => kith_core::home::State::decode(value).map(other),
        Some(Table::Blob) => BlobRow::decode(value)
            .map(|row| Checked::Blob { owner: row.owner.as_bytes().to_vec(), bytes: row.sealed_bytes }),
        Some(Table::BlobUse) => {
            BlobUse::decode(value).map(|row| Checked::BlobUse { owner: place.to_vec(), bytes: row.bytes })
        }
        Some(Table::Invitation) => Until::decode(value).map(other),
        Some(Table::Record) => match kith_core::identity::AccountRecord::decode_verified(value) {
            Ok(_) => Ok(Checked::Other),
            Err(error) => Err(DecodeError::Malformed(error.to_string())),
        },
        _ if value.is_empty() => Err(DecodeError::Empty),
        _ => Ok(Checked::Other),
    }
}

fn other<T>(_: T) -> Checked {
    Checked::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_tables_never_change() {
        let numbers: Vec<u8> = Table::ALL.iter().map(|table| *table as u8).collect();
        assert_eq!(numbers, (1..=29).collect::<Vec<u8>>());
        assert!(Table::ALL.iter().all(|table| Table::of(&table.key(&[b"x"])) == Some(*table)));
        assert_eq!((Table::of(&[]), Table::of(&[0]), Table::of(&[30])), (None, None, None));
    }

    #[test]
    fn debug_shows_nothing_of_a_row() {
        let row = Credential {
            registration: vec![1].into(),
            vault: vec![2].into(),
            recovery: PublicKey::new([3; 32]),
            version: 4,
        };
        assert_eq!(format!("{row:?}"), "Credential(…)");
    }
}
