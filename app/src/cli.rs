//! The command line. It attaches to the process that runs a profile if there is one, else opens the profile itself.
//!
//! It decides nothing about messages: requests, replies and events are the control protocol's ([`kith_core::wire::control`]),
//! whichever way they go. All words that a person reads are in [`text`]. What it prints as JSON and how it exits:
//! `docs/cli.md`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

mod account;
mod arguments;
mod backend;
mod chat;
mod data;
#[cfg(target_os = "linux")]
mod desktop;
mod devices;
mod error;
mod file;
pub(crate) mod keychain;
mod lock;
mod models;
mod people;
mod print;
mod record;
mod run;
pub(crate) mod secret;
mod send;
mod sound;
mod text;

use crate::backend::Setup;
use arguments::{Arguments, Command, DeviceChange, Devices, Global, Open};
use backend::Context;
pub(crate) use error::Error;
use error::Success;

/// Parses the arguments, does what they say, and reports.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    init_logs();
    let json = arguments.global.json;
    let (global, command) = (arguments.global, arguments.command.unwrap_or_else(|| Command::Open(Open::by_default())));
    let command = match command {
        Command::Open(open) => return show(global, open),
        command => command,
    };
    match start(global, command) {
        Ok(success) => success.into(),
        Err(error) => error.report(json),
    }
}

/// Shows the window.
fn show(global: Global, open: Open) -> ExitCode {
    let json = global.json;
    match Context::new(global) {
        Ok(context) => {
            let passphrase_file = context.secrets.passphrase_file.or(context.secrets.password_file);
            let setup =
                Setup { profile: context.profile, options: context.options, passphrase_file, relay: open.relay };
            crate::window::run(setup, open.link)
        }
        Err(error) => error.report(json),
    }
}

fn start(global: Global, command: Command) -> Result<Success, Error> {
    let context = Context::new(global)?;
    kith_heap::share_one();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::system(text::no_runtime(&error)))?;
    let outcome = runtime.block_on(execute(&context, command));
    // A read of standard input cannot be cancelled: it must not keep the program from ending.
    runtime.shutdown_background();
    outcome
}

async fn execute(context: &Context, command: Command) -> Result<Success, Error> {
    match command {
        // A window has a loop of its own, and never comes here.
        Command::Open(_) => Ok(Success::Done),
        Command::Register(arguments) => account::register(context, arguments).await,
        Command::Login(arguments) => account::log_in(context, arguments).await,
        Command::Recover(arguments) => account::recover(context, arguments).await,
        Command::Password(arguments) => account::change_password(context, arguments).await,
        Command::Devices(Devices { what: None }) => devices::list(context).await,
        Command::Devices(Devices { what: Some(DeviceChange::Rename { name }) }) => devices::rename(context, name).await,
        Command::Devices(Devices { what: Some(DeviceChange::Remove { device, yes }) }) => {
            devices::remove(context, &device, yes).await
        }
        Command::Whoami => account::whoami(context).await,
        Command::Invite => account::invite(context).await,
        Command::Status => account::status(context).await,
        Command::Contacts => people::contacts(context).await,
        Command::Requests => people::requests(context).await,
        Command::Add(arguments) => people::add(context, arguments).await,
        Command::Accept { who } => people::accept(context, who).await,
        Command::Decline { who } => people::decline(context, who).await,
        Command::Block { who } => people::block(context, who).await,
        Command::Unblock { who } => people::unblock(context, who).await,
        Command::Verify(arguments) => people::verify(context, arguments).await,
        Command::Group(arguments) => people::create_group(context, arguments).await,
        Command::Send(arguments) => send::send(context, arguments).await,
        Command::Fetch(arguments) => file::fetch(context, arguments).await,
        Command::Save(arguments) => file::save(context, arguments).await,
        Command::Edit { name, message, text } => send::edit(context, name, message, text).await,
        Command::Delete { name, message } => send::delete(context, name, message).await,
        Command::React { name, message, emoji } => send::react(context, name, message, emoji).await,
        Command::History(arguments) => chat::history(context, arguments).await,
        Command::Chat { name } => chat::chat(context, name).await,
        Command::Listen => run::listen(context).await,
        Command::Passphrase(arguments) => lock::passphrase(context, arguments).await,
        Command::Export { to } => data::export(context, to).await,
        Command::Erase { yes } => data::erase(context, yes).await,
        #[cfg(target_os = "linux")]
        Command::Desktop { remove } => desktop::desktop(context, remove).await,
        Command::Run => run::run(context).await,
        Command::Stop => run::stop(context).await,
        Command::Transcribe(arguments) => sound::transcribe(context, arguments).await,
        Command::Record(arguments) => record::record(context, arguments).await,
        Command::Play(arguments) => record::play(context, arguments).await,
        Command::Sound => record::devices(context).await,
        Command::Models(arguments) => models::models(context, arguments).await,
    }
}

/// Logs go to standard error, and by default only say what broke: `KITH_LOG` sets more, such as `kith_core=debug`.
/// What comes a second time is an error to OpenMLS, and an everyday matter here; so is a file that is no sound to symphonia.
fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("KITH_LOG");
    let filter =
        filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error,openmls=off,pulseaudio=off,symphonia=off"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(filter);
    // What the window's diagnostics offer to copy says more than a terminal should.
    let recent = crate::log::Recent::default()
        .with_filter(tracing_subscriber::EnvFilter::new("info,openmls=off,symphonia=off,wgpu=warn"));
    let _ = tracing_subscriber::registry().with(lines).with(recent).try_init();
}
