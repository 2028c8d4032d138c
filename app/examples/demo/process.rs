//! The programs as real processes, for the demo and for the tests. Those that run are killed when their owner is dropped; nothing else ever is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::failure::Failure;

/// How long any one step may take, on a slow machine under load.
const LIMIT: Duration = Duration::from_secs(60);

/// How often to look whether something has come.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where the programs are.
pub(crate) struct Programs {
    kith: PathBuf,
    relay: PathBuf,
}

impl Programs {
    pub(crate) fn find(kith: Option<PathBuf>, relay: Option<PathBuf>) -> Result<Self, Failure> {
        let demo = std::env::current_exe()?;
        // Cargo builds examples and tests one directory below the programs.
        let beside = demo.parent().and_then(Path::parent).unwrap_or(Path::new(".")).to_owned();
        let found = Self {
            kith: kith.unwrap_or_else(|| beside.join(format!("kith{}", std::env::consts::EXE_SUFFIX))),
            relay: relay.unwrap_or_else(|| beside.join(format!("kith-relay{}", std::env::consts::EXE_SUFFIX))),
        };
        for program in [&found.kith, &found.relay] {
            if !program.is_file() {
                return Err(Failure::new(format!(
                    "{} is not built: ./dev demo and ./dev test build it",
                    program.display()
                )));
            }
        }
        Ok(found)
    }
}

/// A command that inherits no setting of whoever watches.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KITH_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A process that goes on until it is ended.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    name: String,
}

impl Running {
    pub(crate) fn start(mut command: Command, name: &str, log: &Path) -> Result<Self, Failure> {
        let log = File::options().create(true).append(true).open(log)?;
        if !command.as_std().get_envs().any(|(name, _)| name == "KITH_LOG") {
            command.env("KITH_LOG", "error,kith_core=debug,openmls=off");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let output = child.stdout.take().ok_or_else(|| Failure::new("a program has no output"))?;
        Ok(Self { child, lines: BufReader::new(output).lines(), name: name.to_owned() })
    }

    /// The first line in which `wanted` finds something.
    pub(crate) async fn line<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        let search = async {
            while let Some(line) = self.lines.next_line().await? {
                if let Some(found) = wanted(&line) {
                    return Ok(found);
                }
            }
            Err(Failure::new(format!("{} ended at once", self.name)))
        };
        match timeout(LIMIT, search).await {
            Ok(found) => found,
            Err(_) => Err(Failure::new(format!("{} was not ready within {} s", self.name, LIMIT.as_secs()))),
        }
    }

    /// Of a relay: the address to hand out, once it is ready.
    pub(crate) async fn address(&mut self) -> Result<String, Failure> {
        let address = |line: &str| {
            let mut words = line.split_whitespace();
            words.find(|word| word.starts_with('/') && word.contains("/p2p/")).map(str::to_owned)
        };
        self.line(address).await
    }

    /// Waits until it has ended by itself, and well.
    pub(crate) async fn ended(mut self) -> Result<(), Failure> {
        let Ok(status) = timeout(LIMIT, self.child.wait()).await else {
            return Err(Failure::new(format!("{} did not end within {} s", self.name, LIMIT.as_secs())));
        };
        if status?.success() { Ok(()) } else { Err(Failure::new(format!("{} did not end well", self.name))) }
    }

    /// Asks it to end, as the system does, and waits.
    pub(crate) async fn terminate(self) -> Result<(), Failure> {
        if let Some(id) = self.child.id() {
            command(Path::new("kill")).arg("-TERM").arg(id.to_string()).status().await?;
        }
        self.ended().await
    }
}

/// Starts a relay of this name with all its data in `room`. By default it listens on free ports of loopback; `settings` are
/// variables of the environment.
pub(crate) fn relay(
    programs: &Programs,
    room: &Path,
    name: &str,
    settings: &[(&str, &str)],
) -> Result<Running, Failure> {
    let mut command = command(&programs.relay);
    command
        .env("KITH_RELAY_DATA_DIR", room.join(name))
        .env("KITH_RELAY_NAME", name)
        .env("KITH_RELAY_LISTEN", "/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0")
        .env("KITH_RELAY_HTTP_LISTEN", "127.0.0.1:0")
        .envs(settings.iter().copied());
    Running::start(command, "the relay", &room.join(format!("{name}.log")))
}

/// A person with a profile of their own.
pub(crate) struct Person<'a> {
    programs: &'a Programs,
    models: PathBuf,
    pub(crate) room: PathBuf,
    pub(crate) name: &'static str,
    /// How the person's processes are found: the options of the command line.
    pub(crate) network: Vec<String>,
    /// What else the person's processes find in their environment.
    pub(crate) environment: Vec<(String, String)>,
}

impl<'a> Person<'a> {
    pub(crate) fn new(
        programs: &'a Programs,
        models: PathBuf,
        room: &Path,
        name: &'static str,
    ) -> Result<Self, Failure> {
        let network = ["--no-mdns", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1"].map(str::to_owned).to_vec();
        let person = Self { programs, models, room: room.to_owned(), name, network, environment: Vec::new() };
        // A new one each time: nobody should ever find it in two places.
        let password = format!("{name} {:?} demo {}", std::time::SystemTime::now(), std::process::id());
        std::fs::write(person.password_file(), password)?;
        Ok(person)
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.room.join(format!("{}.password", self.name))
    }

    pub(crate) fn kith(&self) -> Command {
        let mut command = command(&self.programs.kith);
        command.arg("--json").arg("--profile").arg(self.room.join(self.name));
        command.arg("--password-file").arg(self.password_file()).arg("--models").arg(&self.models);
        command.args(&self.network).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Keeps the person online until the process is ended.
    pub(crate) async fn run(&self) -> Result<Running, Failure> {
        let mut command = self.kith();
        command.arg("run");
        let mut running = Running::start(command, self.name, &self.room.join(format!("{}.log", self.name)))?;
        let ready = |line: &str| serde_json::from_str::<Value>(line).ok()?.get("running").map(|_| ());
        running.line(ready).await?;
        Ok(running)
    }

    /// Carries out one command: its objects.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Result<Vec<Value>, Failure> {
        let mut command = self.kith();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let words = arguments.first().copied().unwrap_or_default();
        let output = match timeout(LIMIT, command.spawn()?.wait_with_output()).await {
            Ok(output) => output?,
            Err(_) => {
                return Err(Failure::new(format!("{}'s kith {words} took over {} s", self.name, LIMIT.as_secs())));
            }
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("{}'s kith {words} failed: {}", self.name, said.trim())));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// Carries out one command that answers with one object.
    pub(crate) async fn ask_one(&self, arguments: &[&str]) -> Result<Value, Failure> {
        let mut objects = self.ask(arguments).await?;
        objects.pop().ok_or_else(|| Failure::new("a command gave no answer"))
    }

    /// Carries out a command again until its answer has what is `wanted`.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        arguments: &[&str],
        wanted: impl Fn(&[Value]) -> Option<T>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + LIMIT;
        loop {
            let objects = self.ask(arguments).await?;
            if let Some(found) = wanted(&objects) {
                return Ok(found);
            }
            if Instant::now() > end {
                let last: Vec<String> = objects.iter().map(Value::to_string).collect();
                let seen = last.join("\n    ");
                return Err(Failure::new(format!(
                    "within {} s {what} did not come; the last answer was\n    {seen}",
                    LIMIT.as_secs()
                )));
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}
