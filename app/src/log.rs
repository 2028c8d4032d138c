//! The last lines of the log, in memory, so that a person can copy them without knowing where logs go.
//!
//! Bounded: the oldest lines make room, and a long line is cut. What is in a line is what the log has: no message, key or name
//! (`docs/architecture.md`, Logging).

use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// As many lines are kept.
const LINES: usize = 500;

/// A longer line is cut, in characters.
const MAX_LINE: usize = 1000;

/// The last lines: a layer for the program's subscriber. Cheap to clone: all clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    lines: Arc<Mutex<VecDeque<String>>>,
}

/// The last lines of this program's log, oldest first; none if nobody keeps them.
pub(crate) fn recent() -> Option<String> {
    tracing::dispatcher::get_default(|dispatch| dispatch.downcast_ref::<Recent>().map(Recent::text))
}

impl Recent {
    /// The lines, oldest first.
    fn text(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    fn push(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl<S: Subscriber> Layer<S> for Recent {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line::default();
        let _ = write!(line, "{} {} {}:", Timestamp::now(), metadata.level(), metadata.target());
        event.record(&mut line);
        self.push(line.text);
    }
}

/// A line that does not grow over its bound, and has no characters that a line should not have.
#[derive(Default)]
struct Line {
    text: String,
    length: usize,
}

impl std::fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            if self.length >= MAX_LINE {
                // Whoever writes stops here: what follows may be very long.
                return Err(std::fmt::Error);
            }
            self.length += 1;
            match self.length {
                MAX_LINE => self.text.push('…'),
                _ if character.is_control() => self.text.push(' '),
                _ => self.text.push(character),
            }
        }
        Ok(())
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self, " {value:?}"),
            name => write!(self, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        let subscriber = tracing_subscriber::registry().with(Recent::default());
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..LINES + 20 {
                tracing::warn!(number, "Something happened.");
            }
            let text = recent().expect("the layer is found by who asks");
            assert_eq!(text.lines().count(), LINES);
            let first = text.lines().next().unwrap();
            assert!(first.contains("WARN") && first.ends_with("Something happened. number=20"), "{first}");
            assert!(text.trim_end().ends_with("number=519"));
        });
        assert_eq!(recent(), None, "nobody keeps them here");
    }

    #[test]
    fn a_long_line_is_cut_and_a_line_has_no_controls() {
        let kept = Recent::default();
        let subscriber = tracing_subscriber::registry().with(kept.clone());
        let long = "я".repeat(1_000_000);
        tracing::subscriber::with_default(subscriber, || tracing::warn!("one\ntwo\u{7} {long}"));
        let text = kept.text();
        assert_eq!(text.chars().count(), MAX_LINE + 1);
        assert!(text.trim_end().ends_with('…') && text.contains("one two  я"));
    }
}
