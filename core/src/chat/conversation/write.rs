//! Writing own events, marks, and what this device wishes for.

use super::say::LIVE;
use super::{Conversation, Shared, draw};
use crate::chat::api::{CommandError, Notice};
use crate::chat::feed::{AppendError, Writing};
use crate::chat::membership::{EMPTY_LOG, Wish};
use crate::chat::turn::{EngineError, Turn};
use crate::identity::Context;
use crate::types::{ContentId, DeviceId, GroupId, Rng};
use crate::wire::event::{MAX_CONTENT, SIGNATURE_LABEL};
use crate::wire::message::{Kind, Mark, Message};

/// A device renews its keys this often.
const RENEW_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// The update after joining waits so long at most, so that those who were added together do not commit together.
const RENEW_SOON_MS: u64 = 60_000;

/// The group that an event names when it was written before there was one.
const NO_GROUP: GroupId = GroupId::new([0; GroupId::LEN]);

/// When the next weekly renewal is due: spread, so that a conversation's devices do not commit together.
pub(super) fn renewal_delay(rng: &mut Rng) -> u64 {
    RENEW_MS.saturating_add(draw(rng, RENEW_MS / 7))
}

/// When the update after joining is due.
pub(super) fn joining_delay(rng: &mut Rng) -> u64 {
    draw(rng, RENEW_SOON_MS)
}

impl Conversation {
    /// Writes an event and sends it as far as it can be sent now.
    pub(crate) fn write(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        kind: Kind,
        body: Vec<u8>,
    ) -> Result<Result<ContentId, CommandError>, EngineError> {
        let written = self.append(turn, shared, kind, body)?;
        self.pump(turn, shared)?;
        Ok(written)
    }

    fn append(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        kind: Kind,
        body: Vec<u8>,
    ) -> Result<Result<ContentId, CommandError>, EngineError> {
        let writing = self.writing(turn)?;
        let keys = shared.account.keys().events.clone();
        let label = [SIGNATURE_LABEL.as_bytes(), &[0]].concat();
        let outcome = self.work(turn, shared, |feeds, rng| {
            if feeds.own().is_none() {
                let _ = feeds.begin(rng);
            }
            let mut attempt = 0;
            loop {
                let sign = |bytes: &[u8]| {
                    // The key puts the label before what it signs by itself.
                    let header = bytes.strip_prefix(label.as_slice()).unwrap_or(bytes);
                    ed25519_dalek::Signature::from_bytes(keys.sign(Context::Event, header).as_bytes())
                };
                match feeds.append(rng, writing, kind, body.clone(), sign) {
                    Err(AppendError::Closed | AppendError::EpochFell) if attempt == 0 => {
                        attempt = 1;
                        let _ = feeds.begin(rng);
                    }
                    other => return Ok(other),
                }
            }
        })?;
        let event = match outcome {
            Ok(event) => event,
            Err(AppendError::Read(error)) => return Err(error.into()),
            Err(AppendError::TooLong { limit }) => return Ok(Err(CommandError::TooLong { limit })),
            Err(AppendError::NoFeed | AppendError::EpochFell) => {
                return Err(EngineError::Broken("an own feed that refuses"));
            }
            Err(AppendError::Closed) => return Ok(Err(CommandError::NotMember)),
        };
        self.sync_delivery(turn)?;
        let header = event.header();
        Ok(Ok(ContentId { feed: header.feed, sequence: header.sequence }))
    }

    fn writing(&mut self, turn: &Turn<'_>) -> Result<Writing, EngineError> {
        let Some(present) = self.membership.present().cloned() else {
            let generation = self.membership.policy().map_or(0, |policy| policy.generation);
            return Ok(Writing { generation, group: NO_GROUP, epoch: 0, log: EMPTY_LOG });
        };
        let epoch = self.membership.epoch(turn)?.unwrap_or(0);
        Ok(Writing { generation: present.generation, group: present.group, epoch, log: present.log })
    }

    /// The longest body of an event.
    pub(crate) const fn body_limit() -> usize {
        MAX_CONTENT
    }

    /// Everything that has to be deleted with a message; none if it is not this account's, whose deletes alone count for it.
    pub(crate) fn deletable(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        of: &ContentId,
    ) -> Result<Option<Vec<ContentId>>, EngineError> {
        let (me, author) = (shared.me(), of.feed.device);
        let member = self.membership.roster().member(&author);
        if author != me.device && member.is_none_or(|member| member.account != me.account) {
            return Ok(None);
        }
        self.work(turn, shared, |feeds, _| Ok(feeds.deletable(of)?)).map(Some)
    }

    /// Marks everything up to a place as read; the marks that moved, for one's other devices.
    pub(crate) fn mark_read(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        upto: &ContentId,
    ) -> Result<Vec<Mark>, EngineError> {
        let moved = self.work(turn, shared, |feeds, _| Ok(feeds.mark_read(upto)?))?;
        if !moved.is_empty() {
            turn.effects.notices.push(Notice::Listed { conversation: self.id });
            self.mark_soon(turn);
        }
        Ok(moved)
    }

    /// Takes over what was read on another of one's devices.
    pub(crate) fn merge_read(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        marks: &[Mark],
    ) -> Result<(), EngineError> {
        self.work(turn, shared, |feeds, _| Ok(feeds.merge_read(marks)?))?;
        turn.effects.notices.push(Notice::Listed { conversation: self.id });
        Ok(())
    }

    /// Tells who is there that one types, or stopped.
    pub(crate) fn typing(&mut self, turn: &mut Turn<'_>, shared: &mut Shared<'_>, on: bool) -> Result<(), EngineError> {
        let devices: Vec<DeviceId> =
            self.others(shared).into_iter().filter(|device| shared.peers.contains(device)).collect();
        self.tell(turn, shared, &devices, &Message::Typing { on }, LIVE)?;
        Ok(())
    }

    /// Wishes for a change of membership, after a delay.
    pub(crate) fn wish(
        &mut self,
        turn: &mut Turn<'_>,
        shared: &mut Shared<'_>,
        wish: Wish,
        delay_ms: u64,
    ) -> Result<(), EngineError> {
        self.membership.wish(turn, wish, delay_ms);
        self.drive(turn, shared)
    }

    pub(super) fn renew(&mut self, turn: &mut Turn<'_>, shared: &Shared<'_>) {
        self.renew_at = None;
        if shared.habits.renews_keys && self.membership.present().is_some() {
            self.membership.wish(turn, Wish::Update, 0);
            self.renew_at = Some(turn.now.mono_ms.saturating_add(renewal_delay(turn.rng)));
        }
    }
}
