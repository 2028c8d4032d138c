//! The picture of a sound, with what was heard of it in another colour; a press on it says where.

use iced::advanced::layout::{self, Layout};
use iced::advanced::renderer::Quad;
use iced::advanced::widget::Tree;
use iced::advanced::{Clipboard, Renderer as _, Shell, Widget, mouse, renderer};
use iced::{Color, Event, Length, Rectangle, Renderer, Size};

use crate::theme::{Element, Theme, metric};

/// How wide a bar is, and the gap after it.
const BAR: f32 = 2.0;
const STEP: f32 = 3.0;

/// The least height of a bar: silence is there too.
const LEAST: f32 = 2.0;

/// Bars that rise to both sides of a middle line.
pub(crate) struct Waveform<'a, Message> {
    peaks: &'a [u8],
    heard: f32,
    on_seek: Option<Box<dyn Fn(f32) -> Message + 'a>>,
}

/// A waveform of peaks of 0 to 255, of which the part `heard`, 0 to 1, was heard.
pub(crate) fn waveform<Message>(peaks: &[u8], heard: f32) -> Waveform<'_, Message> {
    Waveform { peaks, heard, on_seek: None }
}

impl<'a, Message> Waveform<'a, Message> {
    /// What a press tells: how far along it was, 0 to 1.
    pub(crate) fn on_seek(mut self, on_seek: impl Fn(f32) -> Message + 'a) -> Self {
        self.on_seek = Some(Box::new(on_seek));
        self
    }

    /// How high the bar at a place is, 0 to 1.
    fn height(&self, part: f32) -> f32 {
        let index = (part * self.peaks.len() as f32) as usize;
        let peak = self.peaks.get(index.min(self.peaks.len().saturating_sub(1))).copied().unwrap_or_default();
        // Loudness is heard by ratios: a quiet voice would be a flat line.
        (f32::from(peak) / 255.0).sqrt()
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Waveform<'_, Message> {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fixed(metric::WAVEFORM), Length::Fixed(metric::ICON * 1.6))
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::atomic(limits, Length::Fixed(metric::WAVEFORM), Length::Fixed(metric::ICON * 1.6))
    }

    fn update(
        &mut self,
        _tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        _viewport: &Rectangle,
    ) {
        let Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left)) = event else { return };
        let (Some(on_seek), Some(at)) = (&self.on_seek, cursor.position_in(layout.bounds())) else { return };
        shell.publish(on_seek((at.x / layout.bounds().width.max(1.0)).clamp(0.0, 1.0)));
        shell.capture_event();
    }

    fn draw(
        &self,
        _tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let bars = (bounds.width / STEP) as usize;
        let heard = theme.palette().accent;
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
            let color = if part < self.heard { heard } else { rest };
            renderer.fill_quad(Quad { bounds: quad, ..Quad::default() }, color);
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

impl<'a, Message: 'a> From<Waveform<'a, Message>> for Element<'a, Message> {
    fn from(waveform: Waveform<'a, Message>) -> Self {
        Self::new(waveform)
    }
}
