//! A power cut at any instant: a directory rebuilt with what was synced opens and holds what was acknowledged.
//!
//! A child writes under a shim (`tests/shim/powercut.c`) that records its calls. The disk of the model promises no more than
//! POSIX does: data and size of a file after its `fsync` or `fdatasync`, names after the `fsync` of their directory. Of what
//! was not synced, nothing, everything or any part may be there, writes torn at sectors; only the names of one directory keep
//! their order, as a journal does. `sync_file_range` promises nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};

use super::scenario::{batch, check, open, time};

#[cfg(all(feature = "client", feature = "test-utils"))]
mod creation;
#[cfg(feature = "client")]
mod files;

const DIR: &str = "KITH_TEST_POWER_CUT_DIR";
/// Enough for sled to move pages and reuse segments.
const BATCHES: u64 = 700;

/// Opens the store three times and writes batches in each life.
#[test]
fn child_writes_and_is_recorded() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    for _ in 0..3 {
        let (store, _) = open(Path::new(&dir)).unwrap();
        let next = check(&store).map_or(0, |head| head + 1);
        for number in next..next + BATCHES {
            let acknowledge = move |result: Result<(), kith_core::store::StoreError>| {
                result.unwrap();
                acknowledge(number);
            };
            store.submit(&batch(number), time(number), Box::new(acknowledge)).unwrap();
            // Now and then all is durable before more is written, so that there are small flushes too.
            if number % 5 == 0 {
                store.commit(&kith_core::store::Batch::new(), time(number)).unwrap();
            }
        }
    }
}

/// Says that this is durable, which the shim records.
fn acknowledge(number: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {number}").unwrap();
    out.flush().unwrap();
}

enum Node {
    File { durable: Vec<u8>, pending: Vec<Change> },
    Dir { durable: BTreeMap<String, usize>, now: BTreeMap<String, usize>, pending: Vec<Name> },
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone)]
enum Name {
    Set(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => {
                content.resize(content.len().max(offset + bytes.len()), 0);
                content[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Self::Truncate(size) => content.resize(*size, 0),
        }
    }
}

impl Name {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Set(name, node) => drop(names.insert(name.clone(), *node)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

/// How much of what was not synced is there after the cut.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Nothing,
    Everything,
    Some,
}

struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    by_inode: BTreeMap<u64, usize>,
}

impl Disk {
    /// A disk that durably holds what is in a directory.
    fn load(root: &Path) -> Self {
        let mut disk = Self { root: root.to_path_buf(), nodes: Vec::new(), by_inode: BTreeMap::new() };
        disk.load_node(root);
        disk
    }

    fn load_node(&mut self, path: &Path) -> usize {
        use std::os::unix::fs::MetadataExt as _;
        let node = self.nodes.len();
        if path.is_dir() {
            self.nodes.push(empty_dir());
            let mut names = BTreeMap::new();
            for entry in fs::read_dir(path).unwrap() {
                let entry = entry.unwrap();
                names.insert(entry.file_name().into_string().unwrap(), self.load_node(&entry.path()));
            }
            self.nodes[node] = Node::Dir { durable: names.clone(), now: names, pending: Vec::new() };
        } else {
            self.nodes.push(Node::File { durable: fs::read(path).unwrap(), pending: Vec::new() });
            self.by_inode.insert(fs::metadata(path).unwrap().ino(), node);
        }
        node
    }

    fn parent<'a>(&self, path: &'a str) -> (usize, &'a str) {
        let path = Path::new(path).strip_prefix(&self.root).unwrap();
        let mut node = 0;
        for part in path.parent().unwrap() {
            let Node::Dir { now, .. } = &self.nodes[node] else { panic!("{path:?}") };
            node = now[part.to_str().unwrap()];
        }
        (node, path.file_name().map_or("", |name| name.to_str().unwrap()))
    }

    fn lookup(&self, path: &str) -> usize {
        let (parent, name) = self.parent(path);
        let Node::Dir { now, .. } = &self.nodes[parent] else { panic!("{path}") };
        now[name]
    }

    fn change_name(&mut self, dir: usize, name: Name) {
        let Node::Dir { now, pending, .. } = &mut self.nodes[dir] else { panic!("not a directory") };
        name.apply(now);
        pending.push(name);
    }

    fn add(&mut self, path: &str, node: Node) -> usize {
        let number = self.nodes.len();
        self.nodes.push(node);
        let (parent, name) = self.parent(path);
        let name = name.to_owned();
        self.change_name(parent, Name::Set(name, number));
        number
    }

    fn apply(&mut self, record: &Record) {
        let text = || std::str::from_utf8(&record.bytes).unwrap();
        match record.kind {
            b'C' => {
                let node = self.add(text(), Node::File { durable: Vec::new(), pending: Vec::new() });
                self.by_inode.insert(record.inode, node);
            }
            b'M' => drop(self.add(text(), empty_dir())),
            b'W' | b'T' => {
                let offset = usize::try_from(record.offset).unwrap();
                let change = if record.kind == b'W' {
                    Change::Write(offset, record.bytes.clone())
                } else {
                    Change::Truncate(offset)
                };
                let Node::File { pending, .. } = &mut self.nodes[self.by_inode[&record.inode]] else { panic!() };
                pending.push(change);
            }
            b'S' => {
                let Node::File { durable, pending } = &mut self.nodes[self.by_inode[&record.inode]] else { panic!() };
                pending.drain(..).for_each(|change| change.apply(durable));
            }
            b'D' => {
                let node = if text() == self.root.to_str().unwrap() { 0 } else { self.lookup(text()) };
                let Node::Dir { durable, pending, .. } = &mut self.nodes[node] else { panic!() };
                pending.drain(..).for_each(|name| name.apply(durable));
            }
            b'U' => {
                let (parent, name) = self.parent(text());
                let name = name.to_owned();
                self.change_name(parent, Name::Remove(name));
            }
            b'R' => {
                let (from, to) = text().split_once('\0').unwrap();
                let node = self.lookup(from);
                let ((from_dir, from), (to_dir, to)) = (self.parent(from), self.parent(to));
                if from_dir == to_dir {
                    self.change_name(from_dir, Name::Rename(from.to_owned(), to.to_owned(), node));
                } else {
                    let (from, to) = (from.to_owned(), to.to_owned());
                    self.change_name(from_dir, Name::Remove(from));
                    self.change_name(to_dir, Name::Set(to, node));
                }
            }
            kind => panic!("record of kind {kind}"),
        }
    }

    /// Writes to `to` what a cut now would leave.
    fn cut(&self, node: usize, to: &Path, luck: Luck, rng: &mut ChaCha20Rng) {
        match &self.nodes[node] {
            Node::File { durable, pending } => {
                let mut content = durable.clone();
                for change in pending {
                    for change in survivors(change, luck, rng) {
                        change.apply(&mut content);
                    }
                }
                fs::write(to, content).unwrap();
            }
            Node::Dir { durable, pending, .. } => {
                let mut names = durable.clone();
                let kept = match luck {
                    Luck::Nothing => 0,
                    Luck::Everything => pending.len(),
                    Luck::Some => rng.next_u32() as usize % (pending.len() + 1),
                };
                pending.iter().take(kept).for_each(|name| name.apply(&mut names));
                fs::create_dir_all(to).unwrap();
                for (name, node) in names {
                    self.cut(node, &to.join(name), luck, rng);
                }
            }
        }
    }
}

/// What of an unsynced change is on the disk: any of its sectors.
fn survivors(change: &Change, luck: Luck, rng: &mut ChaCha20Rng) -> Vec<Change> {
    const SECTOR: usize = 512;
    match (luck, change) {
        (Luck::Nothing, _) => Vec::new(),
        (Luck::Everything, _) => vec![change.clone()],
        (Luck::Some, Change::Write(offset, bytes)) => match rng.next_u32() % 3 {
            0 => Vec::new(),
            1 => vec![change.clone()],
            _ => {
                let mut kept = Vec::new();
                let (mut at, end) = (*offset, offset + bytes.len());
                while at < end {
                    let next = (at / SECTOR + 1) * SECTOR;
                    let next = next.min(end);
                    if rng.next_u32().is_multiple_of(2) {
                        kept.push(Change::Write(at, bytes[at - offset..next - offset].to_vec()));
                    }
                    at = next;
                }
                kept
            }
        },
        (Luck::Some, Change::Truncate(_)) => {
            if rng.next_u32().is_multiple_of(2) {
                vec![change.clone()]
            } else {
                Vec::new()
            }
        }
    }
}

fn empty_dir() -> Node {
    Node::Dir { durable: BTreeMap::new(), now: BTreeMap::new(), pending: Vec::new() }
}

struct Record {
    kind: u8,
    inode: u64,
    offset: u64,
    bytes: Vec<u8>,
}

fn parse(mut log: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some((head, rest)) = log.split_first_chunk::<21>() {
        let length = u32::from_le_bytes(head[17..].try_into().unwrap()) as usize;
        let (bytes, rest) = rest.split_at(length);
        records.push(Record {
            kind: head[0],
            inode: u64::from_le_bytes(head[1..9].try_into().unwrap()),
            offset: u64::from_le_bytes(head[9..17].try_into().unwrap()),
            bytes: bytes.to_vec(),
        });
        log = rest;
    }
    records
}

fn shim(dir: &Path) -> PathBuf {
    let library = dir.join("powercut.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shim/powercut.c");
    let status = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(status.expect("a C compiler").success());
    library
}

/// Lets the child of a name write in a directory; what it did, in order.
fn recorded(child: &str, dir: &Path, library: &Path, log: &Path) -> Vec<Record> {
    let child = format!("store::power_cut::{child}");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &child, "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env("LD_PRELOAD", library)
        .env("KITH_POWERCUT_DIR", dir)
        .env("KITH_POWERCUT_LOG", log)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    parse(&fs::read(log).unwrap())
}

fn acknowledged(record: &Record) -> Option<u64> {
    if record.kind != b'A' {
        return None;
    }
    std::str::from_utf8(&record.bytes).ok()?.split_once("ack ")?.1.trim().parse().ok()
}

/// A directory for what is played, and the numbers that are drawn.
fn begin() -> (tempfile::TempDir, PathBuf, ChaCha20Rng) {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let work = tempfile::tempdir().unwrap();
    let path = work.path().canonicalize().unwrap();
    (work, path, ChaCha20Rng::seed_from_u64(seed))
}

/// Plays the records on the disk and cuts the power before those of these numbers. `look` sees the directory that each cut leaves,
/// what was acknowledged before it, and what to call it.
fn cut_before(
    mut places: Vec<usize>,
    records: &[Record],
    disk: &mut Disk,
    to: &Path,
    rng: &mut ChaCha20Rng,
    mut look: impl FnMut(&Path, &[u64], &str),
) -> Vec<u64> {
    places.sort_unstable();
    let mut places = places.into_iter().peekable();
    let mut told = Vec::new();
    for number in 0..=records.len() {
        while places.next_if(|place| *place == number).is_some() {
            let luck = [Luck::Nothing, Luck::Everything, Luck::Some, Luck::Some][rng.next_u32() as usize % 4];
            disk.cut(0, to, luck, rng);
            look(to, &told, &format!("cut before record {number} of {} with {luck:?}", records.len()));
            if to.exists() {
                fs::remove_dir_all(to).unwrap();
            }
        }
        match records.get(number) {
            Some(record) if record.kind == b'A' => told.extend(acknowledged(record)),
            Some(record) => disk.apply(record),
            None => {}
        }
    }
    told
}

#[test]
fn what_was_acknowledged_is_there_after_a_power_cut_at_any_instant() {
    let (rounds, cuts) = if std::env::var_os("KITH_SOAK").is_some() { (20, 200) } else { (3, 25) };
    let (_work, work, mut rng) = begin();
    let library = shim(&work);
    let mut base = work.join("base");
    fs::create_dir(&base).unwrap();
    let mut already = None;
    for round in 0..rounds {
        let mut disk = Disk::load(&base);
        let records = recorded("child_writes_and_is_recorded", &base, &library, &work.join(format!("log{round}")));
        let synced = records.iter().filter(|record| matches!(record.kind, b'S' | b'D')).count();
        println!("round {round}: {} records, {synced} syncs", records.len());
        let mut places: Vec<usize> = (0..cuts).map(|_| rng.next_u64() as usize % records.len()).collect();
        // Half of them in the first hundredth, where the store is opened.
        places.iter_mut().step_by(2).for_each(|place| *place /= 100);
        let mut survived = Vec::new();
        let told = cut_before(places, &records, &mut disk, &work.join("cut"), &mut rng, |cut, told, what| {
            let (store, _) = open(cut).unwrap_or_else(|error| panic!("round {round}, {what}: {error}"));
            let (found, head) = (check(&store), told.iter().copied().max().max(already));
            assert!(found >= head, "round {round}, {what}: {found:?} is there, {head:?} was acknowledged");
            store.close();
            let kept = work.join(format!("cut{round}-{}", survived.len()));
            fs::rename(cut, &kept).unwrap();
            survived.push((kept, found));
        });
        assert!(told.into_iter().max() > already, "the child acknowledged nothing");
        (base, already) = survived.swap_remove(rng.next_u32() as usize % survived.len());
        survived.into_iter().for_each(|(path, _)| fs::remove_dir_all(path).unwrap());
    }
}
