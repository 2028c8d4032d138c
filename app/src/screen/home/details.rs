//! The panel beside a conversation: who is in it, whether they are who they say, how they are reached, and how their voice notes are
//! listened to.

mod listening;
mod media;

use iced::widget::{Column, column, container, qr_code, row, space, text};
use iced::{Alignment, Length, Task, clipboard};
use kith_core::client::entry::SafetyCode;
use kith_core::wire::control::{Chat, Member, Message as Shown, Reach, Request, Status};

use crate::app::Context;
use crate::backend::Backend;
use crate::format::{self, one_line};
use crate::problem::Problem;
use crate::said;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::avatar::{self, Pictures};
use crate::ui::{self, choice, form};
use crate::widget::line::line;
use crate::widget::press::press;

use self::listening::ListeningPart;
#[cfg(test)]
pub(crate) use self::listening::Message as ListeningMessage;
use self::media::MediaPart;
#[cfg(test)]
pub(crate) use self::media::Message as MediaMessage;
use super::player::{Player, Wish};

/// The panel.
#[derive(Debug)]
pub(crate) struct Details {
    chat: Chat,
    backend: Backend,
    members: Option<Vec<Member>>,
    reach: Option<Reach>,
    code: Option<qr_code::Data>,
    listening: ListeningPart,
    media: MediaPart,
    problem: Option<Problem>,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Who is in it.
    MembersKnown(Result<Vec<Member>, Problem>),
    /// How they are reached.
    StatusKnown(Result<Box<Status>, Problem>),
    /// A switch: above all others.
    Pin(bool),
    /// A switch: without a sound.
    Mute(bool),
    /// The numbers were compared.
    Verify,
    /// Of how voice notes are listened to.
    Listening(listening::Message),
    /// Of what was shared.
    Media(media::Message),
    /// Copy the safety number.
    CopyNumber,
    /// Block them; asks first.
    Block,
    /// Take the block back.
    Unblock,
    /// To the chat with this member.
    Open(String),
    /// A command was carried out, or not.
    Done(Result<(), Problem>),
    /// Away with the panel.
    Close,
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Asks whether this account is to be blocked.
    ConfirmBlock(String),
    /// To the chat with this account.
    Open(String),
    /// To this message of the chat.
    Show(String),
    /// Wants this of what plays.
    Player(Wish),
    /// Away with the panel.
    Close,
}

impl Details {
    /// The panel of a chat.
    pub(crate) fn new(chat: Chat, backend: Backend) -> (Self, Task<Message>) {
        let status = Task::perform(backend.clone().status(), |status| Message::StatusKnown(status.map(Box::new)));
        let (listening, listens) = ListeningPart::new(chat.id.clone(), backend.clone());
        let (media, shares) = MediaPart::new(chat.id.clone(), backend.clone());
        let details = Self { chat, backend, members: None, reach: None, code: None, listening, media, problem: None };
        let members = details.load_members();
        (details, Task::batch([members, status, listens.map(Message::Listening), shares.map(Message::Media)]))
    }

    /// A message came, or is another now.
    pub(crate) fn told(&mut self, message: &Shown) {
        if message.conversation == self.chat.id {
            self.media.told(message);
        }
    }

    /// The chat is another now.
    pub(crate) fn chat_changed(&mut self, chat: &Chat) {
        if chat.id == self.chat.id {
            let is_same = (&self.chat.account, &self.chat.safety_number) == (&chat.account, &chat.safety_number);
            self.chat = chat.clone();
            if !is_same {
                self.code = self.code();
            }
        }
    }

    /// Somebody says something else about themselves: who is in it is read anew.
    pub(crate) fn person_changed(&self, account: &str) -> Task<Message> {
        if self.members().iter().any(|member| member.account == account) {
            return self.load_members();
        }
        Task::none()
    }

    /// Who is in it, as far as it is known.
    pub(crate) fn members(&self) -> &[Member] {
        self.members.as_deref().unwrap_or_default()
    }

    fn load_members(&self) -> Task<Message> {
        Task::perform(self.backend.clone().members(self.chat.id.clone()), Message::MembersKnown)
    }

    /// What is drawn for a camera beside the safety number; none before it is known who is here.
    fn code(&self) -> Option<qr_code::Data> {
        self.chat.safety_number.as_ref()?;
        let me = self.members.as_ref()?.iter().find(|member| member.me)?;
        let code =
            SafetyCode { shown_by: me.account.parse().ok()?, meant_for: self.chat.account.as_deref()?.parse().ok()? };
        qr_code::Data::new(code.encode()).ok()
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        let with = self.chat.id.clone();
        let who = self.chat.account.clone().unwrap_or_default();
        match message {
            Message::MembersKnown(Ok(members)) => {
                self.members = Some(members);
                self.code = self.code();
            }
            Message::StatusKnown(Ok(status)) => {
                self.reach = status.contacts.into_iter().find(|reach| reach.account == who);
            }
            Message::Pin(on) => {
                self.chat.pinned = on;
                return self.run(Request::Arrange { with, pinned: Some(on), muted: None });
            }
            Message::Mute(on) => {
                self.chat.muted = on;
                return self.run(Request::Arrange { with, pinned: None, muted: Some(on) });
            }
            Message::Verify => return self.run(Request::Verify { who }),
            Message::Listening(message) => return Action::Run(self.listening.update(message).map(Message::Listening)),
            Message::Media(media::Message::Came(chat, shared)) => self.media.came(&chat, shared),
            Message::Media(media::Message::More) => return Action::Run(self.media.ask().map(Message::Media)),
            Message::Media(media::Message::Show(message)) => return Action::Show(message),
            Message::Media(media::Message::Player(wish)) => return Action::Player(wish),
            Message::CopyNumber => {
                let number = self.chat.safety_number.clone();
                return Action::Run(number.map_or_else(Task::none, clipboard::write));
            }
            Message::Block => return Action::ConfirmBlock(who),
            Message::Unblock => return self.run(Request::Unblock { who }),
            Message::Open(account) => return Action::Open(account),
            Message::Done(Ok(())) => self.problem = None,
            Message::Done(Err(problem)) | Message::MembersKnown(Err(problem)) | Message::StatusKnown(Err(problem)) => {
                self.problem = Some(problem);
            }
            Message::Close => return Action::Close,
        }
        Action::None
    }

    fn run(&self, request: Request) -> Action {
        Action::Run(Task::perform(self.backend.clone().command(request), Message::Done))
    }

    /// What is drawn.
    pub(crate) fn view<'a>(
        &'a self,
        width: Length,
        chats: &'a [Chat],
        pictures: &'a Pictures,
        player: &'a Player,
        context: Context<'a>,
    ) -> Element<'a, Message> {
        let i18n = context.i18n;
        let head = row![
            ui::heading(i18n.tr("details")),
            space::horizontal(),
            form::icon_button(Icon::X, i18n.tr("close"), Some(Message::Close)),
        ]
        .align_y(Alignment::Center)
        .padding([0.0, metric::GAP]);
        let is_direct = self.chat.kind == "direct";
        let content = column![inset(self.who(pictures))]
            .push(self.problem.as_ref().map(|problem| inset(form::error(problem.sentence(i18n)))))
            .push(self.switches(context))
            .push(is_direct.then(|| inset(self.safety(context))))
            .push(is_direct.then(|| inset(self.path(context))))
            .push((!is_direct).then(|| self.people(chats, pictures, context)))
            .push(self.listening.view(context).map(Message::Listening))
            .push(self.media.view(player, context).map(Message::Media))
            .push(is_direct.then(|| inset(self.block(context))))
            .spacing(metric::WIDE)
            .padding(iced::padding::right(metric::SMALL));
        let panel = column![head, ui::scroll(content).height(Length::Fill)].spacing(metric::PAD);
        container(panel)
            .width(width)
            .height(Length::Fill)
            .padding([metric::PAD, metric::TIGHT])
            .style(theme::container::surface)
            .into()
    }

    fn who<'a>(&'a self, pictures: &'a Pictures) -> Element<'a, Message> {
        let chat = &self.chat;
        let id = chat.account.as_deref().unwrap_or(&chat.id);
        let round = avatar::avatar(&chat.name, id, pictures.of(chat), metric::AVATAR_LARGE);
        let handle = chat.handle.as_deref().filter(|handle| *handle != chat.name);
        let about = chat.about.as_deref().filter(|about| !about.is_empty());
        column![round, text(one_line(&chat.name, 64)).size(metric::HEADING).font(font::SEMIBOLD).center()]
            .push(handle.map(|handle| line(one_line(handle, 80)).size(metric::CAPTION).style(theme::text::muted)))
            .push(about.map(|about| text(one_line(about, 300)).size(metric::CAPTION).center()))
            .spacing(metric::SMALL)
            .width(Length::Fill)
            .align_x(Alignment::Center)
            .into()
    }

    fn switches<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        column![
            choice::switch(i18n.tr("mute"), None, self.chat.muted, Some(Message::Mute(!self.chat.muted))),
            choice::switch(i18n.tr("pin"), None, self.chat.pinned, Some(Message::Pin(!self.chat.pinned))),
        ]
        .into()
    }

    fn safety<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let (sign, words, style) = if self.chat.verified {
            (Icon::ShieldCheck, i18n.tr("verified"), theme::text::good as fn(&theme::Theme) -> text::Style)
        } else {
            (Icon::Shield, i18n.tr("not-verified"), theme::text::muted as fn(&theme::Theme) -> text::Style)
        };
        let state = row![
            text(sign.glyph()).font(font::ICONS).size(metric::ICON).style(style),
            text(words).font(font::MEDIUM).style(style),
        ]
        .spacing(metric::SMALL)
        .align_y(Alignment::Center);
        let number = self.chat.safety_number.as_deref().map(|number| {
            let number = text(lines_of(number)).font(font::MONO).size(metric::CAPTION).center();
            press(container(number).center_x(Length::Fill))
                .width(Length::Fill)
                .style(theme::button::secondary)
                .on_press(Message::CopyNumber)
        });
        let code =
            self.code.as_ref().map(|code| container(qr_code(code).total_size(metric::CODE)).center_x(Length::Fill));
        let verify = (!self.chat.verified && self.chat.safety_number.is_some())
            .then(|| form::wide_button(i18n.tr("verify")).on_press(Message::Verify));
        column![text(i18n.tr("safety-number")).font(font::SEMIBOLD), state, ui::caption(i18n.tr("safety-words"))]
            .push(number)
            .push(code)
            .push(verify)
            .spacing(metric::SMALL)
            .into()
    }

    fn path<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let path = self.chat.path.as_deref().unwrap_or("mailbox");
        let words = text(i18n.tr(&format!("path-{path}"))).font(font::MEDIUM);
        let why = self.reach.as_ref().and_then(|reach| said::why_not_better(reach, i18n)).map(ui::caption);
        let time = self.reach.as_ref().and_then(|reach| reach.round_trip_ms).map(|ms| {
            ui::caption(i18n.tr_with("round-trip", [("ms", format::decimal(i18n, format_args!("{ms:.1}")).into())]))
        });
        column![text(i18n.tr("connection")).font(font::SEMIBOLD), words]
            .push(why)
            .push(time)
            .spacing(metric::TIGHT)
            .into()
    }

    fn people<'a>(&'a self, chats: &'a [Chat], pictures: &'a Pictures, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let heading = text(i18n.count("members-count", self.chat.members.into())).font(font::SEMIBOLD);
        let Some(members) = &self.members else {
            return inset(column![heading, ui::caption(i18n.tr("loading"))].spacing(metric::SMALL));
        };
        let rows = members.iter().map(|member| {
            let name = if member.me { i18n.tr("you") } else { one_line(&member.name, 60) };
            // Who is no contact has no chat to open.
            let has_chat = chats.iter().any(|chat| chat.account.as_deref() == Some(&member.account));
            let picture = member.picture.as_deref().and_then(|name| pictures.get(name));
            let round = avatar::avatar(&name, &member.account, picture, metric::AVATAR_SMALL);
            let sign = member.verified.then(|| {
                text(Icon::ShieldCheck.glyph()).font(font::ICONS).size(metric::CAPTION).style(theme::text::good)
            });
            let line = row![round, line(name).width(Length::Fill)].push(sign);
            press(line.spacing(metric::GAP).align_y(Alignment::Center))
                .width(Length::Fill)
                .style(theme::button::row(false))
                .on_press_maybe(has_chat.then(|| Message::Open(member.account.clone())))
                .into()
        });
        column![inset(heading), Column::with_children(rows)].spacing(metric::SMALL).into()
    }

    fn block<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        if self.chat.state == "blocked" {
            return form::wide_button(i18n.tr("unblock")).on_press(Message::Unblock).into();
        }
        form::wide_button(i18n.tr("block")).style(theme::button::against).on_press(Message::Block).into()
    }
}

/// Stands where the words of rows stand, which have a ground of their own around them.
fn inset<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    container(content).padding([0.0, metric::GAP]).into()
}

/// Twelve groups of digits in lines of four.
fn lines_of(number: &str) -> String {
    let groups: Vec<&str> = number.split_whitespace().collect();
    groups.chunks(4).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
}
