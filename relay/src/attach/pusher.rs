//! Hands what comes for a connected device to its connection, and acknowledges what the device has made durable.
//!
//! One task a connection. As long as the device keeps up, what the domain pushes is passed on, several envelopes at once where they
//! came together. When it does not, or a push fails, the task fetches from the mailbox in the device's name instead, until it has
//! caught up: nothing depends on the device's noticing.
//!
//! Invariant: acknowledged is only what the device said is durable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kith_core::wire::relay::{Cursor, Push, PushAnswer, Request, Response, Stored};
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{Caller, Delivered};
use crate::node::NodeHandle;
use crate::server::{Handle, PushReceiver, PushSender, pushes};

/// Envelopes that are pushed together at most.
const TOGETHER: usize = 64;

/// Bytes that are pushed together at most, beyond the first envelope.
const TOGETHER_BYTES: usize = 256 << 10;

/// Waits between attempts with a device that answers nothing, or that it cannot store.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The task of one connection; it ends when this is dropped.
type Task = AbortOnDropHandle<()>;

/// The tasks of all connections. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Pushers {
    running: Arc<Mutex<BTreeMap<[u8; 32], Task>>>,
    node: Arc<Mutex<Option<NodeHandle>>>,
}

impl Pushers {
    /// From now on there is a node to push by.
    pub(super) fn set_node(&self, node: NodeHandle) {
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
    }

    /// A connection fetches. If that is answered with what waits, what comes later is passed on to it.
    pub(super) async fn fetch(&self, handle: &Handle, caller: Caller, from: Option<Cursor>) -> Response {
        let node = self.node.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(node) = node.filter(|_| !self.is_running(&caller.peer)) else {
            return handle.request(caller, Request::Fetch { from }).await;
        };
        let (sender, pushes) = pushes();
        let response = handle.fetch(caller, from, sender).await;
        // A channel that the domain did not take is closed: nobody who may be pushed anything asked, or another fetch came first.
        if matches!(response, Response::Waiting { .. }) && !pushes.is_closed() {
            self.begin(node, handle, caller, pushes).await;
        }
        response
    }

    async fn begin(&self, node: NodeHandle, handle: &Handle, caller: Caller, pushes: PushReceiver) {
        let pusher = Pusher { node: node.clone(), handle: handle.clone(), caller, pushes };
        let task = AbortOnDropHandle::new(tokio::spawn(pusher.run()));
        self.running().insert(caller.peer, task);
        // The connection may have ended while the fetch was under way, and then nobody would say so again.
        if !node.is_connected(&caller.peer) {
            end(handle, caller.peer, self.take(&caller.peer)).await;
        }
    }

    /// Takes the task of a connection that has ended, for [`end`].
    pub(super) fn take(&self, peer: &[u8; 32]) -> Option<Task> {
        self.running().remove(peer)
    }

    /// All connections end.
    pub(super) fn end_all(&self) {
        self.running().clear();
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn is_running(&self, peer: &[u8; 32]) -> bool {
        self.running().get(peer).is_some_and(|task| !task.is_finished())
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Task>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the task of a connection, and tells the domain when its channel is closed.
pub(super) async fn end(handle: &Handle, peer: [u8; 32], task: Option<Task>) {
    if let Some(task) = task {
        task.abort();
        let _ = task.await;
    }
    handle.disconnected(peer).await;
}

struct Pusher {
    node: NodeHandle,
    handle: Handle,
    caller: Caller,
    pushes: PushReceiver,
}

impl Pusher {
    async fn run(mut self) {
        let mut next = None;
        loop {
            let delivered = match next.take() {
                Some(delivered) => Some(delivered),
                None => self.pushes.recv().await,
            };
            let good = match delivered {
                Some(live @ Delivered::Live(_)) => {
                    // Live only: a device that does not take it now does not get it.
                    let _ = self.node.push(&self.caller.peer, &live.into()).await;
                    true
                }
                Some(Delivered::Kept { cursor, number, envelope }) => {
                    let (push, after) = self.gather(cursor, Stored { number, envelope: envelope.to_vec() });
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
    fn gather(&mut self, mut cursor: Cursor, first: Stored) -> (Push, Option<Delivered>) {
        let mut bytes = first.envelope.len();
        let mut envelopes = vec![first];
        let mut after = None;
        while envelopes.len() < TOGETHER {
            match self.pushes.try_recv() {
                Some(Delivered::Kept { cursor: later, number, envelope })
                    if bytes.saturating_add(envelope.len()) <= TOGETHER_BYTES =>
                {
                    bytes = bytes.saturating_add(envelope.len());
                    cursor = later;
                    envelopes.push(Stored { number, envelope: envelope.to_vec() });
                }
                other => {
                    after = other;
                    break;
                }
            }
        }
        (Push::Envelopes { cursor, envelopes }, after)
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
            let (sender, pushes) = pushes();
            self.pushes = pushes;
            match self.hand_out(sender).await {
                Some(true) => return true,
                Some(false) => pause = pause.saturating_mul(2).min(PAUSES.1),
                None => return false,
            }
        }
    }

    /// Whether the device took everything; nothing when it may not fetch any more.
    async fn hand_out(&mut self, pushes: PushSender) -> Option<bool> {
        let mut fetched = self.handle.fetch(self.caller, None, pushes).await;
        loop {
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
            fetched = self.handle.request(self.caller, Request::Fetch { from: None }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use kith_core::identity::opaque::{ClientRegistration, ServerSetup};
    use kith_core::identity::{
        AccountRecord, DeviceCertificate, DeviceKeys, Handle as Name, PublicKey, RecordBody, RelayKey, RootKey,
        Stretching,
    };
    use kith_core::net::TransportKey;
    use kith_core::types::{Rng, Timestamp};
    use kith_core::wire::relay::Refusal;
    use rand_core::SeedableRng;

    use super::*;
    use crate::config::Config;
    use crate::node::{Node, NodeConfig};
    use crate::server::Server;

    /// Signs up an account with one device; nobody logs in here, so that the registration need not be one of this relay's.
    async fn sign_up(handle: &Handle) -> Caller {
        let mut rng = Rng::seed_from_u64(1);
        let (root, device) = (RootKey::generate(&mut rng), DeviceKeys::generate(&mut rng));
        let body = RecordBody {
            version: 1,
            predecessor: None,
            devices: vec![DeviceCertificate::issue(&root, &device, Timestamp(1)).unwrap()],
            relays: Vec::new(),
            prekeys: Vec::new(),
            features: Vec::new(),
            created: Timestamp(1),
        };
        let relay = RelayKey::generate(&mut rng).relay_id();
        let name = Name::parse("bob").unwrap();
        let (client, start) = ClientRegistration::start(&mut rng, "correct horse battery staple").unwrap();
        let answer = ServerSetup::generate(&mut rng, relay).registration(&name, &start).unwrap();
        let binding = kith_core::identity::opaque::Binding { relay, handle: name };
        let request = Request::RegisterFinish {
            handle: "bob".into(),
            message: client.finish(&mut rng, &binding, &answer).unwrap().upload,
            stretching: Stretching::RECOMMENDED,
            vault: b"vault".to_vec(),
            recovery: PublicKey::new([1; 32]),
            record: AccountRecord::sign(&root, body).unwrap().encode(),
            invitation: None,
        };
        let caller = Caller { peer: *device.transport.public().as_bytes(), address: None };
        assert_eq!(handle.request(caller, request).await, Response::Done);
        caller
    }

    async fn node(handle: &Handle) -> NodeHandle {
        let config = NodeConfig {
            key: TransportKey::throwaway(),
            listen: Vec::new(),
            external: Vec::new(),
            max_connections: 1,
            max_circuits: 0,
            metrics: handle.metrics().clone(),
        };
        Node::start(config, |_, _| async { Response::Done }, None, |_| async {}).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_stays_of_a_connection_that_closed_while_its_fetch_was_under_way_or_that_may_not_fetch() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(dir.path().to_path_buf());
        config.http_listen = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(config).await.unwrap();
        let (handle, pushers) = (server.handle(), Pushers::default());
        pushers.set_node(node(&handle).await);
        let (stranger, bob) = (Caller { peer: [9; 32], address: None }, sign_up(&handle).await);
        let refused = pushers.fetch(&handle, stranger, None).await;
        assert_eq!(refused, Response::Refused(Refusal::NotSignedIn));
        // Bob's device may fetch, and has no connection any more when the answer comes.
        assert!(matches!(pushers.fetch(&handle, bob, None).await, Response::Waiting { .. }));
        assert!(pushers.running().is_empty());
        // The domain does one thing after the other: what it was told before this is done.
        handle.request(stranger, Request::Hello).await;
        assert_eq!(handle.metrics().connected.get(), 0);
        server.shutdown().await;
    }
}
