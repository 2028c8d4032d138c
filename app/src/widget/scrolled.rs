//! A walk through the widgets that knows what scrolls them: the places that they name are those before anything was scrolled.

use iced::advanced::widget::operation::{Focusable, Outcome, Scrollable};
use iced::advanced::widget::{Id, Operation};
use iced::{Rectangle, Size, Vector};

/// What is looked for in the walk.
pub(crate) trait Look<T>: Send {
    /// Something that can have the focus.
    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable, view: &View);

    /// Words.
    fn text(&mut self, _bounds: Rectangle, _text: &str, _view: &View) {}

    /// What comes of it.
    fn finish(&self) -> Outcome<T> {
        Outcome::None
    }
}

/// What is seen of a part of the window, and how far it is scrolled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    clip: Rectangle,
    translation: Vector,
    /// What scrolls it, of several the inmost.
    pub(crate) scroll: Option<Scroll>,
}

/// Something that scrolls, by its place in the walk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scroll {
    pub(crate) place: usize,
    pub(crate) bounds: Rectangle,
    pub(crate) translation: Vector,
}

impl View {
    /// Where something is, after all that was scrolled.
    pub(crate) fn place(&self, bounds: Rectangle) -> Rectangle {
        bounds - self.translation
    }

    /// What is seen of it.
    #[cfg(test)]
    pub(crate) fn seen(&self, bounds: Rectangle) -> Rectangle {
        self.clip.intersection(&self.place(bounds)).unwrap_or_default()
    }
}

/// A walk through a window.
#[derive(Debug)]
pub(crate) struct Scrolled<L> {
    pub(crate) look: L,
    within: View,
    entering: Option<View>,
    places: usize,
}

impl<L> Scrolled<L> {
    /// Looks through a window of this size.
    pub(crate) fn of(size: Size, look: L) -> Self {
        let within = View { clip: Rectangle::with_size(size), translation: Vector::ZERO, scroll: None };
        Self { look, within, entering: None, places: 0 }
    }
}

impl<T, L: Look<T>> Operation<T> for Scrolled<L> {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<T>)) {
        let outer = self.within;
        self.within = self.entering.take().unwrap_or(outer);
        operate(self);
        self.within = outer;
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        _content_bounds: Rectangle,
        translation: Vector,
        _state: &mut dyn Scrollable,
    ) {
        let clip = self.within.clip.intersection(&self.within.place(bounds)).unwrap_or_default();
        let scroll = Some(Scroll { place: self.places, bounds, translation });
        self.entering = Some(View { clip, translation: self.within.translation + translation, scroll });
        self.places += 1;
    }

    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        self.look.focusable(id, bounds, state, &self.within);
    }

    fn text(&mut self, _id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.look.text(bounds, text, &self.within);
    }

    fn finish(&self) -> Outcome<T> {
        self.look.finish()
    }
}
