//! What stands in the place of the composer while something is recorded, and until it is sent.

use iced::widget::{column, container, row, text};
use iced::{Alignment, Length};
use kith_core::client::sound::{Draft, PlaybackPhase, RecordingPhase, RecordingState};

use super::super::{Conversation, Message};
use super::{AWAY, Deed, Hold, Preview, SEND, Tape, UP};
use crate::app::Context;
use crate::format::one_line;
use crate::i18n::I18n;
use crate::said;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};
use crate::widget::line::line;
use crate::widget::press::{Hold as Held, press};
use crate::widget::waveform::waveform;

/// A longer name of a microphone is cut.
const MAX_NAME: usize = 80;

fn deed(deed: Deed) -> Message {
    Message::Recording(deed)
}

impl Conversation {
    /// It, in the place of the field; none if nothing is recorded.
    pub(in super::super) fn tape<'a>(&'a self, context: Context<'a>) -> Option<Element<'a, Message>> {
        let i18n = context.i18n;
        Some(match (&self.recorder.tape, self.recorder.hold) {
            (Tape::Empty, _) => return None,
            (Tape::Opening(_), Some(hold)) => held(None, hold, context),
            (Tape::Running(_, state), Some(hold)) => held(Some(state), hold, context),
            (Tape::Opening(_), None) => quiet(i18n.tr("recording-opens")),
            (Tape::Ending, _) => quiet(i18n.tr("recording-ends")),
            (Tape::Running(_, state), None) => running(state, i18n),
            (Tape::Made { draft, found }, _) => made(draft, *found, self.recorder.preview.as_ref(), i18n),
            (Tape::Dropped(draft), _) => dropped(draft, i18n),
        })
    }

    /// What is at the end of the line instead of the button that sends a text: it records, and sends what was recorded.
    pub(in super::super) fn recorder_button<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        match self.recorder.tape {
            Tape::Running(..) | Tape::Made { .. } if !self.recorder.is_held() => {
                let send = press(ui::icon(Icon::SendHorizontal))
                    .id(SEND)
                    .padding(metric::GAP - 1.0)
                    .style(theme::button::primary)
                    .on_press(deed(Deed::Send));
                ui::with_tooltip(send, i18n.tr("recording-send"), iced::widget::tooltip::Position::Top)
            }
            Tape::Ending => ui::nothing(),
            _ => {
                let hold = Held {
                    on_grip: deed(Deed::Grip),
                    on_pull: Box::new(|by| deed(Deed::Pull(by))),
                    on_let_go: deed(Deed::LetGo),
                    on_lost: deed(Deed::Free),
                };
                let style = if self.recorder.is_held() { theme::button::primary } else { theme::button::quiet };
                let button = press(ui::icon(Icon::Mic)).padding(metric::SMALL).style(style);
                let button = button.on_press(deed(Deed::Toggle)).on_hold(hold);
                ui::with_tooltip(button, i18n.tr("recording-begin"), iced::widget::tooltip::Position::Top)
            }
        }
    }
}

fn quiet<'a>(words: String) -> Element<'a, Message> {
    container(text(words).style(theme::text::muted)).padding(metric::SMALL).width(Length::Fill).into()
}

fn in_line<'a>(parts: iced::widget::Row<'a, Message, theme::Theme>) -> Element<'a, Message> {
    let parts = parts.spacing(metric::SMALL).align_y(Alignment::Center);
    container(parts).width(Length::Fill).padding(iced::padding::right(metric::TIGHT)).into()
}

/// The red sign that says that a microphone is open, or is going to be.
fn sign<'a>() -> Element<'a, Message> {
    text(Icon::Mic.glyph()).font(font::ICONS).size(metric::ICON).style(theme::text::danger).into()
}

/// What is wrong with the microphone or the disk, or that another microphone listens than the one that was chosen.
fn notice<'a>(state: &RecordingState, i18n: &I18n) -> Option<Element<'a, Message>> {
    let words = match (state.phase, &state.unsaved, &state.stand_in) {
        (RecordingPhase::Searching, ..) => form::error(i18n.tr("recording-lost")),
        (_, Some(_), _) => form::error(i18n.tr("recording-unsaved")),
        (_, None, Some(said)) => ui::caption(said::alone(said, i18n)),
        (_, None, None) => return None,
    };
    Some(container(words).padding([0.0, metric::SMALL]).into())
}

/// While the pointer holds the button: where it can be pulled, by words that go with it.
fn held<'a>(state: Option<&RecordingState>, hold: Hold, context: Context<'_>) -> Element<'a, Message> {
    let time = state.map_or_else(ui::nothing, |state| ui::clock(state.duration));
    let level = |width: Length| state.map_or_else(ui::nothing, |state| ui::level(state.level, width));
    let away = (-hold.pull.x / AWAY).clamp(0.0, 1.0);
    let up = (-hold.pull.y / UP).clamp(0.0, 1.0);
    let style = if away > 0.5 { theme::text::danger } else { theme::text::muted };
    let words = row![
        text(Icon::ChevronLeft.glyph()).font(font::ICONS).size(metric::CAPTION).style(style),
        line(context.i18n.tr("recording-pull")).size(metric::CAPTION).style(style),
    ];
    let words = container(words.spacing(metric::TIGHT).align_y(Alignment::Center))
        .width(Length::Fill)
        .align_x(Alignment::Center)
        .padding(iced::padding::right(away * AWAY / 2.0))
        .clip(true);
    let style = if up > 0.5 { theme::text::accent } else { theme::text::muted };
    let lock = row![
        text(Icon::Lock.glyph()).font(font::ICONS).size(metric::CAPTION).style(style),
        text(Icon::ChevronUp.glyph()).font(font::ICONS).size(metric::CAPTION).style(style),
    ];
    let lock = container(lock.spacing(metric::TIGHT)).padding(iced::padding::bottom(up * metric::SMALL));
    let notice = state.and_then(|state| notice(state, context.i18n));
    if context.size.width < metric::SINGLE {
        let parts = in_line(row![sign(), time, level(Length::Fill), lock]);
        return column![].push(notice).push(words).push(parts).spacing(metric::SMALL).into();
    }
    let parts = in_line(row![sign(), time, level(metric::LEVEL.into()), words, lock]);
    column![].push(notice).push(parts).spacing(metric::TIGHT).into()
}

/// With free hands.
fn running<'a>(state: &'a RecordingState, i18n: &I18n) -> Element<'a, Message> {
    let paused = state.phase == RecordingPhase::Paused;
    let (icon, words) = match paused {
        true => (Icon::Mic, i18n.tr("recording-resume")),
        false => (Icon::Pause, i18n.tr("voice-pause")),
    };
    let discard = form::icon_button(Icon::Trash2, i18n.tr("recording-discard"), Some(deed(Deed::Discard)));
    let pause = form::icon_button(icon, words, Some(deed(Deed::Pause)));
    let stop = form::icon_button(Icon::Check, i18n.tr("recording-stop"), Some(deed(Deed::Stop)));
    let level = ui::level(if paused { 0.0 } else { state.level }, metric::LEVEL);
    let words = match state.phase {
        RecordingPhase::Opening => i18n.tr("recording-opens"),
        _ => one_line(state.microphone.as_deref().unwrap_or_default(), MAX_NAME),
    };
    let words = line(words).size(metric::CAPTION).style(theme::text::muted).width(Length::Fill);
    let parts = in_line(row![discard, sign(), ui::clock(state.duration), level, words, pause, stop]);
    column![].push(notice(state, i18n)).push(parts).spacing(metric::TIGHT).width(Length::Fill).into()
}

/// It waits to be sent.
fn made<'a>(draft: &'a Draft, found: bool, preview: Option<&'a Preview>, i18n: &I18n) -> Element<'a, Message> {
    let discard = form::icon_button(Icon::Trash2, i18n.tr("recording-discard"), Some(deed(Deed::Discard)));
    let runs = preview.is_some_and(|preview| preview.state.phase != PlaybackPhase::Paused);
    let (icon, words) = match runs {
        true => (Icon::Pause, i18n.tr("voice-pause")),
        false => (Icon::Play, i18n.tr("recording-listen")),
    };
    let play = form::icon_button(icon, words, Some(deed(Deed::Listen)));
    let at = preview.map(|preview| preview.state.position);
    let wave = waveform(&draft.peaks, at.unwrap_or_default(), draft.duration)
        .on_seek(|to| deed(Deed::ListenFrom(to)))
        .on_toggle(deed(Deed::Listen));
    let wave = container(Element::from(wave)).width(Length::Fill);
    let line = in_line(row![discard, play, wave, ui::clock(at.unwrap_or(draft.duration))]);
    let words = found.then(|| container(ui::caption(i18n.tr("recording-waits"))).padding([0.0, metric::SMALL]));
    column![].push(words).push(line).width(Length::Fill).into()
}

/// It can be taken back.
fn dropped<'a>(draft: &'a Draft, i18n: &I18n) -> Element<'a, Message> {
    let words = container(text(i18n.tr("recording-dropped")).style(theme::text::muted)).width(Length::Fill);
    let back = form::button(i18n.tr("recording-take-back")).on_press(deed(Deed::TakeBack));
    in_line(row![words.padding([0.0, metric::SMALL]), ui::clock(draft.duration), back])
}
