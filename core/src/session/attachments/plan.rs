//! What wants to be transferred, and when it is due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::row::{self, Kept};
use super::serve::Entitled;
use super::{GRACE, Place, Standing, TransferState, VOICE_BYTES, bytes_of};
use crate::blob::Shelf;
use crate::chat::Me;
use crate::chat::attachment::{Known, attachments};
use crate::net::PeerId;
use crate::store::{ReadError, Store};
use crate::types::{ConversationId, DeviceId, Hash};
use crate::wire::blob::Layout;
use crate::wire::control::Said;

/// How long a transfer that found nobody rests at first; it doubles each time.
const FIRST_REST: Duration = Duration::from_secs(1);

/// The longest of these. Whoever comes by wakes it.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// What a run came to.
#[derive(Debug)]
pub(super) enum Ran {
    /// It is here; or at the relay.
    Done,
    /// There is nobody to go on with.
    Waiting {
        /// Something came or went.
        progress: bool,
        /// Why.
        problem: Box<Said>,
        /// Not before so long; none for as long as these have lasted.
        rest: Option<Duration>,
        /// Who gave what was not announced.
        liars: BTreeSet<PeerId>,
    },
    /// It makes no sense to try again by itself.
    Failed(Box<Said>),
    /// It was cancelled, or the session ends.
    Stopped,
}

/// An attachment that an event names.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) known: Known,
    /// This device sent it, and has it.
    pub(super) outgoing: bool,
    pub(super) kept: Kept,
    pub(super) state: TransferState,
    pub(super) done: u64,
    pub(super) problem: Option<Said>,
    pub(super) told: Option<Instant>,
    due: Option<Instant>,
    rests: u32,
    running: Option<CancellationToken>,
    liars: BTreeSet<PeerId>,
}

/// What is run.
pub(super) struct Started {
    pub(super) place: Place,
    pub(super) outgoing: bool,
    pub(super) waiting: Vec<DeviceId>,
    pub(super) liars: BTreeSet<PeerId>,
    pub(super) cancel: CancellationToken,
}

impl Entry {
    /// Reads what is kept of it. It takes the time that the disk takes.
    pub(super) fn load(store: &Store, shelf: &Shelf, me: Me, place: Place, known: Known) -> Self {
        let kept = row::load(store, &place);
        let here = shelf.has(&known.id);
        // What this device sent and has no more, since its store came from a copy, it fetches from the others.
        let outgoing = place.1.feed.device == me.device && here;
        let (done, state) = match (outgoing, here) {
            (true, _) => (0, sent_state(&kept)),
            (false, true) => (Layout::of(known.size).sealed_bytes(), TransferState::Done),
            (false, false) if kept.cancelled => (0, TransferState::Cancelled),
            (false, false) => (shelf.part_bytes(&known.id), TransferState::None),
        };
        let (told, problem, due, running) = (None, None, None, None);
        Self { known, outgoing, kept, state, done, problem, told, due, rests: 0, running, liars: BTreeSet::new() }
    }

    pub(super) fn standing(&self, here: bool) -> Standing {
        let total = Layout::of(self.known.size).sealed_bytes();
        let state = if here && !self.outgoing { TransferState::Done } else { self.state };
        let whole = matches!(state, TransferState::Done | TransferState::Uploaded);
        let done = if whole { total } else { self.done.min(total) };
        Standing { state, here, done, total, problem: self.problem.clone() }
    }

    /// Decides what becomes of it, if nothing was decided yet. What has to be kept of that.
    pub(super) fn plan(
        &mut self,
        others: &[DeviceId],
        connected: &BTreeSet<DeviceId>,
        auto: u64,
        now: Instant,
    ) -> Option<Kept> {
        if self.due.is_some() || self.running.is_some() || self.kept.cancelled || self.problem.is_some() {
            return None;
        }
        if !self.outgoing {
            let unasked = auto > 0 && self.known.size <= auto;
            let voice = self.known.voice && self.known.size <= VOICE_BYTES;
            if self.state == TransferState::None && (self.kept.wanted || unasked || voice) {
                (self.state, self.due) = (TransferState::Waiting, Some(now));
            }
            return None;
        }
        let new = !self.kept.sent;
        if new {
            self.kept.sent = true;
            self.kept.waiting = others.to_vec();
        }
        self.state = sent_state(&self.kept);
        if self.state == TransferState::Waiting {
            let all_there = self.kept.waiting.iter().all(|device| connected.contains(device));
            self.due = Some(if all_there { now + GRACE } else { now });
        }
        new.then(|| self.kept.clone())
    }

    /// Somebody asked for it, or for it to go on; what has to be kept of that, unless it is here.
    pub(super) fn wanted(&mut self, now: Instant) -> Option<Kept> {
        if self.state == TransferState::Done && !self.outgoing {
            return None;
        }
        self.kept.cancelled = false;
        self.kept.wanted = true;
        self.liars.clear();
        (self.problem, self.rests) = (None, 0);
        if self.running.is_none() && !matches!(self.state, TransferState::Done | TransferState::Uploaded) {
            (self.state, self.due) = (TransferState::Waiting, Some(now));
        }
        Some(self.kept.clone())
    }

    /// It is given up; what has to be kept of that, unless there is nothing to give up.
    pub(super) fn cancelled(&mut self) -> Option<Kept> {
        if self.state == TransferState::Done {
            return None;
        }
        self.stop();
        self.due = None;
        (self.state, self.problem, self.done) = (TransferState::Cancelled, None, 0);
        let before = self.kept.clone();
        (self.kept.cancelled, self.kept.wanted, self.kept.uploaded) = (true, false, false);
        Some(Kept { uploaded: before.uploaded, ..self.kept.clone() })
    }

    pub(super) fn stop(&self) {
        if let Some(running) = &self.running {
            running.cancel();
        }
    }

    /// A device came for a chunk.
    pub(super) fn asked(&mut self, chunk: u32, until: Instant) {
        if !self.outgoing || self.running.is_some() || self.kept.waiting.is_empty() {
            return;
        }
        self.done = self.done.max(bytes_of(&Layout::of(self.known.size), chunk.saturating_add(1)));
        if self.state == TransferState::Waiting || self.state == TransferState::Active {
            (self.state, self.problem) = (TransferState::Active, None);
            self.due = Some(until);
        }
    }

    /// A device has it; what has to be kept, if that is new.
    pub(super) fn got(&mut self, device: &DeviceId) -> Option<Kept> {
        if !self.outgoing || !self.kept.waiting.contains(device) {
            return None;
        }
        self.kept.waiting.retain(|waiting| waiting != device);
        if self.kept.waiting.is_empty() {
            self.stop();
            (self.state, self.problem, self.due) = (TransferState::Done, None, None);
        }
        Some(self.kept.clone())
    }

    /// A run has ended. The row to be kept, if it is another now.
    pub(super) fn ended(&mut self, ran: &Ran) -> Option<Option<Kept>> {
        self.running = None;
        if self.state == TransferState::Cancelled || self.state == TransferState::Done {
            return None;
        }
        match ran {
            Ran::Done if self.outgoing => {
                self.kept.uploaded = true;
                (self.state, self.problem, self.rests) = (sent_state(&self.kept), None, 0);
                return Some(Some(self.kept.clone()));
            }
            Ran::Done => {
                (self.state, self.problem, self.rests) = (TransferState::Done, None, 0);
                // That it is here the shelf says: a row only said that somebody wants it.
                return (std::mem::take(&mut self.kept) != Kept::default()).then_some(None);
            }
            Ran::Waiting { progress, problem, rest, liars } => {
                self.liars.extend(liars.iter().copied());
                self.rests = if *progress { 0 } else { self.rests.saturating_add(1) };
                let doubled = FIRST_REST.saturating_mul(1 << self.rests.min(10)).min(LONGEST_REST);
                self.due = Some(Instant::now() + rest.unwrap_or(doubled));
                (self.state, self.problem) = (TransferState::Waiting, Some((**problem).clone()));
            }
            Ran::Failed(problem) => (self.state, self.problem) = (TransferState::Failed, Some((**problem).clone())),
            // The next start goes on.
            Ran::Stopped => {}
        }
        None
    }
}

/// How it stands with what was sent, before anything goes.
fn sent_state(kept: &Kept) -> TransferState {
    match kept {
        Kept { cancelled: true, .. } => TransferState::Cancelled,
        Kept { sent: true, waiting, .. } if waiting.is_empty() => TransferState::Done,
        Kept { uploaded: true, .. } => TransferState::Uploaded,
        _ => TransferState::Waiting,
    }
}

/// All attachments, by the message that names them and by the name that sources know them by.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<Place, Entry>,
    by_name: BTreeMap<Hash, BTreeSet<Place>>,
    /// Ids of files whose message has gone.
    forgotten: BTreeSet<Hash>,
    entitled: Entitled,
}

impl Index {
    pub(super) fn load(store: &Store, shelf: &Shelf, me: Me) -> Result<Self, ReadError> {
        let mut index = Self::default();
        for (conversation, id, known) in attachments(store)? {
            let place = (conversation, id);
            index.insert(place, Entry::load(store, shelf, me, place, known));
        }
        Ok(index)
    }

    pub(super) fn is_entitled(&self, name: &Hash, device: &DeviceId) -> bool {
        self.entitled.contains(name, device)
    }

    pub(super) fn entitle(&mut self, name: Hash, device: DeviceId) {
        self.entitled.insert(name, device);
    }

    /// Members may be others now.
    pub(super) fn ask_again(&mut self) {
        self.entitled.clear();
    }

    pub(super) fn insert(&mut self, place: Place, entry: Entry) {
        self.forgotten.remove(&entry.known.id);
        self.by_name.entry(entry.known.name).or_default().insert(place);
        self.entries.insert(place, entry);
    }

    pub(super) fn remove(&mut self, place: &Place) -> Option<Entry> {
        let entry = self.entries.remove(place)?;
        self.entitled.clear();
        if let Some(places) = self.by_name.get_mut(&entry.known.name) {
            places.remove(place);
            if places.is_empty() {
                self.by_name.remove(&entry.known.name);
                self.forgotten.insert(entry.known.id);
            }
        }
        Some(entry)
    }

    pub(super) fn take_forgotten(&mut self) -> BTreeSet<Hash> {
        std::mem::take(&mut self.forgotten)
    }

    pub(super) fn get(&self, place: &Place) -> Option<&Entry> {
        self.entries.get(place)
    }

    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut Entry> {
        self.entries.get_mut(place)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Hash> {
        self.entries.values().map(|entry| entry.known.id)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.entries.keys().copied()
    }

    pub(super) fn conversations(&self) -> Vec<ConversationId> {
        let planned = self.entries.iter().filter(|(_, entry)| entry.due.is_some());
        planned.map(|((conversation, _), _)| *conversation).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The messages that name what sources know by this name.
    pub(super) fn named(&self, name: &Hash) -> impl Iterator<Item = Place> {
        self.by_name.get(name).into_iter().flatten().copied()
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.entries.values().filter_map(|entry| entry.due).min()
    }

    /// What rests is due now, if it is one of these.
    pub(super) fn wake(&mut self, which: impl Fn((&Place, &Entry)) -> bool, now: Instant) {
        let woken: Vec<Place> =
            self.entries.iter().filter(|(place, entry)| which((place, entry))).map(|(place, _)| *place).collect();
        for place in woken {
            if let Some(entry) = self.entries.get_mut(&place).filter(|entry| entry.due.is_some()) {
                (entry.due, entry.rests) = (Some(now), 0);
            }
        }
    }

    /// The first that is due begins.
    pub(super) fn start_due(&mut self, now: Instant) -> Option<Started> {
        let due = self.entries.iter().filter_map(|(place, entry)| Some((entry.due.filter(|due| *due <= now)?, *place)));
        let (_, place) = due.min()?;
        let entry = self.entries.get_mut(&place)?;
        let cancel = CancellationToken::new();
        entry.due = None;
        entry.running = Some(cancel.clone());
        entry.state = TransferState::Active;
        Some(Started {
            place,
            outgoing: entry.outgoing,
            waiting: entry.kept.waiting.clone(),
            liars: entry.liars.clone(),
            cancel,
        })
    }
}
