//! Changes as records, one after the other: what the blocks of a snapshot and the entries of the journal hold.
//!
//! A record is 1 clear, 2 put, 3 delete (u8) ‖ key ‖ for a put length of the value (number) ‖ value. A key is its length (number), then
//! until that is reached: how many bytes are those of the key before it at the same place (number) ‖ how many follow (number) ‖ these. A
//! number is LEB128, the low seven bits first. Keys are a third of a row, and most of each is the one before.
//!
//! Snapshots of format 1, which are read too, have for each key its length (u16) ‖ key, and for each value its length (u32) ‖ value.

use super::guarded::RawBatch;

const CLEAR: u8 = 1;
const PUT: u8 = 2;
const DELETE: u8 = 3;

/// Records that are being written.
#[derive(Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    /// The last one's.
    key: Vec<u8>,
    count: u64,
}

impl Records {
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.push(PUT, key);
        push_number(&mut self.bytes, value.len());
        self.bytes.extend_from_slice(value);
    }

    pub(super) fn delete(&mut self, key: &[u8]) {
        self.push(DELETE, key);
    }

    pub(super) fn clear(&mut self, prefix: &[u8]) {
        self.push(CLEAR, prefix);
    }

    fn push(&mut self, tag: u8, key: &[u8]) {
        self.bytes.push(tag);
        push_key(&mut self.bytes, &self.key, key);
        self.key.clear();
        self.key.extend_from_slice(key);
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, and how many records that is; what is written next is a run of its own.
    pub(super) fn take(&mut self) -> (Vec<u8>, u64) {
        let taken = std::mem::take(self);
        (taken.bytes, taken.count)
    }
}

impl From<&RawBatch> for Records {
    fn from(batch: &RawBatch) -> Self {
        let mut records = Self::default();
        batch.deleted_prefixes().for_each(|prefix| records.clear(prefix));
        for (key, value) in batch.rows() {
            match value {
                Some(value) => records.put(key, value),
                None => records.delete(key),
            }
        }
        records
    }
}

/// How keys and lengths are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are written now.
    Alike,
    /// Whole, as in snapshots of format 1.
    Whole,
}

/// The changes of records and their number; none where the bytes are no records.
pub(super) fn parse(form: Form, mut rest: &[u8]) -> Option<(RawBatch, u64)> {
    let mut batch = RawBatch::new();
    let mut count = 0u64;
    let mut key = Vec::new();
    while !rest.is_empty() {
        let (tag, after) = rest.split_first()?;
        rest = match form {
            Form::Whole => parse_whole_key(after, &mut key)?,
            Form::Alike => parse_key(after, &mut key)?,
        };
        match *tag {
            CLEAR => batch.delete_prefix(key.as_slice()),
            DELETE => batch.delete(key.as_slice()),
            PUT => {
                let (length, after) = match form {
                    Form::Whole => {
                        let (length, after) = rest.split_first_chunk()?;
                        (usize::try_from(u32::from_be_bytes(*length)).ok()?, after)
                    }
                    Form::Alike => parse_number(rest)?,
                };
                let (value, after) = after.split_at_checked(length)?;
                rest = after;
                batch.put(key.as_slice(), value);
            }
            _ => return None,
        }
        count = count.saturating_add(1);
    }
    Some((batch, count))
}

fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap_or_default());
}

/// A number and what follows it. Nothing here needs more than 28 bits.
fn parse_number(mut rest: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0usize;
    for shift in [0, 7, 14, 21] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((number, rest));
        }
    }
    None
}

/// Writes what a key has that the one before it has not.
fn push_key(bytes: &mut Vec<u8>, before: &[u8], key: &[u8]) {
    /// Fewer bytes alike cost more to count than to write.
    const WORTH: usize = 3;
    let alike_at = |at: usize| {
        let (one, other) = (before.get(at..).unwrap_or_default(), key.get(at..).unwrap_or_default());
        one.iter().zip(other).take_while(|(one, other)| one == other).count()
    };
    push_number(bytes, key.len());
    let mut at = 0usize;
    while at < key.len() {
        let from = at.saturating_add(alike_at(at));
        let mut to = from;
        while to < key.len() && alike_at(to) < WORTH {
            to = to.saturating_add(1);
        }
        push_number(bytes, from.saturating_sub(at));
        push_number(bytes, to.saturating_sub(from));
        bytes.extend_from_slice(key.get(from..to).unwrap_or_default());
        at = to;
    }
}

/// Makes of a key the one after it; gives what follows.
fn parse_key<'a>(bytes: &'a [u8], key: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (length, mut bytes) = parse_number(bytes)?;
    if length > usize::from(u16::MAX) {
        return None;
    }
    let mut next: Vec<u8> = Vec::with_capacity(length.min(256));
    while next.len() < length {
        let (alike, after) = parse_number(bytes)?;
        let (new, after) = parse_number(after)?;
        let (new, after) = after.split_at_checked(new)?;
        let end = next.len().checked_add(alike)?;
        next.extend_from_slice(key.get(next.len()..end)?);
        next.extend_from_slice(new);
        if next.len() > length || (alike == 0 && new.is_empty()) {
            return None;
        }
        bytes = after;
    }
    *key = next;
    Some(bytes)
}

/// The same in the format before.
fn parse_whole_key<'a>(bytes: &'a [u8], key: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (whole, after) = bytes.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    key.clear();
    key.extend_from_slice(whole);
    Some(after)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn records_of_whole_keys_are_read() {
        let bytes = [&[PUT, 0, 2, 7, 8, 0, 0, 0, 1, 9][..], &[CLEAR, 0, 1, 3], &[DELETE, 0, 2, 7, 9]].concat();
        let (batch, count) = parse(Form::Whole, &bytes).unwrap();
        let rows: Vec<_> = batch.rows().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
        assert_eq!(rows, [(vec![7, 8], Some(vec![9])), (vec![7, 9], None)]);
        assert_eq!((batch.deleted_prefixes().collect::<Vec<_>>(), count), (vec![&[3][..]], 3));
    }

    #[test]
    fn bytes_of_records_are_those_of_snapshots_of_format_2() {
        let mut records = Records::default();
        records.put(&[7, 8, 1], &[9]);
        records.put(&[7, 8, 2], &[5; 130]);
        records.delete(&[7]);
        records.put(&[7, 8, 2, 1, 2, 3, 4], &[]);
        records.put(&[7, 9, 2, 1, 2, 3, 5], &[]);
        let expected = [
            &[PUT, 3, 0, 3, 7, 8, 1, 1, 9][..],
            &[PUT, 3, 2, 1, 2, 0x82, 1],
            &[5; 130],
            &[DELETE, 1, 1, 0],
            &[PUT, 7, 1, 6, 8, 2, 1, 2, 3, 4, 0],
            &[PUT, 7, 1, 1, 9, 4, 1, 5, 0],
        ];
        assert_eq!(records.bytes(), expected.concat());
    }

    proptest! {
        #[test]
        fn a_batch_is_read_as_it_was_written(
            cleared in vec(vec(0u8..3, 0..4), 0..3),
            rows in vec((vec(0u8..3, 0..300), any::<Option<Vec<u8>>>()), 0..20),
        ) {
            let mut batch = RawBatch::new();
            cleared.iter().for_each(|prefix| batch.delete_prefix(prefix.as_slice()));
            for (key, value) in &rows {
                match value {
                    Some(value) => batch.put(key.as_slice(), value.as_slice()),
                    None => batch.delete(key.as_slice()),
                }
            }
            let records = Records::from(&batch);
            let (read, count) = parse(Form::Alike, records.bytes()).unwrap();
            prop_assert!(read == batch);
            prop_assert_eq!(count, records.count);
        }

        #[test]
        fn no_records_are_read_that_end_early(rows in vec((vec(0u8..3, 1..9), vec(any::<u8>(), 0..9)), 1..5)) {
            let mut records = Records::default();
            let mut whole = vec![0];
            for (key, value) in &rows {
                records.put(key, value);
                whole.push(records.bytes.len());
            }
            for length in 0..records.bytes.len() {
                let read = parse(Form::Alike, records.bytes.get(..length).unwrap_or_default());
                prop_assert_eq!(read.is_some(), whole.contains(&length));
            }
        }
    }
}
