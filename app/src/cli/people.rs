//! Contacts, requests, blocks, groups.

use kith_core::wire::control::{Contact, Reply, Request};

use super::arguments::{Add, Group, Verify};
use super::backend::{Backend, Context, Use};
use super::error::{Error, Success};
use super::text;

pub(crate) async fn contacts(context: &Context) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let contacts = list(&mut backend).await?;
    context.screen.show_all(&contacts, || text::contacts(&contacts))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn requests(context: &Context) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let Reply::Requests(requests) = backend.call(Request::Requests).await? else { return Err(Error::nonsense()) };
    context.screen.show_all(&requests, || text::requests(&requests))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn add(context: &Context, add: Add) -> Result<Success, Error> {
    let request = Request::Add { who: add.who.clone(), text: add.text };
    command(context, request, || text::asked(&add.who)).await
}

pub(crate) async fn accept(context: &Context, who: String) -> Result<Success, Error> {
    command(context, Request::Accept { who: who.clone() }, || text::accepted(&who)).await
}

pub(crate) async fn decline(context: &Context, who: String) -> Result<Success, Error> {
    command(context, Request::Decline { who: who.clone() }, || text::declined(&who)).await
}

pub(crate) async fn block(context: &Context, who: String) -> Result<Success, Error> {
    command(context, Request::Block { who: who.clone() }, || text::blocked(&who)).await
}

pub(crate) async fn unblock(context: &Context, who: String) -> Result<Success, Error> {
    command(context, Request::Unblock { who: who.clone() }, || text::unblocked(&who)).await
}

pub(crate) async fn verify(context: &Context, verify: Verify) -> Result<Success, Error> {
    if verify.compared {
        return command(context, Request::Verify { who: verify.who.clone() }, || text::verified(&verify.who)).await;
    }
    let mut backend = context.reach(Use::Once).await?;
    let contacts = list(&mut backend).await?;
    let contact = called(&contacts, &verify.who)?;
    let number = contact.safety_number.as_deref();
    let number = number.ok_or_else(|| Error::new("no_safety_number", text::no_safety_number(&verify.who)))?;
    context.screen.show(contact, || text::safety_number(contact, number))?;
    backend.close().await;
    Ok(Success::Done)
}

pub(crate) async fn create_group(context: &Context, group: Group) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    let request = Request::CreateGroup { name: group.name.clone(), members: group.members };
    let Reply::Conversation { conversation } = backend.call(request).await? else { return Err(Error::nonsense()) };
    context.screen.show(&serde_json::json!({"conversation": conversation}), || text::group_created(&group.name))?;
    backend.leave().await
}

/// A command that only is done or not. What it sends has time to leave.
async fn command(context: &Context, request: Request, words: impl FnOnce() -> String) -> Result<Success, Error> {
    let mut backend = context.reach(Use::Once).await?;
    backend.command(request).await?;
    context.screen.done(words)?;
    backend.leave().await
}

/// Contacts and groups.
pub(crate) async fn list(backend: &mut Backend) -> Result<Vec<Contact>, Error> {
    match backend.call(Request::Contacts).await? {
        Reply::Contacts(contacts) => Ok(contacts),
        _ => Err(Error::nonsense()),
    }
}

/// The contact or group that a person means.
pub(crate) fn called<'a>(contacts: &'a [Contact], name: &str) -> Result<&'a Contact, Error> {
    let exact = |contact: &&Contact| {
        [&contact.account, &contact.conversation, &contact.handle].iter().any(|id| id.as_deref() == Some(name))
    };
    let close = |contact: &&Contact| {
        let local = contact.handle.as_deref().and_then(|handle| handle.split_once('@')).map(|(local, _)| local);
        contact.name == name || local == Some(name)
    };
    if let Some(contact) = contacts.iter().find(exact) {
        return Ok(contact);
    }
    let mut close = contacts.iter().filter(close);
    match (close.next(), close.next()) {
        (None, _) => Err(Error::new("nobody", text::nobody_called(name))),
        (Some(contact), None) => Ok(contact),
        (Some(_), Some(_)) => Err(Error::new("ambiguous", text::several_called(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(account: &str, name: &str, handle: Option<&str>) -> Contact {
        Contact {
            account: Some(account.into()),
            conversation: Some(format!("with-{account}")),
            name: name.into(),
            handle: handle.map(str::to_owned),
            state: "accepted".into(),
            verified: false,
            safety_number: None,
            unread: 0,
            devices: 2,
        }
    }

    #[test]
    fn a_name_that_several_have_is_not_guessed() {
        let contacts = [
            contact("a1", "bob", Some("bob@one")),
            contact("a2", "bob", Some("bob@two")),
            contact("a3", "carol", None),
        ];
        let account = |name: &str| called(&contacts, name).map(|contact| contact.account.clone().unwrap());
        assert_eq!(account("carol").unwrap(), "a3");
        assert_eq!(account("bob@two").unwrap(), "a2");
        assert_eq!(account("with-a1").unwrap(), "a1");
        assert_eq!(account("bob").unwrap_err().code, "ambiguous");
        assert_eq!(account("dave").unwrap_err().code, "nobody");
    }
}
