//! The command line of `kith-relay`: runs the relay, and does what its operator wants of one, running or not.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use kith_core::identity::RelayId;
use kith_core::store::StoreError;
use kith_core::types::Rng;
use rand_core::SeedableRng;
use tokio_util::sync::CancellationToken;

use crate::backup::{self, BackupError};
use crate::check;
use crate::config::{Config, ConfigError, FILE_VARIABLE, SETTINGS};
use crate::control::{self, Answer, Control};
use crate::data_dir::{self, DataError};
use crate::keys::{KeyError, Secrets};
use crate::server::{ServerError, wall_clock};
use crate::store::Store;

/// The relay that anyone can run for Kith.
#[derive(Debug, Parser)]
#[command(name = "kith-relay", version)]
pub struct Arguments {
    /// Settings in TOML; without it the embedded default runs. Each can also be set by an environment variable.
    #[arg(long, global = true, value_name = "FILE", env = FILE_VARIABLE)]
    config: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Command {
    /// Run the relay (what happens without a command).
    Run,
    /// Copy all that makes this relay, its secrets included, into a new file; it may be running. Attachments stay where they are.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Make a relay of a backup; it must not be running.
    Restore {
        /// The backup.
        file: PathBuf,
        /// Set aside a relay that is there.
        #[arg(long)]
        force: bool,
    },
    /// Read every row of the store, and none of the attachments; the relay must not be running.
    Check,
    /// Look at or change accounts.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Make a code for one sign-up, where registration is by invitation.
    Invite,
    /// Print every setting with its value and meaning.
    Settings,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum UserCommand {
    /// All accounts.
    List,
    /// Remove an account with all that waits for it.
    Remove {
        /// Its handle.
        handle: String,
    },
}

/// What the process has to do.
#[derive(Debug)]
pub enum Task {
    /// Run the relay.
    Run(Box<Config>),
    /// Print this and end; true when all was well.
    Print(String, bool),
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A running relay, or the store.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The store.
    #[error("{}", store_sentence(.0))]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is no relay to do it to.
    #[error("there is no relay in {0}")]
    NoRelay(PathBuf),
    /// The relay said no.
    #[error("{0}")]
    Refused(String),
    /// A running relay did not answer.
    #[error("the running relay does not answer: {0}")]
    Io(#[from] std::io::Error),
    /// There is no randomness.
    #[error("the operating system gives no randomness")]
    Random,
}

fn store_sentence(error: &StoreError) -> String {
    match error {
        StoreError::AlreadyOpen { .. } => "the relay is running: stop it first".into(),
        other => other.to_string(),
    }
}

impl Arguments {
    /// Does what was asked, or says that the relay is to run.
    ///
    /// # Errors
    /// [`AdminError`], with a sentence for the operator.
    pub async fn execute<N, V>(self, environment: impl Iterator<Item = (N, V)>) -> Result<Task, AdminError>
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let config = Config::load(self.config.as_deref(), environment)?;
        let json = self.json;
        match self.command.unwrap_or(Command::Run) {
            Command::Run => Ok(Task::Run(Box::new(config))),
            Command::Settings => Ok(Task::Print(settings(&config, json), true)),
            Command::Backup { file } => {
                let to = std::path::absolute(file)?;
                let answer = operate(&config, Control::Backup { to }).await?;
                if json { print(answer, json) } else { Ok(Task::Print(backed_up(answer, &config), true)) }
            }
            Command::Restore { file, force } => {
                let copied = backup::restore(&config, &file, force, &mut rng()?)?;
                print(Answer::Copied { rows: copied.rows, bytes: copied.bytes }, json)
            }
            Command::Check => check_store(&config, json),
            Command::User { command } => {
                let control = match command {
                    UserCommand::List => Control::UserList,
                    UserCommand::Remove { handle } => Control::UserRemove { handle },
                };
                print(operate(&config, control).await?, json)
            }
            Command::Invite => print(operate(&config, Control::Invite).await?, json),
        }
    }
}

/// Asks the running relay, or does it to the store of one that does not run.
async fn operate(config: &Config, control: Control) -> Result<Answer, AdminError> {
    match control::ask(&config.control_socket(), &control).await {
        Ok(Answer::Failed { error }) => Err(AdminError::Refused(error)),
        Ok(answer) => Ok(answer),
        Err(error) if is_absent(&error) => {
            let config = config.clone();
            let done = tokio::task::spawn_blocking(move || operate_stopped(&config, control)).await;
            done.map_err(|error| AdminError::Refused(error.to_string()))?
        }
        Err(error) => Err(error.into()),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused)
}

fn operate_stopped(config: &Config, control: Control) -> Result<Answer, AdminError> {
    let dir = existing(config)?;
    let (store, _) = Store::open(&dir)?;
    if let Control::Backup { to } = control {
        let secrets = Secrets::open(&config.data_dir, false, &mut rng()?)?;
        let copied = backup::write(&store, &secrets.encode(), &to, &CancellationToken::new())?;
        return Ok(Answer::Copied { rows: copied.rows, bytes: copied.bytes });
    }
    match control::run(&store, wall_clock(), &mut rng()?, control) {
        Answer::Failed { error } => Err(AdminError::Refused(error)),
        answer => Ok(answer),
    }
}

fn existing(config: &Config) -> Result<PathBuf, AdminError> {
    data_dir::existing(config)?.ok_or_else(|| AdminError::NoRelay(config.data_dir.clone()))
}

fn check_store(config: &Config, json: bool) -> Result<Task, AdminError> {
    let report = check::check(&existing(config)?)?;
    let good = report.findings.is_empty();
    if json {
        return Ok(Task::Print(serde_json::to_string(&report).unwrap_or_default(), good));
    }
    let mut text = format!("{} rows read.\n", report.rows);
    for finding in &report.findings {
        text.push_str(&format!("Wrong: {finding}.\n"));
    }
    text.push_str(if good { "The store is good." } else { "Restore a backup." });
    if config.settings.limits.blobs.most() > 0 {
        text.push_str(&format!("\nThe attachments in {} were not read.", config.blobs.describe(&config.data_dir)));
    }
    Ok(Task::Print(text, good))
}

fn print(answer: Answer, json: bool) -> Result<Task, AdminError> {
    let text = if json { serde_json::to_string(&answer).unwrap_or_default() } else { sentence(answer) };
    Ok(Task::Print(text, true))
}

fn backed_up(answer: Answer, config: &Config) -> String {
    let mut text = sentence(answer);
    if config.settings.limits.blobs.most() > 0 {
        let place = config.blobs.describe(&config.data_dir);
        text.push_str(&format!("\nAttachments are not in it: they stay in {place}."));
    }
    text
}

fn sentence(answer: Answer) -> String {
    match answer {
        Answer::Users { users } if users.is_empty() => "There are no accounts.".into(),
        Answer::Users { users } => {
            let line = |user: &crate::domain::operator::UserSummary| {
                let waiting = format!("{} waiting ({} bytes)", user.waiting, user.waiting_bytes);
                format!("{:<32} {} devices, {waiting}", user.handle, user.devices)
            };
            users.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Answer::Removed => "Removed.".into(),
        Answer::Invited { code, .. } => format!("{code}\nGood for one sign-up within two weeks."),
        Answer::Copied { rows, bytes } => format!("{rows} rows, {bytes} bytes. The file holds the relay's secrets."),
        Answer::Failed { error } => error,
    }
}

fn settings(config: &Config, json: bool) -> String {
    let shown = SETTINGS.iter().map(|setting| (setting, (setting.show)(config)));
    if json {
        let values: std::collections::BTreeMap<&str, String> =
            shown.map(|(setting, value)| (setting.name, value)).collect();
        return serde_json::to_string(&values).unwrap_or_default();
    }
    let lines = shown.map(|(setting, value)| {
        format!("# {} ({})\n{} = {value:?}", setting.meaning, setting.variable(), setting.name)
    });
    lines.collect::<Vec<_>>().join("\n\n")
}

/// Sets up the logs of the process.
pub fn init_logs(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log_level)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let ready = match config.log_format {
        crate::config::LogFormat::Text => logs.try_init(),
        crate::config::LogFormat::Json => logs.json().try_init(),
    };
    if let Err(error) = ready {
        tracing::debug!(%error, "Logs were set up before.");
    }
}

/// What a relay says when it runs: the address to hand out, if its node has one yet; who it is; where its pages are, with the
/// port that the system chose if it was asked to. A word that begins with `/` is an address, one with `http://` the pages'.
pub fn greeting(relay: &RelayId, addresses: &[String], data_dir: &Path, http: SocketAddr) -> String {
    let own = format!("Relay {relay}, data in {}\nPages for machines: http://{http}", data_dir.display());
    match addresses.first() {
        Some(address) => format!("Give this address to your friends: {address}\n{own}"),
        None => own,
    }
}

fn rng() -> Result<Rng, AdminError> {
    Rng::from_rng(rand_core::OsRng).map_err(|_| AdminError::Random)
}
