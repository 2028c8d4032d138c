//! The MLS groups of a conversation: loading, sealing and opening, and what their leaves say.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Membership;
use super::state::{Row, key};
use crate::chat::account::Account;
use crate::chat::roster::{Member, Place};
use crate::chat::turn::{EngineError, Turn, get};
use crate::identity::{DeviceCertificate, LeafIdentity, PublicKey};
use crate::mls::{Application, Group, Leaf, MlsError, Processed};
use crate::store::{Read, Table};
use crate::types::{ConversationId, DeviceId, GroupId, Hash, Timestamp};

/// The exporter label of a log's write keys (RFC 9420 §8.5).
const WRITE_KEY_LABEL: &str = "kith/log-write";

/// A row of the roster for a device.
pub(super) fn member(certificate: &DeviceCertificate, place: Place) -> Option<Member> {
    let events = ed25519_dalek::VerifyingKey::from_bytes(certificate.events_key().as_bytes()).ok()?;
    Some(Member { account: certificate.account_id(), events, certificate: certificate.encode(), place })
}

/// Whose leaf it is; nothing if its credential is no certificate, or certifies another key than it signs with.
pub(super) fn certified(identity: &[u8], signature_key: &[u8]) -> Option<DeviceCertificate> {
    let certificate = LeafIdentity::decode(identity).ok()?.certificate;
    let key = PublicKey::try_from(signature_key).ok()?;
    (certificate.mls_key() == key).then_some(certificate)
}

/// The devices of some leaves; nothing if one is not what its credential says, or is there twice.
pub(super) fn devices(leaves: &[Leaf]) -> Option<BTreeMap<DeviceId, DeviceCertificate>> {
    let mut devices = BTreeMap::new();
    for leaf in leaves {
        let certificate = certified(&leaf.identity, &leaf.signature_key)?;
        if devices.insert(certificate.device_id(), certificate).is_some() {
            return None;
        }
    }
    Some(devices)
}

/// The key that an append in the group's epoch shows.
pub(super) fn write_key(group: &Group) -> Result<Hash, MlsError> {
    let bytes = group.export(WRITE_KEY_LABEL, &[], Hash::LEN)?;
    Hash::try_from(bytes.as_slice()).map_err(|_| MlsError::Incomplete)
}

/// An application message, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Who sealed it.
    pub(crate) sender: DeviceCertificate,
    /// In which epoch.
    pub(crate) epoch: u64,
    /// What it says.
    pub(crate) bytes: Vec<u8>,
}

impl Membership {
    pub(super) fn group(&mut self, turn: &Turn<'_>, id: GroupId) -> Result<&mut Group, EngineError> {
        match self.groups.entry(id) {
            Entry::Occupied(loaded) => Ok(loaded.into_mut()),
            Entry::Vacant(place) => {
                let group = Group::load(&turn.read(), &id)?.ok_or(MlsError::Incomplete)?;
                Ok(place.insert(group))
            }
        }
    }

    /// Whether [`Membership::expire`] has something to drop, without taking the conversation up.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn has_expired(
        read: &dyn Read,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(row) = get::<Row>(read, Table::Conversation, &key(conversation))? else { return Ok(false) };
        for id in row.groups() {
            if Group::has_expired(read, &id, now)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Drops the secrets of epochs that ended long enough ago.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn expire(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        for id in self.row.groups() {
            if Group::has_expired(&turn.read(), &id, turn.now.wall)? {
                self.group(turn, id)?.expire(&mut turn.mls())?;
            }
        }
        Ok(())
    }

    /// Seals a message of the present group's epoch; nothing if there is no present group.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn seal(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        plaintext: &[u8],
    ) -> Result<Option<(GroupId, Vec<u8>)>, EngineError> {
        let Some(id) = self.row.present.as_ref().map(|present| present.group) else { return Ok(None) };
        let group = self.group(turn, id)?;
        let sealed = group.seal(&mut turn.mls(), &me.signer(), plaintext)?;
        Ok(Some((id, sealed)))
    }

    /// Opens a message of one of the conversation's groups. The inner error is the message's fault.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn open(
        &mut self,
        turn: &mut Turn<'_>,
        id: GroupId,
        message: &[u8],
    ) -> Result<Result<Opened, MlsError>, EngineError> {
        let group = self.group(turn, id)?;
        match group.process(&mut turn.mls(), message) {
            Ok(Processed::Application(application)) => Ok(opened(application)),
            Ok(Processed::Commit(_) | Processed::OwnCommit) => {
                Ok(Err(MlsError::NotAllowed("a commit outside the log")))
            }
            Err(error @ (MlsError::Store(_) | MlsError::Incomplete)) => Err(error.into()),
            Err(error @ MlsError::Internal(_)) => {
                // What came may have brought it about, so it must not stop the engine; what is loaded is not to be relied on.
                self.groups.remove(&id);
                Ok(Err(error))
            }
            Err(error) => Ok(Err(error)),
        }
    }
}

fn opened(application: Application) -> Result<Opened, MlsError> {
    let sender = LeafIdentity::decode(&application.identity).map_err(|_| MlsError::Forged)?.certificate;
    Ok(Opened { sender, epoch: application.epoch, bytes: application.bytes })
}
