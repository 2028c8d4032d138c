//! The only bridge to the core: opens a profile, asks it, hears from it, and ends it.
//!
//! Nothing here waits on the thread that draws: every function is a future that iced's runtime carries out.

mod account;
pub(crate) mod asked;
pub(crate) mod live;
mod sound;
mod speech;

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::Stream;
use iced::Subscription;
use kith_core::client::control::{self, Connection, Server, Service};
use kith_core::client::{Client, Options, Profile, Proof, Registration, Unlock};
use kith_core::wire::control::{
    At, Chat, ContactRequest, DeviceInfo, Event, Me, Member, Message, Page, Reply, Request, Shared, Status, Transcript,
};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use self::asked::Asked;
use crate::cli::keychain::{self, Way};
use crate::platform::sign::Sign;
use crate::problem::Problem;
use crate::relay::EmbeddedRelay;
use crate::settings::Settings;

/// How the window was started.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The profile's directory.
    pub(crate) profile: PathBuf,
    /// How the profile is put to work.
    pub(crate) options: Options,
    /// Opens the profile without asking: for demonstrations, and machines without a keychain that nobody else uses.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The relay's address to begin with, at a first start.
    pub(crate) relay: Option<String>,
}

/// How a new profile's key is kept.
#[derive(Clone)]
pub(crate) enum Keeping {
    /// In the system's keychain.
    Keychain,
    /// Behind a passphrase that is asked for at every start.
    Passphrase(Zeroizing<String>),
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Keychain => "Keychain",
            Self::Passphrase(_) => "Passphrase(…)",
        })
    }
}

/// What is in the way of a profile, or that nothing is.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// There is no profile yet.
    Nothing,
    /// It wants a passphrase.
    Locked,
    /// It was opened.
    Opened(Backend),
    /// Another window shows it, and was told to come to the front.
    Raised,
}

/// A profile at work. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Backend {
    client: Asked,
    server: Arc<Mutex<Option<Server>>>,
    /// It runs inside this program, for this profile.
    relay: Option<EmbeddedRelay>,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Backend")
    }
}

/// Looks for the profile: shows the window that shows it already, else opens it if that takes no passphrase.
pub(crate) async fn find(setup: Setup, link: Option<String>) -> Result<Found, Problem> {
    if !Profile::exists(&setup.profile) {
        return Ok(Found::Nothing);
    }
    if let Some(mut other) = Connection::connect(&setup.profile).await? {
        let _ = other.call(Request::Raise { link }).await?;
        return Ok(Found::Raised);
    }
    let ways = keychain::ways(&setup.profile)?;
    let typed = match &setup.passphrase_file {
        Some(file) if ways.contains(&Way::Passphrase) => Some(crate::cli::secret::from_file(file)?),
        _ => None,
    };
    let asks = typed.is_none();
    if asks && ways == [Way::Passphrase] {
        return Ok(Found::Locked);
    }
    let profile = setup.profile.clone();
    match open(setup, typed).await {
        Err(problem) if asks && keychain::wants_passphrase(&profile, &problem.code) => Ok(Found::Locked),
        opened => Ok(Found::Opened(opened?)),
    }
}

/// Opens the profile with a passphrase.
pub(crate) async fn unlock(setup: Setup, passphrase: Zeroizing<String>) -> Result<Backend, Problem> {
    open(setup, Some(passphrase)).await
}

async fn open(setup: Setup, passphrase: Option<Zeroizing<String>>) -> Result<Backend, Problem> {
    let relay = own_relay(&setup.profile).await;
    let open = |unlock| {
        let (profile, options) = (setup.profile.clone(), setup.options.clone());
        async move { Client::open(&profile, unlock, options).await }
    };
    let client = keychain::open_by::<_, Problem, _>(&setup.profile, passphrase.as_ref(), open).await?;
    let backend = Backend::serve(client).await?;
    Ok(Backend { relay, ..backend })
}

/// The relay of this profile, running, if it has one; it comes before the client that connects to it. When it cannot be started,
/// that is told where relays are set, and what is stored here can be read all the same.
async fn own_relay(profile: &Path) -> Option<EmbeddedRelay> {
    let relay = Settings::load(profile).own_relay.then(|| EmbeddedRelay::of(profile))?;
    let _ = relay.start().await;
    Some(relay)
}

/// Puts the newest good copy of a damaged store into its place.
pub(crate) async fn restore(setup: Setup, passphrase: Option<Zeroizing<String>>) -> Result<Backend, Problem> {
    let passphrase = match (passphrase, &setup.passphrase_file) {
        (None, Some(file)) => Some(crate::cli::secret::from_file(file)?),
        (passphrase, _) => passphrase,
    };
    let relay = own_relay(&setup.profile).await;
    let restore = |unlock| {
        let (profile, options) = (setup.profile.clone(), setup.options.clone());
        async move { Client::restore(&profile, unlock, options).await }
    };
    let client = keychain::open_by::<_, Problem, _>(&setup.profile, passphrase.as_ref(), restore).await?;
    let backend = Backend::serve(client).await?;
    Ok(Backend { relay, ..backend })
}

/// What an account gets that was made or recovered: the recovery code, to be shown once, and the profile if it could be put to work.
#[derive(Clone)]
pub(crate) struct Created {
    /// The code.
    pub(crate) recovery_code: Zeroizing<String>,
    /// The profile.
    pub(crate) backend: Result<Backend, Problem>,
}

impl std::fmt::Debug for Created {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Created").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// Makes an account at a relay, and the profile.
pub(crate) async fn register(setup: Setup, keeping: Keeping, registration: Registration) -> Result<Created, Problem> {
    let unlock = prepare(&setup.profile, keeping).await?;
    let made = Client::register(&setup.profile, unlock, registration, setup.options).await;
    created(&setup.profile, made.map_err(Problem::from)).await
}

/// Gets back an account whose password is forgotten; the registration has the new one.
pub(crate) async fn recover(
    setup: Setup,
    keeping: Keeping,
    registration: Registration,
    code: Zeroizing<String>,
) -> Result<Created, Problem> {
    let unlock = prepare(&setup.profile, keeping).await?;
    let made = Client::recover(&setup.profile, unlock, registration, code, setup.options).await;
    created(&setup.profile, made.map_err(Problem::from)).await
}

/// Gives the account of this name at a relay the registration's password; what comes back is a new recovery code, if there is one.
pub(crate) async fn change_password(
    registration: Registration,
    proof: Proof,
    new_code: bool,
) -> Result<Option<Zeroizing<String>>, Problem> {
    Ok(Client::change_password(registration, proof, new_code).await?)
}

/// Makes an account without a relay.
pub(crate) async fn register_local(
    setup: Setup,
    keeping: Keeping,
    passphrase: Zeroizing<String>,
) -> Result<Created, Problem> {
    let unlock = prepare(&setup.profile, keeping).await?;
    let made = Client::register_local(&setup.profile, unlock, passphrase, setup.options).await;
    created(&setup.profile, made.map_err(Problem::from)).await
}

/// Adds this device to an account.
pub(crate) async fn log_in(setup: Setup, keeping: Keeping, registration: Registration) -> Result<Backend, Problem> {
    let unlock = prepare(&setup.profile, keeping).await?;
    match Client::log_in(&setup.profile, unlock, registration, setup.options).await {
        Ok(client) => Backend::serve(client).await,
        Err(error) => {
            abandon(&setup.profile).await;
            Err(error.into())
        }
    }
}

async fn prepare(profile: &Path, keeping: Keeping) -> Result<Unlock, Problem> {
    match keeping {
        Keeping::Keychain => Ok(Unlock::Key(keychain::create(profile).await?)),
        Keeping::Passphrase(passphrase) => {
            keychain::disown(profile)?;
            Ok(Unlock::Passphrase(passphrase))
        }
    }
}

/// A key in the keychain for a profile that was not made is taken out again.
async fn abandon(profile: &Path) {
    if !Profile::exists(profile) {
        keychain::forget(profile).await;
    }
}

async fn created(profile: &Path, made: Result<kith_core::client::Registered, Problem>) -> Result<Created, Problem> {
    let made = match made {
        Ok(made) => made,
        Err(problem) => {
            abandon(profile).await;
            return Err(problem);
        }
    };
    let backend = match made.client {
        Ok(client) => Backend::serve(client).await,
        Err(error) => Err(error.into()),
    };
    Ok(Created { recovery_code: made.recovery_code, backend })
}

impl Backend {
    /// Lets others use the profile by its control socket, too.
    async fn serve(client: Client) -> Result<Self, Problem> {
        match control::serve(Service::of(&client), client.directory()).await {
            Ok(server) => {
                Ok(Self { client: Asked::Client(client), server: Arc::new(Mutex::new(Some(server))), relay: None })
            }
            Err(error) => {
                client.shutdown().await;
                Err(error.into())
            }
        }
    }

    /// Without a profile: every question is written down, and answered only as was said before.
    #[cfg(test)]
    pub(crate) fn detached() -> (Self, asked::tests::Record) {
        let record = asked::tests::Record::default();
        (Self { client: Asked::Nobody(record.clone()), server: Arc::default(), relay: None }, record)
    }

    /// Ends the profile's work; what is durable stays.
    pub(crate) async fn close(self) {
        if let Some(server) = self.server.lock().await.take() {
            server.shutdown().await;
        }
        self.client.shutdown().await;
        if let Some(relay) = self.relay {
            relay.stop().await;
        }
    }

    /// From now on this relay ends with the profile.
    pub(crate) fn with_relay(self, relay: EmbeddedRelay) -> Self {
        Self { relay: Some(relay), ..self }
    }

    /// The relay that runs inside this program for this profile.
    pub(crate) fn relay(&self) -> Option<&EmbeddedRelay> {
        self.relay.as_ref()
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> Subscription<Event> {
        Subscription::run_with(Feed(self.client.clone()), Feed::listen)
    }

    /// The profile's client, where there is one: sound is recorded and played in this process.
    pub(crate) fn client(&self) -> Option<Client> {
        self.client.client()
    }

    /// Plays a sound of Kith's own, if none is played just now.
    pub(crate) async fn sign(self, sign: Sign) -> Result<(), Problem> {
        self.client.sign(sign).await
    }

    /// Carries out what has no answer but that it is done.
    pub(crate) async fn command(self, request: Request) -> Result<(), Problem> {
        match self.client.execute(request).await? {
            Reply::Done
            | Reply::Conversation { .. }
            | Reply::Message(_)
            | Reply::Transcript(_)
            | Reply::Transfer(_)
            | Reply::Saved { .. } => Ok(()),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Creates a group, and gives its id.
    pub(crate) async fn create_group(self, name: String, members: Vec<String>) -> Result<String, Problem> {
        match self.client.execute(Request::CreateGroup { name, members }).await? {
            Reply::Conversation { conversation } => Ok(conversation),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Writes a message: queued, durable here.
    pub(crate) async fn send(self, to: String, text: String, reply_to: Option<String>) -> Result<Message, Problem> {
        match self.client.execute(Request::Send { to, text, reply_to }).await? {
            Reply::Message(message) => Ok(message),
            _ => Err(Problem::nonsense()),
        }
    }

    /// A part of a history.
    pub(crate) async fn page(self, with: String, at: At, limit: u32) -> Result<Page, Problem> {
        match self.client.execute(Request::Page { with, at, limit }).await? {
            Reply::Page(page) => Ok(page),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Messages with these words, the newest first; those before one.
    pub(crate) async fn find(
        self,
        with: String,
        words: String,
        before: Option<String>,
        limit: u32,
    ) -> Result<kith_core::wire::control::Found, Problem> {
        match self.client.execute(Request::Find { with, words, before, limit }).await? {
            Reply::Found(found) => Ok(found),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Files and voice notes, the newest first; those before one.
    pub(crate) async fn shared(self, with: String, before: Option<String>, limit: u32) -> Result<Shared, Problem> {
        match self.client.execute(Request::Shared { with, before, limit }).await? {
            Reply::Shared(shared) => Ok(shared),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Says which voice notes are on the screen; gives those of the chat that become text or wait for that.
    pub(crate) async fn look_at(self, with: String, messages: Vec<String>) -> Result<Vec<String>, Problem> {
        match self.client.execute(Request::LookAt { with, messages }).await? {
            Reply::Waiting { messages } => Ok(messages),
            _ => Err(Problem::nonsense()),
        }
    }

    /// All that is said in a voice note.
    pub(crate) async fn transcript(self, with: String, message: String) -> Result<Transcript, Problem> {
        match self.client.execute(Request::Transcript { with, message }).await? {
            Reply::Transcript(transcript) => Ok(transcript),
            _ => Err(Problem::nonsense()),
        }
    }

    /// All that the list shows.
    pub(crate) async fn overview(self) -> Result<Overview, Problem> {
        let Reply::Me(me) = self.client.execute(Request::Whoami).await? else { return Err(Problem::nonsense()) };
        let Reply::Chats(chats) = self.client.execute(Request::Chats).await? else { return Err(Problem::nonsense()) };
        let Reply::Requests(requests) = self.client.execute(Request::Requests).await? else {
            return Err(Problem::nonsense());
        };
        Ok(Overview { me, chats, requests })
    }

    /// How everything is reached.
    pub(crate) async fn status(self) -> Result<Status, Problem> {
        match self.client.execute(Request::Status).await? {
            Reply::Status(status) => Ok(status),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Who is in a conversation.
    pub(crate) async fn members(self, with: String) -> Result<Vec<Member>, Problem> {
        match self.client.execute(Request::Members { with }).await? {
            Reply::Members(members) => Ok(members),
            _ => Err(Problem::nonsense()),
        }
    }

    /// The account's devices.
    pub(crate) async fn devices(self) -> Result<Vec<DeviceInfo>, Problem> {
        match self.client.execute(Request::Devices).await? {
            Reply::Devices(devices) => Ok(devices),
            _ => Err(Problem::nonsense()),
        }
    }

    /// The picture of an account, ready to be drawn; none if it has none that can be read.
    pub(crate) async fn picture(self, who: String) -> Option<iced::widget::image::Handle> {
        let profile = self.client.execute(Request::Profile { who: Some(who) }).await;
        let Ok(Reply::Profile(profile)) = profile else { return None };
        let bytes = profile.picture?;
        let drawn = tokio::task::spawn_blocking(move || crate::ui::picture::round(&bytes)).await;
        drawn.ok()?.ok()
    }

    /// The link by which others find this account.
    pub(crate) async fn invite(self) -> Result<String, Problem> {
        match self.client.execute(Request::Invite).await? {
            Reply::Link { link } => Ok(link),
            _ => Err(Problem::nonsense()),
        }
    }
}

/// All that the list shows.
#[derive(Debug, Clone)]
pub(crate) struct Overview {
    /// Who is signed in.
    pub(crate) me: Me,
    /// Contacts and groups.
    pub(crate) chats: Vec<Chat>,
    /// Contact requests that wait.
    pub(crate) requests: Vec<ContactRequest>,
}

/// The events of one profile; the profile is what makes it the same from one look to the next.
struct Feed(Asked);

impl Hash for Feed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.directory().hash(state);
    }
}

impl Feed {
    fn listen(&self) -> impl Stream<Item = Event> + use<> {
        self.0.events()
    }
}
