//! Emoji to choose from, with those used last on top, found by their names in the window's languages.

use std::sync::LazyLock;

use iced::Length;
use iced::widget::{Column, Row, column, container, text, text_input};

use crate::app::Context;
use crate::i18n::Language;
use crate::theme::{self, Element, font, metric};
use crate::widget::press::press;

/// In a row.
const ACROSS: usize = 9;

/// The most that are in the widget tree.
const SHOWN: usize = 360;

/// An emoji and its names.
#[derive(Debug)]
struct Emoji {
    group: &'static str,
    sign: &'static str,
    names: [&'static str; 3],
}

static ALL: LazyLock<Vec<Emoji>> = LazyLock::new(|| {
    let lines = include_str!("../../../assets/emoji.tsv").lines().skip(1);
    lines.filter_map(read).collect()
});

fn read(line: &'static str) -> Option<Emoji> {
    let mut parts = line.split('\t');
    let (group, sign, english) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Emoji { group, sign, names: [english, parts.next().unwrap_or_default(), parts.next().unwrap_or_default()] })
}

/// A field to search in, and what is found.
pub(crate) fn picker<'a, Message: Clone + 'a>(
    query: &str,
    on_query: impl Fn(String) -> Message + 'a,
    on_pick: impl Fn(String) -> Message + Copy + 'a,
    context: Context<'a>,
) -> Element<'a, Message> {
    let i18n = context.i18n;
    let field = text_input(&i18n.tr("emoji-search"), query)
        .on_input(on_query)
        .padding([metric::TIGHT, metric::GAP])
        .size(metric::CAPTION)
        .style(theme::input::search);
    let row = |signs: &[&str]| -> Element<'a, Message> {
        Row::with_children(signs.iter().map(|sign| button((*sign).to_owned(), on_pick))).into()
    };
    let mut rows = Column::new();
    let recent: Vec<&str> = context.settings.recent_emoji.iter().map(String::as_str).collect();
    if query.is_empty() && !recent.is_empty() {
        rows = rows.push(heading(i18n.tr("emoji-recent")));
        for signs in recent.chunks(ACROSS) {
            rows = rows.push(row(signs));
        }
    }
    let mut shown: Vec<&Emoji> = found(query, i18n.language()).take(SHOWN).collect();
    if shown.is_empty() {
        rows = rows.push(heading(i18n.tr("list-nothing-title")));
    }
    while let Some(first) = shown.first() {
        let group = first.group;
        let signs: Vec<&str> = shown.iter().take_while(|emoji| emoji.group == group).map(|emoji| emoji.sign).collect();
        shown.drain(..signs.len());
        for signs in signs.chunks(ACROSS) {
            rows = rows.push(row(signs));
        }
    }
    let list = crate::ui::scroll(rows.width(Length::Fill)).height(Length::Fixed(200.0));
    container(column![field, list].spacing(metric::SMALL))
        .padding(metric::SMALL)
        .width(Length::Fixed(376.0))
        .style(theme::container::card)
        .into()
}

fn heading<'a, Message: 'a>(words: String) -> Element<'a, Message> {
    text(words).size(metric::CAPTION).font(font::MEDIUM).style(theme::text::muted).into()
}

fn button<'a, Message: Clone + 'a>(sign: String, on_pick: impl Fn(String) -> Message) -> Element<'a, Message> {
    press(
        container(text(sign.clone()).font(font::EMOJI).size(metric::HEADING + 2.0).line_height(1.1))
            .center(Length::Fill),
    )
    .width(metric::EMOJI)
    .height(metric::EMOJI)
    .padding(0)
    .style(theme::button::quiet)
    .unfocusable()
    .on_press(on_pick(sign))
    .into()
}

fn found(query: &str, language: Language) -> impl Iterator<Item = &'static Emoji> {
    let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let own = match language {
        Language::En => 0,
        Language::Ru => 1,
        Language::Uk => 2,
    };
    ALL.iter().filter(move |emoji| {
        words.iter().all(|word| {
            let known = |names: &&str| {
                names
                    .split(|letter: char| !letter.is_alphanumeric())
                    .any(|part| part.to_lowercase().starts_with(word.as_str()))
            };
            emoji.names.get(own).is_some_and(known) || emoji.names.first().is_some_and(known) || emoji.sign == word
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_found_by_their_names_in_every_language() {
        assert!(ALL.len() > 1000, "{}", ALL.len());
        for (query, language) in
            [("cat", Language::En), ("кот", Language::Ru), ("кіт", Language::Uk), ("cat", Language::Uk)]
        {
            let signs: Vec<&str> = found(query, language).map(|emoji| emoji.sign).collect();
            assert!(signs.contains(&"🐈"), "{query}: {signs:?}");
        }
        assert_eq!(found("no such thing at all", Language::En).count(), 0);
    }
}
