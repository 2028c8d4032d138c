//! Wraps the whole window and calms iced's fields: a caret blinks while somebody does something and then stays, and a key that is held
//! with Ctrl or Command writes nothing.
//!
//! A field asks for a frame twice a second for as long as it has the focus, which costs an old machine more than all else that happens
//! while nothing happens. Frames that are asked for at once, for what has changed, are always drawn. Some systems name a letter also for
//! Ctrl+1, which a field would write and keep from whoever it is a shortcut of.

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Shell, Widget, mouse, overlay, renderer};
use iced::time::{Duration, Instant};
use iced::window::{self, RedrawRequest};
use iced::{Event, Length, Rectangle, Renderer, Size, Vector, keyboard};

use crate::theme::{Element, Theme};

/// How long after the last key, press or movement nothing blinks any more.
const AWAKE: Duration = Duration::from_secs(8);

struct Calm<'a, Message> {
    content: Element<'a, Message>,
}

/// Lets `content` rest while nobody does anything.
pub(crate) fn calm<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    Element::new(Calm { content: content.into() })
}

#[derive(Debug, Default)]
struct State {
    /// When somebody did something last, as the frames count it.
    active: Option<Instant>,
    /// Somebody did something since the last frame.
    was_moved: bool,
}

impl State {
    /// Whether nobody has done anything for long.
    fn rests(&mut self, now: Instant) -> bool {
        if std::mem::take(&mut self.was_moved) || self.active.is_none() {
            self.active = Some(now);
        }
        self.active.is_some_and(|active| now.saturating_duration_since(active) >= AWAKE)
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Calm<'_, Message> {
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
        self.content.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let Some(child) = tree.children.first_mut() else { return layout::Node::default() };
        self.content.as_widget_mut().layout(child, renderer, limits)
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        if let Some(child) = tree.children.first_mut() {
            self.content.as_widget_mut().operate(child, layout, renderer, operation);
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
        let state = tree.state.downcast_mut::<State>();
        let Some(child) = tree.children.first_mut() else { return };
        let content = self.content.as_widget_mut();
        let wordless = wordless(event);
        let event = wordless.as_ref().unwrap_or(event);
        let Event::Window(window::Event::RedrawRequested(now)) = event else {
            let is_done_by_somebody = matches!(
                event,
                Event::Mouse(_)
                    | Event::Keyboard(_)
                    | Event::Touch(_)
                    | Event::InputMethod(_)
                    | Event::Window(window::Event::Focused)
            );
            state.was_moved |= is_done_by_somebody;
            return content.update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        };
        if !state.rests(*now) {
            return content.update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
        // A field shows its caret anew when the window comes to the front: so it stays where it can be seen.
        let before = shell.redraw_request();
        let wake = Event::Window(window::Event::Focused);
        content.update(child, &wake, layout, cursor, renderer, clipboard, shell, viewport);
        Shell::replace_redraw_request(shell, before);
        content.update(child, event, layout, cursor, renderer, clipboard, shell, viewport);
        if let RedrawRequest::At(_) = shell.redraw_request() {
            Shell::replace_redraw_request(shell, before);
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
        if let Some(child) = tree.children.first() {
            self.content.as_widget().draw(child, renderer, theme, style, layout, cursor, viewport);
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
        tree.children.first().map_or_else(mouse::Interaction::default, |child| {
            self.content.as_widget().mouse_interaction(child, layout, cursor, viewport, renderer)
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
        let child = tree.children.first_mut()?;
        self.content.as_widget_mut().overlay(child, layout, renderer, viewport, translation)
    }
}

/// A shortcut without the letter that some systems name for it. With Alt it is AltGr, which writes.
fn wordless(event: &Event) -> Option<Event> {
    let Event::Keyboard(keyboard::Event::KeyPressed { modifiers, text: Some(_), .. }) = event else { return None };
    if !modifiers.command() || modifiers.alt() {
        return None;
    }
    let mut event = event.clone();
    if let Event::Keyboard(keyboard::Event::KeyPressed { text, .. }) = &mut event {
        *text = None;
    }
    Some(event)
}

#[cfg(test)]
mod tests {
    use iced::advanced::widget::operation::focusable;
    use iced::time::{Duration, Instant};
    use iced::widget::{Id, text_input};
    use iced::window::{self, RedrawRequest};
    use iced::{Event, keyboard};
    use iced_test::runtime::user_interface::State;

    use super::{AWAKE, calm};
    use crate::theme::Element;
    use crate::widget::stage::{Stage, letter};

    fn view<'a>() -> Element<'a, String> {
        calm(text_input("", "words").id("field").on_input(|words| words))
    }

    /// What a frame asks for.
    fn frame(stage: &mut Stage<String>, at: Instant) -> RedrawRequest {
        let event = Event::Window(window::Event::RedrawRequested(at));
        match stage.update(view(), event) {
            State::Updated { redraw_request, .. } => redraw_request,
            State::Outdated => panic!("nothing was said"),
        }
    }

    #[test]
    fn a_caret_blinks_while_somebody_does_something_and_then_stays() {
        let mut stage = Stage::<String>::new(300.0, 60.0);
        stage.operate(view(), focusable::focus::<()>(Id::from("field")));
        let begun = Instant::now();
        assert!(matches!(frame(&mut stage, begun), RedrawRequest::At(_)));
        assert!(matches!(frame(&mut stage, begun + AWAKE / 2), RedrawRequest::At(_)));
        assert_eq!(frame(&mut stage, begun + AWAKE), RedrawRequest::Wait);
        assert_eq!(frame(&mut stage, begun + AWAKE * 2), RedrawRequest::Wait, "also when something else is drawn");
        let _ = stage.update(view(), letter("a", keyboard::Modifiers::empty()));
        let again = begun + AWAKE * 3 + Duration::from_millis(100);
        assert!(matches!(frame(&mut stage, again), RedrawRequest::At(_)));
    }

    #[test]
    fn a_shortcut_writes_nothing_and_is_left_to_whoever_it_is_for() {
        let mut stage = Stage::<String>::new(300.0, 60.0);
        stage.operate(view(), focusable::focus::<()>(Id::from("field")));
        let key = |modifiers| {
            let mut event = letter("1", modifiers);
            if let Event::Keyboard(keyboard::Event::KeyPressed { text, .. }) = &mut event {
                *text = Some("1".into());
            }
            event
        };
        stage.play(view(), [key(keyboard::Modifiers::COMMAND)]);
        assert_eq!(stage.messages, Vec::<String>::new());
        stage.play(view(), [key(keyboard::Modifiers::empty())]);
        assert_eq!(stage.messages, ["words1"]);
    }
}
