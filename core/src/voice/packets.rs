//! A whole voice note as its Opus packets: what a recorder makes and a player plays.
//!
//! Packets lie one after another in one piece of memory, so that an hour is about as large as its file, and any moment of it is
//! found by counting.
//!
//! Invariants: at most [`MAX_PLAYED`] of sound, whatever a file says; each packet holds between 1 and
//! [`MAX_PACKET_SAMPLES`](super::opus::MAX_PACKET_SAMPLES) samples; nothing is decoded here.
//!
//! Source: RFC 7845 §4 (positions, pre-skip, end trimming).

use std::fmt;
use std::time::Duration;

use super::note::Timeline;
use super::ogg::{Head, Reader, Writer};
use super::opus::packet_samples;
use super::recorder::Recorder;
use super::{NoteError, OPUS_RATE, duration_of};

/// The longest sound that is played as a note; a longer one is a file for a player of files.
pub const MAX_PLAYED: Duration = Duration::from_secs(4 * 60 * 60);

/// Opus packets in their order.
#[derive(Clone, PartialEq, Eq)]
pub struct Packets {
    head: Head,
    bytes: Vec<u8>,
    /// Where each packet ends in `bytes`, and at which sample of 48 kHz its sound ends.
    ends: Vec<End>,
    /// Samples that count, pre-skip included; less than what the packets hold where the last frame was filled up.
    total: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    byte: usize,
    sample: u64,
}

/// A voice is content: it never shows in a log.
impl fmt::Debug for Packets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packets").field("packets", &self.ends.len()).field("duration", &self.duration()).finish()
    }
}

impl Packets {
    /// None yet, of a mono encoder that holds back `pre_skip` samples of 48 kHz.
    #[must_use]
    pub fn new(pre_skip: u16) -> Self {
        Self::with_head(Head { channels: 1, pre_skip, gain: 0 })
    }

    fn with_head(head: Head) -> Self {
        Self { head, bytes: Vec::new(), ends: Vec::new(), total: 0 }
    }

    /// Mono samples of 48 kHz at so many bits a second, as a recorder makes them.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if libopus refuses, [`NoteError::Endless`] beyond [`MAX_PLAYED`].
    pub fn of(samples: &[f32], bitrate_bps: i32) -> Result<Self, NoteError> {
        let mut recorder = Recorder::new(bitrate_bps)?;
        let (mut packets, mut finished) = (Self::new(recorder.pre_skip()), Vec::new());
        recorder.push(samples, |packet| finished.push(packet))?;
        let ending = recorder.finish()?;
        finished.iter().chain(&ending.packets).try_for_each(|packet| packets.push(packet))?;
        packets.trim(ending.total);
        Ok(packets)
    }

    /// Adds a packet; all of its sound counts.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if it is not one, [`NoteError::Endless`] beyond [`MAX_PLAYED`].
    pub fn push(&mut self, packet: &[u8]) -> Result<(), NoteError> {
        let sample = self.decoded().saturating_add(packet_samples(packet)? as u64);
        if duration_of(usize::try_from(sample).unwrap_or(usize::MAX), OPUS_RATE) > MAX_PLAYED {
            return Err(NoteError::Endless);
        }
        self.bytes.extend_from_slice(packet);
        self.ends.push(End { byte: self.bytes.len(), sample });
        self.total = sample;
        Ok(())
    }

    /// Lets only the first `samples` of 48 kHz count, pre-skip included: what follows only filled the last frame.
    pub fn trim(&mut self, samples: u64) {
        self.total = samples.min(self.decoded());
    }

    /// Reads an Ogg Opus file, ours or another program's.
    ///
    /// # Errors
    /// [`NoteError`], for every way in which the bytes are not such a file.
    pub fn from_ogg(ogg: &[u8]) -> Result<Self, NoteError> {
        let mut reader = Reader::open(ogg)?;
        let mut packets = Self::with_head(reader.head());
        let mut timeline = Timeline::within(MAX_PLAYED);
        while let Some(packet) = reader.read()? {
            timeline.advance(packet_samples(&packet.data)?)?;
            packets.push(&packet.data)?;
            if let Some(position) = packet.position {
                timeline.page_ends(position, packet.last)?;
            }
        }
        packets.trim(timeline.end());
        if packets.duration().is_zero() { Err(NoteError::Empty) } else { Ok(packets) }
    }

    /// The same as an Ogg Opus file.
    ///
    /// # Errors
    /// [`NoteError::Empty`] without any sound, and [`NoteError::Ogg`] if the library refuses.
    pub fn to_ogg(&self) -> Result<Vec<u8>, NoteError> {
        if self.duration().is_zero() {
            return Err(NoteError::Empty);
        }
        let mut writer = Writer::new(self.head)?;
        // Packets after the last sample that counts would make a file whose last page ends before the one before it.
        let used = self.ends.partition_point(|end| end.sample < self.total) + 1;
        for index in 0..used.min(self.ends.len()) {
            let (Some(packet), Some(end)) = (self.get(index), self.ends.get(index)) else { break };
            let last = index + 1 == used.min(self.ends.len());
            let position = if last { self.total } else { end.sample };
            writer.write(packet.to_vec(), position, last)?;
        }
        Ok(writer.into_bytes())
    }

    /// The packet with this number.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before)?.byte,
            None => 0,
        };
        self.bytes.get(start..self.ends.get(index)?.byte)
    }

    /// The number of the packet in which a sample of 48 kHz lies, pre-skip counted, and where that packet starts.
    #[must_use]
    pub fn at(&self, sample: u64) -> (usize, u64) {
        let index = self.ends.partition_point(|end| end.sample <= sample);
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end.sample);
        (index, start)
    }

    /// How many packets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Samples of 48 kHz to throw away at the start.
    #[must_use]
    pub fn pre_skip(&self) -> u16 {
        self.head.pre_skip
    }

    /// How much louder to play it, in 1/256 dB.
    #[must_use]
    pub fn gain(&self) -> i16 {
        self.head.gain
    }

    /// Samples of 48 kHz that are heard.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.total.saturating_sub(u64::from(self.head.pre_skip))
    }

    /// How long it plays.
    #[must_use]
    pub fn duration(&self) -> Duration {
        duration_of(usize::try_from(self.heard()).unwrap_or(usize::MAX), OPUS_RATE)
    }

    /// Bytes of all packets.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn decoded(&self) -> u64 {
        self.ends.last().map_or(0, |end| end.sample)
    }
}

#[cfg(test)]
mod tests {
    use super::super::opus::{Encoder, FRAME};
    use super::super::{decode_note, encode_note_within};
    use super::*;

    fn spoken(frames: usize) -> Packets {
        let mut encoder = Encoder::new(24_000).unwrap();
        let mut packets = Packets::new(encoder.lookahead().unwrap());
        for frame in 0..frames {
            let tone: Vec<f32> = (0..FRAME).map(|n| ((frame * FRAME + n) as f32 / 30.0).sin() * 0.5).collect();
            packets.push(&encoder.encode(&tone).unwrap()).unwrap();
        }
        packets
    }

    #[test]
    fn a_file_and_its_packets_are_the_same_sound() {
        let mut packets = spoken(120);
        packets.trim(100_000);
        let ogg = packets.to_ogg().unwrap();
        let again = Packets::from_ogg(&ogg).unwrap();
        assert_eq!(again.heard(), 100_000 - 312);
        assert_eq!(again.to_ogg().unwrap(), ogg);
        assert_eq!(decode_note(&ogg).unwrap().samples.len(), 100_000 - 312);
        // The packets beyond the end are not in the file.
        assert_eq!(again.len(), 105);
    }

    #[test]
    fn a_note_made_of_a_file_is_read() {
        let wav = super::super::wav_of(&vec![0.25; 50_000]);
        let note = encode_note_within(&wav, 1 << 20).unwrap();
        let packets = Packets::from_ogg(&note.ogg).unwrap();
        assert_eq!((packets.heard(), packets.duration()), (50_000, note.duration));
        assert_eq!(packets.to_ogg().unwrap(), note.ogg);
    }

    #[test]
    fn every_sample_is_found_in_its_packet() {
        let packets = spoken(3);
        assert_eq!(packets.at(0), (0, 0));
        assert_eq!(packets.at(959), (0, 0));
        assert_eq!(packets.at(960), (1, 960));
        assert_eq!(packets.at(2_879), (2, 1_920));
        assert_eq!(packets.at(u64::MAX), (3, 2_880));
        assert!(packets.get(2).is_some() && packets.get(3).is_none());
    }

    #[test]
    fn what_is_no_packet_or_no_end_is_refused() {
        assert!(matches!(Packets::new(312).push(&[]), Err(NoteError::Opus(_))));
        assert_eq!(Packets::new(312).to_ogg(), Err(NoteError::Empty));
        let mut silence = Packets::new(0);
        // 120 ms in two bytes, for ever.
        let outcome = (0..200_000).try_for_each(|_| silence.push(&[0x1b, 0x02]));
        assert!(matches!(outcome, Err(NoteError::Endless)), "{outcome:?}");
        assert!(silence.duration() <= MAX_PLAYED);
    }
}
