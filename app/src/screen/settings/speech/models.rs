//! The models of speech: what each is good for, how it stands, and what can be done with it.

use std::collections::BTreeMap;

use iced::widget::{column, container, row, text};
use iced::{Alignment, Length, Task};
use kith_core::client::BUILT_IN_MODEL;
use kith_core::wire::control::{Request, SpeechModel, SpeechOptions};

use super::super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::format;
use crate::i18n::I18n;
use crate::platform::dialogue::Dialogue;
use crate::problem::Problem;
use crate::said;
use crate::theme::{self, Element, Icon, font, metric};
use crate::ui::{self, choice, form, language};

/// What most people want.
const RECOMMENDED: &str = "small";

/// The same of the machine that has little room.
const RECOMMENDED_SMALLER: &str = "base";

/// The models.
#[derive(Debug)]
pub(super) struct ModelPart {
    backend: Backend,
    models: Wanted<Vec<SpeechModel>>,
    /// The one that is measured: machines have one processor, and two at once would both seem slow.
    measuring: Option<String>,
    is_importing: bool,
    /// The one that is to be deleted, if somebody says so again.
    asked: Option<String>,
    /// What went wrong with each.
    wrong: BTreeMap<String, Problem>,
    /// What went wrong with a file.
    import_wrong: Option<Problem>,
}

/// What happens to them.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// They are here.
    Came(Result<Vec<SpeechModel>, Problem>),
    /// Once more.
    Again,
    /// Listen with this one; with an empty name, with the best that is here.
    Use(String),
    /// Fetch it, or go on.
    Download(String),
    /// Stop, and keep what came.
    Pause(String),
    /// Ask whether it is to be deleted.
    Ask(String),
    /// It may stay.
    Keep,
    /// Delete it.
    Delete(String),
    /// See how fast it is.
    Measure(String),
    /// It was.
    Measured(String, Result<SpeechModel, Problem>),
    /// What was wanted of this one is done, or not.
    Done(String, Result<(), Problem>),
    /// Take one from a file.
    Import,
    /// It is here, or not; none if nobody named a file.
    Imported(Option<Result<SpeechModel, Problem>>),
}

impl Message {
    /// A model may have come or gone.
    pub(super) const fn ends(&self) -> bool {
        matches!(self, Self::Done(..) | Self::Imported(Some(Ok(_))))
    }
}

impl ModelPart {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            backend,
            models: Wanted::Coming,
            measuring: None,
            is_importing: false,
            asked: None,
            wrong: BTreeMap::new(),
            import_wrong: None,
        }
    }

    pub(super) fn load(&self) -> Task<Message> {
        Task::perform(self.backend.clone().models(), Message::Came)
    }

    /// The core tells how a model stands; whether it came or went.
    pub(super) fn changed(&mut self, model: SpeechModel) -> bool {
        let Wanted::Here(models) = &mut self.models else { return false };
        let Some(known) = models.iter_mut().find(|known| known.name == model.name) else { return false };
        let before = std::mem::replace(known, model);
        is_here(&before) != is_here(known)
    }

    pub(super) fn update(&mut self, message: Message, context: Context<'_>) -> Task<Message> {
        match message {
            Message::Came(models) => self.models.take(models),
            Message::Again => return self.load(),
            // The one above knows the choices.
            Message::Use(_) => {}
            Message::Download(name) => return self.command(name, |name| Request::DownloadModel { name }),
            Message::Pause(name) => return self.command(name, |name| Request::PauseModel { name }),
            Message::Ask(name) => self.asked = Some(name),
            Message::Keep => self.asked = None,
            Message::Delete(name) => {
                self.asked = None;
                return self.command(name, |name| Request::DeleteModel { name });
            }
            Message::Measure(name) if self.measuring.is_none() => {
                self.wrong.remove(&name);
                self.measuring = Some(name.clone());
                let measure = self.backend.clone().model(Request::BenchModel { name: name.clone() });
                return Task::perform(measure, move |measured| Message::Measured(name.clone(), measured));
            }
            Message::Measure(_) => {}
            Message::Measured(name, measured) => {
                self.measuring = None;
                match measured {
                    Ok(model) => {
                        let _ = self.changed(model);
                    }
                    Err(problem) => {
                        self.wrong.insert(name, problem);
                    }
                }
            }
            Message::Done(name, done) => {
                if let Err(problem) = done {
                    self.wrong.insert(name, problem);
                }
                return self.load();
            }
            Message::Import if self.is_importing => {}
            Message::Import => {
                (self.is_importing, self.import_wrong) = (true, None);
                let (backend, title) = (self.backend.clone(), context.i18n.tr("models-import"));
                return Task::perform(import(backend, title), Message::Imported);
            }
            Message::Imported(imported) => {
                self.is_importing = false;
                match imported {
                    Some(Ok(model)) => {
                        let _ = self.changed(model);
                    }
                    Some(Err(problem)) => self.import_wrong = Some(problem),
                    None => {}
                }
            }
        }
        Task::none()
    }

    fn command(&mut self, name: String, request: impl FnOnce(String) -> Request) -> Task<Message> {
        self.wrong.remove(&name);
        let command = self.backend.clone().command(request(name.clone()));
        Task::perform(command, move |done| Message::Done(name.clone(), done))
    }

    /// What the model that is built in is good for, and what most people want instead.
    pub(super) fn offer<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let small = match &self.models {
            Wanted::Here(models) => models.iter().find(|model| model.name == RECOMMENDED),
            _ => None,
        };
        let button = small.filter(|model| matches!(model.state.as_str(), "missing" | "paused")).map(|model| {
            let values = [("name", model.name.clone().into()), ("size", format::bytes(i18n, model.size_bytes).into())];
            let words = i18n.tr_with("models-get-recommended", values);
            parts::with_icon(Icon::Download, words, Some(Message::Download(model.name.clone())))
        });
        let words =
            row![ui::icon(Icon::Info), text(i18n.tr("models-only-test")).size(metric::BODY).width(Length::Fill)];
        let lines = column![words.spacing(metric::GAP)].push(button.map(|button| row![button]));
        container(lines.spacing(metric::GAP))
            .padding(metric::PAD)
            .width(Length::Fill)
            .style(theme::container::card)
            .into()
    }

    pub(super) fn view<'a>(&'a self, options: &'a SpeechOptions, i18n: &I18n) -> Element<'a, Message> {
        self.models.view(i18n, Message::Again, |models| {
            let (here, more): (Vec<_>, Vec<_>) = models.iter().partition(|model| model.state != "missing");
            let best = choice::switch(
                i18n.tr("models-best"),
                Some(i18n.tr_with("models-best-words", [("name", options.listens.clone().into())])),
                options.model.is_empty(),
                // Switched off, it stays with what listens now.
                Some(Message::Use(if options.model.is_empty() { options.listens.clone() } else { String::new() })),
            );
            let lines =
                |models: Vec<&'a SpeechModel>| models.into_iter().map(move |model| self.line(model, options, i18n));
            let here =
                parts::group(Some(i18n.tr("models-here")), [best].into_iter().chain(lines(here).collect::<Vec<_>>()));
            let more = parts::group(Some(i18n.tr("models-more")), lines(more).collect::<Vec<_>>());
            parts::groups([here, more, self.import(i18n)])
        })
    }

    fn line<'a>(&'a self, model: &'a SpeechModel, options: &SpeechOptions, i18n: &I18n) -> Element<'a, Message> {
        let in_use = (options.listens == model.name).then(|| parts::tag(i18n.tr("models-in-use")));
        let is_recommended = matches!(model.name.as_str(), RECOMMENDED | RECOMMENDED_SMALLER);
        let recommended = (is_recommended && !is_here(model)).then(|| parts::tag(i18n.tr("models-recommended")));
        let name = text(&model.name).size(metric::BODY).font(font::SEMIBOLD);
        let head = row![name].push(in_use).push(recommended).spacing(metric::SMALL).align_y(Alignment::Center);
        let about = i18n.try_tr(&format!("model-{}", model.name.replace(['.', '_'], "-")));
        let about = text(about.unwrap_or_else(|| model.about.clone())).size(metric::CAPTION);
        let is_on_its_way = matches!(model.state.as_str(), "paused" | "downloading");
        let done = is_on_its_way.then(|| {
            let have = model.have_bytes.min(model.size_bytes);
            let part = have as f32 / model.size_bytes.max(1) as f32;
            let words = format::so_far(i18n, have, model.size_bytes);
            column![ui::progress(part, Length::Fill), ui::caption(words)].spacing(metric::TIGHT)
        });
        let wrong = self.wrong.get(&model.name).map(|problem| problem.sentence(i18n));
        let wrong = wrong.or_else(|| Some(said::alone(model.problem.as_ref()?, i18n))).map(form::error);
        let deeds = if self.asked.as_deref() == Some(&model.name) {
            asked(model, i18n)
        } else {
            self.deeds(model, options, i18n)
        };
        column![head, about, ui::caption(facts(model, i18n))]
            .push(done)
            .push(wrong)
            .push(deeds)
            .spacing(metric::TIGHT)
            .padding([metric::SMALL, metric::GAP])
            .width(Length::Fill)
            .into()
    }

    fn deeds<'a>(&'a self, model: &'a SpeechModel, options: &SpeechOptions, i18n: &I18n) -> Element<'a, Message> {
        let button = |icon, words: String, message| parts::with_icon(icon, words, Some(message));
        let name = || model.name.clone();
        let mut deeds: Vec<Element<'a, Message>> = Vec::new();
        match model.state.as_str() {
            "missing" => deeds.push(button(Icon::Download, i18n.tr("models-download"), Message::Download(name()))),
            "downloading" => deeds.push(button(Icon::Pause, i18n.tr("voice-pause"), Message::Pause(name()))),
            "paused" => deeds.push(button(Icon::Download, i18n.tr("models-resume"), Message::Download(name()))),
            _ if model.kind == "speech" => {
                if options.listens != model.name {
                    deeds.push(button(Icon::Check, i18n.tr("models-use"), Message::Use(name())));
                }
                let is_measured = self.measuring.as_deref() == Some(&model.name);
                let words = if is_measured { i18n.tr("models-measuring") } else { i18n.tr("models-measure") };
                let may = self.measuring.is_none().then(|| Message::Measure(name()));
                deeds.push(parts::with_icon(Icon::Activity, words, may));
            }
            _ => {}
        }
        if matches!(model.state.as_str(), "here" | "paused") {
            deeds.push(button(Icon::Trash2, i18n.tr("delete"), Message::Ask(name())));
        }
        iced::widget::Row::with_children(deeds).spacing(metric::SMALL).wrap().into()
    }

    fn import<'a>(&'a self, i18n: &I18n) -> Element<'a, Message> {
        let words = if self.is_importing { i18n.tr("models-importing") } else { i18n.tr("models-import") };
        let button = parts::with_icon(Icon::File, words, (!self.is_importing).then_some(Message::Import));
        let wrong = self.import_wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
        let lines = column![ui::caption(i18n.tr("models-import-words")), row![button]].push(wrong);
        parts::group(None, [container(lines.spacing(metric::SMALL)).padding([metric::SMALL, metric::GAP]).into()])
    }
}

fn is_here(model: &SpeechModel) -> bool {
    matches!(model.state.as_str(), "here" | "built_in")
}

/// Whether it is really to be deleted.
fn asked<'a>(model: &SpeechModel, i18n: &I18n) -> Element<'a, Message> {
    let words = text(i18n.tr("models-delete-words")).size(metric::CAPTION);
    let delete = Message::Delete(model.name.clone());
    let buttons = row![
        parts::with_icon(Icon::Trash2, i18n.tr("models-delete"), Some(delete)),
        parts::with_icon(Icon::X, i18n.tr("cancel"), Some(Message::Keep)),
    ];
    column![words, buttons.spacing(metric::SMALL)].spacing(metric::SMALL).into()
}

/// Its size, what it takes, what it knows, and how fast it is here.
fn facts(model: &SpeechModel, i18n: &I18n) -> String {
    let memory = format::bytes(i18n, model.memory_bytes);
    let mut facts =
        vec![format::bytes(i18n, model.size_bytes), i18n.tr_with("models-memory", [("memory", memory.into())])];
    if model.kind == "speech" {
        facts.push(match model.languages.as_slice() {
            [] => i18n.tr("models-all-languages"),
            some => some.iter().map(|code| language::name(code)).collect::<Vec<_>>().join(", "),
        });
        if model.translates {
            facts.push(i18n.tr("models-translates"));
        }
    }
    if let Some(percent) = model.speed_percent {
        let times = format::decimal(i18n, format_args!("{:.1}", f64::from(percent) / 100.0));
        facts.push(i18n.tr_with("models-speed", [("times", times.into())]));
    }
    if model.name == BUILT_IN_MODEL {
        facts.push(i18n.tr("models-built-in"));
    }
    facts.join(" · ")
}

/// Asks for a file, and takes it as a model.
async fn import(backend: Backend, title: String) -> Option<Result<SpeechModel, Problem>> {
    match Dialogue::new().titled(title).only("ggml", &["bin"]).file().await? {
        Ok(file) => Some(backend.model(Request::ImportModel { file }).await),
        Err(problem) => Some(Err(problem)),
    }
}
