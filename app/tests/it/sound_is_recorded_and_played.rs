//! What is said into a microphone is understood, and what is played is heard; devices come and go.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::sound_server::{Server, clip, samples_of, until, wav};

#[test]
fn what_is_said_into_a_microphone_is_understood_and_heard_from_a_speaker() {
    let server = Server::start();
    let spoken = "Meet me at the station at eleven.";
    // Silence behind it: what is said last is on its way for a while.
    let mut samples = samples_of("ok_01.wav");
    samples.resize(samples.len() + 16_000 * 2 * 2, 0);
    std::fs::write(server.path("said.wav"), wav(16_000, &samples)).unwrap();

    let recorded = server.path("note.ogg");
    let mut recorder = server.command(env!("CARGO_BIN_EXE_kith"));
    recorder.args(["--json", "record", recorded.to_str().unwrap()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut recorder = recorder.spawn().unwrap();
    until("a listener at the microphone", || server.listeners() > 0);
    let said = server.command("paplay").args(["--device=wire"]).arg(server.path("said.wav")).status().unwrap();
    assert!(said.success());
    recorder.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = recorder.wait_with_output().unwrap();
    assert!(output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["duration_ms"].as_u64().unwrap() > 2_000, "{told}");
    assert_eq!(server.words(&recorded), spoken);

    let ear = server.ear();
    let played = server.kith(&["play", recorded.to_str().unwrap()]);
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    // What was played last is on its way to the ear.
    assert_eq!(ear.words_after(told["duration_ms"].as_u64().unwrap()), spoken);
}

#[test]
fn a_microphone_that_goes_away_keeps_what_was_said_and_another_takes_over() {
    let server = Server::start();
    let recorded = server.path("note.ogg");
    let mut recorder = server.command(env!("CARGO_BIN_EXE_kith"));
    recorder.args(["--json", "record", recorded.to_str().unwrap()]);
    recorder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut recorder = recorder.spawn().unwrap();
    until("a listener at the microphone", || server.listeners() > 0);
    assert!(server.command("paplay").arg("--device=wire").arg(clip()).status().unwrap().success());
    assert!(server.control(&["unload-module", "module-virtual-source"]).status.success());
    until("a listener at the next microphone", || server.listeners() > 0);
    recorder.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = recorder.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::metadata(&recorded).unwrap().len() > 1_000);
}

#[test]
fn a_microphone_that_is_not_there_has_another_in_its_place_until_it_is() {
    let server = Server::start();
    let plug = ["load-module", "module-virtual-source", "source_name=headset", "master=wire.monitor"];
    // What the headset is called here, from when it was plugged in once.
    let plugged = String::from_utf8(server.control(&plug).stdout).unwrap();
    let shown = server.kith(&["--json", "sound"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let devices = shown.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids = devices.filter(|device| device["direction"] == "microphone").map(|device| device["id"].clone());
    let id = ids.filter_map(|id| id.as_str().map(str::to_owned)).find(|id| id.contains("headset")).expect(&shown);
    assert!(server.control(&["unload-module", plugged.trim()]).status.success());

    let recorded = server.path("note.ogg");
    let mut recorder = server.command(env!("CARGO_BIN_EXE_kith"));
    recorder.args(["--json", "record", "--device", &id, recorded.to_str().unwrap()]);
    recorder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut recorder = recorder.spawn().unwrap();
    until("a listener at the other microphone", || server.listens_to("microphone"));
    assert!(server.command("paplay").arg("--device=wire").arg(clip()).status().unwrap().success());
    assert!(server.control(&plug).status.success());
    until("a listener at the headset", || server.listens_to("headset"));
    recorder.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = recorder.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("the microphone that you chose is not there"), "{said}");
    assert_eq!(server.words(&recorded), "Meet me at the station at eleven.");
}

#[test]
fn without_a_sound_server_a_sentence_says_so() {
    let room = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.env("PULSE_SERVER", format!("unix:{}", room.path().join("nothing").display()));
    command.env("HOME", room.path()).env("XDG_RUNTIME_DIR", room.path()).stdin(Stdio::null());
    let output = command.args(["--json", "record", "note.ogg"]).current_dir(room.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    // ALSA, which is tried next, has a library that writes to the terminal, if it is left to itself.
    let said = String::from_utf8(output.stderr).unwrap();
    let told: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("more than one line: {said}"));
    // What ALSA answers depends on what is installed.
    let codes = ["no_sound_system", "no_microphone", "sound_gone", "sound_device"];
    assert!(codes.iter().any(|code| told["error"]["code"] == *code), "{said}");
    assert!(!room.path().join("note.ogg").exists());
}
