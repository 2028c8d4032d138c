//! A forced move: a group that takes over from one whose home lost its log or lies.

use serde_bytes::ByteBuf;

use super::join::Invitee;
use super::state::{Heard, Succession};
use super::{Fact, Held, Membership};
use crate::chat::account::Account;
use crate::chat::policy::{Home, Kind, Policy, Seat};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::AccountRecord;
use crate::types::{AccountId, DeviceId, Hash, Timestamp};
use crate::wire::codec::Body as _;
use crate::wire::event::LogHead;

/// How many pleas are remembered: one for each of the devices of a large group.
const MAX_HEARD: usize = 512;

/// Before any entry.
pub(crate) const EMPTY_LOG: LogHead = LogHead { next: 0, hash: Hash::new([0; Hash::LEN]) };

impl Membership {
    /// The place of this device among those who may move the conversation: the lower, the sooner it does. None if it may not, or has
    /// left: the others may have taken it out already.
    pub(crate) fn mover_rank(&self, me: &Account) -> Option<u64> {
        let policy = self.policy.as_ref().filter(|_| !self.row.left)?;
        let may = |account: AccountId| {
            policy.seat(account).is_some() && (policy.kind != Kind::Group || policy.is_admin(account))
        };
        let mut movers: Vec<(AccountId, DeviceId)> = self
            .roster
            .members()
            .filter(|(_, member)| member.is_present() && may(member.account))
            .map(|(device, member)| (member.account, *device))
            .collect();
        movers.sort_unstable();
        let rank = movers.iter().position(|mover| *mover == (me.id(), me.device()))?;
        u64::try_from(rank).ok()
    }

    /// Whether a home ordered a group that another took over from: some member found it wanting, and may so again.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn has_been_left(&mut self, turn: &Turn<'_>, home: &Home) -> Result<bool, EngineError> {
        let Some(generation) = self.row.present.as_ref().map(|present| present.generation) else { return Ok(false) };
        for older in self.row.older.clone() {
            let policy = Policy::decode(self.group(turn, older)?.policy()?);
            if policy.is_ok_and(|policy| policy.generation < generation && policy.home.key() == home.key()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Prepares a successor under another home: the packages of all members are needed first, but for those who are not to be asked,
    /// whose devices are away from it.
    ///
    /// # Errors
    /// If the store does not answer.
    pub(crate) fn begin_succession(
        &mut self,
        turn: &mut Turn<'_>,
        home: Home,
        records: Vec<(AccountRecord, bool)>,
    ) -> Result<Vec<Fact>, EngineError> {
        if self.row.succession.is_some() || self.policy.is_none() {
            return Ok(Vec::new());
        }
        let accounts = records.iter().map(|(record, asked)| {
            let found = if *asked { None } else { Some(Vec::new()) };
            (record.account_id(), record.encode().into(), found)
        });
        self.row.succession = Some(Succession { home, accounts: accounts.collect() });
        self.save(turn);
        let asked = records.iter().filter(|(_, asked)| *asked);
        Ok(asked.map(|(record, _)| Fact::Packages(record.account_id())).collect())
    }

    /// Accounts whose key packages a successor still waits for.
    pub(crate) fn succession_needs(&self) -> Vec<AccountId> {
        let accounts = self.row.succession.iter().flat_map(|succession| &succession.accounts);
        accounts.filter(|(_, _, found)| found.is_none()).map(|(account, _, _)| *account).collect()
    }

    /// Takes key packages for the successor; with the last of them it is founded.
    ///
    /// # Errors
    /// If the store does not answer, or MLS fails on its own state.
    pub(crate) fn successor_packages(
        &mut self,
        turn: &mut Turn<'_>,
        me: &Account,
        held: Held<'_>,
        of: AccountId,
        packages: Vec<ByteBuf>,
    ) -> Result<Vec<Fact>, EngineError> {
        let Some(succession) = &mut self.row.succession else { return Ok(Vec::new()) };
        for (account, _, found) in &mut succession.accounts {
            if *account == of && found.is_none() {
                *found = Some(packages.clone());
            }
        }
        if succession.accounts.iter().any(|(_, _, found)| found.is_none()) {
            self.save(turn);
            return Ok(Vec::new());
        }
        let Some(succession) = self.row.succession.take() else { return Ok(Vec::new()) };
        let agreed = self.policy.clone().ok_or(EngineError::Broken("a successor without a policy"))?;
        let mut invitees = Vec::new();
        let mut policy = Policy {
            generation: agreed.generation.max(self.home.written_in).saturating_add(1),
            predecessor: Some(agreed.hash()),
            log: EMPTY_LOG,
            home: succession.home,
            suite: me.suite().number(),
            ..agreed
        };
        for (_, record, packages) in succession.accounts {
            let Ok(record) = AccountRecord::decode_stored(&record) else { continue };
            if let Some(seat) = policy.seat(record.account_id()).copied()
                && seat.version <= record.version()
            {
                policy.seat_account(Seat { version: record.version(), hash: record.hash(), since: 0, ..seat });
            }
            invitees.push(Invitee { record, packages: packages.unwrap_or_default() });
        }
        self.found(turn, me, held, policy, &invitees)
    }

    /// Whether a plea of a device was heard before.
    pub(crate) fn has_heard(&self, device: &DeviceId) -> bool {
        self.row.heard.iter().any(|heard| heard.device == *device)
    }

    /// Whether a plea is newer than the last one heard of its device; it is remembered then.
    pub(crate) fn hear_plea(&mut self, turn: &mut Turn<'_>, device: DeviceId, wall: Timestamp) -> bool {
        if self.row.heard.iter().any(|heard| heard.device == device && heard.wall >= wall) {
            return false;
        }
        self.row.heard.retain(|heard| heard.device != device);
        self.row.heard.push(Heard { device, wall });
        if self.row.heard.len() > MAX_HEARD {
            self.row.heard.remove(0);
        }
        self.save(turn);
        true
    }

    /// This device's keys in the conversation are lost: all groups are forgotten, and it waits to be added again.
    pub(crate) fn lose(&mut self, turn: &mut Turn<'_>) {
        let present = self.row.present.take().map(|present| present.group);
        self.row.last = present.or(self.row.last);
        let older = std::mem::take(&mut self.row.older);
        for group in present.into_iter().chain(older) {
            self.forget_group(turn, group);
        }
        self.row.pending = false;
        self.row.wishes.clear();
        self.row.succession = None;
        self.row.rejoining = true;
        (self.row.refused, self.row.stranded) = (None, false);
        self.home = super::asking::Asking::default();
        self.save(turn);
    }
}
