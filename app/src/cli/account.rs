//! Becoming somebody, and being told who one is.

use kith_core::client::{Client, ClientError, Profile, Proof, Registered, Registration, Unlock};
use kith_core::wire::control::{Me, Reply, Request};
use serde::Serialize;
use zeroize::Zeroizing;

use super::arguments::{ChangePassword, Join, Recover};
use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::{keychain, secret, text};

/// What `kith register` and `kith recover` print for programs.
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
    greet(context, &recovery_code, client, text::registered_only, text::registered).await
}

/// Shows the recovery code, whatever became of the client: it is nowhere else.
async fn greet(
    context: &Context,
    recovery_code: &str,
    client: Result<Client, ClientError>,
    code_alone: impl FnOnce(&str) -> String,
    welcome: impl FnOnce(&Me, &str) -> String,
) -> Result<Success, Error> {
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            let code = serde_json::json!({"recovery_code": recovery_code});
            context.screen.show(&code, || code_alone(recovery_code))?;
            return Err(error.into());
        }
    };
    let mut backend = context.own(client, Use::OnceAsItIs).await?;
    let me = backend.whoami().await?;
    let newcomer = Newcomer { me: &me, recovery_code };
    context.screen.show(&newcomer, || welcome(&me, recovery_code))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn recover(context: &Context, arguments: Recover) -> Result<Success, Error> {
    refuse_second(context)?;
    let Recover { handle, relay, recovery_file, keychain } = arguments;
    let code = secret::recovery_code(recovery_file.as_deref())?;
    let secrets = context.secrets.for_relay(true, keychain)?;
    let registration = Registration { relay, handle, password: secrets.password, invitation: None };
    let options = context.options.clone();
    let make = async |unlock| Client::recover(&context.profile, unlock, registration, code, options).await;
    let Registered { recovery_code, client } = unlocked_by(context, secrets.passphrase, make).await?;
    greet(context, &recovery_code, client, text::recovered_only, text::recovered).await
}

pub(crate) async fn change_password(context: &Context, arguments: ChangePassword) -> Result<Success, Error> {
    let mut backend = context.reach(Use::OnceAsItIs).await?;
    let me = backend.whoami().await?;
    backend.close().await;
    let (relay, handle) = me.place().ok_or_else(|| Error::new("no_relay", text::NO_ACCOUNT_PASSWORD))?;
    let proof = if arguments.forgotten {
        Proof::RecoveryCode(secret::recovery_code(arguments.recovery_file.as_deref())?)
    } else {
        Proof::Password(context.secrets.present()?)
    };
    let password = secret::new_password(arguments.new_password_file.as_deref())?;
    let registration = Registration { relay, handle, password, invitation: None };
    let code = Client::change_password(registration, proof, arguments.new_code).await?;
    let code = code.as_ref().map(|code| code.as_str());
    context.screen.show(&serde_json::json!({"recovery_code": code}), || text::password_changed(code))?;
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
