//! What a relay decides: one request in, one batch of rows and one response out.
//!
//! The driver makes the batch durable **before** it sends the response and the pushes; if that fails it answers
//! [`Refusal::TryLater`] and nothing has happened. It opens no socket, reads no clock and draws no randomness of its own.
//!
//! In the process are only: rate buckets, log-ins under way (a minute, bound to one connection) and which devices listen. A second
//! node of the same relay would need none of them; everything else is rows ([`rows`] has the table).
//!
//! Invariants: a request changes rows only through its batch; a refused request changes none; every table is bounded by a limit of
//! [`Limits`] or expires; nothing is scanned at the start. Source: DESIGN §4 and §6, `docs/adr/0007-relay-domain.md`.

mod account;
mod address;
mod blob;
mod delivery;
mod directory;
mod expiry;
mod home_log;
mod key_package;
mod limits;
mod list;
mod mailbox;
pub mod operator;
mod quota;
mod recent;
mod request_slot;
pub mod rows;
mod token;
mod tx;

use std::collections::BTreeMap;
use std::net::IpAddr;

use kith_core::identity::RelayKey;
use kith_core::types::{DeviceId, Rng, Timestamp};
use kith_core::wire::relay::{Hello, Refusal, Request, Response};

pub use blob::{BlobAsk, BlobFacts, BlobOutcome, is_kept};
pub use delivery::{Delivered, Delivery};
pub use limits::{BlobLimits, Federation, InvalidNetwork, Limits, Network, Rate, Registration, Settings};
pub use tx::{Batch, MemoryRows, ReadError, RelayRead, Row};

use account::Logins;
use quota::Rates;
use recent::Recent;
use tx::Tx;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The Ed25519 public key of the connection's libp2p identity: what the connection itself proves. Whether it is signed in is
    /// looked up in the account records.
    pub peer: [u8; 32],
    /// Where the connection comes from; none over a circuit or inside a simulation.
    pub address: Option<IpAddr>,
}

/// What a request makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Rows to make durable first; often empty.
    pub batch: Batch,
    /// Then this is the answer.
    pub response: Response,
    /// And these are sent, in order.
    pub pushes: Vec<Delivery>,
}

/// The relay's keys as the domain needs them.
#[derive(Debug)]
pub struct Keys {
    /// Signs log entries; accounts name it.
    pub identity: RelayKey,
    /// OPAQUE's server side.
    pub opaque: kith_core::identity::opaque::ServerSetup,
    /// Authenticates the challenges of contact requests.
    pub challenge: kith_core::identity::Seed,
}

/// The domain of one relay.
#[derive(Debug)]
pub struct Relay {
    settings: Settings,
    keys: Keys,
    rates: Rates,
    logins: Logins,
    /// Devices that fetched everything on the connection of this transport key and are pushed what comes.
    listening: BTreeMap<DeviceId, [u8; 32]>,
    recent: Recent,
}

impl Relay {
    /// A relay over any rows; it reads none of them now.
    pub fn new(settings: Settings, keys: Keys) -> Self {
        let rates = Rates::new(&settings.limits);
        let (logins, recent) = (Logins::default(), Recent::default());
        Self { settings, keys, rates, logins, listening: BTreeMap::new(), recent }
    }

    /// Answers a request. Never fails: what goes wrong is a [`Refusal`] in the response.
    pub fn handle(
        &mut self,
        now: Timestamp,
        rng: &mut Rng,
        caller: Caller,
        read: &impl RelayRead,
        request: Request,
    ) -> Outcome {
        let mut tx = Tx::new(read, now);
        match self.dispatch(&mut tx, rng, caller, request) {
            Ok(response) => {
                let (batch, pushes) = tx.finish();
                Outcome { batch, response, pushes }
            }
            Err(refusal) => {
                Outcome { batch: Batch::default(), response: Response::Refused(refusal), pushes: Vec::new() }
            }
        }
    }

    /// A connection of this transport key has ended: its device is pushed nothing any more.
    pub fn disconnected(&mut self, peer: [u8; 32]) {
        self.listening.retain(|_, listener| *listener != peer);
        self.logins.forget(peer);
    }

    /// Whether a device listens.
    pub fn is_listening(&self, device: DeviceId) -> bool {
        self.listening.contains_key(&device)
    }

    /// Deletes what is out of date, at most `steps` things; to be called from a timer. The flag says whether more is due.
    pub fn expire(&mut self, now: Timestamp, read: &impl RelayRead, steps: usize) -> (Batch, bool) {
        self.logins.expire(now);
        let mut tx = Tx::new(read, now);
        let more = expiry::run(&mut tx, steps);
        (tx.finish().0, more)
    }

    /// What the relay says of itself.
    pub fn hello(&self, now: Timestamp) -> Hello {
        let limits = &self.settings.limits;
        let blobs = (limits.blobs.most() > 0).then_some("blobs");
        let features = ["accounts", "mailbox", "home", "addresses", "requests", "circuit"].into_iter().chain(blobs);
        Hello {
            key: self.keys.identity.relay_id().as_bytes().to_vec(),
            name: self.settings.name.clone(),
            features: features.map(String::from).collect(),
            max_blob_bytes: limits.blobs.most(),
            max_envelope_bytes: limits.envelope_bytes,
            mailbox_bytes: limits.mailbox_bytes,
            keep_s: limits.keep_s,
            wall: now,
        }
    }

    /// Settings it runs with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn dispatch(
        &mut self,
        tx: &mut Tx<'_>,
        rng: &mut Rng,
        caller: Caller,
        request: Request,
    ) -> Result<Response, Refusal> {
        self.rates.request(&caller, tx.now)?;
        match request {
            Request::Hello => Ok(Response::Hello(self.hello(tx.now))),
            Request::RegisterStart { handle, message } => self.register_start(tx, caller, &handle, &message),
            Request::RegisterFinish { handle, message, stretching, vault, recovery, record, invitation } => {
                let sign_up = account::SignUp { handle, message, stretching, vault, recovery, record, invitation };
                self.register_finish(tx, rng, caller, sign_up)
            }
            Request::LoginStart { handle, message } => self.login_start(tx, rng, caller, &handle, &message),
            Request::LoginFinish { login, message } => self.login_finish(tx, caller, login, &message),
            Request::RecoverStart { handle } => self.recover_start(tx, rng, caller, &handle),
            Request::RecoverFinish { challenge, proof } => self.recover_finish(tx, caller, challenge, &proof),
            Request::ChangePassword { expected, message, stretching, vault, recovery, record } => {
                let record = record.map(serde_bytes::ByteBuf::into_vec);
                let new = account::NewPassword { message, stretching, vault, recovery, record };
                self.change_password(tx, rng, caller, expected, new)
            }
            Request::Lookup { handle } => self.lookup(tx, &handle),
            Request::GetRecord { account } => directory::get_record(tx, account),
            Request::PutRecord { record } => directory::put_record(tx, rng, &record),
            Request::PutKeyPackages { packages, last_resort } => {
                self.put_key_packages(tx, caller, packages, last_resort)
            }
            Request::CountKeyPackages => key_package::count(tx, caller),
            Request::TakeKeyPackages { account, token } => self.take_key_packages(tx, account, token),
            Request::IssueTokens { tokens } => self.issue_tokens(tx, caller, &tokens),
            Request::RevokeTokens { tokens } => token::revoke(tx, caller, &tokens),
            Request::RequestChallenge { account } => self.request_challenge(tx, rng, caller, account),
            Request::DepositRequest { account, challenge, work, envelope } => {
                self.deposit_request(tx, caller, account, request_slot::Work { challenge, work }, envelope)
            }
            Request::DefineList { mailboxes } => self.define_list(tx, caller, &mailboxes),
            Request::Deposit { to, envelope } => self.deposit(tx, caller, to, envelope),
            Request::Fetch { from } => self.fetch(tx, caller, from),
            Request::Acknowledge { from, upto } => self.acknowledge(tx, caller, from, upto),
            Request::PutAddress { name, sealed, ttl_s } => self.put_address(tx, caller, name, sealed, ttl_s),
            Request::GetAddress { name } => address::get(tx, name),
            Request::Home(request) => self.home(tx, caller, request),
        }
    }
}
