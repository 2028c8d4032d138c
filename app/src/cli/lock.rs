//! Changing what opens the profile on this device.

use kith_core::client::Profile;
use kith_core::wire::control::{Lock, Request};
use zeroize::Zeroizing;

use super::arguments::Passphrase;
use super::backend::{Backend, Context, Use};
use super::error::{Error, Success};
use super::keychain::{self, Way};
use super::{secret, text};

/// Errors that say that nothing was changed; after any other, either may open the profile.
const UNCHANGED: [&str; 3] = ["wrong_passphrase", "weak_password", "command"];

pub(crate) async fn passphrase(context: &Context, arguments: Passphrase) -> Result<Success, Error> {
    if !Profile::exists(&context.profile) {
        return Err(Error::new("no_profile", text::no_profile(&context.profile)));
    }
    let typed = if keychain::ways(&context.profile)?.contains(&Way::Passphrase) {
        Some(context.secrets.to_open()?)
    } else {
        None
    };
    let mut backend = context.reach_with(Use::OnceAsItIs, typed.clone()).await?;
    let changed = change(context, &mut backend, typed, arguments).await;
    backend.close().await;
    let way = changed?;
    context.screen.done(|| text::lock_changed(&way))?;
    Ok(Success::Done)
}

async fn change(
    context: &Context,
    backend: &mut Backend,
    typed: Option<Zeroizing<String>>,
    arguments: Passphrase,
) -> Result<Way, Error> {
    let from = present(context, backend, typed).await?;
    let (way, lock) = if arguments.keychain {
        let (way, key) = keychain::draw(&context.profile).await?;
        (way, Lock::Key(key))
    } else {
        let passphrase = match &arguments.new_passphrase_file {
            Some(file) => secret::from_file(file)?,
            None => secret::new_passphrase()?,
        };
        (Way::Passphrase, Lock::Passphrase(passphrase))
    };
    exchange(context, backend, from, (way, lock)).await
}

/// What opens the profile now. Of two, which a change left that was cut off while another process had the profile open, it is asked
/// which: what is changed to itself stays.
async fn present(
    context: &Context,
    backend: &mut Backend,
    typed: Option<Zeroizing<String>>,
) -> Result<(Way, Lock), Error> {
    let ways = keychain::ways(&context.profile)?;
    let several = ways.len() > 1;
    for way in ways {
        let lock = match (&way, &typed) {
            (Way::Key(name), _) => Lock::Key(keychain::key(name.clone()).await?),
            (Way::Passphrase, Some(typed)) => Lock::Passphrase(typed.clone()),
            (Way::Passphrase, None) => continue,
        };
        if !several {
            return Ok((way, lock));
        }
        match backend.command(Request::ChangeLock { from: lock.clone(), to: lock.clone() }).await {
            Ok(()) => {
                keychain::settle(&context.profile, &way).await?;
                return Ok((way, lock));
            }
            Err(error) if error.code == "wrong_passphrase" => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new("wrong_passphrase", text::NOTHING_OPENS))
}

/// Both are named before anything is changed, and the new one alone once that is done.
async fn exchange(
    context: &Context,
    backend: &mut Backend,
    (before, from): (Way, Lock),
    (after, to): (Way, Lock),
) -> Result<Way, Error> {
    if let Err(error) = keychain::announce(&context.profile, &before, &after) {
        keychain::discard(after).await;
        return Err(error);
    }
    match backend.command(Request::ChangeLock { from, to }).await {
        Ok(()) => {
            keychain::settle(&context.profile, &after).await?;
            Ok(after)
        }
        Err(error) => {
            if UNCHANGED.contains(&error.code.as_str()) {
                keychain::settle(&context.profile, &before).await?;
            }
            Err(error)
        }
    }
}
