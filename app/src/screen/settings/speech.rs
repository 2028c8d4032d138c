//! What becomes of what is said: when it is written down, in which language, and by which model.

mod models;

use iced::Task;
use iced::widget::{column, container, row};
use kith_core::client::BUILT_IN_MODEL;
use kith_core::wire::control::{Request, SpeechModel, SpeechOptions};

use super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{Element, Icon, metric};
use crate::ui::language::{self, AUTO};
use crate::ui::{self, choice, form};

pub(crate) use models::Message as ModelMessage;
use models::ModelPart;

/// How long notes may be that are written down by themselves, in seconds.
const UP_TO: [u32; 5] = [30, 120, 300, 900, 3_600];

const MIRROR: &str = "settings-mirror";

/// The longest address that is typed.
const MAX_ADDRESS: usize = 1_024;

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Notes become text when they come.
    Automatic(bool),
    /// Only with power from the mains.
    MainsOnly(bool),
    /// Only those that last at most so many seconds.
    UpTo(u32),
    /// Others get the text of one's own notes.
    Attach(bool),
    /// The language that is spoken.
    Language(String),
    /// In English, whatever is spoken.
    Translate(bool),
    /// The model; empty for the best that is there.
    Model(String),
    /// Places that are asked for models first.
    Mirrors(Vec<String>),
}

impl Choice {
    fn request(self) -> Request {
        let mut chosen = (None, None, None, None, None, None, None, None);
        match self {
            Self::Automatic(on) => chosen.0 = Some(on),
            Self::MainsOnly(on) => chosen.1 = Some(on),
            Self::UpTo(seconds) => chosen.2 = Some(seconds),
            Self::Attach(on) => chosen.3 = Some(on),
            Self::Language(language) => chosen.4 = Some(language),
            Self::Translate(on) => chosen.5 = Some(on),
            Self::Model(name) => chosen.6 = Some(name),
            Self::Mirrors(mirrors) => chosen.7 = Some(mirrors),
        }
        let (automatic, mains_only, up_to_s, attach, language, translate, model, mirrors) = chosen;
        Request::SetSpeechOptions { automatic, mains_only, up_to_s, attach, language, translate, model, mirrors }
    }
}

/// Speech.
#[derive(Debug)]
pub(super) struct SpeechSection {
    backend: Backend,
    options: Wanted<SpeechOptions>,
    models: ModelPart,
    wrong: Option<Problem>,
    /// What is typed while a language is looked for.
    query: Option<String>,
    /// The address that is typed, and what is wrong with it.
    mirror: String,
    mirror_wrong: Option<Problem>,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// What was chosen.
    Came(Result<SpeechOptions, Problem>),
    /// Once more.
    Again,
    /// Something else is chosen.
    Set(Choice),
    /// It was, or not.
    Changed(Result<SpeechOptions, Problem>),
    /// Languages are wanted, or not.
    ToggleLanguages,
    /// A language is looked for.
    QueryChanged(String),
    /// An address is typed.
    MirrorChanged(String),
    /// It is to be asked.
    AddMirror,
    /// It is, or not.
    MirrorAdded(Result<SpeechOptions, Problem>),
    /// Of the models.
    Models(ModelMessage),
}

impl SpeechSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            models: ModelPart::new(backend.clone()),
            backend,
            options: Wanted::Coming,
            wrong: None,
            query: None,
            mirror: String::new(),
            mirror_wrong: None,
        }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::batch([self.ask(), self.models.load().map(Message::Models)])
    }

    fn ask(&self) -> Task<Message> {
        Task::perform(self.backend.clone().speech_options(Request::SpeechOptions), Message::Came)
    }

    /// The core tells how a model stands. Which one listens may be another one then.
    pub(super) fn model_changed(&mut self, model: SpeechModel) -> Task<Message> {
        let is_another = self.models.changed(model);
        if is_another { self.ask() } else { Task::none() }
    }

    pub(super) fn update(&mut self, message: Message, context: Context<'_>) -> Task<Message> {
        match message {
            Message::Came(options) => self.options.take(options),
            Message::Again => return self.load(),
            Message::Set(choice) => {
                self.wrong = None;
                if matches!(choice, Choice::Language(_)) {
                    self.query = None;
                }
                return Task::perform(self.backend.clone().speech_options(choice.request()), Message::Changed);
            }
            Message::Changed(Ok(options)) => self.options.take(Ok(options)),
            Message::Changed(Err(problem)) => self.wrong = Some(problem),
            Message::ToggleLanguages => {
                self.query = if self.query.is_some() { None } else { Some(String::new()) };
            }
            Message::QueryChanged(typed) => self.query = Some(language::query(typed)),
            Message::MirrorChanged(typed) => {
                if typed.len() <= MAX_ADDRESS {
                    (self.mirror, self.mirror_wrong) = (typed, None);
                }
            }
            Message::AddMirror => return self.add_mirror(),
            Message::MirrorAdded(Ok(options)) => {
                self.options.take(Ok(options));
                self.mirror.clear();
            }
            Message::MirrorAdded(Err(problem)) => self.mirror_wrong = Some(problem),
            Message::Models(ModelMessage::Use(name)) => return self.update(Message::Set(Choice::Model(name)), context),
            Message::Models(message) => {
                // A model that came or went may change which one listens.
                let ends = message.ends();
                let task = self.models.update(message, context).map(Message::Models);
                return if ends { Task::batch([task, self.ask()]) } else { task };
            }
        }
        Task::none()
    }

    fn add_mirror(&mut self) -> Task<Message> {
        let address = self.mirror.trim().trim_end_matches('/').to_owned();
        let Wanted::Here(options) = &self.options else { return Task::none() };
        if address.is_empty() || options.mirrors.contains(&address) {
            self.mirror.clear();
            return Task::none();
        }
        let mirrors = options.mirrors.iter().cloned().chain([address]).collect();
        let set = self.backend.clone().speech_options(Choice::Mirrors(mirrors).request());
        Task::perform(set, Message::MirrorAdded)
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        self.options.view(i18n, Message::Again, |options| {
            let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
            let only_built_in = (options.listens == BUILT_IN_MODEL || options.listens.is_empty())
                .then(|| self.models.offer(i18n).map(Message::Models));
            let groups = [automatic(options, i18n), self.language(options, context)];
            let models = self.models.view(options, i18n).map(Message::Models);
            let last = [models, self.mirrors(options, i18n)];
            parts::groups(wrong.into_iter().chain(only_built_in).chain(groups).chain(last))
        })
    }

    fn language<'a>(&'a self, options: &'a SpeechOptions, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        let name = match options.language.as_str() {
            AUTO => i18n.tr("speech-language-auto"),
            code => language::name(code).to_owned(),
        };
        let is_open = self.query.is_some();
        let icon = if is_open { Icon::ChevronUp } else { Icon::ChevronDown };
        let change = parts::with_icon(icon, i18n.tr("speech-language-change"), Some(Message::ToggleLanguages));
        let fact = parts::fact(i18n.tr("speech-language"), parts::plain(name), Some(change));
        let picker = self.query.as_deref().map(|query| {
            let auto = Message::Set(Choice::Language(AUTO.to_owned()));
            let auto = (i18n.tr("speech-language-auto"), options.language == AUTO, auto);
            let pick = |code| Message::Set(Choice::Language(code));
            let list = language::picker(query, &options.language, [auto], Message::QueryChanged, pick, context);
            container(list).padding([metric::SMALL, metric::GAP]).into()
        });
        let translate = choice::switch(
            i18n.tr("speech-translate"),
            Some(i18n.tr("speech-translate-words")),
            options.translate,
            Some(Message::Set(Choice::Translate(!options.translate))),
        );
        let rows = [fact].into_iter().chain(picker).chain([translate, parts::note(i18n.tr("speech-language-words"))]);
        parts::group(Some(i18n.tr("speech-languages")), rows)
    }

    /// Where models come from.
    fn mirrors<'a>(&'a self, options: &'a SpeechOptions, i18n: &I18n) -> Element<'a, Message> {
        let address = |at: usize, mirror: &String| {
            let rest = options.mirrors.iter().enumerate().filter(|(other, _)| *other != at);
            let rest = rest.map(|(_, mirror)| mirror.clone()).collect();
            let remove =
                form::icon_button(Icon::X, i18n.tr("speech-mirror-remove"), Some(Message::Set(Choice::Mirrors(rest))));
            row![container(parts::letters(mirror.clone())).width(iced::Length::Fill), remove]
                .spacing(metric::GAP)
                .padding([metric::TIGHT, metric::GAP])
                .align_y(iced::Alignment::Center)
                .into()
        };
        let rows = options.mirrors.iter().enumerate().map(|(at, mirror)| address(at, mirror));
        let official = parts::note(i18n.tr("speech-official"));
        let wrong = self.mirror_wrong.as_ref().map(|problem| problem.sentence(i18n));
        let may = !self.mirror.trim().is_empty();
        let field = form::field(MIRROR, i18n.tr("speech-mirror"), &self.mirror)
            .placeholder("https://relay.example.org/models".to_owned())
            .hint(i18n.tr("speech-mirror-words"))
            .wrong(wrong)
            .view(Some(Message::MirrorChanged), may.then_some(Message::AddMirror));
        let add = parts::with_icon(Icon::Plus, i18n.tr("speech-mirror-add"), may.then_some(Message::AddMirror));
        let field = column![field, row![add]].spacing(metric::SMALL).padding([metric::SMALL, metric::GAP]);
        parts::group(Some(i18n.tr("speech-mirrors")), rows.chain([official, field.into()]))
    }
}

/// When notes become text by themselves.
fn automatic<'a>(options: &SpeechOptions, i18n: &I18n) -> Element<'a, Message> {
    let is_on = options.automatic || options.attach;
    let automatic = choice::switch(
        i18n.tr("speech-automatic"),
        Some(i18n.tr("speech-automatic-words")),
        options.automatic,
        Some(Message::Set(Choice::Automatic(!options.automatic))),
    );
    let attach = choice::switch(
        i18n.tr("speech-attach"),
        Some(i18n.tr("speech-attach-words")),
        options.attach,
        Some(Message::Set(Choice::Attach(!options.attach))),
    );
    // Where the system does not say, there is nothing to choose.
    let mains = options.on_mains.map(|on_mains| {
        choice::switch(
            i18n.tr("speech-mains"),
            Some(if on_mains { i18n.tr("speech-mains-words") } else { i18n.tr("speech-mains-off") }),
            options.mains_only,
            is_on.then_some(Message::Set(Choice::MainsOnly(!options.mains_only))),
        )
    });
    let words = |seconds: u32| match seconds / 60 {
        0 => i18n.count("speech-seconds", seconds.into()),
        minutes => i18n.count("speech-minutes", minutes.into()),
    };
    let lengths =
        UP_TO.map(|seconds| (words(seconds), options.up_to_s == seconds, Message::Set(Choice::UpTo(seconds))));
    let up_to = is_on.then(|| {
        let lines = column![ui::caption(i18n.tr("speech-up-to")), row![choice::segments(lengths)]];
        container(lines.spacing(metric::SMALL)).padding([metric::SMALL, metric::GAP]).into()
    });
    parts::group(Some(i18n.tr("speech-writing-down")), [automatic, attach].into_iter().chain(mains).chain(up_to))
}
