//! A microphone and a speaker that are real to everybody but the ear: a sound server of the test's own, without a sound card.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything here may take, on a slow machine under load.
const PATIENCE: Duration = Duration::from_secs(60);

/// PulseAudio with a speaker and a microphone that hears what is played to `wire`.
pub(crate) struct Server {
    child: Child,
    room: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let room = TempDir::new().unwrap();
        let socket = room.path().join("sock");
        let child = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=stderr"])
            .args(["-L", &format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display())])
            .args(["-L", "module-null-sink sink_name=speaker rate=48000"])
            .args(["-L", "module-null-sink sink_name=wire rate=48000"])
            .args(["-L", "module-virtual-source source_name=microphone master=wire.monitor"])
            .env("XDG_RUNTIME_DIR", room.path())
            .env("HOME", room.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, room };
        until("the sound server", || server.control(&["set-default-source", "microphone"]).status.success());
        assert!(server.control(&["set-default-sink", "speaker"]).status.success());
        server
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PULSE_SERVER", self.address()).env("HOME", self.room.path());
        command.stdin(Stdio::null()).env("KITH_MODELS", models());
        command
    }

    /// Where it is, for whoever starts programs by other means.
    pub(crate) fn address(&self) -> String {
        format!("unix:{}", self.room.path().join("sock").display())
    }

    pub(crate) fn control(&self, arguments: &[&str]) -> Output {
        self.command("pactl").args(arguments).output().unwrap()
    }

    /// How many listen to microphones, or to what a speaker plays.
    pub(crate) fn listeners(&self) -> usize {
        let output = self.control(&["list", "short", "source-outputs"]).stdout;
        // The microphone itself listens to the wire.
        String::from_utf8_lossy(&output).lines().filter(|line| !line.contains("module-virtual-source")).count()
    }

    /// Whether somebody listens to a source of this name.
    pub(crate) fn listens_to(&self, source: &str) -> bool {
        let list = |what| String::from_utf8(self.control(&["list", "short", what]).stdout).unwrap();
        let (sources, listeners) = (list("sources"), list("source-outputs"));
        let named = |line: &&str| line.split('\t').nth(1) == Some(source);
        let number = sources.lines().find(named).and_then(|line| line.split('\t').next());
        number.is_some_and(|number| listeners.lines().any(|line| line.split('\t').nth(1) == Some(number)))
    }

    /// Somebody listens to the speaker from now on.
    pub(crate) fn ear(&self) -> Ear<'_> {
        let mut ear = self.command("parec");
        ear.args(["--device=speaker.monitor", "--format=s16le", "--rate=48000", "--channels=1"]);
        let before = self.listeners();
        let child = ear.stdout(std::fs::File::create(self.path("heard.raw")).unwrap()).spawn().unwrap();
        until("an ear at the speaker", || self.listeners() > before);
        Ear { server: self, child }
    }

    pub(crate) fn kith(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_kith")).args(arguments).output().unwrap()
    }

    pub(crate) fn words(&self, file: &Path) -> String {
        let output = self.kith(&["--json", "transcribe", file.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["text"].as_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }
}

/// Somebody who listens to the speaker.
pub(crate) struct Ear<'a> {
    server: &'a Server,
    child: Child,
}

impl Ear<'_> {
    /// Until so many milliseconds of sound came, whatever it was: what was heard, in words.
    pub(crate) fn words_after(self, ms: u64) -> String {
        let heard = self.server.path("heard.wav");
        std::fs::write(&heard, wav(48_000, &self.sound_after(ms))).unwrap();
        self.server.words(&heard)
    }

    /// As before: how long it took from the first that was loud to the last.
    pub(crate) fn span_after(self, ms: u64) -> Duration {
        let sound = self.sound_after(ms);
        let loud = |sample: &[u8; 2]| i16::from_le_bytes(*sample).unsigned_abs() > 1_000;
        let (samples, _) = sound.as_chunks::<2>();
        let (first, last) = (samples.iter().position(loud), samples.iter().rposition(loud));
        let (first, last) = first.zip(last).expect("something loud was played");
        Duration::from_secs_f64((last - first) as f64 / 48_000.0)
    }

    /// What was heard until so many milliseconds of it came: 16 bits, 48 kHz.
    fn sound_after(&self, ms: u64) -> Vec<u8> {
        let raw = self.server.path("heard.raw");
        until("what was played", || std::fs::metadata(&raw).unwrap().len() > ms * 96);
        std::fs::read(raw).unwrap()
    }
}

impl Drop for Ear<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models")
}

pub(crate) fn clip() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/clips/ok_01.wav")
}

/// The samples of a clip, 16 bits at 16 kHz each, as they lie in its file.
pub(crate) fn samples_of(name: &str) -> Vec<u8> {
    let file = std::fs::read(clip().with_file_name(name)).unwrap();
    file.get(44..).unwrap().to_vec()
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Mono sound of 16 bits as a WAV file.
pub(crate) fn wav(rate: u32, samples: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(u32::try_from(samples.len()).unwrap().to_le_bytes());
    file.extend(samples);
    file
}
