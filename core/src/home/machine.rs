//! The home's side: what it keeps of a log, and what an append makes of it.

use serde::{Deserialize, Serialize};

use crate::identity::Signature;
use crate::types::{GroupId, Hash, Timestamp};
use crate::wire::codec::{Body, DecodeError, at_most};
use crate::wire::event::LogHead;
use crate::wire::log::{self, Entry, MAX_BLOB, MAX_ENTRIES, Refusal, Response, UnverifiedEntry};

/// Write keys whose hashes are kept. A member that was away for more epochs than these has to read the log before it appends,
/// which it has to do anyway to know the head.
pub const MAX_WRITE_KEYS: usize = 32;

/// Room for entry, signature and framing beside a blob in an answer.
const ENTRY_OVERHEAD: usize = 1024;

/// What a home allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one blob; never over [`MAX_BLOB`].
    pub blob_bytes: usize,
    /// The most bytes of all blobs of a log.
    pub log_bytes: u64,
    /// The most entries of a log.
    pub entries: u64,
    /// Appends in a row before the rate counts.
    pub burst: u32,
    /// Milliseconds that one more append takes after that.
    pub refill_ms: u64,
}

impl Default for Limits {
    /// A commit of the largest size every fifteen seconds, after a burst that a conversation's first minutes need; a quarter of a
    /// gigabyte is a hundred additions of 500 devices.
    fn default() -> Self {
        Self { blob_bytes: MAX_BLOB, log_bytes: 256 << 20, entries: 1_000_000, burst: 64, refill_ms: 15_000 }
    }
}

/// What a home keeps of a log beside its entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where it ends.
    #[serde(rename = "h")]
    head: LogHead,
    /// Hashes of the write keys that may append, the newest last.
    #[serde(rename = "k")]
    write_keys: Vec<Hash>,
    /// Bytes of all blobs.
    #[serde(rename = "b")]
    bytes: u64,
    /// Hash of the key that the log was begun with.
    #[serde(rename = "f")]
    first_key: Hash,
    /// When an append costs nothing again, by the home's clock: the theoretical arrival time of a leaky bucket.
    #[serde(rename = "r")]
    free_at: Timestamp,
}

impl Body for State {
    const MAX_BYTES: usize = 4096;

    fn check(&self) -> Result<(), DecodeError> {
        at_most(&self.write_keys, MAX_WRITE_KEYS, "write keys")
    }
}

/// What an append made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The log's state from now on. To be stored in one batch with the entry and the blob.
    pub state: State,
    /// The entry's number.
    pub index: u64,
    /// The signed entry, without its blob.
    pub entry: UnverifiedEntry,
}

impl State {
    /// Begins a log.
    pub fn create(write_key_hash: Hash) -> Self {
        Self {
            head: LogHead { next: 0, hash: Hash::new([0; Hash::LEN]) },
            write_keys: vec![write_key_hash],
            bytes: 0,
            first_key: write_key_hash,
            free_at: Timestamp::default(),
        }
    }

    /// The answer to a second wish to begin the log.
    pub fn create_again(&self, write_key_hash: Hash) -> Response {
        if self.first_key == write_key_hash { Response::Created } else { Response::Refused(Refusal::Exists) }
    }

    /// Where the log ends.
    pub const fn head(&self) -> LogHead {
        self.head
    }

    /// Bytes of all blobs.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends if `head` is where the log ends. `sign` signs for [`crate::identity::Context::Log`].
    ///
    /// # Errors
    /// [`Refusal::WrongKey`], [`Refusal::Conflict`], [`Refusal::Limit`]; nothing is changed then.
    pub fn append(
        &self,
        now: Timestamp,
        limits: &Limits,
        term: u32,
        request: &AppendRequest<'_>,
        sign: impl FnOnce(&[u8]) -> Signature,
    ) -> Result<Appended, Refusal> {
        if !self.write_keys.contains(&log::write_key_hash(&request.write_key)) {
            return Err(Refusal::WrongKey);
        }
        if request.head != self.head {
            return Err(Refusal::Conflict);
        }
        let bytes = self.bytes.saturating_add(request.blob.len() as u64);
        let too_large = request.blob.is_empty() || request.blob.len() > limits.blob_bytes.min(MAX_BLOB);
        if too_large || bytes > limits.log_bytes || self.head.next >= limits.entries {
            return Err(Refusal::Limit);
        }
        let free_at = self.spend(now, limits).ok_or(Refusal::Limit)?;
        let entry = Entry {
            group: request.group,
            term,
            index: self.head.next,
            previous: self.head.hash,
            blob: log::blob_hash(request.blob),
            wall: now,
        }
        .encode();
        let hash = log::entry_hash(&entry);
        let signature = sign(&entry).as_bytes().to_vec();
        let mut write_keys = self.write_keys.clone();
        write_keys.push(request.next_write_key_hash);
        let excess = write_keys.len().saturating_sub(MAX_WRITE_KEYS);
        write_keys.drain(..excess);
        let next = self.head.next.saturating_add(1);
        let state = Self { head: LogHead { next, hash }, write_keys, bytes, first_key: self.first_key, free_at };
        Ok(Appended { state, index: self.head.next, entry: UnverifiedEntry { entry, signature, blob: Vec::new() } })
    }

    /// The new time at which appends are free, or nothing if the bucket is full.
    fn spend(&self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        let window = limits.refill_ms.saturating_mul(u64::from(limits.burst));
        // A clock that was set back must not close the log for as long as it was ahead.
        let free_at = self.free_at.0.min(now.0.saturating_add(window)).max(now.0);
        let next = free_at.saturating_add(limits.refill_ms);
        (next.saturating_sub(now.0) <= window).then_some(Timestamp(next))
    }
}

/// What a member wants appended: the fields of [`log::Request::Append`].
#[derive(Debug, Clone, Copy)]
pub struct AppendRequest<'a> {
    /// Whose log.
    pub group: GroupId,
    /// The head that the appender walked to.
    pub head: LogHead,
    /// An exporter value of a recent epoch.
    pub write_key: Hash,
    /// Hash of the write key of the epoch that the commit begins.
    pub next_write_key_hash: Hash,
    /// The commit.
    pub blob: &'a [u8],
}

/// Answers a read with entries that `entry` looks up, blobs included, as many as the answer may carry and at least one.
///
/// # Errors
/// What `entry` fails with.
pub fn read_response<E>(
    state: &State,
    from: u64,
    limit: u16,
    mut entry: impl FnMut(u64) -> Result<Option<UnverifiedEntry>, E>,
) -> Result<Response, E> {
    let mut entries = Vec::new();
    let mut bytes = 0_usize;
    let count = u64::from(limit).min(MAX_ENTRIES as u64);
    for index in from..from.saturating_add(count).min(state.head.next) {
        let Some(found) = entry(index)? else { break };
        bytes = bytes.saturating_add(found.blob.len()).saturating_add(ENTRY_OVERHEAD);
        if !entries.is_empty() && bytes > MAX_BLOB {
            break;
        }
        entries.push(found);
    }
    Ok(Response::Entries { entries, head: state.head })
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;

    use super::*;
    use crate::home::{EntryError, equivocation, verify_entry};
    use crate::identity::{Context, SigningKey};
    use crate::types::Rng;
    use crate::wire::log::Equivocation;

    fn key(number: u8) -> Hash {
        Hash::new([number; 32])
    }

    fn home() -> SigningKey {
        SigningKey::generate(&mut Rng::seed_from_u64(1))
    }

    const GROUP: GroupId = GroupId::new([9; 32]);

    fn request(state: &State, write: u8, next: u8, blob: &'static [u8]) -> AppendRequest<'static> {
        let next_write_key_hash = log::write_key_hash(&key(next));
        AppendRequest { group: GROUP, head: state.head(), write_key: key(write), next_write_key_hash, blob }
    }

    fn append(state: &State, now: u64, request: &AppendRequest<'_>) -> Result<Appended, Refusal> {
        let home = home();
        state.append(Timestamp(now), &Limits::default(), 1, request, |bytes| home.sign(Context::Log, bytes))
    }

    fn begun() -> State {
        State::create(log::write_key_hash(&key(0)))
    }

    #[test]
    fn an_append_moves_the_head_and_the_reader_follows() {
        let first = append(&begun(), 5, &request(&begun(), 0, 1, b"one")).unwrap();
        let second = append(&first.state, 6, &request(&first.state, 1, 2, b"two")).unwrap();
        let mut entry = first.entry.clone();
        entry.blob = b"one".to_vec();
        let home = home().public();
        let verified = verify_entry(&entry, &home, GROUP, &begun().head()).unwrap();
        assert_eq!(verified.head(), first.state.head());
        entry = second.entry.clone();
        entry.blob = b"two".to_vec();
        assert_eq!(verify_entry(&entry, &home, GROUP, &verified.head()).unwrap().head(), second.state.head());
        assert_eq!(verify_entry(&entry, &home, GROUP, &begun().head()), Err(EntryError::Gap { expected: 0, found: 1 }));
    }

    #[test]
    fn the_second_of_two_appends_at_one_head_is_a_conflict() {
        let first = append(&begun(), 5, &request(&begun(), 0, 1, b"one")).unwrap();
        assert_eq!(append(&first.state, 5, &request(&begun(), 0, 1, b"other")), Err(Refusal::Conflict));
    }

    #[test]
    fn a_key_that_no_recent_append_brought_is_refused() {
        assert_eq!(append(&begun(), 5, &request(&begun(), 7, 1, b"one")), Err(Refusal::WrongKey));
        let mut state = begun();
        for number in 1..=MAX_WRITE_KEYS as u8 {
            state =
                append(&state, u64::from(number) * 20_000, &request(&state, number - 1, number, b"x")).unwrap().state;
        }
        assert_eq!(append(&state, 10_000_000, &request(&state, 0, 1, b"x")), Err(Refusal::WrongKey));
        assert!(append(&state, 10_000_000, &request(&state, 1, 1, b"x")).is_ok());
    }

    #[test]
    fn appends_beyond_the_rate_are_refused_until_time_has_passed() {
        let limits = Limits { burst: 2, refill_ms: 1000, ..Limits::default() };
        let home = home();
        let mut state = begun();
        let append = |now: u64, from: &State| {
            from.append(Timestamp(now), &limits, 1, &request(from, 0, 0, b"x"), |bytes| home.sign(Context::Log, bytes))
        };
        for _ in 0..2 {
            state = append(10_000, &state).unwrap().state;
        }
        assert_eq!(append(10_999, &state).map(|_| ()), Err(Refusal::Limit));
        assert!(append(11_000, &state).is_ok());
        assert!(append(0, &state).is_err(), "a clock that was set back gives nothing away");
    }

    #[test]
    fn too_large_a_blob_or_log_is_refused() {
        let home = home();
        let limits = Limits { blob_bytes: 3, log_bytes: 5, ..Limits::default() };
        let go = |state: &State, blob: &'static [u8]| {
            state.append(Timestamp(1), &limits, 1, &request(state, 0, 0, blob), |bytes| home.sign(Context::Log, bytes))
        };
        assert_eq!(go(&begun(), b"four").map(|_| ()), Err(Refusal::Limit));
        let state = go(&begun(), b"abc").unwrap().state;
        assert_eq!(go(&state, b"abc").map(|_| ()), Err(Refusal::Limit));
        assert!(go(&state, b"ab").is_ok());
    }

    #[test]
    fn a_log_is_begun_once() {
        assert_eq!(begun().create_again(log::write_key_hash(&key(0))), Response::Created);
        assert_eq!(begun().create_again(key(1)), Response::Refused(Refusal::Exists));
    }

    #[test]
    fn an_altered_entry_or_blob_is_refused_by_the_reader() {
        let appended = append(&begun(), 5, &request(&begun(), 0, 1, b"one")).unwrap();
        let home = home().public();
        let whole = UnverifiedEntry { blob: b"one".to_vec(), ..appended.entry };
        let verify = |entry: &UnverifiedEntry| verify_entry(entry, &home, GROUP, &begun().head()).map(|_| ());
        let other_blob = UnverifiedEntry { blob: b"two".to_vec(), ..whole.clone() };
        assert_eq!(verify(&other_blob), Err(EntryError::OtherBlob));
        let mut forged = whole.clone();
        forged.signature[3] ^= 1;
        assert_eq!(verify(&forged), Err(EntryError::BadSignature));
        let other_group = GroupId::new([8; 32]);
        assert_eq!(verify_entry(&whole, &home, other_group, &begun().head()), Err(EntryError::OtherGroup));
        let truncated = UnverifiedEntry { entry: whole.entry[..20].to_vec(), ..whole };
        assert!(matches!(verify(&truncated), Err(EntryError::Malformed(_) | EntryError::BadSignature)));
    }

    #[test]
    fn two_entries_for_one_index_prove_a_lying_home() {
        let one = append(&begun(), 5, &request(&begun(), 0, 1, b"one")).unwrap().entry;
        let other = append(&begun(), 5, &request(&begun(), 0, 1, b"other")).unwrap().entry;
        let home = home().public();
        let proof = Equivocation { one: one.clone(), other };
        assert_eq!(equivocation(&proof, &home).unwrap().index, 0);
        let same = Equivocation { one: one.clone(), other: one };
        assert_eq!(equivocation(&same, &home), Err(EntryError::NoContradiction));
        let stranger = SigningKey::generate(&mut Rng::seed_from_u64(2)).public();
        assert_eq!(equivocation(&proof, &stranger), Err(EntryError::BadSignature));
    }

    #[test]
    fn an_answer_carries_no_more_than_fits() {
        let mut state = begun();
        let mut entries = Vec::new();
        for _ in 0..3 {
            let appended = append(&state, 5, &request(&state, 0, 0, b"x")).unwrap();
            entries.push(UnverifiedEntry { blob: vec![1; MAX_BLOB / 2], ..appended.entry });
            state = appended.state;
        }
        let read = |from: u64, limit: u16| {
            let answer = read_response(&state, from, limit, |index| Ok::<_, ()>(entries.get(index as usize).cloned()));
            let Ok(Response::Entries { entries, head }) = answer else { panic!("no entries") };
            assert_eq!(head, state.head());
            entries.len()
        };
        assert_eq!((read(0, 100), read(0, 0), read(2, 9), read(3, 9), read(u64::MAX, 9)), (1, 0, 1, 0, 0));
    }
}
