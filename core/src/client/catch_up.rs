//! Voice notes that should have become text by themselves and did not: the program ended in the middle, too many came at once, there was
//! no power from the mains, or no model yet. They are looked for after a start and now and then, one after the other.

use std::sync::Arc;
use std::time::Duration;

use super::speech_options::SpeechChoice;
use super::transcribe::Wanted;
use super::{Client, ClientError, power};
use crate::chat::view::{self, ConversationView};
use crate::chat::{Anchor, Item, ItemBody};
use crate::session::wall;
use crate::types::{ContentId, Timestamp};
use crate::wire::control::Urgency;

/// After a start so long: what people look at comes first.
const SETTLED: Duration = Duration::from_secs(4);

/// How often it is looked.
const AGAIN: Duration = Duration::from_secs(600);

/// Only what came so recently: who lets Kith write notes down does not mean those of all times.
const RECENT_MS: u64 = 3 * 86_400_000;

/// Messages of a conversation that are looked at.
const LOOKED_AT: usize = 100;

/// Notes that are written down at one look.
const MOST: usize = 64;

/// Looks from now on, as long as the client is there.
pub(super) fn follow(client: &Client) {
    let inner = Arc::downgrade(&client.inner);
    tokio::spawn(async move {
        let mut rest = SETTLED;
        loop {
            tokio::time::sleep(rest).await;
            let Some(inner) = inner.upgrade() else { return };
            if let Err(error) = (Client { inner }).catch_up().await {
                tracing::debug!(%error, "Voice notes could not be written down for now.");
            }
            rest = AGAIN;
        }
    });
}

impl Client {
    async fn catch_up(&self) -> Result<(), ClientError> {
        let choice = self.inner.speech.choices.now();
        if !may_listen(&choice) {
            return Ok(());
        }
        let client = self.clone();
        let looked = tokio::task::spawn_blocking(move || client.missed(&choice)).await;
        for (conversation, id) in looked.map_err(|_| ClientError::Ending)?? {
            if !may_listen(&self.inner.speech.choices.now()) {
                return Ok(());
            }
            let wanted = Wanted { urgency: Urgency::Background, ..Wanted::default() };
            match self.listen_to(&conversation, id, wanted).await {
                // One after the other: others find room in the queue. What fails is said where the note is.
                Ok(result) => drop(result.await),
                Err(error) => tracing::debug!(%error, "A voice note could not be written down."),
            }
        }
        Ok(())
    }

    /// Recent notes that are to become text by themselves, and of which nobody has any; the newest first.
    fn missed(&self, choice: &SpeechChoice) -> Result<Vec<(Arc<ConversationView>, ContentId)>, ClientError> {
        let (me, since) = (self.me(), Timestamp(wall().0.saturating_sub(RECENT_MS)));
        let mut missed = Vec::new();
        for id in view::conversations(self.store())? {
            let Some(conversation) = self.conversation(id)? else { continue };
            let page = view::page(self.store(), &conversation, me, Anchor::Newest, LOOKED_AT)?;
            for item in page.iter().rev().filter(|item| item.arrived >= since && self.becomes_text(choice, item)) {
                // A transcript that was discarded is none, and stays discarded.
                if item.transcript.is_none() && !self.has_kept(&conversation, &item.id)? {
                    missed.push((item.arrived, Arc::clone(&conversation), item.id));
                }
            }
        }
        missed.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        Ok(missed.into_iter().take(MOST).map(|(_, conversation, id)| (conversation, id)).collect())
    }

    /// Whether a message is a voice note that is to become text without being asked for.
    pub(super) fn becomes_text(&self, choice: &SpeechChoice, item: &Item) -> bool {
        let ItemBody::VoiceNote { duration_ms, .. } = item.body else { return false };
        let wanted = if item.author == self.me().account { choice.attach } else { choice.automatic };
        wanted && duration_ms <= choice.up_to_s.saturating_mul(1000)
    }
}

/// Whether anything is to become text by itself now.
pub(super) fn may_listen(choice: &SpeechChoice) -> bool {
    (choice.automatic || choice.attach) && (!choice.mains_only || power::on_mains() != Some(false))
}
