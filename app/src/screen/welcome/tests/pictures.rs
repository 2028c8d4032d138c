//! Pictures of the first start, to be looked at: `KITH_PICTURES=<folder> cargo test --bin kith pictures -- --ignored`.

use super::*;

const CODE: &str = "K7QX-ABCD-EFGH-JKMN-PQRS-TVWX-YZ01";

fn shoot(person: &Person, name: &str, variant: Variant, size: (f32, f32)) {
    let context = Context { size: iced::Size::new(size.0, size.1), ..person.world.context() };
    let mut screen = Simulator::with_size(look(), size, person.welcome.view(context));
    let folder = std::env::var_os("KITH_PICTURES").expect("KITH_PICTURES names a folder");
    let path = std::path::Path::new(&folder).join(name);
    let snapshot = screen.snapshot(&Theme::new(variant)).unwrap();
    assert!(snapshot.matches_image(path).unwrap(), "{name}: the picture that was there is another one");
}

fn lang(person: &mut Person, language: Language) {
    person.world.i18n = I18n::new(language);
}

#[test]
#[ignore = "draws pictures for people"]
fn pictures() {
    let wide = (1000.0, 760.0);
    let tall = (1000.0, 1000.0);
    let small = (500.0, 400.0);
    use Variant::*;
    for (l, tag) in [(Language::En, "en"), (Language::Ru, "ru"), (Language::Uk, "uk")] {
        let bob = link(Some("bob"), relays());
        let mut p = Person::new();
        lang(&mut p, l);
        shoot(&p, &format!("w1-start-{tag}"), Light, wide);
        if l == Language::En {
            shoot(&p, "w1-start-dark", Dark, wide);
            shoot(&p, "w1-start-contrast", HighContrast, wide);
            shoot(&p, "w1-start-small", Light, small);
            let invited = Person::with(Some(&bob), l);
            shoot(&invited, "w1-invited", Light, wide);
        }
        p.hears(Message::Chose(Kind::Create));
        shoot(&p, &format!("w2-relay-{tag}"), Dark, wide);
        p.hears(Message::Place(place::Message::AddressChanged("/ip4/1.2.3.4/tcp/1".into())));
        shoot(&p, &format!("w2-relay-wrong-{tag}"), Light, wide);
        p.hears(Message::Place(place::Message::LinkChanged(bob)));
        shoot(&p, &format!("w2-relay-link-{tag}"), Light, wide);
        p.hears(Message::Place(place::Message::WayChosen(place::Way::Own)));
        shoot(&p, &format!("w2-relay-own-{tag}"), HighContrast, wide);
        p.hears(Message::Place(place::Message::AddressChanged(ADDRESS.into())));
        p.hears(Message::Place(place::Message::WayChosen(place::Way::Address)));
        p.hears(Message::Place(place::Message::Submit));
        shoot(&p, &format!("w3-account-{tag}"), Light, tall);
        p.hears(Message::KeychainProbed(true));
        p.hears(Message::Account(account::Message::HandleChanged("alice b".into())));
        p.hears(Message::Account(account::Message::PasswordChanged(Zeroizing::new("garden lamp".into()))));
        p.hears(Message::Account(account::Message::AgainChanged(Zeroizing::new("other".into()))));
        shoot(&p, &format!("w3-account-wrong-{tag}"), Dark, tall);
        p.hears(Message::Account(account::Message::HandleChanged("alice".into())));
        p.hears(Message::Account(account::Message::PasswordChanged(Zeroizing::new(GOOD.into()))));
        p.hears(Message::Account(account::Message::AgainChanged(Zeroizing::new(GOOD.into()))));
        p.hears(Message::Account(account::Message::KeepByPassphrase));
        p.hears(Message::Account(account::Message::Same(false)));
        p.hears(Message::Account(account::Message::Look));
        shoot(&p, &format!("w3-account-passphrase-{tag}"), HighContrast, tall);
        shoot(&p, &format!("w3-account-small-{tag}"), Light, small);
        p.hears(Message::Account(account::Message::Same(true)));
        p.hears(Message::Account(account::Message::Submit));
        shoot(&p, &format!("w4-working-{tag}"), Dark, wide);
        p.hears(Message::Created(Err(Problem::new("registration_closed", ""))));
        shoot(&p, &format!("w3-account-invitation-{tag}"), Light, tall);
        p.hears(Message::Account(account::Message::InvitationChanged("x".into())));
        p.hears(Message::Account(account::Message::Submit));
        let code = Zeroizing::new(CODE.to_owned());
        p.hears(Message::Created(Ok(Created { recovery_code: code, backend: Err(Problem::new("start", "")) })));
        shoot(&p, &format!("w5-recovery-{tag}"), Light, wide);
        p.hears(Message::Recovery(recovery::Message::Written(true)));
        p.hears(Message::Recovery(recovery::Message::Copy));
        let path = "/home/alice/Documents/kith-recovery-code.txt".into();
        p.hears(Message::Recovery(recovery::Message::Saved(Some(Ok(path)))));
        shoot(&p, &format!("w5-recovery-done-{tag}"), Dark, wide);
    }
}
