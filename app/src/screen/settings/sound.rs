//! Microphones and speakers, how recordings are cleaned, and a trial of all that.
//!
//! The microphone is open only while somebody asks for it here, and is let go when this is left. The devices are looked for again
//! every few seconds while they are shown.

mod trial;

use std::time::Duration;

use iced::widget::{Column, column, container, row};
use iced::{Subscription, Task};
use kith_core::client::sound::{DEFAULT_BITRATE_BPS, Device, Direction, SoundOptions};

use super::parts::{self, Wanted};
use crate::app::Context;
use crate::backend::Backend;
use crate::format::one_line;
use crate::i18n::I18n;
use crate::problem::Problem;
use crate::theme::{Element, metric};
use crate::ui::{choice, form};

#[cfg(test)]
pub(super) use trial::For as TrialFor;
pub(crate) use trial::Message as TrialMessage;
use trial::TrialPart;

/// How often the devices are looked for.
const LOOK: Duration = Duration::from_secs(3);

/// The most devices of a sort that are shown.
const SHOWN: usize = 24;

/// A longer name is cut.
const MAX_NAME: usize = 80;

/// Bits a second that are offered.
const BITRATES: [i32; 5] = [16_000, DEFAULT_BITRATE_BPS, 32_000, 48_000, 64_000];

/// What can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The device; none for the default one.
    Device(Direction, Option<String>),
    /// Take out what lies below the voice.
    HighPass(bool),
    /// Take out steady noise.
    Noise(bool),
    /// Even out the loudness.
    Gain(bool),
    /// Bits a second.
    Bitrate(i32),
    /// The next note plays by itself.
    PlayNext(bool),
}

impl Choice {
    fn apply(self, options: &mut SoundOptions) {
        match self {
            Self::Device(Direction::Input, id) => options.microphone = id,
            Self::Device(Direction::Output, id) => options.speaker = id,
            Self::HighPass(on) => options.high_pass = on,
            Self::Noise(on) => options.noise = on,
            Self::Gain(on) => options.gain = on,
            Self::Bitrate(bps) => options.bitrate_bps = bps,
            Self::PlayNext(on) => options.play_next = on,
        }
    }
}

/// The devices of a direction, or why there are none; nothing before they were looked for.
type Found = Option<Result<Vec<Device>, Problem>>;

/// Sound.
#[derive(Debug)]
pub(super) struct SoundSection {
    backend: Backend,
    options: Wanted<SoundOptions>,
    microphones: Found,
    speakers: Found,
    /// As many answers are waited for.
    looking: u8,
    wrong: Option<Problem>,
    trial: TrialPart,
}

/// What happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// What was chosen.
    Came(Result<SoundOptions, Problem>),
    /// Once more.
    Again,
    /// The devices are looked for.
    Look,
    /// They are here.
    Found(Direction, Result<Vec<Device>, Problem>),
    /// Something else is chosen.
    Set(Choice),
    /// It was, or not.
    Changed(Result<SoundOptions, Problem>),
    /// Of the trial.
    Trial(TrialMessage),
}

/// What comes of it.
pub(super) enum Outcome {
    /// Carries this out.
    Run(Task<Message>),
    /// What plays goes on at this speaker, or the default one; and this.
    Speaker(Option<String>, Task<Message>),
}

impl SoundSection {
    pub(super) fn new(backend: Backend) -> Self {
        Self {
            trial: TrialPart::new(backend.clone()),
            backend,
            options: Wanted::Coming,
            microphones: None,
            speakers: None,
            looking: 0,
            wrong: None,
        }
    }

    pub(super) fn load(&mut self) -> Task<Message> {
        let options = Task::perform(self.backend.clone().sound_options(), Message::Came);
        Task::batch([options, self.look()])
    }

    /// While it is shown.
    pub(super) fn subscription() -> Subscription<Message> {
        iced::time::every(LOOK).map(|_| Message::Look)
    }

    /// It is not shown any more: the microphone is let go, and nothing plays.
    pub(super) fn leave(&mut self) {
        self.trial.leave();
    }

    /// A system that is slow to tell is not asked again before it did.
    fn look(&mut self) -> Task<Message> {
        if self.looking > 0 {
            return Task::none();
        }
        self.looking = 2;
        let of = |direction| {
            let devices = self.backend.clone().sound_devices(direction);
            Task::perform(devices, move |devices| Message::Found(direction, devices))
        };
        Task::batch([of(Direction::Input), of(Direction::Output)])
    }

    pub(super) fn update(&mut self, message: Message) -> Outcome {
        if let (Message::Changed(Ok(options)), Wanted::Here(before)) = (&message, &self.options)
            && options.speaker != before.speaker
        {
            let speaker = options.speaker.clone();
            return Outcome::Speaker(speaker, self.happened(message));
        }
        Outcome::Run(self.happened(message))
    }

    fn happened(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Came(options) => self.options.take(options),
            Message::Again => return self.load(),
            Message::Look => return self.look(),
            Message::Found(direction, devices) => {
                self.looking = self.looking.saturating_sub(1);
                match direction {
                    Direction::Input => self.microphones = Some(devices),
                    Direction::Output => self.speakers = Some(devices),
                }
            }
            Message::Set(choice) => {
                self.wrong = None;
                let change = self.backend.clone().change_sound(move |options| choice.apply(options));
                return Task::perform(change, Message::Changed);
            }
            Message::Changed(Ok(options)) => {
                let before = if let Wanted::Here(before) = &self.options { before.clone() } else { options.clone() };
                let is_other = before.microphone != options.microphone;
                self.options.take(Ok(options));
                // What listens goes on with the microphone that was chosen.
                return if is_other { self.trial.another_microphone().map(Message::Trial) } else { Task::none() };
            }
            Message::Changed(Err(problem)) => self.wrong = Some(problem),
            Message::Trial(message) => {
                let clean =
                    if let Wanted::Here(options) = &self.options { options.clean_up() } else { return Task::none() };
                return self.trial.update(message, clean).map(Message::Trial);
            }
        }
        Task::none()
    }

    pub(super) fn view<'a>(&'a self, context: Context<'_>) -> Element<'a, Message> {
        let i18n = context.i18n;
        self.options.view(i18n, Message::Again, |options| {
            let wrong = self.wrong.as_ref().map(|problem| form::error(problem.sentence(i18n)));
            let groups = [
                devices(Direction::Input, &self.microphones, options.microphone.as_deref(), i18n),
                self.trial.view(options.clean_up(), i18n).map(Message::Trial),
                clean_up(options, i18n),
                devices(Direction::Output, &self.speakers, options.speaker.as_deref(), i18n),
                quality(options, i18n),
                playing(options, i18n),
            ];
            parts::groups(wrong.into_iter().chain(groups))
        })
    }
}

/// The devices of a direction, one of which is chosen.
fn devices<'a>(direction: Direction, found: &Found, chosen: Option<&str>, i18n: &I18n) -> Element<'a, Message> {
    let name = match direction {
        Direction::Input => i18n.tr("sound-microphone"),
        Direction::Output => i18n.tr("sound-speaker"),
    };
    let choose = |id: Option<String>| Some(Message::Set(Choice::Device(direction, id)));
    let found = match found {
        None => {
            return parts::named(name, container(crate::ui::caption(i18n.tr("settings-coming"))).padding(metric::GAP));
        }
        Some(Err(problem)) => {
            let again = parts::with_icon(crate::theme::Icon::RefreshCw, i18n.tr("settings-again"), Some(Message::Look));
            let wrong = column![form::error(problem.sentence(i18n)), again].spacing(metric::GAP).padding(metric::GAP);
            return parts::named(name, wrong);
        }
        Some(Ok(found)) => found,
    };
    let shown = |device: &Device| one_line(&device.name, MAX_NAME);
    let default = found.iter().find(|device| device.is_default).map(shown);
    let words = default.unwrap_or_else(|| match direction {
        Direction::Input => i18n.tr("sound-no-microphone"),
        Direction::Output => i18n.tr("sound-no-speaker"),
    });
    let default = choice::radio(i18n.tr("sound-default"), Some(words), chosen.is_none(), choose(None));
    let mut cards = Column::new().push(default).spacing(metric::SMALL);
    for device in found.iter().take(SHOWN) {
        let is_chosen = chosen == Some(device.id.as_str());
        cards = cards.push(choice::radio(shown(device), None, is_chosen, choose(Some(device.id.clone()))));
    }
    // What was chosen stays chosen while it is unplugged.
    if let Some(away) = chosen.filter(|id| found.iter().all(|device| device.id != *id)) {
        let words = Some(i18n.tr("sound-device-away"));
        cards = cards.push(choice::radio(one_line(away, MAX_NAME), words, true, choose(Some(away.to_owned()))));
    }
    parts::named(name, cards)
}

fn clean_up<'a>(options: &SoundOptions, i18n: &I18n) -> Element<'a, Message> {
    let switch = |name: String, words: String, on: bool, choice: Choice| {
        choice::switch(name, Some(words), on, Some(Message::Set(choice)))
    };
    let rows = [
        switch(
            i18n.tr("sound-high-pass"),
            i18n.tr("sound-high-pass-words"),
            options.high_pass,
            Choice::HighPass(!options.high_pass),
        ),
        switch(i18n.tr("sound-noise"), i18n.tr("sound-noise-words"), options.noise, Choice::Noise(!options.noise)),
        switch(i18n.tr("sound-gain"), i18n.tr("sound-gain-words"), options.gain, Choice::Gain(!options.gain)),
    ];
    parts::group(Some(i18n.tr("sound-clean-up")), rows)
}

/// How much room recordings take.
fn quality<'a>(options: &SoundOptions, i18n: &I18n) -> Element<'a, Message> {
    let kilobits = |bps: i32| u64::from((bps / 1_000).unsigned_abs());
    let segments =
        BITRATES.map(|bps| (kilobits(bps).to_string(), options.bitrate_bps == bps, Message::Set(Choice::Bitrate(bps))));
    // A minute has 60 seconds, a byte eight bits.
    let room = crate::format::bytes(i18n, u64::from(options.bitrate_bps.unsigned_abs()) * 60 / 8);
    let values = [("kilobits", kilobits(options.bitrate_bps).into()), ("room", room.into())];
    let words = i18n.tr_with("sound-bitrate-words", values);
    let rows = column![crate::ui::caption(words), row![choice::segments(segments)]].spacing(metric::SMALL);
    parts::group(Some(i18n.tr("sound-bitrate")), [container(rows).padding([metric::SMALL, metric::GAP]).into()])
}

fn playing<'a>(options: &SoundOptions, i18n: &I18n) -> Element<'a, Message> {
    let next = choice::switch(
        i18n.tr("sound-play-next"),
        Some(i18n.tr("sound-play-next-words")),
        options.play_next,
        Some(Message::Set(Choice::PlayNext(!options.play_next))),
    );
    parts::group(Some(i18n.tr("sound-playing")), [next])
}

#[cfg(test)]
impl SoundSection {
    pub(super) fn trial_mut(&mut self) -> &mut TrialPart {
        &mut self.trial
    }

    /// No answer about devices is waited for.
    pub(super) fn is_settled(&self) -> bool {
        self.looking == 0
    }

    /// The microphone is open.
    pub(super) fn is_heard(&self) -> bool {
        self.trial.is_on()
    }

    /// What is wrong with the trial.
    pub(super) fn wrong_words(&self) -> Option<String> {
        self.trial.wrong_words()
    }
}
