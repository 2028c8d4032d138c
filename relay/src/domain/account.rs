//! Sign-up, log-in, recovery and change of password. The relay never sees a password (OPAQUE, RFC 9807) or a recovery code: of the
//! latter it keeps the public half of a key.
//!
//! Log-ins and recoveries under way live in the process, a minute each, bounded: they are bound to one connection, which is one node's.

use std::collections::BTreeMap;

use kith_core::identity::opaque::{Binding, LoginPending, OpaqueError, PasswordFile};
use kith_core::identity::{Handle, PublicKey, Signature, Stretching, verify_recovery};
use kith_core::types::{AccountId, Rng, Timestamp, Token};
use kith_core::wire::relay::{Refusal, Response};

use super::directory::{self, account_key};
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

/// What a connection has yet to answer.
#[derive(Debug)]
enum Pending {
    Login(Box<LoginPending>),
    /// The attempt's own name is the challenge.
    Recovery(Handle),
}

impl Pending {
    fn handle(&self) -> &Handle {
        match self {
            Self::Login(pending) => pending.handle(),
            Self::Recovery(handle) => handle,
        }
    }
}

#[derive(Debug)]
struct Attempt {
    peer: [u8; 32],
    until: Timestamp,
    pending: Pending,
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

    /// Another password counts from now on: who has logged in by the one before may not change it back.
    fn changed(&mut self, by: [u8; 32], account: AccountId, handle: &Handle) {
        self.attempts.retain(|_, attempt| attempt.pending.handle() != handle);
        self.logged_in.retain(|peer, (logged_in, _)| *peer == by || *logged_in != account);
    }

    fn begin(&mut self, now: Timestamp, login: Token, peer: [u8; 32], pending: Pending) -> Result<(), Refusal> {
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

    fn take(&mut self, now: Timestamp, login: Token, peer: [u8; 32]) -> Result<Pending, Refusal> {
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
    pub(super) recovery: PublicKey,
    pub(super) record: Vec<u8>,
    pub(super) invitation: Option<Token>,
}

/// The fields of [`kith_core::wire::relay::Request::ChangePassword`].
pub(super) struct NewPassword {
    pub(super) message: Vec<u8>,
    pub(super) stretching: Stretching,
    pub(super) vault: Vec<u8>,
    pub(super) recovery: Option<PublicKey>,
    pub(super) record: Option<Vec<u8>>,
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
        let logged_in = self.logins.account(tx.now, caller.peer);
        let own = logged_in.is_some() && directory::by_handle(tx, &handle)? == logged_in;
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
        let recovery = sign_up.recovery;
        let credential = credential(sign_up.message, sign_up.stretching, sign_up.vault, recovery, 1)?;
        let mut row = Account {
            handle: handle.as_str().into(),
            version: record.version(),
            hash: record.hash(),
            devices: Vec::new(),
            tokens: 0,
            created: tx.now,
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
        self.logins.begin(tx.now, login, caller.peer, Pending::Login(Box::new(pending)))?;
        Ok(Response::LoginStarted { login, message, stretching })
    }

    pub(super) fn login_finish(
        &mut self,
        tx: &Tx<'_>,
        caller: Caller,
        login: Token,
        message: &[u8],
    ) -> Result<Response, Refusal> {
        let Pending::Login(pending) = self.logins.take(tx.now, login, caller.peer)? else {
            return Err(Refusal::NotFound);
        };
        let handle = pending.handle().clone();
        pending.finish(message).map_err(|error| match error {
            OpaqueError::Malformed => Refusal::Malformed(error.to_string()),
            _ => Refusal::WrongPassword,
        })?;
        let account = directory::by_handle(tx, &handle)?.ok_or(Refusal::WrongPassword)?;
        let credential = stored(tx, account)?;
        self.rates.logged_in(&caller, &handle);
        self.let_in(tx, caller, account, credential)
    }

    /// Every handle gets a challenge, an unknown one too.
    pub(super) fn recover_start(
        &mut self,
        tx: &Tx<'_>,
        rng: &mut Rng,
        caller: Caller,
        handle: &str,
    ) -> Result<Response, Refusal> {
        let handle = parse(handle)?;
        self.rates.recover(&caller, &handle, tx.now)?;
        let challenge = Token::random(rng);
        self.logins.begin(tx.now, challenge, caller.peer, Pending::Recovery(handle))?;
        Ok(Response::RecoverStarted { challenge })
    }

    pub(super) fn recover_finish(
        &mut self,
        tx: &Tx<'_>,
        caller: Caller,
        challenge: Token,
        proof: &Signature,
    ) -> Result<Response, Refusal> {
        let Pending::Recovery(handle) = self.logins.take(tx.now, challenge, caller.peer)? else {
            return Err(Refusal::NotFound);
        };
        let account = directory::by_handle(tx, &handle)?.ok_or(Refusal::WrongRecoveryCode)?;
        let credential = stored(tx, account)?;
        let binding = Binding { relay: self.keys.identity.relay_id(), handle };
        verify_recovery(&credential.recovery, &binding, &challenge, proof).map_err(|_| Refusal::WrongRecoveryCode)?;
        self.rates.recovered(&caller, &binding.handle);
        self.let_in(tx, caller, account, credential)
    }

    fn let_in(
        &mut self,
        tx: &Tx<'_>,
        caller: Caller,
        account: AccountId,
        credential: Credential,
    ) -> Result<Response, Refusal> {
        let record = directory::record(tx, account)?;
        self.logins.finished(tx.now, caller.peer, account);
        Ok(Response::LoggedIn { vault: credential.vault.into_vec(), version: credential.version, record })
    }

    /// What logs in is replaced as a whole and, where the account was recovered on a new device, together with its record: there is
    /// no moment in which neither the old nor the new counts.
    pub(super) fn change_password(
        &mut self,
        tx: &mut Tx<'_>,
        rng: &mut Rng,
        caller: Caller,
        expected: u64,
        new: NewPassword,
    ) -> Result<Response, Refusal> {
        let account = self.logins.account(tx.now, caller.peer).ok_or(Refusal::NotSignedIn)?;
        let stored = stored(tx, account)?;
        let recovery = new.recovery.unwrap_or(stored.recovery);
        let next = credential(new.message, new.stretching, new.vault, recovery, expected.saturating_add(1))?;
        if stored != next {
            if stored.version != expected {
                return Err(Refusal::Conflict);
            }
            tx.put(Table::Credential.key(&[account.as_ref()]), &next);
        }
        if let Some(record) = new.record {
            if directory::verified(&record)?.account_id() != account {
                return Err(Refusal::Forbidden);
            }
            directory::put_record(tx, rng, &record)?;
        }
        let handle = parse(&directory::account(tx, account)?.handle)?;
        self.logins.changed(caller.peer, account, &handle);
        Ok(Response::Done)
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

fn credential(
    message: Vec<u8>,
    stretching: Stretching,
    vault: Vec<u8>,
    recovery: PublicKey,
    version: u64,
) -> Result<Credential, Refusal> {
    if vault.is_empty() || vault.len() > MAX_VAULT {
        return Err(Refusal::TooLarge);
    }
    let file = PasswordFile::from_upload(&message).map_err(malformed)?;
    if file.stretching() != stretching {
        return Err(Refusal::Malformed("the stretching is not that of the registration".into()));
    }
    Ok(Credential { registration: file.encode().into(), vault: vault.into(), recovery, version })
}

fn malformed(error: OpaqueError) -> Refusal {
    Refusal::Malformed(error.to_string())
}
