//! What others see of oneself: a name, words and a picture.

use std::path::Path;

use iced::widget::{column, container, image, row};
use iced::{Alignment, Length, Task};
use kith_core::wire::control::{Profile, Request};

use super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::i18n::I18n;
use crate::platform::dialogue::Dialogue;
use crate::problem::Problem;
use crate::theme::{self, Element, Icon, metric};
use crate::ui::{self, avatar, form, picture};

const NAME: &str = "settings-profile-name";
const ABOUT: &str = "settings-profile-about";

/// The longest name that the core takes, in characters.
const MAX_NAME: usize = 64;

/// The longest words about oneself that the core takes, in characters.
const MAX_ABOUT: usize = 280;

/// More is not taken from the keyboard or the clipboard.
const MAX_TYPED: usize = 4096;

/// The longest file that is read as a picture, in bytes.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// A picture's width and height as it is sent, in pixels.
const SIDE: u32 = 256;

/// The largest picture that the core takes, in bytes.
const MAX_PICTURE: usize = 48 * 1024;

/// Tried one after the other until the picture is small enough.
const QUALITIES: [u8; 5] = [88, 75, 60, 40, 20];

/// The profile.
#[derive(Debug)]
pub(super) struct ProfileSection {
    backend: Backend,
    known: Wanted<Known>,
    name: String,
    about: String,
    is_reading: bool,
    is_saving: bool,
    is_saved: bool,
    wrong: Option<Problem>,
    wrong_picture: Option<Problem>,
}

#[derive(Debug)]
struct Known {
    account: String,
    name: String,
    about: String,
    picture: Option<image::Handle>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// What is said now, and its picture, ready to be drawn.
    Came(Result<(Profile, Option<image::Handle>), Problem>),
    /// Once more.
    Again,
    /// Something was typed.
    NameChanged(String),
    /// Something was typed.
    AboutChanged(String),
    /// Say it.
    Save,
    /// It is said, or not.
    Saved(Result<(), Problem>),
    /// A picture is wanted.
    ChoosePicture,
    /// It was read, or not; none if nobody chose one.
    PictureRead(Option<Result<Vec<u8>, Problem>>),
    /// The picture goes.
    RemovePicture,
    /// It has changed, or not.
    PictureSaved(Result<(), Problem>),
}

impl ProfileSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            backend,
            known: Wanted::Coming,
            name: String::new(),
            about: String::new(),
            is_reading: false,
            is_saving: false,
            is_saved: false,
            wrong: None,
            wrong_picture: None,
        }
    }

    pub(super) fn load(&self) -> Task<Message> {
        let backend = self.backend.clone();
        let load = async move {
            let profile = backend.own_profile().await?;
            let drawn = match profile.picture.clone() {
                Some(bytes) => tokio::task::spawn_blocking(move || picture::round(&bytes).ok()).await.ok().flatten(),
                None => None,
            };
            Ok((profile, drawn))
        };
        Task::perform(load, Message::Came)
    }

    pub(super) fn update(&mut self, message: Message, i18n: &I18n) -> Task<Message> {
        match message {
            Message::Came(Ok((profile, picture))) => self.came(profile, picture),
            Message::Came(Err(problem)) => self.known.take(Err(problem)),
            Message::Again => return self.load(),
            Message::NameChanged(text) if text.len() <= MAX_TYPED => {
                (self.name, self.is_saved, self.wrong) = (text, false, None);
            }
            Message::AboutChanged(text) if text.len() <= MAX_TYPED => {
                (self.about, self.is_saved, self.wrong) = (text, false, None);
            }
            Message::NameChanged(_) | Message::AboutChanged(_) => {}
            Message::Save if self.may_save() => {
                self.is_saving = true;
                let (name, about) = (Some(self.name.trim().to_owned()), Some(self.about.trim().to_owned()));
                let request = Request::SetProfile { name, about, picture: None, remove_picture: false };
                return Task::perform(self.backend.clone().command(request), Message::Saved);
            }
            Message::Save => {}
            Message::Saved(result) => {
                self.is_saving = false;
                self.is_saved = result.is_ok();
                self.wrong = result.err();
                return self.load();
            }
            Message::ChoosePicture => {
                (self.is_reading, self.wrong_picture) = (true, None);
                return Task::perform(choose(i18n.tr("settings-picture-choose")), Message::PictureRead);
            }
            Message::PictureRead(Some(Ok(bytes))) => return self.set_picture(Some(bytes)),
            Message::PictureRead(read) => {
                self.is_reading = false;
                self.wrong_picture = read.and_then(Result::err);
            }
            Message::RemovePicture => return self.set_picture(None),
            Message::PictureSaved(result) => {
                self.is_reading = false;
                self.wrong_picture = result.err();
                return self.load();
            }
        }
        Task::none()
    }

    fn came(&mut self, profile: Profile, picture: Option<image::Handle>) {
        let (name, about) = (profile.name.unwrap_or_default(), profile.about.unwrap_or_default());
        // What is being typed is not overwritten.
        if !self.is_changed() {
            (self.name, self.about) = (name.clone(), about.clone());
        }
        self.known.take(Ok(Known { account: profile.account, name, about, picture }));
    }

    fn is_changed(&self) -> bool {
        match &self.known {
            Wanted::Here(known) => self.name.trim() != known.name || self.about.trim() != known.about,
            Wanted::Coming | Wanted::Failed(_) => false,
        }
    }

    fn may_save(&self) -> bool {
        let fits = parts::fits(&self.name, MAX_NAME) && parts::fits(&self.about, MAX_ABOUT);
        self.is_changed() && !self.is_saving && fits
    }

    fn set_picture(&mut self, picture: Option<Vec<u8>>) -> Task<Message> {
        self.is_reading = true;
        let remove_picture = picture.is_none();
        let request = Request::SetProfile { name: None, about: None, picture, remove_picture };
        Task::perform(self.backend.clone().command(request), Message::PictureSaved)
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        self.known.view(i18n, Message::Again, |known| {
            let is_said = self.is_saved && !self.is_changed();
            let save = if is_said { i18n.tr("settings-saved") } else { i18n.tr("settings-save") };
            let save = form::button(save)
                .style(theme::button::primary)
                .on_press_maybe(self.may_save().then_some(Message::Save));
            let words = column![
                self.field(NAME, i18n.tr("settings-profile-name"), &self.name, MAX_NAME, i18n),
                self.field(ABOUT, i18n.tr("settings-profile-about"), &self.about, MAX_ABOUT, i18n),
            ];
            let words = words
                .push(self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n))))
                .push(save)
                .spacing(metric::PAD)
                .padding(metric::GAP);
            parts::groups([
                container(ui::caption(i18n.tr("settings-profile-words"))).padding([0.0, metric::GAP]).into(),
                parts::group(None, [self.picture(known, context)]),
                parts::group(None, [words.into()]),
            ])
        })
    }

    fn picture<'a>(&'a self, known: &'a Known, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let shown = if self.name.trim().is_empty() { &known.account } else { &self.name };
        let drawn = avatar::avatar(shown, &known.account, known.picture.as_ref(), metric::AVATAR_LARGE);
        let may = |message| (!self.is_reading).then_some(message);
        let choose =
            if self.is_reading { i18n.tr("settings-picture-reading") } else { i18n.tr("settings-picture-choose") };
        let choose = parts::with_icon(Icon::Image, choose, may(Message::ChoosePicture));
        let remove = known
            .picture
            .is_some()
            .then(|| parts::with_icon(Icon::X, i18n.tr("settings-picture-remove"), may(Message::RemovePicture)));
        let hint = match &self.wrong_picture {
            Some(problem) => form::error(problem.sentence(i18n)),
            None => ui::caption(i18n.tr("settings-picture-hint")),
        };
        let buttons = row![choose].push(remove).spacing(metric::SMALL).wrap();
        let words = column![buttons, hint].spacing(metric::SMALL).width(Length::Fill);
        let both: Element<'a, Message> = if context.size.width < metric::SLIM {
            column![drawn, words].spacing(metric::PAD).into()
        } else {
            row![drawn, words].spacing(metric::PAD).align_y(Alignment::Center).into()
        };
        container(both).padding(metric::GAP).into()
    }

    fn field<'a>(
        &'a self,
        id: &'static str,
        name: String,
        value: &'a str,
        most: usize,
        i18n: &I18n,
    ) -> Element<'a, Message> {
        let wrong = parts::too_long(value, most, i18n);
        let hint = if id == ABOUT {
            let left = most.saturating_sub(value.trim().chars().count());
            i18n.count("settings-profile-about-hint", u64::try_from(left).unwrap_or_default())
        } else {
            i18n.tr("settings-profile-name-hint")
        };
        let changed = if id == ABOUT { Message::AboutChanged } else { Message::NameChanged };
        form::field(id, name, value).hint(hint).wrong(wrong).view(Some(changed), Some(Message::Save))
    }
}

/// Asks which, and reads it.
async fn choose(title: String) -> Option<Result<Vec<u8>, Problem>> {
    let path = match Dialogue::new().titled(title).pictures().file().await? {
        Ok(path) => path,
        Err(problem) => return Some(Err(problem)),
    };
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    Some(read.unwrap_or_else(|error| Err(Problem::new("disk", error.to_string()))))
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE {
        return Err(Problem::new("picture_large", "this file is too large for a picture"));
    }
    prepare(&bytes)
}

/// The middle of a picture, square and small, on white where it was transparent.
fn prepare(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    use ::image::codecs::jpeg::JpegEncoder;
    use ::image::imageops::FilterType;
    let picture = picture::decode(bytes)?;
    let square = picture.resize_to_fill(SIDE, SIDE, FilterType::Lanczos3).into_rgba8();
    let mut flat = ::image::RgbImage::new(SIDE, SIDE);
    for (to, from) in flat.pixels_mut().zip(square.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u16::from);
        let over = |color: u16| u8::try_from((color * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        to.0 = [over(red), over(green), over(blue)];
    }
    for quality in QUALITIES {
        let mut jpeg = Vec::new();
        let encoded = JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(&flat);
        encoded.map_err(|error| Problem::new("picture", error.to_string()))?;
        if jpeg.len() <= MAX_PICTURE {
            return Ok(jpeg);
        }
    }
    Err(Problem::new("picture_large", "this picture stays too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
        let picture = ::image::RgbaImage::from_fn(width, height, |x, y| ::image::Rgba(pixel(x, y)));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ::image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn the_middle_of_a_picture_becomes_a_small_square() {
        let bytes = png(900, 300, |x, _| if (300..600).contains(&x) { [255, 0, 0, 255] } else { [0, 0, 255, 255] });
        let small = picture::decode(&prepare(&bytes).unwrap()).unwrap().into_rgb8();
        assert_eq!(small.dimensions(), (SIDE, SIDE));
        for (x, y) in [(4, 4), (128, 128), (251, 251)] {
            let [red, _, blue] = small.get_pixel(x, y).0;
            assert!(red > 200 && blue < 60, "{x},{y}: {:?}", small.get_pixel(x, y));
        }
    }

    #[test]
    fn what_was_transparent_is_white() {
        let small = picture::decode(&prepare(&png(8, 8, |_, _| [0, 0, 0, 0])).unwrap()).unwrap().into_rgb8();
        assert!(small.get_pixel(100, 100).0.iter().all(|color| *color > 250));
    }

    #[test]
    fn noise_fits_too_and_what_is_no_picture_is_a_sentence() {
        let noise = png(512, 512, |x, y| {
            let mixed = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519);
            let [one, two, three, _] = (mixed ^ (mixed >> 13)).wrapping_mul(3_266_489_917).to_le_bytes();
            [one, two, three, 255]
        });
        assert!(prepare(&noise).unwrap().len() <= MAX_PICTURE);
        for wrong in [&b""[..], b"GIF89a", b"\x89PNG\r\n\x1a\nnonsense"] {
            assert_eq!(prepare(wrong).unwrap_err().code, "picture");
        }
        assert_eq!(read(Path::new("/nowhere/at/all.png")).unwrap_err().code, "disk");
    }
}
