//! What lives in the core while a window shows it: handed over once, then followed from state to state.

use std::sync::{Arc, Mutex, PoisonError};

use futures::Stream;
use tokio::sync::watch;

/// Something that is handed over once, in a message that may be copied.
pub(crate) struct Once<T>(Arc<Mutex<Option<T>>>);

impl<T> Once<T> {
    /// To be taken once.
    pub(crate) fn new(thing: T) -> Self {
        Self(Arc::new(Mutex::new(Some(thing))))
    }

    /// It, the first time.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Clone for Once<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> std::fmt::Debug for Once<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Once")
    }
}

/// Each state, from the one now until nothing changes any more.
pub(crate) fn states<T: Clone + Send + Sync + 'static>(
    states: watch::Receiver<T>,
) -> impl Stream<Item = T> + Send + 'static {
    futures::stream::unfold((states, true), |(mut states, first)| async move {
        if !first {
            states.changed().await.ok()?;
        }
        let state = states.borrow_and_update().clone();
        Some((state, (states, false)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_is_had_once() {
        let once = Once::new(7);
        let copy = once.clone();
        assert_eq!((once.take(), copy.take()), (Some(7), None));
    }

    #[tokio::test]
    async fn each_state_is_told_until_the_last() {
        use futures::StreamExt as _;
        let (sender, receiver) = watch::channel(1);
        let mut told = Box::pin(states(receiver));
        assert_eq!(told.next().await, Some(1));
        sender.send(2).unwrap();
        assert_eq!(told.next().await, Some(2));
        drop(sender);
        assert_eq!(told.next().await, None);
    }
}
