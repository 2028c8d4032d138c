//! Emoji to choose from, with those used last on top, found by their names in the window's languages.

use std::sync::LazyLock;

use iced::Length;
use iced::widget::{Column, Row, column, container, text, text_input};

use crate::app::Context;
use crate::i18n::Language;
use crate::theme::{self, Element, font, metric};
use crate::widget::focus_scope::focus_scope;
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
    let first = shown.first().filter(|_| !query.is_empty()).map(|emoji| on_pick(emoji.sign.to_owned()));
    let field = field.on_submit_maybe(first);
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
    let list = focus_scope(list).one_stop();
    container(column![field, Element::from(list)].spacing(metric::SMALL))
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
    use crate::snapshots::{World, operations};
    use crate::widget::focus_scope::focus_next;
    use crate::widget::stage::{Stage, frame, named};

    #[test]
    fn keys_go_to_every_emoji_and_enter_in_the_field_takes_the_first_that_was_found() {
        use iced::keyboard::{Modifiers, key::Named};
        let world = World::new(400.0, 300.0);
        let mut stage = Stage::<String>::new(400.0, 300.0);
        let view = |query: &'static str| picker(query, |query| format!("query {query}"), |sign| sign, world.context());
        stage.play(view(""), [frame()]);
        for keys in [vec![Named::Enter], vec![Named::Enter, Named::ArrowRight, Named::ArrowDown, Named::Enter]] {
            for operation in operations::<()>(focus_next()) {
                stage.operate(view(""), operation);
            }
            stage.play(view(""), keys.into_iter().map(|key| named(key, Modifiers::empty())));
        }
        let group = ALL.iter().take_while(|emoji| emoji.group == ALL[0].group).count();
        assert!(group > ACROSS + 1);
        let expected = [ALL[0].sign, ALL[ACROSS + 1].sign];
        assert_eq!(stage.messages, expected, "the field says nothing while it is empty");
        for _ in 0..60 {
            stage.play(view(""), [named(Named::ArrowDown, Modifiers::empty())]);
        }
        stage.play(view(""), [named(Named::Enter, Modifiers::empty())]);
        let last = ALL.iter().position(|emoji| Some(emoji.sign) == stage.messages.last().map(String::as_str));
        assert!(last.is_some_and(|last| last > SHOWN - ACROSS), "the last row: {last:?}");
        let mut stage = Stage::<String>::new(400.0, 300.0);
        for operation in operations::<()>(focus_next()) {
            stage.operate(view("cat face"), operation);
        }
        stage.play(view("cat face"), [named(Named::Enter, Modifiers::empty())]);
        assert_eq!(stage.messages, [found("cat face", Language::En).next().unwrap().sign]);
    }

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
