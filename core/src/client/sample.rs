//! A made-up profile with many chats and long histories: for measurements and for pictures of the app.
//!
//! Everybody in it is made up here, each with one device, and cannot be reached; what they wrote is signed like anything else. It
//! has no relay.

use std::path::Path;

use super::profile::building::Building;
use super::{ClientError, Unlock};
use crate::chat::view::{self, ConversationView};
use crate::chat::{
    AppendError, Call, CallTarget, Command, Delivery, Effects, Engine, Feeds, Input, Me, Now, Outgoing, SendOutcome,
    Transaction, Writing, account::Setup, policy::direct_conversation,
};
use crate::identity::{Context, DeviceKeys, RootKey};
use crate::mls::Suite;
use crate::session;
use crate::store::{self, Batch, MemoryStore, Read, RingKey, Store};
use crate::types::{ContentId, GroupId, Hash, RequestId, Rng, Timestamp};
use crate::wire::codec::Body;
use crate::wire::event::{LogHead, SIGNATURE_LABEL, UnverifiedEvent};
use crate::wire::message::{Edit, Kind, Mark, Marks, Reaction, Text};
use crate::wire::relay::{Request, Response};

/// Opens the vault of a made-up account.
const PASSPHRASE: &str = "a sample that everybody may open";

/// How long before now the first message was written.
const PAST_MS: u64 = 400 * 24 * 60 * 60 * 1000;

/// Messages that share a commit.
const AT_ONCE: usize = 250;

/// One message in so many is answered, one in so many gets a reaction, and one in so many is edited.
const ANSWERED: usize = 9;
const REACTED: usize = 13;
const EDITED: usize = 31;

/// Of one chat in so many the last messages are not read.
const UNREAD_CHATS: usize = 4;
const UNREAD: usize = 5;

const TEXTS: [&str; 8] = [
    "See you at eight, by the station.",
    "Yes.",
    "I have read the whole thing twice now, and I still think that the second chapter should come first, since nobody will \
     know who she is otherwise.",
    "Чи ти вже вдома?",
    "Привет! Завтра в силе?",
    "👍🏽 great",
    "https://example.org/a/rather/long/path?with=a&query=string#and-a-fragment",
    "one\ntwo\nthree",
];

/// How much there is in a made-up profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Contacts, each with a conversation.
    pub chats: usize,
    /// Messages in each.
    pub messages: usize,
}

/// Makes a profile where there is none.
///
/// # Errors
/// A sentence that says why not.
pub fn make(directory: &Path, unlock: Unlock, sample: Sample) -> Result<(), ClientError> {
    super::profile::refuse_existing(directory)?;
    let key = RingKey::from(unlock);
    let building = Building::begin(directory)?;
    building.fill(&key, session::create_local(PASSPHRASE, Suite::DEFAULT)?)?;
    let (store, _) = Store::open(building.path(), &key, &store::Options::default())?;
    let mut host = Host::open(store)?;
    for number in 0..sample.chats {
        host.befriend(number, sample.messages)?;
    }
    host.store.close();
    building.finish()
}

/// The profile's engine and its driver, cut off from the world.
struct Host {
    store: Store,
    engine: Engine,
    rng: Rng,
    now: Now,
}

/// Somebody made up.
struct Friend {
    keys: DeviceKeys,
    me: Me,
    store: MemoryStore,
}

/// One side of a conversation.
struct Side<'a, R> {
    store: &'a R,
    me: Me,
    keys: &'a DeviceKeys,
}

impl Host {
    fn open(store: Store) -> Result<Self, ClientError> {
        let engine = Engine::open(&store)?.ok_or(session::StartError::NoAccount)?;
        let now = Now { wall: Timestamp(session::wall().0.saturating_sub(PAST_MS)), mono_ms: 0 };
        let mut host = Self { store, engine, rng: session::seeded(), now };
        host.give(Input::Start { restored: false })?;
        Ok(host)
    }

    /// Handles an input and all that follows from it: this device is its own conversations' home, and whatever it sends arrives.
    fn give(&mut self, input: Input) -> Result<(), ClientError> {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let effects = self.engine.handle(self.now, &mut self.rng, &self.store, input)?;
            self.store.commit(&effects.batch, self.now.wall)?;
            let Effects { sends, calls, .. } = effects;
            inputs.extend(sends.into_iter().flat_map(arrived));
            for call in calls {
                inputs.push(self.answer(call)?);
            }
        }
        Ok(())
    }

    fn answer(&mut self, call: Call) -> Result<Input, ClientError> {
        let own = self.engine.me().device;
        let outcome = match (&call.to, &call.request) {
            (CallTarget::Device(device, _), Request::Home(request)) if *device == own => {
                let (batch, response) = self.engine.handle_home_request(self.now, &self.store, own, request)?;
                self.store.commit(&batch, self.now.wall)?;
                Ok(Response::Home(response))
            }
            _ => Err(crate::chat::CallFailure::Unreachable),
        };
        Ok(Input::Answer { id: call.id, outcome })
    }

    /// Somebody asks for contact, is accepted, and the two write to each other.
    fn befriend(&mut self, number: usize, messages: usize) -> Result<(), ClientError> {
        let (mut friend, request) = self.friend(number)?;
        self.give(Input::Envelope { from: Some(friend.me.device), bytes: request })?;
        let id = RequestId::random(&mut self.rng);
        self.give(Input::Command { id, command: Command::Accept { account: friend.me.account } })?;
        let id = direct_conversation(self.engine.me().account, friend.me.account);
        let view = view::conversation(&self.store, id)?.ok_or(ClientError::Nonsense)?;
        let mut places = Vec::with_capacity(messages);
        let step = PAST_MS / u64::try_from(messages.max(1)).unwrap_or(u64::MAX);
        // Not all at the same times: the list of chats has an order.
        let shift = u64::try_from(number).unwrap_or_default().saturating_mul(61_000);
        let first = session::wall().0.saturating_sub(PAST_MS).saturating_sub(shift);
        while places.len() < messages {
            let mut batch = Batch::new();
            let mut theirs = Batch::new();
            for _ in 0..AT_ONCE.min(messages.saturating_sub(places.len())) {
                let after = step.saturating_mul(u64::try_from(places.len()).unwrap_or_default());
                let now = Now { wall: Timestamp(first.saturating_add(after)), mono_ms: 0 };
                self.exchange(&view, &friend, (&mut batch, &mut theirs), now, &mut places)?;
            }
            self.store.commit(&batch, self.now.wall)?;
            friend.store.apply(&theirs);
        }
        self.settle(&view, &friend, number, &places)
    }

    /// A new account, and its request.
    fn friend(&mut self, number: usize) -> Result<(Friend, Vec<u8>), ClientError> {
        let (root, keys) = (RootKey::generate(&mut self.rng), DeviceKeys::generate(&mut self.rng));
        let (record, prekey) = session::first_record(&root, &keys, Vec::new(), Suite::DEFAULT)?;
        let handle = Some(format!("friend{number:03}@sample.example"));
        let setup = Setup { keys: keys.clone(), record, prekeys: vec![prekey], handle, suite: Suite::DEFAULT };
        let mut store = MemoryStore::new();
        let (mut engine, effects) = Engine::create(self.now, &mut self.rng, &store, setup)?;
        store.apply(&effects.batch);
        let record = self.engine.account().record().encode();
        let command = Command::RequestContact { record, handle: None, text: "Hello, it is me.".to_owned() };
        let input = Input::Command { id: RequestId::random(&mut self.rng), command };
        let effects = engine.handle(self.now, &mut self.rng, &store, input)?;
        let me = self.engine.me().device;
        let sent = effects.sends.into_iter().find(|sent| sent.to.iter().any(|to| to.device == me));
        let request = sent.ok_or(ClientError::Nonsense)?.envelope;
        Ok((Friend { keys, me: engine.me(), store: MemoryStore::new() }, request))
    }

    /// One message, and what belongs to it, in both of the batches.
    fn exchange(
        &mut self,
        view: &ConversationView,
        friend: &Friend,
        (ours, theirs): (&mut Batch, &mut Batch),
        now: Now,
        places: &mut Vec<ContentId>,
    ) -> Result<(), ClientError> {
        let number = places.len();
        let text = TEXTS.get(number.wrapping_mul(7) % TEXTS.len()).copied().unwrap_or_default();
        let answered = (number % ANSWERED == 5).then(|| places.iter().rev().nth(2).copied()).flatten();
        let body = Text { text: text.to_owned(), reply_to: answered }.encode();
        let keys = self.engine.account().keys().clone();
        let own = Side { store: &self.store, me: self.engine.me(), keys: &keys };
        let other = Side { store: &friend.store, me: friend.me, keys: &friend.keys };
        // Runs of a few on each side, as people write.
        let mine = (number / 3).is_multiple_of(2);
        let rng = &mut self.rng;
        let place = if mine {
            let event = own.write(view, ours, rng, now, (Kind::Text, body))?;
            let place = place(&event)?;
            if number % EDITED == 8 {
                let edit = Edit { of: place, text: format!("{text} (mended)") };
                own.write(view, ours, rng, now, (Kind::Edit, edit.encode()))?;
            }
            place
        } else {
            let event = other.write(view, theirs, rng, now, (Kind::Text, body))?;
            let place = place(&event)?;
            own.take(view, ours, now, event)?;
            if number % REACTED == 4 {
                let reaction = Reaction { of: place, emoji: "❤️".to_owned() };
                own.write(view, ours, rng, now, (Kind::Reaction, reaction.encode()))?;
            }
            place
        };
        places.push(place);
        Ok(())
    }

    /// All was delivered and most of it read, on both sides.
    fn settle(
        &self,
        view: &ConversationView,
        friend: &Friend,
        number: usize,
        places: &[ContentId],
    ) -> Result<(), ClientError> {
        let (mut batch, me) = (Batch::new(), self.engine.me());
        let mut tx = Transaction::new(&self.store, &mut batch);
        let mut feeds = Feeds::open(&mut tx, view.id, me, &view.roster, self.now)?;
        let unread = if number % UNREAD_CHATS == 1 { UNREAD } else { 0 };
        if let Some(last) = places.iter().rev().nth(unread) {
            feeds.mark_read(last)?;
        }
        let own = feeds.own();
        let _ = feeds.finish()?;
        let mut delivery = Delivery::load(&tx, view.id, me)?;
        delivery.refresh(&tx)?;
        delivery.sync(&mut tx, &view.roster, true);
        if let Some(feed) = own {
            let all = vec![Mark { feed, next: u64::MAX }];
            let marks = Marks { delivered: all.clone(), read: all };
            delivery.take_marks(&mut tx, &view.roster, &friend.me.device, &marks)?;
        }
        Ok(self.store.commit(&batch, self.now.wall)?)
    }
}

impl<R: Read> Side<'_, R> {
    fn write(
        &self,
        view: &ConversationView,
        batch: &mut Batch,
        rng: &mut Rng,
        now: Now,
        (kind, body): (Kind, Vec<u8>),
    ) -> Result<UnverifiedEvent, ClientError> {
        let mut tx = Transaction::new(self.store, batch);
        let mut feeds = Feeds::open(&mut tx, view.id, self.me, &view.roster, now)?;
        if feeds.own().is_none() {
            feeds.begin(rng);
        }
        let log = LogHead { next: 0, hash: Hash::new([0; Hash::LEN]) };
        let writing = Writing { generation: 0, group: GroupId::new([0; GroupId::LEN]), epoch: 0, log };
        let label = [SIGNATURE_LABEL.as_bytes(), &[0]].concat();
        let sign = |bytes: &[u8]| {
            let header = bytes.strip_prefix(label.as_slice()).unwrap_or(bytes);
            ed25519_dalek::Signature::from_bytes(self.keys.events.sign(Context::Event, header).as_bytes())
        };
        let event = feeds.append(rng, writing, kind, body, sign).map_err(|error| match error {
            AppendError::Read(error) => ClientError::from(error),
            _ => ClientError::Nonsense,
        })?;
        let _ = feeds.finish()?;
        Ok(event.as_raw().clone())
    }

    fn take(
        &self,
        view: &ConversationView,
        batch: &mut Batch,
        now: Now,
        event: UnverifiedEvent,
    ) -> Result<(), ClientError> {
        let mut tx = Transaction::new(self.store, batch);
        let mut feeds = Feeds::open(&mut tx, view.id, self.me, &view.roster, now)?;
        feeds.ingest(event, true)?;
        let _ = feeds.finish()?;
        Ok(())
    }
}

fn place(event: &UnverifiedEvent) -> Result<ContentId, ClientError> {
    let header = event.peek().map_err(|_| ClientError::Nonsense)?;
    Ok(ContentId { feed: header.feed, sequence: header.sequence })
}

fn arrived(sent: Outgoing) -> impl Iterator<Item = Input> {
    let envelope = sent.id;
    sent.to.into_iter().map(move |to| Input::Sent { envelope, device: to.device, outcome: SendOutcome::Direct })
}
