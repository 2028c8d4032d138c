//! What a rogue does beside talking: commits, groups, pleas and junk.

use kith_core::chat::Input;
use kith_core::chat::policy::{Home, Kind as Sort, Policy, Role, Seat};
use kith_core::chat::rogue::{Forged, Ground, sign};
use kith_core::identity::{AccountRecord, DeviceCertificate, DeviceKeys, RootKey};
use kith_core::mls::Suite;
use kith_core::types::{ConversationId, DeviceId, FeedId, GroupId, Incarnation};
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::Packet;
use kith_core::wire::event::{Header, LogHead};
use kith_core::wire::log;
use kith_core::wire::message::{Anchors, CommitInfo, Cut, Kind, Message, Text};
use kith_core::wire::relay::{Request, Response};
use rand_core::RngCore;

use super::super::world::World;
use super::{Successor, Unentitled, ZERO};

impl World {
    /// Appends to the log of a conversation's home.
    fn append_as_rogue(&mut self, device: usize, conversation: ConversationId, forged: Forged) {
        let Some(ground) = self.ground(device, conversation) else { return };
        let Some((request, _)) = self.as_rogue(device, |rogue| rogue.append(conversation, forged)) else { return };
        self.ask_home_as_rogue(device, &ground, request);
    }

    fn ask_home_as_rogue(&mut self, device: usize, ground: &Ground, request: log::Request) {
        match &ground.policy.home {
            Home::Relay(address) => {
                let Some(relay) = self.relay_of(address) else { return };
                self.ask(device, relay, Request::Home(request), move |world, outcome| {
                    world.note("rogue-append", device, &[], || format!("{outcome:?}"));
                });
            }
            Home::Device { events, .. } => {
                self.call_device(device, events.device_id(), Request::Home(request), |_, _| {});
            }
        }
    }

    pub(super) fn commit_unentitled(&mut self, device: usize, conversation: ConversationId, commit: Unentitled) {
        let Some(ground) = self.ground(device, conversation) else { return };
        let own = self.devices[device].account;
        let mut next = ground.policy.next(ground.log);
        let other = ground.leaves.iter().find(|(_, account)| *account != own).copied();
        let Some((victim, account)) = other else { return };
        let seat = ground.policy.seat(account).copied();
        let owner = self.people.iter().position(|person| person.account == account);
        let mut forged = Forged::default();
        match commit {
            Unentitled::RemoveALeaf => forged.removes = vec![victim],
            Unentitled::Unseat => {
                next.unseat(account);
                forged.removes = ground.leaves.iter().filter(|leaf| leaf.1 == account).map(|leaf| leaf.0).collect();
            }
            Unentitled::AddADevice => {
                let person = self.devices[device].person;
                let keys = DeviceKeys::generate(&mut self.rng);
                let wall = self.true_wall();
                let issued = DeviceCertificate::issue(&self.people[person].root, &keys, wall);
                let (certificate, suite) = (issued.expect("a certificate"), self.plan.suite);
                forged.adds.extend(self.as_rogue(device, |rogue| rogue.package_of(suite, &keys, &certificate)));
            }
            Unentitled::ChangeTheRules => next.rules += 1,
            Unentitled::NewGeneration => next.generation += 1,
            Unentitled::TakeTheHome => {
                if ground.policy.kind != Sort::Group || ground.policy.is_admin(own) {
                    return;
                }
                let relays: Vec<_> = self.relays.iter().map(|relay| relay.address.clone()).collect();
                let Some(mut relay) = self.pick(&relays) else { return };
                relay.addresses.push("/dns4/elsewhere.test/tcp/1".to_owned());
                next.home = Home::Relay(relay);
            }
            Unentitled::BecomeAdmin => {
                let Some(seat) = ground.policy.seat(own).copied() else { return };
                if ground.policy.is_admin(own) {
                    return;
                }
                next.seat_account(Seat { role: Role::Admin, ..seat });
            }
            Unentitled::CutAFeed => {
                let feeds = self.feeds_of_others(device, conversation);
                forged.info.cuts = feeds.iter().map(|state| Cut { feed: state.feed, next: 0, hash: ZERO }).collect();
            }
            Unentitled::FallBackToAnOlderRecord => {
                let (Some(seat), Some(owner)) = (seat, owner) else { return };
                let first = self.people[owner].first_record.clone();
                let Ok(record) = AccountRecord::decode_verified(&first) else { return };
                if record.version() == seat.version {
                    return;
                }
                next.seat_account(Seat { version: record.version(), hash: record.hash(), ..seat });
                forged.info.records = vec![first.into()];
                forged.removes = vec![victim];
            }
            Unentitled::SeatAStranger => {
                let root = RootKey::generate(&mut self.rng);
                let Some(seat) = seat else { return };
                next.seat_account(Seat { account: root.account_id(), ..seat });
            }
            Unentitled::NameAnotherPast => next.predecessor = Some(ZERO),
            Unentitled::FloodWithRecords => {
                forged.info.records = self.people.iter().map(|person| person.first_record.clone().into()).collect();
            }
        }
        let changes = !matches!(commit, Unentitled::RemoveALeaf | Unentitled::CutAFeed | Unentitled::FloodWithRecords);
        forged.policy = changes.then_some(next);
        self.append_as_rogue(device, conversation, forged);
    }

    /// Key packages of somebody's devices, taken as anybody takes them who may.
    fn packages(&mut self, device: usize, of: usize) -> Vec<Vec<u8>> {
        let account = self.people[of].account;
        let token = self.as_rogue(device, |rogue| rogue.key_package_token(&account)).flatten();
        let (Some(token), Some(relay)) = (token, self.people[of].relay) else { return Vec::new() };
        let peer = self.devices[device].transport;
        match self.at_relay_now(relay, peer, Request::TakeKeyPackages { account, token }) {
            Response::KeyPackages { packages } => packages.into_iter().map(|(_, package)| package.into_vec()).collect(),
            _ => Vec::new(),
        }
    }

    /// Founds a group that is to take a conversation over, and leads the victims into it. Returns it, if that could be done.
    pub(crate) fn succeed(
        &mut self,
        device: usize,
        conversation: ConversationId,
        victims: &[usize],
        wrong: Successor,
    ) -> Option<GroupId> {
        let agreed = self.ground(device, conversation)?.policy;
        self.found_successor(device, &agreed, victims, wrong)
    }

    /// As [`World::succeed`], for somebody who has lost their seat.
    pub(crate) fn succeed_with_seat_of(
        &mut self,
        device: usize,
        conversation: ConversationId,
        victim: usize,
        wrong: Successor,
    ) -> Option<GroupId> {
        let mut agreed = self.ground(device, conversation)?.policy;
        let record = &self.people[self.devices[victim].person].record;
        let (account, version, hash) = (record.account_id(), record.version(), record.hash());
        agreed.seat_account(Seat { account, version, hash, role: Role::Member, since: 1 });
        self.found_successor(device, &agreed, &[victim], wrong)
    }

    fn found_successor(
        &mut self,
        device: usize,
        agreed: &Policy,
        victims: &[usize],
        wrong: Successor,
    ) -> Option<GroupId> {
        let mut policy = agreed.clone();
        policy.generation += 1;
        policy.predecessor = Some(agreed.hash());
        policy.log = LogHead { next: 0, hash: ZERO };
        match wrong {
            Successor::Plain => {}
            Successor::OtherPast => policy.predecessor = Some(self.random_hash()),
            Successor::OldRecords => {
                for person in &self.people {
                    let first = AccountRecord::decode_verified(&person.first_record).expect("a record");
                    if let Some(seat) = policy.seat(person.account).copied() {
                        policy.seat_account(Seat { version: first.version(), hash: first.hash(), ..seat });
                    }
                }
            }
        }
        let mut people: Vec<usize> = victims.iter().map(|victim| self.devices[*victim].person).collect();
        people.sort_unstable();
        people.dedup();
        let mut packages = Vec::new();
        let mut info = CommitInfo::default();
        for person in people {
            let own = self.devices[device].person == person;
            if policy.seat(self.people[person].account).is_some() && !own {
                packages.extend(self.packages(device, person));
                info.records.push(self.people[person].record.encode().into());
            }
        }
        if packages.is_empty() {
            return None;
        }
        let records = self.people.iter().map(|person| person.record.encode().into()).collect();
        let anchors = Anchors { records, ..Anchors::default() };
        let (group, welcome) = self.as_rogue(device, |rogue| rogue.found(&policy, &packages, &info, anchors))?;
        self.note("forged", device, group.as_ref(), || format!("{device} founds {group:?}"));
        self.send_packet(device, victims, &welcome?);
        Some(group)
    }

    /// A device that is of no account any more writes in a group of its making.
    pub(crate) fn write_in(
        &mut self,
        device: usize,
        conversation: ConversationId,
        group: GroupId,
        to: &[usize],
    ) -> String {
        let text = self.forged_text();
        let feed = self.new_feed(device);
        let body = Text { text: text.clone(), reply_to: None }.encode();
        let event = self.as_rogue(device, |rogue| {
            let header = rogue.header(conversation, feed, Kind::Text as u16)?;
            Ok(rogue.sign(Header { group, epoch: 1, generation: header.generation + 1, ..header }, body))
        });
        if let Some(event) = event {
            self.say_in(device, group, to, &Message::Events(vec![event]));
        }
        text
    }

    /// Leads victims into groups of the conversations that they have with themselves and with each other.
    pub(super) fn trespass(&mut self, device: usize, victims: &[usize]) {
        let own = self.devices[device].account;
        for victim in victims.iter().copied() {
            let person = self.devices[victim].person;
            for view in self.conversations(victim) {
                if view.accounts.contains(&own) || view.kind == Sort::Group {
                    continue;
                }
                let Some(ground) = self.ground(victim, view.id) else { continue };
                let mut policy = ground.policy;
                policy.generation += 1;
                let packages = self.packages(device, person);
                if packages.is_empty() {
                    return;
                }
                let records = self.people.iter().map(|person| person.record.encode().into()).collect();
                let anchors = Anchors { records, ..Anchors::default() };
                let info = CommitInfo::default();
                let found = self.as_rogue(device, |rogue| rogue.found(&policy, &packages, &info, anchors));
                let Some((_, Some(welcome))) = found else { continue };
                self.send_packet(device, &[victim], &welcome);
            }
        }
    }

    pub(super) fn plead_for_nothing(&mut self, device: usize, victims: &[usize]) {
        for victim in victims.iter().copied() {
            let record = self.people[self.devices[victim].person].record.clone();
            let suite: Suite = self.plan.suite;
            let ids: Vec<ConversationId> = self.conversations(victim).into_iter().map(|view| view.id).collect();
            for conversation in ids {
                let plea = self.as_rogue(device, |rogue| rogue.plea(&record, conversation, suite)).flatten();
                if let Some(envelope) = plea {
                    self.slip(device, victim, &envelope);
                }
            }
        }
    }

    pub(super) fn send_garbage(&mut self, device: usize, conversation: ConversationId, victims: &[usize]) {
        let group = self.ground(device, conversation).map_or(GroupId::new([1; GroupId::LEN]), |ground| ground.group);
        let mut junk = vec![0; 200];
        self.rng.fill_bytes(&mut junk);
        let account = victims.first().map(|victim| self.devices[*victim].account);
        let packets = [
            Some(Packet::Mls { group, message: junk.clone() }),
            Some(Packet::Mls { group: GroupId::new([2; GroupId::LEN]), message: junk.clone() }),
            Some(Packet::Welcome { group, message: junk.clone(), anchors: junk.clone() }),
            Some(Packet::Hint { group, next: u64::MAX }),
            account.map(|to| Packet::Sealed { to, prekey: 0, sealed: junk.clone() }),
        ];
        for packet in packets.into_iter().flatten() {
            self.send_packet(device, victims, &packet);
        }
        // Events of devices that nobody knows.
        let stranger = DeviceKeys::generate(&mut self.rng);
        let feed = FeedId { device: stranger.device_id(), incarnation: Incarnation::random(&mut self.rng) };
        let Some(header) = self.as_rogue(device, |rogue| rogue.header(conversation, feed, Kind::Text as u16)) else {
            return;
        };
        let mut events = Vec::new();
        for sequence in 0..40 {
            let body = Text { text: self.forged_text(), reply_to: None }.encode();
            events.push(sign(&stranger, &mut self.rng, Header { sequence, ..header.clone() }, body));
        }
        self.tell_events(device, conversation, victims, &events);
        for victim in victims {
            let from: Option<DeviceId> = Some(self.devices[device].id);
            self.input(*victim, Input::Envelope { from, bytes: junk.clone() });
        }
    }
}
