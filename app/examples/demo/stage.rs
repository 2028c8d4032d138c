//! What the audience sees: a line a step with its time, in colour where there is a terminal.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Prints the steps.
pub(crate) struct Stage {
    colour: bool,
    begun: Instant,
    step: Instant,
    checks: u32,
    name: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let now = Instant::now();
        Self { colour, begun: now, step: now, checks: 0, name: "starting".to_owned() }
    }

    /// A chapter's title.
    pub(crate) fn chapter(&mut self, title: &str) {
        println!("\n{}", self.paint("1", title));
        self.step = Instant::now();
    }

    /// A step begins.
    pub(crate) fn step(&mut self, name: &str) {
        self.name = name.to_owned();
        self.step = Instant::now();
    }

    /// The step was verified, and took so long.
    pub(crate) fn verified(&mut self, what: &str) {
        self.checks += 1;
        let time = seconds(self.step.elapsed());
        println!(
            "  {} {:<46} {}  {}",
            self.paint("32", "✓"),
            self.name,
            self.paint("36", &time),
            self.paint("2", what)
        );
    }

    /// Words of a person.
    pub(crate) fn speech(&self, who: &str, words: &str) {
        println!("      {} {words}", self.paint("35", &format!("{who}:")));
    }

    pub(crate) fn curtain(&self) {
        let time = seconds(self.begun.elapsed());
        let line = format!("All {} steps verified in {}.", self.checks, time.trim_start());
        println!("\n{}", self.paint("1;32", &line));
    }

    pub(crate) fn failed(&self, failure: &Failure) {
        println!("  {} {}", self.paint("31", "✗"), self.name);
        for (name, lines) in failure.logs() {
            eprintln!("\n--- the end of {name}'s log");
            for line in lines {
                eprintln!("    {line}");
            }
        }
        eprintln!("\n{}", self.paint("1;31", &format!("The demo failed at \"{}\": {}", self.name, failure)));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:>7.2} s", time.as_secs_f64())
}
