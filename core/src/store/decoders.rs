//! The decoders of what lies beside the rows on a disk, for the fuzzer: it gives them bytes that no seal protects any more.
//!
//! Nothing here opens a store. Invariant: what is called is what opening, reading and restoring call.

use super::{StoreError, Table, guarded, keyring, sealed, snapshot};

/// The file of the key ring, up to its sealed body.
///
/// # Errors
/// As an opening.
pub fn ring_file(bytes: &[u8]) -> Result<(), StoreError> {
    keyring::inspect(bytes)
}

/// The body of the key ring, unsealed; says how many keys it has.
///
/// # Errors
/// As an opening.
pub fn ring_body(body: &[u8]) -> Result<usize, StoreError> {
    keyring::Keyring::inspect_body(body)
}

/// A snapshot, up to the seals of its blocks; says how many blocks there are.
///
/// # Errors
/// As a restoration.
pub fn snapshot_file(bytes: &[u8]) -> Result<u64, StoreError> {
    snapshot::inspect(bytes)
}

/// A block of a snapshot, unsealed; says how many records it has.
///
/// # Errors
/// As a restoration.
pub fn snapshot_block(block: &[u8]) -> Result<u64, StoreError> {
    snapshot::inspect_block(block)
}

/// The journal of a store whose id is all zeros; says how many entries are whole.
pub fn journal(bytes: &[u8]) -> usize {
    guarded::entries(bytes, [0; 16]).len()
}

/// What precedes the ciphertext of a stored value: the number of its data key.
///
/// # Errors
/// As a read.
pub fn sealed_value(bytes: &[u8]) -> Result<u32, StoreError> {
    Ok(sealed::key_number(Table::Meta, bytes)?)
}
