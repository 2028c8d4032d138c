//! What is sealed to a prekey of somebody with whom no group is shared.

use serde::{Deserialize, Serialize};

use super::TokenPair;
use crate::types::{AccountId, ConversationId, DeviceId, GroupId, Timestamp};
use crate::wire::event::UnverifiedEvent;
use crate::wire::log::UnverifiedEntry;

/// What is sealed by HPKE to a prekey of an account record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sealed {
    /// A stranger's card.
    #[serde(rename = "r")]
    Request(RequestCard),
    /// A member's device that lost its MLS state asks to be added again.
    #[serde(rename = "j")]
    Rejoin(Rejoin),
    /// A member tells a device that seems to have lost all that it knew of a conversation.
    #[serde(rename = "c")]
    Recall(Recall),
    /// A member that may take people out tells who pleads that its account is out.
    #[serde(rename = "o")]
    Out(Out),
}

/// A contact request: who, what, and how to answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCard {
    /// The stranger's encoded account record.
    #[serde(rename = "r", with = "serde_bytes")]
    pub record: Vec<u8>,
    /// Its handle, a hint.
    #[serde(rename = "h")]
    pub handle: Option<String>,
    /// At most [`super::MAX_REQUEST_TEXT`] bytes.
    #[serde(rename = "t")]
    pub text: String,
    /// What the other may use to answer.
    #[serde(rename = "g")]
    pub grant: TokenPair,
    /// When it was written.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// The device that signed the card.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// A key package of that device, so that accepting needs nothing from the stranger's relay.
    #[serde(rename = "k", with = "serde_bytes")]
    pub key_package: Vec<u8>,
    /// Its signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and the card with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// A plea to be added again, with fresh key packages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejoin {
    /// Whose device asks.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// Which device asks.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// A fresh key package.
    #[serde(rename = "k", with = "serde_bytes")]
    pub key_package: Vec<u8>,
    /// When it was written: an older plea than one already answered is ignored.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// Its account's encoded record: whoever answers may not have come by the newest one otherwise.
    #[serde(rename = "r", with = "serde_bytes")]
    pub record: Vec<u8>,
    /// The device's signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and the plea with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// "You are in a conversation with us." A device from an old copy of its store may know neither the conversation nor who is in it;
/// whoever knows the group ignores this, and whoever does not pleads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// The sender's encoded account record.
    #[serde(rename = "r", with = "serde_bytes")]
    pub record: Vec<u8>,
    /// Which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// Its present group, in which the receiver has a leaf.
    #[serde(rename = "i")]
    pub group: GroupId,
    /// The device that signed this.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// What the receiver may use to answer.
    #[serde(rename = "g")]
    pub grant: Option<TokenPair>,
    /// What the receiver's account gave the sender's: it may not know of that any more, and could not revoke it.
    #[serde(rename = "t")]
    pub taken: Option<TokenPair>,
    /// The latest event there of a device of the receiver's account, without its content: by its own signature it was a member.
    #[serde(rename = "e")]
    pub event: Option<UnverifiedEvent>,
    /// The certificate of the device that wrote it, where the receiver's account has removed that device: the receiver may never have
    /// heard of it, and knows the root key that signed this.
    #[serde(rename = "k", default)]
    pub certificate: Option<serde_bytes::ByteBuf>,
    /// Where the home has lost the log, so that nobody can be added: the last entry of it that the sender walked, without its blob.
    #[serde(rename = "l", default)]
    pub lost: Option<Box<UnverifiedEntry>>,
    /// The device's signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and this with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}

/// "You are out": the answer to a plea of a device whose account was taken out of a group. Neither the home nor an old copy of its store
/// has let it know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Out {
    /// The sender's account.
    #[serde(rename = "a")]
    pub account: AccountId,
    /// Which conversation.
    #[serde(rename = "c")]
    pub conversation: ConversationId,
    /// The device that signed this.
    #[serde(rename = "d")]
    pub device: DeviceId,
    /// [`Rejoin::wall`] of the plea that it answers: another one's answer is nobody's.
    #[serde(rename = "w")]
    pub wall: Timestamp,
    /// The event by which the receiver's account left, if it did, without its content: its own signature tells what an old copy of its
    /// store does not.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<Box<UnverifiedEvent>>,
    /// The device's signature as a card ([`crate::identity::Context::Card`]) over the receiver's account id and this with this field empty.
    #[serde(rename = "s", with = "serde_bytes")]
    pub signature: Vec<u8>,
}
