//! Ogg Opus, packet by packet.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use super::{SoundError, time};
use crate::voice::OPUS_RATE;
use crate::voice::ogg::{OggError, Reader};
use crate::voice::opus::Decoder;

/// The end of a file that is looked through for its last page: a page is at most 65,307 bytes long (RFC 3533 §6).
const LAST_PAGE: u64 = 65_307;

/// Where the position of a page stands in its header, after the four letters of its beginning.
const POSITION_AT: usize = 6;

/// How long the file says to be, by the position of its last page: for progress only, so its beginning is taken for zero.
pub(super) fn length(source: &mut (impl Read + Seek)) -> Option<Duration> {
    let end = source.seek(SeekFrom::End(0)).ok()?;
    source.seek(SeekFrom::Start(end.saturating_sub(LAST_PAGE))).ok()?;
    let mut tail = Vec::new();
    source.take(LAST_PAGE).read_to_end(&mut tail).ok()?;
    let page = tail.windows(4).rposition(|window| window == b"OggS")?;
    let position = tail.get(page.checked_add(POSITION_AT)?..)?.first_chunk::<8>()?;
    let position = u64::from_le_bytes(*position);
    // Nobody's sound is as long as what does not fit a day.
    Some(time(position, OPUS_RATE)).filter(|length| *length < Duration::from_secs(86_400))
}

/// The sound of a file.
pub(super) struct Blocks<R: Read + Seek> {
    reader: Reader<R>,
    decoder: Decoder,
    /// Samples of the beginning that are not to be heard.
    skip: usize,
    /// Samples decoded so far, the beginning included.
    decoded: u64,
    /// The position before the first packet: not zero where a longer stream was cut (RFC 7845 §4.5).
    start: Option<u64>,
    any: bool,
}

impl<R: Read + Seek> Blocks<R> {
    pub(super) fn open(source: R) -> Result<Self, SoundError> {
        let reader = Reader::over(source)?;
        let head = reader.head();
        let decoder = Decoder::new(head.gain)?;
        Ok(Self { reader, decoder, skip: usize::from(head.pre_skip), decoded: 0, start: None, any: false })
    }

    fn block(&mut self) -> Result<Option<Vec<f32>>, SoundError> {
        loop {
            let Some(packet) = self.reader.read()? else {
                return if self.any { Ok(None) } else { Err(SoundError::Empty) };
            };
            let mut samples = Vec::new();
            self.decoder.decode(&packet.data, &mut samples)?;
            self.decoded = self.decoded.saturating_add(samples.len() as u64);
            if let Some(position) = packet.position {
                let start = *self.start.get_or_insert(position.saturating_sub(self.decoded));
                let here = position.checked_sub(start).ok_or(OggError::Damaged)?;
                // A missing page shows in the next one's position; the last page may trim its end.
                let surplus = self.decoded.checked_sub(here).ok_or(OggError::Damaged)?;
                if surplus > 0 && !packet.last {
                    return Err(OggError::Damaged.into());
                }
                let kept = samples.len().saturating_sub(usize::try_from(surplus).unwrap_or(usize::MAX));
                samples.truncate(kept);
            }
            let skipped = self.skip.min(samples.len());
            self.skip = self.skip.saturating_sub(skipped);
            samples.drain(..skipped);
            if !samples.is_empty() {
                self.any = true;
                return Ok(Some(samples));
            }
        }
    }
}

impl<R: Read + Seek> Iterator for Blocks<R> {
    type Item = Result<Vec<f32>, SoundError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}
