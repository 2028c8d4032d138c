//! Clients of the services that have buckets, with what the configuration and the environment say of them.
//!
//! The environment is what each provider's own programs read: `AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`,
//! `AZURE_STORAGE_ACCOUNT_NAME` and the like; on a machine of the provider's own, the machine's identity is enough.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use zeroize::Zeroizing;

use super::bucket::Patience;
use super::connector::Connector;
use crate::config::{BlobStore, BucketPlace, Service};

/// The most bytes of a secret: a service account with its key has about 2,400.
const MAX_SECRET: u64 = 64 << 10;

/// A client of the service that has a bucket. Nothing is asked of it yet.
///
/// # Errors
/// A sentence for the operator.
pub(super) fn connect(
    config: &BlobStore,
    place: &BucketPlace,
    patience: Patience,
) -> Result<Arc<dyn ObjectStore>, String> {
    let connector = Connector::new(config.certificates.as_deref(), patience.attempt)?;
    let secret = config.secret_file.as_deref().map(secret).transpose()?;
    let bucket = place.bucket.as_str();
    let retry = retry(patience);
    let client = ClientOptions::new().with_allow_http(config.allow_http);
    let store: Result<Arc<dyn ObjectStore>, object_store::Error> = match place.service {
        Service::S3 => {
            let builder = AmazonS3Builder::from_env().with_client_options(client).with_http_connector(connector);
            let mut builder = builder.with_bucket_name(bucket).with_retry(retry);
            if !config.endpoint.is_empty() {
                builder = builder.with_endpoint(&config.endpoint);
            }
            if !config.region.is_empty() {
                builder = builder.with_region(&config.region);
            }
            if !config.account.is_empty() {
                builder = builder.with_access_key_id(&config.account);
            }
            if let Some(secret) = &secret {
                builder = builder.with_secret_access_key(secret.as_str());
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
        Service::Google => {
            if !config.account.is_empty() {
                return Err("blobs.account says nothing to Google: the account is in blobs.secret_file".into());
            }
            let builder = GoogleCloudStorageBuilder::from_env().with_client_options(client);
            let builder = builder.with_http_connector(connector);
            let mut builder = builder.with_bucket_name(bucket).with_retry(retry);
            if !config.endpoint.is_empty() {
                builder = builder.with_base_url(&config.endpoint);
            }
            if let Some(secret) = &secret {
                builder = builder.with_service_account_key(secret.as_str());
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
        Service::Azure => {
            let builder = MicrosoftAzureBuilder::from_env().with_client_options(client).with_http_connector(connector);
            let mut builder = builder.with_container_name(bucket).with_retry(retry);
            if !config.endpoint.is_empty() {
                builder = builder.with_endpoint(config.endpoint.clone());
            }
            if !config.account.is_empty() {
                builder = builder.with_account(&config.account);
            }
            if let Some(secret) = &secret {
                builder = builder.with_access_key(secret.as_str());
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
    };
    store.map_err(|error| error.to_string())
}

/// A service that is busy or gone is asked again, soon and then less often.
fn retry(patience: Patience) -> RetryConfig {
    let init_backoff = patience.retries / 90;
    let backoff = BackoffConfig { init_backoff, max_backoff: patience.retries / 6, base: 2.0 };
    RetryConfig { backoff, max_retries: 4, retry_timeout: patience.retries }
}

/// The client keeps a copy of it that is not wiped.
fn secret(path: &Path) -> Result<Zeroizing<String>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut text = Zeroizing::new(String::new());
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    file.take(MAX_SECRET + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    let secret = text.trim();
    if secret.is_empty() || text.len() as u64 > MAX_SECRET {
        return Err(unreadable(&"it should hold a secret and nothing else"));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    fn config(place: &str) -> (BlobStore, BucketPlace) {
        let Ok(Place::Bucket(bucket)) = place.parse() else { panic!("{place} is no bucket") };
        let config = BlobStore { region: "eu-central-1".into(), account: "somebody".into(), ..BlobStore::default() };
        (config, bucket)
    }

    fn refused(config: &BlobStore, place: &BucketPlace) -> String {
        connect(config, place, Patience::default()).map(drop).unwrap_err()
    }

    #[test]
    fn each_service_takes_its_own_sort_of_secret() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let (s3, place) = config("s3://kith/relay");
        connect(&BlobStore { secret_file: write("s3", "a/b+c=\n"), ..s3 }, &place, Patience::default()).unwrap();
        let (azure, place) = config("az://kith/relay");
        connect(&BlobStore { secret_file: write("az", "c2VjcmV0\n"), ..azure.clone() }, &place, Patience::default())
            .unwrap();
        let error = refused(&BlobStore { secret_file: write("bad", "not base64!"), ..azure }, &place);
        assert!(!error.contains("not base64!"), "{error}");
        let (google, place) = config("gs://kith/relay");
        assert!(refused(&google, &place).contains("blobs.account"));
        let google = BlobStore { account: String::new(), ..google };
        let error = refused(&BlobStore { secret_file: write("gs", "{\"no\": \"account\"}"), ..google }, &place);
        assert!(error.contains("Google") || error.contains("GCS"), "{error}");
    }

    #[test]
    fn what_a_setting_names_and_cannot_be_read_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let (config, place) = config("s3://kith/relay");
        let (none, empty, large) = (dir.path().join("none"), dir.path().join("empty"), dir.path().join("large"));
        std::fs::write(&empty, " \n").unwrap();
        std::fs::write(&large, "x".repeat(100_000)).unwrap();
        for path in [&none, &empty, &large] {
            let error = refused(&BlobStore { secret_file: Some(path.clone()), ..config.clone() }, &place);
            assert!(error.starts_with(&path.display().to_string()), "{error}");
            let error = refused(&BlobStore { certificates: Some(path.clone()), ..config.clone() }, &place);
            assert!(error.starts_with(&path.display().to_string()), "{error}");
        }
    }
}
