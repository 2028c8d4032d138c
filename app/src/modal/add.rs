//! Adds somebody: by name, by link, or by a picture of a link's QR code.

use std::path::PathBuf;

use iced::widget::{column, container, operation, qr_code, row, space, text};
use iced::{Alignment, Length, Task, clipboard};
use kith_core::wire::control::Request;

use super::{deeds, dialogue};
use crate::app::Context;
use crate::backend::Backend;
use crate::platform::dialogue::Dialogue;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, form};
use crate::widget::press::press;

const WHO: &str = "add-who";

/// The longest greeting, in bytes: what a stranger may say.
const MAX_GREETING: usize = 1024;

/// Somebody is being added.
#[derive(Debug)]
pub(crate) struct Add {
    backend: Backend,
    who: String,
    greeting: String,
    wrong: Option<Problem>,
    is_busy: bool,
    own: Own,
}

/// The own link, which is asked for when the dialogue opens.
#[derive(Debug)]
enum Own {
    /// It is not here yet: its room is kept, so that nothing moves under the pointer when it comes.
    Coming,
    Here(Box<Invitation>),
    /// Without it one can still ask.
    Nowhere,
}

/// The own link, for the other to scan or to be sent.
#[derive(Debug)]
struct Invitation {
    link: String,
    code: Option<qr_code::Data>,
    is_copied: bool,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// Another name or link.
    WhoChanged(String),
    /// Another greeting.
    GreetingChanged(String),
    /// Ask them.
    Submit,
    /// They were asked, or not.
    Asked(Result<(), Problem>),
    /// A picture with a code is wanted.
    ChoosePicture,
    /// It was read.
    PictureRead(Result<Option<String>, Problem>),
    /// The own link is here.
    Invited(Result<String, Problem>),
    /// Copy it.
    CopyLink,
    /// Nobody after all.
    Close,
}

/// What the main window does then.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    None,
    /// Carries this out.
    Run(Task<Message>),
    /// Goes back: they were asked, or nobody is wanted.
    Close,
}

impl Add {
    /// Waits for a name; `link` is one that was opened.
    pub(crate) fn new(backend: Backend, link: Option<String>) -> (Self, Task<Message>) {
        let invite = Task::perform(backend.clone().invite(), Message::Invited);
        let add = Self {
            who: link.unwrap_or_default(),
            greeting: String::new(),
            wrong: None,
            is_busy: false,
            own: Own::Coming,
            backend,
        };
        (add, Task::batch([operation::focus(WHO), invite]))
    }

    /// Something happened.
    pub(crate) fn update(&mut self, message: Message) -> Action {
        match message {
            Message::WhoChanged(who) => {
                self.who = who;
                self.wrong = None;
            }
            Message::GreetingChanged(greeting) => {
                if greeting.len() <= MAX_GREETING {
                    self.greeting = greeting;
                }
            }
            Message::Submit => return self.submit(),
            Message::Asked(Ok(())) | Message::Close => return Action::Close,
            Message::Asked(Err(problem)) => {
                self.is_busy = false;
                self.wrong = Some(problem);
                return Action::Run(operation::focus(WHO));
            }
            Message::ChoosePicture => return Action::Run(Task::perform(choose_picture(), Message::PictureRead)),
            Message::PictureRead(Ok(Some(link))) => {
                self.who = link;
                self.wrong = None;
            }
            Message::PictureRead(Err(problem)) => self.wrong = Some(problem),
            Message::Invited(Ok(link)) => {
                let code = qr_code::Data::new(&link).ok();
                self.own = Own::Here(Box::new(Invitation { link, code, is_copied: false }));
            }
            Message::Invited(Err(_)) => self.own = Own::Nowhere,
            Message::PictureRead(Ok(None)) => {}
            Message::CopyLink => {
                if let Own::Here(own) = &mut self.own {
                    own.is_copied = true;
                    return Action::Run(clipboard::write(own.link.clone()));
                }
            }
        }
        Action::None
    }

    fn submit(&mut self) -> Action {
        if self.is_busy || self.who.trim().is_empty() {
            return Action::None;
        }
        self.is_busy = true;
        self.wrong = None;
        let request = Request::Add { who: self.who.trim().to_owned(), text: self.greeting.trim().to_owned() };
        Action::Run(Task::perform(self.backend.clone().command(request), Message::Asked))
    }

    /// What is drawn.
    pub(crate) fn view<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let may = !self.is_busy;
        let who = form::field(WHO, i18n.tr("add-who"), &self.who)
            .placeholder(i18n.tr("add-who-placeholder"))
            .hint(i18n.tr("add-who-hint"))
            .wrong(self.wrong.as_ref().map(|problem| problem.sentence(i18n)))
            .view(may.then_some(Message::WhoChanged), Some(Message::Submit));
        let greeting = form::field("add-greeting", i18n.tr("add-greeting"), &self.greeting)
            .placeholder(i18n.tr("add-greeting-placeholder"))
            .view(may.then_some(Message::GreetingChanged), Some(Message::Submit));
        let picture = form::button(i18n.tr("add-picture")).on_press_maybe(may.then_some(Message::ChoosePicture));
        let words = i18n.tr(if self.is_busy { "add-asking" } else { "add-ask" });
        let ready = may && !self.who.trim().is_empty();
        let ask = form::button(words).style(theme::button::primary).on_press_maybe(ready.then_some(Message::Submit));
        let buttons = deeds(row![picture, ask]);
        let own = match &self.own {
            Own::Coming => Some(own_link(None, context)),
            Own::Here(own) => Some(own_link(Some(own), context)),
            Own::Nowhere => None,
        };
        let content = column![who, greeting, buttons].push(own).spacing(metric::PAD);
        dialogue(i18n.tr("add-contact"), Message::Close, content, i18n)
    }
}

fn own_link<'a>(own: Option<&'a Invitation>, context: Context<'a>) -> Element<'a, Message> {
    let i18n = context.i18n;
    let code: Option<Element<'a, Message>> = match own {
        Some(own) => own.code.as_ref().map(|code| qr_code(code).total_size(metric::CODE_SMALL).into()),
        None => Some(space().width(metric::CODE_SMALL).height(metric::CODE_SMALL).into()),
    };
    let is_copied = own.is_some_and(|own| own.is_copied);
    let copy = i18n.tr(if is_copied { "copied" } else { "copy-link" });
    let sign = if is_copied { Icon::Check } else { Icon::Copy };
    let copy = row![ui::icon(sign), text(copy).font(font::MEDIUM)].spacing(metric::SMALL).align_y(Alignment::Center);
    let words = column![
        text(i18n.tr("add-own-title")).font(font::SEMIBOLD),
        ui::caption(i18n.tr("add-own-words")),
        press(copy).on_press_maybe(own.map(|_| Message::CopyLink)),
    ]
    .spacing(metric::SMALL);
    let card = row![words.width(Length::Fill)].push(code).spacing(metric::PAD).align_y(Alignment::Center);
    container(card).padding(metric::PAD).style(theme::container::card).into()
}

async fn choose_picture() -> Result<Option<String>, Problem> {
    let Some(chosen) = Dialogue::new().pictures().file().await else { return Ok(None) };
    let path = chosen?;
    let read = tokio::task::spawn_blocking(move || read_code(path)).await;
    read.map_err(|error| Problem::new("disk", error.to_string()))?.map(Some)
}

/// The largest picture that is read: what a camera makes.
const MAX_PICTURE: u64 = 32 * 1024 * 1024;

/// A picture is made smaller than this before it is searched: a code needs no more.
const SEARCHED: u32 = 1600;

/// The link in a picture's code.
fn read_code(path: PathBuf) -> Result<String, Problem> {
    let none = || Problem::new("no_code", "there is no Kith code in this picture");
    if std::fs::metadata(&path)?.len() > MAX_PICTURE {
        return Err(Problem::new("picture_too_large", "this picture is too large"));
    }
    let picture = crate::ui::picture::decode(&std::fs::read(&path)?)?;
    let is_large = picture.width().max(picture.height()) > SEARCHED;
    let gray = if is_large { picture.thumbnail(SEARCHED, SEARCHED) } else { picture }.into_luma8();
    let (Ok(width), Ok(height)) = (usize::try_from(gray.width()), usize::try_from(gray.height())) else {
        return Err(none());
    };
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        let (x, y) = (u32::try_from(x).unwrap_or_default(), u32::try_from(y).unwrap_or_default());
        gray.get_pixel_checked(x, y).map_or(255, |pixel| pixel.0[0])
    });
    let texts = prepared.detect_grids().into_iter().filter_map(|grid| grid.decode().ok());
    texts.map(|(_, text)| text).find(|text| text.starts_with("kith://")).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture_of(link: &str) -> Vec<u8> {
        let code = qrcode::QrCode::new(link).unwrap();
        let (side, cells) = (code.width() as u32, code.to_colors());
        let drawn = image::GrayImage::from_fn((side + 8) * 4, (side + 8) * 4, |x, y| {
            let (x, y) = ((x / 4).wrapping_sub(4), (y / 4).wrapping_sub(4));
            let is_dark = x < side && y < side && cells[(y * side + x) as usize] == qrcode::Color::Dark;
            image::Luma([if is_dark { 0 } else { 255 }])
        });
        let mut png = std::io::Cursor::new(Vec::new());
        image::DynamicImage::ImageLuma8(drawn).write_to(&mut png, image::ImageFormat::Png).unwrap();
        png.into_inner()
    }

    fn read(bytes: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        std::fs::write(&path, bytes).unwrap();
        read_code(path).map_err(|problem| problem.code)
    }

    #[test]
    fn a_picture_of_a_link_is_read_and_other_pictures_are_refused_with_a_sentence() {
        let link = "kith://abcdefghijklmnopqrstuvwxyz?relay=somewhere";
        let png = picture_of(link);
        assert_eq!(read(&png), Ok(link.to_owned()));
        assert_eq!(read(&picture_of("https://elsewhere.example")), Err("no_code".into()));
        for broken in [b"not a picture".as_slice(), &png[..png.len() / 2], &[]] {
            assert_eq!(read(broken), Err("picture".into()));
        }
    }
}
