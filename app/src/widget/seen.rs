//! What is on the screen as a test sees it: words and where they stand, and where the focus is.

use iced::advanced::widget::Id;
use iced::advanced::widget::operation::Focusable;
use iced::{Rectangle, Size};
use serde::Serialize;

use super::scrolled::{Look, Scrolled, View};

/// What is on the screen.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Seen {
    mark: &'static str,
    size: [f32; 2],
    words: Vec<(String, Place)>,
    focus: Option<Place>,
}

/// Left, top, width, height.
type Place = [f32; 4];

impl Seen {
    /// Nothing was seen yet of a window of this size.
    pub(crate) fn of(size: Size) -> Scrolled<Self> {
        Scrolled::of(size, Self { mark: "screen", size: [size.width, size.height], ..Self::default() })
    }
}

impl Look<()> for Seen {
    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable, view: &View) {
        if state.is_focused() {
            self.focus = Some(place(view.place(bounds)));
        }
    }

    fn text(&mut self, bounds: Rectangle, text: &str, view: &View) {
        self.words.push((text.to_owned(), place(view.place(bounds))));
    }
}

const fn place(Rectangle { x, y, width, height }: Rectangle) -> Place {
    [x, y, width, height]
}
