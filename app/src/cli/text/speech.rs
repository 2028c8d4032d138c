//! What was said: transcripts, subtitles, and the models that hear it.

use std::path::Path;

use kith_core::wire::control::{Segment, SpeechModel, Transcript};

use super::{INAUDIBLE, NO_SPEECH, NOT_UNDERSTOOD, plain, table};

/// What was said, and where somebody spoke and nobody knows what.
pub(crate) fn transcript(transcript: &Transcript) -> String {
    let words = |segment: &Segment| if segment.inaudible { INAUDIBLE.to_owned() } else { segment.text.clone() };
    match transcript.text.is_empty() {
        true if transcript.segments.is_empty() => NO_SPEECH.to_owned(),
        true => NOT_UNDERSTOOD.to_owned(),
        false => transcript.segments.iter().map(words).collect::<Vec<_>>().join(" "),
    }
}

/// The list of models.
pub(crate) fn models(models: &[SpeechModel]) -> String {
    let rows = models.iter().map(|model| {
        let languages = if model.languages.is_empty() { "all".to_owned() } else { model.languages.join(" ") };
        let speed = model.speed_percent.map(speed).unwrap_or_default();
        let row = [&model.name, &state(model), &size(model.size_bytes), &languages, &speed, &model.about];
        row.map(String::clone).to_vec()
    });
    table(rows.collect())
}

/// One model.
pub(crate) fn model(model: &SpeechModel) -> String {
    let speed = model.speed_percent.map(|percent| format!(", {}", speed(percent))).unwrap_or_default();
    format!(
        "{}: {}, {}, about {} of memory{speed}. {}",
        model.name,
        state(model),
        size(model.size_bytes),
        size(model.memory_bytes),
        model.about
    )
}

fn state(model: &SpeechModel) -> String {
    match model.state.as_str() {
        "built_in" => "comes with Kith".to_owned(),
        "paused" | "downloading" => {
            format!("{} {} %", model.state, model.have_bytes.saturating_mul(100) / model.size_bytes.max(1))
        }
        "missing" => "not here".to_owned(),
        state => state.to_owned(),
    }
}

fn speed(percent: u32) -> String {
    format!("{}.{} x the speed of speech", percent / 100, percent % 100 / 10)
}

/// `142 MB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

/// How far a download is, for a line that is written over.
pub(crate) fn downloading(name: &str, have: u64, whole: u64) -> String {
    let percent = have.saturating_mul(100) / whole.max(1);
    let bars = usize::try_from(percent.min(100) / 5).unwrap_or_default();
    format!("{name} [{}{}] {percent:3} % of {}", "#".repeat(bars), ".".repeat(20 - bars), size(whole))
}

/// Of one of several files.
pub(crate) fn transcript_of(file: &Path, shown: &Transcript) -> String {
    format!("{}: {}", file.display(), transcript(shown))
}

/// Subtitles in SubRip form.
pub(crate) fn srt(transcript: &Transcript) -> String {
    let cue = |(number, segment): (usize, &Segment)| {
        let (start, end) = (cue_time(segment.start_ms, ','), cue_time(segment.end_ms, ','));
        format!("{}\n{start} --> {end}\n{}\n", number + 1, cue_text(segment))
    };
    transcript.segments.iter().enumerate().map(cue).collect::<Vec<_>>().join("\n")
}

/// Subtitles in WebVTT form.
pub(crate) fn vtt(transcript: &Transcript) -> String {
    let cue = |segment: &Segment| {
        let (start, end) = (cue_time(segment.start_ms, '.'), cue_time(segment.end_ms, '.'));
        // These three signs begin something else there.
        let text = cue_text(segment).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("\n{start} --> {end}\n{text}\n")
    };
    format!("WEBVTT\n{}", transcript.segments.iter().map(cue).collect::<String>())
}

fn cue_text(segment: &Segment) -> String {
    if segment.inaudible { INAUDIBLE.to_owned() } else { segment.text.clone() }
}

/// `01:02:03,456`.
fn cue_time(milliseconds: u64, point: char) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{point}{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// How far a file was listened to, for a line that is written over.
pub(crate) fn listening(file: &Path, percent: u8) -> String {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bars = usize::from(percent.min(100)) / 5;
    format!("{} [{}{}] {percent:3} %", plain(&name), "#".repeat(bars), ".".repeat(20 - bars))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtitles_have_their_forms() {
        let segment = |start_ms, end_ms, text: &str| Segment {
            start_ms,
            end_ms,
            text: text.into(),
            confidence: 1.0,
            inaudible: text.is_empty(),
            words: Vec::new(),
        };
        let mut shown = Transcript {
            message: None,
            text: "a < b".into(),
            segments: vec![segment(0, 900, "a < b"), segment(3_723_004, 3_724_000, "")],
            model: "m".into(),
            language: "en".into(),
            translated: false,
            source: "mine".into(),
            edited: false,
        };
        assert_eq!(
            srt(&shown),
            "1\n00:00:00,000 --> 00:00:00,900\na < b\n\n2\n01:02:03,004 --> 01:02:04,000\n[inaudible]\n"
        );
        assert_eq!(
            vtt(&shown),
            "WEBVTT\n\n00:00:00.000 --> 00:00:00.900\na &lt; b\n\n01:02:03.004 --> 01:02:04.000\n[inaudible]\n"
        );
        assert_eq!(transcript(&shown), "a < b [inaudible]");
        shown.text = String::new();
        shown.segments.remove(0);
        assert_eq!(transcript(&shown), NOT_UNDERSTOOD);
        shown.segments.clear();
        assert_eq!(transcript(&shown), NO_SPEECH);
        assert_eq!(listening(Path::new("/a/talk.mp3"), 40), "talk.mp3 [########............]  40 %");
    }
}
