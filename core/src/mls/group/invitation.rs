//! Being added to a group.

use openmls::prelude::tls_codec::DeserializeBytes as _;
use openmls::prelude::{MlsMessageBodyIn, MlsMessageIn, StagedWelcome, Welcome, WelcomeError};

use super::{Group, Leaf, Record, join_config, past_epochs, provider, roster};
use crate::mls::chunks::Stored;
use crate::mls::key_package::{OwnKeyPackage, identity};
use crate::mls::overlay::RowError;
use crate::mls::{Context, MESSAGE_MAX_BYTES, MlsError, Suite, policy};
use crate::store::Overlay;
use crate::types::{ConversationId, GroupId};

/// The most devices that one Welcome is for: each is looked up in the store.
const WELCOME_DEVICES_MAX: usize = 4096;

/// A Welcome, opened and checked by MLS; not accepted.
///
/// Dropping it leaves nothing behind but that its key package is used up.
pub struct Invitation {
    staged: Box<StagedWelcome>,
    group: GroupId,
    conversation: ConversationId,
    suite: Suite,
    policy: Vec<u8>,
    roster: Vec<Leaf>,
    inviter: Leaf,
    key_package: Vec<u8>,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = formatter.debug_struct("Invitation");
        fields.field("group", &self.group).field("conversation", &self.conversation).finish_non_exhaustive()
    }
}

impl Invitation {
    /// Opens a Welcome with one of this device's key packages, which is used up unless it is a last resort.
    ///
    /// # Errors
    /// [`MlsError::UnknownKeyPackage`], [`MlsError::GroupExists`], or a refusal.
    pub fn open(context: &mut Context<'_>, welcome: &[u8]) -> Result<Self, MlsError> {
        MlsError::check_size("Welcome", welcome.len(), MESSAGE_MAX_BYTES)?;
        let welcome = parse(welcome)?;
        let suite = Suite::from_ciphersuite(welcome.ciphersuite())?;
        let key_package = used_key_package(context, &welcome)?;
        let provider = provider(context.store, context.batch, context.rng);
        let staged = StagedWelcome::build_from_welcome(&provider, &join_config(), welcome)
            .map_err(refusal)?
            .skip_lifetime_validation()
            .build()
            .map_err(refusal)?;
        let group = GroupId::try_from(staged.group_context().group_id().as_slice())
            .map_err(|_| MlsError::Malformed("group id"))?;
        let (conversation, policy) = policy::read(staged.group_context().extensions())?;
        let policy = policy.to_vec();
        let inviter = staged.welcome_sender().map_err(|_| MlsError::Forged)?;
        let inviter = Leaf {
            index: staged.welcome_sender_index().u32(),
            identity: identity(inviter.credential())?,
            signature_key: inviter.signature_key().as_slice().to_vec(),
        };
        let roster = roster(staged.members())?;
        provider.rows.finish(&Stored::default())?.apply(context.batch);
        let staged = Box::new(staged);
        Ok(Self { staged, group, conversation, suite, policy, roster, inviter, key_package })
    }

    /// The group's id.
    pub const fn group(&self) -> GroupId {
        self.group
    }

    /// The conversation it says it belongs to.
    pub const fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// The group's suite.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The epoch in which this device joins.
    pub fn epoch(&self) -> u64 {
        self.staged.group_context().epoch().as_u64()
    }

    /// The group's policy.
    pub fn policy(&self) -> &[u8] {
        &self.policy
    }

    /// The group's leaves, this device's among them.
    pub fn roster(&self) -> &[Leaf] {
        &self.roster
    }

    /// Who made the commit that added this device.
    pub const fn inviter(&self) -> &Leaf {
        &self.inviter
    }

    /// The hash reference of the key package that was used.
    pub fn key_package(&self) -> &[u8] {
        &self.key_package
    }

    /// Joins the group.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn accept(self, context: &mut Context<'_>) -> Result<Group, MlsError> {
        let provider = provider(context.store, context.batch, context.rng);
        let mls = self.staged.into_group(&provider).map_err(refusal)?;
        let (id, conversation, suite) = (self.group, self.conversation, self.suite);
        let mut group = Group { mls, id, conversation, suite, record: Record::default(), stored: Stored::default() };
        let wanted = openmls::prelude::PastEpochDeletionPolicy::MaxEpochs(past_epochs(group.leaf_count()));
        if *group.mls.past_epoch_deletion_policy() != wanted {
            group.mls.set_past_epoch_deletion_policy(&provider, wanted).map_err(MlsError::internal)?;
        }
        group.write_record(&provider)?;
        let changes = provider.rows.finish(&group.stored)?;
        group.apply(changes, context.batch);
        Ok(group)
    }
}

fn parse(welcome: &[u8]) -> Result<Welcome, MlsError> {
    let (message, rest) = MlsMessageIn::tls_deserialize_bytes(welcome).map_err(|_| MlsError::Malformed("Welcome"))?;
    match message.extract() {
        MlsMessageBodyIn::Welcome(welcome) if rest.is_empty() => Ok(welcome),
        _ => Err(MlsError::Malformed("Welcome")),
    }
}

fn used_key_package(context: &Context<'_>, welcome: &Welcome) -> Result<Vec<u8>, MlsError> {
    MlsError::check_size("Welcome's list of devices", welcome.secrets().len(), WELCOME_DEVICES_MAX)?;
    let store = Overlay::new(context.store, &*context.batch);
    for secret in welcome.secrets() {
        let reference = secret.new_member();
        if OwnKeyPackage::is_stored(&store, reference.as_slice())? {
            return Ok(reference.as_slice().to_vec());
        }
    }
    Err(MlsError::UnknownKeyPackage)
}

fn refusal(error: WelcomeError<RowError>) -> MlsError {
    match error {
        WelcomeError::StorageError(error) => error.into(),
        WelcomeError::LibraryError(error) => MlsError::internal(error),
        WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => MlsError::UnknownKeyPackage,
        WelcomeError::GroupAlreadyExists => MlsError::GroupExists,
        WelcomeError::UnsupportedCiphersuite(_) | WelcomeError::CiphersuiteMismatch => {
            MlsError::Unsupported("cipher suite")
        }
        WelcomeError::UnsupportedCapability
        | WelcomeError::UnsupportedExtensions
        | WelcomeError::UnsupportedMlsVersion => MlsError::Unsupported("group"),
        WelcomeError::MissingRatchetTree => MlsError::Malformed("Welcome without its tree"),
        _ => MlsError::Forged,
    }
}
