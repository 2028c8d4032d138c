//! From samples to packets: the frames that an encoder takes, and the end of a sound.
//!
//! Does not know what becomes of the packets.

use super::NoteError;
use super::opus::{Encoder, FRAME};

/// Cuts a sound into frames and encodes them, as it comes.
pub(super) struct Framer {
    encoder: Encoder,
    pre_skip: u16,
    /// Less than a frame that waits for its rest.
    waiting: Vec<f32>,
    samples: u64,
}

impl Framer {
    pub(super) fn new(bitrate_bps: i32) -> Result<Self, NoteError> {
        let mut encoder = Encoder::new(bitrate_bps)?;
        let pre_skip = encoder.lookahead()?;
        Ok(Self { encoder, pre_skip, waiting: Vec::with_capacity(FRAME), samples: 0 })
    }

    /// Samples that a player throws away at the start.
    pub(super) fn pre_skip(&self) -> u16 {
        self.pre_skip
    }

    /// How many samples have come.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// How many samples count, pre-skip included.
    pub(super) fn total(&self) -> u64 {
        self.samples.saturating_add(u64::from(self.pre_skip))
    }

    /// Takes samples at 48 kHz and hands on each packet that is finished.
    pub(super) fn push(
        &mut self,
        samples: impl IntoIterator<Item = f32>,
        mut packet: impl FnMut(Vec<u8>) -> Result<(), NoteError>,
    ) -> Result<(), NoteError> {
        for sample in samples {
            self.waiting.push(sample);
            self.samples += 1;
            if self.waiting.len() == FRAME {
                packet(self.encoder.encode(&self.waiting)?)?;
                self.waiting.clear();
            }
        }
        Ok(())
    }

    /// The last packets, one at least: what the encoder still holds back comes out with silence behind it.
    pub(super) fn finish(mut self) -> Result<Vec<Vec<u8>>, NoteError> {
        let mut packets = Vec::new();
        let mut left = self.waiting.len() + usize::from(self.pre_skip);
        while left > 0 || packets.is_empty() {
            self.waiting.resize(FRAME, 0.0);
            packets.push(self.encoder.encode(&self.waiting)?);
            self.waiting.clear();
            left = left.saturating_sub(FRAME);
        }
        Ok(packets)
    }
}
