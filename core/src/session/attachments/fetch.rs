//! One run of a download: as far as it comes now.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::bring::refusal_said;
use super::plan::Ran;
use super::{Inner, Place, bytes_of};
use crate::blob::transfer::{Ask, Download, Failure, window};
use crate::blob::{Held, Part, ShelfError};
use crate::net::{NetError, PeerId, RelayAddress};
use crate::wire::blob::{Attachment, Claim, Refusal, Request, Response};
use crate::wire::control::{Code, Said};

/// A run does not wait longer for a source that rests: another transfer may have its turn.
const PATIENCE_MS: u64 = 2_000;

/// How often it is tried to tell a source that all has come.
const TELLINGS: u32 = 3;

/// A run that found the disk full looks again after so long.
const DISK_REST: Duration = Duration::from_secs(30);

/// Somebody who may have it, in the order in which they are asked: devices that are connected, relays, the author's device though it is
/// not connected.
#[derive(Debug, Clone)]
enum Source {
    Device(PeerId),
    Relay(RelayAddress),
}

impl Source {
    fn peer(&self) -> PeerId {
        match self {
            Self::Device(peer) => *peer,
            Self::Relay(relay) => relay.peer(),
        }
    }

    async fn ask(&self, inner: &Inner, request: &Request) -> Result<Response, NetError> {
        match self {
            Self::Device(peer) => inner.net.ask_holder(*peer, request).await,
            Self::Relay(relay) => inner.net.ask_keeper(relay, request).await,
        }
    }
}

impl Inner {
    async fn sources(self: &Arc<Self>, place: Place) -> Vec<Source> {
        let read = self.blocking(move |inner| (inner.others(place.0), inner.relays_of_author(&place))).await;
        let (others, relays) = read.unwrap_or_default();
        let peers = self.peer_ids().await;
        let author = peers.iter().find(|(_, device)| *device == place.1.feed.device).map(|(peer, _)| *peer);
        let connected = |peer: &PeerId| self.net.is_connected(peer);
        let members = peers.iter().filter(|(peer, device)| others.contains(device) && connected(peer));
        let mut devices: Vec<PeerId> = members.map(|(peer, _)| *peer).collect();
        devices.sort_by_key(|peer| Some(*peer) != author);
        let mut sources: Vec<Source> = devices.iter().copied().map(Source::Device).collect();
        sources.extend(relays.into_iter().map(Source::Relay));
        sources.extend(author.filter(|author| !devices.contains(author)).map(Source::Device));
        sources
    }
}

/// What is fetched, and from whom.
struct Fetching<'a> {
    inner: &'a Arc<Inner>,
    place: Place,
    attachment: Attachment,
    sources: Vec<Source>,
    machine: Download<usize>,
    /// None while the list of chunks is not known. Chunks on their way to their places share it.
    part: Option<Arc<Mutex<Part>>>,
    progress: bool,
    /// The quickest answer so far, in milliseconds.
    quickest: u64,
    /// What the sources said last, for the person.
    words: Option<Said>,
}

pub(super) async fn run(inner: &Arc<Inner>, place: Place, liars: BTreeSet<PeerId>) -> Ran {
    let Some(attachment) = inner.attachment(place).await else { return Ran::Stopped };
    let known = attachment.clone();
    let begun = inner.blocking(move |inner| match inner.shelf.has(&known.id) {
        true => Ok(None),
        false => inner.shelf.part(&known, None).map(Some),
    });
    let part = match begun.await {
        Some(Ok(Some(part))) => part,
        Some(Ok(None)) => return Ran::Done,
        Some(Err(error)) => return disk(&error),
        None => return Ran::Stopped,
    };
    let sources: Vec<Source> =
        inner.sources(place).await.into_iter().filter(|source| !liars.contains(&source.peer())).collect();
    let mut machine = Download::new(attachment.layout().chunks(), part.as_ref().map(|part| part.held().clone()));
    (0..sources.len()).for_each(|source| machine.add(source));
    let part = part.map(shared);
    let fetching =
        Fetching { inner, place, attachment, sources, machine, part, progress: false, quickest: u64::MAX, words: None };
    fetching.run(!liars.is_empty()).await
}

/// What became of a chunk that came.
struct Landed {
    source: usize,
    index: u32,
    kept: Result<(), ShelfError>,
}

/// The chunks that came, on their way to their places.
struct Landing {
    tasks: JoinSet<Landed>,
    /// Told when one has its place and is being hashed.
    placed: mpsc::UnboundedSender<u32>,
}

impl Fetching<'_> {
    async fn run(mut self, lied_to: bool) -> Ran {
        let mut asked: JoinSet<(Ask<usize>, u64, Result<Response, NetError>)> = JoinSet::new();
        // No more wait in it than are under way.
        let (placed, mut has_place) = mpsc::unbounded_channel();
        let mut landing = Landing { tasks: JoinSet::new(), placed };
        self.show();
        while !self.machine.is_done() {
            while let Some(ask) = self.machine.next(self.inner.now_ms()) {
                self.ask(ask, &mut asked);
            }
            if asked.is_empty() && landing.tasks.is_empty() {
                let now = self.inner.now_ms();
                self.machine.look_again(now);
                match self.machine.wakes_at() {
                    Some(at) if at.saturating_sub(now) <= PATIENCE_MS && self.progress => {
                        tokio::time::sleep(Duration::from_millis(at.saturating_sub(now))).await;
                        continue;
                    }
                    _ => return self.nobody(lied_to),
                }
            }
            let taken = tokio::select! {
                biased;
                Some(index) = has_place.recv() => {
                    self.machine.placed(index);
                    Ok(())
                }
                Some(answer) = asked.join_next(), if !asked.is_empty() => match answer {
                    Ok((ask, took, answer)) => self.take(ask, took, answer, &mut landing).await,
                    Err(_) => Ok(()),
                },
                Some(landed) = landing.tasks.join_next(), if !landing.tasks.is_empty() => {
                    landed.map_err(|_| Ran::Stopped).and_then(|landed| self.landed(landed))
                }
            };
            if let Err(ran) = taken {
                return ran;
            }
        }
        let Some(part) = self.part.take().and_then(Arc::into_inner) else { return Ran::Stopped };
        let part = part.into_inner().unwrap_or_else(PoisonError::into_inner);
        match self.inner.blocking(move |_| part.finish()).await {
            Some(Ok(())) => {}
            Some(Err(error)) => return disk(&error),
            None => return Ran::Stopped,
        }
        self.tell_sources();
        Ran::Done
    }

    /// Puts a chunk in its place, where no kill takes it any more, and then looks whether it is the right one.
    fn land(&self, source: usize, index: u32, chunk: Vec<u8>, landing: &mut Landing) {
        let Some(part) = self.part.clone() else { return };
        let placed = landing.placed.clone();
        landing.tasks.spawn_blocking(move || {
            let kept = locked(&part, |part| part.place(index, &chunk).map(|()| part.judge())).and_then(|judge| {
                // Nobody waits for it when the run has ended.
                let _ = placed.send(index);
                if judge.is_right(index, &chunk) { Ok(()) } else { Err(ShelfError::Mismatch) }
            });
            if kept.is_ok() {
                locked(&part, |part| part.hold(index));
            }
            Landed { source, index, kept }
        });
    }

    fn landed(&mut self, Landed { source, index, kept }: Landed) -> Result<(), Ran> {
        match kept {
            Ok(()) => {
                self.machine.got(source, index);
                self.progress = true;
                self.show();
                Ok(())
            }
            Err(ShelfError::Mismatch) => {
                self.words = Some(lied());
                self.inner.heart.refused.count("chunk");
                self.machine.not_got(source, index, Failure::Lied, self.inner.now_ms());
                Ok(())
            }
            Err(error) => Err(disk(&error)),
        }
    }

    fn ask(&self, ask: Ask<usize>, asked: &mut JoinSet<(Ask<usize>, u64, Result<Response, NetError>)>) {
        let (Ask::List(place) | Ask::Get(place, _)) = ask;
        let Some(source) = self.sources.get(place).cloned() else { return };
        let claim = self.attachment.claim();
        let request = match ask {
            Ask::List(_) => Request::List(claim),
            Ask::Get(_, index) => Request::Get { claim, index },
        };
        let inner = Arc::clone(self.inner);
        asked.spawn(async move {
            let began = inner.now_ms();
            let answer = source.ask(&inner, &request).await;
            (ask, inner.now_ms().saturating_sub(began), answer)
        });
    }

    async fn take(
        &mut self,
        ask: Ask<usize>,
        took: u64,
        answer: Result<Response, NetError>,
        landing: &mut Landing,
    ) -> Result<(), Ran> {
        if answer.is_ok() {
            self.quickest = self.quickest.min(took);
            self.machine.set_window(window(self.quickest));
        }
        match (ask, answer) {
            (Ask::List(source), Ok(Response::Listed { list, held })) => self.listed(source, list, &held).await,
            (Ask::Get(source, index), Ok(Response::Chunk { chunk })) => {
                self.machine.came(index);
                self.land(source, index, chunk, landing);
                Ok(())
            }
            (ask, answer) => {
                let failure = self.failure(answer);
                let now = self.inner.now_ms();
                match ask {
                    Ask::List(source) => self.machine.not_listed(source, failure, now),
                    Ask::Get(source, index) => self.machine.not_got(source, index, failure, now),
                }
                Ok(())
            }
        }
    }

    async fn listed(&mut self, source: usize, list: Vec<u8>, has: &[(u32, u32)]) -> Result<(), Ran> {
        // Known once, when the list comes to be known; the machine keeps it from then on.
        let mut held = Held::none(self.attachment.layout().chunks());
        if self.part.is_none() {
            let attachment = self.attachment.clone();
            match self.inner.blocking(move |inner| inner.shelf.part(&attachment, Some(&list))).await {
                Some(Ok(Some(part))) => {
                    held = part.held().clone();
                    self.part = Some(shared(part));
                }
                Some(Err(ShelfError::Mismatch)) => {
                    self.inner.heart.refused.count("chunk");
                    self.machine.not_listed(source, Failure::Lied, self.inner.now_ms());
                    return Ok(());
                }
                Some(Err(error)) => return Err(disk(&error)),
                Some(Ok(None)) | None => return Err(Ran::Stopped),
            }
        }
        self.machine.listed(source, has, held);
        Ok(())
    }

    fn failure(&mut self, answer: Result<Response, NetError>) -> Failure {
        match answer {
            Ok(Response::Refused(Refusal::NotYet)) => Failure::NotYet,
            Ok(Response::Refused(Refusal::TooMany { retry_s })) => {
                Failure::Busy(u64::from(retry_s).saturating_mul(1000))
            }
            Ok(Response::Refused(refusal @ Refusal::TryLater)) => {
                self.words = Some(refusal_said(&refusal));
                Failure::Gone
            }
            // Who does not know the protocol, or nonsense, has nothing to give either.
            Ok(_) | Err(NetError::Unsupported(_) | NetError::Malformed(_)) => Failure::NotThere,
            Err(_) => Failure::Gone,
        }
    }

    fn show(&self) {
        let layout = self.attachment.layout();
        let count = self.machine.count();
        self.inner.change(&self.place, |entry| entry.done = bytes_of(&layout, count));
    }

    fn nobody(self, lied_to: bool) -> Ran {
        let liars: BTreeSet<PeerId> =
            self.machine.liars().filter_map(|source| Some(self.sources.get(source)?.peer())).collect();
        let problem = if lied_to || !liars.is_empty() { lied() } else { self.words.unwrap_or_else(nobody_has_it) };
        Ran::Waiting { progress: self.progress, problem: problem.into(), rest: None, liars }
    }

    /// Those who gave it may let go of it. Nobody waits for this.
    fn tell_sources(&self) {
        let (claim, reader) = (self.attachment.claim(), self.attachment.reader(&self.inner.me.device));
        for source in self.sources.clone() {
            let inner = Arc::clone(self.inner);
            tokio::spawn(tell(inner, source, claim, reader));
        }
    }
}

fn shared(part: Part) -> Arc<Mutex<Part>> {
    Arc::new(Mutex::new(part))
}

/// It may wait for the disk: it is not for a runtime's threads.
fn locked<T>(part: &Mutex<Part>, work: impl FnOnce(&mut Part) -> T) -> T {
    work(&mut part.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn tell(inner: Arc<Inner>, source: Source, claim: Claim, reader: crate::types::Hash) {
    // A device that is away learns it from its relay's account of things, or not at all: it then offers it in vain.
    if matches!(&source, Source::Device(peer) if !inner.net.is_connected(peer)) {
        return;
    }
    for _ in 0..TELLINGS {
        match source.ask(&inner, &Request::Got { claim, reader }).await {
            Ok(_) => return,
            Err(error) => tracing::debug!(%error, "A source could not be told that all has come."),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// What a person reads when nobody has it.
fn nobody_has_it() -> Said {
    Said::new(
        Code::NobodyHasIt,
        "neither the sender's device nor their relay can give it at present; it is fetched when one of them can",
    )
}

/// What a person reads after a source gave something else.
fn lied() -> Said {
    Said::new(
        Code::LiedTo,
        "what came is not what the sender announced; whoever gave it is not asked again, and it is fetched when somebody \
         else has it",
    )
}

fn disk(error: &ShelfError) -> Ran {
    match error {
        ShelfError::Full => Ran::Waiting {
            progress: false,
            problem: Said::new(
                Code::TransferDiskFull,
                "the disk is full: make room on it, and the transfer goes on by itself",
            )
            .into(),
            rest: Some(DISK_REST),
            liars: BTreeSet::new(),
        },
        error => Ran::Failed(Said::new(Code::TransferFailed, error).because(error).into()),
    }
}
