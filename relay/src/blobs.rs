//! The chunks of attachments: who may have them the domain says, where they lie the [`Keep`] does.
//!
//! A chunk that was acknowledged is durable and the one that was listed. What no row of the domain names any more is swept away now and
//! then, so that nothing has to be undone after a crash.
//!
//! It cannot open a chunk, and knows no name but one that was made of a secret.

pub mod bucket;
mod connector;
pub mod folder;
mod service;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use kith_core::identity::RelayId;
use kith_core::types::Hash;
use kith_core::wire::blob::{Claim, Held, Open, Refusal, Request, Response, is_listed};
use tokio::sync::{RwLock, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::config::{BESIDE, Config, Place};
use crate::domain::{BlobAsk, BlobFacts, Caller, is_kept};
use crate::server::Handle;

use bucket::{Bucket, Patience};
use folder::Folder;

/// Chunks that are in memory at once: 16 MiB.
const AT_ONCE: usize = 64;

/// Lists that are kept in memory: those of the attachments that are being brought and fetched now; 16 MiB of the largest.
const LISTS: usize = 64;

/// Locks by which a name is kept from being taken away while it is brought; names share them.
const GATES: usize = 64;

/// How often what no row names is swept away.
const SWEEP: Duration = Duration::from_secs(600);

/// Why chunks cannot be kept or given.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is no such thing.
    #[error("it is not there")]
    NotFound,
    /// The disk or the service does not do it.
    #[error("the store of attachments: {0}")]
    Io(String),
}

/// A part of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The hashes of its chunks.
    List,
    /// A chunk.
    Chunk(u32),
}

/// Keeps parts of attachments under names: a folder, or a bucket of some service.
pub trait Keep: Send + Sync {
    /// Keeps a part; it is durable when this is done. What is there already stays or is replaced by the same.
    fn put(&self, name: Hash, part: Part, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), KeepError>>;
    /// Gives a part.
    fn get(&self, name: Hash, part: Part) -> BoxFuture<'_, Result<Vec<u8>, KeepError>>;
    /// The chunks that are there.
    fn chunks(&self, name: Hash) -> BoxFuture<'_, Result<Vec<u32>, KeepError>>;
    /// Nothing is kept under the name any more.
    fn remove(&self, name: Hash) -> BoxFuture<'_, Result<(), KeepError>>;
    /// All names under which something is kept.
    fn names(&self) -> BoxFuture<'_, Result<Vec<Hash>, KeepError>>;
}

/// Opens what a configuration names, for this relay.
///
/// # Errors
/// A sentence for the operator.
pub async fn open(config: &Config, relay: RelayId) -> Result<Arc<dyn Keep>, String> {
    let beside = config.data_dir.join(BESIDE);
    let dir = match &config.blobs.place {
        Place::Bucket(place) => {
            return Ok(Arc::new(Bucket::open(&config.blobs, place, relay, Patience::default()).await?));
        }
        Place::Beside => &beside,
        Place::Folder(dir) => dir,
    };
    let folder = Folder::open(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok(Arc::new(folder))
}

/// Answers requests for attachments. Cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

struct Inner {
    keep: Arc<dyn Keep>,
    domain: Handle,
    at_once: Semaphore,
    lists: Mutex<BTreeMap<Hash, Arc<Vec<u8>>>>,
    /// Held for writing while a name is taken away, so that nothing goes that is just being brought.
    gates: [RwLock<()>; GATES],
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Blobs(…)")
    }
}

impl Blobs {
    /// The service over a store and the domain.
    pub fn new(keep: Arc<dyn Keep>, domain: Handle) -> Self {
        let (at_once, lists) = (Semaphore::new(AT_ONCE), Mutex::default());
        let gates = std::array::from_fn(|_| RwLock::default());
        Self { inner: Arc::new(Inner { keep, domain, at_once, lists, gates }) }
    }

    /// Answers a request. Dropping it is harmless: a chunk is there whole or not at all.
    pub async fn answer(&self, caller: Caller, request: Request) -> Response {
        let name = request.name();
        let response = self.inner.answer(caller, request).await.unwrap_or_else(Response::Refused);
        self.inner.domain.metrics().blob(name, &response);
        response
    }

    /// Sweeps now and then, until it is told to stop.
    pub async fn sweep(self, stopping: CancellationToken) {
        let mut ticks = tokio::time::interval(SWEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            // A service may take its time; what is left is swept away after the next start.
            if let Some(Err(error)) = stopping.run_until_cancelled(self.sweep_once()).await {
                tracing::warn!(%error, "What attachments left behind could not be swept away.");
            }
        }
    }

    /// Takes away what no row names.
    ///
    /// # Errors
    /// If the store of attachments or of rows does not answer.
    pub async fn sweep_once(&self) -> Result<(), KeepError> {
        let inner = &self.inner;
        let names = inner.keep.names().await?;
        inner.domain.metrics().blobs.set(i64::try_from(names.len()).unwrap_or(i64::MAX));
        for name in names {
            inner.let_go(name).await?;
        }
        Ok(())
    }
}

impl Inner {
    async fn answer(&self, caller: Caller, request: Request) -> Result<Response, Refusal> {
        let Ok(_turn) = self.at_once.acquire().await else { return Err(Refusal::TryLater) };
        match request {
            Request::Open(open) => self.open(caller, open).await,
            Request::Put { name, index, chunk } => self.put(caller, name, index, chunk).await,
            Request::Drop { name } => {
                self.domain.blob(caller, BlobAsk::Drop(name)).await?;
                self.remove(name).await;
                Ok(Response::Done)
            }
            Request::List(claim) => self.list(caller, claim).await,
            Request::Get { claim, index } => self.get(caller, claim, index).await,
            Request::Got { claim, reader } => {
                if self.domain.blob(caller, BlobAsk::Got(claim, reader)).await?.gone {
                    self.remove(claim.name).await;
                }
                Ok(Response::Done)
            }
        }
    }

    async fn open(&self, caller: Caller, open: Open) -> Result<Response, Refusal> {
        let _open = self.gate(open.name).read().await;
        let (name, list) = (open.name, open.list.clone());
        let facts = self.domain.blob(caller, BlobAsk::Open(open)).await?;
        self.keep.put(name, Part::List, list.clone()).await.map_err(|error| failed(&error))?;
        self.remember(name, list);
        Ok(Response::Opened { held: self.held(name, facts).await?.runs() })
    }

    async fn put(&self, caller: Caller, name: Hash, index: u32, chunk: Vec<u8>) -> Result<Response, Refusal> {
        let _open = self.gate(name).read().await;
        self.domain.blob(caller, BlobAsk::Put(name)).await?;
        let list = self.listed(name).await?;
        if !is_listed(&list, index, &chunk) {
            return Err(Refusal::Mismatch);
        }
        let bytes = chunk.len();
        self.keep.put(name, Part::Chunk(index), chunk).await.map_err(|error| failed(&error))?;
        self.domain.metrics().blob_stored(bytes);
        Ok(Response::Done)
    }

    async fn list(&self, caller: Caller, claim: Claim) -> Result<Response, Refusal> {
        let facts = self.domain.blob(caller, BlobAsk::Read(claim)).await?;
        let list = self.listed(claim.name).await?;
        Ok(Response::Listed { list: list.to_vec(), held: self.held(claim.name, facts).await?.runs() })
    }

    async fn get(&self, caller: Caller, claim: Claim, index: u32) -> Result<Response, Refusal> {
        self.domain.blob(caller, BlobAsk::Read(claim)).await?;
        match self.keep.get(claim.name, Part::Chunk(index)).await {
            Ok(chunk) => Ok(Response::Chunk { chunk }),
            Err(KeepError::NotFound) => Err(Refusal::NotYet),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn held(&self, name: Hash, facts: BlobFacts) -> Result<Held, Refusal> {
        let mut held = Held::none(facts.chunks);
        for index in self.keep.chunks(name).await.map_err(|error| failed(&error))? {
            held.insert(index);
        }
        Ok(held)
    }

    /// The hashes of an attachment's chunks.
    async fn listed(&self, name: Hash) -> Result<Arc<Vec<u8>>, Refusal> {
        let known = self.lists.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(list) = known {
            return Ok(list);
        }
        match self.keep.get(name, Part::List).await {
            Ok(list) => Ok(self.remember(name, list)),
            // The row came before it, and the relay ended between them: it is opened again.
            Err(KeepError::NotFound) => Err(Refusal::NotFound),
            Err(error) => Err(failed(&error)),
        }
    }

    fn remember(&self, name: Hash, list: Vec<u8>) -> Arc<Vec<u8>> {
        let list = Arc::new(list);
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS {
            lists.clear();
        }
        lists.insert(name, Arc::clone(&list));
        list
    }

    async fn remove(&self, name: Hash) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        if let Err(error) = self.let_go(name).await {
            tracing::warn!(%error, "An attachment that everybody has could not be removed: it is swept away later.");
        }
    }

    /// Takes an attachment away, unless a row names it: it may have been opened again since.
    async fn let_go(&self, name: Hash) -> Result<(), KeepError> {
        let _alone = self.gate(name).write().await;
        // No rows can be read while the relay's store is broken: nothing is taken away on a guess.
        let Some(rows) = self.domain.store().await else { return Ok(()) };
        let kept = tokio::task::spawn_blocking(move || is_kept(&rows, name)).await;
        let kept = kept.map_err(|error| KeepError::Io(error.to_string()))?;
        if !kept.map_err(|error| KeepError::Io(error.to_string()))? {
            self.keep.remove(name).await?;
        }
        Ok(())
    }

    fn gate(&self, name: Hash) -> &RwLock<()> {
        let [first, ..] = name.as_bytes();
        let [gate, ..] = &self.gates;
        self.gates.get(usize::from(*first) % GATES).unwrap_or(gate)
    }
}

fn failed(error: &KeepError) -> Refusal {
    tracing::error!(%error, "Chunks of an attachment could not be kept or read.");
    Refusal::TryLater
}
