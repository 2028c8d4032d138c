//! A window without a screen for tests: it keeps the state of the widgets from view to view, and has a clipboard to look into.

use std::sync::Once;

use iced::advanced::clipboard::{Clipboard, Kind};
use iced::advanced::renderer::{Headless as _, Style};
use iced::advanced::widget::operation::Outcome;
use iced::advanced::widget::{Id, Operation, operation};
use iced::keyboard::{self, Modifiers, key};
use iced::{Color, Event, Point, Rectangle, Renderer, Size, mouse, window};
use iced_test::runtime::UserInterface;
use iced_test::runtime::user_interface::{Cache, State};

use crate::theme::{Element, Theme, font, metric, palette};

/// What was copied.
#[derive(Debug, Default)]
pub(crate) struct Board {
    pub(crate) standard: Option<String>,
    pub(crate) primary: Option<String>,
}

impl Clipboard for Board {
    fn read(&self, kind: Kind) -> Option<String> {
        match kind {
            Kind::Standard => self.standard.clone(),
            Kind::Primary => self.primary.clone(),
        }
    }

    fn write(&mut self, kind: Kind, contents: String) {
        match kind {
            Kind::Standard => self.standard = Some(contents),
            Kind::Primary => self.primary = Some(contents),
        }
    }
}

/// The window.
pub(crate) struct Stage<Message> {
    renderer: Renderer,
    size: Size,
    cache: Option<Cache>,
    pub(crate) cursor: mouse::Cursor,
    pub(crate) board: Board,
    pub(crate) messages: Vec<Message>,
    pub(crate) interaction: mouse::Interaction,
}

impl<Message: 'static> Stage<Message> {
    /// An empty window of this size.
    pub(crate) fn new(width: f32, height: f32) -> Self {
        static FONTS: Once = Once::new();
        FONTS.call_once(font::only_bundled);
        let renderer = Renderer::new(font::TEXT, metric::BODY.into(), Some("tiny-skia"));
        Self {
            renderer: iced::futures::executor::block_on(renderer).unwrap(),
            size: Size::new(width, height),
            cache: Some(Cache::default()),
            cursor: mouse::Cursor::Unavailable,
            board: Board::default(),
            messages: Vec::new(),
            interaction: mouse::Interaction::None,
        }
    }

    /// Makes the window this large.
    pub(crate) fn resize(&mut self, width: f32, height: f32) {
        self.size = Size::new(width, height);
    }

    fn with<'a, T>(
        &mut self,
        view: Element<'a, Message>,
        act: impl FnOnce(&mut UserInterface<'a, Message, Theme, Renderer>, &mut Self) -> T,
    ) -> T {
        let cache = self.cache.take().unwrap_or_default();
        let mut ui = UserInterface::build(view, self.size, cache, &mut self.renderer);
        let result = act(&mut ui, self);
        self.cache = Some(ui.into_cache());
        result
    }

    /// Shows this view and lets these events happen to it, each at the place where the pointer is then.
    pub(crate) fn play(&mut self, view: Element<'_, Message>, events: impl IntoIterator<Item = Event>) {
        self.with(view, |ui, stage| {
            for event in events {
                if let Event::Mouse(mouse::Event::CursorMoved { position }) = event {
                    stage.cursor = mouse::Cursor::Available(position);
                }
                let (state, _) =
                    ui.update(&[event], stage.cursor, &mut stage.renderer, &mut stage.board, &mut stage.messages);
                if let State::Updated { mouse_interaction, .. } = state {
                    stage.interaction = mouse_interaction;
                }
            }
        });
    }

    /// Shows this view and moves the pointer to these places: what it says there.
    pub(crate) fn hover(&mut self, view: Element<'_, Message>, places: &[Point]) -> Vec<mouse::Interaction> {
        self.with(view, |ui, stage| {
            let mut look = |place: &Point| {
                let events = [Event::Mouse(mouse::Event::CursorMoved { position: *place })];
                let cursor = mouse::Cursor::Available(*place);
                let (state, _) = ui.update(&events, cursor, &mut stage.renderer, &mut stage.board, &mut stage.messages);
                match state {
                    State::Updated { mouse_interaction, .. } => mouse_interaction,
                    State::Outdated => mouse::Interaction::None,
                }
            };
            places.iter().map(&mut look).collect()
        })
    }

    /// Shows this view and lets one thing happen to it: what comes of that.
    pub(crate) fn update(&mut self, view: Element<'_, Message>, event: Event) -> State {
        self.with(view, |ui, stage| {
            ui.update(&[event], stage.cursor, &mut stage.renderer, &mut stage.board, &mut stage.messages).0
        })
    }

    /// Shows this view and runs an operation on it, as the runtime does.
    pub(crate) fn operate<T: Send + 'static>(
        &mut self,
        view: Element<'_, Message>,
        operation: impl Operation<T> + 'static,
    ) -> Option<T> {
        self.with(view, |ui, stage| {
            let mut next: Option<Box<dyn Operation<T>>> = Some(Box::new(operation));
            while let Some(mut operation) = next.take() {
                ui.operate(&stage.renderer, &mut operation::black_box(operation.as_mut()));
                match operation.finish() {
                    Outcome::None => {}
                    Outcome::Some(value) => return Some(value),
                    Outcome::Chain(then) => next = Some(then),
                }
            }
            None
        })
    }

    /// The ids of what can be focused, in the order of the walk, and whether it is.
    pub(crate) fn focusables(&mut self, view: Element<'_, Message>) -> Vec<(Option<Id>, bool)> {
        self.operate(view, Focusables(Vec::new())).unwrap_or_default()
    }

    /// The colours of the window, one for each logical pixel, as it is drawn.
    pub(crate) fn draw(&mut self, view: Element<'_, Message>) -> Picture {
        self.paint(view, Theme::new(palette::Variant::Light), 1.0, Color::WHITE)
    }

    /// The same in these colours, with so many pixels for each logical one.
    pub(crate) fn draw_as(&mut self, view: Element<'_, Message>, theme: Theme, scale: f32) -> Picture {
        self.paint(view, theme, scale, theme.palette().background)
    }

    /// The same without a word to the widgets: as the last frame left them.
    pub(crate) fn peek(&mut self, view: Element<'_, Message>) -> Picture {
        self.render(view, Theme::new(palette::Variant::Light), 1.0, Color::WHITE, None)
    }

    /// What it draws with.
    pub(crate) fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    fn paint(&mut self, view: Element<'_, Message>, theme: Theme, scale: f32, ground: Color) -> Picture {
        self.render(view, theme, scale, ground, Some(frame()))
    }

    fn render(
        &mut self,
        view: Element<'_, Message>,
        theme: Theme,
        scale: f32,
        ground: Color,
        event: Option<Event>,
    ) -> Picture {
        self.with(view, |ui, stage| {
            // Without an event, too: what lies above is laid out then.
            let events: Vec<Event> = event.into_iter().collect();
            ui.update(&events, stage.cursor, &mut stage.renderer, &mut stage.board, &mut stage.messages);
            let style = Style { text_color: theme.palette().text };
            ui.draw(&mut stage.renderer, &theme, &style, stage.cursor);
            let size = Size::new((stage.size.width * scale) as u32, (stage.size.height * scale) as u32);
            Picture { rgba: stage.renderer.screenshot(size, scale, ground), width: size.width as usize }
        })
    }
}

struct Focusables(Vec<(Option<Id>, bool)>);

impl Operation<Vec<(Option<Id>, bool)>> for Focusables {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<Vec<(Option<Id>, bool)>>)) {
        operate(self);
    }

    fn focusable(&mut self, id: Option<&Id>, _bounds: Rectangle, state: &mut dyn operation::Focusable) {
        self.0.push((id.cloned(), state.is_focused()));
    }

    fn finish(&self) -> Outcome<Vec<(Option<Id>, bool)>> {
        Outcome::Some(self.0.clone())
    }
}

/// What is seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) rgba: Vec<u8>,
    pub(crate) width: usize,
}

impl Picture {
    /// The colour of a pixel.
    pub(crate) fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 4;
        [self.rgba[start], self.rgba[start + 1], self.rgba[start + 2]]
    }
}

/// The pointer moves.
pub(crate) fn moved(x: f32, y: f32) -> Event {
    Event::Mouse(mouse::Event::CursorMoved { position: Point::new(x, y) })
}

/// The left button goes down.
pub(crate) fn down() -> Event {
    Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
}

/// The left button comes up.
pub(crate) fn up() -> Event {
    Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
}

/// The wheel turns by this many lines; positive is towards older things.
pub(crate) fn wheel(lines: f32) -> Event {
    Event::Mouse(mouse::Event::WheelScrolled { delta: mouse::ScrollDelta::Lines { x: 0.0, y: lines } })
}

/// A frame begins.
pub(crate) fn frame() -> Event {
    Event::Window(window::Event::RedrawRequested(iced::time::Instant::now()))
}

/// Modifiers are held from now on.
pub(crate) fn holding(modifiers: Modifiers) -> Event {
    Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers))
}

/// A named key goes down.
pub(crate) fn named(name: key::Named, modifiers: Modifiers) -> Event {
    pressed(keyboard::Key::Named(name), modifiers, None)
}

/// A letter goes down.
pub(crate) fn letter(letter: &str, modifiers: Modifiers) -> Event {
    let text = modifiers.is_empty().then(|| letter.into());
    pressed(keyboard::Key::Character(letter.into()), modifiers, text)
}

fn pressed(key: keyboard::Key, modifiers: Modifiers, text: Option<iced_test::core::SmolStr>) -> Event {
    Event::Keyboard(keyboard::Event::KeyPressed {
        modified_key: key.clone(),
        key,
        physical_key: key::Physical::Unidentified(key::NativeCode::Unidentified),
        location: keyboard::Location::Standard,
        modifiers,
        repeat: false,
        text,
    })
}
