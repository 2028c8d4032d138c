//! What somebody does who has a member's true keys and follows no rule: drawn from the seed, or asked for by a scenario.
//!
//! A hostile device runs an engine like any other, as a cover, and between its inputs does what is here: it signs with its keys, seals
//! under its leaf and appends with its write key, and no check of the engine's is in its way. What it sends it puts straight before its
//! victims' engines.

mod deeds;
mod words;

use kith_core::chat::policy::Kind as Sort;
use kith_core::chat::repair;
use kith_core::chat::rogue::{Ground, Rogue, ground};
use kith_core::chat::{EngineError, Input};
use kith_core::types::{ContentId, ConversationId, FeedId, GroupId, Hash, Incarnation, Rng};
use kith_core::wire::codec::Body as _;
use kith_core::wire::envelope::{Envelope, Packet};
use kith_core::wire::event::UnverifiedEvent;
use kith_core::wire::message::{FeedState, Kind, Message};
use rand_core::{RngCore, SeedableRng};

use super::faults::Fault;
use super::world::World;

/// Before any entry of a log, before any event of a feed.
const ZERO: Hash = Hash::new([0; Hash::LEN]);

/// Events in one message.
const BUNDLE: usize = 100;

/// Between two of them: longer than the one is under way.
const BUNDLE_MS: u64 = 100;

/// What a hostile member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    /// Closes the feeds of others by what it says of the past.
    CutByAnchors,
    /// Names somebody who never was a member as a former one, with what they wrote.
    FalseFormer,
    /// Lies about what it holds, walked and knows.
    Lie,
    /// Says of two headers that they are at odds, which they are not.
    FalseFork,
    /// Says of a home that it lies, which it does not.
    FalseEquivocation,
    /// Passes on what others wrote, and alters it.
    Alter,
    /// Passes on what was written in another conversation.
    Replay,
    /// Writes a feed whose clock falls, and one whose epoch does.
    Fall,
    /// Writes in so many feeds, of which each victim first sees another part.
    Lives(usize),
    /// Changes another's message so many times, in one way or in all.
    Flood(ContentId, Option<Kind>, usize),
    /// Writes two events for one place, and tells one of them to each victim.
    ForkItself,
    /// Appends a commit that it may not make.
    Commit(Unentitled),
    /// Founds a group that takes the conversation over, and leads others into it.
    Succeed(Successor),
    /// Leads others into conversations that are not its own.
    Trespass,
    /// Pleads, for itself and in a conversation that it is not in.
    Plead,
    /// Sends what is nothing.
    Garbage,
    /// Passes on all that a removed device wrote.
    PassOn(usize),
}

/// A commit that its maker may not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unentitled {
    RemoveALeaf,
    Unseat,
    AddADevice,
    ChangeTheRules,
    NewGeneration,
    TakeTheHome,
    BecomeAdmin,
    CutAFeed,
    FallBackToAnOlderRecord,
    SeatAStranger,
    NameAnotherPast,
    FloodWithRecords,
}

impl Unentitled {
    pub(crate) const ALL: [Self; 12] = [
        Self::RemoveALeaf,
        Self::Unseat,
        Self::AddADevice,
        Self::ChangeTheRules,
        Self::NewGeneration,
        Self::TakeTheHome,
        Self::BecomeAdmin,
        Self::CutAFeed,
        Self::FallBackToAnOlderRecord,
        Self::SeatAStranger,
        Self::NameAnotherPast,
        Self::FloodWithRecords,
    ];
}

/// What is wrong with a group that is to take a conversation over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Successor {
    /// All is as it should be, but for its maker.
    Plain,
    /// It names another policy as the one before.
    OtherPast,
    /// Its seats follow the first records of all accounts.
    OldRecords,
}

impl World {
    /// Lets a device's keys do what they are told to; what it came to, if it could be done.
    pub(crate) fn as_rogue<T>(
        &mut self,
        device: usize,
        act: impl FnOnce(&mut Rogue<'_>) -> Result<T, EngineError>,
    ) -> Option<T> {
        let now = self.now_of(device);
        let mut rng = Rng::seed_from_u64(self.draw(u64::MAX));
        let (done, batch) = {
            let mut rogue = Rogue::open(now, &mut rng, &self.devices[device].store).ok().flatten()?;
            let done = act(&mut rogue);
            (done, rogue.into_batch())
        };
        let done = done.ok()?;
        self.devices[device].store.apply(&batch);
        if self.devices[device].is_up() {
            self.reopen(device);
        }
        Some(done)
    }

    /// Where a device stands in a conversation.
    pub(crate) fn ground(&self, device: usize, conversation: ConversationId) -> Option<Ground> {
        ground(&self.devices[device].store, conversation).expect("a readable store")
    }

    /// What nobody may write.
    pub(crate) fn forged_text(&mut self) -> String {
        self.ledger.texts += 1;
        let text = format!("forged {}", self.ledger.texts);
        self.ledger.forbidden.insert(text.clone());
        text
    }

    fn rogue_text(&mut self, device: usize) -> String {
        self.ledger.texts += 1;
        let text = format!("rogue {}", self.ledger.texts);
        self.ledger.authors.insert(text.clone(), self.devices[device].account);
        text
    }

    /// One more hostile act, of those that there are.
    pub(crate) fn be_hostile(&mut self) {
        let rogues: Vec<usize> = self.hostile.iter().copied().filter(|device| self.devices[*device].is_up()).collect();
        let Some(device) = self.pick(&rogues) else { return };
        let shared: Vec<ConversationId> = self
            .conversations(device)
            .into_iter()
            .filter(|view| view.kind != Sort::Own)
            .map(|view| view.id)
            .filter(|id| !self.victims(device, *id).is_empty())
            .collect();
        let Some(conversation) = self.pick(&shared) else { return };
        let commit = self.pick(&Unentitled::ALL).unwrap_or(Unentitled::CutAFeed);
        let successor =
            self.pick(&[Successor::Plain, Successor::OtherPast, Successor::OldRecords]).unwrap_or(Successor::Plain);
        let attacks = [
            Attack::CutByAnchors,
            Attack::FalseFormer,
            Attack::Lie,
            Attack::FalseFork,
            Attack::FalseEquivocation,
            Attack::Alter,
            Attack::Replay,
            Attack::Fall,
            Attack::Lives(70),
            Attack::ForkItself,
            Attack::Commit(commit),
            Attack::Commit(commit),
            Attack::Succeed(successor),
            Attack::Trespass,
            Attack::Plead,
            Attack::Garbage,
        ];
        let mut attack = self.pick(&attacks).unwrap_or(Attack::Garbage);
        if self.chance(150)
            && let Some(of) = self.words_of_others(device, conversation).first().copied()
        {
            attack = Attack::Flood(of, None, 30);
        }
        self.attack(device, conversation, attack);
    }

    /// Honest devices that know of a conversation.
    pub(crate) fn victims(&self, device: usize, conversation: ConversationId) -> Vec<usize> {
        let knows =
            |other: &usize| *other != device && self.conversations(*other).iter().any(|view| view.id == conversation);
        self.honest().into_iter().filter(knows).collect()
    }

    fn words_of_others(&self, device: usize, conversation: ConversationId) -> Vec<ContentId> {
        let Some(view) = self.conversations(device).into_iter().find(|view| view.id == conversation) else {
            return Vec::new();
        };
        let own = self.devices[device].account;
        let lines = self.timeline(device, &view);
        lines.into_iter().rev().filter(|line| line.author != own).map(|line| line.id).collect()
    }

    /// A hostile device does something.
    pub(crate) fn attack(&mut self, device: usize, conversation: ConversationId, attack: Attack) {
        self.happened.insert(Fault::Hostile);
        self.note("attack", device, &[], || format!("{device}: {attack:?} in {conversation:?}"));
        let victims = self.victims(device, conversation);
        match attack {
            Attack::CutByAnchors => self.cut_by_anchors(device, conversation, &victims),
            Attack::FalseFormer => self.false_former(device, conversation, &victims),
            Attack::Lie => self.lie_of_what_is_held(device, conversation, &victims),
            Attack::FalseFork => self.false_fork(device, conversation, &victims),
            Attack::FalseEquivocation => self.false_equivocation(device, conversation, &victims),
            Attack::Alter => self.alter(device, conversation, &victims),
            Attack::Replay => self.replay(device, conversation, &victims),
            Attack::Fall => self.fall(device, conversation, &victims),
            Attack::Lives(count) => self.many_lives(device, conversation, &victims, count),
            Attack::Flood(of, kind, count) => self.flood(device, conversation, &victims, (of, kind, count)),
            Attack::ForkItself => self.fork_itself(device, conversation, &victims),
            Attack::Commit(commit) => self.commit_unentitled(device, conversation, commit),
            Attack::Succeed(wrong) => {
                self.succeed(device, conversation, &victims, wrong);
            }
            Attack::Trespass => self.trespass(device, &victims),
            Attack::Plead => self.plead_for_nothing(device, &victims),
            Attack::Garbage => self.send_garbage(device, conversation, &victims),
            Attack::PassOn(thief) => self.pass_on(device, conversation, &victims, thief),
        }
    }

    /// Puts an envelope before a device, as if it had come straight from the rogue.
    fn slip(&mut self, from: usize, to: usize, envelope: &Envelope) {
        let (from, bytes) = (self.devices[from].id, envelope.encode());
        self.carry(true, move |world| {
            world.input(to, Input::Envelope { from: Some(from), bytes: bytes.clone() });
        });
    }

    /// Says something to some, under the rogue's own leaf.
    pub(crate) fn say_as_rogue(
        &mut self,
        device: usize,
        conversation: ConversationId,
        to: &[usize],
        message: &Message,
    ) {
        let Some(group) = self.ground(device, conversation).map(|ground| ground.group) else { return };
        self.say_in(device, group, to, message);
    }

    fn say_in(&mut self, device: usize, group: GroupId, to: &[usize], message: &Message) {
        if let Some(envelope) = self.as_rogue(device, |rogue| rogue.say(group, message)) {
            to.iter().for_each(|to| self.slip(device, *to, &envelope));
        }
    }

    /// Tells events, so many at once that they come in their order.
    fn tell_events(&mut self, device: usize, conversation: ConversationId, to: &[usize], events: &[UnverifiedEvent]) {
        for (bundle, turn) in events.chunks(BUNDLE).zip(0..) {
            let (message, to) = (Message::Events(bundle.to_vec()), to.to_vec());
            self.after(turn * BUNDLE_MS, move |world| world.say_as_rogue(device, conversation, &to, &message));
        }
    }

    fn send_packet(&mut self, device: usize, to: &[usize], packet: &Packet) {
        if let Some(envelope) = self.as_rogue(device, |rogue| Ok(rogue.envelope(packet))) {
            to.iter().for_each(|to| self.slip(device, *to, &envelope));
        }
    }

    /// The feeds that a device holds of a conversation, but its own.
    fn feeds_of_others(&self, device: usize, conversation: ConversationId) -> Vec<FeedState> {
        let vector = repair::vector(&self.devices[device].store, &conversation).expect("a readable store");
        let id = self.devices[device].id;
        vector.feeds.into_iter().filter(|state| state.feed.device != id).collect()
    }

    fn random_hash(&mut self) -> Hash {
        let mut bytes = [0; Hash::LEN];
        self.rng.fill_bytes(&mut bytes);
        Hash::new(bytes)
    }

    fn new_feed(&mut self, device: usize) -> FeedId {
        FeedId { device: self.devices[device].id, incarnation: Incarnation::random(&mut self.rng) }
    }
}
