//! The clips that the test model is measured by, and how it is scored.

use std::path::{Path, PathBuf};

/// The lists, each with how many of its words the model's card says to be wrong, in per cent: none of 66, and 1 of 34.
pub(crate) const LISTS: [(&str, f64); 2] = [("clips.tsv", 0.0), ("fair.tsv", 2.95)];

/// What Opus and the way may cost, in per cent of the words.
pub(crate) const COST: f64 = 3.0;

/// A file beside the clips.
pub(crate) fn clip(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests/clips").join(name)
}

/// The clips of a list, with what is said in them.
pub(crate) fn clips(list: &str) -> Vec<(String, String)> {
    let table = std::fs::read_to_string(clip(list)).expect("a list of clips");
    let row = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        (columns.next().expect("a name"), columns.next().expect("a text"))
    };
    table.lines().map(row).collect()
}

/// Words without case and signs: how they are written down is the model's taste.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect())
        .collect()
}

/// Words to insert, leave out or replace to turn one text into the other.
pub(crate) fn word_errors(heard: &[String], said: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=said.len()).collect();
    for (i, h) in heard.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, s) in said.iter().enumerate() {
            let best = (corner + usize::from(h != s)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[said.len()]
}

/// Words that were wrong, and words that were said.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Score {
    wrong: usize,
    total: usize,
}

impl Score {
    /// Somebody said this, and that was heard.
    pub(crate) fn count(&mut self, heard: &str, said: &str) {
        let (heard, said) = (words(heard), words(said));
        self.wrong += word_errors(&heard, &said);
        self.total += said.len();
    }

    /// No worse than the model's card says of the list, and [`COST`].
    pub(crate) fn check(self, list: &str, card: f64) {
        let rate = 100.0 * self.wrong as f64 / self.total as f64;
        println!("{list}: {} of {} words wrong, {rate:.1} %", self.wrong, self.total);
        assert!(self.total > 0 && rate <= card + COST, "{list}: {} of {} words are wrong", self.wrong, self.total);
    }
}
