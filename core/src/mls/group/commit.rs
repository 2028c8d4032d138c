//! Commits of this device, and what any commit does.

use openmls::prelude::{
    CreateCommitError, LeafNode, LeafNodeIndex, LeafNodeParameters, MlsGroup, OpenMlsProvider as _, ParentNode,
    Proposal, ProposalOrRefType, ProposalValidationError, Sender, StagedCommit,
};

use super::{Group, Leaf, hash, provider};
use crate::mls::key_package::{credential, has_usable_keys, identity, is_usable};
use crate::mls::{COMMIT_INFO_MAX_BYTES, Context, KeyPackage, LeafSigner, MESSAGE_MAX_BYTES, MlsError, policy};
use crate::types::Hash;

/// What a commit is to do, all at once. Empty, it renews this device's keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Devices to add.
    pub adds: Vec<KeyPackage>,
    /// Leaves to remove, by index.
    pub removes: Vec<u32>,
    /// The policy from then on, if it changes.
    pub policy: Option<Vec<u8>>,
    /// This device's identity from then on, if it changes.
    pub identity: Option<Vec<u8>>,
    /// What the commit carries for the engine: cuts of feeds, account records. Members only can read it.
    pub info: Vec<u8>,
}

/// A commit of this device that waits for the home's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The commit, for the home.
    pub blob: Vec<u8>,
    /// Its hash, by which the log names it.
    pub hash: Hash,
    /// The Welcome for all devices that it adds; to be sent when the commit was accepted.
    pub welcome: Option<Vec<u8>>,
    /// What it does.
    pub summary: Summary,
}

/// A device that a commit adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLeaf {
    /// Who it is, as its credential says.
    pub identity: Vec<u8>,
    /// Its MLS signature key (Ed25519).
    pub signature_key: Vec<u8>,
    /// The hash reference of the key package that was used.
    pub key_package: Vec<u8>,
}

/// What a commit does, for the engine to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The epoch that it ends; the next is one higher.
    pub epoch: u64,
    /// Who made it, as it was before.
    pub committer: Leaf,
    /// The committer's leaf from then on, if the commit renews it.
    pub renewed: Option<Leaf>,
    /// Devices that it adds.
    pub adds: Vec<NewLeaf>,
    /// Leaves that it removes.
    pub removes: Vec<Leaf>,
    /// The policy before.
    pub policy_before: Vec<u8>,
    /// The policy after; the same if it does not change.
    pub policy_after: Vec<u8>,
    /// What it carries for the engine.
    pub info: Vec<u8>,
    /// Whether it removes this device.
    pub removes_self: bool,
}

impl Summary {
    /// Whether it changes the policy.
    pub fn changes_policy(&self) -> bool {
        self.policy_before != self.policy_after
    }
}

impl Group {
    /// Makes a commit. It takes effect when the home's log has accepted it: [`Group::own_commit_accepted`].
    ///
    /// # Errors
    /// [`MlsError::CommitPending`] if there is one already, [`MlsError::NotAllowed`], [`MlsError::NoSuchLeaf`],
    /// [`MlsError::TooLarge`] or [`MlsError::Removed`].
    pub fn commit(
        &mut self,
        context: &mut Context<'_>,
        signer: &LeafSigner,
        change: Change,
    ) -> Result<Pending, MlsError> {
        self.check_signer(signer)?;
        if self.record.pending.is_some() {
            return Err(MlsError::CommitPending);
        }
        MlsError::check_size("commit info", change.info.len(), COMMIT_INFO_MAX_BYTES)?;
        if let Some(index) = change.removes.iter().find(|index| self.mls.member(LeafNodeIndex::new(**index)).is_none())
        {
            return Err(MlsError::NoSuchLeaf(*index));
        }
        let provider = provider(context.store, context.batch, context.rng).leaving_the_past(&self.stored);
        let extensions =
            change.policy.as_ref().map(|policy| policy::extensions(&self.conversation, policy)).transpose()?;
        let mut leaf = LeafNodeParameters::builder().with_capabilities(policy::capabilities(provider.crypto()));
        if let Some(identity) = &change.identity {
            leaf = leaf.with_credential_with_key(credential(signer, identity)?);
        }
        let mut builder = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .leaf_node_parameters(leaf.build())
            .propose_adds(change.adds.into_iter().map(|package| package.package))
            .propose_removals(change.removes.into_iter().map(LeafNodeIndex::new));
        if let Some(extensions) = extensions {
            builder = builder.propose_group_context_extensions(extensions).map_err(refused)?;
        }
        if !change.info.is_empty() {
            builder = builder.add_proposal(policy::commit_info(change.info));
        }
        let bundle = builder
            .load_psks(provider.storage())
            .map_err(refused)?
            .create_group_info(false)
            .build(provider.rand(), provider.crypto(), signer, |_| true)
            .map_err(refused)?
            .stage_commit(&provider)
            .map_err(MlsError::internal)?;
        let blob = bundle.commit().to_bytes().map_err(MlsError::internal)?;
        let welcome =
            bundle.to_welcome_msg().map(|welcome| welcome.to_bytes()).transpose().map_err(MlsError::internal)?;
        let summary = self.pending_summary(provider.crypto());
        let checked = check_blobs(&blob, welcome.as_deref()).and(summary);
        let summary = match checked {
            Ok(summary) => summary,
            Err(error) => {
                self.mls.clear_pending_commit(provider.storage())?;
                return Err(error);
            }
        };
        self.record.pending = Some(hash(&blob));
        self.write_record(&provider)?;
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(Pending { hash: hash(&blob), blob, welcome, summary })
    }

    /// Merges this device's own commit: the home's log has accepted it.
    ///
    /// # Errors
    /// [`MlsError::NoCommitPending`]. After any other error the group has to be loaded again.
    pub fn own_commit_accepted(&mut self, context: &mut Context<'_>) -> Result<(), MlsError> {
        if self.record.pending.is_none() {
            return Err(MlsError::NoCommitPending);
        }
        let provider = provider(context.store, context.batch, context.rng);
        let ended = self.epoch();
        self.mls.merge_pending_commit(&provider).map_err(MlsError::internal)?;
        self.epoch_ended(&provider, ended, context.now)?;
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(())
    }

    /// Gives up this device's own commit, which then can be made anew.
    ///
    /// # Errors
    /// [`MlsError::NoCommitPending`], or if the store does not answer.
    pub fn discard_pending(&mut self, context: &mut Context<'_>) -> Result<(), MlsError> {
        if self.record.pending.is_none() {
            return Err(MlsError::NoCommitPending);
        }
        let provider = provider(context.store, context.batch, context.rng);
        self.mls.clear_pending_commit(provider.storage())?;
        self.record.pending = None;
        self.write_record(&provider)?;
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(())
    }

    fn pending_summary(&self, crypto: &impl openmls::prelude::OpenMlsCrypto) -> Result<Summary, MlsError> {
        let staged = self.mls.pending_commit().ok_or(MlsError::NoCommitPending)?;
        summarise(&self.mls, self.mls.own_leaf_index(), staged, crypto)
    }
}

fn check_blobs(blob: &[u8], welcome: Option<&[u8]>) -> Result<(), MlsError> {
    MlsError::check_size("commit", blob.len(), MESSAGE_MAX_BYTES)?;
    MlsError::check_size("Welcome", welcome.map_or(0, <[u8]>::len), MESSAGE_MAX_BYTES)
}

fn refused(error: CreateCommitError) -> MlsError {
    match error {
        CreateCommitError::CannotRemoveSelf => MlsError::NotAllowed("removing oneself"),
        CreateCommitError::ProposalValidationError(ProposalValidationError::LibraryError(error)) => {
            MlsError::internal(error)
        }
        CreateCommitError::ProposalValidationError(
            ProposalValidationError::DuplicateSignatureKey | ProposalValidationError::DuplicateEncryptionKey,
        ) => MlsError::NotAllowed("adding a device that is there"),
        CreateCommitError::ProposalValidationError(_) => MlsError::NotAllowed("a change that the group refuses"),
        other => MlsError::internal(other),
    }
}

/// The leaf at an index of the group as it is.
pub(super) fn leaf_at(mls: &MlsGroup, index: LeafNodeIndex) -> Result<Leaf, MlsError> {
    let leaf = mls.public_group().leaf(index).ok_or(MlsError::NoSuchLeaf(index.u32()))?;
    described(index, leaf)
}

fn described(index: LeafNodeIndex, leaf: &LeafNode) -> Result<Leaf, MlsError> {
    let signature_key = leaf.signature_key().as_slice().to_vec();
    Ok(Leaf { index: index.u32(), identity: identity(leaf.credential())?, signature_key })
}

/// What a commit does.
///
/// # Errors
/// [`MlsError::NotAllowed`] if it does something that no commit of Kith does.
pub(super) fn summarise(
    mls: &MlsGroup,
    committer: LeafNodeIndex,
    staged: &StagedCommit,
    crypto: &impl openmls::prelude::OpenMlsCrypto,
) -> Result<Summary, MlsError> {
    let (conversation, policy_before) = policy::read(mls.extensions())?;
    let (conversation_after, policy_after) = policy::read(staged.group_context().extensions())?;
    if conversation != conversation_after {
        return Err(MlsError::NotAllowed("moving a group to another conversation"));
    }
    let renewed = staged.update_path_leaf_node();
    if renewed.is_some_and(|leaf| !policy::suffices(leaf.capabilities())) {
        return Err(MlsError::NotAllowed("giving up capabilities"));
    }
    check_new_keys(mls, staged, crypto)?;
    let mut summary = Summary {
        epoch: mls.epoch().as_u64(),
        committer: leaf_at(mls, committer)?,
        renewed: renewed.map(|leaf| described(committer, leaf)).transpose()?,
        adds: Vec::new(),
        removes: Vec::new(),
        policy_before: policy_before.to_vec(),
        policy_after: policy_after.to_vec(),
        info: Vec::new(),
        removes_self: staged.self_removed(),
    };
    let mut infos = 0_u32;
    for queued in staged.queued_proposals() {
        if !matches!(queued.proposal_or_ref_type(), ProposalOrRefType::Proposal)
            || *queued.sender() != Sender::Member(committer)
        {
            return Err(MlsError::NotAllowed("a proposal by reference"));
        }
        match queued.proposal() {
            Proposal::Add(add) => summary.adds.push(added(add.key_package(), crypto)?),
            Proposal::Remove(remove) => summary.removes.push(leaf_at(mls, remove.removed())?),
            Proposal::GroupContextExtensions(_) => {}
            Proposal::Custom(custom) => {
                let info = policy::read_commit_info(custom).ok_or(MlsError::NotAllowed("an unknown proposal"))?;
                MlsError::check_size("commit info", info.len(), COMMIT_INFO_MAX_BYTES)?;
                info.clone_into(&mut summary.info);
                infos = infos.saturating_add(1);
            }
            _ => return Err(MlsError::NotAllowed("a proposal that Kith does not make")),
        }
    }
    if infos > 1 {
        return Err(MlsError::NotAllowed("two infos in one commit"));
    }
    Ok(summary)
}

/// Refuses a commit that puts keys into the tree to which nobody can seal: no member could commit any more.
fn check_new_keys(
    mls: &MlsGroup,
    staged: &StagedCommit,
    crypto: &impl openmls::prelude::OpenMlsCrypto,
) -> Result<(), MlsError> {
    const BROKEN: MlsError = MlsError::NotAllowed("broken keys in the tree");
    let suite = mls.ciphersuite();
    if staged.update_path_leaf_node().is_some_and(|leaf| !is_usable(suite, leaf.encryption_key())) {
        return Err(BROKEN);
    }
    let before = mls.export_ratchet_tree();
    // Of a commit that removes this device there is no tree, and nothing to protect.
    let Some(after) = staged.export_ratchet_tree(crypto, before.clone()).map_err(MlsError::internal)? else {
        return Ok(());
    };
    let known: Vec<&ParentNode> = before.parents().collect();
    let mut new = after.parents().filter(|node| !known.contains(node));
    if new.all(|node| is_usable(suite, node)) { Ok(()) } else { Err(BROKEN) }
}

fn added(
    package: &openmls::prelude::KeyPackage,
    crypto: &impl openmls::prelude::OpenMlsCrypto,
) -> Result<NewLeaf, MlsError> {
    let leaf = package.leaf_node();
    if !policy::suffices(leaf.capabilities()) {
        return Err(MlsError::NotAllowed("adding a device without Kith's capabilities"));
    }
    if !has_usable_keys(package) {
        return Err(MlsError::NotAllowed("adding a device with broken keys"));
    }
    Ok(NewLeaf {
        identity: identity(leaf.credential())?,
        signature_key: leaf.signature_key().as_slice().to_vec(),
        key_package: package.hash_ref(crypto).map_err(MlsError::internal)?.as_slice().to_vec(),
    })
}
