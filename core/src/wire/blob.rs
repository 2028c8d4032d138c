//! Sealed attachments: how an event names one, and what devices and relays say to each other about its chunks.
//!
//! A file is padded, cut into chunks, and each chunk is sealed by itself under a key that travels only inside the event. The list
//! of the sealed chunks' hashes names them all, so that any chunk can be checked alone, by whoever holds the list and without the
//! key. The same requests go to a device and to a relay: whoever holds chunks is a *source*.
//!
//! It judges shape; what may be asked of whom is the source's to say. Source: `docs/adr/0012-attachments.md`,
//! `docs/protocol-attachments.md`.

mod held;

use serde::{Deserialize, Serialize};

use super::codec::{AROUND, Body, DecodeError, around, at_most, hash, plain, within};
use crate::types::{DeviceId, Hash, Token};

pub use held::Held;

/// Bytes of a file in one chunk: small enough that little is lost when a transfer is cut off, large enough that a chunk's hash and
/// round trip cost next to nothing.
pub const CHUNK: usize = 256 * 1024;

/// What sealing adds to a chunk: the tag of ChaCha20-Poly1305.
pub const SEAL: usize = 16;

/// The most chunks of an attachment: their list fits in one answer.
pub const MAX_CHUNKS: usize = 8192;

/// The most bytes of a file: 2 GiB with its padding, as much as [`MAX_CHUNKS`] hold. The last Padmé step below that is 64 MiB wide.
pub const MAX_FILE: u64 = (MAX_CHUNKS * CHUNK) as u64;

/// The least that a file is padded to, so that the smallest look the same.
const LEAST_PADDED: u64 = 4096;

/// The most devices that one upload waits for: as many as a list of mailboxes has.
pub const MAX_READERS: usize = 1024;

/// Where a chunk is in what carries it: behind the format number, a map with a key of two letters, and a map whose first key has one.
const CHUNK_AT: usize = 8;

/// Room for a sealed chunk and for what stands around it when it travels, so that it is written where it is.
pub const CHUNK_ROOM: usize = CHUNK + SEAL + AROUND;

/// The most runs of chunks in one answer: every other chunk of the largest attachment.
const MAX_RUNS: usize = MAX_CHUNKS / 2;

/// How an event names an attachment. Whoever has it can fetch and read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// [`list_hash`] of its sealed chunks: random for whoever lacks the key, so that nobody can tell by it what the file is.
    #[serde(rename = "i")]
    pub id: Hash,
    /// What its chunks are sealed with; random, and never used for another attachment.
    #[serde(rename = "k")]
    pub key: Token,
    /// Bytes of the file, without padding.
    #[serde(rename = "s")]
    pub size: u64,
}

impl Body for Attachment {
    const MAX_BYTES: usize = 256;

    fn check(&self) -> Result<(), DecodeError> {
        if self.size > MAX_FILE { Err(DecodeError::OutOfBounds("size")) } else { Ok(()) }
    }
}

/// The key is a secret.
impl std::fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Attachment").field("id", &self.id).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Attachment {
    /// What a source knows it by: nobody can make it of the id alone.
    pub fn name(&self) -> Hash {
        self.derived("kith/blob/name/1", &[])
    }

    /// What shows a source that one may read it.
    pub fn capability(&self) -> Token {
        Token::new(*self.derived("kith/blob/read/1", &[]).as_bytes())
    }

    /// How a device says that it has all of it, without saying which device it is.
    pub fn reader(&self, device: &DeviceId) -> Hash {
        self.derived("kith/blob/reader/1", &[device.as_ref()])
    }

    /// The claim of whoever has the event.
    pub fn claim(&self) -> Claim {
        Claim { name: self.name(), capability: self.capability() }
    }

    /// Its chunks.
    pub fn layout(&self) -> Layout {
        Layout::of(self.size)
    }

    fn derived(&self, label: &str, more: &[&[u8]]) -> Hash {
        let parts: Vec<&[u8]> = [self.key.as_ref(), self.id.as_ref()].into_iter().chain(more.iter().copied()).collect();
        hash(label, &parts)
    }
}

/// How a file lies in chunks: a function of its size alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of the file.
    pub size: u64,
    /// With its padding.
    pub padded: u64,
}

impl Layout {
    /// The chunks of a file of so many bytes. Beyond [`MAX_FILE`] it has as many as the largest.
    pub fn of(size: u64) -> Self {
        let size = size.min(MAX_FILE);
        Self { size, padded: padded(size) }
    }

    /// How many chunks there are: at least one.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.padded.div_ceil(CHUNK as u64)).unwrap_or(u32::MAX)
    }

    /// Bytes of a chunk before sealing; 0 beyond the last.
    pub fn plain(&self, index: u32) -> usize {
        let start = u64::from(index).saturating_mul(CHUNK as u64);
        usize::try_from(self.padded.saturating_sub(start).min(CHUNK as u64)).unwrap_or(CHUNK)
    }

    /// Bytes of a sealed chunk; 0 beyond the last.
    pub fn sealed(&self, index: u32) -> usize {
        match self.plain(index) {
            0 => 0,
            plain => plain.saturating_add(SEAL),
        }
    }

    /// Bytes of all sealed chunks.
    pub fn sealed_bytes(&self) -> u64 {
        self.padded.saturating_add(u64::from(self.chunks()).saturating_mul(SEAL as u64))
    }

    /// Where a sealed chunk begins among all of them.
    pub fn offset(&self, index: u32) -> u64 {
        u64::from(index).saturating_mul((CHUNK + SEAL) as u64)
    }
}

/// Padmé (Nikitin et al., 2019): of a size only as many bits are told as its length in bits needs to be written with. At most an
/// eighth is added to a small file, and a thirty-second to a large one.
fn padded(size: u64) -> u64 {
    let size = size.max(LEAST_PADDED);
    let exponent = size.ilog2();
    let told = exponent.ilog2().saturating_add(1);
    let mask = (1_u64 << exponent.saturating_sub(told)).saturating_sub(1);
    size.saturating_add(mask) & !mask
}

/// What names a list of sealed chunks.
pub fn list_hash(list: &[u8]) -> Hash {
    hash("kith/blob/1", &[list])
}

/// The SHA-256 of a sealed chunk.
pub fn chunk_hash(sealed: &[u8]) -> Hash {
    let mut bytes = [0; Hash::LEN];
    bytes.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, sealed).as_ref());
    Hash::new(bytes)
}

/// Whether a sealed chunk is the one that a list names at this place.
pub fn is_listed(list: &[u8], index: u32, sealed: &[u8]) -> bool {
    let start = (index as usize).saturating_mul(Hash::LEN);
    list.get(start..start.saturating_add(Hash::LEN)).is_some_and(|named| named == chunk_hash(sealed).as_ref())
}

/// By what right something is asked of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// [`Attachment::name`].
    #[serde(rename = "n")]
    pub name: Hash,
    /// [`Attachment::capability`].
    #[serde(rename = "c")]
    pub capability: Token,
}

/// What a source keeps of a capability.
pub fn capability_hash(capability: &Token) -> Hash {
    hash("kith/blob/capability/1", &[capability.as_ref()])
}

/// What is asked of a source.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// *Own*, of a relay: it shall keep an attachment for these readers. Asked again it says what it has, and new readers join.
    #[serde(rename = "op")]
    Open(Open),
    /// *Own*, of a relay: a chunk of what was opened. The answer comes when it is durable. Asked again it changes nothing.
    #[serde(rename = "pu")]
    Put {
        /// [`Attachment::name`].
        #[serde(rename = "n")]
        name: Hash,
        /// Which chunk.
        #[serde(rename = "x")]
        index: u32,
        /// The sealed chunk.
        #[serde(rename = "b", with = "serde_bytes")]
        chunk: Vec<u8>,
    },
    /// *Own*, of a relay: it need not keep it any more.
    #[serde(rename = "dr")]
    Drop {
        /// [`Attachment::name`].
        #[serde(rename = "n")]
        name: Hash,
    },
    /// The hashes of all its chunks, and which of them the source has.
    #[serde(rename = "li")]
    List(Claim),
    /// A chunk.
    #[serde(rename = "ge")]
    Get {
        /// By what right.
        #[serde(rename = "c")]
        claim: Claim,
        /// Which chunk.
        #[serde(rename = "x")]
        index: u32,
    },
    /// A reader has all of it, durably.
    #[serde(rename = "go")]
    Got {
        /// By what right.
        #[serde(rename = "c")]
        claim: Claim,
        /// Which reader: [`Attachment::reader`].
        #[serde(rename = "r")]
        reader: Hash,
    },
}

/// What a relay shall keep.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// [`Attachment::name`].
    #[serde(rename = "n")]
    pub name: Hash,
    /// [`capability_hash`] of what readers will show.
    #[serde(rename = "c")]
    pub capability: Hash,
    /// Bytes of all sealed chunks.
    #[serde(rename = "z")]
    pub sealed_bytes: u64,
    /// The SHA-256 of each sealed chunk, 32 bytes each.
    #[serde(rename = "l", with = "serde_bytes")]
    pub list: Vec<u8>,
    /// Who will say that they have it, ascending: [`Attachment::reader`].
    #[serde(rename = "r")]
    pub readers: Vec<Hash>,
}

/// What a source answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// Done.
    #[serde(rename = "ok")]
    Done,
    /// To [`Request::Open`]: the chunks that are there already.
    #[serde(rename = "op")]
    Opened {
        /// Half-open runs, ascending.
        #[serde(rename = "h")]
        held: Vec<(u32, u32)>,
    },
    /// To [`Request::List`].
    #[serde(rename = "li")]
    Listed {
        /// The SHA-256 of each sealed chunk, 32 bytes each.
        #[serde(rename = "l", with = "serde_bytes")]
        list: Vec<u8>,
        /// Half-open runs of chunks that the source has, ascending.
        #[serde(rename = "h")]
        held: Vec<(u32, u32)>,
    },
    /// To [`Request::Get`].
    #[serde(rename = "ge")]
    Chunk {
        /// The sealed chunk.
        #[serde(rename = "b", with = "serde_bytes")]
        chunk: Vec<u8>,
    },
    /// Refused, and why.
    #[serde(rename = "x")]
    Refused(Refusal),
}

/// Why a source refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The request is not understood there, or malformed.
    #[error("the request is not understood there")]
    Malformed,
    /// It keeps no attachments.
    #[error("this relay keeps no attachments")]
    NotKept,
    /// The device is not signed in at the relay, or is another than the one that opened it.
    #[error("this device is not signed in at the relay")]
    NotSignedIn,
    /// It is not there, or not for the one that asks: which of them is not said.
    #[error("it is not there")]
    NotFound,
    /// The chunk is not there yet.
    #[error("that part of it is not there yet")]
    NotYet,
    /// Larger than the relay takes.
    #[error("larger than the {limit} bytes that the relay takes")]
    TooLarge {
        /// The most bytes of one attachment.
        #[serde(rename = "l")]
        limit: u64,
    },
    /// The account's room is used up.
    #[error("your room for attachments at the relay, {limit} bytes, is used up until what waits there was fetched")]
    Quota {
        /// The most bytes of one account.
        #[serde(rename = "l")]
        limit: u64,
    },
    /// Another attachment has this name, or the chunk is not the one that was listed.
    #[error("it is not what was announced")]
    Mismatch,
    /// Too much at once; try again after so many seconds.
    #[error("too many requests: try again in {retry_s} s")]
    TooMany {
        /// Seconds to wait.
        #[serde(rename = "r")]
        retry_s: u32,
    },
    /// Its disk is full or does not answer, or it is shutting down.
    #[error("it cannot be taken or given now: try later")]
    TryLater,
}

impl Body for Request {
    const MAX_BYTES: usize = MAX_CHUNKS * Hash::LEN + MAX_READERS * 40 + 4096;

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Put { name, index, chunk } => {
                around(&Self::Put { name: *name, index: *index, chunk: Vec::new() }, CHUNK_AT, roomy(chunk))
            }
            _ => plain(self),
        }
    }

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Open(open) => open.check(),
            Self::Put { chunk, .. } => at_most(chunk, CHUNK + SEAL, "chunk"),
            Self::Drop { .. } | Self::List(_) | Self::Get { .. } | Self::Got { .. } => Ok(()),
        }
    }
}

impl Open {
    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.readers, MAX_READERS, "readers")?;
        let chunks = chunks_listed(&self.list)?;
        let most = chunks.saturating_mul((CHUNK + SEAL) as u64);
        let least = most.saturating_sub(CHUNK as u64);
        if self.sealed_bytes > most || self.sealed_bytes < least {
            return Err(DecodeError::OutOfBounds("sealed_bytes"));
        }
        Ok(())
    }

    /// Bytes of one sealed chunk; 0 beyond the last.
    pub fn sealed(&self, index: u32) -> usize {
        let start = u64::from(index).saturating_mul((CHUNK + SEAL) as u64);
        usize::try_from(self.sealed_bytes.saturating_sub(start).min((CHUNK + SEAL) as u64)).unwrap_or(CHUNK + SEAL)
    }
}

impl Body for Response {
    const MAX_BYTES: usize = MAX_CHUNKS * Hash::LEN + MAX_RUNS * 12 + 4096;

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Chunk { chunk } => around(&Self::Chunk { chunk: Vec::new() }, CHUNK_AT, roomy(chunk)),
            _ => plain(self),
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Chunk { chunk } => around(&Self::Chunk { chunk: Vec::new() }, CHUNK_AT, chunk),
            other => plain(&other),
        }
    }

    fn from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        if bytes.len() > Self::MAX_BYTES {
            return Self::decode(&bytes);
        }
        match within(&Self::Chunk { chunk: Vec::new() }, CHUNK_AT, bytes) {
            Ok(chunk) => {
                let response = Self::Chunk { chunk };
                response.check()?;
                Ok(response)
            }
            Err(bytes) => Self::decode(&bytes),
        }
    }

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Opened { held } => runs(held),
            Self::Listed { list, held } => {
                runs(held)?;
                chunks_listed(list).map(|_| ())
            }
            Self::Chunk { chunk } => at_most(chunk, CHUNK + SEAL, "chunk"),
            Self::Done | Self::Refused(_) => Ok(()),
        }
    }
}

/// A chunk once more, with room for what stands around it.
fn roomy(chunk: &[u8]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(chunk.len().saturating_add(AROUND));
    copy.extend_from_slice(chunk);
    copy
}

/// Runs ascend and do not touch each other: so many name each chunk once.
fn runs(held: &[(u32, u32)]) -> Result<(), DecodeError> {
    at_most(held, MAX_RUNS, "held")?;
    let after = std::iter::once(0).chain(held.iter().map(|(_, to)| to.saturating_add(1)));
    if held.iter().zip(after).all(|((from, to), after)| from < to && *from >= after) {
        Ok(())
    } else {
        Err(DecodeError::OutOfBounds("held"))
    }
}

/// How many chunks a list names.
fn chunks_listed(list: &[u8]) -> Result<u64, DecodeError> {
    let chunks = list.len() / Hash::LEN;
    if chunks == 0 || chunks > MAX_CHUNKS || !list.len().is_multiple_of(Hash::LEN) {
        return Err(DecodeError::OutOfBounds("list"));
    }
    Ok(chunks as u64)
}

/// Sizes only: what travels is sealed, and names are capabilities.
macro_rules! discreet {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        })+
    };
}

discreet!(Request, Open, Response);

impl Request {
    /// Its name, for metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open(_) => "blob_open",
            Self::Put { .. } => "blob_put",
            Self::Drop { .. } => "blob_drop",
            Self::List(_) => "blob_list",
            Self::Get { .. } => "blob_get",
            Self::Got { .. } => "blob_got",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attachment(size: u64) -> Attachment {
        Attachment { id: Hash::new([1; 32]), key: Token::new([2; 32]), size }
    }

    #[test]
    fn names_and_capabilities_tell_nothing_of_each_other() {
        let (one, other) = (attachment(5), Attachment { key: Token::new([3; 32]), ..attachment(5) });
        let device = DeviceId::new([4; 32]);
        let of = |it: &Attachment| [it.name(), Hash::new(*it.capability().as_bytes()), it.reader(&device), it.id];
        let mut all = [of(&one), of(&other)].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7, "only the id is the same");
        assert!(!format!("{one:?}").contains(&one.key.to_string()));
    }

    #[test]
    fn a_chunk_is_written_as_everything_else_is() {
        for length in [0, 1, 23, 24, 255, 256, 65_535, 65_536, CHUNK + SEAL] {
            let chunk: Vec<u8> = (0..length).map(|at| (at % 253) as u8).collect();
            for index in [0, 5, 70_000] {
                let put = Request::Put { name: Hash::new([7; 32]), index, chunk: chunk.clone() };
                assert_eq!(put.encode(), plain(&put));
            }
            let given = Response::Chunk { chunk };
            let bytes = plain(&given);
            assert_eq!(given.encode(), bytes);
            assert!(Response::from_bytes(bytes.clone()) == Ok(given.clone()));
            assert_eq!(given.into_bytes(), bytes);
        }
    }

    proptest! {
        /// Whatever comes is read in the same way whoever keeps the bytes.
        #[test]
        fn bytes_that_are_kept_are_read_as_others_are(
            length in prop_oneof![0..40_usize, 65_500..65_600_usize, CHUNK..CHUNK + 2 * SEAL],
            at in 0..16_usize,
            byte: u8,
            cut in 0..20_usize,
        ) {
            let mut bytes = plain(&Response::Chunk { chunk: vec![9; length] });
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            prop_assert!(Response::from_bytes(bytes.clone()) == Response::decode(&bytes));
        }
    }

    #[test]
    fn the_largest_file_fits_and_a_larger_one_is_refused() {
        let layout = Layout::of(MAX_FILE);
        assert_eq!((layout.chunks() as usize, layout.padded), (MAX_CHUNKS, MAX_FILE));
        assert_eq!(layout.sealed(layout.chunks() - 1), CHUNK + SEAL);
        assert_eq!(layout.sealed(layout.chunks()), 0);
        assert!(Attachment::decode(&attachment(MAX_FILE).encode()).is_ok());
        assert_eq!(Attachment::decode(&attachment(MAX_FILE + 1).encode()), Err(DecodeError::OutOfBounds("size")));
    }

    #[test]
    fn the_largest_bodies_fit() {
        let hash = Hash::new([0xff; 32]);
        let list = vec![0xff; MAX_CHUNKS * 32];
        let open = Open {
            name: hash,
            capability: hash,
            sealed_bytes: Layout::of(MAX_FILE).sealed_bytes(),
            list: list.clone(),
            readers: vec![hash; MAX_READERS],
        };
        let request = Request::Open(open);
        assert!(Request::decode(&request.encode()).is_ok());
        let held = (0..MAX_RUNS as u32).map(|run| (run * 2 + 60_000, run * 2 + 60_001)).collect();
        assert!(Response::decode(&Response::Listed { list, held }.encode()).is_ok());
        for wrong in [vec![(0, 2), (2, 3)], vec![(3, 3)], vec![(5, 6), (0, 1)], vec![(0, 9), (1, 2)]] {
            assert!(Response::decode(&Response::Opened { held: wrong }.encode()).is_err());
        }
        assert!(Response::decode(&Response::Chunk { chunk: vec![0; CHUNK + SEAL] }.encode()).is_ok());
        assert!(Response::decode(&Response::Chunk { chunk: vec![0; CHUNK + SEAL + 1] }.encode()).is_err());
    }

    #[test]
    fn a_list_that_does_not_fit_its_size_is_refused() {
        let hash = Hash::new([7; 32]);
        let open = |list: usize, sealed_bytes| {
            Request::Open(Open { name: hash, capability: hash, sealed_bytes, list: vec![0; list], readers: vec![] })
        };
        assert!(Request::decode(&open(64, (CHUNK + SEAL) as u64 + 17).encode()).is_ok());
        for (list, sealed) in [(0, 0), (31, 17), (33, 17), (64, 17), (32, (CHUNK + SEAL + 1) as u64)] {
            assert!(Request::decode(&open(list, sealed).encode()).is_err(), "{list} {sealed}");
        }
    }

    proptest! {
        #[test]
        fn padding_hides_a_size_and_costs_little(size in 0..=MAX_FILE) {
            let layout = Layout::of(size);
            prop_assert!(layout.padded >= size && layout.padded <= MAX_FILE);
            prop_assert!(layout.padded - size <= (size / 8).max(LEAST_PADDED));
            prop_assert_eq!(Layout::of(layout.padded).padded, layout.padded, "padding twice changes nothing");
            let chunks = layout.chunks();
            let all: u64 = (0..chunks).map(|index| layout.sealed(index) as u64).sum();
            prop_assert_eq!(all, layout.sealed_bytes());
            prop_assert!((0..chunks).all(|index| layout.sealed(index) > SEAL));
        }
    }
}
