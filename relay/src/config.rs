//! What an operator can set: by a file, by the environment, or not at all.
//!
//! Every setting has a dotted name. `kith-relay --config relay.toml` reads it from TOML (`[limits]`, `mailbox_bytes = 1000`), the
//! environment from `KITH_RELAY_LIMITS_MAILBOX_BYTES`, which wins. An unknown name in either is an error that says the nearest known
//! one. [`SETTINGS`] is the list; `kith-relay settings` prints it.

mod place;
mod setting;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::domain::Settings;

pub(crate) use place::BESIDE;
pub use place::{BlobStore, BucketPlace, Place, Service};
pub use setting::{SETTINGS, Setting};

/// What every environment variable of the relay begins with.
const PREFIX: &str = "KITH_RELAY_";

/// The variable that names the file; it is no setting itself.
pub const FILE_VARIABLE: &str = "KITH_RELAY_CONFIG";

/// Where the node listens by default: port 4001, over QUIC and TCP.
const LISTEN: [&str; 4] =
    ["/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001", "/ip6/::/udp/4001/quic-v1", "/ip6/::/tcp/4001"];

/// What is logged by default: of libp2p, which says at its info level who connects from where, and of the client of buckets, which
/// says each attempt of many, only what went wrong.
const LOG_LEVEL: &str = "info,libp2p=warn,object_store=warn";

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where store and keys are.
    pub data_dir: PathBuf,
    /// Multiaddrs that the node listens on, as text.
    pub listen: Vec<String>,
    /// Multiaddrs under which others reach it, as text, when they differ.
    pub external: Vec<String>,
    /// Where the HTTP pages are.
    pub http_listen: SocketAddr,
    /// A folder with speech models that the HTTP pages serve; none by default.
    pub models_dir: Option<PathBuf>,
    /// Connections at the same time; more are refused. One costs about 60 kB.
    pub max_connections: u32,
    /// Circuits at the same time; 1,024 when nothing is set, each two streams with 16 KiB of buffer. With none, devices that cannot
    /// reach each other use their mailboxes.
    pub max_circuits: usize,
    /// How logs are written.
    pub log_format: LogFormat,
    /// What is logged: a level, or directives of `tracing`.
    pub log_level: String,
    /// Where attachments' chunks lie.
    pub blobs: BlobStore,
    /// What the domain is told.
    pub settings: Settings,
}

/// Why a configuration is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The file is no TOML.
    #[error("{path} is not valid TOML: {error}")]
    Toml {
        /// Which.
        path: PathBuf,
        /// Where and why.
        error: String,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting {name:?}; the nearest is {nearest:?}")]
    Unknown {
        /// The file or the environment.
        origin: String,
        /// The name that was used.
        name: String,
        /// The known name that is most like it.
        nearest: String,
    },
    /// A value does not fit its setting.
    #[error("{origin}: {name} = {value:?}: {why}")]
    Value {
        /// The file or the environment.
        origin: String,
        /// The setting.
        name: String,
        /// What it was set to.
        value: String,
        /// What it should be.
        why: String,
    },
    /// A variable of the environment is no text.
    #[error("environment: {variable} is not valid UTF-8")]
    NotText {
        /// Its name, as far as that can be shown.
        variable: String,
    },
    /// There is no home directory to put the data in.
    #[error("there is no home directory: set data_dir")]
    NoHome,
}

impl Config {
    /// What runs when nothing is set, with its data in this directory.
    pub fn embedded(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            listen: LISTEN.map(String::from).to_vec(),
            external: Vec::new(),
            http_listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080),
            models_dir: None,
            max_connections: 4096,
            max_circuits: 1024,
            log_format: LogFormat::Text,
            log_level: LOG_LEVEL.into(),
            blobs: BlobStore::default(),
            settings: Settings { name: "kith relay".into(), ..Settings::default() },
        }
    }

    /// Reads the configuration of a process: the embedded default, then the file, then the environment. Variables that are not
    /// the relay's may hold anything.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load<N, V>(file: Option<&Path>, environment: impl Iterator<Item = (N, V)>) -> Result<Self, ConfigError>
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let mut values = file.map_or(Ok(BTreeMap::new()), read_file)?;
        values.extend(read_environment(environment.map(|(name, value)| (name.into(), value.into())))?);
        let data_dir = ProjectDirs::from("", "", "kith-relay").map(|dirs| dirs.data_dir().to_path_buf());
        let mut config = Self::embedded(data_dir.clone().unwrap_or_default());
        for (setting, Given { origin, value }) in values {
            let Some(setting) = SETTINGS.iter().find(|known| known.name == setting) else { continue };
            (setting.set)(&mut config, &value).map_err(|why| ConfigError::Value {
                origin,
                name: setting.name.into(),
                value: value.chars().take(120).collect(),
                why,
            })?;
        }
        if config.data_dir.as_os_str().is_empty() { Err(ConfigError::NoHome) } else { Ok(config) }
    }

    /// Whether nobody said where to listen.
    pub fn listens_by_default(&self) -> bool {
        self.listen.iter().map(String::as_str).eq(LISTEN)
    }

    /// Where the store is.
    pub fn store_dir(&self) -> PathBuf {
        self.data_dir.join("store")
    }

    /// The socket over which the operator's commands reach a running relay.
    pub fn control_socket(&self) -> PathBuf {
        self.data_dir.join("control.sock")
    }
}

struct Given {
    origin: String,
    value: String,
}

fn read_file(path: &Path) -> Result<BTreeMap<&'static str, Given>, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::File { path: path.into(), error: error.to_string() })?;
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| ConfigError::Toml { path: path.into(), error: error.to_string() })?;
    let mut values = BTreeMap::new();
    flatten("", &table, &mut values);
    let origin = path.display().to_string();
    let known = values.into_iter().map(|(name, value)| match setting::find(&name) {
        Some(setting) => Ok((setting.name, Given { origin: origin.clone(), value })),
        None => Err(unknown(&origin, name.clone(), setting::nearest(&name).name.into())),
    });
    known.collect()
}

/// Tables become dotted names, lists a text with commas: every setting has one textual form.
fn flatten(prefix: &str, table: &toml::Table, values: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(table) => flatten(&name, table, values),
            toml::Value::Array(list) => {
                values.insert(name, list.iter().map(text).collect::<Vec<_>>().join(","));
            }
            other => {
                values.insert(name, text(other));
            }
        }
    }
}

fn text(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

fn read_environment(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<&'static str, Given>, ConfigError> {
    let mut values = BTreeMap::new();
    for (variable, value) in environment {
        if !variable.as_encoded_bytes().starts_with(PREFIX.as_bytes()) || variable == FILE_VARIABLE {
            continue;
        }
        let variable = into_text(variable.clone(), &variable)?;
        let value = into_text(value, OsStr::new(&variable))?;
        match SETTINGS.iter().find(|setting| setting.variable() == variable) {
            Some(setting) => values.insert(setting.name, Given { origin: "environment".into(), value }),
            None => {
                let name = variable.trim_start_matches(PREFIX).to_ascii_lowercase();
                return Err(unknown("environment", variable, setting::nearest(&name).variable()));
            }
        };
    }
    Ok(values)
}

fn into_text(text: OsString, variable: &OsStr) -> Result<String, ConfigError> {
    text.into_string().map_err(|_| ConfigError::NotText { variable: variable.to_string_lossy().into_owned() })
}

fn unknown(origin: &str, name: String, nearest: String) -> ConfigError {
    ConfigError::Unknown { origin: origin.into(), name, nearest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Federation, Rate, Registration};

    fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<Vec<_>>().into_iter()
    }

    fn load(toml: &str, pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay.toml");
        std::fs::write(&path, toml).unwrap();
        Config::load(Some(&path), env(pairs))
    }

    #[test]
    fn nothing_has_to_be_set() {
        let config = Config::load(None, env(&[("PATH", "/bin"), (FILE_VARIABLE, "relay.toml")])).unwrap();
        assert!(config.listen.iter().any(|address| address == "/ip4/0.0.0.0/tcp/4001"));
        assert_eq!(config.http_listen.port(), 8080);
        assert_eq!(config.settings.registration, Registration::Open);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "name = \"file\"\nregistration = \"invite\"\nlisten = [\"/ip4/127.0.0.1/tcp/0\", \"/ip4/127.0.0.1/udp/0/quic-v1\"]\n\
                    [limits]\nmailbox_bytes = \"2 MiB\"\nlogin_handle_rate = \"5+1/min\"\n\
                    [federation]\nmode = \"list\"\nnetworks = [\"10.0.0.0/8\"]\n";
        let config =
            load(file, &[("KITH_RELAY_NAME", "environment"), ("KITH_RELAY_HTTP_LISTEN", "127.0.0.1:0")]).unwrap();
        assert_eq!(config.settings.name, "environment");
        assert_eq!(config.settings.registration, Registration::Invite);
        assert_eq!(config.listen.len(), 2);
        assert_eq!(config.settings.limits.mailbox_bytes, 2 << 20);
        assert_eq!(config.settings.limits.login_handle_rate, Rate { burst: 5, per_minute: 1 });
        assert_eq!(config.settings.federation, Federation::List(vec!["10.0.0.0/8".parse().unwrap()]));
        assert_eq!(config.http_listen.port(), 0);
    }

    #[test]
    fn a_bucket_and_how_it_is_reached_are_settings_like_others() {
        let file = "[blobs]\nplace = \"s3://attachments/relay\"\nallow_http = true\nendpoint = \"http://10.0.0.1:9000\"\n\
                    region = \"eu-central-1\"\naccount = \"AKIDEXAMPLE\"\nsecret_file = \"/run/secrets/bucket\"\n";
        let blobs = load(file, &[("KITH_RELAY_BLOBS_CERTIFICATES", "/etc/ssl/own.pem")]).unwrap().blobs;
        let (service, bucket, prefix) = (Service::S3, "attachments".into(), "relay".into());
        assert_eq!(
            blobs,
            BlobStore {
                place: Place::Bucket(BucketPlace { service, bucket, prefix }),
                allow_http: true,
                endpoint: "http://10.0.0.1:9000".into(),
                region: "eu-central-1".into(),
                account: "AKIDEXAMPLE".into(),
                secret_file: Some("/run/secrets/bucket".into()),
                certificates: Some("/etc/ssl/own.pem".into()),
            }
        );
    }

    #[test]
    fn an_unknown_setting_is_an_error_that_names_the_nearest() {
        let Err(ConfigError::Unknown { name, nearest, .. }) = load("[limits]\nmailbox_byte = 1\n", &[]) else {
            panic!("taken")
        };
        assert_eq!((name.as_str(), nearest.as_str()), ("limits.mailbox_byte", "limits.mailbox_bytes"));
        let Err(ConfigError::Unknown { name, nearest, .. }) = load("", &[("KITH_RELAY_REGISTRATON", "open")]) else {
            panic!("taken")
        };
        assert_eq!((name.as_str(), nearest.as_str()), ("KITH_RELAY_REGISTRATON", "KITH_RELAY_REGISTRATION"));
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_named_if_it_is_the_relays() {
        use std::os::unix::ffi::OsStringExt;
        let garbage = |prefix: &str| OsString::from_vec([prefix.as_bytes(), b"\xff"].concat());
        let load = |name: OsString, value: OsString| Config::load(None, [(name, value)].into_iter());
        assert!(load(garbage("OTHER"), garbage("")).is_ok(), "not the relay's");
        for (name, value) in [("KITH_RELAY_NAME".into(), garbage("relay")), (garbage("KITH_RELAY_NAME"), "x".into())] {
            let Err(ConfigError::NotText { variable }) = load(name, value) else { panic!("taken") };
            assert!(variable.starts_with("KITH_RELAY_NAME"), "{variable}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        for (setting, value) in [
            ("KITH_RELAY_REGISTRATION", "sometimes"),
            ("KITH_RELAY_LIMITS_MAILBOX_BYTES", "-1"),
            ("KITH_RELAY_LIMITS_MAILBOX_BYTES", "99999999999999999999"),
            ("KITH_RELAY_LIMITS_WORK_BITS", "256"),
            ("KITH_RELAY_LIMITS_CONTACT_RATE", "fast"),
            ("KITH_RELAY_HTTP_LISTEN", "everywhere"),
            ("KITH_RELAY_FEDERATION_NETWORKS", "10.0.0.0/99"),
            ("KITH_RELAY_LISTEN", "localhost:4001"),
            ("KITH_RELAY_BLOBS_PLACE", "ftp://somewhere"),
            ("KITH_RELAY_BLOBS_ALLOW_HTTP", "perhaps"),
            ("KITH_RELAY_BLOBS_ENDPOINT", "http://needs.permission"),
        ] {
            assert!(matches!(load("", &[(setting, value)]), Err(ConfigError::Value { .. })), "{setting}={value}");
        }
    }

    #[test]
    fn every_setting_can_be_set_to_what_it_shows() {
        for setting in SETTINGS {
            let mut config = Config::embedded("data".into());
            let shown = (setting.show)(&config);
            assert_eq!((setting.set)(&mut config, &shown), Ok(()), "{} = {shown}", setting.name);
            assert_eq!(config, Config::embedded("data".into()), "{}", setting.name);
        }
    }
}
