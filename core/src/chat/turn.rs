//! What a sub-machine works with while one input is handled.

use crate::mls::{self, MlsError};
use crate::store::{Overlay, Read, ReadError, Scope, Table};
use crate::types::Rng;
use crate::wire::codec::{Body, DecodeError};

use super::api::{Effects, Now};

/// Why an input could not be handled. The engine then puts out no batch, and its driver opens it anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The store did not answer, or a value in it is damaged.
    #[error(transparent)]
    Store(#[from] ReadError),
    /// A stored value cannot be read.
    #[error("a stored value of table {table:?} cannot be read: {cause}")]
    Stored {
        /// The table it stands in.
        table: Table,
        /// What is wrong with it.
        cause: DecodeError,
    },
    /// OpenMLS failed on its own state.
    #[error(transparent)]
    Mls(#[from] MlsError),
    /// A thing that holds by construction does not.
    #[error("broken invariant: {0}")]
    Broken(&'static str),
}

/// One input's worth of work: its time, its randomness, what is committed, and the effects so far.
pub struct Turn<'a> {
    /// When it is handled.
    pub now: Now,
    /// Where every random byte comes from.
    pub rng: &'a mut Rng,
    /// What is committed.
    pub base: &'a dyn Read,
    /// What comes of it.
    pub effects: &'a mut Effects,
}

impl Turn<'_> {
    /// The store as it will be when the batch so far is committed.
    pub fn read(&self) -> Overlay<'_, dyn Read + '_> {
        Overlay::new(self.base, &self.effects.batch)
    }

    /// A stored body.
    ///
    /// # Errors
    /// If the store does not answer or the value cannot be read.
    pub fn get<B: Body>(&self, table: Table, key: &[u8]) -> Result<Option<B>, EngineError> {
        get(&self.read(), table, key)
    }

    /// Stores a body.
    pub fn put<B: Body>(&mut self, table: Table, scope: Scope, key: &[u8], body: &B) {
        self.effects.batch.put(table, scope, key, body.encode());
    }

    /// What an operation on a group works with.
    pub fn mls(&mut self) -> mls::Context<'_> {
        mls::Context { store: self.base, batch: &mut self.effects.batch, rng: self.rng, now: self.now.wall }
    }
}

/// A stored body, read where there is no turn: by views.
///
/// # Errors
/// If the store does not answer or the value cannot be read.
pub fn get<B: Body>(read: &(impl Read + ?Sized), table: Table, key: &[u8]) -> Result<Option<B>, EngineError> {
    let Some(bytes) = read.get(table, key)? else { return Ok(None) };
    B::decode(&bytes).map(Some).map_err(|cause| EngineError::Stored { table, cause })
}
