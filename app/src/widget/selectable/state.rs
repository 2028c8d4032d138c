//! What a selectable text remembers, and how a selection comes about.

use iced::advanced::graphics::text::Paragraph;
use iced::advanced::text::{Difference, Paragraph as _, Span};
use iced::advanced::widget::operation;
use iced::advanced::{Text, mouse};
use iced::keyboard;
use iced::{Font, Point, Size};

use super::place::{self, Place};

/// A link is followed if the pointer moved no further than this while it was held down.
const STILL: f32 = 4.0;
/// How often text is made narrower to fit, at most.
const NARROWINGS: usize = 8;
/// By how much at least, by its width: less than a word often changes nothing.
const NARROWING: f32 = 0.06;
/// Less than this does not stand out: widths are sums of fractions.
const OVER: f32 = 0.5;

/// Keeps what stands beside it together, and is not seen.
const JOINER: &str = "\u{2060}";

/// What a drag takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Letter,
    Word,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection {
    /// Where it began: one place, or the word that was clicked.
    pub(super) anchor: (Place, Place),
    pub(super) head: (Place, Place),
}

impl Selection {
    pub(super) fn range(self) -> (Place, Place) {
        (self.anchor.0.min(self.head.0), self.anchor.1.max(self.head.1))
    }

    pub(super) fn is_empty(self) -> bool {
        let (from, to) = self.range();
        from >= to
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pressed {
    pub(super) link: Option<usize>,
    pub(super) at: Point,
}

pub(super) struct State<Link> {
    pub(super) spans: Vec<Span<'static, Link, Font>>,
    pub(super) plain: String,
    pub(super) paragraph: Paragraph,
    /// The width that there is, and the width that the text was told so that it fits.
    asked: f32,
    given: f32,
    pub(super) selection: Option<Selection>,
    pub(super) dragged: Option<Unit>,
    pub(super) pressed: Option<Pressed>,
    pub(super) hovered: Option<usize>,
    pub(super) click: Option<mouse::Click>,
    pub(super) modifiers: keyboard::Modifiers,
    pub(super) is_focused: bool,
    /// The focus came by the keyboard, so that it has to be seen.
    pub(super) shows_focus: bool,
    /// The span of the link that the keyboard is at.
    pub(super) link: Option<usize>,
}

/// Where the keyboard goes among links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the one after it.
    Next,
    /// To the one before it.
    Previous,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// To the nearest one of the lines above.
    Up,
    /// To the nearest one of the lines below.
    Down,
}

impl<Link> Default for State<Link> {
    fn default() -> Self {
        Self {
            spans: Vec::new(),
            plain: String::new(),
            paragraph: Paragraph::default(),
            asked: 0.0,
            given: 0.0,
            selection: None,
            dragged: None,
            pressed: None,
            hovered: None,
            click: None,
            modifiers: keyboard::Modifiers::empty(),
            is_focused: false,
            shows_focus: false,
            link: None,
        }
    }
}

impl<Link> operation::Focusable for State<Link> {
    fn is_focused(&self) -> bool {
        self.is_focused
    }

    fn focus(&mut self) {
        (self.is_focused, self.shows_focus) = (true, true);
        // What is marked is where somebody is in the text.
        let mut links = self.spans.iter().enumerate().filter(|(_, span)| span.link.is_some());
        let first = links.clone().next();
        self.link = links.find(|(_, span)| span.highlight.is_some()).or(first).map(|(number, _)| number);
    }

    /// What is selected stays: it is still what a copy means until something else is clicked.
    fn unfocus(&mut self) {
        (self.is_focused, self.shows_focus) = (false, false);
    }
}

impl<Link: Clone> State<Link> {
    /// Lays the spans out, if they or anything else about them changed.
    pub(super) fn shape(&mut self, spans: &[Span<'_, Link, Font>], text: Text<()>) {
        let is_same = self.spans == spans;
        let width = text.bounds.width;
        let given = Text { bounds: Size::new(self.given, text.bounds.height), ..text };
        if is_same && self.asked == width && self.paragraph.compare(given) == Difference::None {
            return;
        }
        if is_same && self.paragraph.compare(text) != Difference::Shape {
            self.paragraph.resize(text.bounds);
        } else {
            self.paragraph = Paragraph::with_spans(with_content(text, &joined(spans)));
        }
        if !is_same {
            self.remember(spans);
        }
        self.asked = width;
        self.given = self.fit(text.bounds);
    }

    /// Narrows the text until it stands within its bounds: lines of mixed directions are broken too late (cosmic-text 0.15).
    fn fit(&mut self, bounds: Size) -> f32 {
        let mut given = bounds.width;
        for _ in 0..NARROWINGS {
            let over = self.paragraph.min_bounds().width - bounds.width;
            if over <= OVER {
                return given;
            }
            given = (given - over.max(bounds.width * NARROWING)).max(1.0).floor();
            self.paragraph.resize(Size::new(given, bounds.height));
        }
        given
    }

    fn remember(&mut self, spans: &[Span<'_, Link, Font>]) {
        self.spans = spans.iter().cloned().map(Span::to_static).collect();
        let plain = spans.iter().map(|span| span.text.as_ref()).collect::<String>();
        if plain != self.plain {
            self.plain = plain;
            self.selection = None;
            self.dragged = None;
            self.pressed = None;
            self.hovered = None;
            self.link = None;
        }
    }

    /// The keyboard goes to another link, if there is one that way.
    pub(super) fn go(&mut self, way: Way) {
        let is_link = |number: usize| self.spans.get(number).is_some_and(|span| span.link.is_some());
        let mut links = (0..self.spans.len()).filter(|number| is_link(*number));
        let at = self.link;
        let found = match (way, at) {
            (Way::Next, Some(at)) => links.find(|number| *number > at),
            (Way::Previous, Some(at)) => links.take_while(|number| *number < at).last(),
            (Way::Last, _) => links.next_back(),
            (Way::First, _) | (_, None) => links.next(),
            (Way::Up | Way::Down, Some(at)) => place::beside(self.paragraph.buffer(), at, is_link, way == Way::Down),
        };
        self.link = found.or(at);
    }

    /// Where the link is drawn that the keyboard is at, from the paragraph's corner.
    pub(super) fn link_regions(&self) -> Vec<place::Region> {
        let link = self.link.filter(|_| self.shows_focus);
        link.map(|link| place::regions(self.paragraph.buffer(), |number| number == link)).unwrap_or_default()
    }

    /// The room for the words and, at the bottom right, for what follows them.
    pub(super) fn room(&self, trailing: Option<Size>, max_width: f32) -> Size {
        // After text that runs right to left was aligned it may have fewer lines than were measured.
        let height = self.paragraph.buffer().layout_runs().map(|run| run.line_height).sum();
        let words = Size::new(self.paragraph.min_bounds().width, height);
        let Some(trailing) = trailing else { return words };
        let end = self.paragraph.buffer().layout_runs().last().map_or(0.0, |run| match run.rtl {
            true => words.width,
            false => run.line_w,
        });
        if end + trailing.width <= max_width {
            Size::new(words.width.max(end + trailing.width), words.height.max(trailing.height))
        } else {
            Size::new(words.width.max(trailing.width), words.height + trailing.height)
        }
    }

    pub(super) fn selected(&self) -> Option<String> {
        let (from, to) = self.selection.filter(|selection| !selection.is_empty())?.range();
        Some(place::text(self.paragraph.buffer(), from, to).replace(JOINER, ""))
    }

    fn around(&self, unit: Unit, point: Point) -> Option<(Place, Place)> {
        let buffer = self.paragraph.buffer();
        let place = place::hit(buffer, point)?;
        Some(match unit {
            Unit::Letter => (place, place),
            Unit::Word => place::word(buffer, place),
            Unit::All => place::all(buffer),
        })
    }

    pub(super) fn press(&mut self, point: Point, link: Option<usize>) {
        let click = mouse::Click::new(point, mouse::Button::Left, self.click);
        let unit = match click.kind() {
            mouse::click::Kind::Single => Unit::Letter,
            mouse::click::Kind::Double => Unit::Word,
            mouse::click::Kind::Triple => Unit::All,
        };
        self.click = Some(click);
        (self.is_focused, self.shows_focus) = (true, false);
        self.dragged = Some(unit);
        self.pressed = Some(Pressed { link, at: point });
        let Some(found) = self.around(unit, point) else { return };
        self.selection = match self.selection {
            Some(selection) if unit == Unit::Letter && self.modifiers.shift() => {
                Some(Selection { head: found, ..selection })
            }
            _ => Some(Selection { anchor: found, head: found }),
        };
    }

    pub(super) fn drag(&mut self, unit: Unit, point: Point) {
        if let (Some(head), Some(selection)) = (self.around(unit, point), &mut self.selection) {
            selection.head = head;
        }
        if self.pressed.is_some_and(|pressed| pressed.at.distance(point) > STILL) {
            self.pressed = None;
        }
    }

    pub(super) fn clear(&mut self) {
        self.selection = None;
        self.dragged = None;
        self.pressed = None;
        (self.is_focused, self.shows_focus) = (false, false);
    }
}

/// The spans as they are shaped: cosmic-text (0.15) shapes a word of plain letters as it begins, also where a span ends within it, so
/// that a comma after a bold word would be bold. A mark that is not seen has it look closer.
fn joined<'a, Link: Clone>(spans: &'a [Span<'_, Link, Font>]) -> Vec<Span<'a, Link, Font>> {
    let mut shaped: Vec<Span<'a, Link, Font>> = Vec::with_capacity(spans.len());
    for span in spans {
        let text = span.text.as_ref();
        let is_within_word = shaped.last().is_some_and(|before| {
            before.font != span.font
                && !before.text.ends_with(char::is_whitespace)
                && text.starts_with(|first: char| !first.is_whitespace())
        });
        let text = if is_within_word { format!("{JOINER}{text}").into() } else { text.into() };
        shaped.push(Span { text, ..span.clone() });
    }
    shaped
}

fn with_content<Content>(text: Text<()>, content: Content) -> Text<Content> {
    Text {
        content,
        bounds: text.bounds,
        size: text.size,
        line_height: text.line_height,
        font: text.font,
        align_x: text.align_x,
        align_y: text.align_y,
        shaping: text.shaping,
        wrapping: text.wrapping,
    }
}
