//! A message's text as it is drawn: a small part of Markdown, and links.
//!
//! `**bold**`, `*italic*`, `~~struck~~`, `` `code` `` and blocks between lines of three backticks; anything else is as it was written.
//! A mark counts only where it embraces something: `2 * 3 * 4` and `snake_case` stay what they are.

use std::ops::Range;

use iced::advanced::text::Span;
use iced::font::{Style as Slant, Weight};
use linkify::{LinkFinder, LinkKind};

use crate::format::{Marks, is_hidden};
use crate::theme::{self, Palette, font};

/// The longest text that is drawn at once, in bytes; the rest is there on demand.
pub(crate) const SHOWN: usize = 4000;

/// And the most lines of it.
const LINES: usize = 80;

/// How deep marks are looked for in one another.
const DEEP: usize = 4;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    bold: bool,
    italic: bool,
    struck: bool,
    code: bool,
}

/// A piece of a text that looks alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    text: String,
    look: Look,
    link: Option<String>,
}

/// A text, read once and drawn many times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Rich {
    pieces: Vec<Piece>,
    is_cut: bool,
    big: bool,
}

impl Rich {
    /// Reads a text; of a long one the beginning, unless all of it is wanted.
    pub(crate) fn read(text: &str, whole: bool) -> Self {
        let clean = clean(text);
        let end = if whole { clean.len() } else { cut(&clean, SHOWN) };
        let shown = clean.get(..end).unwrap_or_default();
        let mut pieces = Vec::new();
        blocks(shown, &mut pieces);
        Self { pieces, is_cut: end < clean.len(), big: is_few_emoji(shown) }
    }

    /// There is more of it.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// A few emoji and nothing else, which are drawn larger.
    pub(crate) const fn is_big(&self) -> bool {
        self.big
    }

    /// What is drawn.
    pub(crate) fn spans(&self, palette: &Palette) -> Vec<Span<'static, String>> {
        if !self.big {
            return self.pieces.iter().map(|piece| piece.span(palette, false)).collect();
        }
        let parts = self.pieces.iter().flat_map(Piece::parts);
        parts.map(|part| part.span(palette, !part.text.trim().is_empty())).collect()
    }
}

impl Piece {
    /// Emoji and the spaces between them apart: the emoji font's own space is as wide as an emoji.
    fn parts(&self) -> Vec<Self> {
        let is_space = |part: &str| part.starts_with(char::is_whitespace);
        let mut parts: Vec<String> = Vec::new();
        for character in self.text.chars() {
            match parts.last_mut().filter(|part| is_space(part) == character.is_whitespace()) {
                Some(part) => part.push(character),
                None => parts.push(character.to_string()),
            }
        }
        parts.into_iter().map(|text| Self { text, ..self.clone() }).collect()
    }

    fn span(&self, palette: &Palette, is_emoji: bool) -> Span<'static, String> {
        let base = match (is_emoji, self.look.code) {
            (true, _) => font::EMOJI,
            (false, true) => font::MONO,
            (false, false) => font::TEXT,
        };
        let font = iced::Font {
            weight: if self.look.bold { Weight::Bold } else { base.weight },
            style: if self.look.italic && font::has_italics(&self.text) { Slant::Italic } else { base.style },
            ..base
        };
        let ground = theme::text::code_ground(palette);
        Span::new(self.text.clone())
            .font(font)
            .color_maybe(self.link.is_some().then_some(palette.link))
            .link_maybe(self.link.clone())
            .underline(self.link.is_some())
            .strikethrough(self.look.struck)
            .background_maybe(self.look.code.then_some(ground))
    }
}

/// Without what hides, turns the direction of what stands beside it, or heaps marks on one letter.
pub(crate) fn clean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut marks = Marks::default();
    let shown = text.chars().filter(|character| matches!(character, '\n' | '\t') || !is_hidden(*character));
    for character in shown.filter(|character| marks.have_room(*character)) {
        match character {
            '\n' => kept.push('\n'),
            '\t' => kept.push_str("    "),
            character => kept.push(character),
        }
    }
    kept.truncate(kept.trim_end().len());
    kept
}

/// Where to cut: not within a grapheme, better between words.
fn cut(text: &str, most: usize) -> usize {
    use unicode_segmentation::UnicodeSegmentation as _;
    let lines = text.match_indices('\n').nth(LINES.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    if lines <= most {
        return lines;
    }
    let end = text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or_default();
    let space = text.get(..end).and_then(|head| head.rfind(char::is_whitespace));
    space.filter(|space| space.saturating_add(200) > end).unwrap_or(end)
}

fn is_few_emoji(text: &str) -> bool {
    use unicode_segmentation::UnicodeSegmentation as _;
    let trimmed = text.trim();
    let signs = || trimmed.graphemes(true).filter(|grapheme| !grapheme.trim().is_empty());
    (1..=4).contains(&signs().take(5).count())
        && signs().all(|grapheme| {
            let first = grapheme.chars().next().unwrap_or_default();
            matches!(first, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}')
        })
}

/// Blocks of code, and what is between them.
fn blocks(text: &str, pieces: &mut Vec<Piece>) {
    const FENCE: &str = "```";
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(FENCE) {
        let Some((block, tail)) = after.split_once(FENCE) else { break };
        inline(before.strip_suffix('\n').map_or(before, |_| before), Look::default(), 0, pieces);
        // The word after the opening names a language.
        let body = block.split_once('\n').map_or(block, |(first, body)| {
            if first.chars().all(|character| character.is_ascii_alphanumeric()) { body } else { block }
        });
        let body = body.strip_suffix('\n').unwrap_or(body);
        push(pieces, body, Look { code: true, ..Look::default() }, None);
        rest = tail;
    }
    inline(rest, Look::default(), 0, pieces);
}

/// A mark, and what it makes of a look.
type Marker = (&'static str, fn(Look) -> Look);

const MARKERS: [Marker; 5] = [
    ("**", |look| Look { bold: true, ..look }),
    ("__", |look| Look { bold: true, ..look }),
    ("~~", |look| Look { struck: true, ..look }),
    ("*", |look| Look { italic: true, ..look }),
    ("_", |look| Look { italic: true, ..look }),
];

fn inline(text: &str, look: Look, depth: usize, pieces: &mut Vec<Piece>) {
    let links: Vec<Range<usize>> = finder().links(text).map(|link| link.start()..link.end()).collect();
    let mut plain = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = rest.chars().next().map_or(1, char::len_utf8);
        if let Some(link) = links.iter().find(|link| link.start == at) {
            at = link.end;
            continue;
        }
        let Some((inner, length, changed)) = embraced(text, at, look, depth) else {
            at = at.saturating_add(step);
            continue;
        };
        with_links(text.get(plain..at).unwrap_or_default(), look, pieces);
        if changed.code && !look.code {
            push(pieces, inner, changed, None);
        } else {
            inline(inner, changed, depth.saturating_add(1), pieces);
        }
        at = at.saturating_add(length);
        plain = at;
    }
    with_links(text.get(plain..).unwrap_or_default(), look, pieces);
}

/// What marks at this place embrace, how long it is with them, and how it looks.
fn embraced(text: &str, at: usize, look: Look, depth: usize) -> Option<(&str, usize, Look)> {
    let rest = text.get(at..)?;
    if let Some(after) = rest.strip_prefix('`') {
        let inner = after.get(..after.find('`')?)?;
        let fits = !inner.is_empty() && !inner.contains('\n');
        return fits.then(|| (inner, inner.len().saturating_add(2), Look { code: true, ..look }));
    }
    if depth >= DEEP {
        return None;
    }
    let before = text.get(..at)?.chars().next_back();
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    for (marker, change) in MARKERS {
        let Some(after) = rest.strip_prefix(marker) else { continue };
        if after.starts_with(char::is_whitespace) || after.starts_with(marker) {
            continue;
        }
        let mut from = 0;
        while let Some(found) = after.get(from..).and_then(|tail| tail.find(marker)) {
            let end = from.saturating_add(found);
            let (inner, tail) = (after.get(..end)?, after.get(end.saturating_add(marker.len())..)?);
            let is_open = inner.is_empty()
                || inner.ends_with(char::is_whitespace)
                || inner.contains("\n\n")
                || tail.starts_with(char::is_alphanumeric)
                || (marker.len() == 1 && tail.starts_with(marker));
            if !is_open {
                return Some((inner, inner.len().saturating_add(marker.len().saturating_mul(2)), change(look)));
            }
            from = end.saturating_add(marker.len());
        }
    }
    None
}

fn finder() -> LinkFinder {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    finder
}

fn with_links(text: &str, look: Look, pieces: &mut Vec<Piece>) {
    for part in finder().spans(text) {
        let link = part.kind().and_then(|_| openable(part.as_str()));
        push(pieces, part.as_str(), look, link);
    }
}

/// Only what a person expects to be opened by a press: pages, mail, and Kith's own links.
fn openable(link: &str) -> Option<String> {
    let lower = link.to_lowercase();
    ["https://", "http://", "mailto:", "kith://"].iter().any(|kind| lower.starts_with(kind)).then(|| link.to_owned())
}

fn push(pieces: &mut Vec<Piece>, text: &str, look: Look, link: Option<String>) {
    if text.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(last) if last.look == look && last.link.is_none() && link.is_none() => last.text.push_str(text),
        _ => pieces.push(Piece { text: text.to_owned(), look, link }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::Variant;

    fn shown(text: &str) -> String {
        Rich::read(text, true)
            .pieces
            .iter()
            .map(|Piece { text, look, link }| {
                let marks = [(look.bold, "b"), (look.italic, "i"), (look.struck, "s"), (look.code, "c")];
                let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| *mark).collect();
                let link = if link.is_some() { "@" } else { "" };
                if marks.is_empty() && link.is_empty() { text.clone() } else { format!("[{marks}{link}:{text}]") }
            })
            .collect()
    }

    #[test]
    fn marks_embrace_words() {
        for (text, expected) in [
            ("a **bold** word", "a [b:bold] word"),
            ("*so* and _so_", "[i:so] and [i:so]"),
            ("**all *of* it**", "[b:all ][bi:of][b: it]"),
            ("~~no~~", "[s:no]"),
            ("`a * b * c`", "[c:a * b * c]"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("snake_case_name", "snake_case_name"),
            ("**open", "**open"),
            ("** a **", "** a **"),
            ("****", "****"),
            ("``", "``"),
            ("look:\n```rust\nfn main() {}\n```\nso", "look:\n[c:fn main() {}]\nso"),
            ("``` never closed", "``` never closed"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn links_can_be_opened_if_one_would_expect_it() {
        assert_eq!(shown("see https://kith.example/a_b_c, yes"), "see [@:https://kith.example/a_b_c], yes");
        assert_eq!(shown("**https://kith.example**"), "[b@:https://kith.example]");
        assert_eq!(shown("kith://abc"), "[@:kith://abc]");
        for text in ["javascript:alert(1)", "file:///etc/passwd", "data://x", "smb://host/x"] {
            assert!(Rich::read(text, true).pieces.iter().all(|piece| piece.link.is_none()), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_words_and_graphemes() {
        let long = "слово ".repeat(10_000);
        let rich = Rich::read(&long, false);
        assert!(rich.is_cut() && rich.pieces[0].text.len() <= SHOWN && rich.pieces[0].text.ends_with("слово"));
        assert!(!Rich::read(&long, true).is_cut());
        let lines = "a\n".repeat(10_000);
        assert!(
            Rich::read(&lines, false).is_cut() && Rich::read(&lines, false).pieces[0].text.lines().count() <= LINES
        );
        let family = "👨‍👩‍👧‍👦".repeat(10_000);
        let rich = Rich::read(&family, false);
        assert!(rich.is_cut() && rich.pieces[0].text.ends_with("👨‍👩‍👧‍👦"));
    }

    #[test]
    fn nothing_from_outside_turns_or_hides_what_stands_beside_it() {
        assert_eq!(shown("a\u{202e}b\u{7}\u{2066}c"), "abc");
        let zalgo = format!("z{}!", "\u{0310}".repeat(5000));
        assert_eq!(shown(&zalgo).chars().count(), 6);
        // Nor can they be heaped by what is not seen between them.
        let zalgo = format!("z{}!", "\u{0310}\u{202e}\u{0310}\u{200d}".repeat(5000));
        assert_eq!(shown(&zalgo).matches('\u{0310}').count(), 4);
        assert_eq!(shown("שלום עולם"), "שלום עולם");
    }

    #[test]
    fn a_few_emoji_alone_are_large() {
        assert!(Rich::read("👍", false).is_big() && Rich::read("👨‍👩‍👧‍👦 🎉", false).is_big());
        assert!(
            !Rich::read("👍 ok", false).is_big()
                && !Rich::read("", false).is_big()
                && !Rich::read("12", false).is_big()
        );
        assert!(!Rich::read("🎉🎉🎉🎉🎉", false).is_big());
        let spans = Rich::read("👨‍👩‍👧‍👦 🎉", false).spans(Variant::Light.palette());
        let drawn: Vec<_> = spans.iter().map(|span| (&*span.text, span.font == Some(font::EMOJI))).collect();
        assert_eq!(drawn, [("👨‍👩‍👧‍👦", true), (" ", false), ("🎉", true)]);
    }

    #[test]
    fn hostile_marks_take_no_time() {
        for text in ["*".repeat(16_000), "**_".repeat(5000), "`".repeat(16_000), "*a ".repeat(5000), "[](".repeat(5000)]
        {
            let _ = Rich::read(&text, true);
        }
    }
}
