//! Setting the own profile, and copying it into conversations, a few at a time.
//!
//! Which conversation was told what is durable; when to tell the rest is not, and a start looks again.

use std::collections::BTreeMap;

use super::Engine;
use crate::chat::account::known_record;
use crate::chat::api::{CommandError, PictureChange, Reply};
use crate::chat::conversation::ids;
use crate::chat::policy::Kind as Sort;
use crate::chat::profile::{self, Copied, FEATURE, Profile};
use crate::chat::turn::{EngineError, Turn};
use crate::types::{AccountId, Clock, ConversationId};
use crate::wire::codec::Body;
use crate::wire::message::{Delete, Kind, MAX_ABOUT, MAX_PROFILE_NAME, Profile as Told};

/// Conversations that are told in one step: each copy may bring a picture.
const AT_ONCE: usize = 4;

/// A pause between two steps, so that nobody's message is delayed.
const STEP_MS: u64 = 100;

/// How long the device that set the profile has to copy it before another of the account's does.
const OTHERS_MS: u64 = 20_000;

/// Conversations that may have to be told, and when.
#[derive(Debug, Default)]
pub(super) struct Herald(BTreeMap<ConversationId, u64>);

impl Herald {
    pub(super) fn wake_at(&self) -> Option<u64> {
        self.0.values().min().copied()
    }
}

impl Engine {
    /// Sets the own profile; what is not named stays.
    pub(super) fn set_profile(
        &mut self,
        turn: &mut Turn<'_>,
        name: Option<String>,
        about: Option<String>,
        picture: PictureChange,
    ) -> Result<Result<Reply, CommandError>, EngineError> {
        let known = profile::profile(&turn.read(), &self.account.id())?;
        let (mut told, before) = match known {
            Some(known) => {
                let told = Told { name: known.name, about: known.about, picture: known.picture, ..Told::default() };
                (told.clone(), told)
            }
            None => (Told::default(), Told::default()),
        };
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        told.name = name.map_or(told.name, given);
        told.about = about.map_or(told.about, given);
        match picture {
            PictureChange::Keep => {}
            PictureChange::Remove => told.picture = None,
            PictureChange::Set(bytes) if !profile::is_picture(&bytes) => {
                return Ok(Err(CommandError::Malformed("a picture is a PNG or JPEG of at most 48 KiB".to_owned())));
            }
            PictureChange::Set(bytes) => {
                told.picture = Some(profile::picture_hash(&bytes));
                told.bytes = Some(bytes.into());
            }
        }
        if told.check().is_err() {
            return Ok(Err(CommandError::Malformed(format!(
                "a name has at most {MAX_PROFILE_NAME} characters, and what you say about yourself {MAX_ABOUT}"
            ))));
        }
        if (&told.name, &told.about, told.picture) == (&before.name, &before.about, before.picture) {
            return Ok(Ok(Reply::Done));
        }
        let written = self.write_to_oneself(turn, Kind::Profile, told.encode())?;
        self.herald_all(turn)?;
        Ok(written)
    }

    /// Looks which conversations lack the own profile.
    pub(super) fn herald_all(&mut self, turn: &Turn<'_>) -> Result<(), EngineError> {
        if profile::profile(&turn.read(), &self.account.id())?.is_none() {
            return Ok(());
        }
        for id in ids(&turn.read())? {
            self.herald(turn, id)?;
        }
        Ok(())
    }

    /// A conversation may lack the own profile: it is new, or somebody in it understands it now.
    pub(super) fn herald(&mut self, turn: &Turn<'_>, id: ConversationId) -> Result<(), EngineError> {
        let read = turn.read();
        let Some(own) = profile::profile(&read, &self.account.id())? else { return Ok(()) };
        if profile::copied(&read, &id)?.set >= own.set() {
            return Ok(());
        }
        let wait = if own.place().feed.device == self.account.device() { 0 } else { OTHERS_MS };
        let at = turn.now.mono_ms.saturating_add(wait);
        self.herald.0.entry(id).and_modify(|due| *due = at.min(*due)).or_insert(at);
        Ok(())
    }

    /// Tells a few of those who are due.
    pub(super) fn tell_profiles(&mut self, turn: &mut Turn<'_>) -> Result<(), EngineError> {
        let now = turn.now.mono_ms;
        let due: Vec<ConversationId> = self.herald.0.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        if due.is_empty() {
            return Ok(());
        }
        let Some(own) = profile::profile(&turn.read(), &self.account.id())? else { return Ok(()) };
        for (place, id) in due.into_iter().enumerate() {
            if place >= AT_ONCE {
                self.herald.0.insert(id, now.saturating_add(STEP_MS));
                continue;
            }
            self.herald.0.remove(&id);
            self.tell_profile(turn, id, &own)?;
        }
        Ok(())
    }

    fn tell_profile(&mut self, turn: &mut Turn<'_>, id: ConversationId, own: &Profile) -> Result<(), EngineError> {
        let copied = profile::copied(&turn.read(), &id)?;
        if copied.set >= own.set() || !self.may_be_told(turn, id)? {
            return Ok(());
        }
        let mut told = copy_of(own);
        if own.picture.is_some() && copied.picture != own.picture {
            told.bytes = profile::picture(&turn.read(), &self.account.id())?.map(Into::into);
        }
        let body = told.encode();
        self.with(turn, id, |conversation, turn, shared| conversation.write(turn, shared, Kind::Profile, body))?;
        self.drop_picture(turn, id, copied, own)
    }

    /// The bytes of the picture before are erased everywhere; only the account that wrote them can.
    fn drop_picture(
        &mut self,
        turn: &mut Turn<'_>,
        id: ConversationId,
        before: Copied,
        own: &Profile,
    ) -> Result<(), EngineError> {
        let Some(of) = before.place.filter(|_| before.picture != own.picture) else { return Ok(()) };
        let body = Delete { of }.encode();
        self.with(turn, id, |conversation, turn, shared| conversation.write(turn, shared, Kind::Delete, body))?;
        Ok(())
    }

    /// Whether all who are in a conversation understand a profile, and nobody in it is to be told nothing.
    fn may_be_told(&mut self, turn: &mut Turn<'_>, id: ConversationId) -> Result<bool, EngineError> {
        let own = self.account.id();
        let found = self.with(turn, id, |conversation, _, _| {
            let membership = conversation.membership();
            let seats = membership.policy().map(|policy| policy.seats.as_slice()).unwrap_or_default();
            let accounts: Vec<AccountId> = seats.iter().map(|seat| seat.account).filter(|it| *it != own).collect();
            let shown = membership.present().is_some() && conversation.kind() != Some(Sort::Own);
            Ok(shown.then(|| (accounts, conversation.partner(own))))
        })?;
        let Some((accounts, partner)) = found.flatten() else { return Ok(false) };
        if let Some(partner) = partner
            && self.account.is_blocked(turn, &partner)?
        {
            return Ok(false);
        }
        let read = turn.read();
        for account in accounts {
            let record = known_record(&read, &account)?;
            if !record.is_some_and(|record| record.features().iter().any(|feature| feature == FEATURE)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn copy_of(own: &Profile) -> Told {
    let Profile { name, about, picture, .. } = own.clone();
    let set: Clock = own.set();
    Told { name, about, picture, bytes: None, set }
}
