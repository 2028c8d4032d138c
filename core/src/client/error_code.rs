//! What errors are called.

use crate::wire::control::words;

words! {
    /// What an error is called by programs, and where a window finds its words.
    pub enum ErrorCode {
        /// There is no profile, or none that is whole.
        NoProfile = "no_profile",
        /// There is one already.
        ProfileExists = "profile_exists",
        /// Another process has it open.
        ProfileOpen = "profile_open",
        /// The system names no place for it.
        NoDirectory = "no_directory",
        /// The passphrase is wrong.
        WrongPassphrase = "wrong_passphrase",
        /// A newer Kith wrote it.
        NewerStore = "newer_store",
        /// It holds no account.
        NoAccount = "no_account",
        /// It does not start.
        Start = "start",
        /// The store is damaged, or cannot be written.
        Store = "store",
        /// There is no room on the disk.
        DiskFull = "disk_full",
        /// Sign-up or log-in was not understood.
        Onboarding = "onboarding",
        /// The password is easy to guess.
        WeakPassword = "weak_password",
        /// Name or password are wrong.
        WrongPassword = "wrong_password",
        /// Name or recovery code are wrong.
        WrongRecoveryCode = "wrong_recovery_code",
        /// Not a recovery code.
        RecoveryCode = "recovery_code",
        /// Nobody knows which password counts, the old one or the new one.
        PasswordUncertain = "password_uncertain",
        /// The account has no such device.
        NoDevice = "no_device",
        /// Somebody else answers at the relay's address.
        WrongRelayKey = "wrong_relay_key",
        /// The relay does not answer.
        RelayUnreachable = "relay_unreachable",
        /// The name is taken.
        HandleTaken = "handle_taken",
        /// Not a name.
        Handle = "handle",
        /// The relay takes nobody without an invitation.
        RegistrationClosed = "registration_closed",
        /// Not an invitation.
        Invitation = "invitation",
        /// Nobody of this name is at that relay.
        NotFound = "not_found",
        /// The relay asks for patience.
        TooMany = "too_many",
        /// The relay cannot do it now.
        TryLater = "try_later",
        /// The relay refuses.
        Refused = "refused",
        /// The network does not do it.
        Network = "network",
        /// Not an address.
        Address = "address",
        /// Not a link, or another malformed thing.
        Malformed = "malformed",
        /// Nobody is called so.
        Nobody = "nobody",
        /// Several are.
        Ambiguous = "ambiguous",
        /// They have not accepted yet.
        NotAccepted = "not_accepted",
        /// The relay is not known here.
        UnknownRelay = "unknown_relay",
        /// The account has no relay.
        NoRelay = "no_relay",
        /// Another account's record was shown.
        WrongRecord = "wrong_record",
        /// The name leads to another account than before.
        OtherAccount = "other_account",
        /// The answer makes no sense.
        Nonsense = "nonsense",
        /// They are blocked.
        Blocked = "blocked",
        /// No such conversation.
        NoConversation = "no_conversation",
        /// No such contact or request.
        NoContact = "no_contact",
        /// No such message.
        NoMessage = "no_message",
        /// The text is too long.
        TooLong = "too_long",
        /// The rules of the conversation do not allow it.
        NotAllowed = "not_allowed",
        /// This device is no member any more.
        NotMember = "not_member",
        /// This device waits to be added again.
        Rejoining = "rejoining",
        /// The engine did not do it.
        Command = "command",
        /// There is no voice note.
        NoVoiceNote = "no_voice_note",
        /// The message has no file.
        NoFile = "no_file",
        /// The file is not here yet.
        NotHere = "not_here",
        /// The file was not saved.
        NotSaved = "not_saved",
        /// The file is too large.
        TooLarge = "too_large",
        /// The attachment is damaged, or the disk does not give it.
        Attachment = "attachment",
        /// The file cannot be read.
        File = "file",
        /// Nothing was exported.
        Export = "export",
        /// The profile was not deleted.
        Erase = "erase",
        /// The sound cannot be read or sent.
        Sound = "sound",
        /// It lasts too long.
        SoundTooLong = "sound_too_long",
        /// There is no sound in it.
        SoundEmpty = "sound_empty",
        /// No sound system runs.
        NoSoundSystem = "no_sound_system",
        /// There is no microphone.
        NoMicrophone = "no_microphone",
        /// There is no speaker.
        NoSpeaker = "no_speaker",
        /// The microphone may not be used.
        MicrophoneDenied = "microphone_denied",
        /// No sound may be played.
        SpeakerDenied = "speaker_denied",
        /// Another program has the device.
        SoundBusy = "sound_busy",
        /// The device was disconnected.
        SoundGone = "sound_gone",
        /// The device offers no format that is known.
        SoundUnsupported = "sound_unsupported",
        /// The device failed.
        SoundDevice = "sound_device",
        /// The speech model is not here.
        Model = "model",
        /// The file is no speech model, or is damaged.
        ModelFile = "model_file",
        /// Not the address of a folder of models.
        Mirror = "mirror",
        /// Others are being fetched.
        ManyDownloads = "many_downloads",
        /// The speech model was not fetched.
        ModelDownload = "model_download",
        /// The download was paused.
        Paused = "paused",
        /// It was called off.
        Cancelled = "cancelled",
        /// The transcription failed.
        Speech = "speech",
        /// There is no transcript yet.
        NoTranscript = "no_transcript",
        /// This program is ending.
        Ending = "ending",
    }
}
