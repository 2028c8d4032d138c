//! `kith transcribe` and `kith models`: without a profile, for files of every kind, and with a sentence for those that are none.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn kith(models: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.stdin(Stdio::null()).arg("--profile").arg("/nowhere/at/all").arg("--models").arg(models);
    command.args(arguments).output().unwrap()
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn models() -> PathBuf {
    file("assets/models")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn files_of_every_kind_become_the_same_text() {
    let sound = |name: &str| file("core/tests/fixtures/sound").join(name);
    let mut files = vec![file("core/tests/clips/ok_01.wav")];
    files.extend(["said.mp3", "said.m4a", "said.aac", "said.flac", "said.opus"].map(sound));
    let mut arguments = vec!["transcribe", "--json"];
    arguments.extend(files.iter().map(|file| text(file)));
    let output = said(&kith(&models(), &arguments));
    let transcripts: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(transcripts.len(), files.len());
    for (transcript, file) in transcripts.iter().zip(&files) {
        assert_eq!(transcript["text"], "Meet me at the station at eleven.", "{}", file.display());
        let words = transcript["segments"][0]["words"].as_array().unwrap();
        assert_eq!((words.len(), words[6]["text"].as_str()), (7, Some("eleven.")));
    }
    let srt = said(&kith(&models(), &["transcribe", "--srt", text(&files[1])]));
    assert!(srt.starts_with("1\n00:00:00,") && srt.contains(" --> 00:00:0"), "{srt}");
    let vtt = said(&kith(&models(), &["transcribe", "--vtt", text(&files[1])]));
    assert!(vtt.starts_with("WEBVTT\n\n00:00:00."), "{vtt}");
}

#[test]
fn what_is_no_speech_is_told_in_a_sentence_and_the_other_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let clip = std::fs::read(file("core/tests/clips/ok_03.wav")).unwrap();
    let flac = std::fs::read(file("core/tests/fixtures/sound/said.flac")).unwrap();
    let wrong = [
        (put("empty.mp3", b""), "empty"),
        (put("page.mp3", b"<!DOCTYPE html><title>Not found</title>"), "not a sound file"),
        (put("cut.wav", &clip[..clip.len() / 2]), "cut short"),
        (put("cut.flac", &flac[..flac.len() / 2]), ""),
        (folder.path().join("nowhere.wav"), "cannot be read"),
    ];
    for (path, sentence) in &wrong {
        let output = kith(&models(), &["transcribe", text(path), "--json"]);
        assert_eq!(output.status.code(), Some(1), "{}", path.display());
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        let (code, message) = (error["error"]["code"].as_str().unwrap(), error["error"]["message"].as_str().unwrap());
        assert_eq!(code, if path.exists() { "sound" } else { "file" });
        assert!(message.contains(sentence) && message.contains(text(path)), "{message}");
    }
    let good = put("good.wav", &clip);
    let output = kith(&models(), &["transcribe", text(&wrong[0].0), text(&good)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("The relay is offline."));

    let klingon = kith(&models(), &["transcribe", text(&good), "--language", "klingon"]);
    assert!(String::from_utf8_lossy(&klingon.stderr).contains("knows no language"));
    let translated = kith(&models(), &["transcribe", text(&good), "--translate"]);
    assert!(String::from_utf8_lossy(&translated.stderr).contains("cannot translate"));
    let absent = kith(&models(), &["transcribe", text(&good), "--model", "large-v3"]);
    assert!(String::from_utf8_lossy(&absent.stderr).contains("kith models list"));
    let named = models().join("ggml-kith-test.en.bin");
    assert_eq!(
        said(&kith(&models(), &["transcribe", text(&good), "--model", text(&named)])),
        "The relay is offline.\n"
    );
}

#[test]
fn models_of_speech_are_listed_imported_measured_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let list = said(&kith(&models(), &["models", "list"]));
    assert!(list.contains("comes with Kith") && list.contains("not for human speech"), "{list}");
    assert!(list.contains("large-v3-turbo") && list.contains("silero"), "{list}");
    let given = models().join("ggml-kith-test.en.bin");
    assert!(said(&kith(folder.path(), &["models", "import", text(&given)])).contains("comes with Kith"));
    let measured = said(&kith(folder.path(), &["models", "bench", "kith-test.en", "--json"]));
    let measured: Value = serde_json::from_str(&measured).unwrap();
    assert!(measured["speed_percent"].as_u64() > Some(1), "{measured}");
    assert!(said(&kith(folder.path(), &["models", "list"])).contains("x the speed of speech"));
    for (arguments, sentence) in [
        (&["models", "delete", "kith-test.en"][..], "comes with Kith"),
        (&["models", "download", "kith-test.en"], "comes with Kith"),
        (&["models", "download", "nonsense"], "knows no speech model"),
        (&["models", "import", text(&file("Cargo.toml"))], "not one of the known speech models"),
        (&["models", "list", "--mirror", "ftp://a"], "not an address of a mirror"),
    ] {
        let output = kith(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(sentence), "{told}");
    }
    said(&kith(folder.path(), &["models", "delete", "tiny"]));
    said(&kith(folder.path(), &["models", "pause", "tiny"]));
}
