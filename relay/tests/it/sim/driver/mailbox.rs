//! The mailbox: what the session's listener does.

use std::cell::RefCell;
use std::rc::Rc;

use kith_core::chat::{Input, Verdict};
use kith_core::wire::relay::{Cursor, Push, Request, Response, Stored};

use super::super::network::Once;
use super::super::world::World;
use super::Job;

impl World {
    pub(crate) fn connect_relay_in(&mut self, device: usize, wait_ms: u64) {
        let life = self.devices[device].life;
        self.after(wait_ms, move |world| {
            if world.devices[device].life == life {
                world.connect_relay(device);
            }
        });
    }

    fn connect_relay(&mut self, device: usize) {
        let Some(relay) = self.people[self.devices[device].person].relay else { return };
        if self.devices[device].relay_up.is_some() || !self.devices[device].is_up() {
            return;
        }
        let lost = self.mischance(self.plan.loss_permille);
        if lost || !self.reaches_relay(device, relay) {
            let wait = 2_000 + self.draw(8_000);
            return self.connect_relay_in(device, wait);
        }
        self.devices[device].connection += 1;
        self.devices[device].relay_up = Some(relay);
        self.fetch(device, relay, None);
    }

    pub(crate) fn disconnect_relay(&mut self, device: usize, connection: u64) {
        let Some(relay) = self.devices[device].relay_up else { return };
        if self.devices[device].connection != connection {
            return;
        }
        self.devices[device].relay_up = None;
        self.devices[device].queue = None;
        self.devices[device].connection += 1;
        self.relays[relay].domain.disconnected(self.devices[device].transport);
        self.input(device, Input::RelayDown);
        let wait = 500 + self.draw(5_000);
        self.connect_relay_in(device, wait);
    }

    fn fetch(&mut self, device: usize, relay: usize, from: Option<Cursor>) {
        let connection = self.devices[device].connection;
        self.ask(device, relay, Request::Fetch { from }, move |world, outcome| {
            if world.devices[device].connection != connection {
                return;
            }
            let Ok(Response::Waiting { cursor, envelopes, more }) = outcome else {
                // A device that was removed is turned away.
                return world.disconnect_relay(device, connection);
            };
            if from.is_none() {
                world.devices[device].queue = Some(cursor.queue);
                world.input(device, Input::RelayUp { queue: cursor.queue });
            }
            let next = move |world: &mut World| {
                if more {
                    world.fetch(device, relay, Some(cursor));
                }
            };
            if envelopes.is_empty() {
                return next(world);
            }
            let first = envelopes[0].number;
            world.take_all(device, envelopes, move |world, taken| {
                if world.devices[device].connection != connection {
                    return;
                }
                if !taken {
                    return world.disconnect_relay(device, connection);
                }
                world.ask(device, relay, Request::Acknowledge { from: first, upto: cursor }, move |world, outcome| {
                    if outcome.is_err() {
                        return world.disconnect_relay(device, connection);
                    }
                    next(world);
                });
            });
        });
    }

    /// What a relay pushed has come.
    pub(crate) fn pushed(&mut self, device: usize, relay: usize, push: Push) {
        let connection = self.devices[device].connection;
        match push {
            Push::Envelopes { envelopes, .. } if envelopes.is_empty() => {}
            Push::Envelopes { cursor, envelopes } => {
                let first = envelopes[0].number;
                self.take_all(device, envelopes, move |world, taken| {
                    if world.devices[device].connection != connection {
                        return;
                    }
                    if !taken {
                        return world.disconnect_relay(device, connection);
                    }
                    // The relay takes the answer for an acknowledgement.
                    let peer = world.devices[device].transport;
                    world.carry(false, move |world| {
                        let request = Request::Acknowledge { from: first, upto: cursor };
                        world.at_relay(relay, peer, request, |_, _| {});
                    });
                })
            }
            Push::Live { envelope } => self.input(device, Input::Envelope { from: None, bytes: envelope }),
        }
    }

    fn take_all(&mut self, device: usize, envelopes: Vec<Stored>, then: impl FnOnce(&mut Self, bool) + 'static) {
        let left = Rc::new(RefCell::new((envelopes.len(), true)));
        let then = Once::new(then);
        for stored in envelopes {
            let (left, then) = (Rc::clone(&left), then.clone());
            let verdict = Once::new(move |world: &mut World, verdict: Verdict| {
                let (count, all) = {
                    let mut left = left.borrow_mut();
                    left.0 -= 1;
                    left.1 &= verdict != Verdict::TryLater;
                    *left
                };
                if count == 0 {
                    then.call(world, all);
                }
            });
            let input = Input::Envelope { from: None, bytes: stored.envelope };
            self.job(device, Job::Input(Box::new(input), Some(verdict)));
        }
    }
}
