//! Taking everything along, and leaving nothing behind.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use kith_core::client::Profile;
use kith_core::wire::control::{Me, Reply, Request};

use super::backend::{Context, Use};
use super::error::{Error, Success};
use super::{keychain, send, text};

pub(crate) async fn export(context: &Context, to: PathBuf) -> Result<Success, Error> {
    let to = send::absolute(to)?;
    let mut backend = context.reach(Use::Once).await?;
    let exported = backend.call(Request::Export { to: to.clone() }).await;
    backend.close().await;
    let Reply::Exported { files, messages } = exported? else { return Err(Error::nonsense()) };
    let object = serde_json::json!({"files": files, "messages": messages});
    context.screen.show(&object, || text::exported(&to, files, messages))?;
    Ok(Success::Done)
}

/// Deletes the profile, once its owner has typed whose it is.
pub(crate) async fn erase(context: &Context, yes: bool) -> Result<Success, Error> {
    if !Profile::exists(&context.profile) {
        return Err(Error::new("no_profile", text::no_profile(&context.profile)));
    }
    if let Some(mut other) = context.attach().await? {
        return Err(Error::new("profile_open", text::already_running(&other.whoami().await?)));
    }
    if !yes {
        confirm(context).await?;
    }
    Profile::erase(&context.profile).await?;
    keychain::forget(&context.profile).await;
    context.screen.done(|| text::erased(&context.profile))?;
    Ok(Success::Done)
}

async fn confirm(context: &Context) -> Result<(), Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new("no_terminal", text::NEEDS_YES));
    }
    let mut backend = context.reach(Use::OnceAsItIs).await?;
    let me = backend.whoami().await;
    backend.close().await;
    let me = me?;
    context.screen.say(&text::about_to_erase(&me, word(&me)))?;
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).map_err(|error| Error::system(text::no_prompt(&error)))?;
    if is_confirmed(&me, &typed) { Ok(()) } else { Err(Error::new("not_confirmed", text::NOT_ERASED)) }
}

/// What has to be typed: the name of the account, which nobody types by mistake.
fn word(me: &Me) -> &str {
    match &me.handle {
        Some(handle) => handle.split_once('@').map_or(handle.as_str(), |(name, _)| name),
        None => me.account.get(..8).unwrap_or(&me.account),
    }
}

fn is_confirmed(me: &Me, typed: &str) -> bool {
    let typed = typed.trim();
    typed == word(me) || me.handle.as_deref() == Some(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me(handle: Option<&str>) -> Me {
        Me {
            account: "0123456789abcdef".into(),
            device: "d1".into(),
            handle: handle.map(str::to_owned),
            relays: Vec::new(),
            devices: 1,
        }
    }

    #[test]
    fn a_profile_is_erased_only_by_the_name_of_its_account() {
        let (alice, local) = (me(Some("alice@relay")), me(None));
        for (me, typed, confirmed) in [
            (&alice, "alice\n", true),
            (&alice, " alice@relay \n", true),
            (&alice, "\n", false),
            (&alice, "yes\n", false),
            (&alice, "bob\n", false),
            (&local, "01234567\n", true),
            (&local, "0123456\n", false),
            (&local, "", false),
        ] {
            assert_eq!(is_confirmed(me, typed), confirmed, "{typed:?}");
        }
    }
}
