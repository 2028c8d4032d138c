//! Where in a sound somebody speaks, and how what they say is cut into windows for Whisper.
//!
//! Two detectors: one that is built in, and Silero's through whisper.cpp when its model is there. Either gives a score for every
//! 16 ms; what is made of the scores is [`Cutter`]'s, and the same for both.
//!
//! Invariants: a window lasts at most [`MAX_WINDOW`], whatever the sound; what is held of a sound is two windows and a block;
//! silence is left out, and where a piece of a window stood in the sound is kept beside it.
//!
//! Around either detector a gate: what is quieter than -55 dB without its bass, for as long as a block lasts, is nothing that a
//! detector is asked about; and what it takes for speech though it is as even as a hum is none.

use std::path::Path;
use std::time::Duration;

use whisper_rs::{WhisperVadContext, WhisperVadContextParams};

use super::model::{ModelError, log_through_tracing, verify_detector};
use crate::voice::SPEECH_RATE;

/// Samples of a frame: 16 ms, what the built-in detector takes.
pub(super) const FRAME: usize = 256;

/// Frames that are scored at a time: 16.384 s. Silero forgets what it heard between blocks, so they are long.
const BLOCK_FRAMES: usize = 1024;
const BLOCK: usize = BLOCK_FRAMES * FRAME;

/// The longest window: what Whisper hears at once.
pub const MAX_WINDOW: Duration = Duration::from_secs(30);
const MAX_FRAMES: usize = MAX_WINDOW.as_secs() as usize * SPEECH_RATE as usize / FRAME;

/// A score from which on somebody speaks, and below which nobody does any more.
const BEGINS: f32 = 0.5;
const ENDS: f32 = 0.35;

/// Scores that voices often have and instruments seldom, and what a frame with such a score, or a higher one, is worth. The frames above
/// [`BEGINS`] have to come to two fifths of a point each. Those of the clips in `tests/clips` come to 0.48 and more, as they are and as they
/// are recorded; melodies, chords and clipped hums to 0.31 at most, most of all once a recording has evened out their loudness.
const SURE: [(f32, usize); 2] = [(0.9, 3), (0.84, 1)];
const ENOUGH: [usize; 2] = [2, 5];

/// A piece of which it is doubtful by its scores, with less than a point for each such frame, has to have stops as speech has: one frame in
/// so many is less than half as loud as the mean. Of the clips two in five are; of a melody with chords and a drum, whose scores are nearly
/// those of the worst clip after Opus, one in a hundred at most.
const STOPS: usize = 12;

/// Fewer frames than this above [`BEGINS`] are a click or a cough: 112 ms.
const LEAST: usize = 7;

/// A pause of this many frames ends a piece: 608 ms, longer than the stops within a sentence.
const PAUSE: usize = 38;

/// What is kept before and after a piece: 304 ms, since words begin and end softly.
const MARGIN: usize = 19;

/// What is further apart than this, in samples, is not heard in one breath: it gets a window of its own. 2 s.
const APART: u64 = 2 * SPEECH_RATE as u64;

/// Where a piece has to be cut because nobody pauses, the quietest frame of the last so many is taken: 6 s.
const LOOK_BACK: usize = 375;

/// Before a sound in silence the detector listens to so many frames, to know what it stands out from, and after it to as many, since
/// it is late: 256 ms.
const AROUND: usize = 16;

/// Below this nobody speaks, whatever the microphone: -55 dB of full scale, without the bass.
const SILENCE: f32 = 0.0018;

/// Within a piece the loud frames have to be this much louder than the quiet ones: 6 dB. A hum stays below 2 dB.
const LIVELINESS: f32 = 2.0;

/// A part of a window: where it stood in the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its first sample in the sound.
    pub(super) at: u64,
    /// Its first sample in the window.
    pub(super) in_window: usize,
    pub(super) length: usize,
}

/// Speech, to be listened to at once.
#[derive(Clone, PartialEq)]
pub(super) struct Window {
    pub(super) samples: Vec<f32>,
    pub(super) pieces: Vec<Piece>,
}

impl Window {
    /// Where in the sound a time of this window lies.
    pub(super) fn in_sound(&self, time: Duration) -> Duration {
        let sample = usize::try_from(time.as_micros().saturating_mul(u128::from(SPEECH_RATE)) / 1_000_000);
        let sample = sample.unwrap_or(usize::MAX);
        let piece = self.pieces.iter().rev().find(|piece| piece.in_window <= sample).or(self.pieces.first());
        let Some(piece) = piece else { return time };
        let within = sample.saturating_sub(piece.in_window).min(piece.length);
        let micros = u128::from(piece.at.saturating_add(within as u64)).saturating_mul(1_000_000);
        Duration::from_micros(u64::try_from(micros / u128::from(SPEECH_RATE)).unwrap_or(u64::MAX))
    }

    /// Where it begins and ends in the sound.
    pub(super) fn span(&self) -> (Duration, Duration) {
        let end = Duration::from_secs(self.samples.len() as u64) / SPEECH_RATE;
        (self.in_sound(Duration::ZERO), self.in_sound(end))
    }
}

/// What gives the scores.
pub(super) enum Detector {
    /// A small network that is part of the program.
    BuiltIn(Box<earshot::Detector>),
    /// Silero's network, by whisper.cpp.
    Silero(WhisperVadContext),
    /// Somebody speaks all the time: for measuring what the others save.
    Everything,
}

impl Detector {
    pub(super) fn built_in() -> Self {
        Self::BuiltIn(earshot::Detector::default_boxed())
    }

    /// Silero's, of a file that has to be the one that the manifest names: whisper.cpp trusts what it reads.
    pub(super) fn silero(path: &Path, threads: usize) -> Result<Self, ModelError> {
        let name = verify_detector(path)?;
        let refused = |reason: &str| ModelError::Refused { path: path.to_owned(), reason: reason.to_owned() };
        let path_text = path.to_str().filter(|text| !text.contains('\0')).ok_or_else(|| refused("its name"))?;
        log_through_tracing();
        let mut params = WhisperVadContextParams::new();
        params.set_n_threads(i32::try_from(threads).unwrap_or(1).max(1));
        tracing::debug!(name, "a detector of speech was loaded");
        WhisperVadContext::new(path_text, params).map(Self::Silero).map_err(|error| refused(&error.to_string()))
    }

    /// A score for each frame of a block; `loudness` is that of each without its bass.
    fn scores(&mut self, block: &[f32], loudness: &[f32]) -> Vec<f32> {
        let frames = block.len() / FRAME;
        match self {
            Self::Everything => vec![1.0; frames],
            Self::BuiltIn(detector) => {
                let near = near_sound(loudness);
                let frames = block.chunks_exact(FRAME).enumerate();
                let listened = |index: usize| near.get(index).copied().unwrap_or(true);
                frames.map(|(index, frame)| if listened(index) { detector.predict_f32(frame) } else { 0.0 }).collect()
            }
            Self::Silero(context) => {
                if context.detect_speech(block).is_err() {
                    // Whisper then hears what nobody sorted out.
                    return vec![1.0; frames];
                }
                // Its frames are twice as long.
                let scores: Vec<f32> = context.probabilities().iter().flat_map(|score| [*score; 2]).collect();
                (0..frames).map(|frame| scores.get(frame).copied().unwrap_or_default()).collect()
            }
        }
    }
}

/// Cuts a sound at [`SPEECH_RATE`] into windows.
pub(super) struct Cutter {
    detector: Detector,
    /// Of two filters, one after the other.
    bass: [HighPass; 2],
    /// Samples that were not scored yet.
    unscored: Vec<f32>,
    /// Samples that were scored and may still be wanted, from `base` on.
    scored: Vec<f32>,
    /// How loud each frame of these is without its bass.
    loudness: Vec<f32>,
    base: u64,
    /// Frames scored so far.
    frame: usize,
    /// The piece that somebody is speaking.
    open: Option<Open>,
    /// The end of the last piece, with its margin.
    behind: usize,
    /// The window that is being filled.
    filling: Window,
    full: Vec<Window>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    first: usize,
    /// The last frame with speech.
    last: usize,
    /// Frames above [`BEGINS`].
    loud: usize,
    /// Points by [`SURE`].
    points: usize,
}

impl Cutter {
    pub(super) fn new(detector: Detector) -> Self {
        Self {
            detector,
            bass: [HighPass::default(), HighPass::default()],
            unscored: Vec::new(),
            scored: Vec::new(),
            loudness: Vec::new(),
            base: 0,
            frame: 0,
            open: None,
            behind: 0,
            filling: Window { samples: Vec::new(), pieces: Vec::new() },
            full: Vec::new(),
        }
    }

    /// Takes samples of any number.
    pub(super) fn push(&mut self, samples: &[f32]) {
        for part in samples.chunks(BLOCK) {
            self.unscored.extend_from_slice(part);
            while self.unscored.len() >= BLOCK {
                let rest = self.unscored.split_off(BLOCK);
                let block = std::mem::replace(&mut self.unscored, rest);
                self.score(block);
            }
        }
    }

    /// The sound has ended.
    pub(super) fn finish(&mut self) {
        let mut block = std::mem::take(&mut self.unscored);
        let length = self.base.saturating_add((self.scored.len() + block.len()) as u64);
        // The end of the last words, and what the detector is late by.
        block.resize((block.len() + 2 * FRAME).next_multiple_of(2 * FRAME), 0.0);
        self.score(block);
        if let Some(open) = self.open.take() {
            self.close(open, open.last + 1 + MARGIN);
        }
        self.turn_page();
        // What was added is not part of the sound.
        if let Some(window) = self.full.last_mut()
            && let Some(piece) = window.pieces.last_mut()
        {
            let end = piece.at.saturating_add(piece.length as u64);
            let surplus = usize::try_from(end.saturating_sub(length)).unwrap_or_default();
            piece.length = piece.length.saturating_sub(surplus);
            let kept = window.samples.len().saturating_sub(surplus);
            window.samples.truncate(kept);
        }
    }

    /// The next window that is complete.
    pub(super) fn pop(&mut self) -> Option<Window> {
        if self.full.is_empty() { None } else { Some(self.full.remove(0)) }
    }

    fn score(&mut self, block: Vec<f32>) {
        let loudness = self.loudness_of(&block);
        let silent = !self.hears_everything() && loudness.iter().all(|loud| *loud < SILENCE);
        let scores = if silent { vec![0.0; loudness.len()] } else { self.detector.scores(&block, &loudness) };
        self.loudness.extend(loudness);
        self.scored.extend_from_slice(&block);
        for score in scores {
            self.step(score);
        }
        self.forget();
    }

    fn hears_everything(&self) -> bool {
        matches!(self.detector, Detector::Everything)
    }

    fn loudness_of(&mut self, block: &[f32]) -> Vec<f32> {
        if block.iter().all(|sample| sample.abs() < SILENCE / 4.0) {
            // Hours of nothing are not even filtered.
            self.bass = [HighPass::default(), HighPass::default()];
            return vec![0.0; block.len() / FRAME];
        }
        let voice: Vec<f32> = block.iter().map(|s| self.bass.iter_mut().fold(*s, |s, filter| filter.next(s))).collect();
        voice.chunks_exact(FRAME).map(root_mean_square).collect()
    }

    /// Speech changes its loudness within a word by far more than a hum, which one of the detectors takes for a voice.
    fn is_lively(&self, first: usize, end: usize) -> bool {
        let mut sorted = self.loudness_between(first, end).to_vec();
        sorted.sort_by(f32::total_cmp);
        let quiet = sorted.get(sorted.len() / 10).copied().unwrap_or_default();
        let loud = sorted.len().checked_sub(LEAST).and_then(|index| sorted.get(index)).copied().unwrap_or_default();
        loud > SILENCE.max(quiet * LIVELINESS)
    }

    /// Speech stops for a moment within every word or two; music seldom does.
    fn has_stops(&self, first: usize, end: usize) -> bool {
        let frames = self.loudness_between(first, end);
        let mean = frames.iter().sum::<f32>() / frames.len().max(1) as f32;
        frames.iter().filter(|loud| **loud < mean / 2.0).count().saturating_mul(STOPS) >= frames.len()
    }

    fn loudness_between(&self, first: usize, end: usize) -> &[f32] {
        let base = usize::try_from(self.base / FRAME as u64).unwrap_or(usize::MAX);
        let frames = self.loudness.get(first.saturating_sub(base)..end.saturating_sub(base).min(self.loudness.len()));
        frames.unwrap_or_default()
    }

    fn step(&mut self, score: f32) {
        let now = self.frame;
        self.frame += 1;
        let Some(mut open) = self.open else {
            if score >= BEGINS {
                self.open = Some(Open { first: now, last: now, loud: 1, points: points(score) });
            }
            return;
        };
        if score >= ENDS {
            open.last = now;
            open.loud += usize::from(score >= BEGINS);
            open.points += points(score);
        }
        self.open = Some(open);
        if now - open.last >= PAUSE {
            self.open = None;
            self.close(open, open.last + 1 + MARGIN);
        } else if now + 1 - open.first.saturating_sub(MARGIN).max(self.behind) >= MAX_FRAMES {
            let cut = self.quietest(now.saturating_sub(LOOK_BACK).max(open.first + LEAST), now);
            self.close(open, cut);
            self.open = Some(Open { first: cut, last: open.last.max(cut), loud: LEAST, points: LEAST });
        }
    }

    /// A piece has ended before a frame.
    fn close(&mut self, open: Open, end: usize) {
        let [some, of] = ENOUGH;
        if open.loud < LEAST || open.points.saturating_mul(of) < open.loud.saturating_mul(some) {
            return;
        }
        let first = open.first.saturating_sub(MARGIN).max(self.behind);
        // What was not scored has not come: at the end of a sound there is nothing more.
        let end = end.min(self.frame);
        self.behind = end;
        let frames = end.saturating_sub(first);
        let doubtful = open.points < open.loud;
        if !self.hears_everything() && !(self.is_lively(first, end) && (!doubtful || self.has_stops(first, end))) {
            return;
        }
        let apart = self.filling.pieces.last().is_some_and(|last| {
            let end = last.at.saturating_add(last.length as u64);
            ((first * FRAME) as u64).saturating_sub(end) > APART
        });
        if apart || self.filling.samples.len() / FRAME + frames > MAX_FRAMES {
            self.turn_page();
        }
        let at = (first * FRAME) as u64;
        let from = usize::try_from(at.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let samples = self.scored.get(from..(from + frames * FRAME).min(self.scored.len())).unwrap_or_default();
        let piece = Piece { at, in_window: self.filling.samples.len(), length: samples.len() };
        self.filling.samples.extend_from_slice(samples);
        self.filling.pieces.push(piece);
    }

    fn turn_page(&mut self) {
        let window = std::mem::replace(&mut self.filling, Window { samples: Vec::new(), pieces: Vec::new() });
        if !window.samples.is_empty() {
            self.full.push(window);
        }
    }

    /// The quietest frame of some.
    fn quietest(&self, from: usize, to: usize) -> usize {
        let loudness = |frame: &usize| {
            let at = usize::try_from(((frame * FRAME) as u64).saturating_sub(self.base)).unwrap_or(usize::MAX);
            root_mean_square(self.scored.get(at..at.saturating_add(FRAME)).unwrap_or_default())
        };
        (from..to).min_by(|a, b| loudness(a).total_cmp(&loudness(b))).unwrap_or(to)
    }

    /// Lets go of what no piece can want any more.
    fn forget(&mut self) {
        let wanted =
            self.open.map_or(self.frame, |open| open.first).saturating_sub(MARGIN).max(self.behind.min(self.frame));
        let wanted = (wanted * FRAME) as u64;
        let gone = usize::try_from(wanted.saturating_sub(self.base)).unwrap_or_default().min(self.scored.len());
        // Both are wanted from the beginning of a frame on.
        let gone = gone - gone % FRAME;
        self.scored.drain(..gone);
        self.loudness.drain(..(gone / FRAME).min(self.loudness.len()));
        self.base = self.base.saturating_add(gone as u64);
    }
}

/// What a score is worth by [`SURE`].
fn points(score: f32) -> usize {
    SURE.iter().find(|(least, _)| score >= *least).map_or(0, |(_, points)| *points)
}

/// Which frames of a block are sound, or near some. What comes after the block is not known, and may be.
fn near_sound(loudness: &[f32]) -> Vec<bool> {
    let mut near = vec![false; loudness.len()];
    let last = loudness.len();
    let sounds = loudness.iter().enumerate().filter(|(_, loud)| **loud >= SILENCE).map(|(index, _)| index);
    let mut done = 0;
    for index in sounds.chain([last]) {
        let (from, to) = (index.saturating_sub(AROUND).max(done), index.saturating_add(AROUND + 1).min(last));
        near.iter_mut().take(to).skip(from).for_each(|near| *near = true);
        done = done.max(to);
    }
    near
}

fn root_mean_square(piece: &[f32]) -> f32 {
    (piece.iter().map(|s| s * s).sum::<f32>() / piece.len().max(1) as f32).sqrt()
}

/// A second-order Butterworth high-pass at 200 Hz, where voices begin (the bilinear transform of the analogue one). Two in a row
/// take 48 dB out of a hum of 50 Hz.
struct HighPass {
    b: f32,
    a: [f32; 2],
    input: [f32; 2],
    output: [f32; 2],
}

impl Default for HighPass {
    fn default() -> Self {
        let k = (std::f32::consts::PI * 200.0 / SPEECH_RATE as f32).tan();
        let norm = 1.0 / (1.0 + std::f32::consts::SQRT_2 * k + k * k);
        let a = [2.0 * (k * k - 1.0) * norm, (1.0 - std::f32::consts::SQRT_2 * k + k * k) * norm];
        Self { b: norm, a, input: [0.0; 2], output: [0.0; 2] }
    }
}

impl HighPass {
    fn next(&mut self, sample: f32) -> f32 {
        let ([x1, x2], [y1, y2], [a1, a2]) = (self.input, self.output, self.a);
        let y = self.b * (sample - 2.0 * x1 + x2) - a1 * y1 - a2 * y2;
        self.input = [sample, x1];
        self.output = [y, y1];
        y
    }
}

#[cfg(test)]
mod tests;
