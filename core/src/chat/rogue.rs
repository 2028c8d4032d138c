//! A member that follows no rule: somebody with a device's true keys and none of its code. For simulations only.
//!
//! It reads the store of a device, signs with that device's keys and says what it is told to: any message under the device's own
//! leaf, events of any header, commits that nobody is entitled to, groups that succeed nothing. It judges nothing and delivers
//! nothing.
//!
//! Invariant: what it changes of the device's MLS state is in its batch; the device's engine is to be opened anew once that is
//! applied.

use rand_core::RngCore as _;

use super::account::Account;
use super::api::{Effects, Now};
use super::feed::row::load_event;
use super::membership::{EMPTY_LOG, Membership};
use super::policy::Policy;
use super::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, Context, DeviceCertificate, DeviceKeys, LeafIdentity};
use crate::mls::{self, Change, Group, LeafSigner, MlsError, OwnKeyPackage, Suite, UnverifiedKeyPackage};
use crate::store::{Batch, Overlay, Read};
use crate::types::{
    AccountId, Clock, ContentId, ConversationId, DeviceId, EnvelopeId, FeedId, GroupId, Hash, Rng, Token,
};
use crate::wire::codec::Body;
use crate::wire::envelope::{Class, Envelope, Packet, Urgency};
use crate::wire::event::{Content, Header, LogHead, UnverifiedEvent};
use crate::wire::log::{self, write_key_hash};
use crate::wire::message::{Anchors, CommitInfo, Message};

/// The exporter label of a log's write keys.
const WRITE_KEY_LABEL: &str = "kith/log-write";

/// Where a device stands in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The present group.
    pub group: GroupId,
    /// Its epoch.
    pub epoch: u64,
    /// How far its log was walked.
    pub log: LogHead,
    /// The policy in force.
    pub policy: Policy,
    /// Its leaves.
    pub leaves: Vec<(DeviceId, AccountId)>,
    /// Its account has left, and waits for somebody to take it out.
    pub left: bool,
}

/// Where the device of a store stands in a conversation; none if it is in no group of it.
///
/// # Errors
/// If the store does not answer, or what it holds is damaged.
pub fn ground(read: &dyn Read, conversation: ConversationId) -> Result<Option<Ground>, EngineError> {
    let Some(membership) = Membership::load(read, conversation)? else { return Ok(None) };
    let (Some(present), Some(policy)) = (membership.present(), membership.policy()) else { return Ok(None) };
    let group = Group::load(read, &present.group)?.ok_or(MlsError::Incomplete)?;
    let leaves = group.roster()?;
    let leaf = |identity: &[u8]| LeafIdentity::decode(identity).ok().map(|identity| identity.certificate);
    let leaves = leaves.iter().filter_map(|it| leaf(&it.identity)).map(|it| (it.device_id(), it.account_id()));
    let (group, epoch) = (group.id(), group.epoch());
    let left = membership.has_left();
    Ok(Some(Ground { group, epoch, log: present.log, policy: policy.clone(), leaves: leaves.collect(), left }))
}

/// The policy that the device of a store last agreed on in a conversation, whether it is in a group of it or not.
///
/// # Errors
/// If the store does not answer, or what it holds is damaged.
pub fn agreed(read: &dyn Read, conversation: ConversationId) -> Result<Option<Policy>, EngineError> {
    Ok(Membership::load(read, conversation)?.and_then(|membership| membership.policy().cloned()))
}

/// A commit that asks nobody whether it may be made.
#[derive(Debug, Clone, Default)]
pub struct Forged {
    /// The policy from then on; as it is, if none is given.
    pub policy: Option<Policy>,
    /// Devices that it removes; those that are no leaves are passed over.
    pub removes: Vec<DeviceId>,
    /// Encoded key packages of devices that it adds.
    pub adds: Vec<Vec<u8>>,
    /// What it carries.
    pub info: CommitInfo,
}

/// A device that follows no rule.
pub struct Rogue<'a> {
    now: Now,
    rng: &'a mut Rng,
    base: &'a dyn Read,
    account: Account,
    effects: Effects,
}

impl std::fmt::Debug for Rogue<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rogue").field("account", &self.account).finish_non_exhaustive()
    }
}

impl<'a> Rogue<'a> {
    /// Takes the keys of a store; none if it holds no account.
    ///
    /// # Errors
    /// If the store does not answer or its rows cannot be read.
    pub fn open(now: Now, rng: &'a mut Rng, base: &'a dyn Read) -> Result<Option<Self>, EngineError> {
        let account = Account::open(base)?;
        Ok(account.map(|account| Self { now, rng, base, account, effects: Effects::default() }))
    }

    /// What changed of the device's MLS state.
    pub fn into_batch(self) -> Batch {
        self.effects.batch
    }

    /// Says something under the device's own leaf of a group that its store holds.
    ///
    /// # Errors
    /// If the group is not here, or the message is larger than MLS takes.
    pub fn say(&mut self, group: GroupId, message: &Message) -> Result<Envelope, EngineError> {
        let signer = self.account.signer();
        let mut turn = self.turn();
        let mut loaded = Group::load(&turn.read(), &group)?.ok_or(MlsError::Incomplete)?;
        let message = loaded.seal(&mut turn.mls(), &signer, &message.encode())?;
        Ok(self.envelope(&Packet::Mls { group, message }))
    }

    /// Puts a packet into an envelope.
    pub fn envelope(&mut self, packet: &Packet) -> Envelope {
        let id = EnvelopeId::random(self.rng);
        Envelope { id, class: Class::Durable, urgency: Urgency::Normal, packet: packet.encode() }
    }

    /// A header of a feed as the device would write it now; whoever asks changes what they like.
    ///
    /// # Errors
    /// If the store does not answer, or what it holds is damaged.
    pub fn header(&self, conversation: ConversationId, feed: FeedId, kind: u16) -> Result<Header, EngineError> {
        let ground = ground(self.base, conversation)?;
        let ground = ground.as_ref();
        Ok(Header {
            conversation,
            feed,
            sequence: 0,
            previous: Hash::new([0; Hash::LEN]),
            clock: Clock::default().tick(self.now.wall),
            wall_ms: self.now.wall.0,
            generation: ground.map_or(0, |ground| ground.policy.generation),
            group: ground.map_or(GroupId::new([0; GroupId::LEN]), |ground| ground.group),
            epoch: ground.map_or(0, |ground| ground.epoch),
            log: ground.map_or(EMPTY_LOG, |ground| ground.log),
            kind,
            content: Hash::new([0; Hash::LEN]),
        })
    }

    /// Signs an event with the device's key, whatever its header says.
    pub fn sign(&mut self, header: Header, body: Vec<u8>) -> UnverifiedEvent {
        sign(self.account.keys(), self.rng, header, body)
    }

    /// An event that the device holds, whoever wrote it.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn held(&self, conversation: ConversationId, id: &ContentId) -> Result<Option<UnverifiedEvent>, EngineError> {
        Ok(load_event(self.base, &conversation, id)?.map(|event| event.as_raw().clone()))
    }

    /// An append of a commit to the present group's log, and the Welcome for whom it adds. The device itself forgets it.
    ///
    /// # Errors
    /// If there is no group, or MLS itself cannot make such a commit.
    pub fn append(
        &mut self,
        conversation: ConversationId,
        forged: Forged,
    ) -> Result<(log::Request, Option<Vec<u8>>), EngineError> {
        let missing = EngineError::Broken("no group to forge a commit of");
        let ground = ground(self.base, conversation)?.ok_or(missing.clone())?;
        let membership = Membership::load(self.base, conversation)?.ok_or(missing)?;
        let added: Vec<DeviceCertificate> = packages(&forged.adds, Suite::from_number(ground.policy.suite)?)?
            .iter()
            .filter_map(|package| LeafIdentity::decode(package.identity()).ok().map(|identity| identity.certificate))
            .collect();
        // What all can work out is as it should be, so that only what nobody is entitled to is wrong.
        let past = membership.past_after(&added, &forged.removes, &forged.info.cuts);
        let signer = self.account.signer();
        let store = Overlay::new(self.base, &self.effects.batch);
        let mut group = Group::load(&store, &ground.group)?.ok_or(MlsError::Incomplete)?;
        let removes = indices(&group, &forged.removes)?;
        let change = Change {
            adds: packages(&forged.adds, group.suite())?,
            removes,
            policy: forged.policy.map(|policy| Policy { past, ..policy }.encode()),
            identity: None,
            info: if forged.info == CommitInfo::default() { Vec::new() } else { forged.info.encode() },
        };
        let write_key = write_key(&group)?;
        let mut scratch = Batch::new();
        let mut context = mls::Context { store: &store, batch: &mut scratch, rng: self.rng, now: self.now.wall };
        if group.pending().is_some() {
            group.discard_pending(&mut context)?;
        }
        let made = group.commit(&mut context, &signer, change)?;
        group.own_commit_accepted(&mut context)?;
        let next_write_key_hash = write_key_hash(&self::write_key(&group)?);
        let (group, head, blob) = (ground.group, ground.log, made.blob);
        Ok((log::Request::Append { group, head, write_key, next_write_key_hash, blob }, made.welcome))
    }

    /// Founds a group under any policy with whose packages are given, and keeps it. Returns its id and the Welcome, with any anchors.
    ///
    /// # Errors
    /// If MLS itself cannot make such a group.
    pub fn found(
        &mut self,
        policy: &Policy,
        adds: &[Vec<u8>],
        info: &CommitInfo,
        anchors: Anchors,
    ) -> Result<(GroupId, Option<Packet>), EngineError> {
        let policy = &Policy { past: anchors.past.hash(), ..policy.clone() };
        let suite = Suite::from_number(policy.suite)?;
        let (signer, identity) = (self.account.signer(), self.account.leaf_identity());
        let (conversation, encoded) = (policy.conversation, policy.encode());
        let adds = packages(adds, suite)?;
        let mut turn = self.turn();
        let mut group = Group::create(&mut turn.mls(), conversation, &encoded, suite, &signer, &identity)?;
        let made = group.commit(&mut turn.mls(), &signer, Change { adds, info: info.encode(), ..Change::default() })?;
        group.own_commit_accepted(&mut turn.mls())?;
        let anchors = group.seal(&mut turn.mls(), &signer, &Message::Anchors(anchors).encode())?;
        let group = group.id();
        Ok((group, made.welcome.map(|message| Packet::Welcome { group, message, anchors })))
    }

    /// A key package of the device itself.
    ///
    /// # Errors
    /// If MLS fails.
    pub fn package(&mut self, suite: Suite) -> Result<Vec<u8>, EngineError> {
        let (keys, certificate) = (self.account.keys().clone(), self.account.certificate().clone());
        self.package_of(suite, &keys, &certificate)
    }

    /// A key package of any device whose keys one has.
    ///
    /// # Errors
    /// If MLS fails.
    pub fn package_of(
        &mut self,
        suite: Suite,
        keys: &DeviceKeys,
        certificate: &DeviceCertificate,
    ) -> Result<Vec<u8>, EngineError> {
        let signer = LeafSigner::from_seed(keys.mls.seed().expose());
        let identity = LeafIdentity::new(certificate.clone()).encode();
        let mut turn = self.turn();
        Ok(OwnKeyPackage::generate(&mut turn.mls(), suite, &signer, &identity, false)?.bytes)
    }

    /// The token by which this account takes another's key packages.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn key_package_token(&mut self, account: &AccountId) -> Result<Option<Token>, EngineError> {
        let turn = Turn { now: self.now, rng: self.rng, base: self.base, effects: &mut self.effects };
        self.account.key_package_token(&turn, account)
    }

    /// A plea to be added to a conversation, sealed to an account's prekey.
    ///
    /// # Errors
    /// If MLS fails.
    pub fn plea(
        &mut self,
        to: &AccountRecord,
        conversation: ConversationId,
        suite: Suite,
    ) -> Result<Option<Envelope>, EngineError> {
        let mut turn = Turn { now: self.now, rng: self.rng, base: self.base, effects: &mut self.effects };
        Ok(self.account.plea(&mut turn, to, conversation, suite)?.ok().map(|(envelope, _)| envelope))
    }

    fn turn(&mut self) -> Turn<'_> {
        Turn { now: self.now, rng: self.rng, base: self.base, effects: &mut self.effects }
    }
}

/// Signs an event with any device's keys, whatever its header says.
pub fn sign(keys: &DeviceKeys, rng: &mut Rng, header: Header, body: Vec<u8>) -> UnverifiedEvent {
    let mut salt = vec![0; Content::SALT_BYTES];
    rng.fill_bytes(&mut salt);
    let content = Content { salt, body };
    let header = Header { content: content.hash(), ..header }.encode();
    let signature = keys.events.sign(Context::Event, &header).as_bytes().to_vec();
    UnverifiedEvent { header, signature, content: Some(content) }
}

fn write_key(group: &Group) -> Result<Hash, EngineError> {
    let bytes = group.export(WRITE_KEY_LABEL, &[], Hash::LEN)?;
    Hash::try_from(bytes.as_slice()).map_err(|_| EngineError::Broken("a write key of another length"))
}

fn packages(encoded: &[Vec<u8>], suite: Suite) -> Result<Vec<mls::KeyPackage>, MlsError> {
    encoded.iter().map(|bytes| UnverifiedKeyPackage::parse(bytes)?.verify(suite)).collect()
}

fn indices(group: &Group, devices: &[DeviceId]) -> Result<Vec<u32>, MlsError> {
    let whose = |identity: &[u8]| LeafIdentity::decode(identity).ok().map(|identity| identity.certificate.device_id());
    let leaves = group.roster()?;
    let named = leaves.iter().filter(|leaf| whose(&leaf.identity).is_some_and(|device| devices.contains(&device)));
    Ok(named.map(|leaf| leaf.index).collect())
}
