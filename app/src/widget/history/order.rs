//! What the app can tell a history to do.

use iced::advanced::widget::{Id, Operation, operate, operation};
use iced::{Rectangle, Task, Vector};

use super::State;
use super::scroll::Align;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    To(u64, Align),
    ToEnd,
    Pages(f32),
}

/// Puts a row there; if it is not among the rows yet, as soon as it is.
pub(crate) fn scroll_to<T: Send + 'static>(id: impl Into<Id>, key: u64, align: Align) -> Task<T> {
    operate(Give { id: id.into(), order: Order::To(key, align) }).discard()
}

/// Goes to the last row.
pub(crate) fn scroll_to_end<T: Send + 'static>(id: impl Into<Id>) -> Task<T> {
    operate(Give { id: id.into(), order: Order::ToEnd }).discard()
}

/// Goes on by this many windows; negative is towards older rows. For keys that are pressed while something else has the focus.
pub(crate) fn scroll_pages<T: Send + 'static>(id: impl Into<Id>, pages: f32) -> Task<T> {
    operate(Give { id: id.into(), order: Order::Pages(pages) }).discard()
}

pub(super) struct Give {
    pub(super) id: Id,
    pub(super) order: Order,
}

impl Operation<()> for Give {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        operate(self);
    }

    fn custom(&mut self, id: Option<&Id>, _bounds: Rectangle, state: &mut dyn std::any::Any) {
        let Some(state) = state.downcast_mut::<State>().filter(|_| id == Some(&self.id)) else { return };
        match self.order {
            Order::To(key, align) => state.scroll.go_to(key, align),
            Order::ToEnd => {
                state.scroll.go_to_end();
            }
            Order::Pages(pages) => {
                state.scroll.by_pages(pages);
            }
        }
    }
}

/// Finds where the focus is.
#[derive(Debug, Default)]
pub(super) struct Focused(pub(super) Option<Rectangle>);

impl Operation<()> for Focused {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        operate(self);
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn operation::Focusable) {
        if state.is_focused() {
            self.0 = Some(bounds);
        }
    }
}

impl operation::Focusable for State {
    fn is_focused(&self) -> bool {
        self.is_focused
    }

    fn focus(&mut self) {
        self.is_focused = true;
        self.shows_focus = true;
    }

    fn unfocus(&mut self) {
        self.is_focused = false;
        self.shows_focus = false;
    }
}

impl operation::Scrollable for State {
    fn snap_to(&mut self, offset: operation::scrollable::RelativeOffset<Option<f32>>) {
        if let Some(part) = offset.y {
            self.scroll.go_to_part(part);
        }
    }

    fn scroll_to(&mut self, offset: operation::scrollable::AbsoluteOffset<Option<f32>>) {
        if let Some(y) = offset.y {
            let way = y - self.scroll.offset();
            self.scroll.by(way);
        }
    }

    fn scroll_by(
        &mut self,
        offset: operation::scrollable::AbsoluteOffset,
        _bounds: Rectangle,
        _content_bounds: Rectangle,
    ) {
        self.scroll.by(offset.y);
    }
}

/// How far what is in a history is moved, for operations that ask where things are seen.
pub(super) fn translation(state: &State) -> Vector {
    Vector::new(0.0, state.scroll.offset())
}
