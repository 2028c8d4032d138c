//! What the command line says of itself.

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
pub(crate) const LOCAL: &str = "Without a relay: devices find each other on the local network or at known addresses";
pub(crate) const DEVICES: &str = "List the account's devices, name this one, or remove another";
pub(crate) const RENAME_DEVICE: &str =
    "Say what this device is called: the account's other devices show it, and nobody else does";
pub(crate) const DEVICE_NAME: &str =
    "At most 64 characters; an empty name takes it back, and the machine's own counts again";
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
pub(crate) const NEW_KEY: &str =
    "A new key in the system's keychain unlocks the profile from now on, instead of a passphrase or of an older key";
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
pub(crate) const SAVE: &str = "Write a file that somebody sent to a place of your own; it is fetched first if need be";
pub(crate) const SAVE_TO: &str = "A new file, or a folder in which it gets its own name; this folder if none is named";
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
pub(crate) const CHAT: &str = "Write and read in turn; without a terminal, every line of standard input is a message";
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
pub(crate) const FIND: &str = "Only messages with these words, in their text or in what is said in them, newest first";
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
pub(crate) const MODELS_OF_SPEECH: &str = "The models that turn speech into text: which there are, and fetching them";
pub(crate) const MODELS_LIST: &str = "Say which models there are, what each is good for, and which are here";
pub(crate) const MODELS_DOWNLOAD: &str = "Fetch a model, or go on with it; Ctrl+C keeps what came";
pub(crate) const MODELS_PAUSE: &str = "Stop a download of another process; what came is kept";
pub(crate) const MODELS_RESUME: &str = "Go on with a download";
pub(crate) const MODELS_DELETE: &str = "Remove a model, whole or not";
pub(crate) const MODELS_IMPORT: &str = "Take a model from a file, as a copy";
pub(crate) const MODELS_BENCH: &str = "Measure how fast a model is on this machine";
pub(crate) const MODEL_NAME: &str = "The model, as `kith models list` names it";
pub(crate) const MODEL_FILE: &str = "A file that is one of the models that Kith knows";
pub(crate) const MIRROR: &str = "A folder, by HTTP, that is asked before the official host; may be given several times";
pub(crate) const RUN: &str = "Keep the account online; other commands use this process while it runs";
pub(crate) const STOP: &str = "End the process that keeps the account online";
