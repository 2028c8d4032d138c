//! A reader who scrolls while rows come and go.

use std::cell::Cell;
use std::rc::Rc;

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Tree, operation};
use iced::advanced::{Renderer as _, Widget, mouse, renderer};
use iced::futures::StreamExt as _;
use iced::keyboard::{Modifiers, key};
use iced::widget::{column, space, tooltip};
use iced::{Color, Event, Length, Point, Rectangle, Renderer, Size, touch};
use iced_test::runtime::{Action, task};

use super::order::{Give, Order};
use super::{Align, Position, history, scroll_pages, scroll_to, scroll_to_end};
use crate::theme::{Element, Theme};
use crate::widget::press::press;
use crate::widget::selectable::selectable;
use crate::widget::stage::{Picture, Stage, down, frame, letter, moved, named, up, wheel};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    Start,
    End,
    Seen(Position),
    Pressed(u64),
}

/// How often rows were laid out and drawn.
#[derive(Debug, Clone, Default)]
struct Counts {
    laid: Rc<Cell<usize>>,
    drawn: Rc<Cell<usize>>,
    updated: Rc<Cell<usize>>,
}

/// A row of one colour that tells its key by it.
struct Row {
    key: u64,
    height: f32,
    counts: Counts,
}

fn color(key: u64) -> Color {
    Color::from_rgb8(key as u8, 7, 200)
}

impl Widget<Said, Theme, Renderer> for Row {
    fn size(&self) -> Size<Length> {
        Size::new(Length::Fill, Length::Shrink)
    }

    fn layout(&mut self, _tree: &mut Tree, _renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        self.counts.laid.set(self.counts.laid.get() + 1);
        layout::Node::new(Size::new(limits.max().width, self.height))
    }

    fn update(
        &mut self,
        _tree: &mut Tree,
        _event: &Event,
        _layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _renderer: &Renderer,
        _clipboard: &mut dyn iced::advanced::Clipboard,
        _shell: &mut iced::advanced::Shell<'_, Said>,
        _viewport: &Rectangle,
    ) {
        self.counts.updated.set(self.counts.updated.get() + 1);
    }

    fn draw(
        &self,
        _tree: &Tree,
        renderer: &mut Renderer,
        _theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        _viewport: &Rectangle,
    ) {
        self.counts.drawn.set(self.counts.drawn.get() + 1);
        let quad = renderer::Quad { bounds: layout.bounds(), ..renderer::Quad::default() };
        renderer.fill_quad(quad, color(self.key));
    }
}

const WIDTH: f32 = 200.0;
const HEIGHT: f32 = 300.0;

/// A conversation of rows that are as high as the test wants.
struct Talk {
    stage: Stage<Said>,
    rows: Vec<(u64, f32)>,
    is_complete: bool,
    counts: Counts,
}

impl Talk {
    fn new(keys: std::ops::Range<u64>) -> Self {
        Self {
            stage: Stage::new(WIDTH, HEIGHT),
            rows: keys.map(|key| (key, 40.0)).collect(),
            is_complete: true,
            counts: Counts::default(),
        }
    }

    fn view(&self) -> Element<'static, Said> {
        let row = |&(key, height): &(u64, f32)| (key, Element::new(Row { key, height, counts: self.counts.clone() }));
        history("talk", self.rows.iter().map(row).collect())
            .at_end_hint(self.is_complete)
            .on_near_start(Said::Start)
            .on_near_end(Said::End)
            .on_scroll(Said::Seen)
            .into()
    }

    fn play(&mut self, events: impl IntoIterator<Item = Event>) {
        self.stage.play(self.view(), events);
    }

    fn order(&mut self, order: Order) {
        self.stage.operate(self.view(), Give { id: "talk".into(), order });
    }

    fn picture(&mut self) -> Picture {
        self.stage.draw(self.view())
    }

    /// The key of the row at this height of the window, and how far from its top.
    fn at(&mut self, y: usize) -> Option<(u64, usize)> {
        let picture = self.picture();
        let key = |y: usize| Some(picture.at(10, y)).filter(|rgb| rgb[1] == 7).map(|rgb| u64::from(rgb[0]));
        let found = key(y)?;
        Some((found, (0..y).rev().take_while(|&y| key(y) == Some(found)).count()))
    }

    fn position(&mut self) -> Position {
        self.play([frame()]);
        self.said().iter().rev().find_map(|said| if let Said::Seen(seen) = said { Some(*seen) } else { None }).unwrap()
    }

    fn said(&self) -> &[Said] {
        &self.stage.messages
    }

    fn focus(&mut self) {
        self.stage.operate::<()>(self.view(), operation::focusable::focus("talk".into()));
    }
}

#[test]
fn it_begins_at_the_end_and_rows_that_come_there_scroll_in() {
    let mut talk = Talk::new(0..50);
    assert_eq!(talk.at(299), Some((49, 39)));
    talk.rows.push((50, 40.0));
    assert_eq!(talk.at(299), Some((50, 39)));
    talk.rows.last_mut().unwrap().1 = 90.0;
    assert_eq!(talk.at(299), Some((50, 89)));
    talk.stage.resize(WIDTH, 200.0);
    assert_eq!(talk.at(199), Some((50, 89)));
    assert_eq!(talk.position(), Position { at_end: true, first_visible: 47, last_visible: 50 });
}

#[test]
fn what_is_read_stays_when_rows_come_go_or_grow() {
    let mut talk = Talk::new(20..70);
    talk.play([moved(50.0, 50.0), wheel(10.0)]);
    let read = talk.at(100);
    assert!(read.is_some_and(|(key, _)| (21..60).contains(&key)), "{read:?}");

    talk.rows.push((70, 40.0));
    assert_eq!(talk.at(100), read, "a row came below");
    for key in (0..20).rev() {
        talk.rows.insert(0, (key, 55.0));
    }
    assert_eq!(talk.at(100), read, "rows came above");
    talk.rows[3].1 = 300.0;
    assert_eq!(talk.at(100), read, "a row above grew");
    talk.rows.last_mut().unwrap().1 = 300.0;
    assert_eq!(talk.at(100), read, "a row below grew");
    talk.rows.drain(..25);
    assert_eq!(talk.at(100), read, "rows above went");
    talk.rows.truncate(talk.rows.len() - 5);
    assert_eq!(talk.at(100), read, "rows below went");

    let first = talk.position().first_visible;
    talk.rows.iter_mut().find(|row| row.0 == first).unwrap().1 += 80.0;
    assert_eq!(talk.at(100), read, "the row at the window's edge grew upwards");
    talk.rows.retain(|row| row.0 != first);
    assert_eq!(talk.at(100), read, "and went");
}

#[test]
fn when_the_row_that_was_read_goes_its_neighbours_stay() {
    let mut talk = Talk::new(0..50);
    talk.play([moved(50.0, 50.0), wheel(10.0)]);
    let neighbour = talk.at(150).unwrap();
    let top = talk.position().first_visible;
    talk.rows.retain(|row| row.0 != top && row.0 != top + 1);
    let after = (0..300).find_map(|y| talk.at(y).filter(|found| *found == neighbour).map(|_| y)).unwrap();
    assert!(after.abs_diff(150) <= 40, "{after}");
}

#[test]
fn few_rows_stand_at_the_bottom() {
    let mut talk = Talk::new(0..3);
    assert_eq!(talk.at(299), Some((2, 39)));
    assert_eq!(talk.at(180), Some((0, 0)));
    assert_eq!(talk.at(179), None);
    talk.play([moved(50.0, 250.0), wheel(5.0), wheel(-5.0)]);
    assert_eq!(talk.at(180), Some((0, 0)), "there is nowhere to scroll to");
    let mut empty = Talk::new(0..0);
    empty.play([frame(), moved(50.0, 250.0), wheel(5.0)]);
    assert_eq!(empty.said(), []);
}

#[test]
fn scrolling_lays_out_nothing_and_draws_and_asks_only_what_is_seen() {
    let mut talk = Talk::new(0..120);
    talk.picture();
    assert!((7..=9).contains(&talk.counts.drawn.get()), "{:?}", talk.counts);
    talk.counts = Counts::default();
    talk.play([moved(50.0, 50.0)].into_iter().chain((0..20).flat_map(|_| [wheel(1.0), frame()])));
    assert_eq!(talk.counts.laid.get(), 120, "once, for the new view");
    assert!(talk.counts.updated.get() <= 41 * 9, "{:?}", talk.counts);
}

#[test]
fn the_wheel_scrolls_by_lines_and_by_pixels_and_not_past_the_ends() {
    let mut talk = Talk::new(0..50);
    let pixels = |y: f32| Event::Mouse(mouse::Event::WheelScrolled { delta: mouse::ScrollDelta::Pixels { x: 0.0, y } });
    talk.play([moved(50.0, 50.0), pixels(25.0)]);
    assert_eq!(talk.at(299), Some((49, 14)));
    talk.play([wheel(-1.0)]);
    assert_eq!(talk.at(299), Some((49, 39)));
    talk.play([wheel(10_000.0)]);
    assert_eq!(talk.at(0), Some((0, 0)));
    talk.play([pixels(f32::NAN), pixels(f32::INFINITY)]);
    assert_eq!(talk.at(0), Some((0, 0)));
    talk.play([moved(50.0, 900.0), wheel(-5.0)]);
    assert_eq!(talk.at(0), Some((0, 0)), "the pointer was elsewhere");
}

#[test]
fn it_says_once_that_an_end_is_near_and_again_when_there_are_other_rows() {
    let mut talk = Talk::new(20..70);
    let count = |talk: &Talk, wanted: Said| talk.said().iter().filter(|said| **said == wanted).count();
    talk.play([frame(), moved(50.0, 50.0), frame()]);
    assert_eq!((count(&talk, Said::Start), count(&talk, Said::End)), (0, 1));
    talk.play([wheel(10_000.0), frame(), wheel(-1.0), wheel(1.0)]);
    assert_eq!((count(&talk, Said::Start), count(&talk, Said::End)), (1, 1));
    talk.rows.insert(0, (19, 40.0));
    talk.play([frame(), frame()]);
    assert_eq!((count(&talk, Said::Start), count(&talk, Said::End)), (2, 1));
    talk.play([wheel(-10_000.0), frame(), wheel(10_000.0), frame()]);
    assert_eq!((count(&talk, Said::Start), count(&talk, Said::End)), (3, 2));
}

#[test]
fn it_says_what_is_seen_when_that_changes() {
    let mut talk = Talk::new(0..50);
    talk.play([frame(), frame(), moved(50.0, 50.0)]);
    let seen = |said: &[Said]| said.iter().filter(|said| matches!(said, Said::Seen(_))).count();
    assert_eq!(seen(talk.said()), 1);
    talk.play([wheel(2.0)]);
    assert_eq!(talk.position(), Position { at_end: false, first_visible: 39, last_visible: 46 });
    assert_eq!(seen(talk.said()), 2);
}

#[test]
fn the_end_of_a_part_of_the_rows_is_not_the_end() {
    let mut talk = Talk::new(0..50);
    talk.is_complete = false;
    let read = talk.at(299);
    assert_eq!(read, Some((49, 39)));
    assert!(!talk.position().at_end);
    for key in 50..60 {
        talk.rows.push((key, 40.0));
    }
    assert_eq!(talk.at(299), read, "the page that follows does not push away what is read");
    talk.is_complete = true;
    assert_eq!(talk.at(299), read);
    talk.order(Order::ToEnd);
    talk.rows.push((60, 40.0));
    assert_eq!(talk.at(299), Some((60, 39)));
}

#[test]
fn it_goes_to_a_row_as_soon_as_that_is_there() {
    let mut talk = Talk::new(0..50);
    talk.play([frame()]);
    talk.order(Order::To(20, Align::Start));
    assert_eq!(talk.at(0), Some((20, 0)));
    talk.order(Order::To(30, Align::Center));
    assert_eq!(talk.at(130), Some((30, 0)));
    talk.order(Order::To(10, Align::End));
    assert_eq!(talk.at(299), Some((10, 39)));
    talk.order(Order::To(100, Align::Start));
    assert_eq!(talk.at(299), Some((10, 39)), "it is not there yet");
    talk.rows = (90..140).map(|key| (key, 40.0)).collect();
    assert_eq!(talk.at(0), Some((100, 0)));
    talk.rows = (90..141).map(|key| (key, 40.0)).collect();
    assert_eq!(talk.at(0), Some((100, 0)));
    talk.order(Order::ToEnd);
    assert_eq!(talk.at(299), Some((140, 39)));
}

#[test]
fn the_keyboard_scrolls_when_the_focus_is_on_it_and_a_ring_shows_it() {
    let mut talk = Talk::new(0..50);
    let none = Modifiers::empty();
    talk.play([named(key::Named::Home, none)]);
    assert_eq!(talk.at(299), Some((49, 39)), "the focus is elsewhere");
    let plain = talk.picture();
    talk.focus();
    assert_ne!(talk.picture(), plain);
    talk.play([named(key::Named::Home, none)]);
    assert_eq!(talk.at(10).map(|found| found.0), Some(0));
    talk.play([named(key::Named::PageDown, none)]);
    assert_eq!(talk.at(100), Some((8, 32)), "a little of the last page stays");
    talk.play([named(key::Named::PageUp, none), named(key::Named::ArrowDown, none), named(key::Named::ArrowUp, none)]);
    assert_eq!(talk.at(10), Some((0, 8)));
    talk.play([named(key::Named::End, Modifiers::COMMAND)]);
    assert_eq!(talk.at(290).map(|found| found.0), Some(49));
    talk.play([named(key::Named::Home, Modifiers::COMMAND)]);
    assert_eq!(talk.at(10).map(|found| found.0), Some(0));
    assert_eq!(talk.stage.focusables(talk.view()), [(Some("talk".into()), true)]);
}

#[test]
fn the_bar_is_dragged_and_rows_under_it_are_not_pressed() {
    let mut talk = Talk::new(0..50);
    talk.play([moved(194.0, 295.0), down(), moved(194.0, -500.0)]);
    assert_eq!(talk.at(0), Some((0, 0)));
    talk.play([moved(194.0, 5000.0)]);
    assert_eq!(talk.at(299), Some((49, 39)));
    talk.play([up(), moved(194.0, 0.0)]);
    assert_eq!(talk.at(299), Some((49, 39)), "it was let go");
    talk.play([moved(194.0, 150.0), down(), up()]);
    let middle = talk.at(150).unwrap().0;
    assert!((23..=26).contains(&middle), "{middle}");
}

#[test]
fn a_finger_scrolls_and_what_it_began_on_is_not_pressed() {
    let mut stage = Stage::<Said>::new(WIDTH, HEIGHT);
    let view = || -> Element<'static, Said> {
        let row = |key| (key, press(space().height(20.0)).width(Length::Fill).on_press(Said::Pressed(key)).into());
        history("talk", (0..50).map(row).collect()).into()
    };
    let id = touch::Finger(1);
    let at = |y: f32| Point::new(50.0, y);
    let finger = |stage: &mut Stage<Said>, event, y| {
        stage.cursor = mouse::Cursor::Available(at(y));
        stage.play(view(), [Event::Touch(event)]);
    };
    finger(&mut stage, touch::Event::FingerPressed { id, position: at(100.0) }, 100.0);
    finger(&mut stage, touch::Event::FingerLifted { id, position: at(100.0) }, 100.0);
    assert!(matches!(stage.messages[..], [Said::Pressed(_)]), "{:?}", stage.messages);
    finger(&mut stage, touch::Event::FingerPressed { id, position: at(100.0) }, 100.0);
    finger(&mut stage, touch::Event::FingerMoved { id, position: at(150.0) }, 150.0);
    finger(&mut stage, touch::Event::FingerMoved { id, position: at(100.0) }, 100.0);
    finger(&mut stage, touch::Event::FingerLifted { id, position: at(100.0) }, 100.0);
    assert_eq!(stage.messages.len(), 1, "{:?}", stage.messages);
}

#[test]
fn the_focus_is_shown_where_it_comes_to() {
    let mut stage = Stage::<Said>::new(WIDTH, HEIGHT);
    let view = || -> Element<'static, Said> {
        let row = |key| (key, press(space().height(20.0)).width(Length::Fill).on_press(Said::Pressed(key)).into());
        history("talk", (0..50).map(row).collect()).on_scroll(Said::Seen).into()
    };
    stage.play(view(), [frame()]);
    stage.operate::<()>(view(), operation::focusable::focus_next());
    stage.operate::<()>(view(), operation::focusable::focus_next());
    stage.play(view(), [frame(), named(key::Named::Enter, Modifiers::empty())]);
    assert_eq!(stage.messages.last(), Some(&Said::Pressed(0)));
    assert!(stage.messages.iter().any(|said| matches!(said, Said::Seen(Position { first_visible: 0, .. }))));
}

#[test]
fn what_was_selected_in_a_row_goes_with_it_and_is_cleared_by_a_click_on_another() {
    let mut stage = Stage::<Said>::new(WIDTH, HEIGHT);
    let view = |keys: std::ops::Range<u64>| -> Element<'static, Said> {
        let words = |key| vec![iced::advanced::text::Span::<u8, _>::new(format!("row {key}"))];
        let row = |key| (key, selectable(words(key)).width(Length::Fill).into());
        history("talk", keys.map(row).collect()).into()
    };
    let copy = || letter("c", Modifiers::COMMAND);
    stage.play(view(0..50), [moved(0.0, 290.0), down(), moved(150.0, 290.0), up(), copy()]);
    assert_eq!(stage.board.standard.take().as_deref(), Some("row 49"));
    stage.play(view(40..60), [wheel(100.0), copy()]);
    assert_eq!(stage.board.standard.take().as_deref(), Some("row 49"), "even if it is not seen");
    stage.play(view(40..60), [moved(0.0, 20.0), down(), up(), copy()]);
    assert_eq!(stage.board.standard, None);
}

#[test]
fn another_id_is_another_list() {
    let mut stage = Stage::<Said>::new(WIDTH, HEIGHT);
    let view = |id: &'static str, start: Option<u64>| -> Element<'static, Said> {
        let row = |key| (key, Element::new(Row { key, height: 40.0, counts: Counts::default() }));
        let list = history(id, (0..50).map(row).collect()).on_scroll(Said::Seen);
        start.into_iter().fold(list, |list, key| list.start_at(key, Align::Start)).into()
    };
    stage.play(view("one", None), [moved(50.0, 50.0), wheel(5.0)]);
    stage.play(view("two", None), [frame()]);
    assert!(matches!(stage.messages.last(), Some(Said::Seen(Position { at_end: true, .. }))), "{:?}", stage.messages);
    stage.play(view("three", Some(12)), [frame()]);
    assert!(
        matches!(stage.messages.last(), Some(Said::Seen(Position { first_visible: 12, .. }))),
        "{:?}",
        stage.messages
    );
}

#[test]
fn rows_with_tooltips_and_rows_with_the_same_key_do_no_harm() {
    let mut stage = Stage::<Said>::new(WIDTH, HEIGHT);
    let view = || -> Element<'static, Said> {
        let tip = || tooltip(space().width(100.0).height(40.0), "a tip", tooltip::Position::Bottom);
        history("talk", (0..50).map(|key| (key / 2, column![tip()].into())).collect()).padding(8.0).spacing(4.0).into()
    };
    let before = stage.draw(view());
    stage.play(view(), [moved(50.0, 100.0), frame(), wheel(3.0)]);
    assert_ne!(stage.draw(view()), before, "the tip is seen");
    stage.resize(0.0, 0.0);
    stage.play(view(), [frame(), wheel(3.0)]);
}

#[test]
fn tasks_scroll_the_list_that_they_name_and_no_other() {
    let mut talk = Talk::new(0..50);
    talk.play([frame()]);
    let run = |talk: &mut Talk, task: iced::Task<Said>| {
        let mut stream = task::into_stream(task).unwrap();
        let Some(Action::Widget(operation)) = iced::futures::executor::block_on(stream.next()) else {
            panic!("it is an operation on a widget");
        };
        talk.stage.operate(talk.view(), operation);
        talk.at(0)
    };
    assert_eq!(run(&mut talk, scroll_to("talk", 20, Align::Start)), Some((20, 0)));
    assert_eq!(run(&mut talk, scroll_to("another", 30, Align::Start)), Some((20, 0)));
    assert_eq!(run(&mut talk, scroll_pages("talk", 1.0)), Some((26, 0)));
    run(&mut talk, scroll_to_end("talk"));
    assert!(talk.position().at_end);
}
