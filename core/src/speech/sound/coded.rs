//! MP3, FLAC, AAC and M4A, by symphonia.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use super::{MAX_CHANNELS, SoundError, time};

/// The largest tag that is kept while a file is opened, in bytes; pictures are passed over.
const MAX_TAG: usize = 64 * 1024;

/// How much of what a file announces may lack before it counts as cut short: encoders round, and pad.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Packets in a row without a sample before a file counts as damaged.
const MAX_EMPTY: u32 = 10_000;

struct Source<R>(R, u64);

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Seek> Seek for Source<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

impl<R: Read + Seek + Send + Sync> MediaSource for Source<R> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.1)
    }
}

/// The sound of a file.
pub(super) struct Blocks {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    length: Option<Duration>,
    frames: u64,
    interleaved: Vec<f32>,
}

impl Blocks {
    pub(super) fn open(mut source: impl Read + Seek + Send + Sync + 'static) -> Result<Self, SoundError> {
        let unreadable = |error: std::io::Error| SoundError::Unreadable(error.kind());
        let bytes = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        // symphonia is not ours, and the bytes are anybody's.
        catch_unwind(AssertUnwindSafe(|| Self::probe(Source(source, bytes)))).unwrap_or(Err(SoundError::Unknown))
    }

    fn probe(source: Source<impl Read + Seek + Send + Sync + 'static>) -> Result<Self, SoundError> {
        let stream = MediaSourceStream::new(Box::new(source), Default::default());
        let tags =
            MetadataOptions::default().limit_tag_bytes(Limit::Maximum(MAX_TAG)).limit_visual_bytes(Limit::Maximum(0));
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), tags)
            .map_err(|error| refused(&error, Duration::ZERO))?;
        let track =
            format.default_track(TrackType::Audio).ok_or(SoundError::Unsupported("it has no track of sound"))?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let parameters = parameters.ok_or(SoundError::Unsupported("its track of sound says nothing of its form"))?;
        let rate = parameters.sample_rate.ok_or(SoundError::Unsupported("it does not say its sample rate"))?;
        let length = track.num_frames.map(|frames| time(frames, rate));
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| refused(&error, Duration::ZERO))?;
        Ok(Self { track: track.id, decoder, rate, length, frames: 0, interleaved: Vec::new(), format })
    }

    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    pub(super) fn length(&self) -> Option<Duration> {
        self.length
    }

    fn at(&self) -> Duration {
        time(self.frames, self.rate)
    }

    fn block(&mut self) -> Result<Option<Vec<f32>>, SoundError> {
        for _ in 0..MAX_EMPTY {
            let at = self.at();
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return self.end().map(|()| None),
                Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    return self.end().map(|()| None);
                }
                Err(error) => return Err(refused(&error, at)),
            };
            if packet.track_id != self.track {
                continue;
            }
            let decoded = self.decoder.decode(&packet).map_err(|error| refused(&error, at))?;
            let spec = decoded.spec();
            let channels = spec.channels().count();
            if !(1..=MAX_CHANNELS).contains(&channels) {
                return Err(SoundError::Channels(channels));
            }
            if spec.rate() != self.rate {
                return Err(SoundError::Unsupported("its sample rate changes on the way"));
            }
            decoded.copy_to_vec_interleaved(&mut self.interleaved);
            let weight = 1.0 / channels as f32;
            let samples: Vec<f32> = self
                .interleaved
                .chunks_exact(channels)
                .map(|frame| crate::voice::tame(frame.iter().sum::<f32>() * weight))
                .collect();
            if !samples.is_empty() {
                self.frames = self.frames.saturating_add(samples.len() as u64);
                return Ok(Some(samples));
            }
        }
        Err(SoundError::Damaged { at: self.at() })
    }

    /// Whether this may be the end.
    fn end(&self) -> Result<(), SoundError> {
        let found = self.at();
        match self.length {
            _ if self.frames == 0 => Err(SoundError::Empty),
            Some(announced) if found + TOLERANCE < announced => Err(SoundError::CutShort { found, announced }),
            _ => Ok(()),
        }
    }
}

impl Iterator for Blocks {
    type Item = Result<Vec<f32>, SoundError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = catch_unwind(AssertUnwindSafe(|| self.block()));
        block.unwrap_or(Err(SoundError::Damaged { at: self.at() })).transpose()
    }
}

fn refused(error: &Error, at: Duration) -> SoundError {
    match error {
        // A file in which the probe finds nothing ends while it looks.
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof && at.is_zero() => SoundError::Unknown,
        Error::IoError(error) => SoundError::Unreadable(error.kind()),
        Error::Unsupported(_) if at.is_zero() => SoundError::Unknown,
        _ => SoundError::Damaged { at },
    }
}
