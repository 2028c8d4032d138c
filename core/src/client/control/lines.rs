//! Lines of bounded length, from and to a stream.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::ControlError;
use crate::wire::control::MAX_LINE;

/// Reads lines.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    limit: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self::within(reader, MAX_LINE)
    }

    pub(super) fn within(reader: R, limit: usize) -> Self {
        Self { reader: BufReader::new(reader), line: Vec::new(), limit }
    }

    /// The next line without its end; none at the end of the stream. What comes after the last line's end is dropped.
    ///
    /// May be cancelled: what was read stays here for the next call.
    ///
    /// # Errors
    /// [`ControlError::TooLong`], after which the stream is of no use, and [`ControlError::Broken`].
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, ControlError> {
        loop {
            let chunk = self.reader.fill_buf().await.map_err(broken)?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (part, used) = match end {
                Some(end) => (chunk.get(..end).unwrap_or_default(), end.saturating_add(1)),
                None => (chunk, chunk.len()),
            };
            if self.line.len().saturating_add(part.len()) > self.limit {
                return Err(ControlError::TooLong);
            }
            self.line.extend_from_slice(part);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(std::mem::take(&mut self.line)));
            }
        }
    }

    /// The next line as a value.
    pub(super) async fn next_value<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ControlError> {
        let Some(line) = self.next().await? else { return Ok(None) };
        serde_json::from_slice(&line).map(Some).map_err(malformed)
    }
}

/// Writes one value as a line.
pub(super) async fn write<T: Serialize>(writer: &mut (impl AsyncWrite + Unpin), value: &T) -> Result<(), ControlError> {
    let mut line = serde_json::to_vec(value).map_err(malformed)?;
    if line.len() > MAX_LINE {
        return Err(ControlError::TooLong);
    }
    line.push(b'\n');
    writer.write_all(&line).await.map_err(broken)?;
    writer.flush().await.map_err(broken)
}

fn broken(error: std::io::Error) -> ControlError {
    ControlError::Broken { reason: error.to_string() }
}

fn malformed(error: serde_json::Error) -> ControlError {
    ControlError::Malformed { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_one_by_one_and_an_unfinished_one_is_dropped() {
        let mut lines = Lines::within(&b"one\n\ntwo\nthr"[..], 3);
        assert_eq!(lines.next().await, Ok(Some(b"one".to_vec())));
        assert_eq!(lines.next().await, Ok(Some(Vec::new())));
        assert_eq!(lines.next().await, Ok(Some(b"two".to_vec())));
        assert_eq!(lines.next().await, Ok(None));
    }

    #[tokio::test]
    async fn a_line_over_the_limit_is_refused_before_it_is_kept() {
        let endless = tokio::io::repeat(b'x');
        let mut lines = Lines::within(endless, 100_000);
        assert_eq!(lines.next().await, Err(ControlError::TooLong));
        assert!(lines.line.len() <= 100_000);
    }
}
