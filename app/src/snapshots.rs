//! Pictures of every screen in every state, in `app/snapshots`: what is drawn is compared with what was looked at.
//!
//! A picture that is not stored fails. `KITH_BLESS=1` stores what is drawn; it is to be looked at before it is committed. The processor
//! draws, with the bundled fonts and none of the system's, so that only rounding may differ from one machine to the next.
//!
//! Every screen that is drawn in English and in light colours is also tried by the keyboard (`keyboard`); in every that is drawn in other
//! colours the ring of the focus has to be seen.

mod compare;
mod errands;
mod keyboard;
mod paint;
mod starts;

pub(crate) use errands::Errands;

use self::keyboard::Trial;

use std::fmt::Debug;

use iced::Size;
use iced::advanced::widget::Operation;
use iced_test::runtime::Action;

use crate::app::Context;
use crate::backend::Setup;
use crate::format::Clock;
use crate::i18n::{I18n, Language};
use crate::settings::Settings;
use crate::theme::{Element, Theme, Variant};
use crate::widget::stage::Stage;

/// Noon of a Tuesday in November.
pub(crate) const NOON: u64 = 1_764_072_000_000;

/// What a screen is shown with.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) i18n: I18n,
    pub(crate) variant: Variant,
    pub(crate) size: Size,
    pub(crate) scale: f32,
    clock: Clock,
    setup: Setup,
}

impl World {
    /// A window of this size, light and in English.
    pub(crate) fn new(width: f32, height: f32) -> Self {
        let profile = "/home/alice/.local/share/kith".into();
        Self {
            settings: Settings::default(),
            i18n: I18n::new(Language::En),
            variant: Variant::Light,
            size: Size::new(width, height),
            scale: 1.0,
            clock: Clock::utc(),
            setup: Setup { profile, options: Default::default(), passphrase_file: None, relay: None },
        }
    }

    /// In these colours.
    pub(crate) fn colored(mut self, variant: Variant) -> Self {
        self.variant = variant;
        self
    }

    /// In this language.
    pub(crate) fn speaking(mut self, language: Language) -> Self {
        self.i18n = I18n::new(language);
        self
    }

    /// With so many pixels for each logical one.
    pub(crate) fn scaled(mut self, scale: f32) -> Self {
        self.scale = scale;
        self
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            i18n: &self.i18n,
            settings: &self.settings,
            palette: self.variant.palette(),
            clock: &self.clock,
            now_ms: NOON + 6 * 3_600_000,
            size: self.size,
            setup: &self.setup,
        }
    }

    /// Draws this, and compares it with the picture of this name.
    pub(crate) fn shoot<'a, Message: Debug + 'static>(&self, name: &str, view: impl Fn() -> Element<'a, Message>) {
        self.shoot_after(name, view, Vec::new());
    }

    /// The same after these operations, as a screen's tasks ask for them.
    pub(crate) fn shoot_after<'a, Message: Debug + 'static>(
        &self,
        name: &str,
        view: impl Fn() -> Element<'a, Message>,
        operations: Vec<Box<dyn Operation>>,
    ) {
        let mut stage = Stage::new(self.size.width, self.size.height);
        let theme = Theme::new(self.variant);
        // What was laid out by guesses is laid out by what was seen at the next look.
        let _ = stage.draw_as(view(), theme, self.scale);
        for operation in operations {
            let _ = stage.operate(view(), operation);
            let _ = stage.draw_as(view(), theme, self.scale);
        }
        compare::with_stored(name, &stage.draw_as(view(), theme, self.scale));
        if self.scale == 1.0 {
            let trial = Trial::new(stage, self.size, theme, view);
            // What can be reached does not hang on colours and words; whether it is seen does.
            let faults = match (self.variant, self.i18n.language()) {
                (Variant::Light, Language::En) => trial.faults(),
                (Variant::Light, _) => Vec::new(),
                (Variant::Dark | Variant::HighContrast, _) => trial.unseen(),
            };
            assert!(faults.is_empty(), "{name}: {faults:#?}");
        }
    }
}

/// What a task asks of the widgets, without what it asks of others.
pub(crate) fn operations<Message: 'static>(task: iced::Task<Message>) -> Vec<Box<dyn Operation>> {
    let operation = |action| if let Action::Widget(operation) = action { Some(operation) } else { None };
    actions(task).into_iter().filter_map(operation).collect()
}

/// What a task says without waiting for anything.
pub(crate) fn outputs<Message: 'static>(task: iced::Task<Message>) -> Vec<Message> {
    let output = |action| if let Action::Output(output) = action { Some(output) } else { None };
    actions(task).into_iter().filter_map(output).collect()
}

fn actions<Message: 'static>(task: iced::Task<Message>) -> Vec<Action<Message>> {
    use futures::{FutureExt as _, StreamExt as _};
    let mut found = Vec::new();
    let Some(mut actions) = iced_test::runtime::task::into_stream(task) else { return found };
    // Every part of a task lets others go first once; what is not there after that waits for something.
    let mut looks = 0;
    while looks < 8 {
        match actions.next().now_or_never() {
            Some(Some(action)) => found.push(action),
            Some(None) => break,
            None => looks += 1,
        }
    }
    found
}
