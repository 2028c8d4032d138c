//! What only the relay's operator does: look at accounts, remove one, invite, begin a new life after a restore.

use kith_core::identity::Handle;
use kith_core::types::{AccountId, Incarnation, Rng, Timestamp, Token};
use kith_core::wire::codec::Body;
use kith_core::wire::relay::Refusal;
use serde::{Deserialize, Serialize};

use super::rows::{self, Account, Life, Table, Until};
use super::tx::{Batch, RelayRead, Tx};
use super::{directory, expiry, mailbox, token};

/// Accounts in one page.
const PAGE: usize = 256;

/// How long an invitation is good, in days.
const INVITATION_DAYS: u64 = 14;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// An account as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSummary {
    /// Its handle.
    pub handle: String,
    /// Its id, as text.
    pub account: String,
    /// How many devices it has.
    pub devices: usize,
    /// Envelopes that wait in all its mailboxes.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// When it signed up, in milliseconds since 1970.
    pub created_ms: u64,
}

/// An invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invited {
    /// The code to give to the person.
    pub code: Token,
    /// Good until then.
    pub until: Timestamp,
}

/// All accounts, in no particular order.
///
/// # Errors
/// If the rows cannot be read.
pub fn users(read: &impl RelayRead) -> Result<Vec<UserSummary>, Refusal> {
    let tx = Tx::new(read, Timestamp::default());
    let prefix = Table::Account.key(&[]);
    let mut users = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = tx.stored(&prefix, after.as_deref(), PAGE)?;
        for (key, value) in &page {
            if let (Some(id), Ok(row)) = (rows::tail(key), Account::decode(value)) {
                users.push(summary(&tx, AccountId::new(id), row)?);
            }
        }
        match page.into_iter().next_back() {
            Some((key, _)) => after = Some(key),
            None => return Ok(users),
        }
    }
}

fn summary(tx: &Tx<'_>, id: AccountId, row: Account) -> Result<UserSummary, Refusal> {
    let (mut waiting, mut waiting_bytes) = (0_u64, 0_u64);
    for device in &row.devices {
        if let Some(mailbox) = mailbox::row(tx, *device)? {
            waiting = waiting.saturating_add(mailbox.count).saturating_add(mailbox.requests);
            waiting_bytes = waiting_bytes.saturating_add(mailbox.bytes);
        }
    }
    Ok(UserSummary {
        handle: row.handle,
        account: id.to_string(),
        devices: row.devices.len(),
        waiting,
        waiting_bytes,
        created_ms: row.created.0,
    })
}

fn find(tx: &Tx<'_>, handle: &str) -> Result<(AccountId, Account), Refusal> {
    let handle = Handle::parse(handle).map_err(|_| Refusal::HandleMalformed)?;
    let id = directory::by_handle(tx, &handle)?.ok_or(Refusal::NotFound)?;
    Ok((id, directory::account(tx, id)?))
}

/// Removes an account with all that is its own. What waits for its devices is swept later.
///
/// # Errors
/// [`Refusal::NotFound`], [`Refusal::HandleMalformed`], or if the rows cannot be read.
pub fn remove_user(read: &impl RelayRead, handle: &str) -> Result<Batch, Refusal> {
    let mut tx = Tx::new(read, Timestamp::default());
    let (id, row) = find(&tx, handle)?;
    let handle = Handle::parse(&row.handle).map_err(|_| Refusal::HandleMalformed)?;
    for device in row.devices {
        directory::remove_device(&mut tx, device)?;
    }
    token::remove_all(&mut tx, id)?;
    tx.delete(rows::name_key(Table::Handle, handle.as_str()));
    tx.delete(rows::name_key(Table::Skeleton, &handle.skeleton()));
    for table in [Table::Account, Table::Record, Table::Credential] {
        tx.delete(table.key(&[id.as_ref()]));
    }
    Ok(tx.finish().0)
}

/// Makes an invitation, good for one sign-up within two weeks.
pub fn invite(read: &impl RelayRead, now: Timestamp, rng: &mut Rng) -> (Batch, Invited) {
    let mut tx = Tx::new(read, now);
    let code = Token::random(rng);
    let until = now.plus_ms(INVITATION_DAYS * DAY_MS);
    let key = rows::invitation_key(&code);
    expiry::at(&mut tx, until, &key);
    tx.put(key, &Until { until });
    (tx.finish().0, Invited { code, until })
}

/// Begins a new life after a restore from a copy: queues get new incarnations and logs a new term, because what was given out since
/// the copy was made is not known any more.
///
/// # Errors
/// If the rows cannot be read.
pub fn new_life(read: &impl RelayRead, rng: &mut Rng) -> Result<Batch, Refusal> {
    let mut tx = Tx::new(read, Timestamp::default());
    let term = mailbox::life(&tx)?.term.saturating_add(1);
    tx.put(mailbox::life_key(), &Life { epoch: Incarnation::random(rng), term });
    Ok(tx.finish().0)
}
