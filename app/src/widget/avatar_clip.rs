//! Round pictures of people.
//!
//! They are cut out before they are drawn: the software renderer draws the corners of an image whatever radius it is given.

use iced::widget::image::Handle;
use image::RgbaImage;
use image::imageops::{self, FilterType};

/// The largest side: more than a panel's picture has on the densest screen.
const MAX_SIDE: u32 = 512;

/// Cuts the middle of a picture to a circle of this many pixels across (of the screen, not logical ones).
///
/// Every handle is another image to the renderer: keep it as long as the picture is shown.
pub(crate) fn round_rgba(picture: &RgbaImage, side: u32) -> Handle {
    let side = side.clamp(1, MAX_SIDE);
    let round = cut(picture, side);
    Handle::from_rgba(side, side, round.into_raw())
}

fn cut(picture: &RgbaImage, side: u32) -> RgbaImage {
    let (width, height) = picture.dimensions();
    let shorter = width.min(height);
    if shorter == 0 {
        return RgbaImage::new(side, side);
    }
    let (left, top) = ((width - shorter) / 2, (height - shorter) / 2);
    let square = imageops::crop_imm(picture, left, top, shorter, shorter).to_image();
    // The first step is coarse but linear in what it reads, so that a huge picture takes no long.
    let near = if shorter > side * 4 { imageops::thumbnail(&square, side * 2, side * 2) } else { square };
    let mut round = imageops::resize(&near, side, side, FilterType::Triangle);
    let (middle, radius) = ((side as f32 - 1.0) / 2.0, side as f32 / 2.0);
    for (x, y, pixel) in round.enumerate_pixels_mut() {
        let distance = (x as f32 - middle).hypot(y as f32 - middle);
        // How much of a pixel at the edge lies within the circle, about.
        let within = (radius - distance + 0.5).clamp(0.0, 1.0);
        let [_, _, _, alpha] = &mut pixel.0;
        *alpha = (f32::from(*alpha) * within).round() as u8;
    }
    round
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::{MAX_SIDE, cut, round_rgba};

    const RED: Rgba<u8> = Rgba([200, 10, 10, 255]);

    #[test]
    fn the_corners_are_clear_and_the_rest_is_the_middle_of_the_picture() {
        let mut picture = RgbaImage::from_pixel(300, 100, RED);
        for x in (0..100).chain(200..300) {
            (0..100).for_each(|y| picture.put_pixel(x, y, Rgba([0, 0, 255, 255])));
        }
        let round = cut(&picture, 48);
        assert_eq!(round.dimensions(), (48, 48));
        for (x, y) in [(0, 0), (47, 0), (0, 47), (47, 47)] {
            assert_eq!(round.get_pixel(x, y).0[3], 0);
        }
        for (x, y) in [(24, 24), (24, 1), (2, 24), (45, 24)] {
            assert_eq!(*round.get_pixel(x, y), RED, "{x} {y}");
        }
        assert!(round.pixels().any(|pixel| (1..255).contains(&pixel.0[3])), "its edge is smooth");
    }

    #[test]
    fn pictures_of_any_size_do_no_harm() {
        for (width, height) in [(0, 0), (0, 5), (1, 1), (1, 4000), (3000, 2), (2500, 2500)] {
            let round = cut(&RgbaImage::from_pixel(width, height, RED), 40);
            assert_eq!(round.dimensions(), (40, 40));
        }
        for side in [0, 1, u32::MAX] {
            let iced::widget::image::Handle::Rgba { width, .. } = round_rgba(&RgbaImage::new(2, 2), side) else {
                panic!("it has pixels");
            };
            assert!((1..=MAX_SIDE).contains(&width));
        }
    }
}
