//! Messages and commits of others.

use openmls::framing::errors::MessageDecryptionError;
use openmls::prelude::tls_codec::DeserializeBytes as _;
use openmls::prelude::{
    ContentType, MlsGroupStateError, MlsMessageBodyIn, MlsMessageIn, OpenMlsProvider as _, ProcessMessageError,
    ProcessedMessageContent, ProtocolMessage, Sender, StageCommitError, StagedCommit, ValidationError,
};

use super::commit::{Summary, leaf_at, summarise};
use super::{Group, Leaf, hash, provider};
use crate::mls::key_package::identity;
use crate::mls::overlay::RowError;
use crate::mls::{Context, MESSAGE_MAX_BYTES, MlsError};
use crate::types::GroupId;

/// An application message, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Application {
    /// The index of its sender's leaf in the epoch of the message.
    pub index: u32,
    /// Who that was, as its credential says.
    pub identity: Vec<u8>,
    /// The epoch in which it was sealed.
    pub epoch: u64,
    /// What it says.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Application")
            .field("index", &self.index)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// A commit of another, checked by MLS and not in force.
///
/// Dropping it leaves the group as it is.
pub struct Staged {
    group: GroupId,
    commit: Box<StagedCommit>,
    summary: Box<Summary>,
}

impl std::fmt::Debug for Staged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Staged")
            .field("group", &self.group)
            .field("epoch", &self.summary.epoch)
            .finish_non_exhaustive()
    }
}

impl Staged {
    /// What it does.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// What a message was.
#[derive(Debug)]
pub enum Processed {
    /// An application message.
    Application(Application),
    /// A commit of another device, to be judged and then merged or dropped.
    Commit(Staged),
    /// This device's own pending commit: [`Group::own_commit_accepted`] if the log holds it.
    OwnCommit,
}

impl Group {
    /// Opens a message or checks a commit.
    ///
    /// # Errors
    /// Any of the refusals of [`MlsError`]; the group can be used as before.
    pub fn process(&mut self, context: &mut Context<'_>, blob: &[u8]) -> Result<Processed, MlsError> {
        MlsError::check_size("message", blob.len(), MESSAGE_MAX_BYTES)?;
        if self.record.pending.is_some_and(|pending| pending == hash(blob)) {
            return Ok(Processed::OwnCommit);
        }
        let message = self.parse(blob)?;
        let epoch = message.epoch().as_u64();
        let mut provider = provider(context.store, context.batch, context.rng);
        if epoch == self.epoch() {
            provider = provider.leaving_the_past(&self.stored);
        }
        let processed =
            self.mls.process_message(&provider, message).map_err(|error| refusal(error, epoch, self.epoch()))?;
        let Sender::Member(sender) = *processed.sender() else {
            return Err(MlsError::NotAllowed("a sender who is not a member"));
        };
        let identity = identity(processed.credential())?;
        let outcome = match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Processed::Application(Application {
                index: sender.u32(),
                identity,
                epoch,
                bytes: message.into_bytes(),
            }),
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                let summary = Box::new(summarise(&self.mls, sender, &commit, provider.crypto())?);
                Processed::Commit(Staged { group: self.id, commit, summary })
            }
            ProcessedMessageContent::OwnPrivateMessage | ProcessedMessageContent::OwnPendingCommit => {
                return Err(MlsError::OwnMessage);
            }
            ProcessedMessageContent::ProposalMessage(_) | ProcessedMessageContent::ExternalJoinProposalMessage(_) => {
                return Err(MlsError::NotAllowed("a proposal outside a commit"));
            }
        };
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(outcome)
    }

    /// Puts a commit in force. A pending commit of this device is given up by it.
    ///
    /// # Errors
    /// [`MlsError::NotStagedHere`]. After any other error the group has to be loaded again.
    pub fn merge(&mut self, context: &mut Context<'_>, staged: Staged) -> Result<(), MlsError> {
        let ended = self.epoch();
        if staged.group != self.id || staged.summary.epoch != ended || !self.is_member() {
            return Err(MlsError::NotStagedHere);
        }
        let provider = provider(context.store, context.batch, context.rng);
        self.mls.merge_staged_commit(&provider, *staged.commit).map_err(MlsError::internal)?;
        self.epoch_ended(&provider, ended, context.now)?;
        let changes = provider.rows.finish(&self.stored)?;
        self.apply(changes, context.batch);
        Ok(())
    }

    /// The leaf at an index.
    ///
    /// # Errors
    /// [`MlsError::NoSuchLeaf`].
    pub fn leaf(&self, index: u32) -> Result<Leaf, MlsError> {
        leaf_at(&self.mls, openmls::prelude::LeafNodeIndex::new(index))
    }

    /// The message in a blob, if it can be one of this group and of an epoch that is not to come.
    fn parse(&self, blob: &[u8]) -> Result<ProtocolMessage, MlsError> {
        const MALFORMED: MlsError = MlsError::Malformed("message");
        let (message, rest) = MlsMessageIn::tls_deserialize_bytes(blob).map_err(|_| MALFORMED)?;
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        let MlsMessageBodyIn::PrivateMessage(message) = message.extract() else {
            return Err(MlsError::NotAllowed("a message in the clear"));
        };
        let message = ProtocolMessage::from(message);
        if message.group_id().as_slice() != self.id.as_ref() {
            return Err(MlsError::WrongGroup);
        }
        let (epoch, current) = (message.epoch().as_u64(), self.epoch());
        if epoch > current {
            return Err(MlsError::FutureEpoch { epoch, current });
        }
        if !self.is_member() {
            return Err(MlsError::Removed);
        }
        match message.content_type() {
            ContentType::Proposal => return Err(MlsError::NotAllowed("a proposal outside a commit")),
            ContentType::Commit if epoch < current => return Err(MlsError::StaleCommit { epoch }),
            ContentType::Commit | ContentType::Application => {}
        }
        if epoch < current && !self.past_epochs().any(|past| past == epoch) {
            return Err(MlsError::PastEpochGone { epoch });
        }
        Ok(message)
    }
}

/// Why a message was refused, in the engine's terms.
fn refusal(error: ProcessMessageError<RowError>, epoch: u64, current: u64) -> MlsError {
    match error {
        ProcessMessageError::LibraryError(error) => MlsError::internal(error),
        ProcessMessageError::StorageError(error) => error.into(),
        ProcessMessageError::GroupStateError(MlsGroupStateError::UseAfterEviction) => MlsError::Removed,
        ProcessMessageError::ValidationError(error) => invalid(error, epoch, current),
        ProcessMessageError::InvalidCommit(StageCommitError::LibraryError(error)) => MlsError::internal(error),
        // Nothing but a failing store leads to this one.
        ProcessMessageError::InvalidCommit(StageCommitError::MissingDecryptionKey) => MlsError::Incomplete,
        ProcessMessageError::InvalidCommit(_) => MlsError::NotAllowed("a commit that MLS refuses"),
        _ => MlsError::NotAllowed("a message that MLS refuses"),
    }
}

fn invalid(error: ValidationError, epoch: u64, current: u64) -> MlsError {
    match error {
        ValidationError::LibraryError(error) => MlsError::internal(error),
        ValidationError::WrongGroupId => MlsError::WrongGroup,
        ValidationError::WrongEpoch if epoch < current => MlsError::StaleCommit { epoch },
        ValidationError::WrongEpoch => MlsError::FutureEpoch { epoch, current },
        ValidationError::NoPastEpochData => MlsError::PastEpochGone { epoch },
        ValidationError::UnableToDecrypt(error) => undecryptable(&error),
        ValidationError::KeyPackageVerifyError(_)
        | ValidationError::InvalidAddProposalCiphersuite
        | ValidationError::InvalidExtension(_)
        | ValidationError::CommitterIncludedOwnUpdate => MlsError::NotAllowed("a proposal that MLS refuses"),
        _ => MlsError::Forged,
    }
}

fn undecryptable(error: &MessageDecryptionError) -> MlsError {
    match error {
        MessageDecryptionError::LibraryError(error) => MlsError::internal(error),
        MessageDecryptionError::MalformedContent => MlsError::Malformed("content of a message"),
        // OpenMLS does not export the type of this error; tests below fail if its names change.
        MessageDecryptionError::SecretTreeError(error) => match format!("{error:?}").as_str() {
            "SecretReuseError" | "TooDistantInThePast" => MlsError::Replayed,
            "TooDistantInTheFuture" | "RatchetTooLong" => MlsError::TooFarAhead,
            _ => MlsError::Forged,
        },
        _ => MlsError::Forged,
    }
}
