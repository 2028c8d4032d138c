//! Tasks that are carried out as the runtime does, with what they say in the order in which it comes.

use std::time::Duration;

use futures::StreamExt as _;
use iced::Task;
use iced_test::runtime::{Action, task};
use tokio::sync::mpsc;

/// How long anything may take, on a slow machine under load.
const LIMIT: Duration = Duration::from_secs(60);

/// Tasks that are under way, on tokio's runtime.
pub(crate) struct Errands<Message> {
    told: mpsc::UnboundedSender<Message>,
    heard: mpsc::UnboundedReceiver<Message>,
}

impl<Message: Send + 'static> Errands<Message> {
    /// None yet.
    pub(crate) fn new() -> Self {
        let (told, heard) = mpsc::unbounded_channel();
        Self { told, heard }
    }

    /// One more.
    pub(crate) fn run(&self, task: Task<Message>) {
        let Some(mut actions) = task::into_stream(task) else { return };
        let told = self.told.clone();
        tokio::spawn(async move {
            while let Some(action) = actions.next().await {
                if let Action::Output(message) = action {
                    let _ = told.send(message);
                }
            }
        });
    }

    /// The next thing that is said.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        tokio::time::timeout(LIMIT, self.heard.recv()).await.ok().flatten()
    }
}
