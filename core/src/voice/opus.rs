//! Opus packets: mono sound at 48 kHz in 20 ms frames, and back.
//!
//! Does not know of containers or of notes. Stereo packets of others come out as mono: the decoder mixes them itself.
//!
//! Source: RFC 6716, over libopus.

use ::opus::{Application, Bitrate, Channels, Signal};

use super::{OPUS_RATE, tame};

/// Samples in one frame: 20 ms, the length that all of Opus's modes are tuned for. Longer ones save a few bytes of
/// header, and lose more sound with one bad packet.
pub const FRAME: usize = 960;

/// The most samples that one packet may hold: 120 ms (RFC 6716 §3.2.5).
pub const MAX_PACKET_SAMPLES: usize = 5_760;

/// The largest packet that one 20 ms frame can become, in bytes (RFC 6716 §3.2.1, with the byte that names the mode).
const MAX_PACKET_BYTES: usize = 1_276;

/// How hard the encoder tries, 0 to 10. A note is encoded once, faster than anyone speaks, so: as hard as it can.
const COMPLEXITY: i32 = 10;

/// Why a frame or a packet was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpusError {
    /// The bytes are not an Opus packet.
    #[error("the sound is damaged: a packet is not Opus")]
    Packet,
    /// The library refused; with sizes checked this is a fault of ours or a lack of memory.
    #[error("Opus failed: {reason}")]
    Codec {
        /// What the library said.
        reason: String,
    },
}

/// Turns frames of [`FRAME`] samples into packets.
pub struct Encoder {
    inner: ::opus::Encoder,
}

impl Encoder {
    /// An encoder with a variable bit rate around `bitrate_bps` bits a second.
    ///
    /// `Application::Voip` and not `Audio`: it takes out what lies below the voice (rumble, hum) and favours formants, which is
    /// what makes speech clear at 16 to 24 kbit/s. `Audio` would sooner spend bits on music and noise. No in-band error
    /// correction, since a note never loses a packet; no gaps for silence (DTX), so that every packet counts 20 ms.
    ///
    /// # Errors
    /// [`OpusError::Codec`] if libopus refuses.
    pub fn new(bitrate_bps: i32) -> Result<Self, OpusError> {
        let mut inner = ::opus::Encoder::new(OPUS_RATE, Channels::Mono, Application::Voip).map_err(failed)?;
        inner.set_bitrate(Bitrate::Bits(bitrate_bps)).map_err(failed)?;
        inner.set_vbr(true).map_err(failed)?;
        inner.set_complexity(COMPLEXITY).map_err(failed)?;
        inner.set_signal(Signal::Voice).map_err(failed)?;
        Ok(Self { inner })
    }

    /// How many samples of a decoder's output come before the first one that was put in (RFC 7845 §4.2: the pre-skip).
    ///
    /// # Errors
    /// [`OpusError::Codec`] if libopus refuses.
    pub fn lookahead(&mut self) -> Result<u16, OpusError> {
        let samples = self.inner.get_lookahead().map_err(failed)?;
        u16::try_from(samples).map_err(|_| OpusError::Codec { reason: format!("a lookahead of {samples}") })
    }

    /// One packet of one frame of [`FRAME`] samples.
    ///
    /// # Errors
    /// [`OpusError::Codec`] if the frame has another length.
    pub fn encode(&mut self, frame: &[f32]) -> Result<Vec<u8>, OpusError> {
        if frame.len() != FRAME {
            return Err(OpusError::Codec { reason: format!("a frame of {} samples", frame.len()) });
        }
        self.inner.encode_vec_float(frame, MAX_PACKET_BYTES).map_err(failed)
    }
}

/// Turns packets into samples.
pub struct Decoder {
    inner: ::opus::Decoder,
    buffer: Vec<f32>,
}

impl Decoder {
    /// A decoder that makes everything louder by `gain`, in 1/256 dB (RFC 7845 §5.1: the output gain).
    ///
    /// # Errors
    /// [`OpusError::Codec`] if libopus refuses.
    pub fn new(gain: i16) -> Result<Self, OpusError> {
        let mut inner = ::opus::Decoder::new(OPUS_RATE, Channels::Mono).map_err(failed)?;
        inner.set_gain(i32::from(gain)).map_err(failed)?;
        Ok(Self { inner, buffer: vec![0.0; MAX_PACKET_SAMPLES] })
    }

    /// Adds the samples of one packet to `samples`.
    ///
    /// # Errors
    /// [`OpusError::Packet`] if the bytes are not an Opus packet.
    pub fn decode(&mut self, packet: &[u8], samples: &mut Vec<f32>) -> Result<(), OpusError> {
        // libopus takes an empty packet for a lost one and invents 120 ms of sound: nobody gets that much for nothing.
        if packet.is_empty() {
            return Err(OpusError::Packet);
        }
        let count = self.inner.decode_float(packet, &mut self.buffer, false).map_err(|_| OpusError::Packet)?;
        let decoded = self.buffer.get(..count).ok_or(OpusError::Packet)?;
        samples.extend(decoded.iter().copied().map(tame));
        Ok(())
    }
}

/// How many samples a packet holds, by its header, without decoding it: at most [`MAX_PACKET_SAMPLES`].
///
/// # Errors
/// [`OpusError::Packet`] if the bytes cannot be an Opus packet.
pub fn packet_samples(packet: &[u8]) -> Result<usize, OpusError> {
    if packet.is_empty() {
        return Err(OpusError::Packet);
    }
    ::opus::packet::get_nb_samples(packet, OPUS_RATE).map_err(|_| OpusError::Packet)
}

fn failed(error: ::opus::Error) -> OpusError {
    OpusError::Codec { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_makes_a_packet_of_twenty_milliseconds() {
        let mut encoder = Encoder::new(24_000).unwrap();
        assert_eq!(encoder.lookahead().unwrap(), 312);
        let packet = encoder.encode(&[0.1; FRAME]).unwrap();
        assert_eq!(packet_samples(&packet).unwrap(), FRAME);
        let mut samples = Vec::new();
        Decoder::new(0).unwrap().decode(&packet, &mut samples).unwrap();
        assert_eq!(samples.len(), FRAME);
    }

    #[test]
    fn frames_of_another_length_are_refused() {
        let mut encoder = Encoder::new(24_000).unwrap();
        for length in [0, 1, 959, 961] {
            assert!(matches!(encoder.encode(&vec![0.0; length]), Err(OpusError::Codec { .. })));
        }
    }

    #[test]
    fn an_empty_packet_is_damage_and_not_a_long_silence() {
        let mut samples = Vec::new();
        assert_eq!(packet_samples(&[]), Err(OpusError::Packet));
        assert_eq!(Decoder::new(0).unwrap().decode(&[], &mut samples), Err(OpusError::Packet));
        assert!(samples.is_empty());
    }

    #[test]
    fn the_loudest_gain_stays_within_full_scale() {
        let mut encoder = Encoder::new(24_000).unwrap();
        let tone: Vec<f32> = (0..FRAME).map(|n| (n as f32 / 20.0).sin()).collect();
        let packet = encoder.encode(&tone).unwrap();
        for gain in [i16::MIN, i16::MAX] {
            let mut samples = Vec::new();
            Decoder::new(gain).unwrap().decode(&packet, &mut samples).unwrap();
            assert!(samples.iter().all(|sample| sample.abs() <= 1.0));
        }
    }
}
