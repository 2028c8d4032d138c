//! Whom a [`Backend`](super::Backend) asks: a profile's client, or in tests nobody.

use std::path::Path;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use kith_core::client::Client;
use kith_core::wire::control::{Event, Reply, Request};

use crate::platform::sign::Sign;
use crate::problem::Problem;

/// Who answers.
#[derive(Clone)]
pub(super) enum Asked {
    /// A profile at work.
    Client(Client),
    /// Nobody: views and what leads to them are tested without a store and a network.
    #[cfg(test)]
    Nobody(tests::Record),
}

impl Asked {
    pub(super) async fn execute(&self, request: Request) -> Result<Reply, Problem> {
        match self {
            Self::Client(client) => Ok(client.execute(request).await?),
            #[cfg(test)]
            Self::Nobody(record) => record.answer(request),
        }
    }

    pub(super) fn events(&self) -> BoxStream<'static, Event> {
        match self {
            Self::Client(client) => told(client.subscribe()).boxed(),
            #[cfg(test)]
            Self::Nobody(_) => futures::stream::pending().boxed(),
        }
    }

    pub(super) async fn sign(&self, sign: Sign) -> Result<(), Problem> {
        match self {
            Self::Client(client) => Ok(client.sign(sign.sound()).await?),
            #[cfg(test)]
            Self::Nobody(record) => {
                record.hear(sign);
                Ok(())
            }
        }
    }

    /// The client itself, for what is no request: sound.
    pub(super) fn client(&self) -> Option<Client> {
        match self {
            Self::Client(client) => Some(client.clone()),
            #[cfg(test)]
            Self::Nobody(_) => None,
        }
    }

    pub(super) fn directory(&self) -> &Path {
        match self {
            Self::Client(client) => client.directory(),
            #[cfg(test)]
            Self::Nobody(_) => Path::new("nowhere"),
        }
    }

    pub(super) async fn shutdown(&self) {
        match self {
            Self::Client(client) => client.shutdown().await,
            #[cfg(test)]
            Self::Nobody(_) => {}
        }
    }

    pub(super) async fn erase(self) -> Result<(), Problem> {
        match self {
            Self::Client(client) => Ok(client.erase().await?),
            #[cfg(test)]
            Self::Nobody(_) => Ok(()),
        }
    }
}

fn told(events: kith_core::client::EventStream) -> impl Stream<Item = Event> {
    futures::stream::unfold(events, |mut events| async move { Some((events.next().await?, events)) })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What nobody was asked, and what nobody answers.
    #[derive(Clone, Default)]
    pub(crate) struct Record(Arc<Mutex<(Vec<Request>, VecDeque<Reply>)>>, Arc<Mutex<Vec<Sign>>>);

    impl Record {
        /// The next question that has no answer yet is answered so; without an answer it is refused.
        pub(crate) fn will_answer(&self, reply: Reply) {
            self.0.lock().unwrap().1.push_back(reply);
        }

        /// What was asked since the last time.
        pub(crate) fn asked(&self) -> Vec<Request> {
            std::mem::take(&mut self.0.lock().unwrap().0)
        }

        /// What was heard since the last time.
        pub(crate) fn heard(&self) -> Vec<Sign> {
            std::mem::take(&mut self.1.lock().unwrap())
        }

        pub(super) fn hear(&self, sign: Sign) {
            self.1.lock().unwrap().push(sign);
        }

        pub(super) fn answer(&self, request: Request) -> Result<Reply, Problem> {
            let mut record = self.0.lock().unwrap();
            record.0.push(request);
            record.1.pop_front().ok_or_else(|| Problem::new("ending", "this program is ending"))
        }
    }
}
