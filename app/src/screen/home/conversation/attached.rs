//! What a message brings along, a voice note or a file, and how far on its way it is.

use std::time::Duration;

use iced::widget::{column, container, row, space, text};
use iced::{Alignment, Length};
use kith_core::wire::control::{File, Transfer};

use super::view::{meta, meta_row};
use super::{Conversation, Message, SoundDeed};
use crate::app::Context;
use crate::format;
use crate::i18n::I18n;
use crate::said;
use crate::screen::home::player::{self, Place};
use crate::screen::home::timeline::Entry;
use crate::theme::{self, Element, Icon, Theme, font, metric};
use crate::ui::form;
use crate::widget::line::line;
use crate::widget::press::press;
use crate::widget::selectable::selectable;
use crate::widget::waveform::waveform;

impl Conversation {
    /// A voice note; `place` is where it is heard now.
    pub(super) fn voice<'a>(
        &'a self,
        entry: &'a Entry,
        place: Option<Place>,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let (message, i18n, key) = (&entry.message, context.i18n, entry.key);
        let length_ms = message.duration_ms.unwrap_or_default();
        let at_ms = match place {
            Some(place) => u32::try_from(place.position.as_millis()).unwrap_or(length_ms),
            None => message.heard_ms.unwrap_or_default(),
        };
        let runs = place.is_some_and(|place| place.runs);
        let (icon, words) = match runs {
            true => (Icon::Pause, i18n.tr("voice-pause")),
            false => (Icon::Play, i18n.tr("voice-play")),
        };
        let toggle = Message::Sound(SoundDeed::Play(key));
        let fetch = message.file.as_ref().and_then(|file| fetch(&file.transfer, key, i18n));
        let is_here = fetch.is_none();
        let button = fetch.unwrap_or_else(|| form::icon_button(icon, words, Some(toggle.clone())));
        let peaks = message.peaks.as_deref().unwrap_or_default();
        let (at, length) = (Duration::from_millis(at_ms.into()), Duration::from_millis(length_ms.into()));
        let mut wave = waveform(peaks, at, length);
        if is_here {
            let seek = move |to: Duration| SoundDeed::Seek(key, u64::try_from(to.as_millis()).unwrap_or(u64::MAX));
            wave = wave.on_seek(move |to| Message::Sound(seek(to))).on_toggle(toggle);
        }
        let time = if at_ms == 0 {
            format::duration(length_ms)
        } else {
            format!("{} / {}", format::duration(at_ms), format::duration(length_ms))
        };
        let style = quiet(entry);
        let time = text(time).size(metric::CAPTION).style(style).wrapping(text::Wrapping::None);
        // Of one's own: it is there, and nobody has heard it to its end.
        let is_there = matches!(message.state.as_deref(), Some("delivered" | "read"));
        let waits = if message.mine { is_there && message.heard_by == Some(0) } else { message.heard == Some(false) };
        let unheard = waits.then(|| {
            text(Icon::Circle.glyph()).font(font::ICONS).size(metric::TINY).line_height(1.0).style(theme::text::accent)
        });
        let speed = place.map(|place| player::speed_button(place.speed_percent, i18n));
        let speed = speed.map(|button| button.map(|wish| Message::Sound(SoundDeed::Player(wish))));
        let facts = row![time].push(unheard).push(speed).push(space::horizontal()).push(meta(message, context));
        let facts = facts.width(metric::WAVEFORM).spacing(metric::SMALL).align_y(Alignment::Center);
        let file = message.file.as_ref();
        let so_far =
            file.and_then(|file| so_far(file, i18n)).map(|words| text(words).size(metric::CAPTION).style(style));
        let problem = file.and_then(|file| problem(file, i18n)).map(|words| container(words).width(metric::WAVEFORM));
        let about = column![Element::from(wave), facts].push(so_far).push(problem).spacing(metric::TIGHT);
        let head = row![button, about].spacing(metric::SMALL).align_y(Alignment::Center);
        let words = self.words(entry, place.map(|place| place.position), context);
        let running = self.sound.transcribing.get(&message.id);
        let offer = (message.transcript.is_none() && is_here).then(|| {
            let words = match running {
                Some(percent) => i18n.tr_with("voice-listens", [("percent", (*percent).into())]),
                None => i18n.tr("voice-write-down"),
            };
            press(text(words).size(metric::CAPTION).font(font::MEDIUM))
                .padding(0)
                .style(theme::button::link)
                .on_press(Message::Sound(SoundDeed::Transcribe(key)))
        });
        column![head].push(words).push(offer).spacing(metric::TIGHT).into()
    }

    /// A file, and the words that came with it.
    pub(super) fn file<'a>(&'a self, entry: &'a Entry, context: Context<'a>) -> Element<'a, Message> {
        let (message, i18n, key) = (&entry.message, context.i18n, entry.key);
        let Some(file) = &message.file else { return text(i18n.tr("said-file")).into() };
        let save = || form::icon_button(Icon::Save, i18n.tr("file-save"), Some(Message::Sound(SoundDeed::Save(key))));
        let button = fetch(&file.transfer, key, i18n).unwrap_or_else(save);
        let name = line(file.name.clone()).font(font::MEDIUM);
        let size = so_far(file, i18n).unwrap_or_else(|| format::bytes(i18n, file.size));
        let size = text(size).size(metric::CAPTION).style(quiet(entry));
        let facts = column![name, size].push(problem(file, i18n)).spacing(metric::TIGHT / 2.0);
        let head = row![button, facts].spacing(metric::SMALL).align_y(Alignment::Center);
        let caption = message.text.as_ref().filter(|text| !text.is_empty()).map(|_| {
            Element::from(
                selectable(entry.rich.spans(context.palette))
                    .size(metric::BODY)
                    .line_height(metric::LINE)
                    .font(font::TEXT)
                    .on_link(Message::OpenLink),
            )
        });
        // At the right end, as everywhere; the bubble stays as wide as what else is in it.
        let meta = container(meta_row(message, context)).align_right(Length::Fill);
        column![head].push(caption).push(meta).spacing(metric::TIGHT).width(Length::Shrink).into()
    }
}

/// Small words in a message of this side.
fn quiet(entry: &Entry) -> fn(&Theme) -> text::Style {
    if entry.message.mine { theme::text::mine_muted } else { theme::text::muted }
}

/// It is not here, and comes.
fn comes(transfer: &Transfer) -> bool {
    !transfer.here && matches!(transfer.state.as_str(), "waiting" | "active")
}

/// What fetches something that is not here, or calls that off.
fn fetch<'a>(transfer: &Transfer, key: u64, i18n: &I18n) -> Option<Element<'a, Message>> {
    let (icon, words, deed) = match (transfer.here, comes(transfer)) {
        (true, _) => return None,
        (false, true) => (Icon::X, i18n.tr("cancel"), SoundDeed::CancelFetch(key)),
        (false, false) => (Icon::Download, i18n.tr("file-fetch"), SoundDeed::Fetch(key)),
    };
    Some(form::icon_button(icon, words, Some(Message::Sound(deed))))
}

/// How much of something has come or gone, while it does.
fn so_far(file: &File, i18n: &I18n) -> Option<String> {
    let transfer = &file.transfer;
    let moves = comes(transfer) || transfer.state == "active";
    moves.then(|| format::so_far(i18n, transfer.done, file.size))
}

/// Why it does not come or go.
fn problem<'a>(file: &File, i18n: &I18n) -> Option<Element<'a, Message>> {
    let words = said::alone(file.transfer.problem.as_ref()?, i18n);
    Some(text(words).size(metric::CAPTION).style(theme::text::danger).into())
}
