//! Whom the network may talk to: the devices of contacts and members, the own account's others, and the own relays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::{Notify, RwLock, broadcast};
use tokio_util::sync::CancellationToken;

use super::Event;
use crate::chat::account::{contacts, known_record};
use crate::chat::{EngineError, Notice};
use crate::identity::{self, AccountRecord};
use crate::net::{self, PeerId, RelayAddress, peer_of_key};
use crate::store::Store;
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
        match self.gather() {
            Ok((devices, circuits, relays)) => self.tell(devices, circuits, relays).await,
            Err(error) => tracing::warn!(%error, "The contacts cannot be read."),
        }
    }

    async fn tell(
        &self,
        devices: BTreeMap<PeerId, DeviceId>,
        circuits: Vec<(PeerId, RelayAddress)>,
        relays: Vec<RelayAddress>,
    ) {
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

    #[expect(clippy::type_complexity, reason = "three lists, used once")]
    fn gather(
        &self,
    ) -> Result<(BTreeMap<PeerId, DeviceId>, Vec<(PeerId, RelayAddress)>, Vec<RelayAddress>), EngineError> {
        let store = &self.store;
        let mut accounts: BTreeSet<AccountId> = BTreeSet::from([self.account]);
        for contact in contacts(store, self.account)? {
            if !contact.blocked && (contact.accepted || contact.asked.is_some()) {
                accounts.insert(contact.account);
            }
        }
        accounts.extend(crate::chat::member_accounts(store)?);
        let (mut devices, mut circuits, mut own) = (BTreeMap::new(), Vec::new(), Vec::new());
        for account in accounts {
            let Some(record) = known_record(store, &account)? else { continue };
            let relays = relays_of(&record);
            for certificate in record.devices() {
                let Ok(peer) = peer_of_key(certificate.transport_key().as_bytes()) else { continue };
                if certificate.device_id() != self.device {
                    devices.insert(peer, certificate.device_id());
                    circuits.extend(relays.iter().map(|relay| (peer, relay.clone())));
                }
            }
            if account == self.account {
                own = relays;
            }
        }
        Ok((devices, circuits, own))
    }

    /// Woken when contacts, own addresses or the relay's connection have changed.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
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

/// The relays of a record, as the network wants them; addresses that it cannot read are left out.
pub(super) fn relays_of(record: &AccountRecord) -> Vec<RelayAddress> {
    record.relays().iter().filter_map(relay_address).collect()
}

/// A relay of a record, as the network wants it.
pub(super) fn relay_address(relay: &identity::RelayAddress) -> Option<RelayAddress> {
    relay.addresses.join(",").parse().ok()
}

/// Refreshes when contacts or members have changed.
pub(super) async fn follow(peers: Peers, mut events: broadcast::Receiver<Event>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(Event::Notice(Notice::Contact { .. } | Notice::Conversation { .. })) => peers.refresh().await,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => peers.refresh().await,
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
