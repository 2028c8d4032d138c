//! Where contacts' devices were last found, so that they are found again while no relay can be asked.
//!
//! Kept in the sealed store: whom somebody knows, and where they live, is nobody else's business. It judges nothing: a device
//! proves who it is when it is dialled.

use serde::{Deserialize, Serialize};

use crate::net::Multiaddr;
use crate::store::{Batch, Read, Scope, Store, Table};
use crate::types::DeviceId;
use crate::wire::codec::Body;

/// As many as an address record holds.
const MAX_ADDRESSES: usize = 8;

#[derive(Serialize, Deserialize)]
struct Remembered {
    addresses: Vec<String>,
}

impl Body for Remembered {
    /// Eight addresses of the longest kind, with room.
    const MAX_BYTES: usize = 8 * 1024;
}

/// Where a device was last found; nothing if it never was.
pub(super) fn recall(store: &Store, device: DeviceId) -> Vec<Multiaddr> {
    let kept = store.get(Table::Address, device.as_ref());
    let remembered = kept.ok().flatten().and_then(|bytes| Remembered::decode(&bytes).ok());
    let addresses = remembered.map(|remembered| remembered.addresses).unwrap_or_default();
    addresses.iter().take(MAX_ADDRESSES).filter_map(|address| address.parse().ok()).collect()
}

/// What keeps where a device was found; nothing if that is known.
pub(super) fn remember(read: &impl Read, device: DeviceId, addresses: &[Multiaddr]) -> Batch {
    let addresses = addresses.iter().take(MAX_ADDRESSES).map(ToString::to_string).collect();
    let bytes = Remembered { addresses }.encode();
    let mut batch = Batch::new();
    if !read.get(Table::Address, device.as_ref()).is_ok_and(|kept| kept.as_deref() == Some(&*bytes)) {
        batch.put(Table::Address, Scope::Account, device.as_ref().to_vec(), bytes);
    }
    batch
}
