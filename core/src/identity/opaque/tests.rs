use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};
use rand_core::SeedableRng;

use super::*;
use crate::identity::{RelayKey, vault};
use crate::types::Rng;

const PASSWORD: &str = "correct horse battery";

struct Case {
    rng: Rng,
    server: ServerSetup,
    binding: Binding,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seed_from_u64(seed);
        let relay = RelayKey::generate(&mut rng).relay_id();
        let server = ServerSetup::generate(&mut rng, relay);
        Self { rng, server, binding: Binding { relay, handle: Handle::parse("alice").unwrap() } }
    }

    fn register(&mut self) -> (PasswordFile, ExportKey) {
        let (client, request) = ClientRegistration::start(&mut self.rng, PASSWORD).unwrap();
        let answer = self.server.registration(&self.binding.handle, &request).unwrap();
        let registered = client.finish(&mut self.rng, &self.binding, &answer).unwrap();
        (PasswordFile::from_upload(&registered.upload).unwrap(), registered.export_key)
    }

    fn login(
        &mut self,
        password: &str,
        file: Option<&PasswordFile>,
        change: impl FnOnce(&mut Answer),
    ) -> Result<(LoggedIn, LoginPending), OpaqueError> {
        let (client, request) = ClientLogin::start(&mut self.rng, password).unwrap();
        let (pending, answer) = self.server.login(&mut self.rng, &self.binding.handle, file, &[], &request)?;
        let mut answer = Answer::decode(&answer).unwrap();
        change(&mut answer);
        let logged_in = client.finish(&mut self.rng, &self.binding, &answer.encode())?;
        Ok((logged_in, pending))
    }
}

#[test]
fn the_right_password_logs_in_and_exports_the_same_key() {
    let mut case = Case::new(1);
    let (file, export_key) = case.register();
    let file = PasswordFile::from_upload(&file.encode()).unwrap();
    case.server = ServerSetup::from_secret_bytes(&case.server.to_secret_bytes(), case.binding.relay).unwrap();
    let (logged_in, pending) = case.login(PASSWORD, Some(&file), |_| ()).unwrap();
    assert_eq!(pending.handle(), &case.binding.handle);
    assert_eq!(pending.finish(&logged_in.finalization).unwrap(), logged_in.session_key);
    assert_eq!(logged_in.export_key, export_key);
    assert_eq!(logged_in.stretching, Stretching::RECOMMENDED);
}

#[test]
fn the_export_key_opens_the_vault_from_another_device() {
    let mut case = Case::new(2);
    let (file, export_key) = case.register();
    let root = crate::identity::RootKey::generate(&mut case.rng);
    let blob = vault::Vault::create(&mut case.rng, &root, vault::Unlock::Password(&export_key)).unwrap().encode();
    let (logged_in, _) = case.login(PASSWORD, Some(&file), |_| ()).unwrap();
    let opened = vault::Vault::decode(&blob).unwrap().open(vault::Unlock::Password(&logged_in.export_key)).unwrap();
    assert_eq!(opened.root().public(), root.public());
}

#[test]
fn a_wrong_password_and_an_unknown_handle_look_the_same() {
    let mut case = Case::new(3);
    let (file, _) = case.register();
    let wrong = case.login("another password", Some(&file), |_| ()).unwrap_err();
    let unknown = case.login(PASSWORD, None, |_| ()).unwrap_err();
    assert_eq!((wrong, unknown), (OpaqueError::WrongPassword, OpaqueError::WrongPassword));
}

#[test]
fn answers_for_known_and_unknown_handles_have_one_form() {
    let mut case = Case::new(4);
    let (file, _) = case.register();
    let (_, request) = ClientLogin::start(&mut case.rng, PASSWORD).unwrap();
    let mut answer = |file: Option<&PasswordFile>| {
        case.server.login(&mut case.rng, &case.binding.handle, file, &[], &request).unwrap().1
    };
    let (known, unknown, again) = (answer(Some(&file)), answer(None), answer(None));
    assert_eq!(known.len(), unknown.len());
    let read = [&known, &unknown, &again].map(|bytes| Answer::decode(bytes).unwrap());
    assert!(read.iter().all(|answer| answer.stretching == read[0].stretching && answer.relay == case.binding.relay));
    // The evaluated element depends on the handle and the request only, for known and unknown alike.
    assert!(read.iter().all(|answer| answer.opaque[..32] == read[0].opaque[..32]));
    assert_ne!(unknown, again, "the masked part is fresh every time");
}

#[test]
fn an_unknown_handle_always_gets_the_same_parameters_out_of_those_in_use() {
    let mut case = Case::new(5);
    let dearer = Stretching { passes: 4, ..Stretching::FLOOR };
    let in_use = [Stretching::FLOOR, dearer];
    let (_, request) = ClientLogin::start(&mut case.rng, PASSWORD).unwrap();
    let mut parameters_of = |name: String| {
        let handle = Handle::parse(&name).unwrap();
        let (_, answer) = case.server.login(&mut case.rng, &handle, None, &in_use, &request).unwrap();
        Answer::decode(&answer).unwrap().stretching
    };
    let first: Vec<_> = (0..20).map(|number| parameters_of(format!("nobody{number}"))).collect();
    let second: Vec<_> = (0..20).map(|number| parameters_of(format!("nobody{number}"))).collect();
    assert_eq!(first, second);
    assert!(first.contains(&dearer) && first.contains(&Stretching::FLOOR));
}

#[test]
fn a_forged_proof_does_not_log_in() {
    let mut case = Case::new(6);
    let (file, _) = case.register();
    let (logged_in, _) = case.login(PASSWORD, Some(&file), |_| ()).unwrap();
    let (_, other) = case.login(PASSWORD, Some(&file), |_| ()).unwrap();
    assert_eq!(other.finish(&logged_in.finalization), Err(OpaqueError::WrongPassword));
}

#[test]
fn a_relay_that_asks_for_too_little_or_too_much_stretching_is_refused() {
    let mut case = Case::new(7);
    let (file, _) = case.register();
    for memory_kib in [8, 19 * 1024, u32::MAX] {
        let refused = case.login(PASSWORD, Some(&file), |answer| answer.stretching.memory_kib = memory_kib);
        assert_eq!(refused.unwrap_err(), OpaqueError::ParametersTooWeak);
    }
    let (client, request) = ClientRegistration::start(&mut case.rng, PASSWORD).unwrap();
    let mut answer = Answer::decode(&case.server.registration(&case.binding.handle, &request).unwrap()).unwrap();
    answer.stretching.passes = 1;
    let refused = client.finish(&mut case.rng, &case.binding, &answer.encode());
    assert_eq!(refused.unwrap_err(), OpaqueError::ParametersTooWeak);
}

#[test]
fn the_relay_refuses_an_upload_that_was_stretched_too_little() {
    let mut case = Case::new(8);
    let (file, _) = case.register();
    let mut upload = Answer::decode(&file.encode()).unwrap();
    upload.stretching.passes = 2;
    assert_eq!(PasswordFile::from_upload(&upload.encode()).unwrap_err(), OpaqueError::ParametersTooWeak);
}

#[test]
fn another_relays_answer_is_refused() {
    let mut case = Case::new(9);
    let (file, _) = case.register();
    let other = RelayKey::generate(&mut case.rng).relay_id();
    let refused = case.login(PASSWORD, Some(&file), |answer| answer.relay = other);
    assert_eq!(refused.unwrap_err(), OpaqueError::WrongServer);
}

#[test]
fn a_relay_that_claims_anothers_name_does_not_learn_whether_the_password_was_right() {
    let mut case = Case::new(10);
    let (file, _) = case.register();
    let impostor = Case::new(11);
    case.server = ServerSetup::from_secret_bytes(&impostor.server.to_secret_bytes(), case.binding.relay).unwrap();
    assert_eq!(case.login(PASSWORD, Some(&file), |_| ()).unwrap_err(), OpaqueError::WrongPassword);
}

#[test]
fn an_answer_changed_anywhere_does_not_log_in() {
    let mut case = Case::new(17);
    let (file, _) = case.register();
    // RFC 9807 §6.3.2.1: evaluated element, masking nonce, masked key and envelope, nonce, key share, MAC.
    for place in [40, 70, 120, 200, 300] {
        let refused = case.login(PASSWORD, Some(&file), |answer| answer.opaque[place] ^= 1).unwrap_err();
        assert!(matches!(refused, OpaqueError::WrongPassword | OpaqueError::Malformed), "byte {place}");
    }
    let refused = case.login(PASSWORD, Some(&file), |answer| answer.opaque.copy_within(224..256, 0)).unwrap_err();
    assert_eq!(refused, OpaqueError::WrongPassword);
}

#[test]
fn a_password_file_of_another_handle_does_not_log_in() {
    let mut case = Case::new(12);
    let (file, _) = case.register();
    case.binding.handle = Handle::parse("bob").unwrap();
    assert_eq!(case.login(PASSWORD, Some(&file), |_| ()).unwrap_err(), OpaqueError::WrongPassword);
}

#[test]
fn a_mirrored_question_is_refused() {
    let mut case = Case::new(13);
    let (client, request) = ClientRegistration::start(&mut case.rng, PASSWORD).unwrap();
    let question = Message::decode(&request).unwrap().opaque;
    let mut answer = Answer::decode(&case.server.registration(&case.binding.handle, &request).unwrap()).unwrap();
    answer.opaque[..32].copy_from_slice(&question);
    let refused = client.finish(&mut case.rng, &case.binding, &answer.encode());
    assert_eq!(refused.unwrap_err(), OpaqueError::WrongServer);
}

#[test]
fn secrets_of_a_log_in_do_not_print() {
    let case = Case::new(14);
    let key = SessionKey::new([1; 64]);
    assert_eq!(format!("{:?} {key:?}", case.server), "ServerSetup(…) SessionKey(…)");
}

#[test]
fn the_first_formats_are_still_read() {
    let relay = case_of_the_fixtures().binding.relay;
    let setup = include_bytes!("../fixtures/opaque-server-1.bin");
    let file = include_bytes!("../fixtures/password-file-1.bin");
    let mut case = Case { server: ServerSetup::from_secret_bytes(setup, relay).unwrap(), ..Case::new(20) };
    let read = PasswordFile::from_upload(file).unwrap();
    assert_eq!(read.encode(), file);
    assert!(case.login(PASSWORD, Some(&read), |_| ()).is_ok());
}

fn case_of_the_fixtures() -> Case {
    Case::new(20)
}

#[test]
fn cut_messages_and_bytes_left_over_are_malformed() {
    let mut case = Case::new(15);
    let (file, _) = case.register();
    let (_, request) = ClientLogin::start(&mut case.rng, PASSWORD).unwrap();
    for length in 0..request.len() {
        let refused = case.server.login(&mut case.rng, &case.binding.handle, None, &[], &request[..length]);
        assert_eq!(refused.unwrap_err(), OpaqueError::Malformed);
    }
    let longer = |bytes: &[u8]| Message { opaque: [bytes, &[0]].concat() }.encode();
    let question = Message::decode(&request).unwrap().opaque;
    let refused = case.server.login(&mut case.rng, &case.binding.handle, None, &[], &longer(&question));
    assert_eq!(refused.unwrap_err(), OpaqueError::Malformed);
    let upload = Answer::decode(&file.encode()).unwrap();
    let upload = Answer { opaque: [&upload.opaque[..], &[0]].concat(), ..upload };
    assert_eq!(PasswordFile::from_upload(&upload.encode()).unwrap_err(), OpaqueError::Malformed);
}

proptest! {
    #[test]
    fn no_bytes_make_either_side_panic(bytes in vec(any::<u8>(), 0..400)) {
        let mut case = Case::new(16);
        let handle = case.binding.handle.clone();
        for message in [[&[1], &bytes[..]].concat(), Message { opaque: bytes.clone() }.encode()] {
            let _ = case.server.registration(&handle, &message);
            let _ = case.server.login(&mut case.rng, &handle, None, &[], &message);
            let _ = PasswordFile::from_upload(&message);
            let _ = ServerSetup::from_secret_bytes(&message, case.binding.relay);
            let (client, _) = ClientLogin::start(&mut case.rng, PASSWORD).unwrap();
            prop_assert_eq!(client.finish(&mut case.rng, &case.binding, &message).unwrap_err(), OpaqueError::Malformed);
        }
    }
}
