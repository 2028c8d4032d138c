//! The window as a program: how it starts, and how it ends.

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Duration;

use futures::io;
use iced::{Executor, Settings as Iced};
use tokio::runtime::{Handle, Runtime};

use crate::app::App;
use crate::backend::Setup;
use crate::platform::{self, display};
use crate::settings::Settings;
use crate::theme::{font, metric};
use crate::will::Will;

/// What iced takes its renderer from.
const BACKEND: &str = "ICED_BACKEND";

/// How long work on threads of its own may go on after the window has ended: keys are stretched and files are read there.
const LAST_WORK: Duration = Duration::from_secs(10);

/// Shows the window until it is closed. `link` is a `kith://` link that was opened.
pub(crate) fn run(setup: Setup, link: Option<String>) -> ExitCode {
    if let Err(why) = display::look() {
        return no_display(&why);
    }
    if std::env::var_os(BACKEND).is_none() {
        let backend = Settings::load(&setup.profile).renderer.backend();
        return restart_with(backend);
    }
    kith_heap::share_one();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return not_started(&error),
    };
    font::prefer_colored_emoji();
    let will = Will::new(runtime.handle().clone());
    will.register();
    tell_no_fault_of_a_lost_display();
    let ended = {
        let _entered = runtime.enter();
        let will = will.clone();
        std::panic::catch_unwind(AssertUnwindSafe(move || show(setup, link, will)))
    };
    let is_lost = will.carry_out();
    runtime.shutdown_timeout(LAST_WORK);
    match ended {
        Ok(Err(error)) => no_display(&error.to_string()),
        Ok(Ok(())) if !is_lost => ExitCode::SUCCESS,
        // What was lost is told by the will, and a fault was told where it happened.
        Ok(Ok(())) | Err(_) => ExitCode::FAILURE,
    }
}

/// A window that draws while its display goes cannot make its surface anew, and panics: that is no fault, and the will says what was
/// lost.
fn tell_no_fault_of_a_lost_display() {
    // A server that ends breaks its connections before it stops taking new ones.
    let is_lost = || {
        (0..10).any(|_| {
            display::look().is_err() || {
                std::thread::sleep(Duration::from_millis(50));
                false
            }
        })
    };
    let (window, tell) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |fault| {
        if std::thread::current().id() == window && is_lost() {
            tracing::debug!(%fault, "The window ended within a frame.");
        } else {
            tell(fault);
        }
    }));
}

fn show(setup: Setup, link: Option<String>, will: Will) -> iced::Result {
    let settings = Iced {
        id: Some(platform::APPLICATION.to_owned()),
        fonts: font::files().into(),
        default_font: font::TEXT,
        default_text_size: metric::BODY.into(),
        ..Iced::default()
    };
    iced::daemon(move || App::boot(setup.clone(), link.clone(), will.clone()), App::update, App::view)
        .settings(settings)
        .title(App::title)
        .theme(App::theme)
        .scale_factor(App::scale_factor)
        .subscription(App::subscription)
        .executor::<Lasting>()
        .run()
}

/// The runtime in which the window is shown. It outlives the window, so that the profile can be closed whatever becomes of that.
struct Lasting(Handle);

impl Executor for Lasting {
    fn new() -> Result<Self, io::Error> {
        Handle::try_current().map(Self).map_err(io::Error::other)
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(future));
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.0.block_on(future)
    }

    fn enter<R>(&self, act: impl FnOnce() -> R) -> R {
        let _entered = self.0.enter();
        act()
    }
}

fn no_display(why: &str) -> ExitCode {
    eprintln!("kith: there is no display to show a window on: {why}. `kith --help` lists what needs none.");
    ExitCode::FAILURE
}

fn not_started(error: &io::Error) -> ExitCode {
    eprintln!("kith: the window cannot be started: {error}");
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
    let mut command = match started {
        Ok(command) => command,
        Err(error) => return not_started(&error),
    };
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        not_started(&command.exec())
    }
    #[cfg(not(unix))]
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => not_started(&error),
    }
}
