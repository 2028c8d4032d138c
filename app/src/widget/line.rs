//! A line of words that is cut where its room ends, with an ellipsis; whoever points at it then sees the whole.
//!
//! It is cut between graphemes, never within one. Invariant: words are shaped only when they, their look or their room changed.

mod tip;

use iced::advanced::graphics::text::Paragraph;
use iced::advanced::layout::{self, Layout};
use iced::advanced::text::{Alignment, LineHeight, Paragraph as _, Renderer as _, Shaping, Wrapping};
use iced::advanced::widget::{Operation, Tree, tree};
use iced::advanced::{Clipboard, Shell, Text, Widget, mouse, overlay, renderer};
use iced::alignment::Vertical;
use iced::time::{Duration, Instant};
use iced::widget::text::Style;
use iced::{Event, Font, Length, Pixels, Rectangle, Renderer, Size, Vector, window};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::theme::{Element, Theme, metric};
use tip::Tip;

/// How long the pointer rests on cut words until the whole is shown.
const DELAY: Duration = Duration::from_millis(400);

/// What stands for the rest.
const ELLIPSIS: &str = "…";

/// Widths are sums of fractions: less than this is not too wide.
const OVER: f32 = 0.5;

/// Words in one line.
pub(crate) struct Line {
    words: String,
    size: Pixels,
    font: Option<Font>,
    width: Length,
    style: fn(&Theme) -> Style,
}

/// Puts words in one line.
pub(crate) fn line(words: impl Into<String>) -> Line {
    Line {
        words: words.into(),
        size: Pixels(metric::BODY),
        font: None,
        width: Length::Shrink,
        style: |_| Style::default(),
    }
}

impl Line {
    /// The size of letters.
    pub(crate) fn size(mut self, size: impl Into<Pixels>) -> Self {
        self.size = size.into();
        self
    }

    /// Their font.
    pub(crate) fn font(mut self, font: Font) -> Self {
        self.font = Some(font);
        self
    }

    /// Its width: that of the words at most, unless told otherwise.
    pub(crate) fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    /// The colour of letters.
    pub(crate) fn style(mut self, style: fn(&Theme) -> Style) -> Self {
        self.style = style;
        self
    }

    fn text<'t>(&self, content: &'t str, renderer: &Renderer) -> Text<&'t str> {
        Text {
            content,
            bounds: Size::INFINITE,
            size: self.size,
            line_height: LineHeight::default(),
            font: self.font.unwrap_or_else(|| renderer.default_font()),
            align_x: Alignment::Default,
            align_y: Vertical::Top,
            shaping: Shaping::Advanced,
            wrapping: Wrapping::None,
        }
    }

    /// What fits into so much room, and whether that is not all.
    fn fit(&self, room: f32, renderer: &Renderer) -> (Paragraph, bool) {
        let shape = |words: &str| Paragraph::with_text(self.text(words, renderer));
        let fits = |paragraph: &Paragraph| paragraph.min_width() <= room + OVER;
        let whole = shape(&self.words);
        if fits(&whole) {
            return (whole, false);
        }
        let ends: Vec<usize> = self.words.grapheme_indices(true).map(|(at, _)| at).collect();
        let cut = |count: usize| {
            let head = ends.get(count).and_then(|end| self.words.get(..*end)).unwrap_or_default();
            shape(&format!("{}{ELLIPSIS}", head.trim_end()))
        };
        // Half of what is left each time: words of any length take a dozen looks at most.
        let (mut least, mut over) = (0, ends.len());
        let mut best = cut(0);
        while over.saturating_sub(least) > 1 {
            let middle = least.midpoint(over);
            let tried = cut(middle);
            if fits(&tried) {
                (least, best) = (middle, tried);
            } else {
                over = middle;
            }
        }
        (best, true)
    }
}

/// What was shaped, and of what.
struct State {
    words: String,
    look: (Pixels, Option<Font>),
    room: f32,
    paragraph: Paragraph,
    is_cut: bool,
    /// Since when the pointer is there.
    since: Option<Instant>,
    is_open: bool,
}

impl State {
    /// Goes on with the pointer over it, or not; says whether the tip came or went.
    fn point(&mut self, is_over: bool, now: Instant) -> bool {
        let was_open = self.is_open;
        if is_over {
            let since = *self.since.get_or_insert(now);
            self.is_open = now.saturating_duration_since(since) >= DELAY;
        } else {
            self.since = None;
            self.is_open = false;
        }
        self.is_open != was_open
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Line {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State {
            words: String::new(),
            look: (self.size, self.font),
            room: f32::NAN,
            paragraph: Paragraph::default(),
            is_cut: false,
            since: None,
            is_open: false,
        })
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State>();
        let limits = limits.width(self.width);
        let room = limits.max().width;
        if state.room != room || state.words != self.words || state.look != (self.size, self.font) {
            (state.paragraph, state.is_cut) = self.fit(room, renderer);
            state.words.clone_from(&self.words);
            (state.look, state.room) = ((self.size, self.font), room);
        }
        let words = state.paragraph.min_bounds();
        layout::Node::new(limits.resolve(self.width, Length::Shrink, Size::new(words.width.ceil(), words.height)))
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.text(None, layout.bounds(), &self.words);
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
        viewport: &Rectangle,
    ) {
        let state = tree.state.downcast_mut::<State>();
        let now = match event {
            Event::Window(window::Event::RedrawRequested(now)) => *now,
            // A frame comes before the tip can be due, and says what time it is.
            Event::Mouse(_) => {
                let is_over = state.is_cut && cursor.is_over(layout.bounds());
                if is_over != state.since.is_some() {
                    shell.request_redraw();
                }
                return;
            }
            _ => return,
        };
        let seen = layout.bounds().intersection(viewport);
        let is_over = state.is_cut && seen.is_some_and(|seen| cursor.is_over(seen));
        if state.point(is_over, now) {
            shell.invalidate_layout();
        }
        if let Some(since) = state.since.filter(|_| !state.is_open) {
            shell.request_redraw_at(since + DELAY);
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
        let state = tree.state.downcast_ref::<State>();
        let color = (self.style)(theme).color.unwrap_or(style.text_color);
        renderer.fill_paragraph(&state.paragraph, layout.position(), color, *viewport);
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        _renderer: &Renderer,
        _viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        let state = tree.state.downcast_ref::<State>();
        state.is_open.then(|| Tip::over(&self.words, layout.bounds() + translation))
    }
}

impl<'a, Message: 'a> From<Line> for Element<'a, Message> {
    fn from(line: Line) -> Self {
        Self::new(line)
    }
}

#[cfg(test)]
mod tests;
