//! What lies between devices: links with loss, delay, duplication and partitions, and relays behind them.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::OnceLock;

use kith_core::chat::{CallFailure, Input};
use kith_core::identity::opaque::{Binding, ClientRegistration, ServerSetup};
use kith_core::identity::{Handle, PublicKey, RelayKey, Stretching};
use kith_core::types::Rng;
use kith_core::wire::log;
use kith_core::wire::relay::{Push, Request, Response};
use rand_core::SeedableRng;

use super::faults::Fault;
use super::world::World;

/// How long a request waits for its answer.
const PATIENCE_MS: u64 = 15_000;

/// How often it is looked at who can reach whom.
const LOOK_MS: u64 = 1_500;

/// Who cannot reach whom.
#[derive(Default)]
pub(crate) struct Links {
    /// No two devices reach each other straight.
    pub(crate) no_direct: bool,
    /// Pairs of devices that do not, the lower first.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    /// Devices that do not reach a relay.
    pub(crate) relay_cut: BTreeSet<(usize, usize)>,
}

/// One registration serves all accounts: nobody logs in here, and stretching it anew for each would take most of the time.
fn upload() -> Vec<u8> {
    static UPLOAD: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let mut rng = Rng::seed_from_u64(7);
        let relay = RelayKey::generate(&mut rng).relay_id();
        let server = ServerSetup::generate(&mut rng, relay);
        let handle = Handle::parse("somebody").expect("a handle");
        let (client, request) = ClientRegistration::start(&mut rng, "a password of no account").expect("a start");
        let answer = server.registration(&handle, &request).expect("an answer");
        let binding = Binding { relay, handle };
        client.finish(&mut rng, &binding, &answer).expect("a registration").upload
    };
    UPLOAD.get_or_init(make).clone()
}

impl World {
    /// Signs a person up.
    pub(crate) fn sign_up(&mut self, person: usize, relay: usize, peer: [u8; 32]) {
        let owner = &self.people[person];
        let request = Request::RegisterFinish {
            handle: owner.handle.clone(),
            message: upload(),
            stretching: Stretching::RECOMMENDED,
            vault: vec![1],
            recovery: PublicKey::new([1; 32]),
            record: owner.record.encode(),
            invitation: None,
        };
        let response = self.at_relay_now(relay, peer, request);
        assert!(matches!(response, Response::Done), "sign-up: {response:?}");
    }

    /// A record is put by the person's own hand.
    pub(crate) fn put_record(&mut self, relay: usize, record: Vec<u8>) {
        let response = self.at_relay_now(relay, [0; 32], Request::PutRecord { record });
        self.note("put-record", relay, &[], || format!("{response:?}"));
    }

    fn delay(&mut self) -> u64 {
        let (least, most) = self.plan.latency_ms;
        // One in twenty takes much longer and so comes after what was sent later.
        let stretch = if self.mischance(50) { 20 } else { 1 };
        least + self.draw(most.saturating_sub(least).max(1)) * stretch
    }

    pub(crate) fn reaches_relay(&self, device: usize, relay: usize) -> bool {
        self.relays[relay].up && self.devices[device].is_up() && !self.links.relay_cut.contains(&(device, relay))
    }

    pub(crate) fn reaches_device(&self, one: usize, other: usize) -> bool {
        let pair = (one.min(other), one.max(other));
        let up = self.devices[one].is_up() && self.devices[other].is_up();
        up && one != other && !self.links.no_direct && !self.links.cut.contains(&pair)
    }

    /// Carries something over a link: it comes after a while, not at all, or twice.
    pub(crate) fn carry(&mut self, twice: bool, act: impl Fn(&mut Self) + 'static) {
        if self.mischance(self.plan.loss_permille) {
            self.happened.insert(Fault::Loss);
            return;
        }
        let act = Rc::new(act);
        if twice && self.mischance(self.plan.duplicate_permille) {
            let (delay, again) = (self.delay(), Rc::clone(&act));
            self.after(delay, move |world| again(world));
        }
        let delay = self.delay();
        self.after(delay, move |world| act(world));
    }

    /// A device asks a relay.
    pub(crate) fn ask(
        &mut self,
        device: usize,
        relay: usize,
        request: Request,
        then: impl FnOnce(&mut Self, Result<Response, CallFailure>) + 'static,
    ) {
        let life = self.devices[device].life;
        let peer = self.devices[device].transport;
        let then = Once::new(move |world: &mut Self, outcome: Result<Response, CallFailure>| {
            if world.devices[device].life == life {
                then(world, outcome);
            }
        });
        if !self.reaches_relay(device, relay) {
            let wait = 20 + self.draw(2000);
            self.after(wait, move |world| then.call(world, Err(CallFailure::Unreachable)));
            return;
        }
        let late = then.clone();
        self.after(PATIENCE_MS, move |world| late.call(world, Err(CallFailure::Interrupted)));
        self.note("ask", device, request.name().as_bytes(), || {
            format!("{device} asks relay {relay}: {}", asked(&request))
        });
        // A connection carries a request once; what is repeated is repeated by who asked.
        self.carry(false, move |world| {
            if !world.relays[relay].up {
                return;
            }
            let then = then.clone();
            world.at_relay(relay, peer, request.clone(), move |world, response| {
                world.note("answer", device, &[], || format!("relay {relay} to {device}: {}", answered(&response)));
                world.carry(false, move |world| then.call(world, Ok(response.clone())));
            });
        });
    }

    /// A relay pushes to a device that listens. Pushes come in order, or the connection is gone.
    pub(super) fn push(&mut self, relay: usize, device: usize, push: Push) {
        let connection = self.devices[device].connection;
        if self.devices[device].relay_up != Some(relay) {
            return;
        }
        if self.mischance(self.plan.loss_permille / 4) {
            self.after(200, move |world| world.disconnect_relay(device, connection));
            return;
        }
        let delay = self.delay();
        let at = (self.now_ms() + delay).max(self.devices[device].last_push + 1);
        self.devices[device].last_push = at;
        self.after(at - self.now_ms(), move |world| {
            if world.devices[device].connection == connection && world.devices[device].relay_up == Some(relay) {
                world.pushed(device, relay, push);
            }
        });
    }

    /// Looks who can reach whom, now and again and again.
    pub(crate) fn watch_links(&mut self) {
        self.refresh_links();
        self.after(LOOK_MS, Self::watch_links);
    }

    /// Devices that know each other and can reach each other meet; others part.
    pub(crate) fn refresh_links(&mut self) {
        for one in 0..self.devices.len() {
            for other in one + 1..self.devices.len() {
                let know = self.devices[one].knows.contains(&self.devices[other].id)
                    && self.devices[other].knows.contains(&self.devices[one].id);
                let meet = know && self.reaches_device(one, other);
                if meet == self.devices[one].peers.contains(&other) {
                    continue;
                }
                if meet && self.mischance(self.plan.loss_permille) {
                    continue;
                }
                for (here, there) in [(one, other), (other, one)] {
                    let device = self.devices[there].id;
                    if meet {
                        self.devices[here].peers.insert(there);
                        self.input(here, Input::PeerUp { device });
                    } else {
                        self.devices[here].peers.remove(&there);
                        self.input(here, Input::PeerDown { device });
                    }
                }
            }
        }
    }

    pub(crate) fn drop_connections(&mut self, relay: usize) {
        for device in 0..self.devices.len() {
            if self.devices[device].relay_up == Some(relay) {
                let connection = self.devices[device].connection;
                self.disconnect_relay(device, connection);
            }
        }
    }
}

/// Something that is called once, by whoever is first.
#[expect(clippy::type_complexity, reason = "spelled out once, where it is made")]
pub(crate) struct Once<T>(Rc<Cell<Option<Box<dyn FnOnce(&mut World, T)>>>>);

impl<T> Clone for Once<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Once<T> {
    pub(crate) fn new(act: impl FnOnce(&mut World, T) + 'static) -> Self {
        Self(Rc::new(Cell::new(Some(Box::new(act)))))
    }

    pub(crate) fn call(&self, world: &mut World, value: T) {
        if let Some(act) = self.0.take() {
            act(world, value);
        }
    }
}

/// A request as a trace names it.
fn asked(request: &Request) -> String {
    match request {
        Request::Home(log::Request::Create { group, .. }) => format!("begin the log of {}", group.short()),
        Request::Home(log::Request::Append { group, head, .. }) => format!("append {} of {}", head.next, group.short()),
        Request::Home(log::Request::Read { group, from, .. }) => format!("read {} from {from}", group.short()),
        other => format!("{other:?}"),
    }
}

/// An answer as a trace names it.
fn answered(response: &Response) -> String {
    match response {
        Response::Home(log::Response::Appended(_)) => "appended".to_owned(),
        Response::Home(log::Response::Entries { entries, head }) => {
            format!("{} entries of {}", entries.len(), head.next)
        }
        Response::Home(other) => format!("{other:?}"),
        other => format!("{other:?}"),
    }
}
