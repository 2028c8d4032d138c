//! A service that speaks as much of S3's language as a relay does, and of Google's dialect of it, on loopback: it checks signatures,
//! gives lists in short pages, and can be busy, slow, endless or gone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER};
use kith_relay::config::{BlobStore, BucketPlace, Place, Service};
use ring::{digest, hmac};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

const BUCKET: &str = "attachments";
const KEY_ID: &str = "AKIDKITH";
const SECRET: &str = "a/secret+of=the relay's";

/// Entries of a page of a list.
const PAGE: usize = 3;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered that there is too much to do.
    Busy,
    /// It is not answered.
    Silent,
    /// Its answer has no end.
    Endless,
}

#[derive(Default)]
struct Inner {
    objects: Mutex<BTreeMap<String, Bytes>>,
    faults: Mutex<VecDeque<Fault>>,
    down: Mutex<Option<Fault>>,
    of_google: Mutex<bool>,
    asked: Mutex<Vec<String>>,
}

/// The service; it ends when it is dropped.
pub(crate) struct S3 {
    endpoint: String,
    inner: Arc<Inner>,
    dir: tempfile::TempDir,
    task: JoinHandle<()>,
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl S3 {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let pages = pages(&inner);
        let task = tokio::spawn(async move { axum::serve(listener, pages).await.unwrap() });
        Self::with(endpoint, inner, task)
    }

    /// The same over TLS, with a certificate that nobody knows but who reads [`S3::certificates`].
    pub(crate) async fn start_with_tls() -> Self {
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://localhost:{}", sockets.local_addr().unwrap().port());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.key_pair.serialize_der().into());
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = tls.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let inner = Arc::new(Inner::default());
        let (pages, listener) = (pages(&inner), Tls { sockets, acceptor: TlsAcceptor::from(Arc::new(tls)) });
        let task = tokio::spawn(async move { axum::serve(listener, pages).await.unwrap() });
        let service = Self::with(endpoint, inner, task);
        std::fs::write(service.certificates(), made.cert.pem()).unwrap();
        service
    }

    fn with(endpoint: String, inner: Arc<Inner>, task: JoinHandle<()>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Self { endpoint, inner, dir, task }
    }

    pub(crate) fn certificates(&self) -> PathBuf {
        self.dir.path().join("certificates.pem")
    }

    pub(crate) fn secret_file(&self) -> PathBuf {
        self.dir.path().join("secret")
    }

    /// How a relay is told of it.
    pub(crate) fn config(&self) -> (BlobStore, BucketPlace) {
        let Ok(Place::Bucket(place)) = place().parse() else { panic!("no bucket") };
        let config = BlobStore {
            place: Place::Bucket(place.clone()),
            allow_http: self.endpoint.starts_with("http://"),
            endpoint: self.endpoint.clone(),
            account: KEY_ID.into(),
            secret_file: Some(self.secret_file()),
            ..BlobStore::default()
        };
        (config, place)
    }

    /// How a relay is told of it as if it were Google's: with an account that needs no token.
    pub(crate) fn config_of_google(&self) -> (BlobStore, BucketPlace) {
        let secret_file = self.dir.path().join("account.json");
        let account =
            "{\"disable_oauth\": true, \"client_email\": \"\", \"private_key\": \"\", \"private_key_id\": \"\"}";
        std::fs::write(&secret_file, account).unwrap();
        *self.inner.of_google.lock().unwrap() = true;
        let (config, place) = self.config();
        let place = BucketPlace { service: Service::Google, ..place };
        (BlobStore { account: String::new(), secret_file: Some(secret_file), ..config }, place)
    }

    /// The same as variables of the environment.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variable = |name: &str, value: &str| (format!("KITH_RELAY_BLOBS_{name}"), value.to_owned());
        vec![
            variable("PLACE", &place()),
            variable("ALLOW_HTTP", "true"),
            variable("ENDPOINT", &self.endpoint),
            variable("ACCOUNT", KEY_ID),
            variable("SECRET_FILE", &self.secret_file().display().to_string()),
        ]
    }

    /// The next requests go wrong.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.inner.faults.lock().unwrap().extend(faults);
    }

    /// The next requests go well.
    pub(crate) fn recover(&self) {
        self.inner.faults.lock().unwrap().clear();
    }

    /// All requests go wrong, or none.
    pub(crate) fn set_down(&self, down: Option<Fault>) {
        *self.inner.down.lock().unwrap() = down;
    }

    /// The keys that are there.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.inner.objects.lock().unwrap().keys().cloned().collect()
    }

    /// The chunks that are there.
    pub(crate) fn chunks(&self) -> usize {
        let is_chunk = |key: &&String| key.rsplit('/').next().is_some_and(|part| part.parse::<u32>().is_ok());
        self.keys().iter().filter(is_chunk).count()
    }

    /// The requests so far: method, path and query.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.inner.asked.lock().unwrap().clone()
    }
}

pub(crate) fn place() -> String {
    format!("s3://{BUCKET}/kith/relay")
}

struct Tls {
    sockets: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((socket, address)) = self.sockets.accept().await else { continue };
            // Whoever does not trust the certificate goes away.
            if let Ok(stream) = self.acceptor.accept(socket).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.sockets.local_addr()
    }
}

fn pages(inner: &Arc<Inner>) -> Router {
    Router::new().fallback(answer).with_state(Arc::clone(inner))
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    inner.asked.lock().unwrap().push(format!("{} {path}?{query}", head.method));
    let down = *inner.down.lock().unwrap();
    let fault = down.or_else(|| inner.faults.lock().unwrap().pop_front());
    match fault {
        Some(Fault::Busy) => return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        Some(Fault::Silent) => std::future::pending::<()>().await,
        Some(Fault::Endless) => {
            let piece = Bytes::from(vec![b' '; 1 << 16]);
            let pieces = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
            return Body::from_stream(pieces).into_response();
        }
        None => {}
    }
    // An account of Google's that needs no token has an empty one.
    let token = head.headers.get("authorization").map(|value| value.as_bytes().trim_ascii());
    let of_google = *inner.of_google.lock().unwrap() && token.is_none_or(|token| token == b"Bearer");
    if !of_google && let Err(code) = check(&head.method, &path, &query, &head.headers, &body) {
        return error(StatusCode::FORBIDDEN, code);
    }
    let Some(key) = path.strip_prefix(&format!("/{BUCKET}")) else {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let key = decoded(key.trim_start_matches('/'));
    let mut objects = inner.objects.lock().unwrap();
    match (&head.method, query.as_str()) {
        (&Method::PUT, "") => {
            objects.insert(key, body);
            [("etag", "\"1\"")].into_response()
        }
        (&Method::GET, "") => match objects.get(&key) {
            Some(bytes) => {
                let headers = [("etag", "\"1\""), ("last-modified", "Thu, 01 Oct 2026 10:00:00 GMT")];
                (headers, bytes.clone()).into_response()
            }
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        (&Method::GET, query) if key.is_empty() => list(&objects, query).into_response(),
        (&Method::DELETE, "") if of_google => match objects.remove(&key) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        (&Method::POST, "delete") => {
            let text = String::from_utf8(body.to_vec()).unwrap();
            let keys = text.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
            let gone = keys.map(|key| {
                objects.remove(key);
                format!("<Deleted><Key>{key}</Key></Deleted>")
            });
            format!("<DeleteResult>{}</DeleteResult>", gone.collect::<String>()).into_response()
        }
        other => panic!("a relay asks for nothing like {other:?}"),
    }
}

fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push(char::from(u8::from_str_radix(&piece[..2], 16).unwrap()));
        plain.push_str(&piece[2..]);
    }
    plain
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>no</Message></Error>"))
        .into_response()
}

/// A page of `ListObjectsV2`.
fn list(objects: &BTreeMap<String, Bytes>, query: &str) -> String {
    let asked: BTreeMap<&str, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name, decoded(value))).collect();
    assert_eq!(asked.get("list-type").map(String::as_str), Some("2"));
    let prefix = asked.get("prefix").cloned().unwrap_or_default();
    let matching = objects.keys().filter_map(|key| key.strip_prefix(&prefix));
    let entries: BTreeSet<String> = matching
        .map(|rest| match (asked.get("delimiter"), rest.split_once('/')) {
            (Some(_), Some((first, _))) => format!("{prefix}{first}/"),
            _ => format!("{prefix}{rest}"),
        })
        .collect();
    let after = asked.get("continuation-token").cloned().unwrap_or_default();
    let page: Vec<&String> = entries.iter().filter(|entry| **entry > after).take(PAGE + 1).collect();
    let mut text = String::from("<?xml version=\"1.0\"?>\n<ListBucketResult>");
    for entry in page.iter().take(PAGE) {
        text.push_str(&match objects.get(*entry) {
            Some(bytes) => format!(
                "<Contents><Key>{entry}</Key><LastModified>2026-10-01T10:00:00.000Z</LastModified><ETag>1</ETag>\
                 <Size>{}</Size></Contents>",
                bytes.len()
            ),
            None => format!("<CommonPrefixes><Prefix>{entry}</Prefix></CommonPrefixes>"),
        });
    }
    if page.len() > PAGE {
        text.push_str(&format!("<NextContinuationToken>{}</NextContinuationToken>", page[PAGE - 1]));
    }
    text + "</ListBucketResult>"
}

/// Whether a request is signed by the key: AWS's signature, version 4.
fn check(method: &Method, path: &str, query: &str, headers: &HeaderMap, body: &Bytes) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let part = |name: &str| {
        let (_, rest) = header("authorization").split_once(&format!("{name}=")).ok_or("AccessDenied")?;
        Ok::<_, &str>(rest.split(',').next().unwrap_or_default().trim())
    };
    let (id, scope) = part("Credential")?.split_once('/').ok_or("AccessDenied")?;
    if id != KEY_ID {
        return Err("InvalidAccessKeyId");
    }
    let sum = HEXLOWER.encode(digest::digest(&digest::SHA256, body).as_ref());
    if header("x-amz-content-sha256") != sum {
        return Err("XAmzContentSHA256Mismatch");
    }
    let mut pairs: Vec<String> = query.split('&').filter(|pair| !pair.is_empty()).map(String::from).collect();
    pairs.iter_mut().filter(|pair| !pair.contains('=')).for_each(|pair| pair.push('='));
    pairs.sort();
    let names = part("SignedHeaders")?;
    let signed: String = names.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
    let canonical = format!("{method}\n{path}\n{}\n{signed}\n{names}\n{sum}", pairs.join("&"));
    let hashed = HEXLOWER.encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hashed}", header("x-amz-date"));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for word in scope.split('/').chain([text.as_str()]) {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), word.as_bytes()).as_ref().to_vec();
    }
    if part("Signature")? == HEXLOWER.encode(&key) { Ok(()) } else { Err("SignatureDoesNotMatch") }
}

/// Writes another secret, of the same form.
pub(crate) fn write_wrong_secret(path: &Path) {
    std::fs::write(path, BASE64.encode(b"another secret")).unwrap();
}

/// Short times, so that a test need not wait for long ones.
pub(crate) fn impatient() -> kith_relay::blobs::bucket::Patience {
    let [attempt, retries, part, sweep] = [500, 1_500, 4_000, 8_000].map(Duration::from_millis);
    kith_relay::blobs::bucket::Patience { attempt, retries, part, sweep }
}
