//! Languages that can be spoken, by the names that those who speak them give them, and a list to choose one from.
//!
//! These are the languages that Whisper knows. Each is found by its own name, by its English one, and by its code.

use iced::widget::{Column, column, container, text, text_input};
use iced::{Alignment, Length, widget::row};

use crate::app::Context;
use crate::theme::{self, Element, font, metric};
use crate::ui;
use crate::widget::press::press;

/// What a language is called that is found out from what is said.
pub(crate) const AUTO: &str = "auto";

/// The most that are shown at once; whoever looks for another one types.
const SHOWN: usize = 8;

/// The longest that is looked for.
const MAX_QUERY: usize = 40;

/// Code, own name, English name.
const ALL: [(&str, &str, &str); 100] = [
    ("en", "English", "English"),
    ("uk", "Українська", "Ukrainian"),
    ("ru", "Русский", "Russian"),
    ("de", "Deutsch", "German"),
    ("es", "Español", "Spanish"),
    ("fr", "Français", "French"),
    ("pl", "Polski", "Polish"),
    ("it", "Italiano", "Italian"),
    ("pt", "Português", "Portuguese"),
    ("tr", "Türkçe", "Turkish"),
    ("nl", "Nederlands", "Dutch"),
    ("cs", "Čeština", "Czech"),
    ("zh", "中文", "Chinese"),
    ("ja", "日本語", "Japanese"),
    ("ko", "한국어", "Korean"),
    ("ar", "العربية", "Arabic"),
    ("hi", "हिन्दी", "Hindi"),
    ("af", "Afrikaans", "Afrikaans"),
    ("am", "አማርኛ", "Amharic"),
    ("as", "অসমীয়া", "Assamese"),
    ("az", "Azərbaycanca", "Azerbaijani"),
    ("ba", "Башҡортса", "Bashkir"),
    ("be", "Беларуская", "Belarusian"),
    ("bg", "Български", "Bulgarian"),
    ("bn", "বাংলা", "Bengali"),
    ("bo", "བོད་སྐད", "Tibetan"),
    ("br", "Brezhoneg", "Breton"),
    ("bs", "Bosanski", "Bosnian"),
    ("ca", "Català", "Catalan"),
    ("cy", "Cymraeg", "Welsh"),
    ("da", "Dansk", "Danish"),
    ("el", "Ελληνικά", "Greek"),
    ("et", "Eesti", "Estonian"),
    ("eu", "Euskara", "Basque"),
    ("fa", "فارسی", "Persian"),
    ("fi", "Suomi", "Finnish"),
    ("fo", "Føroyskt", "Faroese"),
    ("gl", "Galego", "Galician"),
    ("gu", "ગુજરાતી", "Gujarati"),
    ("ha", "Hausa", "Hausa"),
    ("haw", "ʻŌlelo Hawaiʻi", "Hawaiian"),
    ("he", "עברית", "Hebrew"),
    ("hr", "Hrvatski", "Croatian"),
    ("ht", "Kreyòl ayisyen", "Haitian Creole"),
    ("hu", "Magyar", "Hungarian"),
    ("hy", "Հայերեն", "Armenian"),
    ("id", "Bahasa Indonesia", "Indonesian"),
    ("is", "Íslenska", "Icelandic"),
    ("jw", "Basa Jawa", "Javanese"),
    ("ka", "ქართული", "Georgian"),
    ("kk", "Қазақша", "Kazakh"),
    ("km", "ខ្មែរ", "Khmer"),
    ("kn", "ಕನ್ನಡ", "Kannada"),
    ("la", "Latina", "Latin"),
    ("lb", "Lëtzebuergesch", "Luxembourgish"),
    ("ln", "Lingála", "Lingala"),
    ("lo", "ລາວ", "Lao"),
    ("lt", "Lietuvių", "Lithuanian"),
    ("lv", "Latviešu", "Latvian"),
    ("mg", "Malagasy", "Malagasy"),
    ("mi", "Māori", "Maori"),
    ("mk", "Македонски", "Macedonian"),
    ("ml", "മലയാളം", "Malayalam"),
    ("mn", "Монгол", "Mongolian"),
    ("mr", "मराठी", "Marathi"),
    ("ms", "Bahasa Melayu", "Malay"),
    ("mt", "Malti", "Maltese"),
    ("my", "မြန်မာ", "Burmese"),
    ("ne", "नेपाली", "Nepali"),
    ("nn", "Nynorsk", "Norwegian Nynorsk"),
    ("no", "Norsk", "Norwegian"),
    ("oc", "Occitan", "Occitan"),
    ("pa", "ਪੰਜਾਬੀ", "Punjabi"),
    ("ps", "پښتو", "Pashto"),
    ("ro", "Română", "Romanian"),
    ("sa", "संस्कृतम्", "Sanskrit"),
    ("sd", "سنڌي", "Sindhi"),
    ("si", "සිංහල", "Sinhala"),
    ("sk", "Slovenčina", "Slovak"),
    ("sl", "Slovenščina", "Slovenian"),
    ("sn", "ChiShona", "Shona"),
    ("so", "Soomaali", "Somali"),
    ("sq", "Shqip", "Albanian"),
    ("sr", "Српски", "Serbian"),
    ("su", "Basa Sunda", "Sundanese"),
    ("sv", "Svenska", "Swedish"),
    ("sw", "Kiswahili", "Swahili"),
    ("ta", "தமிழ்", "Tamil"),
    ("te", "తెలుగు", "Telugu"),
    ("tg", "Тоҷикӣ", "Tajik"),
    ("th", "ไทย", "Thai"),
    ("tk", "Türkmençe", "Turkmen"),
    ("tl", "Tagalog", "Tagalog"),
    ("tt", "Татарча", "Tatar"),
    ("ur", "اردو", "Urdu"),
    ("uz", "Oʻzbekcha", "Uzbek"),
    ("vi", "Tiếng Việt", "Vietnamese"),
    ("yi", "ייִדיש", "Yiddish"),
    ("yo", "Yorùbá", "Yoruba"),
    ("yue", "粵語", "Cantonese"),
];

/// A language's own name; the code of one that has none here.
pub(crate) fn name(code: &str) -> &str {
    ALL.iter().find(|(known, ..)| *known == code).map_or(code, |(_, own, _)| *own)
}

/// The first that are meant.
fn found(query: &str) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let query = query.trim().to_lowercase();
    let is_meant = move |(code, own, english): &&(&str, &str, &str)| {
        query.is_empty()
            || *code == query
            || own.to_lowercase().contains(&query)
            || english.to_lowercase().contains(&query)
    };
    ALL.iter().filter(is_meant).take(SHOWN)
}

/// What is looked for, within what is taken from the keyboard or the clipboard.
pub(crate) fn query(typed: String) -> String {
    typed.chars().take(MAX_QUERY).collect()
}

/// A field to look in, and what is found. `first` are ways that are no language: their words, whether they are chosen, and what they say.
pub(crate) fn picker<'a, Message: Clone + 'a>(
    query: &str,
    chosen: &str,
    first: impl IntoIterator<Item = (String, bool, Message)>,
    on_query: impl Fn(String) -> Message + 'a,
    on_pick: impl Fn(String) -> Message + 'a,
    context: Context<'_>,
) -> Element<'a, Message> {
    let field = text_input(&context.i18n.tr("language-search"), query)
        .on_input(on_query)
        .padding([metric::TIGHT, metric::GAP])
        .size(metric::CAPTION)
        .style(theme::input::search);
    let line = |words: String, other: Option<String>, selected: bool, message: Message| {
        let words = row![text(words).size(metric::BODY).font(font::MEDIUM)].push(other.map(ui::caption));
        press(words.spacing(metric::SMALL).align_y(Alignment::Center))
            .width(Length::Fill)
            .padding([metric::TIGHT, metric::GAP])
            .style(theme::button::row(selected))
            .on_press(message)
            .into()
    };
    let ways = first.into_iter().filter(|_| query.trim().is_empty());
    let ways = ways.map(|(words, selected, message)| line(words, None, selected, message));
    let languages = found(query).map(|(code, own, english)| {
        let other = (own != english).then(|| (*english).to_owned());
        line((*own).to_owned(), other, *code == chosen, on_pick((*code).to_owned()))
    });
    let lines: Vec<Element<'a, Message>> = ways.chain(languages).collect();
    let none = lines.is_empty().then(|| container(ui::caption(context.i18n.tr("language-none"))).padding(metric::GAP));
    column![field, Column::with_children(lines)].push(none).spacing(metric::SMALL).width(Length::Fill).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn languages_are_found_by_any_of_their_names() {
        let codes = |query: &str| found(query).map(|(code, ..)| *code).collect::<Vec<_>>();
        assert_eq!(codes("укр"), ["uk"]);
        assert_eq!(codes(" GERM "), ["de"]);
        assert_eq!(codes("norw"), ["nn", "no"]);
        assert_eq!(codes(""), ["en", "uk", "ru", "de", "es", "fr", "pl", "it"]);
        assert!(codes("klingon").is_empty());
        assert_eq!((name("pl"), name("xx")), ("Polski", "xx"));
    }

    #[test]
    fn whisper_knows_every_language_that_is_offered_and_each_is_offered_once() {
        let codes: BTreeSet<&str> = ALL.iter().map(|(code, ..)| *code).collect();
        assert_eq!(codes.len(), ALL.len());
        for code in codes {
            assert!(kith_core::client::is_language(code), "{code}");
        }
    }
}
