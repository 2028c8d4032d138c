//! Becoming somebody, and being told who one is.

use kith_core::client::{Client, Profile, Registration, Unlock};
use kith_core::wire::control::{Me, Reply, Request};
use serde::Serialize;

use super::arguments::Join;
use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::{secret, text};

/// What `kith register` prints for programs.
#[derive(Serialize)]
struct Registered<'a> {
    #[serde(flatten)]
    me: &'a Me,
    recovery_code: &'a str,
}

pub(crate) async fn register(context: &Context, join: Join) -> Result<Success, Error> {
    refuse_second(context)?;
    let invitation = join.invitation_file.as_deref().map(secret::from_file).transpose()?;
    let (client, recovery_code) = match relay_and_handle(join) {
        Some((relay, handle)) => {
            let invitation = invitation.map(|code| code.to_string());
            let secrets = context.secrets.for_relay(true)?;
            let registration = Registration { relay, handle, password: secrets.password, invitation };
            let unlock = Unlock::Passphrase(secrets.passphrase);
            Client::register(&context.profile, unlock, registration, context.options.clone()).await?
        }
        None => {
            let passphrase = context.secrets.for_local()?;
            let unlock = Unlock::Passphrase(passphrase.clone());
            Client::register_local(&context.profile, unlock, passphrase, context.options.clone()).await?
        }
    };
    let mut backend = context.own(client, Use::OnceAsItIs).await?;
    let me = backend.whoami().await?;
    let registered = Registered { me: &me, recovery_code: &recovery_code };
    context.screen.show(&registered, || text::registered(&me, &recovery_code))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn log_in(context: &Context, join: Join) -> Result<Success, Error> {
    refuse_second(context)?;
    let (relay, handle) = relay_and_handle(join).ok_or_else(|| Error::usage(text::LOCAL_LOGIN))?;
    let secrets = context.secrets.for_relay(false)?;
    let registration = Registration { relay, handle, password: secrets.password, invitation: None };
    let unlock = Unlock::Passphrase(secrets.passphrase);
    let client = Client::log_in(&context.profile, unlock, registration, context.options.clone()).await?;
    let mut backend = context.own(client, Use::OnceAsItIs).await?;
    let me = backend.whoami().await?;
    context.screen.show(&me, || text::logged_in(&me))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn whoami(context: &Context) -> Result<Success, Error> {
    let mut backend = context.reach(Use::OnceAsItIs).await?;
    let me = backend.whoami().await?;
    context.screen.show(&me, || text::whoami(&me))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn invite(context: &Context) -> Result<Success, Error> {
    let mut backend = context.reach(Use::OnceAsItIs).await?;
    let Reply::Link { link } = backend.call(Request::Invite).await? else { return Err(Error::nonsense()) };
    context.screen.show(&serde_json::json!({"link": link}), || link.clone())?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn status(context: &Context) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let status = backend.status().await?;
    context.screen.show(&status, || text::status(&status))?;
    backend.close().await;
    Ok(Success::Done)
}

/// None for an account without a relay.
fn relay_and_handle(join: Join) -> Option<(String, String)> {
    if join.local {
        return None;
    }
    join.relay.zip(join.handle)
}

/// Before anybody types a password for nothing.
fn refuse_second(context: &Context) -> Result<(), Error> {
    if Profile::exists(&context.profile) {
        return Err(Error::new("profile_exists", text::profile_exists(&context.profile)));
    }
    Ok(())
}
