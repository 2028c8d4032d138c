//! Ogg with one Opus stream in it: pages, headers, positions.
//!
//! Does not decode sound. One mono or stereo stream per file (channel mapping family 0): what voice notes are. Surround,
//! several streams side by side or one after another are refused.
//!
//! Invariant: all that is kept of a file is one page and one packet at a time; checksums of all pages are checked.
//!
//! Source: RFC 3533 (pages, over the `ogg` crate), RFC 7845 (headers and positions).

use std::io::{Read, Seek};

use ::ogg::reading::OggReadError;
use ::ogg::{Packet, PacketReader, PacketWriteEndInfo, PacketWriter};

/// The one stream's number. RFC 3533 wants it unique among streams that are put together; a note stands alone, and a
/// constant keeps encoding a function of the sound.
const SERIAL: u32 = u32::from_be_bytes(*b"Kith");

/// Packets on a page: one second, as RFC 7845 §4 recommends at most. Pages cost 27 bytes each and a checksum.
const PACKETS_PER_PAGE: usize = 50;

/// A page on which no packet ends has this position (RFC 3533 §6).
const NO_POSITION: u64 = u64::MAX;

const HEAD_MAGIC: &[u8] = b"OpusHead";
const TAGS_MAGIC: &[u8] = b"OpusTags";

/// The name of the encoder in the tags. It names no version and no machine: a note says nothing about its sender.
const VENDOR: &[u8] = b"Kith";

/// Why an Ogg Opus file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OggError {
    /// It does not start like an Ogg file.
    #[error("this is not an Ogg file")]
    NotOgg,
    /// The Ogg file holds something else than Opus.
    #[error("the Ogg file holds no Opus sound")]
    NotOpus,
    /// A version of the format, or an arrangement of channels, that is not read here.
    #[error("the Opus file is of a kind that is not supported: {what}")]
    Unsupported {
        /// What is not supported.
        what: &'static str,
    },
    /// It ends before its last page.
    #[error("the Opus file is cut short")]
    Truncated,
    /// A checksum is wrong, a page is missing, or pages contradict each other.
    #[error("the Opus file is damaged")]
    Damaged,
    /// Writing to memory failed.
    #[error("the Ogg file could not be written: {reason}")]
    Write {
        /// What the library said.
        reason: String,
    },
}

/// What the first packet says (RFC 7845 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// 1 or 2.
    pub channels: u8,
    /// Samples at 48 kHz to throw away at the start.
    pub pre_skip: u16,
    /// How much louder to play it, in 1/256 dB.
    pub gain: i16,
}

impl Head {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = HEAD_MAGIC.to_vec();
        bytes.extend([1, self.channels]);
        bytes.extend(self.pre_skip.to_le_bytes());
        // The rate before encoding: for information only, and nobody's business.
        bytes.extend(super::OPUS_RATE.to_le_bytes());
        bytes.extend(self.gain.to_le_bytes());
        bytes.push(0);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Self, OggError> {
        let body = bytes.strip_prefix(HEAD_MAGIC).ok_or(OggError::NotOpus)?;
        let &[version, channels, skip_low, skip_high, _, _, _, _, gain_low, gain_high, family, ..] = body else {
            return Err(OggError::Damaged);
        };
        // The upper four bits are the major version: others of version 0 only add fields.
        if version >> 4 != 0 {
            return Err(OggError::Unsupported { what: "its version is from the future" });
        }
        if family != 0 || channels > 2 {
            return Err(OggError::Unsupported { what: "it has more than two channels" });
        }
        if channels == 0 {
            return Err(OggError::Damaged);
        }
        let pre_skip = u16::from_le_bytes([skip_low, skip_high]);
        Ok(Self { channels, pre_skip, gain: i16::from_le_bytes([gain_low, gain_high]) })
    }
}

/// Writes one stream into memory.
pub struct Writer {
    pages: PacketWriter<'static, Vec<u8>>,
    on_page: usize,
}

impl Writer {
    /// Starts a file with its two header pages.
    ///
    /// # Errors
    /// [`OggError::Write`] if the library refuses.
    pub fn new(head: Head) -> Result<Self, OggError> {
        let mut pages = PacketWriter::new(Vec::new());
        let mut tags = TAGS_MAGIC.to_vec();
        tags.extend((VENDOR.len() as u32).to_le_bytes());
        tags.extend(VENDOR);
        tags.extend(0_u32.to_le_bytes());
        for header in [head.to_bytes(), tags] {
            pages.write_packet(header, SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(write_failed)?;
        }
        Ok(Self { pages, on_page: 0 })
    }

    /// Adds a packet, after which `position` samples of 48 kHz have been decoded, pre-skip included. The last packet's
    /// position may be less than that: it cuts off what was only there to fill the frame (RFC 7845 §4.4).
    ///
    /// # Errors
    /// [`OggError::Write`] if the library refuses.
    pub fn write(&mut self, packet: Vec<u8>, position: u64, last: bool) -> Result<(), OggError> {
        self.on_page += 1;
        let end = if last {
            PacketWriteEndInfo::EndStream
        } else if self.on_page == PACKETS_PER_PAGE {
            self.on_page = 0;
            PacketWriteEndInfo::EndPage
        } else {
            PacketWriteEndInfo::NormalPacket
        };
        self.pages.write_packet(packet, SERIAL, end, position).map_err(write_failed)
    }

    /// The size of the finished pages, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.pages.inner().len()
    }

    /// The file. The last packet has to be marked as such.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.pages.into_inner()
    }
}

/// A packet of sound.
#[derive(Clone, PartialEq, Eq)]
pub struct SoundPacket {
    /// The Opus packet.
    pub data: Vec<u8>,
    /// The position that the page states, if the packet is the last that ends on it.
    pub position: Option<u64>,
    /// Nothing comes after it.
    pub last: bool,
}

/// Reads one stream, packet by packet.
pub struct Reader<R: Read + Seek> {
    pages: PacketReader<R>,
    head: Head,
    serial: u32,
    ended: bool,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads the two headers.
    ///
    /// # Errors
    /// [`OggError`] if this is not an Ogg file with mono or stereo Opus in it.
    pub fn open(source: R) -> Result<Self, OggError> {
        let mut pages = PacketReader::new(source);
        let first = read(&mut pages)?.ok_or(OggError::Truncated)?;
        let head = Head::parse(&first.data)?;
        let tags = read(&mut pages)?.ok_or(OggError::Truncated)?;
        if tags.stream_serial() != first.stream_serial() {
            return Err(OggError::Unsupported { what: "it has several streams" });
        }
        if !tags.data.starts_with(TAGS_MAGIC) || !tags.last_in_page() {
            return Err(OggError::Damaged);
        }
        if tags.last_in_stream() || first.last_in_stream() {
            return Err(OggError::Truncated);
        }
        Ok(Self { pages, head, serial: first.stream_serial(), ended: false })
    }

    /// What the first packet said.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The next packet of sound; nothing after the last one.
    ///
    /// # Errors
    /// [`OggError::Truncated`] if the file ends without its last page, [`OggError::Damaged`] and
    /// [`OggError::Unsupported`] for what is not a sound stream.
    pub fn read(&mut self) -> Result<Option<SoundPacket>, OggError> {
        if self.ended {
            return Ok(None);
        }
        let packet = read(&mut self.pages)?.ok_or(OggError::Truncated)?;
        if packet.stream_serial() != self.serial {
            return Err(OggError::Unsupported { what: "it has several streams" });
        }
        self.ended = packet.last_in_stream();
        let position = packet.last_in_page().then_some(packet.absgp_page()).filter(|&at| at != NO_POSITION);
        Ok(Some(SoundPacket { position, last: self.ended, data: packet.data }))
    }
}

fn read(pages: &mut PacketReader<impl Read + Seek>) -> Result<Option<Packet>, OggError> {
    pages.read_packet().map_err(|error| match error {
        OggReadError::NoCapturePatternFound => OggError::NotOgg,
        OggReadError::ReadError(_) => OggError::Truncated,
        OggReadError::HashMismatch(..) | OggReadError::InvalidData | OggReadError::InvalidStreamStructVer(_) => {
            OggError::Damaged
        }
    })
}

fn write_failed(error: std::io::Error) -> OggError {
    OggError::Write { reason: error.to_string() }
}
