//! What a history remembers, and what the pointer, a finger and keys do to it.

use iced::advanced::mouse;
use iced::advanced::widget::Id;
use iced::keyboard::{self, key};
use iced::{Event, Rectangle, touch};

use super::scroll::{Position, Scroll};

/// A line of the wheel, and an arrow key.
const LINE: f32 = 60.0;
/// A finger that moves further than this scrolls, and presses nothing.
const STILL: f32 = 8.0;

/// What holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Hand {
    Bar { grabbed: f32 },
    Finger { id: touch::Finger, from: f32, last: f32, scrolls: bool },
}

pub(super) struct State {
    pub(super) id: Id,
    pub(super) keys: Vec<u64>,
    pub(super) scroll: Scroll,
    pub(super) hand: Option<Hand>,
    pub(super) is_bar_hovered: bool,
    pub(super) is_focused: bool,
    pub(super) shows_focus: bool,
    pub(super) told_start: bool,
    pub(super) told_end: bool,
    pub(super) told: Option<Position>,
}

impl State {
    pub(super) fn new(id: Id, keys: Vec<u64>, scroll: Scroll) -> Self {
        Self {
            id,
            keys,
            scroll,
            hand: None,
            is_bar_hovered: false,
            is_focused: false,
            shows_focus: false,
            told_start: false,
            told_end: false,
            told: None,
        }
    }

    /// What a change of is seen.
    pub(super) fn look(&self) -> (f32, bool, bool, bool) {
        (self.scroll.offset(), self.is_bar_hovered, self.hand.is_some(), self.shows_focus)
    }

    /// Holds the bar or scrolls by a finger. Says whether the event is nobody else's.
    pub(super) fn hold(&mut self, event: &Event, bounds: Rectangle, cursor: mouse::Cursor) -> bool {
        let bar = self.scroll.bar(bounds);
        match (event, self.hand) {
            (Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)), None) => {
                let Some((bar, point)) = bar.and_then(|bar| Some((bar, cursor.position_over(bar.rail)?))) else {
                    return false;
                };
                // Beside the bar, its middle comes to the pointer.
                let is_on = (bar.thumb.y..bar.thumb.y + bar.thumb.height).contains(&point.y);
                let grabbed = if is_on { point.y - bar.thumb.y } else { bar.thumb.height / 2.0 };
                self.hand = Some(Hand::Bar { grabbed });
                self.scroll.drag(bounds, point.y - grabbed);
                true
            }
            (Event::Mouse(mouse::Event::CursorMoved { .. }), Some(Hand::Bar { grabbed })) => {
                if let Some(point) = cursor.land().position() {
                    self.scroll.drag(bounds, point.y - grabbed);
                }
                true
            }
            (Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)), Some(Hand::Bar { .. })) => {
                self.hand = None;
                true
            }
            (Event::Touch(touch), _) => self.touch(*touch, bounds, cursor),
            _ => false,
        }
    }

    fn touch(&mut self, event: touch::Event, bounds: Rectangle, cursor: mouse::Cursor) -> bool {
        match (event, self.hand) {
            (touch::Event::FingerPressed { id, position }, None) if cursor.is_over(bounds) => {
                self.hand = Some(Hand::Finger { id, from: position.y, last: position.y, scrolls: false });
                false
            }
            (touch::Event::FingerMoved { id, position }, Some(Hand::Finger { id: held, from, last, scrolls }))
                if id == held =>
            {
                let scrolls = scrolls || (position.y - from).abs() > STILL;
                if scrolls {
                    self.scroll.by(last - position.y);
                    self.hand = Some(Hand::Finger { id, from, last: position.y, scrolls });
                }
                scrolls
            }
            (
                touch::Event::FingerLifted { id, .. } | touch::Event::FingerLost { id, .. },
                Some(Hand::Finger { id: held, scrolls, .. }),
            ) if id == held => {
                self.hand = None;
                scrolls
            }
            _ => false,
        }
    }

    pub(super) fn is_scrolling_by_finger(&self) -> bool {
        matches!(self.hand, Some(Hand::Finger { scrolls: true, .. }))
    }

    /// Scrolls by the wheel or by keys. Says whether it did.
    pub(super) fn turn(&mut self, event: &Event, is_over: bool) -> bool {
        match event {
            Event::Mouse(mouse::Event::WheelScrolled { delta }) if is_over => self.scroll.by(match delta {
                mouse::ScrollDelta::Lines { y, .. } => -y * LINE,
                mouse::ScrollDelta::Pixels { y, .. } => -y,
            }),
            Event::Keyboard(keyboard::Event::KeyPressed { key: keyboard::Key::Named(name), modifiers, .. })
                if self.is_focused && !modifiers.shift() && !modifiers.alt() =>
            {
                match name {
                    key::Named::PageUp => self.scroll.by_pages(-1.0),
                    key::Named::PageDown => self.scroll.by_pages(1.0),
                    key::Named::Home => self.scroll.go_to_start(),
                    key::Named::End => self.scroll.go_to_end(),
                    key::Named::ArrowUp if !modifiers.command() => self.scroll.by(-LINE),
                    key::Named::ArrowDown if !modifiers.command() => self.scroll.by(LINE),
                    _ => false,
                }
            }
            _ => false,
        }
    }
}
