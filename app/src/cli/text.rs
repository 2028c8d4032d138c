//! Every word that a person reads, in English. Translations come with the window and replace this module's functions.

pub(crate) mod help;
mod message;
mod speech;

use std::fmt::Display;
use std::path::Path;

use kith_core::wire::control::{Contact, ContactRequest, DeviceInfo, Event, Hit, Me, Message, Reach, Status};
pub(crate) use message::{
    NO_FILE, body, delivery, message, not_gone_yet, not_sent_yet, progress, saved, ticked, transfer,
};
pub(crate) use speech::{downloading, listening, model, models, srt, transcript, transcript_of, vtt};

use super::keychain::Way;

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
        let said = [device.called(), device.system.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
        let said = if said.is_empty() { said } else { format!("  {said}") };
        format!("{}  since {}  {state}{said}", device.device, time(device.created_ms))
    };
    devices.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A device in a sentence: its id, and what it is called.
fn device(device: &DeviceInfo) -> String {
    device.called().map_or_else(|| device.device.clone(), |name| format!("{} ({name})", device.device))
}

pub(crate) const DEVICE_RENAMED: &str = "The account's other devices are told.";

pub(crate) fn about_to_remove(device: &DeviceInfo) -> String {
    format!(
        "This takes device {}, since {}, out of the account for good: it gets and sends nothing more, and keeps what it had. \
         Type yes to go on:",
        self::device(device),
        time(device.created_ms)
    )
}

pub(crate) fn device_removed(device: &DeviceInfo) -> String {
    format!(
        "Device {} is removed. Whoever has it still has what it had: change the password if they may know it.",
        self::device(device)
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
    fn columns_are_aligned() {
        let rows = vec![vec!["a".into(), "b".into(), String::new()], vec!["long".into(), "c".into(), "d".into()]];
        assert_eq!(table(rows), "a     b\nlong  c  d");
    }
}
