//! The account's devices, naming this one, and taking another out.

use std::io::{BufRead as _, IsTerminal as _};

use kith_core::client::{Client, Registration};
use kith_core::wire::control::{DeviceInfo, Reply, Request};

use super::backend::{Backend, Context, Use};
use super::error::{Error, Success};
use super::text;

pub(crate) async fn list(context: &Context) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let devices = all(&mut backend).await?;
    context.screen.show_all(&devices, || text::devices(&devices))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn rename(context: &Context, name: String) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    backend.command(Request::NameDevice { name }).await?;
    backend.close().await;
    context.screen.done(|| text::DEVICE_RENAMED.to_owned())?;
    Ok(Success::Done)
}

/// Removes a device at the relay, which takes the password, and has the profile go on without it.
pub(crate) async fn remove(context: &Context, typed: &str, yes: bool) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let removed = remove_by(context, &mut backend, typed, yes).await;
    backend.close().await;
    let device = removed?;
    context.screen.done(|| text::device_removed(&device))?;
    Ok(Success::Done)
}

async fn remove_by(context: &Context, backend: &mut Backend, typed: &str, yes: bool) -> Result<DeviceInfo, Error> {
    let device = chosen(all(backend).await?, typed)?;
    let me = backend.whoami().await?;
    let (relay, handle) = me.place().ok_or_else(|| Error::new("no_relay", text::NO_RELAY_TO_REMOVE_AT))?;
    if !yes {
        confirm(context, &device)?;
    }
    let registration = Registration { relay, handle, password: context.secrets.present()?, invitation: None };
    let record = Client::remove_device(registration, &device.device).await?;
    backend.command(Request::TakeRecord { record }).await?;
    Ok(device)
}

async fn all(backend: &mut Backend) -> Result<Vec<DeviceInfo>, Error> {
    match backend.call(Request::Devices).await? {
        Reply::Devices(devices) => Ok(devices),
        _ => Err(Error::nonsense()),
    }
}

/// The one device whose id begins so, which is not this one.
fn chosen(devices: Vec<DeviceInfo>, typed: &str) -> Result<DeviceInfo, Error> {
    let mut found = devices.into_iter().filter(|device| !typed.is_empty() && device.device.starts_with(typed));
    match (found.next(), found.next()) {
        (Some(device), None) if device.this => Err(Error::new("this_device", text::THIS_DEVICE)),
        (Some(device), None) => Ok(device),
        (None, _) => Err(Error::new("no_device", text::no_device(typed))),
        (Some(_), Some(_)) => Err(Error::new("several_devices", text::several_devices(typed))),
    }
}

fn confirm(context: &Context, device: &DeviceInfo) -> Result<(), Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new("no_terminal", text::NEEDS_YES));
    }
    context.screen.say(&text::about_to_remove(device))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Error::system(text::no_prompt(&error)))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::new("not_confirmed", text::NOT_REMOVED)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, this: bool) -> DeviceInfo {
        DeviceInfo {
            device: id.into(),
            this,
            connected: false,
            path: None,
            created_ms: 0,
            name: None,
            machine: None,
            system: None,
        }
    }

    #[test]
    fn a_device_is_named_by_the_beginning_of_its_id_and_never_by_less() {
        let devices = || vec![device("aa11", true), device("ab22", false), device("ab33", false)];
        assert_eq!(chosen(devices(), "ab2").unwrap().device, "ab22");
        for (typed, code) in [
            ("aa", "this_device"),
            ("ab", "several_devices"),
            ("", "no_device"),
            ("b", "no_device"),
            ("ab222", "no_device"),
        ] {
            assert_eq!(chosen(devices(), typed).unwrap_err().code, code, "{typed:?}");
        }
    }
}
