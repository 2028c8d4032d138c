//! What is slid.

use iced::widget::slider::{Catalog, Handle, HandleShape, Rail, Status, Style, StyleFn};
use iced::{Background, Border};

use super::{Theme, metric};

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(rail)
    }

    fn style(&self, class: &Self::Class<'_>, status: Status) -> Style {
        class(self, status)
    }
}

fn rail(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    let color = match status {
        Status::Active => palette.accent,
        Status::Hovered | Status::Dragged => palette.accent_hovered,
    };
    Style {
        rail: Rail {
            backgrounds: (Background::Color(color), Background::Color(palette.track)),
            width: metric::TIGHT,
            border: Border { radius: metric::PILL.into(), ..Border::default() },
        },
        handle: Handle {
            shape: HandleShape::Circle { radius: metric::SMALL },
            background: Background::Color(color),
            border_width: 0.0,
            border_color: color,
        },
    }
}
