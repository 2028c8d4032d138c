//! Every word that a person reads, in English. Translations come with the window and replace this module's functions.

use std::fmt::Display;
use std::path::Path;

use super::keychain::Way;
use kith_core::wire::control::{
    Contact, ContactRequest, DeviceInfo, Event, File, Hit, Me, Message, Reach, Segment, SpeechModel, Status,
    Transcript, Transfer,
};

/// While it is recorded, for whoever is at the terminal.
pub(crate) const RECORDING_ENDS: &str = "Recording; Enter ends it.";

pub(crate) const NOTE_TOO_LARGE: &str = "this is too large for a voice note: play it with a program for music";

pub(crate) const NOTE_DAMAGED: &str = "a part of the voice note is damaged and was left out";

/// Minutes and seconds.
fn clock(time: std::time::Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// A recording under way: its length, and how loud it is.
pub(crate) fn recording(duration: std::time::Duration, level: f32) -> String {
    const WIDTH: usize = 20;
    // Loudness is heard in steps of equal ratio: the bar covers 60 dB.
    let loud = ((level.max(1e-6).log10() * 20.0 + 60.0) / 60.0).clamp(0.0, 1.0);
    let filled = (loud * WIDTH as f32).round() as usize;
    format!("{} [{}{}]", clock(duration), "#".repeat(filled), " ".repeat(WIDTH - filled.min(WIDTH)))
}

pub(crate) fn playing(position: std::time::Duration, duration: std::time::Duration) -> String {
    format!("{} / {}", clock(position), clock(duration))
}

pub(crate) fn recorded(file: &Path, duration: std::time::Duration) -> String {
    format!("{} of sound in {}", clock(duration), file.display())
}

pub(crate) fn microphone_lost(problem: &impl Display) -> String {
    format!("{problem}; looking for it, or for another")
}

pub(crate) fn not_written(file: &Path, error: &impl Display) -> String {
    format!("{} cannot be written: {error}", file.display())
}

pub(crate) fn not_read(file: &Path, error: &impl Display) -> String {
    format!("{} cannot be read: {error}", file.display())
}

pub(crate) fn sound_devices(devices: &[super::record::Shown]) -> String {
    let line = |device: &super::record::Shown| {
        let default = if device.default { " (default)" } else { "" };
        format!("{}: {}{default}\n    {}", device.direction, device.name, device.id)
    };
    if devices.is_empty() {
        return "no microphone and no speaker was found".to_owned();
    }
    devices.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What `--help` says.
pub(crate) mod help {
    pub(crate) const ABOUT: &str = "Kith, a messenger for text and voice. Without a command it opens its window.";
    pub(crate) const OPEN: &str = "Open the window; one that is open already comes to the front";
    pub(crate) const LINK: &str = "A link by which somebody is added, once somebody is signed in";
    pub(crate) const FIRST_RELAY: &str = "At a first start: the relay that is suggested";
    pub(crate) const AFTER: &str = "NAME is a contact or a group: a handle, the part before its @ if only one contact has it, a group's name, or an id.\n\
        Passwords are never arguments: they are asked for, or read from files.\n\
        Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 written but not sent yet.";
    pub(crate) const PROFILE: &str = "The directory of the account to use; by default this user's own";
    pub(crate) const JSON: &str = "Print one JSON object a line, for programs";
    pub(crate) const PASSWORD_FILE: &str = "Read the account's password from the first line of this file";
    pub(crate) const PASSPHRASE_FILE: &str =
        "Read the passphrase that unlocks the profile from this file; by default it is the password";
    pub(crate) const MODELS: &str = "Where speech models are";
    pub(crate) const LISTEN_AT: &str =
        "Listen at this address, such as /ip4/0.0.0.0/udp/4101/quic-v1; by default at any free port";
    pub(crate) const NO_MDNS: &str = "Do not look for contacts on the local network";
    pub(crate) const ALWAYS_RELAY: &str = "Never connect directly: contacts do not see this device's address";
    pub(crate) const NO_SYNC: &str = "Do not wait for news from the relay before answering";
    pub(crate) const REGISTER: &str = "Create an account at a relay, or one without a relay";
    pub(crate) const LOGIN: &str = "Use an account on this device too";
    pub(crate) const RECOVER: &str =
        "Get an account back whose password is forgotten, by its recovery code, and set a new password";
    pub(crate) const RECOVERY_FILE: &str = "Read the recovery code from this file instead of asking for it";
    pub(crate) const CHANGE_PASSWORD: &str = "Change the account's password";
    pub(crate) const NEW_PASSWORD_FILE: &str = "Read the new password from the first line of this file";
    pub(crate) const FORGOTTEN: &str = "The old password is forgotten: use the recovery code, which a new one replaces";
    pub(crate) const NEW_CODE: &str = "Make a new recovery code, too; the old one is worth nothing then";
    pub(crate) const HANDLE: &str = "The name at the relay: 3 to 32 of a-z 0-9 . _ -";
    pub(crate) const RELAY: &str = "The relay's address, as its operator hands it out; several with commas between";
    pub(crate) const INVITATION: &str =
        "Read the invitation code from this file, where the relay takes new accounts by invitation only";
    pub(crate) const KEYCHAIN: &str =
        "Keep the key that unlocks the profile in the system's keychain, instead of a passphrase";
    pub(crate) const LOCAL: &str =
        "Without a relay: devices find each other on the local network or at known addresses";
    pub(crate) const DEVICES: &str = "List the account's devices, or remove one";
    pub(crate) const REMOVE_DEVICE: &str =
        "Take another device out of the account: it gets and sends nothing more. This asks for the account's password";
    pub(crate) const DEVICE: &str = "The device's id, or the beginning of it, as `kith devices` shows it";
    pub(crate) const REMOVE_YES: &str = "Do not ask first";
    pub(crate) const WHOAMI: &str = "Show who is signed in";
    pub(crate) const INVITE: &str = "Print the link by which others add this account";
    pub(crate) const STATUS: &str = "Show how the relay and every contact is reached, and why not better";
    pub(crate) const CONTACTS: &str = "List contacts and groups";
    pub(crate) const CHANGE_PASSPHRASE: &str =
        "Change what unlocks the profile on this device; the account's password stays";
    pub(crate) const NEW_PASSPHRASE_FILE: &str = "Read the new passphrase from the first line of this file";
    pub(crate) const NEW_KEY: &str = "A new key in the system's keychain unlocks the profile from now on, instead of a passphrase or of an older key";
    pub(crate) const EXPORT: &str = "Write contacts, messages and voice notes into a new folder of plain files";
    pub(crate) const EXPORT_TO: &str = "The folder: a new one, or an empty one";
    pub(crate) const ERASE: &str =
        "Delete the account's data on this device; the account stays at its relay and on other devices";
    pub(crate) const YES: &str = "Do not ask for the account's name first";
    pub(crate) const REQUESTS: &str = "List who asks for contact";
    pub(crate) const ADD: &str = "Ask somebody for contact";
    pub(crate) const WHOM: &str = "name@relay, a name at one's own relay, or a kith:// link";
    pub(crate) const GREETING: &str = "What to say with it, at most 1 kB";
    pub(crate) const ACCEPT: &str = "Accept a contact request";
    pub(crate) const DECLINE: &str = "Drop a contact request";
    pub(crate) const WHO_ASKED: &str = "Who asked: a handle or an account's id";
    pub(crate) const BLOCK: &str = "Block somebody: nothing comes or goes any more, and they are not told";
    pub(crate) const UNBLOCK: &str = "Take a block back";
    pub(crate) const NAME: &str = "A contact or a group";
    pub(crate) const VERIFY: &str = "Show the safety number of a contact, and note that it was compared";
    pub(crate) const COMPARED: &str = "The number was compared with what the contact's own Kith shows, and is the same";
    pub(crate) const GROUP: &str = "Create a group";
    pub(crate) const GROUP_NAME: &str = "How it is called";
    pub(crate) const MEMBERS: &str = "Contacts to add";
    pub(crate) const SEND: &str = "Send a text or a voice note";
    pub(crate) const TEXT_OR_STDIN: &str = "The text; - reads it from standard input";
    pub(crate) const VOICE: &str = "Send this sound file as a voice note";
    pub(crate) const FILE: &str =
        "Send this file, of at most 2 GiB; it is copied first, so that it may change or go after that";
    pub(crate) const CAPTION: &str = "Words to the file";
    pub(crate) const FETCH: &str = "Fetch a file that somebody sent, and wait until it is here";
    pub(crate) const FETCH_MESSAGE: &str = "The message with the file; the newest of theirs if none is named";
    pub(crate) const SAVE: &str =
        "Write a file that somebody sent to a place of your own; it is fetched first if need be";
    pub(crate) const SAVE_TO: &str =
        "A new file, or a folder in which it gets its own name; this folder if none is named";
    pub(crate) const REPLY_TO: &str = "The message that this answers";
    pub(crate) const WAIT: &str = "How long the message may take to leave; 0 does not wait";
    pub(crate) const EDIT: &str = "Replace the text of one's own message";
    pub(crate) const DELETE: &str = "Erase one's own message on all devices";
    pub(crate) const REACT: &str = "React to a message, or take the reaction back";
    pub(crate) const MESSAGE: &str = "The message's id, as `kith history NAME --ids` shows it";
    pub(crate) const TEXT: &str = "The text";
    pub(crate) const EMOJI: &str = "An emoji; none takes the reaction back";
    pub(crate) const HISTORY: &str = "Print messages, oldest first";
    pub(crate) const LIMIT: &str = "At most so many, up to 1000";
    pub(crate) const BEFORE: &str = "Only those before this message";
    pub(crate) const IDS: &str = "Print the ids of the messages too";
    pub(crate) const CHAT: &str =
        "Write and read in turn; without a terminal, every line of standard input is a message";
    pub(crate) const LISTEN: &str = "Print what happens, as it happens";
    pub(crate) const TRANSCRIBE: &str =
        "Turn speech into text on this device: a sound file, or a voice note of a conversation";
    pub(crate) const WHAT_TO_TRANSCRIBE: &str =
        "Files: WAV, Ogg Opus, MP3, M4A, AAC or FLAC; with --with a voice note's id, by default the newest note";
    pub(crate) const WITH: &str = "Transcribe a voice note of this conversation, and keep the text with it";
    #[cfg(target_os = "linux")]
    pub(crate) const DESKTOP: &str = "Put Kith into the menu of this user's desktop, and have it open kith:// links";
    #[cfg(target_os = "linux")]
    pub(crate) const DESKTOP_REMOVE: &str = "Take it away again";
    pub(crate) const MODEL: &str =
        "The model that listens, as `kith models list` names it, or a file of Whisper's in ggml form";
    pub(crate) const LANGUAGE: &str = "The language that is spoken, such as en or uk; without it the model finds out";
    pub(crate) const TRANSLATE: &str = "Write in English what is said in another language";
    pub(crate) const SRT: &str = "Print subtitles in SubRip form";
    pub(crate) const VTT: &str = "Print subtitles in WebVTT form";
    pub(crate) const AGAIN: &str = "Listen anew, whatever text is kept with the note";
    pub(crate) const FIND: &str =
        "Only messages with these words, in their text or in what is said in them, newest first";
    pub(crate) const RECORD: &str = "Record a voice note from the microphone: into a file, or for somebody";
    pub(crate) const RECORD_FILE: &str = "Where to put it, as Ogg Opus; what is there is replaced";
    pub(crate) const RECORD_TO: &str = "Send it to this contact or group";
    pub(crate) const RECORD_SECONDS: &str = "Stop after so many seconds; without it by Enter or Ctrl-C";
    pub(crate) const MICROPHONE: &str = "The microphone, as `kith sound` names it; else the system's own choice";
    pub(crate) const BITRATE: &str = "Thousand bits a second, 12 to 64";
    pub(crate) const RAW: &str = "Leave noise, rumble and loudness as the microphone gives them";
    pub(crate) const PLAY: &str = "Play a voice note: an Ogg Opus file";
    pub(crate) const PLAY_FILE: &str = "The file";
    pub(crate) const PLAY_FROM: &str = "Begin so many seconds into it";
    pub(crate) const SPEED: &str = "How fast, 50 to 300; voices keep their pitch";
    pub(crate) const SPEAKER: &str = "The speaker, as `kith sound` names it; else the system's own choice";
    pub(crate) const SOUND: &str = "Say which microphones and speakers there are";
    pub(crate) const MODELS_OF_SPEECH: &str =
        "The models that turn speech into text: which there are, and fetching them";
    pub(crate) const MODELS_LIST: &str = "Say which models there are, what each is good for, and which are here";
    pub(crate) const MODELS_DOWNLOAD: &str = "Fetch a model, or go on with it; Ctrl+C keeps what came";
    pub(crate) const MODELS_PAUSE: &str = "Stop a download of another process; what came is kept";
    pub(crate) const MODELS_RESUME: &str = "Go on with a download";
    pub(crate) const MODELS_DELETE: &str = "Remove a model, whole or not";
    pub(crate) const MODELS_IMPORT: &str = "Take a model from a file, as a copy";
    pub(crate) const MODELS_BENCH: &str = "Measure how fast a model is on this machine";
    pub(crate) const MODEL_NAME: &str = "The model, as `kith models list` names it";
    pub(crate) const MODEL_FILE: &str = "A file that is one of the models that Kith knows";
    pub(crate) const MIRROR: &str =
        "A folder, by HTTP, that is asked before the official host; may be given several times";
    pub(crate) const RUN: &str = "Keep the account online; other commands use this process while it runs";
    pub(crate) const STOP: &str = "End the process that keeps the account online";
}

#[cfg(target_os = "linux")]
pub(crate) const DESKTOP_JOINED: &str = "Kith is in the menu of your desktop, and opens kith:// links.";
#[cfg(target_os = "linux")]
pub(crate) const DESKTOP_LEFT: &str = "Kith is not in the menu of your desktop any more.";

#[cfg(target_os = "linux")]
pub(crate) fn no_desktop(error: &std::io::Error) -> String {
    format!("the desktop's files cannot be changed: {error}")
}

pub(crate) const NONSENSE: &str =
    "the running Kith gave an answer that makes no sense: update both to the same release";
pub(crate) const PASSWORD: &str = "Password: ";
pub(crate) const PASSWORD_AGAIN: &str = "The same password again: ";
pub(crate) const PRESENT_PASSWORD: &str = "Password until now: ";
pub(crate) const NEW_PASSWORD: &str = "New password: ";
pub(crate) const RECOVERY_CODE: &str = "Recovery code: ";
pub(crate) const PASSPHRASE: &str = "Passphrase of this profile: ";
pub(crate) const NEW_PASSPHRASE: &str = "Passphrase for this profile (Enter: the same as the password): ";
pub(crate) const NEW_LOCAL_PASSPHRASE: &str = "Passphrase for this profile: ";
pub(crate) const ANOTHER_PASSPHRASE: &str = "New passphrase for this profile: ";
pub(crate) const PASSPHRASE_AGAIN: &str = "The same passphrase again: ";
pub(crate) const NOTHING_OPENS: &str = "this passphrase is wrong, or what unlocks the profile was changed meanwhile";
pub(crate) const NOT_THE_SAME: &str = "the two were not the same: try again";
pub(crate) const EMPTY_SECRET: &str = "an empty password or passphrase protects nothing: try again";
pub(crate) const NO_PASSWORD: &str = "there is no terminal to ask for the password: use --password-file FILE";
pub(crate) const NO_NEW_PASSWORD: &str =
    "there is no terminal to ask for the new password: use --new-password-file FILE";
pub(crate) const NO_RECOVERY_CODE: &str = "there is no terminal to ask for the recovery code: use --recovery-file FILE";
pub(crate) const NO_ACCOUNT_PASSWORD: &str =
    "this account has no relay, and so no password there: only this profile's passphrase";
pub(crate) const NO_PASSPHRASE: &str = "there is no terminal to ask for the passphrase: use --passphrase-file FILE";
pub(crate) const NO_RANDOMNESS: &str = "the system gives no randomness to make a key of";
pub(crate) const NO_NEW_PASSPHRASE: &str =
    "there is no terminal to ask for the new passphrase: use --new-passphrase-file FILE";
pub(crate) const KEYCHAIN_NOTHING: &str = "it lost what was just kept there";
pub(crate) const KEYCHAIN_SILENT: &str = "it gave no answer within two minutes";
pub(crate) const LOCAL_LOGIN: &str =
    "an account without a relay cannot be logged in to: devices of it are linked to each other";
pub(crate) const NOT_RUNNING: &str = "nothing is running for this profile";
pub(crate) const ENDED: &str = "the Kith that kept this account online has ended: start the command again";
pub(crate) const NOTHING_TO_SEND: &str = "there is no text to send";
pub(crate) const TEXT_NOT_UTF8: &str = "the text is not UTF-8";
pub(crate) const NO_SPEECH: &str = "No speech was found.";
pub(crate) const NOT_UNDERSTOOD: &str = "Somebody speaks, but the model is not sure what is said.";
pub(crate) const ONE_NOTE: &str = "one voice note at a time: name one id, or none for the newest";
pub(crate) const INAUDIBLE: &str = "[inaudible]";
pub(crate) const MESSAGE_NOT_UTF8: &str = "that is not the id of a message";
pub(crate) const CHAT_HELP: &str = "A line is a message. A line that begins with / is a command:\n\
    /voice FILE.wav   send a voice note\n\
    /transcribe       turn the newest voice note into text\n\
    /history          the last messages again\n\
    /help             this\n\
    /quit             leave; messages that wait still go out when Kith runs again\n\
    A message that begins with / is written with two: //";
pub(crate) const CHAT_UNKNOWN: &str = "There is no such command: /help lists them.";
pub(crate) const CHAT_VOICE_USAGE: &str = "Write /voice and the name of a sound file.";
pub(crate) const DONE: &str = "Done.";
pub(crate) const PRESS_ENTER: &str = "Press Enter to leave.";
pub(crate) const STOPPED: &str = "Stopped.";
pub(crate) const OUTPUT_CLOSED: &str = "standard output was closed";

pub(crate) fn no_runtime(error: &dyn Display) -> String {
    format!("the system does not give Kith threads to work with: {error}")
}

pub(crate) fn no_profile(profile: &Path) -> String {
    format!("there is no account in {}: use `kith register` or `kith login` first", profile.display())
}

pub(crate) fn profile_exists(profile: &Path) -> String {
    format!("there is an account in {} already: choose another directory with --profile", profile.display())
}

pub(crate) fn secret_file(path: &Path, error: &dyn Display) -> String {
    format!("{} cannot be read: {error}", path.display())
}

pub(crate) fn secret_file_empty(path: &Path) -> String {
    format!("the first line of {} is empty: it should hold the password", path.display())
}

pub(crate) fn recovery_file_empty(path: &Path) -> String {
    format!("{} is empty: it should hold the recovery code", path.display())
}

pub(crate) fn secret_file_long(path: &Path) -> String {
    format!("{} is too long to be a password's file", path.display())
}

pub(crate) fn lock_changed(way: &Way) -> String {
    match way {
        Way::Passphrase => "The new passphrase unlocks the profile from now on.".to_owned(),
        Way::Key(_) => "A new key in the system's keychain unlocks the profile from now on.".to_owned(),
    }
}

pub(crate) fn keychain_unfit(reason: &dyn Display) -> String {
    format!(
        "the system's keychain cannot keep a key ({reason}): start and unlock it (on Linux a Secret Service such as \
         gnome-keyring), or leave out --keychain and choose a passphrase"
    )
}

pub(crate) fn keychain_away(reason: &dyn Display) -> String {
    format!(
        "the key of this profile lies in the system's keychain, which cannot be read now ({reason}): start and unlock it \
         (on Linux a Secret Service such as gnome-keyring), then try again"
    )
}

pub(crate) fn keychain_empty(name: &str) -> String {
    format!(
        "the system's keychain holds no key named {name:?} of Kith: without it this profile cannot be opened, so unlock the \
         keychain that it was made with, or put that one back"
    )
}

pub(crate) fn keychain_other(name: &str) -> String {
    format!("what the system's keychain holds under {name:?} is no key of Kith: put the right one back")
}

pub(crate) fn keychain_crowded(path: &str) -> String {
    format!("the system's keychain holds too many old keys for {path}: remove those of Kith that you do not need")
}

pub(crate) fn keychain_file(path: &Path, reason: &dyn Display) -> String {
    format!(
        "{}, which names the key of this profile in the system's keychain, cannot be used: {reason}",
        path.display()
    )
}

pub(crate) fn no_prompt(error: &dyn Display) -> String {
    format!("the terminal cannot be asked: {error}")
}

pub(crate) fn file_unreadable(path: &Path, error: &dyn Display) -> String {
    format!("{} cannot be read: {error}", path.display())
}

pub(crate) fn text_too_long(limit_bytes: usize) -> String {
    format!("the text has over {limit_bytes} bytes: send it in parts")
}

pub(crate) fn nobody_called(name: &str) -> String {
    format!("no contact or group is called {name:?}: `kith contacts` lists them")
}

pub(crate) fn several_called(name: &str) -> String {
    format!("several contacts are called {name:?}: write the whole handle")
}

pub(crate) fn no_safety_number(name: &str) -> String {
    format!("{name:?} has no safety number yet: it comes with the first answer")
}

pub(crate) fn account_at(me: &Me) -> String {
    me.handle.clone().unwrap_or_else(|| format!("account {}", me.account))
}

pub(crate) fn registered(me: &Me, recovery_code: &str) -> String {
    let code = code_once("Your recovery code", recovery_code);
    format!("Welcome, {}.\n\n{code}\nKeep the account online with `kith run`.", account_at(me))
}

/// The account was made, but the profile could not be put to work.
pub(crate) fn registered_only(recovery_code: &str) -> String {
    format!("Your account is made. {}", code_once("Your recovery code", recovery_code))
}

pub(crate) fn recovered(me: &Me, recovery_code: &str) -> String {
    let code = code_once("Your old recovery code is spent. The new one", recovery_code);
    format!("Welcome back, {}.\n\n{code}\nKeep the account online with `kith run`.", account_at(me))
}

/// The account was recovered, but the profile could not be put to work.
pub(crate) fn recovered_only(recovery_code: &str) -> String {
    format!("Your new password counts. {}", code_once("Your old recovery code is spent. The new one", recovery_code))
}

pub(crate) fn password_changed(recovery_code: Option<&str>) -> String {
    let words = "The new password counts from now on; devices that are signed in stay so. What opens this profile has not changed.";
    match recovery_code {
        Some(code) => {
            format!("{words}\n\n{}", code_once("Your old recovery code is worth nothing now. The new one", code))
        }
        None => words.to_owned(),
    }
}

fn code_once(what: &str, recovery_code: &str) -> String {
    format!(
        "{what}, shown this once:\n\n    {recovery_code}\n\n\
         Write it down and keep it away from this device: it opens the account when the password is forgotten."
    )
}

pub(crate) fn logged_in(me: &Me) -> String {
    format!("Signed in as {}. Keep the account online with `kith run`.", account_at(me))
}

pub(crate) fn running(me: &Me, profile: &Path) -> String {
    format!("{} is online, from {}. Ctrl-C or `kith stop` ends it.", account_at(me), profile.display())
}

pub(crate) fn whoami(me: &Me) -> String {
    let mut lines = vec![account_at(me), format!("account  {}", me.account), format!("device   {}", me.device)];
    lines.push(match me.relays.as_slice() {
        [] => "relay    none".to_owned(),
        relays => format!("relay    {}", relays.join("\n         ")),
    });
    lines.push(format!("devices  {}", me.devices));
    lines.join("\n")
}

/// The list of the account's devices.
pub(crate) fn devices(devices: &[DeviceInfo]) -> String {
    let line = |device: &DeviceInfo| {
        let state = match device {
            DeviceInfo { this: true, .. } => "this device",
            DeviceInfo { connected: true, .. } => "connected",
            _ => "not connected",
        };
        format!("{}  since {}  {state}", device.device, time(device.created_ms))
    };
    devices.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn about_to_remove(device: &DeviceInfo) -> String {
    format!(
        "This takes device {} (since {}) out of the account for good: it gets and sends nothing more, and keeps what it had. \
         Type yes to go on:",
        device.device,
        time(device.created_ms)
    )
}

pub(crate) fn device_removed(device: &DeviceInfo) -> String {
    format!(
        "Device {} is removed. Whoever has it still has what it had: change the password if they may know it.",
        device.device
    )
}

pub(crate) const NOT_REMOVED: &str = "that is not yes, so nothing was removed";
pub(crate) const THIS_DEVICE: &str =
    "that is this device: remove it on another one, or delete what is on it by `kith erase`";
pub(crate) const NO_RELAY_TO_REMOVE_AT: &str = "an account without a relay cannot remove a device yet";

pub(crate) fn no_device(typed: &str) -> String {
    format!("the account has no device {typed:?}; `kith devices` lists them")
}

pub(crate) fn several_devices(typed: &str) -> String {
    format!("several devices begin with {typed:?}: type more of the id")
}

pub(crate) fn asked(who: &str) -> String {
    format!("The request is on its way to {who}: you can write to each other once it is accepted.")
}

pub(crate) fn accepted(who: &str) -> String {
    format!("{who} is a contact now.")
}

pub(crate) fn declined(who: &str) -> String {
    format!("The request of {who} is dropped.")
}

pub(crate) fn blocked(who: &str) -> String {
    format!("{who} is blocked.")
}

pub(crate) fn unblocked(who: &str) -> String {
    format!("{who} is not blocked any more.")
}

pub(crate) fn verified(who: &str) -> String {
    format!("{who} is verified.")
}

pub(crate) fn safety_number(contact: &Contact, number: &str) -> String {
    let name = &contact.name;
    let state = if contact.verified { "It was compared." } else { "It was not compared yet." };
    format!(
        "The safety number with {name}:\n\n{number}\n\n{state}\n\
         Compare it with what {name}'s own Kith shows, face to face or in a call. If it is the same: kith verify {name} --compared"
    )
}

pub(crate) fn group_created(name: &str) -> String {
    format!("The group {name} is there.")
}

pub(crate) fn contacts(contacts: &[Contact]) -> String {
    if contacts.is_empty() {
        return "No contacts yet: `kith add NAME` asks somebody.".to_owned();
    }
    let rows = contacts.iter().map(|contact| {
        let mut notes = vec![match contact.state.as_str() {
            "asked" => "asked, no answer yet".to_owned(),
            state => state.to_owned(),
        }];
        if contact.verified {
            notes.push("verified".to_owned());
        }
        if contact.unread > 0 {
            notes.push(format!("{} unread", contact.unread));
        }
        vec![contact.name.clone(), notes.join(", ")]
    });
    table(rows.collect())
}

pub(crate) fn requests(requests: &[ContactRequest]) -> String {
    if requests.is_empty() {
        return "Nobody asks for contact.".to_owned();
    }
    requests.iter().map(request).collect::<Vec<_>>().join("\n")
}

pub(crate) fn request(request: &ContactRequest) -> String {
    let who = match &request.handle {
        Some(handle) => format!("{handle} (not verified), account {}", request.account),
        None => format!("account {}", request.account),
    };
    let said = if request.text.is_empty() { String::new() } else { format!("\n    {}", indented(&request.text)) };
    let asks = if request.remembered {
        "is in a conversation with a device that you removed, and asks whether to go on with you"
    } else {
        "asks for contact"
    };
    format!("{who} {asks}{said}")
}

pub(crate) fn status(status: &Status) -> String {
    let mut lines = vec![match (status.relay_connected, &status.relay_problem) {
        (None, _) => "relay        none: contacts are reached on the local network and at known addresses".to_owned(),
        (Some(true), _) => "relay        connected".to_owned(),
        (Some(false), Some(problem)) => format!("relay        not connected: {problem}"),
        (Some(false), None) => "relay        not connected yet".to_owned(),
    }];
    if !status.addresses.is_empty() {
        lines.push(format!("found at     {}", status.addresses.join("\n             ")));
    }
    lines.push(format!("undelivered  {}", status.undelivered));
    let refused: Vec<_> = status.refused.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    if !refused.is_empty() {
        lines.push(format!("not taken    {}", refused.join(", ")));
    }
    lines.extend(status.warnings.iter().map(|warning| format!("warning      {warning}")));
    if !status.contacts.is_empty() {
        lines.push(String::new());
        lines.push(table(status.contacts.iter().map(reach).collect()));
    }
    lines.join("\n")
}

fn reach(reach: &Reach) -> Vec<String> {
    let round_trip = reach.round_trip_ms.map(|ms| format!("{ms:.1} ms")).unwrap_or_default();
    vec![reach.name.clone(), reach.path.clone(), round_trip, reach.why.to_string()]
}

/// A message in one line, or more if its text has more.
pub(crate) fn message(message: &Message) -> String {
    let mut line = format!("{}  {}: {}", time(message.sent_ms), message.author_name, body(message));
    let mut notes = Vec::new();
    if message.edited {
        notes.push("edited".to_owned());
    }
    if let Some(state) = &message.state {
        notes.push(delivery(state, message.route.as_deref()));
    }
    notes.extend(message.reactions.iter().map(|(emoji, count)| format!("{emoji} {count}")));
    if !notes.is_empty() {
        line.push_str(&format!("  ({})", notes.join("; ")));
    }
    line
}

/// What a message says.
pub(crate) fn body(message: &Message) -> String {
    match message.kind.as_str() {
        "deleted" => "[deleted]".to_owned(),
        "voice" => {
            let length = message.duration_ms.map(|ms| format!(", {}", seconds(u64::from(ms)))).unwrap_or_default();
            let said = message.transcript.as_deref().map(|text| format!(" {}", indented(text))).unwrap_or_default();
            format!("[voice note{length}]{said}")
        }
        "file" => {
            let words = message.text.as_deref().map(|text| format!(" {}", indented(text))).unwrap_or_default();
            let file = message.file.as_ref().map(file).unwrap_or_default();
            format!("[file{file}]{words}")
        }
        "left" => "[left the group]".to_owned(),
        "missing" => "[not here yet: it is being fetched]".to_owned(),
        "malformed" => "[damaged]".to_owned(),
        "unknown" => "[from a newer Kith: update to see it]".to_owned(),
        _ => indented(message.text.as_deref().unwrap_or_default()),
    }
}

/// ` a.pdf, 20 MB, fetched`.
fn file(file: &File) -> String {
    format!(" {}, {}, {}", file.name, bytes(file.size), transfer_word(&file.transfer))
}

fn transfer_word(transfer: &Transfer) -> &str {
    match transfer.state.as_str() {
        "none" => "not fetched",
        "waiting" => "waiting",
        "active" => "on its way",
        "uploaded" => "at the relay",
        "done" => "here",
        "cancelled" => "given up",
        _ => "failed",
    }
}

/// How a transfer stands.
pub(crate) fn transfer(transfer: &Transfer) -> String {
    let done = match transfer.state.as_str() {
        "active" | "waiting" => format!(", {}", progress(transfer)),
        _ => String::new(),
    };
    let problem = transfer.problem.as_ref().map(|problem| format!(": {problem}")).unwrap_or_default();
    format!("{}{done}{problem}", transfer_word(transfer))
}

/// `45 % of 20.0 MB`.
pub(crate) fn progress(transfer: &Transfer) -> String {
    let percent = transfer.done.saturating_mul(100).checked_div(transfer.total).unwrap_or(100);
    format!("{percent} % of {}", bytes(transfer.total))
}

/// A size as people say it: in the unit of which there are neither too many nor too few.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1000.0 && unit < UNITS.len() - 1 {
        size /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 { format!("{bytes} {name}") } else { format!("{size:.1} {name}") }
}

pub(crate) const NO_FILE: &str = "there is no file of theirs to fetch";

pub(crate) fn saved(path: &Path, size: u64) -> String {
    format!("{} ({})", path.display(), bytes(size))
}

pub(crate) fn not_gone_yet(now: &Transfer) -> String {
    format!(
        "The file has not gone yet ({}). It is kept, and goes when Kith runs and the way is free: `kith run`.",
        transfer(now)
    )
}

/// `sent, by mailbox`.
pub(crate) fn delivery(state: &str, route: Option<&str>) -> String {
    match route {
        Some("direct") => format!("{state}, directly"),
        Some(route) => format!("{state}, by {route}"),
        None => state.to_owned(),
    }
}

/// The change of one's own message, in a chat.
pub(crate) fn ticked(message: &Message) -> Option<String> {
    let state = message.state.as_deref()?;
    let tick = match state {
        "sent" => "✓",
        "delivered" | "read" => "✓✓",
        _ => return None,
    };
    Some(format!("    {tick} {}: {}", delivery(state, message.route.as_deref()), beginning(&body(message))))
}

pub(crate) fn not_sent_yet(seconds: u64) -> String {
    format!(
        "It did not leave within {seconds} s. It is kept, and goes out when Kith runs and the way is free: `kith run`."
    )
}

/// What happened, in words; nothing of what only lists of chats need.
pub(crate) fn event(event: &Event) -> Option<String> {
    Some(match event {
        Event::Chat { .. } | Event::ChatGone { .. } | Event::Transcription { .. } | Event::Model { .. } => return None,
        Event::Transfer { message, transfer: now, .. } => format!("{message}: {}", transfer(now)),
        Event::Raise { link: None } => "asked to come to the front".to_owned(),
        Event::Raise { link: Some(link) } => format!("asked to open {link}"),
        Event::Message { message: new } => message(new),
        Event::Changed { message: changed } => format!("{}  [changed]", message(changed)),
        Event::Request { contact_request } => request(contact_request),
        Event::Contact { account } => format!("contact {account} changed"),
        Event::Typing { account, on: true, .. } => format!("{account} types"),
        Event::Typing { account, on: false, .. } => format!("{account} stopped typing"),
        Event::Connection { who, path, why } => {
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            match path.as_str() {
                "none" | "mailbox" => format!("{who} is not connected{why}"),
                path => format!("{who} is connected, {path}{why}"),
            }
        }
        Event::Warning { said } => format!("warning: {said}"),
        Event::Lagged { missed } => format!("{missed} events were missed: look at `kith history`"),
    })
}

pub(crate) fn chat_begins(name: &str) -> String {
    format!("Chat with {name}. /help lists commands, /quit leaves.")
}

pub(crate) fn prompt(name: &str) -> String {
    format!("{}> ", plain(name))
}

pub(crate) const NEEDS_YES: &str = "there is no terminal to ask whether this is meant: use --yes";
pub(crate) const NOT_ERASED: &str = "that is not the account's name, so nothing was deleted";

pub(crate) fn exported(to: &Path, files: u32, messages: u64) -> String {
    format!(
        "{messages} messages are in {} ({files} files). They are not encrypted: whoever can read that folder can read them.",
        to.display()
    )
}

pub(crate) fn about_to_erase(me: &Me, word: &str) -> String {
    format!(
        "This deletes all messages, contacts and keys of {} on this device. Nothing brings them back. The account stays at its \
         relay and on its other devices; without those, only the recovery code leads back to it.\nType {word} to delete:",
        account_at(me)
    )
}

pub(crate) fn erased(profile: &Path) -> String {
    format!("Deleted: {}.", profile.display())
}

pub(crate) fn already_running(me: &Me) -> String {
    format!("{} is online in another process already: end that with `kith stop` first", account_at(me))
}

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

/// A message in which words were found.
pub(crate) fn hit(hit: &Hit) -> String {
    let at = hit.at_ms.map(|ms| format!(" [voice note, at {}]", seconds(ms))).unwrap_or_default();
    format!("{}  {}:{at} {}\n    id {}", time(hit.sent_ms), hit.author_name, indented(&hit.excerpt), hit.message)
}

pub(crate) const NOTHING_FOUND: &str = "Nothing was found.";
pub(crate) const MORE_TO_FIND: &str = "There may be more further back: use --before with the last id.";

pub(crate) fn with_id(message: &Message, line: &str) -> String {
    format!("{line}\n    id {}", message.id)
}

pub(crate) fn said(message: &Message) -> String {
    format!("{}: {}", message.author_name, body(message))
}

pub(crate) fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

/// `2026-11-21 13:45Z`: universal time, so that a log reads the same everywhere.
pub(crate) fn time(since_1970_ms: u64) -> String {
    let minutes = since_1970_ms / 60_000;
    let (year, month, day) = date(minutes / 1440);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}Z", minutes / 60 % 24, minutes % 60)
}

/// The Gregorian date of a day counted from 1970-01-01, over years that begin in March, so that the leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468); // from 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097); // 400 years
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (shown, carried) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carried, shown, day - (153 * month + 2) / 5 + 1)
}

/// Text from outside, without what would control the terminal or turn the writing round.
pub(crate) fn plain(text: &str) -> String {
    let controls = |letter: char| {
        matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
            || letter.is_control() && letter != '\n'
    };
    text.chars()
        .map(|letter| {
            if letter == '\t' {
                ' '
            } else if controls(letter) {
                '\u{FFFD}'
            } else {
                letter
            }
        })
        .collect()
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

fn beginning(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(40).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Columns as wide as their widest cell; the last is not padded.
fn table(rows: Vec<Vec<String>>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_gregorian_calendar() {
        assert_eq!(time(0), "1970-01-01 00:00Z");
        assert_eq!(time(951_782_400_000), "2000-02-29 00:00Z");
        assert_eq!(time(951_868_799_999), "2000-02-29 23:59Z");
        assert_eq!(time(1_795_268_705_000), "2026-11-21 13:45Z");
        assert_eq!(time(4_107_542_400_000), "2100-03-01 00:00Z");
    }

    #[test]
    fn text_from_outside_cannot_control_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\nc\td\u{202E}e\u{9b}"), "a\u{FFFD}[2Jb\u{FFFD}\nc d\u{FFFD}e\u{FFFD}");
        assert_eq!(plain("žluťoučký 🙂 שלום"), "žluťoučký 🙂 שלום");
    }

    #[test]
    fn a_message_tells_its_state_and_its_way_in_words() {
        let mut shown = Message {
            id: "m1".into(),
            conversation: "c1".into(),
            author: "a1".into(),
            author_name: "me".into(),
            mine: true,
            sent_ms: 0,
            kind: "text".into(),
            text: Some("one\ntwo".into()),
            edited: false,
            reply_to: None,
            reply_preview: None,
            reactions: vec![("👍".into(), 2)],
            duration_ms: None,
            peaks: None,
            heard_ms: None,
            heard: None,
            heard_by: None,
            transcript: None,
            file: None,
            spoken: None,
            state: Some("delivered".into()),
            route: Some("direct".into()),
            problem: None,
        };
        assert_eq!(message(&shown), "1970-01-01 00:00Z  me: one\n    two  (delivered, directly; 👍 2)");
        assert_eq!(ticked(&shown).as_deref(), Some("    ✓✓ delivered, directly: one…"));
        shown.kind = "voice".into();
        shown.duration_ms = Some(2140);
        shown.transcript = Some("Meet me.".into());
        shown.state = Some("queued".into());
        shown.route = None;
        assert_eq!(message(&shown), "1970-01-01 00:00Z  me: [voice note, 2.1 s] Meet me.  (queued; 👍 2)");
        assert_eq!(ticked(&shown), None);
    }

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

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["a".into(), "b".into(), String::new()], vec!["long".into(), "c".into(), "d".into()]];
        assert_eq!(table(rows), "a     b\nlong  c  d");
    }
}
