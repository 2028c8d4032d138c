//! Where attachments lie: a folder or a bucket of a service, and how the service is reached.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use axum::http::Uri;

/// Where attachments lie, and how that is reached. It holds no secret: those are in a file that it names, or in the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlobStore {
    /// Where they lie.
    pub place: Place,
    /// Whether the service may be spoken to without TLS.
    pub allow_http: bool,
    /// The service's address, when it is not the provider's own.
    pub endpoint: String,
    /// The region of a bucket of S3.
    pub region: String,
    /// The id of the access key of S3, or the name of the account of Azure.
    pub account: String,
    /// The file with the secret of the account.
    pub secret_file: Option<PathBuf>,
    /// A file with certificates that are trusted beside Mozilla's list.
    pub certificates: Option<PathBuf>,
}

impl BlobStore {
    /// Where they lie, in words for the operator of a relay with its data there.
    pub fn describe(&self, data_dir: &Path) -> String {
        match &self.place {
            Place::Beside => data_dir.join(BESIDE).display().to_string(),
            place => place.to_string(),
        }
    }
}

/// The name of the folder beside the store.
pub(crate) const BESIDE: &str = "blobs";

/// A folder or a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// The folder `blobs` in the data directory.
    #[default]
    Beside,
    /// A folder.
    Folder(PathBuf),
    /// A bucket.
    Bucket(BucketPlace),
}

/// A part of a bucket: what its keys begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketPlace {
    /// Whose it is.
    pub service: Service,
    /// Its name; a container's at Azure.
    pub bucket: String,
    /// What keys begin with, without a slash at its ends; may be empty.
    pub prefix: String,
}

/// What speaks for a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Amazon's, or any other that speaks its language.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

impl Service {
    const ALL: [(&'static str, Self); 3] = [("s3", Self::S3), ("gs", Self::Google), ("az", Self::Azure)];

    fn scheme(self) -> &'static str {
        Self::ALL.iter().find(|(_, service)| *service == self).map_or("", |(scheme, _)| scheme)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > 4096 {
            return Err("it is at most 4096 bytes long".into());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(if text.is_empty() { Self::Beside } else { Self::Folder(text.into()) });
        };
        if scheme == "file" {
            let absolute = rest.starts_with('/').then(|| Self::Folder(rest.into()));
            return absolute.ok_or_else(|| "a file:// place is an absolute path, such as file:///srv/blobs".into());
        }
        let Some((_, service)) = Service::ALL.iter().find(|(known, _)| *known == scheme) else {
            return Err("it is a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX".into());
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let is_name = |name: &str| {
            let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-');
            !name.is_empty() && name.chars().all(plain) && name.chars().any(|sign| sign != '.')
        };
        if !is_name(bucket) || !(prefix.is_empty() || prefix.split('/').all(is_name)) || rest.len() > 512 {
            return Err(
                "a bucket and what follows it are made of letters, digits, '.', '_' and '-'; keys and accounts \
                        have settings of their own"
                    .into(),
            );
        }
        Ok(Self::Bucket(BucketPlace { service: *service, bucket: bucket.into(), prefix: prefix.into() }))
    }
}

impl Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beside => Ok(()),
            Self::Folder(dir) => dir.display().fmt(formatter),
            Self::Bucket(place) => place.fmt(formatter),
        }
    }
}

impl Display for BucketPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(formatter, "{}://{}{slash}{}", self.service.scheme(), self.bucket, self.prefix)
    }
}

/// The address of a service, if it may be spoken to so.
pub(super) fn endpoint(text: &str, allow_http: bool) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    if text.is_empty() {
        return Ok(String::new());
    }
    let why = "it is an address such as https://minio.example:9000";
    let address: Uri = text.parse().map_err(|_| why.to_owned())?;
    let plain = address.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    match address.scheme_str() {
        _ if !plain || address.query().is_some() || text.len() > 1024 => Err(why.into()),
        Some("https") => Ok(text.into()),
        Some("http") if allow_http => Ok(text.into()),
        Some("http") => Err("without TLS it needs blobs.allow_http = true".into()),
        _ => Err(why.into()),
    }
}

/// A name that travels in a header.
pub(super) fn header(text: &str) -> Result<String, String> {
    let text = text.trim();
    let good = text.len() <= 256 && text.chars().all(|sign| sign.is_ascii_graphic());
    if good { Ok(text.into()) } else { Err("it is made of at most 256 letters, digits and signs".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_what_they_say() {
        let place = |text: &str| text.parse::<Place>();
        let bucket = |service, bucket: &str, prefix: &str| {
            Ok(Place::Bucket(BucketPlace { service, bucket: bucket.into(), prefix: prefix.into() }))
        };
        assert_eq!((place(""), place(" /srv/x ")), (Ok(Place::Beside), Ok(Place::Folder("/srv/x".into()))));
        assert_eq!(place("file:///srv/x"), Ok(Place::Folder("/srv/x".into())));
        assert_eq!(place("s3://kith"), bucket(Service::S3, "kith", ""));
        assert_eq!(place("s3://kith/a/b/"), bucket(Service::S3, "kith", "a/b"));
        assert_eq!(place("gs://kith.example/a"), bucket(Service::Google, "kith.example", "a"));
        assert_eq!(place("az://kith/a_b"), bucket(Service::Azure, "kith", "a_b"));
        for text in ["/srv/x", "s3://kith", "gs://kith/a/b", "az://kith/a", ""] {
            assert_eq!(place(text).unwrap().to_string(), text);
        }
        for wrong in [
            "ftp://kith",
            "s3://",
            "s3:///a",
            "s3://key:secret@kith/a",
            "s3://kith/a//b",
            "s3://kith/../a",
            "s3://kith/a?b=c",
            "s3://k th",
            "file://srv/x",
            "S3://kith",
        ] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_service_is_spoken_to_without_tls_only_where_that_is_allowed() {
        assert_eq!(endpoint(" https://minio.example:9000/ ", false), Ok("https://minio.example:9000".into()));
        assert_eq!((endpoint("", false), endpoint("http://[::1]:9000", true).is_ok()), (Ok(String::new()), true));
        assert!(endpoint("http://minio.example", false).is_err_and(|why| why.contains("blobs.allow_http")));
        for wrong in
            ["minio.example", "ftp://minio.example", "https://", "https://a:b@c", "https://a/?b", "https://a b"]
        {
            assert!(endpoint(wrong, true).is_err(), "{wrong}");
        }
    }
}
