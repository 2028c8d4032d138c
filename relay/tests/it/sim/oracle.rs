//! What has to hold at the end, and what was promised on the way.

mod apart;

use std::collections::{BTreeMap, BTreeSet};

use kith_core::chat::account::{contact, contacts, known_record};
use kith_core::chat::policy::{Kind, direct_conversation, own_conversation};
use kith_core::chat::repair;
use kith_core::chat::rogue::ground;
use kith_core::chat::timeline::Anchor;
use kith_core::chat::view::{self, ConversationView};
use kith_core::chat::{Item, ItemBody, Me, MessageState};
use kith_core::types::{AccountId, ContentId, ConversationId, DeviceId, GroupId};

use super::driver::Device;
use super::faults::Lie;
use super::world::World;

/// More than any run writes.
const ALL: usize = 100_000;

/// How long a network may take to agree after it has healed, in virtual milliseconds: waits of ten minutes, some times over.
const PATIENCE_MS: u64 = 6 * 3_600_000;

/// How often it is looked whether it has.
const STEP_MS: u64 = 4 * 60_000;

/// A message whose writing was acknowledged to its writer.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) device: usize,
    pub(crate) conversation: ConversationId,
    pub(crate) id: ContentId,
    /// The note that it says was heard; none of what shows by itself.
    pub(crate) heard: Option<ContentId>,
    pub(crate) text: String,
    pub(crate) at_ms: u64,
    /// How far its writer saw it come.
    pub(crate) state: Option<MessageState>,
}

impl Written {
    /// Whether a line is it, or tells it.
    fn shows_in(&self, line: &Line, author: AccountId) -> bool {
        match &self.heard {
            None => line.id == self.id,
            Some(note) => line.id == *note && line.played.contains(&author),
        }
    }
}

/// What was promised.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) written: Vec<Written>,
    /// Who blocked whom, ever.
    pub(crate) blocked: BTreeSet<(AccountId, AccountId)>,
    /// Those of them whose block was acknowledged; nobody takes one back. Not what only a device knew that was removed.
    pub(crate) shut: BTreeSet<(AccountId, AccountId)>,
    pub(crate) texts: u64,
    /// Whose each text is: nobody else may be shown to have written it.
    pub(crate) authors: BTreeMap<String, AccountId>,
    /// Which voice notes were heard to their end by whom.
    pub(crate) heard: BTreeSet<(ContentId, AccountId)>,
    /// What nobody was entitled to write: once all is healed it shows at no honest device.
    pub(crate) forbidden: BTreeSet<String>,
    /// Of that, what a thief wrote whom all members knew to be gone, and the groups in which they did.
    pub(crate) late: BTreeMap<String, BTreeSet<GroupId>>,
    /// Whom somebody asked for contact or accepted, on which device, and when.
    pub(crate) befriended: Vec<(usize, AccountId, u64)>,
    /// Who left a group, or was to be removed from it, ever: what had not come to whoever removed them is lost.
    pub(crate) unseated: BTreeSet<(ConversationId, AccountId)>,
}

/// An item as two devices compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: ContentId,
    pub(crate) author: AccountId,
    pub(crate) body: String,
    pub(crate) edited: bool,
    pub(crate) reactions: BTreeMap<AccountId, String>,
    /// Who is said to have heard a voice note.
    pub(crate) played: BTreeSet<AccountId>,
}

fn line(item: Item) -> Line {
    let body = match item.body {
        ItemBody::Text { text, .. } => text,
        other => format!("{other:?}"),
    };
    Line { id: item.id, author: item.author, body, edited: item.edited, reactions: item.reactions, played: item.played }
}

impl World {
    pub(crate) fn me(&self, device: usize) -> Me {
        Me { account: self.devices[device].account, device: self.devices[device].id }
    }

    pub(crate) fn conversations(&self, device: usize) -> Vec<ConversationView> {
        let store = &self.devices[device].store;
        let ids = view::conversations(store).expect("a store that can be read");
        ids.into_iter().filter_map(|id| view::conversation(store, id).expect("a store that can be read")).collect()
    }

    pub(crate) fn timeline(&self, device: usize, view: &ConversationView) -> Vec<Line> {
        let me = self.me(device);
        let items = view::page(&self.devices[device].store, view, me, Anchor::Newest, ALL);
        items.expect("a store that can be read").into_iter().map(line).collect()
    }

    /// The devices in a conversation's present group, as a device sees them.
    pub(crate) fn present(&self, view: &ConversationView) -> BTreeSet<DeviceId> {
        let members = view.roster.members();
        members.filter(|(_, member)| member.is_present()).map(|(device, _)| *device).collect()
    }

    /// Devices that are of their account and play no hostile part.
    pub(crate) fn honest(&self) -> Vec<usize> {
        let honest = |device: &usize| !self.devices[*device].removed && !self.hostile.contains(device);
        (0..self.devices.len()).filter(honest).collect()
    }

    pub(crate) fn wrote(&mut self, device: usize, conversation: ConversationId, id: ContentId, text: String) {
        let at_ms = self.now_ms();
        self.ledger.written.push(Written { device, conversation, id, heard: None, text, at_ms, state: None });
    }

    /// A device said that a voice note was heard, and that is acknowledged.
    pub(crate) fn wrote_heard(&mut self, device: usize, conversation: ConversationId, id: ContentId, note: ContentId) {
        self.wrote(device, conversation, id, format!("{note:?} was heard"));
        if let Some(written) = self.ledger.written.last_mut() {
            written.heard = Some(note);
        }
    }

    /// Whether a device holds an event of its own.
    pub(crate) fn holds(&self, device: usize, conversation: ConversationId, id: &ContentId) -> bool {
        let vector = repair::vector(&self.devices[device].store, &conversation).expect("a store that can be read");
        vector.feeds.iter().any(|state| state.feed == id.feed && id.sequence < state.next)
    }

    /// A process that starts finds all that an earlier one acknowledged.
    pub(crate) fn has_kept_its_words(&mut self, device: usize) {
        let it = &self.devices[device];
        if it.removed || !it.restored.is_empty() || self.hostile.contains(&device) {
            return;
        }
        let lost = self.ledger.written.iter().find(|written| {
            let unseated = self.ledger.unseated.contains(&(written.conversation, it.account));
            written.device == device && !unseated && !self.holds(device, written.conversation, &written.id)
        });
        if let Some(text) = lost.map(|written| written.text.clone()) {
            self.defect(format!("device {device} started without {text:?}, which it had acknowledged"));
        }
    }

    /// Looks how far messages have come: states only grow.
    pub(crate) fn look_at_states(&mut self) {
        for index in 0..self.ledger.written.len() {
            let written = self.ledger.written[index].clone();
            let author = &self.devices[written.device];
            if !author.restored.is_empty() || author.removed || self.hostile.contains(&written.device) {
                continue;
            }
            let store = &self.devices[written.device].store;
            let Ok(Some(view)) = view::conversation(store, written.conversation) else { continue };
            let (state, _) =
                view::message_state(store, &view, self.me(written.device), &written.id).expect("a readable store");
            if written.state.is_some_and(|before| state < before) {
                let before = written.state;
                self.defect(format!("the state of {:?} fell from {before:?} to {state:?}", written.text));
            }
            self.ledger.written[index].state = Some(state);
        }
    }

    /// Heals the network, lets it come to rest, and says what does not hold.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.heal();
        let end = self.now_ms() + PATIENCE_MS;
        let mut problem = String::new();
        // Twice in a row: what is right once may still be undone.
        let mut right = 0;
        while self.now_ms() < end {
            self.run_for(STEP_MS);
            self.answer_remembered();
            self.befriend_again();
            self.answer_claims();
            self.look_at_states();
            if let Some(defect) = self.defects.first() {
                return Err(defect.clone());
            }
            match self.disagreement() {
                None => right += 1,
                Some(found) => (right, problem) = (0, found),
            }
            if right == 2 {
                return Ok(());
            }
        }
        Err(format!("{} minutes after healing: {problem}", PATIENCE_MS / 60_000))
    }

    /// What does not hold now, if anything.
    pub(crate) fn disagreement(&self) -> Option<String> {
        let mut views: BTreeMap<ConversationId, Vec<(usize, ConversationView)>> = BTreeMap::new();
        for device in self.honest() {
            for view in self.conversations(device) {
                views.entry(view.id).or_default().push((device, view));
            }
        }
        for (id, views) in &views {
            let problem = self.unentitled_in(views).or_else(|| self.disagreement_in(*id, views));
            if problem.is_some() {
                return problem;
            }
        }
        let asked_in_vain = || {
            let mut remembered = self.remembered().into_iter();
            let (device, account) = remembered.find(|(device, account)| self.is_known_to_another(*device, *account))?;
            Some(format!("device {device} asks of {account:?}, whom another device of the person knows"))
        };
        self.contacts_differ()
            .or_else(asked_in_vain)
            .or_else(|| self.block_undone())
            .or_else(|| self.something_is_missing(&views))
    }

    fn disagreement_in(&self, id: ConversationId, views: &[(usize, ConversationView)]) -> Option<String> {
        let inside: Vec<&(usize, ConversationView)> = views
            .iter()
            .filter(|(device, view)| self.present(view).contains(&self.devices[*device].id))
            .filter(|(device, view)| !self.is_alone_again(*device, view))
            .collect();
        for (device, view) in &inside {
            let mut texts = BTreeSet::new();
            for line in self.timeline(*device, view) {
                let honest = self.is_honest(&line.id.feed.device);
                if honest && !line.edited && line.body.starts_with("text ") && !texts.insert(line.body.clone()) {
                    return Some(format!("device {device} shows {:?} twice in {id:?}", line.body));
                }
                if line.body == "Missing" && self.is_honest(&line.id.feed.device) {
                    return Some(format!("device {device} lacks the content of {:?} in {id:?}", line.id));
                }
            }
        }
        // Whom an admin has blocked has no seat in the successor that it founds, and may not have left the group before it.
        if inside.iter().any(|(_, view)| self.is_severed(view)) {
            // Nor can those agree whom an admin that follows no rule led apart, be they siblings.
            let parts = if self.is_apart(id) { self.parts(id, &inside) } else { vec![inside] };
            return parts.iter().find_map(|part| self.siblings_differ(id, part));
        }
        if let Some(waiting) = self.forgotten(id) {
            let untold = waiting.iter().find(|device| !self.devices[**device].told.contains_key("rejoining"));
            return untold.map(|device| format!("device {device} was not told that it waits to be added to {id:?}"));
        }
        if let Some(orphans) = self.orphans(id) {
            return self.unsaid(id, &orphans);
        }
        if let Some(problem) = self.logs_differ(id, &inside) {
            return Some(problem);
        }
        let Some(left_behind) = self.led_apart(id) else {
            let problem = self.members_differ(id, &inside, &inside)?;
            return self.shut_out(id).map_or(Some(problem), |devices| self.unsaid(id, &devices));
        };
        if let Some(device) = left_behind.iter().find(|device| !self.devices[**device].told.contains_key("rejoining")) {
            return Some(format!("device {device} was not told that an admin led others out of {id:?}"));
        }
        self.parts(id, &inside).iter().find_map(|part| self.members_differ(id, part, &inside))
    }

    /// Those who are in one group of a conversation do not agree; `inside` are all who are in any.
    fn members_differ(
        &self,
        id: ConversationId,
        part: &[&(usize, ConversationView)],
        inside: &[&(usize, ConversationView)],
    ) -> Option<String> {
        let (first, view) = part.first()?;
        let (present, accounts) = (self.present(view), sorted(&view.accounts));
        for (device, other) in part {
            if self.present(other) != present || sorted(&other.accounts) != accounts {
                let (here, there) = (self.names(&present), self.names(&self.present(other)));
                return Some(format!(
                    "members of {id:?} ({:?}): {first} sees {here:?}, {device} sees {there:?}",
                    view.kind
                ));
            }
        }
        for member in &present {
            let device = *self.by_id.get(member)?;
            if self.devices[device].removed {
                if self.is_removal_unheard(device, &present) {
                    continue;
                }
                if let Some(kept) = self.kept_by(device, id) {
                    if let Some(problem) = self.unsaid(id, &kept) {
                        return Some(problem);
                    }
                    continue;
                }
                return Some(format!("device {device} was removed and is a member of {id:?}"));
            }
            let knows = inside.iter().any(|(inside, _)| *inside == device) || self.has_forgotten(device, view);
            if !self.hostile.contains(&device) && !knows {
                return Some(format!("device {device} is a member of {id:?} and does not know"));
            }
        }
        for account in &accounts {
            let person = self.people.iter().find(|person| person.account == *account)?;
            for device in person.devices.iter().filter(|device| !self.hostile.contains(device)) {
                if !present.contains(&self.devices[*device].id) && !self.is_out_of_reach(*device, view) {
                    return Some(format!("device {device} is no member of {id:?} ({:?}), its account is", view.kind));
                }
            }
        }
        let lines = self.timeline(*first, view);
        for (device, other) in part {
            let others = self.timeline(*device, other);
            if others != lines {
                return Some(self.difference(id, *first, &lines, *device, &others));
            }
        }
        None
    }

    /// Whether a device cannot hear of a conversation of two: it has no relay, so that only whom it knows reaches it, and of its account
    /// only devices that were removed were in the conversation and knew the other.
    fn is_out_of_reach(&self, device: usize, view: &ConversationView) -> bool {
        let account = self.devices[device].account;
        let theirs = view.roster.members().filter(|(_, member)| member.account == account);
        let theirs = theirs.filter_map(|(device, _)| self.by_id.get(device));
        // The record lists others too that were never in it.
        let were = |device: &&usize| self.devices[**device].removed || self.ground(**device, view.id).is_some();
        let mut theirs = theirs.filter(were).peekable();
        theirs.peek().is_some()
            && theirs.all(|device| self.devices[*device].removed)
            && view.kind == Kind::Direct
            && self.knows_nobody_in(device, view)
    }

    /// Whether a device was taken back to before anybody else came into a group, which its account has left since, or was taken out of: it
    /// knows nobody there who could tell it.
    fn is_alone_again(&self, device: usize, view: &ConversationView) -> bool {
        let own = self.devices[device].account;
        view.kind == Kind::Group
            && !self.devices[device].restored.is_empty()
            && self.ledger.unseated.contains(&(view.id, own))
            && view.roster.members().all(|(_, member)| member.account == own)
    }

    /// Whether a device that was taken back cannot hear of a conversation that it was in then: nobody in it can reach its account.
    fn has_forgotten(&self, device: usize, view: &ConversationView) -> bool {
        !self.devices[device].restored.is_empty() && self.knows_nobody_in(device, view)
    }

    /// Whether the account of a device has no relay, and none of its devices knows one of another's in a conversation: such reach no other.
    fn knows_nobody_in(&self, device: usize, view: &ConversationView) -> bool {
        self.knows_nobody_of(device, &view.accounts)
    }

    pub(crate) fn knows_nobody_of(&self, device: usize, accounts: &[AccountId]) -> bool {
        let account = self.devices[device].account;
        let person = &self.people[self.devices[device].person];
        let others = self.devices.iter().filter(|it| it.account != account && accounts.contains(&it.account));
        let others: Vec<DeviceId> = others.map(|other| other.id).collect();
        let stranger = |device: &usize| !others.iter().any(|other| self.devices[*device].knows.contains(other));
        person.relay.is_none() && person.devices.iter().all(stranger)
    }

    /// Whether nobody can have told the members that a device was removed: its account has no relay, it has not heard of it itself, and
    /// whoever has is no member, is in no other conversation with both, and if it is of that account knows no member's device.
    fn is_removal_unheard(&self, device: usize, present: &BTreeSet<DeviceId>) -> bool {
        let Device { account, id, .. } = &self.devices[device];
        let members: BTreeSet<DeviceId> = present.iter().copied().filter(|member| member != id).collect();
        let has_heard = |other: &usize| {
            let record = known_record(&self.devices[*other].store, account).expect("a readable store");
            record.is_some_and(|record| record.device(*id).is_none())
        };
        let reaches = |other: &usize| {
            let Device { id, knows, account: whose, .. } = &self.devices[*other];
            let own = whose == account && !knows.is_disjoint(&members);
            let with_both =
                |view: &ConversationView| view.accounts.contains(account) && !self.present(view).is_disjoint(&members);
            members.contains(id) || own || self.conversations(*other).iter().any(with_both)
        };
        self.people[self.devices[device].person].relay.is_none()
            && !has_heard(&device)
            && !self.honest().iter().any(|other| has_heard(other) && reaches(other))
    }

    fn is_honest(&self, device: &DeviceId) -> bool {
        self.by_id.get(device).is_some_and(|device| !self.hostile.contains(device))
    }

    /// Something that shows and that its author may not have written, or not there.
    fn unentitled_in(&self, views: &[(usize, ConversationView)]) -> Option<String> {
        for (device, view) in views {
            for line in self.timeline(*device, view) {
                let whose = self.by_id.get(&line.id.feed.device).map(|author| self.devices[*author].account);
                let stranger = whose != Some(line.author) || !self.may_be_in(view, line.author);
                let another = self.ledger.authors.get(&line.body).is_some_and(|author| *author != line.author);
                let forbidden = self.ledger.forbidden.contains(&line.body) && !self.is_let_in(*device, view, &line);
                let unheard = line.played.iter().any(|account| !self.ledger.heard.contains(&(line.id, *account)));
                let reacts = line.reactions.keys().any(|account| !self.may_be_in(view, *account));
                if stranger || another || forbidden || unheard || reacts {
                    return Some(format!(
                        "device {device} shows {line:?} in {:?}, which nobody was entitled to",
                        view.id
                    ));
                }
            }
        }
        None
    }

    /// Whether an account may ever have been in a conversation: in others than groups only those it is of.
    fn may_be_in(&self, view: &ConversationView, account: AccountId) -> bool {
        let pair = |other: &AccountId| direct_conversation(account, *other) == view.id;
        match view.kind {
            Kind::Own => own_conversation(account) == view.id,
            Kind::Direct => self.people.iter().any(|person| pair(&person.account)),
            Kind::Group => self.people.iter().any(|person| person.account == account),
        }
    }

    /// Where a block parts accounts, each account's own devices show the same all the same.
    fn siblings_differ(&self, id: ConversationId, inside: &[&(usize, ConversationView)]) -> Option<String> {
        let mut shown: BTreeMap<AccountId, (usize, Vec<Line>)> = BTreeMap::new();
        for (device, view) in inside {
            let lines = self.timeline(*device, view);
            let (first, known) = shown.entry(self.devices[*device].account).or_insert_with(|| (*device, lines.clone()));
            if *known != lines {
                return Some(self.difference(id, *first, known, *device, &lines));
            }
        }
        None
    }

    /// Two members walked different logs of one group, and nobody was told.
    fn logs_differ(&self, id: ConversationId, inside: &[&(usize, ConversationView)]) -> Option<String> {
        let lies = |relay: &super::relay::RelayNode| matches!(relay.lie, Some(Lie::Fork { .. }));
        if !self.relays.iter().any(lies) {
            return None;
        }
        let ground = |device: usize| ground(&self.devices[device].store, id).expect("a readable store");
        let heads: Vec<_> = inside.iter().filter_map(|(device, _)| Some((*device, ground(*device)?))).collect();
        let told = inside.iter().any(|(device, _)| self.devices[*device].told.contains_key("home lied"));
        for (one, here) in &heads {
            for (other, there) in &heads {
                let same = here.group == there.group && here.log.next == there.log.next;
                if same && here.log.hash != there.log.hash && !told {
                    return Some(format!("devices {one} and {other} walked different logs of {id:?} and told nobody"));
                }
            }
        }
        None
    }

    /// Whether all members know that a device is gone: what it writes from then on is nothing to anybody. Of a rival that takes over from
    /// the group in whose log it was removed the members know it again, until their seat follows the newer record.
    pub(crate) fn is_known_gone(&self, device: usize, conversation: ConversationId) -> bool {
        let gone = self.devices[device].id;
        let mut known = false;
        for other in self.honest() {
            let Some(view) = self.conversations(other).into_iter().find(|view| view.id == conversation) else {
                continue;
            };
            if self.present(&view).contains(&self.devices[other].id) {
                if view.roster.member(&gone).is_some_and(|member| !member.is_out()) {
                    return false;
                }
                known = true;
            }
        }
        known
    }

    fn names(&self, devices: &BTreeSet<DeviceId>) -> Vec<usize> {
        devices.iter().filter_map(|device| self.by_id.get(device).copied()).collect()
    }

    fn difference(&self, id: ConversationId, one: usize, lines: &[Line], other: usize, others: &[Line]) -> String {
        let lacks = |have: &[Line], want: &[Line]| -> Vec<String> {
            let ids: BTreeSet<ContentId> = have.iter().map(|line| line.id).collect();
            let lacking = want.iter().filter(|line| !ids.contains(&line.id));
            lacking.map(|line| format!("{:?} by {:?}", line.body, self.by_id.get(&line.id.feed.device))).collect()
        };
        let at = lines.iter().zip(others).position(|(line, other)| line != other);
        let pair = at.map(|at| (&lines[at], &others[at]));
        format!(
            "{id:?}: device {one} lacks {:?}, device {other} lacks {:?}; they differ at {at:?}: {pair:?}",
            lacks(lines, others),
            lacks(others, lines)
        )
    }

    /// Whether somebody in a conversation has blocked somebody else in it: then not all is passed on, and a home that is a device
    /// may not be asked.
    fn is_severed(&self, view: &ConversationView) -> bool {
        let among = |account: &AccountId| view.accounts.contains(account);
        self.ledger.blocked.iter().any(|(one, other)| among(one) && among(other))
    }

    fn contacts_differ(&self) -> Option<String> {
        for person in &self.people {
            #[expect(clippy::type_complexity, reason = "spelled out once, where it is made")]
            let mut known: Option<(usize, Vec<(AccountId, bool, bool)>)> = None;
            for device in &person.devices {
                if self.hostile.contains(device) {
                    continue;
                }
                let list = contacts(&self.devices[*device].store, person.account).expect("a readable store");
                let list: Vec<_> = list
                    .iter()
                    .filter(|contact| contact.accepted || contact.blocked)
                    .map(|contact| (contact.account, contact.accepted, contact.blocked))
                    .collect();
                match &known {
                    Some((other, known)) if *known != list => {
                        return Some(format!(
                            "contacts differ between devices {other} and {device}: {known:?}, {list:?}"
                        ));
                    }
                    Some(_) => {}
                    None => known = Some((*device, list)),
                }
            }
        }
        None
    }

    /// A block that was acknowledged holds on all devices of its account, unless one that may have known of it alone was taken back.
    fn block_undone(&self) -> Option<String> {
        for person in &self.people {
            let devices = person.devices.iter().filter(|device| !self.hostile.contains(device));
            if devices.clone().any(|device| !self.devices[*device].restored.is_empty()) {
                continue;
            }
            let of = |(who, _): &&(AccountId, AccountId)| *who == person.account;
            for (_, other) in self.ledger.shut.iter().filter(of) {
                let holds = |device: &usize| {
                    let contact = contact(&self.devices[*device].store, other).expect("a readable store");
                    contact.is_some_and(|contact| contact.blocked)
                };
                if let Some(device) = devices.clone().find(|device| !holds(device)) {
                    return Some(format!("device {device} takes a block back that nobody took back"));
                }
            }
        }
        None
    }

    /// What was acknowledged is at every device that is entitled to it.
    fn something_is_missing(&self, views: &BTreeMap<ConversationId, Vec<(usize, ConversationView)>>) -> Option<String> {
        let orphaned: BTreeSet<ConversationId> = views.keys().copied().filter(|id| self.is_apart(*id)).collect();
        let lost = |id: &ConversationId| self.forgotten(*id).is_some();
        let forgotten: BTreeSet<ConversationId> = views.keys().copied().filter(lost).collect();
        for written in &self.ledger.written {
            let author = &self.devices[written.device];
            let undone = author.restored.iter().any(|(at, of)| written.at_ms <= *at && written.at_ms > *of);
            if author.removed || self.hostile.contains(&written.device) || undone {
                continue;
            }
            let Some(views) = views.get(&written.conversation) else {
                return Some(format!("{:?} was acknowledged, and its conversation is gone everywhere", written.text));
            };
            for (device, view) in views {
                let inside = self.present(view).contains(&self.devices[*device].id);
                let together = view.accounts.contains(&author.account);
                // Who writes beyond a block knows that it may not be read.
                let own = self.devices[*device].account == author.account;
                let severed = self.is_severed(view) && !own;
                let group = |device: usize| self.ground(device, view.id).map(|ground| ground.group);
                let parted = orphaned.contains(&view.id) && group(*device) != group(written.device);
                // Who waits to take somebody out takes in nothing of what they wrote since they left.
                let left = orphaned.contains(&view.id) && self.ledger.unseated.contains(&(view.id, author.account));
                let alone = (left || forgotten.contains(&view.id)) && *device != written.device;
                if !inside || !together || severed || parted || alone || self.was_cut(view, &written.id) {
                    continue;
                }
                let lines = self.timeline(*device, view);
                if !lines.iter().any(|line| written.shows_in(line, author.account))
                    && !self.is_untellable(view, written, &lines)
                {
                    return Some(format!(
                        "{:?} by device {} of {} ms is missing at device {device} in {:?}",
                        written.text, written.device, written.at_ms, view.id
                    ));
                }
            }
        }
        None
    }

    /// Whether a message tells of a note that does not show, of a device which follows no rule or was removed, or of somebody who was taken
    /// out: of the feeds of one device only so many count, and a removal ends them, whoever had heard what lies beyond.
    fn is_untellable(&self, view: &ConversationView, written: &Written, lines: &[Line]) -> bool {
        written.heard.is_some_and(|note| {
            let author = self.by_id.get(&note.feed.device);
            let bound = author.is_some_and(|it| !self.hostile.contains(it) && !self.devices[*it].removed);
            (!bound || self.was_cut(view, &note)) && !lines.iter().any(|line| line.id == note)
        })
    }

    /// Whether a message lies beyond the end that its author's removal set to its feed. Nobody else's feed may be closed, and who joins
    /// a group gets what was written before.
    fn was_cut(&self, view: &ConversationView, id: &ContentId) -> bool {
        let Some(author) = self.by_id.get(&id.feed.device).map(|device| self.devices[*device].account) else {
            return false;
        };
        let cut = view.roster.cut(&id.feed).is_some_and(|cut| id.sequence >= cut.next);
        cut && self.ledger.unseated.contains(&(view.id, author))
    }

    /// Whether a device shows a text anywhere.
    pub(crate) fn shows(&self, device: usize, text: &str) -> bool {
        let views = self.conversations(device);
        views.iter().any(|view| self.timeline(device, view).iter().any(|line| line.body == text))
    }
}

fn sorted(accounts: &[AccountId]) -> Vec<AccountId> {
    let mut accounts = accounts.to_vec();
    accounts.sort();
    accounts
}
