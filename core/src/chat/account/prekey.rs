//! The secrets of the own record's prekeys: whoever signed the record gives them to one device, and it tells the others.
//!
//! Invariants: a secret is kept only if it is that of a prekey of the own record; it is told only where every device that reads it is
//! of the account.

use super::Account;
use crate::chat::turn::Turn;
use crate::identity::{AccountRecord, Prekey};
use crate::mls::{self, PrekeySecret, Suite};
use crate::wire::message::{Prekeys, SharedPrekey};

/// HPKE's `info` for trying whether a secret is a prekey's.
const TRIAL_INFO: &[u8] = b"kith/prekey-trial/1";

/// Secrets of prekeys that are in no record any more, kept for what is still under way to them.
const MAX_PAST: usize = 8;

/// A prekey of the account's record with its secret half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPrekey {
    /// Its number in the record.
    pub id: u32,
    /// The suite whose HPKE it is for.
    pub suite: Suite,
    /// The secret half.
    pub secret: PrekeySecret,
}

impl Account {
    /// Takes the secrets of prekeys of the own record, from whoever signed it or from another device of the account.
    pub(crate) fn take_prekeys(&mut self, turn: &mut Turn<'_>, prekeys: Vec<OwnPrekey>, share: bool) {
        let mut taken = false;
        for prekey in prekeys {
            if self.prekeys.contains(&prekey) || !self.is_of_record(turn, &prekey) {
                continue;
            }
            if share {
                self.unshared.insert(prekey.id);
            }
            self.prekeys.push(prekey);
            taken = true;
        }
        if taken {
            self.forget_past();
            self.save(turn);
        }
    }

    /// What another device of the account tells.
    pub(crate) fn told_prekeys(&mut self, turn: &mut Turn<'_>, told: &Prekeys) {
        let own = |shared: &SharedPrekey| {
            let suite = Suite::from_number(shared.suite).ok()?;
            Some(OwnPrekey { id: shared.id, suite, secret: PrekeySecret::from_bytes(shared.secret.clone()) })
        };
        self.take_prekeys(turn, told.prekeys.iter().filter_map(own).collect(), false);
    }

    /// What the other devices are still to be told of the prekeys in the record.
    pub(crate) fn unshared_prekeys(&self) -> Option<Prekeys> {
        let listed = |own: &&OwnPrekey| named(&self.record, own).is_some() && self.unshared.contains(&own.id);
        let share = |own: &OwnPrekey| SharedPrekey {
            id: own.id,
            suite: own.suite.number(),
            secret: own.secret.as_bytes().to_vec(),
        };
        let prekeys: Vec<SharedPrekey> = self.prekeys.iter().filter(listed).map(share).collect();
        (!prekeys.is_empty()).then_some(Prekeys { prekeys })
    }

    /// The others are told, or there are none.
    pub(crate) fn prekeys_shared(&mut self, turn: &mut Turn<'_>) {
        self.unshared.clear();
        self.save(turn);
    }

    fn is_of_record(&self, turn: &mut Turn<'_>, own: &OwnPrekey) -> bool {
        named(&self.record, own).is_some_and(|prekey| {
            let sealed = mls::seal(own.suite, &prekey.key, TRIAL_INFO, &[], &[], turn.rng);
            sealed.is_ok_and(|sealed| mls::open(own.suite, &own.secret, TRIAL_INFO, &[], &sealed).is_ok())
        })
    }

    /// The oldest go first.
    fn forget_past(&mut self) {
        let record = &self.record;
        let mut past = self.prekeys.iter().filter(|own| named(record, own).is_none()).count();
        self.prekeys.retain(|own| {
            let goes = past > MAX_PAST && named(record, own).is_none();
            past = past.saturating_sub(usize::from(goes));
            !goes
        });
    }
}

/// The prekey of a record that has the number and the suite of this one.
fn named<'a>(record: &'a AccountRecord, own: &OwnPrekey) -> Option<&'a Prekey> {
    record.prekeys().iter().find(|prekey| prekey.id == own.id && prekey.suite == own.suite.number())
}
