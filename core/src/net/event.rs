//! What comes up from the network.

use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::error::NetError;
use super::path::Path;
use crate::types::DeviceId;
use crate::wire::control::{Code, Said};
use crate::wire::relay::{Push, PushAnswer};
use crate::wire::{blob, log};

/// Takes the answer to a request. Dropping it answers *try later*.
#[derive(Debug)]
pub struct Reply<T>(oneshot::Sender<T>);

impl<T> Reply<T> {
    pub(super) fn new() -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// Answers. Whoever asked may have gone meanwhile.
    pub fn send(self, answer: T) {
        let _ = self.0.send(answer);
    }
}

/// Why an own relay is not connected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Down {
    /// The connection ended.
    #[error("the relay ended the connection, or it was lost")]
    Lost,
    /// It could not be made.
    #[error(transparent)]
    Failed(#[from] NetError),
}

impl From<&Down> for Said {
    fn from(down: &Down) -> Self {
        match down {
            Down::Lost => Self::new(Code::Lost, down),
            Down::Failed(error) => error.into(),
        }
    }
}

/// What comes up from the network. The receiver is bounded: a session that does not take its events holds back the peers that
/// send requests; of the notices below, the oldest are then dropped and counted in [`Event::Lagged`].
#[derive(Debug)]
pub enum Event {
    /// An own relay is connected.
    RelayUp {
        /// Which.
        relay: PeerId,
    },
    /// An own relay is not connected; it is tried again without being asked. Told when it changes.
    RelayDown {
        /// Which.
        relay: PeerId,
        /// Why.
        reason: Down,
    },
    /// Contacts can reach us through this relay's circuit, or no longer.
    Reserved {
        /// Which.
        relay: PeerId,
        /// Whether they can.
        reserved: bool,
    },
    /// A contact's device is connected.
    PeerUp {
        /// Its transport key's peer id.
        peer: PeerId,
        /// Whose that is.
        device: DeviceId,
        /// How.
        path: Path,
    },
    /// A contact's device is connected in another way than before.
    PathChanged {
        /// Its transport key's peer id.
        peer: PeerId,
        /// Whose that is.
        device: DeviceId,
        /// How now.
        path: Path,
    },
    /// A connected contact's device says where it is found, or was found where it was dialled.
    Found {
        /// Which.
        device: DeviceId,
        /// Where, the newest and the last good one first.
        addresses: Vec<Multiaddr>,
    },
    /// A contact's device is not connected any more.
    PeerDown {
        /// Its transport key's peer id.
        peer: PeerId,
        /// Whose that is.
        device: DeviceId,
    },
    /// A relay's push.
    Push {
        /// From which own relay.
        relay: PeerId,
        /// What.
        push: Push,
        /// Takes the answer, when it is durable.
        reply: Reply<PushAnswer>,
    },
    /// An envelope from a contact's device. Its bytes are an envelope's by their shape.
    Envelope {
        /// From which peer.
        peer: PeerId,
        /// Whose that is.
        device: DeviceId,
        /// The encoded envelope.
        bytes: Vec<u8>,
        /// Takes the answer, when it is durable.
        reply: Reply<PushAnswer>,
    },
    /// A request to the home that this device is.
    HomeRequest {
        /// From which peer.
        peer: PeerId,
        /// Whose that is.
        device: DeviceId,
        /// What.
        request: log::Request,
        /// Takes the answer.
        reply: Reply<log::Response>,
    },
    /// A contact's device asks for an attachment.
    BlobRequest {
        /// From which peer.
        peer: PeerId,
        /// Whose that is.
        device: DeviceId,
        /// What.
        request: blob::Request,
        /// Takes the answer.
        reply: Reply<blob::Response>,
    },
    /// The addresses on which this device listens, all of them, after a change.
    Listening(Vec<Multiaddr>),
    /// The addresses at which others see this device and that a relay could reach, all of them, after a change.
    ObservedAddresses(Vec<Multiaddr>),
    /// So many notices were dropped, because nobody took them: read the state anew with [`super::Handle::reachability`].
    Lagged {
        /// How many.
        missed: u64,
    },
}
