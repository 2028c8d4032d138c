//! What is chosen: one of several, on or off, and what shows that something goes on.

use iced::widget::container;
use iced::{Background, Border, Color};

use super::{Theme, metric};
use crate::widget::press::{Status, Style};

/// A switch's width.
pub(crate) const SWITCH_WIDTH: f32 = 38.0;
/// A switch's height.
pub(crate) const SWITCH_HEIGHT: f32 = 22.0;
/// Around a switch's knob.
pub(crate) const SWITCH_PADDING: f32 = 3.0;
/// A box that can be ticked.
pub(crate) const BOX: f32 = 20.0;
/// A bar of a password's strength.
pub(crate) const BAR: f32 = 4.0;
/// A dot that shows that something goes on.
pub(crate) const DOT: f32 = 8.0;
/// The list of sections beside the settings.
pub(crate) const SECTIONS: f32 = 232.0;
/// The widest a section of the settings grows.
pub(crate) const SECTION: f32 = 560.0;
/// A code for cameras.
pub(crate) const QR: f32 = 216.0;

fn style(theme: &Theme, background: Option<Color>, text_color: Color, edge: Option<Color>) -> Style {
    let palette = theme.palette();
    Style {
        background: background.map(Background::Color),
        text_color,
        border: Border {
            radius: metric::RADIUS.into(),
            width: if edge.is_some() { 1.0 } else { 0.0 },
            color: edge.unwrap_or(Color::TRANSPARENT),
        },
        ring: palette.accent,
        // Upon an edge of its own colour the ring would not be seen.
        ring_gap: (edge == Some(palette.accent)).then_some(metric::RING),
    }
}

fn is_touched(status: Status) -> bool {
    matches!(status, Status::Hovered | Status::Pressed)
}

/// One of several ways, on a card; chosen or not.
pub(crate) fn card(selected: bool) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let palette = theme.palette();
        let (background, edge) = match (selected, is_touched(status)) {
            (true, _) => (palette.selected, palette.accent),
            (false, true) => (palette.hovered, palette.border),
            (false, false) => (palette.raised, palette.border),
        };
        let text = if status == Status::Disabled { palette.muted } else { palette.text };
        let mut style = style(theme, Some(background), text, Some(edge));
        style.border.radius = metric::ROUND.into();
        style
    }
}

/// A line that can be ticked or switched.
pub(crate) fn line(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    let background = is_touched(status).then_some(palette.hovered);
    style(theme, background, if status == Status::Disabled { palette.muted } else { palette.text }, None)
}

/// One of a few words beside each other; chosen or not.
pub(crate) fn segment(selected: bool) -> impl Fn(&Theme, Status) -> Style {
    move |theme, status| {
        let palette = theme.palette();
        match (selected, is_touched(status)) {
            (true, _) => style(theme, Some(palette.selected), palette.text, Some(palette.accent)),
            (false, true) => style(theme, Some(palette.hovered), palette.text, None),
            (false, false) => style(theme, None, palette.muted, None),
        }
    }
}

/// Around a few words of which one is chosen.
pub(crate) fn segments(theme: &Theme) -> container::Style {
    let palette = theme.palette();
    container::Style {
        background: Some(Background::Color(palette.raised)),
        border: Border { radius: (metric::RADIUS + metric::TIGHT).into(), width: 1.0, color: palette.line },
        ..container::Style::default()
    }
}

/// The ground of a switch.
pub(crate) fn track(on: bool) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let palette = theme.palette();
        let (ground, edge) = if on { (palette.accent, palette.accent) } else { (palette.raised, palette.border) };
        container::Style {
            background: Some(Background::Color(ground)),
            border: Border { radius: metric::PILL.into(), width: 1.0, color: edge },
            ..container::Style::default()
        }
    }
}

/// A box that is ticked or not.
pub(crate) fn tick(on: bool) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let palette = theme.palette();
        let (ground, edge) = if on { (palette.accent, palette.accent) } else { (palette.raised, palette.border) };
        container::Style {
            background: Some(Background::Color(ground)),
            text_color: Some(palette.on_accent),
            border: Border { radius: metric::JOINED.into(), width: 1.5, color: edge },
            ..container::Style::default()
        }
    }
}

/// The knob of a switch.
pub(crate) fn knob(on: bool) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let palette = theme.palette();
        pill(if on { palette.on_accent } else { palette.border })
    }
}

/// A dot that shows that something goes on; its turn or not.
pub(crate) fn dot(its_turn: bool) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let palette = theme.palette();
        pill(if its_turn { palette.accent } else { palette.track })
    }
}

/// A word to be noticed beside a name.
pub(crate) fn tag(theme: &Theme) -> container::Style {
    let palette = theme.palette();
    container::Style { text_color: Some(palette.accent), ..pill(palette.selected) }
}

fn pill(color: Color) -> container::Style {
    container::Style {
        background: Some(Background::Color(color)),
        border: Border { radius: metric::PILL.into(), ..Border::default() },
        ..container::Style::default()
    }
}

/// A ground for what is to be read letter by letter.
pub(crate) fn code(theme: &Theme) -> container::Style {
    let palette = theme.palette();
    container::Style {
        background: Some(Background::Color(palette.surface)),
        text_color: Some(palette.text),
        border: Border { radius: metric::RADIUS.into(), width: 1.0, color: palette.border },
        ..container::Style::default()
    }
}

/// White paper under a code for cameras.
pub(crate) fn paper(_theme: &Theme) -> container::Style {
    container::Style {
        background: Some(Background::Color(Color::WHITE)),
        border: Border { radius: metric::RADIUS.into(), ..Border::default() },
        ..container::Style::default()
    }
}
