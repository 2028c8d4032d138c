//! A few valid inputs for each target, from which its corpus was begun.

#[cfg(feature = "client")]
#[path = "seeds/client.rs"]
mod client;

use kith_core::identity::opaque::{ClientLogin, PasswordFile};
use kith_core::identity::vault::{Unlock, Vault};
use kith_core::identity::{
    AccountRecord, CertificateRequest, Context, DeviceCertificate, DeviceKeys, Handle, Invite, LeafIdentity, Prekey,
    PublicKey, RecordBody, RelayAddress, RootKey, SafetyCode, Seed, Signature, SigningKey, Stretching,
};
use kith_core::types::{
    AccountId, Clock, ContentId, ConversationId, DeviceId, EnvelopeId, FeedId, GroupId, Hash, Incarnation, Rng,
    Timestamp, Token,
};
use kith_core::voice::encode_note;
use kith_core::wire::address::{Addresses, SignedAddresses};
use kith_core::wire::blob::Attachment;
use kith_core::wire::codec::Body;
use kith_core::wire::envelope::{Class, Envelope, Packet, Urgency};
use kith_core::wire::event::{Content, Header, LogHead, UnverifiedEvent};
use kith_core::wire::log::{self, Entry, Equivocation, UnverifiedEntry};
use kith_core::wire::message::{
    Anchors, CommitInfo, ContactChange, Cut, Delete, Digest, Draft, Edit, FeedState, File, Former, Grant, Leave,
    LongVoiceNote, Mark, Marks, Message, Out, Past, Played, Prekeys, Profile, Reaction, ReadUpTo, Recall, RecordHead,
    Rejoin, RequestCard, Sealed, Setting, SharedPrekey, Text, TokenPair, Transcript, TranscriptSegment, Vector,
    VoiceNote,
};
use kith_core::wire::{blob, control, relay};
use rand_core::SeedableRng as _;

use super::targets::{identity, mls, wire};

/// All of them, with their target's name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    let parts: [(&'static str, Vec<Vec<u8>>); 35] = [
        ("address", vec![addresses().encode(), signed(addresses().encode())]),
        ("blob_request", blob_requests().iter().map(Body::encode).collect()),
        ("blob_response", blob_responses().iter().map(Body::encode).collect()),
        ("commit_info", vec![CommitInfo::default().encode(), commit_info().encode()]),
        ("content", contents()),
        ("control_line", control_lines()),
        ("envelope", envelopes()),
        ("event", vec![event(true).encode(), event(false).encode()]),
        ("header", vec![header(3).encode(), header(0).encode()]),
        ("log_entry", vec![entry().encode()]),
        ("log_request", log_requests().iter().map(Body::encode).collect()),
        ("log_response", log_responses().iter().map(Body::encode).collect()),
        ("message", messages().iter().map(Body::encode).collect()),
        ("packet", packets().iter().map(Body::encode).collect()),
        ("relay_push", pushes()),
        ("relay_request", relay_requests().iter().map(Body::encode).collect()),
        ("relay_response", relay_responses().iter().map(Body::encode).collect()),
        ("sealed_card", sealed_cards()),
        ("account_record", vec![record().encode()]),
        ("certificate", certificates()),
        ("handle", ["alice", "a.b_c-d", "alice@relay.example", "Ünïcode"].map(bytes).to_vec()),
        ("invite", vec![invite().into_bytes()]),
        ("opaque_server", opaque_server()),
        ("opaque_client", opaque_client()),
        ("password", ["correct horse battery staple", "password1234"].map(bytes).to_vec()),
        ("recovery_code", vec![identity::recovery().to_text().as_bytes().to_vec()]),
        ("safety_code", vec![SafetyCode { shown_by: account(1), meant_for: account(2) }.encode()]),
        ("vault", vec![vault().encode()]),
        ("mls_key_package", vec![mls::fixture().key_package.clone()]),
        ("mls_message", mls::fixture().blobs.clone()),
        ("mls_sealed", vec![mls::fixture().sealed.clone()]),
        ("mls_welcome", vec![mls::fixture().welcome.clone()]),
        ("wav", vec![wav(800)]),
        ("voice_note", vec![encode_note(&wav(4_000)).expect("a note").ogg]),
        ("store_snapshot", vec![snapshot_block_before(), snapshot_block()]),
    ];
    for (target, inputs) in parts {
        seeds.extend(inputs.into_iter().map(|input| (target, input)));
    }
    seeds.push(("store_journal", journal()));
    seeds.push(("store_ring", ring_body()));
    #[cfg(feature = "client")]
    seeds.extend(client::all());
    seeds.push(("store_value", [[1, 0, 0, 0, 1].as_slice(), &[3; 40]].concat()));
    seeds
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn hash(number: u8) -> Hash {
    Hash::new([number; 32])
}

fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn feed() -> FeedId {
    FeedId { device: DeviceId::new([4; 32]), incarnation: Incarnation::new([5; 8]) }
}

fn place() -> ContentId {
    ContentId { feed: feed(), sequence: 2 }
}

fn head() -> LogHead {
    LogHead { next: 4, hash: hash(6) }
}

fn content() -> Content {
    Content { salt: vec![1; 16], body: Text { text: "hello".into(), reply_to: None }.encode() }
}

fn header(sequence: u64) -> Header {
    Header {
        conversation: ConversationId::new([1; 32]),
        feed: feed(),
        sequence,
        previous: hash(2),
        clock: Clock(1 << 40),
        wall_ms: 1_700_000_000_000,
        generation: 1,
        group: GroupId::new([9; 32]),
        epoch: 7,
        log: head(),
        kind: 1,
        content: content().hash(),
    }
}

fn event(whole: bool) -> UnverifiedEvent {
    let header = header(3).encode();
    UnverifiedEvent { signature: wire::sign_header(&header), header, content: whole.then(content) }
}

fn addresses() -> Addresses {
    Addresses {
        // An identity multihash of a libp2p Ed25519 key.
        peer: [[0, 36, 8, 1, 18, 32].as_slice(), &[7; 32]].concat(),
        // 127.0.0.1, TCP, 4001.
        addresses: vec![vec![4, 127, 0, 0, 1, 6, 0x0f, 0xa1].into()],
        relays: vec!["relay".into()],
        written: Timestamp(1),
        expires: Timestamp(2),
    }
}

fn signed(body: Vec<u8>) -> Vec<u8> {
    SignedAddresses { body, signature: vec![8; 64] }.encode()
}

fn cut() -> Cut {
    Cut { feed: feed(), next: 3, hash: hash(3) }
}

fn commit_info() -> CommitInfo {
    CommitInfo { records: vec![record().encode().into()], cuts: vec![cut()], leaves: vec![event(false)] }
}

fn tokens() -> TokenPair {
    TokenPair { delivery: Token::new([1; 32]), key_packages: Token::new([2; 32]) }
}

fn vector() -> Vector {
    let (beyond, lacking) = (vec![(7, 9)], vec![1]);
    let state = FeedState { feed: feed(), next: 5, hash: hash(1), from: 0, beyond, lacking };
    Vector { feeds: vec![state], ask: true }
}

fn contents() -> Vec<Vec<u8>> {
    let (conversation, text) = (ConversationId::new([1; 32]), String::from("hello"));
    let contact = ContactChange {
        account: account(1),
        handle: Some("alice@relay".into()),
        record: Some(record().encode().into()),
        blocked: Some(false),
        accepted: true,
        verified: false,
        given: Some(tokens()),
        taken: None,
    };
    let picture = b"\x89PNG\r\n\x1a\n and so on".to_vec();
    let profile = Profile {
        name: Some("Alice".into()),
        about: Some("hello".into()),
        picture: Some(Hash::new([3; 32])),
        bytes: Some(picture.into()),
        set: Clock(7),
    };
    let bodies = [
        Text { text: text.clone(), reply_to: Some(place()) }.encode(),
        Edit { of: place(), text: text.clone() }.encode(),
        Delete { of: place() }.encode(),
        Reaction { of: place(), emoji: "👍".into() }.encode(),
        VoiceNote { ogg: vec![1; 20], duration_ms: 5, peaks: vec![9; 8] }.encode(),
        Grant { to: account(1), delivery: tokens().delivery, key_packages: tokens().key_packages }.encode(),
        Leave {}.encode(),
        contact.encode(),
        ReadUpTo { conversation, marks: vec![Mark { feed: feed(), next: 3 }] }.encode(),
        Setting { name: "theme".into(), value: "dark".into() }.encode(),
        Draft { conversation, text }.encode(),
        vector().encode(),
        profile.encode(),
        file().encode(),
        LongVoiceNote { attachment: attachment(), duration_ms: 60_000, peaks: vec![9; 64] }.encode(),
        Prekeys { prekeys: vec![SharedPrekey { id: 1, suite: 0x4f, secret: vec![7; 32] }] }.encode(),
        transcript().encode(),
        Played { of: place() }.encode(),
    ];
    (0_u8..).zip(bodies).map(|(kind, body)| [[kind].as_slice(), &body].concat()).collect()
}

fn attachment() -> Attachment {
    Attachment { id: hash(1), key: Token::new([2; 32]), size: 20_000_000 }
}

fn file() -> File {
    File {
        name: "report.pdf".into(),
        media_type: "application/pdf".into(),
        attachment: attachment(),
        dimensions: Some((640, 480)),
        preview: Some(b"\x89PNG\r\n\x1a\n and so on".to_vec().into()),
        caption: "look".into(),
        reply_to: Some(place()),
    }
}

fn blob_requests() -> Vec<blob::Request> {
    use blob::Request as R;
    let (attachment, chunk) = (attachment(), vec![5; 40]);
    let open = blob::Open {
        name: attachment.name(),
        capability: blob::capability_hash(&attachment.capability()),
        sealed_bytes: blob::Layout::of(300_000).sealed_bytes(),
        list: vec![7; 64],
        readers: vec![hash(3), hash(4)],
    };
    let claim = attachment.claim();
    vec![
        R::Open(open),
        R::Put { name: claim.name, index: 1, chunk },
        R::Drop { name: claim.name },
        R::List(claim),
        R::Get { claim, index: 7 },
        R::Got { claim, reader: hash(3) },
    ]
}

fn blob_responses() -> Vec<blob::Response> {
    use blob::{Refusal, Response as R};
    let refusals = [
        Refusal::Malformed,
        Refusal::NotKept,
        Refusal::NotSignedIn,
        Refusal::NotFound,
        Refusal::NotYet,
        Refusal::TooLarge { limit: 1 },
        Refusal::Quota { limit: 2 },
        Refusal::Mismatch,
        Refusal::TooMany { retry_s: 3 },
        Refusal::TryLater,
    ];
    let answers = vec![
        R::Done,
        R::Opened { held: vec![(0, 2), (5, 6)] },
        R::Listed { list: vec![7; 64], held: vec![(0, 2)] },
        R::Chunk { chunk: vec![5; 40] },
    ];
    answers.into_iter().chain(refusals.map(R::Refused)).collect()
}

fn transcript() -> Transcript {
    let segment = TranscriptSegment { start_ms: 0, end_ms: 900, text: "Meet me.".into(), words: vec![0, 0, 0, 40] };
    let unheard = TranscriptSegment { start_ms: 900, end_ms: 2000, text: String::new(), words: Vec::new() };
    let (language, model) = ("en".into(), "kith-test.en".into());
    Transcript { of: place(), language, model, translated: false, edited: true, segments: vec![segment, unheard] }
}

fn messages() -> Vec<Message> {
    let mark = Mark { feed: feed(), next: 3 };
    let record = RecordHead { account: account(1), version: 2, hash: hash(1) };
    vec![
        Message::Events(vec![event(true), event(false)]),
        Message::Marks(Marks { delivered: vec![mark], read: vec![mark] }),
        Message::Digest(Digest { vector: hash(1), log: head(), records: vec![record], ask: true }),
        Message::Vector(vector()),
        Message::Fork { one: event(false), other: event(false) },
        Message::Equivocation(Equivocation { one: signed_entry(b""), other: signed_entry(b"") }),
        Message::Anchors(Anchors {
            past: Past {
                former: vec![Former { certificate: certificate().encode().into(), gone: true }],
                cuts: vec![cut()],
            },
            feeds: vec![cut()],
            records: vec![serde_bytes::ByteBuf::from(vec![1, 2, 3])],
        }),
        Message::Typing { on: true },
        Message::Records(vec![serde_bytes::ByteBuf::from(vec![1, 2, 3])]),
    ]
}

fn packets() -> Vec<Packet> {
    let (group, message) = (GroupId::new([9; 32]), vec![1, 2, 3]);
    vec![
        Packet::Mls { group, message: message.clone() },
        Packet::Welcome { group, message: message.clone(), anchors: message.clone() },
        Packet::Hint { group, next: 3 },
        Packet::Sealed { to: account(1), prekey: 1, sealed: message },
        Packet::Shown { group, shown: Equivocation { one: signed_entry(b"one"), other: signed_entry(b"other") } },
        Packet::Over { group },
        Packet::Unknown { group },
        Packet::Wanted { conversation: ConversationId::new([1; 32]), group },
    ]
}

fn envelopes() -> Vec<Vec<u8>> {
    let classes = [Class::Durable, Class::Ephemeral { ttl_s: 60 }, Class::LiveOnly];
    let urgencies = [Urgency::Normal, Urgency::Quiet, Urgency::Wake];
    let kinds = classes.into_iter().zip(urgencies).zip(packets());
    kinds.map(|((class, urgency), packet)| envelope(class, urgency, &packet)).collect()
}

fn envelope(class: Class, urgency: Urgency, packet: &Packet) -> Vec<u8> {
    Envelope { id: EnvelopeId::new([3; 16]), class, urgency, packet: packet.encode() }.encode()
}

fn entry() -> Entry {
    let (blob, wall) = (log::blob_hash(b"blob"), Timestamp(5));
    Entry { group: GroupId::new([9; 32]), term: 1, index: 2, previous: hash(1), blob, wall }
}

fn signed_entry(blob: &[u8]) -> UnverifiedEntry {
    let entry = entry().encode();
    let home = SigningKey::from_seed(&Seed::new([7; 32]));
    UnverifiedEntry { signature: home.sign(Context::Log, &entry).as_bytes().to_vec(), entry, blob: blob.to_vec() }
}

fn log_requests() -> Vec<log::Request> {
    let (group, key) = (GroupId::new([9; 32]), hash(2));
    vec![
        log::Request::Create { group, write_key_hash: key },
        log::Request::Append { group, head: head(), write_key: key, next_write_key_hash: key, blob: b"blob".to_vec() },
        log::Request::Read { group, from: 1, limit: 9 },
    ]
}

fn log_responses() -> Vec<log::Response> {
    vec![
        log::Response::Created,
        log::Response::Appended(signed_entry(b"")),
        log::Response::Entries { entries: vec![signed_entry(b"blob")], head: head() },
        log::Response::Refused(log::Refusal::Conflict),
    ]
}

fn pushes() -> Vec<Vec<u8>> {
    let cursor = relay::Cursor { queue: Incarnation::new([1; 8]), next: 4 };
    let envelopes = vec![relay::Stored { number: 3, envelope: envelopes().remove(0) }];
    vec![
        relay::Push::Envelopes { cursor, envelopes }.encode(),
        relay::Push::Live { envelope: vec![1; 9] }.encode(),
        relay::PushAnswer::Durable.encode(),
    ]
}

fn relay_requests() -> Vec<relay::Request> {
    use relay::Request as R;
    let (token, message, handle) = (Token::new([1; 32]), vec![1; 9], String::from("alice"));
    let (account, name, stretching) = (account(1), hash(1), Stretching::FLOOR);
    let recovery = PublicKey::new([1; 32]);
    let mailboxes = vec![relay::Mailbox { device: DeviceId::new([4; 32]), token }];
    let cursor = relay::Cursor { queue: Incarnation::new([1; 8]), next: 4 };
    let (vault, record, packages) = (vault().encode(), record().encode(), vec![vec![1; 5].into()]);
    let envelope = envelopes().remove(0);
    vec![
        R::Hello,
        R::RegisterStart { handle: handle.clone(), message: message.clone() },
        R::RegisterFinish {
            handle: handle.clone(),
            message: message.clone(),
            stretching,
            vault: vault.clone(),
            recovery,
            record: record.clone(),
            invitation: Some(token),
        },
        R::LoginStart { handle: handle.clone(), message: message.clone() },
        R::LoginFinish { login: token, message: message.clone() },
        R::RecoverStart { handle: handle.clone() },
        R::RecoverFinish { challenge: token, proof: Signature::new([1; 64]) },
        R::ChangePassword {
            expected: 1,
            message: message.clone(),
            stretching,
            vault: vault.clone(),
            recovery: None,
            record: None,
        },
        R::ChangePassword {
            expected: 1,
            message,
            stretching,
            vault,
            recovery: Some(recovery),
            record: Some(record.clone().into()),
        },
        R::Lookup { handle },
        R::GetRecord { account },
        R::PutRecord { record },
        R::PutKeyPackages { packages, last_resort: Some(vec![2; 5].into()) },
        R::CountKeyPackages,
        R::TakeKeyPackages { account, token },
        R::IssueTokens { tokens: vec![(relay::Purpose::Delivery, name), (relay::Purpose::KeyPackages, name)] },
        R::RevokeTokens { tokens: vec![name] },
        R::RequestChallenge { account },
        R::DepositRequest { account, challenge: token, work: 7, envelope: envelope.clone() },
        R::DefineList { mailboxes: mailboxes.clone() },
        R::Deposit { to: relay::Destination::Mailboxes(mailboxes), envelope: envelope.clone() },
        R::Deposit { to: relay::Destination::List(name), envelope },
        R::Fetch { from: Some(cursor) },
        R::Acknowledge { from: 1, upto: cursor },
        R::PutAddress { name, sealed: vec![1; 9], ttl_s: 60 },
        R::GetAddress { name },
        R::Home(log_requests().remove(0)),
    ]
}

fn relay_responses() -> Vec<relay::Response> {
    use relay::Response as R;
    let cursor = relay::Cursor { queue: Incarnation::new([1; 8]), next: 4 };
    let hello = relay::Hello {
        key: vec![1; 32],
        name: "relay".into(),
        features: vec!["mailbox".into()],
        max_envelope_bytes: 1 << 20,
        mailbox_bytes: 1 << 26,
        keep_s: 60,
        max_blob_bytes: 9,
        wall: Timestamp(1),
    };
    let results = vec![relay::Deposited::Taken, relay::Deposited::Full, relay::Deposited::Away];
    vec![
        R::Done,
        R::Hello(hello),
        R::LoginStarted { login: Token::new([1; 32]), message: vec![1; 9], stretching: Stretching::FLOOR },
        R::LoggedIn { vault: vault().encode(), version: 1, record: record().encode() },
        R::KeyPackagesLeft { count: 3, last_resort_used: false },
        R::KeyPackages { packages: vec![(DeviceId::new([4; 32]), vec![1; 5].into())] },
        R::Challenge { challenge: Token::new([1; 32]), bits: 18 },
        R::Deposited { results },
        R::UnknownList,
        R::Waiting { cursor, envelopes: vec![relay::Stored { number: 3, envelope: vec![1; 9] }], more: true },
        R::Home(log_responses().remove(2)),
        R::Refused(relay::Refusal::TooMany { retry_s: 5 }),
        R::RecoverStarted { challenge: Token::new([1; 32]) },
        R::Refused(relay::Refusal::WrongRecoveryCode),
    ]
}

fn control_lines() -> Vec<Vec<u8>> {
    let greeting = control::Greeting { server: "kith".into(), version: control::VERSION };
    let send = control::Request::Send { to: "bob".into(), text: "hello".into(), reply_to: None };
    let at = control::At::Before { message: "a.b.1".into() };
    let page = control::Request::Page { with: "bob".into(), at, limit: 60 };
    let picture = Some(b"\x89PNG\r\n\x1a\n".to_vec());
    let profile =
        control::Request::SetProfile { name: Some("Alice".into()), about: None, picture, remove_picture: false };
    let reach = control::Reach {
        account: "a".into(),
        name: "bob".into(),
        path: "lan".into(),
        why: control::Said::new(control::Code::Unreachable, "the last try failed: refused").because("refused"),
        round_trip_ms: Some(0.5),
    };
    let status = control::Status {
        relay_connected: Some(true),
        relay_problem: None,
        addresses: vec!["/ip4/127.0.0.1".into()],
        undelivered: 0,
        contacts: vec![reach],
        warnings: vec![control::Said::new(control::Code::ClockAhead, "the clock is ahead").lasting(7200)],
        refused: [("envelope".to_owned(), 3)].into(),
    };
    let lock = control::Request::ChangeLock {
        from: control::Lock::Passphrase("correct horse".to_owned().into()),
        to: control::Lock::Key([7; 32].into()),
    };
    let json = [
        serde_json::to_vec(&greeting),
        serde_json::to_vec(&control::Call { id: 1, request: send }),
        serde_json::to_vec(&control::Call { id: 2, request: control::Request::Whoami }),
        serde_json::to_vec(&control::Line::Answer { id: 1, reply: control::Reply::Status(status) }),
        serde_json::to_vec(&control::Line::Event(control::Event::Lagged { missed: 3 })),
        serde_json::to_vec(&control::Call { id: 3, request: page }),
        serde_json::to_vec(&control::Call { id: 4, request: profile }),
        serde_json::to_vec(&control::Line::Event(control::Event::Raise { link: Some("kith://x".into()) })),
        serde_json::to_vec(&control::Call { id: 5, request: lock }),
    ];
    json.map(|line| line.expect("plain data is written")).to_vec()
}

fn root() -> RootKey {
    RootKey::from_seed(&Seed::new([1; 32]))
}

fn device() -> DeviceKeys {
    DeviceKeys::generate(&mut Rng::seed_from_u64(7))
}

fn certificate() -> DeviceCertificate {
    DeviceCertificate::issue(&root(), &device(), Timestamp(1)).expect("a certificate")
}

fn certificates() -> Vec<Vec<u8>> {
    vec![
        certificate().encode(),
        LeafIdentity::new(certificate()).encode(),
        CertificateRequest::new(root().public(), &device(), Timestamp(1)).encode(),
    ]
}

fn relay_address() -> RelayAddress {
    RelayAddress { relay: identity::binding().relay, addresses: vec!["/ip4/127.0.0.1/tcp/4001".into()] }
}

fn record() -> AccountRecord {
    let content = RecordBody {
        version: 1,
        predecessor: None,
        devices: vec![certificate()],
        relays: vec![relay_address()],
        prekeys: vec![Prekey { suite: 1, id: 1, key: vec![1; 32] }],
        features: vec!["voice".into()],
        created: Timestamp(1),
    };
    AccountRecord::sign(&root(), content).expect("a record")
}

fn invite() -> String {
    let handle = Some(Handle::parse("alice").expect("a handle"));
    let invite = Invite { account: root().account_id(), handle, relays: vec![relay_address()] };
    invite.to_link().expect("a link")
}

fn vault() -> Vault {
    let code = identity::recovery();
    Vault::create(&mut Rng::seed_from_u64(2), &root(), Unlock::Recovery(&code)).expect("a vault")
}

fn sealed_cards() -> Vec<Vec<u8>> {
    let (rejoin, recall, out) = (Sealed::Rejoin(rejoin()), Sealed::Recall(recall()), Sealed::Out(out()));
    [card(), rejoin, recall, out].map(|sealed| sealed.encode()).to_vec()
}

fn out() -> Out {
    Out {
        account: account(1),
        conversation: ConversationId::new([1; 32]),
        device: DeviceId::new([4; 32]),
        wall: Timestamp(1),
        leave: None,
        signature: vec![2; 64],
    }
}

fn rejoin() -> Rejoin {
    Rejoin {
        account: account(1),
        conversation: ConversationId::new([1; 32]),
        device: DeviceId::new([4; 32]),
        key_package: vec![1; 9],
        wall: Timestamp(1),
        record: record().encode(),
        signature: vec![2; 64],
    }
}

fn recall() -> Recall {
    Recall {
        record: record().encode(),
        conversation: ConversationId::new([1; 32]),
        group: GroupId::new([9; 32]),
        device: DeviceId::new([4; 32]),
        grant: Some(tokens()),
        taken: None,
        event: Some(event(false)),
        certificate: None,
        lost: None,
        signature: vec![2; 64],
    }
}

fn card() -> Sealed {
    Sealed::Request(RequestCard {
        record: record().encode(),
        handle: Some("alice@relay".into()),
        text: "hello".into(),
        grant: tokens(),
        wall: Timestamp(1),
        device: DeviceId::new([4; 32]),
        key_package: vec![1; 9],
        signature: vec![2; 64],
    })
}

fn step(number: u8, message: &[u8]) -> Vec<u8> {
    [&[number], message].concat()
}

/// What a sign-up uploads.
fn upload() -> Vec<u8> {
    let (client, request) = identity::registration();
    let binding = identity::binding();
    let answer = identity::setup().registration(&binding.handle, &request).expect("it is answered");
    client.finish(&mut Rng::seed_from_u64(5), &binding, &answer).expect("it ends").upload
}

fn opaque_server() -> Vec<Vec<u8>> {
    let (_, login) = ClientLogin::start(&mut Rng::seed_from_u64(6), "secret").expect("a log-in begins");
    vec![
        step(0, &identity::registration().1),
        step(1, &login),
        step(2, &upload()),
        step(3, &identity::setup().to_secret_bytes()),
    ]
}

fn opaque_client() -> Vec<Vec<u8>> {
    let binding = identity::binding();
    let answer = identity::setup().registration(&binding.handle, &identity::registration().1).expect("it is answered");
    let file = PasswordFile::from_upload(&upload()).expect("it is kept");
    let (_, first) = ClientLogin::start(&mut Rng::seed_from_u64(6), "secret").expect("a log-in begins");
    let mut rng = Rng::seed_from_u64(8);
    let login = identity::setup().login(&mut rng, &binding.handle, Some(&file), &[], &first).expect("it is answered");
    vec![step(0, &answer), step(1, &login.1)]
}

/// A second or less of a tone: 16 bit, mono, 8 kHz.
fn wav(samples: u32) -> Vec<u8> {
    let length = samples * 2;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    [1_u16, 1].iter().for_each(|field| bytes.extend(field.to_le_bytes()));
    [8_000_u32, 16_000].iter().for_each(|field| bytes.extend(field.to_le_bytes()));
    [2_u16, 16].iter().for_each(|field| bytes.extend(field.to_le_bytes()));
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    (0..samples).for_each(|sample| bytes.extend((((sample % 20) * 800) as i16).to_le_bytes()));
    bytes
}

/// Puts, deletes and clears a row, the keys written by what is new in them.
fn snapshot_block() -> Vec<u8> {
    let put = [[2, 3, 0, 3].as_slice(), b"key", &[5], b"value"].concat();
    [put.as_slice(), &[3, 3, 3, 0], &[2, 2, 1, 1, 9, 0], &[1, 1, 0, 1, 7]].concat()
}

/// The same in the format before.
fn snapshot_block_before() -> Vec<u8> {
    let put = [[2, 0, 3].as_slice(), b"key", &[0, 0, 0, 5], b"value"].concat();
    [put.as_slice(), &[3, 0, 3], b"key", &[1, 0, 1, 7]].concat()
}

/// Two entries of a store whose id is all zeros.
fn journal() -> Vec<u8> {
    let entry = |number: u64| {
        let records = snapshot_block();
        let length = u32::try_from(records.len()).expect("a small entry").to_be_bytes();
        let rest = [&number.to_be_bytes()[..], &length, &records].concat();
        let check = ring::digest::digest(&ring::digest::SHA256, &[&[0; 16][..], &rest].concat());
        [&check.as_ref()[..16], &rest].concat()
    };
    [entry(8), entry(9), vec![0; 64]].concat()
}

/// Two keys: the account's and a conversation's.
fn ring_body() -> Vec<u8> {
    let key = |number: u8, kind: u8, id: u8| {
        [[0, 0, 0, number, kind].as_slice(), &[id; 32], &[0, 0, 0, 1], &[number; 32]].concat()
    };
    [[0, 0, 0, 3].as_slice(), &key(1, 0, 0), &key(2, 1, 9)].concat()
}
