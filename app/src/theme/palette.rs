//! Named colours. Every pair that is drawn one on the other keeps the contrast that people with weak eyes need (WCAG 2.2, 1.4.3).

use iced::Color;
use serde::{Deserialize, Serialize};

/// Which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Variant {
    /// Dark words on light ground.
    Light,
    /// Light words on dark ground.
    Dark,
    /// As far apart as a screen can show.
    HighContrast,
}

/// Colours by what they are for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Palette {
    /// The ground of the conversation.
    pub(crate) background: Color,
    /// The ground of lists, panels and bars.
    pub(crate) surface: Color,
    /// The ground of what lies above a surface: fields, menus, cards.
    pub(crate) raised: Color,
    /// The rail at the window's edge.
    pub(crate) rail: Color,
    /// A surface under the pointer.
    pub(crate) hovered: Color,
    /// A chosen row.
    pub(crate) selected: Color,
    /// Lines between parts.
    pub(crate) line: Color,
    /// What is empty of a bar yet, and a bar that scrolls while nobody wants it.
    pub(crate) track: Color,
    /// The border of what can be filled in or pressed (3:1 on its ground).
    pub(crate) border: Color,
    /// Words.
    pub(crate) text: Color,
    /// Words of less weight: times, hints.
    pub(crate) muted: Color,
    /// What acts: buttons, badges, links, the focus ring.
    pub(crate) accent: Color,
    /// The accent under the pointer.
    pub(crate) accent_hovered: Color,
    /// Words on the accent.
    pub(crate) on_accent: Color,
    /// The ground of one's own messages.
    pub(crate) mine: Color,
    /// The ground of others' messages.
    pub(crate) theirs: Color,
    /// Words of less weight in one's own messages.
    pub(crate) mine_muted: Color,
    /// Links in messages.
    pub(crate) link: Color,
    /// Marked text.
    pub(crate) selection: Color,
    /// All is well; somebody is here.
    pub(crate) good: Color,
    /// Look at this.
    pub(crate) warning: Color,
    /// The ground of a warning.
    pub(crate) warning_ground: Color,
    /// This went wrong, or cannot be undone.
    pub(crate) danger: Color,
    /// Words on danger.
    pub(crate) on_danger: Color,
    /// A badge that does not ask for attention.
    pub(crate) quiet_badge: Color,
    /// What lies behind a dialogue.
    pub(crate) veil: Color,
    /// Grounds of round pictures without a picture; words on them are white.
    pub(crate) people: [Color; 8],
}

const fn rgb(hex: u32) -> Color {
    Color::from_rgb8(((hex >> 16) & 0xff) as u8, ((hex >> 8) & 0xff) as u8, (hex & 0xff) as u8)
}

const fn rgba(hex: u32, alpha: f32) -> Color {
    let Color { r, g, b, .. } = rgb(hex);
    Color { r, g, b, a: alpha }
}

const PEOPLE: [Color; 8] = [
    rgb(0x000F_766E),
    rgb(0x001D_4ED8),
    rgb(0x007C_3AED),
    rgb(0x00BE_185D),
    rgb(0x00B4_5309),
    rgb(0x004D_7C0F),
    rgb(0x000E_7490),
    rgb(0x009F_1239),
];

const LIGHT: Palette = Palette {
    background: rgb(0x00F3_F6F6),
    surface: rgb(0x00FF_FFFF),
    raised: rgb(0x00FF_FFFF),
    rail: rgb(0x00E6_ECEC),
    hovered: rgb(0x00F0_F4F4),
    selected: rgb(0x00D9_EEEB),
    line: rgb(0x00E1_E7E7),
    track: rgb(0x00BA_C6C6),
    border: rgb(0x007F_8F8F),
    text: rgb(0x0012_1C1D),
    muted: rgb(0x0055_6364),
    accent: rgb(0x000F_766E),
    accent_hovered: rgb(0x000B_5F59),
    on_accent: rgb(0x00FF_FFFF),
    mine: rgb(0x00D3_EFEA),
    theirs: rgb(0x00FF_FFFF),
    mine_muted: rgb(0x0045_5F5D),
    link: rgb(0x000B_5FA5),
    selection: rgba(0x002D_8FE8, 0.32),
    good: rgb(0x000E_6B32),
    warning: rgb(0x008A_4B04),
    warning_ground: rgb(0x00FE_F3D7),
    danger: rgb(0x00B4_2318),
    on_danger: rgb(0x00FF_FFFF),
    quiet_badge: rgb(0x005B_6B6C),
    veil: rgba(0x000B_1414, 0.45),
    people: PEOPLE,
};

const DARK: Palette = Palette {
    background: rgb(0x000F_1617),
    surface: rgb(0x0016_1F20),
    raised: rgb(0x001E_292A),
    rail: rgb(0x000B_1112),
    hovered: rgb(0x0020_2B2C),
    selected: rgb(0x001B_3E3C),
    line: rgb(0x0026_3334),
    track: rgb(0x003D_4E4F),
    border: rgb(0x006B_7D7E),
    text: rgb(0x00E7_EEEE),
    muted: rgb(0x009F_B0B0),
    accent: rgb(0x004F_D1C1),
    accent_hovered: rgb(0x007A_E0D4),
    on_accent: rgb(0x0006_2421),
    mine: rgb(0x0015_4A46),
    theirs: rgb(0x0020_2B2C),
    mine_muted: rgb(0x00B0_D0CC),
    link: rgb(0x008A_C7FF),
    selection: rgba(0x005A_B0FF, 0.36),
    good: rgb(0x005D_D38C),
    warning: rgb(0x00F5_C26B),
    warning_ground: rgb(0x003A_2E14),
    danger: rgb(0x00FF_988F),
    on_danger: rgb(0x003B_0604),
    quiet_badge: rgb(0x008C_9D9E),
    veil: rgba(0x0000_0000, 0.6),
    people: PEOPLE,
};

const HIGH_CONTRAST: Palette = Palette {
    background: rgb(0x0000_0000),
    surface: rgb(0x0000_0000),
    raised: rgb(0x000A_0A0A),
    rail: rgb(0x0000_0000),
    hovered: rgb(0x0026_2626),
    selected: rgb(0x0000_3A5C),
    line: rgb(0x005A_5A5A),
    track: rgb(0x0080_8080),
    border: rgb(0x00FF_FFFF),
    text: rgb(0x00FF_FFFF),
    muted: rgb(0x00D9_D9D9),
    accent: rgb(0x00FF_E14D),
    accent_hovered: rgb(0x00FF_EE99),
    on_accent: rgb(0x0000_0000),
    mine: rgb(0x0000_334D),
    theirs: rgb(0x001A_1A1A),
    mine_muted: rgb(0x00D9_E8F2),
    link: rgb(0x009A_D4FF),
    selection: rgba(0x00FF_E14D, 0.45),
    good: rgb(0x006B_FF9E),
    warning: rgb(0x00FF_D27F),
    warning_ground: rgb(0x0033_2200),
    danger: rgb(0x00FF_9C94),
    on_danger: rgb(0x0000_0000),
    quiet_badge: rgb(0x00D9_D9D9),
    veil: rgba(0x0000_0000, 0.75),
    people: PEOPLE,
};

impl Variant {
    /// The colours.
    pub(crate) const fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
            Self::HighContrast => &HIGH_CONTRAST,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(color: Color) -> f32 {
        let linear = |channel: f32| {
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
    }

    /// How plainly one is told from the other: 1 to 21.
    pub(crate) fn contrast(one: Color, other: Color) -> f32 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn words_can_be_read_on_every_ground_of_every_theme() {
        for variant in [Variant::Light, Variant::Dark, Variant::HighContrast] {
            let palette = variant.palette();
            let grounds = [
                palette.background,
                palette.surface,
                palette.raised,
                palette.rail,
                palette.hovered,
                palette.selected,
                palette.theirs,
            ];
            for ground in grounds {
                for (name, color) in [
                    ("text", palette.text),
                    ("muted", palette.muted),
                    ("link", palette.link),
                    ("good", palette.good),
                    ("danger", palette.danger),
                    ("accent", palette.accent),
                ] {
                    let ratio = contrast(color, ground);
                    assert!(ratio >= 4.5, "{variant:?}: {name} on {ground:?} has only {ratio:.2}");
                }
            }
            for (name, color, ground) in [
                ("text in own", palette.text, palette.mine),
                ("muted in own", palette.mine_muted, palette.mine),
                ("link in own", palette.link, palette.mine),
                ("danger in own", palette.danger, palette.mine),
                ("accent and ring in own", palette.accent, palette.mine),
                ("accent and ring on a warning", palette.accent, palette.warning_ground),
                ("accent's words", palette.on_accent, palette.accent),
                ("accent's words, hovered", palette.on_accent, palette.accent_hovered),
                ("danger's words", palette.on_danger, palette.danger),
                ("warning", palette.warning, palette.warning_ground),
                ("text on warning", palette.text, palette.warning_ground),
                ("quiet badge", palette.surface, palette.quiet_badge),
                // What waits says so on its button: "Opening…".
                ("a button that waits", palette.muted, palette.line),
            ] {
                let ratio = contrast(color, ground);
                assert!(ratio >= 4.5, "{variant:?}: {name} has only {ratio:.2}");
            }
            for ground in [palette.surface, palette.raised, palette.background] {
                let ratio = contrast(palette.border, ground);
                assert!(ratio >= 3.0, "{variant:?}: the border has only {ratio:.2}");
                let ratio = contrast(palette.track, ground);
                assert!(ratio >= 1.5, "{variant:?}: what is empty has only {ratio:.2}");
            }
            for ground in palette.people {
                let ratio = contrast(Color::WHITE, ground);
                assert!(ratio >= 4.5, "{variant:?}: a round picture has only {ratio:.2}");
            }
        }
    }
}
