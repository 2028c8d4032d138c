//! The account's devices, and what they are called.

use super::view::path_word;
use super::{Client, ClientError, plain};
use crate::chat::Command;
use crate::chat::label::label;
use crate::identity::DeviceCertificate;
use crate::net::Path;
use crate::wire::control::DeviceInfo;
use crate::wire::message::MAX_DEVICE_NAME;

/// Names that a system gives a machine which has none.
const NAMELESS: [&str; 2] = ["localhost", "(none)"];

/// Says to the account's other devices what this one is, unless they know.
pub(super) fn introduce(client: &Client) {
    let client = client.clone();
    tokio::spawn(async move {
        let said = Command::LabelDevice { name: None, machine: machine(), system: Some(system().to_owned()) };
        if let Err(error) = client.done(said).await {
            tracing::debug!(%error, "What this device is could not be said now; the next start says it.");
        }
    });
}

impl Client {
    /// The account's devices, as its record has them; the relay is asked for the newest first, if it can be.
    pub(super) async fn device_list(&self) -> Result<Vec<DeviceInfo>, ClientError> {
        if self.link().connected
            && let Err(error) = self.take_newest_record().await
        {
            tracing::debug!(%error, "The relay does not say which devices the account has: the known ones are listed.");
        }
        self.own_record()?.devices().iter().map(|device| self.device(device)).collect()
    }

    fn device(&self, certificate: &DeviceCertificate) -> Result<DeviceInfo, ClientError> {
        let device = certificate.device_id();
        let label = label(self.store(), &device)?;
        let (this, path) = (device == self.me().device, self.inner.session.path(&device));
        Ok(DeviceInfo {
            device: device.to_string(),
            this,
            connected: !this && path != Path::None,
            path: (!this).then(|| path_word(path).to_owned()),
            created_ms: certificate.created().0,
            name: label.name().and_then(plain::line),
            machine: label.machine().and_then(plain::line),
            system: label.system().and_then(plain::line),
        })
    }
}

/// What this machine is called by its system, without the network that it is in.
fn machine() -> Option<String> {
    let host = gethostname::gethostname();
    let name = host.to_string_lossy();
    let name = plain::line(name.split('.').next()?)?;
    (!NAMELESS.contains(&name.as_str())).then(|| name.chars().take(MAX_DEVICE_NAME).collect())
}

/// The system that this program runs on, by its own name.
fn system() -> &'static str {
    match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    }
}
