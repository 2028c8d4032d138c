//! Commands of a person.

use super::Engine;
use crate::chat::account::{Accepted, OwnPrekey};
use crate::chat::api::{Command, CommandError, Notice, Reply};
use crate::chat::conversation::Conversation;
use crate::chat::membership::{Invitee, Wish};
use crate::chat::policy::{Home, Kind as Sort, MAX_NAME, Policy, Role, direct_conversation, own_conversation};
use crate::chat::turn::{EngineError, Turn};
use crate::chat::{label, shelf};
use crate::identity::RelayAddress;
use crate::store::{Scope, Table};
use crate::types::{AccountId, ContentId, ConversationId};
use crate::wire::codec::Body;
use crate::wire::message::{
    Delete, Draft, Edit, Kind, Leave, MAX_DEVICE_NAME, MAX_TEXT, Played, Reaction, ReadUpTo, Setting, Text, Transcript,
    VoiceNote,
};

/// The longest reaction, in bytes: an emoji of several parts.
const MAX_EMOJI: usize = 32;

/// The largest voice note, in bytes.
const MAX_NOTE: usize = 64 * 1024;

/// The largest transcript that a reader keeps, in bytes: that of an hour with the time of each word takes about 180 kB.
const MAX_TRANSCRIPT: usize = 256 * 1024;

/// The largest choice of how to listen to a conversation, in bytes.
const MAX_LISTENING: usize = 1024;

type Answered = Result<Result<Reply, CommandError>, EngineError>;

impl Engine {
    /// Carries out a command.
    pub(super) fn command(&mut self, turn: &mut Turn<'_>, command: Command) -> Answered {
        match command {
            Command::RequestContact { record, handle, text } => {
                done(self.account.request_contact(turn, &record, handle, text)?)
            }
            Command::Accept { account } => self.accept(turn, account),
            Command::Decline { account } => done(self.account.decline(turn, account)?),
            Command::Block { account } => done(self.account.block(turn, account)?),
            Command::Unblock { account } => self.unblock(turn, account),
            Command::Verify { account } => done(self.account.mark_verified(turn, account)?),
            Command::CreateGroup { name, members } => self.create_group(turn, name, &members),
            Command::AddMembers { conversation, members } => self.add_members(turn, conversation, &members),
            Command::RemoveMember { conversation, member } => {
                let wish = Wish::Unseat { account: member, leave: None };
                self.administer(turn, conversation, wish)
            }
            Command::Leave { conversation } => self.leave(turn, conversation),
            Command::SendText { conversation, text, reply_to } => {
                if text.len() > MAX_TEXT {
                    return Ok(Err(CommandError::TooLong { limit: MAX_TEXT }));
                }
                self.write(turn, conversation, Kind::Text, Text { text, reply_to }.encode())
            }
            Command::SendVoiceNote { conversation, ogg, duration_ms, peaks } => {
                if ogg.len() > MAX_NOTE {
                    return Ok(Err(CommandError::TooLong { limit: MAX_NOTE }));
                }
                self.write(turn, conversation, Kind::VoiceNote, VoiceNote { ogg, duration_ms, peaks }.encode())
            }
            Command::SendFile { conversation, file } => {
                if let Err(error) = file.check() {
                    return Ok(Err(CommandError::Malformed(error.to_string())));
                }
                self.write(turn, conversation, Kind::File, file.encode())
            }
            Command::SendLongVoiceNote { conversation, note } => {
                if let Err(error) = note.check() {
                    return Ok(Err(CommandError::Malformed(error.to_string())));
                }
                self.write(turn, conversation, Kind::LongVoiceNote, note.encode())
            }
            Command::Edit { conversation, of, text } => self.edit(turn, conversation, of, text),
            Command::Delete { conversation, of } => self.delete(turn, conversation, of),
            Command::React { conversation, of, emoji } => {
                if emoji.len() > MAX_EMOJI {
                    return Ok(Err(CommandError::TooLong { limit: MAX_EMOJI }));
                }
                self.write(turn, conversation, Kind::Reaction, Reaction { of, emoji }.encode())
            }
            Command::MarkRead { conversation, upto } => self.mark_read(turn, conversation, &upto),
            Command::KeepTranscript { conversation, of, transcript } => {
                self.keep_transcript(turn, conversation, &of, transcript)
            }
            Command::KeepHeard { conversation, of, heard } => {
                if self.with(turn, conversation, |_, _, _| Ok(()))?.is_none() {
                    return Ok(Err(CommandError::NoConversation));
                }
                let key = crate::chat::feed::key::event(&conversation, &of);
                turn.effects.batch.put(Table::Heard, Scope::Conversation(conversation), key, heard.to_bytes());
                turn.effects.notices.push(Notice::Timeline { conversation, id: of, new: false });
                Ok(Ok(Reply::Done))
            }
            Command::SayPlayed { conversation, of } => {
                self.write(turn, conversation, Kind::Played, Played { of }.encode())
            }
            Command::AttachTranscript { conversation, transcript } => {
                self.attach_transcript(turn, conversation, &transcript)
            }
            Command::KeepListening { conversation, choice } => self.keep_listening(turn, conversation, choice),
            Command::SaveDraft { conversation, text } => self.save_draft(turn, conversation, text),
            Command::SetProfile { name, about, picture } => self.set_profile(turn, name, about, picture),
            Command::Arrange { conversation, pinned, muted } => self.arrange(turn, conversation, pinned, muted),
            Command::LabelDevice { name, machine, system } => self.label_device(turn, name, machine, system),
            Command::Typing { conversation, on } => {
                let typed =
                    self.with(turn, conversation, |conversation, turn, shared| conversation.typing(turn, shared, on))?;
                Ok(typed.map(|()| Reply::Done).ok_or(CommandError::NoConversation))
            }
            Command::OwnRecord { record, prekeys } => self.own_record(turn, &record, prekeys),
            Command::UpdateKeys { conversation } => self.change(turn, conversation, Wish::Update),
            Command::MoveHome { conversation, relay } => self.move_home(turn, conversation, relay),
        }
    }

    fn accept(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Answered {
        match self.account.accept(turn, account)? {
            Ok(accepted) => Ok(Ok(Reply::Created { conversation: self.create_direct(turn, &accepted)? })),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Founds the conversation with somebody who asked, unless there is one.
    pub(super) fn create_direct(
        &mut self,
        turn: &mut Turn<'_>,
        accepted: &Accepted,
    ) -> Result<ConversationId, EngineError> {
        let record = &accepted.record;
        let id = direct_conversation(self.account.id(), record.account_id());
        let here = self.with(turn, id, |conversation, _, _| Ok(conversation.membership().present().is_some()))?;
        if here != Some(true) && accepted.key_package.is_none() {
            self.follow(turn, id)?;
        } else if here != Some(true) {
            let own = self.account.record().clone();
            let policy =
                self.first_policy(id, Sort::Direct, String::new(), &[(&own, Role::Member), (record, Role::Member)]);
            let packages = accepted.key_package.iter().cloned().collect();
            self.found(turn, policy, &[Invitee { record: record.clone(), packages }])?;
        }
        self.grant(turn, id, record.account_id())?;
        Ok(id)
    }

    fn unblock(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Answered {
        if let Err(error) = self.account.unblock(turn, account)? {
            return Ok(Err(error));
        }
        let id = direct_conversation(self.account.id(), account);
        if self.with(turn, id, |_, _, _| Ok(()))?.is_some() {
            self.grant(turn, id, account)?;
        }
        Ok(Ok(Reply::Done))
    }

    fn create_group(&mut self, turn: &mut Turn<'_>, name: String, members: &[AccountId]) -> Answered {
        if name.len() > MAX_NAME {
            return Ok(Err(CommandError::TooLong { limit: MAX_NAME }));
        }
        if let Err(error) = self.are_contacts(turn, members)? {
            return Ok(Err(error));
        }
        let own = self.account.record().clone();
        let id = ConversationId::random(turn.rng);
        let policy = self.first_policy(id, Sort::Group, name, &[(&own, Role::Admin)]);
        self.found(turn, policy, &[])?;
        self.seat(turn, id, members)?;
        Ok(Ok(Reply::Created { conversation: id }))
    }

    fn are_contacts(&self, turn: &Turn<'_>, members: &[AccountId]) -> Result<Result<(), CommandError>, EngineError> {
        for member in members {
            match self.account.contact(turn, member)? {
                Some(contact) if contact.blocked => return Ok(Err(CommandError::Blocked)),
                Some(contact) if contact.accepted => {}
                Some(_) | None => return Ok(Err(CommandError::NoContact)),
            }
        }
        Ok(Ok(()))
    }

    fn seat(&mut self, turn: &mut Turn<'_>, id: ConversationId, members: &[AccountId]) -> Result<(), EngineError> {
        for member in members {
            let Some(record) = self.account.record_of(turn, member)? else { continue };
            let wish = Wish::Seat { record: record.encode().into(), packages: None };
            self.with(turn, id, |conversation, turn, shared| conversation.wish(turn, shared, wish, 0))?;
        }
        Ok(())
    }

    fn add_members(&mut self, turn: &mut Turn<'_>, id: ConversationId, members: &[AccountId]) -> Answered {
        if let Err(error) = self.is_admin(turn, id)? {
            return Ok(Err(error));
        }
        if let Err(error) = self.are_contacts(turn, members)? {
            return Ok(Err(error));
        }
        self.seat(turn, id, members)?;
        Ok(Ok(Reply::Done))
    }

    fn is_admin(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<Result<(), CommandError>, EngineError> {
        let own = self.account.id();
        let judged = self.with(turn, id, |conversation, _, _| {
            let policy = conversation.membership().policy();
            let admin = |policy: &Policy| policy.kind == Sort::Group && policy.is_admin(own);
            Ok((conversation.membership().present().is_some(), policy.is_some_and(admin)))
        })?;
        Ok(match judged {
            None => Err(CommandError::NoConversation),
            Some((false, _)) => Err(CommandError::NotMember),
            Some((true, false)) => Err(CommandError::NotAllowed),
            Some((true, true)) => Ok(()),
        })
    }

    fn administer(&mut self, turn: &mut Turn<'_>, id: ConversationId, wish: Wish) -> Answered {
        match self.is_admin(turn, id)? {
            Ok(()) => self.change(turn, id, wish),
            Err(error) => Ok(Err(error)),
        }
    }

    fn change(&mut self, turn: &mut Turn<'_>, id: ConversationId, wish: Wish) -> Answered {
        let wished = self.with(turn, id, |conversation, turn, shared| {
            if conversation.membership().present().is_none() {
                return Ok(false);
            }
            conversation.wish(turn, shared, wish, 0)?;
            Ok(true)
        })?;
        Ok(match wished {
            None => Err(CommandError::NoConversation),
            Some(false) => Err(CommandError::NotMember),
            Some(true) => Ok(Reply::Done),
        })
    }

    fn leave(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Answered {
        let kind = self.with(turn, id, |conversation, _, _| Ok(conversation.kind()))?;
        match kind.flatten() {
            None => Ok(Err(CommandError::NoConversation)),
            Some(Sort::Own | Sort::Direct) => Ok(Err(CommandError::NotAllowed)),
            Some(Sort::Group) => self.write(turn, id, Kind::Leave, Leave {}.encode()),
        }
    }

    fn move_home(&mut self, turn: &mut Turn<'_>, id: ConversationId, relay: Option<RelayAddress>) -> Answered {
        let home = relay.map_or_else(|| Home::device(self.account.certificate()), Home::Relay);
        self.change(turn, id, Wish::Move(home))
    }

    /// Writes an event in a conversation that one may write in.
    fn write(&mut self, turn: &mut Turn<'_>, id: ConversationId, kind: Kind, body: Vec<u8>) -> Answered {
        if body.len() > Conversation::body_limit() {
            return Ok(Err(CommandError::TooLong { limit: Conversation::body_limit() }));
        }
        if let Err(error) = self.may_write(turn, id)? {
            return Ok(Err(error));
        }
        let written = self.with(turn, id, |conversation, turn, shared| conversation.write(turn, shared, kind, body))?;
        Ok(match written {
            None => Err(CommandError::NoConversation),
            Some(Err(error)) => Err(error),
            Some(Ok(place)) => Ok(Reply::Written { conversation: id, id: place }),
        })
    }

    fn may_write(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<Result<(), CommandError>, EngineError> {
        let own = self.account.id();
        let state = self.with(turn, id, |conversation, _, _| {
            let membership = conversation.membership();
            Ok((membership.present().is_some() || membership.is_rejoining(), conversation.partner(own)))
        })?;
        let Some((member, partner)) = state else { return Ok(Err(CommandError::NoConversation)) };
        if !member {
            return Ok(Err(CommandError::NotMember));
        }
        if let Some(partner) = partner
            && self.account.is_blocked(turn, &partner)?
        {
            return Ok(Err(CommandError::Blocked));
        }
        Ok(Ok(()))
    }

    fn edit(&mut self, turn: &mut Turn<'_>, id: ConversationId, of: ContentId, text: String) -> Answered {
        if text.len() > MAX_TEXT {
            return Ok(Err(CommandError::TooLong { limit: MAX_TEXT }));
        }
        if of.feed.device != self.account.device() {
            return Ok(Err(CommandError::NoMessage));
        }
        self.write(turn, id, Kind::Edit, Edit { of, text }.encode())
    }

    fn delete(&mut self, turn: &mut Turn<'_>, id: ConversationId, of: ContentId) -> Answered {
        let all = self.with(turn, id, |conversation, turn, shared| conversation.deletable(turn, shared, &of))?;
        let Some(all) = all else { return Ok(Err(CommandError::NoConversation)) };
        let Some(all) = all else { return Ok(Err(CommandError::NoMessage)) };
        let mut reply = Ok(Err(CommandError::NoMessage));
        for of in all {
            reply = self.write(turn, id, Kind::Delete, Delete { of }.encode());
            if !matches!(reply, Ok(Ok(_))) {
                return reply;
            }
        }
        reply
    }

    fn mark_read(&mut self, turn: &mut Turn<'_>, id: ConversationId, upto: &ContentId) -> Answered {
        let moved = self.with(turn, id, |conversation, turn, shared| conversation.mark_read(turn, shared, upto))?;
        let Some(marks) = moved else { return Ok(Err(CommandError::NoConversation)) };
        let own = own_conversation(self.account.id());
        if !marks.is_empty() && id != own && self.account.record().devices().len() > 1 {
            let body = ReadUpTo { conversation: id, marks }.encode();
            self.with(turn, own, |conversation, turn, shared| conversation.write(turn, shared, Kind::Read, body))?;
        }
        Ok(Ok(Reply::Done))
    }

    fn keep_transcript(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        of: &ContentId,
        transcript: Vec<u8>,
    ) -> Answered {
        if transcript.len() > MAX_TRANSCRIPT {
            return Ok(Err(CommandError::TooLong { limit: MAX_TRANSCRIPT }));
        }
        if self.with(turn, id, |_, _, _| Ok(()))?.is_none() {
            return Ok(Err(CommandError::NoConversation));
        }
        let key = crate::chat::feed::key::event(&id, of);
        turn.effects.batch.put(Table::Transcript, Scope::Conversation(id), key, transcript);
        turn.effects.notices.push(Notice::Timeline { conversation: id, id: *of, new: false });
        Ok(Ok(Reply::Done))
    }

    fn attach_transcript(&mut self, turn: &mut Turn<'_>, id: ConversationId, transcript: &Transcript) -> Answered {
        let author = transcript.of.feed.device;
        let own = self.account.record().devices().iter().any(|device| device.device_id() == author);
        if !own && author != self.account.device() {
            return Ok(Err(CommandError::NoMessage));
        }
        if transcript.check().is_err() || transcript.encode().len() > Transcript::MAX_BYTES {
            return Ok(Err(CommandError::TooLong { limit: Transcript::MAX_BYTES }));
        }
        self.write(turn, id, Kind::Transcript, transcript.encode())
    }

    fn keep_listening(&mut self, turn: &mut Turn<'_>, id: ConversationId, choice: Vec<u8>) -> Answered {
        if choice.len() > MAX_LISTENING {
            return Ok(Err(CommandError::TooLong { limit: MAX_LISTENING }));
        }
        if self.with(turn, id, |_, _, _| Ok(()))?.is_none() {
            return Ok(Err(CommandError::NoConversation));
        }
        let key = id.as_bytes().to_vec();
        turn.effects.batch.put(Table::Transcript, Scope::Conversation(id), key, choice);
        Ok(Ok(Reply::Done))
    }

    fn save_draft(&mut self, turn: &mut Turn<'_>, id: ConversationId, text: String) -> Answered {
        if text.len() > MAX_TEXT {
            return Ok(Err(CommandError::TooLong { limit: MAX_TEXT }));
        }
        let mut shelf = shelf::shelf(&turn.read(), &id)?;
        if shelf.draft().unwrap_or_default() == text {
            return Ok(Ok(Reply::Done));
        }
        if self.account.record().devices().len() > 1 {
            let body = Draft { conversation: id, text }.encode();
            return self.write_to_oneself(turn, Kind::Draft, body);
        }
        shelf.type_alone(text);
        shelf::keep(turn, id, &shelf);
        turn.effects.notices.push(Notice::Listed { conversation: id });
        Ok(Ok(Reply::Done))
    }

    fn arrange(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        pinned: Option<bool>,
        muted: Option<bool>,
    ) -> Answered {
        self.write_settings(turn, shelf::settings(id, pinned, muted))
    }

    fn label_device(
        &mut self,
        turn: &mut Turn<'_>,
        name: Option<String>,
        machine: Option<String>,
        system: Option<String>,
    ) -> Answered {
        if [&name, &machine, &system].into_iter().flatten().any(|said| said.chars().count() > MAX_DEVICE_NAME) {
            let words = format!("a device's name has at most {MAX_DEVICE_NAME} characters");
            return Ok(Err(CommandError::Malformed(words)));
        }
        let known = label::label(&turn.read(), &self.account.device())?;
        self.write_settings(turn, label::settings(&known, name, machine, system))
    }

    fn write_settings(&mut self, turn: &mut Turn<'_>, settings: Vec<Setting>) -> Answered {
        for setting in settings {
            if let Err(error) = self.write_to_oneself(turn, Kind::Setting, setting.encode())? {
                return Ok(Err(error));
            }
        }
        Ok(Ok(Reply::Done))
    }

    /// Writes an event for one's own devices, this one among them: what it says counts here when it is written.
    pub(super) fn write_to_oneself(&mut self, turn: &mut Turn<'_>, kind: Kind, body: Vec<u8>) -> Answered {
        let own = own_conversation(self.account.id());
        let written =
            self.with(turn, own, |conversation, turn, shared| conversation.write(turn, shared, kind, body))?;
        Ok(written.unwrap_or(Err(CommandError::NoConversation)).map(|_| Reply::Done))
    }

    fn own_record(&mut self, turn: &mut Turn<'_>, record: &[u8], prekeys: Vec<OwnPrekey>) -> Answered {
        let Some((record, observation)) = self.account.observe_record(turn, record)? else {
            return Ok(Err(CommandError::Malformed("that is not an account record".to_owned())));
        };
        if record.account_id() != self.account.id() || observation.is_refused() {
            return Ok(Err(CommandError::Malformed("that record is not newer than this account's".to_owned())));
        }
        self.account.take_prekeys(turn, prekeys, true);
        self.record_changed(turn, record.account_id())?;
        self.share_prekeys(turn)?;
        Ok(Ok(Reply::Done))
    }
}

fn done(outcome: Result<(), CommandError>) -> Answered {
    Ok(outcome.map(|()| Reply::Done))
}
