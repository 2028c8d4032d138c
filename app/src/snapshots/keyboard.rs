//! Proves of a view that the keyboard can do in it what the pointer can, and that one sees where it is.
//!
//! Where the pointer says that something can be pressed, something has to be that takes part in the walk of the focus, shows a ring
//! then, and says by a key what a click there says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use iced::advanced::widget::operation::{Focusable, Outcome};
use iced::advanced::widget::{Id, Operation};
use iced::keyboard::{Modifiers, key::Named};
use iced::mouse::Interaction;
use iced::{Color, Event, Point, Rectangle, Size};

use crate::theme::palette::tests::contrast;
use crate::theme::{Element, Theme, metric};
use crate::widget::scrolled::{Look, Scrolled, View};
use crate::widget::stage::{Picture, Stage, down, frame, letter, moved, named, up};
use crate::widget::{focus_scope, reveal};

/// Between two places where the pointer looks: nothing that can be pressed is smaller.
const STEP: f32 = 12.0;

/// What a click says and the focus need not come to, with the keys for it, which are heard wherever the focus is, or what else says it.
const ELSEWHERE: [(&str, &str); 7] = [
    ("Choose()", "Ctrl+↑ and Ctrl+↓ go from message to message"),
    ("Recording(Grip)", "Enter begins a recording; only a pointer holds"),
    ("Recording(LetGo)", "Enter ends it"),
    ("Switcher(Open(", "↓ and ↑ mark one, and Enter in the field opens it"),
    ("PickEmoji(", "arrows go to them from the one where the walk stops"),
    ("PercentDragged()", "the buttons beside the slider"),
    ("PercentReleased", "the buttons beside the slider"),
];

/// From here on one colour is told from another where it lies beside it, or in its place.
const CONTRAST: f32 = 3.0;

/// Something that can have the focus.
#[derive(Debug, Clone, Copy)]
struct Spot {
    /// What can be seen of it.
    seen: Rectangle,
    is_focused: bool,
}

/// All that can have the focus, in the order of the walk.
#[derive(Debug)]
struct Spots(Vec<Spot>);

impl Look<Vec<Spot>> for Spots {
    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable, view: &View) {
        self.0.push(Spot { seen: view.seen(bounds), is_focused: state.is_focused() });
    }

    fn finish(&self) -> Outcome<Vec<Spot>> {
        Outcome::Some(self.0.clone())
    }
}

/// Gives the focus to the one at this place of the walk, and takes it from all others.
#[derive(Debug)]
struct Focus(Option<usize>, usize);

impl Operation for Focus {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation)) {
        operate(self);
    }

    fn focusable(&mut self, _id: Option<&Id>, _bounds: Rectangle, state: &mut dyn Focusable) {
        if self.0 == Some(self.1) {
            state.focus()
        } else {
            state.unfocus()
        }
        self.1 += 1;
    }
}

/// A view whose keys are tried.
pub(super) struct Trial<V, Message> {
    view: V,
    size: Size,
    theme: Theme,
    stage: Stage<Message>,
    faults: Vec<String>,
}

impl<'a, V: Fn() -> Element<'a, Message>, Message: Debug + 'static> Trial<V, Message> {
    pub(super) fn new(stage: Stage<Message>, size: Size, theme: Theme, view: V) -> Self {
        Self { view, size, theme, stage, faults: Vec::new() }
    }

    /// What in the view is for the pointer alone, or takes the keyboard out of sight.
    pub(super) fn faults(mut self) -> Vec<String> {
        self.walks_once_round();
        self.shows_where_it_is();
        self.says_what_a_click_says();
        self.faults
    }

    /// Where one does not see that the keyboard is there.
    pub(super) fn unseen(mut self) -> Vec<String> {
        self.shows_where_it_is();
        self.faults
    }

    fn draw(&mut self) -> Picture {
        self.stage.draw_as((self.view)(), self.theme, 1.0)
    }

    fn spots(&mut self) -> Vec<Spot> {
        self.stage.operate((self.view)(), Scrolled::of(self.size, Spots(Vec::new()))).unwrap_or_default()
    }

    fn focused(&mut self) -> Vec<usize> {
        let spots = self.spots();
        (0..spots.len()).filter(|place| spots[*place].is_focused).collect()
    }

    fn focus(&mut self, place: Option<usize>) {
        self.stage.operate::<()>((self.view)(), Focus(place, 0));
    }

    fn runs(&mut self, task: iced::Task<()>) {
        for operation in super::operations(task) {
            self.stage.operate((self.view)(), operation);
        }
    }

    fn walks_once_round(&mut self) {
        self.focus(None);
        let count = self.spots().len();
        for place in (0..count).chain((0..count).take(1)) {
            self.runs(focus_scope::focus_next());
            self.is_at(place);
        }
        for place in (0..count).rev() {
            self.runs(focus_scope::focus_previous());
            self.is_at(place);
        }
    }

    fn is_at(&mut self, place: usize) {
        let focused = self.focused();
        if focused != [place] {
            self.faults.push(format!("{focused:?} has the focus in place of {place}"));
        }
    }

    fn shows_where_it_is(&mut self) {
        let mut unfocused: Option<(Vec<Rectangle>, Picture)> = None;
        for place in 0..self.spots().len() {
            self.focus(Some(place));
            self.runs(reveal::reveal());
            let with = self.draw();
            let places: Vec<Rectangle> = self.spots().iter().map(|spot| spot.seen).collect();
            let seen = places[place];
            self.focus(None);
            // Only where something was scrolled, all else looks another way than before.
            if unfocused.as_ref().is_none_or(|(then, _)| *then != places) {
                unfocused = Some((places, self.draw()));
            }
            let changed = unfocused.as_ref().map_or(0, |(_, without)| changed(&with, without, seen));
            // A line all around it, of which the half pixels and what it crosses take their share.
            let least = (seen.width + seen.height) / 3.0;
            if (changed as f32) < least.max(1.0) {
                self.faults.push(format!("{changed} pixels show the focus at {seen:?}"));
            }
        }
    }

    fn says_what_a_click_says(&mut self) {
        self.focus(None);
        let spots = self.spots();
        let mut pressable: BTreeMap<Option<usize>, Vec<Point>> = BTreeMap::new();
        for point in self.pressable() {
            let over = (0..spots.len()).filter(|place| spots[*place].seen.contains(point));
            let area = |place: &usize| spots[*place].seen.area();
            let inmost = over.min_by(|one, other| area(one).total_cmp(&area(other)));
            pressable.entry(inmost).or_default().push(point);
        }
        for (place, points) in pressable {
            let some = [points.first(), points.get(points.len() / 2)];
            let clicks: BTreeSet<String> = some.into_iter().flatten().flat_map(|point| self.click(*point)).collect();
            let keys = place.map(|place| self.keys(place)).unwrap_or_default();
            let is_elsewhere = |said: &&String| ELSEWHERE.iter().any(|(known, _)| said.contains(known));
            let (elsewhere, missing): (Vec<_>, Vec<_>) = clicks.difference(&keys).partition(is_elsewhere);
            if !missing.is_empty() || (place.is_none() && elsewhere.is_empty()) {
                self.faults.push(format!("no key says {missing:?} at {points:?}, but {keys:?}"));
            }
        }
    }

    /// Where the pointer says that something can be pressed.
    fn pressable(&mut self) -> Vec<Point> {
        let along = |length: f32| (0..(length / STEP) as usize).map(|step| (step as f32 + 0.5) * STEP);
        let points: Vec<Point> =
            along(self.size.height).flat_map(|y| along(self.size.width).map(move |x| Point::new(x, y))).collect();
        let looks = self.stage.hover((self.view)(), &points);
        let presses = |look: &Interaction| {
            !matches!(look, Interaction::None | Interaction::Idle | Interaction::Hidden | Interaction::Text)
        };
        points.into_iter().zip(looks).filter(|(_, look)| presses(look)).map(|(point, _)| point).collect()
    }

    fn click(&mut self, Point { x, y }: Point) -> BTreeSet<String> {
        self.told([moved(x, y), down(), up()])
    }

    fn keys(&mut self, place: usize) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        for event in [
            named(Named::Enter, Modifiers::empty()),
            named(Named::Space, Modifiers::empty()),
            named(Named::ArrowRight, Modifiers::empty()),
            letter("x", Modifiers::empty()),
        ] {
            self.focus(Some(place));
            told.extend(self.told([event]));
        }
        told
    }

    fn told<const N: usize>(&mut self, events: [Event; N]) -> BTreeSet<String> {
        self.stage.messages.clear();
        self.stage.play((self.view)(), events.into_iter().chain([frame()]));
        std::mem::take(&mut self.stage.messages).iter().map(without_numbers).collect()
    }
}

/// What is said, whatever moment or place it is said of.
fn without_numbers(message: &impl Debug) -> String {
    let mut in_number = false;
    let mut is_other = |letter: &char| {
        in_number = letter.is_ascii_digit() || (in_number && ".nµms".contains(*letter));
        !in_number
    };
    format!("{message:?}").chars().filter(|letter| is_other(letter)).collect()
}

/// How many pixels in and around a rectangle are plainly other ones.
fn changed(with: &Picture, without: &Picture, seen: Rectangle) -> usize {
    let around = seen.expand(3.0 * metric::RING);
    let height = with.rgba.len() / 4 / with.width.max(1);
    let (left, top) = (around.x.max(0.0) as usize, around.y.max(0.0) as usize);
    let right = ((around.x + around.width).max(0.0) as usize).min(with.width);
    let bottom = ((around.y + around.height).max(0.0) as usize).min(height);
    let pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
    let color = |picture: &Picture, (x, y): (usize, usize)| {
        let [r, g, b] = picture.at(x, y);
        Color::from_rgb8(r, g, b)
    };
    pixels.filter(|pixel| contrast(color(with, *pixel), color(without, *pixel)) >= CONTRAST).count()
}

mod tests {
    use iced::widget::{column, container, text_input};

    use super::*;
    use crate::theme::{Variant, button};
    use crate::widget::press::{Status, Style, press};

    const SIZE: Size = Size::new(300.0, 200.0);

    /// A form whose last part is this one, in these colours.
    fn trial<'a>(
        variant: Variant,
        last: impl Fn() -> Element<'a, &'static str>,
    ) -> Trial<impl Fn() -> Element<'a, &'static str>, &'static str> {
        let form = move || {
            let field = text_input("", "").on_input(|_| "typed");
            container(column![field, press("one").on_press("one"), last()].spacing(metric::GAP))
                .padding(metric::GAP)
                .into()
        };
        Trial::new(Stage::new(SIZE.width, SIZE.height), SIZE, Theme::new(variant), form)
    }

    fn form<'a>(last: impl Fn() -> Element<'a, &'static str>) -> String {
        trial(Variant::Light, last).faults().join("; ")
    }

    #[test]
    fn what_is_for_the_pointer_alone_or_takes_the_keyboard_out_of_sight_is_found() {
        let two = || press("two").on_press("two");
        assert_eq!(form(|| two().into()), "");
        let alone = form(|| two().unfocusable().into());
        assert!(alone.contains(r#"no key says ["\"two\""]"#), "{alone}");
        // A ring of the colour of what it surrounds.
        let unseen = |theme: &Theme, status: Status| Style { ring_gap: None, ..button::primary(theme, status) };
        for variant in [Variant::Light, Variant::Dark, Variant::HighContrast] {
            assert!(trial(variant, || two().into()).unseen().is_empty());
            let unseen = trial(variant, || two().style(unseen).into()).unseen().join("; ");
            assert!(unseen.contains("pixels show the focus at"), "{variant:?}: {unseen}");
        }
        let dead = form(|| text_input("", "").into());
        assert!(dead.contains("pixels show the focus at"), "{dead}");
    }
}
