//! What Kith adds to MLS: the policy extension of the group, the commit info proposal, and what every leaf has to support.
//!
//! What a policy says is not known here; it is bytes, bound to the conversation by standing beside its id.

use openmls::prelude::{
    Capabilities, CredentialType, CustomProposal, Extension, ExtensionType, Extensions, GroupContext, OpenMlsCrypto,
    Proposal, ProposalType, RequiredCapabilitiesExtension, UnknownExtension,
};

use super::MlsError;
use crate::types::ConversationId;

/// The largest policy in bytes; what grows with members is a document whose hash the policy holds.
pub const POLICY_MAX_BYTES: usize = 16 * 1024;

/// The type of the policy extension of the GroupContext, from the range for private use (RFC 9420 §17.3).
const POLICY_EXTENSION: u16 = 0xF4B1;

/// The type of the commit info proposal, the first of eight reserved ones (range for private use, RFC 9420 §17.4).
const COMMIT_INFO: u16 = 0xF4B0;

/// How many proposal types every leaf supports from the first day, so that later releases may give them a meaning.
const RESERVED_PROPOSALS: u16 = 8;

/// The form of the extension: conversation id ‖ policy.
const FORMAT: u8 = 1;

fn reserved_proposals() -> Vec<ProposalType> {
    (COMMIT_INFO..COMMIT_INFO + RESERVED_PROPOSALS).map(ProposalType::Custom).collect()
}

/// What every leaf and key package of Kith supports.
pub(super) fn capabilities(crypto: &impl OpenMlsCrypto) -> Capabilities {
    let provider = Capabilities::for_provider(crypto);
    Capabilities::builder()
        .versions(provider.versions().to_vec())
        .ciphersuites(crypto.supported_ciphersuites())
        .extensions(vec![ExtensionType::LastResort, ExtensionType::Unknown(POLICY_EXTENSION)])
        .proposals(reserved_proposals())
        .credentials(vec![CredentialType::Basic])
        .build()
}

/// Whether a leaf supports what Kith needs.
pub(super) fn suffices(capabilities: &Capabilities) -> bool {
    capabilities.extensions().contains(&ExtensionType::Unknown(POLICY_EXTENSION))
        && capabilities.credentials().contains(&CredentialType::Basic)
        && reserved_proposals().iter().all(|proposal| capabilities.proposals().contains(proposal))
}

fn required() -> Extension {
    Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(POLICY_EXTENSION)],
        &reserved_proposals(),
        &[CredentialType::Basic],
    ))
}

/// The extensions of a group's context under a policy.
pub(super) fn extensions(conversation: &ConversationId, policy: &[u8]) -> Result<Extensions<GroupContext>, MlsError> {
    MlsError::check_size("policy", policy.len(), POLICY_MAX_BYTES)?;
    let body = [&[FORMAT], conversation.as_ref(), policy].concat();
    Extensions::from_vec(vec![required(), Extension::Unknown(POLICY_EXTENSION, UnknownExtension(body))])
        .map_err(MlsError::internal)
}

/// The conversation and the policy of a group's context.
///
/// # Errors
/// If it has other extensions than Kith's two, or the policy's is not well formed.
pub(super) fn read(extensions: &Extensions<GroupContext>) -> Result<(ConversationId, &[u8]), MlsError> {
    if extensions.iter().count() != 2 || !extensions.iter().any(|extension| *extension == required()) {
        return Err(MlsError::NotAllowed("other extensions of the group than Kith's"));
    }
    let body = extensions.unknown(POLICY_EXTENSION).ok_or(MlsError::Malformed("policy extension"))?;
    let (format, rest) = body.0.split_first().ok_or(MlsError::Malformed("policy extension"))?;
    if *format != FORMAT {
        return Err(MlsError::Unsupported("policy extension of another format"));
    }
    let (conversation, policy) =
        rest.split_at_checked(ConversationId::LEN).ok_or(MlsError::Malformed("policy extension"))?;
    MlsError::check_size("policy", policy.len(), POLICY_MAX_BYTES)?;
    let conversation = ConversationId::try_from(conversation).map_err(|_| MlsError::Malformed("policy extension"))?;
    Ok((conversation, policy))
}

/// The proposal that carries a commit's info.
pub(super) fn commit_info(bytes: Vec<u8>) -> Proposal {
    Proposal::Custom(Box::new(CustomProposal::new(COMMIT_INFO, bytes)))
}

/// The info in a proposal, if it is one that carries it.
pub(super) fn read_commit_info(proposal: &CustomProposal) -> Option<&[u8]> {
    (proposal.proposal_type() == COMMIT_INFO).then(|| proposal.payload())
}
