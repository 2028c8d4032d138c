//! The facade's errors: each is a sentence for the person, and a stable word for programs.

use super::error_code::ErrorCode;
use crate::audio::{AudioError, Direction};
use crate::blob::{SealError, ShelfError};
use crate::chat::{CommandError, EngineError};
use crate::identity::{FormatError, HandleError, RecoveryCodeError};
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
    /// Not a recovery code.
    #[error(transparent)]
    RecoveryCode(#[from] RecoveryCodeError),
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
        self.kind().word()
    }

    /// The same, to be matched.
    pub fn kind(&self) -> ErrorCode {
        match self {
            Self::NoProfile(_) | Self::Unfinished(_) => ErrorCode::NoProfile,
            Self::CutOff(_) => ErrorCode::HandleTaken,
            Self::ProfileExists(_) => ErrorCode::ProfileExists,
            Self::NoDirectory => ErrorCode::NoDirectory,
            Self::Store(StoreError::AlreadyOpen { .. }) => ErrorCode::ProfileOpen,
            Self::Store(StoreError::WrongKey) => ErrorCode::WrongPassphrase,
            Self::Store(StoreError::FromTheFuture { .. }) => ErrorCode::NewerStore,
            Self::Store(error) | Self::NotStored(error) | Self::Uncertain(error) => store_code(error),
            Self::Engine(EngineError::Store(error)) => read_code(error),
            Self::Engine(_) | Self::Write(_) => ErrorCode::Store,
            Self::Start(StartError::NoAccount) => ErrorCode::NoAccount,
            Self::Start(_) => ErrorCode::Start,
            Self::Onboarding(error) => onboarding_code(error),
            Self::Command(error) => command_code(error),
            Self::Network(_) => ErrorCode::Network,
            Self::Refused(refusal) => refusal_code(refusal),
            Self::Address(_) | Self::RelayAddress(_) => ErrorCode::Address,
            Self::Handle(_) => ErrorCode::Handle,
            Self::Format(_) => ErrorCode::Malformed,
            Self::Nobody(_) => ErrorCode::Nobody,
            Self::Ambiguous(..) => ErrorCode::Ambiguous,
            Self::NotAccepted(_) => ErrorCode::NotAccepted,
            Self::UnknownRelay(_) => ErrorCode::UnknownRelay,
            Self::NoRelay => ErrorCode::NoRelay,
            Self::WrongRecord => ErrorCode::WrongRecord,
            Self::OtherAccount { .. } => ErrorCode::OtherAccount,
            Self::Nonsense => ErrorCode::Nonsense,
            Self::Invitation => ErrorCode::Invitation,
            Self::RecoveryCode(_) => ErrorCode::RecoveryCode,
            Self::NoMessage(_) => ErrorCode::NoMessage,
            Self::NoVoiceNote => ErrorCode::NoVoiceNote,
            Self::NoAttachment => ErrorCode::NoFile,
            Self::NotHere => ErrorCode::NotHere,
            Self::NotSaved { .. } => ErrorCode::NotSaved,
            Self::Attachment(ShelfError::Full) => ErrorCode::DiskFull,
            Self::Attachment(ShelfError::Seal(SealError::TooLarge)) => ErrorCode::TooLarge,
            Self::Attachment(_) => ErrorCode::Attachment,
            Self::File { .. } => ErrorCode::File,
            Self::Export { .. } => ErrorCode::Export,
            Self::Erase { .. } => ErrorCode::Erase,
            Self::Note(NoteError::TooLong { .. } | NoteError::Endless | NoteError::OverAnHour) => {
                ErrorCode::SoundTooLong
            }
            Self::Note(NoteError::Empty) => ErrorCode::SoundEmpty,
            Self::Note(_) => ErrorCode::Sound,
            Self::Audio(error) => audio_code(error),
            Self::Model(_) | Self::Fetch(FetchError::Model(_)) => ErrorCode::ModelFile,
            Self::NoModel(_) | Self::UnknownModel(_) => ErrorCode::Model,
            Self::Fetch(FetchError::Mirror(_)) => ErrorCode::Mirror,
            Self::Fetch(FetchError::Busy { .. }) | Self::ManyDownloads => ErrorCode::ManyDownloads,
            Self::Fetch(FetchError::Paused { .. }) => ErrorCode::Paused,
            Self::Fetch(FetchError::DiskFull { .. }) => ErrorCode::DiskFull,
            Self::Fetch(_) => ErrorCode::ModelDownload,
            Self::Speech(SpeechError::Cancelled) => ErrorCode::Cancelled,
            Self::SoundFile { error: SoundError::Unreadable(_), .. } => ErrorCode::File,
            Self::Speech(SpeechError::Sound(_)) | Self::SoundFile { .. } => ErrorCode::Sound,
            Self::Speech(_) => ErrorCode::Speech,
            Self::NoTranscript => ErrorCode::NoTranscript,
            Self::Ending => ErrorCode::Ending,
        }
    }
}

const fn store_code(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::Full => ErrorCode::DiskFull,
        StoreError::Read(error) => read_code(error),
        _ => ErrorCode::Store,
    }
}

const fn read_code(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::Full => ErrorCode::DiskFull,
        _ => ErrorCode::Store,
    }
}

const fn command_code(error: &CommandError) -> ErrorCode {
    match error {
        CommandError::Blocked => ErrorCode::Blocked,
        CommandError::NoMessage => ErrorCode::NoMessage,
        CommandError::NoConversation => ErrorCode::NoConversation,
        CommandError::NoContact => ErrorCode::NoContact,
        CommandError::TooLong { .. } => ErrorCode::TooLong,
        CommandError::NotAllowed => ErrorCode::NotAllowed,
        CommandError::NotMember => ErrorCode::NotMember,
        CommandError::Rejoining => ErrorCode::Rejoining,
        CommandError::Malformed(_) | CommandError::Internal(_) => ErrorCode::Command,
    }
}

const fn audio_code(error: &AudioError) -> ErrorCode {
    match error {
        AudioError::NoSystem => ErrorCode::NoSoundSystem,
        AudioError::NoDevice(Direction::Input) => ErrorCode::NoMicrophone,
        AudioError::NoDevice(Direction::Output) => ErrorCode::NoSpeaker,
        AudioError::Denied(Direction::Input) => ErrorCode::MicrophoneDenied,
        AudioError::Denied(Direction::Output) => ErrorCode::SpeakerDenied,
        AudioError::Busy => ErrorCode::SoundBusy,
        AudioError::Gone => ErrorCode::SoundGone,
        AudioError::Unsupported => ErrorCode::SoundUnsupported,
        AudioError::Failed { .. } => ErrorCode::SoundDevice,
    }
}

fn onboarding_code(error: &OnboardingError) -> ErrorCode {
    use crate::identity::opaque::OpaqueError;
    match error {
        OnboardingError::Weak(_) => ErrorCode::WeakPassword,
        OnboardingError::Network(NetError::WrongKey { .. }) => ErrorCode::WrongRelayKey,
        OnboardingError::Network(_) => ErrorCode::RelayUnreachable,
        OnboardingError::Refused(refusal) => refusal_code(refusal),
        OnboardingError::Opaque(OpaqueError::WrongPassword) => ErrorCode::WrongPassword,
        OnboardingError::Uncertain => ErrorCode::PasswordUncertain,
        OnboardingError::NoDevice => ErrorCode::NoDevice,
        _ => ErrorCode::Onboarding,
    }
}

const fn refusal_code(refusal: &Refusal) -> ErrorCode {
    match refusal {
        Refusal::HandleTaken => ErrorCode::HandleTaken,
        Refusal::HandleMalformed => ErrorCode::Handle,
        Refusal::WrongPassword => ErrorCode::WrongPassword,
        Refusal::WrongRecoveryCode => ErrorCode::WrongRecoveryCode,
        Refusal::RegistrationClosed => ErrorCode::RegistrationClosed,
        Refusal::NotFound => ErrorCode::NotFound,
        Refusal::TooMany { .. } => ErrorCode::TooMany,
        Refusal::TryLater => ErrorCode::TryLater,
        _ => ErrorCode::Refused,
    }
}
