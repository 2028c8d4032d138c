//! How long a letter takes from the press of its key to the screen, looked at from outside: a key of the display's own extension for
//! tests, and the pixels of the place where messages are written.

use std::io::IoSlice;
use std::time::{Duration, Instant};

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
use x11rb::rust_connection::RustConnection;

use crate::Failure;

/// No spaces: at the end of a line nothing would be seen of them. A line breaks after the last.
const LETTERS: [u32; 5] = [b'k' as u32, b'i' as u32, b't' as u32, b'h' as u32, b'-' as u32];

/// How high the place is where messages are written.
const COMPOSER: u16 = 56;

/// What stands left of it.
const LISTS: u16 = 400;

/// Between letters: as fast as somebody types.
const PAUSE: Duration = Duration::from_millis(40);

/// A letter that does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The number of the request, and its length in words of four bytes.
const FAKE_INPUT: u8 = 2;
const FAKE_INPUT_WORDS: u16 = 9;

/// Types so many letters into the window, each when the one before was seen: the milliseconds that each took.
pub(crate) fn typed(display: &str, window: &str, letters: usize) -> Result<Vec<f64>, Failure> {
    let (connection, _) = x11rb::connect(Some(display))?;
    let typist = Typist::new(connection, window.parse()?)?;
    let keys = LETTERS.iter().map(|letter| typist.key(*letter)).collect::<Result<Vec<u8>, _>>()?;
    keys.into_iter().cycle().take(letters).map(|key| typist.time(key)).collect()
}

struct Typist {
    connection: RustConnection,
    /// The number of the extension by which keys are pressed.
    extension: u8,
    window: u32,
    place: (i16, i16),
    size: (u16, u16),
}

impl Typist {
    fn new(connection: RustConnection, window: u32) -> Result<Self, Failure> {
        let extension = connection.query_extension(b"XTEST")?.reply()?;
        if !extension.present {
            return Err("the display knows no keys for tests".into());
        }
        let whole = connection.get_geometry(window)?.reply()?;
        let place = (i16::try_from(LISTS)?, i16::try_from(whole.height.saturating_sub(COMPOSER))?);
        let size = (whole.width.saturating_sub(LISTS), COMPOSER);
        Ok(Self { connection, extension: extension.major_opcode, window, place, size })
    }

    /// The key of a letter.
    fn key(&self, letter: u32) -> Result<u8, Failure> {
        let setup = self.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let keys = self.connection.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let key = keys.keysyms.chunks(usize::from(keys.keysyms_per_keycode)).position(|of| of.first() == Some(&letter));
        Ok(first + u8::try_from(key.ok_or("there is no key of this letter")?)?)
    }

    /// From the press of this key until something else is seen.
    fn time(&self, key: u8) -> Result<f64, Failure> {
        let before = self.seen()?;
        let begun = Instant::now();
        self.fake(KEY_PRESS_EVENT, key)?;
        self.fake(KEY_RELEASE_EVENT, key)?;
        self.connection.flush()?;
        while self.seen()? == before {
            if begun.elapsed() > PATIENCE {
                return Err("a letter did not come to the screen".into());
            }
        }
        let took = begun.elapsed();
        std::thread::sleep(PAUSE);
        Ok(took.as_secs_f64() * 1000.0)
    }

    fn fake(&self, event: u8, key: u8) -> Result<(), Failure> {
        let [low, high] = FAKE_INPUT_WORDS.to_ne_bytes();
        let mut request = [0; FAKE_INPUT_WORDS as usize * 4];
        request[..6].copy_from_slice(&[self.extension, FAKE_INPUT, low, high, event, key]);
        self.connection.send_request_without_reply(&[IoSlice::new(&request)], Vec::new())?;
        Ok(())
    }

    fn seen(&self) -> Result<Vec<u8>, Failure> {
        let ((x, y), (width, height)) = (self.place, self.size);
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, self.window, x, y, width, height, u32::MAX)?;
        Ok(image.reply()?.data)
    }
}
