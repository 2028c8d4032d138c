//! The tray of Linux desktops: StatusNotifierItem over D-Bus.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt as _};
use iced::Subscription;
use ksni::menu::{MenuItem, StandardItem};
use ksni::{Handle, ToolTip, TrayMethods as _};
use tokio::sync::mpsc;

use super::{Chosen, Words};

/// Choices that may wait; a person makes one at a time.
const WAITING: usize = 8;

/// The sign. It goes when the last of its copies does.
#[derive(Clone)]
pub(crate) struct Tray {
    handle: Handle<Sign>,
    chosen: Arc<Mutex<Option<mpsc::Receiver<Chosen>>>>,
}

impl std::fmt::Debug for Tray {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tray")
    }
}

/// Puts the sign there; none where there is no tray.
pub(crate) async fn show(words: Words) -> Option<Tray> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let sign = Sign { words, sender, waiting: 0, about: String::new() };
    match sign.spawn().await {
        Ok(handle) => Some(Tray { handle, chosen: Arc::new(Mutex::new(Some(receiver))) }),
        Err(error) => {
            tracing::info!(%error, "There is no tray.");
            None
        }
    }
}

impl Tray {
    /// How much waits, also as a sentence, and the words of the menu in the language that the window has now.
    pub(crate) async fn tell(self, words: Words, waiting: u64, about: String) {
        let _ = self.handle.update(|sign| (sign.words, sign.waiting, sign.about) = (words, waiting, about)).await;
    }

    /// What is chosen.
    pub(crate) fn chosen(&self) -> Subscription<Chosen> {
        Subscription::run_with(Feed(self.chosen.clone()), Feed::listen)
    }
}

/// There is one tray: what is listened to is always the same.
struct Feed(Arc<Mutex<Option<mpsc::Receiver<Chosen>>>>);

impl Hash for Feed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "tray".hash(state);
    }
}

impl Feed {
    fn listen(&self) -> impl Stream<Item = Chosen> + use<> {
        let receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        futures::stream::unfold(receiver, |receiver| async move {
            let mut receiver = receiver?;
            Some((receiver.recv().await?, Some(receiver)))
        })
        .boxed()
    }
}

struct Sign {
    words: Words,
    sender: mpsc::Sender<Chosen>,
    waiting: u64,
    about: String,
}

impl Sign {
    fn choose(&mut self, chosen: Chosen) {
        // Whoever presses eight times before anything happens is not waiting for a ninth.
        let _ = self.sender.try_send(chosen);
    }
}

impl ksni::Tray for Sign {
    fn id(&self) -> String {
        crate::platform::APPLICATION.to_owned()
    }

    fn title(&self) -> String {
        "Kith".to_owned()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        let plain = include_bytes!("../../../../assets/icons/kith-64.png").as_slice();
        let badge = include_bytes!("../../../../assets/icons/kith-badge-256.png").as_slice();
        pixels(if self.waiting > 0 { badge } else { plain }).into_iter().collect()
    }

    fn tool_tip(&self) -> ToolTip {
        let description = if self.waiting > 0 { self.about.clone() } else { String::new() };
        ToolTip { title: "Kith".to_owned(), description, ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.choose(Chosen::Show);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let item = |label: &String, chosen| {
            MenuItem::from(StandardItem {
                label: label.clone(),
                activate: Box::new(move |sign: &mut Self| sign.choose(chosen)),
                ..StandardItem::default()
            })
        };
        vec![item(&self.words.show, Chosen::Show), MenuItem::Separator, item(&self.words.quit, Chosen::Quit)]
    }
}

/// The picture as the tray wants it: ARGB in network order.
fn pixels(png: &[u8]) -> Option<ksni::Icon> {
    let picture = image::load_from_memory(png).ok()?.thumbnail(64, 64).into_rgba8();
    let (width, height) = (i32::try_from(picture.width()).ok()?, i32::try_from(picture.height()).ok()?);
    let data = picture.pixels().flat_map(|pixel| {
        let [red, green, blue, alpha] = pixel.0;
        [alpha, red, green, blue]
    });
    Some(ksni::Icon { width, height, data: data.collect() })
}
