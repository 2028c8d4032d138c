//! A message in a group whose past epochs are full: time of the sender's processor, and bytes that each end writes.
//!
//! What is measured is the engine's whole turn, over a sealed store on a disk whose pages are in memory: it waits for nothing, so that
//! its time on the wall, the middle of many, is the processor's. Writing the batch comes after it and is the disk's.

use std::time::{Duration, Instant};

use crate::baseline::{ms, p50_p99};
use crate::circle::Circle;
use crate::figure::Figure;
use crate::{Failure, Scale};

/// Devices, milliseconds at the sender, and bytes at each end, at most.
const TARGETS: [(usize, f64, f64); 3] = [(2, 2.0, 8_000.0), (20, 3.0, 64_000.0), (200, 10.0, 512_000.0)];

/// Commits after which a group of any size has all the past epochs that it keeps.
const EPOCHS: usize = 6;

const MESSAGES: usize = 100;

/// The length of a message that somebody types, in bytes.
const TEXT: usize = 200;

pub(crate) fn run(_: Scale) -> Result<Vec<Figure>, Failure> {
    let signature = signature();
    let mut figures = Vec::new();
    for (devices, time, bytes) in TARGETS {
        let dir = tempfile::tempdir()?;
        let mut circle = Circle::new(dir.path(), devices)?;
        for _ in 0..EPOCHS {
            exchange(&mut circle, devices)?;
            circle.pass_epoch()?;
        }
        let mut messages = Vec::new();
        for _ in 0..MESSAGES {
            messages.push(exchange(&mut circle, devices)?);
        }
        let largest = |bytes: fn(&Message) -> usize| messages.iter().map(bytes).max().unwrap_or_default() as f64;
        let middle = |time: fn(&Message) -> Duration| ms(p50_p99(messages.iter().map(time).collect()).0);
        let figure = |what: &str, value, unit| Figure::new(format!("group of {devices}: {what}"), value, unit);
        let sent = middle(|message| message.sending);
        let text = TEXT as f64;
        figures.extend([
            figure("sender's CPU", sent, "ms").at_most(time).against(ms(signature), "an Ed25519 signature"),
            figure("written by sender", largest(|message| message.sent), "bytes")
                .at_most(bytes)
                .against(text, "its text"),
            figure("written by receiver", largest(|message| message.received), "bytes")
                .at_most(bytes)
                .against(text, "its text"),
            figure("sender's CPU afterwards", middle(|message| message.following), "ms").against(sent, "sending it"),
            figure("written afterwards", largest(|message| message.followed), "bytes").against(text, "its text"),
        ]);
    }
    Ok(figures)
}

/// What a message cost.
struct Message {
    sending: Duration,
    sent: usize,
    received: usize,
    /// At the sender: outcomes of the deposits for all devices, and the marks of the one that reads.
    following: Duration,
    followed: usize,
}

/// Alice writes, Bob reads, and all that follows comes about.
fn exchange(circle: &mut Circle, devices: usize) -> Result<Message, Failure> {
    let written = circle.write(TEXT)?;
    if written.recipients != devices - 1 {
        return Err(format!("a message goes to {} of {} devices", written.recipients, devices - 1).into());
    }
    let read = circle.read()?;
    let [at_alice, _] = circle.follow()?;
    Ok(Message {
        sending: written.time,
        sent: written.bytes,
        received: read.bytes,
        following: at_alice.time,
        followed: at_alice.bytes,
    })
}

fn signature() -> Duration {
    use kith_core::identity::{Context, Seed, SigningKey};
    let key = SigningKey::from_seed(&Seed::new([1; 32]));
    let sign = |_| {
        let begun = Instant::now();
        std::hint::black_box(key.sign(Context::Log, &[7; TEXT]));
        begun.elapsed()
    };
    p50_p99((0..MESSAGES).map(sign).collect()).0
}
