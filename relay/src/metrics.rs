//! What the relay counts, for Prometheus. No label names a person, a device or an address.

use std::fmt;
use std::sync::Arc;

use kith_core::net::exchange::Counters;
use kith_core::wire::blob;
use kith_core::wire::codec::DecodeError;
use kith_core::wire::relay::{Deposited, Refusal, Request, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// All counters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Labels<2>, Counter>,
    deposits: Family<Labels<1>, Counter>,
    deposited_bytes: Counter,
    blob_bytes: Family<Labels<1>, Counter>,
    /// Attachments that wait, as of the last sweep.
    pub blobs: Gauge,
    decode_errors: Family<Labels<1>, Counter>,
    pushes: Family<Labels<1>, Counter>,
    flush: Histogram,
    exchanges: Counters,
    circuits_reserved: Gauge,
    circuits_open: Gauge,
    /// Mailboxes, as of the last count.
    pub mailboxes: Gauge,
    /// Envelopes that wait in them, as of the last count.
    pub waiting: Gauge,
    /// Bytes that wait in them, as of the last count.
    pub waiting_bytes: Gauge,
    /// Devices that are connected.
    pub connected: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("kith_relay");
        let requests = Family::<Labels<2>, Counter>::default();
        let deposits = Family::<Labels<1>, Counter>::default();
        let (decode_errors, pushes) = (Family::default(), Family::default());
        let (blob_bytes, blobs) = (Family::<Labels<1>, Counter>::default(), Gauge::default());
        let help = "Bytes of attachments' chunks that came and went";
        registry.register_with_unit("blob", help, Unit::Bytes, blob_bytes.clone());
        registry.register("blobs", "Attachments that wait, as of the last sweep", blobs.clone());
        let deposited_bytes = Counter::default();
        // From half a millisecond to eight seconds: a flash disk to a disk in trouble.
        let flush = Histogram::new(exponential_buckets(0.0005, 2.0, 15));
        let (mailboxes, waiting, waiting_bytes, connected) =
            (Gauge::default(), Gauge::default(), Gauge::default(), Gauge::default());
        let (circuits_reserved, circuits_open) = (Gauge::default(), Gauge::default());
        let exchanges = Counters::default();
        registry.register("requests", "Requests by name and outcome", requests.clone());
        registry.register("deposits", "Deposits by result, one a mailbox", deposits.clone());
        registry.register_with_unit(
            "deposited",
            "Bytes of envelopes that were deposited",
            Unit::Bytes,
            deposited_bytes.clone(),
        );
        registry.register("decode_errors", "Bodies that were no body, by kind of error", decode_errors.clone());
        registry.register("pushes", "Pushes to devices, by what became of them", pushes.clone());
        registry.register_with_unit("flush", "From a batch to its being durable", Unit::Seconds, flush.clone());
        registry.register("mailboxes", "Mailboxes, as of the last count", mailboxes.clone());
        registry.register("waiting_envelopes", "Envelopes that wait, as of the last count", waiting.clone());
        registry.register_with_unit(
            "waiting",
            "Bytes of envelopes that wait, as of the last count",
            Unit::Bytes,
            waiting_bytes.clone(),
        );
        registry.register("connected_devices", "Connections of devices", connected.clone());
        registry.register(
            "circuits_reserved",
            "Devices that can be reached through a circuit",
            circuits_reserved.clone(),
        );
        registry.register("circuits_open", "Circuits in use", circuits_open.clone());
        registry.register_collector(Box::new(Unserved(exchanges.clone())));
        Self {
            registry: Arc::new(registry),
            requests,
            deposits,
            deposited_bytes,
            blob_bytes,
            blobs,
            decode_errors,
            pushes,
            flush,
            exchanges,
            circuits_reserved,
            circuits_open,
            mailboxes,
            waiting,
            waiting_bytes,
            connected,
        }
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string has no way to fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// A request was answered.
    pub fn answered(&self, request: &'static str, response: &Response) {
        self.requests.get_or_create(&[("name", request), ("outcome", outcome(response))]).inc();
        if let Response::Deposited { results } = response {
            for result in results {
                self.deposits.get_or_create(&[("result", deposited(*result))]).inc();
            }
        }
    }

    /// A request about an attachment was answered.
    pub fn blob(&self, request: &'static str, response: &blob::Response) {
        self.requests.get_or_create(&[("name", request), ("outcome", blob_outcome(response))]).inc();
        if let blob::Response::Chunk { chunk } = response {
            self.blob_bytes.get_or_create(&[("way", "out")]).inc_by(chunk.len() as u64);
        }
    }

    /// A chunk of so many bytes came and is durable.
    pub fn blob_stored(&self, bytes: usize) {
        self.blob_bytes.get_or_create(&[("way", "in")]).inc_by(bytes as u64);
    }

    /// An envelope of so many bytes came.
    pub fn envelope(&self, request: &Request) {
        if let Request::Deposit { envelope, .. } | Request::DepositRequest { envelope, .. } = request {
            self.deposited_bytes.inc_by(envelope.len() as u64);
        }
    }

    /// Something that came was not what it should be.
    pub fn decode_error(&self, error: &DecodeError) {
        let kind = match error {
            DecodeError::TooLong { .. } => "too_long",
            DecodeError::Empty => "empty",
            DecodeError::FromTheFuture { .. } => "from_the_future",
            DecodeError::UnknownFormat { .. } => "unknown_format",
            DecodeError::Malformed(_) => "malformed",
            DecodeError::OutOfBounds(_) => "out_of_bounds",
        };
        self.decode_errors.get_or_create(&[("kind", kind)]).inc();
    }

    /// The node's own counters, which it counts in.
    pub(crate) fn exchanges(&self) -> Counters {
        self.exchanges.clone()
    }

    /// So many circuits are reserved, and in use.
    pub(crate) fn circuits(&self, reserved: usize, open: usize) {
        self.circuits_reserved.set(i64::try_from(reserved).unwrap_or(i64::MAX));
        self.circuits_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// A push was handed to a connection, or could not be because it lags.
    pub fn push(&self, handed: bool) {
        self.pushes.get_or_create(&[("outcome", if handed { "handed_over" } else { "lagged" })]).inc();
    }

    /// A batch became durable after so many seconds.
    pub fn flushed(&self, seconds: f64) {
        self.flush.observe(seconds);
    }
}

/// What the node did not serve, read when it is asked for.
#[derive(Debug)]
struct Unserved(Counters);

impl Collector for Unserved {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counts = self.0.read();
        let counter = ConstCounter::new(0_u64);
        let help = "Requests that the node did not serve, by why; those it could not read are decode_errors";
        let mut metric = encoder.encode_descriptor("unserved", help, None, counter.metric_type())?;
        for (why, count) in
            [("busy", counts.busy), ("too_large", counts.too_large), ("late", counts.late), ("broken", counts.broken)]
        {
            ConstCounter::new(count).encode(metric.encode_family(&[("why", why)])?)?;
        }
        Ok(())
    }
}

fn outcome(response: &Response) -> &'static str {
    match response {
        Response::Refused(refusal) => match refusal {
            Refusal::Unknown => "unknown",
            Refusal::Malformed(_) => "malformed",
            Refusal::NotSignedIn => "not_signed_in",
            Refusal::HandleTaken => "handle_taken",
            Refusal::HandleMalformed => "handle_malformed",
            Refusal::RegistrationClosed => "registration_closed",
            Refusal::WrongPassword => "wrong_password",
            Refusal::WrongRecoveryCode => "wrong_recovery_code",
            Refusal::NotFound => "not_found",
            Refusal::Forbidden => "forbidden",
            Refusal::Conflict => "conflict",
            Refusal::TooMany { .. } => "too_many",
            Refusal::TooLarge => "too_large",
            Refusal::Full => "full",
            Refusal::TryLater => "try_later",
            Refusal::NotFederated => "not_federated",
        },
        Response::UnknownList => "unknown_list",
        Response::Home(kith_core::wire::log::Response::Refused(_)) => "home_refused",
        _ => "ok",
    }
}

fn blob_outcome(response: &blob::Response) -> &'static str {
    match response {
        blob::Response::Refused(refusal) => match refusal {
            blob::Refusal::Malformed => "malformed",
            blob::Refusal::NotKept => "not_kept",
            blob::Refusal::NotSignedIn => "not_signed_in",
            blob::Refusal::NotFound => "not_found",
            blob::Refusal::NotYet => "not_yet",
            blob::Refusal::TooLarge { .. } => "too_large",
            blob::Refusal::Quota { .. } => "quota",
            blob::Refusal::Mismatch => "mismatch",
            blob::Refusal::TooMany { .. } => "too_many",
            blob::Refusal::TryLater => "try_later",
        },
        _ => "ok",
    }
}

const fn deposited(result: Deposited) -> &'static str {
    match result {
        Deposited::Taken => "taken",
        Deposited::Forbidden => "forbidden",
        Deposited::Full => "full",
        Deposited::TooFast => "too_fast",
        Deposited::Away => "away",
    }
}
