//! Mailboxes: one queue per device, on disk. A deposit is idempotent by its envelope's id; a full box refuses and never drops; what
//! its device acknowledged is deleted.
//!
//! An envelope for one mailbox stands in the queue's row; one for several, unless it is small, stands once in the body table with a
//! count of the queues that refer to it. An envelope's id is known as long as it waits, and for a while beyond its acknowledgement
//! ([`Recent`](super::recent)), so that a depositor who lost the answer may ask again.
//!
//! Invariant: a device that listens has been given everything before the first push, so that pushes go on where its last
//! [`Response::Waiting`] ended.

use std::sync::Arc;

use kith_core::types::{DeviceId, EnvelopeId, Hash, Incarnation, Rng, Timestamp, Token};
use kith_core::wire::codec::{Body, hash};
use kith_core::wire::envelope::{Class, Envelope};
use kith_core::wire::relay::{Cursor, Deposited, Destination, Mailbox, Purpose, Refusal, Response, Stored, token_hash};
use serde_bytes::ByteBuf;

use super::directory::{find_caller, signed_in};
use super::rows::{self, Device, Item, Life, MailboxRow, References, Table};
use super::tx::Tx;
use super::{Caller, Delivered, Federation, Relay, expiry, list, quota, token};

/// The most bytes of envelopes in one answer beyond its first: a second of a slow uplink.
const PAGE_BYTES: usize = 1 << 20;

/// The most envelopes in one answer; the wire format allows 1024.
const PAGE_ENVELOPES: usize = 256;

/// Rows read at a time; each may be as large as an envelope.
const SCAN_ROWS: usize = 16;

/// Up to this size an envelope is copied into each queue: a body row and its count would take as much.
const INLINE_BYTES: usize = 512;

fn mailbox_key(device: DeviceId) -> Vec<u8> {
    Table::Mailbox.key(&[device.as_ref()])
}

/// The key of the relay's one row about itself.
pub(super) fn life_key() -> Vec<u8> {
    Table::Life.key(&[])
}

/// Which life of the relay this is; the first one has no row.
pub(super) fn life(tx: &Tx<'_>) -> Result<Life, Refusal> {
    let first = Life { epoch: Incarnation::new([0; Incarnation::LEN]), term: 0 };
    Ok(tx.get(&life_key())?.unwrap_or(first))
}

/// A queue's incarnation as devices see it: another one in every life of the relay.
fn public_queue(tx: &Tx<'_>, row: &MailboxRow) -> Result<Incarnation, Refusal> {
    let epoch = life(tx)?.epoch;
    let mut bytes = *row.queue.as_bytes();
    for (byte, mask) in bytes.iter_mut().zip(epoch.as_bytes()) {
        *byte ^= mask;
    }
    Ok(Incarnation::new(bytes))
}

pub(super) fn row(tx: &Tx<'_>, device: DeviceId) -> Result<Option<MailboxRow>, Refusal> {
    tx.get(&mailbox_key(device))
}

/// Begins the mailbox of a new device.
pub(super) fn create(tx: &mut Tx<'_>, rng: &mut Rng, device: DeviceId) {
    let queue = Incarnation::random(rng);
    tx.put(mailbox_key(device), &MailboxRow { queue, first: 0, next: 0, count: 0, bytes: 0, requests: 0 });
}

/// Closes the mailbox of a device that is gone; its rows are swept in steps.
pub(super) fn remove(tx: &mut Tx<'_>, device: DeviceId) -> Result<(), Refusal> {
    if let Some(row) = row(tx, device)? {
        tx.mark(rows::queue_prefix(Table::Garbage, device, row.queue));
        tx.delete(mailbox_key(device));
    }
    Ok(())
}

/// An envelope on its way into queues.
pub(super) struct Incoming {
    pub(super) envelope: Envelope,
    pub(super) bytes: Arc<[u8]>,
    pub(super) until: Timestamp,
    /// Whether it is a contact request.
    pub(super) request: bool,
}

impl Relay {
    pub(super) fn deposit(
        &mut self,
        tx: &mut Tx<'_>,
        caller: Caller,
        to: Destination,
        bytes: Vec<u8>,
    ) -> Result<Response, Refusal> {
        self.check_federation(tx, caller)?;
        let incoming = self.incoming(tx, bytes)?;
        let mailboxes = match to {
            Destination::Mailboxes(mailboxes) => mailboxes,
            Destination::List(hash) => match list::find(tx, &hash)? {
                Some(mailboxes) => mailboxes,
                None => return Ok(Response::UnknownList),
            },
        };
        let mut results = Vec::with_capacity(mailboxes.len());
        let mut takers = Vec::new();
        let mut right = Right::default();
        for mailbox in &mailboxes {
            let result = match self.may_deposit(tx, &mut right, mailbox)? {
                None => self.admit(tx, mailbox.device, &incoming, &takers)?,
                Some(refused) => Admission::Refused(refused),
            };
            results.push(match result {
                Admission::Refused(result) => result,
                Admission::Known => Deposited::Taken,
                Admission::Live(peer) => {
                    tx.push(mailbox.device, peer, Delivered::Live(Arc::clone(&incoming.bytes)));
                    Deposited::Taken
                }
                Admission::Queue(row) => {
                    takers.push((mailbox.device, row));
                    Deposited::Taken
                }
            });
        }
        self.enqueue(tx, takers, &incoming)?;
        Ok(Response::Deposited { results })
    }

    fn incoming(&self, tx: &Tx<'_>, bytes: Vec<u8>) -> Result<Incoming, Refusal> {
        if bytes.len() as u64 > self.settings.limits.envelope_bytes {
            return Err(Refusal::TooLarge);
        }
        let envelope = Envelope::decode(&bytes).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let keep_ms = self.settings.limits.keep_s.saturating_mul(1000);
        let keep_ms = match envelope.class {
            Class::Ephemeral { ttl_s } => keep_ms.min(u64::from(ttl_s).saturating_mul(1000)),
            Class::Durable | Class::LiveOnly => keep_ms,
        };
        Ok(Incoming { envelope, bytes: bytes.into(), until: tx.now.plus_ms(keep_ms), request: false })
    }

    /// Whether deposits are taken from this caller at all.
    pub(super) fn check_federation(&self, tx: &Tx<'_>, caller: Caller) -> Result<(), Refusal> {
        let open = match &self.settings.federation {
            Federation::Open => true,
            Federation::List(networks) => quota::is_listed(networks, caller.address),
            Federation::Closed => false,
        };
        if open || find_caller(tx, caller)?.is_some() { Ok(()) } else { Err(Refusal::NotFederated) }
    }

    /// Why this mailbox may not be deposited in, if so.
    fn may_deposit(&mut self, tx: &Tx<'_>, right: &mut Right, mailbox: &Mailbox) -> Result<Option<Deposited>, Refusal> {
        if right.token != Some(mailbox.token) {
            let hash = token_hash(&mailbox.token);
            let account = token::issuer(tx, &hash, Purpose::Delivery)?;
            let in_time = account.is_none() || self.rates.deposits.take(hash, tx.now).is_ok();
            *right = Right { token: Some(mailbox.token), account, in_time };
        }
        let device: Option<Device> = tx.get(&Table::Device.key(&[mailbox.device.as_ref()]))?;
        let entitled = device.is_some_and(|device| Some(device.account) == right.account);
        Ok(match (entitled, right.in_time) {
            (false, _) => Some(Deposited::Forbidden),
            (true, false) => Some(Deposited::TooFast),
            (true, true) => None,
        })
    }

    fn admit(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        incoming: &Incoming,
        takers: &[(DeviceId, MailboxRow)],
    ) -> Result<Admission, Refusal> {
        if incoming.envelope.class == Class::LiveOnly {
            let listener = self.listening.get(&device);
            return Ok(listener.map_or(Admission::Refused(Deposited::Away), |peer| Admission::Live(*peer)));
        }
        let Some(row) = row(tx, device)? else { return Ok(Admission::Refused(Deposited::Forbidden)) };
        let twice = takers.iter().any(|(taker, _)| *taker == device);
        if twice || self.knows(tx, device, &row, incoming.envelope.id)? {
            return Ok(Admission::Known);
        }
        let limits = &self.settings.limits;
        let bytes = row.bytes.saturating_add(incoming.bytes.len() as u64);
        if row.count >= limits.mailbox_envelopes || bytes > limits.mailbox_bytes {
            return Ok(Admission::Refused(Deposited::Full));
        }
        Ok(Admission::Queue(row))
    }

    /// Whether an envelope waits in a mailbox, or did lately.
    pub(super) fn knows(
        &self,
        tx: &Tx<'_>,
        device: DeviceId,
        row: &MailboxRow,
        envelope: EnvelopeId,
    ) -> Result<bool, Refusal> {
        Ok(self.recent.has(device, row.queue, envelope) || tx.has(&rows::seen_key(device, row.queue, envelope))?)
    }

    /// Puts an envelope into the queues that take it and tells the devices that listen.
    pub(super) fn enqueue(
        &self,
        tx: &mut Tx<'_>,
        takers: Vec<(DeviceId, MailboxRow)>,
        incoming: &Incoming,
    ) -> Result<(), Refusal> {
        let body = if takers.len() > 1 && incoming.bytes.len() > INLINE_BYTES {
            Some(refer(tx, &incoming.bytes, takers.len() as u64)?)
        } else {
            None
        };
        for (device, mut row) in takers {
            let number = row.next;
            row.next = number.saturating_add(1);
            if incoming.request {
                row.requests = row.requests.saturating_add(1);
            } else {
                row.count = row.count.saturating_add(1);
                row.bytes = row.bytes.saturating_add(incoming.bytes.len() as u64);
            }
            let key = rows::item_key(device, row.queue, number);
            expiry::at(tx, incoming.until, &key);
            let inline = body.is_none().then(|| ByteBuf::from(incoming.bytes.to_vec()));
            let item = Item {
                id: incoming.envelope.id,
                until: incoming.until,
                size: incoming.bytes.len() as u64,
                request: incoming.request,
                inline,
                body,
            };
            tx.put(key, &item);
            tx.mark(rows::seen_key(device, row.queue, item.id));
            tx.put(mailbox_key(device), &row);
            if let Some(peer) = self.listening.get(&device) {
                let cursor = Cursor { queue: public_queue(tx, &row)?, next: row.next };
                let envelope = Arc::clone(&incoming.bytes);
                tx.push(device, *peer, Delivered::Kept { cursor, number, envelope });
            }
        }
        Ok(())
    }

    pub(super) fn fetch(&mut self, tx: &Tx<'_>, caller: Caller, from: Option<Cursor>) -> Result<Response, Refusal> {
        let own = signed_in(tx, caller)?;
        let row = row(tx, own.device)?.ok_or(Refusal::NotSignedIn)?;
        let queue = public_queue(tx, &row)?;
        let from = from.filter(|cursor| cursor.queue == queue).map_or(0, |cursor| cursor.next);
        let start = from.clamp(row.first, row.next);
        let mut page = Page { envelopes: Vec::new(), bytes: 0, next: start, more: false };
        walk(tx, own.device, &row, start, |number, item| {
            if item.until <= tx.now {
                return Ok(true);
            }
            let envelope = content(tx, item)?;
            Ok(page.add(number, envelope))
        })?;
        let next = if page.more { page.next } else { row.next };
        if page.more {
            self.listening.remove(&own.device);
        } else {
            self.listening.insert(own.device, caller.peer);
        }
        Ok(Response::Waiting { cursor: Cursor { queue, next }, envelopes: page.envelopes, more: page.more })
    }

    /// Deletes all before the cursor.
    pub(super) fn acknowledge(
        &mut self,
        tx: &mut Tx<'_>,
        caller: Caller,
        from: u64,
        upto: Cursor,
    ) -> Result<Response, Refusal> {
        let own = signed_in(tx, caller)?;
        let mut row = row(tx, own.device)?.ok_or(Refusal::NotSignedIn)?;
        if upto.queue != public_queue(tx, &row)? {
            return Err(Refusal::Conflict);
        }
        let (from, upto) = (from.max(row.first), upto.next.min(row.next));
        if upto <= from {
            return Ok(Response::Done);
        }
        let mut gone = Vec::new();
        walk(tx, own.device, &row, from, |number, item| {
            if number < upto {
                gone.push((number, Item { inline: None, ..item.clone() }));
            }
            Ok(number < upto)
        })?;
        for (number, item) in gone {
            let key = rows::item_key(own.device, row.queue, number);
            take_out(tx, &mut row, &key, &item)?;
            tx.delete(rows::due_key(item.until, &key));
            tx.delete(rows::seen_key(own.device, row.queue, item.id));
            self.recent.add(own.device, row.queue, item.id);
        }
        if from == row.first {
            row.first = upto;
        }
        tx.put(mailbox_key(own.device), &row);
        Ok(Response::Done)
    }
}

/// What the last token that was looked at entitles to: in a list of an account's devices all carry the same.
#[derive(Default)]
struct Right {
    token: Option<Token>,
    account: Option<kith_core::types::AccountId>,
    in_time: bool,
}

enum Admission {
    Refused(Deposited),
    Known,
    Live([u8; 32]),
    Queue(MailboxRow),
}

struct Page {
    envelopes: Vec<Stored>,
    bytes: usize,
    next: u64,
    more: bool,
}

impl Page {
    /// Whether there is room for more.
    fn add(&mut self, number: u64, envelope: Vec<u8>) -> bool {
        let bytes = self.bytes.saturating_add(envelope.len());
        let full = self.envelopes.len() >= PAGE_ENVELOPES || bytes > PAGE_BYTES;
        if full && !self.envelopes.is_empty() {
            self.more = true;
            return false;
        }
        self.bytes = bytes;
        self.next = number.saturating_add(1);
        self.envelopes.push(Stored { number, envelope });
        true
    }
}

/// Deletes an item that is out of date.
pub(super) fn expire(tx: &mut Tx<'_>, key: &[u8]) -> Result<(), Refusal> {
    let Some(item) = tx.get::<Item>(key)? else { return Ok(()) };
    let Some((device, queue)) = place(key) else { return Ok(()) };
    match row(tx, device)?.filter(|row| row.queue == queue) {
        Some(mut row) => {
            take_out(tx, &mut row, key, &item)?;
            tx.put(mailbox_key(device), &row);
        }
        None => drop_item(tx, key, &item)?,
    }
    tx.delete(rows::seen_key(device, queue, item.id));
    Ok(())
}

/// Deletes at most `steps` rows of a queue whose device is gone; whether that was all.
pub(super) fn sweep(tx: &mut Tx<'_>, device: DeviceId, queue: Incarnation, steps: usize) -> Result<bool, Refusal> {
    let items = tx.stored(&rows::queue_prefix(Table::Queue, device, queue), None, steps.min(SCAN_ROWS))?;
    for (key, value) in &items {
        match Item::decode(value) {
            Ok(item) => drop_item(tx, key, &item)?,
            Err(_) => tx.delete(key.clone()),
        }
    }
    if !items.is_empty() {
        return Ok(false);
    }
    let seen = tx.stored(&rows::queue_prefix(Table::Seen, device, queue), None, steps)?;
    let all = seen.len() < steps;
    seen.into_iter().for_each(|(key, _)| tx.delete(key));
    Ok(all)
}

fn place(key: &[u8]) -> Option<(DeviceId, Incarnation)> {
    let device = key.get(1..33).and_then(|id| DeviceId::try_from(id).ok())?;
    let queue = key.get(33..41).and_then(|id| Incarnation::try_from(id).ok())?;
    Some((device, queue))
}

/// Takes an item out of a queue and its counts.
fn take_out(tx: &mut Tx<'_>, row: &mut MailboxRow, key: &[u8], item: &Item) -> Result<(), Refusal> {
    if item.request {
        row.requests = row.requests.saturating_sub(1);
    } else {
        row.count = row.count.saturating_sub(1);
        row.bytes = row.bytes.saturating_sub(item.size);
    }
    drop_item(tx, key, item)
}

fn drop_item(tx: &mut Tx<'_>, key: &[u8], item: &Item) -> Result<(), Refusal> {
    tx.delete(key.to_vec());
    item.body.map_or(Ok(()), |body| release(tx, &body))
}

fn body_keys(body: &Hash) -> (Vec<u8>, Vec<u8>) {
    (Table::Body.key(&[body.as_ref()]), Table::References.key(&[body.as_ref()]))
}

/// Keeps a body for so many queues more.
fn refer(tx: &mut Tx<'_>, bytes: &[u8], queues: u64) -> Result<Hash, Refusal> {
    let body = hash("kith/relay-body/1", &[bytes]);
    let (body_key, references_key) = body_keys(&body);
    let known: Option<References> = tx.get(&references_key)?;
    if known.is_none() {
        tx.put_raw(body_key, bytes.to_vec());
    }
    let count = known.map_or(0, |known| known.count).saturating_add(queues);
    tx.put(references_key, &References { count });
    Ok(body)
}

fn release(tx: &mut Tx<'_>, body: &Hash) -> Result<(), Refusal> {
    let (body_key, references_key) = body_keys(body);
    let Some(references) = tx.get::<References>(&references_key)? else { return Ok(()) };
    let count = references.count.saturating_sub(1);
    if count == 0 {
        tx.delete(body_key);
        tx.delete(references_key);
    } else {
        tx.put(references_key, &References { count });
    }
    Ok(())
}

fn content(tx: &Tx<'_>, item: &Item) -> Result<Vec<u8>, Refusal> {
    match (&item.inline, &item.body) {
        (Some(bytes), _) => Ok(bytes.to_vec()),
        (None, Some(body)) => tx.raw(&body_keys(body).0)?.ok_or(Refusal::TryLater),
        (None, None) => Err(Refusal::TryLater),
    }
}

/// Shows the items of a queue from a number on, as they are stored, while `visit` wants more.
fn walk(
    tx: &Tx<'_>,
    device: DeviceId,
    row: &MailboxRow,
    from: u64,
    mut visit: impl FnMut(u64, &Item) -> Result<bool, Refusal>,
) -> Result<(), Refusal> {
    let prefix = rows::queue_prefix(Table::Queue, device, row.queue);
    let mut after = from.checked_sub(1).map(|before| rows::item_key(device, row.queue, before));
    loop {
        let found = tx.stored(&prefix, after.as_deref(), SCAN_ROWS)?;
        for (key, value) in &found {
            let number = rows::tail(key).map_or(0, u64::from_be_bytes);
            let item = Item::decode(value).map_err(|error| {
                tracing::error!(%error, "A row of a queue is damaged.");
                Refusal::TryLater
            })?;
            if !visit(number, &item)? {
                return Ok(());
            }
        }
        if found.len() < SCAN_ROWS {
            return Ok(());
        }
        after = found.into_iter().next_back().map(|(key, _)| key);
    }
}
