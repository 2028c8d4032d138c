//! This program once more, in a role: a relay or people's devices, told and asked by lines of JSON.
//!
//! A process that a bench started ends with it: its input ends, and if it does not go by itself it is killed, by its id.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Failure, baseline, devices, history, people, relay, sound, speech};

/// Says which role a process plays.
const ROLE: &str = "KITH_BENCH_ROLE";

/// A process in a role.
pub(crate) struct Actor {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    role: &'static str,
}

impl Actor {
    /// Starts one.
    pub(crate) fn start(role: &'static str) -> Result<Self, Failure> {
        Self::run(Command::new(std::env::current_exe()?), role)
    }

    /// Starts one with more in its environment.
    pub(crate) fn start_with(role: &'static str, environment: &[(&str, &OsStr)]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.envs(environment.iter().copied());
        Self::run(command, role)
    }

    /// Starts one in a network of its own, so that nobody else's bytes go over its loopback (Linux).
    pub(crate) fn start_alone(role: &'static str) -> Result<Self, Failure> {
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", "ip link set lo up && exec \"$0\""]).arg(std::env::current_exe()?);
        Self::run(command, role)
    }

    fn run(mut command: Command, role: &'static str) -> Result<Self, Failure> {
        command.env(ROLE, role).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("a process has no output")?;
        let input = process.stdin.take();
        Ok(Self { process, input, output: BufReader::new(output), role })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Tells it something, without waiting for the answer.
    pub(crate) fn tell(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        let input = self.input.as_mut().ok_or("the process has ended")?;
        writeln!(input, "{}", serde_json::to_string(line)?)?;
        Ok(input.flush()?)
    }

    /// Waits for its next answer.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("the process in the role of {} has ended", self.role).into());
        }
        serde_json::from_str::<Result<T, String>>(&line)?.map_err(|why| format!("{}: {why}", self.role).into())
    }

    /// Tells it something and waits for the answer.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, line: &impl Serialize) -> Result<T, Failure> {
        self.tell(line)?;
        self.hear()
    }

    /// Its resident memory in MiB.
    pub(crate) fn resident_mib(&self) -> f64 {
        resident_mib(self.id())
    }

    /// Memory of the process alone: of what is resident, what is no file's.
    pub(crate) fn own_mib(&self) -> f64 {
        status_mib(self.id(), "RssAnon:")
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.input = None;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A process's resident memory in MiB; nothing where the system does not say.
pub(crate) fn resident_mib(process: u32) -> f64 {
    status_mib(process, "VmRSS:")
}

/// The most that a process ever had of it.
pub(crate) fn highest_mib(process: u32) -> f64 {
    status_mib(process, "VmHWM:")
}

fn status_mib(process: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).map_or(f64::NAN, |kib| kib / 1024.0)
}

/// Plays the role that the environment names, if any.
pub(crate) fn play() -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    // What people run is small before it is fast.
    if role != "relay" {
        kith_heap::share_one();
    }
    let runtime = runtime();
    let played = match (role.as_str(), runtime) {
        (_, Err(error)) => Err(error),
        ("relay", Ok(runtime)) => runtime.block_on(relay::play()),
        ("people", Ok(runtime)) => runtime.block_on(people::play()),
        ("mirror", Ok(runtime)) => runtime.block_on(baseline::play()),
        ("idle", Ok(runtime)) => runtime.block_on(devices::play()),
        ("listener", Ok(runtime)) => runtime.block_on(speech::play()),
        ("sounder", Ok(runtime)) => runtime.block_on(sound::play()),
        ("opener", Ok(runtime)) => runtime.block_on(history::play()),
        (other, Ok(_)) => Err(format!("there is no role {other:?}").into()),
    };
    Some(match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench, as {role}: {error}");
            ExitCode::FAILURE
        }
    })
}

/// The runtime of a process here: two threads, as a device of today gives at least.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// The next line that this process was told; nothing when it is to end.
pub(crate) async fn told<T: DeserializeOwned + Send + 'static>() -> Result<Option<T>, Failure> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = line.await??;
    if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_str(&line)?)) }
}

/// Answers.
pub(crate) fn answer<T: Serialize>(answer: Result<T, Failure>) -> Result<(), Failure> {
    let answer = answer.map_err(|error| error.to_string());
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", serde_json::to_string(&answer)?)?;
    Ok(output.flush()?)
}
