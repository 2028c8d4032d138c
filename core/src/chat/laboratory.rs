//! Devices in memory that exchange events without MLS, for the tests of this floor.

use ed25519_dalek::{Signer, SigningKey};
use rand_core::{RngCore, SeedableRng};

use super::api::Now;
use super::feed::{Changes, Fault, Feeds, Me, Outcome, Writing};
use super::fold::{Item, ItemBody};
use super::repair;
use super::roster::{Member, Place, Roster};
use super::timeline::{self, Anchor};
use super::transaction::Transaction;
use crate::store::{Batch, MemoryStore};
use crate::types::{AccountId, ContentId, ConversationId, DeviceId, GroupId, Hash, Rng, Timestamp};
use crate::wire::codec::Body;
use crate::wire::event::{Content, Event, Header, LogHead, UnverifiedEvent};
use crate::wire::message::{Delete, Edit, Kind, Message, Played, Reaction, Text, Vector, VoiceNote};

pub(crate) const CONVERSATION: ConversationId = ConversationId::new([9; 32]);
pub(crate) const GROUP: GroupId = GroupId::new([8; 32]);

pub(crate) fn writing(epoch: u64) -> Writing {
    Writing { generation: 0, group: GROUP, epoch, log: LogHead { next: 0, hash: Hash::new([0; 32]) } }
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId::new([number; 32])
}

fn signing(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// A roster of devices, each `(device, account)`, all present.
pub(crate) fn roster(members: &[(u8, u8)]) -> Roster {
    let mut roster = Roster::default();
    for (number, owner) in members {
        roster.admit(device(*number), member(*number, *owner, true));
    }
    roster
}

pub(crate) fn member(number: u8, owner: u8, present: bool) -> Member {
    let place = if present { Place::Present } else { Place::Gone };
    Member { account: account(owner), events: signing(number).verifying_key(), certificate: Vec::new(), place }
}

/// One device with its store.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) me: Me,
    number: u8,
    pub(crate) store: MemoryStore,
    pub(crate) roster: Roster,
    pub(crate) rng: Rng,
    pub(crate) wall: u64,
    pub(crate) epoch: u64,
}

impl Device {
    pub(crate) fn new(number: u8, owner: u8, roster: &Roster) -> Self {
        let mut device = Self {
            me: Me { account: account(owner), device: device(number) },
            number,
            store: MemoryStore::new(),
            roster: roster.clone(),
            rng: Rng::seed_from_u64(u64::from(number)),
            wall: 1_000_000,
            epoch: 1,
        };
        let mut rng = device.rng.clone();
        device.work(|feeds| feeds.begin(&mut rng));
        device.rng = rng;
        device
    }

    /// Does a piece of work and commits it.
    pub(crate) fn work<T>(&mut self, work: impl FnOnce(&mut Feeds<'_, '_, MemoryStore>) -> T) -> (T, Changes) {
        let mut batch = Batch::new();
        let mut tx = Transaction::new(&self.store, &mut batch);
        let now = Now { wall: Timestamp(self.wall), mono_ms: self.wall };
        let mut feeds = Feeds::open(&mut tx, CONVERSATION, self.me, &self.roster, now).unwrap();
        let result = work(&mut feeds);
        let changes = feeds.finish().unwrap();
        self.store.apply(&batch);
        (result, changes)
    }

    pub(crate) fn write(&mut self, kind: Kind, body: Vec<u8>) -> UnverifiedEvent {
        let (key, epoch, mut rng) = (signing(self.number), writing(self.epoch), self.rng.clone());
        let (event, _) = self.work(|feeds| feeds.append(&mut rng, epoch, kind, body, |bytes| key.sign(bytes)).unwrap());
        self.rng = rng;
        event.as_raw().clone()
    }

    pub(crate) fn text(&mut self, text: &str) -> UnverifiedEvent {
        self.write(Kind::Text, Text { text: text.into(), reply_to: None }.encode())
    }

    pub(crate) fn edit(&mut self, of: ContentId, text: &str) -> UnverifiedEvent {
        self.write(Kind::Edit, Edit { of, text: text.into() }.encode())
    }

    pub(crate) fn delete(&mut self, of: ContentId) -> UnverifiedEvent {
        self.write(Kind::Delete, Delete { of }.encode())
    }

    pub(crate) fn react(&mut self, of: ContentId, emoji: &str) -> UnverifiedEvent {
        self.write(Kind::Reaction, Reaction { of, emoji: emoji.into() }.encode())
    }

    pub(crate) fn voice_note(&mut self) -> UnverifiedEvent {
        self.write(Kind::VoiceNote, VoiceNote { ogg: vec![1; 8], duration_ms: 500, peaks: vec![9; 4] }.encode())
    }

    pub(crate) fn say_played(&mut self, of: ContentId) -> UnverifiedEvent {
        self.write(Kind::Played, Played { of }.encode())
    }

    pub(crate) fn ingest(&mut self, event: &UnverifiedEvent) -> Outcome {
        self.take(event).0
    }

    pub(crate) fn take(&mut self, event: &UnverifiedEvent) -> (Outcome, Changes) {
        let (outcome, changes) = self.work(|feeds| feeds.ingest(event.clone(), true).unwrap());
        (outcome, changes)
    }

    pub(crate) fn take_fault(&mut self, fault: &Fault) -> Outcome {
        self.work(|feeds| feeds.take_fault(fault).unwrap()).0
    }

    pub(crate) fn walk_to(&mut self, roster: &Roster) -> Changes {
        self.roster = roster.clone();
        self.work(|feeds| feeds.apply_roster().unwrap()).1
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        self.page(Anchor::Newest, 10_000)
    }

    pub(crate) fn page(&self, anchor: Anchor, limit: usize) -> Vec<Item> {
        timeline::page(&self.store, &CONVERSATION, &self.roster, &self.me, anchor, limit).unwrap()
    }

    pub(crate) fn unread(&self) -> u32 {
        timeline::summary(&self.store, &CONVERSATION, &self.roster, &self.me).unwrap().unread
    }

    pub(crate) fn last(&self) -> Option<ContentId> {
        timeline::summary(&self.store, &CONVERSATION, &self.roster, &self.me).unwrap().last.map(|item| item.id)
    }

    /// The texts that show, in order.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.items().into_iter().map(|item| text_of(&item)).collect()
    }

    /// What shows, without what is this device's own: when things came.
    pub(crate) fn view(&self) -> Vec<Item> {
        let bare = |item: Item| Item { arrived: Timestamp(0), shown: Timestamp(0), ..item };
        self.items().into_iter().map(bare).collect()
    }

    pub(crate) fn vector(&self) -> Vector {
        repair::vector(&self.store, &CONVERSATION).unwrap()
    }
}

pub(crate) fn text_of(item: &Item) -> String {
    match &item.body {
        ItemBody::Text { text, .. } => text.clone(),
        other => format!("{other:?}"),
    }
}

/// The place of an event.
pub(crate) fn id(event: &UnverifiedEvent) -> ContentId {
    let header = event.peek().unwrap();
    ContentId { feed: header.feed, sequence: header.sequence }
}

/// An event signed by a device without any check.
pub(crate) fn forge(number: u8, like: &UnverifiedEvent, change: impl FnOnce(&mut Header)) -> UnverifiedEvent {
    let content = Content { salt: vec![3; 16], body: Text { text: "forged".into(), reply_to: None }.encode() };
    let mut header = like.peek().unwrap();
    header.content = content.hash();
    change(&mut header);
    let key = signing(number);
    Event::sign(header, content, |bytes| key.sign(bytes)).as_raw().clone()
}

pub(crate) fn hash_of(event: &UnverifiedEvent) -> Hash {
    crate::wire::event::header_hash(&event.header)
}

/// What is lost or doubled on the way, in percent.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss: u32,
    pub(crate) doubles: u32,
}

/// `to` shows its vector, and `from` sends what it lacks. Returns whether anything was sent.
pub(crate) fn repair_one_way(from: &Device, to: &mut Device, weather: Weather, rng: &mut Rng) -> bool {
    let theirs = Vector::decode(&to.vector().encode()).unwrap();
    let plan = repair::diff(&from.store, &CONVERSATION, &from.me, &theirs).unwrap();
    let round = repair::round(&from.store, &CONVERSATION, &plan).unwrap();
    assert!(round.bundles.len() <= repair::MAX_ROUND_BUNDLES);
    for (_, fault) in &plan.faults {
        to.take_fault(fault);
    }
    for bundle in &round.bundles {
        let bytes = Message::Events(bundle.clone()).encode();
        assert!(bundle.len() == 1 || bytes.len() <= crate::wire::message::MAX_BUNDLE, "{}", bytes.len());
        let Message::Events(events) = Message::decode(&bytes).unwrap() else { unreachable!() };
        if rng.next_u32() % 100 < weather.loss {
            continue;
        }
        let times = if rng.next_u32() % 100 < weather.doubles { 2 } else { 1 };
        for _ in 0..times {
            to.work(|feeds| events.iter().for_each(|event| drop(feeds.ingest(event.clone(), false).unwrap())));
        }
    }
    !plan.is_empty()
}

/// Everyone repairs with everyone until all hold the same. Panics if they do not come to it.
pub(crate) fn heal(devices: &mut [Device], weather: Weather, rng: &mut Rng) {
    for _ in 0..60 {
        for to in 0..devices.len() {
            for from in 0..devices.len() {
                if from != to {
                    let sender = devices[from].clone();
                    repair_one_way(&sender, &mut devices[to], weather, rng);
                }
            }
        }
        let first = devices[0].vector();
        if devices.iter().all(|device| device.vector() == first) {
            return;
        }
    }
    let odd: std::collections::BTreeSet<_> = devices
        .iter()
        .flat_map(|device| device.vector().feeds)
        .filter(|state| devices.iter().any(|device| !device.vector().feeds.contains(state)))
        .collect();
    let rows = |device: &Device| -> Vec<_> {
        let row = |feed| super::feed::row::load_feed(&device.store, &CONVERSATION, feed).unwrap();
        odd.iter().map(|state| (row(&state.feed), device.roster.cut(&state.feed).copied())).collect()
    };
    panic!("no agreement: {:#?}", devices.iter().map(rows).collect::<Vec<_>>());
}
