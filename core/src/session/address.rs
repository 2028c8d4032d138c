//! Tells contacts where this device is, and finds out where theirs are.
//!
//! A device puts its addresses at its relay once for each contact, under a name and a key that only the two can derive from the
//! delivery token that was given. A relay so sees sealed bytes under names that change daily.

use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{SigningKey, VerifyingKey};
use futures::StreamExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::heart::{HeartHandle, seeded, wall};
use super::peers::{Peers, relays_of};
use super::remembered;
use crate::chat::EngineError;
use crate::chat::account::{Account, contact, contacts, known_record};
use crate::identity::DeviceCertificate;
use crate::net::{
    self, AddressBook, Multiaddr, Path, PeerId, RelayAddress, blinded_name, open_addresses, peer_of_key, seal_addresses,
};
use crate::store::Store;
use crate::types::{AccountId, DeviceId, Token};
use crate::wire::codec::hash;
use crate::wire::relay::{Request, Response};

/// How long a record is kept: it is put anew well before.
const KEPT: Duration = Duration::from_secs(12 * 3600);

/// When records are put anew though nothing has changed. Their names change daily, so that half a day is enough.
const AGAIN: Duration = Duration::from_secs(4 * 3600);

/// Waits between look-ups of a device that is not connected: soon after something has changed, then hardly ever, so that an idle
/// device is quiet.
const LOOK_UPS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(15),
    Duration::from_secs(120),
    Duration::from_secs(1800),
];

/// How many devices are looked up and dialled at the same time.
const AT_ONCE: usize = 16;

/// Changes that come together are handled together.
const SETTLE: Duration = Duration::from_millis(150);

pub(super) struct Addresses {
    net: net::Handle,
    peers: Peers,
    store: Store,
    heart: HeartHandle,
    changed: Arc<Notify>,
    published: Published,
}

/// What was put, for whom, and when.
#[derive(Default)]
struct Published {
    addresses: Vec<Multiaddr>,
    tokens: Vec<Token>,
    at: Option<tokio::time::Instant>,
}

impl Addresses {
    pub(super) fn new(net: net::Handle, peers: Peers, store: Store, heart: HeartHandle) -> Self {
        let changed = peers.changed();
        Self { net, peers, store, heart, changed, published: Published::default() }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut attempt = 0_usize;
        loop {
            let wait = LOOK_UPS.get(attempt).or(LOOK_UPS.last()).copied().unwrap_or(AGAIN);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.notified() => {
                    attempt = 0;
                    tokio::time::sleep(SETTLE).await;
                }
                () = tokio::time::sleep(wait) => attempt = attempt.saturating_add(1),
            }
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.round() => ended,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "Addresses could not be exchanged.");
            }
        }
    }

    async fn round(&mut self) -> Result<(), EngineError> {
        let (store, (own, _)) = (self.store.clone(), self.peers.own());
        // Reading a store is not for the runtime's threads.
        let Ok(read) = tokio::task::spawn_blocking(move || Known::read(&store, own)).await else { return Ok(()) };
        let Some(Known { account, tokens, sought }) = read? else { return Ok(()) };
        let published = std::mem::take(&mut self.published);
        // Neither waits for the other: an own relay that is gone says nothing of the contacts'.
        let (published, ()) =
            tokio::join!(self.publish(&account, tokens, published), at_once(sought, |sought| self.look_up(sought)));
        self.published = published;
        Ok(())
    }

    async fn publish(&self, account: &Account, tokens: Vec<Token>, published: Published) -> Published {
        let Some(relay) = self.peers.own_relay().await else { return published };
        let Ok(addresses) = self.net.addresses().await else { return published };
        let fresh = published.at.is_some_and(|at| at.elapsed() < AGAIN);
        if fresh && published.addresses == addresses && published.tokens == tokens {
            return published;
        }
        for token in &tokens {
            // One that does not answer once is not asked for each contact.
            if !self.put(&relay, account, *token, &addresses).await {
                return published;
            }
        }
        Published { addresses, tokens, at: Some(tokio::time::Instant::now()) }
    }

    async fn put(&self, relay: &RelayAddress, account: &Account, token: Token, addresses: &[Multiaddr]) -> bool {
        let now = wall();
        let seed = account.keys().events.seed();
        let ttl_s = u32::try_from(KEPT.as_secs()).unwrap_or(u32::MAX);
        let book = AddressBook {
            peer: self.net.local_peer(),
            addresses: addresses.iter().take(8).cloned().collect(),
            relays: Vec::new(),
            written: now,
            expires: now.plus_ms(u64::from(ttl_s).saturating_mul(1000)),
        };
        let (secret, key) = secrets(token, account.device());
        let signer = SigningKey::from_bytes(seed.expose());
        let Ok(sealed) = seal_addresses(&book, &signer, &key, &mut seeded()) else { return true };
        let request = Request::PutAddress { name: blinded_name(&secret, now), sealed, ttl_s };
        matches!(self.net.relay_request(relay, &request).await, Ok(Response::Done))
    }

    async fn look_up(&self, Sought { certificate, relay, token }: Sought) {
        let Ok(peer) = peer_of_key(certificate.transport_key().as_bytes()) else { return };
        // A circuit is a way, but not so good a one that a better is not looked for.
        if self.net.reachability(peer).await.is_ok_and(|now| matches!(now.path, Path::Lan | Path::Direct)) {
            return;
        }
        let (secret, key) = secrets(token, certificate.device_id());
        let Ok(events) = VerifyingKey::from_bytes(certificate.events_key().as_bytes()) else { return };
        let now = wall();
        let request = Request::GetAddress { name: blinded_name(&secret, now) };
        let Ok(answer) = self.net.relay_request(&relay, &request).await else {
            return self.try_remembered(peer, certificate.device_id()).await;
        };
        let Response::Address { sealed } = answer else { return };
        match open_addresses(&sealed, &events, &key, now) {
            Ok(book) if book.peer == peer => {
                // The heart ends with the session, and then nothing is left to be kept.
                let _ = self.heart.found(certificate.device_id(), book.addresses.clone()).await;
                // Both can fail only by not reaching the device, and then the mailbox serves.
                let _ = self.net.add_addresses(peer, book.addresses).await;
                let _ = self.net.connect(peer).await;
            }
            Ok(_) => self.heart.refused.count("address"),
            Err(error) => {
                tracing::debug!(%error, "An address record cannot be opened.");
                self.heart.refused.count("address");
            }
        }
    }

    /// Dials where the device was last found. Only while the relay does not answer: a dial to where a device was can take the
    /// place of one to where it is.
    async fn try_remembered(&self, peer: PeerId, device: DeviceId) {
        let addresses = remembered::recall(&self.store, device);
        if addresses.is_empty() || self.net.add_addresses(peer, addresses).await.is_err() {
            return;
        }
        let net = self.net.clone();
        // It ends by itself when the node ends or gives up; who cannot be reached so has a mailbox.
        tokio::spawn(async move { net.connect(peer).await });
    }
}

/// A device whose addresses are looked for.
struct Sought {
    certificate: DeviceCertificate,
    /// Where its account keeps them.
    relay: RelayAddress,
    token: Token,
}

/// What a round works with.
struct Known {
    account: Account,
    /// Of everybody who may find this device.
    tokens: Vec<Token>,
    sought: Vec<Sought>,
}

impl Known {
    fn read(store: &Store, own: AccountId) -> Result<Option<Self>, EngineError> {
        let Some(account) = Account::open(store)? else { return Ok(None) };
        let mut known = contacts(store, own)?;
        known.extend(contact(store, &own)?);
        known.retain(|contact| contact.accepted && !contact.blocked);
        let tokens = known.iter().filter_map(|contact| Some(contact.given?.delivery)).collect();
        let mut sought = Vec::new();
        for contact in &known {
            let (Some(record), Some(taken)) = (known_record(store, &contact.account)?, contact.taken) else { continue };
            let Some(relay) = relays_of(&record).into_iter().next() else { continue };
            let others = record.devices().iter().filter(|device| device.device_id() != account.device());
            sought.extend(others.map(|device| Sought {
                certificate: device.clone(),
                relay: relay.clone(),
                token: taken.delivery,
            }));
        }
        Ok(Some(Self { account, tokens, sought }))
    }
}

/// Works on all, [`AT_ONCE`] at a time, so that one that takes long holds up only itself.
async fn at_once<T, F: Future<Output = ()>>(all: Vec<T>, work: impl Fn(T) -> F) {
    futures::stream::iter(all).for_each_concurrent(AT_ONCE, work).await;
}

/// What names and what seals a device's addresses for the holder of a delivery token.
fn secrets(token: Token, device: DeviceId) -> ([u8; 32], [u8; 32]) {
    let secret = hash("kith/address-secret/1", &[token.as_ref(), device.as_ref()]);
    let key = hash("kith/address-key/1", &[secret.as_ref()]);
    (*secret.as_bytes(), *key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_looked_up_later_does_not_wait_for_who_does_not_answer() {
        let found = Notify::new();
        // All but the last wait for what only the last one brings.
        let all: Vec<usize> = (0..AT_ONCE).collect();
        at_once(all, |number| {
            let found = &found;
            async move { if number + 1 < AT_ONCE { found.notified().await } else { found.notify_waiters() } }
        })
        .await;
    }
}
