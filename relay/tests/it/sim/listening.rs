//! Voice notes, and that they were heard.
//!
//! Drawn after all that a seed says otherwise, from a stream of its own: what was drawn before this was there is drawn as it was.

use kith_core::chat::policy::Kind;
use kith_core::chat::view::ConversationView;
use kith_core::chat::{Command, Reply};
use kith_core::types::Rng;
use rand_core::SeedableRng;

use super::oracle::Line;
use super::world::World;

/// Sets the stream apart from what the seed itself begins.
const STREAM: u64 = 0x706c_6179_6564;

/// How often somebody sends a note or listens to one.
const DEEDS: usize = 16;

impl World {
    /// People send voice notes and listen to each other's, while things go wrong.
    pub(crate) fn listen_to_each_other(&mut self) {
        let drawn = std::mem::replace(&mut self.rng, Rng::seed_from_u64(self.plan.seed ^ STREAM));
        for _ in 0..DEEDS {
            let pause = 1 + self.draw(self.plan.pause_ms);
            self.run_for(pause);
            self.speak_or_listen();
            if self.chance(250) {
                self.misfortune();
            }
        }
        self.rng = drawn;
    }

    fn speak_or_listen(&mut self) {
        let person = usize::try_from(self.draw(self.people.len() as u64)).unwrap_or(0);
        let Some(device) = self.any_device(person) else { return };
        let shared = |view: &ConversationView| view.kind != Kind::Own && view.present;
        let views: Vec<ConversationView> = self.conversations(device).into_iter().filter(shared).collect();
        let Some(view) = self.pick(&views) else { return };
        let own = self.devices[device].account;
        // A device says it when its person has heard a note to its end, unless it knows that it was said.
        let news = |line: &Line| line.body == "VoiceNote(…)" && line.author != own && !line.played.contains(&own);
        let unheard: Vec<Line> = self.timeline(device, &view).into_iter().filter(news).collect();
        match self.pick(&unheard) {
            Some(note) if self.chance(700) => self.hear(device, &view, note),
            _ => self.send_note(device, &view),
        }
    }

    fn send_note(&mut self, device: usize, view: &ConversationView) {
        let ogg = self.text(device).into_bytes();
        let command = Command::SendVoiceNote { conversation: view.id, ogg, duration_ms: 1_000, peaks: vec![1, 2, 3] };
        self.command(device, command, move |world, outcome| {
            if let Ok(Reply::Written { conversation, id }) = outcome {
                world.wrote(device, conversation, id, "a voice note".to_owned());
            }
        });
    }

    fn hear(&mut self, device: usize, view: &ConversationView, note: Line) {
        let own = self.devices[device].account;
        // Whether or not it is acknowledged, it may have been said.
        self.ledger.heard.insert((note.id, own));
        let command = Command::SayPlayed { conversation: view.id, of: note.id };
        self.command(device, command, move |world, outcome| {
            if let Ok(Reply::Written { conversation, id }) = outcome {
                world.wrote_heard(device, conversation, id, note.id);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use kith_core::chat::Command;

    use super::super::faults::Plan;
    use super::super::run_world;
    use super::super::scenarios::{another_device, calm, contacts_of, group_of, settled};
    use super::super::world::World;

    #[test]
    fn drawn_runs_tell_that_notes_were_heard() {
        let told: usize = (0..6)
            .map(|seed| {
                let mut world = World::new(Plan::drawn(seed), false);
                run_world(&mut world).expect("what holds for all seeds");
                world.ledger.written.iter().filter(|written| written.heard.is_some()).count()
            })
            .sum();
        assert!(told >= 6, "{told} notes were heard: too few to show anything");
    }

    #[test]
    fn a_note_of_somebody_who_was_removed_meanwhile_may_be_heard_by_one_and_come_to_nobody_else() {
        let (mut world, _) = contacts_of(calm());
        let second = another_device(&mut world, 0);
        let group = group_of(&mut world, 0, &[1]);
        // The removal is known to one device only.
        world.links.cut.extend([(0, 1), (0, second)]);
        world.links.relay_cut.extend([(1, 0), (second, 0)]);
        for device in [1, second] {
            let connection = world.devices[device].connection;
            world.disconnect_relay(device, connection);
        }
        let member = world.devices[1].account;
        world.ledger.unseated.insert((group, member));
        let remove = Command::RemoveMember { conversation: group, member };
        world.command(0, remove, |_, outcome| assert!(outcome.is_ok()));
        world.run_for(5_000);
        let [spoken, heard] = [1, second]
            .map(|device| world.conversations(device).into_iter().find(|view| view.id == group).expect("a group"));
        world.send_note(1, &spoken);
        world.run_for(5_000);
        let note = world.timeline(second, &heard).pop().expect("a note");
        world.hear(second, &heard, note);
        world.run_for(5_000);
        assert!(world.ledger.written.last().is_some_and(|written| written.heard.is_some()));
        world.links.cut.clear();
        world.links.relay_cut.clear();
        settled(world);
    }
}
