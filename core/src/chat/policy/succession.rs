//! Whether a new group may take a conversation over, and whether a device that is in none may enter one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Policy, RULES, Seat};
use crate::identity::{AccountRecord, DeviceCertificate};
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
    /// Of a conversation that is no group, it seats somebody that was not a member, or gives somebody a role.
    #[error("it seats somebody that was not a member")]
    Seats,
    /// A leaf has no seat, or is a device that no agreed record lists.
    #[error("a leaf is no device of a member")]
    Leaves,
    /// Its maker was not allowed to make a group.
    #[error("its maker may not take the conversation over")]
    Maker,
}

/// A group that claims to be the conversation's.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Its policy.
    pub policy: &'a Policy,
    /// Its id.
    pub group: GroupId,
    /// The account of the device that invites into it.
    pub maker: AccountId,
    /// That device.
    pub inviter: DeviceId,
    /// Its leaves.
    pub leaves: &'a BTreeMap<DeviceId, DeviceCertificate>,
    /// The records that its seats name, as far as they were shown or are known: each with the head that its seat has.
    pub records: &'a BTreeMap<AccountId, AccountRecord>,
    /// Devices that are leaves of the group that was agreed on.
    pub present: &'a BTreeSet<DeviceId>,
}

/// Whether a group takes over from the present group `of` under `agreed`.
///
/// It does when its generation is later, or the same with a lower id; when it seats nobody that its maker could not have seated, with
/// the same rights; when its leaves are devices that were agreed on, or that a record no older than the agreed one lists; and when its
/// maker was a member: of a group, an admin. What an admin has committed since, one who was shown another log does not know.
///
/// # Errors
/// The first rule that it breaks; that a rival holds comes last.
pub fn succeeds(agreed: &Policy, of: GroupId, claim: &Claim<'_>) -> Result<(), NoSuccessor> {
    let new = claim.policy;
    same(agreed, new)?;
    if new.generation < agreed.generation {
        return Err(NoSuccessor::Earlier);
    }
    let group = agreed.kind == Kind::Group;
    let as_agreed = |seat: &Seat| agreed.seat(seat.account).is_some_and(|old| seat.role <= old.role);
    if !group && !new.seats.iter().all(as_agreed) {
        return Err(NoSuccessor::Seats);
    }
    let all_here = group || new.seats.len() == agreed.seats.len();
    let may = agreed.seat(claim.maker).is_some() && (!group || agreed.is_admin(claim.maker));
    if !all_here || !may {
        return Err(NoSuccessor::Maker);
    }
    leaves(Some(agreed), claim)?;
    if new.generation == agreed.generation && claim.group > of { Err(NoSuccessor::Rival) } else { Ok(()) }
}

/// Whether a device of `own` that has no present group may enter one: the conversation's, when `agreed` is what it last agreed on and
/// `last` the group that it was in, or one that is new to it. Of another group than the last the inviter may be the founder. Whether
/// the inviter to something new is trusted is not asked here.
///
/// # Errors
/// The first rule that the group breaks.
pub fn readmits(
    agreed: Option<&Policy>,
    last: Option<GroupId>,
    own: AccountId,
    claim: &Claim<'_>,
) -> Result<(), NoSuccessor> {
    if let Some(agreed) = agreed {
        same(agreed, claim.policy)?;
        if claim.policy.generation < agreed.generation {
            return Err(NoSuccessor::Earlier);
        }
        let may_found = agreed.kind != Kind::Group || agreed.is_admin(claim.maker) || claim.maker == own;
        if last != Some(claim.group) && !may_found {
            return Err(NoSuccessor::Maker);
        }
    }
    if claim.policy.rules != RULES {
        return Err(NoSuccessor::Other);
    }
    leaves(agreed, claim)
}

fn same(agreed: &Policy, new: &Policy) -> Result<(), NoSuccessor> {
    let same = new.conversation == agreed.conversation && new.kind == agreed.kind && new.rules == RULES;
    if same { Ok(()) } else { Err(NoSuccessor::Other) }
}

/// Each leaf is of somebody who has a seat, and is listed by the record that the seat names. Where that record is older than the one
/// agreed on, or was not shown, only those may be leaves that are so now; of a large group, whose records do not all fit, this is not
/// asked of those who only were not shown.
fn leaves(agreed: Option<&Policy>, claim: &Claim<'_>) -> Result<(), NoSuccessor> {
    for (device, certificate) in claim.leaves {
        let seat = claim.policy.seat(certificate.account_id()).ok_or(NoSuccessor::Leaves)?;
        let old = agreed.and_then(|agreed| agreed.seat(seat.account));
        let stale =
            old.is_some_and(|old| seat.version < old.version || (seat.version == old.version && seat.hash != old.hash));
        let counts = match claim.records.get(&seat.account).filter(|record| record.head() == seat.head() && !stale) {
            Some(record) => record.device(*device) == Some(certificate),
            None => {
                let large = claim.policy.kind == Kind::Group && *device != claim.inviter;
                claim.present.contains(device) || (large && !stale)
            }
        };
        if !counts {
            return Err(NoSuccessor::Leaves);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
