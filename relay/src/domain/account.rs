//! Sign-up, log-in and change of password. The relay never sees a password: OPAQUE (RFC 9807).
//!
//! Log-ins under way live in the process, a minute each, bounded: they are bound to one connection, which is one node's.

use std::collections::BTreeMap;

use kith_core::identity::opaque::{LoginPending, OpaqueError, PasswordFile};
use kith_core::identity::{Handle, Stretching};
use kith_core::types::{AccountId, Rng, Timestamp, Token};
use kith_core::wire::relay::{Refusal, Response};

use super::directory::{self, account_key, find_caller};
use super::rows::{self, Account, Credential, Table, Until};
use super::tx::Tx;
use super::{Caller, Registration, Relay};

/// The most bytes of a vault blob: today's have under 2 kB, the rest is for wraps of later versions.
const MAX_VAULT: usize = 16 * 1024;

/// How long a log-in may take: a slow device stretches for ten seconds.
const LOGIN_MS: u64 = 60_000;

/// How long a log-in counts for a change of password on the same connection.
const LOGGED_IN_MS: u64 = 600_000;

/// The most log-ins under way: a state is some hundred bytes.
const MAX_LOGINS: usize = 4096;

/// Log-ins under way of one connection.
const MAX_LOGINS_EACH: usize = 4;

#[derive(Debug)]
struct Attempt {
    peer: [u8; 32],
    until: Timestamp,
    pending: LoginPending,
}

/// Log-ins under way, and who has logged in lately.
#[derive(Debug, Default)]
pub(super) struct Logins {
    attempts: BTreeMap<Token, Attempt>,
    logged_in: BTreeMap<[u8; 32], (AccountId, Timestamp)>,
}

impl Logins {
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.attempts.retain(|_, attempt| now < attempt.until && attempt.until <= now.plus_ms(LOGIN_MS));
        self.logged_in.retain(|_, (_, until)| now < *until && *until <= now.plus_ms(LOGGED_IN_MS));
    }

    pub(super) fn forget(&mut self, peer: [u8; 32]) {
        self.attempts.retain(|_, attempt| attempt.peer != peer);
        self.logged_in.remove(&peer);
    }

    fn begin(&mut self, now: Timestamp, login: Token, peer: [u8; 32], pending: LoginPending) -> Result<(), Refusal> {
        let own = self.attempts.values().filter(|attempt| attempt.peer == peer).count();
        if self.attempts.len() >= MAX_LOGINS || own >= MAX_LOGINS_EACH {
            self.expire(now);
            let own = self.attempts.values().filter(|attempt| attempt.peer == peer).count();
            if self.attempts.len() >= MAX_LOGINS || own >= MAX_LOGINS_EACH {
                return Err(Refusal::TooMany { retry_s: u32::try_from(LOGIN_MS / 1000).unwrap_or(u32::MAX) });
            }
        }
        self.attempts.insert(login, Attempt { peer, until: now.plus_ms(LOGIN_MS), pending });
        Ok(())
    }

    fn take(&mut self, now: Timestamp, login: Token, peer: [u8; 32]) -> Result<LoginPending, Refusal> {
        let own = self.attempts.get(&login).is_some_and(|attempt| attempt.peer == peer && now < attempt.until);
        if !own {
            return Err(Refusal::NotFound);
        }
        self.attempts.remove(&login).map(|attempt| attempt.pending).ok_or(Refusal::NotFound)
    }

    fn finished(&mut self, now: Timestamp, peer: [u8; 32], account: AccountId) {
        if self.logged_in.len() >= MAX_LOGINS {
            self.expire(now);
        }
        if self.logged_in.len() < MAX_LOGINS {
            self.logged_in.insert(peer, (account, now.plus_ms(LOGGED_IN_MS)));
        }
    }

    fn account(&self, now: Timestamp, peer: [u8; 32]) -> Option<AccountId> {
        self.logged_in.get(&peer).filter(|(_, until)| now < *until).map(|(account, _)| *account)
    }
}

/// The fields of [`kith_core::wire::relay::Request::RegisterFinish`].
pub(super) struct SignUp {
    pub(super) handle: String,
    pub(super) message: Vec<u8>,
    pub(super) stretching: Stretching,
    pub(super) vault: Vec<u8>,
    pub(super) record: Vec<u8>,
    pub(super) invitation: Option<Token>,
}

/// The fields of [`kith_core::wire::relay::Request::ChangePassword`].
pub(super) struct NewPassword {
    pub(super) message: Vec<u8>,
    pub(super) stretching: Stretching,
    pub(super) vault: Vec<u8>,
}

impl Relay {
    pub(super) fn register_start(
        &mut self,
        tx: &Tx<'_>,
        caller: Caller,
        handle: &str,
        message: &[u8],
    ) -> Result<Response, Refusal> {
        let handle = parse(handle)?;
        let may_change = self.may_change_password(tx, caller)?;
        let own = may_change.is_some() && directory::by_handle(tx, &handle)? == may_change;
        if !own {
            self.rates.register(&caller, tx.now)?;
            self.check_open()?;
            check_free(tx, &handle)?;
        }
        let message = self.keys.opaque.registration(&handle, message).map_err(malformed)?;
        Ok(Response::RegisterStarted { message })
    }

    pub(super) fn register_finish(
        &mut self,
        tx: &mut Tx<'_>,
        rng: &mut Rng,
        caller: Caller,
        sign_up: SignUp,
    ) -> Result<Response, Refusal> {
        let handle = parse(&sign_up.handle)?;
        let record = directory::verified(&sign_up.record)?;
        let id = record.account_id();
        if directory::by_handle(tx, &handle)? == Some(id) && directory::record(tx, id)? == sign_up.record {
            return Ok(Response::Done);
        }
        self.check_open()?;
        self.take_invitation(tx, sign_up.invitation)?;
        check_free(tx, &handle)?;
        if tx.has(&account_key(id))? {
            return Err(Refusal::Conflict);
        }
        if !record.devices().iter().any(|device| device.transport_key().as_bytes() == &caller.peer) {
            return Err(Refusal::Malformed("the record does not name the device that signs up".into()));
        }
        let credential = credential(sign_up.message, sign_up.stretching, sign_up.vault, 1)?;
        let mut row = Account {
            handle: handle.as_str().into(),
            version: record.version(),
            hash: record.hash(),
            devices: Vec::new(),
            tokens: 0,
            created: tx.now,
            reset_until: Timestamp::default(),
        };
        directory::set_devices(tx, rng, &mut row, &record)?;
        tx.put(account_key(id), &row);
        tx.put_raw(Table::Record.key(&[id.as_ref()]), sign_up.record);
        tx.put(Table::Credential.key(&[id.as_ref()]), &credential);
        tx.put_raw(rows::name_key(Table::Handle, handle.as_str()), rows::id_value(id.as_ref()));
        tx.put_raw(rows::name_key(Table::Skeleton, &handle.skeleton()), rows::id_value(id.as_ref()));
        Ok(Response::Done)
    }

    pub(super) fn login_start(
        &mut self,
        tx: &Tx<'_>,
        rng: &mut Rng,
        caller: Caller,
        handle: &str,
        message: &[u8],
    ) -> Result<Response, Refusal> {
        let handle = parse(handle)?;
        self.rates.login(&caller, &handle, tx.now)?;
        let file = match directory::by_handle(tx, &handle)? {
            Some(account) => Some(password_file(&self::stored(tx, account)?)?),
            None => None,
        };
        let (pending, message) =
            self.keys.opaque.login(rng, &handle, file.as_ref(), &[], message).map_err(malformed)?;
        let stretching = file.map_or(Stretching::RECOMMENDED, |file| file.stretching());
        let login = Token::random(rng);
        self.logins.begin(tx.now, login, caller.peer, pending)?;
        Ok(Response::LoginStarted { login, message, stretching })
    }

    pub(super) fn login_finish(
        &mut self,
        tx: &Tx<'_>,
        caller: Caller,
        login: Token,
        message: &[u8],
    ) -> Result<Response, Refusal> {
        let pending = self.logins.take(tx.now, login, caller.peer)?;
        let handle = pending.handle().clone();
        pending.finish(message).map_err(|error| match error {
            OpaqueError::Malformed => Refusal::Malformed(error.to_string()),
            _ => Refusal::WrongPassword,
        })?;
        let account = directory::by_handle(tx, &handle)?.ok_or(Refusal::WrongPassword)?;
        let credential = stored(tx, account)?;
        let record = directory::record(tx, account)?;
        self.rates.logged_in(&caller, &handle);
        self.logins.finished(tx.now, caller.peer, account);
        Ok(Response::LoggedIn { vault: credential.vault.into_vec(), version: credential.version, record })
    }

    pub(super) fn change_password(
        &mut self,
        tx: &mut Tx<'_>,
        caller: Caller,
        expected: u64,
        new: NewPassword,
    ) -> Result<Response, Refusal> {
        let account = self.may_change_password(tx, caller)?.ok_or(Refusal::NotSignedIn)?;
        let stored = stored(tx, account)?;
        let next = credential(new.message, new.stretching, new.vault, expected.saturating_add(1))?;
        if stored == next {
            return Ok(Response::Done);
        }
        if stored.version != expected {
            return Err(Refusal::Conflict);
        }
        tx.put(Table::Credential.key(&[account.as_ref()]), &next);
        let mut row = directory::account(tx, account)?;
        if row.reset_until != Timestamp::default() {
            row.reset_until = Timestamp::default();
            tx.put(account_key(account), &row);
        }
        Ok(Response::Done)
    }

    /// The account whose password this connection may change: after a log-in on it, or as one of the account's devices while
    /// the operator has opened a reset.
    fn may_change_password(&self, tx: &Tx<'_>, caller: Caller) -> Result<Option<AccountId>, Refusal> {
        if let Some(account) = self.logins.account(tx.now, caller.peer) {
            return Ok(Some(account));
        }
        let Some(own) = find_caller(tx, caller)? else { return Ok(None) };
        let row = directory::account(tx, own.account)?;
        Ok((tx.now < row.reset_until).then_some(own.account))
    }

    fn check_open(&self) -> Result<(), Refusal> {
        match self.settings.registration {
            Registration::Open | Registration::Invite => Ok(()),
            Registration::Closed => Err(Refusal::RegistrationClosed),
        }
    }

    fn take_invitation(&self, tx: &mut Tx<'_>, code: Option<Token>) -> Result<(), Refusal> {
        if self.settings.registration != Registration::Invite {
            return Ok(());
        }
        let key = rows::invitation_key(&code.ok_or(Refusal::RegistrationClosed)?);
        let row: Until = tx.get(&key)?.ok_or(Refusal::RegistrationClosed)?;
        if row.until <= tx.now {
            return Err(Refusal::RegistrationClosed);
        }
        tx.delete(key);
        Ok(())
    }
}

fn parse(handle: &str) -> Result<Handle, Refusal> {
    Handle::parse(handle).map_err(|_| Refusal::HandleMalformed)
}

/// A handle is free if nothing that looks like it is taken.
fn check_free(tx: &Tx<'_>, handle: &Handle) -> Result<(), Refusal> {
    let taken = handle.is_reserved() || tx.has(&rows::name_key(Table::Skeleton, &handle.skeleton()))?;
    if taken { Err(Refusal::HandleTaken) } else { Ok(()) }
}

fn stored(tx: &Tx<'_>, account: AccountId) -> Result<Credential, Refusal> {
    tx.get(&Table::Credential.key(&[account.as_ref()]))?.ok_or(Refusal::NotFound)
}

fn password_file(credential: &Credential) -> Result<PasswordFile, Refusal> {
    PasswordFile::from_upload(&credential.registration).map_err(malformed)
}

fn credential(message: Vec<u8>, stretching: Stretching, vault: Vec<u8>, version: u64) -> Result<Credential, Refusal> {
    if vault.is_empty() || vault.len() > MAX_VAULT {
        return Err(Refusal::TooLarge);
    }
    let file = PasswordFile::from_upload(&message).map_err(malformed)?;
    if file.stretching() != stretching {
        return Err(Refusal::Malformed("the stretching is not that of the registration".into()));
    }
    Ok(Credential { registration: file.encode().into(), vault: vault.into(), version })
}

fn malformed(error: OpaqueError) -> Refusal {
    Refusal::Malformed(error.to_string())
}
