//! What works without a relay and without an account.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn kith(profile: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.stdin(Stdio::null()).arg("--profile").arg(profile).env("KITH_MODELS", assets("models"));
    for name in ["KITH_PROFILE", "KITH_PASSWORD_FILE", "KITH_PASSPHRASE_FILE", "KITH_RELAY", "KITH_LISTEN"] {
        command.env_remove(name);
    }
    command
}

fn assets(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets").join(below)
}

fn run(profile: &Path, arguments: &[&str]) -> Output {
    kith(profile).args(arguments).output().unwrap()
}

fn error(output: &Output) -> Value {
    serde_json::from_slice::<Value>(&output.stderr).unwrap()["error"].clone()
}

#[test]
fn wrong_arguments_exit_with_two() {
    let directory = TempDir::new().unwrap();
    for arguments in [&["sned"][..], &["send"], &["send", "bob"], &["history", "bob", "--limit", "0"]] {
        let output = run(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn without_a_display_the_window_says_so_and_the_rest_works() {
    let directory = TempDir::new().unwrap();
    let mut command = kith(directory.path());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("kith: there is no display") && said.contains("kith --help"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn without_an_account_every_command_says_how_to_get_one() {
    let directory = TempDir::new().unwrap();
    let profile = directory.path().join("nobody");
    for arguments in [&["whoami"][..], &["status"], &["send", "bob", "hello"], &["chat", "bob"], &["listen"], &["run"]]
    {
        let output = run(&profile, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("kith: there is no account in "), "{said}");
        assert!(said.contains("kith register"));
        assert_eq!(said.lines().count(), 1);
    }
    assert!(!profile.exists(), "looking for an account must not make a directory");
}

#[test]
fn an_error_for_programs_has_a_code() {
    let directory = TempDir::new().unwrap();
    let output = run(directory.path(), &["--json", "whoami"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(error(&output)["code"], "no_profile");
    assert!(output.stdout.is_empty());
    assert_eq!(error(&run(directory.path(), &["--json", "stop"]))["code"], "not_running");
}

#[test]
fn without_a_terminal_a_password_has_to_come_from_a_file() {
    let directory = TempDir::new().unwrap();
    let relay = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
    let profile = directory.path().join("alice");
    let output = run(&profile, &["--json", "register", "alice", "--relay", relay]);
    assert_eq!(error(&output)["code"], "no_terminal");
    let output = run(&profile, &["--json", "--password-file", "/nowhere", "register", "alice", "--relay", relay]);
    assert_eq!(error(&output)["code"], "password_file");
}

#[test]
fn a_file_is_transcribed_without_an_account() {
    let directory = TempDir::new().unwrap();
    let notes = std::fs::read_to_string(assets("demo/notes.tsv")).unwrap();
    let (file, spoken) = notes.lines().next().unwrap().split_once('\t').unwrap();
    let file = assets("demo").join(file);
    let output = run(directory.path(), &["--json", "transcribe", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let transcript: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(transcript["text"], spoken);
    assert_eq!(transcript["message"], Value::Null);
    assert!(transcript["segments"].as_array().is_some_and(|segments| !segments.is_empty()));

    let output = run(directory.path(), &["transcribe", file.to_str().unwrap()]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{spoken}\n"));
}

#[test]
fn what_is_no_sound_is_an_error_and_not_a_transcript() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("letter.wav");
    std::fs::write(&file, "this is a letter").unwrap();
    let output = run(directory.path(), &["--json", "transcribe", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), &error(&output)["code"]), (Some(1), &Value::from("sound")));
    let output = run(directory.path(), &["--json", "transcribe", "/nowhere.wav"]);
    assert_eq!((output.status.code(), &error(&output)["code"]), (Some(1), &Value::from("file")));
}
