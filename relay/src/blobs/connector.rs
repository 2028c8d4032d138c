//! HTTP for a bucket's service: TLS as everywhere else here, and an answer that is whole or none at all.
//!
//! Invariant: a request has so much time from its beginning to the end of its answer, and an answer so many bytes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::client::{
    ClientConfigKey, ClientOptions, HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpService,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(4);

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(20);

/// The most bytes of an answer: the longest page of a list, of five thousand objects at Azure.
const MAX_ANSWER: usize = 8 << 20;

/// Connects to a service.
#[derive(Debug)]
pub(super) struct Connector {
    tls: ClientConfig,
    /// How long a request may take.
    attempt: Duration,
}

impl Connector {
    /// With authorities from a file beside Mozilla's.
    pub(super) fn new(certificates: Option<&Path>, attempt: Duration) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = certificates {
            let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
            let mut added = 0;
            for certificate in found {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
                added += 1;
            }
            if added == 0 {
                return Err(unreadable(&"there is no certificate in it"));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(|error| format!("TLS: {error}"))?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self { tls, attempt })
    }
}

impl object_store::client::HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut sockets = HttpConnector::new();
        sockets.enforce_http(false);
        sockets.set_connect_timeout(Some(CONNECT));
        sockets.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_tls_config(self.tls.clone());
        let without = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let schemes = if without { tls.https_or_http() } else { tls.https_only() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(super::AT_ONCE)
            .build(schemes.enable_http1().wrap_connector(sockets));
        Ok(HttpClient::new(Service { client, attempt: self.attempt }))
    }
}

#[derive(Debug)]
struct Service {
    client: Client<HttpsConnector<HttpConnector>, HttpRequestBody>,
    attempt: Duration,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| {
                let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
                HttpError::new(kind, Failure::of(&error))
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, Failure::of(error.as_ref())))?;
            Ok(HttpResponse::from_parts(head, body.to_bytes().into()))
        };
        tokio::time::timeout(self.attempt, exchange).await.unwrap_or_else(|_| {
            Err(HttpError::new(HttpErrorKind::Timeout, Failure(format!("no answer within {:?}", self.attempt))))
        })
    }
}

/// What went wrong, down to its cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    fn of(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self(text)
    }
}
