//! The part of a history that is in the window's hands: a stretch of messages that grows at both ends and is cut at the other.
//!
//! Invariant: never more than [`KEPT`] messages, however long the history; a message is read into pieces once, not at every look.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kith_core::wire::control::{At, Message, Page};

use crate::ui::rich::Rich;

/// Messages that are asked for at once: two or three windows full.
pub(crate) const PAGE: u32 = 60;

/// Messages that are kept: what a fast wheel passes before the next page is here.
const KEPT: usize = 180;

/// A message with what is drawn of it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Names the row.
    pub(crate) key: u64,
    /// The message.
    pub(crate) message: Message,
    /// Its text, read.
    pub(crate) rich: Rich,
    /// All of a long text is wanted.
    pub(crate) is_whole: bool,
}

impl Entry {
    fn new(message: Message, is_whole: bool) -> Self {
        let rich = Rich::read(words(&message), is_whole);
        Self { key: key_of(&message.id), message, rich, is_whole }
    }
}

/// What a message says: its text, or of a voice note what was understood.
fn words(message: &Message) -> &str {
    message.text.as_deref().or(message.transcript.as_deref()).unwrap_or_default()
}

/// The name of a message's row.
pub(crate) fn key_of(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// A side at which more is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Older.
    Before,
    /// Newer.
    After,
}

/// A stretch of a history.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    entries: VecDeque<Entry>,
    more_before: bool,
    more_after: bool,
    first_unread: Option<String>,
    asked: Option<Side>,
}

impl Timeline {
    /// The messages, oldest first.
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// The message of this row.
    pub(crate) fn by_key(&self, key: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The message of this name.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.message.id == id)
    }

    /// It reaches to the newest message.
    pub(crate) const fn reaches_end(&self) -> bool {
        !self.more_after
    }

    /// It reaches to the first message.
    pub(crate) const fn reaches_start(&self) -> bool {
        !self.more_before
    }

    /// The first message that was not read when the conversation was opened.
    pub(crate) fn first_unread(&self) -> Option<&str> {
        self.first_unread.as_deref()
    }

    /// The line above unread messages has done its work.
    pub(crate) fn forget_unread(&mut self) {
        self.first_unread = None;
    }

    /// Where to ask for more, unless all is here or it has been asked for.
    pub(crate) fn ask(&mut self, side: Side) -> Option<At> {
        let more = match side {
            Side::Before => self.more_before,
            Side::After => self.more_after,
        };
        if self.asked.is_some() || !more {
            return None;
        }
        let at = match side {
            Side::Before => At::Before { message: self.entries.front()?.message.id.clone() },
            Side::After => At::After { message: self.entries.back()?.message.id.clone() },
        };
        self.asked = Some(side);
        Some(at)
    }

    /// The answer did not come.
    pub(crate) fn give_up(&mut self) {
        self.asked = None;
    }

    /// Another stretch takes the place of this one. What was read of the same messages stays.
    pub(crate) fn replace(&mut self, page: Page, keep_unread: bool) {
        let old = std::mem::take(&mut self.entries);
        self.entries = page.messages.into_iter().map(|message| renew(&old, message)).collect();
        self.more_before = page.more_before;
        self.more_after = page.more_after;
        self.asked = None;
        if !keep_unread {
            self.first_unread = page.first_unread;
        }
    }

    /// More came at one end; at the other what is over the measure goes.
    pub(crate) fn extend(&mut self, side: Side, page: Page) {
        if self.asked != Some(side) {
            return;
        }
        self.asked = None;
        let known = |entries: &VecDeque<Entry>, id: &str| entries.iter().any(|entry| entry.message.id == id);
        match side {
            Side::Before => {
                self.more_before = page.more_before;
                for message in page.messages.into_iter().rev() {
                    if !known(&self.entries, &message.id) {
                        self.entries.push_front(Entry::new(message, false));
                    }
                }
                if self.entries.len() > KEPT {
                    self.entries.truncate(KEPT);
                    self.more_after = true;
                }
            }
            Side::After => {
                self.more_after = page.more_after;
                for message in page.messages {
                    if !known(&self.entries, &message.id) {
                        self.entries.push_back(Entry::new(message, false));
                    }
                }
                let excess = self.entries.len().saturating_sub(KEPT);
                if excess > 0 {
                    self.entries.drain(..excess);
                    self.more_before = true;
                }
            }
        }
    }

    /// A message is another now.
    pub(crate) fn change(&mut self, message: Message) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.message.id == message.id) else { return false };
        if words(&entry.message) == words(&message) {
            entry.message = message;
        } else {
            *entry = Entry::new(message, entry.is_whole);
        }
        true
    }

    /// All of a long message is wanted.
    pub(crate) fn show_whole(&mut self, key: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            *entry = Entry::new(entry.message.clone(), true);
        }
    }
}

fn renew(old: &VecDeque<Entry>, message: Message) -> Entry {
    match old.iter().find(|entry| entry.message.id == message.id) {
        Some(entry) if words(&entry.message) == words(&message) => Entry { message, ..entry.clone() },
        Some(entry) => Entry::new(message, entry.is_whole),
        None => Entry::new(message, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::message;

    fn page(numbers: std::ops::Range<u64>, more_before: bool, more_after: bool) -> Page {
        let messages = numbers.map(|number| message(number, "hello")).collect();
        Page { messages, more_before, more_after, first_unread: None }
    }

    fn shown(timeline: &Timeline) -> (String, String, usize) {
        let id = |entry: Option<&Entry>| entry.map(|entry| entry.message.id.clone()).unwrap_or_default();
        (id(timeline.entries().next()), id(timeline.entries().next_back()), timeline.entries().len())
    }

    #[test]
    fn however_far_one_goes_back_the_window_holds_the_same() {
        let mut timeline = Timeline::default();
        timeline.replace(page(9940..10_000, true, false), false);
        let mut first = 9940;
        while timeline.ask(Side::Before).is_some() {
            timeline.extend(Side::Before, page(first - 60..first, first > 100, true));
            first -= 60;
            assert!(timeline.entries().len() <= KEPT);
            if first < 100 {
                break;
            }
        }
        assert!(!timeline.reaches_end(), "the newest were let go");
        // And forward again to the end.
        while let Some(At::After { message }) = timeline.ask(Side::After) {
            let last: u64 = message.rsplit('.').next().unwrap().parse().unwrap();
            let end = (last + 61).min(10_000);
            timeline.extend(Side::After, page(last + 1..end, true, end < 10_000));
        }
        assert!(timeline.reaches_end());
        assert_eq!(shown(&timeline), ("feed.0.9820".into(), "feed.0.9999".into(), KEPT));
    }

    #[test]
    fn more_is_asked_for_once() {
        let mut timeline = Timeline::default();
        timeline.replace(page(60..120, true, true), false);
        assert!(timeline.ask(Side::Before).is_some());
        assert!(timeline.ask(Side::Before).is_none() && timeline.ask(Side::After).is_none());
        timeline.give_up();
        assert_eq!(timeline.ask(Side::After), Some(At::After { message: "feed.0.119".into() }));
        // An answer to what was not asked changes nothing.
        timeline.extend(Side::Before, page(0..60, false, true));
        assert_eq!(timeline.entries().len(), 60);
    }

    #[test]
    fn a_message_that_comes_twice_stands_once() {
        let mut timeline = Timeline::default();
        timeline.replace(page(60..120, true, false), false);
        let _ = timeline.ask(Side::Before);
        timeline.extend(Side::Before, page(10..70, true, true));
        assert_eq!(timeline.entries().len(), 110);
        let _ = timeline.ask(Side::Before);
        timeline.extend(Side::Before, page(10..20, false, true));
        assert_eq!(timeline.entries().len(), 110);
    }

    #[test]
    fn a_change_is_seen_where_the_message_stands() {
        let mut timeline = Timeline::default();
        timeline.replace(page(0..3, false, false), false);
        assert!(timeline.change(message(1, "**new**")));
        assert_eq!(timeline.by_id("feed.0.1").unwrap().rich, Rich::read("**new**", false));
        assert!(!timeline.change(message(7, "elsewhere")));
    }
}
