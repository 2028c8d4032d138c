use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use rand_core::SeedableRng;

use super::*;

struct Case {
    rng: Rng,
    root: RootKey,
    export_key: ExportKey,
    code: RecoveryCode,
    vault: Vault,
}

/// A vault as it lies at a relay: a password and a recovery code.
fn case(seed: u64) -> Case {
    let mut rng = Rng::seed_from_u64(seed);
    let root = RootKey::generate(&mut rng);
    let mut bytes = [0; 64];
    rng.fill_bytes(&mut bytes);
    let export_key = ExportKey::new(bytes);
    let code = RecoveryCode::generate(&mut rng);
    let vault = Vault::create(&mut rng, &root, Unlock::Password(&export_key)).unwrap();
    let opened = vault.open(Unlock::Password(&export_key)).unwrap();
    let vault = vault.rewrap(&mut rng, &opened, 1, Unlock::Recovery(&code)).unwrap();
    Case { rng, root, export_key, code, vault }
}

#[test]
fn the_password_and_the_recovery_code_open_the_same_root_key() {
    let Case { root, export_key, code, vault, .. } = case(1);
    let vault = Vault::decode(&vault.encode()).unwrap();
    assert_eq!(vault.version(), 2);
    assert_eq!(vault.account(), root.account_id());
    for unlock in [Unlock::Password(&export_key), Unlock::Recovery(&code)] {
        assert_eq!(vault.open(unlock).unwrap().root().public(), root.public());
    }
    assert_eq!(
        vault.open(Unlock::Passphrase(Passphrase("any"))).unwrap_err(),
        VaultError::NoSuchWrap(Role::Passphrase)
    );
}

#[test]
fn another_secret_opens_nothing() {
    let (one, other) = (case(1), case(2));
    for unlock in [Unlock::Password(&other.export_key), Unlock::Recovery(&other.code)] {
        assert_eq!(one.vault.open(unlock).unwrap_err(), VaultError::WrongSecret);
    }
}

#[test]
fn a_changed_password_opens_and_the_old_one_does_not() {
    let Case { mut rng, root, export_key, code, vault } = case(1);
    let new_key = ExportKey::new([9; 64]);
    let opened = vault.open(Unlock::Password(&export_key)).unwrap();
    let changed = vault.rewrap(&mut rng, &opened, 2, Unlock::Password(&new_key)).unwrap();
    assert_eq!(changed.version(), 3);
    assert_eq!(changed.open(Unlock::Password(&new_key)).unwrap().root().public(), root.public());
    assert_eq!(changed.open(Unlock::Recovery(&code)).unwrap().root().public(), root.public());
    assert_eq!(changed.open(Unlock::Password(&export_key)).unwrap_err(), VaultError::WrongSecret);
}

#[test]
fn a_change_of_another_version_is_refused() {
    let Case { mut rng, export_key, vault, .. } = case(1);
    let opened = vault.open(Unlock::Password(&export_key)).unwrap();
    let refused = vault.rewrap(&mut rng, &opened, 1, Unlock::Password(&export_key)).unwrap_err();
    assert_eq!(refused, VaultError::Version { expected: 1, found: 2 });
    assert_eq!(vault.without(7, Role::Recovery).unwrap_err(), VaultError::Version { expected: 7, found: 2 });
}

#[test]
fn another_accounts_vault_key_is_not_wrapped_into_it() {
    let (mut one, other) = (case(1), case(2));
    let opened = other.vault.open(Unlock::Password(&other.export_key)).unwrap();
    let refused = one.vault.rewrap(&mut one.rng, &opened, 2, Unlock::Password(&other.export_key)).unwrap_err();
    assert_eq!(refused, VaultError::WrongSecret);
}

#[test]
fn a_passphrase_opens_a_vault_without_a_relay_and_leaves_it_when_there_is_one() {
    let Case { mut rng, root, export_key, .. } = case(1);
    let vault = Vault::create(&mut rng, &root, Unlock::Passphrase(Passphrase("four words of mine"))).unwrap();
    assert!(vault.has(Role::Passphrase));
    assert_eq!(vault.without(1, Role::Passphrase).unwrap_err(), VaultError::LastWrap);
    assert_eq!(vault.open(Unlock::Passphrase(Passphrase("four words of yours"))).unwrap_err(), VaultError::WrongSecret);
    let opened = vault.open(Unlock::Passphrase(Passphrase("four words of mine"))).unwrap();
    let at_relay = vault.rewrap(&mut rng, &opened, 1, Unlock::Password(&export_key)).unwrap();
    let at_relay = at_relay.without(2, Role::Passphrase).unwrap();
    assert!(!at_relay.has(Role::Passphrase));
    assert_eq!(at_relay.open(Unlock::Password(&export_key)).unwrap().root().public(), root.public());
}

#[test]
fn a_vault_with_weak_stretching_is_refused_before_anything_is_computed() {
    let Case { mut rng, root, .. } = case(1);
    let secret = Unlock::Passphrase(Passphrase("four words of mine"));
    let mut vault = Vault::create(&mut rng, &root, secret).unwrap();
    for memory_kib in [1024, u32::MAX] {
        vault.wraps[0].stretching = Some(Stretching { memory_kib, ..Stretching::FLOOR });
        assert!(matches!(vault.open(secret), Err(VaultError::Format(FormatError::Invalid { .. }))));
    }
}

#[test]
fn a_wrap_is_bound_to_its_account_and_its_role() {
    let (mut one, other) = (case(1), case(2));
    let moved = Vault { account: other.vault.account, ..one.vault.clone() };
    assert_eq!(moved.open(Unlock::Password(&one.export_key)).unwrap_err(), VaultError::WrongSecret);
    let recovery_as_password = Wrap { role: Role::Password.number(), ..one.vault.wraps[1].clone() };
    one.vault.wraps = vec![recovery_as_password];
    let mut padded = [0; 64];
    padded[..16].copy_from_slice(one.code.expose());
    assert!(one.vault.open(Unlock::Password(&ExportKey::new(padded))).is_err());
}

#[test]
fn secrets_of_a_vault_do_not_print() {
    let Case { export_key, vault, code, .. } = case(1);
    let opened = vault.open(Unlock::Password(&export_key)).unwrap();
    let unlock = Unlock::Passphrase(Passphrase("secret"));
    assert_eq!(
        format!("{opened:?} {export_key:?} {code:?} {unlock:?}"),
        "OpenVault(…) ExportKey(…) RecoveryCode(…) Passphrase(Passphrase(…))"
    );
}

#[test]
fn the_first_format_is_still_read() {
    let code = RecoveryCode::parse(include_str!("../fixtures/vault-1.code.txt")).unwrap();
    let vault = Vault::decode(include_bytes!("../fixtures/vault-1.bin")).unwrap();
    assert_eq!(vault.open(Unlock::Recovery(&code)).unwrap().root().account_id(), vault.account());
    assert_eq!(vault.encode(), include_bytes!("../fixtures/vault-1.bin"));
}

#[test]
fn a_flipped_bit_of_what_is_sealed_opens_nothing() {
    let Case { export_key, vault, .. } = case(1);
    let unlock = Unlock::Password(&export_key);
    for place in 0..SEALED_LEN * 8 {
        let mut seed = vault.clone();
        seed.seed.bytes[place / 8] ^= 1 << (place % 8);
        let mut key = vault.clone();
        key.wraps[0].vault_key.bytes[place / 8] ^= 1 << (place % 8);
        assert_eq!(seed.open(unlock).unwrap_err(), VaultError::WrongSecret);
        assert_eq!(key.open(unlock).unwrap_err(), VaultError::WrongSecret);
    }
}

#[test]
fn another_format_too_many_bytes_and_two_wraps_of_one_role_are_refused() {
    let Case { vault, .. } = case(1);
    let bytes = vault.encode();
    assert!(Vault::decode(&[&[2], &bytes[1..]].concat()).is_err());
    assert!(Vault::decode(&[&bytes[..], &[0]].concat()).is_err());
    assert!(Vault::decode(&[1; Vault::MAX_BYTES + 1]).is_err());
    for wraps in [Vec::new(), vec![vault.wraps[0].clone(); 2]] {
        assert!(Vault::decode(&Vault { wraps, ..vault.clone() }.encode()).is_err());
    }
}

#[test]
fn no_flipped_bit_opens_another_root_key() {
    let Case { root, export_key, code, vault, .. } = case(1);
    let bytes = vault.encode();
    for place in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        let Ok(read) = Vault::decode(&flipped) else { continue };
        let by_password = read.open(Unlock::Password(&export_key));
        let by_code = read.open(Unlock::Recovery(&code));
        for opened in [by_password, by_code].into_iter().flatten() {
            assert_eq!(opened.root().public(), root.public(), "bit {place}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..300), cut in 0_usize..400) {
        let _ = Vault::decode(&[&[1], &bytes[..]].concat());
        let whole = case(3).vault.encode();
        if cut < whole.len() {
            prop_assert!(Vault::decode(&whole[..cut]).is_err());
        }
    }
}
