//! What a conversation looks like.

use std::time::Duration;

use iced::widget::{Column, column, container, hover, row, space, stack, text, tooltip};
use iced::{Alignment, Length, Size};
use kith_core::wire::control::Message as Shown;

use super::{COMPOSER, Conversation, Failed, Loading, Message, Mode, SoundDeed, Target, find};
use crate::app::Context;
use crate::format::one_line;
use crate::screen::home::list;
use crate::screen::home::player::Player;
use crate::screen::home::timeline::{Entry, Side};
use crate::theme::container::Joined;
use crate::theme::{self, Element, Icon, Theme, font, metric};
use crate::ui::avatar::{self, Pictures};
use crate::ui::{self, emoji, form, nothing, tick};
use crate::widget::composer::composer;
use crate::widget::corner::corner;
use crate::widget::history::history;
use crate::widget::line::line;
use crate::widget::press::press;
use crate::widget::selectable::selectable;

/// The row above the first message that was not read.
pub(super) const UNREAD: u64 = 1;
/// The row that says where a history begins.
pub(super) const START: u64 = 2;
/// Rows of days begin here, rows of what could not be queued there.
const DAYS: u64 = 1 << 62;
const FAILED: u64 = 1 << 63;

/// Messages of one author within this time stand together.
const TOGETHER_MS: u64 = 5 * 60_000;

/// The emoji that are one press away.
const QUICK: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

impl Conversation {
    /// What is drawn.
    pub(crate) fn view<'a>(
        &'a self,
        player: &'a Player,
        pictures: &'a Pictures,
        is_single: bool,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let line = || container(space().height(1.0).width(Length::Fill)).style(theme::container::line);
        // Each has a place of its own, also while it is away: what is written keeps its state, and the focus, when one comes.
        let notice = self.notice.as_ref().map_or_else(nothing, |words| notice(words, context));
        let models = if self.offers_models { offer_models(context) } else { nothing() };
        // No ground: it is the window's own. Whatever is larger than what is drawn anew costs the processor a mask.
        let find = self.find_bar(context).unwrap_or_else(nothing);
        let (bar, body) = (self.bar(pictures, is_single, context), self.body(player, context));
        let foot = self.foot(context);
        column![bar, line(), find, body, notice, models, foot].width(Length::Fill).height(Length::Fill).into()
    }

    fn bar<'a>(&'a self, pictures: &'a Pictures, is_single: bool, context: Context<'a>) -> Element<'a, Message> {
        let (i18n, chat) = (context.i18n, &self.chat);
        let back = is_single.then(|| form::icon_button(Icon::ArrowLeft, i18n.tr("back"), Some(Message::Back)));
        let id = chat.account.as_deref().unwrap_or(&chat.id);
        let round = avatar::avatar(&chat.name, id, pictures.of(chat), metric::AVATAR_SMALL);
        let verified = chat
            .verified
            .then(|| text(Icon::ShieldCheck.glyph()).font(font::ICONS).size(metric::CAPTION).style(theme::text::good));
        let name = line(one_line(&chat.name, 80)).font(font::SEMIBOLD);
        let title =
            row![name.style(theme::text::plain)].push(verified).spacing(metric::TIGHT).align_y(Alignment::Center);
        let words = line(self.subtitle(context)).size(metric::CAPTION).style(theme::text::muted);
        let who = row![round, column![title, words].spacing(1.0)].spacing(metric::GAP).align_y(Alignment::Center);
        let who = press(who)
            .padding([metric::TIGHT, metric::SMALL])
            .style(theme::button::quiet)
            .on_press(Message::ToggleDetails);
        let find = form::icon_button(Icon::Search, i18n.tr("find"), Some(Message::Find(find::Deed::Open)));
        let details = form::icon_button(Icon::Info, i18n.tr("details"), Some(Message::ToggleDetails));
        let bar = row![].push(back).push(container(who).width(Length::Fill).clip(true)).push(find).push(details);
        container(bar.spacing(metric::TIGHT).align_y(Alignment::Center))
            .height(metric::BAR)
            .padding([0.0, metric::SMALL])
            .align_y(Alignment::Center)
            .style(theme::container::surface)
            .into()
    }

    fn subtitle(&self, context: Context<'_>) -> String {
        let i18n = context.i18n;
        if !self.typing.is_empty() {
            return i18n.tr("typing");
        }
        match (self.chat.kind.as_str(), self.chat.state.as_str(), self.chat.path.as_deref()) {
            ("group", ..) => i18n.count("members-count", self.chat.members.into()),
            (_, "asked", _) => i18n.tr("list-asked"),
            (_, "blocked", _) => i18n.tr("list-blocked"),
            (.., Some("lan")) => i18n.tr("path-lan"),
            (.., Some("direct")) => i18n.tr("path-direct"),
            (.., Some("circuit")) => i18n.tr("path-circuit"),
            _ => i18n.tr("path-mailbox"),
        }
    }

    fn body<'a>(&'a self, player: &'a Player, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        match &self.loading {
            Loading::Waiting => container(ui::caption(i18n.tr("loading"))).center(Length::Fill).into(),
            Loading::Failed(problem) => {
                let again = form::button(i18n.tr("failure-retry")).on_press(Message::Reopen);
                ui::empty(Icon::CircleAlert, i18n.tr("history-failed"), problem.sentence(i18n), Some(again.into()))
            }
            Loading::Ready if self.timeline.entries().len() == 0 && self.failed.is_empty() => {
                let words = if self.chat.state == "asked" { "history-asked" } else { "history-empty" };
                ui::empty(Icon::MessageCircle, i18n.tr("history-empty-title"), self.first_words(words, context), None)
            }
            Loading::Ready => self.messages(player, context),
        }
    }

    fn first_words(&self, key: &str, context: Context<'_>) -> String {
        let name = one_line(&self.chat.name, 40);
        match key {
            "history-asked" => context.i18n.tr_with("history-asked", [("name", name.into())]),
            _ => context.i18n.tr_with("history-empty", [("name", name.into())]),
        }
    }

    fn messages<'a>(&'a self, player: &'a Player, context: Context<'a>) -> Element<'a, Message> {
        let list = history(self.history(), self.rows(player, context))
            .at_end_hint(self.timeline.reaches_end())
            .padding([metric::GAP, metric::PAD])
            .on_near_start(Message::Near(Side::Before))
            .on_near_end(Message::Near(Side::After))
            .on_scroll(Message::Scrolled)
            .tells_rows(self.chat.unread > 0 || !self.sound.transcribing.is_empty());
        if self.is_at_end && self.new_below == 0 {
            // The same shape as with the button, or the list would be another one, which stands at its end.
            return stack![list, nothing()].into();
        }
        let count = (self.new_below > 0).then(|| {
            container(
                text(self.new_below.min(999).to_string()).size(metric::TINY).font(font::SEMIBOLD).line_height(1.0),
            )
            .padding([metric::TIGHT, metric::SMALL - 1.0])
            .style(theme::container::badge)
        });
        let down = row![ui::icon(Icon::ArrowDown)].push(count).spacing(metric::TIGHT).align_y(Alignment::Center);
        let down = press(down).padding(metric::GAP).style(theme::button::floating).on_press(Message::ToNewest);
        let corner = container(down)
            .width(Length::Fill)
            .height(Length::Fill)
            .align_x(Alignment::End)
            .align_y(Alignment::End)
            .padding(metric::PAD);
        stack![list, corner].into()
    }

    fn rows<'a>(&'a self, player: &'a Player, context: Context<'a>) -> Vec<(u64, Element<'a, Message>)> {
        let entries: Vec<&Entry> = self.timeline.entries().collect();
        let mut rows: Vec<(u64, Element<'a, Message>)> = Vec::with_capacity(entries.len().saturating_add(8));
        if self.timeline.reaches_start() {
            rows.push((START, centered(context.i18n.tr("history-start"))));
        }
        let mut before: Option<&Entry> = None;
        for (at, entry) in entries.iter().enumerate() {
            let day = context.clock.day(entry.message.sent_ms);
            if before.is_none_or(|before| context.clock.day(before.message.sent_ms) != day) {
                let heading = context.clock.heading(context.i18n, entry.message.sent_ms, context.now_ms);
                rows.push((day_row(entry), centered(heading)));
                before = None;
            }
            if self.timeline.first_unread() == Some(entry.message.id.as_str()) {
                rows.push((UNREAD, unread_line(context)));
                before = None;
            }
            let after = entries.get(at.saturating_add(1)).copied();
            let joined = Joined {
                above: before.is_some_and(|before| stand_together(before, entry)),
                below: after.is_some_and(|after| stand_together(entry, after)),
            };
            rows.push((entry.key, self.entry(entry, joined, player, context)));
            before = Some(entry);
        }
        rows.extend(self.failed.iter().map(|failed| (FAILED | failed.key, failed_row(failed, context))));
        rows
    }

    fn entry<'a>(
        &'a self,
        entry: &'a Entry,
        joined: Joined,
        player: &'a Player,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let message = &entry.message;
        if message.kind == "left" {
            let who = one_line(&message.author_name, 40);
            return centered(context.i18n.tr_with("member-left", [("name", who.into())]));
        }
        let names = self.chat.kind == "group" && !message.mine && !joined.above;
        let author = names.then(|| {
            line(one_line(&message.author_name, 60))
                .size(metric::CAPTION)
                .font(font::SEMIBOLD)
                .style(theme::text::accent)
        });
        let quote = message.reply_preview.as_ref().zip(message.reply_to.as_ref());
        let quote = quote.map(|(words, id)| quoted(words, id));
        let content = column![].push(author).push(quote).push(self.said(entry, player, context)).spacing(metric::TIGHT);
        let bubble = container(content).padding([metric::SMALL - 1.0, metric::GAP]).max_width(metric::MESSAGE);
        let found = self.found_row() == Some(entry.key);
        let bubble = if message.mine {
            bubble.style(theme::container::bubble_mine(joined, found))
        } else {
            bubble.style(theme::container::bubble_theirs(joined, found))
        };
        let chosen = self.chosen == Some(entry.key);
        let bubble = press(bubble).padding(0).style(bare).on_right_press(Message::Choose(entry.key));
        let bubble = hover(bubble, more_button(entry.key));
        let side = if message.mine { Alignment::End } else { Alignment::Start };
        let block = column![bubble]
            .push(reactions(entry))
            .push(chosen.then(|| self.actions(entry, context)))
            .spacing(metric::TIGHT)
            .align_x(side)
            .width(Length::Fill);
        let top = if joined.above { 2.0 } else { metric::SMALL };
        container(block).padding(iced::padding::top(top)).into()
    }

    fn said<'a>(&'a self, entry: &'a Entry, player: &'a Player, context: Context<'a>) -> Element<'a, Message> {
        let message = &entry.message;
        let (i18n, palette) = (context.i18n, context.palette);
        let meta = meta(message, context);
        let width = meta_width(message, context);
        let quiet = |words: String| {
            let words = text(words).font(font::ITALIC).style(theme::text::muted);
            row![words, container(meta_row(message, context)).padding(iced::padding::left(metric::SMALL))]
                .align_y(Alignment::End)
                .into()
        };
        match message.kind.as_str() {
            "text" => {
                let size = if entry.rich.is_big() { metric::TITLE * 1.3 } else { metric::BODY };
                let words = selectable(entry.rich.spans(palette))
                    .size(size)
                    .line_height(metric::LINE)
                    .font(font::TEXT)
                    .on_link(Message::OpenLink)
                    .trailing(Size::new(width, metric::TINY * metric::LINE));
                let more = entry.rich.is_cut().then(|| {
                    press(text(i18n.tr("show-whole")).size(metric::CAPTION).font(font::MEDIUM))
                        .padding(0)
                        .style(theme::button::link)
                        .on_press(Message::ShowWhole(entry.key))
                });
                column![corner(words, meta)].push(more).into()
            }
            "voice" => self.voice(entry, player.place(&entry.message.id), context),
            "file" => self.file(entry, context),
            "deleted" => quiet(i18n.tr("said-deleted")),
            "missing" => quiet(i18n.tr("said-missing")),
            "malformed" => quiet(i18n.tr("said-malformed")),
            _ => quiet(i18n.tr("said-unknown")),
        }
    }

    fn actions<'a>(&'a self, entry: &'a Entry, context: Context<'a>) -> Element<'a, Message> {
        let (i18n, key) = (context.i18n, entry.key);
        let button = |icon, words: String, message| {
            let words = row![ui::sized_icon(icon, metric::CAPTION), text(words).size(metric::CAPTION)];
            press(words.spacing(metric::TIGHT).align_y(Alignment::Center))
                .padding([metric::TIGHT + 1.0, metric::SMALL])
                .style(theme::button::quiet)
                .on_press(message)
        };
        let quick = QUICK.iter().map(|sign| {
            press(text(*sign).font(font::EMOJI).size(metric::HEADING).line_height(1.1))
                .padding(metric::TIGHT)
                .style(theme::button::quiet)
                .on_press(Message::React(key, (*sign).to_owned()))
                .into()
        });
        let more = form::icon_button(Icon::Smile, i18n.tr("emoji"), Some(Message::ToggleEmoji(Target::Reaction(key))));
        let signs = iced::widget::Row::with_children(quick).push(more).align_y(Alignment::Center);
        let is_text = entry.message.kind == "text";
        let has_words = is_text || entry.message.transcript.is_some();
        let is_own = entry.message.spoken.as_ref().is_some_and(|spoken| spoken.source == "mine");
        let mut deeds = row![button(Icon::Reply, i18n.tr("reply"), Message::Reply(key))];
        deeds = deeds.push(has_words.then(|| button(Icon::Copy, i18n.tr("copy"), Message::Copy(key))));
        deeds = deeds.push(is_own.then(|| button(Icon::Pencil, i18n.tr("spoken-mend"), Message::Mend(key))));
        if entry.message.mine {
            deeds = deeds.push(is_text.then(|| button(Icon::Pencil, i18n.tr("edit"), Message::Edit(key))));
            deeds = deeds.push(button(Icon::Trash2, i18n.tr("delete"), Message::Delete(key)));
        }
        let picker = (self.emoji == Some(Target::Reaction(key))).then(|| self.picker(context));
        let words = tick::words(&entry.message, i18n);
        let when = context.clock.full(i18n, entry.message.sent_ms, context.now_ms);
        let facts = if words.is_empty() { when } else { format!("{when} · {words}") };
        let card =
            column![signs, deeds.spacing(metric::TIGHT).wrap(), ui::caption(facts)].push(picker).spacing(metric::TIGHT);
        container(card).padding(metric::SMALL).style(theme::container::card).into()
    }

    fn picker<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        emoji::picker(&self.emoji_query, Message::EmojiQueryChanged, Message::PickEmoji, context)
    }

    fn foot<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        if self.chat.state == "blocked" {
            let words = text(i18n.tr("blocked-words")).style(theme::text::muted).width(Length::Fill);
            let button = form::button(i18n.tr("unblock")).on_press(Message::Unblock);
            let line = row![words, button].spacing(metric::GAP).align_y(Alignment::Center);
            return container(line).padding(metric::GAP).style(theme::container::surface).into();
        }
        let above = match &self.mode {
            Mode::Write => None,
            Mode::Reply(message) => Some(self.mode_line(Icon::Reply, list::said(message, true, context), context)),
            Mode::Edit { .. } => Some(self.mode_line(Icon::Pencil, i18n.tr("editing"), context)),
            Mode::Mend { .. } => Some(self.mode_line(Icon::Pencil, i18n.tr("spoken-mending"), context)),
        };
        // Places of their own, as above.
        let place = |part: Option<Element<'a, Message>>| {
            part.map_or_else(nothing, |part| container(part).padding(iced::padding::bottom(metric::SMALL)).into())
        };
        let picker = (self.emoji == Some(Target::Composer)).then(|| self.picker(context));
        let smile = form::icon_button(Icon::Smile, i18n.tr("emoji"), Some(Message::ToggleEmoji(Target::Composer)));
        let attach = form::icon_button(Icon::Paperclip, i18n.tr("attach"), Some(Message::Sound(SoundDeed::Attach)));
        let field = composer(&self.composer, Message::Compose)
            .id(COMPOSER)
            .placeholder(i18n.tr("composer-placeholder"))
            .enter_submits(context.settings.enter_sends)
            .max_height(metric::COMPOSER_MAX)
            .on_submit(Message::Submit)
            .on_edit_last(Message::EditLast)
            .on_escape(Message::Cancel)
            .on_page(Message::Page);
        let may = !self.composer.is_empty();
        let send = press(ui::icon(Icon::SendHorizontal))
            .padding(metric::GAP - 1.0)
            .style(theme::button::primary)
            .on_press_maybe(may.then_some(Message::Submit));
        let writes = (!self.composer.is_empty() || self.mode != Mode::Write) && !self.recorder.is_in_use();
        let last: Element<'_, Message> = if writes { send.into() } else { self.recorder_button(context) };
        // What is recorded stands in the place of the field; the button keeps its own place, since it may be held.
        let written = self.tape(context).unwrap_or_else(|| {
            row![attach, field, smile].spacing(metric::TIGHT).align_y(Alignment::End).width(Length::Fill).into()
        });
        let written = row![written, last].spacing(metric::TIGHT).align_y(Alignment::End);
        let foot = column![place(picker), place(above), written];
        container(foot).padding(metric::GAP).style(theme::container::surface).into()
    }

    fn mode_line<'a>(&self, icon: Icon, words: String, context: Context<'a>) -> Element<'a, Message> {
        let words = line(words).size(metric::CAPTION).style(theme::text::muted).width(Length::Fill);
        let sign = text(icon.glyph()).font(font::ICONS).size(metric::CAPTION).style(theme::text::accent);
        let close = form::icon_button(Icon::X, context.i18n.tr("cancel"), Some(Message::Cancel));
        row![sign, words, close]
            .spacing(metric::SMALL)
            .padding(iced::padding::left(metric::GAP))
            .align_y(Alignment::Center)
            .into()
    }
}

/// Opens what can be done with a message: in the corner of the one that is pointed at.
fn more_button<'a>(key: u64) -> Element<'a, Message> {
    let more = press(text(Icon::ChevronDown.glyph()).font(font::ICONS).size(metric::CAPTION).line_height(1.0))
        .padding(metric::TIGHT)
        .style(theme::button::floating)
        .unfocusable()
        .on_press(Message::Choose(key));
    container(more)
        .width(Length::Fill)
        .height(Length::Fill)
        .align_x(Alignment::End)
        .align_y(Alignment::Start)
        .padding(metric::TIGHT / 2.0)
        .into()
}

/// The row of the day that begins with a message.
pub(super) fn day_row(entry: &Entry) -> u64 {
    DAYS | (entry.key >> 2)
}

fn stand_together(one: &Entry, other: &Entry) -> bool {
    one.message.author == other.message.author
        && one.message.kind != "left"
        && other.message.kind != "left"
        && other.message.sent_ms.saturating_sub(one.message.sent_ms) < TOGETHER_MS
}

fn bare(theme: &Theme, _status: crate::widget::press::Status) -> crate::widget::press::Style {
    let mut style = theme::button::quiet(theme, crate::widget::press::Status::Active);
    style.text_color = theme.palette().text;
    style.border.radius = metric::ROUND.into();
    style
}

fn centered<'a>(words: String) -> Element<'a, Message> {
    let pill = container(text(words).size(metric::CAPTION))
        .padding([metric::TIGHT - 1.0, metric::GAP])
        .style(theme::container::separator);
    container(pill).center_x(Length::Fill).padding([metric::SMALL, 0.0]).into()
}

fn unread_line<'a>(context: Context<'a>) -> Element<'a, Message> {
    let line = || container(space().height(1.0).width(Length::Fill)).style(theme::container::accent_line);
    let words =
        text(context.i18n.tr("unread-line")).size(metric::CAPTION).font(font::MEDIUM).style(theme::text::accent);
    row![line(), words, line()].spacing(metric::GAP).padding([metric::SMALL, 0.0]).align_y(Alignment::Center).into()
}

fn quoted<'a>(words: &str, id: &str) -> Element<'a, Message> {
    let (name, said) = words.split_once(": ").unwrap_or((words, ""));
    let lines = column![
        line(one_line(name, 40)).size(metric::CAPTION).font(font::SEMIBOLD).style(theme::text::accent),
        line(one_line(said, 100)).size(metric::CAPTION),
    ];
    let quote = container(lines).padding([metric::TIGHT, metric::SMALL]).style(theme::container::quote);
    press(quote).padding(0).style(bare).on_press(Message::Jump(id.to_owned())).into()
}

fn reactions<'a>(entry: &'a Entry) -> Option<Element<'a, Message>> {
    if entry.message.reactions.is_empty() {
        return None;
    }
    let signs = entry.message.reactions.iter().take(12).map(|(sign, count)| {
        let sign = one_line(sign, 2);
        let count = (*count > 1).then(|| text(count.to_string()).size(metric::CAPTION).line_height(1.1));
        let shown = text(sign.clone()).font(font::EMOJI).size(metric::CAPTION).line_height(1.1);
        press(row![shown].push(count).spacing(metric::TIGHT).align_y(Alignment::Center))
            .padding([metric::TIGHT - 1.0, metric::SMALL])
            .style(theme::button::reaction(false))
            .on_press(Message::React(entry.key, sign))
            .into()
    });
    Some(iced::widget::Row::with_children(signs).spacing(metric::TIGHT).wrap().into())
}

fn notice<'a>(words: &'a str, context: Context<'a>) -> Element<'a, Message> {
    let close = form::icon_button(Icon::X, context.i18n.tr("close"), Some(Message::CloseNotice));
    let line = row![ui::icon(Icon::CircleAlert), text(words).size(metric::CAPTION).width(Length::Fill), close];
    container(line.spacing(metric::SMALL).align_y(Alignment::Center))
        .padding([metric::TIGHT, metric::PAD])
        .style(theme::container::warning)
        .into()
}

/// What the model that is built in is good for, and the way to the others.
fn offer_models<'a>(context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let close = form::icon_button(Icon::X, i18n.tr("close"), Some(Message::CloseModels));
    let words = text(i18n.tr("models-offer")).size(metric::CAPTION).width(Length::Fill);
    let show = form::button(i18n.tr("models-show")).on_press(Message::ShowModels);
    let line = row![ui::icon(Icon::Info), words].spacing(metric::SMALL).align_y(Alignment::Center);
    let lines: Element<'a, Message> = if context.size.width < metric::SINGLE {
        column![line.push(close), container(show).align_right(Length::Fill)].spacing(metric::TIGHT).into()
    } else {
        line.push(show).push(close).into()
    };
    container(lines).padding([metric::SMALL, metric::PAD]).style(theme::container::warning).into()
}

fn meta_text(message: &Shown, context: Context<'_>) -> String {
    let time = context.clock.time(message.sent_ms);
    if message.edited { format!("{} {time}", context.i18n.tr("edited")) } else { time }
}

/// About how wide the time and the tick are: letters of this size are a little over half as wide as high.
fn meta_width(message: &Shown, context: Context<'_>) -> f32 {
    let letters = u16::try_from(meta_text(message, context).chars().count()).unwrap_or(u16::MAX);
    let tick = if message.mine { metric::CAPTION + metric::TIGHT } else { 0.0 };
    f32::from(letters) * metric::TINY * 0.6 + tick + metric::SMALL
}

/// The time and the tick.
pub(super) fn meta_row<'a>(message: &'a Shown, context: Context<'a>) -> Element<'a, Message> {
    let style: fn(&Theme) -> text::Style = if message.mine { theme::text::mine_muted } else { theme::text::muted };
    let time = text(meta_text(message, context)).size(metric::TINY).style(style).wrapping(text::Wrapping::None);
    let tick = message.mine.then(|| tick::tick(message)).flatten();
    row![time].push(tick).spacing(metric::TIGHT).align_y(Alignment::Center).into()
}

/// The time and the tick, with words to it for whoever points at them.
pub(super) fn meta<'a>(message: &'a Shown, context: Context<'a>) -> Element<'a, Message> {
    let line = meta_row(message, context);
    let words = tick::words(message, context.i18n);
    if words.is_empty() {
        return line;
    }
    let words =
        container(text(words).size(metric::CAPTION)).padding([metric::TIGHT, metric::SMALL]).max_width(metric::TIP);
    tooltip(line, words.style(theme::container::tooltip), tooltip::Position::Top)
        .delay(Duration::from_millis(300))
        .into()
}

fn failed_row<'a>(failed: &'a Failed, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let joined = Joined { above: false, below: false };
    let words = text(one_line(&failed.text, 2000)).size(metric::BODY);
    let bubble = container(words)
        .padding([metric::SMALL, metric::GAP])
        .max_width(metric::MESSAGE)
        .style(theme::container::bubble_mine(joined, false));
    let below: Element<'a, Message> = if failed.is_trying {
        ui::caption(i18n.tr("sending"))
    } else {
        let retry = form::button(i18n.tr("failure-retry")).on_press(Message::Retry(failed.key));
        let discard =
            form::button(i18n.tr("discard")).style(theme::button::quiet).on_press(Message::Discard(failed.key));
        let deeds = row![discard, retry].spacing(metric::SMALL);
        column![form::error(failed.problem.sentence(i18n)), deeds].spacing(metric::SMALL).align_x(Alignment::End).into()
    };
    let block = Column::with_children([bubble.into(), below]).spacing(metric::TIGHT).align_x(Alignment::End);
    container(block).align_right(Length::Fill).padding(iced::padding::top(metric::SMALL)).into()
}
