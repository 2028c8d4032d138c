//! Times and names, as they are shown.

use std::fmt::Display;

use fluent_bundle::FluentValue;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use kith_core::client::plain;

use crate::i18n::{I18n, Language};
use crate::theme::font;

/// By which a person reads times: where they are, whether their day has twelve hours twice, and whether a date begins with the day.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    zone: TimeZone,
    halves: bool,
    day_first: bool,
}

impl Clock {
    /// The system's.
    pub(crate) fn system(locale: &str) -> Self {
        Self { zone: TimeZone::system(), halves: has_halves(locale), day_first: has_day_first(locale) }
    }

    /// One that tests can rely on.
    #[cfg(test)]
    pub(crate) fn utc() -> Self {
        Self { zone: TimeZone::UTC, halves: false, day_first: false }
    }

    fn at(&self, ms: u64) -> Option<DateTime> {
        let timestamp = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
        Some(self.zone.to_datetime(timestamp))
    }

    /// The day of a time, to see whether two are on the same.
    pub(crate) fn day(&self, ms: u64) -> Option<Date> {
        Some(self.at(ms)?.date())
    }

    /// The hour and minute.
    pub(crate) fn time(&self, ms: u64) -> String {
        let Some(at) = self.at(ms) else { return String::new() };
        if !self.halves {
            return format!("{:02}:{:02}", at.hour(), at.minute());
        }
        let hour = match at.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        format!("{hour}:{:02} {}", at.minute(), if at.hour() < 12 { "AM" } else { "PM" })
    }

    /// The time, or for older ones the day: what a list shows.
    pub(crate) fn short(&self, i18n: &I18n, ms: u64, now_ms: u64) -> String {
        let (Some(day), Some(today)) = (self.day(ms), self.day(now_ms)) else { return String::new() };
        let days = today.since(day).map_or(i32::MAX, |span| span.get_days());
        match days {
            ..=0 => self.time(ms),
            1..=6 => i18n.tr(&format!("weekday-short-{}", day.weekday().to_monday_one_offset())),
            _ => self.date(i18n, day, today, true),
        }
    }

    /// The day, over the messages of a day.
    pub(crate) fn heading(&self, i18n: &I18n, ms: u64, now_ms: u64) -> String {
        let (Some(day), Some(today)) = (self.day(ms), self.day(now_ms)) else { return String::new() };
        match today.since(day).map_or(i32::MAX, |span| span.get_days()) {
            0 => i18n.tr("today"),
            1 => i18n.tr("yesterday"),
            _ => self.date(i18n, day, today, false),
        }
    }

    /// The same within a sentence.
    pub(crate) fn day_within(&self, i18n: &I18n, ms: u64, now_ms: u64) -> String {
        let heading = self.heading(i18n, ms, now_ms);
        let is_word = heading == i18n.tr("today") || heading == i18n.tr("yesterday");
        if is_word { within(&heading) } else { heading }
    }

    /// The day and the time, where both are wanted.
    pub(crate) fn full(&self, i18n: &I18n, ms: u64, now_ms: u64) -> String {
        i18n.tr_with(
            "day-and-time",
            [("day", FluentValue::from(self.heading(i18n, ms, now_ms))), ("time", FluentValue::from(self.time(ms)))],
        )
    }

    fn date(&self, i18n: &I18n, day: Date, today: Date, short: bool) -> String {
        let month = i18n.tr(&format!("month-{}{}", if short { "short-" } else { "" }, day.month()));
        let number = u64::try_from(day.day()).unwrap_or_default();
        let values = [("day", FluentValue::from(number)), ("month", FluentValue::from(month))];
        // In the other languages the day is the first everywhere.
        let order = if i18n.language() == Language::En && !self.day_first { "month-day" } else { "day-month" };
        if day.year() == today.year() {
            return i18n.tr_with(&format!("date-{order}"), values);
        }
        let values = values.into_iter().chain([("year", FluentValue::from(day.year().to_string()))]);
        i18n.tr_with(&format!("date-{order}-year"), values)
    }
}

/// Words that can begin a sentence, as they are within one.
pub(crate) fn within(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The country of a locale, such as `en_GB.UTF-8`, if it names one.
fn country(locale: &str) -> Option<&str> {
    let (_, country) = locale.split(['.', '@']).next()?.rsplit_once(['-', '_'])?;
    (country.len() == 2).then_some(country)
}

/// Countries in which a clock is read with AM and PM.
fn has_halves(locale: &str) -> bool {
    let those = ["US", "CA", "AU", "NZ", "IN", "PH", "EG", "SA", "CO", "MY", "PK", "BD"];
    country(locale).is_some_and(|country| those.contains(&country))
}

/// All countries but those that write `October 21`; where none is named, that is what English has.
fn has_day_first(locale: &str) -> bool {
    country(locale).is_some_and(|country| !["US", "CA", "PH"].contains(&country))
}

/// A number as the language writes it: `4.2` or `4,2`.
pub(crate) fn decimal(i18n: &I18n, number: impl Display) -> String {
    let number = number.to_string();
    match i18n.language() {
        Language::En => number,
        Language::Ru | Language::Uk => number.replace('.', ","),
    }
}

/// How large a file is: `4.2 MB`.
pub(crate) fn bytes(i18n: &I18n, bytes: u64) -> String {
    let (value, unit) = match bytes {
        0..1_000 => return i18n.tr_with("size-b", [("size", bytes.to_string().into())]),
        1_000..1_000_000 => (bytes as f64 / 1e3, "kb"),
        1_000_000..1_000_000_000 => (bytes as f64 / 1e6, "mb"),
        _ => (bytes as f64 / 1e9, "gb"),
    };
    i18n.tr_with(&format!("size-{unit}"), [("size", decimal(i18n, format_args!("{value:.1}")).into())])
}

/// How much of something there is by now: `1.3 MB / 4.2 MB`.
pub(crate) fn so_far(i18n: &I18n, done: u64, total: u64) -> String {
    format!("{} / {}", bytes(i18n, done.min(total)), bytes(i18n, total))
}

/// How fast something plays, from per cent: `1.25×`.
pub(crate) fn speed(i18n: &I18n, percent: u16) -> String {
    format!("{}×", decimal(i18n, f32::from(percent) / 100.0))
}

/// A length of time as a person says it, as after *for* or *in*: in a unit of which there are neither too many nor too few.
pub(crate) fn length(i18n: &I18n, seconds: u64) -> String {
    let minutes = seconds.saturating_add(30) / 60;
    let hours = minutes.saturating_add(30) / 60;
    match (hours / 24, hours, minutes) {
        (3.., ..) => i18n.count("length-days", hours.saturating_add(12) / 24),
        (_, 2.., _) => i18n.count("length-hours", hours),
        (.., 2..) => i18n.count("length-minutes", minutes),
        _ => i18n.count("length-seconds", seconds),
    }
}

/// How long a sound is: `1:05`.
pub(crate) fn duration(ms: u32) -> String {
    let seconds = ms.div_ceil(1000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A name or a text from outside on one line: nothing that turns the direction of what stands beside it, hides, or breaks the line,
/// and no more marks on a letter than a language has.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    use unicode_segmentation::UnicodeSegmentation as _;
    /// Characters of one grapheme that are shown: a flag of a region takes seven, a family of emoji up to ten.
    const PARTS: usize = 12;
    let mut line = String::new();
    let mut shown = 0;
    let mut marks = Marks::default();
    for grapheme in text.graphemes(true) {
        if shown == most {
            line.push('…');
            break;
        }
        let mut kept = 0;
        for character in grapheme.chars().take(PARTS) {
            if character.is_whitespace() {
                if !line.is_empty() && !line.ends_with(' ') {
                    line.push(' ');
                    kept += 1;
                }
            } else if !is_hidden(character) && marks.have_room(character) {
                line.push(character);
                kept += 1;
            }
        }
        shown += usize::from(kept > 0);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Marks as they are drawn: no more on a letter than a language has, and none that stand on nothing but an empty box.
#[derive(Debug, Default)]
pub(crate) struct Marks(plain::Marks);

impl Marks {
    /// Whether this character, the next one, is to be shown.
    pub(crate) fn have_room(&mut self, character: char) -> bool {
        let is_drawn = !plain::is_mark(character) || font::draws_mark(self.0.letter(), character);
        is_drawn && self.0.have_room(character)
    }
}

/// Controls, and what changes direction.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}' | '\u{feff}')
}

/// One or two letters for a round picture.
pub(crate) fn initials(name: &str) -> String {
    use unicode_segmentation::UnicodeSegmentation as _;
    let clean = one_line(name, 64);
    let mut words = clean.split([' ', '.', '-', '_', '@']).filter(|word| !word.is_empty());
    // More than one mark on a letter has no room.
    let first = |word: Option<&str>| {
        let letter = word.and_then(|word| word.graphemes(true).next()).unwrap_or_default();
        let most = if letter.starts_with(char::is_alphanumeric) { 2 } else { usize::MAX };
        letter.chars().take(most).collect::<String>().to_uppercase()
    };
    // The relay's part of a handle is not the person's.
    let (one, two) = match clean.split_once('@') {
        Some((local, _)) => (first(Some(local)), String::new()),
        None => (first(words.next()), first(words.next())),
    };
    one + &two
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Language;

    const NOON: u64 = 1_764_072_000_000; // 2025-11-25 12:00 UTC, a Tuesday
    const DAY: u64 = 86_400_000;

    #[test]
    fn times_are_shown_by_what_they_mean_now() {
        let clock = Clock::utc();
        let short = |language, ago| clock.short(&I18n::new(language), NOON - ago, NOON);
        assert_eq!(short(Language::En, 3_600_000), "11:00");
        assert_eq!(short(Language::En, DAY), "Mon");
        assert_eq!(short(Language::Uk, DAY), "пн");
        assert_eq!(short(Language::Ru, 10 * DAY), "15 нояб.");
        assert_eq!(short(Language::En, 400 * DAY), "Oct 21, 2024");
        let heading = |language, ago| clock.heading(&I18n::new(language), NOON - ago, NOON);
        assert_eq!(heading(Language::En, 0), "Today");
        assert_eq!(heading(Language::Ru, DAY), "Вчера");
        assert_eq!(heading(Language::Uk, 10 * DAY), "15 листопада");
        assert_eq!(heading(Language::En, 400 * DAY), "October 21, 2024");
        let within = |language, ago| clock.day_within(&I18n::new(language), NOON - ago, NOON);
        assert_eq!((within(Language::En, 0), within(Language::Uk, 0)), ("today".into(), "сьогодні".into()));
        assert_eq!(within(Language::Ru, DAY), "вчера");
        assert_eq!(within(Language::En, 10 * DAY), "November 15", "a name keeps its capital");
        // A clock that is ahead, or a time that no calendar has.
        assert_eq!(clock.short(&I18n::new(Language::En), NOON + DAY, NOON), "12:00");
        assert_eq!(clock.short(&I18n::new(Language::En), u64::MAX, NOON), "");
    }

    #[test]
    fn a_day_has_twelve_hours_twice_where_people_count_so() {
        let clock = Clock { halves: true, ..Clock::utc() };
        for (hour, shown) in [(0, "12:00 AM"), (9, "9:00 AM"), (12, "12:00 PM"), (23, "11:00 PM")] {
            assert_eq!(clock.time(NOON - 12 * 3_600_000 + hour * 3_600_000), shown);
        }
        assert!(has_halves("en-US") && has_halves("en_US.UTF-8") && !has_halves("en-GB") && !has_halves("uk"));
    }

    #[test]
    fn a_date_has_the_order_of_its_country() {
        let date = |locale: &str, language| {
            let clock = Clock { day_first: has_day_first(locale), ..Clock::utc() };
            clock.heading(&I18n::new(language), NOON - 400 * DAY, NOON)
        };
        for locale in ["en_GB.UTF-8", "en-GB", "en_AU", "de_DE@euro"] {
            assert_eq!(date(locale, Language::En), "21 October 2024", "{locale}");
        }
        for locale in ["en_US.UTF-8", "en", "C", "C.UTF-8", ""] {
            assert_eq!(date(locale, Language::En), "October 21, 2024", "{locale}");
        }
        assert_eq!(date("ru", Language::Ru), "21 октября 2024");
        let this_year = Clock { day_first: true, ..Clock::utc() };
        assert_eq!(this_year.short(&I18n::new(Language::En), NOON - 10 * DAY, NOON), "15 Nov");
    }

    #[test]
    fn sizes_and_speeds_are_written_as_the_language_does() {
        for (size, english, russian, ukrainian) in [
            (999, "999 B", "999 Б", "999 Б"),
            (1_000, "1.0 kB", "1,0 кБ", "1,0 кБ"),
            (4_200_000, "4.2 MB", "4,2 МБ", "4,2 МБ"),
            (u64::from(u32::MAX), "4.3 GB", "4,3 ГБ", "4,3 ГБ"),
        ] {
            let said = [Language::En, Language::Ru, Language::Uk].map(|which| bytes(&I18n::new(which), size));
            assert_eq!(said, [english, russian, ukrainian]);
        }
        assert_eq!(so_far(&I18n::new(Language::Uk), 5_000_000, 4_200_000), "4,2 МБ / 4,2 МБ");
        let speeds = [Language::En, Language::Ru].map(|which| [100, 125, 150].map(|now| speed(&I18n::new(which), now)));
        assert_eq!(speeds, [["1×", "1.25×", "1.5×"], ["1×", "1,25×", "1,5×"]].map(|all| all.map(str::to_owned)));
    }

    #[test]
    fn nothing_from_outside_breaks_a_line() {
        assert_eq!(one_line("a\nb\t c\u{202e}d\u{7}", 10), "a b cd");
        assert_eq!(one_line("абвгд", 3), "абв…");
        assert_eq!(one_line("👨‍👩‍👧‍👦👍🏽x", 2), "👨‍👩‍👧‍👦👍🏽…");
        let zalgo = format!("z{}y", "\u{0300}".repeat(1000));
        assert_eq!(one_line(&zalgo, 10).chars().count(), 6);
        assert_eq!(one_line("\u{200f}\u{202e}", 10), "");
    }

    #[test]
    fn a_round_picture_has_letters() {
        for (name, letters) in [
            ("Alice Liddell", "AL"),
            ("alice@relay", "A"),
            ("тарас", "Т"),
            ("👩‍🚀 space", "👩‍🚀S"),
            ("", ""),
            ("\u{202e}", ""),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn a_length_is_said_in_a_unit_that_a_person_uses() {
        for (seconds, english, russian, ukrainian) in [
            (1, "1 second", "1 секунду", "1 секунду"),
            (89, "89 seconds", "89 секунд", "89 секунд"),
            (660, "11 minutes", "11 минут", "11 хвилин"),
            (1260, "21 minutes", "21 минуту", "21 хвилину"),
            (86_399, "24 hours", "24 часа", "24 години"),
            (3 * 86_400, "3 days", "3 дня", "3 дні"),
        ] {
            let said = [Language::En, Language::Ru, Language::Uk].map(|which| length(&I18n::new(which), seconds));
            assert_eq!(said, [english, russian, ukrainian]);
        }
        assert!(length(&I18n::new(Language::En), u64::MAX).ends_with("days"));
    }

    #[test]
    fn a_sound_is_as_long_as_it_takes() {
        assert_eq!(
            [duration(0), duration(900), duration(65_000), duration(3_600_000)],
            ["0:00", "0:01", "1:05", "60:00"]
        );
    }
}
