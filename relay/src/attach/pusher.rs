//! Hands what comes for a connected device to its connection, and acknowledges what the device has made durable.
//!
//! One task a connection. As long as the device keeps up, what the domain pushes is passed on, several envelopes at once where they
//! came together. When it does not, or a push fails, the task fetches from the mailbox in the device's name instead, until it has
//! caught up: nothing depends on the device's noticing.
//!
//! Invariant: acknowledged is only what the device said is durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kith_core::wire::relay::{Cursor, Push, PushAnswer, Request, Response};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::Caller;
use crate::node::NodeHandle;
use crate::server::{Handle, PUSHES};

/// Envelopes that are pushed together at most.
const TOGETHER: usize = 64;

/// Bytes that are pushed together at most, beyond the first envelope.
const TOGETHER_BYTES: usize = 256 << 10;

/// Waits between attempts with a device that answers nothing, or that it cannot store.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The tasks of all connections. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Pushers {
    running: Arc<Mutex<BTreeMap<[u8; 32], CancellationToken>>>,
    node: Arc<Mutex<Option<NodeHandle>>>,
}

impl Pushers {
    /// From now on there is a node to push by.
    pub(super) fn set_node(&self, node: NodeHandle) {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
    }

    /// A connection fetches: pushes for it are passed on from now on. To be called before the domain sees the request.
    pub(super) async fn begin(&self, handle: &Handle, caller: Caller) {
        let Some(node) = self.node.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
        let ended = CancellationToken::new();
        {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if running.contains_key(&caller.peer) {
                return;
            }
            running.insert(caller.peer, ended.clone());
        }
        let (sender, pushes) = mpsc::channel(PUSHES);
        handle.connected(caller.peer, sender).await;
        let pusher = Pusher { node, handle: handle.clone(), caller, pushes };
        tokio::spawn(async move { ended.run_until_cancelled(pusher.run()).await });
    }

    /// The connection has ended.
    pub(super) async fn end(&self, handle: &Handle, peer: [u8; 32]) {
        let ended = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&peer);
        if let Some(ended) = ended {
            ended.cancel();
        }
        handle.disconnected(peer).await;
    }

    /// All connections end.
    pub(super) fn end_all(&self) {
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        running.into_values().for_each(|ended| ended.cancel());
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

struct Pusher {
    node: NodeHandle,
    handle: Handle,
    caller: Caller,
    pushes: mpsc::Receiver<Push>,
}

impl Pusher {
    async fn run(mut self) {
        let mut next = None;
        loop {
            let push = match next.take() {
                Some(push) => Some(push),
                None => self.pushes.recv().await,
            };
            let good = match push {
                Some(push @ Push::Live { .. }) => {
                    // Live only: a device that does not take it now does not get it.
                    let _ = self.node.push(&self.caller.peer, &push).await;
                    true
                }
                Some(Push::Envelopes { cursor, envelopes }) => {
                    let (push, after) = self.gather(cursor, envelopes);
                    next = after;
                    self.push(push).await
                }
                None => false,
            };
            if !good {
                next = None;
                if !self.catch_up().await {
                    return;
                }
            }
        }
    }

    /// Joins what has come together; what does not fit any more is given back.
    fn gather(
        &mut self,
        mut cursor: Cursor,
        mut envelopes: Vec<kith_core::wire::relay::Stored>,
    ) -> (Push, Option<Push>) {
        let mut bytes: usize = envelopes.iter().map(|stored| stored.envelope.len()).sum();
        while envelopes.len() < TOGETHER {
            match self.pushes.try_recv() {
                Ok(Push::Envelopes { cursor: later, envelopes: more }) => {
                    let size: usize = more.iter().map(|stored| stored.envelope.len()).sum();
                    bytes = bytes.saturating_add(size);
                    if bytes > TOGETHER_BYTES {
                        let rest = Push::Envelopes { cursor: later, envelopes: more };
                        return (Push::Envelopes { cursor, envelopes }, Some(rest));
                    }
                    cursor = later;
                    envelopes.extend(more);
                }
                Ok(live @ Push::Live { .. }) => return (Push::Envelopes { cursor, envelopes }, Some(live)),
                Err(_) => break,
            }
        }
        (Push::Envelopes { cursor, envelopes }, None)
    }

    /// Whether the device has it, and the relay knows.
    async fn push(&mut self, push: Push) -> bool {
        let Push::Envelopes { cursor, envelopes } = &push else { return true };
        let (cursor, Some(from)) = (*cursor, envelopes.first().map(|stored| stored.number)) else { return true };
        match self.node.push(&self.caller.peer, &push).await {
            Ok(PushAnswer::Durable) => {
                let answer = self.handle.request(self.caller, Request::Acknowledge { from, upto: cursor }).await;
                answer == Response::Done
            }
            Ok(PushAnswer::Refused | PushAnswer::TryLater) => false,
            Err(error) => {
                tracing::debug!(%error, "A push has failed.");
                false
            }
        }
    }

    /// Gives the device what waits, in pages, until nothing does and pushes go on; false when that cannot be any more.
    async fn catch_up(&mut self) -> bool {
        let mut pause = PAUSES.0;
        loop {
            tokio::time::sleep(pause).await;
            let (sender, pushes) = mpsc::channel(PUSHES);
            self.pushes = pushes;
            self.handle.connected(self.caller.peer, sender).await;
            match self.hand_out().await {
                Some(true) => return true,
                Some(false) => pause = pause.saturating_mul(2).min(PAUSES.1),
                None => return false,
            }
        }
    }

    /// Whether the device took everything; nothing when it may not fetch any more.
    async fn hand_out(&mut self) -> Option<bool> {
        loop {
            let fetched = self.handle.request(self.caller, Request::Fetch { from: None }).await;
            let (cursor, envelopes, more) = match fetched {
                Response::Waiting { cursor, envelopes, more } => (cursor, envelopes, more),
                Response::Refused(kith_core::wire::relay::Refusal::NotSignedIn) => return None,
                _ => return Some(false),
            };
            if !envelopes.is_empty() && !self.push(Push::Envelopes { cursor, envelopes }).await {
                return Some(false);
            }
            if !more {
                return Some(true);
            }
        }
    }
}
