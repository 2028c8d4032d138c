//! The account's side of the engine: who one is, whom one knows, and what others may use to reach one.
//!
//! It keeps contacts, contact requests, tokens, the stock of key packages, and the newest record of every account that was seen.
//! It knows no conversation: what a command means for one, it returns to the engine.
//!
//! Invariants: a record is replaced only by a newer one of its chain; what a contact may use is revoked in the batch that blocks
//! them; a stranger costs one bounded row.
//! Source: DESIGN §3 and §6.

mod card;
mod contact;
mod prekey;
mod recall;
mod record;
mod retry;
mod supply;

pub use card::{Accepted, Opened, WaitingRequest, waiting_request, waiting_requests};
pub use contact::{Contact, contact, contacts};
pub use prekey::OwnPrekey;
pub use record::known_record;
pub use supply::{Handled, SupplyLimits};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::identity::{AccountRecord, DeviceCertificate, DeviceKeys, LeafIdentity, RelayAddress};
use crate::mls::{LeafSigner, PrekeySecret, Suite};
use crate::store::{Scope, Table};
use crate::types::{AccountId, DeviceId, EnvelopeId, Incarnation, RequestId};
use crate::wire::codec::Body;
use crate::wire::message::Kind;

use super::turn::{EngineError, Turn, get};

/// Key of the row of [`Own`].
const OWN: &[u8] = b"own";
/// Key of the device's secret keys.
const KEYS: &[u8] = b"keys";

/// The longest handle kept, as `name@relay`; the relay's part may be a multiaddr.
const MAX_HANDLE: usize = 512;

/// What a new device of an account starts with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The device's keys.
    pub keys: DeviceKeys,
    /// The account's record, in which the device is certified.
    pub record: AccountRecord,
    /// The secrets of the record's prekeys.
    pub prekeys: Vec<OwnPrekey>,
    /// `name@relay`, if the account has a relay.
    pub handle: Option<String>,
    /// The suite of conversations that it creates.
    pub suite: Suite,
}

#[derive(Clone, Serialize, Deserialize)]
struct OwnRow {
    #[serde(rename = "r", with = "serde_bytes")]
    record: Vec<u8>,
    #[serde(rename = "h")]
    handle: Option<String>,
    #[serde(rename = "s")]
    suite: u16,
    #[serde(rename = "k")]
    prekeys: Vec<PrekeyRow>,
    #[serde(rename = "q")]
    queue: Option<Incarnation>,
    #[serde(rename = "l")]
    last_resort: bool,
    /// This device's certificate: a record that removes the device does not have it any more, and what is here stays readable.
    #[serde(rename = "c", with = "serde_bytes")]
    certificate: Vec<u8>,
}

impl Body for OwnRow {
    const MAX_BYTES: usize = 128 * 1024;
}

#[derive(Clone, Serialize, Deserialize)]
struct PrekeyRow {
    #[serde(rename = "i")]
    id: u32,
    #[serde(rename = "s")]
    suite: u16,
    #[serde(rename = "b", with = "serde_bytes")]
    secret: Vec<u8>,
    /// The account's other devices are still to be told.
    #[serde(rename = "t", default, skip_serializing_if = "std::ops::Not::not")]
    unshared: bool,
}

/// A change for the conversation with oneself: one's other devices learn of it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its kind.
    pub kind: Kind,
    /// The encoded body.
    pub body: Vec<u8>,
}

/// The signed-in account on this device.
pub struct Account {
    keys: DeviceKeys,
    certificate: DeviceCertificate,
    record: AccountRecord,
    handle: Option<String>,
    suite: Suite,
    prekeys: Vec<OwnPrekey>,
    /// Numbers of those that the account's other devices are still to be told of.
    unshared: BTreeSet<u32>,
    queue: Option<Incarnation>,
    last_resort: bool,
    limits: SupplyLimits,
    relay_up: bool,
    /// The relay takes tokens one by one: one of several was another account's.
    disputed: bool,
    under_way: BTreeMap<RequestId, supply::Errand>,
    retries: retry::Retries,
    /// The contact whose relay was asked last for its record, in a round that goes on.
    looked: Option<AccountId>,
    /// Accounts that were told something as a stranger tells it, whether it was of a device that is gone, and when they may be told again.
    spoken: BTreeMap<(AccountId, bool), u64>,
    /// Contact requests on their way straight to devices.
    straight: BTreeMap<EnvelopeId, AccountId>,
    notes: Vec<Note>,
    /// Accounts of which a newer record came than the one known before, until their devices are brought in step.
    news: BTreeSet<AccountId>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Account").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Account {
    /// Writes a new device's first rows and opens the account.
    ///
    /// # Errors
    /// [`EngineError::Broken`] if the record does not certify the device.
    pub fn create(turn: &mut Turn<'_>, setup: Setup) -> Result<Self, EngineError> {
        let certificate = setup.record.device(setup.keys.device_id()).cloned();
        let certificate = certificate.ok_or(EngineError::Broken("the record lacks this device"))?;
        let mut account =
            Self::assemble(setup.keys, certificate, setup.record, setup.handle, setup.suite, setup.prekeys);
        let keys = account.keys.to_secret_bytes();
        turn.effects.batch.put(Table::Account, Scope::Account, KEYS, keys.to_vec());
        account.save(turn);
        account.keep_own_record(turn);
        account.open_to_itself(turn)?;
        Ok(account)
    }

    /// Opens the account of a store; none if the store holds none.
    ///
    /// # Errors
    /// If the store does not answer or its rows cannot be read.
    pub fn open(read: &dyn crate::store::Read) -> Result<Option<Self>, EngineError> {
        let Some(row) = get::<OwnRow>(read, Table::Account, OWN)? else { return Ok(None) };
        let secret = read.get(Table::Account, KEYS)?.ok_or(EngineError::Broken("the device's keys are missing"))?;
        let keys = DeviceKeys::from_secret_bytes(&zeroize::Zeroizing::new(secret))
            .map_err(|_| EngineError::Broken("the device's keys are damaged"))?;
        let record =
            AccountRecord::decode_stored(&row.record).map_err(|_| EngineError::Broken("the own record is damaged"))?;
        let (mut prekeys, mut unshared) = (Vec::new(), BTreeSet::new());
        for prekey in row.prekeys {
            let suite = Suite::from_number(prekey.suite)?;
            let own = OwnPrekey { id: prekey.id, suite, secret: PrekeySecret::from_bytes(prekey.secret) };
            prekeys.push(own);
            unshared.extend(prekey.unshared.then_some(prekey.id));
        }
        let certificate = DeviceCertificate::decode_stored(&row.certificate)
            .map_err(|_| EngineError::Broken("the device's certificate is damaged"))?;
        let suite = Suite::from_number(row.suite)?;
        let mut account = Self::assemble(keys, certificate, record, row.handle, suite, prekeys);
        account.unshared = unshared;
        account.queue = row.queue;
        account.last_resort = row.last_resort;
        Ok(Some(account))
    }

    fn assemble(
        keys: DeviceKeys,
        certificate: DeviceCertificate,
        record: AccountRecord,
        handle: Option<String>,
        suite: Suite,
        prekeys: Vec<OwnPrekey>,
    ) -> Self {
        Self {
            keys,
            certificate,
            record,
            handle,
            suite,
            prekeys,
            unshared: BTreeSet::new(),
            queue: None,
            last_resort: false,
            limits: SupplyLimits::default(),
            relay_up: false,
            disputed: false,
            under_way: BTreeMap::new(),
            retries: retry::Retries::default(),
            looked: None,
            spoken: BTreeMap::new(),
            straight: BTreeMap::new(),
            notes: Vec::new(),
            news: BTreeSet::new(),
        }
    }

    fn save(&self, turn: &mut Turn<'_>) {
        let prekeys = self.prekeys.iter().map(|prekey| PrekeyRow {
            id: prekey.id,
            suite: prekey.suite.number(),
            secret: prekey.secret.as_bytes().to_vec(),
            unshared: self.unshared.contains(&prekey.id),
        });
        let row = OwnRow {
            record: self.record.encode(),
            handle: self.handle.clone(),
            suite: self.suite.number(),
            prekeys: prekeys.collect(),
            queue: self.queue,
            last_resort: self.last_resort,
            certificate: self.certificate.encode(),
        };
        turn.put(Table::Account, Scope::Account, OWN, &row);
    }

    /// Bounds of the stock of key packages; a simulation makes them small.
    pub fn set_limits(&mut self, limits: SupplyLimits) {
        self.limits = limits;
    }

    /// Whose account it is.
    pub fn id(&self) -> AccountId {
        self.record.account_id()
    }

    /// This device.
    pub fn device(&self) -> DeviceId {
        self.certificate.device_id()
    }

    /// This device's keys.
    pub fn keys(&self) -> &DeviceKeys {
        &self.keys
    }

    /// This device's certificate.
    pub fn certificate(&self) -> &DeviceCertificate {
        &self.certificate
    }

    /// The account's newest record.
    pub fn record(&self) -> &AccountRecord {
        &self.record
    }

    /// `name@relay`, if the account has a relay.
    pub fn handle(&self) -> Option<&str> {
        self.handle.as_deref()
    }

    /// The account's preferred relay.
    pub fn relay(&self) -> Option<&RelayAddress> {
        self.record.relays().first()
    }

    /// The suite of conversations that this device creates.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// What signs in this device's leaves.
    pub fn signer(&self) -> LeafSigner {
        LeafSigner::from_seed(self.keys.mls.seed().expose())
    }

    /// What stands in this device's leaves.
    pub fn leaf_identity(&self) -> Vec<u8> {
        LeafIdentity::new(self.certificate.clone()).encode()
    }

    /// What the conversation with oneself has to say since this was last asked.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// An account of which a newer record came, whose devices nobody has brought in step yet.
    pub fn take_news(&mut self) -> Option<AccountId> {
        self.news.pop_first()
    }

    /// The devices of an account are brought in step with its newest record.
    pub fn is_heeded(&mut self, account: &AccountId) {
        self.news.remove(account);
    }

    fn note(&mut self, kind: Kind, body: &impl Body) {
        self.notes.push(Note { kind, body: body.encode() });
    }
}
