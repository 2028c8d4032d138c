//! What is said in a voice note, under its waveform: the word that is heard stands out, and a press on one plays from there.

use std::time::Duration;

use iced::Task;
use iced::advanced::text::Span;
use iced::widget::{column, text, tooltip};
use kith_core::wire::control::{Request, Segment, Spoken, SpokenSegment, Transcript};

use super::{Action, Conversation, Message, Mode, SoundDeed};
use crate::app::Context;
use crate::format::one_line;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::screen::home::timeline::Entry;
use crate::theme::{self, Element, Palette, Theme, font, metric};
use crate::ui::{self, rich};
use crate::widget::press::press;
use crate::widget::selectable::selectable;

/// So many words, and the blanks behind them, are shaped as one text: a longer transcript is several.
const SPANS: usize = 600;

impl Conversation {
    /// The transcript of a message; `at` is where its note is heard now.
    pub(super) fn words<'a>(
        &'a self,
        entry: &'a Entry,
        at: Option<Duration>,
        context: Context<'a>,
    ) -> Option<Element<'a, Message>> {
        let (message, key) = (&entry.message, entry.key);
        let Some(spoken) = message.spoken.as_ref().filter(|spoken| !spoken.segments.is_empty()) else {
            // Without its times: as any text.
            message.transcript.as_ref()?;
            let words = selectable(entry.rich.spans(context.palette)).size(metric::BODY).line_height(metric::LINE);
            return Some(words.font(font::TEXT).into());
        };
        let at_ms = at.map(|at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX));
        let mut parts = column![].spacing(0.0);
        let mut spans = spans(spoken, at_ms, context.i18n, context.palette);
        while !spans.is_empty() {
            let rest = spans.split_off(spans.len().min(SPANS));
            let words = selectable(std::mem::replace(&mut spans, rest))
                .size(metric::BODY)
                .line_height(metric::LINE)
                .font(font::TEXT)
                .on_link(move |ms| Message::Sound(SoundDeed::Seek(key, ms)));
            parts = parts.push(words);
        }
        let more = spoken.cut.then(|| {
            press(text(context.i18n.tr("spoken-whole")).size(metric::CAPTION).font(font::MEDIUM))
                .padding(0)
                .style(theme::button::link)
                .on_press(Message::WholeTranscript(key))
        });
        let style: fn(&Theme) -> text::Style = if message.mine { theme::text::mine_muted } else { theme::text::muted };
        let source = text(source(spoken, context.i18n)).size(metric::TINY).style(style);
        let source: Element<'_, Message> = match one_line(&spoken.model, 60) {
            model if model.is_empty() => source.into(),
            model => {
                let words = context.i18n.tr_with("spoken-model", [("model", model.into())]);
                ui::with_tooltip(source, words, tooltip::Position::Top)
            }
        };
        Some(column![parts].push(more).push(source).spacing(metric::TIGHT).into())
    }

    /// All of a long transcript is wanted.
    pub(super) fn ask_whole(&self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let transcript = self.backend.clone().transcript(self.chat.id.clone(), entry.message.id.clone());
        Action::Run(Task::perform(transcript, move |transcript| Message::TranscriptCame(key, transcript.map(Box::new))))
    }

    /// It is here.
    pub(super) fn whole_came(
        &mut self,
        key: u64,
        transcript: Result<Box<Transcript>, Problem>,
        context: Context<'_>,
    ) -> Action {
        let found = self.timeline.by_key(key).map(|entry| entry.message.clone());
        match (found, transcript) {
            (Some(mut message), Ok(transcript)) => {
                if let Some(spoken) = &mut message.spoken {
                    spoken.segments = transcript.segments.into_iter().map(shown).collect();
                    spoken.cut = false;
                }
                let _ = self.timeline.change(message);
            }
            (_, Err(problem)) => self.notice = Some(problem.sentence(context.i18n)),
            (None, Ok(_)) => {}
        }
        Action::None
    }

    /// This reader's own transcript is to be mended: all of its words are needed for that.
    pub(super) fn mend(&self, key: u64) -> Action {
        let Some(entry) = self.timeline.by_key(key) else { return Action::None };
        let id = entry.message.id.clone();
        let transcript = self.backend.clone().transcript(self.chat.id.clone(), id.clone());
        Action::Run(Task::perform(transcript, move |transcript| {
            Message::MendThis(id.clone(), transcript.map(|transcript| lines(&transcript)))
        }))
    }

    /// Its words are here.
    pub(super) fn mend_this(
        &mut self,
        message: String,
        words: Result<String, Problem>,
        context: Context<'_>,
    ) -> Action {
        self.chosen = None;
        match words {
            Ok(words) if words.len() > super::MAX_TEXT => self.notice = Some(context.i18n.tr("spoken-too-long")),
            Ok(words) => return self.begin_change(Mode::Mend { message, before: self.written() }, &words),
            Err(problem) => self.notice = Some(problem.sentence(context.i18n)),
        }
        Action::None
    }

    /// What is typed is the transcript now.
    pub(super) fn mended(&self, message: String, text: String) -> Task<Message> {
        self.command(Request::EditTranscript { with: self.chat.id.clone(), message, text })
    }
}

/// A segment a line: so it is taken back with its times.
fn lines(transcript: &Transcript) -> String {
    let lines: Vec<&str> = transcript.segments.iter().map(|segment| segment.text.as_str()).collect();
    lines.join("\n")
}

fn shown(segment: Segment) -> SpokenSegment {
    let Segment { start_ms, end_ms, text, inaudible, words, .. } = segment;
    SpokenSegment { start_ms, end_ms, text, inaudible, words }
}

/// Whose words they are.
fn source(spoken: &Spoken, i18n: &I18n) -> String {
    let mut words = vec![match spoken.source.as_str() {
        "sender" => i18n.tr("spoken-sender"),
        _ => i18n.tr("spoken-mine"),
    }];
    if spoken.translated {
        words.push(i18n.tr("spoken-translated"));
    }
    if spoken.edited {
        words.push(i18n.tr("spoken-mended"));
    }
    words.join(" · ")
}

/// The words, each with the moment at which it begins.
fn spans(spoken: &Spoken, at_ms: Option<u64>, i18n: &I18n, palette: &Palette) -> Vec<Span<'static, u64>> {
    let mut spans: Vec<Span<'static, u64>> = Vec::new();
    // The last word that has begun is the one that is heard, also in the gap behind it.
    let mut heard = None;
    let mut put = |words: String, start_ms: u64, is_said: bool| {
        if at_ms.is_some_and(|at| start_ms <= at) {
            heard = Some(spans.len());
        }
        let span = Span::new(words).link(start_ms);
        spans.push(if is_said { span } else { span.font(font::ITALIC).color(palette.muted) });
        spans.push(Span::new(" "));
    };
    for segment in &spoken.segments {
        if segment.inaudible {
            put(format!("[{}]", i18n.tr("spoken-inaudible")), segment.start_ms, false);
        } else if segment.words.is_empty() {
            put(rich::clean(&segment.text), segment.start_ms, true);
        } else {
            for word in &segment.words {
                put(rich::clean(&word.text), word.start_ms, true);
            }
        }
    }
    if let Some(span) = heard.and_then(|heard| spans.get_mut(heard)) {
        *span = span.clone().background(theme::text::heard_ground(palette));
    }
    spans
}

#[cfg(test)]
mod tests {
    use kith_core::wire::control::SpokenWord;

    use super::*;
    use crate::i18n::Language;

    fn spoken() -> Spoken {
        let word = |start_ms, text: &str| SpokenWord { start_ms, end_ms: start_ms + 200, text: text.into() };
        let segment = |start_ms, words: Vec<SpokenWord>, inaudible| SpokenSegment {
            start_ms,
            end_ms: start_ms + 900,
            text: words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "),
            inaudible,
            words,
        };
        Spoken {
            source: "mine".into(),
            segments: vec![
                segment(100, vec![word(100, "Meet"), word(400, "me")], false),
                segment(1_000, Vec::new(), true),
                segment(2_000, vec![word(2_000, "there")], false),
            ],
            language: "en".into(),
            translated: false,
            model: "test".into(),
            edited: true,
            cut: false,
        }
    }

    fn heard(at_ms: Option<u64>) -> Option<String> {
        let i18n = I18n::new(Language::En);
        let spans = spans(&spoken(), at_ms, &i18n, crate::theme::Variant::Light.palette());
        let found: Vec<_> = spans.iter().filter(|span| span.highlight.is_some()).collect();
        assert!(found.len() <= 1);
        found.first().map(|span| span.text.trim().to_owned())
    }

    #[test]
    fn the_word_that_has_begun_last_stands_out() {
        assert_eq!(heard(None), None, "nothing is heard");
        assert_eq!(heard(Some(0)), None, "the first word has not begun");
        assert_eq!(heard(Some(100)).as_deref(), Some("Meet"));
        assert_eq!(heard(Some(650)).as_deref(), Some("me"), "in the gap behind it, too");
        assert_eq!(heard(Some(1_500)).as_deref(), Some("[inaudible]"));
        assert_eq!(heard(Some(9_000)).as_deref(), Some("there"));
    }

    #[test]
    fn each_word_knows_when_it_begins() {
        let i18n = I18n::new(Language::En);
        let spans = spans(&spoken(), None, &i18n, crate::theme::Variant::Light.palette());
        let words = spans.iter().filter(|span| span.text != " ");
        let links: Vec<_> = words.map(|span| (span.text.to_string(), span.link)).collect();
        let expected = [("Meet", 100), ("me", 400), ("[inaudible]", 1_000), ("there", 2_000)];
        assert_eq!(links, expected.map(|(word, ms)| (word.to_owned(), Some(ms))));
    }

    #[test]
    fn whose_words_they_are_is_said() {
        let i18n = I18n::new(Language::En);
        let mut spoken = spoken();
        assert_eq!(source(&spoken, &i18n), "Written down on this device · mended by hand");
        spoken.source = "sender".into();
        spoken.edited = false;
        spoken.translated = true;
        assert_eq!(source(&spoken, &i18n), "Written down by the sender · translated into English");
    }
}
