//! The window, on a display that nobody looks at: its start, what its frames cost, and what it takes while nothing happens.
//!
//! `kith` and the bare window it is held against stand beside this program. It needs Xvfb, openbox and xdotool.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kith_core::client::sample::{Sample, make};
use kith_core::client::{Client, Unlock};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::figure::Figure;
use crate::glyph;
use crate::people::{options, unlock};
use crate::process::resident_mib;
use crate::{Failure, Scale};

const CHATS: usize = 200;

/// Messages in each of them.
const MESSAGES: usize = 500;

/// Messages in the history that is scrolled through.
const LONG: usize = 100_000;

/// How often a window is started.
const STARTS: usize = 3;

/// How many chats are opened.
const OPENED: usize = 40;

/// Wheel events, a sixtieth of a second between them.
const WHEEL: usize = 1800;
const WHEEL_MS: &str = "16";

/// Letters that are typed.
const LETTERS: usize = 200;

/// How long until a window rests: a caret that nobody uses blinks no longer than that.
const REST: Duration = Duration::from_secs(10);

/// How long nothing is done.
const IDLE: Duration = Duration::from_secs(30);

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(120);

const LOOK: Duration = Duration::from_millis(5);

const PASSPHRASE: &str = "a bench that everybody may open";

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let display = Display::start()?;
    let programs = std::env::current_exe()?.parent().and_then(Path::parent).ok_or("no programs")?.to_owned();
    let (kith, bare) = (programs.join("kith"), programs.join("examples/bare"));
    let passphrase = dir.path().join("passphrase");
    std::fs::write(&passphrase, PASSPHRASE)?;
    let (profile, long) = (dir.path().join("many"), dir.path().join("long"));
    make(&profile, by_passphrase(), Sample { chats: CHATS, messages: scale.of(MESSAGES) })?;
    make(&long, by_passphrase(), Sample { chats: 1, messages: scale.of(LONG) })?;
    let stretching = stretching(dir.path())?;

    let open = |profile: &Path, marks: &str| {
        let mut command = Command::new(&kith);
        command.arg("--profile").arg(profile).arg("--passphrase-file").arg(&passphrase).arg("--no-mdns");
        command.args(["--listen", "/ip4/127.0.0.1/udp/0/quic-v1"]);
        Window::open(&display, command, dir.path().join(marks), "chats")
    };
    let mut starts = Vec::new();
    for number in 0..STARTS - 1 {
        let window = open(&profile, &format!("start-{number}"))?;
        starts.push(window.start_ms - stretching);
        window.close()?;
    }
    let mut window = open(&profile, "many.jsonl")?;
    starts.push(window.start_ms - stretching);
    let idle = window.idle()?;
    window.open_chat("ctrl+1")?;
    window.heard();
    let mut typed = glyph::typed(&display.name, &window.id, LETTERS)?;
    let mut typing: Vec<f64> = window.heard().iter().filter_map(processor_ms).collect();
    let written = window.idle()?;
    // Last: what was read is told to people who are not there, for a while.
    let mut opened = window.open_chats()?;
    window.close()?;

    let mut window = open(&long, "long.jsonl")?;
    window.open_chat("ctrl+1")?;
    window.tool(&["mousemove", "--window", &window.id.clone(), "700", "360"])?;
    let wheel = scale.of(WHEEL).to_string();
    let mut scrolled = window.frames_of(&["click", "--repeat", &wheel, "--delay", WHEEL_MS, "4"])?;
    let scrolled_memory = resident_mib(window.process.id());
    window.close()?;

    let mut command = Command::new(&bare);
    command.env("ICED_BACKEND", "tiny-skia");
    let mut window = Window::open(&display, command, dir.path().join("bare.jsonl"), "drawn")?;
    let bare_start = window.start_ms;
    let bare_idle = window.idle()?;
    drop(window);

    let (of_bare, of_half) = ("a bare window of iced", "p50");
    Ok(vec![
        Figure::new("window: start to the chats", percentile(&mut starts, 50), "ms")
            .at_most(400.0)
            .against(bare_start, of_bare),
        Figure::new("window: opening a chat, p99", percentile(&mut opened, 99), "ms")
            .at_most(50.0)
            .against(percentile(&mut opened, 50), of_half),
        Figure::new("window: scrolling, CPU of a frame, p99", percentile(&mut scrolled, 99), "ms")
            .at_most(16.0)
            .against(percentile(&mut scrolled, 50), of_half),
        Figure::new("window: frames while scrolling", scrolled.len() as f64, "")
            .against(scale.of(WHEEL) as f64, "wheel events"),
        Figure::new("window: memory after scrolling", scrolled_memory, "MiB").against(idle.memory, "idle"),
        Figure::new("window: from a key to its glyph on the screen, p99", percentile(&mut typed, 99), "ms")
            .at_most(16.0)
            .against(percentile(&mut typed, 50), of_half),
        Figure::new("window: a key's frame, CPU, p99", percentile(&mut typing, 99), "ms")
            .at_most(16.0)
            .against(percentile(&mut typing, 50), of_half),
        Figure::new("window: idle memory", idle.memory, "MiB").at_most(80.0).against(bare_idle.memory, of_bare),
        Figure::new("window: idle, of a core", idle.percent, "%").at_most(0.5).against(bare_idle.percent, of_bare),
        Figure::new("window: idle, frames in 30 s", idle.frames, "").at_most(1.0).against(bare_idle.frames, of_bare),
        Figure::new("window: idle with a caret, of a core", written.percent, "%")
            .at_most(0.5)
            .against(idle.percent, "idle"),
        Figure::new("window: idle with a caret, frames in 30 s", written.frames, "")
            .at_most(1.0)
            .against(idle.frames, "idle"),
    ])
}

fn by_passphrase() -> Unlock {
    Unlock::Passphrase(Zeroizing::new(PASSPHRASE.to_owned()))
}

/// How long it takes to stretch a passphrase, in milliseconds: whose key lies in a keychain does not wait for that.
fn stretching(dir: &Path) -> Result<f64, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let time = |name: &str, unlock: fn() -> Unlock| -> Result<f64, Failure> {
        let profile = dir.join(name);
        make(&profile, unlock(), Sample { chats: 1, messages: 1 })?;
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let begun = Instant::now();
            let client = runtime.block_on(Client::open(&profile, unlock(), options(true)))?;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
            runtime.block_on(client.shutdown());
        }
        Ok(percentile(&mut times, 50))
    };
    Ok((time("by-passphrase", by_passphrase)? - time("by-key", unlock)?).max(0.0))
}

fn percentile(values: &mut [f64], of: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = values.len().saturating_sub(1) * of / 100;
    values.get(place).copied().unwrap_or(f64::NAN)
}

/// Looks until something is there.
fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(LOOK);
    }
    Err(format!("{what} did not come in time").into())
}

/// A program that ends with the bench.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Display {
    name: String,
    _manager: Kept,
    _server: Kept,
}

impl Display {
    fn start() -> Result<Self, Failure> {
        let needed = |program: &str, error: std::io::Error| format!("{program} is needed for a display: {error}");
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
        server.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Kept(server.spawn().map_err(|error| needed("Xvfb", error))?);
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().ok_or("the display has no output")?).read_line(&mut number)?;
        let name = format!(":{}", number.trim());
        let mut manager = Command::new("openbox");
        manager.arg("--sm-disable").env("DISPLAY", &name).stdout(Stdio::null()).stderr(Stdio::null());
        let manager = Kept(manager.spawn().map_err(|error| needed("openbox", error))?);
        let display = Self { name, _manager: manager, _server: server };
        // A window that comes before its manager would never get the keyboard.
        until("the window manager", || Ok(display.tool(&["get_num_desktops"]).ok()))?;
        Ok(display)
    }

    fn tool(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.name).output();
        let output = output.map_err(|error| format!("xdotool is needed for keys: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(format!("xdotool {} failed", arguments.first().unwrap_or(&"")).into())
    }
}

/// What a window takes while nothing happens.
struct Idle {
    memory: f64,
    percent: f64,
    frames: f64,
}

struct Window<'a> {
    display: &'a Display,
    process: Child,
    marks: PathBuf,
    /// What was read of the marks.
    read: usize,
    id: String,
    /// From the start of the process until it showed what is wanted.
    start_ms: f64,
}

impl<'a> Window<'a> {
    fn open(display: &'a Display, mut command: Command, marks: PathBuf, first: &str) -> Result<Self, Failure> {
        command.env("DISPLAY", &display.name).env("KITH_MARKS", &marks).env("WINIT_X11_SCALE_FACTOR", "1");
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").env_remove("WAYLAND_DISPLAY");
        command.env("LANG", "en_US.UTF-8").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as f64;
        let process = command.spawn()?;
        let mut window = Self { display, process, marks, read: 0, id: String::new(), start_ms: f64::NAN };
        let shown = window.hear(first)?;
        window.start_ms = (number(&shown, "at_us") - begun) / 1000.0;
        window.id = until("the window in front", || {
            let id = window.tool(&["getactivewindow"]);
            Ok(id.ok())
        })?;
        Ok(window)
    }

    fn tool(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.display.tool(arguments)
    }

    /// What was marked since the last call.
    fn heard(&mut self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.marks).unwrap_or_default();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let new = text.get(self.read..whole).unwrap_or_default();
        let marks = new.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        self.read = whole;
        marks
    }

    /// Waits for a mark. What was marked before it and with it is heard.
    fn hear(&mut self, name: &str) -> Result<Value, Failure> {
        until(&format!("the mark {name:?}"), || {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("the window ended with {status}").into());
            }
            Ok(self.heard().into_iter().find(|mark| mark["mark"] == name))
        })
    }

    /// The milliseconds of processor time of each frame that this makes it draw.
    fn frames_of(&mut self, arguments: &[&str]) -> Result<Vec<f64>, Failure> {
        self.heard();
        self.tool(arguments)?;
        Ok(self.heard().iter().filter_map(processor_ms).collect())
    }

    /// Opens one chat by keys: milliseconds from the key's arrival until the frame with its messages.
    fn open_chat(&mut self, keys: &str) -> Result<f64, Failure> {
        self.heard();
        self.tool(&["key", keys])?;
        let mut pressed = f64::NAN;
        let shown = until("the conversation", || {
            let marks = self.heard();
            if let Some(key) = marks.iter().find(|mark| mark["mark"] == "key") {
                pressed = number(key, "at_us");
            }
            Ok(marks.into_iter().find(|mark| mark["mark"] == "conversation"))
        })?;
        Ok((number(&shown, "at_us") - pressed) / 1000.0)
    }

    fn open_chats(&mut self) -> Result<Vec<f64>, Failure> {
        (0..OPENED).map(|_| self.open_chat("alt+Down")).collect()
    }

    fn idle(&mut self) -> Result<Idle, Failure> {
        std::thread::sleep(REST);
        self.heard();
        let before = processor_seconds(self.process.id())?;
        std::thread::sleep(IDLE);
        let spent = processor_seconds(self.process.id())? - before;
        let frames = self.heard().into_iter().filter(|mark| mark["mark"] == "frame" || mark["mark"] == "drawn");
        Ok(Idle {
            memory: resident_mib(self.process.id()),
            percent: 100.0 * spent / IDLE.as_secs_f64(),
            frames: frames.count() as f64,
        })
    }

    fn close(mut self) -> Result<(), Failure> {
        self.tool(&["key", "alt+F4"])?;
        let status = until("the end of the window", || Ok(self.process.try_wait()?))?;
        if status.success() { Ok(()) } else { Err(format!("the window ended with {status}").into()) }
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a frame took of the processor, in milliseconds.
fn processor_ms(mark: &Value) -> Option<f64> {
    (mark["mark"] == "frame").then(|| number(mark, "cpu_us") / 1000.0)
}

fn number(mark: &Value, name: &str) -> f64 {
    mark[name].as_f64().unwrap_or(f64::NAN)
}

/// The processor time of all threads of a process: Linux counts it in hundredths of a second.
fn processor_seconds(process: u32) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The program's name may have spaces in it; it ends with the last bracket.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no times of the process")?;
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>();
    Ok(ticks / 100.0)
}
