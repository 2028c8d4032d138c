//! What a model writes over and over: whether somebody may have said it, or the model goes in circles.
//!
//! Whoever says a sentence three times takes three times as long for it. A model that goes in circles writes until its window is full,
//! and has no time in the sound left for what it writes.

use std::collections::VecDeque;

use super::Segment;
use crate::wire::message::words;

/// Letters and digits that nobody says in a second: the quickest speakers come to about twenty.
const LETTERS_PER_SECOND: f32 = 25.0;

/// The same words so many times in a row are worth a second look, however long they took.
const MANY: usize = 4;

/// The same words so many times in a row, in less time than they take, are a circle.
const CIRCLE: usize = 3;

/// The longest circle, in words: a long sentence.
const LONGEST: usize = 40;

/// A circle may lead over so many segments.
const SEGMENTS: usize = 4;

/// Whether some of it looks as if the model went in circles. It may still have been said.
pub(super) fn are_doubtful(segments: &[Segment]) -> bool {
    let text = segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(" ");
    circle(&spoken(&text), MANY).is_some() || leave_out(segments.to_vec()) != segments
}

/// Leaves out what was written again and cannot have been said again.
pub(super) fn leave_out(segments: Vec<Segment>) -> Vec<Segment> {
    let mut kept: Vec<Segment> = Vec::new();
    let mut last: VecDeque<Vec<String>> = VecDeque::new();
    for segment in segments {
        let (said, sayable) = (spoken(&segment.text), is_sayable(&segment));
        if !sayable && last.contains(&said) {
            continue;
        }
        if last.len() == SEGMENTS {
            last.pop_front();
        }
        last.push_back(said);
        kept.push(if sayable { segment } else { without_circle(segment) });
    }
    kept
}

/// Whether there was time for its words.
fn is_sayable(segment: &Segment) -> bool {
    let letters = segment.text.chars().filter(|sign| sign.is_alphanumeric()).count();
    letters as f32 <= segment.end.saturating_sub(segment.start).as_secs_f32() * LETTERS_PER_SECOND
}

/// Words as they are compared: without signs, and whatever their case.
fn spoken(text: &str) -> Vec<String> {
    let bare = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    words(text).map(bare).collect()
}

/// Words that come again.
#[derive(Debug, PartialEq, Eq)]
struct Circle {
    /// Where they begin the first time.
    first: usize,
    /// How many they are.
    words: usize,
    /// How often they come.
    times: usize,
}

/// The first words that come so often in a row.
fn circle(spoken: &[String], least: usize) -> Option<Circle> {
    (0..spoken.len()).find_map(|first| {
        let rest = spoken.get(first..)?;
        (1..=LONGEST.min(rest.len() / least)).find_map(|words| {
            let once = rest.get(..words)?;
            let times = rest.chunks_exact(words).take_while(|again| *again == once).count();
            (times >= least).then_some(Circle { first, words, times })
        })
    })
}

/// The words of a circle once.
fn without_circle(mut segment: Segment) -> Segment {
    while let Some(Circle { first, words: count, times }) = circle(&spoken(&segment.text), CIRCLE) {
        let parts: Vec<&str> = words(&segment.text).collect();
        let (once, all) = (first + count, first + count * times);
        // Where the times of words are told they are those of the same words.
        if segment.words.len() == parts.len() {
            segment.words.drain(once..all);
        } else {
            segment.words.clear();
        }
        let ends = |word: usize| {
            let word = word.checked_sub(1).and_then(|last| parts.get(last));
            word.map_or(0, |word| word.as_ptr().addr() + word.len() - segment.text.as_ptr().addr())
        };
        let (begin, end) = (ends(once), ends(all));
        segment.text.replace_range(begin..end, "");
    }
    segment
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::speech::Word;

    fn said(text: &str, from_ms: u64, to_ms: u64) -> Segment {
        let (start, end) = (Duration::from_millis(from_ms), Duration::from_millis(to_ms));
        let word = |text: &str| Word { start, end, text: text.to_owned() };
        Segment { start, end, text: text.to_owned(), words: words(text).map(word).collect(), confidence: 0.9 }
    }

    fn texts(segments: Vec<Segment>) -> Vec<String> {
        leave_out(segments).into_iter().map(|segment| segment.text).collect()
    }

    #[test]
    fn what_is_said_again_and_again_is_kept() {
        let thrice: Vec<Segment> = (0..3).map(|n| said("Meet me at eight.", n * 1500, n * 1500 + 1200)).collect();
        assert!(!are_doubtful(&thrice));
        assert_eq!(texts(thrice.clone()), vec!["Meet me at eight."; 3]);
        let at_once = vec![said("No, no, no, no, no!", 0, 1500)];
        assert!(are_doubtful(&at_once), "it is heard again with the whole window");
        assert_eq!(leave_out(at_once.clone()), at_once);
        let different = vec![said("Yes.", 0, 300), said("No.", 300, 600), said("Yes.", 600, 900)];
        assert!(!are_doubtful(&different));
        assert_eq!(leave_out(different.clone()), different);
    }

    #[test]
    fn segments_for_which_there_was_no_time_are_left_out() {
        let circle = vec![
            said("Thank you.", 0, 900),
            said("Thank you.", 900, 1000),
            said("thank you", 1000, 1000),
            said("Bye.", 1000, 1400),
        ];
        assert!(are_doubtful(&circle));
        assert_eq!(texts(circle), ["Thank you.", "Bye."]);
        let over_two = vec![
            said("I know that.", 0, 900),
            said("You know that.", 900, 1800),
            said("I know that.", 1800, 1800),
            said("You know that.", 1800, 1800),
        ];
        assert_eq!(texts(over_two), ["I know that.", "You know that."]);
        // What comes first is not said again, though its time is wrong.
        assert_eq!(texts(vec![said("Thank you.", 0, 0), said("Bye.", 0, 0)]), ["Thank you.", "Bye."]);
    }

    #[test]
    fn a_circle_within_a_segment_is_kept_once_with_the_times_of_its_words() {
        let text = format!("So {}he went.", "and then, ".repeat(40));
        let [segment] = &leave_out(vec![said(&text, 0, 3000)])[..] else { panic!("one segment") };
        assert_eq!(segment.text, "So and then, he went.");
        assert_eq!(segment.words.len(), 5);
        let [segment] = &leave_out(vec![said(&"謝謝".repeat(100), 0, 3000)])[..] else { panic!("one segment") };
        assert_eq!((segment.text.as_str(), segment.words.len()), ("謝", 1));
        // There is time for it, so that it may have been said.
        let slow = said(&"and then ".repeat(4), 0, 3000);
        assert_eq!(leave_out(vec![slow.clone()]), [slow]);
    }

    #[test]
    fn the_first_circle_is_found_with_all_its_turns() {
        let found = |text: &str| circle(&spoken(text), CIRCLE);
        assert_eq!(found("a b c a b c"), None);
        assert_eq!(found("x a b a b a b a"), Some(Circle { first: 1, words: 2, times: 3 }));
        assert_eq!(found(""), None);
    }
}
