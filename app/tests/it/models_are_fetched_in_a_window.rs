//! A model that is listed is fetched in the settings: from an address of one's own and from one's relay, with a pause, a kill and an address
//! that lies; and then it is used.
//!
//! The model is Silero's, which is the one that is small enough.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::process::command;
use crate::silero::silero;
use crate::sound_server::{clip, models};
use crate::window::{Display, Screen, Window, until};
use crate::world::{Outcome, Person, Relay, check, play, sign_up};

const NAME: &str = "silero-v6.2.0";
const FILE: &str = "ggml-silero-v6.2.0.bin";

/// How much the address gives before the pause, and before the kill.
const BEFORE: usize = 300_000;

/// An address with one model. It gives as much of it as it is let, and more only drop by drop.
struct Mirror {
    address: String,
    giving: Arc<Giving>,
}

struct Giving {
    model: Vec<u8>,
    /// Up to where.
    freely: AtomicUsize,
    /// The last byte is another one.
    lies: AtomicBool,
    /// From where on it was asked, each time.
    asked: Mutex<Vec<usize>>,
}

impl Mirror {
    fn open(model: Vec<u8>) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let giving = Giving { model, freely: BEFORE.into(), lies: false.into(), asked: Mutex::default() };
        let giving = Arc::new(giving);
        let gives = Arc::clone(&giving);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let giving = Arc::clone(&gives);
                // Who has heard enough goes.
                std::thread::spawn(move || giving.answer(stream));
            }
        });
        Ok(Self { address, giving })
    }
}

impl Giving {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let (mut at, size) = (0, self.model.len());
        while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
            if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                at = range.trim_end_matches('-').parse().unwrap();
            }
        }
        self.asked.lock().unwrap().push(at);
        let head = format!("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {at}-{}/{size}\r\n", size - 1);
        write!(stream, "{head}content-length: {}\r\nconnection: close\r\n\r\n", size - at)?;
        while at < size {
            let free = self.freely.load(Ordering::Relaxed).min(size);
            if free <= at {
                std::thread::sleep(Duration::from_millis(100));
            }
            let end = free.clamp(at + 1, at + 16_384);
            let mut part = self.model[at..end].to_vec();
            if end == size && self.lies.load(Ordering::Relaxed) {
                part[end - at - 1] ^= 1;
            }
            stream.write_all(&part)?;
            at = end;
        }
        Ok(())
    }
}

struct Scene<'a> {
    display: &'a Display,
    alice: &'a Person<'a>,
    room: &'a Path,
    relay: &'a str,
}

impl Scene<'_> {
    fn fetched(&self, file: &str) -> PathBuf {
        self.room.join("models").join(file)
    }

    /// A window that shows the models.
    async fn window(&self, number: u32) -> Outcome<Window<'_>> {
        let mut opens = Window::command(self.display, &self.room.join("alice"), self.relay);
        opens.arg("--password-file").arg(self.alice.password_file()).env("KITH_MODELS", self.room.join("models"));
        let window = Window::open(self.display, opens, self.room.join(format!("alice-{number}.jsonl"))).await?;
        window.resize(1000, 780).await?;
        window.key("ctrl+comma").await?;
        window.press("Speech to text").await?;
        window.reach(NAME).await?;
        Ok(window)
    }

    /// How much of it is here.
    fn part(&self) -> usize {
        self.fetched(&format!("{FILE}.part")).metadata().map_or(0, |part| part.len() as usize)
    }
}

#[tokio::test]
async fn a_model_is_fetched_with_a_pause_a_kill_and_an_address_that_lies_and_is_used() {
    let Some(model) = silero().map(|path| std::fs::read(path).unwrap()) else { return };
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models");
    std::fs::create_dir_all(&pictures).unwrap();
    play(async |room| {
        let (own, served) = (room.join("models"), room.join("served"));
        std::fs::create_dir(&own)?;
        std::fs::create_dir(&served)?;
        std::fs::copy(models().join("ggml-kith-test.en.bin"), own.join("ggml-kith-test.en.bin"))?;
        std::fs::write(served.join(FILE), &model)?;
        let relay = Relay::start_with_models(room, "relay", &served).await?;
        let mirror = Mirror::open(model.clone())?;
        let alice = sign_up(room, "alice", &relay).await?;
        let display = Display::start(room, "alice", &pictures).await?;
        let scene = Scene { display: &display, alice: &alice, room, relay: &relay.address };

        let window = scene.window(1).await?;
        for address in [&mirror.address, &relay.models()] {
            window.reach("Another address").await?;
            window.press_field("Another address").await?;
            window.write(address).await?;
            window.key("Return").await?;
            window.shows(address).await?;
        }
        window.press_below(NAME, "Fetch").await?;
        // It says how far it is, and stops where it is told to.
        until("a third of it", async || Ok((scene.part() >= BEFORE).then_some(()))).await?;
        window.reach(NAME).await?;
        window.shows_below(NAME, "Pause").await?;
        let progress = |words: &&str| words.contains(" / ") && words.contains("B");
        window.until("how far it is", |screen| screen.words().find(progress).map(|_| ())).await?;
        display.picture("coming").await?;
        window.press_below(NAME, "Pause").await?;
        window.shows_below(NAME, "Go on").await?;
        let kept = scene.part();
        check((BEFORE..model.len()).contains(&kept), &format!("{kept} bytes are kept"))?;

        // On it goes, until its process is killed.
        mirror.giving.freely.store(2 * BEFORE, Ordering::Relaxed);
        window.press_below(NAME, "Go on").await?;
        until("two thirds of it", async || Ok((scene.part() >= 2 * BEFORE).then_some(()))).await?;
        window.kill().await?;
        let asked = || mirror.giving.asked.lock().unwrap().clone();
        check(asked() == [0, kept], &format!("it was asked from {:?}, and {kept} bytes were here", asked()))?;

        // The address lies from here on. It is found out, and the relay gives the model.
        mirror.giving.freely.store(model.len(), Ordering::Relaxed);
        mirror.giving.lies.store(true, Ordering::Relaxed);
        let window = scene.window(2).await?;
        let kept = scene.part();
        window.press_below(NAME, "Go on").await?;
        // What is fetched in part can be deleted too: the file tells when it is whole.
        let is_here = |screen: &Screen| {
            let shows = |words| screen.place_below(NAME, words).is_some();
            let is_whole = scene.fetched(FILE).exists();
            (is_whole && shows("Delete") && !shows("Go on") && !shows("Pause")).then_some(())
        };
        window.until("the model", is_here).await?;
        check(asked().get(2) == Some(&kept), &format!("it was asked from {:?}, and {kept} bytes were here", asked()))?;
        check(std::fs::read(scene.fetched(FILE))? == model, "another file is here than the manifest names")?;
        check(scene.part() == 0, "something is left of the download")?;
        display.picture("here").await?;
        window.close().await?;
        display.end().await?;

        // It finds where somebody speaks.
        let mut listens = command(Path::new(env!("CARGO_BIN_EXE_kith")));
        listens.env("KITH_MODELS", &own).env("KITH_LOG", "kith_core=debug").stderr(std::process::Stdio::piped());
        let heard = listens.arg("transcribe").arg(clip()).stdout(std::process::Stdio::piped()).spawn()?;
        let heard = heard.wait_with_output().await?;
        let (text, log) = (String::from_utf8_lossy(&heard.stdout), String::from_utf8_lossy(&heard.stderr));
        check(text.contains("Meet me at the station at eleven."), &format!("{text} was heard"))?;
        check(log.contains("a detector of speech was loaded"), &format!("it was not used: {log}"))?;
        // What whisper.cpp says of it is in the log, and not written to the terminal by itself.
        check(!log.contains("\nwhisper_vad"), &log)
    })
    .await;
}
