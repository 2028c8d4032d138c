//! Values as they lie on the disk: encrypted, and bound to the table, the key and the format they were written under.
//!
//! Layout of a value: format (u8) ‖ number of the data key (u32) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag.
//! Bound to it: table (u8) ‖ key ‖ format (u8). So a value moved to another row does not open.
//!
//! Does not choose keys (`disk` does). Source: DESIGN §7; RFC 5116.

use ring::aead::{Aad, NONCE_LEN, Nonce};

use super::keyring::{DataKey, Keyring, random};
use super::{ReadError, StoreError};
use crate::store::Table;

/// The format of sealed values.
const FORMAT: u8 = 1;

/// The number of the data key of a sealed value.
pub(super) fn key_number(table: Table, sealed: &[u8]) -> Result<u32, ReadError> {
    parse(table, sealed).map(|(number, ..)| number)
}

/// Seals a value. `stored_key` is the table's number ‖ the row's key.
pub(super) fn seal(number: u32, key: &DataKey, stored_key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    random(&mut nonce)?;
    let mut content = value.to_vec();
    let refused = |_| StoreError::TooLarge { bytes: value.len() };
    let bound = Aad::from(bound(stored_key));
    key.cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut content).map_err(refused)?;
    let mut sealed = Vec::with_capacity(content.len().saturating_add(1 + 4 + NONCE_LEN));
    sealed.push(FORMAT);
    sealed.extend_from_slice(&number.to_be_bytes());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&content);
    Ok(sealed)
}

/// Opens a value; nothing if its key was destroyed.
pub(super) fn open(
    ring: &Keyring,
    table: Table,
    stored_key: &[u8],
    sealed: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let (number, nonce, content) = parse(table, sealed)?;
    let Some(key) = ring.get(number)? else { return Ok(None) };
    let mut content = content.to_vec();
    let damaged = |_| ReadError::Damaged { table };
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = key.cipher.open_in_place(nonce, Aad::from(bound(stored_key)), &mut content).map_err(damaged)?.len();
    content.truncate(length);
    Ok(Some(content))
}

fn bound(stored_key: &[u8]) -> Vec<u8> {
    let mut bound = stored_key.to_vec();
    bound.push(FORMAT);
    bound
}

fn parse(table: Table, sealed: &[u8]) -> Result<(u32, [u8; NONCE_LEN], &[u8]), ReadError> {
    let (&format, rest) = sealed.split_first().ok_or(ReadError::Damaged { table })?;
    if format > FORMAT {
        return Err(ReadError::FromTheFuture { format });
    }
    let parsed = (|| {
        let (number, rest) = rest.split_first_chunk()?;
        let (nonce, content) = rest.split_first_chunk()?;
        Some((u32::from_be_bytes(*number), *nonce, content))
    })();
    parsed.filter(|_| format == FORMAT).ok_or(ReadError::Damaged { table })
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::store::Scope;
    use crate::store::keyring::RingKey;

    /// A ring with the account's key, opened by 32 bytes of 1, and the value "words" of row 9 of table 2: format 1 of both.
    const RING: &str = "6b6974682d72696e670100000000000000000000000000f5e86967d3ae0372bd169b78d7c1568a69393836d279aa822750dc\
        c77eac4afcdd56f656d3c05e401dd920eb4351f0cb1ef24cffe2612ea5c3d470cb97baa619fc05c0876a6667189d68bb2022\
        b56e6a46c044ce8165af22aa24d3b5c658bc5f53acb9698d6bfb3faee626439018a37ec4268c78688425724f161d562efff2\
        f2f1";
    const VALUE: &str = "0100000001ce2d8f7d542a8b508c6a6b631a30ad7bfabcf517822e5a4ee9786114b4780d70f2";

    #[test]
    fn bytes_of_the_first_format_still_open() {
        let bytes = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ring.kith"), bytes(RING)).unwrap();
        let ring = Keyring::open(dir.path(), &RingKey::Raw(Zeroizing::new([1; 32]))).unwrap();
        assert_eq!(open(&ring, Table::Account, &[2, 9], &bytes(VALUE)), Ok(Some(b"words".to_vec())));
    }

    #[test]
    fn a_value_opens_in_its_own_row_only() {
        let dir = tempfile::tempdir().unwrap();
        let mut ring = Keyring::create(dir.path(), &RingKey::Raw(Zeroizing::new([1; 32]))).unwrap();
        let number = ring.add(Scope::Account, 0).unwrap();
        let sealed = seal(number, ring.get(number).unwrap().unwrap(), &[2, 9], b"words").unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"words"));
        assert_eq!(open(&ring, Table::Account, &[2, 9], &sealed), Ok(Some(b"words".to_vec())));
        let damaged = Err(StoreError::Read(ReadError::Damaged { table: Table::Account }));
        assert_eq!(open(&ring, Table::Account, &[2, 8], &sealed), damaged);
        for length in 0..sealed.len() {
            assert!(open(&ring, Table::Account, &[2, 9], &sealed[..length]).is_err());
        }
        let mut future = sealed.clone();
        future[0] = 2;
        let refused = Err(StoreError::Read(ReadError::FromTheFuture { format: 2 }));
        assert_eq!(open(&ring, Table::Account, &[2, 9], &future), refused);
        ring.doom(number);
        assert_eq!(open(&ring, Table::Account, &[2, 9], &sealed), Ok(None));
    }
}
