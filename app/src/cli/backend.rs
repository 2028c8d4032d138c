//! The only bridge to core: a running profile's socket, or a client of our own.

use std::path::PathBuf;
use std::time::Duration;

use kith_core::client::control::{self, Connection, ControlError, Server, Service};
use kith_core::client::{Client, EventStream, Options, Profile};
use kith_core::wire::control::{Event, Me, Reply, Request, Status};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use zeroize::Zeroizing;

use super::arguments::Global;
use super::error::Error;
use super::print::Screen;
use super::secret::Secrets;
use super::{keychain, text};

/// How long another command may keep the profile to itself before this one gives up.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often to look whether the profile is free: short for a person, long for the disk.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long a command that opened the profile itself waits for the relay before it answers from what is here.
const SYNC: Duration = Duration::from_secs(5);

/// A silence this long after the relay was reached means that what waited there has come.
const SILENCE: Duration = Duration::from_millis(400);

/// What all commands start from.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) profile: PathBuf,
    pub(crate) screen: Screen,
    pub(crate) secrets: Secrets,
    pub(crate) options: Options,
    sync: bool,
}

/// For how long the profile is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// For one command, which wants what the relay has for this device.
    Once,
    /// For one command that needs no news.
    OnceAsItIs,
    /// Until a person ends it: other commands use this process meanwhile.
    Long,
}

impl Context {
    pub(crate) fn new(global: Global) -> Result<Self, Error> {
        Ok(Self {
            profile: Profile::directory(global.profile.as_deref())?,
            screen: Screen::new(global.json),
            secrets: Secrets { password_file: global.password_file, passphrase_file: global.passphrase_file },
            options: Options {
                listen: global.listen,
                mdns: !global.no_mdns,
                always_relay: global.always_relay,
                models: global.models,
                ..Options::default()
            },
            sync: !global.no_sync,
        })
    }

    /// Attaches to the process that runs the profile, or opens it.
    pub(crate) async fn reach(&self, purpose: Use) -> Result<Backend, Error> {
        self.reach_with(purpose, None).await
    }

    /// The same, by a passphrase that was typed already.
    pub(crate) async fn reach_with(&self, purpose: Use, typed: Option<Zeroizing<String>>) -> Result<Backend, Error> {
        let mut backend = match self.attach().await? {
            Some(backend) => return Ok(backend),
            None => self.open(purpose, typed).await?,
        };
        if purpose == Use::Once && self.sync {
            backend.sync().await?;
        }
        Ok(backend)
    }

    /// Attaches to the process that runs the profile, if there is one.
    pub(crate) async fn attach(&self) -> Result<Option<Backend>, Error> {
        let calls = Connection::connect(&self.profile).await?;
        Ok(calls.map(|calls| Backend::Attached { calls: Box::new(calls), profile: self.profile.clone() }))
    }

    /// Opens the profile, or attaches after all if somebody began to run it meanwhile.
    async fn open(&self, purpose: Use, mut typed: Option<Zeroizing<String>>) -> Result<Backend, Error> {
        if !Profile::exists(&self.profile) {
            return Err(Error::new("no_profile", text::no_profile(&self.profile)));
        }
        let open = |unlock| Client::open(&self.profile, unlock, self.options.clone());
        let mut end = Instant::now() + PATIENCE;
        loop {
            match keychain::open_by::<_, Error, _>(&self.profile, typed.as_ref(), &open).await {
                Ok(client) => return self.own(client, purpose).await,
                Err(error) if typed.is_none() && keychain::wants_passphrase(&self.profile, &error.code) => {
                    typed = Some(self.secrets.to_open()?);
                    end = Instant::now() + PATIENCE;
                    continue;
                }
                Err(error) if error.code == "profile_open" && Instant::now() < end => sleep(LOOK_AGAIN).await,
                Err(error) => return Err(error),
            }
            if let Some(backend) = self.attach().await? {
                return Ok(backend);
            }
        }
    }

    /// A client that this process has just opened or made.
    pub(crate) async fn own(&self, client: Client, purpose: Use) -> Result<Backend, Error> {
        let server = match purpose {
            Use::Once | Use::OnceAsItIs => None,
            Use::Long => match control::serve(Service::of(&client), &self.profile).await {
                Ok(server) => Some(server),
                Err(error) => {
                    client.shutdown().await;
                    return Err(error.into());
                }
            },
        };
        Ok(Backend::Own { client, server })
    }
}

/// A profile in use.
#[derive(Debug)]
pub(crate) enum Backend {
    /// Another process runs it.
    Attached { calls: Box<Connection>, profile: PathBuf },
    /// This one does.
    Own { client: Client, server: Option<Server> },
}

impl Backend {
    pub(crate) async fn call(&mut self, request: Request) -> Result<Reply, Error> {
        match self {
            Self::Attached { calls, .. } => Ok(calls.call(request).await?),
            Self::Own { client, .. } => Ok(client.execute(request).await?),
        }
    }

    /// Carries out what has no answer but that it is done; accepting a request also begins a conversation.
    pub(crate) async fn command(&mut self, request: Request) -> Result<(), Error> {
        match self.call(request).await? {
            Reply::Done | Reply::Conversation { .. } => Ok(()),
            _ => Err(Error::nonsense()),
        }
    }

    pub(crate) async fn whoami(&mut self) -> Result<Me, Error> {
        match self.call(Request::Whoami).await? {
            Reply::Me(me) => Ok(me),
            _ => Err(Error::nonsense()),
        }
    }

    pub(crate) async fn status(&mut self) -> Result<Status, Error> {
        match self.call(Request::Status).await? {
            Reply::Status(status) => Ok(status),
            _ => Err(Error::nonsense()),
        }
    }

    /// Everything that happens from now on.
    pub(crate) async fn events(&self) -> Result<Events, Error> {
        match self {
            Self::Attached { profile, .. } => {
                let connection = Connection::connect(profile).await?.ok_or(ControlError::Closed)?;
                Ok(Events::Attached(Box::new(connection.events().await?)))
            }
            Self::Own { client, .. } => Ok(Events::Own(Box::new(client.subscribe()))),
        }
    }

    /// Waits until somebody asks this process to end, by `kith stop`.
    pub(crate) async fn stopped(&self) {
        match self {
            Self::Own { server: Some(server), .. } => server.stopped().await,
            Self::Own { server: None, .. } | Self::Attached { .. } => std::future::pending().await,
        }
    }

    /// Ends what this process began.
    pub(crate) async fn close(self) {
        if let Self::Own { client, server } = self {
            if let Some(server) = server {
                server.shutdown().await;
            }
            client.shutdown().await;
        }
    }

    /// Waits for what the relay has for this device: until it was reached and then is silent, or time is up.
    async fn sync(&mut self) -> Result<(), Error> {
        let end = Instant::now() + SYNC;
        let mut events = self.events().await?;
        while self.status().await?.relay_connected == Some(false) {
            if timeout_at(end, sleep(LOOK_AGAIN)).await.is_err() {
                return Ok(());
            }
        }
        while let Ok(Ok(Some(_))) = timeout(SILENCE, events.next()).await {
            if Instant::now() > end {
                break;
            }
        }
        Ok(())
    }
}

/// The events of a profile in use.
#[derive(Debug)]
pub(crate) enum Events {
    Attached(Box<control::Events>),
    Own(Box<EventStream>),
}

impl Events {
    /// The next event; none when the profile is no longer run. May be cancelled.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Error> {
        match self {
            Self::Attached(events) => Ok(events.next().await?),
            Self::Own(events) => Ok(events.next().await),
        }
    }
}
