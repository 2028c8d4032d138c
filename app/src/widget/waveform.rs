//! The picture of a sound, with what was heard of it in another colour: also the way to another moment of it.
//!
//! A press says where, and so does a drag when it is let go. It takes part in the walk of the focus: then arrows go a few seconds back
//! and on, Home and End to its ends, and the space bar and Enter play it or have it stand still.

use std::time::Duration;

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer::Quad;
use iced::advanced::widget::{Operation, Tree, operation, tree};
use iced::advanced::{Clipboard, Renderer as _, Shell, Widget, mouse, renderer};
use iced::keyboard::{self, key};
use iced::{Background, Border, Color, Event, Length, Rectangle, Renderer, Size, touch, window};

use crate::theme::{Element, Theme, metric};

/// How wide a bar is, and the gap after it.
const BAR: f32 = 2.0;
const STEP: f32 = 3.0;

/// The least height of a bar: silence is there too.
const LEAST: f32 = 2.0;

/// How far an arrow goes: about a sentence.
const ARROW: Duration = Duration::from_secs(5);

/// Keys go no nearer to the end: something is to be heard there, and what was not heard is not to count as heard.
const LAST: Duration = Duration::from_secs(1);

/// Bars that rise to both sides of a middle line.
pub(crate) struct Waveform<'a, Message> {
    peaks: &'a [u8],
    at: Duration,
    length: Duration,
    on_seek: Option<Box<dyn Fn(Duration) -> Message + 'a>>,
    on_toggle: Option<Message>,
}

/// A waveform of peaks of 0 to 255 of a sound of this length, which was heard up to `at`.
pub(crate) fn waveform<Message>(peaks: &[u8], at: Duration, length: Duration) -> Waveform<'_, Message> {
    Waveform { peaks, at, length, on_seek: None, on_toggle: None }
}

/// What it remembers.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    is_focused: bool,
    /// The focus came by the keyboard, so that it has to be seen.
    shows_focus: bool,
    /// It is dragged, and this far along, 0 to 1.
    dragged: Option<f32>,
    /// Where the sound stood when a key was pressed, and where the key sent it: the next key may come before it is there.
    aimed: Option<(Duration, Duration)>,
}

impl operation::Focusable for State {
    fn is_focused(&self) -> bool {
        self.is_focused
    }

    fn focus(&mut self) {
        (self.is_focused, self.shows_focus) = (true, true);
    }

    fn unfocus(&mut self) {
        (self.is_focused, self.shows_focus) = (false, false);
    }
}

impl<'a, Message: Clone> Waveform<'a, Message> {
    /// What is told of the moment that is wanted.
    pub(crate) fn on_seek(mut self, on_seek: impl Fn(Duration) -> Message + 'a) -> Self {
        self.on_seek = Some(Box::new(on_seek));
        self
    }

    /// What plays it or has it stand still, by the keyboard.
    pub(crate) fn on_toggle(mut self, message: Message) -> Self {
        self.on_toggle = Some(message);
        self
    }

    /// How high the bar at a place is, 0 to 1.
    fn height(&self, part: f32) -> f32 {
        let index = (part * self.peaks.len() as f32) as usize;
        let peak = self.peaks.get(index.min(self.peaks.len().saturating_sub(1))).copied().unwrap_or_default();
        // Loudness is heard by ratios: a quiet voice would be a flat line.
        (f32::from(peak) / 255.0).sqrt()
    }

    /// Which part of it was heard, or would be, 0 to 1.
    fn heard(&self, state: State) -> f32 {
        state.dragged.unwrap_or_else(|| self.at.as_secs_f32() / self.length.as_secs_f32().max(f32::EPSILON))
    }

    fn seek(&self, to: Duration, shell: &mut Shell<'_, Message>) {
        self.on_seek.iter().for_each(|on_seek| shell.publish(on_seek(to)));
    }

    fn handle_pointer(
        &self,
        state: &mut State,
        event: &Event,
        bounds: Rectangle,
        cursor: mouse::Cursor,
        shell: &mut Shell<'_, Message>,
    ) {
        let part = |x: f32| ((x - bounds.x) / bounds.width.max(1.0)).clamp(0.0, 1.0);
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. }) => {
                let at = cursor.position_over(bounds).filter(|_| !shell.is_event_captured());
                // Keys are for it from now on, but a ring would only be in the way.
                (state.is_focused, state.shows_focus) = (at.is_some(), false);
                state.dragged = at.map(|at| part(at.x));
                if at.is_some() {
                    shell.capture_event();
                }
            }
            Event::Mouse(mouse::Event::CursorMoved { .. }) | Event::Touch(touch::Event::FingerMoved { .. }) => {
                // While it is held, the pointer may be anywhere.
                if let (Some(dragged), Some(at)) = (&mut state.dragged, cursor.land().position()) {
                    *dragged = part(at.x);
                }
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. }) => {
                if let Some(part) = state.dragged.take() {
                    state.aimed = None;
                    self.seek(self.length.mul_f32(part), shell);
                    shell.capture_event();
                }
            }
            Event::Touch(touch::Event::FingerLost { .. }) | Event::Window(window::Event::Unfocused) => {
                state.dragged = None;
            }
            _ => {}
        }
    }

    fn handle_key(&self, state: &mut State, key: &keyboard::Key, shell: &mut Shell<'_, Message>) {
        let at = state.aimed.filter(|(seen, _)| *seen == self.at).map_or(self.at, |(_, aimed)| aimed);
        let last = self.length.saturating_sub(LAST);
        let to = match key {
            keyboard::Key::Named(key::Named::ArrowLeft) => at.saturating_sub(ARROW),
            keyboard::Key::Named(key::Named::ArrowRight) => at.saturating_add(ARROW).min(last.max(at)),
            keyboard::Key::Named(key::Named::Home) => Duration::ZERO,
            keyboard::Key::Named(key::Named::End) => last.max(at),
            keyboard::Key::Named(key::Named::Space | key::Named::Enter) => {
                if let Some(message) = self.on_toggle.clone() {
                    shell.publish(message);
                    shell.capture_event();
                }
                return;
            }
            _ => return,
        };
        state.aimed = Some((self.at, to));
        self.seek(to, shell);
        shell.capture_event();
    }
}

impl<Message: Clone> Widget<Message, Theme, Renderer> for Waveform<'_, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(metric::WAVEFORM), Length::Fixed(metric::ICON * 1.6))
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, Length::Fixed(metric::WAVEFORM), Length::Fixed(metric::ICON * 1.6))
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        let state = tree.state.downcast_mut::<State>();
        if self.on_seek.is_some() {
            operation.focusable(None, layout.bounds(), state);
        } else {
            operation::Focusable::unfocus(state);
        }
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        if self.on_seek.is_none() {
            *state = State::default();
            return;
        }
        let before = state.dragged;
        match event {
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, .. }) => {
                if state.is_focused && modifiers.is_empty() && !shell.is_event_captured() {
                    self.handle_key(state, key, shell);
                }
            }
            _ => self.handle_pointer(state, event, layout.bounds(), cursor, shell),
        }
        if before != state.dragged {
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
        _viewport: &Rectangle,
    ) {
        let (bounds, state) = (layout.bounds(), *tree.state.downcast_ref::<State>());
        let bars = (bounds.width / STEP) as usize;
        let heard = self.heard(state);
        let accent = theme.palette().accent;
        let rest = Color { a: style.text_color.a * 0.45, ..style.text_color };
        for bar in 0..bars {
            let part = (bar as f32 + 0.5) / bars.max(1) as f32;
            let height = (self.height(part) * bounds.height).max(LEAST);
            let quad = Rectangle {
                x: bounds.x + bar as f32 * STEP,
                y: bounds.y + (bounds.height - height) / 2.0,
                width: BAR,
                height,
            };
            let color = if part < heard { accent } else { rest };
            renderer.fill_quad(Quad { bounds: quad, ..Quad::default() }, color);
        }
        if state.shows_focus {
            let border = Border { color: accent, width: metric::RING, radius: metric::TIGHT.into() };
            let quad = Quad { bounds: bounds.expand(metric::RING), border, ..Quad::default() };
            renderer.fill_quad(quad, Background::Color(Color::TRANSPARENT));
        }
    }

    fn mouse_interaction(
        &self,
        _tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _viewport: &Rectangle,
        _renderer: &Renderer,
    ) -> mouse::Interaction {
        let over = self.on_seek.is_some() && cursor.is_over(layout.bounds());
        if over { mouse::Interaction::Pointer } else { mouse::Interaction::default() }
    }
}

impl<'a, Message: Clone + 'a> From<Waveform<'a, Message>> for Element<'a, Message> {
    fn from(waveform: Waveform<'a, Message>) -> Self {
        Self::new(waveform)
    }
}

#[cfg(test)]
mod tests {
    use iced::keyboard::Modifiers;

    use super::*;
    use crate::widget::stage::{Stage, down, frame, moved, named, up};

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Said {
        Seek(u64),
        Toggle,
    }

    const PEAKS: [u8; 4] = [20, 200, 90, 255];

    /// A minute of sound, heard up to this second.
    fn view(at: u64) -> Element<'static, Said> {
        waveform(&PEAKS, Duration::from_secs(at), Duration::from_secs(60))
            .on_seek(|to| Said::Seek(to.as_secs()))
            .on_toggle(Said::Toggle)
            .into()
    }

    fn stage() -> Stage<Said> {
        Stage::new(metric::WAVEFORM, 60.0)
    }

    fn focused(at: u64) -> Stage<Said> {
        let mut stage = stage();
        stage.operate::<()>(view(at), operation::focusable::focus_next());
        stage
    }

    fn key(name: key::Named) -> Event {
        named(name, Modifiers::empty())
    }

    #[test]
    fn a_press_says_where_and_a_drag_when_it_is_let_go() {
        let mut stage = stage();
        let (middle, quarter) = (metric::WAVEFORM / 2.0, metric::WAVEFORM / 4.0);
        stage.play(view(0), [frame(), moved(middle, 10.0), down(), up()]);
        assert_eq!(stage.messages, [Said::Seek(30)]);
        stage.play(view(30), [moved(middle, 10.0), down(), moved(quarter, 55.0)]);
        assert_eq!(stage.messages.len(), 1, "it is still held");
        stage.play(view(31), [moved(-500.0, 10.0), moved(quarter, 55.0), up()]);
        assert_eq!(stage.messages, [Said::Seek(30), Said::Seek(15)]);
    }

    #[test]
    fn what_is_dragged_shows_where_it_would_be() {
        let mut stage = stage();
        let before = stage.draw(view(0));
        stage.play(view(0), [moved(1.0, 10.0), down(), moved(metric::WAVEFORM - 1.0, 10.0)]);
        assert_ne!(stage.draw(view(0)), before);
        stage.play(view(0), [Event::Window(window::Event::Unfocused), up()]);
        assert_eq!(stage.messages, [], "the pointer has gone, and nobody knows what it meant");
        assert_eq!(stage.draw(view(0)), before);
    }

    #[test]
    fn keys_go_a_few_seconds_and_to_the_ends() {
        let mut stage = focused(20);
        stage.play(view(20), [key(key::Named::ArrowRight), key(key::Named::ArrowRight)]);
        assert_eq!(stage.messages, [Said::Seek(25), Said::Seek(30)], "the second goes on from the first");
        stage.messages.clear();
        stage.play(view(30), [key(key::Named::ArrowLeft), key(key::Named::Home), key(key::Named::ArrowLeft)]);
        stage.play(view(30), [key(key::Named::End), key(key::Named::ArrowRight)]);
        let expected = [Said::Seek(25), Said::Seek(0), Said::Seek(0), Said::Seek(59), Said::Seek(59)];
        assert_eq!(stage.messages, expected, "the end itself would be heard at once, and then nothing");
    }

    #[test]
    fn keys_play_it_while_it_has_the_focus_and_only_then() {
        let mut stage = stage();
        stage.play(view(0), [key(key::Named::Space), key(key::Named::ArrowRight)]);
        assert_eq!(stage.messages, []);
        let mut stage = focused(0);
        stage.play(view(0), [key(key::Named::Space), named(key::Named::Space, Modifiers::CTRL)]);
        assert_eq!(stage.messages, [Said::Toggle]);
        stage.play(view(0), [moved(10.0, 55.0), down(), up(), key(key::Named::Space)]);
        assert_eq!(stage.messages, [Said::Toggle], "a press elsewhere took the focus away");
    }

    #[test]
    fn the_focus_is_seen() {
        let mut stage = stage();
        let without = stage.draw(view(0));
        assert_ne!(focused(0).draw(view(0)), without);
        // Where nothing can be wanted, it is not on the way.
        let still = || Element::<Said>::from(waveform(&PEAKS, Duration::ZERO, Duration::from_secs(60)));
        assert_eq!(stage.focusables(still()), []);
    }
}
