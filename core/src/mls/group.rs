//! A group as this device sees it.
//!
//! Invariants:
//! - What changes the group is a method that takes a [`Context`]; the changes are in its batch or, on an error, nowhere.
//! - Past epochs are kept by number, fewer in large groups since a commit rewrites them all, and dropped [`PAST_EPOCH_MS`] after
//!   they *ended*, by the caller's time.
//!
//! Source: RFC 9420; DESIGN §4.

mod commit;
mod invitation;
mod process;
#[cfg(test)]
mod tests;

use openmls::prelude::{
    GroupId as MlsGroupId, MlsGroup, MlsGroupJoinConfig, OpenMlsProvider as _, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    PastEpochDeletion, PastEpochDeletionPolicy, SenderRatchetConfiguration,
};
use ring::digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use commit::{Change, NewLeaf, Pending, Summary};
pub use invitation::Invitation;
pub use process::{Application, Processed, Staged};

use super::chunks::Stored;
use super::key_package::{credential, identity, unlimited};
use super::overlay::{Changes, Rows};
use super::provider::{Crypto, Provider};
use super::{APPLICATION_MAX_BYTES, Context, LeafSigner, MlsError, Suite, policy};
use crate::store::{Batch, Read, Scope, Table};
use crate::types::{ConversationId, GroupId, Hash, Rng, Timestamp};

/// For how long after its end the secrets of an epoch are kept: later messages come by repair.
pub const PAST_EPOCH_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// Up to so many leaves a group counts as small.
const SMALL_GROUP_LEAVES: usize = 50;

/// Past epochs kept in a small group.
const SMALL_PAST_EPOCHS: usize = 5;

/// Past epochs kept in a large group.
const LARGE_PAST_EPOCHS: usize = 2;

/// How many messages of a sender may come out of order before the earlier ones cannot be read: several mailboxes and paths
/// deliver side by side.
const OUT_OF_ORDER: u32 = 256;

/// How many messages of a sender may be lost in a row within an epoch.
const FORWARD: u32 = 2000;

/// Messages are padded to a multiple of so many bytes, so that their length tells little.
const PADDING_BYTES: usize = 128;

const fn past_epochs(leaves: usize) -> usize {
    if leaves <= SMALL_GROUP_LEAVES { SMALL_PAST_EPOCHS } else { LARGE_PAST_EPOCHS }
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(ratchets())
        .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(SMALL_PAST_EPOCHS))
        .build()
}

fn hash(bytes: &[u8]) -> Hash {
    let mut hash = [0; Hash::LEN];
    for (to, from) in hash.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    Hash::new(hash)
}

/// A leaf of the group: one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its place in the tree.
    pub index: u32,
    /// Who it is, as its credential says.
    pub identity: Vec<u8>,
    /// Its MLS signature key (Ed25519).
    pub signature_key: Vec<u8>,
}

/// What Kith keeps beside OpenMLS's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The hash of the commit that waits for the home's log.
    pending: Option<Hash>,
    /// The past epochs whose secrets are kept, oldest first.
    ended: Vec<Ended>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    epoch: u64,
    at_ms: u64,
}

impl Record {
    /// How many of the past epochs are kept: the newest in a row that ended lately, at most `keep`.
    fn fresh(&self, now: Timestamp, keep: usize) -> usize {
        let ended = self.ended.iter().rev();
        ended.take_while(|ended| now.0 < ended.at_ms.saturating_add(PAST_EPOCH_MS)).take(keep).count()
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        self.fresh(now, self.ended.len()) < self.ended.len()
    }
}

/// A group of which this device is, or was, a member.
pub struct Group {
    mls: MlsGroup,
    id: GroupId,
    conversation: ConversationId,
    suite: Suite,
    record: Record,
    stored: Stored,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Group").field("id", &self.id).field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

impl Group {
    /// Creates a group of a conversation, with this device as its only leaf and an id drawn at random.
    ///
    /// # Errors
    /// [`MlsError::TooLarge`], or if the store does not answer.
    pub fn create(
        context: &mut Context<'_>,
        conversation: ConversationId,
        policy: &[u8],
        suite: Suite,
        signer: &LeafSigner,
        identity: &[u8],
    ) -> Result<Self, MlsError> {
        let id = GroupId::random(context.rng);
        let provider = provider(context.store, context.batch, context.rng);
        let mls = MlsGroup::builder()
            .with_group_id(MlsGroupId::from_slice(id.as_ref()))
            .ciphersuite(suite.ciphersuite())
            .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .padding_size(PADDING_BYTES)
            .use_ratchet_tree_extension(true)
            .sender_ratchet_configuration(ratchets())
            .set_past_epoch_deletion_policy(PastEpochDeletionPolicy::MaxEpochs(SMALL_PAST_EPOCHS))
            .lifetime(unlimited())
            .with_capabilities(policy::capabilities(provider.crypto()))
            .with_group_context_extensions(policy::extensions(&conversation, policy)?)
            .build(&provider, signer, credential(signer, identity)?)
            .map_err(MlsError::internal)?;
        let mut group = Self { mls, id, conversation, suite, record: Record::default(), stored: Stored::default() };
        group.write_record(&provider)?;
        let changes = provider.rows.finish(&group.stored)?;
        group.apply(changes, context.batch);
        Ok(group)
    }

    /// Loads a group; nothing if it is not here.
    ///
    /// # Errors
    /// [`MlsError::Incomplete`] or [`MlsError::Store`].
    pub fn load(store: &dyn Read, id: &GroupId) -> Result<Option<Self>, MlsError> {
        let nothing = Batch::new();
        let rows = Rows::new(store, &nothing);
        let Some(record) = rows.record::<Record>(id)? else { return Ok(None) };
        let mls = MlsGroup::load(&rows, &MlsGroupId::from_slice(id.as_ref()))?.ok_or(MlsError::Incomplete)?;
        let suite = Suite::from_ciphersuite(mls.ciphersuite())?;
        let (conversation, _) = policy::read(mls.extensions())?;
        let stored = rows.take_loaded();
        Ok(Some(Self { mls, id: *id, conversation, suite, record, stored }))
    }

    /// Its id.
    pub const fn id(&self) -> GroupId {
        self.id
    }

    /// The conversation it belongs to.
    pub const fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// Its suite.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// Its epoch.
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// Whether this device is still in it.
    pub fn is_member(&self) -> bool {
        self.mls.is_active()
    }

    /// The index of this device's own leaf.
    pub fn own_index(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// Its policy in force.
    ///
    /// # Errors
    /// If the policy extension is damaged.
    pub fn policy(&self) -> Result<&[u8], MlsError> {
        Ok(policy::read(self.mls.extensions())?.1)
    }

    /// Its leaves, by index.
    ///
    /// # Errors
    /// If a leaf has another kind of credential than Kith's.
    pub fn roster(&self) -> Result<Vec<Leaf>, MlsError> {
        roster(self.mls.members())
    }

    /// How many leaves it has.
    pub fn leaf_count(&self) -> usize {
        self.mls.members().count()
    }

    /// The hash of one's own commit that waits for the home's log.
    pub const fn pending(&self) -> Option<Hash> {
        self.record.pending
    }

    /// The past epochs whose messages can still be read, oldest first.
    pub fn past_epochs(&self) -> impl Iterator<Item = u64> + '_ {
        self.record.ended.iter().map(|ended| ended.epoch)
    }

    /// A secret of the current epoch that all members share (RFC 9420 §8.5), of `len` bytes.
    ///
    /// # Errors
    /// [`MlsError::Removed`].
    pub fn export(&self, label: &str, context: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, MlsError> {
        if !self.is_member() {
            return Err(MlsError::Removed);
        }
        let crypto = Crypto::without_randomness();
        self.mls.export_secret(&crypto, label, context, len).map(Zeroizing::new).map_err(MlsError::internal)
    }

    /// Seals an application message of the current epoch.
    ///
    /// # Errors
    /// [`MlsError::TooLarge`], [`MlsError::Removed`], or [`MlsError::NotAllowed`] for another device's key.
    pub fn seal(
        &mut self,
        context: &mut Context<'_>,
        signer: &LeafSigner,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, MlsError> {
        MlsError::check_size("message", plaintext.len(), APPLICATION_MAX_BYTES)?;
        self.check_signer(signer)?;
        let provider = provider(context.store, context.batch, context.rng).leaving_the_past(&self.stored);
        let message = self.mls.create_message(&provider, signer, plaintext).map_err(MlsError::internal)?;
        let bytes = message.to_bytes().map_err(MlsError::internal)?;
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(bytes)
    }

    /// Whether [`Group::expire`] has something to drop, without loading the group. A group that is not here has nothing.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn has_expired(store: &dyn Read, id: &GroupId, now: Timestamp) -> Result<bool, MlsError> {
        let nothing = Batch::new();
        let record = Rows::new(store, &nothing).record::<Record>(id)?;
        Ok(record.is_some_and(|record| record.has_expired(now)))
    }

    /// Drops the secrets of epochs that ended [`PAST_EPOCH_MS`] ago. To be called by a timer, daily at least.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn expire(&mut self, context: &mut Context<'_>) -> Result<(), MlsError> {
        if !self.record.has_expired(context.now) {
            return Ok(());
        }
        let provider = provider(context.store, context.batch, context.rng);
        self.prune(&provider, context.now, self.record.ended.len())?;
        self.write_record(&provider)?;
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(())
    }

    /// Deletes all that is stored of the group, its secrets by destroying their key.
    pub fn delete(self, batch: &mut Batch) {
        batch.delete_prefix(Table::Mls, self.id.as_ref());
        batch.drop_scope(Scope::Group(self.id));
    }

    fn check_signer(&self, signer: &LeafSigner) -> Result<(), MlsError> {
        if !self.is_member() {
            return Err(MlsError::Removed);
        }
        let own = self.mls.own_leaf_node().ok_or(MlsError::Incomplete)?;
        if own.signature_key().as_slice() == signer.public() {
            Ok(())
        } else {
            Err(MlsError::NotAllowed("signing with another key than the leaf's"))
        }
    }

    fn prune(&mut self, provider: &Provider<'_>, now: Timestamp, keep: usize) -> Result<(), MlsError> {
        let keep = self.record.fresh(now, keep);
        let gone = self.record.ended.len().saturating_sub(keep);
        self.record.ended.drain(..gone);
        // No stored epoch carries a time stamp, so this keeps exactly the newest `keep`.
        let newest = PastEpochDeletion::before_timestamp(std::time::SystemTime::UNIX_EPOCH).max_past_epochs(keep);
        self.mls.delete_past_epoch_secrets(provider, newest)?;
        Ok(())
    }

    /// Keeps account of an epoch that has just ended, by a merge.
    fn epoch_ended(&mut self, provider: &Provider<'_>, epoch: u64, now: Timestamp) -> Result<(), MlsError> {
        self.record.pending = None;
        self.record.ended.push(Ended { epoch, at_ms: now.0 });
        let keep = past_epochs(self.leaf_count());
        self.prune(provider, now, keep)?;
        let wanted = PastEpochDeletionPolicy::MaxEpochs(keep);
        if *self.mls.past_epoch_deletion_policy() != wanted {
            self.mls.set_past_epoch_deletion_policy(provider, wanted).map_err(MlsError::internal)?;
        }
        self.write_record(provider)
    }

    fn write_record(&mut self, provider: &Provider<'_>) -> Result<(), MlsError> {
        Ok(provider.rows.put_record(&self.id, &self.record)?)
    }

    fn apply(&mut self, changes: Changes, batch: &mut Batch) {
        if let Some(stored) = changes.apply(batch) {
            self.stored = stored;
        }
    }
}

fn roster(members: impl Iterator<Item = openmls::prelude::Member>) -> Result<Vec<Leaf>, MlsError> {
    members
        .map(|member| {
            let identity = identity(&member.credential)?;
            Ok(Leaf { index: member.index.u32(), identity, signature_key: member.signature_key })
        })
        .collect()
}

impl<E: Into<MlsError>> From<openmls::prelude::DeletePastEpochSecretsError<E>> for MlsError {
    fn from(error: openmls::prelude::DeletePastEpochSecretsError<E>) -> Self {
        let openmls::prelude::DeletePastEpochSecretsError::StorageError(error) = error;
        error.into()
    }
}

/// What OpenMLS works with in one operation.
fn provider<'a>(store: &'a dyn Read, batch: &'a Batch, rng: &mut Rng) -> Provider<'a> {
    Provider { crypto: Crypto::seeded(rng), rows: Rows::new(store, batch) }
}
