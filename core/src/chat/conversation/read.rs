//! Which conversations are here.

use crate::chat::turn::EngineError;
use crate::store::{Range, Read, Table};
use crate::types::ConversationId;

/// The most conversations that are looked for.
const MAX_CONVERSATIONS: usize = 100_000;

/// The ids of the conversations here.
pub(crate) fn ids(read: &(impl Read + ?Sized)) -> Result<Vec<ConversationId>, EngineError> {
    let rows = read.scan(Table::Conversation, &[], Range::first(MAX_CONVERSATIONS))?;
    let mut ids: Vec<ConversationId> = rows
        .iter()
        .filter(|row| row.key.ends_with(b"/membership"))
        .filter_map(|row| row.key.get(..ConversationId::LEN).and_then(|key| ConversationId::try_from(key).ok()))
        .collect();
    ids.dedup();
    Ok(ids)
}
