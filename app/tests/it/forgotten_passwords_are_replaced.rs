//! Who has forgotten the password takes the recovery code, by the command line; who has not changes it.

use std::path::Path;

use serde_json::Value;

use crate::world::{Outcome, Person, Relay, check, person, play, sign_up, text};

const NEXT: &str = "another horse, another battery";

/// Somebody on a device of their own, whose password this is.
fn device(room: &Path, name: &'static str, password: &str) -> Outcome<Person<'static>> {
    let mut person = person(room, name)?;
    person.at_one_address()?;
    std::fs::write(person.password_file(), password)?;
    Ok(person)
}

fn file(room: &Path, name: &str, content: &str) -> Outcome<String> {
    let path = room.join(name);
    std::fs::write(&path, content)?;
    Ok(path.display().to_string())
}

async fn is_refused(person: &Person<'_>, arguments: &[&str], code: &str) -> Outcome {
    let refused = person.refused(arguments).await?;
    check(refused.code == code, &format!("{arguments:?}: {refused:?}"))
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_recovery_code_and_survives_the_relays_death() {
    play(async |room| {
        let mut relay = Relay::start(room, "relay").await?;
        let address = relay.address.clone();
        let at = ["--relay", address.as_str()];
        let lost = device(room, "lost", "a password that is forgotten")?;
        let registered = lost.ask_one(&["register", "alice", at[0], at[1]]).await?;
        let code = text(&registered, "recovery_code").to_owned();
        // As the window saves it.
        let saved = file(room, "code.txt", &format!("This is the recovery code of your Kith account.\n\n{code}\n"))?;
        let damaged = file(room, "damaged.txt", &code.replace('-', "").replacen(&code[..1], "U", 1))?;

        let found = device(room, "found", NEXT)?;
        let recover = |handle, file| ["recover", handle, at[0], at[1], "--recovery-file", file];
        is_refused(&found, &recover("alice", &damaged), "recovery_code").await?;
        is_refused(&found, &recover("nobody", &saved), "wrong_recovery_code").await?;
        is_refused(&found, &recover("alice", "/nowhere/at/all"), "password_file").await?;
        check(!room.join("found").exists(), "a profile was left behind")?;

        let recovered = found.ask_one(&recover("alice", &saved)).await?;
        relay.kill().await?;
        relay.restart().await?;
        check(recovered["account"] == registered["account"], &format!("{recovered} is not {registered}"))?;
        let next_code = text(&recovered, "recovery_code").to_owned();
        check(!next_code.is_empty() && next_code != code, "there is no new recovery code")?;

        let late = device(room, "late", "a password that is forgotten")?;
        is_refused(&late, &["login", "alice", at[0], at[1]], "wrong_password").await?;
        is_refused(&late, &recover("alice", &saved), "wrong_recovery_code").await?;
        std::fs::write(late.password_file(), NEXT)?;
        let me = late.ask_one(&["login", "alice", at[0], at[1]]).await?;
        check(me["devices"] == 3, &format!("the devices of {me}"))?;
        // The device that was there before opens as ever, and is still signed in.
        let status = lost.ask_one(&["status"]).await?;
        check(status["relay_connected"] == true, &format!("the first device: {status}"))
    })
    .await;
}

#[tokio::test]
async fn a_password_is_changed_and_the_profile_opens_as_before() {
    play(async |room| {
        let relay = Relay::start(room, "relay").await?;
        let alice = sign_up(room, "alice", &relay).await?;
        let before = std::fs::read_to_string(alice.password_file())?;
        let next = file(room, "next", NEXT)?;
        let weak = file(room, "weak", "short")?;
        is_refused(&alice, &["password", "--new-password-file", &weak], "weak_password").await?;
        let changed = alice.ask_one(&["password", "--new-password-file", &next]).await?;
        check(changed["recovery_code"] == Value::Null, &format!("another code came: {changed}"))?;

        let login = ["login", "alice", "--relay", &relay.address];
        is_refused(&device(room, "second", &before)?, &login, "wrong_password").await?;
        device(room, "second", NEXT)?.ask_one(&login).await?;
        // The old password opens the profile still, and is the account's no more.
        is_refused(&alice, &["password", "--new-password-file", &next], "wrong_password").await?;

        // While another process has the profile; and with a new code this time.
        let runs = alice.run().await?;
        std::fs::write(alice.password_file(), NEXT)?;
        let last = file(room, "last", "the last of all passwords")?;
        let changed = alice.ask_one(&["password", "--new-password-file", &last, "--new-code"]).await?;
        let code = file(room, "code", text(&changed, "recovery_code"))?;
        let forgotten = ["password", "--forgotten", "--recovery-file", &code, "--new-password-file", &next];
        let again = alice.ask_one(&forgotten).await?;
        check(again["recovery_code"] != changed["recovery_code"], "the code was not spent")?;
        is_refused(&alice, &forgotten, "wrong_recovery_code").await?;
        alice.ask(&["stop"]).await?;
        runs.ended().await?;

        let local = person(room, "local")?;
        local.ask_one(&["register", "--local"]).await?;
        is_refused(&local, &["password", "--new-password-file", &next], "no_relay").await
    })
    .await;
}
