//! A window of iced with a line of text and nothing of Kith: what the bench holds Kith's window against.
//!
//! Every drawn frame is a line in the file that `KITH_MARKS` names.
#![expect(clippy::disallowed_methods, reason = "it says when it draws")]

use std::fs::File;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use iced::Length;
use iced::widget::{container, text};

fn main() -> iced::Result {
    iced::application(|| (), |_: &mut (), (): ()| (), line).window_size((1080.0, 720.0)).run()
}

fn line(_: &()) -> iced::Element<'_, ()> {
    // A style is asked for whenever its widget is drawn.
    let drawn = |_: &iced::Theme| {
        note();
        container::Style::default()
    };
    container(text("Nothing but a line of text.")).center(Length::Fill).style(drawn).into()
}

fn note() {
    let Some(path) = std::env::var_os("KITH_MARKS") else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    if let Ok(mut marks) = File::options().create(true).append(true).open(path) {
        let _ = writeln!(marks, "{{\"mark\":\"drawn\",\"at_us\":{now}}}");
    }
}
