//! What can be chosen, ticked and switched, by the pointer and by the keyboard.

use iced::widget::{Row, column, container, row, space, text};
use iced::{Alignment, Length};

use crate::theme::{self, Element, Icon, choice, font, metric};
use crate::ui;
use crate::widget::press::press;

/// A card that leads on.
pub(crate) fn leads<'a, Message: Clone + 'a>(
    icon: Icon,
    title: String,
    words: String,
    message: Message,
) -> Element<'a, Message> {
    let sign = text(icon.glyph()).font(font::ICONS).size(metric::WIDE).line_height(1.0).style(theme::text::accent);
    let on = text(Icon::ChevronRight.glyph()).font(font::ICONS).size(metric::ICON).line_height(1.0);
    let content = row![sign, two_lines(title, Some(words)), on.style(theme::text::muted)];
    press(content.spacing(metric::PAD).align_y(Alignment::Center))
        .padding(metric::PAD)
        .width(Length::Fill)
        .style(choice::card(false))
        .on_press(message)
        .into()
}

/// One of several ways.
pub(crate) fn radio<'a, Message: Clone + 'a>(
    title: String,
    words: Option<String>,
    selected: bool,
    message: Option<Message>,
) -> Element<'a, Message> {
    let sign = if selected { Icon::CircleCheck } else { Icon::Circle };
    let style = if selected { theme::text::accent } else { theme::text::muted };
    let sign = text(sign.glyph()).font(font::ICONS).size(metric::ICON).line_height(1.0).style(style);
    press(row![sign, two_lines(title, words)].spacing(metric::GAP).align_y(Alignment::Center))
        .padding([metric::GAP, metric::PAD])
        .width(Length::Fill)
        .style(choice::card(selected))
        .on_press_maybe(message)
        .into()
}

/// Something that is ticked or not.
pub(crate) fn check<'a, Message: Clone + 'a>(
    words: String,
    on: bool,
    message: Option<Message>,
) -> Element<'a, Message> {
    let tick = on.then(|| text(Icon::Check.glyph()).font(font::ICONS).size(metric::CAPTION).line_height(1.0));
    let sign = container(row![].push(tick)).center(choice::BOX).style(choice::tick(on));
    let words = text(words).size(metric::BODY).width(Length::Fill);
    press(row![sign, words].spacing(metric::GAP).align_y(Alignment::Center))
        .padding(metric::SMALL)
        .width(Length::Fill)
        .style(choice::line)
        .on_press_maybe(message)
        .into()
}

/// Something that is on or off.
pub(crate) fn switch<'a, Message: Clone + 'a>(
    title: String,
    words: Option<String>,
    on: bool,
    message: Option<Message>,
) -> Element<'a, Message> {
    let size = choice::SWITCH_HEIGHT - 2.0 * choice::SWITCH_PADDING;
    let knob = container(space().width(size).height(size)).style(choice::knob(on));
    let track = container(knob)
        .width(choice::SWITCH_WIDTH)
        .height(choice::SWITCH_HEIGHT)
        .padding(choice::SWITCH_PADDING)
        .align_x(if on { Alignment::End } else { Alignment::Start })
        .style(choice::track(on));
    press(row![two_lines(title, words), track].spacing(metric::PAD).align_y(Alignment::Center))
        .padding([metric::SMALL, metric::GAP])
        .width(Length::Fill)
        .style(choice::line)
        .on_press_maybe(message)
        .into()
}

/// A few words beside each other, of which one is chosen.
pub(crate) fn segments<'a, Message: Clone + 'a>(
    choices: impl IntoIterator<Item = (String, bool, Message)>,
) -> Element<'a, Message> {
    let choices = choices.into_iter().map(|(words, selected, message)| {
        press(text(words).size(metric::CAPTION).font(font::MEDIUM))
            .padding([metric::TIGHT, metric::GAP])
            .style(choice::segment(selected))
            .on_press(message)
            .into()
    });
    container(Row::with_children(choices).spacing(metric::TIGHT)).padding(metric::TIGHT).style(choice::segments).into()
}

/// Three dots of which one after the other has its turn.
pub(crate) fn going_on<'a, Message: 'a>(turn: usize) -> Element<'a, Message> {
    let dot = |place: usize| {
        container(space().width(choice::DOT).height(choice::DOT)).style(choice::dot(turn % 3 == place)).into()
    };
    Row::with_children((0..3).map(dot)).spacing(metric::SMALL).into()
}

fn two_lines<'a, Message: 'a>(title: String, words: Option<String>) -> Element<'a, Message> {
    let title = text(title).size(metric::BODY).font(font::MEDIUM);
    column![title].push(words.map(ui::caption)).spacing(metric::TIGHT / 2.0).width(Length::Fill).into()
}
