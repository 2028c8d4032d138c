//! What the settings ask of a profile.

use std::path::PathBuf;

use kith_core::client::control::Server;
use kith_core::client::{Client, Registration};
use kith_core::wire::control::{LiveOptions, Me, Profile, Reply, Request};

use super::Backend;
use crate::cli::keychain;
use crate::problem::Problem;

/// Files of the window and of this program in a profile's directory; what the core keeps there it deletes itself.
const OWN_FILES: [&str; 2] = ["window.toml", "window.toml.new"];

/// The folder of a relay that runs in this program.
const OWN_RELAY: &str = "relay";

impl Backend {
    /// Who is signed in.
    pub(crate) async fn me(self) -> Result<Me, Problem> {
        match self.client.execute(Request::Whoami).await? {
            Reply::Me(me) => Ok(me),
            _ => Err(Problem::nonsense()),
        }
    }

    /// What the account says about itself.
    pub(crate) async fn own_profile(self) -> Result<Profile, Problem> {
        match self.client.execute(Request::Profile { who: None }).await? {
            Reply::Profile(profile) => Ok(profile),
            _ => Err(Problem::nonsense()),
        }
    }

    /// What was chosen for the profile: asks for it ([`Request::Options`]) or changes it ([`Request::SetOptions`]).
    pub(crate) async fn options(self, request: Request) -> Result<LiveOptions, Problem> {
        match self.client.execute(request).await? {
            Reply::Options(options) => Ok(options),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Takes a device out of the account: at its relay, which wants the password, and here.
    pub(crate) async fn remove_device(self, registration: Registration, device: String) -> Result<(), Problem> {
        let record = Client::remove_device(registration, &device).await?;
        self.command(Request::TakeRecord { record }).await
    }

    /// Writes all that is here into a new folder; gives how many messages that were.
    pub(crate) async fn export(self, to: PathBuf) -> Result<u64, Problem> {
        match self.client.execute(Request::Export { to }).await? {
            Reply::Exported { messages, .. } => Ok(messages),
            _ => Err(Problem::nonsense()),
        }
    }

    /// Ends the profile's work and deletes all of it: what the core has, the key in the keychain, the relay in this program, and
    /// the window's files. What could not be deleted is tried again by another call.
    pub(crate) async fn erase(self) -> Result<(), Problem> {
        let directory = self.client.directory().to_owned();
        if let Some(server) = self.server.lock().await.take() {
            Server::shutdown(server).await;
        }
        self.client.erase().await?;
        keychain::forget(&directory).await;
        if let Some(relay) = self.relay {
            relay.stop().await;
        }
        let rest = tokio::task::spawn_blocking(move || {
            for file in OWN_FILES {
                let _ = std::fs::remove_file(directory.join(file));
            }
            let relay = std::fs::remove_dir_all(directory.join(OWN_RELAY));
            // Files that others have put there stay, and their folder with them.
            let _ = std::fs::remove_dir(&directory);
            relay
        });
        match rest.await {
            Ok(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            Ok(_) => Ok(()),
            Err(error) => Err(Problem::new("disk", error.to_string())),
        }
    }
}
