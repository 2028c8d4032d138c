//! What the own relay holds for this account: tokens that others may use, key packages, and the account's record.
//!
//! All are kept in step with what stands here, so that a relay that was away, lost something, or was taken back from a copy is
//! caught up; what fails is tried again after a pause.

use serde::{Deserialize, Serialize};

use crate::identity::Observation;
use crate::mls::OwnKeyPackage;
use crate::store::{Range, Read as _, Scope, Table};
use crate::types::{AccountId, Hash, Incarnation, RequestId, Token};
use crate::wire::codec::Body;
use crate::wire::message::TokenPair;
use crate::wire::relay::{MAX_LIST, Purpose, Refusal, Request, Response, token_hash};

use super::super::api::{Call, CallFailure, CallTarget, Notice};
use super::super::turn::{EngineError, Turn};
use super::Account;
use super::retry::Task;

/// So long after a start, or after the own relay was lost, it is asked for the own record although this device is not signed in:
/// a relay taken back from a copy may not know the device until it has the record again.
const LOCKED_OUT_MS: u64 = 30_000;

/// How many key packages wait at the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupplyLimits {
    /// Refilled up to so many. One is 3 kB at the relay and 5 kB here.
    pub full: u32,
    /// Refilled when fewer are left.
    pub low: u32,
}

impl Default for SupplyLimits {
    fn default() -> Self {
        Self { full: 20, low: 10 }
    }
}

/// A call of the account's that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Errand {
    Issue(Vec<Hash>),
    Revoke(Vec<Hash>),
    Count,
    /// With the hash references of what was sent.
    KeyPackages {
        sent: Vec<Vec<u8>>,
        last_resort: bool,
    },
    ContactRequest(AccountId),
    /// Something that is brought like a contact request, and once; whether it shows what a device wrote that is gone.
    Recall(AccountId, bool),
    Record(AccountId),
    PutRecord,
}

impl Errand {
    fn task(&self, own: AccountId) -> Option<Task> {
        Some(match self {
            Self::Issue(_) | Self::Revoke(_) => Task::Tokens,
            Self::Count | Self::KeyPackages { .. } => Task::KeyPackages,
            Self::ContactRequest(account) => Task::Request(*account),
            Self::Recall(..) => return None,
            Self::Record(account) if *account != own => Task::Record(*account),
            Self::Record(_) | Self::PutRecord => Task::OwnRecord,
        })
    }
}

/// What the answer to a call of the account's came to.
#[derive(Debug, Clone)]
pub enum Handled {
    /// The call was not the account's.
    NotMine,
    /// Done; nothing for the engine to do.
    Done,
    /// A newer record of an account came: conversations with it have devices to add or remove.
    NewRecord(AccountId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum TokenState {
    #[serde(rename = "w")]
    ToIssue,
    #[serde(rename = "i")]
    Issued,
    #[serde(rename = "r")]
    ToRevoke,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenRow {
    #[serde(rename = "p")]
    purpose: Purpose,
    #[serde(rename = "s")]
    state: TokenState,
}

impl Body for TokenRow {
    const MAX_BYTES: usize = 64;
}

impl Account {
    pub(super) fn issue(&self, turn: &mut Turn<'_>, purpose: Purpose, token: Token) {
        let row = TokenRow { purpose, state: TokenState::ToIssue };
        turn.put(Table::Token, Scope::Account, token_hash(&token).as_ref(), &row);
    }

    pub(super) fn revoke(&self, turn: &mut Turn<'_>, pair: TokenPair) {
        for (purpose, token) in [(Purpose::Delivery, pair.delivery), (Purpose::KeyPackages, pair.key_packages)] {
            let row = TokenRow { purpose, state: TokenState::ToRevoke };
            turn.put(Table::Token, Scope::Account, token_hash(&token).as_ref(), &row);
        }
    }

    /// The own relay can be reached. Returns whether this device's queue there is another one than before: mail was lost.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn relay_up(&mut self, turn: &mut Turn<'_>, queue: Incarnation) -> Result<bool, EngineError> {
        self.relay_up = true;
        let lost = self.queue.is_some_and(|before| before != queue);
        if self.queue != Some(queue) {
            self.queue = Some(queue);
            self.save(turn);
        }
        if lost {
            self.issue_all_again(turn)?;
            // The answer to a request may have been in that mailbox, and the request itself in another one there.
            self.ask_again(turn)?;
        }
        self.supply(turn)?;
        self.retry_requests(turn)?;
        self.call(turn, Errand::Count, Request::CountKeyPackages);
        // Another device may have joined the account, or left it, meanwhile; or the relay has an older record than this device.
        self.check_own_record(turn);
        Ok(lost)
    }

    /// The own relay cannot be reached, or does not let this device in.
    pub fn relay_down(&mut self, turn: &Turn<'_>) {
        self.relay_up = false;
        for task in [Task::Tokens, Task::KeyPackages] {
            self.retries.done(task);
        }
        self.retries.plan(Task::OwnRecord, turn.now.mono_ms.saturating_add(LOCKED_OUT_MS));
    }

    /// The device has started: what was under way before is begun anew.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn start(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        if self.relay().is_some() {
            self.retries.plan(Task::OwnRecord, turn.now.mono_ms.saturating_add(LOCKED_OUT_MS));
        }
        self.look_soon(turn);
        self.retry_requests(turn)
    }

    /// When [`Account::run_due`] has something to do next.
    pub fn wake_at(&self) -> Option<u64> {
        self.retries.wake_at()
    }

    /// Tries again what is due for it.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn run_due(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for task in self.retries.take_due(turn.now.mono_ms) {
            match task {
                Task::Tokens => self.supply(turn)?,
                Task::KeyPackages => self.call(turn, Errand::Count, Request::CountKeyPackages),
                Task::OwnRecord if self.relay().is_some() => self.check_own_record(turn),
                Task::OwnRecord => self.retries.done(task),
                Task::Request(account) => self.retry_request(turn, account)?,
                Task::Record(account) => self.fetch_record(turn, account)?,
                Task::Contacts => self.look_at_contacts(turn)?,
            }
        }
        Ok(())
    }

    fn check_own_record(&mut self, turn: &mut Turn<'_>) {
        let account = self.id();
        self.call(turn, Errand::Record(account), Request::GetRecord { account });
    }

    /// A relay that lost a mailbox has lost its tokens too.
    fn issue_all_again(&self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for (hash, mut row) in self.tokens(turn)? {
            if row.state == TokenState::Issued {
                row.state = TokenState::ToIssue;
                turn.put(Table::Token, Scope::Account, hash.as_ref(), &row);
            }
        }
        Ok(())
    }

    fn tokens(&self, turn: &Turn<'_>) -> Result<Vec<(Hash, TokenRow)>, EngineError> {
        let mut tokens = Vec::new();
        for row in turn.read().scan(Table::Token, &[], Range::all())? {
            let hash = Hash::try_from(row.key.as_slice()).map_err(|_| EngineError::Broken("a token's key"))?;
            let row =
                TokenRow::decode(&row.value).map_err(|cause| EngineError::Stored { table: Table::Token, cause })?;
            tokens.push((hash, row));
        }
        Ok(tokens)
    }

    /// Brings the relay's tokens into step with the rows, if it can be reached.
    pub(super) fn supply(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        if !self.relay_up || self.relay().is_none() {
            return Ok(());
        }
        let mut tokens = self.tokens(turn)?;
        // What is being issued is revoked after that: of two requests under way the later one may be carried out first.
        let issuing = |hash: &Hash| {
            self.under_way.values().any(|errand| matches!(errand, Errand::Issue(hashes) if hashes.contains(hash)))
        };
        tokens.retain(|(hash, _)| !issuing(hash));
        let most = if self.disputed { 1 } else { MAX_LIST };
        let of = |state| tokens.iter().filter(move |(_, row)| row.state == state).take(most);
        let issue: Vec<(Purpose, Hash)> = of(TokenState::ToIssue).map(|(hash, row)| (row.purpose, *hash)).collect();
        let revoke: Vec<Hash> = of(TokenState::ToRevoke).map(|(hash, _)| *hash).collect();
        self.disputed &= !issue.is_empty();
        if !issue.is_empty() {
            let hashes = issue.iter().map(|(_, hash)| *hash).collect();
            self.call(turn, Errand::Issue(hashes), Request::IssueTokens { tokens: issue });
        }
        if !revoke.is_empty() {
            self.call(turn, Errand::Revoke(revoke.clone()), Request::RevokeTokens { tokens: revoke });
        }
        Ok(())
    }

    fn call(&mut self, turn: &mut Turn<'_>, errand: Errand, request: Request) {
        self.call_to(turn, CallTarget::OwnRelay, errand, request);
    }

    pub(super) fn call_to(&mut self, turn: &mut Turn<'_>, to: CallTarget, errand: Errand, request: Request) {
        if self.under_way.values().any(|other| *other == errand) {
            return;
        }
        let id = RequestId::random(turn.rng);
        self.under_way.insert(id, errand);
        turn.effects.calls.push(Call { id, to, request });
    }

    /// Asks an account's relay for its newest record: a contact has seen a newer one.
    ///
    /// # Errors
    /// If the store does not answer or the known record cannot be read.
    pub fn fetch_record(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<(), EngineError> {
        let Some(record) = self.record_of(turn, &account)? else { return Ok(()) };
        let Some(relay) = record.relays().first() else { return Ok(()) };
        let to = CallTarget::Relay(relay.clone());
        self.call_to(turn, to, Errand::Record(account), Request::GetRecord { account });
        Ok(())
    }

    /// The answer to a call has come.
    ///
    /// # Errors
    /// If the store does not answer or a row cannot be read.
    pub fn answered(
        &mut self,
        turn: &mut Turn<'_>,
        id: RequestId,
        outcome: &Result<Response, CallFailure>,
    ) -> Result<Handled, EngineError> {
        let Some(errand) = self.under_way.remove(&id) else { return Ok(Handled::NotMine) };
        let task = errand.task(self.id());
        let refused = match outcome {
            Ok(Response::Refused(refusal)) => Some(refusal),
            Ok(_) | Err(_) => None,
        };
        match task {
            Some(task) if outcome.is_err() || refused.is_some() => {
                self.retries.failed(turn.now.mono_ms, turn.rng, task);
            }
            Some(task) => self.retries.done(task),
            None => {}
        }
        match (errand, outcome) {
            (Errand::Issue(hashes), Ok(Response::Done)) => {
                self.issued(turn, &hashes)?;
                self.supply(turn)?;
            }
            (Errand::Issue(hashes), Ok(Response::Refused(Refusal::Conflict))) => self.dispute(turn, &hashes)?,
            (Errand::Revoke(hashes), Ok(Response::Done)) => {
                self.revoked(turn, &hashes)?;
                self.supply(turn)?;
            }
            (Errand::Count, Ok(Response::KeyPackagesLeft { count, last_resort_used })) => {
                self.restock(turn, *count, *last_resort_used)?;
            }
            (Errand::KeyPackages { last_resort: true, .. }, Ok(Response::Done | Response::KeyPackagesLeft { .. })) => {
                self.last_resort = true;
                self.save(turn);
            }
            // The relay has none of them, so nobody will use them.
            (Errand::KeyPackages { sent, .. }, Err(CallFailure::Unreachable) | Ok(Response::Refused(_))) => {
                sent.iter().for_each(|reference| OwnKeyPackage::delete(&mut turn.effects.batch, reference));
            }
            (Errand::ContactRequest(account), Ok(Response::Done)) => self.request_delivered(turn, &account)?,
            (Errand::ContactRequest(account), Ok(Response::Refused(refusal))) => {
                self.request_refused(turn, account, refusal)?;
            }
            (Errand::Recall(account, former), Ok(Response::Done)) => self.was_heard(turn, account, former),
            (Errand::Record(account), Ok(Response::Record { record })) => {
                return self.record_came(turn, account, record);
            }
            _ => {}
        }
        Ok(Handled::Done)
    }

    /// A relay has shown a record. One's own relay that has an older one of one's own was taken back from a copy: it gets the
    /// newest again, and with it the devices that came or went since.
    fn record_came(&mut self, turn: &mut Turn<'_>, account: AccountId, record: &[u8]) -> Result<Handled, EngineError> {
        match self.observe_record(turn, record)? {
            Some((_, Observation::Fresh)) => return Ok(Handled::NewRecord(account)),
            Some((shown, Observation::Older { .. })) if shown.account_id() == self.id() && account == self.id() => {
                let record = self.record.encode();
                self.call(turn, Errand::PutRecord, Request::PutRecord { record });
            }
            Some(_) | None => {}
        }
        Ok(Handled::Done)
    }

    fn issued(&self, turn: &mut Turn<'_>, hashes: &[Hash]) -> Result<(), EngineError> {
        for hash in hashes {
            let row: Option<TokenRow> = turn.get(Table::Token, hash.as_ref())?;
            if let Some(mut row) = row.filter(|row| row.state == TokenState::ToIssue) {
                row.state = TokenState::Issued;
                turn.put(Table::Token, Scope::Account, hash.as_ref(), &row);
            }
        }
        Ok(())
    }

    /// One of these tokens is another account's, whoever said that it was given here. They are brought one by one, and that one not again.
    fn dispute(&mut self, turn: &mut Turn<'_>, hashes: &[Hash]) -> Result<(), EngineError> {
        if let [hash] = hashes {
            turn.effects.batch.delete(Table::Token, hash.as_ref());
        }
        self.disputed = true;
        self.supply(turn)
    }

    fn revoked(&self, turn: &mut Turn<'_>, hashes: &[Hash]) -> Result<(), EngineError> {
        for hash in hashes {
            turn.effects.batch.delete(Table::Token, hash.as_ref());
        }
        Ok(())
    }

    fn restock(&mut self, turn: &mut Turn<'_>, left: u32, last_resort_used: bool) -> Result<(), EngineError> {
        if self.under_way.values().any(|errand| matches!(errand, Errand::KeyPackages { .. })) {
            return Ok(());
        }
        let replace = last_resort_used || !self.last_resort;
        let wanted = if left < self.limits.low { self.limits.full.saturating_sub(left) } else { 0 };
        if wanted == 0 && !replace {
            return Ok(());
        }
        let (suite, signer, identity) = (self.suite, self.signer(), self.leaf_identity());
        let (mut packages, mut sent) = (Vec::new(), Vec::new());
        for _ in 0..wanted {
            let package = OwnKeyPackage::generate(&mut turn.mls(), suite, &signer, &identity, false)?;
            packages.push(package.bytes.into());
            sent.push(package.reference);
        }
        let mut last_resort = None;
        if replace {
            let package = OwnKeyPackage::generate(&mut turn.mls(), suite, &signer, &identity, true)?;
            last_resort = Some(package.bytes.into());
            sent.push(package.reference);
        }
        let errand = Errand::KeyPackages { sent, last_resort: replace };
        self.call(turn, errand, Request::PutKeyPackages { packages, last_resort });
        Ok(())
    }

    fn request_refused(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
        refusal: &Refusal,
    ) -> Result<(), EngineError> {
        let passing = matches!(refusal, Refusal::TooMany { .. } | Refusal::TryLater | Refusal::Full);
        if !passing {
            self.request_given_up(turn, &account)?;
        }
        turn.effects.notices.push(Notice::RequestRefused { account, refusal: refusal.clone() });
        Ok(())
    }
}
