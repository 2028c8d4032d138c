//! From a wish to a commit.

use std::collections::{BTreeMap, BTreeSet};

use serde_bytes::ByteBuf;

use super::group::{certified, devices, write_key};
use super::state::{Pending, pending_key};
use super::{Fact, Held, Membership, Wish};
use crate::chat::account::Account;
use crate::chat::api::Notice;
use crate::chat::policy::{Commit, Entrant, Home, Policy, Role, Seat, entitled};
use crate::chat::roster::{Place, Roster};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::{AccountRecord, DeviceCertificate};
use crate::mls::{Change, Context, Group, KeyPackage, MlsError, Suite, UnverifiedKeyPackage};
use crate::store::{Batch, Overlay, Scope, Table};
use crate::types::{AccountId, DeviceId, Hash};
use crate::wire::codec::Body;
use crate::wire::log::write_key_hash;
use crate::wire::message::{CommitInfo, Cut};

/// What came of trying to make a commit.
pub(super) enum Proposed {
    /// Nothing is left to wish for.
    Nothing,
    /// Wishes need these accounts' key packages first. All are asked for: one that gives none holds no other up.
    Need(BTreeSet<AccountId>),
    /// There is a commit to append.
    Made,
}

/// What a wish comes to on the present group.
enum Plan {
    /// It is fulfilled, or can never be.
    Done,
    /// Nobody can be added: none of the key packages that came is good.
    Barren,
    /// Key packages of this account are needed.
    Need(AccountId),
    /// This commit.
    Commit(Box<Draft>),
}

struct Draft {
    policy: Policy,
    adds: Vec<(KeyPackage, DeviceCertificate)>,
    removes: Vec<DeviceId>,
    info: CommitInfo,
}

impl Draft {
    /// Whether a device goes that does not come back at once.
    fn takes_out(&self) -> bool {
        self.removes.iter().any(|gone| !self.adds.iter().any(|(_, added)| added.device_id() == *gone))
    }
}

/// The present state that a wish is judged by.
struct Ground<'a> {
    policy: &'a Policy,
    next: Policy,
    leaves: BTreeMap<DeviceId, DeviceCertificate>,
    suite: Suite,
    epoch: u64,
    held: Held<'a>,
}

/// The key packages that are good for one of a record's devices, one a device.
pub(super) fn usable(
    packages: &[ByteBuf],
    record: &AccountRecord,
    suite: Suite,
) -> BTreeMap<DeviceId, (KeyPackage, DeviceCertificate)> {
    let mut usable = BTreeMap::new();
    for bytes in packages {
        let package = UnverifiedKeyPackage::parse(bytes).and_then(|package| package.verify(suite));
        let Ok(package) = package else { continue };
        let Some(certificate) = certified(package.identity(), package.signature_key()) else { continue };
        if record.device(certificate.device_id()) == Some(&certificate) {
            usable.entry(certificate.device_id()).or_insert((package, certificate));
        }
    }
    usable
}

impl Ground<'_> {
    fn draft(&self) -> Draft {
        Draft { policy: self.next.clone(), adds: Vec::new(), removes: Vec::new(), info: CommitInfo::default() }
    }

    fn leaves_of(&self, account: AccountId) -> impl Iterator<Item = DeviceId> + '_ {
        self.leaves.iter().filter(move |(_, leaf)| leaf.account_id() == account).map(|(device, _)| *device)
    }

    fn plan(&self, wish: &Wish) -> Plan {
        match wish {
            Wish::Sync { record, packages } => self.sync(record, packages.as_deref()),
            Wish::Seat { record, packages } => self.seat(record, packages.as_deref()),
            Wish::Unseat { account, leave } => self.unseat(*account, leave.as_deref()),
            Wish::Update => Plan::Commit(Box::new(Draft { policy: self.policy.clone(), ..self.draft() })),
            Wish::Move(home) => self.move_to(home),
            Wish::Return { device, package, record } => self.bring_back(*device, package, record),
        }
    }

    fn sync(&self, encoded: &ByteBuf, packages: Option<&[ByteBuf]>) -> Plan {
        let Ok(record) = AccountRecord::decode_stored(encoded) else { return Plan::Done };
        let account = record.account_id();
        let Some(seat) = self.policy.seat(account) else { return Plan::Done };
        if seat.version > record.version() || (seat.version == record.version() && seat.hash != record.hash()) {
            return Plan::Done;
        }
        let missing = record.devices().iter().any(|device| !self.leaves.contains_key(&device.device_id()));
        let Some(packages) = packages.or_else(|| (!missing).then_some(&[])) else { return Plan::Need(account) };
        let mut draft = self.draft();
        draft.policy.seat_account(Seat { version: record.version(), hash: record.hash(), ..*seat });
        draft.removes = self.leaves_of(account).filter(|device| record.device(*device).is_none()).collect();
        draft.info.cuts = draft.removes.iter().flat_map(|device| (self.held)(device)).collect();
        draft.info.records.push(encoded.clone());
        let usable = usable(packages, &record, self.suite);
        draft.adds =
            usable.into_iter().filter(|(device, _)| !self.leaves.contains_key(device)).map(|(_, add)| add).collect();
        let unchanged = seat.version == record.version() && draft.removes.is_empty() && draft.adds.is_empty();
        if unchanged { Plan::Done } else { Plan::Commit(Box::new(draft)) }
    }

    fn seat(&self, encoded: &ByteBuf, packages: Option<&[ByteBuf]>) -> Plan {
        let Ok(record) = AccountRecord::decode_stored(encoded) else { return Plan::Done };
        let account = record.account_id();
        if self.policy.seat(account).is_some() {
            return Plan::Done;
        }
        let Some(packages) = packages else { return Plan::Need(account) };
        let mut draft = self.draft();
        draft.adds = usable(packages, &record, self.suite).into_values().collect();
        if draft.adds.is_empty() {
            return Plan::Barren;
        }
        let (version, hash) = (record.version(), record.hash());
        draft.policy.seat_account(Seat {
            account,
            version,
            hash,
            role: Role::Member,
            since: self.epoch.saturating_add(1),
        });
        draft.info.records.push(encoded.clone());
        Plan::Commit(Box::new(draft))
    }

    fn unseat(&self, account: AccountId, leave: Option<&crate::wire::event::UnverifiedEvent>) -> Plan {
        if self.policy.seat(account).is_none() {
            return Plan::Done;
        }
        let mut draft = self.draft();
        draft.policy.unseat(account);
        draft.removes = self.leaves_of(account).collect();
        draft.info.cuts = draft.removes.iter().flat_map(|device| (self.held)(device)).collect();
        draft.info.leaves = leave.into_iter().cloned().collect();
        Plan::Commit(Box::new(draft))
    }

    fn move_to(&self, home: &Home) -> Plan {
        if self.policy.home == *home {
            return Plan::Done;
        }
        let mut draft = self.draft();
        draft.policy.home = home.clone();
        Plan::Commit(Box::new(draft))
    }

    fn bring_back(&self, device: DeviceId, package: &ByteBuf, encoded: &ByteBuf) -> Plan {
        let Ok(record) = AccountRecord::decode_stored(encoded) else { return Plan::Done };
        let Some(seat) = self.policy.seat(record.account_id()) else { return Plan::Done };
        if seat.version > record.version() {
            return Plan::Done;
        }
        let mut usable = usable(std::slice::from_ref(package), &record, self.suite);
        let Some(add) = usable.remove(&device) else { return Plan::Done };
        let mut draft = self.draft();
        draft.policy.seat_account(Seat { version: record.version(), hash: record.hash(), ..*seat });
        let unlisted = self.leaves_of(record.account_id()).filter(|leaf| record.device(*leaf).is_none());
        draft.removes = unlisted.collect();
        draft.info.cuts = draft.removes.iter().flat_map(|device| (self.held)(device)).collect();
        if self.leaves.contains_key(&device) {
            draft.removes.push(device);
        }
        draft.adds = vec![add];
        draft.info.records.push(encoded.clone());
        Plan::Commit(Box::new(draft))
    }
}

impl Membership {
    /// Makes a commit of the first wish that comes to one; wishes that are fulfilled go.
    pub(super) fn propose(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        held: Held<'_>,
    ) -> Result<Proposed, EngineError> {
        let mut need = BTreeSet::new();
        let mut place = 0;
        let catches_up = self.home.catches_up_until > turn.now.mono_ms;
        while let Some(wish) = self.row.wishes.get(place).cloned() {
            let plan = self.with_ground(turn, held, |ground| ground.plan(&wish))?;
            match plan {
                Plan::Need(account) => {
                    need.insert(account);
                    place = place.saturating_add(1);
                }
                Plan::Commit(draft) if catches_up && draft.takes_out() => {
                    self.home.commit_at = self.home.catches_up_until;
                    place = place.saturating_add(1);
                }
                Plan::Commit(draft) => {
                    if self.make(turn, me, &wish, *draft)? {
                        return Ok(Proposed::Made);
                    }
                    self.give_up(turn, place, &wish);
                }
                Plan::Barren => self.give_up(turn, place, &wish),
                Plan::Done => self.drop_wish(turn, place),
            }
        }
        Ok(if need.is_empty() { Proposed::Nothing } else { Proposed::Need(need) })
    }

    /// A wish comes to nothing. That somebody is not added is said: the person who asked for it waits for it.
    fn give_up(&mut self, turn: &mut Turn<'_>, place: usize, wish: &Wish) {
        if let Wish::Seat { record, .. } = wish
            && let Ok(record) = AccountRecord::decode_stored(record)
        {
            let account = record.account_id();
            turn.effects.notices.push(Notice::NotSeated { conversation: self.conversation, account });
        }
        self.drop_wish(turn, place);
    }

    fn drop_wish(&mut self, turn: &mut Turn<'_>, place: usize) {
        self.row.wishes.remove(place);
        self.save(turn);
    }

    fn with_ground<T>(
        &mut self,
        turn: &Turn<'_>,
        held: Held<'_>,
        judge: impl FnOnce(&Ground<'_>) -> T,
    ) -> Result<T, EngineError> {
        let present = self.row.present.clone().ok_or(EngineError::Broken("a wish without a group"))?;
        let group = self.group(turn, present.group)?;
        let (suite, epoch) = (group.suite(), group.epoch());
        let leaves = devices(&group.roster()?).ok_or(EngineError::Broken("a leaf without a certificate"))?;
        let policy = self.policy.as_ref().ok_or(EngineError::Broken("a group without a policy"))?;
        Ok(judge(&Ground { policy, next: policy.next(present.log), leaves, suite, epoch, held }))
    }

    /// Makes the commit; false if nobody would let it count.
    fn make(&mut self, turn: &mut Turn<'_>, me: &Account, wish: &Wish, mut draft: Draft) -> Result<bool, EngineError> {
        let present = self.row.present.clone().ok_or(EngineError::Broken("a wish without a group"))?;
        let before = self.policy.clone().ok_or(EngineError::Broken("a group without a policy"))?;
        let added: Vec<DeviceCertificate> = draft.adds.iter().map(|(_, certificate)| certificate.clone()).collect();
        let past = self.past_after(&added, &draft.removes, &draft.info.cuts);
        if draft.policy != before {
            draft.policy.past = past;
        }
        let group = self.group(turn, present.group)?;
        if group.pending().is_some() {
            group.discard_pending(&mut turn.mls())?;
        }
        let roster = group.roster()?;
        let leaves = devices(&roster).ok_or(EngineError::Broken("a leaf without a certificate"))?;
        let entrants: Vec<Entrant> = draft.adds.iter().map(|(_, certificate)| entrant(certificate)).collect();
        let commit = Commit {
            group: present.group,
            epoch: group.epoch().saturating_add(1),
            place: present.log,
            sender: me.device(),
            leaves: &leaves,
            added: &entrants,
            removed: &draft.removes,
            info: &draft.info,
            past,
        };
        if entitled(&before, &draft.policy, &commit).is_err() || draft.removes.contains(&me.device()) {
            return Ok(false);
        }
        let info = if draft.info == CommitInfo::default() { Vec::new() } else { draft.info.encode() };
        let index = |device: &DeviceId| {
            let leaf = roster.iter().find(|leaf| {
                certified(&leaf.identity, &leaf.signature_key).is_some_and(|leaf| leaf.device_id() == *device)
            });
            leaf.map(|leaf| leaf.index)
        };
        let change = Change {
            removes: draft.removes.iter().filter_map(index).collect(),
            policy: (draft.policy != before).then(|| draft.policy.encode()),
            identity: None,
            info: info.clone(),
            adds: draft.adds.iter().map(|(package, _)| package.clone()).collect(),
        };
        let write_key = write_key(group)?;
        let made = match group.commit(&mut turn.mls(), &me.signer(), change) {
            Ok(made) => made,
            Err(error @ (MlsError::Store(_) | MlsError::Incomplete)) => return Err(error.into()),
            Err(_) => {
                self.groups.remove(&present.group);
                return Ok(false);
            }
        };
        let pending = Pending {
            blob: made.blob.into(),
            head: present.log,
            write_key,
            next_write_key_hash: next_write_key_hash(turn, present.group)?,
            welcome: made.welcome.map(ByteBuf::from),
            added: draft.adds.iter().map(|(_, certificate)| certificate.encode().into()).collect(),
            info: info.into(),
            wish: wish.clone(),
        };
        self.row.pending = true;
        let scope = Scope::Conversation(self.conversation);
        turn.put(Table::Group, scope, &pending_key(present.group), &pending);
        self.save(turn);
        Ok(true)
    }

    /// Takes the key packages of an account that a wish needed; none, if none could be had now.
    pub(crate) fn packages(&mut self, turn: &mut Turn<'_>, account: AccountId, found: Vec<ByteBuf>) {
        for wish in &mut self.row.wishes {
            let (Wish::Sync { record, packages } | Wish::Seat { record, packages }) = wish else { continue };
            let whose = AccountRecord::decode_stored(record).map(|record| record.account_id());
            if whose == Ok(account) && packages.is_none() {
                *packages = Some(found.clone());
            }
        }
        self.home.packages_came();
        self.save(turn);
    }
}

impl Membership {
    /// Whether a device of a record is in no group and has no key package among these.
    pub(crate) fn lacks_package(&self, record: &AccountRecord, found: &[ByteBuf]) -> bool {
        let has = |device: DeviceId| found.iter().any(|package| packaged(package) == Some(device));
        let here = |device: DeviceId| self.roster.is_present(&device);
        record.devices().iter().map(DeviceCertificate::device_id).any(|device| !here(device) && !has(device))
    }

    /// The key package of a record's device among these.
    pub(crate) fn package_of(record: &AccountRecord, device: DeviceId, found: &[ByteBuf]) -> Option<ByteBuf> {
        record.device(device)?;
        found.iter().find(|package| packaged(package) == Some(device)).cloned()
    }
}

/// Whose key package it is.
fn packaged(bytes: &ByteBuf) -> Option<DeviceId> {
    let package = UnverifiedKeyPackage::parse(bytes).and_then(|package| package.verify(Suite::DEFAULT));
    let package = package.or_else(|_| UnverifiedKeyPackage::parse(bytes)?.verify(Suite::X25519)).ok()?;
    certified(package.identity(), package.signature_key()).map(|certificate| certificate.device_id())
}

/// The roster once a commit counts.
pub(super) fn changed(roster: &Roster, added: &[DeviceCertificate], removed: &[DeviceId], cuts: &[Cut]) -> Roster {
    let mut after = roster.clone();
    cuts.iter().for_each(|cut| after.close(*cut));
    removed.iter().for_each(|device| after.dismiss(device));
    for certificate in added {
        if let Some(member) = super::group::member(certificate, Place::Present) {
            after.admit(certificate.device_id(), member);
        }
    }
    after
}

/// A leaf as its certificate says it is.
pub(super) fn entrant(certificate: &DeviceCertificate) -> Entrant {
    Entrant { leaf_key: certificate.mls_key(), certificate: certificate.clone() }
}

/// Hash of the write key of the epoch that the pending commit begins: learnt from a merge that is thrown away.
fn next_write_key_hash(turn: &mut Turn<'_>, group: crate::types::GroupId) -> Result<Hash, EngineError> {
    let store = Overlay::new(turn.base, &turn.effects.batch);
    let mut after = Group::load(&store, &group)?.ok_or(MlsError::Incomplete)?;
    let (mut scratch, mut rng) = (Batch::new(), turn.rng.clone());
    after.own_commit_accepted(&mut Context {
        store: &store,
        batch: &mut scratch,
        rng: &mut rng,
        now: turn.now.wall,
    })?;
    Ok(write_key_hash(&write_key(&after)?))
}

/// The Welcome of an own commit that counts.
pub(super) fn welcome(pending: &Pending, group: crate::types::GroupId) -> Option<Fact> {
    let message = pending.welcome.as_ref()?.to_vec();
    let certificates = pending.added.iter().filter_map(|bytes| DeviceCertificate::decode_stored(bytes).ok());
    Some(Fact::Welcome { to: certificates.collect(), group, message })
}
