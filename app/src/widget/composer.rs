//! Where messages are written: iced's editor with what it lacks: undoing, a limit, and keys that send.
//!
//! [`Composer`] is the text, which the app owns; [`composer`] shows it. It is as high as its lines, up to a limit, then it scrolls.
//!
//! Invariants: the text never has more bytes than its limit, whatever is pasted, and has no control characters other than line
//! breaks and tabs; what is remembered to be undone is bounded.

mod field;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use iced::Renderer;
use iced::widget::text_editor::{self, Content, Cursor, Edit, Motion, Position};

pub(crate) use field::composer;

/// The most steps that can be undone.
const MAX_STEPS: usize = 100;
/// The most bytes that are kept to undo them: with long texts there are fewer steps.
const MAX_STEP_BYTES: usize = 512 * 1024;

/// Something done to the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// What iced's editor can do.
    Editor(text_editor::Action),
    /// Takes back the last change.
    Undo,
    /// Takes back the taking back.
    Redo,
    /// Sets this before and after what is selected.
    Wrap(&'static str),
}

/// What an action did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Changed {
    /// The text is the same; the cursor may be elsewhere.
    Nothing,
    /// The text is another one.
    Text,
    /// What came was too long: as much as fits was taken.
    TooLong,
}

/// What a step is undone to.
#[derive(Debug, Clone)]
struct Snapshot {
    text: String,
    cursor: Cursor,
}

/// Changes of one kind in a row are one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Typed { is_space: bool },
    Deleted,
    Whole,
}

/// A text that is being written.
#[derive(Debug)]
pub(crate) struct Composer {
    content: Content<Renderer>,
    text: String,
    limit: usize,
    past: VecDeque<Snapshot>,
    future: Vec<Snapshot>,
    last: Option<Step>,
}

impl Composer {
    /// A text of at most `limit` bytes; what is over is left out.
    pub(crate) fn new(text: &str, limit: usize) -> Self {
        let mut composer = Self {
            content: Content::new(),
            text: String::new(),
            limit,
            past: VecDeque::new(),
            future: Vec::new(),
            last: None,
        };
        composer.set(text);
        composer
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// There is no text.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Puts another text there, with the cursor at its end. This cannot be undone, nor can what was before.
    pub(crate) fn set(&mut self, text: &str) {
        let (clean, _) = clean(text, self.limit);
        self.show(&clean);
        self.content.perform(text_editor::Action::Move(Motion::DocumentEnd));
        self.past.clear();
        self.future.clear();
        self.last = None;
    }

    /// Takes the text away, to send it.
    #[cfg_attr(not(test), expect(dead_code, reason = "a widget of this sort has it; its tests use it"))]
    pub(crate) fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.set("");
        text
    }

    /// Writes something at the cursor, instead of what is selected.
    pub(crate) fn insert(&mut self, text: &str) -> Changed {
        self.paste(text)
    }

    /// Does it.
    pub(crate) fn perform(&mut self, action: Action) -> Changed {
        match action {
            Action::Editor(text_editor::Action::Edit(edit)) => self.edit(edit),
            Action::Editor(action) => {
                // After another place was chosen, what is typed is another step.
                if !matches!(action, text_editor::Action::Scroll { .. }) {
                    self.last = None;
                }
                self.content.perform(action);
                Changed::Nothing
            }
            Action::Undo => self.undo(),
            Action::Redo => self.redo(),
            Action::Wrap(marker) => self.wrap(marker),
        }
    }

    /// The bytes that still fit, when what is selected is gone.
    fn room(&self) -> usize {
        let selected = self.content.selection().map_or(0, |selection| selection.len());
        (self.limit + selected).saturating_sub(self.text.len())
    }

    fn edit(&mut self, edit: Edit) -> Changed {
        let length = match &edit {
            Edit::Insert(letter) if letter.is_control() => return Changed::Nothing,
            Edit::Insert(letter) => letter.len_utf8(),
            Edit::Enter => 1,
            Edit::Paste(text) => return self.paste(text),
            // A tab stop at most.
            Edit::Indent => 8,
            Edit::Unindent | Edit::Backspace | Edit::Delete => 0,
        };
        if length > self.room() {
            return Changed::TooLong;
        }
        let step = match &edit {
            Edit::Insert(letter) => Step::Typed { is_space: letter.is_whitespace() },
            Edit::Backspace | Edit::Delete => Step::Deleted,
            Edit::Enter | Edit::Paste(_) | Edit::Indent | Edit::Unindent => Step::Whole,
        };
        self.change(step, |content| content.perform(text_editor::Action::Edit(edit)))
    }

    fn paste(&mut self, text: &str) -> Changed {
        let (clean, is_cut) = clean(text, self.room());
        let changed = if clean.is_empty() {
            Changed::Nothing
        } else {
            let edit = Edit::Paste(Arc::new(clean));
            self.change(Step::Whole, |content| content.perform(text_editor::Action::Edit(edit)))
        };
        if is_cut { Changed::TooLong } else { changed }
    }

    /// Sets the marker around what is selected, which stays selected; or around the cursor.
    fn wrap(&mut self, marker: &'static str) -> Changed {
        let Cursor { position, selection } = self.content.cursor();
        if self.room() < self.content.selection().map_or(0, |words| words.len()) + marker.len() * 2 {
            return Changed::TooLong;
        }
        let before = |one: Position, other: Position| (one.line, one.column) <= (other.line, other.column);
        let (start, end) = match selection {
            Some(selection) if before(selection, position) => (selection, position),
            Some(selection) => (position, selection),
            None => (position, position),
        };
        let words = self.content.selection().unwrap_or_default();
        let wrapped = Arc::new(format!("{marker}{words}{marker}"));
        let shifted = |place: Position| match place.line == start.line {
            true => Position { column: place.column + marker.len(), ..place },
            false => place,
        };
        let cursor = Cursor { position: shifted(end), selection: selection.map(|_| shifted(start)) };
        self.change(Step::Whole, |content| {
            content.perform(text_editor::Action::Edit(Edit::Paste(wrapped)));
            content.move_to(cursor);
        })
    }

    fn change(&mut self, step: Step, perform: impl FnOnce(&mut Content<Renderer>)) -> Changed {
        let cursor = self.content.cursor();
        perform(&mut self.content);
        let text = self.content.text();
        if text == self.text {
            return Changed::Nothing;
        }
        let before = std::mem::replace(&mut self.text, text);
        if !self.continues(step) {
            self.past.push_back(Snapshot { text: before, cursor });
            self.forget();
        }
        self.last = Some(step);
        self.future.clear();
        Changed::Text
    }

    /// Whether this is still the same step: letters up to the end of a word, or deleting.
    fn continues(&self, step: Step) -> bool {
        match (self.last, step) {
            (Some(Step::Typed { is_space }), Step::Typed { is_space: comes_space }) => !is_space || comes_space,
            (Some(Step::Deleted), Step::Deleted) => true,
            _ => false,
        }
    }

    fn forget(&mut self) {
        let mut bytes = self.past.iter().map(|step| step.text.len()).sum::<usize>();
        while self.past.len() > MAX_STEPS || bytes > MAX_STEP_BYTES {
            let Some(oldest) = self.past.pop_front() else { return };
            bytes -= oldest.text.len();
        }
    }

    fn undo(&mut self) -> Changed {
        let Some(before) = self.past.pop_back() else { return Changed::Nothing };
        let now = self.go_to(before);
        self.future.push(now);
        Changed::Text
    }

    fn redo(&mut self) -> Changed {
        let Some(after) = self.future.pop() else { return Changed::Nothing };
        let now = self.go_to(after);
        self.past.push_back(now);
        Changed::Text
    }

    fn go_to(&mut self, snapshot: Snapshot) -> Snapshot {
        let now = Snapshot { text: std::mem::take(&mut self.text), cursor: self.content.cursor() };
        self.show(&snapshot.text);
        let exists = |place: Position| {
            self.content.line(place.line).is_some_and(|line| line.text.is_char_boundary(place.column))
        };
        if exists(snapshot.cursor.position) && snapshot.cursor.selection.is_none_or(exists) {
            self.content.move_to(snapshot.cursor);
        } else {
            self.content.perform(text_editor::Action::Move(Motion::DocumentEnd));
        }
        self.last = None;
        now
    }

    fn show(&mut self, text: &str) {
        self.content = Content::with_text(text);
        self.text = self.content.text();
    }
}

/// The text without control characters, with one sort of line breaks, and no longer than this; and whether something was cut off.
fn clean(text: &str, limit: usize) -> (String, bool) {
    let mut clean = String::with_capacity(text.len().min(limit));
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\r' if letters.peek() == Some(&'\n') => continue,
            '\r' | '\u{2028}' | '\u{2029}' => '\n',
            '\n' | '\t' => letter,
            _ if letter.is_control() => continue,
            _ => letter,
        };
        if clean.len() + letter.len_utf8() > limit {
            return (clean, true);
        }
        clean.push(letter);
    }
    (clean, false)
}
