//! Whether a new group may take a conversation over.

use std::collections::BTreeMap;

use super::{Kind, Policy, RULES};
use crate::identity::DeviceCertificate;
use crate::types::{AccountId, DeviceId, GroupId};

/// Why a group does not take the conversation over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSuccessor {
    /// It is another conversation, another kind, or speaks other rules.
    #[error("it is not of this conversation")]
    Other,
    /// Its generation is over.
    #[error("it is of an earlier generation")]
    Earlier,
    /// A rival of the same generation with a lower id holds.
    #[error("a rival with a lower id holds")]
    Rival,
    /// It seats somebody that was not a member, or gives somebody a role.
    #[error("it seats somebody that was not a member")]
    Seats,
    /// A leaf has no seat, or its maker was not allowed to make a group.
    #[error("its maker may not take the conversation over")]
    Maker,
}

/// Whether a new group with policy `new` takes over from the present group `of` under `agreed`.
///
/// It does when its generation is later, or the same with a lower id; when it seats nobody that was not seated, with no more rights
/// and no older record; and when its maker was a member: of a group, an admin.
///
/// # Errors
/// The first rule that it breaks.
pub fn succeeds(
    agreed: &Policy,
    of: GroupId,
    new: &Policy,
    group: GroupId,
    maker: AccountId,
    leaves: &BTreeMap<DeviceId, DeviceCertificate>,
) -> Result<(), NoSuccessor> {
    if new.conversation != agreed.conversation || new.kind != agreed.kind || new.rules != RULES {
        return Err(NoSuccessor::Other);
    }
    match new.generation.cmp(&agreed.generation) {
        std::cmp::Ordering::Less => return Err(NoSuccessor::Earlier),
        std::cmp::Ordering::Equal if group > of => return Err(NoSuccessor::Rival),
        std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => {}
    }
    for seat in &new.seats {
        let old = agreed.seat(seat.account).ok_or(NoSuccessor::Seats)?;
        if seat.role > old.role {
            return Err(NoSuccessor::Seats);
        }
    }
    let all_here = new.kind == Kind::Group || new.seats.len() == agreed.seats.len();
    let may = agreed.seat(maker).is_some() && (agreed.kind != Kind::Group || agreed.is_admin(maker));
    if all_here && may && leaves_seated(new, leaves) { Ok(()) } else { Err(NoSuccessor::Maker) }
}

/// Whether each leaf's account has a seat.
pub(super) fn leaves_seated(policy: &Policy, leaves: &BTreeMap<DeviceId, DeviceCertificate>) -> bool {
    leaves.values().all(|leaf| policy.seat(leaf.account_id()).is_some())
}
