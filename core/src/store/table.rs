//! The numbers of the tables.

/// The longest key within a table, in bytes. Sled splits a page by its number of rows, not by their size: with keys of at most
/// this size no page becomes so large that sled would put it in a file of its own, which it never syncs. Hash what is longer.
pub const MAX_KEY_BYTES: usize = 256;

/// A table; its number is the first byte of a stored key and is bound into each sealed value.
///
/// Key layouts are in the documentation of [the module](crate::store). A number is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Facts about the store itself.
    Meta = 1,
    /// Own account and the records of accounts seen.
    Account = 2,
    /// Contacts.
    Contact = 3,
    /// Contact requests.
    Request = 4,
    /// State of each conversation.
    Conversation = 5,
    /// Events: signed headers, with contents that are short.
    Event = 6,
    /// Contents of events that are not kept with their headers.
    Content = 7,
    /// Heads and gaps of feeds.
    Feed = 8,
    /// Log cursor and roster of each MLS group.
    Group = 9,
    /// Rows of OpenMLS.
    Mls = 10,
    /// Envelopes not yet delivered.
    Outbox = 11,
    /// Delivered and read marks.
    Mark = 12,
    /// Delivery tokens.
    Token = 13,
    /// Own key packages.
    KeyPackage = 14,
    /// Envelopes that cannot be read yet.
    Parked = 15,
    /// This reader's own transcripts.
    Transcript = 16,
    /// Logs for which this device is the home.
    HomeLog = 17,
    /// Order of display.
    Timeline = 18,
    /// Ids of envelopes already handled.
    Seen = 19,
    /// What edits, deletes and reactions say about other events.
    Change = 20,
    /// One row a conversation for the list of chats.
    Summary = 21,
    /// Where contacts' devices were last found.
    Address = 22,
    /// Attachments that events name.
    Attachment = 23,
    /// How far transfers of attachments have come.
    Transfer = 24,
    /// How far this reader has listened to voice notes.
    Heard = 25,
    /// What many events of a conversation say alike.
    Context = 26,
}

impl Table {
    /// All of them, by number.
    pub const ALL: [Self; 26] = [
        Self::Meta,
        Self::Account,
        Self::Contact,
        Self::Request,
        Self::Conversation,
        Self::Event,
        Self::Content,
        Self::Feed,
        Self::Group,
        Self::Mls,
        Self::Outbox,
        Self::Mark,
        Self::Token,
        Self::KeyPackage,
        Self::Parked,
        Self::Transcript,
        Self::HomeLog,
        Self::Timeline,
        Self::Seen,
        Self::Change,
        Self::Summary,
        Self::Address,
        Self::Attachment,
        Self::Transfer,
        Self::Heard,
        Self::Context,
    ];

    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The stored key of one of its rows: its number ‖ the row's key.
    pub(super) fn key(self, key: &[u8]) -> Vec<u8> {
        let mut stored = Vec::with_capacity(key.len().saturating_add(1));
        stored.push(self.number());
        stored.extend_from_slice(key);
        stored
    }

    /// The table with this number, if this release knows one.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change() {
        let numbers: Vec<u8> = Table::ALL.iter().map(|table| table.number()).collect();
        assert_eq!(numbers, (1..=26).collect::<Vec<u8>>());
        assert!(Table::ALL.iter().all(|table| Table::from_number(table.number()) == Some(*table)));
        assert_eq!(Table::from_number(0), None);
    }
}
