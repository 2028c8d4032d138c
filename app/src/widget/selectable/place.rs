//! Places in laid out text: which one a point means, what lies between two of them, and where that is drawn.
//!
//! Invariants: a place is always on the border of a grapheme of a line that exists; nothing here panics, whatever the text.

use std::ops::Range;

use iced::advanced::graphics::text::cosmic_text::{Buffer, LayoutGlyph, LayoutRun};
use iced::{Point, Rectangle};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// How wide an empty line looks when it is selected, by its height: about a space.
const EMPTY: f32 = 0.3;

/// Between two letters: the line of the text (not of the layout), and the byte in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) index: usize,
}

/// The place nearest to a point, wherever the point is.
pub(super) fn hit(buffer: &Buffer, point: Point) -> Option<Place> {
    let mut nearest = None;
    for run in buffer.layout_runs() {
        let is_reached = point.y < run.line_top + run.line_height;
        nearest = Some(run);
        if is_reached {
            break;
        }
    }
    let run = nearest?;
    let line = run.line_i;
    let mut index = edge(&run, point.x).or_else(|| {
        // The middle of the line's height, so that the buffer finds this line and no other.
        let found = buffer.hit(point.x, run.line_top + run.line_height / 2.0)?;
        (found.line == line).then_some(found.index)
    })?;
    index = run.text.floor_char_boundary(index);
    Some(Place { line, index: border_before(run.text, index) })
}

/// The end of a run that the point lies beyond. In mixed directions the last glyph on the screen is not the last of the text.
fn edge(run: &LayoutRun<'_>, x: f32) -> Option<usize> {
    let (Some(left), Some(right)) = (
        run.glyphs.iter().map(|glyph| glyph.x).min_by(f32::total_cmp),
        run.glyphs.iter().map(|glyph| glyph.x + glyph.w).max_by(f32::total_cmp),
    ) else {
        return Some(run.text.len());
    };
    let start = run.glyphs.iter().map(|glyph| glyph.start).min()?;
    let end = run.glyphs.iter().map(|glyph| glyph.end).max()?;
    if x <= left {
        Some(if run.rtl { end } else { start })
    } else if x >= right {
        Some(if run.rtl { start } else { end })
    } else {
        None
    }
}

fn border_before(text: &str, index: usize) -> usize {
    let mut cursor = GraphemeCursor::new(index, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => index,
        _ => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
    }
}

/// The number of the span under a point, if there is text just there.
pub(super) fn span_at(buffer: &Buffer, point: Point) -> Option<usize> {
    let run = buffer.layout_runs().find(|run| (run.line_top..run.line_top + run.line_height).contains(&point.y))?;
    let glyph = run.glyphs.iter().find(|glyph| (glyph.x..glyph.x + glyph.w).contains(&point.x))?;
    Some(glyph.metadata)
}

/// The word (or what is between words) at a place.
pub(super) fn word(buffer: &Buffer, place: Place) -> (Place, Place) {
    let text = buffer.lines.get(place.line).map_or("", |line| line.text());
    let found = text
        .split_word_bound_indices()
        .map(|(start, word)| start..start + word.len())
        .find(|range| range.contains(&place.index) || (range.end == text.len() && place.index >= text.len()))
        .unwrap_or(place.index..place.index);
    (Place { index: found.start, ..place }, Place { index: found.end, ..place })
}

/// From the first place to the last.
pub(super) fn all(buffer: &Buffer) -> (Place, Place) {
    let line = buffer.lines.len().saturating_sub(1);
    let index = buffer.lines.last().map_or(0, |line| line.text().len());
    (Place::default(), Place { line, index })
}

/// The bytes of a line that lie between two places.
fn within(line: usize, length: usize, from: Place, to: Place) -> Range<usize> {
    let start = if line == from.line { from.index.min(length) } else { 0 };
    let end = if line == to.line { to.index.min(length) } else { length };
    start..end.max(start)
}

/// The words between two places.
pub(super) fn text(buffer: &Buffer, from: Place, to: Place) -> String {
    let mut words = String::new();
    let count = (to.line + 1).saturating_sub(from.line);
    for (number, line) in buffer.lines.iter().enumerate().skip(from.line).take(count) {
        if number > from.line {
            words.push('\n');
        }
        let part = line.text().get(within(number, line.text().len(), from, to)).unwrap_or_default();
        words.extend(part.chars().filter(|&letter| letter != '\r'));
    }
    words
}

/// Where what lies between two places is drawn, from the paragraph's corner.
pub(super) fn marks(buffer: &Buffer, from: Place, to: Place) -> Vec<Rectangle> {
    let mut marks = Vec::new();
    for run in buffer.layout_runs().filter(|run| (from.line..=to.line).contains(&run.line_i)) {
        let range = within(run.line_i, run.text.len(), from, to);
        let mut parts = run.glyphs.iter().filter_map(|glyph| covered(&run, glyph, &range)).collect::<Vec<_>>();
        if run.glyphs.is_empty() && run.line_i < to.line {
            parts.push((0.0, run.line_height * EMPTY));
        }
        parts.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut last: Option<Rectangle> = None;
        for (x, width) in parts {
            match &mut last {
                // One rectangle for neighbours: between two, the edges would show in a half transparent colour.
                Some(mark) if x <= mark.x + mark.width + 0.5 => mark.width = mark.width.max(x + width - mark.x),
                _ => marks.extend(last.replace(Rectangle { x, y: run.line_top, width, height: run.line_height })),
            }
        }
        marks.extend(last);
    }
    marks
}

/// The part of a glyph that a range of bytes covers: a ligature or a syllable may be covered by a part only.
fn covered(run: &LayoutRun<'_>, glyph: &LayoutGlyph, range: &Range<usize>) -> Option<(f32, f32)> {
    let (start, end) = (glyph.start.max(range.start), glyph.end.min(range.end));
    if start >= end {
        return None;
    }
    if start == glyph.start && end == glyph.end {
        return Some((glyph.x, glyph.w));
    }
    let count = |range: Range<usize>| run.text.get(range).unwrap_or_default().graphemes(true).count() as f32;
    let total = count(glyph.start..glyph.end).max(1.0);
    let (before, width) = (count(glyph.start..start) / total * glyph.w, count(start..end) / total * glyph.w);
    let x = if glyph.level.is_rtl() { glyph.x + glyph.w - before - width } else { glyph.x + before };
    Some((x, width))
}

/// A piece of a span on one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    pub(super) span: usize,
    pub(super) bounds: Rectangle,
    /// Where the letters stand, from the paragraph's top.
    pub(super) baseline: f32,
}

/// The pieces of these spans.
pub(super) fn regions(buffer: &Buffer, wanted: impl Fn(usize) -> bool) -> Vec<Region> {
    let mut regions = Vec::new();
    for run in buffer.layout_runs() {
        let mut last: Option<Region> = None;
        for glyph in run.glyphs.iter().filter(|glyph| wanted(glyph.metadata)) {
            match &mut last {
                Some(region) if region.span == glyph.metadata && touches(region.bounds, glyph) => {
                    let right = (region.bounds.x + region.bounds.width).max(glyph.x + glyph.w);
                    region.bounds.x = region.bounds.x.min(glyph.x);
                    region.bounds.width = right - region.bounds.x;
                }
                _ => {
                    let bounds = Rectangle { x: glyph.x, y: run.line_top, width: glyph.w, height: run.line_height };
                    let region = Region { span: glyph.metadata, bounds, baseline: run.line_y };
                    regions.extend(last.replace(region));
                }
            }
        }
        regions.extend(last);
    }
    regions
}

/// The wanted span of the nearest line above or below a span that is nearest to it there.
pub(super) fn beside(buffer: &Buffer, from: usize, wanted: impl Fn(usize) -> bool, below: bool) -> Option<usize> {
    let regions = regions(buffer, wanted);
    let mut own = regions.iter().filter(|region| region.span == from);
    let here = if below { own.next_back() } else { own.next() }?.bounds;
    let away = |region: &Region| (region.bounds.y - here.y) * if below { 1.0 } else { -1.0 };
    let aside = |region: &Region| (region.bounds.center_x() - here.center_x()).abs();
    let beyond = regions.iter().filter(|region| region.span != from && away(region) > 0.5);
    let nearest =
        beyond.min_by(|one, other| away(one).total_cmp(&away(other)).then_with(|| aside(one).total_cmp(&aside(other))));
    nearest.map(|region| region.span)
}

fn touches(bounds: Rectangle, glyph: &LayoutGlyph) -> bool {
    glyph.x <= bounds.x + bounds.width + 0.5 && glyph.x + glyph.w >= bounds.x - 0.5
}
