//! Actors: one session per signed-in account.
//!
//! A [`Session`] joins the pure engine, the store and the network: one thread owns the engine and makes every change durable
//! before anything of it leaves ([`heart`](self)); a dispatcher carries out what the engine wants sent and asked; a listener
//! turns what the network brings into inputs. It decides nothing about messages: that is the engine's.
//!
//! Invariants: no envelope, answer or notice leaves before the batch that it follows from is flushed; after a failed flush the
//! store and the engine are opened anew, and until then nothing is read, answered or taken; only the heart writes; every queue is bounded, and at its bound new inputs wait, never the outcomes of what is
//! already under way. Source: DESIGN §2.

mod address;
mod attachments;
mod clock;
mod dispatch;
mod heart;
mod listen;
mod onboarding;
mod outlook;
mod peers;
mod remembered;
mod tally;

pub use attachments::{Attachments, Standing, TransferState};
pub use clock::ClockGap;
pub use heart::{Failure, HeartHandle};
pub(crate) use heart::{seeded, wall};
pub(crate) use onboarding::first_record;
pub use onboarding::{
    Credentials, Enrolment, Joined, OnboardingError, Proof, change_password, create_local, log_in, recover, register,
    remove_device,
};
pub use outlook::Obstacle;

use std::collections::BTreeMap;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::{Command, CommandError, Engine, Habits, Me, Notice, Reply};
use crate::net::{self, Node, NodeConfig, Path, PeerId, TransportKey};
use crate::store::{Store, StoreError};
use crate::types::{AccountId, ContentId, ConversationId, DeviceId};
use crate::wire::control::Said;

/// How many events wait for a slow listener before it misses the oldest.
const EVENTS: usize = 4096;

/// What a session tells.
#[derive(Debug, Clone)]
pub enum Event {
    /// The engine's.
    Notice(Notice),
    /// The own relay can be reached.
    RelayUp,
    /// It cannot, and why.
    RelayDown(Said),
    /// This device's clock is far from the own relay's. Told once for each connection to it.
    ClockOff(ClockGap),
    /// A device of a contact is reached in this way now; [`Path::None`] when it is gone.
    Peer {
        /// Which.
        device: DeviceId,
        /// How.
        path: Path,
    },
    /// What keeps messages from a device is something else than before.
    Obstacle {
        /// Which.
        device: DeviceId,
    },
    /// The transfer of a message's attachment stands otherwise now.
    Transfer {
        /// Where.
        conversation: ConversationId,
        /// Of which message.
        id: ContentId,
    },
    /// Whoever shows this account is asked to come to the front.
    Raise {
        /// With a link that was opened.
        link: Option<String>,
    },
    /// Something that a person's client does and tells as it is.
    Client(Box<crate::wire::control::Event>),
    /// Something could not be stored, or should be looked at; nothing that was acknowledged is lost.
    Trouble(Said),
    /// The store and the engine were opened anew after a trouble: it goes on.
    Recovered,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// The engine says why.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// Nothing can be stored at present, so that nothing was done.
    #[error("nothing was stored or sent: {0}")]
    Store(StoreError),
    /// The write failed: the store says when it is open again whether it was done all the same.
    #[error("it is not certain that this was stored: {0}; look whether it is there before you do it again")]
    Uncertain(StoreError),
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
}

/// How a session is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 lets the system choose.
    pub listen: Vec<net::Multiaddr>,
    /// Find contacts on the local network.
    pub mdns: bool,
    /// No direct paths: contacts do not see this device's address.
    pub always_relay: bool,
    /// The store came from a copy: nothing may be sent under its MLS state.
    pub restored: bool,
    /// How this device behaves where the protocol leaves it a choice: whether it tells what was read.
    pub habits: Habits,
    /// Files of others up to so many bytes are fetched without being asked for.
    pub auto_fetch_bytes: u64,
}

/// A signed-in account, at work.
pub struct Session {
    store: Store,
    heart: HeartHandle,
    net: net::Handle,
    peers: peers::Peers,
    outlook: outlook::Outlook,
    attachments: Attachments,
    events: broadcast::Sender<Event>,
    account: AccountId,
    device: DeviceId,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Session").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Why a session could not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// No account is in this profile.
    #[error("there is no account in this profile yet: use `kith register` or `kith login`")]
    NoAccount,
    /// The engine cannot read the store.
    #[error(transparent)]
    Engine(#[from] crate::chat::EngineError),
    /// The network could not be started.
    #[error("the network could not be started: {0}")]
    Network(#[from] net::NetError),
    /// A key of this device cannot be used.
    #[error("this device's transport key cannot be used")]
    Key,
    /// The system gave no thread.
    #[error("the system has no thread left: {0}")]
    Thread(String),
    /// The folder with attachments cannot be used.
    #[error("the folder with attachments cannot be used: {0}")]
    Attachments(#[from] crate::blob::ShelfError),
}

impl Session {
    /// Opens the account of a store and starts its node.
    ///
    /// # Errors
    /// When there is no account, or the store or the network fails.
    pub async fn start(store: Store, options: Options) -> Result<Self, StartError> {
        let engine = opened(store.clone()).await?;
        let (account, device) = (engine.account().id(), engine.account().device());
        let seed = zeroize::Zeroizing::new(*engine.account().keys().transport.seed().expose());
        let key = TransportKey::from_seed(seed).map_err(|_| StartError::Key)?;
        let config = NodeConfig {
            listen: options.listen,
            mdns: options.mdns,
            always_relay: options.always_relay,
            ..NodeConfig::new(key)
        };
        let (net, incoming) = Node::start(config).await?;
        let (events, _) = broadcast::channel(EVENTS);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let peers = peers::Peers::new(store.clone(), net.clone(), account, device);
        let outlook = outlook::Outlook::default();
        let settings = heart::Settings {
            restored: options.restored,
            habits: options.habits,
            outlook: outlook.clone(),
            events: events.clone(),
            stop: stop.clone(),
        };
        let (heart, work) = match heart::start(store.clone(), engine, settings) {
            Ok(started) => started,
            Err(error) => {
                net.shutdown().await;
                return Err(StartError::Thread(error.to_string()));
            }
        };
        let parts = attachments::Parts {
            store: store.clone(),
            net: net.clone(),
            peers: peers.clone(),
            heart: heart.clone(),
            events: events.clone(),
            me: Me { account, device },
            auto_fetch: options.auto_fetch_bytes,
        };
        let (attachments, transfers) = match opened_attachments(parts).await {
            Ok(opened) => opened,
            Err(error) => {
                stop.cancel();
                net.shutdown().await;
                heart.join().await;
                return Err(error);
            }
        };
        let session = Self { store, heart, net, peers, outlook, attachments, events, account, device, stop, tasks };
        session.spawn(work, incoming, transfers).await;
        Ok(session)
    }

    async fn spawn(
        &self,
        work: heart::Work,
        incoming: tokio::sync::mpsc::Receiver<net::Event>,
        transfers: attachments::Work,
    ) {
        self.peers.refresh().await;
        let dispatcher =
            dispatch::Dispatcher { net: self.net.clone(), peers: self.peers.clone(), heart: self.heart.clone() };
        self.tasks.spawn(dispatcher.run(work, self.stop.clone()));
        let listener = listen::Listener {
            net: self.net.clone(),
            peers: self.peers.clone(),
            heart: self.heart.clone(),
            outlook: self.outlook.clone(),
            attachments: self.attachments.clone(),
            events: self.events.clone(),
        };
        self.tasks.spawn(listener.run(incoming, self.stop.clone()));
        self.tasks.spawn(transfers.run(self.stop.clone()));
        self.tasks.spawn(peers::follow(self.peers.clone(), self.events.subscribe(), self.stop.clone()));
        let addresses =
            address::Addresses::new(self.net.clone(), self.peers.clone(), self.store.clone(), self.heart.clone());
        self.tasks.spawn(addresses.run(self.stop.clone()));
    }

    /// Carries out a command. The answer comes when what it changed is durable.
    ///
    /// # Errors
    /// Why it was not carried out.
    pub async fn command(&self, command: Command) -> Result<Reply, CommandFailure> {
        self.heart.command(command).await
    }

    /// What came from others and was not taken, by reason, since the session began: what the engine dropped, and what the network did
    /// not let in.
    pub fn refused(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.net.counts();
        let network = [
            ("unreadable", counts.unreadable),
            ("too_large", counts.too_large),
            ("busy", counts.busy),
            ("broken", counts.broken),
            ("answer", counts.nonsense),
        ];
        let mut refused = self.heart.refused.read();
        refused.extend(network.into_iter().filter(|(_, count)| *count > 0));
        refused
    }

    /// Whether others are told from now on what was read.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn read_receipts(&self, told: bool) -> Result<(), CommandFailure> {
        self.heart.read_receipts(told).await
    }

    /// What the session tells from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells whoever listens something that was noticed outside of the session.
    pub fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    /// The attachments of its messages.
    pub fn attachments(&self) -> &Attachments {
        &self.attachments
    }

    /// The store, for views.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whose session it is.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// On which device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Where this device can be found.
    ///
    /// # Errors
    /// When the network has ended.
    pub async fn addresses(&self) -> Result<Vec<net::Multiaddr>, net::NetError> {
        self.net.addresses().await
    }

    /// How a device is reached, as far as was told: [`Path::None`] when it is not connected.
    pub fn path(&self, device: &DeviceId) -> Path {
        self.outlook.path(device)
    }

    /// How each device is reached that is connected.
    pub fn paths(&self) -> Vec<(DeviceId, Path)> {
        self.outlook.paths()
    }

    /// What keeps messages from a device, if anything is known to.
    pub fn obstacle(&self, device: &DeviceId) -> Option<Obstacle> {
        self.outlook.obstacle(device)
    }

    /// How a peer is reached, and why not better.
    ///
    /// # Errors
    /// When the network has ended.
    pub async fn reachability(&self, peer: PeerId) -> Result<net::Reachability, net::NetError> {
        self.net.reachability(peer).await
    }

    /// Tells the network where a contact's device may be: an address that a person typed, or a link brought.
    ///
    /// # Errors
    /// When the network has ended.
    pub async fn add_addresses(&self, peer: PeerId, addresses: Vec<net::Multiaddr>) -> Result<(), net::NetError> {
        self.net.add_addresses(peer, addresses).await
    }

    /// Asks a relay something that no engine needs to know of: a look-up.
    ///
    /// # Errors
    /// Why it has no answer. A refusal is an answer.
    pub async fn ask_relay(
        &self,
        relay: &net::RelayAddress,
        request: &crate::wire::relay::Request,
    ) -> Result<crate::wire::relay::Response, net::NetError> {
        self.net.relay_request(relay, request).await
    }

    /// Ends the session: what is durable stays, what is under way is tried again next time. The store is closed then.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.net.shutdown().await;
        self.tasks.close();
        self.tasks.wait().await;
        self.heart.join().await;
        let store = self.store.clone();
        // It fails only when the program's runtime ends, and with it the process.
        let _ = tokio::task::spawn_blocking(move || store.end()).await;
    }
}

async fn opened_attachments(parts: attachments::Parts) -> Result<(Attachments, attachments::Work), StartError> {
    let opening = tokio::task::spawn_blocking(move || Attachments::open(parts));
    Ok(opening.await.map_err(|error| StartError::Thread(error.to_string()))??)
}

/// Reading a store is not for the runtime's threads.
async fn opened(store: Store) -> Result<Engine, StartError> {
    let opening = tokio::task::spawn_blocking(move || Engine::open(&store));
    let opened = opening.await.map_err(|error| StartError::Thread(error.to_string()))?;
    opened?.ok_or(StartError::NoAccount)
}
