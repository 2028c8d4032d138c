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
    rgb(0x0F_76_6E),
    rgb(0x1D_4E_D8),
    rgb(0x7C_3A_ED),
    rgb(0xBE_18_5D),
    rgb(0xB4_53_09),
    rgb(0x4D_7C_0F),
    rgb(0x0E_74_90),
    rgb(0x9F_12_39),
];

const LIGHT: Palette = Palette {
    background: rgb(0xF3_F6_F6),
    surface: rgb(0xFF_FF_FF),
    raised: rgb(0xFF_FF_FF),
    rail: rgb(0xE6_EC_EC),
    hovered: rgb(0xF0_F4_F4),
    selected: rgb(0xD9_EE_EB),
    line: rgb(0xE1_E7_E7),
    border: rgb(0x7F_8F_8F),
    text: rgb(0x12_1C_1D),
    muted: rgb(0x55_63_64),
    accent: rgb(0x0F_76_6E),
    accent_hovered: rgb(0x0B_5F_59),
    on_accent: rgb(0xFF_FF_FF),
    mine: rgb(0xD3_EF_EA),
    theirs: rgb(0xFF_FF_FF),
    mine_muted: rgb(0x45_5F_5D),
    link: rgb(0x0B_5F_A5),
    selection: rgba(0x2D_8F_E8, 0.32),
    good: rgb(0x15_7F_3D),
    warning: rgb(0x8A_4B_04),
    warning_ground: rgb(0xFE_F3_D7),
    danger: rgb(0xB4_23_18),
    on_danger: rgb(0xFF_FF_FF),
    quiet_badge: rgb(0x5B_6B_6C),
    veil: rgba(0x0B_14_14, 0.45),
    people: PEOPLE,
};

const DARK: Palette = Palette {
    background: rgb(0x0F_16_17),
    surface: rgb(0x16_1F_20),
    raised: rgb(0x1E_29_2A),
    rail: rgb(0x0B_11_12),
    hovered: rgb(0x20_2B_2C),
    selected: rgb(0x1B_3E_3C),
    line: rgb(0x26_33_34),
    border: rgb(0x6B_7D_7E),
    text: rgb(0xE7_EE_EE),
    muted: rgb(0x9F_B0_B0),
    accent: rgb(0x4F_D1_C1),
    accent_hovered: rgb(0x7A_E0_D4),
    on_accent: rgb(0x06_24_21),
    mine: rgb(0x15_4A_46),
    theirs: rgb(0x20_2B_2C),
    mine_muted: rgb(0xB0_D0_CC),
    link: rgb(0x8A_C7_FF),
    selection: rgba(0x5A_B0_FF, 0.36),
    good: rgb(0x5D_D3_8C),
    warning: rgb(0xF5_C2_6B),
    warning_ground: rgb(0x3A_2E_14),
    danger: rgb(0xFF_8A_80),
    on_danger: rgb(0x3B_06_04),
    quiet_badge: rgb(0x8C_9D_9E),
    veil: rgba(0x00_00_00, 0.6),
    people: PEOPLE,
};

const HIGH_CONTRAST: Palette = Palette {
    background: rgb(0x00_00_00),
    surface: rgb(0x00_00_00),
    raised: rgb(0x0A_0A_0A),
    rail: rgb(0x00_00_00),
    hovered: rgb(0x26_26_26),
    selected: rgb(0x00_3A_5C),
    line: rgb(0x80_80_80),
    border: rgb(0xFF_FF_FF),
    text: rgb(0xFF_FF_FF),
    muted: rgb(0xD9_D9_D9),
    accent: rgb(0xFF_E1_4D),
    accent_hovered: rgb(0xFF_EE_99),
    on_accent: rgb(0x00_00_00),
    mine: rgb(0x00_33_4D),
    theirs: rgb(0x1A_1A_1A),
    mine_muted: rgb(0xD9_E8_F2),
    link: rgb(0x9A_D4_FF),
    selection: rgba(0xFF_E1_4D, 0.45),
    good: rgb(0x6B_FF_9E),
    warning: rgb(0xFF_D2_7F),
    warning_ground: rgb(0x33_22_00),
    danger: rgb(0xFF_9C_94),
    on_danger: rgb(0x00_00_00),
    quiet_badge: rgb(0xD9_D9_D9),
    veil: rgba(0x00_00_00, 0.75),
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
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(color: Color) -> f32 {
        let linear = |channel: f32| {
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
    }

    fn contrast(one: Color, other: Color) -> f32 {
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
                ("accent's words", palette.on_accent, palette.accent),
                ("accent's words, hovered", palette.on_accent, palette.accent_hovered),
                ("danger's words", palette.on_danger, palette.danger),
                ("warning", palette.warning, palette.warning_ground),
                ("text on warning", palette.text, palette.warning_ground),
                ("quiet badge", palette.surface, palette.quiet_badge),
            ] {
                let ratio = contrast(color, ground);
                assert!(ratio >= 4.5, "{variant:?}: {name} has only {ratio:.2}");
            }
            for ground in [palette.surface, palette.raised, palette.background] {
                let ratio = contrast(palette.border, ground);
                assert!(ratio >= 3.0, "{variant:?}: the border has only {ratio:.2}");
            }
            for ground in palette.people {
                let ratio = contrast(Color::WHITE, ground);
                assert!(ratio >= 4.5, "{variant:?}: a round picture has only {ratio:.2}");
            }
        }
    }
}
