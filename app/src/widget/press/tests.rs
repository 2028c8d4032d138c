//! Something that can be held.

use iced::keyboard::{Modifiers, key};
use iced::widget::{row, space};

use super::*;
use crate::widget::stage::{Stage, down, frame, moved, named, up};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    Pressed,
    Grip,
    Pull(f32, f32),
    LetGo,
    Lost,
    Beside,
}

fn view(is_held_by: bool) -> Element<'static, Said> {
    let mut button = press(space().width(20.0).height(20.0)).id("held").on_press(Said::Pressed);
    if is_held_by {
        button = button.on_hold(Hold {
            on_grip: Said::Grip,
            on_pull: Box::new(|by| Said::Pull(by.x, by.y)),
            on_let_go: Said::LetGo,
            on_lost: Said::Lost,
        });
    }
    let beside = press(space().width(20.0).height(20.0)).on_press(Said::Beside);
    row![button, beside].into()
}

fn played(events: impl IntoIterator<Item = Event>) -> Vec<Said> {
    let mut stage = Stage::<Said>::new(200.0, 100.0);
    stage.play(view(true), [frame()]);
    stage.play(view(true), events);
    stage.messages
}

#[test]
fn what_is_held_tells_how_it_is_pulled_until_it_is_let_go_wherever_that_is() {
    let told = played([moved(10.0, 10.0), down(), moved(4.0, 30.0), moved(70.0, 10.0), up(), moved(80.0, 10.0)]);
    assert_eq!(told, [Said::Grip, Said::Pull(-6.0, 20.0), Said::Pull(60.0, 0.0), Said::LetGo]);
}

#[test]
fn a_hold_outlives_the_view_that_it_began_in_and_ends_with_the_hold() {
    let mut stage = Stage::<Said>::new(200.0, 100.0);
    stage.play(view(true), [frame(), moved(10.0, 10.0), down()]);
    stage.play(view(true), [moved(11.0, 10.0)]);
    assert_eq!(stage.messages, [Said::Grip, Said::Pull(1.0, 0.0)]);
    // Now it is an ordinary button: the hand that is still there says nothing.
    stage.play(view(false), [moved(12.0, 10.0)]);
    stage.play(view(true), [moved(13.0, 10.0)]);
    assert_eq!(stage.messages.len(), 2);
}

#[test]
fn a_pointer_that_goes_away_is_told_as_such() {
    let unfocused = Event::Window(window::Event::Unfocused);
    assert_eq!(played([moved(10.0, 10.0), down(), unfocused, up()]), [Said::Grip, Said::Lost]);
    assert_eq!(played([moved(10.0, 10.0), down(), down(), up()]), [Said::Grip, Said::Lost]);
}

#[test]
fn keys_press_it_and_what_is_beside_it_is_its_own() {
    let mut stage = Stage::<Said>::new(200.0, 100.0);
    stage.play(view(true), [frame(), moved(60.0, 10.0), down(), up()]);
    assert_eq!(stage.messages, [Said::Beside]);
    let focus = operation::focusable::focus::<()>("held".into());
    let _ = stage.operate(view(true), focus);
    stage.play(view(true), [named(key::Named::Enter, Modifiers::empty())]);
    assert_eq!(stage.messages, [Said::Beside, Said::Pressed]);
}
