//! The files beside the rows, and what precedes a stored value's ciphertext.

use kith_core::store::decoders;

use super::{Target, fast};

pub const TARGETS: &[Target] = &[
    fast("store_journal", |bytes| decoders::journal(bytes) > 0),
    fast("store_ring", ring),
    fast("store_snapshot", snapshot),
    fast("store_value", |bytes| decoders::sealed_value(bytes).is_ok()),
];

/// Both halves: what is read without the key, and what is in it.
fn ring(bytes: &[u8]) -> bool {
    let (file, body) = (decoders::ring_file(bytes).is_ok(), decoders::ring_body(bytes).is_ok());
    file || body
}

fn snapshot(bytes: &[u8]) -> bool {
    let (file, block) = (decoders::snapshot_file(bytes).is_ok(), decoders::snapshot_block(bytes).is_ok());
    file || block
}
