//! What a rogue says: messages under its own leaf, and events of any header.

use kith_core::chat::repair;
use kith_core::chat::rogue::sign;
use kith_core::identity::{DeviceCertificate, DeviceKeys, RootKey};
use kith_core::types::{Clock, ContentId, ConversationId, FeedId, Hash, Incarnation, Timestamp};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::Packet;
use kith_core::wire::event::{Header, LogHead, UnverifiedEvent, header_hash};
use kith_core::wire::log::{self, Equivocation, UnverifiedEntry};
use kith_core::wire::message::{
    Anchors, Cut, Delete, Digest, Edit, Former, Kind, Message, Past, Reaction, RecordHead, Text, Vector,
};

use super::super::world::World;
use super::ZERO;

impl World {
    pub(super) fn cut_by_anchors(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let feeds = self.feeds_of_others(device, conversation);
        let cuts: Vec<Cut> = feeds.iter().map(|state| Cut { feed: state.feed, next: 0, hash: ZERO }).collect();
        let anchors = feeds.iter().map(|state| Cut { feed: state.feed, next: state.next + 5, hash: ZERO }).collect();
        let past = Past { former: Vec::new(), cuts };
        let message = Message::Anchors(Anchors { past, feeds: anchors, records: Vec::new() });
        self.say_as_rogue(device, conversation, victims, &message);
    }

    pub(super) fn false_former(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let (root, keys) = (RootKey::generate(&mut self.rng), DeviceKeys::generate(&mut self.rng));
        let wall = self.true_wall();
        let certificate = DeviceCertificate::issue(&root, &keys, wall).expect("a certificate");
        let feed = FeedId { device: keys.device_id(), incarnation: Incarnation::random(&mut self.rng) };
        let text = self.forged_text();
        let body = Text { text, reply_to: None }.encode();
        let header = self.as_rogue(device, |rogue| rogue.header(conversation, feed, Kind::Text as u16));
        let Some(header) = header else { return };
        let event = sign(&keys, &mut self.rng, header, body);
        let cut = Cut { feed, next: 1, hash: header_hash(&event.header) };
        let former = vec![Former { certificate: certificate.encode().into(), gone: true }];
        let past = Past { former, cuts: vec![cut] };
        let message = Message::Anchors(Anchors { past, feeds: vec![cut], records: Vec::new() });
        self.say_as_rogue(device, conversation, victims, &message);
        // Once what was said first has surely come.
        let victims = victims.to_vec();
        self.after(60_000, move |world| world.tell_events(device, conversation, &victims, &[event]));
    }

    pub(super) fn lie_of_what_is_held(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let mut feeds = self.feeds_of_others(device, conversation);
        for state in &mut feeds {
            state.hash = ZERO;
            (state.next, state.from) = [(0, 0), (u64::MAX, 7), (state.next, u64::MAX)][self.draw(3) as usize];
            state.beyond = vec![(5, 2), (u64::MAX - 1, u64::MAX)];
            state.lacking = (0..32).collect();
        }
        let head = LogHead { next: 1 << 40, hash: self.random_hash() };
        let digest = Digest { vector: self.random_hash(), log: head, records: Vec::new(), ask: true };
        for message in [Message::Vector(Vector { feeds, ask: true }), Message::Digest(digest)] {
            self.say_as_rogue(device, conversation, victims, &message);
        }
    }

    /// Says that the records of all members are others than they are.
    pub(crate) fn accuse_relays(&mut self, device: usize, conversation: ConversationId) {
        let hash = self.random_hash();
        let records = self.people.iter().map(|person| RecordHead {
            account: person.account,
            version: person.record.version(),
            hash,
        });
        let digest =
            Digest { vector: hash, log: LogHead { next: 0, hash: ZERO }, records: records.collect(), ask: false };
        let victims = self.victims(device, conversation);
        self.say_as_rogue(device, conversation, &victims, &Message::Digest(digest));
    }

    pub(super) fn false_fork(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let words = self.words_of_others(device, conversation);
        let Some(id) = words.first().copied() else { return };
        let event = self.as_rogue(device, |rogue| rogue.held(conversation, &id)).flatten();
        let Some(one) = event.map(|event| UnverifiedEvent { content: None, ..event }) else { return };
        let mut altered = one.clone();
        if let Ok(mut header) = altered.peek() {
            header.wall_ms += 1;
            altered.header = header.encode();
        }
        let resigned = one.peek().ok().and_then(|header| {
            let body = Text { text: "forged".to_owned(), reply_to: None }.encode();
            self.as_rogue(device, |rogue| Ok(rogue.sign(header, body)))
        });
        let others =
            [Some(altered), resigned.map(|event| UnverifiedEvent { content: None, ..event }), Some(one.clone())];
        for other in others.into_iter().flatten() {
            self.say_as_rogue(device, conversation, victims, &Message::Fork { one: one.clone(), other });
        }
    }

    pub(super) fn false_equivocation(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let Some(ground) = self.ground(device, conversation) else { return };
        let entry = |previous: Hash, blob: Hash| log::Entry {
            group: ground.group,
            term: 0,
            index: ground.log.next.saturating_sub(1),
            previous,
            blob,
            wall: Timestamp(1),
        };
        let (one, other) = (entry(ZERO, self.random_hash()), entry(ZERO, self.random_hash()));
        let unsigned =
            |entry: log::Entry| UnverifiedEntry { entry: entry.encode(), signature: vec![7; 64], blob: Vec::new() };
        let shown = Equivocation { one: unsigned(one), other: unsigned(other) };
        self.say_as_rogue(device, conversation, victims, &Message::Equivocation(shown.clone()));
        self.send_packet(device, victims, &Packet::Shown { group: ground.group, shown });
    }

    pub(super) fn alter(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let words = self.words_of_others(device, conversation);
        let Some(id) = words.first().copied() else { return };
        let Some(event) = self.as_rogue(device, |rogue| rogue.held(conversation, &id)).flatten() else { return };
        let mut events = Vec::new();
        let mut other_content = event.clone();
        if let Some(content) = &mut other_content.content {
            content.body = Text { text: self.forged_text(), reply_to: None }.encode();
        }
        events.push(other_content);
        // Under the other's name, with one's own signature.
        if let Ok(header) = event.peek() {
            let next = Header {
                sequence: header.sequence + 1,
                previous: header_hash(&event.header),
                clock: Clock(header.clock.0 + 1),
                ..header.clone()
            };
            for header in [header, next] {
                let body = Text { text: self.forged_text(), reply_to: None }.encode();
                events.extend(self.as_rogue(device, |rogue| Ok(rogue.sign(header, body))));
            }
        }
        self.tell_events(device, conversation, victims, &events);
    }

    pub(super) fn replay(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let mut events = Vec::new();
        for view in self.conversations(device) {
            if view.id == conversation {
                continue;
            }
            for line in self.timeline(device, &view).into_iter().take(20) {
                events.extend(self.as_rogue(device, |rogue| rogue.held(view.id, &line.id)).flatten());
            }
        }
        // And an own one whose header names another conversation.
        let feed = self.new_feed(device);
        let body = Text { text: self.forged_text(), reply_to: None }.encode();
        events.extend(self.as_rogue(device, |rogue| {
            let header = rogue.header(conversation, feed, Kind::Text as u16)?;
            let elsewhere = ConversationId::new([3; ConversationId::LEN]);
            Ok(rogue.sign(Header { conversation: elsewhere, ..header }, body))
        }));
        self.tell_events(device, conversation, victims, &events);
    }

    /// An event of an own feed that joins what was there before.
    fn chained(
        &mut self,
        device: usize,
        conversation: ConversationId,
        feed: FeedId,
        before: Option<&UnverifiedEvent>,
        (kind, body): (Kind, Vec<u8>),
    ) -> Option<UnverifiedEvent> {
        let sequence = before.and_then(|event| event.peek().ok()).map_or(0, |header| header.sequence + 1);
        let previous = before.map_or(ZERO, |event| header_hash(&event.header));
        self.as_rogue(device, |rogue| {
            let header = rogue.header(conversation, feed, kind as u16)?;
            let clock = Clock(header.clock.0 + sequence);
            Ok(rogue.sign(Header { sequence, previous, clock, ..header }, body))
        })
    }

    pub(super) fn fall(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let mut events = Vec::new();
        let falls: [fn(&mut Header); 2] =
            [|header| header.clock = Clock(5), |header| header.epoch = header.epoch.saturating_sub(1)];
        for fall in falls {
            let feed = self.new_feed(device);
            let first = Text { text: self.rogue_text(device), reply_to: None }.encode();
            let Some(first) = self.chained(device, conversation, feed, None, (Kind::Text, first)) else { return };
            let second = Text { text: self.forged_text(), reply_to: None }.encode();
            let Some(second) = self.chained(device, conversation, feed, Some(&first), (Kind::Text, second)) else {
                return;
            };
            let (Ok(mut header), Some(content)) = (second.peek(), second.content) else { return };
            if header.epoch == 0 {
                // Nothing is lower: then it is honest, but for the clock.
                header.clock = Clock(5);
            }
            fall(&mut header);
            events.push(first);
            events.extend(self.as_rogue(device, |rogue| Ok(rogue.sign(header, content.body))));
        }
        self.tell_events(device, conversation, victims, &events);
    }

    pub(super) fn many_lives(&mut self, device: usize, conversation: ConversationId, victims: &[usize], count: usize) {
        let mut events = Vec::new();
        for _ in 0..count {
            let feed = self.new_feed(device);
            let body = Text { text: self.rogue_text(device), reply_to: None }.encode();
            events.extend(self.chained(device, conversation, feed, None, (Kind::Text, body)));
        }
        for (turn, victim) in victims.iter().enumerate() {
            let mut events = events.clone();
            let by = if events.is_empty() { 0 } else { turn * 13 % events.len() };
            events.rotate_left(by);
            self.tell_events(device, conversation, &[*victim], &events);
        }
    }

    pub(super) fn flood(
        &mut self,
        device: usize,
        conversation: ConversationId,
        victims: &[usize],
        (of, kind, count): (ContentId, Option<Kind>, usize),
    ) {
        const ALL: [Kind; 3] = [Kind::Edit, Kind::Reaction, Kind::Delete];
        let feed = self.new_feed(device);
        let text = self.forged_text();
        let events = self.as_rogue(device, |rogue| {
            let first = rogue.header(conversation, feed, Kind::Delete as u16)?;
            let mut events: Vec<UnverifiedEvent> = Vec::with_capacity(count);
            for (sequence, next) in (0..count as u64).zip(ALL.into_iter().cycle()) {
                let kind = kind.unwrap_or(next);
                let body = match kind {
                    Kind::Edit => Edit { of, text: text.clone() }.encode(),
                    Kind::Reaction => Reaction { of, emoji: "an emoji that is longer than any is".to_owned() }.encode(),
                    _ => Delete { of }.encode(),
                };
                let previous = events.last().map_or(ZERO, |event| header_hash(&event.header));
                // Later than all that anybody will write.
                let clock = Clock(first.clock.0 + (1 << 45) + sequence);
                events.push(rogue.sign(Header { sequence, previous, clock, kind: kind as u16, ..first.clone() }, body));
            }
            Ok(events)
        });
        self.tell_events(device, conversation, victims, &events.unwrap_or_default());
    }

    pub(super) fn fork_itself(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let feed = self.new_feed(device);
        let mut body = || Text { text: self.rogue_text(device), reply_to: None }.encode();
        let (first, one, other, after) = (body(), body(), body(), body());
        let Some(first) = self.chained(device, conversation, feed, None, (Kind::Text, first)) else { return };
        let mut branches = Vec::new();
        for body in [one, other] {
            branches.extend(self.chained(device, conversation, feed, Some(&first), (Kind::Text, body)));
        }
        for (turn, victim) in victims.iter().enumerate() {
            let Some(branch) = branches.get(turn % 2).cloned() else { return };
            let next = self.chained(device, conversation, feed, Some(&branch), (Kind::Text, after.clone()));
            let events: Vec<UnverifiedEvent> =
                [Some(first.clone()), Some(branch), next].into_iter().flatten().collect();
            self.tell_events(device, conversation, &[*victim], &events);
        }
    }

    /// All that a device that was removed wrote and still holds goes to those who are not to hear it, under an accomplice's leaf.
    pub(super) fn pass_on(&mut self, device: usize, conversation: ConversationId, victims: &[usize], thief: usize) {
        let vector = repair::vector(&self.devices[thief].store, &conversation).expect("a readable store");
        let id = self.devices[thief].id;
        let mut events = Vec::new();
        for state in vector.feeds.into_iter().filter(|state| state.feed.device == id) {
            for sequence in 0..state.next {
                let place = ContentId { feed: state.feed, sequence };
                events.extend(self.as_rogue(thief, |rogue| rogue.held(conversation, &place)).flatten());
            }
        }
        self.tell_events(device, conversation, victims, &events);
    }
}
