//! Messages and the files that they bring.

use std::path::Path;

use kith_core::wire::control::{File, Message, Transfer};

use super::{beginning, indented, seconds, time};

/// A message in one line, or more if its text has more.
pub(crate) fn message(message: &Message) -> String {
    let mut line = format!("{}  {}: {}", time(message.sent_ms), message.author_name, body(message));
    let mut notes = Vec::new();
    if message.edited {
        notes.push("edited".to_owned());
    }
    if let Some(state) = &message.state {
        notes.push(delivery(state, message.route.as_deref()));
    }
    notes.extend(message.reactions.iter().map(|(emoji, count)| format!("{emoji} {count}")));
    if !notes.is_empty() {
        line.push_str(&format!("  ({})", notes.join("; ")));
    }
    line
}

/// What a message says.
pub(crate) fn body(message: &Message) -> String {
    match message.kind.as_str() {
        "deleted" => "[deleted]".to_owned(),
        "voice" => {
            let length = message.duration_ms.map(|ms| format!(", {}", seconds(u64::from(ms)))).unwrap_or_default();
            let said = message.transcript.as_deref().map(|text| format!(" {}", indented(text))).unwrap_or_default();
            format!("[voice note{length}]{said}")
        }
        "file" => {
            let words = message.text.as_deref().map(|text| format!(" {}", indented(text))).unwrap_or_default();
            let file = message.file.as_ref().map(file).unwrap_or_default();
            format!("[file{file}]{words}")
        }
        "left" => "[left the group]".to_owned(),
        "missing" => "[not here yet: it is being fetched]".to_owned(),
        "malformed" => "[damaged]".to_owned(),
        "unknown" => "[from a newer Kith: update to see it]".to_owned(),
        _ => indented(message.text.as_deref().unwrap_or_default()),
    }
}

/// ` a.pdf, 20 MB, fetched`.
fn file(file: &File) -> String {
    format!(" {}, {}, {}", file.name, bytes(file.size), transfer_word(&file.transfer))
}

fn transfer_word(transfer: &Transfer) -> &str {
    match transfer.state.as_str() {
        "none" => "not fetched",
        "waiting" => "waiting",
        "active" => "on its way",
        "uploaded" => "at the relay",
        "done" => "here",
        "cancelled" => "given up",
        _ => "failed",
    }
}

/// How a transfer stands.
pub(crate) fn transfer(transfer: &Transfer) -> String {
    let done = match transfer.state.as_str() {
        "active" | "waiting" => format!(", {}", progress(transfer)),
        _ => String::new(),
    };
    let problem = transfer.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    format!("{}{done}{problem}", transfer_word(transfer))
}

/// `45 % of 20.0 MB`.
pub(crate) fn progress(transfer: &Transfer) -> String {
    let percent = transfer.done.saturating_mul(100).checked_div(transfer.total).unwrap_or(100);
    format!("{percent} % of {}", bytes(transfer.total))
}

/// A size as people say it: in the unit of which there are neither too many nor too few.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1000.0 && unit < UNITS.len() - 1 {
        size /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{bytes} {name}") } else { format!("{size:.1} {name}") }
}

pub(crate) const NO_FILE: &str = "there is no file of theirs to fetch";

pub(crate) fn saved(path: &Path, size: u64) -> String {
    format!("{} ({})", path.display(), bytes(size))
}

pub(crate) fn not_gone_yet(now: &Transfer) -> String {
    format!(
        "The file has not gone yet ({}). It is kept, and goes when Kith runs and the way is free: `kith run`.",
        transfer(now)
    )
}

/// `sent, by mailbox`.
pub(crate) fn delivery(state: &str, route: Option<&str>) -> String {
    match route {
        Some("direct") => format!("{state}, directly"),
        Some(route) => format!("{state}, by {route}"),
        None => state.to_owned(),
    }
}

/// The change of one's own message, in a chat.
pub(crate) fn ticked(message: &Message) -> Option<String> {
    let state = message.state.as_deref()?;
    let tick = match state {
        "sent" => "✓",
        "delivered" | "read" => "✓✓",
        _ => return None,
    };
    Some(format!("    {tick} {}: {}", delivery(state, message.route.as_deref()), beginning(&body(message))))
}

pub(crate) fn not_sent_yet(seconds: u64) -> String {
    format!(
        "It did not leave within {seconds} s. It is kept, and goes out when Kith runs and the way is free: `kith run`."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_message_tells_its_state_and_its_way_in_words() {
        let mut shown = Message {
            author_name: "me".into(),
            mine: true,
            sent_ms: 0,
            reactions: vec![("👍".into(), 2)],
            state: Some("delivered".into()),
            route: Some("direct".into()),
            ..samples::message(1, "one\ntwo")
        };
        assert_eq!(message(&shown), "1970-01-01 00:00Z  me: one\n    two  (delivered, directly; 👍 2)");
        assert_eq!(ticked(&shown).as_deref(), Some("    ✓✓ delivered, directly: one…"));
        shown.kind = "voice".into();
        shown.duration_ms = Some(2140);
        shown.transcript = Some("Meet me.".into());
        shown.state = Some("queued".into());
        shown.route = None;
        assert_eq!(message(&shown), "1970-01-01 00:00Z  me: [voice note, 2.1 s] Meet me.  (queued; 👍 2)");
        assert_eq!(ticked(&shown), None);
    }
}
