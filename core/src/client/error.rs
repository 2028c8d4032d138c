//! The facade's errors: each is a sentence for the person, and a stable word for programs.

use crate::audio::AudioError;
use crate::blob::{SealError, ShelfError};
use crate::chat::{CommandError, EngineError};
use crate::identity::{FormatError, HandleError};
use crate::net::{InvalidRelayAddress, NetError};
use crate::session::{CommandFailure, OnboardingError, StartError};
use crate::speech::fetch::FetchError;
use crate::speech::{ModelError, SoundError, SpeechError};
use crate::store::{ReadError, StoreError};
use crate::voice::note::NoteError;
use crate::wire::relay::Refusal;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The directory holds no profile.
    #[error(
        "there is no profile at {0}: create one with `kith register` or `kith login`, or name another with --profile"
    )]
    NoProfile(String),
    /// The directory holds a profile already.
    #[error("there is a profile at {0} already; name another directory with --profile")]
    ProfileExists(String),
    /// The creation of a profile was cut off.
    #[error(
        "the creation of the profile at {0} was cut off before it was whole: run `kith register` or `kith login` again"
    )]
    Unfinished(String),
    /// A handle is taken, and a sign-up in this directory was cut off.
    #[error(
        "the handle {0:?} is taken, perhaps by you: a sign-up here was cut off; `kith login` gets the account back if the \
         relay had taken it"
    )]
    CutOff(String),
    /// The system does not say where profiles go.
    #[error("this system does not say where a profile belongs; name a directory with --profile")]
    NoDirectory,
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The session cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Sign-up or log-in failed.
    #[error(transparent)]
    Onboarding(#[from] OnboardingError),
    /// The command was not carried out.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It could not be stored.
    #[error("nothing was stored or sent: {0}")]
    NotStored(StoreError),
    /// It may have been stored.
    #[error("it is not certain that this was stored: {0}; look whether it is there before you do it again")]
    Uncertain(StoreError),
    /// The network did not do it.
    #[error("{0}")]
    Network(#[from] NetError),
    /// A relay refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Not an address.
    #[error("{0:?} is not an address such as /ip4/192.0.2.1/udp/4001/quic-v1")]
    Address(String),
    /// Not a relay's address.
    #[error(transparent)]
    RelayAddress(#[from] InvalidRelayAddress),
    /// Not a handle.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// Not a link, or another malformed thing.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Nobody is called so.
    #[error("nobody here is called {0:?}: see `kith contacts` and `kith requests`")]
    Nobody(String),
    /// Several are called so.
    #[error("{0:?} can be several: say which by handle or id ({1})")]
    Ambiguous(String, String),
    /// The contact has not accepted yet.
    #[error("{0} has not accepted your contact request yet")]
    NotAccepted(String),
    /// The relay's name is not known.
    #[error("the relay {0:?} is not known here: give its address, as in name@/ip4/…/p2p/…, or ask for a kith:// link")]
    UnknownRelay(String),
    /// The account has no relay to look somebody up at.
    #[error("this account has no relay: ask for a kith:// link")]
    NoRelay,
    /// What was looked up is another account's record.
    #[error("the relay shows the record of another account than the link names")]
    WrongRecord,
    /// A handle that is known leads to another account than before.
    #[error(
        "{handle} is another account now ({shown}) than the contact whom you know by that name ({known}): the relay may have \
         given the name to somebody else, or may be lying. Ask the person over another way and compare safety numbers. If the \
         new account is theirs, use their kith:// link, or block the old contact and add them again"
    )]
    OtherAccount {
        /// The handle.
        handle: String,
        /// The beginning of the id of the contact who is known by it.
        known: String,
        /// The beginning of the id that the relay shows.
        shown: String,
    },
    /// Not an invitation.
    #[error("that is not an invitation code: it is a long word that the relay's operator gave out")]
    Invitation,
    /// The relay answered something else.
    #[error("the relay gave an answer that makes no sense")]
    Nonsense,
    /// No such message.
    #[error("there is no such message: {0:?}")]
    NoMessage(String),
    /// No voice note.
    #[error("there is no voice note to transcribe")]
    NoVoiceNote,
    /// No attachment.
    #[error("that message has no file")]
    NoAttachment,
    /// The attachment is not here yet.
    #[error("the file is not on this device yet: fetch it first")]
    NotHere,
    /// The attachment could not be written where it was wanted.
    #[error("the file was not saved to {path}: {reason}")]
    NotSaved {
        /// Where to.
        path: String,
        /// Why.
        reason: String,
    },
    /// The attachment cannot be kept, or read.
    #[error(transparent)]
    Attachment(#[from] ShelfError),
    /// The file cannot be read.
    #[error("{path} cannot be read: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// Nothing was exported.
    #[error("nothing was exported to {path}: {reason}")]
    Export {
        /// Where to.
        path: String,
        /// Why.
        reason: String,
    },
    /// The profile was not deleted, or not all of it.
    #[error("the profile at {path} could not be deleted, or not all of it: {reason}; try again")]
    Erase {
        /// Where.
        path: String,
        /// Why.
        reason: String,
    },
    /// The sound cannot be sent or played.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// There is no sound.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The speech model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The transcription failed.
    #[error(transparent)]
    Speech(SpeechError),
    /// A sound file cannot be listened to.
    #[error("{path}: {error}")]
    SoundFile {
        /// Which.
        path: String,
        /// Why.
        error: SoundError,
    },
    /// The speech model is not here.
    #[error("the speech model {0:?} is not here: `kith models list` says which there are")]
    NoModel(String),
    /// Kith knows no such speech model.
    #[error("Kith knows no speech model {0:?}: `kith models list` says which there are")]
    UnknownModel(String),
    /// A speech model was not fetched, kept or removed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Others are being fetched.
    #[error("two speech models are being downloaded: wait for one of them, or pause one")]
    ManyDownloads,
    /// Nobody has listened to the voice note.
    #[error("this voice note has no transcript yet")]
    NoTranscript,
    /// A file of the profile cannot be written.
    #[error("the profile cannot be written: {0}")]
    Write(String),
    /// A task of this program has ended.
    #[error("this program is ending")]
    Ending,
}

impl From<SpeechError> for ClientError {
    fn from(error: SpeechError) -> Self {
        match error {
            SpeechError::Model(error) => Self::Model(error),
            error => Self::Speech(error),
        }
    }
}

impl From<CommandFailure> for ClientError {
    fn from(failure: CommandFailure) -> Self {
        match failure {
            CommandFailure::Refused(error) => Self::Command(error),
            CommandFailure::Store(error) => Self::NotStored(error),
            CommandFailure::Uncertain(error) => Self::Uncertain(error),
            CommandFailure::Ended => Self::Ending,
        }
    }
}

impl From<ReadError> for ClientError {
    fn from(error: ReadError) -> Self {
        Self::Engine(error.into())
    }
}

impl ClientError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoProfile(_) | Self::Unfinished(_) => "no_profile",
            Self::CutOff(_) => "handle_taken",
            Self::ProfileExists(_) => "profile_exists",
            Self::NoDirectory => "no_directory",
            Self::Store(StoreError::AlreadyOpen { .. }) => "profile_open",
            Self::Store(StoreError::WrongKey) => "wrong_passphrase",
            Self::Store(StoreError::FromTheFuture { .. }) => "newer_store",
            Self::Store(StoreError::Full) | Self::NotStored(StoreError::Full) | Self::Uncertain(StoreError::Full) => {
                "disk_full"
            }
            Self::Store(_) | Self::NotStored(_) | Self::Uncertain(_) | Self::Engine(_) | Self::Write(_) => "store",
            Self::Start(StartError::NoAccount) => "no_account",
            Self::Start(_) => "start",
            Self::Onboarding(error) => onboarding_code(error),
            Self::Command(CommandError::Blocked) => "blocked",
            Self::Command(CommandError::NoMessage) => "no_message",
            Self::Command(_) => "command",
            Self::Network(_) => "network",
            Self::Refused(refusal) => refusal_code(refusal),
            Self::Address(_) | Self::RelayAddress(_) => "address",
            Self::Handle(_) => "handle",
            Self::Format(_) => "malformed",
            Self::Nobody(_) => "nobody",
            Self::Ambiguous(..) => "ambiguous",
            Self::NotAccepted(_) => "not_accepted",
            Self::UnknownRelay(_) => "unknown_relay",
            Self::NoRelay => "no_relay",
            Self::WrongRecord => "wrong_record",
            Self::OtherAccount { .. } => "other_account",
            Self::Nonsense => "nonsense",
            Self::Invitation => "invitation",
            Self::NoMessage(_) => "no_message",
            Self::NoVoiceNote => "no_voice_note",
            Self::NoAttachment => "no_file",
            Self::NotHere => "not_here",
            Self::NotSaved { .. } => "not_saved",
            Self::Attachment(ShelfError::Full) => "disk_full",
            Self::Attachment(ShelfError::Seal(SealError::TooLarge)) => "too_large",
            Self::Attachment(_) => "attachment",
            Self::File { .. } => "file",
            Self::Export { .. } => "export",
            Self::Erase { .. } => "erase",
            Self::Note(_) => "sound",
            Self::Audio(_) => "sound_device",
            Self::Model(_) | Self::NoModel(_) | Self::UnknownModel(_) => "model",
            Self::Fetch(FetchError::Paused { .. }) => "paused",
            Self::Fetch(FetchError::DiskFull { .. }) => "disk_full",
            Self::Fetch(_) | Self::ManyDownloads => "model_download",
            Self::Speech(SpeechError::Cancelled) => "cancelled",
            Self::SoundFile { error: SoundError::Unreadable(_), .. } => "file",
            Self::Speech(SpeechError::Sound(_)) | Self::SoundFile { .. } => "sound",
            Self::Speech(_) => "speech",
            Self::NoTranscript => "no_transcript",
            Self::Ending => "ending",
        }
    }
}

fn onboarding_code(error: &OnboardingError) -> &'static str {
    use crate::identity::opaque::OpaqueError;
    match error {
        OnboardingError::Weak(_) => "weak_password",
        OnboardingError::Network(NetError::WrongKey { .. }) => "wrong_relay_key",
        OnboardingError::Network(_) => "relay_unreachable",
        OnboardingError::Refused(refusal) => refusal_code(refusal),
        OnboardingError::Opaque(OpaqueError::WrongPassword) => "wrong_password",
        _ => "onboarding",
    }
}

fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::HandleTaken => "handle_taken",
        Refusal::HandleMalformed => "handle",
        Refusal::WrongPassword => "wrong_password",
        Refusal::RegistrationClosed => "registration_closed",
        Refusal::NotFound => "not_found",
        Refusal::TooMany { .. } => "too_many",
        Refusal::TryLater => "try_later",
        _ => "refused",
    }
}
