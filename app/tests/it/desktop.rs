//! A desktop without a screen: a bus of its own, on which somebody takes notifications and signs in the tray, and presses them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, connection, fdo, interface};

use crate::process::command;
use crate::window::until;
use crate::world::{Failure, Outcome, Running};

const NOTIFICATIONS: &str = "/org/freedesktop/Notifications";
const PORTAL: &str = "/org/freedesktop/portal/desktop";
const SIGN: &str = "org.kde.StatusNotifierItem";
const SIGN_PATH: &str = "/StatusNotifierItem";

/// How long somebody looks at a dialogue.
const CHOICE: Duration = Duration::from_millis(300);

/// A notification, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    number: u32,
    pub(crate) title: String,
    pub(crate) words: String,
    pub(crate) actions: Vec<String>,
}

/// What came so far.
#[derive(Debug, Default)]
struct Came {
    told: Vec<Told>,
    /// By whom signs were put into the tray: their names on the bus.
    signs: Vec<String>,
}

type Shared = Arc<Mutex<Came>>;

struct Notifications(Shared);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body"].map(str::to_owned).into()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("a desktop".into(), "nobody".into(), "1".into(), "1.2".into())
    }

    #[expect(clippy::too_many_arguments, reason = "as the system's interface has it")]
    fn notify(
        &self,
        _program: String,
        _replaces: u32,
        _icon: String,
        title: String,
        words: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let mut came = lock(&self.0);
        let number = u32::try_from(came.told.len()).unwrap_or(u32::MAX).saturating_add(1);
        came.told.push(Told { number, title, words, actions });
        number
    }

    fn close_notification(&self, _number: u32) {}

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, number: u32, action: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, number: u32, reason: u32) -> zbus::Result<()>;
}

struct Watcher(Shared);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, _service: String, #[zbus(header)] header: Header<'_>) {
        lock(&self.0).signs.extend(header.sender().map(ToString::to_string));
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        lock(&self.0).signs.clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

/// Dialogues for files, in which somebody always chooses the same.
struct FileChooser(PathBuf);

#[interface(name = "org.freedesktop.portal.FileChooser")]
impl FileChooser {
    async fn open_file(
        &self,
        _parent: String,
        _title: String,
        options: HashMap<String, OwnedValue>,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> fdo::Result<OwnedObjectPath> {
        let token = options.get("handle_token").and_then(|token| token.downcast_ref::<&str>().ok()).unwrap_or("none");
        let asker = header.sender().map(ToString::to_string).unwrap_or_default();
        let name = asker.trim_start_matches(':').replace('.', "_");
        let request = OwnedObjectPath::try_from(format!("{PORTAL}/request/{name}/{token}"))
            .map_err(|error| fdo::Error::Failed(error.to_string()))?;
        let chosen = HashMap::from([("uris", Value::from(vec![format!("file://{}", self.0.display())]))]);
        let (bus, answered) = (bus.clone(), request.clone());
        // Who chooses does so after the dialogue has come, and rfd counts on that.
        tokio::spawn(async move {
            tokio::time::sleep(CHOICE).await;
            let (interface, answer) = ("org.freedesktop.portal.Request", (0_u32, chosen));
            bus.emit_signal(Some(asker.as_str()), &answered, interface, "Response", &answer).await
        });
        Ok(request)
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        3
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Came> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(error: zbus::Error) -> Failure {
    Failure::new(format!("the bus: {error}"))
}

/// The bus, and who listens on it.
pub(crate) struct Desktop {
    bus: Running,
    address: String,
    connection: Connection,
    came: Shared,
}

impl Desktop {
    pub(crate) async fn start(room: &Path) -> Outcome<Self> {
        let mut bus = command(Path::new("dbus-daemon"));
        bus.args(["--session", "--nofork", "--print-address"]);
        let mut bus = Running::start(bus, "the bus", &room.join("bus.log"))?;
        let address = bus.line(|line| line.starts_with("unix:").then(|| line.trim().to_owned())).await?;
        let came = Shared::default();
        let serve = async || {
            connection::Builder::address(address.as_str())?
                .name("org.freedesktop.Notifications")?
                .name("org.kde.StatusNotifierWatcher")?
                .serve_at(NOTIFICATIONS, Notifications(Arc::clone(&came)))?
                .serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&came)))?
                .build()
                .await
        };
        let connection = serve().await.map_err(failed)?;
        Ok(Self { bus, address, connection, came })
    }

    /// Where programs find it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// From now on there are dialogues for files, in which somebody chooses this.
    pub(crate) async fn will_choose(&self, file: &Path) -> Outcome {
        let chooser = FileChooser(file.to_owned());
        self.connection.object_server().at(PORTAL, chooser).await.map_err(failed)?;
        self.connection.request_name("org.freedesktop.portal.Desktop").await.map_err(failed)
    }

    /// Until something was told: the last of it, after so many.
    pub(crate) async fn is_told(&self, after: usize) -> Outcome<Told> {
        let last = async || Ok(lock(&self.came).told.get(after).cloned());
        until(&format!("notification {after}"), last).await
    }

    /// Somebody presses a notification, and it goes.
    pub(crate) async fn press(&self, told: &Told) -> Outcome {
        let emitter = SignalEmitter::new(&self.connection, NOTIFICATIONS).map_err(failed)?;
        Notifications::action_invoked(&emitter, told.number, "default").await.map_err(failed)?;
        Notifications::notification_closed(&emitter, told.number, 2).await.map_err(failed)
    }

    /// Until a sign is in the tray: its name on the bus.
    pub(crate) async fn has_sign(&self) -> Outcome<String> {
        until("the sign in the tray", async || Ok(lock(&self.came).signs.last().cloned())).await
    }

    /// Until the sign says this to who points at it.
    pub(crate) async fn sign_says(&self, sign: &str, words: &str) -> Outcome {
        type ToolTip = (String, Vec<(i32, i32, Vec<u8>)>, String, String);
        let look = async || {
            let asked = (SIGN, "ToolTip");
            let properties = Some("org.freedesktop.DBus.Properties");
            let answer = self.connection.call_method(Some(sign), SIGN_PATH, properties, "Get", &asked).await;
            let answer = answer.and_then(|answer| answer.body().deserialize::<OwnedValue>()).map_err(failed)?;
            let (.., said) = ToolTip::try_from(answer).map_err(|error| failed(error.into()))?;
            Ok((said == words).then_some(()))
        };
        until(&format!("{words:?} at the sign in the tray"), look).await
    }

    /// Somebody presses the sign.
    pub(crate) async fn press_sign(&self, sign: &str) -> Outcome {
        let call = self.connection.call_method(Some(sign), SIGN_PATH, Some(SIGN), "Activate", &(0_i32, 0_i32));
        call.await.map_err(failed).map(drop)
    }

    /// Somebody chooses something in the sign's menu.
    pub(crate) async fn choose(&self, sign: &str, label: &str) -> Outcome {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let (menu, interface) = ("/MenuBar", Some("com.canonical.dbusmenu"));
        let all = (0_i32, -1_i32, Vec::<String>::new());
        let answer =
            self.connection.call_method(Some(sign), menu, interface, "GetLayout", &all).await.map_err(failed)?;
        let (_, (_, _, items)) = answer.body().deserialize::<Layout>().map_err(failed)?;
        let number = items.into_iter().find_map(|item| {
            let (number, facts, _) = <(i32, HashMap<String, OwnedValue>, Vec<OwnedValue>)>::try_from(item).ok()?;
            let said = facts.get("label").and_then(|said| said.downcast_ref::<&str>().ok())?;
            (said == label).then_some(number)
        });
        let number = number.ok_or_else(|| Failure::new(format!("the menu has no {label:?}")))?;
        let event = (number, "clicked", Value::from(0_i32), 0_u32);
        self.connection.call_method(Some(sign), menu, interface, "Event", &event).await.map_err(failed).map(drop)
    }

    pub(crate) async fn end(self) -> Outcome {
        drop(self.connection);
        self.bus.terminate().await
    }
}
