//! Tells contacts where this device is, and finds out where theirs are.
//!
//! A device puts its addresses at its relay once for each contact, under a name and a key that only the two can derive from the
//! delivery token that was given. A relay so sees sealed bytes under names that change daily.

use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{SigningKey, VerifyingKey};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::heart::{seeded, wall};
use super::peers::{Peers, relays_of};
use super::remembered;
use crate::chat::account::{Account, Contact, contacts, known_record};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::net::{
    self, AddressBook, Multiaddr, Path, PeerId, RelayAddress, blinded_name, open_addresses, peer_of_key, seal_addresses,
};
use crate::store::Store;
use crate::types::{DeviceId, Token};
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

/// Changes that come together are handled together.
const SETTLE: Duration = Duration::from_millis(150);

pub(super) struct Addresses {
    net: net::Handle,
    peers: Peers,
    store: Store,
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
    pub(super) fn new(net: net::Handle, peers: Peers, store: Store) -> Self {
        let changed = peers.changed();
        Self { net, peers, store, changed, published: Published::default() }
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
            if let Err(error) = self.round().await {
                tracing::debug!(%error, "Addresses could not be exchanged.");
            }
        }
    }

    async fn round(&mut self) -> Result<(), crate::chat::EngineError> {
        let Some(account) = Account::open(&self.store)? else { return Ok(()) };
        let (own, _) = self.peers.own();
        let mut known = contacts(&self.store, own)?;
        known.extend(crate::chat::account::contact(&self.store, &own)?);
        known.retain(|contact| contact.accepted && !contact.blocked);
        self.publish(&account, &known).await;
        for contact in &known {
            let Some(record) = known_record(&self.store, &contact.account)? else { continue };
            let Some(taken) = contact.taken else { continue };
            for certificate in record.devices() {
                if certificate.device_id() != account.device() {
                    self.look_up(&record, certificate, taken.delivery).await;
                }
            }
        }
        Ok(())
    }

    async fn publish(&mut self, account: &Account, known: &[Contact]) {
        let Some(relay) = self.peers.own_relay().await else { return };
        let Ok(addresses) = self.net.addresses().await else { return };
        let tokens: Vec<Token> = known.iter().filter_map(|contact| Some(contact.given?.delivery)).collect();
        let fresh = self.published.at.is_some_and(|at| at.elapsed() < AGAIN);
        if fresh && self.published.addresses == addresses && self.published.tokens == tokens {
            return;
        }
        let mut all_taken = true;
        for token in &tokens {
            all_taken &= self.put(&relay, account, *token, &addresses).await;
        }
        if all_taken {
            self.published = Published { addresses, tokens, at: Some(tokio::time::Instant::now()) };
        }
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

    async fn look_up(&self, record: &AccountRecord, certificate: &DeviceCertificate, token: Token) {
        let Ok(peer) = peer_of_key(certificate.transport_key().as_bytes()) else { return };
        let relays = relays_of(record);
        let Some(relay) = relays.first() else { return };
        // A circuit is a way, but not so good a one that a better is not looked for.
        if self.net.reachability(peer).await.is_ok_and(|now| matches!(now.path, Path::Lan | Path::Direct)) {
            return;
        }
        let (secret, key) = secrets(token, certificate.device_id());
        let Ok(events) = VerifyingKey::from_bytes(certificate.events_key().as_bytes()) else { return };
        let now = wall();
        let request = Request::GetAddress { name: blinded_name(&secret, now) };
        let Ok(answer) = self.net.relay_request(relay, &request).await else {
            return self.try_remembered(peer, certificate.device_id()).await;
        };
        let Response::Address { sealed } = answer else { return };
        match open_addresses(&sealed, &events, &key, now) {
            Ok(book) if book.peer == peer => {
                self.remember(certificate.device_id(), &book.addresses);
                // Both can fail only by not reaching the device, and then the mailbox serves.
                let _ = self.net.add_addresses(peer, book.addresses).await;
                let _ = self.net.connect(peer).await;
            }
            Ok(_) => tracing::debug!("An address record names another peer."),
            Err(error) => tracing::debug!(%error, "An address record cannot be opened."),
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

    fn remember(&self, device: DeviceId, addresses: &[Multiaddr]) {
        let (store, addresses) = (self.store.clone(), addresses.to_vec());
        tokio::task::spawn_blocking(move || {
            if let Err(error) = remembered::remember(&store, device, &addresses) {
                tracing::warn!(%error, "Where a contact was found cannot be kept.");
            }
        });
    }
}

/// What names and what seals a device's addresses for the holder of a delivery token.
fn secrets(token: Token, device: DeviceId) -> ([u8; 32], [u8; 32]) {
    let secret = hash("kith/address-secret/1", &[token.as_ref(), device.as_ref()]);
    let key = hash("kith/address-key/1", &[secret.as_ref()]);
    (*secret.as_bytes(), *key.as_bytes())
}
