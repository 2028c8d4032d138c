//! A voice note that is being listened to: where it stands, how fast, and its next samples.
//!
//! Does not know devices. Seeking decodes from a little before the place, so that the decoder has found its way when it gets there
//! (RFC 7845 §4.6: at least 80 ms).

use std::fmt;
use std::time::Duration;

use super::opus::Decoder;
use super::packets::Packets;
use super::tempo::Tempo;
use super::{NoteError, OPUS_RATE, duration_of};

/// Samples that are decoded before a place and thrown away: at 80 ms, the least that the standard asks for, a steady tone is still heard
/// to settle.
const PRE_ROLL: u64 = OPUS_RATE as u64 * 240 / 1_000;

/// Plays packets.
pub struct Player {
    packets: Packets,
    decoder: Decoder,
    tempo: Tempo,
    /// The packet to decode next.
    index: usize,
    /// Samples of what is decoded next that are not heard.
    skip: u64,
    /// The sample, pre-skip not counted, after the last one that was put into `ready` or waits in `tempo`.
    position: u64,
    decoded: Vec<f32>,
    ready: Vec<f32>,
    /// Samples of `ready` that were handed out.
    taken: usize,
    finished: bool,
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Player").field("position", &self.position()).field("packets", &self.packets).finish()
    }
}

impl Player {
    /// At the start, at normal speed.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if libopus refuses.
    pub fn new(packets: Packets) -> Result<Self, NoteError> {
        let decoder = Decoder::new(packets.gain())?;
        let skip = u64::from(packets.pre_skip());
        Ok(Self {
            packets,
            decoder,
            tempo: Tempo::new(100),
            index: 0,
            skip,
            position: 0,
            decoded: Vec::new(),
            ready: Vec::new(),
            taken: 0,
            finished: false,
        })
    }

    /// How long it plays at normal speed.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.packets.duration()
    }

    /// The moment of the note whose sample comes next.
    #[must_use]
    pub fn position(&self) -> Duration {
        let ahead = self.ready.len().saturating_sub(self.taken) as u64 * u64::from(self.tempo.percent()) / 100;
        let position = self.position.saturating_sub(ahead).saturating_sub(self.tempo.waiting() as u64);
        duration_of(usize::try_from(position).unwrap_or(usize::MAX), OPUS_RATE)
    }

    /// How fast it plays, in per cent.
    #[must_use]
    pub fn speed_percent(&self) -> u16 {
        self.tempo.percent()
    }

    /// Whether all of it was played.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished && self.taken >= self.ready.len()
    }

    /// Goes on at another speed, in per cent.
    ///
    /// # Errors
    /// As [`Player::seek`].
    pub fn set_speed(&mut self, percent: u16) -> Result<(), NoteError> {
        let here = self.position();
        self.tempo = Tempo::new(percent);
        self.seek(here)
    }

    /// Goes on at another moment, at most the end.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if libopus refuses or a packet is damaged.
    pub fn seek(&mut self, to: Duration) -> Result<(), NoteError> {
        let wanted = to.as_nanos().saturating_mul(u128::from(OPUS_RATE)) / 1_000_000_000;
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX).min(self.packets.heard());
        let absolute = wanted + u64::from(self.packets.pre_skip());
        let (index, start) = self.packets.at(absolute.saturating_sub(PRE_ROLL));
        // A decoder that has heard something else carries it over into the first packets.
        self.decoder = Decoder::new(self.packets.gain())?;
        self.tempo = Tempo::new(self.tempo.percent());
        (self.index, self.skip, self.position) = (index, absolute - start.min(absolute), wanted);
        (self.taken, self.finished) = (0, false);
        self.ready.clear();
        Ok(())
    }

    /// Fills `output` with the next samples, mono at 48 kHz, and says how many there were: fewer only at the end.
    ///
    /// # Errors
    /// [`NoteError::Opus`] if a packet is damaged; what follows it can still be played.
    pub fn read(&mut self, output: &mut [f32]) -> Result<usize, NoteError> {
        let mut filled = 0;
        while filled < output.len() {
            if self.taken == self.ready.len() {
                if self.finished {
                    break;
                }
                self.decode_next()?;
            }
            let from = self.ready.get(self.taken..).unwrap_or_default();
            let to = output.get_mut(filled..).unwrap_or_default();
            let count = from.len().min(to.len());
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
            self.taken += count;
            filled += count;
        }
        Ok(filled)
    }

    fn decode_next(&mut self) -> Result<(), NoteError> {
        self.ready.clear();
        self.taken = 0;
        let left = self.packets.heard().saturating_sub(self.position);
        let Some(packet) = self.packets.get(self.index).filter(|_| left > 0) else {
            self.tempo.finish(&mut self.ready);
            self.finished = true;
            return Ok(());
        };
        self.index += 1;
        self.decoded.clear();
        self.decoder.decode(packet, &mut self.decoded)?;
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(self.decoded.len());
        self.skip -= skipped as u64;
        let heard = self.decoded.get(skipped..).unwrap_or_default();
        let heard = heard.get(..usize::try_from(left).unwrap_or(usize::MAX).min(heard.len())).unwrap_or_default();
        self.position += heard.len() as u64;
        self.tempo.push(heard, &mut self.ready);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::opus::FRAME;
    use super::super::recorder::DEFAULT_BITRATE_BPS;
    use super::super::{Pcm, decode_note};
    use super::*;

    /// Three seconds whose pitch says which second it is.
    fn note() -> Packets {
        let sound: Vec<f32> = (0..144_000_u32)
            .map(|n| {
                let hz = [200.0, 400.0, 800.0][n as usize / 48_000];
                0.5 * (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin()
            })
            .collect();
        Packets::of(&sound, DEFAULT_BITRATE_BPS).unwrap()
    }

    fn pitch(sound: &[f32]) -> f32 {
        let crossings = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        crossings as f32 * 48_000.0 / sound.len() as f32
    }

    fn rest(player: &mut Player) -> Vec<f32> {
        let mut all = Vec::new();
        let mut part = [0.0; 500];
        loop {
            let count = player.read(&mut part).unwrap();
            all.extend_from_slice(&part[..count]);
            if count < part.len() {
                return all;
            }
        }
    }

    #[test]
    fn it_plays_what_the_file_decodes_to() {
        let Pcm { samples, .. } = decode_note(&note().to_ogg().unwrap()).unwrap();
        let mut player = Player::new(note()).unwrap();
        let played = rest(&mut player);
        assert_eq!(played, samples);
        assert!(player.is_finished());
        assert_eq!(player.position(), player.duration());
    }

    #[test]
    fn seeking_lands_on_the_sample() {
        let mut player = Player::new(note()).unwrap();
        let whole = rest(&mut player);
        for ms in [0, 30, 500, 1_000, 1_234, 2_999] {
            player.seek(Duration::from_millis(ms)).unwrap();
            assert_eq!(player.position(), Duration::from_millis(ms));
            let mut part = vec![0.0; 480];
            let count = player.read(&mut part).unwrap();
            let start = usize::try_from(ms).unwrap() * 48;
            let expected = &whole[start..(start + 480).min(whole.len())];
            assert_eq!(count, expected.len());
            let far = part.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 0.1, "{ms} ms: {far}");
        }
        player.seek(Duration::from_secs(99)).unwrap();
        assert!(rest(&mut player).is_empty() && player.is_finished());
    }

    #[test]
    fn a_faster_player_keeps_the_pitch_and_its_place() {
        let mut player = Player::new(note()).unwrap();
        player.set_speed(200).unwrap();
        let mut part = vec![0.0; 24_000];
        assert_eq!(player.read(&mut part).unwrap(), 24_000);
        assert!(
            player.position().abs_diff(Duration::from_secs(1)) < Duration::from_millis(60),
            "{:?}",
            player.position()
        );
        assert!((pitch(&part[2_400..21_600]) - 200.0).abs() < 10.0);
        let here = player.position();
        player.set_speed(150).unwrap();
        assert!(player.position().abs_diff(here) < Duration::from_millis(1));
        let left = rest(&mut player).len();
        assert!(left.abs_diff(96_000 * 2 / 3) < 4_000, "{left}");
    }

    #[test]
    fn frames_are_as_long_as_the_encoder_made_them() {
        assert_eq!(note().len(), (144_000 + 312_usize).div_ceil(FRAME));
    }
}
