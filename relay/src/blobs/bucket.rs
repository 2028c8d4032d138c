//! Parts of attachments as objects of a bucket: `<prefix>/<name>/<number>` and `<prefix>/<name>/list`.
//!
//! An object is there whole or not at all, and durable when the service says that it is there. `<prefix>/kith-relay` says whose
//! attachments these are: what another relay keeps would be swept away.
//!
//! Invariant: nothing that a service says makes anybody wait longer than [`Patience`] says.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use kith_core::identity::RelayId;
use kith_core::types::Hash;
use kith_core::wire::blob::{CHUNK, MAX_CHUNKS, SEAL};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};

use super::{Keep, KeepError, Part, service};
use crate::config::{BlobStore, BucketPlace};

/// The object with the hashes.
const LIST: &str = "list";

/// The object that says whose attachments these are.
const OWNER: &str = "kith-relay";

/// The most bytes of a part: a sealed chunk, or the longest list.
const MAX_PART: u64 = (CHUNK + SEAL) as u64;
const _: () = assert!(MAX_CHUNKS * 32 <= CHUNK + SEAL, "a list is no longer than a chunk");

/// The most letters of an error that are passed on.
const MAX_WORDS: usize = 400;

/// How long a service may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A request, to the end of its answer.
    pub attempt: Duration,
    /// All attempts at a request but the last, and the waiting between them.
    pub retries: Duration,
    /// What a device waits for. A device that asked gets no answer after half a minute.
    pub part: Duration,
    /// What nobody waits for: to find all attachments, and to take one away.
    pub sweep: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [attempt, retries, part, sweep] = [8, 18, 28, 600].map(Duration::from_secs);
        Self { attempt, retries, part, sweep }
    }
}

/// A bucket with attachments.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    patience: Patience,
}

impl Bucket {
    /// Opens what a configuration names, for this relay.
    ///
    /// # Errors
    /// A sentence for the operator, if the bucket cannot be used now.
    pub async fn open(
        config: &BlobStore,
        place: &BucketPlace,
        relay: RelayId,
        patience: Patience,
    ) -> Result<Self, String> {
        let opened = async {
            let store = service::connect(config, place, patience)?;
            let bucket = Self::new(store, &place.prefix, patience)?;
            bucket.claim(relay).await?;
            Ok(bucket)
        };
        opened.await.map_err(|error: String| format!("{place}: {error}"))
    }

    /// A bucket that is there.
    ///
    /// # Errors
    /// If no key can begin with the prefix.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str, patience: Patience) -> Result<Self, String> {
        let prefix = Path::parse(prefix).map_err(|error| error.to_string())?;
        Ok(Self { store, prefix, patience })
    }

    /// Makes sure that it can be written, read and listed, and is no other relay's.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn claim(&self, relay: RelayId) -> Result<(), String> {
        let (owner, own) = (self.prefix.clone().join(OWNER), relay.to_string());
        let is_own = |found: &[u8]| match found == own.as_bytes() {
            true => Ok(()),
            false => Err(format!(
                "the attachments of another relay are there, and two would delete each other's: name another prefix, or \
                 delete {owner} if that relay is gone"
            )),
        };
        let claimed = async {
            match self.fetch(&owner).await {
                Ok(found) => is_own(&found)?,
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(words(&error)),
            }
            self.store.put(&owner, own.clone().into_bytes().into()).await.map_err(|error| words(&error))?;
            self.store.list(Some(&self.prefix)).try_next().await.map_err(|error| words(&error))?;
            // Another one may have come at the same time.
            is_own(&self.fetch(&owner).await.map_err(|error| words(&error))?)
        };
        within(self.patience.part, claimed).await.unwrap_or_else(|| Err(slow(self.patience.part)))
    }

    async fn fetch(&self, location: &Path) -> Result<Vec<u8>, Error> {
        let found = self.store.get(location).await?;
        if found.meta.size > MAX_PART {
            let source = format!("an object of {} bytes, which nothing here has", found.meta.size).into();
            return Err(Error::Generic { store: "bucket", source });
        }
        Ok(found.bytes().await?.into())
    }

    /// What an attachment's keys begin with.
    fn of(&self, name: Hash) -> Path {
        self.prefix.clone().join(name.to_string())
    }

    fn key(&self, name: Hash, part: Part) -> Path {
        self.of(name).join(match part {
            Part::List => LIST.to_owned(),
            Part::Chunk(index) => index.to_string(),
        })
    }
}

impl Keep for Bucket {
    fn put(&self, name: Hash, part: Part, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), KeepError>> {
        let key = self.key(name, part);
        let put = async move { self.store.put(&key, bytes.into()).await };
        answered(self.patience.part, Some(name), async move { put.await.map(drop).map_err(Failed::from) })
    }

    fn get(&self, name: Hash, part: Part) -> BoxFuture<'_, Result<Vec<u8>, KeepError>> {
        let key = self.key(name, part);
        answered(self.patience.part, Some(name), async move {
            self.fetch(&key).await.map_err(|error| match error {
                Error::NotFound { .. } => Failed::NotFound,
                other => other.into(),
            })
        })
    }

    fn chunks(&self, name: Hash) -> BoxFuture<'_, Result<Vec<u32>, KeepError>> {
        let of = self.of(name);
        answered(self.patience.part, Some(name), async move {
            let found = self.store.list(Some(&of)).map_ok(|object| object.location.filename()?.parse().ok());
            let found = found.try_filter_map(async |index: Option<u32>| Ok(index));
            // No more than there can be, whatever somebody else has put there.
            Ok(found.take(MAX_CHUNKS).try_collect().await?)
        })
    }

    fn remove(&self, name: Hash) -> BoxFuture<'_, Result<(), KeepError>> {
        let of = self.of(name);
        answered(self.patience.sweep, Some(name), async move {
            let found = self.store.list(Some(&of)).map_ok(|object| object.location).boxed();
            let mut removed = self.store.delete_stream(found);
            while let Some(removed) = removed.next().await {
                match removed {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        })
    }

    fn names(&self) -> BoxFuture<'_, Result<Vec<Hash>, KeepError>> {
        answered(self.patience.sweep, None, async move {
            let found = self.store.list_with_delimiter(Some(&self.prefix)).await?;
            let names = found.common_prefixes.iter().filter_map(|path| path.filename()?.parse().ok());
            Ok(names.collect())
        })
    }
}

/// Why a service did not do it.
enum Failed {
    NotFound,
    Error(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What came of it, in time and in words without the attachment's name, since these are logged.
fn answered<'a, T: Send + 'a>(
    patience: Duration,
    name: Option<Hash>,
    work: impl Future<Output = Result<T, Failed>> + Send + 'a,
) -> BoxFuture<'a, Result<T, KeepError>> {
    Box::pin(async move {
        match within(patience, work).await {
            Some(Ok(done)) => Ok(done),
            Some(Err(Failed::NotFound)) => Err(KeepError::NotFound),
            Some(Err(Failed::Error(error))) => {
                let text = words(&error);
                Err(KeepError::Io(name.map_or_else(|| text.clone(), |name| text.replace(&name.to_string(), "…"))))
            }
            None => Err(KeepError::Io(slow(patience))),
        }
    })
}

async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, work).await.ok()
}

fn slow(patience: Duration) -> String {
    format!("no answer within {patience:?}")
}

/// An error in one line. Of a page that a service sends with it, its code is said and nothing else: it may repeat what was asked.
fn words(error: &Error) -> String {
    let text = error.to_string();
    let (said, page) = text.split_once('<').unwrap_or((&text, ""));
    let code = page.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let line = [said, code.unwrap_or_default()].concat();
    let plain = line.chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    plain.take(MAX_WORDS).collect::<String>().trim_end_matches([' ', ':']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.into() }
    }

    #[test]
    fn what_a_service_says_becomes_one_line_with_its_code() {
        let page =
            "status code: 403 Forbidden: <?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Key>k</Key></Error>";
        assert_eq!(words(&error(page)), "Generic S3 error: status code: 403 Forbidden: AccessDenied");
        assert_eq!(words(&error("503: <html>sorry")), "Generic S3 error: 503");
        assert_eq!(words(&error("a\nb\u{1b}[0m")), "Generic S3 error: a b [0m");
        assert_eq!(words(&error(&"ж".repeat(10_000))).chars().count(), MAX_WORDS);
    }

    #[test]
    fn a_device_has_its_answer_before_it_gives_up() {
        let patience = Patience::default();
        assert!(patience.retries + patience.attempt <= patience.part && patience.part < Duration::from_secs(30));
    }
}
