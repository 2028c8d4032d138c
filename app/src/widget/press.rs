//! What can be pressed: by the pointer, and, unlike iced's own button, by the keyboard.
//!
//! It takes part in the walk of the focus (Tab) and shows by a ring when it has it; Enter and the space bar press it then.
//! It can be held by the pointer, too ([`Hold`]), and then tells how it is pulled until it is let go of, wherever that is.

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Id, Operation, Tree, operation, tree};
use iced::advanced::{Clipboard, Renderer as _, Shell, Widget, mouse, overlay, renderer};
use iced::keyboard::{self, key};
use iced::{
    Background, Border, Color, Event, Length, Padding, Point, Rectangle, Renderer, Size, Vector, border, touch, window,
};

use crate::theme::{Element, Theme, metric};

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing.
    Active,
    /// The pointer is over it.
    Hovered,
    /// It is held down.
    Pressed,
    /// It cannot be pressed.
    Disabled,
}

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    /// Its ground.
    pub(crate) background: Option<Background>,
    /// Words and icons in it.
    pub(crate) text_color: Color,
    /// Its edge.
    pub(crate) border: Border,
    /// The ring around it when the keyboard has come to it.
    pub(crate) ring: Color,
    /// How far the ring is from it, where it would not be seen upon its ground.
    pub(crate) ring_gap: Option<f32>,
}

type StyleFn<'a> = Box<dyn Fn(&Theme, Status) -> Style + 'a>;

/// What the pointer says of something that it holds, in the place of a press when it is let go.
pub(crate) struct Hold<'a, Message> {
    /// It is held now.
    pub(crate) on_grip: Message,
    /// It is held, and the pointer is this far from where it took hold.
    pub(crate) on_pull: Box<dyn Fn(Vector) -> Message + 'a>,
    /// It was let go.
    pub(crate) on_let_go: Message,
    /// The pointer has gone, and nobody knows what it meant.
    pub(crate) on_lost: Message,
}

/// A pressable piece of the window.
pub(crate) struct Press<'a, Message> {
    content: Element<'a, Message>,
    id: Option<Id>,
    on_press: Option<Message>,
    on_right_press: Option<Message>,
    hold: Option<Hold<'a, Message>>,
    focusable: bool,
    width: Length,
    height: Length,
    padding: Padding,
    style: StyleFn<'a>,
    status: Option<Status>,
}

/// Makes `content` pressable.
pub(crate) fn press<'a, Message>(content: impl Into<Element<'a, Message>>) -> Press<'a, Message> {
    let content = content.into();
    let size = content.as_widget().size_hint();
    Press {
        content,
        id: None,
        on_press: None,
        on_right_press: None,
        hold: None,
        focusable: true,
        width: size.width.fluid(),
        height: size.height.fluid(),
        padding: Padding { top: metric::SMALL, bottom: metric::SMALL, right: metric::GAP, left: metric::GAP },
        style: Box::new(crate::theme::button::secondary),
        status: None,
    }
}

impl<'a, Message> Press<'a, Message> {
    /// Names it, so that the focus can be sent to it.
    pub(crate) fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What a press says; without it, it is disabled.
    pub(crate) fn on_press(mut self, message: Message) -> Self {
        self.on_press = Some(message);
        self
    }

    /// The same, if there is something to say.
    pub(crate) fn on_press_maybe(mut self, message: Option<Message>) -> Self {
        self.on_press = message;
        self
    }

    /// What a press of the other button says.
    pub(crate) fn on_right_press(mut self, message: Message) -> Self {
        self.on_right_press = Some(message);
        self
    }

    /// The pointer holds it instead of pressing it; keys press it all the same.
    pub(crate) fn on_hold(mut self, hold: Hold<'a, Message>) -> Self {
        self.hold = Some(hold);
        self
    }

    /// The walk of the focus passes it by: there is another way for the keyboard.
    pub(crate) fn unfocusable(mut self) -> Self {
        self.focusable = false;
        self
    }

    /// Its width.
    pub(crate) fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    /// Its height.
    pub(crate) fn height(mut self, height: impl Into<Length>) -> Self {
        self.height = height.into();
        self
    }

    /// Around its content.
    pub(crate) fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// How it looks.
    pub(crate) fn style(mut self, style: impl Fn(&Theme, Status) -> Style + 'a) -> Self {
        self.style = Box::new(style);
        self
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    is_pressed: bool,
    /// Where the pointer took hold of it.
    held_at: Option<Point>,
    is_focused: bool,
    /// The focus came by the keyboard, so that it has to be seen.
    shows_focus: bool,
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

impl<Message: Clone> Press<'_, Message> {
    fn status(&self, state: State, is_over: bool) -> Status {
        match (&self.on_press, is_over || state.held_at.is_some(), state.is_pressed) {
            (None, _, _) => Status::Disabled,
            (Some(_), true, true) => Status::Pressed,
            (Some(_), true, false) => Status::Hovered,
            (Some(_), false, _) => Status::Active,
        }
    }

    /// Whether the event was the hold's. It is wherever the pointer goes, whatever else is there.
    fn hold(&self, state: &mut State, event: &Event, cursor: mouse::Cursor, shell: &mut Shell<'_, Message>) -> bool {
        let Some(hold) = &self.hold else {
            state.held_at = None;
            return false;
        };
        let Some(from) = state.held_at else { return false };
        let ends = match event {
            Event::Mouse(mouse::Event::CursorMoved { position })
            | Event::Touch(touch::Event::FingerMoved { position, .. }) => {
                shell.publish((hold.on_pull)(*position - from));
                return true;
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. }) => &hold.on_let_go,
            // The button was let go where the window could not see it.
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) if cursor.position().is_some() => {
                &hold.on_lost
            }
            Event::Touch(touch::Event::FingerLost { .. }) | Event::Window(window::Event::Unfocused) => &hold.on_lost,
            _ => return false,
        };
        (state.is_pressed, state.held_at) = (false, None);
        shell.publish(ends.clone());
        true
    }

    fn handle(
        &self,
        state: &mut State,
        event: &Event,
        cursor: mouse::Cursor,
        is_over: bool,
        shell: &mut Shell<'_, Message>,
    ) {
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. }) => {
                if is_over && self.on_press.is_some() {
                    state.is_pressed = true;
                    if let Some(hold) = &self.hold {
                        state.held_at = match event {
                            Event::Touch(touch::Event::FingerPressed { position, .. }) => Some(*position),
                            _ => cursor.position(),
                        };
                        shell.publish(hold.on_grip.clone());
                    }
                    shell.capture_event();
                } else {
                    operation::Focusable::unfocus(state);
                }
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. })
                if state.is_pressed =>
            {
                state.is_pressed = false;
                if let Some(message) = self.on_press.clone().filter(|_| is_over) {
                    shell.publish(message);
                }
                shell.capture_event();
            }
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Right)) if is_over => {
                if let Some(message) = self.on_right_press.clone() {
                    shell.publish(message);
                    shell.capture_event();
                }
            }
            Event::Touch(touch::Event::FingerLost { .. }) => state.is_pressed = false,
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. }) if state.is_focused => {
                let presses = matches!(key, keyboard::Key::Named(key::Named::Enter | key::Named::Space));
                if let Some(message) = self.on_press.clone().filter(|_| presses && modifiers.is_empty()) {
                    shell.publish(message);
                    shell.capture_event();
                }
            }
            _ => {}
        }
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for Press<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        Size { width: self.width, height: self.height }
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let Some(child) = tree.children.first_mut() else { return layout::Node::default() };
        layout::padded(limits, self.width, self.height, self.padding, |limits| {
            self.content.as_widget_mut().layout(child, renderer, limits)
        })
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        if self.focusable && self.on_press.is_some() {
            operation.focusable(self.id.as_ref(), layout.bounds(), tree.state.downcast_mut::<State>());
        }
        operation.container(self.id.as_ref(), layout.bounds());
        operation.traverse(&mut |operation| {
            if let (Some(child), Some(layout)) = (tree.children.first_mut(), layout.children().next()) {
                self.content.as_widget_mut().operate(child, layout, renderer, operation);
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
        if let (Some(child), Some(inner)) = (tree.children.first_mut(), layout.children().next()) {
            self.content.as_widget_mut().update(child, event, inner, cursor, renderer, clipboard, shell, viewport);
        }
        let state = tree.state.downcast_mut::<State>();
        let is_over = cursor.is_over(layout.bounds());
        let had_focus = state.shows_focus;
        if self.hold(state, event, cursor, shell) {
            shell.capture_event();
        } else if !shell.is_event_captured() {
            self.handle(state, event, cursor, is_over, shell);
        }
        let status = self.status(*state, is_over);
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            self.status = Some(status);
        } else if self.status.is_some_and(|drawn| drawn != status) || had_focus != state.shows_focus {
            shell.request_redraw();
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let state = tree.state.downcast_ref::<State>();
        let style = (self.style)(theme, self.status.unwrap_or(Status::Disabled));
        let mut edge = style.border;
        if state.shows_focus {
            let ring = Border { width: metric::RING, color: style.ring, ..edge };
            match style.ring_gap {
                None => edge = ring,
                Some(gap) => {
                    let distance = gap + metric::RING;
                    let radius = border::radius(distance + edge.radius.top_left);
                    let around = renderer::Quad {
                        bounds: bounds.expand(distance),
                        border: Border { radius, ..ring },
                        ..renderer::Quad::default()
                    };
                    renderer.fill_quad(around, Background::Color(Color::TRANSPARENT));
                }
            }
        }
        if style.background.is_some() || edge.width > 0.0 {
            renderer.fill_quad(
                renderer::Quad { bounds, border: edge, ..renderer::Quad::default() },
                style.background.unwrap_or(Background::Color(Color::TRANSPARENT)),
            );
        }
        let Some(viewport) = bounds.intersection(viewport) else { return };
        if let (Some(child), Some(inner)) = (tree.children.first(), layout.children().next()) {
            let words = renderer::Style { text_color: style.text_color };
            self.content.as_widget().draw(child, renderer, theme, &words, inner, cursor, &viewport);
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
        let inner =
            tree.children.first().zip(layout.children().next()).map(|(child, inner)| {
                self.content.as_widget().mouse_interaction(child, inner, cursor, viewport, renderer)
            });
        match inner {
            Some(interaction) if interaction != mouse::Interaction::None => interaction,
            _ if cursor.is_over(layout.bounds()) && self.on_press.is_some() => mouse::Interaction::Pointer,
            _ => mouse::Interaction::default(),
        }
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let (child, inner) = tree.children.first_mut().zip(layout.children().next())?;
        self.content.as_widget_mut().overlay(child, inner, renderer, viewport, translation)
    }
}

impl<'a, Message: Clone + 'a> From<Press<'a, Message>> for Element<'a, Message> {
    fn from(press: Press<'a, Message>) -> Self {
        Self::new(press)
    }
}

#[cfg(test)]
mod tests;
