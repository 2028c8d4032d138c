//! What a person calls somebody, and who that is.

use std::sync::Arc;
use std::time::Duration;

use super::views::Entry;
use super::{Client, ClientError, plain};
use crate::chat::Command;
use crate::chat::account::{Contact, contacts, known_record, waiting_requests};
use crate::chat::policy::{Kind, direct_conversation};
use crate::chat::profile::profile;
use crate::chat::view::ConversationView;
use crate::identity::{AccountRecord, FullHandle, Handle, Invite, RelayPart};
use crate::net::{NetError, RelayAddress};
use crate::session::Event as Told;
use crate::types::{AccountId, ConversationId};
use crate::wire::control::{Code, Said};
use crate::wire::relay::{Request, Response};

/// How long a relay has to say what it knows of the own account, before what is known here is shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// Somebody who was looked up.
pub(super) struct Found {
    pub(super) record: AccountRecord,
    pub(super) handle: Option<String>,
}

impl Client {
    /// How an account is called here: as it calls itself, by its handle as it was looked up, or by the beginning of its id.
    pub(super) fn name_of(&self, account: &AccountId) -> Result<String, ClientError> {
        if *account == self.me().account {
            return Ok("me".to_owned());
        }
        let Some(person) = self.person(account)? else {
            let profile = profile(self.store(), account)?;
            let name = profile.and_then(|profile| plain::name(profile.name.as_deref()?));
            return Ok(name.unwrap_or_else(|| account.short()));
        };
        let handle = person.handle.as_deref().map(|handle| local_part(handle).to_owned());
        Ok(person.name.clone().or(handle).unwrap_or_else(|| account.short()))
    }

    /// The account that a person means: a contact or somebody whose request waits.
    pub(super) fn account_named(&self, who: &str) -> Result<AccountId, ClientError> {
        if let Ok(account) = who.parse::<AccountId>() {
            return Ok(account);
        }
        let contacts = self.people()?;
        let requests = waiting_requests(self.store())?;
        let all = contacts
            .iter()
            .map(|contact| (contact.account, contact.handle.as_deref()))
            .chain(requests.iter().map(|request| (request.account, request.handle.as_deref())));
        let mut matching: Vec<(AccountId, String)> = all
            .filter(|(account, handle)| is_called(*account, *handle, who))
            .map(|(account, handle)| (account, handle.unwrap_or_default().to_owned()))
            .collect();
        matching.sort();
        matching.dedup_by_key(|(account, _)| *account);
        // Whoever is blocked gives up the name to whoever has it now.
        let blocked = |account: &AccountId| contacts.iter().any(|known| known.account == *account && known.blocked);
        if matching.iter().any(|(account, _)| !blocked(account)) {
            matching.retain(|(account, _)| !blocked(account));
        }
        if matching.is_empty() {
            // What somebody calls themselves counts after all that was looked up.
            let so_named = contacts.iter().filter(|known| known.name.as_deref() == Some(who));
            matching.extend(so_named.map(|known| (known.account, known.handle.clone().unwrap_or_default())));
        }
        match matching.as_slice() {
            [] => Err(ClientError::Nobody(who.to_owned())),
            [(account, _)] => Ok(*account),
            several => {
                let names: Vec<String> =
                    several.iter().map(|(account, handle)| format!("{handle} {}", account.short())).collect();
                Err(ClientError::Ambiguous(who.to_owned(), names.join(", ")))
            }
        }
    }

    /// The conversation that a person means: with a contact, or a group by name or id.
    pub(super) fn conversation_named(&self, with: &str) -> Result<Arc<ConversationView>, ClientError> {
        let id = self.chat_named(with)?;
        self.conversation(id)?.ok_or_else(|| ClientError::NotAccepted(with.to_owned()))
    }

    /// The same, although a contact's conversation may not be there yet.
    pub(super) fn chat_named(&self, with: &str) -> Result<ConversationId, ClientError> {
        if let Ok(id) = with.parse::<ConversationId>()
            && (self.entry(&id)?.is_some() || self.partner(&id)?.is_some())
        {
            return Ok(id);
        }
        let is_named = |entry: &Entry| entry.kind == Kind::Group && entry.name.as_deref() == Some(with);
        if let Some((id, _)) = self.entries()?.into_iter().find(|(_, entry)| is_named(entry)) {
            return Ok(id);
        }
        Ok(direct_conversation(self.me().account, self.account_named(with)?))
    }

    /// Looks somebody up: by a link, by `name@relay`, or by a name at one's own relay.
    pub(super) async fn find(&self, who: &str) -> Result<Found, ClientError> {
        if who.starts_with("kith://") {
            return self.find_invited(Invite::from_link(who)?).await;
        }
        let (handle, relay, relay_text) = if who.contains('@') {
            let full: FullHandle = who.parse()?;
            let (address, text) = self.relay_named(&full.relay)?;
            (full.handle, address, text)
        } else {
            let own = self.own_relay()?;
            (Handle::parse(who)?, own, self.own_relay_name()?)
        };
        let request = Request::Lookup { handle: handle.as_str().to_owned() };
        let record = self.fetch_record(&relay, request).await?;
        self.learn_name(&relay).await;
        let full = format!("{handle}@{relay_text}");
        if let Some(known) = self.other_known_as(&full, record.account_id())? {
            self.tell_changed(&full, &known);
            // Blocking the old contact says that the new one is meant.
            if !known.blocked {
                let (known, shown) = (known.account.short(), record.account_id().short());
                return Err(ClientError::OtherAccount { handle: full, known, shown });
            }
        }
        Ok(Found { record, handle: Some(full) })
    }

    /// A contact who is known by the same handle and is another account. Of several one who is not blocked.
    pub(super) fn other_known_as(&self, handle: &str, account: AccountId) -> Result<Option<Contact>, ClientError> {
        let others = contacts(self.store(), self.me().account)?.into_iter().filter(|known| known.account != account);
        let same =
            others.filter(|known| known.handle.as_deref().is_some_and(|known| self.is_same_handle(known, handle)));
        Ok(same.min_by_key(|known| known.blocked))
    }

    /// Whether two handles are one, although a relay may be named once by its name and once by its address.
    fn is_same_handle(&self, one: &str, other: &str) -> bool {
        let (Ok(one), Ok(other)) = (one.parse::<FullHandle>(), other.parse::<FullHandle>()) else {
            return one == other;
        };
        let peer = |relay: &RelayPart| self.relay_named(relay).ok().map(|(address, _)| address.peer());
        let same_relay = || peer(&one.relay).is_some_and(|relay| peer(&other.relay) == Some(relay));
        one.handle == other.handle && (one.relay == other.relay || same_relay())
    }

    fn tell_changed(&self, handle: &str, known: &Contact) {
        let known = known.account.short();
        let words = format!(
            "{handle} is another account now than the contact {known} whom you know by that name. Their relay may have given \
             the name to somebody else, or may be lying. Compare safety numbers before you trust it."
        );
        self.inner.session.tell(Told::Trouble(Said::new(Code::OtherAccount, words).under(handle).besides(known)));
    }

    async fn find_invited(&self, invite: Invite) -> Result<Found, ClientError> {
        let mut last = ClientError::NoRelay;
        for relay in &invite.relays {
            let Ok(address) = relay.addresses.join(",").parse::<RelayAddress>() else { continue };
            match self.fetch_record(&address, Request::GetRecord { account: invite.account }).await {
                Ok(record) if record.account_id() != invite.account => last = ClientError::WrongRecord,
                Ok(record) => {
                    let name = self.learn_name(&address).await;
                    let handle = invite.handle.map(|handle| format!("{handle}@{name}"));
                    // A link names the account: it is meant, and told all the same.
                    if let Some(handle) = &handle
                        && let Some(known) = self.other_known_as(handle, invite.account)?
                    {
                        self.tell_changed(handle, &known);
                    }
                    return Ok(Found { record, handle });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn fetch_record(&self, relay: &RelayAddress, request: Request) -> Result<AccountRecord, ClientError> {
        match self.inner.session.ask_relay(relay, &request).await? {
            Response::Record { record } => Ok(AccountRecord::decode_verified(&record)?),
            Response::Refused(refusal) => Err(refusal.into()),
            _ => Err(ClientError::Nonsense),
        }
    }

    /// Asks a relay what it is called, and remembers it. Its address if it does not say.
    async fn learn_name(&self, relay: &RelayAddress) -> String {
        let address = join(relay);
        match self.inner.session.ask_relay(relay, &Request::Hello).await {
            Ok(Response::Hello(hello)) if !hello.name.is_empty() => {
                self.inner.relays.learn(&hello.name, &address);
                hello.name
            }
            _ => address,
        }
    }

    fn relay_named(&self, relay: &RelayPart) -> Result<(RelayAddress, String), ClientError> {
        let address = match relay {
            RelayPart::Address(address) => address.clone(),
            RelayPart::Name(name) if self.own_relay_name().is_ok_and(|own| own == *name) => join(&self.own_relay()?),
            RelayPart::Name(name) => {
                self.inner.relays.address(name).ok_or_else(|| ClientError::UnknownRelay(name.clone()))?
            }
        };
        Ok((address.parse()?, relay.to_string()))
    }

    pub(super) fn own_record(&self) -> Result<AccountRecord, ClientError> {
        known_record(self.store(), &self.me().account)?.ok_or(ClientError::NoRelay)
    }

    /// Takes the account's record from its relay, if that is newer than the known one: a device that signs in tells the others by it.
    pub(super) async fn take_newest_record(&self) -> Result<(), ClientError> {
        let known = self.own_record()?;
        let address = self.own_relay()?;
        let asked = self.fetch_record(&address, Request::GetRecord { account: known.account_id() });
        let shown = tokio::time::timeout(PATIENCE, asked).await.map_err(|_| NetError::TimedOut)??;
        // Whatever else it shows is judged where it is always asked.
        if shown.account_id() == known.account_id() && shown.version() > known.version() {
            self.inner.session.command(Command::OwnRecord { record: shown.encode(), prekeys: Vec::new() }).await?;
        }
        Ok(())
    }

    fn own_relay(&self) -> Result<RelayAddress, ClientError> {
        let record = self.own_record()?;
        let relay = record.relays().first().ok_or(ClientError::NoRelay)?;
        Ok(relay.addresses.join(",").parse()?)
    }

    /// How the own relay is called: the part of the own handle behind the `@`.
    fn own_relay_name(&self) -> Result<String, ClientError> {
        let handle = self.own_handle()?.ok_or(ClientError::NoRelay)?;
        Ok(handle.split_once('@').map(|(_, relay)| relay.to_owned()).unwrap_or_default())
    }
}

fn join(relay: &RelayAddress) -> String {
    relay.addresses().iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The part of a handle before the `@`.
pub(super) fn local_part(handle: &str) -> &str {
    handle.split_once('@').map_or(handle, |(local, _)| local)
}

fn is_called(account: AccountId, handle: Option<&str>, who: &str) -> bool {
    let who = who.to_lowercase();
    let by_handle = handle.is_some_and(|handle| handle == who || local_part(handle) == who);
    by_handle || (who.len() >= 8 && account.to_string().starts_with(&who))
}
