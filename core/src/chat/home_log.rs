//! The home's side of a log that this device keeps.
//!
//! Rows of [`Table::HomeLog`]: the group's id for the log's [`State`], the group's id and a number for an entry. It does not know
//! who is a member: a write key is all that an append needs. Source: DESIGN §4; [`crate::home`].

use serde::{Deserialize, Serialize};

use crate::home::{self, AppendRequest, Limits, State};
use crate::identity::{Context, SigningKey};
use crate::store::{Batch, Overlay, Read, ReadError, Scope, Table};
use crate::types::{GroupId, Timestamp};
use crate::wire::codec::Body;
use crate::wire::log::{MAX_BLOB, Refusal, Request, Response, UnverifiedEntry};

/// Counts the times that this device took a log up again: it has one durable store, whose loss ends the log, so never.
const TERM: u32 = 0;

#[derive(Serialize, Deserialize)]
struct Row(UnverifiedEntry);

impl Body for Row {
    const MAX_BYTES: usize = MAX_BLOB + 2048;
}

fn entry_key(group: GroupId, index: u64) -> Vec<u8> {
    [group.as_ref(), &index.to_be_bytes()].concat()
}

fn state(read: &dyn Read, group: GroupId) -> Result<Option<State>, ReadError> {
    let Some(row) = read.get(Table::HomeLog, group.as_ref())? else { return Ok(None) };
    State::decode(&row).map(Some).map_err(|_| ReadError::Damaged { table: Table::HomeLog })
}

/// Answers a member. What the answer says is durable once the batch is.
///
/// # Errors
/// If the store does not answer; nothing was put into the batch then.
pub(crate) fn answer(
    now: Timestamp,
    read: &dyn Read,
    batch: &mut Batch,
    key: &SigningKey,
    request: &Request,
) -> Result<Response, ReadError> {
    match request {
        Request::Create { group, write_key_hash } => {
            if let Some(state) = state(&Overlay::new(read, batch), *group)? {
                return Ok(state.create_again(*write_key_hash));
            }
            batch.put(Table::HomeLog, Scope::Account, group.as_ref(), State::create(*write_key_hash).encode());
            Ok(Response::Created)
        }
        Request::Append { group, head, write_key, next_write_key_hash, blob } => {
            let Some(state) = state(&Overlay::new(read, batch), *group)? else {
                return Ok(Response::Refused(Refusal::UnknownGroup));
            };
            let wanted = AppendRequest {
                group: *group,
                head: *head,
                write_key: *write_key,
                next_write_key_hash: *next_write_key_hash,
                blob,
            };
            let sign = |bytes: &[u8]| key.sign(Context::Log, bytes);
            match state.append(now, &Limits::default(), TERM, &wanted, sign) {
                Err(refusal) => Ok(Response::Refused(refusal)),
                Ok(appended) => {
                    let row = Row(UnverifiedEntry { blob: blob.clone(), ..appended.entry.clone() });
                    batch.put(Table::HomeLog, Scope::Account, entry_key(*group, appended.index), row.encode());
                    batch.put(Table::HomeLog, Scope::Account, group.as_ref(), appended.state.encode());
                    Ok(Response::Appended(appended.entry))
                }
            }
        }
        Request::Read { group, from, limit } => {
            let view = Overlay::new(read, batch);
            let Some(state) = state(&view, *group)? else { return Ok(Response::Refused(Refusal::UnknownGroup)) };
            home::read_response(&state, *from, *limit, |index| {
                let Some(row) = view.get(Table::HomeLog, &entry_key(*group, index))? else { return Ok(None) };
                let row = Row::decode(&row).map_err(|_| ReadError::Damaged { table: Table::HomeLog })?;
                Ok(Some(row.0))
            })
        }
    }
}
