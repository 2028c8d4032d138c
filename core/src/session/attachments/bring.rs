//! One run of an upload: what was sent goes to the own relay, for those who cannot come for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::plan::Ran;
use super::{Inner, Place, bytes_of};
use crate::blob::transfer::{Failure, Give, Upload, window};
use crate::net::{NetError, RelayAddress};
use crate::types::{DeviceId, Hash};
use crate::wire::blob::{Attachment, MAX_READERS, Open, Refusal, Request, Response, capability_hash};
use crate::wire::control::{Code, Said};

/// A run does not wait longer for a relay that rests.
const PATIENCE_MS: u64 = 2_000;

/// How long one waits before a relay that does not take it is asked again: somebody may have fetched what waits there.
const REFUSED_REST: Duration = Duration::from_secs(300);

/// What a person reads when there is no relay.
const NO_RELAY: &str = "this account has no relay to keep it: it goes when a device of theirs can be reached directly";

struct Bringing<'a> {
    inner: &'a Arc<Inner>,
    place: Place,
    attachment: Attachment,
    relay: RelayAddress,
    open: Request,
    machine: Upload,
    progress: bool,
}

pub(super) async fn run(inner: &Arc<Inner>, place: Place, waiting: Vec<DeviceId>) -> Ran {
    let Some(attachment) = inner.attachment(place).await else { return Ran::Stopped };
    let Some(relay) = inner.peers.own_relay().await else {
        return rest(Said::new(Code::NoKeeper, NO_RELAY), Some(REFUSED_REST));
    };
    let id = attachment.id;
    let list = inner.blocking(move |inner| inner.shelf.list(&id)).await.flatten();
    let Some(list) = list else {
        return Ran::Failed(
            Said::new(Code::FileGone, "the file is not on this device any more, so it cannot be sent").into(),
        );
    };
    let readers: BTreeSet<Hash> = waiting.iter().take(MAX_READERS).map(|device| attachment.reader(device)).collect();
    let open = Request::Open(Open {
        name: attachment.name(),
        capability: capability_hash(&attachment.capability()),
        sealed_bytes: attachment.layout().sealed_bytes(),
        list,
        readers: readers.into_iter().collect(),
    });
    let machine = Upload::new(attachment.layout().chunks());
    Bringing { inner, place, attachment, relay, open, machine, progress: false }.run().await
}

impl Bringing<'_> {
    async fn run(mut self) -> Ran {
        let mut asked: JoinSet<(Give, u64, Result<Response, NetError>)> = JoinSet::new();
        let (mut words, mut quickest) = (None, u64::MAX);
        while !self.machine.is_done() {
            while let Some(give) = self.machine.next(self.inner.now_ms()) {
                if let Err(ran) = self.give(give, &mut asked).await {
                    return ran;
                }
            }
            let Some(answer) = asked.join_next().await else {
                let now = self.inner.now_ms();
                let at = self.machine.wakes_at();
                if at.saturating_sub(now) <= PATIENCE_MS && self.progress {
                    tokio::time::sleep(Duration::from_millis(at.saturating_sub(now))).await;
                    continue;
                }
                let away = || Said::new(Code::RelayAway, "the relay cannot be reached; it goes on when it can");
                let problem = words.unwrap_or_else(away);
                return Ran::Waiting {
                    progress: self.progress,
                    problem: problem.into(),
                    rest: None,
                    liars: BTreeSet::new(),
                };
            };
            let Ok((give, took, answer)) = answer else { continue };
            if answer.is_ok() {
                quickest = quickest.min(took);
                self.machine.set_window(window(quickest));
            }
            match (give, answer) {
                (Give::Open, Ok(Response::Opened { held })) => self.machine.opened(&held),
                (Give::Put(index), Ok(Response::Done)) => {
                    self.machine.stored(index);
                    self.progress = true;
                }
                (give, Ok(Response::Refused(refusal))) => match refused(&refusal) {
                    Ok(failure) => {
                        words = Some(refusal_said(&refusal));
                        self.machine.failed(give, failure, self.inner.now_ms());
                    }
                    Err(ran) => return ran,
                },
                (_, Err(NetError::Unsupported(_))) => {
                    return rest(not_kept(), Some(REFUSED_REST));
                }
                (give, Ok(_) | Err(_)) => self.machine.failed(give, Failure::Gone, self.inner.now_ms()),
            }
            self.show();
        }
        Ran::Done
    }

    async fn give(&self, give: Give, asked: &mut JoinSet<(Give, u64, Result<Response, NetError>)>) -> Result<(), Ran> {
        let request = match give {
            Give::Open => self.open.clone(),
            Give::Put(index) => {
                let (id, layout) = (self.attachment.id, self.attachment.layout());
                let read = self.inner.blocking(move |inner| inner.shelf.chunk(&id, &layout, index)).await;
                let chunk = match read {
                    Some(Ok(chunk)) => chunk,
                    Some(Err(error)) => {
                        return Err(Ran::Failed(Said::new(Code::TransferFailed, &error).because(&error).into()));
                    }
                    None => return Err(Ran::Stopped),
                };
                Request::Put { name: self.attachment.name(), index, chunk }
            }
        };
        let (inner, relay) = (Arc::clone(self.inner), self.relay.clone());
        asked.spawn(async move {
            let began = inner.now_ms();
            let answer = inner.net.ask_keeper(&relay, &request).await;
            (give, inner.now_ms().saturating_sub(began), answer)
        });
        Ok(())
    }

    fn show(&self) {
        let layout = self.attachment.layout();
        let count = self.machine.count();
        self.inner.change(&self.place, |entry| entry.done = bytes_of(&layout, count));
    }
}

/// Whether it is tried again at once, or what becomes of the run.
fn refused(refusal: &Refusal) -> Result<Failure, Ran> {
    match refusal {
        Refusal::TooMany { retry_s } => Ok(Failure::Busy(u64::from(*retry_s).saturating_mul(1000))),
        // It lost what it had, or its time was up: it is opened again.
        Refusal::TryLater | Refusal::NotFound | Refusal::NotYet | Refusal::Malformed => Ok(Failure::Gone),
        Refusal::NotKept => Err(rest(not_kept(), Some(REFUSED_REST))),
        Refusal::TooLarge { .. } | Refusal::Quota { .. } | Refusal::NotSignedIn | Refusal::Mismatch => {
            let words = format!("the relay does not take it: {refusal}");
            Err(rest(refusal_said(refusal).as_part_of(words), Some(REFUSED_REST)))
        }
    }
}

fn not_kept() -> Said {
    Said::new(
        Code::NoKeeper,
        "your relay keeps no attachments: it goes when a device of theirs can be reached directly",
    )
}

/// What a keeper's refusal says.
pub(super) fn refusal_said(refusal: &Refusal) -> Said {
    match refusal {
        Refusal::NotSignedIn => Said::new(Code::NotSignedIn, refusal),
        Refusal::TooLarge { .. } => Said::new(Code::TooLargeForRelay, refusal),
        Refusal::Quota { .. } => Said::new(Code::Quota, refusal),
        Refusal::TooMany { retry_s } => Said::new(Code::TooMany, refusal).lasting(u64::from(*retry_s)),
        Refusal::TryLater => Said::new(Code::TryLater, refusal),
        Refusal::Malformed | Refusal::NotKept | Refusal::NotFound | Refusal::NotYet | Refusal::Mismatch => {
            Said::new(Code::RelayRefused, refusal).because(refusal)
        }
    }
}

fn rest(problem: Said, rest: Option<Duration>) -> Ran {
    Ran::Waiting { progress: false, problem: problem.into(), rest, liars: BTreeSet::new() }
}

/// What was given up, or taken back, need not be kept at the relay any more. Nobody waits for this: it goes by itself in the end.
pub(super) async fn drop_at_relay(inner: &Arc<Inner>, place: Place) {
    if let Some(attachment) = inner.attachment(place).await {
        drop_named(inner, attachment.name()).await;
    }
}

pub(super) async fn drop_named(inner: &Arc<Inner>, name: Hash) {
    ask_later(inner, Request::Drop { name }).await;
}

/// A device that came by itself needs the relay's copy no more.
pub(super) async fn tell_relay(inner: &Arc<Inner>, place: Place, device: DeviceId) {
    if let Some(attachment) = inner.attachment(place).await {
        ask_later(inner, Request::Got { claim: attachment.claim(), reader: attachment.reader(&device) }).await;
    }
}

async fn ask_later(inner: &Arc<Inner>, request: Request) {
    let Some(relay) = inner.peers.own_relay().await else { return };
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        if let Err(error) = inner.net.ask_keeper(&relay, &request).await {
            tracing::debug!(%error, "The relay could not be told to let go of an attachment.");
        }
    });
}
