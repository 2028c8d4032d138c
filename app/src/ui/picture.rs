//! Pictures from outside, read with care.

use iced::widget::image::Handle;
use image::{DynamicImage, ImageReader, Limits};

use crate::problem::Problem;
use crate::widget::avatar_clip::round_rgba;

/// The widest and highest picture that is read.
const MAX_SIDE: u32 = 10_000;

/// The most memory a picture may take while it is read, in bytes.
const MAX_MEMORY: u64 = 256 * 1024 * 1024;

/// Reads a PNG or JPEG.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage, Problem> {
    let broken = || Problem::new("picture", "this is not a picture that can be read: PNG and JPEG can");
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().map_err(|_| broken())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    reader.decode().map_err(|_| broken())
}

/// Reads a picture that somebody chose for themselves, cut to a circle.
pub(crate) fn round(bytes: &[u8]) -> Result<Handle, Problem> {
    /// The largest that is drawn, on a screen with two pixels to one.
    const SIDE: u32 = 192;
    Ok(round_rgba(&decode(bytes)?.into_rgba8(), SIDE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_claims_to_be_huge_takes_no_memory() {
        // A PNG's head that says 60,000 by 60,000.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend_from_slice(&60_000_u32.to_be_bytes());
        png.extend_from_slice(&60_000_u32.to_be_bytes());
        png.extend_from_slice(&[8, 6, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(decode(&png).unwrap_err().code, "picture");
        assert_eq!(decode(b"GIF89a").unwrap_err().code, "picture");
    }
}
