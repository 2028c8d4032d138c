//! OpenMLS's rows of one operation: read through the caller's batch, written into it at the end, all or nothing.
//!
//! Rows stand in [`Table::Mls`] under group id ‖ [`Label`] ‖ key, key packages in [`Table::KeyPackage`] under their hash
//! reference. Each begins with [`FORMAT`]. The secrets of messages, rewritten with every message sent or received, are stored in
//! parts (see [`super::chunks`]). Values that did not change are not written.
//!
//! Kith stores no proposal, no key of an update proposal, no external PSK and no signature key here; a write of one is refused.
//!
//! Source: DESIGN §4, §7.

use std::cell::RefCell;
use std::collections::BTreeMap;

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::MlsError;
use super::chunks::{self, Secrets, Stored};
use super::value::{Value, ValueError, decode, encode, from_value, to_value};
use crate::store::{Batch, Overlay, Read, ReadError, Scope, Table};
use crate::types::GroupId;

/// The form of every value here, its first byte: the encoding of [`super::value`] of OpenMLS 0.9's types.
pub(super) const FORMAT: u8 = 1;

/// What a row of a group holds. A number is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    JoinConfig = 1,
    OwnLeafNodes = 2,
    Tree = 3,
    InterimTranscriptHash = 4,
    Context = 5,
    ConfirmationTag = 6,
    GroupState = 7,
    MessageSecrets = 8,
    Chunk = 9,
    ResumptionPsks = 10,
    OwnLeafIndex = 11,
    EpochSecrets = 12,
    EpochKeyPairs = 13,
    /// What Kith keeps beside OpenMLS's rows.
    Record = 14,
}

impl Label {
    pub(super) fn key(self, group: &GroupId, rest: &[u8]) -> Vec<u8> {
        [group.as_ref(), &[self as u8], rest].concat()
    }
}

/// A row could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RowError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Value(#[from] ValueError),
    #[error("Kith stores no {0}")]
    Refused(&'static str),
}

impl From<RowError> for MlsError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Read(error) => Self::Store(error),
            RowError::Value(_) => Self::Store(ReadError::Damaged { table: Table::Mls }),
            refused @ RowError::Refused(_) => Self::internal(refused),
        }
    }
}

/// The value of a stored row.
pub(super) fn unwrap_format(table: Table, row: &[u8]) -> Result<&[u8], ReadError> {
    match row.split_first() {
        Some((&FORMAT, body)) => Ok(body),
        Some((&format, _)) if format > FORMAT => Err(ReadError::FromTheFuture { format }),
        _ => Err(ReadError::Damaged { table }),
    }
}

pub(super) fn wrap_format(body: &[u8]) -> Vec<u8> {
    [&[FORMAT], body].concat()
}

type RowKey = (Table, Vec<u8>);

/// Rows seen through the batch, and the changes to them.
pub(super) struct Rows<'a> {
    base: Overlay<'a, dyn Read + 'a>,
    changes: RefCell<BTreeMap<RowKey, Option<Vec<u8>>>>,
    secrets: RefCell<Option<(GroupId, Secrets)>>,
    /// Whether the operation leaves the past epochs alone, which are stored.
    past_is_stored: bool,
    loaded: RefCell<Stored>,
}

/// What an operation changed.
pub(super) struct Changes {
    rows: BTreeMap<RowKey, Option<Vec<u8>>>,
    /// What is stored of the message secrets now, if they were written.
    stored: Option<Stored>,
}

impl Changes {
    /// Puts them into the batch.
    pub(super) fn apply(self, batch: &mut Batch) -> Option<Stored> {
        for ((table, key), value) in self.rows {
            let scope = match table {
                Table::Mls => key.get(..GroupId::LEN).and_then(|id| GroupId::try_from(id).ok()).map(Scope::Group),
                _ => None,
            };
            match value {
                Some(value) => batch.put(table, scope.unwrap_or(Scope::Account), key, value),
                None => batch.delete(table, key),
            }
        }
        self.stored
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(store: &'a (dyn Read + 'a), batch: &'a Batch) -> Self {
        Self {
            base: Overlay::new(store, batch),
            changes: RefCell::default(),
            secrets: RefCell::default(),
            past_is_stored: false,
            loaded: RefCell::default(),
        }
    }

    /// For an operation that touches the current epoch only: the past ones are taken over as they are stored.
    pub(super) fn leaving_the_past(mut self, stored: &Stored) -> Self {
        self.past_is_stored = stored.has_past();
        self
    }

    /// What is stored of the message secrets that were read.
    pub(super) fn take_loaded(&self) -> Stored {
        self.loaded.take()
    }

    /// Ends the operation. `stored` is what the store has of the group's message secrets.
    pub(super) fn finish(self, stored: &Stored) -> Result<Changes, MlsError> {
        let mut rows = self.changes.into_inner();
        let mut now_stored = None;
        if let Some((group, secrets)) = self.secrets.into_inner() {
            let written = secrets.write(&group, stored);
            rows.insert((Table::Mls, Label::MessageSecrets.key(&group, &[])), Some(written.root));
            let gone = written.gone.into_iter().map(|id| (id, None));
            let new = written.new.into_iter().map(|(id, part)| (id, Some(part)));
            rows.extend(gone.chain(new).map(|(id, part)| ((Table::Mls, Label::Chunk.key(&group, &id)), part)));
            now_stored = Some(written.stored);
        }
        let mut changed = BTreeMap::new();
        for ((table, key), value) in rows {
            // A part is named by its content: what is written here is new, what is deleted here was stored.
            let is_chunk = table == Table::Mls && key.get(GroupId::LEN) == Some(&(Label::Chunk as u8));
            if is_chunk || self.base.get(table, &key)? != value {
                changed.insert((table, key), value);
            }
        }
        Ok(Changes { rows: changed, stored: now_stored })
    }

    /// Sets or deletes a row of a group.
    pub(super) fn put_record<T: Serialize>(&self, group: &GroupId, value: &T) -> Result<(), RowError> {
        let bytes = wrap_format(&encode(&to_value(value)?));
        self.changes.borrow_mut().insert((Table::Mls, Label::Record.key(group, &[])), Some(bytes));
        Ok(())
    }

    /// The row that Kith keeps beside OpenMLS's.
    pub(super) fn record<T: DeserializeOwned>(&self, group: &GroupId) -> Result<Option<T>, RowError> {
        self.read((Table::Mls, Label::Record.key(group, &[])))
    }

    fn get(&self, key: &RowKey) -> Result<Option<Vec<u8>>, RowError> {
        if let Some(change) = self.changes.borrow().get(key) {
            return Ok(change.clone());
        }
        Ok(self.base.get(key.0, &key.1)?)
    }

    fn read_value(&self, key: &RowKey) -> Result<Option<Value>, RowError> {
        let Some(row) = self.get(key)? else { return Ok(None) };
        Ok(Some(decode(unwrap_format(key.0, &row)?)?))
    }

    fn read<T: DeserializeOwned>(&self, key: RowKey) -> Result<Option<T>, RowError> {
        self.read_value(&key)?.map(from_value).transpose().map_err(RowError::from)
    }

    fn write<T: Serialize>(&self, key: RowKey, value: &T) -> Result<(), RowError> {
        let bytes = wrap_format(&encode(&to_value(value)?));
        self.changes.borrow_mut().insert(key, Some(bytes));
        Ok(())
    }

    fn delete(&self, key: RowKey) {
        self.changes.borrow_mut().insert(key, None);
    }

    fn message_secrets_value(&self, group: &GroupId) -> Result<Option<Value>, RowError> {
        let Some(root) = self.read_value(&(Table::Mls, Label::MessageSecrets.key(group, &[])))? else {
            return Ok(None);
        };
        let (value, stored) =
            chunks::read(root, &mut |id| self.read_value(&(Table::Mls, Label::Chunk.key(group, &id))))?;
        *self.loaded.borrow_mut() = stored;
        Ok(Some(value))
    }
}

/// The bytes of an id of OpenMLS.
fn id_bytes<T: Serialize>(id: &T) -> Result<Vec<u8>, RowError> {
    let value = to_value(id)?;
    Ok(value.first_bytes().ok_or_else(|| ValueError("an id without bytes".into()))?.to_vec())
}

fn group_id<T: Serialize>(id: &T) -> Result<GroupId, RowError> {
    GroupId::try_from(id_bytes(id)?.as_slice()).map_err(|_| RowError::Refused("group with an id of another length"))
}

fn group_key<T: Serialize>(label: Label, group: &T, rest: &[u8]) -> Result<RowKey, RowError> {
    Ok((Table::Mls, label.key(&group_id(group)?, rest)))
}

fn epoch_key<G: Serialize, E: Serialize>(group: &G, epoch: &E, leaf_index: u32) -> Result<RowKey, RowError> {
    let rest = [encode(&to_value(epoch)?).as_slice(), &leaf_index.to_be_bytes()].concat();
    group_key(Label::EpochKeyPairs, group, &rest)
}

/// Methods that write, read and delete one value of a group.
macro_rules! group_rows {
    ($($label:ident: $value:ident, $write:ident, $read:ident, $delete:ident;)*) => {$(
        fn $write<G: traits::GroupId<CURRENT_VERSION>, T: traits::$value<CURRENT_VERSION>>(
            &self,
            group: &G,
            value: &T,
        ) -> Result<(), RowError> {
            self.write(group_key(Label::$label, group, &[])?, value)
        }

        fn $read<G: traits::GroupId<CURRENT_VERSION>, T: traits::$value<CURRENT_VERSION>>(
            &self,
            group: &G,
        ) -> Result<Option<T>, RowError> {
            self.read(group_key(Label::$label, group, &[])?)
        }

        fn $delete<G: traits::GroupId<CURRENT_VERSION>>(&self, group: &G) -> Result<(), RowError> {
            self.delete(group_key(Label::$label, group, &[])?);
            Ok(())
        }
    )*};
}

impl StorageProvider<CURRENT_VERSION> for Rows<'_> {
    type Error = RowError;

    group_rows! {
        JoinConfig: MlsGroupJoinConfig, write_mls_join_config, mls_group_join_config, delete_group_config;
        Tree: TreeSync, write_tree, tree, delete_tree;
        InterimTranscriptHash: InterimTranscriptHash, write_interim_transcript_hash, interim_transcript_hash,
            delete_interim_transcript_hash;
        Context: GroupContext, write_context, group_context, delete_context;
        ConfirmationTag: ConfirmationTag, write_confirmation_tag, confirmation_tag, delete_confirmation_tag;
        ResumptionPsks: ResumptionPskStore, write_resumption_psk_store, resumption_psk_store,
            delete_all_resumption_psk_secrets;
        OwnLeafIndex: LeafNodeIndex, write_own_leaf_index, own_leaf_index, delete_own_leaf_index;
        EpochSecrets: GroupEpochSecrets, write_group_epoch_secrets, group_epoch_secrets, delete_group_epoch_secrets;
    }

    fn write_group_state<T: traits::GroupState<CURRENT_VERSION>, G: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group: &G,
        state: &T,
    ) -> Result<(), RowError> {
        self.write(group_key(Label::GroupState, group, &[])?, state)
    }

    fn group_state<T: traits::GroupState<CURRENT_VERSION>, G: traits::GroupId<CURRENT_VERSION>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, RowError> {
        self.read(group_key(Label::GroupState, group, &[])?)
    }

    fn delete_group_state<G: traits::GroupId<CURRENT_VERSION>>(&self, group: &G) -> Result<(), RowError> {
        self.delete(group_key(Label::GroupState, group, &[])?);
        Ok(())
    }

    fn write_message_secrets<G: traits::GroupId<CURRENT_VERSION>, T: traits::MessageSecrets<CURRENT_VERSION>>(
        &self,
        group: &G,
        secrets: &T,
    ) -> Result<(), RowError> {
        *self.secrets.borrow_mut() = Some((group_id(group)?, Secrets::new(secrets, self.past_is_stored)?));
        Ok(())
    }

    fn message_secrets<G: traits::GroupId<CURRENT_VERSION>, T: traits::MessageSecrets<CURRENT_VERSION>>(
        &self,
        group: &G,
    ) -> Result<Option<T>, RowError> {
        let value = self.message_secrets_value(&group_id(group)?)?;
        value.map(from_value).transpose().map_err(RowError::from)
    }

    fn delete_message_secrets<G: traits::GroupId<CURRENT_VERSION>>(&self, _: &G) -> Result<(), RowError> {
        Err(RowError::Refused("single deletion; a group goes as a whole"))
    }

    fn append_own_leaf_node<G: traits::GroupId<CURRENT_VERSION>, T: traits::LeafNode<CURRENT_VERSION>>(
        &self,
        _: &G,
        _: &T,
    ) -> Result<(), RowError> {
        Err(RowError::Refused("update proposal"))
    }

    fn own_leaf_nodes<G: traits::GroupId<CURRENT_VERSION>, T: traits::LeafNode<CURRENT_VERSION>>(
        &self,
        group: &G,
    ) -> Result<Vec<T>, RowError> {
        Ok(self.read(group_key(Label::OwnLeafNodes, group, &[])?)?.unwrap_or_default())
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<CURRENT_VERSION>>(&self, group: &G) -> Result<(), RowError> {
        self.delete(group_key(Label::OwnLeafNodes, group, &[])?);
        Ok(())
    }

    fn queue_proposal<
        G: traits::GroupId<CURRENT_VERSION>,
        P: traits::ProposalRef<CURRENT_VERSION>,
        Q: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
        _: &P,
        _: &Q,
    ) -> Result<(), RowError> {
        Err(RowError::Refused("proposal"))
    }

    fn queued_proposal_refs<G: traits::GroupId<CURRENT_VERSION>, P: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<Vec<P>, RowError> {
        Ok(Vec::new())
    }

    fn queued_proposals<
        G: traits::GroupId<CURRENT_VERSION>,
        P: traits::ProposalRef<CURRENT_VERSION>,
        Q: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _: &G,
    ) -> Result<Vec<(P, Q)>, RowError> {
        Ok(Vec::new())
    }

    fn remove_proposal<G: traits::GroupId<CURRENT_VERSION>, P: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
        _: &P,
    ) -> Result<(), RowError> {
        Ok(())
    }

    fn clear_proposal_queue<G: traits::GroupId<CURRENT_VERSION>, P: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _: &G,
    ) -> Result<(), RowError> {
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        K: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf_index: u32,
        key_pairs: &[K],
    ) -> Result<(), RowError> {
        self.write(epoch_key(group, epoch, leaf_index)?, &key_pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<CURRENT_VERSION>,
        E: traits::EpochKey<CURRENT_VERSION>,
        K: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        group: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<Vec<K>, RowError> {
        // OpenMLS asks for nothing but what was stored; an empty answer would make every commit look unreadable.
        let pairs = self.read(epoch_key(group, epoch, leaf_index)?)?;
        pairs.ok_or_else(|| ValueError("the keys of the epoch are missing".into()).into())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<CURRENT_VERSION>, E: traits::EpochKey<CURRENT_VERSION>>(
        &self,
        group: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<(), RowError> {
        self.delete(epoch_key(group, epoch, leaf_index)?);
        Ok(())
    }

    fn write_key_package<H: traits::HashReference<CURRENT_VERSION>, K: traits::KeyPackage<CURRENT_VERSION>>(
        &self,
        reference: &H,
        key_package: &K,
    ) -> Result<(), RowError> {
        self.write((Table::KeyPackage, id_bytes(reference)?), key_package)
    }

    fn key_package<H: traits::HashReference<CURRENT_VERSION>, K: traits::KeyPackage<CURRENT_VERSION>>(
        &self,
        reference: &H,
    ) -> Result<Option<K>, RowError> {
        self.read((Table::KeyPackage, id_bytes(reference)?))
    }

    fn delete_key_package<H: traits::HashReference<CURRENT_VERSION>>(&self, reference: &H) -> Result<(), RowError> {
        self.delete((Table::KeyPackage, id_bytes(reference)?));
        Ok(())
    }

    fn write_signature_key_pair<
        P: traits::SignaturePublicKey<CURRENT_VERSION>,
        K: traits::SignatureKeyPair<CURRENT_VERSION>,
    >(
        &self,
        _: &P,
        _: &K,
    ) -> Result<(), RowError> {
        Err(RowError::Refused("signature key"))
    }

    fn signature_key_pair<
        P: traits::SignaturePublicKey<CURRENT_VERSION>,
        K: traits::SignatureKeyPair<CURRENT_VERSION>,
    >(
        &self,
        _: &P,
    ) -> Result<Option<K>, RowError> {
        Ok(None)
    }

    fn delete_signature_key_pair<P: traits::SignaturePublicKey<CURRENT_VERSION>>(&self, _: &P) -> Result<(), RowError> {
        Ok(())
    }

    fn write_encryption_key_pair<E: traits::EncryptionKey<CURRENT_VERSION>, K: traits::HpkeKeyPair<CURRENT_VERSION>>(
        &self,
        _: &E,
        _: &K,
    ) -> Result<(), RowError> {
        Err(RowError::Refused("key of an update proposal"))
    }

    fn encryption_key_pair<K: traits::HpkeKeyPair<CURRENT_VERSION>, E: traits::EncryptionKey<CURRENT_VERSION>>(
        &self,
        _: &E,
    ) -> Result<Option<K>, RowError> {
        Ok(None)
    }

    fn delete_encryption_key_pair<E: traits::EncryptionKey<CURRENT_VERSION>>(&self, _: &E) -> Result<(), RowError> {
        Ok(())
    }

    fn write_psk<P: traits::PskId<CURRENT_VERSION>, B: traits::PskBundle<CURRENT_VERSION>>(
        &self,
        _: &P,
        _: &B,
    ) -> Result<(), RowError> {
        Err(RowError::Refused("pre-shared key"))
    }

    fn psk<B: traits::PskBundle<CURRENT_VERSION>, P: traits::PskId<CURRENT_VERSION>>(
        &self,
        _: &P,
    ) -> Result<Option<B>, RowError> {
        Ok(None)
    }

    fn delete_psk<P: traits::PskId<CURRENT_VERSION>>(&self, _: &P) -> Result<(), RowError> {
        Ok(())
    }
}
