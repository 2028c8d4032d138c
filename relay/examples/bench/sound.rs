//! From a button's press to the first sample that is recorded, and to the first that is heard; an hour of sound encoded.
//!
//! The microphone and the speaker are those of a sound server of the bench's own, without a sound card: what is measured is Kith and the
//! way through the server, not a driver.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use kith_core::client::sample::{Sample, make};
use kith_core::client::sound::RecordingPhase;
use kith_core::client::{Client, Reply, Request};
use kith_core::voice::stream::{LONG_BITRATE_BPS, encode_wav};
use kith_core::voice::{OPUS_RATE, SPEECH_RATE};
use kith_core::wire::control::At;
use serde::{Deserialize, Serialize};

use crate::figure::Figure;
use crate::people::{options, unlock};
use crate::process::{Actor, answer, highest_mib, told};
use crate::speech::pcm_of_clip;
use crate::{Failure, Scale};

/// Each press is measured so often, and the middle one counts. The first opens what is opened once.
const RUNS: usize = 9;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two presses: the server finds its rest.
const REST: Duration = Duration::from_millis(700);

/// Loud enough to be no noise, of the 32,767 of 16 bits.
const HEARD: u16 = 300;

/// Says where the sound server listens.
const SERVER: &str = "PULSE_SERVER";

#[derive(Debug, Serialize, Deserialize)]
enum Tell {
    /// Records until something was recorded: how long that took, in milliseconds.
    Record,
    /// Plays until something was heard.
    Play,
    /// Encodes so many seconds: how long that took, in milliseconds, and the process's highest memory, in MiB.
    Encode(u64),
}

pub(crate) fn run(scale: Scale) -> Result<Vec<Figure>, Failure> {
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path())?;
    let profile = dir.path().join("profile");
    make(&profile, unlock(), Sample { chats: 1, messages: 1 })?;
    let tone = dir.path().join("tone.wav");
    let wave = [[0; 48], [64; 48]].concat();
    io::copy(&mut wav(OPUS_RATE, &wave, 2), &mut File::create(&tone)?)?;

    let mut person =
        Actor::start_with("sounder", &[(SERVER, server.address.as_ref()), (PROFILE, profile.as_os_str())])?;
    person.ask::<()>(&tone)?;
    let (mut recorded, mut listened, mut played, mut paplayed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        recorded.push(person.ask::<f64>(&Tell::Record)?);
        listened.push(server.listens()?);
        std::thread::sleep(REST);
        played.push(person.ask::<f64>(&Tell::Play)?);
        std::thread::sleep(REST);
        paplayed.push(server.plays(&tone)?);
        std::thread::sleep(REST);
    }
    drop(person);

    let seconds = u64::try_from(scale.of(3_600))?;
    let mut encoder = Actor::start_with("sounder", &[])?;
    let before = encoder.ask::<()>(&PathBuf::new()).map(|()| encoder.resident_mib())?;
    let (took, memory) = encoder.ask::<(f64, f64)>(&Tell::Encode(seconds))?;
    let times = seconds as f64 * 1000.0 / took;
    Ok(vec![
        Figure::new("sound: press to the first sample", middle(recorded), "ms")
            .at_most(50.0)
            .against(middle(listened), "parec, with its start"),
        Figure::new("sound: press to sound on play", middle(played), "ms")
            .at_most(60.0)
            .against(middle(paplayed), "paplay, with its start"),
        Figure::new("sound: an hour encoded, times its length", times, "").at_least(100.0),
        Figure::new("sound: memory of that", memory, "MiB").at_most(30.0).against(before, "before"),
    ])
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A sound server with a speaker, and a microphone that hears what is played to `wire`.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(dir: &Path) -> Result<Self, Failure> {
        let socket = dir.join("sound");
        // Without rewinding, a sink without a card works in blocks of 50 ms at most, as cards do; else in blocks of two seconds.
        let sink = |name| format!("module-null-sink sink_name={name} rate=48000 norewinds=1");
        let child = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"])
            .args(["-L", &format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display())])
            .args(["-L", &sink("speaker"), "-L", &sink("wire")])
            .args(["-L", "module-virtual-source source_name=microphone master=wire.monitor"])
            .env("XDG_RUNTIME_DIR", dir)
            .env("HOME", dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.map_err(|error| format!("pulseaudio does not start: {error}"))?;
        let server = Self { child, address: format!("unix:{}", socket.display()) };
        let begun = Instant::now();
        while !server.control(&["set-default-source", "microphone"])? {
            if begun.elapsed() > PATIENCE {
                return Err("the sound server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        server.control(&["set-default-sink", "speaker"])?;
        Ok(server)
    }

    fn control(&self, arguments: &[&str]) -> Result<bool, Failure> {
        let mut command = Command::new("pactl");
        command.env(SERVER, &self.address).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status()?.success())
    }

    /// How long it takes until `parec` has a first sample of the microphone, in milliseconds.
    fn listens(&self) -> Result<f64, Failure> {
        let begun = Instant::now();
        let mut ear = Ear::open("microphone", &self.address)?;
        ear.hears(0)?;
        Ok(milliseconds(begun))
    }

    /// How long it takes until what `paplay` plays is heard, in milliseconds.
    fn plays(&self, tone: &Path) -> Result<f64, Failure> {
        let mut ear = Ear::open("speaker.monitor", &self.address)?;
        ear.hears(0)?;
        let begun = Instant::now();
        let mut player =
            Command::new("paplay").arg("--latency-msec=20").arg(tone).env(SERVER, &self.address).spawn()?;
        let heard = ear.hears(HEARD).map(|()| milliseconds(begun));
        let _ = player.kill();
        let _ = player.wait();
        heard
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hears what a source of the sound server gives.
struct Ear {
    child: Child,
    /// The loudest sample of each block.
    blocks: Receiver<u16>,
}

impl Ear {
    fn open(source: &str, server: &str) -> Result<Self, Failure> {
        let mut child = Command::new("parec")
            .arg(format!("--device={source}"))
            .args(["--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=5"])
            .env(SERVER, server)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut sound = child.stdout.take().ok_or("an ear has no output")?;
        let (heard, blocks) = channel();
        std::thread::spawn(move || {
            let mut block = [0; 4_096];
            while let Ok(count @ 1..) = sound.read(&mut block) {
                let samples = block.get(..count).unwrap_or_default().chunks_exact(2);
                let loudest = samples.map(|sample| i16::from_le_bytes([sample[0], sample[1]]).unsigned_abs()).max();
                if heard.send(loudest.unwrap_or(0)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, blocks })
    }

    /// Waits for sound that is at least so loud.
    fn hears(&mut self, loudness: u16) -> Result<(), Failure> {
        while self.blocks.recv_timeout(PATIENCE)? < loudness {}
        Ok(())
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says where the profile of a process in this role lies.
const PROFILE: &str = "KITH_BENCH_PROFILE";

/// A process with a client that records and plays; one without a profile encodes.
pub(crate) async fn play() -> Result<(), Failure> {
    let tone = told::<PathBuf>().await?.ok_or("there is no tone")?;
    let person = match std::env::var_os(PROFILE) {
        Some(profile) => Some(Sounder::open(Path::new(&profile), tone).await?),
        None => None,
    };
    answer(Ok(()))?;
    while let Some(tell) = told::<Tell>().await? {
        match (tell, &person) {
            (Tell::Encode(seconds), _) => answer(tokio::task::block_in_place(|| encode(seconds)))?,
            (Tell::Record, Some(person)) => answer(person.record().await)?,
            (Tell::Play, Some(person)) => answer(person.play().await)?,
            (_, None) => return Err("a process without a profile only encodes".into()),
        }
    }
    if let Some(person) = person {
        person.client.shutdown().await;
    }
    Ok(())
}

struct Sounder {
    client: Client,
    chat: String,
    note: String,
}

impl Sounder {
    async fn open(profile: &Path, tone: PathBuf) -> Result<Self, Failure> {
        let client = Client::open(profile, unlock(), options(true)).await?;
        let Reply::Chats(chats) = client.execute(Request::Chats).await? else { return Err("no list of chats".into()) };
        let chat = chats.first().ok_or("there is no chat")?.id.clone();
        client.execute(Request::SendVoice { to: chat.clone(), file: tone }).await?;
        let page = Request::Page { with: chat.clone(), at: At::Newest, limit: 1 };
        let Reply::Page(page) = client.execute(page).await? else { return Err("no page of messages".into()) };
        let note = page.messages.iter().find(|message| message.duration_ms.is_some());
        let note = note.ok_or("the note is not there")?.id.clone();
        Ok(Self { client, chat, note })
    }

    async fn record(&self) -> Result<f64, Failure> {
        let begun = Instant::now();
        let recording = self.client.record(&self.chat).await?;
        let mut state = recording.state();
        let first = state.wait_for(|state| !state.duration.is_zero() || state.phase == RecordingPhase::Ended);
        let problem = tokio::time::timeout(PATIENCE, first).await??.problem.clone();
        let took = milliseconds(begun);
        recording.cancel().await;
        problem.map_or(Ok(took), |problem| Err(problem.into()))
    }

    async fn play(&self) -> Result<f64, Failure> {
        let server = std::env::var(SERVER)?;
        let mut ear = Ear::open("speaker.monitor", &server)?;
        tokio::task::block_in_place(|| ear.hears(0))?;
        let begun = Instant::now();
        let playback = self.client.play(&self.chat, &self.note, Duration::ZERO).await?;
        tokio::task::block_in_place(|| ear.hears(HEARD))?;
        let took = milliseconds(begun);
        drop(playback);
        Ok(took)
    }
}

/// Encodes so much talk into a file.
fn encode(seconds: u64) -> Result<(f64, f64), Failure> {
    let clip = pcm_of_clip(5)?;
    let begun = Instant::now();
    let sound = BufReader::new(wav(SPEECH_RATE, &clip, seconds));
    let (_, shape) = encode_wav(sound, tempfile::tempfile()?, LONG_BITRATE_BPS)?;
    let took = milliseconds(begun);
    if shape.duration.as_secs().abs_diff(seconds) > 1 {
        return Err("not all of it was encoded".into());
    }
    Ok((took, highest_mib(std::process::id())))
}

/// A WAV file of the same samples of 16 bits again and again, so many seconds long.
fn wav(rate: u32, samples: &[u8], seconds: u64) -> impl Read {
    let bytes = u32::try_from(seconds * u64::from(rate) * 2).unwrap_or(u32::MAX);
    let mut head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    head.extend([rate, rate * 2].iter().flat_map(|number| number.to_le_bytes()));
    head.extend(b"\x02\0\x10\0data");
    head.extend(bytes.to_le_bytes());
    Cursor::new(head).chain(Again { bytes: samples, at: 0 }.take(u64::from(bytes)))
}

/// The same bytes without end.
struct Again<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Read for Again<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(out), Some(rest)) = (out.get_mut(..count), rest.get(..count)) {
            out.copy_from_slice(rest);
        }
        self.at = if count == rest.len() { 0 } else { self.at + count };
        Ok(count)
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
