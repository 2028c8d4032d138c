//! Text with spans and links that can be selected with the pointer and copied.
//!
//! A drag selects letters, after a double click words; a triple click selects all; Shift and a click extend the selection.
//! What is selected is copied by Ctrl (Command) and C, and by the middle button where the system has that. The selection does not
//! cross into another text, and there is no caret.
//!
//! With links in it, it takes part in the walk of the focus: arrows, Home and End go from link to link, and Enter follows one.
//!
//! Invariant: the text is shaped only when it, its fonts or its width changed.

mod place;
mod state;
#[cfg(test)]
mod tests;

use iced::advanced::layout::{self, Layout};
use iced::advanced::text::{Alignment, LineHeight, Renderer as _, Shaping, Span, Wrapping};
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Renderer as _, Shell, Text, Widget, clipboard, mouse, renderer};
use iced::alignment::Vertical;
use iced::keyboard::{self, key};
use iced::widget::text::Style;
use iced::{
    Background, Border, Color, Event, Font, Length, Pixels, Point, Rectangle, Renderer, Size, Vector, touch, window,
};

use crate::theme::{Element, Theme, metric};
use state::{Pressed, Selection, State, Way};

/// The most bytes that are shown: no message is as long, so that this only guards the window against a frame of seconds.
const MAX_BYTES: usize = 24 * 1024;
/// Thickness of the line under a link.
const UNDERLINE: f32 = 1.0;

/// Text that can be selected.
pub(crate) struct Selectable<'a, Link, Message> {
    spans: Vec<Span<'a, Link, Font>>,
    size: Pixels,
    line_height: LineHeight,
    font: Option<Font>,
    width: Length,
    trailing: Option<Size>,
    style: Box<dyn Fn(&Theme) -> Style + 'a>,
    on_link: Option<Box<dyn Fn(Link) -> Message + 'a>>,
    on_copy: Option<Message>,
}

/// Makes text of these spans. Bytes over a limit that no message reaches are left out.
pub(crate) fn selectable<'a, Link, Message>(spans: Vec<Span<'a, Link, Font>>) -> Selectable<'a, Link, Message> {
    Selectable {
        spans: bounded(spans),
        size: Pixels(metric::BODY),
        line_height: LineHeight::Relative(metric::LINE),
        font: None,
        width: Length::Shrink,
        trailing: None,
        style: Box::new(|_| Style::default()),
        on_link: None,
        on_copy: None,
    }
}

fn bounded<Link>(spans: Vec<Span<'_, Link, Font>>) -> Vec<Span<'_, Link, Font>> {
    let mut left = MAX_BYTES;
    let mut kept = Vec::with_capacity(spans.len());
    for mut span in spans {
        if span.text.len() > left {
            let end = span.text.floor_char_boundary(left);
            span.text = span.text.get(..end).unwrap_or_default().to_owned().into();
        }
        left -= span.text.len();
        kept.push(span);
        if left == 0 {
            break;
        }
    }
    kept
}

impl<'a, Link, Message> Selectable<'a, Link, Message> {
    /// The size of letters, where a span has no other.
    pub(crate) fn size(mut self, size: impl Into<Pixels>) -> Self {
        self.size = size.into();
        self
    }

    /// The height of lines.
    pub(crate) fn line_height(mut self, line_height: impl Into<LineHeight>) -> Self {
        self.line_height = line_height.into();
        self
    }

    /// The font, where a span has no other.
    pub(crate) fn font(mut self, font: Font) -> Self {
        self.font = Some(font);
        self
    }

    /// Its width.
    #[cfg_attr(not(test), expect(dead_code, reason = "a widget of this sort has it; its tests use it"))]
    pub(crate) fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    /// Keeps a corner free, at the bottom right, for something that the parent draws there. It stands beside the last line if
    /// there is room (the size includes the distance to the words), and else makes the text higher.
    pub(crate) fn trailing(mut self, size: Size) -> Self {
        self.trailing = Some(size);
        self
    }

    /// What a click on a link says.
    pub(crate) fn on_link(mut self, on_link: impl Fn(Link) -> Message + 'a) -> Self {
        self.on_link = Some(Box::new(on_link));
        self
    }

    /// What is said when something was copied.
    #[cfg_attr(not(test), expect(dead_code, reason = "a widget of this sort has it; its tests use it"))]
    pub(crate) fn on_copy(mut self, message: Message) -> Self {
        self.on_copy = Some(message);
        self
    }
}

impl<Link: Clone + 'static, Message: Clone> Selectable<'_, Link, Message> {
    /// The link under a point.
    fn link_at(&self, state: &State<Link>, point: Point) -> Option<usize> {
        self.on_link.as_ref()?;
        let number = place::span_at(state.paragraph.buffer(), point)?;
        self.spans.get(number).filter(|span| span.link.is_some()).map(|_| number)
    }

    fn follow(&self, number: usize) -> Option<Message> {
        let link = self.spans.get(number)?.link.clone()?;
        self.on_link.as_ref().map(|on_link| on_link(link))
    }

    fn handle_pointer(
        &self,
        state: &mut State<Link>,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        let over = cursor.position_in(bounds);
        let link = over.and_then(|point| self.link_at(state, point));
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) => match over {
                Some(point) if !shell.is_event_captured() => {
                    state.press(point, link);
                    shell.capture_event();
                }
                _ => state.clear(),
            },
            Event::Mouse(mouse::Event::CursorMoved { .. }) => {
                // While it is held, the pointer may be anywhere: above or beside the text, or over something else.
                if let Some((unit, position)) = state.dragged.zip(cursor.land().position()) {
                    state.drag(unit, position - Vector::new(bounds.x, bounds.y));
                }
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left)) if state.dragged.take().is_some() => {
                let pressed = state.pressed.take().and_then(|pressed| pressed.link);
                if let Some(words) = state.selected() {
                    clipboard.write(clipboard::Kind::Primary, words);
                } else if let Some(message) = pressed.filter(|_| pressed == link).and_then(|number| self.follow(number))
                {
                    shell.publish(message);
                }
            }
            // A finger scrolls what the text is in: it follows links, and selects nothing.
            Event::Touch(touch::Event::FingerPressed { .. }) => {
                state.pressed = over.filter(|_| link.is_some()).map(|at| Pressed { link, at });
            }
            Event::Touch(touch::Event::FingerLifted { .. }) => {
                let pressed = state.pressed.take().and_then(|pressed| pressed.link);
                if let Some(message) = pressed.filter(|_| pressed == link).and_then(|number| self.follow(number)) {
                    shell.publish(message);
                    shell.capture_event();
                }
            }
            Event::Touch(touch::Event::FingerLost { .. }) => state.pressed = None,
            _ => {}
        }
        state.hovered = link.filter(|_| state.dragged.is_none() || state.pressed.is_some());
    }

    fn handle_key(
        &self,
        state: &mut State<Link>,
        event: &keyboard::Event,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
    ) {
        match event {
            keyboard::Event::ModifiersChanged(modifiers) => state.modifiers = *modifiers,
            keyboard::Event::KeyPressed { key, physical_key, modifiers, .. } if !shell.is_event_captured() => {
                let letter = key.to_latin(*physical_key).filter(|_| modifiers.command() && !modifiers.alt());
                let copies = letter == Some('c') || *key == keyboard::Key::Named(key::Named::Copy);
                if let Some(words) = state.selected().filter(|_| copies) {
                    clipboard.write(clipboard::Kind::Standard, words);
                    self.on_copy.clone().into_iter().for_each(|message| shell.publish(message));
                    shell.capture_event();
                } else if letter == Some('a') && state.is_focused {
                    let all = place::all(state.paragraph.buffer());
                    state.selection = Some(Selection { anchor: all, head: all });
                    shell.capture_event();
                } else if state.shows_focus && modifiers.is_empty() {
                    self.handle_link_key(state, key, shell);
                }
            }
            _ => {}
        }
    }

    fn handle_link_key(&self, state: &mut State<Link>, key: &keyboard::Key, shell: &mut Shell<'_, Message>) {
        let keyboard::Key::Named(key) = key else { return };
        let way = match key {
            key::Named::ArrowRight => Way::Next,
            key::Named::ArrowLeft => Way::Previous,
            key::Named::ArrowDown => Way::Down,
            key::Named::ArrowUp => Way::Up,
            key::Named::Home => Way::First,
            key::Named::End => Way::Last,
            key::Named::Enter => {
                if let Some(message) = state.link.and_then(|link| self.follow(link)) {
                    shell.publish(message);
                    shell.capture_event();
                }
                return;
            }
            _ => return,
        };
        if self.has_links() {
            state.go(way);
            shell.capture_event();
        }
    }

    fn has_links(&self) -> bool {
        self.on_link.is_some() && self.spans.iter().any(|span| span.link.is_some())
    }

    fn draw_focus(&self, state: &State<Link>, renderer: &mut Renderer, corner: Vector, color: Color) {
        if !self.has_links() {
            return;
        }
        let border = Border { color, width: UNDERLINE, radius: metric::TIGHT.into() };
        for region in state.link_regions() {
            let bounds = region.bounds.expand(UNDERLINE) + corner;
            let quad = renderer::Quad { bounds, border, ..renderer::Quad::default() };
            renderer.fill_quad(quad, Background::Color(Color::TRANSPARENT));
        }
    }

    fn draw_spans(&self, state: &State<Link>, renderer: &mut Renderer, corner: Vector, words: Color) {
        let is_marked = |span: &Span<'_, Link, Font>| span.highlight.is_some() || span.underline || span.strikethrough;
        let marked = |number: usize| state.hovered == Some(number) || self.spans.get(number).is_some_and(is_marked);
        if state.hovered.is_none() && !self.spans.iter().any(is_marked) {
            return;
        }
        for region in place::regions(state.paragraph.buffer(), marked) {
            let Some(span) = self.spans.get(region.span) else { continue };
            if let Some(highlight) = span.highlight {
                let bounds = region.bounds.expand(span.padding) + corner;
                let quad = renderer::Quad { bounds, border: highlight.border, ..renderer::Quad::default() };
                renderer.fill_quad(quad, highlight.background);
            }
            let size = span.size.unwrap_or(self.size).0;
            let mut line = |y: f32| {
                let bounds = Rectangle { y, height: UNDERLINE, ..region.bounds } + corner;
                renderer.fill_quad(renderer::Quad { bounds, ..renderer::Quad::default() }, span.color.unwrap_or(words));
            };
            if span.underline || state.hovered == Some(region.span) {
                line(region.baseline + size * 0.12);
            }
            if span.strikethrough {
                line(region.baseline - size * 0.3);
            }
        }
    }
}

impl<Link: Clone + 'static, Message: Clone> Widget<Message, Theme, Renderer> for Selectable<'_, Link, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State<Link>>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::<Link>::default())
    }

    fn size(&self) -> Size<Length> {
        Size { width: self.width, height: Length::Shrink }
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State<Link>>();
        let limits = limits.width(self.width);
        let max_width = limits.max().width;
        state.shape(
            &self.spans,
            Text {
                content: (),
                bounds: Size::new(max_width, f32::INFINITY),
                size: self.size,
                line_height: self.line_height,
                font: self.font.unwrap_or_else(|| renderer.default_font()),
                align_x: Alignment::Default,
                align_y: Vertical::Top,
                shaping: Shaping::Advanced,
                wrapping: Wrapping::WordOrGlyph,
            },
        );
        let room = state.room(self.trailing, max_width);
        layout::Node::new(limits.resolve(self.width, Length::Shrink, Size::new(room.width.ceil(), room.height.ceil())))
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        let state = tree.state.downcast_mut::<State<Link>>();
        let bounds = layout.bounds();
        operation.text(None, bounds, &state.plain);
        // Where there is no link the walk of the focus never stops, but it goes on from here after a click.
        if state.is_focused || self.has_links() {
            let link = state.link_regions().first().map(|region| region.bounds + Vector::new(bounds.x, bounds.y));
            operation.focusable(None, link.unwrap_or(bounds), state);
        }
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State<Link>>();
        let before = (state.selection, state.hovered, state.link, state.shows_focus);
        match event {
            // At each frame too: the text may have been scrolled under a pointer that rests.
            Event::Mouse(_) | Event::Touch(_) | Event::Window(window::Event::RedrawRequested(_)) => {
                self.handle_pointer(state, event, layout.bounds(), cursor, clipboard, shell);
            }
            Event::Keyboard(event) => self.handle_key(state, event, clipboard, shell),
            _ => {}
        }
        if before != (state.selection, state.hovered, state.link, state.shows_focus) {
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
        _cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        if !bounds.intersects(viewport) {
            return;
        }
        let state = tree.state.downcast_ref::<State<Link>>();
        let corner = Vector::new(bounds.x, bounds.y);
        let words = (self.style)(theme).color.unwrap_or(style.text_color);
        self.draw_spans(state, renderer, corner, words);
        if let Some(selection) = state.selection.filter(|selection| !selection.is_empty()) {
            let (from, to) = selection.range();
            for mark in place::marks(state.paragraph.buffer(), from, to) {
                let quad = renderer::Quad { bounds: mark + corner, ..renderer::Quad::default() };
                renderer.fill_quad(quad, theme.palette().selection);
            }
        }
        renderer.fill_paragraph(&state.paragraph, bounds.position(), words, *viewport);
        self.draw_focus(state, renderer, corner, theme.palette().accent);
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        let state = tree.state.downcast_ref::<State<Link>>();
        if state.hovered.is_some() && cursor.is_over(layout.bounds()) {
            mouse::Interaction::Pointer
        } else if state.dragged.is_some() || cursor.is_over(layout.bounds()) {
            mouse::Interaction::Text
        } else {
            mouse::Interaction::None
        }
    }
}

impl<'a, Link: Clone + 'static, Message: Clone + 'a> From<Selectable<'a, Link, Message>> for Element<'a, Message> {
    fn from(selectable: Selectable<'a, Link, Message>) -> Self {
        Self::new(selectable)
    }
}
