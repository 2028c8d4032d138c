//! Brings what has the focus into view: the walk of the focus (Tab) goes on below the edge of what scrolls, where nobody sees it.

use iced::advanced::widget::operation::scrollable::AbsoluteOffset;
use iced::advanced::widget::operation::{Focusable, Outcome, Scrollable};
use iced::advanced::widget::{self, Id, Operation};
use iced::{Rectangle, Size, Task, Vector};

use super::scrolled::{Look, Scrolled, View};
use crate::theme::metric;

/// Kept free around it: a name above a field, what is wrong below it.
const MARGIN: f32 = 2.0 * metric::WIDE;

/// Scrolls so far that what has the focus is seen; does nothing where it is seen.
pub(crate) fn reveal<Message: Send + 'static>() -> Task<Message> {
    widget::operate(find())
}

/// The same at once, in a part of the window that `operate` reaches.
pub(crate) fn reveal_in(mut operate: impl FnMut(&mut dyn Operation)) {
    let mut find = find();
    operate(&mut find);
    if let Some(mut found) = find.look.0 {
        operate(&mut found);
    }
}

/// Finds how far what has the focus is to be scrolled.
#[derive(Debug)]
struct Find(Option<Move>);

fn find() -> Scrolled<Find> {
    Scrolled::of(Size::INFINITE, Find(None))
}

impl<T> Look<T> for Find {
    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable, view: &View) {
        let Some(scroll) = view.scroll.filter(|_| state.is_focused()) else { return };
        let (top, bottom) = (bounds.y - scroll.translation.y, bounds.y + bounds.height - scroll.translation.y);
        let (first, last) = (scroll.bounds.y, scroll.bounds.y + scroll.bounds.height);
        // What is higher than the window is seen from its top.
        let by = if top - MARGIN < first { top - MARGIN - first } else { (bottom + MARGIN - last).max(0.0) };
        if by != 0.0 {
            self.0 = Some(Move { place: scroll.place, by, places: 0 });
        }
    }

    fn finish(&self) -> Outcome<T> {
        match self.0 {
            Some(found) => Outcome::Chain(Box::new(found)),
            None => Outcome::None,
        }
    }
}

/// Scrolls.
#[derive(Debug, Clone, Copy)]
struct Move {
    place: usize,
    by: f32,
    places: usize,
}

impl<T> Operation<T> for Move {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<T>)) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        content_bounds: Rectangle,
        _translation: Vector,
        state: &mut dyn Scrollable,
    ) {
        if self.places == self.place {
            state.scroll_by(AbsoluteOffset { x: 0.0, y: self.by }, bounds, content_bounds);
        }
        self.places += 1;
    }
}

#[cfg(test)]
mod tests {
    use iced::advanced::widget::operation;
    use iced::widget::{column, scrollable, space, text_input};

    use super::*;
    use crate::theme::Element;
    use crate::widget::stage::Stage;

    /// A short list beside, then a form whose last field is far below the edge.
    fn form<'a>() -> Element<'a, ()> {
        let field = |id: &'static str| text_input("", "").id(id).on_input(|_| ());
        let other = scrollable(space().height(500.0)).height(50.0);
        let form = column![field("first"), space().height(900.0), field("last")];
        column![other, scrollable(form).height(200.0)].into()
    }

    /// Where a field is seen.
    struct Seen {
        id: Id,
        top: Option<f32>,
    }

    impl Look<f32> for Seen {
        fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, _: &mut dyn Focusable, view: &View) {
            if id == Some(&self.id) {
                self.top = Some(view.place(bounds).y);
            }
        }

        fn finish(&self) -> Outcome<f32> {
            self.top.map_or(Outcome::None, Outcome::Some)
        }
    }

    fn top_of(stage: &mut Stage<()>, id: &'static str) -> f32 {
        let size = Size::new(300.0, 250.0);
        stage.operate(form(), Scrolled::of(size, Seen { id: Id::new(id), top: None })).unwrap()
    }

    #[test]
    fn what_gets_the_focus_below_the_edge_comes_into_view_and_back() {
        let mut stage = Stage::<()>::new(300.0, 250.0);
        assert!(top_of(&mut stage, "last") > 250.0);
        for id in ["last", "first", "last"] {
            stage.operate::<()>(form(), operation::focusable::focus(Id::new(id)));
            stage.operate::<()>(form(), find());
            let top = top_of(&mut stage, id);
            assert!((50.0..225.0).contains(&top), "{id} is at {top}");
        }
        let before = top_of(&mut stage, "last");
        stage.operate::<()>(form(), find());
        assert_eq!(top_of(&mut stage, "last"), before, "what is seen stays where it is");
    }
}
