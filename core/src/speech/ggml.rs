//! A look through a whisper.cpp model file, from end to end, before whisper.cpp sees it.
//!
//! whisper.cpp trusts its file: read past the end it keeps what was in memory, a tensor of more than four dimensions
//! writes past an array, and sizes are allocated on the file's word. So all of that is checked here, and tensors are counted.
//!
//! Does not understand the weights: a file with well-formed nonsense passes, and only its SHA-256 can tell.
//!
//! Source: `whisper_model_load` of whisper.cpp 1.8.3.

use std::io::{ErrorKind, Read};

/// "ggml", as the first number of the file.
const MAGIC: u32 = 0x6767_6d6c;

/// The three vocabularies of Whisper: English, multilingual, and multilingual with one more language (large-v3).
/// whisper.cpp derives its special tokens from this number.
const VOCABULARIES: std::ops::RangeInclusive<u32> = 51_864..=51_866;
/// All Whisper models hear 30 s, in 1500 steps.
const AUDIO_CTX: u32 = 1_500;
/// Whisper's longest text, in tokens.
const MAX_TEXT_CTX: u32 = 448;
/// Widths and depths: large has 1280 and 32.
const MAX_STATE: u32 = 4_096;
const MAX_LAYERS: u32 = 64;
/// Bins of the Fourier transform that the filters are made for.
const FFT_BINS: u32 = 201;
/// The longest token of the vocabulary, and the longest name of a tensor, in bytes; both are under 128 in all models.
const MAX_NAME: u32 = 1_024;
/// The largest tensor, in elements: large's vocabulary has 66 million.
const MAX_ELEMENTS: u64 = 1 << 28;

/// Why a file is no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends too early.
    CutShort,
    /// It is something else.
    NotAModel(&'static str),
    /// It cannot be read.
    Io(ErrorKind),
}

/// Reads the whole of a model file.
pub(super) fn inspect(source: &mut impl Read) -> Result<(), Flaw> {
    let mut file = Source { inner: source };
    if file.u32()? != MAGIC {
        return Err(Flaw::NotAModel("it does not start like one"));
    }
    let shape = Shape::read(&mut file)?;
    if (file.u32()?, file.u32()?) != (shape.mels, FFT_BINS) {
        return Err(Flaw::NotAModel("its filters do not fit"));
    }
    file.skip(u64::from(shape.mels) * u64::from(FFT_BINS) * 4)?;
    let words = file.u32()?;
    if words > shape.vocabulary {
        return Err(Flaw::NotAModel("its vocabulary is too large"));
    }
    for _ in 0..words {
        let length = file.u32()?;
        if length > MAX_NAME {
            return Err(Flaw::NotAModel("a word of its vocabulary is too long"));
        }
        file.skip(u64::from(length))?;
    }
    let mut tensors = 0;
    while file.tensor()? {
        tensors += 1;
    }
    match tensors {
        n if n < shape.tensors() => Err(Flaw::CutShort),
        n if n > shape.tensors() => Err(Flaw::NotAModel("it has too many tensors")),
        _ => Ok(()),
    }
}

/// Whether bytes have the form of a model's file, for the fuzzer.
#[cfg(feature = "test-utils")]
pub fn inspect_model(bytes: &[u8]) -> bool {
    inspect(&mut &*bytes).is_ok()
}

/// The numbers that decide how large everything is.
struct Shape {
    vocabulary: u32,
    audio_layers: u32,
    text_layers: u32,
    mels: u32,
}

impl Shape {
    fn read(file: &mut Source<'_, impl Read>) -> Result<Self, Flaw> {
        let vocabulary = file.u32()?;
        let audio = Stack { ctx: file.u32()?, state: file.u32()?, heads: file.u32()?, layers: file.u32()? };
        let text = Stack { ctx: file.u32()?, state: file.u32()?, heads: file.u32()?, layers: file.u32()? };
        let mels = file.u32()?;
        let weights = file.u32()?;
        let plausible = VOCABULARIES.contains(&vocabulary)
            && audio.ctx == AUDIO_CTX
            && (1..=MAX_TEXT_CTX).contains(&text.ctx)
            && audio.is_plausible()
            && text.is_plausible()
            && audio.state == text.state
            && matches!(mels, 80 | 128)
            // The thousands are the version of the quantisation.
            && matches!(weights % 1_000, 0..=3 | 7..=14)
            && weights < 10_000;
        if !plausible {
            return Err(Flaw::NotAModel("its dimensions are not those of a Whisper model"));
        }
        Ok(Self { vocabulary, audio_layers: audio.layers, text_layers: text.layers, mels })
    }

    /// How many tensors whisper.cpp expects: 7 and 15 a layer to hear, 4 and 24 a layer to write.
    fn tensors(&self) -> u32 {
        11 + 15 * self.audio_layers + 24 * self.text_layers
    }
}

struct Stack {
    ctx: u32,
    state: u32,
    heads: u32,
    layers: u32,
}

impl Stack {
    fn is_plausible(&self) -> bool {
        (1..=MAX_STATE).contains(&self.state)
            && self.heads > 0
            && self.state.is_multiple_of(self.heads)
            && (1..=MAX_LAYERS).contains(&self.layers)
    }
}

/// Little-endian numbers, and the end of the file as a flaw.
struct Source<'a, R> {
    inner: &'a mut R,
}

impl<R: Read> Source<'_, R> {
    fn u32(&mut self) -> Result<u32, Flaw> {
        let mut bytes = [0; 4];
        self.inner.read_exact(&mut bytes).map_err(flaw)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Flaw> {
        let read = std::io::copy(&mut self.inner.by_ref().take(bytes), &mut std::io::sink()).map_err(flaw)?;
        if read == bytes { Ok(()) } else { Err(Flaw::CutShort) }
    }

    /// Passes over a tensor; `false` at the end of the file.
    fn tensor(&mut self) -> Result<bool, Flaw> {
        let mut first = [0; 4];
        if self.inner.read(first.get_mut(..1).unwrap_or_default()).map_err(flaw)? == 0 {
            return Ok(false);
        }
        self.inner.read_exact(first.get_mut(1..).unwrap_or_default()).map_err(flaw)?;
        let (dimensions, name, kind) = (u32::from_le_bytes(first), self.u32()?, self.u32()?);
        if !(1..=3).contains(&dimensions) || !(1..=MAX_NAME).contains(&name) {
            return Err(Flaw::NotAModel("a tensor of it is malformed"));
        }
        let mut elements = 1_u64;
        for _ in 0..dimensions {
            elements = elements.saturating_mul(u64::from(self.u32()?));
        }
        let (block, block_bytes) = block(kind).ok_or(Flaw::NotAModel("a tensor of it is of an unknown type"))?;
        if elements == 0 || elements > MAX_ELEMENTS || !elements.is_multiple_of(block) {
            return Err(Flaw::NotAModel("a tensor of it has an impossible size"));
        }
        self.skip(u64::from(name))?;
        self.skip(elements / block * block_bytes)?;
        Ok(true)
    }
}

/// The elements and the bytes of one block of a type of tensor (`ggml.h`, `ggml-common.h`).
fn block(kind: u32) -> Option<(u64, u64)> {
    match kind {
        0 => Some((1, 4)),
        1 => Some((1, 2)),
        2 => Some((32, 18)),
        3 => Some((32, 20)),
        6 => Some((32, 22)),
        7 => Some((32, 24)),
        8 => Some((32, 34)),
        10 => Some((256, 84)),
        11 => Some((256, 110)),
        12 => Some((256, 144)),
        13 => Some((256, 176)),
        14 => Some((256, 210)),
        _ => None,
    }
}

fn flaw(error: std::io::Error) -> Flaw {
    match error.kind() {
        ErrorKind::UnexpectedEof => Flaw::CutShort,
        kind => Flaw::Io(kind),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MODEL: &[u8] = include_bytes!("../../../assets/models/ggml-kith-test.en.bin");

    fn with(at: usize, value: u32) -> Result<(), Flaw> {
        let mut model = MODEL.to_vec();
        model[at..at + 4].copy_from_slice(&value.to_le_bytes());
        inspect(&mut model.as_slice())
    }

    #[test]
    fn the_test_model_is_a_model() {
        assert_eq!(inspect(&mut &*MODEL), Ok(()));
    }

    #[test]
    fn dimensions_that_would_break_whisper_are_refused() {
        let dimensions = |at, value| matches!(with(at, value), Err(Flaw::NotAModel(_)));
        assert!(dimensions(0, 0x4655_4747), "GGUF");
        for field in 1..=11 {
            for value in [0x7fff_ffff, u32::MAX, 1_000_000] {
                assert!(dimensions(field * 4, value), "field {field}: {value}");
            }
        }
        assert!(dimensions(4 * 4, 3), "heads that do not divide the state");
        assert!(dimensions(12 * 4, 81), "filters");
        assert!(dimensions(14 * 4 + 80 * 201 * 4, u32::MAX), "words");
        assert!(dimensions(15 * 4 + 80 * 201 * 4, u32::MAX), "the length of a word");
    }

    #[test]
    fn one_layer_more_or_less_is_noticed() {
        let layers = u32::from_le_bytes(MODEL[20..24].try_into().unwrap());
        assert_eq!(with(20, layers + 1), Err(Flaw::CutShort));
        assert!(matches!(with(20, layers - 1), Err(Flaw::NotAModel(_))));
    }

    #[test]
    fn every_cut_is_noticed() {
        let cuts = (0..MODEL.len()).step_by(99_991).chain([3, 4, 47, 60_000, MODEL.len() - 1]);
        for cut in cuts {
            assert_eq!(inspect(&mut &MODEL[..cut]), Err(Flaw::CutShort), "{cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn flipped_bits_in_the_structure_never_panic(at in 0_usize..200_000, bit in 0_u8..8) {
            let mut model = MODEL[..400_000].to_vec();
            model[at] ^= 1 << bit;
            prop_assert!(inspect(&mut model.as_slice()).is_err());
        }
    }
}
