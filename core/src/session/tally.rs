//! What came from others and was no good, counted by reason: for whoever looks why something does not arrive.
//!
//! Invariant: a reason is a word of the program and never of what came, so that there are few.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often for which reason, since the session began. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Tally {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Once more.
    pub(super) fn count(&self, reason: &'static str) {
        let mut counts = self.counts();
        let count = counts.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// What was counted so far.
    pub(super) fn read(&self) -> BTreeMap<&'static str, u64> {
        self.counts().clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::chat::{Engine, Habits, Input, Now, Verdict};
    use crate::mls::Suite;
    use crate::session::{Options, Session, create_local, seeded, wall};
    use crate::store::{self, RingKey, Store};

    #[tokio::test]
    async fn what_is_no_good_is_counted_and_goes_from_the_mailbox() {
        let room = tempfile::tempdir().unwrap();
        let key = RingKey::generate().unwrap();
        let (store, _) = Store::open(room.path(), &key, &store::Options::default()).unwrap();
        let setup = create_local("correct horse battery staple", Suite::X25519).unwrap().setup;
        let now = Now { wall: wall(), mono_ms: 0 };
        let (_, effects) = Engine::create(now, &mut seeded(), &store, setup).unwrap();
        store.commit(&effects.batch, now.wall).unwrap();
        let options = Options {
            listen: Vec::new(),
            mdns: false,
            always_relay: false,
            restored: false,
            habits: Habits::default(),
            auto_fetch_bytes: 0,
        };
        let session = Session::start(store, options).await.unwrap();
        assert!(session.refused().is_empty());
        for _ in 0..3 {
            let garbage = Input::Envelope { from: None, bytes: b"no envelope".to_vec() };
            assert_eq!(session.heart.envelope(garbage).await, Ok(Verdict::Durable));
        }
        assert_eq!(session.refused(), [("envelope", 3)].into());
        session.shutdown().await;
    }
}
