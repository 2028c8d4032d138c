//! Where a history stands: which rows it has, how high they are, and how far it is scrolled.
//!
//! It knows nothing of widgets. Invariant: a row that is read stays where it is when rows come, go or change their height.

use std::collections::BTreeMap;
use std::ops::Range;

use iced::{Point, Rectangle, Size};

/// Nearer to the end than this counts as the end: heights are rounded.
const END: f32 = 2.0;
/// What stays visible of the last page when another one is shown.
const OVERLAP: f32 = 48.0;
/// What the focus came to is shown with this much around it.
const AROUND: f32 = 12.0;
/// The bar's width.
const BAR: f32 = 6.0;
/// The width in which the pointer takes the bar.
const RAIL: f32 = 12.0;
/// The bar is never shorter, so that it can be taken.
const SHORTEST: f32 = 28.0;

/// Where in the window a row is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// At the top.
    Start,
    /// In the middle.
    Center,
    /// At the bottom.
    #[cfg_attr(not(test), expect(dead_code, reason = "a widget of this sort has it; its tests use it"))]
    End,
}

/// A row's place in the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) key: u64,
    pub(super) top: f32,
    pub(super) height: f32,
}

impl Extent {
    fn bottom(self) -> f32 {
        self.top + self.height
    }
}

/// What is seen of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Nothing newer is below the window.
    pub(crate) at_end: bool,
    /// The key of the topmost row that is seen.
    pub(crate) first_visible: u64,
    /// The key of the lowest row that is seen.
    pub(crate) last_visible: u64,
}

/// The bar at the side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bar {
    /// Where the pointer takes it.
    pub(super) rail: Rectangle,
    /// What is drawn.
    pub(super) thumb: Rectangle,
}

/// The state of the scrolling.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scroll {
    rows: Vec<Extent>,
    content: f32,
    window: f32,
    offset: f32,
    /// It stands at the end, and goes on standing there when rows come.
    sticks: bool,
    /// The last row is the newest there is.
    is_complete: bool,
    pending: Option<(u64, Align)>,
}

impl Scroll {
    pub(super) fn new(start_at: Option<(u64, Align)>) -> Self {
        Self {
            rows: Vec::new(),
            content: 0.0,
            window: 0.0,
            offset: 0.0,
            sticks: true,
            is_complete: true,
            pending: start_at,
        }
    }

    /// How far the rows are moved up; negative if there are too few of them, so that they stand at the bottom.
    pub(super) fn offset(&self) -> f32 {
        self.offset
    }

    /// The height of all rows.
    pub(super) fn content(&self) -> f32 {
        self.content
    }

    fn last(&self) -> f32 {
        self.content - self.window
    }

    fn first(&self) -> f32 {
        self.last().min(0.0)
    }

    fn set(&mut self, offset: f32) {
        if offset.is_nan() {
            return;
        }
        // Whole pixels: letters between pixels would look another way at each step.
        self.offset = offset.clamp(self.first(), self.last().max(self.first())).round();
        self.sticks = self.is_complete && self.offset >= self.last() - END;
    }

    /// Takes new rows, heights or a new window, and keeps in place what is read.
    pub(super) fn lay(&mut self, rows: Vec<Extent>, content: f32, window: f32, is_complete: bool) {
        let tops = rows.iter().map(|row| (row.key, row.top)).collect::<BTreeMap<_, _>>();
        let kept = self.anchor(&tops).map(|(top, row)| top - (row.top - self.offset));
        let sticks = self.sticks && is_complete;
        (self.rows, self.content, self.window, self.is_complete) = (rows, content, window, is_complete);
        match (self.pending, kept) {
            (Some((key, align)), _) if tops.contains_key(&key) => self.go_to(key, align),
            (_, Some(offset)) if !sticks => self.set(offset),
            _ => self.set(self.last()),
        }
    }

    /// The row that is read and still there, with its new top: the first one that begins in the window, or the one that fills it,
    /// or the nearest.
    fn anchor(&self, tops: &BTreeMap<u64, f32>) -> Option<(f32, Extent)> {
        let end = self.offset + self.window;
        let rank = |row: &Extent| {
            let rank = if (self.offset..end).contains(&row.top) {
                0
            } else if row.top < self.offset && row.bottom() > self.offset {
                1
            } else {
                2
            };
            (rank, (row.top - self.offset).abs())
        };
        self.rows.iter().filter_map(|row| tops.get(&row.key).map(|top| (*top, *row))).min_by(|(_, one), (_, other)| {
            let (one, other) = (rank(one), rank(other));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        })
    }

    /// Scrolls; positive is down. Says whether there was anywhere to go.
    pub(super) fn by(&mut self, delta: f32) -> bool {
        let before = self.offset;
        self.pending = None;
        self.set(before + delta);
        self.offset != before
    }

    /// Scrolls by this many windows.
    pub(super) fn by_pages(&mut self, pages: f32) -> bool {
        self.by(pages * (self.window - OVERLAP).max(self.window / 2.0))
    }

    /// To the first row that is there.
    pub(super) fn go_to_start(&mut self) -> bool {
        self.by(f32::MIN)
    }

    /// To the last row that is there.
    pub(super) fn go_to_end(&mut self) -> bool {
        self.by(f32::MAX)
    }

    /// Puts a row somewhere in the window; if it is not there yet, as soon as it is.
    pub(super) fn go_to(&mut self, key: u64, align: Align) {
        let Some(row) = self.rows.iter().find(|row| row.key == key).copied() else {
            self.pending = Some((key, align));
            return;
        };
        self.pending = None;
        let free = self.window - row.height;
        self.set(match align {
            Align::Start => row.top,
            // Of a row that is higher than the window, the beginning.
            Align::Center | Align::End if free < 0.0 => row.top,
            Align::Center => row.top - free / 2.0,
            Align::End => row.top - free,
        });
    }

    /// To a part of the way, of one.
    pub(super) fn go_to_part(&mut self, part: f32) {
        self.pending = None;
        self.set(self.first() + part * (self.last() - self.first()));
    }

    /// Shows what lies there, if it is not seen.
    pub(super) fn reveal(&mut self, top: f32, height: f32) {
        if top < self.offset {
            self.by(top - AROUND - self.offset);
        } else if top + height > self.offset + self.window {
            // Never past its own beginning.
            let down = top + height + AROUND - self.offset - self.window;
            self.by(down.min(top - self.offset));
        }
    }

    /// The rows that are seen.
    pub(super) fn visible(&self) -> Range<usize> {
        let start = self.rows.partition_point(|row| row.bottom() <= self.offset);
        let end = self.rows.partition_point(|row| row.top < self.offset + self.window);
        start..end.max(start)
    }

    /// What is seen, if there is anything.
    pub(super) fn position(&self) -> Option<Position> {
        let rows = self.rows.get(self.visible())?;
        Some(Position {
            at_end: self.is_complete && self.offset >= self.last() - END,
            first_visible: rows.first()?.key,
            last_visible: rows.last()?.key,
        })
    }

    /// Less than a window lies above.
    pub(super) fn is_near_start(&self) -> bool {
        !self.rows.is_empty() && self.offset - self.first() < self.window
    }

    /// Less than a window lies below.
    pub(super) fn is_near_end(&self) -> bool {
        !self.rows.is_empty() && self.last() - self.offset < self.window
    }

    /// The bar, if there is more than can be seen.
    pub(super) fn bar(&self, bounds: Rectangle) -> Option<Bar> {
        if self.content <= self.window || self.window <= 0.0 {
            return None;
        }
        let height = (bounds.height * self.window / self.content).max(SHORTEST).min(bounds.height);
        let top = (bounds.height - height) * (self.offset / self.last()).clamp(0.0, 1.0);
        let right = bounds.x + bounds.width;
        let rail = Rectangle { x: right - RAIL, width: RAIL, ..bounds };
        let thumb = Point::new(right - (RAIL + BAR) / 2.0, bounds.y + top);
        Some(Bar { rail, thumb: Rectangle::new(thumb, Size::new(BAR, height)) })
    }

    /// Puts the bar's top there.
    pub(super) fn drag(&mut self, bounds: Rectangle, top: f32) {
        if let Some(bar) = self.bar(bounds) {
            let way = bar.rail.height - bar.thumb.height;
            self.go_to_part(if way > 0.0 { (top - bar.rail.y) / way } else { 0.0 });
        }
    }
}
