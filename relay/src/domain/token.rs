//! Tokens: capabilities that an account gave out, kept as hashes. Whoever shows one may do what it is for; who that is the relay
//! does not learn.

use kith_core::types::{AccountId, Hash};
use kith_core::wire::relay::{Purpose, Refusal, Response};

use super::directory::{self, account_key, signed_in};
use super::rows::{Table, TokenRow};
use super::tx::Tx;
use super::{Caller, Relay};

fn token_key(hash: &Hash) -> Vec<u8> {
    Table::Token.key(&[hash.as_ref()])
}

fn owner_key(account: AccountId, hash: &Hash) -> Vec<u8> {
    Table::AccountToken.key(&[account.as_ref(), hash.as_ref()])
}

/// The account that a token was issued by, if it is good for this purpose.
pub(super) fn issuer(tx: &Tx<'_>, hash: &Hash, purpose: Purpose) -> Result<Option<AccountId>, Refusal> {
    let row: Option<TokenRow> = tx.get(&token_key(hash))?;
    Ok(row.filter(|row| row.purpose == purpose).map(|row| row.account))
}

impl Relay {
    pub(super) fn issue_tokens(
        &self,
        tx: &mut Tx<'_>,
        caller: Caller,
        tokens: &[(Purpose, Hash)],
    ) -> Result<Response, Refusal> {
        let own = signed_in(tx, caller)?;
        let mut account = directory::account(tx, own.account)?;
        for (purpose, hash) in tokens {
            let key = token_key(hash);
            match tx.get::<TokenRow>(&key)? {
                Some(row) if row.account != own.account => return Err(Refusal::Conflict),
                Some(_) => {}
                None => account.tokens = account.tokens.saturating_add(1),
            }
            tx.put(key, &TokenRow { account: own.account, purpose: *purpose });
            tx.mark(owner_key(own.account, hash));
        }
        if account.tokens > self.settings.limits.tokens {
            return Err(Refusal::Full);
        }
        tx.put(account_key(own.account), &account);
        Ok(Response::Done)
    }
}

pub(super) fn revoke(tx: &mut Tx<'_>, caller: Caller, tokens: &[Hash]) -> Result<Response, Refusal> {
    let own = signed_in(tx, caller)?;
    let mut account = directory::account(tx, own.account)?;
    for hash in tokens {
        let key = token_key(hash);
        let row: Option<TokenRow> = tx.get(&key)?;
        if row.is_some_and(|row| row.account == own.account) {
            tx.delete(key);
            tx.delete(owner_key(own.account, hash));
            account.tokens = account.tokens.saturating_sub(1);
        }
    }
    tx.put(account_key(own.account), &account);
    Ok(Response::Done)
}

/// Revokes what an account that is being removed has issued.
pub(super) fn remove_all(tx: &mut Tx<'_>, account: AccountId) -> Result<(), Refusal> {
    for (key, _) in tx.stored(&Table::AccountToken.key(&[account.as_ref()]), None, usize::MAX)? {
        if let Some(hash) = super::rows::tail::<{ Hash::LEN }>(&key) {
            tx.delete(token_key(&Hash::new(hash)));
        }
        tx.delete(key);
    }
    Ok(())
}
