//! What can be typed. The words of the help are in [`super::text::help`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::text::help;

#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "kith", version, about = help::ABOUT, after_help = help::AFTER, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Global {
    #[arg(long, global = true, value_name = "DIR", env = "KITH_PROFILE", help = help::PROFILE)]
    pub(crate) profile: Option<PathBuf>,
    #[arg(long, global = true, help = help::JSON)]
    pub(crate) json: bool,
    #[arg(long, global = true, value_name = "FILE", env = "KITH_PASSWORD_FILE", help = help::PASSWORD_FILE)]
    pub(crate) password_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE", env = "KITH_PASSPHRASE_FILE", help = help::PASSPHRASE_FILE)]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "DIR", env = "KITH_MODELS", help = help::MODELS)]
    pub(crate) models: Option<PathBuf>,
    #[arg(long, global = true, value_name = "MULTIADDR", env = "KITH_LISTEN", value_delimiter = ',', help = help::LISTEN_AT)]
    pub(crate) listen: Vec<String>,
    #[arg(long, global = true, env = "KITH_NO_MDNS", value_parser = clap::builder::BoolishValueParser::new(), help = help::NO_MDNS)]
    pub(crate) no_mdns: bool,
    #[arg(long, global = true, env = "KITH_ALWAYS_RELAY", value_parser = clap::builder::BoolishValueParser::new(), help = help::ALWAYS_RELAY)]
    pub(crate) always_relay: bool,
    #[arg(long, global = true, help = help::NO_SYNC)]
    pub(crate) no_sync: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    #[command(about = help::OPEN)]
    Open(Open),
    #[command(about = help::REGISTER)]
    Register(Join),
    #[command(about = help::LOGIN)]
    Login(Join),
    #[command(about = help::RECOVER)]
    Recover(Recover),
    #[command(about = help::CHANGE_PASSWORD)]
    Password(ChangePassword),
    #[command(about = help::DEVICES)]
    Devices(Devices),
    #[command(about = help::WHOAMI)]
    Whoami,
    #[command(about = help::INVITE)]
    Invite,
    #[command(about = help::STATUS)]
    Status,
    #[command(about = help::CONTACTS)]
    Contacts,
    #[command(about = help::REQUESTS)]
    Requests,
    #[command(about = help::ADD)]
    Add(Add),
    #[command(about = help::ACCEPT)]
    Accept {
        #[arg(help = help::WHO_ASKED)]
        who: String,
    },
    #[command(about = help::DECLINE)]
    Decline {
        #[arg(help = help::WHO_ASKED)]
        who: String,
    },
    #[command(about = help::BLOCK)]
    Block {
        #[arg(help = help::NAME)]
        who: String,
    },
    #[command(about = help::UNBLOCK)]
    Unblock {
        #[arg(help = help::NAME)]
        who: String,
    },
    #[command(about = help::VERIFY)]
    Verify(Verify),
    #[command(about = help::GROUP)]
    Group(Group),
    #[command(about = help::SEND)]
    Send(Send),
    #[command(about = help::FETCH)]
    Fetch(Fetch),
    #[command(about = help::SAVE)]
    Save(Save),
    #[command(about = help::EDIT)]
    Edit {
        #[arg(help = help::NAME)]
        name: String,
        #[arg(help = help::MESSAGE)]
        message: String,
        #[arg(help = help::TEXT)]
        text: String,
    },
    #[command(about = help::DELETE)]
    Delete {
        #[arg(help = help::NAME)]
        name: String,
        #[arg(help = help::MESSAGE)]
        message: String,
    },
    #[command(about = help::REACT)]
    React {
        #[arg(help = help::NAME)]
        name: String,
        #[arg(help = help::MESSAGE)]
        message: String,
        #[arg(default_value = "", help = help::EMOJI)]
        emoji: String,
    },
    #[command(about = help::HISTORY)]
    History(History),
    #[command(about = help::CHAT)]
    Chat {
        #[arg(help = help::NAME)]
        name: String,
    },
    #[command(about = help::LISTEN)]
    Listen,
    #[command(about = help::TRANSCRIBE)]
    Transcribe(Transcribe),
    #[command(about = help::RECORD)]
    Record(Record),
    #[command(about = help::PLAY)]
    Play(Play),
    #[command(about = help::SOUND)]
    Sound,
    #[command(about = help::MODELS_OF_SPEECH)]
    Models(Models),
    #[command(about = help::CHANGE_PASSPHRASE)]
    Passphrase(Passphrase),
    #[command(about = help::EXPORT)]
    Export {
        #[arg(value_name = "DIR", help = help::EXPORT_TO)]
        to: PathBuf,
    },
    #[command(about = help::ERASE)]
    Erase {
        #[arg(long, help = help::YES)]
        yes: bool,
    },
    #[cfg(target_os = "linux")]
    #[command(about = help::DESKTOP)]
    Desktop {
        #[arg(long, help = help::DESKTOP_REMOVE)]
        remove: bool,
    },
    #[command(about = help::RUN)]
    Run,
    #[command(about = help::STOP)]
    Stop,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Open {
    #[arg(value_name = "kith://…", help = help::LINK)]
    pub(crate) link: Option<String>,
    #[arg(long, value_name = "ADDRESS", env = "KITH_RELAY", help = help::FIRST_RELAY)]
    pub(crate) relay: Option<String>,
}

impl Open {
    /// Of a program that was started without a command, which looks at the environment all the same.
    pub(crate) fn by_default() -> Self {
        Self { link: None, relay: std::env::var("KITH_RELAY").ok() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Join {
    #[arg(required_unless_present = "local", help = help::HANDLE)]
    pub(crate) handle: Option<String>,
    #[arg(long, value_name = "ADDRESS", env = "KITH_RELAY", required_unless_present = "local", help = help::RELAY)]
    pub(crate) relay: Option<String>,
    #[arg(long, conflicts_with = "handle", help = help::LOCAL)]
    pub(crate) local: bool,
    #[arg(long, value_name = "FILE", conflicts_with = "local", help = help::INVITATION)]
    pub(crate) invitation_file: Option<PathBuf>,
    #[arg(long, env = "KITH_KEYCHAIN", value_parser = clap::builder::BoolishValueParser::new(), help = help::KEYCHAIN)]
    pub(crate) keychain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Passphrase {
    #[arg(long, value_name = "FILE", conflicts_with = "keychain", help = help::NEW_PASSPHRASE_FILE)]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    #[arg(long, help = help::NEW_KEY)]
    pub(crate) keychain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Recover {
    #[arg(help = help::HANDLE)]
    pub(crate) handle: String,
    #[arg(long, value_name = "ADDRESS", env = "KITH_RELAY", help = help::RELAY)]
    pub(crate) relay: String,
    #[arg(long, value_name = "FILE", help = help::RECOVERY_FILE)]
    pub(crate) recovery_file: Option<PathBuf>,
    #[arg(long, env = "KITH_KEYCHAIN", value_parser = clap::builder::BoolishValueParser::new(), help = help::KEYCHAIN)]
    pub(crate) keychain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct ChangePassword {
    #[arg(long, value_name = "FILE", help = help::NEW_PASSWORD_FILE)]
    pub(crate) new_password_file: Option<PathBuf>,
    #[arg(long, help = help::FORGOTTEN)]
    pub(crate) forgotten: bool,
    #[arg(long, value_name = "FILE", requires = "forgotten", help = help::RECOVERY_FILE)]
    pub(crate) recovery_file: Option<PathBuf>,
    #[arg(long, help = help::NEW_CODE)]
    pub(crate) new_code: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Devices {
    #[command(subcommand)]
    pub(crate) what: Option<DeviceChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum DeviceChange {
    #[command(about = help::RENAME_DEVICE)]
    Rename {
        #[arg(help = help::DEVICE_NAME)]
        name: String,
    },
    #[command(about = help::REMOVE_DEVICE)]
    Remove {
        #[arg(help = help::DEVICE)]
        device: String,
        #[arg(long, help = help::REMOVE_YES)]
        yes: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Add {
    #[arg(help = help::WHOM)]
    pub(crate) who: String,
    #[arg(default_value = "", help = help::GREETING)]
    pub(crate) text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Verify {
    #[arg(help = help::NAME)]
    pub(crate) who: String,
    #[arg(long, help = help::COMPARED)]
    pub(crate) compared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Group {
    #[arg(help = help::GROUP_NAME)]
    pub(crate) name: String,
    #[arg(required = true, help = help::MEMBERS)]
    pub(crate) members: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Send {
    #[arg(help = help::NAME)]
    pub(crate) name: String,
    #[arg(required_unless_present_any = ["voice", "file"], allow_hyphen_values = true, help = help::TEXT_OR_STDIN)]
    pub(crate) text: Option<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "text", help = help::VOICE)]
    pub(crate) voice: Option<PathBuf>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "voice"], help = help::FILE)]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, value_name = "TEXT", requires = "file", conflicts_with_all = ["text", "voice"], help = help::CAPTION)]
    pub(crate) caption: Option<String>,
    #[arg(long, value_name = "MESSAGE", conflicts_with = "voice", help = help::REPLY_TO)]
    pub(crate) reply_to: Option<String>,
    #[arg(long, value_name = "SECONDS", default_value_t = 20, help = help::WAIT)]
    pub(crate) wait: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Fetch {
    #[arg(help = help::NAME)]
    pub(crate) name: String,
    #[arg(help = help::FETCH_MESSAGE)]
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Save {
    #[arg(help = help::NAME)]
    pub(crate) name: String,
    #[arg(help = help::MESSAGE)]
    pub(crate) message: String,
    #[arg(value_name = "PATH", help = help::SAVE_TO)]
    pub(crate) to: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct History {
    #[arg(help = help::NAME)]
    pub(crate) name: String,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000), help = help::LIMIT)]
    pub(crate) limit: u32,
    #[arg(long, value_name = "MESSAGE", help = help::BEFORE)]
    pub(crate) before: Option<String>,
    #[arg(long, help = help::IDS)]
    pub(crate) ids: bool,
    #[arg(long, value_name = "WORDS", help = help::FIND)]
    pub(crate) find: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Transcribe {
    #[arg(value_name = "FILE or MESSAGE", required_unless_present = "with", help = help::WHAT_TO_TRANSCRIBE)]
    pub(crate) what: Vec<PathBuf>,
    #[arg(long, value_name = "NAME", help = help::WITH)]
    pub(crate) with: Option<String>,
    #[arg(long, value_name = "NAME or FILE", conflicts_with = "with", help = help::MODEL)]
    pub(crate) model: Option<String>,
    #[arg(long, value_name = "CODE", help = help::LANGUAGE)]
    pub(crate) language: Option<String>,
    #[arg(long, help = help::TRANSLATE)]
    pub(crate) translate: bool,
    #[arg(long, conflicts_with_all = ["vtt", "json"], help = help::SRT)]
    pub(crate) srt: bool,
    #[arg(long, conflicts_with_all = ["srt", "json"], help = help::VTT)]
    pub(crate) vtt: bool,
    #[arg(long, requires = "with", help = help::AGAIN)]
    pub(crate) again: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Record {
    #[arg(value_name = "FILE", required_unless_present = "to", conflicts_with = "to", help = help::RECORD_FILE)]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, value_name = "NAME", help = help::RECORD_TO)]
    pub(crate) to: Option<String>,
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), help = help::RECORD_SECONDS)]
    pub(crate) seconds: Option<u64>,
    #[arg(long, value_name = "ID", help = help::MICROPHONE)]
    pub(crate) device: Option<String>,
    #[arg(long, value_name = "KBIT", default_value_t = 24, value_parser = clap::value_parser!(i32).range(12..=64), help = help::BITRATE)]
    pub(crate) bitrate: i32,
    #[arg(long, help = help::RAW)]
    pub(crate) raw: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Play {
    #[arg(value_name = "FILE", help = help::PLAY_FILE)]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "SECONDS", default_value_t = 0, help = help::PLAY_FROM)]
    pub(crate) from: u64,
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(50..=300), help = help::SPEED)]
    pub(crate) speed: u16,
    #[arg(long, value_name = "ID", help = help::SPEAKER)]
    pub(crate) device: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Models {
    #[arg(long, global = true, value_name = "URL", help = help::MIRROR)]
    pub(crate) mirror: Vec<String>,
    #[command(subcommand)]
    pub(crate) command: ModelCommand,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum ModelCommand {
    #[command(about = help::MODELS_LIST)]
    List,
    #[command(about = help::MODELS_DOWNLOAD)]
    Download {
        #[arg(help = help::MODEL_NAME)]
        name: String,
    },
    #[command(about = help::MODELS_PAUSE)]
    Pause {
        #[arg(help = help::MODEL_NAME)]
        name: String,
    },
    #[command(about = help::MODELS_RESUME)]
    Resume {
        #[arg(help = help::MODEL_NAME)]
        name: String,
    },
    #[command(about = help::MODELS_DELETE)]
    Delete {
        #[arg(help = help::MODEL_NAME)]
        name: String,
    },
    #[command(about = help::MODELS_IMPORT)]
    Import {
        #[arg(help = help::MODEL_FILE)]
        file: PathBuf,
    },
    #[command(about = help::MODELS_BENCH)]
    Bench {
        #[arg(help = help::MODEL_NAME)]
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, ErrorKind> {
        let words = std::iter::once("kith").chain(line.split(' '));
        Arguments::try_parse_from(words).map_err(|error| error.kind())
    }

    fn command(line: &str) -> Command {
        parse(line).unwrap().command.unwrap()
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_a_help_text() {
        let root = Arguments::command();
        for command in root.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn no_secret_can_be_an_argument() {
        for command in Arguments::command().get_subcommands() {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                assert!(!["password", "passphrase", "code", "key"].contains(&id), "{} {id}", command.get_name());
            }
        }
        assert_eq!(parse("--password x whoami"), Err(ErrorKind::UnknownArgument));
    }

    #[test]
    fn global_options_come_before_or_after_the_command() {
        for line in ["--json --profile /p whoami", "whoami --profile /p --json"] {
            let arguments = parse(line).unwrap();
            assert_eq!(arguments.global.profile, Some(PathBuf::from("/p")));
            assert!(arguments.global.json);
            assert_eq!(arguments.command, Some(Command::Whoami));
        }
    }

    #[test]
    fn without_a_command_a_window_is_wanted() {
        assert_eq!(parse("--profile /p").unwrap().command, None);
        let Command::Open(open) = command("open kith://somebody") else { panic!() };
        assert_eq!(open.link.as_deref(), Some("kith://somebody"));
    }

    #[test]
    fn register_takes_a_handle_and_a_relay_or_neither() {
        let Command::Register(join) = command("register alice --relay /ip4/127.0.0.1/tcp/4001/p2p/x") else { panic!() };
        assert_eq!((join.handle.as_deref(), join.local), (Some("alice"), false));
        let Command::Register(join) = command("register --local") else { panic!() };
        assert_eq!((join.handle, join.relay, join.local), (None, None, true));
        assert_eq!(parse("register alice"), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse("register alice --local"), Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn who_forgot_the_password_has_a_recovery_code_that_is_asked_for_or_in_a_file() {
        let Command::Recover(recover) = command("recover alice --relay /x --recovery-file /f") else { panic!() };
        assert_eq!((recover.handle.as_str(), recover.relay.as_str()), ("alice", "/x"));
        assert_eq!(recover.recovery_file, Some("/f".into()));
        assert_eq!(parse("recover --relay /x"), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse("recover alice K7QX-ABCD --relay /x"), Err(ErrorKind::UnknownArgument));
        let Command::Password(change) = command("password --forgotten --new-code") else { panic!() };
        assert!(change.forgotten && change.new_code && change.recovery_file.is_none());
        assert_eq!(parse("password --recovery-file /f"), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse("password hunter2"), Err(ErrorKind::UnknownArgument));
    }

    #[test]
    fn send_takes_a_text_or_a_voice_note() {
        let Command::Send(send) = command("send bob hello") else { panic!() };
        assert_eq!((send.name.as_str(), send.text.as_deref(), send.wait), ("bob", Some("hello"), 20));
        let Command::Send(send) = command("send bob -") else { panic!() };
        assert_eq!(send.text.as_deref(), Some("-"));
        let Command::Send(send) = command("send bob --voice a.wav --wait 0") else { panic!() };
        assert_eq!((send.voice, send.text, send.wait), (Some("a.wav".into()), None, 0));
        let Command::Send(send) = command("send bob --file a.pdf --caption look") else { panic!() };
        assert_eq!((send.file, send.caption.as_deref()), (Some("a.pdf".into()), Some("look")));
        assert_eq!(parse("send bob hello --caption look"), Err(ErrorKind::ArgumentConflict));
        assert_eq!(parse("send bob --file a --voice b"), Err(ErrorKind::ArgumentConflict));
        assert_eq!(parse("send bob"), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse("send bob hello --voice a.wav"), Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn history_is_bounded() {
        let Command::History(history) = command("history bob --limit 1000 --before m") else { panic!() };
        assert_eq!((history.limit, history.before.as_deref()), (1000, Some("m")));
        assert_eq!(parse("history bob --limit 1001"), Err(ErrorKind::ValueValidation));
        assert_eq!(parse("history bob --limit 0"), Err(ErrorKind::ValueValidation));
    }

    #[test]
    fn transcribe_takes_a_file_or_a_note() {
        let Command::Transcribe(file) = command("transcribe a.wav") else { panic!() };
        assert_eq!((file.what, file.with), (vec!["a.wav".into()], None));
        let Command::Transcribe(files) = command("transcribe a.wav b.mp3 --srt --language de --translate") else {
            panic!()
        };
        assert_eq!((files.what.len(), files.srt, files.translate), (2, true, true));
        assert_eq!(parse("transcribe a.wav --srt --vtt"), Err(ErrorKind::ArgumentConflict));
        assert_eq!(parse("transcribe --with bob --model tiny"), Err(ErrorKind::ArgumentConflict));
        let Command::Transcribe(note) = command("transcribe --with bob") else { panic!() };
        assert_eq!((note.what, note.with.as_deref()), (vec![], Some("bob")));
        assert_eq!(parse("transcribe"), Err(ErrorKind::MissingRequiredArgument));
    }

    #[test]
    fn a_recording_goes_to_a_file_or_to_somebody() {
        let Command::Record(record) = command("record a.ogg --seconds 5 --raw") else { panic!() };
        assert_eq!(
            (record.file, record.seconds, record.raw, record.bitrate),
            (Some("a.ogg".into()), Some(5), true, 24)
        );
        let Command::Record(record) = command("record --to bob") else { panic!() };
        assert_eq!((record.file, record.to.as_deref()), (None, Some("bob")));
        assert_eq!(parse("record"), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse("record a.ogg --to bob"), Err(ErrorKind::ArgumentConflict));
        assert_eq!(parse("record a.ogg --seconds 0"), Err(ErrorKind::ValueValidation));
        let Command::Play(play) = command("play a.ogg --speed 150 --from 3") else { panic!() };
        assert_eq!((play.speed, play.from, play.device), (150, 3, None));
    }

    #[test]
    fn models_are_named() {
        let Command::Models(models) = command("models download tiny --mirror https://a.b/c") else { panic!() };
        assert_eq!(models.command, ModelCommand::Download { name: "tiny".into() });
        assert_eq!(models.mirror, ["https://a.b/c"]);
        assert_eq!(parse("models delete"), Err(ErrorKind::MissingRequiredArgument));
    }

    #[test]
    fn a_group_has_members() {
        assert_eq!(
            command("group walkers bob carol"),
            Command::Group(Group { name: "walkers".into(), members: vec!["bob".into(), "carol".into()] })
        );
        assert_eq!(parse("group walkers"), Err(ErrorKind::MissingRequiredArgument));
    }

    #[test]
    fn an_unknown_command_is_a_usage_error() {
        assert_eq!(parse("sned bob hello"), Err(ErrorKind::InvalidSubcommand));
    }
}
