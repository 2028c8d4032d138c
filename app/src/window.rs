//! The window as a program: how it starts.

use std::process::ExitCode;

use iced::Settings as Iced;

use crate::app::App;
use crate::backend::Setup;
use crate::platform;
use crate::settings::Settings;
use crate::theme::{font, metric};

/// What iced takes its renderer from.
const BACKEND: &str = "ICED_BACKEND";

/// Shows the window until it is closed. `link` is a `kith://` link that was opened.
pub(crate) fn run(setup: Setup, link: Option<String>) -> ExitCode {
    if !has_display() {
        return no_display("none is set");
    }
    if std::env::var_os(BACKEND).is_none() {
        let backend = Settings::load(&setup.profile).renderer.backend();
        return restart_with(backend);
    }
    kith_heap::share_one();
    font::prefer_colored_emoji();
    let settings = Iced {
        id: Some(platform::APPLICATION.to_owned()),
        fonts: font::files().into(),
        default_font: font::TEXT,
        default_text_size: metric::BODY.into(),
        ..Iced::default()
    };
    let ended = iced::daemon(move || App::boot(setup.clone(), link.clone()), App::update, App::view)
        .settings(settings)
        .title(App::title)
        .theme(App::theme)
        .scale_factor(App::scale_factor)
        .subscription(App::subscription)
        .run();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => no_display(&error.to_string()),
    }
}

/// iced panics where winit finds no display, so it is looked for before.
fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos")))
        || ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].into_iter().any(is_set)
}

fn no_display(why: &str) -> ExitCode {
    eprintln!("kith: there is no display to show a window on: {why}. `kith --help` lists what needs none.");
    ExitCode::FAILURE
}

/// Which renderer draws can only be said by the environment, and the environment of a running program is not to be changed:
/// so this one begins anew in its own place.
fn restart_with(backend: &str) -> ExitCode {
    let started = std::env::current_exe().map(|program| {
        let mut command = std::process::Command::new(program);
        command.args(std::env::args_os().skip(1)).env(BACKEND, backend);
        command
    });
    let failed = |error: std::io::Error| {
        eprintln!("kith: the window cannot be started: {error}");
        ExitCode::FAILURE
    };
    let mut command = match started {
        Ok(command) => command,
        Err(error) => return failed(error),
    };
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        failed(command.exec())
    }
    #[cfg(not(unix))]
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => failed(error),
    }
}
