//! What other devices ask this one for.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use super::{Attachments, Inner, Order, Place};
use crate::blob::ShelfError;
use crate::chat::attachment::Known;
use crate::types::{DeviceId, Hash};
use crate::wire::blob::{Claim, Layout, Refusal, Request, Response, capability_hash};

impl Attachments {
    /// Answers a device. Whether it is a contact's was judged; here, whether it may have what it asks for.
    pub(in crate::session) async fn serve(&self, device: DeviceId, request: Request) -> Response {
        match request {
            Request::List(claim) => self.list(device, claim).await,
            Request::Get { claim, index } => self.get(device, claim, index).await,
            Request::Got { claim, .. } => match self.inner.entitled(device, claim).await {
                Some(_) => {
                    let _ = self.orders.send(Order::Got(claim.name, device)).await;
                    Response::Done
                }
                None => Response::Refused(Refusal::NotFound),
            },
            // A device keeps nothing for others.
            Request::Open(_) | Request::Put { .. } | Request::Drop { .. } => Response::Refused(Refusal::NotKept),
        }
    }

    async fn list(&self, device: DeviceId, claim: Claim) -> Response {
        let Some(known) = self.inner.entitled(device, claim).await else { return not_found() };
        let read = self.inner.blocking(move |inner| inner.shelf.list(&known.id)).await;
        let held = vec![(0, Layout::of(known.size).chunks())];
        read.flatten().map_or_else(not_found, |list| Response::Listed { list, held })
    }

    async fn get(&self, device: DeviceId, claim: Claim, index: u32) -> Response {
        let Some(known) = self.inner.entitled(device, claim).await else { return not_found() };
        let Ok(_turn) = self.inner.serving.try_acquire() else {
            return Response::Refused(Refusal::TooMany { retry_s: 1 });
        };
        let layout = Layout::of(known.size);
        let reading = self.inner.ahead().take(&known.id, index);
        let read = match reading {
            Some(reading) => reading.await.ok(),
            None => self.inner.blocking(move |inner| inner.shelf.chunk(&known.id, &layout, index)).await,
        };
        // Whoever has this one asks for the next as a rule: it is read while this one travels.
        let next = index.saturating_add(1);
        if matches!(read, Some(Ok(_))) && next < layout.chunks() {
            let inner = Arc::clone(&self.inner);
            let reading = tokio::task::spawn_blocking(move || inner.shelf.chunk(&known.id, &layout, next));
            self.inner.ahead().put(known.id, next, reading);
        }
        // That the plan is busy does not matter: it only shows how far the other has come.
        let _ = self.orders.try_send(Order::Asked(claim.name, index));
        match read {
            Some(Ok(chunk)) => {
                tracing::debug!(index, "A chunk of an attachment is given to a device.");
                Response::Chunk { chunk }
            }
            _ => not_found(),
        }
    }
}

fn not_found() -> Response {
    Response::Refused(Refusal::NotFound)
}

impl Inner {
    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a device may have under this claim: all of it is here, the claim is right, and the device is in a conversation in which a
    /// message names it that was not taken back.
    async fn entitled(self: &Arc<Self>, device: DeviceId, claim: Claim) -> Option<Known> {
        let (known, places) = self.claimed(&claim)?;
        let cached = self.index().is_entitled(&claim.name, &device);
        if !cached {
            let may = self.blocking(move |inner| {
                let conversations: BTreeSet<_> = places.iter().map(|place| place.0).collect();
                conversations.into_iter().any(|conversation| inner.others(conversation).contains(&device))
            });
            if may.await != Some(true) {
                return None;
            }
            self.index().entitle(claim.name, device);
        }
        self.shelf.has(&known.id).then_some(known)
    }

    fn claimed(&self, claim: &Claim) -> Option<(Known, Vec<Place>)> {
        let index = self.index();
        let offered = |place: &Place| index.get(place).is_some_and(|entry| !(entry.outgoing && entry.kept.cancelled));
        let places: Vec<Place> = index.named(&claim.name).filter(offered).collect();
        let known = index.get(places.first()?)?.known;
        (known.capability == capability_hash(&claim.capability)).then_some((known, places))
    }
}

/// Chunks that are read before they are asked for, at most. Those that nobody comes for stay until others take their place: a MiB.
const READ_AHEAD: usize = 4;

/// A chunk that is being read.
type Reading = JoinHandle<Result<Vec<u8>, ShelfError>>;

/// Chunks that are read before they are asked for, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Ahead(VecDeque<(Hash, u32, Reading)>);

impl Ahead {
    fn take(&mut self, id: &Hash, index: u32) -> Option<Reading> {
        let at = self.0.iter().position(|(known, number, _)| known == id && *number == index)?;
        self.0.remove(at).map(|(_, _, reading)| reading)
    }

    fn put(&mut self, id: Hash, index: u32, reading: Reading) {
        if self.0.len() >= READ_AHEAD {
            self.0.pop_front();
        }
        self.0.push_back((id, index, reading));
    }
}

/// For how long it is not asked again whether a device may have something, in requests: a file's worth.
const REMEMBERED: usize = 64;

/// Devices that were found to be entitled, the newest.
#[derive(Debug, Default)]
pub(super) struct Entitled(VecDeque<(Hash, DeviceId)>);

impl Entitled {
    pub(super) fn contains(&self, name: &Hash, device: &DeviceId) -> bool {
        self.0.iter().any(|(known, whose)| known == name && whose == device)
    }

    pub(super) fn insert(&mut self, name: Hash, device: DeviceId) {
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((name, device));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
