//! A list that is read from its end, like a conversation: what is read stays in place whatever happens around it.
//!
//! Its place is kept as a row and that row's distance from the top of the window, and not as an offset: rows that come, go or
//! change their height above or below never move what is read. If it stands at the end, it stays at the end. It lays out all
//! rows that it is given (give it a window of them: it says when it nears the first or last), and draws only those that are seen.
//!
//! Invariant: scrolling lays nothing out.

mod order;
mod scroll;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Id, Operation, Tree, operation, tree};
use iced::advanced::{Clipboard, InputMethod, Renderer as _, Shell, Widget, mouse, overlay, renderer};
use iced::{Background, Border, Color, Event, Length, Padding, Rectangle, Renderer, Size, Vector, touch};

use crate::theme::{Element, Theme, metric};
pub(crate) use order::{scroll_pages, scroll_to, scroll_to_end};
pub(crate) use scroll::{Align, Position};
use scroll::{Extent, Scroll};
use state::{Hand, State};

/// A list of rows.
pub(crate) struct History<'a, Message> {
    id: Id,
    keys: Vec<u64>,
    rows: Vec<Element<'a, Message>>,
    spacing: f32,
    padding: Padding,
    is_complete: bool,
    start_at: Option<(u64, Align)>,
    on_near_start: Option<Message>,
    on_near_end: Option<Message>,
    on_scroll: Option<Box<dyn Fn(Position) -> Message + 'a>>,
    tells_rows: bool,
}

/// Makes a list of rows, each with a key that stays the same as long as the row is the same. Another id is another list.
pub(crate) fn history<'a, Message>(id: impl Into<Id>, rows: Vec<(u64, Element<'a, Message>)>) -> History<'a, Message> {
    let (keys, rows) = rows.into_iter().unzip();
    History {
        id: id.into(),
        keys,
        rows,
        spacing: 0.0,
        padding: Padding::ZERO,
        is_complete: true,
        start_at: None,
        on_near_start: None,
        on_near_end: None,
        on_scroll: None,
        tells_rows: true,
    }
}

impl<'a, Message> History<'a, Message> {
    /// Between rows.
    #[cfg_attr(not(test), expect(dead_code, reason = "a widget of this sort has it; its tests use it"))]
    pub(crate) fn spacing(mut self, spacing: f32) -> Self {
        self.spacing = spacing;
        self
    }

    /// Around all rows.
    pub(crate) fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Whether the last row is the newest there is (it is, unless told otherwise). If not, its end is not a place to stay at.
    pub(crate) fn at_end_hint(mut self, is_complete: bool) -> Self {
        self.is_complete = is_complete;
        self
    }

    /// Where a list that was not seen before begins: not at the end, but at this row.
    #[cfg_attr(not(test), expect(dead_code, reason = "a widget of this sort has it; its tests use it"))]
    pub(crate) fn start_at(mut self, key: u64, align: Align) -> Self {
        self.start_at = Some((key, align));
        self
    }

    /// What is said when less than a window lies above; again when the rows are others, or when it was left and came back.
    pub(crate) fn on_near_start(mut self, message: Message) -> Self {
        self.on_near_start = Some(message);
        self
    }

    /// The same of the end.
    pub(crate) fn on_near_end(mut self, message: Message) -> Self {
        self.on_near_end = Some(message);
        self
    }

    /// What is said when other rows are seen.
    pub(crate) fn on_scroll(mut self, on_scroll: impl Fn(Position) -> Message + 'a) -> Self {
        self.on_scroll = Some(Box::new(on_scroll));
        self
    }

    /// Whether it matters which rows are seen (it does, unless told otherwise), or only whether it stands at the end: whatever is said
    /// has the whole window made anew.
    pub(crate) fn tells_rows(mut self, tells: bool) -> Self {
        self.tells_rows = tells;
        self
    }
}

/// What rows hear that are not seen: where a press ends or a key is pressed concerns what was begun or chosen in them before.
fn concerns_all(event: &Event) -> bool {
    match event {
        Event::Mouse(mouse::Event::ButtonPressed(_) | mouse::Event::ButtonReleased(_)) | Event::Keyboard(_) => true,
        Event::Touch(event) => !matches!(event, touch::Event::FingerMoved { .. }),
        _ => false,
    }
}

impl<Message: Clone> History<'_, Message> {
    /// The pointer as rows see it: above the bar or outside it is not over any of them.
    fn cursor_within(&self, state: &State, bounds: Rectangle, cursor: mouse::Cursor) -> mouse::Cursor {
        let is_free = cursor.is_over(bounds) && !self.is_over_bar(state, bounds, cursor);
        let cursor = if is_free && !matches!(state.hand, Some(Hand::Bar { .. })) { cursor } else { cursor.levitate() };
        cursor + order::translation(state)
    }

    fn is_over_bar(&self, state: &State, bounds: Rectangle, cursor: mouse::Cursor) -> bool {
        state.scroll.bar(bounds).is_some_and(|bar| cursor.is_over(bar.rail))
    }

    fn tell(&self, state: &mut State, shell: &mut Shell<'_, Message>) {
        let (is_near_start, is_near_end) = (state.scroll.is_near_start(), state.scroll.is_near_end());
        if is_near_start && !state.told_start {
            self.on_near_start.clone().into_iter().for_each(|message| shell.publish(message));
        }
        if is_near_end && !state.told_end {
            self.on_near_end.clone().into_iter().for_each(|message| shell.publish(message));
        }
        (state.told_start, state.told_end) = (is_near_start, is_near_end);
        let position = state.scroll.position();
        let is_other = match (position, state.told) {
            (Some(now), Some(told)) if !self.tells_rows => now.at_end != told.at_end,
            (now, told) => now != told,
        };
        if is_other {
            state.told = position;
            if let Some((on_scroll, position)) = self.on_scroll.as_ref().zip(position) {
                shell.publish(on_scroll(position));
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are those of `Widget::update`")]
    fn pass(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        window: Rectangle,
    ) {
        let state = tree.state.downcast_ref::<State>();
        let (visible, translation) = (state.scroll.visible(), order::translation(state));
        let window = window + translation;
        let had_input_method = shell.input_method().is_enabled();
        let rows = self.rows.iter_mut().zip(&mut tree.children).zip(layout.children());
        for (number, ((row, tree), layout)) in rows.enumerate() {
            let cursor = match visible.contains(&number) {
                true => cursor,
                false if concerns_all(event) => mouse::Cursor::Unavailable,
                false => continue,
            };
            row.as_widget_mut().update(tree, event, layout, cursor, renderer, clipboard, shell, &window);
        }
        if let InputMethod::Enabled { cursor, .. } = shell.input_method_mut()
            && !had_input_method
        {
            *cursor = *cursor - translation;
        }
    }

    fn ask(&mut self, trees: &mut [Tree], layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        for ((row, tree), layout) in self.rows.iter_mut().zip(trees).zip(layout.children()) {
            row.as_widget_mut().operate(tree, layout, renderer, operation);
        }
    }

    fn reveal(state: &mut State, bounds: Rectangle, focused: order::Focused) {
        if let Some(focused) = focused.0 {
            state.scroll.reveal(focused.y - bounds.y, focused.height);
        }
    }

    fn focus_by_pointer(state: &mut State, event: &Event, is_over: bool, is_captured: bool) {
        if let Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) = event {
            operation::Focusable::unfocus(state);
            // The keyboard scrolls it from now on, but a ring would only be in the way.
            state.is_focused = is_over && !is_captured;
        }
    }

    fn draw_bar(state: &State, renderer: &mut Renderer, theme: &Theme, bounds: Rectangle) {
        let palette = theme.palette();
        if let Some(bar) = state.scroll.bar(bounds) {
            let is_wanted = state.is_bar_hovered || matches!(state.hand, Some(Hand::Bar { .. }));
            let border = Border { radius: metric::PILL.into(), ..Border::default() };
            let color = if is_wanted { palette.border } else { palette.track };
            renderer.fill_quad(renderer::Quad { bounds: bar.thumb, border, ..renderer::Quad::default() }, color);
        }
        if state.shows_focus {
            let border = Border { color: palette.accent, width: metric::RING, radius: metric::TIGHT.into() };
            let quad = renderer::Quad { bounds, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(Color::TRANSPARENT));
        }
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for History<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::new(self.id.clone(), self.keys.clone(), Scroll::new(self.start_at)))
    }

    fn children(&self) -> Vec<Tree> {
        self.rows.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        let state = tree.state.downcast_mut::<State>();
        if state.id != self.id {
            *tree = Tree { tag: self.tag(), state: self.state(), children: self.children() };
            return;
        }
        if state.keys == self.keys {
            tree.diff_children(&self.rows);
            return;
        }
        // What a row has in hand goes with the row, wherever it is now.
        let mut known = state.keys.iter().copied().zip(std::mem::take(&mut tree.children)).collect::<BTreeMap<_, _>>();
        tree.children = (self.keys.iter().zip(&self.rows))
            .map(|(key, row)| match known.remove(key) {
                Some(mut tree) => {
                    tree.diff(row);
                    tree
                }
                None => Tree::new(row),
            })
            .collect();
        state.keys.clone_from(&self.keys);
        (state.told_start, state.told_end) = (false, false);
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Fill)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let size = limits.resolve(Length::Fill, Length::Fill, Size::ZERO);
        let width = (size.width - self.padding.x()).max(0.0);
        let limits = layout::Limits::new(Size::ZERO, Size::new(width, f32::INFINITY));
        let mut extents = Vec::with_capacity(self.rows.len());
        let mut nodes = Vec::with_capacity(self.rows.len());
        let mut top = self.padding.top;
        let rows = self.rows.iter_mut().zip(&mut tree.children).zip(&self.keys);
        for (number, ((row, tree), key)) in rows.enumerate() {
            if number > 0 {
                top += self.spacing;
            }
            let node = row.as_widget_mut().layout(tree, renderer, &limits).move_to((self.padding.left, top));
            // Whole pixels, or letters would look another way when rows come above.
            let height = Some(node.size().height.ceil()).filter(|height| height.is_finite()).unwrap_or(0.0);
            extents.push(Extent { key: *key, top, height });
            nodes.push(node);
            top += height;
        }
        let scroll = &mut tree.state.downcast_mut::<State>().scroll;
        scroll.lay(extents, top + self.padding.bottom, size.height, self.is_complete);
        layout::Node::with_children(size, nodes)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        let bounds = layout.bounds();
        let state = tree.state.downcast_mut::<State>();
        operation.focusable(Some(&self.id), bounds, state);
        operation.custom(Some(&self.id), bounds, state);
        let (translation, whole) = (order::translation(state), Rectangle { height: state.scroll.content(), ..bounds });
        operation.scrollable(Some(&self.id), bounds, whole, translation, state);
        let mut operate = |operation: &mut dyn Operation| self.ask(&mut tree.children, layout, renderer, operation);
        let (mut before, mut after) = (order::Focused::default(), order::Focused::default());
        operate(&mut before);
        operation.traverse(&mut operate);
        operate(&mut after);
        if after.0 != before.0 {
            Self::reveal(tree.state.downcast_mut::<State>(), bounds, after);
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
        let bounds = layout.bounds();
        let window = bounds.intersection(viewport).unwrap_or(Rectangle { height: 0.0, ..bounds });
        let state = tree.state.downcast_mut::<State>();
        let before = state.look();
        let was_scrolling = state.is_scrolling_by_finger();
        let is_held = state.hold(event, bounds, cursor);
        state.is_bar_hovered = self.is_over_bar(state, bounds, cursor);
        let within = self.cursor_within(state, bounds, cursor);
        let scrolls_now = !was_scrolling && state.is_scrolling_by_finger();
        let was_captured = shell.is_event_captured();
        match event {
            // What the finger was put on must not be pressed when it is lifted.
            Event::Touch(touch::Event::FingerMoved { id, position }) if scrolls_now => {
                let lost = Event::Touch(touch::Event::FingerLost { id: *id, position: *position });
                self.pass(tree, &lost, layout, within, renderer, clipboard, shell, window);
            }
            _ if is_held => {}
            _ => self.pass(tree, event, layout, within, renderer, clipboard, shell, window),
        }
        if matches!(event, Event::Keyboard(_)) && shell.is_event_captured() && !was_captured {
            // A key may have moved the focus within a row that is higher than the window.
            let mut focused = order::Focused::default();
            self.ask(&mut tree.children, layout, renderer, &mut focused);
            Self::reveal(tree.state.downcast_mut::<State>(), bounds, focused);
        }
        let state = tree.state.downcast_mut::<State>();
        let is_over = cursor.is_over(bounds);
        Self::focus_by_pointer(state, event, is_over, is_held || shell.is_event_captured());
        if is_held || (!shell.is_event_captured() && state.turn(event, is_over)) {
            shell.capture_event();
        }
        self.tell(state, shell);
        if state.look() != before {
            shell.request_redraw();
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
        let bounds = layout.bounds();
        let Some(window) = bounds.intersection(viewport) else { return };
        let state = tree.state.downcast_ref::<State>();
        let visible = state.scroll.visible();
        let within = match self.cursor_within(state, bounds, cursor) {
            cursor @ mouse::Cursor::Available(_) => cursor,
            _ => mouse::Cursor::Unavailable,
        };
        let translation = order::translation(state);
        // iced's software renderer draws anew, one by one, whatever moved in a layer, each through a mask; but a layer of another size it
        // draws once and whole. So its size tells where it stands, by less than a pixel.
        let whole = Rectangle { width: window.width + state.scroll.offset().rem_euclid(509.0) / 2048.0, ..window };
        renderer.with_layer(whole, |renderer| {
            renderer.with_translation(translation * -1.0, |renderer| {
                let rows = self.rows.iter().zip(&tree.children).zip(layout.children());
                for ((row, tree), layout) in rows.skip(visible.start).take(visible.len()) {
                    row.as_widget().draw(tree, renderer, theme, style, layout, within, &(window + translation));
                }
            });
        });
        renderer.with_layer(window, |renderer| Self::draw_bar(state, renderer, theme, bounds));
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let bounds = layout.bounds();
        let state = tree.state.downcast_ref::<State>();
        if self.is_over_bar(state, bounds, cursor) || matches!(state.hand, Some(Hand::Bar { .. })) {
            return mouse::Interaction::Idle;
        }
        let visible = state.scroll.visible();
        let within = self.cursor_within(state, bounds, cursor);
        let window = bounds.intersection(viewport).unwrap_or(bounds) + order::translation(state);
        let rows = self.rows.iter().zip(&tree.children).zip(layout.children());
        rows.skip(visible.start)
            .take(visible.len())
            .map(|((row, tree), layout)| row.as_widget().mouse_interaction(tree, layout, within, &window, renderer))
            .max()
            .unwrap_or_default()
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let state = tree.state.downcast_ref::<State>();
        let visible = state.scroll.visible();
        let window = layout.bounds().intersection(viewport).unwrap_or(*viewport);
        let translation = translation - order::translation(state);
        let rows = self.rows.iter_mut().zip(&mut tree.children).zip(layout.children());
        let overlays = rows
            .skip(visible.start)
            .take(visible.len())
            .filter_map(|((row, tree), layout)| {
                row.as_widget_mut().overlay(tree, layout, renderer, &window, translation)
            })
            .collect::<Vec<_>>();
        (!overlays.is_empty()).then(|| overlay::Group::with_children(overlays).overlay())
    }
}

impl<'a, Message: Clone + 'a> From<History<'a, Message>> for Element<'a, Message> {
    fn from(history: History<'a, Message>) -> Self {
        Self::new(history)
    }
}
