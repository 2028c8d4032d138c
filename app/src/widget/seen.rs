//! What is on the screen as a test sees it: words and where they stand, and where the focus is.

use iced::advanced::widget::Id;
use iced::advanced::widget::operation::{Focusable, Operation, Scrollable};
use iced::{Rectangle, Size, Vector};
use serde::Serialize;

/// What is on the screen.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Seen {
    mark: &'static str,
    size: [f32; 2],
    words: Vec<(String, Place)>,
    focus: Option<Place>,
    /// How far that is scrolled in which the walk is.
    #[serde(skip)]
    scrolled: Vector,
    /// How far that is scrolled into which it goes next.
    #[serde(skip)]
    scrolls: Vector,
}

/// Left, top, width, height.
type Place = [f32; 4];

impl Seen {
    /// Nothing was seen yet of a window of this size.
    pub(crate) fn of(size: Size) -> Self {
        Self { mark: "screen", size: [size.width, size.height], ..Self::default() }
    }

    fn place(&self, bounds: Rectangle) -> Place {
        let Rectangle { x, y, width, height } = bounds - self.scrolled;
        [x, y, width, height]
    }
}

impl Operation for Seen {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let outside = self.scrolled;
        self.scrolled = outside + std::mem::take(&mut self.scrolls);
        operate(self);
        self.scrolled = outside;
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        _bounds: Rectangle,
        _content_bounds: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        self.scrolls = translation;
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        if state.is_focused() {
            self.focus = Some(self.place(bounds));
        }
    }

    fn text(&mut self, _id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.words.push((text.to_owned(), self.place(bounds)));
    }
}
