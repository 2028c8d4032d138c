//! How far a reader has listened to a voice note: a note of this device, which nobody else gets.
//!
//! Row of `Heard`: format (u8) ‖ place in milliseconds (u32, big endian) ‖ whether all of it was heard once (u8).

/// How far a reader has listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// Where they stopped, in milliseconds; 0 where they go on from the start.
    pub position_ms: u32,
    /// All of it was heard once.
    pub whole: bool,
}

const FORMAT: u8 = 1;

impl Heard {
    /// As it is kept.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.position_ms.to_be_bytes());
        bytes.push(self.whole.into());
        bytes
    }

    /// What was kept; nothing of what a newer Kith kept, since it is only a convenience.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [FORMAT, position @ .., whole] = bytes else { return None };
        Some(Self { position_ms: u32::from_be_bytes(position.try_into().ok()?), whole: *whole == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        for heard in [Heard::default(), Heard { position_ms: 61_234, whole: true }] {
            assert_eq!(Heard::from_bytes(&heard.to_bytes()), Some(heard));
        }
        assert_eq!(Heard { position_ms: 1, whole: false }.to_bytes(), [1, 0, 0, 0, 1, 0]);
        for bytes in [b"".as_slice(), &[1], &[1, 0, 0, 0, 1], &[1, 0, 0, 0, 1, 0, 0], &[2, 0, 0, 0, 1, 0]] {
            assert_eq!(Heard::from_bytes(bytes), None);
        }
    }
}
