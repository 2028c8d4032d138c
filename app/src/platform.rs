//! What differs from one system to the next.

#[cfg(target_os = "linux")]
pub(crate) mod desktop;
pub(crate) mod dialogue;
pub(crate) mod display;
pub(crate) mod notify;
pub(crate) mod sign;
pub(crate) mod tray;

use iced::{Size, window};

use crate::problem::Problem;
use crate::settings::Placement;

/// The name by which the system knows the program.
pub(crate) const APPLICATION: &str = "chat.kith.Kith";

/// How the window opens: where it stood last.
pub(crate) fn window_settings(placement: &Placement) -> window::Settings {
    window::Settings {
        size: Size::new(placement.width, placement.height),
        maximized: placement.maximized,
        position: match (placement.x, placement.y) {
            (Some(x), Some(y)) => window::Position::Specific(iced::Point::new(x, y)),
            _ => window::Position::Default,
        },
        min_size: Some(Size::new(360.0, 400.0)),
        icon: icon(),
        exit_on_close_request: false,
        #[cfg(target_os = "linux")]
        platform_specific: window::settings::PlatformSpecific {
            application_id: APPLICATION.to_owned(),
            ..window::settings::PlatformSpecific::default()
        },
        ..window::Settings::default()
    }
}

fn icon() -> Option<window::Icon> {
    let picture = image::load_from_memory(include_bytes!("../../assets/icons/kith-64.png")).ok()?.into_rgba8();
    let (width, height) = picture.dimensions();
    window::icon::from_rgba(picture.into_raw(), width, height).ok()
}

/// Opens a page or an address with the program that the system has for it.
pub(crate) async fn open_link(link: String) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::new("link", format!("{link} cannot be opened: {error}"));
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).arg(&link).stdin(std::process::Stdio::null());
    let status = command.spawn().map_err(failed)?.wait().await.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(failed(std::io::Error::other(status.to_string()))) }
}
