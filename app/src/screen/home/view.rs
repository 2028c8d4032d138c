//! What the main window looks like.

use iced::widget::{column, container, row, space, text};
use iced::{Alignment, Length};

use super::{Home, Link, Message, Modal};
use crate::app::Context;
use crate::modal::{help, review};
use crate::said;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};
use crate::widget::focus_scope::modal;
use crate::widget::press::press;

impl Home {
    /// What is drawn.
    pub(crate) fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let body = row![self.rail(context), vertical_line(), self.body(context)];
        // Each has a place of its own, also while it is away: what lies below keeps its state, and the focus, when one comes.
        let nothing = || row![].into();
        let banner = self.banner(context).unwrap_or_else(nothing);
        let window = column![banner, self.warning(context).unwrap_or_else(nothing), body];
        // The ground is the window's own: one as large as the window would be drawn through a mask for every caret that blinks.
        let base: Element<'a, Message> = container(window).width(Length::Fill).height(Length::Fill).into();
        modal(base, self.above(context), Message::CloseModal)
    }

    fn above<'a>(&'a self, context: Context<'a>) -> Option<Element<'a, Message>> {
        let chats = self.list.chats();
        Some(match self.modal.as_ref()? {
            Modal::Add(add) => add.view(context).map(Message::Add),
            Modal::Group(group) => group.view(chats, &self.pictures, context).map(Message::Group),
            Modal::Switcher(switcher) => switcher.view(chats, &self.pictures, context).map(Message::Switcher),
            Modal::Help => help::view(context.i18n).map(Message::Help),
            Modal::Review { account, is_busy } => {
                review::view(self.list.request(account)?, *is_busy, context).map(Message::Review)
            }
            Modal::Question(question) => question.view(context.i18n).map(Message::Question),
        })
    }

    fn rail<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let place = |icon, words: String, is_here, message| {
            let button = press(container(ui::sized_icon(icon, metric::ICON + 4.0)).center(Length::Fill))
                .width(metric::RAIL - metric::PAD)
                .height(metric::RAIL - metric::PAD)
                .padding(0)
                .style(theme::button::rail(is_here))
                .on_press(message);
            ui::with_tooltip(button, words, iced::widget::tooltip::Position::Right)
        };
        let rail = column![
            place(Icon::MessageCircle, i18n.tr("chats"), self.page.is_none(), Message::ShowChats),
            place(Icon::UserPlus, i18n.tr("add-contact"), false, Message::ShowAdd),
            place(Icon::Users, i18n.tr("new-group"), false, Message::ShowGroup),
            space::vertical(),
            place(Icon::Keyboard, i18n.tr("help-title"), false, Message::ShowHelp),
            place(Icon::Settings, i18n.tr("settings"), self.page.is_some(), Message::ShowSettings),
        ];
        container(rail.spacing(metric::TIGHT).align_x(Alignment::Center))
            .width(metric::RAIL)
            .height(Length::Fill)
            .padding([metric::SMALL, 0.0])
            .align_x(Alignment::Center)
            .style(theme::container::rail)
            .into()
    }

    fn body<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        // A message of the open chat says itself what plays.
        let chat = self.open.as_ref().filter(|_| self.page.is_none()).map(|open| open.chat().id.as_str());
        let strip = self.player.strip(chat, context).map(|strip| strip.map(Message::Player));
        column![strip.unwrap_or_else(|| row![].into()), self.shown(context)].into()
    }

    fn shown<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        if let Some(page) = &self.page {
            return page.view(context).map(Message::Settings);
        }
        if let Some(problem) = &self.problem {
            let again = form::button(context.i18n.tr("failure-retry")).on_press(Message::Reload);
            let words = problem.sentence(context.i18n);
            return ui::empty(Icon::CircleAlert, context.i18n.tr("list-failed"), words, Some(again.into()));
        }
        let is_single = Self::is_single(context);
        let is_narrow = context.size.width < metric::NARROW;
        let chats = self.list.chats();
        let details = self.details.as_ref();
        let is_alone = context.size.width < metric::BESIDE;
        let width = if is_alone { Length::Fill } else { Length::Fixed(metric::DETAILS) };
        let details = details
            .map(|details| details.view(width, chats, &self.pictures, &self.player, context).map(Message::Details));
        match (&self.open, details) {
            (Some(_), Some(details)) if is_alone => details,
            (Some(_), None) if is_single => self.conversation(is_single, context),
            (None, _) if is_single => self.list(Length::Fill, context),
            (_, Some(details)) if is_narrow => {
                row![self.conversation(is_single, context), vertical_line(), details].into()
            }
            (_, details) => row![self.list(Length::Fixed(metric::LIST), context), vertical_line()]
                .push(self.conversation(is_single, context))
                .push(details.map(|details| row![vertical_line(), details]))
                .into(),
        }
    }

    fn list<'a>(&'a self, width: Length, context: Context<'a>) -> Element<'a, Message> {
        let open = self.open.as_ref().map(|open| open.chat().id.as_str());
        let list = self.list.view(open, &self.pictures, context).map(Message::List);
        container(list).width(width).height(Length::Fill).style(theme::container::surface).into()
    }

    fn conversation<'a>(&'a self, is_single: bool, context: Context<'a>) -> Element<'a, Message> {
        let Some(open) = &self.open else {
            let i18n = context.i18n;
            let empty = ui::empty(Icon::MessageCircle, i18n.tr("choose-title"), i18n.tr("choose-words"), None);
            return empty;
        };
        let id = open.chat().id.clone();
        open.view(&self.player, &self.pictures, is_single, context)
            .map(move |message| Message::Conversation(id.clone(), message))
    }

    /// Says that the relay is not reached, or not yet: messages wait.
    fn banner<'a>(&'a self, context: Context<'a>) -> Option<Element<'a, Message>> {
        let i18n = context.i18n;
        let (sign, words, ground, why) = match &self.link {
            Link::Unknown | Link::Up => return None,
            Link::Calling => (
                Icon::RefreshCw,
                i18n.tr("connecting"),
                theme::container::rail as fn(&theme::Theme) -> container::Style,
                &None,
            ),
            Link::Down(why) => {
                (Icon::WifiOff, i18n.tr("offline"), theme::container::warning as fn(&theme::Theme) -> _, why)
            }
        };
        let sign = text(sign.glyph()).font(font::ICONS).size(metric::CAPTION);
        let words = text(words).size(metric::CAPTION);
        let line = row![sign, words].spacing(metric::SMALL).align_y(Alignment::Center);
        let line = container(line).center_x(Length::Fill).padding(metric::TIGHT + 1.0).style(ground);
        Some(match why {
            Some(why) => ui::with_tooltip(line, said::alone(why, i18n), iced::widget::tooltip::Position::Bottom),
            None => line.into(),
        })
    }

    fn warning<'a>(&'a self, context: Context<'a>) -> Option<Element<'a, Message>> {
        let words = self.warnings.first()?.words(context.i18n);
        let sign = text(Icon::TriangleAlert.glyph()).font(font::ICONS).size(metric::ICON).style(theme::text::warning);
        let close = form::icon_button(Icon::X, context.i18n.tr("close"), Some(Message::CloseWarning));
        let line = row![sign, text(words).size(metric::CAPTION).width(Length::Fill), close];
        let line = line.spacing(metric::GAP).align_y(Alignment::Center);
        Some(container(line).padding([metric::TIGHT, metric::PAD]).style(theme::container::warning).into())
    }
}

fn vertical_line<'a>() -> Element<'a, Message> {
    container(space().width(1.0).height(Length::Fill)).style(theme::container::line).into()
}
