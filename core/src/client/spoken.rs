//! Transcripts: as they are kept here, as they are shown, as they travel, and mended.
//!
//! Pure. What is kept is small: of each word only where it begins, so that an hour of speech takes less than 256 KiB.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::speech::Transcript;
use crate::types::ContentId;
use crate::wire::codec::Body;
use crate::wire::control::{self, Spoken, SpokenSegment, SpokenWord};
use crate::wire::message::{self, MAX_LANGUAGE, MAX_MODEL_NAME, MAX_SEGMENTS, TranscriptSegment};

/// Of a longer transcript a message shows the beginning: so many words, some four minutes.
const SHOWN_WORDS: usize = 600;

/// The most words of a page of messages that are told with their times: about 4 MB of JSON.
const PAGE_WORDS: usize = 60_000;

/// A transcript as it is kept.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "m")]
    pub(super) model: String,
    #[serde(rename = "l")]
    pub(super) language: String,
    #[serde(rename = "e", default)]
    pub(super) translated: bool,
    #[serde(rename = "h", default)]
    pub(super) edited: bool,
    #[serde(rename = "s")]
    pub(super) segments: Vec<KeptSegment>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptSegment {
    #[serde(rename = "b")]
    start_ms: u64,
    #[serde(rename = "e")]
    end_ms: u64,
    /// Empty where nobody knows what is said.
    #[serde(rename = "t")]
    text: String,
    #[serde(rename = "c")]
    confidence: f32,
    /// Where each word begins, in hundredths of a second after the segment's begin.
    #[serde(rename = "w", default)]
    words: Vec<u16>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("segments", &self.segments.len()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for KeptSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptSegment").field("start_ms", &self.start_ms).finish_non_exhaustive()
    }
}

impl Kept {
    /// What was heard just now.
    pub(super) fn of(transcript: &Transcript) -> Self {
        let segment = |segment: &crate::speech::Segment| {
            let start_ms = milliseconds(segment.start);
            let fits = message::words(&segment.text).count() == segment.words.len();
            let begin = |word: &crate::speech::Word| after(start_ms, milliseconds(word.start));
            KeptSegment {
                start_ms,
                end_ms: milliseconds(segment.end),
                text: segment.text.clone(),
                confidence: segment.confidence,
                words: if fits { segment.words.iter().map(begin).collect() } else { Vec::new() },
            }
        };
        Self {
            model: transcript.model.clone(),
            language: transcript.language.clone(),
            translated: transcript.translated,
            edited: false,
            segments: transcript.segments.iter().map(segment).collect(),
        }
    }

    /// What an author says of a note of theirs.
    pub(super) fn attached(transcript: &message::Transcript) -> Self {
        let segment = |segment: &TranscriptSegment| {
            let words = segment.words.chunks_exact(2).filter_map(|pair| Some(u16::from_be_bytes(*pair.first_chunk()?)));
            let words: Vec<u16> = words.collect();
            let fits = message::words(&segment.text).count() == words.len();
            KeptSegment {
                start_ms: segment.start_ms.into(),
                end_ms: segment.end_ms.max(segment.start_ms).into(),
                text: segment.text.trim().to_owned(),
                confidence: 1.0,
                words: if fits { words } else { Vec::new() },
            }
        };
        Self {
            model: transcript.model.clone(),
            language: transcript.language.clone(),
            translated: transcript.translated,
            edited: transcript.edited,
            segments: transcript.segments.iter().map(segment).collect(),
        }
    }

    /// For others. What does not fit loses the times of its words, which are a third of it.
    pub(super) fn to_attach(&self, of: ContentId) -> message::Transcript {
        let number = |ms: u64| u32::try_from(ms).unwrap_or(u32::MAX);
        let segment = |segment: &KeptSegment| TranscriptSegment {
            start_ms: number(segment.start_ms),
            end_ms: number(segment.end_ms),
            text: segment.text.clone(),
            words: segment.words.iter().flat_map(|begin| begin.to_be_bytes()).collect(),
        };
        let mut transcript = message::Transcript {
            of,
            language: short(&self.language, MAX_LANGUAGE),
            model: short(&self.model, MAX_MODEL_NAME),
            translated: self.translated,
            edited: self.edited,
            segments: self.segments.iter().take(MAX_SEGMENTS).map(segment).collect(),
        };
        if transcript.encode().len() > message::Transcript::MAX_BYTES {
            transcript.segments.iter_mut().for_each(|segment| segment.words.clear());
        }
        transcript
    }

    /// As bytes to keep.
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What was kept, by this Kith or one before it, which kept what it showed.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        if let Ok(kept) = serde_json::from_slice(bytes) {
            return Some(kept);
        }
        let shown: control::Transcript = serde_json::from_slice(bytes).ok()?;
        let segment = |segment: control::Segment| KeptSegment {
            start_ms: segment.start_ms,
            end_ms: segment.end_ms,
            text: segment.text,
            confidence: segment.confidence,
            words: Vec::new(),
        };
        let segments = shown.segments.into_iter().map(segment).collect();
        Some(Self { model: shown.model, language: shown.language, segments, ..Self::default() })
    }

    /// All words in one line.
    pub(super) fn text(&self) -> String {
        let heard = self.segments.iter().filter(|segment| !segment.text.is_empty());
        heard.map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The words that are shown with a message, in one line.
    pub(super) fn beginning(&self) -> String {
        let shown = self.shown();
        let heard = shown.iter().filter(|segment| !segment.text.is_empty());
        heard.map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The segments that are shown with a message.
    fn shown(&self) -> &[KeptSegment] {
        let mut left = SHOWN_WORDS;
        let fits = |segment: &&KeptSegment| {
            let before = left;
            left = left.saturating_sub(message::words(&segment.text).count().max(1));
            before > 0
        };
        let shown = self.segments.iter().take_while(fits).count();
        self.segments.get(..shown).unwrap_or_default()
    }

    /// Every word and where it begins, in milliseconds; where that is not known, where its segment does.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, u64)> {
        self.segments.iter().flat_map(|segment| {
            let begins = segment.words.iter().map(|begin| segment.start_ms.saturating_add(u64::from(*begin) * 10));
            message::words(&segment.text).zip(begins.chain(std::iter::repeat(segment.start_ms)))
        })
    }

    /// As it is shown with its message.
    pub(super) fn spoken(&self, source: &str) -> Spoken {
        let segments: Vec<SpokenSegment> = self.shown().iter().map(KeptSegment::shown).collect();
        Spoken {
            source: source.to_owned(),
            cut: segments.len() < self.segments.len(),
            segments,
            language: self.language.clone(),
            translated: self.translated,
            model: self.model.clone(),
            edited: self.edited,
        }
    }

    /// As an answer to a request.
    pub(super) fn transcript(&self, message: Option<String>, source: &str) -> control::Transcript {
        let segment = |segment: &KeptSegment| {
            let SpokenSegment { start_ms, end_ms, text, inaudible, words } = segment.shown();
            control::Segment { start_ms, end_ms, text, confidence: segment.confidence, inaudible, words }
        };
        control::Transcript {
            message,
            text: self.text(),
            segments: self.segments.iter().map(segment).collect(),
            model: self.model.clone(),
            language: self.language.clone(),
            translated: self.translated,
            source: source.to_owned(),
            edited: self.edited,
        }
    }

    /// The same with other words. Words at the beginning and the end that stay keep their times, and those between share what lies
    /// between. A line is a segment if there are as many lines as segments with words.
    pub(super) fn mended(&self, text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let heard = self.segments.iter().filter(|segment| !segment.text.is_empty()).count();
        let mut segments = Vec::new();
        if lines.len() == heard {
            let mut lines = lines.into_iter();
            for segment in &self.segments {
                match segment.text.is_empty() {
                    true => segments.push(segment.clone()),
                    false => segments.extend(lines.next().map(|line| segment.mended(line))),
                }
            }
        } else {
            let whole = KeptSegment {
                start_ms: self.segments.first().map_or(0, |segment| segment.start_ms),
                end_ms: self.segments.last().map_or(0, |segment| segment.end_ms),
                text: self.text(),
                confidence: 1.0,
                words: Vec::new(),
            };
            segments.push(KeptSegment { text: lines.join(" "), ..whole });
        }
        Self { segments, edited: true, ..self.clone() }
    }
}

impl KeptSegment {
    fn shown(&self) -> SpokenSegment {
        let begins: Vec<u64> = self
            .words
            .iter()
            .map(|begin| self.start_ms.saturating_add(u64::from(*begin) * 10).min(self.end_ms))
            .collect();
        let ends = begins.iter().copied().skip(1).chain(std::iter::once(self.end_ms));
        let words = message::words(&self.text).zip(begins.iter().zip(ends)).map(|(text, (start_ms, end_ms))| {
            SpokenWord { start_ms: *start_ms, end_ms: end_ms.max(*start_ms), text: text.to_owned() }
        });
        SpokenSegment {
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            text: self.text.clone(),
            inaudible: self.text.is_empty(),
            words: words.collect(),
        }
    }

    fn mended(&self, line: &str) -> Self {
        let old: Vec<&str> = message::words(&self.text).collect();
        let new: Vec<&str> = message::words(line).collect();
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let most = old.len().min(new.len()).saturating_sub(same);
        let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
        let words = (self.words.len() == old.len()).then(|| {
            let begin_of = |index: usize| self.words.get(index).copied();
            let length = after(self.start_ms, self.end_ms);
            let from = begin_of(same).unwrap_or(length);
            let to = begin_of(old.len().saturating_sub(tail)).unwrap_or(length).max(from);
            let between = new.len().saturating_sub(same).saturating_sub(tail);
            let step = |index: usize| u32::from(to.saturating_sub(from)) * index as u32 / between.max(1) as u32;
            let middle = (0..between).map(|index| from.saturating_add(u16::try_from(step(index)).unwrap_or(u16::MAX)));
            let head = self.words.iter().copied().take(same);
            let end = self.words.iter().copied().skip(old.len().saturating_sub(tail));
            head.chain(middle).chain(end).collect()
        });
        Self { text: line.to_owned(), confidence: 1.0, words: words.unwrap_or_default(), ..self.clone() }
    }
}

/// Keeps a page of messages within a line of the control socket: beyond so many words only the newest are told with their times.
pub(super) fn bound(messages: &mut [control::Message]) {
    let mut left = PAGE_WORDS;
    for spoken in messages.iter_mut().rev().filter_map(|message| message.spoken.as_mut()) {
        let words: usize = spoken.segments.iter().map(|segment| segment.words.len().max(1)).sum();
        match left.checked_sub(words) {
            Some(rest) => left = rest,
            None => {
                spoken.segments.clear();
                spoken.cut = true;
            }
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// So long after, in hundredths of a second.
fn after(start_ms: u64, ms: u64) -> u16 {
    u16::try_from(ms.saturating_sub(start_ms) / 10).unwrap_or(u16::MAX)
}

/// The beginning of a text, in bytes.
fn short(text: &str, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{DeviceId, FeedId, Incarnation};

    fn segment(start_ms: u64, end_ms: u64, text: &str, words: &[u16]) -> KeptSegment {
        KeptSegment { start_ms, end_ms, text: text.to_owned(), confidence: 0.9, words: words.to_vec() }
    }

    fn kept() -> Kept {
        let segments = vec![
            segment(1000, 3000, "Meet me at eight.", &[0, 40, 80, 120]),
            segment(3000, 4000, "", &[]),
            segment(5000, 6000, "Bring bread.", &[0, 50]),
        ];
        Kept { model: "m".into(), language: "en".into(), segments, ..Kept::default() }
    }

    fn place() -> ContentId {
        let feed = FeedId { device: DeviceId::new([3; 32]), incarnation: Incarnation::new([4; 8]) };
        ContentId { feed, sequence: 17 }
    }

    #[test]
    fn a_transcript_survives_being_kept_and_being_attached() {
        assert_eq!(Kept::decode(&kept().encode()), Some(kept()));
        let attached = message::Transcript::decode(&kept().to_attach(place()).encode()).unwrap();
        let back = Kept::attached(&attached);
        assert_eq!(back.text(), kept().text());
        assert_eq!(back.words().collect::<Vec<_>>(), kept().words().collect::<Vec<_>>());
        assert_eq!(back.spoken("sender").segments, kept().spoken("mine").segments);
    }

    #[test]
    fn what_was_kept_before_is_read() {
        let old = br#"{"message":"a","text":"Hi.","segments":[{"start_ms":5,"end_ms":9,"text":"Hi.","confidence":0.5}],"model":"m","language":"en"}"#;
        let kept = Kept::decode(old).unwrap();
        assert_eq!((kept.text().as_str(), kept.spoken("mine").segments[0].start_ms), ("Hi.", 5));
        assert_eq!(Kept::decode(b"nonsense"), None);
    }

    #[test]
    fn words_are_shown_with_their_times_and_what_is_inaudible_as_such() {
        let spoken = kept().spoken("mine");
        let first = &spoken.segments[0];
        let times: Vec<_> = first.words.iter().map(|word| (word.text.as_str(), word.start_ms, word.end_ms)).collect();
        assert_eq!(times, [("Meet", 1000, 1400), ("me", 1400, 1800), ("at", 1800, 2200), ("eight.", 2200, 3000)]);
        assert!(spoken.segments[1].inaudible && spoken.segments[1].words.is_empty());
        assert_eq!(kept().text(), "Meet me at eight. Bring bread.");
        let long = Kept { segments: vec![segment(0, 1, "a b c", &[]); 1000], ..kept() };
        assert!(long.spoken("mine").cut && long.spoken("mine").segments.len() == 200);
    }

    #[test]
    fn mended_words_stand_where_the_wrong_ones_stood() {
        let mended = kept().mended("Meet Bob and Eve at eight.\nBring bread.");
        assert!(mended.edited);
        let words: Vec<_> = mended.words().collect();
        assert_eq!(
            words,
            [
                ("Meet", 1000),
                ("Bob", 1400),
                ("and", 1530),
                ("Eve", 1660),
                ("at", 1800),
                ("eight.", 2200),
                ("Bring", 5000),
                ("bread.", 5500)
            ]
        );
        let one_line = kept().mended("Something else");
        assert_eq!((one_line.text().as_str(), one_line.segments.len()), ("Something else", 1));
        let shown = one_line.spoken("mine");
        assert_eq!((shown.segments[0].start_ms, shown.segments[0].end_ms), (1000, 6000));
    }

    #[test]
    fn an_hour_of_speech_fits_with_the_times_of_its_words() {
        let line = segment(3_599_000, 3_600_000, "nine words of about five letters each here now", &[500; 9]);
        let hour = Kept { segments: vec![line; 1000], ..kept() };
        assert!(hour.encode().len() < 256 * 1024, "{}", hour.encode().len());
        let attached = hour.to_attach(place());
        assert!(attached.encode().len() <= message::Transcript::MAX_BYTES, "{}", attached.encode().len());
    }

    #[test]
    fn nonsense_from_others_is_shown_without_times() {
        let odd = TranscriptSegment { start_ms: 9, end_ms: 3, text: " two words ".into(), words: vec![1, 2, 3] };
        let transcript = message::Transcript { segments: vec![odd], ..kept().to_attach(place()) };
        let shown = Kept::attached(&transcript).spoken("sender");
        assert_eq!((shown.segments[0].end_ms, shown.segments[0].words.len()), (9, 0));
        assert_eq!(shown.segments[0].text, "two words");
    }
}
