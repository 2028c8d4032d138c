//! The whole of words that were cut, beside them.

use iced::advanced::graphics::text::Paragraph;
use iced::advanced::layout::{self, Layout};
use iced::advanced::text::{Alignment, LineHeight, Paragraph as _, Renderer as _, Shaping, Wrapping};
use iced::advanced::{Overlay, Renderer as _, Text, mouse, overlay, renderer};
use iced::alignment::Vertical;
use iced::{Background, Color, Pixels, Point, Rectangle, Renderer, Size};

use crate::theme::{Theme, container, metric};

pub(super) struct Tip<'a> {
    words: &'a str,
    /// Where the cut words stand.
    target: Rectangle,
    paragraph: Paragraph,
}

impl<'a> Tip<'a> {
    pub(super) fn over<Message>(words: &'a str, target: Rectangle) -> overlay::Element<'a, Message, Theme, Renderer> {
        overlay::Element::new(Box::new(Self { words, target, paragraph: Paragraph::default() }))
    }
}

impl<Message> Overlay<Message, Theme, Renderer> for Tip<'_> {
    fn layout(&mut self, renderer: &Renderer, bounds: Size) -> layout::Node {
        let (beside, above) = (metric::SMALL, metric::TIGHT);
        self.paragraph = Paragraph::with_text(Text {
            content: self.words,
            bounds: Size::new(metric::TIP.min(bounds.width) - 2.0 * beside, f32::INFINITY),
            size: Pixels(metric::CAPTION),
            line_height: LineHeight::default(),
            font: renderer.default_font(),
            align_x: Alignment::Default,
            align_y: Vertical::Top,
            shaping: Shaping::Advanced,
            wrapping: Wrapping::WordOrGlyph,
        });
        let words = self.paragraph.min_bounds();
        let size = Size::new(words.width.ceil() + 2.0 * beside, words.height.ceil() + 2.0 * above);
        let below = self.target.y + self.target.height + metric::TIGHT;
        let is_low = below + size.height > bounds.height;
        let y = if is_low { (self.target.y - metric::TIGHT - size.height).max(0.0) } else { below };
        let x = self.target.x.min(bounds.width - size.width).max(0.0);
        layout::Node::new(size).move_to(Point::new(x, y))
    }

    fn draw(
        &self,
        renderer: &mut Renderer,
        theme: &Theme,
        defaults: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
    ) {
        let bounds = layout.bounds();
        let style = container::tooltip(theme);
        renderer.with_layer(bounds, |renderer| {
            renderer.fill_quad(
                renderer::Quad { bounds, border: style.border, ..renderer::Quad::default() },
                style.background.unwrap_or(Background::Color(Color::TRANSPARENT)),
            );
            let corner = bounds.position() + iced::Vector::new(metric::SMALL, metric::TIGHT);
            let color = style.text_color.unwrap_or(defaults.text_color);
            renderer.fill_paragraph(&self.paragraph, corner, color, bounds);
        });
    }
}
