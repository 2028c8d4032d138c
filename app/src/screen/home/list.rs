//! The list of chats: whoever was active last on top, under those that are pinned.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;

use iced::widget::{column, container, image, keyed_column, responsive, row, space, text, text_input};
use iced::{Alignment, Length};
use kith_core::wire::control::{Chat, ContactRequest, Message as Shown};

use crate::app::Context;
use crate::format::one_line;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, avatar, form, tick};
use crate::widget::line::line;
use crate::widget::press::press;

/// Where the search is typed.
pub(crate) const SEARCH: &str = "list-search";

/// So many rows above and below those that are seen are in the widget tree too: for the walk of the focus, and for a wheel that
/// turns fast. Shaped words take memory, and so those of all chats are not kept.
const BEYOND: usize = 8;

/// The chats that are there.
#[derive(Debug, Default)]
pub(crate) struct ChatList {
    chats: Vec<Chat>,
    requests: Vec<ContactRequest>,
    query: String,
    is_loaded: bool,
    /// How far down it is scrolled.
    top: f32,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Something else is looked for.
    QueryChanged(String),
    /// The first that was found is wanted.
    Submit,
    /// A chat is wanted.
    Open(String),
    /// A contact request is looked at.
    Review(String),
    /// Somebody new.
    AddContact,
    /// It is scrolled so far down.
    Scrolled(f32),
}

/// What stands in one row.
#[derive(Clone, Copy)]
enum Row<'a> {
    Request(&'a ContactRequest),
    Chat(&'a Chat),
}

impl Row<'_> {
    /// By what it is known again when it moves.
    fn key(self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Request(request) => (0, &request.account).hash(&mut hasher),
            Self::Chat(chat) => (1, &chat.id).hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// Which of so many rows are in the widget tree, where `height` of them is seen from `top` on.
fn in_view(top: f32, height: f32, rows: usize) -> Range<usize> {
    let lowest = (rows as f32).mul_add(metric::ROW, -height).max(0.0);
    let first = (top.clamp(0.0, lowest) / metric::ROW) as usize;
    let seen = (height / metric::ROW).ceil() as usize;
    first.saturating_sub(BEYOND)..first.saturating_add(seen).saturating_add(1 + BEYOND).min(rows)
}

impl ChatList {
    /// All of them anew.
    pub(crate) fn load(&mut self, chats: Vec<Chat>, requests: Vec<ContactRequest>) {
        self.chats = chats;
        self.requests = requests;
        self.is_loaded = true;
        self.sort();
    }

    /// A chat appeared or is another now; whether that is a new one.
    pub(crate) fn change(&mut self, chat: Chat) {
        // Whoever asked and was accepted asks no more.
        self.requests.retain(|request| chat.account.as_ref() != Some(&request.account));
        match self.chats.iter_mut().find(|known| known.id == chat.id) {
            Some(known) => *known = chat,
            None => self.chats.push(chat),
        }
        self.sort();
    }

    /// A chat is there no more.
    pub(crate) fn remove(&mut self, id: &str) {
        self.chats.retain(|chat| chat.id != id);
    }

    /// Somebody asks for contact.
    pub(crate) fn asked(&mut self, request: ContactRequest) {
        self.requests.retain(|known| known.account != request.account);
        self.requests.insert(0, request);
    }

    /// A request was answered.
    pub(crate) fn answered(&mut self, account: &str) {
        self.requests.retain(|request| request.account != account);
    }

    /// The chat of this id.
    pub(crate) fn chat(&self, id: &str) -> Option<&Chat> {
        self.chats.iter().find(|chat| chat.id == id)
    }

    /// The chat with this account.
    pub(crate) fn chat_with(&self, account: &str) -> Option<&Chat> {
        self.chats.iter().find(|chat| chat.account.as_deref() == Some(account))
    }

    /// The request of this account.
    pub(crate) fn request(&self, account: &str) -> Option<&ContactRequest> {
        self.requests.iter().find(|request| request.account == account)
    }

    /// All chats in the order of the list.
    pub(crate) fn chats(&self) -> &[Chat] {
        &self.chats
    }

    /// Messages that were not read, but for muted chats, and requests.
    pub(crate) fn unread(&self) -> u64 {
        let waiting = u64::try_from(self.requests.len()).unwrap_or_default();
        let unread = self.chats.iter().filter(|chat| !chat.muted).map(|chat| chat.unread);
        unread.fold(waiting, u64::saturating_add)
    }

    /// The chat so many places after this one, of those that are shown.
    pub(crate) fn beside(&self, id: Option<&str>, by: isize) -> Option<&Chat> {
        let shown: Vec<&Chat> = self.found().collect();
        let at = id.and_then(|id| shown.iter().position(|chat| chat.id == id));
        let to = match at {
            Some(at) => at.checked_add_signed(by)?,
            None => 0,
        };
        shown.get(to).copied()
    }

    /// The chat at this place of those that are shown, from 1.
    pub(crate) fn at(&self, place: usize) -> Option<&Chat> {
        self.found().nth(place.checked_sub(1)?)
    }

    /// Something else is looked for.
    pub(crate) fn search(&mut self, query: String) {
        self.query = query;
    }

    /// It was scrolled.
    pub(crate) fn scrolled(&mut self, top: f32) {
        self.top = top;
    }

    fn sort(&mut self) {
        self.chats.sort_by(|one, other| {
            (other.pinned, other.active_ms).cmp(&(one.pinned, one.active_ms)).then_with(|| one.name.cmp(&other.name))
        });
    }

    fn found(&self) -> impl Iterator<Item = &Chat> {
        let words: Vec<String> = self.query.to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.chats.iter().filter(move |chat| words.is_empty() || matches(chat, &words))
    }

    /// What is drawn.
    pub(crate) fn view<'a>(
        &'a self,
        open: Option<&str>,
        pictures: &'a ui::avatar::Pictures,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let i18n = context.i18n;
        let search = text_input(&i18n.tr("list-search"), &self.query)
            .id(SEARCH)
            .on_input(Message::QueryChanged)
            .on_submit(Message::Submit)
            .padding([metric::SMALL, metric::PAD])
            .size(metric::BODY)
            .style(theme::input::search);
        let add = form::icon_button(Icon::UserPlus, i18n.tr("add-contact"), Some(Message::AddContact));
        let head = row![search, add].spacing(metric::TIGHT).align_y(Alignment::Center).padding(metric::GAP);
        let body = if !self.is_loaded {
            container(ui::caption(i18n.tr("list-loading"))).center_x(Length::Fill).padding(metric::WIDE).into()
        } else if self.chats.is_empty() && self.requests.is_empty() {
            self.view_empty(context)
        } else {
            self.view_rows(open, pictures, context)
        };
        column![head, body].height(Length::Fill).into()
    }

    fn view_empty<'a>(&self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let add = form::button(i18n.tr("add-contact")).style(theme::button::primary).on_press(Message::AddContact);
        ui::empty(Icon::Users, i18n.tr("list-empty-title"), i18n.tr("list-empty-words"), Some(add.into()))
    }

    fn view_rows<'a>(
        &'a self,
        open: Option<&str>,
        pictures: &'a ui::avatar::Pictures,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let i18n = context.i18n;
        let requests = self.requests.iter().filter(|_| self.query.is_empty()).map(Row::Request);
        let rows: Vec<Row<'_>> = requests.chain(self.found().map(Row::Chat)).collect();
        if rows.is_empty() {
            return ui::empty(Icon::Search, i18n.tr("list-nothing-title"), i18n.tr("list-nothing-words"), None);
        }
        let open = open.map(str::to_owned);
        let view = move |row: &Row<'a>| match *row {
            Row::Request(request) => request_row(request, context),
            Row::Chat(chat) => chat_row(chat, open.as_deref() == Some(chat.id.as_str()), pictures.of(chat), context),
        };
        responsive(move |room| {
            let shown = in_view(self.top, room.height, rows.len());
            let gap = |rows: usize| space().height(rows as f32 * metric::ROW);
            let (above, below) = (gap(shown.start), gap(rows.len() - shown.end));
            let shown = keyed_column(rows.get(shown).unwrap_or_default().iter().map(|row| (row.key(), view(row))));
            let rows =
                column![above, shown.width(Length::Fill), below].padding([0.0, metric::SMALL]).width(Length::Fill);
            ui::scroll(rows)
                .height(Length::Fill)
                .on_scroll(|viewport| Message::Scrolled(viewport.absolute_offset().y))
                .into()
        })
        .into()
    }
}

fn matches(chat: &Chat, words: &[String]) -> bool {
    let name = chat.name.to_lowercase();
    let handle = chat.handle.as_deref().unwrap_or_default().to_lowercase();
    words.iter().all(|word| name.contains(word) || handle.contains(word))
}

fn request_row<'a>(request: &'a ContactRequest, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let name = request.handle.as_deref().unwrap_or(&request.account);
    let picture = avatar::avatar(name, &request.account, None, metric::AVATAR);
    let title = line(one_line(name, 40)).font(font::SEMIBOLD);
    let words = line(i18n.tr("list-request")).size(metric::CAPTION).style(theme::text::accent);
    let lines = column![title, words].spacing(metric::TIGHT / 2.0).width(Length::Fill);
    let badge = container(ui::sized_icon(Icon::UserPlus, metric::CAPTION))
        .padding(metric::TIGHT + 1.0)
        .style(theme::container::badge);
    let content = row![picture, lines, badge].spacing(metric::GAP).align_y(Alignment::Center);
    press(content)
        .width(Length::Fill)
        .height(metric::ROW)
        .style(theme::button::row(false))
        .on_press(Message::Review(request.account.clone()))
        .into()
}

/// A row of the list.
pub(crate) fn chat_row<'a>(
    chat: &'a Chat,
    is_open: bool,
    picture: Option<&'a image::Handle>,
    context: Context<'a>,
) -> Element<'a, Message> {
    let round = avatar::avatar(&chat.name, chat.account.as_deref().unwrap_or(&chat.id), picture, metric::AVATAR);
    let is_here = matches!(chat.path.as_deref(), Some("lan" | "direct" | "circuit"));
    let round = if is_here { avatar::with_presence(round, metric::AVATAR) } else { round };
    let name = line(one_line(&chat.name, 60)).font(font::SEMIBOLD).width(Length::Fill);
    let mut title = row![name].spacing(metric::TIGHT).align_y(Alignment::Center);
    if chat.verified {
        title = title.push(small(Icon::ShieldCheck, theme::text::good));
    }
    if chat.muted {
        title = title.push(small(Icon::BellOff, theme::text::muted));
    }
    if let Some(last) = &chat.last {
        title = title.push(last.mine.then(|| tick::tick(last)).flatten());
        title = title.push(
            text(context.clock.short(context.i18n, last.sent_ms, context.now_ms))
                .size(metric::TINY)
                .style(theme::text::muted),
        );
    }
    let mut below = row![preview(chat, context)].spacing(metric::TIGHT).align_y(Alignment::Center);
    if chat.unread > 0 {
        below = below.push(badge(chat));
    } else if chat.pinned {
        below = below.push(small(Icon::Pin, theme::text::muted));
    }
    let lines = column![title, below].spacing(metric::TIGHT - 1.0).width(Length::Fill);
    press(row![round, lines].spacing(metric::GAP).align_y(Alignment::Center))
        .width(Length::Fill)
        .height(metric::ROW)
        .style(theme::button::row(is_open))
        .on_press(Message::Open(chat.id.clone()))
        .into()
}

fn small<'a>(icon: Icon, style: fn(&crate::theme::Theme) -> text::Style) -> Element<'a, Message> {
    text(icon.glyph()).font(font::ICONS).size(metric::CAPTION).line_height(1.0).style(style).into()
}

fn badge<'a>(chat: &Chat) -> Element<'a, Message> {
    let number = if chat.unread > 999 { "999+".to_owned() } else { chat.unread.to_string() };
    let style = if chat.muted { theme::container::badge_quiet } else { theme::container::badge };
    container(text(number).size(metric::TINY).font(font::SEMIBOLD).line_height(1.0).center())
        .padding([metric::TIGHT, metric::SMALL - 1.0])
        .style(style)
        .into()
}

/// The second line: what was typed and not sent, else what was said last.
fn preview<'a>(chat: &Chat, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let (lead, words) = match (&chat.draft, chat.state.as_str(), &chat.last) {
        (Some(draft), _, _) => (Some(i18n.tr("list-draft")), one_line(draft, 100)),
        (None, "asked", _) => (None, i18n.tr("list-asked")),
        (None, "blocked", _) => (None, i18n.tr("list-blocked")),
        (None, _, Some(last)) => (None, said(last, chat.kind == "group", context)),
        (None, _, None) => (None, i18n.tr("list-new")),
    };
    let lead = lead.map(|lead| text(lead).size(metric::CAPTION).style(theme::text::danger));
    let words = line(words).size(metric::CAPTION).style(theme::text::muted).width(Length::Fill);
    row![].push(lead).push(words).spacing(metric::TIGHT).into()
}

/// A message in one line.
pub(crate) fn said(message: &Shown, names: bool, context: Context<'_>) -> String {
    let i18n = context.i18n;
    let words = match message.kind.as_str() {
        "text" => one_line(message.text.as_deref().unwrap_or_default(), 100),
        "voice" => i18n.tr("said-voice"),
        "file" => match &message.file {
            Some(file) => format!("{}: {}", i18n.tr("said-file"), one_line(&file.name, 60)),
            None => i18n.tr("said-file"),
        },
        "deleted" => i18n.tr("said-deleted"),
        "left" => i18n.tr("said-left"),
        _ => i18n.tr("said-unknown"),
    };
    if message.mine {
        format!("{}: {words}", i18n.tr("you"))
    } else if names {
        format!("{}: {words}", one_line(&message.author_name, 24))
    } else {
        words
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A contact of this name, as the core would show it.
    pub(crate) fn chat(name: &str) -> Chat {
        Chat {
            id: format!("id-{name}"),
            kind: "direct".into(),
            account: Some(format!("account-{name}")),
            name: name.into(),
            handle: None,
            state: "accepted".into(),
            verified: false,
            safety_number: None,
            unread: 0,
            pinned: false,
            muted: false,
            draft: None,
            last: None,
            active_ms: 0,
            path: None,
            picture: None,
            about: None,
            members: 2,
        }
    }

    fn names(list: &ChatList) -> Vec<&str> {
        list.found().map(|chat| chat.name.as_str()).collect()
    }

    #[test]
    fn who_is_pinned_stands_above_who_was_active_last() {
        let mut list = ChatList::default();
        let chats = [("Ann", 1, false), ("Bob", 3, false), ("Cid", 2, true)];
        let chats = chats.map(|(name, active_ms, pinned)| Chat { active_ms, pinned, ..chat(name) });
        list.load(chats.into(), Vec::new());
        assert_eq!(names(&list), ["Cid", "Bob", "Ann"]);
        list.change(Chat { active_ms: 9, ..chat("Ann") });
        assert_eq!(names(&list), ["Cid", "Ann", "Bob"]);
        assert_eq!(list.beside(Some("id-Cid"), 1).map(|chat| chat.name.as_str()), Some("Ann"));
        assert_eq!(list.beside(Some("id-Cid"), -1), None);
        assert_eq!(list.at(3).map(|chat| chat.name.as_str()), Some("Bob"));
    }

    #[test]
    fn a_search_finds_names_and_handles_whatever_their_case() {
        let mut list = ChatList::default();
        let handle = Some("zoe@relay".to_owned());
        list.load(vec![chat("Андрей"), Chat { handle, ..chat("Mum") }], Vec::new());
        for (query, found) in
            [("АНД", vec!["Андрей"]), ("zoe", vec!["Mum"]), ("nobody", vec![]), ("  ", vec!["Mum", "Андрей"])]
        {
            list.search(query.into());
            assert_eq!(names(&list), found, "{query}");
        }
    }

    #[test]
    fn only_rows_near_those_seen_are_kept() {
        let all = 200;
        let height = 10.0 * metric::ROW;
        assert_eq!(in_view(0.0, height, all), 0..11 + BEYOND);
        assert_eq!(in_view(100.5 * metric::ROW, height, all), 100 - BEYOND..111 + BEYOND);
        assert_eq!(in_view(190.0 * metric::ROW, height, all), 190 - BEYOND..all);
        // What is searched has become short, and nothing said yet that it is not scrolled any more.
        assert_eq!(in_view(190.0 * metric::ROW, height, 3), 0..3);
        assert_eq!(in_view(f32::NAN, height, 0), 0..0);
        assert_eq!(in_view(0.0, f32::INFINITY, 30), 0..30);
    }

    #[test]
    fn what_waits_is_counted_but_for_muted_chats() {
        let mut list = ChatList::default();
        list.load(vec![Chat { unread: 3, ..chat("Ann") }, Chat { unread: 5, muted: true, ..chat("Bob") }], Vec::new());
        let request = ContactRequest {
            account: "account-Cid".into(),
            handle: None,
            text: String::new(),
            sent_ms: 0,
            remembered: false,
        };
        list.asked(request.clone());
        list.asked(request);
        assert_eq!(list.unread(), 4);
        // Whoever was accepted asks no more.
        list.change(chat("Cid"));
        assert_eq!(list.unread(), 3);
    }
}
