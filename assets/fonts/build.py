#!/usr/bin/env python3
"""Makes the bundled fonts anew from the packages that README.md names.

    python3 build.py inter DIR      DIR: `web/` of the npm package inter-ui 4.1.1
    python3 build.py mono [FILE]    FILE: JetBrainsMono-Regular.ttf
    python3 build.py emoji [FILE]   FILE: NotoColorEmoji.ttf (CBDT)
    python3 build.py rtl [DIR]      DIR: with NotoSansHebrew-Regular.ttf and NotoSansArabic-Regular.ttf
    python3 build.py marks [DIR]    DIR: with NotoSans-Regular.ttf

Needs Python with fonttools, brotli, Pillow, numpy and zopfli, and the program pngquant.
"""

import io
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import zopfli.zlib
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
MONO = "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Regular.ttf"
EMOJI = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
NOTO = "/usr/share/fonts/truetype/noto"

# What the text fonts keep.
UNICODES = [
    (0x0020, 0x007E),  # Basic Latin
    (0x00A0, 0x024F),  # Latin-1, Extended-A, Extended-B
    (0x02B0, 0x036F),  # modifier letters, combining marks
    (0x0370, 0x03FF),  # Greek
    (0x0400, 0x052F),  # Cyrillic and its supplement
    (0x1E00, 0x1EFF),  # Latin Extended Additional
    (0x2000, 0x206F),  # punctuation
    (0x2070, 0x209F),  # superscripts and subscripts
    (0x20A0, 0x20CF),  # currency
    (0x2100, 0x218F),  # letter-like symbols, fractions
    (0x2190, 0x21FF),  # arrows
    (0x2200, 0x22FF),  # mathematical operators
    (0x2318, 0x2318), (0x2325, 0x2326), (0x232B, 0x232B), (0x238B, 0x238B), (0x23CE, 0x23CF),  # keys
    (0x2500, 0x25FF),  # boxes, blocks, shapes
    (0x2605, 0x2606), (0x2610, 0x2612), (0x2713, 0x2717), (0x2764, 0x2765),  # stars, ballots, ticks, hearts
    (0xFFFD, 0xFFFD),  # the replacement character
]  # fmt: skip

FEATURES = ["kern", "liga", "calt", "tnum", "mark", "mkmk", "ccmp", "locl", "case", "zero", "ss01", "cv11", "frac", "numr", "dnom"]

# What is written from right to left: letters, their shapes in words, and what joins and parts them.
JOINERS = [(0x0020, 0x0020), (0x200C, 0x200F), (0x25CC, 0x25CC)]
HEBREW = [(0x0590, 0x05FF), (0x20AA, 0x20AA), (0xFB1D, 0xFB4F), *JOINERS]
ARABIC = [(0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF), *JOINERS]

# Combining marks, most of which Inter lacks, and the letters that they stand on: a letter and its marks are drawn from one font.
MARKS = [
    (0x0020, 0x007E), (0x00A0, 0x03FF), (0x0400, 0x052F),  # Latin, phonetic, Greek, Cyrillic, and the marks among them
    (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x2DE0, 0x2DFF), (0xFE20, 0xFE2F),  # marks
    (0x1C80, 0x1C8F), (0x1D00, 0x1DBF), (0x1E00, 0x1FFF), (0x2C60, 0x2C7F), (0xA640, 0xA69F), (0xA720, 0xA7FF),  # letters
    (0x2000, 0x206F), (0x25CC, 0x25CC),  # punctuation, the circle that stands for a letter
]  # fmt: skip


def text_font(source, target, unicodes=UNICODES, features=FEATURES):
    """Cuts a text font down to some characters; names stay, hints go."""
    options = subset.Options()
    options.layout_features = features
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    options.drop_tables += ["DSIG"]
    options.flavor = None
    options.recalc_timestamp = False
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[c for first, last in unicodes for c in range(first, last + 1)])
    cutter.subset(font)
    subset.save_font(font, str(target), options)


# The emoji's strike: 109 pixels to the em become 57, so 136 by 128 pixels become 71 by 67.
PPEM, WIDTH, HEIGHT, BEARING_Y, COLOURS = 57, 71, 67, 53, 24


def shrunk(data, scale, bearing_y):
    """A bitmap at the new size. Every new pixel covers exactly `scale` old ones, from the same base line on."""
    image = Image.open(io.BytesIO(data)).convert("RGBA").convert("RGBa")
    edge = 8
    padded = Image.new("RGBa", (image.width + 2 * edge, image.height + 2 * edge))
    padded.paste(image, (edge, edge))
    top = edge + bearing_y - BEARING_Y * scale
    box = (edge, top, edge + WIDTH * scale, top + HEIGHT * scale)
    pixels = np.array(padded.resize((WIDTH, HEIGHT), Image.BICUBIC, box=box).convert("RGBA"))
    # Eight steps of opacity are enough for an edge, and leave more of the palette to the colours.
    pixels[..., 3] = np.round(np.round(pixels[..., 3] / 255 * 8) / 8 * 255)
    pixels[pixels[..., 3] == 0] = 0
    return Image.fromarray(pixels)


def without_haze(path):
    """Entries of the palette that are nearly transparent or nearly opaque become wholly so."""
    image = Image.open(path)
    image.load()
    clear = image.info.get("transparency")
    if image.mode != "P" or clear is None:
        return
    if isinstance(clear, int):
        clear = bytes([255] * clear + [0])
    clear = bytes(0 if a < 20 else 255 if a > 238 else a for a in clear)
    colours = len(image.getpalette()) // 3
    bits = 1 if colours <= 2 else 2 if colours <= 4 else 4 if colours <= 16 else 8
    image.save(path, transparency=clear.rstrip(b"\xff"), bits=bits, optimize=False, compress_level=9)


def packed(png):
    """The same picture, its pixels packed as tightly as deflate can."""
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    out = [png[:8]]
    for kind, body in chunks:
        if kind == b"IDAT":
            if pixels is None:
                continue
            body, pixels = zopfli.zlib.compress(pixels, numiterations=10), None
        out.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
    return b"".join(out)


def emoji(source, target):
    font = TTFont(source, recalcTimestamp=False)
    (size,) = font["CBLC"].strikes
    (glyphs,) = font["CBDT"].strikeData
    table = size.bitmapSizeTable
    scale = table.ppemX / PPEM
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        paths = {}
        for number, (name, glyph) in enumerate(glyphs.items()):
            old = glyph.metrics
            assert (old.width, old.height, old.BearingX, old.BearingY, old.Advance) == (136, 128, 0, 101, 136), name
            paths[name] = folder / f"{number:04}.png"
            shrunk(glyph.imageData, scale, old.BearingY).save(paths[name], compress_level=1)
        files = [str(p) for p in paths.values()]
        for at in range(0, len(files), 200):
            some = files[at : at + 200]
            quantise = ["pngquant", "--speed", "2", "--strip", "--nofs", "--ext", ".png", "--force", str(COLOURS)]
            subprocess.run([*quantise, *some], check=True)
            for path in some:
                without_haze(path)
        for name, glyph in glyphs.items():
            glyph.imageData = packed(paths[name].read_bytes())
            metrics = glyph.metrics
            metrics.width, metrics.height, metrics.BearingY, metrics.Advance = WIDTH, HEIGHT, BEARING_Y, WIDTH
    table.ppemX = table.ppemY = PPEM
    for line in (table.hori, table.vert):
        line.ascender, line.descender, line.widthMax = BEARING_Y, BEARING_Y - HEIGHT, WIDTH
    font.save(target)


def main(what, source=None):
    if what == "inter":
        for style in ("Regular", "Medium", "SemiBold", "Bold", "Italic"):
            text_font(pathlib.Path(source) / f"Inter-{style}.woff2", HERE / f"Inter-{style}.ttf")
    elif what == "mono":
        text_font(source or MONO, HERE / "JetBrainsMono-Regular.ttf")
    elif what == "emoji":
        emoji(source or EMOJI, HERE / "NotoColorEmoji.ttf")
    elif what == "rtl":
        for name, unicodes in (("NotoSansHebrew-Regular.ttf", HEBREW), ("NotoSansArabic-Regular.ttf", ARABIC)):
            # Every feature: the letters of Arabic have other shapes by them.
            text_font(pathlib.Path(source or NOTO) / name, HERE / name, unicodes, ["*"])
    elif what == "marks":
        source = pathlib.Path(source or NOTO) / "NotoSans-Regular.ttf"
        text_font(source, HERE / "NotoSans-Regular.ttf", MARKS, ["mark", "mkmk", "ccmp", "locl"])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:3]) if len(sys.argv) > 1 else sys.exit(__doc__)
