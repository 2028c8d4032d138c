//! Becoming somebody, and being told who one is.

use kith_core::client::{Client, ClientError, Profile, Registered, Registration, Unlock};
use kith_core::wire::control::{Me, Reply, Request};
use serde::Serialize;
use zeroize::Zeroizing;

use super::arguments::Join;
use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::{keychain, secret, text};

/// What `kith register` prints for programs.
#[derive(Serialize)]
pub(crate) struct Newcomer<'a> {
    #[serde(flatten)]
    pub(crate) me: &'a Me,
    pub(crate) recovery_code: &'a str,
}

pub(crate) async fn register(context: &Context, join: Join) -> Result<Success, Error> {
    refuse_second(context)?;
    let invitation = join.invitation_file.as_deref().map(secret::from_file).transpose()?;
    let keychain = join.keychain;
    let (profile, options) = (&context.profile, context.options.clone());
    let Registered { recovery_code, client } = match relay_and_handle(join) {
        Some((relay, handle)) => {
            let invitation = invitation.map(|code| code.to_string());
            let secrets = context.secrets.for_relay(true, keychain)?;
            let registration = Registration { relay, handle, password: secrets.password, invitation };
            let make = async |unlock| Client::register(profile, unlock, registration, options).await;
            unlocked_by(context, secrets.passphrase, make).await?
        }
        None => {
            let vault = context.secrets.for_local()?;
            let passphrase = (!keychain).then(|| vault.clone());
            let make = async |unlock| Client::register_local(profile, unlock, vault, options).await;
            unlocked_by(context, passphrase, make).await?
        }
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            // The account is there, and its code nowhere else.
            let code = serde_json::json!({"recovery_code": recovery_code.as_str()});
            context.screen.show(&code, || text::registered_only(&recovery_code))?;
            return Err(error.into());
        }
    };
    let mut backend = context.own(client, Use::OnceAsItIs).await?;
    let me = backend.whoami().await?;
    let registered = Newcomer { me: &me, recovery_code: &recovery_code };
    context.screen.show(&registered, || text::registered(&me, &recovery_code))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn log_in(context: &Context, join: Join) -> Result<Success, Error> {
    refuse_second(context)?;
    let keychain = join.keychain;
    let (relay, handle) = relay_and_handle(join).ok_or_else(|| Error::usage(text::LOCAL_LOGIN))?;
    let secrets = context.secrets.for_relay(false, keychain)?;
    let registration = Registration { relay, handle, password: secrets.password, invitation: None };
    let make = async |unlock| Client::log_in(&context.profile, unlock, registration, context.options.clone()).await;
    let client = unlocked_by(context, secrets.passphrase, make).await?;
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

/// Makes a profile that the passphrase unlocks, or without one a new key in the system's keychain.
async fn unlocked_by<T>(
    context: &Context,
    passphrase: Option<Zeroizing<String>>,
    make: impl AsyncFnOnce(Unlock) -> Result<T, ClientError>,
) -> Result<T, Error> {
    if let Some(passphrase) = passphrase {
        keychain::disown(&context.profile)?;
        return Ok(make(Unlock::Passphrase(passphrase)).await?);
    }
    let key = keychain::create(&context.profile).await?;
    let made = make(Unlock::Key(key)).await;
    if made.is_err() && !Profile::exists(&context.profile) {
        keychain::forget(&context.profile).await;
    }
    Ok(made?)
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
