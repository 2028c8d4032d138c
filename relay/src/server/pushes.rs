//! What waits to be pushed to a device: so many envelopes and so many bytes, and of all devices together no more than so many bytes.
//!
//! Whoever does not take them fast enough is not pushed any more and fetches from its mailbox, where all of it is.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::domain::Delivered;

/// Pushes that may wait for one device before its connection has to fetch.
pub const PUSHES: usize = 256;

/// Bytes of them: two of the largest envelopes.
const PUSH_BYTES: usize = 4 << 20;

/// Bytes that may wait for all devices together; what many devices are given is counted once.
const ALL_BYTES: usize = 64 << 20;

/// A share of the room that all devices have together. It is given back when the last push that has it was taken.
pub(super) type Share = Arc<OwnedSemaphorePermit>;

/// The room that all devices have together.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL_BYTES)))
    }
}

impl Room {
    /// Room for so many bytes, if there is any.
    pub(super) fn take(&self, bytes: usize) -> Option<Share> {
        take(&self.0, bytes).map(Arc::new)
    }
}

fn take(room: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    Arc::clone(room).try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
}

/// One push that waits, with the room that it takes.
#[derive(Debug)]
struct Waiting {
    what: Delivered,
    _own: OwnedSemaphorePermit,
    _share: Share,
}

/// A channel for one device, in which no more waits than is bounded above.
pub fn pushes() -> (PushSender, PushReceiver) {
    let (sender, receiver) = mpsc::channel(PUSHES);
    (PushSender { sender, room: Arc::new(Semaphore::new(PUSH_BYTES)) }, PushReceiver(receiver))
}

/// The relay's end of the channel. When all are dropped the device has to fetch what comes.
#[derive(Debug, Clone)]
pub struct PushSender {
    sender: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

impl PushSender {
    /// Whether there was room for it.
    pub(super) fn hand_over(&self, what: Delivered, share: Share) -> bool {
        let Some(own) = take(&self.room, what.envelope().len()) else { return false };
        self.sender.try_send(Waiting { what, _own: own, _share: share }).is_ok()
    }

    /// Whether nobody reads the other end any more.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// The end of the channel that a device's connection reads.
#[derive(Debug)]
pub struct PushReceiver(mpsc::Receiver<Waiting>);

impl PushReceiver {
    /// The next push; nothing when there will be none.
    pub async fn recv(&mut self) -> Option<Delivered> {
        self.0.recv().await.map(|waiting| waiting.what)
    }

    /// The next push, if one waits.
    pub fn try_recv(&mut self) -> Option<Delivered> {
        self.0.try_recv().ok().map(|waiting| waiting.what)
    }

    /// Whether the relay has dropped its end.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(bytes: usize) -> Delivered {
        Delivered::Live(vec![7; bytes].into())
    }

    #[test]
    fn no_more_waits_than_there_is_room_for() {
        let room = Room::default();
        let (sender, mut receiver) = pushes();
        let hand_over = |bytes| room.take(bytes).is_some_and(|share| sender.hand_over(live(bytes), share));
        assert!(hand_over(PUSH_BYTES - 1));
        assert!(!hand_over(2), "the device has too much already");
        assert!(hand_over(1));
        assert!(receiver.try_recv().is_some());
        assert!(hand_over(2), "what was taken makes room");
        for _ in 0..PUSHES - 2 {
            assert!(hand_over(1));
        }
        assert!(!hand_over(1), "so many at a time");
    }

    #[test]
    fn what_many_are_given_counts_once_until_the_last_has_taken_it() {
        let room = Room::default();
        let share = room.take(ALL_BYTES).unwrap();
        let (one, mut first) = pushes();
        let (other, mut second) = pushes();
        assert!(one.hand_over(live(1), Arc::clone(&share)) && other.hand_over(live(1), share));
        assert!(room.take(1).is_none());
        assert!(first.try_recv().is_some());
        assert!(room.take(1).is_none(), "another device has not taken it");
        assert!(second.try_recv().is_some());
        assert!(room.take(ALL_BYTES).is_some());
    }
}
