//! Words in a chat: in its texts, and in what is said in its voice notes.
//!
//! It looks through the chat, newest first, and stops after [`LOOKED_AT`] messages: whoever wants more goes on from there. Case and
//! accents of what is looked for count as little as the person who looks cares: letters are compared in lower case.

use super::spoken::Kept;
use super::view::{format_id, parse_id};
use super::{Client, ClientError};
use crate::chat::view::ConversationView;
use crate::chat::{Anchor, Item, ItemBody, timeline};
use crate::types::ContentId;
use crate::wire::control::{Found, Hit};

/// Messages that one request looks through.
const LOOKED_AT: usize = 5_000;

/// Messages that are read at a time.
const PAGE: usize = 200;

/// The most hits of one request.
const MAX_HITS: usize = 200;

/// The longest words to look for, in characters.
const MAX_WORDS: usize = 256;

/// What is shown around a hit, in characters.
const EXCERPT: usize = 160;

/// Of these, what stands before the hit.
const BEFORE: usize = 40;

/// What is looked for.
struct Wanted(Vec<String>);

impl Wanted {
    fn parse(words: &str) -> Self {
        let words: String = words.chars().take(MAX_WORDS).collect();
        Self(words.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(lower).collect())
    }

    /// Where in these words the first of those wanted is, if all are there. Of the last the beginning is enough.
    fn find<'a>(&self, words: impl Iterator<Item = &'a str>) -> Option<usize> {
        let words: Vec<String> = words.map(bare).collect();
        let mut first = None;
        for (index, wanted) in self.0.iter().enumerate() {
            let last = index + 1 == self.0.len();
            let is = |word: &String| if last { word.starts_with(wanted.as_str()) } else { word == wanted };
            // Signs within a word part it, too: "end-to-end".
            let place = words.iter().position(|word| {
                is(word) || (word.contains(' ') && word.split(' ').any(|part| is(&part.to_owned())))
            })?;
            first = Some(first.map_or(place, |first: usize| first.min(place)));
        }
        first
    }
}

fn lower(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// A word in lower case, without the signs on it; signs within become blanks.
fn bare(word: &str) -> String {
    let signs = |sign: char| !sign.is_alphanumeric();
    lower(word.trim_matches(signs)).replace(signs, " ")
}

/// What stands around a word of a text.
fn excerpt<'a>(words: impl Iterator<Item = &'a str>, place: usize) -> String {
    let words: Vec<&str> = words.collect();
    let mut from = place;
    let mut before = 0;
    while let Some(previous) = from.checked_sub(1).and_then(|previous| words.get(previous)) {
        before += previous.chars().count() + 1;
        if before > BEFORE {
            break;
        }
        from -= 1;
    }
    let start = if from > 0 { "… " } else { "" };
    let text = words.get(from..).unwrap_or_default().join(" ");
    let mut shown: String = format!("{start}{text}").chars().take(EXCERPT).collect();
    if text.chars().count() + start.chars().count() > EXCERPT {
        shown.pop();
        shown.push('…');
    }
    shown
}

impl Client {
    pub(super) fn find_words(
        &self,
        with: &str,
        words: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Found, ClientError> {
        let wanted = Wanted::parse(words);
        let mut hits = Vec::new();
        let view = self.conversation(self.chat_named(with)?)?;
        let Some(view) = view.filter(|_| !wanted.0.is_empty()) else { return Ok(Found { hits, before: None }) };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_HITS);
        let before = self.look_back(&view, before, |item| {
            hits.extend(self.hit(&view, item, &wanted)?);
            Ok(hits.len() < limit)
        })?;
        Ok(Found { hits, before: before.as_ref().map(format_id) })
    }

    /// Shows the messages of a chat, the newest first, to `look` while it wants more, and at most [`LOOKED_AT`] of them. Gives where to go
    /// on from, if that is not the beginning of the chat.
    pub(super) fn look_back(
        &self,
        view: &ConversationView,
        before: Option<&str>,
        mut look: impl FnMut(&Item) -> Result<bool, ClientError>,
    ) -> Result<Option<ContentId>, ClientError> {
        let mut anchor = before.map(parse_id).transpose()?.map_or(Anchor::Newest, Anchor::Before);
        let mut looked = 0;
        loop {
            let (store, me) = (self.store(), self.me());
            let page = timeline::page_with_sides(store, &view.id, &view.roster, &me, anchor, PAGE)?;
            let page = page.ok_or_else(|| ClientError::NoMessage(before.unwrap_or_default().to_owned()))?;
            for item in page.items.iter().rev() {
                looked += 1;
                if !look(item)? || looked >= LOOKED_AT {
                    return Ok(Some(item.id));
                }
            }
            let Some(first) = page.items.first().filter(|_| page.before) else { return Ok(None) };
            anchor = Anchor::Before(first.id);
        }
    }

    fn hit(&self, view: &ConversationView, item: &Item, wanted: &Wanted) -> Result<Option<Hit>, ClientError> {
        let (excerpt, at_ms) = match &item.body {
            ItemBody::Text { text, .. } => {
                let Some(place) = wanted.find(text.split_whitespace()) else { return Ok(None) };
                (excerpt(text.split_whitespace(), place), None)
            }
            ItemBody::VoiceNote { .. } => {
                let own = self.kept_transcript(view, &item.id)?;
                let attached = || item.transcript.as_ref().map(Kept::attached);
                let Some(kept) = own.or_else(attached) else { return Ok(None) };
                let Some(place) = wanted.find(kept.words().map(|(word, _)| word)) else { return Ok(None) };
                let at_ms = kept.words().nth(place).map(|(_, at_ms)| at_ms);
                (excerpt(kept.words().map(|(word, _)| word), place), at_ms)
            }
            _ => return Ok(None),
        };
        Ok(Some(Hit {
            message: format_id(&item.id),
            sent_ms: item.shown.0,
            author_name: self.name_of(&item.author)?,
            at_ms,
            excerpt,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(wanted: &str, text: &str) -> Option<usize> {
        Wanted::parse(wanted).find(text.split_whitespace())
    }

    #[test]
    fn all_words_have_to_be_there_and_the_last_may_be_a_beginning() {
        let text = "Meet me at the Station, at eleven (end-to-end).";
        assert_eq!(find("station", text), Some(4));
        assert_eq!(find("eleven sta", text), Some(4));
        assert_eq!(find("sta eleven", text), None, "only the last may be a beginning");
        assert_eq!(find("end", text), Some(7));
        assert_eq!(find("MEET", text), Some(0));
        assert_eq!(find("bread", text), None);
        assert_eq!(find("Žluť", "ŽLUŤOUČKÝ kůň"), Some(0));
        assert!(Wanted::parse(" .,;").0.is_empty());
    }

    #[test]
    fn an_excerpt_shows_what_stands_around_and_is_short() {
        let text = "one two three four five six seven eight nine ten eleven twelve thirteen";
        assert_eq!(excerpt(text.split_whitespace(), 0), text);
        assert_eq!(excerpt(text.split_whitespace(), 11), "… five six seven eight nine ten eleven twelve thirteen");
        let long = "word ".repeat(100);
        let shown = excerpt(long.split_whitespace(), 50);
        assert!(shown.chars().count() <= EXCERPT && shown.starts_with('…') && shown.ends_with('…'), "{shown}");
    }
}
