//! What a device and a relay say to each other.
//!
//! A connection is authenticated by its libp2p peer id; a relay knows a device by the transport key that its account's record
//! certifies. Requests marked *own* act for that device and its account; the others carry a token or need none.

mod push;
mod refusal;

use serde::{Deserialize, Serialize};

use super::codec::{Body, DecodeError, at_most};
use super::log;
use crate::identity::{PublicKey, Signature, Stretching};
use crate::types::{AccountId, DeviceId, EnvelopeId, Hash, Incarnation, Timestamp, Token};

pub use push::{Push, PushAnswer};
pub use refusal::Refusal;

/// The most bytes of a request: an envelope, or a commit for the home's log.
pub const MAX_REQUEST: usize = log::MAX_BLOB + 4096;

/// The most bytes of a response: log entries, or a batch of envelopes.
pub const MAX_RESPONSE: usize = 2 * log::MAX_BLOB;

/// The most mailboxes in one list.
pub const MAX_LIST: usize = 1024;

/// The most key packages uploaded at once; one is about 3 kB.
pub const MAX_KEY_PACKAGES: usize = 100;

/// A mailbox as a depositor names it: the device, and the token that its owner issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mailbox {
    /// Whose.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// By what right.
    #[serde(rename = "t")]
    pub token: Token,
}

/// A place in a mailbox: numbers mean nothing across incarnations of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which life of the queue; another one means that it was lost and begun anew.
    #[serde(rename = "i")]
    pub queue: Incarnation,
    /// The next number.
    #[serde(rename = "n")]
    pub next: u64,
}

/// An envelope in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its number in the queue.
    #[serde(rename = "n")]
    pub number: u64,
    /// The encoded [`super::envelope::Envelope`].
    #[serde(rename = "e", with = "serde_bytes")]
    pub envelope: Vec<u8>,
}

/// What a device asks of a relay.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Features, limits and the relay's key.
    #[serde(rename = "hi")]
    Hello,
    /// OPAQUE registration, first message (RFC 9807 §5).
    #[serde(rename = "rs")]
    RegisterStart {
        /// The handle's local part.
        #[serde(rename = "h")]
        handle: String,
        /// `RegistrationRequest`.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// OPAQUE registration, second message, with the account itself; all stored in one transaction.
    #[serde(rename = "rf")]
    RegisterFinish {
        /// The handle's local part.
        #[serde(rename = "h")]
        handle: String,
        /// `RegistrationRecord`.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
        /// The parameters that the client stretched with.
        #[serde(rename = "k")]
        stretching: Stretching,
        /// The vault blob.
        #[serde(rename = "v", with = "serde_bytes")]
        vault: Vec<u8>,
        /// The first account record; its devices include the asking peer.
        #[serde(rename = "r", with = "serde_bytes")]
        record: Vec<u8>,
        /// The public half of the recovery code's key for this handle here.
        #[serde(rename = "y")]
        recovery: PublicKey,
        /// Where registration needs one: a code that the relay's operator gave out, good once.
        #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
        invitation: Option<Token>,
    },
    /// OPAQUE log-in, first message (`KE1`).
    #[serde(rename = "ls")]
    LoginStart {
        /// The handle's local part.
        #[serde(rename = "h")]
        handle: String,
        /// `KE1`.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// OPAQUE log-in, last message (`KE3`).
    #[serde(rename = "lf")]
    LoginFinish {
        /// From [`Response::LoginStarted`].
        #[serde(rename = "i")]
        login: Token,
        /// `KE3`.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// The password is forgotten: asks for a challenge to the recovery code.
    #[serde(rename = "vs")]
    RecoverStart {
        /// The handle's local part.
        #[serde(rename = "h")]
        handle: String,
    },
    /// The answer to it, which counts as a log-in.
    #[serde(rename = "vf")]
    RecoverFinish {
        /// From [`Response::RecoverStarted`].
        #[serde(rename = "c")]
        challenge: Token,
        /// [`crate::identity::RecoveryCode::prove`].
        #[serde(rename = "s")]
        proof: Signature,
    },
    /// After a log-in on this connection: replaces what logs in, and what belongs to it, together.
    #[serde(rename = "cp")]
    ChangePassword {
        /// The vault's version that is replaced.
        #[serde(rename = "e")]
        expected: u64,
        /// The new `RegistrationRecord`.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
        /// The parameters that the client stretched with.
        #[serde(rename = "k")]
        stretching: Stretching,
        /// The new vault blob.
        #[serde(rename = "v", with = "serde_bytes")]
        vault: Vec<u8>,
        /// The public half of a new recovery code's key; without it the old code stays.
        #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
        recovery: Option<PublicKey>,
        /// A newer account record, with the device on which the account was recovered.
        #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
        record: Option<serde_bytes::ByteBuf>,
    },
    /// The record behind a handle.
    #[serde(rename = "lu")]
    Lookup {
        /// The handle's local part.
        #[serde(rename = "h")]
        handle: String,
    },
    /// The newest record of an account that is at home here.
    #[serde(rename = "gr")]
    GetRecord {
        /// Whose.
        #[serde(rename = "a")]
        account: AccountId,
    },
    /// A newer record, signed by the root key, so that who brings it does not matter.
    #[serde(rename = "pr")]
    PutRecord {
        /// The encoded record.
        #[serde(rename = "r", with = "serde_bytes")]
        record: Vec<u8>,
    },
    /// *Own*: key packages for this device.
    #[serde(rename = "pk")]
    PutKeyPackages {
        /// Used once each.
        #[serde(rename = "p")]
        packages: Vec<serde_bytes::ByteBuf>,
        /// Given out when no other is left, and to be replaced after that.
        #[serde(rename = "l")]
        last_resort: Option<serde_bytes::ByteBuf>,
    },
    /// *Own*: how many are left.
    #[serde(rename = "ck")]
    CountKeyPackages,
    /// One key package of each device of an account, against a token.
    #[serde(rename = "tk")]
    TakeKeyPackages {
        /// Whose.
        #[serde(rename = "a")]
        account: AccountId,
        /// By what right.
        #[serde(rename = "t")]
        token: Token,
    },
    /// *Own*: tokens that others may use from now on.
    #[serde(rename = "it")]
    IssueTokens {
        /// What they may be used for, and the token's hash: `hash("kith/token/1", [token])`.
        #[serde(rename = "t")]
        tokens: Vec<(Purpose, Hash)>,
    },
    /// *Own*: tokens that nobody may use any more.
    #[serde(rename = "rt")]
    RevokeTokens {
        /// Their hashes.
        #[serde(rename = "t")]
        tokens: Vec<Hash>,
    },
    /// What a contact request to this account costs now.
    #[serde(rename = "rc")]
    RequestChallenge {
        /// To whom.
        #[serde(rename = "a")]
        account: AccountId,
    },
    /// A contact request, with the work done.
    #[serde(rename = "dr")]
    DepositRequest {
        /// To whom.
        #[serde(rename = "a")]
        account: AccountId,
        /// From [`Response::Challenge`].
        #[serde(rename = "c")]
        challenge: Token,
        /// The nonce that solves it: [`work_hash`].
        #[serde(rename = "w")]
        work: u64,
        /// An encoded envelope with a sealed card.
        #[serde(rename = "e", with = "serde_bytes")]
        envelope: Vec<u8>,
    },
    /// A list of mailboxes, named by its hash from then on: [`list_hash`].
    #[serde(rename = "dl")]
    DefineList {
        /// The mailboxes, ascending.
        #[serde(rename = "m")]
        mailboxes: Vec<Mailbox>,
    },
    /// One envelope for all mailboxes of a list.
    #[serde(rename = "de")]
    Deposit {
        /// Where to.
        #[serde(rename = "t")]
        to: Destination,
        /// The encoded envelope.
        #[serde(rename = "e", with = "serde_bytes")]
        envelope: Vec<u8>,
    },
    /// *Own*: what waits in this device's mailbox; from then on the relay pushes what comes, while the device is connected.
    #[serde(rename = "fe")]
    Fetch {
        /// From here; none to begin.
        #[serde(rename = "c")]
        from: Option<Cursor>,
    },
    /// *Own*: what came from here up to there is durable at the device and may go. What lies before stays: an answer with it may have
    /// been lost while later envelopes were pushed.
    #[serde(rename = "ac")]
    Acknowledge {
        /// The number of the first envelope that came.
        #[serde(rename = "f")]
        from: u64,
        /// The cursor that came with them: all before it.
        #[serde(rename = "c")]
        upto: Cursor,
    },
    /// *Own*: this device's addresses for its contacts, under a blinded name, sealed.
    #[serde(rename = "pa")]
    PutAddress {
        /// The blinded name.
        #[serde(rename = "n")]
        name: Hash,
        /// Sealed and signed addresses, 1 KiB at most.
        #[serde(rename = "s", with = "serde_bytes")]
        sealed: Vec<u8>,
        /// Kept so many seconds, a day at most.
        #[serde(rename = "t")]
        ttl_s: u32,
    },
    /// What was put under a blinded name.
    #[serde(rename = "ga")]
    GetAddress {
        /// The blinded name.
        #[serde(rename = "n")]
        name: Hash,
    },
    /// To the homes kept here.
    #[serde(rename = "ho")]
    Home(log::Request),
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// Deposits in the account's mailboxes.
    #[serde(rename = "d")]
    Delivery,
    /// Key packages of the account's devices.
    #[serde(rename = "k")]
    KeyPackages,
}

/// Where a deposit goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// The mailboxes themselves.
    #[serde(rename = "m")]
    Mailboxes(Vec<Mailbox>),
    /// A list defined before.
    #[serde(rename = "l")]
    List(Hash),
}

/// Why one mailbox did or did not take an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deposited {
    /// Durable there (or given to the device, for what is live only).
    #[serde(rename = "k")]
    Taken,
    /// The token is not, or no longer, good for it; or there is no such device.
    #[serde(rename = "t")]
    Forbidden,
    /// The mailbox is full.
    #[serde(rename = "f")]
    Full,
    /// Too many deposits by this token in a short time.
    #[serde(rename = "r")]
    TooFast,
    /// A live-only envelope for a device that is away.
    #[serde(rename = "a")]
    Away,
}

/// What a relay answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// Done.
    #[serde(rename = "ok")]
    Done,
    /// To [`Request::Hello`].
    #[serde(rename = "hi")]
    Hello(Hello),
    /// OPAQUE `RegistrationResponse`.
    #[serde(rename = "rs")]
    RegisterStarted {
        /// The message.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
    },
    /// OPAQUE `KE2`.
    #[serde(rename = "ls")]
    LoginStarted {
        /// Names this attempt.
        #[serde(rename = "i")]
        login: Token,
        /// `KE2`.
        #[serde(rename = "m", with = "serde_bytes")]
        message: Vec<u8>,
        /// What this account's password is stretched with.
        #[serde(rename = "k")]
        stretching: Stretching,
    },
    /// What the recovery code's key is to sign.
    #[serde(rename = "vs")]
    RecoverStarted {
        /// Good for a minute, once, and on this connection.
        #[serde(rename = "c")]
        challenge: Token,
    },
    /// Logged in, by password or recovery code.
    #[serde(rename = "lf")]
    LoggedIn {
        /// The vault blob.
        #[serde(rename = "v", with = "serde_bytes")]
        vault: Vec<u8>,
        /// Its version.
        #[serde(rename = "n")]
        version: u64,
        /// The account's newest record.
        #[serde(rename = "r", with = "serde_bytes")]
        record: Vec<u8>,
    },
    /// An account record.
    #[serde(rename = "re")]
    Record {
        /// The encoded record.
        #[serde(rename = "r", with = "serde_bytes")]
        record: Vec<u8>,
    },
    /// How many key packages are left, and whether the last resort was given out.
    #[serde(rename = "ck")]
    KeyPackagesLeft {
        /// One-time packages left.
        #[serde(rename = "n")]
        count: u32,
        /// Whether the last resort must be replaced.
        #[serde(rename = "l")]
        last_resort_used: bool,
    },
    /// One package a device.
    #[serde(rename = "tk")]
    KeyPackages {
        /// By device.
        #[serde(rename = "p")]
        packages: Vec<(DeviceId, serde_bytes::ByteBuf)>,
    },
    /// What a contact request costs.
    #[serde(rename = "rc")]
    Challenge {
        /// To be named in the request, good for ten minutes and once.
        #[serde(rename = "c")]
        challenge: Token,
        /// Leading zero bits that [`work_hash`] must have.
        #[serde(rename = "b")]
        bits: u8,
    },
    /// One result a mailbox, in the order of the list.
    #[serde(rename = "de")]
    Deposited {
        /// The results.
        #[serde(rename = "r")]
        results: Vec<Deposited>,
    },
    /// The list is not known here: define it first.
    #[serde(rename = "ul")]
    UnknownList,
    /// What waits in the mailbox.
    #[serde(rename = "fe")]
    Waiting {
        /// The queue, and the number to ask for next.
        #[serde(rename = "c")]
        cursor: Cursor,
        /// Oldest first, as many as fit.
        #[serde(rename = "e")]
        envelopes: Vec<Stored>,
        /// More waits.
        #[serde(rename = "m")]
        more: bool,
    },
    /// Sealed addresses.
    #[serde(rename = "ga")]
    Address {
        /// As they were put.
        #[serde(rename = "s", with = "serde_bytes")]
        sealed: Vec<u8>,
    },
    /// A home's answer.
    #[serde(rename = "ho")]
    Home(log::Response),
    /// Refused, and why.
    #[serde(rename = "x")]
    Refused(Refusal),
}

/// What a relay says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its identity key (Ed25519), which signs log entries; accounts name it, nodes come and go.
    #[serde(rename = "k", with = "serde_bytes")]
    pub key: Vec<u8>,
    /// A short name for people; a hint.
    #[serde(rename = "n")]
    pub name: String,
    /// What it can do: `accounts`, `mailbox`, `home`, `circuit`, …
    #[serde(rename = "f")]
    pub features: Vec<String>,
    /// The most bytes of one envelope.
    #[serde(rename = "e")]
    pub max_envelope_bytes: u64,
    /// The most bytes in one mailbox.
    #[serde(rename = "q")]
    pub mailbox_bytes: u64,
    /// How long an envelope waits, in seconds.
    #[serde(rename = "d")]
    pub keep_s: u64,
    /// The most bytes of one sealed attachment; 0, or left out by an older relay, if it keeps none.
    #[serde(rename = "b", default)]
    pub max_blob_bytes: u64,
    /// Its clock, for the eye: a difference of more than ten minutes is told to the person.
    #[serde(rename = "w")]
    pub wall: Timestamp,
}

impl Body for Request {
    const MAX_BYTES: usize = MAX_REQUEST;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::PutKeyPackages { packages, .. } => at_most(packages, MAX_KEY_PACKAGES, "packages"),
            Self::IssueTokens { tokens } => at_most(tokens, MAX_LIST, "tokens"),
            Self::RevokeTokens { tokens } => at_most(tokens, MAX_LIST, "tokens"),
            Self::DefineList { mailboxes } | Self::Deposit { to: Destination::Mailboxes(mailboxes), .. } => {
                at_most(mailboxes, MAX_LIST, "mailboxes")
            }
            Self::Home(request) => request.check(),
            Self::RegisterStart { handle, .. }
            | Self::RegisterFinish { handle, .. }
            | Self::LoginStart { handle, .. }
            | Self::RecoverStart { handle }
            | Self::Lookup { handle }
                if handle.len() > 64 =>
            {
                Err(DecodeError::OutOfBounds("handle"))
            }
            _ => Ok(()),
        }
    }
}

impl Body for Response {
    const MAX_BYTES: usize = MAX_RESPONSE;

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Waiting { envelopes, .. } => at_most(envelopes, 1024, "envelopes"),
            Self::Deposited { results } => at_most(results, MAX_LIST, "results"),
            Self::KeyPackages { packages } => at_most(packages, 64, "packages"),
            Self::Home(response) => response.check(),
            _ => Ok(()),
        }
    }
}

/// The name of a list of mailboxes.
pub fn list_hash(mailboxes: &[Mailbox]) -> Hash {
    let mut parts: Vec<&[u8]> = Vec::with_capacity(mailboxes.len().saturating_mul(2));
    for mailbox in mailboxes {
        parts.push(mailbox.device.as_ref());
        parts.push(mailbox.token.as_ref());
    }
    super::codec::hash("kith/list/1", &parts)
}

/// The hash under which a relay keeps a token.
pub fn token_hash(token: &Token) -> Hash {
    super::codec::hash("kith/token/1", &[token.as_ref()])
}

/// The hash whose leading zero bits prove work: over the challenge, the envelope's id and the nonce.
pub fn work_hash(challenge: &Token, envelope: &EnvelopeId, work: u64) -> Hash {
    super::codec::hash("kith/work/1", &[challenge.as_ref(), envelope.as_ref(), &work.to_be_bytes()])
}

/// Leading zero bits of a hash.
pub fn leading_zero_bits(hash: &Hash) -> u32 {
    let mut bits = 0;
    for byte in hash.as_bytes() {
        bits += byte.leading_zeros();
        if *byte != 0 {
            break;
        }
    }
    bits
}

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Request {
    /// Its name, for logs and metrics; nothing that it carries.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::RegisterStart { .. } => "register_start",
            Self::RegisterFinish { .. } => "register_finish",
            Self::LoginStart { .. } => "login_start",
            Self::LoginFinish { .. } => "login_finish",
            Self::RecoverStart { .. } => "recover_start",
            Self::RecoverFinish { .. } => "recover_finish",
            Self::ChangePassword { .. } => "change_password",
            Self::Lookup { .. } => "lookup",
            Self::GetRecord { .. } => "get_record",
            Self::PutRecord { .. } => "put_record",
            Self::PutKeyPackages { .. } => "put_key_packages",
            Self::CountKeyPackages => "count_key_packages",
            Self::TakeKeyPackages { .. } => "take_key_packages",
            Self::IssueTokens { .. } => "issue_tokens",
            Self::RevokeTokens { .. } => "revoke_tokens",
            Self::RequestChallenge { .. } => "request_challenge",
            Self::DepositRequest { .. } => "deposit_request",
            Self::DefineList { .. } => "define_list",
            Self::Deposit { .. } => "deposit",
            Self::Fetch { .. } => "fetch",
            Self::Acknowledge { .. } => "acknowledge",
            Self::PutAddress { .. } => "put_address",
            Self::GetAddress { .. } => "get_address",
            Self::Home(_) => "home",
        }
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => write!(formatter, "Refused({refusal:?})"),
            Self::Deposited { results } => write!(formatter, "Deposited({results:?})"),
            _ => formatter.write_str("Response(…)"),
        }
    }
}
