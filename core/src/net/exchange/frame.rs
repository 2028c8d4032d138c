//! A length and a body.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes of a frame's length.
const PREFIX: usize = 4;

/// How much is read at once: a body's buffer grows by this, so that an announced length costs nothing until it comes.
const STEP: usize = 64 * 1024;

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than this protocol's bodies may be. Nothing of the body was read.
    #[error("a body of {announced} bytes was announced where at most {limit} are allowed")]
    TooLong {
        /// Bytes announced.
        announced: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The stream ended or broke within a frame.
    #[error("the stream broke: {0}")]
    Io(#[from] io::Error),
}

/// Reads the length of the next frame; `None` when the stream ended before it.
pub(super) async fn read_length<S: AsyncRead + Unpin>(
    stream: &mut S,
    limit: usize,
) -> Result<Option<usize>, FrameError> {
    let mut prefix = [0; PREFIX];
    let mut filled = 0;
    while let Some(rest) = prefix.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest).await? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => filled = filled.saturating_add(read),
        }
    }
    let announced = usize::try_from(u32::from_be_bytes(prefix)).unwrap_or(usize::MAX);
    if announced > limit { Err(FrameError::TooLong { announced, limit }) } else { Ok(Some(announced)) }
}

/// Reads a body whose length was judged.
pub(super) async fn read_body<S: AsyncRead + Unpin>(stream: &mut S, length: usize) -> Result<Vec<u8>, FrameError> {
    let mut body = Vec::new();
    while body.len() < length {
        let start = body.len();
        body.resize(length.min(start.saturating_add(STEP)), 0);
        if let Some(rest) = body.get_mut(start..) {
            stream.read_exact(rest).await?;
        }
    }
    Ok(body)
}

/// Reads a frame; `None` when the stream ended before it.
///
/// # Errors
/// [`FrameError::TooLong`] before anything is allocated, or [`FrameError::Io`].
pub async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S, limit: usize) -> Result<Option<Vec<u8>>, FrameError> {
    match read_length(stream, limit).await? {
        Some(length) => read_body(stream, length).await.map(Some),
        None => Ok(None),
    }
}

/// Writes a frame and flushes it.
///
/// # Errors
/// When the stream is broken, or the body does not fit a length.
pub async fn write_frame<S: AsyncWrite + Unpin>(stream: &mut S, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    if body.len() <= STEP {
        // One write, so that a small request is one packet.
        let mut frame = Vec::with_capacity(body.len().saturating_add(PREFIX));
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(body);
        stream.write_all(&frame).await?;
    } else {
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(body).await?;
    }
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_frame_that_announces_too_much_is_refused_before_its_body() {
        let mut stream = Cursor::new(u32::MAX.to_be_bytes().to_vec());
        let read = block_on(read_frame(&mut stream, 1024));
        assert!(matches!(read, Err(FrameError::TooLong { announced: 0xffff_ffff, limit: 1024 })));
    }

    #[test]
    fn a_body_that_ends_early_is_an_error() {
        let mut stream = Cursor::new([&8_u32.to_be_bytes()[..], b"four"].concat());
        assert!(matches!(block_on(read_frame(&mut stream, 1024)), Err(FrameError::Io(_))));
        let mut stream = Cursor::new(vec![0, 0]);
        assert!(matches!(block_on(read_frame(&mut stream, 1024)), Err(FrameError::Io(_))));
    }

    #[test]
    fn an_ended_stream_has_no_frame() {
        assert!(matches!(block_on(read_frame(&mut Cursor::new(vec![]), 1024)), Ok(None)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200_000), 1..4)) {
            let mut stream = Cursor::new(Vec::new());
            for body in &bodies {
                block_on(write_frame(&mut stream, body)).unwrap();
            }
            stream.set_position(0);
            for body in &bodies {
                let read = block_on(read_frame(&mut stream, 200_000)).unwrap();
                prop_assert_eq!(read.as_ref(), Some(body));
            }
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = block_on(read_frame(&mut Cursor::new(bytes), 32));
        }
    }
}
