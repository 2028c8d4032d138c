//! Voice notes are ordinary Ogg Opus files: other programs read ours without complaint, and we read theirs.
//!
//! The programs are `opusenc`, `opusdec` and `opusinfo` (package `opus-tools`) and `ffmpeg`: without them these tests fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kith_core::voice::{MAX_NOTE_BYTES, OPUS_RATE, Pcm, decode_note, encode_note, wav};

/// Runs one of the programs; `package` is what to install where it is missing.
fn run(package: &str, program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be run ({error}): install the package {package}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn clip(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clips").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A WAV file by ffmpeg: 1.5 s of a sweep with a changing loudness.
fn recording(folder: &Path, rate: u32, channels: u32, codec: &str) -> PathBuf {
    let path = folder.join(format!("{rate}-{channels}-{codec}.wav"));
    let sound = "aevalsrc='0.4*sin(2*PI*(300+400*t)*t)*(0.6+0.4*sin(20*t))':s=192000:d=1.5";
    let (rate, channels) = (rate.to_string(), channels.to_string());
    run(
        "ffmpeg",
        "ffmpeg",
        &["-v", "error", "-f", "lavfi", "-i", sound, "-ar", &rate, "-ac", &channels, "-c:a", codec, text(&path)],
    );
    path
}

fn at_48_khz(pcm: &Pcm) -> Vec<f32> {
    pcm.at_rate(OPUS_RATE).expect("a rate that is served").samples
}

/// How alike two sounds are: 1 for the same shape, 0 for nothing in common.
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    sum(a, b) / (sum(a, a) * sum(b, b)).sqrt()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|sample| f32::from_le_bytes(sample.try_into().expect("four bytes"))).collect()
}

#[test]
fn wav_files_of_every_rate_and_width_by_ffmpeg_become_notes() {
    let folder = tempfile::tempdir().expect("a folder");
    let reference = std::fs::read(recording(folder.path(), 192_000, 1, "pcm_f32le")).expect("a file");
    let expected = decode_note(&encode_note(&reference).expect("a note").ogg).expect("our own note").samples;
    for (rate, channels, codec) in [
        (8_000, 1, "pcm_s16le"),
        (11_025, 1, "pcm_u8"),
        (16_000, 2, "pcm_s16le"),
        (22_050, 1, "pcm_s24le"),
        (44_100, 2, "pcm_s16le"),
        (44_100, 6, "pcm_s16le"),
        (48_000, 2, "pcm_s32le"),
        (96_000, 1, "pcm_f32le"),
        (192_000, 2, "pcm_f64le"),
    ] {
        let file = std::fs::read(recording(folder.path(), rate, channels, codec)).expect("a file");
        let note = encode_note(&file).unwrap_or_else(|error| panic!("{rate} Hz {codec}: {error}"));
        let sound = decode_note(&note.ogg).expect("our own note");
        assert!(sound.samples.len().abs_diff(72_000) <= 48, "{rate} Hz: {} samples", sound.samples.len());
        let likeness = likeness(&sound.samples, &expected);
        assert!(likeness > 0.97, "{rate} Hz, {channels} channels, {codec}: {likeness}");
    }
}

#[test]
fn opusinfo_finds_nothing_to_warn_about_in_our_notes() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["ok_01.wav", "ok_03.wav", "fair_05.wav"] {
        let note = encode_note(&std::fs::read(clip(name)).expect("a clip")).expect("a note");
        let path = folder.path().join("note.opus");
        std::fs::write(&path, &note.ogg).expect("a file");
        let output = run("opus-tools", "opusinfo", &[text(&path)]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!said.to_lowercase().contains("warning"), "{said}");
        for fact in ["Encoded with Kith", "Channels: 1", "Pre-skip: 312", "Playback gain: 0 dB", "20.0ms (max)"] {
            assert!(said.contains(fact), "no {fact:?} in {said}");
        }
    }
}

#[test]
fn ffmpeg_and_opusdec_play_our_notes_as_we_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let note = encode_note(&std::fs::read(clip("ok_05.wav")).expect("a clip")).expect("a note");
    let ours = decode_note(&note.ogg).expect("our own note").samples;
    let path = folder.path().join("note.opus");
    std::fs::write(&path, &note.ogg).expect("a file");

    let theirs = folder.path().join("opusdec.raw");
    run("opus-tools", "opusdec", &["--quiet", "--float", "--no-dither", "--rate", "48000", text(&path), text(&theirs)]);
    let theirs = std::fs::read(&theirs).expect("a file");
    // opusdec writes a WAV header unless the name says otherwise.
    let theirs = wav::decode(&theirs).map_or_else(|_| floats(&theirs), |pcm| pcm.samples);
    assert_eq!(theirs.len(), ours.len(), "opusdec");
    assert!(likeness(&theirs, &ours) > 0.999, "opusdec");

    // ffmpeg's own decoder has a filter of its own in front of the speaker; with libopus it plays the same samples.
    for (decoder, alike) in [("libopus", 0.999), ("opus", 0.9)] {
        let arguments = ["-v", "warning", "-c:a", decoder, "-i", text(&path), "-f", "f32le", "-ar", "48000", "-"];
        let theirs = run("ffmpeg", "ffmpeg", &arguments);
        assert!(theirs.stderr.is_empty(), "{}", String::from_utf8_lossy(&theirs.stderr));
        let theirs = floats(&theirs.stdout);
        assert_eq!(theirs.len(), ours.len(), "ffmpeg with {decoder}");
        let likeness = likeness(&theirs, &ours);
        assert!(likeness > alike, "ffmpeg with {decoder}: {likeness}");
    }
}

#[test]
fn notes_by_opusenc_and_ffmpeg_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mono = recording(folder.path(), 48_000, 1, "pcm_s16le");
    let stereo = recording(folder.path(), 44_100, 2, "pcm_s16le");
    let expected = at_48_khz(&wav::decode(&std::fs::read(&mono).expect("a file")).expect("a WAV file"));
    let cases: [(&str, &Path, &[&str]); 6] = [
        ("mono", &mono, &["--bitrate", "24"]),
        ("stereo", &stereo, &["--bitrate", "64"]),
        ("long packets", &mono, &["--bitrate", "24", "--framesize", "60"]),
        ("short packets", &mono, &["--bitrate", "64", "--framesize", "2.5"]),
        ("a packet a page", &mono, &["--bitrate", "24", "--max-delay", "0"]),
        ("constant rate, music", &mono, &["--bitrate", "96", "--hard-cbr", "--music", "--comment", "TITLE=A sweep"]),
    ];
    for (name, source, options) in cases {
        let path = folder.path().join("theirs.opus");
        let arguments = [&["--quiet"], options, &[text(source), text(&path)]].concat();
        run("opus-tools", "opusenc", &arguments);
        check(name, &path, &expected);
    }
    let path = folder.path().join("ffmpeg.opus");
    run("ffmpeg", "ffmpeg", &["-v", "error", "-i", text(&stereo), "-c:a", "libopus", "-b:a", "32k", text(&path)]);
    check("ffmpeg", &path, &expected);
}

fn check(name: &str, path: &Path, expected: &[f32]) {
    let sound = decode_note(&std::fs::read(path).expect("a file")).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(sound.samples.len().abs_diff(72_000) <= 2, "{name}: {} samples", sound.samples.len());
    let likeness = likeness(&sound.samples, expected);
    assert!(likeness > 0.95, "{name}: {likeness}");
}

#[test]
fn the_clips_become_notes_that_fit_in_a_message() {
    for entry in std::fs::read_dir(clip("")).expect("the clips") {
        let path = entry.expect("a clip").path();
        if path.extension().is_some_and(|extension| extension == "wav") {
            let note = encode_note(&std::fs::read(&path).expect("a clip")).expect("a note");
            assert!(note.ogg.len() < MAX_NOTE_BYTES / 4, "{}: {} bytes", path.display(), note.ogg.len());
            assert!(note.peaks.iter().any(|peak| *peak > 20), "{}", path.display());
        }
    }
}
