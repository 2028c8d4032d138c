//! What people do: commands drawn from the seed.

use kith_core::chat::account::{contacts, waiting_requests};
use kith_core::chat::policy::{Kind, direct_conversation};
use kith_core::chat::view::ConversationView;
use kith_core::chat::{Command, CommandError, Reply, repair};
use kith_core::types::{AccountId, ConversationId, FeedId};

use super::faults::Fault;
use super::oracle::Line;
use super::rogue::Attack;
use super::world::World;

impl World {
    /// A whole run: people come, do what the plan's seed says, while things go wrong.
    pub(crate) fn play(&mut self) {
        if self.plan.has(Fault::Hostile) {
            self.villain = usize::try_from(self.draw(self.plan.accounts as u64)).ok();
        }
        if self.plan.skewed {
            self.happened.insert(Fault::Skew);
        }
        for _ in 0..self.plan.relays {
            self.add_relay();
        }
        for person in 0..self.plan.accounts {
            let without = self.plan.without_relay;
            let none = without > 0 && self.draw(without) == 0;
            let relay = if none || self.relays.is_empty() { None } else { Some(person % self.relays.len()) };
            self.add_person(relay);
        }
        self.watch_links();
        self.run_for(3_000);
        self.prepare();
        for one in 0..self.plan.accounts {
            self.meet(one);
        }
        for _ in 0..self.plan.steps {
            let pause = 1 + self.draw(self.plan.pause_ms);
            self.run_for(pause);
            self.act();
            if self.chance(250) {
                self.misfortune();
            }
            if self.chance(200) {
                self.look_at_states();
            }
        }
        self.listen_to_each_other();
    }

    /// What some faults need from the beginning, to come about at all.
    fn prepare(&mut self) {
        if self.plan.has(Fault::RemoveDevices) && !self.plan.has(Fault::AddDevices) {
            for person in 0..self.people.len() {
                if self.chance(500) {
                    self.add_device(person);
                }
            }
            self.run_for(2 * 60_000);
        }
        if self.plan.has(Fault::Garbage) && !self.relays.is_empty() && self.chance(500) {
            self.relays[0].lie = Some(super::faults::Lie::Garbage);
        }
    }

    /// A person asks another for contact; sometimes both at once, and they write first at the same moment.
    fn meet(&mut self, one: usize) {
        let other = (one + 1) % self.people.len();
        let (Some(here), Some(there)) = (self.any_device(one), self.any_device(other)) else { return };
        self.request(here, other);
        if self.chance(300) {
            self.request(there, one);
        }
        let wait = 500 + self.draw(20_000);
        self.after(wait, move |world| world.accept_all(there));
    }

    pub(crate) fn any_device(&mut self, person: usize) -> Option<usize> {
        let devices = self.people[person].devices.clone();
        let up: Vec<usize> = devices.into_iter().filter(|device| self.devices[*device].is_up()).collect();
        self.pick(&up)
    }

    pub(crate) fn request(&mut self, device: usize, person: usize) {
        let (record, account) = (self.people[person].record.encode(), self.people[person].account);
        let text = self.text(device);
        let command = Command::RequestContact { record, handle: None, text };
        self.command(device, command, move |world, outcome| world.befriended(device, account, outcome.is_ok()));
    }

    pub(crate) fn accept_all(&mut self, device: usize) {
        let waiting = waiting_requests(&self.devices[device].store).expect("a readable store");
        for request in waiting {
            let account = request.account;
            let command = Command::Accept { account };
            self.command(device, command, move |world, outcome| world.befriended(device, account, outcome.is_ok()));
        }
    }

    fn befriended(&mut self, device: usize, account: AccountId, done: bool) {
        if done {
            let now = self.now_ms();
            self.ledger.befriended.push((device, account, now));
        }
    }

    /// People know whom they asked or accepted since their device's store was copied, and do so again where nobody can tell the device: of
    /// the other's devices none has a place in the conversation of the two in which it holds something that this account wrote, or none can
    /// reach this account's.
    pub(crate) fn befriend_again(&mut self) {
        for (device, account, at) in self.ledger.befriended.clone() {
            let it = &self.devices[device];
            let own = it.account;
            let undone = it.restored.iter().any(|(when, of)| at <= *when && at > *of);
            let known = contacts(&it.store, own).expect("a readable store");
            if !undone
                || it.removed
                || self.hostile.contains(&device)
                || known.iter().any(|it| it.account == account && (it.accepted || it.asked.is_some() || it.blocked))
                || self.is_known_to_another(device, account)
                || (self.can_remind(own, account) && !self.knows_nobody_of(device, &[account]))
            {
                continue;
            }
            let waiting = waiting_requests(&self.devices[device].store).expect("a readable store");
            if waiting.iter().any(|request| request.account == account) {
                self.command(device, Command::Accept { account }, |_, _| {});
            } else if let Some(person) = self.people.iter().position(|person| person.account == account) {
                self.request(device, person);
            }
        }
    }

    /// Whether a device of somebody's has a place in the conversation with an account, and something to show that it wrote there.
    fn can_remind(&self, whom: AccountId, other: AccountId) -> bool {
        let conversation = direct_conversation(whom, other);
        let theirs = |feed: &FeedId| self.by_id.get(&feed.device).is_some_and(|it| self.devices[*it].account == whom);
        let placed =
            |device: &usize| self.devices[*device].account == other && self.ground(*device, conversation).is_some();
        self.honest().into_iter().filter(placed).any(|device| {
            let vector = repair::vector(&self.devices[device].store, &conversation).expect("a readable store");
            vector.feeds.iter().any(|state| theirs(&state.feed))
        })
    }

    /// People know those who were their contacts on a device that is gone. Whom another of their devices knows they are not asked of.
    pub(crate) fn answer_remembered(&mut self) {
        for (device, account) in self.remembered() {
            if !self.is_known_to_another(device, account) {
                self.command(device, Command::Accept { account }, |_, _| {});
            }
        }
    }

    /// People know who belongs to their groups: who says so and was not taken out is added again.
    pub(crate) fn answer_claims(&mut self) {
        for (device, conversation, account) in std::mem::take(&mut self.claims) {
            if !self.ledger.unseated.contains(&(conversation, account)) {
                let command = Command::AddMembers { conversation, members: vec![account] };
                self.command(device, command, |_, _| {});
            }
        }
    }

    /// The requests of those whom only a device that is gone knew, and where they wait.
    pub(crate) fn remembered(&self) -> Vec<(usize, AccountId)> {
        let mut remembered = Vec::new();
        for device in self.honest() {
            let waiting = waiting_requests(&self.devices[device].store).expect("a readable store");
            let theirs = waiting.iter().filter(|request| request.is_remembered());
            remembered.extend(theirs.map(|request| (device, request.account)));
        }
        remembered
    }

    /// Whether another device of the same person has somebody as a contact.
    pub(crate) fn is_known_to_another(&self, device: usize, account: AccountId) -> bool {
        let person = &self.people[self.devices[device].person];
        let others = person.devices.iter().filter(|other| **other != device && !self.hostile.contains(other));
        let has = |other: &usize| {
            let list = contacts(&self.devices[*other].store, person.account).expect("a readable store");
            list.iter().any(|contact| contact.account == account && contact.accepted)
        };
        others.into_iter().any(has)
    }

    /// A text that nobody else writes.
    pub(crate) fn text(&mut self, device: usize) -> String {
        self.ledger.texts += 1;
        let text = format!("text {}", self.ledger.texts);
        self.ledger.authors.insert(text.clone(), self.devices[device].account);
        text
    }

    /// Writes a text; its writing is a promise once it is acknowledged.
    pub(crate) fn say(&mut self, device: usize, conversation: ConversationId) -> String {
        let text = self.text(device);
        let command = Command::SendText { conversation, text: text.clone(), reply_to: None };
        let said = text.clone();
        self.command(device, command, move |world, outcome| {
            if let Ok(Reply::Written { conversation, id }) = outcome {
                world.wrote(device, conversation, id, said);
            }
        });
        text
    }

    fn act(&mut self) {
        let person = usize::try_from(self.draw(self.people.len() as u64)).unwrap_or(0);
        let Some(device) = self.any_device(person) else { return };
        let views: Vec<ConversationView> =
            self.conversations(device).into_iter().filter(|view| view.kind != Kind::Own).collect();
        let Some(view) = self.pick(&views) else { return self.approach(device) };
        match self.draw(100) {
            0..=44 => {
                self.say(device, view.id);
            }
            45..=64 => self.change(device, &view),
            65..=71 => self.read(device, &view),
            72..=79 => self.approach(device),
            80..=85 if self.plan.has(Fault::Groups) => self.group(device, &view),
            86..=89 if self.plan.has(Fault::AddDevices) => self.grow(person),
            90..=92 if self.plan.has(Fault::RemoveDevices) => self.shrink(person),
            93..=94 if self.plan.has(Fault::Block) => self.block(device),
            95..=99 if self.plan.has(Fault::Homes) => self.housework(device, view.id),
            _ => {
                self.say(device, view.id);
            }
        }
    }

    /// Contacts: asks somebody, or accepts who asked.
    fn approach(&mut self, device: usize) {
        self.accept_all(device);
        let own = self.devices[device].person;
        let other = usize::try_from(self.draw(self.people.len() as u64)).unwrap_or(0);
        let known = contacts(&self.devices[device].store, self.devices[device].account).expect("a readable store");
        let account = self.people[other].account;
        if other != own && !known.iter().any(|contact| contact.account == account) {
            self.request(device, other);
        }
    }

    /// Edits, deletes or reacts to what is there.
    fn change(&mut self, device: usize, view: &ConversationView) {
        let lines = self.timeline(device, view);
        let own = self.devices[device].account;
        let conversation = view.id;
        let Some(line) = self.pick(&lines) else { return };
        let command = match self.draw(3) {
            0 if line.author == own => {
                let text = self.text(device);
                Command::Edit { conversation, of: line.id, text }
            }
            1 if line.author == own => Command::Delete { conversation, of: line.id },
            _ => Command::React { conversation, of: line.id, emoji: ["+1", "!", ""][self.draw(3) as usize].to_owned() },
        };
        self.command(device, command, |_, _| {});
    }

    fn read(&mut self, device: usize, view: &ConversationView) {
        if let Some(line) = self.timeline(device, view).last() {
            let command = Command::MarkRead { conversation: view.id, upto: line.id };
            self.command(device, command, |_, _| {});
        }
    }

    fn group(&mut self, device: usize, view: &ConversationView) {
        let own = self.devices[device].account;
        let known = contacts(&self.devices[device].store, own).expect("a readable store");
        let friends: Vec<AccountId> = known
            .iter()
            .filter(|contact| contact.accepted && !contact.blocked)
            .map(|contact| contact.account)
            .collect();
        let Some(friend) = self.pick(&friends) else { return };
        self.happened.insert(Fault::Groups);
        let conversation = view.id;
        let command = match (view.kind, self.draw(4)) {
            (Kind::Group, 0) => {
                let others: Vec<AccountId> = view.accounts.iter().copied().filter(|account| *account != own).collect();
                let Some(member) = self.pick(&others) else { return };
                self.ledger.unseated.insert((conversation, member));
                Command::RemoveMember { conversation, member }
            }
            (Kind::Group, 1) => {
                self.ledger.unseated.insert((conversation, own));
                Command::Leave { conversation }
            }
            (Kind::Group, _) => Command::AddMembers { conversation, members: vec![friend] },
            _ => Command::CreateGroup { name: "a group".to_owned(), members: friends },
        };
        self.command(device, command, |_, _| {});
    }

    fn grow(&mut self, person: usize) {
        // On two sides at once, half of the time.
        let other = (person + 1) % self.people.len();
        let both = self.chance(500);
        for person in [Some(person), both.then_some(other)].into_iter().flatten() {
            if self.people[person].devices.len() < 3 {
                self.happened.insert(Fault::AddDevices);
                self.add_device(person);
            }
        }
    }

    fn shrink(&mut self, person: usize) {
        let devices = self.people[person].devices.clone();
        if devices.len() > 1
            && let Some(device) = self.pick(&devices)
        {
            self.happened.insert(Fault::RemoveDevices);
            self.remove_device(device);
            if self.chance(300) {
                self.find_accomplice(person);
            }
        }
    }

    /// Somebody goes over to whoever has somebody's removed device.
    fn find_accomplice(&mut self, of: usize) {
        let others: Vec<usize> = (0..self.people.len()).filter(|person| *person != of).collect();
        if self.villain.is_none()
            && let Some(accomplice) = self.pick(&others)
        {
            self.villain = Some(accomplice);
            self.hostile.extend(self.people[accomplice].devices.clone());
        }
    }

    /// Whoever has a removed device goes on writing with it, and, with an accomplice, is passed on.
    pub(crate) fn thieve(&mut self) {
        let gone = |device: &usize| self.devices[*device].removed && self.devices[*device].is_up();
        let thieves: Vec<usize> = (0..self.devices.len()).filter(gone).collect();
        let Some(thief) = self.pick(&thieves) else { return };
        let shared: Vec<ConversationView> =
            self.conversations(thief).into_iter().filter(|view| view.kind != Kind::Own).collect();
        let Some(view) = self.pick(&shared) else { return };
        let too_late = self.is_known_gone(thief, view.id);
        let text = self.say(thief, view.id);
        if too_late {
            let grounds = self.honest().into_iter().filter_map(|device| self.ground(device, view.id));
            self.ledger.late.insert(text.clone(), grounds.map(|ground| ground.group).collect());
            self.ledger.forbidden.insert(text);
        }
        let accomplices: Vec<usize> = self.hostile.iter().copied().filter(|other| *other != thief).collect();
        if let Some(accomplice) = self.pick(&accomplices) {
            self.after(1_000, move |world| {
                world.attack(accomplice, view.id, Attack::PassOn(thief));
            });
        }
    }

    /// Whether what a thief wrote too late counts all the same. In the groups that all knew it to be gone from nothing of it does. But an
    /// accomplice who is a member may have led the others into another since, a rival or a successor: where that ends the feed they all
    /// go by, and whoever made it need not have been shown the removal.
    pub(crate) fn is_let_in(&self, device: usize, view: &ConversationView, line: &Line) -> bool {
        let Some(groups) = self.ledger.late.get(&line.body) else { return false };
        let elsewhere = self.ground(device, view.id).is_some_and(|ground| !groups.contains(&ground.group));
        let within = view.roster.cut(&line.id.feed).is_some_and(|cut| line.id.sequence < cut.next);
        let mut members = self.hostile.iter().map(|device| self.devices[*device].account);
        elsewhere && within && members.any(|account| view.accounts.contains(&account))
    }

    fn block(&mut self, device: usize) {
        let own = self.devices[device].account;
        let known = contacts(&self.devices[device].store, own).expect("a readable store");
        let Some(contact) = self.pick(&known) else { return };
        self.happened.insert(Fault::Block);
        self.block_account(device, contact.account);
    }

    pub(crate) fn block_account(&mut self, device: usize, account: AccountId) {
        let own = self.devices[device].account;
        self.ledger.blocked.insert((own, account));
        self.command(device, Command::Block { account }, move |world, outcome| {
            if outcome.is_ok() && !world.devices[device].removed {
                world.ledger.shut.insert((own, account));
            }
        });
    }

    fn housework(&mut self, device: usize, conversation: ConversationId) {
        self.happened.insert(Fault::Homes);
        let command = match self.draw(3) {
            0 => Command::UpdateKeys { conversation },
            1 => Command::MoveHome { conversation, relay: None },
            _ => {
                let relays: Vec<_> = self.relays.iter().map(|relay| relay.address.clone()).collect();
                Command::MoveHome { conversation, relay: self.pick(&relays) }
            }
        };
        self.command(device, command, |_, _: Result<Reply, CommandError>| {});
    }
}
