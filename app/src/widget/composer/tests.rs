//! Somebody who writes, pastes too much, and thinks better of it.

use iced::Event;
use iced::advanced::widget::operation;
use iced::keyboard::{Modifiers, key};
use iced::widget::text_editor::{self, Edit, Motion};

use super::{Action, Changed, Composer, MAX_STEP_BYTES, MAX_STEPS, composer};
use crate::theme::Element;
use crate::widget::stage::{Stage, frame, letter, named};

const LIMIT: usize = 16 * 1024;

#[derive(Debug, Clone, PartialEq)]
enum Said {
    Do(Action),
    Submit,
    EditLast,
    Escape,
    Page(f32),
}

fn view(text: &Composer) -> Element<'_, Said> {
    composer(text, Said::Do)
        .id("composer")
        .placeholder("Write")
        .on_submit(Said::Submit)
        .on_edit_last(Said::EditLast)
        .on_escape(Said::Escape)
        .on_page(Said::Page)
        .into()
}

/// Lets keys be pressed, and what they do be done, one after the other; gives the rest of what was said.
fn keys(stage: &mut Stage<Said>, text: &mut Composer, events: impl IntoIterator<Item = Event>) -> Vec<Said> {
    let mut said = Vec::new();
    for event in events {
        stage.play(view(text), [event]);
        for message in stage.messages.drain(..) {
            match message {
                Said::Do(action) => drop(text.perform(action)),
                message => said.push(message),
            }
        }
    }
    said
}

fn stage(text: &Composer) -> Stage<Said> {
    let mut stage = Stage::new(300.0, 600.0);
    stage.operate::<()>(view(text), operation::focusable::focus("composer".into()));
    stage
}

fn typed(words: &str) -> Vec<Event> {
    words.chars().map(|c| letter(&c.to_string(), Modifiers::empty())).collect()
}

fn insert(c: char) -> Action {
    Action::Editor(text_editor::Action::Edit(Edit::Insert(c)))
}

fn select_all() -> Action {
    Action::Editor(text_editor::Action::SelectAll)
}

#[test]
fn enter_sends_and_with_a_modifier_begins_a_line() {
    let mut text = Composer::new("", LIMIT);
    let mut stage = stage(&text);
    keys(&mut stage, &mut text, typed("one"));
    for modifiers in [Modifiers::SHIFT, Modifiers::CTRL] {
        assert_eq!(keys(&mut stage, &mut text, [named(key::Named::Enter, modifiers)]), []);
    }
    keys(&mut stage, &mut text, typed("two"));
    assert_eq!(text.text(), "one\n\ntwo");
    assert_eq!(keys(&mut stage, &mut text, [named(key::Named::Enter, Modifiers::empty())]), [Said::Submit]);
    assert_eq!(text.take(), "one\n\ntwo");
    assert!(text.is_empty());
}

#[test]
fn keys_that_do_not_write_are_told() {
    let mut text = Composer::new("", LIMIT);
    let mut stage = stage(&text);
    let none = Modifiers::empty();
    let up = || named(key::Named::ArrowUp, none);
    assert_eq!(keys(&mut stage, &mut text, [up()]), [Said::EditLast]);
    let pages = [named(key::Named::PageUp, none), named(key::Named::PageDown, none)];
    assert_eq!(keys(&mut stage, &mut text, pages), [Said::Page(-1.0), Said::Page(1.0)]);
    assert_eq!(keys(&mut stage, &mut text, [named(key::Named::Escape, none)]), [Said::Escape]);
    keys(&mut stage, &mut text, typed("x"));
    assert_eq!(keys(&mut stage, &mut text, [up()]), [], "there is something written");
    assert_eq!(text.text(), "x");
}

#[test]
fn words_are_undone_one_by_one_and_done_again() {
    let mut text = Composer::new("draft ", LIMIT);
    let mut stage = stage(&text);
    let undo = || letter("z", Modifiers::COMMAND);
    let redo = || letter("z", Modifiers::COMMAND | Modifiers::SHIFT);
    keys(&mut stage, &mut text, typed("one two"));
    keys(&mut stage, &mut text, [undo()]);
    assert_eq!(text.text(), "draft one ");
    keys(&mut stage, &mut text, [undo()]);
    assert_eq!(text.text(), "draft ");
    keys(&mut stage, &mut text, [undo()]);
    assert_eq!(text.text(), "draft ", "what was there from the beginning stays");
    keys(&mut stage, &mut text, [redo(), letter("y", Modifiers::COMMAND), redo()]);
    assert_eq!(text.text(), "draft one two");
    keys(&mut stage, &mut text, [undo()]);
    keys(&mut stage, &mut text, typed("three"));
    keys(&mut stage, &mut text, [redo()]);
    assert_eq!(text.text(), "draft one three", "what was written since cannot be done again");
}

#[test]
fn what_is_undone_leaves_the_cursor_where_it_was() {
    let mut text = Composer::new("ab", LIMIT);
    assert_eq!(text.perform(Action::Editor(text_editor::Action::Move(Motion::Left))), Changed::Nothing);
    assert_eq!(text.insert("😀\n"), Changed::Text);
    assert_eq!(text.text(), "a😀\nb");
    assert_eq!(text.perform(Action::Undo), Changed::Text);
    assert_eq!(text.perform(insert('x')), Changed::Text);
    assert_eq!(text.text(), "axb");
    assert_eq!(text.perform(Action::Redo), Changed::Nothing);
}

#[test]
fn line_breaks_at_the_end_survive_undoing_and_drafts() {
    let mut text = Composer::new("a\n", LIMIT);
    assert_eq!(text.text(), "a\n");
    assert_eq!(text.perform(insert('b')), Changed::Text);
    assert_eq!(text.text(), "a\nb");
    assert_eq!(text.perform(Action::Undo), Changed::Text);
    assert_eq!(text.text(), "a\n");
    assert_eq!(text.perform(Action::Redo), Changed::Text);
    assert_eq!(text.text(), "a\nb");
}

#[test]
fn a_megabyte_that_is_pasted_is_cut_and_said_to_be_too_long() {
    let mut text = Composer::new("begin ", LIMIT);
    let mut stage = stage(&text);
    stage.board.standard = Some("привет ".repeat(100_000));
    stage.play(view(&text), [letter("v", Modifiers::COMMAND)]);
    let Some(Said::Do(paste)) = stage.messages.pop() else { panic!("it was pasted") };
    assert_eq!(text.perform(paste), Changed::TooLong);
    assert!(text.text().starts_with("begin привет"));
    assert!((LIMIT - 4..=LIMIT).contains(&text.text().len()), "{}", text.text().len());
    assert_eq!(text.insert("more"), Changed::TooLong);
    assert_eq!(text.insert("🙂"), Changed::TooLong);
    assert_eq!(text.perform(Action::Wrap("**")), Changed::TooLong);
    stage.draw(view(&text));
    assert_eq!(text.perform(select_all()), Changed::Nothing);
    assert_eq!(text.insert("short"), Changed::Text, "what is selected makes room");
    assert_eq!(text.text(), "short");
    assert_eq!(text.perform(Action::Undo), Changed::Text);
    assert!(text.text().len() > LIMIT - 4);
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut text = Composer::new("", LIMIT);
    for number in 0..MAX_STEPS + 50 {
        assert_eq!(text.insert(&format!("{} ", number % 10)), Changed::Text);
    }
    assert!(text.past.len() <= MAX_STEPS);
    text.set("");
    for number in 0..200 {
        assert_eq!(text.perform(select_all()), Changed::Nothing);
        assert_eq!(text.insert(&format!("{number}{}", "x".repeat(LIMIT - 10))), Changed::Text);
    }
    assert!(text.past.iter().map(|step| step.text.len()).sum::<usize>() <= MAX_STEP_BYTES);
    while text.perform(Action::Undo) == Changed::Text {}
    assert!(!text.is_empty());
}

#[test]
fn what_is_selected_is_made_bold_and_stays_selected() {
    let mut text = Composer::new("word", LIMIT);
    let mut stage = stage(&text);
    keys(&mut stage, &mut text, [letter("a", Modifiers::COMMAND), letter("b", Modifiers::COMMAND)]);
    assert_eq!(text.text(), "**word**");
    keys(&mut stage, &mut text, [letter("i", Modifiers::COMMAND)]);
    assert_eq!(text.text(), "***word***");
    keys(&mut stage, &mut text, [letter("z", Modifiers::COMMAND)]);
    assert_eq!(text.text(), "**word**");

    let mut text = Composer::new("", LIMIT);
    assert_eq!(text.perform(Action::Wrap("**")), Changed::Text);
    assert_eq!(text.insert("in"), Changed::Text);
    assert_eq!(text.text(), "**in**");

    let mut text = Composer::new("one\ntwo", LIMIT);
    assert_eq!(text.perform(select_all()), Changed::Nothing);
    assert_eq!(text.perform(Action::Wrap("*")), Changed::Text);
    assert_eq!(text.insert("x"), Changed::Text);
    assert_eq!(text.text(), "*x*");
}

struct Height(f32);

impl iced::advanced::widget::Operation<f32> for Height {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn iced::advanced::widget::Operation<f32>)) {
        operate(self);
    }

    fn focusable(
        &mut self,
        _id: Option<&iced::advanced::widget::Id>,
        bounds: iced::Rectangle,
        _state: &mut dyn operation::Focusable,
    ) {
        self.0 = bounds.height;
    }

    fn finish(&self) -> operation::Outcome<f32> {
        operation::Outcome::Some(self.0)
    }
}

#[test]
fn it_grows_with_its_lines_up_to_a_limit() {
    let height = |lines: usize| {
        let text = Composer::new(&vec!["line"; lines].join("\n"), LIMIT);
        let mut stage = stage(&text);
        stage.operate(view(&text), Height(0.0)).unwrap()
    };
    let (empty, one, two, many) = (height(0), height(1), height(2), height(500));
    assert_eq!(empty, one);
    assert!(two > one + 15.0);
    assert!(many <= crate::theme::metric::COMPOSER_MAX + 24.0, "{many}");
    assert!(many > two);
}

#[test]
fn strange_text_does_no_harm() {
    for strange in [
        "a\r\nb\rc\u{2028}d\u{2029}e",
        "\u{0}\u{1}\u{7f}\u{85}x\u{1b}[31m",
        "\u{202e}reversed\u{202c}",
        "שלום עולם",
        "👨‍👩‍👧‍👦👩🏽‍🚀",
        &format!("Z{}", "\u{0301}".repeat(500)),
        "\n\n\n",
        "",
    ] {
        let mut text = Composer::new("", LIMIT);
        let mut stage = stage(&text);
        let _ = text.insert(strange);
        assert!(text.text().chars().all(|c| !c.is_control() || c == '\n'), "{:?}", text.text());
        stage.draw(view(&text));
        let motions = [Motion::Left, Motion::WordLeft, Motion::Up, Motion::Home, Motion::DocumentStart, Motion::Right];
        for motion in motions {
            let _ = text.perform(Action::Editor(text_editor::Action::Select(motion)));
            stage.draw(view(&text));
        }
        for action in [Action::Wrap("**"), Action::Undo, Action::Undo, Action::Redo, select_all()] {
            let _ = text.perform(action);
            stage.draw(view(&text));
        }
        keys(&mut stage, &mut text, [named(key::Named::Backspace, Modifiers::empty()), frame()]);
        assert!(text.is_empty());
    }
    let text = Composer::new("a\r\nb\rc", LIMIT);
    assert_eq!(text.text(), "a\nb\nc");
}

#[test]
fn a_shortcut_with_a_digit_writes_nothing() {
    let digit = |digit: &str, modifiers| {
        let mut event = letter(digit, modifiers);
        // X11 names it as a text with Ctrl, too.
        if let Event::Keyboard(iced::keyboard::Event::KeyPressed { text, .. }) = &mut event {
            *text = Some(digit.into());
        }
        event
    };
    let mut text = Composer::new("", LIMIT);
    let mut stage = stage(&text);
    keys(&mut stage, &mut text, [digit("1", Modifiers::COMMAND), digit("2", Modifiers::empty())]);
    assert_eq!(text.text(), "2");
    // AltGr is Ctrl and Alt to some systems, and writes.
    keys(&mut stage, &mut text, [digit("3", Modifiers::COMMAND | Modifiers::ALT)]);
    assert_eq!(text.text(), "23");
}
