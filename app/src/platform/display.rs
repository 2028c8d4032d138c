//! Whether there is a display that answers. winit panics where there is none, so it is looked for before. The demo asks, too.

/// Whether a window can be shown; else what is missing, as the end of a sentence.
pub(crate) fn look() -> Result<(), String> {
    #[cfg(all(unix, not(target_os = "macos")))]
    return unix::look(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    return Ok(());
}

#[cfg(all(unix, not(target_os = "macos")))]
#[expect(clippy::disallowed_types, reason = "a driver: it knocks at a display's door")]
mod unix {
    use std::net::{TcpStream, ToSocketAddrs as _};
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::time::Duration;

    /// A display on another machine answers within this, or a window would be no joy.
    const PATIENCE: Duration = Duration::from_secs(3);

    /// The first of the ports on which X servers listen.
    const FIRST_PORT: u16 = 6000;

    /// As winit does: where a Wayland display is named, no other is looked for.
    pub(super) fn look(set: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        if set("WAYLAND_SOCKET").is_some() {
            return Ok(());
        }
        let (name, value, answers) = if let Some(value) = set("WAYLAND_DISPLAY") {
            let answers = wayland(&value, set("XDG_RUNTIME_DIR").as_deref());
            ("WAYLAND_DISPLAY", value, answers)
        } else if let Some(value) = set("DISPLAY") {
            let answers = x(&value);
            ("DISPLAY", value, answers)
        } else {
            return Err("neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned());
        };
        if answers { Ok(()) } else { Err(format!("{name} is {value}, and nothing answers there")) }
    }

    fn wayland(name: &str, directory: Option<&str>) -> bool {
        // A name that begins at the root stays as it is.
        directory.is_some_and(|directory| UnixStream::connect(Path::new(directory).join(name)).is_ok())
            || Path::new(name).is_absolute() && UnixStream::connect(name).is_ok()
    }

    /// `[host]:display[.screen]`
    fn x(display: &str) -> bool {
        let Some((host, rest)) = display.rsplit_once(':') else { return false };
        let number = rest.split('.').next().unwrap_or_default();
        let Ok(number) = number.parse::<u16>() else { return false };
        if !matches!(host, "" | "unix") {
            let Some(port) = FIRST_PORT.checked_add(number) else { return false };
            let Ok(places) = (host, port).to_socket_addrs() else { return false };
            return places.into_iter().any(|place| TcpStream::connect_timeout(&place, PATIENCE).is_ok());
        }
        let path = format!("/tmp/.X11-unix/X{number}");
        UnixStream::connect(&path).is_ok() || abstracted(&path)
    }

    /// Linux has sockets with a name and no file.
    #[cfg(target_os = "linux")]
    fn abstracted(name: &str) -> bool {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::SocketAddr;
        SocketAddr::from_abstract_name(name).and_then(|place| UnixStream::connect_addr(&place)).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn abstracted(_name: &str) -> bool {
        false
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::net::UnixListener;

        use super::*;

        fn with(values: &[(&str, &str)]) -> Result<(), String> {
            look(|name| values.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()))
        }

        #[test]
        fn a_display_is_one_that_answers() {
            let room = tempfile::tempdir().unwrap();
            let directory = room.path().to_str().unwrap();
            let wayland = [("XDG_RUNTIME_DIR", directory), ("WAYLAND_DISPLAY", "wayland-7"), ("DISPLAY", ":0")];
            let dead = "WAYLAND_DISPLAY is wayland-7, and nothing answers there";
            assert_eq!(with(&wayland), Err(dead.to_owned()));
            let _listener = UnixListener::bind(room.path().join("wayland-7")).unwrap();
            assert_eq!(with(&wayland), Ok(()));
            assert_eq!(with(&[]), Err("neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned()));
            for nowhere in ["", "nonsense", ":", ":x", ":54321", "127.0.0.1:59000", "127.0.0.1:1"] {
                let said = with(&[("DISPLAY", nowhere)]);
                assert_eq!(said, Err(format!("DISPLAY is {nowhere}, and nothing answers there")));
            }
        }

        #[test]
        fn a_display_on_another_machine_is_asked_by_its_port() {
            let (listener, number) = (6100..6400_u16)
                .find_map(|port| Some((std::net::TcpListener::bind(("127.0.0.1", port)).ok()?, port - FIRST_PORT)))
                .unwrap();
            assert_eq!(with(&[("DISPLAY", &format!("127.0.0.1:{number}.0"))]), Ok(()));
            drop(listener);
        }
    }
}
