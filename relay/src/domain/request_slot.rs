//! Contact requests: they cost the stranger, not the host. Each carries proof of work that grows as the slot fills; the slot is
//! bounded per device, per sender and per address, apart from the mailbox's own bounds.
//!
//! A challenge is not kept: it says itself for how long and how many bits it is good, authenticated by the relay's key. Only a solved
//! one leaves a row, so that it counts once.

use kith_core::types::{AccountId, DeviceId, EnvelopeId, Rng, Timestamp, Token};
use kith_core::wire::codec::{Body, hash};
use kith_core::wire::envelope::{Class, Envelope, Packet};
use kith_core::wire::relay::{Refusal, Response, leading_zero_bits, work_hash};
use rand_core::RngCore;
use ring::hmac;

use super::mailbox::Incoming;
use super::rows::{MailboxRow, Origin, Table, Used};
use super::tx::Tx;
use super::{Caller, Relay, directory, expiry, mailbox, quota};

/// How long a challenge is good: a weak device works for some minutes.
const CHALLENGE_MS: u64 = 600_000;

/// Bytes of a challenge before its authentication: time in seconds (4), bits (1), random (11).
const STATEMENT: usize = 16;

/// What a stranger sends beside the envelope.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work {
    pub(super) challenge: Token,
    pub(super) work: u64,
}

impl Relay {
    pub(super) fn request_challenge(
        &mut self,
        tx: &Tx<'_>,
        rng: &mut Rng,
        caller: Caller,
        account: AccountId,
    ) -> Result<Response, Refusal> {
        self.check_federation(tx, caller)?;
        self.rates.contact.take(caller.peer, tx.now)?;
        let devices = directory::account(tx, account)?.devices;
        let mut fullest = 0;
        for device in devices {
            fullest = mailbox::row(tx, device)?.map_or(0, |row| row.requests).max(fullest);
        }
        let limits = &self.settings.limits;
        let more = fullest.saturating_mul(u64::from(limits.work_bits_full)).checked_div(limits.requests);
        let more = u8::try_from(more.unwrap_or(0)).unwrap_or(u8::MAX).min(limits.work_bits_full);
        let bits = limits.work_bits.saturating_add(more);
        let until_s = u32::try_from(tx.now.plus_ms(CHALLENGE_MS).0 / 1000).unwrap_or(u32::MAX);
        let mut random = [0; 11];
        rng.fill_bytes(&mut random);
        let statement = [until_s.to_be_bytes().as_slice(), &[bits], &random].concat();
        let tag = self.authenticate(&statement, account);
        let bytes = [statement.as_slice(), tag.as_ref().get(..STATEMENT).unwrap_or_default()].concat();
        let challenge = Token::try_from(bytes.as_slice()).map_err(|_| Refusal::TryLater)?;
        Ok(Response::Challenge { challenge, bits })
    }

    pub(super) fn deposit_request(
        &mut self,
        tx: &mut Tx<'_>,
        caller: Caller,
        account: AccountId,
        work: Work,
        bytes: Vec<u8>,
    ) -> Result<Response, Refusal> {
        self.check_federation(tx, caller)?;
        self.rates.contact.take(caller.peer, tx.now)?;
        if bytes.len() as u64 > self.settings.limits.request_bytes {
            return Err(Refusal::TooLarge);
        }
        let envelope = contact_request(&bytes, account)?;
        let used_key = Table::UsedChallenge.key(&[work.challenge.as_ref()]);
        if let Some(used) = tx.get::<Used>(&used_key)? {
            return if used.envelope == envelope.id { Ok(Response::Done) } else { Err(Refusal::NotFound) };
        }
        let until = self.check_work(tx, account, work, envelope.id)?;
        let devices = directory::account(tx, account)?.devices;
        self.count_origin(tx, caller, account)?;
        let takers = self.free_slots(tx, devices, envelope.id)?;
        let keep_ms = self.settings.limits.keep_s.saturating_mul(1000);
        expiry::at(tx, until, &used_key);
        tx.put(used_key, &Used { envelope: envelope.id, until });
        let incoming = Incoming { envelope, bytes: bytes.into(), until: tx.now.plus_ms(keep_ms), request: true };
        self.enqueue(tx, takers, &incoming)?;
        Ok(Response::Done)
    }

    /// The devices that have room for a request.
    fn free_slots(
        &self,
        tx: &Tx<'_>,
        devices: Vec<DeviceId>,
        envelope: EnvelopeId,
    ) -> Result<Vec<(DeviceId, MailboxRow)>, Refusal> {
        let mut takers = Vec::new();
        for device in devices {
            let Some(row) = mailbox::row(tx, device)? else { continue };
            let known = self.knows(tx, device, &row, envelope)?;
            if !known && row.requests < self.settings.limits.requests {
                takers.push((device, row));
            }
        }
        if takers.is_empty() { Err(Refusal::Full) } else { Ok(takers) }
    }

    /// When the challenge ends, if it was given for this account, is good, and the work is done.
    fn check_work(
        &self,
        tx: &Tx<'_>,
        account: AccountId,
        Work { challenge, work }: Work,
        envelope: EnvelopeId,
    ) -> Result<Timestamp, Refusal> {
        let (statement, tag) = challenge.as_bytes().split_at(STATEMENT);
        let expected = self.authenticate(statement, account);
        if expected.as_ref().get(..STATEMENT) != Some(tag) {
            return Err(Refusal::NotFound);
        }
        let Some((until, rest)) = statement.split_first_chunk::<4>() else { return Err(Refusal::NotFound) };
        let until = Timestamp(u64::from(u32::from_be_bytes(*until)).saturating_mul(1000));
        let bits = rest.first().copied().unwrap_or(u8::MAX);
        if until <= tx.now {
            return Err(Refusal::NotFound);
        }
        let done = leading_zero_bits(&work_hash(&challenge, &envelope, work));
        if done < u32::from(bits) { Err(Refusal::Forbidden) } else { Ok(until) }
    }

    fn authenticate(&self, statement: &[u8], account: AccountId) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.keys.challenge.expose());
        hmac::sign(&key, &[b"kith/challenge/1", statement, account.as_ref()].concat())
    }

    /// Counts a request from a sender and an address, and refuses when there were too many.
    fn count_origin(&self, tx: &mut Tx<'_>, caller: Caller, account: AccountId) -> Result<(), Refusal> {
        let limits = &self.settings.limits;
        let address = caller.address.map(quota::Origin::of);
        let mut origins = vec![hash("kith/relay-origin/1", &[b"peer", &caller.peer])];
        origins.extend(address.map(|address| hash("kith/relay-origin/1", &[b"address", address.as_bytes()])));
        for origin in origins {
            let key = Table::Origin.key(&[account.as_ref(), origin.as_ref()]);
            let until = tx.now.plus_ms(limits.origin_s.saturating_mul(1000));
            let row: Option<Origin> = tx.get(&key)?;
            let mut row = row.filter(|row| tx.now < row.until).unwrap_or(Origin { count: 0, until });
            if row.count >= limits.requests_per_origin {
                let retry_s = row.until.0.saturating_sub(tx.now.0).div_ceil(1000);
                return Err(Refusal::TooMany { retry_s: u32::try_from(retry_s).unwrap_or(u32::MAX) });
            }
            row.count = row.count.saturating_add(1);
            expiry::at(tx, row.until, &key);
            tx.put(key, &row);
        }
        Ok(())
    }
}

/// Reads an envelope that is nothing but a contact request to this account.
fn contact_request(bytes: &[u8], account: AccountId) -> Result<Envelope, Refusal> {
    let malformed = |why: &str| Refusal::Malformed(why.into());
    let envelope = Envelope::decode(bytes).map_err(|error| malformed(&error.to_string()))?;
    if envelope.class != Class::Durable {
        return Err(malformed("a contact request is durable"));
    }
    match Packet::decode(&envelope.packet) {
        Ok(Packet::Sealed { to, .. }) if to == account => Ok(envelope),
        Ok(_) => Err(malformed("only a card sealed to this account may be a contact request")),
        Err(error) => Err(malformed(&error.to_string())),
    }
}
