//! Compares what was drawn with a stored picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use image::RgbImage;

use crate::widget::stage::Picture;

/// Pictures are stored in sixteen levels of each colour, which takes a third of the room.
const LEVEL: u8 = 17;

/// By how much each colour may differ from its level: processors round in other ways.
const ROUNDING: u8 = LEVEL / 2 + 3;

/// Fails if the picture of this name is another or is not there; where `KITH_BLESS` is set, stores it instead.
pub(super) fn with_stored(name: &str, picture: &Picture) {
    let drawn = drawn(picture);
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(format!("{name}.png"));
    if std::env::var_os("KITH_BLESS").is_some() {
        if !read(&stored).is_some_and(|stored| is_same(&stored, &drawn)) {
            write(&stored, &coarse(&drawn));
        }
        return;
    }
    let Some(known) = read(&stored) else {
        let actual = aside(name, "actual");
        write(&actual, &drawn);
        panic!("there is no picture {name}; look at {} and store it with KITH_BLESS=1", actual.display());
    };
    if is_same(&known, &drawn) {
        return;
    }
    let (actual, difference) = (aside(name, "actual"), aside(name, "difference"));
    write(&actual, &drawn);
    write(&difference, &differing(&known, &drawn));
    panic!("{name} looks otherwise than stored: see {} and {}", actual.display(), difference.display());
}

fn drawn(picture: &Picture) -> RgbImage {
    let height = picture.rgba.len() / 4 / picture.width;
    let pixel = |x: u32, y: u32| image::Rgb(picture.at(x as usize, y as usize));
    RgbImage::from_fn(picture.width as u32, height as u32, pixel)
}

fn coarse(picture: &RgbImage) -> RgbImage {
    let level = |part: u8| part.saturating_add(LEVEL / 2) / LEVEL * LEVEL;
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| image::Rgb(picture.get_pixel(x, y).0.map(level)))
}

fn read(path: &Path) -> Option<RgbImage> {
    Some(image::load_from_memory(&std::fs::read(path).ok()?).ok()?.into_rgb8())
}

fn write(path: &Path, picture: &RgbImage) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, picture.width(), picture.height());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let colors: BTreeSet<[u8; 3]> = picture.pixels().map(|pixel| pixel.0).collect();
    let pixels = if colors.len() <= 256 {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(colors.iter().flatten().copied().collect::<Vec<u8>>());
        let numbers: BTreeMap<[u8; 3], u8> = colors.into_iter().zip(0..=u8::MAX).collect();
        picture.pixels().map(|pixel| numbers[&pixel.0]).collect()
    } else {
        encoder.set_color(png::ColorType::Rgb);
        picture.as_raw().clone()
    };
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    std::fs::write(path, png).unwrap();
}

fn is_same(one: &RgbImage, other: &RgbImage) -> bool {
    one.dimensions() == other.dimensions() && one.pixels().zip(other.pixels()).all(|(one, other)| is_near(one, other))
}

fn is_near(one: &image::Rgb<u8>, other: &image::Rgb<u8>) -> bool {
    one.0.iter().zip(&other.0).all(|(one, other)| one.abs_diff(*other) <= ROUNDING)
}

/// What differs in red on a pale copy of what was drawn.
fn differing(known: &RgbImage, drawn: &RgbImage) -> RgbImage {
    RgbImage::from_fn(drawn.width(), drawn.height(), |x, y| {
        let pixel = drawn.get_pixel(x, y);
        match known.get_pixel_checked(x, y) {
            Some(known) if is_near(known, pixel) => image::Rgb(pixel.0.map(|part| 192 + part / 4)),
            _ => image::Rgb([220, 0, 0]),
        }
    })
}

/// A place beside what the compiler makes: the test's program is in its `debug/deps`.
fn aside(name: &str, what: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    target.join("snapshots").join(format!("{name}.{what}.png"))
}

#[test]
fn a_picture_that_is_missing_or_another_fails() {
    let one = RgbImage::from_pixel(4, 4, image::Rgb([10, 20, 30]));
    let mut other = one.clone();
    other.put_pixel(1, 1, image::Rgb([12, 20, 30]));
    assert!(is_same(&one, &other), "rounding");
    let all = RgbImage::from_fn(256, 1, |x, _| image::Rgb([x as u8; 3]));
    assert!(is_same(&coarse(&all), &all), "what is stored is the same");
    other.put_pixel(1, 1, image::Rgb([10, 20, 50]));
    assert!(!is_same(&one, &other), "another colour");
    assert!(!is_same(&one, &RgbImage::new(4, 5)), "another size");
    assert_eq!(differing(&one, &other).get_pixel(1, 1), &image::Rgb([220, 0, 0]));
    if std::env::var_os("KITH_BLESS").is_none() {
        let picture = Picture { rgba: vec![0; 16], width: 2 };
        let missing = std::panic::catch_unwind(|| with_stored("never-stored", &picture));
        assert!(missing.is_err(), "nothing is stored by itself");
    }
}
