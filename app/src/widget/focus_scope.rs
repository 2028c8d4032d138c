//! Dialogues: what is shown above everything else, and is left by Escape or by a click beside it.
//!
//! While one is shown, what lies below is drawn, but no event and no walk of the focus reaches it; what had the focus there has it
//! again afterwards.
//!
//! Besides, how the walk of the focus comes through a part of the window: past it, or with one stop where it has very many things.

#[cfg(test)]
mod tests;

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::operation::{Focusable, Outcome, Scrollable, TextInput, focusable};
use iced::advanced::widget::{Id, Operation, Tree, operate, operation};
use iced::advanced::{Clipboard, Renderer as _, Shell, Widget, mouse, overlay, renderer};
use iced::keyboard::{self, key};
use iced::{Event, Length, Rectangle, Renderer, Size, Task, Vector, touch};

use super::reveal::reveal_in;
use crate::theme::{Element, Theme, metric};

/// Something that is left by Escape or by a click beside it.
pub(crate) struct FocusScope<'a, Message> {
    content: Element<'a, Message>,
    on_escape: Option<Message>,
    on_outside: Option<Message>,
    walk: Walk,
}

/// How the walk of the focus comes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// As if it were not there.
    Through,
    /// Not at all.
    Past,
    /// With one stop, from which arrows go on.
    OneStop,
}

/// Makes `content` something that can be left.
pub(crate) fn focus_scope<'a, Message>(content: impl Into<Element<'a, Message>>) -> FocusScope<'a, Message> {
    FocusScope { content: content.into(), on_escape: None, on_outside: None, walk: Walk::Through }
}

impl<Message> FocusScope<'_, Message> {
    /// The walk of the focus passes it by: a field that nothing can be typed into would take the focus and show nothing of it.
    pub(crate) fn passed_by(mut self, is_passed_by: bool) -> Self {
        self.walk = if is_passed_by { Walk::Past } else { Walk::Through };
        self
    }

    /// The walk of the focus stops once in it, and arrows go from there to all that is in it.
    pub(crate) fn one_stop(mut self) -> Self {
        self.walk = Walk::OneStop;
        self
    }

    fn stops(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> Stops {
        let mut stops = Stops::default();
        self.content.as_widget_mut().operate(tree, layout, renderer, &mut stops);
        stops
    }

    /// Gives the focus to what lies in the direction of an arrow; false if that is no arrow, or nothing here has the focus.
    fn goes_on(&mut self, event: &Event, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer) -> bool {
        let Event::Keyboard(keyboard::Event::KeyPressed { key: keyboard::Key::Named(key), modifiers, .. }) = event
        else {
            return false;
        };
        if self.walk != Walk::OneStop || !modifiers.is_empty() {
            return false;
        }
        let stops = self.stops(tree, layout, renderer);
        let Some(target) = stops.beside(*key) else { return false };
        let content = self.content.as_widget_mut();
        content.operate(tree, layout, renderer, &mut FocusOn { target, current: 0 });
        reveal_in(|operation| content.operate(tree, layout, renderer, operation));
        true
    }

    /// What Escape says, if nothing in it wanted the key.
    pub(crate) fn on_escape(mut self, message: Message) -> Self {
        self.on_escape = Some(message);
        self
    }

    /// What a click beside it says.
    pub(crate) fn on_outside(mut self, message: Message) -> Self {
        self.on_outside = Some(message);
        self
    }
}

impl<Message: Clone> FocusScope<'_, Message> {
    fn leaves(&self, event: &Event, is_outside: bool) -> Option<Message> {
        match event {
            Event::Keyboard(keyboard::Event::KeyPressed { key: keyboard::Key::Named(key::Named::Escape), .. }) => {
                self.on_escape.clone()
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. })
                if is_outside =>
            {
                self.on_outside.clone()
            }
            _ => None,
        }
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for FocusScope<'_, Message> {
    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        self.content.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let Some(tree) = tree.children.first_mut() else { return layout::Node::default() };
        let node = self.content.as_widget_mut().layout(tree, renderer, limits);
        layout::Node::with_children(node.size(), vec![node])
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        if let Some((tree, layout)) = tree.children.first_mut().zip(layout.children().next()) {
            operation.container(None, layout.bounds());
            operation.traverse(&mut |operation| {
                let stop = match self.walk {
                    Walk::Through => return self.content.as_widget_mut().operate(tree, layout, renderer, operation),
                    Walk::Past => None,
                    Walk::OneStop => Some(self.stops(tree, layout, renderer).focused().unwrap_or(0)),
                };
                let mut passing = Passing { operation, stop, place: &mut 0 };
                self.content.as_widget_mut().operate(tree, layout, renderer, &mut passing);
            });
        }
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        let was_silent = shell.is_empty();
        if let Some((tree, inner)) = tree.children.first_mut().zip(layout.children().next()) {
            self.content.as_widget_mut().update(tree, event, inner, cursor, renderer, clipboard, shell, viewport);
            if !shell.is_event_captured() && self.goes_on(event, tree, inner, renderer) {
                shell.capture_event();
                shell.request_redraw();
            }
        }
        let is_outside = cursor.position().is_some_and(|point| !layout.bounds().contains(point));
        // A field takes Escape to give its focus away and says nothing of it: here that is the way out all the same.
        let is_answered = shell.is_event_captured() && !(was_silent && shell.is_empty());
        if let Some(message) = self.leaves(event, is_outside).filter(|_| !is_answered) {
            shell.publish(message);
            shell.capture_event();
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        if let Some((tree, layout)) = tree.children.first().zip(layout.children().next()) {
            self.content.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let inner = tree.children.first().zip(layout.children().next());
        inner.map_or(mouse::Interaction::None, |(tree, layout)| {
            self.content.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer)
        })
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let (tree, layout) = tree.children.first_mut().zip(layout.children().next())?;
        self.content.as_widget_mut().overlay(tree, layout, renderer, viewport, translation)
    }
}

impl<'a, Message: Clone + 'a> From<FocusScope<'a, Message>> for Element<'a, Message> {
    fn from(scope: FocusScope<'a, Message>) -> Self {
        Self::new(scope)
    }
}

/// Shows `dialogue` above `base`, with a veil between them; Escape and a click on the veil say `on_close`.
///
/// Use it also while there is no dialogue: so the base keeps its state when one comes.
pub(crate) fn modal<'a, Message: Clone + 'a>(
    base: impl Into<Element<'a, Message>>,
    dialogue: Option<Element<'a, Message>>,
    on_close: Message,
) -> Element<'a, Message> {
    let scope = |content| focus_scope(content).on_escape(on_close.clone()).on_outside(on_close).into();
    let layers = std::iter::once(base.into()).chain(dialogue.map(scope)).collect();
    Element::new(Modal { layers })
}

/// The base and, perhaps, a dialogue.
struct Modal<'a, Message> {
    layers: Vec<Element<'a, Message>>,
}

/// What the base hears below a dialogue: that a frame begins, and the end of what was begun before.
fn concerns_base(event: &Event) -> bool {
    match event {
        Event::Window(_) | Event::Mouse(mouse::Event::ButtonReleased(_)) => true,
        Event::Keyboard(keyboard::Event::ModifiersChanged(_)) => true,
        Event::Touch(event) => matches!(event, touch::Event::FingerLifted { .. } | touch::Event::FingerLost { .. }),
        _ => false,
    }
}

impl<Message> Modal<'_, Message> {
    fn top(&self) -> usize {
        self.layers.len().saturating_sub(1)
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for Modal<'_, Message> {
    fn children(&self) -> Vec<Tree> {
        self.layers.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(&self.layers);
    }

    fn size(&self) -> Size<Length> {
        self.layers.first().map_or(Size::new(Length::Shrink, Length::Shrink), |base| base.as_widget().size())
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let mut layers = self.layers.iter_mut().zip(&mut tree.children);
        let Some((base, tree)) = layers.next() else { return layout::Node::default() };
        let base = base.as_widget_mut().layout(tree, renderer, limits);
        let size = base.size();
        let inner = layout::Limits::new(Size::ZERO, size).shrink(Size::new(metric::WIDE, metric::WIDE) * 2.0);
        let mut nodes = vec![base];
        nodes.extend(layers.map(|(dialogue, tree)| {
            let node = dialogue.as_widget_mut().layout(tree, renderer, &inner);
            let free = size - node.size();
            // Whole pixels, or its letters would stand between them.
            node.move_to(((free.width / 2.0).round(), (free.height / 2.0).round()))
        }));
        layout::Node::with_children(size, nodes)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        let top = self.top();
        operation.container(None, layout.bounds());
        operation.traverse(&mut |operation| {
            let layers = self.layers.iter_mut().zip(&mut tree.children).zip(layout.children());
            for (number, ((layer, tree), layout)) in layers.enumerate() {
                let layer = layer.as_widget_mut();
                if number == top {
                    layer.operate(tree, layout, renderer, operation);
                } else {
                    layer.operate(tree, layout, renderer, &mut Passing { operation, stop: None, place: &mut 0 });
                }
            }
        });
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        let top = self.top();
        let layers = self.layers.iter_mut().zip(&mut tree.children).zip(layout.children());
        for (number, ((layer, tree), layout)) in layers.enumerate().collect::<Vec<_>>().into_iter().rev() {
            let layer = layer.as_widget_mut();
            if number == top {
                layer.update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
            } else if concerns_base(event) {
                // A field of the base that keeps its focus must not ask for the keyboard of the screen.
                let input_method = shell.input_method().clone();
                let none = mouse::Cursor::Unavailable;
                layer.update(tree, event, layout, none, renderer, clipboard, shell, viewport);
                *shell.input_method_mut() = input_method;
            }
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let top = self.top();
        let whole = layout.bounds();
        let layers = self.layers.iter().zip(&tree.children).zip(layout.children());
        for (number, ((layer, tree), layout)) in layers.enumerate() {
            let cursor = if number == top { cursor } else { mouse::Cursor::Unavailable };
            if number == 0 {
                layer.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
                continue;
            }
            renderer.with_layer(whole, |renderer| {
                let veil = renderer::Quad { bounds: whole, ..renderer::Quad::default() };
                renderer.fill_quad(veil, theme.palette().veil);
                layer.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
            });
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let mut layers = self.layers.iter().zip(&tree.children).zip(layout.children());
        let Some(((layer, tree), layout)) = layers.next_back() else { return mouse::Interaction::None };
        let interaction = layer.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer);
        // Above the veil, the pointer is over nothing of the base, and no layer further below may think otherwise.
        if self.top() > 0 { interaction.max(mouse::Interaction::Idle) } else { interaction }
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let top = self.layers.last_mut()?.as_widget_mut();
        let (tree, layout) = tree.children.last_mut().zip(layout.children().next_back())?;
        top.overlay(tree, layout, renderer, viewport, translation)
    }
}

/// An operation that passes by what can be focused, all but the one at the stop.
struct Passing<'a> {
    operation: &'a mut dyn Operation,
    stop: Option<usize>,
    place: &'a mut usize,
}

impl Operation for Passing<'_> {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        let (stop, place) = (self.stop, &mut *self.place);
        self.operation.traverse(&mut |operation| operate(&mut Passing { operation, stop, place: &mut *place }));
    }

    fn focusable(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        if self.stop == Some(*self.place) {
            self.operation.focusable(id, bounds, state);
        }
        *self.place += 1;
    }

    fn container(&mut self, id: Option<&Id>, bounds: Rectangle) {
        self.operation.container(id, bounds);
    }

    fn scrollable(
        &mut self,
        id: Option<&Id>,
        bounds: Rectangle,
        content_bounds: Rectangle,
        translation: Vector,
        state: &mut dyn Scrollable,
    ) {
        self.operation.scrollable(id, bounds, content_bounds, translation, state);
    }

    fn text_input(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn TextInput) {
        self.operation.text_input(id, bounds, state);
    }

    fn text(&mut self, id: Option<&Id>, bounds: Rectangle, text: &str) {
        self.operation.text(id, bounds, text);
    }

    fn custom(&mut self, id: Option<&Id>, bounds: Rectangle, state: &mut dyn std::any::Any) {
        self.operation.custom(id, bounds, state);
    }

    fn finish(&self) -> Outcome<()> {
        self.operation.finish()
    }
}

/// All that can have the focus, and whether it has it.
#[derive(Debug, Default)]
struct Stops(Vec<(Rectangle, bool)>);

impl Stops {
    fn focused(&self) -> Option<usize> {
        self.0.iter().position(|(_, is_focused)| *is_focused)
    }

    /// What an arrow leads to from the one that has the focus: the next one, or the nearest of the next row; itself at the edge.
    fn beside(&self, arrow: key::Named) -> Option<usize> {
        let from = self.focused()?;
        let (bounds, _) = self.0.get(from)?;
        let (rows, x) = (self.0.iter().map(|(bounds, _)| bounds.y), bounds.x);
        let row = match arrow {
            key::Named::ArrowLeft => return Some(from.saturating_sub(1)),
            key::Named::ArrowRight => return Some((from + 1).min(self.0.len().saturating_sub(1))),
            key::Named::ArrowUp => rows.filter(|y| *y < bounds.y).max_by(f32::total_cmp),
            key::Named::ArrowDown => rows.filter(|y| *y > bounds.y).min_by(f32::total_cmp),
            _ => return None,
        };
        let in_row = self.0.iter().enumerate().filter(|(_, (bounds, _))| Some(bounds.y) == row);
        let nearest = in_row.min_by(|(_, (one, _)), (_, (other, _))| (one.x - x).abs().total_cmp(&(other.x - x).abs()));
        Some(nearest.map_or(from, |(place, _)| place))
    }
}

impl Operation for Stops {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        self.0.push((bounds, state.is_focused()));
    }
}

/// Moves the focus on, and from the last to the first: iced's own walk has a stop at the end where nothing has the focus.
pub(crate) fn focus_next<T: Send + 'static>() -> Task<T> {
    operate(walk(true)).discard()
}

/// Moves the focus back, and from the first to the last.
pub(crate) fn focus_previous<T: Send + 'static>() -> Task<T> {
    operate(walk(false)).discard()
}

fn walk(forward: bool) -> impl Operation<()> {
    operation::then(focusable::count(), if forward { after as fn(_) -> _ } else { before })
}

fn after(focusable::Count { focused, total }: focusable::Count) -> FocusOn {
    FocusOn { target: focused.map_or(0, |focused| (focused + 1) % total.max(1)), current: 0 }
}

fn before(focusable::Count { focused, total }: focusable::Count) -> FocusOn {
    let last = total.saturating_sub(1);
    FocusOn { target: focused.map_or(last, |focused| focused.checked_sub(1).unwrap_or(last)), current: 0 }
}

struct FocusOn {
    target: usize,
    current: usize,
}

impl Operation<()> for FocusOn {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        operate(self);
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if self.current == self.target {
            state.focus();
        } else {
            state.unfocus();
        }
        self.current += 1;
    }
}
