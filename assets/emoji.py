#!/usr/bin/env python3
"""Makes emoji.tsv, the emoji picker's list, anew.

    python3 emoji.py DIR      DIR: `node_modules` with unicode-emoji-json 0.9.0 and emojibase-data 17.0.0

Needs Python with uharfbuzz. One row per fully qualified emoji up to Emoji 15.1, in Unicode's order, without the
variants of skin tone, and only what the bundled font draws as one glyph. A name column is the short name, then
search words, all parted by "; ".
"""

import json
import pathlib
import sys

import uharfbuzz as hb

HERE = pathlib.Path(__file__).resolve().parent


def main(modules):
    modules = pathlib.Path(modules)
    emoji = json.loads((modules / "unicode-emoji-json" / "data-by-emoji.json").read_text("utf-8"))
    words = {}
    for language in ("en", "ru", "uk"):
        data = json.loads((modules / "emojibase-data" / language / "data.json").read_text("utf-8"))
        words[language] = {e["hexcode"].replace("-FE0F", ""): [e["label"], *e.get("tags", [])] for e in data}
    font = hb.Font(hb.Face((HERE / "fonts" / "NotoColorEmoji.ttf").read_bytes()))

    def drawn(text):
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        hb.shape(font, buffer)
        shown = [i for i, p in zip(buffer.glyph_infos, buffer.glyph_positions) if p.x_advance or i.codepoint == 0]
        return len(shown) == 1 and shown[0].codepoint != 0

    def column(language, text):
        key = "-".join(f"{ord(c):04X}" for c in text if c != "\ufe0f")
        unique = dict.fromkeys(w.strip().replace(";", ",") for w in words[language][key])
        assert not any("\t" in w or "\n" in w for w in unique)
        return "; ".join(unique)

    rows, left = ["group\temoji\tname_en\tname_ru\tname_uk"], []
    for text, about in emoji.items():
        if tuple(map(int, about["emoji_version"].split("."))) > (15, 1):
            continue
        if not drawn(text):
            left.append(text)
            continue
        rows.append("\t".join([about["group"], text, *(column(language, text) for language in words)]))
    (HERE / "emoji.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    print(f"{len(rows) - 1} emoji; left out, for the font draws no one glyph: {left}")


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
