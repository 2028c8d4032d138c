//! The facade: commands in, events and view models out. The app, the command line and the bindings use nothing else.
//!
//! A [`Profile`] is a directory with one account's store; a [`Client`] is a profile at work, cheap to clone. Requests, replies and
//! events are those of [`crate::wire::control`], whether they come over the control socket or are called in process.
//!
//! It carries no logic of conversations: it resolves names, hands commands to the session, and reads views from the store.
//! Invariant: what a view shows is what is durable.

mod carry;
mod catch_up;
mod chats;
mod choices;
pub mod control;
mod devices;
pub mod entry;
mod error;
mod error_code;
mod events;
mod export;
mod file_name;
mod files;
mod find;
mod lock;
mod models;
mod names;
pub mod plain;
mod power;
mod profile;
mod relays;
pub mod sample;
mod shared;
pub mod sound;
mod speech_options;
mod spoken;
mod transcribe;
mod view;
mod views;
mod voice_note;

pub use error::ClientError;
pub use error_code::ErrorCode;
pub use events::EventStream;
pub use models::ModelShelf;
pub use profile::{Profile, Proof, Registered, Registration, Unlock};
pub use speech_options::BUILT_IN as BUILT_IN_MODEL;
pub use transcribe::{FileTask, FileTranscriber};

pub use crate::speech::is_language;
pub use crate::wire::control::{Event, Reply, Request};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::choices::Choice;
use crate::chat::{Habits, Me};
use crate::net::Multiaddr;
use crate::session::{self, Session};
use crate::store::{Opened, Store};
use crate::wire::control::Said;

/// How a profile is put to work. What was chosen for it counts as well ([`Request::SetOptions`]): of two the more discreet.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen: multiaddrs; none for any port on all interfaces.
    pub listen: Vec<String>,
    /// Find contacts on the local network, which shows this device's peer id there.
    pub mdns: bool,
    /// No direct paths: contacts do not see this device's address.
    pub always_relay: bool,
    /// The folder with speech models; none for the one beside the program.
    pub models: Option<PathBuf>,
    /// Tell others what was read.
    pub read_receipts: bool,
    /// Where microphones and speakers come from.
    pub sound: Arc<dyn sound::Backend>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            mdns: true,
            always_relay: false,
            models: None,
            read_receipts: true,
            sound: Arc::new(sound::System),
        }
    }
}

/// A profile at work. Cheap to clone; it goes on until [`Client::shutdown`].
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    session: Session,
    directory: PathBuf,
    relays: relays::KnownRelays,
    choices: choices::Choices,
    link: Mutex<Link>,
    warnings: Mutex<Vec<Said>>,
    views: views::Views,
    sound: Arc<dyn sound::Backend>,
    sound_options: sound::Kept,
    /// Held while the program makes a sound of itself.
    sign: tokio::sync::Mutex<()>,
    /// Recordings that are being made: they are no drafts yet.
    recording: Mutex<std::collections::BTreeSet<String>>,
    speech: transcribe::Speech,
}

/// Whether the own relay is connected, why not, and what is wrong with this device's clock by the relay's.
#[derive(Debug, Clone, Default)]
struct Link {
    connected: bool,
    problem: Option<Said>,
    clock: Option<Said>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("account", &self.inner.session.account()).finish_non_exhaustive()
    }
}

impl Client {
    /// Opens a profile and puts it to work.
    ///
    /// # Errors
    /// A sentence that says why not: no account, open elsewhere, wrong passphrase, damaged or from a newer Kith.
    pub async fn open(directory: &Path, unlock: Unlock, options: Options) -> Result<Self, ClientError> {
        let (store, opened) = profile::open_store(directory, unlock).await?;
        Self::start(directory, store, opened, options).await
    }

    /// Puts the newest snapshot that can be verified in the place of a damaged or missing store, and opens it. What was sent
    /// since is fetched from the others; this device asks to be added to its conversations again.
    ///
    /// # Errors
    /// As [`Client::open`], and when there is no such snapshot.
    pub async fn restore(directory: &Path, unlock: Unlock, options: Options) -> Result<Self, ClientError> {
        let (store, opened) = profile::restore_store(directory, unlock).await?;
        Self::start(directory, store, opened, options).await
    }

    async fn start(directory: &Path, store: Store, opened: Opened, options: Options) -> Result<Self, ClientError> {
        let restored = opened == Opened::Restored;
        let (choices, wrong) = choices::Choices::load(directory, &options);
        let session = Session::start(store, session_options(&options, choices.started(), restored)?).await?;
        let (speech, speech_wrong) = transcribe::Speech::new(directory, options.models.as_deref());
        let views = views::Views::new(session.account(), session.subscribe());
        let inner = Inner {
            session,
            views,
            directory: directory.to_owned(),
            relays: relays::KnownRelays::load(directory),
            choices,
            link: Mutex::default(),
            sound: options.sound,
            sound_options: sound::Kept::load(directory),
            sign: tokio::sync::Mutex::default(),
            recording: Mutex::default(),
            warnings: Mutex::new(wrong.into_iter().chain(speech_wrong).collect()),
            speech,
        };
        let client = Self { inner: Arc::new(inner) };
        events::follow(&client);
        catch_up::follow(&client);
        devices::introduce(&client);
        Ok(client)
    }

    /// Everything that happens from now on.
    pub fn subscribe(&self) -> EventStream {
        EventStream::new(self.clone(), self.inner.session.subscribe())
    }

    /// The profile's directory.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// Ends: what is durable stays, what is under way is tried again next time.
    pub async fn shutdown(&self) {
        self.inner.session.shutdown().await;
    }

    /// Ends, and deletes the profile: first what opens it, so that nothing of it can be read from then on. The account stays at its
    /// relay and on its other devices. A key in the system's keychain, and files of the app, are the caller's to delete.
    ///
    /// # Errors
    /// A sentence that says what could not be deleted; trying again goes on with it ([`Profile::erase`]).
    pub async fn erase(self) -> Result<(), ClientError> {
        self.shutdown().await;
        Profile::erase(self.directory()).await
    }

    fn store(&self) -> &Store {
        self.inner.session.store()
    }

    fn me(&self) -> Me {
        Me { account: self.inner.session.account(), device: self.inner.session.device() }
    }

    fn link(&self) -> Link {
        self.inner.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_link(&self, link: Link) {
        *self.inner.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    fn warn(&self, said: Said) {
        /// The newest warnings; older ones have been told.
        const KEPT: usize = 50;
        let mut warnings = self.inner.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.push(said);
        let excess = warnings.len().saturating_sub(KEPT);
        warnings.drain(..excess);
    }

    fn warnings(&self) -> Vec<Said> {
        self.inner.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn session_options(options: &Options, choice: Choice, restored: bool) -> Result<session::Options, ClientError> {
    let parse = |text: &String| text.parse::<Multiaddr>().map_err(|_| ClientError::Address(text.clone()));
    let listen = options.listen.iter().map(parse).collect::<Result<_, _>>()?;
    let habits = Habits { read_receipts: choice.read_receipts, ..Habits::default() };
    Ok(session::Options {
        listen,
        mdns: choice.mdns,
        always_relay: choice.always_relay,
        restored,
        habits,
        auto_fetch_bytes: choice.auto_fetch_bytes,
    })
}
