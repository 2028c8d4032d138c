//! What tests show and print, made up.

use kith_core::wire::control::Message;

/// A message as the core would show it.
pub(crate) fn message(number: u64, text: &str) -> Message {
    Message {
        id: format!("feed.0.{number}"),
        conversation: "chat".into(),
        author: "them".into(),
        author_name: "Bob".into(),
        mine: false,
        sent_ms: 1_764_072_000_000 + number * 60_000,
        kind: "text".into(),
        text: Some(text.into()),
        edited: false,
        reply_to: None,
        reply_preview: None,
        reactions: Vec::new(),
        duration_ms: None,
        peaks: None,
        heard_ms: None,
        heard: None,
        heard_by: None,
        transcript: None,
        file: None,
        spoken: None,
        state: None,
        route: None,
        problem: None,
    }
}
