//! One conversation: membership, feeds, delivery and repair tied together.
//!
//! It carries what one of them learns to the others, seals what is to be said into envelopes, and asks the home. Whom an envelope
//! reaches is the driver's business, who a contact is the account's, and what an event means on the screen the fold's.
//!
//! Invariants: text is sent under the present group whatever the home does; without a group it waits, durably, and loses
//! nothing. What came from outside changes nothing before it was verified.
//! Source: DESIGN §2, §4, §5; `docs/protocol-conversation.md`.

mod carry;
mod doze;
mod marks;
mod meet;
mod read;
mod recall;
mod receive;
mod say;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use rand_core::RngCore;

pub(crate) use self::carry::own_home;
pub(crate) use self::doze::Dozing;
pub(crate) use self::read::ids;
pub(crate) use self::recall::LatestEvent;
pub(crate) use self::receive::{Received, dropped};
pub(crate) use self::say::envelope;
use super::account::Account;
use super::api::Notice;
use super::delivery::Delivery;
use super::feed::{Changes, Feeds, Me};
use super::membership::Membership;
use super::policy::Kind;
use super::transaction::Transaction;
use super::turn::{EngineError, Turn};
use crate::store::Read;
use crate::types::{AccountId, ContentId, ConversationId, DeviceId, GroupId, Rng};
use crate::wire::event::Event;
use crate::wire::log;
use crate::wire::message::Cut;

/// Marks wait so long at most, so that a burst of messages is answered once.
const MARKS_MS: u64 = 700;

/// How often devices that meet nobody compare what they hold.
const DIGEST_MS: u64 = 60 * 60 * 1000;

/// Calls and letters that the engine is to carry out for a conversation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Errand {
    /// Ask the conversation's home.
    Home(log::Request),
    /// Take an account's key packages.
    Packages(AccountId),
    /// Tell an account, as an event, what it may use to reach this one's devices.
    Grant(AccountId),
    /// Read Welcomes again that nobody known had sent.
    ReadWelcomes,
    /// Plead with the members to be added again.
    Plead,
    /// Begin a conversation of this account alone anew: nobody answers.
    FoundAnew,
    /// Plead no more: this device is in a group.
    DropPleas,
    /// Tell a device that it is in the conversation.
    Recall {
        /// Which.
        device: DeviceId,
        /// It has something waiting for it, and so does this wait for it.
        lasting: bool,
    },
    /// All that was written in the conversation with this account is here: a request to it may be among it.
    SettleDoubt(AccountId),
    /// Read elsewhere on the account: marks of another conversation.
    ReadElsewhere(crate::wire::message::ReadUpTo),
    /// The own profile was set on another of one's devices.
    Herald,
    /// Tell one's other devices the secrets of new prekeys, if only they hear it.
    SharePrekeys,
    /// A newer record of an account came: its devices are brought in step with it everywhere.
    NewRecord(AccountId),
}

/// How this device behaves where the protocol leaves it a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// Commits an empty update after joining and weekly. A simulation of many joins may do without.
    pub renews_keys: bool,
    /// Tells others what was read.
    pub read_receipts: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { renews_keys: true, read_receipts: true }
    }
}

/// What all conversations share while an input is handled.
pub(crate) struct Shared<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) peers: &'a BTreeSet<DeviceId>,
    pub(crate) habits: Habits,
    pub(crate) errands: &'a mut Vec<(ConversationId, Errand)>,
    /// Conversations whose group has a new epoch: what is parked for them is read again.
    pub(crate) advanced: &'a mut Vec<ConversationId>,
    /// Who has sealed something, in which group and epoch: the Welcomes that led them there are done.
    pub(crate) heard: &'a mut Vec<(GroupId, DeviceId, u64)>,
}

impl Shared<'_> {
    fn me(&self) -> Me {
        Me { account: self.account.id(), device: self.account.device() }
    }
}

/// A conversation in memory.
#[derive(Debug)]
pub(crate) struct Conversation {
    id: ConversationId,
    membership: Membership,
    delivery: Delivery,
    marks_at: Option<u64>,
    untold: marks::Untold,
    digest_at: u64,
    /// While it is in doubt whether a request was answered before: from when on a member that holds nothing more shows it.
    sure_at: Option<u64>,
    move_at: Option<u64>,
    renew_at: Option<u64>,
    plead_at: Option<u64>,
    /// The pause after the next plea.
    plead_wait_ms: u64,
    packages_at: BTreeMap<AccountId, u64>,
    /// When to look again for devices of members that are in no group yet, and the wait after that.
    sync_at: Option<u64>,
    sync_wait_ms: u64,
    /// Devices that did not answer a Welcome, and whose key packages are asked for.
    anew: BTreeMap<DeviceId, AccountId>,
    rounds: BTreeMap<DeviceId, (u64, u32)>,
    /// Devices from which something came beyond a gap.
    gaps: BTreeMap<DeviceId, meet::Gap>,
    suspect_at: u64,
    over_at: u64,
    silences: BTreeMap<DeviceId, recall::Silence>,
    /// When to look who was not heard of.
    silent_at: u64,
}

impl Conversation {
    /// A conversation that has no group yet.
    pub(crate) fn new(turn: &Turn<'_>, id: ConversationId, me: Me) -> Result<Self, EngineError> {
        Self::assemble(turn, Membership::new(id), id, me)
    }

    /// Takes it back from the store.
    pub(crate) fn load(turn: &Turn<'_>, id: ConversationId, me: Me) -> Result<Option<Self>, EngineError> {
        let Some(membership) = Membership::load(&turn.read(), id)? else { return Ok(None) };
        Self::assemble(turn, membership, id, me).map(Some)
    }

    fn assemble(turn: &Turn<'_>, membership: Membership, id: ConversationId, me: Me) -> Result<Self, EngineError> {
        let delivery = Delivery::load(&turn.read(), id, me)?;
        Ok(Self {
            id,
            membership,
            delivery,
            marks_at: None,
            untold: marks::Untold::default(),
            digest_at: turn.now.mono_ms.saturating_add(DIGEST_MS),
            sure_at: None,
            move_at: None,
            renew_at: None,
            plead_at: None,
            plead_wait_ms: carry::PLEA_AGAIN_MS,
            packages_at: BTreeMap::new(),
            sync_at: None,
            sync_wait_ms: carry::SYNC_AGAIN_MS,
            anew: BTreeMap::new(),
            rounds: BTreeMap::new(),
            gaps: BTreeMap::new(),
            suspect_at: 0,
            over_at: 0,
            silences: BTreeMap::new(),
            silent_at: 0,
        })
    }

    pub(crate) const fn membership(&self) -> &Membership {
        &self.membership
    }

    pub(crate) const fn membership_mut(&mut self) -> &mut Membership {
        &mut self.membership
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        self.membership.policy().map(|policy| policy.kind)
    }

    /// The account that a direct conversation is with.
    pub(crate) fn partner(&self, own: AccountId) -> Option<AccountId> {
        let policy = self.membership.policy().filter(|policy| policy.kind == Kind::Direct)?;
        policy.seats.iter().map(|seat| seat.account).find(|account| *account != own)
    }

    /// Resumes after a start: reads the log, tells marks, offers its digest.
    pub(crate) fn start(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        self.membership.read_log();
        self.delivery.hurry(None);
        if self.membership.wants_back() {
            self.plead_at = Some(turn.now.mono_ms);
        }
        if shared.habits.renews_keys {
            self.renew_at = Some(turn.now.mono_ms.saturating_add(write::renewal_delay(turn.rng)));
        }
        self.marks_at = Some(turn.now.mono_ms);
        self.sync_later(turn);
        let needed = self.membership.succession_needs();
        shared.errands.extend(needed.into_iter().map(|account| (self.id, Errand::Packages(account))));
        if self.must_move(turn, shared)? {
            self.plan_move(turn, shared);
        }
        self.advance(turn, shared)
    }

    /// Does all that has become due.
    pub(crate) fn advance(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        self.drive(turn, shared)?;
        if self.plead_at.is_some_and(|at| at <= now) {
            self.plead(turn, shared);
        }
        if self.renew_at.is_some_and(|at| at <= now) {
            self.renew(turn, shared);
        }
        if self.move_at.is_some_and(|at| at <= now) {
            self.force_move(turn, shared)?;
        }
        self.ask_packages_again(turn, shared);
        if self.sync_at.is_some_and(|at| at <= now) {
            self.sync_at = None;
            self.sync_devices(turn, shared, 0)?;
        }
        self.pump(turn, shared)?;
        self.tell_due_marks(turn, shared)?;
        self.ask_for_gaps(turn, shared)?;
        if self.digest_at <= now {
            self.digest_at = now.saturating_add(DIGEST_MS);
            let devices = self.others(shared);
            self.offer_digest(turn, shared, &devices)?;
            self.say_removed(turn, shared)?;
        }
        if self.silent_at <= now {
            self.recall_silent(turn, shared);
        }
        Ok(())
    }

    /// When [`Conversation::advance`] has something to do next.
    pub(crate) fn wake_at(&self) -> Option<u64> {
        let sending = self.membership.present().and_then(|_| self.delivery.wake_at());
        let present = self.membership.present().map(|_| self.digest_at.min(self.silent_at));
        [
            self.membership.wake_at(),
            sending,
            self.marks_at,
            self.untold.wake_at(),
            present,
            self.move_at,
            self.renew_at,
            self.plead_at,
            self.packages_at.values().min().copied(),
            self.gaps.values().map(|gap| gap.ask_at).min(),
            self.sync_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Waits until the relay or a device was away end.
    pub(crate) fn hurry(&mut self, device: Option<&DeviceId>) {
        self.delivery.hurry(device);
        self.untold.hurry(device);
        let home = self.membership.policy().is_some_and(|policy| match device {
            Some(device) => policy.home.is_device(*device),
            None => true,
        });
        if home {
            self.membership.read_log();
        }
    }

    /// A piece of work on the feeds; what changed is carried on.
    fn work<T>(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        work: impl FnOnce(&mut Feeds<'_, '_, &dyn Read>, &mut Rng) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let (done, changes) = {
            let mut tx = Transaction::new(&turn.base, &mut turn.effects.batch);
            let mut feeds = Feeds::open(&mut tx, self.id, shared.me(), self.membership.roster(), turn.now)?;
            let done = work(&mut feeds, turn.rng)?;
            (done, feeds.finish()?)
        };
        self.changed(turn, shared, changes)?;
        Ok(done)
    }

    fn changed(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, changes: Changes) -> Result<(), EngineError> {
        for counted in &changes.counted {
            self.counted(turn, shared, counted)?;
        }
        let conversation = self.id;
        for id in changes.touched {
            let new = changes.appeared.contains(&id);
            turn.effects.notices.push(Notice::Timeline { conversation, id, new });
        }
        for (feed, fault) in changes.faults {
            turn.effects.notices.push(Notice::FeedFork { conversation, device: feed.device });
            self.spread_fault(turn, shared, &fault)?;
        }
        Ok(())
    }

    /// Where the feeds of each member end here, for a commit that removes some.
    fn held(&self, turn: &mut Turn<'_>, me: Me) -> Result<BTreeMap<DeviceId, Vec<Cut>>, EngineError> {
        if !self.membership.wants_cuts() {
            return Ok(BTreeMap::new());
        }
        self.cuts_here(turn, me)
    }

    /// The same, whether or not such a commit may be made.
    fn cuts_here(&self, turn: &mut Turn<'_>, me: Me) -> Result<BTreeMap<DeviceId, Vec<Cut>>, EngineError> {
        let mut tx = Transaction::new(&turn.base, &mut turn.effects.batch);
        let mut feeds = Feeds::open(&mut tx, self.id, me, self.membership.roster(), turn.now)?;
        let mut held = BTreeMap::new();
        // Who is no leaf yet may be one by an entry that is walked before the commit is made.
        for (device, _) in self.membership.roster().members() {
            held.insert(*device, feeds.cuts_of(device)?);
        }
        Ok(held)
    }

    /// An event that is held here.
    fn event(&self, turn: &Turn<'_>, id: &ContentId) -> Result<Option<Event>, EngineError> {
        Ok(super::feed::row::load_event(&turn.read(), &self.id, id)?)
    }

    /// All present devices but this one.
    fn others(&self, shared: &Shared<'_>) -> Vec<DeviceId> {
        self.membership.present_devices().filter(|device| *device != shared.account.device()).collect()
    }

    fn mark_soon(&mut self, turn: &Turn<'_>) {
        let at = turn.now.mono_ms.saturating_add(MARKS_MS);
        self.marks_at = Some(self.marks_at.map_or(at, |earlier| earlier.min(at)));
    }
}

/// A number below `most`, or 0.
pub(crate) fn draw(rng: &mut Rng, most: u64) -> u64 {
    rng.next_u64().checked_rem(most.max(1)).unwrap_or(0)
}
