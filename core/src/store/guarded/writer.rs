//! The one thread that writes: takes what waits, makes it durable in the journal as one batch, and says so. Sled is given what the
//! journal holds, as one batch too, and is flushed, when that is much, or nobody writes.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use super::open::{FLUSH_BYTES, Facts, Found};
use super::raw::RawBatch;
use super::tree::Tree;
use super::{Done, Options};
use crate::store::StoreError;

/// So many pages, of about 5 kB, are moved before one flush at most; when so many are owed, one does not wait for a lull.
const MOVES: usize = 64;
/// Sled is given what the journal holds when nobody has written for so long: what follows a write, on this device and on the one that it
/// goes to, has the disk and the processor for itself.
const LULL: Duration = Duration::from_millis(100);
/// When so much has been written, what it left free within the heap is given back in the next lull: a burst takes room that nothing needs
/// after it, in pieces too small to go back by themselves.
const GIVE_BACK_BYTES: usize = 1 << 20;
/// No more moves than these are owed: pages to be moved are not more than the store has.
const MOVES_OWED: usize = 16_384;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Arc<RawBatch>, Done)>,
    closing: bool,
    failed: Option<StoreError>,
}

/// What sled was not given yet, and a copy of what was submitted since a recording began.
#[derive(Default)]
pub(super) struct Submitted {
    /// What the journal holds.
    noted: Arc<RawBatch>,
    /// What it does not hold yet, oldest first.
    waiting: VecDeque<Arc<RawBatch>>,
    recorded: Option<Vec<Arc<RawBatch>>>,
}

impl Submitted {
    /// Oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<RawBatch>> {
        std::iter::once(&self.noted).chain(&self.waiting)
    }
}

/// What comes next for the writer's thread.
enum Turn {
    Write(Vec<(Arc<RawBatch>, Done)>),
    /// Nothing came for a while.
    Lull,
    /// The store closes, and all is done.
    Close,
}

/// What the writer's thread and the handles share. Locks are taken in the order of the fields.
pub(super) struct Shared {
    recording: Mutex<()>,
    queue: Mutex<Queue>,
    work: Condvar,
    room: Condvar,
    /// Whether the queue says why nothing goes on: what every read looks at, without the queue's lock.
    stopped: AtomicBool,
    submitted: RwLock<Submitted>,
    queue_batches: usize,
    bytes_a_move: usize,
    dir: PathBuf,
    facts: Facts,
    tree: Tree,
    found: Mutex<Found>,
}

/// What is said after a failure. A full disk stays one: there is something to do about it.
fn stopped(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        error => StoreError::Stopped(error.to_string()),
    }
}

impl Shared {
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) const fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(super) const fn boot(&self) -> u64 {
        self.facts.boot
    }

    pub(super) const fn id(&self) -> [u8; 16] {
        self.facts.id
    }

    /// What sled was not given yet; while the guard is held it stays so.
    pub(super) fn submitted(&self) -> RwLockReadGuard<'_, Submitted> {
        self.submitted.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, batch: RawBatch, done: Done) -> Result<(), StoreError> {
        let mut queue = self.queue();
        while queue.waiting.len() >= self.queue_batches.max(1) && queue.failed.is_none() {
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(error) = &queue.failed {
            return Err(stopped(error));
        }
        let batch = Arc::new(batch);
        {
            let mut submitted = self.submitted_mut();
            submitted.waiting.push_back(Arc::clone(&batch));
            if let Some(recorded) = &mut submitted.recorded {
                recorded.push(Arc::clone(&batch));
            }
        }
        queue.waiting.push_back((batch, done));
        self.work.notify_one();
        Ok(())
    }

    pub(super) fn acknowledge_restored(&self) -> Result<(), StoreError> {
        let mut found = self.found();
        if found.facts.restored {
            let facts = Facts { restored: false, ..found.facts };
            let written = found.write_facts(facts);
            drop(found);
            written.inspect_err(|error| self.fail(error.clone()))?;
        }
        Ok(())
    }

    /// Why nothing is written any more.
    pub(super) fn failure(&self) -> Option<StoreError> {
        if self.stopped.load(Ordering::Acquire) { self.queue().failed.clone() } else { None }
    }

    /// Asked after a read: what was read before the failure was told may be what was lost.
    pub(super) fn refuse_after_failure(&self) -> Result<(), StoreError> {
        self.failure().map_or(Ok(()), |error| Err(stopped(&error)))
    }

    pub(super) fn record(&self) -> Recording<'_> {
        let one_at_a_time = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        self.submitted_mut().recorded = Some(Vec::new());
        Recording { shared: self, _one_at_a_time: one_at_a_time }
    }

    fn submitted_mut(&self) -> RwLockWriteGuard<'_, Submitted> {
        self.submitted.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits, or the store closes.
    fn wanted(&self) -> bool {
        let queue = self.queue();
        !queue.waiting.is_empty() || queue.closing || queue.failed.is_some()
    }

    /// Waits for batches, or for a lull if there is something to do then.
    fn next(&self, owing: bool) -> Turn {
        let mut queue = self.queue();
        while queue.waiting.is_empty() {
            if queue.closing {
                return Turn::Close;
            }
            if owing {
                let (held, waited) = self.work.wait_timeout(queue, LULL).unwrap_or_else(PoisonError::into_inner);
                if waited.timed_out() && held.waiting.is_empty() {
                    return Turn::Lull;
                }
                queue = held;
            } else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let mut taken = Vec::new();
        let mut bytes = 0usize;
        while let Some((batch, _)) = queue.waiting.front() {
            bytes = bytes.saturating_add(batch.size_bytes());
            if bytes > FLUSH_BYTES && !taken.is_empty() {
                break;
            }
            taken.extend(queue.waiting.pop_front());
        }
        self.room.notify_all();
        Turn::Write(taken)
    }

    /// After a failure nothing is written.
    fn go_on(&self) -> Result<(), StoreError> {
        self.queue().failed.as_ref().map_or(Ok(()), |error| Err(stopped(error)))
    }

    /// Makes batches durable and says so; those to whom nothing was said are left in `taken`. `unmoved` rises by what sled was given.
    fn commit(&self, taken: &mut Vec<(Arc<RawBatch>, Done)>, unmoved: &mut usize) -> Result<(), StoreError> {
        self.go_on()?;
        let mut together = RawBatch::new();
        for (batch, _) in taken.iter() {
            together.append(RawBatch::clone(batch));
        }
        let mut noted = self.found().note(&together)?;
        if !noted {
            self.settle(unmoved)?;
            noted = self.found().note(&together)?;
        }
        if noted {
            let count = taken.len();
            self.say(taken, &Ok(()));
            let submitted = &mut *self.submitted_mut();
            submitted.waiting.drain(..count.min(submitted.waiting.len()));
            Arc::make_mut(&mut submitted.noted).append(together);
            return Ok(());
        }
        // It is larger than the journal.
        self.give(&together, unmoved)?;
        self.found().flush()?;
        let submitted = &mut *self.submitted_mut();
        submitted.waiting.drain(..taken.len().min(submitted.waiting.len()));
        Ok(())
    }

    /// Gives sled a batch. Nobody who reads sees whether that has been done yet, as long as the batch is among what was submitted.
    fn give(&self, batch: &RawBatch, unmoved: &mut usize) -> Result<(), StoreError> {
        self.tree.apply(batch)?;
        let owed = MOVES_OWED.saturating_mul(self.bytes_a_move);
        *unmoved = unmoved.saturating_add(batch.size_bytes()).min(owed);
        Ok(())
    }

    /// Gives sled what the journal holds, moves the pages that are owed, and makes sled flush; fewer than one flush's are left for later
    /// while somebody waits.
    fn settle(&self, unmoved: &mut usize) -> Result<(), StoreError> {
        self.go_on()?;
        let noted = Arc::clone(&self.submitted().noted);
        if !noted.is_empty() {
            self.give(&noted, unmoved)?;
            self.found().gave();
        }
        loop {
            let moves = (*unmoved / self.bytes_a_move).min(MOVES);
            *unmoved = unmoved.saturating_sub(moves.saturating_mul(self.bytes_a_move));
            self.tree.tidy(moves)?;
            self.found().flush()?;
            let owed = *unmoved / self.bytes_a_move;
            if owed == 0 || (owed < MOVES && self.wanted()) {
                break;
            }
        }
        self.submitted_mut().noted = Arc::default();
        Ok(())
    }

    /// Says to those who wait how it went.
    fn say(&self, taken: &mut Vec<(Arc<RawBatch>, Done)>, result: &Result<(), StoreError>) {
        for (_, done) in taken.drain(..) {
            if catch_unwind(AssertUnwindSafe(|| done(result.clone()))).is_err() {
                self.fail(StoreError::Io("an acknowledgement panicked".into()));
            }
        }
    }

    fn fail(&self, error: StoreError) {
        self.queue().failed.get_or_insert(error);
        self.stopped.store(true, Ordering::Release);
        self.room.notify_all();
    }
}

/// Batches submitted since it began are recorded until it ends.
pub(super) struct Recording<'a> {
    shared: &'a Shared,
    _one_at_a_time: MutexGuard<'a, ()>,
}

impl Recording<'_> {
    /// What was submitted, in order.
    pub(super) fn finish(self) -> Vec<Arc<RawBatch>> {
        self.take()
    }

    fn take(&self) -> Vec<Arc<RawBatch>> {
        self.shared.submitted_mut().recorded.take().unwrap_or_default()
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        self.take();
    }
}

/// The thread and its end: dropping it closes the store.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(found: Found, options: &Options) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            recording: Mutex::default(),
            queue: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            stopped: AtomicBool::new(false),
            submitted: RwLock::default(),
            queue_batches: options.queue_batches,
            bytes_a_move: options.bytes_a_move.max(1),
            dir: found.dir.clone(),
            facts: found.facts,
            tree: found.tree.clone(),
            found: Mutex::new(found),
        });
        let thread = std::thread::Builder::new().name("kith-store".into()).spawn({
            let shared = Arc::clone(&shared);
            move || run(&shared)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

fn run(shared: &Shared) {
    let mut unmoved = 0usize;
    let mut written = 0usize;
    // Sled asserts much; a panic within it must fail those who wait, not leave them waiting.
    let guarded = |work: &mut dyn FnMut() -> Result<(), StoreError>| {
        let result = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(StoreError::Io("the store's engine panicked".into())));
        result.inspect_err(|error| shared.fail(error.clone()))
    };
    // Whoever reads or writes next is told if it fails.
    let settle = |unmoved: &mut usize| drop(guarded(&mut || shared.settle(unmoved)));
    loop {
        let owing = unmoved >= shared.bytes_a_move || !shared.submitted().noted.is_empty();
        let mut taken = match shared.next(owing) {
            Turn::Write(taken) => taken,
            Turn::Lull => {
                settle(&mut unmoved);
                if written >= GIVE_BACK_BYTES {
                    kith_heap::give_back();
                    written = 0;
                }
                continue;
            }
            Turn::Close => {
                settle(&mut unmoved);
                return;
            }
        };
        let bytes = taken.iter().map(|(batch, _)| batch.size_bytes());
        written = bytes.fold(written, usize::saturating_add);
        let result = guarded(&mut || shared.commit(&mut taken, &mut unmoved));
        shared.say(&mut taken, &result);
        let crowded = shared.found().is_half_full() || unmoved >= MOVES.saturating_mul(shared.bytes_a_move);
        if result.is_ok() && crowded && !shared.wanted() {
            settle(&mut unmoved);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue().closing = true;
        self.shared.work.notify_all();
        let Some(thread) = self.thread.take() else { return };
        if thread.thread().id() == std::thread::current().id() {
            // The last handle was held by an acknowledgement: the thread ends on its own after it.
            return;
        }
        drop(thread.join());
        if self.shared.queue().failed.is_none() {
            let mut found = self.shared.found();
            let facts = found.facts.next();
            // Without it the next opening only knows less: it could not tell a copy made since this opening from the store.
            drop(found.write_facts(facts));
        }
    }
}
