//! What is in a chat beside words: its files and voice notes.

use super::view::format_id;
use super::{Client, ClientError, spoken};
use crate::chat::ItemBody;
use crate::wire::control::Shared;

/// The most messages of one request.
const MOST: usize = 200;

impl Client {
    /// Read where reading may take its time: a chat may be long, and little be shared in it.
    pub(super) async fn shared(&self, with: String, before: Option<String>, limit: u32) -> Result<Shared, ClientError> {
        let client = self.clone();
        let read = tokio::task::spawn_blocking(move || client.read_shared(&with, before.as_deref(), limit));
        read.await.map_err(|_| ClientError::Ending)?
    }

    fn read_shared(&self, with: &str, before: Option<&str>, limit: u32) -> Result<Shared, ClientError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(MOST);
        let mut messages = Vec::new();
        let Some(view) = self.conversation(self.chat_named(with)?)? else {
            return Ok(Shared { messages, before: None });
        };
        let before = self.look_back(&view, before, |item| {
            if matches!(item.body, ItemBody::File(_) | ItemBody::VoiceNote { .. }) {
                messages.push(self.bare_message(&view, item)?);
            }
            Ok(messages.len() < limit)
        })?;
        spoken::bound(&mut messages);
        Ok(Shared { messages, before: before.as_ref().map(format_id) })
    }
}
