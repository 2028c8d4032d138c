//! Lists of mailboxes: uploaded once, then named by their hash, so that one upload of an envelope reaches a whole group here.

use kith_core::types::Hash;
use kith_core::wire::relay::{Mailbox, Purpose, Refusal, Response, list_hash, token_hash};

use super::rows::{List, Table};
use super::tx::Tx;
use super::{Caller, Relay, expiry, token};

/// How long a list is kept: whoever writes less often than weekly uploads it again.
const KEEP_MS: u64 = 7 * 24 * 3600 * 1000;

fn list_key(hash: &Hash) -> Vec<u8> {
    Table::List.key(&[hash.as_ref()])
}

impl Relay {
    /// Keeps a list. At least one of its tokens has to be good, so that strangers cannot fill the disk.
    pub(super) fn define_list(
        &mut self,
        tx: &mut Tx<'_>,
        caller: Caller,
        mailboxes: &[Mailbox],
    ) -> Result<Response, Refusal> {
        self.check_federation(tx, caller)?;
        if mailboxes.is_empty() || !mailboxes.is_sorted_by(|one, other| one < other) {
            return Err(Refusal::Malformed("the mailboxes are not in ascending order".into()));
        }
        let mut good = None;
        for mailbox in mailboxes {
            let hash = token_hash(&mailbox.token);
            if token::issuer(tx, &hash, Purpose::Delivery)?.is_some() {
                good = Some(hash);
                break;
            }
        }
        self.rates.deposits.take(good.ok_or(Refusal::Forbidden)?, tx.now)?;
        let until = tx.now.plus_ms(KEEP_MS);
        let key = list_key(&list_hash(mailboxes));
        expiry::at(tx, until, &key);
        tx.put(key, &List { mailboxes: mailboxes.to_vec(), until });
        Ok(Response::Done)
    }
}

pub(super) fn find(tx: &Tx<'_>, hash: &Hash) -> Result<Option<Vec<Mailbox>>, Refusal> {
    let list: Option<List> = tx.get(&list_key(hash))?;
    Ok(list.filter(|list| tx.now < list.until).map(|list| list.mailboxes))
}
