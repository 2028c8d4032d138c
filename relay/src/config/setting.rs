//! The list of settings: name, meaning, how it is shown and read.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use libp2p::Multiaddr;

use super::place::{endpoint, header};
use super::{Config, LogFormat, PREFIX};
use crate::domain::{Federation, Network, Rate, Registration};

/// A setting. Its value is a text in the file, in the environment and here.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its dotted name.
    pub name: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// What it is set to.
    pub show: fn(&Config) -> String,
    /// Sets it; the error says what a value should be.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
}

impl Setting {
    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// A setting that is a field with a textual form.
macro_rules! field {
    ($name:expr, $meaning:expr, $read:expr, $show:ident, $($path:ident).+) => {
        Setting {
            name: $name,
            meaning: $meaning,
            show: |config| $show(&config.$($path).+),
            set: |config, text| {
                config.$($path).+ = $read(text)?;
                Ok(())
            },
        }
    };
}

macro_rules! limit {
    (number $field:ident, $meaning:literal) => {
        field!(concat!("limits.", stringify!($field)), $meaning, number, plain, settings.limits.$field)
    };
    (bytes $field:ident, $meaning:literal) => {
        field!(concat!("limits.", stringify!($field)), $meaning, bytes, plain, settings.limits.$field)
    };
    (rate $field:ident, $meaning:literal) => {
        field!(concat!("limits.", stringify!($field)), $meaning, rate, show_rate, settings.limits.$field)
    };
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    field!("name", "The relay's name for people", name, plain, settings.name),
    Setting {
        name: "data_dir",
        meaning: "Where store and keys are",
        show: |config| config.data_dir.display().to_string(),
        set: |config, text| {
            config.data_dir = text.into();
            Ok(())
        },
    },
    field!("listen", "Multiaddrs to listen on, with commas between", addresses, list, listen),
    field!("external", "Multiaddrs under which others reach the relay, when they differ", addresses, list, external),
    field!("max_connections", "Connections at the same time", number, plain, max_connections),
    field!("max_circuits", "Circuits at the same time; 0 offers none", number, plain, max_circuits),
    field!("http.listen", "Address and port of the HTTP pages", socket, plain, http_listen),
    field!(
        "http.models_dir",
        "A folder with speech models to serve at /models/; empty serves none",
        path,
        show_path,
        models_dir
    ),
    Setting {
        name: "log.format",
        meaning: "text or json",
        show: |config| if config.log_format == LogFormat::Json { "json".into() } else { "text".into() },
        set: |config, text| {
            config.log_format = match text {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err("it is text or json".into()),
            };
            Ok(())
        },
    },
    field!("log.level", "error, warn, info, debug, trace, or directives of tracing", name, plain, log_level),
    Setting {
        name: "registration",
        meaning: "Who may sign up: open, invite or closed",
        show: |config| match config.settings.registration {
            Registration::Open => "open".into(),
            Registration::Invite => "invite".into(),
            Registration::Closed => "closed".into(),
        },
        set: |config, text| {
            config.settings.registration = match text {
                "open" => Registration::Open,
                "invite" => Registration::Invite,
                "closed" => Registration::Closed,
                _ => return Err("it is open, invite or closed".into()),
            };
            Ok(())
        },
    },
    Setting {
        name: "federation.mode",
        meaning: "From whom, beside its own devices, the relay takes deposits: open, list or closed",
        show: |config| match config.settings.federation {
            Federation::Open => "open".into(),
            Federation::List(_) => "list".into(),
            Federation::Closed => "closed".into(),
        },
        set: |config, text| {
            config.settings.federation = match text {
                "open" => Federation::Open,
                "list" => Federation::List(Vec::new()),
                "closed" => Federation::Closed,
                _ => return Err("it is open, list or closed".into()),
            };
            Ok(())
        },
    },
    Setting {
        name: "federation.networks",
        meaning: "The networks of the list, with commas between",
        show: |config| match &config.settings.federation {
            Federation::List(networks) => list(networks),
            Federation::Open | Federation::Closed => String::new(),
        },
        set: |config, text| {
            let networks = split(text).map(str::parse::<Network>).collect::<Result<Vec<_>, _>>();
            let networks = networks.map_err(|error| error.to_string())?;
            match &mut config.settings.federation {
                Federation::List(listed) => *listed = networks,
                Federation::Open | Federation::Closed if networks.is_empty() => {}
                Federation::Open | Federation::Closed => return Err("it needs federation.mode = \"list\"".into()),
            }
            Ok(())
        },
    },
    limit!(bytes envelope_bytes, "The most bytes of one envelope"),
    limit!(bytes mailbox_bytes, "The most bytes that wait in one mailbox"),
    limit!(number mailbox_envelopes, "The most envelopes that wait in one mailbox"),
    limit!(number keep_s, "How long an envelope waits, in seconds"),
    limit!(number requests, "The most contact requests that wait for one device"),
    limit!(number requests_per_origin, "The most contact requests from one device or address to one account"),
    limit!(number origin_s, "How long contact requests from one origin are counted, in seconds"),
    limit!(bytes request_bytes, "The most bytes of a contact request"),
    limit!(number work_bits, "Bits of work that a contact request takes"),
    limit!(number work_bits_full, "Bits more when the slot is nearly full"),
    limit!(number tokens, "The most tokens that an account may have out"),
    limit!(number key_packages, "The most one-time key packages of a device"),
    limit!(rate requests_rate, "Requests of one connection's key"),
    limit!(rate address_rate, "Requests from one address"),
    limit!(rate deposits_rate, "Deposits by one token"),
    limit!(rate login_handle_rate, "Log-ins that fail, for one handle"),
    limit!(rate login_address_rate, "Log-ins that fail, from one address"),
    limit!(rate register_rate, "Sign-ups from one address"),
    limit!(rate contact_rate, "Contact requests and challenges of one connection's key"),
    limit!(rate put_address_rate, "Address records of one device"),
    limit!(rate create_log_rate, "Logs begun by one account"),
    field!(
        "blobs.place",
        "Where attachments lie: a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX; empty for `blobs` \
         beside the store",
        str::parse,
        plain,
        blobs.place
    ),
    field!(
        "blobs.allow_http",
        "Whether the bucket's service may be spoken to without TLS",
        flag,
        plain,
        blobs.allow_http
    ),
    Setting {
        name: "blobs.endpoint",
        meaning: "The address of the bucket's service, where it is not the provider's own",
        show: |config| config.blobs.endpoint.clone(),
        set: |config, text| {
            config.blobs.endpoint = endpoint(text, config.blobs.allow_http)?;
            Ok(())
        },
    },
    field!("blobs.region", "The region of a bucket of S3", header, plain, blobs.region),
    field!(
        "blobs.account",
        "The id of an access key of S3, or an account of Azure; empty for what the environment says",
        header,
        plain,
        blobs.account
    ),
    field!(
        "blobs.secret_file",
        "A file with the account's key, or a service account of Google as JSON; empty for what the environment says",
        path,
        show_path,
        blobs.secret_file
    ),
    field!(
        "blobs.certificates",
        "A PEM file with authorities that may vouch for the bucket's service, beside Mozilla's list",
        path,
        show_path,
        blobs.certificates
    ),
    field!("blobs.bytes", "The most bytes of one attachment", bytes, plain, settings.limits.blobs.bytes),
    field!(
        "blobs.account_bytes",
        "The most bytes of one account's attachments; 0 to keep none",
        bytes,
        plain,
        settings.limits.blobs.account_bytes
    ),
    field!("blobs.all_bytes", "The most bytes of all attachments", bytes, plain, settings.limits.blobs.all_bytes),
    field!(
        "blobs.keep_s",
        "How long an attachment waits for its readers, in seconds",
        number,
        plain,
        settings.limits.blobs.keep_s
    ),
    field!("home.blob_bytes", "The most bytes of one commit", bytes, plain, settings.limits.home.blob_bytes),
    field!("home.log_bytes", "The most bytes of one log", bytes, plain, settings.limits.home.log_bytes),
    field!("home.entries", "The most entries of one log", number, plain, settings.limits.home.entries),
    field!("home.burst", "Commits of one log in a row", number, plain, settings.limits.home.burst),
    field!("home.refill_ms", "Milliseconds that one more takes", number, plain, settings.limits.home.refill_ms),
];

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The setting whose name is most like this one.
pub(super) fn nearest(name: &str) -> &'static Setting {
    let wanted: Vec<char> = name.replace('_', ".").chars().take(64).collect();
    let distance = |setting: &&Setting| edits(&wanted, &setting.name.replace('_', ".").chars().collect::<Vec<_>>());
    SETTINGS.iter().min_by_key(distance).unwrap_or(&FIRST)
}

/// The list is not empty; its first stands for the case that it were.
const FIRST: Setting = Setting { name: "name", meaning: "", show: |_| String::new(), set: |_, _| Ok(()) };

/// How many letters have to be put in, left out or replaced to make one of the other (Levenshtein's distance).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, letter) in one.iter().enumerate() {
        let mut left = number + 1;
        let mut diagonal = number;
        for (cell, with) in row.iter_mut().skip(1).zip(other) {
            let replaced = diagonal + usize::from(letter != with);
            diagonal = *cell;
            *cell = replaced.min(diagonal + 1).min(left + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = number + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

fn plain<T: Display>(value: &T) -> String {
    value.to_string()
}

fn list<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

fn show_rate(rate: &Rate) -> String {
    format!("{}+{}/min", rate.burst, rate.per_minute)
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn name(text: &str) -> Result<String, String> {
    if text.chars().count() > 256 { Err("it is at most 256 characters long".into()) } else { Ok(text.into()) }
}

fn path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| text.into()))
}

fn show_path(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
}

fn flag(text: &str) -> Result<bool, String> {
    text.trim().parse().map_err(|_| "it is true or false".into())
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| "it is a whole number in the range of this setting".into())
}

/// Bytes: a number, or one with KiB, MiB or GiB.
fn bytes<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let why = "it is a number of bytes, such as 65536, 64 KiB, 10 MiB or 1 GiB";
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(why.into()),
    };
    let value = digits.parse::<u64>().ok().and_then(|digits| digits.checked_mul(factor));
    value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| why.into())
}

/// A rate: `burst+per_minute/min`.
fn rate(text: &str) -> Result<Rate, String> {
    let parse = || {
        let (burst, rest) = text.split_once('+')?;
        let per_minute = rest.trim().strip_suffix("/min")?;
        Some(Rate { burst: burst.trim().parse().ok()?, per_minute: per_minute.trim().parse().ok()? })
    };
    parse().ok_or_else(|| "it is a burst and a rate, such as 10+2/min".into())
}

fn socket(text: &str) -> Result<std::net::SocketAddr, String> {
    text.parse().map_err(|_| "it is an address and a port, such as 0.0.0.0:8080".into())
}

fn addresses(text: &str) -> Result<Vec<String>, String> {
    let check = |part: &str| match part.parse::<Multiaddr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) => Err(format!("{part:?} is not a multiaddr such as /ip4/0.0.0.0/tcp/4001")),
    };
    split(text).map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let distance = |one: &str, other: &str| edits(&letters(one), &letters(other));
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "abc")), (3, 3, 0));
    }
}
