//! Whether a commit may lead from one policy to the next.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Policy, RULES, Seat};
use crate::identity::{AccountRecord, DeviceCertificate, PublicKey};
use crate::types::{AccountId, DeviceId, GroupId, Hash};
use crate::wire::event::LogHead;
use crate::wire::message::{self, CommitInfo};

/// A leaf that a commit adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrant {
    /// What its credential says, verified.
    pub certificate: DeviceCertificate,
    /// The key it signs with in the group.
    pub leaf_key: PublicKey,
}

/// What a commit does, as its receiver sees it before merging.
#[derive(Debug)]
pub struct Commit<'a> {
    /// The group.
    pub group: GroupId,
    /// The epoch that it begins.
    pub epoch: u64,
    /// The head of the log that it stands behind.
    pub place: LogHead,
    /// The device that made it.
    pub sender: DeviceId,
    /// The leaves before it.
    pub leaves: &'a BTreeMap<DeviceId, DeviceCertificate>,
    /// Leaves added.
    pub added: &'a [Entrant],
    /// Leaves removed.
    pub removed: &'a [DeviceId],
    /// The body of its custom proposal.
    pub info: &'a CommitInfo,
    /// What the members agree on of the past once it counts.
    pub past: Hash,
}

/// Why a commit does not count. It is skipped by all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEntitled {
    /// The sender is no leaf, or its account has no seat.
    #[error("the sender is no member")]
    Stranger,
    /// The new policy does not name the old one, or names another place of the log or another past.
    #[error("the new policy does not follow from the old one")]
    DoesNotFollow,
    /// What never changes within a group was changed.
    #[error("the commit changes what never changes")]
    Fixed,
    /// Only an admin of a group may do that.
    #[error("only an admin may do that")]
    NotAdmin,
    /// Nobody may do that in this kind of conversation.
    #[error("nobody may do that in such a conversation")]
    Closed,
    /// The devices of an account would not follow a signed record that the commit carries.
    #[error("devices would not follow the account's record")]
    NoRecord,
    /// A record or a leave in the commit is malformed, falsely signed, or not used.
    #[error("the commit carries false evidence")]
    FalseEvidence,
    /// A device would be a leaf twice, or a leaf signs with a key that its certificate does not name.
    #[error("a leaf is not what its certificate says")]
    FalseLeaf,
    /// It closes a feed of a device that it does not remove.
    #[error("it closes a feed of a device that stays")]
    FalseCut,
}

/// Whether the sender of a commit may make it. `after` is the policy in the group's context once it is merged.
///
/// # Errors
/// The first rule that it breaks.
pub fn entitled(before: &Policy, after: &Policy, commit: &Commit<'_>) -> Result<(), NotEntitled> {
    #[cfg(feature = "test-utils")]
    if crate::chat::mutation::is(crate::chat::mutation::Mutation::NoEntitlement) {
        return Ok(());
    }
    let sender = commit.leaves.get(&commit.sender).ok_or(NotEntitled::Stranger)?.account_id();
    before.seat(sender).ok_or(NotEntitled::Stranger)?;
    let evidence = Evidence::of(before, commit)?;
    follows(before, after, commit)?;
    fixed(before, after)?;
    settings(before, after, sender)?;
    seats(before, after, commit, sender, &evidence)?;
    added(after, commit, &evidence)?;
    removed(after, commit, &evidence)?;
    cuts(commit)
}

/// What a commit proves by what it carries.
struct Evidence {
    records: BTreeMap<AccountId, AccountRecord>,
    left: BTreeSet<AccountId>,
}

impl Evidence {
    fn of(before: &Policy, commit: &Commit<'_>) -> Result<Self, NotEntitled> {
        let mut records = BTreeMap::new();
        for bytes in &commit.info.records {
            let record = AccountRecord::decode_verified(bytes).map_err(|_| NotEntitled::FalseEvidence)?;
            if records.insert(record.account_id(), record).is_some() {
                return Err(NotEntitled::FalseEvidence);
            }
        }
        let mut left = BTreeSet::new();
        for leave in &commit.info.leaves {
            let header = leave.peek().map_err(|_| NotEntitled::FalseEvidence)?;
            let author = commit.leaves.get(&header.feed.device).ok_or(NotEntitled::FalseEvidence)?;
            let key = ed25519_dalek::VerifyingKey::from_bytes(author.events_key().as_bytes());
            let event = key.ok().and_then(|key| leave.clone().verify(&key).ok()).ok_or(NotEntitled::FalseEvidence)?;
            let since = before.seat(author.account_id()).ok_or(NotEntitled::FalseEvidence)?.since;
            let counts = event.header().kind == message::Kind::Leave as u16
                && header.conversation == before.conversation
                && header.group == commit.group
                && header.epoch >= since;
            if !counts {
                return Err(NotEntitled::FalseEvidence);
            }
            left.insert(author.account_id());
        }
        Ok(Self { records, left })
    }

    /// The carried record that a seat follows.
    fn record(&self, seat: &Seat) -> Option<&AccountRecord> {
        self.records.get(&seat.account).filter(|record| record.head() == seat.head())
    }
}

fn follows(before: &Policy, after: &Policy, commit: &Commit<'_>) -> Result<(), NotEntitled> {
    let unchanged = before == after;
    let next = after.predecessor == Some(before.hash()) && after.log == commit.place && after.past == commit.past;
    let silent = commit.added.is_empty() && commit.removed.is_empty() && commit.info.cuts.is_empty();
    if (unchanged && silent) || next { Ok(()) } else { Err(NotEntitled::DoesNotFollow) }
}

fn fixed(before: &Policy, after: &Policy) -> Result<(), NotEntitled> {
    let same = before.conversation == after.conversation
        && before.kind == after.kind
        && before.generation == after.generation
        && before.suite == after.suite
        && after.rules == before.rules
        && before.rules == RULES
        && before.document == after.document;
    if same { Ok(()) } else { Err(NotEntitled::Fixed) }
}

fn settings(before: &Policy, after: &Policy, sender: AccountId) -> Result<(), NotEntitled> {
    let agreed =
        before.name == after.name && before.retention_s == after.retention_s && before.history == after.history;
    match before.kind {
        Kind::Own | Kind::Direct if agreed => Ok(()),
        Kind::Own | Kind::Direct => Err(NotEntitled::Closed),
        Kind::Group if (agreed && before.home == after.home) || before.is_admin(sender) => Ok(()),
        Kind::Group => Err(NotEntitled::NotAdmin),
    }
}

fn seats(
    before: &Policy,
    after: &Policy,
    commit: &Commit<'_>,
    sender: AccountId,
    evidence: &Evidence,
) -> Result<(), NotEntitled> {
    let admin = before.kind == Kind::Group && before.is_admin(sender);
    for old in &before.seats {
        match after.seat(old.account) {
            Some(new) => kept(old, new, admin, evidence)?,
            None if before.kind != Kind::Group => return Err(NotEntitled::Closed),
            None if admin || evidence.left.contains(&old.account) => {}
            None => return Err(NotEntitled::NotAdmin),
        }
    }
    for new in after.seats.iter().filter(|new| before.seat(new.account).is_none()) {
        seated(new, before.kind, admin, commit, evidence)?;
    }
    let unused = evidence
        .records
        .values()
        .any(|record| after.seat(record.account_id()).is_none_or(|seat| seat.head() != record.head()));
    if unused { Err(NotEntitled::FalseEvidence) } else { Ok(()) }
}

fn kept(old: &Seat, new: &Seat, admin: bool, evidence: &Evidence) -> Result<(), NotEntitled> {
    if old.since != new.since {
        return Err(NotEntitled::Fixed);
    }
    if old.role != new.role && !admin {
        return Err(NotEntitled::NotAdmin);
    }
    let newer = new.version > old.version && evidence.record(new).is_some();
    if old.head() == new.head() || newer { Ok(()) } else { Err(NotEntitled::NoRecord) }
}

fn seated(new: &Seat, kind: Kind, admin: bool, commit: &Commit<'_>, evidence: &Evidence) -> Result<(), NotEntitled> {
    if kind != Kind::Group {
        return Err(NotEntitled::Closed);
    }
    if !admin {
        return Err(NotEntitled::NotAdmin);
    }
    if new.since != commit.epoch {
        return Err(NotEntitled::Fixed);
    }
    let enters = commit.added.iter().any(|entrant| entrant.certificate.account_id() == new.account);
    if enters && evidence.record(new).is_some() { Ok(()) } else { Err(NotEntitled::NoRecord) }
}

fn added(after: &Policy, commit: &Commit<'_>, evidence: &Evidence) -> Result<(), NotEntitled> {
    let mut seen = BTreeSet::new();
    for Entrant { certificate, leaf_key } in commit.added {
        let device = certificate.device_id();
        let stays = commit.leaves.contains_key(&device) && !commit.removed.contains(&device);
        if stays || !seen.insert(device) || certificate.mls_key() != *leaf_key {
            return Err(NotEntitled::FalseLeaf);
        }
        let seat = after.seat(certificate.account_id()).ok_or(NotEntitled::NoRecord)?;
        let listed = evidence.record(seat).is_some_and(|record| record.device(device) == Some(certificate));
        if !listed {
            return Err(NotEntitled::NoRecord);
        }
    }
    Ok(())
}

/// A leaf goes with its account, because a record no longer lists it, or to come back at once with fresh keys.
fn removed(after: &Policy, commit: &Commit<'_>, evidence: &Evidence) -> Result<(), NotEntitled> {
    for device in commit.removed {
        let account = commit.leaves.get(device).ok_or(NotEntitled::FalseLeaf)?.account_id();
        let Some(seat) = after.seat(account) else { continue };
        let returns = commit.added.iter().any(|entrant| entrant.certificate.device_id() == *device);
        let unlisted = evidence.record(seat).is_some_and(|record| record.device(*device).is_none());
        if !returns && !unlisted {
            return Err(NotEntitled::NoRecord);
        }
    }
    let gone = |account: AccountId| after.seat(account).is_none();
    let stays = |device: &DeviceId| !commit.removed.contains(device);
    let squats = commit.leaves.iter().any(|(device, leaf)| gone(leaf.account_id()) && stays(device));
    let lingers = commit.leaves.iter().any(|(device, leaf)| {
        let record = evidence.records.get(&leaf.account_id());
        stays(device) && record.is_some_and(|record| record.device(*device).is_none())
    });
    if squats || lingers { Err(NotEntitled::NoRecord) } else { Ok(()) }
}

/// Only what a device that goes for good wrote is closed; a device that comes back begins a new feed, and its old one stands.
fn cuts(commit: &Commit<'_>) -> Result<(), NotEntitled> {
    let goes = |device: &DeviceId| {
        commit.removed.contains(device)
            && !commit.added.iter().any(|entrant| entrant.certificate.device_id() == *device)
    };
    if commit.info.cuts.iter().all(|cut| goes(&cut.feed.device)) { Ok(()) } else { Err(NotEntitled::FalseCut) }
}

#[cfg(test)]
pub(super) mod tests;
