//! The text under a pointer that does everything a pointer can do.

use iced::advanced::Text;
use iced::advanced::text::{Alignment, Paragraph as _, Shaping, Span, Wrapping};
use iced::alignment::Vertical;
use iced::keyboard::Modifiers;
use iced::widget::column;
use iced::{Event, Font, Size, mouse};

use super::state::State;
use super::{Selectable, selectable};
use crate::theme::Element;
use crate::widget::stage::{Stage, down, holding, letter, moved, up};

type Words = Stage<&'static str>;

fn plain<'a>(text: impl Into<std::borrow::Cow<'a, str>>) -> Selectable<'a, &'static str, &'static str> {
    selectable(vec![Span { text: text.into(), ..Span::default() }])
}

fn linked() -> Element<'static, &'static str> {
    let link = Span::<_, Font>::new("https://kith.example").link("kith");
    selectable(vec![Span::new("see "), link, Span::new(" and more")]).on_link(|link| link).into()
}

/// Drags over the text and copies what is selected then.
fn drag(stage: &mut Words, text: &str, from: (f32, f32), to: (f32, f32)) -> Option<String> {
    stage.board.standard = None;
    let events = [moved(from.0, from.1), down(), moved(to.0, to.1), up(), letter("c", Modifiers::COMMAND)];
    stage.play(plain(text).into(), events);
    stage.board.standard.clone()
}

fn click() -> [Event; 2] {
    [down(), up()]
}

#[test]
fn a_drag_selects_and_the_selection_is_copied_and_is_the_primary_one() {
    let mut stage = Words::new(400.0, 200.0);
    assert_eq!(
        drag(&mut stage, "one two", (-5.0, 8.0), (399.0, 8.0)),
        None,
        "a drag that began outside selects nothing"
    );
    assert_eq!(drag(&mut stage, "one two", (0.0, 8.0), (399.0, 8.0)).as_deref(), Some("one two"));
    assert_eq!(stage.board.primary.as_deref(), Some("one two"));
    assert_eq!(drag(&mut stage, "one\n\ntwo", (0.0, 8.0), (399.0, 190.0)).as_deref(), Some("one\n\ntwo"));
    assert_eq!(drag(&mut stage, "one\r\ntwo", (0.0, 8.0), (399.0, 190.0)).as_deref(), Some("one\ntwo"));
    let backwards = drag(&mut stage, "one two", (2000.0, 8.0), (0.0, 8.0));
    assert_eq!(backwards, None, "nothing is selected from outside");
}

#[test]
fn a_drag_beyond_every_edge_takes_all_up_to_it() {
    let mut stage = Words::new(400.0, 200.0);
    stage.play(plain("first line\nsecond line").width(400.0).into(), [moved(30.0, 30.0), down()]);
    for (to, expected) in [((-900.0, -900.0), true), ((9000.0, 9000.0), false)] {
        stage.board.standard = None;
        let copy = letter("c", Modifiers::COMMAND);
        stage.play(plain("first line\nsecond line").width(400.0).into(), [moved(to.0, to.1), copy]);
        let words = stage.board.standard.clone().unwrap();
        assert_eq!(words.starts_with("first"), expected, "{words:?}");
        assert_eq!(words.ends_with("line"), !expected, "{words:?}");
    }
}

#[test]
fn clicks_select_a_word_then_all_and_a_click_elsewhere_clears() {
    let mut stage = Words::new(400.0, 200.0);
    let copy = || letter("c", Modifiers::COMMAND);
    let view = || plain("hello world of words").into();
    stage.play(view(), [moved(5.0, 8.0)].into_iter().chain(click()).chain(click()).chain([copy()]));
    assert_eq!(stage.board.standard.as_deref(), Some("hello"));
    stage.play(view(), click().into_iter().chain([copy()]));
    assert_eq!(stage.board.standard.take().as_deref(), Some("hello world of words"));
    stage.play(view(), [moved(5.0, 150.0)].into_iter().chain(click()).chain([copy()]));
    assert_eq!(stage.board.standard, None);
}

#[test]
fn a_drag_after_a_double_click_takes_whole_words_both_ways() {
    let mut stage = Words::new(400.0, 200.0);
    let view = || plain("alpha beta gamma").into();
    let copy = || letter("c", Modifiers::COMMAND);
    stage.play(view(), [moved(50.0, 8.0), down(), up(), down(), moved(399.0, 8.0), copy()]);
    assert_eq!(stage.board.standard.as_deref(), Some("beta gamma"));
    stage.play(view(), [moved(0.0, 8.0), copy()]);
    assert_eq!(stage.board.standard.as_deref(), Some("alpha beta"));
}

#[test]
fn shift_and_a_click_extend_and_all_is_selected_by_the_keyboard_after_a_click() {
    let mut stage = Words::new(400.0, 200.0);
    let view = || plain("hello world").into();
    let select_all = || letter("a", Modifiers::COMMAND);
    let copy = || letter("c", Modifiers::COMMAND);
    stage.play(view(), [select_all(), copy()]);
    assert_eq!(stage.board.standard, None, "it was not clicked");
    stage.play(
        view(),
        [moved(0.0, 8.0), down(), up(), holding(Modifiers::SHIFT), moved(60.0, 8.0), down(), up(), copy()],
    );
    let words = stage.board.standard.take().unwrap();
    assert!(!words.is_empty() && "hello world".starts_with(&words), "{words:?}");
    stage.play(view(), [holding(Modifiers::empty()), select_all(), copy()]);
    assert_eq!(stage.board.standard.as_deref(), Some("hello world"));
}

#[test]
fn a_link_is_followed_by_a_click_and_not_by_a_drag() {
    let mut stage = Words::new(400.0, 200.0);
    stage.play(linked(), [moved(60.0, 8.0)].into_iter().chain(click()));
    assert_eq!(stage.messages, ["kith"]);
    assert_eq!(stage.interaction, mouse::Interaction::Pointer);
    stage.play(linked(), [moved(60.0, 8.0), down(), moved(120.0, 8.0), up()]);
    assert_eq!(stage.messages, ["kith"]);
    stage.play(linked(), [moved(5.0, 8.0), down(), up()]);
    assert_eq!(stage.messages, ["kith"], "words beside it lead nowhere");
    assert_eq!(stage.interaction, mouse::Interaction::Text);
    stage.play(linked(), [moved(5.0, 150.0)]);
    assert_eq!(stage.interaction, mouse::Interaction::None);
}

#[test]
fn the_line_under_a_link_and_the_selection_are_seen() {
    let mut stage = Words::new(400.0, 60.0);
    let resting = stage.draw(linked());
    stage.play(linked(), [moved(60.0, 8.0)]);
    let hovered = stage.draw(linked());
    assert_ne!(hovered, resting);
    stage.play(linked(), [moved(0.0, 8.0), down(), moved(390.0, 8.0), up(), moved(0.0, 50.0)]);
    let [r, g, b] = stage.draw(linked()).at(2, 1);
    assert!(b > r && b > g, "{r} {g} {b}");
}

#[test]
fn only_one_text_is_selected_at_a_time() {
    let mut stage = Words::new(400.0, 200.0);
    let view = || column![plain("above"), plain("below")].into();
    let copy = || letter("c", Modifiers::COMMAND);
    stage.play(view(), [moved(0.0, 8.0), down(), moved(300.0, 8.0), up(), moved(1.0, 30.0), down(), up(), copy()]);
    assert_eq!(stage.board.standard, None);
    stage.play(view(), [moved(300.0, 8.0), down(), moved(0.0, 25.0), up(), copy()]);
    assert_eq!(stage.board.standard, None, "a drag that began in neither");
    assert!(stage.focusables(view()).is_empty());
}

#[test]
fn the_focus_leaves_it_but_the_selection_stays_until_a_click() {
    let mut stage = Words::new(400.0, 200.0);
    let view = || plain("some words").on_copy("copied").into();
    stage.play(view(), [moved(0.0, 8.0), down(), moved(300.0, 8.0), up()]);
    assert_eq!(stage.focusables(view()), [(None, true)]);
    stage.operate::<()>(view(), iced::advanced::widget::operation::focusable::unfocus());
    assert!(stage.focusables(view()).is_empty());
    stage.play(view(), [letter("c", Modifiers::COMMAND)]);
    assert_eq!(stage.board.standard.as_deref(), Some("some words"));
    assert_eq!(stage.messages, ["copied"]);
}

#[test]
fn the_selection_survives_another_colour_and_not_another_text() {
    let mut stage = Words::new(400.0, 200.0);
    let colored =
        |text: &'static str, color| selectable::<&str, _>(vec![Span::<_, Font>::new(text).color(color)]).into();
    let copy = || letter("c", Modifiers::COMMAND);
    stage.play(colored("words", iced::Color::BLACK), [moved(0.0, 8.0), down(), moved(300.0, 8.0), up()]);
    stage.play(colored("words", iced::Color::WHITE), [copy()]);
    assert_eq!(stage.board.standard.take().as_deref(), Some("words"));
    stage.play(colored("other", iced::Color::WHITE), [copy()]);
    assert_eq!(stage.board.standard, None);
}

fn size_of(width: f32, text: &str, trailing: Option<Size>) -> Size {
    let mut stage = Words::new(width, 400.0);
    let mut view = plain(text);
    if let Some(trailing) = trailing {
        view = view.trailing(trailing);
    }
    stage.operate(view.into(), Measure(Size::ZERO)).unwrap()
}

struct Measure(Size);

impl iced::advanced::widget::Operation<Size> for Measure {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn iced::advanced::widget::Operation<Size>)) {
        operate(self);
    }

    fn text(&mut self, _id: Option<&iced::advanced::widget::Id>, bounds: iced::Rectangle, _text: &str) {
        self.0 = bounds.size();
    }

    fn finish(&self) -> iced::advanced::widget::operation::Outcome<Size> {
        iced::advanced::widget::operation::Outcome::Some(self.0)
    }
}

#[test]
fn what_trails_stands_beside_a_short_last_line_and_below_a_full_one() {
    let trailing = Size::new(50.0, 14.0);
    let alone = size_of(300.0, "short", None);
    let beside = size_of(300.0, "short", Some(trailing));
    assert_eq!(beside.height, alone.height);
    assert!(beside.width >= alone.width + 49.0 && beside.width <= 300.0);

    let full = size_of(alone.width + 20.0, "short", Some(trailing));
    assert_eq!(full.height, alone.height + 14.0);

    let lines = "a line that is rather long\nshort";
    assert_eq!(
        size_of(400.0, lines, Some(trailing)),
        size_of(400.0, lines, None),
        "it fits into the room that is there"
    );

    let hebrew = size_of(300.0, "שלום", None);
    let trailed = size_of(300.0, "שלום", Some(trailing));
    assert!(trailed.width >= hebrew.width + 49.0, "right to left, it stands beside the words too");
}

#[test]
fn no_text_makes_it_panic_wherever_the_pointer_is() {
    let zalgo = format!("Z{}algo", "\u{0301}\u{0489}\u{035b}".repeat(200));
    let family = "👨‍👩‍👧‍👦👩🏽‍🚀🇺🇦🏳️‍🌈".repeat(20);
    let flags = "🇺🇦".repeat(300);
    let long = "a".repeat(3000);
    for text in [
        "",
        "\n",
        "\n\n\n",
        " ",
        "שלום עולם, hello مرحبا بالعالم 123 end",
        "مرحبا\nhello\nשלום",
        "\u{202e}reversed\u{202c} and \u{2066}isolated\u{2069}",
        "\u{0}\u{1}\u{7f}\u{85}\u{2028}a\u{2029}b\u{feff}\u{fffd}\t\t\u{b}\u{c}",
        "क्षत्रिय สวัสดี 안녕 日本語",
        "fi ffi ﬁ",
        &zalgo,
        &family,
        &flags,
        &long,
    ] {
        let mut stage = Words::new(160.0, 400.0);
        for from in [(0.0, 0.0), (80.0, 10.0), (1.0, 30.0)] {
            for to in [(-1.0, -1.0), (40.0, 8.0), (77.7, 33.3), (159.0, 399.0), (9999.0, 0.0), (f32::NAN, f32::NAN)] {
                if let Some(words) = drag(&mut stage, text, from, to) {
                    let normal = text.replace(['\r', '\u{85}', '\u{2029}', '\u{1c}', '\u{1d}', '\u{1e}'], "\n");
                    assert!(normal.contains(&words), "{words:?} of {text:?}");
                }
            }
        }
        stage.play(plain(text).into(), [moved(20.0, 8.0)].into_iter().chain(click()).chain(click()).chain(click()));
        stage.draw(plain(text).into());
    }
}

#[test]
fn emoji_are_selected_whole_and_right_to_left_text_in_its_own_order() {
    let mut stage = Words::new(400.0, 200.0);
    let family = "👨‍👩‍👧‍👦";
    for x in 1..200 {
        if let Some(words) = drag(&mut stage, &format!("{family}{family}"), (0.0, 8.0), (x as f32, 8.0)) {
            assert!(words == family || words == family.repeat(2), "{words:?}");
        }
    }
    assert_eq!(drag(&mut stage, "שלום", (1.0, 8.0), (399.0, 8.0)).as_deref(), Some("שלום"));
    let mixed = "abc שלום";
    assert_eq!(drag(&mut stage, mixed, (0.0, 8.0), (399.0, 8.0)).as_deref(), Some(mixed));
}

#[test]
fn a_megabyte_is_cut_before_it_is_shaped() {
    let text = "слово ".repeat(100_000);
    let mut stage = Words::new(400.0, 200.0);
    stage.play(plain(&*text).into(), [moved(0.0, 8.0), down(), up(), letter("a", Modifiers::COMMAND)]);
    stage.play(plain(&*text).into(), [letter("c", Modifiers::COMMAND)]);
    let copied = stage.board.standard.unwrap();
    assert!(copied.len() <= super::MAX_BYTES && text.starts_with(&copied));
    assert!(copied.len() > super::MAX_BYTES / 2);
}

#[test]
fn it_is_shaped_again_only_if_it_changed() {
    let mut stage = Words::new(400.0, 200.0);
    let mut glyphs = |text: &'static str, width: f32| {
        stage.resize(width, 200.0);
        stage.operate(plain(text).into(), Measure(Size::ZERO)).unwrap()
    };
    let wide = glyphs("some words that wrap", 400.0);
    assert_eq!(glyphs("some words that wrap", 400.0), wide);
    assert!(glyphs("some words that wrap", 60.0).height > wide.height);
    assert_eq!(glyphs("some words that wrap", 400.0), wide);
}

#[test]
fn lines_of_mixed_directions_stand_within_their_bounds() {
    for words in ["שלום עולם, this is mixed مرحبا بالعالم 123", "hello עולם and שלום mixed words מילים of both kinds"]
    {
        for width in 130..400 {
            let mut state = State::<()>::default();
            let text = Text {
                content: (),
                bounds: Size::new(width as f32, f32::INFINITY),
                size: 15.0.into(),
                line_height: 1.4.into(),
                font: Font::DEFAULT,
                align_x: Alignment::Default,
                align_y: Vertical::Top,
                shaping: Shaping::Advanced,
                wrapping: Wrapping::WordOrGlyph,
            };
            state.shape(&[Span::new(words)], text);
            let needed = state.paragraph.min_bounds().width;
            assert!(needed <= width as f32 + 1.0, "{needed} of {width}: {words}");
            let end = state.paragraph.buffer().layout_runs().flat_map(|run| run.glyphs).map(|glyph| glyph.end).max();
            assert_eq!(end, Some(words.len()), "a line of {words} is lost at {width}");
        }
    }
}

#[test]
fn what_follows_a_bold_word_is_not_bold_and_what_is_copied_has_only_what_was_written() {
    use iced::font::Weight;
    let bold = Font { weight: Weight::Bold, ..crate::theme::font::TEXT };
    let spans = |second: Font| {
        let first = Span::<&'static str, Font>::new("wwww").font(crate::theme::font::TEXT);
        selectable(vec![first, Span::new("wwww").font(second)])
    };
    let width = |second| Words::new(400.0, 60.0).operate(spans(second).into(), Measure(Size::ZERO)).unwrap().width;
    assert!(width(bold) > width(crate::theme::font::TEXT), "the second half is bold");
    let mut stage = Words::new(400.0, 60.0);
    let copy = letter("c", Modifiers::COMMAND);
    stage.play(spans(bold).into(), [moved(0.0, 8.0), down(), moved(390.0, 8.0), up(), copy]);
    assert_eq!(stage.board.standard.as_deref(), Some("wwwwwwww"));
}

#[derive(Clone, Copy)]
enum Which {
    First,
    Second,
}

/// Two links, the second in a line of its own.
fn two_links() -> Element<'static, &'static str> {
    let link = |words: &'static str, which| Span::<_, Font>::new(words).link(which);
    let spans = vec![link("one", Which::First), Span::new(" and\n"), link("two", Which::Second), Span::new(".")];
    let name = |which| match which {
        Which::First => "one",
        Which::Second => "two",
    };
    selectable(spans).on_link(name).into()
}

fn walked(view: fn() -> Element<'static, &'static str>) -> Words {
    let mut stage = Words::new(400.0, 200.0);
    stage.operate::<()>(view(), iced::advanced::widget::operation::focusable::focus_next());
    stage
}

fn key(name: iced::keyboard::key::Named) -> Event {
    crate::widget::stage::named(name, Modifiers::empty())
}

#[test]
fn the_walk_of_the_focus_stops_at_links_and_enter_follows_them() {
    use iced::keyboard::key::Named;
    let mut stage = Words::new(400.0, 200.0);
    assert_eq!(stage.focusables(plain("nothing to follow").into()), []);
    stage.play(two_links(), [key(Named::Enter)]);
    assert_eq!(stage.messages, [""; 0], "it has no focus");
    let mut stage = walked(two_links);
    for (pressed, followed) in [
        (None, "one"),
        (Some(Named::ArrowLeft), "one"),
        (Some(Named::ArrowRight), "two"),
        (Some(Named::ArrowRight), "two"),
        (Some(Named::ArrowUp), "one"),
        (Some(Named::ArrowUp), "one"),
        (Some(Named::ArrowDown), "two"),
        (Some(Named::Home), "one"),
        (Some(Named::End), "two"),
    ] {
        stage.play(two_links(), pressed.map(key).into_iter().chain([key(Named::Enter)]));
        assert_eq!(stage.messages.pop(), Some(followed), "after {pressed:?}");
    }
    stage.play(two_links(), [crate::widget::stage::named(Named::ArrowLeft, Modifiers::ALT), key(Named::Enter)]);
    assert_eq!(stage.messages.pop(), Some("two"), "another chat, perhaps, but no other link");
}

#[test]
fn the_link_that_has_the_focus_is_seen_until_the_pointer_comes() {
    let mut stage = Words::new(400.0, 200.0);
    let before = stage.draw(two_links());
    let mut stage = walked(two_links);
    let first = stage.draw(two_links());
    assert_ne!(first, before);
    stage.play(two_links(), [key(iced::keyboard::key::Named::ArrowRight)]);
    assert_ne!(stage.draw(two_links()), first);
    stage.play(two_links(), [moved(390.0, 190.0), down(), up()]);
    assert_eq!(stage.draw(two_links()), before);
}
