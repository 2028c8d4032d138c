//! Kith's bench: figures beside their baselines, measured in the same run, against the targets of `docs/bench.md`.
//!
//! `cargo run --release -p kith-relay --example bench -- [NAME…] [--json] [--quick]`. Names are those of the table below; none
//! means all. It ends with code 1 if a target is missed or something could not be measured. Only loopback is used; what has to
//! be a process of its own is this program once more, in a role.
#![expect(clippy::disallowed_methods, reason = "it measures time")]

mod attachment;
mod baseline;
mod chats;
mod circle;
mod deposits;
mod devices;
mod figure;
mod glyph;
mod groups;
mod history;
mod latency;
mod people;
mod process;
mod relay;
mod rows;
mod sound;
mod speech;
mod stranger;
mod volume;
mod window;

use std::process::ExitCode;

use clap::Parser;
use figure::Figure;

/// Why something could not be measured: a sentence.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Scale {
    /// A tenth or less of it, in a minute or two; names of figures say so.
    quick: bool,
}

impl Scale {
    /// The whole number, or a tenth of it.
    fn of(self, whole: usize) -> usize {
        if self.quick { whole / 10 } else { whole }
    }
}

/// Something that is measured: several figures each.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(Scale) -> Result<Vec<Figure>, Failure>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "groups", about: "a message in a group of 2, 20, 200 devices", run: groups::run },
    Bench { name: "deposits", about: "durable mailbox deposits of 64 senders", run: deposits::rate },
    Bench { name: "cold-start", about: "a relay's start with a million envelopes", run: deposits::cold_start },
    Bench { name: "devices", about: "a relay with 2,000 connected devices; an idle device", run: devices::run },
    Bench { name: "direct", about: "a text between two processes, direct", run: latency::direct },
    Bench { name: "mailbox", about: "a text through the mailbox, receiver connected", run: latency::mailbox },
    Bench { name: "attachment", about: "a file of 20 MB between two processes, direct", run: attachment::run },
    Bench { name: "volume", about: "100,000 messages through one relay, 50 pairs", run: volume::run },
    Bench { name: "history", about: "store and start of a client with 100,000 messages", run: history::run },
    Bench { name: "chats", about: "what a window reads of 200 chats with 100,000 messages", run: chats::run },
    Bench {
        name: "transcription",
        about: "speech to text beside whisper.cpp called directly",
        run: speech::transcription,
    },
    Bench { name: "vad", about: "what finding speech saves", run: speech::detection },
    Bench {
        name: "sound",
        about: "a press to the first sample and to the first sound; an hour encoded",
        run: sound::run,
    },
    Bench { name: "window", about: "the window of the same profile: its start, its frames, idle", run: window::run },
];

/// Kith's bench.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; all of it when nothing is named.
    names: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// A tenth of everything.
    #[arg(long)]
    quick: bool,
    /// Only say what there is.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    if let Some(code) = process::play() {
        return code;
    }
    let arguments = Arguments::parse();
    if arguments.list {
        BENCHES.iter().for_each(|bench| println!("{:12} {}", bench.name, bench.about));
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = arguments.names.iter().find(|name| BENCHES.iter().all(|bench| bench.name != **name)) {
        eprintln!("bench: there is no {unknown:?}; --list says what there is");
        return ExitCode::FAILURE;
    }
    if cfg!(debug_assertions) {
        eprintln!("bench: this is a debug build: the figures mean nothing");
    }
    let scale = Scale { quick: arguments.quick };
    let mut good = true;
    if !arguments.json {
        println!("{}", figure::HEAD);
    }
    let wanted = |bench: &&Bench| arguments.names.is_empty() || arguments.names.iter().any(|name| name == bench.name);
    for bench in BENCHES.iter().filter(wanted) {
        match (bench.run)(scale) {
            Ok(figures) => {
                for figure in figures {
                    good &= figure.met() != Some(false);
                    println!("{}", if arguments.json { figure.json(scale) } else { figure.line(scale) });
                }
            }
            Err(error) => {
                eprintln!("bench: {} could not be measured: {error}", bench.name);
                good = false;
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
