//! A figure: what was measured, what it should be, and what it is measured against.

use crate::Scale;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// It is only shown.
    None,
}

/// One line of the bench.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    target: Target,
    baseline: f64,
    /// What the baseline is.
    against: &'static str,
}

pub(crate) const HEAD: &str =
    "figure                                    value  unit              target  met  baseline     ratio  against";

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, target: Target::None, baseline: f64::NAN, against: "" }
    }

    pub(crate) fn at_most(self, target: f64) -> Self {
        Self { target: Target::AtMost(target), ..self }
    }

    pub(crate) fn at_least(self, target: f64) -> Self {
        Self { target: Target::AtLeast(target), ..self }
    }

    pub(crate) fn against(self, baseline: f64, against: &'static str) -> Self {
        Self { baseline, against, ..self }
    }

    /// Whether the target is met; nothing where there is none.
    pub(crate) fn met(&self) -> Option<bool> {
        match self.target {
            Target::AtMost(target) => Some(self.value <= target),
            Target::AtLeast(target) => Some(self.value >= target),
            Target::None => None,
        }
    }

    fn named(&self, scale: Scale) -> String {
        if scale.quick { format!("{} (quick)", self.name) } else { self.name.clone() }
    }

    fn ratio(&self) -> f64 {
        self.value / self.baseline
    }

    pub(crate) fn line(&self, scale: Scale) -> String {
        let target = match self.target {
            Target::AtMost(target) => format!("≤ {}", short(target)),
            Target::AtLeast(target) => format!("≥ {}", short(target)),
            Target::None => String::new(),
        };
        let met = self.met().map_or("", |met| if met { "yes" } else { "NO" });
        let Self { unit, against, .. } = self;
        let (name, value, baseline, ratio) =
            (self.named(scale), short(self.value), short(self.baseline), short(self.ratio()));
        format!("{name:38}  {value:>7}  {unit:14}  {target:>8}  {met:3}  {baseline:>8}  {ratio:>8}  {against}")
    }

    pub(crate) fn json(&self, scale: Scale) -> String {
        let (target, bound) = match self.target {
            Target::AtMost(target) => (Some(target), "at_most"),
            Target::AtLeast(target) => (Some(target), "at_least"),
            Target::None => (None, "none"),
        };
        let number = |value: f64| value.is_finite().then_some(value);
        serde_json::json!({
            "name": self.named(scale), "value": self.value, "unit": self.unit, "target": target, "bound": bound,
            "met": self.met(), "baseline": number(self.baseline), "ratio": number(self.ratio()), "against": self.against,
        })
        .to_string()
    }
}

/// A number with three digits that mean something.
fn short(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => String::new(),
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
