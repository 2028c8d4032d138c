//! What scrolls.

use iced::widget::container;
use iced::widget::scrollable::{AutoScroll, Catalog, Rail, Scroller, Status, Style, StyleFn};
use iced::{Background, Border, Shadow};

use super::{Theme, metric};

impl Catalog for Theme {
    type Class<'a> = StyleFn<'a, Self>;

    fn default<'a>() -> Self::Class<'a> {
        Box::new(thin)
    }

    fn style(&self, class: &Self::Class<'_>, status: Status) -> Style {
        class(self, status)
    }
}

/// A bar that is hardly there until it is wanted.
fn thin(theme: &Theme, status: Status) -> Style {
    let palette = theme.palette();
    let color = match status {
        Status::Active { .. } => palette.track,
        Status::Hovered { .. } | Status::Dragged { .. } => palette.border,
    };
    let rail = Rail {
        background: None,
        border: Border::default(),
        scroller: Scroller {
            background: Background::Color(color),
            border: Border { radius: metric::PILL.into(), ..Border::default() },
        },
    };
    Style {
        container: container::Style::default(),
        vertical_rail: rail,
        horizontal_rail: rail,
        gap: None,
        auto_scroll: AutoScroll {
            background: Background::Color(palette.raised),
            border: Border { radius: metric::PILL.into(), width: 1.0, color: palette.line },
            shadow: Shadow::default(),
            icon: palette.muted,
        },
    }
}
