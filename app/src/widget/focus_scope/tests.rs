//! A dialogue above a window with buttons.

use iced::advanced::widget::operation::focusable;
use iced::keyboard::{Modifiers, key};
use iced::widget::{column, container, space, text};
use iced::{Fill, mouse};

use super::{focus_scope, modal, walk};
use crate::theme::{Element, Theme, palette};
use crate::widget::press::press;
use crate::widget::selectable::selectable;
use crate::widget::stage::{Stage, down, frame, letter, moved, named, up};

type Said = &'static str;

fn base() -> Element<'static, Said> {
    let words = vec![iced::advanced::text::Span::<u8, _>::new("words below")];
    let button = press(space().height(30.0)).id("below").width(Fill).on_press("below");
    container(column![button, selectable(words)]).width(Fill).height(Fill).into()
}

fn dialogue() -> Element<'static, Said> {
    let button = |id: &'static str| press(space().width(60.0).height(20.0)).id(id).on_press(id);
    column![button("yes"), button("no")].into()
}

fn view(is_open: bool) -> Element<'static, Said> {
    modal(base(), is_open.then(dialogue), "close")
}

fn focused(stage: &mut Stage<Said>, is_open: bool) -> Vec<bool> {
    stage.focusables(view(is_open)).into_iter().map(|(_, is_focused)| is_focused).collect()
}

#[test]
fn escape_and_a_click_on_the_veil_close_it_and_the_base_hears_nothing() {
    let mut stage = Stage::<Said>::new(300.0, 300.0);
    stage.play(view(true), [frame(), moved(150.0, 15.0), down(), up()]);
    assert_eq!(stage.messages, ["close"]);
    assert_eq!(stage.interaction, mouse::Interaction::Idle);
    stage.play(view(true), [named(key::Named::Escape, Modifiers::empty())]);
    assert_eq!(stage.messages, ["close", "close"]);
    stage.play(view(true), [moved(150.0, 130.0), down(), up()]);
    assert_eq!(stage.messages.last(), Some(&"yes"));
    stage.play(view(false), [moved(150.0, 15.0), down(), up()]);
    assert_eq!(stage.messages.last(), Some(&"below"));
}

#[test]
fn the_walk_of_the_focus_stays_in_it_and_comes_back_to_where_it_was() {
    let mut stage = Stage::<Said>::new(300.0, 300.0);
    stage.operate::<()>(view(false), walk(true));
    assert_eq!(focused(&mut stage, false), [true]);

    for expected in [[true, false], [false, true], [true, false]] {
        stage.operate::<()>(view(true), walk(true));
        assert_eq!(focused(&mut stage, true), expected);
    }
    stage.operate::<()>(view(true), walk(false));
    assert_eq!(focused(&mut stage, true), [false, true]);
    stage.operate::<()>(view(true), focusable::focus("below".into()));
    assert_eq!(focused(&mut stage, true), [false, false], "it cannot be sent out of the dialogue");
    stage.operate::<()>(view(true), walk(false));
    stage.play(view(true), [named(key::Named::Enter, Modifiers::empty())]);
    assert_eq!(stage.messages, ["no"]);

    assert_eq!(focused(&mut stage, false), [true], "what had the focus has it again");
    stage.play(view(false), [named(key::Named::Enter, Modifiers::empty())]);
    assert_eq!(stage.messages, ["no", "below"]);
}

#[test]
fn the_base_is_drawn_under_a_veil_and_not_as_if_it_were_disabled() {
    let mut stage = Stage::<Said>::new(300.0, 300.0);
    let palette = Theme::new(palette::Variant::Light).palette();
    let plain = stage.draw(view(false));
    let veiled = stage.draw(view(true));
    assert_ne!(plain.at(150, 200), veiled.at(150, 200));
    let (button, veil) = (plain.at(150, 15), palette.veil);
    let [r, _, _] = veiled.at(150, 15);
    let expected = f32::from(button[0]) * (1.0 - veil.a) + veil.r * 255.0 * veil.a;
    assert!((f32::from(r) - expected).abs() < 3.0, "{r} {expected}");
}

#[test]
fn what_is_selected_below_stays_as_it_is() {
    let mut stage = Stage::<Said>::new(300.0, 300.0);
    let copy = || letter("c", Modifiers::COMMAND);
    stage.play(view(false), [moved(0.0, 62.0), down(), moved(290.0, 62.0), up()]);
    stage.play(view(true), [copy(), moved(0.0, 280.0), down(), up()]);
    assert_eq!(stage.board.standard, None);
    stage.play(view(false), [copy()]);
    assert_eq!(stage.board.standard.as_deref(), Some("words below"));
}

#[test]
fn a_key_that_something_in_it_wants_does_not_close_it() {
    let mut stage = Stage::<Said>::new(300.0, 300.0);
    let view = || -> Element<'static, Said> {
        let inner = focus_scope(text("menu")).on_escape("inner");
        focus_scope(container(inner)).on_escape("outer").into()
    };
    stage.play(view(), [named(key::Named::Escape, Modifiers::empty()), letter("x", Modifiers::empty())]);
    assert_eq!(stage.messages, ["inner"]);
}
