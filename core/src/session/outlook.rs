//! How each device is reached now, and what keeps messages from it: for views, which do not wait for the network.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chat::SendOutcome;
use crate::net::Path;
use crate::types::DeviceId;
use crate::wire::control::{Code, Said};
use crate::wire::relay::Deposited;

/// What keeps messages from a device, as it or its relay said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Obstacle {
    /// Its mailbox is full.
    #[error("their mailbox is full; the message is kept and sent again until there is room")]
    MailboxFull,
    /// Its relay takes nothing from this account.
    #[error("their relay takes no messages from you at present; the message is kept and sent when it does")]
    MailboxClosed,
    /// It takes nothing from this account.
    #[error("their device takes no messages from you at present; the message is kept and sent when it does")]
    Refused,
}

impl From<Obstacle> for Said {
    fn from(obstacle: Obstacle) -> Self {
        let code = match obstacle {
            Obstacle::MailboxFull => Code::MailboxFull,
            Obstacle::MailboxClosed => Code::MailboxClosed,
            Obstacle::Refused => Code::DeviceRefuses,
        };
        Self::new(code, obstacle)
    }
}

/// What is known of devices. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Outlook(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    paths: BTreeMap<DeviceId, Path>,
    obstacles: BTreeMap<DeviceId, Obstacle>,
}

impl Outlook {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device is reached in this way now.
    pub(super) fn set_path(&self, device: DeviceId, path: Path) {
        let mut seen = self.seen();
        if path == Path::None {
            seen.paths.remove(&device);
        } else {
            seen.paths.insert(device, path);
        }
    }

    /// How a device is reached.
    pub(super) fn path(&self, device: &DeviceId) -> Path {
        self.seen().paths.get(device).copied().unwrap_or(Path::None)
    }

    /// How each device is reached that is connected.
    pub(super) fn paths(&self) -> Vec<(DeviceId, Path)> {
        self.seen().paths.iter().map(|(device, path)| (*device, *path)).collect()
    }

    /// What keeps messages from a device.
    pub(super) fn obstacle(&self, device: &DeviceId) -> Option<Obstacle> {
        self.seen().obstacles.get(device).copied()
    }

    /// An envelope came to this. Says whether another obstacle than before is known.
    pub(super) fn note(&self, device: DeviceId, outcome: SendOutcome) -> bool {
        let found = match outcome {
            SendOutcome::Direct | SendOutcome::Mailbox(Deposited::Taken) => None,
            SendOutcome::Refused => Some(Obstacle::Refused),
            SendOutcome::Mailbox(Deposited::Full) => Some(Obstacle::MailboxFull),
            SendOutcome::Mailbox(Deposited::Forbidden) => Some(Obstacle::MailboxClosed),
            // These pass by themselves, or say nothing of what is kept.
            SendOutcome::Mailbox(Deposited::TooFast | Deposited::Away) | SendOutcome::Unreachable => return false,
        };
        let mut seen = self.seen();
        let before = match found {
            Some(obstacle) => seen.obstacles.insert(device, obstacle),
            None => seen.obstacles.remove(&device),
        };
        before != found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_lasts_until_something_goes_through() {
        let (outlook, device) = (Outlook::default(), DeviceId::new([1; 32]));
        assert!(!outlook.note(device, SendOutcome::Direct));
        assert!(outlook.note(device, SendOutcome::Mailbox(Deposited::Full)));
        assert!(!outlook.note(device, SendOutcome::Mailbox(Deposited::Full)));
        assert!(!outlook.note(device, SendOutcome::Unreachable));
        assert_eq!(outlook.obstacle(&device), Some(Obstacle::MailboxFull));
        assert!(outlook.note(device, SendOutcome::Refused));
        assert!(outlook.note(device, SendOutcome::Mailbox(Deposited::Taken)));
        assert_eq!(outlook.obstacle(&device), None);
    }

    #[test]
    fn a_device_that_is_gone_has_no_path() {
        let (outlook, device) = (Outlook::default(), DeviceId::new([1; 32]));
        outlook.set_path(device, Path::Lan);
        assert_eq!(outlook.path(&device), Path::Lan);
        outlook.set_path(device, Path::None);
        assert_eq!(outlook.path(&device), Path::None);
    }
}
