//! Pictures of the settings, to be looked at: `KITH_PICTURES=<folder> cargo test --bin kith pictures -- --ignored`.

use super::*;

fn shoot(person: &Person, name: &str, variant: Variant, size: (f32, f32)) {
    let context = Context { size: iced::Size::new(size.0, size.1), ..person.context() };
    let mut screen = Simulator::with_size(look(), size, person.page.view(context));
    let folder = std::env::var_os("KITH_PICTURES").expect("KITH_PICTURES names a folder");
    let path = std::path::Path::new(&folder).join(name);
    let snapshot = screen.snapshot(&Theme::new(variant)).unwrap();
    assert!(snapshot.matches_image(path).unwrap(), "{name}: the picture that was there is another one");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "draws pictures for people"]
async fn pictures() {
    use Variant::*;
    let wide = (1016.0, 760.0);
    let mut p = Person::at(Section::Profile).await;
    let link = p.backend.clone().invite().await;
    let reach = |name: &str, path: &str, why, ms| Reach {
        account: "b1".into(),
        name: name.into(),
        path: path.into(),
        why: Said::new(why, ""),
        round_trip_ms: ms,
    };
    for (l, tag, variant) in
        [(Language::En, "en", Light), (Language::Ru, "ru", Dark), (Language::Uk, "uk", HighContrast)]
    {
        p.i18n = I18n::new(l);
        let profile = Profile {
            account: "0123".into(),
            name: Some("Alice Liddell".into()),
            about: Some("Down the rabbit hole".into()),
            picture: None,
        };
        p.hears(Message::Show(Section::Profile));
        p.hears(Message::Profile(profile::Message::Came(Ok((profile, None)))));
        shoot(&p, &format!("s1-profile-{tag}"), variant, wide);
        p.hears(Message::Show(Section::Account));
        let mut who = me(Some("alice@home-0011aabb"));
        who.account = "5fd9ad6b7a0c6d6e5a1b7a0c6d6e5a1b5fd9ad6b7a0c6d6e5a1b7a0c6d6e5a1b".into();
        who.relays =
            vec!["/ip4/192.168.1.20/udp/4001/quic-v1/p2p/12D3KooWGxbMYcWDZfqMzxgVBpDcyjnRjNEVhWG9mLuTuAAbW2UF".into()];
        p.hears(Message::Account(account::Message::MeCame(Ok(who))));
        p.hears(Message::Account(account::Message::LinkCame(link.clone())));
        shoot(&p, &format!("s2-account-{tag}"), variant, (1016.0, 960.0));
        p.hears(Message::Show(Section::Devices));
        let device = |device: &str, this, connected| DeviceInfo {
            device: device.into(),
            this,
            connected,
            path: (!this).then(|| "lan".to_owned()),
            created_ms: 1_764_072_000_000,
        };
        let devices = vec![
            device("aaaabbbbccccdddd", true, false),
            device("eeee00001111aaaa", false, true),
            device("ffff222233334444", false, false),
        ];
        p.hears(Message::Devices(devices::Message::Came(Ok(devices))));
        shoot(&p, &format!("s3-devices-{tag}"), variant, wide);
        p.hears(Message::Show(Section::Privacy));
        let options = LiveOptions {
            read_receipts: true,
            mdns: true,
            always_relay: false,
            typing: true,
            played_receipts: true,
            auto_fetch_bytes: 0,
            restart: true,
        };
        p.hears(Message::Privacy(privacy::Message::Came(Ok(options))));
        shoot(&p, &format!("s4-privacy-{tag}"), variant, wide);
        p.hears(Message::Show(Section::Notifications));
        shoot(&p, &format!("s5-notifications-{tag}"), variant, wide);
        p.hears(Message::Show(Section::Appearance));
        shoot(&p, &format!("s6-appearance-{tag}"), variant, (1016.0, 900.0));
        shoot(&p, &format!("s6-appearance-small-{tag}"), variant, (420.0, 400.0));
        p.hears(Message::Show(Section::Language));
        shoot(&p, &format!("s7-language-{tag}"), variant, wide);
        p.hears(Message::Show(Section::Data));
        p.hears(Message::Data(data::Message::MeCame(Ok(me(Some("alice@relay"))))));
        shoot(&p, &format!("s8-data-{tag}"), variant, wide);
        p.hears(Message::Data(data::Message::Cancel));
        p.hears(Message::Show(Section::Diagnostics));
        let status = Status {
            relay_connected: Some(true),
            relay_problem: None,
            addresses: vec!["/ip4/192.168.1.20/udp/41001/quic-v1".into(), "/ip4/127.0.0.1/udp/41001/quic-v1".into()],
            undelivered: 3,
            contacts: vec![
                reach("bob", "lan", Code::Best, Some(2.4)),
                reach("carol", "mailbox", Code::NotTried, None),
                reach("dave", "circuit", Code::Connecting, Some(41.0)),
            ],
            refused: [].into(),
            warnings: Vec::new(),
        };
        p.hears(Message::Diagnostics(diagnostics::Message::Came(Ok(status))));
        shoot(&p, &format!("s9-diagnostics-{tag}"), variant, wide);
        p.hears(Message::Show(Section::About));
        shoot(&p, &format!("s10-about-{tag}"), variant, wide);
    }
    p.i18n = I18n::new(Language::En);
    p.hears(Message::ShowList);
    shoot(&p, "s0-list-small", Light, (400.0, 700.0));
    p.ends().await;
}
