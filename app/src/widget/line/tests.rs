use iced::widget::container;

use super::*;
use crate::widget::stage::{Stage, moved};

const LONG: &str = "Annabel Featherstonehaugh-Cholmondeley of Milngavie";

/// What is shown of these words in so much room.
fn shown(words: &str, room: f32) -> (f32, bool) {
    let stage = Stage::<()>::new(600.0, 40.0);
    let (paragraph, is_cut) = line(words).fit(room, stage.renderer());
    (paragraph.min_width(), is_cut)
}

fn width(words: &str) -> f32 {
    shown(words, f32::INFINITY).0
}

#[test]
fn words_are_whole_where_there_is_room_and_else_end_with_an_ellipsis_within_it() {
    let whole = width(LONG);
    assert_eq!(shown(LONG, whole), (whole, false));
    for room in [20.0, 61.0, 120.5, 300.0] {
        let (cut, is_cut) = shown(LONG, room);
        assert!(is_cut && cut <= room + OVER, "{cut} of {room}");
        assert!(cut > room - 2.5 * metric::BODY, "no more than a wide letter and a space is wasted: {cut} of {room}");
    }
    assert!(shown(LONG, 1.0).1, "there is nothing so narrow that it fails");
}

#[test]
fn a_grapheme_is_never_cut() {
    // A family is one picture: a part of it would be another one.
    let family = "👨‍👩‍👧‍👦";
    let words = family.repeat(6);
    let one = width(&format!("{family}…"));
    let two = width(&format!("{family}{family}…"));
    let (cut, _) = shown(&words, (one + two) / 2.0);
    assert!((cut - one).abs() < 0.01, "{cut} is not {one}");
}

#[test]
fn whoever_points_at_cut_words_sees_the_whole_after_a_moment() {
    let view = |words: &'static str| -> Element<'static, ()> { container(line(words)).width(120.0).into() };
    let later = |words: &'static str| {
        let mut stage = Stage::<()>::new(400.0, 80.0);
        let begun = Instant::now();
        let frame = |after: Duration| Event::Window(window::Event::RedrawRequested(begun + after));
        let _ = stage.draw(view(words));
        stage.play(view(words), [moved(20.0, 10.0), frame(Duration::ZERO)]);
        let before = stage.peek(view(words));
        stage.play(view(words), [frame(DELAY * 2)]);
        (before, stage.peek(view(words)))
    };
    let (before, after) = later(LONG);
    assert!(before != after, "the whole is shown");
    let (before, after) = later("Ann");
    assert!(before == after, "nothing is hidden, so nothing is shown");
}
