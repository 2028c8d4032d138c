//! Bytes to trees.

use zeroize::Zeroizing;

use super::encode::{INLINE_MAX, kind};
use super::{Value, ValueError};

/// How deep a tree may be: OpenMLS's deepest value has about 25 levels.
const DEPTH_MAX: usize = 64;

/// The longest list or map: places of a tree of 2^16 leaves, twice. Runs of empty places make a list far longer than its bytes.
const PLACES_MAX: u64 = 1 << 18;

/// The tree that the bytes stand for.
pub(in crate::mls) fn decode(bytes: &[u8]) -> Result<Value, ValueError> {
    let mut decoder = Decoder { rest: bytes, places: PLACES_MAX };
    let value = decoder.value(DEPTH_MAX)?;
    if decoder.rest.is_empty() { Ok(value) } else { Err(damaged("bytes after the end")) }
}

fn damaged(what: &str) -> ValueError {
    ValueError(what.to_owned())
}

struct Decoder<'a> {
    rest: &'a [u8],
    /// How many more places lists may have, in all.
    places: u64,
}

impl<'a> Decoder<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], ValueError> {
        let count = usize::try_from(count).map_err(|_| damaged("length"))?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| damaged("cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: u64) -> Result<u64, ValueError> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn head(&mut self) -> Result<(u8, u64), ValueError> {
        let [head] = self.take(1)? else { return Err(damaged("cut short")) };
        let number = match head & 0x0F {
            low if low <= INLINE_MAX => u64::from(low),
            12 => self.number(1)?,
            13 => self.number(2)?,
            14 => self.number(4)?,
            _ => self.number(8)?,
        };
        Ok((head >> 4, number))
    }

    fn claim(&mut self, places: u64) -> Result<(), ValueError> {
        self.places = self.places.checked_sub(places).ok_or_else(|| damaged("too many places"))?;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, ValueError> {
        let depth = depth.checked_sub(1).ok_or_else(|| damaged("too deep"))?;
        match self.head()? {
            (kind::SIMPLE, 0) => Ok(Value::Null),
            (kind::SIMPLE, 1) => Ok(Value::Bool(false)),
            (kind::SIMPLE, 2) => Ok(Value::Bool(true)),
            (kind::UNSIGNED, number) => Ok(Value::Unsigned(number)),
            (kind::NEGATIVE, number) => {
                0_i64.checked_sub_unsigned(number).map(Value::Negative).ok_or_else(|| damaged("number"))
            }
            (kind::BYTES, count) => Ok(Value::Bytes(Zeroizing::new(self.take(count)?.to_vec()))),
            (kind::TEXT, count) => {
                let text = std::str::from_utf8(self.take(count)?).map_err(|_| damaged("text"))?;
                Ok(Value::Text(text.to_owned().into()))
            }
            (kind::LIST, count) => self.list(count, depth),
            (kind::MAP, count) => {
                self.claim(count)?;
                let mut pairs = Vec::new();
                for _ in 0..count {
                    pairs.push((self.value(depth)?, self.value(depth)?));
                }
                Ok(Value::Map(pairs))
            }
            (kind::LINK, count) => self.take(count)?.try_into().map(Value::Link).map_err(|_| damaged("link")),
            _ => Err(damaged("unknown kind")),
        }
    }

    fn list(&mut self, count: u64, depth: usize) -> Result<Value, ValueError> {
        self.claim(count)?;
        let mut values = Vec::new();
        while (values.len() as u64) < count {
            let before = self.rest;
            let (kind, run) = self.head()?;
            if kind == kind::NULLS {
                let left = count.saturating_sub(values.len() as u64);
                if run == 0 || run > left {
                    return Err(damaged("run of empty places"));
                }
                values.extend((0..run).map(|_| Value::Null));
            } else {
                self.rest = before;
                values.push(self.value(depth)?);
            }
        }
        Ok(Value::List(values))
    }
}
