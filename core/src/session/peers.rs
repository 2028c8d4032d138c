//! Whom the network may talk to: the devices of contacts, the own account's others, and the own relays.
//!
//! A direct path shows where one is. Members of a group who are no contacts, and whoever is blocked, get none: their mailboxes
//! serve (DESIGN §6). Only an account without a relay, which has no mailbox, reaches members straight.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Notify, RwLock, broadcast};
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::chat::account::{contacts, known_record};
use crate::chat::{EngineError, Notice, member_accounts};
use crate::identity::{self, AccountRecord};
use crate::net::{self, PeerId, RelayAddress, peer_of_key};
use crate::store::{Read, Store};
use crate::types::{AccountId, DeviceId};

/// What is known of whom the network may talk to. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    store: Store,
    net: net::Handle,
    account: AccountId,
    device: DeviceId,
    known: Arc<RwLock<Known>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Known {
    devices: BTreeMap<PeerId, DeviceId>,
    relays: Vec<RelayAddress>,
}

impl Peers {
    pub(super) fn new(store: Store, net: net::Handle, account: AccountId, device: DeviceId) -> Self {
        Self { store, net, account, device, known: Arc::default(), changed: Arc::default() }
    }

    /// Reads contacts and records again and tells the network.
    pub(super) async fn refresh(&self) {
        let (store, account, device) = (self.store.clone(), self.account, self.device);
        // Reading a store is not for the runtime's threads.
        match tokio::task::spawn_blocking(move || gather(&store, account, device)).await {
            Ok(Ok(found)) => self.tell(found).await,
            Ok(Err(error)) => tracing::warn!(%error, "The contacts cannot be read."),
            Err(error) => tracing::warn!(%error, "The contacts could not be read."),
        }
    }

    async fn tell(&self, Found { devices, circuits, relays }: Found) {
        let mut known = self.known.write().await;
        // The network's own end is the only reason for these to fail, and then nothing is left to be told.
        if known.relays != relays {
            let _ = self.net.set_relays(relays.clone()).await;
        }
        if known.devices != devices {
            let _ = self.net.set_contacts(devices.clone()).await;
            for (peer, relay) in circuits {
                let _ = self.net.add_circuit(peer, relay).await;
            }
        }
        *known = Known { devices, relays };
        self.changed.notify_one();
    }

    /// Woken when contacts, own addresses or the relay's connection have changed.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// The devices that may be reached directly.
    pub(super) async fn devices(&self) -> BTreeMap<PeerId, DeviceId> {
        self.known.read().await.devices.clone()
    }

    /// The own account's preferred relay.
    pub(super) async fn own_relay(&self) -> Option<RelayAddress> {
        self.known.read().await.relays.first().cloned()
    }

    /// The account on this device, and the device.
    pub(super) fn own(&self) -> (AccountId, DeviceId) {
        (self.account, self.device)
    }
}

/// Whom the store says that the network may talk to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    devices: BTreeMap<PeerId, DeviceId>,
    circuits: Vec<(PeerId, RelayAddress)>,
    relays: Vec<RelayAddress>,
}

fn gather(store: &impl Read, own: AccountId, own_device: DeviceId) -> Result<Found, EngineError> {
    let known = contacts(store, own)?;
    let direct = known.iter().filter(|contact| !contact.blocked && (contact.accepted || contact.asked.is_some()));
    let mut accounts: BTreeSet<AccountId> = direct.map(|contact| contact.account).chain([own]).collect();
    // Who has no relay has no mailbox: members then have no other way than a direct one, and are neighbours on a network.
    if known_record(store, &own)?.is_some_and(|record| record.relays().is_empty()) {
        let blocked = |account: &AccountId| known.iter().any(|contact| contact.account == *account && contact.blocked);
        accounts.extend(member_accounts(store)?.into_iter().filter(|account| !blocked(account)));
    }
    let mut found = Found::default();
    for account in accounts {
        let Some(record) = known_record(store, &account)? else { continue };
        let relays = relays_of(&record);
        for certificate in record.devices() {
            let Ok(peer) = peer_of_key(certificate.transport_key().as_bytes()) else { continue };
            if certificate.device_id() != own_device {
                found.devices.insert(peer, certificate.device_id());
                found.circuits.extend(relays.iter().map(|relay| (peer, relay.clone())));
            }
        }
        if account == own {
            found.relays = relays;
        }
    }
    Ok(found)
}

/// The relays of a record, as the network wants them; addresses that it cannot read are left out.
pub(super) fn relays_of(record: &AccountRecord) -> Vec<RelayAddress> {
    record.relays().iter().filter_map(relay_address).collect()
}

/// A relay of a record, as the network wants it.
pub(super) fn relay_address(relay: &identity::RelayAddress) -> Option<RelayAddress> {
    relay.addresses.join(",").parse().ok()
}

/// Refreshes when contacts have changed. What has come meanwhile is one change.
pub(super) async fn follow(peers: Peers, mut events: broadcast::Receiver<Event>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => event,
        };
        let mut changed = match event {
            Ok(event) => concerns(&event),
            Err(broadcast::error::RecvError::Lagged(_)) => true,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        loop {
            match events.try_recv() {
                Ok(event) => changed |= concerns(&event),
                Err(broadcast::error::TryRecvError::Lagged(_)) => changed = true,
                Err(_) => break,
            }
        }
        if changed {
            tokio::select! {
                () = stop.cancelled() => return,
                () = peers.refresh() => {}
            }
        }
    }
}

/// Whether the network may have to talk to others from now on.
fn concerns(event: &Event) -> bool {
    matches!(event, Event::Notice(Notice::Contact { .. } | Notice::Conversation { .. }) | Event::Recovered)
}
