#!/usr/bin/env python3
"""Makes kith-icons.ttf and `app/src/theme/icon.rs` anew from Lucide.

    python3 build.py font DIR      DIR: `font/` of the npm package lucide-static 1.62.0
    python3 build.py png           the pictures of kith.svg and kith-badge.svg, with rsvg-convert

Needs Python with fonttools.
"""

import json
import pathlib
import subprocess
import sys

from fontTools import subset

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

ICONS = """
send send-horizontal mic paperclip smile search settings user user-plus users message-circle message-square phone bell
bell-off pin pin-off check check-check clock triangle-alert circle-alert info x plus minus chevron-left chevron-right
chevron-down chevron-up arrow-down arrow-left ellipsis ellipsis-vertical copy reply pencil trash-2 eye eye-off lock
shield shield-check shield-alert qr-code image file link globe wifi wifi-off server router laptop smartphone download
upload log-out sun moon contrast type languages volume-2 volume-x play pause refresh-cw external-link keyboard palette
database activity ban circle circle-check loader star hash at-sign key-round house network rotate-ccw save
""".split()

RUST = """//! The icon font's glyphs.
//!
//! Made by `assets/icons/build.py` together with `assets/icons/kith-icons.ttf`; change them there.

/// An icon, by the name that Lucide gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(dead_code, reason = "the font is cut to these: what is coming finds its icon here")]
pub(crate) enum Icon {{
{variants}
}}

impl Icon {{
    /// The character that the font `Kith Icons` draws this icon for.
    pub(crate) const fn glyph(self) -> char {{
        match self {{
{arms}
        }}
    }}
}}

/// Every icon there is.
#[allow(dead_code, reason = "for tests and pictures of the whole font")]
pub(crate) const ALL: &[Icon] = &[
{all}
];
"""


def font(source):
    source = pathlib.Path(source)
    points = json.loads((source / "codepoints.json").read_text())
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    options.recalc_timestamp = False
    options.drop_tables += ["GSUB"]
    icons = subset.load_font(str(source / "lucide.ttf"), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[points[name] for name in ICONS])
    cutter.subset(icons)
    names = {0: "Lucide, ISC License, Lucide Icons and Contributors", 1: "Kith Icons", 2: "Regular"}
    names |= {3: "Kith Icons Regular, of Lucide 1.62.0", 4: "Kith Icons", 5: "Version 1.62", 6: "KithIcons-Regular"}
    icons["name"].names = []
    for number, text in names.items():
        icons["name"].setName(text, number, 3, 1, 0x409)
        icons["name"].setName(text, number, 1, 0, 0)
    icons["OS/2"].usWeightClass = 400
    subset.save_font(icons, str(HERE / "kith-icons.ttf"), options)

    def variant(name):
        return "".join(part.capitalize() for part in name.split("-"))

    rust = RUST.format(
        variants="\n".join(f"    /// `{name}`.\n    {variant(name)}," for name in ICONS),
        arms="\n".join(f"            Self::{variant(name)} => '\\u{{{points[name]:x}}}'," for name in ICONS),
        all="\n".join(f"    Icon::{variant(name)}," for name in ICONS),
    )
    (ROOT / "app" / "src" / "theme" / "icon.rs").write_text(rust)


def png():
    for size in (16, 32, 48, 64, 128, 256, 512):
        draw("kith.svg", size, f"kith-{size}.png")
    draw("kith-badge.svg", 256, "kith-badge-256.png")


def draw(source, size, target):
    size = ["--width", str(size), "--height", str(size)]
    subprocess.run(["rsvg-convert", *size, "--output", HERE / target, HERE / source], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["font"] and len(sys.argv) == 3:
        font(sys.argv[2])
    elif sys.argv[1:] == ["png"]:
        png()
    else:
        sys.exit(__doc__)
