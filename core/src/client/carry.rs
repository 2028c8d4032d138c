//! Carries out requests.

use super::files::Sending;
use super::speech_options::check_language;
use super::transcribe::Wanted;
use super::view::{format_id, parse_id};
use super::{Client, ClientError};
use crate::chat::policy::direct_conversation;
use crate::chat::{Command, CommandError, PictureChange, Reply as Outcome};
use crate::identity::{Handle, Invite};
use crate::session::Event as Told;
use crate::store::StoreError;
use crate::types::{AccountId, ContentId, ConversationId};
use crate::wire::control::{Reply, Request, SpeechOptions};

impl Client {
    /// Carries out a request. [`Request::Listen`] and [`Request::Shutdown`] are for whoever serves the socket: here they do
    /// nothing.
    ///
    /// # Errors
    /// A sentence that says why it was not carried out.
    pub async fn execute(&self, request: Request) -> Result<Reply, ClientError> {
        self.carry_out(request).await.map_err(|error| match (error, self.store().failure()) {
            // Why the store cannot be read says more than that it cannot.
            (ClientError::Engine(_), Some(StoreError::Closed)) => ClientError::Ending,
            (ClientError::Engine(_), Some(why)) => ClientError::Store(why),
            (error, _) => error,
        })
    }

    async fn carry_out(&self, request: Request) -> Result<Reply, ClientError> {
        match request {
            Request::Whoami => Ok(Reply::Me(self.whoami()?)),
            Request::Status => Ok(Reply::Status(self.status().await?)),
            Request::Contacts => Ok(Reply::Contacts(self.contact_list()?)),
            Request::Chats => Ok(Reply::Chats(self.chat_list()?)),
            Request::Page { with, at, limit } => {
                self.number_wanted(&with)?;
                Ok(Reply::Page(self.page(&with, &at, limit)?))
            }
            Request::SaveDraft { with, text } => {
                let conversation = self.chat_named(&with)?;
                self.done(Command::SaveDraft { conversation, text }).await
            }
            Request::Typing { with, on } => self.typing(&with, on).await,
            Request::Arrange { with, pinned, muted } => {
                let conversation = self.chat_named(&with)?;
                self.done(Command::Arrange { conversation, pinned, muted }).await
            }
            Request::Members { with } => {
                self.number_wanted(&with)?;
                Ok(Reply::Members(self.member_list(&with)?))
            }
            Request::Devices => Ok(Reply::Devices(self.device_list().await?)),
            Request::NameDevice { name } => {
                let name = Some(name.trim().to_owned());
                self.done(Command::LabelDevice { name, machine: None, system: None }).await
            }
            Request::TakeRecord { record } => self.done(Command::OwnRecord { record, prekeys: Vec::new() }).await,
            Request::Options => Ok(Reply::Options(self.inner.choices.view())),
            Request::SetOptions { read_receipts, mdns, always_relay, typing, played_receipts, auto_fetch_bytes } => {
                self.inner.choices.choose(|choice| {
                    choice.read_receipts = read_receipts.unwrap_or(choice.read_receipts);
                    choice.mdns = mdns.unwrap_or(choice.mdns);
                    choice.always_relay = always_relay.unwrap_or(choice.always_relay);
                    choice.typing = typing.unwrap_or(choice.typing);
                    choice.played_receipts = played_receipts.unwrap_or(choice.played_receipts);
                    choice.auto_fetch_bytes = auto_fetch_bytes.unwrap_or(choice.auto_fetch_bytes);
                })?;
                let now = self.inner.choices.now();
                self.inner.session.read_receipts(now.read_receipts).await?;
                self.attachments().set_auto_fetch(now.auto_fetch_bytes).await?;
                Ok(Reply::Options(self.inner.choices.view()))
            }
            Request::SetProfile { name, about, picture, remove_picture } => {
                let picture = match picture {
                    Some(bytes) => PictureChange::Set(bytes),
                    None if remove_picture => PictureChange::Remove,
                    None => PictureChange::Keep,
                };
                self.done(Command::SetProfile { name, about, picture }).await
            }
            Request::Profile { who } => Ok(Reply::Profile(self.profile(who.as_deref())?)),
            Request::ChangeLock { from, to } => {
                self.change_lock(from, to).await?;
                Ok(Reply::Done)
            }
            Request::Export { to } => {
                let written = self.export(to).await?;
                Ok(Reply::Exported { files: written.files, messages: written.messages })
            }
            Request::Raise { link } => self.raise(link),
            Request::Requests => Ok(Reply::Requests(self.request_list()?)),
            Request::Add { who, text } => self.add(&who, text).await,
            Request::Accept { who } => self.with_account(&who, |account| Command::Accept { account }).await,
            Request::Decline { who } => self.with_account(&who, |account| Command::Decline { account }).await,
            Request::Block { who } => self.with_account(&who, |account| Command::Block { account }).await,
            Request::Unblock { who } => self.with_account(&who, |account| Command::Unblock { account }).await,
            Request::Verify { who } => self.with_account(&who, |account| Command::Verify { account }).await,
            Request::CreateGroup { name, members } => self.create_group(name, &members).await,
            Request::Send { to, text, reply_to } => self.send(&to, text, reply_to.as_deref()).await,
            Request::SendVoice { to, file } => self.send_voice(&to, &file).await,
            Request::SendFile { to, path, name, media_type, caption, dimensions, preview, reply_to } => {
                let sending = Sending { path, name, media_type, caption, dimensions, preview, reply_to };
                self.send_file(&to, sending).await
            }
            Request::Fetch { with, message } => self.fetch(&with, &message).await,
            Request::SaveFile { with, message, path } => self.save_file(&with, &message, path).await,
            Request::CancelTransfer { with, message } => self.cancel_transfer(&with, &message).await,
            Request::Edit { with, message, text } => {
                let (conversation, of) = self.place(&with, &message)?;
                self.done(Command::Edit { conversation, of, text }).await
            }
            Request::Delete { with, message } => {
                let (conversation, of) = self.place(&with, &message)?;
                self.done(Command::Delete { conversation, of }).await
            }
            Request::React { with, message, emoji } => {
                let (conversation, of) = self.place(&with, &message)?;
                self.done(Command::React { conversation, of, emoji }).await
            }
            Request::History { with, before, limit } => {
                Ok(Reply::Messages(self.history(&with, before.as_deref(), limit)?))
            }
            Request::MarkRead { with, upto } => {
                let (conversation, upto) = self.place(&with, &upto)?;
                self.done(Command::MarkRead { conversation, upto }).await
            }
            Request::Transcribe { with, message, priority, language, translate, again } => {
                let wanted = Wanted { urgency: priority, language, translate, again };
                Ok(Reply::Transcript(self.transcribe(&with, message.as_deref(), wanted).await?))
            }
            Request::LookAt { with, messages } => Ok(Reply::Waiting { messages: self.look_at(&with, &messages)? }),
            Request::CancelTranscription { with, message } => {
                self.cancel_transcription(&with, &message)?;
                Ok(Reply::Done)
            }
            Request::Transcript { with, message } => Ok(Reply::Transcript(self.whole_transcript(&with, &message)?)),
            Request::EditTranscript { with, message, text } => {
                Ok(Reply::Transcript(self.edit_transcript(&with, &message, &text).await?))
            }
            Request::AttachTranscript { with, message, on } => {
                self.attach_transcript(&with, &message, on).await?;
                Ok(Reply::Done)
            }
            Request::Listening { with } => {
                let conversation = self.conversation_named(&with)?.id;
                Ok(Reply::Listening(self.listening_to(&conversation)?))
            }
            Request::SetListening { with, language, translate } => {
                Ok(Reply::Listening(self.set_listening(&with, language, translate).await?))
            }
            Request::SpeechOptions => Ok(Reply::SpeechOptions(self.speech_options())),
            Request::Models => Ok(Reply::Models(self.model_list()?)),
            Request::DownloadModel { name } => {
                self.download_model(name)?;
                Ok(Reply::Done)
            }
            Request::PauseModel { name } => {
                self.pause_model(&name)?;
                Ok(Reply::Done)
            }
            Request::DeleteModel { name } => {
                self.delete_model(name).await?;
                Ok(Reply::Done)
            }
            Request::ImportModel { file } => Ok(Reply::Model(self.import_model(file).await?)),
            Request::BenchModel { name } => Ok(Reply::Model(self.bench_model(name).await?)),
            request @ Request::SetSpeechOptions { .. } => Ok(Reply::SpeechOptions(self.set_speech_options(request)?)),
            Request::Find { with, words, before, limit } => {
                Ok(Reply::Found(self.find_words(&with, &words, before.as_deref(), limit)?))
            }
            Request::Shared { with, before, limit } => Ok(Reply::Shared(self.shared(with, before, limit).await?)),
            Request::Invite => Ok(Reply::Link { link: self.invite()? }),
            Request::Listen | Request::Shutdown => Ok(Reply::Done),
        }
    }

    pub(super) async fn done(&self, command: Command) -> Result<Reply, ClientError> {
        let outcome = self.inner.session.command(command).await?;
        Ok(match outcome {
            Outcome::Created { conversation } => Reply::Conversation { conversation: conversation.to_string() },
            Outcome::Done | Outcome::Written { .. } => Reply::Done,
        })
    }

    async fn with_account(&self, who: &str, command: impl FnOnce(AccountId) -> Command) -> Result<Reply, ClientError> {
        let account = self.account_named(who)?;
        let _ = self.inner.session.command(command(account)).await?;
        Ok(Reply::Done)
    }

    async fn add(&self, who: &str, text: String) -> Result<Reply, ClientError> {
        let found = self.find(who).await?;
        let record = found.record.encode();
        self.done(Command::RequestContact { record, handle: found.handle, text }).await
    }

    async fn create_group(&self, name: String, members: &[String]) -> Result<Reply, ClientError> {
        let members = members.iter().map(|who| self.account_named(who)).collect::<Result<_, _>>()?;
        self.done(Command::CreateGroup { name, members }).await
    }

    async fn send(&self, to: &str, text: String, reply_to: Option<&str>) -> Result<Reply, ClientError> {
        let conversation = self.conversation_named(to)?;
        let reply_to = reply_to.map(parse_id).transpose()?;
        let command = Command::SendText { conversation: conversation.id, text, reply_to };
        self.written(command).await
    }

    /// Carries out a command that writes a message, and shows the message.
    pub(super) async fn written(&self, command: Command) -> Result<Reply, ClientError> {
        let Outcome::Written { conversation, id } = self.inner.session.command(command).await? else {
            return Err(ClientError::Nonsense);
        };
        let missing = || ClientError::NoMessage(format_id(&id));
        let read = || {
            let view = self.conversation(conversation)?.ok_or_else(missing)?;
            self.message(&view, &id)?.ok_or_else(missing)
        };
        // It is written; a store that stopped since cannot show it, and that must not read as if nothing had been done.
        let message = read().map_err(|error| self.store().failure().map_or(error, ClientError::Uncertain))?;
        Ok(Reply::Message(message))
    }

    /// Of a contact who has not accepted yet there is nobody to tell, and a person may have chosen to tell nobody.
    async fn typing(&self, with: &str, on: bool) -> Result<Reply, ClientError> {
        let conversation = self.chat_named(with)?;
        if self.entry(&conversation)?.is_none() || !self.inner.choices.now().typing {
            return Ok(Reply::Done);
        }
        self.done(Command::Typing { conversation, on }).await
    }

    fn speech_options(&self) -> SpeechOptions {
        self.inner.speech.choices.view(&self.inner.speech.models)
    }

    /// Chooses for speech by [`Request::SetSpeechOptions`].
    fn set_speech_options(&self, request: Request) -> Result<SpeechOptions, ClientError> {
        let Request::SetSpeechOptions { automatic, mains_only, up_to_s, attach, language, translate, model, mirrors } =
            request
        else {
            return Err(ClientError::Nonsense);
        };
        mirrors.iter().flatten().try_for_each(|mirror| crate::speech::fetch::check_mirror(mirror))?;
        language.iter().try_for_each(|language| check_language(language))?;
        if let Some(name) = &model {
            self.inner.speech.models.to_listen_with(name)?;
        }
        self.inner.speech.choices.choose(|choice| {
            choice.automatic = automatic.unwrap_or(choice.automatic);
            choice.mains_only = mains_only.unwrap_or(choice.mains_only);
            choice.up_to_s = up_to_s.unwrap_or(choice.up_to_s);
            choice.attach = attach.unwrap_or(choice.attach);
            choice.language = language.unwrap_or_else(|| std::mem::take(&mut choice.language));
            choice.translate = translate.unwrap_or(choice.translate);
            choice.model = model.unwrap_or_else(|| std::mem::take(&mut choice.model));
            choice.mirrors = mirrors.unwrap_or_else(|| std::mem::take(&mut choice.mirrors));
            choice.mirrors.truncate(crate::speech::fetch::MAX_MIRRORS);
        })?;
        Ok(self.speech_options())
    }

    fn raise(&self, link: Option<String>) -> Result<Reply, ClientError> {
        /// Longer than any link of ours.
        const MAX_LINK: usize = 4096;
        if link.as_ref().is_some_and(|link| link.len() > MAX_LINK) {
            return Err(CommandError::TooLong { limit: MAX_LINK }.into());
        }
        self.inner.session.tell(Told::Raise { link });
        Ok(Reply::Done)
    }

    pub(super) fn place(&self, with: &str, message: &str) -> Result<(ConversationId, ContentId), ClientError> {
        Ok((self.conversation_named(with)?.id, parse_id(message)?))
    }

    fn invite(&self) -> Result<String, ClientError> {
        let record = self.own_record()?;
        let handle = self.own_handle()?;
        let handle = handle.as_deref().and_then(|handle| Handle::parse(super::names::local_part(handle)).ok());
        let relays = record.relays().iter().take(4).cloned().collect();
        Ok(Invite { account: record.account_id(), handle, relays }.to_link()?)
    }

    /// The id of the direct conversation with an account.
    pub fn conversation_with(&self, account: AccountId) -> ConversationId {
        direct_conversation(self.me().account, account)
    }
}
