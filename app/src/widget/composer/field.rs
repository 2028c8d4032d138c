//! How a text that is being written is shown, and its keys.

use std::rc::Rc;

use iced::keyboard::{Key, Modifiers, key};
use iced::widget::Id;
use iced::widget::text_editor::{Binding, KeyPress, Status, StyleFn, TextEditor};
use iced::{Font, Padding, Pixels};

use super::{Action, Composer};
use crate::theme::{Element, Theme, metric};

/// Bold text in Markdown.
const BOLD: &str = "**";
/// Text that is set apart in Markdown.
const ITALIC: &str = "*";

type OnAction<'a, Message> = Rc<dyn Fn(Action) -> Message + 'a>;

/// The field of a [`Composer`].
pub(crate) struct Field<'a, Message> {
    composer: &'a Composer,
    id: Option<Id>,
    placeholder: String,
    size: Pixels,
    font: Option<Font>,
    padding: Padding,
    max_height: f32,
    style: StyleFn<'a, Theme>,
    on_action: OnAction<'a, Message>,
    keys: Keys<'a, Message>,
}

/// What keys say that do not write.
struct Keys<'a, Message> {
    submits_with: Modifiers,
    on_submit: Option<Message>,
    on_edit_last: Option<Message>,
    on_escape: Option<Message>,
    on_page: Option<Box<dyn Fn(f32) -> Message + 'a>>,
}

/// Shows a text that is being written; what is done to it is told, and is to be given to [`Composer::perform`].
pub(crate) fn composer<'a, Message>(
    composer: &'a Composer,
    on_action: impl Fn(Action) -> Message + 'a,
) -> Field<'a, Message> {
    Field {
        composer,
        id: None,
        placeholder: String::new(),
        size: Pixels(metric::BODY),
        font: None,
        padding: Padding::from([metric::SMALL, metric::GAP]),
        max_height: metric::COMPOSER_MAX,
        style: Box::new(crate::theme::input::composer),
        on_action: Rc::new(on_action),
        keys: Keys {
            submits_with: Modifiers::empty(),
            on_submit: None,
            on_edit_last: None,
            on_escape: None,
            on_page: None,
        },
    }
}

impl<'a, Message> Field<'a, Message> {
    /// Names it, so that the focus can be sent to it.
    pub(crate) fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What stands there as long as nothing is written.
    pub(crate) fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = placeholder.into();
        self
    }

    /// It scrolls rather than to grow higher.
    pub(crate) fn max_height(mut self, max_height: f32) -> Self {
        self.max_height = max_height;
        self
    }

    /// Enter submits, and with Shift or Control begins a line; or the other way round.
    pub(crate) fn enter_submits(mut self, does: bool) -> Self {
        self.keys.submits_with = if does { Modifiers::empty() } else { Modifiers::COMMAND };
        self
    }

    /// What Enter says; without it, Enter begins a line, as it always does with Shift.
    pub(crate) fn on_submit(mut self, message: Message) -> Self {
        self.keys.on_submit = Some(message);
        self
    }

    /// What the arrow up says while nothing is written.
    pub(crate) fn on_edit_last(mut self, message: Message) -> Self {
        self.keys.on_edit_last = Some(message);
        self
    }

    /// What Escape says; without it, Escape takes the focus away.
    pub(crate) fn on_escape(mut self, message: Message) -> Self {
        self.keys.on_escape = Some(message);
        self
    }

    /// What the keys for a page up (-1) and down (1) say: here they may mean the conversation above.
    pub(crate) fn on_page(mut self, on_page: impl Fn(f32) -> Message + 'a) -> Self {
        self.keys.on_page = Some(Box::new(on_page));
        self
    }
}

impl<Message: Clone> Keys<'_, Message> {
    fn bind(&self, press: KeyPress, is_empty: bool, on_action: &dyn Fn(Action) -> Message) -> Option<Binding<Message>> {
        if !matches!(press.status, Status::Focused { .. }) {
            return None;
        }
        let modifiers = press.modifiers;
        let letter = press.key.to_latin(press.physical_key).filter(|_| modifiers.command() && !modifiers.alt());
        let action = match letter {
            Some('z') if modifiers.shift() => Some(Action::Redo),
            Some('z') => Some(Action::Undo),
            Some('y') => Some(Action::Redo),
            Some('b') => Some(Action::Wrap(BOLD)),
            Some('i') => Some(Action::Wrap(ITALIC)),
            _ => None,
        };
        if let Some(action) = action {
            return Some(Binding::Custom(on_action(action)));
        }
        let message = match &press.key {
            Key::Named(key::Named::Enter) if modifiers == self.submits_with => self.on_submit.clone(),
            Key::Named(key::Named::ArrowUp) if modifiers.is_empty() && is_empty => self.on_edit_last.clone(),
            Key::Named(key::Named::Escape) => self.on_escape.clone(),
            Key::Named(key::Named::PageUp) => self.on_page.as_ref().map(|on_page| on_page(-1.0)),
            Key::Named(key::Named::PageDown) => self.on_page.as_ref().map(|on_page| on_page(1.0)),
            _ => None,
        };
        let binding = message.map(Binding::Custom).or_else(|| Binding::from_key_press(press))?;
        // Some systems name a letter also for Ctrl+1, which is a chat and not a text; with Alt it is AltGr, which writes.
        let is_shortcut = modifiers.command() && !modifiers.alt() && matches!(binding, Binding::Insert(_));
        (!is_shortcut).then_some(binding)
    }
}

impl<'a, Message: Clone + 'a> From<Field<'a, Message>> for Element<'a, Message> {
    fn from(field: Field<'a, Message>) -> Self {
        let Field { composer, keys, on_action, .. } = field;
        let on_key = Rc::clone(&on_action);
        let is_empty = composer.is_empty();
        let mut editor = TextEditor::new(&composer.content)
            .placeholder(field.placeholder)
            .size(field.size)
            .line_height(metric::LINE)
            .padding(field.padding)
            .min_height(field.size.0 * metric::LINE)
            .max_height(field.max_height)
            .wrapping(iced::advanced::text::Wrapping::WordOrGlyph)
            .style(field.style)
            .on_action(move |action| on_action(Action::Editor(action)))
            .key_binding(move |press| keys.bind(press, is_empty, &*on_key));
        if let Some(id) = field.id {
            editor = editor.id(id);
        }
        if let Some(font) = field.font {
            editor = editor.font(font);
        }
        editor.into()
    }
}
