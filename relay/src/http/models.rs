//! `/models/NAME`: speech models from a folder that the operator chose, for devices that have them from here rather than from
//! elsewhere. What a device gets it compares with the hash that it knows, so nothing here vouches for a file.
//!
//! Invariants: only files that lie in the folder itself, by names of letters, digits, `.`, `_` and `-`; one answer has at most
//! [`PART`] bytes, so that a visit ends within its patience, and a device asks for the next part (RFC 9110 §14).

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as Named, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};

use crate::server::Handle;

/// The most bytes of one answer: with a tenth of a second for each megabyte a visit's patience is enough.
const PART: u64 = 8 << 20;

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// The longest name.
const MAX_NAME: usize = 128;

pub(super) fn router(folder: Option<PathBuf>) -> Router<Handle> {
    match folder {
        Some(folder) => Router::new().nest("/models", Router::new().route("/{name}", get(part)).with_state(folder)),
        None => Router::new(),
    }
}

async fn part(State(folder): State<PathBuf>, Named(name): Named<String>, headers: HeaderMap) -> Response {
    let Some((mut file, size)) = open(&folder, &name).await else { return StatusCode::NOT_FOUND.into_response() };
    let asked = headers.get(RANGE).map(|range| range.to_str().ok().and_then(|range| parse(range, size)));
    let (first, last) = match asked {
        // Whoever asks for all gets all of a small file, and of a large one the beginning.
        None => (0, size.saturating_sub(1)),
        Some(Some(range)) => range,
        Some(None) => {
            let whole = format!("bytes */{size}");
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, whole)]).into_response();
        }
    };
    let last = last.min(first.saturating_add(PART - 1)).min(size.saturating_sub(1));
    let length = if size == 0 { 0 } else { last - first + 1 };
    if file.seek(SeekFrom::Start(first)).await.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let pieces = futures::stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        file.read_exact(&mut piece).await?;
        let left = left - piece.len() as u64;
        Ok(Some((piece, (file, left))))
    });
    let status = if asked.is_none() && length == size { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let mut response = (status, Body::from_stream(pieces)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, axum::http::HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, axum::http::HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, length.into());
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = format!("bytes {first}-{last}/{size}").parse()
    {
        headers.insert(CONTENT_RANGE, range);
    }
    response
}

/// A file of the folder, and its size.
async fn open(folder: &Path, name: &str) -> Option<(File, u64)> {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '_' | '-');
    if name.is_empty() || name.len() > MAX_NAME || name.starts_with('.') || !name.chars().all(plain) {
        return None;
    }
    let path = folder.join(name);
    // A link may lead anywhere.
    let found = tokio::fs::symlink_metadata(&path).await.ok().filter(std::fs::Metadata::is_file)?;
    Some((File::open(&path).await.ok()?, found.len()))
}

/// The one range that is asked for: `bytes=5-` or `bytes=5-9`.
fn parse(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.trim().parse().ok()?;
    let last = match last.trim() {
        "" => size.checked_sub(1)?,
        last => last.parse().ok()?,
    };
    (first <= last && first < size).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;

    use super::*;
    use crate::config::Config;
    use crate::server::Server;

    #[test]
    fn ranges_are_within_the_file() {
        assert_eq!((parse("bytes=0-", 10), parse("bytes=3-5", 10)), (Some((0, 9)), Some((3, 5))));
        for wrong in ["bytes=10-", "bytes=5-3", "bytes=-5", "lines=1-2", "bytes=a-b", "bytes=1-2,4-5", ""] {
            assert_eq!(parse(wrong, 10), None, "{wrong}");
        }
        assert_eq!(parse("bytes=0-", 0), None);
    }

    async fn ask(server: &Server, path: &str, range: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(server.http_addr()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\n{range}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let body = answer.split_off(end + 4);
        (String::from_utf8(answer).unwrap().to_lowercase(), body)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_of_the_folder_are_served_in_parts_and_nothing_else() {
        let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let small: Vec<u8> = (0..=255).collect();
        std::fs::write(folder.path().join("ggml-small.bin"), &small).unwrap();
        std::fs::write(folder.path().join(".hidden"), b"x").unwrap();
        std::fs::write(data.path().join("secret"), b"x").unwrap();
        let large = std::fs::File::create(folder.path().join("large.bin")).unwrap();
        large.set_len(PART + 5).unwrap();
        let mut config = Config::embedded(data.path().to_path_buf());
        config.http_listen = ([127, 0, 0, 1], 0).into();
        config.models_dir = Some(folder.path().to_path_buf());
        let server = Server::bind(config).await.unwrap();

        let (head, body) = ask(&server, "/models/ggml-small.bin", "").await;
        assert!(head.starts_with("http/1.1 200") && head.contains("content-length: 256"), "{head}");
        assert_eq!(body, small);
        let (head, body) = ask(&server, "/models/ggml-small.bin", "Range: bytes=250-\r\n").await;
        assert!(head.starts_with("http/1.1 206") && head.contains("content-range: bytes 250-255/256"), "{head}");
        assert_eq!(body, small[250..]);
        let (head, _) = ask(&server, "/models/ggml-small.bin", "Range: bytes=256-\r\n").await;
        assert!(head.starts_with("http/1.1 416") && head.contains("bytes */256"), "{head}");
        let (head, body) = ask(&server, "/models/large.bin", "Range: bytes=1-\r\n").await;
        assert!(head.contains(&format!("content-range: bytes 1-{PART}/{}", PART + 5)), "{head}");
        assert_eq!(body.len() as u64, PART);
        for nothing in ["/models/", "/models/none.bin", "/models/.hidden", "/models/..%2fsecret", "/models/%2e%2e"] {
            assert!(ask(&server, nothing, "").await.0.starts_with("http/1.1 404"), "{nothing}");
        }
        server.shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_a_folder_there_are_no_models() {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::embedded(data.path().to_path_buf());
        config.http_listen = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(config).await.unwrap();
        assert!(ask(&server, "/models/ggml-small.bin", "").await.0.starts_with("http/1.1 404"));
        server.shutdown().await;
    }
}
