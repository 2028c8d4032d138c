//! Windows on displays of their own, worked by keys and a mouse as a person works them.
//!
//! A window says what words stand where on it and where the focus is (`KITH_MARKS_WATCH`): so nothing here knows a pixel.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::process::command;
use crate::world::{Failure, Outcome, Person, Running, check};

/// How long any one step may take, on a slow machine under load.
const LIMIT: Duration = Duration::from_secs(45);

/// How often to look whether something is there.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What stands further below something does not belong to it.
const BELOW: f64 = 170.0;

/// What is nearer to the upper or lower edge is not in sight, or what belongs to it is not.
const EDGE: f64 = 180.0;

/// How often it is looked whether what the mouse's wheel moved is drawn.
const DRAWN: u32 = 25;

/// A wheel that moved nothing so often has nothing more to move.
const AT_THE_END: u32 = 3;

/// By what a desktop knows Kith's windows.
const CLASS: &str = "chat.kith.Kith";

/// Looks again until there is something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        check(Instant::now() < end, &format!("within {} s {what} did not come", LIMIT.as_secs()))?;
        sleep(LOOK_AGAIN).await;
    }
}

/// Left, top, width, height.
pub(crate) type Place = [f64; 4];

/// What is on a window.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Screen {
    pub(crate) size: [f64; 2],
    words: Vec<(String, Place)>,
    focus: Option<Place>,
}

impl Screen {
    fn read(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let number = |value: &Value| value.as_f64();
        let place = |value: &Value| {
            let numbers: Vec<f64> = value.as_array()?.iter().filter_map(number).collect();
            Place::try_from(numbers).ok()
        };
        let words = line["words"].as_array()?.iter();
        let words = words.filter_map(|word| Some((word[0].as_str()?.to_owned(), place(&word[1])?))).collect();
        let size = [number(&line["size"][0])?, number(&line["size"][1])?];
        Some(Self { size, words, focus: place(&line["focus"]) })
    }

    /// Where these words stand.
    pub(crate) fn place(&self, words: &str) -> Option<Place> {
        self.words.iter().find(|(seen, _)| seen == words).map(|(_, place)| *place)
    }

    /// Where the first of these words stand below others, and nearer to them than two lines of buttons.
    pub(crate) fn place_below(&self, above: &str, words: &str) -> Option<Place> {
        let [_, from, _, _] = self.place(above)?;
        let below =
            self.words.iter().filter(|(seen, [_, top, ..])| seen == words && (from..from + BELOW).contains(top));
        below.map(|(_, place)| *place).min_by(|[_, one, ..], [_, other, ..]| one.total_cmp(other))
    }

    /// All words on it.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.placed().map(|(words, _)| words)
    }

    /// And where they stand.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&str, Place)> {
        self.words.iter().map(|(words, place)| (words.as_str(), *place))
    }

    /// Whether the field that has the focus is the one of this name, which stands above it.
    fn is_in_field(&self, name: &str) -> bool {
        let below = |[x, y, _, height]: Place, [left, top, _, _]: Place| {
            (left - x).abs() < 24.0 && (0.0..24.0).contains(&(top - y - height))
        };
        self.focus.zip(self.place(name)).is_some_and(|(field, name)| below(name, field))
    }

    /// Whether the focus is where messages are written: at the lower edge, and not in the list.
    fn is_in_composer(&self) -> bool {
        self.focus.is_some_and(|[left, top, _, height]| left > 300.0 && top + height > self.size[1] - 60.0)
    }

    fn all_words(&self) -> String {
        self.words.iter().map(|(words, _)| words.as_str()).collect::<Vec<_>>().join(" | ")
    }
}

/// A display that nobody looks at, with what gives its windows focus and size.
pub(crate) struct Display {
    name: String,
    pictures: PathBuf,
    server: Running,
    manager: Running,
}

impl Display {
    /// A display of its own for somebody. Its pictures go to `pictures`.
    pub(crate) async fn start(room: &Path, who: &str, pictures: &Path) -> Outcome<Self> {
        let log = room.join(format!("display-{who}.log"));
        let mut server = command(Path::new("Xvfb"));
        server.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
        let mut server = Running::start(server, "Xvfb", &log)?;
        let name = server.line(|line| line.trim().parse::<u32>().ok().map(|number| format!(":{number}"))).await?;
        let mut manager = command(Path::new("openbox"));
        manager.arg("--sm-disable").env("DISPLAY", &name);
        let manager = Running::start(manager, "openbox", &log)?;
        let display = Self { name, pictures: pictures.to_owned(), server, manager };
        // A window that comes before its manager would never get the keyboard.
        let managed = async || display.tool(&["get_num_desktops"]).await;
        until("the window manager", managed).await?;
        Ok(display)
    }

    /// A command on it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = command(Path::new(program));
        // A bus that is not there: neither the keychain nor the tray of whoever runs the tests is touched.
        command
            .env("DISPLAY", &self.name)
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            .env("LANG", "en_US.UTF-8")
            .env("WINIT_X11_SCALE_FACTOR", "1")
            .env_remove("LC_ALL")
            .env_remove("LC_TIME")
            .env_remove("LANGUAGE")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// What the tool answers, if it can do it.
    async fn tool(&self, arguments: &[&str]) -> Outcome<Option<String>> {
        let mut tool = self.command("xdotool");
        let output = tool.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = output.wait_with_output().await?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }

    /// Does it.
    async fn does(&self, arguments: &[&str]) -> Outcome {
        let done = self.tool(arguments).await?;
        check(done.is_some(), &format!("xdotool {} failed", arguments.first().unwrap_or(&"")))
    }

    /// How many of Kith's windows can be seen.
    pub(crate) async fn windows(&self) -> Outcome<usize> {
        let found = self.tool(&["search", "--onlyvisible", "--class", CLASS]).await?;
        Ok(found.map_or(0, |found| found.lines().count()))
    }

    /// Closes the window in front, as every desktop does. Right after another has closed there is none, and the keys would be nobody's.
    pub(crate) async fn close_one(&self) -> Outcome {
        let in_front = async || {
            let ours = self.tool(&["search", "--onlyvisible", "--class", CLASS]).await?.unwrap_or_default();
            let front = self.tool(&["getactivewindow"]).await?.unwrap_or_default();
            Ok(ours.lines().any(|id| id == front.trim()).then_some(()))
        };
        until("a window in front", in_front).await?;
        self.does(&["key", "--clearmodifiers", "alt+F4"]).await
    }

    /// Keeps a picture of all that is on it.
    pub(crate) async fn picture(&self, name: &str) -> Outcome {
        let file = self.pictures.join(format!("{name}.png"));
        let status = self.command("import").args(["-window", "root"]).arg(&file).status().await?;
        check(status.success(), &format!("{} could not be kept", file.display()))
    }

    /// SIGKILL: it is gone, and all windows with it.
    pub(crate) async fn kill(self) -> Outcome {
        self.server.kill().await?;
        self.manager.kill().await
    }

    /// Ends it.
    pub(crate) async fn end(self) -> Outcome {
        self.manager.terminate().await?;
        self.server.terminate().await
    }
}

/// Kith's window.
pub(crate) struct Window<'a> {
    display: &'a Display,
    running: Running,
    marks: PathBuf,
    id: String,
}

impl<'a> Window<'a> {
    /// The command that opens the window of somebody whose passphrase is in a file.
    pub(crate) fn command_of(display: &Display, person: &Person<'_>, relay: &str) -> Command {
        let mut command = Self::command(display, &person.room.join(person.name), relay);
        command.arg("--password-file").arg(person.password_file());
        command
    }

    /// The command that opens the window of a profile, where nothing asks for a password by itself.
    pub(crate) fn command(display: &Display, profile: &Path, relay: &str) -> Command {
        let mut command = display.command(env!("CARGO_BIN_EXE_kith"));
        command
            .arg("--profile")
            .arg(profile)
            .env("KITH_LISTEN", "/ip4/127.0.0.1/udp/0/quic-v1")
            .env("KITH_NO_MDNS", "true")
            .env("KITH_RELAY", relay);
        command
    }

    /// Opens a window and waits until it has the keyboard. `marks` is where it says what is on it.
    pub(crate) async fn open(display: &'a Display, mut command: Command, marks: PathBuf) -> Outcome<Self> {
        command.env("KITH_MARKS", &marks).env("KITH_MARKS_WATCH", "true");
        let running = Running::start(command, "the window", &marks.with_extension("log"))?;
        Self { display, running, marks, id: String::new() }.again().await
    }

    /// Waits until there is a window of the program, with the keyboard: the first, or another after one was closed.
    pub(crate) async fn again(mut self) -> Outcome<Self> {
        self.id = until("the window", async || self.visible().await).await?;
        self.is_in_front().await?;
        Ok(self)
    }

    /// Its number, while it can be seen.
    async fn visible(&self) -> Outcome<Option<String>> {
        let found = self.display.tool(&["search", "--onlyvisible", "--class", CLASS]).await?;
        Ok(found.and_then(|found| found.lines().next().map(str::to_owned)))
    }

    /// Until it has the keyboard.
    pub(crate) async fn is_in_front(&self) -> Outcome {
        let look =
            async || Ok((self.display.tool(&["getactivewindow"]).await?.as_ref() == Some(&self.id)).then_some(()));
        until("the window in front", look).await
    }

    /// What is on it.
    pub(crate) fn screen(&self) -> Screen {
        let marks = std::fs::read_to_string(&self.marks).unwrap_or_default();
        let last = marks.lines().rev().filter(|line| line.starts_with("{\"mark\":\"screen\"")).find_map(Screen::read);
        last.unwrap_or_default()
    }

    /// Until there is something on it.
    pub(crate) async fn until<T>(&self, what: &str, wanted: impl Fn(&Screen) -> Option<T>) -> Outcome<T> {
        let found = until(what, async || Ok(wanted(&self.screen()))).await;
        if found.is_err() {
            let name = self.marks.file_stem().unwrap_or_default().to_string_lossy();
            self.display.picture(&format!("failed-{name}")).await?;
        }
        found.map_err(|failure| Failure::new(format!("{failure}; there is: {}", self.screen().all_words())))
    }

    /// Until these words are on it: where.
    pub(crate) async fn shows(&self, words: &str) -> Outcome<Place> {
        self.until(&format!("{words:?} on the window"), |screen| screen.place(words)).await
    }

    /// Until these words are not on it any more.
    pub(crate) async fn hides(&self, words: &str) -> Outcome {
        let gone = |screen: &Screen| screen.place(words).is_none().then_some(());
        self.until(&format!("{words:?} away"), gone).await
    }

    /// Until the field of this name has the focus.
    pub(crate) async fn is_in_field(&self, name: &str) -> Outcome {
        self.until(&format!("the focus in {name:?}"), |screen| screen.is_in_field(name).then_some(())).await
    }

    /// Until a message can be written.
    pub(crate) async fn is_in_composer(&self) -> Outcome {
        self.until("the focus where messages are written", |screen| screen.is_in_composer().then_some(())).await
    }

    /// Presses the mouse's button on these words.
    pub(crate) async fn press(&self, words: &str) -> Outcome {
        let [x, y, width, height] = self.shows(words).await?;
        self.press_at(x + width / 2.0, y + height / 2.0).await
    }

    /// Turns the mouse's wheel until these words can be seen, with what stands below them as far as that goes.
    pub(crate) async fn reach(&self, words: &str) -> Outcome {
        // Where they stood, and how often the wheel has moved nothing since.
        let (mut before, mut idle) = (f64::NAN, 0);
        let at = |screen: &Screen| screen.place(words).map(|[_, top, ..]| top);
        let turn = async || {
            let screen = self.screen();
            let ([width, bottom], Some([_, top, _, height])) = (screen.size, screen.place(words)) else {
                return Ok(None);
            };
            idle = if top == before { idle + 1 } else { 0 };
            before = top;
            let wheel = match (top < EDGE, top + height + EDGE > bottom) {
                (true, _) => "4",
                (false, true) => "5",
                (false, false) => return Ok(Some(())),
            };
            if idle > AT_THE_END && top > 0.0 && top + height < bottom {
                return Ok(Some(()));
            }
            let (x, y) = ((width * 0.7).round().to_string(), (bottom / 2.0).round().to_string());
            self.display.does(&["mousemove", "--window", &self.id, &x, &y, "click", wheel]).await?;
            // What moves is looked at when it is drawn, so that nothing moves any more when they are in sight.
            for _ in 0..DRAWN {
                sleep(LOOK_AGAIN).await;
                if at(&self.screen()) != Some(top) {
                    break;
                }
            }
            Ok(None)
        };
        until(&format!("{words:?} in sight"), turn).await
    }

    /// Until these words stand below others: where.
    pub(crate) async fn shows_below(&self, above: &str, words: &str) -> Outcome<Place> {
        self.until(&format!("{words:?} below {above:?}"), |screen| screen.place_below(above, words)).await
    }

    /// Presses the mouse's button on these words, which stand below others.
    pub(crate) async fn press_below(&self, above: &str, words: &str) -> Outcome {
        self.reach(above).await?;
        // What comes above them meanwhile moves them.
        let mut place = self.shows_below(above, words).await?;
        for _ in 0..DRAWN {
            sleep(LOOK_AGAIN * 3).await;
            let before = std::mem::replace(&mut place, self.shows_below(above, words).await?);
            if place == before {
                break;
            }
        }
        let [x, y, width, height] = place;
        self.press_at(x + width / 2.0, y + height / 2.0).await
    }

    /// Presses the mouse's button on these words and keeps it down: where.
    pub(crate) async fn hold(&self, words: &str) -> Outcome<Place> {
        let place = self.shows(words).await?;
        self.point_at(place, [0.0, 0.0]).await?;
        self.display.does(&["mousedown", "1"]).await?;
        Ok(place)
    }

    /// Moves the mouse to a place that is this far from another.
    pub(crate) async fn point_at(&self, [x, y, width, height]: Place, [right, down]: [f64; 2]) -> Outcome {
        let (x, y) = ((x + width / 2.0 + right).round().to_string(), (y + height / 2.0 + down).round().to_string());
        self.display.does(&["mousemove", "--sync", "--window", &self.id, &x, &y]).await
    }

    /// Lets the mouse's button go.
    pub(crate) async fn let_go(&self) -> Outcome {
        self.display.does(&["mouseup", "1"]).await
    }

    /// Presses it on the field that stands below this name.
    pub(crate) async fn press_field(&self, name: &str) -> Outcome {
        let [x, y, _, height] = self.shows(name).await?;
        self.press_at(x + 16.0, y + height + 20.0).await?;
        self.is_in_field(name).await
    }

    /// Presses the mouse's button there.
    // Without `--sync`, which waits for a quarter of a minute where the pointer is there already; events keep their order.
    pub(crate) async fn press_at(&self, x: f64, y: f64) -> Outcome {
        let (x, y) = (x.round().to_string(), y.round().to_string());
        self.display.does(&["mousemove", "--window", &self.id, &x, &y, "click", "1"]).await
    }

    /// Presses a key, or several at once.
    pub(crate) async fn key(&self, key: &str) -> Outcome {
        self.display.does(&["key", "--clearmodifiers", key]).await
    }

    /// Types.
    pub(crate) async fn write(&self, words: &str) -> Outcome {
        self.display.does(&["type", "--delay", "4", words]).await
    }

    /// Gives it another size, and waits until it is drawn so.
    pub(crate) async fn resize(&self, width: u32, height: u32) -> Outcome {
        self.display.does(&["windowsize", &self.id, &width.to_string(), &height.to_string()]).await?;
        self.has_size(width, height).await
    }

    /// Until it is drawn in this size.
    pub(crate) async fn has_size(&self, width: u32, height: u32) -> Outcome {
        let wanted = [f64::from(width), f64::from(height)];
        self.until("the window's size", |screen| (screen.size == wanted).then_some(())).await
    }

    /// Puts it away, as a person does who wants to see something else.
    pub(crate) async fn minimize(&self) -> Outcome {
        self.display.does(&["windowminimize", &self.id]).await?;
        until("the window away", async || Ok(self.visible().await?.is_none().then_some(()))).await
    }

    /// SIGKILL, and until it is gone: what was on it last.
    pub(crate) async fn kill(mut self) -> Outcome<Screen> {
        self.running.child.kill().await?;
        Ok(self.screen())
    }

    /// Closes it as every desktop does, and waits until the program has ended, and well.
    pub(crate) async fn close(self) -> Outcome {
        self.display.close_one().await?;
        self.ended().await
    }

    /// Until the program has ended by itself, and well.
    pub(crate) async fn ended(self) -> Outcome {
        self.running.ended().await
    }

    /// The program, whatever becomes of the window.
    pub(crate) fn program(self) -> Running {
        self.running
    }

    /// Until it is called so, where a desktop lists its windows.
    pub(crate) async fn is_called(&self, name: &str) -> Outcome {
        let look = async || {
            let found = self.display.tool(&["getwindowname", &self.id]).await?;
            Ok((found.as_deref() == Some(name)).then_some(()))
        };
        until(&format!("the window's name {name:?}"), look).await
    }
}

/// What windows wrote into this directory of how they were to work with: the most processor time that one of them spent from one
/// frame to the next, and how late one answered at most, which a busy machine adds to.
pub(crate) fn slowest(marks: &Path) -> Outcome<(Duration, Duration)> {
    let (mut frame, mut answer) = (Duration::ZERO, Duration::ZERO);
    for entry in std::fs::read_dir(marks)? {
        for line in std::fs::read_to_string(entry?.path())?.lines().filter(|line| line.starts_with("{\"mark\"")) {
            let mark: Value = serde_json::from_str(line).unwrap_or_default();
            let time = |name: &str| Duration::from_micros(mark[name].as_u64().unwrap_or_default());
            match mark["mark"].as_str() {
                Some("frame") => frame = frame.max(time("cpu_us")),
                Some("late") => answer = answer.max(time("us")),
                _ => {}
            }
        }
    }
    Ok((frame, answer))
}
