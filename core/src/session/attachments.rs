//! Transfers of attachments: what is fetched, what is brought to the relay, who is given what.
//!
//! One task owns the plan: what wants to be transferred and when it is due. A *run* takes one attachment as far as it comes now, at
//! most [`RUNS`] at once, and ends when it is done or has nobody to ask; what is kept of it is on the shelf, so that a run is begun anew
//! at no cost. What a device is asked by others goes past the plan ([`serve`](self)).
//!
//! Invariants: a sealed file is on the shelf exactly as long as an event of the store names it, but for one that is being sent; what a
//! device is given it is entitled to: a member of a conversation that names it; nothing here keeps a message waiting.

mod bring;
mod fetch;
mod plan;
mod row;
mod serve;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::heart::HeartHandle;
use super::peers::{Peers, relays_of};
use super::{CommandFailure, Event};
use crate::blob::{Shelf, ShelfError};
use crate::chat::account::known_record;
use crate::chat::attachment::{Known, attachment, attachment_row, attachments};
use crate::chat::view::{self, ConversationView};
use crate::chat::{Me, Notice};
use crate::net::{self, PeerId, RelayAddress};
use crate::store::{ReadError, Store};
use crate::types::{ContentId, ConversationId, DeviceId, Hash, Token};
use crate::wire::blob::{Attachment, Layout};
use crate::wire::control::Said;

use plan::{Entry, Index, Ran};
use row::Kept;
use serve::Ahead;

/// Attachments that are transferred at once; the next wait their turn. A relay's connection has twice as many lanes as these use.
const RUNS: usize = 4;

/// Chunks that are read for others at once: 4 MiB of memory.
const SERVED: usize = 16;

/// Voice notes up to so many bytes are fetched without being asked for: an hour at the highest rate that is offered for speech.
const VOICE_BYTES: u64 = 64 << 20;

/// Orders that wait for the plan.
const ORDERS: usize = 256;

/// How often the progress of one transfer is told.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// How long the devices that are connected have to come for what was sent, before it is brought to the relay for them.
const GRACE: Duration = Duration::from_secs(20);

/// The message that names it.
pub(super) type Place = (ConversationId, ContentId);

/// How it stands with an attachment here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where it is.
    pub state: TransferState,
    /// All of it is on this device.
    pub here: bool,
    /// Bytes that came or went so far.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
    /// Why it failed or waits.
    pub problem: Option<Said>,
}

/// Where a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransferState {
    /// Nobody asked for it.
    #[default]
    None,
    /// For somebody to give or take it, or for its turn.
    Waiting,
    /// It comes or goes.
    Active,
    /// The relay keeps it for those who do not have it.
    Uploaded,
    /// It is here; or all have it.
    Done,
    /// It is not tried again by itself.
    Failed,
    /// It was given up.
    Cancelled,
}

/// What is wanted of the plan.
enum Order {
    Fetch(Place, oneshot::Sender<Option<Standing>>),
    Cancel(Place, oneshot::Sender<Option<Standing>>),
    /// Somebody comes for it.
    Asked(Hash, u32),
    /// A device has all of it.
    Got(Hash, DeviceId),
    /// What is fetched unasked is another size now.
    Look,
}

/// Everything that runs share.
struct Inner {
    shelf: Shelf,
    store: Store,
    net: net::Handle,
    peers: Peers,
    heart: HeartHandle,
    events: broadcast::Sender<Event>,
    me: Me,
    index: Mutex<Index>,
    ahead: Mutex<Ahead>,
    auto_fetch: AtomicU64,
    serving: Semaphore,
    started: Instant,
}

/// The attachments of a session. Cheap to clone.
#[derive(Clone)]
pub struct Attachments {
    inner: Arc<Inner>,
    orders: mpsc::Sender<Order>,
}

/// What the plan needs to run.
pub(super) struct Work {
    inner: Arc<Inner>,
    orders: mpsc::Receiver<Order>,
    told: broadcast::Receiver<Event>,
}

/// What a session's attachments are made of.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) net: net::Handle,
    pub(super) peers: Peers,
    pub(super) heart: HeartHandle,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) me: Me,
    pub(super) auto_fetch: u64,
}

impl Attachments {
    /// Opens the shelf, and throws away what no event names. Reads the store: it is not for a runtime's threads.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn open(parts: Parts) -> Result<(Self, Work), ShelfError> {
        let shelf = Shelf::open(&directory(parts.store.dir()))?;
        let index = Index::load(&parts.store, &shelf, parts.me).map_err(|error| ShelfError::Io(error.to_string()))?;
        let named: BTreeSet<Hash> = index.ids().collect();
        for id in shelf.ids()? {
            if !named.contains(&id) {
                shelf.remove(&id)?;
            }
        }
        let (orders, receiver) = mpsc::channel(ORDERS);
        let told = parts.events.subscribe();
        let Parts { store, net, peers, heart, events, me, auto_fetch } = parts;
        let inner = Arc::new(Inner {
            shelf,
            store,
            net,
            peers,
            heart,
            events,
            me,
            index: Mutex::new(index),
            ahead: Mutex::default(),
            auto_fetch: AtomicU64::new(auto_fetch),
            serving: Semaphore::new(SERVED),
            started: Instant::now(),
        });
        Ok((Self { inner: Arc::clone(&inner), orders }, Work { inner, orders: receiver, told }))
    }

    /// Takes in what `write` writes, sealed under a fresh key and durable. Whoever then sends no event that names it has to
    /// [`Attachments::discard`] it. It takes the time that the disk takes.
    ///
    /// # Errors
    /// What `write` says, and if it is too large or the disk refuses.
    pub fn take_in(
        &self,
        write: impl FnOnce(&mut dyn std::io::Write) -> Result<(), ShelfError>,
    ) -> Result<Attachment, ShelfError> {
        let key = Token::random(&mut super::seeded());
        self.inner.shelf.take_in(key, write)
    }

    /// Throws away what was taken in and not sent.
    pub fn discard(&self, attachment: &Attachment) {
        if let Err(error) = self.inner.shelf.remove(&attachment.id) {
            tracing::warn!(%error, "What was not sent could not be removed: it goes at the next start.");
        }
    }

    /// The shelf, to read what is here.
    pub fn shelf(&self) -> &Shelf {
        &self.inner.shelf
    }

    /// How it stands with a message's attachment; none if it has none.
    pub fn standing(&self, conversation: ConversationId, id: ContentId) -> Option<Standing> {
        self.inner.standing(&(conversation, id))
    }

    /// Fetches a message's attachment, or goes on with its transfer at once; none if it has none.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn fetch(&self, conversation: ConversationId, id: ContentId) -> Result<Option<Standing>, CommandFailure> {
        self.order(|reply| Order::Fetch((conversation, id), reply)).await
    }

    /// Gives up a transfer; none if the message has no attachment.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn cancel(
        &self,
        conversation: ConversationId,
        id: ContentId,
    ) -> Result<Option<Standing>, CommandFailure> {
        self.order(|reply| Order::Cancel((conversation, id), reply)).await
    }

    /// From now on files of others up to so many bytes are fetched without being asked for.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn set_auto_fetch(&self, bytes: u64) -> Result<(), CommandFailure> {
        self.inner.auto_fetch.store(bytes, Ordering::Relaxed);
        self.orders.send(Order::Look).await.map_err(|_| CommandFailure::Ended)
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Result<T, CommandFailure> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| CommandFailure::Ended)?;
        answer.await.map_err(|_| CommandFailure::Ended)
    }
}

/// Where the sealed files of a store are.
fn directory(store: &Path) -> std::path::PathBuf {
    store.join("blobs")
}

impl Inner {
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the start: what the machines call now.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn standing(&self, place: &Place) -> Option<Standing> {
        let index = self.index();
        let entry = index.get(place)?;
        let here = entry.outgoing || self.shelf.has(&entry.known.id);
        Some(entry.standing(here))
    }

    /// Changes how a transfer stands, and tells it: at once when it is another state or problem, else now and then.
    fn change(&self, place: &Place, change: impl FnOnce(&mut Entry)) {
        let due = {
            let mut index = self.index();
            let Some(entry) = index.get_mut(place) else { return };
            let before = (entry.state, entry.problem.clone());
            change(entry);
            let due = before != (entry.state, entry.problem.clone())
                || entry.told.is_none_or(|told| told.elapsed() >= TELL_EVERY);
            if due {
                entry.told = Some(Instant::now());
            }
            due
        };
        if due {
            self.tell(place);
        }
    }

    fn tell(&self, place: &Place) {
        // Nobody may be listening.
        let _ = self.events.send(Event::Transfer { conversation: place.0, id: place.1 });
    }

    /// Reads the store away from the runtime's threads.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let inner = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&inner)).await.ok()
    }

    async fn attachment(self: &Arc<Self>, place: Place) -> Option<Attachment> {
        self.blocking(move |inner| attachment(&inner.store, &place.0, &place.1).ok().flatten()).await.flatten()
    }

    fn conversation(&self, id: ConversationId) -> Option<ConversationView> {
        view::conversation(&self.store, id).ok().flatten()
    }

    /// The relays of the account of a device in a conversation.
    fn relays_of_author(&self, place: &Place) -> Vec<RelayAddress> {
        let account =
            self.conversation(place.0).and_then(|view| Some(view.roster.member(&place.1.feed.device)?.account));
        let record = account.and_then(|account| known_record(&self.store, &account).ok().flatten());
        record.map(|record| relays_of(&record)).unwrap_or_default()
    }

    /// The devices in a conversation but for this one.
    fn others(&self, conversation: ConversationId) -> Vec<DeviceId> {
        let Some(view) = self.conversation(conversation) else { return Vec::new() };
        let present =
            view.roster.members().filter(|(device, member)| member.is_present() && **device != self.me.device);
        present.map(|(device, _)| *device).collect()
    }

    /// By which peer ids the network knows devices.
    async fn peer_ids(&self) -> Vec<(PeerId, DeviceId)> {
        self.peers.devices().await.into_iter().collect()
    }

    async fn keep(&self, place: Place, kept: Option<Kept>) {
        if let Err(error) = self.heart.keep(row::batch(&place, kept)).await {
            // It is looked at again at the next start: what is transferred twice is only asked for, and not sent again.
            tracing::debug!(%error, "How far a transfer has come could not be kept.");
        }
    }
}

/// What is known of one attachment, from the store.
fn known(store: &Store, place: &Place) -> Result<Option<Known>, ReadError> {
    attachment_row(store, &place.0, &place.1)
}

impl Work {
    /// Runs the plan until the session ends.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut runs: JoinSet<(Place, Ran)> = JoinSet::new();
        self.look_at_all().await;
        loop {
            self.start_due(&mut runs, &stop);
            let due = if runs.len() < RUNS { self.inner.index().next_due() } else { None };
            let wait = tokio::time::sleep_until(due.unwrap_or_else(Instant::now));
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = runs.join_next(), if !runs.is_empty() => {
                    if let Ok((place, ran)) = ended {
                        self.ended(place, ran).await;
                    }
                }
                order = self.orders.recv() => match order {
                    Some(order) => self.order(order).await,
                    None => break,
                },
                told = self.told.recv() => match told {
                    Ok(event) => self.heard(event).await,
                    Err(broadcast::error::RecvError::Lagged(_)) => self.look_at_all().await,
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                () = wait, if due.is_some() => {}
            }
        }
        runs.shutdown().await;
    }

    fn start_due(&self, runs: &mut JoinSet<(Place, Ran)>, stop: &CancellationToken) {
        while runs.len() < RUNS {
            let Some(started) = self.inner.index().start_due(Instant::now()) else { return };
            let (inner, stop) = (Arc::clone(&self.inner), stop.clone());
            self.inner.tell(&started.place);
            runs.spawn(async move {
                let place = started.place;
                let running = async {
                    match started.outgoing {
                        true => bring::run(&inner, place, started.waiting).await,
                        false => fetch::run(&inner, place, started.liars).await,
                    }
                };
                let ran = tokio::select! {
                    () = stop.cancelled() => Ran::Stopped,
                    () = started.cancel.cancelled() => Ran::Stopped,
                    ran = running => ran,
                };
                (place, ran)
            });
        }
    }

    async fn ended(&self, place: Place, ran: Ran) {
        let kept = self.inner.index().get_mut(&place).map(|entry| entry.ended(&ran));
        match kept {
            Some(Some(kept)) => self.inner.keep(place, kept).await,
            Some(None) => {}
            // Its message went while it came: what it wrote since goes too.
            None => self.forget_files().await,
        }
        self.inner.tell(&place);
    }

    /// What messages that are gone left on the shelf goes, unless others name it.
    async fn forget_files(&self) {
        let inner = Arc::clone(&self.inner);
        let swept = self.inner.blocking(move |_| inner.sweep()).await;
        if let Some(Err(error)) = swept {
            tracing::warn!(%error, "A file that no message names any more could not be removed: it goes at the next start.");
        }
    }

    async fn order(&self, order: Order) {
        match order {
            Order::Fetch(place, reply) => {
                // Its message may have been shown before it was told here.
                let is_known = self.inner.index().get(&place).is_some();
                if !is_known {
                    self.look_at(place).await;
                }
                let kept = self.inner.index().get_mut(&place).and_then(|entry| entry.wanted(Instant::now()));
                if let Some(kept) = kept {
                    self.inner.keep(place, Some(kept)).await;
                    self.inner.tell(&place);
                }
                let _ = reply.send(self.inner.standing(&place));
            }
            Order::Cancel(place, reply) => {
                self.cancel(place).await;
                let _ = reply.send(self.inner.standing(&place));
            }
            Order::Asked(name, index) => self.asked(&name, index),
            Order::Got(name, device) => self.got(name, device).await,
            Order::Look => self.look_at_all().await,
        }
    }

    async fn cancel(&self, place: Place) {
        let cancelled = {
            let mut index = self.inner.index();
            index.get_mut(&place).and_then(|entry| Some((entry.cancelled()?, entry.known.id, entry.outgoing)))
        };
        let Some((kept, id, outgoing)) = cancelled else { return };
        let uploaded = kept.uploaded;
        self.inner.keep(place, Some(kept)).await;
        if outgoing && uploaded {
            bring::drop_at_relay(&self.inner, place).await;
        } else if !outgoing {
            let removed = self.inner.blocking(move |inner| inner.shelf.remove_part(&id)).await;
            if let Some(Err(error)) = removed {
                tracing::warn!(%error, "What was fetched of a file that was given up could not be removed.");
            }
        }
        self.inner.tell(&place);
    }

    /// A device comes for it: the relay has time.
    fn asked(&self, name: &Hash, chunk: u32) {
        let places: Vec<Place> = self.inner.index().named(name).collect();
        for place in places {
            self.inner.change(&place, |entry| entry.asked(chunk, Instant::now() + GRACE));
        }
    }

    async fn got(&self, name: Hash, device: DeviceId) {
        let places: Vec<Place> = self.inner.index().named(&name).collect();
        for place in places {
            let kept = self.inner.index().get_mut(&place).and_then(|entry| entry.got(&device));
            if let Some(kept) = kept {
                let uploaded = kept.uploaded;
                self.inner.keep(place, Some(kept)).await;
                if uploaded {
                    bring::tell_relay(&self.inner, place, device).await;
                }
                self.inner.tell(&place);
            }
        }
    }

    async fn heard(&self, event: Event) {
        match event {
            Event::Notice(Notice::Timeline { conversation, id, .. }) => self.look_at((conversation, id)).await,
            Event::Peer { device, path } => self.path_changed(device, path != net::Path::None).await,
            Event::Notice(Notice::Conversation { .. } | Notice::Contact { .. }) => self.inner.index().ask_again(),
            // What was sent and waits for a device to come for it has nothing against the relay yet.
            Event::RelayUp => {
                let waits = |(_, entry): (&Place, &Entry)| !entry.outgoing || entry.problem.is_some();
                self.inner.index().wake(waits, Instant::now());
            }
            Event::Recovered => self.look_at_all().await,
            _ => {}
        }
    }

    /// Who has come may have, or want, something; who has gone does not come for anything.
    async fn path_changed(&self, device: DeviceId, up: bool) {
        let now = Instant::now();
        let conversations: Vec<ConversationId> = self.inner.index().conversations();
        let shared = self.inner.blocking(move |inner| {
            let with = |id: &ConversationId| inner.others(*id).contains(&device);
            conversations.into_iter().filter(with).collect::<BTreeSet<ConversationId>>()
        });
        let shared = shared.await.unwrap_or_default();
        let mut index = self.inner.index();
        if up {
            index.wake(|(place, entry)| !entry.outgoing && shared.contains(&place.0), now);
        } else {
            index.wake(|(_, entry)| entry.outgoing && entry.kept.waiting.contains(&device), now);
        }
    }

    async fn look_at_all(&self) {
        let found = self.inner.blocking(|inner| attachments(&inner.store)).await;
        let Some(Ok(found)) = found else { return };
        let there: BTreeSet<Place> = found.iter().map(|(conversation, id, _)| (*conversation, *id)).collect();
        let gone: Vec<Place> = self.inner.index().places().filter(|place| !there.contains(place)).collect();
        for place in gone {
            self.gone(place).await;
        }
        for (conversation, id, known) in found {
            self.there((conversation, id), known).await;
        }
    }

    async fn look_at(&self, place: Place) {
        match self.inner.blocking(move |inner| known(&inner.store, &place)).await {
            Some(Ok(Some(known))) => self.there(place, known).await,
            Some(Ok(None)) => self.gone(place).await,
            Some(Err(_)) | None => {}
        }
    }

    /// An event names it: it is planned, unless it is known already.
    async fn there(&self, place: Place, known: Known) {
        let is_known = self.inner.index().get(&place).is_some();
        if !is_known {
            let loaded =
                self.inner.blocking(move |inner| Entry::load(&inner.store, &inner.shelf, inner.me, place, known));
            let Some(entry) = loaded.await else { return };
            self.inner.index().insert(place, entry);
        }
        let auto = self.inner.auto_fetch.load(Ordering::Relaxed);
        // Who is in the conversation matters once, when something was just sent.
        let new = self.inner.index().get(&place).is_some_and(|entry| entry.outgoing && !entry.kept.sent);
        let (others, connected) = match new {
            true => {
                let others = self.inner.blocking(move |inner| inner.others(place.0)).await.unwrap_or_default();
                (others, self.connected().await)
            }
            false => Default::default(),
        };
        let planned = {
            let mut index = self.inner.index();
            index.get_mut(&place).and_then(|entry| entry.plan(&others, &connected, auto, Instant::now()))
        };
        if let Some(kept) = planned {
            self.inner.keep(place, Some(kept)).await;
        }
    }

    async fn connected(&self) -> BTreeSet<DeviceId> {
        let peers = self.inner.peer_ids().await;
        peers.into_iter().filter(|(peer, _)| self.inner.net.is_connected(peer)).map(|(_, device)| device).collect()
    }

    /// No event names it there any more.
    async fn gone(&self, place: Place) {
        let Some(entry) = self.inner.index().remove(&place) else { return };
        entry.stop();
        self.inner.keep(place, None).await;
        if entry.outgoing && entry.kept.uploaded {
            bring::drop_named(&self.inner, entry.known.name).await;
        }
        self.forget_files().await;
    }
}

impl Inner {
    /// Removes what no event names, of what the plan knew of.
    fn sweep(&self) -> Result<(), ShelfError> {
        let forgotten = self.index().take_forgotten();
        for id in forgotten {
            self.shelf.remove(&id)?;
        }
        Ok(())
    }
}

/// Bytes of so many chunks, as progress.
fn bytes_of(layout: &Layout, chunks: u32) -> u64 {
    layout.offset(chunks).min(layout.sealed_bytes())
}
